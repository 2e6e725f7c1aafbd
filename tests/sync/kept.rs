//! What two replicas have in common, kept over a restart of either: it saves what it saved before, and where it is not
//! about the log in front of it, it is not believed.

use policysync::crypto::Signature;
use policysync::oplog::Cursor;
use policysync::sync::{BASE_VERSION, BaseError, Finish, MessageFault, SyncBase};
use policysync::{Hlc, Incoming, Op, Replica, ReplicaOptions, Responder, SignedOp, SyncOptions, SyncSession};

use crate::common::{NOW, crypto, knowing, set};
use crate::link::{responder, run, session};

/// The key that bases are sealed with.
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

/// Operations that nobody has signed.
fn unsigned(numbers: std::ops::Range<u64>) -> Vec<SignedOp> {
    let op = |number: u64| {
        let ts = Hlc::new(1_700_000_000_000 + number, 0).unwrap();
        let op = Op::lww_set("a", ts, "Task", "t1", "title", number.to_string()).unwrap();
        SignedOp::new(op, "k", Signature::from_bytes([7; 64])).unwrap()
    };
    numbers.map(op).collect()
}

fn base_of(finish: Finish) -> SyncBase {
    match finish {
        Finish::Converged { base: Some(base), .. } => base,
        other => panic!("{other:?}"),
    }
}

/// A session that goes on from another.
fn next(base: SyncBase, nonce: u8) -> SyncSession {
    SyncSession::new(SyncOptions::new().since(base), [nonce; 16])
}

fn malformed(fault: MessageFault, at: usize) -> BaseError {
    BaseError::Malformed { fault, at }
}

