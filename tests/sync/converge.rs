//! Two sides end with the same operations, and say so only then.

use std::collections::BTreeSet;

use policysync::crypto::Signature;
use policysync::keys::sign_op;
use policysync::oplog::Cursor;
use policysync::sync::Finish;
use policysync::{
    Hlc, Incoming, Op, OpHash, Replica, ReplicaOptions, Responder, SignedOp, SyncError, SyncOptions,
    SyncSession,
};
use proptest::prelude::*;

use crate::common::{NOW, Random, crypto, key, knowing, reader, set};
use crate::link::{responder, run, session, sync};

/// A replica that takes what it gets, and these operations.
fn blind(ops: &[SignedOp]) -> Replica {
    let mut replica = Replica::open(ReplicaOptions::new().dangerously_accept_unverified()).unwrap();
    give(&mut replica, ops);
    replica
}

fn give(replica: &mut Replica, ops: &[SignedOp]) {
    for batch in ops.chunks(1000) {
        let batch: Vec<Incoming<'_>> = batch.iter().map(Incoming::Op).collect();
        for outcome in replica.ingest_batch(NOW, &batch).unwrap() {
            outcome.unwrap();
        }
    }
}

/// Operations that nobody has signed, `per_time` of them at each time.
fn unsigned(count: usize, per_time: usize, salt: u64) -> Vec<SignedOp> {
    let op = |number: usize| {
        let t = 1_700_000_000_000 + u64::try_from(number / per_time).unwrap();
        let c = u32::try_from(number % 3).unwrap();
        let actor = format!("actor-{}", number % 5);
        let entity_id = format!("t{}", number % 700);
        let value = f64::from(u32::try_from(number).unwrap()) + salt as f64 * 1e7;
        let ts = Hlc::new(t, c).unwrap();
        let op = Op::lww_set(&actor, ts, ("Task", &entity_id, "title"), value.to_string()).unwrap();
        SignedOp::new(op, "k", Signature::from_bytes([7; 64])).unwrap()
    };
    (0..count).map(op).collect()
}

fn hashes(replica: &Replica) -> BTreeSet<OpHash> {
    replica.log().iter().map(|entry| entry.unwrap().hash).collect()
}

fn assert_same(ours: &Replica, theirs: &Replica) {
    assert_eq!(ours.log().digest(), theirs.log().digest());
}

#[test]
fn an_empty_side_gets_everything_and_gives_everything() {
    for count in [1, 64, 65, 128, 129, 3000] {
        let ops = unsigned(count, 4, 0);
        for (left, right) in [(&ops[..], &[][..]), (&[][..], &ops[..])] {
            let (mut ours, mut theirs) = (blind(left), blind(right));
            let (finish, progress) = sync(&mut ours, &mut theirs, NOW);
            assert!(matches!(finish, Finish::Converged { count: found, .. } if found == count as u64));
            assert_same(&ours, &theirs);
            assert_eq!((progress.sent + progress.received, progress.known), (count as u64, 0));
        }
    }
}

