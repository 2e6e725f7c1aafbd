//! The time: as an argument, from the application's clock, from the machine's.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use super::boundary::{Call, Growing, guarded, guarded_or, lent_mut};
use super::callback::Context;
use super::error::{Failure, policysync_error};
use super::status::policysync_status;
use super::status::policysync_status_code::{POLICYSYNC_ERR_CALLBACK, POLICYSYNC_OK};
use crate::hlc::hlc_now;
use crate::{Hlc, WallMillis, system_wall_clock};

/// As a `now_ms`: the replica asks its clock; without a clock of its own, the machine's.
pub const POLICYSYNC_NOW: u64 = u64::MAX;

/// Where a replica gets the time from when a call says `POLICYSYNC_NOW`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_clock {
    /// `sizeof(policysync_clock)`.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Handed to `now_ms` and `destroy`.
    pub ctx: *mut c_void,
    /// Writes the milliseconds since 1970 and returns 0. It may go back, stand still and be wrong. Another result makes
    /// the call fail with `POLICYSYNC_ERR_CALLBACK`. Required.
    pub now_ms: Option<extern "C" fn(ctx: *mut c_void, out_ms: MaybeUninit<&mut u64>) -> policysync_status>,
    /// Called exactly once for each time that the struct was handed over, also when that call failed. NULL for nothing.
    pub destroy: Option<extern "C" fn(ctx: *mut c_void)>,
}

// SAFETY: `repr(C)`, begins with its size. Zero is NULL.
unsafe impl Growing for policysync_clock {
    const FIRST_SIZE: usize = size_of::<Self>();
    const NAME: &'static str = "clock";
}

/// A timestamp of a hybrid logical clock.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_hlc {
    /// Milliseconds since 1970, 0 to 2^53 - 1.
    pub t: u64,
    /// The counter, 0 to 2^32 - 2.
    pub c: u32,
    /// 0.
    pub reserved: u32,
}

impl policysync_hlc {
    pub(super) fn of(ts: Hlc) -> Self {
        Self { t: ts.t(), c: ts.c(), reserved: 0 }
    }
}

/// What the machine's clock says: milliseconds since 1970.
///
/// Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_system_clock_ms() -> u64 {
    guarded_or(0, |_| Some(system_wall_clock().0))
}

/// The timestamp after `last` when the wall clock says `now_ms`: it never goes back.
///
/// `last`: the last timestamp that was handed out or seen; NULL for none.
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW` for the machine's clock.
/// `out`: the timestamp. May be the same memory as `last`.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_CLOCK` or `POLICYSYNC_ERR_PANIC`. Any thread. Since
/// ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_hlc_now(
    last: *const policysync_hlc,
    now_ms: u64,
    out: MaybeUninit<&mut policysync_hlc>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.out(out, "out")?;
        let last = call.optional(last).map(|last| Hlc::new(last.t, last.c)).transpose()?;
        let next = hlc_now(last, given(now_ms).unwrap_or_else(system_wall_clock))?;
        out.write(policysync_hlc::of(next));
        Ok(POLICYSYNC_OK)
    })
}

/// The time that the caller gives, unless a clock is to be asked.
fn given(now_ms: u64) -> Option<WallMillis> {
    (now_ms != POLICYSYNC_NOW).then_some(WallMillis(now_ms))
}

/// The time that the caller gives, or that a clock says.
pub(super) fn now(now_ms: u64, clock: Option<&Callback>) -> Result<WallMillis, Failure> {
    match (given(now_ms), clock) {
        (Some(now), _) => Ok(now),
        (None, Some(clock)) => clock.now(),
        (None, None) => Ok(system_wall_clock()),
    }
}

/// The clock of a replica, with its context.
pub(super) struct Callback {
    context: Context,
    callback: policysync_clock,
}

// SAFETY: the header says that callbacks are called on whichever thread is inside a library call, one at a time.
unsafe impl Send for Callback {}

impl Callback {
    /// Takes over the context first, so that it is destroyed even if the clock cannot be used.
    pub(super) fn take(call: &Call, clock: *const policysync_clock) -> Result<Option<Self>, Failure> {
        if clock.is_null() {
            return Ok(None);
        }
        let (context, clock) =
            call.growing_and(clock, |clock| clock.map(|clock| Context::new(clock.ctx, clock.destroy)));
        let callback = clock?;
        if callback.now_ms.is_none() {
            return Err(Failure::null("clock.now_ms"));
        }
        if callback.reserved != 0 {
            return Err(Failure::argument("clock.reserved is not 0"));
        }
        Ok(context.map(|context| Self { context, callback }))
    }

    fn now(&self) -> Result<WallMillis, Failure> {
        let mut now = [0];
        let status = self.callback.now_ms.map_or(0, |now_ms| now_ms(self.context.get(), lent_mut(&mut now)));
        if status != 0 {
            let message = format!("the clock failed with status {status}");
            return Err(Failure::new(POLICYSYNC_ERR_CALLBACK, message));
        }
        let [now] = now;
        Ok(WallMillis(now))
    }
}
