//! The log of a replica.

use std::mem::MaybeUninit;

use crate::ffi::glue::boundary::guarded;
use crate::ffi::glue::buffer::policysync_buffer;
use crate::ffi::glue::error::{Failure, policysync_error};
use crate::ffi::glue::json;
use crate::ffi::glue::status::policysync_status;
use crate::ffi::replica::ask::{ask, ask_number, ask_text};
use crate::ffi::replica::handle::policysync_replica;
use crate::ffi::types::digest::policysync_digest;
use crate::ffi::types::op::policysync_format;
use crate::oplog::Cursor;
use crate::{OpHash, Replica};

/// Returns `POLICYSYNC_OK` if an operation is in the log.
///
/// `hash32`: 32 bytes, as in an outcome or an operation.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or
/// `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_contains(
    replica: MaybeUninit<&mut policysync_replica>,
    hash32: MaybeUninit<&u8>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let hash = OpHash::from_bytes(*call.fixed_bytes(hash32, "hash32")?);
        ask(call, replica, |replica| Ok(replica.log().contains(&hash).then_some(())), |()| ())
    })
}

/// Returns the operation with a hash.
///
/// `hash32`: 32 bytes, as in an outcome or an operation.
/// `format`: the form of the output: a `policysync_format`.
/// `out`: the operation. Unchanged unless the call returns `POLICYSYNC_OK`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (no such format),
/// a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_op(
    replica: MaybeUninit<&mut policysync_replica>,
    hash32: MaybeUninit<&u8>,
    format: u32,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let hash = OpHash::from_bytes(*call.fixed_bytes(hash32, "hash32")?);
        let format = policysync_format::from_number(format)?;
        let out = call.buffer(out)?;
        ask(call, replica, |replica| Ok(replica.log().get(&hash)?), |op| out.fill(&format.bytes(&op)))
    })
}

/// Returns the position after the last operation in the log: a cursor or an export that starts there finds the
/// operations that are appended later. A position is valid for this replica only.
///
/// `out`: the position, which is the number of operations in the log.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_position(
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut u64>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| ask_number(call, replica, out, |replica| Some(replica.log().cursor().position())))
}

/// Returns the operations that were appended since a position, for another replica to ingest.
///
/// `position`: 0 for all, `next` of an earlier export, or `policysync_replica_position`.
/// `max_count`: the maximum number of operations; 0 for all.
/// `format`: a `policysync_format`. `POLICYSYNC_JSON`: the JSON form of each, followed by a line feed.
/// `POLICYSYNC_BINARY`: the binary form of each, preceded by its length in 4 bytes, least significant first.
/// `out`: the operations.
/// `next`: the position after the last of them, to continue from; NULL if it is not wanted.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (no such format), a store failure,
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_export(
    replica: MaybeUninit<&mut policysync_replica>,
    position: u64,
    max_count: u64,
    format: u32,
    out: MaybeUninit<&mut policysync_buffer>,
    next: *mut u64,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let format = policysync_format::from_number(format)?;
        let out = call.buffer(out)?;
        let next = call.optional_out(next);
        let ops = |replica: &Replica| export(replica, position, max_count, format).map(Some);
        ask(call, replica, ops, |(bytes, position)| {
            out.fill(&bytes);
            if let Some(next) = next {
                next.write(position);
            }
        })
    })
}

/// Returns the digest of the replica's content, for comparison with another replica. Takes time proportional to the
/// number of operations and fields.
///
/// `digest`: the digest.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION` (`struct_size` is too small),
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_digest(
    replica: MaybeUninit<&mut policysync_replica>,
    digest: MaybeUninit<&mut policysync_digest>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.growing_out(digest)?;
        let compute =
            |replica: &Replica| policysync_digest::of(replica.log().digest(), replica.state_digest());
        ask(call, replica, |replica| Ok(Some(compute(replica))), |digest| out.write(digest))
    })
}

/// Returns the equivocations: for each actor and timestamp with two different operations, the two signed operations
/// that prove it. Replicas with the same operations return the same document.
///
/// `out`: a JSON array of `{"first":{…},"second":{…}}`, the JSON forms of the two operations, in the order of the
/// operations.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_forks(
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        ask_text(call, replica, out, |replica| Ok(Some(json::array(replica.log().forks()?, json::fork))))
    })
}

/// Returns the actor that the replica writes as.
///
/// `out`: its name, UTF-8. Unchanged unless the call returns `POLICYSYNC_OK`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (it only reads), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or
/// `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_actor(
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| ask_text(call, replica, out, |replica| Ok(replica.actor().map(str::to_owned))))
}

fn export(
    replica: &Replica,
    position: u64,
    max_count: u64,
    format: policysync_format,
) -> Result<(Vec<u8>, u64), Failure> {
    let most = if max_count == 0 { usize::MAX } else { usize::try_from(max_count).unwrap_or(usize::MAX) };
    // A position past the end of any log is the end of this one.
    let from = Cursor::from_position(position).unwrap_or_else(|| replica.log().cursor());
    let mut next = position;
    let mut bytes = Vec::new();
    for entry in replica.log().since(from).take(most) {
        let entry = entry?;
        format.frame(&entry.op, &mut bytes)?;
        next = entry.cursor.position();
    }
    Ok((bytes, next))
}
