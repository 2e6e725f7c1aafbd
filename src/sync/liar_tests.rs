//! Responders that lie, one way each: the session ends within its bound, with a clear error or an honest end.

use super::base::BaseId;
use super::bound::Bound;
use super::error::{Lie, SyncError};
use super::limits::{MAX_RANGES, MIN_MESSAGE_BYTES, max_idle_rounds};
use super::message::{Ack, Body, Phase, Request, Resume, Welcome, read_request, room_for_ops, write_answer};
use super::ops::OpWriter;
use super::options::SyncOptions;
use super::prf;
use super::progress::Finish;
use super::ranges::{RangeWriter, Said};
use super::session::SyncSession;
use super::wire::wide;
use crate::codec::OpHash;
use crate::crypto::{KeyPair, Signature};
use crate::hlc::{Hlc, WallMillis};
use crate::keys::SigningSecretKey;
use crate::op::{Op, OpSeq, SignedOp};
use crate::replica::{Replica, ReplicaOptions};

const NOW: WallMillis = WallMillis(1_760_000_000_000);
const OURS: u32 = 500;

/// An answer before a liar has had its way with it: greets, takes everything, says nothing.
struct Draft {
    welcome: Option<Welcome>,
    ack: Ack,
    resume: Option<Resume>,
    doubts: Vec<OpHash>,
    ranges: Vec<(Bound, Bound, Said)>,
    ops: Vec<SignedOp>,
}

impl Draft {
    fn of(request: &Request<'_>) -> Self {
        let welcome = matches!(request.head.phase, Phase::Hello(_)).then_some(Welcome {
            nonce: [2; 16],
            cursor: OpSeq::new(700),
            based: false,
            count: 700,
            total: 1,
            limit: MIN_MESSAGE_BYTES,
        });
        let ack = Ack { accepted: wide(request.ops.len()), ..Ack::default() };
        Self { welcome, ack, resume: None, doubts: Vec::new(), ranges: Vec::new(), ops: Vec::new() }
    }

    fn answer(self, request: &Request<'_>) -> Vec<u8> {
        let mut ranges = RangeWriter::new();
        for (low, high, said) in &self.ranges {
            ranges.push(low, high, said);
        }
        let mut ops = OpWriter::new(room_for_ops(MIN_MESSAGE_BYTES));
        self.ops.iter().for_each(|op| assert!(ops.push(op.as_ref())));
        let body = Body { doubts: self.doubts, ranges, ops };
        write_answer(&request.head, self.welcome.as_ref(), &self.ack, self.resume.as_ref(), body)
    }
}

/// A replica that holds 500 operations of its own.
fn ours() -> Replica {
    let key = SigningSecretKey::new("alice", KeyPair::from_seed(&[7; 32]).unwrap()).unwrap();
    let mut replica = Replica::open(ReplicaOptions::new().write_as(key)).unwrap();
    for n in 0..OURS {
        replica
            .set(WallMillis(NOW.0 + u64::from(n)), "Task", "t1", "title", f64::from(n).to_string())
            .unwrap();
    }
    replica
}

fn junk(number: u64) -> SignedOp {
    let op = Op::lww_set("alice", Hlc::new(number, 0).unwrap(), "E", "i", "p", "junk").unwrap();
    let derived = crate::keys::derived_kid(&KeyPair::from_seed(&[7; 32]).unwrap().public_key());
    SignedOp::new(op, &derived, Signature::from_bytes([9; 64])).unwrap()
}

