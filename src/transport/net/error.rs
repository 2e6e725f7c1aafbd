//! The error of a connection.

use std::io;

use super::{HeaderError, TlsError};

/// An error in connecting to a server, or of the connection later.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The URL is malformed, has another scheme, or names a user. It is not shown, since it may hold a password.
    #[error("the URL is malformed or names a user, or its scheme is neither {scheme} nor {scheme}s")]
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
    /// The URL of the proxy is not `http://[user:password@]host[:port]`. It is not shown, since it may hold a password.
    #[error("the URL of the proxy is malformed, or its scheme is not http")]
    ProxyUrl,
    /// The proxy does not connect to the server. 407 asks for credentials, or for other ones.
    #[error("the proxy does not connect to the server (status {status})")]
    Proxy {
        /// 100 to 999, but not 200 to 299.
        status: u16,
    },
    /// The proxy's bytes are not HTTP.
    #[error("the proxy does not speak HTTP")]
    NotAProxy(#[source] Box<dyn std::error::Error + Send + Sync>),
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
        match self {
            Self::HostNotFound | Self::Timeout | Self::Io(_) => true,
            Self::Proxy { status } => is_temporary_status(*status),
            _ => false,
        }
    }
}

/// Returns true for the status of an answer that may be another one later: because of the network, of load, or of a
/// fault of the server.
pub(in crate::transport) const fn is_temporary_status(status: u16) -> bool {
    // 511 is that of a network that wants its user to log in (RFC 6585, section 6).
    matches!(status, 408 | 421 | 425 | 429 | 500 | 502 | 503 | 504 | 511)
}
