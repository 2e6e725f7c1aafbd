//! A replica with a journal, compared with a model of its host.

use std::collections::{BTreeMap, BTreeSet};

use policysync::bundle::{export_ops, export_since, import};
use policysync::op::OpSeq;
use policysync::oplog::Cursor;
use policysync::replica::{JournalError, Restoring, Unsaved};
use policysync::store::{MemoryStore, Record};
use policysync::sync::{Push, SessionResult};
use policysync::{
    Hlc, IngestError, OpHash, OpenError, Outcome, Replica, ReplicaOptions, Responder, SignedOp, StoreError,
    SyncError, SyncOptions, SyncSession, WriteError,
};
use proptest::prelude::*;

use super::common::{NOW, Random, key, knowing, set};
use super::{PEOPLE, as_alice, ingest, snapshot, some_ops};

/// The database of the host.
#[derive(Clone, Default)]
struct Saved {
    head: Option<Vec<u8>>,
    records: Vec<Vec<u8>>,
}

impl Saved {
    fn commit(&mut self, unsaved: &Unsaved) {
        assert_eq!(self.head.as_deref(), unsaved.known(), "another head is known");
        for record in unsaved.records() {
            assert_eq!((record.first, record.count), (OpSeq::new(self.count()), 1));
            self.records.push(record.bytes.to_vec());
        }
        self.head = Some(unsaved.head().to_vec());
    }

    fn count(&self) -> u32 {
        u32::try_from(self.records.len()).unwrap()
    }

    fn records(&self) -> Vec<Record<'_>> {
        let numbers = (0..).map(OpSeq::new);
        numbers.zip(&self.records).map(|(first, bytes)| Record { first, count: 1, bytes }).collect()
    }

    fn ops(&self) -> Vec<SignedOp> {
        self.records.iter().map(|record| SignedOp::from_binary(&record[32..]).unwrap()).collect()
    }

    fn open(&self, options: ReplicaOptions, piece: usize) -> Result<Replica, OpenError> {
        let mut restoring = Restoring::new(options, self.head.as_deref(), NOW)?;
        assert_eq!(restoring.count(), self.count());
        for records in self.records().chunks(piece) {
            assert_eq!(restoring.next(), records[0].first);
            restoring = restoring.take(records)?;
        }
        restoring.finish()
    }
}

fn save_all(replica: &mut Replica, saved: &mut Saved) {
    while let Some(unsaved) = replica.unsaved(300).unwrap() {
        saved.commit(&unsaved);
        replica.confirm(&unsaved).unwrap();
    }
}

/// A session that one side begins; returns the operations that the other has afterwards.
fn synchronize(initiator: &mut Replica, other: &mut Replica) {
    let mut session = SyncSession::new(SyncOptions::new(), [7; 16]);
    let mut responder = Responder::new([8; 32], SyncOptions::new());
    while let Some(request) = session.next_message(initiator).unwrap() {
        let reply = responder.respond(other, NOW, &request).unwrap();
        session.receive(initiator, NOW, &reply.message).unwrap();
    }
}

fn peer() -> Replica {
    Replica::open(knowing(&PEOPLE)).unwrap()
}

fn hashes(replica: &Replica) -> BTreeSet<String> {
    replica.log().iter().map(|entry| entry.unwrap().hash.to_string()).collect()
}

/// Everything that the replica hands out, in every way: operations of the host's database only.
fn assert_only_saved_leaves(replica: &mut Replica, saved: &Saved) {
    let page: Vec<SignedOp> = replica.log().since(Cursor::START).map(|entry| entry.unwrap().op).collect();
    assert_eq!(page, saved.ops(), "a page of the cursor");
    assert_eq!(replica.log().cursor().position(), u64::from(saved.count()));
    let mut expected = peer();
    ingest(&mut expected, &saved.ops());
    let expected = hashes(&expected);

    let mut bundle = Vec::new();
    export_since(replica, Cursor::START, &mut bundle).unwrap();
    let mut other = peer();
    import(&mut other, NOW, bundle.as_slice()).unwrap();
    assert_eq!(hashes(&other), expected, "a bundle");
    let unsaved = replica.log().iter().map(|entry| entry.unwrap().hash);
    for hash in unsaved.filter(|hash| !expected.contains(&hash.to_string())) {
        assert!(export_ops(replica, &[hash], Vec::new()).is_err(), "a bundle of one");
    }
    let mut other = peer();
    synchronize(replica, &mut other);
    assert_eq!(hashes(&other), expected, "a session that it begins");
    let mut other = peer();
    synchronize(&mut other, replica);
    assert_eq!(hashes(&other), expected, "a session that another begins");
    assert!(replica.back_up("nowhere").is_err(), "a backup");
}

