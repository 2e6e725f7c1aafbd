//! Tests of the cost of hostile input: memory in proportion to its size, a small stack, nothing left in the replica.
//!
//! The verifications that junk costs are counted in `src/replica/junk_tests.rs`.

mod common;
#[path = "sync/speaker.rs"]
#[allow(dead_code, reason = "only requests are written here")]
mod speaker;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::thread;

use common::{NOW, Random, crypto, hex, key, knowing, reader, set};
use policysync::bundle;
use policysync::codec::{BINARY_VERSION, MAX_OP_BYTES};
use policysync::crypto::{KeyPair, Signature};
use policysync::keys::sign_op;
use policysync::op::SignedOpRef;
use policysync::oplog::Cursor;
use policysync::replica::Labels;
use policysync::sync::{Push, ResumeToken, SessionResult};
use policysync::{
    Hlc, Incoming, IngestError, KeyRegistry, Op, OpRefusal, Outcome, Replica, ReplicaOptions, Responder,
    SignedOp, SigningSecretKey, SyncOptions, SyncSession, Value,
};
use speaker::{Bound, Content, Filter, Phase, Range, Request, Sections};

/// An allocator that counts the bytes of each thread.
struct Counting;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

fn count(change: isize, size: usize) {
    let live = LIVE.get() + change;
    LIVE.set(live);
    PEAK.set(PEAK.get().max(live));
    LARGEST.set(LARGEST.get().max(size));
}

// SAFETY: every call is passed to the system's allocator unchanged.
#[expect(unsafe_code, reason = "an allocator cannot be written without unsafe code")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed(), layout.size());
        // SAFETY: the caller's promises are those of the system's allocator.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed(), 0);
        // SAFETY: the caller's promises are those of the system's allocator.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size.cast_signed() - layout.size().cast_signed(), size);
        // SAFETY: the caller's promises are those of the system's allocator.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[derive(Clone, Copy, Debug)]
struct Cost {
    /// The most bytes at one time, beyond those allocated before.
    peak: usize,
    /// The largest single allocation.
    largest: usize,
}

fn measure<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    let before = LIVE.get();
    PEAK.set(before);
    LARGEST.set(0);
    let result = work();
    (result, Cost { peak: (PEAK.get() - before).unsigned_abs(), largest: LARGEST.get() })
}

const ROOM: usize = 64 * 1024;
const FACTOR: usize = 16;

fn check(name: &str, form: &str, input: usize, cost: Cost) {
    assert!(cost.peak <= FACTOR * input + ROOM, "{name}, {form}: {cost:?} for {input} bytes");
}

/// Also checks that no single allocation follows a length in the input that claims more bytes than there are.
fn check_binary(name: &str, input: usize, cost: Cost) {
    check(name, "binary", input, cost);
    assert!(cost.largest <= input + ROOM, "{name}, binary: {cost:?} for {input} bytes");
}

/// Passes bytes to every decoder and to a replica, and checks the cost of each.
fn feed(name: &str, bytes: &[u8], replica: &mut Replica) -> Result<policysync::Outcome, IngestError> {
    let (_, cost) = measure(|| drop(SignedOp::from_json(bytes)));
    check(name, "JSON", bytes.len(), cost);
    let (_, cost) = measure(|| drop(SignedOpRef::from_binary(bytes)));
    check_binary(name, bytes.len(), cost);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let (_, cost) = measure(|| drop(Value::parse(text)));
        check(name, "value", bytes.len(), cost);
    }
    let (answer, cost) = measure(|| replica.ingest(NOW, bytes));
    check(name, "ingest", bytes.len(), cost);
    answer
}

fn pad(prefix: &str, fill: &str, count: usize, suffix: &str) -> String {
    [prefix, &fill.repeat(count), suffix].concat()
}

