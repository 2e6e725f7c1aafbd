//! Options of the HTTP client.

use std::time::Duration;

use crate::transport::net::ConnectionOptions;

/// Options of an [`HttpClient`](super::HttpClient).
///
/// A message may take as long as it needs while it moves: see [`ConnectionOptions::progress_timeout`].
///
/// ```
/// use std::time::Duration;
/// use policysync::transport::{ConnectionOptions, HttpOptions};
///
/// let connection = ConnectionOptions::new().bearer_token("abc");
/// let options = HttpOptions::new().connection(connection).retry_for(Duration::from_secs(10));
/// ```
#[derive(Clone, Debug)]
pub struct HttpOptions {
    pub(super) connection: ConnectionOptions,
    pub(super) answer: Duration,
    pub(super) overall: Option<Duration>,
    pub(super) retry: Duration,
}

impl HttpOptions {
    /// Returns the defaults: those of [`ConnectionOptions::new`], 30 seconds until an answer begins, no limit for a
    /// request as a whole; a session repeats a failed request for 60 seconds.
    #[must_use]
    pub fn new() -> Self {
        Self {
            connection: ConnectionOptions::new(),
            answer: Duration::from_secs(30),
            overall: None,
            retry: Duration::from_secs(60),
        }
    }

    /// Sets the options of the connection: headers, the bearer token, trusted authorities, a proxy, the time to connect
    /// and that without progress.
    #[must_use]
    pub fn connection(mut self, options: ConnectionOptions) -> Self {
        self.connection = options;
        self
    }

    /// Limits the wait for the head of an answer after the request was sent. A second is added for each KiB of the
    /// request, since the system takes bytes before a slow line has carried them. Default: 30 seconds.
    #[must_use]
    pub const fn answer_timeout(mut self, timeout: Duration) -> Self {
        self.answer = timeout;
        self
    }

    /// Limits a request as a whole, from the look-up of the name to the end of the answer, also if it moves. Default:
    /// no limit.
    #[must_use]
    pub const fn overall_timeout(mut self, timeout: Duration) -> Self {
        self.overall = Some(timeout);
        self
    }

    /// Sets how long [`HttpClient::sync`](super::HttpClient::sync) repeats a request that fails for a temporary reason,
    /// from its first failure on: with the same message, after pauses of a quarter of a second to 15 seconds, or longer
    /// if the server says so (`Retry-After`). A pause that does not fit in ends the session at once. Default: 60
    /// seconds; zero for no repetition.
    #[must_use]
    pub const fn retry_for(mut self, limit: Duration) -> Self {
        self.retry = limit;
        self
    }
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self::new()
    }
}
