//! A set of small numbers, a bit each.

use std::marker::PhantomData;

use super::{Key, Paged, index};

/// A growing column of bits.
pub(crate) struct Bits<K = u32> {
    words: Paged<u64>,
    key: PhantomData<fn(K) -> K>,
}

impl<K: Key> Bits<K> {
    pub(crate) const fn new() -> Self {
        Self { words: Paged::new(), key: PhantomData }
    }

    /// Puts a number in; whether it was not there before.
    pub(crate) fn insert(&mut self, number: K) -> bool {
        while self.words.len() <= number.position() / u64::BITS {
            self.words.push(0);
        }
        let (word, bit) = self.at(number);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// Takes out a number that was put in.
    pub(crate) fn remove(&mut self, number: K) {
        let (word, bit) = self.at(number);
        *word &= !bit;
    }

    fn at(&mut self, number: K) -> (&mut u64, u64) {
        let number = number.position();
        (self.words.get_mut(number / u64::BITS), 1 << index(number % u64::BITS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_new_once_until_it_is_taken_out() {
        let mut bits: Bits = Bits::new();
        for number in [0, 1, 63, 64, 65, 100_000, 2] {
            assert!(bits.insert(number));
            assert!(!bits.insert(number));
        }
        bits.remove(64);
        assert!(!bits.insert(63) && !bits.insert(65));
        assert!(bits.insert(64));
    }
}
