//! The changes since a cursor that was kept, across every kind of change and across restarts.

use std::collections::BTreeMap;

use policysync::op::OpSeq;
use policysync::replica::{Restoring, StateCursor, StateCursorError};
use policysync::state::Standing;
use policysync::store::Record;
use policysync::{OpHash, Replica, WallMillis};

use super::common::{NOW, Random, delete, knowing, set};
use super::{PEOPLE, as_alice, ingest, open, some_ops};

const HOUR: u64 = 3_600_000;
const PATHS: usize = 8;

/// The winner of each field.
type Winners = BTreeMap<String, OpHash>;

fn path(n: usize) -> String {
    format!("path{n}")
}

/// Reads the winners in another way than the feed does.
fn winners(replica: &Replica) -> Winners {
    let winner = |path: &String| {
        let history = replica.history(("Task", "t1", path.as_str())).unwrap();
        history.into_iter().find(|version| version.standing == Standing::Winner).map(|version| version.hash)
    };
    (0..PATHS).map(path).filter_map(|path| winner(&path).map(|hash| (path, hash))).collect()
}

/// A cursor as its bytes, with the winners at its time.
struct Kept {
    cursor: Vec<u8>,
    winners: Winners,
}

impl Kept {
    fn new(replica: &Replica) -> Self {
        Self { cursor: replica.state_cursor().to_bytes(), winners: winners(replica) }
    }

    /// Checks that the feed tells exactly the fields with another winner.
    fn check(&self, replica: &Replica, what: &str) {
        let now = winners(replica);
        let cursor = StateCursor::from_bytes(&self.cursor).unwrap();
        let changes = replica.changes_since(&cursor).unwrap();
        assert_eq!(*changes.cursor(), replica.state_cursor());
        let mut told: BTreeMap<String, Option<OpHash>> = BTreeMap::new();
        for change in changes {
            let change = change.unwrap();
            let value = replica.get(change.field()).unwrap();
            assert_eq!(change.value(), value.as_ref(), "{what}");
            assert_eq!(change.author().is_some(), change.hash.is_some());
            assert!(told.insert(change.path, change.hash).is_none(), "{what}: told twice");
        }
        let expected = (0..PATHS).map(path).filter(|path| now.get(path) != self.winners.get(path));
        let expected: BTreeMap<_, _> = expected.map(|path| (path.clone(), now.get(&path).copied())).collect();
        assert_eq!(told, expected, "{what}");
    }
}

/// Ingests or writes something at a time near `now`, sometimes hours ahead.
fn change(replica: &mut Replica, random: &mut Random, now: u64, c: u32) {
    let path = path(random.below(PATHS));
    let ahead = [0, 0, 1, 3, 9][random.below(5)] * HOUR;
    let t = now + ahead - u64::try_from(random.below(2000)).unwrap();
    match random.below(4) {
        0 => _ = replica.set(WallMillis(now), ("Task", "t1", path.as_str()), format!("own {c}")),
        1 => _ = replica.ingest(WallMillis(now), &delete("bob", t, c, &path)).unwrap(),
        _ => _ = replica.ingest(WallMillis(now), &set(PEOPLE[random.below(3)], t, c, &path, "x")).unwrap(),
    }
}

#[test]
fn the_feed_of_a_file_tells_exactly_what_has_changed() {
    for seed in 0..12 {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("log");
        let open = |now| Replica::open(as_alice(knowing(&PEOPLE).path(&file, WallMillis(now)))).unwrap();
        let (mut random, mut now) = (Random(seed), NOW.0);
        let mut replica = open(now);
        let mut kept = vec![Kept { cursor: StateCursor::START.to_bytes(), winners: Winners::new() }];
        for step in 0..80_u32 {
            match random.below(10) {
                0 => {
                    drop(replica);
                    // The clock may be wrong when it is opened.
                    replica = open(if random.below(3) == 0 { now - 5 * HOUR } else { now });
                }
                1 => replica.reset_clock(WallMillis(now)).unwrap(),
                2 => now += u64::try_from(random.below(4)).unwrap() * HOUR,
                3 => _ = replica.poll(WallMillis(now)).unwrap(),
                // A wrong tick ahead, and back.
                4 if random.below(3) == 0 => _ = replica.poll(WallMillis(now + 6 * HOUR)).unwrap(),
                _ => change(&mut replica, &mut random, now, step),
            }
            kept.iter().for_each(|kept| kept.check(&replica, &format!("seed {seed}, step {step}")));
            if random.below(8) == 0 {
                kept.push(Kept::new(&replica));
            }
        }
        assert!(kept.len() > 4 && replica.log().len() > 20);
    }
}

