//! The observer of changes, as a callback.

use std::ffi::c_void;

use crate::ffi::glue::callback::{Taken, callbacks};
use crate::ffi::glue::shared::call_back;

/// Notifies the application of changed fields, so that it need not poll.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_observer {
    /// `sizeof(policysync_observer)`.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// The context that is passed to `changed` and `destroy`.
    pub ctx: *mut c_void,
    /// Called at the end of each call that writes or ingests, if `policysync_replica_poll` has changes to return. It
    /// may not call the replica: remember the notification, and poll when the call has returned. Required.
    pub changed: Option<extern "C" fn(ctx: *mut c_void)>,
    /// Frees the context; see Callbacks at the top. NULL for nothing.
    pub destroy: Option<extern "C" fn(ctx: *mut c_void)>,
}

callbacks!(policysync_observer, "observer", changed);

impl Taken<policysync_observer> {
    pub(in crate::ffi) fn changed(&self) {
        if let Some(changed) = self.callbacks.changed {
            call_back(|| changed(self.ctx()));
        }
    }
}
