//! Sessions with a peer that breaks the protocol, in one way each: they end within their bounds, with a clear error or
//! a true result.

use super::initiator::SyncSession;
use super::responder::Responder;
use super::{SessionResult, SyncOptions};
use crate::codec::{OpHash, OpPacker, SIGNED_TEXTS, wide};
use crate::crypto::{KeyPair, Signature};
use crate::hlc::{Hlc, WallMillis};
use crate::keys::SigningSecretKey;
use crate::op::{Op, OpSeq, SignedOp};
use crate::replica::{CopyDigest, NewRefused, PeerName, Replica, ReplicaOptions};
use crate::sync::authors::AuthorFilter;
use crate::sync::proto::limits::{
    MAX_CLAIMS, MAX_RANGES, MIN_MESSAGE_BYTES, ONE_OP_MESSAGE_BYTES, max_idle_rounds, room_for_ops,
};
use crate::sync::proto::{
    Ack, Alert, Continuation, Copies, Hello, LogSpace, OpCopies, Phase, ProtocolVersion, RangeWriter,
    RequestHead, Sections, ServingOrder, SyncAnswer, SyncRequest, Welcome,
};
use crate::sync::rbsr::{Bound, RangeContent};
use crate::sync::resume::ResumeId;
use crate::sync::{PeerMisbehaved, SyncError};

const NOW: WallMillis = WallMillis(1_760_000_000_000);
const OURS: u32 = 500;

/// An answer for a peer to spoil. At first it is honest: it welcomes, acknowledges all operations and describes no
/// range.
struct HonestAnswer {
    welcome: Option<Welcome>,
    ack: Ack,
    continuation: Option<Continuation>,
    copies: Copies,
    ranges: Vec<(Bound, Bound, RangeContent)>,
    ops: Vec<SignedOp>,
}

impl HonestAnswer {
    fn of(request: &SyncRequest<'_>) -> Self {
        let welcome = matches!(request.head.phase, Phase::Hello(_)).then_some(Welcome {
            nonce: [2; 16],
            cursor: OpSeq::new(700),
            resumed: false,
            count: 700,
            total: 1,
            limit: MIN_MESSAGE_BYTES,
            filter: AuthorFilter::All,
            left_out: 0,
            unknown: Vec::new(),
            tag: [0; 8],
            renewed: Vec::new(),
        });
        let ack = Ack { new_ops: wide(request.sections.ops.len()), ..Ack::default() };
        Self {
            welcome,
            ack,
            continuation: None,
            copies: Copies::default(),
            ranges: Vec::new(),
            ops: Vec::new(),
        }
    }

    fn answer(self, request: &SyncRequest<'_>) -> Vec<u8> {
        let mut ranges = RangeWriter::new(ServingOrder::OldestFirst, usize::MAX);
        for (low, high, content) in &self.ranges {
            ranges.push(low, high, content);
        }
        let mut ops = OpPacker::new(room_for_ops(ONE_OP_MESSAGE_BYTES));
        self.ops.iter().for_each(|op| assert!(ops.push(op.as_ref())));
        let sections = Sections { copies: self.copies, ranges, ops };
        let Self { welcome, ack, continuation, .. } = self;
        SyncAnswer { welcome, ack, continuation, sections }.write(&request.head)
    }
}

/// Opens a replica with 500 operations of its own.
fn ours() -> Replica {
    let key = SigningSecretKey::new("alice", KeyPair::from_seed(&[7; 32]).unwrap()).unwrap();
    let mut replica = Replica::open(ReplicaOptions::new().write_as(key)).unwrap();
    for n in 0..OURS {
        replica
            .set(WallMillis(NOW.0 + u64::from(n)), ("Task", "t1", "title"), f64::from(n).to_string())
            .unwrap();
    }
    replica
}

fn junk(number: u64) -> SignedOp {
    let op = Op::lww_set("alice", Hlc::new(number, 0).unwrap(), ("E", "i", "p"), "junk").unwrap();
    let derived = crate::keys::derived_kid(&KeyPair::from_seed(&[7; 32]).unwrap().public_key());
    SignedOp::new(op, &derived, Signature::from_bytes([9; 64])).unwrap()
}

