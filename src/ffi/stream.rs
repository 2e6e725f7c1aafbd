//! Bytes out of the library and into it, through callbacks.

use std::ffi::c_void;
use std::io::{self, Read, Write};
use std::mem::MaybeUninit;

use super::boundary::{Call, Growing, lent, lent_mut};
use super::callback::Context;
use super::error::Failure;
use super::status::policysync_status;
use super::status::policysync_status_code::POLICYSYNC_ERR_CALLBACK;

/// Takes bytes, one piece after the other: into a file, over a line.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_writer {
    /// `sizeof(policysync_writer)`.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Handed to `write` and `destroy`.
    pub ctx: *mut c_void,
    /// Takes all of `len` bytes, at least one, and returns 0. They live until it returns. Another result makes the call
    /// fail with `POLICYSYNC_ERR_CALLBACK`, and it is not called again. Required.
    pub write:
        Option<extern "C" fn(ctx: *mut c_void, data: MaybeUninit<&u8>, len: usize) -> policysync_status>,
    /// Called exactly once for each time that the struct was handed over, also when that call failed. NULL for nothing.
    pub destroy: Option<extern "C" fn(ctx: *mut c_void)>,
}

/// Gives bytes, one piece after the other: from a file, from a line.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_reader {
    /// `sizeof(policysync_reader)`.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Handed to `read` and `destroy`.
    pub ctx: *mut c_void,
    /// Writes up to `capacity` bytes, at least one, into `out`, says in `out_len` how many they are, and returns 0.
    /// None are the end: it is not called again. An `out_len` that is greater than `capacity` or that is left as it was
    /// makes the call fail with `POLICYSYNC_ERR_CALLBACK`; so does another result. Required.
    pub read: Option<
        extern "C" fn(
            ctx: *mut c_void,
            out: MaybeUninit<&mut u8>,
            capacity: usize,
            out_len: MaybeUninit<&mut usize>,
        ) -> policysync_status,
    >,
    /// Called exactly once for each time that the struct was handed over, also when that call failed. NULL for nothing.
    pub destroy: Option<extern "C" fn(ctx: *mut c_void)>,
}

// SAFETY: `repr(C)`, begins with its size. Zero is NULL.
unsafe impl Growing for policysync_writer {
    const FIRST_SIZE: usize = size_of::<Self>();
    const NAME: &'static str = "writer";
}

// SAFETY: `repr(C)`, begins with its size. Zero is NULL.
unsafe impl Growing for policysync_reader {
    const FIRST_SIZE: usize = size_of::<Self>();
    const NAME: &'static str = "reader";
}

/// A writer, with its context.
pub(super) struct Writer {
    context: Context,
    callback: policysync_writer,
    failed: Option<String>,
}

/// A reader, with its context.
pub(super) struct Reader {
    context: Context,
    callback: policysync_reader,
    failed: Option<String>,
    ended: bool,
}

impl Writer {
    /// Takes over the context first, so that it is destroyed even if the writer cannot be used.
    pub(super) fn take(call: &Call, writer: MaybeUninit<&policysync_writer>) -> Result<Self, Failure> {
        let (context, writer) = call.growing_required_and(writer, |writer| {
            writer.map(|writer| Context::new(writer.ctx, writer.destroy))
        });
        let callback = writer?;
        if callback.write.is_none() {
            return Err(Failure::null("writer.write"));
        }
        if callback.reserved != 0 {
            return Err(Failure::argument("writer.reserved is not 0"));
        }
        let context = context.ok_or_else(|| Failure::null("writer"))?;
        Ok(Self { context, callback, failed: None })
    }

    /// Why the callback failed, if it did: it says more than what came of it.
    pub(super) fn failure(&mut self) -> Option<Failure> {
        self.failed.take().map(|reason| Failure::new(POLICYSYNC_ERR_CALLBACK, reason))
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let status =
            self.callback.write.map_or(0, |write| write(self.context.get(), lent(bytes), bytes.len()));
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

impl Reader {
    /// Takes over the context first, so that it is destroyed even if the reader cannot be used.
    pub(super) fn take(call: &Call, reader: MaybeUninit<&policysync_reader>) -> Result<Self, Failure> {
        let (context, reader) = call.growing_required_and(reader, |reader| {
            reader.map(|reader| Context::new(reader.ctx, reader.destroy))
        });
        let callback = reader?;
        if callback.read.is_none() {
            return Err(Failure::null("reader.read"));
        }
        if callback.reserved != 0 {
            return Err(Failure::argument("reader.reserved is not 0"));
        }
        let context = context.ok_or_else(|| Failure::null("reader"))?;
        Ok(Self { context, callback, failed: None, ended: false })
    }

    /// Why the callback failed, if it did: it says more than what came of it.
    pub(super) fn failure(&mut self) -> Option<Failure> {
        self.failed.take().map(|reason| Failure::new(POLICYSYNC_ERR_CALLBACK, reason))
    }

    fn ask(&self, out: &mut [u8]) -> Result<usize, String> {
        let capacity = out.len();
        let mut len = [usize::MAX];
        let read = self.callback.read.ok_or("there is no reader")?;
        let status = read(self.context.get(), lent_mut(out), capacity, lent_mut(&mut len));
        match (status, len) {
            (0, [usize::MAX]) => Err("the reader does not say how many bytes it has read".into()),
            (0, [len]) if len <= capacity => Ok(len),
            (0, [len]) => Err(format!("the reader says that it has read {len} bytes into {capacity}")),
            _ => Err(format!("the reader failed with status {status}")),
        }
    }
}

impl Read for Reader {
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
