//! The strict reader of JSON text, one token at a time.

use std::borrow::Cow;

use super::number::Literal;
use super::string::{Piece, next_piece};
use super::{JsonError, JsonFault};

/// A reader of JSON text (RFC 8259) that refuses anything that two readers might interpret differently.
///
/// After an error its position is undefined, and it must not be used further. The caller limits the size of the text.
pub(crate) struct JsonReader<'a> {
    rest: &'a str,
    length: usize,
}

impl<'a> JsonReader<'a> {
    /// Creates a reader of a whole text. Refuses invalid UTF-8 and a byte order mark.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<JsonReader<'a>, JsonError> {
        match std::str::from_utf8(bytes) {
            Ok(text) => JsonReader::of_text(text),
            Err(error) => Err(JsonError::new(error.valid_up_to(), JsonFault::InvalidUtf8)),
        }
    }

    /// Creates a reader of a whole text. Refuses a byte order mark.
    pub(super) fn of_text(text: &'a str) -> Result<JsonReader<'a>, JsonError> {
        if text.starts_with('\u{feff}') {
            return Err(JsonError::new(0, JsonFault::ByteOrderMark));
        }
        Ok(JsonReader { rest: text, length: text.len() })
    }

    /// Returns the number of bytes that have been read.
    pub(crate) fn offset(&self) -> usize {
        self.length.saturating_sub(self.rest.len())
    }

    /// Reads the start of an object.
    pub(crate) fn begin_object(&mut self) -> Result<(), JsonError> {
        self.skip_space();
        if self.eat(b'{') { Ok(()) } else { Err(self.wrong_type("object")) }
    }

    /// Reads the unescaped name of the next member and its colon. Returns `None` at the end of the object.
    ///
    /// `first` is true for the first member, which follows no comma. The caller detects duplicate names.
    pub(crate) fn next_member(&mut self, first: bool) -> Result<Option<Cow<'a, str>>, JsonError> {
        if !self.begin_member(first)? {
            return Ok(None);
        }
        let name = self.rest_of_string()?;
        self.colon()?;
        Ok(Some(name))
    }

    /// Reads a string and unescapes it. The result is borrowed if there are no escapes.
    pub(crate) fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        self.skip_space();
        if self.eat(b'"') { self.rest_of_string() } else { Err(self.wrong_type("string")) }
    }

    /// Reads a number: finite, not negative zero.
    pub(crate) fn number(&mut self) -> Result<f64, JsonError> {
        self.skip_space();
        let at = self.offset();
        match self.peek() {
            Some(b'-' | b'0'..=b'9') => self.literal()?.number().map_err(|fault| JsonError::new(at, fault)),
            _ => Err(self.wrong_type("number")),
        }
    }

    /// Reads `null` if it is next.
    pub(crate) fn null(&mut self) -> Result<bool, JsonError> {
        self.skip_space();
        if self.peek() != Some(b'n') {
            return Ok(false);
        }
        if self.eat_word("null") { Ok(true) } else { Err(self.unexpected("a value")) }
    }

    /// Checks that only white space follows.
    pub(crate) fn finish(mut self) -> Result<(), JsonError> {
        self.skip_space();
        if self.rest.is_empty() { Ok(()) } else { Err(self.error(JsonFault::TrailingBytes)) }
    }

    pub(super) fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.take(1);
        }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.as_bytes().first().copied()
    }

    /// Reads this byte, which is ASCII, if it is the next.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.take(1);
        }
        found
    }

    /// Reads this word if it is next.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        match self.rest.strip_prefix(word) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Reads a comma, except before the first member, and the opening quote of a name. Returns false at the end of the
    /// object.
    pub(super) fn begin_member(&mut self, first: bool) -> Result<bool, JsonError> {
        self.skip_space();
        if self.eat(b'}') {
            return Ok(false);
        }
        if !first {
            if !self.eat(b',') {
                return Err(self.unexpected("a comma or a closing brace"));
            }
            self.skip_space();
        }
        if self.eat(b'"') { Ok(true) } else { Err(self.unexpected("a member name")) }
    }

    pub(super) fn colon(&mut self) -> Result<(), JsonError> {
        self.skip_space();
        if self.eat(b':') { Ok(()) } else { Err(self.unexpected("a colon")) }
    }

    /// Reads the next part of a string.
    pub(super) fn piece(&mut self) -> Result<Piece<'a>, JsonError> {
        let piece = next_piece(self.rest).map_err(|error| error.moved_by(self.offset()))?;
        self.rest = piece.rest;
        Ok(piece)
    }

    /// Reads a number literal.
    pub(super) fn literal(&mut self) -> Result<Literal<'a>, JsonError> {
        let literal = Literal::find(self.rest).map_err(|error| error.moved_by(self.offset()))?;
        self.take(literal.text().len());
        Ok(literal)
    }

    pub(super) fn error(&self, fault: JsonFault) -> JsonError {
        JsonError::new(self.offset(), fault)
    }

    /// Returns the error for text that the grammar does not allow here.
    pub(super) fn unexpected(&self, expected: &'static str) -> JsonError {
        self.error(match self.rest {
            "" => JsonFault::UnexpectedEnd,
            _ => JsonFault::Syntax { expected },
        })
    }

    /// Returns the error for a value of the wrong type.
    fn wrong_type(&self, expected: &'static str) -> JsonError {
        match self.peek() {
            Some(b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                self.error(JsonFault::WrongType { expected })
            }
            _ => self.unexpected(expected),
        }
    }

    fn rest_of_string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        let mut piece = self.piece()?;
        if piece.escaped.is_none() {
            return Ok(Cow::Borrowed(piece.plain));
        }
        let mut text = String::from(piece.plain);
        while let Some(character) = piece.escaped {
            text.push(character);
            piece = self.piece()?;
            text.push_str(piece.plain);
        }
        Ok(Cow::Owned(text))
    }

    /// Advances past bytes that are ASCII.
    fn take(&mut self, count: usize) {
        self.rest = self.rest.split_at(count).1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reader(json: &str) -> JsonReader<'_> {
        JsonReader::new(json.as_bytes()).unwrap()
    }

    fn fault<T>(result: Result<T, JsonError>) -> (usize, JsonFault) {
        let error = result.err().unwrap();
        (error.at(), error.fault().clone())
    }

    #[test]
    fn an_object_is_read_member_by_member() {
        let mut reader =
            reader(" { \"a\" : \"x\" ,\"\\u0062\":-1.5e1\n, \"c\":[ 1 ,{}], \"\" :{\"b\":1,\"a\":2}\t}\r\n ");
        reader.begin_object().unwrap();
        assert_eq!(reader.next_member(true), Ok(Some(Cow::Borrowed("a"))));
        assert_eq!(reader.string(), Ok(Cow::Borrowed("x")));
        assert_eq!(reader.next_member(false), Ok(Some(Cow::Borrowed("b"))));
        assert_eq!(reader.number(), Ok(-15.0));
        assert_eq!(reader.next_member(false), Ok(Some(Cow::Borrowed("c"))));
        let mut out = String::from("so far ");
        reader.value(&mut out).unwrap();
        assert_eq!(reader.next_member(false), Ok(Some(Cow::Borrowed(""))));
        reader.value(&mut out).unwrap();
        assert_eq!(reader.next_member(false), Ok(None));
        reader.finish().unwrap();
        assert_eq!(out, "so far [1,{}]{\"a\":2,\"b\":1}");
    }

    #[test]
    fn an_empty_object_has_no_member() {
        let mut reader = reader("{ }");
        reader.begin_object().unwrap();
        assert_eq!(reader.next_member(true), Ok(None));
        assert_eq!(reader.offset(), 3);
        reader.finish().unwrap();
    }

    #[test]
    fn a_string_without_escapes_is_borrowed() {
        assert!(matches!(reader("\"grün\"").string(), Ok(Cow::Borrowed("grün"))));
        assert!(matches!(reader("\"gr\\u00fcn\"").string(), Ok(Cow::Owned(text)) if text == "grün"));
    }

    #[test]
    fn a_value_of_another_type_is_named() {
        let wrong = |at, expected| (at, JsonFault::WrongType { expected });
        for json in [" []", " 1", " -1", " null", " true", " false"] {
            assert_eq!(fault(reader(json).begin_object()), wrong(1, "object"));
            assert_eq!(fault(reader(json).string()), wrong(1, "string"));
        }
        for json in [" \"1\"", " {}", " []", " null"] {
            assert_eq!(fault(reader(json).number()), wrong(1, "number"));
        }
        assert_eq!(fault(reader("  ").string()), (2, JsonFault::UnexpectedEnd));
        assert_eq!(fault(reader("'a'").string()), (0, JsonFault::Syntax { expected: "string" }));
    }

    #[test]
    fn members_require_quotes_colons_and_commas() {
        let member = |json, first| fault(reader(json).next_member(first));
        let syntax = |at, expected| (at, JsonFault::Syntax { expected });
        assert_eq!(member(",\"a\":1", true), syntax(0, "a member name"));
        assert_eq!(member("a:1", true), syntax(0, "a member name"));
        assert_eq!(member("\"a\" 1", true), syntax(4, "a colon"));
        assert_eq!(member("\"a\":1", false), syntax(0, "a comma or a closing brace"));
        assert_eq!(member("] ", false), syntax(0, "a comma or a closing brace"));
        assert_eq!(member(", }", false), syntax(2, "a member name"));
        assert_eq!(member(",,\"a\":1", false), syntax(1, "a member name"));
        assert_eq!(member(" ", true), (1, JsonFault::UnexpectedEnd));
        assert_eq!(member(" ", false), (1, JsonFault::UnexpectedEnd));
        assert_eq!(member("\"a\"", true), (3, JsonFault::UnexpectedEnd));
    }

    #[test]
    fn invalid_utf8_is_refused_with_its_place() {
        // A lone continuation byte, an overlong slash, a surrogate, a code point past U+10FFFF, a truncated character.
        for bytes in [&b"\x80"[..], b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"] {
            let json = [b"\"ab", bytes, b"\""].concat();
            assert_eq!(fault(JsonReader::new(&json)), (3, JsonFault::InvalidUtf8));
        }
    }

    #[test]
    fn a_byte_order_mark_is_refused() {
        assert_eq!(fault(JsonReader::new(b"\xef\xbb\xbf1")), (0, JsonFault::ByteOrderMark));
        assert!(JsonReader::new(b"\xfe\xff\x001").is_err());
        assert_eq!(reader("\"\u{feff}\"").string(), Ok(Cow::Borrowed("\u{feff}")));
    }

    #[test]
    fn only_white_space_may_follow() {
        let after_one = |json: &'static str| {
            let mut reader = reader(json);
            reader.number().unwrap();
            reader.finish()
        };
        assert_eq!(after_one("1 \t\r\n"), Ok(()));
        for json in ["1 2", "1 ,", "1 }", "1 \u{a0}", "1 \u{feff}", "1 \0", "1 \u{b}", "1 \u{c}", "1 //"] {
            assert_eq!(fault(after_one(json)), (2, JsonFault::TrailingBytes), "{json:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_any_method_panic(bytes: Vec<u8>, calls in prop::collection::vec(0_u8..5, 0..20)) {
            let Ok(mut reader) = JsonReader::new(&bytes) else { return Ok(()) };
            for call in calls {
                let before = reader.offset();
                let result = match call {
                    0 => reader.begin_object().is_ok(),
                    1 => reader.next_member(true).is_ok(),
                    2 => reader.next_member(false).is_ok(),
                    3 => reader.string().is_ok(),
                    _ => reader.number().is_ok(),
                };
                prop_assert!(reader.offset() >= before && reader.offset() <= bytes.len());
                prop_assert!(!result || reader.offset() > before);
            }
        }
    }
}
