//! Tests of the guard.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use policysync::keys::VerifiedOp;
use policysync::{
    Guard, Incoming, IngestError, OpRefusal, Replica, SignedOp, Verdict, WallMillis, WriteError,
};

use super::common::{NOW, key, knowing, set};
use super::refusals::{in_space, refusal};
use super::{DRIFT, appended, forged, seen, text};

fn only_titles(op: &VerifiedOp<'_>) -> Verdict {
    if op.op().path() == "title" { Verdict::Admit } else { Verdict::Reject }
}

#[test]
fn an_operation_that_the_guard_rejects_is_denied_and_changes_nothing() {
    let guarded = || Replica::open(knowing(&["alice"]).guard(only_titles)).unwrap();
    assert_eq!(refusal(guarded(), &set("alice", NOW.0, 0, "notes", "x")), OpRefusal::Denied);
    appended(guarded().ingest(NOW, &set("alice", NOW.0, 0, "title", "x")).unwrap());
}

#[test]
fn the_guard_also_judges_the_replicas_own_writes() {
    let mut replica = Replica::open(knowing(&[]).write_as(key("alice")).guard(only_titles)).unwrap();
    replica.set(NOW, ("Task", "t1", "title"), "x").unwrap();
    let before = seen(&replica);
    let error = replica.set(NOW, ("Task", "t1", "notes"), "x").unwrap_err();
    assert_eq!(error, WriteError::Ingest(IngestError::Refused(OpRefusal::Denied)));
    assert_eq!(seen(&replica), before);
}

/// Returns a guard that aborts at the path `stop`, rejects the path `no`, and counts the operations that it judges.
pub fn stopping(asked: &Arc<AtomicUsize>) -> impl Guard + 'static {
    let asked = Arc::clone(asked);
    move |op: &VerifiedOp<'_>| {
        asked.fetch_add(1, Ordering::Relaxed);
        match op.op().path() {
            "stop" => Verdict::Abort,
            "no" => Verdict::Reject,
            _ => Verdict::Admit,
        }
    }
}

#[test]
fn if_the_guard_aborts_nothing_of_the_batch_is_kept() {
    let asked = Arc::new(AtomicUsize::new(0));
    let mut replica = Replica::open(knowing(&["alice"]).guard(stopping(&asked))).unwrap();
    replica.ingest(NOW, &set("alice", NOW.0, 0, "title", "x")).unwrap();
    let before = seen(&replica);
    let ops = ["title", "stop", "notes"].map(|path| set("alice", NOW.0 + 1, 0, path, "y"));
    let error = replica.ingest_batch(NOW, &ops.each_ref().map(Incoming::from)).unwrap_err();
    assert!(matches!(error, IngestError::Aborted(_)), "{error:?}");
    assert_eq!(seen(&replica), before);
    assert_eq!(replica.get(("Task", "t1", "title")).unwrap(), text("x"));
    // Without the operation that aborts, the same batch is ingested.
    for outcome in replica.ingest_batch(NOW, &[(&ops[0]).into(), (&ops[2]).into()]).unwrap() {
        appended(outcome.unwrap());
    }
    assert_eq!(replica.log().len(), 3);
}

#[test]
fn the_guard_judges_only_new_verified_operations_and_each_once() {
    let asked = Arc::new(AtomicUsize::new(0));
    let mut replica = Replica::open(knowing(&["alice"]).guard(stopping(&asked))).unwrap();
    let count = || asked.swap(0, Ordering::Relaxed);
    let first = set("alice", NOW.0, 0, "title", "x");
    replica.ingest(NOW, &first).unwrap();
    assert_eq!(count(), 1);

    // A duplicate, a forged copy of it, a forgery, a stranger, another space, garbage.
    let second = set("alice", NOW.0, 1, "title", "y");
    for op in [
        &first,
        &forged(&first),
        &forged(&second),
        &set("mallory", NOW.0, 0, "title", "x"),
        &in_space("home"),
    ] {
        drop(replica.ingest(NOW, op));
    }
    drop(replica.ingest(NOW, b"{}".as_slice()));
    assert_eq!(count(), 0);

    // In one batch: the guard does not see the copy, the forged copy and the duplicate.
    let held = set("alice", NOW.0 + DRIFT + 1, 0, "title", "later");
    let forgery = forged(&second);
    let batch = [&second, &second, &forgery, &first, &held, &held].map(Incoming::from);
    replica.ingest_batch(NOW, &batch).unwrap();
    assert_eq!(count(), 2);
    // Nor does it see the held operation again when it is released.
    assert_eq!(replica.held(), 1);
    replica.poll(WallMillis(NOW.0 + DRIFT)).unwrap();
    assert_eq!((count(), replica.held()), (0, 0));
}

#[test]
fn the_guard_gets_a_whole_batch_in_the_order_of_the_call() {
    struct Recording(Arc<Mutex<Vec<Vec<u32>>>>);
    impl Guard for Recording {
        fn judge(&mut self, ops: &[VerifiedOp<'_>], verdicts: &mut [Verdict]) {
            assert_eq!(ops.len(), verdicts.len());
            assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Reject));
            self.0.lock().unwrap().push(ops.iter().map(|op| op.op().ts().c()).collect());
            // The first keeps the verdict that it has before the call: it is rejected.
            for verdict in verdicts.iter_mut().skip(1) {
                *verdict = Verdict::Admit;
            }
        }
    }
    let calls = Arc::new(Mutex::new(Vec::new()));
    let mut replica = Replica::open(knowing(&["alice"]).guard(Recording(Arc::clone(&calls)))).unwrap();
    let ops: Vec<SignedOp> = [5, 2, 9, 1].map(|c| set("alice", NOW.0, c, "title", "x")).into();
    let forgery = forged(&ops[2]);
    // The forged copy comes first, so the genuine copy is verified last. The guard sees it in its place all the same.
    let batch = [&ops[0], &ops[1], &forgery, &ops[2], &ops[3]].map(Incoming::from);
    let outcomes = replica.ingest_batch(NOW, &batch).unwrap();
    assert_eq!(*calls.lock().unwrap(), [vec![5, 2, 9, 1]]);
    assert_eq!(outcomes[0], Err(OpRefusal::Denied));
    assert_eq!(outcomes[2], Err(OpRefusal::BadSignature));
    assert_eq!(replica.log().len(), 3);
}
