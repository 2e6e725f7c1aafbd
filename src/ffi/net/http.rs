//! The client and the server side of HTTP.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;

use crate::ffi::glue::boundary::{Call, free_shared, guarded};
use crate::ffi::glue::buffer::policysync_buffer;
use crate::ffi::glue::error::{Failure, policysync_error};
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::POLICYSYNC_OK;
use crate::ffi::net::client::policysync_client_options;
use crate::ffi::replica::handle::policysync_replica;
use crate::ffi::sync::responder::policysync_responder;
use crate::ffi::sync::session::policysync_session;

/// Synchronizes with a server over HTTP: each message is a POST to one URL. It follows no redirects, keeps no cookies,
/// uses no proxy from the environment, and keeps one connection for the next request. To look up a name and to connect
/// it starts threads, which end when the system answers. Calls from several threads do not wait for each other.
pub struct policysync_http_client {
    #[cfg(feature = "http")]
    client: crate::HttpClient,
}

/// Creates a client of the server at a URL. Nothing is sent yet.
///
/// `url`, `url_len`: `http://…`, or with the feature `tls` `https://…`.
/// `options`: NULL for the defaults.
/// `out`: the client, to be freed with `policysync_http_client_free`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (the URL, a header, the token, a
/// certificate), `POLICYSYNC_ERR_VERSION`, `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `http`, or for
/// `https`, `trusted` or `POLICYSYNC_TRUST_NO_OTHERS` without `tls`), `POLICYSYNC_ERR_TLS` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_http_client_new(
    url: *const c_char,
    url_len: usize,
    options: *const policysync_client_options,
    out: MaybeUninit<&mut *mut policysync_http_client>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.handle_out(out, "out")?;
        let url = call.text(url, url_len, "url")?;
        out.write_shared(make(call, url, options)?);
        Ok(POLICYSYNC_OK)
    })
}

/// Runs a session with the server to its end; see `policysync_session_result`. A request that fails for a temporary
/// reason is repeated within `retry_ms` of the client's options. The call holds no lock while it waits: other threads
/// may use the replica, read `policysync_session_progress`, and end the session with `policysync_session_cancel`, which
/// ends the call within about 100 milliseconds.
///
/// `session`: a session that has not begun. When the network fails it stays unfinished: start a new one, which
/// continues from the admitted operations.
/// `replica`: the same for all of a session.
/// `now_ms`: the time at which operations arrive: milliseconds since 1970, or, as is usual, `POLICYSYNC_NOW`.
///
/// Operations that were admitted before a failure stay.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_HOST`, `POLICYSYNC_ERR_CONNECTION`, `POLICYSYNC_ERR_TIMEOUT`,
/// `POLICYSYNC_ERR_UNAVAILABLE`, `POLICYSYNC_ERR_HTTP_STATUS`, `POLICYSYNC_ERR_UNAUTHORIZED`, `POLICYSYNC_ERR_TLS`,
/// `POLICYSYNC_ERR_NOT_A_SERVER`, `POLICYSYNC_ERR_LIMIT` (the answer is too long), `POLICYSYNC_ERR_UNSUPPORTED` (built
/// without the feature `http`), or what `policysync_session_next_message` and `policysync_session_receive` return,
/// including `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` and `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_http_client_sync(
    client: MaybeUninit<&mut policysync_http_client>,
    session: MaybeUninit<&mut policysync_session>,
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let client = call.shared(client, "client")?;
        let session = call.shared(session, "session")?;
        let replica = call.shared(replica, "replica")?;
        client.sync(&session, &replica, now_ms)?;
        Ok(POLICYSYNC_OK)
    })
}

