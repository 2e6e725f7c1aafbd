//! Session resumption: a session leaves out the operations that an earlier one made common to both replicas.

pub(crate) mod common;
pub(crate) mod id;
pub(crate) mod runs;
pub(crate) mod sealed;
pub(crate) mod sessions;
pub(crate) mod token;