/// Runs a session with a peer whose answers `spoil` changes. Returns the number of answers and the result.
fn against(
    options: SyncOptions,
    spoil: impl FnMut(u64, &SyncRequest<'_>, &mut HonestAnswer),
) -> (u32, Result<SessionResult, SyncError>) {
    against_with(&mut ours(), options, spoil)
}

fn against_with(
    replica: &mut Replica,
    options: SyncOptions,
    mut spoil: impl FnMut(u64, &SyncRequest<'_>, &mut HonestAnswer),
) -> (u32, Result<SessionResult, SyncError>) {
    let held = replica.log().digest();
    let mut session = SyncSession::new(options, [1; 16]);
    let mut answers = 0;
    let end = loop {
        let request = match session.next_message(replica) {
            Ok(Some(request)) => request,
            Ok(None) => break Ok(session.result().unwrap().clone()),
            Err(error) => break Err(error),
        };
        assert!(request.len() <= ONE_OP_MESSAGE_BYTES);
        let space = LogSpace::of(replica);
        let request = SyncRequest::read(&request, &space).unwrap();
        let mut draft = HonestAnswer::of(&request);
        spoil(request.head.round, &request, &mut draft);
        let answer = draft.answer(&request);
        answers += 1;
        if let Err(error) = session.receive(replica, NOW, &answer) {
            break Err(error);
        }
        assert!(answers < 5000, "it does not end");
    };
    // No operation is lost, and no unsigned one is admitted.
    assert_eq!(replica.log().digest(), held);
    (answers, end)
}

/// Returns the ranges of the request; for the first request, everything.
fn asked(request: &SyncRequest<'_>) -> Vec<(Bound, Bound)> {
    match request.head.phase {
        Phase::Hello(_) => vec![(Bound::start(), Bound::End)],
        Phase::Later { .. } => {
            request.sections.ranges.iter().map(|ranged| (ranged.low.clone(), ranged.high.clone())).collect()
        }
    }
}

fn assert_no_progress((answers, end): (u32, Result<SessionResult, SyncError>)) {
    let limit = max_idle_rounds(700);
    assert_eq!(end, Err(SyncError::NoProgress { limit }));
    assert!(answers <= 2 * limit, "{answers} answers");
}

fn assert_not_converged((answers, end): (u32, Result<SessionResult, SyncError>)) {
    assert!(matches!(end, Ok(SessionResult::NotConverged { .. })), "{end:?}");
    assert!(answers <= 3, "{answers} answers");
}

fn assert_misbehaved((answers, end): (u32, Result<SessionResult, SyncError>), expected: PeerMisbehaved) {
    assert_eq!(end, Err(SyncError::PeerMisbehaved(expected)));
    assert!(answers <= 3, "{answers} answers");
}

#[test]
fn fingerprints_that_never_match() {
    let mut salt = 0_u64;
    assert_no_progress(against(SyncOptions::new(), |_, request, draft| {
        for (low, high) in asked(request) {
            salt += 1;
            draft.ranges.push((
                low,
                high,
                RangeContent::Fingerprint { count: 1000, fingerprint: salt.to_le_bytes() },
            ));
        }
    }));
}

/// A session continues while it receives new operations. Meanwhile it keeps no more ranges than an answer can hold.
#[test]
fn endless_splits_each_with_a_genuine_operation() {
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
            Ok(None) => break Ok(session.result().unwrap().clone()),
            Err(error) => break Err(error),
        };
        let space = LogSpace::of(&replica);
        let request = SyncRequest::read(&request, &space).unwrap();
        let mut draft = HonestAnswer::of(&request);
        // As many parts as fit, at times without operations.
        let parts: Vec<Bound> = (1..2000).map(|part| Bound::at_time(answers * 2000 + part)).collect();
        for (low, high) in asked(&request) {
            let mut low = low;
            let within =
                parts.partition_point(|part| *part <= low)..parts.partition_point(|part| *part < high);
            for bound in parts[within].iter().chain([&high]) {
                salt += 1;
                let content = RangeContent::Fingerprint { count: 1000, fingerprint: salt.to_le_bytes() };
                draft.ranges.push((std::mem::replace(&mut low, bound.clone()), bound.clone(), content));
            }
        }
        if answers < FED {
            let ts = Hlc::new(1_000_000 + answers, 0).unwrap();
            let op = Op::lww_set("mallory", ts, ("E", "i", "p"), "x").unwrap();
            draft.ops.push(crate::keys::sign_op(&replica.crypto(), op, &mallory).unwrap());
        }
        answers += 1;
        let answer = draft.answer(&request);
        if let Err(error) = session.receive(&mut replica, NOW, &answer) {
            break Err(error);
        }
        assert!(
            session.pending_ranges() <= 2 * MAX_RANGES,
            "{} ranges are pending",
            session.pending_ranges()
        );
    };
    let limit = max_idle_rounds(700);
    assert_eq!(end, Err(SyncError::NoProgress { limit }));
    assert!(answers <= FED + u64::from(2 * limit), "{answers} answers");
    assert_eq!(wide(replica.log().len()), u64::from(OURS) + FED);
}

