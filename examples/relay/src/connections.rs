//! Connections that end when they do not move, and bounds on their number.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, Sleep, sleep};

/// The bytes that a request or an answer must move within [`STALL`], whatever its length.
const LEAST_BYTES: u64 = 512;
/// The time-out of a request or an answer that does not move, and of a connection between two requests.
const STALL: Duration = Duration::from_secs(30);
/// The time-out of a WebSocket from which nothing arrives. A second is added for each KiB that was written meanwhile,
/// since the answer to a ping comes after what the system still sends.
const SILENCE: Duration = Duration::from_secs(60);

/// The kind of work that a connection does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It waits for a request, receives one, or sends an answer.
    Request,
    /// The relay works on its request.
    Busy,
    /// It is a WebSocket.
    Line,
}

/// The state of a connection, which its handlers share.
#[derive(Clone)]
pub struct Watched(Arc<Mutex<State>>);

struct State {
    phase: Phase,
    /// The time of the last progress in reading, and the bytes since.
    read: (Instant, u64),
    /// The same in writing, while writing waits for the other side.
    write: Option<(Instant, u64)>,
    /// The time since which a line has moved less than [`LEAST_BYTES`], and those bytes.
    moved: (Instant, u64),
    /// The bytes that were written since something was read.
    unanswered: u64,
    shed: bool,
    wakers: [Option<Waker>; 2],
}

impl Watched {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            phase: Phase::Request,
            read: (Instant::now(), 0),
            write: None,
            moved: (Instant::now(), 0),
            unanswered: 0,
            shed: false,
            wakers: [None, None],
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, phase: Phase) {
        let mut state = self.state();
        state.phase = phase;
        state.read = (Instant::now(), 0);
        state.moved = state.read;
    }

    /// Notes that the relay works on a request, until the result is dropped.
    pub fn busy(&self) -> Busy {
        self.enter(Phase::Busy);
        Busy(self.clone())
    }

    /// Ends the connection at its next step, which is now.
    fn shed(&self) {
        let mut state = self.state();
        state.shed = true;
        state.wakers.iter_mut().filter_map(Option::take).for_each(Waker::wake);
    }
}

/// The work on a request.
pub struct Busy(Watched);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.enter(Phase::Request);
    }
}

impl State {
    /// Returns the time at which a wait for bytes ends; `None` for no end.
    fn read_deadline(&self) -> Option<Instant> {
        let (since, _) = self.read;
        match self.phase {
            Phase::Request => Some(since + STALL),
            Phase::Busy => None,
            Phase::Line => Some(since + SILENCE + Duration::from_secs(self.unanswered / 1024)),
        }
    }

    fn has_read(&mut self, bytes: usize) {
        self.unanswered = 0;
        progress(&mut self.moved, bytes);
        progress(&mut self.read, bytes);
        // Any byte is a sign of a line; a request must move.
        if self.phase == Phase::Line {
            self.read = (Instant::now(), 0);
        }
    }

    fn has_written(&mut self, bytes: usize) {
        self.unanswered = self.unanswered.saturating_add(wide(bytes));
        progress(&mut self.moved, bytes);
        match &mut self.write {
            Some(write) => progress(write, bytes),
            None => self.write = Some((Instant::now(), 0)),
        }
        // The other side reads its answer: it has no request to send yet.
        if self.phase == Phase::Request {
            self.read = (Instant::now(), 0);
        }
    }
}

/// Counts bytes that have moved. The time begins again when they are enough.
fn progress((since, moved): &mut (Instant, u64), bytes: usize) {
    *moved = moved.saturating_add(wide(bytes));
    if *moved >= LEAST_BYTES {
        (*since, *moved) = (Instant::now(), 0);
    }
}

