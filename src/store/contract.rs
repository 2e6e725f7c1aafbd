//! A test of the rules that every store must keep.

use std::ops::ControlFlow;
use std::sync::Barrier;

use super::{Commit, MAX_RECORD_BYTES, Record, Store, StoreError};
use crate::op::OpSeq;
use crate::packed::index;

/// A rule that a store breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rule}: {found}")]
#[non_exhaustive]
pub struct Broken {
    /// The rule.
    pub rule: &'static str,
    /// The observation that contradicts it.
    pub found: String,
}

/// Tests a store against the rules of the port ([`Store`]). `create` makes a new, empty store each time; `reopen`
/// closes one and opens it again, or returns it as it is where it ends with the process.
///
/// ```
/// use policysync::store::{MemoryStore, contract};
///
/// contract::check(MemoryStore::new, |store| store)?;
/// # Ok::<(), contract::Broken>(())
/// ```
///
/// # Errors
///
/// [`Broken`] names the first rule that the store breaks.
pub fn check<S: Store>(mut create: impl FnMut() -> S, mut reopen: impl FnMut(S) -> S) -> Result<(), Broken> {
    Model::default().compare("a new store has no head and no records", &create())?;
    check_large(&mut create())?;
    let rules: [Rule<S>; 6] =
        [check_bytes, check_heads, check_conflicts, check_records_of_many, check_replaced, check_random];
    for rule in rules {
        let (mut store, mut model) = (create(), Model::default());
        rule(&mut store, &mut model)?;
        model.compare("a commit can be read back", &store)?;
        let mut store = reopen(store);
        model.compare("a store that is opened again holds the same", &store)?;
        let first = model.end();
        model.commit(&mut store, Change::append(first, 1, b"after opening again"))?;
        model.compare("a store that is opened again takes commits", &store)?;
    }
    Ok(())
}

/// Tests a store that several processes can have open at once: `open` opens one more handle on the same, new store each
/// time. Two threads commit at the same time, each with a handle.
///
/// # Errors
///
/// [`Broken`] names the first rule that the store breaks.
pub fn check_shared<S: Store>(mut open: impl FnMut() -> S) -> Result<(), Broken> {
    let (mut a, mut b, mut model) = (open(), open(), Model::default());
    for round in 0..10_u8 {
        let first = model.end();
        let mine = Change::append(first, 1, &[round, 1]);
        let theirs = Change::append(first, 1, &[round, 2]);
        let stale = model.head.clone();
        model.commit(&mut a, mine)?;
        let rule = "of two writers that know the same head, one wins";
        expect_conflict(rule, &mut b, first, stale.as_deref(), &theirs)?;
        model.compare("a writer reads what another has committed", &b)?;
        let first = model.end();
        model.commit(&mut b, Change::append(first, 1, &[round, 3]))?;
        model.compare("a writer reads what another has committed", &a)?;
        std::mem::swap(&mut a, &mut b);
    }
    check_races(&mut a, &mut b, &mut model)
}

/// Two threads that commit on the same head at the same time.
fn check_races<S: Store>(a: &mut S, b: &mut S, model: &mut Model) -> Result<(), Broken> {
    let rule = "of two writers that commit at the same time, one wins";
    for round in 0..50_u8 {
        let (first, known) = (model.end(), model.head.clone());
        let start = Barrier::new(2);
        let race = |store: &mut S, writer: u8| {
            let change = Change::append(first, 1, &[round, writer]);
            let head = [b"race", &[round, writer][..]].concat();
            start.wait();
            (change.apply(store, first, known.as_deref(), &head), change, head)
        };
        let (mine, theirs) = std::thread::scope(|scope| {
            let other = scope.spawn(|| race(&mut *b, 2));
            (race(&mut *a, 1), other.join())
        });
        let theirs = theirs.map_err(|_| broken(rule, String::from("a writer panics")))?;
        let (won, lost) = if mine.0.is_ok() { (mine, theirs.0) } else { (theirs, mine.0) };
        match (&won.0, &lost) {
            (Ok(()), Err(StoreError::Conflict)) => model.note(won.1, won.2),
            (Ok(()), Ok(())) => return Err(broken(rule, String::from("both commits succeed"))),
            (Err(error), _) | (_, Err(error)) => {
                return Err(broken(rule, format!("the error is \"{error}\"")));
            }
        }
        model.compare(rule, a)?;
        model.compare(rule, b)?;
    }
    Ok(())
}

/// A test of one rule on a new store.
type Rule<S> = fn(&mut S, &mut Model) -> Result<(), Broken>;

/// A change to be made: records, of which those of known operations are replaced.
#[derive(Clone, Default)]
struct Change {
    records: Vec<(OpSeq, u32, Vec<u8>)>,
}

impl Change {
    fn append(first: OpSeq, count: u32, bytes: &[u8]) -> Self {
        Self { records: vec![(first, count, bytes.to_vec())] }
    }

    fn and(mut self, first: OpSeq, count: u32, bytes: &[u8]) -> Self {
        self.records.push((first, count, bytes.to_vec()));
        self
    }

