//! TLS for both transports: whose certificates are believed, and what can go wrong.

mod error;
#[cfg(feature = "tls")]
mod handshake;
#[cfg(feature = "tls")]
mod roots;

pub use error::TlsError;
#[cfg(feature = "tls")]
pub(super) use handshake::{client, configuration, go_on};
#[cfg(feature = "tls")]
pub use roots::{TlsRoots, TlsRootsError};
