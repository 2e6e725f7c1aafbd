//! Tests of held operations and of the timestamps of writes.

use policysync::hlc::Clock;
use policysync::state::Standing;
use policysync::{Effect, Hlc, Outcome, Replica, WallMillis, WriteError};

use super::common::{NOW, key, knowing, reader, set};
use super::{DRIFT, HOUR, appended, hash_of, seen, text, writer};

#[test]
fn an_operation_is_held_from_one_millisecond_past_the_drift() {
    for (ahead, held) in [(DRIFT - 1, false), (DRIFT, false), (DRIFT + 1, true)] {
        let mut replica = reader(&["alice"]);
        let op = set("alice", NOW.0 + ahead, 0, "title", "x");
        let outcome = replica.ingest(NOW, &op).unwrap();
        if held {
            let until = WallMillis(NOW.0 + ahead - DRIFT);
            assert_eq!(outcome, Outcome::Held { hash: hash_of(&op), until, equivocates_with: None });
            assert_eq!(replica.get(("Task", "t1", "title")).unwrap(), None);
            assert_eq!(replica.clock().last(), None);
            assert!(replica.poll(NOW).unwrap().is_empty());
            // It is in the log, and a copy of it is a duplicate.
            assert!(replica.log().contains(&hash_of(&op)));
            assert_eq!(replica.ingest(NOW, &op), Ok(Outcome::Duplicate { hash: hash_of(&op) }));

            // One millisecond before it is due, it is still held.
            assert!(replica.poll(WallMillis(until.0 - 1)).unwrap().is_empty());
            assert_eq!(replica.held(), 1);
            assert_eq!(replica.poll(until).unwrap().len(), 1);
        } else {
            assert_eq!(appended(outcome).1, Effect::Won { superseded: None });
        }
        assert_eq!(replica.held(), 0);
        assert_eq!(replica.get(("Task", "t1", "title")).unwrap(), text("x"));
        assert_eq!(replica.clock().last(), Some(op.op().ts()));
    }
}

#[test]
fn the_drift_is_the_option_that_the_replica_was_opened_with() {
    for drift in [0, 1, 60_000] {
        let mut replica = Replica::open(knowing(&["alice"]).max_drift(WallMillis(drift))).unwrap();
        appended(replica.ingest(NOW, &set("alice", NOW.0 + drift, 0, "title", "x")).unwrap());
        let op = set("alice", NOW.0 + drift + 1, 0, "title", "y");
        assert!(matches!(replica.ingest(NOW, &op), Ok(Outcome::Held { .. })));
    }
}

#[test]
fn held_operations_are_released_by_poll_and_by_the_next_appended_operation() {
    let later = WallMillis(NOW.0 + 1);
    let op = set("alice", later.0 + DRIFT, 0, "title", "x");
    type Call<'a> = (&'a str, &'a dyn Fn(&mut Replica));
    let releasing: [Call<'_>; 3] = [
        ("poll", &|replica| drop(replica.poll(later).unwrap())),
        ("another operation", &|replica| {
            appended(replica.ingest(later, &set("alice", NOW.0, 0, "notes", "y")).unwrap());
        }),
        ("a write", &|replica| drop(replica.set(later, ("Task", "t1", "notes"), "y").unwrap())),
    ];
    let others: [Call<'_>; 3] = [
        ("a duplicate", &|replica| assert!(replica.ingest(later, &op).is_ok())),
        ("garbage", &|replica| assert!(replica.ingest(later, b"{}".as_slice()).is_err())),
        ("an empty batch", &|replica| drop(replica.ingest_batch(later, &[]))),
    ];
    for (name, call) in others {
        let mut replica = writer("bob", &["alice"]);
        assert!(matches!(replica.ingest(NOW, &op), Ok(Outcome::Held { .. })));
        let before = seen(&replica);
        call(&mut replica);
        assert_eq!(seen(&replica), before, "{name}");
    }
    for (name, call) in releasing {
        let mut replica = writer("bob", &["alice"]);
        assert_eq!(replica.horizon(), None, "{name}");
        assert!(matches!(replica.ingest(NOW, &op), Ok(Outcome::Held { .. })));
        assert_eq!(replica.horizon(), Some(WallMillis(NOW.0 + DRIFT)), "{name}");
        call(&mut replica);
        assert_eq!(replica.horizon(), Some(WallMillis(later.0 + DRIFT)), "{name}");
        assert_eq!(replica.held(), 0, "{name}");
        assert_eq!(replica.get(("Task", "t1", "title")).unwrap(), text("x"), "{name}");
        assert!(replica.clock().last() >= Some(op.op().ts()), "{name}");
    }
}

