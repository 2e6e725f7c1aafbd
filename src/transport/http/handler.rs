//! The request handler, for any server.

use super::client::is_ours;
use crate::hlc::WallMillis;
use crate::replica::Replica;
use crate::sync::{Alert, Responder, SyncError};

/// A request, as any server has it.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "servers create it")]
pub struct HttpRequest<'a> {
    /// The method: `POST`, or it is refused.
    pub method: &'a str,
    /// The header `Content-Type`, which must be [`HTTP_CONTENT_TYPE`](super::HTTP_CONTENT_TYPE).
    pub content_type: Option<&'a str>,
    /// The body. The server must not read more than
    /// [`Responder::max_message_bytes`](crate::Responder::max_message_bytes) bytes of it: it has a limit of its own
    /// for that, and answers with status 413.
    pub body: &'a [u8],
}

/// What the server should answer, with [`HTTP_CONTENT_TYPE`](super::HTTP_CONTENT_TYPE) as its type.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpAnswer {
    /// 200, or 400 for what is no message, 403 for another space, 405 for another method, 410 for a session that is no
    /// longer known, 413 for too long a message, 415 for another content type, 503 where this side failed.
    pub status: u16,
    /// The message; where the status is an error, the two bytes that tell the other side's session.
    pub body: Vec<u8>,
    /// What went wrong, for the server's own log. The other side is told only its kind.
    pub error: Option<SyncError>,
}

/// Answers a request: [`Responder::respond`] with a status. Takes as long as the operations in the request take to be
/// verified and stored, and never waits for the network.
pub fn answer_http(
    responder: &mut Responder,
    replica: &mut Replica,
    now: WallMillis,
    request: &HttpRequest<'_>,
) -> HttpAnswer {
    let refused = || SyncError::AlertReceived(Alert::Message).to_alert();
    if request.method != "POST" {
        return HttpAnswer { status: 405, body: refused(), error: None };
    }
    if !request.content_type.is_some_and(is_ours) {
        return HttpAnswer { status: 415, body: refused(), error: None };
    }
    match responder.respond(replica, now, request.body) {
        Ok(reply) => HttpAnswer { status: 200, body: reply.message, error: None },
        Err(error) => HttpAnswer { status: status_of(&error), body: error.to_alert(), error: Some(error) },
    }
}

const fn status_of(error: &SyncError) -> u16 {
    match error {
        SyncError::Message(_) | SyncError::Version { .. } | SyncError::PeerMisbehaved(_) => 400,
        SyncError::OtherSpace => 403,
        SyncError::AlertReceived(Alert::Forgotten) => 410,
        SyncError::TooLarge { .. } => 413,
        _ => 503,
    }
}
