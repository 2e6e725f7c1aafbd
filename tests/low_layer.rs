//! The low layer without a replica: log, state, keys, error texts.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod common;

use std::cell::Cell;

use common::{NOW, crypto, delete, hex, key, knowing, set};
use policysync::codec::{BinaryFault, DecodeError, MAX_OP_BYTES};
use policysync::crypto::PublicKey;
use policysync::hlc::HlcError;
use policysync::keys::{VerifyError, derived_kid, sign_op, verify_op};
use policysync::op::{IdentifierError, Member, OpError, SignedOpRef};
use policysync::oplog::{AddError, Added};
use policysync::state::{Folded, Rule};
use policysync::value::JsonFault;
use policysync::{
    Hlc, Incoming, KeyRegistry, Op, OpHash, OpLog, Outcome, Replica, ReplicaOptions, SignedOp,
    SigningPublicKey, Value, WallMillis,
};

fn hash_of(op: &SignedOp) -> OpHash {
    verify_op(&crypto(), op, key(op.op().actor()).public_key()).unwrap().hash()
}

fn log_of(ops: &[SignedOp]) -> OpLog {
    let mut log = OpLog::new(crypto());
    for op in ops {
        let added = log.add(op, |op| verify_op(&crypto(), op, key(op.op().actor()).public_key()));
        assert!(matches!(added, Ok(Added::Appended { .. })));
    }
    log
}

#[test]
fn a_log_does_not_ask_the_guard_about_an_operation_of_another_space() {
    let op = Op::lww_set("alice", Hlc::new(NOW.0, 0).unwrap(), ("Task", "t1", "title"), "x").unwrap();
    let op = sign_op(&crypto(), op.in_space("home").unwrap(), &key("alice")).unwrap();
    let mut log = OpLog::new(crypto());
    let asked = Cell::new(false);
    let added = log.add(&op, |op| {
        asked.set(true);
        verify_op(&crypto(), op, key("alice").public_key())
    });
    assert_eq!((added, asked.get(), log.len()), (Err(AddError::OtherSpace), false, 0));
}

#[test]
fn a_digest_displays_the_number_of_operations() {
    // The SHA-256 of the empty message (FIPS 180-4).
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(OpLog::new(crypto()).digest().to_string(), format!("0 operations, {nothing}"));
    let op = set("alice", NOW.0, 0, "title", "x");
    let expected = crypto().hash(hash_of(&op).as_bytes());
    assert_eq!(log_of(&[op]).digest().to_string(), format!("1 operations, {expected}"));
}

#[test]
fn a_guard_that_returns_another_operation_adds_nothing() {
    let (asked, other) = (set("alice", NOW.0, 0, "title", "asked"), set("alice", NOW.0, 1, "title", "other"));
    let mut log = OpLog::new(crypto());
    let (alice, empty) = (key("alice"), log.digest());
    let added = log.add(&asked, |_| verify_op(&crypto(), &other, alice.public_key()));
    assert_eq!(added, Err(AddError::OtherOperation));
    assert_eq!(log.digest(), empty);
    assert!(matches!(
        log.add(&asked, |op| verify_op(&crypto(), op, alice.public_key())),
        Ok(Added::Appended { equivocates_with: None, .. })
    ));
}

#[test]
fn a_refused_operation_is_not_added_and_the_log_reports_equivocation() {
    let (one, two) = (set("alice", NOW.0, 0, "title", "one"), set("alice", NOW.0, 0, "title", "two"));
    let mut log = OpLog::new(crypto());
    let added = log.add(&one, |op| verify_op(&crypto(), op, key("bob").public_key()));
    assert!(matches!(added, Err(AddError::Verify(VerifyError::UnknownKey { .. }))));
    assert_eq!(log.len(), 0);
    let mut log = log_of(std::slice::from_ref(&one));
    let Ok(Added::Appended { equivocates_with, .. }) =
        log.add(&two, |op| verify_op(&crypto(), op, key("alice").public_key()))
    else {
        panic!("the second is an operation too")
    };
    assert_eq!(equivocates_with, Some(hash_of(&one)));
}

