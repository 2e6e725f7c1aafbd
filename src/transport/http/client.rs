//! The HTTP client.

use std::ops::ControlFlow;
use std::sync::Mutex;
use std::time::Duration;

use super::exchange::{Answer, Exchange, Failed, Limits};
use super::head::request_head;
use super::{HttpError, HttpOptions, SCHEME};
use crate::hlc::{WallMillis, steady_clock, system_wall_clock};
use crate::replica::Replica;
use crate::sync::{Alert, Progress, SessionResult, SyncError, SyncOptions, SyncSession};
use crate::transport::net::{Backoff, ConnectionError, NetStream, ProxyAddress, SLICE, Security, Url, Watch};

/// The number of times a message is sent again after an answer to another message.
const REPEATS: u32 = 3;
/// The longest pause before a request is sent again, unless the server asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// The time after which a kept connection is no longer used. Servers and routers forget it soon after.
const MAX_IDLE: Duration = Duration::from_secs(20);

/// Synchronizes with a server over HTTP: each message is a POST to one URL.
///
/// It blocks the calling thread. Only the look-up of a name and the opening of a connection run on threads of their
/// own, which end when the system answers, because neither can be interrupted. Redirects are not followed, cookies are
/// not kept, and proxies of the environment are ignored. One connection is kept between calls; dropping the client
/// closes it. Calls from several threads do not wait for each other.
///
/// With a token, and with the session before the restart resumed:
///
/// ```no_run
/// use std::ops::ControlFlow;
///
/// use policysync::{HttpClient, Replica, ReplicaOptions, SyncOptions, system_wall_clock};
/// use policysync::sync::{SessionResult, ResumeToken};
/// use policysync::transport::{ConnectionOptions, HttpOptions};
///
/// # let (token, key) = ("from the server's operator", [7; 32]);
/// let mut replica = Replica::open(ReplicaOptions::new())?;
/// let http = HttpOptions::new().connection(ConnectionOptions::new().bearer_token(token));
/// let client = HttpClient::new("https://relay.example/sync", http)?;
/// let mut options = SyncOptions::new();
/// // `key` is 32 secret bytes from the platform's key store, for example the store's seal key.
/// if let Ok(bytes) = std::fs::read("list.base")
///     && let Ok(base) = ResumeToken::from_bytes(&bytes, &replica, &key)
/// {
///     options = options.resume(base);
/// }
/// let report = client.sync(&mut replica, options, system_wall_clock, |_| ControlFlow::Continue(()))?;
/// if let SessionResult::Converged { resume: Some(base), .. } = &report.result {
///     std::fs::write("list.base", base.to_bytes(&replica, &key)?)?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// An `https` URL needs the feature `tls`; for an authority of your own see `ConnectionOptions::tls_roots`.
pub struct HttpClient {
    url: Url,
    /// The proxy that carries the requests themselves, since they need no tunnel.
    proxy: Option<ProxyAddress>,
    security: Security,
    options: HttpOptions,
    idle: Mutex<Option<Idle>>,
}

/// A connection that can carry another request.
struct Idle {
    stream: NetStream,
    since: Duration,
    /// The wall clock, which goes on while the machine sleeps.
    wall: WallMillis,
    /// The process that made the connection: a fork must not use it too.
    process: u32,
}

impl Idle {
    fn new(stream: NetStream) -> Self {
        Self { stream, since: steady_clock(), wall: system_wall_clock(), process: std::process::id() }
    }

    /// Returns the connection, unless it is old, another process's, closed, or the server has sent something.
    fn usable(mut self) -> Option<NetStream> {
        let age = steady_clock().saturating_sub(self.since);
        let slept = system_wall_clock().0.checked_sub(self.wall.0).map(Duration::from_millis);
        let is_young = age < MAX_IDLE && slept.is_some_and(|slept| slept < MAX_IDLE);
        let is_silent = |stream: &mut NetStream| {
            stream.read_arrived(&mut [0]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
        };
        let is_ours = self.process == std::process::id();
        (is_ours && is_young && is_silent(&mut self.stream)).then_some(self.stream)
    }
}

/// The result of a session, with its counts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SyncReport {
    /// The result: whether both sides hold the same operations.
    pub result: SessionResult,
    /// The operations that were sent, received and refused.
    pub progress: Progress,
}

impl HttpClient {
    /// Returns a client of the server at this URL. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`ConnectionError::Url`], [`ConnectionError::ProxyUrl`], [`ConnectionError::NoTls`] for an `https` URL without
    /// the feature `tls`, [`ConnectionError::Header`], and [`ConnectionError::Tls`] if TLS cannot be set up.
    pub fn new(url: &str, options: HttpOptions) -> Result<Self, HttpError> {
        let url = Url::parse(url, SCHEME)?;
        let connection = &options.connection;
        connection.headers.check().map_err(ConnectionError::from)?;
        let proxy = connection.proxy.as_ref().map(|proxy| proxy.read()).transpose()?;
        let security = Security::new(&url, connection)?;
        let proxy = proxy.filter(|_| !url.tls);
        Ok(Self { url, proxy, security, options, idle: Mutex::new(None) })
    }

