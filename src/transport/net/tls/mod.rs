//! TLS of a client.

mod error;
#[cfg(feature = "tls")]
mod handshake;
#[cfg(feature = "tls")]
mod roots;
mod security;

pub use error::TlsError;
#[cfg(feature = "tls")]
pub(super) use handshake::shake_hands;
#[cfg(feature = "tls")]
pub use roots::{TlsRoots, TlsRootsError};
pub(in crate::transport) use security::Security;