/// The winners that an application knows from the changes alone.
type Winners = BTreeMap<(String, String, String), OpHash>;

fn winners(replica: &Replica, ops: &[SignedOp]) -> Winners {
    let field = |op: &SignedOp| {
        let op = op.op();
        let (entity, id, path) = (op.entity(), op.entity_id(), op.path());
        let winner = replica.explain((entity, id, path)).unwrap()?.winner.hash;
        Some(((entity.to_owned(), id.to_owned(), path.to_owned()), winner))
    };
    ops.iter().filter_map(field).collect()
}

/// A replica, its host, and what should be true of both.
struct World {
    random: Random,
    seal: Option<[u8; 32]>,
    saved: Saved,
    replica: Replica,
    /// All operations of the replica.
    ops: Vec<SignedOp>,
    in_flight: Option<Unsaved>,
    /// The timestamps that the actor has used.
    used: BTreeSet<Hlc>,
    known: Winners,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let seal = (random.below(2) == 0).then_some([3; 32]);
        let saved = Saved::default();
        let replica = saved.open(options(seal), 1).unwrap();
        let (ops, used, known) = (Vec::new(), BTreeSet::new(), Winners::new());
        Self { random, seal, saved, replica, ops, in_flight: None, used, known }
    }

    fn step(&mut self) {
        match self.random.below(15) {
            0..=3 => self.write(),
            4 | 5 => self.ingest(),
            6 | 7 => self.begin_to_save(),
            8 | 9 => self.confirm(),
            10 => self.fail(),
            11 => self.take_back(),
            12 => self.crash(),
            13 => self.meet(),
            _ => self.lose_the_outcome(),
        }
    }

    fn write(&mut self) {
        let path = format!("own{}", self.random.below(3));
        let op = self.replica.set(NOW, ("Task", "t1", &path), "mine").unwrap();
        assert!(self.used.insert(op.op().ts()), "a timestamp is used twice");
        self.ops.push(op);
    }

    fn ingest(&mut self) {
        for _ in 0..1 + self.random.below(4) {
            let actor = ["bob", "carol"][self.random.below(2)];
            let ahead = if self.random.below(5) == 0 { 1_000_000 } else { 0 };
            let t = NOW.0 + ahead - u64::try_from(self.random.below(50)).unwrap();
            let path = format!("path{}", self.random.below(4));
            let op = set(actor, t, 0, &path, format!("value {}", self.random.below(3)));
            if !matches!(self.replica.ingest(NOW, &op).unwrap(), Outcome::Duplicate { .. }) {
                self.ops.push(op);
            }
        }
    }

    /// Receives the operations of somebody in a session.
    fn meet(&mut self) {
        let mut other = peer();
        let op = set("carol", NOW.0 - 1000, u32::try_from(self.random.below(9)).unwrap(), "met", true);
        ingest(&mut other, std::slice::from_ref(&op));
        if self.random.below(2) == 0 {
            synchronize(&mut self.replica, &mut other);
        } else {
            synchronize(&mut other, &mut self.replica);
        }
        if !self.ops.contains(&op) {
            self.ops.push(op);
        }
        let saved: Vec<SignedOp> = self.saved.ops();
        let theirs = other.log().iter().map(|entry| entry.unwrap().op);
        let leaked = theirs.filter(|op| op.op().path() != "met" && !saved.contains(op)).count();
        assert_eq!(leaked, 0, "an operation that is not saved has left");
    }

    fn begin_to_save(&mut self) {
        let bytes = 1 + self.random.below(1000);
        match self.replica.unsaved(bytes) {
            Ok(Some(unsaved)) => assert!(self.in_flight.replace(unsaved).is_none()),
            Ok(None) => assert!(self.in_flight.is_none() && self.is_all_saved()),
            Err(error) => assert!(error == JournalError::InFlight && self.in_flight.is_some()),
        }
    }

    fn is_all_saved(&self) -> bool {
        self.ops.len() == self.saved.records.len()
    }

    fn confirm(&mut self) {
        if let Some(unsaved) = self.in_flight.take() {
            self.saved.commit(&unsaved);
            self.replica.confirm(&unsaved).unwrap();
            assert_eq!(self.replica.confirm(&unsaved), Err(JournalError::NotInFlight));
        }
    }

    fn fail(&mut self) {
        if let Some(unsaved) = self.in_flight.take() {
            assert_eq!(self.replica.take_back(), Err(JournalError::InFlight));
            self.replica.save_failed(&unsaved).unwrap();
        }
    }

    fn take_back(&mut self) {
        self.fail();
        let gone = self.ops.len() - self.saved.records.len();
        assert_eq!(self.replica.take_back(), Ok(gone));
        self.ops = self.saved.ops();
    }

    /// The process ends; what was being saved may have been.
    fn crash(&mut self) {
        if let Some(unsaved) = self.in_flight.take().filter(|_| self.random.below(2) == 0) {
            self.saved.commit(&unsaved);
        }
        let piece = 1 + self.random.below(5);
        self.replica = self.saved.open(options(self.seal), piece).unwrap();
        self.ops = self.saved.ops();
        let own = self.ops.iter().filter(|op| op.op().actor() == "alice");
        self.used = own.map(|op| op.op().ts()).collect();
        assert!(self.replica.poll(NOW).unwrap().is_empty());
        self.known = winners(&self.replica, &self.ops);
    }

    fn lose_the_outcome(&mut self) {
        let Some(unsaved) = &self.in_flight else { return };
        let before = snapshot(&self.replica);
        self.replica.save_unknown(unsaved).unwrap();
        let closed = || IngestError::Store(StoreError::OutcomeUnknown);
        let written = self.replica.set(NOW, ("Task", "t1", "own0"), "more");
        assert_eq!(written, Err(WriteError::Ingest(closed())));
        assert_eq!(self.replica.ingest(NOW, &set("bob", NOW.0, 7, "late", true)), Err(closed()));
        assert_eq!(self.replica.unsaved(1).err(), Some(JournalError::Store(StoreError::OutcomeUnknown)));
        assert_eq!(self.replica.take_back(), Err(JournalError::Store(StoreError::OutcomeUnknown)));
        assert_eq!(snapshot(&self.replica), before, "reading still works");
        self.crash();
    }

    fn check(&mut self) {
        let mut model = Replica::open(as_alice(knowing(&PEOPLE))).unwrap();
        ingest(&mut model, &self.ops);
        model.poll(NOW).unwrap();
        for change in self.replica.poll(NOW).unwrap() {
            let field = (change.entity, change.entity_id, change.path);
            match change.winner {
                Some(winner) => _ = self.known.insert(field, winner),
                None => assert!(self.known.remove(&field).is_some(), "a field goes that was not known"),
            }
        }
        assert_eq!(self.replica.log().digest(), model.log().digest());
        assert_eq!(self.replica.state_digest(), model.state_digest());
        assert_eq!(self.replica.held(), model.held());
        assert_eq!(self.replica.log().forks(), model.log().forks());
        assert_eq!(self.known, winners(&model, &self.ops), "the changes tell another state");
        if self.random.below(3) == 0 {
            assert_only_saved_leaves(&mut self.replica, &self.saved);
        }
    }
}

