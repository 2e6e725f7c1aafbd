//! The same tests of a replica over every store.

use policysync::oplog::Cursor;
use policysync::{IngestError, OpRefusal, Outcome, Replica, ReplicaOptions, WallMillis};

use super::common::{NOW, key, knowing, set};
use super::{PEOPLE, ingest, snapshot, some_ops};

/// Runs a test on a replica in memory, on one over the port and on one in a file.
macro_rules! contract {
    ($($name:ident)*) => {
        mod memory {
            $(#[test] fn $name() { super::$name(|options| options); })*
        }
        mod port {
            $(#[test] fn $name() {
                super::$name(|options| options.store(policysync::store::MemoryStore::new(), super::NOW));
            })*
        }
        mod sqlite {
            $(#[test] fn $name() {
                let directory = tempfile::tempdir().unwrap();
                let path = directory.path().join("log");
                super::$name(|options| options.path(&path, super::NOW));
            })*
        }
    };
}

contract! {
    what_is_appended_can_be_read
    a_duplicate_is_found_before_it_is_verified
    a_batch_that_the_guard_stops_leaves_nothing
    refused_operations_are_not_kept
    a_label_of_the_authors_own_comes_back
    own_writes_are_read_back
    long_values_come_back
    own_operations_that_come_back_are_not_held
}

type Place<'a> = &'a dyn Fn(ReplicaOptions) -> ReplicaOptions;

fn opened(place: Place<'_>, options: ReplicaOptions) -> Replica {
    Replica::open(place(options)).unwrap()
}

fn what_is_appended_can_be_read(place: impl Fn(ReplicaOptions) -> ReplicaOptions) {
    let mut replica = opened(&place, knowing(&PEOPLE));
    let ops = some_ops();
    for batch in ops.chunks(5) {
        ingest(&mut replica, batch);
    }
    let snapshot = snapshot(&replica);
    let arrived: Vec<_> = snapshot.arrivals.iter().map(|(op, _)| op.clone()).collect();
    assert_eq!(arrived, ops);
    assert_eq!(snapshot.arrivals[4].1, 5);
    assert_eq!((snapshot.held, snapshot.forks.len()), (1, 1));
    let since = Cursor::from_position(20).unwrap();
    assert_eq!(replica.log().since(since).count(), 4);
    assert_eq!(replica.get(("Task", "t1", "path0")).unwrap(), Some("value 14".into()));
    assert_eq!(replica.get(("Task", "t1", "path1")).unwrap(), None);
}

fn a_duplicate_is_found_before_it_is_verified(place: impl Fn(ReplicaOptions) -> ReplicaOptions) {
    let mut replica = opened(&place, knowing(&PEOPLE));
    let op = set("alice", NOW.0, 0, "title", "a");
    ingest(&mut replica, std::slice::from_ref(&op));
    let again = ingest(&mut replica, &[op.clone(), op]);
    assert!(again.iter().all(|outcome| matches!(outcome, Outcome::Duplicate { .. })));
    assert_eq!(replica.log().len(), 1);
}

fn a_batch_that_the_guard_stops_leaves_nothing(place: impl Fn(ReplicaOptions) -> ReplicaOptions) {
    let guard = |op: &policysync::keys::VerifiedOp<'_>| match op.op().path() {
        "stop" => policysync::Verdict::Abort,
        _ => policysync::Verdict::Admit,
    };
    let mut replica = opened(&place, knowing(&PEOPLE).guard(guard));
    ingest(&mut replica, &[set("alice", NOW.0, 0, "title", "a")]);
    let before = snapshot(&replica);
    let batch = [set("alice", NOW.0, 1, "title", "b"), set("alice", NOW.0, 2, "stop", "c")];
    let batch: Vec<_> = batch.iter().map(Into::into).collect();
    assert!(matches!(replica.ingest_batch(NOW, &batch), Err(IngestError::Aborted(_))));
    assert_eq!(snapshot(&replica), before);
}

