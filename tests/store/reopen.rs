//! A replica that is closed and opened again is the same replica.

use policysync::oplog::LogDigest;
use policysync::{
    Hlc, IngestError, OpRefusal, OpenError, Outcome, Replica, ReplicaOptions, StoreError, WallMillis,
    WriteError,
};
use proptest::prelude::*;

use super::common::{NOW, Random, delete, key, knowing, set};
use super::{PEOPLE, Plain, as_alice, in_file, ingest, open, snapshot, some_ops};

const SEAL: [u8; 32] = [7; 32];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn opening_again_changes_nothing(seed: u64, sealed: bool) {
        let mut random = Random(seed);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let options = || {
            let options = as_alice(in_file(&path));
            if sealed { options.seal_key(SEAL) } else { options }
        };
        let mut file = Replica::open(options()).unwrap();
        let mut memory = Replica::open(as_alice(knowing(&PEOPLE))).unwrap();
        for _ in 0..12 {
            let ops: Vec<_> = (0..random.below(6)).map(|_| any_op(&mut random)).collect();
            prop_assert_eq!(ingest(&mut file, &ops), ingest(&mut memory, &ops));
            if random.below(2) == 0 {
                let path = format!("own{}", random.below(3));
                // An operation of their own may have come that is far ahead.
                if file.clock_ahead(NOW).is_some() && random.below(2) == 0 {
                    prop_assert_eq!((file.reset_clock(NOW), memory.reset_clock(NOW)), (Ok(()), Ok(())));
                }
                prop_assert_eq!(
                    file.set(NOW, ("Task", "t1", &path), "mine"),
                    memory.set(NOW, ("Task", "t1", &path), "mine")
                );
            }
            if random.below(3) == 0 {
                drop(file);
                file = Replica::open(options()).unwrap();
            }
            prop_assert_eq!(snapshot(&file), snapshot(&memory));
        }
        let changes = memory.poll(WallMillis(NOW.0 + 10_000_000)).unwrap().len();
        file.poll(WallMillis(NOW.0 + 10_000_000)).unwrap();
        prop_assert!(changes > 0 || memory.log().is_empty());
        prop_assert_eq!(snapshot(&file), snapshot(&memory));
    }
}

/// An operation at a random time, near enough to others to fork, and now and then far ahead.
fn any_op(random: &mut Random) -> policysync::SignedOp {
    let actor = ["bob", "carol", "alice"][random.below(20).min(2).min(random.below(3))];
    let t = match random.below(5) {
        0 => NOW.0 + 1_000_000 + u64::try_from(random.below(1000)).unwrap(),
        _ => NOW.0 - u64::try_from(random.below(200)).unwrap(),
    };
    let c = u32::try_from(random.below(2)).unwrap();
    let path = format!("path{}", random.below(6));
    match random.below(6) {
        0 => delete(actor, t, c, &path),
        _ => set(actor, t, c, &path, format!("value {}", random.below(4))),
    }
}

#[test]
fn a_held_operation_does_not_move_the_clock() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut replica = Replica::open(as_alice(in_file(&path))).unwrap();
    ingest(&mut replica, &[set("bob", NOW.0, 4, "a", 1_i32), set("bob", NOW.0 + 9_000_000, 0, "b", 1_i32)]);
    drop(replica);
    let replica = Replica::open(as_alice(in_file(&path))).unwrap();
    assert_eq!(replica.clock().last(), Some(Hlc::new(NOW.0, 4).unwrap()));
    assert_eq!(replica.held(), 1);
    drop(replica);
    // When its time has come, it is merged at once.
    let replica = Replica::open(knowing(&PEOPLE).path(&path, WallMillis(NOW.0 + 9_000_000))).unwrap();
    assert_eq!((replica.held(), replica.clock().last().unwrap().t()), (0, NOW.0 + 9_000_000));
}

#[test]
fn the_clock_goes_past_own_operations_even_when_the_wall_clock_went_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut replica = Replica::open(as_alice(in_file(&path))).unwrap();
    let ahead = WallMillis(NOW.0 + 86_400_000);
    let first = replica.set(ahead, ("Task", "t1", "a"), 1_i32).unwrap();
    drop(replica);
    let mut replica = Replica::open(as_alice(in_file(&path))).unwrap();
    assert_eq!(replica.held(), 0);
    assert_eq!(replica.clock_ahead(NOW), Some(WallMillis(86_400_000)));
    let second = replica.set(ahead, ("Task", "t1", "a"), 2_i32).unwrap();
    assert!(second.op().ts() > first.op().ts());
}

