//! The pauses after failures.

use std::time::Duration;

/// The first pause. Each further one is twice as long.
const FIRST: Duration = Duration::from_millis(250);

/// The pauses after failures that follow each other: before a request is sent again, or before the next session.
pub(in crate::transport) struct Backoff {
    /// The longest pause, unless the server asks for a longer one.
    longest: Duration,
    /// The time after the first failure at which a pause must end.
    limit: Duration,
    /// The time of the first failure.
    since: Option<Duration>,
    pause: Duration,
    /// Varies the pauses, so that clients that fail together do not return together.
    seed: u64,
}

impl Backoff {
    /// Begins without a failure. The first 64 bytes of `seed` vary the pauses; they contain a nonce.
    pub(in crate::transport) fn new(seed: &[u8], longest: Duration, limit: Duration) -> Self {
        let seed = seed.iter().take(64).fold(0xcbf2_9ce4_8422_2325, |hash, byte| mix(hash, *byte));
        Self { longest, limit, since: None, pause: FIRST.min(longest), seed }
    }

    /// Begins again after a success.
    pub(in crate::transport) fn reset(&mut self) {
        (self.since, self.pause) = (None, FIRST.min(self.longest));
    }

    /// Returns the pause after a failure: half to all of the current one, or as long as the server asks for. Returns
    /// `None` if it ends after the limit.
    pub(in crate::transport) fn after_failure(
        &mut self,
        now: Duration,
        asked: Option<Duration>,
    ) -> Option<Duration> {
        let since = *self.since.get_or_insert(now);
        self.seed = mix(self.seed, 0);
        let [.., varied] = self.seed.to_be_bytes();
        let half = self.pause / 2;
        let pause = half.saturating_add(half.saturating_mul(varied.into()) / 255);
        let pause = asked.map_or(pause, |asked| asked.max(pause));
        self.pause = self.pause.saturating_mul(2).min(self.longest);
        let end = now.saturating_sub(since).saturating_add(pause);
        (end <= self.limit).then_some(pause)
    }
}

/// FNV-1a.
fn mix(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const LONGEST: Duration = Duration::from_secs(15);

    fn pauses(request: &[u8], limit: Duration) -> Vec<Duration> {
        let mut backoff = Backoff::new(request, LONGEST, limit);
        let mut now = SECOND;
        std::iter::from_fn(|| {
            let pause = backoff.after_failure(now, None)?;
            now += pause;
            Some(pause)
        })
        .collect()
    }

    #[test]
    fn pauses_grow_stay_within_their_limit_and_differ_between_sessions() {
        let found = pauses(b"one", 60 * SECOND);
        for (pause, exponent) in found.iter().zip(0..) {
            let whole = (FIRST * 2_u32.pow(exponent)).min(LONGEST);
            assert!(*pause >= whole / 2 && *pause <= whole, "{found:?}");
        }
        let total: Duration = found.iter().sum();
        assert!(total <= 60 * SECOND && total >= 40 * SECOND, "{found:?}");
        assert_ne!(found, pauses(b"two", 60 * SECOND));
        assert_eq!(found, pauses(b"one", 60 * SECOND));
        assert!(pauses(b"one", Duration::ZERO).is_empty());
    }

    #[test]
    fn the_server_can_ask_for_a_longer_pause_but_not_for_one_past_the_limit() {
        let mut backoff = Backoff::new(b"one", LONGEST, 10 * SECOND);
        assert_eq!(backoff.after_failure(SECOND, Some(7 * SECOND)), Some(7 * SECOND));
        assert!(
            backoff.after_failure(8 * SECOND, Some(Duration::ZERO)).is_some_and(|pause| pause <= 2 * FIRST)
        );
        assert_eq!(backoff.after_failure(8 * SECOND, Some(4 * SECOND)), None);
        assert_eq!(backoff.after_failure(8 * SECOND, Some(Duration::MAX)), None);
    }
}
