//! Random bytes.

use std::mem::MaybeUninit;

use super::boundary::guarded;
use super::error::policysync_error;
use super::status::policysync_status;
use super::status::policysync_status_code::POLICYSYNC_OK;
use crate::crypto::Sodium;

/// 32 random bytes from the system, which nobody can foresee: a seed, a secret, a seal key.
///
/// `out32`: room for 32 bytes.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`. Any thread. Since
/// ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_random32(
    out32: MaybeUninit<&mut u8>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.out_bytes(out32, "out32")?;
        out.write(random::<32>()?);
        Ok(POLICYSYNC_OK)
    })
}

/// Random bytes.
pub(super) fn random<const N: usize>() -> Result<[u8; N], crate::crypto::CryptoError> {
    let mut bytes = [0; N];
    Sodium::new()?.random(&mut bytes);
    Ok(bytes)
}
