//! Tests of refusals: the reason, and that the replica is unchanged.

use policysync::codec::DecodeError;
use policysync::crypto::KeyPair;
use policysync::keys::sign_op;
use policysync::replica::Labels;
use policysync::{
    Hlc, Incoming, IngestError, KeyRegistry, Op, OpHash, OpRefusal, Outcome, Replica, ReplicaOptions,
    SignedOp, SigningPublicKey, SigningSecretKey, Value,
};

use super::common::{NOW, crypto, key, knowing, reader, set};
use super::{appended, forged, seen};

/// Ingests an operation in each form, and returns the reason for which it is refused. The replica must not change.
pub fn refusal(mut replica: Replica, op: &SignedOp) -> OpRefusal {
    replica.ingest(NOW, &set("alice", NOW.0, 77, "other", "before")).unwrap_or_else(|error| {
        // A replica of another space refuses this one too, and stays empty.
        assert!(matches!(error, IngestError::Refused(_)), "{error}");
        Outcome::Duplicate { hash: OpHash::from_bytes([0; 32]) }
    });
    let before = seen(&replica);
    let (json, binary) = (op.to_json(), op.to_binary());
    let forms = [Incoming::from(op), Incoming::from(json.as_str()), Incoming::from(binary.as_slice())];
    let refusals = forms.map(|form| match replica.ingest(NOW, form) {
        Err(IngestError::Refused(refused)) => refused,
        other => panic!("{other:?}"),
    });
    assert_eq!(refusals[0], refusals[1]);
    assert_eq!(refusals[0], refusals[2]);
    assert_eq!(seen(&replica), before);
    assert!(!replica.log().iter().any(|entry| entry.unwrap().op.op() == op.op()));
    let [first, ..] = refusals;
    first
}

#[test]
fn bytes_that_are_not_an_operation_are_malformed_and_change_nothing() {
    let mut replica = reader(&["alice"]);
    replica.ingest(NOW, &set("alice", NOW.0, 0, "title", "x")).unwrap();
    let before = seen(&replica);
    let json = set("alice", NOW.0, 1, "title", "x").to_json();
    let cut = &json[..json.len() - 1];
    for bytes in [b"".as_slice(), b"{}", b"null", b"\x00", b"\x01", b"\xff", cut.as_bytes(), b"[1]"] {
        let error = replica.ingest(NOW, bytes).unwrap_err();
        assert!(matches!(error, IngestError::Refused(OpRefusal::Malformed(_))), "{error:?}");
    }
    assert_eq!(seen(&replica), before);
}

#[test]
fn a_custom_label_is_an_id_mismatch_unless_the_replica_accepts_any() {
    let op = Op::lww_set("alice", Hlc::new(NOW.0, 0).unwrap(), "Task", "t1", "title", "x").unwrap();
    let op = sign_op(&crypto(), op.labelled("alice:1").unwrap(), &key("alice")).unwrap();
    assert!(matches!(refusal(reader(&["alice"]), &op), OpRefusal::Malformed(DecodeError::IdMismatch { .. })));

    let mut replica = Replica::open(knowing(&["alice"]).labels(Labels::Any)).unwrap();
    let (hash, _) = appended(replica.ingest(NOW, op.to_json().as_str()).unwrap());
    let kept = replica.log().get(&hash).unwrap().unwrap();
    assert_eq!(kept, op);
    assert_eq!(kept.op().id(), "alice:1");
    // The same content with the default label is another operation, and is ingested too.
    let plain = set("alice", NOW.0, 0, "title", "x");
    assert!(matches!(
        replica.ingest(NOW, &plain).unwrap(),
        Outcome::Appended { equivocates_with: Some(other), .. } if other == hash
    ));
}

#[test]
fn two_actors_may_use_one_label() {
    let mut replica = Replica::open(knowing(&["alice", "bob"]).labels(Labels::Any)).unwrap();
    for actor in ["alice", "bob"] {
        let op = Op::lww_set(actor, Hlc::new(NOW.0, 0).unwrap(), "Task", "t1", actor, "x").unwrap();
        let op = sign_op(&crypto(), op.labelled("alice:1").unwrap(), &key(actor)).unwrap();
        appended(replica.ingest(NOW, &op).unwrap());
    }
    assert_eq!(replica.log().len(), 2);
}

