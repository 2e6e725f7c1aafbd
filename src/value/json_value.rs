//! The value of an operation: a JSON value as canonical text.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::canonicalizer::{canonicalize, is_plainly_canonical};
use super::finite::refuse_non_finite;
use super::reader::JsonReader;
use super::to_serde::to_serde;
use super::{Excerpt, JsonError, JsonFault, write_number, write_string};
use crate::crypto::{decode_base64url, encode_base64url};

/// A JSON value, stored as its canonical text (RFC 8785).
///
/// Two values are equal if and only if their canonical texts are. Numbers are IEEE doubles; arrays and objects are
/// nested at most [`MAX_DEPTH`](super::MAX_DEPTH) deep. The operation limits the length of its value; this type does
/// not.
///
/// `Value::from("text")` creates a JSON string; [`Value::parse`] parses JSON.
///
/// ```
/// use policysync::Value;
/// let value = Value::parse(r#"{ "b": 1.0, "a": "\u0041" }"#)?;
/// assert_eq!(value.as_str(), r#"{"a":"A","b":1}"#);
/// assert_eq!(Value::from("null").as_str(), r#""null""#);
/// # Ok::<(), policysync::value::JsonError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Value(Box<str>);

impl Value {
    /// Parses a JSON text (RFC 8259) and converts it to canonical form.
    ///
    /// # Errors
    ///
    /// [`JsonError`] for a text that is not JSON, or that two readers might interpret differently: see [`JsonFault`].
    pub fn parse(json: &str) -> Result<Value, JsonError> {
        if is_plainly_canonical(json) {
            return Ok(Value(json.into()));
        }
        canonicalize(json).map(Value::from_text).map_err(|error| name_missing_quotes(json, error))
    }

    /// Returns bytes as a JSON string, in base64url without padding (RFC 4648, section 5): the convention for bytes in
    /// values, which [`Value::bytes`] reads.
    ///
    /// ```
    /// use policysync::Value;
    /// let value = Value::from_bytes(&[0xff, 0x00]);
    /// assert_eq!(value.as_str(), r#""_wA""#);
    /// assert_eq!(value.bytes(), Some(vec![0xff, 0x00]));
    /// ```
    pub fn from_bytes(bytes: &[u8]) -> Value {
        Value::from(encode_base64url(bytes))
    }

    /// Returns the value `null`.
    pub fn null() -> Value {
        Value("null".into())
    }

    /// Returns the canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns true if the value is `null`.
    pub fn is_null(&self) -> bool {
        &*self.0 == "null"
    }

    /// Returns the unescaped text of a JSON string, or `None` for any other value.
    pub fn text(&self) -> Option<String> {
        JsonReader::of_text(&self.0).ok()?.string().ok().map(Cow::into_owned)
    }

    /// Returns the number, or `None` for any other value.
    pub fn number(&self) -> Option<f64> {
        JsonReader::of_text(&self.0).ok()?.number().ok()
    }

    /// Returns the integer, or `None` for any other value and for an integer beyond an `i64`.
    pub fn integer(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// Returns the bytes of a string that [`Value::from_bytes`] returns, or `None` for any other value. A string that
    /// was meant as text may happen to be such a string too.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        decode_base64url(&self.text()?).ok()
    }

    /// Returns the type of the value.
    pub fn value_type(&self) -> ValueType {
        match self.0.as_bytes() {
            [b'{', ..] => ValueType::Object,
            [b'[', ..] => ValueType::Array,
            [b'"', ..] => ValueType::String,
            [b'n', ..] => ValueType::Null,
            [b't' | b'f', ..] => ValueType::Boolean,
            _ => ValueType::Number,
        }
    }

