//! The file of a replica: a copy of it, a check of it, and saving what is left of it.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::path::PathBuf;

use super::boundary::{Call, Growing, guarded};
use super::buffer::policysync_buffer;
use super::error::{Failure, policysync_error};
use super::options::{path_of, policysync_replica_options};
use super::replica::policysync_replica;
use super::status::policysync_status;
use super::status::policysync_status_code::POLICYSYNC_OK;

/// Whether the seal of a store fits its operations: `seal` of `policysync_store_report`.
#[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "of the header only"))]
#[derive(Clone, Copy)]
#[repr(C)]
pub enum policysync_seal {
    /// There is no seal, or no key to check it with.
    POLICYSYNC_SEAL_UNCHECKED = 0,
    /// It fits: these operations were verified before.
    POLICYSYNC_SEAL_FITS = 1,
    /// It does not fit the operations, or the key is another.
    POLICYSYNC_SEAL_BROKEN = 2,
}

/// What a check of a store found.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_store_report {
    /// `sizeof(policysync_store_report)`, set by the caller.
    pub struct_size: u32,
    /// Whether the seal fits: a `policysync_seal`. `policysync_store_salvage` does not tell.
    pub seal: u32,
    /// How many operations are there and verified; after `policysync_store_salvage`, how many are in the new store.
    pub operations: u64,
    /// How many things are wrong, or cannot be told. 0 for a store in which nothing is.
    pub findings: u64,
}

// SAFETY: `repr(C)`, begins with its size, without padding. Zero is an empty store.
unsafe impl Growing for policysync_store_report {
    const FIRST_SIZE: usize = size_of::<Self>();
    const NAME: &'static str = "report";
}

/// Copies the replica's file, while it is open, into a new one, for use as a backup. The copy is marked: who opens it
/// cannot write into it as an actor whose operations are in it (`POLICYSYNC_ERR_RESTORED_BACKUP`), because that actor
/// may have written more since, and would use the same timestamps again.
///
/// `path`, `path_len`: where the copy goes; as `path` of `policysync_replica_options`. Borrowed for the call.
/// `err`: may be NULL. On a failure there is no copy, unless only writing the directory entry to the disk failed.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (the path, or the replica is in memory),
/// `POLICYSYNC_ERR_EXISTS`, `POLICYSYNC_ERR_NOT_A_STORE` (the path names no file), a store failure,
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_back_up(
    replica: MaybeUninit<&mut policysync_replica>,
    path: *const c_char,
    path_len: usize,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let replica = call.shared(replica, "replica")?;
        let path = path_of(call.bytes(path.cast(), path_len, "path")?, "path")?;
        replica.enter()?.inside.replica.back_up(path)?;
        Ok(POLICYSYNC_OK)
    })
}

/// Checks a file that nobody has open, without changing what it holds: everything, not only up to the first fault.
///
/// `options`: those that the replica would be opened with. `path` is required; `space`, `seal_key`, `keys` and `key`
/// are looked at; the callbacks are not, and are not taken over. Whoever keeps what nobody has verified knows no keys,
/// and would find every operation to be by an unknown one. Borrowed for the call.
/// `report`: what was found; its `struct_size` is set by the caller.
/// `findings`: a JSON array of `{"place":"operation","arrival":3,"damage":"hash","text":"the operation has another
/// hash"}`, empty where nothing is wrong. `place` is `file`, `schema`, `description`, `seal` or `operation`; only the
/// last has an `arrival`, the operation's number. `damage` is `malformed`, `check`, `empty`, `missing`, `unexpected`,
/// `decode`, `hash`, `duplicate`, `space`, `signature`, `unknown_key` or `seal`. NULL if it is not wanted.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK` (**also where something is wrong**), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (also
/// for no path), `POLICYSYNC_ERR_VERSION`, `POLICYSYNC_ERR_IDENTIFIER`, `POLICYSYNC_ERR_KEY`,
/// `POLICYSYNC_ERR_KEY_TAKEN`, `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `sqlite`),
/// `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_NOT_A_STORE`, `POLICYSYNC_ERR_NEWER`, a store failure,
/// `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_store_verify(
    options: MaybeUninit<&policysync_replica_options>,
    report: MaybeUninit<&mut policysync_store_report>,
    findings: *mut policysync_buffer,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let options = call.growing_required(options)?;
        check(call, &options, None, report, findings)
    })
}

