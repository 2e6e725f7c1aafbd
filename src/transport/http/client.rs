//! The HTTP client.

use std::ops::ControlFlow;
use std::time::Duration;

use super::{HTTP_CONTENT_TYPE, HttpError, HttpOptions};
use crate::hlc::WallMillis;
use crate::replica::Replica;
use crate::sync::{ALERT, Progress, SessionResult, SyncError, SyncOptions, SyncSession};
use crate::transport::headers::{HeaderError, Headers};

/// No wait is longer: the end of a longer one may be a time that there is none.
pub(super) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How often one message is sent again when something other than its answer came back.
const REPEATS: u32 = 3;

/// Synchronises with a server over HTTP: each message is a POST to one URL.
///
/// It blocks the thread that calls it. Only the look-up of a name has a thread of its own, which ends when the system
/// answers: nothing else can give it up in time. Redirects are not followed, no cookies are kept, and no
/// proxy is taken from the environment. Connections are reused between calls; dropping the client closes them.
///
/// With a token, and going on from what was in common before the restart:
///
/// ```no_run
/// use std::ops::ControlFlow;
///
/// use policysync::{HttpClient, Replica, ReplicaOptions, SyncOptions, system_wall_clock};
/// use policysync::crypto::Sodium;
/// use policysync::sync::{SessionResult, ResumeToken};
/// use policysync::transport::HttpOptions;
///
/// # let (token, key) = ("from the server's operator", [7; 32]);
/// let mut replica = Replica::open(ReplicaOptions::new())?;
/// let client = HttpClient::new("https://relay.example/sync", HttpOptions::new().bearer_token(token))?;
/// let mut options = SyncOptions::new();
/// // `key` is 32 secret bytes from the platform's key store; the store's seal key will do.
/// if let Ok(bytes) = std::fs::read("list.base")
///     && let Ok(base) = ResumeToken::from_bytes(&bytes, &replica, &key)
/// {
///     options = options.resume(base);
/// }
/// let mut nonce = [0; 16];
/// Sodium::new()?.random(&mut nonce);
/// let report = client.sync(&mut replica, options, nonce, system_wall_clock, |_| ControlFlow::Continue(()))?;
/// if let SessionResult::Converged { resume: Some(base), .. } = &report.finish {
///     std::fs::write("list.base", base.to_bytes(&replica, &key)?)?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// An `https` URL needs the feature `tls`; for an authority of your own see `HttpOptions::tls_roots`.
pub struct HttpClient {
    agent: ureq::Agent,
    url: Box<str>,
    headers: Headers,
}

/// How a session ended, and how far it came.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SyncReport {
    /// How it ended: whether both hold the same.
    pub finish: SessionResult,
    /// What was sent, received and refused.
    pub progress: Progress,
}

impl HttpClient {
    /// A client of the server at this URL. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`HttpError::Url`], [`HttpError::NoTls`] for an `https` URL without the feature `tls`, [`HttpError::Header`],
    /// and [`HttpError::Tls`] where TLS does not work at all here.
    pub fn new(url: &str, options: HttpOptions) -> Result<Self, HttpError> {
        let uri: ureq::http::Uri = url.parse().map_err(|_| HttpError::Url)?;
        match uri.scheme_str() {
            _ if uri.host().is_none_or(str::is_empty) => return Err(HttpError::Url),
            Some("http") => {}
            Some("https") if cfg!(feature = "tls") => {}
            Some("https") => return Err(HttpError::NoTls),
            _ => return Err(HttpError::Url),
        }
        options.headers.check()?;
        let limit = |timeout: Duration| Some(timeout.min(DAY));
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(concat!("policysync/", env!("CARGO_PKG_VERSION")))
            .timeout_global(limit(options.overall))
            .timeout_resolve(limit(options.connect))
            .timeout_connect(limit(options.connect))
            .timeout_send_request(limit(options.answer))
            .timeout_send_body(limit(options.body))
            .timeout_recv_response(limit(options.answer))
            .timeout_recv_body(limit(options.body))
            .build();
        #[cfg(feature = "tls")]
        let agent = super::tls::agent(config, &options.roots)?;
        #[cfg(not(feature = "tls"))]
        let agent = super::pace::agent(config);
        Ok(Self { agent, url: url.into(), headers: options.headers })
    }