#[test]
fn a_claim_to_hold_the_same_operations() {
    // The right count with a sum that it cannot know, then no ranges, as if all were equal.
    assert_not_converged(against(SyncOptions::new(), |_, _, draft| {
        if let Some(welcome) = &mut draft.welcome {
            (welcome.count, welcome.cursor) = (OURS.into(), OpSeq::new(OURS));
        }
    }));
    // The same with a count of zero.
    assert_not_converged(against(SyncOptions::new(), |_, _, draft| {
        if let Some(welcome) = &mut draft.welcome {
            (welcome.count, welcome.cursor, welcome.total) = (0, OpSeq::FIRST, 5);
        }
    }));
}

#[test]
fn a_claim_to_hold_more_operations_than_possible() {
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
            draft.ranges.push((low, high, RangeContent::Ids(ids)));
        }
    });
    assert!(
        matches!(end, Err(SyncError::NoProgress { .. }) | Ok(SessionResult::NotConverged { .. })),
        "{end:?}"
    );
    assert!(answers <= 2 * max_idle_rounds(700), "{answers}");
}

#[test]
fn the_same_ids_again_and_again() {
    assert_no_progress(against(SyncOptions::new(), |_, request, draft| {
        draft.ranges.extend(
            asked(request).into_iter().map(|(low, high)| (low, high, RangeContent::Ids(vec![[1; 8]]))),
        );
    }));
}

#[test]
fn continuation_from_the_start_every_time() {
    assert_no_progress(against(SyncOptions::new(), |_, _, draft| {
        draft.continuation = Some(Continuation { from: Bound::End, done: 0 });
    }));
}

#[test]
fn one_junk_operation_per_answer() {
    assert_no_progress(against(SyncOptions::new(), |round, _, draft| {
        draft.ops.push(junk(round));
        draft.continuation = Some(Continuation { from: Bound::End, done: 0 });
    }));
}

#[test]
fn junk_by_the_thousand() {
    let (answers, end) = against(SyncOptions::new(), |round, _, draft| {
        draft.ops.extend((0..2048).map(|n| {
            SignedOp::new(junk(n + round * 2048).op().clone(), "nobody's", Signature::from_bytes([9; 64]))
                .unwrap()
        }));
        draft.continuation = Some(Continuation { from: Bound::End, done: 0 });
    });
    assert!(matches!(end, Ok(SessionResult::NotConverged { .. })), "{end:?}");
    assert_eq!(answers, 37);
}

#[test]
fn the_same_junk_again_and_again() {
    let (answers, end) = against(SyncOptions::new(), |_, _, draft| {
        draft.ops.extend((0..256).map(junk));
        draft.continuation = Some(Continuation { from: Bound::End, done: 0 });
    });
    assert!(matches!(end, Ok(SessionResult::NotConverged { .. })), "{end:?}");
    assert_eq!(answers, 289);
}

/// A peer that has nothing to send but junk, and claims in each answer that a copy is bad. This side has the same one:
/// then there is always something to say.
#[test]
fn junk_with_a_claim_in_each_answer() {
    let replica = ours();
    let claimed =
        OpCopies { hash: *replica.log().index().hash(OpSeq::FIRST), digest: replica.copies_of(OpSeq::FIRST) };
    let (answers, end) = against(SyncOptions::new(), |round, _, draft| {
        assert!(round < 300, "it does not end");
        draft.ops.extend((0..256).map(junk));
        draft.copies.wanted.push(claimed);
    });
    assert!(matches!(end, Ok(SessionResult::NotConverged { .. })), "{end:?}");
    assert_eq!(answers, 289);
}

