//! Opening a replica in a file: the log is read, verified again, and everything else follows from it.

use std::path::PathBuf;

use super::{OpenError, Replica};
use crate::codec::{OpHash, Scratch};
use crate::crypto::Zeroizing;
use crate::guard::PermittedOp;
use crate::hlc::WallMillis;
use crate::keys::{VerifiedOp, VerifyError};
use crate::op::OpSeq;
use crate::oplog::{LogDigest, OpLog};
use crate::state::State;
use crate::store::{Damage, Durability, Page, Place, Settings, SqliteStore, StoreError, decode, recompute};

/// Where a replica's log is kept, and what is expected of it.
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) now: WallMillis,
}

/// What is asked of the file, should there be one.
#[derive(Default)]
pub(super) struct FileOptions {
    pub(super) durability: Durability,
    pub(super) seal_key: Option<Zeroizing<[u8; 32]>>,
    pub(super) at_least: Option<LogDigest>,
}

/// What shows that an operation from the file was signed by its actor.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Evidence {
    /// Its signature.
    Signature,
    /// The seal over all of them, checked when all have been read.
    Seal,
    /// Nothing: the replica accepts operations unverified.
    None,
}

impl Replica {
    /// Opens the file and takes over what it holds.
    pub(super) fn restore(&mut self, file: &File, options: FileOptions) -> Result<(), OpenError> {
        if self.accepts_unverified() && options.seal_key.is_some() {
            return Err(OpenError::SealUnverified);
        }
        let settings = Settings {
            space: self.log.space().map(Into::into),
            durability: options.durability,
            seal_key: options.seal_key,
        };
        let mut store = SqliteStore::open(self.crypto, &file.path, settings)?;
        let evidence = match (self.accepts_unverified(), store.is_sealed()) {
            (true, _) => Evidence::None,
            (false, true) => Evidence::Seal,
            (false, false) => Evidence::Signature,
        };
        let computed = self.read_log(&store, evidence, options.at_least)?;
        match (evidence, computed) {
            (Evidence::Seal, Some(computed)) => {
                store.check_seal(&computed).map_err(|error| self.locate(&store, error))?;
            }
            (Evidence::Signature, Some(computed)) => store.seal(computed)?,
            _ => {}
        }
        self.refuse_copied_actor(&store)?;
        self.log.keep_in(Box::new(store));
        self.merge_restored(file.now);
        Ok(())
    }

    /// Reads all operations into the log, and computes their seal where there is a key to it.
    fn read_log(
        &mut self,
        store: &SqliteStore,
        evidence: Evidence,
        at_least: Option<LogDigest>,
    ) -> Result<Option<[u8; 32]>, OpenError> {
        self.log = OpLog::new_in(self.crypto, self.log.space().map(Into::into));
        let mut seal = store.sealing().map(|sealing| sealing.start(self.log.space()));
        let mut scratch = Vec::new();
        let mut expected = at_least;
        loop {
            self.expect_head(&mut expected)?;
            let first = self.log.index().end();
            let page = store.page(first)?;
            if page.is_empty() {
                break;
            }
            let mut ops = self.verify_page(first, &page, evidence)?;
            if let (Some(sealing), Some(seal)) = (store.sealing(), &mut seal) {
                for op in &ops {
                    *seal = sealing.after(seal, &op.hash(), op.signed(), &mut scratch);
                }
            }
            // The digest that is expected is of a certain number of operations: stop there.
            let stop = expected.and_then(|expected| usize::try_from(expected.count).ok());
            let rest =
                stop.and_then(|stop| stop.checked_sub(self.log.len())).filter(|here| *here < ops.len());
            let rest = rest.map(|here| ops.split_off(here));
            self.log.restore(&ops, self.threads)?;
            if let Some(rest) = rest {
                self.expect_head(&mut expected)?;
                self.log.restore(&rest, self.threads)?;
            }
        }
        let (found, count) = (self.log.index().len(), store.count());
        if found != count {
            let damage = if found < count { Damage::Missing } else { Damage::Unexpected };
            let place = Place::Operation { seq: OpSeq::new(found.min(count)) };
            return Err(StoreError::Corrupt { place, damage }.into());
        }
        match expected {
            Some(expected) => Err(OpenError::RolledBack { expected, found: self.log.digest() }),
            None => Ok(seal),
        }
    }

