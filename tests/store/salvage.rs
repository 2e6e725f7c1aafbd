//! The check of a store, and saving what is undamaged.

use std::path::Path;

use policysync::crypto::Sodium;
use policysync::keys::VerifyError;
use policysync::op::OpSeq;
use policysync::store::{Damage, Finding, Place, StoreCheck};
use policysync::{KeyRegistry, OpHash, Replica};

use super::common::{NOW, Random, crypto, key, knowing, set};
use super::{PEOPLE, Plain, in_file, ingest, open, snapshot, some_ops};

fn keys(actors: &[&str]) -> KeyRegistry {
    let mut keys = KeyRegistry::new();
    actors.iter().for_each(|actor| keys.register(key(actor).public_key().clone()).unwrap());
    keys
}

fn sodium() -> Sodium {
    crypto()
}

fn change(path: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.execute_batch(sql).unwrap();
    connection.close().unwrap();
}

#[test]
fn a_store_that_is_whole_has_no_findings() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut replica = Replica::open(in_file(&path).seal_key([3; 32])).unwrap();
    ingest(&mut replica, &some_ops());
    let keys = keys(&PEOPLE);
    let check = StoreCheck::new(&path, &keys);
    assert_eq!(check.verify(sodium()).plain(), Err(policysync::StoreError::OpenHere));
    let expected = snapshot(&replica);
    drop(replica);
    let report = check.verify(sodium()).unwrap();
    assert_eq!((report.verified, report.sealed, report.findings), (24, None, vec![]));
    let report = check.seal_key([3; 32]).verify(sodium()).unwrap();
    assert_eq!((report.verified, report.sealed, report.findings), (24, Some(true), vec![]));
    let wrong = StoreCheck::new(&path, &keys).seal_key([4; 32]).verify(sodium());
    assert_eq!(wrong.plain(), Err(policysync::StoreError::WrongSealKey));

    let saved = directory.path().join("saved");
    let salvaged = StoreCheck::new(&path, &keys).salvage(sodium(), &saved).unwrap();
    assert_eq!((salvaged.saved, salvaged.lost), (24, vec![]));
    assert_eq!(snapshot(&open(&saved)), expected);
}

#[test]
fn every_damaged_row_is_reported_and_the_others_are_saved() {
    let directory = tempfile::tempdir().unwrap();
    let (path, saved) = (directory.path().join("log"), directory.path().join("saved"));
    ingest(&mut open(&path), &some_ops());
    change(
        &path,
        "DELETE FROM records WHERE first = 3;
         UPDATE records SET bytes = CAST(substr(bytes, 1, 32) || x'01' AS BLOB) WHERE first = 5;
         UPDATE records SET bytes = (SELECT bytes FROM records WHERE first = 1) WHERE first = 8;
         UPDATE records SET bytes = CAST(zeroblob(32) || substr(bytes, 33) AS BLOB) WHERE first = 9;
         UPDATE records SET bytes = CAST(substr(bytes, 1, 33) || zeroblob(64) || substr(bytes, 98) AS BLOB)
            WHERE first = 11",
    );
    let keys = keys(&["alice", "bob"]);
    let report = StoreCheck::new(&path, &keys).verify(sodium()).unwrap();
    let at = |seq| {
        let is_there = |finding: &&Finding| finding.place == Place::Operation { seq: OpSeq::new(seq) };
        report.findings.iter().find(is_there).map(|finding| finding.damage.clone())
    };
    assert_eq!(at(3), Some(Damage::Missing));
    assert!(matches!(at(5), Some(Damage::Decode(_))));
    assert_eq!(at(8), Some(Damage::Duplicate));
    assert_eq!(at(9), Some(Damage::Hash));
    assert!(matches!(at(11), Some(Damage::Verify(VerifyError::UnknownKey { .. }))), "carol's");
    assert!(matches!(at(2), Some(Damage::Verify(VerifyError::UnknownKey { .. }))), "carol's");
    let everybodys = self::keys(&PEOPLE);
    let salvaged = StoreCheck::new(&path, &everybodys).salvage(sodium(), &saved).unwrap();
    let lost: Vec<Place> = salvaged.lost.iter().map(|finding| finding.place).collect();
    assert_eq!(lost, [3, 5, 8, 9, 11].map(|seq| Place::Operation { seq: OpSeq::new(seq) }));
    let replica = open(&saved);
    let kept: Vec<_> = snapshot(&replica).arrivals.into_iter().map(|(op, _)| op).collect();
    let mut number = 0;
    let expected = some_ops().into_iter().filter(|_| {
        number += 1;
        ![3, 5, 8, 9, 11].contains(&(number - 1))
    });
    assert_eq!(kept, expected.collect::<Vec<_>>());
    assert!(StoreCheck::new(&path, &everybodys).salvage(sodium(), &saved).is_err(), "nothing is overwritten");
}

