//! What may name something: one rule for `id`, `actor`, `entity`, `entityId`, `path`, `space` and `kid`.

use std::fmt;

use crate::value::Excerpt;

/// Longest identifier, in bytes of UTF-8. A protocol constant: replicas with different limits would keep different
/// operations.
pub const MAX_IDENTIFIER_BYTES: usize = 1024;

/// A member of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Member {
    /// `id`, the author's label.
    Id,
    /// `actor`, who says it.
    Actor,
    /// `ts`, when it was said.
    Ts,
    /// `ts.t`, milliseconds since the Unix epoch.
    TsTime,
    /// `ts.c`, the logical counter.
    TsCounter,
    /// `ts.a`, the actor again.
    TsActor,
    /// `entity`, the kind of thing that is changed.
    Entity,
    /// `entityId`, which one.
    EntityId,
    /// `path`, which field of it.
    Path,
    /// `kind`, what is done to the field.
    Kind,
    /// `value`, what the field becomes.
    Value,
    /// `space`, the log that the operation belongs to.
    Space,
    /// `sig`, the signature.
    Sig,
    /// `sig.kid`, which of the actor's keys signed.
    Kid,
    /// `sig.alg`, the signature's algorithm.
    Alg,
    /// `sig.bytes`, the signature itself.
    SigBytes,
}

impl Member {
    /// The member's name in the JSON form, with the name of the object that holds it in front.
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

/// A name that is not an identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{member} {fault}")]
pub struct IdentifierError {
    /// Where it stood.
    pub member: Member,
    /// What is wrong with it.
    pub fault: IdentifierFault,
}

/// What is wrong with an identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentifierFault {
    /// Identifiers have at least one byte.
    #[error("is empty")]
    Empty,
    /// Longer than [`MAX_IDENTIFIER_BYTES`].
    #[error("has {len} bytes, the limit is {MAX_IDENTIFIER_BYTES}")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// A control character (Unicode category `Cc`) could forge lines in a log or a terminal.
    #[error("has a control character: {text}")]
    Control {
        /// The identifier, shortened and escaped.
        text: Excerpt,
    },
    /// A bidirectional control makes two different names look alike (Unicode TR 9, section 2).
    #[error("has a bidirectional control character: {text}")]
    Bidi {
        /// The identifier, shortened and escaped.
        text: Excerpt,
    },
}

/// Checks one identifier: 1 to [`MAX_IDENTIFIER_BYTES`] bytes, no control characters, no bidirectional controls.
/// Nothing is normalized or case-folded: a normalizer is a Unicode version, and replicas would differ.
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

/// The characters of Unicode property `Bidi_Control`.
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
