//! The text form of public keys.

use super::{KeyRegistry, RegistryError, SigningPublicKey};
use crate::codec::tags::{KEY_TEXT, KEY_TEXT_VERSION};
use crate::crypto::{EncodingError, KeyError, PublicKey, decode_base64url_array, encode_base64url};
use crate::op::IdentifierError;

impl SigningPublicKey {
    /// Returns the key as one line of text, without the line's end. The form is stable:
    ///
    /// ```text
    /// policysync-key-1 <kid> <public key> <actor>
    /// ```
    ///
    /// The public key is base64url without padding, 43 characters. The actor is last and reaches to the end of the
    /// line, so it may contain spaces. In the kid every white-space character, in the actor every one but a space that
    /// is neither first nor last, and in both every `%`, is written as `%` and two upper-case hexadecimal digits for
    /// each byte of its UTF-8. Nothing else is escaped: a key has one text.
    ///
    /// ```
    /// use policysync::{SigningPublicKey, SigningSecretKey};
    ///
    /// let key = SigningSecretKey::generate("Alice's phone")?.public_key().clone();
    /// let text = key.to_text();
    /// assert!(text.starts_with("policysync-key-1 ") && text.ends_with(" Alice's phone"));
    /// assert_eq!(SigningPublicKey::from_text(&text)?, key);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn to_text(&self) -> String {
        let public_key = encode_base64url(self.public_key().as_bytes());
        format!(
            "{KEY_TEXT}{KEY_TEXT_VERSION} {} {public_key} {}",
            escape_kid(self.kid()),
            escape_actor(self.actor())
        )
    }

    /// Reads the line that [`to_text`](Self::to_text) returns. White space around it is ignored.
    ///
    /// # Errors
    ///
    /// [`KeyTextError`] with the rule that the text breaks.
    pub fn from_text(text: &str) -> Result<Self, KeyTextError> {
        let mut rest = text.trim();
        let mut word = || {
            let (word, after) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
            rest = after.trim_start_matches([' ', '\t']);
            word
        };
        match word().strip_prefix(KEY_TEXT) {
            Some(KEY_TEXT_VERSION) => {}
            Some(_) => return Err(KeyTextError::Version),
            None => return Err(KeyTextError::NotAKey),
        }
        let (kid, public_key, actor) = (word(), word(), rest);
        if actor.is_empty() {
            return Err(KeyTextError::Incomplete);
        }
        let kid = unescape(kid, escape_kid)?;
        let actor = unescape(actor, escape_actor)?;
        let bytes = decode_base64url_array(public_key)?;
        Ok(Self::with_kid(&actor, &kid, PublicKey::from_bytes(&bytes)?)?)
    }
}

impl KeyRegistry {
    /// Returns the keys as text, one a line, in the order in which they were registered.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.iter().map(|key| key.to_text() + "\n").collect()
    }

    /// Reads a registry: one key a line in the form of [`SigningPublicKey::to_text`], empty lines, and lines that begin
    /// with `#`. White space around a line is ignored. A key that is there twice counts once.
    ///
    /// ```
    /// use policysync::KeyRegistry;
    ///
    /// let keys = KeyRegistry::from_text(
    ///     "# The household\n\
    ///      policysync-key-1 mBmvYEI_W-Rhbb0AaCZ05w 5zTqbCtiV95yNV5HKqBaTEh-a0Y8Ap7TBt8vAbVja1g Alice's phone\n",
    /// )?;
    /// assert_eq!(keys.len(), 1);
    /// # Ok::<(), policysync::keys::RegistryTextError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`RegistryTextError`] with the first line that is wrong.
    pub fn from_text(text: &str) -> Result<Self, RegistryTextError> {
        let mut keys = Self::new();
        for (line, number) in text.lines().zip(1..) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let at = |fault: RegistryTextFault| RegistryTextError { line: number, fault };
            let key = SigningPublicKey::from_text(line).map_err(|error| at(error.into()))?;
            keys.register(key).map_err(|error| at(error.into()))?;
        }
        Ok(keys)
    }
}

