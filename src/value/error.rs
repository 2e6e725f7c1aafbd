//! The errors of JSON text.

use super::{Excerpt, MAX_DEPTH};

/// An error in a JSON text, with its position.
///
/// The message is short and printable ASCII for any text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault} at byte {at}")]
pub struct JsonError {
    at: usize,
    fault: JsonFault,
}

impl JsonError {
    /// Returns the offset of the fault in bytes. It is 0 for a number that never was text.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Returns the fault.
    pub fn fault(&self) -> &JsonFault {
        &self.fault
    }

    pub(crate) fn new(at: usize, fault: JsonFault) -> JsonError {
        JsonError { at, fault }
    }

    /// Returns the same fault for a text that begins `bytes` earlier.
    pub(super) fn moved_by(self, bytes: usize) -> JsonError {
        JsonError { at: self.at.saturating_add(bytes), ..self }
    }
}

/// A fault of a JSON text, or of a number that was to be written as one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonFault {
    /// The bytes are not UTF-8.
    #[error("invalid UTF-8")]
    InvalidUtf8,
    /// The text begins with U+FEFF.
    #[error("byte order mark")]
    ByteOrderMark,
    /// The grammar of RFC 8259 requires something else here.
    #[error("expected {expected}")]
    Syntax {
        /// The expected syntax.
        expected: &'static str,
    },
    /// The text is not JSON at all: a string whose quotes are missing, most likely.
    #[error("not a JSON value (a string has quotes: \"{text}\")")]
    Unquoted {
        /// The text.
        text: Excerpt,
    },
    /// The text ends within a value.
    #[error("unexpected end of the text")]
    UnexpectedEnd,
    /// Something other than white space follows the value.
    #[error("trailing bytes")]
    TrailingBytes,
    /// Arrays and objects are nested deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// The canonical text is longer than [`MAX_VALUE_BYTES`](crate::value::MAX_VALUE_BYTES), or the text has 4 GiB.
    #[error("the value has more than {} bytes as canonical text", crate::value::MAX_VALUE_BYTES)]
    TooLong,
    /// An object has two members of this name, after unescaping. The position is that of the second one.
    #[error("duplicate member name \"{name}\"")]
    DuplicateMember {
        /// The name.
        name: Excerpt,
    },
    /// An escaped surrogate without its other half, so the string is not Unicode.
    #[error("lone surrogate")]
    LoneSurrogate,
    /// An integer beyond ±(2^53−1) that a reader of IEEE doubles would read as another number, or print differently.
    #[error("integer {literal} is beyond 2^53-1 and not the canonical text of a double")]
    UnsafeInteger {
        /// The number as it is written.
        literal: Excerpt,
    },
    /// A number too large for an IEEE double.
    #[error("number {literal} is too large for a double")]
    NumberOverflow {
        /// The number as it is written.
        literal: Excerpt,
    },
    /// A number other than zero whose nearest IEEE double is zero.
    #[error("number {literal} is too close to zero for a double")]
    NumberUnderflow {
        /// The number as it is written.
        literal: Excerpt,
    },
    /// A zero with a minus sign, in any notation: its canonical text would lose the sign.
    #[error("negative zero")]
    NegativeZero,
    /// A well-formed value of another type.
    #[error("expected {expected}, found a value of another type")]
    WrongType {
        /// The expected type.
        expected: &'static str,
    },
    /// A control character below U+0020 in a string without an escape.
    #[error("control character in a string")]
    ControlCharacter,
    /// A valid JSON text that is not canonical. The position is that of the first byte that differs.
    #[error("not in canonical form")]
    NotCanonical,
    /// Infinity or NaN, which JSON cannot express.
    #[error("number is not finite")]
    NotFinite,
    /// `serde_json` could not write the value.
    #[error("cannot be written as JSON: {reason}")]
    Unserializable {
        /// The message of `serde_json`.
        reason: Excerpt,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_the_fault_and_the_position() {
        let fault = JsonFault::DuplicateMember { name: Excerpt::of("x") };
        assert_eq!(JsonError::new(17, fault).to_string(), "duplicate member name \"x\" at byte 17");
    }

    #[test]
    fn a_message_is_short_printable_ascii_for_any_text() {
        let hostile = "\u{202e}\u{10ffff}\u{0}\n".repeat(1_000);
        for literal in [Excerpt::of(&hostile), Excerpt::of(&"9".repeat(1_000))] {
            let faults = [
                JsonFault::DuplicateMember { name: literal.clone() },
                JsonFault::UnsafeInteger { literal: literal.clone() },
                JsonFault::NumberOverflow { literal: literal.clone() },
                JsonFault::NumberUnderflow { literal: literal.clone() },
                JsonFault::Unquoted { text: literal.clone() },
                JsonFault::Unserializable { reason: literal },
            ];
            for fault in faults {
                let message = JsonError::new(usize::MAX, fault).to_string();
                assert!(message.bytes().all(|byte| (0x20..=0x7e).contains(&byte)), "{message}");
                assert!(message.len() < 512, "{message}");
            }
        }
    }
}
