//! The C interface. It converts: a function checks its pointers, calls the safe function and maps the error.
//!
//! Every comment on a public item is a comment of `include/policysync.h`, which `tests/header.rs` renders from these
//! files. Types and constants carry their C names. The folders in their order are glue, types, keys, ops, replica,
//! store, sync, net; each knows only those before it.

mod abi;
mod glue;
mod types;

mod keys;
mod net;
mod ops;
mod replica;
mod store;
mod sync;
mod version;