fn options(seal: Option<[u8; 32]>) -> ReplicaOptions {
    let options = as_alice(knowing(&PEOPLE));
    match seal {
        Some(seal) => options.seal_key(seal),
        None => options,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn only_what_is_saved_leaves_and_only_that_stays(seed: u64) {
        let mut world = World::new(seed);
        for _ in 0..60 {
            world.step();
            world.check();
        }
    }
}

#[test]
fn a_sealed_journal_is_read_without_keys_and_another_seal_is_refused() {
    let mut saved = Saved::default();
    let mut replica = saved.open(options(Some([3; 32])), 1).unwrap();
    ingest(&mut replica, &some_ops());
    save_all(&mut replica, &mut saved);
    let unknown = |seal: [u8; 32]| ReplicaOptions::new().seal_key(seal);
    assert_eq!(saved.open(unknown([3; 32]), 7).unwrap().log().digest(), replica.log().digest());
    let error = saved.open(unknown([4; 32]), 7).err().unwrap();
    assert_eq!(error, OpenError::Store(StoreError::WrongSealKey));
    assert!(matches!(saved.open(ReplicaOptions::new(), 7), Err(OpenError::UnknownKey { .. })));
    // A journal without a seal gets one, which is saved alone.
    let mut unsealed = Saved::default();
    let mut replica = unsealed.open(options(None), 1).unwrap();
    ingest(&mut replica, &some_ops());
    save_all(&mut replica, &mut unsealed);
    let mut replica = unsealed.open(options(Some([5; 32])), 9).unwrap();
    let unsaved = replica.unsaved(1000).unwrap().unwrap();
    assert_eq!(unsaved.records().count(), 0);
    unsealed.commit(&unsaved);
    replica.confirm(&unsaved).unwrap();
    assert_eq!(unsealed.open(unknown([5; 32]), 2).unwrap().log().digest(), replica.log().digest());
}

#[test]
fn saved_bytes_are_not_trusted() {
    let mut saved = Saved::default();
    let mut replica = saved.open(options(None), 1).unwrap();
    ingest(&mut replica, &some_ops());
    save_all(&mut replica, &mut saved);
    let place = |saved: &Saved| saved.open(options(None), 4).map(drop).unwrap_err().to_string();
    for at in [0, 33, 40, 100, 200] {
        let mut changed = saved.clone();
        changed.records[9][at] ^= 1;
        assert!(place(&changed).contains("operation number 9"), "byte {at}: {}", place(&changed));
    }
    let mut twice = saved.clone();
    twice.records[5] = twice.records[2].clone();
    assert!(place(&twice).contains("operation number 5"));
    let mut short = saved.clone();
    short.head.as_mut().unwrap()[2] += 1;
    let error = Restoring::new(options(None), short.head.as_deref(), NOW).err().unwrap();
    assert!(error.to_string().contains("the head"), "{error}");
    let records = saved.records();
    let missing =
        Restoring::new(options(None), saved.head.as_deref(), NOW).unwrap().take(&records[..23]).unwrap();
    let error = missing.finish().err().unwrap();
    assert!(error.to_string().contains("operation number 23"), "{error}");
    let gap = Restoring::new(options(None), saved.head.as_deref(), NOW).unwrap().take(&saved.records()[1..]);
    assert!(gap.err().unwrap().to_string().contains("operation number 0"));
    let head = Restoring::new(options(None), Some(b"rubbish"), NOW).err().unwrap();
    assert!(matches!(head, OpenError::Store(_)), "{head}");
}

#[test]
fn a_session_that_was_begun_before_operations_were_taken_back_ends() {
    let mut saved = Saved::default();
    let mut replica = saved.open(options(None), 1).unwrap();
    replica.set(NOW, ("Task", "t1", "own"), "a").unwrap();
    save_all(&mut replica, &mut saved);
    let mut other = peer();
    ingest(&mut other, &some_ops());
    let mut session = SyncSession::new(SyncOptions::new(), [7; 16]);
    let mut responder = Responder::new([8; 32], SyncOptions::new());
    let request = session.next_message(&replica).unwrap().unwrap();
    let reply = responder.respond(&mut other, NOW, &request).unwrap();
    replica.set(NOW, ("Task", "t1", "own"), "b").unwrap();
    assert_eq!(replica.take_back(), Ok(1));
    assert_eq!(session.receive(&mut replica, NOW, &reply.message), Err(SyncError::OtherReplica));
}

#[test]
fn an_operation_is_pushed_once_it_is_saved() {
    let mut saved = Saved::default();
    let mut replica = saved.open(options(None), 1).unwrap();
    let mut other = peer();
    let mut session = SyncSession::new(SyncOptions::new(), [7; 16]);
    let mut responder = Responder::new([8; 32], SyncOptions::new());
    while let Some(request) = session.next_message(&replica).unwrap() {
        let reply = responder.respond(&mut other, NOW, &request).unwrap();
        session.receive(&mut replica, NOW, &reply.message).unwrap();
    }
    let Some(SessionResult::Converged { resume: Some(base), .. }) = session.result() else {
        panic!("not converged")
    };
    let mut push = Push::after(base.clone(), &SyncOptions::new());
    replica.set(NOW, ("Task", "t1", "own"), "a").unwrap();
    assert_eq!((push.waiting(&replica), push.next_message(&replica)), (0, Ok(None)));
    let unsaved = replica.unsaved(1).unwrap().unwrap();
    assert_eq!((push.waiting(&replica), push.next_message(&replica)), (0, Ok(None)));
    replica.confirm(&unsaved).unwrap();
    saved.commit(&unsaved);
    assert_eq!(push.waiting(&replica), 1);
    assert!(push.next_message(&replica).unwrap().is_some());
}

#[test]
fn options_with_a_store_and_replicas_without_a_journal_are_refused() {
    let options = ReplicaOptions::new().store(MemoryStore::new(), NOW);
    assert_eq!(Restoring::new(options, None, NOW).err(), Some(OpenError::TwoStores));
    let mut plain = Replica::open(as_alice(knowing(&PEOPLE))).unwrap();
    plain.set(NOW, ("Task", "t1", "own"), "a").unwrap();
    assert_eq!(plain.unsaved(1000).err(), Some(JournalError::NoJournal));
    assert_eq!(plain.take_back(), Err(JournalError::NoJournal));
    assert_eq!(key("alice").public_key().actor(), plain.actor().unwrap());
}
