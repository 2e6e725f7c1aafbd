//! The session, on the side that initiates it.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use crate::SyncSession;
use crate::crypto::random;
use crate::ffi::glue::boundary::{Out, free_shared, guarded};
use crate::ffi::glue::buffer::policysync_buffer;
use crate::ffi::glue::error::{Failure, policysync_error};
use crate::ffi::glue::growing::{Growing, SizedOut};
use crate::ffi::glue::shared::{Entered, Shared};
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::{self, POLICYSYNC_NOT_FOUND, POLICYSYNC_OK};
use crate::ffi::replica::ask::next_message;
use crate::ffi::replica::handle::policysync_replica;
use crate::ffi::sync::options::policysync_sync_options;
use crate::ffi::sync::resume::policysync_resume;
use crate::ffi::types::counts::policysync_refusals;
use crate::sync::{Progress, Refusals, SessionResult, SessionTrace};
use crate::transport::LineInitiator;

/// A session with a peer, on the side that initiates it. It makes the messages to send and processes the answers; the
/// application carries the bytes over any transport. The replica may be written to between two calls; such writes are
/// left to the next session. The two are freed in any order.
pub struct policysync_session {
    shared: Shared<SyncSession>,
    trace: SessionTrace,
    /// The maximum length of a message that it accepts.
    #[cfg(feature = "http")]
    limit: usize,
}

/// The state of a session: `state` of `policysync_progress` and `policysync_sync_result`.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum policysync_session_state {
    /// The session has not ended.
    POLICYSYNC_SESSION_RUNNING = 0,
    /// Both replicas hold the same operations: those that either held when the session began and those exchanged by it.
    POLICYSYNC_SESSION_CONVERGED = 1,
    /// The two replicas hold different operations: the progress says how many each side refused.
    POLICYSYNC_SESSION_NOT_CONVERGED = 2,
    /// `policysync_session_cancel` was called.
    POLICYSYNC_SESSION_CANCELLED = 3,
    /// A call failed, and its status says why. Admitted operations stay; start a new session.
    POLICYSYNC_SESSION_FAILED = 4,
    /// Both replicas hold the same operations, except those that one of them refuses: the result counts them by reason.
    POLICYSYNC_SESSION_CONVERGED_EXCEPT = 5,
}

/// The progress of a session, for display.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_progress {
    /// `sizeof(policysync_progress)`, set by the caller.
    pub struct_size: u32,
    /// The state of the session: a `policysync_session_state`. It has ended when `policysync_session_next_message`
    /// returns `POLICYSYNC_DONE`.
    pub state: u32,
    /// Operations from the peer that are new in this log.
    pub received: u64,
    /// Operations from the peer that were in this log already.
    pub duplicates: u64,
    /// Operations from the peer that this replica refused. An operation that is refused for its signature is requested
    /// again, and no longer counts once a valid copy arrives.
    pub refused: policysync_refusals,
    /// Operations that were sent and that the peer has acknowledged.
    pub sent: u64,
    /// Of these, those that the peer refused.
    pub refused_by_peer: policysync_refusals,
    /// Bytes of all messages that were made.
    pub bytes_sent: u64,
    /// Bytes of all messages that were received.
    pub bytes_received: u64,
    /// Bytes of operations among the bytes sent.
    pub op_bytes_sent: u64,
    /// Bytes of operations among the bytes received.
    pub op_bytes_received: u64,
    /// Answers that were received.
    pub round_trips: u64,
    /// Operations that remain to be sent, as far as is known.
    pub left_to_send: u64,
    /// The minimum number of operations that remain to be received, according to the peer.
    pub left_to_receive: u64,
}

// SAFETY: `repr(C)`, begins with its size, without padding. Zero is a session that has not begun.
unsafe impl Growing for policysync_progress {
    const FIRST_SIZE: usize = size_of::<Self>();
    const NAME: &'static str = "progress";
}

