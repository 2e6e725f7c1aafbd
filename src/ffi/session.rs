//! The side of a synchronisation that begins.

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::Arc;

use super::boundary::{Growing, Out, SizedOut, guarded, guarded_or};
use super::buffer::policysync_buffer;
use super::error::{Failure, policysync_error};
use super::random::random;
use super::replica::policysync_replica;
use super::shared::{Entered, Shared};
use super::status::policysync_status;
use super::status::policysync_status_code::{self, *};
use super::sync::{policysync_refusals, policysync_sync_base, policysync_sync_options};
use crate::SyncSession;
use crate::sync::{Progress, SessionResult};
use crate::transport::LineCaller;

/// A session with a peer, from the side that begins it: what to send next, and what to do with the answer. The
/// application carries the bytes, over anything. Between two calls the replica may be written to; what is written
/// during a session waits for the next one. The two are freed in any order. Any thread may use it; calls from several
/// threads wait for each other.
pub struct policysync_session {
    shared: Shared<SyncSession>,
    /// Bytes of the longest message that it takes.
    #[cfg(feature = "http")]
    limit: usize,
}

/// How a session stands: `state` of `policysync_progress` and `policysync_finish`.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum policysync_session_state {
    /// It has not ended yet.
    POLICYSYNC_SESSION_RUNNING = 0,
    /// What this replica held when the session began, and what came in through it, is what the peer held then, and what
    /// it has taken since.
    POLICYSYNC_SESSION_CONVERGED = 1,
    /// The two replicas hold different operations: the progress says what was refused, and by whom.
    POLICYSYNC_SESSION_NOT_CONVERGED = 2,
    /// `policysync_session_cancel` was called.
    POLICYSYNC_SESSION_CANCELLED = 3,
    /// A call failed, and its status says why. What was admitted stays; begin a new session.
    POLICYSYNC_SESSION_FAILED = 4,
}

/// How far a session is: to be shown to people while it runs.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_progress {
    /// `sizeof(policysync_progress)`, set by the caller.
    pub struct_size: u32,
    /// How the session stands: a `policysync_session_state`. It has ended when `policysync_session_next_message` says
    /// that there is nothing more to send.
    pub state: u32,
    /// Operations from the peer that are new in this log.
    pub received: u64,
    /// Operations from the peer that were here already.
    pub known: u64,
    /// Operations from the peer that this replica refused. One that is refused for its signature is asked for again,
    /// and counts no longer when a good copy has come.
    pub refused: policysync_refusals,
    /// Operations that were sent and that the peer has answered for.
    pub sent: u64,
    /// Of these, those that the peer refused.
    pub refused_by_peer: policysync_refusals,
    /// Bytes of all messages that were made.
    pub bytes_sent: u64,
    /// Bytes of all messages that were received.
    pub bytes_received: u64,
    /// Of the bytes sent, those of operations.
    pub op_bytes_sent: u64,
    /// Of the bytes received, those of operations.
    pub op_bytes_received: u64,
    /// Answers that were received.
    pub round_trips: u64,
    /// Operations that are known to be still to be sent.
    pub left_to_send: u64,
    /// Operations that are at least still to be received, by what the peer says it has.
    pub left_to_receive: u64,
}

// SAFETY: `repr(C)`, begins with its size, without padding. Zero is a session that has not begun.
unsafe impl Growing for policysync_progress {
    const FIRST_SIZE: usize = size_of::<Self>();
    const NAME: &'static str = "progress";
}

/// How a session ended.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_finish {
    /// `sizeof(policysync_finish)`, set by the caller.
    pub struct_size: u32,
    /// How it stands: a `policysync_session_state`.
    pub state: u32,
    /// Of a session that converged, the operations that both hold; 0 of others.
    pub count: u64,
    /// Of a session that converged, a digest over the operations that it compared, different for each session: the two
    /// sides of one session have the same when they have the same operations; others tell nothing. Zero of others. To
    /// compare replicas at leisure, see `policysync_replica_digest`.
    pub digest: [u8; 16],
}

