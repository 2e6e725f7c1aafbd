//! A world of replicas, each with a clock of its own, over lines that lose, repeat, delay, reorder and change what they
//! carry; one actor and one relay are malicious. All of it follows from a seed, also how often what goes wrong.
//!
//! While things go wrong: whoever is told that a session converged has nothing that the other side has not, nobody holds
//! what nobody signed, and nothing is lost. Then the lines are mended: after two rounds all honest replicas hold the same.
//!
//! `POLICYSYNC_SEED` runs one seed, `POLICYSYNC_SEEDS` so many from 0 on, after those of `seeds.txt`.

use std::collections::{BTreeMap, BTreeSet};

use policysync::crypto::{KeyPair, Signature};
use policysync::keys::sign_op;
use policysync::oplog::Cursor;
use policysync::sync::{Finish, SyncBase};
use policysync::{
    Hlc, KeyRegistry, Op, OpHash, Replica, ReplicaOptions, Responder, SignedOp, SigningSecretKey, SyncError,
    SyncOptions, SyncSession, WallMillis,
};

use crate::common::{NOW, Random, crypto, key};
use crate::hostile::mutate;

const ACTORS: [&str; 6] = ["alice", "bob", "carol", "dave", "erin", "mallory"];
const HONEST: usize = 5;
/// The replica that knows no keys, and takes what it gets.
const RELAY: usize = 5;
const SPACE: &str = "simulation";
/// How long an answer is waited for.
const PATIENCE: u64 = 4000;
const STEPS: usize = 700;
const HOUR: u64 = 3_600_000;
/// In how many rounds, in each of which everybody synchronises with everybody, all must be the same again.
const ROUNDS: u8 = 2;
/// Answers that a session over a line that works may take.
const MAX_ROUND_TRIPS: u32 = 12;
/// What bases are sealed with.
const KEY: [u8; 32] = [77; 32];
/// Seeds that have failed once, or that have found a fault put in on purpose; each is run before any other.
const SEEDS: &str = include_str!("seeds.txt");

/// How often things go wrong, of a thousand.
struct Faults {
    drop: usize,
    repeat: usize,
    change: usize,
    crash: usize,
    jump: usize,
    partition: usize,
    /// Somebody writes down what they remember of sessions.
    keep: usize,
    /// The relay shows its second face.
    withhold: usize,
}

struct Node {
    replica: Option<Replica>,
    #[cfg(feature = "sqlite")]
    file: Option<std::path::PathBuf>,
    responder: Responder,
    /// Its wall clock, relative to the true time, with an hour in front.
    ahead: u64,
    session: Option<Running>,
    bases: BTreeMap<usize, SyncBase>,
    kept: Option<Kept>,
}

/// What somebody has written down, perhaps long ago.
#[derive(Debug)]
struct Kept {
    /// With whom, and the base.
    bases: Vec<(usize, Vec<u8>)>,
    /// The responder's.
    sessions: Vec<u8>,
}

/// A session that somebody has begun.
struct Running {
    id: u64,
    session: SyncSession,
    to: usize,
    /// Since when the answer is awaited.
    since: u64,
    /// How many operations were there when it began.
    held: usize,
}

struct Packet {
    from: usize,
    to: usize,
    session: u64,
    is_request: bool,
    bytes: Vec<u8>,
}

struct World {
    random: Random,
    now: u64,
    faults: Faults,
    nodes: Vec<Node>,
    /// What the relay shows to some: it takes what they bring, and gives it to nobody else.
    second_face: (Replica, Responder),
    wire: BTreeMap<(u64, u64), Packet>,
    sent: u64,
    /// Nodes on one side cannot reach those on the other.
    side: Vec<bool>,
    kept: Vec<Vec<u8>>,
    written: BTreeSet<String>,
    trace: Vec<u8>,
    converged: usize,
    crashes: usize,
    restored: usize,
    _directory: tempfile::TempDir,
}

