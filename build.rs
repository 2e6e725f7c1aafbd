//! Puts the number of the binary interface into the name of the shared library for C.
//!
//! `make install` asks for it by `POLICYSYNC_NAME_SHARED_LIBRARY`. Cargo would do it by itself for a package whose manifest
//! lists a shared library, but then every Rust program that depends on this one would build that library too.

#[expect(unreachable_pub, reason = "cbindgen renders public items")]
#[path = "src/ffi/abi.rs"]
mod abi;

/// Set by whoever builds the shared library.
const ASKED: &str = "POLICYSYNC_NAME_SHARED_LIBRARY";

fn main() {
    println!("cargo::rerun-if-changed=src/ffi/abi.rs");
    println!("cargo::rerun-if-env-changed={ASKED}");
    if std::env::var_os(ASKED).is_none() {
        return;
    }
    let abi = abi::POLICYSYNC_ABI_VERSION;
    let vendor = std::env::var("CARGO_CFG_TARGET_VENDOR").unwrap_or_default();
    let os = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if vendor == "apple" {
        println!("cargo::rustc-link-arg=-Wl,-install_name,@rpath/libpolicysync.{abi}.dylib");
    } else if os == "android" || os == "linux" || os.ends_with("bsd") {
        println!("cargo::rustc-link-arg=-Wl,-soname,libpolicysync.so.{abi}");
    }
}