/// Runs a session against a liar; returns the number of answers and how it ended.
fn against(
    options: SyncOptions,
    mut lie: impl FnMut(u64, &Request<'_>, &mut Draft),
) -> (u32, Result<Finish, SyncError>) {
    let mut replica = ours();
    let held = replica.log().digest();
    let mut session = SyncSession::new(options, [1; 16]);
    let mut answers = 0;
    let end = loop {
        let request = match session.next_message(&replica) {
            Ok(Some(request)) => request,
            Ok(None) => break Ok(session.finish().unwrap().clone()),
            Err(error) => break Err(error),
        };
        assert!(request.len() <= MIN_MESSAGE_BYTES);
        let tag = prf::space_tag(replica.crypto(), None);
        let request = read_request(&request, None, &tag).unwrap();
        let mut draft = Draft::of(&request);
        lie(request.head.round, &request, &mut draft);
        let answer = draft.answer(&request);
        answers += 1;
        if let Err(error) = session.receive(&mut replica, NOW, &answer) {
            break Err(error);
        }
        assert!(answers < 5000, "it does not end");
    };
    // Nothing is lost, and nothing came in that nobody signed.
    assert_eq!(replica.log().digest(), held);
    (answers, end)
}

/// Every range that the request speaks of, or everything.
fn asked(request: &Request<'_>) -> Vec<(Bound, Bound)> {
    match request.head.phase {
        Phase::Hello(_) => vec![(Bound::start(), Bound::End)],
        Phase::Later { .. } => {
            request.ranges.iter().map(|ranged| (ranged.low.clone(), ranged.high.clone())).collect()
        }
    }
}

fn assert_gives_up((answers, end): (u32, Result<Finish, SyncError>)) {
    let limit = max_idle_rounds(700);
    assert_eq!(end, Err(SyncError::NoProgress { limit }));
    assert!(answers <= 2 * limit, "{answers} answers");
}

fn assert_not_converged((answers, end): (u32, Result<Finish, SyncError>)) {
    assert!(matches!(end, Ok(Finish::NotConverged { .. })), "{end:?}");
    assert!(answers <= 3, "{answers} answers");
}

fn assert_lie((answers, end): (u32, Result<Finish, SyncError>), lie: Lie) {
    assert_eq!(end, Err(SyncError::Lie(lie)));
    assert!(answers <= 3, "{answers} answers");
}

#[test]
fn fingerprints_that_never_fit() {
    let mut salt = 0_u64;
    assert_gives_up(against(SyncOptions::new(), |_, request, draft| {
        for (low, high) in asked(request) {
            salt += 1;
            draft.ranges.push((low, high, Said::Print { count: 1000, print: salt.to_le_bytes() }));
        }
    }));
}

/// What brings something new may go on. It goes on for as long as there is something, and keeps no more to speak of
/// than one answer can hold.
#[test]
fn splits_without_end_each_with_an_operation_that_is_genuine() {
    const FED: u64 = 60;
    let mallory = SigningSecretKey::new("mallory", KeyPair::from_seed(&[8; 32]).unwrap()).unwrap();
    let mut replica = ours();
    replica.keys_mut().register(mallory.public_key().clone()).unwrap();
    let mut session = SyncSession::new(SyncOptions::new(), [1; 16]);
    let mut salt = 0_u64;
    let mut answers = 0;
    let end = loop {
        let request = match session.next_message(&replica) {
            Ok(Some(request)) => request,
            Ok(None) => break Ok(session.finish().unwrap().clone()),
            Err(error) => break Err(error),
        };
        let tag = prf::space_tag(replica.crypto(), None);
        let request = read_request(&request, None, &tag).unwrap();
        let mut draft = Draft::of(&request);
        // As many parts as fit, at times that nobody has written at.
        let parts: Vec<Bound> = (1..2000).map(|part| Bound::at_time(answers * 2000 + part)).collect();
        for (low, high) in asked(&request) {
            let mut low = low;
            let within =
                parts.partition_point(|part| *part <= low)..parts.partition_point(|part| *part < high);
            for bound in parts[within].iter().chain([&high]) {
                salt += 1;
                let said = Said::Print { count: 1000, print: salt.to_le_bytes() };
                draft.ranges.push((std::mem::replace(&mut low, bound.clone()), bound.clone(), said));
            }
        }
        if answers < FED {
            let ts = Hlc::new(1_000_000 + answers, 0).unwrap();
            let op = Op::lww_set("mallory", ts, "E", "i", "p", "x").unwrap();
            draft.ops.push(crate::keys::sign_op(&replica.crypto(), op, &mallory).unwrap());
        }
        answers += 1;
        let answer = draft.answer(&request);
        if let Err(error) = session.receive(&mut replica, NOW, &answer) {
            break Err(error);
        }
        assert!(session.to_say() <= 2 * MAX_RANGES, "{} ranges are kept", session.to_say());
    };
    let limit = max_idle_rounds(700);
    assert_eq!(end, Err(SyncError::NoProgress { limit }));
    assert!(answers <= FED + u64::from(2 * limit), "{answers} answers");
    assert_eq!(wide(replica.log().len()), u64::from(OURS) + FED);
}

#[test]
fn a_claim_to_have_the_same() {
    // The right number, and a sum that it cannot know; then silence, as if all ranges were the same.
    assert_not_converged(against(SyncOptions::new(), |_, _, draft| {
        if let Some(welcome) = &mut draft.welcome {
            (welcome.count, welcome.cursor) = (OURS.into(), OpSeq::new(OURS));
        }
    }));
    // The same for nothing at all.
    assert_not_converged(against(SyncOptions::new(), |_, _, draft| {
        if let Some(welcome) = &mut draft.welcome {
            (welcome.count, welcome.cursor, welcome.total) = (0, OpSeq::FIRST, 5);
        }
    }));
}

#[test]
fn a_claim_to_have_more_than_can_be() {
    assert_not_converged(against(SyncOptions::new(), |_, _, draft| {
        if let Some(welcome) = &mut draft.welcome {
            (welcome.count, welcome.cursor) = (u64::MAX, OpSeq::new(u32::MAX));
        }
    }));
}

#[test]
fn ids_that_are_never_delivered() {
    let (answers, end) = against(SyncOptions::new(), |round, request, draft| {
        for (at, (low, high)) in asked(request).into_iter().enumerate() {
            let ids = (0..32_u64).map(|id| (id + round * 1000 + wide(at) * 50).to_le_bytes()).collect();
            draft.ranges.push((low, high, Said::Ids(ids)));
        }
    });
    assert!(matches!(end, Err(SyncError::NoProgress { .. }) | Ok(Finish::NotConverged { .. })), "{end:?}");
    assert!(answers <= 2 * max_idle_rounds(700), "{answers}");
}

#[test]
fn the_same_ids_again_and_again() {
    assert_gives_up(against(SyncOptions::new(), |_, request, draft| {
        draft
            .ranges
            .extend(asked(request).into_iter().map(|(low, high)| (low, high, Said::Ids(vec![[1; 8]]))));
    }));
}

#[test]
fn come_back_to_everything() {
    assert_gives_up(against(SyncOptions::new(), |_, _, draft| {
        draft.resume = Some(Resume { from: Bound::start(), done: 0 });
    }));
}

#[test]
fn one_junk_operation_an_answer() {
    assert_gives_up(against(SyncOptions::new(), |round, _, draft| {
        draft.ops.push(junk(round));
        draft.resume = Some(Resume { from: Bound::start(), done: 0 });
    }));
}

#[test]
fn junk_by_the_thousand() {
    let (answers, end) = against(SyncOptions::new(), |round, _, draft| {
        draft.ops.extend((0..2048).map(|n| {
            SignedOp::new(junk(n + round * 2048).op().clone(), "nobody's", Signature::from_bytes([9; 64]))
                .unwrap()
        }));
        draft.resume = Some(Resume { from: Bound::start(), done: 0 });
    });
    assert!(matches!(end, Err(SyncError::TooManyRefused { .. })), "{end:?}");
    assert_eq!(answers, 33);
}

#[test]
fn the_same_junk_again_and_again() {
    let (answers, end) = against(SyncOptions::new(), |_, _, draft| {
        draft.ops.extend((0..256).map(junk));
        draft.resume = Some(Resume { from: Bound::start(), done: 0 });
    });
    assert!(matches!(end, Err(SyncError::TooManyRefused { .. })), "{end:?}");
    assert_eq!(answers, 257);
}

#[test]
fn a_range_that_was_not_asked_for() {
    let lie = |_: u64, request: &Request<'_>, draft: &mut Draft| {
        if draft.welcome.is_none() && asked(request).len() > 1 {
            // Both ends are there, and what is between was not asked in one piece.
            draft.ranges.push((Bound::start(), Bound::End, Said::Ids(Vec::new())));
        }
    };
    assert_lie(against(SyncOptions::new(), lie), Lie::Range);
}

