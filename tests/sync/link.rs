//! Two replicas and a connection that does not fail.

use std::collections::BTreeSet;

use policysync::crypto::Signature;
use policysync::sync::{Alert, Progress, SessionResult};
use policysync::{
    Hlc, Incoming, Op, OpHash, Replica, ReplicaOptions, Responder, SignedOp, SyncError, SyncOptions,
    SyncSession, WallMillis,
};

use crate::common::NOW;

/// Creates a responder.
pub fn responder() -> Responder {
    Responder::new([42; 32], SyncOptions::new())
}

/// Creates a session with a nonce of this number.
pub fn session(number: u8) -> SyncSession {
    SyncSession::new(SyncOptions::new(), [number; 16])
}

/// Runs a session to its end. Returns its result and progress.
pub fn run(
    session: &mut SyncSession,
    ours: &mut Replica,
    responder: &mut Responder,
    theirs: &mut Replica,
    now: WallMillis,
) -> Result<(SessionResult, Progress), SyncError> {
    while let Some(request) = session.next_message(ours)? {
        let reply = responder.respond(theirs, now, &request)?;
        session.receive(ours, now, &reply.message)?;
    }
    Ok((session.result().cloned().expect("the session is over"), session.progress()))
}

/// Answers like release 0.1.0, which knows only version 1: with an alert to any other.
pub fn respond_in_version_1(
    responder: &mut Responder,
    replica: &mut Replica,
    now: WallMillis,
    request: &[u8],
) -> Result<Vec<u8>, SyncError> {
    match request.get(1) {
        Some(1) => Ok(responder.respond(replica, now, request)?.message),
        _ => Ok(Alert::Version.to_message()),
    }
}

/// Synchronizes two replicas once.
pub fn sync(ours: &mut Replica, theirs: &mut Replica, now: WallMillis) -> (SessionResult, Progress) {
    run(&mut session(1), ours, &mut responder(), theirs, now).expect("honest sides")
}

/// Opens a replica that does not verify, with these operations.
pub fn blind(ops: &[SignedOp]) -> Replica {
    let mut replica = Replica::open(ReplicaOptions::new().dangerously_accept_unverified()).unwrap();
    give(&mut replica, ops);
    replica
}

/// Ingests operations.
pub fn give(replica: &mut Replica, ops: &[SignedOp]) {
    for batch in ops.chunks(1000) {
        let batch: Vec<Incoming<'_>> = batch.iter().map(Incoming::Op).collect();
        for outcome in replica.ingest_batch(NOW, &batch).unwrap() {
            outcome.unwrap();
        }
    }
}

/// Returns operations with junk for signatures, `per_time` of them at each time.
pub fn unsigned(count: usize, per_time: usize, salt: u64) -> Vec<SignedOp> {
    let op = |number: usize| {
        let t = 1_700_000_000_000 + u64::try_from(number / per_time).unwrap();
        let c = u32::try_from(number % 3).unwrap();
        let actor = format!("actor-{}", number % 5);
        let entity_id = format!("t{}", number % 700);
        let value = f64::from(u32::try_from(number).unwrap()) + salt as f64 * 1e7;
        let ts = Hlc::new(t, c).unwrap();
        let op = Op::lww_set(&actor, ts, ("Task", &entity_id, "title"), value.to_string()).unwrap();
        SignedOp::new(op, "k", Signature::from_bytes([7; 64])).unwrap()
    };
    (0..count).map(op).collect()
}

pub fn hashes(replica: &Replica) -> BTreeSet<OpHash> {
    replica.log().iter().map(|entry| entry.unwrap().hash).collect()
}

pub fn assert_same(ours: &Replica, theirs: &Replica) {
    assert_eq!(ours.log().digest(), theirs.log().digest());
}
