//! The cost that the C interface adds to a call that ingests 1,000 signed operations: at most one hundredth.

use std::ffi::c_void;
use std::ptr;

use policysync::{Incoming, Replica};

use crate::common::{BATCH, NOW, Signing, Workload, cpu_nanoseconds, median};
use crate::table::{Bar, Table};

/// The number of measurements of each, in pairs.
const PAIRS: usize = 301;

// Declared as in include/policysync.h.

#[repr(C)]
#[derive(Clone, Copy)]
struct Bytes {
    data: *const c_void,
    len: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct COutcome {
    status: i32,
    effect: u32,
    until_ms: u64,
    hashes: [[u8; 32]; 3],
}

#[expect(unsafe_code, reason = "the functions that a C program calls")]
unsafe extern "C" {
    fn policysync_replica_open(options: *const c_void, out: *mut *mut c_void, err: *mut c_void) -> i32;
    fn policysync_replica_free(replica: *mut c_void);
    fn policysync_replica_register_key(
        replica: *mut c_void,
        actor: *const u8,
        actor_len: usize,
        kid: *const u8,
        kid_len: usize,
        public_key: *const u8,
        err: *mut c_void,
    ) -> i32;
    fn policysync_replica_ingest_many(
        replica: *mut c_void,
        now_ms: u64,
        ops: *const Bytes,
        ops_stride: usize,
        count: usize,
        outcomes: *mut COutcome,
        outcomes_stride: usize,
        err: *mut c_void,
    ) -> i32;
}

/// A replica opened through the C interface.
struct CReplica(*mut c_void);

#[expect(unsafe_code, reason = "the calls of a C program")]
impl CReplica {
    fn open(workload: &Workload) -> Self {
        let mut replica = ptr::null_mut();
        // SAFETY: options and error may be null, and `replica` has room for a pointer.
        assert_eq!(unsafe { policysync_replica_open(ptr::null(), &raw mut replica, ptr::null_mut()) }, 0);
        for key in workload.public_keys() {
            let (actor, public_key) = (key.actor(), key.public_key().as_bytes());
            // SAFETY: the replica is open, the lengths are those of the texts, a key has 32 bytes, the rest may be null.
            let status = unsafe {
                policysync_replica_register_key(
                    replica,
                    actor.as_ptr(),
                    actor.len(),
                    ptr::null(),
                    0,
                    public_key.as_ptr(),
                    ptr::null_mut(),
                )
            };
            assert_eq!(status, 0);
        }
        Self(replica)
    }

    fn ingest(&self, ops: &[Bytes], outcomes: &mut [COutcome]) {
        assert_eq!(ops.len(), outcomes.len());
        // SAFETY: the replica is open, both arrays have `ops.len()` items, and the bytes outlive the call.
        let status = unsafe {
            policysync_replica_ingest_many(
                self.0,
                NOW.0,
                ops.as_ptr(),
                size_of::<Bytes>(),
                ops.len(),
                outcomes.as_mut_ptr(),
                size_of::<COutcome>(),
                ptr::null_mut(),
            )
        };
        assert_eq!(status, 0);
    }
}

#[expect(unsafe_code, reason = "the calls of a C program")]
impl Drop for CReplica {
    fn drop(&mut self) {
        // SAFETY: the replica is not used again.
        unsafe { policysync_replica_free(self.0) };
    }
}

/// Returns the CPU time of a call in Rust.
fn in_rust(workload: &Workload, ops: &[Incoming<'_>]) -> u64 {
    let mut replica = Replica::open(workload.options()).unwrap();
    let start = cpu_nanoseconds();
    let outcomes = replica.ingest_batch(NOW, ops).unwrap();
    let end = cpu_nanoseconds();
    assert!(outcomes.iter().all(Result::is_ok));
    end - start
}

/// Returns the CPU time of the same call through the C interface.
fn in_c(workload: &Workload, ops: &[Bytes]) -> u64 {
    let replica = CReplica::open(workload);
    let nothing = COutcome { status: -1, effect: 0, until_ms: 0, hashes: [[0; 32]; 3] };
    let mut outcomes = vec![nothing; ops.len()];
    let start = cpu_nanoseconds();
    replica.ingest(ops, &mut outcomes);
    let end = cpu_nanoseconds();
    assert!(outcomes.iter().all(|outcome| outcome.status == 0));
    end - start
}

pub fn measure(table: &mut Table) {
    let workload = Workload::new(BATCH, Signing::True);
    let forms = workload.binary();
    let rust: Vec<Incoming<'_>> = forms.iter().map(|form| Incoming::from(*form)).collect();
    let c: Vec<Bytes> =
        forms.iter().map(|form| Bytes { data: form.as_ptr().cast(), len: form.len() }).collect();
    let pair = |number: usize| {
        // In alternating order, so that neither is always first.
        let (c, rust) = if number.is_multiple_of(2) {
            let c = in_c(&workload, &c);
            (c, in_rust(&workload, &rust))
        } else {
            let rust = in_rust(&workload, &rust);
            (in_c(&workload, &c), rust)
        };
        c as f64 / rust as f64
    };
    pair(0);
    let ratio = median((0..PAIRS).map(pair).collect());
    let what = "1,000 signed operations through the C interface";
    table.row(what, ratio, " of the same in Rust", Bar::AtMost(1.01));
}
