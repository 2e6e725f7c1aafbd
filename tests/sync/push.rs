//! Tests of pushes.

use policysync::sync::{Push, ResumeToken, SessionResult};
use policysync::{Replica, SyncOptions};

use crate::common::{NOW, key, knowing};
use crate::link::{assert_same, responder, run, session};

#[test]
fn new_operations_are_pushed_both_ways_after_a_session() {
    let mut ours = Replica::open(knowing(&["alice", "bob"]).write_as(key("alice"))).unwrap();
    let mut theirs = Replica::open(knowing(&["alice", "bob"]).write_as(key("bob"))).unwrap();
    ours.set(NOW, ("Task", "t1", "title"), "a").unwrap();
    let mut responder = responder();
    let (result, _) = run(&mut session(1), &mut ours, &mut responder, &mut theirs, NOW).unwrap();
    let SessionResult::Converged { resume: Some(token), .. } = result else { panic!("{result:?}") };
    let mut down = responder.push_after(&theirs, token.id()).unwrap();
    let mut up = Push::after(token, &SyncOptions::new());
    assert_eq!(up.next_message(&ours), Ok(None));
    assert_eq!(down.next_message(&theirs), Ok(None));
    for n in 0..10 {
        ours.set(NOW, ("Task", &format!("a{n}"), "title"), "a").unwrap();
        let message = up.next_message(&ours).unwrap().unwrap();
        assert_eq!(down.receive(&mut theirs, NOW, &message).unwrap().new_ops(), 1);
        // An operation from the peer is not sent back.
        assert_eq!(down.next_message(&theirs), Ok(None));
        theirs.set(NOW, ("Task", &format!("b{n}"), "title"), "b").unwrap();
        let message = down.next_message(&theirs).unwrap().unwrap();
        assert_eq!(up.receive(&mut ours, NOW, &message).unwrap().new_ops(), 1);
        assert_eq!(up.next_message(&ours), Ok(None));
    }
    assert_same(&ours, &theirs);
    assert_eq!(responder.push_after(&theirs, [0; ResumeToken::ID_BYTES]).map(|_| ()), None);
    assert!(down.receive(&mut theirs, NOW, b"").is_err());
}

/// A push knows no limit of the peer, so it keeps to the lowest possible.
#[test]
fn a_push_is_short_enough_for_every_peer() {
    let mut ours = Replica::open(knowing(&["alice"]).write_as(key("alice"))).unwrap();
    let mut theirs = Replica::open(knowing(&["alice"])).unwrap();
    let mut responder = responder();
    let (result, _) = run(&mut session(1), &mut ours, &mut responder, &mut theirs, NOW).unwrap();
    let SessionResult::Converged { resume: Some(token), .. } = result else { panic!("{result:?}") };
    let mut down = responder.push_after(&theirs, token.id()).unwrap();
    let mut up = Push::after(token, &SyncOptions::new().max_message_bytes(16 << 20));
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
