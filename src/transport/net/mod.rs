//! The network below both transports: connections, TLS, deadlines.

#[cfg(feature = "websocket")]
mod budget;
#[cfg(feature = "websocket")]
mod deadline;
mod error;
mod headers;
mod options;
#[cfg(feature = "websocket")]
mod stream;
pub(super) mod tls;
mod url;

#[cfg(feature = "websocket")]
pub(super) use budget::{Budgeted, would_block};
#[cfg(feature = "websocket")]
pub(super) use deadline::Deadline;
pub use error::ConnectionError;
pub use headers::HeaderError;
pub use options::ConnectionOptions;
#[cfg(feature = "http")]
pub(super) use options::DAY;
#[cfg(feature = "websocket")]
pub use stream::NetStream;
pub use tls::TlsError;
#[cfg(feature = "tls")]
pub use tls::{TlsRoots, TlsRootsError};
pub(super) use url::needs_tls;
