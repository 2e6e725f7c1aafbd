//! SHA-256.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use crate::crypto::Sodium;
use crate::ffi::glue::boundary::guarded;
use crate::ffi::glue::error::policysync_error;
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::POLICYSYNC_OK;

/// Computes SHA-256 (FIPS 180-4).
///
/// `data`, `len`: any bytes.
/// `out32`: room for 32 bytes.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_CRYPTO` or
/// `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_sha256(
    data: *const c_void,
    len: usize,
    out32: MaybeUninit<&mut u8>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let data = call.bytes(data, len, "data")?;
        let out = call.out_bytes(out32, "out32")?;
        out.write(*Sodium::new()?.hash(data).as_bytes());
        Ok(POLICYSYNC_OK)
    })
}
