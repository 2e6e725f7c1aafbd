//! The number of the binary interface. `build.rs` reads this file too.

/// The number of the binary interface: part of the shared library's name. Programs built for one number run with every
/// library of that number; it has nothing to do with the version of the library.
pub const POLICYSYNC_ABI_VERSION: u32 = 1;
