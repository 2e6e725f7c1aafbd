//! WebSocket: a line that stays open, over any stream that reads and writes.

mod client;
mod connection;
mod error;
mod head;
mod options;
mod server;

pub use client::WebSocketClient;
pub use connection::WaitResult;
pub use error::WebSocketError;
pub use options::WebSocketOptions;
pub use server::{WebSocketRequest, WebSocketServer};
