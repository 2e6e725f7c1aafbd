//! The stored state of a replica's clock.

use crate::hlc::WallMillis;

/// The state of a replica's clock, as far as it must survive closing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StoredClock {
    /// The time of the greatest merged operation: at the next opening, operations up to it are merged whatever the wall
    /// clock says.
    pub(crate) horizon: Option<WallMillis>,
    /// True if the application has said that an earlier wall clock was wrong: operations of the replica's own actor are
    /// held like others.
    pub(crate) was_reset: bool,
}
