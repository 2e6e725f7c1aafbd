//! How the HTTP client waits, and what it sends beside the messages.

use std::time::Duration;

use crate::transport::headers::Headers;
#[cfg(feature = "tls")]
use crate::transport::tls::TlsRoots;

/// How an [`HttpClient`](super::HttpClient) waits, and what it sends beside the messages. Each limit is for one
/// request; a session makes several, and can be cancelled between them. More than a day is a day. Sending may take up
/// to twice its limit, where the system goes on with a write that it has cut short.
///
/// ```
/// use std::time::Duration;
/// use policysync::transport::HttpOptions;
///
/// let options = HttpOptions::new().connect_timeout(Duration::from_secs(3));
/// ```
#[derive(Clone, Debug)]
pub struct HttpOptions {
    pub(super) headers: Headers,
    #[cfg(feature = "tls")]
    pub(super) roots: TlsRoots,
    pub(super) connect: Duration,
    pub(super) answer: Duration,
    pub(super) body: Duration,
    pub(super) overall: Duration,
}

impl HttpOptions {
    /// 10 seconds to connect, 30 for the answer to begin, 60 for the rest of it, 120 for all together.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            headers: Headers::new(),
            #[cfg(feature = "tls")]
            roots: TlsRoots::new(),
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(30),
            body: Duration::from_secs(60),
            overall: Duration::from_secs(120),
        }
    }

    /// Shows this token to the server with every request: the header `Authorization: Bearer …` (RFC 6750), in place of
    /// another `Authorization`. Without TLS whoever carries the request can read it. [`HttpClient::new`] checks it.
    ///
    /// [`HttpClient::new`]: super::HttpClient::new
    #[must_use]
    pub fn bearer_token(mut self, token: &str) -> Self {
        self.headers.set_bearer_token(token);
        self
    }

    /// Sends this header with every request, in place of another with the same name. [`HttpClient::new`] checks it.
    /// Values are not printed, not even by `Debug`, and our copy is wiped when the client is dropped; those in the
    /// buffers of the HTTP library are not.
    ///
    /// [`HttpClient::new`]: super::HttpClient::new
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.set(name, value);
        self
    }

    /// Whose certificates are believed of an `https` server. Default: those of Mozilla's authorities.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls_roots(mut self, roots: TlsRoots) -> Self {
        self.roots = roots;
        self
    }

    /// How long to look up the name, and how long to connect, TLS included. Default: 10 seconds each.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect = timeout;
        self
    }

    /// How long to wait for the head of an answer when the request has been sent. Default: 30 seconds.
    #[must_use]
    pub fn answer_timeout(mut self, timeout: Duration) -> Self {
        self.answer = timeout;
        self
    }

    /// How long the body of a request, and that of an answer, may take. Default: 60 seconds.
    #[must_use]
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        self.body = timeout;
        self
    }

    /// How long one request may take, from the look-up of the name to the end of the answer. Default: 120 seconds.
    #[must_use]
    pub fn overall_timeout(mut self, timeout: Duration) -> Self {
        self.overall = timeout;
        self
    }
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self::new()
    }
}
