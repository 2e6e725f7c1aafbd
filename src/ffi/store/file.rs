//! Backup, check and salvage of the file of a replica.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::path::PathBuf;

use crate::ffi::glue::boundary::{Call, guarded};
use crate::ffi::glue::buffer::policysync_buffer;
use crate::ffi::glue::error::{Failure, policysync_error};
use crate::ffi::glue::growing::Growing;
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::POLICYSYNC_OK;
use crate::ffi::replica::handle::policysync_replica;
use crate::ffi::replica::options::{path_of, policysync_replica_options};

/// The state of a store's seal: `seal` of `policysync_store_report`.
#[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "of the header only"))]
#[derive(Clone, Copy)]
#[repr(C)]
pub enum policysync_seal {
    /// The store has no seal, or no key was given to check it.
    POLICYSYNC_SEAL_UNCHECKED = 0,
    /// The seal is valid: these operations were verified before.
    POLICYSYNC_SEAL_FITS = 1,
    /// The seal does not match the operations, or it was made with another key.
    POLICYSYNC_SEAL_BROKEN = 2,
}

/// The result of a check of a store.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_store_report {
    /// `sizeof(policysync_store_report)`, set by the caller.
    pub struct_size: u32,
    /// The state of the seal: a `policysync_seal`. `policysync_store_salvage` does not check it.
    pub seal: u32,
    /// The number of operations that are present and verified; after `policysync_store_salvage`, the number in the new
    /// store.
    pub operations: u64,
    /// The number of faults, including those that could not be decided. 0 for a store without faults.
    pub findings: u64,
}

// SAFETY: `repr(C)`, begins with its size, without padding. Zero is an empty store.
unsafe impl Growing for policysync_store_report {
    const FIRST_SIZE: usize = size_of::<Self>();
    const NAME: &'static str = "report";
}

/// Copies the replica's file, while it is open, into a new one. The copy is marked as a backup: a replica cannot be
/// opened on it for writing as an actor whose operations are in it (`POLICYSYNC_ERR_RESTORED_BACKUP`), because that
/// actor may have written more since, and would use the same timestamps again.
///
/// `path`, `path_len`: the path of the copy; as `path` of `policysync_replica_options`.
///
/// On a failure there is no copy, unless only the directory entry could not be flushed to disk.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (the path, or the replica is in memory),
/// `POLICYSYNC_ERR_EXISTS`, `POLICYSYNC_ERR_NOT_A_STORE` (the path names no file), a store failure,
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
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
        replica.enter()?.inside.replica.back_up(&path)?;
        Ok(POLICYSYNC_OK)
    })
}

/// Checks the whole of a file that no replica has open, without changing its content.
///
/// `options`: the options that the replica would be opened with. `path` is required; `space`, `seal_key`, `keys`,
/// `keys_text` and `key` are used; the callbacks are ignored and not taken over. Without keys, every operation is
/// reported as signed by an unknown one.
/// `report`: the result.
/// `findings`: a JSON array of `{"place":"operation","opSeq":3,"damage":"hash","text":"the operation has another
/// hash"}`. `place` is `file`, `schema`, `head`, `seal` or `operation`; only the last has an `opSeq`, the number
/// of the operation in the log. `damage` is `malformed`, `check`, `empty`, `missing`, `unexpected`, `decode`, `hash`,
/// `duplicate`, `space`, `signature`, `unknown_key` or `seal`. NULL if it is not wanted.
///
/// Returns `POLICYSYNC_OK` (**also if there are findings**), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (also for
/// no path), `POLICYSYNC_ERR_VERSION`, `POLICYSYNC_ERR_IDENTIFIER`, `POLICYSYNC_ERR_KEY`, `POLICYSYNC_ERR_KEY_TAKEN`,
/// `POLICYSYNC_ERR_KEY_TEXT`, `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `sqlite`),
/// `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_NOT_A_STORE`, `POLICYSYNC_ERR_NEWER`, `POLICYSYNC_ERR_SEAL_KEY`, a
/// store failure, `POLICYSYNC_ERR_CRYPTO` or
/// `POLICYSYNC_ERR_PANIC`.
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

/// Writes every operation of a damaged file that verifies into a new store, in the order of the log, and reports the
/// lost ones. Positions of the old store are not valid in the new one, which has no seal yet. If operations of the
/// device's own actor may be lost, continue as a new actor.
///
/// `options`: as in `policysync_store_verify`.
/// `to`, `to_len`: the path of the new store; as `path` of the options.
/// `report`, `findings`: as in `policysync_store_verify`. A finding at an operation is the reason why it is not in the
/// new store.
///
/// When the call fails midway, the new store holds the operations that were written until then.
///
/// Returns what `policysync_store_verify` does, `POLICYSYNC_ERR_FULL` or `POLICYSYNC_ERR_EXISTS` (the file at `to`
/// exists).
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

/// Checks a store, and salvages it if `to` is given.
fn check(
    call: &Call,
    options: &policysync_replica_options,
    to: Option<PathBuf>,
    report: MaybeUninit<&mut policysync_store_report>,
    findings: *mut policysync_buffer,
) -> Result<crate::ffi::glue::status::policysync_status_code, Failure> {
    let report = call.growing_out(report)?;
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
            let salvaged = check.salvage(crypto, &to)?;
            (salvaged.saved, None, salvaged.lost)
        }
    };
    let report = policysync_store_report {
        struct_size: 0,
        seal: policysync_seal::of(sealed).number(),
        operations: operations.into(),
        findings: u64::try_from(findings.len()).unwrap_or(u64::MAX),
    };
    Ok((report, crate::ffi::glue::json::array(findings, crate::ffi::glue::json::finding)))
}

#[cfg(not(feature = "sqlite"))]
fn walk(
    call: &Call,
    options: &policysync_replica_options,
    _: Option<PathBuf>,
) -> Result<(policysync_store_report, String), Failure> {
    options.file(call)?;
    Err(crate::ffi::replica::options::no_files())
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
