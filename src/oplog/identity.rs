//! Which log this is, among those that are open.

use std::fmt;
use std::sync::Arc;

/// An open log, told from every other: from one with the same operations too, and from its own file when that is opened
/// again. Numbers of operations mean the same where this is the same.
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
    fn a_log_is_itself_and_no_other() {
        let (one, other) = (LogId::default(), LogId::default());
        assert_eq!(one, one.clone());
        assert_ne!(one, other);
        assert_eq!(format!("{one:?}"), "LogId");
    }
}
