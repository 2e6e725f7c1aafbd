//! The side of a synchronisation that answers.

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::Arc;

use super::boundary::{guarded, guarded_or};
use super::buffer::policysync_buffer;
use super::error::{Failure, policysync_error};
use super::random::random;
use super::replica::policysync_replica;
use super::shared::{Entered, Shared};
use super::status::policysync_status;
use super::status::policysync_status_code::POLICYSYNC_OK;
use super::sync::{policysync_intake, policysync_sync_options};
use crate::Responder;

/// Answers the messages of any number of sessions, in any order. All that it needs to know of a session stands in each
/// message, so a message may be answered by one of several processes, if they share the secret and the operations; what
/// it keeps only saves work. Any thread may use it; calls from several threads wait for each other.
pub struct policysync_responder {
    shared: Shared<Responder>,
}

/// Makes a responder.
///
/// `options`: NULL for defaults. Borrowed for the call.
/// `secret32`: 32 random bytes: whoever knows them can foresee the keys of sessions. Processes that answer the same
/// sessions share them. NULL for the library to take them from the system. They are copied, and wiped when the
/// responder is freed.
/// `out`: the responder, to be freed with `policysync_responder_free`; NULL when the call fails.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION`,
/// `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_responder_new(
    options: *const policysync_sync_options,
    secret32: *const u8,
    out: MaybeUninit<&mut *mut policysync_responder>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.handle_out(out, "out")?;
        let options = policysync_sync_options::take(call, options)?;
        let secret = match call.optional_bytes(secret32) {
            Some(secret) => *secret,
            None => random()?,
        };
        let shared = Shared::new("responder", Responder::new(secret, options));
        out.write(Arc::into_raw(Arc::new(policysync_responder { shared })).cast_mut());
        Ok(POLICYSYNC_OK)
    })
}

/// Answers a message of a session. Operations in it are offered to the replica, in one batch.
///
/// `replica`: whose operations the responder answers with.
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `message`, `message_len`: the message, whole. Borrowed for the call.
/// `out`: the answer, for the initiator. When the call fails, `policysync_sync_refusal` makes one.
/// `intake`: what became of the operations in the message, and how many are in the answer; its `struct_size` is set by
/// the caller. NULL if it is not wanted.
/// `err`: may be NULL. Where the clock, the guard or the store fails while operations are taken in, nothing of the
/// message has happened; after another failure its operations may be in the log.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_MALFORMED`, `POLICYSYNC_ERR_LIMIT`, `POLICYSYNC_ERR_PEER_VERSION`,
/// `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_LIE`, `POLICYSYNC_ERR_FORGOTTEN`, `POLICYSYNC_ERR_CLOCK`,
/// `POLICYSYNC_ERR_ABORTED` (the guard), `POLICYSYNC_ERR_CALLBACK` (the guard or the clock), `POLICYSYNC_ERR_FULL`, a
/// store failure, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION` (`intake->struct_size` is
/// too small), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_responder_respond(
    responder: MaybeUninit<&mut policysync_responder>,
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    message: *const c_void,
    message_len: usize,
    out: MaybeUninit<&mut policysync_buffer>,
    intake: *mut policysync_intake,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let responder = call.shared(responder, "responder")?;
        let replica = call.shared(replica, "replica")?;
        let message = call.bytes(message, message_len, "message")?;
        let out = call.buffer(out)?;
        let intake = call.optional_growing_out(intake, "intake")?;
        let reply = replica
            .change(now_ms, |replica, now| Ok(responder.enter()?.inside.respond(replica, now, message)?))?;
        out.fill(&reply.message);
        if let Some(intake) = intake {
            intake.write(policysync_intake::of_reply(&reply));
        }
        Ok(POLICYSYNC_OK)
    })
}

/// What the responder remembers of earlier sessions of a replica, in bytes, to be kept beside the replica's file and
/// given to `policysync_responder_restore` when both begin anew. They are sealed with the responder's secret, so give
/// it one, and keep it. About fifty bytes for each of up to 1024 sessions, more where what was exchanged lay
/// scattered.
///
/// `replica`: whose operations the responder has answered with.
/// `out`: the bytes.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since
/// ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_responder_remembered(
    responder: MaybeUninit<&mut policysync_responder>,
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let responder = call.shared(responder, "responder")?;
        let replica = call.shared(replica, "replica")?;
        let out = call.buffer(out)?;
        let bytes = {
            let replica = replica.enter()?;
            responder.enter()?.inside.save_sessions(&replica.inside.replica)
        };
        out.fill(&bytes);
        Ok(POLICYSYNC_OK)
    })
}

/// Remembers sessions again that a responder with the same secret has written down before the replica was opened anew.
///
/// `replica`: the same as then: its log begins with the same operations, in the same order of arrival.
/// `bytes`, `bytes_len`: what `policysync_responder_remembered` gave, all of it. Borrowed for the call.
/// `err`: may be NULL. On any failure the responder is as it was: go on, and sessions start from the beginning.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_MALFORMED` (the message says where), `POLICYSYNC_ERR_PEER_VERSION`,
/// `POLICYSYNC_ERR_DAMAGED` (sealed with another secret, or changed), `POLICYSYNC_ERR_OTHER_REPLICA` (another log, or
/// an older copy), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
/// Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_responder_restore(
    responder: MaybeUninit<&mut policysync_responder>,
    replica: MaybeUninit<&mut policysync_replica>,
    bytes: *const c_void,
    bytes_len: usize,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let responder = call.shared(responder, "responder")?;
        let replica = call.shared(replica, "replica")?;
        let bytes = call.bytes(bytes, bytes_len, "bytes")?;
        let replica = replica.enter()?;
        responder.enter()?.inside.restore_sessions(&replica.inside.replica, bytes)?;
        Ok(POLICYSYNC_OK)
    })
}

/// Frees a responder and wipes its secret. NULL is allowed. Any thread, while no other begins a call with `responder`;
/// even within a callback. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_responder_free(responder: *mut policysync_responder) {
    guarded_or((), |call| {
        call.release(responder);
        None
    });
}

impl policysync_responder {
    pub(super) fn enter(&self) -> Result<Entered<'_, Responder>, Failure> {
        self.shared.enter()
    }
}
