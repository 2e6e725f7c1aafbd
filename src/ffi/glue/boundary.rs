//! The boundary to C: pointers become references, errors become statuses, panics stop.
//!
//! Functions that C calls do nothing with a pointer except hand it to a [`Call`]. **All of `src/ffi` relies on one
//! fact**: its functions are called by C, with pointers that are NULL or point to what the header requires, and that
//! stay valid until the call returns.

use std::ffi::{c_char, c_void};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;
use std::sync::Arc;

use crate::ffi::glue::error::{Failure, policysync_error};
use crate::ffi::glue::status::{policysync_status, policysync_status_code};

/// Runs `work`, converting errors and panics into a status and writing them into `err`.
pub(in crate::ffi) fn guarded(
    err: *mut policysync_error,
    work: impl FnOnce(&Call) -> Result<policysync_status_code, Failure>,
) -> policysync_status {
    let result = catch_unwind(AssertUnwindSafe(|| work(&Call(()))));
    match result.unwrap_or_else(|payload| Err(Failure::panic(&*payload))) {
        Ok(status) => status.number(),
        Err(failure) => {
            report(&failure, err);
            failure.status.number()
        }
    }
}

/// Runs `work` for a function that cannot report an error, and returns `otherwise` where it finds nothing or panics.
pub(in crate::ffi) fn guarded_or<T>(otherwise: T, work: impl FnOnce(&Call) -> Option<T>) -> T {
    catch_unwind(AssertUnwindSafe(|| work(&Call(())))).ok().flatten().unwrap_or(otherwise)
}

/// Frees a handle that several threads may use. NULL is allowed.
pub(in crate::ffi) fn free_shared<T>(handle: *mut T) {
    guarded_or((), |_| {
        if !handle.is_null() {
            // SAFETY: the handle came from `Arc::into_raw` and is not freed yet.
            drop(unsafe { Arc::from_raw(handle) });
        }
        None
    });
}

/// Frees a handle that one thread uses. NULL is allowed.
pub(in crate::ffi) fn free_owned<T>(handle: Option<Box<T>>) {
    guarded_or((), |_| {
        drop(handle);
        None
    });
}

/// Writes a failure into an error of the caller's.
fn report(failure: &Failure, err: *mut policysync_error) {
    if err.is_null() {
        return;
    }
    // SAFETY: an error that is not NULL begins with its size, set by the caller.
    let struct_size = unsafe { err.cast::<u32>().read() };
    let size = match to_usize(struct_size) {
        0 => policysync_error::FIRST_SIZE,
        size => size.min(size_of::<policysync_error>()),
    };
    if size < 24 {
        return;
    }
    let mut error = failure.to_error(struct_size);
    // However much fits, the text ends with NUL: the message begins at byte 16, so its last byte is at `size - 17`.
    if let Some(last) = error.message.get_mut(size - 17) {
        *last = 0;
    }
    let from = (&raw const error).cast::<u8>();
    // SAFETY: both have `size` bytes, and ours is on our stack.
    unsafe { err.cast::<u8>().copy_from_nonoverlapping(from, size) };
}

/// A call from C that has not returned. Its arguments may be read as long as it lives.
pub(in crate::ffi) struct Call(());

/// A place that the call writes when it has succeeded.
pub(in crate::ffi) struct Out<'c, T> {
    pub(super) to: *mut T,
    pub(super) call: PhantomData<&'c mut T>,
}

impl Call {
    /// Writes a failure into an error of the caller's, unless that is NULL.
    pub(in crate::ffi) fn report(&self, failure: &Failure, err: *mut policysync_error) {
        report(failure, err);
    }

