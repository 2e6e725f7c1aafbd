//! Which operations we hold: each once, in the order they reached us and in the order that all replicas agree on.

mod authors;
mod fork;
mod identity;
mod index;
mod log;
mod order;
mod prefix;
mod stamps;
mod subjects;

pub use fork::{ForkError, ForkProof};
pub use log::{AddError, Added, Cursor, LogDigest, LogEntry, OpLog};

pub(crate) use identity::LogId;
pub(crate) use index::{Index, Inserted};
pub(crate) use subjects::RegisterId;
