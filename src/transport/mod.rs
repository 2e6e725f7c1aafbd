//! Carrying the messages of synchronisation: by requests over HTTP, or over a line that stays open.

#[cfg(any(feature = "http", feature = "websocket"))]
mod headers;
#[cfg(feature = "http")]
mod http;
mod line;
#[cfg(any(feature = "http", feature = "websocket"))]
mod tls;
#[cfg(feature = "websocket")]
mod websocket;

#[cfg(any(feature = "http", feature = "websocket"))]
pub use headers::HeaderError;
#[cfg(feature = "http")]
pub use http::{
    HTTP_CONTENT_TYPE, HttpAnswer, HttpClient, HttpError, HttpOptions, HttpRequest, HttpStage, SyncReport,
    answer_http,
};
#[cfg(all(feature = "http", feature = "capi"))]
pub(crate) use http::{Side, Taken};
pub use line::{LineAnswerer, LineCaller, LineEvent};
#[cfg(any(feature = "http", feature = "websocket"))]
pub use tls::TlsError;
#[cfg(all(feature = "tls", any(feature = "http", feature = "websocket")))]
pub use tls::{TlsRoots, TlsRootsError};
#[cfg(feature = "websocket")]
pub use websocket::{
    Heard, WebSocketClient, WebSocketError, WebSocketOptions, WebSocketRequest, WebSocketServer,
    WebSocketStream,
};
