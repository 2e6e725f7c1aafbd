//! Files.

pub(super) mod bundle;
pub(super) mod file;
pub(super) mod release;
pub(super) mod stream;
