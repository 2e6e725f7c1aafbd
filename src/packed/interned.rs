//! Each thing once, and a number for it.

use std::hash::{BuildHasher, Hash, RandomState};

use super::{Key, Numbers, Paged};

/// Entries, numbered from 0 in the order they were first seen, and found by the hash of a key.
///
/// The hasher is keyed at random, because names come from whoever writes operations; nothing ever walks the table.
pub(crate) struct Interned<T, N = u32> {
    entries: Paged<T, N>,
    numbers: Numbers<N>,
    hasher: RandomState,
}

impl<T, N: Key> Interned<T, N> {
    pub(crate) fn new() -> Self {
        Self { entries: Paged::new(), numbers: Numbers::new(), hasher: RandomState::new() }
    }

    pub(crate) fn len(&self) -> u32 {
        self.entries.len()
    }

    /// The entry of a number that [`Interned::insert`] returned.
    pub(crate) fn get(&self, number: N) -> &T {
        self.entries.get(number)
    }

    /// The entry of a number that [`Interned::insert`] returned. Its key must stay as it is.
    pub(crate) fn get_mut(&mut self, number: N) -> &mut T {
        self.entries.get_mut(number)
    }

    /// The hash of a key, in this table.
    pub(crate) fn hash(&self, key: impl Hash) -> u64 {
        self.hasher.hash_one(key)
    }

    /// The number of an entry whose key may have this hash. No entry is looked at.
    pub(crate) fn candidate(&self, hash: u64) -> Option<N> {
        self.numbers.find(hash, |_| true)
    }

    /// The number of the entry that `is` the one looked for, among those whose key has this hash.
    pub(crate) fn find(&self, hash: u64, is: impl Fn(&T) -> bool) -> Option<N> {
        self.numbers.find(hash, |number| is(self.entries.get(number)))
    }

    /// Adds an entry that is not there yet, under the hash of its key. `key` gives the key of an entry, to move the
    /// others when the table grows.
    pub(crate) fn insert<'t, K: Hash>(&'t mut self, hash: u64, entry: T, key: impl Fn(&'t T) -> K) -> N {
        let number = self.entries.push(entry);
        let (entries, hasher) = (&self.entries, &self.hasher);
        self.numbers.push(number, hash, |number| hasher.hash_one(key(entries.get(number))));
        number
    }
}

/// Names, each once.
pub(crate) type Names<N = u32> = Interned<Box<str>, N>;

impl<N: Key> Names<N> {
    pub(crate) fn find_name(&self, name: &str) -> Option<N> {
        self.find(self.hash(name), |other| **other == *name)
    }

    pub(crate) fn intern_name(&mut self, name: &str) -> N {
        let hash = self.hash(name);
        match self.find(hash, |other| **other == *name) {
            Some(number) => number,
            None => self.insert(hash, name.into(), |name| &**name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_number() {
        let mut names: Names = Names::new();
        for n in 0..1000_u32 {
            assert_eq!(names.intern_name(&format!("name {n}")), n);
        }
        for n in 0..1000_u32 {
            let name = format!("name {n}");
            assert_eq!(names.intern_name(&name), n);
            assert_eq!(names.find_name(&name), Some(n));
            assert_eq!(**names.get(n), *name);
        }
        assert_eq!(names.find_name("another"), None);
        assert_eq!(names.len(), 1000);
    }
}
