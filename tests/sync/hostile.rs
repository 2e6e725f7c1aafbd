//! Tests of messages that were changed on the way, and of sets of operations that were made to look alike.

use std::collections::BTreeSet;

use policysync::crypto::Signature;
use policysync::sync::ONE_OP_MESSAGE_BYTES;
use policysync::{Hlc, Incoming, Op, OpHash, Replica, ReplicaOptions, SignedOp, SyncError, SyncSession};

use crate::common::{NOW, Random, knowing, set};
use crate::link::{responder, session, sync};

/// Returns the number of runs, which the environment may set.
fn runs(default: usize) -> usize {
    std::env::var("POLICYSYNC_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(default)
}

/// The operations of two honest replicas before a session. Both know the two actors.
struct World {
    ours: Vec<SignedOp>,
    theirs: Vec<SignedOp>,
}

impl World {
    fn new(common: u64, each: u64) -> Self {
        let op = |actor, n| set(actor, 1_700_000_000_000 + n, 0, "p", "v");
        let both: Vec<SignedOp> = (0..common).map(|n| op("alice", n)).collect();
        let with = |actor| -> Vec<SignedOp> {
            both.iter().cloned().chain((common..common + each).map(|n| op(actor, n))).collect()
        };
        Self { ours: with("alice"), theirs: with("bob") }
    }

    fn replicas(&self) -> (Replica, Replica) {
        let with = |ops: &[SignedOp]| {
            let mut replica = Replica::open(knowing(&["alice", "bob"])).unwrap();
            let batch: Vec<Incoming<'_>> = ops.iter().map(Incoming::Op).collect();
            replica.ingest_batch(NOW, &batch).unwrap();
            replica
        };
        (with(&self.ours), with(&self.theirs))
    }

    /// Returns all operations that were ever signed.
    fn all(&self) -> BTreeSet<OpHash> {
        let (ours, theirs) = self.replicas();
        hashes(&ours).union(&hashes(&theirs)).copied().collect()
    }
}

fn hashes(replica: &Replica) -> BTreeSet<OpHash> {
    replica.log().iter().map(|entry| entry.unwrap().hash).collect()
}

/// Runs a session over a channel that may change messages. Returns true if it converged. Checks that the session ends,
/// that no operation is lost, and that no unsigned operation is admitted.
fn through(
    world: &World,
    all: &BTreeSet<OpHash>,
    mut channel: impl FnMut(usize, &mut Vec<u8>),
) -> Result<bool, SyncError> {
    let (mut ours, mut theirs) = world.replicas();
    let before = (hashes(&ours), hashes(&theirs));
    let mut session = session(1);
    let mut responder = responder();
    let mut carried = 0;
    let mut talk = || loop {
        let Some(mut request) = session.next_message(&ours)? else {
            return Ok(session.result().unwrap().is_converged());
        };
        channel(carried, &mut request);
        let mut answer = match responder.respond(&mut theirs, NOW, &request) {
            Ok(reply) => reply.message,
            Err(error) => error.to_alert(),
        };
        channel(carried + 1, &mut answer);
        carried += 2;
        assert!(carried < 200, "it does not end");
        session.receive(&mut ours, NOW, &answer)?;
    };
    let end = talk();
    let after = (hashes(&ours), hashes(&theirs));
    assert!(before.0.is_subset(&after.0) && before.1.is_subset(&after.1));
    assert!(after.0.is_subset(all) && after.1.is_subset(all));
    if end == Ok(true) {
        assert!(after.0.is_subset(&after.1), "the session converged, and the peer lacks operations");
    }
    end
}

/// Returns the messages of a session that nobody disturbs.
fn recorded(world: &World, all: &BTreeSet<OpHash>) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    let end = through(world, all, |_, message| messages.push(message.clone()));
    assert_eq!(end, Ok(true));
    messages
}

