//! A script of C calls, legal and illegal: NULL where there must be something, wrong sizes, strides, formats and texts,
//! calls from within callbacks, handles that are freed in any order. None of it panics, every status is one that the
//! header names, an error says the same in words, outputs are written only on success, and every context that was handed
//! over is destroyed once.
#![no_main]

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_void};
use std::ptr::{null, null_mut};

use libfuzzer_sys::fuzz_target;
use policysync_fuzz::{Input, NOW, keys, set};
// For its exported symbols.
use policysync as _;

// As include/policysync.h has them.

#[repr(C)]
#[derive(Clone, Copy)]
struct Bytes {
    data: *const c_void,
    len: usize,
}

#[repr(C)]
struct Buffer {
    data: *mut u8,
    len: usize,
    capacity: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Timestamp {
    t: u64,
    c: u32,
    reserved: u32,
}

#[repr(C)]
struct Failure {
    struct_size: u32,
    status: i32,
    op_index: u64,
    message: [u8; 240],
}

#[repr(C)]
#[derive(Clone, Copy)]
struct COp {
    struct_size: u32,
    kind: u32,
    t: u64,
    c: u32,
    reserved: u32,
    hash: [u8; 32],
    signature: [u8; 64],
    actor: Bytes,
    kid: Bytes,
    entity: Bytes,
    entity_id: Bytes,
    path: Bytes,
    value: Bytes,
    space: Bytes,
    label: Bytes,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Callback<F> {
    struct_size: u32,
    reserved: u32,
    ctx: *mut c_void,
    call: Option<F>,
    destroy: Option<extern "C" fn(*mut c_void)>,
}

type Check = extern "C" fn(*mut c_void, *const COp, usize, usize, *mut i32) -> i32;
type Tell = extern "C" fn(*mut c_void, *mut u64) -> i32;
type Changed = extern "C" fn(*mut c_void);

#[repr(C)]
#[derive(Clone, Copy)]
struct PublicKey {
    actor: Bytes,
    kid: Bytes,
    public_key: [u8; 32],
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Digest {
    struct_size: u32,
    reserved: u32,
    count: u64,
    log: [u8; 32],
    state: [u8; 32],
}

#[repr(C)]
struct Options {
    struct_size: u32,
    flags: u32,
    max_drift_ms: u64,
    threads: u32,
    reserved: u32,
    key: *const c_void,
    space: Bytes,
    guard: *const Callback<Check>,
    clock: *const Callback<Tell>,
    observer: *const Callback<Changed>,
    keys: *const PublicKey,
    keys_stride: usize,
    keys_count: usize,
    path: Bytes,
    now_ms: u64,
    durability: u32,
    reserved_2: u32,
    seal_key: *const u8,
    at_least: *const Digest,
    /// What a newer program might know.
    more: u64,
}

#[repr(C)]
struct Field {
    entity: Bytes,
    entity_id: Bytes,
    path: Bytes,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Outcome {
    status: i32,
    effect: u32,
    until_ms: u64,
    hashes: [[u8; 32]; 3],
}

type Err = *mut Failure;
type Handle = *mut c_void;

unsafe extern "C" {
    fn policysync_status_name(status: i32) -> *const c_char;
    fn policysync_buffer_dispose(buffer: *mut Buffer);
    fn policysync_hlc_now(last: *const Timestamp, now_ms: u64, out: *mut Timestamp, err: Err) -> i32;
    fn policysync_key_from_seed(
        actor: *const c_void,
        actor_len: usize,
        kid: *const c_void,
        kid_len: usize,
        seed: *const u8,
        out: *mut Handle,
        err: Err,
    ) -> i32;
    fn policysync_key_public(key: Handle, out32: *mut u8, err: Err) -> i32;
    fn policysync_key_expose_seed(key: Handle, out32: *mut u8, err: Err) -> i32;
    fn policysync_key_actor(key: Handle) -> *const c_char;
    fn policysync_key_kid(key: Handle) -> *const c_char;
    fn policysync_key_free(key: Handle);
    fn policysync_replica_options_init(out: *mut Options, struct_size: u32) -> i32;
    fn policysync_replica_open(options: *const Options, out: *mut Handle, err: Err) -> i32;
    fn policysync_replica_free(replica: Handle);
    fn policysync_replica_register_key(
        replica: Handle,
        actor: *const c_void,
        actor_len: usize,
        kid: *const c_void,
        kid_len: usize,
        public_key: *const u8,
        err: Err,
    ) -> i32;
    fn policysync_replica_keys(replica: Handle, out: *mut Buffer, err: Err) -> i32;
    fn policysync_replica_set(
        replica: Handle,
        now_ms: u64,
        field: *const Field,
        value: *const c_void,
        value_len: usize,
        format: u32,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    fn policysync_replica_delete(
        replica: Handle,
        now_ms: u64,
        field: *const Field,
        format: u32,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    fn policysync_replica_ingest(
        replica: Handle,
        now_ms: u64,
        op: *const c_void,
        op_len: usize,
        outcome: *mut Outcome,
        outcome_size: usize,
        err: Err,
    ) -> i32;
    fn policysync_replica_ingest_many(
        replica: Handle,
        now_ms: u64,
        ops: *const Bytes,
        ops_stride: usize,
        count: usize,
        outcomes: *mut Outcome,
        outcomes_stride: usize,
        err: Err,
    ) -> i32;
    fn policysync_replica_get(replica: Handle, field: *const Field, out: *mut Buffer, err: Err) -> i32;
    fn policysync_replica_history(replica: Handle, field: *const Field, out: *mut Buffer, err: Err) -> i32;
    fn policysync_replica_explain(replica: Handle, field: *const Field, out: *mut Buffer, err: Err) -> i32;
    fn policysync_replica_entity(
        replica: Handle,
        entity: *const c_void,
        entity_len: usize,
        entity_id: *const c_void,
        entity_id_len: usize,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    fn policysync_replica_entities(
        replica: Handle,
        entity: *const c_void,
        entity_len: usize,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    fn policysync_replica_fields(
        replica: Handle,
        entity: *const c_void,
        entity_len: usize,
        entity_id: *const c_void,
        entity_id_len: usize,
        prefix: *const c_void,
        prefix_len: usize,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    fn policysync_replica_poll(replica: Handle, now_ms: u64, out: *mut Buffer, err: Err) -> i32;
    fn policysync_replica_op(
        replica: Handle,
        hash: *const u8,
        format: u32,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    fn policysync_replica_forks(replica: Handle, out: *mut Buffer, err: Err) -> i32;
    fn policysync_replica_held(replica: Handle, out: *mut u64, err: Err) -> i32;
    fn policysync_replica_next_due(replica: Handle, out: *mut u64, err: Err) -> i32;
    fn policysync_replica_horizon(replica: Handle, out: *mut u64, err: Err) -> i32;
    fn policysync_replica_position(replica: Handle, out: *mut u64, err: Err) -> i32;
    fn policysync_replica_clock(replica: Handle, out: *mut Timestamp, err: Err) -> i32;
    fn policysync_replica_actor(replica: Handle, out: *mut Buffer, err: Err) -> i32;
    fn policysync_replica_contains(replica: Handle, hash: *const u8, err: Err) -> i32;
    fn policysync_replica_has_changes(replica: Handle, err: Err) -> i32;
    fn policysync_replica_digest(replica: Handle, out: *mut Digest, err: Err) -> i32;
    fn policysync_replica_export(
        replica: Handle,
        position: u64,
        max_count: u64,
        format: u32,
        out: *mut Buffer,
        next: *mut u64,
        err: Err,
    ) -> i32;
    fn policysync_cursor_open(replica: Handle, position: u64, out: *mut Handle, err: Err) -> i32;
    fn policysync_cursor_next(
        cursor: Handle,
        ops: *mut COp,
        stride: usize,
        capacity: usize,
        out_count: *mut usize,
        err: Err,
    ) -> i32;
    fn policysync_cursor_position(cursor: Handle, out: *mut u64, err: Err) -> i32;
    fn policysync_cursor_free(cursor: Handle);
    fn policysync_op_sign(op: *const COp, key: Handle, format: u32, out: *mut Buffer, err: Err) -> i32;
    fn policysync_op_verify(
        op: *const c_void,
        op_len: usize,
        actor: *const c_void,
        actor_len: usize,
        kid: *const c_void,
        kid_len: usize,
        public_key: *const u8,
        err: Err,
    ) -> i32;
    fn policysync_op_hash(op: *const c_void, op_len: usize, out32: *mut u8, err: Err) -> i32;
    fn policysync_op_convert(
        op: *const c_void,
        op_len: usize,
        format: u32,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    fn policysync_sha256(data: *const c_void, len: usize, out32: *mut u8, err: Err) -> i32;
}

const ERR_NULL: i32 = -1;
const ERR_BUSY: i32 = -4;
/// Any failure but a panic: all numbers of the header.
const FAILURES: [i32; 34] = [
    -1, -2, -3, -4, -5, -10, -11, -12, -13, -14, -15, -16, -17, -18, -30, -100, -101, -110, -111, -120, -121,
    -200, -201, -202, -203, -204, -205, -206, -207, -208, -209, -210, -211, -300,
];
const JUNK: u64 = 0x5AA5_5AA5_5AA5_5AA5;

thread_local! {
    /// Contexts that live.
    static CONTEXTS: Cell<isize> = const { Cell::new(0) };
    /// The replica that is being called.
    static CALLED: Cell<Handle> = const { Cell::new(null_mut()) };
    /// Whether a callback has freed it.
    static FREED: Cell<bool> = const { Cell::new(false) };
}

/// What a callback does.
struct Context {
    verdict: i32,
    status: i32,
    calls: bool,
    frees: bool,
}

fn context(input: &mut Input<'_>) -> *mut c_void {
    CONTEXTS.set(CONTEXTS.get() + 1);
    let context = Context {
        verdict: input.one_of(&[1, 1, 2, 3, 0, 9]),
        status: input.one_of(&[0, 0, 0, 0, -121, 5]),
        calls: input.below(4) == 1,
        frees: input.below(16) == 1,
    };
    Box::into_raw(Box::new(context)).cast()
}

extern "C" fn destroy(ctx: *mut c_void) {
    CONTEXTS.set(CONTEXTS.get() - 1);
    // SAFETY: made by `context`, and destroyed once; more often is what this target looks for.
    drop(unsafe { Box::from_raw(ctx.cast::<Context>()) });
}

fn called(ctx: *mut c_void) -> (i32, i32) {
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

extern "C" fn check(
    ctx: *mut c_void,
    ops: *const COp,
    stride: usize,
    count: usize,
    verdicts: *mut i32,
) -> i32 {
    assert!(!ops.is_null() && stride >= size_of::<COp>() && count > 0);
    let (verdict, status) = called(ctx);
    for at in 0..count {
        // SAFETY: so many operations and verdicts are there.
        unsafe {
            let op = ops.byte_add(at * stride).read_unaligned();
            assert_eq!(text(op.actor).len(), op.actor.len);
            verdicts.add(at).write(verdict);
        }
    }
    status
}

extern "C" fn tell(ctx: *mut c_void, out: *mut u64) -> i32 {
    let (verdict, status) = called(ctx);
    // SAFETY: room for a number.
    unsafe { out.write(if verdict == 9 { u64::MAX - 1 } else { NOW.0 }) };
    status
}

extern "C" fn changed(ctx: *mut c_void) {
    called(ctx);
}

/// # Safety
///
/// So many bytes are there.
unsafe fn text<'a>(bytes: Bytes) -> &'a str {
    if bytes.len == 0 {
        return "";
    }
    // SAFETY: promised.
    let bytes = unsafe { &*std::ptr::slice_from_raw_parts(bytes.data.cast::<u8>(), bytes.len) };
    std::str::from_utf8(bytes).expect("texts are UTF-8")
}

#[derive(Default)]
struct World {
    keys: Vec<Handle>,
    replicas: Vec<Handle>,
    cursors: Vec<Handle>,
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let mut world = World::default();
    // What most programs begin with; the others begin with nothing.
    if input.byte() % 4 != 3 {
        world.begin();
    }
    let mut left = 64;
    while !input.is_empty() && left > 0 {
        left -= 1;
        world.step(&mut input);
    }
    world.end(input.byte());
    assert_eq!(CONTEXTS.get(), 0, "contexts that were not destroyed, or twice");
});

fn pick(handles: &[Handle], input: &mut Input<'_>) -> Handle {
    match (input.below(16), handles.len()) {
        (15, _) | (_, 0) => null_mut(),
        (n, len) => handles[n % len],
    }
}

/// A text of the script: known, empty, absent, or the input's own bytes.
fn bytes(input: &mut Input<'_>) -> Bytes {
    const KNOWN: [&str; 6] = ["alice", "bob", "Task", "t1", "title", "null"];
    let of = |bytes: &[u8]| Bytes { data: bytes.as_ptr().cast(), len: bytes.len() };
    match input.below(10) {
        0 => Bytes { data: null(), len: 0 },
        1 => Bytes { data: null(), len: 5 },
        2 => Bytes { data: "".as_ptr().cast(), len: 0 },
        // Longer than anything is: refused for that before it is looked at.
        3 => Bytes { data: "x".as_ptr().cast(), len: usize::MAX },
        4 | 5 => of(input.piece()),
        n => of(KNOWN[(n + input.below(6)) % 6].as_bytes()),
    }
}

fn good(text: &'static str) -> Bytes {
    Bytes { data: text.as_ptr().cast(), len: text.len() }
}

fn field(input: &mut Input<'_>) -> Field {
    match input.below(4) {
        0 => Field { entity: bytes(input), entity_id: bytes(input), path: bytes(input) },
        n => Field { entity: good("Task"), entity_id: good("t1"), path: good(["a", "b", "title"][n - 1]) },
    }
}

fn now(input: &mut Input<'_>) -> u64 {
    input.one_of(&[NOW.0, NOW.0 + 1, NOW.0 + 3_600_000, 0, u64::MAX - 7])
}

fn format(input: &mut Input<'_>) -> u32 {
    input.one_of(&[1, 2, 1, 2, 0, 3, u32::MAX])
}

/// The bytes of an operation: signed, or what the input says, or none.
fn op_bytes(input: &mut Input<'_>) -> Vec<u8> {
    match input.below(4) {
        0 => input.long_piece().to_vec(),
        n => {
            let op = set(input.below(2), NOW.0, u32::from(input.byte()), "title", "x");
            if n == 1 { op.to_json().into_bytes() } else { op.to_binary() }
        }
    }
}

/// The caller's error, and what a call may not do.
struct Told {
    error: Failure,
    size: u32,
}

impl Told {
    fn new(input: &mut Input<'_>) -> Self {
        let full = u32::try_from(size_of::<Failure>()).expect("a small struct");
        let size = input.one_of(&[full, full, full, 24, 25, 8, 0, u32::MAX]);
        // A size beyond its own is what a newer program has; only the known part may be written.
        let error = Failure { struct_size: size, status: 77, op_index: JUNK, message: [b'#'; 240] };
        Self { error, size }
    }

    fn at(&mut self) -> Err {
        if self.size == 0 { null_mut() } else { &raw mut self.error }
    }

    fn check(&self, status: i32) -> i32 {
        if status >= 0 {
            assert!(status <= 4, "status {status}");
            assert_eq!(self.error.status, 77, "a call that succeeds leaves the error as it is");
            return status;
        }
        assert!(FAILURES.contains(&status), "status {status}");
        if self.size >= 24 {
            assert_eq!(self.error.status, status);
            let len = usize::try_from(self.size).expect("32 bits").min(size_of::<Failure>()) - 16;
            let said = CStr::from_bytes_until_nul(&self.error.message[..len]).expect("it ends with NUL");
            let said = said.to_str().expect("UTF-8");
            assert!(!said.chars().any(char::is_control), "{said:?}");
        } else {
            assert_eq!(self.error.status, 77, "too small to be written");
        }
        // SAFETY: any number has a name.
        let name = unsafe { CStr::from_ptr(policysync_status_name(status)) };
        assert!(name.to_bytes().starts_with(b"POLICYSYNC_ERR_"), "{name:?}");
        status
    }
}

/// Makes a call, and checks what it said.
macro_rules! said {
    ($told:ident, $call:expr) => {{
        let status = $call;
        $told.check(status)
    }};
}

/// A call that gives a buffer, which may be NULL.
fn buffer(input: &mut Input<'_>, call: impl FnOnce(*mut Buffer, Err) -> i32) -> Vec<u8> {
    let mut told = Told::new(input);
    let junk = usize::try_from(JUNK).unwrap_or(usize::MAX);
    let mut out = Buffer { data: null_mut(), len: junk, capacity: junk };
    let is_wanted = input.below(8) != 7;
    let status = call(if is_wanted { &raw mut out } else { null_mut() }, told.at());
    let status = told.check(status);
    if !is_wanted || out.len == junk {
        assert!(out.data.is_null() && out.len == junk && out.capacity == junk);
        assert!(!is_wanted || status != 0, "it succeeded and wrote nothing");
        return Vec::new();
    }
    assert!(out.len <= out.capacity);
    let bytes = match out.len {
        0 => Vec::new(),
        // SAFETY: the library says that so much is there.
        len => unsafe { (*std::ptr::slice_from_raw_parts(out.data, len)).to_vec() },
    };
    assert!(status >= 0 || bytes.is_empty(), "an output of a call that failed");
    // SAFETY: a buffer of the library; and once more, which does nothing.
    unsafe {
        policysync_buffer_dispose(&raw mut out);
        policysync_buffer_dispose(&raw mut out);
    }
    bytes
}

/// A call that gives something of a fixed size.
fn fixed<T: Copy + PartialEq + std::fmt::Debug>(
    input: &mut Input<'_>,
    before: T,
    call: impl FnOnce(*mut T, Err) -> i32,
) {
    let mut told = Told::new(input);
    let mut out = before;
    let is_wanted = input.below(8) != 7;
    let status = call(if is_wanted { &raw mut out } else { null_mut() }, told.at());
    let status = told.check(status);
    if status < 0 {
        assert_eq!(out, before, "an output of a call that failed");
    }
    assert!(is_wanted || status < 0);
}

impl World {
    fn replica(&self, input: &mut Input<'_>) -> Handle {
        let replica = pick(&self.replicas, input);
        CALLED.set(replica);
        FREED.set(false);
        replica
    }

    /// What a callback freed is not used again.
    fn forget(&mut self) {
        let called = CALLED.replace(null_mut());
        if FREED.replace(false) {
            self.replicas.retain(|replica| *replica != called);
        }
    }

    /// A key, and a replica that writes with it.
    fn begin(&mut self) {
        // SAFETY: nobody else has the handles.
        unsafe {
            self.make_key(&mut Input::new(&[0, 1, 1]));
            self.open(&mut Input::new(&[0, 1]));
        }
        assert_eq!((self.keys.len(), self.replicas.len()), (1, 1));
    }

    fn step(&mut self, input: &mut Input<'_>) {
        // SAFETY: every call below is given NULL, or what the header asks for and for as long; handles live in `self`
        // until they are freed, and are freed once.
        unsafe { self.call(input) }
        self.forget();
    }

    /// # Safety
    ///
    /// Nobody else has the handles.
    unsafe fn call(&mut self, input: &mut Input<'_>) {
        unsafe {
            match input.below(40) {
                0 => self.make_key(input),
                1..4 => self.open(input),
                4 => {
                    let key = pick(&self.keys, input);
                    fixed(input, [0x5A_u8; 32], |out, err| policysync_key_public(key, out.cast(), err));
                    fixed(input, [0x5A_u8; 32], |out, err| policysync_key_expose_seed(key, out.cast(), err));
                    assert_eq!(policysync_key_actor(key).is_null(), key.is_null());
                    assert_eq!(policysync_key_kid(key).is_null(), key.is_null());
                }
                5 => {
                    let key = pick(&self.keys, input);
                    self.keys.retain(|other| *other != key);
                    policysync_key_free(key);
                }
                6 => {
                    let replica = pick(&self.replicas, input);
                    self.replicas.retain(|other| *other != replica);
                    policysync_replica_free(replica);
                }
                7 => {
                    let cursor = pick(&self.cursors, input);
                    self.cursors.retain(|other| *other != cursor);
                    policysync_cursor_free(cursor);
                }
                8..12 => {
                    let (replica, now, field) = (self.replica(input), now(input), field(input));
                    let (value, format) = (bytes(input), format(input));
                    let is_delete = input.below(4) == 0;
                    let op = buffer(input, |out, err| match is_delete {
                        true => policysync_replica_delete(replica, now, &raw const field, format, out, err),
                        false => policysync_replica_set(
                            replica,
                            now,
                            &raw const field,
                            value.data,
                            value.len,
                            format,
                            out,
                            err,
                        ),
                    });
                    assert!(op.is_empty() || policysync::SignedOp::from_json(&op).is_ok() || op[0] == 1);
                }
                12..16 => self.ingest(input),
                16..18 => self.ingest_many(input),
                18 => {
                    let (replica, actor, kid) = (self.replica(input), bytes(input), bytes(input));
                    let key = *keys()[input.below(2)][input.below(2)].public_key().public_key().as_bytes();
                    let key = if input.below(8) == 7 { null() } else { key.as_ptr() };
                    let mut told = Told::new(input);
                    said!(
                        told,
                        policysync_replica_register_key(
                            replica,
                            actor.data,
                            actor.len,
                            kid.data,
                            kid.len,
                            key,
                            told.at(),
                        )
                    );
                }
                19 => {
                    let (replica, field) = (self.replica(input), field(input));
                    let which = input.below(3);
                    let field = if input.below(8) == 7 { null() } else { &raw const field };
                    buffer(input, |out, err| match which {
                        0 => policysync_replica_get(replica, field, out, err),
                        1 => policysync_replica_history(replica, field, out, err),
                        _ => policysync_replica_explain(replica, field, out, err),
                    });
                }
                20 => {
                    let (replica, entity, id, prefix) =
                        (self.replica(input), bytes(input), bytes(input), bytes(input));
                    let which = input.below(3);
                    buffer(input, |out, err| match which {
                        0 => policysync_replica_entity(
                            replica,
                            entity.data,
                            entity.len,
                            id.data,
                            id.len,
                            out,
                            err,
                        ),
                        1 => policysync_replica_entities(replica, entity.data, entity.len, out, err),
                        _ => policysync_replica_fields(
                            replica,
                            entity.data,
                            entity.len,
                            id.data,
                            id.len,
                            prefix.data,
                            prefix.len,
                            out,
                            err,
                        ),
                    });
                }
                21 => {
                    let (replica, now) = (self.replica(input), now(input));
                    buffer(input, |out, err| policysync_replica_poll(replica, now, out, err));
                }
                22 => {
                    let replica = self.replica(input);
                    let which = input.below(3);
                    buffer(input, |out, err| match which {
                        0 => policysync_replica_forks(replica, out, err),
                        1 => policysync_replica_actor(replica, out, err),
                        _ => policysync_replica_keys(replica, out, err),
                    });
                }
                23 => {
                    let replica = self.replica(input);
                    let which = input.below(4);
                    fixed(input, JUNK, |out, err| match which {
                        0 => policysync_replica_held(replica, out, err),
                        1 => policysync_replica_next_due(replica, out, err),
                        2 => policysync_replica_horizon(replica, out, err),
                        _ => policysync_replica_position(replica, out, err),
                    });
                }
                24 => {
                    let replica = self.replica(input);
                    let mut out = Timestamp { t: JUNK, c: 0, reserved: 0 };
                    let mut told = Told::new(input);
                    said!(told, policysync_replica_clock(replica, &raw mut out, told.at()));
                }
                25 => {
                    let replica = self.replica(input);
                    let hash = [input.byte(); 32];
                    let hash = if input.below(8) == 7 { null() } else { hash.as_ptr() };
                    let mut told = Told::new(input);
                    said!(told, policysync_replica_contains(replica, hash, told.at()));
                    let mut told = Told::new(input);
                    said!(told, policysync_replica_has_changes(replica, told.at()));
                    let format = format(input);
                    buffer(input, |out, err| policysync_replica_op(replica, hash, format, out, err));
                }
                26 => {
                    let replica = self.replica(input);
                    let full = size_of::<Digest>() as u32;
                    let struct_size = input.one_of(&[full, full, 8, 0, full - 1]);
                    let mut out =
                        Digest { struct_size, reserved: 0, count: JUNK, log: [1; 32], state: [1; 32] };
                    let mut told = Told::new(input);
                    let status = said!(told, policysync_replica_digest(replica, &raw mut out, told.at()));
                    assert_eq!(out.count == JUNK, status < 0);
                }
                27 | 28 => {
                    let replica = self.replica(input);
                    let position = input.one_of(&[0, 1, 2, 100, u64::MAX]);
                    let (count, format) = (u64::from(input.byte()), format(input));
                    let mut next = JUNK;
                    let next = if input.below(2) == 0 { null_mut() } else { &raw mut next };
                    buffer(input, |out, err| {
                        policysync_replica_export(replica, position, count, format, out, next, err)
                    });
                }
                29 | 30 => {
                    let replica = self.replica(input);
                    let position = input.one_of(&[0, 0, 1, 100, u64::MAX]);
                    let mut cursor = 1 as Handle;
                    let mut told = Told::new(input);
                    let status =
                        said!(told, policysync_cursor_open(replica, position, &raw mut cursor, told.at()));
                    assert_eq!(cursor.is_null(), status != 0);
                    self.keep(cursor, |world| &mut world.cursors, |cursor| policysync_cursor_free(cursor));
                }
                31..34 => self.walk(input),
                34 => {
                    let cursor = pick(&self.cursors, input);
                    fixed(input, JUNK, |out, err| policysync_cursor_position(cursor, out, err));
                }
                35 => {
                    let last = Timestamp { t: input.long() >> input.below(64), c: u32::MAX, reserved: 0 };
                    let last = if input.below(4) == 0 { null() } else { &raw const last };
                    let now = now(input);
                    let mut out = Timestamp { t: JUNK, c: 0, reserved: 0 };
                    let mut told = Told::new(input);
                    said!(told, policysync_hlc_now(last, now, &raw mut out, told.at()));
                }
                36 => self.sign(input),
                37 => {
                    let op = op_bytes(input);
                    let (actor, kid) = (bytes(input), bytes(input));
                    let key = *keys()[input.below(2)][input.below(2)].public_key().public_key().as_bytes();
                    let mut told = Told::new(input);
                    said!(
                        told,
                        policysync_op_verify(
                            op.as_ptr().cast(),
                            op.len(),
                            actor.data,
                            actor.len,
                            kid.data,
                            kid.len,
                            key.as_ptr(),
                            told.at(),
                        )
                    );
                }
                38 => {
                    let (op, format) = (op_bytes(input), format(input));
                    buffer(input, |out, err| {
                        policysync_op_convert(op.as_ptr().cast(), op.len(), format, out, err)
                    });
                }
                _ => {
                    let op = op_bytes(input);
                    let data = bytes(input);
                    fixed(input, [0x5A_u8; 32], |out, err| {
                        policysync_op_hash(op.as_ptr().cast(), op.len(), out.cast(), err)
                    });
                    fixed(input, [0x5A_u8; 32], |out, err| {
                        policysync_sha256(data.data, data.len, out.cast(), err)
                    });
                }
            }
        }
    }

    /// Keeps a handle; where there are enough, the oldest is freed.
    fn keep(&mut self, handle: Handle, of: impl Fn(&mut Self) -> &mut Vec<Handle>, free: impl Fn(Handle)) {
        if handle.is_null() {
            return;
        }
        let handles = of(self);
        handles.push(handle);
        if handles.len() > 3 {
            free(handles.remove(0));
        }
    }

    unsafe fn make_key(&mut self, input: &mut Input<'_>) {
        let number = input.below(2);
        let (actor, kid) = match input.below(4) {
            0 => (bytes(input), bytes(input)),
            _ => (good(["alice", "bob"][number]), Bytes { data: null(), len: 0 }),
        };
        let seed = keys()[number][0].key_pair().expose_seed();
        let seed = if input.below(8) == 7 { null() } else { seed.as_ptr() };
        let mut key = 1 as Handle;
        let mut told = Told::new(input);
        unsafe {
            let status = said!(
                told,
                policysync_key_from_seed(
                    actor.data,
                    actor.len,
                    kid.data,
                    kid.len,
                    seed,
                    &raw mut key,
                    told.at(),
                )
            );
            assert_eq!(key.is_null(), status != 0);
            self.keep(key, |world| &mut world.keys, |key| policysync_key_free(key));
        }
    }

    unsafe fn open(&mut self, input: &mut Input<'_>) {
        const FULL: u32 = (size_of::<Options>() - 8) as u32;
        // SAFETY: all zero is what a program without wishes passes.
        let mut options: Options = unsafe { std::mem::zeroed() };
        let flags = input.byte();
        let size = match input.below(8) {
            0 => input.one_of(&[0, 7, 8, 9, 40, FULL - 8, FULL + 8]),
            _ => FULL,
        };
        assert_eq!(unsafe { policysync_replica_options_init(&raw mut options, size.max(8)) }, 0);
        options.struct_size = size;
        options.key = pick(&self.keys, input);
        options.flags = u32::from(flags & 3) | u32::from(flags >> 7) << 5;
        options.threads = input.one_of(&[0, 0, 1, 2]);
        options.max_drift_ms = input.one_of(&[0, 0, 1, u64::MAX]);
        if flags & 4 != 0 {
            options.space = bytes(input);
        }
        let known: Vec<PublicKey> = (0..2)
            .map(|n| PublicKey {
                actor: good(["alice", "bob"][n]),
                kid: Bytes { data: null(), len: 0 },
                public_key: *keys()[n][0].public_key().public_key().as_bytes(),
            })
            .collect();
        if flags & 8 == 0 {
            options.keys = known.as_ptr();
            options.keys_stride = size_of::<PublicKey>();
            options.keys_count = input.one_of(&[2, 2, 1, 0]);
        } else {
            options.keys_stride = usize::from(flags >> 4);
            options.keys_count = usize::from(flags >> 6);
        }
        let size_of_callback = size_of::<Callback<Check>>() as u32;
        let hand = |input: &mut Input<'_>| (size == FULL && input.below(2) == 0).then(|| context(input));
        let (for_guard, for_clock, for_observer) = (hand(input), hand(input), hand(input));
        let guard = Callback {
            struct_size: size_of_callback,
            reserved: 0,
            ctx: for_guard.unwrap_or(null_mut()),
            call: (input.below(8) != 7).then_some(check as Check),
            destroy: Some(destroy as extern "C" fn(*mut c_void)),
        };
        let clock = Callback {
            struct_size: size_of_callback,
            reserved: 0,
            ctx: for_clock.unwrap_or(null_mut()),
            call: (input.below(8) != 7).then_some(tell as Tell),
            destroy: Some(destroy as extern "C" fn(*mut c_void)),
        };
        let observer = Callback {
            struct_size: size_of_callback,
            reserved: 0,
            ctx: for_observer.unwrap_or(null_mut()),
            call: (input.below(8) != 7).then_some(changed as Changed),
            destroy: Some(destroy as extern "C" fn(*mut c_void)),
        };
        options.guard = if for_guard.is_some() { &raw const guard } else { null() };
        options.clock = if for_clock.is_some() { &raw const clock } else { null() };
        options.observer = if for_observer.is_some() { &raw const observer } else { null() };
        let mut replica = 1 as Handle;
        let mut told = Told::new(input);
        let status =
            said!(told, unsafe { policysync_replica_open(&raw const options, &raw mut replica, told.at()) });
        assert_eq!(replica.is_null(), status != 0);
        self.keep(
            replica,
            |world| &mut world.replicas,
            |replica| unsafe { policysync_replica_free(replica) },
        );
    }

    unsafe fn ingest(&mut self, input: &mut Input<'_>) {
        let (replica, now, op) = (self.replica(input), now(input), op_bytes(input));
        let full = size_of::<Outcome>();
        let before = Outcome { status: 77, effect: 77, until_ms: JUNK, hashes: [[7; 32]; 3] };
        let mut outcome = before;
        let size = input.one_of(&[full, full, 0, 8, full - 1]);
        let out = if input.below(4) == 0 { null_mut() } else { &raw mut outcome };
        let data = if input.below(16) == 15 { null() } else { op.as_ptr().cast() };
        let mut told = Told::new(input);
        let status = unsafe {
            said!(told, policysync_replica_ingest(replica, now, data, op.len(), out, size, told.at()))
        };
        assert!(status != ERR_NULL || replica.is_null() || data.is_null(), "nothing was NULL");
        if status >= 0 && !out.is_null() {
            assert_eq!(outcome.status, status);
        }
    }

    unsafe fn ingest_many(&mut self, input: &mut Input<'_>) {
        let (replica, now) = (self.replica(input), now(input));
        let count = input.below(5);
        let ops: Vec<Vec<u8>> = (0..count).map(|_| op_bytes(input)).collect();
        let pieces: Vec<Bytes> =
            ops.iter().map(|op| Bytes { data: op.as_ptr().cast(), len: op.len() }).collect();
        let mut outcomes =
            vec![Outcome { status: 77, effect: 77, until_ms: JUNK, hashes: [[7; 32]; 3] }; count.max(1)];
        let ops_stride = input.one_of(&[size_of::<Bytes>(), size_of::<Bytes>(), 0, 8]);
        let stride = input.one_of(&[size_of::<Outcome>(), size_of::<Outcome>(), 0, 8]);
        let out = if input.below(4) == 0 { null_mut() } else { outcomes.as_mut_ptr() };
        let first = if input.below(16) == 15 { null() } else { pieces.as_ptr() };
        let mut told = Told::new(input);
        let status = unsafe {
            said!(
                told,
                policysync_replica_ingest_many(
                    replica,
                    now,
                    first,
                    ops_stride,
                    count,
                    out,
                    stride,
                    told.at(),
                )
            )
        };
        if status == 0 && !out.is_null() && stride == size_of::<Outcome>() {
            assert!(outcomes.iter().take(count).all(|outcome| outcome.status != 77));
        }
        if status < 0 {
            assert!(outcomes.iter().all(|outcome| outcome.status == 77), "outcomes of a call that failed");
        }
    }

    unsafe fn walk(&mut self, input: &mut Input<'_>) {
        let cursor = pick(&self.cursors, input);
        // SAFETY: numbers and pointers may be zero.
        let mut ops: [COp; 4] = unsafe { std::mem::zeroed() };
        let stride = input.one_of(&[size_of::<COp>(), size_of::<COp>(), 0, 64]);
        let capacity = input.below(5);
        let mut count = usize::MAX;
        let mut told = Told::new(input);
        let status = unsafe {
            said!(
                told,
                policysync_cursor_next(cursor, ops.as_mut_ptr(), stride, capacity, &raw mut count, told.at(),)
            )
        };
        if status == 0 {
            assert!((1..=capacity).contains(&count));
            for op in &ops[..count] {
                // SAFETY: they live until the next call on the cursor.
                unsafe {
                    assert!(!text(op.actor).is_empty() && !text(op.entity).is_empty());
                    assert!(policysync::Value::parse(text(op.value)).is_ok());
                }
            }
        }
    }

    unsafe fn sign(&mut self, input: &mut Input<'_>) {
        // SAFETY: numbers and pointers may be zero.
        let mut op: COp = unsafe { std::mem::zeroed() };
        let full = size_of::<COp>() as u32;
        op.struct_size = input.one_of(&[full, full, full, 0, 8]);
        op.kind = input.one_of(&[1, 2, 1, 0, 9]);
        op.t = now(input);
        op.c = u32::from(input.byte());
        op.actor = if input.below(4) == 0 { bytes(input) } else { good("alice") };
        let Field { entity, entity_id, path } = field(input);
        (op.entity, op.entity_id, op.path) = (entity, entity_id, path);
        op.value = bytes(input);
        if input.below(4) == 0 {
            op.space = bytes(input);
            op.label = bytes(input);
        }
        let (key, format) = (pick(&self.keys, input), format(input));
        let op = if input.below(16) == 15 { null() } else { &raw const op };
        let signed = buffer(input, |out, err| unsafe { policysync_op_sign(op, key, format, out, err) });
        if !signed.is_empty() {
            let read =
                policysync::SignedOp::from_json(&signed).or(policysync::SignedOp::from_binary(&signed));
            assert!(read.is_ok(), "{read:?}");
        }
    }

    /// Frees everything, in an order of the script's choice.
    fn end(mut self, order: u8) {
        // SAFETY: each handle lives, and is freed once.
        unsafe {
            if order & 1 == 1 {
                self.replicas.reverse();
                self.cursors.drain(..).for_each(|cursor| policysync_cursor_free(cursor));
            }
            self.replicas.drain(..).for_each(|replica| policysync_replica_free(replica));
            self.cursors.drain(..).for_each(|cursor| policysync_cursor_free(cursor));
            self.keys.drain(..).for_each(|key| policysync_key_free(key));
        }
    }
}
