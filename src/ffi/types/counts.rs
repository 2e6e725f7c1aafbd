//! The counts of ingested operations.

use crate::bundle::Imported;
use crate::ffi::glue::growing::Growing;
use crate::sync::{Received, Refusals, Reply};

/// The numbers of operations that were refused, by reason. This struct never changes.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_refusals {
    /// Not valid operations: they break a rule of the format.
    pub malformed: u64,
    /// Signed with an unknown key. Register the key and synchronize again.
    pub unknown_key: u64,
    /// Not signed by the actor that they name.
    pub bad_signature: u64,
    /// Rejected by the guard.
    pub denied: u64,
    /// Of another space.
    pub other_space: u64,
    /// Refused for a reason that this version does not count separately.
    pub other: u64,
}

/// The counts of the operations that a call ingested.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_ingested {
    /// `sizeof(policysync_ingested)`, set by the caller.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Operations that are new in this log.
    pub received: u64,
    /// Operations that were in this log already.
    pub duplicates: u64,
    /// Operations that this replica refused.
    pub refused: policysync_refusals,
    /// Operations in the answer of a responder; 0 otherwise.
    pub sent: u64,
    /// Bytes of a bundle that were read; 0 otherwise.
    pub bytes: u64,
}

// SAFETY: `repr(C)`, begins with its size, without padding. Zero is no operations.
unsafe impl Growing for policysync_ingested {
    const FIRST_SIZE: usize = size_of::<Self>();
    const NAME: &'static str = "ingested";
}

impl policysync_refusals {
    pub(in crate::ffi) fn of(refused: Refusals) -> Self {
        // A reason that is added to `Refusals` counts as `other` here: the struct of C never changes.
        let Refusals { malformed, unknown_key, bad_signature, denied, other_space, other } = refused;
        Self { malformed, unknown_key, bad_signature, denied, other_space, other }
    }
}

impl policysync_ingested {
    pub(in crate::ffi) fn of(received: &Received) -> Self {
        Self {
            struct_size: 0,
            reserved: 0,
            received: received.new_ops(),
            duplicates: received.duplicates,
            refused: policysync_refusals::of(received.refused),
            sent: 0,
            bytes: 0,
        }
    }

    pub(in crate::ffi) fn of_reply(reply: &Reply) -> Self {
        Self { sent: reply.sent, ..Self::of(&reply.received) }
    }

    pub(in crate::ffi) fn of_imported(imported: &Imported) -> Self {
        Self { bytes: imported.bytes, ..Self::of(&imported.received) }
    }
}
