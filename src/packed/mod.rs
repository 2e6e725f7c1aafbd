//! Containers for millions of small entries, with positions of four bytes.

mod arena;
mod chunked_vec;
mod interner;
mod key;

pub(crate) use arena::{ByteAddress, ByteArena, StrAddress, StrArena};
pub(crate) use chunked_vec::{BitSet, ChunkedVec, CompactVec};
pub(crate) use interner::{HashIndex, Interner, StrInterner};
pub(crate) use key::{Key, PackedOption, impl_key};

/// Converts a position to an index. Positions are four bytes wide to halve the memory of an operation.
#[inline]
#[expect(clippy::expect_used, reason = "addresses have at least 32 bits on every target of this crate")]
pub(crate) fn index(position: u32) -> usize {
    usize::try_from(position).expect("addresses have at least 32 bits")
}
