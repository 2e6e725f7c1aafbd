//! Each thing once, and a number for it.

use std::hash::{BuildHasher, Hash, RandomState};

use hashbrown::HashTable;

use super::Paged;

/// Something that is kept once and found by its key.
pub(crate) trait Entry {
    /// What tells two entries apart.
    type Key<'k>: Hash + Copy;

    fn key(&self) -> Self::Key<'_>;

    fn is(&self, key: Self::Key<'_>) -> bool;
}

impl Entry for Box<str> {
    type Key<'k> = &'k str;

    fn key(&self) -> &str {
        self
    }

    fn is(&self, key: &str) -> bool {
        **self == *key
    }
}

/// Entries, numbered from 0 in the order they were first seen.
///
/// The hasher is keyed at random, because names come from whoever writes operations; nothing ever walks the table.
pub(crate) struct Interned<T> {
    entries: Paged<T>,
    numbers: HashTable<u32>,
    hasher: RandomState,
}

/// Names, each once.
pub(crate) type Names = Interned<Box<str>>;

impl<T: Entry> Interned<T> {
    pub(crate) fn new() -> Self {
        Self { entries: Paged::new(), numbers: HashTable::new(), hasher: RandomState::new() }
    }

    pub(crate) fn len(&self) -> u32 {
        self.entries.len()
    }

    /// The entry of a number that [`Interned::intern`] returned.
    pub(crate) fn get(&self, number: u32) -> &T {
        self.entries.get(number)
    }

    /// The entry of a number that [`Interned::intern`] returned. Its key must stay as it is.
    pub(crate) fn get_mut(&mut self, number: u32) -> &mut T {
        self.entries.get_mut(number)
    }

    pub(crate) fn find(&self, key: T::Key<'_>) -> Option<u32> {
        self.lookup(self.hasher.hash_one(key), key)
    }

    /// The number of the entry with this key, and whether `make` has just made it.
    pub(crate) fn intern(&mut self, key: T::Key<'_>, make: impl FnOnce() -> T) -> (u32, bool) {
        let hash = self.hasher.hash_one(key);
        if let Some(number) = self.lookup(hash, key) {
            return (number, false);
        }
        let number = self.entries.push(make());
        let (entries, hasher) = (&self.entries, &self.hasher);
        self.numbers.insert_unique(hash, number, |number| hasher.hash_one(entries.get(*number).key()));
        (number, true)
    }

    fn lookup(&self, hash: u64, key: T::Key<'_>) -> Option<u32> {
        self.numbers.find(hash, |number| self.entries.get(*number).is(key)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_number() {
        let mut names = Names::new();
        for n in 0..1000_u32 {
            let name = format!("name {n}");
            assert_eq!(names.intern(&name, || name.as_str().into()), (n, true));
        }
        for n in 0..1000_u32 {
            let name = format!("name {n}");
            assert_eq!(names.intern(&name, || unreachable!("it is there")), (n, false));
            assert_eq!(names.find(&name), Some(n));
            assert_eq!(**names.get(n), *name);
        }
        assert_eq!(names.find("another"), None);
    }
}
