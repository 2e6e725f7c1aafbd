//! Options of a WebSocket.

use std::time::Duration;

use crate::hlc::WallMillis;
use crate::sync::SyncOptions;
use crate::transport::net::ConnectionOptions;

/// Options of a WebSocket.
///
/// Times are measured by the `now` of each call, so use the same clock for all of them. A clock that jumps forward ends
/// a line early; one that is set back by an hour detects silence or a slow peer up to an hour late.
#[derive(Clone, Debug)]
pub struct WebSocketOptions {
    pub(super) sync: SyncOptions,
    pub(super) connection: ConnectionOptions,
    pub(super) wait: Duration,
    pub(super) ping_after: WallMillis,
    pub(super) silence: WallMillis,
    pub(super) stall: WallMillis,
}

impl WebSocketOptions {
    /// Returns the defaults: 10 seconds to connect, a ping after 20 seconds without a message, the end after 60; 30
    /// seconds for a slow peer.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            sync: SyncOptions::new(),
            connection: ConnectionOptions::new(),
            wait: Duration::from_millis(100),
            ping_after: WallMillis(20_000),
            silence: WallMillis(60_000),
            stall: WallMillis(30_000),
        }
    }

    /// Sets the options of the sessions. The limit of messages is the limit of frames too. A server should use the same
    /// limit as its [`Responder`](crate::Responder).
    #[must_use]
    pub fn sync(mut self, options: SyncOptions) -> Self {
        self.sync = options;
        self
    }

    /// Sets the options of the connection: headers, the bearer token, trusted authorities, the time to connect. A
    /// server uses only the last.
    #[must_use]
    pub fn connection(mut self, options: ConnectionOptions) -> Self {
        self.connection = options;
        self
    }

    /// Sets how long [`WebSocketClient::wait`](super::WebSocketClient::wait) waits if nothing arrives, at least one
    /// millisecond: on a quiet line, new operations are sent within this time. Default: 100 milliseconds.
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait.max(Duration::from_millis(1));
        self
    }

    /// Sets the time without a message after which a ping is sent. Default: 20 seconds.
    #[must_use]
    pub const fn ping_after(mut self, quiet: WallMillis) -> Self {
        self.ping_after = quiet;
        self
    }

    /// Sets the time without a whole message or an answer to a ping, from the first wait on, after which the line ends
    /// with [`WebSocketError::Silent`](super::WebSocketError::Silent). Default: 60 seconds; a message of 1 MiB then
    /// needs 18 KB a second.
    #[must_use]
    pub const fn silence(mut self, silence: WallMillis) -> Self {
        self.silence = silence;
        self
    }

    /// Sets how long a message may be stuck on its way out before the line ends with
    /// [`WebSocketError::SlowPeer`](super::WebSocketError::SlowPeer). Default: 30 seconds; a message of 1 MiB then
    /// needs 35 KB a second.
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
