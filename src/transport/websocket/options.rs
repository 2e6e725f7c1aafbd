//! How a WebSocket waits, what it takes, and what is sent when it is opened.

use std::time::Duration;

use crate::hlc::WallMillis;
use crate::sync::SyncOptions;
use crate::transport::headers::Headers;
#[cfg(feature = "tls")]
use crate::transport::tls::TlsRoots;

/// How a WebSocket waits, what it takes, and what is sent when it is opened.
///
/// Times are measured by the `now` that each call is given, so let it be the same clock for all of them. One that
/// jumps forward ends a line early, which costs a new one; one that is set back by an hour ends a line or a handshake
/// for silence or slowness up to an hour late.
#[derive(Clone, Debug)]
pub struct WebSocketOptions {
    pub(super) sync: SyncOptions,
    pub(super) headers: Headers,
    #[cfg(feature = "tls")]
    pub(super) roots: TlsRoots,
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
            headers: Headers::new(),
            #[cfg(feature = "tls")]
            roots: TlsRoots::new(),
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

    /// Shows this token to the server when the line is opened: the header `Authorization: Bearer …` (RFC 6750), in
    /// place of another `Authorization`. Without TLS whoever carries the line can read it. The client checks it when it
    /// connects; a server does not look at it.
    #[must_use]
    pub fn bearer_token(mut self, token: &str) -> Self {
        self.headers.set_bearer_token(token);
        self
    }

    /// Sends this header with the request that opens the line, in place of another with the same name. The client
    /// checks it when it connects; a server does not look at it. Values are not printed, not even by `Debug`, and our
    /// copies are wiped.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.set(name, value);
        self
    }

    /// Whose certificates are believed of a `wss` server. Default: those of Mozilla's authorities. A server does not
    /// look at it.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls_roots(mut self, roots: TlsRoots) -> Self {
        self.roots = roots;
        self
    }

    /// How long to connect to each address of the host, how long the handshake of TLS, and how long that of WebSocket.
    /// Default: 10 seconds. The look-up of the name takes as long as the system allows.
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

    /// How long without a whole message or an answer to a ping, from the first wait on, until the line is given up
    /// ([`WebSocketError::Silent`](super::WebSocketError::Silent)). Default: 60 seconds; a message of 1 MiB then needs
    /// 18 KB a second.
    #[must_use]
    pub const fn silence(mut self, silence: WallMillis) -> Self {
        self.silence = silence;
        self
    }

    /// How long a message may be stuck on its way out until the line is given up
    /// ([`WebSocketError::SlowPeer`](super::WebSocketError::SlowPeer)). Default: 30 seconds; a message of 1 MiB then
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
