//! A column that grows a page at a time.

use std::marker::PhantomData;

use super::{Key, index};

/// Entries of a page: large enough that the pages' own headers vanish, small enough that the last one wastes little.
const PAGE: usize = 4096;

/// A growing column. What is in it never moves, and at most one page is unused: a `Vec` that doubles would waste up to
/// half of its memory, and copy all of it while it grows.
pub(crate) struct Paged<T, K = u32> {
    pages: Vec<Vec<T>>,
    len: u32,
    key: PhantomData<fn(K) -> K>,
}

impl<T, K: Key> Paged<T, K> {
    pub(crate) const fn new() -> Self {
        Self { pages: Vec::new(), len: 0, key: PhantomData }
    }

    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// Returns the position that the next entry gets.
    pub(crate) fn end(&self) -> K {
        K::from_position(self.len)
    }

    /// Appends an entry and returns its position.
    ///
    /// # Panics
    ///
    /// At `u32::MAX` entries; the log refuses operations long before (`OpLog::expect_room`).
    #[expect(clippy::expect_used, reason = "the log refuses operations long before")]
    pub(crate) fn push(&mut self, entry: T) -> K {
        let position = self.end();
        self.len = self.len.checked_add(1).expect("the log stops before positions run out");
        match self.pages.last_mut() {
            Some(page) if page.len() < PAGE => page.push(entry),
            _ => {
                // The first page of a small replica should stay small.
                let mut page = Vec::with_capacity(if self.pages.is_empty() { 4 } else { PAGE });
                page.push(entry);
                self.pages.push(page);
            }
        }
        position
    }

    /// The entry at a position that [`Paged::push`] returned.
    #[expect(clippy::indexing_slicing, reason = "positions come from push, and nothing is ever removed")]
    #[inline]
    pub(crate) fn get(&self, position: K) -> &T {
        let position = index(position.position());
        &self.pages[position / PAGE][position % PAGE]
    }

    /// The entry at a position that [`Paged::push`] returned, to be changed.
    #[expect(clippy::indexing_slicing, reason = "positions come from push, and nothing is ever removed")]
    #[inline]
    pub(crate) fn get_mut(&mut self, position: K) -> &mut T {
        let position = index(position.position());
        &mut self.pages[position / PAGE][position % PAGE]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_keep_their_position_across_pages() {
        let mut column: Paged<u32> = Paged::new();
        for n in 0..10_000_u32 {
            assert_eq!(column.push(n * 3), n);
        }
        assert_eq!(column.len(), 10_000);
        for n in [0, 1, 4095, 4096, 8191, 8192, 9999] {
            assert_eq!(*column.get(n), n * 3);
        }
        *column.get_mut(4096) = 7;
        assert_eq!((*column.get(4095), *column.get(4096), *column.get(4097)), (12285, 7, 12291));
    }
}
