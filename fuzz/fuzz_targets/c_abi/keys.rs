//! Key pairs.

use std::ptr::{null, null_mut};

use policysync_fuzz::{Input, keys};

use crate::World;
use crate::api::*;
use crate::layout::Bytes;
use crate::script::{bytes, good};
use crate::told::{buffer, fixed, handle};

impl World {
    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn make_key(&mut self, input: &mut Input<'_>) {
        let number = input.below(2);
        let (actor, kid) = match input.below(4) {
            0 => (bytes(input), bytes(input)),
            _ => (good(["alice", "bob"][number]), Bytes { data: null(), len: 0 }),
        };
        let seed = keys()[number][0].key_pair().expose_seed();
        let seed = if input.below(8) == 7 { null() } else { seed.as_ptr() };
        // SAFETY: 32 bytes, and texts as they are or absurd.
        let key = handle(input, |out, err| unsafe {
            policysync_key_from_seed(actor.data, actor.len, kid.data, kid.len, seed, out, err)
        });
        self.keys.keep(key);
    }

    /// Generates a random key and frees it, so that a script has the same effect each time.
    ///
    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn generate_key(&mut self, input: &mut Input<'_>) {
        let actor = bytes(input);
        // SAFETY: handles live or are NULL, and so do the targets of pointers, as far as the library may read.
        unsafe {
            let key = handle(input, |out, err| policysync_key_generate(actor.data, actor.len, out, err));
            policysync_key_free(key);
        }
    }

    /// Reads texts of keys and seeds.
    ///
    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn read_key_text(&mut self, input: &mut Input<'_>) {
        let (text, phrase) = (bytes(input), bytes(input));
        // SAFETY: handles live or are NULL, and so do the targets of pointers, as far as the library may read.
        unsafe {
            match input.below(3) {
                0 => fixed(input, [0x5A_u8; 32], |out, err| {
                    policysync_public_key_from_text(
                        text.data,
                        text.len,
                        null_mut(),
                        null_mut(),
                        out.cast(),
                        err,
                    )
                }),
                1 => fixed(input, [0x5A_u8; 32], |out, err| {
                    policysync_seed_from_paper(text.data, text.len, out.cast(), err)
                }),
                // The cost of a text with a valid checksum is up to its author, so only junk is read.
                _ => fixed(input, [0x5A_u8; 32], |out, err| {
                    policysync_seed_unwrap(
                        text.data,
                        text.len.min(8),
                        phrase.data,
                        phrase.len,
                        out.cast(),
                        err,
                    )
                }),
            }
        }
    }

    /// Reads the attributes of a key.
    ///
    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn ask_key(&mut self, input: &mut Input<'_>) {
        // SAFETY: handles live or are NULL, and so do the targets of pointers, as far as the library may read.
        unsafe {
            let key = self.keys.pick(input);
            fixed(input, [0x5A_u8; 32], |out, err| policysync_key_public(key, out.cast(), err));
            fixed(input, [0x5A_u8; 32], |out, err| policysync_key_expose_seed(key, out.cast(), err));
            fixed(input, [0x5A_u8; 75], |out, err| policysync_key_expose_paper(key, out.cast(), err));
            buffer(input, |out, err| policysync_key_public_text(key, out, err));
            let (phrase, cost) = (bytes(input), input.one_of(&[1, 1, 0, 17]));
            let wrapped = buffer(input, |out, err| {
                policysync_key_wrap_seed(key, phrase.data, phrase.len, cost, 8, out, err)
            });
            if !wrapped.is_empty() {
                let text = wrapped.as_ptr().cast();
                fixed(input, [0x5A_u8; 32], |out, err| {
                    policysync_seed_unwrap(text, wrapped.len(), phrase.data, phrase.len, out.cast(), err)
                });
            }
            assert_eq!(policysync_key_actor(key).is_null(), key.is_null());
            assert_eq!(policysync_key_kid(key).is_null(), key.is_null());
        }
    }
}
