//! The border: pointers become references, failures become statuses, panics stop here.
//!
//! Functions that C calls do nothing with a pointer but hand it to a [`Call`]. **What all of this file relies on**:
//! they are called by C, with pointers that are NULL or what the header asks for, and that stay so until the call
//! returns.

use std::ffi::{c_char, c_void};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;
use std::sync::Arc;

use super::error::{Failure, policysync_error};
use super::status::policysync_status;
use super::status::policysync_status_code::{self, POLICYSYNC_ERR_VERSION};

/// Makes of C's call one of Rust's: what fails is told to `err`, a panic too.
pub(super) fn guarded(
    err: *mut policysync_error,
    work: impl FnOnce(&Call) -> Result<policysync_status_code, Failure>,
) -> policysync_status {
    let result = catch_unwind(AssertUnwindSafe(|| work(&Call(()))));
    match result.unwrap_or_else(|payload| Err(Failure::panic(&*payload))) {
        Ok(status) => status.number(),
        Err(failure) => {
            tell(&failure, err);
            failure.status.number()
        }
    }
}

/// The same for a function that cannot say that it failed.
pub(super) fn guarded_or<T>(otherwise: T, work: impl FnOnce(&Call) -> Option<T>) -> T {
    catch_unwind(AssertUnwindSafe(|| work(&Call(())))).ok().flatten().unwrap_or(otherwise)
}

fn tell(failure: &Failure, err: *mut policysync_error) {
    if err.is_null() {
        return;
    }
    // SAFETY: an error that is not NULL begins with its size, set by the caller.
    let struct_size = unsafe { err.cast::<u32>().read() };
    let size = to_usize(struct_size).min(size_of::<policysync_error>());
    if size < 24 {
        return;
    }
    let mut error = failure.to_error(struct_size);
    // However much fits, the text ends with NUL: `size` is past the 16 bytes in front of it.
    if let Some(last) = error.message.get_mut(size - 17) {
        *last = 0;
    }
    let from = (&raw const error).cast::<u8>();
    // SAFETY: both have `size` bytes, and ours is on our stack.
    unsafe { err.cast::<u8>().copy_from_nonoverlapping(from, size) };
}

/// A call from C that has not returned: so long may what it was given be read.
pub(super) struct Call(());

/// A place that C wants written, when the call has succeeded.
pub(super) struct Out<'c, T> {
    to: *mut T,
    call: PhantomData<&'c mut T>,
}

/// A struct with a `struct_size` that C wants written.
pub(super) struct SizedOut<'c, T> {
    to: Out<'c, u8>,
    struct_size: u32,
    value: PhantomData<T>,
}

/// An array of structs that C wants written.
pub(super) struct OutArray<'c, T> {
    to: Out<'c, u8>,
    stride: usize,
    len: usize,
    value: PhantomData<T>,
}

/// A struct of which older programs know less and newer ones more. It begins with its size.
///
/// # Safety
///
/// It is `repr(C)`, begins with a `u32`, the size, and is valid with all bytes zero.
pub(super) unsafe trait Growing: Copy {
    /// The size that it had in the first version.
    const FIRST_SIZE: usize;
    const NAME: &'static str;
}

impl Call {
    /// Writes what went wrong into an error of the caller's, if there is one.
    pub(super) fn tell(&self, failure: &Failure, err: *mut policysync_error) {
        tell(failure, err);
    }

