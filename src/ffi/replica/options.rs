//! The options of a replica.

use std::mem::MaybeUninit;
use std::path::PathBuf;

use crate::ffi::glue::boundary::Call;
use crate::ffi::glue::buffer::policysync_bytes;
use crate::ffi::glue::callback::Taken;
use crate::ffi::glue::error::Failure;
use crate::ffi::glue::growing::{Growing, initialize};
use crate::ffi::glue::status::policysync_status;
use crate::ffi::keys::key::{policysync_key, policysync_public_key, public_key_of};
use crate::ffi::replica::clock::policysync_clock;
use crate::ffi::replica::guard;
use crate::ffi::replica::guard::policysync_guard;
use crate::ffi::replica::observer::policysync_observer;
use crate::ffi::types::digest::policysync_digest;
use crate::replica::Labels;
use crate::{KeyRegistry, ReplicaOptions, WallMillis};

/// A flag of a replica: operations may have any `id`. Without it, an `id` must be `actor:t:c`.
pub const POLICYSYNC_ANY_LABEL: u32 = 1;

/// A flag of a replica: operations are admitted **without verifying any signature**. It is only for a relay that stores
/// operations for others and knows no keys; whoever fetches from it must verify. The guard sees unverified operations
/// too.
pub const POLICYSYNC_DANGEROUSLY_UNVERIFIED: u32 = 2;

/// The failures that an acknowledged write to a file survives: `durability` of `policysync_replica_options`.
#[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "of the header only"))]
#[derive(Clone, Copy)]
#[repr(C)]
pub enum policysync_durability {
    /// A crash of the process or the system, and a loss of power.
    POLICYSYNC_DURABILITY_FULL = 0,
    /// A crash of the process only. When the system or the power fails, the **last writes may be lost, although they
    /// were acknowledged and may have been sent to others**; the rest is undamaged. A device that loses its own writes
    /// may later write other operations with the same timestamps: give it a new key and actor after such a failure.
    /// This saves a wait for the disk in every call that writes.
    POLICYSYNC_DURABILITY_PROCESS_ONLY = 1,
}

/// The options of a replica. Zero in every member but the first is the default: initialize them with
/// `policysync_replica_options_init`. The key, the guard, the clock and the observer are copied, and the contexts of
/// the callbacks are taken over.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_replica_options {
    /// `sizeof(policysync_replica_options)`.
    pub struct_size: u32,
    /// `POLICYSYNC_ANY_LABEL`, `POLICYSYNC_DANGEROUSLY_UNVERIFIED`, or both; 0 for neither.
    pub flags: u32,
    /// The number of milliseconds that an operation may be ahead of the wall clock; one that is further ahead is held
    /// until its time comes. 0 for ten minutes.
    pub max_drift_ms: u64,
    /// The number of threads that verify signatures and, in a large batch, look up registers. They end with the call. 0
    /// and 1 for the caller's thread alone; more need the feature `parallel`. The guard is always called on the
    /// caller's thread.
    pub threads: u32,
    /// 0.
    pub reserved: u32,
    /// The key to write with, which is also registered; NULL for a replica that only reads.
    pub key: *const policysync_key,
    /// The name of the space, 1 to 1024 bytes: operations are signed for it, and operations of other spaces are
    /// refused. Empty for operations without a space.
    pub space: policysync_bytes,
    /// The guard; NULL for none.
    pub guard: *const policysync_guard,
    /// The clock for `POLICYSYNC_NOW`; NULL for the machine's.
    pub clock: *const policysync_clock,
    /// The observer of changes; NULL for none.
    pub observer: *const policysync_observer,
    /// The keys that are known from the start, `keys_stride` bytes apart. A file that is opened without its `seal_key`
    /// needs the keys of every actor that has written into it; other keys can be added later with
    /// `policysync_replica_register_key`. NULL for none.
    pub keys: *const policysync_public_key,
    /// The stride of `keys`: `sizeof(policysync_public_key)`.
    pub keys_stride: usize,
    /// The number of keys.
    pub keys_count: usize,
    /// The file of the replica, which is created if it does not exist: UTF-8 (on Unix any bytes), without NUL. Empty
    /// for a replica in memory. Needs the feature `sqlite`, which is a default.
    ///
    /// Only one replica in one process can have a file open; others get `POLICYSYNC_ERR_OPEN_HERE` in the same process
    /// and `POLICYSYNC_ERR_LOCKED` elsewhere. While it is open,
    /// SQLite keeps a second file beside it (`-wal`). Do not touch either: on Unix, a process that opens and closes the
    /// file by other means releases its lock. Copy it with `policysync_replica_back_up`. See "Fork"
    /// at the top of this header.
    pub path: policysync_bytes,
    /// The present time: operations in the file with a timestamp later than this and the drift are held. 0 and
    /// `POLICYSYNC_NOW` for the clock. This member and those after it up to
    /// `at_least` are ignored without a path.
    pub now_ms: u64,
    /// The durability of writes: a `policysync_durability`.
    pub durability: u32,
    /// 0.
    pub reserved_2: u32,
    /// The key of the seal: 32 secret bytes from the platform's key store, unknown to anyone who can write to the file.
    /// The seal is a keyed digest over all operations and the clock that is renewed with every write. At the next
    /// opening it proves that they were verified before, which saves verifying each signature. A file without a seal is
    /// verified and sealed. A replica that is opened without the key verifies every signature, and its first write
    /// removes the seal. With another key than the one that sealed the file, opening fails with
    /// `POLICYSYNC_ERR_SEAL_KEY`; if the key is lost, open without one. Not allowed together with
    /// `POLICYSYNC_DANGEROUSLY_UNVERIFIED`. NULL for none.
    pub seal_key: *const u8,
    /// A digest of this replica at an earlier time, of which `count` and `log` are used: a file that holds less is
    /// refused with `POLICYSYNC_ERR_ROLLED_BACK`. Keep it where nobody who can replace the file can change it. Without
    /// it, an old copy of the file is not detected. NULL for none.
    pub at_least: *const policysync_digest,
    /// Further keys that are known from the start, as text: see `policysync_replica_register_text`. Empty for none.
    pub keys_text: policysync_bytes,
}