/// Two replicas of 400 operations each, 200 of them common, after a session; what the initiator keeps of it, and the
/// operations.
fn converged() -> (Replica, Replica, Responder, SyncBase, Vec<SignedOp>) {
    let ops = unsigned(0..600);
    let (mut ours, mut theirs) = (blind(&ops[..400]), blind(&ops[200..]));
    let mut responder = responder();
    let (finish, _) = run(&mut session(1), &mut ours, &mut responder, &mut theirs, NOW).unwrap();
    (ours, theirs, responder, base_of(finish), ops)
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

    /// Some of these are ours, the others theirs, without a pattern: they lie scattered among what is common.
    fn scattered(actor: &str, which: usize) -> Vec<SignedOp> {
        let mut random = Random(5);
        let ops = (0..900).map(|n| set(actor, 1_700_000_000_000 + n, 0, &format!("p{n}"), "v"));
        ops.filter(|_| random.below(2) == which).collect()
    }

    /// What the second session costs, when before it those sides that are named begin anew from their files.
    fn second(ours_restarts: bool, theirs_restarts: bool) -> (Progress, SyncBase) {
        let files = files();
        let (mut ours, mut theirs) = (open(&files.ours), open(&files.theirs));
        give(&mut ours, &scattered("alice", 0));
        give(&mut theirs, &scattered("alice", 1));
        let mut responder = responder();
        let (finish, _) = run(&mut session(1), &mut ours, &mut responder, &mut theirs, NOW).unwrap();
        let mut base = base_of(finish);
        assert_eq!(ours.log().len(), 900);
        if ours_restarts {
            let kept = base.to_bytes(&ours, &KEY).unwrap();
            drop(ours);
            ours = open(&files.ours);
            base = SyncBase::from_bytes(&kept, &ours, &KEY).unwrap();
            assert_eq!(base.to_bytes(&ours, &KEY).unwrap(), kept);
        }
        if theirs_restarts {
            let kept = responder.remembered(&theirs);
            drop(theirs);
            theirs = open(&files.theirs);
            responder = crate::link::responder();
            responder.restore(&theirs, &kept).unwrap();
            assert_eq!(responder.remembered(&theirs), kept);
        }
        give(&mut ours, &scattered("bob", 0));
        give(&mut theirs, &scattered("bob", 1));
        let (finish, progress) =
            run(&mut next(base, 2), &mut ours, &mut responder, &mut theirs, NOW).unwrap();
        assert_eq!(ours.log().digest(), theirs.log().digest());
        // And what has come of it is remembered on from there.
        let base = base_of(finish);
        let (finish, last) =
            run(&mut next(base.clone(), 3), &mut ours, &mut responder, &mut theirs, NOW).unwrap();
        assert!(finish.is_converged());
        assert_eq!((last.round_trips, last.bytes_sent < 200), (1, true));
        (progress, base)
    }

    #[test]
    fn a_session_after_a_restart_of_either_side_costs_what_a_repeated_one_costs() {
        let (repeated, _) = second(false, false);
        for (ours, theirs) in [(true, false), (false, true), (true, true)] {
            let (progress, _) = second(ours, theirs);
            assert_eq!(progress, repeated, "restarted: ours {ours}, theirs {theirs}");
        }
        // And less than one from the beginning: 900 more operations are told apart there.
        let files = files();
        let (mut ours, mut theirs) = (open(&files.ours), open(&files.theirs));
        for actor in ["alice", "bob"] {
            give(&mut ours, &scattered(actor, 0));
            give(&mut theirs, &scattered(actor, 1));
        }
        let both: Vec<SignedOp> = (0..2).flat_map(|which| scattered("alice", which)).collect();
        give(&mut ours, &both);
        give(&mut theirs, &both);
        let (_, anew) = run(&mut session(2), &mut ours, &mut responder(), &mut theirs, NOW).unwrap();
        let without_ops = |progress: Progress| {
            progress.bytes_sent + progress.bytes_received
                - progress.op_bytes_sent
                - progress.op_bytes_received
        };
        println!("{} bytes repeated, {} from the beginning", without_ops(repeated), without_ops(anew));
        assert!(without_ops(repeated) < without_ops(anew));
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
        let (finish, _) = run(&mut session(1), &mut ours, &mut responder(), &mut theirs, NOW).unwrap();
        let kept = base_of(finish).to_bytes(&ours, &KEY).unwrap();
        let (all, before) = (ours.log().len() as u64, scattered("alice", 0).len() as u64);
        drop(ours);
        let mut ours = open(&backup);
        let shorter = BaseError::ShorterLog { expected: all, found: before };
        assert_eq!(SyncBase::from_bytes(&kept, &ours, &KEY), Err(shorter));
        // When as many others have come, it is not the log that it was.
        give(&mut ours, &scattered("bob", 1));
        give(&mut ours, &scattered("alice", 1));
        assert!(ours.log().len() as u64 >= all);
        assert_eq!(SyncBase::from_bytes(&kept, &ours, &KEY), Err(BaseError::OtherLog { count: all }));
    }

    #[test]
    fn a_responder_on_a_restored_backup_remembers_nothing() {
        let files = files();
        let backup = files.theirs.with_extension("backup");
        let mut theirs = open(&files.theirs);
        give(&mut theirs, &scattered("alice", 0));
        theirs.back_up(&backup).unwrap();
        let mut ours = blind(&scattered("alice", 1));
        let mut first = responder();
        run(&mut session(1), &mut ours, &mut first, &mut theirs, NOW).unwrap();
        let kept = first.remembered(&theirs);
        let mut theirs = open(&backup);
        let mut second = responder();
        assert!(matches!(second.restore(&theirs, &kept), Err(BaseError::ShorterLog { .. })));
        give(&mut theirs, &scattered("bob", 0));
        give(&mut theirs, &scattered("bob", 1));
        assert!(matches!(second.restore(&theirs, &kept), Err(BaseError::OtherLog { .. })));
        assert_eq!(second.remembered(&theirs), responder().remembered(&theirs));
    }

    #[test]
    fn a_salvaged_store_numbers_its_operations_anew_and_is_refused() {
        let files = files();
        let saved = files.ours.with_extension("saved");
        let mut ours = open(&files.ours);
        give(&mut ours, &scattered("alice", 0));
        let (finish, _) = run(&mut session(1), &mut ours, &mut responder(), &mut blind(&[]), NOW).unwrap();
        let kept = base_of(finish).to_bytes(&ours, &KEY).unwrap();
        let count = ours.log().len() as u64;
        drop(ours);
        let connection = rusqlite::Connection::open(&files.ours).unwrap();
        connection.execute_batch("UPDATE ops SET op = x'01' WHERE arrival = 5").unwrap();
        connection.close().unwrap();
        let mut keys = policysync::KeyRegistry::new();
        ["alice", "bob"].iter().for_each(|actor| keys.register(key(actor).public_key().clone()).unwrap());
        let salvaged = StoreCheck::new(&files.ours, &keys).salvage(crypto(), &saved).unwrap();
        assert_eq!(u64::from(salvaged.saved), count - 1);
        let mut ours = open(&saved);
        let shorter = BaseError::ShorterLog { expected: count, found: count - 1 };
        assert_eq!(SyncBase::from_bytes(&kept, &ours, &KEY), Err(shorter));
        give(&mut ours, &scattered("alice", 1));
        assert_eq!(SyncBase::from_bytes(&kept, &ours, &KEY), Err(BaseError::OtherLog { count }));
    }

    #[test]
    fn a_base_in_memory_ends_with_the_replica_that_it_is_about() {
        let files = files();
        let mut ours = open(&files.ours);
        give(&mut ours, &scattered("alice", 0));
        let (mut theirs, mut responder) = (blind(&[]), responder());
        let (finish, _) = run(&mut session(1), &mut ours, &mut responder, &mut theirs, NOW).unwrap();
        let base = base_of(finish);
        drop(ours);
        let mut ours = open(&files.ours);
        assert_eq!(base.to_bytes(&ours, &KEY), Err(BaseError::OtherReplica));
        let mut push = policysync::sync::Push::after(base.clone(), &SyncOptions::new());
        assert_eq!(push.next_message(&ours), Err(SyncError::OtherReplica));
        let (finish, _) = run(&mut next(base, 2), &mut ours, &mut responder, &mut theirs, NOW).unwrap();
        assert!(finish.is_converged());
    }
}