// SAFETY: `repr(C)`, begins with its size, without padding. Zero is a session that has not ended.
unsafe impl Growing for policysync_finish {
    const FIRST_SIZE: usize = size_of::<Self>();
    const NAME: &'static str = "finish";
}

/// Makes a session that has not begun.
///
/// `options`: NULL for defaults. Borrowed for the call.
/// `nonce16`: 16 random bytes, new for each session: the safety of what is compared rests on nobody knowing them before
/// it begins. NULL, as is usual, for the library to take them from the system.
/// `out`: the session, to be freed with `policysync_session_free`; NULL when the call fails.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION`,
/// `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
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
        let session = policysync_session {
            #[cfg(feature = "http")]
            limit: options.limit(),
            shared: Shared::new("session", SyncSession::new(options, nonce)),
        };
        out.write(Arc::into_raw(Arc::new(session)).cast_mut());
        Ok(POLICYSYNC_OK)
    })
}

/// The next message for the peer. The first call decides which operations of the replica the session is about. If an
/// answer does not come, send the same message again: a responder answers it again.
///
/// `replica`: the same in every call of a session.
/// `out`: the message. As it was unless the call returns `POLICYSYNC_OK`.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (nothing is left to send: `policysync_session_finish` says how it ended),
/// `POLICYSYNC_ERR_OUT_OF_TURN` (the peer's answer is awaited; nothing has changed), `POLICYSYNC_ERR_NULL`,
/// `POLICYSYNC_ERR_BUSY`, and these, which end the session: `POLICYSYNC_ERR_ENDED` (it has failed already),
/// `POLICYSYNC_ERR_OTHER_REPLICA`, a store failure or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_session_next_message(
    session: MaybeUninit<&mut policysync_session>,
    replica: MaybeUninit<&mut policysync_replica>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let session = call.shared(session, "session")?;
        let replica = call.shared(replica, "replica")?;
        let out = call.buffer(out)?;
        let message = {
            let replica = replica.enter()?;
            session.enter()?.inside.next_message(&replica.inside.replica)?
        };
        Ok(match message {
            Some(message) => {
                out.fill(&message);
                POLICYSYNC_OK
            }
            None => POLICYSYNC_DONE,
        })
    })
}

/// Takes the peer's answer: operations in it are offered to the replica, in one batch. Then ask for the next message.
///
/// `replica`: the same in every call of a session.
/// `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
/// `message`, `message_len`: the answer, whole. Borrowed for the call.
/// `progress`: how far the session is; its `struct_size` is set by the caller. NULL if it is not wanted.
/// `err`: may be NULL. What was admitted before stays, whatever happens.
///
/// Returns `POLICYSYNC_OK`. After these the session is as it was: `POLICYSYNC_ERR_STRAY` (not the answer that is
/// awaited, and it is awaited still), `POLICYSYNC_ERR_OUT_OF_TURN` (none is awaited), `POLICYSYNC_ERR_NULL`,
/// `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION` (`progress->struct_size` is too small) and
/// `POLICYSYNC_ERR_BUSY`; also where the clock fails, `POLICYSYNC_ERR_CALLBACK`. The others end it:
/// `POLICYSYNC_ERR_MALFORMED`, `POLICYSYNC_ERR_LIMIT`, `POLICYSYNC_ERR_PEER_VERSION`, `POLICYSYNC_ERR_WRONG_SPACE`,
/// `POLICYSYNC_ERR_LIE`, `POLICYSYNC_ERR_NO_PROGRESS`, `POLICYSYNC_ERR_FORGOTTEN`, `POLICYSYNC_ERR_REFUSED`,
/// `POLICYSYNC_ERR_ENDED` (it has ended already), `POLICYSYNC_ERR_OTHER_REPLICA`, `POLICYSYNC_ERR_CLOCK`,
/// `POLICYSYNC_ERR_ABORTED` and `POLICYSYNC_ERR_CALLBACK` (the guard), `POLICYSYNC_ERR_FULL`, a store failure or
/// `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
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
        let out = call.optional_growing_out(progress, "progress")?;
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

