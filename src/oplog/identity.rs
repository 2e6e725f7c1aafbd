//! The identity of an open log.

use std::fmt;
use std::sync::Arc;

/// The identity of an open log. It differs from that of every other log, even with the same operations, and from that
/// of its own file when it is opened again. An [`OpSeq`](crate::op::OpSeq) is only valid in the log with the same
/// identity.
#[derive(Clone, Default)]
pub(crate) struct LogId(Arc<()>);

impl PartialEq for LogId {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for LogId {}

impl fmt::Debug for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogId")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_equals_only_itself() {
        let (one, other) = (LogId::default(), LogId::default());
        assert_eq!(one, one.clone());
        assert_ne!(one, other);
        assert_eq!(format!("{one:?}"), "LogId");
    }
}
