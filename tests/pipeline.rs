//! One operation on its way through everything: each refusal, each outcome, and what is left behind.

mod common;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use common::{NOW, Random, crypto, delete, key, knowing, reader, set};
use policysync::{
    Clock, Cursor, DecodeError, Effect, ForkError, ForkProof, Guard, Hash, Hlc, Incoming, IngestError,
    KeyPair, KeyRegistry, Kind, Labels, LogDigest, Op, OpHash, Outcome, Refused, Replica, ReplicaOptions,
    Rule, Signature, SignedOp, SigningPublicKey, SigningSecretKey, Standing, Value, Verdict, VerifiedOp,
    VerifyError, WallMillis, WriteError, sign_op, verify_op,
};
use proptest::prelude::*;

const DRIFT: u64 = ReplicaOptions::DEFAULT_MAX_DRIFT.0;
const HOUR: u64 = 3_600_000;

/// Everything that a refused operation must leave alone.
#[derive(Debug, PartialEq)]
struct Seen {
    log: LogDigest,
    state: Hash,
    clock: Option<Hlc>,
    cursor: Cursor,
    held: usize,
    horizon: Option<WallMillis>,
}

fn seen(replica: &Replica) -> Seen {
    Seen {
        log: replica.log().digest(),
        state: replica.state_digest(),
        clock: replica.clock().last(),
        cursor: replica.log().cursor(),
        held: replica.held(),
        horizon: replica.horizon(),
    }
}

fn writer(actor: &str, knows: &[&str]) -> Replica {
    Replica::open(knowing(knows).write_as(key(actor))).unwrap()
}

fn appended(outcome: Outcome) -> (OpHash, Effect) {
    match outcome {
        Outcome::Appended { hash, effect, .. } => (hash, effect),
        other => panic!("{other:?}"),
    }
}

fn hash_of(op: &SignedOp) -> OpHash {
    verify_op(&crypto(), op, key(op.op().actor()).public_key()).unwrap().hash()
}

/// The same content with another signature.
fn with_signature(op: &SignedOp, bytes: [u8; 64]) -> SignedOp {
    SignedOp::new(op.op().clone(), op.kid(), Signature::from_bytes(bytes)).unwrap()
}

fn forged(op: &SignedOp) -> SignedOp {
    with_signature(op, [7; 64])
}

fn text(text: &str) -> Option<Value> {
    Some(Value::from(text))
}

// ---- refusals

/// Offers it in each form to a replica that holds something; it must be refused and leave no trace.
fn refusal(mut replica: Replica, op: &SignedOp) -> Refused {
    replica.ingest(NOW, &set("alice", NOW.0, 77, "other", "there before")).unwrap_or_else(|error| {
        // A replica of another space takes nothing of this kind; then it stays empty.
        assert!(matches!(error, IngestError::Refused(_)), "{error}");
        Outcome::Duplicate { hash: OpHash::from_bytes([0; 32]) }
    });
    let before = seen(&replica);
    let (json, binary) = (op.to_json(), op.to_binary());
    let forms = [Incoming::from(op), Incoming::from(json.as_str()), Incoming::from(binary.as_slice())];
    let refusals = forms.map(|form| match replica.ingest(NOW, form) {
        Err(IngestError::Refused(refused)) => refused,
        other => panic!("{other:?}"),
    });
    assert_eq!(refusals[0], refusals[1]);
    assert_eq!(refusals[0], refusals[2]);
    assert_eq!(seen(&replica), before);
    assert!(!replica.log().iter().any(|entry| entry.unwrap().op.op() == op.op()));
    let [first, ..] = refusals;
    first
}

#[test]
fn what_is_not_an_operation_is_malformed_and_changes_nothing() {
    let mut replica = reader(&["alice"]);
    replica.ingest(NOW, &set("alice", NOW.0, 0, "title", "x")).unwrap();
    let before = seen(&replica);
    let json = set("alice", NOW.0, 1, "title", "x").to_json();
    let cut = &json[..json.len() - 1];
    for bytes in [b"".as_slice(), b"{}", b"null", b"\x00", b"\x01", b"\xff", cut.as_bytes(), b"[1]"] {
        let error = replica.ingest(NOW, bytes).unwrap_err();
        assert!(matches!(error, IngestError::Refused(Refused::Malformed(_))), "{error:?}");
    }
    assert_eq!(seen(&replica), before);
}

#[test]
fn a_label_of_ones_own_is_an_id_mismatch_unless_the_replica_takes_any() {
    let op = Op::lww_set("alice", Hlc::new(NOW.0, 0).unwrap(), "Task", "t1", "title", "x").unwrap();
    let op = sign_op(&crypto(), op.labelled("alice:1").unwrap(), &key("alice")).unwrap();
    assert!(matches!(refusal(reader(&["alice"]), &op), Refused::Malformed(DecodeError::IdMismatch { .. })));

    let mut replica = Replica::open(knowing(&["alice"]).labels(Labels::Any)).unwrap();
    let (hash, _) = appended(replica.ingest(NOW, op.to_json().as_str()).unwrap());
    let kept = replica.log().get(&hash).unwrap().unwrap();
    assert_eq!(kept, op);
    assert_eq!(kept.op().id(), "alice:1");
    // The default label is still welcome, and is another operation.
    let plain = set("alice", NOW.0, 0, "title", "x");
    assert!(matches!(
        replica.ingest(NOW, &plain).unwrap(),
        Outcome::Appended { equivocates_with: Some(other), .. } if other == hash
    ));
}

#[test]
fn two_actors_may_use_one_label() {
    let mut replica = Replica::open(knowing(&["alice", "bob"]).labels(Labels::Any)).unwrap();
    for actor in ["alice", "bob"] {
        let op = Op::lww_set(actor, Hlc::new(NOW.0, 0).unwrap(), "Task", "t1", actor, "x").unwrap();
        let op = sign_op(&crypto(), op.labelled("alice:1").unwrap(), &key(actor)).unwrap();
        appended(replica.ingest(NOW, &op).unwrap());
    }
    assert_eq!(replica.log().len(), 2);
}

fn in_space(space: &str) -> SignedOp {
    let op = Op::lww_set("alice", Hlc::new(NOW.0, 0).unwrap(), "Task", "t1", "title", "x").unwrap();
    sign_op(&crypto(), op.in_space(space).unwrap(), &key("alice")).unwrap()
}

#[test]
fn an_operation_of_another_space_is_refused_in_every_direction() {
    let home = || Replica::open(knowing(&["alice"]).space("home")).unwrap();
    for (replica, op) in [
        (home(), set("alice", NOW.0, 0, "title", "x")),
        (home(), in_space("work")),
        (home(), in_space("Home")),
        (reader(&["alice"]), in_space("home")),
    ] {
        assert!(matches!(refusal(replica, &op), Refused::WrongSpace { .. }));
    }
    appended(home().ingest(NOW, &in_space("home")).unwrap());
}

