//! The limits of synchronization, each with its unit.
//!
//! A message of the peer is checked against them before anything else is done with it. This side keeps to them as well.

use crate::codec::MAX_OP_BYTES;

/// Bytes of the ranges in a message.
pub(crate) const MAX_RANGES_BYTES: usize = 56 << 10;

/// The lowest limit of a message in bytes: 64 KiB.
pub const MIN_MESSAGE_BYTES: usize = 64 << 10;

/// The default limit of a message in bytes: 1 MiB, which servers and gateways usually accept.
pub const DEFAULT_MESSAGE_BYTES: usize = 1 << 20;

/// Bytes of the longest message with a single operation: the largest operation and 64 KiB for everything else. Every
/// side accepts it, whatever its limit, because such an operation does not fit otherwise.
pub const ONE_OP_MESSAGE_BYTES: usize = MAX_OP_BYTES + MAX_OTHER_BYTES;

/// Bytes of a message besides its operations.
const MAX_OTHER_BYTES: usize = 64 << 10;
/// Those of them that are not ranges.
const HEAD_BYTES: usize = MAX_OTHER_BYTES - MAX_RANGES_BYTES;

/// The highest limit of a message in bytes: 16 MiB.
pub const MAX_MESSAGE_BYTES: usize = 16 << 20;

/// Ranges of a message.
pub(crate) const MAX_RANGES: usize = 4096;

/// Short ids in all ranges of a message together.
pub(crate) const MAX_IDS: usize = 4096;

/// A range with at most this many operations is listed instead of split.
pub(crate) const LIST_THRESHOLD: usize = 64;

/// Parts into which a range is split.
pub(crate) const BRANCHING: usize = 16;

/// The number of newest operations that the first answer lists if the two sides seem to differ.
pub(crate) const NEWEST: usize = 128;

/// Ranges that an initiator keeps for later requests. Beyond that, ranges are requested whole instead of split.
pub(crate) const MAX_PENDING: usize = 1 << 16;

/// Bytes of these ranges. Beyond that, the session leaves ranges to the next one.
pub(crate) const MAX_PENDING_BYTES: usize = 8 << 20;

/// Operations of which a message asks for another copy.
pub(crate) const MAX_ALTERNATES_WANTED: usize = 64;

/// Claims about bad copies that a message makes in version 2. A session makes as many, besides those of its first
/// message, and [`CLAIMS_PER_COPY`] more for each good copy that it has received for one.
pub(crate) const MAX_CLAIMS: usize = 16;

/// Claims that a good copy allows: whoever gives one tells the truth about others too.
pub(crate) const CLAIMS_PER_COPY: usize = 4;

/// Bytes of the names of an operation with an unknown key, together, up to which it is hashed in any number: a message
/// can use a name many times.
pub(crate) const MAX_HASHED_NAMES: usize = 256;

/// Operations of which a session sends another copy because the peer asked.
pub(crate) const MAX_ALTERNATES_SENT: usize = 1024;

/// Operations refused for their signature that a session remembers, to see whether a genuine copy followed; and
/// operations with longer names, refused for an unknown key of a known actor, that a session or a push hashes.
pub(crate) const MAX_BAD_SIGNATURES: usize = 4096;

/// Sessions that a responder remembers for resumption. Each takes a few hundred bytes, and 8 for each run of operations
/// that was received or sent.
pub(crate) const MAX_SESSIONS: usize = 1024;

/// Runs of operations of a session to resume. A session with more cannot be resumed.
pub(crate) const MAX_RUNS: usize = 4096;

/// Snapshots of the log that a responder keeps between the messages of a session, about 4.3 bytes an operation each.
pub(crate) const MAX_SNAPSHOTS: usize = 4;

/// Operations that a session refuses before it ends with what it has; a push ends with an error.
pub(crate) const MAX_REFUSED: u64 = 72 << 10;

/// This many refused operations in an answer, or operations refused earlier that the peer no longer holds, count as
/// progress, because the peer was working.
pub(crate) const REFUSED_AS_PROGRESS: u64 = 64;

/// Returns the number of bytes that ranges may fill in a message of at most `limit` bytes.
pub(crate) fn room_for_ranges(limit: usize) -> usize {
    other_bytes(limit).saturating_sub(HEAD_BYTES)
}

/// Returns the number of bytes that operations may fill in a message of at most `limit` bytes. A single operation may
/// fill more.
pub(crate) fn room_for_ops(limit: usize) -> usize {
    limit.saturating_sub(other_bytes(limit))
}

/// Returns the number of bytes that runs of refused operations may fill in an answer of at most `limit` bytes. They
/// take from the room for operations.
pub(crate) fn room_for_runs(limit: usize) -> usize {
    room_for_ops(limit) / 2
}

fn other_bytes(limit: usize) -> usize {
    MAX_OTHER_BYTES.min(limit / 2)
}

/// Returns the number of answers in a row without a new operation after which a session ends with an error, for logs of
/// up to `count` operations: twice the levels of a tree of 16 branches, and 8.
pub(crate) fn max_idle_rounds(count: u64) -> u32 {
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
