//! Session resumption.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use crate::ffi::glue::boundary::{free_owned, guarded};
use crate::ffi::glue::buffer::policysync_buffer;
use crate::ffi::glue::error::policysync_error;
use crate::ffi::glue::status::policysync_status;
use crate::ffi::glue::status::policysync_status_code::POLICYSYNC_OK;
use crate::ffi::replica::handle::policysync_replica;
use crate::sync::ResumeToken;

/// Resumption data of a session: the operations that two replicas have in common, which the next session with the same
/// peer leaves out. It is valid for one open replica and one responder; other peers ignore it, and the session starts
/// from the beginning. To keep it across restarts, see `policysync_resume_to_bytes`. It never changes.
pub struct policysync_resume {
    data: ResumeToken,
}

/// Returns the id by which both sides know the session. It is not secret. The application sends it from the initiator
/// to the responder, for `policysync_push_after_responder`.
///
/// `resume`: the resumption data.
/// `out48`: room for 48 bytes.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_resume_id(
    resume: MaybeUninit<&policysync_resume>,
    out48: MaybeUninit<&mut u8>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let resume = call.required(resume, "resume")?;
        call.out_bytes(out48, "out48")?.write(resume.data.id());
        Ok(POLICYSYNC_OK)
    })
}

/// Encodes resumption data in bytes, to be stored beside the replica's file and decoded by
/// `policysync_resume_from_bytes` when that is opened again.
///
/// `resume`: the resumption data.
/// `replica`: the replica of the session, still open.
/// `key32`: 32 random bytes that seal the result; they may be the store's `seal_key`. Anyone who knows them and can
/// write the bytes could make the next session leave out operations that the peer does not have.
/// `out`: the bytes.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_OTHER_REPLICA` (the data does not belong to this replica as it is open
/// now), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_resume_to_bytes(
    resume: MaybeUninit<&policysync_resume>,
    replica: MaybeUninit<&mut policysync_replica>,
    key32: MaybeUninit<&u8>,
    out: MaybeUninit<&mut policysync_buffer>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let resume = call.required(resume, "resume")?;
        let replica = call.shared(replica, "replica")?;
        let key = call.fixed_bytes(key32, "key32")?;
        let out = call.buffer(out)?;
        let bytes = resume.data.to_bytes(&replica.enter()?.inside.replica, key)?;
        out.fill(&bytes);
        Ok(POLICYSYNC_OK)
    })
}

/// Decodes the bytes that `policysync_resume_to_bytes` made for the same replica before it was opened again.
///
/// `bytes`, `bytes_len`: all of the bytes.
/// `replica`: the same replica: its log begins with the same operations in the same order.
/// `key32`: the key that sealed them.
/// `out`: the resumption data, to be freed with `policysync_resume_free`. If the call fails, continue without it: the
/// next session starts from the beginning.
///
/// Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_MALFORMED` (the message says where), `POLICYSYNC_ERR_PEER_VERSION`,
/// `POLICYSYNC_ERR_DAMAGED` (altered, or sealed with another key), `POLICYSYNC_ERR_OTHER_REPLICA` (another log, or an
/// older copy), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_resume_from_bytes(
    bytes: *const c_void,
    bytes_len: usize,
    replica: MaybeUninit<&mut policysync_replica>,
    key32: MaybeUninit<&u8>,
    out: MaybeUninit<&mut *mut policysync_resume>,
    err: *mut policysync_error,
) -> policysync_status {
    guarded(err, |call| {
        let out = call.handle_out(out, "out")?;
        let bytes = call.bytes(bytes, bytes_len, "bytes")?;
        let replica = call.shared(replica, "replica")?;
        let key = call.fixed_bytes(key32, "key32")?;
        let resume = ResumeToken::from_bytes(bytes, &replica.enter()?.inside.replica, key)?;
        out.write_owned(policysync_resume::new(resume));
        Ok(POLICYSYNC_OK)
    })
}

/// Frees resumption data. No other thread may be using it. Sessions and push channels that were made with it have their
/// own copy. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_resume_free(resume: Option<Box<policysync_resume>>) {
    free_owned(resume);
}

impl policysync_resume {
    pub(in crate::ffi) fn new(data: ResumeToken) -> Self {
        Self { data }
    }

    pub(in crate::ffi) fn copy(&self) -> ResumeToken {
        self.data.clone()
    }
}
