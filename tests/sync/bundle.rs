//! Tests of bundles.

use policysync::bundle::{self, BundleError};
use policysync::oplog::Cursor;
use policysync::{OpHash, Replica};

use crate::common::{NOW, knowing};
use crate::link::{assert_same, blind, give, hashes, unsigned};

#[test]
fn a_damaged_or_incomplete_bundle_is_an_error_that_names_the_place() {
    let ops = unsigned(300, 4, 0);
    let ours = blind(&ops);
    let mut bundle = Vec::new();
    let exported = bundle::export_since(&ours, Cursor::START, &mut bundle).unwrap();
    assert_eq!((exported.ops, exported.bytes), (300, bundle.len() as u64));
    assert_eq!(exported.cursor, ours.log().cursor());
    let mut theirs = blind(&[]);
    let imported = bundle::import(&mut theirs, NOW, bundle.as_slice()).unwrap();
    assert_eq!((imported.received.new_ops(), imported.bytes), (300, bundle.len() as u64));
    assert_same(&ours, &theirs);
    assert_eq!(bundle::import(&mut theirs, NOW, bundle.as_slice()).unwrap().received.duplicates, 300);

    for len in (0..bundle.len()).step_by(13) {
        let mut theirs = blind(&[]);
        let error = bundle::import(&mut theirs, NOW, &bundle[..len]).unwrap_err();
        assert_eq!(error, BundleError::Truncated { at: len as u64 });
        assert!(theirs.log().is_empty() || len >= bundle.len() - 44);
    }
    for at in (0..bundle.len()).step_by(7) {
        let mut altered = bundle.clone();
        altered[at] ^= 0x10;
        let mut theirs = blind(&[]);
        assert!(bundle::import(&mut theirs, NOW, altered.as_slice()).is_err(), "byte {at}");
        assert!(theirs.log().is_empty() || at >= bundle.len() - 44, "byte {at}");
    }
    bundle.push(0);
    assert!(matches!(
        bundle::import(&mut blind(&[]), NOW, bundle.as_slice()),
        Err(BundleError::TrailingBytes { .. })
    ));
}

/// Reads and writes one byte at a time.
struct Dropwise<T>(T);

impl<R: std::io::Read> std::io::Read for Dropwise<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let end = buffer.len().min(1);
        self.0.read(&mut buffer[..end])
    }
}

impl<W: std::io::Write> std::io::Write for Dropwise<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(&bytes[..bytes.len().min(1)])
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

#[test]
fn a_bundle_may_arrive_one_byte_at_a_time() {
    let ours = blind(&unsigned(300, 4, 0));
    let (mut whole, mut drops) = (Vec::new(), Dropwise(Vec::new()));
    bundle::export_since(&ours, Cursor::START, &mut whole).unwrap();
    bundle::export_since(&ours, Cursor::START, &mut drops).unwrap();
    assert_eq!(drops.0, whole);
    let mut theirs = blind(&[]);
    assert_eq!(bundle::import(&mut theirs, NOW, Dropwise(whole.as_slice())).unwrap().received.new_ops(), 300);
    assert_same(&ours, &theirs);
    let cut = Dropwise(&whole[..whole.len() - 1]);
    assert!(matches!(bundle::import(&mut blind(&[]), NOW, cut), Err(BundleError::Truncated { .. })));
}

#[test]
fn a_bundle_holds_the_operations_that_were_asked_for() {
    let ops = unsigned(300, 4, 0);
    let mut ours = blind(&ops[..200]);
    let cursor = ours.log().cursor();
    give(&mut ours, &ops[200..]);
    let mut since = Vec::new();
    assert_eq!(bundle::export_since(&ours, cursor, &mut since).unwrap().ops, 100);
    let mut theirs = blind(&[]);
    bundle::import(&mut theirs, NOW, since.as_slice()).unwrap();
    let some: Vec<OpHash> = hashes(&ours).into_iter().step_by(3).collect();
    let mut set = Vec::new();
    assert_eq!(bundle::export_ops(&ours, &some, &mut set).unwrap().ops, 100);
    let mut others = blind(&[]);
    bundle::import(&mut others, NOW, set.as_slice()).unwrap();
    assert_eq!(hashes(&others), some.iter().copied().collect());
    let missing = OpHash::from_bytes([1; 32]);
    assert_eq!(
        bundle::export_ops(&ours, &[missing], Vec::new()),
        Err(BundleError::Missing { hash: missing })
    );
    let mut elsewhere = Replica::open(knowing(&[]).space("home")).unwrap();
    assert_eq!(bundle::import(&mut elsewhere, NOW, set.as_slice()), Err(BundleError::OtherSpace));
}
