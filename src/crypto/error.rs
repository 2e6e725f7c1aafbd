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
        let case = "edge case 6 was accepted";
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
