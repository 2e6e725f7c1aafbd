//! The operations that a session covers, in order, with sums for their fingerprints.

use std::ops::Range;

use super::bound::Bound;
use super::fingerprint::{Fingerprinter, ShortId, short};
use crate::codec::wire::wide;
use crate::op::OpSeq;
use crate::oplog::Index;
use crate::sync::resume::CommonOps;

/// Operations of a block. There is a sum for each block; the sum over a part of a block is computed.
const BLOCK: usize = 64;
/// The distance from an ideal cut within which the position with the shortest bound is chosen.
const WINDOW: usize = 4;

/// The operations of a log at one time, without those that are known to be common. It does not change when more
/// operations arrive.
pub(crate) struct Snapshot {
    /// Numbers of operations, in the total order.
    order: Vec<OpSeq>,
    /// The sum over all operations before each block, and over all.
    sums: Vec<u128>,
}

impl Snapshot {
    /// Takes the operations with numbers below `cursor` that are not common.
    pub(crate) fn new(
        index: &Index,
        fingerprinter: &Fingerprinter,
        cursor: OpSeq,
        common: Option<&CommonOps>,
    ) -> Self {
        let order = ordered_numbers(index, cursor, common);
        let mut sums = Vec::with_capacity(order.len() / BLOCK + 2);
        let mut sum = 0_u128;
        sums.push(sum);
        for block in order.chunks(BLOCK) {
            for number in block {
                sum = sum.wrapping_add(fingerprinter.of(index.hash(*number)));
            }
            sums.push(sum);
        }
        Self { order, sums }
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// Returns the number of operations as it is sent.
    pub(crate) fn count(&self) -> u64 {
        wide(self.len())
    }

    /// Returns the sum over all operations.
    pub(crate) fn total(&self) -> u128 {
        self.sums.last().copied().unwrap_or(0)
    }

    /// Returns the number of the operation at a position.
    pub(crate) fn number(&self, position: usize) -> Option<OpSeq> {
        self.order.get(position).copied()
    }

    fn numbers(&self, range: Range<usize>) -> &[OpSeq] {
        self.order.get(range).unwrap_or_default()
    }

    /// Returns the positions between two bounds.
    pub(crate) fn range(&self, index: &Index, low: &Bound, high: &Bound) -> Range<usize> {
        let position = |bound: &Bound| self.order.partition_point(|number| bound.is_after(index, *number));
        let start = position(low);
        start..position(high).max(start)
    }

    pub(crate) fn fingerprint(
        &self,
        index: &Index,
        fingerprinter: &Fingerprinter,
        range: Range<usize>,
    ) -> ShortId {
        let before = |position| self.sum_before(index, fingerprinter, position);
        short(before(range.end).wrapping_sub(before(range.start)))
    }

    /// Returns the sum over all operations before a position.
    fn sum_before(&self, index: &Index, fingerprinter: &Fingerprinter, position: usize) -> u128 {
        let block = position / BLOCK;
        let sum = self.sums.get(block).copied().unwrap_or(0);
        let rest = self.numbers(block * BLOCK..position);
        rest.iter().fold(sum, |sum, number| sum.wrapping_add(fingerprinter.of(index.hash(*number))))
    }

    pub(crate) fn ids(
        &self,
        index: &Index,
        fingerprinter: &Fingerprinter,
        range: Range<usize>,
    ) -> Vec<ShortId> {
        self.numbers(range).iter().map(|number| fingerprinter.short_id(index.hash(*number))).collect()
    }

    /// Returns the bound just before a position.
    pub(crate) fn bound_at(&self, index: &Index, position: usize) -> Bound {
        let Some(after) = self.order.get(position) else { return Bound::End };
        match position.checked_sub(1).and_then(|before| self.order.get(before)) {
            Some(before) => Bound::between(index, *before, *after),
            None => Bound::start(),
        }
    }

    /// Returns a position near this one, strictly within `within`, whose bound is short.
    pub(crate) fn cut_near(&self, index: &Index, position: usize, within: &Range<usize>) -> usize {
        let low = position.saturating_sub(WINDOW).max(within.start + 1);
        let high = (position + WINDOW).min(within.end.saturating_sub(1));
        let level = |at: usize| match (self.order.get(at.saturating_sub(1)), self.order.get(at)) {
            (Some(before), Some(after)) => Bound::level_between(index, *before, *after),
            _ => u64::MAX,
        };
        let nearest_shortest = (low..=high).min_by_key(|at| (level(*at), at.abs_diff(position)));
        nearest_shortest.unwrap_or(position)
    }
}

/// Returns the numbers below `cursor` that are not common, in the total order.
fn ordered_numbers(index: &Index, cursor: OpSeq, common: Option<&CommonOps>) -> Vec<OpSeq> {
    let Some(common) = common else {
        return index.in_order().filter(|number| *number < cursor).collect();
    };
    let mut others: Vec<OpSeq> = common.others(cursor).collect();
    if others.len() > crate::packed::index(index.len()) / 8 {
        return index.in_order().filter(|number| *number < cursor && !common.contains(*number)).collect();
    }
    others.sort_unstable_by(|a, b| index.compare(*a, *b));
    others
}