/// Version 1 doubts each copy that it is asked about, and a bad signature is the only reason that it knows.
#[test]
fn in_version_1_no_copy_is_wanted_for_an_unknown_key() {
    let mut replica = ours();
    replica.peers_mut().has_refused_version(&PeerName::Named("old".into()));
    let (forged, other) = (junk(1), junk(2));
    let other = SignedOp::new(other.op().clone(), "nobody's", *other.signature()).unwrap();
    let mut wanted = Vec::new();
    let (_, end) = against_with(&mut replica, SyncOptions::new().peer("old"), |round, request, draft| {
        assert_eq!(request.head.version, ProtocolVersion::V1);
        if let Some(welcome) = &mut draft.welcome {
            welcome.limit = ONE_OP_MESSAGE_BYTES;
        }
        if round == 0 {
            draft.ops.extend([forged.clone(), other.clone()]);
        }
        wanted.extend(request.sections.copies.wanted.iter().map(|wanted| wanted.hash));
    });
    assert!(matches!(end, Ok(SessionResult::NotConverged { .. })), "{end:?}");
    assert_eq!(wanted, [OpHash::of(&replica.crypto(), forged.as_ref()).unwrap()]);
}

/// A session with a peer that no longer holds what this side refused earlier takes back a part with each answer.
#[test]
fn what_is_taken_back_is_progress() {
    const STEP: u64 = 100;
    let mut replica = ours();
    let refused = (0..40 * STEP).map(|t| {
        let hash = crate::crypto::Sodium::new().unwrap().hash(&t.to_le_bytes());
        let (ts, hash) = (Hlc::new(t, 0).unwrap(), OpHash::from_bytes(*hash.as_bytes()));
        NewRefused { ts, actor: "alice", hash, reason: 3, copies: CopyDigest::default() }
    });
    let (name, tag) = (PeerName::Named("relay".into()), replica.admission_tag());
    assert!(replica.peers_mut().remember(&name, tag, refused));
    let mut left = 40;
    let (answers, end) = against_with(&mut replica, SyncOptions::new().peer("relay"), |_, _, draft| {
        if left > 0 {
            let (low, high) = (Bound::at_time((left - 1) * STEP), Bound::at_time(left * STEP));
            draft.ranges.push((low.clone(), high, RangeContent::Ids(Vec::new())));
            draft.continuation = Some(Continuation { from: low, done: 0 });
            left -= 1;
        }
    });
    assert!(matches!(end, Ok(SessionResult::NotConverged { .. })), "{end:?}");
    assert!(answers > 2 * max_idle_rounds(700), "{answers}");
    assert_eq!(replica.peers().refused(&name).unwrap().ops.len(), 0);
}

/// The peer was given the names of all actors that are accepted.
#[test]
fn operations_of_unknown_authors_are_not_hashed() {
    let mut replica = ours();
    let long = "x".repeat(1000);
    let mut session = SyncSession::new(SyncOptions::new().peer("relay"), [1; 16]);
    let request = session.next_message(&replica).unwrap().unwrap();
    let space = LogSpace::of(&replica);
    let request = SyncRequest::read(&request, &space).unwrap();
    let mut draft = HonestAnswer::of(&request);
    draft.ops.extend((0..1000).map(|number| {
        let op = Op::lww_set("mallory", Hlc::new(number, 0).unwrap(), (&*long, &*long, "p"), "junk").unwrap();
        SignedOp::new(op, "k", Signature::from_bytes([9; 64])).unwrap()
    }));
    let answer = draft.answer(&request);
    let before = SIGNED_TEXTS.get();
    let progress = session.receive(&mut replica, NOW, &answer).unwrap();
    assert_eq!((progress.received.refused.unknown_key, SIGNED_TEXTS.get()), (1000, before));
}

#[test]
fn a_range_that_was_not_asked_for() {
    let spoil = |_: u64, request: &SyncRequest<'_>, draft: &mut HonestAnswer| {
        if draft.welcome.is_none() && asked(request).len() > 1 {
            // Both bounds were in the request, but not as one range.
            draft.ranges.push((Bound::start(), Bound::End, RangeContent::Ids(Vec::new())));
        }
    };
    assert_misbehaved(against(SyncOptions::new(), spoil), PeerMisbehaved::Range);
}

