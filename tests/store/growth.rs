//! The growth of the file and of its journal.

use policysync::bundle;
use policysync::crypto::Signature;
use policysync::oplog::Cursor;
use policysync::{Hlc, Incoming, Op, Replica, ReplicaOptions, SignedOp};

use super::common::NOW;

/// Returns operations with names of `len` bytes, which a bundle holds once.
fn with_names(len: usize, count: u32) -> Vec<SignedOp> {
    let name = |letter: &str| letter.repeat(len);
    let names = ["a", "e", "i", "p", "k"].map(name);
    let [actor, entity, id, path, kid] = names.each_ref().map(String::as_str);
    let op = |n| Op::lww_set(actor, Hlc::new(NOW.0, n).unwrap(), (entity, id, path), "x").unwrap();
    (0..count).map(|n| SignedOp::new(op(n), kid, Signature::from_bytes([7; 64])).unwrap()).collect()
}

/// A relay without keys stores whatever strangers send. Long names that are sent once make its file grow by many times
/// what arrived, but not by more than the operations take each by itself.
#[test]
fn a_file_and_its_journal_have_at_most_three_times_the_bytes_of_the_binary_forms() {
    for (len, count) in [(4, 20_000), (300, 8000), (1000, 8000)] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("relay");
        let ops = with_names(len, count);
        let binary: u64 = ops.iter().map(|op| u64::try_from(op.to_binary().len()).unwrap()).sum();
        let relay = || ReplicaOptions::new().dangerously_accept_unverified();
        let mut source = Replica::open(relay()).unwrap();
        let batch: Vec<Incoming<'_>> = ops.iter().map(Incoming::from).collect();
        source.ingest_batch(NOW, &batch).unwrap();
        let mut packed = Vec::new();
        bundle::export_since(&source, Cursor::START, &mut packed).unwrap();

        let mut replica = Replica::open(relay().path(&path, NOW)).unwrap();
        let imported = bundle::import(&mut replica, NOW, packed.as_slice()).unwrap();
        assert_eq!(imported.received.appended, u64::from(count));
        let size = |name: &str| std::fs::metadata(directory.path().join(name)).unwrap().len();
        for name in ["relay", "relay-wal"] {
            assert!(
                size(name) <= 3 * binary,
                "{name}: {} for {binary} bytes with names of {len}",
                size(name)
            );
        }
    }
}
