//! The steps of ingestion that do not depend on other operations: decode, look for a duplicate, verify.

use super::batch::{Claims, Positioned, Results};
use super::options::SignatureCheck;
use super::{Incoming, Labels, OpRefusal, Outcome};
use crate::codec::{DecodeError, HashedOp, OpHash, OpHashMap, OpHashSet, Scratch};
use crate::crypto::Sodium;
use crate::keys::{KeyRegistry, VerifiedOp, VerifyError};
use crate::op::{MaybeOwned, OpRef, op_id};
use crate::oplog::Index;
use crate::threads::{GROUP, Threads};
use crate::value::Excerpt;

/// The parts of a replica that verification reads. Threads may share them.
#[derive(Clone, Copy)]
pub(super) struct Verifier<'r> {
    pub(super) crypto: Sodium,
    pub(super) keys: &'r KeyRegistry,
    pub(super) signatures: SignatureCheck,
    pub(super) space: Option<&'r str>,
    pub(super) labels: Labels,
    pub(super) index: &'r Index,
}

/// The operations of a batch that are genuine and were not in the log.
pub(super) struct VerifiedBatch<'a> {
    /// Each operation once, in the order of the batch.
    pub(super) ops: Vec<Positioned<VerifiedOp<'a>>>,
    /// Later copies of these operations. Ingested one at a time, they would be duplicates.
    pub(super) repeats: Vec<Positioned<OpHash>>,
}

/// One operation after its check.
enum Checked<'a> {
    /// New, and its signature is genuine.
    Verified(VerifiedOp<'a>),
    /// New, but verification failed.
    Unverified(OpHash, OpRefusal),
    /// In the log already; not verified again.
    Known(OpHash),
    /// A copy of another operation of the batch, which some thread has claimed; not verified.
    Repeated(OpHash),
}

/// The author that was looked up last. The operations of a message share the bytes of their names, so the same author
/// has the same addresses.
#[derive(Default)]
pub(super) struct LastAuthor<'a>(Option<((&'a str, &'a str), bool)>);

impl<'a> LastAuthor<'a> {
    /// Returns true if an author is known; `look_up` finds out.
    pub(super) fn is_known(
        &mut self,
        author: (&'a str, &'a str),
        look_up: impl Fn((&'a str, &'a str)) -> bool,
    ) -> bool {
        if let Some((last, is_known)) = self.0
            && std::ptr::eq(last.0, author.0)
            && std::ptr::eq(last.1, author.1)
        {
            return is_known;
        }
        let is_known = look_up(author);
        self.0 = Some((author, is_known));
        is_known
    }
}

/// The buffers of a thread, one for each operation of a group.
type Scratches = [Scratch; GROUP];

