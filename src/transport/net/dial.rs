//! Connecting to a host by name: the look-up, and its addresses in turn.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::ConnectionError;
use super::watch::{SLICE, WaitError, Watch};

/// The time after which the next address is tried too (RFC 8305, section 5).
const STAGGER: Duration = Duration::from_millis(250);

/// The addresses of a host that are tried.
const MAX_ADDRESSES: usize = 16;

/// The address that answered last, which is tried first the next time.
#[derive(Clone, Debug, Default)]
pub(super) struct LastAddress(Arc<Mutex<Option<IpAddr>>>);

impl LastAddress {
    fn get(&self) -> Option<IpAddr> {
        self.0.lock().ok().and_then(|address| *address)
    }

    fn set(&self, address: IpAddr) {
        if let Ok(mut last) = self.0.lock() {
            *last = Some(address);
        }
    }
}

/// Connects to the address of the host that answers first. Each is tried 250 milliseconds after the one before, or when
/// that has failed. Threads look up the name and connect, since neither can be interrupted; after the end of the call
/// they end by themselves, at the latest when the system ends the attempt.
pub(super) fn dial(
    host: &str,
    port: u16,
    limit: Duration,
    last: &LastAddress,
    watch: &mut Watch<'_>,
) -> Result<TcpStream, WaitError> {
    let found = match host.parse() {
        Ok(address) => vec![SocketAddr::new(address, port)],
        Err(_) => look_up(host, port, limit, watch)?,
    };
    let addresses = in_turn(found, last.get());
    let (stream, address) = race(addresses, limit, watch, TcpStream::connect_timeout)?;
    last.set(address.ip());
    Ok(stream)
}

fn look_up(
    host: &str,
    port: u16,
    limit: Duration,
    watch: &mut Watch<'_>,
) -> Result<Vec<SocketAddr>, WaitError> {
    let (sender, receiver) = mpsc::channel();
    let host = host.to_owned();
    spawn(sender, move || (host.as_str(), port).to_socket_addrs().map(Iterator::collect))?;
    let mut waited = Duration::ZERO;
    loop {
        match next(&receiver, &mut waited, watch)? {
            Some(found) => return Ok(found.map_err(|_| ConnectionError::HostNotFound)?),
            None if waited >= limit => return Err(ConnectionError::Timeout.into()),
            None => {}
        }
    }
}

/// Orders addresses: first the one that answered last, then IPv6 and IPv4 alternately, beginning with the family that
/// the system prefers (RFC 8305, section 4).
fn in_turn(found: Vec<SocketAddr>, last: Option<IpAddr>) -> Vec<SocketAddr> {
    let prefers_six = found.first().is_some_and(SocketAddr::is_ipv6);
    let (mut preferred, mut others): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|address| address.is_ipv6() == prefers_six);
    preferred.reverse();
    others.reverse();
    let mut ordered = Vec::new();
    while ordered.len() < MAX_ADDRESSES && !(preferred.is_empty() && others.is_empty()) {
        ordered.extend(preferred.pop());
        ordered.extend(others.pop());
    }
    // Stable: only the last one moves.
    ordered.sort_by_key(|address| Some(address.ip()) != last);
    ordered
}

/// Returns the first connection and its address, or the last error. Ends after the limit too: a system that ends no
/// attempt must not keep the caller.
fn race<S: Send + 'static>(
    addresses: Vec<SocketAddr>,
    limit: Duration,
    watch: &mut Watch<'_>,
    connect: fn(&SocketAddr, Duration) -> io::Result<S>,
) -> Result<(S, SocketAddr), WaitError> {
    let (sender, receiver) = mpsc::channel();
    let (mut addresses, mut trying) = (addresses.into_iter(), 0_u32);
    let mut last = ConnectionError::HostNotFound;
    let mut waited = STAGGER;
    loop {
        if waited >= STAGGER
            && let Some(address) = addresses.next()
        {
            let attempt = move || connect(&address, limit).map(|stream| (stream, address));
            match spawn(sender.clone(), attempt) {
                Ok(()) => (trying, waited) = (trying.saturating_add(1), Duration::ZERO),
                // An earlier attempt may still succeed.
                Err(error) => last = error,
            }
        }
        if trying == 0 {
            return Err(last.into());
        }
        if waited >= limit.saturating_add(STAGGER) {
            return Err(ConnectionError::Timeout.into());
        }
        match next(&receiver, &mut waited, watch)? {
            Some(Ok(connected)) => return Ok(connected),
            Some(Err(error)) => {
                (trying, waited) = (trying.saturating_sub(1), STAGGER);
                last = match error.kind() {
                    io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => ConnectionError::Timeout,
                    _ => ConnectionError::Io(error),
                };
            }
            None => {}
        }
    }
}

