//! Every limit of synchronisation, with its unit.
//!
//! What a peer sends is held to these before anything is done with it; what we send keeps to them too.

use crate::codec::MAX_OP_BYTES;

/// Bytes of a message beside the operations in it: header, ranges, ids.
pub(super) const MAX_RANGES_BYTES: usize = 56 << 10;

/// Least and default limit of a message, in bytes: one operation of the greatest size and everything beside it.
pub const MIN_MESSAGE_BYTES: usize = MAX_OP_BYTES + (64 << 10);

/// Greatest limit of a message that can be asked for, in bytes: 16 MiB.
pub const MAX_MESSAGE_BYTES: usize = 16 << 20;

/// Ranges of a message.
pub const MAX_RANGES: usize = 4096;

/// Short ids of a message, all its ranges together.
pub const MAX_IDS: usize = 4096;

/// Operations of a range up to which it is listed instead of split.
pub const LEAF: usize = 64;

/// Parts that a range is split into.
pub const SPLIT: usize = 16;

/// The newest operations, which the first answer lists where the two sides seem to differ.
pub const NEWEST: usize = 128;

/// Ranges that an initiator keeps for later messages; beyond, ranges are not split but asked for whole.
pub(super) const MAX_PENDING: usize = 1 << 16;

/// Operations of which another copy is asked for, in one message.
pub const MAX_DOUBTS: usize = 64;

/// Operations of which a session sends another copy because the peer asked.
pub(super) const MAX_REPEATS: usize = 1024;

/// Operations refused for their signature that a session remembers, to see whether a good copy followed.
pub(super) const MAX_BAD: usize = 4096;

/// What a responder remembers of earlier sessions, each a few hundred bytes and 8 for each gap in what arrived or was
/// sent: 1024.
pub(super) const MAX_COMMON: usize = 1024;

/// Gaps of one remembered session; one with more is not remembered.
pub(super) const MAX_GAPS: usize = 4096;

/// Summaries of the log that a responder keeps between the messages of a session, about 4.3 bytes an operation each.
pub(super) const MAX_SNAPSHOTS: usize = 4;

/// Operations that a session refuses before it gives up: 65,536.
pub const MAX_REFUSED: u64 = 1 << 16;

/// Refused operations of one answer from which on it counts as progress: the peer has been working.
pub(super) const WORTHWHILE: u64 = 64;

/// Answers in a row that neither bring an operation nor take one, after which a session gives up, for logs of up to
/// `count` operations: twice the levels of a tree of 16 branches, and 8.
pub fn max_idle_rounds(count: u64) -> u32 {
    let levels = (u64::BITS - count.leading_zeros()).div_ceil(4);
    2 * levels + 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_grow_with_the_logarithm() {
        assert_eq!(max_idle_rounds(0), 8);
        assert_eq!(max_idle_rounds(16), 12);
        assert_eq!(max_idle_rounds(1_000_000), 18);
        assert_eq!(max_idle_rounds(u64::MAX), 40);
    }
}
