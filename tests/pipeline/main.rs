//! Tests of the way of an operation into a replica: every refusal, every outcome, and their effects.

#[path = "../common/mod.rs"]
mod common;

mod batches;
mod duplicates;
mod equivocation;
mod guard;
mod held;
mod reading;
mod refusals;
mod writing;

use policysync::crypto::{Hash, Signature};
use policysync::keys::verify_op;
use policysync::oplog::{Cursor, LogDigest};
use policysync::{Effect, Hlc, OpHash, Outcome, Replica, ReplicaOptions, SignedOp, Value, WallMillis};

use common::{crypto, key, knowing};

pub const DRIFT: u64 = ReplicaOptions::DEFAULT_MAX_DRIFT.0;
pub const HOUR: u64 = 3_600_000;

/// The parts of a replica that a refused operation must not change.
#[derive(Debug, PartialEq)]
pub struct Seen {
    log: LogDigest,
    state: Hash,
    clock: Option<Hlc>,
    cursor: Cursor,
    held: usize,
    horizon: Option<WallMillis>,
}

pub fn seen(replica: &Replica) -> Seen {
    Seen {
        log: replica.log().digest(),
        state: replica.state_digest(),
        clock: replica.clock().last(),
        cursor: replica.log().cursor(),
        held: replica.held(),
        horizon: replica.horizon(),
    }
}

pub fn writer(actor: &str, knows: &[&str]) -> Replica {
    Replica::open(knowing(knows).write_as(key(actor))).unwrap()
}

pub fn appended(outcome: Outcome) -> (OpHash, Effect) {
    match outcome {
        Outcome::Appended { hash, effect, .. } => (hash, effect),
        other => panic!("{other:?}"),
    }
}

pub fn hash_of(op: &SignedOp) -> OpHash {
    verify_op(&crypto(), op, key(op.op().actor()).public_key()).unwrap().hash()
}

/// Returns the same operation with another signature.
pub fn with_signature(op: &SignedOp, bytes: [u8; 64]) -> SignedOp {
    SignedOp::new(op.op().clone(), op.kid(), Signature::from_bytes(bytes)).unwrap()
}

pub fn forged(op: &SignedOp) -> SignedOp {
    with_signature(op, [7; 64])
}

pub fn text(text: &str) -> Option<Value> {
    Some(Value::from(text))
}
