//! The last failures of a replica, for its report.

use std::collections::VecDeque;

use crate::WallMillis;
use crate::ffi::glue::error::Failure;

/// The most failures that are kept.
const MAX_FAILURES: usize = 8;

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

    pub(in crate::ffi) fn write(&self, text: &mut String) {
        for (now, status, message) in &self.0 {
            text.push_str(&format!("error at {}: status {status}: {message}\n", now.0));
        }
    }
}
