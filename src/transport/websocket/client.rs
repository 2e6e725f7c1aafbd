//! The side of a WebSocket that calls.

use std::io::{Read, Write};

use tungstenite::http::Uri;

use super::connection::{AT_ONCE, Connection, config, shake_hands};
use super::rationed::Rationed;
use super::{Heard, WebSocketError, WebSocketOptions, WebSocketStream};
use crate::hlc::WallMillis;
use crate::replica::Replica;
use crate::sync::{Progress, ResumeToken, SessionResult};
use crate::transport::line::{LineCaller, LineEvent};

/// A WebSocket to a server: runs a session, and then sends what is written here and takes in what arrives there.
///
/// It starts no thread: the application calls [`WebSocketClient::wait`] and [`WebSocketClient::work`] in turn, in a
/// thread of its own. When the line ends, it makes a new one, whose first session finds what was on its way; a little
/// later each time, so that a server that was down is not run over when it is back.
///
/// ```no_run
/// use policysync::{Replica, ReplicaOptions, WebSocketClient, system_wall_clock};
/// use policysync::transport::{Heard, WebSocketOptions};
///
/// let mut replica = Replica::open(ReplicaOptions::new())?;
/// // 32 random bytes, new for each line, from `Sodium::random`.
/// # let seed = [7; 32];
/// let url = "ws://127.0.0.1:8080/sync";
/// let mut line = WebSocketClient::connect(url, WebSocketOptions::new(), seed, system_wall_clock)?;
/// line.work(&mut replica, system_wall_clock())?;
/// while line.wait(system_wall_clock())? != Heard::Closed {
///     // An application that shares its replica takes the lock here.
///     line.work(&mut replica, system_wall_clock())?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct WebSocketClient<S> {
    connection: Connection<S>,
    line: LineCaller,
}

impl WebSocketClient<WebSocketStream> {
    /// Connects to the server at this URL. Each step but the look-up of the name takes no longer than
    /// [`WebSocketOptions::connect_timeout`]. `seed` is 32 random bytes, new for each line.
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
        let uri: Uri = url.parse().map_err(|_| WebSocketError::Url)?;
        let tls = match uri.scheme_str() {
            Some("ws") => false,
            Some("wss") if cfg!(feature = "tls") => true,
            Some("wss") => return Err(WebSocketError::NoTls),
            _ => return Err(WebSocketError::Url),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(WebSocketError::Url)?;
        // An IPv6 address stands in brackets in a URL, and nowhere else.
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        options.headers.check()?;
        let stream = WebSocketStream::connect(host, port, tls, &options, &mut now)?;
        let wait = options.wait;
        let line = Self::over(stream, url, options, seed, now)?;
        line.connection.stream().wait_for(wait).map_err(WebSocketError::Io)?;
        Ok(line)
    }
}

impl<S: Read + Write> WebSocketClient<S> {
    /// Opens a WebSocket over a stream that is connected. It should give up a read and a write after a while, or
    /// [`WebSocketClient::wait`] waits until the server speaks, and what is written here waits as long.
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
        options.headers.check()?;
        let stream = Rationed::with_lines(stream, options.headers.lines());
        let step = tungstenite::client::client_with_config(url, stream, Some(config(&options)));
        let (socket, _) = shake_hands(step, &options, &mut now)?;
        let line = LineCaller::new(options.sync.clone(), seed);
        Ok(Self { connection: Connection::new(socket, options), line })
    }

    /// Waits for a message; where nothing comes, for as long as [`WebSocketOptions::wait`] says, and at most so long
    /// again for what is stuck on its way out. Where bytes come or go one by one it returns after a few: after 50
    /// times that long at most, over TLS after 250 times. It needs no replica, so an application that shares one
    /// holds no lock meanwhile. After [`Heard::Closed`] the line is over.
    ///
    /// # Errors
    ///
    /// [`WebSocketError`]; the line is over.
    pub fn wait(&mut self, now: WallMillis) -> Result<Heard, WebSocketError> {
        self.connection.wait(now)
    }

    /// Takes in the message that has arrived, if one has, and says what it was; then sends what there is to say: the
    /// next message of the session, or operations that were written since. One message is on its way out at a time.
    ///
    /// # Errors
    ///
    /// [`WebSocketError`]; the line is over. What was admitted stays.
    pub fn work(
        &mut self,
        replica: &mut Replica,
        now: WallMillis,
    ) -> Result<Option<LineEvent>, WebSocketError> {
        let event = self.hear(|line, message| line.receive(replica, now, message))?;
        self.say(now, |line| Ok::<_, WebSocketError>(line.next_message(replica, now)?))?;
        Ok(event)
    }

    /// Takes in the message that has arrived, if one has.
    pub(crate) fn hear<T, E>(
        &mut self,
        take: impl FnOnce(&mut LineCaller, &[u8]) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        self.connection.take().map(|message| take(&mut self.line, &message)).transpose()
    }

    /// Sends what there is to say, unless the last message is still on its way out.
    pub(crate) fn say<E: From<WebSocketError>>(
        &mut self,
        now: WallMillis,
        mut next: impl FnMut(&mut LineCaller) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<(), E> {
        // The session's end, where pushes go on from, and the first of them; more with the next call.
        for _ in 0..AT_ONCE {
            if self.connection.is_stuck() {
                break;
            }
            let Some(message) = next(&mut self.line)? else { break };
            self.connection.send(message, now)?;
        }
        Ok(())
    }

    /// What is said.
    #[cfg(feature = "capi")]
    pub(crate) const fn line(&self) -> &LineCaller {
        &self.line
    }

    /// How far the session is, or how far the last one came.
    #[must_use]
    pub const fn progress(&self) -> &Progress {
        self.line.progress()
    }

    /// How the last session ended; `None` before the first has.
    #[must_use]
    pub const fn finish(&self) -> Option<&SessionResult> {
        self.line.finish()
    }

    /// What the next line to the same server may leave out, for [`SyncOptions::resume`](crate::SyncOptions::resume).
    #[must_use]
    pub const fn base(&self) -> Option<&ResumeToken> {
        self.line.base()
    }

    /// Whether new operations are sent as they are written: the last session has converged.
    #[must_use]
    pub const fn is_pushing(&self) -> bool {
        self.line.is_pushing()
    }

    /// Ends the line, and tells the server. What is not sent yet is sent by the next one.
    pub fn close(&mut self) {
        self.connection.close();
    }
}
