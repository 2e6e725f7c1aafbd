//! Random bytes of the operating system.

use super::{CryptoError, Sodium};

/// Returns random bytes of the operating system, as many as the caller needs: a nonce, a secret, a seal key.
///
/// ```
/// use policysync::crypto::random;
/// use policysync::{Responder, SyncOptions, SyncSession};
///
/// let session = SyncSession::new(SyncOptions::new(), random()?);
/// let responder = Responder::new(random()?, SyncOptions::new());
/// # Ok::<(), policysync::crypto::CryptoError>(())
/// ```
///
/// # Errors
///
/// [`CryptoError`] if libsodium does not work here. The process aborts if the system has no random numbers.
pub fn random<const N: usize>() -> Result<[u8; N], CryptoError> {
    let mut bytes = [0; N];
    Sodium::new()?.random(&mut bytes);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_nonces_differ() {
        assert_ne!(random::<16>().unwrap(), random().unwrap());
        assert_ne!(random::<16>().unwrap(), [0; 16]);
    }
}
