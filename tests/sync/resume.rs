//! Tests of session resumption after a restart of either side: it saves as much as without a restart, and a token for
//! another log is refused.

use policysync::codec::{CodecError, CodecFault};
use policysync::crypto::Signature;
use policysync::oplog::Cursor;
use policysync::sync::{Alert, RESUME_VERSION, ResumeError, ResumeToken, SessionResult};
use policysync::{Hlc, Incoming, Op, Replica, ReplicaOptions, Responder, SignedOp, SyncOptions, SyncSession};

use crate::common::{NOW, crypto, knowing, set};
use crate::link::{responder, run, session};

/// The key that tokens are sealed with.
const KEY: [u8; 32] = [9; 32];

fn give(replica: &mut Replica, ops: &[SignedOp]) {
    let batch: Vec<Incoming<'_>> = ops.iter().map(Incoming::Op).collect();
    assert!(replica.ingest_batch(NOW, &batch).unwrap().iter().all(Result::is_ok));
}

fn blind(ops: &[SignedOp]) -> Replica {
    let mut replica = Replica::open(ReplicaOptions::new().dangerously_accept_unverified()).unwrap();
    give(&mut replica, ops);
    replica
}

/// Returns operations with junk for signatures.
fn unsigned(numbers: std::ops::Range<u64>) -> Vec<SignedOp> {
    let op = |number: u64| {
        let ts = Hlc::new(1_700_000_000_000 + number, 0).unwrap();
        let op = Op::lww_set("a", ts, ("Task", "t1", "title"), number.to_string()).unwrap();
        SignedOp::new(op, "k", Signature::from_bytes([7; 64])).unwrap()
    };
    numbers.map(op).collect()
}

fn token_of(result: SessionResult) -> ResumeToken {
    match result {
        SessionResult::Converged { resume: Some(token), .. } => token,
        other => panic!("{other:?}"),
    }
}

/// Creates a session that resumes another.
fn next(token: ResumeToken, nonce: u8) -> SyncSession {
    SyncSession::new(SyncOptions::new().resume(token), [nonce; 16])
}

fn malformed(fault: CodecFault, at: usize) -> ResumeError {
    ResumeError::Malformed(CodecError { fault, at })
}

/// Returns two replicas that had 400 operations each, 200 of them common, after a session; the responder, the token, and
/// the operations.
fn converged() -> (Replica, Replica, Responder, ResumeToken, Vec<SignedOp>) {
    let ops = unsigned(0..600);
    let (mut ours, mut theirs) = (blind(&ops[..400]), blind(&ops[200..]));
    let mut responder = responder();
    let (result, _) = run(&mut session(1), &mut ours, &mut responder, &mut theirs, NOW).unwrap();
    (ours, theirs, responder, token_of(result), ops)
}

#[cfg(feature = "sqlite")]
mod restart {
    use super::*;
    use crate::common::{Random, key};
    use policysync::SyncError;
    use policysync::store::{Durability, StoreCheck};
    use policysync::sync::Progress;
    use std::path::{Path, PathBuf};

    fn open(path: &Path) -> Replica {
        let options = knowing(&["alice", "bob"]).path(path, NOW).durability(Durability::ProcessOnly);
        Replica::open(options).unwrap()
    }

    struct Files {
        ours: PathBuf,
        theirs: PathBuf,
        _directory: tempfile::TempDir,
    }

    fn files() -> Files {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str| directory.path().join(name);
        Files { ours: file("ours"), theirs: file("theirs"), _directory: directory }
    }

    /// Returns operations of one side. The sides share them out without a pattern, so they lie scattered over the log.
    fn scattered(actor: &str, which: usize) -> Vec<SignedOp> {
        let mut random = Random(5);
        let ops = (0..900).map(|n| set(actor, 1_700_000_000_000 + n, 0, &format!("p{n}"), "v"));
        ops.filter(|_| random.below(2) == which).collect()
    }