/// Sends one message to the server and returns its answer, for an application that runs a session itself, for example
/// to show the progress on the same thread. A refusal by the server is an answer too.
///
/// `message`, `message_len`: the whole message.
/// `max_bytes`: the maximum length of the answer: `max_message_bytes` of the session's options, but at least 1114112;
/// 0 for that.
/// `out`: the answer. Unchanged unless the call returns `POLICYSYNC_OK`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_HOST`, `POLICYSYNC_ERR_CONNECTION`, `POLICYSYNC_ERR_TIMEOUT`,
/// `POLICYSYNC_ERR_UNAVAILABLE`, `POLICYSYNC_ERR_HTTP_STATUS`, `POLICYSYNC_ERR_UNAUTHORIZED`, `POLICYSYNC_ERR_TLS`,
/// `POLICYSYNC_ERR_NOT_A_SERVER`, `POLICYSYNC_ERR_LIMIT` (the answer is too long), `POLICYSYNC_ERR_NULL`,
/// `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `http`) or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_http_client_exchange(
    client: MaybeUninit<&mut policysync_http_client>,
    message: *const c_void,
    message_len: usize,
    max_bytes: usize,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let client = call.shared(client, "client")?;
        let message = call.bytes(message, message_len, "message")?;
        let out = call.buffer(out)?;
        let max_bytes = if max_bytes == 0 { crate::sync::ONE_OP_MESSAGE_BYTES } else { max_bytes };
        out.fill(&client.exchange(message, max_bytes)?);
        Ok(POLICYSYNC_OK)
    })
}

/// Frees a client and closes its connection. NULL is allowed. Calls that have begun finish normally.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_http_client_free(client: *mut policysync_http_client) {
    free_shared(client);
}

/// Answers an HTTP request, in any server. The server itself is responsible for authorization, time limits and the
/// length of bodies; it should refuse a body over `max_message_bytes` of the responder's options with status 413 before
/// reading it. The answer's content type is `POLICYSYNC_HTTP_CONTENT_TYPE`, whatever its status.
///
/// `responder`: answers the sessions.
/// `replica`: the replica that it answers with.
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `method`, `method_len`: the request's method, for example `POST`.
/// `content_type`, `content_type_len`: the request's header `Content-Type`; NULL and 0 if there is none.
/// `body`, `body_len`: the whole body of the request.
/// `http_status`: the status to answer with: 200, or 400 for a malformed message, 403 for another space, 405 for
/// another method, 410 for a session that is no longer known, 413 for a message that is too long, 415 for another
/// content type, 503 if this side failed.
/// `out`: the body to answer with.
/// `refused`: the reason for a status other than 200, for the server's own log; unchanged otherwise. NULL if it is not
/// wanted.
///
/// On a failure answer 503 with the message of `policysync_sync_alert`. Operations of a request that is refused with
/// 400 or 503 may be in the log already.
///
/// Returns `POLICYSYNC_OK` (**also if the request is refused**), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_CALLBACK` (the
/// guard or the clock), `POLICYSYNC_ERR_BUSY`, `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `http`) or
/// `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_http_answer(
    responder: MaybeUninit<&mut policysync_responder>,
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    method: *const c_char,
    method_len: usize,
    content_type: *const c_char,
    content_type_len: usize,
    body: *const c_void,
    body_len: usize,
    http_status: MaybeUninit<&mut u32>,
    out: MaybeUninit<&mut policysync_buffer>,
    refused: *mut policysync_error,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let responder = call.shared(responder, "responder")?;
        let replica = call.shared(replica, "replica")?;
        let request = Request {
            method: call.bytes(method.cast(), method_len, "method")?,
            content_type: call.bytes(content_type.cast(), content_type_len, "content_type")?,
            body: call.bytes(body, body_len, "body")?,
        };
        let http_status = call.out(http_status, "http_status")?;
        let out = call.buffer(out)?;
        let answer = request.answer(&responder, &replica, now_ms)?;
        out.fill(&answer.body);
        http_status.write(answer.status);
        if let Some(reason) = answer.refused {
            call.report(&reason, refused);
        }
        Ok(POLICYSYNC_OK)
    })
}

/// A request, as the bytes that the server has read.
#[cfg_attr(not(feature = "http"), expect(dead_code, reason = "nothing answers it then"))]
struct Request<'c> {
    method: &'c [u8],
    content_type: &'c [u8],
    body: &'c [u8],
}

struct Answer {
    status: u32,
    body: Vec<u8>,
    refused: Option<Failure>,
}