/// The result of a session.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_sync_result {
    /// `sizeof(policysync_sync_result)`, set by the caller.
    pub struct_size: u32,
    /// The state of the session: a `policysync_session_state`.
    pub state: u32,
    /// The number of operations that both replicas hold, if the session converged, with or without exceptions;
    /// otherwise 0.
    pub count: u64,
    /// A digest over the compared operations, if the session converged; otherwise zero. It differs from session to
    /// session: it is equal on the two sides of one session that hold the same operations, and useful for nothing else.
    /// To compare replicas at any time, see `policysync_replica_digest`.
    pub digest: [u8; 16],
    /// If the session converged with exceptions, the operations of the peer that this replica refuses, whether they
    /// were transferred or known beforehand to be refused; otherwise zero.
    pub refused: policysync_refusals,
    /// Likewise, the operations of this replica that the peer refuses.
    pub refused_by_peer: policysync_refusals,
}

// SAFETY: `repr(C)`, begins with its size, without padding. Zero is a session that has not ended.
unsafe impl Growing for policysync_sync_result {
    const FIRST_SIZE: usize = size_of::<Self>();
    const NAME: &'static str = "result";
}

/// Creates a session that has not begun.
///
/// `options`: NULL for the defaults.
/// `nonce16`: 16 random bytes, new for each session and unknown to everyone before it begins: the safety of the
/// comparison depends on it. NULL, as is usual, for bytes from the system.
/// `out`: the session, to be freed with `policysync_session_free`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION`,
/// `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_session_new(
    options: *const policysync_sync_options,
    nonce16: *const u8,
    out: MaybeUninit<&mut *mut policysync_session>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.handle_out(out, "out")?;
        let options = policysync_sync_options::take(call, options)?;
        let nonce = match call.optional_bytes(nonce16) {
            Some(nonce) => *nonce,
            None => random()?,
        };
        let trace = SessionTrace::new();
        let session = policysync_session {
            #[cfg(feature = "http")]
            limit: options.limit(),
            shared: Shared::new("session", SyncSession::new(options.trace(&trace), nonce)),
            trace,
        };
        out.write_shared(session);
        Ok(POLICYSYNC_OK)
    })
}

/// Makes the next message for the peer. The first call fixes the set of operations that the session is about. If an
/// answer does not arrive, send the same message again: a responder answers it again.
///
/// `replica`: the same in every call of a session.
/// `out`: the message. Unchanged unless the call returns `POLICYSYNC_OK`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (nothing is left to send: see `policysync_session_result`),
/// `POLICYSYNC_ERR_OUT_OF_TURN` (the peer's answer is awaited; nothing has changed), `POLICYSYNC_ERR_NULL`,
/// `POLICYSYNC_ERR_BUSY`, and these, which end the session: `POLICYSYNC_ERR_ENDED` (it has failed already),
/// `POLICYSYNC_ERR_OTHER_REPLICA`, a store failure or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_session_next_message(
    session: MaybeUninit<&mut policysync_session>,
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let session = call.shared(session, "session")?;
        next_message(call, replica, out, |replica| {
            Ok(session.enter()?.inside.next_message(&replica.inside.replica)?)
        })
    })
}

/// Processes the peer's answer: ingests its operations in one batch. Then ask for the next message.
///
/// `replica`: the same in every call of a session.
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `message`, `message_len`: the whole answer.
/// `progress`: the progress of the session. NULL if it is not wanted.
///
/// Operations that were admitted before a failure stay.
///
/// Returns `POLICYSYNC_OK`. After these the session is unchanged: `POLICYSYNC_ERR_STRAY` (not the awaited answer, which
/// is still awaited), `POLICYSYNC_ERR_OUT_OF_TURN` (none is awaited), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`,
/// `POLICYSYNC_ERR_VERSION` (`progress->struct_size` is too small), `POLICYSYNC_ERR_BUSY`, and
/// `POLICYSYNC_ERR_CALLBACK` of the clock. The others end it: `POLICYSYNC_ERR_MALFORMED`, `POLICYSYNC_ERR_LIMIT`,
/// `POLICYSYNC_ERR_PEER_VERSION`, `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_PROTOCOL`,
/// `POLICYSYNC_ERR_NO_PROGRESS`, `POLICYSYNC_ERR_FORGOTTEN`, `POLICYSYNC_ERR_REFUSED`, `POLICYSYNC_ERR_ENDED` (it has
/// ended already), `POLICYSYNC_ERR_OTHER_REPLICA`, `POLICYSYNC_ERR_CLOCK`, `POLICYSYNC_ERR_ABORTED` and
/// `POLICYSYNC_ERR_CALLBACK` (the guard), `POLICYSYNC_ERR_FULL`, a store failure or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_session_receive(
    session: MaybeUninit<&mut policysync_session>,
    replica: MaybeUninit<&mut policysync_replica>,
    now_ms: u64,
    message: *const c_void,
    message_len: usize,
    progress: *mut policysync_progress,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let session = call.shared(session, "session")?;
        let replica = call.shared(replica, "replica")?;
        let message = call.bytes(message, message_len, "message")?;
        let out = call.optional_growing_out(progress)?;
        let progress = replica.change(now_ms, |replica, now| {
            let mut session = session.enter()?;
            session.inside.receive(replica, now, message)?;
            Ok(session.progress())
        })?;
        if let Some(out) = out {
            out.write(progress);
        }
        Ok(POLICYSYNC_OK)
    })
}

