//! Tests of sessions between honest sides: they converge, and report that only if they did.

use std::collections::BTreeSet;

use policysync::bundle;
use policysync::crypto::Signature;
use policysync::keys::sign_op;
use policysync::oplog::Cursor;
use policysync::sync::SessionResult;
use policysync::{Hlc, Op, OpHash, Replica, Responder, SignedOp, SyncError, SyncOptions, SyncSession};
use proptest::prelude::*;

use crate::common::{NOW, Random, crypto, key, knowing, reader, set};
use crate::link::{assert_same, blind, give, hashes, responder, run, session, sync, unsigned};

#[test]
fn an_empty_side_receives_everything_and_a_full_side_sends_everything() {
    for count in [1, 64, 65, 128, 129, 3000] {
        let ops = unsigned(count, 4, 0);
        for (left, right) in [(&ops[..], &[][..]), (&[][..], &ops[..])] {
            let (mut ours, mut theirs) = (blind(left), blind(right));
            let (result, progress) = sync(&mut ours, &mut theirs, NOW);
            assert!(matches!(result, SessionResult::Converged { count: found, .. } if found == count as u64));
            assert_same(&ours, &theirs);
            assert_eq!(
                (progress.sent + progress.received.new_ops(), progress.received.duplicates),
                (count as u64, 0)
            );
        }
    }
}

#[test]
fn many_operations_of_one_time_are_distinguished() {
    // Bounds need the counter, the actor and the hash.
    for per_time in [1, 7, 5000] {
        let ops = unsigned(5000, per_time, 0);
        let mut random = Random(per_time as u64);
        let mut part = || ops.iter().filter(|_| random.below(10) > 0).cloned().collect::<Vec<_>>();
        let (mut ours, mut theirs) = (blind(&part()), blind(&part()));
        let (result, progress) = sync(&mut ours, &mut theirs, NOW);
        assert!(result.is_converged(), "{result:?}");
        assert_same(&ours, &theirs);
        assert_eq!(progress.received.duplicates, 0);
    }
    // Operations of one actor at one time and counter differ only in the hash.
    let forks: Vec<SignedOp> = (0..3000_u32)
        .map(|n| {
            let op =
                Op::lww_set("a", Hlc::new(5, 6).unwrap(), ("E", "i", "p"), f64::from(n).to_string()).unwrap();
            SignedOp::new(op, "k", Signature::from_bytes([7; 64])).unwrap()
        })
        .collect();
    let (mut ours, mut theirs) = (blind(&forks[..2000]), blind(&forks[1500..]));
    let (result, _) = sync(&mut ours, &mut theirs, NOW);
    assert!(result.is_converged(), "{result:?}");
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
        // Either most operations are common, or a third.
        let has = |holder: u8, side: u8| holder % if rare { 8 } else { 3 } != side;
        let side = |side| -> Vec<SignedOp> {
            ops.iter().zip(&holders).filter(|(_, holder)| has(**holder, side)).map(|(op, _)| op.clone()).collect()
        };
        let (mut ours, mut theirs) = (blind(&side(1)), blind(&side(2)));
        let union: BTreeSet<OpHash> = hashes(&ours).union(&hashes(&theirs)).copied().collect();
        let (result, progress) = sync(&mut ours, &mut theirs, NOW);
        prop_assert!(result.is_converged(), "{:?}", result);
        prop_assert_eq!(&hashes(&ours), &union);
        prop_assert_eq!(&hashes(&theirs), &union);
        prop_assert_eq!(progress.received.duplicates, 0);
        prop_assert_eq!(progress.left_to_send, 0);
        prop_assert_eq!(progress.left_to_receive, 0);
    }
}

#[test]
fn an_operation_of_the_maximum_size_fits() {
    let ts = |n| Hlc::new(5, n).unwrap();
    let signed = |n, value: &str| {
        let op = Op::lww_set("a", ts(n), ("E", "i", "p"), value.to_owned()).unwrap();
        SignedOp::new(op, "k", Signature::from_bytes([7; 64])).unwrap()
    };
    let room = policysync::codec::MAX_OP_BYTES - signed(1, "").to_json().len();
    let ops = [1, 2, 3].map(|n| signed(n, &"x".repeat(room)));
    assert_eq!(ops[0].to_json().len(), policysync::codec::MAX_OP_BYTES);
    let (mut ours, mut theirs) = (blind(&ops[..2]), blind(&ops[2..]));
    let (result, progress) = sync(&mut ours, &mut theirs, NOW);
    assert!(result.is_converged());
    assert_same(&ours, &theirs);
    assert_eq!(progress.sent, 2);

    let mut bundle = Vec::new();
    bundle::export_since(&ours, Cursor::START, &mut bundle).unwrap();
    let mut third = blind(&[]);
    assert_eq!(bundle::import(&mut third, NOW, bundle.as_slice()).unwrap().received.new_ops(), 3);
    assert_same(&ours, &third);
}

