//! Operations that pass the signature check.
//!
//! The input becomes operations, which are signed with known keys and reach two replicas. The input chooses orders, batches
//! and forms. Both replicas must accept all operations, agree, and have the state of a fold from scratch. A copy with a
//! changed bit must not bring in a new operation.
#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use libfuzzer_sys::fuzz_target;
use policysync::crypto::Signature;
use policysync::keys::sign_op;
use policysync::op::Kind;
use policysync::oplog::LogEntry;
use policysync::{Hlc, Incoming, Op, OpHash, Replica, SignedOp, Value, WallMillis};
use policysync_fuzz::{ACTORS, Input, NOW, check_fold, check_same, crypto, hashes, keys, reader};

const MAX_OPS: usize = 12;
const DRIFT: u64 = 600_000;
const TIMES: [u64; 8] =
    [0, 1, NOW.0 - 1, NOW.0, NOW.0 + DRIFT, NOW.0 + DRIFT + 1, NOW.0 + 100 * DRIFT, WallMillis::MAX.0];
const COUNTERS: [u32; 6] = [0, 1, 2047, 2048, 65_536, u32::MAX - 1];

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let count = 1 + input.below(MAX_OPS);
    let ops: Vec<SignedOp> = (0..count).filter_map(|_| signed(&mut input)).collect();
    if ops.is_empty() {
        return;
    }
    let mut replicas = [reader(), reader()];
    // A damaged copy that arrives first is refused, and does not block the genuine one.
    let damaged = flipped(&ops[0], &mut input);
    assert!(replicas[0].ingest(NOW, Incoming::Binary(&damaged)).is_err(), "a changed bit got in");
    assert!(replicas[0].log().is_empty());
    check_good_copy_after_junk(&ops[0]);
    for replica in &mut replicas {
        arrive(replica, &ops, &mut input);
    }
    let [left, right] = &replicas;
    check_same(left, right);
    check_fold(left);
    check_fold(right);
    check_model(left, &ops);
    let all: BTreeSet<OpHash> = hashes(left);
    tamper(&mut replicas[0], &ops[0], &all, &mut input);
});

/// Returns the signed operation that the input describes, if it is valid.
fn signed(input: &mut Input<'_>) -> Option<SignedOp> {
    let form = input.byte();
    let actor = input.below(ACTORS.len());
    let t = match form & 1 {
        0 => input.one_of(&TIMES),
        _ => input.long() >> (u64::BITS - 53),
    };
    let ts = Hlc::new(t, input.one_of(&COUNTERS)).ok()?;
    let name = |input: &mut Input<'_>, known: [&str; 3]| match form & 2 {
        0 => input.one_of(&known).to_owned(),
        _ => String::from_utf8_lossy(input.piece()).into_owned(),
    };
    let entity = name(input, ["Task", "Tas", "kTask"]);
    let id = name(input, ["t1", "kt1", "t"]);
    let path = name(input, ["title", "a/b", "a"]);
    let op = if form & 0x0c == 0x0c {
        Op::lww_delete(ACTORS[actor], ts, (&entity, &id, &path))
    } else {
        let text = String::from_utf8_lossy(input.piece());
        let value = Value::parse(&text).unwrap_or_else(|_| Value::from(text.as_ref()));
        Op::lww_set(ACTORS[actor], ts, (&entity, &id, &path), value)
    };
    let mut op = op.ok()?;
    if form & 0x30 == 0x30 {
        op = op.labelled(&String::from_utf8_lossy(input.piece())).ok()?;
    }
    let key = &keys()[actor][usize::from(form >> 7)];
    Some(sign_op(&crypto(), op, key).expect("a small operation of the key's actor"))
}