#[test]
fn many_operations_of_one_time_are_told_apart() {
    // Bounds need the counter, the actor and the hash.
    for per_time in [1, 7, 5000] {
        let ops = unsigned(5000, per_time, 0);
        let mut random = Random(per_time as u64);
        let mut part = || ops.iter().filter(|_| random.below(10) > 0).cloned().collect::<Vec<_>>();
        let (mut ours, mut theirs) = (blind(&part()), blind(&part()));
        let (finish, progress) = sync(&mut ours, &mut theirs, NOW);
        assert!(finish.is_converged(), "{finish:?}");
        assert_same(&ours, &theirs);
        assert_eq!(progress.known, 0);
    }
    // The same actor at the same time and counter: only the hash is different.
    let forks: Vec<SignedOp> = (0..3000_u32)
        .map(|n| {
            let op =
                Op::lww_set("a", Hlc::new(5, 6).unwrap(), ("E", "i", "p"), f64::from(n).to_string()).unwrap();
            SignedOp::new(op, "k", Signature::from_bytes([7; 64])).unwrap()
        })
        .collect();
    let (mut ours, mut theirs) = (blind(&forks[..2000]), blind(&forks[1500..]));
    let (finish, _) = sync(&mut ours, &mut theirs, NOW);
    assert!(finish.is_converged(), "{finish:?}");
    assert_same(&ours, &theirs);
    assert_eq!(ours.log().forks().unwrap(), theirs.log().forks().unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_two_sets_become_one(
        holders in prop::collection::vec(0..8_u8, 0..1500),
        per_time in 1..40_usize,
        rare in any::<bool>(),
    ) {
        let ops = unsigned(holders.len(), per_time, 1);
        // Mostly common, or thirds.
        let has = |holder: u8, side: u8| holder % if rare { 8 } else { 3 } != side;
        let side = |side| -> Vec<SignedOp> {
            ops.iter().zip(&holders).filter(|(_, holder)| has(**holder, side)).map(|(op, _)| op.clone()).collect()
        };
        let (mut ours, mut theirs) = (blind(&side(1)), blind(&side(2)));
        let union: BTreeSet<OpHash> = hashes(&ours).union(&hashes(&theirs)).copied().collect();
        let (finish, progress) = sync(&mut ours, &mut theirs, NOW);
        prop_assert!(finish.is_converged(), "{:?}", finish);
        prop_assert_eq!(&hashes(&ours), &union);
        prop_assert_eq!(&hashes(&theirs), &union);
        prop_assert_eq!(progress.known, 0);
        prop_assert_eq!(progress.left_to_send, 0);
        prop_assert_eq!(progress.left_to_receive, 0);
    }
}

#[test]
fn an_operation_of_the_greatest_size_fits() {
    let ts = |n| Hlc::new(5, n).unwrap();
    let signed = |n, value: &str| {
        let op = Op::lww_set("a", ts(n), ("E", "i", "p"), value.to_owned()).unwrap();
        SignedOp::new(op, "k", Signature::from_bytes([7; 64])).unwrap()
    };
    let room = policysync::codec::MAX_OP_BYTES - signed(1, "").to_json().len();
    let ops = [1, 2, 3].map(|n| signed(n, &"x".repeat(room)));
    assert_eq!(ops[0].to_json().len(), policysync::codec::MAX_OP_BYTES);
    let (mut ours, mut theirs) = (blind(&ops[..2]), blind(&ops[2..]));
    let (finish, progress) = sync(&mut ours, &mut theirs, NOW);
    assert!(finish.is_converged());
    assert_same(&ours, &theirs);
    assert_eq!(progress.sent, 2);

    let mut bundle = Vec::new();
    ours.export_since(Cursor::START, &mut bundle).unwrap();
    let mut third = blind(&[]);
    assert_eq!(third.import(NOW, bundle.as_slice()).unwrap().received, 3);
    assert_same(&ours, &third);
}

#[test]
fn what_is_written_during_a_session_waits_for_the_next() {
    let mut ours = Replica::open(knowing(&["alice", "bob"]).write_as(key("alice"))).unwrap();
    let mut theirs = Replica::open(knowing(&["alice", "bob"]).write_as(key("bob"))).unwrap();
    for n in 0..200 {
        ours.set(NOW, ("Task", &format!("a{n}"), "title"), "a").unwrap();
        theirs.set(NOW, ("Task", &format!("b{n}"), "title"), "b").unwrap();
    }
    let mut responder = responder();
    let mut session = session(1);
    let mut written = 0;
    while let Some(request) = session.next_message(&ours).unwrap() {
        theirs.set(NOW, ("Task", &format!("late b{written}"), "title"), "b").unwrap();
        let reply = responder.respond(&mut theirs, NOW, &request).unwrap();
        ours.set(NOW, ("Task", &format!("late a{written}"), "title"), "a").unwrap();
        session.receive(&mut ours, NOW, &reply.message).unwrap();
        written += 1;
    }
    assert!(written >= 2);
    // The responder's first late one was there when its side of the session began.
    let Some(Finish::Converged { count, base, .. }) = session.finish().cloned() else {
        panic!("{:?}", session.finish())
    };
    assert_eq!(count, 401);
    assert_eq!(hashes(&ours).len(), 401 + written);
    assert_eq!(hashes(&theirs).len(), 401 + written - 1);
    // The next session, from there on, finds exactly those.
    let mut next = SyncSession::new(SyncOptions::new().since(base.unwrap()), [2; 16]);
    let (finish, progress) = run(&mut next, &mut ours, &mut responder, &mut theirs, NOW).unwrap();
    assert!(finish.is_converged());
    assert_same(&ours, &theirs);
    assert_eq!((progress.sent, progress.received), (written as u64, written as u64 - 1));
    assert_eq!(progress.known, 0);
}

#[test]
fn after_a_cut_a_new_session_goes_on_from_what_has_arrived() {
    /// After so many answers each line is cut. Some of them it takes to find out what is missing.
    const ANSWERS: usize = 4;
    let long = |number: u64| {
        let ts = Hlc::new(1_700_000_000_000 + number, 0).unwrap();
        let op = Op::lww_set("a", ts, ("Task", "t1", "title"), "x".repeat(3000)).unwrap();
        SignedOp::new(op, "k", Signature::from_bytes([7; 64])).unwrap()
    };
    let ops: Vec<SignedOp> = (0..3000).map(long).collect();
    // One side has everything, or each has two thirds of it.
    let sides: [(&[SignedOp], &[SignedOp]); 3] = [(&[], &ops), (&ops, &[]), (&ops[..2000], &ops[1000..])];
    for (left, right) in sides {
        let bytes = |progress: policysync::sync::Progress| progress.bytes_sent + progress.bytes_received;
        let whole = bytes(sync(&mut blind(left), &mut blind(right), NOW).1);
        let (mut ours, mut theirs) = (blind(left), blind(right));
        let (mut total, mut sessions) = (0, 0);
        // The answer to the last request is lost.
        loop {
            sessions += 1;
            let mut session = session(sessions);
            for answer in 0..=ANSWERS {
                let Some(request) = session.next_message(&ours).unwrap() else { break };
                let reply = responder().respond(&mut theirs, NOW, &request).unwrap();
                assert_eq!(reply.known, 0, "nothing is sent twice");
                if answer == ANSWERS {
                    total += reply.message.len() as u64;
                    break;
                }
                session.receive(&mut ours, NOW, &reply.message).unwrap();
            }
            let progress = session.progress();
            total += bytes(progress);
            assert_eq!(progress.known, 0, "nothing comes twice");
            if session.next_message(&ours).is_ok_and(|next| next.is_none()) {
                break;
            }
        }
        assert_same(&ours, &theirs);
        println!("{sessions} sessions, {total} bytes; without a cut {whole}");
        assert!(sessions > 1, "{sessions} sessions");
        // What was lost with its answer is a message each time, and what is told anew is next to nothing.
        let lost = u64::from(sessions) * policysync::sync::MIN_MESSAGE_BYTES as u64;
        assert!(total < whole + lost + 20_000 * u64::from(sessions), "{total} bytes, {whole} in one");
    }
}

#[test]
fn a_session_that_is_cancelled_keeps_what_has_arrived() {
    let ops = unsigned(60_000, 4, 0);
    let (mut ours, mut theirs) = (blind(&[]), blind(&ops));
    let mut session = session(1);
    let mut responder = responder();
    let request = session.next_message(&ours).unwrap().unwrap();
    let reply = responder.respond(&mut theirs, NOW, &request).unwrap();
    let progress = session.receive(&mut ours, NOW, &reply.message).unwrap();
    assert!(progress.received > 0);
    assert_eq!(progress.left_to_receive, 60_000 - progress.received);
    session.cancel();
    assert_eq!(session.finish(), Some(&Finish::Cancelled));
    assert_eq!(session.next_message(&ours), Ok(None));
    assert_eq!(session.receive(&mut ours, NOW, &reply.message), Err(SyncError::Ended));
    assert_eq!(ours.log().len() as u64, progress.received);
}

#[test]
fn each_request_may_be_answered_by_another_process_with_the_same_secret() {
    let ops = unsigned(20_000, 4, 0);
    let (mut ours, mut theirs) = (blind(&ops[..15_000]), blind(&ops[7_000..]));
    let mut session = session(1);
    while let Some(request) = session.next_message(&ours).unwrap() {
        // A new one each time remembers nothing.
        let reply = responder().respond(&mut theirs, NOW, &request).unwrap();
        session.receive(&mut ours, NOW, &reply.message).unwrap();
    }
    assert!(session.finish().unwrap().is_converged());
    assert_same(&ours, &theirs);
}

#[test]
fn a_forgotten_or_foreign_base_only_costs_bytes() {
    let ops = unsigned(3000, 4, 0);
    let (mut ours, mut theirs) = (blind(&ops), blind(&ops[..2990]));
    let (finish, _) = sync(&mut ours, &mut theirs, NOW);
    let Finish::Converged { base: Some(base), .. } = finish else { panic!("{finish:?}") };
    // Another responder does not know it.
    let mut next = SyncSession::new(SyncOptions::new().since(base.clone()), [2; 16]);
    let (finish, _) = run(&mut next, &mut ours, &mut responder(), &mut theirs, NOW).unwrap();
    assert!(matches!(finish, Finish::Converged { count: 3000, .. }));
    // It is about another replica.
    let mut other = blind(&ops[..100]);
    let mut next = SyncSession::new(SyncOptions::new().since(base), [3; 16]);
    let (finish, _) = run(&mut next, &mut other, &mut responder(), &mut theirs, NOW).unwrap();
    assert!(matches!(finish, Finish::Converged { count: 3000, .. }));
    assert_same(&other, &theirs);
}

#[test]
fn a_base_that_is_forgotten_in_the_middle_ends_the_session_with_its_name() {
    let ops = unsigned(3000, 4, 0);
    let (mut ours, mut theirs) = (blind(&ops[..1000]), blind(&ops[..1000]));
    let mut first = responder();
    let (finish, _) = run(&mut session(1), &mut ours, &mut first, &mut theirs, NOW).unwrap();
    let Finish::Converged { base: Some(base), .. } = finish else { panic!("{finish:?}") };
    give(&mut ours, &ops[1000..2000]);
    give(&mut theirs, &ops[2000..]);
    let mut next = SyncSession::new(SyncOptions::new().since(base), [2; 16]);
    let request = next.next_message(&ours).unwrap().unwrap();
    let reply = first.respond(&mut theirs, NOW, &request).unwrap();
    next.receive(&mut ours, NOW, &reply.message).unwrap();
    let request = next.next_message(&ours).unwrap().unwrap();
    let error = responder().respond(&mut theirs, NOW, &request).unwrap_err();
    assert_eq!(error, SyncError::Refused(policysync::sync::Refusal::Forgotten));
    assert_eq!(next.receive(&mut ours, NOW, &error.to_message()), Err(error));
}

#[test]
fn what_is_refused_is_counted_by_reason_and_ends_the_session() {
    let mut theirs = reader(&["alice", "bob", "carol"]);
    let ops: Vec<SignedOp> = ["alice", "bob", "carol"]
        .iter()
        .flat_map(|actor| (0..100).map(move |n| set(actor, 1_700_000_000_000 + n, 0, "p", "v")))
        .collect();
    give(&mut theirs, &ops);
    // Does not know carol, and does not like bob.
    let guard = |op: &policysync::keys::VerifiedOp<'_>| match op.op().actor() {
        "bob" => policysync::Verdict::Reject,
        _ => policysync::Verdict::Admit,
    };
    let mut ours = Replica::open(knowing(&["alice", "bob"]).guard(guard)).unwrap();
    let (finish, progress) = sync(&mut ours, &mut theirs, NOW);
    let Finish::NotConverged { refused, refused_by_peer } = finish else { panic!("{finish:?}") };
    assert_eq!((refused.unknown_key, refused.denied, refused.total()), (100, 100, 200));
    assert_eq!(refused_by_peer.total(), 0);
    assert_eq!(progress.received, 100);
    assert_eq!(ours.log().len(), 100);
    // The other way round, the peer counts.
    let (finish, progress) = sync(&mut theirs, &mut ours, NOW);
    let Finish::NotConverged { refused, refused_by_peer } = finish else { panic!("{finish:?}") };
    assert_eq!((refused_by_peer.unknown_key, refused_by_peer.denied, refused.total()), (100, 100, 0));
    assert_eq!(progress.refused_by_peer, refused_by_peer);
}

