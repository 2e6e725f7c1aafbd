//! Tests of what a replica remembers of a peer: an operation that was refused is transferred once.

use policysync::crypto::{KeyPair, Signature};
use policysync::keys::VerifiedOp;
use policysync::sync::{Progress, Push, Refusals, ResumeToken, SessionResult};
use policysync::{
    Replica, ReplicaOptions, Responder, SignedOp, SigningSecretKey, SyncOptions, SyncSession, Verdict,
};

use crate::common::{NOW, key, knowing, reader, set};
use crate::link::{assert_same, blind, give, responder, run, sync};

/// The number of refused operations. A debug build signs and verifies fewer.
const REFUSED: u64 = if cfg!(debug_assertions) { 3_000 } else { 70_000 };

fn written(actor: &str, first: u64, count: u64) -> Vec<SignedOp> {
    (first..first + count).map(|n| set(actor, 1_700_000_000_000 + n, 0, &format!("p{n}"), "x")).collect()
}

fn forged(ops: &[SignedOp]) -> Vec<SignedOp> {
    let forge =
        |op: &SignedOp| SignedOp::new(op.op().clone(), op.kid(), Signature::from_bytes([9; 64])).unwrap();
    ops.iter().map(forge).collect()
}

fn deny_bob() -> ReplicaOptions {
    let guard = |op: &VerifiedOp<'_>| match op.op().actor() {
        "bob" => Verdict::Reject,
        _ => Verdict::Admit,
    };
    knowing(&["alice", "bob"]).write_as(key("alice")).guard(guard)
}

fn bytes(progress: &Progress) -> u64 {
    progress.bytes_sent + progress.bytes_received
}

/// Runs a session with the peer of this name, with a nonce of this number.
fn named(
    name: &str,
    number: u8,
    resume: Option<ResumeToken>,
    ours: &mut Replica,
    responder: &mut Responder,
    theirs: &mut Replica,
) -> (SessionResult, Progress) {
    let options = resume.into_iter().fold(SyncOptions::new().peer(name), SyncOptions::resume);
    run(&mut SyncSession::new(options, [number; 16]), ours, responder, theirs, NOW).unwrap()
}

#[track_caller]
fn except(result: SessionResult) -> (ResumeToken, u64, Refusals, Refusals) {
    let SessionResult::ConvergedExcept { resume, count, refused, refused_by_peer, .. } = result else {
        panic!("{result:?}");
    };
    (resume.unwrap(), count, refused, refused_by_peer)
}

/// Checks that operations of the relay that the device refuses are transferred once, and tax nothing.
fn refused_operations_cost_nothing(
    mut device: Replica,
    mut relay: Replica,
    reason: impl Fn(&Refusals) -> u64,
) -> (Replica, Replica) {
    let mut at_relay = responder();
    let (result, progress) = named("relay", 1, None, &mut device, &mut at_relay, &mut relay);
    let (_, count, refused, _) = except(result);
    assert_eq!((progress.received.new_ops(), count), (500, 500));
    assert_eq!((reason(&refused), refused.total()), (REFUSED, REFUSED));
    // An unchanged session, from the beginning and resumed.
    let (result, progress) = named("relay", 2, None, &mut device, &mut at_relay, &mut relay);
    let (token, count, refused, _) = except(result);
    assert_eq!((progress.received.total(), count), (0, 500));
    assert_eq!((reason(&refused), refused.total()), (REFUSED, REFUSED));
    assert!(bytes(&progress) <= 4096, "{progress:?}");
    let (result, progress) = named("relay", 3, Some(token), &mut device, &mut at_relay, &mut relay);
    let (token, _, refused, _) = except(result);
    assert_eq!((progress.received.total(), refused.total()), (0, REFUSED));
    assert!(bytes(&progress) <= 2048, "{progress:?}");
    // A write.
    let mut down = at_relay.push_after(&relay, token.id()).unwrap();
    let mut up = Push::after(token, &SyncOptions::new().peer("relay"));
    device.set(NOW, ("Task", "t1", "title"), "new").unwrap();
    let message = up.next_message(&device).unwrap().unwrap();
    assert!(message.len() <= 200, "{} bytes", message.len());
    down.receive(&mut relay, NOW, &message).unwrap();
    assert_eq!(down.next_message(&relay), Ok(None));
    (device, relay)
}

