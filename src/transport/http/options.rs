//! Options of the HTTP client.

use std::time::Duration;

use crate::transport::net::{ConnectionOptions, DAY};

/// Options of an [`HttpClient`](super::HttpClient).
///
/// Each time-out is for one request, of which a session makes several; it can be cancelled between them. The maximum is
/// a day. Sending may take up to twice its time-out, because the system restarts a write that it cut short.
///
/// ```
/// use std::time::Duration;
/// use policysync::transport::{ConnectionOptions, HttpOptions};
///
/// let connection = ConnectionOptions::new().bearer_token("abc");
/// let options = HttpOptions::new().connection(connection).answer_timeout(Duration::from_secs(10));
/// ```
#[derive(Clone, Debug)]
pub struct HttpOptions {
    pub(super) connection: ConnectionOptions,
    pub(super) answer: Duration,
    pub(super) body: Duration,
    pub(super) overall: Duration,
}

impl HttpOptions {
    /// Returns the defaults: 10 seconds to connect, 30 until an answer begins, 60 for its body, 120 in all.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            connection: ConnectionOptions::new(),
            answer: Duration::from_secs(30),
            body: Duration::from_secs(60),
            overall: Duration::from_secs(120),
        }
    }

    /// Sets the options of the connection: headers, the bearer token, trusted authorities, the time to connect.
    #[must_use]
    pub fn connection(mut self, options: ConnectionOptions) -> Self {
        self.connection = options;
        self
    }

    /// Limits the wait for the head of an answer after the request was sent. Default: 30 seconds.
    #[must_use]
    pub fn answer_timeout(mut self, timeout: Duration) -> Self {
        self.answer = timeout.min(DAY);
        self
    }

    /// Limits the transfer of a request's body, and that of an answer's body. Default: 60 seconds each.
    #[must_use]
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        self.body = timeout.min(DAY);
        self
    }

    /// Limits a request as a whole, from the look-up of the name to the end of the answer. Default: 120 seconds.
    #[must_use]
    pub fn overall_timeout(mut self, timeout: Duration) -> Self {
        self.overall = timeout.min(DAY);
        self
    }
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self::new()
    }
}