#[test]
fn another_space_is_refused_with_its_name() {
    let mut home = Replica::open(knowing(&["alice"]).space("home")).unwrap();
    let mut work = Replica::open(knowing(&["alice"]).space("work")).unwrap();
    let mut session = session(1);
    let request = session.next_message(&home).unwrap().unwrap();
    let error = responder().respond(&mut work, NOW, &request).unwrap_err();
    assert_eq!(error, SyncError::OtherSpace);
    let error = session.receive(&mut home, NOW, &error.to_message()).unwrap_err();
    assert_eq!(error, SyncError::Refused(policysync::sync::Refusal::OtherSpace));
    assert_eq!(session.next_message(&home), Err(SyncError::Ended));
}

#[test]
fn operations_of_a_space_travel_without_its_name() {
    let mut ours = Replica::open(knowing(&["alice"]).space("home").write_as(key("alice"))).unwrap();
    let mut theirs = Replica::open(knowing(&["alice"]).space("home")).unwrap();
    ours.set(NOW, ("Task", "t1", "title"), "hello").unwrap();
    ours.delete(NOW, ("Task", "t1", "title")).unwrap();
    let (finish, _) = sync(&mut ours, &mut theirs, NOW);
    assert!(finish.is_converged());
    assert_same(&ours, &theirs);
    assert_eq!(ours.state_digest(), theirs.state_digest());
}

