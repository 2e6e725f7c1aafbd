//! Vectors that grow by chunks of fixed size.

use std::marker::PhantomData;

use super::{Key, index};

/// Entries of a chunk: enough to make its header negligible, few enough to waste little in the last chunk.
const CHUNK: usize = 4096;

/// A vector whose entries never move.
///
/// At most one chunk is unused. A `Vec` that doubles wastes up to half of its memory and copies all entries.
pub(crate) struct ChunkedVec<T, K = u32> {
    chunks: Vec<Vec<T>>,
    len: u32,
    key: PhantomData<fn(K) -> K>,
}

impl<T, K> Default for ChunkedVec<T, K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, K> ChunkedVec<T, K> {
    pub(crate) const fn new() -> Self {
        Self { chunks: Vec::new(), len: 0, key: PhantomData }
    }
}

impl<T, K: Key> ChunkedVec<T, K> {
    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// Returns the position that the next entry gets.
    pub(crate) fn end(&self) -> K {
        K::from_position(self.len)
    }

    /// Appends an entry and returns its position.
    ///
    /// # Panics
    ///
    /// At `u32::MAX` entries; the log refuses operations long before (`OpLog::expect_room`).
    #[expect(clippy::expect_used, reason = "the log refuses operations long before")]
    pub(crate) fn push(&mut self, entry: T) -> K {
        let position = self.end();
        self.len = self.len.checked_add(1).expect("the log stops before positions run out");
        match self.chunks.last_mut() {
            Some(chunk) if chunk.len() < CHUNK => chunk.push(entry),
            _ => {
                // The first chunk grows by doubling: a small replica stays small.
                let mut chunk = Vec::with_capacity(if self.chunks.is_empty() { 4 } else { CHUNK });
                chunk.push(entry);
                self.chunks.push(chunk);
            }
        }
        position
    }

    /// Returns the entry at a position that [`ChunkedVec::push`] returned.
    #[expect(clippy::indexing_slicing, reason = "positions come from push, and nothing is ever removed")]
    #[inline]
    pub(crate) fn get(&self, position: K) -> &T {
        let position = index(position.position());
        &self.chunks[position / CHUNK][position % CHUNK]
    }

    /// Returns a mutable reference to the entry at a position that [`ChunkedVec::push`] returned.
    #[expect(clippy::indexing_slicing, reason = "positions come from push, and nothing is ever removed")]
    #[inline]
    pub(crate) fn get_mut(&mut self, position: K) -> &mut T {
        let position = index(position.position());
        &mut self.chunks[position / CHUNK][position % CHUNK]
    }
}

/// Marks a number that is stored in the list of large ones.
const LARGE: u16 = u16::MAX;

/// A growing vector of numbers: two bytes each, and eight more for those from 65,535 on.
#[derive(Default)]
pub(crate) struct CompactVec<K, V> {
    small: ChunkedVec<u16, K>,
    /// Positions and numbers, sorted by position.
    large: Vec<(K, V)>,
}

impl<K: Key, V: Key> CompactVec<K, V> {
    pub(crate) fn push(&mut self, number: V) {
        let small = u16::try_from(number.position()).unwrap_or(LARGE);
        let position = self.small.push(small);
        if small == LARGE {
            self.large.push((position, number));
        }
    }

    /// Returns the number at a position, counted from 0 in the order of [`CompactVec::push`].
    #[inline]
    pub(crate) fn get(&self, position: K) -> V {
        match *self.small.get(position) {
            LARGE => self.get_large(position),
            small => V::from_position(small.into()),
        }
    }

    #[cold]
    fn get_large(&self, position: K) -> V {
        let place = self.large.binary_search_by_key(&position, |(position, _)| *position);
        place
            .ok()
            .and_then(|place| self.large.get(place))
            .map_or(V::from_position(LARGE.into()), |(_, number)| *number)
    }
}

/// A growing set of keys.
#[derive(Default)]
pub(crate) struct BitSet<K = u32> {
    words: ChunkedVec<u64>,
    key: PhantomData<fn(K) -> K>,
}

impl<K: Key> BitSet<K> {
    /// Adds a key. Returns true if it was not in the set.
    pub(crate) fn insert(&mut self, key: K) -> bool {
        while self.words.len() <= key.position() / u64::BITS {
            self.words.push(0);
        }
        let (word, bit) = self.at(key);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// Removes a key that was added.
    pub(crate) fn remove(&mut self, key: K) {
        let (word, bit) = self.at(key);
        *word &= !bit;
    }

    fn at(&mut self, key: K) -> (&mut u64, u64) {
        let position = key.position();
        (self.words.get_mut(position / u64::BITS), 1 << index(position % u64::BITS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_keep_their_position_across_chunks() {
        let mut entries: ChunkedVec<u32> = ChunkedVec::default();
        for n in 0..10_000_u32 {
            assert_eq!(entries.push(n * 3), n);
        }
        assert_eq!(entries.len(), 10_000);
        for n in [0, 1, 4095, 4096, 8191, 8192, 9999] {
            assert_eq!(*entries.get(n), n * 3);
        }
        *entries.get_mut(4096) = 7;
        assert_eq!((*entries.get(4095), *entries.get(4096), *entries.get(4097)), (12285, 7, 12291));
    }

    #[test]
    fn numbers_of_every_size_are_returned() {
        let numbers = [0, 1, 65_534, 65_535, 65_536, u32::MAX, 7, u32::MAX - 1, 65_535, 0];
        let mut compact: CompactVec<u32, u32> = CompactVec::default();
        for number in numbers {
            compact.push(number);
        }
        for (position, number) in (0..).zip(numbers) {
            assert_eq!(compact.get(position), number);
        }
    }

    #[test]
    fn a_key_is_new_once_until_it_is_removed() {
        let mut bits: BitSet = BitSet::default();
        for key in [0, 1, 63, 64, 65, 100_000, 2] {
            assert!(bits.insert(key));
            assert!(!bits.insert(key));
        }
        bits.remove(64);
        assert!(!bits.insert(63) && !bits.insert(65));
        assert!(bits.insert(64));
    }
}
