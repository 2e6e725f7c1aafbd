//! New operations over a line that stays open.

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::Arc;

use super::boundary::{guarded, guarded_or};
use super::buffer::policysync_buffer;
use super::error::{Failure, policysync_error};
use super::replica::policysync_replica;
use super::responder::policysync_responder;
use super::shared::{Entered, Shared};
use super::status::policysync_status;
use super::status::policysync_status_code::*;
use super::sync::{policysync_intake, policysync_sync_base, policysync_sync_options};
use crate::sync::Push;

/// What follows a session on a line that stays open: operations that have arrived since, as they arrive, but not those
/// that came from the peer itself. Either side sends when it likes; nothing is answered. What gets lost on the way is
/// found by the next session. Any thread may use it; calls from several threads wait for each other.
pub struct policysync_push {
    shared: Shared<Push>,
}

/// What follows a session that converged, on the side that began it.
///
/// `base`: what the session ended with. It is copied.
/// `options`: those of the session; NULL for defaults. Borrowed for the call.
/// `out`: the channel, to be freed with `policysync_push_free`; NULL when the call fails.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION` or
/// `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_push_after(
    base: MaybeUninit<&policysync_sync_base>,
    options: *const policysync_sync_options,
    out: MaybeUninit<&mut *mut policysync_push>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.handle_out(out, "out")?;
        let base = call.required(base, "base")?;
        let options = policysync_sync_options::take(call, options)?;
        out.write(policysync_push::hand_out(Push::after(base.copy(), &options)));
        Ok(POLICYSYNC_OK)
    })
}

/// What follows a session that converged, on the side that answered.
///
/// `responder`: that answered the session.
/// `replica`: that it answered with.
/// `id48`: 48 bytes, what `policysync_sync_base_id` gave on the other side.
/// `out`: the channel, to be freed with `policysync_push_free`; NULL unless the call returns `POLICYSYNC_OK`.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (this responder does not know the session any more),
/// `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
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
                out.write(policysync_push::hand_out(push));
                POLICYSYNC_OK
            }
            None => POLICYSYNC_NOT_FOUND,
        })
    })
}

/// A message with operations that the peer has not been sent.
///
/// `replica`: that of the session.
/// `out`: the message. As it was unless the call returns `POLICYSYNC_OK`.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (there are none at present; ask again later),
/// `POLICYSYNC_ERR_OTHER_REPLICA`, a store failure, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or
/// `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_push_next_message(
    push: MaybeUninit<&mut policysync_push>,
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let push = call.shared(push, "push")?;
        let replica = call.shared(replica, "replica")?;
        let out = call.buffer(out)?;
        let message = {
            let replica = replica.enter()?;
            push.enter()?.inside.next_message(&replica.inside.replica)?
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

/// Takes a message of the peer: its operations are offered to the replica, in one batch.
///
/// `replica`: that of the session.
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `message`, `message_len`: the message, whole. Borrowed for the call.
/// `intake`: what became of its operations; its `struct_size` is set by the caller. NULL if it is not wanted.
/// `err`: may be NULL. On any failure nothing of the message was admitted.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_MALFORMED`, `POLICYSYNC_ERR_LIMIT`, `POLICYSYNC_ERR_PEER_VERSION`,
/// `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_CLOCK`, `POLICYSYNC_ERR_ABORTED` (the guard),
/// `POLICYSYNC_ERR_CALLBACK` (the guard or the clock), `POLICYSYNC_ERR_FULL`, a store failure, `POLICYSYNC_ERR_NULL`,
/// `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION` (`intake->struct_size` is too small), `POLICYSYNC_ERR_BUSY` or
/// `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_push_receive(
    push: MaybeUninit<&mut policysync_push>,
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    message: *const c_void,
    message_len: usize,
    intake: *mut policysync_intake,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let push = call.shared(push, "push")?;
        let replica = call.shared(replica, "replica")?;
        let message = call.bytes(message, message_len, "message")?;
        let intake = call.optional_growing_out(intake, "intake")?;
        let pushed = replica
            .change(now_ms, |replica, now| Ok(push.enter()?.inside.receive(replica, now, message)?))?;
        if let Some(intake) = intake {
            intake.write(policysync_intake::of(&pushed));
        }
        Ok(POLICYSYNC_OK)
    })
}

/// How many operations are waiting to be pushed, at most.
///
/// `replica`: that of the session.
/// `out`: the number.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since
/// ABI 1.
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

/// Frees a push channel. NULL is allowed. Any thread, while no other begins a call with `push`; even within a callback.
/// Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_push_free(push: *mut policysync_push) {
    guarded_or((), |call| {
        call.release(push);
        None
    });
}

impl policysync_push {
    /// A handle for C.
    fn hand_out(push: Push) -> *mut Self {
        Arc::into_raw(Arc::new(Self { shared: Shared::new("push", push) })).cast_mut()
    }

    fn enter(&self) -> Result<Entered<'_, Push>, Failure> {
        self.shared.enter()
    }
}
