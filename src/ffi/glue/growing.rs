//! Structs that begin with their size, so that later versions can add members.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use crate::ffi::glue::boundary::{Call, Out, address, guarded, to_usize};
use crate::ffi::glue::error::Failure;
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::{POLICYSYNC_ERR_VERSION, POLICYSYNC_OK};

/// A struct that may be shorter in an older program and longer in a newer one. It begins with its size.
///
/// # Safety
///
/// It is `repr(C)`, begins with a `u32`, the size, and is valid with all bytes zero.
pub(in crate::ffi) unsafe trait Growing: Copy {
    /// The size that it had in the first version.
    const FIRST_SIZE: usize;
    /// The parameter's name in error messages.
    const NAME: &'static str;
}

/// A struct with a `struct_size` that the call writes.
pub(in crate::ffi) struct SizedOut<'c, T> {
    to: Out<'c, u8>,
    struct_size: u32,
    value: PhantomData<T>,
}

/// Initializes options of the caller: zero in every member but `struct_size`.
pub(in crate::ffi) fn initialize<T: Growing>(
    out: MaybeUninit<&mut T>,
    struct_size: u32,
) -> policysync_status {
    guarded(std::ptr::null_mut(), |call| {
        let out = call.out(out, "out")?;
        let size = to_usize(struct_size);
        if size < T::FIRST_SIZE {
            let least = T::FIRST_SIZE;
            return Err(Failure::argument(format!("{} has at least {least} bytes", T::NAME)));
        }
        // SAFETY: not NULL, so room for as many bytes as the caller says.
        unsafe { out.to.cast::<u8>().write_bytes(0, size) };
        // SAFETY: the same room, of at least 4 bytes, and `Growing` says that it begins with a `u32`.
        unsafe { out.to.cast::<u32>().write(struct_size) };
        Ok(POLICYSYNC_OK)
    })
}

impl Call {
    /// Copies a struct from C. Members that C does not have are zero; members that this version does not have must be
    /// zero.
    pub(in crate::ffi) fn growing<T: Growing>(&self, pointer: *const T) -> Result<T, Failure> {
        self.growing_and(pointer, |_| ()).1
    }

    /// Copies a required struct from C, as [`Self::growing`] does. No reference to it is made: it may be shorter than
    /// this version's.
    pub(in crate::ffi) fn growing_required<T: Growing>(
        &self,
        pointer: MaybeUninit<&T>,
    ) -> Result<T, Failure> {
        // SAFETY: a reference has the layout of a pointer, and C has initialized the argument.
        self.growing(unsafe { pointer.as_ptr().cast::<*const T>().read() })
    }

    /// Copies a struct from C and takes a part of it, even where the struct as a whole is rejected.
    pub(in crate::ffi) fn growing_and<T: Growing, U>(
        &self,
        pointer: *const T,
        take: impl FnOnce(Option<&T>) -> U,
    ) -> (U, Result<T, Failure>) {
        let name = T::NAME;
        if pointer.is_null() {
            return (take(None), Err(Failure::null(name)));
        }
        // SAFETY: not NULL, so the struct begins with its size.
        let struct_size = unsafe { pointer.cast::<u32>().read() };
        let size = to_usize(struct_size);
        if size < T::FIRST_SIZE {
            return (take(None), Err(too_small::<T>(name, struct_size)));
        }
        // A size that is not a multiple of the alignment would cut a pointer in two.
        if !size.is_multiple_of(align_of::<T>()) {
            let message = format!("{name}.struct_size is {size}, which ends within a member");
            return (take(None), Err(Failure::new(POLICYSYNC_ERR_VERSION, message)));
        }
        let mut known = MaybeUninit::<T>::zeroed();
        // SAFETY: the caller says that there are `size` bytes, and `known` has as many as it has.
        unsafe {
            known
                .as_mut_ptr()
                .cast::<u8>()
                .copy_from_nonoverlapping(pointer.cast(), size.min(size_of::<T>()));
        }
        // SAFETY: zero or what C wrote, both of which `Growing` allows.
        let known = unsafe { known.assume_init() };
        let taken = take(Some(&known));
        let rest = pointer.cast::<u8>().wrapping_add(size_of::<T>()).cast();
        let result = self.bytes(rest, size.saturating_sub(size_of::<T>()), name).and_then(|unknown| {
            if unknown.iter().any(|byte| *byte != 0) {
                let message = format!("{name} uses members that this version of the library does not have");
                return Err(Failure::new(POLICYSYNC_ERR_VERSION, message));
            }
            Ok(known)
        });
        (taken, result)
    }

    /// Checks a required struct with a `struct_size` that the call writes.
    pub(in crate::ffi) fn growing_out<'c, T: Growing>(
        &'c self,
        pointer: MaybeUninit<&mut T>,
    ) -> Result<SizedOut<'c, T>, Failure> {
        self.optional_growing_out(address(pointer))?.ok_or_else(|| Failure::null(T::NAME))
    }

    /// Checks a struct with a `struct_size` that the call writes unless it is NULL.
    pub(in crate::ffi) fn optional_growing_out<'c, T: Growing>(
        &'c self,
        pointer: *mut T,
    ) -> Result<Option<SizedOut<'c, T>>, Failure> {
        let Some(out) = self.optional_out(pointer) else { return Ok(None) };
        // SAFETY: not NULL, so the struct begins with its size.
        let struct_size = unsafe { out.to.cast::<u32>().read() };
        if to_usize(struct_size) < T::FIRST_SIZE {
            return Err(too_small::<T>(T::NAME, struct_size));
        }
        let to = Out { to: out.to.cast(), call: PhantomData };
        Ok(Some(SizedOut { to, struct_size, value: PhantomData }))
    }
}

impl<T: Growing> SizedOut<'_, T> {
    /// Writes as much of `value` as the caller's struct has room for. Its `struct_size` stays the caller's.
    pub(in crate::ffi) fn write(self, mut value: T) {
        let first = (&raw mut value).cast::<u32>();
        // SAFETY: `Growing` says that it begins with a `u32`.
        unsafe { first.write(self.struct_size) };
        let size = to_usize(self.struct_size).min(size_of::<T>());
        // SAFETY: the caller has `struct_size` bytes, we have `size_of::<T>()`.
        unsafe { self.to.to.copy_from_nonoverlapping(first.cast(), size) };
    }
}

fn too_small<T: Growing>(name: &str, struct_size: u32) -> Failure {
    let message = format!("{name}.struct_size is {struct_size}, less than {}", T::FIRST_SIZE);
    Failure::new(POLICYSYNC_ERR_VERSION, message)
}
