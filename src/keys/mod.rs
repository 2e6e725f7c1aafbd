//! The keys of actors: registry, signing, verification.

mod paper;
mod registry;
mod signing;
mod text;
mod verify;
mod wrapped;

pub use paper::{PaperError, seed_from_paper, seed_to_paper};
pub use registry::{KeyRegistry, RegistryError};
pub use signing::{SignError, SigningPublicKey, SigningSecretKey, derived_kid, sign_op};
pub use text::{KeyTextError, RegistryTextError, RegistryTextFault};
pub use verify::{VerifiedOp, VerifyError, verify_op};
pub use wrapped::{UnwrapError, WrapCost, WrapError, unwrap_seed, wrap_seed};

pub(crate) use signing::sign_hashed;