#[test]
fn an_operation_written_during_a_session_is_left_to_the_next() {
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
    // The responder's first late operation was there when its side of the session began.
    let Some(SessionResult::Converged { count, resume, .. }) = session.result().cloned() else {
        panic!("{:?}", session.result())
    };
    assert_eq!(count, 401);
    assert_eq!(hashes(&ours).len(), 401 + written);
    assert_eq!(hashes(&theirs).len(), 401 + written - 1);
    // The resumed session transfers exactly the late operations.
    let mut next = SyncSession::new(SyncOptions::new().resume(resume.unwrap()), [2; 16]);
    let (result, progress) = run(&mut next, &mut ours, &mut responder, &mut theirs, NOW).unwrap();
    assert!(result.is_converged());
    assert_same(&ours, &theirs);
    assert_eq!((progress.sent, progress.received.new_ops()), (written as u64, written as u64 - 1));
    assert_eq!(progress.received.duplicates, 0);
}

#[test]
fn after_a_broken_connection_a_new_session_transfers_only_the_rest() {
    /// The number of answers after which the connection breaks. The first ones only find the differences.
    const ANSWERS: usize = 4;
    let long = |number: u64| {
        let ts = Hlc::new(1_700_000_000_000 + number, 0).unwrap();
        let op = Op::lww_set("a", ts, ("Task", "t1", "title"), "x".repeat(3000)).unwrap();
        SignedOp::new(op, "k", Signature::from_bytes([7; 64])).unwrap()
    };
    let ops: Vec<SignedOp> = (0..3000).map(long).collect();
    // One side has all operations, or each has two thirds of them.
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
                assert_eq!(reply.received.duplicates, 0, "nothing is sent twice");
                if answer == ANSWERS {
                    total += reply.message.len() as u64;
                    break;
                }
                session.receive(&mut ours, NOW, &reply.message).unwrap();
            }
            let progress = session.progress();
            total += bytes(progress);
            assert_eq!(progress.received.duplicates, 0, "nothing is received twice");
            if session.next_message(&ours).is_ok_and(|next| next.is_none()) {
                break;
            }
        }
        assert_same(&ours, &theirs);
        println!("{sessions} sessions, {total} bytes; in one session {whole}");
        assert!(sessions > 1, "{sessions} sessions");
        // Each session loses one message, and repeats few bytes of the comparison.
        let lost = u64::from(sessions) * policysync::sync::ONE_OP_MESSAGE_BYTES as u64;
        assert!(total < whole + lost + 20_000 * u64::from(sessions), "{total} bytes, {whole} in one");
    }
}

#[test]
fn a_cancelled_session_keeps_the_operations_received_so_far() {
    let ops = unsigned(60_000, 4, 0);
    let (mut ours, mut theirs) = (blind(&[]), blind(&ops));
    let mut session = session(1);
    let mut responder = responder();
    let request = session.next_message(&ours).unwrap().unwrap();
    let reply = responder.respond(&mut theirs, NOW, &request).unwrap();
    let progress = session.receive(&mut ours, NOW, &reply.message).unwrap();
    assert!(progress.received.new_ops() > 0);
    assert_eq!(progress.left_to_receive, 60_000 - progress.received.new_ops());
    session.cancel();
    assert_eq!(session.result(), Some(&SessionResult::Cancelled));
    assert_eq!(session.next_message(&ours), Ok(None));
    assert_eq!(session.receive(&mut ours, NOW, &reply.message), Err(SyncError::Ended));
    assert_eq!(ours.log().len() as u64, progress.received.new_ops());
}

#[test]
fn each_request_may_be_answered_by_another_process_with_the_same_secret() {
    let ops = unsigned(20_000, 4, 0);
    let (mut ours, mut theirs) = (blind(&ops[..15_000]), blind(&ops[7_000..]));
    let mut session = session(1);
    while let Some(request) = session.next_message(&ours).unwrap() {
        // A new responder for each request remembers nothing.
        let reply = responder().respond(&mut theirs, NOW, &request).unwrap();
        session.receive(&mut ours, NOW, &reply.message).unwrap();
    }
    assert!(session.result().unwrap().is_converged());
    assert_same(&ours, &theirs);
}