#[test]
fn taking_an_operation_out_of_its_space_breaks_its_signature() {
    let home = in_space("home");
    let bare = Op::lww_set("alice", Hlc::new(NOW.0, 0).unwrap(), "Task", "t1", "title", "x").unwrap();
    let moved = SignedOp::new(bare, home.kid(), *home.signature()).unwrap();
    assert_eq!(refusal(reader(&["alice"]), &moved), Refused::BadSignature);
}

#[test]
fn an_actor_that_nobody_registered_is_an_unknown_key() {
    let op = set("mallory", NOW.0, 0, "title", "x");
    assert!(matches!(refusal(reader(&["alice"]), &op), Refused::UnknownKey { .. }));
}

#[test]
fn another_actors_key_does_not_speak_for_alice() {
    // Bob is known, and signs as alice under his own kid.
    let op = Op::lww_set("alice", Hlc::new(NOW.0, 0).unwrap(), "Task", "t1", "title", "x").unwrap();
    let pair = KeyPair::from_seed(&key("bob").key_pair().expose_seed()).unwrap();
    let bob_as_alice = SigningSecretKey::with_kid("alice", key("bob").public_key().kid(), pair).unwrap();
    let by_bob = sign_op(&crypto(), op, &bob_as_alice).unwrap();
    assert!(matches!(refusal(reader(&["alice", "bob"]), &by_bob), Refused::UnknownKey { .. }));
    // Under alice's kid it is a bad signature.
    let under_alices_kid =
        SignedOp::new(by_bob.op().clone(), key("alice").public_key().kid(), *by_bob.signature()).unwrap();
    assert_eq!(refusal(reader(&["alice", "bob"]), &under_alices_kid), Refused::BadSignature);
}

#[test]
fn one_kid_may_belong_to_two_actors_and_each_has_its_own_key() {
    let keys = ["alice", "bob"].map(|actor| {
        let pair = KeyPair::from_seed(&key(actor).key_pair().expose_seed()).unwrap();
        SigningSecretKey::with_kid(actor, "kid", pair).unwrap()
    });
    let mut replica = reader(&[]);
    for key in &keys {
        replica.keys_mut().register(key.public_key().clone()).unwrap();
    }
    let op =
        |actor: &str| Op::lww_set(actor, Hlc::new(NOW.0, 0).unwrap(), "Task", "t1", "title", "x").unwrap();
    let alices = sign_op(&crypto(), op("alice"), &keys[0]).unwrap();
    let bobs = sign_op(&crypto(), op("bob"), &keys[1]).unwrap();
    let swapped = SignedOp::new(op("alice"), "kid", *bobs.signature()).unwrap();
    assert_eq!(replica.ingest(NOW, &swapped), Err(Refused::BadSignature.into()));
    appended(replica.ingest(NOW, &alices).unwrap());
    appended(replica.ingest(NOW, &bobs).unwrap());
}

#[test]
fn an_unknown_key_is_welcome_once_it_is_registered() {
    let op = set("alice", NOW.0, 0, "title", "x");
    let mut replica = reader(&[]);
    assert!(matches!(replica.ingest(NOW, &op), Err(IngestError::Refused(Refused::UnknownKey { .. }))));
    replica.keys_mut().register(key("alice").public_key().clone()).unwrap();
    appended(replica.ingest(NOW, &op).unwrap());
}

#[test]
fn every_changed_member_breaks_the_signature() {
    let genuine = set("alice", NOW.0, 5, "title", "x");
    let ts = |t, c| Hlc::new(t, c).unwrap();
    let now = ts(NOW.0, 5);
    let changed = [
        Op::lww_set("alice", ts(NOW.0 + 1, 5), "Task", "t1", "title", "x"),
        Op::lww_set("alice", ts(NOW.0, 6), "Task", "t1", "title", "x"),
        Op::lww_set("alice", now, "Tas", "kt1", "title", "x"),
        Op::lww_set("alice", now, "Task", "t2", "title", "x"),
        Op::lww_set("alice", now, "Task", "t1", "Title", "x"),
        Op::lww_set("alice", now, "Task", "t1", "title", "X"),
        Op::lww_set("alice", now, "Task", "t1", "title", Value::null()),
        Op::lww_delete("alice", now, "Task", "t1", "title"),
    ];
    for op in changed {
        let op = SignedOp::new(op.unwrap(), genuine.kid(), *genuine.signature()).unwrap();
        assert_eq!(refusal(reader(&["alice"]), &op), Refused::BadSignature);
    }
    appended(reader(&["alice"]).ingest(NOW, &genuine).unwrap());
}

#[test]
fn an_operation_is_not_verified_by_another_key_of_the_same_actor() {
    let first = SigningSecretKey::with_kid("alice", "one", KeyPair::from_seed(&[1; 32]).unwrap()).unwrap();
    let second = SigningSecretKey::with_kid("alice", "two", KeyPair::from_seed(&[2; 32]).unwrap()).unwrap();
    let mut keys = KeyRegistry::new();
    keys.register(first.public_key().clone()).unwrap();
    keys.register(second.public_key().clone()).unwrap();
    let mut replica = Replica::open(ReplicaOptions::new().keys(keys)).unwrap();
    let op = Op::lww_set("alice", Hlc::new(NOW.0, 0).unwrap(), "Task", "t1", "title", "x").unwrap();
    let by_first = sign_op(&crypto(), op, &first).unwrap();
    let swapped = SignedOp::new(by_first.op().clone(), "two", *by_first.signature()).unwrap();
    assert_eq!(replica.ingest(NOW, &swapped), Err(Refused::BadSignature.into()));
    appended(replica.ingest(NOW, &by_first).unwrap());
}

// ---- the guard

fn only_titles(op: &VerifiedOp<'_>) -> Verdict {
    if op.op().path() == "title" { Verdict::Admit } else { Verdict::Reject }
}

#[test]
fn what_the_guard_rejects_is_denied_and_leaves_no_trace() {
    let guarded = || Replica::open(knowing(&["alice"]).guard(only_titles)).unwrap();
    assert_eq!(refusal(guarded(), &set("alice", NOW.0, 0, "notes", "x")), Refused::Denied);
    appended(guarded().ingest(NOW, &set("alice", NOW.0, 0, "title", "x")).unwrap());
}

#[test]
fn the_guard_decides_over_our_own_writes_too() {
    let mut replica = Replica::open(knowing(&[]).write_as(key("alice")).guard(only_titles)).unwrap();
    replica.set(NOW, "Task", "t1", "title", "x").unwrap();
    let before = seen(&replica);
    let error = replica.set(NOW, "Task", "t1", "notes", "x").unwrap_err();
    assert_eq!(error, WriteError::Ingest(IngestError::Refused(Refused::Denied)));
    assert_eq!(seen(&replica), before);
}

/// Aborts at the path `stop`, and counts whom it was asked about.
fn stopping(asked: &Arc<AtomicUsize>) -> impl Guard + 'static {
    let asked = Arc::clone(asked);
    move |op: &VerifiedOp<'_>| {
        asked.fetch_add(1, Ordering::Relaxed);
        match op.op().path() {
            "stop" => Verdict::Abort,
            "no" => Verdict::Reject,
            _ => Verdict::Admit,
        }
    }
}