/// Returns JSON values that are cheap to send and might be expensive to read.
fn expensive_values() -> Vec<(&'static str, String)> {
    const MIB: usize = MAX_OP_BYTES - 1000;
    /// Large enough to tell a factor from the fixed part, small enough for a debug build to read quickly.
    const PART: usize = MIB / 4;
    let each =
        |make: &dyn Fn(usize) -> String, count: usize| (0..count).map(make).collect::<Vec<_>>().join(",");
    let mut values = vec![
        ("arrays, never closed", "[".repeat(PART)),
        ("objects, never closed", "{\"\":".repeat(PART / 5)),
        ("arrays, closed", pad("", "[", PART / 2, &"]".repeat(PART / 2))),
        ("64 arrays", pad("", "[", 64, &"]".repeat(64))),
        ("65 arrays", pad("", "[", 65, &"]".repeat(65))),
        ("shallow arrays", pad("[[]", ",[]", PART / 3 - 2, "]")),
        ("shallow objects", pad("[{}", ",{}", PART / 3 - 2, "]")),
        ("members in order", format!("{{{}}}", each(&|n| format!("\"{n:06}\":0"), PART / 11))),
        ("members in reverse", format!("{{{}}}", each(&|n| format!("\"{:06}\":0", 900_000 - n), PART / 11))),
        ("one name", pad("{\"a\":0", ",\"a\":0", PART / 6 - 2, "}")),
        ("short members, one name escaped", pad("{\"\\u0061\":0", ",\"a\":0", PART / 6 - 3, "}")),
        (
            "members whose values are objects",
            format!("{{{}}}", each(&|n| format!("\"{n:x}\":{{}}"), PART / 11)),
        ),
        ("objects of one member", pad("[{\"a\":0}", ",{\"a\":0}", PART / 8 - 2, "]")),
        ("objects of two members in reverse", pad("[1", ",{\"b\":0,\"a\":0}", PART / 14 - 2, "]")),
        ("escaped letters", pad("\"", "\\u0041", PART / 6, "\"")),
        ("escaped surrogates", pad("\"", "\\ud83d\\ude00", PART / 12, "\"")),
        ("short escapes", pad("\"", "\\n", PART / 2, "\"")),
        ("control characters", pad("\"", "\\u0001", PART / 6, "\"")),
        ("a lone surrogate at the end", pad("\"", "\\ud83d\\ude00", PART / 12 - 1, "\\ud800\"")),
        ("a long string", pad("\"", "x", MIB, "\"")),
        ("a long string of four-byte characters", pad("\"", "\u{1F600}", PART / 4, "\"")),
        ("a string that never ends", pad("\"", "x", PART, "")),
        ("a long integer", "1".repeat(MIB)),
        ("a long fraction", pad("0.", "1", PART, "")),
        ("a small number", pad("0.", "0", PART, "1")),
        ("a long exponent", pad("1e", "0", PART, "1")),
        ("numbers that grow when they are written", pad("[0", ",1e20", MIB / 5 - 1, "]")),
        ("growing numbers in an object put in order", pad("{\"b\":[0", ",1e20", PART / 5 - 4, "],\"a\":0}")),
        (
            "fewer growing numbers in an object put in order",
            pad("{\"b\":[0", ",1e20", PART / 8, "],\"a\":0}"),
        ),
        ("growing numbers in an array", pad("[0", ",1e20", PART / 6, "]")),
        ("fractions that grow when they are written", pad("[0", ",1e-6", PART / 5 - 1, "]")),
        ("small numbers", pad("[0", ",0", PART / 2 - 2, "]")),
        ("white space", pad("[", " ", PART, "]")),
    ];
    // Small values of the same kinds, for which the fixed part of the bound counts.
    values.extend([
        ("a short string", "\"x\"".into()),
        ("a few members in reverse", "{\"c\":1,\"b\":2,\"a\":3}".into()),
        ("ten thousand arrays", "[".repeat(10_000)),
        ("a thousand numbers that grow", pad("[0", ",1e20", 1000, "]")),
    ]);
    values
}

fn as_operation(value: &str) -> String {
    let frame = set("alice", NOW.0, 0, "title", Value::null()).to_json();
    [frame.strip_suffix("null}").unwrap(), value, "}"].concat()
}

#[test]
fn no_json_value_costs_more_than_sixteen_times_its_bytes() {
    let mut replica = reader(&["alice"]);
    let mut fed = 0;
    for (name, value) in expensive_values() {
        for document in [as_operation(&value), value] {
            let answer = feed(name, document.as_bytes(), &mut replica);
            assert!(matches!(answer, Err(IngestError::Refused(_))), "{name}: {answer:?}");
            fed += 1;
        }
    }
    assert!(replica.log().is_empty());
    assert!(fed >= 74, "{fed}");
}

#[test]
fn no_hostile_document_costs_more_than_sixteen_times_its_bytes() {
    let documents = hostile_documents();
    assert!(documents.len() >= 600, "{}", documents.len());
    let mut ingested = 0;
    for (name, document) in &documents {
        // The replica knows the keys of the documents and accepts any label, so that all steps are reached.
        let mut replica =
            Replica::open(ReplicaOptions::new().keys(hostile_keys()).labels(Labels::Any)).unwrap();
        ingested += usize::from(feed(name, document, &mut replica).is_ok());
    }
    assert!(ingested >= 50, "{ingested}");
}

