//! Sessions, responders and push channels. The script decides where messages go.

use std::ptr::null;

use policysync_fuzz::Input;

use crate::World;
use crate::api::{
    Handle, policysync_push_after, policysync_push_after_responder, policysync_push_next_message,
    policysync_push_receive, policysync_push_waiting, policysync_responder_free, policysync_responder_new,
    policysync_responder_respond, policysync_resume_id, policysync_session_cancel, policysync_session_free,
    policysync_session_new, policysync_session_next_message, policysync_session_progress,
    policysync_session_receive, policysync_session_result, policysync_session_trace,
    policysync_session_unknown_author, policysync_sync_alert, policysync_sync_options_init,
};
use crate::layout::{INGESTED, PROGRESS, RESULT, SyncOptions};
use crate::script::{bytes, now};
use crate::told::{JUNK, Room, Sized, Told, buffer, fixed, handle, said, words};

/// The maximum number of messages and bundles in transit.
const CARRIED: usize = 6;
/// The maximum number of round trips of a session.
const ROUNDS: usize = 12;

impl World {
    /// Adds a message or a bundle in transit.
    pub fn carry(&mut self, message: Vec<u8>) {
        self.messages.push(message);
        if self.messages.len() > CARRIED {
            self.messages.remove(0);
        }
    }

    /// Picks the bytes that arrive: those in transit, unchanged or altered, or the script's own.
    pub fn carried(&self, input: &mut Input<'_>) -> Vec<u8> {
        let choice = input.below(8);
        if choice == 7 || self.messages.is_empty() {
            return input.long_piece().to_vec();
        }
        let last = self.messages.len() - 1;
        let mut message = self.messages[last - input.below(CARRIED).min(last)].clone();
        if choice == 6 {
            let at = input.short() % message.len().max(1);
            match input.below(3) {
                0 => message.truncate(at),
                1 => message.extend_from_slice(input.piece()),
                _ => message.iter_mut().skip(at).take(1).for_each(|byte| *byte = input.byte()),
            }
        }
        message
    }

