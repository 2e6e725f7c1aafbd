//! The HTTP client.

use std::ops::ControlFlow;

use super::{HTTP_CONTENT_TYPE, HttpError, HttpOptions, SCHEME};
use crate::hlc::WallMillis;
use crate::replica::Replica;
use crate::sync::{ALERT, Progress, SessionResult, SyncError, SyncOptions, SyncSession};
use crate::transport::net::{ConnectionError, HeaderError, needs_tls};

/// The number of times a message is sent again after an answer to another message.
const REPEATS: u32 = 3;

/// Synchronises with a server over HTTP: each message is a POST to one URL.
///
/// It blocks the calling thread. Only the look-up of a name runs on a thread of its own, which ends when the system
/// answers, because the look-up has no time-out. Redirects are not followed, cookies are not kept, and proxies of the
/// environment are ignored. Connections are reused between calls; dropping the client closes them.
///
/// With a token, and with the session before the restart resumed:
///
/// ```no_run
/// use std::ops::ControlFlow;
///
/// use policysync::{HttpClient, Replica, ReplicaOptions, SyncOptions, system_wall_clock};
/// use policysync::crypto::Sodium;
/// use policysync::sync::{SessionResult, ResumeToken};
/// use policysync::transport::{ConnectionOptions, HttpOptions};
///
/// # let (token, key) = ("from the server's operator", [7; 32]);
/// let mut replica = Replica::open(ReplicaOptions::new())?;
/// let http = HttpOptions::new().connection(ConnectionOptions::new().bearer_token(token));
/// let client = HttpClient::new("https://relay.example/sync", http)?;
/// let mut options = SyncOptions::new();
/// // `key` is 32 secret bytes from the platform's key store, for example the store's seal key.
/// if let Ok(bytes) = std::fs::read("list.base")
///     && let Ok(base) = ResumeToken::from_bytes(&bytes, &replica, &key)
/// {
///     options = options.resume(base);
/// }
/// let mut nonce = [0; 16];
/// Sodium::new()?.random(&mut nonce);
/// let report = client.sync(&mut replica, options, nonce, system_wall_clock, |_| ControlFlow::Continue(()))?;
/// if let SessionResult::Converged { resume: Some(base), .. } = &report.result {
///     std::fs::write("list.base", base.to_bytes(&replica, &key)?)?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// An `https` URL needs the feature `tls`; for an authority of your own see `ConnectionOptions::tls_roots`.
pub struct HttpClient {
    agent: ureq::Agent,
    url: Box<str>,
    options: HttpOptions,
}

/// The result of a session, with its counts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SyncReport {
    /// The result: whether both sides hold the same operations.
    pub result: SessionResult,
    /// The operations that were sent, received and refused.
    pub progress: Progress,
}

