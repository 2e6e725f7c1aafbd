//! The two sides of a session, and the pushes that may follow it.

mod end;
mod id;
mod initiator;
#[cfg(test)]
mod misbehaving_tests;
mod options;
mod progress;
mod push;
mod reconciling;
mod responder;
mod start;
mod transfer;

pub use initiator::SyncSession;
pub use options::SyncOptions;
pub use progress::{Progress, SessionDigest, SessionResult};
pub use push::Push;
pub use responder::{Reply, Responder};
pub(crate) use transfer::pack_op;
