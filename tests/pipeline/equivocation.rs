//! Tests of equivocation: one actor, two operations with one timestamp.

use std::collections::BTreeMap;

use policysync::crypto::KeyPair;
use policysync::keys::{VerifyError, sign_op};
use policysync::oplog::ForkError;
use policysync::{ForkProof, Hlc, KeyRegistry, Op, OpHash, Outcome, SignedOp, SigningSecretKey};

use super::common::{NOW, Random, crypto, key, reader, set};
use super::{DRIFT, appended, forged, hash_of, text};

#[test]
fn both_sides_of_an_equivocation_are_kept_and_reported() {
    let (x, y) = (set("alice", NOW.0, 0, "title", "x"), set("alice", NOW.0, 0, "notes", "y"));
    let bobs = set("bob", NOW.0, 0, "title", "no equivocation: another actor");
    let mut proofs = Vec::new();
    for (first, second) in [(&x, &y), (&y, &x)] {
        let mut replica = reader(&["alice", "bob"]);
        appended(replica.ingest(NOW, &bobs).unwrap());
        for (op, with) in [(first, None), (second, Some(hash_of(first)))] {
            match replica.ingest(NOW, op).unwrap() {
                Outcome::Appended { equivocates_with, .. } => assert_eq!(equivocates_with, with),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(replica.log().len(), 3);
        assert_eq!(replica.get("Task", "t1", "notes").unwrap(), text("y"));
        let forks = replica.log().forks().unwrap();
        assert_eq!(forks.len(), 1);
        assert_eq!(forks[0].check(&crypto(), replica.keys()), Ok(()));
        proofs.push(forks);
    }
    assert_eq!(proofs[0], proofs[1]);
    assert!(hash_of(proofs[0][0].first()) < hash_of(proofs[0][0].second()));
}

/// Each run draws from the operations of two actors with three timestamps and three values.
#[test]
fn a_fork_is_proved_once_for_each_actor_and_time_and_by_its_first_two_operations() {
    let mut random = Random(17);
    for _ in 0..100 {
        let mut replica = reader(&["alice", "bob"]);
        let mut expected: BTreeMap<(u64, &str), Vec<OpHash>> = BTreeMap::new();
        for number in 0..18_u64 {
            let (actor, at, value) = (["alice", "bob"][number as usize % 2], number / 2 % 3, number / 6);
            if random.below(2) == 0 {
                let op = set(actor, NOW.0 + at, 0, "title", value.to_string());
                expected.entry((at, actor)).or_default().push(appended(replica.ingest(NOW, &op).unwrap()).0);
            }
        }
        let proved = replica.log().forks().unwrap();
        let proved: Vec<[OpHash; 2]> =
            proved.iter().map(|fork| [hash_of(fork.first()), hash_of(fork.second())]).collect();
        let expected: Vec<[OpHash; 2]> = expected
            .into_values()
            .filter_map(|mut hashes| {
                hashes.sort_unstable();
                hashes.first_chunk().copied()
            })
            .collect();
        assert_eq!(proved, expected);
    }
}

#[test]
fn an_equivocation_among_held_operations_is_reported_too() {
    let ops = ["x", "y", "z"].map(|value| set("alice", NOW.0 + DRIFT + 1, 0, "title", value));
    let mut replica = reader(&["alice"]);
    let mut reported = 0;
    for op in &ops {
        match replica.ingest(NOW, op).unwrap() {
            Outcome::Held { equivocates_with, .. } => reported += usize::from(equivocates_with.is_some()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(reported, 2);
    assert_eq!(replica.log().forks().unwrap().len(), 1);
}

#[test]
fn operations_under_two_keys_of_one_actor_equivocate_too() {
    let second = SigningSecretKey::new("alice", KeyPair::from_seed(&[2; 32]).unwrap()).unwrap();
    let mut replica = reader(&["alice"]);
    replica.keys_mut().register(second.public_key().clone()).unwrap();
    let op = Op::lww_set("alice", Hlc::new(NOW.0, 0).unwrap(), "Task", "t1", "notes", "y").unwrap();
    let y = sign_op(&crypto(), op, &second).unwrap();
    let (x, _) = appended(replica.ingest(NOW, &set("alice", NOW.0, 0, "title", "x")).unwrap());
    assert!(matches!(
        replica.ingest(NOW, &y),
        Ok(Outcome::Appended { equivocates_with: Some(other), .. }) if other == x
    ));
    let forks = replica.log().forks().unwrap();
    assert_eq!(forks.len(), 1);
    assert_eq!(forks[0].check(&crypto(), replica.keys()), Ok(()));
}

#[test]
fn a_fork_proof_that_proves_nothing_is_refused() {
    let keys = || {
        let mut keys = KeyRegistry::new();
        for actor in ["alice", "bob"] {
            keys.register(key(actor).public_key().clone()).unwrap();
        }
        keys
    };
    let check = |a: &SignedOp, b: &SignedOp| ForkProof::new(a.clone(), b.clone()).check(&crypto(), &keys());
    let x = set("alice", NOW.0, 0, "title", "x");
    let y = set("alice", NOW.0, 0, "title", "y");
    assert_eq!(check(&x, &y), Ok(()));
    assert_eq!(check(&x, &set("bob", NOW.0, 0, "title", "y")), Err(ForkError::Unrelated));
    assert_eq!(check(&x, &set("alice", NOW.0, 1, "title", "y")), Err(ForkError::Unrelated));
    assert_eq!(check(&x, &set("alice", NOW.0 + 1, 0, "title", "y")), Err(ForkError::Unrelated));
    assert_eq!(check(&x, &x), Err(ForkError::SameOperation));
    assert_eq!(check(&x, &forged(&x)), Err(ForkError::SameOperation));
    assert_eq!(check(&x, &forged(&y)), Err(ForkError::Verify(VerifyError::BadSignature)));
    assert_eq!(check(&forged(&x), &y), Err(ForkError::Verify(VerifyError::BadSignature)));
    let strangers = [0, 1].map(|n| set("mallory", NOW.0, 0, "title", n.to_string()));
    assert!(matches!(
        check(&strangers[0], &strangers[1]),
        Err(ForkError::Verify(VerifyError::UnknownKey { .. }))
    ));
}

#[test]
fn fork_proofs_are_equal_when_they_are_of_the_same_operations() {
    let [x, y, z] = ["x", "y", "z"].map(|value| set("alice", NOW.0, 0, "title", value));
    let proof = |first: &SignedOp, second: &SignedOp| ForkProof::new(first.clone(), second.clone());
    assert_eq!(proof(&x, &y), proof(&forged(&x), &y));
    for other in [proof(&x, &z), proof(&z, &y), proof(&y, &x)] {
        assert_ne!(proof(&x, &y), other);
    }
}
