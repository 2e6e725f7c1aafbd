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
}

impl WebSocketOptions {
    /// Returns the defaults: 10 seconds to connect, a ping after 20 seconds without a message, the end after 60.
    #[must_use]
    pub fn new() -> Self {
        Self {
            sync: SyncOptions::new(),
            connection: ConnectionOptions::new(),
            wait: Duration::from_millis(100),
            ping_after: WallMillis(20_000),
            silence: WallMillis(60_000),
        }
    }

    /// Sets the options of the sessions. The limit of messages is the limit of frames too. A server should use the same
    /// limit as its [`Responder`](crate::Responder).
    #[must_use]
    pub fn sync(mut self, options: SyncOptions) -> Self {
        self.sync = options;
        self
    }

    /// Sets the options of the connection: headers, the bearer token, trusted authorities, a proxy, the time to connect
    /// and that without progress. A server uses only the last two.
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

    /// Sets the time without a sign of the other side, from the first wait on, after which the line ends with
    /// [`WebSocketError::Silent`](super::WebSocketError::Silent). A message, the answer to a ping and 512 bytes of a
    /// longer message are signs. A second is added for each KiB that was sent meanwhile, since the system takes bytes
    /// before a slow line has carried them. Default: 60 seconds.
    #[must_use]
    pub const fn silence(mut self, silence: WallMillis) -> Self {
        self.silence = silence;
        self
    }
}

impl Default for WebSocketOptions {
    fn default() -> Self {
        Self::new()
    }
}
