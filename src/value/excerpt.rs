//! An excerpt of untrusted text that is safe to display.

use std::fmt;

/// The greatest number of characters of the text.
const MAX_CHARACTERS: usize = 64;
/// The greatest length of an excerpt in bytes, without the three dots: two excerpts fit into one message.
const MAX_BYTES: usize = 160;

/// The start of an untrusted text, safe to display in an error message or a log.
///
/// Printable ASCII is kept; any other character is written as an escape like `\u{202e}`. After 64 characters or 160
/// bytes the text is cut and `...` follows.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Excerpt(Box<str>);

impl Excerpt {
    /// Creates an excerpt of `text`.
    pub fn of(text: &str) -> Excerpt {
        let mut shown = String::new();
        let mut characters = text.chars();
        for character in characters.by_ref().take(MAX_CHARACTERS) {
            let whole_characters = shown.len();
            if matches!(character, ' '..='~') {
                shown.push(character);
            } else {
                shown.extend(character.escape_unicode());
            }
            if shown.len() > MAX_BYTES {
                shown.truncate(whole_characters);
                shown.push_str("...");
                return Excerpt(shown.into());
            }
        }
        if characters.next().is_some() {
            shown.push_str("...");
        }
        Excerpt(shown.into())
    }

    /// Returns the excerpt, in printable ASCII.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\"{}\"", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printable_ascii_is_kept_and_other_characters_are_escaped() {
        assert_eq!(Excerpt::of(" az~").as_str(), " az~");
        assert_eq!(Excerpt::of("a\n\u{7f}\u{202e}é").as_str(), r"a\u{a}\u{7f}\u{202e}\u{e9}");
    }

    #[test]
    fn sixty_four_characters_are_kept_and_the_sixty_fifth_is_cut() {
        assert_eq!(Excerpt::of(&"x".repeat(64)).as_str(), "x".repeat(64));
        assert_eq!(Excerpt::of(&"x".repeat(65)).as_str(), "x".repeat(64) + "...");
    }

    #[test]
    fn an_excerpt_stays_within_its_bytes_and_ends_with_a_whole_escape() {
        // Each character has ten bytes, so sixteen fit.
        let wide = "\u{10ffff}";
        assert_eq!(Excerpt::of(&wide.repeat(16)).as_str(), r"\u{10ffff}".repeat(16));
        assert_eq!(Excerpt::of(&wide.repeat(17)).as_str(), r"\u{10ffff}".repeat(16) + "...");
    }
}
