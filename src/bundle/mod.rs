//! Bundles: operations in a file or a stream, for devices without a connection.
//!
//! A bundle travels on a USB stick, in an e-mail or through an object store. It holds frames of about 1 MiB, each
//! followed by a digest over everything before it; the manual's [format page](crate::manual::format) has the byte
//! table. The digests show damage, not the author of the bundle: operations are verified at import as always.
//!
//! ```
//! use policysync::oplog::Cursor;
//! use policysync::{Replica, ReplicaOptions, SigningSecretKey, WallMillis, bundle};
//!
//! let now = WallMillis(1_760_000_000_000);
//! let alice = SigningSecretKey::generate("alice")?;
//! let alices_key = alice.public_key().clone();
//! let mut phone = Replica::open(ReplicaOptions::new().write_as(alice))?;
//! phone.set(now, ("Task", "t1", "title"), "Hello world")?;
//!
//! let mut file = Vec::new();
//! let exported = bundle::export_since(&phone, Cursor::START, &mut file)?;
//!
//! let mut laptop = Replica::open(ReplicaOptions::new())?;
//! laptop.keys_mut().register(alices_key)?;
//! let imported = bundle::import(&mut laptop, now, file.as_slice())?;
//! assert_eq!((exported.ops, imported.received.appended), (1, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod export;
mod import;

use crate::codec::MAX_OP_BYTES;
use crate::codec::tags::BUNDLE;
use crate::codec::wire::put_text;
use crate::crypto::{Hash, Sodium};

pub use crate::codec::tags::BUNDLE_VERSION;
pub use error::BundleError;
pub use export::{Exported, export_ops, export_since};
pub use import::{Imported, import};

/// Most bytes of a frame.
const MAX_FRAME_BYTES: usize = MAX_OP_BYTES + 16;

/// Returns the header of a bundle of this space.
fn header_of(space: Option<&str>) -> Vec<u8> {
    let mut header = BUNDLE.to_vec();
    header.push(BUNDLE_VERSION);
    // A space is never empty.
    put_text(&mut header, space.unwrap_or_default());
    header
}

/// Returns the digest after a frame, given the digest before it.
fn chain(crypto: Sodium, digest: &Hash, frame: &[u8]) -> Hash {
    let mut message = digest.as_bytes().to_vec();
    message.extend_from_slice(frame);
    crypto.hash(&message)
}
