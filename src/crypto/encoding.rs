//! Strict text encodings of bytes: each value has exactly one text.

use super::EncodingError;

/// Encodes with the standard alphabet and padding (RFC 4648, section 4).
pub(crate) fn encode_base64(bytes: &[u8]) -> String {
    let mut text = encode(bytes, ['+', '/']);
    text.extend(std::iter::repeat_n('=', padding(bytes.len())));
    text
}

/// Encodes with the URL-safe alphabet, without padding (RFC 4648, sections 5 and 3.2).
pub(crate) fn encode_base64url(bytes: &[u8]) -> String {
    encode(bytes, ['-', '_'])
}

/// Decodes the text that [`encode_base64`] returns for `N` bytes. Any other text is an error.
pub(crate) fn decode_base64_array<const N: usize>(text: &str) -> Result<[u8; N], EncodingError> {
    decode(text, padding(N), ['+', '/'])
}

/// Decodes the text that [`encode_base64url`] returns for `N` bytes. Any other text is an error.
pub(crate) fn decode_base64url_array<const N: usize>(text: &str) -> Result<[u8; N], EncodingError> {
    decode(text, 0, ['-', '_'])
}

/// Decodes the text that [`encode_base64url`] returns for any number of bytes. Any other text is an error.
pub(crate) fn decode_base64url(text: &str) -> Result<Vec<u8>, EncodingError> {
    // 4 digits take 3 bytes. One digit left over is too few for a byte.
    let mut bytes = vec![0; text.len() / 4 * 3 + (text.len() % 4).saturating_sub(1)];
    decode_into(&mut bytes, text, 0, ['-', '_'])?;
    Ok(bytes)
}

/// Decodes digits and this many `=`. `last` are the characters for 62 and 63.
fn decode<const N: usize>(text: &str, padding: usize, last: [char; 2]) -> Result<[u8; N], EncodingError> {
    let mut bytes = [0; N];
    decode_into(&mut bytes, text, padding, last)?;
    Ok(bytes)
}

fn decode_into(bytes: &mut [u8], text: &str, padding: usize, last: [char; 2]) -> Result<(), EncodingError> {
    let digits = (8 * bytes.len()).div_ceil(6);
    let expected = digits + padding;
    if text.len() != expected {
        return Err(EncodingError::Length { expected, found: text.len() });
    }
    let mut unset = bytes.iter_mut();
    // The lowest `bits` bits of `pending` belong to the next byte, the others are zero.
    let (mut pending, mut bits) = (0_u16, 0);
    for (at, character) in text.bytes().enumerate() {
        if at >= digits {
            if character != b'=' {
                return Err(EncodingError::Character { at });
            }
            continue;
        }
        let sextet = sextet(character, last).ok_or(EncodingError::Character { at })?;
        pending = (pending << 6) | u16::from(sextet);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            let [byte, _] = (pending >> bits).to_le_bytes();
            pending &= (1 << bits) - 1;
            if let Some(slot) = unset.next() {
                *slot = byte;
            }
        }
    }
    if pending != 0 {
        return Err(EncodingError::TrailingBits);
    }
    Ok(())
}

/// Returns the number of `=` after the digits of `length` bytes.
const fn padding(length: usize) -> usize {
    (3 - length % 3) % 3
}

/// Encodes without padding. `last` are the characters for 62 and 63.
fn encode(bytes: &[u8], last: [char; 2]) -> String {
    let mut text = String::with_capacity(4 * bytes.len().div_ceil(3));
    for group in bytes.chunks(3) {
        let byte = |at| group.get(at).copied().unwrap_or(0);
        let (a, b, c) = (byte(0), byte(1), byte(2));
        let sextets = [a >> 2, (a & 3) << 4 | b >> 4, (b & 15) << 2 | c >> 6, c & 63];
        // One byte takes two digits, two take three, three take four.
        text.extend(sextets.into_iter().take(group.len() + 1).map(|sextet| character(sextet, last)));
    }
    text
}

/// Returns the character for 0 to 63.
fn character(sextet: u8, [plus, slash]: [char; 2]) -> char {
    match sextet {
        0..=25 => char::from(b'A' + sextet),
        26..=51 => char::from(b'a' + (sextet - 26)),
        52..=61 => char::from(b'0' + (sextet - 52)),
        62 => plus,
        _ => slash,
    }
}