#[test]
fn no_length_in_the_binary_form_is_trusted() {
    let op = Op::lww_set("alice", Hlc::new(NOW.0, 0).unwrap(), ("Task", "t1", "title"), "x").unwrap();
    let op = op.in_space("home").unwrap().labelled("alice:1").unwrap();
    let small = sign_op(&crypto(), op.clone(), &key("alice")).unwrap().to_binary();
    let large = Op::lww_set("alice", Hlc::MIN, ("Task", "t1", "title"), "x".repeat(1_000_000)).unwrap();
    let large = sign_op(&crypto(), large, &key("alice")).unwrap().to_binary();
    let mut replica = Replica::open(knowing(&["alice"]).labels(Labels::Any).space("home")).unwrap();
    let mut fed = 0;
    for original in [&small, &large] {
        // Any eight bytes of the first part may be a length.
        for at in (65..original.len().min(260).saturating_sub(8)).chain([original.len() - 20]) {
            let left = u64::try_from(original.len()).unwrap();
            for claimed in [u64::MAX, 1 << 63, 1 << 40, 1 << 32, (1 << 32) - 1, 1 << 31, left, left - 1] {
                let mut bytes = original.clone();
                bytes[at..at + 8].copy_from_slice(&claimed.to_le_bytes());
                if original.len() < 1000 || fed % 16 == 0 {
                    let (_, cost) = measure(|| drop(SignedOp::from_binary(&bytes)));
                    check_binary("a claimed length", bytes.len(), cost);
                    let (answer, cost) = measure(|| replica.ingest(NOW, bytes.as_slice()));
                    check("a claimed length", "ingest", bytes.len(), cost);
                    assert!(answer.is_err());
                }
                fed += 1;
            }
        }
    }
    assert!(fed >= 2000, "{fed}");
    // A view borrows from its input: decoding the large operation copies nothing.
    let (_, cost) = measure(|| assert!(SignedOpRef::from_binary(&large).is_ok()));
    assert!(cost.peak < 4096, "{cost:?}");
}

#[test]
fn the_largest_operation_is_ingested_within_the_bound_in_each_form() {
    let frame = set("alice", NOW.0, 0, "title", "").to_json().len();
    let op = set("alice", NOW.0, 0, "title", "x".repeat(MAX_OP_BYTES - frame));
    for bytes in [op.to_json().into_bytes(), op.to_binary()] {
        let mut replica = reader(&["alice"]);
        let (answer, cost) = measure(|| replica.ingest(NOW, bytes.as_slice()));
        assert!(answer.is_ok(), "{answer:?}");
        check("the largest operation", "ingest", bytes.len(), cost);
    }
}

#[test]
fn an_operation_that_is_too_large_is_refused_before_anything_is_allocated() {
    for first in [b'{', BINARY_VERSION] {
        let mut bytes = vec![b'['; MAX_OP_BYTES + 1];
        bytes[0] = first;
        let mut replica = reader(&["alice"]);
        let (answer, cost) = measure(|| replica.ingest(NOW, bytes.as_slice()));
        assert!(
            matches!(answer, Err(IngestError::Refused(OpRefusal::Malformed(error))) if error.rule() == "too-large")
        );
        assert!(cost.peak < 4096, "{cost:?}");
    }
}

/// 128 KiB is the smallest stack that programs give their threads. Nothing recurses as deep as the input is nested.
#[test]
fn every_hostile_input_is_read_and_dropped_on_a_stack_of_128_kib() {
    let (requests, answers, bundle) = honest_bytes();
    let mut random = Random(37);
    let whole: Vec<Vec<u8>> = requests.into_iter().chain(answers).chain([bundle]).collect();
    let mut disturbed = |whole: &Vec<u8>| (0..20).map(|_| disturb(whole, &mut random)).collect::<Vec<_>>();
    let messages: Vec<Vec<u8>> = whole.iter().flat_map(&mut disturbed).chain(whole.iter().cloned()).collect();
    let read = move || {
        let mut read = 0;
        let mut replica = reader(&["alice"]);
        for (_, value) in expensive_values() {
            drop(Value::parse(&value));
            drop(SignedOp::from_json(value.as_bytes()));
            let op = as_operation(&value);
            let signed = SignedOp::from_json(op.as_bytes());
            assert!(replica.ingest(NOW, op.as_str()).is_err());
            if let Ok(signed) = signed {
                drop(SignedOp::from_binary(&signed.to_binary()));
                drop(SignedOp::from_json(signed.to_json().as_bytes()));
                drop(signed.op().value().clone().to_serde());
            }
            read += 1;
        }
        for (_, document) in hostile_documents() {
            drop(SignedOp::from_json(&document));
            drop(replica.ingest(NOW, document.as_slice()));
            read += 1;
        }
        let mut peers = Peers::new();
        for message in &messages {
            peers.take("on a small stack", message);
            import("on a small stack", message);
            read += 1;
        }
        let deep = Value::parse(&pad("", "[", 64, &"]".repeat(64))).unwrap();
        let deep = set("alice", NOW.0, 1, "title", deep);
        replica.ingest(NOW, &deep).unwrap();
        assert_eq!(replica.get(("Task", "t1", "title")).unwrap().as_ref(), Some(deep.op().value()));
        read
    };
    let thread = thread::Builder::new().stack_size(128 * 1024).spawn(read).unwrap();
    assert!(thread.join().unwrap() >= 700);
}

