//! TLS of a client.

mod error;
#[cfg(feature = "tls")]
mod handshake;
#[cfg(feature = "tls")]
mod roots;

pub use error::TlsError;
#[cfg(feature = "tls")]
pub(in crate::transport) use handshake::{client, configuration, shake_hands};
#[cfg(feature = "tls")]
pub use roots::{TlsRoots, TlsRootsError};
