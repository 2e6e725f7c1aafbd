//! A secure, offline-first synchronization library.
//!
//! Every change is an immutable operation. Its actor signs it (Ed25519, by libsodium), an append-only log stores it, a
//! hybrid logical clock orders it, and a deterministic merge gives the state. Operations may arrive from anywhere, in
//! any order, any number of times. Only operations with a valid signature of the actor that they name are admitted.
//! Replicas that hold the same operations reach the same state, byte for byte.
//!
//! The library is embedded in an application. It opens no sockets unless you use its clients. It starts no threads
//! unless you ask for a number of them or for a [`BackgroundSync`]; the clients look up host names and connect in some.
//! The time is an argument: only the time-outs of HTTP, the certificate checks of TLS and `BackgroundSync` read the
//! clock.
//!
//! # Example
//!
//! ```
//! use policysync::{Outcome, Replica, ReplicaOptions, SigningSecretKey, WallMillis};
//!
//! // An application passes `system_wall_clock()`.
//! let now = WallMillis(1_760_000_000_000);
//! let alice = SigningSecretKey::generate("alice")?;
//! let alices_key = alice.public_key().clone();
//!
//! // Alice writes. `set` returns the signed operation, to be sent in any way.
//! let mut on_alices_phone = Replica::open(ReplicaOptions::new().write_as(alice))?;
//! let message = on_alices_phone.set(now, ("Task", "t1", "title"), "Hello world")?.to_json();
//!
//! // Bob has registered alice's key, so his replica accepts her operation.
//! let mut on_bobs_phone = Replica::open(ReplicaOptions::new())?;
//! on_bobs_phone.keys_mut().register(alices_key)?;
//! assert!(matches!(on_bobs_phone.ingest(now, message.as_str())?, Outcome::Appended { .. }));
//! assert_eq!(on_bobs_phone.get(("Task", "t1", "title"))?, Some("Hello world".into()));
//!
//! // A changed operation is refused.
//! let tampered = message.replace("Hello", "Goodbye");
//! assert!(on_bobs_phone.ingest(now, tampered.as_str()).is_err());
//! assert_eq!(on_alices_phone.state_digest(), on_bobs_phone.state_digest());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Modules
//!
//! Read them in this order:
//!
//! 1. [`Replica`] and [`ReplicaOptions`]: open, write, ingest, read. Most applications need no more.
//! 2. [`keys`] and [`guard`]: registering public keys, refusing operations by your own rules.
//! 3. [`sync`] and [`transport`]: [`SyncSession`] and [`Responder`] synchronize two replicas over anything that carries
//!    bytes; the transports are HTTP, WebSocket and connections of your own. [`BackgroundSync`] runs the first two on a
//!    thread, with a [`SharedReplica`].
//! 4. [`store`] and [`bundle`]: replicas in files, backups, checks; operations in a file.
//! 5. [`op`], [`value`], [`hlc`], [`codec`] and [`crypto`]: an operation, its parts and its forms.
//! 6. [`oplog`] and [`state`]: the layers below a replica, for programs that need only a log or a merge.
//! 7. The [`manual`] shows how to write a [first application](manual::first_app), handle [keys](manual::keys) and
//!    wrong [clocks](manual::clocks), [model data](manual::modelling), [back up](manual::backup) and deploy a
//!    [relay](manual::relay). Its reference has the [format](manual::format) byte by byte, the
//!    [reasons](manual::design) for the design, the [threats](manual::threats), the
//!    [transports](manual::transports) on slow lines, [dependencies](manual::dependencies) that conflict,
//!    [versions](manual::versions) that meet, and the [C interface](manual::c_api).
//!
//! # Features
//!
//! Features only add. `sqlite` is on by default.
//!
//! | feature | adds |
//! |---|---|
//! | `capi` | the exported functions of `include/policysync.h`, for the libraries that `make install` builds |
//! | `http` | [`HttpClient`] synchronizes over HTTP; [`answer_http`] is the handler for any server |
//! | `parallel` | [`ReplicaOptions::threads`]: verifies a batch on several threads |
//! | `sqlite` | [`ReplicaOptions::path`]: keeps a replica in an SQLite file |
//! | `tls` | `https` and `wss`, by rustls, with Mozilla's certificate authorities or your own |
//! | `websocket` | [`WebSocketClient`] and [`WebSocketServer`]: a connection that stays open, over any stream |

#![doc = include_str!("manual/overview.md")]
#![warn(missing_docs, unreachable_pub)]
// A public type that is exhaustive on purpose says why.
#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs)]
// Bytes from a peer cannot cause a panic; tests may panic.
#![cfg_attr(
    not(test),
    warn(
        clippy::as_conversions,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::todo,
        clippy::unimplemented,
        clippy::unwrap_used
    )
)]

// Each module knows only those before it in the order of tests/architecture.rs.
pub mod bundle;
mod causes;
pub mod codec;
pub mod crypto;
#[cfg(feature = "capi")]
#[expect(
    unsafe_code,
    non_camel_case_types,
    unreachable_pub,
    reason = "C calls in with pointers and by its own names, and the header is made of what is pub"
)]
mod ffi;
pub mod guard;
pub mod hlc;
pub mod keys;
pub mod manual;
pub mod op;
pub mod oplog;
mod packed;
pub mod replica;
pub mod state;
pub mod store;
pub mod sync;
mod threads;
pub mod transport;
pub mod value;

// The paved path:

pub use causes::with_causes;
pub use codec::OpHash;
pub use guard::{Guard, Verdict};
pub use hlc::{Hlc, WallMillis, system_wall_clock};
pub use keys::{KeyRegistry, SigningPublicKey, SigningSecretKey};
pub use op::{Field, Op, SignedOp};
pub use oplog::{ForkProof, OpLog};
pub use replica::{
    Effect, Incoming, IngestError, OpRefusal, OpenError, Outcome, Replica, ReplicaOptions, SharedReplica,
    WriteError,
};
pub use state::{Change, Explanation};
pub use store::StoreError;
pub use sync::{Responder, SyncError, SyncOptions, SyncSession};
#[cfg(any(feature = "http", feature = "websocket"))]
pub use transport::BackgroundSync;
#[cfg(feature = "http")]
pub use transport::{HttpClient, answer_http};
#[cfg(feature = "websocket")]
pub use transport::{WebSocketClient, WebSocketServer};
pub use value::Value;

/// The README, so that its code is compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
