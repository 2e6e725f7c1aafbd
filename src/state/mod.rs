//! The merged state: the greatest operation on every register.

mod explain;
mod folded;
mod merge;
mod read;

pub use explain::{Explanation, Rule, Standing, Version};
pub use folded::Folded;
pub use read::Change;

pub(crate) use merge::{Merged, State};
