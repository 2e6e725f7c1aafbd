//! The client of WebSocket.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use crate::SyncOptions;
use crate::ffi::glue::boundary::{Call, free_shared, guarded};
use crate::ffi::glue::error::{Failure, policysync_error};
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::{self, POLICYSYNC_NOT_FOUND, POLICYSYNC_OK};
use crate::ffi::net::client::policysync_client_options;
use crate::ffi::replica::handle::policysync_replica;
use crate::ffi::sync::options::policysync_sync_options;
use crate::ffi::sync::resume::policysync_resume;
use crate::ffi::sync::session::{policysync_progress, policysync_sync_result, write_result};
use crate::transport::LineInitiator;

/// A WebSocket to a server. It runs a session, then sends operations as they are written and ingests those that arrive.
/// It starts no thread: call `policysync_websocket_client_wait` and `policysync_websocket_client_work` in turn, in a
/// thread of your own. When the line ends, connect again, with a growing delay; the first session of the new line finds
/// what was lost. One thread at a time: a call while another is running returns `POLICYSYNC_ERR_BUSY`.
pub struct policysync_websocket_client {
    #[cfg(feature = "websocket")]
    shared: crate::ffi::glue::shared::Shared<Client>,
}

#[cfg(feature = "websocket")]
type Client = crate::WebSocketClient<crate::transport::NetStream>;

/// Connects to the server at a URL. Each step but the look-up of the name takes at most `connect_timeout_ms`.
///
/// `url`, `url_len`: `ws://…`, or with the feature `tls` `wss://…`.
/// `options`: NULL for the defaults.
/// `sync`: the options of its sessions; NULL for the defaults.
/// `out`: the line, to be freed with `policysync_websocket_client_free`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_HOST`, `POLICYSYNC_ERR_CONNECTION`, `POLICYSYNC_ERR_TIMEOUT`,
/// `POLICYSYNC_ERR_UNAVAILABLE`, `POLICYSYNC_ERR_HTTP_STATUS`, `POLICYSYNC_ERR_UNAUTHORIZED`, `POLICYSYNC_ERR_TLS`,
/// `POLICYSYNC_ERR_NOT_A_SERVER`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (the URL, a header, the token, a
/// certificate), `POLICYSYNC_ERR_VERSION`, `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `websocket`, or for
/// `wss`, `trusted` or `POLICYSYNC_TRUST_NO_OTHERS` without `tls`), `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_websocket_client_connect(
    url: *const c_char,
    url_len: usize,
    options: *const policysync_client_options,
    sync: *const policysync_sync_options,
    out: MaybeUninit<&mut *mut policysync_websocket_client>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.handle_out(out, "out")?;
        let url = call.text(url, url_len, "url")?;
        let sync = policysync_sync_options::take(call, sync)?;
        out.write_shared(connect(call, url, options, sync)?);
        Ok(POLICYSYNC_OK)
    })
}

/// Waits for a message, at most for `wait_ms` of the options, and once more as long for a message whose sending is
/// stalled. A server that sends or reads a byte now and then can extend this to 50 times `wait_ms`, over TLS to 250
/// times. The replica is not used meanwhile. Then call `policysync_websocket_client_work`, whatever the result.
///
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW` for the machine's clock. The silence of the server is
/// measured with it from the first call on. Use the same clock in each call, also for
/// `policysync_websocket_client_work`: one that is set back by an hour ends a silent or slow line up to an hour late.
///
/// After a failure other than `POLICYSYNC_ERR_BUSY` and `POLICYSYNC_ERR_NULL` the line has ended.
///
/// Returns `POLICYSYNC_OK` (a message has arrived), `POLICYSYNC_NOT_FOUND` (none has), `POLICYSYNC_DONE` (the line is
/// closed), `POLICYSYNC_ERR_CONNECTION`, `POLICYSYNC_ERR_TIMEOUT` (no sign of the server for `silence_ms`, or it has
/// read no message for `stall_ms`), `POLICYSYNC_ERR_TLS`, `POLICYSYNC_ERR_NOT_A_SERVER`, `POLICYSYNC_ERR_LIMIT`,
/// `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `websocket`), `POLICYSYNC_ERR_BUSY`
/// or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_websocket_client_wait(
    line: MaybeUninit<&mut policysync_websocket_client>,
    now_ms: u64,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| call.shared(line, "line")?.wait(now_ms))
}

/// Processes the message that has arrived, if any, then sends what is pending: the next message of the session, or
/// operations that were written since. The replica is locked only while a message is processed or made, not while one
/// is sent.
///
/// `replica`: the same for all of a line.
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW` for the replica's clock; the stall of a message is then
/// measured with the machine's clock.
///
/// After a failure other than `POLICYSYNC_ERR_BUSY` and `POLICYSYNC_ERR_NULL` the line has ended; admitted operations
/// stay.
///
/// Returns `POLICYSYNC_OK` (a message was processed), `POLICYSYNC_NOT_FOUND` (none had arrived), the failures of
/// `policysync_websocket_client_wait` and `policysync_line_initiator_receive`, `POLICYSYNC_ERR_CONNECTION` for a line
/// that is closed, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_websocket_client_work(
    line: MaybeUninit<&mut policysync_websocket_client>,
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let line = call.shared(line, "line")?;
        let replica = call.shared(replica, "replica")?;
        line.work(&replica, now_ms)
    })
}

/// Returns the progress of the current session of the line, or of the last one. Its `state` is that of the last session
/// that ended.
///
/// `progress`: the progress.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION` (`struct_size` is too small),
/// `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `websocket`), `POLICYSYNC_ERR_BUSY` or
/// `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_websocket_client_progress(
    line: MaybeUninit<&mut policysync_websocket_client>,
    progress: MaybeUninit<&mut policysync_progress>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let line = call.shared(line, "line")?;
        let out = call.growing_out(progress)?;
        line.look(|caller| {
            out.write(policysync_progress::of_line(caller));
            POLICYSYNC_OK
        })
    })
}