#[test]
fn operations_from_the_future_are_held_and_counted() {
    let mut ours = reader(&["alice"]);
    give(&mut ours, &[set("alice", NOW.0 + 86_400_000, 0, "p", "later")]);
    let mut theirs = reader(&["alice"]);
    let (finish, _) = sync(&mut ours, &mut theirs, NOW);
    assert!(finish.is_converged());
    assert_eq!((ours.held(), theirs.held()), (1, 1));
}

#[test]
fn labels_travel() {
    let options = || knowing(&["alice"]).labels(policysync::replica::Labels::Any);
    let op = Op::lww_set("alice", Hlc::new(5, 6).unwrap(), ("Task", "t1", "p"), "v").unwrap();
    let op = sign_op(&crypto(), op.labelled("alice:1").unwrap(), &key("alice")).unwrap();
    let mut ours = Replica::open(options()).unwrap();
    give(&mut ours, &[op]);
    let mut theirs = Replica::open(options()).unwrap();
    assert!(sync(&mut ours, &mut theirs, NOW).0.is_converged());
    assert_same(&ours, &theirs);
}

#[test]
fn a_turn_is_kept() {
    let mut ours = reader(&[]);
    let mut session = session(1);
    assert_eq!(session.receive(&mut ours, NOW, b""), Err(SyncError::OutOfTurn));
    session.next_message(&ours).unwrap().unwrap();
    assert_eq!(session.next_message(&ours), Err(SyncError::OutOfTurn));
    assert_eq!(session.finish(), None);
}

