//! The errors of keys, text encodings and libsodium.
//!
//! No error contains input bytes, because they may be secret.

/// The reason why the libsodium of this program cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CryptoError {
    /// libsodium could not be initialized: `sodium_init` failed.
    #[error("libsodium could not be initialized")]
    Init,
    /// libsodium gave a verdict that differs from that of other replicas: it was built with other options, or another
    /// library was linked.
    #[error("libsodium failed the self-test: {case}")]
    SelfTest {
        /// The test that failed, in words.
        case: &'static str,
    },
}

/// A test of the self-test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SelfTestCase {
    /// Signing must reproduce the signature of RFC 8032, section 7.1, TEST 2.
    Sign,
    /// That signature must be accepted.
    Verify,
    /// An edge case of "Taming the many EdDSAs" (Chalkias, Garillot and Nikolaenko, 2020) must be refused.
    /// The number is that of the paper's `cases.json`.
    EdgeCase0,
    EdgeCase6,
    EdgeCase11,
    /// A signature whose verification equation holds except for a point of order 4 must be refused (C2SP CCTV
    /// `ed25519vectors`, number 286). Builds that ignore the cofactor accept it: an author could make signatures that
    /// only some replicas accept.
    Residue,
    /// The public key of TEST 2 must be a valid point.
    HonestKey,
    /// That key plus a point of order 2 must not be a valid point (CVE-2025-69277).
    MixedOrderKey,
}

impl SelfTestCase {
    /// Returns the failure in words.
    pub(super) const fn failure(self) -> &'static str {
        match self {
            Self::Sign => "the signature of RFC 8032 TEST 2 came out differently",
            Self::Verify => "the signature of RFC 8032 TEST 2 was refused",
            Self::EdgeCase0 => "edge case 0 was accepted",
            Self::EdgeCase6 => "edge case 6 was accepted",
            Self::EdgeCase11 => "edge case 11 was accepted",
            Self::Residue => "a signature with a residue of order 4 was accepted",
            Self::HonestKey => "the public key of RFC 8032 TEST 2 was refused",
            Self::MixedOrderKey => "a public key of mixed order was accepted (CVE-2025-69277)",
        }
    }
}

/// The reason why bytes or a text are not a public key.
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

/// The reason why a text is not the hexadecimal or base64 encoding of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodingError {
    /// The text is too long or too short.
    #[error("the text has {found} characters instead of {expected}")]
    Length {
        /// The required length of the text in bytes.
        expected: usize,
        /// The actual length of the text in bytes.
        found: usize,
    },
    /// A character is outside the alphabet, or padding is in the wrong place.
    #[error("the character at byte {at} is not allowed there")]
    Character {
        /// The offset of the character in bytes.
        at: usize,
    },
    /// Unused bits of the last base64 character are not zero (RFC 4648, section 3.5).
    #[error("unused bits of the last character are not zero")]
    TrailingBits,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_fault_and_the_numbers() {
        let case = SelfTestCase::EdgeCase6.failure();
        assert_eq!(
            KeyError::from(CryptoError::SelfTest { case }).to_string(),
            "libsodium failed the self-test: edge case 6 was accepted"
        );
        assert_eq!(
            EncodingError::Length { expected: 88, found: 3 }.to_string(),
            "the text has 3 characters instead of 88"
        );
    }
}