    /// A required pointer to what is only read. The parameter is declared so that the header can say that it is not
    /// NULL, and that we can find that it is.
    pub(super) fn required<'c, T>(&'c self, pointer: MaybeUninit<&T>, name: &str) -> Result<&'c T, Failure> {
        // SAFETY: a reference has the layout of a pointer, and C has initialised the argument.
        let pointer = unsafe { pointer.as_ptr().cast::<*const T>().read() };
        // SAFETY: NULL or what the header asks for, until the call returns.
        unsafe { pointer.as_ref() }.ok_or_else(|| Failure::null(name))
    }

    /// A required struct of which C may know less or more. No reference is made of it: it may be shorter than ours.
    pub(super) fn growing_required<T: Growing>(&self, pointer: MaybeUninit<&T>) -> Result<T, Failure> {
        // SAFETY: a reference has the layout of a pointer, and C has initialised the argument.
        self.growing(unsafe { pointer.as_ptr().cast::<*const T>().read() })
    }

    /// The same, where something of it must be taken even when it cannot be used.
    pub(super) fn growing_required_and<T: Growing, U>(
        &self,
        pointer: MaybeUninit<&T>,
        take: impl FnOnce(Option<&T>) -> U,
    ) -> (U, Result<T, Failure>) {
        // SAFETY: a reference has the layout of a pointer, and C has initialised the argument.
        self.growing_and(unsafe { pointer.as_ptr().cast::<*const T>().read() }, take)
    }

    /// An array of so many bytes, if it is there.
    pub(super) fn optional_bytes<const N: usize>(&self, first: *const u8) -> Option<&[u8; N]> {
        self.optional(first.cast())
    }

    /// A pointer to what is only read, if it is there.
    pub(super) fn optional<T>(&self, pointer: *const T) -> Option<&T> {
        // SAFETY: NULL or what the header asks for, until the call returns.
        unsafe { pointer.as_ref() }
    }

    /// A handle that other threads may use too: a share in it, so that it may be freed during the call.
    pub(super) fn shared<T>(&self, pointer: MaybeUninit<&mut T>, name: &str) -> Result<Arc<T>, Failure> {
        let pointer = address(pointer);
        if pointer.is_null() {
            return Err(Failure::null(name));
        }
        // SAFETY: the handle came from `Arc::into_raw` and is not freed yet.
        unsafe { Arc::increment_strong_count(pointer) };
        // SAFETY: the share that was just added.
        Ok(unsafe { Arc::from_raw(pointer) })
    }

    /// A handle that one thread at a time uses.
    #[expect(clippy::mut_from_ref, reason = "what is borrowed is C's, not the call's")]
    pub(super) fn exclusive<'c, T>(
        &'c self,
        pointer: MaybeUninit<&mut T>,
        name: &str,
    ) -> Result<&'c mut T, Failure> {
        let pointer = address(pointer);
        // SAFETY: NULL or a handle of ours, which the header says one thread at a time uses.
        unsafe { pointer.as_mut() }.ok_or_else(|| Failure::null(name))
    }

    /// A required pointer to what the call writes.
    pub(super) fn out<'c, T>(
        &'c self,
        pointer: MaybeUninit<&mut T>,
        name: &str,
    ) -> Result<Out<'c, T>, Failure> {
        self.optional_out(address(pointer)).ok_or_else(|| Failure::null(name))
    }

    /// A pointer to what the call writes if it is asked to.
    pub(super) fn optional_out<T>(&self, pointer: *mut T) -> Option<Out<'_, T>> {
        (!pointer.is_null()).then_some(Out { to: pointer, call: PhantomData })
    }

    /// Where a handle goes. It is NULL until the call has succeeded.
    pub(super) fn handle_out<'c, T>(
        &'c self,
        pointer: MaybeUninit<&mut *mut T>,
        name: &str,
    ) -> Result<Out<'c, *mut T>, Failure> {
        self.optional_handle_out(address(pointer)).ok_or_else(|| Failure::null(name))
    }

    /// The same, if it is there.
    pub(super) fn optional_handle_out<T>(&self, pointer: *mut *mut T) -> Option<Out<'_, *mut T>> {
        let out = self.optional_out(pointer)?;
        // SAFETY: not NULL, so room for a pointer; written without reading, as it is usually uninitialised.
        unsafe { out.to.write(std::ptr::null_mut()) };
        Some(out)
    }

    /// Bytes. Where there are none, the pointer is not looked at.
    pub(super) fn bytes(&self, data: *const c_void, len: usize, name: &str) -> Result<&[u8], Failure> {
        if len == 0 {
            return Ok(&[]);
        }
        if data.is_null() {
            return Err(Failure::null(name));
        }
        if isize::try_from(len).is_err() {
            return Err(Failure::argument(format!("{name} has {len} bytes, more than any memory")));
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that asks for NULL and the length first"
        )]
        // SAFETY: not NULL, so `len` bytes that stay until the call returns; not more than `isize::MAX`.
        Ok(unsafe { slice::from_raw_parts(data.cast::<u8>(), len) })
    }

    /// Text.
    pub(super) fn text(&self, data: *const c_char, len: usize, name: &str) -> Result<&str, Failure> {
        utf8(self.bytes(data.cast(), len, name)?, name)
    }

    /// An array of 32 bytes: a key, a seed, a hash.
    pub(super) fn bytes32<'c>(
        &'c self,
        pointer: MaybeUninit<&u8>,
        name: &str,
    ) -> Result<&'c [u8; 32], Failure> {
        self.fixed_bytes(pointer, name)
    }

    /// An array of as many bytes as the header says.
    pub(super) fn fixed_bytes<'c, const N: usize>(
        &'c self,
        pointer: MaybeUninit<&u8>,
        name: &str,
    ) -> Result<&'c [u8; N], Failure> {
        let first: *const u8 = self.required(pointer, name)?;
        // SAFETY: not NULL, so `N` bytes, as the header says.
        Ok(unsafe { &*first.cast::<[u8; N]>() })
    }

    /// Writes an array of as many bytes as the header says.
    pub(super) fn out_bytes<'c, const N: usize>(
        &'c self,
        pointer: MaybeUninit<&mut u8>,
        name: &str,
    ) -> Result<Out<'c, [u8; N]>, Failure> {
        let first = self.out(pointer, name)?;
        Ok(Out { to: first.to.cast(), call: PhantomData })
    }

    /// A struct of which C may know less or more: what C does not know is zero, what we do not know must be.
    pub(super) fn growing<T: Growing>(&self, pointer: *const T) -> Result<T, Failure> {
        self.growing_and(pointer, |_| ()).1
    }

    /// The same, where something of the struct must be taken even when it cannot be used.
    pub(super) fn growing_and<T: Growing, U>(
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
            let least = T::FIRST_SIZE;
            let message = format!("{name} says that it has {size} bytes, it has at least {least}");
            return (take(None), Err(Failure::new(POLICYSYNC_ERR_VERSION, message)));
        }
        // Members end where the struct could: no pointer is half there.
        if !size.is_multiple_of(align_of::<T>()) {
            let message = format!("{name} says that it has {size} bytes, which ends within a member");
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
                let message = format!("{name} uses what this version of the library does not know");
                return Err(Failure::new(POLICYSYNC_ERR_VERSION, message));
            }
            Ok(known)
        });
        (taken, result)
    }

    /// Where a struct goes that begins with its size.
    pub(super) fn growing_out<'c, T: Growing>(
        &'c self,
        pointer: MaybeUninit<&mut T>,
        name: &str,
    ) -> Result<SizedOut<'c, T>, Failure> {
        self.optional_growing_out(address(pointer), name)?.ok_or_else(|| Failure::null(name))
    }

    /// The same, if it is there.
    pub(super) fn optional_growing_out<'c, T: Growing>(
        &'c self,
        pointer: *mut T,
        name: &str,
    ) -> Result<Option<SizedOut<'c, T>>, Failure> {
        let Some(out) = self.optional_out(pointer) else { return Ok(None) };
        // SAFETY: not NULL, so the struct begins with its size.
        let struct_size = unsafe { out.to.cast::<u32>().read() };
        if to_usize(struct_size) < T::FIRST_SIZE {
            let message =
                format!("{name} says that it has {struct_size} bytes, it has at least {}", T::FIRST_SIZE);
            return Err(Failure::new(POLICYSYNC_ERR_VERSION, message));
        }
        let to = Out { to: out.to.cast(), call: PhantomData };
        Ok(Some(SizedOut { to, struct_size, value: PhantomData }))
    }

    /// The elements of an array whose elements are `stride` bytes apart.
    pub(super) fn array<'c, T: Copy>(
        &'c self,
        first: *const T,
        stride: usize,
        len: usize,
        name: &str,
    ) -> Result<impl ExactSizeIterator<Item = T> + use<'c, T>, Failure> {
        check_array(stride, size_of::<T>(), len, first.is_null(), name)?;
        Ok((0..len).map(move |at| {
            let element = first.cast::<u8>().wrapping_add(at * stride).cast::<T>();
            // SAFETY: the caller says that there are `len` elements, `stride` bytes apart; no alignment is assumed.
            unsafe { element.read_unaligned() }
        }))
    }

    /// An array that the call writes. Elements may be longer than we know, and no shorter than in the first version.
    pub(super) fn out_array<'c, T: Copy>(
        &'c self,
        first: *mut T,
        stride: usize,
        len: usize,
        first_size: usize,
        name: &str,
    ) -> Result<OutArray<'c, T>, Failure> {
        check_array(stride, first_size, len, first.is_null(), name)?;
        let to = Out { to: first.cast(), call: PhantomData };
        Ok(OutArray { to, stride, len, value: PhantomData })
    }

    /// Takes back the share that C has in a handle.
    pub(super) fn release<T>(&self, pointer: *mut T) {
        if !pointer.is_null() {
            // SAFETY: the handle came from `Arc::into_raw` and is not freed yet.
            drop(unsafe { Arc::from_raw(pointer) });
        }
    }
}

