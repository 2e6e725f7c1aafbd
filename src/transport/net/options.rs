//! Options of a connection.

use std::time::Duration;

use super::dial::LastAddress;
use super::headers::Headers;
use super::proxy::Proxy;
#[cfg(feature = "tls")]
use super::tls::TlsRoots;

/// The longest time-out. An instant that is further away may not be representable.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Options of a connection to a server, for HTTP and WebSocket alike.
///
/// ```
/// use std::time::Duration;
/// use policysync::transport::ConnectionOptions;
///
/// let options = ConnectionOptions::new().bearer_token("abc").connect_timeout(Duration::from_secs(3));
/// ```
///
/// Clones share one memory: the address of a host that answered last, which is tried first.
#[derive(Clone, Debug)]
pub struct ConnectionOptions {
    pub(in crate::transport) headers: Headers,
    #[cfg(feature = "tls")]
    pub(in crate::transport) roots: TlsRoots,
    pub(in crate::transport) proxy: Option<Proxy>,
    pub(in crate::transport) timeout: Duration,
    pub(in crate::transport) progress: Duration,
    pub(super) last_address: LastAddress,
}

impl ConnectionOptions {
    /// Returns the defaults: no headers, the authorities that Mozilla trusts, no proxy, 10 seconds to connect, 30
    /// seconds for a transfer that does not move.
    #[must_use]
    pub fn new() -> Self {
        Self {
            headers: Headers::new(),
            #[cfg(feature = "tls")]
            roots: TlsRoots::new(),
            proxy: None,
            timeout: Duration::from_secs(10),
            progress: Duration::from_secs(30),
            last_address: LastAddress::default(),
        }
    }

    /// Sends this token with every HTTP request, or with the one that opens a WebSocket: the header
    /// `Authorization: Bearer …` (RFC 6750), in place of another `Authorization`. Without TLS, everybody on the way can
    /// read it. The client checks its form.
    #[must_use]
    pub fn bearer_token(mut self, token: &str) -> Self {
        self.headers.set_bearer_token(token);
        self
    }

    /// Sends this header with every HTTP request, or with the one that opens a WebSocket, in place of another with the
    /// same name. The client checks its form. Values are never printed, not even by `Debug`, and our copies are wiped
    /// when they are dropped.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.set(name, value);
        self
    }

    /// Sets the authorities that are trusted to sign a server's certificate. Default: those that Mozilla trusts.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls_roots(mut self, roots: TlsRoots) -> Self {
        self.roots = roots;
        self
    }

    /// Connects through this HTTP proxy, `http://[user:password@]host[:port]`; a byte of user or password may be
    /// written as `%` and two hexadecimal digits. It sees `http` requests with all of their headers, and only host and
    /// port of others (`https`, `ws`, `wss`), which go through a tunnel (`CONNECT`). It looks up the server's name.
    /// Default: none; proxies of the environment are ignored.
    #[must_use]
    pub fn proxy(mut self, url: &str) -> Self {
        self.proxy = Some(Proxy::new(url));
        self
    }

    /// Limits how long a transfer may move fewer than 512 bytes, either way. A message may take as long as it needs
    /// while it moves. Default: 30 seconds; at most a day.
    #[must_use]
    pub fn progress_timeout(mut self, timeout: Duration) -> Self {
        self.progress = timeout.min(DAY);
        self
    }

    /// Limits each step of connecting: the look-up of the name, connecting to one address, the answer of a proxy, the
    /// handshake of TLS, the handshake of WebSocket. Addresses of one host are tried 250 milliseconds after each other.
    /// Default: 10 seconds; at most a day.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.min(DAY);
        self
    }
}

impl Default for ConnectionOptions {
    fn default() -> Self {
        Self::new()
    }
}
