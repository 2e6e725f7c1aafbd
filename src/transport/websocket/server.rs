//! The server side of a WebSocket.

use std::fmt;
use std::io::{Read, Write};
use std::ops::ControlFlow;

use tungstenite::handshake::server::{ErrorResponse, Request as Handshake};
use tungstenite::http::{HeaderValue, StatusCode};

use super::connection::{Connection, config, shake_hands};
use super::head::HeadExtender;
use super::{WaitResult, WebSocketError, WebSocketOptions};
use crate::crypto::Zeroizing;
use crate::hlc::WallMillis;
use crate::replica::Replica;
use crate::sync::{Responder, SyncError};
use crate::transport::line::LineResponder;

/// A client's WebSocket, over any stream: answers sessions, then sends new operations of the replica.
///
/// Reads and writes of the stream should time out after a short while ([`TcpStream::set_read_timeout`] and
/// [`TcpStream::set_write_timeout`], for example 100 milliseconds): then [`WebSocketServer::wait`] returns, and
/// operations that others have sent meanwhile are passed on. A server with its own WebSockets uses [`LineResponder`]
/// instead.
///
/// ```no_run
/// use std::net::TcpListener;
/// use std::time::Duration;
///
/// use policysync::{Replica, ReplicaOptions, Responder, SyncOptions, WebSocketServer, system_wall_clock};
/// use policysync::transport::{WaitResult, WebSocketOptions};
///
/// let mut replica = Replica::open(ReplicaOptions::new())?;
/// // 32 random bytes, from `Sodium::random`.
/// # let secret = [8; 32];
/// let mut responder = Responder::new(secret, SyncOptions::new());
/// let (stream, _) = TcpListener::bind("127.0.0.1:8080")?.accept()?;
/// stream.set_read_timeout(Some(Duration::from_millis(100)))?;
/// stream.set_write_timeout(Some(Duration::from_millis(100)))?;
/// let mut line = WebSocketServer::accept(stream, WebSocketOptions::new(), system_wall_clock)?;
/// while line.wait(system_wall_clock())? != WaitResult::Closed {
///     // A server with many lines locks its replica here.
///     line.work(&mut responder, &mut replica, system_wall_clock())?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`TcpStream::set_read_timeout`]: std::net::TcpStream::set_read_timeout
/// [`TcpStream::set_write_timeout`]: std::net::TcpStream::set_write_timeout
pub struct WebSocketServer<S> {
    connection: Connection<S>,
    line: LineResponder,
}

/// The request of a client that opens a WebSocket.
#[derive(Clone, Copy)]
pub struct WebSocketRequest<'a>(&'a Handshake);

/// Shows nothing of the request, since it may hold a token.
impl fmt::Debug for WebSocketRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketRequest").finish_non_exhaustive()
    }
}

impl<'a> WebSocketRequest<'a> {
    /// Returns the path, with the query if there is one.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.0.uri().path_and_query().map_or("/", |path| path.as_str())
    }

    /// Returns the first header of this name; `None` if there is none, or if it is not printable ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.0.headers().get(name)?.to_str().ok()
    }

    /// Returns the token of `Authorization: Bearer …`. Compare it in constant time.
    #[must_use]
    pub fn bearer_token(&self) -> Option<&'a str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start())
    }
}

impl<S: Read + Write> WebSocketServer<S> {
    /// Accepts any client, with any path.
    ///
    /// # Errors
    ///
    /// [`WebSocketError`]; [`ConnectionError::Timeout`](crate::transport::ConnectionError::Timeout) if the handshake
    /// takes longer than the options' connect time-out, by the clock `now`.
    pub fn accept(
        stream: S,
        options: WebSocketOptions,
        now: impl FnMut() -> WallMillis,
    ) -> Result<Self, WebSocketError> {
        Self::accept_if(stream, options, now, |_| Ok(()))
    }

