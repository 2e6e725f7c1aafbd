//! A file that has been changed gives a named error, or the replica that it was.

use std::path::{Path, PathBuf};

use policysync::store::{Damage, Place, StoreCheck};
use policysync::{OpenError, Replica, SignedOp, StoreError};
use tempfile::TempDir;

use super::common::{self, NOW, set};
use super::{Plain, Snapshot, in_file, ingest, open, snapshot, some_ops};

const SEAL: [u8; 32] = [9; 32];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Sealed {
    Yes,
    No,
}

struct Original {
    directory: TempDir,
    bytes: Vec<u8>,
    snapshot: Snapshot,
}

/// A store in a file, of two dozen operations and some larger ones.
fn original(sealed: Sealed) -> Original {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("original");
    let mut replica = Replica::open(options(&path, sealed)).unwrap();
    ingest(&mut replica, &some_ops());
    let long: Vec<SignedOp> = (0..3).map(|n| set("bob", NOW.0, n, "long", "long ".repeat(900))).collect();
    ingest(&mut replica, &long);
    let snapshot = snapshot(&replica);
    drop(replica);
    Original { bytes: std::fs::read(path).unwrap(), directory, snapshot }
}

fn options(path: &Path, sealed: Sealed) -> policysync::ReplicaOptions {
    match sealed {
        Sealed::Yes => in_file(path).seal_key(SEAL),
        Sealed::No => in_file(path),
    }
}

