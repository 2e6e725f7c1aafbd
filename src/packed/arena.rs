//! Strings stored end to end, each with a four-byte address.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use super::index;

/// Alignment of a string in bytes, so that four bytes address 32 GiB.
const UNIT: usize = 8;
/// Bytes of a page. A string never spans two.
const PAGE: usize = 1 << 21;
const UNITS_PER_PAGE: u32 = 1 << 18;
/// Pages that four bytes can address.
const MAX_PAGES: usize = 1 << 14;

/// The start of a string, in units.
#[derive(Clone, Copy)]
pub(crate) struct ByteAddress(u32);

/// An append-only arena of byte strings of up to [`ByteArena::MAX_LEN`] bytes.
#[derive(Default)]
pub(crate) struct ByteArena {
    pages: Vec<Vec<u8>>,
}

impl ByteArena {
    /// The longest string in bytes. An operation's body is shorter: its text is at most 1 MiB.
    pub(crate) const MAX_LEN: usize = PAGE - 16;

    pub(crate) const fn new() -> Self {
        Self { pages: Vec::new() }
    }

    /// Appends a string. Returns `None`, without a change, if it is longer than [`ByteArena::MAX_LEN`] or 32 GiB are
    /// full.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Option<ByteAddress> {
        let len = bytes.len();
        if len > Self::MAX_LEN {
            return None;
        }
        // Nearly all lengths fit one byte; 0xff means that four bytes follow.
        let [a, b, c, d] = u32::try_from(len).ok()?.to_le_bytes();
        let header: &[u8] = if len < usize::from(u8::MAX) { &[a] } else { &[u8::MAX, a, b, c, d] };

        if self.pages.last().is_none_or(|page| page.len() + header.len() + len > PAGE) {
            if self.pages.len() >= MAX_PAGES {
                return None;
            }
            // The first page grows by doubling: a small replica stays small.
            self.pages.push(if self.pages.is_empty() { Vec::new() } else { Vec::with_capacity(PAGE) });
        }
        let page_number = u32::try_from(self.pages.len() - 1).ok()?;
        let page = self.pages.last_mut()?;
        let offset = u32::try_from(page.len() / UNIT).ok()?;
        page.extend_from_slice(header);
        page.extend_from_slice(bytes);
        page.resize(page.len().next_multiple_of(UNIT).min(PAGE), 0);
        Some(ByteAddress(page_number * UNITS_PER_PAGE + offset))
    }

    /// Returns true if `count` strings of `bytes` bytes in total fit, where each is far shorter than a page.
    pub(crate) fn has_room(&self, count: usize, bytes: usize) -> bool {
        // Each string also takes its length and padding; the last eighth of a page may stay unused.
        let needed = count.saturating_mul(5 + UNIT).saturating_add(bytes);
        let pages = MAX_PAGES.saturating_sub(self.pages.len());
        needed <= pages.saturating_mul(PAGE - PAGE / 8)
    }

    /// Returns the string at an address that [`ByteArena::push`] returned.
    #[expect(clippy::indexing_slicing, reason = "addresses come from push, and nothing is ever removed")]
    pub(crate) fn get(&self, address: ByteAddress) -> &[u8] {
        let page = &self.pages[index(address.0 / UNITS_PER_PAGE)];
        let string = &page[index(address.0 % UNITS_PER_PAGE) * UNIT..];
        match string {
            [u8::MAX, a, b, c, d, rest @ ..] => &rest[..index(u32::from_le_bytes([*a, *b, *c, *d]))],
            [len, rest @ ..] => &rest[..usize::from(*len)],
            [] => &[],
        }
    }
}

/// The address of a string.
#[derive(Clone, Copy)]
pub(crate) struct StrAddress(ByteAddress);

/// An append-only arena of short strings. A long one is stored once, however often it is added.
#[derive(Default)]
pub(crate) struct StrArena {
    bytes: ByteArena,
    /// The strings of [`StrArena::SHARED_FROM`] bytes or more. The table is never iterated, and its hasher has a random
    /// key.
    shared: HashTable<StrAddress>,
    hasher: RandomState,
}

