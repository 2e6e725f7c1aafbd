//! Regression tests of faults that were found by review.

mod common;

use std::cell::Cell;

use common::{NOW, crypto, key, knowing, reader, set};
use policysync::crypto::KeyPair;
use policysync::keys::{VerifiedOp, sign_op, verify_op};
use policysync::oplog::{Added, ForkError};
use policysync::{
    ForkProof, Hlc, Incoming, IngestError, Op, OpLog, Outcome, Replica, ReplicaOptions, SignedOp,
    SigningSecretKey, Value, Verdict, WallMillis, WriteError,
};

const HOUR: u64 = 3_600_000;

fn at(offset: u64) -> WallMillis {
    WallMillis(NOW.0 + offset)
}

/// A second key of an actor, besides `common::key`.
fn second_key(actor: &str) -> SigningSecretKey {
    SigningSecretKey::new(actor, KeyPair::from_seed(&[9; 32]).unwrap()).unwrap()
}

fn by(key: &SigningSecretKey, t: u64, c: u32, value: &str) -> SignedOp {
    let op = Op::lww_set("alice", Hlc::new(t, c).unwrap(), ("Task", "t1", "title"), value).unwrap();
    sign_op(&crypto(), op, key).unwrap()
}

/// `entity` once returned a `Value` that could be nested deeper and longer than any operation allows.
#[test]
fn an_entity_of_deep_and_long_values_is_text_and_not_a_value() {
    let mut replica = Replica::open(ReplicaOptions::new().write_as(key("alice"))).unwrap();
    let deep = format!("{}{}", "[".repeat(64), "]".repeat(64));
    replica.set(NOW, ("Task", "t1", "deep"), Value::parse(&deep).unwrap()).unwrap();
    replica.set(NOW, ("Task", "t1", "long"), "x".repeat(700_000)).unwrap();
    replica.set(NOW, ("Task", "t1", "longer"), "x".repeat(700_000)).unwrap();
    let entity = replica.entity("Task", "t1").unwrap().unwrap();
    assert!(entity.len() > 1_400_000 && entity.starts_with(r#"{"deep":[["#));
    assert!(Value::parse(&entity).is_err());
    // As a value it is a string, which is too long.
    assert!(matches!(replica.set(NOW, ("Task", "t2", "copy"), entity), Err(WriteError::Sign(_))));
}

#[test]
fn one_timestamp_in_two_spaces_proves_nothing() {
    let write = |space: &str| {
        let mut replica = Replica::open(ReplicaOptions::new().write_as(key("alice")).space(space)).unwrap();
        replica.set(NOW, ("Task", "t1", "title"), space).unwrap()
    };
    let (home, work) = (write("home"), write("work"));
    assert_eq!(home.op().ts(), work.op().ts());
    let registry = knowing(&["alice"]);
    let replica = Replica::open(registry).unwrap();
    assert_eq!(ForkProof::new(home, work).check(&crypto(), replica.keys()), Err(ForkError::Unrelated));
}

/// The guard once saw the signing key, so that a batch and single operations had different results.
#[test]
fn copies_under_two_keys_have_the_same_results_in_a_batch_and_one_by_one() {
    let (first, second) = (key("alice"), second_key("alice"));
    let copies = [by(&first, NOW.0, 0, "x"), by(&second, NOW.0, 0, "x")];
    for verdict in [Verdict::Admit, Verdict::Reject] {
        let open = || {
            let options = knowing(&["alice"]).guard(move |_: &VerifiedOp<'_>| verdict);
            let mut replica = Replica::open(options).unwrap();
            replica.keys_mut().register(second.public_key().clone()).unwrap();
            replica
        };
        let (mut single, mut batch) = (open(), open());
        let one_by_one: Vec<_> = copies.iter().map(|op| single.ingest(NOW, op)).collect();
        let at_once =
            batch.ingest_batch(NOW, &[Incoming::from(&copies[0]), Incoming::from(&copies[1])]).unwrap();
        let at_once: Vec<_> = at_once.into_iter().map(|answer| answer.map_err(IngestError::from)).collect();
        assert_eq!(one_by_one, at_once);
        assert_eq!(single.state_digest(), batch.state_digest());
    }
}

#[test]
fn proofs_are_equal_whichever_valid_signature_came_first() {
    let (first, second) = (key("alice"), second_key("alice"));
    let (x1, x2, y) = (by(&first, NOW.0, 0, "x"), by(&second, NOW.0, 0, "x"), by(&first, NOW.0, 0, "y"));
    let proofs = |ops: [&SignedOp; 3]| {
        let mut replica = reader(&["alice"]);
        replica.keys_mut().register(second.public_key().clone()).unwrap();
        for op in ops {
            replica.ingest(NOW, op).unwrap();
        }
        (replica.log().digest(), replica.log().forks().unwrap())
    };
    let (one, other) = (proofs([&x1, &x2, &y]), proofs([&x2, &x1, &y]));
    assert_eq!(one.1.len(), 1);
    assert_eq!(one, other);
}

/// Large counters share a prefix in the order; the search for each fork from there was once quadratic.
#[test]
fn many_forks_in_one_millisecond_are_all_proved() {
    let mut replica = Replica::open(knowing(&["alice"]).dangerously_accept_unverified()).unwrap();
    let genuine = set("alice", NOW.0, 0, "title", "x");
    let ops: Vec<SignedOp> = (0..20_000_u32)
        .flat_map(|n| {
            let op = |value| {
                Op::lww_set("alice", Hlc::new(NOW.0, 3_000 + n).unwrap(), ("Task", "t1", "title"), value)
            };
            [op("x"), op("y")]
                .map(|op| SignedOp::new(op.unwrap(), genuine.kid(), *genuine.signature()).unwrap())
        })
        .collect();
    let batch: Vec<Incoming<'_>> = ops.iter().map(Incoming::from).collect();
    replica.ingest_batch(NOW, &batch).unwrap();
    let proofs = replica.log().forks().unwrap();
    assert_eq!(proofs.len(), 20_000);
    assert!(proofs.windows(2).all(|pair| pair[0].first().op().ts() < pair[1].first().op().ts()));
}

#[test]
fn a_wall_clock_out_of_range_releases_nothing() {
    let mut replica = Replica::open(knowing(&["mallory"]).write_as(key("alice"))).unwrap();
    let last = sign_op(
        &crypto(),
        Op::lww_set("mallory", Hlc::MAX, ("Task", "t1", "title"), "for ever").unwrap(),
        &key("mallory"),
    );
    assert!(matches!(replica.ingest(NOW, &last.unwrap()).unwrap(), Outcome::Held { .. }));
    let before = replica.state_digest();
    let nonsense = WallMillis(u64::MAX);
    assert!(matches!(replica.ingest(nonsense, "{}"), Err(IngestError::Clock(_))));
    assert!(matches!(replica.ingest_batch(nonsense, &[]), Err(IngestError::Clock(_))));
    assert!(matches!(replica.set(nonsense, ("Task", "t1", "title"), "x"), Err(WriteError::Clock(_))));
    assert!(replica.poll(nonsense).unwrap().is_empty());
    assert_eq!((replica.state_digest(), replica.held()), (before, 1));
    replica.set(NOW, ("Task", "t1", "title"), "mine").unwrap();
    assert_eq!(replica.get(("Task", "t1", "title")).unwrap(), Some("mine".into()));
}

#[test]
fn a_refused_operation_releases_nothing_that_was_held() {
    let mut replica = Replica::open(knowing(&["mallory"]).write_as(key("alice"))).unwrap();
    replica.ingest(NOW, &set("mallory", NOW.0 + HOUR, 0, "title", "later")).unwrap();
    let before = (replica.state_digest(), replica.held(), replica.clock().last(), replica.horizon());
    assert_eq!(replica.next_due(), Some(at(HOUR - 600_000)));
    assert!(replica.ingest(at(2 * HOUR), "garbage").is_err());
    assert!(replica.set(at(2 * HOUR), ("", "t1", "title"), "x").is_err());
    assert_eq!((replica.state_digest(), replica.held(), replica.clock().last(), replica.horizon()), before);
    // A new write is greater than the operations that have become due.
    let ours = replica.set(at(HOUR), ("Task", "t1", "title"), "ours").unwrap();
    assert_eq!(ours.op().ts(), Hlc::new(NOW.0 + HOUR, 1).unwrap());
    assert_eq!(replica.get(("Task", "t1", "title")).unwrap(), Some("ours".into()));
    assert_eq!((replica.held(), replica.next_due()), (0, None));
}

/// A restart after the clock was corrected: operations written with the wrong clock stay merged.
#[test]
fn an_own_operation_is_never_held_after_a_restart() {
    let open = || Replica::open(ReplicaOptions::new().write_as(key("alice"))).unwrap();
    let op = open().set(at(HOUR), ("Task", "t1", "title"), "an hour ahead").unwrap();
    let mut again = open();
    assert!(matches!(again.ingest(NOW, &op).unwrap(), Outcome::Appended { .. }));
    assert!(matches!(again.set(NOW, ("Task", "t1", "title"), "newer"), Err(WriteError::ClockAhead { .. })));
    let next = again.set(at(HOUR), ("Task", "t1", "title"), "newer").unwrap();
    assert!(next.op().ts() > op.op().ts());
    assert_eq!(again.get(("Task", "t1", "title")).unwrap(), Some("newer".into()));
}

#[test]
fn a_thousand_replays_need_no_verification() {
    let op = set("alice", NOW.0, 0, "title", "x");
    let (verified, alice) = (Cell::new(0), key("alice"));
    let mut log = OpLog::new(crypto());
    let mut add = || {
        log.add(&op, |op| {
            verified.set(verified.get() + 1);
            verify_op(&crypto(), op, alice.public_key())
        })
    };
    assert!(matches!(add(), Ok(Added::Appended { .. })));
    for _ in 0..1000 {
        assert_eq!(add(), Ok(Added::Duplicate));
    }
    assert_eq!(verified.get(), 1);
}

#[test]
fn numbers_and_texts_of_every_type_can_be_written() {
    let mut replica = Replica::open(ReplicaOptions::new().write_as(key("alice"))).unwrap();
    replica.set(NOW, ("Task", "t1", "a"), 1.5).unwrap();
    replica.set(NOW, ("Task", "t1", "b"), 5_u64).unwrap();
    let text = String::from("text");
    replica.set(NOW, ("Task", "t1", "c"), &text).unwrap();
    drop(text);
    replica.set(NOW, ("Task", "t1", "d"), serde_json::json!({"z": 1, "y": [true]})).unwrap();
    assert_eq!(
        replica.entity("Task", "t1").unwrap().as_deref(),
        Some(r#"{"a":1.5,"b":5,"c":"text","d":{"y":[true],"z":1}}"#)
    );
    let before = replica.log().digest();
    assert!(matches!(replica.set(NOW, ("Task", "t1", "a"), f64::NAN), Err(WriteError::Value(_))));
    assert!(matches!(replica.set(NOW, ("Task", "t1", "a"), u64::MAX), Err(WriteError::Value(_))));
    assert_eq!(replica.log().digest(), before);
}

#[test]
fn own_operations_from_elsewhere_release_held_ones_when_they_arrive() {
    let drift = 600_000;
    let ops = [
        set("bob", NOW.0 + drift + 100_000, 0, "a", 1_i32),
        set("alice", NOW.0 + drift + 200_000, 0, "b", 2_i32),
        set("bob", NOW.0 + drift + 150_000, 0, "c", 3_i32),
    ];
    let open = || Replica::open(knowing(&["bob"]).write_as(key("alice"))).unwrap();
    let (mut batch, mut one_by_one) = (open(), open());
    let expected: Vec<_> = ops.iter().map(|op| one_by_one.ingest(NOW, op).unwrap()).collect();
    let all: Vec<Incoming<'_>> = ops.iter().map(Incoming::from).collect();
    let answers: Vec<_> = batch.ingest_batch(NOW, &all).unwrap().into_iter().map(Result::unwrap).collect();
    assert_eq!(answers, expected);
    assert!(matches!(answers[0], Outcome::Held { .. }));
    assert_eq!((batch.held(), one_by_one.held()), (0, 0));
}
