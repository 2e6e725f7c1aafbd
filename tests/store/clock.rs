//! Wrong wall clocks, before and after closing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use policysync::hlc::HlcError;
use policysync::op::OpSeq;
use policysync::replica::Restoring;
use policysync::store::{Commit, MemoryStore, Record, Store};
use policysync::{Hlc, Replica, ReplicaOptions, StoreError, Value, WallMillis, WriteError};

use super::common::{NOW, Random, key, knowing, set};
use super::{PEOPLE, as_alice, ingest};

const DAY: u64 = 86_400_000;
const YEAR: u64 = 365 * DAY;
const DRIFT: u64 = ReplicaOptions::DEFAULT_MAX_DRIFT.0;
/// Wall clocks that are late: never set, seconds for milliseconds, years, a day.
const BEHIND: [u64; 4] = [0, NOW.0 / 1000, NOW.0 - 5 * YEAR, NOW.0 - DAY];
const TITLE: (&str, &str, &str) = ("Task", "t1", "title");

struct File {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

impl File {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        Self { _directory: directory, path }
    }

    fn open(&self, now: u64) -> Replica {
        open_at(&self.path, now)
    }
}

fn open_at(path: &Path, now: u64) -> Replica {
    Replica::open(as_alice(knowing(&PEOPLE).path(path, WallMillis(now)))).unwrap()
}

/// The parts of a replica that its user sees.
fn shown(replica: &Replica) -> (policysync::crypto::Hash, usize, Option<Hlc>) {
    (replica.state_digest(), replica.held(), replica.clock().last())
}

fn title(replica: &Replica) -> Option<Value> {
    replica.get(TITLE).unwrap()
}

#[test]
fn reopening_never_shows_less_whatever_the_wall_clock_says() {
    for (behind, writes) in BEHIND.into_iter().flat_map(|behind| [(behind, false), (behind, true)]) {
        let file = File::new();
        let mut replica = file.open(NOW.0);
        ingest(
            &mut replica,
            &[set("bob", NOW.0 - 5, 0, "title", "theirs"), set("bob", NOW.0 + DAY, 0, "b", 1_i32)],
        );
        if writes {
            replica.set(NOW, ("Task", "t1", "own"), "mine").unwrap();
        }
        let before = shown(&replica);
        drop(replica);
        for _ in 0..2 {
            assert_eq!(shown(&file.open(behind)), before, "{behind}");
        }
        // What is written with that clock, where it is taken for true at all, sorts after what was there.
        let mut replica = file.open(behind);
        if WallMillis(behind).is_believable() {
            assert!(replica.clock_ahead(WallMillis(behind)).is_some());
        } else {
            let corrected = replica.set(WallMillis(behind), TITLE, "corrected").unwrap();
            assert_eq!((corrected.op().ts().c(), Some(corrected.op().ts()) > before.2), (1, true));
            assert_eq!(title(&file_again(replica, &file, behind)), Some("corrected".into()));
        }
    }
}

fn file_again(replica: Replica, file: &File, now: u64) -> Replica {
    drop(replica);
    file.open(now)
}

#[test]
fn a_value_that_was_merged_while_the_clock_was_ahead_does_not_revert() {
    let theirs = set("bob", NOW.0 + DAY, 0, "title", "tomorrow's");
    type Merge = fn(&mut Replica, &policysync::SignedOp);
    let ways: [(&str, Merge); 3] = [
        ("by an ingest", |replica, op| _ = replica.ingest(WallMillis(NOW.0 + DAY), op).unwrap()),
        ("by a poll", |replica, op| {
            ingest(replica, std::slice::from_ref(op));
            assert_eq!(replica.poll(NOW).unwrap().len(), 1);
            assert_eq!(replica.poll(WallMillis(NOW.0 + DAY)).unwrap().len(), 1);
        }),
        ("by a write", |replica, op| {
            ingest(replica, std::slice::from_ref(op));
            replica.set(WallMillis(NOW.0 + DAY), ("Task", "t1", "own"), "mine").unwrap();
        }),
    ];
    for (way, merge) in ways {
        let file = File::new();
        let mut replica = file.open(NOW.0);
        ingest(&mut replica, &[set("bob", NOW.0, 0, "title", "today's")]);
        merge(&mut replica, &theirs);
        let before = shown(&replica);
        assert_eq!(title(&replica), Some("tomorrow's".into()), "{way}");
        assert_eq!(shown(&file_again(replica, &file, NOW.0)), before, "{way}");
    }
    // By opening with a clock that is ahead.
    let file = File::new();
    ingest(&mut file.open(NOW.0), std::slice::from_ref(&theirs));
    assert_eq!(title(&file.open(NOW.0)), None);
    assert_eq!(title(&file.open(NOW.0 + DAY)), Some("tomorrow's".into()));
    assert_eq!(title(&file.open(NOW.0)), Some("tomorrow's".into()));
}

