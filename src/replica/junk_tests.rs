//! What junk can make a replica do: how many signatures it verifies. Memory is counted in `tests/resources.rs`, time in
//! `benches/figures`.

use crate::crypto::{KeyPair, Signature, VERIFICATIONS};
use crate::hlc::{Hlc, WallMillis};
use crate::keys::{SigningSecretKey, derived_kid};
use crate::op::{Op, SignedOp};
use crate::replica::{Incoming, OpRefusal, Outcome, Replica, ReplicaOptions};

const NOW: WallMillis = WallMillis(1_760_000_000_000);
const BATCH: u32 = 250;

fn alice() -> SigningSecretKey {
    SigningSecretKey::new("alice", KeyPair::from_seed(&[7; 32]).unwrap()).unwrap()
}

fn op(actor: &str, n: u32) -> Op {
    Op::lww_set(actor, Hlc::new(NOW.0, n).unwrap(), "Task", "t1", "title", f64::from(n).to_string()).unwrap()
}

fn under(op: Op, kid: &str, signature: [u8; 64]) -> SignedOp {
    SignedOp::new(op, kid, Signature::from_bytes(signature)).unwrap()
}

/// Offers what `junk` makes, one at a time and in a batch, in both forms; returns the answers, and how many signatures
/// were verified. The replica knows alice, and holds one operation of hers.
fn offer(junk: impl Fn(u32) -> SignedOp) -> (Vec<Result<Outcome, OpRefusal>>, u64) {
    let mut replica = Replica::open(ReplicaOptions::new().write_as(alice())).unwrap();
    replica.set(NOW, "Task", "t1", "title", "x").unwrap();
    let before = (VERIFICATIONS.get(), replica.log().digest());
    let mut answers = Vec::new();
    for n in 0..BATCH {
        let bytes = junk(n).to_binary();
        answers.append(&mut replica.ingest_batch(NOW, &[Incoming::Binary(&bytes)]).unwrap());
    }
    let texts: Vec<String> = (0..BATCH).map(|n| junk(n).to_json()).collect();
    let batch: Vec<Incoming<'_>> = texts.iter().map(|text| Incoming::Json(text.as_bytes())).collect();
    answers.append(&mut replica.ingest_batch(NOW, &batch).unwrap());
    assert_eq!(replica.log().digest(), before.1, "junk got in");
    (answers, VERIFICATIONS.get() - before.0)
}

#[test]
fn what_names_an_unknown_key_is_not_verified() {
    let kid = derived_kid(alice().public_key().public_key());
    for (actor, kid) in [("mallory", kid.as_str()), ("alice", "another"), ("Alice", kid.as_str())] {
        let (answers, verified) = offer(|n| under(op(actor, n), kid, [7; 64]));
        assert!(answers.iter().all(|answer| matches!(answer, Err(OpRefusal::UnknownKey { .. }))));
        assert_eq!((answers.len(), verified), (500, 0));
    }
}

#[test]
fn what_belongs_elsewhere_is_not_verified() {
    let kid = derived_kid(alice().public_key().public_key());
    let (answers, verified) = offer(|n| under(op("alice", n).in_space("other").unwrap(), &kid, [7; 64]));
    assert!(answers.iter().all(|answer| matches!(answer, Err(OpRefusal::WrongSpace { .. }))));
    assert_eq!(verified, 0);
    let (answers, verified) = offer(|n| under(op("alice", n).labelled("mine").unwrap(), &kid, [7; 64]));
    assert!(answers.iter().all(|answer| matches!(answer, Err(OpRefusal::Malformed(_)))));
    assert_eq!(verified, 0);
}

#[test]
fn what_is_in_the_log_is_not_verified_again() {
    let mut writer = Replica::open(ReplicaOptions::new().write_as(alice())).unwrap();
    let known = writer.set(NOW, "Task", "t1", "title", "x").unwrap();
    // Under any signature, and any kid: neither is in its hash.
    for signature in [*known.signature().as_bytes(), [7; 64]] {
        let (answers, verified) = offer(|_| under(known.op().clone(), known.kid(), signature));
        assert!(answers.iter().all(|answer| matches!(answer, Ok(Outcome::Duplicate { .. }))));
        assert_eq!((answers.len(), verified), (500, 0));
    }
}

/// Nothing else could tell that it is not alice's; libsodium refuses this one before it does arithmetic on the curve.
#[test]
fn a_signature_whose_s_is_not_canonical_is_asked_about_once() {
    let kid = derived_kid(alice().public_key().public_key());
    let (answers, verified) = offer(|n| under(op("alice", n), &kid, [0xff; 64]));
    assert!(answers.iter().all(|answer| matches!(answer, Err(OpRefusal::BadSignature))));
    assert_eq!((answers.len(), verified), (500, 500));
}

#[test]
fn bytes_that_are_no_operation_are_not_verified() {
    let mut replica = Replica::open(ReplicaOptions::new().write_as(alice())).unwrap();
    let good = under(op("alice", 0), &derived_kid(alice().public_key().public_key()), [7; 64]);
    let before = VERIFICATIONS.get();
    for bytes in [good.to_binary(), good.to_json().into_bytes()] {
        for len in 0..bytes.len() {
            let answer = replica.ingest_batch(NOW, &[Incoming::from(&bytes[..len])]).unwrap().remove(0);
            assert!(matches!(answer, Err(OpRefusal::Malformed(_))), "{answer:?}");
        }
    }
    assert_eq!(VERIFICATIONS.get(), before);
}
