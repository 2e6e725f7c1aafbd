//! Tests of operations with a forged signature at a relay that does not verify.

use policysync::crypto::{KeyPair, Signature};
use policysync::keys::sign_op;
use policysync::sync::SessionResult;
use policysync::{
    KeyRegistry, Replica, ReplicaOptions, SignedOp, SigningPublicKey, SigningSecretKey, SyncOptions,
    SyncSession,
};

use crate::common::{NOW, crypto, reader, set};
use crate::link::{assert_same, blind, give, responder, run, session, sync};

#[test]
fn a_forged_copy_at_a_blind_relay_does_not_lock_out_the_genuine_one() {
    let genuine = set("alice", 1_700_000_000_000, 0, "p", "genuine");
    let forged = SignedOp::new(genuine.op().clone(), genuine.kid(), Signature::from_bytes([9; 64])).unwrap();
    // The forged copy arrives first. The relay cannot tell.
    let mut relay = blind(&[forged]);
    let mut alice = reader(&["alice"]);
    give(&mut alice, &[genuine]);
    let mut bob = reader(&["alice"]);
    let mut at_relay = responder();

    // The relay seems to have alice's operation already.
    let (result, _) = run(&mut session(1), &mut alice, &mut at_relay, &mut relay, NOW).unwrap();
    assert!(result.is_converged());
    // Bob refuses the forged copy, and tells the relay.
    let (result, _) = run(&mut session(2), &mut bob, &mut at_relay, &mut relay, NOW).unwrap();
    let SessionResult::ConvergedExcept { refused, count, resume, .. } = result else { panic!("{result:?}") };
    assert_eq!((refused.bad_signature, refused.total(), count, bob.log().len()), (1, 1, 0, 0));
    // The relay asks alice for her copy.
    let (result, _) = run(&mut session(3), &mut alice, &mut at_relay, &mut relay, NOW).unwrap();
    assert!(result.is_converged());
    // Bob receives both, and keeps the copy that alice signed.
    let mut again = SyncSession::new(SyncOptions::new().resume(resume.unwrap()), [4; 16]);
    let (result, progress) = run(&mut again, &mut bob, &mut at_relay, &mut relay, NOW).unwrap();
    assert!(result.is_converged(), "{result:?}");
    assert_eq!((progress.received.new_ops(), bob.log().len()), (1, 1));
    assert_same(&alice, &bob);
}

#[test]
fn a_blind_relay_asks_for_alternates_in_its_own_sessions_too() {
    let genuine = set("alice", 1_700_000_000_000, 0, "p", "genuine");
    let forged = SignedOp::new(genuine.op().clone(), genuine.kid(), Signature::from_bytes([9; 64])).unwrap();
    let mut relay = blind(&[forged]);
    let mut alice = reader(&["alice"]);
    give(&mut alice, &[genuine]);
    let mut bob = reader(&["alice"]);
    for _ in 0..2 {
        sync(&mut relay, &mut bob, NOW);
        sync(&mut relay, &mut alice, NOW);
    }
    let (result, _) = sync(&mut relay, &mut bob, NOW);
    assert!(result.is_converged(), "{result:?}");
    assert_same(&alice, &bob);
}

/// A peer that refused the relay's copy lacks the operation, whatever both remember of that session.
#[test]
fn a_genuine_copy_that_a_blind_initiator_finds_later_reaches_a_peer_that_refused_the_forged_one() {
    let genuine = set("alice", 1_700_000_000_000, 0, "p", "genuine");
    let forged = SignedOp::new(genuine.op().clone(), genuine.kid(), Signature::from_bytes([9; 64])).unwrap();
    for name in [None, Some("bob")] {
        let mut relay = blind(std::slice::from_ref(&forged));
        let (mut alice, mut bob) = (reader(&["alice"]), reader(&["alice"]));
        give(&mut alice, std::slice::from_ref(&genuine));
        let (mut at_alice, mut at_bob) = (responder(), responder());
        let options = || name.into_iter().fold(SyncOptions::new(), SyncOptions::peer);
        let mut with_bob = |number: u8, options: SyncOptions, relay: &mut Replica| {
            let mut session = SyncSession::new(options, [number; 16]);
            run(&mut session, relay, &mut at_bob, &mut bob, NOW).unwrap().0
        };
        let mut result = with_bob(1, options(), &mut relay);
        // Nothing has changed, so nothing is sent again to a peer with a name.
        for number in 2..4 {
            let SessionResult::ConvergedExcept { refused_by_peer, resume, .. } = result else {
                panic!("{result:?}");
            };
            assert_eq!((refused_by_peer.bad_signature, refused_by_peer.total()), (1, 1));
            result = with_bob(number, options().resume(resume.unwrap()), &mut relay);
        }
        // The relay asks alice for her copy.
        run(&mut session(4), &mut relay, &mut at_alice, &mut alice, NOW).unwrap();
        let token = result.resume_token().cloned().unwrap();
        let result = with_bob(5, options().resume(token), &mut relay);
        assert!(result.is_converged(), "{name:?}: {result:?}");
        assert_same(&alice, &bob);
    }
}

