//! Synchronization in the background, on a thread of its own.

mod error;
#[cfg(feature = "http")]
mod http;
mod options;
mod status;
#[cfg(feature = "websocket")]
mod websocket;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::net::{Backoff, ConnectionError};
use crate::crypto::random;
use crate::hlc::{steady_clock, system_wall_clock};
use crate::replica::{ReplicaGuard, SharedReplica};
use crate::sync::SyncError;

pub use error::BackgroundError;
pub use options::BackgroundOptions;
pub use status::{BackgroundPhase, BackgroundStatus};

/// Keeps a shared replica synchronized with a server: connects, runs a session, sends what is written here and ingests
/// what arrives, and connects again when the line breaks. Dropping it ends that.
///
/// It has a thread of its own, which no failure ends, except a panic ([`BackgroundPhase::Stopped`]). After a failure it
/// waits for up to a quarter of a second, then twice as long each time up to [`BackgroundOptions::longest_pause`], and
/// tries again. If a server asks for a longer pause over HTTP (`Retry-After`), it gets that, an hour at most.
///
/// The thread holds the replica's lock while it handles or makes a message, never while it waits for the network. It
/// merges operations that become due, as [`Replica::poll`](crate::Replica::poll) does. It reads the machine's clock.
/// [`HttpClient`](crate::HttpClient) and [`WebSocketClient`](crate::WebSocketClient) do the same work without a thread.
///
/// ```no_run
/// use std::time::Duration;
/// use policysync::{BackgroundSync, Replica, ReplicaOptions, SharedReplica, SigningSecretKey, system_wall_clock};
/// use policysync::transport::{BackgroundOptions, ConnectionOptions};
///
/// let alice = SigningSecretKey::generate("alice")?;
/// let replica = Replica::open(ReplicaOptions::new().write_as(alice).path("list.db", system_wall_clock()))?;
/// let replica = SharedReplica::new(replica);
///
/// let connection = ConnectionOptions::new().bearer_token("from the server's operator");
/// let options = BackgroundOptions::new("wss://relay.example/sync").connection(connection);
/// let background = BackgroundSync::start(replica.clone(), options)?;
///
/// // Writes are sent by themselves.
/// replica.lock().set(system_wall_clock(), ("Task", "t1", "title"), "Hello world")?;
/// let mut observer = replica.observe();
/// for change in observer.wait(Duration::from_secs(1))? {
///     println!("{} is now {:?}", change.path, change.value());
/// }
/// println!("{}", background.status());
/// drop(background);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A URL with `https` or `wss` needs the feature `tls`.
pub struct BackgroundSync {
    task: Task,
    thread: Option<JoinHandle<()>>,
}

impl BackgroundSync {
    /// Starts to synchronize the replica.
    ///
    /// # Errors
    ///
    /// [`ConnectionError::Url`], [`ConnectionError::ProxyUrl`], [`ConnectionError::NoTls`], [`ConnectionError::Header`]
    /// and [`ConnectionError::Tls`] for options with which no connection can succeed; [`ConnectionError::Io`] if the
    /// thread cannot be started.
    pub fn start(replica: SharedReplica, options: BackgroundOptions) -> Result<Self, ConnectionError> {
        let carrier = Carrier::new(&options)?;
        let control = Control {
            stops: AtomicBool::new(false),
            is_due: AtomicBool::new(false),
            status: Mutex::new(BackgroundStatus::default()),
            options,
        };
        let task = Task { replica, control: Arc::new(control) };
        let work = task.clone();
        let thread = thread::Builder::new().name("policysync-sync".to_owned());
        let thread = thread.spawn(move || work.run(carrier)).map_err(ConnectionError::Io)?;
        Ok(Self { task, thread: Some(thread) })
    }

    /// Ends a pause: the next attempt, or over HTTP the next session, begins at once. Call it when the network is back
    /// or the application comes to the front.
    pub fn sync_now(&self) {
        self.task.control.is_due.store(true, Ordering::SeqCst);
        self.task.replica.wake();
    }

    /// Returns the present status.
    #[must_use]
    pub fn status(&self) -> BackgroundStatus {
        self.task.status().clone()
    }
}

impl Drop for BackgroundSync {
    /// Stops, and waits for the end of the thread: about 100 milliseconds, and the end of a call of the replica or of
    /// [`BackgroundOptions::on_status`] that is under way. A server that sends bytes one by one over a WebSocket can
    /// delay it for some seconds. The caller may hold the replica's lock, unless `on_status` waits for that.
    fn drop(&mut self) {
        self.task.control.stops.store(true, Ordering::SeqCst);
        self.task.replica.wake();
        let thread = self.thread.take().filter(|thread| thread.thread().id() != thread::current().id());
        // It may have panicked in a guard or in `on_status`, which its panic message says.
        drop(thread.map(JoinHandle::join));
    }
}

/// The longest pause that a server can ask for. An answer on the way may have been made by anybody.
const LONGEST_ASKED: Duration = Duration::from_secs(3600);