#[test]
fn an_abort_of_the_guard_keeps_nothing_of_the_batch() {
    let asked = Arc::new(AtomicUsize::new(0));
    let mut replica = Replica::open(knowing(&["alice"]).guard(stopping(&asked))).unwrap();
    replica.ingest(NOW, &set("alice", NOW.0, 0, "title", "x")).unwrap();
    let before = seen(&replica);
    let ops = ["title", "stop", "notes"].map(|path| set("alice", NOW.0 + 1, 0, path, "y"));
    let error = replica.ingest_batch(NOW, &ops.each_ref().map(Incoming::from)).unwrap_err();
    assert!(matches!(error, IngestError::Aborted(_)), "{error:?}");
    assert_eq!(seen(&replica), before);
    assert_eq!(replica.get("Task", "t1", "title").unwrap(), text("x"));
    // The same without the one that stops it is welcome.
    for outcome in replica.ingest_batch(NOW, &[(&ops[0]).into(), (&ops[2]).into()]).unwrap() {
        appended(outcome.unwrap());
    }
    assert_eq!(replica.log().len(), 3);
}

#[test]
fn the_guard_sees_verified_new_operations_only_and_each_once() {
    let asked = Arc::new(AtomicUsize::new(0));
    let mut replica = Replica::open(knowing(&["alice"]).guard(stopping(&asked))).unwrap();
    let count = || asked.swap(0, Ordering::Relaxed);
    let first = set("alice", NOW.0, 0, "title", "x");
    replica.ingest(NOW, &first).unwrap();
    assert_eq!(count(), 1);

    // A duplicate, a forged copy of it, a forgery, a stranger, another space, garbage.
    let second = set("alice", NOW.0, 1, "title", "y");
    for op in [
        &first,
        &forged(&first),
        &forged(&second),
        &set("mallory", NOW.0, 0, "title", "x"),
        &in_space("home"),
    ] {
        drop(replica.ingest(NOW, op));
    }
    drop(replica.ingest(NOW, b"{}".as_slice()));
    assert_eq!(count(), 0);

    // In one batch: the copy, the forged copy and the duplicate are not asked about.
    let held = set("alice", NOW.0 + DRIFT + 1, 0, "title", "later");
    let forgery = forged(&second);
    let batch = [&second, &second, &forgery, &first, &held, &held].map(Incoming::from);
    replica.ingest_batch(NOW, &batch).unwrap();
    assert_eq!(count(), 2);
    // Neither when the held one is released.
    assert_eq!(replica.held(), 1);
    replica.poll(WallMillis(NOW.0 + DRIFT));
    assert_eq!((count(), replica.held()), (0, 0));
}

#[test]
fn the_guard_gets_a_whole_batch_in_the_order_of_the_call() {
    struct Recording(Arc<Mutex<Vec<Vec<u32>>>>);
    impl Guard for Recording {
        fn judge(&mut self, ops: &[VerifiedOp<'_>], verdicts: &mut [Verdict]) {
            assert_eq!(ops.len(), verdicts.len());
            assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Reject));
            self.0.lock().unwrap().push(ops.iter().map(|op| op.op().ts().c()).collect());
            // Says nothing about the first: it is rejected.
            for verdict in verdicts.iter_mut().skip(1) {
                *verdict = Verdict::Admit;
            }
        }
    }
    let calls = Arc::new(Mutex::new(Vec::new()));
    let mut replica = Replica::open(knowing(&["alice"]).guard(Recording(Arc::clone(&calls)))).unwrap();
    let ops: Vec<SignedOp> = [5, 2, 9, 1].map(|c| set("alice", NOW.0, c, "title", "x")).into();
    let forgery = forged(&ops[2]);
    // The forged copy comes first, so its genuine copy is verified out of turn; the guard's order stays.
    let batch = [&ops[0], &ops[1], &forgery, &ops[2], &ops[3]].map(Incoming::from);
    let outcomes = replica.ingest_batch(NOW, &batch).unwrap();
    assert_eq!(*calls.lock().unwrap(), [vec![5, 2, 9, 1]]);
    assert_eq!(outcomes[0], Err(Refused::Denied));
    assert_eq!(outcomes[2], Err(Refused::BadSignature));
    assert_eq!(replica.log().len(), 3);
}

// ---- duplicates and forged copies

#[test]
fn a_thousand_replays_are_duplicates_whatever_their_signature_says() {
    let asked = Arc::new(AtomicUsize::new(0));
    let mut replica = Replica::open(knowing(&["alice"]).guard(stopping(&asked))).unwrap();
    let op = set("alice", NOW.0, 0, "title", "x");
    let (hash, _) = appended(replica.ingest(NOW, &op).unwrap());
    let before = seen(&replica);
    let mut random = Random(1);
    let mut replays = 0;
    for _ in 0..1000 {
        // A signature that was looked at would be refused.
        let mut bytes = [0; 64];
        bytes.fill_with(|| random.next().to_le_bytes()[0]);
        let replay = with_signature(&op, bytes);
        assert_eq!(replica.ingest(NOW, &replay), Ok(Outcome::Duplicate { hash }));
        replays += 1;
    }
    assert_eq!((replays, asked.load(Ordering::Relaxed)), (1000, 1));
    assert_eq!(seen(&replica), before);
    // What is kept is what was verified.
    assert_eq!(replica.log().get(&hash).unwrap(), Some(op));
}

#[test]
fn every_spelling_of_one_operation_is_the_same_operation() {
    let op = set("alice", NOW.0, 0, "title", Value::parse("{\"a\":1,\"é\":[true]}").unwrap());
    let mut replica = reader(&["alice"]);
    let (hash, _) = appended(replica.ingest(NOW, op.to_binary().as_slice()).unwrap());
    let json = op.to_json();
    let spaced =
        json.replace(':', " : ").replace("alice : ", "alice:").replace("1760000000000 : ", "1760000000000:");
    let escaped =
        json.replace("\"title\"", "\"\\u0074itl\\u0065\"").replace('é', "\\u00E9").replace(":1,", ":1.0e0,");
    assert!(spaced != json && escaped != json);
    for text in [&json, &spaced, &escaped] {
        assert_eq!(replica.ingest(NOW, text.as_str()), Ok(Outcome::Duplicate { hash }), "{text}");
    }
}

