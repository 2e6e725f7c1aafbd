//! Milliseconds on a wall clock.

use std::fmt;

/// Milliseconds: since the Unix epoch where it is a time, or between two times where it is a length.
///
/// Any number may be written into it, since a machine's clock may say anything; what is past
/// [`WallMillis::MAX`] is refused where a timestamp is made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallMillis(pub u64);

impl WallMillis {
    /// 2^53−1, the greatest integer up to which a JSON number is exact everywhere (RFC 8259, section 6): in
    /// the year 287396.
    pub const MAX: WallMillis = WallMillis((1 << 53) - 1);

    /// The sum, or [`WallMillis::MAX`] where it would be past that.
    #[must_use]
    pub fn saturating_add(self, other: WallMillis) -> WallMillis {
        WallMillis(self.0.saturating_add(other.0)).min(WallMillis::MAX)
    }
}

/// The number and its unit: `60000 ms`.
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
