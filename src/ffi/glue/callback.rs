//! Structs of callbacks that the application hands over.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use crate::ffi::glue::boundary::Call;
use crate::ffi::glue::error::Failure;
use crate::ffi::glue::growing::Growing;

/// A function that frees the application's context.
pub(in crate::ffi) type Destroy = Option<extern "C" fn(ctx: *mut c_void)>;

/// A struct of callbacks with a context.
pub(in crate::ffi) trait Callbacks: Growing {
    /// The name of the function that may not be NULL.
    const REQUIRED: &'static str;

    /// Returns true if the required function is not NULL.
    fn is_complete(&self) -> bool;
    fn reserved(&self) -> u32;
    fn context(&self) -> (*mut c_void, Destroy);
}

/// Callbacks that the library has taken over. The context is destroyed exactly once: when this is dropped.
pub(in crate::ffi) struct Taken<T> {
    pub(in crate::ffi) callbacks: T,
    context: Context,
}

// SAFETY: the header says that callbacks are called on whichever thread is inside a library call, one at a time.
unsafe impl<T> Send for Taken<T> {}

impl<T> Taken<T> {
    /// The application's context.
    pub(in crate::ffi) fn ctx(&self) -> *mut c_void {
        self.context.ctx
    }
}

impl Call {
    /// Takes over the context first, so that it is destroyed even if the callbacks are rejected.
    pub(in crate::ffi) fn callbacks<T: Callbacks>(&self, pointer: *const T) -> Result<Taken<T>, Failure> {
        let (context, callbacks) = self.growing_and(pointer, |callbacks| {
            let (ctx, destroy) = callbacks?.context();
            Some(Context { ctx, destroy })
        });
        let callbacks = callbacks?;
        if !callbacks.is_complete() {
            return Err(Failure::null(&format!("{}.{}", T::NAME, T::REQUIRED)));
        }
        if callbacks.reserved() != 0 {
            return Err(Failure::argument(format!("{}.reserved is not 0", T::NAME)));
        }
        let context = context.ok_or_else(|| Failure::null(T::NAME))?;
        Ok(Taken { callbacks, context })
    }

    /// Does the same as [`Self::callbacks`] for a parameter that the header says is not NULL.
    pub(in crate::ffi) fn required_callbacks<T: Callbacks>(
        &self,
        pointer: MaybeUninit<&T>,
    ) -> Result<Taken<T>, Failure> {
        // SAFETY: a reference has the layout of a pointer, and C has initialized the argument.
        self.callbacks(unsafe { pointer.as_ptr().cast::<*const T>().read() })
    }

    /// Does the same as [`Self::callbacks`] unless the pointer is NULL.
    pub(in crate::ffi) fn optional_callbacks<T: Callbacks>(
        &self,
        pointer: *const T,
    ) -> Result<Option<Taken<T>>, Failure> {
        if pointer.is_null() { Ok(None) } else { self.callbacks(pointer).map(Some) }
    }
}

/// Implements [`Callbacks`] for a struct with the members `reserved`, `ctx`, `destroy` and one required function.
macro_rules! callbacks {
    ($type:ty, $name:literal, $required:ident) => {
        // SAFETY: `repr(C)`, begins with its size. Zero is NULL.
        unsafe impl $crate::ffi::glue::growing::Growing for $type {
            const FIRST_SIZE: usize = size_of::<Self>();
            const NAME: &'static str = $name;
        }

        impl $crate::ffi::glue::callback::Callbacks for $type {
            const REQUIRED: &'static str = stringify!($required);

            fn is_complete(&self) -> bool {
                self.$required.is_some()
            }

            fn reserved(&self) -> u32 {
                self.reserved
            }

            fn context(&self) -> (*mut std::ffi::c_void, $crate::ffi::glue::callback::Destroy) {
                (self.ctx, self.destroy)
            }
        }
    };
}
pub(in crate::ffi) use callbacks;

struct Context {
    ctx: *mut c_void,
    destroy: Destroy,
}

impl Drop for Context {
    fn drop(&mut self) {
        if let Some(destroy) = self.destroy {
            destroy(self.ctx);
        }
    }
}
