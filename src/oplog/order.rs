//! The total order of operations, maintained while they arrive in any order.

use std::cmp::Ordering;
use std::hint::black_box;

use crate::op::OpSeq;
use crate::packed::Key;

/// Entries of a chunk. An insertion moves half a chunk on average, after a search over the last keys of the chunks.
const CHUNK: usize = 256;
/// The distance from a guessed position that is searched first.
const NEAR: usize = 12;

/// The first bits of a timestamp, in the same order. Equal prefixes may belong to unequal timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TsPrefix(pub(super) u64);

/// An operation in the order: a prefix of its sort key, and its number.
///
/// The prefix decides nearly every comparison without access to the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OrderEntry {
    pub(crate) prefix: TsPrefix,
    pub(crate) seq: OpSeq,
}

/// The entries of a chunk. Prefixes and numbers are separate so that a search reads prefixes only.
struct Slots {
    prefixes: [TsPrefix; CHUNK],
    seqs: [OpSeq; CHUNK],
}

/// A sorted chunk of entries.
struct Chunk {
    len: usize,
    slots: Box<Slots>,
}

impl Chunk {
    fn new() -> Self {
        Self {
            len: 0,
            slots: Box::new(Slots { prefixes: [TsPrefix(0); CHUNK], seqs: [OpSeq::FIRST; CHUNK] }),
        }
    }

    fn prefixes(&self) -> &[TsPrefix] {
        self.slots.prefixes.get(..self.len).unwrap_or_default()
    }

    fn seqs(&self) -> &[OpSeq] {
        self.slots.seqs.get(..self.len).unwrap_or_default()
    }

    fn get(&self, at: usize) -> Option<OrderEntry> {
        Some(OrderEntry { prefix: *self.prefixes().get(at)?, seq: *self.seqs().get(at)? })
    }

    /// Reads around a guess, so that the processor fetches what [`Chunk::before`] will read.
    fn touch(&self, guess: usize) -> u64 {
        let prefix = |at: usize| self.slots.prefixes.get(at).map_or(0, |prefix| prefix.0);
        let seq = self.slots.seqs.get(guess).map_or(0, |seq| seq.get());
        prefix(guess.saturating_sub(NEAR / 2)) ^ prefix(guess + NEAR / 2) ^ u64::from(seq)
    }

    /// Returns the number of entries with a smaller prefix. A good guess needs one or two cache lines; a search over
    /// the whole chunk waits for five, one after another.
    fn before(&self, prefix: TsPrefix, guess: usize) -> usize {
        let start = guess.saturating_sub(NEAR);
        let near = self.prefixes().get(start..).unwrap_or_default();
        let near = near.get(..2 * NEAR).unwrap_or(near);
        let found = near.partition_point(|other| *other < prefix);
        let is_there = (found > 0 || start == 0) && (found < near.len() || start + found == self.len);
        if is_there { start + found } else { self.prefixes().partition_point(|other| *other < prefix) }
    }

    /// Inserts an entry at `at`. There must be room.
    #[expect(
        clippy::indexing_slicing,
        reason = "a chunk is split before it is full, and `at` is at most its length"
    )]
    fn insert(&mut self, at: usize, entry: OrderEntry) {
        self.slots.prefixes.copy_within(at..self.len, at + 1);
        self.slots.seqs.copy_within(at..self.len, at + 1);
        self.slots.prefixes[at] = entry.prefix;
        self.slots.seqs[at] = entry.seq;
        self.len += 1;
    }

    #[expect(clippy::indexing_slicing, reason = "the upper part has at most the length of the chunk")]
    fn split_off(&mut self, at: usize) -> Self {
        let mut upper = Self::new();
        upper.len = self.len - at;
        upper.slots.prefixes[..upper.len].copy_from_slice(&self.slots.prefixes[at..self.len]);
        upper.slots.seqs[..upper.len].copy_from_slice(&self.slots.seqs[at..self.len]);
        self.len = at;
        upper
    }
}

