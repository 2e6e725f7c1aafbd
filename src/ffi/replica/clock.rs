//! The clock of the application, as a callback.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use crate::WallMillis;
use crate::ffi::glue::boundary::lent_mut;
use crate::ffi::glue::callback::{Taken, callbacks};
use crate::ffi::glue::error::Failure;
use crate::ffi::glue::shared::call_back;
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::POLICYSYNC_ERR_CALLBACK;
use crate::ffi::types::hlc::{given, now_or_system};

/// The clock of a replica, which is read where a call passes `POLICYSYNC_NOW`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_clock {
    /// `sizeof(policysync_clock)`.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// The context that is passed to `now_ms` and `destroy`.
    pub ctx: *mut c_void,
    /// Writes the milliseconds since 1970 and returns 0. The time may go back, stop and be wrong. Another result makes
    /// the call fail with `POLICYSYNC_ERR_CALLBACK`. Required.
    pub now_ms: Option<extern "C" fn(ctx: *mut c_void, out_ms: MaybeUninit<&mut u64>) -> policysync_status>,
    /// Frees the context; see Callbacks at the top. NULL for nothing.
    pub destroy: Option<extern "C" fn(ctx: *mut c_void)>,
}

callbacks!(policysync_clock, "clock", now_ms);

/// Returns the time that the caller gives, or that a clock reads.
pub(in crate::ffi) fn now(
    now_ms: u64,
    clock: Option<&Taken<policysync_clock>>,
) -> Result<WallMillis, Failure> {
    match (given(now_ms), clock) {
        (None, Some(clock)) => clock.now(),
        _ => Ok(now_or_system(now_ms)),
    }
}

impl Taken<policysync_clock> {
    fn now(&self) -> Result<WallMillis, Failure> {
        let mut now = [0];
        let status =
            self.callbacks.now_ms.map_or(0, |now_ms| call_back(|| now_ms(self.ctx(), lent_mut(&mut now))));
        if status != 0 {
            let message = format!("the clock failed with status {status}");
            return Err(Failure::new(POLICYSYNC_ERR_CALLBACK, message));
        }
        let [now] = now;
        Ok(WallMillis(now))
    }
}
