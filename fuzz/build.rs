//! Has the linker call `src/curve.rs` for libsodium's two functions over the curve.

fn main() {
    for function in ["crypto_sign_detached", "crypto_sign_verify_detached"] {
        println!("cargo::rustc-link-arg-bins=-Wl,--wrap={function}");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
