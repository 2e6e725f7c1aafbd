//! Bytes as the JSON form of an operation: what is accepted comes back, and other bytes are refused in words.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policysync::{Incoming, SignedOp};
use policysync_fuzz::{NOW, check_error, check_fold, hashes, reader};

fuzz_target!(|data: &[u8]| {
    let op = match SignedOp::from_json(data) {
        Ok(op) => op,
        Err(error) => {
            check_error(&error);
            assert!(!error.rule().is_empty());
            return;
        }
    };
    let json = op.to_json();
    assert_eq!(SignedOp::from_json(json.as_bytes()).as_ref(), Ok(&op));
    assert_eq!(SignedOp::from_json(json.as_bytes()).map(|op| op.to_json()).as_ref(), Ok(&json));
    assert_eq!(SignedOp::from_binary(&op.to_binary()).as_ref(), Ok(&op));
    // Whatever the form, a replica gives the same answer.
    let mut replica = reader();
    let answer = replica.ingest(NOW, data);
    if let Err(error) = &answer {
        check_error(error);
        assert!(replica.log().is_empty());
    }
    check_fold(&replica);
    let mut other = reader();
    assert_eq!(other.ingest(NOW, Incoming::Binary(&op.to_binary())), answer);
    assert_eq!(hashes(&other), hashes(&replica));
});