fn refused_operations_are_not_kept(place: impl Fn(ReplicaOptions) -> ReplicaOptions) {
    let mut replica = opened(&place, knowing(&["alice"]));
    let stranger = set("bob", NOW.0, 0, "title", "a");
    let honest = set("alice", NOW.0, 0, "title", "a");
    let batch = [&stranger, &honest].map(Into::into);
    let outcomes = replica.ingest_batch(NOW, &batch).unwrap();
    assert!(matches!(outcomes[0], Err(OpRefusal::UnknownKey { .. })));
    assert!(matches!(outcomes[1], Ok(Outcome::Appended { .. })));
    assert_eq!(replica.log().len(), 1);
    replica.keys_mut().register(key("bob").public_key().clone()).unwrap();
    ingest(&mut replica, &[stranger]);
    assert_eq!(replica.log().len(), 2);
}

fn a_label_of_the_authors_own_comes_back(place: impl Fn(ReplicaOptions) -> ReplicaOptions) {
    let mut replica = opened(&place, knowing(&PEOPLE).labels(policysync::replica::Labels::Any));
    let ts = policysync::Hlc::new(NOW.0, 0).unwrap();
    let op = policysync::Op::lww_set("alice", ts, ("Task", "t1", "title"), "a").unwrap();
    let op =
        policysync::keys::sign_op(&super::common::crypto(), op.labelled("alice:1").unwrap(), &key("alice"));
    let op = op.unwrap();
    ingest(&mut replica, std::slice::from_ref(&op));
    assert_eq!(replica.log().iter().next().unwrap().unwrap().op, op);
}

fn own_writes_are_read_back(place: impl Fn(ReplicaOptions) -> ReplicaOptions) {
    let mut replica = opened(&place, knowing(&PEOPLE).write_as(key("alice")).space("home"));
    let written = replica.set(NOW, ("Task", "t1", "title"), "a").unwrap();
    assert_eq!(written.op().space(), Some("home"));
    assert_eq!(replica.get(("Task", "t1", "title")).unwrap(), Some("a".into()));
    replica.delete(NOW, ("Task", "t1", "title")).unwrap();
    assert_eq!(replica.get(("Task", "t1", "title")).unwrap(), None);
    assert_eq!(replica.history(("Task", "t1", "title")).unwrap().len(), 2);
    assert_eq!(
        replica.log().get(&replica.log().iter().next().unwrap().unwrap().hash).unwrap(),
        Some(written)
    );
}

fn long_values_come_back(place: impl Fn(ReplicaOptions) -> ReplicaOptions) {
    let mut replica = opened(&place, knowing(&PEOPLE));
    let ops: Vec<_> = [0, 1, 3000, 4096, 70_000, 1_000_000]
        .into_iter()
        .enumerate()
        .map(|(n, len)| set("alice", NOW.0 - 10, u32::try_from(n).unwrap(), "text", "x".repeat(len)))
        .collect();
    ingest(&mut replica, &ops);
    let read: Vec<_> = replica.log().iter().map(|entry| entry.unwrap().op).collect();
    assert_eq!(read, ops);
}

fn own_operations_that_come_back_are_not_held(place: impl Fn(ReplicaOptions) -> ReplicaOptions) {
    let mut replica = opened(&place, knowing(&PEOPLE).write_as(key("alice")));
    let ahead = NOW.0 + 7_200_000;
    let others = set("bob", ahead - 1, 0, "others", 1_i32);
    assert!(matches!(ingest(&mut replica, &[others])[..], [Outcome::Held { .. }]));
    let batch = [set("alice", ahead, 5, "own", 1_i32), set("bob", ahead + 1, 0, "later", 1_i32)];
    let outcomes = ingest(&mut replica, &batch);
    assert!(matches!(outcomes[..], [Outcome::Appended { .. }, Outcome::Held { .. }]), "{outcomes:?}");
    assert_eq!(replica.held(), 1);
    assert_eq!(replica.clock_ahead(NOW), Some(WallMillis(7_200_000)));
    let next = replica.set(WallMillis(ahead - 600_000), ("Task", "t1", "own"), 2_i32).unwrap();
    assert_eq!((next.op().ts().t(), next.op().ts().c()), (ahead, 6));
}