    fn apply<S: Store>(
        &self,
        store: &mut S,
        end: OpSeq,
        known: Option<&[u8]>,
        head: &[u8],
    ) -> Result<(), StoreError> {
        let records = self.records.iter();
        let records = records.map(|(first, count, bytes)| Record { first: *first, count: *count, bytes });
        let (replaced, appended): (Vec<_>, Vec<_>) = records.partition(|record| record.first < end);
        let mut commit = Commit::new(known, head);
        (commit.replaced, commit.appended) = (&replaced, &appended);
        store.commit(&commit)
    }
}

/// The content that a store should have.
#[derive(Clone, Default)]
struct Model {
    head: Option<Vec<u8>>,
    commits: u32,
    records: Vec<(OpSeq, u32, Vec<u8>)>,
}

impl Model {
    fn end(&self) -> OpSeq {
        self.records().last().map_or(OpSeq::FIRST, |record| record.end())
    }

    /// Makes a change in the store and here.
    fn commit<S: Store>(&mut self, store: &mut S, change: Change) -> Result<(), Broken> {
        self.commits += 1;
        // No two are the same, and some differ in length only.
        let head =
            [b"head".as_slice(), &vec![0; index(self.commits % 7)], &self.commits.to_le_bytes()].concat();
        self.commit_with(store, change, head)
    }

    fn commit_with<S: Store>(&mut self, store: &mut S, change: Change, head: Vec<u8>) -> Result<(), Broken> {
        let made = change.apply(store, self.end(), self.head.as_deref(), &head);
        made.map_err(|error| broken("a commit on the known head succeeds", error.to_string()))?;
        self.note(change, head);
        Ok(())
    }

    /// Notes a change that the store has made.
    fn note(&mut self, change: Change, head: Vec<u8>) {
        for (first, count, bytes) in change.records {
            match self.records.iter_mut().find(|record| record.0 == first) {
                Some(record) => *record = (first, count, bytes),
                None => self.records.push((first, count, bytes)),
            }
        }
        self.head = Some(head);
    }

    /// Compares everything that the store returns.
    fn compare<S: Store>(&self, rule: &'static str, store: &S) -> Result<(), Broken> {
        let failed = |error: StoreError| broken(rule, error.to_string());
        let head = store.head().map_err(failed)?;
        if head != self.head {
            return Err(broken(rule, format!("the head is {head:?}, not {:?}", self.head)));
        }
        let describe = |record: Option<Record<'_>>| match record {
            Some(Record { first, count, bytes }) => {
                format!("{count} operations from {first} in {} bytes", bytes.len())
            }
            None => String::from("no record"),
        };
        let seqs = OpSeq::FIRST.until(OpSeq::new(self.end().get() + 3));
        let mut scratch = b"from an earlier read".to_vec();
        for seq in seqs.clone() {
            let found = store.read(seq, &mut scratch).map_err(failed)?;
            let wanted = self.records().find(|record| record.holds(seq));
            if found != wanted {
                let (found, wanted) = (describe(found), describe(wanted));
                return Err(broken(rule, format!("reading operation {seq} gives {found}, not {wanted}")));
            }
        }
        for (seq, limit) in seqs.flat_map(|seq| [1, 2, usize::MAX].map(|limit| (seq, limit))) {
            let wanted: Vec<_> = self.records().filter(|record| record.end() > seq).take(limit).collect();
            let (mut found, mut is_same) = (0, true);
            let visit = &mut |record: Record<'_>| {
                is_same &= wanted.get(found) == Some(&record);
                found += 1;
                if found >= limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            store.scan(seq, visit).map_err(failed)?;
            if !is_same || found != wanted.len() {
                let wanted = wanted.len();
                let found = format!("{found} records where {wanted} are there, or others");
                return Err(broken(rule, format!("a scan from operation {seq} visits {found}")));
            }
        }
        Ok(())
    }

    fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.records.iter().map(|(first, count, bytes)| Record { first: *first, count: *count, bytes })
    }
}

fn broken(rule: &'static str, found: String) -> Broken {
    Broken { rule, found }
}

/// A commit may have thousands of records, as the first session of a device does.
fn check_large<S: Store>(store: &mut S) -> Result<(), Broken> {
    const RECORDS: u32 = 5000;
    let rule = "a commit of thousands of records comes back";
    let failed = |error: StoreError| broken(rule, error.to_string());
    let bytes = |seq: u32| seq.to_le_bytes();
    let records = (0..RECORDS).map(|seq| (OpSeq::new(seq), 1, bytes(seq).to_vec())).collect();
    Change { records }.apply(store, OpSeq::FIRST, None, b"head").map_err(failed)?;
    let mut found = 0;
    store
        .scan(OpSeq::FIRST, &mut |record| {
            if (record.first, record.count, record.bytes) != (OpSeq::new(found), 1, &bytes(found)) {
                return ControlFlow::Break(());
            }
            found += 1;
            ControlFlow::Continue(())
        })
        .map_err(failed)?;
    if found == RECORDS {
        Ok(())
    } else {
        Err(broken(rule, format!("operation {found} is missing or another")))
    }
}

