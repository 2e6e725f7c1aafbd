//! Keys.

pub(super) mod key;
pub(super) mod random;
