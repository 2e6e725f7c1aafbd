//! Simulation of replicas, each with its own clock, over a network that loses, repeats, delays, reorders and changes
//! messages. One actor and one relay are malicious. A seed determines everything, including the rate of each fault.
//!
//! Invariants during the faults: after a converged session the peer holds all operations of the initiator, nobody holds
//! an unsigned operation, and no operation is lost. Once the network works again, all honest replicas hold the same
//! operations after two rounds.
//!
//! `POLICYSYNC_SEED` runs one seed, `POLICYSYNC_SEEDS` a number of seeds from 0 on, after those of `seeds.txt`.

use std::collections::{BTreeMap, BTreeSet};

use policysync::crypto::{KeyPair, Signature};
use policysync::keys::sign_op;
use policysync::oplog::Cursor;
use policysync::sync::{ResumeToken, SessionResult};
use policysync::{
    Hlc, KeyRegistry, Op, OpHash, Replica, ReplicaOptions, Responder, SignedOp, SigningSecretKey, SyncError,
    SyncOptions, SyncSession, WallMillis, WriteError,
};

use crate::common::{NOW, Random, crypto, key};
use crate::hostile::mutate;

const ACTORS: [&str; 6] = ["alice", "bob", "carol", "dave", "erin", "mallory"];
const HONEST: usize = 5;
/// The replica that does not verify.
const RELAY: usize = 5;
const SPACE: &str = "simulation";
/// The time after which a session without an answer is abandoned, in milliseconds.
const PATIENCE: u64 = 4000;
const STEPS: usize = 700;
const HOUR: u64 = 3_600_000;
/// The number of rounds, in each of which everybody synchronizes with everybody, after which all must be equal.
const ROUNDS: u8 = 2;
/// The most answers that a session over a working network may take.
const MAX_ROUND_TRIPS: u32 = 12;
/// The key that tokens are sealed with.
const KEY: [u8; 32] = [77; 32];
/// Seeds that failed once, or caught an injected fault. They run before any other.
const SEEDS: &str = include_str!("seeds.txt");

/// The rate of each fault, in thousandths.
struct Faults {
    drop: usize,
    repeat: usize,
    change: usize,
    crash: usize,
    jump: usize,
    partition: usize,
    /// A node saves its tokens and sessions.
    save: usize,
    /// The relay shows a second log.
    withhold: usize,
}

struct Node {
    replica: Option<Replica>,
    #[cfg(feature = "sqlite")]
    file: Option<std::path::PathBuf>,
    responder: Responder,
    /// Its wall clock relative to an hour before the true time.
    ahead: u64,
    session: Option<Running>,
    tokens: BTreeMap<usize, ResumeToken>,
    saved: Option<Saved>,
}

/// Tokens and sessions that a node saved, perhaps long ago.
#[derive(Debug)]
struct Saved {
    /// Peers and tokens.
    tokens: Vec<(usize, Vec<u8>)>,
    /// The responder's sessions.
    sessions: Vec<u8>,
}

