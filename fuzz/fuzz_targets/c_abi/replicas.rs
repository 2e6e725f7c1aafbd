//! Replicas: opening, keys, clocks, digests.

use std::ptr::{null, null_mut};

use policysync_fuzz::{Input, NOW, keys};

use crate::World;
use crate::api::*;
use crate::callbacks::{callback, changed, check, context, tell};
use crate::layout::{Bytes, Changed, Check, Digest, Options, PublicKey, Tell, Timestamp};
use crate::script::{bytes, good, now, path};
use crate::told::{JUNK, Told, buffer, fixed, handle, said};

/// The size without members of a newer program.
const FULL: u32 = (size_of::<Options>() - 8) as u32;
static SEAL_KEY: [u8; 32] = [9; 32];
static OTHER_SEAL_KEY: [u8; 32] = [7; 32];

/// Options with the targets of their pointers.
pub struct Opening {
    pub options: Options,
    _known: Vec<PublicKey>,
    _earlier: Option<Box<Digest>>,
}

impl Opening {
    /// Keeps the replica in a file.
    pub fn in_file(&mut self, input: &mut Input<'_>, has_clock: bool) {
        let options = &mut self.options;
        options.path = path(input);
        // The machine's clock would differ each time.
        options.now_ms = match input.below(8) {
            0 if has_clock => 0,
            1 => 1 << 53,
            _ => NOW.0,
        };
        options.durability = input.one_of(&[0, 1, 1, 1, 2]);
        options.seal_key = match input.below(4) {
            0 => null(),
            1 => OTHER_SEAL_KEY.as_ptr(),
            _ => SEAL_KEY.as_ptr(),
        };
        if input.below(8) == 7 {
            let struct_size = input.one_of(&[size_of::<Digest>() as u32, 8]);
            let count = u64::from(input.byte());
            let earlier = Box::new(Digest { struct_size, reserved: 0, count, log: [0; 32], state: [0; 32] });
            options.at_least = &raw const *earlier;
            self._earlier = Some(earlier);
        }
    }
}

impl World {
    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn open(&mut self, input: &mut Input<'_>) {
        let mut opening = self.opening(input);
        let is_whole = opening.options.struct_size == FULL;
        let hand = |input: &mut Input<'_>| (is_whole && input.below(2) == 0).then(|| context(input));
        let (for_guard, for_clock, for_observer) = (hand(input), hand(input), hand(input));
        let guard = callback(input, for_guard.unwrap_or(null_mut()), check as Check);
        let clock = callback(input, for_clock.unwrap_or(null_mut()), tell as Tell);
        let observer = callback(input, for_observer.unwrap_or(null_mut()), changed as Changed);
        let options = &mut opening.options;
        options.guard = if for_guard.is_some() { &raw const guard } else { null() };
        options.clock = if for_clock.is_some() { &raw const clock } else { null() };
        options.observer = if for_observer.is_some() { &raw const observer } else { null() };
        if input.below(4) == 1 {
            opening.in_file(input, for_clock.is_some());
        }
        let in_file = opening.options.path.len != 0;
        let options = &raw const opening.options;
        // SAFETY: the options and the targets of their pointers live until the call returns.
        let replica = handle(input, |out, err| unsafe { policysync_replica_open(options, out, err) });
        if in_file {
            self.files_touched = true;
            self.in_files.push(replica);
        }
        self.replicas.keep(replica);
    }

    /// Makes options without callbacks and without a file.
    pub fn opening(&self, input: &mut Input<'_>) -> Opening {
        // SAFETY: all zero is a valid value.
        let mut options: Options = unsafe { std::mem::zeroed() };
        let flags = input.byte();
        let size = match input.below(8) {
            0 => input.one_of(&[0, 7, 8, 9, 40, FULL - 8, FULL + 8]),
            _ => FULL,
        };
        // SAFETY: the struct has the given size.
        assert_eq!(unsafe { policysync_replica_options_init(&raw mut options, size.max(8)) }, 0);
        options.struct_size = size;
        options.key = self.keys.pick(input);
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
        Opening { options, _known: known, _earlier: None }
    }

    /// Registers a key.
    ///
    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn register_key(&mut self, input: &mut Input<'_>) {
        // SAFETY: handles live or are NULL, and so do the targets of pointers, as far as the library may read.
        unsafe {
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
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn poll(&mut self, input: &mut Input<'_>) {
        // SAFETY: handles live or are NULL, and so do the targets of pointers, as far as the library may read.
        unsafe {
            let (replica, now) = (self.replica(input), now(input));
            buffer(input, |out, err| policysync_replica_poll(replica, now, out, err));
        }
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn lists(&mut self, input: &mut Input<'_>) {
        // SAFETY: handles live or are NULL, and so do the targets of pointers, as far as the library may read.
        unsafe {
            let replica = self.replica(input);
            let which = input.below(5);
            let text = buffer(input, |out, err| match which {
                0 => policysync_replica_forks(replica, out, err),
                4 => policysync_replica_report(replica, out, err),
                1 => policysync_replica_actor(replica, out, err),
                2 => policysync_replica_keys(replica, out, err),
                _ => policysync_replica_keys_text(replica, out, err),
            });
            let mut told = Told::new(input);
            let data = text.as_ptr().cast();
            said!(told, policysync_replica_register_text(replica, data, text.len(), told.at()));
        }
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn numbers(&mut self, input: &mut Input<'_>) {
        // SAFETY: handles live or are NULL, and so do the targets of pointers, as far as the library may read.
        unsafe {
            let replica = self.replica(input);
            let (which, now) = (input.below(6), now(input));
            fixed(input, JUNK, |out, err| match which {
                4 => policysync_replica_clock_ahead(replica, now, out, err),
                0 => policysync_replica_held(replica, out, err),
                1 => policysync_replica_next_due(replica, out, err),
                5 => policysync_replica_doubted_clock(replica, out, err),
                2 => policysync_replica_horizon(replica, out, err),
                _ => policysync_replica_position(replica, out, err),
            });
        }
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn clock(&mut self, input: &mut Input<'_>) {
        // SAFETY: handles live or are NULL, and so do the targets of pointers, as far as the library may read.
        unsafe {
            let replica = self.replica(input);
            let mut out = Timestamp { t: JUNK, c: 0, reserved: 0 };
            let mut told = Told::new(input);
            said!(told, policysync_replica_clock(replica, &raw mut out, told.at()));
            if input.below(4) == 0 {
                let now = now(input);
                said!(told, policysync_replica_reset_clock(replica, now, told.at()));
            }
        }
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn digest(&mut self, input: &mut Input<'_>) {
        // SAFETY: handles live or are NULL, and so do the targets of pointers, as far as the library may read.
        unsafe {
            let replica = self.replica(input);
            let full = size_of::<Digest>() as u32;
            let struct_size = input.one_of(&[full, full, 8, 0, full - 1]);
            let mut out = Digest { struct_size, reserved: 0, count: JUNK, log: [1; 32], state: [1; 32] };
            let mut told = Told::new(input);
            let status = said!(told, policysync_replica_digest(replica, &raw mut out, told.at()));
            assert_eq!(out.count == JUNK, status < 0);
        }
    }
}
