//! Two real sides over a channel that changes, cuts, repeats, delays and drops messages.
//!
//! The input chooses the sets of operations and the faults. Sessions end within bounds. No operation is lost, and a
//! verifying side admits only signed operations. A side that reports convergence is right about its peer. After the channel
//! is repaired, one session gives both sides all operations.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policysync::sync::SessionResult;
use policysync::{Replica, SignedOp, SyncError, SyncOptions, SyncSession};
use policysync_fuzz::sync::{POOL, VERIFIED, converge, fill, nonce, pool, responder, signed};
use policysync_fuzz::{Input, NOW, check_error, check_fold, check_same, hashes, reader, relay};

/// The most messages in both directions together.
const MAX_CARRIED: usize = 400;

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let is_blind = input.byte() % 4 == 3;
    let [mut ours, mut theirs] = sides(&mut input, is_blind);
    let before = (hashes(&ours), hashes(&theirs));
    // The second session resumes the first, if that converged.
    let first = talk(&mut ours, &mut theirs, &mut input, SyncOptions::new(), 1);
    if let Ok(SessionResult::Converged { resume: Some(base), .. }) = first {
        _ = talk(&mut ours, &mut theirs, &mut input, SyncOptions::new().resume(base), 2);
    }
    let after = (hashes(&ours), hashes(&theirs));
    assert!(before.0.is_subset(&after.0) && before.1.is_subset(&after.1), "something is lost");
    if !is_blind {
        assert!(after.0.is_subset(signed()) && after.1.is_subset(signed()), "something nobody signed");
    }
    converge(&mut ours, &mut theirs);
    ours.poll(NOW).unwrap();
    theirs.poll(NOW).unwrap();
    check_same(&ours, &theirs);
    if !is_blind {
        check_fold(&ours);
    }
});

fn sides(input: &mut Input<'_>, is_blind: bool) -> [Replica; 2] {
    let count = if is_blind { POOL } else { VERIFIED };
    let bits: [&[u8]; 2] = [input.take(6), input.take(6)];
    bits.map(|bits| {
        // The bits of the input, repeated.
        let holds = |n: usize| match bits.len() {
            0 => true,
            len => bits[n / 8 % len] >> (n % 8) & 1 == 1,
        };
        let ops: Vec<&SignedOp> =
            pool()[..count].iter().enumerate().filter(|(n, _)| holds(*n)).map(|(_, op)| op).collect();
        let mut replica = if is_blind { relay() } else { reader() };
        fill(&mut replica, &ops);
        replica
    })
}

fn talk(
    ours: &mut Replica,
    theirs: &mut Replica,
    input: &mut Input<'_>,
    options: SyncOptions,
    number: u8,
) -> Result<SessionResult, SyncError> {
    let mut session = SyncSession::new(options, nonce(number));
    let mut responder = responder();
    let mut channel = Channel::default();
    while let Some(request) = session.next_message(ours)? {
        loop {
            let request = channel.carry(request.clone(), input);
            let answer = match responder.respond(theirs, NOW, &request) {
                Ok(reply) => reply.message,
                Err(error) => {
                    check_error(&error);
                    error.to_alert()
                }
            };
            let answer = channel.carry(answer, input);
            match session.receive(ours, NOW, &answer) {
                Ok(_) => break,
                // An answer to another message: the request is sent again.
                Err(SyncError::Stray) => {}
                Err(error) => {
                    check_error(&error);
                    return Err(error);
                }
            }
        }
    }
    let finish = session.result().cloned().expect("it is over");
    if finish.is_converged() && !ours.accepts_unverified() {
        assert!(hashes(ours).is_subset(&hashes(theirs)), "we think that the peer holds what it does not");
    }
    Ok(finish)
}

#[derive(Default)]
struct Channel {
    carried: Vec<Vec<u8>>,
}

impl Channel {
    fn carry(&mut self, mut message: Vec<u8>, input: &mut Input<'_>) -> Vec<u8> {
        assert!(self.carried.len() < MAX_CARRIED, "it does not end");
        self.carried.push(message.clone());
        for _ in 0..input.below(4) {
            let at = input.short() % message.len().max(1);
            match input.below(10) {
                0 => message.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << input.below(8)),
                1 => message.iter_mut().skip(at).take(1).for_each(|byte| *byte = input.byte()),
                2 => message.truncate(at),
                3 => message.insert(at, input.byte()),
                4 => drop(message.drain(at..(at + 1 + input.below(8)).min(message.len()))),
                5 => message = self.carried[input.below(self.carried.len().min(256))].clone(),
                6 => message.iter_mut().skip(at).take(8).for_each(|byte| *byte = byte.wrapping_add(1)),
                7 => {
                    let piece = message[at..(at + 8).min(message.len())].to_vec();
                    let to = input.short() % (message.len() + 1);
                    message.splice(to..to, piece);
                }
                8 => message.extend_from_slice(input.piece()),
                _ => message = input.piece().to_vec(),
            }
        }
        message
    }
}
