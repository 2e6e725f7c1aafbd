//! Reading a replica.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use super::boundary::{Call, Growing, guarded};
use super::buffer::policysync_buffer;
use super::clock::policysync_hlc;
use super::error::{Failure, policysync_error};
use super::json;
use super::replica::{names, policysync_field, policysync_replica};
use super::status::policysync_status;
use super::status::policysync_status_code::{self, *};
use super::view::policysync_format;
use crate::crypto::Hash;
use crate::oplog::{Cursor, LogDigest};
use crate::{OpHash, Replica};

/// What a replica holds, in a few bytes. Replicas with equal `count` and `log` hold the same operations; with equal
/// `state` they show the same fields.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_digest {
    /// `sizeof(policysync_digest)`, set by the caller.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// How many operations are in the log.
    pub count: u64,
    /// SHA-256 over the operations' hashes in their order.
    pub log: [u8; 32],
    /// SHA-256 over every field and the hash of the operation that won it.
    pub state: [u8; 32],
}

// SAFETY: `repr(C)`, begins with its size, without padding. Zero is an empty digest.
unsafe impl Growing for policysync_digest {
    const FIRST_SIZE: usize = size_of::<Self>();
    const NAME: &'static str = "digest";
}

/// The value of a field.
///
/// `field`: which one.
/// `out`: the value: canonical JSON. As it was unless the call returns `POLICYSYNC_OK`.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (never set, or deleted), `POLICYSYNC_ERR_NULL`,
/// `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
/// Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_get(
    replica: MaybeUninit<&mut policysync_replica>,
    field: MaybeUninit<&policysync_field>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let field = names(call, field)?;
        ask_text(call, replica, out, |replica| Ok(replica.get(field)?.map(|value| value.to_string())))
    })
}

/// All fields of one thing.
///
/// `entity`, `entity_len`, `entity_id`, `entity_id_len`: which thing; UTF-8.
/// `out`: a JSON object with a member for each field, named by its path, in canonical form. As it was unless the call
/// returns `POLICYSYNC_OK`.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (it has no field), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`
/// (not UTF-8), a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_entity(
    replica: MaybeUninit<&mut policysync_replica>,
    entity: *const c_char,
    entity_len: usize,
    entity_id: *const c_char,
    entity_id_len: usize,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let entity = call.text(entity, entity_len, "entity")?;
        let entity_id = call.text(entity_id, entity_id_len, "entity_id")?;
        ask_text(call, replica, out, |replica| Ok(replica.entity(entity, entity_id)?))
    })
}

/// The ids of all things of a kind that have at least one field.
///
/// `entity`, `entity_len`: the kind; UTF-8.
/// `out`: a JSON array of strings, sorted by their bytes; empty where there is none.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), `POLICYSYNC_ERR_BUSY` or
/// `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_entities(
    replica: MaybeUninit<&mut policysync_replica>,
    entity: *const c_char,
    entity_len: usize,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let entity = call.text(entity, entity_len, "entity")?;
        ask_text(call, replica, out, |replica| {
            Ok(Some(json::array(replica.entities(entity), |id| json::string(id))))
        })
    })
}

/// The fields of one thing below a path.
///
/// `entity`, `entity_len`, `entity_id`, `entity_id_len`: which thing; UTF-8.
/// `prefix`, `prefix_len`: fields whose path is this or begins with this and a `/`; NULL and 0 for all.
/// `out`: a JSON object with a member for each field, named by its whole path, sorted by the bytes of the path; empty
/// where there is none.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), a store failure,
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_fields(
    replica: MaybeUninit<&mut policysync_replica>,
    entity: *const c_char,
    entity_len: usize,
    entity_id: *const c_char,
    entity_id_len: usize,
    prefix: *const c_char,
    prefix_len: usize,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let entity = call.text(entity, entity_len, "entity")?;
        let entity_id = call.text(entity_id, entity_id_len, "entity_id")?;
        let prefix = call.text(prefix, prefix_len, "prefix")?;
        ask_text(call, replica, out, |replica| {
            Ok(Some(json::fields(&replica.fields(entity, entity_id, prefix)?)))
        })
    })
}

/// Every operation on a field: those held and then those merged, each from the greatest down.
///
/// `field`: which one.
/// `out`: a JSON array of `{"hash":"64 hexadecimal digits","standing":"winner","op":{…}}`, where `standing` is
/// `winner`, `superseded` or `held` and `op` is the JSON form of the operation; empty where there is none.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), a store failure,
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_history(
    replica: MaybeUninit<&mut policysync_replica>,
    field: MaybeUninit<&policysync_field>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let field = names(call, field)?;
        ask_text(call, replica, out, |replica| Ok(Some(json::array(replica.history(field)?, json::version))))
    })
}

