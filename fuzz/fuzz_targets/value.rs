//! The canonical writer against the reader.
//!
//! An accepted value is written in a form that is accepted and written again unchanged. Any text and any finite number
//! survives writing and reading.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policysync::crypto::Signature;
use policysync::{SignedOp, Value};
use policysync_fuzz::{NOW, check_error, unsigned};

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        match Value::parse(text) {
            Ok(value) => check(&value),
            Err(error) => check_error(&error),
        }
    }
    let text = String::from_utf8_lossy(data);
    let value = Value::from(text.as_ref());
    assert_eq!(Value::parse(value.as_str()).as_ref(), Ok(&value));
    assert_eq!(value.text().as_deref(), Some(text.as_ref()));
    if let Some(bits) = data.first_chunk::<8>() {
        number(f64::from_le_bytes(*bits));
    }
});

fn check(value: &Value) {
    let again = Value::parse(value.as_str());
    assert_eq!(again.as_ref(), Ok(value));
    assert_eq!(again.as_ref().map(Value::as_str), Ok(value.as_str()));
    assert_eq!(Value::from_serde(&value.to_serde()).as_ref(), Ok(value));
    // The signature is not checked.
    let op = unsigned(0, NOW.0, 0, "p", value.clone());
    let op = SignedOp::new(op, "kid", Signature::from_bytes([7; 64])).expect("a small operation");
    assert_eq!(SignedOp::from_json(op.to_json().as_bytes()).as_ref(), Ok(&op));
    assert_eq!(SignedOp::from_binary(&op.to_binary()).as_ref(), Ok(&op));
    assert_eq!(op.op().value(), value);
}

fn number(number: f64) {
    let Ok(value) = Value::try_from(number) else { return };
    assert!(number.is_finite());
    assert_eq!(Value::parse(value.as_str()).as_ref(), Ok(&value));
    // Both zeros are the same value.
    assert_eq!(value.number().map(|read| (read + 0.0).to_bits()), Some((number + 0.0).to_bits()));
}
