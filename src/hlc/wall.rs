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
    fn a_sum_stops_at_the_limit() {
        let one = WallMillis(1);
        assert_eq!(WallMillis(60_000).saturating_add(one), WallMillis(60_001));
        assert_eq!(WallMillis(WallMillis::MAX.0 - 1).saturating_add(one), WallMillis::MAX);
        assert_eq!(WallMillis::MAX.saturating_add(one), WallMillis::MAX);
        assert_eq!(WallMillis(u64::MAX).saturating_add(WallMillis(u64::MAX)), WallMillis::MAX);
    }
}