    /// Runs a session to its end. `now` returns the time, for the operations that arrive; `on_progress` is called after
    /// each answer, and every 50 to 100 milliseconds while the call waits; it can cancel the session, which then ends
    /// at once.
    ///
    /// A request that fails for a temporary reason ([`HttpError::is_temporary`]) is sent again, within
    /// [`HttpOptions::retry_for`]. A responder that had received it already counts what is in it as duplicates.
    ///
    /// The replica is borrowed meanwhile. To write into it during a session, use
    /// [`BackgroundSync`](crate::BackgroundSync), or run the [`SyncSession`] yourself and carry its messages with
    /// [`HttpClient::exchange`].
    ///
    /// # Errors
    ///
    /// [`HttpError`]. Operations that were admitted stay, and the next session continues from there.
    pub fn sync(
        &self,
        replica: &mut Replica,
        options: SyncOptions,
        mut now: impl FnMut() -> WallMillis,
        mut on_progress: impl FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<SyncReport, HttpError> {
        let limit = options.limit();
        let mut session = self.session(options, replica);
        let (now, on_progress) = (&mut now, &mut on_progress);
        self.run(&mut Borrowed { session: &mut session, replica, now, on_progress }, limit)?;
        let result = session.result().cloned().ok_or(SyncError::Ended)?;
        Ok(SyncReport { result, progress: session.progress() })
    }

    /// Returns a session with this server.
    pub(crate) fn session(&self, options: SyncOptions, replica: &Replica) -> SyncSession {
        let mut nonce = [0; 16];
        replica.crypto().random(&mut nonce);
        SyncSession::new(options.peer_or(&self.url.to_string()), nonce)
    }

    /// Runs a session to its end. While a request is under way, the session and its replica are free for others.
    pub(crate) fn run<S: LocalSession>(&self, session: &mut S, limit: usize) -> Result<(), S::Error> {
        while let Some(request) = session.next_message()? {
            for strays in 0.. {
                let Some(answer) = self.carry_surely(session, &request, limit)? else { break };
                match session.receive(&answer)? {
                    Received::Answer | Received::Cancelled => break,
                    // A cache on the way may have repeated an old answer.
                    // Or it belongs to an earlier request on the connection.
                    Received::Stray if strays < REPEATS => drop(self.take_idle()),
                    Received::Stray => return Err(HttpError::Sync(SyncError::Stray).into()),
                }
            }
        }
        Ok(())
    }

    /// Carries one message of a session, again and again if it fails for a temporary reason. Returns `None` if the
    /// session was cancelled meanwhile, or will send something else.
    fn carry_surely<S: LocalSession>(
        &self,
        session: &mut S,
        request: &[u8],
        limit: usize,
    ) -> Result<Option<Vec<u8>>, S::Error> {
        let mut backoff = Backoff::new(request, LONGEST_PAUSE, self.options.retry);
        loop {
            let result = waiting(session, |proceed| self.carry(request, limit, proceed))?;
            let asked = match &result {
                Err(HttpError::Cancelled) => return Ok(None),
                Err(HttpError::RequestTooLarge { .. }) if session.message_too_large()? => {
                    return Ok(None);
                }
                Err(error) if error.is_temporary() => error.retry_after(),
                Ok(answer) if is_failure(&answer.body) => answer.retry_after,
                _ => return Ok(Some(result?.body)),
            };
            let Some(pause) = backoff.after_failure(steady_clock(), asked) else {
                return match result? {
                    // The session would not tell the caller of this pause.
                    Answer { status, retry_after: Some(_), .. } if status != 200 => {
                        Err(HttpError::Status { status, retry_after: asked }.into())
                    }
                    answer => Ok(Some(answer.body)),
                };
            };
            if waiting(session, |proceed| wait(pause, proceed))?.is_break() {
                return Ok(None);
            }
        }
    }

    /// Carries one message and returns the answer, which has at most `max_bytes` bytes. That should be the limit of the
    /// session ([`SyncOptions::max_message_bytes`]). A refusal by the server is an answer too. `proceed` is called
    /// about every 100 milliseconds and can cancel the call. The message is sent once, unless a connection that was
    /// kept turns out to be closed; then the server may receive it twice.
    ///
    /// # Errors
    ///
    /// [`HttpError`].
    pub fn exchange(
        &self,
        message: &[u8],
        max_bytes: usize,
        mut proceed: impl FnMut() -> ControlFlow<()>,
    ) -> Result<Vec<u8>, HttpError> {
        Ok(self.carry(message, max_bytes, &mut proceed)?.body)
    }

    fn carry(
        &self,
        message: &[u8],
        max_bytes: usize,
        proceed: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<Answer, HttpError> {
        let mut clock = steady_clock;
        let mut watch = Watch::new(&mut clock, proceed, self.options.overall);
        if let Some(stream) = self.take_idle() {
            match self.carry_over(stream, message, max_bytes, &mut watch) {
                // The server has closed the connection meanwhile.
                Err(Failed { error: HttpError::Connection(ConnectionError::Io(_)), has_arrived: false }) => {}
                result => return result.map_err(|failed| failed.error),
            }
        }
        let connection = &self.options.connection;
        let stream = NetStream::connect(&self.url, false, &self.security, connection, &mut watch)?;
        self.carry_over(stream, message, max_bytes, &mut watch).map_err(|failed| failed.error)
    }

    fn carry_over(
        &self,
        stream: NetStream,
        message: &[u8],
        max_bytes: usize,
        watch: &mut Watch<'_>,
    ) -> Result<Answer, Failed> {
        let connection = &self.options.connection;
        let limits = Limits { answer: self.options.answer, progress: connection.progress, max_bytes };
        let head = request_head(&self.url, connection, self.proxy.as_ref(), message.len());
        let result = Exchange::new(stream, watch, limits).run(&head, message);
        let (answer, stream) = result.map_err(|failed| match failed.error {
            // The proxy asks for its own credentials.
            HttpError::Status { status: status @ 407, .. } if self.proxy.is_some() => {
                Failed { error: ConnectionError::Proxy { status }.into(), ..failed }
            }
            _ => failed,
        })?;
        if let Some(stream) = stream
            && let Ok(mut idle) = self.idle.lock()
        {
            *idle = Some(Idle::new(stream));
        }
        Ok(answer)
    }

    fn take_idle(&self) -> Option<NetStream> {
        let idle = self.idle.lock().ok()?.take()?;
        idle.usable()
    }
}

/// Runs a wait during which the session can be cancelled.
fn waiting<S: LocalSession, T>(
    session: &mut S,
    wait: impl FnOnce(&mut dyn FnMut() -> ControlFlow<()>) -> T,
) -> Result<T, S::Error> {
    let mut failed = None;
    let result = wait(&mut || match session.is_cancelled() {
        Ok(false) => ControlFlow::Continue(()),
        Ok(true) => ControlFlow::Break(()),
        Err(error) => {
            failed = Some(error);
            ControlFlow::Break(())
        }
    });
    failed.map_or(Ok(result), Err)
}

/// Waits for a time. Breaks if the caller does not want to proceed.
fn wait(time: Duration, proceed: &mut dyn FnMut() -> ControlFlow<()>) -> ControlFlow<()> {
    let begin = steady_clock();
    loop {
        let left = time.saturating_sub(steady_clock().saturating_sub(begin));
        if left.is_zero() {
            return ControlFlow::Continue(());
        }
        proceed()?;
        std::thread::sleep(left.min(SLICE));
    }
}

/// Returns true if the server reports a fault of its own, after which the same request may succeed.
fn is_failure(answer: &[u8]) -> bool {
    answer == SyncError::AlertReceived(Alert::Failed).to_alert()
}

/// A session with its replica, borrowed or behind a lock.
pub(crate) trait LocalSession {
    /// The error that ends the session.
    type Error: From<HttpError>;

    /// Returns the next message, or `None` at the end.
    fn next_message(&mut self) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Returns true if the session has been cancelled. Called while it waits for an answer.
    fn is_cancelled(&mut self) -> Result<bool, Self::Error>;

    /// Called if the server, or a gateway before it, takes no request of this length. Returns true if the session has
    /// another message to send instead.
    fn message_too_large(&mut self) -> Result<bool, Self::Error>;

    /// Receives an answer.
    fn receive(&mut self, answer: &[u8]) -> Result<Received, Self::Error>;
}

/// The meaning of an answer for its session.
pub(crate) enum Received {
    /// The answer to the last message.
    Answer,
    /// An answer to another message.
    Stray,
    /// Irrelevant: the session was cancelled meanwhile.
    Cancelled,
}

struct Borrowed<'s, N, P> {
    session: &'s mut SyncSession,
    replica: &'s mut Replica,
    now: &'s mut N,
    on_progress: &'s mut P,
}

impl<N: FnMut() -> WallMillis, P: FnMut(&Progress) -> ControlFlow<()>> LocalSession for Borrowed<'_, N, P> {
    type Error = HttpError;

    fn next_message(&mut self) -> Result<Option<Vec<u8>>, HttpError> {
        Ok(self.session.next_message(self.replica)?)
    }

    fn is_cancelled(&mut self) -> Result<bool, HttpError> {
        let stop = (self.on_progress)(&self.session.progress()).is_break();
        if stop {
            self.session.cancel();
        }
        Ok(stop)
    }

    fn message_too_large(&mut self) -> Result<bool, HttpError> {
        Ok(self.session.message_too_large())
    }

    fn receive(&mut self, answer: &[u8]) -> Result<Received, HttpError> {
        if self.session.result().is_some() {
            return Ok(Received::Cancelled);
        }
        let progress = match self.session.receive(self.replica, (self.now)(), answer) {
            Err(SyncError::Stray) => return Ok(Received::Stray),
            result => result?,
        };
        if (self.on_progress)(&progress).is_break() {
            self.session.cancel();
        }
        Ok(Received::Answer)
    }
}
