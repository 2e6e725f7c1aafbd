//! A replica that lets go of its file and takes it up again.

use policysync::replica::StateCursor;
use policysync::{IngestError, OpenError, Outcome, Replica, ReplicaOptions, StoreError, WriteError};

use super::common::{NOW, key, knowing, set};
use super::files::other_process;
use super::{Plain, as_alice, in_file, ingest, open, snapshot, some_ops};

const TITLE: (&str, &str, &str) = ("Task", "t1", "title");

fn released<T>() -> Result<T, StoreError> {
    Err(StoreError::Released)
}

#[test]
fn a_released_file_is_free_and_its_replica_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut replica = Replica::open(as_alice(in_file(&path))).unwrap();
    ingest(&mut replica, &some_ops());
    let (before, cursor) = (snapshot(&replica), replica.state_cursor());
    replica.release_store().unwrap();
    replica.release_store().unwrap();
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "a file beside it");
    assert!(other_process(&path).contains("answer: 24 operations"));

    // Only what is in memory can be read, and nothing can be written.
    assert_eq!((replica.log().digest(), replica.state_digest()), (before.log, before.state));
    assert_eq!(replica.get(("Task", "t1", "path1")), Ok(None), "it is deleted");
    assert_eq!(replica.get(("Task", "t1", "path2")).plain(), released());
    assert_eq!(replica.history(("Task", "t1", "path2")).plain(), released());
    let refused = Err(WriteError::Ingest(IngestError::Store(StoreError::Released)));
    assert_eq!(replica.set(NOW, TITLE, "x").plain(), refused);
    assert!(matches!(replica.ingest(NOW, &some_ops()[0]), Ok(Outcome::Duplicate { .. })));
    let new = set("bob", NOW.0, 7, "title", "x");
    assert_eq!(replica.ingest(NOW, &new).plain(), Err(IngestError::Store(StoreError::Released)));
    assert_eq!(replica.back_up(directory.path().join("copy")).plain(), released());
    assert!(replica.changes_since(&StateCursor::START).unwrap().any(|change| change.plain() == released()));

    assert_eq!(replica.reacquire_store(NOW), Ok(0));
    assert_eq!(replica.reacquire_store(NOW), Ok(0));
    assert!(other_process(&path).contains(": another process has the store open"));
    assert_eq!(snapshot(&replica), before);
    replica.set(NOW, TITLE, "x").unwrap();
    assert_eq!(replica.changes_since(&cursor).unwrap().count(), 1);
    let expected = snapshot(&replica);
    drop(replica);
    assert_eq!(snapshot(&Replica::open(as_alice(in_file(&path))).unwrap()), expected);
}

