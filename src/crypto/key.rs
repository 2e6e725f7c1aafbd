//! Public and secret keys; the two never come apart.

use std::fmt;
use std::str::FromStr;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{CryptoError, KeyError, Sodium, decode_hex_array, encode_hex};

/// An Ed25519 public key, ordered byte by byte: the canonical encoding of a point of the prime-order group,
/// not of the neutral one.
///
/// That is checked once, here (`crypto_core_ed25519_is_valid_point`), so that a signature which several keys
/// or several messages would share has no key to be verified with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The key with these bytes (RFC 8032, section 5.1.2). Takes about as long as verifying a signature.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidPoint`] if they are no such point, [`KeyError::Crypto`] if libsodium cannot be
    /// used.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<PublicKey, KeyError> {
        if Sodium::new()?.is_valid_point(bytes) { Ok(PublicKey(*bytes)) } else { Err(KeyError::InvalidPoint) }
    }

    /// Its 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// 64 lower-case hexadecimal digits.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&encode_hex(&self.0))
    }
}

/// Reads 64 lower-case hexadecimal digits, and checks the key as [`PublicKey::from_bytes`] does.
impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<PublicKey, KeyError> {
        PublicKey::from_bytes(&decode_hex_array(text)?)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// An Ed25519 key pair: who holds it can sign.
///
/// It comes from [`generate`](KeyPair::generate) or from a seed. There is no way to put it together from a
/// secret and a public half: signing with the wrong public half gives the secret away (RUSTSEC-2022-0093).
pub struct KeyPair {
    public: PublicKey,
    secret: SecretKey,
}

impl KeyPair {
    /// A new key pair from the system's random numbers. The process ends if the system has none to give.
    ///
    /// # Errors
    ///
    /// [`CryptoError`] if libsodium cannot be used.
    pub fn generate() -> Result<KeyPair, CryptoError> {
        Ok(Sodium::new()?.generate_key_pair())
    }

    /// The key pair of a seed, the 32 bytes that RFC 8032 calls the private key. The same seed gives the same
    /// pair.
    ///
    /// The caller's copy of the seed is the caller's to wipe.
    ///
    /// # Errors
    ///
    /// [`CryptoError`] if libsodium cannot be used.
    pub fn from_seed(seed: &[u8; 32]) -> Result<KeyPair, CryptoError> {
        Ok(Sodium::new()?.key_pair_from_seed(seed))
    }

    /// The half that others may know.
    #[must_use]
    pub const fn public_key(&self) -> PublicKey {
        self.public
    }

    /// The half to sign with.
    #[must_use]
    pub const fn secret_key(&self) -> &SecretKey {
        &self.secret
    }

    /// A copy of the seed, the whole secret, for a key store. It is wiped when dropped, not when copied out
    /// of.
    #[must_use]
    pub fn expose_seed(&self) -> Zeroizing<[u8; 32]> {
        let mut seed = Zeroizing::new([0; 32]);
        // libsodium's secret key is the seed, then the public key.
        for (to, from) in seed.iter_mut().zip(self.secret.bytes.iter()) {
            *to = *from;
        }
        seed
    }

    /// The pair that `fill` writes: first the public key, then libsodium's 64-byte secret key, each half of
    /// the other.
    ///
    /// The secret is written where it stays, so that no copy is left on the stack.
    pub(super) fn filled_by(fill: impl FnOnce(&mut [u8; 32], &mut [u8; 64])) -> KeyPair {
        let mut public = [0; 32];
        let mut secret = SecretKey { bytes: Box::new([0; 64]) };
        fill(&mut public, &mut secret.bytes);
        KeyPair { public: PublicKey(public), secret }
    }
}

/// The public key and `..` for the secret one.
impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair").field("public", &self.public).finish_non_exhaustive()
    }
}

/// The secret half of a [`KeyPair`]. It cannot be copied, compared, printed or serialized, and is wiped when
/// dropped.
///
/// ```compile_fail
/// fn print(key: &policysync::crypto::SecretKey) {
///     println!("{key:?}");
/// }
/// ```
pub struct SecretKey {
    // Boxed: moving the key does not leave a copy behind.
    bytes: Box<[u8; 64]>,
}

impl SecretKey {
    /// As libsodium wants it: the seed, then the public key.
    pub(super) fn as_bytes(&self) -> &[u8; 64] {
        &self.bytes
    }

    fn wipe(&mut self) {
        self.bytes.zeroize();
    }
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.wipe();
    }
}

impl ZeroizeOnDrop for SecretKey {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::decode_hex_array;

