//! The bookkeeping of a batch.

use std::sync::{Mutex, PoisonError};

use super::{OpRefusal, Outcome};
use crate::codec::{OpHash, OpHashSet};

/// The result of ingesting one operation.
pub(super) type OpResult = Result<Outcome, OpRefusal>;

/// An item with its position in the batch.
pub(super) type Positioned<T> = (usize, T);

/// The result of each operation of a batch, in the order of the batch.
pub(super) struct Results(Vec<Option<OpResult>>);

impl Results {
    pub(super) fn new(len: usize) -> Self {
        Self(std::iter::repeat_with(|| None).take(len).collect())
    }

    pub(super) fn set(&mut self, position: usize, result: OpResult) {
        if let Some(slot) = self.0.get_mut(position) {
            *slot = Some(result);
        }
    }

    #[expect(
        clippy::expect_used,
        reason = "each step sets the results of the operations that it does not pass on"
    )]
    pub(super) fn complete(self) -> Vec<OpResult> {
        self.0.into_iter().map(|result| result.expect("every operation has a result")).collect()
    }
}

/// The new operations of a batch that some thread verifies or has verified, shared by the threads.
pub(super) struct Claims(Mutex<OpHashSet>);

impl Claims {
    pub(super) fn new(len: usize) -> Self {
        Self(Mutex::new(OpHashSet::with_capacity_and_hasher(len, Default::default())))
    }

    /// Claims an operation for the calling thread. Returns true if no thread has claimed it before.
    pub(super) fn claim(&self, hash: OpHash) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(hash)
    }
}
