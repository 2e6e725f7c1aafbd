//! Wall-clock time in milliseconds.

use std::fmt;

/// Milliseconds: a time since the Unix epoch, or a duration.
///
/// Any value is allowed, because a system clock may be wrong. A time past [`WallMillis::MAX`] is refused when it is
/// converted to a timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "it is a number with a unit")]
pub struct WallMillis(pub u64);

impl WallMillis {
    /// 2^53−1, up to which every integer is exact as a JSON number (RFC 8259, section 6): in the year 287396.
    pub const MAX: WallMillis = WallMillis((1 << 53) - 1);

    /// The first and the last wall-clock time that a replica believes: the beginnings of the years 2020 and 2100 (UTC).
    pub const BELIEVED: std::ops::RangeInclusive<WallMillis> =
        WallMillis(1_577_836_800_000)..=WallMillis(4_102_444_800_000);

    /// Returns true if this can be the time of a wall clock: it is in [`WallMillis::BELIEVED`]. A clock that was never
    /// set shows 1970, and seconds or nanoseconds that are taken for milliseconds are outside too.
    #[must_use]
    pub fn is_believable(self) -> bool {
        Self::BELIEVED.contains(&self)
    }

    /// Returns the sum, at most [`WallMillis::MAX`].
    #[must_use]
    pub fn saturating_add(self, other: WallMillis) -> WallMillis {
        WallMillis(self.0.saturating_add(other.0)).min(WallMillis::MAX)
    }
}

/// Writes the number and its unit: `60000 ms`.
impl fmt::Display for WallMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_what_javascript_calls_max_safe_integer() {
        assert_eq!(WallMillis::MAX, WallMillis(9_007_199_254_740_991));
    }

    #[test]
    fn the_years_2020_to_2100_are_believed() {
        let day = 86_400_000;
        let [first, last] = [50 * 365 + 12, 130 * 365 + 32].map(|days| days * day);
        for (time, is_believable) in [(first - 1, false), (first, true), (last, true), (last + 1, false)] {
            assert_eq!(WallMillis(time).is_believable(), is_believable, "{time}");
        }
        let now = 1_760_000_000_000;
        assert!(
            [0, now / 1000, now * 1000, now * 1_000_000].iter().all(|now| !WallMillis(*now).is_believable())
        );
    }

    #[test]
    fn a_sum_stops_at_the_limit() {
        let one = WallMillis(1);
        assert_eq!(WallMillis(60_000).saturating_add(one), WallMillis(60_001));
        assert_eq!(WallMillis(WallMillis::MAX.0 - 1).saturating_add(one), WallMillis::MAX);
        assert_eq!(WallMillis::MAX.saturating_add(one), WallMillis::MAX);
        assert_eq!(WallMillis(u64::MAX).saturating_add(WallMillis(u64::MAX)), WallMillis::MAX);
    }
}
