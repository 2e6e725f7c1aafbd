//! Operations in one SQLite file: durable, for one process at a time, and not believed when they are read back.

mod backup;
mod create;
mod fault;
mod place;
mod rows;
mod salvage;
mod schema;
mod seal;
mod settings;
mod verify;

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::{Body, Damage, Place, Store, StoreError};
use crate::codec::{OpHash, Scratch};
use crate::crypto::Sodium;
use crate::guard::PermittedOp;
use crate::op::OpSeq;
use crate::value::Excerpt;
use fault::fault;
use seal::Seal;

pub(crate) use rows::{Page, decode, recompute};
pub use salvage::Salvaged;
pub(crate) use seal::Sealing;
pub use settings::Durability;
pub(crate) use settings::Settings;
pub use verify::{Finding, StoreCheck, StoreReport};

/// A store in an SQLite file.
pub(crate) struct SqliteStore {
    crypto: Sodium,
    connection: Connection,
    opened: place::Opened,
    space: Option<Box<str>>,
    meta: Meta,
    sealing: Option<Sealing>,
}

/// What the file says of itself.
struct Meta {
    /// How many operations there are.
    count: u32,
    seal: Option<Seal>,
    /// How many operations a backup was made with.
    copied: Option<u32>,
}

impl SqliteStore {
    /// Opens the store at `path`, or makes a new one where there is no file. What it holds is still to be verified.
    pub(crate) fn open(crypto: Sodium, path: &Path, settings: Settings) -> Result<Self, StoreError> {
        let space = settings.space;
        match place::len(path)? {
            None => create::create(path, space.as_deref())?,
            // SQLite would take it for a new database.
            Some(0) => return Err(StoreError::Corrupt { place: Place::File, damage: Damage::Empty }),
            Some(_) => {}
        }
        let mut connection = settings::connect(path, false)?;
        schema::check(&connection)?;
        check_pages(&connection)?;
        schema::migrate(&mut connection)?;
        let meta = Meta::read(&connection, space.as_deref())?;
        settings::prepare_for_writing(&connection, settings.durability)?;
        let sealing = settings.seal_key.map(|key| Sealing::new(crypto, key));
        Ok(Self { crypto, connection, opened: place::Opened::new(path)?, space, meta, sealing })
    }

    /// Operations from number `first` on: at least one, unless there is none.
    pub(crate) fn page(&self, first: OpSeq) -> Result<Page, StoreError> {
        rows::page(&self.connection, first)
    }

    /// How many operations there are said to be.
    pub(crate) fn count(&self) -> u32 {
        self.meta.count
    }

    /// How many operations there were when this file was made as a backup of another.
    pub(crate) fn copied(&self) -> Option<u32> {
        self.meta.copied
    }

    /// What seals the store, where it has a key.
    pub(crate) fn sealing(&self) -> Option<&Sealing> {
        self.sealing.as_ref()
    }

    /// Whether there is a seal, and a key to check it with.
    pub(crate) fn is_sealed(&self) -> bool {
        self.sealing.is_some() && self.meta.seal.is_some()
    }

    /// Checks the seal against the one computed over what was read.
    pub(crate) fn check_seal(&self, computed: &Seal) -> Result<(), StoreError> {
        match (&self.sealing, &self.meta.seal) {
            (Some(sealing), Some(stored)) if sealing.is_same(computed, stored) => Ok(()),
            _ => Err(StoreError::Corrupt { place: Place::Seal, damage: Damage::Seal }),
        }
    }

    /// Puts the first seal on a store whose operations have all been verified.
    pub(crate) fn seal(&mut self, computed: Seal) -> Result<(), StoreError> {
        let count = self.meta.count;
        self.commit(count, Some(computed), |_| Ok(()))
    }

    /// Writes in one transaction: what `write` writes, and that there are `count` operations with this seal.
    fn commit(
        &mut self,
        count: u32,
        seal: Option<Seal>,
        write: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), StoreError> {
        self.opened.is_in_place()?;
        let before = self.meta.count;
        let work = || {
            let transaction = Transaction::new(&mut self.connection, TransactionBehavior::Immediate)?;
            write(&transaction)?;
            let changed = transaction
                .prepare_cached("UPDATE meta SET count = ?1, seal = ?2 WHERE one = 1 AND count = ?3")?
                .execute(params![count, seal, before])?;
            if changed == 1 {
                transaction.commit()?;
            }
            // Otherwise dropping the transaction takes it back.
            Ok(changed)
        };
        match work().map_err(fault)? {
            1 => {
                (self.meta.count, self.meta.seal) = (count, seal);
                Ok(())
            }
            _ => Err(StoreError::Corrupt { place: Place::Meta, damage: Damage::Unexpected }),
        }
    }
}