#[test]
fn an_unknown_token_only_costs_bytes() {
    let ops = unsigned(3000, 4, 0);
    let (mut ours, mut theirs) = (blind(&ops), blind(&ops[..2990]));
    let (result, _) = sync(&mut ours, &mut theirs, NOW);
    let SessionResult::Converged { resume: Some(token), .. } = result else { panic!("{result:?}") };
    // Another responder does not know the session.
    let mut next = SyncSession::new(SyncOptions::new().resume(token.clone()), [2; 16]);
    let (result, _) = run(&mut next, &mut ours, &mut responder(), &mut theirs, NOW).unwrap();
    assert!(matches!(result, SessionResult::Converged { count: 3000, .. }));
    // The token belongs to another replica.
    let mut other = blind(&ops[..100]);
    let mut next = SyncSession::new(SyncOptions::new().resume(token), [3; 16]);
    let (result, _) = run(&mut next, &mut other, &mut responder(), &mut theirs, NOW).unwrap();
    assert!(matches!(result, SessionResult::Converged { count: 3000, .. }));
    assert_same(&other, &theirs);
}

#[test]
fn a_session_that_is_forgotten_while_it_is_resumed_ends_with_an_alert() {
    let ops = unsigned(3000, 4, 0);
    let (mut ours, mut theirs) = (blind(&ops[..1000]), blind(&ops[..1000]));
    let mut first = responder();
    let (result, _) = run(&mut session(1), &mut ours, &mut first, &mut theirs, NOW).unwrap();
    let SessionResult::Converged { resume: Some(token), .. } = result else { panic!("{result:?}") };
    give(&mut ours, &ops[1000..2000]);
    give(&mut theirs, &ops[2000..]);
    let mut next = SyncSession::new(SyncOptions::new().resume(token), [2; 16]);
    let request = next.next_message(&ours).unwrap().unwrap();
    let reply = first.respond(&mut theirs, NOW, &request).unwrap();
    next.receive(&mut ours, NOW, &reply.message).unwrap();
    let request = next.next_message(&ours).unwrap().unwrap();
    let error = responder().respond(&mut theirs, NOW, &request).unwrap_err();
    assert_eq!(error, SyncError::AlertReceived(policysync::sync::Alert::Forgotten));
    assert_eq!(next.receive(&mut ours, NOW, &error.to_alert()), Err(error));
}

#[test]
fn refused_operations_are_counted_by_reason() {
    let mut theirs = reader(&["alice", "bob", "carol"]);
    let ops: Vec<SignedOp> = ["alice", "bob", "carol"]
        .iter()
        .flat_map(|actor| (0..100).map(move |n| set(actor, 1_700_000_000_000 + n, 0, "p", "v")))
        .collect();
    give(&mut theirs, &ops);
    // This side does not know carol's key, and its guard rejects bob.
    let guard = |op: &policysync::keys::VerifiedOp<'_>| match op.op().actor() {
        "bob" => policysync::Verdict::Reject,
        _ => policysync::Verdict::Admit,
    };
    let mut ours = Replica::open(knowing(&["alice", "bob"]).guard(guard)).unwrap();
    let (result, progress) = sync(&mut ours, &mut theirs, NOW);
    let SessionResult::ConvergedExcept { refused, refused_by_peer, count, .. } = result else {
        panic!("{result:?}");
    };
    assert_eq!((refused.unknown_key, refused.denied, refused.total()), (100, 100, 200));
    assert_eq!((refused_by_peer.total(), count), (0, 100));
    // Carol's were not sent, because the peer knew beforehand.
    assert_eq!((progress.received.refused.denied, progress.received.refused.total()), (100, 100));
    assert_eq!(progress.received.new_ops(), 100);
    assert_eq!(ours.log().len(), 100);
    // In the other direction the peer counts.
    let (result, progress) = sync(&mut theirs, &mut ours, NOW);
    let SessionResult::ConvergedExcept { refused, refused_by_peer, count, .. } = result else {
        panic!("{result:?}");
    };
    assert_eq!((refused_by_peer.unknown_key, refused_by_peer.denied, refused.total()), (100, 100, 0));
    assert_eq!((progress.refused_by_peer.denied, progress.refused_by_peer.total(), count), (100, 100, 100));
}

