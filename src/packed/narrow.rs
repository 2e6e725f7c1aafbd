//! A column of numbers that are mostly small.

use super::Paged;

/// Stands for a number that is in the list.
const LARGE: u16 = u16::MAX;

/// A growing column of numbers: two bytes each, and eight more for those from 65,535 on.
pub(crate) struct Narrow {
    small: Paged<u16>,
    /// Position and number; positions only grow.
    large: Vec<(u32, u32)>,
}

impl Narrow {
    pub(crate) const fn new() -> Self {
        Self { small: Paged::new(), large: Vec::new() }
    }

    pub(crate) fn push(&mut self, number: u32) {
        let small = u16::try_from(number).unwrap_or(LARGE);
        let position = self.small.push(small);
        if small == LARGE {
            self.large.push((position, number));
        }
    }

    /// The number at a position, counted from 0 in the order of [`Narrow::push`].
    #[inline]
    pub(crate) fn get(&self, position: u32) -> u32 {
        match *self.small.get(position) {
            LARGE => self.get_large(position),
            small => small.into(),
        }
    }

    #[cold]
    fn get_large(&self, position: u32) -> u32 {
        let place = self.large.binary_search_by_key(&position, |(position, _)| *position);
        place.ok().and_then(|place| self.large.get(place)).map_or(LARGE.into(), |(_, number)| *number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_size_come_back() {
        let numbers = [0, 1, 65_534, 65_535, 65_536, u32::MAX, 7, u32::MAX - 1, 65_535, 0];
        let mut column = Narrow::new();
        for number in numbers {
            column.push(number);
        }
        for (position, number) in (0..).zip(numbers) {
            assert_eq!(column.get(position), number);
        }
    }
}