#[test]
fn what_the_guard_denies_is_transferred_once() {
    let mut relay = blind(&written("bob", 0, REFUSED));
    give(&mut relay, &written("alice", 0, 500));
    let device = Replica::open(deny_bob()).unwrap();
    let (mut device, mut relay) = refused_operations_cost_nothing(device, relay, |refused| refused.denied);
    // A denied operation that is pushed is remembered too.
    let mut at_relay = responder();
    let (result, _) = named("relay", 4, None, &mut device, &mut at_relay, &mut relay);
    let (token, ..) = except(result);
    let mut down = at_relay.push_after(&relay, token.id()).unwrap();
    let mut up = Push::after(token.clone(), &SyncOptions::new().peer("relay"));
    give(&mut relay, &written("bob", REFUSED, 1));
    let message = down.next_message(&relay).unwrap().unwrap();
    assert_eq!(up.receive(&mut device, NOW, &message).unwrap().refused.denied, 1);
    for (number, token) in [(5, Some(token)), (6, None)] {
        let (result, progress) = named("relay", number, token, &mut device, &mut at_relay, &mut relay);
        let (_, _, refused, _) = except(result);
        assert_eq!((progress.received.total(), refused.denied), (0, REFUSED + 1));
    }
}

#[test]
fn forged_copies_are_transferred_once() {
    let mut relay = blind(&forged(&written("alice", 1000, REFUSED)));
    give(&mut relay, &written("alice", 0, 500));
    let device = Replica::open(knowing(&["alice"]).write_as(key("alice"))).unwrap();
    refused_operations_cost_nothing(device, relay, |refused| refused.bad_signature);
}

/// Nor is the kid: a copy that names a key that nobody knows must not hide the genuine one, which the author holds.
#[test]
fn a_copy_with_a_made_up_key_does_not_lock_out_the_genuine_operation() {
    let genuine = written("alice", 0, 3);
    let with_other_key = |op: &SignedOp| SignedOp::new(op.op().clone(), "made up", *op.signature()).unwrap();
    for name in ["relay", ""] {
        let mut relay = blind(&genuine.iter().map(with_other_key).collect::<Vec<_>>());
        let (mut device, mut author) = (reader(&["alice"]), reader(&["alice"]));
        give(&mut author, &genuine);
        let mut at_relay = responder();
        let mut session = |number: u8, ours: &mut Replica| {
            let options = SyncOptions::new();
            let options = if name.is_empty() { options } else { options.peer(name) };
            let mut session = SyncSession::new(options, [number; 16]);
            run(&mut session, ours, &mut at_relay, &mut relay, NOW).unwrap()
        };
        let (result, progress) = session(1, &mut device);
        assert_eq!((except(result).2.unknown_key, progress.received.new_ops()), (3, 0));
        // The relay asks the author for its copies.
        let (_, progress) = session(2, &mut author);
        assert!(progress.op_bytes_sent > 0, "{progress:?}");
        let (result, progress) = session(3, &mut device);
        assert_eq!(progress.received.new_ops(), 3, "{name}: {result:?}");
        assert_same(&author, &device);
        let (result, progress) = session(4, &mut device);
        assert!(result.is_converged(), "{name}: {result:?}");
        assert_eq!(progress.received.total(), 0);
    }
}

/// Of an operation that the guard denies, no other copy is wanted.
#[test]
fn a_forged_copy_of_a_denied_operation_leaves_no_doubt() {
    let genuine = written("bob", 0, 3);
    let mut relay = blind(&forged(&genuine));
    // A device that knows bob claims that the relay's copies are bad, and another one brings the genuine ones.
    let (mut reading, mut author) = (reader(&["alice", "bob"]), reader(&["alice", "bob"]));
    give(&mut author, &genuine);
    let mut at_relay = responder();
    named("relay", 1, None, &mut reading, &mut at_relay, &mut relay);
    named("relay", 2, None, &mut author, &mut at_relay, &mut relay);
    // Now it has both. The guard denies the genuine ones.
    let mut device = Replica::open(deny_bob()).unwrap();
    let (result, progress) = named("relay", 3, None, &mut device, &mut at_relay, &mut relay);
    assert_eq!(except(result).2.denied, 3, "{progress:?}");
    let (result, progress) = named("relay", 4, None, &mut device, &mut at_relay, &mut relay);
    assert_eq!((except(result).2.denied, progress.received.total()), (3, 0));
    assert!(bytes(&progress) < 300, "{progress:?}");
}

