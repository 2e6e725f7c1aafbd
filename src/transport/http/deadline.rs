//! Waits below the requests: each ends when it should, however little the other side takes or says at a time.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use ureq::{Error, Timeout};

use super::client::DAY;

/// How much is written at a time, each with what is left of the wait. The system's own time-out is for one write, and
/// one that was cut short is gone on with by another: so the last part may take as long once more.
const PART: usize = 4096;

/// Begins a wait of this length, and tells from then on what is left of it.
pub(super) type Waits = Arc<dyn Fn(Duration) -> Box<dyn Fn() -> Duration> + Send + Sync>;

/// By the clock of the requests, which adds and compares, and does not subtract: what is left is found by halving.
pub(super) fn waits(details: &ConnectionDetails<'_>) -> Waits {
    let clock = Arc::clone(&details.current_time);
    Arc::new(move |length| {
        // What has no end is told by a length to which no time can be added.
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

/// A wait that has begun.
pub(super) struct Wait {
    left: Box<dyn Fn() -> Duration>,
    reason: Timeout,
}

impl Wait {
    pub(super) fn begin(waits: &Waits, timeout: NextTimeout) -> Self {
        Self { left: waits(*timeout.after), reason: timeout.reason }
    }

    /// What is left of it, or that it is over.
    pub(super) fn left(&self) -> Result<NextTimeout, Error> {
        match (self.left)() {
            Duration::ZERO => Err(Error::Timeout(self.reason)),
            left => Ok(NextTimeout { after: left.into(), reason: self.reason }),
        }
    }
}

/// An agent that keeps to its time-outs.
#[cfg(not(feature = "tls"))]
pub(super) fn agent(config: ureq::config::Config) -> ureq::Agent {
    use ureq::unversioned::resolver::DefaultResolver;
    use ureq::unversioned::transport::TcpConnector;
    ureq::Agent::with_parts(config, TcpConnector::default().chain(PaceConnector), DefaultResolver::default())
}

/// Puts a pace on the connections of the connector before.
#[derive(Debug)]
pub(super) struct PaceConnector;

pub(super) struct Paced<T> {
    inner: T,
    waits: Waits,
}

impl<In: Transport> Connector<In> for PaceConnector {
    type Out = Paced<In>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Paced<In>>, Error> {
        Ok(chained.map(|inner| Paced { inner, waits: waits(details) }))
    }
}

impl<T: Transport> Transport for Paced<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let wait = Wait::begin(&self.waits, timeout);
        let output = self.inner.buffers().output().get(..amount).ok_or(Error::ConnectionFailed)?.to_vec();
        for part in output.chunks(PART) {
            let buffer = self.inner.buffers().output();
            buffer.get_mut(..part.len()).ok_or(Error::ConnectionFailed)?.copy_from_slice(part);
            self.inner.transmit_output(part.len(), wait.left()?)?;
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let wait = Wait::begin(&self.waits, timeout);
        loop {
            match self.inner.await_input(wait.left()?) {
                // A signal, which says nothing of the connection.
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

impl<T> fmt::Debug for Paced<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paced").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Instant as Moment;

    use ureq::unversioned::transport::{LazyBuffers, time};

    use super::*;

    /// Takes 300 ms to take what it is given, and to say something, which it does when it has been interrupted twice.
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

    /// Such a connection, how much time has passed there, and what it has taken.
    fn paced() -> (Paced<Slow>, impl Fn() -> Duration, Taken) {
        let (begin, taken) = (moment(), Taken::default());
        let now = Arc::new(Mutex::new(begin));
        let (told, read) = (Arc::clone(&now), Arc::clone(&now));
        let buffers = LazyBuffers::new(1 << 17, 1 << 17);
        let inner = Slow { buffers, now, taken: Arc::clone(&taken), interrupted: 0 };
        let waits: Waits = Arc::new(move |length| {
            let (now, end) = (Arc::clone(&told), *told.lock().unwrap() + length);
            Box::new(move || end.saturating_duration_since(*now.lock().unwrap()))
        });
        (Paced { inner, waits }, move || read.lock().unwrap().duration_since(begin), taken)
    }

    /// Some moment; none is told from another here but by what has passed.
    fn moment() -> Moment {
        let time::Instant::Exact(moment) = time::Instant::now() else { panic!("the clock tells no time") };
        moment
    }

    #[test]
    fn what_is_taken_slowly_is_given_up_at_the_end_of_one_wait() {
        let (mut paced, passed, taken) = paced();
        let error = paced.transmit_output(1 << 17, SECOND).unwrap_err();
        assert!(matches!(error, Error::Timeout(Timeout::SendBody)));
        assert!(passed() <= *SECOND.after, "{:?}", passed());
        assert!(taken.lock().unwrap().len() < 1 << 17);
    }

    #[test]
    fn what_is_sent_is_all_there_in_its_order() {
        let (mut paced, _, taken) = paced();
        let bytes: Vec<u8> = (0..=255).cycle().take(2 * PART + 99).map(|byte: u8| byte ^ 0x5a).collect();
        paced.buffers().output()[..bytes.len()].copy_from_slice(&bytes);
        paced.transmit_output(bytes.len(), SECOND).unwrap();
        assert_eq!(*taken.lock().unwrap(), bytes);
    }

    #[test]
    fn a_signal_does_not_end_a_wait_and_does_not_begin_it_anew() {
        let (mut paced, passed, _) = paced();
        assert!(paced.await_input(SECOND).unwrap());
        assert!(passed() < *SECOND.after, "{:?}", passed());
        assert!(matches!(
            paced.await_input(NextTimeout { after: time::Duration::from_secs(0), ..SECOND }),
            Err(Error::Timeout(Timeout::SendBody))
        ));
    }
}
