//! Numbers of things, found by the things' hashes.

use hashbrown::HashTable;

use super::Key;

/// Numbers from 0 on, none left out, each under the hash of the thing that it stands for.
pub(crate) struct Numbers<K>(HashTable<K>);

impl<K: Key> Numbers<K> {
    pub(crate) const fn new() -> Self {
        Self(HashTable::new())
    }

    /// The number of the thing that `is` the one looked for, among those with this hash.
    pub(crate) fn find(&self, hash: u64, is: impl Fn(K) -> bool) -> Option<K> {
        self.0.find(hash, |number| is(*number)).copied()
    }

    /// Adds the next number. `hash_of` gives the hashes of those before, to put them into a larger table when this one
    /// is full: number by number, as the things lie in memory. The table itself would do it in the order of their
    /// hashes, and wait for each.
    pub(crate) fn push(&mut self, number: K, hash: u64, hash_of: impl Fn(K) -> u64) {
        if self.0.len() == self.0.capacity() {
            let mut larger = HashTable::with_capacity(2 * self.0.len().max(1));
            for number in (0..number.position()).map(K::from_position) {
                larger.insert_unique(hash_of(number), number, |number| hash_of(*number));
            }
            self.0 = larger;
        }
        self.0.insert_unique(hash, number, |number| hash_of(*number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_after_every_growth() {
        // Hashes that collide in all their bits.
        let hash_of = |number: u32| u64::from(number / 3) << 57;
        let mut numbers = Numbers::new();
        for number in 0..200 {
            numbers.push(number, hash_of(number), hash_of);
            for known in 0..=number {
                assert_eq!(numbers.find(hash_of(known), |found| found == known), Some(known));
            }
            assert_eq!(numbers.find(hash_of(number + 3), |found| found == number + 3), None);
        }
    }

    #[test]
    fn it_grows_as_the_table_would() {
        let (mut numbers, mut table) = (Numbers::new(), HashTable::new());
        let hash_of = |number: u32| u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for number in 0..100_000 {
            numbers.push(number, hash_of(number), hash_of);
            table.insert_unique(hash_of(number), number, |number| hash_of(*number));
            assert_eq!(numbers.0.capacity(), table.capacity());
        }
    }
}