#[test]
fn a_hundred_thousand_junk_operations_leave_nothing_in_the_replica() {
    let mut replica = reader(&["alice", "bob"]);
    replica.ingest(NOW, &set("alice", NOW.0, 0, "title", "x")).unwrap();
    replica.poll(NOW).unwrap();
    let mut random = Random(9);
    let known = set("alice", NOW.0, 0, "title", "x");
    let mut junk = |n: usize| -> Vec<u8> {
        let n32 = u32::try_from(n).unwrap();
        let op = |actor: &str, n: u32| {
            Op::lww_set(actor, Hlc::new(NOW.0, n).unwrap(), (&format!("E{n}"), &format!("i{n}"), "p"), "x")
                .unwrap()
        };
        let under =
            |op: Op, kid: &str, signature| SignedOp::new(op, kid, Signature::from_bytes(signature)).unwrap();
        let signed = |op: Op, kid: &str| under(op, kid, [7; 64]);
        match n % 16 {
            0 => signed(op("alice", n32), key("alice").public_key().kid()).to_binary(),
            // An S that is not below the order of the group.
            1 => under(op("alice", n32), key("alice").public_key().kid(), [0xff; 64]).to_binary(),
            2 => signed(op(&format!("stranger {n}"), n32), "kid").to_binary(),
            // Names of about 1 KiB.
            3 => signed(op(&format!("stranger {n:0980}"), n32), &format!("kid {n:0980}")).to_binary(),
            4 => signed(op("alice", n32), &format!("kid {n}")).to_json().into_bytes(),
            5 => signed(op("alice", n32), &format!("kid {n:0980}")).to_json().into_bytes(),
            6..8 => signed(op("alice", n32).in_space(&format!("space {n}")).unwrap(), "kid").to_binary(),
            8..10 => signed(op("alice", n32).labelled(&format!("label {n}")).unwrap(), "kid").to_binary(),
            10..12 => format!("{{\"actor\":\"{n}\",\"member {n}\":{n}}}").into_bytes(),
            // A duplicate, and a copy of it with a kid that is not known and another signature.
            12 => known.to_json().into_bytes(),
            13 => signed(known.op().clone(), &format!("kid {n}")).to_binary(),
            _ => (0..40).map(|_| random.next().to_le_bytes()[0]).collect(),
        }
    };
    let before = LIVE.get();
    let (mut refused, mut duplicates) = (0, 0);
    for n in 0..50_000 {
        let bytes = junk(n);
        match replica.ingest(NOW, bytes.as_slice()) {
            Ok(Outcome::Duplicate { .. }) => duplicates += 1,
            answer => refused += usize::from(answer.is_err()),
        }
    }
    for start in (50_000..100_000).step_by(500) {
        let batch: Vec<Vec<u8>> = (start..start + 500).map(&mut junk).collect();
        let batch: Vec<Incoming<'_>> = batch.iter().map(|bytes| Incoming::from(bytes.as_slice())).collect();
        let answers = replica.ingest_batch(NOW, &batch).unwrap();
        refused += answers.iter().filter(|answer| answer.is_err()).count();
        duplicates += answers.iter().filter(|answer| answer.is_ok()).count();
    }
    assert_eq!((refused, duplicates), (93_750, 6_250));
    assert_eq!(LIVE.get(), before);
    assert_eq!(replica.log().len(), 1);
    assert_eq!(replica.keys().len(), 2);
}

/// Returns operations by actors, kids and fields with names of 1,000 bytes, each used many times but no field twice.
/// Only `signer` signs.
fn with_long_names(count: usize, signer: Option<&SigningSecretKey>) -> Vec<SignedOp> {
    let name = |letter: char, n: usize| format!("{letter}{n:0999}");
    let op = |n: usize| {
        let field = (name('e', n % 40), name('i', n / 40 % 40), name('p', n / 1600));
        let ts = Hlc::new(NOW.0, u32::try_from(n).unwrap()).unwrap();
        let op = |actor: &str| Op::lww_set(actor, ts, (&*field.0, &*field.1, &*field.2), "x").unwrap();
        match signer {
            Some(key) => sign_op(&crypto(), op(key.public_key().actor()), key).unwrap(),
            None => {
                SignedOp::new(op(&name('a', n % 30)), &name('k', n / 200), Signature::from_bytes([7; 64]))
                    .unwrap()
            }
        }
    };
    (0..count).map(op).collect()
}

/// Returns a bundle of operations that nobody has verified.
fn bundle_of(ops: &[SignedOp]) -> Vec<u8> {
    let mut relay = Replica::open(ReplicaOptions::new().dangerously_accept_unverified()).unwrap();
    let batch: Vec<Incoming<'_>> = ops.iter().map(Incoming::from).collect();
    relay.ingest_batch(NOW, &batch).unwrap();
    let mut bundle = Vec::new();
    bundle::export_since(&relay, Cursor::START, &mut bundle).unwrap();
    bundle
}