/// Returns the progress of the session.
///
/// `progress`: the progress.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION` (`struct_size` is too small),
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_session_progress(
    session: MaybeUninit<&mut policysync_session>,
    progress: MaybeUninit<&mut policysync_progress>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let session = call.shared(session, "session")?;
        let out = call.growing_out(progress)?;
        let progress = session.enter()?.progress();
        out.write(progress);
        Ok(POLICYSYNC_OK)
    })
}

/// Returns the result of the session.
///
/// `result`: the result. Unchanged unless the call returns `POLICYSYNC_OK`.
/// `resume`: the resumption data for the next session with this peer and for `policysync_push_after`, to be freed with
/// `policysync_resume_free`. NULL unless the session converged, with or without exceptions; also if so much else
/// arrived meanwhile that keeping it is not worthwhile. NULL for the parameter if it is not wanted.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (it has not ended), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION`
/// (`struct_size` is too small), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_session_result(
    session: MaybeUninit<&mut policysync_session>,
    result: MaybeUninit<&mut policysync_sync_result>,
    resume: *mut *mut policysync_resume,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let resume = call.optional_handle_out(resume);
        let session = call.shared(session, "session")?;
        let out = call.growing_out(result)?;
        let entered = session.enter()?;
        let state = policysync_session_state::of(&entered.inside);
        if matches!(state, policysync_session_state::POLICYSYNC_SESSION_RUNNING) {
            return Ok(POLICYSYNC_NOT_FOUND);
        }
        write(state, entered.inside.result(), out, resume);
        Ok(POLICYSYNC_OK)
    })
}

/// Returns an author whose operations were left out or refused because the key is not registered, to ask whether to
/// register it. The author claims to be that actor; nothing proves it.
///
/// `index`: from 0; a session names at most 32 authors.
/// `actor`, `kid`: the actor and the id of its key, in UTF-8. Unchanged unless the call returns `POLICYSYNC_OK`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (there are no more), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or
/// `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_session_unknown_author(
    session: MaybeUninit<&mut policysync_session>,
    index: u64,
    actor: MaybeUninit<&mut policysync_buffer>,
    kid: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let session = call.shared(session, "session")?;
        let (actor, kid) = (call.out(actor, "actor")?, call.out(kid, "kid")?);
        let entered = session.enter()?;
        let authors = entered.inside.unknown_authors();
        let author = usize::try_from(index).ok().and_then(|index| authors.get(index));
        let Some(author) = author else { return Ok(POLICYSYNC_NOT_FOUND) };
        actor.fill(author.actor.as_bytes());
        kid.fill(author.kid.as_bytes());
        Ok(POLICYSYNC_OK)
    })
}

/// Returns what the session has asked, sent, received and refused so far, in counts, bytes and times, without names,
/// values and paths: text for an error report, a line for each request that was answered. It stays after a failure.
///
/// `out`: the text, UTF-8. Unchanged unless the call returns `POLICYSYNC_OK`.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_session_trace(
    session: MaybeUninit<&mut policysync_session>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let session = call.shared(session, "session")?;
        let out = call.buffer(out)?;
        let _entered = session.enter()?;
        out.fill(session.trace.to_string().as_bytes());
        Ok(POLICYSYNC_OK)
    })
}

/// Ends the session. Admitted operations stay, and a later session continues from them. A session that has ended is
/// unchanged.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_session_cancel(
    session: MaybeUninit<&mut policysync_session>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        call.shared(session, "session")?.enter()?.inside.cancel();
        Ok(POLICYSYNC_OK)
    })
}