impl<T> Out<'_, T> {
    /// Writes without reading: the caller's variable is usually uninitialised.
    pub(super) fn write(self, value: T) {
        // SAFETY: not NULL, so room for a `T` until the call returns.
        unsafe { self.to.write(value) };
    }

    /// What the caller's variable holds.
    pub(super) fn read(&self) -> T
    where
        T: Copy,
    {
        // SAFETY: not NULL; the header asks for an initialised variable here.
        unsafe { self.to.read() }
    }
}

impl<T: Growing> Out<'_, T> {
    /// Makes all of it zero but its size, whatever of it we know.
    pub(super) fn initialise(self, struct_size: u32) -> Result<(), Failure> {
        let size = to_usize(struct_size);
        if size < T::FIRST_SIZE {
            let least = T::FIRST_SIZE;
            return Err(Failure::argument(format!("{} has at least {least} bytes", T::NAME)));
        }
        // SAFETY: not NULL, so room for as many bytes as the caller says.
        unsafe { self.to.cast::<u8>().write_bytes(0, size) };
        // SAFETY: the same room, of at least 4 bytes, and `Growing` says that a `u32` stands there.
        unsafe { self.to.cast::<u32>().write(struct_size) };
        Ok(())
    }
}

impl<T: Growing> SizedOut<'_, T> {
    /// Writes what the caller's struct has room for, but for its size.
    pub(super) fn write(self, mut value: T) {
        let place = (&raw mut value).cast::<u32>();
        // SAFETY: `Growing` says that a `u32` stands there.
        unsafe { place.write(self.struct_size) };
        let size = to_usize(self.struct_size).min(size_of::<T>());
        // SAFETY: the caller has `struct_size` bytes, we have `size_of::<T>()`.
        unsafe { self.to.to.copy_from_nonoverlapping(place.cast(), size) };
    }
}

