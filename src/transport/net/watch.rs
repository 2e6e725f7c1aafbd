//! The limits of a wait for the network.

use std::ops::ControlFlow;
use std::time::Duration;

use super::ConnectionError;

/// The longest wait of one read, write or step of connecting, between which limits are checked and the caller is asked.
pub(in crate::transport) const SLICE: Duration = Duration::from_millis(50);

/// The bytes that a transfer must move within the progress time-out.
const LEAST_BYTES: u64 = 512;

/// The slowest line, in bytes per second, for which a wait for an answer allows: what the system has taken may still be
/// on its way for this long.
const SLOWEST_LINE: u64 = 1024;

/// The end of a wait that began at a given time.
#[derive(Clone, Copy)]
pub(in crate::transport) struct Deadline {
    start: Duration,
    limit: Duration,
}

impl Deadline {
    pub(in crate::transport) const fn after(start: Duration, limit: Duration) -> Self {
        Self { start, limit }
    }

    pub(in crate::transport) fn has_passed(self, now: Duration) -> bool {
        now.saturating_sub(self.start) >= self.limit
    }
}

/// Measures whether a transfer moves: at least 512 bytes within the time-out.
#[derive(Clone, Copy)]
pub(in crate::transport) struct Progress {
    timeout: Duration,
    since: Duration,
    /// The bytes that had been moved at `since`.
    mark: u64,
}

impl Progress {
    /// Begins with a count of bytes that have been moved.
    pub(in crate::transport) const fn begin(timeout: Duration, now: Duration, moved: u64) -> Self {
        Self { timeout, since: now, mark: moved }
    }

    /// Notes how many bytes have been moved by now. Returns true if the transfer is stalled.
    pub(in crate::transport) fn is_stalled(&mut self, now: Duration, moved: u64) -> bool {
        if moved.saturating_sub(self.mark) >= LEAST_BYTES {
            (self.since, self.mark) = (now, moved);
        }
        self.elapsed(now) >= self.timeout
    }

    /// Returns the time since the transfer last moved.
    pub(in crate::transport) const fn elapsed(&self, now: Duration) -> Duration {
        now.saturating_sub(self.since)
    }
}

/// Returns the time for which the system, or something on the way, may still be sending bytes that it has taken.
pub(in crate::transport) const fn on_the_way(bytes: u64) -> Duration {
    Duration::from_secs(bytes / SLOWEST_LINE)
}

/// The reason why a wait ended without its result.
pub(in crate::transport) enum WaitError {
    Connection(ConnectionError),
    /// The caller no longer wants the result.
    Cancelled,
    /// The limit for all steps together has passed.
    Overall,
}

impl From<ConnectionError> for WaitError {
    fn from(error: ConnectionError) -> Self {
        Self::Connection(error)
    }
}

/// The clock and the caller's wishes during a wait of several steps.
pub(in crate::transport) struct Watch<'w> {
    clock: &'w mut dyn FnMut() -> Duration,
    proceed: &'w mut dyn FnMut() -> ControlFlow<()>,
    overall: Option<Deadline>,
    /// The time when `proceed` was last called.
    asked: Duration,
}

impl<'w> Watch<'w> {
    /// Returns a watch by this clock, which asks `proceed` once in each slice.
    pub(in crate::transport) fn new(
        clock: &'w mut dyn FnMut() -> Duration,
        proceed: &'w mut dyn FnMut() -> ControlFlow<()>,
        overall: Option<Duration>,
    ) -> Self {
        let now = clock();
        let overall = overall.map(|limit| Deadline::after(now, limit));
        Self { clock, proceed, overall, asked: now }
    }

    pub(in crate::transport) fn now(&mut self) -> Duration {
        (self.clock)()
    }

    /// Returns the time, unless the caller cancels the wait or its overall limit has passed.
    pub(in crate::transport) fn check(&mut self) -> Result<Duration, WaitError> {
        let now = self.now();
        if now.saturating_sub(self.asked) >= SLICE {
            self.asked = now;
            if (self.proceed)().is_break() {
                return Err(WaitError::Cancelled);
            }
        }
        if self.overall.is_some_and(|overall| overall.has_passed(now)) {
            return Err(WaitError::Overall);
        }
        Ok(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_transfer_that_moves_is_never_stalled_and_one_that_drips_is() {
        let stalled_after = |bytes_a_second| {
            let mut progress = Progress::begin(30 * SECOND, SECOND, 100);
            (1..10_000_u32).find(|second| {
                progress.is_stalled(SECOND * (1 + second), 100 + u64::from(*second) * bytes_a_second)
            })
        };
        assert_eq!(stalled_after(18), None);
        assert_eq!(stalled_after(17), Some(30));
        assert_eq!(stalled_after(0), Some(30));
    }

    #[test]
    fn the_caller_is_asked_once_in_each_slice_and_can_cancel() {
        let mut now = Duration::ZERO;
        let (mut clock, mut asked) = (
            || {
                now += SLICE / 5;
                now
            },
            0,
        );
        let mut proceed = || {
            asked += 1;
            if asked == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let mut watch = Watch::new(&mut clock, &mut proceed, None);
        let checks = (0..100).take_while(|_| watch.check().is_ok()).count();
        assert_eq!(checks, 14);
    }

    #[test]
    fn the_overall_limit_ends_a_wait() {
        let mut now = Duration::ZERO;
        let mut clock = || {
            now += SECOND;
            now
        };
        let mut proceed = || ControlFlow::Continue(());
        let mut watch = Watch::new(&mut clock, &mut proceed, Some(5 * SECOND));
        let checks = (0..100).take_while(|_| watch.check().is_ok()).count();
        assert_eq!(checks, 4);
    }
}
