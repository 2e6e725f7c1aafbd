//! Options of a connection.

use std::time::Duration;

use super::headers::Headers;
#[cfg(feature = "tls")]
use super::tls::TlsRoots;

/// The longest time-out. An instant that is further away may not be representable.
pub(in crate::transport) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Options of a connection to a server, for HTTP and WebSocket alike.
///
/// ```
/// use std::time::Duration;
/// use policysync::transport::ConnectionOptions;
///
/// let options = ConnectionOptions::new().bearer_token("abc").connect_timeout(Duration::from_secs(3));
/// ```
#[derive(Clone, Debug)]
pub struct ConnectionOptions {
    pub(in crate::transport) headers: Headers,
    #[cfg(feature = "tls")]
    pub(in crate::transport) roots: TlsRoots,
    pub(in crate::transport) timeout: Duration,
}

impl ConnectionOptions {
    /// Returns the defaults: no headers, the authorities that Mozilla trusts, 10 seconds to connect.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            headers: Headers::new(),
            #[cfg(feature = "tls")]
            roots: TlsRoots::new(),
            timeout: Duration::from_secs(10),
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
    /// when they are dropped; those in the buffers of the HTTP library are not.
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

    /// Limits each step of connecting: connecting to one address, the handshake of TLS, the handshake of WebSocket.
    /// Over HTTP it limits the look-up of the name too, and the first two steps together; for a WebSocket the look-up
    /// takes as long as the system allows. Default: 10 seconds; at most a day.
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