/// The operations here take 50 to 70 times the bytes that arrive, since a name is sent once and used many times.
#[test]
fn long_names_are_stored_once_and_cost_memory_in_proportion() {
    let long = SigningSecretKey::with_kid(
        &"a".repeat(1000),
        &"k".repeat(1000),
        KeyPair::from_seed(&[9; 32]).unwrap(),
    );
    let long = long.unwrap();
    let mut keys = KeyRegistry::new();
    keys.register(long.public_key().clone()).unwrap();
    let (known, unknown) = (with_long_names(4000, Some(&long)), with_long_names(4000, None));
    for (name, ops, options) in [
        ("a relay without keys", &unknown, ReplicaOptions::new().dangerously_accept_unverified()),
        ("a replica that knows the author", &known, ReplicaOptions::new().keys(keys)),
        ("a replica that knows nobody", &unknown, ReplicaOptions::new()),
    ] {
        let bundle = bundle_of(ops);
        let binary: usize = ops.iter().map(|op| op.to_binary().len()).sum();
        assert!(binary > 30 * bundle.len(), "{binary} for {} bytes", bundle.len());
        let mut replica = Replica::open(options).unwrap();
        let before = LIVE.get();
        let (imported, cost) = measure(|| bundle::import(&mut replica, NOW, bundle.as_slice()).unwrap());
        let kept = (LIVE.get() - before).unsigned_abs();
        let accepted = if name.ends_with("nobody") { 0 } else { 4000 };
        assert_eq!(imported.received.new_ops(), accepted, "{name}");
        assert!(kept <= 4 * bundle.len() + ROOM, "{name}: {kept} kept of {} bytes", bundle.len());
        check(name, "bundle", bundle.len(), cost);
    }
}