#[test]
fn what_others_have_written_meanwhile_is_taken_in() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    for seal in [None, Some([9; 32])] {
        let options = |options: ReplicaOptions| {
            let options = options.path(&path, NOW);
            if let Some(seal) = seal { options.seal_key(seal) } else { options }
        };
        let mut replica = Replica::open(options(as_alice(knowing(&["bob"])))).unwrap();
        ingest(&mut replica, &[set("bob", NOW.0, 0, "a", "x")]);
        replica.release_store().unwrap();
        let mut other = Replica::open(options(knowing(&["alice", "bob", "carol"]))).unwrap();
        let theirs = [set("bob", NOW.0, 1, "b", "x"), set("carol", NOW.0, 0, "a", "y")];
        ingest(&mut other, &theirs);
        assert_eq!(replica.reacquire_store(NOW).plain(), Err(OpenError::Store(StoreError::OpenHere)));
        let expected = snapshot(&other);
        drop(other);
        if seal.is_none() {
            // The file is open again, and cannot be written to before everything is taken in.
            let unknown = replica.reacquire_store(NOW).unwrap_err();
            assert!(matches!(unknown, OpenError::UnknownKey { .. }), "{unknown}");
            assert!(other_process(&path).contains(": another process has the store open"));
            let conflict = replica.ingest(NOW, &set("bob", NOW.0, 9, "b", "x"));
            assert_eq!(conflict.plain(), Err(IngestError::Store(StoreError::Conflict)));
            replica.keys_mut().register(key("carol").public_key().clone()).unwrap();
        }
        assert_eq!(replica.reacquire_store(NOW), Ok(2));
        assert_eq!(snapshot(&replica), expected);
        replica.set(NOW, TITLE, "more").unwrap();
        drop(replica);
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn another_file_at_the_path_is_noticed_and_the_right_one_is_taken() {
    let directory = tempfile::tempdir().unwrap();
    let (path, moved) = (directory.path().join("log"), directory.path().join("moved"));
    let mut replica = open(&path);
    ingest(&mut replica, &some_ops());
    replica.release_store().unwrap();
    std::fs::rename(&path, &moved).unwrap();
    assert_eq!(replica.reacquire_store(NOW).plain(), Err(OpenError::Store(StoreError::Moved)));
    std::fs::copy(&moved, &path).unwrap();
    assert_eq!(replica.reacquire_store(NOW).plain(), Err(OpenError::Store(StoreError::Moved)));
    // It has let go of the other file.
    assert!(other_process(&path).contains("answer: 24 operations"));
    assert_eq!(replica.get(("Task", "t1", "path2")).plain(), released());
    std::fs::rename(&moved, &path).unwrap();
    assert_eq!(replica.reacquire_store(NOW), Ok(0));
    ingest(&mut replica, &[set("bob", NOW.0, 7, "title", "x")]);
}

/// Returns the bytes that this thread has read from files.
#[cfg(target_os = "linux")]
fn bytes_read() -> u64 {
    let counters = std::fs::read_to_string("/proc/thread-self/io").unwrap();
    counters.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap().parse().unwrap()
}

/// Opening a file reads all of it; taking it up again reads its head.
#[cfg(target_os = "linux")]
#[test]
fn the_cost_of_taking_up_a_file_does_not_depend_on_its_length() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut replica = open(&path);
    let mut costs = Vec::new();
    for n in 0..2 {
        let ops: Vec<_> =
            (0..1500).map(|c| set("bob", NOW.0 + n, c, &format!("p{c}"), "x".repeat(1000))).collect();
        ingest(&mut replica, &ops);
        replica.release_store().unwrap();
        let before = bytes_read();
        assert_eq!(replica.reacquire_store(NOW), Ok(0));
        costs.push(bytes_read() - before);
    }
    let before = bytes_read();
    drop(replica);
    drop(open(&path));
    assert!(bytes_read() - before > 3_000_000);
    assert!(costs[0] < 100_000 && costs[0].abs_diff(costs[1]) < 20_000, "{costs:?}");
}

#[test]
fn damage_is_found_when_it_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut replica = open(&path);
    ingest(&mut replica, &[set("bob", NOW.0, 0, "title", "x".repeat(300))]);
    replica.release_store().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let damaged: Vec<u8> = bytes.iter().map(|byte| if *byte == b'x' { b'y' } else { *byte }).collect();
    std::fs::write(&path, damaged).unwrap();
    assert_eq!(replica.reacquire_store(NOW), Ok(0));
    assert!(matches!(replica.get(TITLE).plain(), Err(StoreError::Corrupt { .. })));
}

#[test]
fn a_file_that_is_only_read_can_be_released_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut writer = open(&path);
    ingest(&mut writer, &some_ops()[..20]);
    drop(writer);
    let mut reader = Replica::open(knowing(&super::PEOPLE).path_read_only(&path, NOW)).unwrap();
    reader.release_store().unwrap();
    let mut writer = open(&path);
    ingest(&mut writer, &some_ops()[20..]);
    let expected = snapshot(&writer);
    drop(writer);
    assert_eq!(reader.get(("Task", "t1", "path2")).plain(), released());
    assert_eq!(reader.reacquire_store(NOW), Ok(4));
    assert_eq!(snapshot(&reader), expected);
    let error = reader.ingest(NOW, &set("bob", NOW.0, 7, "title", "x")).unwrap_err();
    assert!(matches!(error.clone().plain(), IngestError::Store(StoreError::ReadOnly(_))), "{error}");
}

#[test]
fn a_replica_without_a_file_has_nothing_to_release() {
    let mut replica = Replica::open(ReplicaOptions::new()).unwrap();
    assert_eq!(replica.release_store(), Err(StoreError::NoFile));
    assert_eq!(replica.reacquire_store(NOW), Err(OpenError::Store(StoreError::NoFile)));
}
