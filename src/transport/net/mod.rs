//! The network below both transports: connections, TLS, limits of waiting.

mod backoff;
mod budget;
mod dial;
mod error;
mod head;
mod headers;
mod options;
mod proxy;
mod stream;
mod tls;
mod tunnel;
mod url;
mod watch;

pub(super) use backoff::Backoff;
#[cfg(feature = "websocket")]
pub(super) use budget::Budgeted;
pub(super) use budget::{Moved, would_block};
pub use error::ConnectionError;
pub(super) use error::is_temporary_status;
#[cfg(feature = "http")]
pub(super) use head::{HeadEnd, HeadFault, MAX_INTERIM, read_head};
pub use headers::HeaderError;
pub use options::ConnectionOptions;
#[cfg(feature = "http")]
pub(super) use proxy::ProxyAddress;
#[cfg(feature = "websocket")]
pub use stream::NetStream;
#[cfg(not(feature = "websocket"))]
pub(super) use stream::NetStream;
pub(super) use tls::Security;
pub use tls::TlsError;
#[cfg(feature = "tls")]
pub use tls::{TlsRoots, TlsRootsError};
pub(super) use url::Url;
#[cfg(feature = "http")]
pub(super) use watch::SLICE;
pub(super) use watch::{Deadline, Progress, WaitError, Watch, on_the_way};
