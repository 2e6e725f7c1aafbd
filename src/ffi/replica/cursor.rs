//! The cursor.

use std::mem::MaybeUninit;
use std::sync::Arc;

use crate::ffi::glue::boundary::{free_owned, guarded};
use crate::ffi::glue::error::{Failure, policysync_error};
use crate::ffi::glue::growing::Growing;
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::{POLICYSYNC_DONE, POLICYSYNC_OK};
use crate::ffi::replica::handle::policysync_replica;
use crate::ffi::types::op::policysync_op;
use crate::oplog::{Cursor, LogEntry};

/// An iterator over the log, in the order in which operations were appended. Operations that are appended meanwhile are
/// found at the end: none is missed and none comes twice. It shares the data of its replica, so the two may be freed in
/// any order. One thread at a time.
pub struct policysync_cursor {
    replica: Arc<policysync_replica>,
    at: Cursor,
    /// The operations that the caller's views point into.
    entries: Vec<LogEntry>,
}

/// Opens a cursor.
///
/// `position`: 0 for all operations, or a position of this replica for those that were appended since.
/// `out`: the cursor, to be freed with `policysync_cursor_free`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (no log can have that position) or
/// `POLICYSYNC_ERR_PANIC`.
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
        out.write_owned(policysync_cursor { replica, at, entries: Vec::new() });
        Ok(POLICYSYNC_OK)
    })
}

/// Returns the next operations.
///
/// `ops`, `stride`, `capacity`: room for `capacity` operations, `stride` bytes apart: `sizeof(policysync_op)`. Their
/// pointers are valid until the next call on this cursor.
/// `out_count`: the number of operations that were written, at least 1 if the call returns `POLICYSYNC_OK`.
///
/// On any failure the cursor stays where it is.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (no more at present; ask again later), `POLICYSYNC_ERR_NULL`,
/// `POLICYSYNC_ERR_ARGUMENT` (`capacity` is 0), `POLICYSYNC_ERR_VERSION` (`stride` is too small), a store failure,
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
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
        let found: Result<Vec<LogEntry>, crate::StoreError> = {
            let entered = cursor.replica.enter()?;
            entered.inside.replica.log().since(cursor.at).take(ops.len()).collect()
        };
        cursor.entries = found?;
        let Some(last) = cursor.entries.last() else { return Ok(POLICYSYNC_DONE) };
        cursor.at = last.cursor;
        for (at, entry) in cursor.entries.iter().enumerate() {
            ops.write(at, &policysync_op::signed(&entry.op, entry.hash));
        }
        out_count.write(cursor.entries.len());
        Ok(POLICYSYNC_OK)
    })
}

/// Returns the position of the cursor: another one that is opened there finds the operations that this one has not
/// returned.
///
/// `out`: the position.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`.
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

/// Frees a cursor. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_cursor_free(cursor: Option<Box<policysync_cursor>>) {
    free_owned(cursor);
}
