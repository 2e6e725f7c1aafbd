//! Reading fields.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use crate::ffi::glue::boundary::guarded;
use crate::ffi::glue::buffer::policysync_buffer;
use crate::ffi::glue::error::policysync_error;
use crate::ffi::glue::json;
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::POLICYSYNC_OK;
use crate::ffi::replica::ask::{ask, ask_text};
use crate::ffi::replica::handle::policysync_replica;
use crate::ffi::types::field::policysync_field;

/// Returns the value of a field.
///
/// `field`: the field.
/// `out`: the value as canonical JSON. Unchanged unless the call returns `POLICYSYNC_OK`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (never set, or deleted), `POLICYSYNC_ERR_NULL`,
/// `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_get(
    replica: MaybeUninit<&mut policysync_replica>,
    field: MaybeUninit<&policysync_field>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let (entity, entity_id, path) = policysync_field::names(call, field)?;
        ask_text(call, replica, out, |replica| {
            Ok(replica.get((entity, entity_id, path))?.map(|value| value.to_string()))
        })
    })
}

/// Returns all fields of one thing.
///
/// `entity`, `entity_len`, `entity_id`, `entity_id_len`: the thing, UTF-8.
/// `out`: a JSON object in canonical form with a member for each field, named by its path. Unchanged unless the call
/// returns `POLICYSYNC_OK`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (it has no field), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`
/// (not UTF-8), a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
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

/// Returns every operation on a field: those held and then those merged, each from the greatest down.
///
/// `field`: the field.
/// `out`: a JSON array of `{"hash":"64 hexadecimal digits","standing":"winner","op":{…}}`. `standing` is `winner`,
/// `superseded` or `held`; `op` is the JSON form of the operation.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), a store failure,
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_history(
    replica: MaybeUninit<&mut policysync_replica>,
    field: MaybeUninit<&policysync_field>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let (entity, entity_id, path) = policysync_field::names(call, field)?;
        ask_text(call, replica, out, |replica| {
            Ok(Some(json::array(replica.history((entity, entity_id, path))?, json::version)))
        })
    })
}

/// Explains the value of a field: the operation that won, the one that it won over, and the rule that decided.
///
/// `field`: the field.
/// `out`: `{"winner":{…},"over":{…},"rule":"time"}`. `winner` and `over` are as in `policysync_replica_history`; `over`
/// is the greatest operation that lost, or `null` if the winner is the only one. `rule` is the first rule that
/// distinguished them: `time`, `counter`, `actor` or `hash`; `null` without an `over`. Unchanged unless the call
/// returns `POLICYSYNC_OK`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (no operation on it is merged), `POLICYSYNC_ERR_NULL`,
/// `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_explain(
    replica: MaybeUninit<&mut policysync_replica>,
    field: MaybeUninit<&policysync_field>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let (entity, entity_id, path) = policysync_field::names(call, field)?;
        ask_text(call, replica, out, |replica| {
            Ok(replica.explain((entity, entity_id, path))?.map(|explanation| json::explanation(&explanation)))
        })
    })
}

/// Merges held operations that have become due, and returns the fields whose winner has changed since the last call,
/// each once, in the order of their first change.
///
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `out`: a JSON array of `{"entity":"Task","entityId":"t1","path":"title","kind":"lww_set","winner":"64 hexadecimal
/// digits"}`. `kind` is `lww_set` or `lww_delete`. `winner` is null if `policysync_replica_reset_clock` holds every
/// operation on the field again.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_CALLBACK` (the clock), a store failure (nothing is
/// merged, and the next call returns the changes), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
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
        let changes = entered.inside.replica.poll(now)?;
        out.fill(json::array(changes, json::change).as_bytes());
        Ok(POLICYSYNC_OK)
    })
}

/// Returns `POLICYSYNC_OK` if `policysync_replica_poll` has changes to return, not counting operations that have become
/// due since the last call.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (no changes), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or
/// `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_has_changes(
    replica: MaybeUninit<&mut policysync_replica>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| ask(call, replica, |replica| Ok(replica.has_changes().then_some(())), |()| ()))
}
