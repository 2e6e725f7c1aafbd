//! Bytes as the binary form of an operation. Accepted bytes are the only form of their operation.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policysync::op::SignedOpRef;
use policysync::{Incoming, SignedOp};
use policysync_fuzz::{NOW, check_error, check_fold, hashes, reader, seed_ops};

fuzz_target!(|data: &[u8]| {
    let op = match SignedOpRef::from_binary(data) {
        Ok(op) => op,
        Err(error) => {
            check_error(&error);
            assert!(!error.rule().is_empty());
            assert_eq!(SignedOp::from_binary(data), Err(error));
            return;
        }
    };
    assert_eq!(op.to_binary(), data);
    let owned = op.to_signed_op();
    assert_eq!(SignedOp::from_binary(data).as_ref(), Ok(&owned));
    assert_eq!(owned.to_binary(), data);
    let json = op.to_json();
    assert_eq!(SignedOp::from_json(json.as_bytes()).as_ref(), Ok(&owned));
    // A replica gives the same result for both forms.
    let mut replica = reader();
    let answer = replica.ingest(NOW, Incoming::Binary(data));
    if let Err(error) = &answer {
        check_error(error);
        assert!(replica.log().is_empty());
    }
    if answer.is_ok() {
        assert!(seed_ops().iter().any(|signed| signed.op() == owned.op()), "nobody signed this");
    }
    check_fold(&replica);
    let mut other = reader();
    assert_eq!(other.ingest(NOW, Incoming::Json(json.as_bytes())), answer);
    assert_eq!(hashes(&other), hashes(&replica));
});
