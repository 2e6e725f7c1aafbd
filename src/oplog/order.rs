//! The total order, kept while operations arrive in any other.

use std::cmp::Ordering;
use std::hint::black_box;

use crate::op::OpSeq;
use crate::packed::Key;

/// Entries of a run. Inserting moves half a run on average; finding the run is a search over the runs' last keys.
const RUN: usize = 256;
/// How far from the place that is guessed is looked first.
const NEAR: usize = 12;

/// Orders as timestamps do, as far as it goes: equal prefixes may have unequal timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Prefix(pub(super) u64);

/// An operation in the order: a prefix of what it is ordered by, and its number by arrival.
///
/// The prefix decides nearly every comparison without a look at the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) prefix: Prefix,
    pub(crate) seq: OpSeq,
}

/// Room for the places of a run, keys and numbers apart so that a search touches keys only.
struct Room {
    prefixes: [Prefix; RUN],
    seqs: [OpSeq; RUN],
}

/// A run of places in order.
struct Run {
    len: usize,
    room: Box<Room>,
}

impl Run {
    fn new() -> Self {
        Self { len: 0, room: Box::new(Room { prefixes: [Prefix(0); RUN], seqs: [OpSeq::FIRST; RUN] }) }
    }

    fn prefixes(&self) -> &[Prefix] {
        self.room.prefixes.get(..self.len).unwrap_or_default()
    }

    fn seqs(&self) -> &[OpSeq] {
        self.room.seqs.get(..self.len).unwrap_or_default()
    }

    fn get(&self, at: usize) -> Option<Place> {
        Some(Place { prefix: *self.prefixes().get(at)?, seq: *self.seqs().get(at)? })
    }

    /// Reads around a guess, so that the processor fetches what [`Run::before`] will look at.
    fn touch(&self, guess: usize) -> u64 {
        let prefix = |at: usize| self.room.prefixes.get(at).map_or(0, |prefix| prefix.0);
        let seq = self.room.seqs.get(guess).map_or(0, |seq| seq.get());
        prefix(guess.saturating_sub(NEAR / 2)) ^ prefix(guess + NEAR / 2) ^ u64::from(seq)
    }

    fn len(&self) -> usize {
        self.len
    }

    /// How many places have a smaller prefix, from a guess on: where the guess is good, that needs one or two lines of
    /// memory, and a search over the whole run waits for five, one after the other.
    fn before(&self, prefix: Prefix, guess: usize) -> usize {
        let start = guess.saturating_sub(NEAR);
        let near = self.prefixes().get(start..).unwrap_or_default();
        let near = near.get(..2 * NEAR).unwrap_or(near);
        let found = near.partition_point(|other| *other < prefix);
        let is_there = (found > 0 || start == 0) && (found < near.len() || start + found == self.len());
        if is_there { start + found } else { self.prefixes().partition_point(|other| *other < prefix) }
    }

    /// Puts a place in before those from `at` on. There must be room.
    #[expect(
        clippy::indexing_slicing,
        reason = "a run is split before it is full, and no place is behind its end"
    )]
    fn insert(&mut self, at: usize, place: Place) {
        self.room.prefixes.copy_within(at..self.len, at + 1);
        self.room.seqs.copy_within(at..self.len, at + 1);
        self.room.prefixes[at] = place.prefix;
        self.room.seqs[at] = place.seq;
        self.len += 1;
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "what is split off is part of what is there, and has the same room"
    )]
    fn split_off(&mut self, at: usize) -> Self {
        let mut upper = Self::new();
        upper.len = self.len - at;
        upper.room.prefixes[..upper.len].copy_from_slice(&self.room.prefixes[at..self.len]);
        upper.room.seqs[..upper.len].copy_from_slice(&self.room.seqs[at..self.len]);
        self.len = at;
        upper
    }
}

/// Places in order, in runs.
pub(crate) struct Order {
    runs: Vec<Run>,
    /// The last place of each run.
    lasts: Vec<Place>,
}

/// The neighbours of a place that was just put into the order.
pub(crate) struct Neighbours {
    pub(crate) before: Option<Place>,
    pub(crate) after: Option<Place>,
}

impl Order {
    pub(crate) const fn new() -> Self {
        Self { runs: Vec::new(), lasts: Vec::new() }
    }

    /// Puts new places into the order, one after the other, and returns the neighbours that each found. `near` reads
    /// what is needed of an operation to compare it, and `tie` compares two whose prefixes are equal.
    pub(crate) fn insert<K: Key>(
        &mut self,
        places: &[Place],
        near: impl Fn(OpSeq) -> K,
        tie: impl Fn(Place, Place) -> Ordering,
    ) -> Vec<Neighbours> {
        self.bring_near(places, near);
        places.iter().map(|place| self.insert_one(*place, &tie)).collect()
    }

