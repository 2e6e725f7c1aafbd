//! Messages over a WebSocket, with limits on silence and stillness.

use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::time::Duration;

use tungstenite::handshake::{HandshakeError, HandshakeRole};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Bytes, Error, Message, WebSocket};

use super::head::HeadExtender;
use super::{WebSocketError, WebSocketOptions};
use crate::hlc::WallMillis;
use crate::transport::net::{ConnectionError, Deadline, Moved, Progress, on_the_way, would_block};

/// Bytes for control frames that are buffered beside a message.
const CONTROL: usize = 1024;
/// Messages that one call sends.
const MAX_MESSAGES: usize = 4;
/// Bytes of one read.
const READ_BUFFER: usize = 16 << 10;
/// The reads of the stream that one call may make, and the writes. A call returns even if the peer sends or takes
/// single bytes.
const IO_BUDGET: usize = 16;

/// The result of a wait for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a caller handles each case")]
pub enum WaitResult {
    /// No message arrived while the stream waited, or only a ping or a part of one.
    Nothing,
    /// A message arrived. No other is read until `work` takes it.
    Message,
    /// The other side has closed the line.
    Closed,
}

pub(super) struct Connection<S> {
    socket: WebSocket<HeadExtender<S>>,
    options: WebSocketOptions,
    /// Returns the bytes that the stream has moved.
    meter: fn(&HeadExtender<S>) -> Moved,
    inbox: Option<Bytes>,
    /// The last sign of the other side, or the first wait: by the clock of `wait`.
    last_sign: Option<Sign>,
    pinged: bool,
    /// The progress of a message that is stuck on its way out.
    stuck: Option<Progress>,
    closed: bool,
}

/// A sign of the other side.
#[derive(Clone, Copy)]
struct Sign {
    /// The progress of what arrives after it.
    progress: Progress,
    /// The bytes that had been written.
    written: u64,
}