#[test]
fn a_forged_copy_does_not_shadow_the_genuine_operation() {
    let genuine = set("alice", NOW.0, 0, "title", "x");
    let (a, b) = (forged(&genuine), with_signature(&genuine, [0xff; 64]));
    let hash = hash_of(&genuine);

    let mut replica = reader(&["alice"]);
    for copy in [&a, &b, &a] {
        assert_eq!(replica.ingest(NOW, copy), Err(Refused::BadSignature.into()));
    }
    appended(replica.ingest(NOW, &genuine).unwrap());
    assert_eq!(replica.ingest(NOW, &a), Ok(Outcome::Duplicate { hash }));

    // Within one batch, the genuine one at each place among several forged copies.
    let mut batches = 0;
    for copies in [vec![&a], vec![&a, &b], vec![&a, &b, &a, &b]] {
        for place in 0..=copies.len() {
            let mut batch = copies.clone();
            batch.insert(place, &genuine);
            let mut replica = reader(&["alice"]);
            let batch: Vec<Incoming<'_>> = batch.into_iter().map(Incoming::from).collect();
            let outcomes = replica.ingest_batch(NOW, &batch).unwrap();
            for (at, outcome) in outcomes.iter().enumerate() {
                match at.cmp(&place) {
                    std::cmp::Ordering::Less => assert_eq!(*outcome, Err(Refused::BadSignature)),
                    std::cmp::Ordering::Equal => assert_eq!(appended(outcome.clone().unwrap()).0, hash),
                    std::cmp::Ordering::Greater => assert_eq!(*outcome, Ok(Outcome::Duplicate { hash })),
                }
            }
            assert_eq!(replica.log().get(&hash).unwrap().as_ref(), Some(&genuine));
            assert_eq!(replica.log().len(), 1);
            batches += 1;
        }
    }
    assert_eq!(batches, 10);
}

// ---- batches

/// What a batch is drawn from, encoded.
fn offers() -> Vec<Vec<u8>> {
    let mut offers = Vec::new();
    for (n, path) in ["title", "no", "notes", "a/b"].into_iter().enumerate() {
        let c = u32::try_from(n).unwrap();
        for (actor, t) in [("alice", NOW.0), ("bob", NOW.0), ("alice", NOW.0 + DRIFT + 1), ("mallory", NOW.0)]
        {
            let op = set(actor, t, c / 2, path, "x");
            let other = delete(actor, t, c / 2, path);
            offers.push(op.to_binary());
            offers.push(op.to_json().into_bytes());
            offers.push(forged(&op).to_binary());
            offers.push(with_signature(&op, [9; 64]).to_json().into_bytes());
            offers.push(other.to_binary());
        }
    }
    offers.push(in_space("home").to_binary());
    offers.extend([Vec::new(), vec![1, 2, 3], b"{}".to_vec(), vec![0xff; 10]]);
    let half = offers[0].len() / 2;
    offers.push(offers[0][..half].to_vec());
    offers
}

fn guarded(options: ReplicaOptions) -> Replica {
    Replica::open(options.guard(stopping(&Arc::new(AtomicUsize::new(0))))).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_batch_is_answered_as_its_operations_one_by_one(
        numbers in prop::collection::vec(any::<prop::sample::Index>(), 1..60),
        cut in any::<prop::sample::Index>(),
    ) {
        let offers = offers();
        let batch: Vec<&[u8]> = numbers.iter().map(|number| number.get(&offers).as_slice()).collect();
        let mut one_by_one = guarded(knowing(&["alice", "bob"]));
        let expected: Vec<Result<Outcome, Refused>> = batch
            .iter()
            .map(|bytes| one_by_one.ingest(NOW, *bytes).map_err(|error| match error {
                IngestError::Refused(refused) => refused,
                other => panic!("{other:?}"),
            }))
            .collect();

        for options in [vec![knowing(&["alice", "bob"])], with_threads()].into_iter().flatten() {
            // In two batches, so that the second meets what the first has left.
            let (first, second) = batch.split_at(cut.index(batch.len()));
            let mut replica = guarded(options);
            let mut answers = Vec::new();
            for part in [first, second] {
                let part: Vec<Incoming<'_>> = part.iter().map(|bytes| Incoming::from(*bytes)).collect();
                answers.extend(replica.ingest_batch(NOW, &part).unwrap());
            }
            prop_assert_eq!(&answers, &expected);
            prop_assert_eq!(seen(&replica), seen(&one_by_one));
            prop_assert_eq!(replica.log().forks().unwrap(), one_by_one.log().forks().unwrap());
            prop_assert_eq!(replica.poll(NOW), one_by_one_changes(&batch));
        }
    }
}

#[cfg(not(feature = "parallel"))]
fn with_threads() -> Vec<ReplicaOptions> {
    Vec::new()
}

#[cfg(feature = "parallel")]
fn with_threads() -> Vec<ReplicaOptions> {
    (1..=4).map(|threads| knowing(&["alice", "bob"]).threads(threads.try_into().unwrap())).collect()
}

fn one_by_one_changes(batch: &[&[u8]]) -> Vec<policysync::Change> {
    let mut replica = guarded(knowing(&["alice", "bob"]));
    for bytes in batch {
        drop(replica.ingest(NOW, *bytes));
    }
    replica.poll(NOW)
}

/// More than one portion of work for each thread.
#[cfg(feature = "parallel")]
#[test]
fn threads_answer_a_large_batch_as_one_thread_does() {
    let mut random = Random(3);
    let mut offers: Vec<Vec<u8>> = offers();
    for c in 0..2500 {
        let op = set("alice", NOW.0 - 1, c, &format!("note/{}", c % 11), "x");
        offers.push(if c % 7 == 0 { forged(&op) } else { op }.to_binary());
    }
    let copies: Vec<Vec<u8>> = (0..300).map(|_| offers[random.below(offers.len())].clone()).collect();
    offers.extend(copies);
    random.shuffle(&mut offers);
    let batch: Vec<Incoming<'_>> = offers.iter().map(|bytes| Incoming::from(bytes.as_slice())).collect();
    assert!(batch.len() > 4 * 64);
    let mut one = guarded(knowing(&["alice", "bob"]));
    let expected = one.ingest_batch(NOW, &batch).unwrap();
    assert!(one.log().len() > 2048, "the index takes them on two threads");
    let notes = one.fields("Task", "t1", "note").unwrap();
    assert_eq!(notes.len(), 11);
    for options in with_threads() {
        let mut replica = guarded(options);
        assert_eq!(replica.ingest_batch(NOW, &batch).unwrap(), expected);
        assert_eq!(seen(&replica), seen(&one));
        assert_eq!(replica.fields("Task", "t1", "note").unwrap(), notes);
    }
}

