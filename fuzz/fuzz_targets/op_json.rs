//! Bytes as the JSON form of an operation.
//!
//! Accepted operations survive both forms. Other bytes are refused with a printable error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policysync::value::JsonFault;
use policysync::{Incoming, SignedOp, Value};
use policysync_fuzz::{NOW, check_error, check_fold, hashes, reader, seed_ops};

fuzz_target!(|data: &[u8]| {
    let op = match SignedOp::from_json(data) {
        Ok(op) => op,
        Err(error) => {
            check_error(&error);
            assert!(!error.rule().is_empty());
            return;
        }
    };
    // The strict reader of values accepts the document too, unless it is too deep or too long for a value.
    let text = std::str::from_utf8(data).expect("JSON is UTF-8");
    if let Err(error) = Value::parse(text) {
        assert!(matches!(error.fault(), JsonFault::TooDeep | JsonFault::TooLong), "{error}");
    }
    let json = op.to_json();
    assert_eq!(SignedOp::from_json(json.as_bytes()).as_ref(), Ok(&op));
    assert_eq!(SignedOp::from_json(json.as_bytes()).map(|op| op.to_json()).as_ref(), Ok(&json));
    assert_eq!(SignedOp::from_binary(&op.to_binary()).as_ref(), Ok(&op));
    // A replica gives the same result for both forms.
    let mut replica = reader();
    let answer = replica.ingest(NOW, data);
    if let Err(error) = &answer {
        check_error(error);
        assert!(replica.log().is_empty());
    }
    if answer.is_ok() {
        assert!(seed_ops().iter().any(|signed| signed.op() == op.op()), "nobody signed this");
    }
    check_fold(&replica);
    let mut other = reader();
    assert_eq!(other.ingest(NOW, Incoming::Binary(&op.to_binary())), answer);
    assert_eq!(hashes(&other), hashes(&replica));
});