/// The signature is no part of the identity, so a refused copy must not hide the genuine one.
#[test]
fn a_refused_copy_does_not_lock_out_the_genuine_operation() {
    let genuine = written("alice", 0, 3);
    let mut relay = blind(&forged(&genuine));
    let mut device = reader(&["alice"]);
    let mut at_relay = responder();
    let (result, _) = named("relay", 1, None, &mut device, &mut at_relay, &mut relay);
    let (token, _, refused, _) = except(result);
    assert_eq!(refused.bad_signature, 3);
    let (result, progress) = named("relay", 2, Some(token), &mut device, &mut at_relay, &mut relay);
    let (token, ..) = except(result);
    assert_eq!(progress.received.total(), 0);
    // Another device brings its copies, because the relay asks for them.
    let mut author = reader(&["alice"]);
    give(&mut author, &genuine);
    let (_, progress) = named("relay", 3, None, &mut author, &mut at_relay, &mut relay);
    assert!(progress.op_bytes_sent > 0, "{progress:?}");
    let (result, progress) = named("relay", 4, Some(token), &mut device, &mut at_relay, &mut relay);
    assert_eq!(progress.received.new_ops(), 3, "{result:?}");
    assert_same(&author, &device);
    // The claims are settled: nobody is asked again.
    for number in 5..7 {
        let (result, progress) = named("relay", number, None, &mut author, &mut at_relay, &mut relay);
        assert!(result.is_converged(), "{result:?}");
        assert_eq!(progress.op_bytes_sent, 0);
        assert!(bytes(&progress) < 300, "{progress:?}");
    }
}

/// A peer that claims that good copies are bad.
#[test]
fn false_claims_cost_others_little_and_not_for_ever() {
    let ops = written("alice", 0, 400);
    let mut relay = blind(&ops);
    let mut honest = reader(&["alice"]);
    give(&mut honest, &ops);
    let mut at_relay = responder();
    for number in 0..20 {
        // It has another key for alice, under the same kid.
        let other = SigningSecretKey::new("alice", KeyPair::from_seed(&[5; 32]).unwrap()).unwrap();
        let wrong = policysync::SigningPublicKey::with_kid(
            "alice",
            key("alice").public_key().kid(),
            *other.public_key().public_key(),
        );
        let mut keys = policysync::KeyRegistry::new();
        keys.register(wrong.unwrap()).unwrap();
        let mut liar = Replica::open(ReplicaOptions::new().keys(keys)).unwrap();
        let (result, _) = named("relay", number, None, &mut liar, &mut at_relay, &mut relay);
        assert_eq!(except(result).2.bad_signature, 400);
    }
    let mut costs = Vec::new();
    for number in 0..30 {
        let (result, progress) = named("relay", number, None, &mut honest, &mut at_relay, &mut relay);
        assert!(result.is_converged());
        assert_eq!(progress.op_bytes_sent, 0, "a copy that the relay has is sent again");
        costs.push(bytes(&progress));
    }
    assert!(costs.iter().all(|bytes| *bytes < 4096), "{costs:?}");
    assert!(costs[29] < 300, "{costs:?}");
}

#[test]
fn what_the_peer_refused_is_sent_again_only_when_it_changes() {
    let mut device = reader(&["alice", "bob"]);
    give(&mut device, &written("bob", 0, 200));
    give(&mut device, &written("alice", 0, 50));
    let mut peer = Replica::open(deny_bob().guard_revision(1)).unwrap();
    let mut at_peer = responder();
    let (result, progress) = named("peer", 1, None, &mut device, &mut at_peer, &mut peer);
    let (_, count, _, refused_by_peer) = except(result);
    assert_eq!((progress.sent, count, refused_by_peer.denied), (250, 50, 200));
    let (result, progress) = named("peer", 2, None, &mut device, &mut at_peer, &mut peer);
    let (_, count, _, refused_by_peer) = except(result);
    assert_eq!((progress.op_bytes_sent, count, refused_by_peer.denied), (0, 50, 200));
    assert!(bytes(&progress) < 4096, "{progress:?}");
    // A new guard, which admits bob.
    let mut open = Replica::open(knowing(&["alice", "bob"])).unwrap();
    give(&mut open, &written("alice", 0, 50));
    let (result, progress) = named("peer", 3, None, &mut device, &mut responder(), &mut open);
    assert_eq!(progress.sent, 200, "{result:?}");
    let (result, _) = named("peer", 4, None, &mut device, &mut responder(), &mut open);
    assert!(result.is_converged(), "{result:?}");
}

