//! Carrying the messages of synchronisation: by requests over HTTP, or over a line that stays open.

#[cfg(feature = "http")]
mod http;
mod line;
#[cfg(feature = "websocket")]
mod websocket;

#[cfg(feature = "http")]
pub use http::{
    HTTP_CONTENT_TYPE, HttpAnswer, HttpClient, HttpError, HttpOptions, HttpRequest, HttpStage, SyncReport,
    answer_http,
};
pub use line::{LineAnswerer, LineCaller, LineEvent};
#[cfg(feature = "websocket")]
pub use websocket::{
    Heard, WebSocketClient, WebSocketError, WebSocketOptions, WebSocketServer, WebSocketStream,
};
