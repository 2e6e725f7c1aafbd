//! A replica: opening it, its keys, writing, taking in.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::sync::Arc;

use super::boundary::{Call, guarded, guarded_or};
use super::buffer::{policysync_buffer, policysync_bytes};
use super::clock;
use super::error::{Failure, policysync_error};
use super::guard;
use super::json;
use super::key::public_key_of;
use super::observer;
use super::options::{Options, policysync_replica_options};
use super::outcome::{policysync_outcome, status_of};
use super::shared::{Entered, Shared};
use super::status::policysync_status;
use super::status::policysync_status_code::{self, *};
use super::view::policysync_format;
use crate::{Incoming, Replica, SignedOp, Value, WallMillis};

/// One copy of the data: what this device has written and what it has received, merged. Any thread may use it; calls
/// from several threads wait for each other. A replica opens no sockets, and starts no threads that outlive a call.
pub struct policysync_replica {
    shared: Shared<Inside>,
}

/// Which field of which thing: three names of 1 to 1024 bytes of UTF-8. This struct never changes.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_field {
    /// The kind of thing.
    pub entity: policysync_bytes,
    /// Which thing of that kind.
    pub entity_id: policysync_bytes,
    /// Which field of it.
    pub path: policysync_bytes,
}

/// Opens a replica: an empty one in memory, or with `options.path` the one in a file.
///
/// A file is not believed. The hash of each operation is computed and its signature verified again, unless
/// `options.seal_key` proves that it was done before. The guard is not asked again. Fields that are there count as
/// known, not as changes. The file is closed, for others to open, when the replica and all its cursors are freed.
///
/// `options`: NULL for defaults, a replica in memory that only reads. Borrowed for the call; the contexts of its
/// callbacks are taken over, and destroyed when the call fails or when the replica and its cursors are freed.
/// `out`: the replica, to be freed with `policysync_replica_free`; NULL when the call fails.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` (also for a callback without its function),
/// `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION` (if a `struct_size` is so small that `destroy` is not in it, or
/// ends within a member, that struct is not taken over), `POLICYSYNC_ERR_UNSUPPORTED` (threads, a path),
/// `POLICYSYNC_ERR_IDENTIFIER` (a name), `POLICYSYNC_ERR_KEY` and `POLICYSYNC_ERR_KEY_TAKEN` (`err` tells which of
/// `options.keys`), `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`. With a path also `POLICYSYNC_ERR_CALLBACK` (the
/// clock), `POLICYSYNC_ERR_CLOCK` (it is out of range), `POLICYSYNC_ERR_FULL`, `POLICYSYNC_ERR_UNKNOWN_KEY` (of
/// operation number `op_index` in the file: name the key in `options.keys`), `POLICYSYNC_ERR_WRONG_SPACE`,
/// `POLICYSYNC_ERR_NOT_A_STORE`, `POLICYSYNC_ERR_NEWER`, `POLICYSYNC_ERR_ROLLED_BACK`, `POLICYSYNC_ERR_RESTORED_BACKUP`
/// or a store failure. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_open(
    options: *const policysync_replica_options,
    out: MaybeUninit<&mut *mut policysync_replica>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        // First the options: contexts are taken over and destroyed even if there is nowhere to put the replica.
        let options = Options::take(call, options);
        let out = call.handle_out(out, "out")?;
        let Options { replica, guard_failed, clock, observer } = options?;
        let inside = Inside { replica: Replica::open(replica)?, guard_failed, clock, observer };
        let handle = Arc::new(policysync_replica { shared: Shared::new("replica", inside) });
        out.write(Arc::into_raw(handle).cast_mut());
        Ok(POLICYSYNC_OK)
    })
}

/// Frees a replica. Its cursors stay usable, and what they share with it goes with the last of them. NULL is allowed.
/// Any thread, while no other begins a call with this handle; even within a callback. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_free(replica: *mut policysync_replica) {
    guarded_or((), |call| {
        call.release(replica);
        None
    });
}

/// Makes an actor's public key known: from now on operations that it signs are admitted. To register the same key again
/// changes nothing. A key is never taken back.
///
/// `actor`, `actor_len`: whose key it is; 1 to 1024 bytes of UTF-8.
/// `kid`, `kid_len`: which of the actor's keys it is; NULL and 0 for the kid that is derived from the key, as
/// `policysync_key_generate` does.
/// `public_key`: 32 bytes.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), `POLICYSYNC_ERR_IDENTIFIER`,
/// `POLICYSYNC_ERR_KEY` (no valid public key), `POLICYSYNC_ERR_KEY_TAKEN`, `POLICYSYNC_ERR_CRYPTO`,
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_register_key(
    replica: MaybeUninit<&mut policysync_replica>,
    actor: *const c_char,
    actor_len: usize,
    kid: *const c_char,
    kid_len: usize,
    public_key: MaybeUninit<&u8>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let replica = call.shared(replica, "replica")?;
        let actor = call.text(actor, actor_len, "actor")?;
        let kid = call.text(kid, kid_len, "kid")?;
        let key = public_key_of(actor, kid, call.bytes32(public_key, "public_key")?)?;
        replica.enter()?.inside.replica.keys_mut().register(key)?;
        Ok(POLICYSYNC_OK)
    })
}

