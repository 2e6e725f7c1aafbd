//! One side's view of a session's operations, which decides how to continue with a range.

use std::ops::Range;

use super::bound::Bound;
use super::fingerprint::{Fingerprinter, ShortId};
use super::snapshot::Snapshot;
use crate::codec::wire::wide;
use crate::op::OpSeq;
use crate::oplog::Index;
use crate::sync::error::PeerMisbehaved;
use crate::sync::proto::RangeContent;
use crate::sync::proto::limits::{BRANCHING, LIST_THRESHOLD};

/// The operations of one side in a session.
#[derive(Clone, Copy)]
pub(crate) struct View<'v> {
    pub(crate) index: &'v Index,
    pub(crate) fingerprinter: &'v Fingerprinter,
    pub(crate) snapshot: &'v Snapshot,
}

/// The next step for a range whose fingerprint the other side sent.
pub(crate) enum OnFingerprint {
    /// Nothing: both sides have the same operations.
    Same,
    /// Send all operations: the other side has none in the range.
    SendAll,
    /// List the operations.
    List,
    /// Send the fingerprint, so that the other side lists its few operations.
    Fingerprint,
    /// Send the fingerprints of these parts.
    Split(Vec<(Bound, Bound)>),
}

/// The differences between the other side's list of a range and this side's operations.
pub(crate) struct OnIds {
    /// Positions of the operations that the other side lacks.
    pub(crate) send: Vec<usize>,
    /// For each id of the list, true if this side lacks the operation; empty if it lacks none.
    pub(crate) wants: Vec<bool>,
}

impl View<'_> {
    pub(crate) fn range(&self, low: &Bound, high: &Bound) -> Range<usize> {
        self.snapshot.range(self.index, low, high)
    }

    /// Returns the numbers of the operations at these positions.
    pub(crate) fn numbers(&self, positions: impl IntoIterator<Item = usize>) -> impl Iterator<Item = OpSeq> {
        positions.into_iter().filter_map(|position| self.snapshot.number(position))
    }

    pub(crate) fn fingerprint(&self, low: &Bound, high: &Bound) -> RangeContent {
        let range = self.range(low, high);
        let count = wide(range.len());
        let fingerprint = self.snapshot.fingerprint(self.index, self.fingerprinter, range);
        RangeContent::Fingerprint { count, fingerprint }
    }

    pub(crate) fn ids(&self, low: &Bound, high: &Bound) -> RangeContent {
        RangeContent::Ids(self.snapshot.ids(self.index, self.fingerprinter, self.range(low, high)))
    }

    pub(crate) fn on_fingerprint(
        &self,
        low: &Bound,
        high: &Bound,
        count: u64,
        fingerprint: ShortId,
    ) -> OnFingerprint {
        let range = self.range(low, high);
        let mine = wide(range.len());
        let same = || fingerprint == self.snapshot.fingerprint(self.index, self.fingerprinter, range.clone());
        if count == mine && same() {
            OnFingerprint::Same
        } else if count == 0 {
            OnFingerprint::SendAll
        } else if mine <= wide(LIST_THRESHOLD) {
            OnFingerprint::List
        } else if count <= wide(LIST_THRESHOLD) {
            OnFingerprint::Fingerprint
        } else {
            OnFingerprint::Split(self.split(low, high, range))
        }
    }

    /// Splits a range into parts with about the same number of operations.
    fn split(&self, low: &Bound, high: &Bound, range: Range<usize>) -> Vec<(Bound, Bound)> {
        let mut parts = Vec::with_capacity(BRANCHING);
        let mut start = low.clone();
        let mut last = range.start;
        for part in 1..BRANCHING {
            let ideal = range.start + range.len() * part / BRANCHING;
            let cut = self.snapshot.cut_near(self.index, ideal, &range);
            let bound = self.snapshot.bound_at(self.index, cut);
            if cut > last && start < bound && bound < *high {
                parts.push((std::mem::replace(&mut start, bound.clone()), bound));
                last = cut;
            }
        }
        parts.push((start, high.clone()));
        parts
    }

    pub(crate) fn on_ids(&self, low: &Bound, high: &Bound, theirs: &[ShortId]) -> OnIds {
        let range = self.range(low, high);
        let ours = self.snapshot.ids(self.index, self.fingerprinter, range.clone());
        let sorted = |ids: &[ShortId]| {
            let mut sorted = ids.to_vec();
            sorted.sort_unstable();
            sorted
        };
        let (sorted_ours, sorted_theirs) = (sorted(&ours), sorted(theirs));
        let positions = range.zip(&ours);
        let send = positions
            .filter(|(_, id)| sorted_theirs.binary_search(id).is_err())
            .map(|(position, _)| position)
            .collect();
        let mut wants: Vec<bool> = theirs.iter().map(|id| sorted_ours.binary_search(id).is_err()).collect();
        if !wants.contains(&true) {
            wants.clear();
        }
        OnIds { send, wants }
    }
    /// Returns the positions of the operations that the other side wants of a range.
    pub(crate) fn wanted(
        &self,
        low: &Bound,
        high: &Bound,
        wants: &[bool],
    ) -> Result<Vec<usize>, PeerMisbehaved> {
        let range = self.range(low, high);
        let (found, expected) = (wants.len(), range.len());
        if found != expected {
            return Err(PeerMisbehaved::Wants { found, expected });
        }
        Ok(range.zip(wants).filter(|(_, wanted)| **wanted).map(|(position, _)| position).collect())
    }
}
