//! The guard of the application, as a callback.

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::{Arc, Mutex, PoisonError};

use crate::ffi::glue::boundary::{lent, lent_mut};
use crate::ffi::glue::callback::{Taken, callbacks};
use crate::ffi::glue::error::Failure;
use crate::ffi::glue::shared::call_back;
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::POLICYSYNC_ERR_CALLBACK;
use crate::ffi::types::op::policysync_op;
use crate::keys::VerifiedOp;
use crate::{Guard, Verdict};

/// The decision of a guard about an operation.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum policysync_verdict {
    /// Admits the operation.
    POLICYSYNC_ADMIT = 1,
    /// Rejects this operation only.
    POLICYSYNC_REJECT = 2,
    /// Rejects every operation of the call and leaves the replica unchanged.
    POLICYSYNC_ABORT = 3,
}

/// Rejects operations that the application does not accept, a batch at a time. It sees only operations that are new
/// and, unless the replica was opened with `POLICYSYNC_DANGEROUSLY_UNVERIFIED`, verified. It can only reject: a replica
/// without a guard verifies every signature too.
///
/// **A guard must be a deterministic function of the operation alone**: not of the time, of stored data or of the order
/// of calls. Otherwise two replicas admit different operations and never converge.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_guard {
    /// `sizeof(policysync_guard)`.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// The context that is passed to `check` and `destroy`.
    pub ctx: *mut c_void,
    /// Writes a `policysync_verdict` for each operation. `ops` are `stride` bytes apart and live until it returns.
    /// `verdicts` are 0 before; one that is 0 or another undefined number afterwards makes the call fail with
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
    /// Frees the context; see Callbacks at the top. NULL for nothing.
    pub destroy: Option<extern "C" fn(ctx: *mut c_void)>,
}

callbacks!(policysync_guard, "guard", check);

/// The guard of a replica.
pub(in crate::ffi) struct Callback {
    taken: Taken<policysync_guard>,
    failed: Failed,
}

/// The reason why the guard failed, for the call that asked it.
#[derive(Clone, Default)]
pub(in crate::ffi) struct Failed(Arc<Mutex<Option<String>>>);

impl Callback {
    pub(in crate::ffi) fn new(taken: Taken<policysync_guard>, failed: Failed) -> Self {
        Self { taken, failed }
    }

    fn ask(&self, ops: &[policysync_op], verdicts: &mut [Verdict]) -> Result<(), String> {
        let mut answers = vec![0; ops.len()];
        let check = self.taken.callbacks.check.ok_or("the guard has no function")?;
        let (stride, count) = (size_of::<policysync_op>(), ops.len());
        let (ctx, ops, verdicts_out) = (self.taken.ctx(), lent(ops), lent_mut(&mut answers));
        let status = call_back(|| check(ctx, ops, stride, count, verdicts_out));
        if status != 0 {
            return Err(format!("the guard failed with status {status}"));
        }
        for (answer, verdict) in answers.into_iter().zip(verdicts) {
            *verdict = policysync_verdict::from_number(answer)
                .ok_or_else(|| format!("the guard's verdict is {answer}, which is not defined"))?;
        }
        Ok(())
    }
}

impl Guard for Callback {
    fn judge(&mut self, ops: &[VerifiedOp<'_>], verdicts: &mut [Verdict]) {
        let views: Vec<policysync_op> =
            ops.iter().map(|op| policysync_op::unsigned(op.op(), op.hash())).collect();
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

    /// Returns the reason if the guard has failed since the last call.
    pub(in crate::ffi) fn take(&self) -> Option<Failure> {
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