/// The keys that the replica knows, in the order in which they were registered.
///
/// `out`: a JSON array of `{"actor":"alice","kid":"…","publicKey":"64 hexadecimal digits"}`.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since
/// ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_keys(
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let replica = call.shared(replica, "replica")?;
        let out = call.buffer(out)?;
        let keys = json::array(replica.enter()?.inside.replica.keys().iter(), |key| json::key(key));
        out.fill(keys.as_bytes());
        Ok(POLICYSYNC_OK)
    })
}

/// Sets a field: stamps, signs and admits an operation, and hands it out, to be sent to others.
///
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `field`: which one.
/// `value`, `value_len`: JSON; any value, nested at most 64 deep.
/// `format`: in which form the operation is wanted: a `policysync_format`. Not looked at where `out` is NULL.
/// `out`: the operation; NULL if it is not wanted.
/// `err`: may be NULL. On any failure the replica is as it was.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_IDENTIFIER`,
/// `POLICYSYNC_ERR_VALUE`, `POLICYSYNC_ERR_TOO_LARGE`, `POLICYSYNC_ERR_READ_ONLY`, `POLICYSYNC_ERR_CLOCK`,
/// `POLICYSYNC_ERR_OTHER_WRITER`, `POLICYSYNC_ERR_DENIED`, `POLICYSYNC_ERR_ABORTED`, `POLICYSYNC_ERR_CALLBACK`,
/// `POLICYSYNC_ERR_FULL`, a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_set(
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    field: MaybeUninit<&policysync_field>,
    value: *const c_void,
    value_len: usize,
    format: u32,
    out: *mut policysync_buffer,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let replica = call.shared(replica, "replica")?;
        let field = names(call, field)?;
        let value = Value::parse(super::boundary::utf8(call.bytes(value, value_len, "value")?, "value")?)?;
        write(call, &replica, now_ms, format, out, |replica, now| replica.set(now, field, value))
    })
}

/// Deletes a field: stamps, signs and admits an operation, and hands it out, to be sent to others. A later set brings
/// the field back.
///
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `field`: which one.
/// `format`: in which form the operation is wanted: a `policysync_format`. Not looked at where `out` is NULL.
/// `out`: the operation; NULL if it is not wanted.
/// `err`: may be NULL. On any failure the replica is as it was.
///
/// Returns what `policysync_replica_set` does, but for `POLICYSYNC_ERR_VALUE`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_delete(
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    field: MaybeUninit<&policysync_field>,
    format: u32,
    out: *mut policysync_buffer,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let replica = call.shared(replica, "replica")?;
        let field = names(call, field)?;
        write(call, &replica, now_ms, format, out, |replica, now| replica.delete(now, field))
    })
}

/// Takes in one operation, in either form: verifies it, asks the guard, appends and merges it.
///
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `op`, `op_len`: JSON or the binary form. Borrowed for the call.
/// `outcome`, `outcome_size`: what became of it: room for so many bytes, `sizeof(policysync_outcome)`. Written only
/// when the operation is not refused. NULL if it is not wanted.
/// `err`: may be NULL. On any failure the replica is as it was.
///
/// Returns `POLICYSYNC_OK` (in the log and merged), `POLICYSYNC_HELD`, `POLICYSYNC_DUPLICATE`,
/// `POLICYSYNC_ERR_MALFORMED`, `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_UNKNOWN_KEY`,
/// `POLICYSYNC_ERR_BAD_SIGNATURE`, `POLICYSYNC_ERR_DENIED`, `POLICYSYNC_ERR_ABORTED`, `POLICYSYNC_ERR_CALLBACK`,
/// `POLICYSYNC_ERR_FULL`, a store failure, `POLICYSYNC_ERR_CLOCK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`,
/// `POLICYSYNC_ERR_VERSION` (`outcome_size` is too small), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread.
/// Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_ingest(
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    op: *const c_void,
    op_len: usize,
    outcome: *mut policysync_outcome,
    outcome_size: usize,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let replica = call.shared(replica, "replica")?;
        let bytes = call.bytes(op, op_len, "op")?;
        let room = if outcome.is_null() { 0 } else { 1 };
        let out = call.out_array(outcome, outcome_size, room, policysync_outcome::FIRST_SIZE, "outcome")?;
        let outcome = replica.change(now_ms, |replica, now| Ok(replica.ingest(now, bytes)?))?;
        if out.len() == 1 {
            out.write(0, &policysync_outcome::of(&Ok(outcome)));
        }
        Ok(status_of(outcome))
    })
}

