//! Bugs that are put in on purpose, to see that the tests find them (`.scripts/plant`).
//!
//! They exist only in a debug build with `--cfg planted_bugs`, and `build.rs` refuses any other; everywhere else the
//! question is answered by a constant, and the compiler takes the bug out.

/// Whether this bug is the one that `POLICYSYNC_PLANT` names.
#[cfg(planted_bugs)]
pub(crate) fn is(bug: &str) -> bool {
    static PLANTED: std::sync::OnceLock<Option<std::ffi::OsString>> = std::sync::OnceLock::new();
    PLANTED.get_or_init(|| std::env::var_os("POLICYSYNC_PLANT")).as_deref() == Some(bug.as_ref())
}

/// No bug is planted.
#[cfg(not(planted_bugs))]
pub(crate) const fn is(_bug: &str) -> bool {
    false
}
