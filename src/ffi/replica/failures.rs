//! The last failures of a replica, for its report.

use std::collections::VecDeque;

use crate::WallMillis;
use crate::ffi::glue::error::Failure;

/// The most failures that are kept.
const MAX_FAILURES: usize = 8;

/// The last failures of calls that may change a replica, as text without names and values.
#[derive(Default)]
pub(in crate::ffi) struct Failures(VecDeque<(WallMillis, String)>);

impl Failures {
    /// Keeps the failure, unless a peer is the reason: its messages would displace the others.
    pub(in crate::ffi) fn note(&mut self, now: WallMillis, failure: &Failure) {
        if failure.is_foreign() {
            return;
        }
        if self.0.len() >= MAX_FAILURES {
            self.0.pop_front();
        }
        self.0.push_back((now, failure.without_content()));
    }

    pub(in crate::ffi) fn write(&self, text: &mut String) {
        for (now, failure) in &self.0 {
            text.push_str(&format!("error at {}: {failure}\n", now.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::ffi::glue::status::policysync_status_code::POLICYSYNC_ERR_BUSY;
    use crate::store::Cause;
    use crate::sync::PeerMisbehaved;
    use crate::{IngestError, StoreError, SyncError, Value};

    #[test]
    fn a_report_keeps_failures_of_this_side_without_content() {
        let mut failures = Failures::default();
        let disk = StoreError::Io(Cause::new("input/output error", Some(5))).in_file(Path::new("/a/b.db"));
        failures.note(WallMillis(1), &SyncError::Ingest(IngestError::Store(disk)).into());
        let quoting = Value::parse(r#"{"card":12345678901234567890}"#).unwrap_err();
        failures.note(WallMillis(2), &Failure::from(quoting).at(3));
        for _ in 0..8 {
            failures.note(WallMillis(3), &SyncError::PeerMisbehaved(PeerMisbehaved::Range).into());
            failures.note(WallMillis(3), &SyncError::Stray.into());
            failures.note(WallMillis(3), &SyncError::OutOfTurn.into());
            failures.note(WallMillis(3), &Failure::new(POLICYSYNC_ERR_BUSY, "another thread"));
        }
        let mut text = String::new();
        failures.write(&mut text);
        assert_eq!(
            text,
            "error at 1: POLICYSYNC_ERR_IO: the disk failed: input/output error\n\
             error at 2: POLICYSYNC_ERR_VALUE, index 3\n"
        );
    }
}
