//! What the application refuses, as a callback.

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::{Arc, Mutex, PoisonError};

use super::boundary::{Call, Growing, lent, lent_mut};
use super::callback::Context;
use super::error::Failure;
use super::status::policysync_status;
use super::status::policysync_status_code::POLICYSYNC_ERR_CALLBACK;
use super::view::policysync_op;
use crate::keys::VerifiedOp;
use crate::{Guard, Verdict};

/// What a guard says of an operation.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum policysync_verdict {
    /// Let it in.
    POLICYSYNC_ADMIT = 1,
    /// Refuse this one; the others go on.
    POLICYSYNC_REJECT = 2,
    /// Stop: refuse all that the call offers, and leave the replica as it was.
    POLICYSYNC_ABORT = 3,
}

/// Refuses operations that the application does not want, a batch at a time. It sees only operations that are new
/// and, unless the replica was opened with `POLICYSYNC_DANGEROUSLY_UNVERIFIED`, verified: it can refuse, it can never
/// admit what is not signed, and running without a guard loses no check of a signature.
///
/// **A guard must be a deterministic function of the operation alone**: not of the time, of what is stored, of the
/// order of calls. Otherwise two replicas admit different operations and never agree again.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_guard {
    /// `sizeof(policysync_guard)`.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Handed to `check` and `destroy`.
    pub ctx: *mut c_void,
    /// Writes a `policysync_verdict` for each operation. `ops` are `stride` bytes apart and live until it returns.
    /// `verdicts` are all 0 before; one that is 0 afterwards, or any other unknown number, makes the call fail with
    /// `POLICYSYNC_ERR_CALLBACK`. So does a result other than 0. Required.
    pub check: Option<
        extern "C" fn(
            ctx: *mut c_void,
            ops: MaybeUninit<&policysync_op>,
            stride: usize,
            count: usize,
            verdicts: MaybeUninit<&mut i32>,
        ) -> policysync_status,
    >,
    /// Called exactly once for each time that the struct was handed over, also when that call failed. NULL for nothing.
    pub destroy: Option<extern "C" fn(ctx: *mut c_void)>,
}

// SAFETY: `repr(C)`, begins with its size. Zero is NULL.
unsafe impl Growing for policysync_guard {
    const FIRST_SIZE: usize = size_of::<Self>();
    const NAME: &'static str = "guard";
}

/// The guard of a replica, with its context.
pub(super) struct Callback {
    context: Context,
    callback: policysync_guard,
    failed: Failed,
}

/// Why the guard failed, for the call that it was called in.
#[derive(Clone, Default)]
pub(super) struct Failed(Arc<Mutex<Option<String>>>);

// SAFETY: the header says that callbacks are called on whichever thread is inside a library call, one at a time.
unsafe impl Send for Callback {}

impl Callback {
    /// Takes over the context first, so that it is destroyed even if the guard cannot be used.
    pub(super) fn take(call: &Call, guard: *const policysync_guard) -> Result<Option<Self>, Failure> {
        if guard.is_null() {
            return Ok(None);
        }
        let (context, guard) =
            call.growing_and(guard, |guard| guard.map(|guard| Context::new(guard.ctx, guard.destroy)));
        let callback = guard?;
        if callback.check.is_none() {
            return Err(Failure::null("guard.check"));
        }
        if callback.reserved != 0 {
            return Err(Failure::argument("guard.reserved is not 0"));
        }
        Ok(context.map(|context| Self { context, callback, failed: Failed::default() }))
    }

    pub(super) fn failed(&self) -> Failed {
        self.failed.clone()
    }

    fn ask(&self, ops: &[policysync_op], verdicts: &mut [Verdict]) -> Result<(), String> {
        let mut answers = vec![0; ops.len()];
        let check = self.callback.check.ok_or("there is no guard")?;
        let status = check(
            self.context.get(),
            lent(ops),
            size_of::<policysync_op>(),
            ops.len(),
            lent_mut(&mut answers),
        );
        if status != 0 {
            return Err(format!("the guard failed with status {status}"));
        }
        for (answer, verdict) in answers.into_iter().zip(verdicts) {
            *verdict = policysync_verdict::from_number(answer)
                .ok_or_else(|| format!("the guard's verdict is {answer}, which means nothing"))?;
        }
        Ok(())
    }
}

impl Guard for Callback {
    fn judge(&mut self, ops: &[VerifiedOp<'_>], verdicts: &mut [Verdict]) {
        let views: Vec<policysync_op> =
            ops.iter().map(|op| policysync_op::of_content(op.op(), op.hash())).collect();
        if let Err(reason) = self.ask(&views, verdicts) {
            self.failed.set(reason);
            verdicts.fill(Verdict::Abort);
        }
    }
}

impl Failed {
    fn set(&self, reason: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }

    /// Why the guard failed, if it did since this was last asked.
    pub(super) fn take(&self) -> Option<Failure> {
        let reason = self.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        Some(Failure::new(POLICYSYNC_ERR_CALLBACK, reason))
    }
}

impl policysync_verdict {
    #[expect(clippy::as_conversions, reason = "an enum without fields is its number")]
    fn from_number(number: i32) -> Option<Verdict> {
        const ADMIT: i32 = policysync_verdict::POLICYSYNC_ADMIT as i32;
        const REJECT: i32 = policysync_verdict::POLICYSYNC_REJECT as i32;
        const ABORT: i32 = policysync_verdict::POLICYSYNC_ABORT as i32;
        match number {
            ADMIT => Some(Verdict::Admit),
            REJECT => Some(Verdict::Reject),
            ABORT => Some(Verdict::Abort),
            _ => None,
        }
    }
}