#[test]
fn more_wishes_than_operations() {
    let lie = |_: u64, _: &Request<'_>, draft: &mut Draft| {
        draft.ranges.push((Bound::start(), Bound::End, Said::Wants(vec![true; 501])));
    };
    assert_lie(against(SyncOptions::new(), lie), Lie::Places { found: 501, expected: 500 });
}

#[test]
fn an_answer_for_operations_that_were_not_sent() {
    let lie = |_: u64, _: &Request<'_>, draft: &mut Draft| draft.ack.known += 1;
    assert_lie(against(SyncOptions::new(), lie), Lie::Answers { found: 1, expected: 0 });
}

#[test]
fn no_greeting_and_two() {
    assert_lie(against(SyncOptions::new(), |_, _, draft| draft.welcome = None), Lie::Greeting);
    let mut first = None;
    let twice = |_: u64, _: &Request<'_>, draft: &mut Draft| {
        first = first.or(draft.welcome);
        draft.welcome = first;
    };
    assert_lie(against(SyncOptions::new(), twice), Lie::Greeting);
}

#[test]
fn a_base_that_was_not_offered_and_a_limit_under_the_least() {
    let based = |_: u64, _: &Request<'_>, draft: &mut Draft| draft.welcome.as_mut().unwrap().based = true;
    assert_lie(against(SyncOptions::new(), based), Lie::Base);
    let small = |_: u64, _: &Request<'_>, draft: &mut Draft| {
        draft.welcome.as_mut().unwrap().limit = MIN_MESSAGE_BYTES - 1;
    };
    assert_lie(against(SyncOptions::new(), small), Lie::Limit);
}

