//! Synchronization of two replicas that do not trust each other, over anything that carries bytes.
//!
//! - `proto`: messages and their limits
//! - `authors`: whose operations each side accepts
//! - `rbsr`: range-based set reconciliation, which finds the operations that only one side holds
//! - `session`: [`SyncSession`] on the side that begins, [`Responder`] on the side that answers, [`Push`] after a
//!   session
//! - `resume`: what shortens the next session with the same peer
//! - `trace`: what sessions have done, for error reports

mod authors;
mod error;
mod ingest;
mod proto;
mod rbsr;
mod resume;
mod session;
mod trace;

#[cfg(feature = "http")]
pub(crate) use crate::codec::tags::ALERT;
pub(crate) use crate::codec::tags::PUSH;
pub use crate::codec::tags::{RESUME_VERSION, SYNC_VERSION};
pub use authors::UnknownAuthor;
pub use error::{PeerMisbehaved, SyncError};
pub(crate) use ingest::{HashBudget, IngestedOps, RefusalReason, RefusedOp};
pub use ingest::{Received, Refusals};
pub use proto::Alert;
pub(crate) use proto::ProtocolVersion;
pub use proto::limits::{DEFAULT_MESSAGE_BYTES, MAX_MESSAGE_BYTES, MIN_MESSAGE_BYTES, ONE_OP_MESSAGE_BYTES};
pub use resume::{ResumeError, ResumeToken};
pub(crate) use session::pack_op;
pub use session::{Progress, Push, Reply, Responder, SessionDigest, SessionResult, SyncOptions, SyncSession};
pub use trace::{SessionTrace, TraceStep};