/// From 2,048 operations on a second thread looks up what they are about.
#[test]
fn threads_answer_batches_about_many_things_as_one_thread_does_one_after_the_other() {
    let ops = common::many(2 * 2049);
    let told = |replica: &mut Replica, size: usize| {
        let (first, second) = ops.split_at(size);
        let mut answers = Vec::new();
        let mut changes = Vec::new();
        for part in [first, &second[..size]] {
            let part: Vec<Incoming<'_>> = part.iter().map(Incoming::from).collect();
            answers.extend(replica.ingest_batch(NOW, &part).unwrap());
            changes.extend(replica.poll(NOW));
        }
        (answers, changes)
    };
    for size in [2047, 2048, 2049] {
        let mut one = guarded(knowing(&["alice", "bob"]));
        let expected = told(&mut one, size);
        assert_eq!(one.log().len(), 2 * size);
        assert!(one.log().forks().unwrap().len() > 50);
        for options in with_threads() {
            let mut replica = guarded(options);
            assert_eq!(told(&mut replica, size), expected);
            assert_eq!(seen(&replica), seen(&one));
            assert_eq!(replica.log().forks().unwrap(), one.log().forks().unwrap());
            for kind in ["Task", "Note", "List"] {
                let ids = one.entities(kind);
                assert_eq!(replica.entities(kind), ids);
                for id in ids {
                    assert_eq!(replica.entity(kind, &id).unwrap(), one.entity(kind, &id).unwrap());
                }
            }
        }
    }
}

#[test]
fn an_empty_batch_has_no_answers() {
    let mut replica = reader(&[]);
    assert_eq!(replica.ingest_batch(NOW, &[]), Ok(Vec::new()));
    assert!(replica.log().is_empty());
}

// ---- held operations and the clock

#[test]
fn an_operation_is_held_from_one_millisecond_past_the_drift() {
    for (ahead, held) in [(DRIFT - 1, false), (DRIFT, false), (DRIFT + 1, true)] {
        let mut replica = reader(&["alice"]);
        let op = set("alice", NOW.0 + ahead, 0, "title", "x");
        let outcome = replica.ingest(NOW, &op).unwrap();
        if held {
            let until = WallMillis(NOW.0 + ahead - DRIFT);
            assert_eq!(outcome, Outcome::Held { hash: hash_of(&op), until, equivocates_with: None });
            assert_eq!(replica.get("Task", "t1", "title").unwrap(), None);
            assert_eq!(replica.clock().last(), None);
            assert!(replica.poll(NOW).is_empty());
            // It is in the log all the same, and a copy of it is a duplicate.
            assert!(replica.log().contains(&hash_of(&op)));
            assert_eq!(replica.ingest(NOW, &op), Ok(Outcome::Duplicate { hash: hash_of(&op) }));

            // Not one millisecond before its time.
            assert!(replica.poll(WallMillis(until.0 - 1)).is_empty());
            assert_eq!(replica.held(), 1);
            assert_eq!(replica.poll(until).len(), 1);
        } else {
            assert_eq!(appended(outcome).1, Effect::Won { superseded: None });
        }
        assert_eq!(replica.held(), 0);
        assert_eq!(replica.get("Task", "t1", "title").unwrap(), text("x"));
        assert_eq!(replica.clock().last(), Some(op.op().ts()));
    }
}

#[test]
fn the_drift_is_the_one_the_replica_was_opened_with() {
    for drift in [0, 1, 60_000] {
        let mut replica = Replica::open(knowing(&["alice"]).max_drift(WallMillis(drift))).unwrap();
        appended(replica.ingest(NOW, &set("alice", NOW.0 + drift, 0, "title", "x")).unwrap());
        let op = set("alice", NOW.0 + drift + 1, 0, "title", "y");
        assert!(matches!(replica.ingest(NOW, &op), Ok(Outcome::Held { .. })));
    }
}

#[test]
fn what_is_held_is_released_by_poll_and_by_the_next_operation_that_gets_in() {
    let later = WallMillis(NOW.0 + 1);
    let op = set("alice", later.0 + DRIFT, 0, "title", "x");
    type Call<'a> = (&'a str, &'a dyn Fn(&mut Replica));
    let releasing: [Call<'_>; 3] = [
        ("poll", &|replica| drop(replica.poll(later))),
        ("another operation", &|replica| {
            appended(replica.ingest(later, &set("alice", NOW.0, 0, "notes", "y")).unwrap());
        }),
        ("a write", &|replica| drop(replica.set(later, "Task", "t1", "notes", "y").unwrap())),
    ];
    let others: [Call<'_>; 3] = [
        ("a duplicate", &|replica| assert!(replica.ingest(later, &op).is_ok())),
        ("garbage", &|replica| assert!(replica.ingest(later, b"{}".as_slice()).is_err())),
        ("an empty batch", &|replica| drop(replica.ingest_batch(later, &[]))),
    ];
    for (name, call) in others {
        let mut replica = writer("bob", &["alice"]);
        assert!(matches!(replica.ingest(NOW, &op), Ok(Outcome::Held { .. })));
        let before = seen(&replica);
        call(&mut replica);
        assert_eq!(seen(&replica), before, "{name}");
    }
    for (name, call) in releasing {
        let mut replica = writer("bob", &["alice"]);
        assert_eq!(replica.horizon(), None, "{name}");
        assert!(matches!(replica.ingest(NOW, &op), Ok(Outcome::Held { .. })));
        assert_eq!(replica.horizon(), Some(WallMillis(NOW.0 + DRIFT)), "{name}");
        call(&mut replica);
        assert_eq!(replica.horizon(), Some(WallMillis(later.0 + DRIFT)), "{name}");
        assert_eq!(replica.held(), 0, "{name}");
        assert_eq!(replica.get("Task", "t1", "title").unwrap(), text("x"), "{name}");
        assert!(replica.clock().last() >= Some(op.op().ts()), "{name}");
    }
}

#[test]
fn what_is_held_does_not_move_our_clock_or_beat_our_writes() {
    let mut replica = writer("bob", &["alice"]);
    let far = set("alice", Hlc::MAX.t(), Hlc::MAX.c(), "title", "poison");
    assert!(matches!(replica.ingest(NOW, &far), Ok(Outcome::Held { .. })));
    let ours = replica.set(NOW, "Task", "t1", "title", "ours").unwrap();
    assert_eq!(ours.op().ts(), Hlc::new(NOW.0, 0).unwrap());
    assert_eq!(replica.get("Task", "t1", "title").unwrap(), text("ours"));
    let history = replica.history("Task", "t1", "title").unwrap();
    let standings: Vec<_> = history.iter().map(|version| (&version.op, version.standing)).collect();
    assert_eq!(standings, [(&far, Standing::Held), (&ours, Standing::Winner)]);
}

#[test]
fn our_own_later_write_wins_though_the_wall_clock_went_back() {
    for back in [WallMillis(NOW.0 - HOUR), WallMillis(0)] {
        let mut replica = writer("bob", &[]);
        let first = replica.set(NOW, "Task", "t1", "title", "first").unwrap();
        for n in 0..3 {
            let value = format!("later {n}");
            let later = replica.set(back, "Task", "t1", "title", value.as_str()).unwrap();
            assert!(later.op().ts() > first.op().ts());
            assert_eq!(replica.get("Task", "t1", "title").unwrap(), text(&value));
            assert_eq!(replica.held(), 0);
        }
        replica.delete(back, "Task", "t1", "title").unwrap();
        assert_eq!(replica.get("Task", "t1", "title").unwrap(), None);
        assert_eq!(replica.log().len(), 5);
        assert!(replica.log().forks().unwrap().is_empty());
    }
}

