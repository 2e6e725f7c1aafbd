//! The version of the library.

use std::ffi::{CStr, c_char};

use crate::ffi::abi::POLICYSYNC_ABI_VERSION;

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => panic!("a version has no NUL"),
};

const VERSION_NUMBER: u32 = decimal(env!("CARGO_PKG_VERSION_MAJOR")) * 1_000_000
    + decimal(env!("CARGO_PKG_VERSION_MINOR")) * 1_000
    + decimal(env!("CARGO_PKG_VERSION_PATCH"));

/// Returns the version of the library as text: `"0.1.0"`.
///
/// The text is static, ends with NUL and must not be freed.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_version() -> &'static c_char {
    let [first, ..] = VERSION.to_bytes_with_nul() else { unreachable!("it ends with NUL") };
    // SAFETY: c_char is a byte, and the byte is static.
    unsafe { &*std::ptr::from_ref(first).cast::<c_char>() }
}

/// Returns the version of the library as a number: `major * 1000000 + minor * 1000 + patch`. Compare it with
/// `POLICYSYNC_VERSION_NUMBER` of the header that the program was compiled with.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_version_number() -> u32 {
    VERSION_NUMBER
}

/// Returns the number of the library's binary interface. It must be equal to `POLICYSYNC_ABI_VERSION` of the header
/// that the program was compiled with.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_abi_version() -> u32 {
    POLICYSYNC_ABI_VERSION
}

#[expect(clippy::indexing_slicing, clippy::as_conversions, reason = "computed by the compiler")]
const fn decimal(digits: &str) -> u32 {
    let mut number = 0;
    let mut at = 0;
    while at < digits.len() {
        number = number * 10 + (digits.as_bytes()[at] - b'0') as u32;
        at += 1;
    }
    number
}
