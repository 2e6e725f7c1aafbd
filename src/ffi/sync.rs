//! What both sides of a session need: how it is run, what was taken in, what two replicas have in common.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use super::boundary::{Call, Growing, guarded, guarded_or};
use super::buffer::policysync_buffer;
use super::error::{Failure, policysync_error};
use super::replica::policysync_replica;
use super::status::policysync_status;
use super::status::policysync_status_code::POLICYSYNC_OK;
use super::sync_status::refusal_of;
use crate::bundle::Imported;
use crate::sync::{Received, Refusals, Reply, ResumeToken};
use crate::{SyncError, SyncOptions};

/// What a session has found two replicas to have in common, for the next session with the same peer, which leaves it
/// out. It is about one replica that stays open and one responder; others do not know it, and start from the beginning.
/// To have it outlive the process, see `policysync_sync_base_to_bytes`. Never changes, so any thread may use it at any
/// time.
pub struct policysync_sync_base {
    base: ResumeToken,
}

/// How a session is run, by either side. Zero in every member but the first is the default. Begin with
/// `policysync_sync_options_init`. All pointers are borrowed for the call that takes the options.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_sync_options {
    /// `sizeof(policysync_sync_options)`.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Bytes of the longest message that this side takes: from 1114112, the default, to 16777216; what is outside
    /// is moved to the nearer end. A greater limit means fewer round trips for many operations, and more memory for
    /// each message.
    pub max_message_bytes: u64,
    /// What an earlier session with the same peer has found to be common, to be left out; NULL for none. Where the peer
    /// no longer knows it, or the replica is another, the session starts from the beginning. A responder does not look
    /// at it. It is copied.
    pub since: *const policysync_sync_base,
}

// SAFETY: `repr(C)`, begins with its size. Zero is NULL and none.
unsafe impl Growing for policysync_sync_options {
    const FIRST_SIZE: usize = 8;
    const NAME: &'static str = "options";
}

/// How many operations were refused, by reason. This struct never changes.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_refusals {
    /// No operations: they break a rule of the format.
    pub malformed: u64,
    /// The key is not known. Register it and synchronise again.
    pub unknown_key: u64,
    /// Not signed by the actor that they name.
    pub bad_signature: u64,
    /// Refused by the guard.
    pub denied: u64,
    /// Another space's.
    pub other_space: u64,
    /// Refused for another reason, that this version does not know or does not count by itself.
    pub other: u64,
}

/// What became of the operations that a call was given.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_intake {
    /// `sizeof(policysync_intake)`, set by the caller.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Operations that are new in this log.
    pub received: u64,
    /// Operations that were here already.
    pub known: u64,
    /// Operations that this replica refused.
    pub refused: policysync_refusals,
    /// Operations in the answer of a responder; 0 elsewhere.
    pub sent: u64,
    /// Bytes of a bundle that were read; 0 elsewhere.
    pub bytes: u64,
}

// SAFETY: `repr(C)`, begins with its size, without padding. Zero is nothing taken in.
unsafe impl Growing for policysync_intake {
    const FIRST_SIZE: usize = size_of::<Self>();
    const NAME: &'static str = "intake";
}

/// Makes default options: all zero but `struct_size`.
///
/// `out`: `struct_size` bytes are written, whatever the library knows of them.
/// `struct_size`: `sizeof(policysync_sync_options)`, at least 8.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (`struct_size` is too small) or
/// `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_sync_options_init(
    out: MaybeUninit<&mut policysync_sync_options>,
    struct_size: u32,
) -> policysync_status {
    guarded(std::ptr::null_mut(), |call| {
        let out = call.out(out, "out")?;
        out.initialise(struct_size)?;
        Ok(POLICYSYNC_OK)
    })
}

/// What a responder that failed says to the initiator, whose session then ends and says why. It tells nothing of the
/// cause but its kind.
///
/// `status`: what `policysync_responder_respond` returned; any number, and what is not a failure is taken for one.
/// `out`: the message, two bytes.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_sync_refusal(
    status: policysync_status,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.buffer(out)?;
        out.fill(&SyncError::AlertReceived(refusal_of(status)).to_alert());
        Ok(POLICYSYNC_OK)
    })
}

/// By what both sides know the session: no secret. The initiator tells it to the responder in its own way, for
/// `policysync_push_after_responder`.
///
/// `base`: what the session ended with.
/// `out48`: room for 48 bytes.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_sync_base_id(
    base: MaybeUninit<&policysync_sync_base>,
    out48: MaybeUninit<&mut u8>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let base = call.required(base, "base")?;
        call.out_bytes(out48, "out48")?.write(base.base.id());
        Ok(POLICYSYNC_OK)
    })
}

