//! The clock that never goes back.

use super::{Hlc, HlcError, WallMillis};

/// A hybrid logical clock: what it hands out always increases, whatever the wall clock does.
///
/// The wall clock is an argument, so a test can turn it back. Two clocks of one writer would hand out the
/// same timestamp twice, so a clock cannot be cloned.
#[derive(Debug, Default)]
pub struct Clock {
    last: Option<Hlc>,
}

impl Clock {
    /// A clock that has seen nothing.
    #[must_use]
    pub fn new() -> Clock {
        Clock { last: None }
    }

    /// A clock whose timestamps all come after `last`: the greatest one of a log that is opened again.
    #[must_use]
    pub fn starting_after(last: Hlc) -> Clock {
        Clock { last: Some(last) }
    }

    /// The greatest timestamp handed out or observed so far.
    #[must_use]
    pub fn last(&self) -> Option<Hlc> {
        self.last
    }

    /// The next timestamp: greater than all that were handed out or observed, and not before `now`.
    ///
    /// # Errors
    ///
    /// As [`hlc_now`]; the clock is then as it was.
    pub fn tick(&mut self, now: WallMillis) -> Result<Hlc, HlcError> {
        let next = self.peek(now)?;
        self.last = Some(next);
        Ok(next)
    }

    /// What [`tick`](Clock::tick) would hand out, without moving the clock.
    ///
    /// # Errors
    ///
    /// As [`hlc_now`].
    pub fn peek(&self, now: WallMillis) -> Result<Hlc, HlcError> {
        hlc_now(self.last, now)
    }

    /// Folds in a timestamp of someone else, so that what is written next sorts after what has been seen.
    ///
    /// The clock follows `seen` however far it is ahead of the wall clock. How far is too far is for the
    /// caller to say, before.
    pub fn observe(&mut self, seen: Hlc) {
        self.last = self.last.max(Some(seen));
    }
}

/// The timestamp after `last` when the wall clock says `now`; without a `last`, the first timestamp of `now`.
///
/// The time is the later of the two. The counter is 0 if the time has moved, else one more than the last; a
/// counter that is full moves the time on by one millisecond. (Kulkarni et al. 2014, figure 5, with the
/// overflow added.)
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
    fn the_counter_starts_again_when_the_wall_clock_moves() {
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
    fn what_is_written_sorts_after_what_was_seen() {
        let mut clock = Clock::new();
        clock.observe(at(NOW + HOUR, 7));
        assert_eq!(clock.tick(WallMillis(NOW)), Ok(at(NOW + HOUR, 8)));
        clock.observe(at(NOW, 0));
        assert_eq!(clock.last(), Some(at(NOW + HOUR, 8)));
        clock.observe(at(NOW + HOUR, 8));
        assert_eq!(clock.tick(WallMillis(NOW)), Ok(at(NOW + HOUR, 9)));
    }

    #[test]
    fn a_clock_starts_after_the_log_that_was_opened() {
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
    fn a_full_counter_moves_the_time_on() {
        let mut clock = Clock::starting_after(at(NOW, Hlc::MAX.c() - 1));
        let mut tick = |now| clock.tick(WallMillis(now)).unwrap();
        assert_eq!(tick(NOW), at(NOW, Hlc::MAX.c()));
        assert_eq!(tick(NOW), at(NOW + 1, 0));
        assert_eq!(tick(NOW), at(NOW + 1, 1));
        assert_eq!(tick(NOW + 1), at(NOW + 1, 2));
    }

    #[test]
    fn the_last_timestamp_is_the_end_and_leaves_the_clock_as_it_was() {
        let mut clock = Clock::starting_after(at(Hlc::MAX.t(), Hlc::MAX.c() - 1));
        assert_eq!(clock.tick(WallMillis(NOW)), Ok(Hlc::MAX));
        for now in [WallMillis(0), WallMillis(NOW), WallMillis::MAX] {
            assert_eq!(clock.tick(now), Err(HlcError::Exhausted { last: Hlc::MAX }));
        }
        assert_eq!(clock.last(), Some(Hlc::MAX));
    }

    #[test]
    fn a_wall_clock_past_the_limit_is_refused_and_leaves_the_clock_as_it_was() {
        let past = WallMillis(WallMillis::MAX.0 + 1);
        let mut clock = Clock::starting_after(at(NOW, 3));
        assert_eq!(clock.tick(past), Err(HlcError::WallOutOfRange { now: past }));
        assert_eq!(
            clock.tick(past).unwrap_err().to_string(),
            "the wall clock says 9007199254740992 ms, past the limit of 9007199254740991 ms"
        );
        assert_eq!(clock.last(), Some(at(NOW, 3)));
        assert_eq!(clock.tick(WallMillis::MAX), Ok(at(WallMillis::MAX.0, 0)));
    }

    #[derive(Clone, Debug)]
    enum Event {
        Tick(WallMillis),
        Observe(Hlc),
    }

    /// Times close together and at both ends of the range, so that equal ones and overflows are met.
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
        fn every_tick_is_greater_than_all_that_went_before(events in prop::collection::vec(events(), 0..40)) {
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
