//! The changes of the state since a position that can be kept.

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::Arc;

use crate::ffi::glue::boundary::{free_owned, guarded};
use crate::ffi::glue::buffer::policysync_buffer;
use crate::ffi::glue::error::{Failure, policysync_error};
use crate::ffi::glue::growing::Growing;
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::{POLICYSYNC_DONE, POLICYSYNC_OK};
use crate::ffi::replica::ask::ask;
use crate::ffi::replica::handle::policysync_replica;
use crate::ffi::types::op::policysync_op;
use crate::replica::{ChangedFields, FieldChange, StateCursor};

/// An iterator over the fields that have changed since a position in the history of the merged state, each once, for
/// whatever reason: an operation was written or ingested, a held one became due, the clock was reset. The position can
/// be kept across restarts. The iterator shares the data of its replica, so the two may be freed in any order. One
/// thread at a time.
pub struct policysync_changes {
    replica: Arc<policysync_replica>,
    fields: ChangedFields,
    /// The changes that the caller's views point into.
    shown: Vec<FieldChange>,
}

/// Returns the present position in the history of the merged state.
///
/// `out`: the position, about 40 bytes to be kept. They are valid for this log only, also after it is opened again.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_state_position(
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.buffer(out)?;
        ask(call, replica, |replica| Ok(Some(replica.state_cursor())), |cursor| out.fill(&cursor.to_bytes()))
    })
}

/// Finds the fields that have changed since a position. `policysync_replica_poll` merges the operations that have
/// become due before. Takes time proportional to the operations that were appended or became due since.
///
/// `position`, `position_len`: a position of this log; NULL and 0 for all fields.
/// `out`: the changes, to be freed with `policysync_changes_free`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_MALFORMED` or `POLICYSYNC_ERR_PEER_VERSION` (not a
/// position, or one of a later version), `POLICYSYNC_ERR_OTHER_REPLICA` (of another log, or the log has lost operations
/// since: begin with all fields), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_changes_open(
    replica: MaybeUninit<&mut policysync_replica>,
    position: *const c_void,
    position_len: usize,
    out: MaybeUninit<&mut *mut policysync_changes>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.handle_out(out, "out")?;
        let replica = call.shared(replica, "replica")?;
        let cursor = match call.bytes(position, position_len, "position")? {
            [] => StateCursor::START,
            bytes => StateCursor::from_bytes(bytes)?,
        };
        let fields = replica.enter()?.inside.replica.changed_fields(&cursor)?;
        out.write_owned(policysync_changes { replica, fields, shown: Vec::new() });
        Ok(POLICYSYNC_OK)
    })
}

/// Returns the next changed fields, each as the operation that determines it now. A field of which no operation is
/// merged any more has an operation of kind `POLICYSYNC_DELETE` with an empty actor and a hash of zeros.
///
/// `ops`, `stride`, `capacity`: room for `capacity` operations, `stride` bytes apart: `sizeof(policysync_op)`. Their
/// pointers are valid until the next call on this object.
/// `out_count`: the number of operations that were written, at least 1 if the call returns `POLICYSYNC_OK`.
///
/// On any failure the iterator stays where it is.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (no more), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (`capacity`
/// is 0), `POLICYSYNC_ERR_VERSION` (`stride` is too small), a store failure, `POLICYSYNC_ERR_BUSY` or
/// `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_changes_next(
    changes: MaybeUninit<&mut policysync_changes>,
    ops: *mut policysync_op,
    stride: usize,
    capacity: usize,
    out_count: MaybeUninit<&mut usize>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let changes = call.exclusive(changes, "changes")?;
        let ops = call.out_array(ops, stride, capacity, policysync_op::FIRST_SIZE, "ops")?;
        let out_count = call.out(out_count, "out_count")?;
        if ops.len() == 0 {
            return Err(Failure::argument("capacity is 0"));
        }
        let before = changes.fields.returned;
        let found: Result<Vec<FieldChange>, _> = {
            let entered = changes.replica.enter()?;
            let next = || changes.fields.next(&entered.inside.replica);
            std::iter::from_fn(next).take(ops.len()).collect()
        };
        if found.is_err() {
            changes.fields.returned = before;
        }
        changes.shown = found?;
        if changes.shown.is_empty() {
            return Ok(POLICYSYNC_DONE);
        }
        for (at, change) in changes.shown.iter().enumerate() {
            ops.write(at, &policysync_op::change(change));
        }
        out_count.write(changes.shown.len());
        Ok(POLICYSYNC_OK)
    })
}

/// Returns the position after all of these changes. Keep it when the last of them has been dealt with, together with
/// the result.
///
/// `out`: the position.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_changes_position(
    changes: MaybeUninit<&policysync_changes>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let changes = call.required(changes, "changes")?;
        call.buffer(out)?.fill(&changes.fields.cursor.to_bytes());
        Ok(POLICYSYNC_OK)
    })
}

/// Frees changes. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_changes_free(changes: Option<Box<policysync_changes>>) {
    free_owned(changes);
}
