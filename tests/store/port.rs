//! The contract of stores, and stores that break it.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use policysync::StoreError;
use policysync::op::OpSeq;
use policysync::store::{Commit, Durability, MemoryStore, Record, SqliteStore, Store, contract};

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
        (ReplacesWithoutTheHead, "a commit on the known head succeeds"),
        (FindsTheFirstOnly, "a commit replaces the records that it names, and no others"),
        (ScansFromTheBeginning, "records come back byte for byte"),
        (ScansToTheEnd, "records come back byte for byte"),
        (ForgetsWhenClosed, "a store that is opened again holds the same"),
        (ForgetsTheHeadWhenClosed, "a store that is opened again holds the same"),
        (FailsAfterReopening, "a commit on the known head succeeds"),
    ];
    for (fault, rule) in faults {
        let broken = contract::check(|| Faulty::new(fault), Faulty::reopen).expect_err("a faulty store");
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