/// Why a text is not a public key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyTextError {
    /// The text does not begin with `policysync-key-1`.
    #[error("not a key: it does not begin with {KEY_TEXT}{KEY_TEXT_VERSION}")]
    NotAKey,
    /// Another version of this library wrote the text.
    #[error("the key's text has another version than {KEY_TEXT_VERSION}")]
    Version,
    /// The kid, the public key or the actor is missing.
    #[error("the key's text ends before the actor")]
    Incomplete,
    /// White space or a `%` is not escaped, something else is, or the bytes are not UTF-8.
    #[error("in a kid or an actor, white space and % are written as %XX, and nothing else is")]
    Escape,
    /// The public key is not the base64url of 32 bytes.
    #[error("the public key is not base64url: {0}")]
    Encoding(#[from] EncodingError),
    /// The bytes are not a public key.
    #[error(transparent)]
    PublicKey(#[from] KeyError),
    /// The kid or the actor is not an identifier.
    #[error(transparent)]
    Identifier(#[from] IdentifierError),
}

/// Why a text is not a registry: the first fault and its line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
#[non_exhaustive]
pub struct RegistryTextError {
    /// The line, counted from 1.
    pub line: usize,
    /// The fault.
    pub fault: RegistryTextFault,
}

/// The fault of a line of a registry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryTextFault {
    /// The line is not a key.
    #[error(transparent)]
    Key(#[from] KeyTextError),
    /// An earlier line has another key with the same actor and kid.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

fn escape_kid(kid: &str) -> String {
    escape(kid, |_| false)
}

fn escape_actor(actor: &str) -> String {
    let last = actor.len().saturating_sub(1);
    escape(actor, |at| at > 0 && at < last)
}

/// Escapes `%` and white space, but not a space at a position that `keeps` names.
fn escape(text: &str, keeps: impl Fn(usize) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        if character == '%' || (character.is_whitespace() && !(character == ' ' && keeps(at))) {
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                escaped.push_str(&format!("%{byte:02X}"));
            }
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// Undoes `escape`; an error unless the text is exactly what `escape` returns.
fn unescape(text: &str, escape: impl Fn(&str) -> String) -> Result<String, KeyTextError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else { return Err(KeyTextError::Escape) };
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| KeyTextError::Escape)?);
    }
    let unescaped = String::from_utf8(bytes).map_err(|_| KeyTextError::Escape)?;
    if escape(&unescaped) == text { Ok(unescaped) } else { Err(KeyTextError::Escape) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::crypto::KeyPair;

    fn key(actor: &str, kid: &str) -> SigningPublicKey {
        let pair = KeyPair::from_seed(&[7; 32]).unwrap();
        SigningPublicKey::with_kid(actor, kid, pair.public_key()).unwrap()
    }

    const PUBLIC: &str = "6kpsY-KcUgq-9VB7Ey7F-ZVHdq6-vnuSQh7qaRRG0iw";

    fn fault(text: &str) -> KeyTextError {
        SigningPublicKey::from_text(text).unwrap_err()
    }

    #[test]
    fn a_key_has_the_documented_text() {
        for (actor, kid, text) in [
            ("alice", "k1", format!("policysync-key-1 k1 {PUBLIC} alice")),
            ("Alice's phone", "k 1", format!("policysync-key-1 k%201 {PUBLIC} Alice's phone")),
            (" 50 %", "%", format!("policysync-key-1 %25 {PUBLIC} %2050 %25")),
            ("a ", "#", format!("policysync-key-1 # {PUBLIC} a%20")),
            (" ", " ", format!("policysync-key-1 %20 {PUBLIC} %20")),
            ("Ève\u{2028}😀", "\u{a0}", format!("policysync-key-1 %C2%A0 {PUBLIC} Ève%E2%80%A8😀")),
        ] {
            assert_eq!(key(actor, kid).to_text(), text);
            assert_eq!(SigningPublicKey::from_text(&text).unwrap(), key(actor, kid));
        }
    }

    #[test]
    fn white_space_around_the_line_and_between_its_words_is_ignored() {
        let text = format!("  policysync-key-1\tk1   {PUBLIC} alice \r\n");
        assert_eq!(SigningPublicKey::from_text(&text).unwrap(), key("alice", "k1"));
    }

    #[test]
    fn another_spelling_is_refused() {
        for name in ["a%41", "a%e2%80%a8", "a%2", "a%", "a%zz", "a%FF", "a\u{2028}b", "a%20b"] {
            assert_eq!(fault(&format!("policysync-key-1 k {PUBLIC} {name}")), KeyTextError::Escape, "{name}");
        }
        assert_eq!(fault(&format!("policysync-key-1 a%41 {PUBLIC} alice")), KeyTextError::Escape);
    }

    #[test]
    fn each_fault_is_named() {
        assert_eq!(fault(""), KeyTextError::NotAKey);
        assert_eq!(fault("alice k1 00"), KeyTextError::NotAKey);
        assert_eq!(fault("\u{feff}policysync-key-1"), KeyTextError::NotAKey);
        assert_eq!(fault(&format!("policysync-key-2 k {PUBLIC} alice")), KeyTextError::Version);
        assert_eq!(fault("policysync-key-1"), KeyTextError::Incomplete);
        assert_eq!(fault(&format!("policysync-key-1 k {PUBLIC}")), KeyTextError::Incomplete);
        assert!(matches!(fault("policysync-key-1 k 00 alice"), KeyTextError::Encoding(_)));
        let zero = "A".repeat(43);
        let not_a_point = fault(&format!("policysync-key-1 k {zero} alice"));
        assert_eq!(not_a_point, KeyTextError::PublicKey(KeyError::InvalidPoint));
        // Unescaping must not let in what an identifier may not contain.
        for actor in ["a%0Ab", "a\u{202e}b"] {
            let text = format!("policysync-key-1 k {PUBLIC} {actor}");
            assert!(SigningPublicKey::from_text(&text).is_err(), "{actor}");
        }
    }

    #[test]
    fn a_registry_is_read_line_by_line() {
        let (alice, bob) = (key("alice", "k1"), key("bob", "k2"));
        let text = format!("# Keys\r\n\n  {}\r\n\t# more\n{0}\n{}", alice.to_text(), bob.to_text());
        let keys = KeyRegistry::from_text(&text).unwrap();
        assert!(keys.iter().eq([&alice, &bob]));
        assert_eq!(keys.to_text(), format!("{}\n{}\n", alice.to_text(), bob.to_text()));
        assert!(KeyRegistry::from_text("").unwrap().is_empty());
    }

    #[test]
    fn a_fault_in_a_registry_names_its_line() {
        let alice = key("alice", "k1").to_text();
        let error = KeyRegistry::from_text(&format!("{alice}\n\nbob\n")).err().unwrap();
        assert_eq!(error.to_string(), "line 3: not a key: it does not begin with policysync-key-1");
        let other = KeyPair::from_seed(&[8; 32]).unwrap().public_key();
        let other = SigningPublicKey::with_kid("alice", "k1", other).unwrap().to_text();
        let error = KeyRegistry::from_text(&format!("{alice}\n{other}\n")).err().unwrap();
        assert_eq!(error.to_string(), "line 2: \"alice\" has another key under the kid \"k1\"");
    }

    proptest! {
        #[test]
        fn a_key_with_any_names_is_read_from_its_text(actor in "[^\\p{Cc}]{1,20}", kid in "[ %a\u{a0}]{1,5}") {
            let pair = KeyPair::from_seed(&[7; 32]).unwrap();
            if let Ok(key) = SigningPublicKey::with_kid(&actor, &kid, pair.public_key()) {
                let text = key.to_text();
                prop_assert!(!text.contains(['\n', '\r']));
                prop_assert_eq!(&SigningPublicKey::from_text(&text).unwrap(), &key);
                let keys = KeyRegistry::from_text(&text).unwrap();
                prop_assert!(keys.iter().eq([&key]));
            }
        }

        #[test]
        fn a_text_that_is_read_is_the_text_that_is_written(name in "[ %0-9A-Fa]{1,6}") {
            let text = format!("policysync-key-1 k {PUBLIC} {}", name.trim());
            if let Ok(key) = SigningPublicKey::from_text(&text) {
                prop_assert_eq!(key.to_text(), text);
            }
        }
    }
}
