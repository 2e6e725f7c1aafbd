//! Strings stored end to end, each with a four-byte address.

use super::byte_arena::{ByteAddress, ByteArena};

/// The address of a string.
#[derive(Clone, Copy)]
pub(crate) struct StrAddress(ByteAddress);

/// An append-only arena of short strings.
pub(crate) struct StrArena(ByteArena);

impl StrArena {
    pub(crate) const fn new() -> Self {
        Self(ByteArena::new())
    }

    /// Returns true if `count` strings of `bytes` bytes in total fit, where each is far shorter than a page.
    pub(crate) fn has_room(&self, count: usize, bytes: usize) -> bool {
        self.0.has_room(count, bytes)
    }

    /// Appends a string.
    ///
    /// # Panics
    ///
    /// If there is no room: see [`StrArena::has_room`].
    #[expect(clippy::expect_used, reason = "the log checks for room first")]
    pub(crate) fn push(&mut self, text: &str) -> StrAddress {
        StrAddress(self.0.push(&[text.as_bytes()]).expect("the log checks for room first"))
    }

    /// Returns the length in bytes of the string at an address.
    pub(crate) fn len(&self, address: StrAddress) -> usize {
        self.0.get(address.0).len()
    }

    pub(crate) fn is(&self, address: StrAddress, text: &str) -> bool {
        self.0.get(address.0) == text.as_bytes()
    }

    /// Returns the string at an address that [`StrArena::push`] returned.
    #[expect(clippy::expect_used, reason = "only push adds bytes, and it takes a str")]
    pub(crate) fn get(&self, address: StrAddress) -> &str {
        std::str::from_utf8(self.0.get(address.0)).expect("only push adds bytes, and it takes a str")
    }
}
