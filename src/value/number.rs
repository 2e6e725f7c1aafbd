//! JSON numbers: exact conversion between text and IEEE doubles.

use std::borrow::Cow;

use super::{Excerpt, JsonError, JsonFault};

/// Integers of up to this many digits are exact doubles and their own canonical text: 10^15 < 2^53.
const SAFE_DIGITS: usize = 15;
/// In longer literals the exponent is combined with the position of the point before conversion.
const LONG_LITERAL: usize = 1_000;

/// Appends a finite number as ECMAScript prints it, which is its canonical text. Both zeros are written as `0`.
pub(crate) fn write_number(out: &mut String, number: f64) {
    debug_assert!(number.is_finite(), "the reader gives finite numbers only");
    out.push_str(ryu_js::Buffer::new().format(number));
}

/// A number literal that matches the grammar of RFC 8259; the other rules are not checked yet.
#[derive(Clone, Copy)]
pub(super) struct Literal<'a> {
    text: &'a str,
    /// True if there is neither a fraction nor an exponent.
    integer: bool,
}

impl<'a> Literal<'a> {
    /// Reads the number at the start of `text`. The position of an error is relative to it.
    pub(super) fn find(text: &'a str) -> Result<Literal<'a>, JsonError> {
        let bytes = text.as_bytes();
        let mut length = usize::from(bytes.first() == Some(&b'-'));
        length = match bytes.get(length) {
            Some(b'0') => length + 1,
            _ => digits_end(bytes, length)?,
        };
        let integer_end = length;
        if bytes.get(length) == Some(&b'.') {
            length = digits_end(bytes, length + 1)?;
        }
        if let Some(b'e' | b'E') = bytes.get(length) {
            let signed = matches!(bytes.get(length + 1), Some(b'+' | b'-'));
            length = digits_end(bytes, length + 1 + usize::from(signed))?;
        }
        // All bytes so far are ASCII, so this is a character boundary.
        let (text, _) = text.split_at(length);
        Ok(Literal { text, integer: length == integer_end })
    }

    /// Returns the number as it is written.
    pub(super) fn text(self) -> &'a str {
        self.text
    }

    /// Returns the nearest double, unless another reader might read another number.
    pub(super) fn number(self) -> Result<f64, JsonFault> {
        // This cannot fail: the standard library accepts every number that `find` accepts.
        let number: f64 = self.with_short_exponent().parse().unwrap_or(f64::NAN);
        if !number.is_finite() {
            return Err(JsonFault::NumberOverflow { literal: Excerpt::of(self.text) });
        }
        if number == 0.0 {
            if !self.significand().bytes().all(|byte| matches!(byte, b'-' | b'.' | b'0')) {
                return Err(JsonFault::NumberUnderflow { literal: Excerpt::of(self.text) });
            }
            if self.text.starts_with('-') {
                return Err(JsonFault::NegativeZero);
            }
        }
        if self.integer && !self.is_short() && ryu_js::Buffer::new().format(number) != self.text {
            return Err(JsonFault::UnsafeInteger { literal: Excerpt::of(self.text) });
        }
        Ok(number)
    }

    /// Appends the canonical text, under the rules of [`Literal::number`].
    pub(super) fn write_canonical(self, out: &mut String) -> Result<(), JsonFault> {
        if self.integer && self.is_short() && self.text != "-0" {
            out.push_str(self.text);
        } else {
            write_number(out, self.number()?);
        }
        Ok(())
    }

    fn is_short(self) -> bool {
        self.text.len() <= SAFE_DIGITS + usize::from(self.text.starts_with('-'))
    }

    fn significand(self) -> &'a str {
        self.text.split(['e', 'E']).next().unwrap_or_default()
    }

    /// Returns the same number in a form that the standard library reads exactly.
    ///
    /// `str::parse` truncates exponents near 65536 before it considers the position of the point: it reads a one with a
    /// million zeros before `e-1000000` as infinity.
    fn with_short_exponent(self) -> Cow<'a, str> {
        if self.text.len() <= LONG_LITERAL {
            return Cow::Borrowed(self.text);
        }
        let significand = self.significand();
        let exponent = self.text.split(['e', 'E']).nth(1).map_or(0, saturating_exponent);
        let sign = if significand.starts_with('-') { "-" } else { "" };
        let significand = significand.trim_start_matches('-');
        let (whole, fraction) = significand.split_once('.').unwrap_or((significand, ""));
        let digits = [whole, fraction].concat();
        let significant = digits.trim_start_matches('0');
        // The distance of the point from the first significant digit, if there is one.
        let point = to_i64(whole.len()).saturating_sub(to_i64(digits.len() - significant.len()));
        let exponent = exponent.saturating_add(point);
        Cow::Owned(format!("{sign}0.{significant}e{exponent}"))
    }
}

