//! A fleet of devices and a relay without keys: registries that differ and grow, clocks that jump by years, counters at
//! their end, guards, a stranger who floods with long names, restarts, and files that are replaced by older copies.
//!
//! Messages are not lost here; `simulation` has such a network. `POLICYSYNC_SEED` runs one seed.
#![cfg(feature = "sqlite")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use policysync::crypto::Signature;
use policysync::guard::Verdict;
use policysync::keys::{VerifiedOp, sign_op};
use policysync::replica::{StateCursor, StateCursorError};
use policysync::store::Durability;
use policysync::sync::SessionResult;
use policysync::{
    Hlc, Op, OpHash, Replica, ReplicaOptions, Responder, SignedOp, SyncOptions, SyncSession, WallMillis,
    WriteError,
};

use crate::common::{NOW, Random, crypto, key};

const DEVICES: usize = 4;
const STEPS: usize = 90;
const SEEDS: u64 = 8;
const YEAR: u64 = 365 * 86_400_000;
/// When everything is due.
const END: WallMillis = WallMillis(NOW.0 + 12 * YEAR);
/// The name that the guard of every device refuses.
const FORBIDDEN: &str = "forbidden";

fn actor(device: usize) -> String {
    format!("device {device}")
}

fn judge(op: &VerifiedOp<'_>) -> Verdict {
    if op.op().path() == FORBIDDEN { Verdict::Reject } else { Verdict::Admit }
}

struct Device {
    number: usize,
    path: PathBuf,
    replica: Option<Replica>,
    responder: Responder,
    /// The actors that it knows, which a restart does not change.
    known: Vec<String>,
    /// Its wall clock.
    clock: WallMillis,
    /// The winner of each field, as the feed has told.
    view: BTreeMap<String, OpHash>,
    cursor: Vec<u8>,
}

impl Device {
    fn open(&mut self) {
        let mut keys = policysync::KeyRegistry::new();
        for actor in &self.known {
            keys.register(key(actor).public_key().clone()).unwrap();
        }
        let options = ReplicaOptions::new().write_as(key(&actor(self.number))).keys(keys).guard(judge);
        let options = options.path(&self.path, self.clock).durability(Durability::ProcessOnly);
        // A log that is read back needs the keys of what is in it, which its seal spares it.
        self.replica = Some(Replica::open(options.seal_key([7; 32])).unwrap());
    }

    fn replica(&mut self) -> &mut Replica {
        self.replica.as_mut().unwrap()
    }

    fn learn(&mut self, actor: &str) {
        if !self.known.iter().any(|known| known == actor) {
            self.known.push(actor.into());
            self.replica().keys_mut().register(key(actor).public_key().clone()).unwrap();
        }
    }

    /// Writes a field. A write that succeeds is shown at once, whatever the clocks say.
    fn write(&mut self, path: &str, value: &str) {
        let (clock, field) = (self.clock, ("Task", "t1", path));
        match self.replica().set(clock, field, value) {
            Ok(_) => assert_eq!(self.replica().get(field).unwrap(), Some(value.into())),
            Err(WriteError::ClockAhead { .. }) => self.replica().reset_clock(clock).unwrap(),
            Err(error) => panic!("{error}"),
        }
    }

    /// Returns the winner of each field that has a value.
    fn winners(&self) -> BTreeMap<String, (Hlc, OpHash)> {
        let replica = self.replica.as_ref().unwrap();
        let fields = replica.fields("Task", "t1", "").unwrap().into_iter();
        let winner = |path: &str| replica.explain(("Task", "t1", path)).unwrap().unwrap().winner;
        let winner = |(path, _): (String, _)| {
            let winner = winner(&path);
            (path, (winner.op.op().ts(), winner.hash))
        };
        fields.map(winner).collect()
    }

    /// Closes the replica and opens it again. It shows no less than before, whatever its clock says.
    fn reopen(&mut self) {
        let before = self.winners();
        self.replica = None;
        self.open();
        let after = self.winners();
        assert!(before.iter().all(|(path, winner)| after.get(path).is_some_and(|after| after >= winner)));
    }

