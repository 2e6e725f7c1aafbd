//! The Ed25519 signature.

use std::fmt;

use super::{
    EncodingError,
    base64::{decode_base64_array, encode_base64},
    encode_hex,
};

/// An Ed25519 signature (RFC 8032, section 5.1.6): any 64 bytes, valid or not.
///
/// [`Sodium::verify`](super::Sodium::verify) decides if it is valid. It identifies nothing: the holder of a key can
/// make many valid signatures of one message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl Signature {
    /// Creates a signature from its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 64]) -> Signature {
        Signature(bytes)
    }

    /// Returns the 64 bytes: R, then S.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// Parses the text that [`to_base64`](Signature::to_base64) returns.
    ///
    /// # Errors
    ///
    /// [`EncodingError`] for any other text: another length, another alphabet, missing or misplaced padding, unused
    /// bits that are not zero, white space.
    pub fn from_base64(text: &str) -> Result<Signature, EncodingError> {
        decode_base64_array(text).map(Signature)
    }

    /// Returns the base64 text in the standard alphabet with padding (RFC 4648, section 4): 88 characters.
    #[must_use]
    pub fn to_base64(&self) -> String {
        encode_base64(&self.0)
    }
}

/// Writes the bytes in hexadecimal: a signature is public.
impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", encode_hex(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_a_signature_has_88_characters_and_decodes_to_it() {
        let signature = Signature::from_bytes(std::array::from_fn(|at| u8::try_from(255 - at).unwrap()));
        let text = signature.to_base64();
        assert_eq!(text.len(), 88);
        assert!(text.starts_with("//79/Pv6") && text.ends_with("=="));
        assert_eq!(Signature::from_base64(&text), Ok(signature));
    }

    #[test]
    fn any_other_text_is_refused() {
        let text = Signature::from_bytes([0; 64]).to_base64();
        assert_eq!(text, format!("{}==", "A".repeat(86)));
        let body = &text[..86];
        for other in
            [body.to_owned(), format!("{body}="), format!("{text}="), format!("{text}\n"), format!(" {text}")]
        {
            let wrong = EncodingError::Length { expected: 88, found: other.len() };
            assert_eq!(Signature::from_base64(&other), Err(wrong));
        }
        let shorter = &text[..85];
        for last in ['B', 'P'] {
            assert_eq!(
                Signature::from_base64(&format!("{shorter}{last}==")),
                Err(EncodingError::TrailingBits)
            );
        }
        assert_eq!(Signature::from_base64(&format!("{body}A=")), Err(EncodingError::Character { at: 86 }));
        assert_eq!(Signature::from_base64(&format!("{body}=A")), Err(EncodingError::Character { at: 87 }));
        for (at, strange) in [(0, "_"), (40, "-"), (85, "="), (40, " ")] {
            let mut other = text.clone();
            other.replace_range(at..=at, strange);
            assert_eq!(Signature::from_base64(&other), Err(EncodingError::Character { at }));
        }
    }

    #[test]
    fn a_signature_is_shown_in_hexadecimal() {
        assert_eq!(
            format!("{:?}", Signature::from_bytes([0xa5; 64])),
            format!("Signature({})", "a5".repeat(64))
        );
    }
}
