//! The merged state: the greatest operation on every register.

mod explain;
mod merge;
mod read;
mod since;

pub use explain::{Explanation, Rule, Standing, Version};
pub use read::{Change, Folded, Page};

pub(crate) use merge::{Merged, State};
