//! A fleet of devices and a relay without keys: registries that differ and grow, guards that change, clocks that jump by
//! years and are wrong at the end, counters at their end, floods with long names, forged copies, a peer that speaks the
//! protocol and lies, one that claims that good copies are bad, pushes, restarts, and files that are replaced by older
//! copies.
//!
//! Each session between honest sides is accounted: bytes, what is carried in vain, signatures verified, disk. Messages
//! are not lost here; `simulation` has such a network. `POLICYSYNC_SEED` runs one seed, `POLICYSYNC_SEEDS` more of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use policysync::crypto::{KeyPair, Signature};
use policysync::guard::Verdict;
use policysync::keys::{VerifiedOp, sign_op};
use policysync::oplog::LogDigest;
use policysync::replica::{StateCursor, StateCursorError};
use policysync::store::Durability;
use policysync::sync::{DEFAULT_MESSAGE_BYTES, Progress, Push, ResumeToken, SessionResult};
use policysync::{
    Hlc, Incoming, KeyRegistry, Op, OpHash, Replica, ReplicaOptions, Responder, SignedOp, SigningPublicKey,
    SyncOptions, SyncSession, WallMillis, WriteError,
};

use crate::common::{NOW, Random, crypto, key};
use crate::ledger::{Ledger, Session};
use crate::liar::{Liar, TRAITOR};

const DEVICES: usize = 4;
/// The number of the relay, after those of the devices.
const RELAY: usize = DEVICES;
const STEPS: usize = 120;
const SEEDS: u64 = 8;
/// Each seed of this many has floods of tens of thousands of operations, in a release build.
const HEAVY: u64 = 24;
const MINUTE: u64 = 60_000;
const YEAR: u64 = 365 * 86_400_000;
/// The time at which everything is due.
const END: WallMillis = WallMillis(NOW.0 + 12 * YEAR);
/// Actors whom everybody knows besides the devices.
const KNOWN: [&str; 2] = ["edge", TRAITOR];
/// The paths that the guards refuse: all of them, and the strict ones.
const FORBIDDEN: &str = "forbidden";
const LATER: &str = "later";
/// Rounds of sessions after which all are equal.
const ROUNDS: usize = 2;
/// The most answers that a session with the liar may have: it ends after 73,728 refused operations.
const MAX_ANSWERS: u32 = 1300;
const MAX_REFUSED: u64 = 80_000;
/// Sessions of a newcomer that refuse copies before all genuine ones have reached it: each claims 16.
const MAX_RECOVERIES: usize = 8;
/// Bytes that a device keeps of an operation that it has refused.
const REFUSED_BYTES: u64 = 100;

fn actor(device: usize) -> String {
    format!("device {device}")
}

/// Returns the name of a peer.
fn name(side: usize) -> String {
    if side == RELAY { "relay".into() } else { actor(side) }
}

/// The state of a device's wall clock.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clock {
    Right,
    Ahead(u64),
    Behind(u64),
    /// It was never set, and shows the seconds since the start.
    Unset,
}

struct Device {
    number: usize,
    path: PathBuf,
    replica: Option<Replica>,
    responder: Responder,
    /// The actors that it knows, which a restart does not change.
    known: Vec<String>,
    /// True if its guard refuses more.
    is_strict: bool,
    clock: Clock,
    tokens: BTreeMap<usize, ResumeToken>,
    /// The winner of each field, as the feed has told.
    view: BTreeMap<String, OpHash>,
    cursor: Vec<u8>,
}

fn at(now: u64, clock: Clock) -> WallMillis {
    WallMillis(match clock {
        Clock::Right => now,
        Clock::Ahead(by) => now + by,
        Clock::Behind(by) => now - by,
        Clock::Unset => 20_000,
    })
}

impl Device {
    fn open(&mut self, now: u64) {
        let mut keys = KeyRegistry::new();
        for actor in &self.known {
            keys.register(key(actor).public_key().clone()).unwrap();
        }
        let is_strict = self.is_strict;
        let judge = move |op: &VerifiedOp<'_>| match op.op().path() {
            FORBIDDEN => Verdict::Reject,
            LATER if is_strict => Verdict::Reject,
            _ => Verdict::Admit,
        };
        let options = ReplicaOptions::new().write_as(key(&actor(self.number))).keys(keys).guard(judge);
        let options = options.guard_revision(u64::from(is_strict));
        let options = options.path(&self.path, at(now, self.clock)).durability(Durability::ProcessOnly);
        // A log that is read back needs the keys of what is in it, which its seal spares it.
        self.replica = Some(Replica::open(options.seal_key([7; 32])).unwrap());
        self.tokens.clear();
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

