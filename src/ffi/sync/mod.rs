//! Sessions.

pub(super) mod codes;
pub(super) mod options;
pub(super) mod push;
pub(super) mod responder;
pub(super) mod resume;
pub(super) mod session;
