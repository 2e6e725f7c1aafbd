//! WebSocket: a line that stays open, over any stream that reads and writes.

mod client;
mod connection;
mod error;
mod options;
mod rationed;
mod server;
mod stream;

pub use client::WebSocketClient;
pub use connection::Heard;
pub use error::WebSocketError;
pub use options::WebSocketOptions;
pub use server::{WebSocketRequest, WebSocketServer};
pub use stream::WebSocketStream;
