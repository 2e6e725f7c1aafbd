//! Synchronisation over HTTP: a client, and the answer to a request in any server.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
#[cfg(feature = "http")]
use std::sync::Arc;

use super::boundary::{Call, guarded, guarded_or};
use super::buffer::policysync_buffer;
use super::client::policysync_client_options;
use super::error::{Failure, policysync_error};
use super::replica::policysync_replica;
use super::responder::policysync_responder;
use super::session::policysync_session;
use super::status::policysync_status;
use super::status::policysync_status_code::POLICYSYNC_OK;

/// Synchronises with a server over HTTP: each message is a POST to one URL. It follows no redirects, keeps no cookies,
/// takes no proxy from the environment, and keeps its connection for the next request. To look up a name it starts a
/// thread, which ends when the system answers. Any thread may use it, several at once too.
pub struct policysync_http_client {
    #[cfg(feature = "http")]
    client: crate::HttpClient,
}

/// Makes a client of the server at a URL. Nothing is sent yet.
///
/// `url`, `url_len`: `http://…`, or `https://…` in a library built with the feature `tls`. Borrowed for the call.
/// `options`: NULL for defaults. Borrowed for the call.
/// `out`: the client, to be freed with `policysync_http_client_free`; NULL when the call fails.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (the URL, a header, the token, a
/// certificate), `POLICYSYNC_ERR_VERSION`, `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `http`, or for
/// `https`, `trusted` or `POLICYSYNC_TRUST_NO_OTHERS` without `tls`), `POLICYSYNC_ERR_TLS` or `POLICYSYNC_ERR_PANIC`.
/// Any thread. Since ABI 1.
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
        out.write(make(call, url, options)?);
        Ok(POLICYSYNC_OK)
    })
}

/// Runs a session with the server to its end; `policysync_session_finish` says how it ended. The call waits for the
/// network, each request for as long as the client's options say. While it waits, no lock is held: other threads may
/// use the replica, look at `policysync_session_progress`, and end the session with `policysync_session_cancel`, which
/// takes effect when the answer is there or has been given up.
///
/// `session`: one that has not begun. When the network fails it stays unfinished: begin a new one, which goes on from
/// what was admitted.
/// `replica`: the same for all of a session.
/// `now_ms`: the time at which operations arrive: milliseconds since 1970, or, as is usual, `POLICYSYNC_NOW`.
/// `err`: may be NULL. What was admitted stays, whatever happens.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_HOST`, `POLICYSYNC_ERR_CONNECTION`, `POLICYSYNC_ERR_TIMEOUT`,
/// `POLICYSYNC_ERR_UNAVAILABLE`, `POLICYSYNC_ERR_HTTP_STATUS`, `POLICYSYNC_ERR_UNAUTHORIZED`, `POLICYSYNC_ERR_TLS`,
/// `POLICYSYNC_ERR_NOT_A_SERVER`, `POLICYSYNC_ERR_LIMIT` (the answer is too long), `POLICYSYNC_ERR_UNSUPPORTED` (built
/// without the feature `http`), or what `policysync_session_next_message` and `policysync_session_receive` return,
/// `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` and `POLICYSYNC_ERR_PANIC` among them. Any thread. Since ABI 1.
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

/// Carries one message to the server, and gives its answer: for those who run a session themselves, to show its
/// progress from the same thread, for example. A refusal by the server is an answer too.
///
/// `message`, `message_len`: the message, whole. Borrowed for the call.
/// `max_bytes`: bytes of the longest answer that is taken: `max_message_bytes` of the session's options; 0 for its
/// default.
/// `out`: the answer. As it was unless the call returns `POLICYSYNC_OK`.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_HOST`, `POLICYSYNC_ERR_CONNECTION`, `POLICYSYNC_ERR_TIMEOUT`,
/// `POLICYSYNC_ERR_UNAVAILABLE`, `POLICYSYNC_ERR_HTTP_STATUS`, `POLICYSYNC_ERR_UNAUTHORIZED`, `POLICYSYNC_ERR_TLS`,
/// `POLICYSYNC_ERR_NOT_A_SERVER`, `POLICYSYNC_ERR_LIMIT` (the answer is too long), `POLICYSYNC_ERR_NULL`,
/// `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `http`) or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
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
        let max_bytes = if max_bytes == 0 { crate::sync::MIN_MESSAGE_BYTES } else { max_bytes };
        out.fill(&client.exchange(message, max_bytes)?);
        Ok(POLICYSYNC_OK)
    })
}

