//! The file of a signing key: its public line, and its seed under a passphrase or open.
//!
//! ```text
//! # The signing key of Alice's phone. Keep this file secret.
//! policysync-key-1 <kid> <public key> <actor>
//! policysync-seed-1 argon2id …
//! ```
//!
//! Without a passphrase the last line is `policysync-open-seed-1` and the 15 groups of the paper form.

use std::path::Path;

use clap::ArgMatches;
use policysync::crypto::{KeyPair, Zeroizing, random};
use policysync::keys::{WrapCost, seed_from_paper, seed_to_paper, unwrap_seed, wrap_seed};
use policysync::{SigningPublicKey, SigningSecretKey};

use crate::failure::{Failure, Fault};
use crate::{passphrase, secret_file};

/// The first word of a seed without a passphrase.
const OPEN: &str = "policysync-open-seed-1";

/// A key file that has been read. The seed may still need its passphrase.
pub struct KeyFile {
    public: SigningPublicKey,
    seed: Zeroizing<String>,
}

impl KeyFile {
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = secret_file::read(path)?;
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let (Some(public), Some(seed), None) = (lines.next(), lines.next(), lines.next()) else {
            return Err(Failure::new(Fault::Bytes, "not a key file: it needs two lines").at(path));
        };
        let public = SigningPublicKey::from_text(public).map_err(|error| Failure::from(error).at(path))?;
        Ok(Self { public, seed: Zeroizing::new(seed.to_owned()) })
    }

    /// Returns the public half.
    pub fn public(&self) -> &SigningPublicKey {
        &self.public
    }

    /// Returns the seed, asking for its passphrase if it has one.
    pub fn seed(&self, matches: &ArgMatches, path: &Path) -> Result<Zeroizing<[u8; 32]>, Failure> {
        let seed = match self.seed.strip_prefix(OPEN) {
            Some(groups) => seed_from_paper(groups).map_err(|error| Failure::from(error).at(path))?,
            None => {
                let passphrase = passphrase::existing(matches, &path.display().to_string())?;
                unwrap_seed(&self.seed, passphrase.as_bytes())
                    .map_err(|error| Failure::from(error).at(path))?
            }
        };
        // Otherwise it would sign what nobody can verify.
        if KeyPair::from_seed(&seed)?.public_key() != *self.public.public_key() {
            return Err(Failure::new(Fault::Keys, "the seed belongs to another public key").at(path));
        }
        Ok(seed)
    }

    /// Returns the key to sign with, asking for its passphrase if it has one.
    pub fn unlock(&self, matches: &ArgMatches, path: &Path) -> Result<SigningSecretKey, Failure> {
        let pair = KeyPair::from_seed(&*self.seed(matches, path)?)?;
        Ok(SigningSecretKey::with_kid(self.public.actor(), self.public.kid(), pair)?)
    }
}

/// Writes a new key file; without a passphrase the seed is open.
pub fn create(
    path: &Path,
    key: &SigningSecretKey,
    passphrase: Option<(&str, WrapCost)>,
) -> Result<(), Failure> {
    let public = key.public_key();
    let seed = key.key_pair().expose_seed();
    // Longer than it will be, so that growing leaves no copy of an open seed in memory.
    let mut text = Zeroizing::new(String::with_capacity(16 << 10));
    text.push_str(&format!(
        "# The signing key of {}. Keep this file secret.\n{}\n",
        public.actor(),
        public.to_text()
    ));
    match passphrase {
        None => {
            text.push_str(OPEN);
            text.push(' ');
            text.push_str(&seed_to_paper(&seed));
        }
        Some((passphrase, cost)) => {
            text.push_str(&wrap_seed(&seed, passphrase.as_bytes(), cost, random()?, random()?)?);
        }
    }
    text.push('\n');
    secret_file::create(path, &text)
}
