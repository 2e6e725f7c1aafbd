//! Arrays whose elements are a stride apart.

use std::marker::PhantomData;

use crate::ffi::glue::boundary::{Call, Out};
use crate::ffi::glue::error::Failure;
use crate::ffi::glue::status::policysync_status_code::POLICYSYNC_ERR_VERSION;

/// An array of structs that the call writes.
pub(in crate::ffi) struct OutArray<'c, T> {
    to: Out<'c, u8>,
    stride: usize,
    len: usize,
    value: PhantomData<T>,
}

impl Call {
    /// Iterates over an array whose elements are `stride` bytes apart.
    pub(in crate::ffi) fn array<'c, T: Copy>(
        &'c self,
        first: *const T,
        stride: usize,
        len: usize,
        name: &str,
    ) -> Result<impl ExactSizeIterator<Item = T> + use<'c, T>, Failure> {
        check(stride, size_of::<T>(), len, first.is_null(), name)?;
        Ok((0..len).map(move |at| {
            let element = first.cast::<u8>().wrapping_add(at * stride).cast::<T>();
            // SAFETY: the caller says that there are `len` elements, `stride` bytes apart; no alignment is assumed.
            unsafe { element.read_unaligned() }
        }))
    }

    /// Checks an array that the call writes. An element may be longer than this version's, and is no shorter than
    /// `first_size`, its size in the first version.
    pub(in crate::ffi) fn out_array<'c, T: Copy>(
        &'c self,
        first: *mut T,
        stride: usize,
        len: usize,
        first_size: usize,
        name: &str,
    ) -> Result<OutArray<'c, T>, Failure> {
        check(stride, first_size, len, first.is_null(), name)?;
        let to = Out { to: first.cast(), call: PhantomData };
        Ok(OutArray { to, stride, len, value: PhantomData })
    }
}

impl<T: Copy> OutArray<'_, T> {
    pub(in crate::ffi) fn len(&self) -> usize {
        self.len
    }

    /// Writes as much of `value` as an element has room for.
    pub(in crate::ffi) fn write(&self, at: usize, value: &T) {
        assert!(at < self.len, "the caller has room for {}", self.len);
        let element = self.to.to.wrapping_add(at * self.stride);
        let size = self.stride.min(size_of::<T>());
        // SAFETY: the caller says that there are `len` elements, `stride` bytes apart; we have `size_of::<T>()`.
        unsafe { element.copy_from_nonoverlapping(std::ptr::from_ref(value).cast(), size) };
    }
}

fn check(stride: usize, least: usize, len: usize, is_null: bool, name: &str) -> Result<(), Failure> {
    if len == 0 {
        return Ok(());
    }
    if is_null {
        return Err(Failure::null(name));
    }
    if stride < least {
        let message = format!("{name} has elements of {stride} bytes, less than {least}");
        return Err(Failure::new(POLICYSYNC_ERR_VERSION, message));
    }
    let bytes = len.checked_mul(stride).and_then(|bytes| isize::try_from(bytes).ok());
    match bytes {
        Some(_) => Ok(()),
        None => {
            Err(Failure::argument(format!("{name} has {len} elements, more than the address space holds")))
        }
    }
}
