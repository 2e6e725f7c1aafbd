//! Bytes as the messages of a peer: requests, answers and pushed messages.
//!
//! Answers are the first one, or follow an honest greeting. Only signed operations get in, no operation is lost, and
//! honest sides can continue.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use policysync::sync::{Push, SessionResult};
use policysync::{Replica, Responder, SyncError, SyncOptions, SyncSession};
use policysync_fuzz::sync::{base, nonce, ours, responder, session, theirs};
use policysync_fuzz::{Input, NOW, check_error, check_fold, hashes};

/// The two sides at the start of every input.
struct Sides {
    ours: Replica,
    theirs: Replica,
}

thread_local! {
    static SIDES: RefCell<Option<Sides>> = const { RefCell::new(None) };
}

fuzz_target!(|data: &[u8]| {
    let Sides { mut ours, mut theirs } =
        SIDES.take().unwrap_or_else(|| Sides { ours: ours(), theirs: theirs() });
    let before = (hashes(&ours), hashes(&theirs));
    let mut input = Input::new(data);
    match input.byte() % 4 {
        0 => requests(&mut input, &mut theirs),
        1 => answers(&mut input, &mut ours, session()),
        2 => {
            let mut session = session();
            let request = session.next_message(&ours).expect("the first message").expect("a greeting");
            let reply = responder().respond(&mut theirs, NOW, &request).expect("an honest request");
            session.receive(&mut ours, NOW, &reply.message).expect("an honest answer");
            answers(&mut input, &mut ours, session);
        }
        _ => pushes(&mut input, &mut ours),
    }
    for (replica, before) in [(&ours, &before.0), (&theirs, &before.1)] {
        let after = hashes(replica);
        assert!(after.is_superset(before), "something is lost");
        assert!(after.is_subset(policysync_fuzz::sync::signed()), "something is there that nobody signed");
        if after.len() > before.len() {
            check_fold(replica);
        }
    }
    // Unchanged sides are reused for the next input.
    if hashes(&ours) == before.0 && hashes(&theirs) == before.1 {
        SIDES.set(Some(Sides { ours, theirs }));
    }
});

fn requests(input: &mut Input<'_>, replica: &mut Replica) {
    let mut responder = responder();
    while !input.is_empty() {
        match responder.respond(replica, NOW, input.long_piece()) {
            Ok(reply) => assert!(!reply.message.is_empty()),
            Err(error) => {
                check_error(&error);
                assert!(!error.to_alert().is_empty());
            }
        }
    }
}

fn answers(input: &mut Input<'_>, replica: &mut Replica, mut session: SyncSession) {
    loop {
        match session.next_message(replica) {
            Ok(Some(_)) => {}
            Ok(None) => {
                assert!(session.result().is_some());
                return after(session.result(), replica);
            }
            Err(error) => {
                check_error(&error);
                return;
            }
        }
        loop {
            if input.is_empty() {
                return;
            }
            match session.receive(replica, NOW, input.long_piece()) {
                Ok(_) => break,
                Err(SyncError::Stray) => {}
                Err(error) => {
                    check_error(&error);
                    assert!(matches!(session.next_message(replica), Err(SyncError::Ended)));
                    return;
                }
            }
        }
    }
}

/// Checks that a converged session gives a state from which the next session can resume.
fn after(finish: Option<&SessionResult>, replica: &Replica) {
    if let Some(SessionResult::Converged { resume: Some(token), .. }) = finish {
        let options = SyncOptions::new().resume(token.clone());
        let mut next = SyncSession::new(options, nonce(2));
        assert!(next.next_message(replica).expect("the first message").is_some());
    }
}

fn pushes(input: &mut Input<'_>, replica: &mut Replica) {
    let mut push = Push::after(base(replica), &SyncOptions::new());
    while !input.is_empty() {
        if let Err(error) = push.receive(replica, NOW, input.long_piece()) {
            check_error(&error);
        }
    }
    assert_eq!(push.next_message(replica), Ok(None), "what the peer sent goes back to it");
    drop(
        Responder::new([0; 32], SyncOptions::new())
            .push_after(replica, [0; policysync::sync::ResumeToken::ID_BYTES]),
    );
}