/// Whoever says that a copy is genuine cannot prove it to a relay that does not verify, as little as one who says that it
/// is forged.
#[test]
fn one_statement_does_not_clear_the_doubts_of_several() {
    let genuine = set("alice", 1_700_000_000_000, 0, "p", "genuine");
    // Mallory has another key for alice, under the same kid.
    let other = SigningSecretKey::new("alice", KeyPair::from_seed(&[5; 32]).unwrap()).unwrap();
    let signature = *sign_op(&crypto(), genuine.op().clone(), &other).unwrap().signature();
    let forged = SignedOp::new(genuine.op().clone(), genuine.kid(), signature).unwrap();
    let wrong = SigningPublicKey::with_kid("alice", genuine.kid(), *other.public_key().public_key()).unwrap();
    let mut relay = blind(std::slice::from_ref(&forged));
    let mut at_relay = responder();
    for number in 1..4 {
        let mut bob = reader(&["alice"]);
        let (result, _) = run(&mut session(number), &mut bob, &mut at_relay, &mut relay, NOW).unwrap();
        assert!(matches!(result, SessionResult::ConvergedExcept { .. }), "{result:?}");
    }
    for number in 4..6 {
        let mut keys = KeyRegistry::new();
        keys.register(wrong.clone()).unwrap();
        let mut mallory = Replica::open(ReplicaOptions::new().keys(keys)).unwrap();
        give(&mut mallory, std::slice::from_ref(&forged));
        run(&mut session(number), &mut mallory, &mut at_relay, &mut relay, NOW).unwrap();
    }
    let mut alice = reader(&["alice"]);
    give(&mut alice, &[genuine]);
    let (_, progress) = run(&mut session(6), &mut alice, &mut at_relay, &mut relay, NOW).unwrap();
    assert!(progress.op_bytes_sent > 0, "{progress:?}");
    let mut bob = reader(&["alice"]);
    run(&mut session(7), &mut bob, &mut at_relay, &mut relay, NOW).unwrap();
    assert_same(&alice, &bob);
}

/// Of two relays that do not verify, one has found the genuine copy, and the other knows that its own is in doubt.
#[test]
fn a_genuine_copy_goes_from_one_blind_relay_to_another() {
    let genuine = set("alice", 1_700_000_000_000, 0, "p", "genuine");
    let forged = SignedOp::new(genuine.op().clone(), genuine.kid(), Signature::from_bytes([9; 64])).unwrap();
    let relay = || blind(std::slice::from_ref(&forged));
    let (mut first, mut second) = (relay(), relay());
    let (mut at_first, mut at_second) = (responder(), responder());
    let mut alice = reader(&["alice"]);
    give(&mut alice, &[genuine]);
    for (relay, at_relay) in [(&mut first, &mut at_first), (&mut second, &mut at_second)] {
        run(&mut session(1), &mut reader(&["alice"]), at_relay, relay, NOW).unwrap();
    }
    run(&mut session(2), &mut alice, &mut at_first, &mut first, NOW).unwrap();
    run(&mut session(3), &mut second, &mut at_first, &mut first, NOW).unwrap();
    let mut bob = reader(&["alice"]);
    run(&mut session(4), &mut bob, &mut at_second, &mut second, NOW).unwrap();
    assert_same(&alice, &bob);
}
