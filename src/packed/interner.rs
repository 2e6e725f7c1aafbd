//! An interner: it keeps each entry once, numbered.

use std::hash::{BuildHasher, Hash, RandomState};

use hashbrown::HashTable;

use super::{ChunkedVec, Key};

/// Entries, numbered from 0 in the order of insertion, each found by the hash of its key.
///
/// The hasher has a random key, because names come from other actors. The table is never iterated.
pub(crate) struct Interner<T, N = u32> {
    entries: ChunkedVec<T, N>,
    index: HashIndex<N>,
    hasher: RandomState,
}

impl<T, N: Key> Default for Interner<T, N> {
    fn default() -> Self {
        Self { entries: ChunkedVec::default(), index: HashIndex::default(), hasher: RandomState::new() }
    }
}

impl<T, N: Key> Interner<T, N> {
    pub(crate) fn len(&self) -> u32 {
        self.entries.len()
    }

    /// Returns the entry of a number that [`Interner::insert`] returned.
    pub(crate) fn get(&self, number: N) -> &T {
        self.entries.get(number)
    }

    /// Returns a mutable reference to the entry of a number that [`Interner::insert`] returned. Its key must not
    /// change.
    pub(crate) fn get_mut(&mut self, number: N) -> &mut T {
        self.entries.get_mut(number)
    }

    /// Returns the hash of a key in this table.
    pub(crate) fn hash(&self, key: impl Hash) -> u64 {
        self.hasher.hash_one(key)
    }

    /// Returns the number of an entry whose key may have this hash, without reading the entry.
    pub(crate) fn candidate(&self, hash: u64) -> Option<N> {
        self.index.find(hash, |_| true)
    }

    /// Returns the number of the entry for which `is` returns true, among those whose key has this hash.
    pub(crate) fn find(&self, hash: u64, is: impl Fn(&T) -> bool) -> Option<N> {
        self.index.find(hash, |number| is(self.entries.get(number)))
    }

    /// Adds a new entry under the hash of its key. `key` returns the key of an entry; it is called for the earlier
    /// ones when the table grows.
    pub(crate) fn insert<'t, K: Hash>(&'t mut self, hash: u64, entry: T, key: impl Fn(&'t T) -> K) -> N {
        let number = self.entries.push(entry);
        let (entries, hasher) = (&self.entries, &self.hasher);
        self.index.push(number, hash, |number| hasher.hash_one(key(entries.get(number))));
        number
    }
}

/// An interner of strings.
pub(crate) type StrInterner<N = u32> = Interner<Box<str>, N>;

impl<N: Key> StrInterner<N> {
    pub(crate) fn find_str(&self, text: &str) -> Option<N> {
        self.find(self.hash(text), |other| **other == *text)
    }

    pub(crate) fn intern_str(&mut self, text: &str) -> N {
        let hash = self.hash(text);
        match self.find(hash, |other| **other == *text) {
            Some(number) => number,
            None => self.insert(hash, text.into(), |text| &**text),
        }
    }
}

/// Positions from 0 without gaps, each found by the hash of its entry.
#[derive(Default)]
pub(crate) struct HashIndex<K>(HashTable<K>);

impl<K: Key> HashIndex<K> {
    /// Returns the position for which `is` returns true, among those with this hash.
    pub(crate) fn find(&self, hash: u64, is: impl Fn(K) -> bool) -> Option<K> {
        self.0.find(hash, |position| is(*position)).copied()
    }

    /// Adds the next position. `hash_of` returns the hashes of earlier ones, to insert them into a larger table when
    /// this one is full. They are read in the order of positions, as the entries lie in memory: the table itself would
    /// read them in the order of their hashes, each a cache miss.
    pub(crate) fn push(&mut self, position: K, hash: u64, hash_of: impl Fn(K) -> u64) {
        if self.0.len() == self.0.capacity() {
            let mut larger = HashTable::with_capacity(2 * self.0.len().max(1));
            for position in (0..position.position()).map(K::from_position) {
                larger.insert_unique(hash_of(position), position, |position| hash_of(*position));
            }
            self.0 = larger;
        }
        self.0.insert_unique(hash, position, |position| hash_of(*position));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_has_one_number() {
        let mut names: StrInterner = StrInterner::default();
        for n in 0..1000_u32 {
            assert_eq!(names.intern_str(&format!("name {n}")), n);
        }
        for n in 0..1000_u32 {
            let name = format!("name {n}");
            assert_eq!(names.intern_str(&name), n);
            assert_eq!(names.find_str(&name), Some(n));
            assert_eq!(**names.get(n), *name);
        }
        assert_eq!(names.find_str("another"), None);
        assert_eq!(names.len(), 1000);
    }

    #[test]
    fn every_position_is_found_after_growth() {
        // Three positions share each hash.
        let hash_of = |position: u32| u64::from(position / 3) << 57;
        let mut index = HashIndex::default();
        for position in 0..200 {
            index.push(position, hash_of(position), hash_of);
            for known in 0..=position {
                assert_eq!(index.find(hash_of(known), |found| found == known), Some(known));
            }
            assert_eq!(index.find(hash_of(position + 3), |found| found == position + 3), None);
        }
    }

    #[test]
    fn capacity_grows_like_that_of_the_table() {
        let (mut index, mut table) = (HashIndex::default(), HashTable::new());
        let hash_of = |position: u32| u64::from(position).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for position in 0..100_000 {
            index.push(position, hash_of(position), hash_of);
            table.insert_unique(hash_of(position), position, |position| hash_of(*position));
            assert_eq!(index.0.capacity(), table.capacity());
        }
    }
}
