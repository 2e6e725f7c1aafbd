//! Views of bytes and buffers.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use crate::ffi::glue::boundary::{Call, Out, guarded_or, utf8};
use crate::ffi::glue::error::Failure;
use crate::ffi::glue::status::policysync_status_code::{self, POLICYSYNC_DONE, POLICYSYNC_OK};

/// A view of bytes that belong to someone else: text in UTF-8, JSON, an operation. They need not end with NUL. Where
/// `len` is 0, `data` is not read. `POLICYSYNC_BYTES("text")` initializes one from a literal.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_bytes {
    /// The first byte.
    pub data: *const c_void,
    /// The number of bytes.
    pub len: usize,
}

/// Bytes that the library has allocated. Start with `policysync_buffer buffer = POLICYSYNC_BUFFER_INIT;`, pass it to
/// any number of calls, each of which replaces its content, and end with `policysync_buffer_dispose`. A call that fails
/// or finds nothing leaves it unchanged. Do not change its members. One thread at a time.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_buffer {
    /// The bytes, followed by one NUL that `len` does not count. NULL before the first call.
    pub data: *mut u8,
    /// The number of bytes.
    pub len: usize,
    /// The size of the allocation, for the library's use.
    pub capacity: usize,
}

/// Frees the content of a buffer and resets it to `POLICYSYNC_BUFFER_INIT`, so that it can be used or disposed again.
/// NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_buffer_dispose(buffer: *mut policysync_buffer) {
    guarded_or((), |call| {
        let out = call.optional_out(buffer)?;
        drop(out.read().take());
        out.write(policysync_buffer { data: std::ptr::null_mut(), len: 0, capacity: 0 });
        Some(())
    });
}

impl policysync_bytes {
    pub(in crate::ffi) const NONE: Self = Self { data: std::ptr::null(), len: 0 };

    pub(in crate::ffi) fn of(text: &str) -> Self {
        Self { data: text.as_ptr().cast(), len: text.len() }
    }

    pub(in crate::ffi) fn get<'c>(self, call: &'c Call, name: &str) -> Result<&'c [u8], Failure> {
        call.bytes(self.data, self.len, name)
    }

    pub(in crate::ffi) fn text<'c>(self, call: &'c Call, name: &str) -> Result<&'c str, Failure> {
        utf8(self.get(call, name)?, name)
    }
}

impl policysync_buffer {
    /// Takes the memory, with length 0, to be reused or freed.
    fn take(self) -> Vec<u8> {
        if self.data.is_null() {
            return Vec::new();
        }
        // SAFETY: `data` and `capacity` are of a vector that `Out::fill` took apart.
        unsafe { Vec::from_raw_parts(self.data, 0, self.capacity) }
    }
}

impl Call {
    /// Checks a buffer that the call fills when it has succeeded.
    pub(in crate::ffi) fn buffer<'c>(
        &'c self,
        pointer: MaybeUninit<&mut policysync_buffer>,
    ) -> Result<Out<'c, policysync_buffer>, Failure> {
        self.out(pointer, "out")
    }
}

impl Out<'_, policysync_buffer> {
    /// Replaces the content of the buffer.
    pub(in crate::ffi) fn fill(self, bytes: &[u8]) {
        let mut memory = self.read().take();
        memory.reserve(bytes.len().saturating_add(1));
        memory.extend_from_slice(bytes);
        memory.push(0);
        let mut memory = std::mem::ManuallyDrop::new(memory);
        self.write(policysync_buffer {
            data: memory.as_mut_ptr(),
            len: bytes.len(),
            capacity: memory.capacity(),
        });
    }

    /// Replaces the content of the buffer if there is a message.
    pub(in crate::ffi) fn fill_or_done(self, message: Option<Vec<u8>>) -> policysync_status_code {
        match message {
            Some(message) => {
                self.fill(&message);
                POLICYSYNC_OK
            }
            None => POLICYSYNC_DONE,
        }
    }
}