impl Store for SqliteStore {
    fn append(&mut self, ops: &[PermittedOp<'_>]) -> Result<(), StoreError> {
        if ops.is_empty() {
            return Ok(());
        }
        let first = self.meta.count;
        let added = u32::try_from(ops.len()).map_err(|_| StoreError::Full)?;
        let count = first.checked_add(added).ok_or(StoreError::Full)?;
        let seal = self.seal_after(ops);
        self.commit(count, seal, |transaction| {
            let mut insert =
                transaction.prepare_cached("INSERT INTO ops (arrival, hash, op) VALUES (?1, ?2, ?3)")?;
            let mut bytes = Vec::new();
            for (seq, permitted) in OpSeq::new(first).until(OpSeq::new(count)).zip(ops) {
                bytes.clear();
                permitted.signed().write_binary(&mut bytes);
                insert.execute(params![seq.get(), permitted.hash().as_bytes(), bytes])?;
            }
            Ok(())
        })
    }

    fn read<'a>(
        &'a self,
        seq: OpSeq,
        hash: &OpHash,
        scratch: &'a mut Vec<u8>,
    ) -> Result<Body<'a>, StoreError> {
        rows::one(&self.connection, seq, scratch)?;
        let damaged = |damage| StoreError::operation(seq, damage);
        let signed = rows::decode(scratch, self.space.as_deref()).map_err(damaged)?;
        rows::recompute(self.crypto, *hash, signed, &mut Scratch::default()).map_err(damaged)?;
        Ok(Body { value: signed.op().value(), label: signed.op().label(), signature: signed.signature() })
    }

    fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        backup::copy(&self.connection, path, self.meta.count)
    }
}

impl SqliteStore {
    /// The seal with these operations. A store that has lost its seal, because it was written to without the key, or
    /// never had one, stays without.
    fn seal_after(&self, ops: &[PermittedOp<'_>]) -> Option<Seal> {
        let (sealing, seal) = (self.sealing.as_ref()?, self.meta.seal?);
        let mut scratch = Vec::new();
        let add =
            |seal: Seal, op: &PermittedOp<'_>| sealing.after(&seal, &op.hash(), op.signed(), &mut scratch);
        Some(ops.iter().fold(seal, add))
    }
}

impl Meta {
    fn read(connection: &Connection, space: Option<&str>) -> Result<Self, StoreError> {
        let unexpected = || StoreError::Corrupt { place: Place::Meta, damage: Damage::Unexpected };
        let mut statement =
            connection.prepare("SELECT space, count, seal, copied, one FROM meta").map_err(fault)?;
        let mut rows = statement.query([]).map_err(fault)?;
        let row = rows.next().map_err(fault)?.ok_or_else(unexpected)?;
        let column = |number| row.get_ref(number).map_err(fault);

        let found = match column(0)? {
            ValueRef::Null => None,
            ValueRef::Text(bytes) => Some(std::str::from_utf8(bytes).map_err(|_| unexpected())?),
            _ => return Err(unexpected()),
        };
        if found != space {
            return Err(StoreError::WrongSpace {
                found: found.map(Excerpt::of),
                expected: space.map(Excerpt::of),
            });
        }
        let number = |value: ValueRef<'_>| match value {
            ValueRef::Integer(number) => u32::try_from(number).map_err(|_| unexpected()),
            _ => Err(unexpected()),
        };
        let meta = Self {
            count: number(column(1)?)?,
            seal: match column(2)? {
                ValueRef::Null => None,
                ValueRef::Blob(bytes) => Some(bytes.try_into().map_err(|_| unexpected())?),
                _ => return Err(unexpected()),
            },
            copied: match column(3)? {
                ValueRef::Null => None,
                copied => Some(number(copied)?),
            },
        };
        if column(4)? != ValueRef::Integer(1) || rows.next().map_err(fault)?.is_some() {
            return Err(unexpected());
        }
        Ok(meta)
    }
}

/// SQLite's own check of the tree of pages. It costs a walk over them, which brings them into the cache for us.
fn check_pages(connection: &Connection) -> Result<(), StoreError> {
    let first: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(fault)?;
    if first == "ok" {
        return Ok(());
    }
    Err(fault::check_fault(&first))
}
