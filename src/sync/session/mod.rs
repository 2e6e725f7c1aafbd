//! The two sides of a session, and the pushes that may follow it.

mod draft;
mod id;
mod inbox;
mod initiator;
#[cfg(test)]
mod misbehaving_tests;
mod options;
mod outbox;
mod progress;
mod push;
mod reconciling;
mod responder;
mod start;

pub use initiator::SyncSession;
pub use options::SyncOptions;
pub(crate) use outbox::pack_op;
pub use progress::{Progress, SessionDigest, SessionResult};
pub use push::Push;
pub use responder::{Reply, Responder};
