//! The first part of the way in, in which operations do not depend on each other: decode, look for a duplicate, verify.

use std::sync::{Mutex, PoisonError};

use super::admit::{Answers, Numbered};
use super::{Incoming, Labels, Refused};
use crate::codec::{DecodeError, HashedOp, OpHash, OpHashMap, OpHashSet, Scratch};
use crate::crypto::Sodium;
use crate::keys::{KeyRegistry, VerifiedOp};
use crate::op::{OpRef, op_id};
use crate::oplog::Index;
use crate::threads::GROUP;
use crate::value::Excerpt;

/// What examining an operation needs, and threads may share.
#[derive(Clone, Copy)]
pub(super) struct Examiner<'r> {
    pub(super) crypto: Sodium,
    pub(super) keys: &'r KeyRegistry,
    pub(super) unverified: bool,
    pub(super) space: Option<&'r str>,
    pub(super) labels: Labels,
    pub(super) index: &'r Index,
}

/// What an operation turned out to be.
pub(super) enum Examined<'a> {
    /// New, and signed by whom it names.
    Verified(VerifiedOp<'a>),
    /// New, and not signed by whom it names.
    Unverified(OpHash, Refused),
    /// In the log already; not verified again.
    Known(OpHash),
    /// The same operation as another of the batch, which is being verified; this one is not.
    Repeated(OpHash),
}

/// The operations of a batch that are being verified, or were.
pub(super) struct Claims(Mutex<OpHashSet>);

impl Claims {
    pub(super) fn new(count: usize) -> Self {
        Self(Mutex::new(OpHashSet::with_capacity_and_hasher(count, Default::default())))
    }

    /// Whether nobody has claimed this one before.
    fn claim(&self, hash: OpHash) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(hash)
    }
}

/// What a thread examines operations with.
pub(super) type Tool = [Scratch; GROUP];

impl Examiner<'_> {
    /// Decodes and hashes operations, looks for each in the log and among its batch, and verifies it when it is new.
    ///
    /// First all are hashed, then all are looked for: look-ups side by side do not wait for each other's memory.
    pub(super) fn examine<'a>(
        self,
        group: &[Incoming<'a>],
        claims: &Claims,
        tool: &mut Tool,
        examined: &mut Vec<Result<Examined<'a>, Refused>>,
    ) {
        let hashed: Vec<_> =
            group.iter().zip(tool).map(|(incoming, scratch)| self.hash(*incoming, scratch)).collect();
        let known: Vec<bool> = hashed
            .iter()
            .map(|hashed| hashed.as_ref().is_ok_and(|hashed| self.index.find(&hashed.hash()).is_some()))
            .collect();
        let verdict = |(hashed, known): (Result<HashedOp<'a, '_>, Refused>, bool)| {
            let hashed = hashed?;
            let hash = hashed.hash();
            if known {
                return Ok(Examined::Known(hash));
            }
            if !claims.claim(hash) {
                return Ok(Examined::Repeated(hash));
            }
            Ok(self
                .check(hashed)
                .map_or_else(|refused| Examined::Unverified(hash, refused), Examined::Verified))
        };
        examined.extend(hashed.into_iter().zip(known).map(verdict));
    }

    /// Verifies an operation, whether it is new or not.
    pub(super) fn verify<'a>(self, incoming: Incoming<'a>) -> Result<VerifiedOp<'a>, Refused> {
        self.check(self.hash(incoming, &mut Scratch::default())?)
    }

    fn hash<'a, 't>(
        self,
        incoming: Incoming<'a>,
        scratch: &'t mut Scratch,
    ) -> Result<HashedOp<'a, 't>, Refused> {
        let signed = incoming.decode()?;
        belongs(signed.as_ref().op(), self.space, self.labels)?;
        Ok(HashedOp::new(&self.crypto, signed, scratch)?)
    }

    fn check<'a>(self, hashed: HashedOp<'a, '_>) -> Result<VerifiedOp<'a>, Refused> {
        if self.unverified {
            return Ok(VerifiedOp::dangerously_unverified(hashed));
        }
        Ok(self.keys.verify_hashed(&self.crypto, hashed)?)
    }

    /// Finds out which of several copies of one operation is the one: the first in the batch that verifies, as it would
    /// be one by one. The signature is not in the hash, so a copy of one that failed has its own chance. Returns what
    /// comes after the one, `failed` ones included: one by one, nobody would have looked at their signature.
    pub(super) fn settle<'a>(
        self,
        batch: &[Incoming<'a>],
        repeats: Vec<Numbered<OpHash>>,
        failed: Vec<Numbered<OpHash>>,
        verified: &mut Vec<Numbered<VerifiedOp<'a>>>,
        answers: &mut Answers,
    ) -> Vec<Numbered<OpHash>> {
        let hashes: OpHashSet = repeats.iter().map(|(_, hash)| *hash).collect();
        let firsts = verified.extract_if(.., |(_, op)| hashes.contains(&op.hash()));
        let mut firsts: OpHashMap<Numbered<VerifiedOp<'a>>> =
            firsts.map(|(number, op)| (op.hash(), (number, op))).collect();
        let mut later = Vec::new();
        for (number, hash) in repeats {
            if is_after(&firsts, number, hash) {
                later.push((number, hash));
                continue;
            }
            match batch.get(number).map(|incoming| self.verify(*incoming)) {
                Some(Ok(op)) => {
                    // Another thread was quicker with one that comes later.
                    let quicker = firsts.insert(hash, (number, op));
                    later.extend(quicker.map(|(number, _)| (number, hash)));
                }
                Some(Err(refused)) => answers.set(number, Err(refused)),
                None => {}
            }
        }
        later.extend(failed.into_iter().filter(|(number, hash)| is_after(&firsts, *number, *hash)));
        verified.extend(firsts.into_values());
        verified.sort_by_key(|(number, _)| *number);
        later
    }
}

/// Whether this place in the batch is behind that of the operation that was verified.
fn is_after(firsts: &OpHashMap<Numbered<VerifiedOp<'_>>>, number: usize, hash: OpHash) -> bool {
    firsts.get(&hash).is_some_and(|(first, _)| *first < number)
}

/// Whether an operation may belong to this log: its space, and its label where only the default one will do.
fn belongs(op: OpRef<'_>, space: Option<&str>, labels: Labels) -> Result<(), Refused> {
    if op.space() != space {
        return Err(Refused::WrongSpace {
            found: op.space().map(Excerpt::of),
            expected: space.map(Excerpt::of),
        });
    }
    match op.label() {
        Some(label) if labels == Labels::Derived => Err(Refused::Malformed(DecodeError::IdMismatch {
            found: Excerpt::of(label),
            expected: Excerpt::of(&op_id(op.actor(), op.ts())),
        })),
        _ => Ok(()),
    }
}
