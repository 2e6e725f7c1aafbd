//! Tests of several writes in one commit, and of deleting an entity.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use policysync::guard::Verdict;
use policysync::keys::VerifiedOp;
use policysync::op::OpSeq;
use policysync::replica::FieldWrite;
use policysync::state::Page;
use policysync::store::{Commit, MemoryStore, Record, Store};
use policysync::{
    IngestError, OpRefusal, Replica, ReplicaOptions, SignedOp, StoreError, WallMillis, WriteError,
};

use super::common::{NOW, key, knowing, reader};
use super::{DRIFT, seen, text, writer};

/// Writes the fields of two tasks and a note.
fn tasks() -> Replica {
    let mut replica = writer("alice", &[]);
    let writes =
        [("Task", "t1", "title"), ("Task", "t1", "a/b"), ("Task", "t2", "title"), ("Note", "n", "text")];
    replica.write_batch(NOW, writes.map(|field| FieldWrite::set(field, "x"))).unwrap();
    replica
}

fn stamps(ops: &[SignedOp]) -> Vec<(u64, u32)> {
    ops.iter().map(|op| (op.op().ts().t(), op.op().ts().c())).collect()
}

#[test]
fn a_batch_of_writes_has_ascending_timestamps_and_the_last_write_wins() {
    let mut replica = writer("alice", &[]);
    let title = ("Task", "t1", "title");
    let writes = [
        FieldWrite::set(title, "first"),
        FieldWrite::delete(("Task", "t1", "done")),
        FieldWrite::set(title, "second"),
    ];
    let ops = replica.write_batch(NOW, writes.clone()).unwrap();
    assert_eq!(stamps(&ops), [(NOW.0, 0), (NOW.0, 1), (NOW.0, 2)]);
    assert_eq!(replica.get(title).unwrap(), text("second"));
    let mut other = reader(&["alice"]);
    for op in &ops {
        other.ingest(NOW, op).unwrap();
    }
    assert_eq!(other.state_digest(), replica.state_digest());

    let again = replica.write_batch(NOW, writes).unwrap();
    assert_eq!(stamps(&again), [(NOW.0, 3), (NOW.0, 4), (NOW.0, 5)]);
    assert_eq!(replica.write_batch(NOW, []).unwrap(), []);
    assert_eq!(replica.log().len(), 6);
}

/// A store that counts the commits, and fails on request.
struct Counting {
    store: MemoryStore,
    commits: Arc<AtomicUsize>,
    fail: Arc<AtomicBool>,
}

impl Store for Counting {
    fn head(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.head()
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<(), StoreError> {
        if self.fail.load(Ordering::Relaxed) {
            return Err(StoreError::Full);
        }
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.store.commit(commit)
    }

    fn read<'a>(&'a self, seq: OpSeq, scratch: &'a mut Vec<u8>) -> Result<Option<Record<'a>>, StoreError> {
        self.store.read(seq, scratch)
    }
}

#[test]
fn the_store_sees_one_commit_and_nothing_stays_if_it_fails() {
    let (commits, fail) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let store = Counting { store: MemoryStore::new(), commits: commits.clone(), fail: fail.clone() };
    let mut replica = Replica::open(knowing(&[]).write_as(key("alice")).store(store, NOW)).unwrap();
    let write = |path| FieldWrite::set(("Task", "t1", path), "x");
    let opened = commits.load(Ordering::Relaxed);
    replica.write_batch(NOW, [write("a"), write("b"), write("c")]).unwrap();
    assert_eq!(commits.load(Ordering::Relaxed), opened + 1);
    let before = seen(&replica);
    fail.store(true, Ordering::Relaxed);
    assert!(matches!(
        replica.delete_entity(NOW, "Task", "t1"),
        Err(WriteError::Ingest(IngestError::Store(StoreError::Full)))
    ));
    assert_eq!(seen(&replica), before);
    fail.store(false, Ordering::Relaxed);
    assert_eq!(replica.delete_entity(NOW, "Task", "t1").unwrap().len(), 3);
    assert_eq!(commits.load(Ordering::Relaxed), opened + 2);
}

#[test]
fn a_batch_that_fails_leaves_nothing() {
    let asked = Arc::new(AtomicUsize::new(0));
    let seen_by_guard = asked.clone();
    let options = knowing(&[]).write_as(key("alice")).guard(move |op: &VerifiedOp<'_>| {
        seen_by_guard.fetch_add(1, Ordering::Relaxed);
        if op.op().path() == "denied" { Verdict::Reject } else { Verdict::Admit }
    });
    let mut replica = Replica::open(options).unwrap();
    replica.set(NOW, ("Task", "t1", "title"), "before").unwrap();
    let before = seen(&replica);
    let write = |path| FieldWrite::set(("Task", "t1", path), "after");
    let mut fails = |writes: [FieldWrite<'_>; 3]| {
        let error = replica.write_batch(NOW, writes).unwrap_err();
        assert_eq!(seen(&replica), before);
        error
    };
    let denied = WriteError::Ingest(IngestError::Refused(OpRefusal::Denied));
    assert_eq!(fails([write("title"), write("denied"), write("other")]), denied);
    assert_eq!(asked.load(Ordering::Relaxed), 4);
    assert!(matches!(fails([write("title"), write("a"), write("\n")]), WriteError::Op(_)));
    assert_eq!(asked.load(Ordering::Relaxed), 4);
    assert_eq!(reader(&[]).write_batch(NOW, [write("title")]), Err(WriteError::ReadOnly));
    let far = NOW.0 + DRIFT;
    replica.write_batch(WallMillis(far), [write("title")]).unwrap();
    assert!(matches!(
        replica.write_batch(WallMillis(NOW.0 - 1), [write("a")]),
        Err(WriteError::ClockAhead { .. })
    ));
}

