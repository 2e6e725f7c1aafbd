//! How a replica is opened.

use std::mem::MaybeUninit;

use super::boundary::{Call, Growing, guarded};
use super::buffer::policysync_bytes;
use super::clock::{self, policysync_clock};
use super::error::Failure;
use super::guard::{self, policysync_guard};
use super::key::policysync_key;
use super::observer::{self, policysync_observer};
use super::status::policysync_status;
use super::status::policysync_status_code::POLICYSYNC_OK;
use crate::{Labels, ReplicaOptions, WallMillis};

/// A flag of a replica: operations may carry any `id`. Without it, an `id` must be `actor:t:c`.
pub const POLICYSYNC_ANY_LABEL: u32 = 1;

/// A flag of a replica: operations are admitted **without checking any signature**, whoever made them. Only for a relay
/// that stores for others and knows no keys; what it serves must be verified by whoever fetches it.
pub const POLICYSYNC_DANGEROUSLY_UNVERIFIED: u32 = 2;

/// How a replica is opened. Zero in every member but the first is the default, and what an older program does not know
/// is zero. Begin with `policysync_replica_options_init`. All pointers are borrowed for the call that takes the options;
/// what `guard`, `clock` and `observer` point to is copied, and their contexts are taken over.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_replica_options {
    /// `sizeof(policysync_replica_options)`.
    pub struct_size: u32,
    /// `POLICYSYNC_ANY_LABEL`, `POLICYSYNC_DANGEROUSLY_UNVERIFIED`, or both; 0 for neither.
    pub flags: u32,
    /// How far ahead of the wall clock an operation may be, in milliseconds, before it is held until its time comes; 0
    /// for ten minutes.
    pub max_drift_ms: u64,
    /// On how many threads signatures are verified, which live as long as a call; 0 and 1 for the caller's alone. More
    /// need a library built with the feature `parallel`; the guard is still called on the caller's thread.
    pub threads: u32,
    /// 0.
    pub reserved: u32,
    /// The key to write with, which is registered too; NULL for a replica that only reads. It is copied.
    pub key: *const policysync_key,
    /// The log's name, 1 to 1024 bytes: operations are signed for it, and no others are admitted. Empty for operations
    /// without a space.
    pub space: policysync_bytes,
    /// Refuses operations that the application does not want; NULL for none.
    pub guard: *const policysync_guard,
    /// Answers `POLICYSYNC_NOW`; NULL for the machine's clock.
    pub clock: *const policysync_clock,
    /// Told of changes; NULL for none.
    pub observer: *const policysync_observer,
}

// SAFETY: `repr(C)`, begins with its size. Zero is NULL and none.
unsafe impl Growing for policysync_replica_options {
    const FIRST_SIZE: usize = 8;
    const NAME: &'static str = "options";
}

/// Makes default options: all zero but `struct_size`.
///
/// `out`: `struct_size` bytes are written, whatever the library knows of them.
/// `struct_size`: `sizeof(policysync_replica_options)`, at least 8.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (`struct_size` is too small) or
/// `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_options_init(
    out: MaybeUninit<&mut policysync_replica_options>,
    struct_size: u32,
) -> policysync_status {
    guarded(std::ptr::null_mut(), |call| {
        let out = call.out(out, "out")?;
        out.initialise(struct_size)?;
        Ok(POLICYSYNC_OK)
    })
}

/// Options as Rust has them, and what it has no place for.
pub(super) struct Options {
    pub(super) replica: ReplicaOptions,
    pub(super) guard_failed: guard::Failed,
    pub(super) clock: Option<clock::Callback>,
    pub(super) observer: Option<observer::Callback>,
}

impl Options {
    pub(super) fn take(call: &Call, options: *const policysync_replica_options) -> Result<Self, Failure> {
        if options.is_null() {
            return Ok(Self {
                replica: ReplicaOptions::new(),
                guard_failed: guard::Failed::default(),
                clock: None,
                observer: None,
            });
        }
        // The contexts are taken over before anything else can fail.
        let (callbacks, options) =
            call.growing_and(options, |options: Option<&policysync_replica_options>| {
                options.map(|options| {
                    let guard = guard::Callback::take(call, options.guard);
                    let clock = clock::Callback::take(call, options.clock);
                    let observer = observer::Callback::take(call, options.observer);
                    (guard, clock, observer)
                })
            });
        let (options, Some((guard, clock, observer))) = (options?, callbacks) else {
            return Err(Failure::null("options"));
        };
        let (guard, clock, observer) = (guard?, clock?, observer?);

        let mut replica = options.checked(call)?;
        let guard_failed = guard.as_ref().map(guard::Callback::failed).unwrap_or_default();
        if let Some(guard) = guard {
            replica = replica.guard(guard);
        }
        Ok(Self { replica, guard_failed, clock, observer })
    }
}

impl policysync_replica_options {
    /// All but the callbacks.
    fn checked(&self, call: &Call) -> Result<ReplicaOptions, Failure> {
        if self.flags & !(POLICYSYNC_ANY_LABEL | POLICYSYNC_DANGEROUSLY_UNVERIFIED) != 0 {
            return Err(Failure::argument(format!(
                "options.flags is {:#x}, which means nothing",
                self.flags
            )));
        }
        if self.reserved != 0 {
            return Err(Failure::argument("options.reserved is not 0"));
        }
        let mut options = ReplicaOptions::new();
        if let Some(key) = call.optional(self.key) {
            options = options.write_as(key.copy()?);
        }
        let space = self.space.text(call, "options.space")?;
        if !space.is_empty() {
            options = options.space(space);
        }
        if self.max_drift_ms != 0 {
            options = options.max_drift(WallMillis(self.max_drift_ms));
        }
        if self.flags & POLICYSYNC_ANY_LABEL != 0 {
            options = options.labels(Labels::Any);
        }
        if self.flags & POLICYSYNC_DANGEROUSLY_UNVERIFIED != 0 {
            options = options.dangerously_accept_unverified();
        }
        threads(options, self.threads)
    }
}

#[cfg(feature = "parallel")]
fn threads(options: ReplicaOptions, threads: u32) -> Result<ReplicaOptions, Failure> {
    Ok(match std::num::NonZeroUsize::new(super::boundary::to_usize(threads)) {
        Some(threads) => options.threads(threads),
        None => options,
    })
}

#[cfg(not(feature = "parallel"))]
fn threads(options: ReplicaOptions, threads: u32) -> Result<ReplicaOptions, Failure> {
    if threads > 1 {
        let message = format!("{threads} threads need a library built with the feature parallel");
        return Err(Failure::new(super::status::policysync_status_code::POLICYSYNC_ERR_UNSUPPORTED, message));
    }
    Ok(options)
}