impl<T: Copy> OutArray<'_, T> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Writes what an element has room for.
    pub(super) fn write(&self, at: usize, value: &T) {
        assert!(at < self.len, "the caller has room for {}", self.len);
        let element = self.to.to.wrapping_add(at * self.stride);
        let size = self.stride.min(size_of::<T>());
        // SAFETY: the caller says that there are `len` elements, `stride` bytes apart; we have `size_of::<T>()`.
        unsafe { element.copy_from_nonoverlapping(std::ptr::from_ref(value).cast(), size) };
    }
}

pub(super) fn utf8<'a>(bytes: &'a [u8], name: &str) -> Result<&'a str, Failure> {
    std::str::from_utf8(bytes).map_err(|error| {
        Failure::argument(format!("{name} is not UTF-8 from byte {} on", error.valid_up_to()))
    })
}

pub(super) fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// An array for a callback to read.
pub(super) fn lent<T>(items: &[T]) -> MaybeUninit<&T> {
    let mut argument = MaybeUninit::<&T>::uninit();
    // SAFETY: a reference has the layout of a pointer. No reference to the first alone is made: C may read them all.
    unsafe { argument.as_mut_ptr().cast::<*const T>().write(items.as_ptr()) };
    argument
}

/// An array for a callback to write.
pub(super) fn lent_mut<T>(items: &mut [T]) -> MaybeUninit<&mut T> {
    let mut argument = MaybeUninit::<&mut T>::uninit();
    // SAFETY: a reference has the layout of a pointer. No reference to the first alone is made: C may write them all.
    unsafe { argument.as_mut_ptr().cast::<*mut T>().write(items.as_mut_ptr()) };
    argument
}

/// The address in an argument whose type says that it is not NULL. No `&mut` is made of it: others may share it.
fn address<T>(pointer: MaybeUninit<&mut T>) -> *mut T {
    // SAFETY: a reference has the layout of a pointer, and C has initialised the argument.
    unsafe { pointer.as_ptr().cast::<*mut T>().read() }
}

fn check_array(stride: usize, least: usize, len: usize, is_null: bool, name: &str) -> Result<(), Failure> {
    if len == 0 {
        return Ok(());
    }
    if is_null {
        return Err(Failure::null(name));
    }
    if stride < least {
        let message = format!("{name} has elements of {stride} bytes, they have at least {least}");
        return Err(Failure::new(POLICYSYNC_ERR_VERSION, message));
    }
    let bytes = len.checked_mul(stride).and_then(|bytes| isize::try_from(bytes).ok());
    match bytes {
        Some(_) => Ok(()),
        None => Err(Failure::argument(format!("{name} has {len} elements, more than any memory"))),
    }
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
    fn no_more_bytes_are_written_than_the_caller_has() {
        let error = error_of(24, "a long message");
        assert_eq!(text(&error), "a long ");
        assert!(error.message[8..].iter().all(|c| *c == 0x7f));
        assert_eq!(error_of(23, "a long message").status, 1);
        assert_eq!(error_of(0, "a long message").status, 1);
        assert_eq!(error_of(u32::MAX, "a long message").status, -2);
    }
}
