//! What to say next of a range, given what the other side said of it.

use std::ops::Range;

use super::bound::Bound;
use super::limits::{LEAF, SPLIT};
use super::prf::{Prf, ShortId};
use super::ranges::Said;
use super::snapshot::Snapshot;
use super::wire::wide;
use crate::oplog::Index;

/// One side's operations, as a session sees them.
#[derive(Clone, Copy)]
pub(super) struct View<'v> {
    pub(super) index: &'v Index,
    pub(super) prf: &'v Prf,
    pub(super) snapshot: &'v Snapshot,
}

/// What to do about a range of which the other side told a fingerprint.
pub(super) enum OnPrint {
    /// Both have the same.
    Same,
    /// The other side has nothing there.
    SendAll,
    /// List what is there.
    List,
    /// Tell the fingerprint, so that the other side lists its few.
    Print,
    /// Tell the fingerprints of parts.
    Split(Vec<(Bound, Bound)>),
}

/// What the other side's list of a range leaves to do.
pub(super) struct OnIds {
    /// Positions of ours that it does not have.
    pub(super) send: Vec<usize>,
    /// Which places of its list we do not have; empty when there are none.
    pub(super) wants: Vec<bool>,
}

impl View<'_> {
    pub(super) fn range(&self, low: &Bound, high: &Bound) -> Range<usize> {
        self.snapshot.range(self.index, low, high)
    }

    pub(super) fn print(&self, low: &Bound, high: &Bound) -> Said {
        let range = self.range(low, high);
        let count = wide(range.len());
        Said::Print { count, print: self.snapshot.print(self.index, self.prf, range) }
    }

    pub(super) fn ids(&self, low: &Bound, high: &Bound) -> Said {
        Said::Ids(self.snapshot.ids(self.index, self.prf, self.range(low, high)))
    }

    pub(super) fn on_print(&self, low: &Bound, high: &Bound, count: u64, print: ShortId) -> OnPrint {
        let range = self.range(low, high);
        let mine = wide(range.len());
        if count == mine && print == self.snapshot.print(self.index, self.prf, range.clone()) {
            OnPrint::Same
        } else if count == 0 {
            OnPrint::SendAll
        } else if mine <= wide(LEAF) {
            OnPrint::List
        } else if count <= wide(LEAF) {
            OnPrint::Print
        } else {
            OnPrint::Split(self.split(low, high, range))
        }
    }

    /// Parts of a range, with about the same number of operations.
    fn split(&self, low: &Bound, high: &Bound, range: Range<usize>) -> Vec<(Bound, Bound)> {
        let mut parts = Vec::with_capacity(SPLIT);
        let mut start = low.clone();
        let mut last = range.start;
        for part in 1..SPLIT {
            let ideal = range.start + range.len() * part / SPLIT;
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

    pub(super) fn on_ids(&self, low: &Bound, high: &Bound, theirs: &[ShortId]) -> OnIds {
        let range = self.range(low, high);
        let ours = self.snapshot.ids(self.index, self.prf, range.clone());
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
}