#[test]
fn a_key_that_is_not_registered_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let ops = some_ops();
    ingest(&mut Replica::open(in_file(&path).seal_key(SEAL)).unwrap(), &ops);
    let without_bob = || knowing(&["alice", "carol"]).path(&path, NOW);
    let error = Replica::open(without_bob()).err().unwrap();
    assert!(matches!(error, OpenError::UnknownKey { seq, .. } if seq.get() == 1), "{error}");
    // The seal vouches for what nobody here knows a key to.
    assert_eq!(Replica::open(without_bob().seal_key(SEAL)).unwrap().log().len(), ops.len());
}

/// More than the rows that are read at once, and in a part that is split where the known head is.
#[cfg(feature = "parallel")]
#[test]
fn a_large_file_opened_by_several_threads_is_the_same_replica() {
    let ops = super::common::many(5000);
    for seal in [None, Some(SEAL)] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let options = || match seal {
            Some(seal) => in_file(&path).seal_key(seal),
            None => in_file(&path),
        };
        let mut replica = Replica::open(options()).unwrap();
        let mut heads = vec![replica.log().digest()];
        for part in ops.chunks(2500) {
            ingest(&mut replica, part);
            heads.push(replica.log().digest());
        }
        let before = snapshot(&replica);
        assert!(before.forks.len() > 50 && before.entities.len() > 500);
        drop(replica);
        for threads in 1..=3 {
            for head in &heads {
                let options = options().threads(threads.try_into().unwrap()).at_least(*head);
                assert_eq!(snapshot(&Replica::open(options).unwrap()), before, "{threads} threads");
            }
        }
    }
}

#[test]
fn another_seal_key_is_refused_and_a_write_without_one_takes_the_seal_away() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    ingest(&mut Replica::open(in_file(&path).seal_key(SEAL)).unwrap(), &some_ops());
    let error = Replica::open(in_file(&path).seal_key([8; 32])).err().unwrap();
    assert_eq!(error.plain(), OpenError::Store(StoreError::WrongSealKey));
    let expected = {
        let mut replica = open(&path);
        ingest(&mut replica, &[set("bob", NOW.0, 9, "a", 1_i32)]);
        snapshot(&replica)
    };
    // Verified and sealed again, with whatever key.
    assert_eq!(snapshot(&Replica::open(in_file(&path).seal_key([8; 32])).unwrap()), expected);
    assert_eq!(snapshot(&Replica::open(in_file(&path).seal_key([8; 32])).unwrap()), expected);
    assert!(Replica::open(in_file(&path).seal_key(SEAL)).is_err());
}

#[test]
fn a_replica_that_verifies_nothing_seals_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let relay = || policysync::ReplicaOptions::new().path(&path, NOW).dangerously_accept_unverified();
    assert_eq!(Replica::open(relay().seal_key(SEAL)).err(), Some(OpenError::SealUnverified));
    ingest(&mut Replica::open(relay()).unwrap(), &some_ops());
    assert_eq!(Replica::open(relay()).unwrap().log().len(), some_ops().len());
}

#[test]
fn an_older_copy_is_refused_when_the_head_is_known() {
    let directory = tempfile::tempdir().unwrap();
    let (path, old) = (directory.path().join("log"), directory.path().join("old"));
    let ops = some_ops();
    let heads: Vec<LogDigest> = ops
        .chunks(8)
        .map(|batch| {
            let mut replica = open(&path);
            ingest(&mut replica, batch);
            let head = replica.log().digest();
            drop(replica);
            if !old.exists() {
                std::fs::copy(&path, &old).unwrap();
            }
            head
        })
        .collect();
    for head in &heads {
        assert!(Replica::open(in_file(&path).at_least(*head)).is_ok());
    }
    assert!(Replica::open(in_file(&old).at_least(heads[0])).is_ok());
    let error = Replica::open(in_file(&old).at_least(heads[1])).err().unwrap();
    assert_eq!(error, OpenError::RolledBack { expected: heads[1], found: heads[0] });
    let other = LogDigest { count: 3, hash: heads[0].hash };
    assert!(matches!(Replica::open(in_file(&path).at_least(other)), Err(OpenError::RolledBack { .. })));
}

