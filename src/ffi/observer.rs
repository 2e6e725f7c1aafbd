//! Who wants to know that something has changed.

use std::ffi::c_void;

use super::boundary::{Call, Growing};
use super::callback::Context;
use super::error::Failure;

/// Told when fields have changed, so that nobody has to ask again and again.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_observer {
    /// `sizeof(policysync_observer)`.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Handed to `changed` and `destroy`.
    pub ctx: *mut c_void,
    /// There are changes that `policysync_replica_poll` has not handed out yet. Called at the end of each call that
    /// writes or ingests and leaves it so. Like every callback it may not call the replica: remember that there is
    /// something to do, and poll when the call has returned. Required.
    pub changed: Option<extern "C" fn(ctx: *mut c_void)>,
    /// Called exactly once for each time that the struct was handed over, also when that call failed. NULL for nothing.
    pub destroy: Option<extern "C" fn(ctx: *mut c_void)>,
}

// SAFETY: `repr(C)`, begins with its size. Zero is NULL.
unsafe impl Growing for policysync_observer {
    const FIRST_SIZE: usize = size_of::<Self>();
    const NAME: &'static str = "observer";
}

/// The observer of a replica, with its context.
pub(super) struct Callback {
    context: Context,
    callback: policysync_observer,
}

// SAFETY: the header says that callbacks are called on whichever thread is inside a library call, one at a time.
unsafe impl Send for Callback {}

impl Callback {
    /// Takes over the context first, so that it is destroyed even if the observer cannot be used.
    pub(super) fn take(call: &Call, observer: *const policysync_observer) -> Result<Option<Self>, Failure> {
        if observer.is_null() {
            return Ok(None);
        }
        let (context, observer) = call.growing_and(observer, |observer| {
            observer.map(|observer| Context::new(observer.ctx, observer.destroy))
        });
        let callback = observer?;
        if callback.changed.is_none() {
            return Err(Failure::null("observer.changed"));
        }
        if callback.reserved != 0 {
            return Err(Failure::argument("observer.reserved is not 0"));
        }
        Ok(context.map(|context| Self { context, callback }))
    }

    pub(super) fn changed(&self) {
        if let Some(changed) = self.callback.changed {
            changed(self.context.get());
        }
    }
}