#[test]
fn an_answer_to_another_message_changes_nothing() {
    let ops = unsigned(3000, 4, 0);
    let (mut ours, mut theirs) = (blind(&ops[..2000]), blind(&ops[1000..]));
    let mut responder = responder();
    let mut session = session(1);
    let mut earlier: Vec<Vec<u8>> = Vec::new();
    while let Some(request) = session.next_message(&ours).unwrap() {
        for stray in &earlier {
            assert_eq!(session.receive(&mut ours, NOW, stray), Err(SyncError::Stray));
        }
        let reply = responder.respond(&mut theirs, NOW, &request).unwrap();
        // Twice answered is the same answer, but for what was new the first time.
        responder.respond(&mut theirs, NOW, &request).unwrap();
        session.receive(&mut ours, NOW, &reply.message).unwrap();
        earlier.push(reply.message);
    }
    assert!(session.finish().unwrap().is_converged());
    let mut other = crate::link::session(2);
    other.next_message(&ours).unwrap();
    for stray in &earlier {
        assert_eq!(other.receive(&mut ours, NOW, stray), Err(SyncError::Stray));
    }
}

#[test]
fn a_replica_that_lost_operations_ends_the_session() {
    let ops = unsigned(300, 4, 0);
    let (ours, mut theirs) = (blind(&ops), blind(&[]));
    let mut session = session(1);
    let request = session.next_message(&ours).unwrap().unwrap();
    let reply = responder().respond(&mut theirs, NOW, &request).unwrap();
    let mut other = blind(&ops[..100]);
    assert_eq!(session.receive(&mut other, NOW, &reply.message), Err(SyncError::OtherReplica));
}

