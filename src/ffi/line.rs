//! A line that stays open, over anything that carries messages: a WebSocket of another library, a serial line.

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::Arc;

use super::boundary::{guarded, guarded_or};
use super::buffer::policysync_buffer;
use super::error::{Failure, policysync_error};
use super::random::random;
use super::replica::policysync_replica;
use super::responder::policysync_responder;
use super::session::{policysync_finish, policysync_progress, write_finish};
use super::shared::{Entered, Shared};
use super::status::policysync_status;
use super::status::policysync_status_code::*;
use super::sync::{policysync_sync_base, policysync_sync_options};
use crate::transport::{LineInitiator, LineResponder};

/// The side of a line that calls: runs a session, and when that has converged, says what is written here as it is
/// written, and takes in what the other side says. The application carries the messages, whole and in order. A session
/// that does not converge is run again when something was written here, and once in a minute. Any thread may use it;
/// calls from several threads wait for each other.
pub struct policysync_line_caller {
    shared: Shared<LineInitiator>,
}

/// The side of a line that was called, one for each line: answers sessions, and then says what arrives here. The
/// application carries the messages, whole and in order. Any thread may use it; calls from several threads wait for
/// each other.
pub struct policysync_line_answerer {
    shared: Shared<LineResponder>,
}

/// Makes the calling side of a line on which nothing has been said.
///
/// `options`: how its sessions are run; NULL for defaults. Borrowed for the call.
/// `seed32`: 32 random bytes, new for each line, which nobody else may know. NULL, as is usual, for the library to take
/// them from the system.
/// `out`: the side, to be freed with `policysync_line_caller_free`; NULL when the call fails.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION`,
/// `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_line_caller_new(
    options: *const policysync_sync_options,
    seed32: *const u8,
    out: MaybeUninit<&mut *mut policysync_line_caller>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.handle_out(out, "out")?;
        let options = policysync_sync_options::take(call, options)?;
        let seed = match call.optional_bytes(seed32) {
            Some(seed) => *seed,
            None => random()?,
        };
        let shared = Shared::new("line", LineInitiator::new(options, seed));
        out.write(Arc::into_raw(Arc::new(policysync_line_caller { shared })).cast_mut());
        Ok(POLICYSYNC_OK)
    })
}

/// The next message for the other side. Send it before the next is asked for: the log is the queue, so a slow line
/// costs no memory.
///
/// `replica`: the same for all of a line.
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `out`: the message. As it was unless the call returns `POLICYSYNC_OK`.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (there is nothing to say now; ask again when a message has come,
/// when something was written, and at least once in a minute: a session that has not converged is run again then),
/// `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY`, `POLICYSYNC_ERR_CALLBACK` (the clock), and these, after which the line
/// should be closed: `POLICYSYNC_ERR_ENDED`, `POLICYSYNC_ERR_OTHER_REPLICA`, a store failure or `POLICYSYNC_ERR_PANIC`.
/// Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_line_caller_next_message(
    caller: MaybeUninit<&mut policysync_line_caller>,
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let caller = call.shared(caller, "caller")?;
        let replica = call.shared(replica, "replica")?;
        let out = call.buffer(out)?;
        let message = {
            let replica = replica.enter()?;
            let now = replica.now(now_ms)?;
            caller.enter()?.inside.next_message(&replica.inside.replica, now)?
        };
        Ok(match message {
            Some(message) => {
                out.fill(&message);
                POLICYSYNC_OK
            }
            None => POLICYSYNC_DONE,
        })
    })
}

/// Takes a message of the other side: operations in it are offered to the replica, in one batch. Then ask for the next
/// message.
///
/// `replica`: the same for all of a line.
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `message`, `message_len`: the message, whole. Borrowed for the call.
/// `err`: may be NULL. After a failure the line should be closed; what was admitted before stays.
///
/// Returns `POLICYSYNC_OK`, or what `policysync_session_receive` does, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` and
/// `POLICYSYNC_ERR_PANIC` among them. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_line_caller_receive(
    caller: MaybeUninit<&mut policysync_line_caller>,
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    message: *const c_void,
    message_len: usize,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let caller = call.shared(caller, "caller")?;
        let replica = call.shared(replica, "replica")?;
        let message = call.bytes(message, message_len, "message")?;
        replica.change(now_ms, |replica, now| {
            caller.enter()?.inside.receive(replica, now, message)?;
            Ok(POLICYSYNC_OK)
        })
    })
}

/// How far the session of the line is, or how far the last one came. Its `state` is that of the last session that
/// ended.
///
/// `progress`: its `struct_size` is set by the caller.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION` (`struct_size` is too small),
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_line_caller_progress(
    caller: MaybeUninit<&mut policysync_line_caller>,
    progress: MaybeUninit<&mut policysync_progress>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let caller = call.shared(caller, "caller")?;
        let out = call.growing_out(progress, "progress")?;
        let caller = caller.enter()?;
        out.write(policysync_progress::of_line(&caller.inside));
        Ok(POLICYSYNC_OK)
    })
}