#[test]
fn whatever_is_overwritten_what_is_saved_is_genuine() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let ops: Vec<_> = (0..300).map(|n| set("bob", NOW.0 - n, 0, &format!("path{n}"), "some value")).collect();
    let mut memory = Replica::open(knowing(&PEOPLE)).unwrap();
    ingest(&mut memory, &ops);
    ingest(&mut open(&path), &ops);
    let original = std::fs::read(&path).unwrap();
    let mut random = Random(5);
    let keys = keys(&PEOPLE);
    let (mut salvaged, mut unreadable) = (0, 0);
    for round in 0..40 {
        let mut bytes = original.clone();
        // A stretch of zeros, somewhere after the header.
        let start = 100 + random.below(bytes.len() - 3000);
        bytes[start..start + random.below(2900)].fill(0);
        std::fs::write(&path, &bytes).unwrap();
        let saved = directory.path().join(format!("saved{round}"));
        match StoreCheck::new(&path, &keys).salvage(sodium(), &saved) {
            Ok(result) => {
                let replica = open(&saved);
                assert_eq!(replica.log().len(), usize::try_from(result.saved).unwrap());
                assert!(result.saved == 300 || !result.lost.is_empty());
                let known = |hash: &OpHash| memory.log().contains(hash);
                assert!(replica.log().iter().all(|entry| known(&entry.unwrap().hash)));
                salvaged += result.saved;
            }
            Err(_) => unreadable += 1,
        }
    }
    println!("{salvaged} of {} operations saved; {unreadable} of 40 files could not be read", 40 * 300);
    assert!(unreadable < 10 && salvaged > 40 * 150, "{salvaged} saved, {unreadable} unreadable");
}

/// A killed process leaves most of the log in the journal, and the file itself is short.
#[test]
fn what_is_still_in_the_journal_is_checked_and_saved() {
    let directory = tempfile::tempdir().unwrap();
    let (path, killed) = (directory.path().join("log"), directory.path().join("killed"));
    let ops: Vec<_> = (0..1000).map(|n| set("alice", NOW.0 - 2000 + n, 0, "title", "x")).collect();
    let mut replica = Replica::open(in_file(&path).seal_key([3; 32])).unwrap();
    ingest(&mut replica, &ops);
    std::fs::copy(&path, &killed).unwrap();
    std::fs::copy(directory.path().join("log-wal"), directory.path().join("killed-wal")).unwrap();
    assert!(std::fs::metadata(&killed).unwrap().len() < 50_000, "it is not in the journal");

    let keys = keys(&PEOPLE);
    let saved = directory.path().join("saved");
    let salvaged = StoreCheck::new(&killed, &keys).seal_key([3; 32]).salvage(sodium(), &saved).unwrap();
    assert_eq!((salvaged.saved, salvaged.lost), (1000, vec![]));
    assert_eq!(snapshot(&open(&saved)), snapshot(&replica));
    let report = StoreCheck::new(&killed, &keys).seal_key([3; 32]).verify(sodium()).unwrap();
    assert_eq!((report.verified, report.sealed, report.findings), (1000, Some(true), vec![]));
}

#[test]
fn what_is_saved_of_a_backup_is_a_backup() {
    let directory = tempfile::tempdir().unwrap();
    let (path, backup, saved) =
        (directory.path().join("log"), directory.path().join("backup"), directory.path().join("saved"));
    let mut replica = open(&path);
    ingest(&mut replica, &some_ops());
    replica.back_up(&backup).unwrap();
    // Somebody continues with the backup.
    let dave = || key("dave");
    let as_dave =
        |path: &Path| Replica::open(knowing(&["alice", "bob", "carol"]).path(path, NOW).write_as(dave()));
    as_dave(&backup).unwrap().set(NOW, ("Task", "t1", "title"), "after").unwrap();
    let keys = keys(&["alice", "bob", "carol", "dave"]);
    let salvaged = StoreCheck::new(&backup, &keys).salvage(sodium(), &saved).unwrap();
    assert_eq!((salvaged.saved, salvaged.lost), (25, vec![]));
    let opened = Replica::open(knowing(&["bob", "carol", "dave"]).path(&saved, NOW).write_as(key("alice")));
    assert!(matches!(opened, Err(policysync::OpenError::RestoredBackup { .. })));
    // Who has written only since the backup was made may continue.
    as_dave(&saved).unwrap();
}