#[test]
fn a_held_operation_neither_moves_the_clock_nor_beats_a_write() {
    let mut replica = writer("bob", &["alice"]);
    let far = set("alice", Hlc::MAX.t(), Hlc::MAX.c(), "title", "poison");
    assert!(matches!(replica.ingest(NOW, &far), Ok(Outcome::Held { .. })));
    let ours = replica.set(NOW, ("Task", "t1", "title"), "ours").unwrap();
    assert_eq!(ours.op().ts(), Hlc::new(NOW.0, 0).unwrap());
    assert_eq!(replica.get(("Task", "t1", "title")).unwrap(), text("ours"));
    let history = replica.history(("Task", "t1", "title")).unwrap();
    let standings: Vec<_> = history.iter().map(|version| (&version.op, version.standing)).collect();
    assert_eq!(standings, [(&far, Standing::Held), (&ours, Standing::Winner)]);
}

#[test]
fn a_later_write_wins_although_the_wall_clock_went_back() {
    for back in [WallMillis(NOW.0 - DRIFT), WallMillis(0)] {
        let mut replica = writer("bob", &[]);
        let first = replica.set(NOW, ("Task", "t1", "title"), "first").unwrap();
        for n in 0..3 {
            let value = format!("later {n}");
            let later = replica.set(back, ("Task", "t1", "title"), value.as_str()).unwrap();
            assert!(later.op().ts() > first.op().ts());
            assert_eq!(replica.get(("Task", "t1", "title")).unwrap(), text(&value));
            assert_eq!(replica.held(), 0);
        }
        replica.delete(back, ("Task", "t1", "title")).unwrap();
        assert_eq!(replica.get(("Task", "t1", "title")).unwrap(), None);
        assert_eq!(replica.log().len(), 5);
        assert!(replica.log().forks().unwrap().is_empty());
    }
}

#[test]
fn a_wall_clock_that_was_ahead_is_reported_and_can_be_reset() {
    let ahead = WallMillis(NOW.0 + HOUR);
    let theirs = set("alice", ahead.0, 0, "title", "theirs");
    type Tick<'a> = &'a dyn Fn(&mut Replica);
    let ticks: [Tick<'_>; 3] = [
        &|replica| drop(replica.poll(ahead).unwrap()),
        &|replica| drop(replica.set(ahead, ("Task", "t1", "notes"), "ours").unwrap()),
        &|replica| {
            drop(replica.ingest_batch(ahead, &[(&set("alice", NOW.0, 0, "notes", "x")).into()]).unwrap())
        },
    ];
    for tick in ticks {
        let mut replica = writer("bob", &["alice"]);
        assert_eq!(replica.clock_ahead(NOW), None);
        assert!(matches!(replica.ingest(NOW, &theirs), Ok(Outcome::Held { .. })));
        tick(&mut replica);
        assert_eq!(replica.clock_ahead(NOW), Some(WallMillis(HOUR)));
        let error = replica.set(NOW, ("Task", "t1", "title"), "ours").unwrap_err();
        assert!(error.to_string().contains("3600000 ms ahead of the wall clock"), "{error}");
        assert_eq!(replica.delete(NOW, ("Task", "t1", "title")), Err(error));
        replica.poll(ahead).unwrap();
        replica.reset_clock(NOW).unwrap();
        assert_eq!(replica.poll(NOW).unwrap().first().map(|change| change.winner), Some(None));
        assert_eq!(replica.horizon(), Some(WallMillis(NOW.0 + DRIFT)));
        let ours = replica.set(NOW, ("Task", "t1", "title"), "ours").unwrap();
        assert!(ours.op().ts().t() <= NOW.0);
        assert_eq!(replica.get(("Task", "t1", "title")).unwrap(), text("ours"));
        assert!(replica.log().forks().unwrap().is_empty());
    }
}

