//! Transports.

pub(super) mod client;
#[cfg(any(feature = "http", feature = "websocket"))]
pub(super) mod codes;
pub(super) mod http;
pub(super) mod line_answerer;
pub(super) mod line_caller;
pub(super) mod websocket;