/// How far the session is.
///
/// `progress`: its `struct_size` is set by the caller.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION` (`struct_size` is too small),
/// `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_session_progress(
    session: MaybeUninit<&mut policysync_session>,
    progress: MaybeUninit<&mut policysync_progress>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let session = call.shared(session, "session")?;
        let out = call.growing_out(progress, "progress")?;
        let progress = session.enter()?.progress();
        out.write(progress);
        Ok(POLICYSYNC_OK)
    })
}

/// How the session ended.
///
/// `finish`: its `struct_size` is set by the caller. As it was unless the call returns `POLICYSYNC_OK`.
/// `base`: what both replicas have in common, for the next session with this peer and for `policysync_push_after`, to
/// be freed with `policysync_sync_base_free`. NULL unless the session converged, and where so much else arrived
/// meanwhile that it is not worth remembering. NULL for the parameter if it is not wanted.
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (it has not ended), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION`
/// (`struct_size` is too small), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_session_finish(
    session: MaybeUninit<&mut policysync_session>,
    finish: MaybeUninit<&mut policysync_finish>,
    base: *mut *mut policysync_sync_base,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let base = call.optional_handle_out(base);
        let session = call.shared(session, "session")?;
        let out = call.growing_out(finish, "finish")?;
        let entered = session.enter()?;
        let state = policysync_session_state::of(&entered.inside);
        if matches!(state, policysync_session_state::POLICYSYNC_SESSION_RUNNING) {
            return Ok(POLICYSYNC_NOT_FOUND);
        }
        write(state, entered.inside.result(), out, base);
        Ok(POLICYSYNC_OK)
    })
}

/// Ends the session. What was admitted stays; a later session goes on from there. Of one that has ended well nothing
/// changes.
///
/// `err`: may be NULL.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since
/// ABI 1.
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

/// Frees a session, whether it has ended or not. NULL is allowed. Any thread, while no other begins a call with
/// `session`; even within a callback. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_session_free(session: *mut policysync_session) {
    guarded_or((), |call| {
        call.release(session);
        None
    });
}

/// How a session of a line ended, if one has.
pub(super) fn write_finish(
    finish: Option<&SessionResult>,
    out: SizedOut<'_, policysync_finish>,
    base: Option<Out<'_, *mut policysync_sync_base>>,
) -> policysync_status_code {
    if finish.is_none() {
        return POLICYSYNC_NOT_FOUND;
    }
    write(policysync_session_state::of_finish(finish), finish, out, base);
    POLICYSYNC_OK
}

fn write(
    state: policysync_session_state,
    finish: Option<&SessionResult>,
    out: SizedOut<'_, policysync_finish>,
    base: Option<Out<'_, *mut policysync_sync_base>>,
) {
    let mut written = policysync_finish { struct_size: 0, state: state.number(), count: 0, digest: [0; 16] };
    if let Some(SessionResult::Converged { digest, count, resume: common }) = finish {
        (written.count, written.digest) = (*count, *digest.as_bytes());
        if let (Some(base), Some(common)) = (base, common) {
            base.write(policysync_sync_base::hand_out(common));
        }
    }
    out.write(written);
}

impl policysync_session {
    #[cfg(feature = "http")]
    pub(super) const fn limit(&self) -> usize {
        self.limit
    }

    pub(super) fn enter(&self) -> Result<Entered<'_, SyncSession>, Failure> {
        self.shared.enter()
    }
}

impl Entered<'_, SyncSession> {
    fn progress(&self) -> policysync_progress {
        policysync_progress::of(self.inside.progress(), policysync_session_state::of(&self.inside))
    }
}

impl policysync_progress {
    /// How far a line is.
    pub(super) fn of_line(line: &LineCaller) -> Self {
        Self::of(*line.progress(), policysync_session_state::of_finish(line.finish()))
    }

    fn of(progress: Progress, state: policysync_session_state) -> Self {
        Self {
            struct_size: 0,
            state: state.number(),
            received: progress.received.new_ops(),
            known: progress.received.duplicates,
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
            finish => Self::of_finish(finish),
        }
    }

    fn of_finish(finish: Option<&SessionResult>) -> Self {
        match finish {
            Some(SessionResult::Converged { .. }) => Self::POLICYSYNC_SESSION_CONVERGED,
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
