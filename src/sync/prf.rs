//! The key of a session, and what is computed with it.
//!
//! Nothing here keeps a secret for long: the key is made of what both sides tell each other. It protects because it
//! does not exist before both sets are fixed.

use std::collections::BTreeSet;

use super::base::BaseId;
use crate::codec::OpHash;
use crate::crypto::Sodium;
use crate::op::OpSeq;
use crate::oplog::Index;

/// The low 8 bytes of a number of 16: of one operation, or of a sum over a range.
pub(super) type ShortId = [u8; 8];

const RESPONDER_LABEL: &[u8] = b"policysync/sync/responder/v1";
const KEY_LABEL: &[u8] = b"policysync/sync/key/v1";
const BASE_LABEL: &[u8] = b"policysync/sync/base/v1";
const SPACE_LABEL: &[u8] = b"policysync/sync/space/v1";
const HINT_LABEL: &[u8] = b"policysync/sync/hint/v1";
/// Operations that the hint is over.
const HINTED: usize = 64;

/// The session's pseudo-random function: SipHash-2-4-128 of an operation's hash.
#[derive(Clone, Copy)]
pub(super) struct Prf {
    crypto: Sodium,
    key: [u8; 16],
}

/// What a session is known by: both nonces, how much of its log the responder counts, and the session it goes on from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SessionId {
    pub(super) initiator: [u8; 16],
    pub(super) responder: [u8; 16],
    pub(super) base: Option<BaseId>,
}

impl SessionId {
    fn hash(&self, crypto: Sodium, label: &[u8]) -> [u8; 16] {
        let mut message = label.to_vec();
        message.extend_from_slice(&self.initiator);
        message.extend_from_slice(&self.responder);
        put_base(&mut message, self.base);
        first_16(crypto.hash(&message).as_bytes())
    }

    pub(super) fn prf(&self, crypto: Sodium) -> Prf {
        Prf { crypto, key: self.hash(crypto, KEY_LABEL) }
    }

    /// The name under which a later session may go on from this one.
    pub(super) fn name(&self, crypto: Sodium) -> [u8; 16] {
        self.hash(crypto, BASE_LABEL)
    }
}

impl Prf {
    pub(super) fn of(&self, hash: &OpHash) -> u128 {
        u128::from_le_bytes(self.crypto.short_hash(&self.key, hash.as_bytes()))
    }

    /// The sum over operations of these numbers, each once.
    pub(super) fn sum(&self, index: &Index, numbers: &BTreeSet<OpSeq>) -> u128 {
        numbers.iter().fold(0, |sum, number| sum.wrapping_add(self.of(index.hash(*number))))
    }

    pub(super) fn short_id(&self, hash: &OpHash) -> ShortId {
        short(self.of(hash))
    }
}

/// How many operations, and their sum.
#[derive(Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) count: u64,
    pub(super) sum: u128,
}

impl Tally {
    pub(super) fn add(&mut self, number: u128) {
        self.count = self.count.saturating_add(1);
        self.sum = self.sum.wrapping_add(number);
    }
}

/// The part of a sum that is sent.
pub(super) fn short(sum: u128) -> ShortId {
    let [a, b, c, d, e, f, g, h, ..] = sum.to_le_bytes();
    [a, b, c, d, e, f, g, h]
}

/// The responder's nonce: of its secret, the initiator's nonce and the part of its log that the session counts. So it
/// needs no memory of it, and nobody learns it for a set that can still change.
pub(super) fn responder_nonce(
    crypto: Sodium,
    secret: &[u8; 32],
    initiator: &[u8; 16],
    cursor: OpSeq,
    base: Option<BaseId>,
) -> [u8; 16] {
    let mut message = RESPONDER_LABEL.to_vec();
    message.extend_from_slice(initiator);
    message.extend_from_slice(&cursor.get().to_le_bytes());
    put_base(&mut message, base);
    first_16(&crypto.keyed_hash(secret, &message))
}

/// Eight bytes by which two sides see that they speak of different spaces, without telling a stranger the name.
pub(super) fn space_tag(crypto: Sodium, space: Option<&str>) -> [u8; 8] {
    let mut message = SPACE_LABEL.to_vec();
    // A space is never empty.
    message.extend_from_slice(space.unwrap_or_default().as_bytes());
    first_8(crypto.hash(&message).as_bytes())
}

/// Eight bytes over the newest operations. They only decide how much the first answer tells; nothing is believed of it.
pub(super) fn hint_of(crypto: Sodium, index: &Index) -> [u8; 8] {
    let mut message = HINT_LABEL.to_vec();
    for newest in index.in_order().rev().take(HINTED) {
        message.extend_from_slice(index.hash(newest).as_bytes());
    }
    first_8(crypto.hash(&message).as_bytes())
}

fn put_base(message: &mut Vec<u8>, base: Option<BaseId>) {
    match base {
        None => message.push(0),
        Some(base) => {
            message.push(1);
            message.extend_from_slice(&base.to_bytes());
        }
    }
}

fn first_16(hash: &[u8; 32]) -> [u8; 16] {
    let mut first = [0; 16];
    first.iter_mut().zip(hash).for_each(|(to, from)| *to = *from);
    first
}

fn first_8(hash: &[u8; 32]) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = *hash;
    [a, b, c, d, e, f, g, h]
}
