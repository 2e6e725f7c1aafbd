//! Messages over a WebSocket: one in, one out, and how long each side may be silent.

use std::io::{self, Read, Write};

use tungstenite::handshake::{HandshakeError, HandshakeRole};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Bytes, Error, Message, WebSocket};

use super::rationed::Rationed;
use super::{WebSocketError, WebSocketOptions};
use crate::hlc::WallMillis;

/// Bytes of a control frame with its head, of which a few may wait beside a message.
const CONTROL: usize = 1024;
/// Messages that are sent before the next one is waited for.
pub(super) const AT_ONCE: usize = 4;
/// Bytes that are read at a time.
const READ_BUFFER: usize = 16 << 10;
/// Reads of the stream in one call, and writes: a peer that sends or takes byte after byte does not keep the call from
/// returning.
const AT_A_TIME: usize = 16;

/// What came of waiting for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a caller handles each case")]
pub enum Heard {
    /// Nothing, for as long as the stream waits; or a ping, or part of a message.
    Nothing,
    /// A message is here. It waits for `work`, and until then no other is read.
    Message,
    /// The other side has closed the line.
    Closed,
}

pub(super) struct Connection<S> {
    socket: WebSocket<Rationed<S>>,
    options: WebSocketOptions,
    inbox: Option<Bytes>,
    /// When something was last heard, or was first waited for: by the clock of those who wait.
    heard: Option<WallMillis>,
    pinged: bool,
    /// Since when a message is stuck on its way out.
    stuck: Option<WallMillis>,
    closed: bool,
}

/// The limits of a socket, from ours.
pub(super) fn config(options: &WebSocketOptions) -> WebSocketConfig {
    let limit = options.sync.limit();
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(limit.saturating_add(CONTROL))
        .max_message_size(Some(limit))
        .max_frame_size(Some(limit))
}

impl<S: Read + Write> Connection<S> {
    pub(super) fn new(socket: WebSocket<Rationed<S>>, options: WebSocketOptions) -> Self {
        Self { socket, options, inbox: None, heard: None, pinged: false, stuck: None, closed: false }
    }

    pub(super) fn stream(&self) -> &S {
        self.socket.get_ref().get_ref()
    }

    /// Waits for a message, for as long as a read of the stream waits.
    pub(super) fn wait(&mut self, now: WallMillis) -> Result<Heard, WebSocketError> {
        // Also while a message waits to be taken, or what is stuck would stay so.
        if !self.closed {
            self.flush(now)?;
        }
        if self.inbox.is_some() {
            return Ok(Heard::Message);
        }
        if self.closed {
            return Ok(Heard::Closed);
        }
        self.socket.get_mut().allow(AT_A_TIME);
        match self.socket.read() {
            Ok(Message::Binary(bytes)) => {
                self.was_heard(now);
                self.inbox = Some(bytes);
                Ok(Heard::Message)
            }
            Ok(Message::Text(_)) => Err(WebSocketError::Text),
            Ok(Message::Close(_)) => {
                self.closed = true;
                // Says goodbye; whether it arrives is no matter.
                drop(self.socket.flush());
                Ok(Heard::Closed)
            }
            Ok(_) => {
                self.was_heard(now);
                Ok(Heard::Nothing)
            }
            Err(Error::Io(error)) if is_wait(&error) => {
                self.check_silence(now)?;
                Ok(Heard::Nothing)
            }
            Err(error) => match WebSocketError::of(error) {
                WebSocketError::Closed => {
                    self.closed = true;
                    Ok(Heard::Closed)
                }
                error => Err(error),
            },
        }
    }

    /// The message that has arrived.
    pub(super) const fn take(&mut self) -> Option<Bytes> {
        self.inbox.take()
    }

    /// Whether the last message is still on its way out: then no other may be sent.
    pub(super) const fn is_stuck(&self) -> bool {
        self.stuck.is_some()
    }

    /// Sends a message, or as much of it as the stream takes; the rest follows with the next call.
    pub(super) fn send(&mut self, message: Vec<u8>, now: WallMillis) -> Result<(), WebSocketError> {
        if self.closed {
            return Err(WebSocketError::Closed);
        }
        self.socket.get_mut().allow(AT_A_TIME);
        let result = self.socket.write(Message::Binary(message.into()));
        self.after_writing(result, now)?;
        self.flush(now)
    }

    /// Ends the line, and tells the other side.
    pub(super) fn close(&mut self) {
        if !self.closed {
            self.closed = true;
            self.socket.get_mut().allow(AT_A_TIME);
            // Whoever has gone already need not be told.
            drop(self.socket.close(None));
        }
    }

    fn flush(&mut self, now: WallMillis) -> Result<(), WebSocketError> {
        self.socket.get_mut().allow(AT_A_TIME);
        let result = self.socket.flush();
        self.after_writing(result, now)
    }

    fn after_writing(&mut self, result: Result<(), Error>, now: WallMillis) -> Result<(), WebSocketError> {
        match result {
            Ok(()) => {
                self.stuck = None;
                Ok(())
            }
            Err(Error::Io(error)) if is_wait(&error) => {
                let since = *self.stuck.get_or_insert(now);
                let elapsed = WallMillis(now.0.saturating_sub(since.0));
                if elapsed >= self.options.stall {
                    return Err(WebSocketError::SlowPeer { elapsed });
                }
                Ok(())
            }
            // It is said with the next read, after what the other side has still sent.
            Err(Error::ConnectionClosed | Error::AlreadyClosed) => Ok(()),
            Err(error) => Err(WebSocketError::of(error)),
        }
    }

    fn was_heard(&mut self, now: WallMillis) {
        self.heard = Some(now);
        self.pinged = false;
    }

    fn check_silence(&mut self, now: WallMillis) -> Result<(), WebSocketError> {
        let since = *self.heard.get_or_insert(now);
        let elapsed = WallMillis(now.0.saturating_sub(since.0));
        if elapsed >= self.options.silence {
            return Err(WebSocketError::Silent { elapsed });
        }
        if elapsed >= self.options.ping_after && !self.pinged && !self.is_stuck() {
            self.pinged = true;
            let result = self.socket.send(Message::Ping(Bytes::new()));
            self.after_writing(result, now)?;
        }
        Ok(())
    }
}

/// Goes on with a handshake until it is done, or has taken as long as it may.
pub(super) fn shake_hands<S, R: HandshakeRole<InternalStream = Rationed<S>>>(
    mut step: Result<R::FinalResult, HandshakeError<R>>,
    options: &WebSocketOptions,
    now: &mut impl FnMut() -> WallMillis,
) -> Result<R::FinalResult, WebSocketError> {
    let began = now();
    loop {
        match step {
            Ok(done) => return Ok(done),
            Err(HandshakeError::Failure(error)) => return Err(WebSocketError::of(error)),
            Err(HandshakeError::Interrupted(mut half)) => {
                if has_waited(began, options, now) {
                    return Err(WebSocketError::HandshakeTimeout);
                }
                // Between two looks at the clock the stream is read once, and written once.
                half.get_mut().get_mut().allow(1);
                step = half.handshake();
            }
        }
    }
}

/// Whether a step of the handshake has taken as long as it may.
pub(super) fn has_waited(
    began: WallMillis,
    options: &WebSocketOptions,
    now: &mut impl FnMut() -> WallMillis,
) -> bool {
    u128::from(now().0.saturating_sub(began.0)) >= options.connect.as_millis()
}

pub(super) fn is_wait(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}