    /// Returns the progress and the token of a second session. Before it, the sides named restart from their files.
    fn second(ours_restarts: bool, theirs_restarts: bool) -> (Progress, ResumeToken) {
        let files = files();
        let (mut ours, mut theirs) = (open(&files.ours), open(&files.theirs));
        give(&mut ours, &scattered("alice", 0));
        give(&mut theirs, &scattered("alice", 1));
        let mut responder = responder();
        let (result, _) = run(&mut session(1), &mut ours, &mut responder, &mut theirs, NOW).unwrap();
        let mut token = token_of(result);
        assert_eq!(ours.log().len(), 900);
        if ours_restarts {
            let saved = token.to_bytes(&ours, &KEY).unwrap();
            drop(ours);
            ours = open(&files.ours);
            token = ResumeToken::from_bytes(&saved, &ours, &KEY).unwrap();
            assert_eq!(token.to_bytes(&ours, &KEY).unwrap(), saved);
        }
        if theirs_restarts {
            let saved = responder.save_sessions(&theirs);
            drop(theirs);
            theirs = open(&files.theirs);
            responder = crate::link::responder();
            responder.restore_sessions(&theirs, &saved).unwrap();
            assert_eq!(responder.save_sessions(&theirs), saved);
        }
        give(&mut ours, &scattered("bob", 0));
        give(&mut theirs, &scattered("bob", 1));
        let (result, progress) =
            run(&mut next(token, 2), &mut ours, &mut responder, &mut theirs, NOW).unwrap();
        assert_eq!(ours.log().digest(), theirs.log().digest());
        // The resumed session can be resumed in turn.
        let token = token_of(result);
        let (result, last) =
            run(&mut next(token.clone(), 3), &mut ours, &mut responder, &mut theirs, NOW).unwrap();
        assert!(result.is_converged());
        assert_eq!((last.round_trips, last.bytes_sent < 200), (1, true));
        (progress, token)
    }

    #[test]
    fn a_session_after_a_restart_of_either_side_costs_what_a_repeated_one_costs() {
        let (repeated, _) = second(false, false);
        for (ours, theirs) in [(true, false), (false, true), (true, true)] {
            let (progress, _) = second(ours, theirs);
            assert_eq!(progress, repeated, "restarted: ours {ours}, theirs {theirs}");
        }
        // A session from the beginning costs more, because it compares 900 more operations.
        let files = files();
        let (mut ours, mut theirs) = (open(&files.ours), open(&files.theirs));
        for actor in ["alice", "bob"] {
            give(&mut ours, &scattered(actor, 0));
            give(&mut theirs, &scattered(actor, 1));
        }
        let both: Vec<SignedOp> = (0..2).flat_map(|which| scattered("alice", which)).collect();
        give(&mut ours, &both);
        give(&mut theirs, &both);
        let (_, complete) = run(&mut session(2), &mut ours, &mut responder(), &mut theirs, NOW).unwrap();
        let without_ops = |progress: Progress| {
            progress.bytes_sent + progress.bytes_received
                - progress.op_bytes_sent
                - progress.op_bytes_received
        };
        println!("{} bytes repeated, {} from the beginning", without_ops(repeated), without_ops(complete));
        assert!(without_ops(repeated) < without_ops(complete));
    }

    #[test]
    fn a_restored_backup_is_refused() {
        let files = files();
        let backup = files.ours.with_extension("backup");
        let mut ours = open(&files.ours);
        let mut theirs = blind(&[]);
        give(&mut ours, &scattered("alice", 0));
        ours.back_up(&backup).unwrap();
        give(&mut ours, &scattered("bob", 0));
        let (result, _) = run(&mut session(1), &mut ours, &mut responder(), &mut theirs, NOW).unwrap();
        let saved = token_of(result).to_bytes(&ours, &KEY).unwrap();
        let (all, before) = (ours.log().len() as u64, scattered("alice", 0).len() as u64);
        drop(ours);
        let mut ours = open(&backup);
        let shorter = ResumeError::ShorterLog { expected: all, found: before };
        assert_eq!(ResumeToken::from_bytes(&saved, &ours, &KEY), Err(shorter));
        // After as many other operations arrived, the log is a different one.
        give(&mut ours, &scattered("bob", 1));
        give(&mut ours, &scattered("alice", 1));
        assert!(ours.log().len() as u64 >= all);
        assert_eq!(ResumeToken::from_bytes(&saved, &ours, &KEY), Err(ResumeError::OtherLog { count: all }));
    }

