//! The options of synchronization in the background.

use std::fmt;
use std::time::Duration;

use super::BackgroundStatus;
use crate::sync::SyncOptions;
use crate::transport::net::ConnectionOptions;

/// The options of [`BackgroundSync`](super::BackgroundSync).
pub struct BackgroundOptions {
    pub(super) url: Box<str>,
    pub(super) connection: ConnectionOptions,
    pub(super) sync: SyncOptions,
    #[cfg(feature = "http")]
    pub(super) every: Duration,
    pub(super) longest_pause: Duration,
    pub(super) on_status: Option<OnStatus>,
}

pub(super) type OnStatus = Box<dyn Fn(&BackgroundStatus) + Send + Sync>;

impl BackgroundOptions {
    /// Returns the defaults for the server at this URL: over HTTP a session every 30 seconds and after each write; at
    /// most a minute between attempts. The scheme chooses the transport: `http`, `https`, `ws` or `wss`.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self {
            url: url.into(),
            connection: ConnectionOptions::new(),
            sync: SyncOptions::new(),
            #[cfg(feature = "http")]
            every: Duration::from_secs(30),
            longest_pause: Duration::from_secs(60),
            on_status: None,
        }
    }

    /// Sets the options of the connection: headers, the bearer token, trusted authorities, a proxy, the time to connect
    /// and that without progress.
    #[must_use]
    pub fn connection(mut self, options: ConnectionOptions) -> Self {
        self.connection = options;
        self
    }

    /// Sets the options of the sessions. Each later session resumes the one before by itself.
    #[must_use]
    pub fn sync(mut self, options: SyncOptions) -> Self {
        self.sync = options;
        self
    }

    /// Sets the time from one session over HTTP to the next, if nothing is written here meanwhile: operations of others
    /// arrive as late as that. A WebSocket brings them at once. Default: 30 seconds; at least one.
    #[cfg(feature = "http")]
    #[must_use]
    pub fn every(mut self, time: Duration) -> Self {
        self.every = time.max(Duration::from_secs(1));
        self
    }

    /// Sets the longest pause between two attempts that fail, unless the server asks for a longer one. Default: one
    /// minute; at least a second.
    #[must_use]
    pub fn longest_pause(mut self, pause: Duration) -> Self {
        self.longest_pause = pause.max(Duration::from_secs(1));
        self
    }

    /// Calls `on_status` on the thread of the synchronization whenever the phase changes or a session ends. The thread
    /// holds no lock meanwhile. Do not wait there for anything that the thread holds which drops the
    /// [`BackgroundSync`](super::BackgroundSync), the replica's lock included: each would wait for the other.
    #[must_use]
    pub fn on_status(mut self, on_status: impl Fn(&BackgroundStatus) + Send + Sync + 'static) -> Self {
        self.on_status = Some(Box::new(on_status));
        self
    }
}

impl fmt::Debug for BackgroundOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackgroundOptions")
            .field("url", &self.url)
            .field("connection", &self.connection)
            .field("sync", &self.sync)
            .finish_non_exhaustive()
    }
}