    /// Returns the target of a required pointer that is only read. The parameter is declared as a `MaybeUninit`
    /// reference so that the header says that it is not NULL, while NULL can be detected here.
    pub(in crate::ffi) fn required<'c, T>(
        &'c self,
        pointer: MaybeUninit<&T>,
        name: &str,
    ) -> Result<&'c T, Failure> {
        // SAFETY: a reference has the layout of a pointer, and C has initialized the argument.
        let pointer = unsafe { pointer.as_ptr().cast::<*const T>().read() };
        self.optional(pointer).ok_or_else(|| Failure::null(name))
    }

    /// Returns the target of a pointer that is only read, unless it is NULL.
    pub(in crate::ffi) fn optional<T>(&self, pointer: *const T) -> Option<&T> {
        // SAFETY: NULL or what the header requires, until the call returns.
        unsafe { pointer.as_ref() }
    }

    /// Returns an array of `N` bytes, unless it is NULL.
    pub(in crate::ffi) fn optional_bytes<const N: usize>(&self, first: *const u8) -> Option<&[u8; N]> {
        self.optional(first.cast())
    }

    /// Shares a handle that other threads may use too, so that it may be freed during the call.
    pub(in crate::ffi) fn shared<T>(
        &self,
        pointer: MaybeUninit<&mut T>,
        name: &str,
    ) -> Result<Arc<T>, Failure> {
        let pointer = address(pointer);
        if pointer.is_null() {
            return Err(Failure::null(name));
        }
        // SAFETY: the handle came from `Arc::into_raw` and is not freed yet.
        unsafe { Arc::increment_strong_count(pointer) };
        // SAFETY: the share that was just added.
        Ok(unsafe { Arc::from_raw(pointer) })
    }

    /// Borrows a handle that one thread at a time uses.
    #[expect(clippy::mut_from_ref, reason = "the handle is C's, not the call's")]
    pub(in crate::ffi) fn exclusive<'c, T>(
        &'c self,
        pointer: MaybeUninit<&mut T>,
        name: &str,
    ) -> Result<&'c mut T, Failure> {
        let pointer = address(pointer);
        // SAFETY: NULL or a handle of ours, which the header says one thread at a time uses.
        unsafe { pointer.as_mut() }.ok_or_else(|| Failure::null(name))
    }

    /// Checks a required pointer that the call writes.
    pub(in crate::ffi) fn out<'c, T>(
        &'c self,
        pointer: MaybeUninit<&mut T>,
        name: &str,
    ) -> Result<Out<'c, T>, Failure> {
        self.optional_out(address(pointer)).ok_or_else(|| Failure::null(name))
    }

    /// Returns a place that the call writes, unless it is NULL.
    pub(in crate::ffi) fn optional_out<T>(&self, pointer: *mut T) -> Option<Out<'_, T>> {
        (!pointer.is_null()).then_some(Out { to: pointer, call: PhantomData })
    }

    /// Checks a required pointer to a handle, which is NULL until the call has succeeded.
    pub(in crate::ffi) fn handle_out<'c, T>(
        &'c self,
        pointer: MaybeUninit<&mut *mut T>,
        name: &str,
    ) -> Result<Out<'c, *mut T>, Failure> {
        self.optional_handle_out(address(pointer)).ok_or_else(|| Failure::null(name))
    }

    /// Does the same as [`Self::handle_out`] unless the pointer is NULL.
    pub(in crate::ffi) fn optional_handle_out<T>(&self, pointer: *mut *mut T) -> Option<Out<'_, *mut T>> {
        let out = self.optional_out(pointer)?;
        // SAFETY: not NULL, so room for a pointer; written without reading, as it is usually uninitialised.
        unsafe { out.to.write(std::ptr::null_mut()) };
        Some(out)
    }

    /// Returns `len` bytes. Where `len` is 0, the pointer is not read.
    pub(in crate::ffi) fn bytes(
        &self,
        data: *const c_void,
        len: usize,
        name: &str,
    ) -> Result<&[u8], Failure> {
        if len == 0 {
            return Ok(&[]);
        }
        if data.is_null() {
            return Err(Failure::null(name));
        }
        if isize::try_from(len).is_err() {
            return Err(Failure::argument(format!(
                "{name} has {len} bytes, more than the address space holds"
            )));
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that checks for NULL and the length first"
        )]
        // SAFETY: not NULL, so `len` bytes that stay until the call returns; not more than `isize::MAX`.
        Ok(unsafe { slice::from_raw_parts(data.cast::<u8>(), len) })
    }

    /// Returns text of `len` bytes, which must be UTF-8.
    pub(in crate::ffi) fn text(&self, data: *const c_char, len: usize, name: &str) -> Result<&str, Failure> {
        utf8(self.bytes(data.cast(), len, name)?, name)
    }

    /// Returns an array of `N` bytes, as many as the header says.
    pub(in crate::ffi) fn fixed_bytes<'c, const N: usize>(
        &'c self,
        pointer: MaybeUninit<&u8>,
        name: &str,
    ) -> Result<&'c [u8; N], Failure> {
        let first: *const u8 = self.required(pointer, name)?;
        // SAFETY: not NULL, so `N` bytes, as the header says.
        Ok(unsafe { &*first.cast::<[u8; N]>() })
    }

    /// Checks an array that the call writes, with as many bytes as the header says.
    pub(in crate::ffi) fn out_bytes<'c, const N: usize>(
        &'c self,
        pointer: MaybeUninit<&mut u8>,
        name: &str,
    ) -> Result<Out<'c, [u8; N]>, Failure> {
        let first = self.out(pointer, name)?;
        Ok(Out { to: first.to.cast(), call: PhantomData })
    }
}

impl<T> Out<'_, T> {
    /// Writes without reading: the caller's variable is usually uninitialised.
    pub(in crate::ffi) fn write(self, value: T) {
        // SAFETY: not NULL, so room for a `T` until the call returns.
        unsafe { self.to.write(value) };
    }

    /// Returns the value of the caller's variable.
    pub(in crate::ffi) fn read(&self) -> T
    where
        T: Copy,
    {
        // SAFETY: not NULL; the header requires an initialized variable here.
        unsafe { self.to.read() }
    }
}