    #[test]
    fn a_responder_on_a_restored_backup_restores_no_sessions() {
        let files = files();
        let backup = files.theirs.with_extension("backup");
        let mut theirs = open(&files.theirs);
        give(&mut theirs, &scattered("alice", 0));
        theirs.back_up(&backup).unwrap();
        let mut ours = blind(&scattered("alice", 1));
        let mut first = responder();
        run(&mut session(1), &mut ours, &mut first, &mut theirs, NOW).unwrap();
        let saved = first.save_sessions(&theirs);
        let mut theirs = open(&backup);
        let mut second = responder();
        assert!(matches!(second.restore_sessions(&theirs, &saved), Err(ResumeError::ShorterLog { .. })));
        give(&mut theirs, &scattered("bob", 0));
        give(&mut theirs, &scattered("bob", 1));
        assert!(matches!(second.restore_sessions(&theirs, &saved), Err(ResumeError::OtherLog { .. })));
        assert_eq!(second.save_sessions(&theirs), responder().save_sessions(&theirs));
    }

    #[test]
    fn a_salvaged_store_numbers_its_operations_differently_and_is_refused() {
        let files = files();
        let salvage = files.ours.with_extension("salvaged");
        let mut ours = open(&files.ours);
        give(&mut ours, &scattered("alice", 0));
        let (result, _) = run(&mut session(1), &mut ours, &mut responder(), &mut blind(&[]), NOW).unwrap();
        let saved = token_of(result).to_bytes(&ours, &KEY).unwrap();
        let count = ours.log().len() as u64;
        drop(ours);
        let connection = rusqlite::Connection::open(&files.ours).unwrap();
        connection
            .execute_batch(
                "UPDATE records SET bytes = CAST(substr(bytes, 1, 32) || x'01' AS BLOB) WHERE first = 5",
            )
            .unwrap();
        connection.close().unwrap();
        let mut keys = policysync::KeyRegistry::new();
        ["alice", "bob"].iter().for_each(|actor| keys.register(key(actor).public_key().clone()).unwrap());
        let salvaged = StoreCheck::new(&files.ours, &keys).salvage(crypto(), &salvage).unwrap();
        assert_eq!(u64::from(salvaged.saved), count - 1);
        let mut ours = open(&salvage);
        let shorter = ResumeError::ShorterLog { expected: count, found: count - 1 };
        assert_eq!(ResumeToken::from_bytes(&saved, &ours, &KEY), Err(shorter));
        give(&mut ours, &scattered("alice", 1));
        assert_eq!(ResumeToken::from_bytes(&saved, &ours, &KEY), Err(ResumeError::OtherLog { count }));
    }

    #[test]
    fn a_token_in_memory_is_valid_while_its_replica_is_open() {
        let files = files();
        let mut ours = open(&files.ours);
        give(&mut ours, &scattered("alice", 0));
        let (mut theirs, mut responder) = (blind(&[]), responder());
        let (result, _) = run(&mut session(1), &mut ours, &mut responder, &mut theirs, NOW).unwrap();
        let token = token_of(result);
        drop(ours);
        let mut ours = open(&files.ours);
        assert_eq!(token.to_bytes(&ours, &KEY), Err(ResumeError::OtherReplica));
        let mut push = policysync::sync::Push::after(token.clone(), &SyncOptions::new());
        assert_eq!(push.next_message(&ours), Err(SyncError::OtherReplica));
        let (result, _) = run(&mut next(token, 2), &mut ours, &mut responder, &mut theirs, NOW).unwrap();
        assert!(result.is_converged());
    }
}

