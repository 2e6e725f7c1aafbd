//! What is true now: the last writer of every register, and why.

mod explain;
mod folded;
mod merge;
mod read;

pub use explain::{Explanation, Rule, Standing, Version};
pub use folded::Folded;
pub use read::Change;

pub(crate) use merge::{Merged, State};
