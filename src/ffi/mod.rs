//! The C interface. Here is conversion, not logic: check pointers, call the safe function, map the error.
//!
//! Every comment on a public item is a comment of `include/policysync.h`, which `tests/header.rs` renders from these
//! files. Types and constants carry their C names.

mod abi;
mod boundary;
mod buffer;
mod bundle;
mod callback;
mod client;
mod clock;
mod cursor;
mod error;
mod guard;
mod http;
mod json;
mod key;
mod line;
mod observer;
mod op;
mod options;
mod outcome;
mod push;
mod random;
mod read;
mod replica;
mod responder;
mod session;
mod shared;
mod status;
mod store;
mod stream;
mod sync;
mod sync_status;
mod version;
mod view;
mod websocket;
