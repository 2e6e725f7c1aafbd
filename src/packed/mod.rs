//! Containers for millions of small entries, with positions of four bytes.

mod bit_set;
mod byte_arena;
mod chunked_vec;
mod compact_vec;
mod hash_index;
mod interner;
mod key;
mod str_arena;

pub(crate) use bit_set::BitSet;
pub(crate) use byte_arena::{ByteAddress, ByteArena};
pub(crate) use chunked_vec::ChunkedVec;
pub(crate) use compact_vec::CompactVec;
pub(crate) use hash_index::HashIndex;
pub(crate) use interner::{Interner, StrInterner};
pub(crate) use key::{Key, PackedOption, impl_key};
pub(crate) use str_arena::{StrAddress, StrArena};

/// Converts a position to an index. Positions are four bytes wide to halve the memory of an operation.
#[inline]
#[expect(clippy::expect_used, reason = "addresses have at least 32 bits on every target of this crate")]
pub(crate) fn index(position: u32) -> usize {
    usize::try_from(position).expect("addresses have at least 32 bits")
}
