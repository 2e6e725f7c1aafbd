//! Alternates of operations, at a replica that does not check signatures.
//!
//! The signature is not part of an operation's identity. A *copy* of an operation is a kid and a signature of it; an
//! *alternate* is a copy besides the one in the log. A replica that verifies holds one copy of each operation, with a
//! genuine signature. A replica that accepts unverified operations may hold a copy with a forged signature. When a peer
//! that verifies refuses that copy, the replica collects alternates. It sends them all.

use std::collections::{BTreeMap, VecDeque};

use super::options::SignatureCheck;
use super::{CopyDigest, Replica};
use crate::codec::OpHash;
use crate::codec::tags::SYNC_COPY;
use crate::crypto::Signature;
use crate::op::{OpSeq, SignedOpRef};

/// Operations whose alternates are collected. The oldest makes room for a new one.
const MAX_OPERATIONS: usize = 1024;
/// Alternates of one operation. The oldest makes room for a new one.
const MAX_ALTERNATES: usize = 4;

/// The kid and signature of an alternate.
pub(crate) type Alternate = (Box<str>, Signature);

/// The operations whose alternates are collected, with these alternates. They are kept in memory only: after a restart,
/// a peer that refuses a copy reports it again.
#[derive(Default)]
pub(super) struct Alternates {
    of: BTreeMap<OpHash, Vec<Alternate>>,
    /// The oldest first.
    order: VecDeque<OpHash>,
    /// Those of them of which no peer has given its copy yet, the oldest first.
    unsettled: VecDeque<OpHash>,
}

impl Alternates {
    /// Starts to collect alternates of an operation.
    fn collect(&mut self, hash: &OpHash) {
        if !self.unsettled.contains(hash) {
            self.unsettled.push_back(*hash);
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

    fn settle(&mut self, hash: &OpHash) {
        self.unsettled.retain(|unsettled| unsettled != hash);
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
        self.alternates.unsettled.iter().rev()
    }

    /// Notes that a peer holds no other copy of the operation, or has given it.
    pub(crate) fn settle_alternates(&mut self, hash: &OpHash) {
        self.alternates.settle(hash);
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
        let stored = self.log.with_op(seq, |signed| self.copy_digest(signed.kid(), signed.signature()));
        self.alternates_of(seq).and(stored.unwrap_or_default())
    }

    /// Returns the digest over the alternates of an operation.
    pub(crate) fn alternates_of(&self, seq: OpSeq) -> CopyDigest {
        let digests = self.alternates(seq).iter().map(|(kid, signature)| self.copy_digest(kid, *signature));
        digests.fold(CopyDigest::default(), CopyDigest::and)
    }

    /// Returns the digest over one copy.
    pub(crate) fn copy_digest(&self, kid: &str, signature: Signature) -> CopyDigest {
        let mut text = SYNC_COPY.to_vec();
        text.extend_from_slice(signature.as_bytes());
        text.extend_from_slice(kid.as_bytes());
        CopyDigest::of_copy(self.crypto.hash(&text).first())
    }

    /// Adds an alternate of an operation, if its alternates are collected and this one is new.
    pub(crate) fn add_alternate(&mut self, hash: &OpHash, kid: &str, signature: Signature) {
        if !self.alternates.of.contains_key(hash) {
            return;
        }
        // Whichever copy the peer has, it has given it.
        self.alternates.settle(hash);
        let Some(alternates) = self.alternates.of.get_mut(hash) else { return };
        let is_known = alternates.iter().any(|(other, known)| **other == *kid && *known == signature);
        let is_stored = self.log.index().find(hash).is_some_and(|seq| {
            let same = |stored: SignedOpRef<'_>| stored.kid() == kid && stored.signature() == signature;
            self.log.with_op(seq, same).unwrap_or(false)
        });
        if is_known || is_stored {
            return;
        }
        if alternates.len() >= MAX_ALTERNATES {
            alternates.remove(0);
        }
        alternates.push((kid.into(), signature));
    }

    /// Returns the alternates of an operation.
    pub(crate) fn alternates(&self, seq: OpSeq) -> &[Alternate] {
        if self.alternates.of.is_empty() {
            return &[];
        }
        self.alternates.of.get(self.log.index().hash(seq)).map_or(&[], Vec::as_slice)
    }
}