/// Returns the smallest requests that a stranger can make in this space and session, with their names: the first one of
/// a session, one for everything, and one about a part of the log.
fn smallest_requests(nonce: u64, held: u64) -> [(&'static str, Vec<u8>); 3] {
    let differs = Content::Fingerprint { count: 1, fingerprint: [1; 8] };
    let everything = |content| vec![Range { low: Bound::start(), high: Bound::End, content }];
    let hello = Phase::Hello { count: 0, since: 0, hint: [0; 8] };
    let part = Phase::Later { cursor: held / 2 };
    let all = everything(Content::Ids(Vec::new()));
    let requests = [
        ("first", hello, Vec::new()),
        ("for everything", Phase::Later { cursor: held }, all),
        ("about a part", part, everything(differs)),
    ];
    requests.map(|(name, phase, ranges)| {
        let sections = Sections { ranges, ..Sections::default() };
        let mut request = Request {
            nonce: [0; 16],
            space: crypto().hash(b"policysync/sync/space/v1").as_bytes()[..8].try_into().unwrap(),
            round: 0,
            limit: 64 << 10,
            resume: None,
            phase,
            filter: Filter::default(),
            sections,
        };
        request.nonce[..8].copy_from_slice(&nonce.to_le_bytes());
        (name, request.write())
    })
}

/// Returns a relay with this many operations.
fn relay_with(count: usize) -> Replica {
    let mut relay = Replica::open(ReplicaOptions::new().dangerously_accept_unverified()).unwrap();
    let op = |n: usize| {
        let ts = Hlc::new(NOW.0 - 1, u32::try_from(n).unwrap()).unwrap();
        let op = Op::lww_set("alice", ts, ("Task", "t1", "p"), "x").unwrap();
        SignedOp::new(op, "k", Signature::from_bytes([7; 64])).unwrap()
    };
    let ops: Vec<SignedOp> = (0..count).map(op).collect();
    for batch in ops.chunks(1000) {
        let batch: Vec<Incoming<'_>> = batch.iter().map(Incoming::from).collect();
        relay.ingest_batch(NOW, &batch).unwrap();
    }
    relay
}

/// A million operations may take 16 MB, so one takes 16 bytes at most, besides an answer of 64 KiB.
#[test]
fn the_smallest_request_costs_16_bytes_of_memory_for_each_operation() {
    const HELD: usize = 50_000;
    let mut relay = relay_with(HELD);
    let mut responder = Responder::new([2; 32], SyncOptions::new());
    for nonce in 0..8 {
        for (name, request) in smallest_requests(nonce, HELD.try_into().unwrap()) {
            let (reply, cost) = measure(|| responder.respond(&mut relay, NOW, &request).unwrap());
            assert!(request.len() <= 64 && reply.message.len() <= 64 << 10, "{name}");
            assert!(cost.peak <= 16 * HELD + 4 * (64 << 10), "{name}: {cost:?} for {} bytes", request.len());
        }
    }
}

/// A responder remembers up to 1,024 sessions, whoever asks, and nothing else.
#[test]
fn nothing_grows_with_how_often_a_stranger_asks() {
    let mut relay = relay_with(40);
    let mut responder = Responder::new([2; 32], SyncOptions::new());
    let mut ask = |nonces: std::ops::Range<u64>| {
        for (_, request) in nonces.flat_map(|nonce| smallest_requests(nonce, 40)) {
            responder.respond(&mut relay, NOW, &request).unwrap();
        }
        LIVE.get()
    };
    let empty = ask(0..1);
    let full = ask(1..1100);
    assert!(full - empty < 1100 * 400, "{} bytes", full - empty);
    assert!(ask(1100..1300) - full < 1024);
}

#[test]
fn the_counting_allocator_counts() {
    let (kept, cost) = measure(|| {
        drop(vec![0_u8; 1 << 20]);
        vec![0_u8; 1000]
    });
    assert_eq!((cost.peak, cost.largest), (1 << 20, 1 << 20));
    let before = LIVE.get();
    drop(kept);
    assert_eq!(before - LIVE.get(), 1000);
}

// The documents of tests/hostile.rs

const DOCUMENTS: &str = include_str!("vectors/hostile.txt");

fn hostile_documents() -> Vec<(String, Vec<u8>)> {
    let part = |digits: &str| if digits == "-" { Vec::new() } else { hex(digits) };
    let recipe = |recipe: &str| match recipe.split(' ').collect::<Vec<_>>()[..] {
        ["pad", prefix, fill, count, suffix] => {
            [part(prefix), part(fill).repeat(count.parse().unwrap()), part(suffix)].concat()
        }
        ["nest", prefix, open, count, middle, close, suffix] => {
            let count = count.parse().unwrap();
            [part(prefix), part(open).repeat(count), part(middle), part(close).repeat(count), part(suffix)]
                .concat()
        }
        _ => panic!("unknown recipe {recipe}"),
    };
    let mut documents = Vec::new();
    let mut name = "";
    for line in DOCUMENTS.lines() {
        match line.split_once(": ") {
            Some(("name", found)) => name = found,
            Some(("document-hex", digits)) => documents.push((name.to_owned(), part(digits))),
            Some(("document-recipe", words)) => documents.push((name.to_owned(), recipe(words))),
            _ => {}
        }
    }
    documents
}

fn hostile_keys() -> KeyRegistry {
    let mut registry = KeyRegistry::new();
    for line in DOCUMENTS.lines().filter_map(|line| line.strip_prefix("# key: ")) {
        let fields: Vec<&str> = line.split(" | ").collect();
        let ["registered", _, actor, kid, seed] = fields[1..6] else { continue };
        if seed.len() != 64 {
            continue;
        }
        let text = |digits| String::from_utf8(hex(digits)).unwrap();
        let pair = KeyPair::from_seed(&hex(seed).try_into().unwrap()).unwrap();
        let key = SigningSecretKey::with_kid(&text(actor), &text(kid), pair).unwrap();
        registry.register(key.public_key().clone()).unwrap();
    }
    assert!(registry.len() >= 6);
    registry
}

/// Returns the bytes that an initiator and a responder keep to resume a session, each with its replica.
fn resumption_bytes() -> [(Vec<u8>, Replica); 2] {
    let with = |first: u64| {
        let mut replica = reader(&["alice"]);
        for n in first..first + 40 {
            replica.ingest(NOW, &set("alice", NOW.0 - 100 + n, 0, "title", "x")).unwrap();
        }
        replica
    };
    let (mut ours, mut theirs) = (with(0), with(20));
    let mut session = SyncSession::new(SyncOptions::new(), [1; 16]);
    let mut responder = Responder::new([2; 32], SyncOptions::new());
    while let Some(request) = session.next_message(&ours).unwrap() {
        let reply = responder.respond(&mut theirs, NOW, &request).unwrap();
        session.receive(&mut ours, NOW, &reply.message).unwrap();
    }
    let Some(SessionResult::Converged { resume: Some(base), .. }) = session.result() else {
        panic!("honest sides")
    };
    [(base.to_bytes(&ours, &[2; 32]).unwrap(), ours), (responder.save_sessions(&theirs), theirs)]
}

#[test]
fn disturbed_session_resumptions_cost_memory_in_proportion() {
    let [(base, ours), (sessions, theirs)] = resumption_bytes();
    assert!(ResumeToken::from_bytes(&base, &ours, &[2; 32]).is_ok());
    let mut random = Random(24);
    for _ in 0..3000 {
        let bytes = disturb(&base, &mut random);
        let (_, cost) = measure(|| drop(ResumeToken::from_bytes(&bytes, &ours, &[2; 32])));
        check("a disturbed base", "sync", bytes.len(), cost);
        let bytes = disturb(&sessions, &mut random);
        let mut responder = Responder::new([2; 32], SyncOptions::new());
        let (_, cost) = measure(|| _ = responder.restore_sessions(&theirs, &bytes));
        check("disturbed sessions", "sync", bytes.len(), cost);
    }
    // Messages that consist of counts.
    for filler in [0, 1, 0x7f, 0xff] {
        for prefix in [&base[..50], &sessions[..2]] {
            let bytes = [prefix, &[filler; 20_000]].concat();
            let mut responder = Responder::new([2; 32], SyncOptions::new());
            let (_, cost) = measure(|| {
                drop(ResumeToken::from_bytes(&bytes, &ours, &[2; 32]));
                _ = responder.restore_sessions(&theirs, &bytes);
            });
            check("counts", "sync", bytes.len(), cost);
        }
    }
}

/// Returns the requests and the answers of a session between honest sides, and a bundle.
fn honest_bytes() -> (Vec<Vec<u8>>, Vec<Vec<u8>>, Vec<u8>) {
    let with = |actor: &str| {
        let mut replica = reader(&["alice", "bob"]);
        for n in 0..40 {
            replica.ingest(NOW, &set(actor, NOW.0 - 100 + n, 0, "title", "x")).unwrap();
        }
        replica
    };
    let (mut ours, mut theirs) = (with("alice"), with("bob"));
    let mut bundle = Vec::new();
    bundle::export_since(&ours, Cursor::START, &mut bundle).unwrap();
    let mut session = SyncSession::new(SyncOptions::new(), [1; 16]);
    let mut responder = Responder::new([2; 32], SyncOptions::new());
    let (mut requests, mut answers) = (Vec::new(), Vec::new());
    while let Some(request) = session.next_message(&ours).unwrap() {
        let reply = responder.respond(&mut theirs, NOW, &request).unwrap();
        session.receive(&mut ours, NOW, &reply.message).unwrap();
        requests.push(request);
        answers.push(reply.message);
    }
    (requests, answers, bundle)
}

/// Returns the bytes with random changes: long lengths, flipped bits, cuts and repetitions.
fn disturb(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        match random.below(5) {
            0 => bytes[at] = 0xff,
            1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes.truncate(at.max(1)),
            3 => bytes.extend_from_within(at..),
            _ => {
                bytes.splice(at..at, [0xff; 9]);
            }
        }
    }
    bytes
}