    /// Returns the boolean, or `None` for any other value.
    pub fn boolean(&self) -> Option<bool> {
        match &*self.0 {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// Converts any value that `serde_json` can write.
    ///
    /// # Errors
    ///
    /// [`JsonFault::Unserializable`] if `serde_json` fails, [`JsonFault::NotFinite`] for infinity and NaN (`serde_json`
    /// alone would write `null`), and the errors of [`Value::parse`]: integers that are not exact as a double, negative
    /// zero, duplicate names, nesting too deep. The position of such an error refers to the text that `serde_json`
    /// wrote.
    pub fn from_serde<T: Serialize + ?Sized>(value: &T) -> Result<Value, JsonError> {
        refuse_non_finite(value)?;
        match serde_json::to_string(value) {
            Ok(json) => Value::parse(&json),
            Err(error) => {
                let reason = Excerpt::of(&error.to_string());
                Err(JsonError::new(0, JsonFault::Unserializable { reason }))
            }
        }
    }

    /// Converts the value for code that works with `serde_json`.
    ///
    /// Integers up to ±(2^53−1) become integers, all other numbers an `f64` of the same value. Any crate of the program
    /// can enable `arbitrary_precision` and `preserve_order`, features of `serde_json` that change its numbers and the
    /// order of members.
    pub fn to_serde(&self) -> serde_json::Value {
        // This cannot fail: the same reader has read the text before.
        to_serde(&self.0).unwrap_or_default()
    }

    /// Creates a value from a text that is canonical, because this crate wrote or checked it.
    pub(crate) fn from_canonical_unchecked(text: Box<str>) -> Value {
        debug_assert_eq!(super::check_canonical(&text), Ok(()), "the caller has checked it");
        Value(text)
    }

    fn from_text(text: String) -> Value {
        Value(text.into())
    }
}

/// The type of a JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "JSON has no other types")]
pub enum ValueType {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// Writes the type in words: `a string`.
impl fmt::Display for ValueType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            ValueType::Null => "null",
            ValueType::Boolean => "a boolean",
            ValueType::Number => "a number",
            ValueType::String => "a string",
            ValueType::Array => "an array",
            ValueType::Object => "an object",
        })
    }
}