// SAFETY: `repr(C)`, begins with its size. Zero is NULL and none.
unsafe impl Growing for policysync_replica_options {
    const FIRST_SIZE: usize = 8;
    const NAME: &'static str = "options";
}

/// Initializes options: all zero except `struct_size`.
///
/// `out`: receives `struct_size` bytes, however many of them the library knows.
/// `struct_size`: `sizeof(policysync_replica_options)`, at least 8.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (`struct_size` is too small) or
/// `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_replica_options_init(
    out: MaybeUninit<&mut policysync_replica_options>,
    struct_size: u32,
) -> policysync_status {
    initialize(out, struct_size)
}

/// The options of Rust, with the callbacks that Rust has no place for.
pub(in crate::ffi) struct Options {
    pub(in crate::ffi) replica: ReplicaOptions,
    pub(in crate::ffi) guard_failed: guard::Failed,
    pub(in crate::ffi) clock: Option<Taken<policysync_clock>>,
    pub(in crate::ffi) observer: Option<Taken<policysync_observer>>,
    /// The file of the replica, for messages.
    pub(in crate::ffi) file: Option<PathBuf>,
}

impl Options {
    pub(in crate::ffi) fn take(
        call: &Call,
        options: *const policysync_replica_options,
    ) -> Result<Self, Failure> {
        if options.is_null() {
            return Ok(Self {
                replica: ReplicaOptions::new(),
                guard_failed: guard::Failed::default(),
                clock: None,
                observer: None,
                file: None,
            });
        }
        // The contexts are taken over before anything else can fail.
        let (callbacks, options) =
            call.growing_and(options, |options: Option<&policysync_replica_options>| {
                options.map(|options| {
                    let guard = call.optional_callbacks(options.guard);
                    let clock = call.optional_callbacks(options.clock);
                    let observer = call.optional_callbacks(options.observer);
                    (guard, clock, observer)
                })
            });
        let (options, Some((guard, clock, observer))) = (options?, callbacks) else {
            return Err(Failure::null("options"));
        };
        let (guard, clock, observer) = (guard?, clock?, observer?);

        let mut replica = options.checked(call)?;
        let file = options.file(call)?;
        if let Some(path) = &file {
            replica = options.in_file(call, replica, path.clone(), clock.as_ref())?;
        }
        let guard_failed = guard::Failed::default();
        if let Some(guard) = guard {
            replica = replica.guard(guard::Callback::new(guard, guard_failed.clone()));
        }
        Ok(Self { replica, guard_failed, clock, observer, file })
    }
}

