//! Tests of sessions with a peer of another version.

use policysync::sync::{Push, SessionResult};
use policysync::{Replica, Responder, SyncOptions, SyncSession};

use crate::common::{NOW, key, knowing};
use crate::link::{assert_same, respond_in_version_1, responder};

/// Runs a session with a peer of version 1. Returns its result, and the versions of its requests.
fn with_version_1(
    options: SyncOptions,
    ours: &mut Replica,
    responder: &mut Responder,
    theirs: &mut Replica,
) -> (SessionResult, Vec<u8>) {
    let mut session = SyncSession::new(options, [7; 16]);
    let mut versions = Vec::new();
    while let Some(request) = session.next_message(ours).unwrap() {
        versions.push(request[1]);
        let answer = respond_in_version_1(responder, theirs, NOW, &request).unwrap();
        session.receive(ours, NOW, &answer).unwrap();
    }
    (session.result().cloned().unwrap(), versions)
}

fn two() -> (Replica, Replica) {
    let open = |actor| Replica::open(knowing(&["alice", "bob"]).write_as(key(actor))).unwrap();
    let (mut ours, mut theirs) = (open("alice"), open("bob"));
    ours.set(NOW, ("Task", "t1", "title"), "a").unwrap();
    theirs.set(NOW, ("Task", "t2", "title"), "b").unwrap();
    (ours, theirs)
}

#[test]
fn a_session_falls_back_to_version_1_and_its_token_remembers_it() {
    let (mut ours, mut theirs) = two();
    let mut responder = responder();
    let (result, versions) = with_version_1(SyncOptions::new(), &mut ours, &mut responder, &mut theirs);
    let SessionResult::Converged { resume: Some(token), .. } = result else { panic!("{result:?}") };
    assert_eq!(versions[..2], [2, 1]);
    assert!(versions[1..].iter().all(|version| *version == 1));
    assert_same(&ours, &theirs);

    // The next session and a push speak version 1 from the start.
    let options = SyncOptions::new().resume(token);
    let (result, versions) = with_version_1(options, &mut ours, &mut responder, &mut theirs);
    let SessionResult::Converged { resume: Some(token), .. } = result else { panic!("{result:?}") };
    assert_eq!(versions, [1]);
    let mut down = responder.push_after(&theirs, token.id()).unwrap();
    let mut up = Push::after(token, &SyncOptions::new());
    ours.set(NOW, ("Task", "t3", "title"), "c").unwrap();
    let message = up.next_message(&ours).unwrap().unwrap();
    assert_eq!(message[1], 1);
    down.receive(&mut theirs, NOW, &message).unwrap();
    assert_same(&ours, &theirs);
}

#[test]
fn the_version_of_a_named_peer_is_remembered_and_the_newest_tried_again_later() {
    let (mut ours, mut theirs) = two();
    let mut responder = responder();
    let mut began = Vec::new();
    for _ in 0..20 {
        let options = SyncOptions::new().peer("https://relay.example");
        let (result, versions) = with_version_1(options, &mut ours, &mut responder, &mut theirs);
        assert!(result.is_converged());
        began.push(versions[0]);
    }
    let tried: Vec<usize> = (0..20).filter(|at| began[*at] == 2).collect();
    assert_eq!(tried, [0, 16]);
    // Another peer is not affected.
    let options = SyncOptions::new().peer("https://other.example");
    let (_, versions) = with_version_1(options, &mut ours, &mut responder, &mut theirs);
    assert_eq!(versions[0], 2);
}