/// Returns the value of a character. `last` are those for 62 and 63.
fn sextet(character: u8, [plus, slash]: [char; 2]) -> Option<u8> {
    match character {
        b'A'..=b'Z' => Some(character - b'A'),
        b'a'..=b'z' => Some(character - b'a' + 26),
        b'0'..=b'9' => Some(character - b'0' + 52),
        _ if char::from(character) == plus => Some(62),
        _ if char::from(character) == slash => Some(63),
        _ => None,
    }
}

/// Encodes each byte as two lower-case digits.
pub(crate) fn encode_hex(bytes: &[u8]) -> String {
    let digits = |byte: &u8| [digit(byte >> 4), digit(byte & 15)];
    bytes.iter().flat_map(digits).map(char::from).collect()
}

/// Decodes exactly `2 * N` lower-case digits. An upper-case digit is an error.
pub(crate) const fn decode_hex_array<const N: usize>(text: &str) -> Result<[u8; N], EncodingError> {
    let mut bytes = [0; N];
    if text.len() != 2 * N {
        return Err(EncodingError::Length { expected: 2 * N, found: text.len() });
    }
    let mut digits = text.as_bytes();
    let mut unset: &mut [u8] = &mut bytes;
    // A loop over slices, because iterators are not `const` and this decodes constants too.
    while let ([high, low, more @ ..], [byte, rest @ ..]) = (digits, unset) {
        let at = text.len() - digits.len();
        *byte = match (value(*high), value(*low)) {
            (Some(high), Some(low)) => (high << 4) | low,
            (None, _) => return Err(EncodingError::Character { at }),
            (_, None) => return Err(EncodingError::Character { at: at + 1 }),
        };
        digits = more;
        unset = rest;
    }
    Ok(bytes)
}

/// Returns the digit for 0 to 15.
fn digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + (value - 10) }
}

const fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 4648, section 10.
    const RFC: [(&str, &str); 7] = [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ];

    #[test]
    fn the_examples_of_the_rfc_encode_and_decode() {
        for (plain, text) in RFC {
            assert_eq!(encode_base64(plain.as_bytes()), text);
            assert_eq!(encode_base64url(plain.as_bytes()), text.trim_end_matches('='));
        }
        assert_eq!(decode_base64_array("Zg=="), Ok(*b"f"));
        assert_eq!(decode_base64_array("Zm8="), Ok(*b"fo"));
        assert_eq!(decode_base64_array("Zm9v"), Ok(*b"foo"));
        assert_eq!(decode_base64_array("Zm9vYmFy"), Ok(*b"foobar"));
        assert_eq!(decode_base64_array(""), Ok([]));
    }

    #[test]
    fn a_text_of_any_length_decodes() {
        for (plain, text) in RFC {
            let digits = text.trim_end_matches('=');
            assert_eq!(decode_base64url(digits), Ok(plain.as_bytes().to_vec()));
            assert_eq!(decode_base64url(text).is_ok(), text == digits, "{text}");
        }
        for text in ["Z", "Zm9vZ"] {
            let wrong = EncodingError::Length { expected: text.len() - 1, found: text.len() };
            assert_eq!(decode_base64url(text), Err(wrong));
        }
        assert_eq!(decode_base64url("Zh"), Err(EncodingError::TrailingBits));
        assert_eq!(decode_base64url("Zm9v+A"), Err(EncodingError::Character { at: 4 }));
        assert_eq!(decode_base64url("Zmé"), Err(EncodingError::Character { at: 2 }));
    }

    #[test]
    fn the_alphabets_are_those_of_the_rfc() {
        let bytes: [u8; 48] = [
            0x00, 0x10, 0x83, 0x10, 0x51, 0x87, 0x20, 0x92, 0x8b, 0x30, 0xd3, 0x8f, 0x41, 0x14, 0x93,
            0x51, //
            0x55, 0x97, 0x61, 0x96, 0x9b, 0x71, 0xd7, 0x9f, 0x82, 0x18, 0xa3, 0x92, 0x59, 0xa7, 0xa2,
            0x9a, //
            0xab, 0xb2, 0xdb, 0xaf, 0xc3, 0x1c, 0xb3, 0xd3, 0x5d, 0xb7, 0xe3, 0x9e, 0xbb, 0xf3, 0xdf, 0xbf,
        ];
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        assert_eq!(encode_base64(&bytes), format!("{letters}+/"));
        assert_eq!(encode_base64url(&bytes), format!("{letters}-_"));
        assert_eq!(decode_base64_array(&format!("{letters}+/")), Ok(bytes));
        assert_eq!(decode_base64url_array(&format!("{letters}-_")), Ok(bytes));
    }

    #[test]
    fn unused_bits_must_be_zero() {
        // "Zg==" is 'f', "Zw==" is 'g'. The texts between them decode to 'f' with unused bits that are not zero.
        assert_eq!(decode_base64_array::<1>("Zw=="), Ok(*b"g"));
        for text in ["Zh==", "Zi==", "Zv=="] {
            assert_eq!(decode_base64_array::<1>(text), Err(EncodingError::TrailingBits), "{text}");
        }
        assert_eq!(decode_base64_array::<2>("Zm9="), Err(EncodingError::TrailingBits));
        assert_eq!(decode_base64_array::<2>("Zm+="), Err(EncodingError::TrailingBits));
    }

    #[test]
    fn a_wrong_length_is_refused() {
        for text in ["", "Zg", "Zg=", "Zg===", "Zm9vYg==", " Zg==", "Zg==\n"] {
            let wrong = EncodingError::Length { expected: 4, found: text.len() };
            assert_eq!(decode_base64_array::<1>(text), Err(wrong));
        }
    }

    #[test]
    fn a_character_outside_the_alphabet_is_refused_with_its_position() {
        for (text, at) in
            [("-g==", 0), ("Z_==", 1), ("Zg=A", 3), ("ZgA=", 2), ("====", 0), ("Z===", 1), ("\0g==", 0)]
        {
            assert_eq!(decode_base64_array::<1>(text), Err(EncodingError::Character { at }), "{text}");
        }
        assert_eq!(decode_base64_array::<3>("Zm9="), Err(EncodingError::Character { at: 3 }));
        // Neither alphabet takes the characters of the other, nor padding that is not expected.
        assert_eq!(decode_base64url_array::<3>("Zm+_"), Err(EncodingError::Character { at: 2 }));
        assert_eq!(decode_base64url_array::<1>("Zg=="), Err(EncodingError::Length { expected: 2, found: 4 }));
        assert_eq!(decode_base64_array::<3>("Zmé"), Err(EncodingError::Character { at: 2 }));
    }

    proptest! {
        #[test]
        fn a_decoded_text_is_the_encoding_of_its_bytes(text in "[A-Za-z0-9+/]{6}==") {
            if let Ok(bytes) = decode_base64_array::<4>(&text) {
                prop_assert_eq!(encode_base64(&bytes), text);
            }
        }

        #[test]
        fn decoding_reverses_encoding(bytes: [u8; 16]) {
            prop_assert_eq!(decode_base64_array(&encode_base64(&bytes)), Ok(bytes));
            prop_assert_eq!(decode_base64url_array(&encode_base64url(&bytes)), Ok(bytes));
        }
    }

    #[test]
    fn every_byte_has_two_digits_and_decodes_to_itself() {
        for byte in 0..=u8::MAX {
            let text = encode_hex(&[byte]);
            assert_eq!(text, format!("{byte:02x}"));
            assert_eq!(decode_hex_array(&text), Ok([byte]));
        }
        assert_eq!(encode_hex(&[0x00, 0x9f, 0xa0, 0xff]), "009fa0ff");
        assert_eq!(decode_hex_array("009fa0ff"), Ok([0x00, 0x9f, 0xa0, 0xff]));
        assert_eq!((encode_hex(&[]), decode_hex_array("")), (String::new(), Ok([])));
    }

    #[test]
    fn a_digit_too_few_or_too_many_is_refused() {
        for text in ["", "0", "00f", "00ff0", "00ff00", "é"] {
            let wrong = EncodingError::Length { expected: 4, found: text.len() };
            assert_eq!(decode_hex_array::<2>(text), Err(wrong));
        }
    }

    #[test]
    fn anything_but_a_lower_case_digit_is_refused_with_its_position() {
        for (text, at) in
            [("g000", 0), ("0A00", 1), ("00F0", 2), ("000 ", 3), ("/000", 0), ("0:00", 1), ("00é", 2)]
        {
            assert_eq!(decode_hex_array::<2>(text), Err(EncodingError::Character { at }), "{text}");
        }
        assert_eq!(decode_hex_array::<2>("`000"), Err(EncodingError::Character { at: 0 }));
    }
}
