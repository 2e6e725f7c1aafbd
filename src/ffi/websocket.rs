//! Synchronisation over a WebSocket to a server: a line that stays open.

use std::ffi::c_char;
use std::mem::MaybeUninit;
#[cfg(feature = "websocket")]
use std::sync::Arc;

use super::boundary::{Call, guarded, guarded_or};
use super::client::policysync_client_options;
use super::error::{Failure, policysync_error};
use super::replica::policysync_replica;
use super::session::{policysync_finish, policysync_progress, write_finish};
use super::status::policysync_status;
use super::status::policysync_status_code::{self, *};
use super::sync::{policysync_sync_base, policysync_sync_options};
use crate::SyncOptions;
use crate::transport::LineInitiator;

/// A WebSocket to a server: runs a session, and then sends what is written here as it is written, and takes in what
/// arrives there. It starts no thread: call `policysync_websocket_client_wait` and `policysync_websocket_client_work`
/// in turn, in a thread of your own. When the line ends, make a new one, a little later each time; its first session
/// finds what was on its way. One thread at a time: a call while another is running gives `POLICYSYNC_ERR_BUSY`.
pub struct policysync_websocket_client {
    #[cfg(feature = "websocket")]
    shared: super::shared::Shared<Client>,
}

#[cfg(feature = "websocket")]
type Client = crate::WebSocketClient<crate::transport::NetStream>;

/// Connects to the server at a URL. Each step but the look-up of the name takes no longer than `connect_timeout_ms`.
///
/// `url`, `url_len`: `ws://…`, or `wss://…` in a library built with the feature `tls`. Borrowed for the call.
/// `options`: NULL for defaults. Borrowed for the call.
/// `sync`: how its sessions are run; NULL for defaults. Borrowed for the call.
/// `out`: the line, to be freed with `policysync_websocket_client_free`; NULL when the call fails.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_HOST`, `POLICYSYNC_ERR_CONNECTION`, `POLICYSYNC_ERR_TIMEOUT`,
/// `POLICYSYNC_ERR_UNAVAILABLE`, `POLICYSYNC_ERR_HTTP_STATUS`, `POLICYSYNC_ERR_UNAUTHORIZED`, `POLICYSYNC_ERR_TLS`,
/// `POLICYSYNC_ERR_NOT_A_SERVER`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (the URL, a header, the token, a
/// certificate), `POLICYSYNC_ERR_VERSION`, `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `websocket`, or for
/// `wss`, `trusted` or `POLICYSYNC_TRUST_NO_OTHERS` without `tls`), `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`.
/// Any thread. Since ABI 1.
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
        out.write(connect(call, url, options, sync)?);
        Ok(POLICYSYNC_OK)
    })
}

/// Waits for a message; where nothing comes, for as long as `wait_ms` of the options says, and at most so long again
/// for what is stuck on its way out. A server that sends or takes a byte now and then can draw this out to 50 times
/// `wait_ms`, over TLS to 250 times. It holds no replica meanwhile. Then call `policysync_websocket_client_work`,
/// whatever came of it.
///
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW` for the machine's clock: by it the silence of the server is
/// measured, from the first call on. Let it be the same clock each time, also for `policysync_websocket_client_work`:
/// one that is set back by an hour ends a line for silence or slowness up to an hour late.
/// `err`: may be NULL. After a failure but `POLICYSYNC_ERR_BUSY` and `POLICYSYNC_ERR_NULL` the line is over.
///
/// Returns `POLICYSYNC_OK` (a message is here), `POLICYSYNC_NOT_FOUND` (nothing came), `POLICYSYNC_DONE` (the line is
/// closed), `POLICYSYNC_ERR_CONNECTION`, `POLICYSYNC_ERR_TIMEOUT` (nothing was heard for `silence_ms`, or the server
/// has taken no message for `stall_ms`), `POLICYSYNC_ERR_TLS`, `POLICYSYNC_ERR_NOT_A_SERVER`, `POLICYSYNC_ERR_LIMIT`,
/// `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `websocket`), `POLICYSYNC_ERR_BUSY`
/// or `POLICYSYNC_ERR_PANIC`. One thread at a time. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_websocket_client_wait(
    line: MaybeUninit<&mut policysync_websocket_client>,
    now_ms: u64,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| call.shared(line, "line")?.wait(now_ms))
}

