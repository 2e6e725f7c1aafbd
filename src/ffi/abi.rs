//! The number of the binary interface.

/// The number of the binary interface, which is part of the shared library's name. A program built for one number runs
/// with every library of that number. It is independent of the library's version.
pub const POLICYSYNC_ABI_VERSION: u32 = 2;
