//! How a replica is opened.

use std::mem::MaybeUninit;
use std::path::PathBuf;

use super::boundary::{Call, Growing, guarded};
use super::buffer::policysync_bytes;
use super::clock::{self, policysync_clock};
use super::error::Failure;
use super::guard::{self, policysync_guard};
use super::key::{policysync_key, public_key_of};
use super::observer::{self, policysync_observer};
use super::read::policysync_digest;
use super::status::policysync_status;
use super::status::policysync_status_code::POLICYSYNC_OK;
use crate::replica::Labels;
use crate::{KeyRegistry, ReplicaOptions, WallMillis};

/// A flag of a replica: operations may carry any `id`. Without it, an `id` must be `actor:t:c`.
pub const POLICYSYNC_ANY_LABEL: u32 = 1;

/// A flag of a replica: operations are admitted **without checking any signature**, whoever made them. Only for a relay
/// that stores for others and knows no keys; what it serves must be verified by whoever fetches it. The guard, too,
/// sees operations that nobody has verified.
pub const POLICYSYNC_DANGEROUSLY_UNVERIFIED: u32 = 2;

/// What a write to a file that was acknowledged survives: `durability` of `policysync_replica_options`.
#[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "of the header only"))]
#[derive(Clone, Copy)]
#[repr(C)]
pub enum policysync_durability {
    /// A crash of the process or the system, and a loss of power.
    POLICYSYNC_DURABILITY_FULL = 0,
    /// A crash of the process only. When the system or the power fails, the **last writes may be gone, although they
    /// were acknowledged and may have been sent to others**; what is left is undamaged. A device that loses writes of
    /// its own this way can be made to say two things at one time: give it a new key and actor after such a failure. It
    /// saves a wait for the disk with every call that writes.
    POLICYSYNC_DURABILITY_PROCESS_ONLY = 1,
}

/// A public key, and whose it is. It stays as it is for as long as the ABI number does.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_public_key {
    /// Whose key it is; 1 to 1024 bytes of UTF-8.
    pub actor: policysync_bytes,
    /// Which of the actor's keys it is; empty for the kid that is derived from the key.
    pub kid: policysync_bytes,
    /// The key.
    pub public_key: [u8; 32],
}

/// How a replica is opened. Zero in every member but the first is the default, and what an older program does not know
/// is zero. Begin with `policysync_replica_options_init`. All pointers are borrowed for the call that takes the
/// options; what `guard`, `clock` and `observer` point to is copied, and their contexts are taken over.
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
    /// How many threads verify signatures and, in a large batch, look up what the operations are about. They live as
    /// long as a call; 0 and 1 for the caller's alone. More need a library built with the feature `parallel`; the guard
    /// is still called on the caller's thread.
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
    /// The keys that are known from the start, `keys_stride` bytes from one to the next:
    /// `sizeof(policysync_public_key)`. A file that is opened without its `seal_key` needs those of all that have
    /// written in it; for others `policysync_replica_register_key` does as well. NULL for none.
    pub keys: *const policysync_public_key,
    /// How many bytes from one key to the next.
    pub keys_stride: usize,
    /// How many keys there are.
    pub keys_count: usize,
    /// The file that the replica is kept in, which is made where there is none: UTF-8, on Unix any bytes, without NUL.
    /// Empty for a replica in memory. Needs a library built with the feature `sqlite`, which is a default.
    ///
    /// One process, and in it one replica, has a file open; for others it is `POLICYSYNC_ERR_LOCKED`. SQLite keeps a
    /// second file beside it while it is open (`-wal`). Leave both alone meanwhile: on Unix, a process that opens and
    /// closes the file in another way gives up its lock. To copy it, use `policysync_replica_back_up`.
    pub path: policysync_bytes,
    /// The present time: operations in the file that are stamped later than this and the drift are held. Milliseconds
    /// since 1970; 0 and `POLICYSYNC_NOW` for the clock. Like all that follows, not looked at without a path.
    pub now_ms: u64,
    /// What an acknowledged write to the file survives: a `policysync_durability`.
    pub durability: u32,
    /// 0.
    pub reserved_2: u32,
    /// Seals the file: 32 secret bytes that whoever can write to it does not know, from the platform's key store. A
    /// keyed digest over all operations, renewed with every write, then proves at the next opening that they were
    /// verified before, which saves a curve operation each. A file that has no seal yet is verified and sealed. A
    /// replica that is opened without the key verifies signatures, and its first write takes the seal away. With
    /// another key than that which sealed the file, opening gives `POLICYSYNC_ERR_CORRUPT`, and the message names the
    /// seal; where the key is lost, open without one. Not together with `POLICYSYNC_DANGEROUSLY_UNVERIFIED`. NULL for
    /// none. It is copied.
    pub seal_key: *const u8,
    /// Refuses a file that holds less than it once did (`POLICYSYNC_ERR_ROLLED_BACK`): the digest of this replica at an
    /// earlier time, of which `count` and `log` are looked at, kept where whoever can replace the file cannot. Without
    /// it nothing in an old copy of the file shows that it is old. NULL for none.
    pub at_least: *const policysync_digest,
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
        if let Some(path) = options.file(call)? {
            replica = options.in_file(call, replica, path, clock.as_ref())?;
        }
        let guard_failed = guard.as_ref().map(guard::Callback::failed).unwrap_or_default();
        if let Some(guard) = guard {
            replica = replica.guard(guard);
        }
        Ok(Self { replica, guard_failed, clock, observer })
    }
}

