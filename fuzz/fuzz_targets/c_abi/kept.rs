//! What is kept of sessions over a restart: of either side, in bytes, which come back as they were, changed, or not at all.

use std::ptr::null;

use policysync_fuzz::Input;

use crate::World;
use crate::api::{
    policysync_responder_remembered, policysync_responder_restore, policysync_sync_base_from_bytes,
    policysync_sync_base_id, policysync_sync_base_to_bytes,
};
use crate::told::{Told, buffer, handle, said};

static KEY: [u8; 32] = [9; 32];
static OTHER_KEY: [u8; 32] = [7; 32];

fn key(input: &mut Input<'_>) -> *const u8 {
    match input.below(8) {
        7 => null(),
        6 => OTHER_KEY.as_ptr(),
        _ => KEY.as_ptr(),
    }
}

impl World {
    /// # Safety
    ///
    /// As of [`World::call`].
    pub unsafe fn kept(&mut self, input: &mut Input<'_>) {
        // SAFETY: as promised.
        unsafe {
            match input.below(4) {
                0 => self.write_base(input),
                1 => self.read_base(input),
                2 => self.write_remembered(input),
                _ => self.read_remembered(input),
            }
        }
    }

    /// # Safety
    ///
    /// As of [`World::call`].
    unsafe fn write_base(&mut self, input: &mut Input<'_>) {
        let (base, replica, key) = (self.bases.pick(input), self.replica(input), key(input));
        // SAFETY: handles live or are NULL; so many bytes are there.
        unsafe {
            let bytes = buffer(input, |out, err| policysync_sync_base_to_bytes(base, replica, key, out, err));
            if bytes.is_empty() {
                return;
            }
            let mut plain = Input::new(&[]);
            let (data, len) = (bytes.as_ptr().cast(), bytes.len());
            let again = handle(&mut plain, |out, err| {
                policysync_sync_base_from_bytes(data, len, replica, key, out, err)
            });
            let ids = [base, again].map(|base| {
                let mut id = [0x5A; 48];
                let mut told = Told::new(&mut plain);
                assert_eq!(said!(told, policysync_sync_base_id(base, id.as_mut_ptr(), told.at())), 0);
                id
            });
            assert_eq!(ids[0], ids[1]);
            self.bases.keep(again);
            self.carry(bytes);
        }
    }

    /// # Safety
    ///
    /// As of [`World::call`].
    unsafe fn read_base(&mut self, input: &mut Input<'_>) {
        let (bytes, replica, key) = (self.carried(input), self.replica(input), key(input));
        let (data, len) = (bytes.as_ptr().cast(), bytes.len());
        // SAFETY: handles live or are NULL; so many bytes are there.
        let base = handle(input, |out, err| unsafe {
            policysync_sync_base_from_bytes(data, len, replica, key, out, err)
        });
        self.bases.keep(base);
    }

    /// # Safety
    ///
    /// As of [`World::call`].
    unsafe fn write_remembered(&mut self, input: &mut Input<'_>) {
        let (responder, replica) = (self.responders.pick(input), self.replica(input));
        // SAFETY: handles live or are NULL; so many bytes are there.
        unsafe {
            let bytes =
                buffer(input, |out, err| policysync_responder_remembered(responder, replica, out, err));
            if bytes.is_empty() {
                return;
            }
            let (data, len) = (bytes.as_ptr().cast(), bytes.len());
            let mut told = Told::new(&mut Input::new(&[]));
            let status = said!(told, policysync_responder_restore(responder, replica, data, len, told.at()));
            assert_eq!(status, 0, "it does not know its own");
            self.carry(bytes);
        }
    }

    /// # Safety
    ///
    /// As of [`World::call`].
    unsafe fn read_remembered(&mut self, input: &mut Input<'_>) {
        let (bytes, responder, replica) =
            (self.carried(input), self.responders.pick(input), self.replica(input));
        let (data, len) = (bytes.as_ptr().cast(), bytes.len());
        let mut told = Told::new(input);
        // SAFETY: handles live or are NULL; so many bytes are there.
        unsafe { said!(told, policysync_responder_restore(responder, replica, data, len, told.at())) };
    }
}
