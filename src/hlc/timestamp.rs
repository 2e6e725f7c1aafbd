//! The timestamp of a hybrid logical clock.

use std::fmt;

use super::{HlcError, WallMillis};

/// A timestamp: milliseconds since the Unix epoch, then a counter. It is ordered by time, then by counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hlc {
    // In this order: the derived `Ord` compares `t` first.
    t: u64,
    c: u32,
}

impl Hlc {
    /// The least timestamp, `0:0`.
    pub const MIN: Hlc = Hlc { t: 0, c: 0 };

    /// The greatest timestamp: time 2^53−1 ms, counter 2^32−2.
    pub const MAX: Hlc = Hlc { t: WallMillis::MAX.0, c: u32::MAX - 1 };

    /// Creates the timestamp of time `t`, 0 to 2^53−1 milliseconds since the Unix epoch, and counter `c`, 0 to 2^32−2.
    ///
    /// # Errors
    ///
    /// [`HlcError::TimeOutOfRange`] or [`HlcError::CounterOutOfRange`]. The time is checked first.
    pub const fn new(t: u64, c: u32) -> Result<Hlc, HlcError> {
        if t > Hlc::MAX.t {
            return Err(HlcError::TimeOutOfRange { t });
        }
        if c > Hlc::MAX.c {
            return Err(HlcError::CounterOutOfRange { c });
        }
        Ok(Hlc { t, c })
    }

    /// Creates a timestamp from parts that the log has checked.
    pub(crate) const fn from_log(t: u64, c: u32) -> Hlc {
        Hlc { t, c }
    }

    /// Returns the time, 0 to 2^53−1 milliseconds since the Unix epoch.
    #[must_use]
    pub const fn t(self) -> u64 {
        self.t
    }

    /// Returns the counter, 0 to 2^32−2. It distinguishes timestamps of the same millisecond.
    #[must_use]
    pub const fn c(self) -> u32 {
        self.c
    }

    /// Returns the least timestamp greater than this one, or `None` after [`Hlc::MAX`].
    pub(super) fn successor(self) -> Option<Hlc> {
        if self.c < Hlc::MAX.c {
            Some(Hlc { t: self.t, c: self.c + 1 })
        } else if self.t < Hlc::MAX.t {
            Some(Hlc { t: self.t + 1, c: 0 })
        } else {
            None
        }
    }
}

/// Writes the time and the counter in decimal: `1760000000000:7`.
impl fmt::Display for Hlc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.t, self.c)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAST_T: u64 = 9_007_199_254_740_991;
    const LAST_C: u32 = 4_294_967_294;

    #[test]
    fn the_limits_are_inclusive() {
        assert_eq!(Hlc::new(0, 0), Ok(Hlc::MIN));
        assert_eq!(Hlc::new(LAST_T, LAST_C), Ok(Hlc::MAX));
        assert_eq!(Hlc::new(LAST_T + 1, 0), Err(HlcError::TimeOutOfRange { t: LAST_T + 1 }));
        assert_eq!(Hlc::new(u64::MAX, u32::MAX), Err(HlcError::TimeOutOfRange { t: u64::MAX }));
        assert_eq!(Hlc::new(0, u32::MAX), Err(HlcError::CounterOutOfRange { c: u32::MAX }));
    }

    #[test]
    fn the_parts_are_returned_unchanged() {
        let stamp = Hlc::new(5, 7).unwrap();
        assert_eq!((stamp.t(), stamp.c()), (5, 7));
        assert_eq!(stamp.to_string(), "5:7");
    }

    #[test]
    fn time_decides_before_the_counter() {
        let [a, b, c] = [(1, 9), (2, 0), (2, 1)].map(|(t, c)| Hlc::new(t, c).unwrap());
        assert!(Hlc::MIN < a && a < b && b < c && c < Hlc::MAX);
    }

    #[test]
    fn a_counter_overflow_carries_into_the_time() {
        let successor = |t, c| Hlc::new(t, c).unwrap().successor();
        assert_eq!(successor(5, 0), Hlc::new(5, 1).ok());
        assert_eq!(successor(5, LAST_C - 1), Hlc::new(5, LAST_C).ok());
        assert_eq!(successor(5, LAST_C), Hlc::new(6, 0).ok());
        assert_eq!(successor(LAST_T, LAST_C - 1), Some(Hlc::MAX));
        assert_eq!(Hlc::MAX.successor(), None);
    }

    #[test]
    fn errors_name_the_number_and_the_limit() {
        assert_eq!(
            Hlc::new(LAST_T + 1, 0).unwrap_err().to_string(),
            "time 9007199254740992 ms is past the limit of 9007199254740991 ms"
        );
        assert_eq!(
            Hlc::new(0, u32::MAX).unwrap_err().to_string(),
            "counter 4294967295 is past the limit of 4294967294"
        );
    }
}
