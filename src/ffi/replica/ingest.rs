//! Ingesting operations.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use crate::Incoming;
use crate::ffi::glue::boundary::guarded;
use crate::ffi::glue::buffer::policysync_bytes;
use crate::ffi::glue::error::{Failure, policysync_error};
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::POLICYSYNC_OK;
use crate::ffi::replica::handle::policysync_replica;
use crate::ffi::types::outcome::{policysync_outcome, status_of};

/// Ingests one operation in either form: verifies it, asks the guard, appends and merges it.
///
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `op`, `op_len`: JSON or the binary form.
/// `outcome`, `outcome_size`: the outcome: room for `outcome_size` bytes, `sizeof(policysync_outcome)`. Written only if
/// the operation is not refused. NULL if it is not wanted.
///
/// On any failure the replica is unchanged.
///
/// Returns `POLICYSYNC_OK` (in the log and merged), `POLICYSYNC_HELD`, `POLICYSYNC_DUPLICATE`,
/// `POLICYSYNC_ERR_MALFORMED`, `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_UNKNOWN_KEY`,
/// `POLICYSYNC_ERR_BAD_SIGNATURE`, `POLICYSYNC_ERR_DENIED`, `POLICYSYNC_ERR_ABORTED`, `POLICYSYNC_ERR_CALLBACK`,
/// `POLICYSYNC_ERR_FULL`, a store failure, `POLICYSYNC_ERR_CLOCK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`,
/// `POLICYSYNC_ERR_VERSION` (`outcome_size` is too small), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_ingest(
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    op: *const c_void,
    op_len: usize,
    outcome: *mut policysync_outcome,
    outcome_size: usize,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let replica = call.shared(replica, "replica")?;
        let bytes = call.bytes(op, op_len, "op")?;
        let room = if outcome.is_null() { 0 } else { 1 };
        let out = call.out_array(outcome, outcome_size, room, policysync_outcome::FIRST_SIZE, "outcome")?;
        let outcome = replica.change(now_ms, |replica, now| Ok(replica.ingest(now, bytes)?))?;
        if out.len() == 1 {
            out.write(0, &policysync_outcome::of(&Ok(outcome)));
        }
        Ok(status_of(outcome))
    })
}

/// Ingests many operations at once, each in either form, with an outcome for each. The result is the same as one by
/// one, but it is much faster. Refused operations do not affect the others and do not make the call fail.
///
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `ops`, `ops_stride`, `count`: the operations, `ops_stride` bytes apart: `sizeof(policysync_bytes)`, or the size of
/// your struct that begins with one.
/// `outcomes`, `outcomes_stride`: the outcomes: room for `count` of them, `outcomes_stride` bytes apart:
/// `sizeof(policysync_outcome)`, or the size of your struct that begins with one. Written only if the call succeeds.
/// NULL if they are not wanted.
///
/// On any failure nothing of the batch is kept.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` (`op_index` is the element), `POLICYSYNC_ERR_ARGUMENT`,
/// `POLICYSYNC_ERR_VERSION` (a stride is too small), `POLICYSYNC_ERR_CLOCK`, `POLICYSYNC_ERR_ABORTED`,
/// `POLICYSYNC_ERR_CALLBACK`, `POLICYSYNC_ERR_FULL`, a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_ingest_many(
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    ops: *const policysync_bytes,
    ops_stride: usize,
    count: usize,
    outcomes: *mut policysync_outcome,
    outcomes_stride: usize,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let replica = call.shared(replica, "replica")?;
        let room = if outcomes.is_null() { 0 } else { count };
        let out =
            call.out_array(outcomes, outcomes_stride, room, policysync_outcome::FIRST_SIZE, "outcomes")?;
        let batch = call
            .array(ops, ops_stride, count, "ops")?
            .enumerate()
            .map(|(at, op)| Ok(Incoming::from(op.get(call, "ops[].data").map_err(|failure| failure.at(at))?)))
            .collect::<Result<Vec<Incoming<'_>>, Failure>>()?;
        let answers = replica.change(now_ms, |replica, now| Ok(replica.ingest_batch(now, &batch)?))?;
        for (at, answer) in answers.iter().enumerate().take(out.len()) {
            out.write(at, &policysync_outcome::of(answer));
        }
        Ok(POLICYSYNC_OK)
    })
}
