//! The message of an error with its causes.

use std::error::Error;

/// Returns the message of an error with its causes, as functions of C report it: `Display` of an error leaves out the
/// causes that [`Error::source`] returns. A message that ends with its cause already contains it.
///
/// ```
/// use policysync::{OpenError, StoreError, with_causes};
///
/// let error: OpenError = StoreError::Full.into();
/// assert_eq!(with_causes(&error), "the log is full");
///
/// let refused = std::io::Error::other("the cable is cut");
/// let error = policysync::transport::ConnectionError::Io(refused);
/// assert_eq!(with_causes(&error), "the connection failed: the cable is cut");
/// ```
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let message = cause.to_string();
        if !text.ends_with(&message) {
            text = format!("{text}: {message}");
        }
        source = cause.source();
    }
    text
}