    /// Writes a field. A write that succeeds is shown at once and sorts after all that is shown, and nobody with a right
    /// clock holds it.
    fn write(&mut self, now: u64, path: &str, value: &str) {
        if self.is_strict && path == LATER {
            return;
        }
        let (clock, field) = (at(now, self.clock), ("Task", "t1", path));
        let newest = self.winners().into_values().map(|(ts, _)| ts).max();
        match self.replica().set(clock, field, value) {
            Ok(op) => {
                assert_eq!(self.replica().get(field).unwrap(), Some(value.into()));
                let ts = op.op().ts();
                assert!(Some(ts) > newest, "{ts:?} is not after {newest:?}");
                let latest = clock.saturating_add(ReplicaOptions::DEFAULT_MAX_DRIFT);
                assert!(ts.t() <= latest.0 || !clock.is_believable(), "{ts:?} is ahead of {clock}");
            }
            Err(WriteError::ClockAhead { .. }) => self.replica().reset_clock(clock).unwrap(),
            // With nothing merged, there is no time to write at.
            Err(WriteError::Clock(_)) if self.clock == Clock::Unset => {}
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

    /// Closes the replica and opens it again, with a clock that may be wrong in the first seconds. It shows no less than
    /// before.
    fn reopen(&mut self, now: u64, first: Clock) {
        let before = self.winners();
        self.replica = None;
        let clock = std::mem::replace(&mut self.clock, first);
        self.open(now);
        let after = self.winners();
        for (path, winner) in before {
            let after = after.get(&path);
            assert!(
                after.is_some_and(|after| *after >= winner),
                "device {} shows less after it was opened: {winner:?}, then {after:?}",
                self.number
            );
        }
        self.clock = clock;
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
    now: u64,
    /// True if floods have tens of thousands of operations.
    is_heavy: bool,
    /// True if the relay holds operations of which there is no genuine copy, so that it asks for one for ever.
    has_forged: bool,
    devices: Vec<Device>,
    relay: (Replica, Responder),
    liar: Liar,
    ledger: Ledger,
    sessions: u64,
    directory: tempfile::TempDir,
}

/// Bytes of a file with little in it, and of a journal before SQLite empties it: 1,000 pages.
const FILE_BYTES: u64 = 64 << 10;
const JOURNAL_BYTES: u64 = 5 << 20;

/// Checks that a file and its journal are no larger than what is in them, and what was refused, allows.
fn check_disk(path: &Path, replica: &Replica, refused: u64) {
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    let mut journal = path.as_os_str().to_owned();
    journal.push("-wal");
    let binary: usize = replica.log().iter().map(|entry| entry.unwrap().op.to_binary().len()).sum();
    let most = 3 * u64::try_from(binary).unwrap() + REFUSED_BYTES * refused;
    let sizes = (size(path), size(Path::new(&journal)));
    assert!(sizes.0 <= most + FILE_BYTES && sizes.1 <= most + JOURNAL_BYTES, "{sizes:?} bytes for {binary}");
}

impl Fleet {
    fn new(seed: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut random = Random(seed);
        let devices = (0..DEVICES).map(|number| {
            let mut known = vec![actor(number)];
            known.extend(KNOWN.map(String::from));
            known.extend((0..DEVICES).filter(|other| *other != number && random.below(2) == 0).map(actor));
            let mut device = Device {
                number,
                path: directory.path().join(number.to_string()),
                replica: None,
                responder: Responder::new([1; 32], SyncOptions::new()),
                known,
                is_strict: random.below(2) == 0,
                clock: Clock::Right,
                tokens: BTreeMap::new(),
                view: BTreeMap::new(),
                cursor: StateCursor::START.to_bytes(),
            };
            device.open(NOW.0);
            device
        });
        let devices = devices.collect();
        let relay = ReplicaOptions::new().dangerously_accept_unverified();
        let relay = relay.path(directory.path().join("relay"), NOW).durability(Durability::ProcessOnly);
        let relay = (Replica::open(relay).unwrap(), Responder::new([2; 32], SyncOptions::new()));
        Self {
            random,
            now: NOW.0,
            is_heavy: seed % HEAVY == HEAVY - 1 && !cfg!(debug_assertions),
            has_forged: false,
            devices,
            relay,
            liar: Liar::new(seed),
            ledger: Ledger::default(),
            sessions: 0,
            directory,
        }
    }

    /// Returns the two sides of a session: the device, the other side with its responder, and their clocks.
    fn sides(
        &mut self,
        from: usize,
        to: usize,
    ) -> (&mut Device, &mut Replica, &mut Responder, [WallMillis; 2]) {
        let now = self.now;
        if to == RELAY {
            let (relay, responder) = &mut self.relay;
            let device = &mut self.devices[from];
            let clock = at(now, device.clock);
            return (device, relay, responder, [clock, WallMillis(now)]);
        }
        let [ours, theirs] = self.devices.get_disjoint_mut([from, to]).unwrap();
        let clocks = [at(now, ours.clock), at(now, theirs.clock)];
        (ours, theirs.replica.as_mut().unwrap(), &mut theirs.responder, clocks)
    }

    fn begin(&mut self, peer: &str, resume: Option<ResumeToken>) -> SyncSession {
        self.sessions += 1;
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&self.sessions.to_le_bytes());
        let options = resume.into_iter().fold(SyncOptions::new().peer(peer), SyncOptions::resume);
        SyncSession::new(options, nonce)
    }

    /// Runs a session of a device with another or with the relay. Returns its account.
    fn sync(&mut self, from: usize, to: usize) -> (SessionResult, Session) {
        let resume = self.devices[from].tokens.remove(&to).filter(|_| self.random.below(4) > 0);
        let mut session = self.begin(&name(to), resume);
        let mut account = Ledger::begin(from, to);
        let mut ledger = std::mem::take(&mut self.ledger);
        let (device, theirs, responder, clocks) = self.sides(from, to);
        let ours = device.replica.as_mut().unwrap();
        while let Some(request) = session.next_message(ours).unwrap() {
            ledger.add_request(&mut account, &request);
            let reply = responder.respond(theirs, clocks[1], &request).unwrap();
            ledger.add_answer(&mut account, &reply.message);
            ledger.count(to, &reply.received);
            session.receive(ours, clocks[0], &reply.message).unwrap();
        }
        let progress = session.progress();
        ledger.count(from, &progress.received);
        Ledger::check(&account, &progress);
        let result = session.result().cloned().unwrap();
        // Who converges without an exception has the same operations.
        if result.is_converged() {
            assert_eq!(ours.log().digest(), theirs.log().digest());
        }
        device.tokens.extend(result.resume_token().map(|token| (to, token.clone())));
        self.ledger = ledger;
        (result, account)
    }

    /// Lets a device write over a connection that stays open, while the other side receives operations too.
    fn push(&mut self, from: usize, to: usize) {
        let (result, _) = self.sync(from, to);
        let Some(token) = result.resume_token().cloned() else { return };
        let floods = to == RELAY && self.random.below(3) == 0;
        if floods {
            self.edge(3);
        }
        let path = self.path();
        let value = self.random.next().to_string();
        let now = self.now;
        let mut ledger = std::mem::take(&mut self.ledger);
        let (device, theirs, responder, clocks) = self.sides(from, to);
        let before = device.replica().log().len();
        device.write(now, &path, &value);
        let written = device.replica().log().len() - before;
        let ours = device.replica.as_mut().unwrap();
        let mut down = responder.push_after(theirs, token.id()).expect("the session is known");
        let mut up = Push::after(token, &SyncOptions::new().peer(&name(to)));
        let mut pushed = 0;
        while let Some(message) = up.next_message(ours).unwrap() {
            pushed += ledger.add_push(from, to, &message);
            assert!(message.len() <= 200 + value.len(), "{} bytes for a write", message.len());
            ledger.count(to, &down.receive(theirs, clocks[1], &message).unwrap());
        }
        assert!(pushed <= written, "{pushed} operations were pushed, and {written} written");
        while let Some(message) = down.next_message(theirs).unwrap() {
            ledger.add_push(to, from, &message);
            ledger.count(from, &up.receive(ours, clocks[0], &message).unwrap());
        }
        self.ledger = ledger;
    }

    fn digest(&self, device: usize) -> LogDigest {
        self.devices[device].replica.as_ref().unwrap().log().digest()
    }

    fn path(&mut self) -> String {
        match self.random.below(8) {
            0 => LATER.into(),
            _ => format!("path{}", self.random.below(12)),
        }
    }

    /// Gives the relay operations of an actor whom everybody knows: with a counter at its end, and forbidden ones.
    fn edge(&mut self, count: u64) {
        let sign = |op: Op| sign_op(&crypto(), op, &key("edge")).unwrap();
        let path = self.path();
        let t = self.now + [0, 5 * MINUTE, YEAR, 4 * YEAR][self.random.below(4)];
        let ts = Hlc::new(t, Hlc::MAX.c()).unwrap();
        let value = self.random.next().to_string();
        let mut ops = vec![sign(Op::lww_set("edge", ts, ("Task", "t1", &*path), value).unwrap())];
        let forbidden = |n: u64| {
            let ts = Hlc::new(self.now - n, 7).unwrap();
            sign(Op::lww_set("edge", ts, ("Task", "t1", FORBIDDEN), n.to_string()).unwrap())
        };
        ops.extend((0..count).map(forbidden));
        self.give_relay(&ops);
    }

    fn give_relay(&mut self, ops: &[SignedOp]) {
        for batch in ops.chunks(1000) {
            let batch: Vec<Incoming<'_>> = batch.iter().map(Incoming::from).collect();
            self.relay.0.ingest_batch(WallMillis(self.now), &batch).unwrap();
        }
    }

    /// Gives the relay operations of a stranger with long names, or in the name of a device.
    fn flood(&mut self) {
        let count = if self.is_heavy { 30_000 } else { 300 };
        let len = if self.is_heavy { 20 } else { 300 };
        let is_stranger = self.random.below(2) == 0;
        let author = if is_stranger { "s".repeat(len) } else { actor(self.random.below(DEVICES)) };
        let kid = key(&author).public_key().kid().to_owned();
        let first = u32::try_from(self.random.below(1 << 20)).unwrap();
        let id = "i".repeat(len);
        let op = |c| Op::lww_set(&author, Hlc::new(NOW.0, c).unwrap(), ("Task", &*id, "p"), "x").unwrap();
        let junk = |c| SignedOp::new(op(c), &kid, Signature::from_bytes([7; 64])).unwrap();
        self.has_forged |= !is_stranger;
        // Each device verifies those once.
        let count = if is_stranger { count } else { count / 10 };
        self.give_relay(&(first..first + count).map(junk).collect::<Vec<_>>());
    }

    /// Lets a device begin a session with the liar, or the liar with a device or the relay. Nothing is lost, and
    /// nothing costs more than its bound.
    fn lie(&mut self) {
        let side = self.random.below(DEVICES + 1);
        let relay = self.relay.0.log();
        let from = relay.len().saturating_sub(self.random.below(40));
        self.liar.seen = relay
            .iter()
            .skip(from)
            .take(20)
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.hash, entry.op))
            .collect();
        if side != RELAY && self.random.below(2) == 0 {
            self.ask_the_liar(side);
        } else {
            self.answer_the_liar(side);
        }
    }