/// The peer refuses every other operation of a request.
#[test]
fn an_acknowledgement_names_all_that_was_refused() {
    let mut device = reader(&["alice", "bob"]);
    for n in 0..3000 {
        give(&mut device, &written(if n % 2 > 0 { "alice" } else { "bob" }, n, 1));
    }
    let mut peer = Replica::open(deny_bob()).unwrap();
    let mut at_peer = responder();
    let (result, _) = named("peer", 1, None, &mut device, &mut at_peer, &mut peer);
    let (_, count, _, refused_by_peer) = except(result);
    assert_eq!((count, refused_by_peer.denied), (1500, 1500));
    let (result, progress) = named("peer", 2, None, &mut device, &mut at_peer, &mut peer);
    let (.., refused_by_peer) = except(result);
    assert_eq!((progress.op_bytes_sent, refused_by_peer.denied), (0, 1500));
}

#[test]
fn other_keys_ask_for_what_was_refused_again() {
    let mut relay = blind(&written("bob", 0, 100));
    let mut device = Replica::open(deny_bob()).unwrap();
    let mut at_relay = responder();
    let (result, _) = named("relay", 1, None, &mut device, &mut at_relay, &mut relay);
    let (token, ..) = except(result);
    device.keys_mut().register(key("carol").public_key().clone()).unwrap();
    let (result, progress) = named("relay", 2, Some(token), &mut device, &mut at_relay, &mut relay);
    assert_eq!((progress.received.refused.denied, except(result).2.denied), (100, 100));
}

#[test]
fn what_another_peer_of_the_same_name_does_not_hold_is_forgotten() {
    let mut relay = blind(&written("bob", 0, 100));
    let mut device = Replica::open(deny_bob()).unwrap();
    let (_, progress) = named("relay", 1, None, &mut device, &mut responder(), &mut relay);
    assert_eq!(progress.received.refused.denied, 100);
    let mut empty = blind(&[]);
    for number in 2..4 {
        let (result, progress) = named("relay", number, None, &mut device, &mut responder(), &mut empty);
        assert!(result.is_converged(), "{result:?}");
        assert_eq!(progress.op_bytes_sent, 0);
    }
}

#[test]
fn an_operation_that_arrives_from_elsewhere_is_not_refused_any_more() {
    let mut relay = blind(&forged(&written("alice", 0, 100)));
    let mut device = reader(&["alice"]);
    let (_, progress) = named("relay", 1, None, &mut device, &mut responder(), &mut relay);
    assert_eq!(progress.received.refused.bad_signature, 100);
    give(&mut device, &written("alice", 0, 100));
    let (result, progress) = named("relay", 2, None, &mut device, &mut responder(), &mut relay);
    assert!(result.is_converged(), "{result:?}");
    assert!(bytes(&progress) < 4096, "{progress:?}");
    let (result, _) = sync(&mut device, &mut relay, NOW);
    assert!(result.is_converged(), "{result:?}");
}

/// A device, a blind relay with forged copies, and the author with the genuine ones.
#[test]
fn one_session_recovers_as_many_copies_as_there_are() {
    let genuine = written("alice", 0, 100);
    let mut relay = blind(&forged(&genuine));
    let (mut device, mut author) = (reader(&["alice"]), reader(&["alice"]));
    give(&mut author, &genuine);
    let mut at_relay = responder();
    let mut recovered = Vec::new();
    for number in 1..5 {
        let (_, progress) = named("relay", number, None, &mut device, &mut at_relay, &mut relay);
        recovered.push(progress.received.new_ops());
        let (result, _) = named("relay", 10 + number, None, &mut author, &mut at_relay, &mut relay);
        assert!(result.is_converged(), "{result:?}");
    }
    // The first claims 16, whose genuine copies the author brings. The second recovers them, and claims four times as many.
    assert_eq!(recovered, [0, 16, 80, 4]);
    assert_same(&author, &device);
    let (result, progress) = named("relay", 5, None, &mut device, &mut at_relay, &mut relay);
    assert!(result.is_converged() && bytes(&progress) < 300, "{result:?} {progress:?}");
}

#[cfg(feature = "sqlite")]
mod restart {
    use super::*;

