//! What can go wrong with keys, with text, with libsodium itself.
//!
//! No error holds bytes that were given to it: they might be secret.

use std::fmt;

/// The libsodium of this program cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CryptoError {
    /// libsodium could not be initialised: `sodium_init` failed.
    #[error("libsodium could not be initialised")]
    Init,
    /// libsodium answered differently from the one whose verdicts all replicas share: it was built with other
    /// options, or another library was linked.
    #[error("libsodium failed the self-test: {case}")]
    SelfTest {
        /// What it answered differently.
        case: SelfTestCase,
    },
}

/// A question of the self-test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SelfTestCase {
    /// The signature of RFC 8032, section 7.1, TEST 2 must come out byte for byte.
    Sign,
    /// That signature must be accepted.
    Verify,
    /// A signature that "Taming the many EdDSAs" (Chalkias, Garillot and Nikolaenko, 2020) gives as an edge
    /// case must be refused.
    EdgeCase {
        /// Its number in the paper's `cases.json`: 0, 6 or 11.
        number: u8,
    },
    /// The public key of TEST 2 must be a valid point.
    HonestKey,
    /// That key plus a point of order 2 must not be a valid point (CVE-2025-69277).
    MixedOrderKey,
}

impl fmt::Display for SelfTestCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SelfTestCase::Sign => f.write_str("the signature of RFC 8032 TEST 2 came out differently"),
            SelfTestCase::Verify => f.write_str("the signature of RFC 8032 TEST 2 was refused"),
            SelfTestCase::EdgeCase { number } => write!(f, "edge case {number} was accepted"),
            SelfTestCase::HonestKey => f.write_str("the public key of RFC 8032 TEST 2 was refused"),
            SelfTestCase::MixedOrderKey => {
                f.write_str("a public key of mixed order was accepted (CVE-2025-69277)")
            }
        }
    }
}

/// Why bytes, or a text, did not become a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The bytes are not the canonical encoding of a point of the prime-order group other than the neutral
    /// one.
    #[error("the bytes are not a valid Ed25519 public key")]
    InvalidPoint,
    /// The text is not 64 lower-case hexadecimal digits.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// The key could not be checked.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// Why a text is not the hexadecimal or base64 form of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodingError {
    /// The text is too long or too short.
    #[error("{found} characters where {expected} are needed")]
    Length {
        /// How many bytes of text the value takes.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A character is not of the alphabet, or is padding in the wrong place.
    #[error("the character at byte {at} is not allowed there")]
    Character {
        /// Where it starts, in bytes from the start of the text.
        at: usize,
    },
    /// The last character of base64 carries bits that belong to no byte and are not zero (RFC 4648, section
    /// 3.5).
    #[error("the last character carries bits that should be zero")]
    TrailingBits,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_fault_and_the_numbers() {
        let case = SelfTestCase::EdgeCase { number: 6 };
        assert_eq!(
            KeyError::from(CryptoError::SelfTest { case }).to_string(),
            "libsodium failed the self-test: edge case 6 was accepted"
        );
        assert_eq!(
            EncodingError::Length { expected: 88, found: 3 }.to_string(),
            "3 characters where 88 are needed"
        );
    }
}
