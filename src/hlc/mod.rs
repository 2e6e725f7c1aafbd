//! When something was said, and by which clock.
//!
//! A hybrid logical clock (Kulkarni, Demirbas, Madappa, Avva and Leone, "Logical Physical Clocks", OPODIS
//! 2014) keeps timestamps close to the wall clock and still never goes back: when the wall clock stands still
//! or is turned back, a counter moves instead.
//!
//! ```
//! use policysync::{Hlc, WallMillis};
//! use policysync::hlc::Clock;
//!
//! let mut clock = Clock::new();
//! assert_eq!(clock.tick(WallMillis(1_000))?, Hlc::new(1_000, 0)?);
//! assert_eq!(clock.tick(WallMillis(400))?, Hlc::new(1_000, 1)?);
//! # Ok::<(), policysync::hlc::HlcError>(())
//! ```

mod clock;
mod system;
mod timestamp;
mod wall;

pub use clock::{Clock, hlc_now};
pub use system::system_wall_clock;
pub use timestamp::Hlc;
pub use wall::WallMillis;

/// Why there is no such timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HlcError {
    /// The time of a timestamp is past 2^53−1 milliseconds.
    #[error("time {t} ms is past the limit of {limit} ms", limit = Hlc::MAX.t())]
    TimeOutOfRange {
        /// The time that was asked for, in milliseconds since the Unix epoch.
        t: u64,
    },
    /// The counter of a timestamp is past 2^32−2.
    #[error("counter {c} is past the limit of {limit}", limit = Hlc::MAX.c())]
    CounterOutOfRange {
        /// The counter that was asked for.
        c: u32,
    },
    /// The wall clock is past 2^53−1 milliseconds: it is wrong.
    #[error("the wall clock says {now}, past the limit of {limit}", limit = WallMillis::MAX)]
    WallOutOfRange {
        /// What the wall clock said.
        now: WallMillis,
    },
    /// The last timestamp is the greatest there is: nothing comes after it.
    #[error("no timestamp comes after {last}")]
    Exhausted {
        /// The last timestamp.
        last: Hlc,
    },
}
