//! The order of strings by UTF-16 code units.

use std::cmp::Ordering;

/// Compares two strings by their UTF-16 code units, like ECMAScript and RFC 8785, section 3.2.3.
///
/// This differs from the order of the UTF-8 bytes in one point: the characters from U+10000, which are surrogate pairs
/// in UTF-16, come before those from U+E000 to U+FFFF.
pub(crate) fn utf16_cmp(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let (a_blocks, b_blocks) = (a.as_chunks::<16>().0, b.as_chunks::<16>().0);
    let same = a_blocks.iter().zip(b_blocks).take_while(|(a, b)| a == b).count() * 16;
    let (a, b) = (a.get(same..).unwrap_or_default(), b.get(same..).unwrap_or_default());
    a.iter().copied().map(utf16_rank).cmp(b.iter().copied().map(utf16_rank))
}

/// Returns the rank of a UTF-8 byte at the first difference of two strings.
///
/// The characters from U+E000 to U+FFFF begin with 0xee or 0xef, those from U+10000 with 0xf0 to 0xf4. A byte in the
/// middle of a character keeps its rank, because both characters have the same first byte there.
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
    fn boundary_characters_compare_in_utf16_order() {
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
        fn strings_compare_in_utf16_order(shared in ".{0,40}", a in any::<String>(), b in any::<String>()) {
            let (a, b) = (shared.clone() + &a, shared + &b);
            prop_assert_eq!(utf16_cmp(&a, &b), by_definition(&a, &b));
        }

        #[test]
        fn strings_of_few_characters_compare_in_utf16_order(
            a in "[a\u{e000}\u{ffff}\u{10000}\u{10ffff}]{0,20}",
            b in "[a\u{e000}\u{ffff}\u{10000}\u{10ffff}]{0,20}",
        ) {
            prop_assert_eq!(utf16_cmp(&a, &b), by_definition(&a, &b));
        }
    }
}
