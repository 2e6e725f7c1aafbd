//! The library's messages, read by the speaker of the protocol.

use crate::common::{NOW, delete, reader, set};
use crate::link::{give, responder, session};
use crate::speaker::{Answer, Request};

/// Every message of honest sides is read, and written again to the same bytes, by a reader and a writer that know only
/// the manual.
#[test]
fn messages_are_as_the_manual_says() {
    let (mut ours, mut theirs) = (reader(&["alice", "bob"]), reader(&["alice", "bob", "carol"]));
    let t = NOW.0 - 1_000_000;
    for n in 0..300 {
        let actor = if n % 7 == 0 { "bob" } else { "alice" };
        let op = set(actor, t + n, 0, &format!("p{}", n % 5), "x");
        let sides = [(n % 3 != 0, &mut ours), (n % 4 != 0, &mut theirs)];
        sides.into_iter().filter(|(has, _)| *has).for_each(|(_, side)| give(side, std::slice::from_ref(&op)));
    }
    give(&mut theirs, &[set("carol", t, 9, "p", "x"), delete("bob", t + 5, 1, "p1")]);
    let (mut session, mut responder) = (session(1), responder());
    let mut messages = 0;
    while let Some(request) = session.next_message(&ours).unwrap() {
        assert_eq!(Request::read(&request, None).unwrap().write(), request);
        let answer = responder.respond(&mut theirs, NOW, &request).unwrap().message;
        assert_eq!(Answer::read(&answer, None).unwrap().write(), answer);
        session.receive(&mut ours, NOW, &answer).unwrap();
        messages += 2;
    }
    assert!(messages >= 6, "{messages}");
    assert_eq!(ours.log().len() + 1, theirs.log().len());
}