    fn ask_the_liar(&mut self, number: usize) {
        let mut session = self.begin("liar", None);
        let device = &mut self.devices[number];
        let clock = at(self.now, device.clock);
        let replica = device.replica.as_mut().unwrap();
        let before = replica.log().len();
        self.liar.begin();
        let packed: usize = replica.log().iter().map(|entry| entry.unwrap().op.to_binary().len()).sum();
        while let Ok(Some(request)) = session.next_message(replica) {
            assert!(request.len() <= DEFAULT_MESSAGE_BYTES);
            let answer = self.liar.answer(&request);
            if session.receive(replica, clock, &answer).is_err() {
                break;
            }
            assert!(!self.liar.is_over_a_limit, "{} bytes were accepted", answer.len());
            let Progress { round_trips, received, .. } = session.progress();
            assert!(round_trips <= MAX_ANSWERS && received.refused.total() <= MAX_REFUSED, "it does not end");
        }
        assert!(replica.log().len() >= before);
        // Each operation is sent once, and once more if the liar claims that its copy is bad.
        let sent = usize::try_from(session.progress().op_bytes_sent).unwrap();
        assert!(sent <= 2 * packed, "{sent} bytes of operations sent, and there are {packed}");
        self.ledger.count_lies(number, &session.progress().received);
    }

