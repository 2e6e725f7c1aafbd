//! Resumption data of both sides, encoded and decoded unchanged, altered or not at all.

use std::ptr::null;

use policysync_fuzz::Input;

use crate::World;
use crate::api::{
    policysync_responder_resume_from_bytes, policysync_responder_resume_to_bytes,
    policysync_resume_from_bytes, policysync_resume_id, policysync_resume_to_bytes,
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
    /// As for [`World::call`].
    pub unsafe fn kept(&mut self, input: &mut Input<'_>) {
        // SAFETY: by the contract of this function.
        unsafe {
            match input.below(4) {
                0 => self.write_resume(input),
                1 => self.read_resume(input),
                2 => self.write_responder_resume(input),
                _ => self.read_responder_resume(input),
            }
        }
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    unsafe fn write_resume(&mut self, input: &mut Input<'_>) {
        let (resume, replica, key) = (self.resumes.pick(input), self.replica(input), key(input));
        // SAFETY: handles live or are NULL; the buffers have the given lengths.
        unsafe {
            let bytes = buffer(input, |out, err| policysync_resume_to_bytes(resume, replica, key, out, err));
            if bytes.is_empty() {
                return;
            }
            let mut plain = Input::new(&[]);
            let (data, len) = (bytes.as_ptr().cast(), bytes.len());
            let again = handle(&mut plain, |out, err| {
                policysync_resume_from_bytes(data, len, replica, key, out, err)
            });
            let ids = [resume, again].map(|resume| {
                let mut id = [0x5A; 48];
                let mut told = Told::new(&mut plain);
                assert_eq!(said!(told, policysync_resume_id(resume, id.as_mut_ptr(), told.at())), 0);
                id
            });
            assert_eq!(ids[0], ids[1]);
            self.resumes.keep(again);
            self.carry(bytes);
        }
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    unsafe fn read_resume(&mut self, input: &mut Input<'_>) {
        let (bytes, replica, key) = (self.carried(input), self.replica(input), key(input));
        let (data, len) = (bytes.as_ptr().cast(), bytes.len());
        // SAFETY: handles live or are NULL; the buffers have the given lengths.
        let resume = handle(input, |out, err| unsafe {
            policysync_resume_from_bytes(data, len, replica, key, out, err)
        });
        self.resumes.keep(resume);
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    unsafe fn write_responder_resume(&mut self, input: &mut Input<'_>) {
        let (responder, replica) = (self.responders.pick(input), self.replica(input));
        // SAFETY: handles live or are NULL; the buffers have the given lengths.
        unsafe {
            let bytes =
                buffer(input, |out, err| policysync_responder_resume_to_bytes(responder, replica, out, err));
            if bytes.is_empty() {
                return;
            }
            let (data, len) = (bytes.as_ptr().cast(), bytes.len());
            let mut told = Told::new(&mut Input::new(&[]));
            let status =
                said!(told, policysync_responder_resume_from_bytes(responder, replica, data, len, told.at()));
            assert_eq!(status, 0, "it rejects its own data");
            self.carry(bytes);
        }
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    unsafe fn read_responder_resume(&mut self, input: &mut Input<'_>) {
        let (bytes, responder, replica) =
            (self.carried(input), self.responders.pick(input), self.replica(input));
        let (data, len) = (bytes.as_ptr().cast(), bytes.len());
        let mut told = Told::new(input);
        // SAFETY: handles live or are NULL; the buffers have the given lengths.
        unsafe {
            said!(told, policysync_responder_resume_from_bytes(responder, replica, data, len, told.at()))
        };
    }
}
