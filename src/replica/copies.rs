//! Other copies of operations, at a replica that cannot tell which is genuine.
//!
//! The signature is not part of an operation's identity. A replica that verifies holds one copy of each, with a
//! signature that it has checked. One that was opened to accept unverified operations may hold a copy with junk in the
//! signature's place; when somebody who verifies says so, it takes other copies in too, and hands them all on.

use std::collections::{BTreeMap, VecDeque};

use super::Replica;
use crate::codec::OpHash;
use crate::crypto::Signature;
use crate::op::OpSeq;

/// Operations in doubt that are remembered, those that were doubted last.
const MAX_DOUBTED: usize = 1024;
/// Further copies of one operation, the last that came.
const MAX_COPIES: usize = 4;

/// A kid and a signature.
pub(crate) type OtherCopy = (Box<str>, Signature);

/// Operations in doubt, with what other copies have come. In memory: after a restart, whoever is refused a copy says so
/// again.
#[derive(Default)]
pub(super) struct Copies {
    of: BTreeMap<OpHash, Vec<OtherCopy>>,
    /// From the one that was doubted first.
    order: VecDeque<OpHash>,
}

impl Replica {
    /// Whether this replica admits operations without checking their signature.
    #[must_use]
    pub fn accepts_unverified(&self) -> bool {
        self.unverified
    }

    /// Notes that somebody refused this replica's copy of an operation for its signature. A replica that verifies knows
    /// better.
    pub(crate) fn doubt(&mut self, hash: &OpHash) {
        if !self.unverified || !self.log.contains(hash) || self.copies.of.contains_key(hash) {
            return;
        }
        if self.copies.order.len() >= MAX_DOUBTED
            && let Some(oldest) = self.copies.order.pop_front()
        {
            self.copies.of.remove(&oldest);
        }
        self.copies.of.insert(*hash, Vec::new());
        self.copies.order.push_back(*hash);
    }

    /// The operations in doubt, those that were doubted last first.
    pub(crate) fn doubted(&self) -> impl Iterator<Item = &OpHash> {
        self.copies.order.iter().rev()
    }

    /// Keeps another copy of an operation in doubt, in the place of the oldest where there are enough.
    pub(crate) fn keep_copy(&mut self, hash: &OpHash, kid: &str, signature: Signature) {
        let Some(copies) = self.copies.of.get_mut(hash) else { return };
        let is_known = copies.iter().any(|(other, known)| **other == *kid && *known == signature);
        let is_stored = self.log.index().find(hash).is_some_and(|seq| {
            let same =
                |stored: crate::op::SignedOpRef<'_>| stored.kid() == kid && stored.signature() == signature;
            self.log.with_op(seq, same).unwrap_or(false)
        });
        if is_known || is_stored {
            return;
        }
        if copies.len() >= MAX_COPIES {
            copies.remove(0);
        }
        copies.push((kid.into(), signature));
    }

    /// What other copies there are of the operation of this number.
    pub(crate) fn copies_of(&self, seq: OpSeq) -> &[OtherCopy] {
        if self.copies.of.is_empty() {
            return &[];
        }
        self.copies.of.get(self.log.index().hash(seq)).map_or(&[], Vec::as_slice)
    }
}
