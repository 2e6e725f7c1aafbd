//! What a log begins with, in 32 bytes, and cheap to ask for again.

use std::sync::{Mutex, PoisonError};

use super::Index;
use crate::crypto::{CryptoProvider, Hash, Sodium};

const LABEL: &[u8] = b"policysync/log/prefix/v1";
/// Operations of a page.
const PAGE: u32 = 4096;

/// SHA-256 over the hashes of each page of operations, by arrival, once somebody asks. A log only grows, so a full page
/// never changes: a further question costs what has come since, and the rest of a page.
#[derive(Default)]
pub(super) struct Prefix(Mutex<Vec<Hash>>);

impl Prefix {
    /// A digest over the first `count` operations, in the order of arrival.
    pub(super) fn digest(&self, crypto: Sodium, index: &Index, count: u32) -> [u8; 32] {
        let mut message = LABEL.to_vec();
        message.extend_from_slice(&count.to_le_bytes());
        let full = crate::columns::index(count / PAGE);
        // What a panic left there are whole pages all the same.
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hashes = Vec::new();
        for page in (0..count / PAGE).skip(pages.len()) {
            hashes.clear();
            put(index, page * PAGE, (page + 1) * PAGE, &mut hashes);
            pages.push(crypto.hash(&hashes));
        }
        pages.iter().take(full).for_each(|page| message.extend_from_slice(page.as_bytes()));
        put(index, count - count % PAGE, count, &mut message);
        *crypto.hash(&message).as_bytes()
    }
}

fn put(index: &Index, first: u32, end: u32, out: &mut Vec<u8>) {
    (first..end).for_each(|arrival| out.extend_from_slice(index.hash(arrival).as_bytes()));
}