#[test]
fn new_operations_are_pushed_both_ways_after_a_session() {
    let mut ours = Replica::open(knowing(&["alice", "bob"]).write_as(key("alice"))).unwrap();
    let mut theirs = Replica::open(knowing(&["alice", "bob"]).write_as(key("bob"))).unwrap();
    ours.set(NOW, ("Task", "t1", "title"), "a").unwrap();
    let mut responder = responder();
    let (finish, _) = run(&mut session(1), &mut ours, &mut responder, &mut theirs, NOW).unwrap();
    let Finish::Converged { base: Some(base), .. } = finish else { panic!("{finish:?}") };
    let mut down = responder.push_after(&theirs, base.id()).unwrap();
    let mut up = policysync::sync::Push::after(base, &SyncOptions::new());
    assert_eq!(up.next_message(&ours), Ok(None));
    assert_eq!(down.next_message(&theirs), Ok(None));
    for n in 0..10 {
        ours.set(NOW, ("Task", &format!("a{n}"), "title"), "a").unwrap();
        let message = up.next_message(&ours).unwrap().unwrap();
        assert_eq!(down.receive(&mut theirs, NOW, &message).unwrap().received, 1);
        // What came from there does not go back.
        assert_eq!(down.next_message(&theirs), Ok(None));
        theirs.set(NOW, ("Task", &format!("b{n}"), "title"), "b").unwrap();
        let message = down.next_message(&theirs).unwrap().unwrap();
        assert_eq!(up.receive(&mut ours, NOW, &message).unwrap().received, 1);
        assert_eq!(up.next_message(&ours), Ok(None));
    }
    assert_same(&ours, &theirs);
    assert_eq!(responder.push_after(&theirs, [0; policysync::sync::SyncBase::ID_BYTES]).map(|_| ()), None);
    assert!(down.receive(&mut theirs, NOW, b"").is_err());
}

/// A push is not preceded by a hello: it keeps to the limit that every peer has.
#[test]
fn a_push_is_no_longer_than_any_peer_takes() {
    let mut ours = Replica::open(knowing(&["alice"]).write_as(key("alice"))).unwrap();
    let mut theirs = Replica::open(knowing(&["alice"])).unwrap();
    let mut responder = responder();
    let (finish, _) = run(&mut session(1), &mut ours, &mut responder, &mut theirs, NOW).unwrap();
    let Finish::Converged { base: Some(base), .. } = finish else { panic!("{finish:?}") };
    let mut down = responder.push_after(&theirs, base.id()).unwrap();
    let mut up = policysync::sync::Push::after(base, &SyncOptions::new().max_message_bytes(16 << 20));
    for n in 0..5 {
        ours.set(NOW, ("Blob", &format!("{n}"), "data"), "x".repeat(500_000).as_str()).unwrap();
    }
    let mut messages = 0;
    while let Some(message) = up.next_message(&ours).unwrap() {
        down.receive(&mut theirs, NOW, &message).unwrap();
        messages += 1;
    }
    assert_same(&ours, &theirs);
    assert!(messages > 1);
}

