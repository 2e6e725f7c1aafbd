//! One side's view of a session's operations.

use std::ops::Range;
use std::sync::OnceLock;

use super::bound::Bound;
use super::entries::Entries;
use crate::codec::{OpHash, wide};
use crate::crypto::Sodium;
use crate::crypto::first;
use crate::op::OpSeq;
use crate::oplog::Index;
use crate::sync::PeerMisbehaved;
use crate::sync::proto::limits::{BRANCHING, LIST_THRESHOLD};
use crate::sync::resume::CommonOps;

/// The operations of one side in a session.
#[derive(Clone, Copy)]
pub(crate) struct View<'v> {
    pub(crate) entries: Entries<'v>,
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
    /// Runs of positions of the operations that the other side lacks: at most one more than the list has ids.
    pub(crate) send: Vec<Range<usize>>,
    /// For each id of the list, true if this side lacks the operation; empty if it lacks none.
    pub(crate) wants: Vec<bool>,
}

impl View<'_> {
    /// Returns the positions between two bounds.
    pub(crate) fn range(&self, low: &Bound, high: &Bound) -> Range<usize> {
        let order = &self.snapshot.order;
        let position = |bound: &Bound| order.partition_point(|number| bound.is_after(self.entries, *number));
        let start = position(low);
        start..position(high).max(start)
    }

    /// Returns the number of the operation at a position.
    pub(crate) fn number(&self, position: usize) -> Option<OpSeq> {
        self.snapshot.order.get(position).copied()
    }

    /// Returns the numbers of the operations at these positions.
    pub(crate) fn numbers(&self, positions: impl IntoIterator<Item = usize>) -> impl Iterator<Item = OpSeq> {
        positions.into_iter().filter_map(|position| self.number(position))
    }

    pub(crate) fn fingerprint(&self, low: &Bound, high: &Bound) -> RangeContent {
        let range = self.range(low, high);
        RangeContent::Fingerprint { count: wide(range.len()), fingerprint: self.fingerprint_at(&range) }
    }

    pub(crate) fn ids(&self, low: &Bound, high: &Bound) -> RangeContent {
        RangeContent::Ids(self.ids_at(self.range(low, high)))
    }

    fn fingerprint_at(&self, positions: &Range<usize>) -> ShortId {
        short(self.sum_before(positions.end).wrapping_sub(self.sum_before(positions.start)))
    }

    /// Returns the sum over all operations.
    pub(crate) fn total(&self) -> u128 {
        self.sums().last().copied().unwrap_or(0)
    }

    /// Returns the sums over all operations before each block, and over all. A pass over the operations computes them
    /// when they are first needed, so that a request without fingerprints costs none.
    fn sums(&self) -> &[u128] {
        self.snapshot.sums.get_or_init(|| {
            let order = &self.snapshot.order;
            let mut sums = Vec::with_capacity(order.len() / BLOCK + 2);
            let mut sum = 0_u128;
            sums.push(sum);
            for block in order.chunks(BLOCK) {
                self.fingerprinter.of_block(self.entries, block, |_, weight| sum = sum.wrapping_add(weight));
                sums.push(sum);
            }
            sums
        })
    }

    /// Returns the sum over all operations before a position.
    fn sum_before(&self, position: usize) -> u128 {
        let block = position / BLOCK;
        let sum = self.sums().get(block).copied().unwrap_or(0);
        let rest = self.snapshot.order.get(block * BLOCK..position).unwrap_or_default();
        rest.iter().fold(sum, |sum, number| sum.wrapping_add(self.weight_of(*number)))
    }

    fn ids_at(&self, positions: Range<usize>) -> Vec<ShortId> {
        self.numbers(positions).map(|number| short(self.weight_of(number))).collect()
    }

    /// Returns the pseudo-random number of an operation.
    fn weight_of(&self, number: OpSeq) -> u128 {
        self.fingerprinter.of(self.entries.hash(number))
    }

    /// Returns the bound just before a position.
    pub(crate) fn bound_at(&self, position: usize) -> Bound {
        let Some(after) = self.number(position) else { return Bound::End };
        match position.checked_sub(1).and_then(|before| self.number(before)) {
            Some(before) => Bound::between(self.entries, before, after),
            None => Bound::start(),
        }
    }

    /// Returns a position near this one, strictly within `within`, whose bound is short.
    fn cut_near(&self, position: usize, within: &Range<usize>) -> usize {
        let low = position.saturating_sub(WINDOW).max(within.start + 1);
        let high = (position + WINDOW).min(within.end.saturating_sub(1));
        let level = |at: usize| match (self.number(at.saturating_sub(1)), self.number(at)) {
            (Some(before), Some(after)) => Bound::level_between(self.entries, before, after),
            _ => u64::MAX,
        };
        let nearest_shortest = (low..=high).min_by_key(|at| (level(*at), at.abs_diff(position)));
        nearest_shortest.unwrap_or(position)
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
        if count == mine && fingerprint == self.fingerprint_at(&range) {
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
            let cut = self.cut_near(ideal, &range);
            let bound = self.bound_at(cut);
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
        // Who has nothing may ask for everything, which costs no pass over it.
        if theirs.is_empty() {
            return OnIds {
                send: Vec::from_iter(Some(range).filter(|range| !range.is_empty())),
                wants: Vec::new(),
            };
        }
        let mut sorted: Vec<(ShortId, usize)> = theirs.iter().copied().zip(0..).collect();
        sorted.sort_unstable();
        let mut wants = vec![true; theirs.len()];
        let mut send: Vec<Range<usize>> = Vec::new();
        let mut compare = |position: usize, weight: u128| {
            let id = short(weight);
            let first = sorted.partition_point(|(other, _)| *other < id);
            let same = sorted.iter().skip(first).take_while(|(other, _)| *other == id);
            let mut is_there = false;
            for (_, at) in same {
                is_there = true;
                wants.get_mut(*at).into_iter().for_each(|wanted| *wanted = false);
            }
            match send.last_mut().filter(|run| run.end == position) {
                _ if is_there => {}
                Some(run) => run.end += 1,
                None => send.push(position..position + 1),
            }
        };
        let numbers = self.snapshot.order.get(range.clone()).unwrap_or_default();
        for (first, block) in range.step_by(BLOCK).zip(numbers.chunks(BLOCK)) {
            self.fingerprinter.of_block(self.entries, block, |at, weight| compare(first + at, weight));
        }
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

/// Operations of a block. There is a sum for each block; the sum over a part of a block is computed.
const BLOCK: usize = 64;
/// The distance from an ideal cut within which the position with the shortest bound is chosen.
const WINDOW: usize = 4;

/// The operations of a log at one time, without those that are known to be common. It does not change when more
/// operations arrive.
pub(crate) struct Snapshot {
    /// Numbers of operations, in the total order.
    order: Vec<OpSeq>,
    /// The sum over all operations before each block, and over all, when they are known.
    sums: OnceLock<Vec<u128>>,
}

impl Snapshot {
    /// Takes the operations with numbers below `cursor` that are neither common nor left out, and the refused ones.
    pub(crate) fn new(
        entries: Entries<'_>,
        cursor: OpSeq,
        common: Option<&CommonOps>,
        is_left_out: impl Fn(OpSeq) -> bool,
    ) -> Self {
        let mut order = ordered_numbers(entries.index(), cursor, common);
        order.retain(|number| !is_left_out(*number));
        let order = entries.with_refused(order);
        Self { order, sums: OnceLock::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// Returns the number of operations as it is sent.
    pub(crate) fn count(&self) -> u64 {
        wide(self.len())
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

/// One side's description of its operations in a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RangeContent {
    /// The number of operations and their fingerprint.
    Fingerprint { count: u64, fingerprint: ShortId },
    /// All operations, in order.
    Ids(Vec<ShortId>),
    /// For each operation of the other side's range, in order, true if it should be sent.
    Wants(Vec<bool>),
}

/// The low 8 bytes of the number of one operation, or of a sum over a range.
pub(crate) type ShortId = [u8; 8];

/// Maps each operation to a pseudo-random number: SipHash-2-4-128 of its hash, with the session's key. The fingerprint
/// of a set is the sum over its operations. The key does not exist before both sets are fixed, so nobody can choose
/// operations whose fingerprints collide.
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

    /// Passes the position and the number of each operation of a block to `each`. Their hashes may lie anywhere in
    /// memory, and all of them are read before the first is used: then the machine reads several at a time.
    fn of_block(&self, entries: Entries<'_>, block: &[OpSeq], mut each: impl FnMut(usize, u128)) {
        let mut hashes = [OpHash::from_bytes([0; 32]); BLOCK];
        for (hash, number) in hashes.iter_mut().zip(block) {
            *hash = *entries.hash(*number);
        }
        hashes.iter().take(block.len()).enumerate().for_each(|(at, hash)| each(at, self.of(hash)));
    }

    /// Returns the sum over a set of operations.
    pub(crate) fn sum<'n>(&self, index: &Index, numbers: impl IntoIterator<Item = &'n OpSeq>) -> u128 {
        numbers.into_iter().fold(0, |sum, number| sum.wrapping_add(self.of(index.hash(*number))))
    }
}

/// The number of operations in a set, and the sum over them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

    /// Removes an operation by its pseudo-random number.
    pub(crate) fn remove(&mut self, number: u128) {
        self.count = self.count.saturating_sub(1);
        self.sum = self.sum.wrapping_sub(number);
    }
}

/// Returns the part of a sum that is sent.
pub(crate) fn short(sum: u128) -> ShortId {
    first(&sum.to_le_bytes())
}
