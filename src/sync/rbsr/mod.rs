//! Range-based set reconciliation (Meyer, arXiv 2212.13567).
//!
//! Two sides compare fingerprints of ranges of the total order, and split the ranges that differ until their operations
//! can be listed.

pub(crate) mod bound;
pub(crate) mod fingerprint;
pub(crate) mod snapshot;
pub(crate) mod view;
