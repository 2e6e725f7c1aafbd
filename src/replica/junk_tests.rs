//! Tests of the work that junk makes a replica do.
//!
//! Memory is counted in `tests/resources.rs`, time in `benches/figures`.

use crate::codec::SIGNED_TEXTS;
use crate::crypto::{KeyPair, Signature, VERIFICATIONS};
use crate::hlc::{Hlc, WallMillis};
use crate::keys::{SigningSecretKey, derived_kid};
use crate::op::{Op, SignedOp};
use crate::replica::verify::LastAuthor;
use crate::replica::{Incoming, OpRefusal, Outcome, Replica, ReplicaOptions};

const NOW: WallMillis = WallMillis(1_760_000_000_000);
const BATCH: u32 = 250;

fn alice() -> SigningSecretKey {
    SigningSecretKey::new("alice", KeyPair::from_seed(&[7; 32]).unwrap()).unwrap()
}

fn op(actor: &str, n: u32) -> Op {
    Op::lww_set(actor, Hlc::new(NOW.0, n).unwrap(), ("Task", "t1", "title"), f64::from(n).to_string())
        .unwrap()
}

fn under(op: Op, kid: &str, signature: [u8; 64]) -> SignedOp {
    SignedOp::new(op, kid, Signature::from_bytes(signature)).unwrap()
}

/// Ingests the operations that `junk` makes, one at a time and in a batch, in both forms. Returns the results and the
/// number of verified signatures. The replica knows alice and has one operation of hers.
fn ingest_junk(junk: impl Fn(u32) -> SignedOp) -> (Vec<Result<Outcome, OpRefusal>>, u64) {
    let mut replica = Replica::open(ReplicaOptions::new().write_as(alice())).unwrap();
    replica.set(NOW, ("Task", "t1", "title"), "x").unwrap();
    let before = (VERIFICATIONS.get(), replica.log().digest());
    let mut results = Vec::new();
    for n in 0..BATCH {
        let bytes = junk(n).to_binary();
        results.append(&mut replica.ingest_batch(NOW, &[Incoming::Binary(&bytes)]).unwrap());
    }
    let texts: Vec<String> = (0..BATCH).map(|n| junk(n).to_json()).collect();
    let batch: Vec<Incoming<'_>> = texts.iter().map(|text| Incoming::Json(text.as_bytes())).collect();
    results.append(&mut replica.ingest_batch(NOW, &batch).unwrap());
    assert_eq!(replica.log().digest(), before.1, "junk got in");
    (results, VERIFICATIONS.get() - before.0)
}

#[test]
fn an_operation_with_an_unknown_key_is_not_verified() {
    let kid = derived_kid(alice().public_key().public_key());
    for (actor, kid) in [("mallory", kid.as_str()), ("alice", "another"), ("Alice", kid.as_str())] {
        let (results, verified) = ingest_junk(|n| under(op(actor, n), kid, [7; 64]));
        assert!(results.iter().all(|result| matches!(result, Err(OpRefusal::UnknownKey { .. }))));
        assert_eq!((results.len(), verified), (500, 0));
    }
}

/// Names of 1 KiB would make the text of an operation expensive, and a message can use a name many times.
#[test]
fn no_text_is_built_of_an_operation_with_an_unknown_key() {
    let kid = derived_kid(alice().public_key().public_key());
    let long = "x".repeat(1000);
    for (actor, kid) in [("mallory", kid.as_str()), ("alice", "another"), (&long, &long)] {
        let ops: Vec<SignedOp> = (0..BATCH).map(|n| under(op(actor, n), kid, [7; 64])).collect();
        let batch: Vec<Incoming<'_>> = ops.iter().map(|op| Incoming::View(op.as_ref())).collect();
        let mut replica = Replica::open(ReplicaOptions::new().write_as(alice())).unwrap();
        let before = SIGNED_TEXTS.get();
        let results = replica.ingest_batch(NOW, &batch).unwrap();
        assert!(results.iter().all(|result| matches!(result, Err(OpRefusal::UnknownKey { .. }))));
        assert_eq!(SIGNED_TEXTS.get(), before);
    }
}

/// Operations whose names lie at the same addresses are looked up once.
#[test]
fn an_author_at_the_same_addresses_is_the_same_and_another_is_not() {
    let mut last = LastAuthor::default();
    let looked_up = std::cell::Cell::new(0);
    let mut is_known = |author| {
        last.is_known(author, |(actor, kid)| {
            looked_up.set(looked_up.get() + 1);
            (actor, kid) == ("alice", "k")
        })
    };
    let names = "alicekk2";
    let (alice, kid, other) = (&names[..5], &names[5..6], &names[5..]);
    assert!(is_known((alice, kid)) && is_known((alice, kid)));
    assert_eq!(looked_up.get(), 1);
    // Longer, at the same address; then another actor; then the first again.
    assert!(!is_known((alice, other)) && !is_known((&alice[..4], other)) && is_known((alice, kid)));
    assert_eq!(looked_up.get(), 4);
}

#[test]
fn an_operation_with_another_space_or_label_is_not_verified() {
    let kid = derived_kid(alice().public_key().public_key());
    let (results, verified) =
        ingest_junk(|n| under(op("alice", n).in_space("other").unwrap(), &kid, [7; 64]));
    assert!(results.iter().all(|result| matches!(result, Err(OpRefusal::WrongSpace { .. }))));
    assert_eq!(verified, 0);
    let (results, verified) = ingest_junk(|n| under(op("alice", n).labelled("mine").unwrap(), &kid, [7; 64]));
    assert!(results.iter().all(|result| matches!(result, Err(OpRefusal::Malformed(_)))));
    assert_eq!(verified, 0);
}

#[test]
fn a_duplicate_is_not_verified_again() {
    let mut writer = Replica::open(ReplicaOptions::new().write_as(alice())).unwrap();
    let known = writer.set(NOW, ("Task", "t1", "title"), "x").unwrap();
    // Neither the signature nor the kid is part of the hash.
    for signature in [*known.signature().as_bytes(), [7; 64]] {
        let (results, verified) = ingest_junk(|_| under(known.op().clone(), known.kid(), signature));
        assert!(results.iter().all(|result| matches!(result, Ok(Outcome::Duplicate { .. }))));
        assert_eq!((results.len(), verified), (500, 0));
    }
}

/// libsodium refuses such a signature before it does arithmetic on the curve.
#[test]
fn a_signature_with_an_s_that_is_not_canonical_is_verified_once() {
    let kid = derived_kid(alice().public_key().public_key());
    let (results, verified) = ingest_junk(|n| under(op("alice", n), &kid, [0xff; 64]));
    assert!(results.iter().all(|result| matches!(result, Err(OpRefusal::BadSignature))));
    assert_eq!((results.len(), verified), (500, 500));
}

#[test]
fn bytes_that_are_not_an_operation_are_not_verified() {
    let mut replica = Replica::open(ReplicaOptions::new().write_as(alice())).unwrap();
    let good = under(op("alice", 0), &derived_kid(alice().public_key().public_key()), [7; 64]);
    let before = VERIFICATIONS.get();
    for bytes in [good.to_binary(), good.to_json().into_bytes()] {
        for len in 0..bytes.len() {
            let result = replica.ingest_batch(NOW, &[Incoming::from(&bytes[..len])]).unwrap().remove(0);
            assert!(matches!(result, Err(OpRefusal::Malformed(_))), "{result:?}");
        }
    }
    assert_eq!(VERIFICATIONS.get(), before);
}
