//! Session resumption: a session leaves out the operations that an earlier one made common to both replicas.

mod common;
mod sealed;
mod sessions;
mod token;

pub(crate) use common::{CommonOps, OpRuns};
pub use sealed::ResumeError;
pub(crate) use sessions::{PastSession, PastSessions};
pub use token::ResumeToken;
pub(crate) use token::{Exceptions, ResumeId, Transferred};
