//! Range-based set reconciliation (Meyer, arXiv 2212.13567).
//!
//! Two sides compare fingerprints of ranges of the total order, and split the ranges that differ until their operations
//! can be listed.

mod bound;
mod fingerprint;
mod snapshot;
mod view;

pub(crate) use bound::Bound;
pub(crate) use fingerprint::{Fingerprinter, ShortId, Tally, short};
pub(crate) use snapshot::Snapshot;
pub(crate) use view::{OnFingerprint, OnIds, View};
