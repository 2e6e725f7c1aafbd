//! The responder.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use crate::Responder;
use crate::crypto::random;
use crate::ffi::glue::boundary::{free_shared, guarded};
use crate::ffi::glue::buffer::policysync_buffer;
use crate::ffi::glue::error::{Failure, policysync_error};
use crate::ffi::glue::shared::{Entered, Shared};
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::POLICYSYNC_OK;
use crate::ffi::replica::handle::policysync_replica;
use crate::ffi::sync::options::policysync_sync_options;
use crate::ffi::types::counts::policysync_ingested;

/// Answers the messages of any number of sessions, in any order. Each message carries the whole state of its session,
/// so it may be answered by any of several processes that share the secret and the operations; the responder's own
/// memory only saves work.
pub struct policysync_responder {
    shared: Shared<Responder>,
}

/// Creates a responder.
///
/// `options`: NULL for the defaults.
/// `secret32`: 32 random bytes from which the keys of sessions are derived. Processes that answer the same sessions
/// share them. NULL for bytes from the system. They are copied, and wiped when the responder is freed.
/// `out`: the responder, to be freed with `policysync_responder_free`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION`,
/// `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`.
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
        out.write_shared(policysync_responder { shared });
        Ok(POLICYSYNC_OK)
    })
}

/// Answers a message of a session. Its operations are ingested in one batch.
///
/// `replica`: the replica that the responder answers with.
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `message`, `message_len`: the whole message.
/// `out`: the answer for the initiator. When the call fails, `policysync_sync_alert` makes one.
/// `ingested`: the counts of the operations in the message and in the answer. NULL if they are not wanted.
///
/// If the clock, the guard or the store fails while operations are ingested, the message has no effect; after another
/// failure its operations may be in the log.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_MALFORMED`, `POLICYSYNC_ERR_LIMIT`, `POLICYSYNC_ERR_PEER_VERSION`,
/// `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_PROTOCOL`, `POLICYSYNC_ERR_FORGOTTEN`, `POLICYSYNC_ERR_CLOCK`,
/// `POLICYSYNC_ERR_ABORTED` (the guard), `POLICYSYNC_ERR_CALLBACK` (the guard or the clock), `POLICYSYNC_ERR_FULL`, a
/// store failure, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION` (`ingested->struct_size`
/// is too small), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_responder_respond(
    responder: MaybeUninit<&mut policysync_responder>,
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    message: *const c_void,
    message_len: usize,
    out: MaybeUninit<&mut policysync_buffer>,
    ingested: *mut policysync_ingested,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let responder = call.shared(responder, "responder")?;
        let replica = call.shared(replica, "replica")?;
        let message = call.bytes(message, message_len, "message")?;
        let out = call.buffer(out)?;
        let ingested = call.optional_growing_out(ingested)?;
        let reply = replica
            .change(now_ms, |replica, now| Ok(responder.enter()?.inside.respond(replica, now, message)?))?;
        out.fill(&reply.message);
        if let Some(ingested) = ingested {
            ingested.write(policysync_ingested::of_reply(&reply));
        }
        Ok(POLICYSYNC_OK)
    })
}

/// Encodes the resumption data that the responder has for a replica, to be stored beside the replica's file and passed
/// to `policysync_responder_resume_from_bytes` after a restart. The bytes are sealed with the responder's secret:
/// create it with one, and keep that. They take about fifty bytes for each of up to 1024 sessions, more if the
/// exchanged operations are scattered over the log.
///
/// `replica`: the replica that the responder has answered with.
/// `out`: the bytes.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_responder_resume_to_bytes(
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

/// Adds the resumption data that a responder with the same secret encoded before the replica was opened again.
///
/// `replica`: the same replica: its log begins with the same operations in the same order.
/// `bytes`, `bytes_len`: all bytes of `policysync_responder_resume_to_bytes`.
///
/// On any failure the responder is unchanged: continue, and sessions start from the beginning.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_MALFORMED` (the message says where), `POLICYSYNC_ERR_PEER_VERSION`,
/// `POLICYSYNC_ERR_DAMAGED` (altered, or sealed with another secret), `POLICYSYNC_ERR_OTHER_REPLICA` (another log, or
/// an older copy), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_responder_resume_from_bytes(
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

/// Frees a responder and wipes its secret. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_responder_free(responder: *mut policysync_responder) {
    free_shared(responder);
}

impl policysync_responder {
    pub(in crate::ffi) fn enter(&self) -> Result<Entered<'_, Responder>, Failure> {
        self.shared.enter()
    }
}