    /// Reads what inserting these places will need, for all of them at once: each step is a short loop in which no read
    /// waits for another. One insertion after the other would wait for its memory several times.
    fn bring_near<K: Key>(&self, places: &[Place], near: impl Fn(OpSeq) -> K) {
        let Some(last) = self.lasts.last() else { return };
        let spots: Vec<(Prefix, &Run, usize)> = places
            .iter()
            .map(|place| place.prefix)
            .filter(|prefix| *prefix < last.prefix)
            .filter_map(|prefix| {
                let number = self.run_of(prefix);
                Some((prefix, self.runs.get(number)?, self.guess(prefix, number)))
            })
            .collect();
        let touched = spots.iter().fold(0, |sum, (_, run, guess)| sum ^ run.touch(*guess));
        black_box(touched);
        let seqs: Vec<OpSeq> = spots
            .iter()
            .filter_map(|(prefix, run, guess)| run.seqs().get(run.before(*prefix, *guess)).copied())
            .collect();
        black_box(seqs.iter().fold(0, |sum, seq| sum ^ near(*seq).position()));
    }

    /// The run that a place belongs to, and how many places of that run come before it.
    fn locate(&self, place: &Place, tie: &impl Fn(Place, Place) -> Ordering) -> (usize, usize) {
        if self.is_last(place, tie) {
            return (self.runs.len(), 0);
        }
        let prefix = place.prefix;
        let before = |seq: &OpSeq| tie(Place { prefix, seq: *seq }, *place).is_lt();
        let number = self.run_of(prefix);
        let number = match self.lasts.get(number..) {
            Some(rest @ [first, ..]) if first.prefix == prefix => {
                number + rest.partition_point(|last| last.prefix == prefix && before(&last.seq))
            }
            _ => number,
        };
        let Some(run) = self.runs.get(number) else { return (number, 0) };
        let low = run.before(prefix, self.guess(prefix, number));
        let equal = run.prefixes().iter().skip(low).take_while(|other| **other == prefix).count();
        let tied = run.seqs().get(low..low + equal).unwrap_or_default();
        (number, low + tied.partition_point(before))
    }

    /// The first run that ends with this prefix or a greater one.
    fn run_of(&self, prefix: Prefix) -> usize {
        self.lasts.partition_point(|last| last.prefix < prefix)
    }

    /// Where in this run a prefix would be if they were spread evenly. The run itself is not looked at.
    fn guess(&self, prefix: Prefix, number: usize) -> usize {
        let last = |number: usize| self.lasts.get(number).map_or(0, |last| last.prefix.0);
        let below = number.checked_sub(1).map_or(0, last);
        let (span, part) = (last(number).saturating_sub(below), prefix.0.saturating_sub(below));
        let len = self.runs.get(number).map_or(0, Run::len);
        let guess = (u128::from(part) * u128::try_from(len).unwrap_or(0)).checked_div(span.into());
        guess.and_then(|guess| usize::try_from(guess).ok()).unwrap_or(0)
    }

    /// Whether a place is behind all others: the usual case.
    fn is_last(&self, place: &Place, tie: &impl Fn(Place, Place) -> Ordering) -> bool {
        self.lasts.last().is_none_or(|last| match last.prefix.cmp(&place.prefix) {
            Ordering::Equal => tie(*last, *place).is_lt(),
            unequal => unequal.is_lt(),
        })
    }

    fn insert_one(&mut self, place: Place, tie: &impl Fn(Place, Place) -> Ordering) -> Neighbours {
        let (number, at) = self.locate(&place, tie);
        let Some(run) = self.runs.get_mut(number) else {
            return self.append(place);
        };
        run.insert(at, place);
        let neighbours = Neighbours {
            before: match at.checked_sub(1) {
                Some(previous) => run.get(previous),
                None => number.checked_sub(1).and_then(|previous| self.lasts.get(previous)).copied(),
            },
            // The run's last place is not before this one, so something of this run is behind it.
            after: run.get(at + 1),
        };
        if run.len() > RUN - 1 {
            let upper = run.split_off(RUN / 2);
            if let Some(last) = run.get(run.len() - 1) {
                self.runs.insert(number + 1, upper);
                self.lasts.insert(number, last);
            }
        }
        neighbours
    }