#[test]
fn a_base_of_another_log_is_refused() {
    let (ours, theirs, responder, base, ops) = converged();
    let kept = base.to_bytes(&ours, &KEY).unwrap();
    assert_eq!(base.to_bytes(&theirs, &KEY), Err(BaseError::OtherReplica));
    let read = |replica: &Replica| SyncBase::from_bytes(&kept, replica, &KEY);
    assert_eq!(read(&ours), Ok(base));
    // The same operations, and more, in another order of arrival; fewer; and others.
    assert_eq!(read(&theirs), Err(BaseError::OtherLog { count: 600 }));
    assert_eq!(read(&blind(&ops[..599])), Err(BaseError::ShorterLog { expected: 600, found: 599 }));
    assert_eq!(read(&blind(&unsigned(1..700))), Err(BaseError::OtherLog { count: 600 }));
    let mut swapped = ops.clone();
    swapped.swap(7, 8);
    assert_eq!(read(&blind(&swapped)), Err(BaseError::OtherLog { count: 600 }));
    // The same operations in the same order are the same log, wherever it lies, and however it has grown.
    assert!(read(&blind(&ops)).is_ok());
    assert!(read(&blind(&unsigned(0..700))).is_ok());

    let kept = responder.remembered(&theirs);
    let restore = |replica: &Replica| crate::link::responder().restore(replica, &kept);
    assert_eq!(restore(&theirs), Ok(()));
    assert_eq!(restore(&ours), Err(BaseError::OtherLog { count: 600 }));
    assert_eq!(restore(&blind(&ops[..9])), Err(BaseError::ShorterLog { expected: 600, found: 9 }));
}

#[test]
fn what_is_sealed_with_another_key_is_refused() {
    let (ours, theirs, responder, base, _) = converged();
    let kept = base.to_bytes(&ours, &KEY).unwrap();
    assert_eq!(SyncBase::from_bytes(&kept, &ours, &[8; 32]), Err(BaseError::Seal));
    let kept = responder.remembered(&theirs);
    let mut other = Responder::new([43; 32], SyncOptions::new());
    assert_eq!(other.restore(&theirs, &kept), Err(BaseError::Seal));
    // One is not the other, under one key too.
    assert_eq!(
        SyncBase::from_bytes(&kept, &ours, &[42; 32]),
        Err(malformed(MessageFault::Tag { found: 0xE8 }, 1))
    );
}

#[test]
fn every_changed_bit_and_every_cut_is_refused() {
    let (ours, theirs, responder, base, _) = converged();
    let base = base.to_bytes(&ours, &KEY).unwrap();
    let sessions = responder.remembered(&theirs);
    let mut refuser = crate::link::responder();
    let none = refuser.remembered(&theirs);
    for (bytes, is_base) in [(&base, true), (&sessions, false)] {
        let mut read = |bytes: &[u8]| match is_base {
            true => SyncBase::from_bytes(bytes, &ours, &KEY).map(drop),
            false => refuser.restore(&theirs, bytes),
        };
        for bit in 0..8 * bytes.len() {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&changed).is_err(), "bit {bit}");
        }
        for len in 0..bytes.len() {
            let fault = read(&bytes[..len]).unwrap_err();
            let cut = matches!(fault, BaseError::Malformed { fault: MessageFault::Truncated, .. });
            assert!(cut, "{len} bytes: {fault}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(read(&longer), Err(malformed(MessageFault::TrailingBytes, bytes.len())));
        let mut later = bytes.clone();
        later[1] = BASE_VERSION + 1;
        assert_eq!(read(&later), Err(BaseError::Version { found: 2, known: 1 }));
    }
    assert_eq!(refuser.remembered(&theirs), none, "nothing of it is left");
}

