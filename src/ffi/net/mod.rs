//! Transports.

pub(super) mod client;
#[cfg(any(feature = "http", feature = "websocket"))]
pub(super) mod codes;
pub(super) mod http;
pub(super) mod line_initiator;
pub(super) mod line_responder;
pub(super) mod websocket;