#[test]
fn everything_in_doubt_is_sent_once() {
    let replica = ours();
    let all: Vec<OpHash> = replica.log().iter().map(|entry| entry.unwrap().hash).collect();
    let mut sent = 0;
    let (answers, end) = against(SyncOptions::new(), |_, request, draft| {
        sent += request.ops.len();
        draft.doubts = all.iter().take(super::limits::MAX_DOUBTS).copied().collect();
    });
    assert!(matches!(end, Ok(Finish::NotConverged { .. })), "{end:?}");
    assert!(answers < 6, "{answers}");
    assert_eq!(sent, super::limits::MAX_DOUBTS);
}

#[test]
fn an_operation_slipped_into_anothers_session_is_not_hidden_from_it() {
    use super::message::{RequestHead, write_request};
    use super::responder::Responder;
    let (mut alice, mut relay) = (ours(), ours());
    let mallory = SigningSecretKey::new("mallory", KeyPair::from_seed(&[8; 32]).unwrap()).unwrap();
    for replica in [&mut alice, &mut relay] {
        replica.keys_mut().register(mallory.public_key().clone()).unwrap();
    }
    alice.set(NOW, "Task", "t2", "title", "new").unwrap();
    let mut responder = Responder::new([3; 32], SyncOptions::new());
    let mut converge = |alice: &mut Replica, relay: &mut Replica, options, slip: Option<&SignedOp>| {
        let mut session = SyncSession::new(options, [4; 16]);
        while let Some(request) = session.next_message(alice).unwrap() {
            let reply = responder.respond(relay, NOW, &request).unwrap();
            session.receive(alice, NOW, &reply.message).unwrap();
            // Mallory has seen the nonce, and speaks in alice's name.
            let Some(op) = slip else { continue };
            let head = RequestHead {
                nonce: [4; 16],
                space: prf::space_tag(relay.crypto(), None),
                round: 9,
                limit: MIN_MESSAGE_BYTES,
                base: None,
                phase: Phase::Later { cursor: OpSeq::new(OURS) },
            };
            let mut ops = OpWriter::new(1000);
            assert!(ops.push(op.as_ref()));
            let body = Body { doubts: Vec::new(), ranges: RangeWriter::new(), ops };
            responder.respond(relay, NOW, &write_request(&head, body)).unwrap();
        }
        match session.finish() {
            Some(Finish::Converged { base: Some(base), .. }) => base.clone(),
            other => panic!("{other:?}"),
        }
    };
    let op = Op::lww_set("mallory", Hlc::new(NOW.0, 0).unwrap(), "E", "i", "p", "hidden").unwrap();
    let op = crate::keys::sign_op(&alice.crypto(), op, &mallory).unwrap();
    let base = converge(&mut alice, &mut relay, SyncOptions::new(), Some(&op));
    assert_eq!(alice.log().len() + 1, relay.log().len());
    // What both remember of the session is not the same, so it does not count.
    let base = converge(&mut alice, &mut relay, SyncOptions::new().since(base), None);
    assert_eq!(alice.log().digest(), relay.log().digest());
    // And what is remembered alike does.
    alice.set(NOW, "Task", "t3", "title", "newer").unwrap();
    converge(&mut alice, &mut relay, SyncOptions::new().since(base), None);
    assert_eq!(alice.log().digest(), relay.log().digest());
}