/// All entries in order, in chunks.
#[derive(Default)]
pub(crate) struct Order {
    chunks: Vec<Chunk>,
    /// The last entry of each chunk.
    lasts: Vec<OrderEntry>,
}

/// The neighbours of a new entry.
pub(crate) struct Neighbours {
    pub(crate) before: Option<OrderEntry>,
    pub(crate) after: Option<OrderEntry>,
}

impl Order {
    /// Inserts new entries one after another and returns the neighbours that each had at insertion. `near` reads the
    /// part of an operation that a comparison needs, and `tie` compares two entries with equal prefixes.
    pub(crate) fn insert<K: Key>(
        &mut self,
        entries: &[OrderEntry],
        near: impl Fn(OpSeq) -> K,
        tie: impl Fn(OrderEntry, OrderEntry) -> Ordering,
    ) -> Vec<Neighbours> {
        self.prefetch(entries, near);
        entries.iter().map(|entry| self.insert_one(*entry, &tie)).collect()
    }

    /// Reads ahead the memory that inserting these entries needs. Each step is a short loop whose reads do not depend
    /// on each other, so that cache misses overlap.
    fn prefetch<K: Key>(&self, entries: &[OrderEntry], near: impl Fn(OpSeq) -> K) {
        let Some(last) = self.lasts.last() else { return };
        let spots: Vec<(TsPrefix, &Chunk, usize)> = entries
            .iter()
            .map(|entry| entry.prefix)
            .filter(|prefix| *prefix < last.prefix)
            .filter_map(|prefix| {
                let number = self.chunk_of(prefix);
                Some((prefix, self.chunks.get(number)?, self.guess(prefix, number)))
            })
            .collect();
        let touched = spots.iter().fold(0, |sum, (_, chunk, guess)| sum ^ chunk.touch(*guess));
        black_box(touched);
        let seqs: Vec<OpSeq> = spots
            .iter()
            .filter_map(|(prefix, chunk, guess)| chunk.seqs().get(chunk.before(*prefix, *guess)).copied())
            .collect();
        black_box(seqs.iter().fold(0, |sum, seq| sum ^ near(*seq).position()));
    }

    /// Returns the chunk that an entry belongs to, and the number of entries of that chunk before it.
    fn locate(
        &self,
        entry: &OrderEntry,
        tie: &impl Fn(OrderEntry, OrderEntry) -> Ordering,
    ) -> (usize, usize) {
        if self.is_last(entry, tie) {
            return (self.chunks.len(), 0);
        }
        let prefix = entry.prefix;
        let before = |seq: &OpSeq| tie(OrderEntry { prefix, seq: *seq }, *entry).is_lt();
        let number = self.chunk_of(prefix);
        let number = match self.lasts.get(number..) {
            Some(rest @ [first, ..]) if first.prefix == prefix => {
                number + rest.partition_point(|last| last.prefix == prefix && before(&last.seq))
            }
            _ => number,
        };
        let Some(chunk) = self.chunks.get(number) else { return (number, 0) };
        let low = chunk.before(prefix, self.guess(prefix, number));
        let equal = chunk.prefixes().iter().skip(low).take_while(|other| **other == prefix).count();
        let tied = chunk.seqs().get(low..low + equal).unwrap_or_default();
        (number, low + tied.partition_point(before))
    }

    /// Returns the first chunk that ends with this prefix or a greater one.
    fn chunk_of(&self, prefix: TsPrefix) -> usize {
        self.lasts.partition_point(|last| last.prefix < prefix)
    }

