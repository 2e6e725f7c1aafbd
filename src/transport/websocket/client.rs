//! The WebSocket client.

use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::time::Duration;

use super::connection::{Connection, config, shake_hands};
use super::head::HeadExtender;
use super::{WaitResult, WebSocketError, WebSocketOptions};
use crate::hlc::WallMillis;
use crate::replica::Replica;
use crate::sync::{Progress, ResumeToken, SessionResult};
use crate::transport::line::{LineEvent, LineInitiator};
use crate::transport::net::{ConnectionError, NetStream, Security, Url, Watch};

/// The scheme of a URL without TLS.
const SCHEME: &str = "ws";

/// A WebSocket to a server: runs a session, then sends new operations of this side and ingests those of the server.
///
/// It starts threads only to connect, which end when the system answers: the application calls
/// [`WebSocketClient::wait`] and [`WebSocketClient::work`] in turn, on a thread of its own. When the line ends, the
/// application opens a new one, whose first session sends what was lost. It should wait longer after each failure, to
/// spare a server that has just restarted.
///
/// ```no_run
/// use policysync::{Replica, ReplicaOptions, WebSocketClient, system_wall_clock};
/// use policysync::transport::{WaitResult, WebSocketOptions};
///
/// let mut replica = Replica::open(ReplicaOptions::new())?;
/// let url = "ws://127.0.0.1:8080/sync";
/// let mut line = WebSocketClient::connect(url, WebSocketOptions::new(), system_wall_clock)?;
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
    /// Connects to the server at this URL. Each step takes at most
    /// [`ConnectionOptions::connect_timeout`](crate::transport::ConnectionOptions::connect_timeout).
    ///
    /// # Errors
    ///
    /// [`WebSocketError`]. Redirects are not followed.
    pub fn connect(
        url: &str,
        options: WebSocketOptions,
        now: impl FnMut() -> WallMillis,
    ) -> Result<Self, WebSocketError> {
        Self::connect_while(url, options, now, &mut || ControlFlow::Continue(()))
    }

    /// Connects as [`WebSocketClient::connect`] does. `proceed` is called every 50 to 100 milliseconds and can cancel
    /// the call.
    pub(crate) fn connect_while(
        url: &str,
        options: WebSocketOptions,
        mut now: impl FnMut() -> WallMillis,
        proceed: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<Self, WebSocketError> {
        let server = Url::parse(url, SCHEME)?;
        let connection = &options.connection;
        connection.headers.check().map_err(ConnectionError::from)?;
        let security = Security::new(&server, connection)?;
        let wait = options.wait;
        let mut clock = || Duration::from_millis(now().0);
        let mut watch = Watch::new(&mut clock, &mut *proceed, None);
        let stream = NetStream::connect(&server, true, &security, connection, &mut watch)?;
        let mut line = Self::over_while(stream, url, options, now, proceed)?;
        line.connection.stream().set_timeout(wait).map_err(ConnectionError::Io)?;
        line.connection.set_meter(|stream| stream.get_ref().moved());
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
        now: impl FnMut() -> WallMillis,
    ) -> Result<Self, WebSocketError> {
        Self::over_while(stream, url, options, now, &mut || ControlFlow::Continue(()))
    }

    fn over_while(
        stream: S,
        url: &str,
        options: WebSocketOptions,
        mut now: impl FnMut() -> WallMillis,
        proceed: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<Self, WebSocketError> {
        let Url { authority, target, .. } = Url::parse(url, SCHEME)?;
        let headers = &options.connection.headers;
        headers.check().map_err(ConnectionError::from)?;
        let stream = HeadExtender::new(stream, headers.lines());
        // The stream is secure if it has to be, so the scheme does not matter here.
        let peer = format!("{SCHEME}://{authority}{target}");
        let step = tungstenite::client::client_with_config(peer.as_str(), stream, Some(config(&options)));
        let (socket, _) = shake_hands(step, &options, &mut now, proceed)?;
        let line = LineInitiator::unseeded(options.sync.clone().peer_or(&peer));
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
