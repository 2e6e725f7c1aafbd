//! Sessions over HTTP and WebSocket on loopback: honest servers, hostile ones, and real processes.
#![cfg(all(feature = "http", feature = "sqlite", feature = "websocket"))]

mod devices;
mod handler;
mod http;
mod processes;
mod server;
mod websocket;
