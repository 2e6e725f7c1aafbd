//! Strict hexadecimal in lower case: each value has exactly one text.

use super::EncodingError;

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