#[test]
fn a_recorded_session_with_a_changed_bit_ends() {
    let world = World::new(3, 2);
    let all = world.all();
    let messages = recorded(&world, &all);
    let step = if std::env::var_os("POLICYSYNC_RUNS").is_some() { 1 } else { 11 };
    let (mut tried, mut repaired, mut unnoticed) = (0, 0, 0);
    for (at, message) in messages.iter().enumerate() {
        for bit in (0..8 * message.len()).step_by(step) {
            let mut count = 0;
            let end = through(&world, &all, |carried, message| {
                count += 1;
                if carried == at {
                    message[bit / 8] ^= 1 << (bit % 8);
                }
            });
            tried += 1;
            match end {
                Ok(true) if count > messages.len() => repaired += 1,
                Ok(true) => unnoticed += 1,
                _ => {}
            }
        }
    }
    println!("{tried} bits changed, {repaired} repaired, {unnoticed} unnoticed");
    // An operation that arrives with another kid or signature is refused, and requested and sent again. A quarter of all
    // bytes are operations of the last answer. A first request in version 1 is answered in version 1.
    assert!(repaired * 4 < tried, "{repaired} of {tried}");
    // These bits decide nothing about which operations are equal: the limits of messages, the number and the hint in the
    // first request, by which the responder chooses how much to describe at once, the admission tag, which costs bytes
    // when it is another, an actor in a filter of whom there is no operation (the next session has a new filter), the
    // short id of an operation that the other side lacks in any case, and the wish for one that is there. All else is
    // part of the session's key, of its sums, or of the numbers that both sides must agree on.
    assert!(unnoticed * 12 < tried, "{unnoticed} of {tried}");
}

#[test]
fn a_recorded_session_cut_short_ends() {
    let world = World::new(3, 2);
    let all = world.all();
    for (at, message) in recorded(&world, &all).iter().enumerate() {
        for len in (0..message.len()).step_by(3) {
            let end = through(&world, &all, |carried, message| {
                if carried == at {
                    message.truncate(len);
                }
            });
            assert!(end.is_err(), "message {at} cut to {len} bytes: {end:?}");
        }
    }
}

#[test]
fn a_replayed_session_changes_nothing() {
    let world = World::new(100, 70);
    let (mut ours, mut theirs) = world.replicas();
    let mut responder = responder();
    let mut first = session(1);
    let mut requests = Vec::new();
    while let Some(request) = first.next_message(&ours).unwrap() {
        let reply = responder.respond(&mut theirs, NOW, &request).unwrap();
        first.receive(&mut ours, NOW, &reply.message).unwrap();
        requests.push(request);
    }
    let digest = theirs.log().digest();
    for request in &requests {
        let reply = responder.respond(&mut theirs, NOW, request).unwrap();
        assert_eq!(reply.received.new_ops(), 0);
    }
    assert_eq!(theirs.log().digest(), digest);
}

#[test]
fn sessions_over_a_channel_that_mutates_end() {
    let world = World::new(4, 3);
    let all = world.all();
    let seed = std::env::var("POLICYSYNC_SEED").ok().and_then(|seed| seed.parse().ok());
    let first = seed.unwrap_or(0);
    let count = if seed.is_some() { 1 } else { runs(300) };
    for seed in first..first + count as u64 {
        let mut random = Random(seed);
        let mut earlier: Vec<Vec<u8>> = Vec::new();
        println!("seed {seed}");
        // An error is allowed. `through` checks the rest.
        _ = through(&world, &all, |_, message| {
            earlier.push(message.clone());
            mutate(message, &earlier, &mut random);
        });
    }
}

/// Changes a message at random, or leaves it unchanged.
pub fn mutate(message: &mut Vec<u8>, earlier: &[Vec<u8>], random: &mut Random) {
    let at = random.below(message.len().max(1));
    match random.below(12) {
        0 => message.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1),
        1 => message.iter_mut().skip(at).take(1).for_each(|byte| *byte = 0xff),
        2 => message.truncate(at),
        3 => message.insert(at, 0),
        4 => drop(message.drain(at..(at + 3).min(message.len()))),
        5 => *message = earlier[random.below(earlier.len())].clone(),
        6 => message.iter_mut().skip(at).take(8).for_each(|byte| *byte = byte.wrapping_add(1)),
        7 if message.len() > 20 => {
            let (from, to) = (random.below(message.len() - 8), random.below(message.len() - 8));
            message.copy_within(from..from + 8, to);
        }
        8 => message.extend_from_slice(&[0; 5]),
        _ => {}
    }
}

