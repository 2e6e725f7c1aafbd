//! Tests of operations with a forged signature at a relay that does not verify.

use policysync::crypto::Signature;
use policysync::sync::SessionResult;
use policysync::{SignedOp, SyncOptions, SyncSession};

use crate::common::{NOW, reader, set};
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
