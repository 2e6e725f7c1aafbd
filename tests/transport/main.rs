//! Sessions over HTTP and WebSocket on loopback, with honest servers, hostile ones and real processes.
#![cfg(all(feature = "http", feature = "sqlite", feature = "websocket"))]

#[path = "../tools/mod.rs"]
mod tools;

mod background;
mod devices;
mod gateways;
mod handler;
mod http;
mod notes;
mod processes;
mod server;
mod slow;
#[cfg(feature = "tls")]
mod tls;
mod websocket;
