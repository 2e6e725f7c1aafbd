//! The side of a WebSocket that was called.

use std::fmt;
use std::io::{Read, Write};

use tungstenite::handshake::server::{ErrorResponse, Request};
use tungstenite::http::{HeaderValue, StatusCode};

use super::connection::{AT_ONCE, Connection, config, shake_hands};
use super::rationed::Rationed;
use super::{Heard, WebSocketError, WebSocketOptions};
use crate::hlc::WallMillis;
use crate::replica::Replica;
use crate::sync::{Responder, SyncError};
use crate::transport::line::LineAnswerer;

/// A caller's WebSocket, over any stream: answers sessions, and then sends what arrives in the replica.
///
/// The stream should give up a read and a write after a while ([`TcpStream::set_read_timeout`] and
/// [`TcpStream::set_write_timeout`], 100 milliseconds for example): then [`WebSocketServer::wait`] returns, and what
/// has arrived meanwhile by other ways is sent on. A server that has its own WebSockets takes [`LineAnswerer`] instead.
///
/// ```no_run
/// use std::net::TcpListener;
/// use std::time::Duration;
///
/// use policysync::{Replica, ReplicaOptions, Responder, SyncOptions, WebSocketServer, system_wall_clock};
/// use policysync::transport::{Heard, WebSocketOptions};
///
/// let mut replica = Replica::open(ReplicaOptions::new())?;
/// // 32 random bytes, from `Sodium::random`.
/// # let secret = [8; 32];
/// let mut responder = Responder::new(secret, SyncOptions::new());
/// let (stream, _) = TcpListener::bind("127.0.0.1:8080")?.accept()?;
/// stream.set_read_timeout(Some(Duration::from_millis(100)))?;
/// stream.set_write_timeout(Some(Duration::from_millis(100)))?;
/// let mut line = WebSocketServer::accept(stream, WebSocketOptions::new(), system_wall_clock)?;
/// while line.wait(system_wall_clock())? != Heard::Closed {
///     // A server with many lines takes its lock here.
///     line.work(&mut responder, &mut replica, system_wall_clock())?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`TcpStream::set_read_timeout`]: std::net::TcpStream::set_read_timeout
/// [`TcpStream::set_write_timeout`]: std::net::TcpStream::set_write_timeout
pub struct WebSocketServer<S> {
    connection: Connection<S>,
    line: LineAnswerer,
}

/// What a caller asks for when it opens a line.
#[derive(Clone, Copy)]
pub struct WebSocketRequest<'a>(&'a Request);

/// Nothing of what it says, since it may hold a token.
impl fmt::Debug for WebSocketRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketRequest").finish_non_exhaustive()
    }
}

impl<'a> WebSocketRequest<'a> {
    /// The path, with the query behind it where there is one.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.0.uri().path_and_query().map_or("/", |path| path.as_str())
    }

    /// A header's value: the first, where there are several; `None` where it is not printable ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.0.headers().get(name)?.to_str().ok()
    }

    /// The token of `Authorization: Bearer …`. Compare it in a time that does not depend on it.
    #[must_use]
    pub fn bearer_token(&self) -> Option<&'a str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start())
    }
}

impl<S: Read + Write> WebSocketServer<S> {
    /// Takes the handshake of a caller, whoever it is. Any path is as good.
    ///
    /// # Errors
    ///
    /// [`WebSocketError`], [`WebSocketError::HandshakeTimeout`] among them: the caller has as long as
    /// [`WebSocketOptions::connect_timeout`] says, by the clock `now`.
    pub fn accept(
        stream: S,
        options: WebSocketOptions,
        now: impl FnMut() -> WallMillis,
    ) -> Result<Self, WebSocketError> {
        Self::accept_if(stream, options, now, |_| Ok(()))
    }

    /// The same for those whom `admit` lets in, by their path and their headers: a token, for example. Others are
    /// answered with the status that it says, from 400 to 599; 403 where it says another.
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
        #[expect(clippy::result_large_err, reason = "the callback is as tungstenite wants it")]
        let look = |request: &Request, response| {
            let Err(status) = admit(WebSocketRequest(request)) else { return Ok(response) };
            let status =
                StatusCode::from_u16(status).ok().filter(|status| (400..600).contains(&status.as_u16()));
            let mut refusal = ErrorResponse::new(None);
            *refusal.status_mut() = status.unwrap_or(StatusCode::FORBIDDEN);
            refusal.headers_mut().insert("content-length", HeaderValue::from_static("0"));
            turned_away = Some(refusal.status().as_u16());
            Err(refusal)
        };
        let step = tungstenite::accept_hdr_with_config(Rationed::new(stream), look, Some(config(&options)));
        let result = shake_hands(step, &options, &mut now);
        let socket = match (result, turned_away) {
            (Err(WebSocketError::Status { .. }), Some(status)) => {
                return Err(WebSocketError::TurnedAway { status });
            }
            (result, _) => result?,
        };
        Ok(Self { connection: Connection::new(socket, options), line: LineAnswerer::new() })
    }

    /// Waits for a message, for as long as a read of the stream waits. It needs no replica, so a server that shares one
    /// holds no lock meanwhile. After [`Heard::Closed`] the line is over.
    ///
    /// # Errors
    ///
    /// [`WebSocketError`]; the line is over.
    pub fn wait(&mut self, now: WallMillis) -> Result<Heard, WebSocketError> {
        self.connection.wait(now)
    }

    /// Answers the message that has arrived, if one has; then sends operations that the caller does not have yet. One
    /// message is on its way out at a time: while the caller is slow, nothing is made for it and nothing more is read.
    ///
    /// # Errors
    ///
    /// [`WebSocketError`]; the line is over, and the caller has been told what kind of fault it was, if it still
    /// listens.
    pub fn work(
        &mut self,
        responder: &mut Responder,
        replica: &mut Replica,
        now: WallMillis,
    ) -> Result<(), WebSocketError> {
        // What is asked while the last answer is stuck waits.
        let message = if self.connection.is_stuck() { None } else { self.connection.take() };
        let line = &mut self.line;
        let answer = message.map_or(Ok(None), |message| line.receive(responder, replica, now, &message));
        match answer {
            Ok(Some(answer)) => self.connection.send(answer, now)?,
            Ok(None) => {}
            Err(error) => return Err(self.end(error, now)),
        }
        // The session's end, where pushes go on from, and the first of them; more with the next call.
        for _ in 0..AT_ONCE {
            if self.connection.is_stuck() {
                break;
            }
            let message = self.line.next_message(replica).map_err(|error| self.end(error, now))?;
            let Some(message) = message else { break };
            self.connection.send(message, now)?;
        }
        Ok(())
    }

    /// Ends the line for this reason.
    fn end(&mut self, error: SyncError, now: WallMillis) -> WebSocketError {
        // Whoever cannot be told finds out from the end of the line.
        drop(self.connection.send(error.to_alert(), now));
        self.connection.close();
        error.into()
    }

    /// Whether new operations are sent as they arrive: a session on this line has converged.
    #[must_use]
    pub const fn is_pushing(&self) -> bool {
        self.line.is_pushing()
    }

    /// Ends the line, and tells the caller.
    pub fn close(&mut self) {
        self.connection.close();
    }
}