/// Frees a client and closes its connections. NULL is allowed. Any thread, while no other begins a call with `client`;
/// one that has begun ends as if nothing had happened. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_http_client_free(client: *mut policysync_http_client) {
    guarded_or((), |call| {
        call.release(client);
        None
    });
}

/// What a server answers to a request. It mounts into any server: who may call, time-outs and the length of bodies are
/// the server's business, which should refuse a body over `max_message_bytes` of the responder's options with status
/// 413 before it reads it. The answer's content type is `POLICYSYNC_HTTP_CONTENT_TYPE`, whatever its status.
///
/// `responder`: answers the sessions.
/// `replica`: whose operations it answers with.
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `method`, `method_len`: the request's method, as in `POST`.
/// `content_type`, `content_type_len`: the request's header `Content-Type`; NULL and 0 where there is none.
/// `body`, `body_len`: the request's body, whole. Like the others borrowed for the call.
/// `http_status`: the status to answer with: 200, or 400 for what is no message, 403 for another space, 405 for another
/// method, 410 for a session that is no longer known, 413 for too long a message, 415 for another content type, 503
/// where this side failed.
/// `out`: the body to answer with.
/// `refused`: where the status is not 200, why, for the server's own log; as it was otherwise. Its `struct_size` is set
/// by the caller. NULL if it is not wanted.
/// `err`: may be NULL. On a failure answer 503, with what `policysync_sync_refusal` gives. Operations of a request that
/// is refused with 400 or 503 may be in the log already.
///
/// Returns `POLICYSYNC_OK` (**also where the request is refused**), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_CALLBACK`
/// (the guard or the clock), `POLICYSYNC_ERR_BUSY`, `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `http`) or
/// `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
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
            call.tell(&reason, refused);
        }
        Ok(POLICYSYNC_OK)
    })
}

/// A request, in whatever bytes the server has read.
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
        use super::status::policysync_status_code::POLICYSYNC_ERR_MALFORMED;

        // What is not even text is neither ours.
        let request = crate::transport::HttpRequest {
            method: std::str::from_utf8(self.method).unwrap_or_default(),
            content_type: std::str::from_utf8(self.content_type).ok(),
            body: self.body,
        };
        let answer = replica.change(now_ms, |replica, now| {
            Ok(crate::answer_http(&mut responder.enter()?.inside, replica, now, &request))
        })?;
        let refused = match (answer.status, answer.error) {
            (200, _) => None,
            (_, Some(error)) => Some(error.into()),
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
) -> Result<*mut policysync_http_client, Failure> {
    let options = super::client::Options::take(call, options)?.http();
    let client = crate::HttpClient::new(url, options)?;
    Ok(Arc::into_raw(Arc::new(policysync_http_client { client })).cast_mut())
}

#[cfg(not(feature = "http"))]
fn make(
    _: &Call,
    _: &str,
    _: *const policysync_client_options,
) -> Result<*mut policysync_http_client, Failure> {
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
        self.client.run(&mut Side { session, replica, now_ms }, session.limit())
    }

    fn exchange(&self, message: &[u8], max_bytes: usize) -> Result<Vec<u8>, Failure> {
        Ok(self.client.exchange(message, max_bytes)?)
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

/// A session and its replica, which are held only between two requests.
#[cfg(feature = "http")]
struct Side<'s> {
    session: &'s policysync_session,
    replica: &'s policysync_replica,
    now_ms: u64,
}

#[cfg(feature = "http")]
impl crate::transport::Side for Side<'_> {
    type Error = Failure;

    fn next_message(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let replica = self.replica.enter()?;
        Ok(self.session.enter()?.inside.next_message(&replica.inside.replica)?)
    }

    fn receive(&mut self, answer: &[u8]) -> Result<crate::transport::Taken, Failure> {
        use crate::transport::Taken;

        self.replica.change(self.now_ms, |replica, now| {
            let mut session = self.session.enter()?;
            // Cancelled by another thread meanwhile.
            if session.inside.result().is_some() {
                return Ok(Taken::Over);
            }
            match session.inside.receive(replica, now, answer) {
                Ok(_) => Ok(Taken::Whole),
                Err(crate::SyncError::Stray) => Ok(Taken::Stray),
                Err(error) => Err(error.into()),
            }
        })
    }
}

#[cfg(not(feature = "http"))]
fn no_http() -> Failure {
    super::client::unsupported("HTTP needs", "http")
}