/// Records of every byte and of many lengths come back.
fn check_bytes<S: Store>(store: &mut S, model: &mut Model) -> Result<(), Broken> {
    let all: Vec<u8> = (0..=255).cycle().take(MAX_RECORD_BYTES).collect();
    for len in [0, 1, 7, 8, 254, 255, 256, 1000, 65_536, MAX_RECORD_BYTES] {
        let first = model.end();
        let (bytes, second) = (all.get(..len).unwrap_or_default(), OpSeq::new(first.get() + 1));
        model.commit(store, Change::append(first, 1, bytes).and(second, 1, b"x"))?;
    }
    model.compare("records come back byte for byte", store)
}

/// A head may be any bytes, and may change alone.
fn check_heads<S: Store>(store: &mut S, model: &mut Model) -> Result<(), Broken> {
    for head in [vec![0], vec![], vec![0, 0], (0..=255).collect(), b"null".to_vec(), vec![7; 2000]] {
        model.commit_with(store, Change::default(), head)?;
        model.compare("the head comes back byte for byte", store)?;
    }
    Ok(())
}

/// A commit on another head than the stored one changes nothing.
fn check_conflicts<S: Store>(store: &mut S, model: &mut Model) -> Result<(), Broken> {
    let rule = "a commit on another head is a conflict";
    let change = |model: &Model| Change::append(model.end(), 1, b"late");
    expect_conflict(rule, store, model.end(), Some(b""), &change(model))?;
    expect_conflict(rule, store, model.end(), Some(b"other"), &change(model))?;
    model.compare("a conflict changes nothing", store)?;
    let first = model.end();
    model.commit(store, Change::append(first, 1, b"1"))?;
    let earlier = model.head.clone();
    let first = model.end();
    model.commit(store, Change::append(first, 1, b"2"))?;
    let now = model.head.clone().unwrap_or_default();
    let longer = [now.as_slice(), &[0]].concat();
    let shorter = now.get(1..).unwrap_or_default();
    let other: Vec<u8> = now.iter().map(|byte| byte ^ 1).collect();
    for stale in [None, Some(b"".as_slice()), earlier.as_deref(), Some(&longer), Some(shorter), Some(&other)]
    {
        expect_conflict(rule, store, model.end(), stale, &change(model))?;
        expect_conflict(rule, store, model.end(), stale, &Change::append(OpSeq::FIRST, 1, b"late"))?;
        expect_conflict(rule, store, model.end(), stale, &Change::default())?;
        model.compare("a conflict changes nothing", store)?;
    }
    Ok(())
}

fn expect_conflict<S: Store>(
    rule: &'static str,
    store: &mut S,
    end: OpSeq,
    known: Option<&[u8]>,
    change: &Change,
) -> Result<(), Broken> {
    match change.apply(store, end, known, b"the head of a conflict") {
        Err(StoreError::Conflict) => Ok(()),
        Ok(()) => Err(broken(rule, String::from("the commit succeeds"))),
        Err(error) => Err(broken(rule, format!("the error is \"{error}\""))),
    }
}

/// Replaced records change, the others stay, all in the commit of the new head.
fn check_replaced<S: Store>(store: &mut S, model: &mut Model) -> Result<(), Broken> {
    let rule = "a commit replaces the records that it names, and no others";
    let at = OpSeq::new;
    let start = Change::append(at(0), 1, b"first").and(at(1), 3, b"second").and(at(4), 1, b"third");
    model.commit(store, start)?;
    for bytes in [b"".as_slice(), b"2", b"a record that is longer than the one before", &[0; 70_000]] {
        model.commit(store, Change::append(at(1), 3, bytes))?;
        model.compare(rule, store)?;
    }
    let first = model.end();
    let both = Change::append(at(0), 1, b"one").and(at(4), 1, b"three").and(first, 1, b"four");
    model.commit(store, both)?;
    model.compare(rule, store)
}

/// A record of many operations is found by each of them.
fn check_records_of_many<S: Store>(store: &mut S, model: &mut Model) -> Result<(), Broken> {
    for count in [2, 1, 1, 300, 1, 7, 2] {
        let first = model.end();
        model.commit(store, Change::append(first, count, &count.to_le_bytes()))?;
    }
    model.compare("a record is found by each of its operations", store)
}

/// Many commits of several records, in a sequence that is the same in every run.
fn check_random<S: Store>(store: &mut S, model: &mut Model) -> Result<(), Broken> {
    let mut state = 1_u32;
    let mut below = |limit: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % limit
    };
    for _ in 0..40 {
        let mut change = Change::default();
        if let Some(record) = model.records.get(index(below(20))) {
            let bytes = vec![b'r'; index(below(300))];
            change = change.and(record.0, record.1, &bytes);
        }
        let mut first = model.end();
        for _ in 0..below(4) {
            let (count, bytes) = (1 + below(3), vec![b'a'; index(below(300))]);
            change = change.and(first, count, &bytes);
            first = OpSeq::new(first.get() + count);
        }
        model.commit(store, change)?;
    }
    model.compare("many commits come back", store)
}