#[test]
fn a_reset_is_kept_and_held_operations_of_ones_own_come_back_when_they_are_due() {
    let file = File::new();
    let mut replica = file.open(NOW.0);
    replica.set(NOW, TITLE, "today's").unwrap();
    let wrong = WallMillis(NOW.0 + YEAR);
    let ahead = replica.set(wrong, TITLE, "next year's").unwrap();
    for mut replica in [replica].into_iter().chain(std::iter::once_with(|| file.open(NOW.0))) {
        assert_eq!(replica.clock_ahead(NOW), Some(WallMillis(YEAR)));
        let refused = replica.set(NOW, TITLE, "corrected").unwrap_err();
        let after = ahead.op().ts();
        assert_eq!(refused, WriteError::ClockAhead { by: WallMillis(YEAR), limit: WallMillis(DRIFT), after });
    }
    let mut replica = file.open(NOW.0);
    replica.reset_clock(NOW).unwrap();
    assert_eq!((title(&replica), replica.held()), (Some("today's".into()), 1));
    assert_eq!(replica.poll(NOW).unwrap().len(), 1);
    let mut replica = file_again(replica, &file, NOW.0);
    assert_eq!(
        (title(&replica), replica.held(), replica.clock_ahead(NOW)),
        (Some("today's".into()), 1, None)
    );
    let corrected = replica.set(NOW, TITLE, "corrected").unwrap();
    assert_eq!(corrected.op().ts(), Hlc::new(NOW.0, 1).unwrap());
    let mut replica = file_again(replica, &file, NOW.0);
    assert_eq!(title(&replica), Some("corrected".into()));
    // As on every other replica.
    assert_eq!(replica.poll(wrong).unwrap().len(), 1);
    assert_eq!(title(&replica), Some("next year's".into()));
    let last = replica.set(wrong, TITLE, "last").unwrap();
    assert!(last.op().ts() > ahead.op().ts());
    assert!(replica.log().forks().unwrap().is_empty());
}

#[test]
fn an_empty_file_and_a_clock_that_cannot_be_true_give_no_timestamp() {
    for now in [0, NOW.0 / 1000, NOW.0 * 1000] {
        let now = WallMillis(now);
        let file = File::new();
        let mut replica = file.open(now.0);
        assert_eq!(replica.doubted_clock(), Some(now));
        let error = replica.set(now, TITLE, "x").unwrap_err();
        assert_eq!(error, WriteError::Clock(HlcError::Doubtful { now }));
        assert!(error.to_string().contains("seconds were passed for milliseconds"), "{error}");
        assert_eq!(replica.reset_clock(now), Err(WriteError::Clock(HlcError::Doubtful { now })));
        ingest(&mut replica, &[set("bob", NOW.0, 0, "title", "theirs")]);
        assert_eq!((title(&replica), replica.doubted_clock()), (Some("theirs".into()), None));
        let ours = replica.set(now, TITLE, "ours").unwrap();
        assert_eq!((ours.op().ts(), replica.doubted_clock()), (Hlc::new(NOW.0, 1).unwrap(), Some(now)));
    }
}

/// The host's database of a replica with a journal.
#[derive(Default)]
struct Saved {
    head: Option<Vec<u8>>,
    records: Vec<Vec<u8>>,
}

impl Saved {
    fn save(&mut self, replica: &mut Replica) {
        while let Some(unsaved) = replica.unsaved(1 << 20).unwrap() {
            self.records.extend(unsaved.records().map(|record| record.bytes.to_vec()));
            self.head = Some(unsaved.head().to_vec());
            replica.confirm(&unsaved).unwrap();
        }
    }

    fn open(&self, now: u64) -> Replica {
        let numbers = (0..).map(OpSeq::new);
        let records: Vec<Record<'_>> =
            numbers.zip(&self.records).map(|(first, bytes)| Record { first, count: 1, bytes }).collect();
        let restoring =
            Restoring::new(as_alice(knowing(&PEOPLE)), self.head.as_deref(), WallMillis(now)).unwrap();
        restoring.take(&records).unwrap().finish().unwrap()
    }
}

#[test]
fn the_head_of_a_journal_carries_the_clock() {
    let mut saved = Saved::default();
    let mut replica = saved.open(NOW.0);
    ingest(&mut replica, &[set("bob", NOW.0 + DAY, 0, "title", "tomorrow's")]);
    saved.save(&mut replica);
    assert_eq!(title(&saved.open(NOW.0)), None);
    assert_eq!(replica.poll(WallMillis(NOW.0 + DAY)).unwrap().len(), 1);
    saved.save(&mut replica);
    for behind in BEHIND {
        assert_eq!(shown(&saved.open(behind)), shown(&replica), "{behind}");
    }
    replica.reset_clock(NOW).unwrap();
    saved.save(&mut replica);
    let mut replica = saved.open(NOW.0);
    assert_eq!((title(&replica), replica.clock_ahead(NOW)), (None, None));
    assert!(replica.unsaved(1).unwrap().is_none());
}