impl<T> Out<'_, *mut T> {
    /// Hands out a handle that [`free_shared`] frees.
    pub(in crate::ffi) fn write_shared(self, value: T) {
        self.write(Arc::into_raw(Arc::new(value)).cast_mut());
    }

    /// Hands out a handle that [`free_owned`] frees.
    pub(in crate::ffi) fn write_owned(self, value: T) {
        self.write(Box::into_raw(Box::new(value)));
    }
}

pub(in crate::ffi) fn utf8<'a>(bytes: &'a [u8], name: &str) -> Result<&'a str, Failure> {
    std::str::from_utf8(bytes)
        .map_err(|error| Failure::argument(format!("{name} is not UTF-8 at byte {}", error.valid_up_to())))
}

pub(in crate::ffi) fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Returns a pointer to an array for a callback to read.
pub(in crate::ffi) fn lent<T>(items: &[T]) -> MaybeUninit<&T> {
    let mut argument = MaybeUninit::<&T>::uninit();
    // SAFETY: a reference has the layout of a pointer. No reference to the first alone is made: C may read them all.
    unsafe { argument.as_mut_ptr().cast::<*const T>().write(items.as_ptr()) };
    argument
}

/// Returns a pointer to an array for a callback to write.
pub(in crate::ffi) fn lent_mut<T>(items: &mut [T]) -> MaybeUninit<&mut T> {
    let mut argument = MaybeUninit::<&mut T>::uninit();
    // SAFETY: a reference has the layout of a pointer. No reference to the first alone is made: C may write them all.
    unsafe { argument.as_mut_ptr().cast::<*mut T>().write(items.as_mut_ptr()) };
    argument
}

/// Returns the address in an argument whose type says that it is not NULL. No `&mut` is made of it: other threads may
/// share the target.
pub(in crate::ffi) fn address<T>(pointer: MaybeUninit<&mut T>) -> *mut T {
    // SAFETY: a reference has the layout of a pointer, and C has initialized the argument.
    unsafe { pointer.as_ptr().cast::<*mut T>().read() }
}

#[cfg(test)]
mod tests {
    use super::super::error::POLICYSYNC_NO_INDEX;
    use super::*;

    fn error_of(struct_size: u32, message: &str) -> policysync_error {
        let mut error = policysync_error { struct_size, status: 1, op_index: 2, message: [0x7f; 240] };
        let status = guarded(&raw mut error, |_| Err(Failure::argument(message)));
        assert_eq!(status, -2);
        error
    }

    fn text(error: &policysync_error) -> String {
        error.message.iter().take_while(|c| **c != 0).map(|c| char::from(c.to_le_bytes()[0])).collect()
    }

    #[test]
    fn a_panic_becomes_a_status_with_its_text() {
        let mut error = policysync_error { struct_size: 256, status: 0, op_index: 0, message: [0; 240] };
        let status = guarded(&raw mut error, |_| panic!("number {}", 7));
        assert_eq!((status, error.status, error.op_index), (-301, -301, POLICYSYNC_NO_INDEX));
        assert_eq!(text(&error), "number 7");
        assert_eq!(guarded_or(5, |_| -> Option<i32> { panic!("lost") }), 5);
    }

    #[test]
    fn a_message_is_cut_between_two_characters_and_ends_with_nul() {
        assert_eq!(text(&error_of(256, &"a".repeat(500))), "a".repeat(239));
        let cut = error_of(256, &"é".repeat(200));
        assert_eq!((cut.message[237] == 0, cut.message[238]), (false, 0));
    }

    #[test]
    fn an_error_of_size_0_has_the_size_of_the_first_version() {
        let mut errors =
            [policysync_error { struct_size: 0, status: 1, op_index: 2, message: [0x7f; 240] }; 2];
        let status = guarded(errors.as_mut_ptr(), |_| Err(Failure::argument("é".repeat(200))));
        let [error, after] = errors;
        assert_eq!((status, error.struct_size, error.status), (-2, 0, -2));
        assert_eq!(text(&error).chars().count(), policysync_error::FIRST_SIZE - 16 - 2);
        assert_eq!((after.struct_size, after.status, after.message), (0, 1, [0x7f; 240]));
    }

    #[test]
    fn no_more_bytes_are_written_than_the_caller_has() {
        let error = error_of(24, "a long message");
        assert_eq!(text(&error), "a long ");
        assert!(error.message[8..].iter().all(|c| *c == 0x7f));
        assert_eq!(error_of(23, "a long message").status, 1);
        assert_eq!(error_of(u32::MAX, "a long message").status, -2);
    }
}