#[test]
fn a_token_of_another_log_is_refused() {
    let (ours, theirs, responder, token, ops) = converged();
    let saved = token.to_bytes(&ours, &KEY).unwrap();
    assert_eq!(token.to_bytes(&theirs, &KEY), Err(ResumeError::OtherReplica));
    let read = |replica: &Replica| ResumeToken::from_bytes(&saved, replica, &KEY);
    assert_eq!(read(&ours), Ok(token));
    // The same operations in another order of arrival; fewer; other operations.
    assert_eq!(read(&theirs), Err(ResumeError::OtherLog { count: 600 }));
    assert_eq!(read(&blind(&ops[..599])), Err(ResumeError::ShorterLog { expected: 600, found: 599 }));
    assert_eq!(read(&blind(&unsigned(1..700))), Err(ResumeError::OtherLog { count: 600 }));
    let arrived: Vec<SignedOp> = ours.log().since(Cursor::START).map(|entry| entry.unwrap().op).collect();
    let mut swapped = arrived.clone();
    swapped.swap(7, 8);
    assert_eq!(read(&blind(&swapped)), Err(ResumeError::OtherLog { count: 600 }));
    // A log with the same operations in the same order is accepted, also with more after them.
    assert!(read(&blind(&arrived)).is_ok());
    assert!(read(&blind(&[arrived, unsigned(600..700)].concat())).is_ok());

    let saved = responder.save_sessions(&theirs);
    let restore = |replica: &Replica| crate::link::responder().restore_sessions(replica, &saved);
    assert_eq!(restore(&theirs), Ok(()));
    assert_eq!(restore(&ours), Err(ResumeError::OtherLog { count: 600 }));
    assert_eq!(restore(&blind(&ops[..9])), Err(ResumeError::ShorterLog { expected: 600, found: 9 }));
}

#[test]
fn bytes_sealed_with_another_key_are_refused() {
    let (ours, theirs, responder, token, _) = converged();
    let saved = token.to_bytes(&ours, &KEY).unwrap();
    assert_eq!(ResumeToken::from_bytes(&saved, &ours, &[8; 32]), Err(ResumeError::Seal));
    let saved = responder.save_sessions(&theirs);
    let mut other = Responder::new([43; 32], SyncOptions::new());
    assert_eq!(other.restore_sessions(&theirs, &saved), Err(ResumeError::Seal));
    // Sessions are not a token, even under the same key.
    assert_eq!(
        ResumeToken::from_bytes(&saved, &ours, &[42; 32]),
        Err(malformed(CodecFault::Tag { found: 0xE8 }, 1))
    );
}

#[test]
fn every_changed_bit_and_every_cut_is_refused() {
    let (ours, theirs, responder, token, _) = converged();
    let token = token.to_bytes(&ours, &KEY).unwrap();
    let sessions = responder.save_sessions(&theirs);
    let mut refuser = crate::link::responder();
    let none = refuser.save_sessions(&theirs);
    for (bytes, is_token) in [(&token, true), (&sessions, false)] {
        let mut read = |bytes: &[u8]| match is_token {
            true => ResumeToken::from_bytes(bytes, &ours, &KEY).map(drop),
            false => refuser.restore_sessions(&theirs, bytes),
        };
        for bit in 0..8 * bytes.len() {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&changed).is_err(), "bit {bit}");
        }
        for len in 0..bytes.len() {
            let fault = read(&bytes[..len]).unwrap_err();
            let cut =
                matches!(fault, ResumeError::Malformed(CodecError { fault: CodecFault::Truncated, .. }));
            assert!(cut, "{len} bytes: {fault}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(read(&longer), Err(malformed(CodecFault::TrailingBytes, bytes.len())));
        let mut later = bytes.clone();
        later[1] = RESUME_VERSION + 1;
        assert_eq!(read(&later), Err(ResumeError::Version { found: 3, known: 2 }));
    }
    assert_eq!(refuser.save_sessions(&theirs), none, "refused sessions were restored");
}