fn blind() -> Replica {
    Replica::open(ReplicaOptions::new().dangerously_accept_unverified().space(SPACE)).unwrap()
}

/// The malicious actor's other key.
fn second_key() -> SigningSecretKey {
    SigningSecretKey::new("mallory", KeyPair::from_seed(&[66; 32]).unwrap()).unwrap()
}

fn everybodys_keys() -> KeyRegistry {
    let mut keys = KeyRegistry::new();
    for key in ACTORS.map(key).iter().chain([&second_key()]) {
        keys.register(key.public_key().clone()).unwrap();
    }
    keys
}

fn hashes(replica: &Replica) -> impl Iterator<Item = OpHash> + '_ {
    replica.log().since(Cursor::START).map(|entry| entry.unwrap().hash)
}

fn secret(node: usize) -> [u8; 32] {
    [u8::try_from(node).unwrap(); 32]
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let faults = Faults {
            drop: random.below(300),
            repeat: random.below(500),
            change: random.below(150),
            crash: random.below(8),
            jump: random.below(10),
            partition: random.below(20),
            keep: random.below(60),
            withhold: random.below(500),
        };
        let directory = tempfile::tempdir().unwrap();
        let nodes = (0..=HONEST)
            .map(|number| Node {
                replica: None,
                #[cfg(feature = "sqlite")]
                file: (number < 2).then(|| directory.path().join(format!("{number}.db"))),
                responder: Responder::new(secret(number), SyncOptions::new()),
                ahead: u64::try_from(random.below(7_200_000)).unwrap(),
                session: None,
                bases: BTreeMap::new(),
                kept: None,
            })
            .collect();
        let mut world = Self {
            random,
            now: NOW.0,
            faults,
            nodes,
            second_face: (blind(), Responder::new(secret(100), SyncOptions::new())),
            wire: BTreeMap::new(),
            sent: 0,
            side: vec![false; HONEST + 1],
            kept: Vec::new(),
            written: BTreeSet::new(),
            trace: Vec::new(),
            converged: 0,
            crashes: 0,
            restored: 0,
            _directory: directory,
        };
        (0..=HONEST).for_each(|number| world.open(number));
        world
    }

    fn wall(&self, number: usize) -> WallMillis {
        WallMillis(self.now - HOUR + self.nodes[number].ahead)
    }

    fn open(&mut self, number: usize) {
        let options = match number {
            RELAY => ReplicaOptions::new().dangerously_accept_unverified(),
            _ => ReplicaOptions::new().keys(everybodys_keys()).write_as(key(ACTORS[number])),
        };
        let options = options.space(SPACE);
        #[cfg(feature = "sqlite")]
        let options = match &self.nodes[number].file {
            Some(file) => {
                options.path(file, self.wall(number)).durability(policysync::store::Durability::ProcessOnly)
            }
            None => options,
        };
        self.nodes[number].replica = Some(Replica::open(options).unwrap());
    }

    fn note(&mut self, what: &str, bytes: &[u8]) {
        self.trace.extend_from_slice(&self.now.to_le_bytes());
        self.trace.extend_from_slice(what.as_bytes());
        self.trace.extend_from_slice(bytes);
        self.trace = crypto().hash(&self.trace).as_bytes().to_vec();
    }

    fn chance(&mut self, of_a_thousand: usize) -> bool {
        self.random.below(1000) < of_a_thousand
    }

    fn replica(&mut self, number: usize) -> &mut Replica {
        self.nodes[number].replica.as_mut().unwrap()
    }

    fn step(&mut self) {
        self.now += u64::try_from(self.random.below(120)).unwrap();
        match self.random.below(10) {
            0..=2 => self.write(),
            3 => self.malice(),
            4..=6 => self.start(),
            _ => {}
        }
        if self.chance(self.faults.crash) {
            self.crash();
        }
        if self.chance(self.faults.jump) {
            let number = self.random.below(HONEST);
            self.nodes[number].ahead = u64::try_from(self.random.below(7_200_000)).unwrap();
        }
        if self.chance(self.faults.keep) {
            let number = self.random.below(HONEST + 1);
            self.keep(number);
        }
        if self.chance(self.faults.partition) {
            self.side = (0..=HONEST).map(|_| self.random.below(3) == 0).collect();
        }
        self.deliver();
        self.give_up();
    }

    /// An honest actor writes.
    fn write(&mut self) {
        let number = self.random.below(HONEST);
        let (entity_id, path) = (format!("t{}", self.random.below(6)), format!("p{}", self.random.below(4)));
        let value = self.random.below(1000).to_string();
        let wall = self.wall(number);
        let is_delete = self.chance(100);
        let replica = self.replica(number);
        let op = match is_delete {
            true => replica.delete(wall, "Task", &entity_id, &path).unwrap(),
            false => replica.set(wall, "Task", &entity_id, &path, value).unwrap(),
        };
        self.note("write", op.to_json().as_bytes());
        self.written.insert(op.op().id().into_owned());
    }

    /// The malicious actor gives operations to whom it likes; it has a registered key.
    fn malice(&mut self) {
        let t = self.now - u64::try_from(self.random.below(1000)).unwrap();
        let ts = Hlc::new(t, 0).unwrap();
        let op = |ts, value: &str| Op::lww_set("mallory", ts, "Task", "t1", "p1", value.to_owned()).unwrap();
        let sign = |op: Op| sign_op(&crypto(), op, &key("mallory")).unwrap();
        let here = |op: Op| op.in_space(SPACE).unwrap();
        let value = self.random.below(1000).to_string();
        let ops: Vec<SignedOp> = match self.random.below(8) {
            // Says two things at one time, to different people.
            0 => ["one", "two", "three"].map(|value| sign(here(op(ts, value)))).into(),
            // Takes the label that somebody else will use.
            1 => vec![sign(here(op(ts, &value).labelled(&format!("alice:{t}:0")).unwrap()))],
            // From next year.
            2 => vec![sign(here(op(Hlc::new(t + 8760 * HOUR, 0).unwrap(), &value)))],
            3 => vec![sign(op(ts, &value).in_space("elsewhere").unwrap())],
            // With junk for a signature; and then signed, elsewhere.
            4 => {
                let good = sign(here(op(ts, &value)));
                let junk = Signature::from_bytes([9; 64]);
                let bad = SignedOp::new(good.op().clone(), good.kid(), junk).unwrap();
                self.offer(RELAY, &bad);
                vec![bad, good]
            }
            // The same text, signed with two keys: one operation.
            5 => {
                let again = sign_op(&crypto(), here(op(ts, &value)), &second_key()).unwrap();
                vec![sign(here(op(ts, &value))), again]
            }
            // In the name of somebody else.
            6 => {
                let signed = sign(here(op(ts, &value)));
                let alices = Op::lww_set("alice", ts, "Task", "t1", "p1", value).unwrap().in_space(SPACE);
                vec![SignedOp::new(alices.unwrap(), signed.kid(), *signed.signature()).unwrap()]
            }
            _ => vec![sign(here(op(ts, &value)))],
        };
        for op in ops {
            let number = self.random.below(HONEST + 1);
            self.offer(number, &op);
        }
    }

    fn offer(&mut self, number: usize, op: &SignedOp) {
        let wall = self.wall(number);
        let outcome = format!("{:?}", self.replica(number).ingest(wall, op));
        self.note("offer", outcome.as_bytes());
    }

    /// Somebody begins a session.
    fn start(&mut self) {
        let (from, to) = (self.random.below(HONEST + 1), self.random.below(HONEST + 1));
        if from == to || self.nodes[from].session.is_some() {
            return;
        }
        let mut options = SyncOptions::new();
        if let Some(base) = self.nodes[from].bases.get(&to).cloned()
            && self.random.below(4) > 0
        {
            options = options.since(base);
        }
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&self.random.next().to_le_bytes());
        let id = self.random.next();
        let session = SyncSession::new(options, nonce);
        let held = self.replica(from).log().len();
        self.nodes[from].session = Some(Running { id, session, to, since: self.now, held });
        self.go_on(from);
    }

    /// Sends what the session of a node has to say.
    fn go_on(&mut self, from: usize) {
        let node = &mut self.nodes[from];
        let Some(Running { id, session, to, since, held }) = &mut node.session else { return };
        let (id, to, held) = (*id, *to, *held);
        match session.next_message(node.replica.as_ref().unwrap()) {
            Ok(Some(bytes)) => {
                *since = self.now;
                self.send(Packet { from, to, session: id, is_request: true, bytes });
            }
            Ok(None) => {
                match session.finish() {
                    Some(Finish::Converged { base: Some(base), .. }) => {
                        node.bases.insert(to, base.clone());
                        self.converged += 1;
                        let ours = self.nodes[from].replica.as_ref().unwrap();
                        let theirs = self.nodes[to].replica.as_ref().unwrap();
                        let second = (to == RELAY).then_some(&self.second_face.0);
                        let is_there = |hash: &OpHash| {
                            theirs.log().contains(hash)
                                || second.is_some_and(|face| face.log().contains(hash))
                        };
                        let hidden = hashes(ours).take(held).filter(|hash| !is_there(hash)).count();
                        assert_eq!(hidden, 0, "{from} thinks that {to} has what it has not");
                    }
                    _ => drop(node.bases.remove(&to)),
                }
                let node = &mut self.nodes[from];
                let end = node.session.take().map(|running| format!("{:?}", running.session.finish()));
                self.note("end", end.unwrap().as_bytes());
            }
            Err(error) => {
                node.session = None;
                self.note("end", error.to_string().as_bytes());
            }
        }
    }

    fn send(&mut self, mut packet: Packet) {
        self.kept.push(packet.bytes.clone());
        if self.kept.len() > 50 {
            self.kept.remove(0);
        }
        if self.side[packet.from] != self.side[packet.to] || self.chance(self.faults.drop) {
            return;
        }
        // A relay on the way that changes what it carries.
        if self.chance(self.faults.change) {
            mutate(&mut packet.bytes, &self.kept, &mut self.random);
        }
        let copies = 1 + usize::from(self.chance(self.faults.repeat));
        for _ in 0..copies {
            let at = self.now + 20 + u64::try_from(self.random.below(1500)).unwrap();
            self.sent += 1;
            self.wire.insert((at, self.sent), Packet { bytes: packet.bytes.clone(), ..packet });
        }
    }

    fn deliver(&mut self) {
        while let Some(entry) = self.wire.first_entry()
            && entry.key().0 <= self.now
        {
            let packet = entry.remove();
            self.note(if packet.is_request { "request" } else { "answer" }, &packet.bytes);
            let wall = self.wall(packet.to);
            let Packet { from, to, session, is_request, bytes } = packet;
            let withholds = to == RELAY && session % 1000 < self.faults.withhold as u64;
            let node = &mut self.nodes[to];
            let replica = node.replica.as_mut().unwrap();
            if is_request {
                let (replica, responder) = match withholds {
                    true => (&mut self.second_face.0, &mut self.second_face.1),
                    false => (replica, &mut node.responder),
                };
                let bytes = match responder.respond(replica, wall, &bytes) {
                    Ok(reply) => reply.message,
                    Err(error) => error.to_message(),
                };
                self.send(Packet { from: to, to: from, session, is_request: false, bytes });
                continue;
            }
            let Some(Running { id, session: current, .. }) = &mut node.session else { continue };
            if *id != session {
                continue;
            }
            match current.receive(replica, wall, &bytes) {
                Ok(_) => self.go_on(to),
                Err(SyncError::Stray | SyncError::OutOfTurn) => {}
                Err(error) => {
                    // A base that a crash took from the peer is no use any more.
                    node.bases.remove(&from);
                    node.session = None;
                    self.note("error", error.to_string().as_bytes());
                }
            }
        }
    }

    fn give_up(&mut self) {
        for node in &mut self.nodes {
            if node.session.as_ref().is_some_and(|running| running.since + PATIENCE < self.now) {
                node.session = None;
            }
        }
    }

    /// A node writes down what it remembers of sessions.
    fn keep(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        let replica = node.replica.as_ref().unwrap();
        let bases = node.bases.iter().map(|(to, base)| (*to, base.to_bytes(replica, &KEY).unwrap()));
        node.kept = Some(Kept { bases: bases.collect(), sessions: node.responder.remembered(replica) });
        let kept = format!("{:?}", node.kept);
        self.note("keep", kept.as_bytes());
    }

    /// A node reads what it has written down; all of it is about the log that it has.
    fn remember(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        let replica = node.replica.as_ref().unwrap();
        let Some(Kept { bases, sessions }) = &node.kept else { return };
        for (to, bytes) in bases {
            node.bases.insert(*to, SyncBase::from_bytes(bytes, replica, &KEY).unwrap());
            self.restored += 1;
        }
        node.responder.restore(replica, sessions).unwrap();
        // It is nobody else's, unless that one begins with the same operations, or it is about none.
        let bytes: Vec<Vec<u8>> = bases.iter().map(|(_, bytes)| bytes.clone()).collect();
        let first = hashes(self.nodes[number].replica.as_ref().unwrap()).next();
        for other in (0..=HONEST).filter(|other| *other != number) {
            let others = self.nodes[other].replica.as_ref().unwrap();
            let alike = hashes(others).next() == first;
            let refused = |bytes: &Vec<u8>| SyncBase::from_bytes(bytes, others, &KEY).is_err();
            let empty = |bytes: &Vec<u8>| bytes[50..52] == [0, 0];
            let good = bytes.iter().all(|bytes| alike || empty(bytes) || refused(bytes));
            assert!(good, "{other} believes what {number} has kept");
        }
    }

    /// A node with a file stops in the middle of what it does, and starts again from what is in the file.
    #[cfg(feature = "sqlite")]
    fn crash(&mut self) {
        let number = self.random.below(2);
        let node = &mut self.nodes[number];
        node.replica = None;
        node.session = None;
        node.bases.clear();
        node.responder = Responder::new(secret(number), SyncOptions::new());
        self.open(number);
        self.remember(number);
        self.crashes += 1;
        self.note("crash", &[]);
    }

    #[cfg(not(feature = "sqlite"))]
    fn crash(&mut self) {}

    /// Nobody has taken in what was not signed by who is named.
    fn check(&mut self) {
        for number in 0..HONEST {
            for entry in self.replica(number).log().iter() {
                let op = entry.unwrap().op;
                let key = if op.kid() == second_key().public_key().kid() {
                    second_key()
                } else {
                    key(op.op().actor())
                };
                assert!(policysync::keys::verify_op(&crypto(), &op, key.public_key()).is_ok(), "{op:?}");
                assert_eq!(op.op().space(), Some(SPACE));
            }
        }
    }

    /// The lines are mended and the clocks are set right: all honest replicas must agree.
    fn heal(&mut self) {
        self.wire.clear();
        self.now += 4 * HOUR;
        let now = WallMillis(self.now);
        for node in &mut self.nodes {
            node.session = None;
            node.ahead = HOUR;
        }
        (0..=HONEST).for_each(|number| self.remember(number));
        for round in 0..ROUNDS {
            for from in 0..HONEST {
                for to in 0..HONEST {
                    if from != to {
                        self.sync(from, to, round, now);
                    }
                }
            }
        }
        let digests: BTreeSet<String> =
            (0..HONEST).map(|number| self.replica(number).log().digest().to_string()).collect();
        assert_eq!(digests.len(), 1, "logs differ: {digests:?}");
        let states: BTreeSet<String> = (0..HONEST)
            .map(|number| {
                self.replica(number).poll(now);
                self.replica(number).state_digest().to_string()
            })
            .collect();
        assert_eq!(states.len(), 1, "states differ");
        let proofs = self.replica(0).log().forks().unwrap();
        for number in 0..HONEST {
            assert_eq!(self.replica(number).log().forks().unwrap(), proofs);
            let log = self.replica(number).log();
            let held: BTreeSet<String> =
                log.iter().map(|entry| entry.unwrap().op.op().id().into_owned()).collect();
            assert!(self.written.iter().all(|id| held.contains(id)), "something written is lost");
        }
        for proof in proofs {
            assert_eq!(proof.first().op().actor(), "mallory");
        }
        let log = self.replica(0).log().digest().to_string();
        self.note("healed", log.as_bytes());
    }

    fn sync(&mut self, from: usize, to: usize, round: u8, now: WallMillis) {
        let mut ours = self.nodes[from].replica.take().unwrap();
        let mut theirs = self.nodes[to].replica.take().unwrap();
        let base = self.nodes[from].bases.remove(&to);
        let options = base.into_iter().fold(SyncOptions::new(), SyncOptions::since);
        let mut session = SyncSession::new(options, [round; 16]);
        let responder = &mut self.nodes[to].responder;
        while let Some(request) = session.next_message(&ours).unwrap() {
            let reply = responder.respond(&mut theirs, now, &request).unwrap();
            session.receive(&mut ours, now, &reply.message).unwrap();
        }
        assert!(session.finish().unwrap().is_converged(), "{:?}", session.finish());
        let round_trips = session.progress().round_trips;
        assert!(round_trips <= MAX_ROUND_TRIPS, "{round_trips} round trips");
        assert_eq!(ours.log().digest(), theirs.log().digest(), "they say that they are the same");
        self.nodes[from].replica = Some(ours);
        self.nodes[to].replica = Some(theirs);
    }
}