#[test]
fn deleting_an_entity_deletes_its_fields_in_one_batch() {
    let mut replica = tasks();
    let ops = replica.delete_entity(NOW, "Task", "t1").unwrap();
    let deleted: Vec<&str> = ops.iter().map(|op| op.op().path()).collect();
    assert_eq!(deleted, ["a/b", "title"]);
    assert_eq!(replica.entity("Task", "t1").unwrap(), None);
    assert_eq!(replica.entities("Task"), ["t2"]);
    assert_eq!(replica.delete_entity(NOW, "Task", "t1").unwrap(), []);
    assert_eq!(replica.delete_entity(NOW, "Task", "unknown").unwrap(), []);
    replica.set(NOW, ("Task", "t1", "title"), "again").unwrap();
    assert_eq!(replica.entity("Task", "t1").unwrap().as_deref(), Some(r#"{"title":"again"}"#));
}

#[test]
fn entities_are_counted_and_listed_in_pages() {
    let mut replica = writer("alice", &[]);
    for id in ["a", "b1", "b2", "b3", "c"] {
        replica.set(NOW, ("Task", id, "title"), "x").unwrap();
    }
    replica.set(NOW, ("Gone", "g", "title"), "x").unwrap();
    replica.set(NOW, ("Note", "n", "title"), "x").unwrap();
    assert_eq!(replica.kinds(), ["Gone", "Note", "Task"]);
    replica.delete_entity(NOW, "Gone", "g").unwrap();
    replica.delete_entity(NOW, "Task", "b2").unwrap();
    assert_eq!(replica.kinds(), ["Note", "Task"]);
    let count = |prefix| replica.count_entities("Task", prefix);
    assert_eq!((count(""), count("b"), count("b2"), count("x")), (4, 2, 0, 0));
    assert_eq!((replica.count_entities("Gone", ""), replica.count_entities("Never", "")), (0, 0));

    let page = |page: Page<'_>| replica.entities_page("Task", page);
    let all = Page::new();
    assert_eq!(page(all), ["a", "b1", "b3", "c"]);
    assert_eq!(page(all.prefix("b")), ["b1", "b3"]);
    assert_eq!(page(all.limit(2)), ["a", "b1"]);
    assert_eq!(page(all.limit(2).after("b1")), ["b3", "c"]);
    assert_eq!(page(all.after("b2")), ["b3", "c"]);
    assert_eq!(page(all.prefix("b").after("b1").limit(5)), ["b3"]);
    assert!(page(all.limit(0)).is_empty() && page(all.after("c")).is_empty());
    let mut names = Vec::new();
    while let Some(next) = page(all.limit(1).after(names.last().map_or("", String::as_str))).pop() {
        names.push(next);
    }
    assert_eq!(names, replica.entities("Task"));
    assert!(Replica::open(ReplicaOptions::new()).unwrap().kinds().is_empty());
}