/// Sessions saved before their end differ from what the initiator remembers.
#[test]
fn a_session_that_was_saved_too_early_is_not_resumed() {
    let ops = unsigned(0..2000);
    let (mut ours, mut theirs) = (blind(&ops[..1500]), blind(&ops[500..]));
    let mut first = responder();
    let mut session = session(1);
    let mut early = Vec::new();
    while let Some(request) = session.next_message(&ours).unwrap() {
        let reply = first.respond(&mut theirs, NOW, &request).unwrap();
        session.receive(&mut ours, NOW, &reply.message).unwrap();
        early.push(first.save_sessions(&theirs));
    }
    let token = token_of(session.result().unwrap().clone());
    assert!(early.len() > 2);
    let more = unsigned(3000..3100);
    give(&mut ours, &more[..50]);
    give(&mut theirs, &more[50..]);
    let count = early.len();
    for (at, saved) in early.into_iter().enumerate() {
        let mut second = responder();
        second.restore_sessions(&theirs, &saved).unwrap();
        let hello = next(token.clone(), 2).next_message(&ours).unwrap().unwrap();
        let reply = second.respond(&mut theirs, NOW, &hello).unwrap();
        // The flag for resumption follows the nonce and a cursor of two bytes.
        let resumed = reply.message[30] == 1;
        let same = first.respond(&mut theirs, NOW, &hello).unwrap().message == reply.message;
        assert_eq!(resumed, same, "{at}");
        if at + 1 == count {
            assert!(resumed, "all transferred operations were saved");
        }
        if at == 0 {
            assert!(!resumed);
        }
    }
    let mut second = responder();
    second.restore_sessions(&theirs, &first.save_sessions(&theirs)).unwrap();
    let (result, progress) = run(&mut next(token, 3), &mut ours, &mut second, &mut theirs, NOW).unwrap();
    assert!(result.is_converged());
    assert_eq!((progress.sent, progress.received.new_ops()), (50, 50));
    assert_eq!(ours.log().digest(), theirs.log().digest());
}

#[test]
fn sessions_in_memory_take_precedence_and_restored_ones_count_as_older() {
    let (mut ours, mut theirs, mut first, token, _) = converged();
    let saved = first.save_sessions(&theirs);
    give(&mut ours, &unsigned(700..710));
    let (result, _) = run(&mut next(token, 2), &mut ours, &mut first, &mut theirs, NOW).unwrap();
    let token = token_of(result);
    let two = first.save_sessions(&theirs);
    // The older version of a session changes nothing.
    first.restore_sessions(&theirs, &saved).unwrap();
    assert_eq!(first.save_sessions(&theirs), two);
    // A responder with a session of its own adds the restored ones before it.
    let mut second = responder();
    let (result, _) = run(&mut session(3), &mut ours, &mut second, &mut theirs, NOW).unwrap();
    assert!(result.is_converged());
    second.restore_sessions(&theirs, &two).unwrap();
    give(&mut ours, &unsigned(710..720));
    let (result, progress) = run(&mut next(token, 4), &mut ours, &mut second, &mut theirs, NOW).unwrap();
    assert!(result.is_converged());
    assert_eq!((progress.sent, progress.received.duplicates), (10, 0));
}