    /// The place is behind all others: the usual case, and runs filled this way stay full.
    fn append(&mut self, place: Place) -> Neighbours {
        let before = self.lasts.last().copied();
        match (self.runs.last_mut(), self.lasts.last_mut()) {
            (Some(run), Some(last)) if run.len() < RUN - 1 => {
                run.insert(run.len(), place);
                *last = place;
            }
            _ => {
                let mut run = Run::new();
                run.insert(0, place);
                self.runs.push(run);
                self.lasts.push(place);
            }
        }
        Neighbours { before, after: None }
    }

    /// All operations, by number, in order.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = OpSeq> + '_ {
        self.runs.iter().flat_map(|run| run.seqs().iter().copied())
    }

    /// The operations from the first whose prefix is at least this, in order.
    pub(crate) fn starting_at(&self, prefix: Prefix) -> impl Iterator<Item = OpSeq> + '_ {
        let number = self.run_of(prefix);
        let skip = self.runs.get(number).map_or(0, |run| run.before(prefix, self.guess(prefix, number)));
        self.runs.iter().skip(number).flat_map(|run| run.seqs().iter().copied()).skip(skip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Pair = (Option<OpSeq>, Option<OpSeq>);

    fn number(place: Option<Place>) -> Option<OpSeq> {
        place.map(|place| place.seq)
    }

    /// Orders `keys` by value, ties by a second value.
    fn insert_all(keys: &[(u64, u32)]) -> (Order, Vec<Pair>) {
        let mut order = Order::new();
        let tie = |a: Place, b: Place| {
            let second = |place: Place| (keys[place.seq.get() as usize].1, place.seq);
            second(a).cmp(&second(b))
        };
        let mut neighbours = Vec::new();
        let mut places = Vec::new();
        for (seq, (prefix, _)) in OpSeq::FIRST.onwards().zip(keys) {
            places.push(Place { prefix: Prefix(*prefix), seq });
            // In batches of growing size.
            if places.len() > neighbours.len() / 4 {
                for found in order.insert(&places, |seq| seq, tie) {
                    neighbours.push((number(found.before), number(found.after)));
                }
                places.clear();
            }
        }
        for found in order.insert(&places, |seq| seq, tie) {
            neighbours.push((number(found.before), number(found.after)));
        }
        (order, neighbours)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn it_is_what_sorting_gives(keys in prop::collection::vec((0..50_u64, 0..20_u32), 0..3000)) {
            let (order, _) = insert_all(&keys);
            let mut expected: Vec<OpSeq> = OpSeq::FIRST.onwards().take(keys.len()).collect();
            expected.sort_by_key(|seq| (keys[seq.get() as usize], *seq));
            prop_assert_eq!(order.iter().collect::<Vec<_>>(), expected.clone());
            for from in [0, 1, 25, 49, 50] {
                let tail: Vec<OpSeq> =
                    expected.iter().copied().filter(|seq| keys[seq.get() as usize].0 >= from).collect();
                prop_assert_eq!(order.starting_at(Prefix(from)).collect::<Vec<_>>(), tail);
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
    fn runs_filled_in_order_stay_full() {
        let keys: Vec<_> = (0..10_000_u64).map(|n| (n, 0)).collect();
        let (order, _) = insert_all(&keys);
        assert_eq!(order.runs.len(), 10_000_usize.div_ceil(RUN - 1));
    }

    proptest! {
        #[test]
        fn a_guess_changes_nothing_where_prefixes_are_equal_or_far_apart(
            mut prefixes in prop::collection::vec(prop_oneof![0..60_u64, any::<u64>()], 0..RUN),
            sought in prop_oneof![0..60_u64, any::<u64>()],
            guess in 0..=2 * RUN,
        ) {
            prefixes.sort_unstable();
            let expected = prefixes.partition_point(|other| *other < sought);
            let mut run = Run::new();
            for (at, prefix) in prefixes.into_iter().enumerate() {
                run.insert(at, Place { prefix: Prefix(prefix), seq: OpSeq::FIRST });
            }
            prop_assert_eq!(run.before(Prefix(sought), guess), expected);
        }
    }

    #[test]
    fn no_guess_changes_anything_in_a_run_of_any_length() {
        let mut run = Run::new();
        for len in 0..RUN {
            for guess in 0..=len + NEAR {
                let around = guess.saturating_sub(2 * NEAR)..=guess + 2 * NEAR;
                for place in [0, len / 2, len].into_iter().chain(around.step_by(NEAR - 1)) {
                    let prefix = Prefix(u64::try_from(place).unwrap());
                    assert_eq!(
                        run.before(prefix, guess),
                        place.min(len),
                        "{place} of {len}, guessed {guess}"
                    );
                }
            }
            run.insert(len, Place { prefix: Prefix(u64::try_from(len).unwrap()), seq: OpSeq::FIRST });
        }
    }
}
