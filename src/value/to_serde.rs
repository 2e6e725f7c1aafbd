//! Conversion of canonical text to a `serde_json` value.

use serde_json::{Number, Value};

use super::reader::JsonReader;
use super::{JsonError, JsonFault};

/// Returns the value of a canonical text.
///
/// It uses our own reader, because some builds of `serde_json` read a double one unit off.
pub(super) fn to_serde(canonical: &str) -> Result<Value, JsonError> {
    let mut reader = JsonReader::of_text(canonical)?;
    let value = read(&mut reader)?;
    reader.finish()?;
    Ok(value)
}

/// Reads one value. It recurses, because a canonical text is nested at most [`MAX_DEPTH`](super::MAX_DEPTH) deep.
fn read(reader: &mut JsonReader<'_>) -> Result<Value, JsonError> {
    match reader.peek() {
        Some(b'{') => read_object(reader),
        Some(b'[') => read_array(reader),
        Some(b'"') => Ok(Value::String(reader.string()?.into_owned())),
        Some(b'-' | b'0'..=b'9') => read_number(reader),
        _ if reader.eat_word("null") => Ok(Value::Null),
        _ if reader.eat_word("true") => Ok(Value::Bool(true)),
        _ if reader.eat_word("false") => Ok(Value::Bool(false)),
        _ => Err(reader.unexpected("a value")),
    }
}

fn read_object(reader: &mut JsonReader<'_>) -> Result<Value, JsonError> {
    let mut members = serde_json::Map::new();
    reader.begin_object()?;
    while let Some(name) = reader.next_member(members.is_empty())? {
        members.insert(name.into_owned(), read(reader)?);
    }
    Ok(Value::Object(members))
}

fn read_array(reader: &mut JsonReader<'_>) -> Result<Value, JsonError> {
    let mut elements = Vec::new();
    reader.eat(b'[');
    while !reader.eat(b']') {
        if !elements.is_empty() && !reader.eat(b',') {
            return Err(reader.unexpected("a comma or a closing bracket"));
        }
        elements.push(read(reader)?);
    }
    Ok(Value::Array(elements))
}

fn read_number(reader: &mut JsonReader<'_>) -> Result<Value, JsonError> {
    let at = reader.offset();
    let literal = reader.literal()?;
    let number = literal.number().map_err(|fault| JsonError::new(at, fault))?;
    // Beyond 2^53 the decimal text of a double is not always its exact value: as an integer it would be another number.
    let integer = literal.text().parse::<i64>().ok().filter(|integer| integer.unsigned_abs() < 1 << 53);
    match integer.map(Number::from).or_else(|| Number::from_f64(number)) {
        Some(number) => Ok(Value::Number(number)),
        None => Err(JsonError::new(at, JsonFault::NotFinite)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::Value as OurValue;

    fn to_serde(json: &str) -> serde_json::Value {
        OurValue::parse(json).unwrap().to_serde()
    }

    #[test]
    fn every_type_converts_to_its_counterpart() {
        let json = r#" {"a":[], "b":[1,-2,1.5,{}], "c":{"d":null,"e":[true,false]}, "":"\"\u00e9"} "#;
        let expected = json!({"a":[], "b":[1,-2,1.5,{}], "c":{"d":null,"e":[true,false]}, "":"\"é"});
        assert_eq!(to_serde(json), expected);
    }

    #[test]
    fn integers_become_doubles_from_2_to_the_53_on() {
        assert_eq!(to_serde("9007199254740991").as_i64(), Some(9_007_199_254_740_991));
        assert_eq!(to_serde("-9007199254740991").as_i64(), Some(-9_007_199_254_740_991));
        for (json, number) in [
            ("9007199254740992", 9_007_199_254_740_992.0),
            ("1152921504606847000", 1_152_921_504_606_846_976.0),
            ("1e300", 1e300),
            ("1.7976931348623157e308", f64::MAX),
        ] {
            assert!(to_serde(json).is_f64(), "{json}");
            assert_eq!(to_serde(json).as_f64(), Some(number), "{json}");
        }
    }

    proptest! {
        #[test]
        fn a_number_goes_to_serde_and_comes_back(bits: u64) {
            if let Ok(value) = OurValue::try_from(f64::from_bits(bits)) {
                prop_assert_eq!(OurValue::from_serde(&value.to_serde()), Ok(value));
            }
        }
    }
}