    /// Runs a session to its end. `nonce` is 16 random bytes, new for each session; `now` tells the time, for the
    /// operations that arrive; `on_progress` is called after each answer, and may end the session.
    ///
    /// The replica is borrowed meanwhile. To write into it during a session, run the [`SyncSession`] yourself and carry
    /// its messages with [`HttpClient::exchange`].
    ///
    /// # Errors
    ///
    /// [`HttpError`]. What was admitted stays, and the next session goes on from there.
    pub fn sync(
        &self,
        replica: &mut Replica,
        options: SyncOptions,
        nonce: [u8; 16],
        mut now: impl FnMut() -> WallMillis,
        mut on_progress: impl FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<SyncReport, HttpError> {
        let limit = options.limit();
        let mut session = SyncSession::new(options, nonce);
        let (now, on_progress) = (&mut now, &mut on_progress);
        self.run(&mut Borrowed { session: &mut session, replica, now, on_progress }, limit)?;
        let finish = session.result().cloned().ok_or(SyncError::Ended)?;
        Ok(SyncReport { finish, progress: session.progress() })
    }

    /// Runs a session to its end. Between the calls of the side nothing of it is used.
    pub(crate) fn run<S: Side>(&self, side: &mut S, limit: usize) -> Result<(), S::Error> {
        while let Some(request) = side.next_message()? {
            for strays in 0.. {
                let answer = self.exchange(&request, limit)?;
                match side.receive(&answer)? {
                    Taken::Whole | Taken::Over => break,
                    // Some cache on the way repeats itself; the session still waits.
                    Taken::Stray if strays < REPEATS => {}
                    Taken::Stray => return Err(HttpError::Sync(SyncError::Stray).into()),
                }
            }
        }
        Ok(())
    }

    /// Carries one message, and returns the answer: of no more than `max_bytes` bytes, which should be the limit of the
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
        for (name, value) in self.headers.iter() {
            let mut value =
                ureq::http::HeaderValue::try_from(value).map_err(|_| HeaderError::Value { at: 0 })?;
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        let mut response = request.send(message).map_err(|error| HttpError::of(error, max_bytes))?;
        let status = response.status().as_u16();
        let ours =
            response.headers().get("content-type").and_then(|value| value.to_str().ok()).is_some_and(is_ours);
        match status {
            300..=399 => return Err(HttpError::Redirect { status }),
            200 if !ours => return Err(HttpError::ContentType),
            200 => {}
            _ if ours => {}
            _ => return Err(HttpError::Status { status }),
        }
        let limit = u64::try_from(max_bytes).unwrap_or(u64::MAX);
        let body = response.body_mut();
        if body.content_length().is_some_and(|length| length > limit) {
            return Err(HttpError::TooLarge { limit: max_bytes });
        }
        // One more than the limit, since ureq counts reaching it as passing it.
        let read = body.with_config().limit(limit.saturating_add(1)).read_to_vec();
        let bytes = read.map_err(|error| HttpError::of(error, max_bytes))?;
        if bytes.len() > max_bytes {
            return Err(HttpError::TooLarge { limit: max_bytes });
        }
        // Beside a status that is an error only a refusal is taken for an answer.
        if status != 200 && bytes.first() != Some(&ALERT) {
            return Err(HttpError::Status { status });
        }
        Ok(bytes)
    }
}

/// A session with its replica, however the two are held.
pub(crate) trait Side {
    /// Why it cannot go on.
    type Error: From<HttpError>;

    /// What to send next.
    fn next_message(&mut self) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Takes an answer.
    fn receive(&mut self, answer: &[u8]) -> Result<Taken, Self::Error>;
}

/// What became of an answer.
pub(crate) enum Taken {
    /// It was the one.
    Whole,
    /// It was another's.
    Stray,
    /// The session has been ended meanwhile.
    #[cfg_attr(not(feature = "capi"), expect(dead_code, reason = "nobody else holds what Rust has lent"))]
    Over,
}

struct Borrowed<'s, N, P> {
    session: &'s mut SyncSession,
    replica: &'s mut Replica,
    now: &'s mut N,
    on_progress: &'s mut P,
}

impl<N: FnMut() -> WallMillis, P: FnMut(&Progress) -> ControlFlow<()>> Side for Borrowed<'_, N, P> {
    type Error = HttpError;

    fn next_message(&mut self) -> Result<Option<Vec<u8>>, HttpError> {
        Ok(self.session.next_message(self.replica)?)
    }

    fn receive(&mut self, answer: &[u8]) -> Result<Taken, HttpError> {
        let progress = match self.session.receive(self.replica, (self.now)(), answer) {
            Err(SyncError::Stray) => return Ok(Taken::Stray),
            result => result?,
        };
        if (self.on_progress)(&progress).is_break() {
            self.session.cancel();
        }
        Ok(Taken::Whole)
    }
}

/// Whether a content type is ours, parameters aside.
pub(super) fn is_ours(content_type: &str) -> bool {
    let name = content_type.split(';').next().unwrap_or_default();
    name.trim().eq_ignore_ascii_case(HTTP_CONTENT_TYPE)
}