/// Why a field is as it is: which operation won, over which, and by what rule.
///
/// `field`: which one.
/// `out`: `{"winner":{…},"over":{…},"rule":"time"}`. `winner` and `over` are as in `policysync_replica_history`; `over`
/// is the greatest of those it won over, or `null` where it is alone. `rule` is the first that told them apart: `time`,
/// `counter`, `actor` or `hash`; `null` where there is no `over`. As it was unless the call returns `POLICYSYNC_OK`.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (no operation on it is merged), `POLICYSYNC_ERR_NULL`,
/// `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
/// Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_explain(
    replica: MaybeUninit<&mut policysync_replica>,
    field: MaybeUninit<&policysync_field>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let field = names(call, field)?;
        ask_text(call, replica, out, |replica| {
            Ok(replica.explain(field)?.map(|explanation| json::explanation(&explanation)))
        })
    })
}

/// Merges what was held and has become due, and hands out the fields that have another winner than at the last call,
/// each once, in the order in which they first changed.
///
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `out`: a JSON array of `{"entity":"Task","entityId":"t1","path":"title","kind":"lww_set","winner":"64 hexadecimal
/// digits"}`, where `kind` is `lww_set` or `lww_delete`; empty where nothing has changed.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_CALLBACK` (the clock), `POLICYSYNC_ERR_BUSY` or
/// `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_poll(
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let replica = call.shared(replica, "replica")?;
        let out = call.buffer(out)?;
        let mut entered = replica.enter()?;
        let now = entered.now(now_ms)?;
        out.fill(json::array(entered.inside.replica.poll(now), json::change).as_bytes());
        Ok(POLICYSYNC_OK)
    })
}

/// The operation with this hash.
///
/// `hash32`: 32 bytes, as in an outcome or an operation.
/// `format`: in which form it is wanted: a `policysync_format`.
/// `out`: the operation. As it was unless the call returns `POLICYSYNC_OK`.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (no such format),
/// a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_op(
    replica: MaybeUninit<&mut policysync_replica>,
    hash32: MaybeUninit<&u8>,
    format: u32,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let hash = OpHash::from_bytes(*call.bytes32(hash32, "hash32")?);
        let format = policysync_format::from_number(format)?;
        let out = call.buffer(out)?;
        ask(call, replica, |replica| Ok(replica.log().get(&hash)?), |op| out.fill(&format.bytes(&op)))
    })
}

/// Where actors said two things at one time: for each actor and timestamp the two signed operations that prove it.
/// Replicas with the same operations give the same document.
///
/// `out`: a JSON array of `{"first":{…},"second":{…}}`, the JSON forms of the two operations, in the order of the
/// operations; empty where there is none.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, a store failure, `POLICYSYNC_ERR_BUSY` or
/// `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
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

/// How many operations are held, because their timestamp is too far ahead. Costs a walk over them.
///
/// `out`: the number.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since
/// ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_held(
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut u64>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| ask_number(call, replica, out, |replica| u64::try_from(replica.held()).ok()))
}

/// When the wall clock says this, `policysync_replica_poll` merges the first of the operations that are held.
///
/// `out`: milliseconds since 1970. As it was unless the call returns `POLICYSYNC_OK`.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (none is held), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or
/// `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_next_due(
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut u64>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| ask_number(call, replica, out, |replica| Some(replica.next_due()?.0)))
}

/// The time up to which operations are merged; later ones are held. It never goes back: what was merged stays merged.
///
/// `out`: milliseconds since 1970. As it was unless the call returns `POLICYSYNC_OK`.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (no call has told the time yet), `POLICYSYNC_ERR_NULL`,
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_horizon(
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut u64>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| ask_number(call, replica, out, |replica| Some(replica.horizon()?.0)))
}

/// The greatest timestamp that the replica has handed out or merged: what it writes next is later.
///
/// `out`: the timestamp. As it was unless the call returns `POLICYSYNC_OK`.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (there was none yet), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY`
/// or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_clock(
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut policysync_hlc>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.out(out, "out")?;
        ask(call, replica, |replica| Ok(replica.clock().last()), |last| out.write(policysync_hlc::of(last)))
    })
}

/// The actor that the replica writes as.
///
/// `out`: its name, UTF-8. As it was unless the call returns `POLICYSYNC_OK`.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (it only reads), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or
/// `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_actor(
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| ask_text(call, replica, out, |replica| Ok(replica.actor().map(str::to_owned))))
}

