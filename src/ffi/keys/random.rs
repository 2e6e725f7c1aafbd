//! Random bytes.

use std::mem::MaybeUninit;

use crate::crypto::random;
use crate::ffi::glue::boundary::guarded;
use crate::ffi::glue::error::policysync_error;
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::POLICYSYNC_OK;

/// Returns 32 random bytes from the system: for a seed, a secret or a seal key.
///
/// `out32`: room for 32 bytes.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`.
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
