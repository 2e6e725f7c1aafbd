//! The time, as an argument or from the machine's clock.

use std::mem::MaybeUninit;

use crate::ffi::glue::boundary::{guarded, guarded_or};
use crate::ffi::glue::error::policysync_error;
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::POLICYSYNC_OK;
use crate::hlc::hlc_now;
use crate::{Hlc, WallMillis, system_wall_clock};

/// As `now_ms`: the time is read from the replica's clock, or from the machine's where the replica was opened without
/// one.
pub const POLICYSYNC_NOW: u64 = u64::MAX;

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
    pub(in crate::ffi) fn of(ts: Hlc) -> Self {
        Self { t: ts.t(), c: ts.c(), reserved: 0 }
    }
}

/// Returns the time of the machine's clock in milliseconds since 1970.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_system_clock_ms() -> u64 {
    guarded_or(0, |_| Some(system_wall_clock().0))
}

/// Returns the timestamp that follows `last` at the wall clock time `now_ms`. It never goes back.
///
/// `last`: the last timestamp that was issued or seen; NULL for none.
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW` for the machine's clock.
/// `out`: the timestamp. It may be the same memory as `last`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_CLOCK` or `POLICYSYNC_ERR_PANIC`.
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
        let next = hlc_now(last, now_or_system(now_ms))?;
        out.write(policysync_hlc::of(next));
        Ok(POLICYSYNC_OK)
    })
}

/// Returns the time that the caller gives, unless a clock is to be asked.
pub(in crate::ffi) fn given(now_ms: u64) -> Option<WallMillis> {
    (now_ms != POLICYSYNC_NOW).then_some(WallMillis(now_ms))
}

/// Returns the time that the caller gives, or the machine's.
pub(in crate::ffi) fn now_or_system(now_ms: u64) -> WallMillis {
    given(now_ms).unwrap_or_else(system_wall_clock)
}