impl StrArena {
    /// The length in bytes from which strings are shared. To find a shorter one would cost as much as it saves.
    const SHARED_FROM: usize = 64;

    /// Returns true if `count` strings of `bytes` bytes in total fit, where each is far shorter than a page.
    pub(crate) fn has_room(&self, count: usize, bytes: usize) -> bool {
        self.bytes.has_room(count, bytes)
    }

    /// Adds a string.
    ///
    /// # Panics
    ///
    /// If there is no room: see [`StrArena::has_room`].
    pub(crate) fn add(&mut self, text: &str) -> StrAddress {
        if text.len() < Self::SHARED_FROM {
            return self.push(text);
        }
        let hash = self.hasher.hash_one(text.as_bytes());
        if let Some(address) = self.shared.find(hash, |address| self.is(*address, text)) {
            return *address;
        }
        let address = self.push(text);
        let (bytes, hasher) = (&self.bytes, &self.hasher);
        self.shared.insert_unique(hash, address, |address| hasher.hash_one(bytes.get(address.0)));
        address
    }

    #[expect(clippy::expect_used, reason = "the log checks for room first")]
    fn push(&mut self, text: &str) -> StrAddress {
        StrAddress(self.bytes.push(text.as_bytes()).expect("the log checks for room first"))
    }

    /// Returns the length in bytes of the string at an address.
    pub(crate) fn len(&self, address: StrAddress) -> usize {
        self.bytes.get(address.0).len()
    }

    pub(crate) fn is(&self, address: StrAddress, text: &str) -> bool {
        self.bytes.get(address.0) == text.as_bytes()
    }

    /// Returns the string at an address that [`StrArena::add`] returned.
    #[expect(clippy::expect_used, reason = "only push adds bytes, and it takes a str")]
    pub(crate) fn get(&self, address: StrAddress) -> &str {
        std::str::from_utf8(self.bytes.get(address.0)).expect("only push adds bytes, and it takes a str")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_every_length_are_returned() {
        let mut arena = ByteArena::default();
        let text: Vec<u8> = (0..=255_u8).cycle().take(ByteArena::MAX_LEN).collect();
        let lengths =
            [0, 1, 6, 7, 8, 253, 254, 255, 256, 1000, ByteArena::MAX_LEN, 3, ByteArena::MAX_LEN - 1, 40];
        let addresses: Vec<_> = lengths.iter().map(|len| arena.push(&text[..*len]).unwrap()).collect();
        for (len, address) in lengths.iter().zip(addresses) {
            assert_eq!(arena.get(address), &text[..*len]);
        }
    }

    #[test]
    fn a_long_string_is_stored_once_and_a_short_one_each_time() {
        let mut arena = StrArena::default();
        for len in [StrArena::SHARED_FROM - 1, StrArena::SHARED_FROM, 1024] {
            for number in 0..100 {
                let text = format!("{number:>len$}");
                let (one, other) = (arena.add(&text), arena.add(&text));
                assert_eq!((one.0.0 == other.0.0, arena.get(other)), (len >= StrArena::SHARED_FROM, &*text));
            }
        }
    }

    #[test]
    fn a_string_over_the_limit_changes_nothing() {
        let mut arena = ByteArena::default();
        let first = arena.push(b"abc").unwrap();
        assert!(arena.push(&vec![0; ByteArena::MAX_LEN + 1]).is_none());
        let next = arena.push(b"def").unwrap();
        assert_eq!((arena.get(first), arena.get(next)), (b"abc".as_slice(), b"def".as_slice()));
        assert_eq!(next.0, 1);
    }

    #[test]
    fn has_room_counts_the_remaining_pages() {
        let arena = ByteArena::default();
        let all = MAX_PAGES * PAGE;
        assert!(arena.has_room(1, all / 2));
        assert!(!arena.has_room(1, all));
        assert!(!arena.has_room(all / 8, 0));
        assert!(!arena.has_room(usize::MAX, usize::MAX));
    }
}