impl policysync_replica_options {
    pub(in crate::ffi) fn space<'c>(&self, call: &'c Call) -> Result<Option<&'c str>, Failure> {
        let space = self.space.text(call, "options.space")?;
        Ok((!space.is_empty()).then_some(space))
    }

    /// Returns the path of the file, if the replica is kept in one.
    pub(in crate::ffi) fn file(&self, call: &Call) -> Result<Option<PathBuf>, Failure> {
        let path = self.path.get(call, "options.path")?;
        if path.is_empty() { Ok(None) } else { path_of(path, "options.path").map(Some) }
    }

    /// Returns the keys that are handed over.
    fn known(&self, call: &Call) -> Result<KeyRegistry, Failure> {
        let mut known = KeyRegistry::from_text(self.keys_text.text(call, "options.keys_text")?)?;
        for (at, key) in call.array(self.keys, self.keys_stride, self.keys_count, "options.keys")?.enumerate()
        {
            let mut register = || {
                let actor = key.actor.text(call, "options.keys[].actor")?;
                let kid = key.kid.text(call, "options.keys[].kid")?;
                Ok(known.register(public_key_of(actor, kid, &key.public_key)?)?)
            };
            register().map_err(|failure: Failure| failure.at(at))?;
        }
        Ok(known)
    }

    /// Returns the keys that are handed over and the replica's own.
    #[cfg(feature = "sqlite")]
    pub(in crate::ffi) fn registry(&self, call: &Call) -> Result<KeyRegistry, Failure> {
        let mut known = self.known(call)?;
        if let Some(key) = call.optional(self.key) {
            known.register(key.get().public_key().clone())?;
        }
        Ok(known)
    }

    #[cfg(feature = "sqlite")]
    fn in_file(
        &self,
        call: &Call,
        options: ReplicaOptions,
        path: PathBuf,
        clock: Option<&Taken<policysync_clock>>,
    ) -> Result<ReplicaOptions, Failure> {
        if self.reserved_2 != 0 {
            return Err(Failure::argument("options.reserved_2 is not 0"));
        }
        let durability = policysync_durability::from_number(self.durability)?;
        let now_ms = if self.now_ms == 0 { crate::ffi::types::hlc::POLICYSYNC_NOW } else { self.now_ms };
        let mut options =
            options.path(path, crate::ffi::replica::clock::now(now_ms, clock)?).durability(durability);
        if let Some(key) = call.optional_bytes(self.seal_key) {
            options = options.seal_key(*key);
        }
        if !self.at_least.is_null() {
            options = options.at_least(call.growing(self.at_least)?.log_digest());
        }
        Ok(options)
    }

    #[cfg(not(feature = "sqlite"))]
    fn in_file(
        &self,
        _: &Call,
        _: ReplicaOptions,
        _: PathBuf,
        _: Option<&Taken<policysync_clock>>,
    ) -> Result<ReplicaOptions, Failure> {
        Err(no_files())
    }

    /// Converts everything except the callbacks and the file.
    fn checked(&self, call: &Call) -> Result<ReplicaOptions, Failure> {
        if self.flags & !(POLICYSYNC_ANY_LABEL | POLICYSYNC_DANGEROUSLY_UNVERIFIED) != 0 {
            return Err(Failure::argument(format!(
                "options.flags is {:#x}, which is not defined",
                self.flags
            )));
        }
        if self.reserved != 0 {
            return Err(Failure::argument("options.reserved is not 0"));
        }
        let mut options = ReplicaOptions::new().keys(self.known(call)?);
        if let Some(key) = call.optional(self.key) {
            options = options.write_as(key.copy()?);
        }
        if let Some(space) = self.space(call)? {
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
    Ok(match std::num::NonZeroUsize::new(crate::ffi::glue::boundary::to_usize(threads)) {
        Some(threads) => options.threads(threads),
        None => options,
    })
}

#[cfg(not(feature = "parallel"))]
fn threads(options: ReplicaOptions, threads: u32) -> Result<ReplicaOptions, Failure> {
    if threads > 1 {
        let message = format!("{threads} threads need a library built with the feature parallel");
        return Err(Failure::new(
            crate::ffi::glue::status::policysync_status_code::POLICYSYNC_ERR_UNSUPPORTED,
            message,
        ));
    }
    Ok(options)
}

/// Returns the failure of a library without the feature `sqlite`.
#[cfg(not(feature = "sqlite"))]
pub(in crate::ffi) fn no_files() -> Failure {
    let message = "a file needs a library built with the feature sqlite";
    Failure::new(crate::ffi::glue::status::policysync_status_code::POLICYSYNC_ERR_UNSUPPORTED, message)
}

/// Converts a path from C.
pub(in crate::ffi) fn path_of(bytes: &[u8], name: &str) -> Result<PathBuf, Failure> {
    if bytes.is_empty() || bytes.contains(&0) {
        return Err(Failure::argument(format!("{name} is empty or contains NUL")));
    }
    #[cfg(unix)]
    let path = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes);
    #[cfg(not(unix))]
    let path = crate::ffi::glue::boundary::utf8(bytes, name)?;
    Ok(path.into())
}

#[cfg(feature = "sqlite")]
impl policysync_durability {
    #[expect(clippy::as_conversions, reason = "an enum without fields is its number")]
    fn from_number(number: u32) -> Result<crate::store::Durability, Failure> {
        const FULL: u32 = policysync_durability::POLICYSYNC_DURABILITY_FULL as u32;
        const PROCESS_ONLY: u32 = policysync_durability::POLICYSYNC_DURABILITY_PROCESS_ONLY as u32;
        match number {
            FULL => Ok(crate::store::Durability::Full),
            PROCESS_ONLY => Ok(crate::store::Durability::ProcessOnly),
            _ => Err(Failure::argument(format!("options.durability is {number}, which is not defined"))),
        }
    }
}
