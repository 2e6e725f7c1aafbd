//! A seed encrypted with a passphrase.

use crate::codec::tags::{SEED_TEXT, SEED_TEXT_VERSION};
use crate::crypto::{
    CryptoError, EncodingError, Sodium, Zeroizing, decode_base64url_array, encode_base64url,
};

/// Memory and passes of Argon2id: the cost of one guess at the passphrase.
///
/// Both have limits, because they are read from a text that anybody may have written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrapCost {
    passes: u32,
    memory_kib: u32,
}

impl WrapCost {
    /// Most passes over the memory.
    pub const MAX_PASSES: u32 = 16;
    /// Most memory, in KiB: 1 GiB.
    pub const MAX_MEMORY_KIB: u32 = 1 << 20;
    /// Least memory, in KiB.
    pub const MIN_MEMORY_KIB: u32 = 8;
    /// 3 passes over 256 MiB, about a second: for computers and telephones. libsodium calls it moderate.
    pub const MODERATE: Self = Self { passes: 3, memory_kib: 256 << 10 };
    /// 2 passes over 64 MiB: for small devices. libsodium calls it interactive.
    pub const INTERACTIVE: Self = Self { passes: 2, memory_kib: 64 << 10 };

    /// Returns a cost of 1 to [`MAX_PASSES`](Self::MAX_PASSES) passes over
    /// [`MIN_MEMORY_KIB`](Self::MIN_MEMORY_KIB) to [`MAX_MEMORY_KIB`](Self::MAX_MEMORY_KIB) KiB.
    ///
    /// # Errors
    ///
    /// [`WrapError::Cost`] when it is out of these ranges.
    pub const fn new(passes: u32, memory_kib: u32) -> Result<Self, WrapError> {
        if passes < 1
            || passes > Self::MAX_PASSES
            || memory_kib < Self::MIN_MEMORY_KIB
            || memory_kib > Self::MAX_MEMORY_KIB
        {
            return Err(WrapError::Cost { passes, memory_kib });
        }
        Ok(Self { passes, memory_kib })
    }

    /// Returns the number of passes over the memory.
    #[must_use]
    pub const fn passes(self) -> u32 {
        self.passes
    }

    /// Returns the memory, in KiB.
    #[must_use]
    pub const fn memory_kib(self) -> u32 {
        self.memory_kib
    }
}

/// Encrypts a seed with a passphrase, as one line of text. `salt` and `nonce` are new random bytes for each call. The
/// form is stable, eight words with a space between them:
///
/// ```text
/// policysync-seed-1 argon2id <passes> <KiB> <salt> <nonce> <sealed> <checksum>
/// ```
///
/// Passes and memory are decimal; the others are base64url without padding: 16 bytes of salt, 24 of nonce, 48 of the
/// sealed seed, 6 of checksum. The key is Argon2id, version 1.3, of the passphrase with one lane (RFC 9106).
/// XChaCha20-Poly1305 seals the seed; the associated data is the text before the sealed seed, with its last space. The
/// checksum is the beginning of SHA-256 over the text before it, with its last space: it tells damage from a wrong
/// passphrase, and proves nothing.
///
/// The passphrase is taken byte by byte: its Unicode normalization is the caller's choice.
///
/// ```
/// use policysync::crypto::random;
/// use policysync::keys::{UnwrapError, WrapCost, unwrap_seed, wrap_seed};
///
/// # let moderate = WrapCost::new(1, 8)?;
/// # stringify! {
/// let moderate = WrapCost::MODERATE;
/// # };
/// let text = wrap_seed(&[7; 32], b"correct horse battery staple", moderate, random()?, random()?)?;
/// assert_eq!(*unwrap_seed(&text, b"correct horse battery staple")?, [7; 32]);
/// assert_eq!(unwrap_seed(&text, b"wrong"), Err(UnwrapError::WrongPassphrase));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`WrapError`]: an empty passphrase, or too little memory in this machine.
pub fn wrap_seed(
    seed: &[u8; 32],
    passphrase: &[u8],
    cost: WrapCost,
    salt: [u8; 16],
    nonce: [u8; 24],
) -> Result<String, WrapError> {
    if passphrase.is_empty() {
        return Err(WrapError::EmptyPassphrase);
    }
    let crypto = Sodium::new()?;
    let key = derive(crypto, passphrase, &salt, cost)?;
    let (salt_text, nonce_text) = (encode_base64url(&salt), encode_base64url(&nonce));
    let mut text = format!(
        "{SEED_TEXT}{SEED_TEXT_VERSION}{} {} {salt_text} {nonce_text} ",
        cost.passes, cost.memory_kib
    );
    let sealed = crypto.encrypt(&key, &nonce, text.as_bytes(), seed);
    text.push_str(&encode_base64url(&sealed));
    text.push(' ');
    let checksum = checksum(crypto, &text);
    text.push_str(&checksum);
    Ok(text)
}