    /// Accepts a client if `admit` returns `Ok` for its path and headers, for example its token. Otherwise the client
    /// is answered with the status in `Err`, from 400 to 599; any other is replaced by 403.
    ///
    /// # Errors
    ///
    /// As [`WebSocketServer::accept`], and [`WebSocketError::TurnedAway`].
    pub fn accept_if(
        stream: S,
        options: WebSocketOptions,
        mut now: impl FnMut() -> WallMillis,
        admit: impl FnOnce(WebSocketRequest<'_>) -> Result<(), u16>,
    ) -> Result<Self, WebSocketError> {
        let mut turned_away = None;
        #[expect(clippy::result_large_err, reason = "tungstenite defines the callback")]
        let look = |request: &Handshake, response| {
            let Err(status) = admit(WebSocketRequest(request)) else { return Ok(response) };
            let status =
                StatusCode::from_u16(status).ok().filter(|status| (400..600).contains(&status.as_u16()));
            let mut refusal = ErrorResponse::new(None);
            *refusal.status_mut() = status.unwrap_or(StatusCode::FORBIDDEN);
            refusal.headers_mut().insert("content-length", HeaderValue::from_static("0"));
            turned_away = Some(refusal.status().as_u16());
            Err(refusal)
        };
        let stream = HeadExtender::new(stream, Zeroizing::default());
        let step = tungstenite::accept_hdr_with_config(stream, look, Some(config(&options)));
        let result = shake_hands(step, &options, &mut now, &mut || ControlFlow::Continue(()));
        let socket = match (result, turned_away) {
            (Err(WebSocketError::Status { .. }), Some(status)) => {
                return Err(WebSocketError::TurnedAway { status });
            }
            (result, _) => result?,
        };
        Ok(Self { connection: Connection::new(socket, options), line: LineResponder::new() })
    }

    /// Waits for a message, at most as long as a read of the stream. It needs no replica, so a server that shares one
    /// holds no lock meanwhile. After [`WaitResult::Closed`] the line has ended.
    ///
    /// # Errors
    ///
    /// [`WebSocketError`]; the line has ended.
    pub fn wait(&mut self, now: WallMillis) -> Result<WaitResult, WebSocketError> {
        self.connection.wait(now)
    }

    /// Answers the message that has arrived, if any; then sends operations that the client does not have. At most one
    /// message is buffered for sending: for a slow client no further message is made or read.
    ///
    /// # Errors
    ///
    /// [`WebSocketError`]; the line has ended, and a message with the kind of fault was sent to the client.
    pub fn work(
        &mut self,
        responder: &mut Responder,
        replica: &mut Replica,
        now: WallMillis,
    ) -> Result<(), WebSocketError> {
        // A request waits until the last answer is sent.
        let message = if self.connection.is_stuck() { None } else { self.connection.take() };
        let line = &mut self.line;
        let answer = message.map_or(Ok(None), |message| line.receive(responder, replica, now, &message));
        match answer {
            Ok(Some(answer)) => self.connection.send(answer, now)?,
            Ok(None) => {}
            Err(error) => return Err(self.end(error, now)),
        }
        let line = &mut self.line;
        match self.connection.send_all(now, || Ok::<_, WebSocketError>(line.next_message(replica)?)) {
            Err(WebSocketError::Sync(error)) => Err(self.end(error, now)),
            result => result,
        }
    }

    /// Ends the line with an error.
    fn end(&mut self, error: SyncError, now: WallMillis) -> WebSocketError {
        // A client that does not get the message notices the end of the line.
        drop(self.connection.send(error.to_alert(), now));
        self.connection.close();
        error.into()
    }

    /// Returns true if new operations are sent as they arrive: a session on this line has converged.
    #[must_use]
    pub const fn is_pushing(&self) -> bool {
        self.line.is_pushing()
    }

    /// Closes the line, with a message to the client.
    pub fn close(&mut self) {
        self.connection.close();
    }
}
