//! Asking a replica.

use std::mem::MaybeUninit;

use crate::Replica;
use crate::ffi::glue::boundary::Call;
use crate::ffi::glue::buffer::policysync_buffer;
use crate::ffi::glue::error::Failure;
use crate::ffi::glue::shared::Entered;
use crate::ffi::glue::status::policysync_status_code::{self, POLICYSYNC_NOT_FOUND, POLICYSYNC_OK};
use crate::ffi::replica::handle::{Inside, policysync_replica};

/// Asks the replica and hands out the answer if there is one.
pub(in crate::ffi) fn ask<A>(
    call: &Call,
    replica: MaybeUninit<&mut policysync_replica>,
    question: impl FnOnce(&Replica) -> Result<Option<A>, Failure>,
    answer: impl FnOnce(A),
) -> Result<policysync_status_code, Failure> {
    let replica = call.shared(replica, "replica")?;
    let found = question(&replica.enter()?.inside.replica)?;
    Ok(match found {
        Some(found) => {
            answer(found);
            POLICYSYNC_OK
        }
        None => POLICYSYNC_NOT_FOUND,
    })
}

/// Asks the replica for a text.
pub(in crate::ffi) fn ask_text(
    call: &Call,
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut policysync_buffer>,
    question: impl FnOnce(&Replica) -> Result<Option<String>, Failure>,
) -> Result<policysync_status_code, Failure> {
    let out = call.buffer(out)?;
    ask(call, replica, question, |text| out.fill(text.as_bytes()))
}

/// Asks the replica for a number.
pub(in crate::ffi) fn ask_number(
    call: &Call,
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut u64>,
    question: impl FnOnce(&Replica) -> Option<u64>,
) -> Result<policysync_status_code, Failure> {
    let out = call.out(out, "out")?;
    ask(call, replica, |replica| Ok(question(replica)), |number| out.write(number))
}

/// Hands out the next message of a session, a push channel or a line, if there is one.
pub(in crate::ffi) fn next_message(
    call: &Call,
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut policysync_buffer>,
    next: impl FnOnce(&Entered<'_, Inside>) -> Result<Option<Vec<u8>>, Failure>,
) -> Result<policysync_status_code, Failure> {
    let replica = call.shared(replica, "replica")?;
    let out = call.buffer(out)?;
    let message = next(&replica.enter()?)?;
    Ok(out.fill_or_done(message))
}
