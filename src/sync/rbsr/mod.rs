//! Range-based set reconciliation (Meyer, arXiv 2212.13567).
//!
//! Two sides compare fingerprints of ranges of the total order, and split the ranges that differ until their operations
//! can be listed.

mod bound;
mod entries;
mod view;

pub(crate) use bound::Bound;
pub(crate) use entries::Entries;
pub(crate) use view::{
    Fingerprinter, OnFingerprint, OnIds, RangeContent, ShortId, Snapshot, Tally, View, short,
};