    /// Whether the log is what was expected, once it has as many operations.
    fn expect_head(&self, expected: &mut Option<LogDigest>) -> Result<(), OpenError> {
        let count = u64::from(self.log.index().len());
        if let Some(head) = expected.take_if(|head| head.count == count) {
            let found = self.log.digest();
            if found != head {
                return Err(OpenError::RolledBack { expected: head, found });
            }
        }
        Ok(())
    }

    fn verify_page<'p>(
        &self,
        first: OpSeq,
        page: &'p Page,
        evidence: Evidence,
    ) -> Result<Vec<PermittedOp<'p>>, OpenError> {
        let rows: Vec<(OpSeq, OpHash, &'p [u8])> =
            first.onwards().zip(page.rows()).map(|(seq, (hash, bytes))| (seq, hash, bytes)).collect();
        let (crypto, space, keys) = (self.crypto, self.log.space(), &self.keys);
        let verify = |scratch: &mut Scratch, (seq, hash, bytes): (OpSeq, OpHash, &'p [u8])| {
            let damaged = |damage| OpenError::Store(StoreError::operation(seq, damage));
            let signed = decode(bytes, space).map_err(damaged)?;
            let hashed = recompute(crypto, hash, signed, scratch).map_err(damaged)?;
            match evidence {
                Evidence::Seal => Ok(VerifiedOp::under_seal(hashed)),
                Evidence::None => Ok(VerifiedOp::dangerously_unverified(hashed)),
                Evidence::Signature => keys.verify_hashed(&crypto, hashed).map_err(|error| match error {
                    VerifyError::UnknownKey { actor, kid } => OpenError::UnknownKey { seq, actor, kid },
                    VerifyError::BadSignature => damaged(Damage::Signature),
                    VerifyError::Op(error) => damaged(Damage::Decode(error.into())),
                }),
            }
        };
        let verified = self.threads.map(&rows, Scratch::default, |scratch, group, verified| {
            verified.extend(group.iter().map(|row| verify(scratch, *row)));
        });
        verified.into_iter().map(|op| op.map(PermittedOp::unguarded)).collect()
    }

    /// The seal does not fit: the signatures may tell where.
    fn locate(&mut self, store: &SqliteStore, error: StoreError) -> OpenError {
        match self.read_log(store, Evidence::Signature, None) {
            Err(place @ OpenError::Store(_)) => place,
            _ => error.into(),
        }
    }

    /// An actor whose operations came with a backup does not write into it: since the backup was made it may have
    /// written more, and would say a second thing at the same time.
    fn refuse_copied_actor(&self, store: &SqliteStore) -> Result<(), OpenError> {
        let (Some(actor), Some(copied)) = (self.actor(), store.copied()) else { return Ok(()) };
        let index = self.log.index();
        let wrote = index.seqs().any(|seq| seq < OpSeq::new(copied) && index.actor(seq) == actor);
        if wrote {
            Err(OpenError::RestoredBackup { actor: crate::value::Excerpt::of(actor) })
        } else {
            Ok(())
        }
    }

    /// Clock and state, from the log and the time.
    fn merge_restored(&mut self, now: WallMillis) {
        let index = self.log.index();
        let own = self.actor().and_then(|actor| {
            let own = index.seqs().filter(|seq| index.actor(*seq) == actor);
            own.map(|seq| index.ts(seq)).max()
        });
        if let Some(own) = own {
            self.clock.observe(own);
        }
        let horizon = self.horizon_at(now);
        let (state, greatest) = State::restored(self.log.index(), horizon);
        self.state = state;
        if let Some(greatest) = greatest {
            self.clock.observe(self.log.index().ts(greatest));
        }
    }
}