pub fn in_space(space: &str) -> SignedOp {
    let op = Op::lww_set("alice", Hlc::new(NOW.0, 0).unwrap(), "Task", "t1", "title", "x").unwrap();
    sign_op(&crypto(), op.in_space(space).unwrap(), &key("alice")).unwrap()
}

#[test]
fn an_operation_of_another_space_is_refused() {
    let home = || Replica::open(knowing(&["alice"]).space("home")).unwrap();
    for (replica, op) in [
        (home(), set("alice", NOW.0, 0, "title", "x")),
        (home(), in_space("work")),
        (home(), in_space("Home")),
        (reader(&["alice"]), in_space("home")),
    ] {
        assert!(matches!(refusal(replica, &op), OpRefusal::WrongSpace { .. }));
    }
    appended(home().ingest(NOW, &in_space("home")).unwrap());
}

#[test]
fn removing_the_space_of_an_operation_breaks_its_signature() {
    let home = in_space("home");
    let bare = Op::lww_set("alice", Hlc::new(NOW.0, 0).unwrap(), "Task", "t1", "title", "x").unwrap();
    let moved = SignedOp::new(bare, home.kid(), *home.signature()).unwrap();
    assert_eq!(refusal(reader(&["alice"]), &moved), OpRefusal::BadSignature);
}

#[test]
fn an_actor_that_is_not_registered_is_an_unknown_key() {
    let op = set("mallory", NOW.0, 0, "title", "x");
    assert!(matches!(refusal(reader(&["alice"]), &op), OpRefusal::UnknownKey { .. }));
}

#[test]
fn another_actors_key_does_not_verify_for_alice() {
    // Bob's key is registered. He signs as alice under his own kid.
    let op = Op::lww_set("alice", Hlc::new(NOW.0, 0).unwrap(), "Task", "t1", "title", "x").unwrap();
    let pair = KeyPair::from_seed(&key("bob").key_pair().expose_seed()).unwrap();
    let bob_as_alice = SigningSecretKey::with_kid("alice", key("bob").public_key().kid(), pair).unwrap();
    let by_bob = sign_op(&crypto(), op, &bob_as_alice).unwrap();
    assert!(matches!(refusal(reader(&["alice", "bob"]), &by_bob), OpRefusal::UnknownKey { .. }));
    // Under alice's kid it is a bad signature.
    let under_alices_kid =
        SignedOp::new(by_bob.op().clone(), key("alice").public_key().kid(), *by_bob.signature()).unwrap();
    assert_eq!(refusal(reader(&["alice", "bob"]), &under_alices_kid), OpRefusal::BadSignature);
}

#[test]
fn one_kid_may_belong_to_two_actors_and_each_has_its_own_key() {
    let keys = ["alice", "bob"].map(|actor| {
        let pair = KeyPair::from_seed(&key(actor).key_pair().expose_seed()).unwrap();
        SigningSecretKey::with_kid(actor, "kid", pair).unwrap()
    });
    let mut replica = reader(&[]);
    for key in &keys {
        replica.keys_mut().register(key.public_key().clone()).unwrap();
    }
    let op =
        |actor: &str| Op::lww_set(actor, Hlc::new(NOW.0, 0).unwrap(), "Task", "t1", "title", "x").unwrap();
    let alices = sign_op(&crypto(), op("alice"), &keys[0]).unwrap();
    let bobs = sign_op(&crypto(), op("bob"), &keys[1]).unwrap();
    let swapped = SignedOp::new(op("alice"), "kid", *bobs.signature()).unwrap();
    assert_eq!(replica.ingest(NOW, &swapped), Err(OpRefusal::BadSignature.into()));
    appended(replica.ingest(NOW, &alices).unwrap());
    appended(replica.ingest(NOW, &bobs).unwrap());
}