#[test]
fn a_folded_state_equals_that_of_a_replica() {
    let ops = [
        set("alice", NOW.0, 0, "title", "x"),
        set("bob", NOW.0, 1, "title", "y"),
        set("alice", NOW.0, 2, "notes", "z"),
        delete("bob", NOW.0, 3, "notes"),
    ];
    let mut replica = Replica::open(knowing(&["alice", "bob"])).unwrap();
    for op in &ops {
        replica.ingest(NOW, op).unwrap();
    }
    let log = log_of(&ops);
    assert_eq!((log.is_empty(), log.len()), (false, 4));
    let state = Folded::of(&log, NOW);
    assert_eq!(state.entity("Task", "t1").unwrap().as_deref(), Some(r#"{"title":"y"}"#));
    assert_eq!(state.entity("Task", "t1").unwrap(), replica.entity("Task", "t1").unwrap());
    assert_eq!(state.entity("Task", "t2").unwrap(), None);
    assert_eq!(state.entities("Task"), ["t1"]);
    assert!(state.entities("Other").is_empty());
    assert_eq!(state.get(("Task", "t1", "title")).unwrap(), Some(Value::from("y")));
    assert_eq!(state.get(("Task", "t1", "notes")).unwrap(), None);
    assert_eq!(
        state.history(("Task", "t1", "title")).unwrap(),
        replica.history(("Task", "t1", "title")).unwrap()
    );
    assert_eq!(state.digest(crypto()), replica.state_digest());
    // Before any operation is due.
    let before = Folded::of(&log, WallMillis(NOW.0 - 1));
    assert!(before.entities("Task").is_empty());
    assert_ne!(before.digest(crypto()), state.digest(crypto()));
}

#[test]
fn a_registry_is_empty_until_a_key_is_registered() {
    let mut keys = KeyRegistry::default();
    assert_eq!((keys.is_empty(), keys.len(), keys.iter().next()), (true, 0, None));
    for _ in 0..2 {
        keys.register(key("alice").public_key().clone()).unwrap();
        assert_eq!((keys.is_empty(), keys.len()), (false, 1));
    }
    assert_eq!(keys.iter().next(), Some(key("alice").public_key()));
}

/// Enough keys that a table which compared only a part of a name would find a wrong one.
#[test]
fn a_key_is_found_only_by_its_own_actor_and_kid() {
    let public_key = *key("alice").public_key().public_key();
    let mut keys = KeyRegistry::new();
    for number in 0..500 {
        let (actor, kid) = (format!("actor{}", number % 2), format!("kid{number}"));
        keys.register(SigningPublicKey::with_kid(&actor, &kid, public_key).unwrap()).unwrap();
    }
    for number in 0..1000 {
        for actor in ["actor0", "actor1", "other"] {
            let (kid, here) =
                (format!("kid{number}"), number < 500 && actor == format!("actor{}", number % 2));
            let found = keys.find(actor, &kid).map(|key| (key.actor(), key.kid()));
            assert_eq!(found, here.then_some((actor, kid.as_str())));
        }
    }
}

/// The expected kid was computed with Python's hashlib and base64.
#[test]
fn a_kid_is_the_documented_hash_of_its_key() {
    // RFC 8032, section 7.1, TEST 1
    let bytes = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    let public_key = PublicKey::from_bytes(bytes.first_chunk().unwrap()).unwrap();
    assert_eq!(derived_kid(&public_key), "vsKWFkc9tYJA1akv01cPtA");
    assert_eq!(SigningPublicKey::new("alice", public_key).unwrap().kid(), derived_kid(&public_key));
}

#[test]
fn a_key_verifies_only_with_the_kid_and_the_actor_of_the_operation() {
    let (op, alice) = (set("alice", NOW.0, 0, "title", "x"), key("alice"));
    let (kid, public_key) = (alice.public_key().kid(), *alice.public_key().public_key());
    let with = |actor, kid| SigningPublicKey::with_kid(actor, kid, public_key).unwrap();
    assert!(verify_op(&crypto(), &op, &with("alice", kid)).is_ok());
    for wrong in [with("alice", "another"), with("bob", kid)] {
        let error = verify_op(&crypto(), &op, &wrong).unwrap_err();
        assert!(matches!(error, VerifyError::UnknownKey { .. }), "{error}");
    }
    assert_eq!(
        verify_op(
            &crypto(),
            &op,
            &SigningPublicKey::with_kid("alice", kid, *key("bob").public_key().public_key()).unwrap()
        )
        .unwrap_err(),
        VerifyError::BadSignature
    );
}

#[test]
fn debug_output_of_a_replica_and_a_key_contains_no_secret() {
    let alice = key("alice");
    let shown = format!("{alice:?}");
    assert!(shown.starts_with("SigningSecretKey { public: SigningPublicKey { actor: \"alice\""), "{shown}");
    assert!(shown.ends_with(", .. }") && !shown.contains("pair"), "{shown}");
    let mut replica = Replica::open(ReplicaOptions::default().write_as(alice)).unwrap();
    let op = replica.set(NOW, ("Task", "t1", "title"), "private").unwrap();
    let shown = format!("{replica:?}");
    assert!(shown.contains("actor: Some(\"alice\")"), "{shown}");
    assert!(
        shown.contains("log: OpLog { space: None, len: 1, .. }") && !shown.contains("private"),
        "{shown}"
    );
    let hash = hash_of(&op);
    assert_eq!(format!("{hash:?}"), format!("OpHash({hash})"));
}

#[test]
fn incoming_converts_from_every_type_of_bytes() {
    let op = set("alice", NOW.0, 0, "title", "x");
    let mut replica = Replica::open(knowing(&["alice"])).unwrap();
    let (binary, json) = (op.to_binary(), op.to_json());
    assert!(matches!(replica.ingest(NOW, &binary), Ok(Outcome::Appended { .. })));
    assert!(matches!(replica.ingest(NOW, &json), Ok(Outcome::Duplicate { .. })));
    assert!(matches!(Incoming::from(b"{}"), Incoming::Json(b"{}")));
    assert!(matches!(Incoming::from(b"\x01"), Incoming::Binary(b"\x01")));
}

#[test]
fn each_rule_displays_why_an_operation_won() {
    let shown = [Rule::Time, Rule::Counter, Rule::Actor, Rule::Hash].map(|rule| rule.to_string());
    assert_eq!(
        shown,
        [
            "its time is later",
            "the times are equal and its counter is higher",
            "the timestamps are equal and its actor is greater",
            "one actor wrote both at one time and its hash is greater"
        ]
    );
}

#[test]
fn an_error_of_an_operation_names_its_member() {
    let ts = Hlc::new(NOW.0, 0).unwrap();
    let error = Op::lww_set("alice", ts, ("Task", "", "title"), "x").unwrap_err();
    assert_eq!(error.member(), Some(Member::EntityId));
    assert!(matches!(error, OpError::Identifier(IdentifierError { .. })));
    let range = Hlc::new(u64::MAX, 0).unwrap_err();
    assert!(matches!(range, HlcError::TimeOutOfRange { .. }), "{range:?}");
    assert_eq!(OpError::from(range).member(), Some(Member::Ts));
    assert_eq!(OpError::DeleteWithValue.member(), Some(Member::Value));
    assert_eq!(OpError::TooLarge { len: MAX_OP_BYTES + 1, limit: MAX_OP_BYTES }.member(), None);
}

/// Returns the binary form of `op` with one text replaced by another of the same length.
fn with(op: &SignedOp, from: &str, to: &str) -> Vec<u8> {
    let mut bytes = op.to_binary();
    let at = bytes.windows(from.len()).position(|part| part == from.as_bytes()).unwrap();
    bytes.splice(at..at + from.len(), to.bytes());
    bytes
}

#[test]
fn a_binary_form_that_is_not_canonical_is_refused_by_that_rule() {
    let op = Op::lww_set("alice", Hlc::new(NOW.0, 7).unwrap(), ("Task", "t1", "title"), "x").unwrap();
    let default_id = op.id().into_owned();
    let label = default_id.replacen('a', "b", 1);
    let labelled = sign_op(&crypto(), op.labelled(&label).unwrap(), &key("alice")).unwrap();
    let error = SignedOpRef::from_binary(&with(&labelled, &label, &default_id)).unwrap_err();
    assert_eq!(error, DecodeError::from(BinaryFault::DefaultLabel));
    assert_eq!(error.rule(), "not-canonical");

    let array = set("alice", NOW.0, 0, "title", Value::parse("[10]").unwrap());
    let error = SignedOpRef::from_binary(&with(&array, "[10]", "[1 ]")).unwrap_err();
    assert!(
        matches!(&error, DecodeError::Json(json) if *json.fault() == JsonFault::NotCanonical),
        "{error:?}"
    );
    assert_eq!(error.rule(), "not-canonical");
}

#[test]
fn a_binary_form_past_the_limit_is_refused_before_decoding() {
    let fault = |len| SignedOpRef::from_binary(&vec![0xff; len]).unwrap_err();
    let too_large = |len| DecodeError::TooLarge { len, limit: MAX_OP_BYTES };
    assert_eq!(fault(MAX_OP_BYTES), DecodeError::from(BinaryFault::Version { found: 0xff }));
    for len in [MAX_OP_BYTES + 1, MAX_OP_BYTES + 2] {
        assert_eq!(fault(len), too_large(len));
    }
}

struct Unwilling;

impl serde::Serialize for Unwilling {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("not today"))
    }
}

#[test]
fn a_value_that_is_not_json_is_refused_with_its_rule() {
    let error = Value::from_serde(&f64::NAN).unwrap_err();
    assert_eq!(error.fault(), &JsonFault::NotFinite);
    assert_eq!(DecodeError::from(error).rule(), "not-finite");
    let error = Value::from_serde(&Unwilling).unwrap_err();
    assert!(error.to_string().contains("not today"), "{error}");
    assert_eq!(DecodeError::from(error).rule(), "unserializable");
    let value = Value::try_from(serde_json::json!({"b": 1, "a": [true]})).unwrap();
    assert_eq!(value.as_str(), r#"{"a":[true],"b":1}"#);
    assert!(Value::try_from(serde_json::json!(u64::MAX)).is_err());
    assert_eq!(Value::from(&String::from("text")), Value::from("text"));
}
