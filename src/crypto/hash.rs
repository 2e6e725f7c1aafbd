//! The SHA-256 hash.

use std::{fmt, str::FromStr};

use super::{EncodingError, decode_hex_array, encode_hex};

/// A SHA-256 hash (FIPS 180-4), ordered byte by byte. [`Sodium::hash`](super::Sodium::hash) computes it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// Creates a hash from its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Hash {
        Hash(bytes)
    }

    /// Returns the 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the first `N` bytes.
    pub(crate) fn first<const N: usize>(&self) -> [u8; N] {
        first(&self.0)
    }
}

/// Returns the first `N` of some bytes.
pub(crate) fn first<const N: usize, const M: usize>(bytes: &[u8; M]) -> [u8; N] {
    const { assert!(N <= M, "there are fewer bytes") };
    bytes.first_chunk().copied().unwrap_or([0; N])
}

/// Writes 64 lower-case hexadecimal digits.
impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&encode_hex(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// Parses exactly 64 lower-case hexadecimal digits.
impl FromStr for Hash {
    type Err = EncodingError;

    fn from_str(text: &str) -> Result<Hash, EncodingError> {
        decode_hex_array(text).map(Hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_text_of_a_hash_is_its_bytes_in_lower_case() {
        let hash: Hash = ABC.parse().unwrap();
        assert_eq!(hash.as_bytes().first_chunk(), Some(&[0xba, 0x78, 0x16, 0xbf]));
        assert_eq!(hash.to_string(), ABC);
        assert_eq!(format!("{hash:?}"), format!("Hash({ABC})"));
        assert_eq!(Hash::from_bytes(*hash.as_bytes()), hash);
    }

    #[test]
    fn other_text_is_refused() {
        assert_eq!(ABC.to_uppercase().parse::<Hash>(), Err(EncodingError::Character { at: 0 }));
        assert_eq!("".parse::<Hash>(), Err(EncodingError::Length { expected: 64, found: 0 }));
        assert_eq!(format!("{ABC} ").parse::<Hash>(), Err(EncodingError::Length { expected: 64, found: 65 }));
    }

    #[test]
    fn the_first_byte_decides_the_order() {
        let (mut low, mut high) = ([0xff; 32], [0; 32]);
        (low[0], high[0]) = (1, 2);
        assert!(Hash::from_bytes(low) < Hash::from_bytes(high));
    }
}
