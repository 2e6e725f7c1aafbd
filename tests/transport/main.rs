//! Sessions over HTTP and WebSocket on loopback: honest servers, hostile ones, and real processes.
#![cfg(all(feature = "http", feature = "sqlite", feature = "websocket"))]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test stops where it fails"
)]

mod devices;
mod handler;
mod http;
mod processes;
mod server;
mod websocket;
