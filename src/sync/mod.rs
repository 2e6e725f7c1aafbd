//! Synchronisation: two replicas find out what the other lacks, over anything that carries bytes, and trust nobody.

mod base;
mod bits;
mod bound;
mod bundle;
mod error;
mod inbox;
mod intake;
mod kept;
#[cfg(test)]
mod liar_tests;
mod limits;
mod message;
mod ops;
mod options;
mod outbox;
mod prf;
mod progress;
mod push;
mod ranges;
mod reconcile;
mod responder;
mod runs;
mod session;
mod snapshot;
mod wire;

pub use base::SyncBase;
pub use bundle::{BUNDLE_VERSION, BundleError, Exported, Imported};
#[cfg(feature = "http")]
pub(crate) use error::REFUSAL;
pub use error::{Lie, MessageFault, Refusal, SyncError};
pub use intake::Refusals;
pub use kept::{BASE_VERSION, BaseError};
pub use limits::{
    LEAF, MAX_DOUBTS, MAX_IDS, MAX_MESSAGE_BYTES, MAX_RANGES, MAX_REFUSED, MIN_MESSAGE_BYTES, NEWEST, SPLIT,
    max_idle_rounds,
};
pub(crate) use message::PUSH;
pub use message::SYNC_VERSION;
pub use options::SyncOptions;
pub use progress::{Finish, Progress, SessionDigest};
pub use push::{Push, Pushed};
pub use responder::{Reply, Responder};
pub use session::SyncSession;