/// Writes every operation of a damaged file that verifies into a new store, in the order of arrival, and says what is
/// lost. Positions in the old store mean nothing in the new one, which has no seal yet. What was lost may be operations
/// of the device's own actor: it should go on as a new one.
///
/// `options`: as in `policysync_store_verify`.
/// `to`, `to_len`: where the new store goes; as `path` of the options. Borrowed for the call.
/// `report`, `findings`: as in `policysync_store_verify`. What is found at an operation is the reason why it is not in
/// the new store.
/// `err`: may be NULL. When the call fails on the way, the new store holds what was written until then.
///
/// Returns what `policysync_store_verify` does, `POLICYSYNC_ERR_FULL`, and `POLICYSYNC_ERR_EXISTS` (there is a file at
/// `to`). Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_store_salvage(
    options: MaybeUninit<&policysync_replica_options>,
    to: *const c_char,
    to_len: usize,
    report: MaybeUninit<&mut policysync_store_report>,
    findings: *mut policysync_buffer,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let options = call.growing_required(options)?;
        let to = path_of(call.bytes(to.cast(), to_len, "to")?, "to")?;
        check(call, &options, Some(to), report, findings)
    })
}

/// Checks a store; saves what is good, where there is a place for it.
fn check(
    call: &Call,
    options: &policysync_replica_options,
    to: Option<PathBuf>,
    report: MaybeUninit<&mut policysync_store_report>,
    findings: *mut policysync_buffer,
) -> Result<super::status::policysync_status_code, Failure> {
    let report = call.growing_out(report, "report")?;
    let findings = call.optional_out(findings);
    let (found, list) = walk(call, options, to)?;
    report.write(found);
    if let Some(findings) = findings {
        findings.fill(list.as_bytes());
    }
    Ok(POLICYSYNC_OK)
}

#[cfg(feature = "sqlite")]
fn walk(
    call: &Call,
    options: &policysync_replica_options,
    to: Option<PathBuf>,
) -> Result<(policysync_store_report, String), Failure> {
    let path = options.file(call)?.ok_or_else(|| Failure::argument("options.path is empty"))?;
    let keys = options.registry(call)?;
    let mut check = crate::store::StoreCheck::new(path, &keys);
    if let Some(space) = options.space(call)? {
        check = check.space(space);
    }
    if let Some(key) = call.optional_bytes(options.seal_key) {
        check = check.seal_key(*key);
    }
    let crypto = crate::crypto::Sodium::new()?;
    let (operations, sealed, findings) = match to {
        None => {
            let report = check.verify(crypto)?;
            (report.verified, report.sealed, report.findings)
        }
        Some(to) => {
            let salvaged = check.salvage(crypto, to)?;
            (salvaged.saved, None, salvaged.lost)
        }
    };
    let report = policysync_store_report {
        struct_size: 0,
        seal: policysync_seal::of(sealed).number(),
        operations: operations.into(),
        findings: u64::try_from(findings.len()).unwrap_or(u64::MAX),
    };
    Ok((report, super::json::array(findings, super::json::finding)))
}

#[cfg(not(feature = "sqlite"))]
fn walk(
    call: &Call,
    options: &policysync_replica_options,
    _: Option<PathBuf>,
) -> Result<(policysync_store_report, String), Failure> {
    options.file(call)?;
    Err(super::options::no_files())
}

#[cfg(feature = "sqlite")]
impl policysync_seal {
    fn of(sealed: Option<bool>) -> Self {
        match sealed {
            None => Self::POLICYSYNC_SEAL_UNCHECKED,
            Some(true) => Self::POLICYSYNC_SEAL_FITS,
            Some(false) => Self::POLICYSYNC_SEAL_BROKEN,
        }
    }

    #[expect(clippy::as_conversions, reason = "an enum without fields is its number")]
    const fn number(self) -> u32 {
        self as u32
    }
}
