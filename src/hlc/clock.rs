//! The hybrid logical clock.

use super::{Hlc, HlcError, WallMillis};

/// A hybrid logical clock. Its timestamps always increase, even if the wall clock does not.
///
/// The wall clock is an argument, so a test can set it back. Two clocks of one writer would issue the same timestamp
/// twice, so a clock cannot be cloned.
#[derive(Debug, Default)]
pub struct Clock {
    last: Option<Hlc>,
}

impl Clock {
    /// Creates a clock that has not observed any timestamp.
    #[must_use]
    pub fn new() -> Clock {
        Clock { last: None }
    }

    /// Creates a clock whose timestamps are all greater than `last`, such as the greatest of a log.
    #[must_use]
    pub fn starting_after(last: Hlc) -> Clock {
        Clock { last: Some(last) }
    }

    /// Returns the greatest timestamp issued or observed so far.
    #[must_use]
    pub fn last(&self) -> Option<Hlc> {
        self.last
    }

    /// Issues the next timestamp: greater than all issued or observed, and not before `now`.
    ///
    /// # Errors
    ///
    /// Those of [`hlc_now`]; the clock is unchanged.
    pub fn tick(&mut self, now: WallMillis) -> Result<Hlc, HlcError> {
        let next = self.peek(now)?;
        self.last = Some(next);
        Ok(next)
    }

    /// Returns the timestamp that [`tick`](Clock::tick) would issue, without moving the clock.
    ///
    /// # Errors
    ///
    /// Those of [`hlc_now`].
    pub fn peek(&self, now: WallMillis) -> Result<Hlc, HlcError> {
        hlc_now(self.last, now)
    }

    /// Observes a timestamp of another writer, so that later timestamps of this clock are greater.
    ///
    /// The clock follows `seen` however far it is ahead of the wall clock. The caller checks it for drift first.
    pub fn observe(&mut self, seen: Hlc) {
        self.last = self.last.max(Some(seen));
    }
}