    fn answer_the_liar(&mut self, side: usize) {
        let now = self.now;
        let (replica, responder, clock) = match side {
            RELAY => (&mut self.relay.0, &mut self.relay.1, WallMillis(now)),
            _ => {
                let device = &mut self.devices[side];
                (device.replica.as_mut().unwrap(), &mut device.responder, at(now, device.clock))
            }
        };
        let before = replica.log().len();
        let mut requests = self.liar.requests();
        let mut answer: Option<Vec<u8>> = None;
        while let Some(request) = requests(&mut self.liar, answer.as_deref()) {
            answer = None;
            let Ok(reply) = responder.respond(replica, clock, &request) else { continue };
            assert!(!self.liar.is_over_a_limit, "{} bytes were accepted", request.len());
            assert!(reply.message.len() <= DEFAULT_MESSAGE_BYTES, "{} bytes", reply.message.len());
            self.ledger.count_lies(side, &reply.received);
            answer = Some(reply.message);
        }
        assert!(replica.log().len() >= before);
    }

    /// Lets a replica with wrong keys synchronize with the relay, so that it claims that good copies are bad.
    fn slander(&mut self) {
        let mut keys = KeyRegistry::new();
        for device in (0..DEVICES).map(actor) {
            let other = KeyPair::from_seed(&[5; 32]).unwrap().public_key();
            let kid = key(&device).public_key().kid().to_owned();
            keys.register(SigningPublicKey::with_kid(&device, &kid, other).unwrap()).unwrap();
        }
        let mut slanderer = Replica::open(ReplicaOptions::new().keys(keys)).unwrap();
        let mut session = self.begin("relay", None);
        let (relay, responder) = &mut self.relay;
        while let Some(request) = session.next_message(&slanderer).unwrap() {
            let reply = responder.respond(relay, WallMillis(self.now), &request).unwrap();
            session.receive(&mut slanderer, WallMillis(self.now), &reply.message).unwrap();
        }
        assert!(slanderer.log().is_empty());
    }

