//! Tests of batches: the results are the same as one at a time, on one thread and on several.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use policysync::{Incoming, IngestError, OpRefusal, Outcome, Replica, ReplicaOptions};
use proptest::prelude::*;

use super::common::{NOW, delete, knowing, reader, set};
#[cfg(feature = "parallel")]
use super::common::{Random, many};
use super::guard::stopping;
use super::refusals::in_space;
use super::{DRIFT, forged, seen, with_signature};

/// Returns encoded operations, genuine and not, from which batches are drawn.
fn offers() -> Vec<Vec<u8>> {
    let mut offers = Vec::new();
    for (n, path) in ["title", "no", "notes", "a/b"].into_iter().enumerate() {
        let c = u32::try_from(n).unwrap();
        for (actor, t) in [("alice", NOW.0), ("bob", NOW.0), ("alice", NOW.0 + DRIFT + 1), ("mallory", NOW.0)]
        {
            let op = set(actor, t, c / 2, path, "x");
            let other = delete(actor, t, c / 2, path);
            offers.push(op.to_binary());
            offers.push(op.to_json().into_bytes());
            offers.push(forged(&op).to_binary());
            offers.push(with_signature(&op, [9; 64]).to_json().into_bytes());
            offers.push(other.to_binary());
        }
    }
    offers.push(in_space("home").to_binary());
    offers.extend([Vec::new(), vec![1, 2, 3], b"{}".to_vec(), vec![0xff; 10]]);
    let half = offers[0].len() / 2;
    offers.push(offers[0][..half].to_vec());
    offers
}

pub fn guarded(options: ReplicaOptions) -> Replica {
    Replica::open(options.guard(stopping(&Arc::new(AtomicUsize::new(0))))).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_batch_has_the_results_of_its_operations_one_at_a_time(
        numbers in prop::collection::vec(any::<prop::sample::Index>(), 1..60),
        cut in any::<prop::sample::Index>(),
    ) {
        let offers = offers();
        let batch: Vec<&[u8]> = numbers.iter().map(|number| number.get(&offers).as_slice()).collect();
        let mut one_at_a_time = guarded(knowing(&["alice", "bob"]));
        let expected: Vec<Result<Outcome, OpRefusal>> = batch
            .iter()
            .map(|bytes| one_at_a_time.ingest(NOW, *bytes).map_err(|error| match error {
                IngestError::Refused(refused) => refused,
                other => panic!("{other:?}"),
            }))
            .collect();

        for options in [vec![knowing(&["alice", "bob"])], with_threads()].into_iter().flatten() {
            // Two batches, so that the second meets the operations of the first.
            let (first, second) = batch.split_at(cut.index(batch.len()));
            let mut replica = guarded(options);
            let mut results = Vec::new();
            for part in [first, second] {
                let part: Vec<Incoming<'_>> = part.iter().map(|bytes| Incoming::from(*bytes)).collect();
                results.extend(replica.ingest_batch(NOW, &part).unwrap());
            }
            prop_assert_eq!(&results, &expected);
            prop_assert_eq!(seen(&replica), seen(&one_at_a_time));
            prop_assert_eq!(replica.log().forks().unwrap(), one_at_a_time.log().forks().unwrap());
            prop_assert_eq!(replica.poll(NOW).unwrap(), one_at_a_time_changes(&batch));
        }
    }
}

#[cfg(not(feature = "parallel"))]
fn with_threads() -> Vec<ReplicaOptions> {
    Vec::new()
}

#[cfg(feature = "parallel")]
fn with_threads() -> Vec<ReplicaOptions> {
    (1..=4).map(|threads| knowing(&["alice", "bob"]).threads(threads.try_into().unwrap())).collect()
}

fn one_at_a_time_changes(batch: &[&[u8]]) -> Vec<policysync::Change> {
    let mut replica = guarded(knowing(&["alice", "bob"]));
    for bytes in batch {
        drop(replica.ingest(NOW, *bytes));
    }
    replica.poll(NOW).unwrap()
}

/// The batch is large enough that each thread takes several groups.
#[cfg(feature = "parallel")]
#[test]
fn a_large_batch_has_the_same_results_on_several_threads() {
    let mut random = Random(3);
    let mut offers: Vec<Vec<u8>> = offers();
    for c in 0..2500 {
        let op = set("alice", NOW.0 - 1, c, &format!("note/{}", c % 11), "x");
        offers.push(if c % 7 == 0 { forged(&op) } else { op }.to_binary());
    }
    let copies: Vec<Vec<u8>> = (0..300).map(|_| offers[random.below(offers.len())].clone()).collect();
    offers.extend(copies);
    random.shuffle(&mut offers);
    let batch: Vec<Incoming<'_>> = offers.iter().map(|bytes| Incoming::from(bytes.as_slice())).collect();
    assert!(batch.len() > 4 * 64);
    let mut one = guarded(knowing(&["alice", "bob"]));
    let expected = one.ingest_batch(NOW, &batch).unwrap();
    assert!(one.log().len() > 2048, "the index is large enough for two threads");
    let notes = one.fields("Task", "t1", "note").unwrap();
    assert_eq!(notes.len(), 11);
    for options in with_threads() {
        let mut replica = guarded(options);
        assert_eq!(replica.ingest_batch(NOW, &batch).unwrap(), expected);
        assert_eq!(seen(&replica), seen(&one));
        assert_eq!(replica.fields("Task", "t1", "note").unwrap(), notes);
    }
}

/// From 2,048 operations on, a second thread looks up their registers.
#[cfg(feature = "parallel")]
#[test]
fn batches_with_many_registers_have_the_same_results_on_several_threads() {
    let ops = many(2 * 2049);
    let ingest_both = |replica: &mut Replica, size: usize| {
        let (first, second) = ops.split_at(size);
        let mut results = Vec::new();
        let mut changes = Vec::new();
        for part in [first, &second[..size]] {
            let part: Vec<Incoming<'_>> = part.iter().map(Incoming::from).collect();
            results.extend(replica.ingest_batch(NOW, &part).unwrap());
            changes.extend(replica.poll(NOW).unwrap());
        }
        (results, changes)
    };
    for size in [2047, 2048, 2049] {
        let mut one = guarded(knowing(&["alice", "bob"]));
        let expected = ingest_both(&mut one, size);
        assert_eq!(one.log().len(), 2 * size);
        assert!(one.log().forks().unwrap().len() > 50);
        for options in with_threads() {
            let mut replica = guarded(options);
            assert_eq!(ingest_both(&mut replica, size), expected);
            assert_eq!(seen(&replica), seen(&one));
            assert_eq!(replica.log().forks().unwrap(), one.log().forks().unwrap());
            for kind in ["Task", "Note", "List"] {
                let ids = one.entities(kind);
                assert_eq!(replica.entities(kind), ids);
                for id in ids {
                    assert_eq!(replica.entity(kind, &id).unwrap(), one.entity(kind, &id).unwrap());
                }
            }
        }
    }
}

#[test]
fn an_empty_batch_has_no_results() {
    let mut replica = reader(&[]);
    assert_eq!(replica.ingest_batch(NOW, &[]), Ok(Vec::new()));
    assert!(replica.log().is_empty());
}
