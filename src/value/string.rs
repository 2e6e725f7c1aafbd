//! Reading and writing of JSON strings.

use super::{JsonError, JsonFault};

/// Appends `text` as a quoted JSON string with the escapes of RFC 8785, section 3.2.2.2.
///
/// `\b \t \n \f \r \" \\` have their short escape, the other characters below U+0020 are written like `\u001f`, and all
/// others are not escaped.
pub(crate) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    loop {
        // ASCII or the end follows the plain bytes, so this is a character boundary.
        let (plain, special) = rest.split_at(plain_len(rest.as_bytes()));
        out.push_str(plain);
        let mut characters = special.chars();
        let Some(character) = characters.next() else { break };
        write_character(out, character);
        rest = characters.as_str();
    }
    out.push('"');
}

/// Appends one character of a JSON string, escaped if necessary.
pub(super) fn write_character(out: &mut String, character: char) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{8}' => out.push_str("\\b"),
        '\t' => out.push_str("\\t"),
        '\n' => out.push_str("\\n"),
        '\u{c}' => out.push_str("\\f"),
        '\r' => out.push_str("\\r"),
        '\0'..='\u{1f}' => {
            let code = u32::from(character);
            out.push_str("\\u00");
            out.extend(char::from_digit(code >> 4, 16));
            out.extend(char::from_digit(code & 0xf, 16));
        }
        _ => out.push(character),
    }
}

/// A run of unescaped characters, followed by an escape or the end of the string.
pub(super) struct Piece<'a> {
    pub(super) plain: &'a str,
    pub(super) escaped: Option<char>,
    /// The text after the escape or the closing quote.
    pub(super) rest: &'a str,
}

/// Reads the next part of a string. The position of an error is relative to `text`.
pub(super) fn next_piece(text: &str) -> Result<Piece<'_>, JsonError> {
    let length = plain_len(text.as_bytes());
    // ASCII or the end follows the plain bytes, so this is a character boundary.
    let (plain, special) = text.split_at(length);
    let fault = match special.as_bytes() {
        [b'"', ..] => {
            let rest = special.strip_prefix('"').unwrap_or_default();
            return Ok(Piece { plain, escaped: None, rest });
        }
        [b'\\', ..] => match read_escape(special) {
            Ok((character, rest)) => return Ok(Piece { plain, escaped: Some(character), rest }),
            Err(fault) => fault,
        },
        [] => JsonFault::UnexpectedEnd,
        _ => JsonFault::ControlCharacter,
    };
    Err(JsonError::new(length, fault))
}

/// Returns the number of bytes at the start that need no escape: no quote, no backslash, none below 0x20.
pub(super) fn plain_len(bytes: &[u8]) -> usize {
    let (blocks, tail) = bytes.as_chunks::<8>();
    let mut length = 0;
    for block in blocks {
        if has_special(u64::from_le_bytes(*block)) {
            return length + plain_len_bytewise(block);
        }
        length += 8;
    }
    length + plain_len_bytewise(tail)
}

fn plain_len_bytewise(bytes: &[u8]) -> usize {
    let special = |&byte: &u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    bytes.iter().position(special).unwrap_or(bytes.len())
}

/// Returns true if one of the eight bytes is a quote, a backslash or below 0x20.
///
/// Subtracting `n` (up to 128) from a byte below `n` borrows and sets its top bit, which was not set before. Two equal
/// bytes are below 1 after XOR.
fn has_special(block: u64) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let below = |block: u64, limit: u64| block.wrapping_sub(ONES * limit) & !block;
    let quote = below(block ^ (ONES * 0x22), 1);
    let backslash = below(block ^ (ONES * 0x5c), 1);
    (below(block, 0x20) | quote | backslash) & (ONES << 7) != 0
}

/// Reads an escape, which begins with its backslash. Also returns the text after it.
fn read_escape(text: &str) -> Result<(char, &str), JsonFault> {
    let mut characters = text.chars();
    characters.next();
    let character = match characters.next().ok_or(JsonFault::UnexpectedEnd)? {
        character @ ('"' | '\\' | '/') => character,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return read_unicode_escape(characters.as_str()),
        _ => return Err(JsonFault::Syntax { expected: "an escape" }),
    };
    Ok((character, characters.as_str()))
}

/// Reads the rest of an escape after `\u`, with the second half of a surrogate pair.
fn read_unicode_escape(text: &str) -> Result<(char, &str), JsonFault> {
    let (unit, rest) = read_hex(text)?;
    if let Some(character) = char::from_u32(unit.into()) {
        return Ok((character, rest));
    }
    let Some(second) = rest.strip_prefix("\\u") else { return Err(JsonFault::LoneSurrogate) };
    let (second, rest) = read_hex(second)?;
    match char::decode_utf16([unit, second]).next() {
        Some(Ok(character)) => Ok((character, rest)),
        _ => Err(JsonFault::LoneSurrogate),
    }
}

