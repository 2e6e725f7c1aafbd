//! The WebSocket client.

use std::io::{Read, Write};

use tungstenite::http::Uri;

use super::connection::{Connection, config, shake_hands};
use super::head::HeadExtender;
use super::{WaitResult, WebSocketError, WebSocketOptions};
use crate::hlc::WallMillis;
use crate::replica::Replica;
use crate::sync::{Progress, ResumeToken, SessionResult};
use crate::transport::line::{LineEvent, LineInitiator};
use crate::transport::net::{ConnectionError, NetStream, needs_tls};

/// The scheme of a URL without TLS.
const SCHEME: &str = "ws";

/// A WebSocket to a server: runs a session, then sends new operations of this side and ingests those of the server.
///
/// It starts no thread: the application calls [`WebSocketClient::wait`] and [`WebSocketClient::work`] in turn, on a
/// thread of its own. When the line ends, the application opens a new one, whose first session sends what was lost. It
/// should wait longer after each failure, to spare a server that has just restarted.
///
/// ```no_run
/// use policysync::{Replica, ReplicaOptions, WebSocketClient, system_wall_clock};
/// use policysync::transport::{WaitResult, WebSocketOptions};
///
/// let mut replica = Replica::open(ReplicaOptions::new())?;
/// // 32 random bytes, new for each line, from `Sodium::random`.
/// # let seed = [7; 32];
/// let url = "ws://127.0.0.1:8080/sync";
/// let mut line = WebSocketClient::connect(url, WebSocketOptions::new(), seed, system_wall_clock)?;
/// line.work(&mut replica, system_wall_clock())?;
/// while line.wait(system_wall_clock())? != WaitResult::Closed {
///     // An application that shares its replica locks it here.
///     line.work(&mut replica, system_wall_clock())?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct WebSocketClient<S> {
    connection: Connection<S>,
    line: LineInitiator,
}

impl WebSocketClient<NetStream> {
    /// Connects to the server at this URL. Each step except the look-up of the name takes at most
    /// [`ConnectionOptions::connect_timeout`](crate::transport::ConnectionOptions::connect_timeout). `seed` is 32
    /// random bytes, new for each line.
    ///
    /// # Errors
    ///
    /// [`WebSocketError`]. Redirects are not followed.
    pub fn connect(
        url: &str,
        options: WebSocketOptions,
        seed: [u8; 32],
        mut now: impl FnMut() -> WallMillis,
    ) -> Result<Self, WebSocketError> {
        let uri: Uri = url.parse().map_err(|_| ConnectionError::Url { scheme: SCHEME })?;
        let tls = needs_tls(uri.scheme_str(), uri.host(), SCHEME)?;
        // Only a URL has brackets around an IPv6 address.
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        options.connection.headers.check().map_err(ConnectionError::from)?;
        let wait = options.wait;
        let stream = NetStream::connect(host, port, tls, &options.connection, wait, &mut now)?;
        let line = Self::over(stream, url, options, seed, now)?;
        line.connection.stream().set_timeout(wait).map_err(ConnectionError::Io)?;
        Ok(line)
    }
}

impl<S: Read + Write> WebSocketClient<S> {
    /// Opens a WebSocket over a connected stream. Reads and writes of the stream should time out after a short while:
    /// otherwise [`WebSocketClient::wait`] returns only when the server sends something, which delays new operations of
    /// this side.
    ///
    /// # Errors
    ///
    /// [`WebSocketError`].
    pub fn over(
        stream: S,
        url: &str,
        options: WebSocketOptions,
        seed: [u8; 32],
        mut now: impl FnMut() -> WallMillis,
    ) -> Result<Self, WebSocketError> {
        let headers = &options.connection.headers;
        headers.check().map_err(ConnectionError::from)?;
        let stream = HeadExtender::new(stream, headers.lines());
        let step = tungstenite::client::client_with_config(url, stream, Some(config(&options)));
        let (socket, _) = shake_hands(step, &options, &mut now)?;
        let line = LineInitiator::new(options.sync.clone().peer_or(url), seed);
        Ok(Self { connection: Connection::new(socket, options), line })
    }

    /// Waits for a message, at most for [`WebSocketOptions::wait`], and once more that long to send a message that is
    /// stuck. If bytes come or go one by one, it returns after at most 50 times that long, over TLS 250 times. It needs
    /// no replica, so an application that shares one holds no lock meanwhile. After [`WaitResult::Closed`] the line has
    /// ended.
    ///
    /// # Errors
    ///
    /// [`WebSocketError`]; the line has ended.
    pub fn wait(&mut self, now: WallMillis) -> Result<WaitResult, WebSocketError> {
        self.connection.wait(now)
    }

    /// Processes the message that has arrived, if any, and returns its kind; then sends the next message of the
    /// session, or new operations. At most one message is buffered for sending.
    ///
    /// # Errors
    ///
    /// [`WebSocketError`]; the line has ended. Operations that were admitted stay.
    pub fn work(
        &mut self,
        replica: &mut Replica,
        now: WallMillis,
    ) -> Result<Option<LineEvent>, WebSocketError> {
        let event = self.take_message(|line, message| line.receive(replica, now, message))?;
        self.send_messages(now, |line| Ok::<_, WebSocketError>(line.next_message(replica, now)?))?;
        Ok(event)
    }

    /// Processes the message that has arrived, if any.
    pub(crate) fn take_message<T, E>(
        &mut self,
        take: impl FnOnce(&mut LineInitiator, &[u8]) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        self.connection.take().map(|message| take(&mut self.line, &message)).transpose()
    }

    /// Sends the next messages, unless part of the last one is unsent.
    pub(crate) fn send_messages<E: From<WebSocketError>>(
        &mut self,
        now: WallMillis,
        mut next: impl FnMut(&mut LineInitiator) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<(), E> {
        let line = &mut self.line;
        self.connection.send_all(now, || next(line))
    }

    /// Returns this side of the line.
    #[cfg(feature = "capi")]
    pub(crate) const fn line(&self) -> &LineInitiator {
        &self.line
    }

    /// Returns the progress of the session, or of the last one.
    #[must_use]
    pub const fn progress(&self) -> &Progress {
        self.line.progress()
    }

    /// Returns the result of the last session; `None` before the first has ended.
    #[must_use]
    pub const fn result(&self) -> Option<&SessionResult> {
        self.line.result()
    }

    /// Returns the state from which the next line to the same server can resume, for
    /// [`SyncOptions::resume`](crate::SyncOptions::resume).
    #[must_use]
    pub const fn resume_token(&self) -> Option<&ResumeToken> {
        self.line.resume_token()
    }

    /// Returns true if new operations are sent as they are written: the last session has converged.
    #[must_use]
    pub const fn is_pushing(&self) -> bool {
        self.line.is_pushing()
    }

    /// Closes the line, with a message to the server. The next line sends what is unsent.
    pub fn close(&mut self) {
        self.connection.close();
    }
}
