//! Key pairs.

use std::ptr::null;

use policysync_fuzz::{Input, keys};

use crate::World;
use crate::api::{
    policysync_key_actor, policysync_key_expose_seed, policysync_key_free, policysync_key_from_seed,
    policysync_key_generate, policysync_key_kid, policysync_key_public,
};
use crate::layout::Bytes;
use crate::script::{bytes, good};
use crate::told::{fixed, handle};

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
            assert_eq!(policysync_key_actor(key).is_null(), key.is_null());
            assert_eq!(policysync_key_kid(key).is_null(), key.is_null());
        }
    }
}
