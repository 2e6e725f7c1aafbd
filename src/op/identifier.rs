//! The identifiers of an operation: `id`, `actor`, `entity`, `entityId`, `path`, `space`, `kid`.

use std::fmt;

use crate::value::Excerpt;

/// The greatest length of an identifier in bytes of UTF-8. It is a protocol constant: replicas with different limits
/// would accept different operations.
pub const MAX_IDENTIFIER_BYTES: usize = 1024;

/// A member of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Member {
    /// `id`, the label of the author.
    Id,
    /// `actor`, the writer.
    Actor,
    /// `ts`, the timestamp.
    Ts,
    /// `ts.t`, milliseconds since the Unix epoch.
    TsTime,
    /// `ts.c`, the logical counter.
    TsCounter,
    /// `ts.a`, the actor again.
    TsActor,
    /// `entity`, the kind of the entity.
    Entity,
    /// `entityId`, the id of the entity.
    EntityId,
    /// `path`, the path of the field.
    Path,
    /// `kind`, the kind of the operation.
    Kind,
    /// `value`, the value of the field.
    Value,
    /// `space`, the log that the operation belongs to.
    Space,
    /// `sig`, the signature.
    Sig,
    /// `sig.kid`, the id of the signing key.
    Kid,
    /// `sig.alg`, the algorithm of the signature.
    Alg,
    /// `sig.bytes`, the bytes of the signature.
    SigBytes,
}

impl Member {
    /// Returns the name of the member in the JSON form, prefixed with the object that contains it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Actor => "actor",
            Self::Ts => "ts",
            Self::TsTime => "ts.t",
            Self::TsCounter => "ts.c",
            Self::TsActor => "ts.a",
            Self::Entity => "entity",
            Self::EntityId => "entityId",
            Self::Path => "path",
            Self::Kind => "kind",
            Self::Value => "value",
            Self::Space => "space",
            Self::Sig => "sig",
            Self::Kid => "sig.kid",
            Self::Alg => "sig.alg",
            Self::SigBytes => "sig.bytes",
        }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The error of a name that is not an identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{member} {fault}")]
#[non_exhaustive]
pub struct IdentifierError {
    /// The member with the name.
    pub member: Member,
    /// The fault.
    pub fault: IdentifierFault,
}

/// The fault of an identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentifierFault {
    /// The identifier is empty.
    #[error("is empty")]
    Empty,
    /// The identifier is longer than [`MAX_IDENTIFIER_BYTES`].
    #[error("has {len} bytes, the limit is {MAX_IDENTIFIER_BYTES}")]
    TooLong {
        /// The length in bytes.
        len: usize,
    },
    /// A control character (Unicode category `Cc`), which could forge lines in a log or a terminal.
    #[error("has a control character: {text}")]
    Control {
        /// The identifier, shortened and escaped.
        text: Excerpt,
    },
    /// A bidirectional control, which can make two different names look alike (Unicode TR 9, section 2).
    #[error("has a bidirectional control character: {text}")]
    Bidi {
        /// The identifier, shortened and escaped.
        text: Excerpt,
    },
}

/// Checks an identifier: 1 to [`MAX_IDENTIFIER_BYTES`] bytes, no control characters, no bidirectional controls.
///
/// Names are not normalized or case-folded, because the result depends on the Unicode version and replicas would
/// differ.
pub(crate) fn check(member: Member, text: &str) -> Result<(), IdentifierError> {
    let fault = if text.is_empty() {
        IdentifierFault::Empty
    } else if text.len() > MAX_IDENTIFIER_BYTES {
        IdentifierFault::TooLong { len: text.len() }
    } else if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Ok(());
    } else if text.chars().any(char::is_control) {
        IdentifierFault::Control { text: Excerpt::of(text) }
    } else if text.chars().any(is_bidi_control) {
        IdentifierFault::Bidi { text: Excerpt::of(text) }
    } else {
        return Ok(());
    };
    Err(IdentifierError { member, fault })
}

/// Returns true for the characters with the Unicode property `Bidi_Control`.
const fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault_of(text: &str) -> Option<IdentifierFault> {
        check(Member::Path, text).err().map(|error| error.fault)
    }

    #[test]
    fn length_is_counted_in_bytes_from_1_to_1024() {
        assert_eq!(fault_of(""), Some(IdentifierFault::Empty));
        assert_eq!(fault_of("a"), None);
        assert_eq!(fault_of(&"a".repeat(1024)), None);
        assert_eq!(fault_of(&"a".repeat(1025)), Some(IdentifierFault::TooLong { len: 1025 }));
        assert_eq!(fault_of(&"é".repeat(512)), None);
        assert_eq!(fault_of(&"é".repeat(513)), Some(IdentifierFault::TooLong { len: 1026 }));
    }

    #[test]
    fn exactly_the_control_characters_are_refused() {
        for c in '\0'..=char::MAX {
            let text = format!("a{c}b");
            let expected = c.is_control() || is_bidi_control(c);
            assert_eq!(fault_of(&text).is_some(), expected, "U+{:04X}", u32::from(c));
        }
        assert!(matches!(fault_of("a\u{85}"), Some(IdentifierFault::Control { .. })));
        assert!(matches!(fault_of("\u{202E}a"), Some(IdentifierFault::Bidi { .. })));
        assert_eq!(fault_of("Ève 😀 \"\\ :/~"), None);
    }

    #[test]
    fn an_error_text_shows_no_control_character() {
        let text = check(Member::Actor, "a\x1b[2J\u{202E}").unwrap_err().to_string();
        assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{text}");
    }
}
