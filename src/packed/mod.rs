//! Containers for millions of small things: they grow without doubling and point with four bytes.

mod bits;
mod blobs;
mod interned;
mod key;
mod narrow;
mod numbers;
mod paged;
mod texts;

pub(crate) use bits::Bits;
pub(crate) use blobs::{BlobAddress, Blobs};
pub(crate) use interned::{Interned, Names};
pub(crate) use key::{Key, PackedOption, impl_key};
pub(crate) use narrow::Narrow;
pub(crate) use numbers::Numbers;
pub(crate) use paged::Paged;
pub(crate) use texts::{TextAddress, Texts};

/// A position as an index. Positions are four bytes wide to halve what an operation costs; the targets this crate is
/// built for have at least 32-bit addresses.
#[inline]
#[expect(clippy::expect_used, reason = "addresses have at least 32 bits on every target of this crate")]
pub(crate) fn index(position: u32) -> usize {
    usize::try_from(position).expect("addresses have at least 32 bits")
}
