//! Tests of the length of messages.

use policysync::sync::{DEFAULT_MESSAGE_BYTES, MIN_MESSAGE_BYTES, ONE_OP_MESSAGE_BYTES, SessionResult};
use policysync::{OpHash, Replica, Responder, SyncOptions, SyncSession};

use crate::common::{NOW, key, knowing};
use crate::link::{assert_same, respond_in_version_1};

/// Returns a replica of alice with values of these lengths.
fn with_values(lengths: &[usize]) -> Replica {
    let mut replica = Replica::open(knowing(&["alice", "bob"]).write_as(key("alice"))).unwrap();
    for (number, length) in lengths.iter().enumerate() {
        replica.set(NOW, ("Blob", &format!("b{number}"), "data"), "x".repeat(*length).as_str()).unwrap();
    }
    replica
}

fn empty() -> Replica {
    Replica::open(knowing(&["alice", "bob"])).unwrap()
}

/// Runs a session with the same limit on both sides, in either direction. Returns the lengths of the messages.
fn lengths(limit: usize, ours: &mut Replica, theirs: &mut Replica) -> Vec<usize> {
    let options = SyncOptions::new().max_message_bytes(limit);
    let (mut session, mut responder) =
        (SyncSession::new(options.clone(), [1; 16]), Responder::new([2; 32], options));
    let mut lengths = Vec::new();
    while let Some(request) = session.next_message(ours).unwrap() {
        let reply = responder.respond(theirs, NOW, &request).unwrap();
        lengths.extend([request.len(), reply.message.len()]);
        session.receive(ours, NOW, &reply.message).unwrap();
    }
    assert!(session.result().unwrap().is_converged());
    assert_same(ours, theirs);
    lengths
}

#[test]
fn messages_keep_to_the_limit_except_for_a_single_operation() {
    let mut values = vec![3_000; 100];
    values.extend([200_000, 900]);
    for limit in [MIN_MESSAGE_BYTES, 200_000, DEFAULT_MESSAGE_BYTES] {
        for upward in [true, false] {
            let (mut full, mut other) = (with_values(&values), empty());
            let found = match upward {
                true => lengths(limit, &mut full, &mut other),
                false => lengths(limit, &mut other, &mut full),
            };
            let long: Vec<usize> = found.into_iter().filter(|length| *length > limit).collect();
            let expected = usize::from(limit < 250_000);
            assert_eq!(long.len(), expected, "{limit}, upward: {upward}: {long:?}");
            assert!(long.iter().all(|length| (200_000..210_000).contains(length)), "{long:?}");
        }
    }
}

/// Runs a session through a gateway that takes messages of at most `most` bytes.
fn through_gateway(most: usize, ours: &mut Replica, theirs: &mut Replica) -> (SessionResult, Vec<OpHash>) {
    let mut responder = Responder::new([2; 32], SyncOptions::new());
    let mut session = SyncSession::new(SyncOptions::new(), [1; 16]);
    while let Some(request) = session.next_message(ours).unwrap() {
        if request.len() > most {
            assert!(session.message_too_large());
            continue;
        }
        let reply = responder.respond(theirs, NOW, &request).unwrap();
        session.receive(ours, NOW, &reply.message).unwrap();
    }
    (session.result().cloned().unwrap(), session.too_large().to_vec())
}

#[test]
fn a_message_that_a_gateway_refuses_is_made_shorter() {
    let (mut ours, mut theirs) = (with_values(&[4_000; 200]), empty());
    theirs.keys_mut().register(key("alice").public_key().clone()).unwrap();
    let (result, too_large) = through_gateway(70_000, &mut ours, &mut theirs);
    assert!(result.is_converged(), "{result:?}");
    assert_eq!(too_large, []);
    assert_same(&ours, &theirs);
}

#[test]
fn an_operation_that_a_gateway_refuses_is_reported_and_the_rest_goes_on() {
    let mut values = vec![4_000; 100];
    values.insert(50, 90_000);
    let (mut ours, mut theirs) = (with_values(&values), empty());
    let (result, too_large) = through_gateway(80_000, &mut ours, &mut theirs);
    let SessionResult::ConvergedExcept { count, refused_by_peer, .. } = result else { panic!("{result:?}") };
    assert_eq!((count, refused_by_peer.other, refused_by_peer.total()), (100, 1, 1));
    assert_eq!((too_large.len(), theirs.log().len()), (1, 100));
    assert!(ours.log().contains(&too_large[0]) && !theirs.log().contains(&too_large[0]));
}

/// Not each operation by itself, of which there may be very many.
#[test]
fn a_gateway_that_takes_nothing_is_no_matter_of_length() {
    let (ours, mut theirs) = (&mut with_values(&[4_000; 200]), empty());
    let mut responder = Responder::new([2; 32], SyncOptions::new());
    let mut session = SyncSession::new(SyncOptions::new(), [1; 16]);
    let mut refused = Vec::new();
    while let Some(request) = session.next_message(ours).unwrap() {
        // It lets the first message pass, and those in which something is asked.
        if request.len() < 4_000 {
            let reply = responder.respond(&mut theirs, NOW, &request).unwrap();
            session.receive(ours, NOW, &reply.message).unwrap();
            continue;
        }
        refused.push(request.len());
        if !session.message_too_large() {
            break;
        }
    }
    let halves = [1 << 20, 405_000, 205_000, 105_000, 60_000];
    assert_eq!(refused.len(), halves.len(), "{refused:?}");
    assert!(refused.iter().zip(halves).all(|(length, most)| *length < most), "{refused:?}");
    assert_eq!(session.too_large(), []);
}

#[test]
fn a_first_message_cannot_be_shorter() {
    let ours = with_values(&[10]);
    let mut session = SyncSession::new(SyncOptions::new(), [1; 16]);
    assert!(!session.message_too_large());
    session.next_message(&ours).unwrap();
    assert!(!session.message_too_large());
}

/// Version 1 takes a limit below the largest operation for a breach of the protocol.
#[test]
fn a_peer_of_version_1_gets_a_limit_that_it_accepts() {
    let (mut ours, mut theirs) = (with_values(&[3_000; 100]), with_values(&[]));
    let options = SyncOptions::new().max_message_bytes(MIN_MESSAGE_BYTES);
    let mut session = SyncSession::new(options.clone(), [1; 16]);
    let mut responder = Responder::new([2; 32], options);
    let mut longest = 0;
    while let Some(request) = session.next_message(&ours).unwrap() {
        longest = longest.max(request.len());
        let answer = respond_in_version_1(&mut responder, &mut theirs, NOW, &request).unwrap();
        session.receive(&mut ours, NOW, &answer).unwrap();
    }
    assert!(session.result().unwrap().is_converged());
    // What this side sends is kept small all the same.
    assert!(longest <= MIN_MESSAGE_BYTES, "{longest}");
    assert_eq!(ONE_OP_MESSAGE_BYTES, 1_114_112);
}
