//! Tests of sessions with a peer that holds what this side refuses. It must neither stop nor tax what is welcome.

use policysync::crypto::Signature;
use policysync::sync::{Progress, Push, Refusals, ResumeToken, SessionResult};
use policysync::{Hlc, Op, Replica, Responder, SignedOp, SyncOptions, SyncSession};

use crate::common::{NOW, key, knowing, reader, set};
use crate::link::{blind, give, responder, run, unsigned};

/// Operations of authors that the device does not know.
const JUNK: usize = 70_000;
const WELCOME: usize = 5_000;

/// Returns operations that alice signed, spread over the times of [`unsigned`].
fn signed(count: usize) -> Vec<SignedOp> {
    let t = |number: usize| 1_700_000_000_000 + u64::try_from(number * (JUNK / 64) / WELCOME).unwrap();
    (0..count).map(|number| set("alice", t(number), 5, &format!("p{number}"), "x")).collect()
}

/// Returns a device that knows alice, and a blind relay with operations of alice and others.
fn device_and_relay() -> (Replica, Replica) {
    let relay = blind(&unsigned(JUNK, 64, 1));
    (Replica::open(knowing(&["alice"]).write_as(key("alice"))).unwrap(), relay)
}

fn bytes(progress: &Progress) -> u64 {
    progress.bytes_sent + progress.bytes_received
}

/// Runs a session of the device. Returns its result, its progress, and the unknown authors.
fn sync_with(
    options: SyncOptions,
    ours: &mut Replica,
    responder: &mut Responder,
    relay: &mut Replica,
) -> (SessionResult, Progress, Vec<String>) {
    let nonce = [u8::try_from(ours.log().len() % 251).unwrap(); 16];
    let mut session = SyncSession::new(options.peer("relay"), nonce);
    let (result, progress) = run(&mut session, ours, responder, relay, NOW).unwrap();
    let unknown = session.unknown_authors().iter().map(|author| author.actor.to_string()).collect();
    (result, progress, unknown)
}

#[track_caller]
fn except(result: SessionResult) -> (ResumeToken, u64, Refusals, Refusals) {
    let SessionResult::ConvergedExcept { resume, count, refused, refused_by_peer, .. } = result else {
        panic!("{result:?}");
    };
    (resume.unwrap(), count, refused, refused_by_peer)
}

#[test]
fn what_unknown_authors_wrote_is_left_out_and_costs_nothing() {
    let (mut device, mut relay) = device_and_relay();
    give(&mut relay, &signed(WELCOME));
    let mut at_relay = responder();
    // The first session brings all that is welcome, and nothing else.
    let (result, progress, mut unknown) =
        sync_with(SyncOptions::new(), &mut device, &mut at_relay, &mut relay);
    let (_, count, refused, refused_by_peer) = except(result);
    let welcome = u64::try_from(WELCOME).unwrap();
    assert_eq!((count, progress.received.new_ops()), (welcome, welcome));
    assert_eq!((refused.unknown_key, refused.total()), (70_000, 70_000));
    assert_eq!(refused_by_peer.total(), 0);
    assert_eq!(progress.received.refused.total(), 0);
    assert!(bytes(&progress) < 150 * welcome, "{progress:?}");
    unknown.sort_unstable();
    assert_eq!(unknown, ["actor-0", "actor-1", "actor-2", "actor-3", "actor-4"]);

    // An unchanged one costs nearly nothing, also without a token.
    let (result, progress, _) = sync_with(SyncOptions::new(), &mut device, &mut at_relay, &mut relay);
    let (token, ..) = except(result);
    assert!(bytes(&progress) <= 300, "{progress:?}");
    let options = SyncOptions::new().resume(token);
    let (result, progress, _) = sync_with(options, &mut device, &mut at_relay, &mut relay);
    let (token, _, refused, _) = except(result);
    assert_eq!(refused.unknown_key, 70_000);
    assert!(bytes(&progress) <= 400, "{progress:?}");

    // A write is pushed by itself, and what is not welcome is not pushed back.
    let mut down = at_relay.push_after(&relay, token.id()).unwrap();
    let mut up = Push::after(token, &SyncOptions::new());
    device.set(NOW, ("Task", "t1", "title"), "new").unwrap();
    let message = up.next_message(&device).unwrap().unwrap();
    assert!(message.len() <= 200, "{} bytes", message.len());
    down.receive(&mut relay, NOW, &message).unwrap();
    give(&mut relay, &unsigned(100, 64, 2));
    assert_eq!(down.next_message(&relay), Ok(None));
}

