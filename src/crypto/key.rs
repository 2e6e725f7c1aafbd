//! The types of Ed25519: keys, signatures.

use std::fmt;
use std::str::FromStr;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::encoding::{decode_base64_array, encode_base64};
use super::self_test::Ed25519;
use super::{CryptoError, EncodingError, KeyError, Sodium, decode_hex_array, encode_hex};

/// An Ed25519 public key, ordered byte by byte: the canonical encoding of a point of the prime-order group other than
/// the neutral element.
///
/// This is checked once, here (`crypto_core_ed25519_is_valid_point`). It excludes the keys with which one signature is
/// valid for several messages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Creates a key from its bytes (RFC 8032, section 5.1.2). It takes about as long as verifying a signature.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidPoint`] if the bytes are not such a point, [`KeyError::Crypto`] if libsodium cannot be used.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<PublicKey, KeyError> {
        if Sodium::new()?.is_valid_point(bytes) { Ok(PublicKey(*bytes)) } else { Err(KeyError::InvalidPoint) }
    }

    /// Returns the 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Writes 64 lower-case hexadecimal digits.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&encode_hex(&self.0))
    }
}

/// Parses 64 lower-case hexadecimal digits and checks the key like [`PublicKey::from_bytes`].
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

/// An Ed25519 key pair.
///
/// It comes from [`generate`](KeyPair::generate) or from a seed. It cannot be assembled from a secret and a public
/// half: signing with the wrong public half reveals the secret (RUSTSEC-2022-0093).
pub struct KeyPair {
    public: PublicKey,
    secret: SecretKey,
}

impl KeyPair {
    /// Generates a key pair from the random numbers of the operating system. The process aborts if there are none.
    ///
    /// # Errors
    ///
    /// [`CryptoError`] if libsodium cannot be used.
    pub fn generate() -> Result<KeyPair, CryptoError> {
        let (crypto, mut seed) = (Sodium::new()?, Zeroizing::new([0; 32]));
        crypto.random(&mut *seed);
        Ok(crypto.key_pair_from_seed(&seed))
    }

    /// Derives the key pair of a seed, the 32 bytes that RFC 8032 calls the private key. The same seed yields the same
    /// pair.
    ///
    /// The caller wipes its own copy of the seed.
    ///
    /// # Errors
    ///
    /// [`CryptoError`] if libsodium cannot be used.
    pub fn from_seed(seed: &[u8; 32]) -> Result<KeyPair, CryptoError> {
        Ok(Sodium::new()?.key_pair_from_seed(seed))
    }

    /// Returns the public key.
    #[must_use]
    pub const fn public_key(&self) -> PublicKey {
        self.public
    }

    /// Returns the secret key.
    #[must_use]
    pub const fn secret_key(&self) -> &SecretKey {
        &self.secret
    }

    /// Returns a copy of the seed, the whole secret, for a key store. The copy is wiped when dropped; copies of it are
    /// not.
    #[must_use]
    pub fn expose_seed(&self) -> Zeroizing<[u8; 32]> {
        let mut seed = Zeroizing::new([0; 32]);
        // libsodium's secret key is the seed, then the public key.
        for (to, from) in seed.iter_mut().zip(self.secret.bytes.iter()) {
            *to = *from;
        }
        seed
    }

    /// Creates a pair from what `fill` writes: the public key and libsodium's 64-byte secret key, which must match.
    ///
    /// The secret is written to its final place, so that no copy remains on the stack.
    pub(super) fn filled_by(fill: impl FnOnce(&mut [u8; 32], &mut [u8; 64])) -> KeyPair {
        let mut public = [0; 32];
        let mut secret = SecretKey { bytes: Box::new([0; 64]) };
        fill(&mut public, &mut secret.bytes);
        KeyPair { public: PublicKey(public), secret }
    }
}

/// Writes the public key, and `..` for the secret one.
impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair").field("public", &self.public).finish_non_exhaustive()
    }
}

/// The secret half of a [`KeyPair`]. It cannot be copied, compared, printed or serialized, and it is wiped when
/// dropped.
///
/// ```compile_fail
/// fn print(key: &policysync::crypto::SecretKey) {
///     println!("{key:?}");
/// }
/// ```
pub struct SecretKey {
    // Boxed, so that moving the key leaves no copy.
    bytes: Box<[u8; 64]>,
}

impl SecretKey {
    /// Returns the key in libsodium's form: the seed, then the public key.
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

/// An Ed25519 signature (RFC 8032, section 5.1.6): any 64 bytes, valid or not.
///
/// [`Sodium::verify`](super::Sodium::verify) decides if it is valid. It identifies nothing: the holder of a key can
/// make many valid signatures of one message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl Signature {
    /// Creates a signature from its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 64]) -> Signature {
        Signature(bytes)
    }

    /// Returns the 64 bytes: R, then S.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// Parses the text that [`to_base64`](Signature::to_base64) returns.
    ///
    /// # Errors
    ///
    /// [`EncodingError`] for any other text: another length, another alphabet, missing or misplaced padding, unused
    /// bits that are not zero, white space.
    pub fn from_base64(text: &str) -> Result<Signature, EncodingError> {
        decode_base64_array(text).map(Signature)
    }

    /// Returns the base64 text in the standard alphabet with padding (RFC 4648, section 4): 88 characters.
    #[must_use]
    pub fn to_base64(&self) -> String {
        encode_base64(&self.0)
    }
}