#[test]
fn a_backup_is_the_same_log_and_closed_to_its_writers() {
    let directory = tempfile::tempdir().unwrap();
    let (path, copy) = (directory.path().join("log"), directory.path().join("copy"));
    let mut replica = Replica::open(as_alice(in_file(&path).seal_key(SEAL))).unwrap();
    replica.set(NOW, ("Task", "t1", "a"), 1_i32).unwrap();
    replica.back_up(&copy).unwrap();
    assert_eq!(replica.back_up(&copy).plain(), Err(StoreError::Exists));
    let expected = snapshot(&replica);
    // Meanwhile the writer continues.
    replica.set(NOW, ("Task", "t1", "a"), 2_i32).unwrap();

    let error = Replica::open(as_alice(in_file(&copy))).err().unwrap();
    assert!(matches!(error, OpenError::RestoredBackup { .. }), "{error}");
    assert_eq!(snapshot(&Replica::open(in_file(&copy).seal_key(SEAL)).unwrap()), expected);
    let by_carol = || in_file(&copy).write_as(key("carol"));
    let mut carols = Replica::open(by_carol()).unwrap();
    carols.set(NOW, ("Task", "t1", "a"), 3_i32).unwrap();
    drop(carols);
    // A writer who came later comes back.
    Replica::open(by_carol()).unwrap().set(NOW, ("Task", "t1", "a"), 4_i32).unwrap();
    assert!(Replica::open(as_alice(in_file(&copy))).is_err());
    let names: Vec<_> =
        std::fs::read_dir(directory.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().ends_with("-copy")), "{names:?}");
}

#[test]
fn a_replica_in_memory_has_no_backup() {
    let replica = Replica::open(knowing(&PEOPLE)).unwrap();
    assert_eq!(replica.back_up("nowhere"), Err(StoreError::NoFile));
}

#[test]
fn a_clock_out_of_range_opens_nothing_and_releases_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let last = WallMillis::MAX.0;
    ingest(&mut open(&path), &[set("alice", last, 7, "a", 1_i32)]);
    let nanoseconds = WallMillis(NOW.0 * 1_000_000);
    let error = Replica::open(knowing(&PEOPLE).path(&path, nanoseconds)).err().unwrap();
    assert!(matches!(error, OpenError::Clock(_)), "{error}");
    let replica = open(&path);
    assert_eq!((replica.held(), replica.clock().last()), (1, None));
}

#[test]
fn a_file_that_is_only_read_stays_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log 100%?#ä");
    let read_only = || as_alice(knowing(&PEOPLE).path_read_only(&path, NOW).seal_key([9; 32]));
    assert!(Replica::open(read_only()).is_err(), "there is no file");
    let mut replica = open(&path);
    ingest(&mut replica, &some_ops());
    let locked = Replica::open(read_only()).map(drop);
    assert_eq!(locked.plain(), Err(OpenError::Store(StoreError::OpenHere)));
    drop(replica);
    let expected = snapshot(&Replica::open(as_alice(in_file(&path))).unwrap());
    let before = std::fs::read(&path).unwrap();
    let mut replica = Replica::open(read_only()).unwrap();
    // Several may read at a time.
    let second = Replica::open(read_only()).unwrap();
    assert_eq!(snapshot(&replica), expected);
    let error = replica.set(NOW, ("Task", "t1", "title"), "more").unwrap_err();
    let WriteError::Ingest(IngestError::Store(StoreError::ReadOnly(cause))) = error.plain() else {
        panic!("another error")
    };
    assert_eq!(cause.to_string(), "it was opened for reading only");
    assert_eq!(snapshot(&replica), expected);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "a file beside it");
    drop((replica, second));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_file_that_was_not_closed_is_read_with_its_write_ahead_log() {
    let directory = tempfile::tempdir().unwrap();
    let (path, copy) = (directory.path().join("log"), directory.path().join("copy"));
    let mut replica = open(&path);
    ingest(&mut replica, &some_ops());
    let expected = snapshot(&replica);
    let wal = |path: &std::path::Path| path.with_extension("").display().to_string() + "-wal";
    std::fs::copy(&path, &copy).unwrap();
    std::fs::copy(wal(&path), wal(&copy)).unwrap();
    drop(replica);
    assert_eq!(snapshot(&Replica::open(knowing(&PEOPLE).path_read_only(&copy, NOW)).unwrap()), expected);
}

/// Names of 1 KiB make hashing expensive, so an operation by a key that is nowhere known is refused first.
#[test]
fn a_duplicate_by_a_key_that_only_the_log_knows_stays_a_duplicate() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let known = set("alice", NOW.0, 0, "title", "x");
    ingest(&mut Replica::open(in_file(&path).seal_key(SEAL)).unwrap(), std::slice::from_ref(&known));
    let mut replica = Replica::open(ReplicaOptions::new().path(&path, NOW).seal_key(SEAL)).unwrap();
    assert!(matches!(replica.ingest(NOW, &known), Ok(Outcome::Duplicate { .. })));
    for other in [set("alice", NOW.0, 1, "title", "x"), set("bob", NOW.0, 1, "title", "x")] {
        let refused = replica.ingest(NOW, &other);
        assert!(matches!(refused, Err(IngestError::Refused(OpRefusal::UnknownKey { .. }))), "{refused:?}");
    }
}
