//! A walk over the log.

use std::mem::MaybeUninit;
use std::sync::Arc;

use super::boundary::{Growing, guarded, guarded_or};
use super::error::{Failure, policysync_error};
use super::replica::policysync_replica;
use super::status::policysync_status;
use super::status::policysync_status_code::*;
use super::view::policysync_op;
use crate::oplog::{Cursor, LogEntry};

/// A walk over the log in the order of arrival. What arrives during the walk is found at its end: nothing is missed and
/// nothing comes twice. It keeps what it needs of its replica, so the two may be freed in any order. One thread at a
/// time.
pub struct policysync_cursor {
    replica: Arc<policysync_replica>,
    at: Cursor,
    /// What the caller's views point into.
    entries: Vec<LogEntry>,
}

/// Begins a walk over the log.
///
/// `position`: 0 for all operations, or a position of this replica: those that arrived since.
/// `out`: the cursor, to be freed with `policysync_cursor_free`; NULL when the call fails.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (no log can have that position) or
/// `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_cursor_open(
    replica: MaybeUninit<&mut policysync_replica>,
    position: u64,
    out: MaybeUninit<&mut *mut policysync_cursor>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.handle_out(out, "out")?;
        let replica = call.shared(replica, "replica")?;
        let at = Cursor::from_position(position)
            .ok_or_else(|| Failure::argument(format!("position is {position}, past the end of any log")))?;
        out.write(Box::into_raw(Box::new(policysync_cursor { replica, at, entries: Vec::new() })));
        Ok(POLICYSYNC_OK)
    })
}

/// The next operations.
///
/// `ops`, `stride`, `capacity`: room for so many operations, `stride` bytes from one to the next:
/// `sizeof(policysync_op)`. What they point to lives until the next call on this cursor.
/// `out_count`: how many were written, at least 1 when the call returns `POLICYSYNC_OK`.
/// `err`: may be NULL. On any failure the cursor stands where it stood.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (there are no more at present; ask again later), `POLICYSYNC_ERR_NULL`,
/// `POLICYSYNC_ERR_ARGUMENT` (no room), `POLICYSYNC_ERR_VERSION` (`stride` is too small), a store failure,
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. One thread at a time. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_cursor_next(
    cursor: MaybeUninit<&mut policysync_cursor>,
    ops: *mut policysync_op,
    stride: usize,
    capacity: usize,
    out_count: MaybeUninit<&mut usize>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let cursor = call.exclusive(cursor, "cursor")?;
        let ops = call.out_array(ops, stride, capacity, policysync_op::FIRST_SIZE, "ops")?;
        let out_count = call.out(out_count, "out_count")?;
        if ops.len() == 0 {
            return Err(Failure::argument("capacity is 0"));
        }
        let found: Result<Vec<LogEntry>, _> = {
            let entered = cursor.replica.enter()?;
            entered.inside.replica.log().since(cursor.at).take(ops.len()).collect()
        };
        cursor.entries = found?;
        let Some(last) = cursor.entries.last() else { return Ok(POLICYSYNC_DONE) };
        cursor.at = last.cursor;
        for (at, entry) in cursor.entries.iter().enumerate() {
            ops.write(at, &policysync_op::of(entry.op.as_ref(), entry.hash));
        }
        out_count.write(cursor.entries.len());
        Ok(POLICYSYNC_OK)
    })
}

/// Where the cursor stands: a walk that begins here finds what it has not found.
///
/// `out`: the position.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`. One thread at a time. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_cursor_position(
    cursor: MaybeUninit<&policysync_cursor>,
    out: MaybeUninit<&mut u64>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let cursor = call.required(cursor, "cursor")?;
        call.out(out, "out")?.write(cursor.at.position());
        Ok(POLICYSYNC_OK)
    })
}

/// Frees a cursor. NULL is allowed. One thread at a time for one cursor. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_cursor_free(cursor: Option<Box<policysync_cursor>>) {
    guarded_or((), |_| {
        drop(cursor);
        None
    });
}
