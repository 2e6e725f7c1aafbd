//! The outcome of ingesting an operation.

use crate::ffi::glue::error::Status;
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::{
    self, POLICYSYNC_DUPLICATE, POLICYSYNC_HELD, POLICYSYNC_OK,
};
use crate::{Effect, OpHash, OpRefusal, Outcome};

/// The effect of an operation on its field: `effect` of `policysync_outcome`.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum policysync_effect {
    /// None: the operation was refused, is held or was in the log already.
    POLICYSYNC_NO_EFFECT = 0,
    /// The field now has the value of this operation.
    POLICYSYNC_WON = 1,
    /// The field is unchanged: a greater operation won.
    POLICYSYNC_LOST = 2,
}

/// The outcome of ingesting one operation. Hashes that do not apply are zero. Pass your own
/// `sizeof(policysync_outcome)` as the size or stride, and zero an array before the call: an older library writes fewer
/// members.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_outcome {
    /// `POLICYSYNC_OK` (in the log and merged), `POLICYSYNC_HELD`, `POLICYSYNC_DUPLICATE`, or the reason for the
    /// refusal: `POLICYSYNC_ERR_MALFORMED`, `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_UNKNOWN_KEY`,
    /// `POLICYSYNC_ERR_BAD_SIGNATURE`, `POLICYSYNC_ERR_DENIED`.
    pub status: policysync_status,
    /// The effect on the field: a `policysync_effect`.
    pub effect: u32,
    /// For an operation that is held: the wall clock time at which it is merged.
    pub until_ms: u64,
    /// The identity of the operation; zero if it was refused.
    pub hash: [u8; 32],
    /// For an operation that won, the previous winner; for one that lost, the greater operation.
    pub other: [u8; 32],
    /// Another operation of the same actor with the same timestamp, which proves that the actor contradicted itself.
    pub equivocates_with: [u8; 32],
}

impl policysync_outcome {
    pub(in crate::ffi) const FIRST_SIZE: usize = size_of::<Self>();

    pub(in crate::ffi) fn of(answer: &Result<Outcome, OpRefusal>) -> Self {
        let bytes = |hash: Option<OpHash>| hash.map_or([0; 32], |hash| *hash.as_bytes());
        let base = |status: policysync_status_code, hash, equivocates_with| Self {
            status: status.number(),
            effect: policysync_effect::POLICYSYNC_NO_EFFECT.number(),
            until_ms: 0,
            hash: bytes(hash),
            other: [0; 32],
            equivocates_with: bytes(equivocates_with),
        };
        match *answer {
            Ok(Outcome::Appended { hash, effect, equivocates_with }) => {
                let (effect, other) = match effect {
                    Effect::Won { superseded } => (policysync_effect::POLICYSYNC_WON, superseded),
                    Effect::Lost { to } => (policysync_effect::POLICYSYNC_LOST, Some(to)),
                };
                let base = base(POLICYSYNC_OK, Some(hash), equivocates_with);
                Self { effect: effect.number(), other: bytes(other), ..base }
            }
            Ok(Outcome::Held { hash, until, equivocates_with }) => {
                Self { until_ms: until.0, ..base(POLICYSYNC_HELD, Some(hash), equivocates_with) }
            }
            Ok(Outcome::Duplicate { hash }) => base(POLICYSYNC_DUPLICATE, Some(hash), None),
            Err(ref refused) => base(refused.status(), None, None),
        }
    }
}

impl policysync_effect {
    #[expect(clippy::as_conversions, reason = "an enum without fields is its number")]
    const fn number(self) -> u32 {
        self as u32
    }
}

/// Returns the status of an operation that was not refused.
pub(in crate::ffi) fn status_of(outcome: Outcome) -> policysync_status_code {
    match outcome {
        Outcome::Appended { .. } => POLICYSYNC_OK,
        Outcome::Held { .. } => POLICYSYNC_HELD,
        Outcome::Duplicate { .. } => POLICYSYNC_DUPLICATE,
    }
}
