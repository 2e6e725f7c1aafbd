//! The order of strings that ECMAScript and RFC 8785 use.

use std::cmp::Ordering;

/// Compares two strings by their UTF-16 code units, as ECMAScript does and RFC 8785, section 3.2.3, asks.
///
/// It is the order of the UTF-8 bytes but for one thing: the characters from U+10000, which are surrogate
/// pairs in UTF-16, come before those from U+E000 to U+FFFF.
///
/// ```
/// use policysync::value::utf16_cmp;
/// assert!("\u{1f600}" > "\u{ffff}");
/// assert!(utf16_cmp("\u{1f600}", "\u{ffff}").is_lt());
/// ```
pub fn utf16_cmp(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let (a_blocks, b_blocks) = (a.as_chunks::<16>().0, b.as_chunks::<16>().0);
    let same = a_blocks.iter().zip(b_blocks).take_while(|(a, b)| a == b).count() * 16;
    let (a, b) = (a.get(same..).unwrap_or_default(), b.get(same..).unwrap_or_default());
    a.iter().copied().map(utf16_rank).cmp(b.iter().copied().map(utf16_rank))
}

/// The place of a UTF-8 byte among those that can stand where two strings first differ.
///
/// The characters from U+E000 to U+FFFF begin with 0xee or 0xef, those from U+10000 with 0xf0 to 0xf4. A byte
/// in the middle of a character keeps its place: there both characters had the same first byte.
pub(super) fn utf16_rank(byte: u8) -> u8 {
    match byte {
        0xee => 0xfe,
        0xef => 0xff,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_definition(a: &str, b: &str) -> Ordering {
        a.encode_utf16().cmp(b.encode_utf16())
    }

    #[test]
    fn every_two_characters_at_the_edges_stand_in_utf16_order() {
        let edges = [
            "",
            "\0",
            "a",
            "b",
            "\u{7f}",
            "\u{80}",
            "\u{7ff}",
            "\u{800}",
            "\u{d7ff}",
            "\u{e000}",
            "\u{efff}",
            "\u{f000}",
            "\u{ffff}",
            "\u{10000}",
            "\u{103ff}",
            "\u{10400}",
            "\u{fffff}",
            "\u{100000}",
            "\u{10ffff}",
        ];
        for a in edges {
            for b in edges {
                for shared in ["", "0123456789abcde", "0123456789abcdef", "0123456789abcdefg"] {
                    for rest in ["", "z", "\u{ffff}"] {
                        let (a, b) = (format!("{shared}{a}{rest}"), format!("{shared}{b}"));
                        assert_eq!(utf16_cmp(&a, &b), by_definition(&a, &b), "{a:?} {b:?}");
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn two_strings_stand_in_utf16_order(shared in ".{0,40}", a in any::<String>(), b in any::<String>()) {
            let (a, b) = (shared.clone() + &a, shared + &b);
            prop_assert_eq!(utf16_cmp(&a, &b), by_definition(&a, &b));
        }

        #[test]
        fn two_strings_of_few_characters_stand_in_utf16_order(
            a in "[a\u{e000}\u{ffff}\u{10000}\u{10ffff}]{0,20}",
            b in "[a\u{e000}\u{ffff}\u{10000}\u{10ffff}]{0,20}",
        ) {
            prop_assert_eq!(utf16_cmp(&a, &b), by_definition(&a, &b));
        }
    }
}
