//! Digests over the first operations of a log.

use std::sync::{Mutex, PoisonError};

use super::Index;
use crate::codec::tags::LOG_PREFIX;
use crate::crypto::{Hash, Sodium};
use crate::op::OpSeq;

/// Operations of a page.
const PAGE: u32 = 4096;

/// The SHA-256 of each full page of operation hashes, in the order of arrival, computed on demand.
///
/// A log only grows, so a full page never changes: a later digest hashes new pages and the last, partial one.
#[derive(Default)]
pub(super) struct PrefixDigests(Mutex<Vec<Hash>>);

impl PrefixDigests {
    /// Returns a digest over the operations before `end`, in the order of arrival.
    pub(super) fn digest(&self, crypto: Sodium, index: &Index, end: OpSeq) -> [u8; 32] {
        let count = end.get();
        let mut message = LOG_PREFIX.to_vec();
        message.extend_from_slice(&count.to_le_bytes());
        let full = crate::packed::index(count / PAGE);
        // After a panic the list still consists of full pages.
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
    let seqs = OpSeq::new(first).until(OpSeq::new(end));
    seqs.for_each(|seq| out.extend_from_slice(index.hash(seq).as_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::KeyPair;
    use crate::hlc::Hlc;
    use crate::keys::{SigningSecretKey, sign_op, verify_op};
    use crate::op::Op;
    use crate::oplog::OpLog;

    fn log_of(crypto: Sodium, count: u32) -> OpLog {
        let pair = KeyPair::from_seed(&[1; 32]).unwrap();
        let alice = SigningSecretKey::new("alice", pair).unwrap();
        let mut log = OpLog::new(crypto);
        for number in 0..count {
            let ts = Hlc::new(u64::from(count - number), 0).unwrap();
            let op = sign_op(&crypto, Op::lww_set("alice", ts, ("Task", "t", "title"), "x").unwrap(), &alice);
            log.add(&op.unwrap(), |op| verify_op(&crypto, op, alice.public_key())).unwrap();
        }
        log
    }

    #[test]
    fn a_digest_covers_full_pages_and_the_rest_whatever_was_computed_before() {
        let crypto = Sodium::new().unwrap();
        let end = 2 * PAGE + 3;
        let log = log_of(crypto, end);
        let hashes: Vec<[u8; 32]> = log.index().seqs().map(|seq| *log.index().hash(seq).as_bytes()).collect();
        let expected = |count: u32| {
            let pages = hashes[..count as usize].chunks_exact(PAGE as usize);
            let rest = pages.remainder().concat();
            let pages: Vec<_> = pages.map(|page| *crypto.hash(&page.concat()).as_bytes()).collect();
            let message = [LOG_PREFIX, &count.to_le_bytes(), &pages.concat(), &rest].concat();
            Some(*crypto.hash(&message).as_bytes())
        };
        for count in [PAGE + 1, 0, 1, PAGE - 1, PAGE, end - 4, end - 3, end, end - 2, 2, PAGE + 1] {
            assert_eq!(log.prefix_digest(OpSeq::new(count)), expected(count), "{count}");
        }
        assert_eq!(log.prefix_digest(OpSeq::new(end + 1)), None);
    }
}
