//! Alternates of operations, at a replica that does not check signatures.
//!
//! The signature is not part of an operation's identity. A replica that verifies holds one copy of each operation, with
//! a genuine signature. A replica that accepts unverified operations may hold a copy with a forged signature. When a
//! peer that verifies refuses that copy, the replica collects alternates: other signatures of the same operation. It
//! sends them all.

use std::collections::{BTreeMap, VecDeque};

use super::Replica;
use super::options::SignatureCheck;
use crate::codec::OpHash;
use crate::crypto::Signature;
use crate::op::{OpSeq, SignedOpRef};

/// Operations whose alternates are collected. The oldest makes room for a new one.
const MAX_OPERATIONS: usize = 1024;
/// Alternates of one operation. The oldest makes room for a new one.
const MAX_ALTERNATES: usize = 4;

/// Another kid and signature of an operation.
pub(crate) type Alternate = (Box<str>, Signature);

/// The operations whose alternates are collected, with these alternates. They are kept in memory only: after a restart,
/// a peer that refuses a copy reports it again.
#[derive(Default)]
pub(super) struct Alternates {
    of: BTreeMap<OpHash, Vec<Alternate>>,
    /// The oldest first.
    order: VecDeque<OpHash>,
}

impl Alternates {
    /// Starts to collect alternates of an operation.
    fn collect(&mut self, hash: &OpHash) {
        if self.of.contains_key(hash) {
            return;
        }
        if self.order.len() >= MAX_OPERATIONS
            && let Some(oldest) = self.order.pop_front()
        {
            self.of.remove(&oldest);
        }
        self.of.insert(*hash, Vec::new());
        self.order.push_back(*hash);
    }
}

impl Replica {
    /// Starts to collect alternates of an operation, because a peer refused this replica's copy for its signature. Does
    /// nothing at a replica that verifies.
    pub(crate) fn collect_alternates(&mut self, hash: &OpHash) {
        if self.signatures == SignatureCheck::Skipped && self.log.contains(hash) {
            self.alternates.collect(hash);
        }
    }

    /// Returns the operations whose alternates are collected, the newest request first.
    pub(crate) fn wanted_alternates(&self) -> impl Iterator<Item = &OpHash> {
        self.alternates.order.iter().rev()
    }

    /// Adds an alternate of an operation, if its alternates are collected and this one is new.
    pub(crate) fn add_alternate(&mut self, hash: &OpHash, kid: &str, signature: Signature) {
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