#[test]
fn a_junk_copy_at_a_blind_relay_does_not_shut_the_genuine_one_out() {
    let genuine = set("alice", 1_700_000_000_000, 0, "p", "genuine");
    let junk = SignedOp::new(genuine.op().clone(), genuine.kid(), Signature::from_bytes([9; 64])).unwrap();
    // The junk comes first: the relay cannot tell.
    let mut relay = blind(&[junk]);
    let mut alice = reader(&["alice"]);
    give(&mut alice, &[genuine]);
    let mut bob = reader(&["alice"]);
    let mut at_relay = responder();

    // Alice's operation is there already, as far as anybody can see.
    let (finish, _) = run(&mut session(1), &mut alice, &mut at_relay, &mut relay, NOW).unwrap();
    assert!(finish.is_converged());
    // Bob is refused the junk, and says so.
    let (finish, _) = run(&mut session(2), &mut bob, &mut at_relay, &mut relay, NOW).unwrap();
    let Finish::NotConverged { refused, .. } = finish else { panic!("{finish:?}") };
    assert_eq!((refused.bad_signature, bob.log().len()), (1, 0));
    // Alice is asked for her copy.
    let (finish, _) = run(&mut session(3), &mut alice, &mut at_relay, &mut relay, NOW).unwrap();
    assert!(finish.is_converged());
    // Bob gets both, and keeps the one that alice signed.
    let (finish, progress) = run(&mut session(4), &mut bob, &mut at_relay, &mut relay, NOW).unwrap();
    assert!(finish.is_converged(), "{finish:?}");
    assert_eq!((progress.received, bob.log().len()), (1, 1));
    assert_same(&alice, &bob);
}

#[test]
fn a_blind_relay_that_begins_the_session_asks_for_good_copies_too() {
    let genuine = set("alice", 1_700_000_000_000, 0, "p", "genuine");
    let junk = SignedOp::new(genuine.op().clone(), genuine.kid(), Signature::from_bytes([9; 64])).unwrap();
    let mut relay = blind(&[junk]);
    let mut alice = reader(&["alice"]);
    give(&mut alice, &[genuine]);
    let mut bob = reader(&["alice"]);
    for _ in 0..2 {
        sync(&mut relay, &mut bob, NOW);
        sync(&mut relay, &mut alice, NOW);
    }
    let (finish, _) = sync(&mut relay, &mut bob, NOW);
    assert!(finish.is_converged(), "{finish:?}");
    assert_same(&alice, &bob);
}

#[test]
fn a_bundle_is_whole_or_says_where_it_is_not() {
    let ops = unsigned(300, 4, 0);
    let ours = blind(&ops);
    let mut bundle = Vec::new();
    let exported = ours.export_since(Cursor::START, &mut bundle).unwrap();
    assert_eq!((exported.ops, exported.bytes), (300, bundle.len() as u64));
    assert_eq!(exported.cursor, ours.log().cursor());
    let mut theirs = blind(&[]);
    let imported = theirs.import(NOW, bundle.as_slice()).unwrap();
    assert_eq!((imported.received, imported.bytes), (300, bundle.len() as u64));
    assert_same(&ours, &theirs);
    assert_eq!(theirs.import(NOW, bundle.as_slice()).unwrap().known, 300);

    for len in (0..bundle.len()).step_by(13) {
        let mut theirs = blind(&[]);
        let error = theirs.import(NOW, &bundle[..len]).unwrap_err();
        assert_eq!(error, policysync::sync::BundleError::Truncated { at: len as u64 });
        assert!(theirs.log().is_empty() || len >= bundle.len() - 44);
    }
    for at in (0..bundle.len()).step_by(7) {
        let mut altered = bundle.clone();
        altered[at] ^= 0x10;
        let mut theirs = blind(&[]);
        assert!(theirs.import(NOW, altered.as_slice()).is_err(), "byte {at}");
        assert!(theirs.log().is_empty() || at >= bundle.len() - 44, "byte {at}");
    }
    bundle.push(0);
    assert!(matches!(
        blind(&[]).import(NOW, bundle.as_slice()),
        Err(policysync::sync::BundleError::TrailingBytes { .. })
    ));
}