#[test]
fn an_operation_is_ingested_once_its_key_is_registered() {
    let op = set("alice", NOW.0, 0, "title", "x");
    let mut replica = reader(&[]);
    assert!(matches!(replica.ingest(NOW, &op), Err(IngestError::Refused(OpRefusal::UnknownKey { .. }))));
    replica.keys_mut().register(key("alice").public_key().clone()).unwrap();
    appended(replica.ingest(NOW, &op).unwrap());
}

#[test]
fn every_changed_member_breaks_the_signature() {
    let genuine = set("alice", NOW.0, 5, "title", "x");
    let ts = |t, c| Hlc::new(t, c).unwrap();
    let now = ts(NOW.0, 5);
    let changed = [
        Op::lww_set("alice", ts(NOW.0 + 1, 5), "Task", "t1", "title", "x"),
        Op::lww_set("alice", ts(NOW.0, 6), "Task", "t1", "title", "x"),
        Op::lww_set("alice", now, "Tas", "kt1", "title", "x"),
        Op::lww_set("alice", now, "Task", "t2", "title", "x"),
        Op::lww_set("alice", now, "Task", "t1", "Title", "x"),
        Op::lww_set("alice", now, "Task", "t1", "title", "X"),
        Op::lww_set("alice", now, "Task", "t1", "title", Value::null()),
        Op::lww_delete("alice", now, "Task", "t1", "title"),
    ];
    for op in changed {
        let op = SignedOp::new(op.unwrap(), genuine.kid(), *genuine.signature()).unwrap();
        assert_eq!(refusal(reader(&["alice"]), &op), OpRefusal::BadSignature);
    }
    appended(reader(&["alice"]).ingest(NOW, &genuine).unwrap());
}

#[test]
fn an_operation_is_not_verified_by_another_key_of_the_same_actor() {
    let first = SigningSecretKey::with_kid("alice", "one", KeyPair::from_seed(&[1; 32]).unwrap()).unwrap();
    let second = SigningSecretKey::with_kid("alice", "two", KeyPair::from_seed(&[2; 32]).unwrap()).unwrap();
    let mut keys = KeyRegistry::new();
    keys.register(first.public_key().clone()).unwrap();
    keys.register(second.public_key().clone()).unwrap();
    let mut replica = Replica::open(ReplicaOptions::new().keys(keys)).unwrap();
    let op = Op::lww_set("alice", Hlc::new(NOW.0, 0).unwrap(), "Task", "t1", "title", "x").unwrap();
    let by_first = sign_op(&crypto(), op, &first).unwrap();
    let swapped = SignedOp::new(by_first.op().clone(), "two", *by_first.signature()).unwrap();
    assert_eq!(replica.ingest(NOW, &swapped), Err(OpRefusal::BadSignature.into()));
    appended(replica.ingest(NOW, &by_first).unwrap());
}

#[test]
fn a_relay_without_keys_still_refuses_malformed_bytes_and_other_spaces() {
    let mut relay = Replica::open(ReplicaOptions::new().dangerously_accept_unverified()).unwrap();
    appended(relay.ingest(NOW, &forged(&set("mallory", NOW.0, 0, "title", "x"))).unwrap());
    assert!(relay.ingest(NOW, b"{}".as_slice()).is_err());
    assert!(matches!(
        relay.ingest(NOW, &in_space("home")),
        Err(IngestError::Refused(OpRefusal::WrongSpace { .. }))
    ));
}

#[test]
fn registering_another_key_under_a_taken_kid_changes_nothing() {
    let mut keys = KeyRegistry::new();
    let [one, two] = [1, 2].map(|n| {
        let pair = KeyPair::from_seed(&[n; 32]).unwrap();
        SigningPublicKey::with_kid("alice", "kid", pair.public_key()).unwrap()
    });
    keys.register(one.clone()).unwrap();
    assert!(keys.register(two).is_err());
    keys.register(one.clone()).unwrap();
    assert_eq!(keys.len(), 1);
    assert_eq!(keys.find("alice", "kid"), Some(&one));
    assert_eq!(keys.find("alice", "Kid"), None);
}
