//! A stream that adds header lines to the request head.

use std::io::{self, Read, Write};

use crate::crypto::Zeroizing;
use crate::transport::net::{Budgeted, Moved};

/// Adds lines at the end of the request head, which must be the first write and complete. The WebSocket library, which
/// writes the head, never sees them and so cannot print them.
pub(super) struct HeadExtender<S> {
    stream: Budgeted<S>,
    lines: Option<Zeroizing<Vec<u8>>>,
    /// The extended head, until all of it is written.
    head: Option<Head>,
}

struct Head {
    bytes: Zeroizing<Vec<u8>>,
    written: usize,
}

impl<S> HeadExtender<S> {
    pub(super) fn new(stream: S, lines: Zeroizing<Vec<u8>>) -> Self {
        let lines = (!lines.is_empty()).then_some(lines);
        Self { stream: Budgeted::new(stream), lines, head: None }
    }

    pub(super) const fn get_ref(&self) -> &S {
        self.stream.get_ref()
    }

    pub(super) const fn moved(&self) -> Moved {
        self.stream.moved()
    }

    /// Sets the I/O budget.
    pub(super) const fn allow(&mut self, times: usize) {
        self.stream.allow(times);
    }
}

impl<S: Read> Read for HeadExtender<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}

impl<S: Write> Write for HeadExtender<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(lines) = self.lines.take() {
            let end = bytes.strip_suffix(b"\r\n\r\n").ok_or(io::ErrorKind::InvalidInput)?;
            let mut extended = Zeroizing::new(Vec::with_capacity(bytes.len().saturating_add(lines.len())));
            for part in [end, b"\r\n", &lines, b"\r\n"] {
                extended.extend_from_slice(part);
            }
            self.head = Some(Head { bytes: extended, written: 0 });
        }
        // Until the whole head is written, the caller gets an error and repeats the call with the same bytes.
        while let Some(head) = &mut self.head {
            let Some(rest) = head.bytes.get(head.written..).filter(|rest| !rest.is_empty()) else {
                self.head = None;
                return Ok(bytes.len());
            };
            match self.stream.write(rest)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => head.written = head.written.saturating_add(written),
            }
        }
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a few bytes at a time, and asks for a repetition now and then.
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
    fn lines_are_added_once_at_the_end_of_the_head() {
        let lines = Zeroizing::new(b"authorization: Bearer abc\r\n".to_vec());
        let mut stream = HeadExtender::new(Slow { written: Vec::new(), calls: 0 }, lines);
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
        assert_eq!(stream.get_ref().written, expected);
    }
}
