//! The callbacks.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr::null_mut;

use policysync_fuzz::{Input, NOW};

use crate::api::{Handle, policysync_replica_free, policysync_replica_held};
use crate::layout::{Bytes, COp, Callback};
use crate::told::ERR_BUSY;

thread_local! {
    /// Contexts that live.
    pub static CONTEXTS: Cell<isize> = const { Cell::new(0) };
    /// The replica that is being called.
    pub static CALLED: Cell<Handle> = const { Cell::new(null_mut()) };
    /// True if a callback has freed it.
    pub static FREED: Cell<bool> = const { Cell::new(false) };
    /// The bytes that a reader gives and a writer has received.
    pub static CARRIED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The behaviour of a callback.
struct Context {
    verdict: i32,
    status: i32,
    calls: bool,
    frees: bool,
}

pub fn context(input: &mut Input<'_>) -> *mut c_void {
    CONTEXTS.set(CONTEXTS.get() + 1);
    let context = Context {
        verdict: input.one_of(&[1, 1, 2, 3, 0, 9]),
        status: input.one_of(&[0, 0, 0, 0, -121, 5]),
        calls: input.below(4) == 1,
        frees: input.below(16) == 1,
    };
    Box::into_raw(Box::new(context)).cast()
}

pub extern "C" fn destroy(ctx: *mut c_void) {
    CONTEXTS.set(CONTEXTS.get() - 1);
    // SAFETY: made by `context`, and destroyed once; destroying it twice is a bug that this target looks for.
    drop(unsafe { Box::from_raw(ctx.cast::<Context>()) });
}

pub fn called(ctx: *mut c_void) -> (i32, i32) {
    // SAFETY: made by `context`, and not destroyed yet.
    let context = unsafe { &*ctx.cast::<Context>() };
    let answer = (context.verdict, context.status);
    let (calls, frees) = (context.calls, context.frees);
    let replica = CALLED.get();
    if replica.is_null() || FREED.get() {
        return answer;
    }
    if calls {
        let mut out = 0;
        // SAFETY: the replica lives: the call that we are in has it.
        let status = unsafe { policysync_replica_held(replica, &raw mut out, null_mut()) };
        assert_eq!(status, ERR_BUSY);
    }
    if frees {
        FREED.set(true);
        // SAFETY: once; nobody uses it afterwards.
        unsafe { policysync_replica_free(replica) };
    }
    answer
}

pub extern "C" fn check(
    ctx: *mut c_void,
    ops: *const COp,
    stride: usize,
    count: usize,
    verdicts: *mut i32,
) -> i32 {
    assert!(!ops.is_null() && stride >= size_of::<COp>() && count > 0);
    let (verdict, status) = called(ctx);
    for at in 0..count {
        // SAFETY: both arrays have `count` elements.
        unsafe {
            let op = ops.byte_add(at * stride).read_unaligned();
            assert_eq!(text(op.actor).len(), op.actor.len);
            verdicts.add(at).write(verdict);
        }
    }
    status
}

pub extern "C" fn tell(ctx: *mut c_void, out: *mut u64) -> i32 {
    let (verdict, status) = called(ctx);
    // SAFETY: room for a number.
    unsafe { out.write(if verdict == 9 { u64::MAX - 1 } else { NOW.0 }) };
    status
}

pub extern "C" fn changed(ctx: *mut c_void) {
    called(ctx);
}

/// # Safety
///
/// The buffer has the given length.
pub unsafe fn text<'a>(bytes: Bytes) -> &'a str {
    if bytes.len == 0 {
        return "";
    }
    // SAFETY: by the contract of this function.
    let bytes = unsafe { &*std::ptr::slice_from_raw_parts(bytes.data.cast::<u8>(), bytes.len) };
    std::str::from_utf8(bytes).expect("texts are UTF-8")
}

/// Takes all bytes, or fails.
pub extern "C" fn write(ctx: *mut c_void, data: *const u8, len: usize) -> i32 {
    let (_, status) = called(ctx);
    assert!(!data.is_null() && len > 0);
    // SAFETY: the buffers have the given lengths.
    let bytes = unsafe { &*std::ptr::slice_from_raw_parts(data, len) };
    CARRIED.with_borrow_mut(|carried| carried.extend_from_slice(bytes));
    status
}

/// Gives a part of the remaining bytes, claims to have given more than fits, or sets no length.
pub extern "C" fn read(ctx: *mut c_void, out: *mut u8, capacity: usize, out_len: *mut usize) -> i32 {
    let (verdict, status) = called(ctx);
    assert!(!out.is_null() && capacity > 0);
    let part = match verdict {
        1 => capacity,
        2 => 7,
        3 => 1,
        0 => return status,
        _ => {
            // SAFETY: room for a number.
            unsafe { out_len.write(capacity + 1) };
            return status;
        }
    };
    CARRIED.with_borrow_mut(|carried| {
        let given: Vec<u8> = carried.drain(..part.min(capacity).min(carried.len())).collect();
        // SAFETY: room for `capacity` bytes, and for a number.
        unsafe {
            out.copy_from_nonoverlapping(given.as_ptr(), given.len());
            out_len.write(given.len());
        }
    });
    status
}

/// Makes a callback with this context, without its function in one of eight cases.
pub fn callback<F>(input: &mut Input<'_>, ctx: *mut c_void, call: F) -> Callback<F> {
    Callback {
        struct_size: size_of::<Callback<F>>() as u32,
        reserved: 0,
        ctx,
        call: (input.below(8) != 7).then_some(call),
        destroy: Some(destroy),
    }
}
