//! Two replicas find out what the other lacks: what it costs, that it ends, and that nobody can make it lie.

#[path = "../common/mod.rs"]
mod common;
#[path = "../../benches/common/mod.rs"]
mod workload;

mod bounds;
mod converge;
mod golden;
mod hostile;
mod kept;
mod link;
mod simulation;