fn simulate(seed: u64) -> World {
    println!("seed {seed}");
    let mut world = World::new(seed);
    (0..STEPS).for_each(|_| world.step());
    world.heal();
    world.check();
    world
}

/// The seeds of the list, before any other.
fn run_the_list() {
    let words = SEEDS.lines().filter(|line| !line.starts_with('#')).map(|line| line.split(' ').next());
    let seeds: Vec<u64> = words.map(|word| word.unwrap().parse().unwrap()).collect();
    assert!(!seeds.is_empty());
    seeds.into_iter().for_each(|seed| drop(simulate(seed)));
}

#[test]
fn honest_replicas_agree_once_the_lines_are_mended() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("POLICYSYNC_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("POLICYSYNC_SEEDS").unwrap_or(12),
    };
    if number("POLICYSYNC_SEED").is_none() {
        run_the_list();
    }
    let (mut converged, mut crashes, mut restored, mut forks) = (0, 0, 0, 0);
    for seed in seeds.clone() {
        let mut world = simulate(seed);
        converged += world.converged;
        crashes += world.crashes;
        restored += world.restored;
        forks += world.replica(0).log().forks().unwrap().len();
    }
    println!(
        "{seeds:?}: {converged} sessions converged, {crashes} crashes, {restored} bases read again, {forks} forks"
    );
    if seeds.end - seeds.start > 1 {
        assert!(converged > 0 && forks > 0);
        assert!((crashes > 0 && restored > 0) || cfg!(not(feature = "sqlite")));
    }
}

#[test]
fn the_same_seed_is_the_same_world() {
    for seed in [1, 2] {
        assert_eq!(simulate(seed).trace, simulate(seed).trace);
    }
}
