//! Makes the linker replace libsodium's two functions over the curve by `src/curve.rs`.

fn main() {
    for function in ["crypto_sign_detached", "crypto_sign_verify_detached"] {
        println!("cargo::rustc-link-arg-bins=-Wl,--wrap={function}");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
