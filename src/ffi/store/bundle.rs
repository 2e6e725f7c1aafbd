//! Bundles.

use std::io::BufReader;
use std::mem::MaybeUninit;

use crate::bundle::{self, BundleError, Exported};
use crate::ffi::glue::boundary::{Call, guarded};
use crate::ffi::glue::error::{Failure, policysync_error};
use crate::ffi::glue::growing::Growing;
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::{self, POLICYSYNC_OK};
use crate::ffi::replica::handle::policysync_replica;
use crate::ffi::store::stream::{Stream, policysync_reader, policysync_writer};
use crate::ffi::types::counts::policysync_ingested;
use crate::oplog::Cursor;
use crate::{OpHash, Replica};

/// The maximum number of bytes that a reader is asked for at once.
const READ_BYTES: usize = 64 << 10;

/// The size of an exported bundle.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_exported {
    /// `sizeof(policysync_exported)`, set by the caller.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Operations in the bundle.
    pub ops: u64,
    /// Bytes of the bundle.
    pub bytes: u64,
    /// The position to start the next `policysync_replica_export_bundle` from.
    pub position: u64,
}

// SAFETY: `repr(C)`, begins with its size, without padding. Zero is nothing written.
unsafe impl Growing for policysync_exported {
    const FIRST_SIZE: usize = size_of::<Self>();
    const NAME: &'static str = "exported";
}

/// Writes the operations that were appended since a position into a bundle, for transfer without a connection: on a USB
/// stick, by e-mail. They are written in frames of about 1 MiB, one of which is in memory at a time. Other threads wait
/// for the replica meanwhile.
///
/// `position`: 0 for all, `position` of an earlier export, or `policysync_replica_position`.
/// `writer`: receives the bytes. Its context is taken over, and destroyed before the call returns.
/// `exported`: the size of the bundle. NULL if it is not wanted.
///
/// On any failure the bytes that were written are not a valid bundle.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` (also for a writer without its function), `POLICYSYNC_ERR_ARGUMENT`,
/// `POLICYSYNC_ERR_VERSION`, `POLICYSYNC_ERR_CALLBACK`, a store failure, `POLICYSYNC_ERR_BUSY` or
/// `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_export_bundle(
    replica: MaybeUninit<&mut policysync_replica>,
    position: u64,
    writer: MaybeUninit<&policysync_writer>,
    exported: *mut policysync_exported,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let writer = Stream::<policysync_writer>::take(call, writer);
        export(call, replica, writer, exported, |replica, writer| {
            // A position past the end of any log is the end of this one.
            let cursor = Cursor::from_position(position).unwrap_or_else(|| replica.log().cursor());
            Ok(bundle::export_since(replica, cursor, writer)?)
        })
    })
}

/// Writes the given operations into a bundle, in the given order.
///
/// `hashes`, `count`: the hashes of the operations: `count` times 32 bytes.
/// `writer`, `exported`: as in `policysync_replica_export_bundle`.
///
/// On any failure the bytes that were written are not a valid bundle.
///
/// Returns what `policysync_replica_export_bundle` does; `POLICYSYNC_ERR_ARGUMENT` also if an operation is not in the
/// log (`op_index` is its index).
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_export_bundle_of(
    replica: MaybeUninit<&mut policysync_replica>,
    hashes: *const u8,
    count: usize,
    writer: MaybeUninit<&policysync_writer>,
    exported: *mut policysync_exported,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let writer = Stream::<policysync_writer>::take(call, writer);
        let len = count.saturating_mul(32);
        let (hashes, _) = call.bytes(hashes.cast(), len, "hashes")?.as_chunks();
        let hashes: Vec<OpHash> = hashes.iter().copied().map(OpHash::from_bytes).collect();
        export(call, replica, writer, exported, |replica, writer| {
            bundle::export_ops(replica, &hashes, writer).map_err(|error| {
                let missing = match &error {
                    BundleError::Missing { hash } => hashes.iter().position(|other| other == hash),
                    _ => None,
                };
                let failure = Failure::from(error);
                match missing {
                    Some(at) => failure.at(at),
                    None => failure,
                }
            })
        })
    })
}

/// Ingests the operations of a bundle, a frame of about 1 MiB at a time. Each frame is checked against its digest
/// before any of its operations is ingested. The digests detect damage, not forgery; every operation is verified as
/// usual.
///
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `reader`: gives the bytes. Its context is taken over, and destroyed before the call returns.
/// `ingested`: the counts of the operations. NULL if they are not wanted.
///
/// On any failure the operations of earlier frames stay; the bundle may be imported again.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` (also for a reader without its function), `POLICYSYNC_ERR_ARGUMENT`,
/// `POLICYSYNC_ERR_VERSION`, `POLICYSYNC_ERR_CALLBACK` (the reader, the clock or the guard), `POLICYSYNC_ERR_MALFORMED`
/// (not a valid bundle), `POLICYSYNC_ERR_PEER_VERSION`, `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_DAMAGED`,
/// `POLICYSYNC_ERR_CLOCK`, `POLICYSYNC_ERR_ABORTED` (the guard), `POLICYSYNC_ERR_FULL`, a store failure,
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_import_bundle(
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    reader: MaybeUninit<&policysync_reader>,
    ingested: *mut policysync_ingested,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let reader = Stream::<policysync_reader>::take(call, reader);
        let replica = call.shared(replica, "replica")?;
        let mut reader = reader?;
        let out = call.optional_growing_out(ingested)?;
        let imported = replica.change(now_ms, |replica, now| {
            let result = bundle::import(replica, now, BufReader::with_capacity(READ_BYTES, &mut reader));
            result.map_err(|error| reader.failure().unwrap_or_else(|| error.into()))
        })?;
        if let Some(out) = out {
            out.write(policysync_ingested::of_imported(&imported));
        }
        Ok(POLICYSYNC_OK)
    })
}

fn export(
    call: &Call,
    replica: MaybeUninit<&mut policysync_replica>,
    writer: Result<Stream<policysync_writer>, Failure>,
    exported: *mut policysync_exported,
    write: impl FnOnce(&Replica, &mut Stream<policysync_writer>) -> Result<Exported, Failure>,
) -> Result<policysync_status_code, Failure> {
    let replica = call.shared(replica, "replica")?;
    let mut writer = writer?;
    let out = call.optional_growing_out(exported)?;
    let result = {
        let entered = replica.enter()?;
        write(&entered.inside.replica, &mut writer)
    };
    let done = result.map_err(|failure| writer.failure().unwrap_or(failure))?;
    if let Some(out) = out {
        out.write(policysync_exported {
            struct_size: 0,
            reserved: 0,
            ops: done.ops,
            bytes: done.bytes,
            position: done.cursor.position(),
        });
    }
    Ok(POLICYSYNC_OK)
}