/// Returns an error that shows the quotes, if the text was probably meant as a string.
fn name_missing_quotes(json: &str, error: JsonError) -> JsonError {
    let text = json.trim();
    // A number, an array or an object that is wrong keeps its own error.
    let begins_other =
        text.is_empty() || text.starts_with(['{', '[', '"', '-']) || text.starts_with(char::is_numeric);
    let is_string = !begins_other
        && matches!(
            error.fault(),
            JsonFault::Syntax { .. } | JsonFault::TrailingBytes | JsonFault::UnexpectedEnd
        );
    if is_string {
        JsonError::new(error.at(), JsonFault::Unquoted { text: Excerpt::of(text) })
    } else {
        error
    }
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for Value {
    type Err = JsonError;

    /// Parses a JSON text like [`Value::parse`].
    fn from_str(json: &str) -> Result<Value, JsonError> {
        Value::parse(json)
    }
}

impl From<&str> for Value {
    /// Creates a JSON string.
    fn from(text: &str) -> Value {
        let mut json = String::with_capacity(text.len() + 2);
        write_string(&mut json, text);
        Value::from_text(json)
    }
}

impl From<String> for Value {
    /// Creates a JSON string.
    fn from(text: String) -> Value {
        Value::from(text.as_str())
    }
}

impl From<&String> for Value {
    /// Creates a JSON string.
    fn from(text: &String) -> Value {
        Value::from(text.as_str())
    }
}

impl TryFrom<serde_json::Value> for Value {
    type Error = JsonError;

    /// Converts like [`Value::from_serde`].
    fn try_from(value: serde_json::Value) -> Result<Value, JsonError> {
        Value::from_serde(&value)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Value {
        Value(if truth { "true" } else { "false" }.into())
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Value {
        Value::from_text(number.to_string())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Value {
        Value::from_text(number.to_string())
    }
}

impl TryFrom<i64> for Value {
    type Error = JsonError;

    /// Refuses integers beyond ±(2^53−1) that are not the canonical text of a double, as [`Value::parse`] does.
    fn try_from(number: i64) -> Result<Value, JsonError> {
        Value::parse(&number.to_string())
    }
}

impl TryFrom<u64> for Value {
    type Error = JsonError;

    /// Refuses integers beyond 2^53−1 that are not the canonical text of a double, as [`Value::parse`] does.
    fn try_from(number: u64) -> Result<Value, JsonError> {
        Value::parse(&number.to_string())
    }
}

impl TryFrom<f64> for Value {
    type Error = JsonError;

    /// Refuses infinity, NaN and negative zero.
    fn try_from(number: f64) -> Result<Value, JsonError> {
        if !number.is_finite() {
            return Err(JsonError::new(0, JsonFault::NotFinite));
        }
        if number == 0.0 && number.is_sign_negative() {
            return Err(JsonError::new(0, JsonFault::NegativeZero));
        }
        let mut text = String::new();
        write_number(&mut text, number);
        Ok(Value::from_text(text))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn fault(result: Result<Value, JsonError>) -> JsonFault {
        result.unwrap_err().fault().clone()
    }

    #[test]
    fn a_value_is_returned_as_its_own_type_only() {
        let value = |json: &str| Value::parse(json).unwrap();
        assert_eq!(value(r#""a\n\u0041""#).text(), Some("a\nA".to_owned()));
        assert_eq!(value("1.50").number(), Some(1.5));
        assert_eq!((value("true").boolean(), value("false").boolean()), (Some(true), Some(false)));
        for json in ["null", "[1]", "{}"] {
            assert_eq!((value(json).text(), value(json).number(), value(json).boolean()), (None, None, None));
        }
        assert_eq!((value("1").text(), value(r#""1""#).number(), value("0").boolean()), (None, None, None));
    }

    #[test]
    fn an_integer_is_one_exactly() {
        let value = |json: &str| Value::parse(json).unwrap();
        for number in [0, -1, 9_007_199_254_740_992, 1_152_921_504_606_847_000] {
            assert_eq!(Value::try_from(number).unwrap().integer(), Some(number));
        }
        assert_eq!(value("1.0").integer(), Some(1));
        for json in ["1.5", "1e21", "10000000000000000000", r#""1""#, "null", "[1]"] {
            assert_eq!(value(json).integer(), None, "{json}");
        }
    }

    #[test]
    fn bytes_are_a_string_in_base64url() {
        for bytes in [&b""[..], b"f", b"\xff\xfe\xfd", &[0; 1000]] {
            let value = Value::from_bytes(bytes);
            assert_eq!((value.value_type(), value.bytes().as_deref()), (ValueType::String, Some(bytes)));
        }
        assert_eq!(Value::from_bytes(b"\xff\xfe\xfd").as_str(), r#""__79""#);
        for json in [r#""Zg==""#, r#""Zh""#, r#""a b""#, "1", "null"] {
            assert_eq!(Value::parse(json).unwrap().bytes(), None, "{json}");
        }
    }

    #[test]
    fn every_value_has_its_type() {
        for (json, is, words) in [
            ("null", ValueType::Null, "null"),
            ("true", ValueType::Boolean, "a boolean"),
            ("false", ValueType::Boolean, "a boolean"),
            ("-1", ValueType::Number, "a number"),
            ("1e300", ValueType::Number, "a number"),
            (r#""n""#, ValueType::String, "a string"),
            ("[]", ValueType::Array, "an array"),
            ("{}", ValueType::Object, "an object"),
        ] {
            let found = Value::parse(json).unwrap().value_type();
            assert_eq!((found, found.to_string().as_str()), (is, words), "{json}");
        }
    }

    #[test]
    fn a_string_without_quotes_is_named() {
        for text in ["Hello world", "true story", " nul", "'x'", "Grüße"] {
            let text_fault = JsonFault::Unquoted { text: Excerpt::of(text.trim()) };
            assert_eq!(fault(Value::parse(text)), text_fault, "{text}");
        }
        let message = Value::parse("Hello world").unwrap_err().to_string();
        assert_eq!(message, "not a JSON value (a string has quotes: \"Hello world\") at byte 0");
        for json in ["", "{a", "[1", "[x]", "-", "01", "\"x", "\"x\" y", "-0", "1e999"] {
            assert!(!matches!(fault(Value::parse(json)), JsonFault::Unquoted { .. }), "{json}");
        }
    }

    #[test]
    fn a_value_displays_its_canonical_text() {
        let value: Value = " [ 1.0, \"\\u0041\" ] ".parse().unwrap();
        assert_eq!(value.as_str(), r#"[1,"A"]"#);
        assert_eq!(value.to_string(), r#"[1,"A"]"#);
        assert_eq!(format!("{value:?}"), r#"[1,"A"]"#);
        assert_eq!(value, Value::parse(r#"[1e0,"A"]"#).unwrap());
        assert_eq!(value, Value::from_canonical_unchecked(value.as_str().into()));
    }

    #[test]
    fn only_null_is_null() {
        assert!(Value::null().is_null());
        assert!(Value::parse(" null ").unwrap().is_null());
        assert!(!Value::from("null").is_null());
        assert!(!Value::from("").is_null());
    }

    #[test]
    fn plain_types_convert_to_values() {
        assert_eq!(Value::from("a\"b\n").as_str(), r#""a\"b\n""#);
        assert_eq!(Value::from(String::new()).as_str(), r#""""#);
        assert_eq!(Value::from(true).as_str(), "true");
        assert_eq!(Value::from(false).as_str(), "false");
        assert_eq!(Value::from(i32::MIN).as_str(), "-2147483648");
        assert_eq!(Value::from(u32::MAX).as_str(), "4294967295");
    }

    #[test]
    fn integers_beyond_2_to_the_53_less_1_convert_if_they_are_their_own_canonical_text() {
        const LIMIT: i64 = 9_007_199_254_740_991;
        for number in [0, 1, -1, LIMIT, -LIMIT, LIMIT + 1, -LIMIT - 1, LIMIT + 3, 1_152_921_504_606_847_000] {
            assert_eq!(Value::try_from(number).unwrap().as_str(), number.to_string());
        }
        assert_eq!(Value::try_from(10_000_000_000_000_000_000_u64).unwrap().as_str(), "10000000000000000000");
        for number in [LIMIT + 2, -LIMIT - 2, 1_152_921_504_606_846_976, i64::MAX, i64::MIN] {
            let literal = Excerpt::of(&number.to_string());
            assert_eq!(fault(Value::try_from(number)), JsonFault::UnsafeInteger { literal });
        }
        for number in [LIMIT.unsigned_abs() + 2, u64::MAX] {
            let literal = Excerpt::of(&number.to_string());
            assert_eq!(fault(Value::try_from(number)), JsonFault::UnsafeInteger { literal });
        }
    }

    /// Any magnitude is as likely as any other, with values near a power of two or of ten among them.
    fn integers() -> impl Strategy<Value = i64> {
        let near = prop_oneof![
            (0..63_u32, -3..=3_i64).prop_map(|(bits, more)| (1_i64 << bits).saturating_add(more)),
            (0..=18_u32, 1..=9_i64).prop_map(|(digits, first)| 10_i64.pow(digits).saturating_mul(first)),
            (any::<i64>(), 0..64_u32).prop_map(|(number, bits)| number >> bits),
        ];
        (near, any::<bool>())
            .prop_map(|(number, negate)| if negate { number.saturating_neg() } else { number })
    }

    proptest! {
        #[test]
        fn every_conversion_of_an_integer_follows_the_rule_of_receipt(number in integers()) {
            let received = Value::parse(&number.to_string());
            prop_assert_eq!(Value::try_from(number), received.clone());
            prop_assert_eq!(Value::from_serde(&number), received.clone());
            prop_assert_eq!(Value::try_from(serde_json::Value::from(number)), received.clone());
            if let Ok(number) = u64::try_from(number) {
                prop_assert_eq!(Value::try_from(number), received.clone());
                prop_assert_eq!(Value::from_serde(&number), received.clone());
            }
            if let Ok(number) = i32::try_from(number) {
                prop_assert_eq!(Ok(Value::from(number)), received.clone());
            }
            if let Ok(number) = u32::try_from(number) {
                prop_assert_eq!(Ok(Value::from(number)), received.clone());
            }
            if let Ok(value) = received {
                prop_assert_eq!(value.number().map(Value::try_from), Some(Ok(value)));
            }
        }

        #[test]
        fn every_conversion_of_a_double_follows_the_rule_of_receipt(bits: u64) {
            let number = f64::from_bits(bits);
            prop_assume!(number.is_finite());
            let received = Value::parse(&format!("{number:e}"));
            prop_assert_eq!(Value::try_from(number), received.clone());
            prop_assert_eq!(Value::from_serde(&number), received);
        }
    }

    #[test]
    fn doubles_convert_except_infinities_nan_and_negative_zero() {
        for (number, text) in [
            (0.0, "0"),
            (-1.5, "-1.5"),
            (1e21, "1e+21"),
            (9_007_199_254_740_992.0, "9007199254740992"),
            (f64::MAX, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
        ] {
            assert_eq!(Value::try_from(number).unwrap().as_str(), text);
        }
        for number in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            assert_eq!(fault(Value::try_from(number)), JsonFault::NotFinite);
        }
        assert_eq!(fault(Value::try_from(-0.0)), JsonFault::NegativeZero);
    }

    #[test]
    fn the_text_of_serde_json_becomes_canonical() {
        let value = serde_json::json!({"b": [1.0, 1e16, 1e300, 0.1_f32, null], "a\n": {"x": u32::MAX}});
        let text = r#"{"a\n":{"x":4294967295},"b":[1,10000000000000000,1e+300,0.10000000149011612,null]}"#;
        assert_eq!(Value::from_serde(&value).unwrap().as_str(), text);
        assert_eq!(Value::from_serde("text").unwrap(), Value::from("text"));
        assert_eq!(Value::from_serde(&0.1_f32).unwrap().as_str(), "0.1");
        assert!(Value::from_serde(&()).unwrap().is_null());
    }

    #[test]
    fn from_serde_refuses_ambiguous_values_too() {
        assert_eq!(fault(Value::from_serde(&-0.0)), JsonFault::NegativeZero);
        let literal = Excerpt::of("18446744073709551615");
        assert_eq!(fault(Value::from_serde(&u64::MAX)), JsonFault::UnsafeInteger { literal });
        assert_eq!(fault(Value::from_serde(&[1.0, f64::NAN])), JsonFault::NotFinite);
        let keys = BTreeMap::from([((1, 2), 3)]);
        let reason = Excerpt::of("key must be a string");
        assert_eq!(fault(Value::from_serde(&keys)), JsonFault::Unserializable { reason });
    }
}