/// How the last session of the line ended.
///
/// `finish`: its `struct_size` is set by the caller. As it was unless the call returns `POLICYSYNC_OK`.
/// `base`: what the next line to the same peer may leave out, to be freed with `policysync_sync_base_free`; NULL where
/// there is nothing. NULL for the parameter if it is not wanted.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (none has ended), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION`
/// (`struct_size` is too small), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_line_caller_finish(
    caller: MaybeUninit<&mut policysync_line_caller>,
    finish: MaybeUninit<&mut policysync_finish>,
    base: *mut *mut policysync_sync_base,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let base = call.optional_handle_out(base);
        let caller = call.shared(caller, "caller")?;
        let out = call.growing_out(finish, "finish")?;
        let caller = caller.enter()?;
        Ok(write_finish(caller.inside.finish(), out, base))
    })
}

/// Whether what is written here is said as it is written: the last session has converged.
///
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK` (it is), `POLICYSYNC_NOT_FOUND` (not yet, or not any more), `POLICYSYNC_ERR_NULL`,
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_line_caller_is_pushing(
    caller: MaybeUninit<&mut policysync_line_caller>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let caller = call.shared(caller, "caller")?;
        let pushing = caller.enter()?.inside.is_pushing();
        Ok(if pushing { POLICYSYNC_OK } else { POLICYSYNC_NOT_FOUND })
    })
}

/// Frees the calling side of a line. NULL is allowed. Any thread, while no other begins a call with `caller`; even
/// within a callback. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_line_caller_free(caller: *mut policysync_line_caller) {
    guarded_or((), |call| {
        call.release(caller);
        None
    });
}

/// Makes the answering side of a line on which nothing has been said.
///
/// `out`: the side, to be freed with `policysync_line_answerer_free`; NULL when the call fails.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_line_answerer_new(
    out: MaybeUninit<&mut *mut policysync_line_answerer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.handle_out(out, "out")?;
        let shared = Shared::new("line", LineResponder::new());
        out.write(Arc::into_raw(Arc::new(policysync_line_answerer { shared })).cast_mut());
        Ok(POLICYSYNC_OK)
    })
}

/// Takes a message of the caller, and gives the answer, if it wants one. Then ask for the next message.
///
/// `responder`: answers the sessions; one for all lines.
/// `replica`: the same for all of a line.
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `message`, `message_len`: the message, whole. Borrowed for the call.
/// `out`: the answer. As it was unless the call returns `POLICYSYNC_OK`.
/// `err`: may be NULL. After a failure send what `policysync_sync_refusal` gives, and close the line.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (nothing is to be answered), `POLICYSYNC_ERR_OUT_OF_TURN`, or what
/// `policysync_responder_respond` does, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` and `POLICYSYNC_ERR_PANIC` among
/// them. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_line_answerer_receive(
    answerer: MaybeUninit<&mut policysync_line_answerer>,
    responder: MaybeUninit<&mut policysync_responder>,
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    message: *const c_void,
    message_len: usize,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let answerer = call.shared(answerer, "answerer")?;
        let responder = call.shared(responder, "responder")?;
        let replica = call.shared(replica, "replica")?;
        let message = call.bytes(message, message_len, "message")?;
        let out = call.buffer(out)?;
        let answer = replica.change(now_ms, |replica, now| {
            let mut responder = responder.enter()?;
            Ok(answerer.enter()?.inside.receive(&mut responder.inside, replica, now, message)?)
        })?;
        Ok(match answer {
            Some(answer) => {
                out.fill(&answer);
                POLICYSYNC_OK
            }
            None => POLICYSYNC_DONE,
        })
    })
}

/// A message with operations that the caller does not have yet. Send it before the next is asked for: the log is the
/// queue, so a slow line costs no memory.
///
/// `replica`: the same for all of a line.
/// `out`: the message. As it was unless the call returns `POLICYSYNC_OK`.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (there is nothing to say now; ask again when a message has come, or
/// something has arrived in the replica), `POLICYSYNC_ERR_OTHER_REPLICA`, a store failure, `POLICYSYNC_ERR_NULL`,
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_line_answerer_next_message(
    answerer: MaybeUninit<&mut policysync_line_answerer>,
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let answerer = call.shared(answerer, "answerer")?;
        let replica = call.shared(replica, "replica")?;
        let out = call.buffer(out)?;
        let message = {
            let replica = replica.enter()?;
            answerer.enter()?.inside.next_message(&replica.inside.replica)?
        };
        Ok(match message {
            Some(message) => {
                out.fill(&message);
                POLICYSYNC_OK
            }
            None => POLICYSYNC_DONE,
        })
    })
}

/// Frees the answering side of a line. NULL is allowed. Any thread, while no other begins a call with `answerer`; even
/// within a callback. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_line_answerer_free(answerer: *mut policysync_line_answerer) {
    guarded_or((), |call| {
        call.release(answerer);
        None
    });
}

impl policysync_line_caller {
    fn enter(&self) -> Result<Entered<'_, LineInitiator>, Failure> {
        self.shared.enter()
    }
}

impl policysync_line_answerer {
    fn enter(&self) -> Result<Entered<'_, LineResponder>, Failure> {
        self.shared.enter()
    }
}