/// A session that a node began.
struct Running {
    id: u64,
    session: SyncSession,
    to: usize,
    /// The time since which the answer is awaited.
    since: u64,
    /// The number of operations in the log when it began.
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
    /// A log that the relay shows to some: it accepts operations, and passes them on to nobody else.
    second_log: (Replica, Responder),
    wire: BTreeMap<(u64, u64), Packet>,
    sent: u64,
    /// The side of the partition that each node is on.
    side: Vec<bool>,
    recent: Vec<Vec<u8>>,
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

/// Returns the malicious actor's second key.
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
            save: random.below(60),
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
                tokens: BTreeMap::new(),
                saved: None,
            })
            .collect();
        let mut world = Self {
            random,
            now: NOW.0,
            faults,
            nodes,
            second_log: (blind(), Responder::new(secret(100), SyncOptions::new())),
            wire: BTreeMap::new(),
            sent: 0,
            side: vec![false; HONEST + 1],
            recent: Vec::new(),
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
        if self.chance(self.faults.save) {
            let number = self.random.below(HONEST + 1);
            self.save(number);
        }
        if self.chance(self.faults.partition) {
            self.side = (0..=HONEST).map(|_| self.random.below(3) == 0).collect();
        }
        self.deliver();
        self.abandon();
    }

    /// Lets an honest actor write.
    fn write(&mut self) {
        let number = self.random.below(HONEST);
        let (entity_id, path) = (format!("t{}", self.random.below(6)), format!("p{}", self.random.below(4)));
        let value = self.random.below(1000).to_string();
        let wall = self.wall(number);
        let is_delete = self.chance(100);
        let replica = self.replica(number);
        let written = match is_delete {
            true => replica.delete(wall, ("Task", &entity_id, &path)),
            false => replica.set(wall, ("Task", &entity_id, &path), value),
        };
        let op = match written {
            // The wall clock was further ahead before: wait, or say that it was wrong.
            Err(WriteError::ClockAhead { .. }) => {
                if self.chance(500) {
                    self.replica(number).reset_clock(wall).unwrap();
                }
                return;
            }
            written => written.unwrap(),
        };
        self.note("write", op.to_json().as_bytes());
        self.written.insert(op.op().id().into_owned());
    }

    /// Lets the malicious actor, whose key is registered, offer operations to arbitrary nodes.
    fn malice(&mut self) {
        let t = self.now - u64::try_from(self.random.below(1000)).unwrap();
        let ts = Hlc::new(t, 0).unwrap();
        let op =
            |ts, value: &str| Op::lww_set("mallory", ts, ("Task", "t1", "p1"), value.to_owned()).unwrap();
        let sign = |op: Op| sign_op(&crypto(), op, &key("mallory")).unwrap();
        let here = |op: Op| op.in_space(SPACE).unwrap();
        let value = self.random.below(1000).to_string();
        let ops: Vec<SignedOp> = match self.random.below(8) {
            // Equivocates, with different operations for different nodes.
            0 => ["one", "two", "three"].map(|value| sign(here(op(ts, value)))).into(),
            // Uses a label that belongs to another actor.
            1 => vec![sign(here(op(ts, &value).labelled(&format!("alice:{t}:0")).unwrap()))],
            // Writes with a timestamp of next year.
            2 => vec![sign(here(op(Hlc::new(t + 8760 * HOUR, 0).unwrap(), &value)))],
            3 => vec![sign(op(ts, &value).in_space("elsewhere").unwrap())],
            // Forges a signature at the relay, and signs the same operation elsewhere.
            4 => {
                let good = sign(here(op(ts, &value)));
                let junk = Signature::from_bytes([9; 64]);
                let bad = SignedOp::new(good.op().clone(), good.kid(), junk).unwrap();
                self.offer(RELAY, &bad);
                vec![bad, good]
            }
            // Signs one operation with two keys.
            5 => {
                let again = sign_op(&crypto(), here(op(ts, &value)), &second_key()).unwrap();
                vec![sign(here(op(ts, &value))), again]
            }
            // Writes in the name of another actor.
            6 => {
                let signed = sign(here(op(ts, &value)));
                let alices = Op::lww_set("alice", ts, ("Task", "t1", "p1"), value).unwrap().in_space(SPACE);
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

    /// Lets a node begin a session.
    fn start(&mut self) {
        let (from, to) = (self.random.below(HONEST + 1), self.random.below(HONEST + 1));
        if from == to || self.nodes[from].session.is_some() {
            return;
        }
        let mut options = SyncOptions::new();
        if let Some(token) = self.nodes[from].tokens.get(&to).cloned()
            && self.random.below(4) > 0
        {
            options = options.resume(token);
        }
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&self.random.next().to_le_bytes());
        let id = self.random.next();
        let session = SyncSession::new(options, nonce);
        let held = self.replica(from).log().len();
        self.nodes[from].session = Some(Running { id, session, to, since: self.now, held });
        self.proceed(from);
    }

    /// Sends the next message of a node's session.
    fn proceed(&mut self, from: usize) {
        let node = &mut self.nodes[from];
        let Some(Running { id, session, to, since, held }) = &mut node.session else { return };
        let (id, to, held) = (*id, *to, *held);
        match session.next_message(node.replica.as_ref().unwrap()) {
            Ok(Some(bytes)) => {
                *since = self.now;
                self.send(Packet { from, to, session: id, is_request: true, bytes });
            }
            Ok(None) => {
                match session.result() {
                    Some(SessionResult::Converged { resume: Some(token), .. }) => {
                        node.tokens.insert(to, token.clone());
                        self.converged += 1;
                        let ours = self.nodes[from].replica.as_ref().unwrap();
                        let theirs = self.nodes[to].replica.as_ref().unwrap();
                        let second = (to == RELAY).then_some(&self.second_log.0);
                        let is_there = |hash: &OpHash| {
                            theirs.log().contains(hash)
                                || second.is_some_and(|other| other.log().contains(hash))
                        };
                        let hidden = hashes(ours).take(held).filter(|hash| !is_there(hash)).count();
                        assert_eq!(hidden, 0, "{from} believes that {to} has operations that it lacks");
                    }
                    _ => drop(node.tokens.remove(&to)),
                }
                let node = &mut self.nodes[from];
                let end = node.session.take().map(|running| format!("{:?}", running.session.result()));
                self.note("end", end.unwrap().as_bytes());
            }
            Err(error) => {
                node.session = None;
                self.note("end", error.to_string().as_bytes());
            }
        }
    }

    fn send(&mut self, mut packet: Packet) {
        self.recent.push(packet.bytes.clone());
        if self.recent.len() > 50 {
            self.recent.remove(0);
        }
        if self.side[packet.from] != self.side[packet.to] || self.chance(self.faults.drop) {
            return;
        }
        // A relay on the way changes messages.
        if self.chance(self.faults.change) {
            mutate(&mut packet.bytes, &self.recent, &mut self.random);
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
                    true => (&mut self.second_log.0, &mut self.second_log.1),
                    false => (replica, &mut node.responder),
                };
                let bytes = match responder.respond(replica, wall, &bytes) {
                    Ok(reply) => reply.message,
                    Err(error) => error.to_alert(),
                };
                self.send(Packet { from: to, to: from, session, is_request: false, bytes });
                continue;
            }
            let Some(Running { id, session: current, .. }) = &mut node.session else { continue };
            if *id != session {
                continue;
            }
            match current.receive(replica, wall, &bytes) {
                Ok(_) => self.proceed(to),
                Err(SyncError::Stray | SyncError::OutOfTurn) => {}
                Err(error) => {
                    // The peer may have lost the session in a crash.
                    node.tokens.remove(&from);
                    node.session = None;
                    self.note("error", error.to_string().as_bytes());
                }
            }
        }
    }

    fn abandon(&mut self) {
        for node in &mut self.nodes {
            if node.session.as_ref().is_some_and(|running| running.since + PATIENCE < self.now) {
                node.session = None;
            }
        }
    }

    /// Lets a node save its tokens and sessions.
    fn save(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        let replica = node.replica.as_ref().unwrap();
        let tokens = node.tokens.iter().map(|(to, token)| (*to, token.to_bytes(replica, &KEY).unwrap()));
        node.saved =
            Some(Saved { tokens: tokens.collect(), sessions: node.responder.save_sessions(replica) });
        let saved = format!("{:?}", node.saved);
        self.note("save", saved.as_bytes());
    }

    /// Lets a node restore what it saved, which fits its log.
    fn restore(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        let replica = node.replica.as_ref().unwrap();
        let Some(Saved { tokens, sessions }) = &node.saved else { return };
        for (to, bytes) in tokens {
            node.tokens.insert(*to, ResumeToken::from_bytes(bytes, replica, &KEY).unwrap());
            self.restored += 1;
        }
        node.responder.restore_sessions(replica, sessions).unwrap();
        // Another node must refuse the tokens, unless its log begins with the same operations, or a token covers none.
        let bytes: Vec<Vec<u8>> = tokens.iter().map(|(_, bytes)| bytes.clone()).collect();
        let first = hashes(self.nodes[number].replica.as_ref().unwrap()).next();
        for other in (0..=HONEST).filter(|other| *other != number) {
            let others = self.nodes[other].replica.as_ref().unwrap();
            let alike = hashes(others).next() == first;
            let refused = |bytes: &Vec<u8>| ResumeToken::from_bytes(bytes, others, &KEY).is_err();
            let empty = |bytes: &Vec<u8>| bytes[50..52] == [0, 0];
            let good = bytes.iter().all(|bytes| alike || empty(bytes) || refused(bytes));
            assert!(good, "{other} accepts what {number} saved");
        }
    }

    /// Crashes a node with a file, and restarts it from the file.
    #[cfg(feature = "sqlite")]
    fn crash(&mut self) {
        let number = self.random.below(2);
        let node = &mut self.nodes[number];
        node.replica = None;
        node.session = None;
        node.tokens.clear();
        node.responder = Responder::new(secret(number), SyncOptions::new());
        self.open(number);
        self.restore(number);
        self.crashes += 1;
        self.note("crash", &[]);
    }

    #[cfg(not(feature = "sqlite"))]
    fn crash(&mut self) {}

    /// Checks that every operation is signed by its actor.
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

    /// Repairs the network and the clocks. Then all honest replicas must agree.
    fn heal(&mut self) {
        self.wire.clear();
        self.now += 4 * HOUR;
        let now = WallMillis(self.now);
        for node in &mut self.nodes {
            node.session = None;
            node.ahead = HOUR;
        }
        (0..=HONEST).for_each(|number| self.restore(number));
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
                self.replica(number).poll(now).unwrap();
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
            assert!(self.written.iter().all(|id| held.contains(id)), "a written operation is lost");
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
        let token = self.nodes[from].tokens.remove(&to);
        let options = token.into_iter().fold(SyncOptions::new(), SyncOptions::resume);
        let mut session = SyncSession::new(options, [round; 16]);
        let responder = &mut self.nodes[to].responder;
        while let Some(request) = session.next_message(&ours).unwrap() {
            let reply = responder.respond(&mut theirs, now, &request).unwrap();
            session.receive(&mut ours, now, &reply.message).unwrap();
        }
        assert!(session.result().unwrap().is_converged(), "{:?}", session.result());
        let round_trips = session.progress().round_trips;
        assert!(round_trips <= MAX_ROUND_TRIPS, "{round_trips} round trips");
        assert_eq!(ours.log().digest(), theirs.log().digest(), "the session converged with different logs");
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

/// Runs the seeds of the list.
fn run_the_list() {
    let words = SEEDS.lines().filter(|line| !line.starts_with('#')).map(|line| line.split(' ').next());
    let seeds: Vec<u64> = words.map(|word| word.unwrap().parse().unwrap()).collect();
    assert!(!seeds.is_empty());
    seeds.into_iter().for_each(|seed| drop(simulate(seed)));
}

#[test]
fn honest_replicas_agree_once_the_network_works() {
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
        "{seeds:?}: {converged} sessions converged, {crashes} crashes, {restored} tokens restored, {forks} forks"
    );
    if seeds.end - seeds.start > 1 {
        assert!(converged > 0 && forks > 0);
        assert!((crashes > 0 && restored > 0) || cfg!(not(feature = "sqlite")));
    }
}

#[test]
fn the_same_seed_gives_the_same_simulation() {
    for seed in [1, 2] {
        assert_eq!(simulate(seed).trace, simulate(seed).trace);
    }
}
