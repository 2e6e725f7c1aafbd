//! What every callback brings along: something of the application's, and how to get rid of it.

use std::ffi::c_void;

/// The application's context. It is destroyed exactly once: when this is dropped.
pub(super) struct Context {
    ctx: *mut c_void,
    destroy: Option<extern "C" fn(ctx: *mut c_void)>,
}

// SAFETY: the header says that callbacks are called on whichever thread is inside a library call, one at a time.
unsafe impl Send for Context {}

impl Context {
    pub(super) fn new(ctx: *mut c_void, destroy: Option<extern "C" fn(ctx: *mut c_void)>) -> Self {
        Self { ctx, destroy }
    }

    pub(super) fn get(&self) -> *mut c_void {
        self.ctx
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        if let Some(destroy) = self.destroy {
            destroy(self.ctx);
        }
    }
}
