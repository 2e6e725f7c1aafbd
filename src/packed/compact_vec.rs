//! A vector of numbers that are mostly small.

use super::{ChunkedVec, Key};

/// Marks a number that is stored in the list of large ones.
const LARGE: u16 = u16::MAX;

/// A growing vector of numbers: two bytes each, and eight more for those from 65,535 on.
pub(crate) struct CompactVec<K, V> {
    small: ChunkedVec<u16, K>,
    /// Positions and numbers, sorted by position.
    large: Vec<(K, V)>,
}

impl<K: Key, V: Key> CompactVec<K, V> {
    pub(crate) const fn new() -> Self {
        Self { small: ChunkedVec::new(), large: Vec::new() }
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_size_are_returned() {
        let numbers = [0, 1, 65_534, 65_535, 65_536, u32::MAX, 7, u32::MAX - 1, 65_535, 0];
        let mut compact: CompactVec<u32, u32> = CompactVec::new();
        for number in numbers {
            compact.push(number);
        }
        for (position, number) in (0..).zip(numbers) {
            assert_eq!(compact.get(position), number);
        }
    }
}
