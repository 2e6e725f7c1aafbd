//! The keys of actors: registry, signing, verification.

mod registry;
mod signing;
mod verify;

pub use registry::{KeyRegistry, RegistryError};
pub use signing::{SignError, SigningPublicKey, SigningSecretKey, derived_kid, sign_op};
pub use verify::{VerifiedOp, VerifyError, verify_op};

pub(crate) use signing::sign_hashed;