/// Whether an operation is in the log.
///
/// `hash32`: 32 bytes, as in an outcome or an operation.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK` (it is), `POLICYSYNC_NOT_FOUND` (it is not), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or
/// `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_contains(
    replica: MaybeUninit<&mut policysync_replica>,
    hash32: MaybeUninit<&u8>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let hash = OpHash::from_bytes(*call.bytes32(hash32, "hash32")?);
        ask(call, replica, |replica| Ok(replica.log().contains(&hash).then_some(())), |()| ())
    })
}

/// Whether `policysync_replica_poll` has changes to hand out, without what has become due since the last call.
///
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK` (it has), `POLICYSYNC_NOT_FOUND` (it has not), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY`
/// or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_has_changes(
    replica: MaybeUninit<&mut policysync_replica>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| ask(call, replica, |replica| Ok(replica.has_changes().then_some(())), |()| ()))
}

/// The position behind every operation that has arrived: what arrives later is found by a cursor or an export that
/// begins here. It means nothing to another replica.
///
/// `out`: the position, which is the number of operations in the log.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since
/// ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_position(
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut u64>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| ask_number(call, replica, out, |replica| Some(replica.log().cursor().position())))
}

/// What the replica holds, in a few bytes, to be compared with another replica. Costs a hash over all operations'
/// hashes and a walk over all fields.
///
/// `out`: the digest; its `struct_size` is set by the caller.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION` (`struct_size` is too small),
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_digest(
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut policysync_digest>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.growing_out(out, "out")?;
        let digest =
            |replica: &Replica| policysync_digest::of(replica.log().digest(), replica.state_digest());
        ask(call, replica, |replica| Ok(Some(digest(replica))), |digest| out.write(digest))
    })
}

/// The operations that arrived since a position, for another replica to take in.
///
/// `position`: 0 for all, or what an earlier export gave as `next`, or `policysync_replica_position`.
/// `max_count`: how many operations at most; 0 for all.
/// `format`: a `policysync_format`. `POLICYSYNC_JSON`: the JSON form of each, followed by a line feed.
/// `POLICYSYNC_BINARY`: the binary form of each, with its length in front in 4 bytes, the least significant first.
/// `out`: the operations; empty where there is none.
/// `next`: the position behind the last of them, to go on from; NULL if it is not wanted.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (no such format),
/// a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
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

/// Asks the replica something, and hands out the answer if there is one.
fn ask<A>(
    call: &Call,
    replica: MaybeUninit<&mut policysync_replica>,
    question: impl FnOnce(&Replica) -> Result<Option<A>, Failure>,
    answer: impl FnOnce(A),
) -> Result<policysync_status_code, Failure> {
    let replica = call.shared(replica, "replica")?;
    let found = question(&replica.enter()?.inside.replica)?;
    Ok(match found {
        Some(found) => {
            answer(found);
            POLICYSYNC_OK
        }
        None => POLICYSYNC_NOT_FOUND,
    })
}

/// The same, where the answer is a text.
fn ask_text(
    call: &Call,
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut policysync_buffer>,
    question: impl FnOnce(&Replica) -> Result<Option<String>, Failure>,
) -> Result<policysync_status_code, Failure> {
    let out = call.buffer(out)?;
    ask(call, replica, question, |text| out.fill(text.as_bytes()))
}

/// The same, where the answer is a number.
fn ask_number(
    call: &Call,
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut u64>,
    question: impl FnOnce(&Replica) -> Option<u64>,
) -> Result<policysync_status_code, Failure> {
    let out = call.out(out, "out")?;
    ask(call, replica, |replica| Ok(question(replica)), |number| out.write(number))
}

fn export(
    replica: &Replica,
    position: u64,
    max_count: u64,
    format: policysync_format,
) -> Result<(Vec<u8>, u64), Failure> {
    let most = if max_count == 0 { usize::MAX } else { usize::try_from(max_count).unwrap_or(usize::MAX) };
    // Past the end of any log there is nothing yet.
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

impl policysync_digest {
    /// The part that is about the log.
    #[cfg(feature = "sqlite")]
    pub(super) fn log_digest(&self) -> LogDigest {
        LogDigest { count: self.count, hash: Hash::from_bytes(self.log) }
    }

    fn of(log: LogDigest, state: Hash) -> Self {
        let (log, count) = (*log.hash.as_bytes(), log.count);
        Self { struct_size: 0, reserved: 0, count, log, state: *state.as_bytes() }
    }
}
