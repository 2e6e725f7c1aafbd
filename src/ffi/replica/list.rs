//! Queries whose result is a list.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use crate::Value;
use crate::ffi::glue::boundary::{Call, Out, free_owned, guarded};
use crate::ffi::glue::error::{Failure, policysync_error};
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::{self, POLICYSYNC_DONE, POLICYSYNC_OK};
use crate::ffi::replica::ask::{ask, ask_number};
use crate::ffi::replica::handle::policysync_replica;
use crate::ffi::types::item::{policysync_item, policysync_page};

/// The result of a query. Later changes of the replica do not affect it, and it may outlive the replica. One thread at
/// a time.
pub struct policysync_list {
    items: Vec<Item>,
    next: usize,
}

struct Item {
    name: String,
    value: Option<Value>,
    /// The text of the value, which the view points to.
    text: Option<String>,
}

/// Returns the kinds of all entities that have at least one field, sorted by their bytes.
///
/// `out`: the list, to be freed with `policysync_list_free`. Its items are names.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_kinds(
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut *mut policysync_list>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.handle_out(out, "out")?;
        list(call, replica, out, |replica| Ok(names(replica.kinds())))
    })
}

/// Returns the ids of the entities of a kind that have at least one field, sorted by their bytes. Takes time
/// proportional to the number of entities of the kind.
///
/// `entity`, `entity_len`: the kind, UTF-8.
/// `page`: the part of the list; NULL for the whole list.
/// `out`: the list, to be freed with `policysync_list_free`. Its items are names.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), `POLICYSYNC_ERR_VERSION`,
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_entities(
    replica: MaybeUninit<&mut policysync_replica>,
    entity: *const c_char,
    entity_len: usize,
    page: *const policysync_page,
    out: MaybeUninit<&mut *mut policysync_list>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.handle_out(out, "out")?;
        let entity = call.text(entity, entity_len, "entity")?;
        let page = policysync_page::take(call, page)?;
        list(call, replica, out, |replica| Ok(names(replica.entities_page(entity, page))))
    })
}

/// Returns the number of entities of a kind that have at least one field. Takes time proportional to the number of
/// entities of the kind.
///
/// `entity`, `entity_len`: the kind, UTF-8.
/// `prefix`, `prefix_len`: counts ids that begin with this; NULL and 0 for all.
/// `out`: the number.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), `POLICYSYNC_ERR_BUSY` or
/// `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_count_entities(
    replica: MaybeUninit<&mut policysync_replica>,
    entity: *const c_char,
    entity_len: usize,
    prefix: *const c_char,
    prefix_len: usize,
    out: MaybeUninit<&mut u64>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let entity = call.text(entity, entity_len, "entity")?;
        let prefix = call.text(prefix, prefix_len, "prefix")?;
        ask_number(call, replica, out, |replica| u64::try_from(replica.count_entities(entity, prefix)).ok())
    })
}

/// Returns the fields of one entity below a path, with their values, sorted by the bytes of the path.
///
/// `entity`, `entity_len`, `entity_id`, `entity_id_len`: the entity, UTF-8.
/// `prefix`, `prefix_len`: selects fields whose path is the prefix or begins with it and a `/`; NULL and 0 for all.
/// `out`: the list, to be freed with `policysync_list_free`. Its items are paths with values.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), a store failure,
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_fields(
    replica: MaybeUninit<&mut policysync_replica>,
    entity: *const c_char,
    entity_len: usize,
    entity_id: *const c_char,
    entity_id_len: usize,
    prefix: *const c_char,
    prefix_len: usize,
    out: MaybeUninit<&mut *mut policysync_list>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.handle_out(out, "out")?;
        let entity = call.text(entity, entity_len, "entity")?;
        let entity_id = call.text(entity_id, entity_id_len, "entity_id")?;
        let prefix = call.text(prefix, prefix_len, "prefix")?;
        list(call, replica, out, |replica| {
            let fields = replica.fields(entity, entity_id, prefix)?.into_iter();
            Ok(fields.map(|(name, value)| Item { name, text: value.text(), value: Some(value) }).collect())
        })
    })
}

/// Returns the next item of a list.
///
/// `out`: the item. Unchanged unless the call returns `POLICYSYNC_OK`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (the list is at its end), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION`
/// (`struct_size` is too small) or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_list_next(
    list: MaybeUninit<&mut policysync_list>,
    out: MaybeUninit<&mut policysync_item>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let list = call.exclusive(list, "list")?;
        let out = call.growing_out(out)?;
        let Some(item) = list.items.get(list.next) else { return Ok(POLICYSYNC_DONE) };
        list.next += 1;
        out.write(policysync_item::of(&item.name, item.value.as_ref(), item.text.as_deref()));
        Ok(POLICYSYNC_OK)
    })
}

/// Frees a list. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_list_free(list: Option<Box<policysync_list>>) {
    free_owned(list);
}

fn names(names: Vec<String>) -> Vec<Item> {
    names.into_iter().map(|name| Item { name, value: None, text: None }).collect()
}

/// Hands out the result of a query as a list.
fn list(
    call: &Call,
    replica: MaybeUninit<&mut policysync_replica>,
    out: Out<'_, *mut policysync_list>,
    query: impl FnOnce(&crate::Replica) -> Result<Vec<Item>, Failure>,
) -> Result<policysync_status_code, Failure> {
    let found = |items| out.write_owned(policysync_list { items, next: 0 });
    ask(call, replica, |replica| query(replica).map(Some), found)
}
