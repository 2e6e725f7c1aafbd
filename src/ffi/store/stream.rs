//! Streams of bytes, as callbacks.

use std::ffi::c_void;
use std::io::{self, Read, Write};
use std::mem::MaybeUninit;

use crate::ffi::glue::boundary::{Call, lent, lent_mut};
use crate::ffi::glue::callback::{Taken, callbacks};
use crate::ffi::glue::error::Failure;
use crate::ffi::glue::shared::call_back;
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::POLICYSYNC_ERR_CALLBACK;

/// A sink for bytes, for example a file, that takes one piece after the other.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_writer {
    /// `sizeof(policysync_writer)`.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// The context that is passed to `write` and `destroy`.
    pub ctx: *mut c_void,
    /// Takes all of `len` bytes, at least one, and returns 0. They are valid until it returns. Another result makes the
    /// call fail with `POLICYSYNC_ERR_CALLBACK`, and it is not called again. Required.
    pub write:
        Option<extern "C" fn(ctx: *mut c_void, data: MaybeUninit<&u8>, len: usize) -> policysync_status>,
    /// Frees the context; see Callbacks at the top. NULL for nothing.
    pub destroy: Option<extern "C" fn(ctx: *mut c_void)>,
}

/// A source of bytes, for example a file, that gives one piece after the other.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_reader {
    /// `sizeof(policysync_reader)`.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// The context that is passed to `read` and `destroy`.
    pub ctx: *mut c_void,
    /// Writes up to `capacity` bytes into `out`, sets `out_len` to their number, and returns 0. An `out_len` of 0 is
    /// the end: it is not called again. An `out_len` that is greater than `capacity` or that is not set makes the call
    /// fail with `POLICYSYNC_ERR_CALLBACK`; so does another result. Required.
    pub read: Option<
        extern "C" fn(
            ctx: *mut c_void,
            out: MaybeUninit<&mut u8>,
            capacity: usize,
            out_len: MaybeUninit<&mut usize>,
        ) -> policysync_status,
    >,
    /// Frees the context; see Callbacks at the top. NULL for nothing.
    pub destroy: Option<extern "C" fn(ctx: *mut c_void)>,
}

callbacks!(policysync_writer, "writer", write);
callbacks!(policysync_reader, "reader", read);

/// The application's writer or reader.
pub(in crate::ffi) struct Stream<T> {
    taken: Taken<T>,
    failed: Option<String>,
    ended: bool,
}

impl<T> Stream<T> {
    fn new(taken: Taken<T>) -> Self {
        Self { taken, failed: None, ended: false }
    }

    /// Returns the reason if the callback has failed: it says more than the I/O error that followed.
    pub(in crate::ffi) fn failure(&mut self) -> Option<Failure> {
        self.failed.take().map(|reason| Failure::new(POLICYSYNC_ERR_CALLBACK, reason))
    }
}

impl Stream<policysync_writer> {
    pub(in crate::ffi) fn take(
        call: &Call,
        writer: MaybeUninit<&policysync_writer>,
    ) -> Result<Self, Failure> {
        call.required_callbacks(writer).map(Self::new)
    }
}

impl Write for Stream<policysync_writer> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let status = self
            .taken
            .callbacks
            .write
            .map_or(0, |write| call_back(|| write(self.taken.ctx(), lent(bytes), bytes.len())));
        if status != 0 {
            self.failed = Some(format!("the writer failed with status {status}"));
            return Err(io::ErrorKind::Other.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream<policysync_reader> {
    pub(in crate::ffi) fn take(
        call: &Call,
        reader: MaybeUninit<&policysync_reader>,
    ) -> Result<Self, Failure> {
        call.required_callbacks(reader).map(Self::new)
    }

    fn ask(&self, out: &mut [u8]) -> Result<usize, String> {
        let capacity = out.len();
        let mut len = [usize::MAX];
        let read = self.taken.callbacks.read.ok_or("the reader has no function")?;
        let status = call_back(|| read(self.taken.ctx(), lent_mut(out), capacity, lent_mut(&mut len)));
        match (status, len) {
            (0, [usize::MAX]) => Err("the reader did not set out_len".into()),
            (0, [len]) if len <= capacity => Ok(len),
            (0, [len]) => {
                Err(format!("the reader set out_len to {len}, more than the capacity of {capacity}"))
            }
            _ => Err(format!("the reader failed with status {status}")),
        }
    }
}

impl Read for Stream<policysync_reader> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() || self.ended {
            return Ok(0);
        }
        let len = self.ask(out).map_err(|reason| {
            self.failed = Some(reason);
            io::Error::from(io::ErrorKind::Other)
        })?;
        self.ended = len == 0;
        Ok(len)
    }
}