/// Takes in many operations at once, each in either form, with an outcome for each: the same as one by one, and much
/// quicker. What is refused does not hinder the others, and does not make the call fail.
///
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `ops`, `ops_stride`, `count`: the operations, `ops_stride` bytes from one to the next: `sizeof(policysync_bytes)`,
/// or the size of a struct of yours that begins with one. Borrowed for the call.
/// `outcomes`, `outcomes_stride`: what became of each: room for `count` of them, `outcomes_stride` bytes from one to
/// the next: `sizeof(policysync_outcome)`, or the size of a struct of yours that begins with one. Written only when the
/// call succeeds. NULL if they are not wanted.
/// `err`: may be NULL. On any failure nothing of the batch is kept.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` (`err` tells which element), `POLICYSYNC_ERR_ARGUMENT`,
/// `POLICYSYNC_ERR_VERSION` (a stride is too small), `POLICYSYNC_ERR_CLOCK`, `POLICYSYNC_ERR_ABORTED`,
/// `POLICYSYNC_ERR_CALLBACK`, `POLICYSYNC_ERR_FULL`, a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
/// Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_ingest_many(
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    ops: *const policysync_bytes,
    ops_stride: usize,
    count: usize,
    outcomes: *mut policysync_outcome,
    outcomes_stride: usize,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let replica = call.shared(replica, "replica")?;
        let room = if outcomes.is_null() { 0 } else { count };
        let out =
            call.out_array(outcomes, outcomes_stride, room, policysync_outcome::FIRST_SIZE, "outcomes")?;
        let batch = call
            .array(ops, ops_stride, count, "ops")?
            .enumerate()
            .map(|(at, op)| Ok(Incoming::from(op.get(call, "ops[].data").map_err(|failure| failure.at(at))?)))
            .collect::<Result<Vec<Incoming<'_>>, Failure>>()?;
        let answers = replica.change(now_ms, |replica, now| Ok(replica.ingest_batch(now, &batch)?))?;
        for (at, answer) in answers.iter().enumerate().take(out.len()) {
            out.write(at, &policysync_outcome::of(answer));
        }
        Ok(POLICYSYNC_OK)
    })
}

fn write(
    call: &Call,
    replica: &policysync_replica,
    now_ms: u64,
    format: u32,
    out: *mut policysync_buffer,
    write: impl FnOnce(&mut Replica, WallMillis) -> Result<SignedOp, crate::WriteError>,
) -> Result<policysync_status_code, Failure> {
    let out = match call.optional_out(out) {
        Some(out) => Some((out, policysync_format::from_number(format)?)),
        None => None,
    };
    let op = replica.change(now_ms, |replica, now| Ok(write(replica, now)?))?;
    if let Some((out, format)) = out {
        out.fill(&format.bytes(&op));
    }
    Ok(POLICYSYNC_OK)
}

/// The three names of a field.
pub(super) fn names<'c>(
    call: &'c Call,
    field: MaybeUninit<&policysync_field>,
) -> Result<crate::op::Field<'c>, Failure> {
    let field = call.required(field, "field")?;
    Ok(crate::op::Field::new(
        field.entity.text(call, "field.entity")?,
        field.entity_id.text(call, "field.entity_id")?,
        field.path.text(call, "field.path")?,
    ))
}

/// What one thread at a time may use.
pub(super) struct Inside {
    pub(super) replica: Replica,
    guard_failed: guard::Failed,
    clock: Option<clock::Callback>,
    observer: Option<observer::Callback>,
}

impl policysync_replica {
    /// Waits for other threads to leave; tells this one if it is inside already.
    pub(super) fn enter(&self) -> Result<Entered<'_, Inside>, Failure> {
        self.shared.enter()
    }

    /// Does what may change fields, and tells the observer if it did.
    pub(super) fn change<T>(
        &self,
        now_ms: u64,
        work: impl FnOnce(&mut Replica, WallMillis) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut entered = self.enter()?;
        let now = entered.now(now_ms)?;
        let Inside { replica, guard_failed, observer, .. } = &mut *entered.inside;
        let result = work(replica, now);
        if let Some(observer) = observer
            && replica.has_changes()
        {
            observer.changed();
        }
        // A guard that fails aborts; why it failed says more.
        match guard_failed.take() {
            Some(failure) => Err(failure),
            None => result,
        }
    }
}

impl Entered<'_, Inside> {
    /// The time that the caller gives, or that a clock says.
    pub(super) fn now(&self, now_ms: u64) -> Result<WallMillis, Failure> {
        clock::now(now_ms, self.inside.clock.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReplicaOptions;

    fn replica() -> policysync_replica {
        let inside = Inside {
            replica: Replica::open(ReplicaOptions::new()).unwrap(),
            guard_failed: guard::Failed::default(),
            clock: None,
            observer: None,
        };
        policysync_replica { shared: Shared::new("replica", inside) }
    }

    #[test]
    fn a_panic_poisons_the_replica() {
        let replica = replica();
        let call = |work: fn() -> u32| {
            guarded(std::ptr::null_mut(), |_| replica.change(0, |_, _| Ok(work())).map(|_| POLICYSYNC_OK))
        };
        assert_eq!(call(|| 1), 0);
        assert_eq!(call(|| panic!("on purpose")), -301);
        assert_eq!(call(|| 1), -301);
    }
}
