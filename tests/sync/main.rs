//! Tests of synchronization: its cost, its end, and its results with peers that break the protocol.

#[path = "../common/mod.rs"]
mod common;
#[path = "../../benches/common/mod.rs"]
mod workload;

mod alternates;
mod bounds;
mod bundle;
mod converge;
mod fleet;
mod golden;
mod hostile;
mod ledger;
mod liar;
mod link;
mod push;
mod refusals;
mod remembered;
mod resume;
mod simulation;
mod sizes;
mod speaker;
mod versions;
