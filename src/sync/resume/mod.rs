//! Session resumption: a session leaves out the operations that an earlier one made common to both replicas.

mod common;
mod id;
mod runs;
mod sealed;
mod sessions;
mod token;

pub(crate) use common::CommonOps;
pub(crate) use id::{ResumeId, Transferred};
pub(crate) use runs::OpRuns;
pub use sealed::ResumeError;
pub(crate) use sessions::{PastSession, PastSessions};
pub use token::ResumeToken;
