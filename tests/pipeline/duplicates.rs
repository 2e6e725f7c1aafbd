//! Tests of duplicates and of forged copies.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use policysync::{Incoming, OpRefusal, Outcome, Replica, Value};

use super::common::{NOW, Random, knowing, reader, set};
use super::guard::stopping;
use super::{appended, forged, hash_of, seen, with_signature};

#[test]
fn a_thousand_replays_are_duplicates_whatever_their_signature_says() {
    let asked = Arc::new(AtomicUsize::new(0));
    let mut replica = Replica::open(knowing(&["alice"]).guard(stopping(&asked))).unwrap();
    let op = set("alice", NOW.0, 0, "title", "x");
    let (hash, _) = appended(replica.ingest(NOW, &op).unwrap());
    let before = seen(&replica);
    let mut random = Random(1);
    let mut replays = 0;
    for _ in 0..1000 {
        // If the signature were checked, the operation would be refused.
        let mut bytes = [0; 64];
        bytes.fill_with(|| random.next().to_le_bytes()[0]);
        let replay = with_signature(&op, bytes);
        assert_eq!(replica.ingest(NOW, &replay), Ok(Outcome::Duplicate { hash }));
        replays += 1;
    }
    assert_eq!((replays, asked.load(Ordering::Relaxed)), (1000, 1));
    assert_eq!(seen(&replica), before);
    // The log still has the verified copy.
    assert_eq!(replica.log().get(&hash).unwrap(), Some(op));
}

#[test]
fn every_spelling_of_one_operation_is_the_same_operation() {
    let op = set("alice", NOW.0, 0, "title", Value::parse("{\"a\":1,\"é\":[true]}").unwrap());
    let mut replica = reader(&["alice"]);
    let (hash, _) = appended(replica.ingest(NOW, op.to_binary().as_slice()).unwrap());
    let json = op.to_json();
    let spaced =
        json.replace(':', " : ").replace("alice : ", "alice:").replace("1760000000000 : ", "1760000000000:");
    let escaped =
        json.replace("\"title\"", "\"\\u0074itl\\u0065\"").replace('é', "\\u00E9").replace(":1,", ":1.0e0,");
    assert!(spaced != json && escaped != json);
    for text in [&json, &spaced, &escaped] {
        assert_eq!(replica.ingest(NOW, text.as_str()), Ok(Outcome::Duplicate { hash }), "{text}");
    }
}

#[test]
fn a_forged_copy_does_not_shadow_the_genuine_operation() {
    let genuine = set("alice", NOW.0, 0, "title", "x");
    let (a, b) = (forged(&genuine), with_signature(&genuine, [0xff; 64]));
    let hash = hash_of(&genuine);

    let mut replica = reader(&["alice"]);
    for copy in [&a, &b, &a] {
        assert_eq!(replica.ingest(NOW, copy), Err(OpRefusal::BadSignature.into()));
    }
    appended(replica.ingest(NOW, &genuine).unwrap());
    assert_eq!(replica.ingest(NOW, &a), Ok(Outcome::Duplicate { hash }));

    // Within one batch: the genuine copy at each position among several forged copies.
    let mut batches = 0;
    for copies in [vec![&a], vec![&a, &b], vec![&a, &b, &a, &b]] {
        for place in 0..=copies.len() {
            let mut batch = copies.clone();
            batch.insert(place, &genuine);
            let mut replica = reader(&["alice"]);
            let batch: Vec<Incoming<'_>> = batch.into_iter().map(Incoming::from).collect();
            let outcomes = replica.ingest_batch(NOW, &batch).unwrap();
            for (at, outcome) in outcomes.iter().enumerate() {
                match at.cmp(&place) {
                    std::cmp::Ordering::Less => assert_eq!(*outcome, Err(OpRefusal::BadSignature)),
                    std::cmp::Ordering::Equal => assert_eq!(appended(outcome.clone().unwrap()).0, hash),
                    std::cmp::Ordering::Greater => assert_eq!(*outcome, Ok(Outcome::Duplicate { hash })),
                }
            }
            assert_eq!(replica.log().get(&hash).unwrap().as_ref(), Some(&genuine));
            assert_eq!(replica.log().len(), 1);
            batches += 1;
        }
    }
    assert_eq!(batches, 10);
}
