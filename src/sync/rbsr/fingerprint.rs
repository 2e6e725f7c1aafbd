//! Fingerprints of sets of operations.
//!
//! The fingerprint of a set is the sum of a pseudo-random number for each operation. The numbers depend on a key, which
//! does not exist before both sets are fixed: so nobody can choose operations whose fingerprints collide.

use std::collections::BTreeSet;

use crate::codec::OpHash;
use crate::crypto::Sodium;
use crate::op::OpSeq;
use crate::oplog::Index;
use crate::sync::proto::first_8;

/// The low 8 bytes of the number of one operation, or of a sum over a range.
pub(crate) type ShortId = [u8; 8];

/// Maps each operation to a pseudo-random number: SipHash-2-4-128 of its hash, with the session's key.
#[derive(Clone, Copy)]
pub(crate) struct Fingerprinter {
    crypto: Sodium,
    key: [u8; 16],
}

impl Fingerprinter {
    pub(crate) const fn new(crypto: Sodium, key: [u8; 16]) -> Self {
        Self { crypto, key }
    }

    /// Returns the number of an operation.
    pub(crate) fn of(&self, hash: &OpHash) -> u128 {
        u128::from_le_bytes(self.crypto.short_hash(&self.key, hash.as_bytes()))
    }

    /// Returns the sum over a set of operations.
    pub(crate) fn sum(&self, index: &Index, numbers: &BTreeSet<OpSeq>) -> u128 {
        numbers.iter().fold(0, |sum, number| sum.wrapping_add(self.of(index.hash(*number))))
    }

    pub(crate) fn short_id(&self, hash: &OpHash) -> ShortId {
        short(self.of(hash))
    }
}

/// The number of operations in a set, and the sum over them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) count: u64,
    pub(crate) sum: u128,
}

impl Tally {
    /// Adds an operation by its pseudo-random number.
    pub(crate) fn add(&mut self, number: u128) {
        self.count = self.count.saturating_add(1);
        self.sum = self.sum.wrapping_add(number);
    }
}

/// Returns the part of a sum that is sent.
pub(crate) fn short(sum: u128) -> ShortId {
    first_8(&sum.to_le_bytes())
}