/// Frees a session, even one that has not ended. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_session_free(session: *mut policysync_session) {
    free_shared(session);
}

/// Writes the result of the last session of a line, if one has ended.
pub(in crate::ffi) fn write_result(
    result: Option<&SessionResult>,
    out: SizedOut<'_, policysync_sync_result>,
    resume: Option<Out<'_, *mut policysync_resume>>,
) -> policysync_status_code {
    if result.is_none() {
        return POLICYSYNC_NOT_FOUND;
    }
    write(policysync_session_state::of_result(result), result, out, resume);
    POLICYSYNC_OK
}

fn write(
    state: policysync_session_state,
    result: Option<&SessionResult>,
    out: SizedOut<'_, policysync_sync_result>,
    resume: Option<Out<'_, *mut policysync_resume>>,
) {
    let mut written = policysync_sync_result {
        struct_size: 0,
        state: state.number(),
        count: 0,
        digest: [0; 16],
        refused: policysync_refusals::of(Refusals::default()),
        refused_by_peer: policysync_refusals::of(Refusals::default()),
    };
    match result {
        Some(SessionResult::Converged { digest, count, .. }) => {
            (written.count, written.digest) = (*count, *digest.as_bytes());
        }
        Some(SessionResult::ConvergedExcept { digest, count, refused, refused_by_peer, .. }) => {
            (written.count, written.digest) = (*count, *digest.as_bytes());
            written.refused = policysync_refusals::of(*refused);
            written.refused_by_peer = policysync_refusals::of(*refused_by_peer);
        }
        Some(SessionResult::NotConverged { .. } | SessionResult::Cancelled) | None => {}
    }
    if let (Some(resume), Some(token)) = (resume, result.and_then(SessionResult::resume_token)) {
        resume.write_owned(policysync_resume::new(token.clone()));
    }
    out.write(written);
}

impl policysync_session {
    #[cfg(feature = "http")]
    pub(in crate::ffi) const fn limit(&self) -> usize {
        self.limit
    }

    pub(in crate::ffi) fn enter(&self) -> Result<Entered<'_, SyncSession>, Failure> {
        self.shared.enter()
    }
}

impl Entered<'_, SyncSession> {
    fn progress(&self) -> policysync_progress {
        policysync_progress::of(self.inside.progress(), policysync_session_state::of(&self.inside))
    }
}

impl policysync_progress {
    /// Returns the progress of a line.
    pub(in crate::ffi) fn of_line(line: &LineInitiator) -> Self {
        Self::of(*line.progress(), policysync_session_state::of_result(line.result()))
    }

    fn of(progress: Progress, state: policysync_session_state) -> Self {
        Self {
            struct_size: 0,
            state: state.number(),
            received: progress.received.new_ops(),
            duplicates: progress.received.duplicates,
            refused: policysync_refusals::of(progress.received.refused),
            sent: progress.sent,
            refused_by_peer: policysync_refusals::of(progress.refused_by_peer),
            bytes_sent: progress.bytes_sent,
            bytes_received: progress.bytes_received,
            op_bytes_sent: progress.op_bytes_sent,
            op_bytes_received: progress.op_bytes_received,
            round_trips: progress.round_trips.into(),
            left_to_send: progress.left_to_send,
            left_to_receive: progress.left_to_receive,
        }
    }
}

impl policysync_session_state {
    fn of(session: &SyncSession) -> Self {
        match session.result() {
            None if session.is_over() => Self::POLICYSYNC_SESSION_FAILED,
            result => Self::of_result(result),
        }
    }

    fn of_result(result: Option<&SessionResult>) -> Self {
        match result {
            Some(SessionResult::Converged { .. }) => Self::POLICYSYNC_SESSION_CONVERGED,
            Some(SessionResult::ConvergedExcept { .. }) => Self::POLICYSYNC_SESSION_CONVERGED_EXCEPT,
            Some(SessionResult::NotConverged { .. }) => Self::POLICYSYNC_SESSION_NOT_CONVERGED,
            Some(SessionResult::Cancelled) => Self::POLICYSYNC_SESSION_CANCELLED,
            None => Self::POLICYSYNC_SESSION_RUNNING,
        }
    }

    #[expect(clippy::as_conversions, reason = "an enum without fields is its number")]
    const fn number(self) -> u32 {
        self as u32
    }
}