/// Decrypts the text of [`wrap_seed`]. White space around it is ignored.
///
/// # Errors
///
/// [`UnwrapError::WrongPassphrase`] when the text is whole and the passphrase is another; the others name what is wrong
/// with the text. Nothing is computed before the parameters are found to be in the bounds of [`WrapCost`].
pub fn unwrap_seed(text: &str, passphrase: &[u8]) -> Result<Zeroizing<[u8; 32]>, UnwrapError> {
    let crypto = Sodium::new().map_err(WrapError::from)?;
    let text = text.trim();
    let rest = text.strip_prefix(SEED_TEXT).ok_or(UnwrapError::NotASeed)?;
    let rest = rest.strip_prefix(SEED_TEXT_VERSION).ok_or(UnwrapError::Version)?;
    let [passes, memory_kib, salt, nonce, sealed, found] = words(rest)?;
    let covered = text.strip_suffix(found).ok_or(UnwrapError::Damaged)?;
    if found != checksum(crypto, covered) {
        return Err(UnwrapError::Damaged);
    }
    // From here on the text is what somebody wrote, by mistake or on purpose.
    let cost = WrapCost::new(number(passes)?, number(memory_kib)?)?;
    let (salt, nonce) = (decode_base64url_array(salt)?, decode_base64url_array(nonce)?);
    let associated = covered.strip_suffix(' ').and_then(|covered| covered.strip_suffix(sealed));
    let associated = associated.ok_or(UnwrapError::Damaged)?;
    let sealed: [u8; 48] = decode_base64url_array(sealed)?;
    let key = derive(crypto, passphrase, &salt, cost)?;
    let seed = crypto.decrypt(&key, &nonce, associated.as_bytes(), &sealed);
    let seed = seed.ok_or(UnwrapError::WrongPassphrase)?;
    let seed: &[u8; 32] = seed.first_chunk().ok_or(UnwrapError::Damaged)?;
    Ok(Zeroizing::new(*seed))
}

/// Why a seed was not encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WrapError {
    /// The passphrase is empty.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// The parameters of Argon2id are out of the bounds of [`WrapCost`].
    #[error(
        "{passes} passes over {memory_kib} KiB, the limits are 1 to {} passes and {} to {} KiB",
        WrapCost::MAX_PASSES,
        WrapCost::MIN_MEMORY_KIB,
        WrapCost::MAX_MEMORY_KIB
    )]
    Cost {
        /// Passes over the memory.
        passes: u32,
        /// Memory, in KiB.
        memory_kib: u32,
    },
    /// The system did not give the memory that Argon2id needs.
    #[error("there are no {memory_kib} KiB of memory to compute the key of the passphrase")]
    Memory {
        /// Memory that was asked for, in KiB.
        memory_kib: u32,
    },
    /// libsodium does not work here.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// Why a text did not become a seed. It holds nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnwrapError {
    /// The text does not begin with `policysync-seed-1`.
    #[error("not a seed: it does not begin with policysync-seed-1")]
    NotASeed,
    /// Another version of this library wrote the text.
    #[error("the seed's text has another version, or another way from passphrase to key")]
    Version,
    /// The text has been changed or is not complete.
    #[error("the seed's text is damaged")]
    Damaged,
    /// The text is whole, and the passphrase is not the one that it was made with.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// The key of the passphrase cannot be computed.
    #[error(transparent)]
    Key(#[from] WrapError),
}