    /// Makes the options of a session.
    pub fn options(&self, input: &mut Input<'_>) -> Option<SyncOptions> {
        const FULL: u32 = (size_of::<SyncOptions>() - 8) as u32;
        if input.below(4) != 3 {
            return None;
        }
        // SAFETY: all zero is a valid value.
        let mut options: SyncOptions = unsafe { std::mem::zeroed() };
        let size = input.one_of(&[FULL, FULL, FULL, 0, 8, 9, FULL + 8]);
        // SAFETY: the struct has the given size.
        assert_eq!(unsafe { policysync_sync_options_init(&raw mut options, size.max(8)) }, 0);
        options.struct_size = size;
        options.max_message_bytes = input.one_of(&[0, 0, 1, u64::MAX]);
        options.since = self.resumes.pick(input);
        if input.below(2) == 0 {
            options.peer = bytes(input);
        }
        Some(options)
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn new_session(&mut self, input: &mut Input<'_>) {
        let options = self.options(input);
        let options = options.as_ref().map_or(null(), std::ptr::from_ref);
        let (nonce, is_random) = ([input.byte(); 32], input.below(16) == 15);
        // SAFETY: the options live, and the buffers have the given lengths.
        unsafe {
            if input.below(2) == 0 {
                let nonce = if is_random { null() } else { nonce.as_ptr() };
                let session = handle(input, |out, err| policysync_session_new(options, nonce, out, err));
                // Objects with random numbers are not kept, so that a script has the same effect each time.
                if is_random { policysync_session_free(session) } else { self.sessions.keep(session) }
            } else {
                let secret = if is_random { null() } else { nonce.as_ptr() };
                let responder = handle(input, |out, err| policysync_responder_new(options, secret, out, err));
                if is_random {
                    policysync_responder_free(responder);
                } else {
                    self.responders.keep(responder);
                }
            }
        }
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn session(&mut self, input: &mut Input<'_>) {
        let (session, replica) = (self.sessions.pick(input), self.replica(input));
        // SAFETY: handles live, and the message has its own length.
        unsafe {
            match input.below(10) {
                0..2 => {
                    let message =
                        buffer(input, |out, err| policysync_session_next_message(session, replica, out, err));
                    self.carry(message);
                }
                2..4 => {
                    let (now, message) = (now(input), self.carried(input));
                    let (data, len) = (message.as_ptr().cast(), message.len());
                    words::<PROGRESS>(input, |progress, err| {
                        policysync_session_receive(session, replica, now, data, len, progress, err)
                    });
                }
                4 => {
                    words::<PROGRESS>(input, |progress, err| {
                        policysync_session_progress(session, progress, err)
                    });
                }
                5 => self.result(session, input),
                7 => {
                    let (mut told, mut actor, mut kid) =
                        (Told::new(input), Room::new(input), Room::new(input));
                    let index = input.one_of(&[0, 1, 31, u64::MAX]);
                    let (to, err) = ((actor.at(), kid.at()), told.at());
                    let status = policysync_session_unknown_author(session, index, to.0, to.1, err);
                    let status = told.check(status);
                    drop((actor.take(status), kid.take(status)));
                }
                8 => {
                    buffer(input, |out, err| policysync_session_trace(session, out, err));
                }
                6 => {
                    let mut told = Told::new(input);
                    said!(told, policysync_session_cancel(session, told.at()));
                }
                _ => self.sessions.give_up(input),
            }
        }
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    unsafe fn result(&mut self, session: Handle, input: &mut Input<'_>) {
        let mut resume = 1 as Handle;
        let is_wanted = input.below(4) != 3;
        let to = if is_wanted { &raw mut resume } else { std::ptr::null_mut() };
        // SAFETY: the session lives.
        words::<RESULT>(input, |result, err| unsafe { policysync_session_result(session, result, to, err) });
        if is_wanted {
            assert_ne!(resume, 1 as Handle, "the handle is set to NULL first");
            self.resumes.keep(resume);
        }
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn respond(&mut self, input: &mut Input<'_>) {
        let (responder, replica, now) = (self.responders.pick(input), self.replica(input), now(input));
        let message = self.carried(input);
        let (data, len) = (message.as_ptr().cast(), message.len());
        let (mut told, mut answer, mut ingested) =
            (Told::new(input), Room::new(input), Sized::<INGESTED>::new(input));
        let (out, intake_at) = (answer.at(), ingested.at());
        // SAFETY: handles live, and the message has its own length.
        let status = unsafe {
            said!(
                told,
                policysync_responder_respond(responder, replica, now, data, len, out, intake_at, told.at())
            )
        };
        ingested.take(status);
        let answer = answer.take(status);
        self.carry(answer);
        if input.below(2) == 0 {
            let status = if status < 0 { status } else { i32::from(input.byte()) - 200 };
            // SAFETY: the function accepts any number.
            let refusal = buffer(input, |out, err| unsafe { policysync_sync_alert(status, out, err) });
            assert!(refusal.is_empty() || refusal.len() == 2);
            self.carry(refusal);
        }
    }

    /// Runs a session to its end, unless a callback interferes.
    ///
    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn converse(&mut self, input: &mut Input<'_>) {
        let (session, responder) = (self.sessions.pick(input), self.responders.pick(input));
        let ours = self.replica(input);
        let theirs = self.replica(input);
        let now = now(input);
        let mut plain = Input::new(&[]);
        // SAFETY: handles live: those that a callback freed are removed after each call. Messages have their length.
        unsafe {
            for _ in 0..ROUNDS {
                self.call_on(ours);
                let request =
                    buffer(&mut plain, |out, err| policysync_session_next_message(session, ours, out, err));
                self.forget();
                if request.is_empty() || !self.replicas.has(theirs) {
                    break;
                }
                self.call_on(theirs);
                let (data, len) = (request.as_ptr().cast(), request.len());
                let answer = buffer(&mut plain, |out, err| {
                    policysync_responder_respond(
                        responder,
                        theirs,
                        now,
                        data,
                        len,
                        out,
                        std::ptr::null_mut(),
                        err,
                    )
                });
                self.forget();
                self.carry(request);
                if !self.replicas.has(ours) {
                    break;
                }
                self.call_on(ours);
                let (data, len) = (answer.as_ptr().cast(), answer.len());
                words::<PROGRESS>(&mut plain, |progress, err| {
                    policysync_session_receive(session, ours, now, data, len, progress, err)
                });
                self.forget();
                self.carry(answer);
                if !self.replicas.has(ours) {
                    break;
                }
            }
            self.result(session, input);
        }
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn push(&mut self, input: &mut Input<'_>) {
        let (push, replica) = (self.pushes.pick(input), self.replica(input));
        // SAFETY: handles live, and messages have their own lengths.
        unsafe {
            match input.below(8) {
                0..2 => {
                    let resume = self.resumes.pick(input);
                    let options = self.options(input);
                    let options = options.as_ref().map_or(null(), std::ptr::from_ref);
                    let push = handle(input, |out, err| policysync_push_after(resume, options, out, err));
                    self.pushes.keep(push);
                }
                2 => {
                    let (resume, responder) = (self.resumes.pick(input), self.responders.pick(input));
                    let mut id = [0x5A; 48];
                    let mut told = Told::new(input);
                    said!(told, policysync_resume_id(resume, id.as_mut_ptr(), told.at()));
                    let id = if input.below(8) == 7 { null() } else { id.as_ptr() };
                    let push = handle(input, |out, err| {
                        policysync_push_after_responder(responder, replica, id, out, err)
                    });
                    self.pushes.keep(push);
                }
                3..5 => {
                    let message =
                        buffer(input, |out, err| policysync_push_next_message(push, replica, out, err));
                    self.carry(message);
                }
                5 => {
                    let (now, message) = (now(input), self.carried(input));
                    let (data, len) = (message.as_ptr().cast(), message.len());
                    words::<INGESTED>(input, |ingested, err| {
                        policysync_push_receive(push, replica, now, data, len, ingested, err)
                    });
                }
                6 => fixed(input, JUNK, |out, err| policysync_push_waiting(push, replica, out, err)),
                _ => {
                    self.pushes.give_up(input);
                    self.resumes.give_up(input);
                    self.responders.give_up(input);
                }
            }
        }
    }
}