#[test]
fn more_wants_than_operations() {
    let spoil = |_: u64, _: &SyncRequest<'_>, draft: &mut HonestAnswer| {
        draft.ranges.push((Bound::start(), Bound::End, RangeContent::Wants(vec![true; 501])));
    };
    assert_misbehaved(
        against(SyncOptions::new(), spoil),
        PeerMisbehaved::Wants { found: 501, expected: 500 },
    );
}

#[test]
fn an_acknowledgement_of_operations_that_were_not_sent() {
    let spoil = |_: u64, _: &SyncRequest<'_>, draft: &mut HonestAnswer| draft.ack.duplicates += 1;
    assert_misbehaved(against(SyncOptions::new(), spoil), PeerMisbehaved::Ack { found: 1, expected: 0 });
}

#[test]
fn no_welcome_and_two_welcomes() {
    assert_misbehaved(
        against(SyncOptions::new(), |_, _, draft| draft.welcome = None),
        PeerMisbehaved::Welcome,
    );
    let mut first = None;
    let twice = |_: u64, _: &SyncRequest<'_>, draft: &mut HonestAnswer| {
        first = first.take().or(draft.welcome.take());
        draft.welcome = first.clone();
    };
    assert_misbehaved(against(SyncOptions::new(), twice), PeerMisbehaved::Welcome);
}

#[test]
fn resumption_that_was_not_offered_and_a_limit_below_the_minimum() {
    let resumed = |_: u64, _: &SyncRequest<'_>, draft: &mut HonestAnswer| {
        draft.welcome.as_mut().unwrap().resumed = true
    };
    assert_misbehaved(against(SyncOptions::new(), resumed), PeerMisbehaved::Resume);
    let small = |_: u64, _: &SyncRequest<'_>, draft: &mut HonestAnswer| {
        draft.welcome.as_mut().unwrap().limit = MIN_MESSAGE_BYTES - 1;
    };
    assert_misbehaved(against(SyncOptions::new(), small), PeerMisbehaved::Limit);
}

#[test]
fn an_alternate_is_sent_once() {
    let replica = ours();
    let all: Vec<OpHash> = replica.log().iter().map(|entry| entry.unwrap().hash).collect();
    let mut sent = 0;
    let (answers, end) = against(SyncOptions::new(), |_, request, draft| {
        sent += request.sections.ops.len();
        let wanted = |hash: &OpHash| OpCopies { hash: *hash, digest: CopyDigest::default() };
        draft.copies.wanted = all.iter().take(MAX_CLAIMS).map(wanted).collect();
    });
    assert!(matches!(end, Ok(SessionResult::NotConverged { .. })), "{end:?}");
    assert!(answers < 6, "{answers}");
    assert_eq!(sent, MAX_CLAIMS);
}