/// What a session ended with, in bytes, to be kept beside the replica's file and read again with
/// `policysync_sync_base_from_bytes` when that is opened anew.
///
/// `base`: what the session ended with.
/// `replica`: that of the session, still open.
/// `key32`: 32 random bytes that whoever can write the bytes does not know, to seal them with; they may be the store's
/// `seal_key`. With a key that is known, somebody could make the next session leave out what the peer does not have.
/// `out`: the bytes.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_OTHER_REPLICA` (it is not about this replica as it is open now),
/// `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_sync_base_to_bytes(
    base: MaybeUninit<&policysync_sync_base>,
    replica: MaybeUninit<&mut policysync_replica>,
    key32: MaybeUninit<&u8>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let base = call.required(base, "base")?;
        let replica = call.shared(replica, "replica")?;
        let key = call.bytes32(key32, "key32")?;
        let out = call.buffer(out)?;
        let bytes = base.base.to_bytes(&replica.enter()?.inside.replica, key)?;
        out.fill(&bytes);
        Ok(POLICYSYNC_OK)
    })
}

/// Reads what `policysync_sync_base_to_bytes` has made of the same replica before it was opened anew.
///
/// `bytes`, `bytes_len`: all of them. Borrowed for the call.
/// `replica`: the same as then: its log begins with the same operations, in the same order of arrival.
/// `key32`: the same as then.
/// `out`: what the session ended with, to be freed with `policysync_sync_base_free`; NULL when the call fails. Then go
/// on without it: the next session starts from the beginning.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_MALFORMED` (the message says where), `POLICYSYNC_ERR_PEER_VERSION`,
/// `POLICYSYNC_ERR_DAMAGED` (sealed with another key, or changed), `POLICYSYNC_ERR_OTHER_REPLICA` (another log, or an
/// older copy), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any
/// thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_sync_base_from_bytes(
    bytes: *const c_void,
    bytes_len: usize,
    replica: MaybeUninit<&mut policysync_replica>,
    key32: MaybeUninit<&u8>,
    out: MaybeUninit<&mut *mut policysync_sync_base>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.handle_out(out, "out")?;
        let bytes = call.bytes(bytes, bytes_len, "bytes")?;
        let replica = call.shared(replica, "replica")?;
        let key = call.bytes32(key32, "key32")?;
        let base = ResumeToken::from_bytes(bytes, &replica.enter()?.inside.replica, key)?;
        out.write(policysync_sync_base::hand_out(&base));
        Ok(POLICYSYNC_OK)
    })
}

/// Frees what a session ended with. Sessions and push channels that were made of it have their own copy. NULL is
/// allowed. Any thread, while no other uses `base`. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_sync_base_free(base: Option<Box<policysync_sync_base>>) {
    guarded_or((), |_| {
        drop(base);
        None
    });
}

impl policysync_sync_base {
    /// A handle for C.
    pub(super) fn hand_out(base: &ResumeToken) -> *mut Self {
        Box::into_raw(Box::new(Self { base: base.clone() }))
    }

    pub(super) fn copy(&self) -> ResumeToken {
        self.base.clone()
    }
}

impl policysync_sync_options {
    /// The options that C gives; NULL for defaults.
    pub(super) fn take(call: &Call, options: *const Self) -> Result<SyncOptions, Failure> {
        if options.is_null() {
            return Ok(SyncOptions::new());
        }
        let options = call.growing(options)?;
        if options.reserved != 0 {
            return Err(Failure::argument("options.reserved is not 0"));
        }
        let mut taken = SyncOptions::new();
        if options.max_message_bytes != 0 {
            taken = taken.max_message_bytes(usize::try_from(options.max_message_bytes).unwrap_or(usize::MAX));
        }
        if let Some(base) = call.optional(options.since) {
            taken = taken.resume(base.copy());
        }
        Ok(taken)
    }
}

impl policysync_refusals {
    pub(super) fn of(refused: Refusals) -> Self {
        // A reason that is added there is `other` here: C's struct never changes.
        let Refusals { malformed, unknown_key, bad_signature, denied, other_space, other } = refused;
        Self { malformed, unknown_key, bad_signature, denied, other_space, other }
    }
}

impl policysync_intake {
    pub(super) fn of(received: &Received) -> Self {
        Self {
            struct_size: 0,
            reserved: 0,
            received: received.new_ops(),
            known: received.duplicates,
            refused: policysync_refusals::of(received.refused),
            sent: 0,
            bytes: 0,
        }
    }

    pub(super) fn of_reply(reply: &Reply) -> Self {
        Self { sent: reply.sent, ..Self::of(&reply.received) }
    }

    pub(super) fn of_imported(imported: Imported) -> Self {
        Self { bytes: imported.bytes, ..Self::of(&imported.received) }
    }
}

#[cfg(test)]
mod tests {
    use crate::sync::{MAX_MESSAGE_BYTES, MIN_MESSAGE_BYTES};

    #[test]
    fn the_limits_are_those_of_the_header() {
        assert_eq!((MIN_MESSAGE_BYTES, MAX_MESSAGE_BYTES), (1_114_112, 16_777_216));
    }
}
