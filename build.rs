//! Puts the number of the binary interface into the name of the shared library.

#[expect(unreachable_pub, reason = "cbindgen renders public items")]
#[path = "src/ffi/abi.rs"]
mod abi;

fn main() {
    println!("cargo::rerun-if-changed=src/ffi/abi.rs");
    let abi = abi::POLICYSYNC_ABI_VERSION;
    let vendor = std::env::var("CARGO_CFG_TARGET_VENDOR").unwrap_or_default();
    let os = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if vendor == "apple" {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libpolicysync.{abi}.dylib");
    } else if os == "android" || os == "linux" || os.ends_with("bsd") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libpolicysync.so.{abi}");
    }
}