/// What was written down before the session had ended is not what the initiator remembers of it.
#[test]
fn a_session_that_was_written_down_too_early_does_not_count() {
    let ops = unsigned(0..2000);
    let (mut ours, mut theirs) = (blind(&ops[..1500]), blind(&ops[500..]));
    let mut first = responder();
    let mut session = session(1);
    let mut early = Vec::new();
    while let Some(request) = session.next_message(&ours).unwrap() {
        let reply = first.respond(&mut theirs, NOW, &request).unwrap();
        session.receive(&mut ours, NOW, &reply.message).unwrap();
        early.push(first.remembered(&theirs));
    }
    let base = base_of(session.finish().unwrap().clone());
    assert!(early.len() > 2);
    let more = unsigned(3000..3100);
    give(&mut ours, &more[..50]);
    give(&mut theirs, &more[50..]);
    let count = early.len();
    for (at, kept) in early.into_iter().enumerate() {
        let mut second = responder();
        second.restore(&theirs, &kept).unwrap();
        let hello = next(base.clone(), 2).next_message(&ours).unwrap().unwrap();
        let reply = second.respond(&mut theirs, NOW, &hello).unwrap();
        // Behind its nonce and its cursor of two bytes the answer says whether it goes on.
        let goes_on = reply.message[30] == 1;
        let same = first.respond(&mut theirs, NOW, &hello).unwrap().message == reply.message;
        assert_eq!(goes_on, same, "{at}");
        if at + 1 == count {
            assert!(goes_on, "what was moved is all there");
        }
        if at == 0 {
            assert!(!goes_on);
        }
    }
    let mut second = responder();
    second.restore(&theirs, &first.remembered(&theirs)).unwrap();
    let (finish, progress) = run(&mut next(base, 3), &mut ours, &mut second, &mut theirs, NOW).unwrap();
    assert!(finish.is_converged());
    assert_eq!((progress.sent, progress.received), (50, 50));
    assert_eq!(ours.log().digest(), theirs.log().digest());
}

#[test]
fn what_is_known_better_is_kept_and_old_sessions_come_before_new_ones() {
    let (mut ours, mut theirs, mut first, base, _) = converged();
    let kept = first.remembered(&theirs);
    give(&mut ours, &unsigned(700..710));
    let (finish, _) = run(&mut next(base, 2), &mut ours, &mut first, &mut theirs, NOW).unwrap();
    let base = base_of(finish);
    let two = first.remembered(&theirs);
    // The older one adds nothing to what is known here.
    first.restore(&theirs, &kept).unwrap();
    assert_eq!(first.remembered(&theirs), two);
    // A responder that has begun with one of its own gets the older ones in front.
    let mut second = responder();
    let (finish, _) = run(&mut session(3), &mut ours, &mut second, &mut theirs, NOW).unwrap();
    assert!(finish.is_converged());
    second.restore(&theirs, &two).unwrap();
    give(&mut ours, &unsigned(710..720));
    let (finish, progress) = run(&mut next(base, 4), &mut ours, &mut second, &mut theirs, NOW).unwrap();
    assert!(finish.is_converged());
    assert_eq!((progress.sent, progress.known), (10, 0));
}

#[test]
fn a_base_is_not_taken_for_one_of_a_log_that_ends_alike() {
    // The same number of operations, the same last one, and one that is not there.
    let ops = unsigned(0..300);
    let (mut ours, mut theirs) = (blind(&ops), blind(&ops));
    let mut responder = responder();
    let (finish, _) = run(&mut session(1), &mut ours, &mut responder, &mut theirs, NOW).unwrap();
    let base = base_of(finish);
    let hidden = unsigned(1000..1001);
    let mut other = blind(&[&hidden[..], &ops[1..]].concat());
    let (finish, _) = run(&mut next(base, 2), &mut other, &mut responder, &mut theirs, NOW).unwrap();
    assert!(matches!(finish, Finish::Converged { count: 301, .. }), "{finish:?}");
    assert_eq!(other.log().digest(), theirs.log().digest());
    // And the same on the side that answers.
    let (finish, _) = run(&mut session(3), &mut ours, &mut responder, &mut theirs, NOW).unwrap();
    let base = base_of(finish);
    let mut ops = unsigned(0..300);
    ops.push(hidden[0].clone());
    ops.swap(0, 299);
    let more = unsigned(2000..2001);
    ops[5] = more[0].clone();
    let mut theirs = blind(&ops);
    let (finish, _) = run(&mut next(base, 4), &mut ours, &mut responder, &mut theirs, NOW).unwrap();
    assert!(finish.is_converged());
    assert_eq!(ours.log().digest(), theirs.log().digest());
}