/// Gives and takes one byte at a time.
struct Dropwise<T>(T);

impl<R: std::io::Read> std::io::Read for Dropwise<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let end = buffer.len().min(1);
        self.0.read(&mut buffer[..end])
    }
}

impl<W: std::io::Write> std::io::Write for Dropwise<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(&bytes[..bytes.len().min(1)])
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

#[test]
fn a_bundle_may_come_one_byte_at_a_time() {
    let ours = blind(&unsigned(300, 4, 0));
    let (mut whole, mut drops) = (Vec::new(), Dropwise(Vec::new()));
    ours.export_since(Cursor::START, &mut whole).unwrap();
    ours.export_since(Cursor::START, &mut drops).unwrap();
    assert_eq!(drops.0, whole);
    let mut theirs = blind(&[]);
    assert_eq!(theirs.import(NOW, Dropwise(whole.as_slice())).unwrap().received, 300);
    assert_same(&ours, &theirs);
    let cut = Dropwise(&whole[..whole.len() - 1]);
    assert!(matches!(blind(&[]).import(NOW, cut), Err(policysync::sync::BundleError::Truncated { .. })));
}

#[test]
fn a_bundle_holds_what_it_was_asked_to() {
    let ops = unsigned(300, 4, 0);
    let mut ours = blind(&ops[..200]);
    let cursor = ours.log().cursor();
    give(&mut ours, &ops[200..]);
    let mut since = Vec::new();
    assert_eq!(ours.export_since(cursor, &mut since).unwrap().ops, 100);
    let mut theirs = blind(&[]);
    theirs.import(NOW, since.as_slice()).unwrap();
    let some: Vec<OpHash> = hashes(&ours).into_iter().step_by(3).collect();
    let mut set = Vec::new();
    assert_eq!(ours.export_set(&some, &mut set).unwrap().ops, 100);
    let mut others = blind(&[]);
    others.import(NOW, set.as_slice()).unwrap();
    assert_eq!(hashes(&others), some.iter().copied().collect());
    let missing = OpHash::from_bytes([1; 32]);
    assert_eq!(
        ours.export_set(&[missing], Vec::new()),
        Err(policysync::sync::BundleError::Missing { hash: missing })
    );
    let mut elsewhere = Replica::open(knowing(&[]).space("home")).unwrap();
    assert_eq!(elsewhere.import(NOW, set.as_slice()), Err(policysync::sync::BundleError::OtherSpace));
}

#[test]
fn a_responder_takes_no_session_key_from_a_changed_log() {
    // The same request, before and after something arrived: other nonces, so nobody learns a key for a set that can
    // still change.
    let ops = unsigned(10, 4, 0);
    let (ours, mut theirs) = (blind(&[]), blind(&ops[..5]));
    let request = session(1).next_message(&ours).unwrap().unwrap();
    let mut nonces = BTreeSet::new();
    for n in 5..8 {
        let reply = responder().respond(&mut theirs, NOW, &request).unwrap().message;
        let again = responder().respond(&mut theirs, NOW, &request).unwrap().message;
        assert_eq!(reply, again);
        // Two bytes, the tag, the round, the flag; then the nonce.
        nonces.insert(reply[12..28].to_vec());
        give(&mut theirs, &ops[n..=n]);
    }
    assert_eq!(nonces.len(), 3);
    let mut other = Responder::new([43; 32], SyncOptions::new());
    nonces.insert(other.respond(&mut theirs, NOW, &request).unwrap().message[12..28].to_vec());
    assert_eq!(nonces.len(), 4);
}