    /// Does not compile if the type has the trait: then `_` could be either of two types.
    macro_rules! assert_lacks {
        ($type:ty: $($lacking:path),+) => {$(
            const _: () = {
                trait Ambiguous<Either> { const UNIT: () = (); }
                impl<T> Ambiguous<()> for T {}
                struct Or;
                impl<T: $lacking> Ambiguous<Or> for T {}
                <$type as Ambiguous<_>>::UNIT
            };
        )+};
    }

    assert_lacks!(SecretKey: fmt::Debug);
    assert_lacks!(SecretKey: Clone, fmt::Display, Default, PartialEq, AsRef<[u8]>, serde::Serialize);
    assert_lacks!(KeyPair: Clone, fmt::Display, Default, PartialEq, AsRef<[u8]>, serde::Serialize);

    /// RFC 8032, section 7.1, TEST 1.
    const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

    fn pair() -> KeyPair {
        KeyPair::from_seed(&decode_hex_array(SEED).unwrap()).unwrap()
    }

    #[test]
    fn a_public_key_is_read_from_what_it_prints() {
        let key = KeyPair::from_seed(&[7; 32]).unwrap().public_key();
        assert_eq!(key.to_string().parse(), Ok(key));
        assert!(matches!("00".parse::<PublicKey>(), Err(KeyError::Encoding(_))));
        assert_eq!("00".repeat(32).parse::<PublicKey>(), Err(KeyError::InvalidPoint));
    }

    #[test]
    fn a_seed_gives_the_public_key_of_the_rfc_and_can_be_taken_out_again() {
        let pair = pair();
        assert_eq!(pair.public_key().to_string(), PUBLIC);
        assert_eq!(encode_hex(&*pair.expose_seed()), SEED);
        assert_eq!(encode_hex(pair.secret_key().as_bytes()), format!("{SEED}{PUBLIC}"));
    }

    #[test]
    fn generated_pairs_differ_and_are_whole() {
        let [a, b] = [(); 2].map(|()| KeyPair::generate().unwrap());
        assert_ne!(a.public_key(), b.public_key());
        assert_eq!(PublicKey::from_bytes(a.public_key().as_bytes()), Ok(a.public_key()));
        assert_eq!(KeyPair::from_seed(&a.expose_seed()).unwrap().public_key(), a.public_key());
        let sodium = Sodium::new().unwrap();
        let signature = sodium.sign(b"message", a.secret_key());
        assert!(sodium.verify(&signature, b"message", &a.public_key()));
        assert!(!sodium.verify(&signature, b"message", &b.public_key()));
    }

    #[test]
    fn a_key_pair_shows_its_public_half_only() {
        assert_eq!(format!("{:?}", pair()), format!("KeyPair {{ public: PublicKey({PUBLIC}), .. }}"));
    }

    #[test]
    fn wiping_leaves_nothing_of_the_secret() {
        let mut secret = pair().secret;
        assert_ne!(secret.as_bytes(), &[0; 64]);
        secret.wipe();
        assert_eq!(secret.as_bytes(), &[0; 64]);
    }

    #[test]
    fn a_point_that_is_not_of_the_prime_order_group_is_not_a_public_key() {
        let refused =
            |bytes: [u8; 32]| assert_eq!(PublicKey::from_bytes(&bytes), Err(KeyError::InvalidPoint));
        let y = |low: u8, middle: u8, high: u8| {
            let mut bytes = [middle; 32];
            (bytes[0], bytes[31]) = (low, high);
            bytes
        };
        refused(y(1, 0, 0)); // the neutral point
        refused(y(0, 0, 0)); // order 4
        refused(y(0xec, 0xff, 0x7f)); // order 2
        refused(y(2, 0, 0)); // not on the curve
        refused(y(0xee, 0xff, 0x7f)); // 1, not canonical
        refused([0xff; 32]);
        // The base point times 1 is as good a key as any.
        assert!(PublicKey::from_bytes(&y(0x58, 0x66, 0x66)).is_ok());
    }

    /// Reads the process's own memory, which needs no `unsafe` on Linux.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_dropped_secret_is_not_left_in_memory() {
        use std::os::unix::fs::FileExt;

        let memory = std::fs::File::open("/proc/self/mem").unwrap();
        let pair = KeyPair::generate().unwrap();
        let address = u64::try_from(pair.secret.bytes.as_ptr().addr()).unwrap();
        // An allocator may write into the first bytes of what it gets back: look at the middle of the seed.
        let read = || {
            let mut bytes = [0; 16];
            memory.read_exact_at(&mut bytes, address + 16).map(|()| bytes)
        };
        let before = read().unwrap();
        assert_eq!(&before, pair.expose_seed().last_chunk().unwrap());
        drop(pair);
        // An error would mean that the page is gone, and the secret with it.
        assert!(read().map_or(true, |after| after != before));
    }
}