/// Two replicas that know no keys, with a session that can be resumed. They stay empty, because the length of an answer
/// depends on the operations that a replica has.
struct Peers {
    ours: Replica,
    theirs: Replica,
    base: ResumeToken,
}

impl Peers {
    fn new() -> Self {
        let (mut ours, mut theirs) = (reader(&[]), reader(&[]));
        let mut session = SyncSession::new(SyncOptions::new(), [3; 16]);
        let mut responder = Responder::new([2; 32], SyncOptions::new());
        while let Some(request) = session.next_message(&ours).unwrap() {
            let reply = responder.respond(&mut theirs, NOW, &request).unwrap();
            session.receive(&mut ours, NOW, &reply.message).unwrap();
        }
        match session.result() {
            Some(SessionResult::Converged { resume: Some(base), .. }) => {
                Self { ours, theirs, base: base.clone() }
            }
            other => panic!("{other:?}"),
        }
    }

    /// Passes a message to each function that receives messages, and checks the cost.
    fn take(&mut self, name: &str, message: &[u8]) {
        let mut responder = Responder::new([2; 32], SyncOptions::new());
        let (_, cost) = measure(|| drop(responder.respond(&mut self.theirs, NOW, message)));
        check(name, "request", message.len(), cost);

        let mut session = SyncSession::new(SyncOptions::new(), [1; 16]);
        session.next_message(&self.ours).unwrap();
        let (_, cost) = measure(|| drop(session.receive(&mut self.ours, NOW, message)));
        check(name, "answer", message.len(), cost);

        let mut push = Push::after(self.base.clone(), &SyncOptions::new());
        let (_, cost) = measure(|| drop(push.receive(&mut self.ours, NOW, message)));
        check(name, "pushed message", message.len(), cost);
        assert!(self.ours.log().is_empty() && self.theirs.log().is_empty());
    }
}

fn import(name: &str, bundle: &[u8]) {
    let mut replica = reader(&[]);
    let (_, cost) = measure(|| drop(bundle::import(&mut replica, NOW, bundle)));
    check(name, "bundle", bundle.len(), cost);
}

