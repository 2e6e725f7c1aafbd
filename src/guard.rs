//! What the application refuses, of operations that are verified already.

use crate::codec::OpHash;
use crate::keys::VerifiedOp;
use crate::op::{OpRef, SignedOpRef};

/// What a guard says of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Let it in.
    Admit,
    /// Refuse this one; the others of its batch go on.
    Reject,
    /// Stop: refuse the whole batch, and leave the replica as it was.
    Abort,
}

/// Refuses operations that the application does not want, a batch at a time.
///
/// A guard sees only operations that are new and, unless the replica was opened with
/// [`dangerously_accept_unverified`](crate::ReplicaOptions::dangerously_accept_unverified), verified; it can refuse, it
/// can never admit what is not signed. Running without a guard loses no check of a signature.
///
/// It sees what an operation says, not who carried it, nor which of the actor's keys signed.
///
/// **A guard must be a deterministic function of the operation alone**: not of the time, of what is stored, of the
/// order of calls. Otherwise two replicas admit different operations and never agree again.
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
    /// Writes a verdict for each operation; both slices have the same length, and every verdict stands at
    /// [`Verdict::Reject`] before the call.
    fn judge(&mut self, ops: &[VerifiedOp<'_>], verdicts: &mut [Verdict]);
}

impl<F: FnMut(&VerifiedOp<'_>) -> Verdict + Send> Guard for F {
    fn judge(&mut self, ops: &[VerifiedOp<'_>], verdicts: &mut [Verdict]) {
        for (op, verdict) in ops.iter().zip(verdicts) {
            *verdict = self(op);
        }
    }
}

/// An operation that is verified and that the guard lets in. Only this file makes one.
#[derive(Clone, Debug)]
pub struct PermittedOp<'a> {
    verified: VerifiedOp<'a>,
}

impl<'a> PermittedOp<'a> {
    /// The operation.
    #[must_use]
    pub fn op(&self) -> OpRef<'_> {
        self.verified.op()
    }

    pub(crate) fn signed(&self) -> SignedOpRef<'_> {
        self.verified.signed()
    }

    /// Its identity.
    #[must_use]
    pub fn hash(&self) -> OpHash {
        self.verified.hash()
    }

    /// Where the application has no guard, what is verified is permitted.
    pub(crate) fn unguarded(verified: VerifiedOp<'a>) -> Self {
        Self { verified }
    }
}

/// The guard said [`Verdict::Abort`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the guard stopped the batch")]
pub struct Aborted;

/// Asks the guard about verified operations: for each, in order, the permitted operation or `None` where it is refused.
pub(crate) fn permit<'a>(
    guard: Option<&mut (dyn Guard + 'static)>,
    verified: Vec<VerifiedOp<'a>>,
) -> Result<Vec<Option<PermittedOp<'a>>>, Aborted> {
    let Some(guard) = guard else {
        return Ok(verified.into_iter().map(|verified| Some(PermittedOp::unguarded(verified))).collect());
    };
    if verified.is_empty() {
        return Ok(Vec::new());
    }
    let mut verdicts = vec![Verdict::Reject; verified.len()];
    guard.judge(&verified, &mut verdicts);
    if verdicts.contains(&Verdict::Abort) {
        return Err(Aborted);
    }
    let permitted = verified.into_iter().zip(verdicts).map(|(verified, verdict)| match verdict {
        Verdict::Admit => Some(PermittedOp { verified }),
        Verdict::Reject | Verdict::Abort => None,
    });
    Ok(permitted.collect())
}