/// Takes in the message that has arrived, if one has; then sends what there is to say: the next message of the session,
/// or operations that were written since. The replica is held only while a message is taken in or made, not while one
/// is sent.
///
/// `replica`: the same for all of a line.
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW` for the replica's clock; by the machine's it is then
/// measured how long a message is stuck on its way out.
/// `err`: may be NULL. After a failure but `POLICYSYNC_ERR_BUSY` and `POLICYSYNC_ERR_NULL` the line is over; what was
/// admitted stays.
///
/// Returns `POLICYSYNC_OK` (a message was taken in), `POLICYSYNC_NOT_FOUND` (none was there), what
/// `policysync_websocket_client_wait` and `policysync_line_caller_receive` return where they fail,
/// `POLICYSYNC_ERR_CONNECTION` for a line that is closed, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or
/// `POLICYSYNC_ERR_PANIC`. One thread at a time. Since ABI 1.
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

/// How far the session of the line is, or how far the last one came. Its `state` is that of the last session that
/// ended.
///
/// `progress`: its `struct_size` is set by the caller.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION` (`struct_size` is too small),
/// `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `websocket`), `POLICYSYNC_ERR_BUSY` or
/// `POLICYSYNC_ERR_PANIC`. One thread at a time. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_websocket_client_progress(
    line: MaybeUninit<&mut policysync_websocket_client>,
    progress: MaybeUninit<&mut policysync_progress>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let line = call.shared(line, "line")?;
        let out = call.growing_out(progress, "progress")?;
        line.look(|caller| {
            out.write(policysync_progress::of_line(caller));
            POLICYSYNC_OK
        })
    })
}

/// How the last session of the line ended.
///
/// `finish`: its `struct_size` is set by the caller. As it was unless the call returns `POLICYSYNC_OK`.
/// `base`: what the next line to the same server may leave out, to be freed with `policysync_sync_base_free`; NULL
/// where there is nothing. NULL for the parameter if it is not wanted.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (none has ended), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION`
/// (`struct_size` is too small), `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `websocket`),
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. One thread at a time. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_websocket_client_finish(
    line: MaybeUninit<&mut policysync_websocket_client>,
    finish: MaybeUninit<&mut policysync_finish>,
    base: *mut *mut policysync_sync_base,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let base = call.optional_handle_out(base);
        let line = call.shared(line, "line")?;
        let out = call.growing_out(finish, "finish")?;
        line.look(|caller| write_finish(caller.finish(), out, base))
    })
}

/// Whether what is written here is sent as it is written: the last session has converged.
///
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK` (it is), `POLICYSYNC_NOT_FOUND` (not yet, or not any more), `POLICYSYNC_ERR_NULL`,
/// `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `websocket`), `POLICYSYNC_ERR_BUSY` or
/// `POLICYSYNC_ERR_PANIC`. One thread at a time. Since ABI 1.
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

/// Ends the line, and tells the server. What is not sent yet is sent by the next line.
///
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature
/// `websocket`), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. One thread at a time. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_websocket_client_close(
    line: MaybeUninit<&mut policysync_websocket_client>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| call.shared(line, "line")?.close())
}

/// Frees a line; one that is not closed breaks. NULL is allowed. Any thread, while no other begins a call with `line`;
/// even within a callback. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_websocket_client_free(line: *mut policysync_websocket_client) {
    guarded_or((), |call| {
        call.release(line);
        None
    });
}

#[cfg(feature = "websocket")]
fn connect(
    call: &Call,
    url: &str,
    options: *const policysync_client_options,
    sync: SyncOptions,
) -> Result<*mut policysync_websocket_client, Failure> {
    let options = super::client::Options::take(call, options)?.websocket(sync);
    let seed = super::random::random()?;
    let client = Client::connect(url, options, seed, crate::system_wall_clock)?;
    let shared = super::shared::Shared::new("line", client);
    Ok(Arc::into_raw(Arc::new(policysync_websocket_client { shared })).cast_mut())
}

#[cfg(feature = "websocket")]
impl policysync_websocket_client {
    fn wait(&self, now_ms: u64) -> Result<policysync_status_code, Failure> {
        let now = super::clock::now(now_ms, None)?;
        Ok(match self.shared.try_enter()?.inside.wait(now)? {
            crate::transport::WaitResult::Message => POLICYSYNC_OK,
            crate::transport::WaitResult::Nothing => POLICYSYNC_NOT_FOUND,
            crate::transport::WaitResult::Closed => POLICYSYNC_DONE,
        })
    }

    /// The replica is held only between what is sent.
    fn work(&self, replica: &policysync_replica, now_ms: u64) -> Result<policysync_status_code, Failure> {
        let mut line = self.shared.try_enter()?;
        let now = replica.enter()?.now(now_ms)?;
        let heard = line.inside.take_message(|caller, message| {
            replica.change(now.0, |replica, now| Ok(caller.receive(replica, now, message)?)).map(drop)
        })?;
        // What is sent is timed by the clock of `wait`, not by the replica's.
        let sent = super::clock::now(now_ms, None)?;
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
) -> Result<*mut policysync_websocket_client, Failure> {
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
    super::client::unsupported("a WebSocket needs", "websocket")
}