/// Ingests all operations, some twice. All must be accepted.
fn arrive(replica: &mut Replica, ops: &[SignedOp], input: &mut Input<'_>) {
    let mut order: Vec<&SignedOp> = ops.iter().collect();
    for at in (1..order.len()).rev() {
        order.swap(at, input.below(at + 1));
    }
    for _ in 0..input.below(4) {
        order.push(&ops[input.below(ops.len())]);
    }
    let mut left = order.as_slice();
    while !left.is_empty() {
        let (batch, rest) = left.split_at(1 + input.below(left.len()));
        left = rest;
        let now = input.one_of(&[NOW, WallMillis(0), WallMillis(NOW.0 - DRIFT)]);
        let forms: Vec<(usize, Vec<u8>, String)> =
            batch.iter().map(|op| (input.below(4), op.to_binary(), op.to_json())).collect();
        let batch: Vec<Incoming<'_>> = batch
            .iter()
            .zip(&forms)
            .map(|(op, (form, binary, json))| match form {
                0 => Incoming::Op(op),
                1 => Incoming::Binary(binary),
                2 => Incoming::Json(json.as_bytes()),
                _ => Incoming::from(binary.as_slice()),
            })
            .collect();
        for answer in replica.ingest_batch(now, &batch).expect("no guard, no store") {
            answer.expect("a signed operation of a known actor");
        }
        if input.below(4) == 1 {
            replica.poll(now).unwrap();
        }
    }
    replica.poll(NOW).unwrap();
}

/// Compares with a second, slow implementation: sort, then the last operation on each register wins.
fn check_model(replica: &Replica, ops: &[SignedOp]) {
    let mut distinct: Vec<&SignedOp> = Vec::new();
    for op in ops {
        if !distinct.iter().any(|other| other.op() == op.op()) {
            distinct.push(op);
        }
    }
    assert_eq!(replica.log().len(), distinct.len(), "the same operation twice, or two taken for one");
    let mut sorted: Vec<LogEntry> =
        replica.log().iter().map(|entry| entry.expect("a log in memory")).collect();
    let order: Vec<OpHash> = sorted.iter().map(|entry| entry.hash).collect();
    sorted.sort_by(|a, b| {
        let (x, y) = (a.op.op(), b.op.op());
        let time = (x.ts().t(), x.ts().c()).cmp(&(y.ts().t(), y.ts().c()));
        time.then_with(|| x.actor().encode_utf16().cmp(y.actor().encode_utf16()))
            .then_with(|| a.hash.as_bytes().cmp(b.hash.as_bytes()))
    });
    assert!(sorted.iter().map(|entry| entry.hash).eq(order), "another order");
    let horizon = replica.horizon().expect("a clock was passed");
    assert_eq!(horizon, WallMillis(NOW.0 + DRIFT));
    let mut winners = BTreeMap::new();
    for entry in &sorted {
        let op = entry.op.op();
        let place = (op.entity(), op.entity_id(), op.path());
        let winner = winners.entry(place).or_insert(None);
        if op.ts().t() <= horizon.0 {
            *winner = (op.kind() == Kind::Set).then(|| op.value().clone());
        }
    }
    for ((entity, id, path), value) in winners {
        assert_eq!(replica.get((entity, id, path)), Ok(value));
    }
}

/// Checks that a copy with an invalid signature does not block the genuine one in the same batch.
fn check_good_copy_after_junk(op: &SignedOp) {
    let junk = SignedOp::new(op.op().clone(), op.kid(), Signature::from_bytes([7; 64]));
    let junk = junk.expect("it was an operation before");
    let answers = reader().ingest_batch(NOW, &[Incoming::Op(&junk), Incoming::Op(op)]);
    let answers = answers.expect("no guard, no store");
    assert!(answers[0].is_err() && answers[1].is_ok(), "{answers:?}");
}

/// Returns the binary form of a copy with one changed bit.
fn flipped(op: &SignedOp, input: &mut Input<'_>) -> Vec<u8> {
    let mut bytes = op.to_binary();
    let at = input.short() % bytes.len();
    bytes[at] ^= 1 << input.below(8);
    bytes
}

fn tamper(replica: &mut Replica, op: &SignedOp, all: &BTreeSet<OpHash>, input: &mut Input<'_>) {
    let before = (replica.log().digest(), replica.state_digest());
    let bytes = flipped(op, input);
    // A copy with another kid or signature has the same hash, so it is a duplicate.
    _ = replica.ingest(NOW, Incoming::Binary(&bytes));
    assert_eq!(&hashes(replica), all);
    assert_eq!((replica.log().digest(), replica.state_digest()), before);
}
