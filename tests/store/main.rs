//! The store: the same contract in memory and in a file, and what a file must survive.
#![cfg(feature = "sqlite")]

#[path = "../common/mod.rs"]
mod common;

mod clock;
mod contract;
mod crash;
mod damage;
mod feed;
mod files;
#[cfg(unix)]
mod fork;
mod growth;
mod journal;
mod old;
mod port;
mod release;
mod reopen;
mod salvage;

use std::path::Path;

use common::{NOW, key, knowing};
use policysync::oplog::LogDigest;
use policysync::{
    IngestError, OpenError, Outcome, Replica, ReplicaOptions, SignedOp, StoreError, WriteError,
};

/// The people of these tests.
pub const PEOPLE: [&str; 3] = ["alice", "bob", "carol"];

/// Options of a replica that knows everybody and keeps its log in this file.
pub fn in_file(path: &Path) -> ReplicaOptions {
    knowing(&PEOPLE).path(path, NOW)
}

pub fn open(path: &Path) -> Replica {
    Replica::open(in_file(path)).unwrap()
}

/// Everything that two replicas must agree on to be the same.
#[derive(Debug, PartialEq)]
pub struct Snapshot {
    pub log: LogDigest,
    pub state: policysync::crypto::Hash,
    pub arrivals: Vec<(SignedOp, u64)>,
    pub order: Vec<SignedOp>,
    pub held: usize,
    pub clock: Option<policysync::Hlc>,
    pub forks: Vec<policysync::ForkProof>,
    pub entities: Vec<String>,
    pub values: Vec<Option<String>>,
}

pub fn snapshot(replica: &Replica) -> Snapshot {
    let log = replica.log();
    let entities = replica.entities("Task");
    Snapshot {
        log: log.digest(),
        state: replica.state_digest(),
        arrivals: log
            .since(policysync::oplog::Cursor::START)
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.op, entry.cursor.position()))
            .collect(),
        order: log.iter().map(|entry| entry.unwrap().op).collect(),
        held: replica.held(),
        clock: replica.clock().last(),
        forks: log.forks().unwrap(),
        values: entities.iter().map(|id| replica.entity("Task", id).unwrap()).collect(),
        entities,
    }
}

/// Takes in operations, all of which are good.
pub fn ingest(replica: &mut Replica, ops: &[SignedOp]) -> Vec<Outcome> {
    let batch: Vec<_> = ops.iter().map(Into::into).collect();
    let outcomes = replica.ingest_batch(NOW, &batch).unwrap();
    outcomes.into_iter().map(|outcome| outcome.unwrap()).collect()
}

/// A few operations of everybody, one of them held, two of them a fork.
pub fn some_ops() -> Vec<SignedOp> {
    let mut ops: Vec<SignedOp> = (0..20)
        .map(|n| {
            let actor = PEOPLE[usize::try_from(n % 3).unwrap()];
            common::set(actor, NOW.0 - 1000 + n, 0, &format!("path{}", n % 7), format!("value {n}"))
        })
        .collect();
    ops.push(common::delete("bob", NOW.0 - 10, 3, "path1"));
    ops.push(common::set("carol", NOW.0 + 3_600_000, 0, "later", true));
    ops.push(common::set("bob", NOW.0 - 5, 0, "fork", 1_i32));
    ops.push(common::set("bob", NOW.0 - 5, 0, "fork", 2_i32));
    ops
}

/// Writes as alice.
pub fn as_alice(options: ReplicaOptions) -> ReplicaOptions {
    options.write_as(key("alice"))
}

/// An error without the name of its file, for comparison with the fault itself.
pub trait Plain {
    fn plain(self) -> Self;
}

impl Plain for StoreError {
    fn plain(self) -> Self {
        self.fault().clone()
    }
}

impl Plain for OpenError {
    fn plain(self) -> Self {
        match self {
            Self::Store(error) => Self::Store(error.plain()),
            other => other,
        }
    }
}

impl Plain for IngestError {
    fn plain(self) -> Self {
        match self {
            Self::Store(error) => Self::Store(error.plain()),
            other => other,
        }
    }
}

impl Plain for WriteError {
    fn plain(self) -> Self {
        match self {
            Self::Ingest(error) => Self::Ingest(error.plain()),
            other => other,
        }
    }
}

impl<T, E: Plain> Plain for Result<T, E> {
    fn plain(self) -> Self {
        self.map_err(Plain::plain)
    }
}