/// Returns the end of the digits that begin at `start`. There must be at least one.
fn digits_end(bytes: &[u8], start: usize) -> Result<usize, JsonError> {
    let digits = bytes.get(start..).unwrap_or_default();
    let count = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    match (count, digits.len()) {
        (0, 0) => Err(JsonError::new(start, JsonFault::UnexpectedEnd)),
        (0, _) => Err(JsonError::new(start, JsonFault::Syntax { expected: "a digit" })),
        _ => Ok(start + count),
    }
}

/// Returns the exponent, clamped to a value that no text is long enough to bring back into the range of doubles.
fn saturating_exponent(text: &str) -> i64 {
    let huge = if text.starts_with('-') { i64::MIN / 4 } else { i64::MAX / 4 };
    text.parse().unwrap_or(huge).clamp(i64::MIN / 4, i64::MAX / 4)
}

fn to_i64(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::JsonReader;
    use super::super::canonicalizer::canonicalize;
    use super::*;

    fn canonical(json: &str) -> Result<String, JsonFault> {
        let text = canonicalize(json);
        let number = JsonReader::new(json.as_bytes()).unwrap().number();
        match (&text, &number) {
            (Ok(text), Ok(number)) => assert_eq!(ryu_js::Buffer::new().format(*number), text),
            (text, number) => assert_eq!(text.as_ref().err(), number.as_ref().err()),
        }
        text.map_err(|error| error.fault().clone())
    }

    fn assert_canonical(pairs: &[(&str, &str)]) {
        for (json, text) in pairs {
            assert_eq!(canonical(json).as_deref(), Ok(*text), "{json}");
        }
    }

    fn unsafe_integer(literal: &str) -> Result<String, JsonFault> {
        Err(JsonFault::UnsafeInteger { literal: Excerpt::of(literal) })
    }

    fn overflow(literal: &str) -> Result<String, JsonFault> {
        Err(JsonFault::NumberOverflow { literal: Excerpt::of(literal) })
    }

    fn underflow(literal: &str) -> Result<String, JsonFault> {
        Err(JsonFault::NumberUnderflow { literal: Excerpt::of(literal) })
    }

    #[test]
    fn one_number_has_one_canonical_text() {
        assert_canonical(&[
            ("0", "0"),
            ("0.0", "0"),
            ("0e0", "0"),
            ("0E-99999999999999999999", "0"),
            ("0e+99999999999999999999", "0"),
            ("1", "1"),
            ("1.0", "1"),
            ("1e0", "1"),
            ("10E-1", "1"),
            ("-1.50", "-1.5"),
            ("1e20", "100000000000000000000"),
            ("1e21", "1e+21"),
            ("0.000001", "0.000001"),
            ("0.0000001", "1e-7"),
            ("0.1", "0.1"),
            ("0.30000000000000004", "0.30000000000000004"),
        ]);
    }

    #[test]
    fn an_integer_literal_is_refused_if_its_double_prints_differently() {
        assert_canonical(&[
            ("999999999999999", "999999999999999"),
            ("-999999999999999", "-999999999999999"),
            ("1000000000000000", "1000000000000000"),
            ("9007199254740991", "9007199254740991"),
            ("9007199254740992", "9007199254740992"),
            ("-9007199254740992", "-9007199254740992"),
            ("9007199254740994", "9007199254740994"),
            ("1152921504606847000", "1152921504606847000"),
            ("100000000000000000000", "100000000000000000000"),
            ("999999999999999900000", "999999999999999900000"),
            // A fraction or an exponent denotes a double.
            ("9007199254740993.0", "9007199254740992"),
            ("9007199254740993e0", "9007199254740992"),
            ("1000000000000000000000.0", "1e+21"),
        ]);
        for literal in [
            "9007199254740993",
            "-9007199254740993",
            "1152921504606846976",
            "18446744073709551615",
            "999999999999999999999",
            "1000000000000000000000",
            &"9".repeat(308),
        ] {
            assert_eq!(canonical(literal), unsafe_integer(literal));
        }
    }

    #[test]
    fn overflow_is_refused() {
        assert_canonical(&[
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
            // Close to the largest decimal that is rounded down to the largest double.
            ("1.797693134862315807e308", "1.7976931348623157e+308"),
        ]);
        for literal in ["1.797693134862315808e308", "-1e309", "1e99999999999999999999", &"9".repeat(310)] {
            assert_eq!(canonical(literal), overflow(literal));
        }
    }

    #[test]
    fn underflow_is_refused() {
        // Half of the smallest double is 2.4703282292062327208...e-324.
        assert_canonical(&[
            ("5e-324", "5e-324"),
            ("2.4703282292062328e-324", "5e-324"),
            ("-3e-324", "-5e-324"),
        ]);
        for literal in ["2.4703282292062327e-324", "-2e-324", "1e-99999999999999999999", "0.001e-400"] {
            assert_eq!(canonical(literal), underflow(literal));
        }
    }

    #[test]
    fn negative_zero_is_refused_in_any_notation() {
        for literal in ["-0", "-0.0", "-0e5", "-0E-5", "-0.000e+99999999999999999999"] {
            assert_eq!(canonical(literal), Err(JsonFault::NegativeZero), "{literal}");
        }
        let long = format!("-0.{}e5", "0".repeat(2_000));
        assert_eq!(canonical(&long), Err(JsonFault::NegativeZero));
    }

    #[test]
    fn other_notations_are_refused() {
        let not_a_digit = Err(JsonFault::Syntax { expected: "a digit" });
        for json in ["-a", "--1", "-.5", "1.e5", "1.x", "1e ", "1ex", "1e+-5", "-Infinity", "-\"1\""] {
            assert_eq!(canonical(json), not_a_digit, "{json}");
        }
        for json in ["-", "1.", "1e", "1e+", "1E-", "-0.", "0e"] {
            assert_eq!(canonical(json), Err(JsonFault::UnexpectedEnd), "{json}");
        }
        for json in
            ["01", "00", "0.5.", "-1.0.", "1_000", "0x10", "1.5.5", "1e5.5", "1f", "1e5e5", "1,5", "1é"]
        {
            assert_eq!(canonicalize(json).unwrap_err().fault(), &JsonFault::TrailingBytes, "{json}");
        }
        for json in ["+1", ".5", "NaN", "Infinity", "\u{661}"] {
            let fault = canonicalize(json).unwrap_err().fault().clone();
            assert!(matches!(fault, JsonFault::Syntax { .. }), "{json} {fault}");
        }
    }

    #[test]
    fn digits_and_exponents_of_any_length_are_read_exactly() {
        for zeros in [0, 1, 300, 990, 1_000, 1_010, 65_540, 350_000] {
            let zeros_text = "0".repeat(zeros);
            for (literal, text) in [
                (format!("0.{zeros_text}{zeros_text}15e{}", 2 * zeros + 1), "1.5"),
                (format!("-15{zeros_text}{zeros_text}e-{}", 2 * zeros + 1), "-1.5"),
                (format!("15{zeros_text}.{zeros_text}e-{zeros_text}{}", zeros + 1), "1.5"),
                (format!("0.{zeros_text}e{zeros}"), "0"),
                (format!("1.5{zeros_text}"), "1.5"),
                (format!("1.5{zeros_text}1"), if zeros > 16 { "1.5" } else { continue }),
            ] {
                assert_eq!(canonical(&literal).as_deref(), Ok(text), "{zeros} zeros");
            }
            let literal = format!("0.{zeros_text}1e-99999999999999999999");
            assert_eq!(canonical(&literal), underflow(&literal));
            let literal = format!("1.{zeros_text}1e99999999999999999999");
            assert_eq!(canonical(&literal), overflow(&literal));
        }
        // A tie that a distant last digit decides: slightly more than 2^53 + 1.
        let tie = format!("9007199254740993.{}", "0".repeat(5_000));
        assert_canonical(&[(&tie, "9007199254740992"), (&format!("{tie}1"), "9007199254740994")]);
    }

    proptest! {
        #[test]
        fn a_double_survives_its_canonical_text(bits: u64) {
            let number = f64::from_bits(bits);
            prop_assume!(number.is_finite() && number.to_bits() != (-0.0_f64).to_bits());
            let mut text = String::new();
            write_number(&mut text, number);
            prop_assert_eq!(JsonReader::new(text.as_bytes()).unwrap().number(), Ok(number));
            prop_assert_eq!(canonical(&text), Ok(text));
        }

        #[test]
        fn a_long_spelling_is_the_same_number(
            literal in "-?(0|[1-9][0-9]{0,20})\\.[0-9]{1,20}(e[+-]?[0-9]{1,3})?",
        ) {
            let (significand, exponent) = literal.split_once('e').unwrap_or((&literal, "0"));
            let long = format!("{significand}{}e{exponent}", "0".repeat(LONG_LITERAL));
            let short = Literal { text: &literal, integer: false };
            let long = Literal { text: &long, integer: false };
            match (short.number(), long.number()) {
                (Ok(short), Ok(long)) => prop_assert_eq!(short, long),
                (short, long) => prop_assert_eq!(short.is_err(), long.is_err()),
            }
        }
    }
}
