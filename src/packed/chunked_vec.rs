//! A vector that grows by chunks of fixed size.

use std::marker::PhantomData;

use super::{Key, index};

/// Entries of a chunk: enough to make its header negligible, few enough to waste little in the last chunk.
const CHUNK: usize = 4096;

/// A vector whose entries never move.
///
/// At most one chunk is unused. A `Vec` that doubles wastes up to half of its memory and copies all entries.
pub(crate) struct ChunkedVec<T, K = u32> {
    chunks: Vec<Vec<T>>,
    len: u32,
    key: PhantomData<fn(K) -> K>,
}

impl<T, K: Key> ChunkedVec<T, K> {
    pub(crate) const fn new() -> Self {
        Self { chunks: Vec::new(), len: 0, key: PhantomData }
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
        match self.chunks.last_mut() {
            Some(chunk) if chunk.len() < CHUNK => chunk.push(entry),
            _ => {
                // The first chunk grows by doubling: a small replica stays small.
                let mut chunk = Vec::with_capacity(if self.chunks.is_empty() { 4 } else { CHUNK });
                chunk.push(entry);
                self.chunks.push(chunk);
            }
        }
        position
    }

    /// Returns the entry at a position that [`ChunkedVec::push`] returned.
    #[expect(clippy::indexing_slicing, reason = "positions come from push, and nothing is ever removed")]
    #[inline]
    pub(crate) fn get(&self, position: K) -> &T {
        let position = index(position.position());
        &self.chunks[position / CHUNK][position % CHUNK]
    }

    /// Returns a mutable reference to the entry at a position that [`ChunkedVec::push`] returned.
    #[expect(clippy::indexing_slicing, reason = "positions come from push, and nothing is ever removed")]
    #[inline]
    pub(crate) fn get_mut(&mut self, position: K) -> &mut T {
        let position = index(position.position());
        &mut self.chunks[position / CHUNK][position % CHUNK]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_keep_their_position_across_chunks() {
        let mut entries: ChunkedVec<u32> = ChunkedVec::new();
        for n in 0..10_000_u32 {
            assert_eq!(entries.push(n * 3), n);
        }
        assert_eq!(entries.len(), 10_000);
        for n in [0, 1, 4095, 4096, 8191, 8192, 9999] {
            assert_eq!(*entries.get(n), n * 3);
        }
        *entries.get_mut(4096) = 7;
        assert_eq!((*entries.get(4095), *entries.get(4096), *entries.get(4097)), (12285, 7, 12291));
    }
}