impl Original {
    fn changed(&self, bytes: &[u8]) -> PathBuf {
        let path = self.directory.path().join("changed");
        for suffix in ["-wal", "-shm", "-journal"] {
            let mut name = path.clone().into_os_string();
            name.push(suffix);
            _ = std::fs::remove_file(name);
        }
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Opens changed bytes: true when it is the replica that it was.
    fn opens(&self, bytes: &[u8], sealed: Sealed, what: impl std::fmt::Display) -> bool {
        let path = self.changed(bytes);
        match Replica::open(options(&path, sealed)).plain() {
            Err(OpenError::Store(StoreError::Other(cause))) => panic!("{what}: unnamed {cause}"),
            Err(_) => false,
            Ok(replica) => {
                assert!(snapshot(&replica) == self.snapshot, "{what}: another state");
                true
            }
        }
    }
}

#[test]
fn every_eighth_byte_changed_is_noticed_or_changes_nothing_under_a_seal() {
    change_every_eighth_byte(Sealed::Yes);
}

#[test]
fn every_eighth_byte_changed_is_noticed_or_changes_nothing_without_one() {
    change_every_eighth_byte(Sealed::No);
}

fn change_every_eighth_byte(sealed: Sealed) {
    let original = original(sealed);
    let mut same = 0;
    // Every byte of the header and the first rows of the schema; then steps that are no multiples of eight, to meet
    // every kind of field.
    let steps = (0..original.bytes.len()).step_by(8).map(|at| at + (at / 8) % 8);
    for at in (0..512).chain(steps.filter(|at| (512..original.bytes.len()).contains(at))) {
        let mut bytes = original.bytes.clone();
        bytes[at] ^= 1 << (at % 8);
        same += usize::from(original.opens(&bytes, sealed, format_args!("byte {at}, {sealed:?}")));
    }
    println!("{sealed:?}: {} bytes, {same} changes opened as the same", original.bytes.len());
}

#[test]
fn a_file_cut_anywhere_is_noticed() {
    let original = original(Sealed::No);
    let cuts = (0..original.bytes.len()).step_by(4096).chain([1, 99, 100, 101, 4095, 4097]);
    for len in cuts {
        assert!(!original.opens(&original.bytes[..len], Sealed::No, len), "cut to {len}");
    }
    let mut longer = original.bytes.clone();
    longer.extend([0; 4096]);
    original.opens(&longer, Sealed::No, "longer");
}

/// Changes the file by SQL, as who has the rights on it would.
fn by_sql(original: &Original, sql: &str) -> Vec<u8> {
    let path = original.changed(&original.bytes);
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch(sql).unwrap();
    connection.close().unwrap();
    std::fs::read(path).unwrap()
}

#[test]
fn changed_rows_are_noticed_and_named() {
    const SWAP: &str = "CREATE TEMP TABLE old AS SELECT * FROM records;";
    let cases = [
        (
            "the forms of two",
            "UPDATE records SET bytes = CAST(substr(bytes, 1, 32) || substr((SELECT bytes FROM old WHERE
                old.first = 9 - records.first), 33) AS BLOB) WHERE first IN (4, 5)",
            "operation number 4",
        ),
        (
            "a form twice",
            "UPDATE records SET bytes = (SELECT bytes FROM old WHERE old.first = 4) WHERE first = 5",
            "operation number 5",
        ),
        ("a row gone", "DELETE FROM records WHERE first = 7", "operation number 7"),
        ("the last row gone", "DELETE FROM records WHERE first = 26", "operation number 26"),
        ("all rows gone", "DELETE FROM records", "operation number 0"),
        (
            "a row more",
            "INSERT INTO records SELECT 27, 1, bytes FROM records WHERE first = 3",
            "operation number 27",
        ),
        (
            "a row before",
            "INSERT INTO records SELECT -1, 1, bytes FROM records WHERE first = 3",
            "operation number 0",
        ),
        (
            "a row far after the others",
            "INSERT INTO records SELECT 4294967296, 1, bytes FROM records WHERE first = 3",
            "operation number 27",
        ),
        ("a short hash", "UPDATE records SET bytes = substr(bytes, 2) WHERE first = 2", "operation number 2"),
        ("a part of a hash", "UPDATE records SET bytes = x'00' WHERE first = 2", "operation number 2"),
        ("no form", "UPDATE records SET bytes = substr(bytes, 1, 32) WHERE first = 2", "operation number 2"),
        ("nothing", "UPDATE records SET bytes = x'' WHERE first = 2", "operation number 2"),
        ("a long form", "UPDATE records SET bytes = zeroblob(10000000) WHERE first = 2", "operation number 2"),
        ("a record of two", "UPDATE records SET count = 2 WHERE first = 2", "operation number 2"),
        ("a record of none", "UPDATE records SET count = 0 WHERE first = 2", "operation number 2"),
        ("a record of many", "UPDATE records SET count = 4294967296 WHERE first = 2", "operation number 2"),
        (
            "the signature",
            "UPDATE records SET bytes = CAST(substr(bytes, 1, 33) || zeroblob(64) || substr(bytes, 98) AS BLOB)
                WHERE first = 2",
            "operation number 2",
        ),
        ("no row for the head", "DELETE FROM head", "the head"),
        ("no head", "UPDATE head SET bytes = NULL", "operation number 0"),
        ("a smaller count", "UPDATE head
                SET bytes = CAST(substr(bytes, 1, 2) || x'1a000000' || substr(bytes, 7) AS BLOB)", "the head"),
        ("a greater count", "UPDATE head
                SET bytes = CAST(substr(bytes, 1, 2) || x'1c000000' || substr(bytes, 7) AS BLOB)", "the head"),
        ("an empty head", "UPDATE head SET bytes = x''", "the head"),
        ("a short head", "UPDATE head SET bytes = substr(bytes, 1, length(bytes) - 1)", "the head"),
        ("a long head", "UPDATE head SET bytes = CAST(bytes || x'00' AS BLOB)", "the head"),
    ];
    for sealed in [Sealed::Yes, Sealed::No] {
        let original = original(sealed);
        for (what, sql, place) in cases {
            let bytes = by_sql(&original, &format!("{SWAP} {sql}"));
            let path = original.changed(&bytes);
            let error = Replica::open(options(&path, sealed)).map(drop).expect_err(what).to_string();
            assert!(error.contains(place), "{what}, {sealed:?}: {error}");
            assert!(error.len() < 512 && error.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{error:?}");
        }
    }
}

/// Changes the bytes of the head and makes a new digest over it, which needs no key.
fn with_head(original: &Original, change: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
    let path = original.changed(&original.bytes);
    let connection = rusqlite::Connection::open(&path).unwrap();
    let mut head: Vec<u8> = connection.query_row("SELECT bytes FROM head", [], |row| row.get(0)).unwrap();
    head.truncate(head.len() - 16);
    change(&mut head);
    let digest = common::crypto().hash(&[b"policysync/store/head/v1", &head[..]].concat());
    head.extend_from_slice(&digest.as_bytes()[..16]);
    connection.execute("UPDATE head SET bytes = ?1", [head]).unwrap();
    path
}

#[test]
fn a_forged_count_is_noticed() {
    for sealed in [Sealed::Yes, Sealed::No] {
        let original = original(sealed);
        for (count, place) in [(26, "operation number 26"), (28, "operation number 27")] {
            let path = with_head(&original, |head| head[2] = count);
            let error = Replica::open(options(&path, sealed)).err().unwrap().to_string();
            assert!(error.contains(place), "{count}, {sealed:?}: {error}");
        }
    }
}

#[test]
fn a_forged_clock_is_noticed_by_the_seal() {
    let sealed = original(Sealed::Yes);
    let forgeries: [fn(&mut Vec<u8>); 3] = [
        // The horizon is the last member: a later one shows a held operation, none at all could hide one.
        |head| head.iter_mut().rev().nth(4).into_iter().for_each(|byte| *byte += 1),
        |head| {
            head[1] ^= 8;
            head.truncate(head.len() - 8);
        },
        |head| head[1] ^= 16,
    ];
    for forgery in forgeries {
        let path = with_head(&sealed, forgery);
        let error = Replica::open(options(&path, Sealed::Yes)).err().unwrap();
        let damage = StoreError::Corrupt { place: Place::Seal, damage: Damage::Seal };
        assert_eq!(error.plain(), OpenError::Store(damage));
        let keys = Default::default();
        let report = StoreCheck::new(&path, &keys).seal_key(SEAL).verify(common::crypto()).unwrap();
        assert_eq!(report.sealed, Some(false));
        assert_eq!(report.findings[0].place, Place::Seal);
    }
}

#[test]
fn two_rows_that_are_swapped_whole_are_noticed_by_the_seal() {
    const SWAP: &str = "CREATE TEMP TABLE old AS SELECT * FROM records;
        UPDATE records SET bytes = (SELECT bytes FROM old WHERE old.first = 9 - records.first) WHERE first IN (4, 5)";
    let sealed = original(Sealed::Yes);
    let path = sealed.changed(&by_sql(&sealed, SWAP));
    let error = Replica::open(options(&path, Sealed::Yes)).err().unwrap().to_string();
    assert!(error.contains("the seal"), "{error}");
    // Without a seal, that operations arrived in this order is only what the file says: cursors differ, nothing else.
    let unsealed = original(Sealed::No);
    let path = unsealed.changed(&by_sql(&unsealed, SWAP));
    let replica = Replica::open(options(&path, Sealed::No)).unwrap();
    assert_eq!(replica.log().digest(), unsealed.snapshot.log);
    assert_eq!(replica.state_digest(), unsealed.snapshot.state);
}

#[test]
fn an_operation_that_changes_in_an_open_file_is_not_shown() {
    let original = original(Sealed::No);
    let path = original.changed(&original.bytes);
    let replica = open(&path);
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(5).position(|window| window == b"long ").unwrap();
    // Every copy of the text, in whatever page it is read from.
    for byte in &mut bytes[at..] {
        if *byte == b'g' {
            *byte = b'G';
        }
    }
    std::fs::write(&path, &bytes).unwrap();
    match replica.get(("Task", "t1", "long")) {
        // It was in SQLite's cache.
        Ok(value) => assert_eq!(value, Some("long ".repeat(900).into())),
        Err(error) => assert!(matches!(error.fault(), StoreError::Corrupt { .. }), "{error}"),
    }
}

#[test]
fn an_older_journal_gives_an_error_or_an_earlier_state() {
    let directory = tempfile::tempdir().unwrap();
    let (path, journal) = (directory.path().join("log"), directory.path().join("log-wal"));
    let mut heads = Vec::new();
    let mut journals = Vec::new();
    for batch in some_ops().chunks(4) {
        let mut replica = open(&path);
        ingest(&mut replica, batch);
        heads.push(replica.log().digest());
        journals.push(std::fs::read(&journal).unwrap());
    }
    let newest = *heads.last().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let mut earlier = 0;
    for old in &journals {
        for journal_bytes in [old.clone(), old[..old.len() / 2].to_vec(), old.iter().map(|b| b ^ 1).collect()]
        {
            for head in [None, Some(newest)] {
                std::fs::write(&path, &bytes).unwrap();
                std::fs::write(&journal, &journal_bytes).unwrap();
                let options = match head {
                    None => in_file(&path),
                    Some(head) => in_file(&path).at_least(head),
                };
                let Ok(replica) = Replica::open(options) else { continue };
                let found = replica.log().digest();
                assert!(heads.contains(&found), "a state that never was");
                // Who knows the head is never fooled.
                assert!(head.is_none() || found == newest);
                earlier += usize::from(found != newest);
            }
        }
    }
    println!("{earlier} older journals opened as an earlier state");
}