/// Whoever begins sessions by the thousand makes a responder remember no more for it.
/// What the manual's page `format` says that the digest is, computed anew from the log.
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

/// Full pages are hashed once; what is said of a log that has grown since is what a log says that was as long at once.
#[test]
fn the_digest_of_a_long_log_is_the_documented_one_however_it_grew() {
    let (mut ours, mut theirs) = (blind(&[]), blind(&[]));
    let mut responder = responder();
    let mut asked = 0;
    for end in [100, 4096, 5000, 12_288, 12_289] {
        give(&mut ours, &unsigned(asked..end));
        give(&mut theirs, &unsigned(asked..end));
        asked = end;
        let (finish, _) = run(&mut session(1), &mut ours, &mut responder, &mut theirs, NOW).unwrap();
        let bytes = base_of(finish).to_bytes(&ours, &KEY).unwrap();
        let (before, _seal) = bytes.split_last_chunk::<32>().unwrap();
        assert_eq!(before.last_chunk(), Some(&prefix_digest(&ours)), "{end} operations");
        assert!(SyncBase::from_bytes(&bytes, &ours, &KEY).is_ok());
    }
}

/// A peer chooses its nonce, and two logs may be equally long: then their sessions have one name.
#[test]
fn one_responder_tells_the_sessions_of_two_replicas_apart() {
    let mut ours = blind(&unsigned(0..5));
    let (mut begun, mut finished) = (blind(&[]), blind(&[]));
    let mut responder = responder();
    let hello = session(1).next_message(&ours).unwrap().unwrap();
    responder.respond(&mut begun, NOW, &hello).unwrap();
    let (finish, _) = run(&mut session(1), &mut ours, &mut responder, &mut finished, NOW).unwrap();
    // What arrived in the second log means nothing to the first, which holds nothing yet.
    let (finish, _) = run(&mut next(base_of(finish), 2), &mut ours, &mut responder, &mut begun, NOW).unwrap();
    assert!(matches!(finish, Finish::Converged { .. }), "{finish:?}");
    assert_eq!(ours.log().digest(), begun.log().digest());
    // Both are written down, each for its own log.
    for replica in [&begun, &finished] {
        responder.restore(replica, &responder.remembered(replica)).unwrap();
    }
}

#[test]
fn no_more_than_1024_sessions_are_remembered_the_newest() {
    let ops = unsigned(0..10);
    let (ours, mut theirs) = (blind(&ops[..5]), blind(&ops));
    let mut responder = responder();
    let mut lengths = Vec::new();
    for number in 0..1030_u128 {
        let mut session = SyncSession::new(SyncOptions::new(), number.to_le_bytes());
        let hello = session.next_message(&ours).unwrap().unwrap();
        responder.respond(&mut theirs, NOW, &hello).unwrap();
        lengths.push(responder.remembered(&theirs).len());
    }
    let kept = responder.remembered(&theirs);
    // 1024 in seven bits a byte.
    assert_eq!(kept[2..4], [0x80, 0x08]);
    assert_eq!(lengths[1023..].iter().max(), lengths[1023..].iter().min());
    let mut again = crate::link::responder();
    again.restore(&theirs, &kept).unwrap();
    assert_eq!(again.remembered(&theirs), kept);
}

#[test]
fn the_bytes_are_those_of_version_1() {
    const FILE: &str = "tests/golden/base-v1.txt";
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
    let request = session.next_message(&ours).unwrap().unwrap();
    // What arrives otherwise meanwhile makes a gap.
    give(&mut ours, &ops[11..]);
    let reply = responder.respond(&mut theirs, NOW, &request).unwrap();
    give(&mut theirs, &ops[10..11]);
    session.receive(&mut ours, NOW, &reply.message).unwrap();
    let (finish, _) = run(&mut session, &mut ours, &mut responder, &mut theirs, NOW).unwrap();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let hashes = |replica: &Replica| -> String {
        let entries = replica.log().since(policysync::oplog::Cursor::START);
        entries.map(|entry| format!(" {}", entry.unwrap().hash)).collect()
    };
    let base = base_of(finish).to_bytes(&ours, &KEY).unwrap();
    let file = format!(
        "base: {}\nof:{}\nsessions: {}\nof:{}\n",
        hex(&base),
        hashes(&ours),
        hex(&responder.remembered(&theirs)),
        hashes(&theirs)
    );
    let expected = std::fs::read_to_string(FILE).unwrap_or_default();
    if file != expected {
        let new = format!("{}/base-v1.txt", env!("CARGO_TARGET_TMPDIR"));
        std::fs::write(&new, file).unwrap();
        panic!("{FILE} has other bytes than {new}");
    }
}