#[test]
fn an_author_who_becomes_known_brings_everything() {
    let mut relay = blind(&[]);
    let bobs: Vec<SignedOp> = (0..300).map(|n| set("bob", 1_700_000_000_000 + n, 0, "p", "x")).collect();
    give(&mut relay, &bobs);
    give(&mut relay, &signed(100));
    let mut device = reader(&["alice"]);
    let mut at_relay = responder();
    let (result, _, unknown) = sync_with(SyncOptions::new(), &mut device, &mut at_relay, &mut relay);
    let (token, count, refused, _) = except(result);
    assert_eq!((count, refused.unknown_key), (100, 300));
    assert_eq!(unknown, ["bob"]);
    device.keys_mut().register(key("bob").public_key().clone()).unwrap();
    // The token does not hide what was left out.
    let options = SyncOptions::new().resume(token);
    let (result, progress, unknown) = sync_with(options, &mut device, &mut at_relay, &mut relay);
    assert!(result.is_converged(), "{result:?}");
    assert_eq!((progress.received.new_ops(), device.log().len()), (300, 400));
    assert!(unknown.is_empty());
}

#[test]
fn what_the_peer_does_not_know_is_not_sent() {
    let mut device = reader(&["alice", "bob"]);
    give(&mut device, &signed(100));
    let bobs: Vec<SignedOp> = (0..300).map(|n| set("bob", 1_700_000_000_000 + n, 0, "p", "x")).collect();
    give(&mut device, &bobs);
    let mut other = reader(&["alice"]);
    let mut at_other = responder();
    let (result, progress, unknown) = sync_with(SyncOptions::new(), &mut device, &mut at_other, &mut other);
    let (token, count, refused, refused_by_peer) = except(result);
    assert_eq!((count, progress.sent, other.log().len()), (100, 100, 100));
    assert_eq!((refused.total(), refused_by_peer.unknown_key), (0, 300));
    // These are not unknown to this side.
    assert!(unknown.is_empty());
    // The peer learns bob's key. Then its filter is another, and the session covers all again.
    other.keys_mut().register(key("bob").public_key().clone()).unwrap();
    let options = SyncOptions::new().resume(token);
    let (result, progress, _) = sync_with(options, &mut device, &mut at_other, &mut other);
    assert!(result.is_converged(), "{result:?}");
    assert_eq!((progress.sent, other.log().len()), (300, 400));
}

/// Returns operations of bob, who is known but whom the guard of [`guarded`] denies.
fn denied(count: usize) -> Vec<SignedOp> {
    let t = |number: usize| 1_700_000_000_000 + u64::try_from(number).unwrap();
    (0..count).map(|number| set("bob", t(number), 0, "p", "x")).collect()
}

fn guarded() -> Replica {
    let guard = |op: &policysync::keys::VerifiedOp<'_>| match op.op().actor() {
        "bob" => policysync::Verdict::Reject,
        _ => policysync::Verdict::Admit,
    };
    Replica::open(knowing(&["alice", "bob"]).write_as(key("alice")).guard(guard)).unwrap()
}

/// The newest operations come first, so what was refused is no obstacle to what is new.
#[test]
fn the_newest_operations_come_first() {
    let mut relay = blind(&[]);
    give(&mut relay, &denied(3000));
    let new: Vec<SignedOp> = (0..100).map(|n| set("alice", NOW.0 - 1000 + n, 0, "p", "x")).collect();
    give(&mut relay, &new);
    let mut device = guarded();
    let mut at_relay = Responder::new([42; 32], SyncOptions::new().max_message_bytes(64 << 10));
    let mut session = SyncSession::new(SyncOptions::new(), [1; 16]);
    let request = session.next_message(&device).unwrap().unwrap();
    let answer = at_relay.respond(&mut relay, NOW, &request).unwrap().message;
    let progress = session.receive(&mut device, NOW, &answer).unwrap();
    assert_eq!(progress.received.new_ops(), 100);
    assert!(progress.received.refused.denied < 1000, "{progress:?}");
    let (result, progress) = run(&mut session, &mut device, &mut at_relay, &mut relay, NOW).unwrap();
    let (_, count, refused, _) = except(result);
    assert_eq!((count, refused.denied, progress.received.refused.denied), (100, 3000, 3000));
}