/// The checksum fits: somebody wrote these words, but not this library.
impl From<EncodingError> for UnwrapError {
    fn from(_: EncodingError) -> Self {
        Self::Damaged
    }
}

/// Splits `rest` into its six words.
fn words(rest: &str) -> Result<[&str; 6], UnwrapError> {
    let words: Vec<&str> = rest.split(' ').take(7).collect();
    words.try_into().map_err(|_| UnwrapError::Damaged)
}

/// Reads a number as this library writes it: no sign, no leading zero. One too large for a `u32` counts as the largest.
fn number(word: &str) -> Result<u32, UnwrapError> {
    let all_digits = word.bytes().all(|byte| byte.is_ascii_digit());
    if word.is_empty() || !all_digits || (word.starts_with('0') && word != "0") {
        return Err(UnwrapError::Damaged);
    }
    Ok(word.parse().unwrap_or(u32::MAX))
}

fn derive(
    crypto: Sodium,
    passphrase: &[u8],
    salt: &[u8; 16],
    cost: WrapCost,
) -> Result<Zeroizing<[u8; 32]>, WrapError> {
    let WrapCost { passes, memory_kib } = cost;
    crypto.argon2id(passphrase, salt, passes, memory_kib).ok_or(WrapError::Memory { memory_kib })
}