/// Writes the bytes in hexadecimal: a signature is public.
impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", encode_hex(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::decode_hex_array;

    /// Fails to compile if the type implements the trait, because `_` is then ambiguous.
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
    fn a_public_key_is_parsed_from_its_own_text() {
        let key = KeyPair::from_seed(&[7; 32]).unwrap().public_key();
        assert_eq!(key.to_string().parse(), Ok(key));
        assert!(matches!("00".parse::<PublicKey>(), Err(KeyError::Encoding(_))));
        assert_eq!("00".repeat(32).parse::<PublicKey>(), Err(KeyError::InvalidPoint));
    }

    #[test]
    fn a_seed_yields_the_public_key_of_the_rfc_and_can_be_exposed() {
        let pair = pair();
        assert_eq!(pair.public_key().to_string(), PUBLIC);
        assert_eq!(encode_hex(&*pair.expose_seed()), SEED);
        assert_eq!(encode_hex(pair.secret_key().as_bytes()), format!("{SEED}{PUBLIC}"));
    }

    #[test]
    fn generated_pairs_differ_and_their_halves_match() {
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
    fn debug_output_shows_only_the_public_key() {
        assert_eq!(format!("{:?}", pair()), format!("KeyPair {{ public: PublicKey({PUBLIC}), .. }}"));
    }

    #[test]
    fn wiping_clears_the_whole_secret() {
        let mut secret = pair().secret;
        assert_ne!(secret.as_bytes(), &[0; 64]);
        secret.wipe();
        assert_eq!(secret.as_bytes(), &[0; 64]);
    }

    #[test]
    fn a_point_outside_the_prime_order_group_is_not_a_public_key() {
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
        // The base point is a valid key.
        assert!(PublicKey::from_bytes(&y(0x58, 0x66, 0x66)).is_ok());
    }

    /// Reads the memory of the process, which needs no `unsafe` on Linux.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_dropped_secret_is_not_left_in_memory() {
        use std::os::unix::fs::FileExt;

        let memory = std::fs::File::open("/proc/self/mem").unwrap();
        let pair = KeyPair::generate().unwrap();
        let address = u64::try_from(pair.secret.bytes.as_ptr().addr()).unwrap();
        // An allocator may overwrite the first bytes of freed memory, so this reads the middle of the seed.
        let read = || {
            let mut bytes = [0; 16];
            memory.read_exact_at(&mut bytes, address + 16).map(|()| bytes)
        };
        let before = read().unwrap();
        assert_eq!(&before, pair.expose_seed().last_chunk().unwrap());
        drop(pair);
        // An error means that the page was unmapped, and the secret with it.
        assert!(read().map_or(true, |after| after != before));
    }

    #[test]
    fn base64_of_a_signature_has_88_characters_and_decodes_to_it() {
        let signature = Signature::from_bytes(std::array::from_fn(|at| u8::try_from(255 - at).unwrap()));
        let text = signature.to_base64();
        assert_eq!(text.len(), 88);
        assert!(text.starts_with("//79/Pv6") && text.ends_with("=="));
        assert_eq!(Signature::from_base64(&text), Ok(signature));
    }

    #[test]
    fn any_other_text_is_refused() {
        let text = Signature::from_bytes([0; 64]).to_base64();
        assert_eq!(text, format!("{}==", "A".repeat(86)));
        let body = &text[..86];
        for other in
            [body.to_owned(), format!("{body}="), format!("{text}="), format!("{text}\n"), format!(" {text}")]
        {
            let wrong = EncodingError::Length { expected: 88, found: other.len() };
            assert_eq!(Signature::from_base64(&other), Err(wrong));
        }
        let shorter = &text[..85];
        for last in ['B', 'P'] {
            assert_eq!(
                Signature::from_base64(&format!("{shorter}{last}==")),
                Err(EncodingError::TrailingBits)
            );
        }
        assert_eq!(Signature::from_base64(&format!("{body}A=")), Err(EncodingError::Character { at: 86 }));
        assert_eq!(Signature::from_base64(&format!("{body}=A")), Err(EncodingError::Character { at: 87 }));
        for (at, strange) in [(0, "_"), (40, "-"), (85, "="), (40, " ")] {
            let mut other = text.clone();
            other.replace_range(at..=at, strange);
            assert_eq!(Signature::from_base64(&other), Err(EncodingError::Character { at }));
        }
    }

    #[test]
    fn a_signature_is_shown_in_hexadecimal() {
        assert_eq!(
            format!("{:?}", Signature::from_bytes([0xa5; 64])),
            format!("Signature({})", "a5".repeat(64))
        );
    }
}
