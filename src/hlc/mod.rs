//! Hybrid logical timestamps.
//!
//! A hybrid logical clock (Kulkarni, Demirbas, Madappa, Avva and Leone, "Logical Physical Clocks", OPODIS
//! 2014) keeps timestamps close to the wall clock and never goes back: while the wall clock does not advance,
//! a counter increases.
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
#[cfg(any(feature = "http", feature = "websocket"))]
pub(crate) use system::steady_clock;
pub use system::system_wall_clock;
pub use timestamp::Hlc;
pub use wall::WallMillis;

/// The reason why there is no such timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HlcError {
    /// The time of a timestamp is past 2^53−1 milliseconds.
    #[error("time {t} ms is past the limit of {limit} ms", limit = Hlc::MAX.t())]
    TimeOutOfRange {
        /// The requested time, in milliseconds since the Unix epoch.
        t: u64,
    },
    /// The counter of a timestamp is past 2^32−2.
    #[error("counter {c} is past the limit of {limit}", limit = Hlc::MAX.c())]
    CounterOutOfRange {
        /// The requested counter.
        c: u32,
    },
    /// The wall clock is past 2^53−1 milliseconds, so it is wrong.
    #[error("the wall clock is {now}, past the limit of {limit}", limit = WallMillis::MAX)]
    WallOutOfRange {
        /// The time of the wall clock.
        now: WallMillis,
    },
    /// The wall clock shows a time before 2020 or after 2100, and no timestamp is known that could take its place.
    #[error(
        "the wall clock is {now}, which is not between 2020 and 2100: perhaps it was never set, or \
         seconds were passed for milliseconds"
    )]
    Doubtful {
        /// The time of the wall clock.
        now: WallMillis,
    },
    /// The last timestamp is the greatest possible one.
    #[error("no timestamp comes after {last}")]
    Exhausted {
        /// The last timestamp.
        last: Hlc,
    },
}
