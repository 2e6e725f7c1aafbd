//! The two sides of a session with their operations.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use policysync::sync::{ResumeToken, SessionResult};
use policysync::{Incoming, OpHash, Replica, Responder, SignedOp, SyncOptions, SyncSession};

use crate::{NOW, hashes, ingest, reader, relay, set};

/// The number of operations that a session may cover: enough for ranges to be split.
pub const POOL: usize = 240;
/// The most of them that a verifying replica may hold: more take too long.
pub const VERIFIED: usize = 16;

/// Returns operations of all actors in the order of time. Some have equal timestamps, some are forks.
pub fn pool() -> &'static [SignedOp] {
    static POOLED: OnceLock<Vec<SignedOp>> = OnceLock::new();
    POOLED.get_or_init(|| {
        let op = |n: usize| {
            let t = NOW.0 - 10_000 + u64::try_from(n / 3).expect("a small number");
            set(n % 4, t, 0, &format!("p{}", n % 5), format!("value {n}"))
        };
        let fork = |n: usize| set(1, NOW.0 - 9_990, 7, "fork", format!("fork {n}"));
        (0..POOL).map(|n| if n % 8 == 7 { fork(n) } else { op(n) }).collect()
    })
}

/// Returns the hashes of the pool in its order.
pub fn pool_hashes() -> &'static [OpHash] {
    static HASHES: OnceLock<Vec<OpHash>> = OnceLock::new();
    HASHES.get_or_init(|| {
        let mut replica = relay();
        pool()
            .iter()
            .map(|op| match replica.ingest(NOW, op).expect("a relay takes everything") {
                policysync::Outcome::Appended { hash, .. } => hash,
                other => panic!("{other:?}"),
            })
            .collect()
    })
}

/// Returns the hashes of all operations that were ever signed.
pub fn signed() -> &'static BTreeSet<OpHash> {
    static SIGNED: OnceLock<BTreeSet<OpHash>> = OnceLock::new();
    SIGNED.get_or_init(|| pool_hashes().iter().copied().collect())
}

fn holding(numbers: impl Iterator<Item = usize>) -> Replica {
    let mut replica = reader();
    let ops: Vec<&SignedOp> = numbers.map(|n| &pool()[n]).collect();
    ingest(&mut replica, &ops);
    replica
}

/// Opens the replica of the initiator.
pub fn ours() -> Replica {
    holding((0..10).chain(10..13))
}

/// Opens the replica of the responder.
pub fn theirs() -> Replica {
    holding((0..10).chain(13..16))
}

/// Ingests operations of the pool; all must be accepted.
pub fn fill(replica: &mut Replica, ops: &[&SignedOp]) {
    let batch: Vec<Incoming<'_>> = ops.iter().map(|op| Incoming::Op(op)).collect();
    for answer in replica.ingest_batch(NOW, &batch).expect("no guard, no store") {
        answer.expect("an operation of the pool");
    }
}

/// Returns the nonce of a session.
pub fn nonce(number: u8) -> [u8; 16] {
    [number; 16]
}

/// Creates a session.
pub fn session() -> SyncSession {
    SyncSession::new(SyncOptions::new(), nonce(1))
}

/// Creates a responder without earlier sessions.
pub fn responder() -> Responder {
    Responder::new([42; 32], SyncOptions::new())
}

/// Returns the resumption state after a session with a peer that holds the same operations.
pub fn base(replica: &mut Replica) -> ResumeToken {
    let mut responder = responder();
    let mut session = session();
    while let Some(request) = session.next_message(replica).expect("an honest session") {
        let reply = responder.respond(replica, NOW, &request).expect("an honest request");
        session.receive(replica, NOW, &reply.message).expect("an honest answer");
    }
    match session.result() {
        Some(SessionResult::Converged { resume: Some(base), .. }) => base.clone(),
        other => panic!("{other:?}"),
    }
}

/// Runs one honest session. Afterwards both sides must hold the operations of both.
pub fn converge(ours: &mut Replica, theirs: &mut Replica) {
    let all: BTreeSet<OpHash> = hashes(ours).union(&hashes(theirs)).copied().collect();
    let mut responder = responder();
    let mut session = SyncSession::new(SyncOptions::new(), nonce(3));
    while let Some(request) = session.next_message(ours).expect("an honest session") {
        let reply = responder.respond(theirs, NOW, &request).expect("an honest request");
        session.receive(ours, NOW, &reply.message).expect("an honest answer");
    }
    assert!(session.result().is_some_and(SessionResult::is_converged), "{:?}", session.result());
    assert_eq!(hashes(ours), all);
    assert_eq!(hashes(theirs), all);
}