    /// Brings the view up to date with the feed, which tells neither too little nor too much.
    fn follow(&mut self) {
        let cursor = StateCursor::from_bytes(&self.cursor).unwrap();
        let replica = self.replica.as_ref().unwrap();
        let changes = match replica.changes_since(&cursor) {
            Err(StateCursorError::OtherLog) => {
                self.view.clear();
                replica.changes_since(&StateCursor::START).unwrap()
            }
            changes => changes.unwrap(),
        };
        self.cursor = changes.cursor().to_bytes();
        for change in changes {
            let change = change.unwrap();
            match change.hash {
                Some(hash) => self.view.insert(change.path, hash),
                None => self.view.remove(&change.path),
            };
        }
        let winners = self.winners().into_iter().map(|(path, (_, hash))| (path, hash)).collect();
        assert_eq!(self.view, winners, "the feed of {}", self.number);
    }
}

struct Fleet {
    random: Random,
    devices: Vec<Device>,
    relay: (Replica, Responder),
    sessions: u8,
    _directory: tempfile::TempDir,
}

/// Runs a session, and returns its result and the bytes of its messages.
fn session(
    number: u8,
    ours: (&mut Replica, WallMillis),
    peer: &str,
    theirs: (&mut Replica, WallMillis),
    responder: &mut Responder,
) -> (SessionResult, usize) {
    let mut session = SyncSession::new(SyncOptions::new().peer(peer), [number; 16]);
    let mut bytes = 0;
    while let Some(request) = session.next_message(ours.0).unwrap() {
        let reply = responder.respond(theirs.0, theirs.1, &request).unwrap();
        bytes += request.len() + reply.message.len();
        session.receive(ours.0, ours.1, &reply.message).unwrap();
    }
    (session.result().cloned().unwrap(), bytes)
}

impl Fleet {
    fn new(seed: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut random = Random(seed);
        let devices = (0..DEVICES).map(|number| {
            let mut known = vec![actor(number), String::from("edge")];
            known.extend((0..DEVICES).filter(|other| *other != number && random.below(2) == 0).map(actor));
            let mut device = Device {
                number,
                path: directory.path().join(number.to_string()),
                replica: None,
                responder: Responder::new([1; 32], SyncOptions::new()),
                known,
                clock: NOW,
                view: BTreeMap::new(),
                cursor: StateCursor::START.to_bytes(),
            };
            device.open();
            device
        });
        let devices = devices.collect();
        let relay = Replica::open(ReplicaOptions::new().dangerously_accept_unverified()).unwrap();
        let relay = (relay, Responder::new([2; 32], SyncOptions::new()));
        Self { random, devices, relay, sessions: 0, _directory: directory }
    }

    /// Runs a session of a device with another or with the relay. Returns the bytes of its messages.
    fn sync(&mut self, from: usize, to: usize) -> usize {
        self.sessions = self.sessions.wrapping_add(1);
        let number = self.sessions;
        let (result, bytes) = if to == DEVICES {
            let Device { replica, clock, .. } = &mut self.devices[from];
            let (relay, responder) = &mut self.relay;
            session(number, (replica.as_mut().unwrap(), *clock), "relay", (relay, *clock), responder)
        } else {
            let [ours, theirs] = self.devices.get_disjoint_mut([from, to]).unwrap();
            let (now, peer) = (ours.clock, actor(to));
            let Device { replica, responder, clock, .. } = theirs;
            let theirs = (replica.as_mut().unwrap(), *clock);
            session(number, (ours.replica(), now), &peer, theirs, responder)
        };
        // Who converges without an exception has the same operations.
        if matches!(result, SessionResult::Converged { .. }) {
            let theirs = if to == DEVICES { self.relay.0.log().digest() } else { self.digest(to) };
            assert_eq!(self.digest(from), theirs);
        }
        bytes
    }

    fn digest(&self, device: usize) -> policysync::oplog::LogDigest {
        self.devices[device].replica.as_ref().unwrap().log().digest()
    }

    fn path(&mut self) -> String {
        format!("path{}", self.random.below(12))
    }

    /// Gives the relay operations of an actor whom everybody knows: with a counter at its end, and a forbidden one.
    fn edge(&mut self) {
        let path = if self.random.below(3) == 0 { FORBIDDEN.into() } else { self.path() };
        let t = NOW.0 + [0, 0, YEAR, 4 * YEAR][self.random.below(4)];
        let ts = Hlc::new(t, Hlc::MAX.c()).unwrap();
        let op = Op::lww_set("edge", ts, ("Task", "t1", &*path), self.random.next().to_string()).unwrap();
        let op = sign_op(&crypto(), op, &key("edge")).unwrap();
        self.relay.0.ingest(NOW, &op).unwrap();
    }