/// Returns the checksum of the text before it: eight characters.
fn checksum(crypto: Sodium, text: &str) -> String {
    let first: [u8; 6] = crypto.hash(text.as_bytes()).first();
    encode_base64url(&first)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: [u8; 32] = [7; 32];
    const PASSPHRASE: &[u8] = "Grüße, correct horse".as_bytes();

    fn cheap() -> WrapCost {
        WrapCost::new(1, 8).unwrap()
    }

    fn wrapped() -> String {
        wrap_seed(&SEED, PASSPHRASE, cheap(), [1; 16], [2; 24]).unwrap()
    }

    /// The text with other words and a checksum that fits.
    fn rewritten(change: impl FnOnce(&mut Vec<String>)) -> String {
        let mut words: Vec<String> = wrapped().split(' ').map(str::to_owned).collect();
        words.pop();
        change(&mut words);
        let text = words.join(" ") + " ";
        let checksum = checksum(Sodium::new().unwrap(), &text);
        text + &checksum
    }

    #[test]
    fn a_seed_has_the_documented_text_and_comes_back() {
        let text = wrapped();
        let (head, checksum) = text.rsplit_once(' ').unwrap();
        let (head, sealed) = head.rsplit_once(' ').unwrap();
        assert_eq!(
            head,
            "policysync-seed-1 argon2id 1 8 AQEBAQEBAQEBAQEBAQEBAQ AgICAgICAgICAgICAgICAgICAgICAgIC"
        );
        assert_eq!((sealed.len(), checksum.len()), (64, 8));
        assert_eq!(*unwrap_seed(&text, PASSPHRASE).unwrap(), SEED);
        assert_eq!(*unwrap_seed(&format!(" {text}\r\n"), PASSPHRASE).unwrap(), SEED);
    }

    /// Computed by Python: argon2-cffi 25.1.0 for the key, PyNaCl 1.6.2 for the encryption, hashlib for the checksum.
    #[test]
    fn another_program_writes_the_same_text() {
        assert_eq!(
            wrapped(),
            "policysync-seed-1 argon2id 1 8 AQEBAQEBAQEBAQEBAQEBAQ AgICAgICAgICAgICAgICAgICAgICAgIC \
             rFQk-962D6ShBP1fB1ilmTnWp-lx-lzPojAUfkqi4CvmSJjyW403I_ejdeo2NrqV xyFkhKAi"
        );
    }

    #[test]
    fn another_passphrase_is_named() {
        for wrong in [&b""[..], b"Gruesse, correct horse", &PASSPHRASE[1..]] {
            assert_eq!(unwrap_seed(&wrapped(), wrong), Err(UnwrapError::WrongPassphrase));
        }
    }

    #[test]
    fn every_changed_character_is_damage_and_never_a_wrong_passphrase() {
        let text = wrapped();
        for at in 0..text.len() {
            for new in ["A", "0", " ", "é", "_"] {
                if text[at..=at] == *new {
                    continue;
                }
                let altered = format!("{}{new}{}", &text[..at], &text[at + 1..]);
                let error = unwrap_seed(&altered, PASSPHRASE).unwrap_err();
                let named =
                    matches!(error, UnwrapError::Damaged | UnwrapError::NotASeed | UnwrapError::Version);
                assert!(named, "{error} for {new} at {at}");
            }
            let cut = unwrap_seed(&text[..at], PASSPHRASE).unwrap_err();
            assert!(
                matches!(cut, UnwrapError::Damaged | UnwrapError::NotASeed | UnwrapError::Version),
                "{at}"
            );
        }
    }

    #[test]
    fn hostile_parameters_are_refused_before_anything_is_computed() {
        for (passes, memory_kib, expected) in [
            ("1", "1048577", WrapError::Cost { passes: 1, memory_kib: 1_048_577 }),
            ("1", "99999999999999999999", WrapError::Cost { passes: 1, memory_kib: u32::MAX }),
            ("17", "8", WrapError::Cost { passes: 17, memory_kib: 8 }),
            ("4294967295", "1048576", WrapError::Cost { passes: u32::MAX, memory_kib: 1 << 20 }),
            ("0", "8", WrapError::Cost { passes: 0, memory_kib: 8 }),
            ("1", "7", WrapError::Cost { passes: 1, memory_kib: 7 }),
        ] {
            let text = rewritten(|words| (words[2], words[3]) = (passes.into(), memory_kib.into()));
            assert_eq!(unwrap_seed(&text, PASSPHRASE), Err(UnwrapError::Key(expected)));
        }
        for number in ["", "01", "+1", "-1", "1.0", "x"] {
            let text = rewritten(|words| words[2] = number.into());
            assert_eq!(unwrap_seed(&text, PASSPHRASE), Err(UnwrapError::Damaged), "{number}");
        }
    }

    #[test]
    fn parameters_salt_and_nonce_are_authenticated() {
        for (word, new) in [(2, "2"), (3, "9"), (4, "AAEBAQEBAQEBAQEBAQEBAQ"), (5, &"A".repeat(32))] {
            let text = rewritten(|words| words[word] = new.into());
            assert_eq!(unwrap_seed(&text, PASSPHRASE), Err(UnwrapError::WrongPassphrase), "word {word}");
        }
    }

    #[test]
    fn words_that_this_library_does_not_write_are_damage() {
        for (word, new) in [(4, "AQ"), (5, "AQ"), (6, "AQ"), (4, "AQEBAQEBAQEBAQEBAQEBA+"), (6, "")] {
            let text = rewritten(|words| words[word] = new.into());
            assert_eq!(unwrap_seed(&text, PASSPHRASE), Err(UnwrapError::Damaged), "word {word}");
        }
        let text = rewritten(|words| words.push("more".into()));
        assert_eq!(unwrap_seed(&text, PASSPHRASE), Err(UnwrapError::Damaged));
    }

    #[test]
    fn other_versions_are_named() {
        for (word, new) in [(0, "policysync-seed-2"), (1, "scrypt")] {
            let text = rewritten(|words| words[word] = new.into());
            assert_eq!(unwrap_seed(&text, PASSPHRASE), Err(UnwrapError::Version));
        }
        assert_eq!(unwrap_seed("", PASSPHRASE), Err(UnwrapError::NotASeed));
        assert_eq!(unwrap_seed("policysync-key-1", PASSPHRASE), Err(UnwrapError::NotASeed));
    }

    #[test]
    fn an_empty_passphrase_wraps_nothing() {
        let wrapped = wrap_seed(&SEED, b"", cheap(), [1; 16], [2; 24]);
        assert_eq!(wrapped, Err(WrapError::EmptyPassphrase));
    }

    #[test]
    fn the_costs_with_a_name_are_in_the_bounds() {
        for cost in [WrapCost::MODERATE, WrapCost::INTERACTIVE] {
            assert_eq!(WrapCost::new(cost.passes(), cost.memory_kib()), Ok(cost));
        }
        assert!(WrapCost::new(WrapCost::MAX_PASSES, WrapCost::MAX_MEMORY_KIB).is_ok());
    }
}
