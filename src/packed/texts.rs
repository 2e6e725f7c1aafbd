//! Strings laid end to end, each found by a four-byte address.

use super::blobs::{BlobAddress, Blobs};

/// Where a string is.
#[derive(Clone, Copy)]
pub(crate) struct TextAddress(BlobAddress);

/// Short strings, append-only.
pub(crate) struct Texts(Blobs);

impl Texts {
    pub(crate) const fn new() -> Self {
        Self(Blobs::new())
    }

    /// Whether so many strings, with so many bytes together and none longer than a page can hold a few of, will fit.
    pub(crate) fn has_room(&self, count: usize, bytes: usize) -> bool {
        self.0.has_room(count, bytes)
    }

    /// Appends a string.
    ///
    /// # Panics
    ///
    /// Without room: see [`Texts::has_room`].
    #[expect(clippy::expect_used, reason = "the log asks for room first")]
    pub(crate) fn push(&mut self, text: &str) -> TextAddress {
        TextAddress(self.0.push(&[text.as_bytes()]).expect("there is room"))
    }

    /// How long the string at an address is, in bytes.
    pub(crate) fn len(&self, address: TextAddress) -> usize {
        self.0.get(address.0).len()
    }

    pub(crate) fn is(&self, address: TextAddress, text: &str) -> bool {
        self.0.get(address.0) == text.as_bytes()
    }

    /// The string at an address that [`Texts::push`] returned.
    #[expect(clippy::expect_used, reason = "only strings are put in")]
    pub(crate) fn get(&self, address: TextAddress) -> &str {
        std::str::from_utf8(self.0.get(address.0)).expect("what was put in is text")
    }
}