/// Returns the limits of a socket.
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
    pub(super) fn new(socket: WebSocket<HeadExtender<S>>, options: WebSocketOptions) -> Self {
        Self {
            socket,
            options,
            meter: HeadExtender::moved,
            inbox: None,
            last_sign: None,
            pinged: false,
            stuck: None,
            closed: false,
        }
    }

    pub(super) fn stream(&self) -> &S {
        self.socket.get_ref().get_ref()
    }

    /// Sets another meter of the bytes that the stream moves, below its TLS.
    pub(super) fn set_meter(&mut self, meter: fn(&HeadExtender<S>) -> Moved) {
        self.meter = meter;
    }

    fn moved(&self) -> Moved {
        (self.meter)(self.socket.get_ref())
    }

    /// Waits for a message, at most as long as a read of the stream.
    pub(super) fn wait(&mut self, now: WallMillis) -> Result<WaitResult, WebSocketError> {
        // Even while a message is in the inbox, or a stuck message would stay stuck.
        if !self.closed {
            self.flush(now)?;
        }
        if self.inbox.is_some() {
            return Ok(WaitResult::Message);
        }
        if self.closed {
            return Ok(WaitResult::Closed);
        }
        self.socket.get_mut().allow(IO_BUDGET);
        match self.socket.read() {
            Ok(Message::Binary(bytes)) => {
                self.was_received(now);
                self.inbox = Some(bytes);
                Ok(WaitResult::Message)
            }
            Ok(Message::Text(_)) => Err(WebSocketError::Text),
            Ok(Message::Close(_)) => {
                self.closed = true;
                // Answers the close; the answer may be lost.
                drop(self.socket.flush());
                Ok(WaitResult::Closed)
            }
            Ok(_) => {
                self.was_received(now);
                Ok(WaitResult::Nothing)
            }
            Err(Error::Io(error)) if would_block(&error) => {
                self.check_silence(now)?;
                Ok(WaitResult::Nothing)
            }
            Err(error) => match WebSocketError::of(error) {
                WebSocketError::Closed => {
                    self.closed = true;
                    Ok(WaitResult::Closed)
                }
                error => Err(error),
            },
        }
    }

    /// Takes the message that has arrived.
    pub(super) const fn take(&mut self) -> Option<Bytes> {
        self.inbox.take()
    }

    /// Returns true if part of the last message is unsent. Until it is sent, no other may follow.
    pub(super) const fn is_stuck(&self) -> bool {
        self.stuck.is_some()
    }

    /// Sends messages until one is stuck, none is left, or the call has sent enough.
    pub(super) fn send_all<E: From<WebSocketError>>(
        &mut self,
        now: WallMillis,
        mut next: impl FnMut() -> Result<Option<Vec<u8>>, E>,
    ) -> Result<(), E> {
        for _ in 0..MAX_MESSAGES {
            if self.is_stuck() {
                break;
            }
            let Some(message) = next()? else { break };
            self.send(message, now)?;
        }
        Ok(())
    }

    /// Sends a message, or as much of it as the stream takes. The next call sends the rest.
    pub(super) fn send(&mut self, message: Vec<u8>, now: WallMillis) -> Result<(), WebSocketError> {
        if self.closed {
            return Err(WebSocketError::Closed);
        }
        self.socket.get_mut().allow(IO_BUDGET);
        let result = self.socket.write(Message::Binary(message.into()));
        self.after_writing(result, now)?;
        self.flush(now)
    }

    /// Closes the line, with a message to the other side.
    pub(super) fn close(&mut self) {
        if !self.closed {
            self.closed = true;
            self.socket.get_mut().allow(IO_BUDGET);
            // The other side may already be gone.
            drop(self.socket.close(None));
        }
    }

    fn flush(&mut self, now: WallMillis) -> Result<(), WebSocketError> {
        self.socket.get_mut().allow(IO_BUDGET);
        let result = self.socket.flush();
        self.after_writing(result, now)
    }

    fn after_writing(&mut self, result: Result<(), Error>, now: WallMillis) -> Result<(), WebSocketError> {
        match result {
            Ok(()) => {
                self.stuck = None;
                Ok(())
            }
            Err(Error::Io(error)) if would_block(&error) => {
                let (now, written) = (since_epoch(now), self.moved().written);
                let limit = self.options.connection.progress;
                let stuck = self.stuck.get_or_insert_with(|| Progress::begin(limit, now, written));
                if stuck.is_stalled(now, written) {
                    return Err(WebSocketError::SlowPeer { elapsed: millis(stuck.elapsed(now)) });
                }
                Ok(())
            }
            // The next read reports it, after the messages that the other side sent before.
            Err(Error::ConnectionClosed | Error::AlreadyClosed) => Ok(()),
            Err(error) => Err(WebSocketError::of(error)),
        }
    }

    fn was_received(&mut self, now: WallMillis) {
        self.last_sign = Some(self.sign(now));
        self.pinged = false;
    }

    fn sign(&self, now: WallMillis) -> Sign {
        let Moved { read, written } = self.moved();
        Sign { progress: Progress::begin(Duration::MAX, since_epoch(now), read), written }
    }

    fn check_silence(&mut self, now: WallMillis) -> Result<(), WebSocketError> {
        let Moved { read, written } = self.moved();
        let first = self.sign(now);
        let sign = self.last_sign.get_or_insert(first);
        // Part of a long message is a sign too.
        sign.progress.is_stalled(since_epoch(now), read);
        let elapsed = millis(sign.progress.elapsed(since_epoch(now)));
        // The other side may not have what was sent since, and thus no reason to answer.
        let on_the_way = millis(on_the_way(written.saturating_sub(sign.written)));
        if elapsed >= self.options.silence.saturating_add(on_the_way) {
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

fn since_epoch(time: WallMillis) -> Duration {
    Duration::from_millis(time.0)
}

fn millis(time: Duration) -> WallMillis {
    WallMillis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

/// Continues a handshake until it is complete, its deadline has passed, or the caller cancels it.
pub(super) fn shake_hands<S, R: HandshakeRole<InternalStream = HeadExtender<S>>>(
    mut step: Result<R::FinalResult, HandshakeError<R>>,
    options: &WebSocketOptions,
    now: &mut impl FnMut() -> WallMillis,
    proceed: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<R::FinalResult, WebSocketError> {
    let deadline = Deadline::after(since_epoch(now()), options.connection.timeout);
    loop {
        match step {
            Ok(done) => return Ok(done),
            Err(HandshakeError::Failure(error)) => return Err(WebSocketError::of(error)),
            Err(HandshakeError::Interrupted(mut half)) => {
                if deadline.has_passed(since_epoch(now())) || proceed().is_break() {
                    return Err(ConnectionError::Timeout.into());
                }
                // One read and one write between two checks of the deadline.
                half.get_mut().get_mut().allow(1);
                step = half.handshake();
            }
        }
    }
}
