//! Lines. The script decides where messages go, or they go from one side to the other.

use std::ptr::{null, null_mut};

use policysync_fuzz::Input;

use crate::World;
use crate::api::{
    Handle, policysync_line_initiator_free, policysync_line_initiator_is_pushing,
    policysync_line_initiator_new, policysync_line_initiator_next_message,
    policysync_line_initiator_progress, policysync_line_initiator_receive, policysync_line_initiator_result,
    policysync_line_responder_new, policysync_line_responder_next_message, policysync_line_responder_receive,
};
use crate::layout::{PROGRESS, RESULT};
use crate::script::now;
use crate::told::{Told, buffer, handle, said, words};

/// Messages of either side on a line that goes by itself.
const ROUNDS: usize = 12;

/// Both sides of a line, and their replicas.
#[derive(Clone, Copy)]
struct Line {
    caller: Handle,
    ours: Handle,
    answerer: Handle,
    responder: Handle,
    theirs: Handle,
    now: u64,
}

impl World {
    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn line(&mut self, input: &mut Input<'_>) {
        let choice = input.below(12);
        // SAFETY: by the contract of this function.
        unsafe {
            match choice {
                0 => self.new_caller(input),
                1 => {
                    let answerer = handle(input, |out, err| policysync_line_responder_new(out, err));
                    self.answerers.keep(answerer);
                }
                2..10 => {
                    let line = self.pick_line(input);
                    match choice {
                        2 => drop(self.caller_says(line, input)),
                        3 => {
                            let message = self.carried(input);
                            self.caller_hears(line, &message, input);
                        }
                        4 => drop(self.answerer_says(line, input)),
                        5 => {
                            let message = self.carried(input);
                            drop(self.answerer_hears(line, &message, input));
                        }
                        6 => self.ask_caller(line.caller, input),
                        _ => self.talk(line, input),
                    }
                }
                10 => self.callers.give_up(input),
                _ => self.answerers.give_up(input),
            }
        }
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    unsafe fn new_caller(&mut self, input: &mut Input<'_>) {
        let options = self.options(input);
        let options = options.as_ref().map_or(null(), std::ptr::from_ref);
        let (seed, is_random) = ([input.byte(); 32], input.below(16) == 15);
        let seed = if is_random { null() } else { seed.as_ptr() };
        // SAFETY: the options live, and the buffers have the given lengths.
        let caller =
            handle(input, |out, err| unsafe { policysync_line_initiator_new(options, seed, out, err) });
        // Objects with random numbers are not kept, so that a script has the same effect each time.
        if is_random {
            // SAFETY: once.
            unsafe { policysync_line_initiator_free(caller) };
        } else {
            self.callers.keep(caller);
        }
    }

    fn pick_line(&self, input: &mut Input<'_>) -> Line {
        Line {
            caller: self.callers.pick(input),
            ours: self.replicas.pick(input),
            answerer: self.answerers.pick(input),
            responder: self.responders.pick(input),
            theirs: self.replicas.pick(input),
            now: now(input),
        }
    }

    /// # Safety
    ///
    /// The line's handles live or are NULL.
    unsafe fn caller_says(&mut self, line: Line, input: &mut Input<'_>) -> Vec<u8> {
        self.call_on(line.ours);
        // SAFETY: by the contract of this function.
        let message = buffer(input, |out, err| unsafe {
            policysync_line_initiator_next_message(line.caller, line.ours, line.now, out, err)
        });
        self.forget();
        self.carry_if_any(&message)
    }

    /// # Safety
    ///
    /// The line's handles live or are NULL.
    unsafe fn caller_hears(&mut self, line: Line, message: &[u8], input: &mut Input<'_>) {
        self.call_on(line.ours);
        let (data, len) = (message.as_ptr().cast(), message.len());
        let mut told = Told::new(input);
        // SAFETY: by the contract of this function, and the message has its own length.
        unsafe {
            said!(
                told,
                policysync_line_initiator_receive(line.caller, line.ours, line.now, data, len, told.at())
            );
        }
        self.forget();
    }

    /// # Safety
    ///
    /// The line's handles live or are NULL.
    unsafe fn answerer_says(&mut self, line: Line, input: &mut Input<'_>) -> Vec<u8> {
        self.call_on(line.theirs);
        // SAFETY: by the contract of this function.
        let message = buffer(input, |out, err| unsafe {
            policysync_line_responder_next_message(line.answerer, line.theirs, out, err)
        });
        self.forget();
        self.carry_if_any(&message)
    }

    /// Returns the answer, if there is one.
    ///
    /// # Safety
    ///
    /// The line's handles live or are NULL.
    unsafe fn answerer_hears(&mut self, line: Line, message: &[u8], input: &mut Input<'_>) -> Vec<u8> {
        let Line { answerer, responder, theirs, now, .. } = line;
        self.call_on(theirs);
        let (data, len) = (message.as_ptr().cast(), message.len());
        // SAFETY: by the contract of this function, and the message has its own length.
        let answer = buffer(input, |out, err| unsafe {
            policysync_line_responder_receive(answerer, responder, theirs, now, data, len, out, err)
        });
        self.forget();
        self.carry_if_any(&answer)
    }

    fn carry_if_any(&mut self, message: &[u8]) -> Vec<u8> {
        if !message.is_empty() {
            self.carry(message.to_vec());
        }
        message.to_vec()
    }

    /// # Safety
    ///
    /// The caller lives or is NULL.
    unsafe fn ask_caller(&mut self, caller: Handle, input: &mut Input<'_>) {
        let mut resume = 1 as Handle;
        let is_wanted = input.below(4) != 3;
        let to = if is_wanted { &raw mut resume } else { null_mut() };
        // SAFETY: by the contract of this function.
        unsafe {
            words::<PROGRESS>(input, |progress, err| {
                policysync_line_initiator_progress(caller, progress, err)
            });
            words::<RESULT>(input, |result, err| policysync_line_initiator_result(caller, result, to, err));
            if is_wanted {
                assert_ne!(resume, 1 as Handle, "the handle is set to NULL first");
                self.resumes.keep(resume);
            }
            let mut plain = Input::new(&[]);
            let mut told = Told::new(&mut plain);
            let pushing = said!(told, policysync_line_initiator_is_pushing(caller, told.at()));
            let result = words::<RESULT>(&mut plain, |result, err| {
                policysync_line_initiator_result(caller, result, null_mut(), err)
            });
            assert!(pushing != 0 || result.is_some(), "it pushes after a session that has not ended");
        }
    }

    /// Carries messages between the two sides a few times; one of them may be replaced or lost.
    ///
    /// # Safety
    ///
    /// The line's handles live or are NULL.
    unsafe fn talk(&mut self, line: Line, input: &mut Input<'_>) {
        let mut plain = Input::new(&[]);
        let disturbed = input.below(4 * ROUNDS);
        // SAFETY: by the contract of this function; handles that a callback freed are removed before each call.
        unsafe {
            for round in 0..ROUNDS {
                let mut request = self.caller_says(line, &mut plain);
                if round == disturbed {
                    request = self.carried(input);
                }
                if !self.are_there(line) {
                    return;
                }
                let mut answer = Vec::new();
                if !request.is_empty() {
                    answer = self.answerer_hears(line, &request, &mut plain);
                }
                if !self.are_there(line) {
                    return;
                }
                if answer.is_empty() {
                    answer = self.answerer_says(line, &mut plain);
                }
                if round + ROUNDS == disturbed {
                    answer = self.carried(input);
                }
                if !self.are_there(line) {
                    return;
                }
                if !answer.is_empty() {
                    self.caller_hears(line, &answer, &mut plain);
                }
                if !self.are_there(line) || request.is_empty() && answer.is_empty() {
                    return;
                }
            }
        }
    }

    /// Returns true if no callback has freed a replica of the line.
    fn are_there(&self, line: Line) -> bool {
        [line.ours, line.theirs].into_iter().all(|replica| self.replicas.has(replica))
    }
}