fn wide(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// A connection that ends when it does not move.
pub struct Connection<S> {
    stream: S,
    watched: Watched,
    timers: [Pin<Box<Sleep>>; 2],
    _place: Option<Place>,
}

impl<S> Connection<S> {
    fn new(stream: S, watched: Watched, place: Option<Place>) -> Self {
        let timers = [Box::pin(sleep(STALL)), Box::pin(sleep(STALL))];
        Self { stream, watched, timers, _place: place }
    }

    /// Waits until the deadline, as one of two: a read or a write.
    fn until(
        &mut self,
        which: usize,
        context: &mut Context<'_>,
        deadline: impl Fn(&mut State) -> Option<Instant>,
    ) -> Poll<io::Error> {
        let mut state = self.watched.state();
        if state.shed {
            return Poll::Ready(io::ErrorKind::ConnectionAborted.into());
        }
        if let Some(waker) = state.wakers.get_mut(which) {
            *waker = Some(context.waker().clone());
        }
        let (Some(deadline), Some(timer)) = (deadline(&mut state), self.timers.get_mut(which)) else {
            return Poll::Pending;
        };
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(context).map(|()| io::ErrorKind::TimedOut.into())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        // First, since bytes that arrive one by one must not put off the end.
        if let Poll::Ready(error) = self.until(0, context, |state| state.read_deadline()) {
            return Poll::Ready(Err(error));
        }
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        if result.is_ready() {
            self.watched.state().has_read(buffer.filled().len() - before);
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(context, bytes) {
            Poll::Ready(Ok(written)) => {
                let mut state = self.watched.state();
                state.has_written(written);
                // All of it was taken: the next one begins with all of its time.
                if written == bytes.len() {
                    state.write = None;
                }
                if state.shed {
                    return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
                }
                Poll::Ready(Ok(written))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                let stalled = |state: &mut State| {
                    let (since, _) = *state.write.get_or_insert((Instant::now(), 0));
                    Some(since + STALL)
                };
                self.until(1, context, stalled).map(Err)
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

// Their number

/// The bounds on the number of connections.
#[derive(Clone, Copy)]
pub struct Bounds {
    /// At a time. One more takes the place of the one whose request has not moved for longest.
    pub connections: usize,
    /// From one address, or from one network of version 6 with a prefix of 64 bits. Connections of this machine are not
    /// bounded, since they may come from a reverse proxy.
    pub per_address: usize,
}

impl Bounds {
    /// Returns the number of WebSockets at a time, so that requests always find a place.
    const fn lines(self) -> usize {
        self.connections / 4 * 3
    }
}

/// The connections at a time.
#[derive(Clone)]
pub struct Places(Arc<Mutex<Taken>>);

struct Taken {
    bounds: Bounds,
    next: u64,
    connections: HashMap<u64, (Option<IpAddr>, Watched)>,
}

impl Places {
    pub fn new(bounds: Bounds) -> Self {
        Self(Arc::new(Mutex::new(Taken { bounds, next: 0, connections: HashMap::new() })))
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns true if no connection is open.
    pub fn are_free(&self) -> bool {
        self.taken().connections.is_empty()
    }

    /// Makes a connection a WebSocket. Returns false if there is no room for one.
    ///
    /// If all are taken, the one that has moved least recently of the address with the most of them goes, unless this
    /// connection's address would then have the most: few addresses cannot keep out others.
    pub fn become_line(&self, connection: &Watched) -> bool {
        let mut taken = self.taken();
        let lines = taken.connections.iter().filter(|(_, (_, watched))| watched.state().phase == Phase::Line);
        let lines: Vec<_> =
            lines.map(|(id, (address, watched))| (*address, watched.state().moved.0, *id)).collect();
        if lines.len() >= taken.bounds.lines() {
            // Connections of this machine are not bounded.
            let mut counts: HashMap<IpAddr, usize> = HashMap::new();
            for address in lines.iter().filter_map(|(address, ..)| *address) {
                *counts.entry(address).or_default() += 1;
            }
            let own = taken.connections.values().find(|(_, watched)| Arc::ptr_eq(&watched.0, &connection.0));
            let own = own.and_then(|(address, _)| counts.get(&(*address)?)).copied().unwrap_or_default();
            let Some((most, count)) = counts.into_iter().max_by_key(|(_, count)| *count) else {
                return false;
            };
            if count <= own + 1 {
                return false;
            }
            let of = |address| lines.iter().filter(move |(other, ..)| *other == Some(address));
            let slowest = of(most).min_by_key(|(_, moved, _)| *moved).map(|(.., id)| *id);
            // It is gone when its task runs next, so it no longer counts.
            if let Some((_, watched)) = slowest.and_then(|id| taken.connections.remove(&id)) {
                watched.shed();
            }
        }
        connection.enter(Phase::Line);
        true
    }

    /// Returns a place for a connection from this address; `None` if there is none.
    fn take(&self, address: IpAddr) -> Option<(Place, Watched)> {
        let mut taken = self.taken();
        let peer = counted(address);
        let connections = &taken.connections;
        if let Some(peer) = peer
            && connections.values().filter(|(other, _)| *other == Some(peer)).count()
                >= taken.bounds.per_address
        {
            return None;
        }
        if connections.len() >= taken.bounds.connections {
            let slowest = connections
                .iter()
                .filter_map(|(id, (_, watched))| {
                    let state = watched.state();
                    let waits = state.phase == Phase::Request && !state.shed;
                    waits.then_some((state.write.map_or(state.read.0, |(since, _)| since), *id))
                })
                .min()?;
            // It is gone when its task runs next, so it no longer counts.
            let (_, watched) = taken.connections.remove(&slowest.1)?;
            watched.shed();
        }
        let (id, watched) = (taken.next, Watched::new());
        taken.next += 1;
        taken.connections.insert(id, (peer, watched.clone()));
        Some((Place { id, places: self.clone() }, watched))
    }
}

/// Returns the address by which a connection is counted.
fn counted(address: IpAddr) -> Option<IpAddr> {
    match address.to_canonical() {
        address if address.is_loopback() => None,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Some([a, b, c, d, 0, 0, 0, 0].into())
        }
        address => Some(address),
    }
}

/// The place of a connection, which is free again when this is dropped.
struct Place {
    id: u64,
    places: Places,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken().connections.remove(&self.id);
    }
}

/// A listener whose connections are bounded.
pub struct Limited {
    pub listener: TcpListener,
    pub places: Places,
}

impl Listener for Limited {
    type Io = Connection<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, address) = Listener::accept(&mut self.listener).await;
            if let Some((place, watched)) = self.places.take(address.ip()) {
                drop(stream.set_nodelay(true));
                return (Connection::new(stream, watched, Some(place)), address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, Limited>> for Watched {
    fn connect_info(stream: IncomingStream<'_, Limited>) -> Self {
        stream.io().watched.clone()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    fn pair() -> (Connection<DuplexStream>, DuplexStream, Watched) {
        let (near, far) = duplex(64);
        let watched = Watched::new();
        (Connection::new(near, watched.clone(), None), far, watched)
    }

    /// Returns the time for which a connection lives that gets this number of bytes in each interval.
    async fn lifetime(bytes: usize, every: Duration, line: bool) -> Option<Duration> {
        let (mut connection, mut far, watched) = pair();
        if line {
            watched.enter(Phase::Line);
        }
        let begin = Instant::now();
        let writer = async {
            while begin.elapsed() < Duration::from_secs(3600) {
                sleep(every).await;
                if far.write_all(&vec![b'P'; bytes]).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        let reader = async {
            let mut piece = [0; 4096];
            while let Ok(1..) = connection.read(&mut piece).await {}
            begin.elapsed()
        };
        tokio::select! {
            () = writer => None,
            lived = reader => Some(lived),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_drips_ends_and_one_that_moves_does_not() {
        let seconds = Duration::from_secs;
        assert_eq!(lifetime(1, seconds(40), false).await, Some(seconds(30)));
        assert_eq!(lifetime(10, seconds(1), false).await, Some(seconds(30)));
        assert_eq!(lifetime(18, seconds(1), false).await, None);
        assert_eq!(lifetime(600, seconds(25), false).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_lives_as_long_as_it_answers_pings() {
        let seconds = Duration::from_secs;
        assert_eq!(lifetime(6, seconds(20), true).await, None);
        assert_eq!(lifetime(6, seconds(70), true).await, Some(seconds(60)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_relays_own_work_does_not_count() {
        let (mut connection, _far, watched) = pair();
        let begin = Instant::now();
        let busy = watched.busy();
        let work = async {
            sleep(Duration::from_secs(100)).await;
            drop(busy);
            std::future::pending::<()>().await;
        };
        let mut piece = [0; 16];
        tokio::select! {
            () = work => {}
            // Polled again, as the server does when an answer is ready.
            () = async {
                while connection.watched.state().phase == Phase::Busy {
                    let read = tokio::time::timeout(Duration::from_secs(1), connection.read(&mut piece));
                    assert!(read.await.is_err(), "the connection ends while the relay works");
                }
                assert!(connection.read(&mut piece).await.is_err());
            } => {}
        }
        let lived = begin.elapsed().as_secs();
        assert!((129..=132).contains(&lived), "{lived}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_taken_ends_and_a_slow_one_does_not() {
        let (mut connection, mut far, _) = pair();
        let begin = Instant::now();
        let writing = async {
            let result = connection.write_all(&[0; 40_000]).await;
            drop(connection);
            result
        };
        let reading = async {
            let mut piece = [0; 40];
            while let Ok(1..) = far.read(&mut piece).await {
                sleep(Duration::from_secs(1)).await;
            }
        };
        let (result, ()) = tokio::join!(writing, reading);
        assert!(result.is_ok());
        assert!(begin.elapsed() > Duration::from_secs(900), "{:?}", begin.elapsed());

        let (mut connection, _far, _) = pair();
        let begin = Instant::now();
        assert!(connection.write_all(&[0; 40_000]).await.is_err());
        assert_eq!(begin.elapsed(), STALL);
    }

    #[tokio::test(start_paused = true)]
    async fn the_slowest_connection_makes_room_for_a_new_one() {
        let places = Places::new(Bounds { connections: 4, per_address: 100 });
        let address = IpAddr::from([192, 0, 2, 1]);
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(places.take(address).unwrap());
            sleep(Duration::from_secs(1)).await;
        }
        // The first works, the second is a line, the third has moved since: the fourth goes.
        let _busy = held[0].1.busy();
        held[1].1.enter(Phase::Line);
        held[2].1.state().has_read(600);
        let (_fifth, _) = places.take(address).unwrap();
        let shed: Vec<bool> = held.iter().map(|(_, watched)| watched.state().shed).collect();
        assert_eq!(shed, [false, false, false, true]);
        // A connection that is shed ends at once.
        let (near, _far) = duplex(64);
        let mut connection = Connection::new(near, held[3].1.clone(), None);
        assert!(connection.read(&mut [0; 16]).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_has_its_share_and_lines_leave_room_for_requests() {
        let places = Places::new(Bounds { connections: 8, per_address: 2 });
        let take = |text: &str| places.take(text.parse().unwrap());
        let held = [take("192.0.2.1"), take("::ffff:192.0.2.1"), take("2001:db8::1"), take("2001:db8::2")];
        assert!(held.iter().all(Option::is_some));
        assert!(take("192.0.2.1").is_none() && take("2001:db8::3").is_none());
        assert!(take("2001:db8:0:1::1").is_some() && take("192.0.2.2").is_some());
        let own: Vec<_> = (0..4).map(|_| take("127.0.0.1").unwrap()).collect();
        drop(held);
        assert!(take("192.0.2.1").is_some());
        drop(own);

        let lines: Vec<_> = (0..6).map(|_| take("127.0.0.1").unwrap()).collect();
        for (_, watched) in &lines {
            assert!(places.become_line(watched));
        }
        let (_place, seventh) = take("127.0.0.1").unwrap();
        assert!(!places.become_line(&seventh) && seventh.state().phase == Phase::Request);
        drop((lines, _place));
        assert!(places.are_free());
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_addresses_with_idle_lines_do_not_keep_others_out() {
        let places = Places::new(Bounds { connections: 8, per_address: 100 });
        let open = |text: &str| {
            let taken = places.take(text.parse().unwrap()).unwrap();
            (places.become_line(&taken.1), taken)
        };
        let (mut theirs, mut held) = (Vec::new(), Vec::new());
        for address in ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.2", "192.0.2.2"] {
            let (is_open, taken) = open(address);
            assert!(is_open);
            theirs.push(taken.1.clone());
            sleep(Duration::from_secs(1)).await;
            // A byte each keeps a line open, but it has not moved.
            theirs.iter().for_each(|watched| watched.state().has_read(1));
            held.push(taken);
        }
        theirs[0].state().has_read(600);
        let (first, _held) = open("198.51.100.1");
        let (second, _held_too) = open("198.51.100.2");
        assert!(first && second);
        let shed: Vec<bool> = theirs.iter().map(|watched| watched.state().shed).collect();
        assert_eq!(shed.iter().filter(|shed| **shed).count(), 2);
        // One of each address, and not the one that has moved.
        assert!(shed[1] && shed[3], "{shed:?}");
        // All have their share: an address gets no second line at the cost of another's last two.
        let (third, _) = open("198.51.100.1");
        assert!(!third);
    }
}
