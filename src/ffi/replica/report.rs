//! The report about a replica, and the failures that it lists.

use std::collections::VecDeque;
use std::mem::MaybeUninit;

use crate::WallMillis;
use crate::ffi::glue::boundary::guarded;
use crate::ffi::glue::buffer::policysync_buffer;
use crate::ffi::glue::error::{Failure, policysync_error};
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::POLICYSYNC_OK;
use crate::ffi::replica::handle::policysync_replica;

/// The most failures that are kept.
const MAX_FAILURES: usize = 8;

/// Returns a description of the replica for an error report: versions, options, counts, digests and the last eight
/// failures of writes and received operations, as text with a line for each entry. It contains no keys and no values.
/// Only the failures name the file and actors. Takes time proportional to the number of fields.
///
/// `out`: the text, UTF-8. Unchanged unless the call returns `POLICYSYNC_OK`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
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

/// The last failures of calls that may change a replica.
#[derive(Default)]
pub(in crate::ffi) struct Failures(VecDeque<(WallMillis, i32, String)>);

impl Failures {
    pub(in crate::ffi) fn note(&mut self, now: WallMillis, failure: &Failure) {
        if self.0.len() >= MAX_FAILURES {
            self.0.pop_front();
        }
        self.0.push_back((now, failure.status.number(), failure.message().to_owned()));
    }

    fn write(&self, text: &mut String) {
        for (now, status, message) in &self.0 {
            text.push_str(&format!("error at {}: status {status}: {message}\n", now.0));
        }
    }
}
