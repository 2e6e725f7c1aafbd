//! The number of an operation in the local log.

use std::fmt;

/// The number of an operation in the local log: from 0, without gaps, in the order of arrival.
///
/// Two logs may number the same operations differently, so a number is only valid in its own log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpSeq(u32);

crate::packed::impl_key!(OpSeq);

impl OpSeq {
    /// The number of the first operation.
    pub const FIRST: Self = Self(0);

    /// Creates the number of the operation before which `count` others arrived.
    #[must_use]
    pub const fn new(count: u32) -> Self {
        Self(count)
    }

    /// Returns the number of operations before this one.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Returns the number `count` operations later, or `None` past the end of the range.
    #[must_use]
    pub fn checked_add(self, count: u32) -> Option<Self> {
        self.0.checked_add(count).map(Self)
    }

    /// Returns the numbers from this one up to `end`, which is not included.
    pub fn until(self, end: Self) -> impl DoubleEndedIterator<Item = Self> + Clone + use<> {
        (self.0..end.0).map(Self)
    }

    /// Returns this number and all that follow.
    pub fn onwards(self) -> impl Iterator<Item = Self> + use<> {
        (self.0..=u32::MAX).map(Self)
    }
}

impl From<OpSeq> for u64 {
    fn from(seq: OpSeq) -> Self {
        seq.0.into()
    }
}

impl fmt::Display for OpSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