#[test]
fn a_token_is_not_accepted_for_a_log_of_the_same_length_and_last_operation() {
    // The same number of operations and the same last one, but one operation differs.
    let ops = unsigned(0..300);
    let (mut ours, mut theirs) = (blind(&ops), blind(&ops));
    let mut responder = responder();
    let (result, _) = run(&mut session(1), &mut ours, &mut responder, &mut theirs, NOW).unwrap();
    let token = token_of(result);
    let hidden = unsigned(1000..1001);
    let mut other = blind(&[&hidden[..], &ops[1..]].concat());
    let (result, _) = run(&mut next(token, 2), &mut other, &mut responder, &mut theirs, NOW).unwrap();
    assert!(matches!(result, SessionResult::Converged { count: 301, .. }), "{result:?}");
    assert_eq!(other.log().digest(), theirs.log().digest());
    // The same on the side of the responder.
    let (result, _) = run(&mut session(3), &mut ours, &mut responder, &mut theirs, NOW).unwrap();
    let token = token_of(result);
    let mut ops = unsigned(0..300);
    ops.push(hidden[0].clone());
    ops.swap(0, 299);
    let more = unsigned(2000..2001);
    ops[5] = more[0].clone();
    let mut theirs = blind(&ops);
    let (result, _) = run(&mut next(token, 4), &mut ours, &mut responder, &mut theirs, NOW).unwrap();
    assert!(result.is_converged());
    assert_eq!(ours.log().digest(), theirs.log().digest());
}

/// Computes the digest of the log as the manual's `format` page describes it.
fn prefix_digest(replica: &Replica) -> [u8; 32] {
    let crypto = crypto();
    let hashes: Vec<u8> =
        replica.log().since(Cursor::START).flat_map(|entry| *entry.unwrap().hash.as_bytes()).collect();
    let (pages, rest) = hashes.as_chunks::<{ 4096 * 32 }>();
    let mut message = b"policysync/log/prefix/v1".to_vec();
    message.extend_from_slice(&u32::try_from(replica.log().len()).unwrap().to_le_bytes());
    pages.iter().for_each(|page| message.extend_from_slice(crypto.hash(page).as_bytes()));
    message.extend_from_slice(rest);
    *crypto.hash(&message).as_bytes()
}

/// Full pages are hashed once. The digest of a log does not depend on the calls made while it grew.
#[test]
fn the_digest_of_a_growing_log_is_the_documented_one() {
    let (mut ours, mut theirs) = (blind(&[]), blind(&[]));
    let mut responder = responder();
    let mut asked = 0;
    for end in [100, 4096, 5000, 12_288, 12_289] {
        give(&mut ours, &unsigned(asked..end));
        give(&mut theirs, &unsigned(asked..end));
        asked = end;
        let (result, _) = run(&mut session(1), &mut ours, &mut responder, &mut theirs, NOW).unwrap();
        let bytes = token_of(result).to_bytes(&ours, &KEY).unwrap();
        let (before, _seal) = bytes.split_last_chunk::<32>().unwrap();
        assert_eq!(before.last_chunk(), Some(&prefix_digest(&ours)), "{end} operations");
        assert!(ResumeToken::from_bytes(&bytes, &ours, &KEY).is_ok());
    }
}

/// A peer chooses its nonce, and two logs may be equally long. Then their sessions have the same name.
#[test]
fn one_responder_distinguishes_the_sessions_of_two_replicas() {
    let mut ours = blind(&unsigned(0..5));
    let (mut begun, mut complete) = (blind(&[]), blind(&[]));
    let mut responder = responder();
    let hello = session(1).next_message(&ours).unwrap().unwrap();
    responder.respond(&mut begun, NOW, &hello).unwrap();
    let (result, _) = run(&mut session(1), &mut ours, &mut responder, &mut complete, NOW).unwrap();
    // The operations of the second log are not common with the first, which is empty.
    let (result, _) =
        run(&mut next(token_of(result), 2), &mut ours, &mut responder, &mut begun, NOW).unwrap();
    assert!(matches!(result, SessionResult::Converged { .. }), "{result:?}");
    assert_eq!(ours.log().digest(), begun.log().digest());
    // Each session is saved for its own log.
    for replica in [&begun, &complete] {
        responder.restore_sessions(replica, &responder.save_sessions(replica)).unwrap();
    }
}

