//! The answering side of a line.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use crate::ffi::glue::boundary::{free_shared, guarded};
use crate::ffi::glue::buffer::policysync_buffer;
use crate::ffi::glue::error::{Failure, policysync_error};
use crate::ffi::glue::shared::{Entered, Shared};
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::POLICYSYNC_OK;
use crate::ffi::replica::ask::next_message;
use crate::ffi::replica::handle::policysync_replica;
use crate::ffi::sync::responder::policysync_responder;
use crate::transport::LineResponder;

/// The answering side of a line, one for each line. It answers sessions, and then sends operations as they are
/// appended. The application carries the messages.
pub struct policysync_line_responder {
    shared: Shared<LineResponder>,
}

/// Creates the answering side of a new line.
///
/// `out`: the side, to be freed with `policysync_line_responder_free`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_line_responder_new(
    out: MaybeUninit<&mut *mut policysync_line_responder>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.handle_out(out, "out")?;
        let shared = Shared::new("line", LineResponder::new());
        out.write_shared(policysync_line_responder { shared });
        Ok(POLICYSYNC_OK)
    })
}

/// Processes a message of the caller and makes the answer, if it requires one. Then ask for the next message.
///
/// `responder`: answers the sessions; one for all lines.
/// `replica`: the same for all of a line.
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `message`, `message_len`: the whole message.
/// `out`: the answer. Unchanged unless the call returns `POLICYSYNC_OK`.
///
/// After a failure send the message of `policysync_sync_alert` and close the line.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (no answer is required), `POLICYSYNC_ERR_OUT_OF_TURN`, or what
/// `policysync_responder_respond` does, including `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` and
/// `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_line_responder_receive(
    answerer: MaybeUninit<&mut policysync_line_responder>,
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
        Ok(out.fill_or_done(answer))
    })
}

/// Makes a message of operations that the caller does not have yet. Send it before asking for another: the log is the
/// queue, so a slow line takes no memory.
///
/// `replica`: the same for all of a line.
/// `out`: the message. Unchanged unless the call returns `POLICYSYNC_OK`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (nothing to send now; ask again when a message has arrived or the log has
/// grown), `POLICYSYNC_ERR_OTHER_REPLICA`, a store failure, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or
/// `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_line_responder_next_message(
    answerer: MaybeUninit<&mut policysync_line_responder>,
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let answerer = call.shared(answerer, "answerer")?;
        next_message(call, replica, out, |replica| {
            Ok(answerer.enter()?.inside.next_message(&replica.inside.replica)?)
        })
    })
}

/// Frees the answering side of a line. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_line_responder_free(answerer: *mut policysync_line_responder) {
    free_shared(answerer);
}

impl policysync_line_responder {
    fn enter(&self) -> Result<Entered<'_, LineResponder>, Failure> {
        self.shared.enter()
    }
}