#[test]
fn a_write_sorts_after_an_operation_from_the_allowed_future() {
    let mut replica = writer("bob", &["alice"]);
    let seen_last = set("alice", NOW.0 + DRIFT, 7, "title", "from the future");
    appended(replica.ingest(NOW, &seen_last).unwrap());
    let ours = replica.set(NOW, ("Task", "t1", "title"), "ours").unwrap();
    assert_eq!(ours.op().ts(), Hlc::new(NOW.0 + DRIFT, 8).unwrap());
    assert_eq!(replica.get(("Task", "t1", "title")).unwrap(), text("ours"));
}

/// The greatest counter is used, so the next timestamp is one millisecond past the allowed future.
#[test]
fn after_a_full_counter_at_the_end_of_the_allowed_future_a_write_waits_for_a_millisecond() {
    let mut replica = writer("bob", &["alice"]);
    let full = set("alice", NOW.0 + DRIFT, Hlc::MAX.c(), "title", "full");
    appended(replica.ingest(NOW, &full).unwrap());
    let before = seen(&replica);
    let (by, limit, after) = (WallMillis(DRIFT + 1), WallMillis(DRIFT), full.op().ts());
    let refused = replica.set(NOW, ("Task", "t1", "title"), "ours");
    assert_eq!(refused, Err(WriteError::ClockAhead { by, limit, after }));
    assert_eq!((seen(&replica), replica.clock_ahead(NOW)), (before, Some(by)));
    let later = WallMillis(NOW.0 + 1);
    assert_eq!(replica.clock_ahead(later), None);
    replica.set(later, ("Task", "t1", "title"), "ours").unwrap();
    assert_eq!(replica.get(("Task", "t1", "title")).unwrap(), text("ours"));
    // Two writes never have the same timestamp.
    replica.set(later, ("Task", "t1", "title"), "again").unwrap();
    assert!(replica.log().forks().unwrap().is_empty());
}

#[test]
fn a_failed_write_leaves_the_replica_unchanged() {
    let mut replica = writer("bob", &[]);
    replica.set(NOW, ("Task", "t1", "title"), "x").unwrap();
    let before = seen(&replica);
    assert!(matches!(replica.set(NOW, ("", "t1", "title"), "y"), Err(WriteError::Op(_))));
    assert!(matches!(replica.set(NOW, ("Task", "t1", "a\nb"), "y"), Err(WriteError::Op(_))));
    let too_large = "x".repeat(policysync::codec::MAX_OP_BYTES);
    assert!(matches!(replica.set(NOW, ("Task", "t1", "title"), too_large), Err(WriteError::Sign(_))));
    let past = WallMillis(WallMillis::MAX.0 + 1);
    assert!(matches!(replica.set(past, ("Task", "t1", "title"), "y"), Err(WriteError::Clock(_))));
    assert_eq!(seen(&replica), before);
}

#[test]
fn a_replica_without_a_key_only_reads() {
    let mut replica = reader(&["alice"]);
    assert_eq!(replica.actor(), None);
    assert_eq!(replica.set(NOW, ("Task", "t1", "title"), "x"), Err(WriteError::ReadOnly));
    assert_eq!(replica.delete(NOW, ("Task", "t1", "title")), Err(WriteError::ReadOnly));
    assert!(replica.log().is_empty());
    assert_eq!(replica.clock().last(), Clock::new().last());
    appended(replica.ingest(NOW, &set("alice", NOW.0, 0, "title", "x")).unwrap());
}

#[test]
fn a_write_belongs_to_the_replicas_space_and_a_peer_of_that_space_ingests_it() {
    let mut ours = Replica::open(knowing(&[]).write_as(key("alice")).space("home")).unwrap();
    let mut theirs = Replica::open(knowing(&["alice"]).space("home")).unwrap();
    let op = ours.set(NOW, ("Task", "t1", "title"), "x").unwrap();
    assert_eq!(op.op().space(), Some("home"));
    appended(theirs.ingest(NOW, op.to_binary().as_slice()).unwrap());
    assert_eq!(theirs.log().digest(), ours.log().digest());
    assert_eq!(theirs.state_digest(), ours.state_digest());
}
