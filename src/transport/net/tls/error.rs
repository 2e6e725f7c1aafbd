//! Why there is no TLS.

use std::error::Error;
#[cfg(feature = "tls")]
use std::io;

/// Why TLS failed. Where it fails in its handshake, nothing has been sent of what the application has to say: no
/// message, no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The server's certificate is signed by nobody whose certificates are believed. `TlsRoots` says whose are.
    #[error("the server's certificate is signed by nobody who is trusted here")]
    UnknownIssuer,
    /// The server's certificate is for another name than the URL has.
    #[error("the server's certificate is for another name")]
    OtherName,
    /// The server's certificate has expired, or this machine's clock is ahead.
    #[error("the server's certificate has expired")]
    Expired,
    /// The server's certificate is not valid yet, or this machine's clock is behind.
    #[error("the server's certificate is not valid yet")]
    NotValidYet,
    /// The server's certificate cannot be used for another reason.
    #[error("the server's certificate cannot be used")]
    Certificate(#[source] Box<dyn Error + Send + Sync>),
    /// What the server says is not TLS.
    #[error("the server does not speak TLS")]
    NotTls,
    /// The two sides do not come to terms, or one of them breaks the rules of TLS.
    #[error("TLS failed")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

#[cfg(feature = "tls")]
impl TlsError {
    pub(in crate::transport) fn of(error: rustls::Error) -> Self {
        use rustls::{CertificateError as Cause, Error, InvalidMessage};
        match error {
            Error::InvalidCertificate(cause) => match cause {
                // A bad signature is that of another authority with the same name.
                Cause::UnknownIssuer | Cause::BadSignature => Self::UnknownIssuer,
                Cause::NotValidForName | Cause::NotValidForNameContext { .. } => Self::OtherName,
                Cause::Expired | Cause::ExpiredContext { .. } => Self::Expired,
                Cause::NotValidYet | Cause::NotValidYetContext { .. } => Self::NotValidYet,
                cause => Self::Certificate(Box::new(Error::InvalidCertificate(cause))),
            },
            Error::InvalidMessage(
                InvalidMessage::InvalidContentType
                | InvalidMessage::UnknownProtocolVersion
                | InvalidMessage::MessageTooLarge,
            ) => Self::NotTls,
            error => Self::Failed(Box::new(error)),
        }
    }

    /// What came of reading or writing, if TLS is to blame.
    pub(in crate::transport) fn of_io(error: io::Error) -> Result<Self, io::Error> {
        if !error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) {
            return Err(error);
        }
        let kind = error.kind();
        let inner = error.into_inner().and_then(|inner| inner.downcast::<rustls::Error>().ok());
        inner.map_or_else(|| Err(kind.into()), |error| Ok(Self::of(*error)))
    }
}
