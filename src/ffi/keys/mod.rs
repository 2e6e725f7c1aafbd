//! Keys.

pub(super) mod key;
pub(super) mod random;
pub(super) mod seed;
pub(super) mod text;