#[test]
fn a_message_over_the_limit_is_not_read() {
    let world = World::new(1, 1);
    let (mut ours, mut theirs) = world.replicas();
    let long = vec![0xE1; ONE_OP_MESSAGE_BYTES + 1];
    let error = SyncError::TooLarge { len: ONE_OP_MESSAGE_BYTES + 1, limit: ONE_OP_MESSAGE_BYTES };
    assert_eq!(responder().respond(&mut theirs, NOW, &long), Err(error.clone()));
    let mut session = session(1);
    session.next_message(&ours).unwrap();
    assert_eq!(session.receive(&mut ours, NOW, &long), Err(error));
}

#[test]
fn a_message_of_another_version_is_refused_with_its_number() {
    let world = World::new(1, 1);
    let (ours, mut theirs) = world.replicas();
    let mut request = session(1).next_message(&ours).unwrap().unwrap();
    request[1] = 3;
    let error = responder().respond(&mut theirs, NOW, &request).unwrap_err();
    assert_eq!(error.to_string(), "the peer speaks version 3 of the protocol, this library version 2");
}

/// Sets of operations whose author chose the values.
mod collisions {
    use super::*;

    fn blind(ops: &[SignedOp]) -> Replica {
        let options = ReplicaOptions::new().dangerously_accept_unverified();
        let mut replica = Replica::open(options).unwrap();
        let batch: Vec<Incoming<'_>> = ops.iter().map(Incoming::Op).collect();
        replica.ingest_batch(NOW, &batch).unwrap();
        replica
    }

    /// Returns operations with their hashes, for an author to choose from.
    fn grind(count: usize) -> Vec<(OpHash, SignedOp)> {
        let op = |n: usize| {
            let value = format!("{n}");
            let ts = Hlc::new(1_700_000_000_000, 0).unwrap();
            let op = Op::lww_set("mallory", ts, ("Task", "t1", "title"), value).unwrap();
            SignedOp::new(op, "k", Signature::from_bytes([7; 64])).unwrap()
        };
        let ops: Vec<SignedOp> = (0..count).map(op).collect();
        let replica = blind(&ops);
        let cursor = policysync::oplog::Cursor::START;
        replica.log().since(cursor).map(|entry| entry.unwrap()).map(|entry| (entry.hash, entry.op)).collect()
    }

    /// Runs a session between two sides with common operations, of which each has one part of a collision. Checks that
    /// each receives the other part.
    fn assert_reconciles(left: &[SignedOp], right: &[SignedOp]) {
        let common = World::new(300, 0).ours;
        let with = |ops: &[SignedOp]| blind(&common.iter().chain(ops).cloned().collect::<Vec<_>>());
        let (mut ours, mut theirs) = (with(left), with(right));
        assert_ne!(ours.log().digest(), theirs.log().digest());
        let (result, _) = sync(&mut ours, &mut theirs, NOW);
        assert!(result.is_converged(), "{result:?}");
        assert_eq!(ours.log().digest(), theirs.log().digest());
        assert_eq!(ours.log().len(), 300 + left.len() + right.len());
    }

