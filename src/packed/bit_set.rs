//! A set of keys, one bit for each.

use std::marker::PhantomData;

use super::{ChunkedVec, Key, index};

/// A growing set of keys.
pub(crate) struct BitSet<K = u32> {
    words: ChunkedVec<u64>,
    key: PhantomData<fn(K) -> K>,
}

impl<K: Key> BitSet<K> {
    pub(crate) const fn new() -> Self {
        Self { words: ChunkedVec::new(), key: PhantomData }
    }

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
    fn a_key_is_new_once_until_it_is_removed() {
        let mut bits: BitSet = BitSet::new();
        for key in [0, 1, 63, 64, 65, 100_000, 2] {
            assert!(bits.insert(key));
            assert!(!bits.insert(key));
        }
        bits.remove(64);
        assert!(!bits.insert(63) && !bits.insert(65));
        assert!(bits.insert(64));
    }
}
