//! The contract of stores, and stores that break it.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use policysync::op::OpSeq;
use policysync::store::{Commit, Durability, MemoryStore, Record, SqliteStore, Store, contract};
use policysync::{IngestError, Replica, StoreError, WriteError};

use super::common::NOW;
use super::{PEOPLE, Plain, ingest, snapshot};

#[test]
fn a_store_in_memory_keeps_the_contract() {
    contract::check(MemoryStore::new, |store| store).unwrap();
}

#[test]
fn a_store_in_a_file_keeps_the_contract() {
    let directory = tempfile::tempdir().unwrap();
    let open = |number: u32| {
        let path = directory.path().join(number.to_string());
        InFile { number, store: SqliteStore::open(path, Durability::ProcessOnly).unwrap() }
    };
    let mut number = 0;
    let create = || {
        number += 1;
        open(number)
    };
    let reopen = |closed: InFile| {
        let number = closed.number;
        drop(closed);
        open(number)
    };
    contract::check(create, reopen).unwrap();
}

/// A store that knows its file.
struct InFile {
    number: u32,
    store: SqliteStore,
}

impl Store for InFile {
    fn head(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.head()
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<(), StoreError> {
        self.store.commit(commit)
    }

    fn read<'a>(&'a self, seq: OpSeq, scratch: &'a mut Vec<u8>) -> Result<Option<Record<'a>>, StoreError> {
        self.store.read(seq, scratch)
    }

    fn scan(
        &self,
        from: OpSeq,
        visit: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.store.scan(from, visit)
    }
}

/// A handle on a store that others have handles on too.
#[derive(Clone, Default)]
pub struct Shared(Arc<Mutex<MemoryStore>>);

impl Store for Shared {
    fn head(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.lock().unwrap().head()
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<(), StoreError> {
        self.0.lock().unwrap().commit(commit)
    }

    fn read<'a>(&'a self, seq: OpSeq, scratch: &'a mut Vec<u8>) -> Result<Option<Record<'a>>, StoreError> {
        let store = self.0.lock().unwrap();
        let mut other = Vec::new();
        let Some(record) = store.read(seq, &mut other)? else { return Ok(None) };
        scratch.clear();
        scratch.extend_from_slice(record.bytes);
        Ok(Some(Record { first: record.first, count: record.count, bytes: scratch }))
    }
}

#[test]
fn a_store_with_several_handles_keeps_the_contract() {
    contract::check(Shared::default, |store| store).unwrap();
    let shared = Shared::default();
    contract::check_shared(|| shared.clone()).unwrap();
}

/// A handle that compares the head first and commits later.
struct Racy(Shared);

impl Store for Racy {
    fn head(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.head()
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<(), StoreError> {
        if self.0.head()?.as_deref() != commit.known {
            return Err(StoreError::Conflict);
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
        let mut forced = *commit;
        let head = self.0.head()?;
        forced.known = head.as_deref();
        self.0.commit(&forced)
    }

    fn read<'a>(&'a self, seq: OpSeq, scratch: &'a mut Vec<u8>) -> Result<Option<Record<'a>>, StoreError> {
        self.0.read(seq, scratch)
    }
}

#[test]
fn a_comparison_outside_the_commit_breaks_the_contract() {
    let shared = Shared::default();
    let broken = contract::check_shared(|| Racy(shared.clone())).unwrap_err();
    assert_eq!(broken.rule, "of two writers that commit at the same time, one wins");
}

type Action = Box<dyn FnOnce() + Send>;

/// A handle with actions of another process: one before each of the next reads, or of the next commits.
struct Busy {
    shared: Shared,
    actions: Arc<Mutex<VecDeque<Action>>>,
    before_commits: bool,
}

/// Takes an action out of the queue, which is free while the action runs.
fn take_first(actions: &Mutex<VecDeque<Action>>) -> Option<Action> {
    actions.lock().unwrap().pop_front()
}

impl Busy {
    fn act(&self, before_commits: bool) {
        if before_commits == self.before_commits
            && let Some(action) = take_first(&self.actions)
        {
            action();
        }
    }
}

impl Store for Busy {
    fn head(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.act(false);
        self.shared.head()
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<(), StoreError> {
        self.act(true);
        self.shared.commit(commit)
    }

    fn read<'a>(&'a self, seq: OpSeq, scratch: &'a mut Vec<u8>) -> Result<Option<Record<'a>>, StoreError> {
        self.act(false);
        self.shared.read(seq, scratch)
    }
}

/// Opens a replica over a shared store while another process writes before each of its first calls.
#[test]
fn another_process_that_commits_meanwhile_stops_neither_opening_nor_catching_up() {
    for (seal, before_commits) in [(None, false), (None, true), (Some([4; 32]), false), (Some([4; 32]), true)]
    {
        for writes in 1..12 {
            let shared = Shared::default();
            let alice = || super::as_alice(super::common::knowing(&PEOPLE));
            let write = |number: usize| -> Action {
                let shared = shared.clone();
                Box::new(move || {
                    let mut other = Replica::open(alice().store(shared, NOW)).unwrap();
                    other.set(NOW, ("Task", "t1", &format!("path{number}")[..]), "x").unwrap();
                })
            };
            let actions: Arc<Mutex<VecDeque<Action>>> = Arc::default();
            let busy = Busy { shared: shared.clone(), actions: Arc::clone(&actions), before_commits };
            actions.lock().unwrap().extend((0..writes).map(write));
            let options = alice().store(busy, NOW);
            let options = if let Some(seal) = seal { options.seal_key(seal) } else { options };
            let mut replica = Replica::open(options).unwrap();
            actions.lock().unwrap().extend((writes..2 * writes).map(write));
            replica.catch_up(NOW).unwrap();
            actions.lock().unwrap().drain(..).for_each(|action| action());
            replica.catch_up(NOW).unwrap();
            assert_eq!(replica.log().len(), 2 * writes, "{writes} writes, {seal:?}");
        }
    }
}

/// A mistake in a store.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    HasAHeadFromTheStart,
    ComparesNoHead,
    ComparesLengthsOnly,
    AppendsInAConflict,
    TakesNoHeadForAnyHead,
    AnswersAnotherError,
    LosesTheHead,
    LosesAnEmptyHead,
    LosesTheLastRecord,
    CutsLongRecords,
    LosesEmptyRecords,
    AppendsToTheScratch,
    ReplacesNothing,
    ReplacesTheFirst,
    ReplacesWithoutTheHead,
    FindsTheFirstOnly,
    ScansFromTheBeginning,
    ScansToTheEnd,
    ForgetsWhenClosed,
    ForgetsTheHeadWhenClosed,
    FailsAfterReopening,
}

struct Faulty {
    fault: Fault,
    inner: MemoryStore,
    reopened: bool,
}

impl Faulty {
    fn new(fault: Fault) -> Self {
        Self { fault, inner: MemoryStore::new(), reopened: false }
    }

    fn reopen(mut self) -> Self {
        self.reopened = true;
        if self.fault == Fault::ForgetsWhenClosed {
            self.inner = MemoryStore::new();
        }
        self
    }
}

impl Store for Faulty {
    fn head(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let head = self.inner.head()?;
        Ok(match self.fault {
            Fault::HasAHeadFromTheStart => Some(head.unwrap_or_default()),
            Fault::LosesTheHead => None,
            Fault::LosesAnEmptyHead => head.filter(|head| !head.is_empty()),
            Fault::ForgetsTheHeadWhenClosed if self.reopened => None,
            _ => head,
        })
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<(), StoreError> {
        let head = self.inner.head()?;
        let is_conflict = head.as_deref() != commit.known;
        let mut commit = *commit;
        let length = |head: Option<&[u8]>| head.map(<[u8]>::len);
        match self.fault {
            Fault::ComparesNoHead => commit.known = head.as_deref(),
            Fault::TakesNoHeadForAnyHead if commit.known.is_none() => commit.known = head.as_deref(),
            Fault::ComparesLengthsOnly if length(head.as_deref()) == length(commit.known) => {
                commit.known = head.as_deref();
            }
            Fault::AppendsInAConflict if is_conflict => {
                (commit.known, commit.head) = (head.as_deref(), head.as_deref().unwrap_or_default());
                self.inner.commit(&commit)?;
                return Err(StoreError::Conflict);
            }
            Fault::AnswersAnotherError if is_conflict => return Err(StoreError::Locked),
            Fault::FailsAfterReopening if self.reopened => return Err(StoreError::Locked),
            Fault::ReplacesWithoutTheHead if !commit.replaced.is_empty() => {
                commit.head = head.as_deref().unwrap_or_default();
            }
            Fault::ReplacesNothing => commit.replaced = &[],
            Fault::ReplacesTheFirst => commit.replaced = &commit.replaced[..commit.replaced.len().min(1)],
            _ => {}
        }
        self.inner.commit(&commit)
    }

    fn read<'a>(&'a self, seq: OpSeq, scratch: &'a mut Vec<u8>) -> Result<Option<Record<'a>>, StoreError> {
        let mut other = Vec::new();
        let Some(mut record) = self.inner.read(seq, &mut other)? else { return Ok(None) };
        match self.fault {
            Fault::LosesTheLastRecord if self.inner.read(record.end(), &mut Vec::new())?.is_none() => {
                return Ok(None);
            }
            Fault::LosesEmptyRecords if record.bytes.is_empty() => return Ok(None),
            Fault::FindsTheFirstOnly if record.first != seq => return Ok(None),
            Fault::CutsLongRecords => record.bytes = &record.bytes[..record.bytes.len().min(1 << 20)],
            _ => {}
        }
        if self.fault != Fault::AppendsToTheScratch {
            scratch.clear();
        }
        scratch.extend_from_slice(record.bytes);
        Ok(Some(Record { first: record.first, count: record.count, bytes: scratch }))
    }

    fn scan(
        &self,
        from: OpSeq,
        visit: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        match self.fault {
            Fault::ScansFromTheBeginning => self.inner.scan(OpSeq::FIRST, visit),
            Fault::ScansToTheEnd => self.inner.scan(from, &mut |record| {
                _ = visit(record);
                ControlFlow::Continue(())
            }),
            _ => self.inner.scan(from, visit),
        }
    }
}

#[test]
fn every_mistake_is_named_by_the_rule_that_it_breaks() {
    use Fault::*;

    let faults = [
        (HasAHeadFromTheStart, "a new store has no head and no records"),
        (ComparesNoHead, "a commit on another head is a conflict"),
        (ComparesLengthsOnly, "a commit on another head is a conflict"),
        (TakesNoHeadForAnyHead, "a commit on another head is a conflict"),
        (AnswersAnotherError, "a commit on another head is a conflict"),
        (AppendsInAConflict, "a conflict changes nothing"),
        (LosesTheHead, "records come back byte for byte"),
        (LosesAnEmptyHead, "the head comes back byte for byte"),
        (LosesTheLastRecord, "records come back byte for byte"),
        (CutsLongRecords, "records come back byte for byte"),
        (LosesEmptyRecords, "records come back byte for byte"),
        (AppendsToTheScratch, "records come back byte for byte"),
        (ReplacesNothing, "a commit replaces the records that it names, and no others"),
        (ReplacesTheFirst, "a commit replaces the records that it names, and no others"),
        (ReplacesWithoutTheHead, "a commit replaces the records that it names, and no others"),
        (FindsTheFirstOnly, "a record is found by each of its operations"),
        (ScansFromTheBeginning, "records come back byte for byte"),
        (ScansToTheEnd, "records come back byte for byte"),
        (ForgetsWhenClosed, "a store that is opened again holds the same"),
        (ForgetsTheHeadWhenClosed, "a store that is opened again holds the same"),
        (FailsAfterReopening, "a commit on the known head succeeds"),
    ];
    for (fault, rule) in faults {
        let broken = contract::check(|| Faulty::new(fault), Faulty::reopen);
        let broken = broken.expect_err(&format!("{fault:?} is not noticed"));
        assert_eq!(broken.rule, rule, "{fault:?}: {broken}");
    }
}

/// A handle that remembers the head instead of reading it.
struct Stale {
    shared: Shared,
    head: Option<Vec<u8>>,
}

impl Store for Stale {
    fn head(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.shared.head()
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<(), StoreError> {
        if self.head.as_deref() != commit.known {
            return Err(StoreError::Conflict);
        }
        let mut forced = *commit;
        let head = self.shared.head()?;
        forced.known = head.as_deref();
        self.shared.commit(&forced)?;
        self.head = Some(commit.head.to_vec());
        Ok(())
    }

    fn read<'a>(&'a self, seq: OpSeq, scratch: &'a mut Vec<u8>) -> Result<Option<Record<'a>>, StoreError> {
        self.shared.read(seq, scratch)
    }
}

#[test]
fn a_handle_that_compares_what_it_remembers_breaks_the_contract() {
    let shared = Shared::default();
    contract::check(|| Stale { shared: Shared::default(), head: None }, |store| store).unwrap();
    let broken = contract::check_shared(|| Stale { shared: shared.clone(), head: None }).unwrap_err();
    assert_eq!(broken.rule, "of two writers that know the same head, one wins");
}

/// Two replicas over one database: both write as alice.
#[test]
fn two_replicas_over_one_database_never_both_win() {
    for seal in [None, Some([4; 32])] {
        let shared = Shared::default();
        let options = || {
            let options = super::as_alice(super::common::knowing(&PEOPLE)).store(shared.clone(), NOW);
            match seal {
                Some(seal) => options.seal_key(seal),
                None => options,
            }
        };
        let mut first = Replica::open(options()).unwrap();
        let mut second = Replica::open(options()).unwrap();
        for round in 0..4_i32 {
            let written = first.set(NOW, ("Task", "t1", "title"), round).unwrap();
            let before = snapshot(&second);
            let refused = second.set(NOW, ("Task", "t1", "title"), -round);
            assert_eq!(refused.plain(), Err(WriteError::Ingest(IngestError::Store(StoreError::Conflict))));
            assert_eq!(snapshot(&second), before);
            assert_eq!(second.catch_up(NOW), Ok(1));
            assert_eq!(second.catch_up(NOW), Ok(0));
            assert_eq!(second.poll(NOW).unwrap().len(), 1);
            let again = second.set(NOW, ("Task", "t1", "title"), -round).unwrap();
            assert!(again.op().ts() > written.op().ts());
            assert_eq!(first.catch_up(NOW), Ok(1));
            assert_eq!(snapshot(&first), snapshot(&second));
        }
        ingest(&mut second, &super::some_ops());
        assert_eq!(first.catch_up(NOW), Ok(super::some_ops().len()));
        assert_eq!(snapshot(&first), snapshot(&second));
        assert_eq!(snapshot(&Replica::open(options()).unwrap()), snapshot(&first));
    }
}

/// Others may write rubbish into the database.
#[test]
fn a_replica_that_catches_up_verifies_and_is_unchanged_by_damage() {
    let shared = Shared::default();
    let options = || super::common::knowing(&PEOPLE).store(shared.clone(), NOW);
    let mut replica = Replica::open(options()).unwrap();
    ingest(&mut replica, &super::some_ops());
    let mut other = Replica::open(options()).unwrap();
    let mut vandal = shared.clone();
    ingest(&mut other, &[super::common::set("bob", NOW.0, 9, "more", true)]);
    let (head, mut scratch) = (vandal.head().unwrap().unwrap(), Vec::new());
    let record = vandal.read(OpSeq::new(24), &mut scratch).unwrap().unwrap();
    let good = record.bytes.to_vec();
    let mut bad = good.clone();
    // A byte of the signature.
    bad[40] ^= 1;
    let replace = |vandal: &mut Shared, bytes: &[u8]| {
        let mut commit = Commit::new(Some(&head), &head);
        let record = [Record { first: OpSeq::new(24), count: 1, bytes }];
        commit.replaced = &record;
        vandal.commit(&commit).unwrap();
    };
    replace(&mut vandal, &bad);
    let before = snapshot(&replica);
    let error = replica.catch_up(NOW).unwrap_err();
    assert!(error.to_string().contains("operation number 24"), "{error}");
    assert_eq!(snapshot(&replica), before);
    replace(&mut vandal, &good);
    assert_eq!(replica.catch_up(NOW), Ok(1));
    assert_eq!(snapshot(&replica), snapshot(&other));
}