#[test]
fn a_peer_of_another_space_is_an_error() {
    let mut home = Replica::open(knowing(&["alice"]).space("home")).unwrap();
    let mut work = Replica::open(knowing(&["alice"]).space("work")).unwrap();
    let mut session = session(1);
    let request = session.next_message(&home).unwrap().unwrap();
    let error = responder().respond(&mut work, NOW, &request).unwrap_err();
    assert_eq!(error, SyncError::OtherSpace);
    let error = session.receive(&mut home, NOW, &error.to_alert()).unwrap_err();
    assert_eq!(error, SyncError::AlertReceived(policysync::sync::Alert::OtherSpace));
    assert_eq!(session.next_message(&home), Err(SyncError::Ended));
}

#[test]
fn operations_of_a_space_are_sent_without_its_name() {
    let mut ours = Replica::open(knowing(&["alice"]).space("home").write_as(key("alice"))).unwrap();
    let mut theirs = Replica::open(knowing(&["alice"]).space("home")).unwrap();
    ours.set(NOW, ("Task", "t1", "title"), "hello").unwrap();
    ours.delete(NOW, ("Task", "t1", "title")).unwrap();
    let (result, _) = sync(&mut ours, &mut theirs, NOW);
    assert!(result.is_converged());
    assert_same(&ours, &theirs);
    assert_eq!(ours.state_digest(), theirs.state_digest());
}

#[test]
fn operations_from_the_future_are_held_and_counted() {
    let mut ours = reader(&["alice"]);
    give(&mut ours, &[set("alice", NOW.0 + 86_400_000, 0, "p", "later")]);
    let mut theirs = reader(&["alice"]);
    let (result, _) = sync(&mut ours, &mut theirs, NOW);
    assert!(result.is_converged());
    assert_eq!((ours.held(), theirs.held()), (1, 1));
}

#[test]
fn labels_are_sent() {
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
fn calls_out_of_turn_are_errors() {
    let mut ours = reader(&[]);
    let mut session = session(1);
    assert_eq!(session.receive(&mut ours, NOW, b""), Err(SyncError::OutOfTurn));
    session.next_message(&ours).unwrap().unwrap();
    assert_eq!(session.next_message(&ours), Err(SyncError::OutOfTurn));
    assert_eq!(session.result(), None);
}

#[test]
fn a_stray_answer_changes_nothing() {
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
        // A repeated request gets the same answer, except for the operations that were new the first time.
        responder.respond(&mut theirs, NOW, &request).unwrap();
        session.receive(&mut ours, NOW, &reply.message).unwrap();
        earlier.push(reply.message);
    }
    assert!(session.result().unwrap().is_converged());
    let mut other = crate::link::session(2);
    other.next_message(&ours).unwrap();
    for stray in &earlier {
        assert_eq!(other.receive(&mut ours, NOW, stray), Err(SyncError::Stray));
    }
}

#[test]
fn another_replica_ends_the_session() {
    let ops = unsigned(300, 4, 0);
    let (ours, mut theirs) = (blind(&ops), blind(&[]));
    let mut session = session(1);
    let request = session.next_message(&ours).unwrap().unwrap();
    let reply = responder().respond(&mut theirs, NOW, &request).unwrap();
    let mut other = blind(&ops[..100]);
    assert_eq!(session.receive(&mut other, NOW, &reply.message), Err(SyncError::OtherReplica));
}

#[test]
fn a_changed_log_changes_the_session_key() {
    // The same request gets another nonce after an operation arrived, so nobody learns the key for a set that can still
    // change.
    let ops = unsigned(10, 4, 0);
    let (ours, mut theirs) = (blind(&[]), blind(&ops[..5]));
    let request = session(1).next_message(&ours).unwrap().unwrap();
    let mut nonces = BTreeSet::new();
    for n in 5..8 {
        let reply = responder().respond(&mut theirs, NOW, &request).unwrap().message;
        let again = responder().respond(&mut theirs, NOW, &request).unwrap().message;
        assert_eq!(reply, again);
        // The nonce follows two bytes, the tag, the round and the flag.
        nonces.insert(reply[12..28].to_vec());
        give(&mut theirs, &ops[n..=n]);
    }
    assert_eq!(nonces.len(), 3);
    let mut other = Responder::new([43; 32], SyncOptions::new());
    nonces.insert(other.respond(&mut theirs, NOW, &request).unwrap().message[12..28].to_vec());
    assert_eq!(nonces.len(), 4);
}
