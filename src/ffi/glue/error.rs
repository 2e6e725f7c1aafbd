//! The error that a call reports.

use std::any::Any;
use std::error::Error;
use std::ffi::c_char;
use std::path::Path;

use crate::causes::with_causes;
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::{
    self, POLICYSYNC_ERR_ARGUMENT, POLICYSYNC_ERR_BUSY, POLICYSYNC_ERR_NULL, POLICYSYNC_ERR_OUT_OF_TURN,
    POLICYSYNC_ERR_PANIC,
};
use crate::op::OpSeq;
use crate::store::{Place, StoreError};

/// The `op_index` of an error that is not about an element of an array or an operation of a store.
pub const POLICYSYNC_NO_INDEX: u64 = u64::MAX;

/// A failure, in memory of the caller. A function that fails writes it; one that succeeds leaves it unchanged. Nothing
/// in it needs to be freed. Start with `policysync_error error = POLICYSYNC_ERROR_INIT;` or with all members zero. One
/// thread at a time.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_error {
    /// `sizeof(policysync_error)`. The library writes at most this many bytes, and none if it is less than 24. 0 counts
    /// as 256, the size of the struct in ABI 2.
    pub struct_size: u32,
    /// The status that was returned.
    pub status: policysync_status,
    /// The index of the element of an array that is at fault, counted from 0; for a store, the number of the operation
    /// in the log; otherwise `POLICYSYNC_NO_INDEX`.
    pub op_index: u64,
    /// One line of UTF-8 that ends with NUL, truncated if it is too long. Names and values from outside are shortened
    /// and escaped, and it never contains a secret.
    pub message: [c_char; 240],
}

impl policysync_error {
    /// The size that the struct had in the first version.
    pub(in crate::ffi) const FIRST_SIZE: usize = 256;
}

/// The reason why a call fails, before it is reported to C.
#[derive(Debug)]
pub(in crate::ffi) struct Failure {
    pub(in crate::ffi) status: policysync_status_code,
    op_index: u64,
    message: String,
    /// The message for reports, if the store failed. That of another error may quote names and values.
    store_message: Option<String>,
}

impl Failure {
    pub(in crate::ffi) fn new(status: policysync_status_code, message: impl Into<String>) -> Self {
        Self { status, op_index: POLICYSYNC_NO_INDEX, message: message.into(), store_message: None }
    }

    pub(in crate::ffi) fn null(name: &str) -> Self {
        Self::new(POLICYSYNC_ERR_NULL, format!("{name} is NULL"))
    }

    pub(in crate::ffi) fn argument(message: impl Into<String>) -> Self {
        Self::new(POLICYSYNC_ERR_ARGUMENT, message)
    }

    pub(in crate::ffi) fn panic(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Self::new(POLICYSYNC_ERR_PANIC, text.unwrap_or("a panic without a text"))
    }

    /// Returns true if other threads or the bytes of a peer are the reason, which a peer can repeat at will.
    pub(in crate::ffi) fn is_foreign(&self) -> bool {
        matches!(self.status, POLICYSYNC_ERR_BUSY | POLICYSYNC_ERR_OUT_OF_TURN)
            || (-199..=-100).contains(&self.status.number())
    }

    /// Returns the failure for a report, without names and values: its status, its index, and the message if the store
    /// failed.
    pub(in crate::ffi) fn without_content(&self) -> String {
        let mut text = self.status.name().to_string_lossy().into_owned();
        if self.op_index != POLICYSYNC_NO_INDEX {
            text.push_str(&format!(", index {}", self.op_index));
        }
        if let Some(message) = &self.store_message {
            text.push_str(&format!(": {message}"));
        }
        text
    }

    /// Adds the index of the element of an array.
    pub(in crate::ffi) fn at(self, index: usize) -> Self {
        Self { op_index: u64::try_from(index).unwrap_or(POLICYSYNC_NO_INDEX), ..self }
    }

    /// Puts the path of a file before the message, if the failure is about the store.
    pub(in crate::ffi) fn in_file(self, path: &Path) -> Self {
        if !(-299..=-200).contains(&self.status.number()) {
            return self;
        }
        Self { message: format!("{}: {}", crate::store::shown(path), self.message), ..self }
    }

    /// Converts it into the struct of C, of which the caller has `struct_size` bytes.
    pub(in crate::ffi) fn to_error(&self, struct_size: u32) -> policysync_error {
        let mut message = [0; 240];
        // The last byte stays NUL, and no character is cut in two.
        let end = (0..message.len()).rev().find(|end| self.message.is_char_boundary(*end)).unwrap_or(0);
        for (to, from) in message.iter_mut().zip(self.message.as_bytes().iter().take(end)) {
            *to = c_char::from_le_bytes([*from]);
        }
        policysync_error { struct_size, status: self.status.number(), op_index: self.op_index, message }
    }
}

/// An error of the crate with a status.
///
/// No `match` in an implementation of `status` has an arm `_`: a new error makes us choose its number.
pub(in crate::ffi) trait Status {
    fn status(&self) -> policysync_status_code;

    /// Returns the error of the store, if that failed.
    fn store_error(&self) -> Option<&StoreError> {
        None
    }

    /// Returns the number of the operation of the store that the error is about.
    fn seq(&self) -> Option<OpSeq> {
        match self.store_error()?.fault() {
            StoreError::Corrupt { place: Place::Operation { seq }, .. } => Some(*seq),
            _ => None,
        }
    }
}

impl<E: Status + Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let message = with_causes(&error);
        let store_message = error.store_error().map(StoreError::without_content);
        let failure = Self { store_message, ..Self::new(error.status(), message) };
        match error.seq() {
            Some(seq) => Self { op_index: seq.get().into(), ..failure },
            None => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::glue::status::policysync_status_code::POLICYSYNC_ERR_IO;

    #[test]
    fn a_failure_of_the_store_names_its_file() {
        let message =
            |status, path: &str| Failure::new(status, "the disk failed").in_file(Path::new(path)).message;
        assert_eq!(message(POLICYSYNC_ERR_IO, "/a/b.db"), "/a/b.db: the disk failed");
        assert_eq!(message(POLICYSYNC_ERR_NULL, "/a/b.db"), "the disk failed");
        let long = "x".repeat(100) + "/b.db";
        assert_eq!(message(POLICYSYNC_ERR_IO, &long), format!("...{}/b.db: the disk failed", "x".repeat(55)));
        assert_eq!(message(POLICYSYNC_ERR_IO, "/a\n"), "/a\\u{a}: the disk failed");
    }
}