#[test]
fn an_operation_slipped_into_a_session_by_a_third_party_is_not_lost_to_its_initiator() {
    let (mut alice, mut relay) = (ours(), ours());
    let mallory = SigningSecretKey::new("mallory", KeyPair::from_seed(&[8; 32]).unwrap()).unwrap();
    for replica in [&mut alice, &mut relay] {
        replica.keys_mut().register(mallory.public_key().clone()).unwrap();
    }
    alice.set(NOW, ("Task", "t2", "title"), "new").unwrap();
    let mut responder = Responder::new([3; 32], SyncOptions::new());
    let mut converge = |alice: &mut Replica, relay: &mut Replica, options, slip: Option<&SignedOp>| {
        let mut session = SyncSession::new(options, [4; 16]);
        while let Some(request) = session.next_message(alice).unwrap() {
            let reply = responder.respond(relay, NOW, &request).unwrap();
            session.receive(alice, NOW, &reply.message).unwrap();
            // Mallory has seen the nonce, and sends a request in alice's name.
            let Some(op) = slip else { continue };
            let head = RequestHead {
                version: ProtocolVersion::V2,
                nonce: [4; 16],
                space: LogSpace::of(relay).tag,
                round: 9,
                limit: MIN_MESSAGE_BYTES,
                resume: None,
                phase: Phase::Later { cursor: OpSeq::new(OURS) },
                filter: AuthorFilter::All,
            };
            let mut ops = OpPacker::new(1000);
            assert!(ops.push(op.as_ref()));
            let sections = Sections {
                copies: Copies::default(),
                ranges: RangeWriter::new(ServingOrder::OldestFirst, usize::MAX),
                ops,
            };
            responder.respond(relay, NOW, &head.write(sections)).unwrap();
        }
        match session.result() {
            Some(SessionResult::Converged { resume: Some(token), .. }) => token.clone(),
            other => panic!("{other:?}"),
        }
    };
    let op = Op::lww_set("mallory", Hlc::new(NOW.0, 0).unwrap(), ("E", "i", "p"), "hidden").unwrap();
    let op = crate::keys::sign_op(&alice.crypto(), op, &mallory).unwrap();
    let token = converge(&mut alice, &mut relay, SyncOptions::new(), Some(&op));
    assert_eq!(alice.log().len() + 1, relay.log().len());
    // Both sides remember the session differently, so it is not resumed.
    let token = converge(&mut alice, &mut relay, SyncOptions::new().resume(token), None);
    assert_eq!(alice.log().digest(), relay.log().digest());
    // The second session is remembered alike, and resumed.
    alice.set(NOW, ("Task", "t3", "title"), "newer").unwrap();
    converge(&mut alice, &mut relay, SyncOptions::new().resume(token), None);
    assert_eq!(alice.log().digest(), relay.log().digest());
}

#[test]
fn requests_that_break_the_protocol() {
    // The other side: a responder rejects such requests at once.
    let mut replica = ours();
    let mut responder = Responder::new([3; 32], SyncOptions::new());
    let hello = Phase::Hello(Hello { count: 5, since: 5, hint: [0; 8] });
    let honest = RequestHead {
        version: ProtocolVersion::V2,
        nonce: [1; 16],
        space: LogSpace::of(&replica).tag,
        round: 0,
        limit: ONE_OP_MESSAGE_BYTES,
        resume: None,
        phase: hello,
        filter: AuthorFilter::All,
    };
    let mut ask = |head: RequestHead, ranges: &[(Bound, Bound, RangeContent)]| {
        let mut writer = RangeWriter::new(ServingOrder::OldestFirst, usize::MAX);
        for (low, high, content) in ranges {
            assert!(writer.push(low, high, content));
        }
        let sections = Sections { copies: Copies::default(), ranges: writer, ops: OpPacker::new(0) };
        responder.respond(&mut replica, NOW, &head.write(sections)).map(|reply| reply.sent)
    };
    assert_eq!(ask(honest.clone(), &[]), Ok(0));
    let later = |cursor| RequestHead { phase: Phase::Later { cursor: OpSeq::new(cursor) }, ..honest.clone() };
    assert_eq!(ask(later(OURS + 1), &[]), Err(SyncError::PeerMisbehaved(PeerMisbehaved::Position)));
    let resume = Some(ResumeId { session: [5; 16], transferred: [6; 32] });
    let forgotten = SyncError::AlertReceived(Alert::Forgotten);
    assert_eq!(ask(RequestHead { resume, ..later(OURS) }, &[]), Err(forgotten));
    assert_eq!(
        ask(RequestHead { limit: 100, ..honest.clone() }, &[]),
        Err(SyncError::PeerMisbehaved(PeerMisbehaved::Limit))
    );
    let everything = |content| [(Bound::start(), Bound::End, content)];
    assert_eq!(
        ask(later(OURS), &everything(RangeContent::Wants(vec![true; 499]))),
        Err(SyncError::PeerMisbehaved(PeerMisbehaved::Wants { found: 499, expected: 500 }))
    );
    assert_eq!(ask(later(OURS), &everything(RangeContent::Wants(vec![true; 500]))), Ok(500));
    assert_eq!(ask(later(OURS), &everything(RangeContent::Ids(vec![[1; 8]; 4096]))), Ok(500));
    // A session that covers a part of the log, and never began: a request may name any part.
    assert_eq!(ask(later(10), &everything(RangeContent::Ids(Vec::new()))), Ok(10));
}
