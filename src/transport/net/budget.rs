//! A stream with an I/O budget.

use std::io::{self, Read, Write};

use crate::codec::wide;

/// A stream that can be read and written a limited number of times, after which it reports that it would block.
///
/// Code that reads until a message is complete thus returns even if the peer sends it byte by byte; likewise code that
/// writes.
pub(in crate::transport) struct Budgeted<S> {
    stream: S,
    reads: usize,
    writes: usize,
    moved: Moved,
}

/// The number of bytes that went through a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::transport) struct Moved {
    pub(in crate::transport) read: u64,
    pub(in crate::transport) written: u64,
}

impl<S> Budgeted<S> {
    /// Wraps a stream, with a budget of one read and one write.
    pub(in crate::transport) const fn new(stream: S) -> Self {
        Self { stream, reads: 1, writes: 1, moved: Moved { read: 0, written: 0 } }
    }

    pub(in crate::transport) const fn get_ref(&self) -> &S {
        &self.stream
    }

    /// Sets the number of reads that are left, and that of writes.
    pub(in crate::transport) const fn allow(&mut self, times: usize) {
        self.reads = times;
        self.writes = times;
    }

    pub(in crate::transport) const fn moved(&self) -> Moved {
        self.moved
    }
}

/// Returns true if a read or write only has to be repeated later.
pub(in crate::transport) fn would_block(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

fn spend(left: &mut usize) -> io::Result<()> {
    *left = left.checked_sub(1).ok_or(io::ErrorKind::WouldBlock)?;
    Ok(())
}

/// Converts a time-out (as Windows names it) and an interruption by a signal to the one kind that handshakes handle.
fn as_would_block(error: io::Error) -> io::Error {
    if would_block(&error) { io::ErrorKind::WouldBlock.into() } else { error }
}

impl<S: Read> Read for Budgeted<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        spend(&mut self.reads)?;
        let read = self.stream.read(buffer).map_err(as_would_block)?;
        self.moved.read = self.moved.read.saturating_add(wide(read));
        Ok(read)
    }
}

impl<S: Write> Write for Budgeted<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        spend(&mut self.writes)?;
        let written = self.stream.write(bytes).map_err(as_would_block)?;
        self.moved.written = self.moved.written.saturating_add(wide(written));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush().map_err(as_would_block)
    }
}
