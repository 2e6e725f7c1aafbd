//! The error of TLS.

use std::error::Error;
#[cfg(feature = "tls")]
use std::io;

/// An error of TLS. If it occurs in the handshake, nothing of the application has been sent: no message, no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The server's certificate is not signed by a trusted authority. `TlsRoots` defines which are trusted.
    #[error("the server's certificate is not signed by a trusted authority")]
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
    /// The server's certificate is unusable for another reason.
    #[error("the server's certificate is unusable")]
    Certificate(#[source] Box<dyn Error + Send + Sync>),
    /// The server's bytes are not TLS.
    #[error("the server does not speak TLS")]
    NotTls,
    /// The two sides do not agree on parameters, or one of them broke the protocol.
    #[error("TLS failed")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

#[cfg(feature = "tls")]
impl TlsError {
    pub(super) fn of(error: rustls::Error) -> Self {
        use rustls::{CertificateError as Cause, Error, InvalidMessage};
        match error {
            Error::InvalidCertificate(cause) => match cause {
                // A bad signature comes from another authority with the same name.
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

    /// Converts an error of reading or writing if it is one of TLS; otherwise returns it unchanged.
    pub(in crate::transport) fn of_io(error: io::Error) -> Result<Self, io::Error> {
        if !error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) {
            return Err(error);
        }
        let kind = error.kind();
        let inner = error.into_inner().and_then(|inner| inner.downcast::<rustls::Error>().ok());
        inner.map_or_else(|| Err(kind.into()), |error| Ok(Self::of(*error)))
    }
}