/// Returns the result of the last session of the line.
///
/// `result`: the result. Unchanged unless the call returns `POLICYSYNC_OK`.
/// `resume`: the resumption data for the next line to the same server, to be freed with `policysync_resume_free`; NULL
/// if there is none. NULL for the parameter if it is not wanted.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (none has ended), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION`
/// (`struct_size` is too small), `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `websocket`),
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_websocket_client_result(
    line: MaybeUninit<&mut policysync_websocket_client>,
    result: MaybeUninit<&mut policysync_sync_result>,
    resume: *mut *mut policysync_resume,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let resume = call.optional_handle_out(resume);
        let line = call.shared(line, "line")?;
        let out = call.growing_out(result)?;
        line.look(|caller| write_result(caller.result(), out, resume))
    })
}

/// Returns `POLICYSYNC_OK` if operations are sent as they are written: the last session has converged.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (not yet, or no longer), `POLICYSYNC_ERR_NULL`,
/// `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `websocket`), `POLICYSYNC_ERR_BUSY` or
/// `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_websocket_client_is_pushing(
    line: MaybeUninit<&mut policysync_websocket_client>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let line = call.shared(line, "line")?;
        line.look(|caller| if caller.is_pushing() { POLICYSYNC_OK } else { POLICYSYNC_NOT_FOUND })
    })
}

/// Closes the line and notifies the server. Operations that are not sent yet are sent over the next line.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature
/// `websocket`), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_websocket_client_close(
    line: MaybeUninit<&mut policysync_websocket_client>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| call.shared(line, "line")?.close())
}

/// Frees a line. One that is not closed breaks. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_websocket_client_free(line: *mut policysync_websocket_client) {
    free_shared(line);
}

#[cfg(feature = "websocket")]
fn connect(
    call: &Call,
    url: &str,
    options: *const policysync_client_options,
    sync: SyncOptions,
) -> Result<policysync_websocket_client, Failure> {
    let options = crate::ffi::net::client::Options::take(call, options)?.websocket(sync);
    let client = Client::connect(url, options, crate::system_wall_clock)?;
    let shared = crate::ffi::glue::shared::Shared::new("line", client);
    Ok(policysync_websocket_client { shared })
}

#[cfg(feature = "websocket")]
impl policysync_websocket_client {
    fn wait(&self, now_ms: u64) -> Result<policysync_status_code, Failure> {
        let now = crate::ffi::types::hlc::now_or_system(now_ms);
        Ok(match self.shared.try_enter()?.inside.wait(now)? {
            crate::transport::WaitResult::Message => POLICYSYNC_OK,
            crate::transport::WaitResult::Nothing => POLICYSYNC_NOT_FOUND,
            crate::transport::WaitResult::Closed => policysync_status_code::POLICYSYNC_DONE,
        })
    }

    /// Locks the replica only while a message is processed or made.
    fn work(&self, replica: &policysync_replica, now_ms: u64) -> Result<policysync_status_code, Failure> {
        let mut line = self.shared.try_enter()?;
        let now = replica.enter()?.now(now_ms)?;
        let heard = line.inside.take_message(|caller, message| {
            replica.change(now.0, |replica, now| Ok(caller.receive(replica, now, message)?)).map(drop)
        })?;
        // Sending is timed with the clock of `wait`, not with the replica's.
        let sent = crate::ffi::types::hlc::now_or_system(now_ms);
        line.inside.send_messages(sent, |caller| -> Result<_, Failure> {
            let replica = replica.enter()?;
            Ok(caller.next_message(&replica.inside.replica, now)?)
        })?;
        Ok(if heard.is_some() { POLICYSYNC_OK } else { POLICYSYNC_NOT_FOUND })
    }

    fn look(
        &self,
        look: impl FnOnce(&LineInitiator) -> policysync_status_code,
    ) -> Result<policysync_status_code, Failure> {
        Ok(look(self.shared.try_enter()?.inside.line()))
    }

    fn close(&self) -> Result<policysync_status_code, Failure> {
        self.shared.try_enter()?.inside.close();
        Ok(POLICYSYNC_OK)
    }
}

#[cfg(not(feature = "websocket"))]
fn connect(
    _: &Call,
    _: &str,
    _: *const policysync_client_options,
    _: SyncOptions,
) -> Result<policysync_websocket_client, Failure> {
    Err(no_websocket())
}

#[cfg(not(feature = "websocket"))]
#[expect(clippy::unused_self, reason = "as with WebSocket")]
impl policysync_websocket_client {
    fn wait(&self, _: u64) -> Result<policysync_status_code, Failure> {
        Err(no_websocket())
    }

    fn work(&self, _: &policysync_replica, _: u64) -> Result<policysync_status_code, Failure> {
        Err(no_websocket())
    }

    fn look(
        &self,
        _: impl FnOnce(&LineInitiator) -> policysync_status_code,
    ) -> Result<policysync_status_code, Failure> {
        Err(no_websocket())
    }

    fn close(&self) -> Result<policysync_status_code, Failure> {
        Err(no_websocket())
    }
}

#[cfg(not(feature = "websocket"))]
fn no_websocket() -> Failure {
    crate::ffi::net::client::unsupported("a WebSocket needs", "websocket")
}