/// Runs `work` on a thread of its own and sends its result.
fn spawn<T: Send + 'static>(
    sender: Sender<T>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<(), ConnectionError> {
    let run = move || {
        // Nobody waits for it any longer.
        drop(sender.send(work()));
    };
    let started = thread::Builder::new().name("policysync-connect".to_owned()).spawn(run);
    started.map(drop).map_err(ConnectionError::Io)
}

/// Waits one slice for a result. Without one, the slice is added to the time waited.
fn next<T>(
    receiver: &Receiver<T>,
    waited: &mut Duration,
    watch: &mut Watch<'_>,
) -> Result<Option<T>, WaitError> {
    watch.check()?;
    match receiver.recv_timeout(SLICE) {
        Ok(result) => Ok(Some(result)),
        Err(RecvTimeoutError::Timeout) => {
            *waited = waited.saturating_add(SLICE);
            Ok(None)
        }
        // The thread has panicked.
        Err(RecvTimeoutError::Disconnected) => {
            Err(ConnectionError::Io(io::ErrorKind::Interrupted.into()).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;

    fn address(text: &str) -> SocketAddr {
        format!("{text}:1").parse().unwrap()
    }

    /// Connects to no network: the last number of the address says what happens.
    fn pretend(address: &SocketAddr, limit: Duration) -> io::Result<IpAddr> {
        match address.ip().to_string().as_str() {
            "10.0.0.1" => {
                thread::sleep(limit);
                Err(io::ErrorKind::TimedOut.into())
            }
            "10.0.0.2" => Err(io::ErrorKind::ConnectionRefused.into()),
            // A system that never ends the attempt.
            "10.0.0.4" => loop {
                thread::park();
            },
            _ => Ok(address.ip()),
        }
    }

    fn try_race(addresses: &[&str], limit: Duration) -> (Result<IpAddr, WaitError>, u32) {
        let mut slices = 0;
        // Each check is one slice at most.
        let mut clock = || {
            slices += 1;
            SLICE * slices
        };
        let mut proceed = || ControlFlow::Continue(());
        let mut watch = Watch::new(&mut clock, &mut proceed, None);
        let addresses = addresses.iter().map(|text| address(text)).collect();
        let result = race(addresses, limit, &mut watch, pretend).map(|(ip, _)| ip);
        (result, slices)
    }

    #[test]
    fn a_dead_address_delays_the_next_one_by_a_quarter_of_a_second() {
        let (result, slices) = try_race(&["10.0.0.1", "10.0.0.3"], Duration::from_secs(20));
        assert_eq!(result.ok(), Some(address("10.0.0.3").ip()));
        assert!((5..=8).contains(&slices), "{slices}");
    }

    #[test]
    fn a_refused_address_delays_the_next_one_not_at_all() {
        let (result, slices) = try_race(&["10.0.0.2", "10.0.0.2", "10.0.0.3"], Duration::from_secs(20));
        assert!(result.is_ok());
        assert!(slices <= 4, "{slices}");
    }

    #[test]
    fn the_last_error_is_reported_and_a_cancel_ends_the_wait() {
        let (result, _) = try_race(&["10.0.0.1", "10.0.0.2"], Duration::from_millis(400));
        assert!(matches!(result, Err(WaitError::Connection(ConnectionError::Timeout))));
        let (result, _) = try_race(&[], Duration::from_secs(1));
        assert!(matches!(result, Err(WaitError::Connection(ConnectionError::HostNotFound))));
        let mut now = Duration::ZERO;
        let mut clock = || {
            now += SLICE;
            now
        };
        let mut proceed = || ControlFlow::Break(());
        let mut watch = Watch::new(&mut clock, &mut proceed, None);
        let result = race(vec![address("10.0.0.1")], Duration::from_secs(20), &mut watch, pretend);
        assert!(matches!(result, Err(WaitError::Cancelled)));
    }

    #[test]
    fn a_system_that_ends_no_attempt_does_not_keep_the_caller() {
        let (result, slices) = try_race(&["10.0.0.4", "10.0.0.4"], Duration::from_millis(500));
        assert!(matches!(result, Err(WaitError::Connection(ConnectionError::Timeout))));
        assert!(slices <= 30, "{slices}");
    }

    #[test]
    fn the_families_take_turns_and_the_last_address_comes_first() {
        let found: Vec<SocketAddr> = ["[::1]", "[::2]", "[::3]", "1.1.1.1", "1.1.1.2"].map(address).into();
        let order = |last: Option<&str>| {
            in_turn(found.clone(), last.map(|text| address(text).ip()))
                .iter()
                .map(|address| address.ip().to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(order(None), ["::1", "1.1.1.1", "::2", "1.1.1.2", "::3"]);
        assert_eq!(order(Some("1.1.1.2")), ["1.1.1.2", "::1", "1.1.1.1", "::2", "::3"]);
        assert_eq!(order(Some("9.9.9.9")), order(None));
    }
}
