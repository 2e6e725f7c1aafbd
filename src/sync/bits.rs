//! A set of numbers, a bit each.

use crate::op::OpSeq;
use crate::packed::index;

/// Numbers of operations: an eighth of a byte for each up to the greatest.
#[derive(Default)]
pub(super) struct Bits(Vec<u8>);

impl Bits {
    /// Adds a number; `false` where it was there.
    pub(super) fn insert(&mut self, number: OpSeq) -> bool {
        let (byte, bit) = (index(number.get() / 8), 1_u8 << (number.get() % 8));
        if self.0.len() <= byte {
            self.0.resize(byte + 1, 0);
        }
        match self.0.get_mut(byte) {
            Some(eight) if *eight & bit == 0 => {
                *eight |= bit;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_new_once() {
        let mut bits = Bits::default();
        for number in [0, 7, 8, 9, 1000, 3].map(OpSeq::new) {
            assert!(bits.insert(number));
            assert!(!bits.insert(number));
        }
        assert!(bits.insert(OpSeq::new(999)));
    }
}
