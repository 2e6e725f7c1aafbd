//! Operations without a replica.

pub(super) mod sha256;
pub(super) mod signed;
