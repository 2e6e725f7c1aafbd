//! What became of an operation.

use super::status::policysync_status_code::{POLICYSYNC_DUPLICATE, POLICYSYNC_HELD, POLICYSYNC_OK};
use super::status::{Status, policysync_status, policysync_status_code};
use crate::{Effect, OpHash, OpRefusal, Outcome};

/// What an operation did to its field: `effect` of `policysync_outcome`.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum policysync_effect {
    /// Nothing: it was refused, is held, or was there already.
    POLICYSYNC_NO_EFFECT = 0,
    /// The field is what it says now.
    POLICYSYNC_WON = 1,
    /// The field stays as it is: a greater operation stands above this one.
    POLICYSYNC_LOST = 2,
}

/// What became of one operation. Hashes that do not apply are zero. Later versions may add members at the end: use your
/// own `sizeof(policysync_outcome)` as the stride, and make an array zero before the call.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_outcome {
    /// `POLICYSYNC_OK` (in the log and merged), `POLICYSYNC_HELD`, `POLICYSYNC_DUPLICATE`, or why it was refused:
    /// `POLICYSYNC_ERR_MALFORMED`, `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_UNKNOWN_KEY`,
    /// `POLICYSYNC_ERR_BAD_SIGNATURE`, `POLICYSYNC_ERR_DENIED`.
    pub status: policysync_status,
    /// What it did to its field: a `policysync_effect`.
    pub effect: u32,
    /// Of an operation that is held: when the wall clock says this, it is merged.
    pub until_ms: u64,
    /// Its identity; zero where it was refused.
    pub hash: [u8; 32],
    /// Of one that won, the operation that had won before; of one that lost, the greater one.
    pub other: [u8; 32],
    /// Another operation of the same actor with the same timestamp: the actor said two things at one time.
    pub equivocates_with: [u8; 32],
}

impl policysync_outcome {
    pub(super) const FIRST_SIZE: usize = size_of::<Self>();

    pub(super) fn of(answer: &Result<Outcome, OpRefusal>) -> Self {
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

/// The status of an operation that was not refused.
pub(super) fn status_of(outcome: Outcome) -> policysync_status_code {
    match outcome {
        Outcome::Appended { .. } => POLICYSYNC_OK,
        Outcome::Held { .. } => POLICYSYNC_HELD,
        Outcome::Duplicate { .. } => POLICYSYNC_DUPLICATE,
    }
}
