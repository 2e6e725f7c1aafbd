//! The calling side of a line.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use crate::crypto::random;
use crate::ffi::glue::boundary::{free_shared, guarded};
use crate::ffi::glue::buffer::policysync_buffer;
use crate::ffi::glue::error::{Failure, policysync_error};
use crate::ffi::glue::shared::{Entered, Shared};
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::{POLICYSYNC_NOT_FOUND, POLICYSYNC_OK};
use crate::ffi::replica::ask::next_message;
use crate::ffi::replica::handle::policysync_replica;
use crate::ffi::sync::options::policysync_sync_options;
use crate::ffi::sync::resume::policysync_resume;
use crate::ffi::sync::session::{policysync_progress, policysync_sync_result, write_result};
use crate::transport::LineInitiator;

/// The calling side of a line: a connection that stays open and carries whole messages in order, for example a
/// WebSocket of another library. It runs a session; when that has converged, it sends operations as they are written
/// and ingests those of the other side. A session that does not converge is repeated when something was written, and
/// once a minute. The application carries the messages.
pub struct policysync_line_initiator {
    shared: Shared<LineInitiator>,
}

/// Creates the calling side of a new line.
///
/// `options`: the options of its sessions; NULL for the defaults.
/// `seed32`: 32 secret random bytes, new for each line. NULL, as is usual, for bytes from the system.
/// `out`: the side, to be freed with `policysync_line_initiator_free`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION`,
/// `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_line_initiator_new(
    options: *const policysync_sync_options,
    seed32: *const u8,
    out: MaybeUninit<&mut *mut policysync_line_initiator>,
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
        out.write_shared(policysync_line_initiator { shared });
        Ok(POLICYSYNC_OK)
    })
}

/// Makes the next message for the other side. Send it before asking for another: the log is the queue, so a slow line
/// takes no memory.
///
/// `replica`: the same for all of a line.
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `out`: the message. Unchanged unless the call returns `POLICYSYNC_OK`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (nothing to send now; ask again when a message has arrived, when
/// something was written, and at least once a minute, because a session that has not converged is repeated then),
/// `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY`, `POLICYSYNC_ERR_CALLBACK` (the clock), and these, after which the line
/// should be closed: `POLICYSYNC_ERR_ENDED`, `POLICYSYNC_ERR_OTHER_REPLICA`, a store failure or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_line_initiator_next_message(
    caller: MaybeUninit<&mut policysync_line_initiator>,
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let caller = call.shared(caller, "caller")?;
        next_message(call, replica, out, |replica| {
            let now = replica.now(now_ms)?;
            Ok(caller.enter()?.inside.next_message(&replica.inside.replica, now)?)
        })
    })
}

/// Processes a message of the other side: ingests its operations in one batch. Then ask for the next message.
///
/// `replica`: the same for all of a line.
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `message`, `message_len`: the whole message.
///
/// After a failure the line should be closed; operations that were admitted before stay.
///
/// Returns `POLICYSYNC_OK`, or what `policysync_session_receive` does, including `POLICYSYNC_ERR_NULL`,
/// `POLICYSYNC_ERR_BUSY` and `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_line_initiator_receive(
    caller: MaybeUninit<&mut policysync_line_initiator>,
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

/// Returns the progress of the current session of the line, or of the last one. Its `state` is that of the last session
/// that ended.
///
/// `progress`: the progress.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION` (`struct_size` is too small),
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_line_initiator_progress(
    caller: MaybeUninit<&mut policysync_line_initiator>,
    progress: MaybeUninit<&mut policysync_progress>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let caller = call.shared(caller, "caller")?;
        let out = call.growing_out(progress)?;
        let caller = caller.enter()?;
        out.write(policysync_progress::of_line(&caller.inside));
        Ok(POLICYSYNC_OK)
    })
}

/// Returns the result of the last session of the line.
///
/// `result`: the result. Unchanged unless the call returns `POLICYSYNC_OK`.
/// `resume`: the resumption data for the next line to the same peer, to be freed with `policysync_resume_free`; NULL if
/// there is none. NULL for the parameter if it is not wanted.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (none has ended), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION`
/// (`struct_size` is too small), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_line_initiator_result(
    caller: MaybeUninit<&mut policysync_line_initiator>,
    result: MaybeUninit<&mut policysync_sync_result>,
    resume: *mut *mut policysync_resume,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let resume = call.optional_handle_out(resume);
        let caller = call.shared(caller, "caller")?;
        let out = call.growing_out(result)?;
        let caller = caller.enter()?;
        Ok(write_result(caller.inside.result(), out, resume))
    })
}

/// Returns `POLICYSYNC_OK` if operations are sent as they are written: the last session has converged.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (not yet, or no longer), `POLICYSYNC_ERR_NULL`,
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_line_initiator_is_pushing(
    caller: MaybeUninit<&mut policysync_line_initiator>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let caller = call.shared(caller, "caller")?;
        let pushing = caller.enter()?.inside.is_pushing();
        Ok(if pushing { POLICYSYNC_OK } else { POLICYSYNC_NOT_FOUND })
    })
}

/// Frees the calling side of a line. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_line_initiator_free(caller: *mut policysync_line_initiator) {
    free_shared(caller);
}

impl policysync_line_initiator {
    fn enter(&self) -> Result<Entered<'_, LineInitiator>, Failure> {
        self.shared.enter()
    }
}