#[test]
fn messages_of_a_peer_cost_memory_in_proportion() {
    let (requests, answers, bundle) = honest_bytes();
    let (mut random, mut peers) = (Random(23), Peers::new());
    for run in 0..3000 {
        peers.take("a disturbed request", &disturb(&requests[run % requests.len()], &mut random));
        peers.take("a disturbed answer", &disturb(&answers[run % answers.len()], &mut random));
        import("a disturbed bundle", &disturb(&bundle, &mut random));
    }
}

/// Returns the inputs in the corpus of a fuzz target, with their names.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.map(|file| (file.display().to_string(), fs::read(&file).unwrap())).collect()
}

/// Splits an input into its pieces, each after its length, as `policysync_fuzz::Input` does.
fn pieces(mut input: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    while let [low, high, rest @ ..] = input {
        let len = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
        let (piece, rest) = rest.split_at(len);
        pieces.push(piece);
        input = rest;
    }
    pieces
}

#[test]
fn no_input_in_the_fuzz_corpus_costs_more_than_sixteen_times_its_bytes() {
    let (mut replica, mut peers, mut fed) = (reader(&["alice"]), Peers::new(), 0);
    for (name, bytes) in ["op_json", "op_binary", "value"].into_iter().flat_map(corpus) {
        drop(feed(&name, &bytes, &mut replica));
        fed += 1;
    }
    for (name, bytes) in corpus("bundle") {
        // The first byte selects what the fuzz target does.
        import(&name, &bytes[bytes.len().min(1)..]);
        fed += 1;
    }
    for (name, bytes) in corpus("sync_message") {
        for message in pieces(&bytes[bytes.len().min(1)..]).into_iter().chain([bytes.as_slice()]) {
            peers.take(&name, message);
            fed += 1;
        }
    }
    assert!(fed >= 70, "{fed}");
}

/// Tests of files, which SQLite reads with memory that the allocator here does not count.
#[cfg(feature = "sqlite")]
mod files {
    use super::*;
    use policysync::crypto::Sodium;
    use policysync::store::{Durability, StoreCheck};

    /// The memory of a connection with its statements, for any file.
    const CONNECTION: usize = 128 * 1024;

    #[expect(unsafe_code, reason = "only the C interface of SQLite tells its memory")]
    fn sqlite_now() -> usize {
        // SAFETY: may be called at any time.
        usize::try_from(unsafe { rusqlite::ffi::sqlite3_memory_used() }).unwrap()
    }

    /// Returns the most bytes that SQLite had allocated since the last call.
    #[expect(unsafe_code, reason = "only the C interface of SQLite tells its memory")]
    fn sqlite_peak() -> usize {
        // SAFETY: may be called at any time.
        usize::try_from(unsafe { rusqlite::ffi::sqlite3_memory_highwater(1) }).unwrap()
    }

    /// Checks the cost of the work, and returns its peak, SQLite's share included. No other test here uses SQLite.
    fn check_file(name: &str, bytes: usize, work: impl FnOnce()) -> usize {
        let before = sqlite_now();
        sqlite_peak();
        let ((), cost) = measure(work);
        let peak = cost.peak + (sqlite_peak() - before);
        assert!(peak <= FACTOR * bytes + ROOM + CONNECTION, "{name}: {peak} for {bytes} bytes");
        peak
    }

    #[test]
    fn no_damaged_file_costs_more_than_sixteen_times_its_bytes_and_a_connection() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let options = |is_sealed: bool| {
            let options = knowing(&["alice"]).path(&path, NOW).durability(Durability::ProcessOnly);
            if is_sealed { options.seal_key([9; 32]) } else { options }
        };
        let mut random = Random(31);
        for is_sealed in [true, false] {
            let mut replica = Replica::open(options(is_sealed)).unwrap();
            for n in 0..60 {
                let op = set("alice", NOW.0 - 100 + n, 0, &format!("p{n}"), "x".repeat(300));
                replica.ingest(NOW, &op).unwrap();
            }
            drop(replica);
            let whole = fs::read(&path).unwrap();
            for run in 0..150 {
                let mut bytes = match run {
                    0 => whole.clone(),
                    _ => disturb(&whole, &mut random),
                };
                if run % 16 == 1 {
                    bytes.truncate(random.below(8192));
                }
                fs::write(&path, &bytes).unwrap();
                check_file("opened", bytes.len(), || drop(Replica::open(options(is_sealed))));
                fs::write(&path, &bytes).unwrap();
                let keys = knowing_keys();
                check_file("checked", bytes.len(), || {
                    drop(StoreCheck::new(&path, &keys).verify(Sodium::new().unwrap()));
                });
                for left in ["store.db-wal", "store.db-shm", "store.db-journal"] {
                    drop(fs::remove_file(folder.path().join(left)));
                }
            }
            fs::remove_file(&path).unwrap();
        }
    }

    fn knowing_keys() -> KeyRegistry {
        let mut keys = KeyRegistry::new();
        keys.register(key("alice").public_key().clone()).unwrap();
        keys
    }
}