/// A host that saves the operations of a replica with a journal.
#[derive(Default)]
struct Host {
    head: Option<Vec<u8>>,
    records: Vec<Vec<u8>>,
}

impl Host {
    fn open(&self, now: u64) -> Replica {
        let numbered = OpSeq::FIRST.onwards().zip(&self.records);
        let records: Vec<Record<'_>> =
            numbered.map(|(first, bytes)| Record { first, count: 1, bytes }).collect();
        let options = as_alice(knowing(&PEOPLE));
        let restoring = Restoring::new(options, self.head.as_deref(), WallMillis(now)).unwrap();
        restoring.take(&records).unwrap().finish().unwrap()
    }

    fn save(&mut self, replica: &mut Replica) {
        while let Some(unsaved) = replica.unsaved(200).unwrap() {
            self.head = Some(unsaved.head().to_vec());
            self.records.extend(unsaved.records().map(|record| record.bytes.to_vec()));
            replica.confirm(&unsaved).unwrap();
        }
    }
}

#[test]
fn the_feed_of_a_journal_tells_also_what_was_taken_back_or_never_saved() {
    for seed in 0..12 {
        let (mut random, mut now, mut host) = (Random(100 + seed), NOW.0, Host::default());
        let mut replica = host.open(now);
        let mut kept = vec![Kept { cursor: StateCursor::START.to_bytes(), winners: Winners::new() }];
        for step in 0..80_u32 {
            match random.below(12) {
                0 => replica = host.open(now),
                1 => _ = replica.take_back().unwrap(),
                2 => now += HOUR,
                3 => _ = replica.poll(WallMillis(now)).unwrap(),
                4 | 5 => host.save(&mut replica),
                _ => change(&mut replica, &mut random, now, step),
            }
            kept.iter().for_each(|kept| kept.check(&replica, &format!("seed {seed}, step {step}")));
            if random.below(8) == 0 {
                kept.push(Kept::new(&replica));
            }
        }
        assert!(kept.len() > 4 && replica.log().len() > 5);
    }
}

#[test]
fn a_cursor_of_another_log_or_of_a_log_that_has_lost_operations_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (file, copy) = (directory.path().join("log"), directory.path().join("copy"));
    let mut replica = open(&file);
    ingest(&mut replica, &some_ops()[..10]);
    replica.back_up(&copy).unwrap();
    let before = replica.state_cursor();
    ingest(&mut replica, &some_ops()[10..]);
    let cursor = replica.state_cursor();

    let older = Replica::open(knowing(&PEOPLE).path(&copy, NOW)).unwrap();
    assert_eq!(older.changes_since(&cursor).err(), Some(StateCursorError::OtherLog));
    assert_eq!(older.changes_since(&before).unwrap().count(), 0);
    let mut other = Replica::open(knowing(&PEOPLE)).unwrap();
    let mut reversed = some_ops();
    reversed.reverse();
    ingest(&mut other, &reversed);
    assert_eq!(other.changes_since(&cursor).err(), Some(StateCursorError::OtherLog));
    // The same operations in the same order are the same log.
    let mut same = Replica::open(knowing(&PEOPLE)).unwrap();
    ingest(&mut same, &some_ops());
    assert_eq!(same.changes_since(&cursor).unwrap().count(), 0);
    let all = |replica: &Replica| replica.changes_since(&StateCursor::START).unwrap().count();
    assert_eq!((all(&same), all(&other)), (8, 8));
}

#[test]
fn a_cursor_is_read_from_its_bytes_and_from_no_others() {
    let file = tempfile::tempdir().unwrap();
    let mut saved = open(&file.path().join("log"));
    ingest(&mut saved, &some_ops());
    let mut unsaved = Host::default().open(NOW.0);
    unsaved.set(NOW, ("Task", "t1", "title"), "x").unwrap();
    for cursor in [StateCursor::START, saved.state_cursor(), unsaved.state_cursor()] {
        let bytes = cursor.to_bytes();
        assert_eq!(StateCursor::from_bytes(&bytes), Ok(cursor));
        for len in 0..bytes.len() {
            assert!(StateCursor::from_bytes(&bytes[..len]).is_err());
        }
        let longer = StateCursor::from_bytes(&[&bytes[..], &[0]].concat());
        assert!(matches!(longer, Err(StateCursorError::Malformed(_))));
        let newer = StateCursor::from_bytes(&[&bytes[..1], &[2], &bytes[2..]].concat());
        assert_eq!(newer, Err(StateCursorError::Version { found: 2, known: 1 }));
    }
    assert!(saved.state_cursor().to_bytes().len() < 50);
}