    fn step(&mut self) {
        // Minutes, and at times days.
        self.now += u64::try_from(self.random.below(40)).unwrap() * MINUTE;
        if self.random.below(10) == 0 {
            self.now += 2 * 86_400_000;
        }
        let (number, now) = (self.random.below(DEVICES), self.now);
        match self.random.below(20) {
            0 => {
                let count = if self.is_heavy && self.random.below(4) == 0 { 20_000 } else { 20 };
                self.edge(count);
                // The next write comes right after a counter at its end.
                self.sync(number, RELAY);
                let (path, value) = (self.path(), self.random.next().to_string());
                self.devices[number].write(now, &path, &value);
            }
            1 if self.random.below(4) == 0 => self.flood(),
            1 if self.random.below(3) == 0 => self.slander(),
            2 => {
                let other = actor(self.random.below(DEVICES));
                self.devices[number].learn(&other);
                self.ledger.may_want_again(number);
            }
            // A clock that jumps by years, and most of the time is right.
            3 => {
                let years = [1, 5][self.random.below(2)] * YEAR;
                let clocks =
                    [Clock::Right, Clock::Right, Clock::Ahead(years), Clock::Behind(years), Clock::Unset];
                self.devices[number].clock = clocks[self.random.below(clocks.len())];
            }
            4 => {
                let device = &mut self.devices[number];
                let clock = at(now, device.clock);
                drop(device.replica().poll(clock));
            }
            5 => self.reopen(number),
            // A copy is kept, or an older one is put in the place of the file.
            6 => {
                let device = &mut self.devices[number];
                device.replica = None;
                let copy = device.path.with_extension("copy");
                if copy.exists() && self.random.below(2) == 0 {
                    std::fs::copy(&copy, &device.path).unwrap();
                    self.ledger.has_lost(number);
                } else {
                    std::fs::copy(&device.path, &copy).unwrap();
                }
                device.open(now);
            }
            7 | 8 => self.lie(),
            9 | 10 => {
                let to = self.random.below(DEVICES + 1);
                if to != number {
                    self.push(number, to);
                }
            }
            11..15 => {
                let to = self.random.below(DEVICES + 1);
                if to != number {
                    self.sync(number, to);
                }
            }
            _ => {
                let (path, value) = (self.path(), self.random.next().to_string());
                self.devices[number].write(now, &path, &value);
            }
        }
    }

