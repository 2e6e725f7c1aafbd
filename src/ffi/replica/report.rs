//! The report about a replica.

use std::mem::MaybeUninit;

use crate::ffi::glue::boundary::guarded;
use crate::ffi::glue::buffer::policysync_buffer;
use crate::ffi::glue::error::policysync_error;
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::POLICYSYNC_OK;
use crate::ffi::replica::handle::policysync_replica;

/// Returns a description of the replica for an error report: versions, options, counts, digests and the last eight
/// failures of calls that could change it, as text with a line for each entry. It contains no keys, values or names. A
/// failure is the name of its status, the index (`op_index`), and the message only if the store failed. Failures for
/// which a peer or another thread is the reason are left out (-100 to -199, `POLICYSYNC_ERR_BUSY` and
/// `POLICYSYNC_ERR_OUT_OF_TURN`). Takes time proportional to the number of fields.
///
/// `out`: the text, UTF-8. Unchanged unless the call returns `POLICYSYNC_OK`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC` (also after a panic
/// in an earlier call: there is no report about this replica then).
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_report(
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let replica = call.shared(replica, "replica")?;
        let out = call.buffer(out)?;
        let entered = replica.enter()?;
        let mut text = entered.inside.replica.report().to_string();
        entered.inside.failures.write(&mut text);
        out.fill(text.as_bytes());
        Ok(POLICYSYNC_OK)
    })
}