#[test]
fn a_write_sorts_after_what_was_seen_from_the_allowed_future() {
    let mut replica = writer("bob", &["alice"]);
    let seen_last = set("alice", NOW.0 + DRIFT, 7, "title", "from the future");
    appended(replica.ingest(NOW, &seen_last).unwrap());
    let ours = replica.set(NOW, "Task", "t1", "title", "ours").unwrap();
    assert_eq!(ours.op().ts(), Hlc::new(NOW.0 + DRIFT, 8).unwrap());
    assert_eq!(replica.get("Task", "t1", "title").unwrap(), text("ours"));
}

/// The counter of what was seen is full, so our next timestamp is a millisecond past what we would merge of others.
#[test]
fn a_write_after_a_full_counter_at_the_end_of_the_allowed_future_is_merged_at_once() {
    let mut replica = writer("bob", &["alice"]);
    let full = set("alice", NOW.0 + DRIFT, Hlc::MAX.c(), "title", "full");
    appended(replica.ingest(NOW, &full).unwrap());
    let ours = replica.set(NOW, "Task", "t1", "title", "ours");
    assert!(ours.is_ok(), "{ours:?}; the log has {} operations", replica.log().len());
    assert_eq!(replica.get("Task", "t1", "title").unwrap(), text("ours"));
    // Two writes are never one timestamp.
    replica.set(NOW, "Task", "t1", "title", "again").unwrap();
    assert!(replica.log().forks().unwrap().is_empty());
}

#[test]
fn a_refused_write_leaves_the_replica_as_it_was() {
    let mut replica = writer("bob", &[]);
    replica.set(NOW, "Task", "t1", "title", "x").unwrap();
    let before = seen(&replica);
    assert!(matches!(replica.set(NOW, "", "t1", "title", "y"), Err(WriteError::Op(_))));
    assert!(matches!(replica.set(NOW, "Task", "t1", "a\nb", "y"), Err(WriteError::Op(_))));
    let too_large = "x".repeat(policysync::MAX_OP_BYTES);
    assert!(matches!(replica.set(NOW, "Task", "t1", "title", too_large), Err(WriteError::Sign(_))));
    let past = WallMillis(WallMillis::MAX.0 + 1);
    assert!(matches!(replica.set(past, "Task", "t1", "title", "y"), Err(WriteError::Clock(_))));
    assert_eq!(seen(&replica), before);
}

#[test]
fn a_replica_without_a_key_only_reads() {
    let mut replica = reader(&["alice"]);
    assert_eq!(replica.actor(), None);
    assert_eq!(replica.set(NOW, "Task", "t1", "title", "x"), Err(WriteError::ReadOnly));
    assert_eq!(replica.delete(NOW, "Task", "t1", "title"), Err(WriteError::ReadOnly));
    assert!(replica.log().is_empty());
    assert_eq!(replica.clock().last(), Clock::new().last());
    appended(replica.ingest(NOW, &set("alice", NOW.0, 0, "title", "x")).unwrap());
}

#[test]
fn a_write_goes_to_the_replicas_own_space_and_a_peer_of_that_space_takes_it() {
    let mut ours = Replica::open(knowing(&[]).write_as(key("alice")).space("home")).unwrap();
    let mut theirs = Replica::open(knowing(&["alice"]).space("home")).unwrap();
    let op = ours.set(NOW, "Task", "t1", "title", "x").unwrap();
    assert_eq!(op.op().space(), Some("home"));
    appended(theirs.ingest(NOW, op.to_binary().as_slice()).unwrap());
    assert_eq!(theirs.log().digest(), ours.log().digest());
    assert_eq!(theirs.state_digest(), ours.state_digest());
}

// ---- equivocation

