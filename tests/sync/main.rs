//! Tests of synchronization: its cost, its end, and its results with peers that break the protocol.

#[path = "../common/mod.rs"]
mod common;
#[path = "../../benches/common/mod.rs"]
mod workload;

mod alternates;
mod bounds;
mod bundle;
mod converge;
#[cfg(feature = "sqlite")]
mod fleet;
mod golden;
mod hostile;
#[cfg(feature = "sqlite")]
mod ledger;
#[cfg(feature = "sqlite")]
mod liar;
mod link;
#[cfg(feature = "sqlite")]
mod messages;
mod push;
mod refusals;
mod remembered;
mod resume;
mod simulation;
mod sizes;
#[cfg(feature = "sqlite")]
mod speaker;
mod versions;
