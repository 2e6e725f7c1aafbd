//! One request with its answer over a connection.

use std::io::{self, Read, Write};
use std::time::Duration;

use super::head::{AnswerHead, Framing};
use super::{HttpError, HttpStage};
use crate::codec::wide;
use crate::crypto::Zeroizing;
use crate::sync::ALERT;
use crate::transport::net::{
    ConnectionError, Deadline, HeadEnd, HeadFault, MAX_INTERIM, Moved, NetStream, Progress, Watch,
    on_the_way, would_block,
};

/// Bytes of one write. Between two of them an early answer is noticed.
const PART: usize = 16 << 10;
/// Bytes of one read.
const PIECE: usize = 16 << 10;
/// Bytes of the line before a chunk, and of the lines after the last one.
const MAX_CHUNK_LINE: usize = 256;
const MAX_TRAILER: usize = 8 << 10;

/// The limits of an exchange.
pub(super) struct Limits {
    /// The time until an answer begins, after the request was sent.
    pub(super) answer: Duration,
    /// The time in which a transfer must move.
    pub(super) progress: Duration,
    /// The bytes of the answer's body.
    pub(super) max_bytes: usize,
}

/// The answer to a request.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) retry_after: Option<Duration>,
}

/// One request with its answer.
pub(super) struct Exchange<'e, 'w> {
    stream: NetStream,
    watch: &'e mut Watch<'w>,
    limits: Limits,
    progress: Progress,
    /// The end of the wait for the head of the answer.
    answer_by: Option<Deadline>,
    /// The bytes that have arrived.
    buffer: Vec<u8>,
    /// The number of them that were read.
    taken: usize,
    end: HeadEnd,
    interim: u32,
    head: Option<AnswerHead>,
    is_sent: bool,
    has_arrived: bool,
}

/// A failed exchange.
pub(super) struct Failed {
    pub(super) error: HttpError,
    /// True if bytes of an answer have arrived.
    pub(super) has_arrived: bool,
}

impl<'e, 'w> Exchange<'e, 'w> {
    pub(super) fn new(stream: NetStream, watch: &'e mut Watch<'w>, limits: Limits) -> Self {
        let progress = Progress::begin(limits.progress, watch.now(), stream.moved().written);
        Self {
            stream,
            watch,
            limits,
            progress,
            answer_by: None,
            buffer: Vec::new(),
            taken: 0,
            end: HeadEnd::default(),
            interim: 0,
            head: None,
            is_sent: false,
            has_arrived: false,
        }
    }

    /// Sends a request and reads its answer. Returns the connection too, if it can carry another request.
    pub(super) fn run(mut self, head: &[u8], body: &[u8]) -> Result<(Answer, Option<NetStream>), Failed> {
        match self.send(head, body).and_then(|()| self.receive(body.len())) {
            Ok((answer, persistent)) => {
                let is_clean = self.is_sent && persistent && self.taken == self.buffer.len();
                Ok((answer, is_clean.then_some(self.stream)))
            }
            Err(error) => Err(Failed { error, has_arrived: self.has_arrived }),
        }
    }

    /// Sends the request, or as much of it as the server wants before it answers.
    fn send(&mut self, head: &[u8], body: &[u8]) -> Result<(), HttpError> {
        // In one packet with the beginning of the body.
        let (first, rest) = body.split_at_checked(PART).unwrap_or((body, &[]));
        let mut start = Zeroizing::new(Vec::with_capacity(head.len().saturating_add(first.len())));
        start.extend_from_slice(head);
        start.extend_from_slice(first);
        let mut parts = std::iter::once(start.as_slice()).chain(rest.chunks(PART)).peekable();
        while let Some(part) = parts.next() {
            if let Err(error) = self.write(part) {
                return self.hear_refusal(error);
            }
            if self.head.is_none() && parts.peek().is_some() {
                self.hear_early()?;
            }
            if self.head.is_some() {
                return Ok(());
            }
        }
        if let Err(error) = self.flush() {
            return self.hear_refusal(error);
        }
        if self.head.is_some() {
            return Ok(());
        }
        self.is_sent = true;
        let sent = wide(head.len().saturating_add(body.len()));
        let limit = self.limits.answer.saturating_add(on_the_way(sent));
        self.answer_by = Some(Deadline::after(self.watch.now(), limit));
        Ok(())
    }