/// Returns the timestamp after `last` at the wall-clock time `now`; without a `last`, the first timestamp of `now`.
///
/// The time is the later of the two. The counter is 0 if the time has increased, otherwise one more than the last; a
/// counter overflow increases the time by one millisecond. (Kulkarni et al. 2014, figure 5, with the overflow added.)
///
/// # Errors
///
/// [`HlcError::WallOutOfRange`] if `now` is past 2^53−1 ms, [`HlcError::Exhausted`] if `last` is
/// [`Hlc::MAX`].
pub fn hlc_now(last: Option<Hlc>, now: WallMillis) -> Result<Hlc, HlcError> {
    let wall = Hlc::new(now.0, 0).map_err(|_| HlcError::WallOutOfRange { now })?;
    match last {
        Some(last) if wall.t() <= last.t() => last.successor().ok_or(HlcError::Exhausted { last }),
        _ => Ok(wall),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: u64 = 3_600_000;
    const NOW: u64 = 1_760_000_000_000;

    fn at(t: u64, c: u32) -> Hlc {
        Hlc::new(t, c).unwrap()
    }

    #[test]
    fn the_first_timestamp_is_the_wall_clock() {
        assert_eq!(Clock::new().tick(WallMillis(NOW)), Ok(at(NOW, 0)));
        assert_eq!(Clock::new().tick(WallMillis(0)), Ok(Hlc::MIN));
        assert_eq!(Clock::new().last(), None);
    }

    #[test]
    fn the_counter_restarts_when_the_wall_clock_moves() {
        let mut clock = Clock::new();
        let mut tick = |now| clock.tick(WallMillis(now)).unwrap();
        assert_eq!([tick(5), tick(5), tick(6), tick(6)], [at(5, 0), at(5, 1), at(6, 0), at(6, 1)]);
    }

    #[test]
    fn a_wall_clock_that_goes_back_moves_only_the_counter() {
        let mut clock = Clock::new();
        let mut tick = |now| clock.tick(WallMillis(now)).unwrap();
        assert_eq!(tick(NOW), at(NOW, 0));
        assert_eq!(tick(NOW - HOUR), at(NOW, 1));
        assert_eq!(tick(0), at(NOW, 2));
        assert_eq!(tick(NOW - 1), at(NOW, 3));
        assert_eq!(tick(NOW), at(NOW, 4));
        assert_eq!(tick(NOW + 1), at(NOW + 1, 0));
    }

    #[test]
    fn a_tick_is_greater_than_an_observed_timestamp() {
        let mut clock = Clock::new();
        clock.observe(at(NOW + HOUR, 7));
        assert_eq!(clock.tick(WallMillis(NOW)), Ok(at(NOW + HOUR, 8)));
        clock.observe(at(NOW, 0));
        assert_eq!(clock.last(), Some(at(NOW + HOUR, 8)));
        clock.observe(at(NOW + HOUR, 8));
        assert_eq!(clock.tick(WallMillis(NOW)), Ok(at(NOW + HOUR, 9)));
    }

    #[test]
    fn a_clock_starts_after_the_given_timestamp() {
        let mut clock = Clock::starting_after(at(NOW, 3));
        assert_eq!(clock.last(), Some(at(NOW, 3)));
        assert_eq!(clock.tick(WallMillis(NOW)), Ok(at(NOW, 4)));
    }

    #[test]
    fn peeking_does_not_move_the_clock() {
        let mut clock = Clock::new();
        assert_eq!(clock.peek(WallMillis(5)), Ok(at(5, 0)));
        assert_eq!(clock.peek(WallMillis(5)), Ok(at(5, 0)));
        assert_eq!(clock.last(), None);
        assert_eq!(clock.tick(WallMillis(5)), Ok(at(5, 0)));
        assert_eq!(clock.peek(WallMillis(5)), Ok(at(5, 1)));
    }

    #[test]
    fn a_counter_overflow_increases_the_time() {
        let mut clock = Clock::starting_after(at(NOW, Hlc::MAX.c() - 1));
        let mut tick = |now| clock.tick(WallMillis(now)).unwrap();
        assert_eq!(tick(NOW), at(NOW, Hlc::MAX.c()));
        assert_eq!(tick(NOW), at(NOW + 1, 0));
        assert_eq!(tick(NOW), at(NOW + 1, 1));
        assert_eq!(tick(NOW + 1), at(NOW + 1, 2));
    }

    #[test]
    fn after_the_last_timestamp_a_tick_fails_and_leaves_the_clock_unchanged() {
        let mut clock = Clock::starting_after(at(Hlc::MAX.t(), Hlc::MAX.c() - 1));
        assert_eq!(clock.tick(WallMillis(NOW)), Ok(Hlc::MAX));
        for now in [WallMillis(0), WallMillis(NOW), WallMillis::MAX] {
            assert_eq!(clock.tick(now), Err(HlcError::Exhausted { last: Hlc::MAX }));
        }
        assert_eq!(clock.last(), Some(Hlc::MAX));
    }

    #[test]
    fn a_wall_clock_past_the_limit_is_refused_and_leaves_the_clock_unchanged() {
        let past = WallMillis(WallMillis::MAX.0 + 1);
        let mut clock = Clock::starting_after(at(NOW, 3));
        assert_eq!(clock.tick(past), Err(HlcError::WallOutOfRange { now: past }));
        assert_eq!(
            clock.tick(past).unwrap_err().to_string(),
            "the wall clock is 9007199254740992 ms, past the limit of 9007199254740991 ms"
        );
        assert_eq!(clock.last(), Some(at(NOW, 3)));
        assert_eq!(clock.tick(WallMillis::MAX), Ok(at(WallMillis::MAX.0, 0)));
    }

    #[derive(Clone, Debug)]
    enum Event {
        Tick(WallMillis),
        Observe(Hlc),
    }

    /// Times close together and at both ends of the range, so that equal times and overflows occur.
    fn times() -> impl Strategy<Value = u64> {
        prop_oneof![0..4_u64, NOW..NOW + 4, Hlc::MAX.t() - 3..=Hlc::MAX.t(), 0..=Hlc::MAX.t()]
    }

    fn events() -> impl Strategy<Value = Event> {
        let counters = prop_oneof![0..3_u32, Hlc::MAX.c() - 2..=Hlc::MAX.c()];
        prop_oneof![
            3 => times().prop_map(|now| Event::Tick(WallMillis(now))),
            1 => (times(), counters).prop_map(|(t, c)| Event::Observe(at(t, c))),
        ]
    }

    proptest! {
        #[test]
        fn every_tick_is_greater_than_all_before_it(events in prop::collection::vec(events(), 0..40)) {
            let mut clock = Clock::new();
            let mut greatest = None;
            for event in events {
                match event {
                    Event::Observe(seen) => {
                        clock.observe(seen);
                        greatest = greatest.max(Some(seen));
                    }
                    Event::Tick(now) => match clock.tick(now) {
                        Ok(next) => {
                            prop_assert!(Some(next) > greatest);
                            prop_assert!(next.t() >= now.0);
                            greatest = Some(next);
                        }
                        Err(error) => {
                            prop_assert_eq!(greatest, Some(Hlc::MAX));
                            prop_assert_eq!(error, HlcError::Exhausted { last: Hlc::MAX });
                        }
                    },
                }
                prop_assert_eq!(clock.last(), greatest);
            }
        }
    }
}