    /// Gives the relay a few hundred operations of a stranger, with long names.
    fn flood(&mut self) {
        let name = |letter: &str| letter.repeat(300);
        let (first, stranger, id) =
            (u32::try_from(self.random.below(1 << 30)).unwrap(), name("s"), name("i"));
        let op = |c| Op::lww_set(&stranger, Hlc::new(NOW.0, c).unwrap(), ("Task", &*id, "p"), "x").unwrap();
        for c in first..first + 300 {
            let junk = SignedOp::new(op(c), &stranger, Signature::from_bytes([7; 64])).unwrap();
            self.relay.0.ingest(NOW, &junk).unwrap();
        }
    }

    fn step(&mut self) {
        let number = self.random.below(DEVICES);
        match self.random.below(16) {
            0 => self.edge(),
            1 if self.random.below(4) == 0 => self.flood(),
            2 => {
                let other = actor(self.random.below(DEVICES));
                self.devices[number].learn(&other);
            }
            // A clock that jumps by years, and most of the time is right.
            3 => {
                let years = [0, 0, 0, 1, 5][self.random.below(5)] * YEAR;
                let behind = self.random.below(3) == 0;
                self.devices[number].clock = WallMillis(if behind { NOW.0 - years } else { NOW.0 + years });
            }
            4 => {
                let device = &mut self.devices[number];
                let clock = device.clock;
                drop(device.replica().poll(clock));
            }
            5 => {
                // In the first seconds after a start the clock may be wrong.
                let clock = self.devices[number].clock;
                if self.random.below(2) == 0 {
                    self.devices[number].clock = WallMillis(NOW.0 - 5 * YEAR);
                }
                self.devices[number].reopen();
                self.devices[number].clock = clock;
            }
            // A copy is kept, or an older one is put in the place of the file.
            6 => {
                let device = &mut self.devices[number];
                device.replica = None;
                let copy = device.path.with_extension("copy");
                if copy.exists() && self.random.below(2) == 0 {
                    std::fs::copy(&copy, &device.path).unwrap();
                } else {
                    std::fs::copy(&device.path, &copy).unwrap();
                }
                device.open();
            }
            7..11 => {
                let to = self.random.below(DEVICES + 1);
                if to != number {
                    self.sync(number, to);
                }
            }
            _ => {
                let (path, value) = (self.path(), self.random.next().to_string());
                self.devices[number].write(&path, &value);
            }
        }
    }

    /// Sets all clocks right, introduces everybody, and checks that all devices become equal.
    fn settle(&mut self) {
        for number in 0..DEVICES {
            (0..DEVICES).for_each(|other| self.devices[number].learn(&actor(other)));
            self.devices[number].clock = END;
        }
        for _ in 0..2 {
            for from in 0..DEVICES {
                (0..=DEVICES).filter(|to| *to != from).for_each(|to| _ = self.sync(from, to));
            }
        }
        let mut states = Vec::new();
        for device in &mut self.devices {
            drop(device.replica().poll(END));
            device.follow();
            assert!(!device.view.contains_key(FORBIDDEN));
            let replica = device.replica.as_ref().unwrap();
            states.push((replica.log().digest(), replica.state_digest(), replica.held()));
        }
        assert!(states.iter().all(|state| *state == states[0] && state.2 == 0), "{states:?}");
        // What the relay has and all refuse costs nothing more.
        for from in 0..DEVICES {
            let bytes = self.sync(from, DEVICES);
            assert!(bytes <= 4096, "{bytes} bytes for nothing");
        }
    }
}

#[test]
fn a_fleet_agrees_in_the_end_whatever_its_clocks_keys_and_files_have_been() {
    let seed = std::env::var("POLICYSYNC_SEED").ok().map(|seed| seed.parse().unwrap());
    for seed in seed.map_or(0..SEEDS, |seed| seed..seed + 1) {
        println!("seed {seed}");
        let mut fleet = Fleet::new(seed);
        for _ in 0..STEPS {
            fleet.step();
            let follower = fleet.random.below(DEVICES);
            fleet.devices[follower].follow();
        }
        fleet.settle();
    }
}
