//! How a WebSocket waits, and what it takes.

use std::time::Duration;

use crate::hlc::WallMillis;
use crate::sync::SyncOptions;

/// How a WebSocket waits, and what it takes.
///
/// Times are measured by the `now` that each call is given: a clock that jumps forward ends a line early, which costs a
/// new one.
#[derive(Clone, Debug)]
pub struct WebSocketOptions {
    pub(super) sync: SyncOptions,
    pub(super) connect: Duration,
    pub(super) wait: Duration,
    pub(super) ping_after: WallMillis,
    pub(super) silence: WallMillis,
    pub(super) stall: WallMillis,
}

impl WebSocketOptions {
    /// 10 seconds to connect, a ping after 20 seconds without a message, an end after 60; 30 seconds for a slow peer.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            sync: SyncOptions::new(),
            connect: Duration::from_secs(10),
            wait: Duration::from_millis(100),
            ping_after: WallMillis(20_000),
            silence: WallMillis(60_000),
            stall: WallMillis(30_000),
        }
    }

    /// How its sessions are run. The limit of messages is the limit of frames too. For a server it is the limit of the
    /// [`Responder`](crate::Responder) that should stand here.
    #[must_use]
    pub fn sync(mut self, options: SyncOptions) -> Self {
        self.sync = options;
        self
    }

    /// How long to connect to each address of the host, and how long each step of the handshake. Default: 10 seconds.
    #[must_use]
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect = timeout;
        self
    }

    /// How long [`WebSocketClient::wait`](super::WebSocketClient::wait) waits where nothing comes, from one millisecond
    /// on: on a quiet line, what is written here is sent within this time. Default: 100 milliseconds.
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait.max(Duration::from_millis(1));
        self
    }

    /// How long without a message until the other side is asked whether it is there. Default: 20 seconds.
    #[must_use]
    pub const fn ping_after(mut self, quiet: WallMillis) -> Self {
        self.ping_after = quiet;
        self
    }

    /// How long without a whole message or an answer to a ping until the line is given up
    /// ([`WebSocketError::Silent`](super::WebSocketError::Silent)). Default: 60 seconds; a message of 1 MiB then needs
    /// 18 KB a second.
    #[must_use]
    pub const fn silence(mut self, silence: WallMillis) -> Self {
        self.silence = silence;
        self
    }

    /// How long a message may be stuck on its way out until the line is given up
    /// ([`WebSocketError::SlowPeer`](super::WebSocketError::SlowPeer)). Default: 30 seconds.
    #[must_use]
    pub const fn stall(mut self, stall: WallMillis) -> Self {
        self.stall = stall;
        self
    }
}

impl Default for WebSocketOptions {
    fn default() -> Self {
        Self::new()
    }
}
