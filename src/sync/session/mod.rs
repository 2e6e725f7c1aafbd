//! The two sides of a session, and the pushes that may follow it.

mod draft;
mod id;
mod inbox;
pub(crate) mod initiator;
#[cfg(test)]
mod misbehaving_tests;
pub(crate) mod options;
pub(crate) mod outbox;
pub(crate) mod progress;
pub(crate) mod push;
mod reconciling;
pub(crate) mod responder;
mod start;
