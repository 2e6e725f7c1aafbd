//! The operations that a session is about, in order, and their fingerprints.

use std::ops::Range;

use super::base::Common;
use super::bound::Bound;
use super::prf::{Prf, ShortId, short};
use super::wire::wide;
use crate::op::OpSeq;
use crate::oplog::Index;

/// Operations whose sum is kept: what a range cuts in two is added up again.
const BLOCK: usize = 64;
/// Places around the middle of which the one with the shortest bound is taken.
const WINDOW: usize = 4;

/// What a log held at one time, beyond what is common already: numbers in the total order, and sums of their
/// pseudo-random numbers. It does not change, whatever arrives meanwhile.
pub(super) struct Snapshot {
    order: Vec<OpSeq>,
    /// The sum of all before each block, and of all.
    sums: Vec<u128>,
}

impl Snapshot {
    /// The operations below `cursor` that are not in `base`.
    pub(super) fn new(index: &Index, prf: &Prf, cursor: OpSeq, base: Option<&Common>) -> Self {
        let order = numbers(index, cursor, base);
        let mut sums = Vec::with_capacity(order.len() / BLOCK + 2);
        let mut sum = 0_u128;
        sums.push(sum);
        for block in order.chunks(BLOCK) {
            for seq in block {
                sum = sum.wrapping_add(prf.of(index.hash(*seq)));
            }
            sums.push(sum);
        }
        Self { order, sums }
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// The sum over everything.
    pub(super) fn total(&self) -> u128 {
        self.sums.last().copied().unwrap_or(0)
    }

    pub(super) fn numbers(&self, range: Range<usize>) -> &[OpSeq] {
        self.order.get(range).unwrap_or_default()
    }

    /// How many operations come before the bound.
    pub(super) fn position(&self, index: &Index, bound: &Bound) -> usize {
        self.order.partition_point(|seq| bound.is_after(index, *seq))
    }

    pub(super) fn range(&self, index: &Index, low: &Bound, high: &Bound) -> Range<usize> {
        let start = self.position(index, low);
        start..self.position(index, high).max(start)
    }

    /// What is sent of the sum over a range.
    pub(super) fn print(&self, index: &Index, prf: &Prf, range: Range<usize>) -> ShortId {
        short(self.before(index, prf, range.end).wrapping_sub(self.before(index, prf, range.start)))
    }

    /// The sum of all before a position.
    fn before(&self, index: &Index, prf: &Prf, position: usize) -> u128 {
        let block = position / BLOCK;
        let sum = self.sums.get(block).copied().unwrap_or(0);
        let rest = self.numbers(block * BLOCK..position);
        rest.iter().fold(sum, |sum, seq| sum.wrapping_add(prf.of(index.hash(*seq))))
    }

    pub(super) fn ids(&self, index: &Index, prf: &Prf, range: Range<usize>) -> Vec<ShortId> {
        self.numbers(range).iter().map(|seq| prf.short_id(index.hash(*seq))).collect()
    }

    /// The bound just before a position.
    pub(super) fn bound_at(&self, index: &Index, position: usize) -> Bound {
        let Some(after) = self.order.get(position) else { return Bound::End };
        match position.checked_sub(1).and_then(|before| self.order.get(before)) {
            Some(before) => Bound::between(index, *before, *after),
            None => Bound::start(),
        }
    }

    /// A position near this one, strictly within `within`, whose bound is short.
    pub(super) fn cut_near(&self, index: &Index, position: usize, within: &Range<usize>) -> usize {
        let low = position.saturating_sub(WINDOW).max(within.start + 1);
        let high = (position + WINDOW).min(within.end.saturating_sub(1));
        let level = |at: usize| match (self.order.get(at.saturating_sub(1)), self.order.get(at)) {
            (Some(before), Some(after)) => Bound::level_between(index, *before, *after),
            _ => u64::MAX,
        };
        let nearest_shortest = (low..=high).min_by_key(|at| (level(*at), at.abs_diff(position)));
        nearest_shortest.unwrap_or(position)
    }

    /// How many operations there are, for the wire.
    pub(super) fn count(&self) -> u64 {
        wide(self.len())
    }
}

/// The operations below `cursor` that are not in `base`, in order.
pub(super) fn numbers(index: &Index, cursor: OpSeq, base: Option<&Common>) -> Vec<OpSeq> {
    let Some(base) = base else {
        return index.in_order().filter(|seq| *seq < cursor).collect();
    };
    let mut others: Vec<OpSeq> = base.others(cursor).collect();
    if others.len() > crate::packed::index(index.len()) / 8 {
        return index.in_order().filter(|seq| *seq < cursor && !base.contains(*seq)).collect();
    }
    others.sort_unstable_by(|a, b| index.compare(*a, *b));
    others
}
