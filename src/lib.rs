//! A secure, offline-first synchronization core.
//!
//! Every change is an immutable operation, signed by an actor (Ed25519, by libsodium), kept in an append-only log,
//! ordered by a hybrid logical clock and merged deterministically. Operations may come from anywhere, in any order, any
//! number of times: what is not signed by the actor that it names does not get in, and replicas with the same
//! operations reach the same state, byte for byte.
//!
//! An application embeds it. It opens no sockets unless you use its clients, starts no threads unless you name a number
//! or its HTTP client looks up a name, and reads no clock of its own accord, but for the time-outs of HTTP and the
//! certificates of TLS: the time is an argument.
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
//! // Alice writes; what `set` returns goes to the others, by whatever way there is.
//! let mut on_alices_phone = Replica::open(ReplicaOptions::new().write_as(alice))?;
//! let message = on_alices_phone.set(now, "Task", "t1", "title", "Hello world")?.to_json();
//!
//! // Bob knows alice's key, and so takes in what she signed.
//! let mut on_bobs_phone = Replica::open(ReplicaOptions::new())?;
//! on_bobs_phone.keys_mut().register(alices_key)?;
//! assert!(matches!(on_bobs_phone.ingest(now, message.as_str())?, Outcome::Appended { .. }));
//! assert_eq!(on_bobs_phone.get("Task", "t1", "title")?, Some("Hello world".into()));
//!
//! // Nobody can change a word of it on the way.
//! let tampered = message.replace("Hello", "Goodbye");
//! assert!(on_bobs_phone.ingest(now, tampered.as_str()).is_err());
//! assert_eq!(on_alices_phone.state_digest(), on_bobs_phone.state_digest());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to begin
//!
//! - [`Replica`] is the paved path: log, state, clock and keys under one roof. [`ReplicaOptions`] opens one.
//! - [`OpLog`] is the low layer: the log alone, with [`sign_op`], [`verify_op`] and [`Folded`] beside it.
//! - [`SyncSession`] and [`Responder`] bring two replicas together, over anything that carries bytes. `HttpClient`,
//!   `answer_http` and `WebSocketClient` carry its messages; [`LineCaller`] and [`LineAnswerer`] are for lines of your
//!   own.
//! - [`Outcome`] and [`OpRefusal`] say what became of an operation, and by whose fault.
//! - The [`manual`] has the [format](manual::format) in bytes, the [reasons](manual::design) for the design, what an
//!   [attacker](manual::threats) may do, and how [C calls in](manual::c_api).
//!
//! # Features
//!
//! Each only adds; `capi` and `sqlite` are on by default.
//!
//! | feature | adds |
//! |---|---|
//! | `capi` | the exported functions of `include/policysync.h`; a Rust program can do without |
//! | `http` | `HttpClient` synchronises over HTTP, `answer_http` in any server |
//! | `parallel` | `ReplicaOptions::threads`: a batch is verified on as many threads as the caller names |
//! | `sqlite` | `ReplicaOptions::path`: a replica is kept in an SQLite file |
//! | `tls` | `https` and `wss`, by rustls with the roots that Mozilla trusts or the application's own |
//! | `websocket` | `WebSocketClient` and `WebSocketServer`: a line that stays open, over any stream |

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

// The modules in their order: each knows only those before it.
pub mod bundle;
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

pub use codec::OpHash;
pub use guard::{Guard, Verdict};
pub use hlc::{Hlc, WallMillis, system_wall_clock};
pub use keys::{KeyRegistry, SigningPublicKey, SigningSecretKey};
pub use op::{Field, Op, SignedOp};
pub use oplog::{ForkProof, OpLog};
pub use replica::{
    Effect, Incoming, IngestError, OpRefusal, OpenError, Outcome, Replica, ReplicaOptions, WriteError,
};
pub use state::{Change, Explanation};
pub use store::StoreError;
pub use sync::{Responder, SyncError, SyncOptions, SyncSession};
#[cfg(feature = "http")]
pub use transport::{HttpClient, answer_http};
#[cfg(feature = "websocket")]
pub use transport::{WebSocketClient, WebSocketServer};
pub use value::Value;

/// The README, so that its code is compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
