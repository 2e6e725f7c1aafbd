//! Push channels.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use crate::ffi::glue::boundary::{free_shared, guarded};
use crate::ffi::glue::buffer::policysync_buffer;
use crate::ffi::glue::error::{Failure, policysync_error};
use crate::ffi::glue::shared::{Entered, Shared};
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::{POLICYSYNC_NOT_FOUND, POLICYSYNC_OK};
use crate::ffi::replica::ask::next_message;
use crate::ffi::replica::handle::policysync_replica;
use crate::ffi::sync::options::policysync_sync_options;
use crate::ffi::sync::responder::policysync_responder;
use crate::ffi::sync::resume::policysync_resume;
use crate::ffi::types::counts::policysync_ingested;
use crate::sync::Push;

/// A channel for new operations, after a session, on a connection that stays open. It sends operations as they are
/// appended, except those that came from the peer. Either side sends at any time; messages are not answered. Operations
/// that are lost on the way are found by the next session.
pub struct policysync_push {
    shared: Shared<Push>,
}

/// Creates the channel after a session that converged, on the side that initiated it.
///
/// `resume`: the resumption data of the session. It is copied.
/// `options`: the options of the session; NULL for the defaults.
/// `out`: the channel, to be freed with `policysync_push_free`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION` or
/// `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_push_after(
    resume: MaybeUninit<&policysync_resume>,
    options: *const policysync_sync_options,
    out: MaybeUninit<&mut *mut policysync_push>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.handle_out(out, "out")?;
        let resume = call.required(resume, "resume")?;
        let options = policysync_sync_options::take(call, options)?;
        out.write_shared(policysync_push::new(Push::after(resume.copy(), &options)));
        Ok(POLICYSYNC_OK)
    })
}

/// Creates the channel after a session that converged, on the side that answered.
///
/// `responder`: the responder that answered the session.
/// `replica`: the replica that it answered with.
/// `id48`: 48 bytes, from `policysync_resume_id` on the other side.
/// `out`: the channel, to be freed with `policysync_push_free`. NULL unless the call returns `POLICYSYNC_OK`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (this responder no longer knows the session), `POLICYSYNC_ERR_NULL`,
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_push_after_responder(
    responder: MaybeUninit<&mut policysync_responder>,
    replica: MaybeUninit<&mut policysync_replica>,
    id48: MaybeUninit<&u8>,
    out: MaybeUninit<&mut *mut policysync_push>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.handle_out(out, "out")?;
        let responder = call.shared(responder, "responder")?;
        let replica = call.shared(replica, "replica")?;
        let id = call.fixed_bytes(id48, "id48")?;
        let push = {
            let replica = replica.enter()?;
            responder.enter()?.inside.push_after(&replica.inside.replica, *id)
        };
        Ok(match push {
            Some(push) => {
                out.write_shared(policysync_push::new(push));
                POLICYSYNC_OK
            }
            None => POLICYSYNC_NOT_FOUND,
        })
    })
}

/// Makes a message of operations that the peer has not been sent.
///
/// `replica`: the replica of the session.
/// `out`: the message. Unchanged unless the call returns `POLICYSYNC_OK`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (none at present; ask again later), `POLICYSYNC_ERR_OTHER_REPLICA`, a
/// store failure, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_push_next_message(
    push: MaybeUninit<&mut policysync_push>,
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let push = call.shared(push, "push")?;
        next_message(call, replica, out, |replica| {
            Ok(push.enter()?.inside.next_message(&replica.inside.replica)?)
        })
    })
}

/// Processes a message of the peer: ingests its operations in one batch.
///
/// `replica`: the replica of the session.
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `message`, `message_len`: the whole message.
/// `ingested`: the counts of its operations. NULL if they are not wanted.
///
/// On any failure no operation of the message was admitted.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_MALFORMED`, `POLICYSYNC_ERR_LIMIT`, `POLICYSYNC_ERR_PEER_VERSION`,
/// `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_CLOCK`, `POLICYSYNC_ERR_ABORTED` (the guard),
/// `POLICYSYNC_ERR_CALLBACK` (the guard or the clock), `POLICYSYNC_ERR_FULL`, a store failure, `POLICYSYNC_ERR_NULL`,
/// `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION` (`ingested->struct_size` is too small), `POLICYSYNC_ERR_BUSY` or
/// `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_push_receive(
    push: MaybeUninit<&mut policysync_push>,
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    message: *const c_void,
    message_len: usize,
    ingested: *mut policysync_ingested,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let push = call.shared(push, "push")?;
        let replica = call.shared(replica, "replica")?;
        let message = call.bytes(message, message_len, "message")?;
        let ingested = call.optional_growing_out(ingested)?;
        let pushed = replica
            .change(now_ms, |replica, now| Ok(push.enter()?.inside.receive(replica, now, message)?))?;
        if let Some(ingested) = ingested {
            ingested.write(policysync_ingested::of(&pushed));
        }
        Ok(POLICYSYNC_OK)
    })
}

/// Returns the maximum number of operations that wait to be sent.
///
/// `replica`: the replica of the session.
/// `out`: the number.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_push_waiting(
    push: MaybeUninit<&mut policysync_push>,
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut u64>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let push = call.shared(push, "push")?;
        let replica = call.shared(replica, "replica")?;
        let out = call.out(out, "out")?;
        let replica = replica.enter()?;
        out.write(push.enter()?.inside.waiting(&replica.inside.replica));
        Ok(POLICYSYNC_OK)
    })
}

/// Frees a push channel. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_push_free(push: *mut policysync_push) {
    free_shared(push);
}

impl policysync_push {
    fn new(push: Push) -> Self {
        Self { shared: Shared::new("push", push) }
    }

    fn enter(&self) -> Result<Entered<'_, Push>, Failure> {
        self.shared.enter()
    }
}
