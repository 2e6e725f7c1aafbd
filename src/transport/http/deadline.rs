//! Deadlines below the HTTP library, which hold even if the server sends or takes only a few bytes at a time.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use ureq::{Error, Timeout};

use crate::transport::net::DAY;

/// The bytes of one write, each with the time that is left. The system's time-out is for one write, and a write that
/// was cut short is restarted: so the last part may take twice as long.
const PART: usize = 4096;

/// Starts a deadline after this time, and returns a function that returns the time that is left.
pub(super) type Deadlines = Arc<dyn Fn(Duration) -> Box<dyn Fn() -> Duration> + Send + Sync>;

/// Returns deadlines by the clock of the HTTP library. It adds and compares, but does not subtract: the time that is
/// left is found by bisection.
pub(super) fn deadlines(details: &ConnectionDetails<'_>) -> Deadlines {
    let clock = Arc::clone(&details.current_time);
    Arc::new(move |length| {
        // The library has a time-out without an end, to which nothing can be added.
        let length = length.min(DAY);
        let clock = Arc::clone(&clock);
        let end = clock() + length.into();
        Box::new(move || {
            let (now, mut left, mut step) = (clock(), Duration::ZERO, length);
            if now + step.into() <= end {
                return length;
            }
            while step > Duration::from_micros(1) {
                step /= 2;
                if now + (left + step).into() <= end {
                    left += step;
                }
            }
            left
        })
    })
}

/// The end of a wait.
pub(super) struct Countdown {
    left: Box<dyn Fn() -> Duration>,
    reason: Timeout,
}

impl Countdown {
    pub(super) fn start(deadlines: &Deadlines, timeout: NextTimeout) -> Self {
        Self { left: deadlines(*timeout.after), reason: timeout.reason }
    }

    /// Returns the time that is left.
    pub(super) fn left(&self) -> Result<NextTimeout, Error> {
        match (self.left)() {
            Duration::ZERO => Err(Error::Timeout(self.reason)),
            left => Ok(NextTimeout { after: left.into(), reason: self.reason }),
        }
    }
}

/// Returns an agent that keeps its deadlines.
#[cfg(not(feature = "tls"))]
pub(super) fn agent(config: ureq::config::Config) -> ureq::Agent {
    use ureq::unversioned::resolver::DefaultResolver;
    use ureq::unversioned::transport::TcpConnector;
    ureq::Agent::with_parts(
        config,
        TcpConnector::default().chain(DeadlineConnector),
        DefaultResolver::default(),
    )
}

/// Adds deadlines to the connections of the connector before.
#[derive(Debug)]
pub(super) struct DeadlineConnector;

pub(super) struct WithDeadlines<T> {
    inner: T,
    deadlines: Deadlines,
}

impl<In: Transport> Connector<In> for DeadlineConnector {
    type Out = WithDeadlines<In>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<WithDeadlines<In>>, Error> {
        Ok(chained.map(|inner| WithDeadlines { inner, deadlines: deadlines(details) }))
    }
}

impl<T: Transport> Transport for WithDeadlines<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let deadline = Countdown::start(&self.deadlines, timeout);
        let output = self.inner.buffers().output().get(..amount).ok_or(Error::ConnectionFailed)?.to_vec();
        for part in output.chunks(PART) {
            let buffer = self.inner.buffers().output();
            buffer.get_mut(..part.len()).ok_or(Error::ConnectionFailed)?.copy_from_slice(part);
            self.inner.transmit_output(part.len(), deadline.left()?)?;
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let deadline = Countdown::start(&self.deadlines, timeout);
        loop {
            match self.inner.await_input(deadline.left()?) {
                // A signal, not a fault of the connection.
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

impl<T> fmt::Debug for WithDeadlines<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithDeadlines").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Instant as Moment;

    use ureq::unversioned::transport::{LazyBuffers, time};

    use super::*;

    /// A connection of which each read and each write takes 300 ms. The first two reads are interrupted by a signal.
    struct Slow {
        buffers: LazyBuffers,
        now: Arc<Mutex<Moment>>,
        taken: Arc<Mutex<Vec<u8>>>,
        interrupted: u32,
    }

    impl Slow {
        fn wait(&self, timeout: NextTimeout) {
            *self.now.lock().unwrap() += (*timeout.after).min(Duration::from_millis(300));
        }
    }

    impl fmt::Debug for Slow {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Slow")
        }
    }

    impl Transport for Slow {
        fn buffers(&mut self) -> &mut dyn Buffers {
            &mut self.buffers
        }

        fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
            self.wait(timeout);
            self.taken.lock().unwrap().extend_from_slice(&self.buffers.output()[..amount]);
            Ok(())
        }

        fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
            self.wait(timeout);
            self.interrupted += 1;
            if self.interrupted > 2 {
                Ok(true)
            } else {
                Err(io::Error::from(io::ErrorKind::Interrupted).into())
            }
        }

        fn is_open(&mut self) -> bool {
            true
        }
    }

    const SECOND: NextTimeout =
        NextTimeout { after: time::Duration::from_secs(1), reason: Timeout::SendBody };

    type Taken = Arc<Mutex<Vec<u8>>>;

    /// Returns such a connection, the time that has passed on it, and the bytes that were written to it.
    fn slow() -> (WithDeadlines<Slow>, impl Fn() -> Duration, Taken) {
        let (begin, taken) = (moment(), Taken::default());
        let now = Arc::new(Mutex::new(begin));
        let (clock, read) = (Arc::clone(&now), Arc::clone(&now));
        let buffers = LazyBuffers::new(1 << 17, 1 << 17);
        let inner = Slow { buffers, now, taken: Arc::clone(&taken), interrupted: 0 };
        let deadlines: Deadlines = Arc::new(move |length| {
            let (now, end) = (Arc::clone(&clock), *clock.lock().unwrap() + length);
            Box::new(move || end.saturating_duration_since(*now.lock().unwrap()))
        });
        (WithDeadlines { inner, deadlines }, move || read.lock().unwrap().duration_since(begin), taken)
    }

    /// Returns the present moment, of which only differences matter.
    fn moment() -> Moment {
        let time::Instant::Exact(moment) = time::Instant::now() else { panic!("the clock has no time") };
        moment
    }

    #[test]
    fn a_slow_write_ends_at_its_deadline() {
        let (mut stream, passed, taken) = slow();
        let error = stream.transmit_output(1 << 17, SECOND).unwrap_err();
        assert!(matches!(error, Error::Timeout(Timeout::SendBody)));
        assert!(passed() <= *SECOND.after, "{:?}", passed());
        assert!(taken.lock().unwrap().len() < 1 << 17);
    }

    #[test]
    fn a_long_write_arrives_complete_and_in_order() {
        let (mut stream, _, taken) = slow();
        let bytes: Vec<u8> = (0..=255).cycle().take(2 * PART + 99).map(|byte: u8| byte ^ 0x5a).collect();
        stream.buffers().output()[..bytes.len()].copy_from_slice(&bytes);
        stream.transmit_output(bytes.len(), SECOND).unwrap();
        assert_eq!(*taken.lock().unwrap(), bytes);
    }

    #[test]
    fn a_signal_neither_ends_nor_restarts_a_wait() {
        let (mut stream, passed, _) = slow();
        assert!(stream.await_input(SECOND).unwrap());
        assert!(passed() < *SECOND.after, "{:?}", passed());
        assert!(matches!(
            stream.await_input(NextTimeout { after: time::Duration::from_secs(0), ..SECOND }),
            Err(Error::Timeout(Timeout::SendBody))
        ));
    }
}
