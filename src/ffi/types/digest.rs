//! The digest of a replica.

use crate::crypto::Hash;
use crate::ffi::glue::growing::Growing;
use crate::oplog::LogDigest;

/// A digest of the content of a replica. Replicas with equal `count` and `log` hold the same operations; replicas with
/// equal `state` have the same fields.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_digest {
    /// `sizeof(policysync_digest)`, set by the caller.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// The number of operations in the log.
    pub count: u64,
    /// SHA-256 over the hashes of the operations in their order.
    pub log: [u8; 32],
    /// SHA-256 over every field with the hash of its winning operation.
    pub state: [u8; 32],
}

// SAFETY: `repr(C)`, begins with its size, without padding. Zero is an empty digest.
unsafe impl Growing for policysync_digest {
    const FIRST_SIZE: usize = size_of::<Self>();
    const NAME: &'static str = "digest";
}

impl policysync_digest {
    /// Returns the part that is about the log.
    #[cfg(feature = "sqlite")]
    pub(in crate::ffi) fn log_digest(&self) -> LogDigest {
        LogDigest { count: self.count, hash: Hash::from_bytes(self.log) }
    }

    pub(in crate::ffi) fn of(log: LogDigest, state: Hash) -> Self {
        let (log, count) = (*log.hash.as_bytes(), log.count);
        Self { struct_size: 0, reserved: 0, count, log, state: *state.as_bytes() }
    }
}
