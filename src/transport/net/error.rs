//! The error of a connection.

use std::io;

use super::{HeaderError, TlsError};

/// An error in connecting to a server, or of the connection later.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The URL is malformed, or has another scheme. It is not shown, since it may hold a password.
    #[error("the URL is malformed, or its scheme is neither {scheme} nor {scheme}s")]
    Url {
        /// The transport's scheme without TLS: `http` or `ws`.
        scheme: &'static str,
    },
    /// The host in the URL has a form that no certificate can be for.
    #[error("the host in the URL is neither a name nor an address")]
    HostName,
    /// The URL is `https` or `wss`, and the library was built without the feature `tls`.
    #[error("the URL needs the feature tls, which this build does not have")]
    NoTls,
    /// A header of the options cannot be sent.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The name of the host is not known.
    #[error("the host is not known")]
    HostNotFound,
    /// Connecting took too long, the handshakes included.
    #[error("timed out while connecting")]
    Timeout,
    /// The connection was refused, or broke.
    #[error("the connection failed")]
    Io(#[source] io::Error),
    /// TLS failed.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl ConnectionError {
    /// Converts an error of reading or writing, which may be one of TLS.
    #[cfg(feature = "tls")]
    pub(in crate::transport) fn of_io(error: io::Error) -> Self {
        TlsError::of_io(error).map_or_else(Self::Io, Self::Tls)
    }

    /// Converts an error of reading or writing.
    #[cfg(not(feature = "tls"))]
    pub(in crate::transport) const fn of_io(error: io::Error) -> Self {
        Self::Io(error)
    }

    /// Returns true if the same call may succeed later: the network or the server failed, not the program.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::HostNotFound | Self::Timeout | Self::Io(_))
    }
}
