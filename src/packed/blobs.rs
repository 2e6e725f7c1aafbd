//! Byte strings laid end to end, each found by a four-byte address.

use super::index;

/// A blob starts at a multiple of this, so that four bytes reach 32 GiB.
const UNIT: usize = 8;
/// Bytes of a page. A blob never spans two.
const PAGE: usize = 1 << 21;
const UNITS_PER_PAGE: u32 = 1 << 18;
/// Pages that four bytes reach.
const MAX_PAGES: usize = 1 << 14;

/// Where a blob begins, in units.
#[derive(Clone, Copy)]
pub(crate) struct BlobAddress(u32);

/// Byte strings of up to [`Blobs::MAX_LEN`] bytes, append-only.
pub(crate) struct Blobs {
    pages: Vec<Vec<u8>>,
}

impl Blobs {
    /// Longest blob. An operation's body is smaller: its text is at most 1 MiB.
    pub(crate) const MAX_LEN: usize = PAGE - 16;

    pub(crate) const fn new() -> Self {
        Self { pages: Vec::new() }
    }

    /// Appends `parts` as one blob. `None` when it is longer than [`Blobs::MAX_LEN`] or 32 GiB are full; then nothing
    /// has changed.
    pub(crate) fn push(&mut self, parts: &[&[u8]]) -> Option<BlobAddress> {
        let len = parts.iter().try_fold(0_usize, |sum, part| sum.checked_add(part.len()))?;
        if len > Self::MAX_LEN {
            return None;
        }
        let prefix = u32::try_from(len).ok()?.to_le_bytes();
        // Short lengths, nearly all, take one byte: 0xff says that four bytes follow.
        let short = u8::try_from(len).ok().filter(|short| *short < u8::MAX);
        let header = if short.is_some() { 1 } else { 5 };

        if self.pages.last().is_none_or(|page| page.len() + header + len > PAGE) {
            if self.pages.len() >= MAX_PAGES {
                return None;
            }
            // The first page of a small replica should stay small.
            self.pages.push(if self.pages.is_empty() { Vec::new() } else { Vec::with_capacity(PAGE) });
        }
        let page_number = u32::try_from(self.pages.len() - 1).ok()?;
        let page = self.pages.last_mut()?;
        let offset = u32::try_from(page.len() / UNIT).ok()?;
        match short {
            Some(short) => page.push(short),
            None => {
                page.push(u8::MAX);
                page.extend_from_slice(&prefix);
            }
        }
        for part in parts {
            page.extend_from_slice(part);
        }
        page.resize(page.len().next_multiple_of(UNIT).min(PAGE), 0);
        Some(BlobAddress(page_number * UNITS_PER_PAGE + offset))
    }

    /// Whether so many blobs, with so many bytes together and each far shorter than a page, will fit.
    pub(crate) fn has_room(&self, count: usize, bytes: usize) -> bool {
        // Each takes its length and padding besides; a page may waste its last eighth.
        let needed = count.saturating_mul(5 + UNIT).saturating_add(bytes);
        let pages = MAX_PAGES.saturating_sub(self.pages.len());
        needed <= pages.saturating_mul(PAGE - PAGE / 8)
    }

    /// The blob at an address that [`Blobs::push`] returned.
    #[expect(clippy::indexing_slicing, reason = "addresses come from push, and nothing is ever removed")]
    pub(crate) fn get(&self, address: BlobAddress) -> &[u8] {
        let page = &self.pages[index(address.0 / UNITS_PER_PAGE)];
        let blob = &page[index(address.0 % UNITS_PER_PAGE) * UNIT..];
        match blob {
            [u8::MAX, a, b, c, d, rest @ ..] => &rest[..index(u32::from_le_bytes([*a, *b, *c, *d]))],
            [len, rest @ ..] => &rest[..usize::from(*len)],
            [] => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_of_every_length_come_back() {
        let mut blobs = Blobs::new();
        let text: Vec<u8> = (0..=255_u8).cycle().take(Blobs::MAX_LEN).collect();
        let lengths = [0, 1, 6, 7, 8, 253, 254, 255, 256, 1000, Blobs::MAX_LEN, 3, Blobs::MAX_LEN - 1, 40];
        let addresses: Vec<_> = lengths
            .iter()
            .map(|len| {
                let (front, back) = text[..*len].split_at(len / 2);
                blobs.push(&[front, back]).unwrap()
            })
            .collect();
        for (len, address) in lengths.iter().zip(addresses) {
            assert_eq!(blobs.get(address), &text[..*len]);
        }
    }

    #[test]
    fn a_blob_over_the_limit_changes_nothing() {
        let mut blobs = Blobs::new();
        let first = blobs.push(&[b"abc"]).unwrap();
        assert!(blobs.push(&[&vec![0; Blobs::MAX_LEN], b"x"]).is_none());
        let next = blobs.push(&[b"def"]).unwrap();
        assert_eq!((blobs.get(first), blobs.get(next)), (b"abc".as_slice(), b"def".as_slice()));
        assert_eq!(next.0, 1);
    }

    #[test]
    fn there_is_room_for_what_the_pages_left_can_hold() {
        let blobs = Blobs::new();
        let all = MAX_PAGES * PAGE;
        assert!(blobs.has_room(1, all / 2));
        assert!(!blobs.has_room(1, all));
        assert!(!blobs.has_room(all / 8, 0));
        assert!(!blobs.has_room(usize::MAX, usize::MAX));
    }
}