#[cfg(feature = "http")]
impl Request<'_> {
    fn answer(
        &self,
        responder: &policysync_responder,
        replica: &policysync_replica,
        now_ms: u64,
    ) -> Result<Answer, Failure> {
        use crate::ffi::glue::status::policysync_status_code::POLICYSYNC_ERR_MALFORMED;

        // A method or a content type that is not UTF-8 is not ours.
        let request = crate::transport::HttpRequest {
            method: std::str::from_utf8(self.method).unwrap_or_default(),
            content_type: std::str::from_utf8(self.content_type).ok(),
            body: self.body,
        };
        let (answer, failure) = replica.answer(now_ms, |replica, now| {
            let mut answer = crate::answer_http(&mut responder.enter()?.inside, replica, now, &request);
            let failure = answer.error.take().map(Failure::from);
            Ok((answer, failure))
        })?;
        let refused = match (answer.status, failure) {
            (200, _) => None,
            (_, Some(failure)) => Some(failure),
            (405, None) => Some(Failure::new(POLICYSYNC_ERR_MALFORMED, "the method is not POST")),
            _ => Some(Failure::new(POLICYSYNC_ERR_MALFORMED, "the content type is another one")),
        };
        Ok(Answer { status: answer.status.into(), body: answer.body, refused })
    }
}

#[cfg(not(feature = "http"))]
impl Request<'_> {
    fn answer(&self, _: &policysync_responder, _: &policysync_replica, _: u64) -> Result<Answer, Failure> {
        Err(no_http())
    }
}

#[cfg(feature = "http")]
fn make(
    call: &Call,
    url: &str,
    options: *const policysync_client_options,
) -> Result<policysync_http_client, Failure> {
    let options = crate::ffi::net::client::Options::take(call, options)?.http();
    let client = crate::HttpClient::new(url, options)?;
    Ok(policysync_http_client { client })
}

#[cfg(not(feature = "http"))]
fn make(_: &Call, _: &str, _: *const policysync_client_options) -> Result<policysync_http_client, Failure> {
    Err(no_http())
}

#[cfg(feature = "http")]
impl policysync_http_client {
    fn sync(
        &self,
        session: &policysync_session,
        replica: &policysync_replica,
        now_ms: u64,
    ) -> Result<(), Failure> {
        self.client.run(&mut LockedSession { session, replica, now_ms }, session.limit())
    }

    fn exchange(&self, message: &[u8], max_bytes: usize) -> Result<Vec<u8>, Failure> {
        Ok(self.client.exchange(message, max_bytes, || std::ops::ControlFlow::Continue(()))?)
    }
}

#[cfg(not(feature = "http"))]
#[expect(clippy::unused_self, reason = "as with HTTP")]
impl policysync_http_client {
    fn sync(&self, _: &policysync_session, _: &policysync_replica, _: u64) -> Result<(), Failure> {
        Err(no_http())
    }

    fn exchange(&self, _: &[u8], _: usize) -> Result<Vec<u8>, Failure> {
        Err(no_http())
    }
}

/// A session and its replica, which are locked only between two requests.
#[cfg(feature = "http")]
struct LockedSession<'s> {
    session: &'s policysync_session,
    replica: &'s policysync_replica,
    now_ms: u64,
}

#[cfg(feature = "http")]
impl crate::transport::LocalSession for LockedSession<'_> {
    type Error = Failure;

    fn next_message(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let replica = self.replica.enter()?;
        Ok(self.session.enter()?.inside.next_message(&replica.inside.replica)?)
    }

    fn is_cancelled(&mut self) -> Result<bool, Failure> {
        Ok(self.session.enter()?.inside.result().is_some())
    }

    fn message_too_large(&mut self) -> Result<bool, Failure> {
        Ok(self.session.enter()?.inside.message_too_large())
    }

    fn receive(&mut self, answer: &[u8]) -> Result<crate::transport::Received, Failure> {
        use crate::transport::Received;

        self.replica.change(self.now_ms, |replica, now| {
            let mut session = self.session.enter()?;
            // Another thread has cancelled the session meanwhile.
            if session.inside.result().is_some() {
                return Ok(Received::Cancelled);
            }
            match session.inside.receive(replica, now, answer) {
                Ok(_) => Ok(Received::Answer),
                Err(crate::SyncError::Stray) => Ok(Received::Stray),
                Err(error) => Err(error.into()),
            }
        })
    }
}

#[cfg(not(feature = "http"))]
fn no_http() -> Failure {
    crate::ffi::net::client::unsupported("HTTP needs", "http")
}