impl HttpClient {
    /// Returns a client of the server at this URL. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`ConnectionError::Url`], [`ConnectionError::NoTls`] for an `https` URL without the feature `tls`,
    /// [`ConnectionError::Header`], and [`ConnectionError::Tls`] if TLS cannot be set up.
    pub fn new(url: &str, options: HttpOptions) -> Result<Self, HttpError> {
        let uri: ureq::http::Uri = url.parse().map_err(|_| ConnectionError::Url { scheme: SCHEME })?;
        needs_tls(uri.scheme_str(), uri.host(), SCHEME)?;
        let connection = &options.connection;
        connection.headers.check().map_err(ConnectionError::from)?;
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(concat!("policysync/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(options.overall))
            .timeout_resolve(Some(connection.timeout))
            .timeout_connect(Some(connection.timeout))
            .timeout_send_request(Some(options.answer))
            .timeout_send_body(Some(options.body))
            .timeout_recv_response(Some(options.answer))
            .timeout_recv_body(Some(options.body))
            .build();
        #[cfg(feature = "tls")]
        let agent = super::tls::agent(config, &connection.roots).map_err(ConnectionError::from)?;
        #[cfg(not(feature = "tls"))]
        let agent = super::deadline::agent(config);
        Ok(Self { agent, url: url.into(), options })
    }

    /// Runs a session to its end. `nonce` is 16 random bytes, new for each session; `now` returns the time, for the
    /// operations that arrive; `on_progress` is called after each answer and can cancel the session.
    ///
    /// The replica is borrowed meanwhile. To write into it during a session, run the [`SyncSession`] yourself and carry
    /// its messages with [`HttpClient::exchange`].
    ///
    /// # Errors
    ///
    /// [`HttpError`]. Operations that were admitted stay, and the next session continues from there.
    pub fn sync(
        &self,
        replica: &mut Replica,
        options: SyncOptions,
        nonce: [u8; 16],
        mut now: impl FnMut() -> WallMillis,
        mut on_progress: impl FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<SyncReport, HttpError> {
        let limit = options.limit();
        let mut session = SyncSession::new(options.peer_or(&self.url), nonce);
        let (now, on_progress) = (&mut now, &mut on_progress);
        self.run(&mut Borrowed { session: &mut session, replica, now, on_progress }, limit)?;
        let result = session.result().cloned().ok_or(SyncError::Ended)?;
        Ok(SyncReport { result, progress: session.progress() })
    }

    /// Runs a session to its end. While a request is under way, the session and its replica are free for others.
    pub(crate) fn run<S: LocalSession>(&self, session: &mut S, limit: usize) -> Result<(), S::Error> {
        while let Some(request) = session.next_message()? {
            for strays in 0.. {
                let answer = self.exchange(&request, limit)?;
                match session.receive(&answer)? {
                    Received::Answer | Received::Cancelled => break,
                    // A cache on the way may have repeated an old answer.
                    Received::Stray if strays < REPEATS => {}
                    Received::Stray => return Err(HttpError::Sync(SyncError::Stray).into()),
                }
            }
        }
        Ok(())
    }

    /// Carries one message and returns the answer, which has at most `max_bytes` bytes. That should be the limit of the
    /// session ([`SyncOptions::max_message_bytes`]). A refusal by the server is an answer too.
    ///
    /// # Errors
    ///
    /// [`HttpError`].
    pub fn exchange(&self, message: &[u8], max_bytes: usize) -> Result<Vec<u8>, HttpError> {
        let mut request = self
            .agent
            .post(&*self.url)
            .header("content-type", HTTP_CONTENT_TYPE)
            .header("accept", HTTP_CONTENT_TYPE);
        for (name, value) in self.options.connection.headers.iter() {
            let mut value = ureq::http::HeaderValue::try_from(value)
                .map_err(|_| ConnectionError::from(HeaderError::Value { at: 0 }))?;
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        let mut response = request.send(message).map_err(|error| HttpError::of(error, max_bytes))?;
        let status = response.status().as_u16();
        let content_type = response.headers().get("content-type").and_then(|value| value.to_str().ok());
        let is_message = content_type.is_some_and(is_message);
        match status {
            300..=399 => return Err(HttpError::Redirect { status }),
            200 if !is_message => return Err(HttpError::ContentType),
            200 => {}
            _ if is_message => {}
            _ => return Err(HttpError::Status { status }),
        }
        let limit = u64::try_from(max_bytes).unwrap_or(u64::MAX);
        let body = response.body_mut();
        if body.content_length().is_some_and(|length| length > limit) {
            return Err(HttpError::TooLarge { limit: max_bytes });
        }
        // One more than the limit, since ureq reports an error when the limit is reached.
        let read = body.with_config().limit(limit.saturating_add(1)).read_to_vec();
        let bytes = read.map_err(|error| HttpError::of(error, max_bytes))?;
        if bytes.len() > max_bytes {
            return Err(HttpError::TooLarge { limit: max_bytes });
        }
        // With an error status only a refusal counts as an answer.
        if status != 200 && bytes.first() != Some(&ALERT) {
            return Err(HttpError::Status { status });
        }
        Ok(bytes)
    }
}

/// A session with its replica, borrowed or behind a lock.
pub(crate) trait LocalSession {
    /// The error that ends the session.
    type Error: From<HttpError>;

    /// Returns the next message, or `None` at the end.
    fn next_message(&mut self) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Receives an answer.
    fn receive(&mut self, answer: &[u8]) -> Result<Received, Self::Error>;
}

/// The meaning of an answer for its session.
pub(crate) enum Received {
    /// The answer to the last message.
    Answer,
    /// An answer to another message.
    Stray,
    /// Irrelevant: the session was cancelled meanwhile.
    #[cfg_attr(not(feature = "capi"), expect(dead_code, reason = "a borrowed session cannot be cancelled"))]
    Cancelled,
}

struct Borrowed<'s, N, P> {
    session: &'s mut SyncSession,
    replica: &'s mut Replica,
    now: &'s mut N,
    on_progress: &'s mut P,
}

impl<N: FnMut() -> WallMillis, P: FnMut(&Progress) -> ControlFlow<()>> LocalSession for Borrowed<'_, N, P> {
    type Error = HttpError;

    fn next_message(&mut self) -> Result<Option<Vec<u8>>, HttpError> {
        Ok(self.session.next_message(self.replica)?)
    }

    fn receive(&mut self, answer: &[u8]) -> Result<Received, HttpError> {
        let progress = match self.session.receive(self.replica, (self.now)(), answer) {
            Err(SyncError::Stray) => return Ok(Received::Stray),
            result => result?,
        };
        if (self.on_progress)(&progress).is_break() {
            self.session.cancel();
        }
        Ok(Received::Answer)
    }
}

/// Returns true if the content type is that of a message. Parameters are ignored.
pub(super) fn is_message(content_type: &str) -> bool {
    let name = content_type.split(';').next().unwrap_or_default();
    name.trim().eq_ignore_ascii_case(HTTP_CONTENT_TYPE)
}
