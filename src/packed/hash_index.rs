//! An index from hashes to the positions of entries.

use hashbrown::HashTable;

use super::Key;

/// Positions from 0 without gaps, each found by the hash of its entry.
pub(crate) struct HashIndex<K>(HashTable<K>);

impl<K: Key> HashIndex<K> {
    pub(crate) const fn new() -> Self {
        Self(HashTable::new())
    }

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
    fn every_position_is_found_after_growth() {
        // Three positions share each hash.
        let hash_of = |position: u32| u64::from(position / 3) << 57;
        let mut index = HashIndex::new();
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
        let (mut index, mut table) = (HashIndex::new(), HashTable::new());
        let hash_of = |position: u32| u64::from(position).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for position in 0..100_000 {
            index.push(position, hash_of(position), hash_of);
            table.insert_unique(hash_of(position), position, |position| hash_of(*position));
            assert_eq!(index.0.capacity(), table.capacity());
        }
    }
}
