//! The messages of the sync protocol and their limits.

pub(crate) mod alert;
pub(crate) mod answer;
pub(crate) mod limits;
pub(crate) mod message;
pub(crate) mod push;
pub(crate) mod ranges;
pub(crate) mod request;