#[test]
fn the_newest_1024_sessions_are_remembered() {
    let ops = unsigned(0..10);
    let (ours, mut theirs) = (blind(&ops[..5]), blind(&ops));
    let mut responder = responder();
    let mut lengths = Vec::new();
    for number in 0..1030_u128 {
        let mut session = SyncSession::new(SyncOptions::new(), number.to_le_bytes());
        let hello = session.next_message(&ours).unwrap().unwrap();
        responder.respond(&mut theirs, NOW, &hello).unwrap();
        lengths.push(responder.save_sessions(&theirs).len());
    }
    let saved = responder.save_sessions(&theirs);
    // The integer 1024.
    assert_eq!(saved[2..4], [0x80, 0x08]);
    assert_eq!(lengths[1023..].iter().max(), lengths[1023..].iter().min());
    let mut again = crate::link::responder();
    again.restore_sessions(&theirs, &saved).unwrap();
    assert_eq!(again.save_sessions(&theirs), saved);
}

/// Runs a session in this version. Returns the bytes of what both sides keep, and the two replicas.
fn kept_after_a_session(version: u8) -> (String, Replica, Replica) {
    let op = |n: u64| set("alice", 1_759_999_999_000 + n, 0, "title", "x");
    let ops: Vec<SignedOp> = (0..12).map(op).collect();
    let replica = |ops: &[SignedOp]| {
        let mut replica = Replica::open(knowing(&["alice"])).unwrap();
        give(&mut replica, ops);
        replica
    };
    let (mut ours, mut theirs) = (replica(&ops[..8]), replica(&ops[4..10]));
    let mut responder = responder();
    let mut session = session(1);
    let mut request = session.next_message(&ours).unwrap().unwrap();
    if version == 1 {
        session.receive(&mut ours, NOW, &Alert::Version.to_message()).unwrap();
        request = session.next_message(&ours).unwrap().unwrap();
    }
    // An operation that arrives from elsewhere makes a gap.
    give(&mut ours, &ops[11..]);
    let reply = responder.respond(&mut theirs, NOW, &request).unwrap();
    give(&mut theirs, &ops[10..11]);
    session.receive(&mut ours, NOW, &reply.message).unwrap();
    let (result, _) = run(&mut session, &mut ours, &mut responder, &mut theirs, NOW).unwrap();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let hashes = |replica: &Replica| -> String {
        let entries = replica.log().since(policysync::oplog::Cursor::START);
        entries.map(|entry| format!(" {}", entry.unwrap().hash)).collect()
    };
    let token = token_of(result).to_bytes(&ours, &KEY).unwrap();
    let file = format!(
        "base: {}\nof:{}\nsessions: {}\nof:{}\n",
        hex(&token),
        hashes(&ours),
        hex(&responder.save_sessions(&theirs)),
        hashes(&theirs)
    );
    (file, ours, theirs)
}

#[test]
fn the_bytes_are_those_of_version_2() {
    const FILE: &str = "tests/golden/base-v2.txt";
    let (file, _, _) = kept_after_a_session(2);
    let expected = std::fs::read_to_string(FILE).unwrap_or_default();
    if file != expected {
        let new = format!("{}/base-v2.txt", env!("CARGO_TARGET_TMPDIR"));
        std::fs::write(&new, file).unwrap();
        panic!("{FILE} has other bytes than {new}");
    }
}

#[test]
fn what_version_1_has_kept_is_read() {
    let expected = std::fs::read_to_string("tests/golden/base-v1.txt").unwrap();
    let (file, ours, theirs) = kept_after_a_session(1);
    // A token of a session in version 1 keeps its form.
    assert_eq!(file.lines().next(), expected.lines().next());
    let bytes = |name: &str| -> Vec<u8> {
        let line = expected.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        (0..line.len()).step_by(2).map(|at| u8::from_str_radix(&line[at..at + 2], 16).unwrap()).collect()
    };
    let token = ResumeToken::from_bytes(&bytes("base: "), &ours, &KEY).unwrap();
    let mut restored = responder();
    restored.restore_sessions(&theirs, &bytes("sessions: ")).unwrap();
    assert!(restored.push_after(&theirs, token.id()).is_some());
}