    /// Restarts a device, at times with another guard, and with a clock that is wrong in the first seconds.
    fn reopen(&mut self, number: usize) {
        if self.random.below(3) == 0 {
            self.devices[number].is_strict ^= true;
            self.ledger.may_want_again(number);
        }
        let clock = self.devices[number].clock;
        let clocks = [clock, Clock::Behind(5 * YEAR), Clock::Unset];
        self.devices[number].reopen(self.now, clocks[self.random.below(clocks.len())]);
    }

    /// Runs sessions of everybody with everybody.
    fn round(&mut self) {
        for from in 0..DEVICES {
            (0..=RELAY).filter(|to| *to != from).for_each(|to| drop(self.sync(from, to)));
        }
    }

    /// Introduces everybody, and checks that all devices become equal: first their logs, whatever their clocks show,
    /// then what they show, with the right time.
    fn settle(&mut self) {
        for number in 0..DEVICES {
            (0..DEVICES).for_each(|other| self.devices[number].learn(&actor(other)));
            self.devices[number].is_strict = false;
            self.ledger.may_want_again(number);
            self.devices[number].reopen(self.now, Clock::Unset);
        }
        (0..ROUNDS).for_each(|_| self.round());
        let digests: Vec<LogDigest> = (0..DEVICES).map(|number| self.digest(number)).collect();
        assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:?}");
        for device in &mut self.devices {
            device.reopen(self.now, Clock::Unset);
            device.clock = Clock::Right;
        }
        self.now = END.0;
        let mut states = Vec::new();
        for device in &mut self.devices {
            drop(device.replica().poll(END));
            device.follow();
            assert!(!device.view.contains_key(FORBIDDEN));
            let replica = device.replica.as_ref().unwrap();
            states.push((replica.state_digest(), replica.held()));
        }
        assert!(states.iter().all(|state| *state == states[0] && state.1 == 0), "{states:?}");
        self.welcome();
        self.check();
    }

    /// Lets a newcomer synchronize with the relay alone. No copy that anybody has made up keeps it from what the devices
    /// have.
    fn welcome(&mut self) {
        let mut keys = KeyRegistry::new();
        for actor in (0..DEVICES).map(actor).chain(KNOWN.map(String::from)) {
            keys.register(key(&actor).public_key().clone()).unwrap();
        }
        let judge = |op: &VerifiedOp<'_>| match op.op().path() {
            FORBIDDEN => Verdict::Reject,
            _ => Verdict::Admit,
        };
        let mut newcomer = Replica::open(ReplicaOptions::new().keys(keys).guard(judge)).unwrap();
        for number in 0.. {
            let mut session = self.begin("relay", None);
            let (relay, responder) = &mut self.relay;
            while let Some(request) = session.next_message(&newcomer).unwrap() {
                let reply = responder.respond(relay, END, &request).unwrap();
                session.receive(&mut newcomer, END, &reply.message).unwrap();
            }
            if newcomer.log().digest() == self.digest(0) {
                return;
            }
            let (ours, theirs) = (newcomer.log().len(), self.devices[0].replica().log().len());
            assert!(number < MAX_RECOVERIES, "the newcomer has {ours} operations of {theirs}");
            (0..DEVICES).for_each(|from| drop(self.sync(from, RELAY)));
        }
    }

    /// Checks what it all has cost.
    fn check(&mut self) {
        // What the relay has and all refuse costs nothing more.
        for from in 0..DEVICES {
            let (_, account) = self.sync(from, RELAY);
            assert!(account.bytes <= 4096, "for nothing: {account:?}");
            assert!(self.has_forged || account.wanted_by_peer == 0, "a claim is not settled: {account:?}");
        }
        for number in 0..DEVICES {
            let device = &self.devices[number];
            let replica = device.replica.as_ref().unwrap();
            for entry in replica.log().iter() {
                let op = entry.unwrap().op;
                assert!(
                    policysync::keys::verify_op(&crypto(), &op, key(op.op().actor()).public_key()).is_ok()
                );
            }
            let side = self.ledger.side(number);
            side.check();
            check_disk(&device.path, replica, side.refused);
        }
        check_disk(&self.directory.path().join("relay"), &self.relay.0, 0);
    }
}

#[test]
fn a_fleet_agrees_in_the_end_whatever_its_clocks_keys_and_files_have_been() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("POLICYSYNC_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("POLICYSYNC_SEEDS").map_or(SEEDS, |seeds| SEEDS.max(seeds / 20)),
    };
    for seed in seeds {
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
