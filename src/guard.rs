//! The guard: a filter of the application for verified operations.

use crate::codec::OpHash;
use crate::keys::VerifiedOp;
use crate::op::{OpRef, SignedOpRef};

/// The verdict of a guard on an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Accept the operation.
    Admit,
    /// Refuse this operation only.
    Reject,
    /// Refuse the whole batch and leave the replica unchanged.
    Abort,
}

/// A filter that refuses operations which the application does not want, one batch at a time.
///
/// A guard sees only new operations that are verified, unless the replica was opened with
/// [`dangerously_accept_unverified`](crate::ReplicaOptions::dangerously_accept_unverified). It can refuse an operation,
/// but it cannot accept an unsigned one. Signatures are verified without a guard too.
///
/// It sees neither the peer that sent an operation nor the key that signed it.
///
/// **A guard must be a deterministic function of the operation alone**, not of the time, the stored data or the order
/// of calls. Otherwise two replicas accept different operations and never converge.
///
/// A closure over one operation is a guard:
///
/// ```
/// use policysync::{Guard, Verdict};
/// use policysync::keys::VerifiedOp;
///
/// let only_tasks = |op: &VerifiedOp<'_>| match op.op().entity() {
///     "Task" => Verdict::Admit,
///     _ => Verdict::Reject,
/// };
/// fn takes_a_guard(_: impl Guard) {}
/// takes_a_guard(only_tasks);
/// ```
pub trait Guard: Send {
    /// Writes a verdict for each operation. Both slices have the same length, and every verdict is [`Verdict::Reject`]
    /// before the call.
    fn judge(&mut self, ops: &[VerifiedOp<'_>], verdicts: &mut [Verdict]);
}

impl<F: FnMut(&VerifiedOp<'_>) -> Verdict + Send> Guard for F {
    fn judge(&mut self, ops: &[VerifiedOp<'_>], verdicts: &mut [Verdict]) {
        for (op, verdict) in ops.iter().zip(verdicts) {
            *verdict = self(op);
        }
    }
}

/// A verified operation that the guard permits. Only this file creates one.
#[derive(Clone, Debug)]
pub(crate) struct PermittedOp<'a> {
    verified: VerifiedOp<'a>,
}

impl<'a> PermittedOp<'a> {
    pub(crate) fn op(&self) -> OpRef<'_> {
        self.verified.op()
    }

    pub(crate) fn signed(&self) -> SignedOpRef<'_> {
        self.verified.signed()
    }

    pub(crate) fn hash(&self) -> OpHash {
        self.verified.hash()
    }

    /// Permits a verified operation without a guard.
    pub(crate) fn unguarded(verified: VerifiedOp<'a>) -> Self {
        Self { verified }
    }
}

/// The error of a guard that returned [`Verdict::Abort`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the guard stopped the batch")]
#[non_exhaustive]
pub struct Aborted;

/// Asks the guard about verified operations. Returns for each, in order, the permitted operation, or `None` if it is
/// refused.
pub(crate) fn permit<'a>(
    guard: Option<&mut (dyn Guard + 'static)>,
    verified: Vec<VerifiedOp<'a>>,
) -> Result<Vec<Option<PermittedOp<'a>>>, Aborted> {
    let mut verdicts = vec![Verdict::Admit; verified.len()];
    if let Some(guard) = guard.filter(|_| !verified.is_empty()) {
        verdicts.fill(Verdict::Reject);
        guard.judge(&verified, &mut verdicts);
    }
    if verdicts.contains(&Verdict::Abort) {
        return Err(Aborted);
    }
    let permitted = verified.into_iter().zip(verdicts);
    let permitted =
        permitted.map(|(verified, verdict)| (verdict == Verdict::Admit).then_some(PermittedOp { verified }));
    Ok(permitted.collect())
}