/// Days of a device whose clock jumps by years, and whose user resets it now and then.
#[test]
fn no_timestamp_is_used_twice_and_nothing_shown_is_lost_by_reopening() {
    for seed in 0..20 {
        let mut random = Random(seed);
        let file = File::new();
        let mut replica = file.open(NOW.0);
        let mut used = std::collections::BTreeSet::new();
        let clocks =
            [0, NOW.0 - YEAR, NOW.0 - 1, NOW.0, NOW.0, NOW.0 + 1, NOW.0 + DRIFT, NOW.0 + DAY, NOW.0 + YEAR];
        for step in 0..60 {
            let now = clocks[random.below(clocks.len())];
            match random.below(8) {
                0 => {
                    let before = shown(&replica);
                    replica = file_again(replica, &file, 0);
                    assert_eq!(shown(&replica), before, "seed {seed}, step {step}");
                }
                1 => _ = replica.reset_clock(WallMillis(now)),
                2 => drop(replica.poll(WallMillis(now)).unwrap()),
                3 => {
                    let c = [0, Hlc::MAX.c()][random.below(2)];
                    let op = set("bob", clocks[1 + random.below(8)], c, "title", step);
                    replica.ingest(WallMillis(now), &op).unwrap();
                }
                _ => {
                    let last = replica.clock().last();
                    match replica.set(WallMillis(now), TITLE, step) {
                        Ok(op) => {
                            assert!(used.insert(op.op().ts()), "seed {seed}, step {step}: used twice");
                            assert!(Some(op.op().ts()) > last, "seed {seed}, step {step}");
                            assert_eq!(title(&replica), Some(step.into()));
                            let is_held = now != 0 && op.op().ts().t() > now + DRIFT;
                            assert!(!is_held, "seed {seed}, step {step}: others would hold it");
                        }
                        Err(error) => {
                            assert!(
                                matches!(error, WriteError::ClockAhead { .. } | WriteError::Clock(_)),
                                "{error}"
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn an_own_operation_that_is_fetched_again_after_a_reset_is_held() {
    let file = File::new();
    let mut replica = file.open(NOW.0);
    replica.reset_clock(NOW).unwrap();
    let mut replica = file_again(replica, &file, NOW.0);
    ingest(&mut replica, &[set("alice", NOW.0 + DRIFT + 1, 0, "title", "next year's")]);
    assert_eq!((replica.held(), replica.actor()), (1, Some(key("alice").public_key().actor())));
    // The counter of the last timestamp that is allowed is full, and the next one is used.
    ingest(&mut replica, &[set("bob", NOW.0 + DRIFT, Hlc::MAX.c(), "title", "full")]);
    assert_eq!(replica.clock_ahead(NOW), Some(WallMillis(DRIFT + 1)));
    let doubtful = replica.set(WallMillis(0), TITLE, "mine").unwrap();
    assert_eq!(doubtful.op().ts(), Hlc::new(NOW.0 + DRIFT + 1, 1).unwrap());
    assert!(replica.log().forks().unwrap().is_empty());
}

/// A store in memory that can be told to fail.
struct Failing(MemoryStore, Arc<AtomicBool>);

impl Store for Failing {
    fn head(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.head()
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<(), StoreError> {
        if self.1.load(Ordering::Relaxed) { Err(StoreError::Full) } else { self.0.commit(commit) }
    }

    fn read<'a>(&'a self, seq: OpSeq, scratch: &'a mut Vec<u8>) -> Result<Option<Record<'a>>, StoreError> {
        self.0.read(seq, scratch)
    }
}

#[test]
fn what_the_store_cannot_keep_is_not_shown() {
    let fails = Arc::new(AtomicBool::new(false));
    let store = Failing(MemoryStore::new(), Arc::clone(&fails));
    let mut replica = Replica::open(as_alice(knowing(&PEOPLE).store(store, NOW))).unwrap();
    ingest(&mut replica, &[set("bob", NOW.0 + DAY, 0, "title", "tomorrow's")]);
    let tomorrow = WallMillis(NOW.0 + DAY);
    fails.store(true, Ordering::Relaxed);
    assert_eq!(replica.poll(tomorrow), Err(StoreError::Full));
    assert_eq!((title(&replica), replica.held()), (None, 1));
    fails.store(false, Ordering::Relaxed);
    assert_eq!(replica.poll(tomorrow).unwrap().len(), 1);
    fails.store(true, Ordering::Relaxed);
    let before = shown(&replica);
    assert!(matches!(replica.reset_clock(NOW), Err(WriteError::Ingest(_))));
    assert_eq!((shown(&replica), replica.clock_ahead(NOW)), (before, Some(WallMillis(DAY))));
}
