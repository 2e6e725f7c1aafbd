//! A stream that is read so many times and then says that it would wait.

use std::io::{self, Read, Write};

/// Who reads until a message is whole comes back from a peer that sends it byte by byte.
pub(super) struct Rationed<S> {
    stream: S,
    /// `None` allows any number.
    reads: Option<usize>,
}

impl<S> Rationed<S> {
    /// A stream that may be read any number of times, until [`Rationed::allow`] says otherwise.
    pub(super) const fn new(stream: S) -> Self {
        Self { stream, reads: None }
    }

    /// Allows so many reads from here on.
    pub(super) const fn allow(&mut self, reads: usize) {
        self.reads = Some(reads);
    }
}

impl<S: Read> Read for Rationed<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(reads) = &mut self.reads {
            *reads = reads.checked_sub(1).ok_or(io::ErrorKind::WouldBlock)?;
        }
        self.stream.read(buffer)
    }
}

impl<S: Write> Write for Rationed<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