/// Notes in the status that the thread ends by a panic.
struct NotePanic<'t>(&'t Task);

impl Drop for NotePanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.status().phase = BackgroundPhase::Stopped;
        }
    }
}

/// The handle that the thread and its owner share.
#[derive(Clone)]
struct Task {
    replica: SharedReplica,
    control: Arc<Control>,
}

struct Control {
    stops: AtomicBool,
    /// True if the owner wants no pause.
    is_due: AtomicBool,
    status: Mutex<BackgroundStatus>,
    options: BackgroundOptions,
}

/// A transport with what it keeps from one session to the next.
enum Carrier {
    #[cfg(feature = "http")]
    Http(Box<http::HttpCarrier>),
    #[cfg(feature = "websocket")]
    WebSocket(Box<websocket::WebSocketCarrier>),
}

impl Carrier {
    /// Returns the transport that the scheme of the URL names.
    #[cfg(all(feature = "http", feature = "websocket"))]
    fn new(options: &BackgroundOptions) -> Result<Self, ConnectionError> {
        match websocket::WebSocketCarrier::new(options) {
            Err(ConnectionError::Url { .. }) if !options.url.starts_with("ws") => {
                Ok(Self::Http(Box::new(http::HttpCarrier::new(options)?)))
            }
            carrier => Ok(Self::WebSocket(Box::new(carrier?))),
        }
    }

    #[cfg(not(feature = "websocket"))]
    fn new(options: &BackgroundOptions) -> Result<Self, ConnectionError> {
        Ok(Self::Http(Box::new(http::HttpCarrier::new(options)?)))
    }

    #[cfg(not(feature = "http"))]
    fn new(options: &BackgroundOptions) -> Result<Self, ConnectionError> {
        Ok(Self::WebSocket(Box::new(websocket::WebSocketCarrier::new(options)?)))
    }

    /// Synchronizes until there is a reason to pause. `Ok` is a pause before the next session; after an error the next
    /// attempt waits.
    fn work(&mut self, task: &Task, backoff: &mut Backoff) -> Result<(), BackgroundError> {
        match self {
            #[cfg(feature = "http")]
            Self::Http(carrier) => Ok(carrier.work(task, backoff)?),
            #[cfg(feature = "websocket")]
            Self::WebSocket(carrier) => Ok(carrier.work(task, backoff)?),
        }
    }
}

impl Task {
    fn run(&self, mut carrier: Carrier) {
        let _note = NotePanic(self);
        // Without random numbers all clients pause alike.
        let seed: [u8; 16] = random().unwrap_or_default();
        let mut backoff = Backoff::new(&seed, self.control.options.longest_pause, Duration::MAX);
        while !self.stops() {
            self.control.is_due.store(false, Ordering::SeqCst);
            self.note(|status| status.phase = BackgroundPhase::Connecting);
            let Err(error) = carrier.work(self, &mut backoff) else { continue };
            let asked = error.retry_after().map(|asked| asked.min(LONGEST_ASKED));
            let pause = backoff.after_failure(steady_clock(), asked);
            let pause = pause.unwrap_or(self.control.options.longest_pause);
            if !self.stops() {
                self.note(|status| status.fail(error, pause));
            }
            self.pause(pause, |_| false);
        }
    }

    fn stops(&self) -> bool {
        self.control.stops.load(Ordering::SeqCst)
    }

    /// Waits for a time, or until the owner wants no pause, or `until` returns true for the number of changes.
    fn pause(&self, time: Duration, until: impl Fn(u64) -> bool) {
        self.replica.wait_until(time, |changes| self.stops() || self.is_due() || until(changes));
    }

    fn is_due(&self) -> bool {
        self.control.is_due.load(Ordering::SeqCst)
    }

    /// Merges the operations that have become due.
    fn merge_due(replica: &mut ReplicaGuard<'_>) -> Result<(), SyncError> {
        let now = system_wall_clock();
        // Only a change of the replica is one for its observers.
        if now.is_believable() && replica.next_due().is_some_and(|due| due <= now) {
            replica.merge_due(now).map_err(SyncError::Store)?;
        }
        Ok(())
    }

    /// Takes the replica; `None` if the work stops.
    fn lock(&self) -> Option<ReplicaGuard<'_>> {
        self.replica.lock_unless(|| self.stops())
    }

    fn status(&self) -> MutexGuard<'_, BackgroundStatus> {
        self.control.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the status, and calls the application if its phase or its result is another.
    fn note(&self, change: impl FnOnce(&mut BackgroundStatus)) {
        let mut status = self.status();
        let before = status.clone();
        change(&mut status);
        let after = status.clone();
        drop(status);
        if before.differs(&after)
            && let Some(on_status) = &self.control.options.on_status
        {
            on_status(&after);
        }
    }

    /// Notes the end of a session.
    fn note_result(&self, phase: BackgroundPhase, ended: status::Ended) {
        self.note(|status| status.succeed(phase, ended, system_wall_clock()));
    }
}
