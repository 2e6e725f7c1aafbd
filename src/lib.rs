//! A secure, offline-first synchronization core.

#![warn(missing_docs, unreachable_pub)]
// What a peer sends must not be able to panic; tests may.
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

mod canonical;
mod columns;
mod crypto;
mod guard;
mod hlc;
mod keys;
mod op;
mod oplog;
mod replica;
mod state;
mod store;
mod value;

// The public interface is:

// The paved path
pub use replica::{
    Effect, Incoming, IngestError, Labels, OpenError, Outcome, Refused, Replica, ReplicaOptions, WriteError,
};
pub use state::{Change, Explanation, Rule, Standing, State, Version};

// Operations and their forms
pub use canonical::{BINARY_VERSION, BinaryFault, DecodeError, MAX_OP_BYTES, OpHash};
pub use op::{
    IdentifierError, IdentifierFault, Kind, MAX_IDENTIFIER_BYTES, Member, Op, OpError, OpRef, SignedOp,
    SignedOpRef, op_id,
};
pub use value::{Excerpt, JsonError, JsonFault, MAX_DEPTH, Value, utf16_cmp};

// Time
pub use hlc::{Clock, Hlc, HlcError, WallMillis, hlc_now, system_wall_clock};

// Keys, signing and verifying
pub use crypto::{
    CryptoError, CryptoProvider, EncodingError, Hash, KeyError, KeyPair, PublicKey, SecretKey, SelfTestCase,
    Signature, Sodium, Zeroizing,
};
pub use keys::{
    KeyRegistry, RegistryError, SignError, SigningPublicKey, SigningSecretKey, VerifiedOp, VerifyError,
    derived_kid, sign_op, verify_op,
};

// What the application refuses
pub use guard::{Aborted, Guard, PermittedOp, Verdict};

// The log and its store
pub use oplog::{AddError, Added, Cursor, ForkError, ForkProof, LogDigest, LogEntry, OpLog};
pub use store::{Body, Damage, MemoryStore, Place, SqliteCode, Store, StoreError};
#[cfg(feature = "sqlite")]
pub use store::{Durability, Finding, Salvaged, StoreCheck, StoreReport};