    /// Writes a part of the request, until a server that has answered takes no more.
    fn write(&mut self, mut part: &[u8]) -> Result<(), HttpError> {
        while !part.is_empty() {
            match self.stream.write(part) {
                Ok(0) => return Err(broken(io::ErrorKind::WriteZero.into())),
                Ok(written) => part = part.get(written..).unwrap_or_default(),
                Err(error) => {
                    unless_pending(error)?;
                    self.hear_early()?;
                    if self.head.is_some() {
                        return Ok(());
                    }
                }
            }
            self.check(HttpStage::Sending)?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), HttpError> {
        while let Err(error) = self.stream.flush() {
            unless_pending(error)?;
            self.hear_early()?;
            if self.head.is_some() {
                return Ok(());
            }
            self.check(HttpStage::Sending)?;
        }
        Ok(())
    }

    /// Reads the answer of a server that has refused the request and closed the connection before it had read all of
    /// it. Without an answer, returns the error of the write.
    fn hear_refusal(&mut self, error: HttpError) -> Result<(), HttpError> {
        if matches!(error, HttpError::Connection(_)) {
            while self.head.is_none() && self.hear_early().is_ok_and(|heard| heard) {}
        }
        if self.head.is_some() { Ok(()) } else { Err(error) }
    }

    /// Reads what has arrived before the request is sent. Returns true if it was anything.
    fn hear_early(&mut self) -> Result<bool, HttpError> {
        let mut piece = [0; PIECE];
        match self.stream.read_arrived(&mut piece) {
            Ok(0) => Err(broken(io::ErrorKind::UnexpectedEof.into())),
            Ok(read) => {
                self.keep(piece.get(..read).unwrap_or_default());
                self.find_head()?;
                Ok(true)
            }
            Err(error) => unless_pending(error).map(|()| false),
        }
    }

    /// Reads the answer. Returns true if the connection stays open.
    fn receive(&mut self, request_len: usize) -> Result<(Answer, bool), HttpError> {
        let head = loop {
            if let Some(head) = self.head.take() {
                break head;
            }
            if self.fill(HttpStage::Answer)? == 0 {
                return Err(broken(io::ErrorKind::UnexpectedEof.into()));
            }
            self.find_head()?;
        };
        let refused = HttpError::Status { status: head.status, retry_after: head.retry_after };
        match head.status {
            300..=399 => return Err(HttpError::Redirect { status: head.status }),
            413 if !head.is_message => return Err(HttpError::RequestTooLarge { len: request_len }),
            200 if !head.is_message => return Err(HttpError::ContentType),
            _ if !head.is_message => return Err(refused),
            _ => {}
        }
        if let Some(encoding) = head.encoding {
            return Err(HttpError::ContentEncoding { encoding });
        }
        self.progress = Progress::begin(self.limits.progress, self.watch.now(), self.stream.moved().read);
        let body = self.body(head.framing)?;
        // With an error status only a refusal counts as an answer.
        if head.status != 200 && body.first() != Some(&ALERT) {
            return Err(refused);
        }
        Ok((Answer { status: head.status, body, retry_after: head.retry_after }, head.persistent))
    }

    /// Reads the head if all of it has arrived, and skips informational ones.
    fn find_head(&mut self) -> Result<(), HttpError> {
        while self.head.is_none() {
            let unread = self.buffer.get(self.taken..).unwrap_or_default();
            let Some(len) = self.end.find(unread)? else { return Ok(()) };
            let head = AnswerHead::read(unread.get(..len).unwrap_or_default())?;
            self.taken = self.taken.saturating_add(len);
            match head.status {
                // Another protocol was not asked for.
                100 | 102..=199 => {
                    self.interim = self.interim.saturating_add(1);
                    if self.interim > MAX_INTERIM {
                        return Err(HeadFault::TooLong.into());
                    }
                    self.end = HeadEnd::default();
                }
                _ => self.head = Some(head),
            }
        }
        Ok(())
    }

    fn body(&mut self, framing: Framing) -> Result<Vec<u8>, HttpError> {
        let mut body = Vec::new();
        match framing {
            Framing::Length(length) => {
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                self.take(length, &mut body)?;
            }
            Framing::Chunked => self.take_chunks(&mut body)?,
            Framing::Close => loop {
                let unread = self.buffer.len().saturating_sub(self.taken);
                self.take(unread, &mut body)?;
                if self.fill(HttpStage::Body)? == 0 {
                    break;
                }
            },
        }
        Ok(body)
    }

    /// Takes this many bytes of the body.
    fn take(&mut self, mut count: usize, body: &mut Vec<u8>) -> Result<(), HttpError> {
        if count > self.limits.max_bytes.saturating_sub(body.len()) {
            return Err(HttpError::TooLarge { limit: self.limits.max_bytes });
        }
        while count > 0 {
            let unread = self.buffer.get(self.taken..).unwrap_or_default();
            if unread.is_empty() {
                self.fill_body()?;
                continue;
            }
            let piece = unread.get(..count).unwrap_or(unread);
            body.extend_from_slice(piece);
            count = count.saturating_sub(piece.len());
            self.taken = self.taken.saturating_add(piece.len());
        }
        Ok(())
    }

    /// Takes the chunks of a body (RFC 9112, section 7.1).
    fn take_chunks(&mut self, body: &mut Vec<u8>) -> Result<(), HttpError> {
        loop {
            let line = self.line(MAX_CHUNK_LINE)?;
            let begins_with_digit = line.first().is_some_and(u8::is_ascii_hexdigit);
            let size = match httparse::parse_chunk_size(&line) {
                // The parser reads no digits as 0.
                _ if !begins_with_digit => return Err(HeadFault::Coding.into()),
                Ok(httparse::Status::Complete((_, size))) => usize::try_from(size).unwrap_or(usize::MAX),
                _ => return Err(HeadFault::Coding.into()),
            };
            if size == 0 {
                break;
            }
            self.take(size, body)?;
            if self.line(2)? != b"\r\n" {
                return Err(HeadFault::Coding.into());
            }
        }
        let mut left = MAX_TRAILER;
        loop {
            let line = self.line(left)?;
            if matches!(line.as_slice(), b"\r\n" | b"\n") {
                return Ok(());
            }
            left = left.saturating_sub(line.len());
        }
    }

    /// Takes a line with its end.
    fn line(&mut self, max_bytes: usize) -> Result<Vec<u8>, HttpError> {
        let mut line = Vec::new();
        loop {
            let unread = self.buffer.get(self.taken..).unwrap_or_default();
            let end = unread.iter().position(|byte| *byte == b'\n');
            let piece = end.map_or(unread, |end| unread.get(..=end).unwrap_or_default());
            if line.len().saturating_add(piece.len()) > max_bytes {
                return Err(HeadFault::Coding.into());
            }
            line.extend_from_slice(piece);
            self.taken = self.taken.saturating_add(piece.len());
            if end.is_some() {
                return Ok(line);
            }
            self.fill_body()?;
        }
    }

    fn fill_body(&mut self) -> Result<(), HttpError> {
        match self.fill(HttpStage::Body)? {
            0 => Err(broken(io::ErrorKind::UnexpectedEof.into())),
            _ => Ok(()),
        }
    }

    /// Waits for the next bytes. Returns their number; 0 at the end of the connection.
    fn fill(&mut self, stage: HttpStage) -> Result<usize, HttpError> {
        loop {
            let mut piece = [0; PIECE];
            let read = self.stream.read(&mut piece);
            // Also after a read that brought something: a server that sends byte by byte does not prolong a limit.
            self.check(stage)?;
            match read {
                Ok(read) => {
                    self.keep(piece.get(..read).unwrap_or_default());
                    return Ok(read);
                }
                Err(error) => unless_pending(error)?,
            }
        }
    }

    fn keep(&mut self, piece: &[u8]) {
        if self.taken == self.buffer.len() {
            self.buffer.clear();
            self.taken = 0;
        }
        self.has_arrived |= !piece.is_empty();
        self.buffer.extend_from_slice(piece);
    }

    fn check(&mut self, stage: HttpStage) -> Result<(), HttpError> {
        let now = self.watch.check()?;
        let Moved { read, written } = self.stream.moved();
        let is_late = match (stage, self.answer_by) {
            (HttpStage::Answer, Some(deadline)) => deadline.has_passed(now),
            (HttpStage::Body, _) => self.progress.is_stalled(now, read),
            _ => self.progress.is_stalled(now, written),
        };
        if is_late { Err(HttpError::Timeout(stage)) } else { Ok(()) }
    }
}

/// Ignores a wait that was cut short; any other error is one of the connection.
fn unless_pending(error: io::Error) -> Result<(), HttpError> {
    if would_block(&error) { Ok(()) } else { Err(broken(error)) }
}

fn broken(error: io::Error) -> HttpError {
    ConnectionError::of_io(error).into()
}
