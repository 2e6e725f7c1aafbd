//! Bytes as a bundle, and bytes as the frames of a bundle with correct digests.
//!
//! Only signed operations are admitted. They are exported and imported again as the same set.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policysync::bundle::{self, BUNDLE_VERSION};
use policysync::oplog::Cursor;
use policysync_fuzz::{Input, NOW, check_error, check_fold, check_same, crypto, hashes, reader};

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let bundle = match input.byte() % 2 {
        0 => input.rest().to_vec(),
        _ => framed(&mut input),
    };
    let mut replica = reader();
    let imported = bundle::import(&mut replica, NOW, bundle.as_slice());
    check_fold(&replica);
    match imported {
        Ok(imported) => {
            assert_eq!(imported.received.new_ops(), u64::try_from(replica.log().len()).expect("a small log"));
            assert_eq!(imported.bytes, u64::try_from(bundle.len()).expect("a short bundle"));
        }
        Err(error) => check_error(&error),
    }
    let mut exported = Vec::new();
    bundle::export_since(&replica, Cursor::START, &mut exported).expect("a vector takes all");
    let mut other = reader();
    bundle::import(&mut other, NOW, exported.as_slice()).expect("a bundle of this library");
    replica.poll(NOW).unwrap();
    other.poll(NOW).unwrap();
    check_same(&replica, &other);
    // The same operations in another order.
    let mut order: Vec<_> = hashes(&replica).into_iter().collect();
    order.reverse();
    let mut turned = Vec::new();
    bundle::export_ops(&replica, &order, &mut turned).expect("a vector takes all");
    let mut third = reader();
    bundle::import(&mut third, NOW, turned.as_slice()).expect("a bundle of this library");
    third.poll(NOW).unwrap();
    check_same(&replica, &third);
});

/// Returns a bundle of these frames with correct digests.
fn framed(input: &mut Input<'_>) -> Vec<u8> {
    let mut bundle = b"PSbundle".to_vec();
    bundle.extend([BUNDLE_VERSION, 0]);
    let mut digest = crypto().hash(&bundle);
    let count = input.byte();
    loop {
        let frame = input.long_piece();
        bundle.extend(u32::try_from(frame.len()).expect("a short frame").to_le_bytes());
        bundle.extend(frame);
        digest = crypto().hash(&[digest.as_bytes(), frame].concat());
        bundle.extend(digest.as_bytes());
        if frame.is_empty() {
            break;
        }
    }
    bundle.extend(u64::from(count).to_le_bytes());
    bundle
}