#[test]
fn a_request_for_what_is_not_there() {
    // The other side: initiators that lie to a responder get an error at once.
    use super::message::{Hello, RequestHead, write_request};
    use super::responder::Responder;
    let mut replica = ours();
    let mut responder = Responder::new([3; 32], SyncOptions::new());
    let hello = Phase::Hello(Hello { count: 5, since: 5, hint: [0; 8] });
    let honest = RequestHead {
        nonce: [1; 16],
        space: prf::space_tag(replica.crypto(), None),
        round: 0,
        limit: MIN_MESSAGE_BYTES,
        base: None,
        phase: hello,
    };
    let mut ask = |head: RequestHead, ranges: &[(Bound, Bound, Said)]| {
        let mut writer = RangeWriter::new();
        for (low, high, said) in ranges {
            assert!(writer.push(low, high, said));
        }
        let body = Body { doubts: Vec::new(), ranges: writer, ops: OpWriter::new(0) };
        responder.respond(&mut replica, NOW, &write_request(&head, body)).map(|reply| reply.sent)
    };
    assert_eq!(ask(honest, &[]), Ok(0));
    let later = |cursor| RequestHead { phase: Phase::Later { cursor: OpSeq::new(cursor) }, ..honest };
    assert_eq!(ask(later(OURS + 1), &[]), Err(SyncError::Lie(Lie::Position)));
    let base = Some(BaseId { session: [5; 16], seal: [6; 32] });
    let forgotten = SyncError::Refused(super::error::Refusal::Forgotten);
    assert_eq!(ask(RequestHead { base, ..later(OURS) }, &[]), Err(forgotten));
    assert_eq!(ask(RequestHead { limit: 100, ..honest }, &[]), Err(SyncError::Lie(Lie::Limit)));
    let everything = |said| [(Bound::start(), Bound::End, said)];
    assert_eq!(
        ask(later(OURS), &everything(Said::Wants(vec![true; 499]))),
        Err(SyncError::Lie(Lie::Places { found: 499, expected: 500 }))
    );
    assert_eq!(ask(later(OURS), &everything(Said::Wants(vec![true; 500]))), Ok(500));
    assert_eq!(ask(later(OURS), &everything(Said::Ids(vec![[1; 8]; 4096]))), Ok(500));
    // A session over a part of the log that never was a session: any part may be asked for.
    assert_eq!(ask(later(10), &everything(Said::Ids(Vec::new()))), Ok(10));
}
