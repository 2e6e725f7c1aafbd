//! Bytes that cross the border: borrowed ones in, the library's own out.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use super::boundary::{Call, Out, guarded_or, utf8};
use super::error::Failure;

/// Bytes of somebody else: text in UTF-8, JSON, an operation. They need not end with NUL. Where `len` is 0, `data` is
/// not looked at. Make one of a literal by `POLICYSYNC_BYTES("text")`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_bytes {
    /// The first byte.
    pub data: *const c_void,
    /// How many there are.
    pub len: usize,
}

/// Bytes that the library has allocated. Begin with `policysync_buffer buffer = POLICYSYNC_BUFFER_INIT;`, hand it to as
/// many calls as you like, each of which replaces what it holds, and end with `policysync_buffer_dispose`. A call that
/// fails or finds nothing leaves it as it was. Change none of its members. One thread at a time.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_buffer {
    /// The bytes, and one NUL behind them that `len` does not count. NULL before the first call.
    pub data: *mut u8,
    /// How many bytes there are.
    pub len: usize,
    /// How many bytes have room, for the library.
    pub capacity: usize,
}

/// Frees what a buffer holds, and makes it as `POLICYSYNC_BUFFER_INIT` does, so that it can be used or disposed again.
/// NULL is allowed. One thread at a time for one buffer. Since ABI 1.
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
    pub(super) const NONE: Self = Self { data: std::ptr::null(), len: 0 };

    pub(super) fn of(text: &str) -> Self {
        Self { data: text.as_ptr().cast(), len: text.len() }
    }

    pub(super) fn get<'c>(self, call: &'c Call, name: &str) -> Result<&'c [u8], Failure> {
        call.bytes(self.data, self.len, name)
    }

    pub(super) fn text<'c>(self, call: &'c Call, name: &str) -> Result<&'c str, Failure> {
        utf8(self.get(call, name)?, name)
    }
}

impl policysync_buffer {
    /// The memory, empty, to be used again or freed.
    fn take(self) -> Vec<u8> {
        if self.data.is_null() {
            return Vec::new();
        }
        // SAFETY: `data` and `capacity` are of a vector that `Out::fill` took apart.
        unsafe { Vec::from_raw_parts(self.data, 0, self.capacity) }
    }
}

impl Call {
    /// A buffer that the call fills when it has succeeded.
    pub(super) fn buffer<'c>(
        &'c self,
        pointer: MaybeUninit<&mut policysync_buffer>,
    ) -> Result<Out<'c, policysync_buffer>, Failure> {
        self.out(pointer, "out")
    }
}

impl Out<'_, policysync_buffer> {
    /// Replaces what the buffer holds.
    pub(super) fn fill(self, bytes: &[u8]) {
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
}