    #[test]
    fn sets_with_one_xor_still_reconcile() {
        // Linear algebra finds pairs of operations whose differences have an XOR of zero.
        let ops = grind(2 * 257);
        let mut rows: Vec<([u8; 32], BTreeSet<usize>)> = Vec::new();
        let mut chosen = None;
        for (number, pair) in ops.chunks(2).enumerate() {
            let (a, b) = (pair[0].0.as_bytes(), pair[1].0.as_bytes());
            let mut difference: [u8; 32] = std::array::from_fn(|at| a[at] ^ b[at]);
            let mut members = BTreeSet::from([number]);
            for (row, others) in &rows {
                let lead = row.iter().position(|byte| *byte != 0).unwrap();
                let bit = 0x80_u8 >> row[lead].leading_zeros();
                if difference[lead] & bit != 0 {
                    difference.iter_mut().zip(row).for_each(|(byte, other)| *byte ^= other);
                    members = members.symmetric_difference(others).copied().collect();
                }
            }
            if difference == [0; 32] {
                chosen = Some(members);
                break;
            }
            // The leading bit of each row is zero in all later rows.
            rows.push((difference, members));
        }
        let chosen = chosen.expect("257 vectors of 256 bits are dependent");
        let side = |which: usize| -> Vec<SignedOp> {
            chosen.iter().map(|number| ops[2 * number + which].1.clone()).collect()
        };
        let xor = |side: &[SignedOp]| {
            let replica = blind(side);
            hashes(&replica).iter().fold([0; 32], |mut sum: [u8; 32], hash| {
                sum.iter_mut().zip(hash.as_bytes()).for_each(|(byte, other)| *byte ^= other);
                sum
            })
        };
        let (left, right) = (side(0), side(1));
        assert_eq!(xor(&left), xor(&right), "no collision");
        assert_eq!(left.len(), right.len());
        assert_reconciles(&left, &right);
    }

    #[test]
    fn sets_with_one_unkeyed_sum_still_reconcile() {
        // Wagner's generalized birthday attack with four lists, over the first 36 bits of the hash.
        const BITS: u32 = 36;
        const LIST: usize = 6000;
        let ops = grind(4 * LIST);
        let number = |hash: &OpHash| {
            let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
            u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> (64 - BITS)
        };
        let mask = (1_u64 << BITS) - 1;
        let low = (1_u64 << (BITS / 3)) - 1;
        let lists: Vec<&[(OpHash, SignedOp)]> = ops.chunks(LIST).collect();
        // Pairs whose difference ends in twelve zero bits.
        let pairs = |left: &[(OpHash, SignedOp)], right: &[(OpHash, SignedOp)]| {
            let mut by_low: std::collections::BTreeMap<u64, Vec<usize>> = Default::default();
            for (at, (hash, _)) in right.iter().enumerate() {
                by_low.entry(number(hash) & low).or_default().push(at);
            }
            let mut found = Vec::new();
            for (at, (hash, _)) in left.iter().enumerate() {
                for other in by_low.get(&(number(hash) & low)).into_iter().flatten() {
                    let difference = number(hash).wrapping_sub(number(&right[*other].0)) & mask;
                    found.push((difference, at, *other));
                }
            }
            found
        };
        let first = pairs(lists[0], lists[1]);
        let second: std::collections::BTreeMap<u64, (usize, usize)> =
            pairs(lists[2], lists[3]).into_iter().map(|(difference, a, b)| (difference, (a, b))).collect();
        // a - b + c - d = 0.
        let found = first.iter().find_map(|(difference, a, b)| {
            let (c, d) = second.get(&(difference.wrapping_neg() & mask))?;
            Some((*a, *b, *c, *d))
        });
        let (a, b, c, d) = found.expect("lists of this length have one");
        let left = [lists[0][a].1.clone(), lists[2][c].1.clone()];
        let right = [lists[1][b].1.clone(), lists[3][d].1.clone()];
        let sum = |side: &[SignedOp]| {
            hashes(&blind(side)).iter().fold(0_u64, |sum, hash| sum.wrapping_add(number(hash)) & mask)
        };
        assert_eq!(sum(&left), sum(&right), "no collision");
        assert_reconciles(&left, &right);
    }
}

#[test]
fn sessions_may_move_between_threads() {
    fn is_send<T: Send>() {}
    is_send::<SyncSession>();
    is_send::<policysync::Responder>();
    is_send::<policysync::sync::Push>();
}
