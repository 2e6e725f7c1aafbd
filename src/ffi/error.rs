//! What went wrong, in words.

use std::any::Any;
use std::ffi::c_char;

use super::status::policysync_status;
use super::status::policysync_status_code::{self, *};

/// `op_index` of an error that is not about one element of an array, nor about one operation of a store.
pub const POLICYSYNC_NO_INDEX: u64 = u64::MAX;

/// What went wrong. The caller has the memory; a function that fails writes it, one that succeeds leaves it as it is.
/// Nothing in it needs to be freed. Begin with `policysync_error error = POLICYSYNC_ERROR_INIT;`. One thread at a time.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_error {
    /// `sizeof(policysync_error)`. The library writes at most so many bytes, and none if it is less than 24.
    pub struct_size: u32,
    /// The status that was returned.
    pub status: policysync_status,
    /// Which element of an array is at fault, counted from 0; of a store, which operation, by its number; or
    /// `POLICYSYNC_NO_INDEX`.
    pub op_index: u64,
    /// One line of UTF-8 that ends with NUL, cut where it is too long. Names and values from outside are shortened and
    /// escaped in it, and it never holds a secret.
    pub message: [c_char; 240],
}

/// Why a call fails, until it is told to C.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) status: policysync_status_code,
    op_index: u64,
    message: String,
}

impl Failure {
    pub(super) fn new(status: policysync_status_code, message: impl Into<String>) -> Self {
        Self { status, op_index: POLICYSYNC_NO_INDEX, message: message.into() }
    }

    pub(super) fn null(name: &str) -> Self {
        Self::new(POLICYSYNC_ERR_NULL, format!("{name} is NULL"))
    }

    pub(super) fn argument(message: impl Into<String>) -> Self {
        Self::new(POLICYSYNC_ERR_ARGUMENT, message)
    }

    pub(super) fn panic(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Self::new(POLICYSYNC_ERR_PANIC, text.unwrap_or("a panic without a text"))
    }

    /// The same, about one element of an array.
    pub(super) fn at(self, index: usize) -> Self {
        Self { op_index: u64::try_from(index).unwrap_or(POLICYSYNC_NO_INDEX), ..self }
    }

    /// As C sees it, in a struct whose caller says that it has `struct_size` bytes.
    pub(super) fn to_error(&self, struct_size: u32) -> policysync_error {
        let mut message = [0; 240];
        // The last byte stays NUL, and no character is cut in two.
        let end = (0..message.len()).rev().find(|end| self.message.is_char_boundary(*end)).unwrap_or(0);
        for (to, from) in message.iter_mut().zip(self.message.as_bytes().iter().take(end)) {
            *to = c_char::from_le_bytes([*from]);
        }
        policysync_error { struct_size, status: self.status.number(), op_index: self.op_index, message }
    }
}
