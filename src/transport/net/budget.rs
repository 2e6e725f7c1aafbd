//! A stream that is read and written so many times and then says that it would wait.

use std::io::{self, Read, Write};

use crate::crypto::Zeroizing;

/// Who reads until a message is whole comes back from a peer that sends it byte by byte, and who writes until it has
/// gone comes back from one that takes it so.
pub(super) struct Rationed<S> {
    stream: S,
    reads: usize,
    writes: usize,
    /// Lines for the end of the head that is written first.
    lines: Option<Zeroizing<Vec<u8>>>,
    /// What is left to be written of the head, with the lines.
    head: Option<Head>,
}

struct Head {
    bytes: Zeroizing<Vec<u8>>,
    written: usize,
}

impl<S> Rationed<S> {
    /// A stream that may be read once and written once, until [`Rationed::allow`] says otherwise.
    pub(super) const fn new(stream: S) -> Self {
        Self { stream, reads: 1, writes: 1, lines: None, head: None }
    }

    /// The same, for a request that is written at once and first of all: these lines go to the end of its head. Whoever
    /// writes the request never sees them, and so cannot print them.
    pub(super) fn with_lines(stream: S, lines: Zeroizing<Vec<u8>>) -> Self {
        Self { lines: (!lines.is_empty()).then_some(lines), ..Self::new(stream) }
    }

    pub(super) const fn get_ref(&self) -> &S {
        &self.stream
    }

    /// Allows so many reads from here on, and so many writes.
    pub(super) const fn allow(&mut self, times: usize) {
        self.reads = times;
        self.writes = times;
    }
}

fn take_one(left: &mut usize) -> io::Result<()> {
    *left = left.checked_sub(1).ok_or(io::ErrorKind::WouldBlock)?;
    Ok(())
}

/// A time-out as Windows names it, and a wait that a signal ended, are waits too; a handshake knows only one name for
/// them.
fn as_wait(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::Interrupted => io::ErrorKind::WouldBlock.into(),
        _ => error,
    }
}

impl<S: Read> Read for Rationed<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        take_one(&mut self.reads)?;
        self.stream.read(buffer).map_err(as_wait)
    }
}

impl<S: Write> Write for Rationed<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(lines) = self.lines.take() {
            let end = bytes.strip_suffix(b"\r\n\r\n").ok_or(io::ErrorKind::InvalidInput)?;
            let mut whole = Zeroizing::new(Vec::with_capacity(bytes.len().saturating_add(lines.len())));
            for part in [end, b"\r\n", &lines, b"\r\n"] {
                whole.extend_from_slice(part);
            }
            self.head = Some(Head { bytes: whole, written: 0 });
        }
        // Until all of it has gone, the one who writes is told to come again with the same bytes.
        while let Some(head) = &mut self.head {
            let Some(rest) = head.bytes.get(head.written..).filter(|rest| !rest.is_empty()) else {
                self.head = None;
                return Ok(bytes.len());
            };
            take_one(&mut self.writes)?;
            match self.stream.write(rest).map_err(as_wait)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => head.written = head.written.saturating_add(written),
            }
        }
        take_one(&mut self.writes)?;
        self.stream.write(bytes).map_err(as_wait)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush().map_err(as_wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a few bytes at a time, and wants to be asked again now and then.
    struct Slow {
        written: Vec<u8>,
        calls: usize,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.calls += 1;
            if self.calls.is_multiple_of(3) {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let taken = bytes.len().min(7);
            self.written.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_lines_stand_at_the_end_of_the_head_once() {
        let lines = Zeroizing::new(b"authorization: Bearer abc\r\n".to_vec());
        let mut stream = Rationed::with_lines(Slow { written: Vec::new(), calls: 0 }, lines);
        let mut write = |mut bytes: &[u8]| {
            while !bytes.is_empty() {
                stream.allow(2);
                match stream.write(bytes) {
                    Ok(taken) => bytes = &bytes[taken..],
                    Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
                }
            }
        };
        write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        write(b"frames\r\n\r\n");
        let expected = b"GET / HTTP/1.1\r\nhost: a\r\nauthorization: Bearer abc\r\n\r\nframes\r\n\r\n";
        assert_eq!(stream.stream.written, expected);
    }
}
