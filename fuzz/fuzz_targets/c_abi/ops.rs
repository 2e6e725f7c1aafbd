//! Operations without a replica.

use std::ptr::null;

use policysync_fuzz::{Input, keys};

use crate::World;
use crate::api::*;
use crate::layout::{COp, Field, Timestamp};
use crate::script::{bytes, field, format, good, now, op_bytes};
use crate::told::{JUNK, Told, buffer, fixed, said};

impl World {
    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn hlc(&mut self, input: &mut Input<'_>) {
        // SAFETY: handles live or are NULL, and so do the targets of pointers, as far as the library may read.
        unsafe {
            let last = Timestamp { t: input.long() >> input.below(64), c: u32::MAX, reserved: 0 };
            let last = if input.below(4) == 0 { null() } else { &raw const last };
            let now = now(input);
            let mut out = Timestamp { t: JUNK, c: 0, reserved: 0 };
            let mut told = Told::new(input);
            said!(told, policysync_hlc_now(last, now, &raw mut out, told.at()));
        }
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn sign(&mut self, input: &mut Input<'_>) {
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
        let (key, format) = (self.keys.pick(input), format(input));
        let op = if input.below(16) == 15 { null() } else { &raw const op };
        let signed = buffer(input, |out, err| unsafe { policysync_op_sign(op, key, format, out, err) });
        if !signed.is_empty() {
            let read =
                policysync::SignedOp::from_json(&signed).or(policysync::SignedOp::from_binary(&signed));
            assert!(read.is_ok(), "{read:?}");
        }
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn verify(&mut self, input: &mut Input<'_>) {
        // SAFETY: handles live or are NULL, and so do the targets of pointers, as far as the library may read.
        unsafe {
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
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn convert(&mut self, input: &mut Input<'_>) {
        // SAFETY: handles live or are NULL, and so do the targets of pointers, as far as the library may read.
        unsafe {
            let (op, format) = (op_bytes(input), format(input));
            buffer(input, |out, err| policysync_op_convert(op.as_ptr().cast(), op.len(), format, out, err));
        }
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn hash(&mut self, input: &mut Input<'_>) {
        // SAFETY: handles live or are NULL, and so do the targets of pointers, as far as the library may read.
        unsafe {
            let op = op_bytes(input);
            let data = bytes(input);
            let mut random = [0x5A_u8; 32];
            assert_eq!(policysync_random32(random.as_mut_ptr(), std::ptr::null_mut()), 0);
            assert_ne!(random, [0x5A; 32]);
            fixed(input, [0x5A_u8; 32], |out, err| {
                policysync_op_hash(op.as_ptr().cast(), op.len(), out.cast(), err)
            });
            fixed(input, [0x5A_u8; 32], |out, err| policysync_sha256(data.data, data.len, out.cast(), err));
        }
    }
}