#[test]
fn both_sides_of_an_equivocation_are_kept_and_reported() {
    let (x, y) = (set("alice", NOW.0, 0, "title", "x"), set("alice", NOW.0, 0, "notes", "y"));
    let bobs = set("bob", NOW.0, 0, "title", "no equivocation: another actor");
    let mut proofs = Vec::new();
    for (first, second) in [(&x, &y), (&y, &x)] {
        let mut replica = reader(&["alice", "bob"]);
        appended(replica.ingest(NOW, &bobs).unwrap());
        for (op, with) in [(first, None), (second, Some(hash_of(first)))] {
            match replica.ingest(NOW, op).unwrap() {
                Outcome::Appended { equivocates_with, .. } => assert_eq!(equivocates_with, with),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(replica.log().len(), 3);
        assert_eq!(replica.get("Task", "t1", "notes").unwrap(), text("y"));
        let forks = replica.log().forks().unwrap();
        assert_eq!(forks.len(), 1);
        assert_eq!(forks[0].check(&crypto(), replica.keys()), Ok(()));
        proofs.push(forks);
    }
    assert_eq!(proofs[0], proofs[1]);
    assert!(hash_of(proofs[0][0].first()) < hash_of(proofs[0][0].second()));
}

/// Two actors, three times and three values each: what is there of them is drawn.
#[test]
fn a_fork_is_proved_once_for_each_actor_and_time_and_by_its_first_two_operations() {
    let mut random = Random(17);
    for _ in 0..100 {
        let mut replica = reader(&["alice", "bob"]);
        let mut said: BTreeMap<(u64, &str), Vec<OpHash>> = BTreeMap::new();
        for number in 0..18_u64 {
            let (actor, at, value) = (["alice", "bob"][number as usize % 2], number / 2 % 3, number / 6);
            if random.below(2) == 0 {
                let op = set(actor, NOW.0 + at, 0, "title", value.to_string());
                said.entry((at, actor)).or_default().push(appended(replica.ingest(NOW, &op).unwrap()).0);
            }
        }
        let proved = replica.log().forks().unwrap();
        let proved: Vec<[OpHash; 2]> =
            proved.iter().map(|fork| [hash_of(fork.first()), hash_of(fork.second())]).collect();
        let expected: Vec<[OpHash; 2]> = said
            .into_values()
            .filter_map(|mut hashes| {
                hashes.sort_unstable();
                hashes.first_chunk().copied()
            })
            .collect();
        assert_eq!(proved, expected);
    }
}

#[test]
fn an_equivocation_among_held_operations_is_reported_too() {
    let ops = ["x", "y", "z"].map(|value| set("alice", NOW.0 + DRIFT + 1, 0, "title", value));
    let mut replica = reader(&["alice"]);
    let mut reported = 0;
    for op in &ops {
        match replica.ingest(NOW, op).unwrap() {
            Outcome::Held { equivocates_with, .. } => reported += usize::from(equivocates_with.is_some()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(reported, 2);
    assert_eq!(replica.log().forks().unwrap().len(), 1);
}

#[test]
fn an_actor_with_two_keys_equivocates_all_the_same() {
    let second = SigningSecretKey::new("alice", KeyPair::from_seed(&[2; 32]).unwrap()).unwrap();
    let mut replica = reader(&["alice"]);
    replica.keys_mut().register(second.public_key().clone()).unwrap();
    let op = Op::lww_set("alice", Hlc::new(NOW.0, 0).unwrap(), "Task", "t1", "notes", "y").unwrap();
    let y = sign_op(&crypto(), op, &second).unwrap();
    let (x, _) = appended(replica.ingest(NOW, &set("alice", NOW.0, 0, "title", "x")).unwrap());
    assert!(matches!(
        replica.ingest(NOW, &y),
        Ok(Outcome::Appended { equivocates_with: Some(other), .. }) if other == x
    ));
    let forks = replica.log().forks().unwrap();
    assert_eq!(forks.len(), 1);
    assert_eq!(forks[0].check(&crypto(), replica.keys()), Ok(()));
}

#[test]
fn a_fork_proof_that_proves_nothing_is_refused() {
    let keys = || {
        let mut keys = KeyRegistry::new();
        for actor in ["alice", "bob"] {
            keys.register(key(actor).public_key().clone()).unwrap();
        }
        keys
    };
    let check = |a: &SignedOp, b: &SignedOp| ForkProof::new(a.clone(), b.clone()).check(&crypto(), &keys());
    let x = set("alice", NOW.0, 0, "title", "x");
    let y = set("alice", NOW.0, 0, "title", "y");
    assert_eq!(check(&x, &y), Ok(()));
    assert_eq!(check(&x, &set("bob", NOW.0, 0, "title", "y")), Err(ForkError::Unrelated));
    assert_eq!(check(&x, &set("alice", NOW.0, 1, "title", "y")), Err(ForkError::Unrelated));
    assert_eq!(check(&x, &set("alice", NOW.0 + 1, 0, "title", "y")), Err(ForkError::Unrelated));
    assert_eq!(check(&x, &x), Err(ForkError::SameOperation));
    assert_eq!(check(&x, &forged(&x)), Err(ForkError::SameOperation));
    assert_eq!(check(&x, &forged(&y)), Err(ForkError::Verify(VerifyError::BadSignature)));
    assert_eq!(check(&forged(&x), &y), Err(ForkError::Verify(VerifyError::BadSignature)));
    let strangers = [0, 1].map(|n| set("mallory", NOW.0, 0, "title", n.to_string()));
    assert!(matches!(
        check(&strangers[0], &strangers[1]),
        Err(ForkError::Verify(VerifyError::UnknownKey { .. }))
    ));
}

#[test]
fn fork_proofs_are_equal_when_they_are_of_the_same_operations() {
    let [x, y, z] = ["x", "y", "z"].map(|value| set("alice", NOW.0, 0, "title", value));
    let proof = |first: &SignedOp, second: &SignedOp| ForkProof::new(first.clone(), second.clone());
    assert_eq!(proof(&x, &y), proof(&forged(&x), &y));
    for other in [proof(&x, &z), proof(&z, &y), proof(&y, &x)] {
        assert_ne!(proof(&x, &y), other);
    }
}

// ---- reading

#[test]
fn a_delete_takes_a_field_away_until_a_later_set() {
    let (first, gone, again) = (
        set("alice", NOW.0, 0, "title", "first"),
        delete("alice", NOW.0, 1, "title"),
        set("alice", NOW.0, 2, "title", "again"),
    );
    let mut replica = reader(&["alice"]);
    let get = |replica: &Replica| replica.get("Task", "t1", "title").unwrap();
    replica.ingest(NOW, &first).unwrap();
    assert_eq!(get(&replica), text("first"));
    let (_, effect) = appended(replica.ingest(NOW, &gone).unwrap());
    assert_eq!(effect, Effect::Won { superseded: Some(hash_of(&first)) });
    assert_eq!(get(&replica), None);
    assert_eq!(replica.entity("Task", "t1").unwrap(), None);
    assert_eq!(replica.entities("Task"), Vec::<String>::new());
    assert!(replica.fields("Task", "t1", "").unwrap().is_empty());
    replica.ingest(NOW, &again).unwrap();
    assert_eq!(get(&replica), text("again"));
    assert_eq!(replica.entities("Task"), ["t1"]);

    // The other way round, and a delete of what never was.
    let mut other = reader(&["alice"]);
    for op in [&gone, &again, &first] {
        other.ingest(NOW, op).unwrap();
    }
    assert_eq!(get(&other), text("again"));
    assert_eq!(other.state_digest(), replica.state_digest());
    let (_, effect) = appended(other.ingest(NOW, &delete("alice", NOW.0 - 1, 0, "title")).unwrap());
    assert_eq!(effect, Effect::Lost { to: hash_of(&again) });
}

#[test]
fn null_and_empty_values_are_values() {
    for value in ["null", "\"\"", "{}", "[]", "0", "false"] {
        let mut replica = writer("alice", &[]);
        let value = Value::parse(value).unwrap();
        replica.set(NOW, "Task", "t1", "title", value.clone()).unwrap();
        assert_eq!(replica.get("Task", "t1", "title").unwrap(), Some(value.clone()));
        assert_eq!(replica.entity("Task", "t1").unwrap().unwrap().as_str(), format!("{{\"title\":{value}}}"));
    }
}

#[test]
fn fields_under_a_prefix_end_at_a_slash() {
    let mut replica = writer("alice", &[]);
    let paths = ["a", "ab", "a/b", "a/b/c", "a-", "b", "A"];
    for path in paths {
        replica.set(NOW, "Task", "t1", path, path).unwrap();
    }
    replica.set(NOW, "Task", "t2", "a/z", "another entity").unwrap();
    replica.set(NOW, "Note", "t1", "a/z", "another kind").unwrap();
    let under = |prefix: &str| -> Vec<String> {
        replica.fields("Task", "t1", prefix).unwrap().into_iter().map(|(path, _)| path).collect()
    };
    assert_eq!(under("a"), ["a", "a/b", "a/b/c"]);
    assert_eq!(under("a/b"), ["a/b", "a/b/c"]);
    assert_eq!(under("ab"), ["ab"]);
    assert_eq!(under(""), ["A", "a", "a-", "a/b", "a/b/c", "ab", "b"]);
    assert_eq!(under("c"), Vec::<String>::new());
    assert_eq!(under("a/"), Vec::<String>::new());
}

#[test]
fn an_entity_is_canonical_json_with_names_in_utf16_order() {
    let mut replica = writer("alice", &[]);
    for (path, value) in [("\u{FB33}", "1"), ("\u{1F600}", "2"), ("a\"b", "{\"x\":[1,2]}"), ("z", "null")] {
        replica.set(NOW, "Task", "t1", path, Value::parse(value).unwrap()).unwrap();
    }
    let entity = replica.entity("Task", "t1").unwrap().unwrap();
    assert_eq!(entity.as_str(), "{\"a\\\"b\":{\"x\":[1,2]},\"z\":null,\"\u{1F600}\":2,\"\u{FB33}\":1}");
    assert_eq!(Value::parse(&entity).unwrap().as_str(), entity);
    assert_eq!(replica.entity("Task", "t2").unwrap(), None);
    assert_eq!(replica.entity("Tas", "kt1").unwrap(), None);
}

#[test]
fn history_and_explanation_name_each_rule() {
    let at = |actor: &str, t, c, value: &str| set(actor, t, c, "title", value);
    let dalet = "\u{FB33}";
    let smile = "\u{1F600}";
    let (one, two) = (at("alice", NOW.0, 0, "one"), at("alice", NOW.0, 0, "two"));
    let (smaller, greater) = if hash_of(&one) < hash_of(&two) { (one, two) } else { (two, one) };
    let cases = [
        (at("bob", NOW.0, 9, "x"), at("alice", NOW.0 + 1, 0, "y"), Rule::Time),
        (at("bob", NOW.0, 1, "x"), at("alice", NOW.0, 2, "y"), Rule::Counter),
        (at("alice", NOW.0, 0, "x"), at("bob", NOW.0, 0, "y"), Rule::Actor),
        // By UTF-8 it would be the other way round.
        (at(smile, NOW.0, 0, "x"), at(dalet, NOW.0, 0, "y"), Rule::Actor),
        (smaller, greater, Rule::Hash),
    ];
    for (loser, winner, rule) in cases {
        for ops in [[&loser, &winner], [&winner, &loser]] {
            let mut replica = reader(&["alice", "bob", dalet, smile]);
            let old = at("alice", NOW.0 - HOUR, 0, "old");
            for op in [ops[0], &old, ops[1]] {
                replica.ingest(NOW, op).unwrap();
            }
            let explanation = replica.explain("Task", "t1", "title").unwrap().unwrap();
            assert_eq!(explanation.winner.op, winner);
            assert_eq!(explanation.winner.hash, hash_of(&winner));
            let (over, decided) = explanation.over.unwrap();
            assert_eq!((&over.op, decided), (&loser, rule), "{rule}");
            let history = replica.history("Task", "t1", "title").unwrap();
            let standings: Vec<_> = history.iter().map(|version| (&version.op, version.standing)).collect();
            assert_eq!(
                standings,
                [(&winner, Standing::Winner), (&loser, Standing::Superseded), (&old, Standing::Superseded)]
            );
        }
    }
    let mut alone = reader(&["alice"]);
    assert_eq!(alone.explain("Task", "t1", "title").unwrap(), None);
    alone.ingest(NOW, &at("alice", NOW.0 + DRIFT + 1, 0, "held")).unwrap();
    assert_eq!(alone.explain("Task", "t1", "title").unwrap(), None);
    alone.ingest(NOW, &at("alice", NOW.0, 0, "x")).unwrap();
    assert_eq!(alone.explain("Task", "t1", "title").unwrap().unwrap().over, None);
}

#[test]
fn poll_names_each_changed_field_once_with_its_last_winner() {
    let mut replica = reader(&["alice"]);
    let ops = [
        set("alice", NOW.0, 1, "title", "x"),
        set("alice", NOW.0, 0, "title", "an older one changes nothing"),
        set("alice", NOW.0, 2, "notes", "y"),
        set("alice", NOW.0, 3, "title", "z"),
        delete("alice", NOW.0, 4, "notes"),
    ];
    assert!(!replica.has_changes());
    for op in &ops {
        replica.ingest(NOW, op).unwrap();
    }
    assert!(replica.has_changes());
    let changes = replica.poll(NOW);
    assert!(!replica.has_changes());
    let named: Vec<_> =
        changes.iter().map(|change| (change.path.as_str(), change.kind, change.winner)).collect();
    assert_eq!(named, [("title", Kind::Set, hash_of(&ops[3])), ("notes", Kind::Delete, hash_of(&ops[4]))]);
    assert!(changes.iter().all(|change| change.entity == "Task" && change.entity_id == "t1"));
    assert!(replica.poll(NOW).is_empty());

    replica.ingest(NOW, &ops[0]).unwrap();
    replica.ingest(NOW, &set("alice", NOW.0 - 1, 0, "title", "loses")).unwrap();
    assert!(replica.poll(NOW).is_empty(), "a duplicate and a loser change nothing");
    replica.ingest(NOW, &set("alice", NOW.0, 5, "title", "wins")).unwrap();
    assert_eq!(replica.poll(NOW).len(), 1);
}

#[test]
fn a_cursor_misses_no_operation_that_arrives_late() {
    let mut replica = reader(&["alice"]);
    assert_eq!(replica.log().cursor(), Cursor::START);
    replica.ingest(NOW, &set("alice", NOW.0, 0, "title", "x")).unwrap();
    let cursor = replica.log().cursor();
    assert_eq!((Cursor::START.position(), cursor.position()), (0, 1));
    assert_eq!(replica.log().since(cursor).count(), 0);
    // Older by timestamp than all that was there, and one that is held.
    let late = [set("alice", 0, 0, "title", "late"), set("alice", NOW.0 + 2 * DRIFT, 0, "title", "held")];
    for op in &late {
        replica.ingest(NOW, op).unwrap();
    }
    let arrived: Vec<_> = replica.log().since(cursor).map(Result::unwrap).collect();
    assert_eq!(arrived.iter().map(|entry| &entry.op).collect::<Vec<_>>(), [&late[0], &late[1]]);
    assert_eq!(replica.log().since(arrived[0].cursor).count(), 1);
    assert_eq!(arrived[1].cursor, replica.log().cursor());
    assert_eq!(arrived[1].cursor.position(), 3);
    assert_eq!(replica.log().since(Cursor::START).count(), 3);
    assert_eq!(Cursor::from_position(cursor.position()), Some(cursor));
    // Past the end is empty, not an error.
    assert_eq!(replica.log().since(Cursor::from_position(1_000_000).unwrap()).count(), 0);
}

#[test]
fn a_relay_without_keys_still_refuses_what_is_malformed_or_of_another_space() {
    let mut relay = Replica::open(ReplicaOptions::new().dangerously_accept_unverified()).unwrap();
    appended(relay.ingest(NOW, &forged(&set("mallory", NOW.0, 0, "title", "x"))).unwrap());
    assert!(relay.ingest(NOW, b"{}".as_slice()).is_err());
    assert!(matches!(
        relay.ingest(NOW, &in_space("home")),
        Err(IngestError::Refused(Refused::WrongSpace { .. }))
    ));
}

#[test]
fn registering_another_key_under_a_taken_kid_changes_nothing() {
    let mut keys = KeyRegistry::new();
    let [one, two] = [1, 2].map(|n| {
        let pair = KeyPair::from_seed(&[n; 32]).unwrap();
        SigningPublicKey::with_kid("alice", "kid", pair.public_key()).unwrap()
    });
    keys.register(one.clone()).unwrap();
    assert!(keys.register(two).is_err());
    keys.register(one.clone()).unwrap();
    assert_eq!(keys.len(), 1);
    assert_eq!(keys.find("alice", "kid"), Some(&one));
    assert_eq!(keys.find("alice", "Kid"), None);
}
