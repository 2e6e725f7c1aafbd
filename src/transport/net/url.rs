//! The check of a server's URL.

use super::ConnectionError;

/// Returns true if the URL needs TLS. `plain` is the scheme without TLS; the one with TLS has an `s` after it.
pub(in crate::transport) fn needs_tls(
    scheme: Option<&str>,
    host: Option<&str>,
    plain: &'static str,
) -> Result<bool, ConnectionError> {
    let malformed = ConnectionError::Url { scheme: plain };
    if host.is_none_or(str::is_empty) {
        return Err(malformed);
    }
    match scheme.and_then(|scheme| scheme.strip_prefix(plain)) {
        Some("") => Ok(false),
        Some("s") if cfg!(feature = "tls") => Ok(true),
        Some("s") => Err(ConnectionError::NoTls),
        _ => Err(malformed),
    }
}
