//! The system clock; no other file reads it.

#[cfg(any(feature = "http", feature = "websocket"))]
use std::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

use super::WallMillis;

/// Returns the wall-clock time of this machine.
///
/// It may be wrong, stop or go back; a [`Clock`](super::Clock) handles that. A time before 1970 is returned as 0, one
/// past 2^64−1 milliseconds as 2^64−1.
#[must_use]
pub fn system_wall_clock() -> WallMillis {
    #[expect(
        clippy::disallowed_methods,
        reason = "everything else takes the time that this returns as an argument"
    )]
    let now = SystemTime::now();
    since_epoch(now)
}

/// Returns the time since an earlier moment, which stays the same while the program runs: by a clock that nobody sets,
/// for the length of waits.
#[cfg(any(feature = "http", feature = "websocket"))]
pub(crate) fn steady_clock() -> Duration {
    use std::sync::OnceLock;
    use std::time::Instant;

    static BEGIN: OnceLock<Instant> = OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "only the network waits by it; no operation depends on it")]
    let now = Instant::now();
    now.saturating_duration_since(*BEGIN.get_or_init(|| now))
}

fn since_epoch(time: SystemTime) -> WallMillis {
    time.duration_since(UNIX_EPOCH)
        .map_or(WallMillis(0), |elapsed| WallMillis(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    #[cfg(not(any(feature = "http", feature = "websocket")))]
    use std::time::Duration;

    use super::*;

    #[test]
    fn milliseconds_are_counted_from_1970_and_rounded_down() {
        assert_eq!(since_epoch(UNIX_EPOCH), WallMillis(0));
        assert_eq!(since_epoch(UNIX_EPOCH + Duration::from_micros(1_999)), WallMillis(1));
        assert_eq!(
            since_epoch(UNIX_EPOCH + Duration::from_secs(1_760_000_000)),
            WallMillis(1_760_000_000_000)
        );
    }

    #[test]
    fn a_clock_before_1970_reads_as_zero() {
        assert_eq!(since_epoch(UNIX_EPOCH - Duration::from_millis(1)), WallMillis(0));
    }

    #[test]
    fn the_unit_is_milliseconds() {
        // 2020 and 2200: a reading in seconds or microseconds is outside.
        let readable = WallMillis(1_577_836_800_000)..WallMillis(7_258_118_400_000);
        assert!(readable.contains(&system_wall_clock()));
    }
}