impl policysync_replica_options {
    pub(super) fn space<'c>(&self, call: &'c Call) -> Result<Option<&'c str>, Failure> {
        let space = self.space.text(call, "options.space")?;
        Ok((!space.is_empty()).then_some(space))
    }

    /// The file, if there is to be one.
    pub(super) fn file(&self, call: &Call) -> Result<Option<PathBuf>, Failure> {
        let path = self.path.get(call, "options.path")?;
        if path.is_empty() { Ok(None) } else { path_of(path, "options.path").map(Some) }
    }

    /// The keys that are handed over.
    fn known(&self, call: &Call) -> Result<KeyRegistry, Failure> {
        let mut known = KeyRegistry::new();
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

    /// The same, and the replica's own.
    #[cfg(feature = "sqlite")]
    pub(super) fn registry(&self, call: &Call) -> Result<KeyRegistry, Failure> {
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
        clock: Option<&clock::Callback>,
    ) -> Result<ReplicaOptions, Failure> {
        if self.reserved_2 != 0 {
            return Err(Failure::argument("options.reserved_2 is not 0"));
        }
        let durability = policysync_durability::from_number(self.durability)?;
        let now_ms = if self.now_ms == 0 { clock::POLICYSYNC_NOW } else { self.now_ms };
        let mut options = options.path(path, clock::now(now_ms, clock)?).durability(durability);
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
        _: Option<&clock::Callback>,
    ) -> Result<ReplicaOptions, Failure> {
        Err(no_files())
    }

    /// All but the callbacks and the file.
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

/// Why there is no file, in a library without a database.
#[cfg(not(feature = "sqlite"))]
pub(super) fn no_files() -> Failure {
    let message = "a file needs a library built with the feature sqlite";
    Failure::new(super::status::policysync_status_code::POLICYSYNC_ERR_UNSUPPORTED, message)
}

/// A path as C gives it.
pub(super) fn path_of(bytes: &[u8], name: &str) -> Result<PathBuf, Failure> {
    if bytes.is_empty() || bytes.contains(&0) {
        return Err(Failure::argument(format!("{name} is empty, or there is a NUL in it")));
    }
    #[cfg(unix)]
    let path = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes);
    #[cfg(not(unix))]
    let path = super::boundary::utf8(bytes, name)?;
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
            _ => Err(Failure::argument(format!("options.durability is {number}, which means nothing"))),
        }
    }
}
