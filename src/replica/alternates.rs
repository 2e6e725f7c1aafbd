//! Alternates of operations, at a replica that does not check signatures.
//!
//! The signature is not part of an operation's identity. A *copy* of an operation is a kid and a signature of it; an
//! *alternate* is a copy besides the one in the log. A replica that verifies holds one copy of each operation, with a
//! genuine signature. A replica that accepts unverified operations may hold a copy with a forged signature. When a peer
//! that verifies refuses that copy, the replica collects alternates. It sends them all.

use std::collections::{BTreeMap, VecDeque};

use super::options::SignatureCheck;
use super::{CopyDigest, CopySet, Replica};
use crate::codec::OpHash;
use crate::crypto::Signature;
use crate::op::{OpSeq, SignedOpRef};

/// Operations whose alternates are collected. The oldest makes room for a new one.
const MAX_OPERATIONS: usize = 1024;
/// Alternates of one operation. The oldest makes room for a new one.
const MAX_ALTERNATES: usize = 4;
/// The most weight of a doubt.
const MAX_WEIGHT: u8 = 8;

/// The kid and signature of an alternate.
pub(crate) type Alternate = (Box<str>, Signature);

/// The operations whose alternates are collected, with these alternates. They are kept in memory only: after a restart,
/// a peer that refuses a copy reports it again.
#[derive(Default)]
pub(super) struct Alternates {
    of: BTreeMap<OpHash, Vec<Alternate>>,
    /// The oldest first.
    order: VecDeque<OpHash>,
    /// Those of them of which another copy is wanted, the oldest first.
    unsettled: VecDeque<Doubt>,
}

/// A doubt in the copies of an operation.
struct Doubt {
    hash: OpHash,
    /// The claims that the copies are bad, less the statements that another peer has the same ones. Neither can be
    /// checked here, so none weighs more than the other.
    weight: u8,
}

impl Alternates {
    /// Starts to collect alternates of an operation, or adds to the doubt in its copies.
    fn collect(&mut self, hash: &OpHash) {
        match self.unsettled.iter_mut().find(|doubt| doubt.hash == *hash) {
            Some(doubt) => doubt.weight = doubt.weight.saturating_add(1).min(MAX_WEIGHT),
            None => self.unsettled.push_back(Doubt { hash: *hash, weight: 1 }),
        }
        if self.of.contains_key(hash) {
            return;
        }
        if self.order.len() >= MAX_OPERATIONS
            && let Some(oldest) = self.order.pop_front()
        {
            self.of.remove(&oldest);
            self.settle(&oldest);
        }
        self.of.insert(*hash, Vec::new());
        self.order.push_back(*hash);
    }

    /// Takes from the doubt in the copies of an operation: a peer has the same ones.
    fn weaken(&mut self, hash: &OpHash) {
        if let Some(doubt) = self.unsettled.iter_mut().find(|doubt| doubt.hash == *hash) {
            doubt.weight = doubt.weight.saturating_sub(1);
        }
        self.unsettled.retain(|doubt| doubt.weight > 0);
    }

    /// Ends the doubt in the copies of an operation: another one has come.
    fn settle(&mut self, hash: &OpHash) {
        self.unsettled.retain(|doubt| doubt.hash != *hash);
    }
}

/// The outcome of a claim that the copies of an operation are bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// The replica lacks the operation.
    Unknown,
    /// The replica verifies, and holds just this copy.
    SameCopies,
    /// The replica holds other copies of this operation than those that were refused.
    OtherCopies(OpSeq),
}

impl Replica {
    /// Starts to collect alternates of an operation, because a peer refused this replica's copy for its signature. Does
    /// nothing at a replica that verifies.
    pub(crate) fn collect_alternates(&mut self, hash: &OpHash) {
        if self.signatures == SignatureCheck::Skipped && self.log.contains(hash) {
            self.alternates.collect(hash);
        }
    }

    /// Returns the operations of which a copy of another peer is wanted, the newest request first.
    pub(crate) fn wanted_alternates(&self) -> impl Iterator<Item = &OpHash> {
        self.alternates.unsettled.iter().rev().map(|doubt| &doubt.hash)
    }

    /// Notes that a peer holds the copies of an operation with this digest, and no others. That says nothing about
    /// others that are here.
    pub(crate) fn note_same_copies(&mut self, hash: &OpHash, same: CopyDigest) {
        if self.log.find_confirmed(hash).is_some_and(|seq| self.copies_of(seq) == same) {
            self.alternates.weaken(hash);
        }
    }

    /// Examines the claim of a peer that the copies with this digest are bad. A replica that does not verify begins to
    /// collect others if it holds just these.
    pub(crate) fn examine_claim(&mut self, hash: &OpHash, refused: CopyDigest) -> Claim {
        let Some(seq) = self.log.find_confirmed(hash) else { return Claim::Unknown };
        if self.copies_of(seq) != refused {
            return Claim::OtherCopies(seq);
        }
        if self.signatures == SignatureCheck::Required {
            return Claim::SameCopies;
        }
        self.collect_alternates(hash);
        Claim::Unknown
    }

    /// Returns the digest over all copies of an operation.
    pub(crate) fn copies_of(&self, seq: OpSeq) -> CopyDigest {
        let (crypto, hash) = (self.crypto, self.log.index().hash(seq));
        let mut copies = self.other_copies(seq);
        // A copy that cannot be read is left out: then the digest is another.
        _ = self.log.with_op(seq, |signed| copies.add(crypto, hash, signed.kid(), signed.signature()));
        copies.digest(crypto, hash)
    }

    /// Returns the digest over the alternates of an operation.
    pub(crate) fn alternates_of(&self, seq: OpSeq) -> CopyDigest {
        self.other_copies(seq).digest(self.crypto, self.log.index().hash(seq))
    }

    fn other_copies(&self, seq: OpSeq) -> CopySet {
        let mut copies = CopySet::default();
        for (kid, signature) in self.alternates(seq) {
            copies.add(self.crypto, self.log.index().hash(seq), kid, *signature);
        }
        copies
    }

    /// Adds an alternate of an operation, if its alternates are collected. Returns true if this one is new.
    pub(crate) fn add_alternate(&mut self, hash: &OpHash, kid: &str, signature: Signature) -> bool {
        let Some(alternates) = self.alternates.of.get_mut(hash) else { return false };
        let is_known = alternates.iter().any(|(other, known)| **other == *kid && *known == signature);
        let is_stored = self.log.index().find(hash).is_some_and(|seq| {
            let same = |stored: SignedOpRef<'_>| stored.kid() == kid && stored.signature() == signature;
            self.log.with_op(seq, same).unwrap_or(false)
        });
        if is_known || is_stored {
            self.alternates.weaken(hash);
            return false;
        }
        if alternates.len() >= MAX_ALTERNATES {
            alternates.remove(0);
        }
        alternates.push((kid.into(), signature));
        self.alternates.settle(hash);
        true
    }

    /// Returns the alternates of an operation.
    pub(crate) fn alternates(&self, seq: OpSeq) -> &[Alternate] {
        if self.alternates.of.is_empty() {
            return &[];
        }
        self.alternates.of.get(self.log.index().hash(seq)).map_or(&[], Vec::as_slice)
    }
}
