//! Operations in a file or a stream.

use std::io::BufReader;
use std::mem::MaybeUninit;

use super::boundary::{Call, Growing, guarded};
use super::error::{Failure, policysync_error};
use super::replica::policysync_replica;
use super::status::policysync_status;
use super::status::policysync_status_code::{self, POLICYSYNC_OK};
use super::stream::{Reader, Writer, policysync_reader, policysync_writer};
use super::sync::policysync_intake;
use crate::bundle::{self, BundleError, Exported};
use crate::oplog::Cursor;
use crate::{OpHash, Replica};

/// Bytes that a reader is asked for at once, at most.
const READ_BYTES: usize = 64 << 10;

/// What was written into a bundle.
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
    /// Where the next bundle of `policysync_replica_export_bundle` goes on from.
    pub position: u64,
}

// SAFETY: `repr(C)`, begins with its size, without padding. Zero is nothing written.
unsafe impl Growing for policysync_exported {
    const FIRST_SIZE: usize = size_of::<Self>();
    const NAME: &'static str = "exported";
}

/// Writes the operations that arrived since a position into a bundle, for where there is no line: a USB stick, an
/// e-mail. They go out in frames of about 1 MiB, of which no more than one is in memory. Other threads wait for the
/// replica meanwhile.
///
/// `position`: 0 for all, or `position` of an earlier export, or `policysync_replica_position`.
/// `writer`: takes the bytes. Borrowed for the call; its context is taken over, and destroyed before the call returns.
/// `exported`: what was written; its `struct_size` is set by the caller. NULL if it is not wanted.
/// `err`: may be NULL. On any failure what was written is no bundle.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` (also for a writer without its function), `POLICYSYNC_ERR_ARGUMENT`,
/// `POLICYSYNC_ERR_VERSION` (if a `struct_size` is so small that `destroy` is not in it, or ends within a
/// member, the writer is not taken over),
/// `POLICYSYNC_ERR_CALLBACK`, a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since
/// ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_export_bundle(
    replica: MaybeUninit<&mut policysync_replica>,
    position: u64,
    writer: MaybeUninit<&policysync_writer>,
    exported: *mut policysync_exported,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let writer = Writer::take(call, writer);
        export(call, replica, writer, exported, |replica, writer| {
            // Past the end of any log there is nothing yet.
            let cursor = Cursor::from_position(position).unwrap_or_else(|| replica.log().cursor());
            Ok(bundle::export_since(replica, cursor, writer)?)
        })
    })
}

/// Writes these operations into a bundle, in this order.
///
/// `hashes`, `count`: which ones: so many times 32 bytes. Borrowed for the call.
/// `writer`, `exported`: as in `policysync_replica_export_bundle`.
/// `err`: may be NULL. On any failure what was written is no bundle.
///
/// Returns what `policysync_replica_export_bundle` does; `POLICYSYNC_ERR_ARGUMENT` also where an operation is not in
/// the log (`err` tells which). Any thread. Since ABI 1.
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
        let writer = Writer::take(call, writer);
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

/// Offers the operations of a bundle to the replica, a frame of about 1 MiB at a time: no more than one is in memory. A
/// frame is checked against its digest before anything of it is offered. The digests show damage, not who made the
/// bundle; operations are verified as ever.
///
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `reader`: gives the bytes. Borrowed for the call; its context is taken over, and destroyed before the call returns.
/// `intake`: what became of the operations; its `struct_size` is set by the caller. NULL if it is not wanted.
/// `err`: may be NULL. On any failure what was admitted from earlier frames stays; the bundle may be imported again.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` (also for a reader without its function), `POLICYSYNC_ERR_ARGUMENT`,
/// `POLICYSYNC_ERR_VERSION` (if a `struct_size` is so small that `destroy` is not in it, or ends within a
/// member, the reader is not taken over),
/// `POLICYSYNC_ERR_CALLBACK` (the reader, the clock or the guard), `POLICYSYNC_ERR_MALFORMED` (no bundle, or not one
/// that this library makes), `POLICYSYNC_ERR_PEER_VERSION`, `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_DAMAGED`,
/// `POLICYSYNC_ERR_CLOCK`, `POLICYSYNC_ERR_ABORTED` (the guard), `POLICYSYNC_ERR_FULL`, a store failure,
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_import_bundle(
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    reader: MaybeUninit<&policysync_reader>,
    intake: *mut policysync_intake,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let reader = Reader::take(call, reader);
        let replica = call.shared(replica, "replica")?;
        let mut reader = reader?;
        let out = call.optional_growing_out(intake, "intake")?;
        let imported = replica.change(now_ms, |replica, now| {
            let result = bundle::import(replica, now, BufReader::with_capacity(READ_BYTES, &mut reader));
            result.map_err(|error| reader.failure().unwrap_or_else(|| error.into()))
        })?;
        if let Some(out) = out {
            out.write(policysync_intake::of_imported(imported));
        }
        Ok(POLICYSYNC_OK)
    })
}

fn export(
    call: &Call,
    replica: MaybeUninit<&mut policysync_replica>,
    writer: Result<Writer, Failure>,
    exported: *mut policysync_exported,
    write: impl FnOnce(&Replica, &mut Writer) -> Result<Exported, Failure>,
) -> Result<policysync_status_code, Failure> {
    let replica = call.shared(replica, "replica")?;
    let mut writer = writer?;
    let out = call.optional_growing_out(exported, "exported")?;
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
