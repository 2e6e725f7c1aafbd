//! The options of a session.

use std::mem::MaybeUninit;

use crate::ffi::glue::boundary::{Call, guarded};
use crate::ffi::glue::buffer::{policysync_buffer, policysync_bytes};
use crate::ffi::glue::error::{Failure, policysync_error};
use crate::ffi::glue::growing::{Growing, initialize};
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::POLICYSYNC_OK;
use crate::ffi::sync::codes::alert_of;
use crate::ffi::sync::resume::policysync_resume;
use crate::{SyncError, SyncOptions};

/// The options of a session, for either side. Zero in every member but the first is the default: initialize them with
/// `policysync_sync_options_init`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_sync_options {
    /// `sizeof(policysync_sync_options)`.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// The maximum length of a message in either direction: from 65536 to 16777216; other values are clamped to this
    /// range; 0 for the default, 1048576. A greater limit means fewer round trips for many operations, and more memory
    /// for each message. A message is longer only to carry a single operation that does not fit otherwise, or from a
    /// peer of version 0.1.0: 1114112 bytes are always accepted.
    pub max_message_bytes: u64,
    /// The resumption data of an earlier session with the same peer; NULL for none. If the peer no longer knows it, or
    /// the replica is another, the session starts from the beginning. A responder ignores it. It is copied.
    pub resume: *const policysync_resume,
    /// The name of the peer: its URL or any other text that belongs to this peer alone, of at most 4096 bytes. The
    /// replica remembers under it what it and the peer have refused from each other, and which version the peer speaks.
    /// Empty for none; a client names its URL then. A responder ignores it.
    pub peer: policysync_bytes,
}

/// Bytes of the longest name of a peer.
const MAX_PEER_BYTES: usize = 4096;

// SAFETY: `repr(C)`, begins with its size. Zero is NULL and none.
unsafe impl Growing for policysync_sync_options {
    const FIRST_SIZE: usize = 8;
    const NAME: &'static str = "options";
}

/// Initializes options: all zero except `struct_size`.
///
/// `out`: receives `struct_size` bytes, however many of them the library knows.
/// `struct_size`: `sizeof(policysync_sync_options)`, at least 8.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (`struct_size` is too small) or
/// `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_sync_options_init(
    out: MaybeUninit<&mut policysync_sync_options>,
    struct_size: u32,
) -> policysync_status {
    initialize(out, struct_size)
}

/// Makes the message of a responder that failed, with which the initiator's session ends. It reveals only the kind of
/// failure.
///
/// `status`: the result of `policysync_responder_respond`. A number that is not a failure counts as one.
/// `out`: the message, two bytes.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_sync_alert(
    status: policysync_status,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.buffer(out)?;
        out.fill(&SyncError::AlertReceived(alert_of(status)).to_alert());
        Ok(POLICYSYNC_OK)
    })
}

impl policysync_sync_options {
    /// Converts the options; NULL for the defaults.
    pub(in crate::ffi) fn take(call: &Call, options: *const Self) -> Result<SyncOptions, Failure> {
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
        if let Some(resume) = call.optional(options.resume) {
            taken = taken.resume(resume.copy());
        }
        let peer = options.peer.text(call, "options.peer")?;
        if peer.len() > MAX_PEER_BYTES {
            return Err(Failure::argument("options.peer is too long"));
        }
        if !peer.is_empty() {
            taken = taken.peer(peer);
        }
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use crate::sync::{DEFAULT_MESSAGE_BYTES, MAX_MESSAGE_BYTES, MIN_MESSAGE_BYTES};

    #[test]
    fn the_limits_are_those_of_the_header() {
        let limits = (MIN_MESSAGE_BYTES, DEFAULT_MESSAGE_BYTES, MAX_MESSAGE_BYTES);
        assert_eq!(limits, (65_536, 1_048_576, 16_777_216));
    }
}