/// A session that refuses more than it can remember ends with what it has.
#[test]
fn very_many_refused_operations_end_a_session_without_an_error() {
    let mut relay = blind(&[]);
    // Unknown authors, more than a filter can name: this side says nothing beforehand.
    let mut registered: Vec<String> = (0..300).map(|number| format!("member-{number}")).collect();
    registered.push("alice".to_owned());
    let registered: Vec<&str> = registered.iter().map(String::as_str).collect();
    give(&mut relay, &unsigned(90_000, 64, 1));
    let new: Vec<SignedOp> = (0..100).map(|n| set("alice", NOW.0 - 1000 + n, 0, "p", "x")).collect();
    give(&mut relay, &new);
    let mut device = reader(&registered);
    let mut at_relay = responder();
    let (result, progress, unknown) = sync_with(SyncOptions::new(), &mut device, &mut at_relay, &mut relay);
    assert!(matches!(result, SessionResult::NotConverged { .. }), "{result:?}");
    assert_eq!(progress.received.new_ops(), 100);
    assert!((72 << 10..90_000).contains(&progress.received.refused.total()), "{progress:?}");
    assert_eq!(unknown.len(), 5);
    // Now the peer knows whom this side does not know.
    let (result, progress, _) = sync_with(SyncOptions::new(), &mut device, &mut at_relay, &mut relay);
    let (_, count, refused, _) = except(result);
    assert_eq!((count, refused.unknown_key), (100, 90_000));
    assert!(bytes(&progress) < 4096, "{progress:?}");
}

/// Refused operations that are newer than the welcome ones and of more authors than can be remembered.
#[test]
fn each_session_comes_closer_to_what_is_older_than_very_many_refused_operations() {
    const STRANGERS: usize = 120_000;
    let mut registered: Vec<String> = (0..300).map(|number| format!("member-{number}")).collect();
    registered.push("alice".to_owned());
    let registered: Vec<&str> = registered.iter().map(String::as_str).collect();
    let mut relay = blind(&[]);
    let stranger = |number: usize| {
        let ts = Hlc::new(1_700_000_000_000 + u64::try_from(number / 64).unwrap(), 0).unwrap();
        let value = number.to_string();
        let op =
            Op::lww_set(&format!("stranger-{}", number % 5000), ts, ("Task", "t", "title"), value).unwrap();
        SignedOp::new(op, "k", Signature::from_bytes([7; 64])).unwrap()
    };
    give(&mut relay, &(0..STRANGERS).map(stranger).collect::<Vec<_>>());
    let at = |t: u64| -> Vec<SignedOp> { (0..50).map(|n| set("alice", t + n, 0, "p", "x")).collect() };
    give(&mut relay, &at(1_600_000_000_000));
    let mut device = reader(&registered);
    let mut at_relay = responder();
    let mut session = |device: &mut Replica, relay: &mut Replica, number: u8| {
        let mut session = SyncSession::new(SyncOptions::new().peer("relay"), [number; 16]);
        run(&mut session, device, &mut at_relay, relay, NOW).unwrap().1.received
    };
    // The first session ends above the welcome operations.
    let received = session(&mut device, &mut relay, 1);
    assert_eq!(received.new_ops(), 0);
    assert!((72 << 10..90_000).contains(&received.refused.total()), "{received:?}");
    // The second brings what is new, and goes on where the first has ended.
    give(&mut relay, &at(1_750_000_000_000));
    let received = session(&mut device, &mut relay, 2);
    assert_eq!(received.new_ops(), 100);
    assert!(received.refused.total() < 90_000, "{received:?}");
    // Then it begins at the newest again.
    give(&mut relay, &at(1_760_000_000_000 - 1000));
    assert_eq!(session(&mut device, &mut relay, 3).new_ops(), 50);
}