fn read_hex(text: &str) -> Result<(u16, &str), JsonFault> {
    let mut characters = text.chars();
    let mut unit = 0;
    for _ in 0..4 {
        let character = characters.next().ok_or(JsonFault::UnexpectedEnd)?;
        let digit = character.to_digit(16).and_then(|digit| u16::try_from(digit).ok());
        unit = unit << 4 | digit.ok_or(JsonFault::Syntax { expected: "four hexadecimal digits" })?;
    }
    Ok((unit, characters.as_str()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{JsonReader, Value};
    use super::*;

    fn written(text: &str) -> String {
        let mut out = String::new();
        write_string(&mut out, text);
        out
    }

    fn read(json: &str) -> Result<String, JsonFault> {
        let mut reader = JsonReader::new(json.as_bytes()).unwrap();
        let text = reader.string().map_err(|error| error.fault().clone())?.into_owned();
        reader.finish().unwrap();
        Ok(text)
    }

    #[test]
    fn every_control_character_has_the_escape_of_ecmascript() {
        let expected = [
            r"\u0000", r"\u0001", r"\u0002", r"\u0003", r"\u0004", r"\u0005", r"\u0006", r"\u0007", r"\b",
            r"\t", r"\n", r"\u000b", r"\f", r"\r", r"\u000e", r"\u000f", r"\u0010", r"\u0011", r"\u0012",
            r"\u0013", r"\u0014", r"\u0015", r"\u0016", r"\u0017", r"\u0018", r"\u0019", r"\u001a",
            r"\u001b", r"\u001c", r"\u001d", r"\u001e", r"\u001f",
        ];
        for (control, escape) in ('\0'..).zip(expected) {
            assert_eq!(written(&control.to_string()), format!("\"{escape}\""));
            assert_eq!(read(&format!("\"{escape}\"")), Ok(control.to_string()));
        }
    }

    #[test]
    fn only_the_quote_and_the_backslash_are_escaped_from_a_space_on() {
        assert_eq!(written("\"\\"), r#""\"\\""#);
        let plain = " /!~\u{7f}\u{80}\u{2028}\u{2029}\u{feff}\u{ffff}\u{1f600}\u{10ffff}";
        assert_eq!(written(plain), format!("\"{plain}\""));
    }

    #[test]
    fn a_special_byte_is_found_at_every_position_of_a_block() {
        for special in [b'"', b'\\', 0, 0x1f] {
            for other in [b' ', b'!', b'#', b'[', b']', 0x7f, 0x80, 0xff, 0xa2, 0xdc] {
                for length in 0..20 {
                    let mut bytes = [other; 20];
                    bytes[length] = special;
                    assert_eq!(plain_len(&bytes), length, "{special:#x} among {other:#x}");
                }
                assert_eq!(plain_len(&[other; 20]), 20);
            }
        }
    }

    #[test]
    fn every_escape_of_the_grammar_is_read() {
        assert_eq!(read(r#""\"\\\/\b\f\n\r\t""#), Ok("\"\\/\u{8}\u{c}\n\r\t".into()));
        assert_eq!(
            read(r#""\u0000\u00e9\u00E9\ud7ff\ue000\uffff\uFeFf""#),
            Ok("\0éé\u{d7ff}\u{e000}\u{ffff}\u{feff}".into())
        );
        assert_eq!(read(r#""\ud800\udc00\uDBFF\uDFFF""#), Ok("\u{10000}\u{10ffff}".into()));
        assert_eq!(read(r#""a\u0062c\nd""#), Ok("abc\nd".into()));
    }

    #[test]
    fn other_escapes_are_refused() {
        let escape = Err(JsonFault::Syntax { expected: "an escape" });
        for json in [r#""\a""#, r#""\x41""#, r#""\U0041""#, r#""\0""#, r#""\'""#, "\"\\\n\"", "\"\\é\""] {
            assert_eq!(read(json), escape, "{json}");
        }
        let digits = Err(JsonFault::Syntax { expected: "four hexadecimal digits" });
        for json in [r#""\u00g0""#, r#""\u+041""#, r#""\u 041""#, r#""\u004""#, r#""\u{41}""#, "\"\\u004é\""]
        {
            assert_eq!(read(json), digits, "{json}");
        }
    }

    #[test]
    fn a_lone_surrogate_is_refused() {
        for json in [
            r#""\ud800""#,
            r#""\udbff""#,
            r#""\udc00""#,
            r#""\udfff""#,
            r#""\ud800x""#,
            r#""\ud800\n""#,
            r#""\ud800\ud800""#,
            r#""\ud800\u0041""#,
            r#""\ud800\ue000""#,
            r#""\udc00\ud800""#,
        ] {
            assert_eq!(read(json), Err(JsonFault::LoneSurrogate), "{json}");
        }
    }

    #[test]
    fn a_raw_control_character_is_refused() {
        for control in '\0'..' ' {
            assert_eq!(read(&format!("\"ab{control}\"")), Err(JsonFault::ControlCharacter));
        }
        assert_eq!(read("\"\u{7f}\u{85}\""), Ok("\u{7f}\u{85}".into()));
    }

    #[test]
    fn a_string_without_its_end_is_refused() {
        for json in ["\"", "\"a", "\"\\", r#""\""#, r#""\u"#, r#""\u004"#, r#""\ud83d\u"#] {
            assert_eq!(read(json), Err(JsonFault::UnexpectedEnd), "{json}");
        }
    }

    #[test]
    fn the_position_of_a_fault_is_that_of_the_escape_or_character() {
        for (json, at) in [("  \"abc\\x\"", 6), ("\"a\\nb\\ud800\"", 5), ("\"é\n\"", 3), ("\"abc", 4)] {
            assert_eq!(Value::parse(json).unwrap_err().at(), at, "{json}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(text in any::<String>()) {
            prop_assert_eq!(read(&written(&text)), Ok(text));
        }

        #[test]
        fn plain_bytes_are_counted_as_one_by_one(bytes: Vec<u8>) {
            prop_assert_eq!(plain_len(&bytes), plain_len_bytewise(&bytes));
        }
    }
}
