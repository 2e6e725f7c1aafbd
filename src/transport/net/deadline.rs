//! A deadline by the caller's clock.

use std::time::Duration;

use crate::hlc::WallMillis;

/// The end of a wait that began at a given time.
#[derive(Clone, Copy)]
pub(in crate::transport) struct Deadline {
    start: WallMillis,
    limit: Duration,
}

impl Deadline {
    pub(in crate::transport) const fn after(start: WallMillis, limit: Duration) -> Self {
        Self { start, limit }
    }

    pub(in crate::transport) fn has_passed(self, now: WallMillis) -> bool {
        u128::from(now.0.saturating_sub(self.start.0)) >= self.limit.as_millis()
    }
}