    /// Returns the position of a prefix in this chunk if prefixes were spread evenly. The chunk itself is not read.
    fn guess(&self, prefix: TsPrefix, number: usize) -> usize {
        let last = |number: usize| self.lasts.get(number).map_or(0, |last| last.prefix.0);
        let below = number.checked_sub(1).map_or(0, last);
        let (span, part) = (last(number).saturating_sub(below), prefix.0.saturating_sub(below));
        let len = self.chunks.get(number).map_or(0, |chunk| chunk.len);
        let guess = (u128::from(part) * u128::try_from(len).unwrap_or(0)).checked_div(span.into());
        guess.and_then(|guess| usize::try_from(guess).ok()).unwrap_or(0)
    }

    /// Returns true if an entry comes after all others: the usual case.
    fn is_last(&self, entry: &OrderEntry, tie: &impl Fn(OrderEntry, OrderEntry) -> Ordering) -> bool {
        self.lasts.last().is_none_or(|last| match last.prefix.cmp(&entry.prefix) {
            Ordering::Equal => tie(*last, *entry).is_lt(),
            unequal => unequal.is_lt(),
        })
    }

    fn insert_one(
        &mut self,
        entry: OrderEntry,
        tie: &impl Fn(OrderEntry, OrderEntry) -> Ordering,
    ) -> Neighbours {
        let (number, at) = self.locate(&entry, tie);
        let Some(chunk) = self.chunks.get_mut(number) else {
            return self.append(entry);
        };
        chunk.insert(at, entry);
        let neighbours = Neighbours {
            before: match at.checked_sub(1) {
                Some(previous) => chunk.get(previous),
                None => number.checked_sub(1).and_then(|previous| self.lasts.get(previous)).copied(),
            },
            // The last entry of the chunk is greater than this one, so this one has a successor in the chunk.
            after: chunk.get(at + 1),
        };
        if chunk.len > CHUNK - 1 {
            let upper = chunk.split_off(CHUNK / 2);
            if let Some(last) = chunk.get(chunk.len - 1) {
                self.chunks.insert(number + 1, upper);
                self.lasts.insert(number, last);
            }
        }
        neighbours
    }

    /// Appends an entry that comes after all others: the usual case. Chunks filled this way stay full.
    fn append(&mut self, entry: OrderEntry) -> Neighbours {
        let before = self.lasts.last().copied();
        if self.chunks.last().is_none_or(|chunk| chunk.len >= CHUNK - 1) {
            self.chunks.push(Chunk::new());
            self.lasts.push(entry);
        }
        if let (Some(chunk), Some(last)) = (self.chunks.last_mut(), self.lasts.last_mut()) {
            chunk.insert(chunk.len, entry);
            *last = entry;
        }
        Neighbours { before, after: None }
    }

