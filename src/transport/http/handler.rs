//! The request handler for any HTTP server.

use super::HTTP_CONTENT_TYPE;
use crate::hlc::WallMillis;
use crate::replica::Replica;
use crate::sync::{Alert, Responder, SyncError};

/// A request to any HTTP server.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "servers create it")]
pub struct HttpRequest<'a> {
    /// The method. Others than `POST` are refused.
    pub method: &'a str,
    /// The header `Content-Type`, which must be [`HTTP_CONTENT_TYPE`].
    pub content_type: Option<&'a str>,
    /// The body. The server should read at most
    /// [`Responder::max_message_bytes`](crate::Responder::max_message_bytes) bytes of it, and answer with status 413
    /// when there are more.
    pub body: &'a [u8],
}

/// The answer to a request, with [`HTTP_CONTENT_TYPE`] as its content type.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpAnswer {
    /// 200, or 400 for a body that is not a message, 403 for another space, 405 for another method, 410 for a session
    /// that is no longer known, 413 for a message that is too long, 415 for another content type, 503 for a fault of
    /// this side.
    pub status: u16,
    /// The message; with an error status, the two bytes that inform the other side's session.
    pub body: Vec<u8>,
    /// The error, for the server's own log. The other side learns only its kind.
    pub error: Option<SyncError>,
}

/// Answers a request: [`Responder::respond`] with a status. It verifies and stores the operations in the request, and
/// never waits for the network.
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
    if !request.content_type.is_some_and(is_message) {
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

/// Returns true if the content type is that of a message. Parameters are ignored.
pub(super) fn is_message(content_type: &str) -> bool {
    let name = content_type.split(';').next().unwrap_or_default();
    name.trim().eq_ignore_ascii_case(HTTP_CONTENT_TYPE)
}