    /// More copies in doubt than a session may claim, in more than one answer.
    #[test]
    fn copies_that_come_in_several_answers_are_remembered_in_the_file() {
        const FORGED: u64 = 2_000;
        let directory = tempfile::tempdir().unwrap();
        // The newest come first, so the last answer brings forged ones.
        let mut relay = blind(&forged(&written("alice", 0, FORGED)));
        give(&mut relay, &written("alice", FORGED, 50));
        let mut at_relay = responder();
        for (number, expected) in [(1, FORGED + 50), (2, 0), (3, 0)] {
            let path = directory.path().join("log");
            let mut device = Replica::open(knowing(&["alice"]).guard_revision(1).path(path, NOW)).unwrap();
            let options = SyncOptions::new().peer("relay").max_message_bytes(64 << 10);
            let mut session = SyncSession::new(options, [number; 16]);
            let (_, progress) = run(&mut session, &mut device, &mut at_relay, &mut relay, NOW).unwrap();
            assert_eq!(progress.received.total(), expected, "session {number}");
            assert!(number > 1 || progress.round_trips > 3, "{progress:?}");
        }
    }

    /// An author of the log whose key is not registered any more, and more operations than a session would hash if their
    /// names were long.
    #[test]
    fn new_operations_of_an_author_whose_key_is_gone_are_transferred_once() {
        const NEW: u64 = 4_100;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let old = written("bob", 0, 10);
        // What is sealed is opened without the keys.
        let open = |names: &[&str]| {
            let options = knowing(names).guard_revision(1).seal_key([5; 32]);
            Replica::open(options.path(&path, NOW)).unwrap()
        };
        give(&mut open(&["alice", "bob"]), &old);
        let mut relay = blind(&old);
        give(&mut relay, &written("bob", 10, NEW));
        let strangers: Vec<String> = (0..300).map(|number| format!("stranger {number}")).collect();
        let names: Vec<&str> = strangers.iter().map(String::as_str).chain(["alice"]).collect();
        // A filter that names the accepted actors, and one that names the others.
        for (first, names) in [(1, &["alice"][..]), (3, &names)] {
            let mut device = open(names);
            let mut at_relay = responder();
            for (number, expected) in [(first, NEW), (first + 1, 0)] {
                let (result, progress) = named("relay", number, None, &mut device, &mut at_relay, &mut relay);
                assert_eq!(except(result).2.unknown_key, NEW);
                assert_eq!(progress.received.refused.unknown_key, expected);
            }
        }
    }

    #[test]
    fn what_was_refused_is_remembered_in_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let mut relay = blind(&written("bob", 0, 300));
        give(&mut relay, &written("alice", 0, 50));
        give(&mut relay, &forged(&written("alice", 1000, 200)));
        let mut at_relay = responder();
        let open = |revision: Option<u64>| {
            let options = revision.into_iter().fold(deny_bob(), ReplicaOptions::guard_revision);
            Replica::open(options.path(&path, NOW)).unwrap()
        };
        let mut first = open(Some(1));
        let (_, progress) = named("relay", 1, None, &mut first, &mut at_relay, &mut relay);
        assert_eq!(progress.received.refused.total(), 500);
        drop(first);
        let mut session = |number, revision| {
            let mut device = open(revision);
            let (result, progress) = named("relay", number, None, &mut device, &mut at_relay, &mut relay);
            let refused = except(result).2;
            assert_eq!((refused.denied, refused.bad_signature), (300, 200));
            progress
        };
        let progress = session(2, Some(1));
        assert_eq!(progress.received.total(), 0);
        assert!(bytes(&progress) < 4096, "{progress:?}");
        // Another guard may admit what was denied, and so may a guard that says nothing of its rules.
        assert_eq!(session(3, Some(2)).received.refused.total(), 500);
        assert_eq!(session(4, Some(2)).received.refused.total(), 0);
        assert_eq!(session(5, None).received.refused.total(), 500);
        assert_eq!(session(6, None).received.refused.total(), 500);
        // A replica that only reads uses what is there, and keeps nothing.
        let mut reading = Replica::open(deny_bob().guard_revision(2).path_read_only(&path, NOW)).unwrap();
        let mut session = SyncSession::new(SyncOptions::new().peer("relay"), [7; 16]);
        let request = session.next_message(&reading).unwrap().unwrap();
        let answer = at_relay.respond(&mut relay, NOW, &request).unwrap().message;
        session.receive(&mut reading, NOW, &answer).unwrap();
    }
}