impl Verifier<'_> {
    /// Decodes and hashes the operations of a batch, looks for each in the log, and verifies the new ones. Sets the
    /// results of duplicates and of operations that fail.
    pub(super) fn verify_batch<'a>(
        self,
        batch: &[Incoming<'a>],
        threads: Threads,
        results: &mut Results,
    ) -> VerifiedBatch<'a> {
        let claims = Claims::new(batch.len());
        let checked = threads.map(batch, Scratches::default, |scratches, group, checked| {
            self.check_group(group, &claims, scratches, checked);
        });
        let mut verified = VerifiedBatch { ops: Vec::with_capacity(batch.len()), repeats: Vec::new() };
        let mut failed = Vec::new();
        for (position, checked) in checked.into_iter().enumerate() {
            match checked {
                Ok(Checked::Verified(op)) => verified.ops.push((position, op)),
                Ok(Checked::Unverified(hash, refusal)) => {
                    failed.push((position, hash));
                    results.set(position, Err(refusal));
                }
                Ok(Checked::Known(hash)) => results.set(position, Ok(Outcome::Duplicate { hash })),
                Ok(Checked::Repeated(hash)) => verified.repeats.push((position, hash)),
                Err(refusal) => results.set(position, Err(refusal)),
            }
        }
        if !verified.repeats.is_empty() {
            self.resolve_repeats(batch, &mut verified, failed, results);
        }
        verified
    }

    /// Verifies an operation, even if the log has it already.
    pub(super) fn verify<'a>(self, incoming: Incoming<'a>) -> Result<VerifiedOp<'a>, OpRefusal> {
        self.check_signature(self.hash(incoming, &mut Scratch::default(), &mut LastAuthor::default())?)
    }

    /// Checks a group of operations on the calling thread.
    ///
    /// All are hashed before the first is looked up, so that the look-ups wait for memory together.
    fn check_group<'a>(
        self,
        group: &[Incoming<'a>],
        claims: &Claims,
        scratches: &mut Scratches,
        checked: &mut Vec<Result<Checked<'a>, OpRefusal>>,
    ) {
        let mut last = LastAuthor::default();
        let hash = |(incoming, scratch): (&Incoming<'a>, _)| self.hash(*incoming, scratch, &mut last);
        let hashed: Vec<_> = group.iter().zip(scratches).map(hash).collect();
        let known: Vec<bool> = hashed
            .iter()
            .map(|hashed| hashed.as_ref().is_ok_and(|hashed| self.index.find(&hashed.hash()).is_some()))
            .collect();
        let check = |(hashed, known): (Result<HashedOp<'a, '_>, OpRefusal>, bool)| {
            let hashed = hashed?;
            let hash = hashed.hash();
            if known {
                return Ok(Checked::Known(hash));
            }
            if !claims.claim(hash) {
                return Ok(Checked::Repeated(hash));
            }
            Ok(self
                .check_signature(hashed)
                .map_or_else(|refusal| Checked::Unverified(hash, refusal), Checked::Verified))
        };
        checked.extend(hashed.into_iter().zip(known).map(check));
    }

    fn hash<'a, 't>(
        self,
        incoming: Incoming<'a>,
        scratch: &'t mut Scratch,
        last: &mut LastAuthor<'a>,
    ) -> Result<HashedOp<'a, 't>, OpRefusal> {
        let signed = incoming.decode()?;
        self.check_space_and_label(signed.as_ref().op())?;
        self.check_author(&signed, last)?;
        Ok(HashedOp::new(&self.crypto, signed, scratch)?)
    }

    fn check_space_and_label(self, op: OpRef<'_>) -> Result<(), OpRefusal> {
        if op.space() != self.space {
            return Err(OpRefusal::WrongSpace {
                found: op.space().map(Excerpt::of),
                expected: self.space.map(Excerpt::of),
            });
        }
        if let Some(label) = op.label().filter(|_| self.labels == Labels::Derived) {
            let (found, expected) = (Excerpt::of(label), Excerpt::of(&op_id(op.actor(), op.ts())));
            return Err(OpRefusal::Malformed(DecodeError::IdMismatch { found, expected }));
        }
        Ok(())
    }

    /// Refuses an operation by an unknown key before its text is built and hashed: a stranger could make that expensive
    /// with long names. A key in the log may have signed a duplicate.
    fn check_author<'a>(self, signed: &MaybeOwned<'a>, last: &mut LastAuthor<'a>) -> Result<(), OpRefusal> {
        if self.signatures == SignatureCheck::Skipped {
            return Ok(());
        }
        let is_known = match signed {
            MaybeOwned::Borrowed(signed) => {
                last.is_known((signed.op().actor(), signed.kid()), |(actor, kid)| self.knows(actor, kid))
            }
            MaybeOwned::Owned(signed) => self.knows(signed.op().actor(), signed.kid()),
        };
        if is_known { Ok(()) } else { Err(VerifyError::unknown_key(signed.as_ref()).into()) }
    }

    fn knows(self, actor: &str, kid: &str) -> bool {
        self.keys.find(actor, kid).is_some() || self.index.has_author(actor, kid)
    }

    pub(super) fn check_signature<'a>(self, hashed: HashedOp<'a, '_>) -> Result<VerifiedOp<'a>, OpRefusal> {
        match self.signatures {
            SignatureCheck::Required => Ok(self.keys.verify_hashed(&self.crypto, hashed)?),
            SignatureCheck::Skipped => Ok(VerifiedOp::dangerously_unverified(hashed)),
        }
    }

    /// Chooses among several copies of one operation the first in the batch that verifies, as ingesting them one at a
    /// time would. The signature is not part of the hash, so a copy of an operation that failed may be genuine. The
    /// later copies become repeats, including those in `failed`: one at a time, their signatures would not be checked.
    fn resolve_repeats<'a>(
        self,
        batch: &[Incoming<'a>],
        verified: &mut VerifiedBatch<'a>,
        failed: Vec<Positioned<OpHash>>,
        results: &mut Results,
    ) {
        let repeats = std::mem::take(&mut verified.repeats);
        let hashes: OpHashSet = repeats.iter().map(|(_, hash)| *hash).collect();
        let firsts = verified.ops.extract_if(.., |(_, op)| hashes.contains(&op.hash()));
        let mut firsts: OpHashMap<Positioned<VerifiedOp<'a>>> =
            firsts.map(|(position, op)| (op.hash(), (position, op))).collect();
        let mut later = Vec::new();
        for (position, hash) in repeats {
            if is_after(&firsts, position, hash) {
                later.push((position, hash));
                continue;
            }
            match batch.get(position).map(|incoming| self.verify(*incoming)) {
                Some(Ok(op)) => {
                    // Another thread may have verified a copy that comes later in the batch.
                    let replaced = firsts.insert(hash, (position, op));
                    later.extend(replaced.map(|(position, _)| (position, hash)));
                }
                Some(Err(refusal)) => results.set(position, Err(refusal)),
                None => {}
            }
        }
        later.extend(failed.into_iter().filter(|(position, hash)| is_after(&firsts, *position, *hash)));
        verified.repeats = later;
        verified.ops.extend(firsts.into_values());
        verified.ops.sort_by_key(|(position, _)| *position);
    }
}

/// Returns true if this position is after that of the verified copy.
fn is_after(firsts: &OpHashMap<Positioned<VerifiedOp<'_>>>, position: usize, hash: OpHash) -> bool {
    firsts.get(&hash).is_some_and(|(first, _)| *first < position)
}
