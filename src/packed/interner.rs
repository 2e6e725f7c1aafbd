//! An interner: it keeps each entry once and numbers it.

use std::hash::{BuildHasher, Hash, RandomState};

use super::{ChunkedVec, HashIndex, Key};

/// Entries, numbered from 0 in the order of insertion, each found by the hash of its key.
///
/// The hasher has a random key, because names come from other actors. The table is never iterated.
pub(crate) struct Interner<T, N = u32> {
    entries: ChunkedVec<T, N>,
    index: HashIndex<N>,
    hasher: RandomState,
}

impl<T, N: Key> Interner<T, N> {
    pub(crate) fn new() -> Self {
        Self { entries: ChunkedVec::new(), index: HashIndex::new(), hasher: RandomState::new() }
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_has_one_number() {
        let mut names: StrInterner = StrInterner::new();
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
}
