//! Transports of synchronization: requests over HTTP, or a line that stays open.

#[cfg(any(feature = "http", feature = "websocket"))]
mod background;
#[cfg(feature = "http")]
mod http;
mod line;
#[cfg(any(feature = "http", feature = "websocket"))]
mod net;
#[cfg(feature = "websocket")]
mod websocket;

#[cfg(any(feature = "http", feature = "websocket"))]
pub use background::{BackgroundError, BackgroundOptions, BackgroundPhase, BackgroundStatus, BackgroundSync};
#[cfg(feature = "http")]
pub use http::{
    HTTP_CONTENT_TYPE, HttpAnswer, HttpClient, HttpError, HttpOptions, HttpRequest, HttpStage, SyncReport,
    answer_http,
};
#[cfg(all(feature = "http", feature = "capi"))]
pub(crate) use http::{LocalSession, Received};
pub use line::{LineEvent, LineInitiator, LineResponder};
#[cfg(feature = "websocket")]
pub use net::NetStream;
#[cfg(any(feature = "http", feature = "websocket"))]
pub use net::{ConnectionError, ConnectionOptions, HeaderError, TlsError};
#[cfg(all(feature = "tls", any(feature = "http", feature = "websocket")))]
pub use net::{TlsRoots, TlsRootsError};
#[cfg(feature = "websocket")]
pub use websocket::{
    WaitResult, WebSocketClient, WebSocketError, WebSocketOptions, WebSocketRequest, WebSocketServer,
};