    /// Returns all operations in order.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = OpSeq> + '_ {
        self.chunks.iter().flat_map(|chunk| chunk.seqs().iter().copied())
    }

    /// Returns the operations in order, from the first whose prefix is at least `prefix`.
    pub(crate) fn starting_at(&self, prefix: TsPrefix) -> impl Iterator<Item = OpSeq> + '_ {
        let number = self.chunk_of(prefix);
        let skip =
            self.chunks.get(number).map_or(0, |chunk| chunk.before(prefix, self.guess(prefix, number)));
        self.chunks.iter().skip(number).flat_map(|chunk| chunk.seqs().iter().copied()).skip(skip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Pair = (Option<OpSeq>, Option<OpSeq>);

    fn number(entry: Option<OrderEntry>) -> Option<OpSeq> {
        entry.map(|entry| entry.seq)
    }

    /// Orders `keys` by value, ties by a second value.
    fn insert_all(keys: &[(u64, u32)]) -> (Order, Vec<Pair>) {
        let mut order = Order::default();
        let tie = |a: OrderEntry, b: OrderEntry| {
            let second = |entry: OrderEntry| (keys[entry.seq.get() as usize].1, entry.seq);
            second(a).cmp(&second(b))
        };
        let mut neighbours = Vec::new();
        let mut entries = Vec::new();
        for (seq, (prefix, _)) in OpSeq::FIRST.onwards().zip(keys) {
            entries.push(OrderEntry { prefix: TsPrefix(*prefix), seq });
            // Batches of growing size.
            if entries.len() > neighbours.len() / 4 {
                for found in order.insert(&entries, |seq| seq, tie) {
                    neighbours.push((number(found.before), number(found.after)));
                }
                entries.clear();
            }
        }
        for found in order.insert(&entries, |seq| seq, tie) {
            neighbours.push((number(found.before), number(found.after)));
        }
        (order, neighbours)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_order_is_that_of_sorting(keys in prop::collection::vec((0..50_u64, 0..20_u32), 0..3000)) {
            let (order, _) = insert_all(&keys);
            let mut expected: Vec<OpSeq> = OpSeq::FIRST.onwards().take(keys.len()).collect();
            expected.sort_by_key(|seq| (keys[seq.get() as usize], *seq));
            prop_assert_eq!(order.iter().collect::<Vec<_>>(), expected.clone());
            for from in [0, 1, 25, 49, 50] {
                let tail: Vec<OpSeq> =
                    expected.iter().copied().filter(|seq| keys[seq.get() as usize].0 >= from).collect();
                prop_assert_eq!(order.starting_at(TsPrefix(from)).collect::<Vec<_>>(), tail);
            }
        }

        #[test]
        fn neighbours_are_those_of_a_sorted_list(keys in prop::collection::vec((0..50_u64, 0..20_u32), 0..600)) {
            let (_, neighbours) = insert_all(&keys);
            let mut sorted: Vec<(u64, u32, OpSeq)> = Vec::new();
            for ((seq, found), key) in OpSeq::FIRST.onwards().zip(&neighbours).zip(&keys) {
                let entry = (key.0, key.1, seq);
                let at = sorted.partition_point(|other| *other < entry);
                sorted.insert(at, entry);
                let before = at.checked_sub(1).map(|at| sorted[at].2);
                prop_assert_eq!(*found, (before, sorted.get(at + 1).map(|entry| entry.2)));
            }
        }
    }

    #[test]
    fn chunks_filled_in_order_stay_full() {
        let keys: Vec<_> = (0..10_000_u64).map(|n| (n, 0)).collect();
        let (order, _) = insert_all(&keys);
        assert_eq!(order.chunks.len(), 10_000_usize.div_ceil(CHUNK - 1));
    }

    proptest! {
        #[test]
        fn a_guess_does_not_change_the_result_for_equal_or_distant_prefixes(
            mut prefixes in prop::collection::vec(prop_oneof![0..60_u64, any::<u64>()], 0..CHUNK),
            sought in prop_oneof![0..60_u64, any::<u64>()],
            guess in 0..=2 * CHUNK,
        ) {
            prefixes.sort_unstable();
            let expected = prefixes.partition_point(|other| *other < sought);
            let mut chunk = Chunk::new();
            for (at, prefix) in prefixes.into_iter().enumerate() {
                chunk.insert(at, OrderEntry { prefix: TsPrefix(prefix), seq: OpSeq::FIRST });
            }
            prop_assert_eq!(chunk.before(TsPrefix(sought), guess), expected);
        }
    }

    #[test]
    fn no_guess_changes_the_result_in_a_chunk_of_any_length() {
        let mut chunk = Chunk::new();
        for len in 0..CHUNK {
            for guess in 0..=len + NEAR {
                let around = guess.saturating_sub(2 * NEAR)..=guess + 2 * NEAR;
                for entry in [0, len / 2, len].into_iter().chain(around.step_by(NEAR - 1)) {
                    let prefix = TsPrefix(u64::try_from(entry).unwrap());
                    assert_eq!(
                        chunk.before(prefix, guess),
                        entry.min(len),
                        "{entry} of {len}, guessed {guess}"
                    );
                }
            }
            chunk
                .insert(len, OrderEntry { prefix: TsPrefix(u64::try_from(len).unwrap()), seq: OpSeq::FIRST });
        }
    }
}
