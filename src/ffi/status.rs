//! The statuses, and which error has which.

use std::error::Error;
use std::ffi::{CStr, c_char};

use super::boundary::to_usize;
use super::error::Failure;
use crate::codec::DecodeError;
use crate::crypto::{CryptoError, KeyError};
use crate::guard::Aborted;
use crate::hlc::HlcError;
use crate::keys::{RegistryError, SignError, VerifyError};
use crate::op::{IdentifierError, OpError, OpSeq};
use crate::store::Place;
use crate::value::JsonError;
use crate::{IngestError, OpRefusal, OpenError, StoreError, WriteError};

/// What a function returns: 0 when it has done its work, a positive number for another normal outcome, a negative one
/// for a failure. The names are in `policysync_status_code`; `policysync_status_name` gives them as text. Later
/// versions may add codes; none is ever given another meaning.
pub type policysync_status = i32;

/// The statuses. Functions return them as `policysync_status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum policysync_status_code {
    /// Done. For an operation that was ingested: it is in the log and merged.
    POLICYSYNC_OK = 0,
    /// There is no such thing. Outputs are not written.
    POLICYSYNC_NOT_FOUND = 1,
    /// There is nothing more at present: the cursor stands at the end, nothing is to be sent or answered, or the line
    /// is closed. The function says which.
    POLICYSYNC_DONE = 2,
    /// The operation is in the log, but its timestamp is too far ahead: it is merged when its time comes.
    POLICYSYNC_HELD = 3,
    /// The operation was in the log already.
    POLICYSYNC_DUPLICATE = 4,

    // The program's fault: -1 to -99.
    /// A required pointer is NULL, or a length is not 0 where the pointer is NULL.
    POLICYSYNC_ERR_NULL = -1,
    /// An argument has no meaning: the message says which and why.
    POLICYSYNC_ERR_ARGUMENT = -2,
    /// A `struct_size` is too small, or a struct of a later version uses what this library does not know.
    POLICYSYNC_ERR_VERSION = -3,
    /// A callback called the replica that is calling it; or a thread uses what another one is using, and only one may.
    POLICYSYNC_ERR_BUSY = -4,
    /// The library was built without what is asked for.
    POLICYSYNC_ERR_UNSUPPORTED = -5,
    /// A name is not 1 to 1024 bytes of UTF-8 with no control characters, no bidirectional controls.
    POLICYSYNC_ERR_IDENTIFIER = -10,
    /// A value is not JSON, or not JSON that every reader understands alike.
    POLICYSYNC_ERR_VALUE = -11,
    /// The operation would be larger than 1 MiB.
    POLICYSYNC_ERR_TOO_LARGE = -12,
    /// The 32 bytes are not a valid Ed25519 public key.
    POLICYSYNC_ERR_KEY = -13,
    /// The actor has another key under this kid.
    POLICYSYNC_ERR_KEY_TAKEN = -14,
    /// The key belongs to another actor than the operation names.
    POLICYSYNC_ERR_OTHER_ACTOR = -15,
    /// The replica was opened without a key to write with.
    POLICYSYNC_ERR_READ_ONLY = -16,
    /// The time is past 2^53 - 1 milliseconds, or the logical clock is at its end.
    POLICYSYNC_ERR_CLOCK = -17,
    /// Another writer uses this actor: one actor is one device.
    POLICYSYNC_ERR_OTHER_WRITER = -18,
    /// A session was asked for a message while it awaits one, or given one while it awaits none.
    POLICYSYNC_ERR_OUT_OF_TURN = -19,
    /// The session has ended: it has failed, was cancelled, or is finished.
    POLICYSYNC_ERR_ENDED = -20,
    /// The replica is not the one that the session or the push channel began with, or that what is remembered of a
    /// session is about.
    POLICYSYNC_ERR_OTHER_REPLICA = -21,
    /// A callback failed, or answered what it may not answer.
    POLICYSYNC_ERR_CALLBACK = -30,

    // The peer's fault: -100 to -199.
    /// The bytes are not an operation; not a message, not a bundle, not what is remembered of a session. Trying again
    /// does not help.
    POLICYSYNC_ERR_MALFORMED = -100,
    /// The operation, the peer or the bundle belongs to another space than the replica.
    POLICYSYNC_ERR_WRONG_SPACE = -101,
    /// The actor has no such key here. Try again when you have registered more keys.
    POLICYSYNC_ERR_UNKNOWN_KEY = -110,
    /// The signature is not the actor's.
    POLICYSYNC_ERR_BAD_SIGNATURE = -111,
    /// The guard refused the operation.
    POLICYSYNC_ERR_DENIED = -120,
    /// The guard stopped the call; nothing of it is kept.
    POLICYSYNC_ERR_ABORTED = -121,
    /// The peer speaks another version of the protocol, or the bundle or what is remembered has another version.
    POLICYSYNC_ERR_PEER_VERSION = -130,
    /// The peer's message is longer than this side takes, or it has sent more operations that are refused than a
    /// session bears.
    POLICYSYNC_ERR_LIMIT = -131,
    /// The peer contradicts itself, or what it was told.
    POLICYSYNC_ERR_LIE = -132,
    /// The message answers another one: an earlier one of the session, or another session's. The session still waits.
    POLICYSYNC_ERR_STRAY = -133,
    /// The peer has answered many times in a row and neither brought an operation nor taken one.
    POLICYSYNC_ERR_NO_PROGRESS = -134,
    /// The peer has ended the session; the message says why.
    POLICYSYNC_ERR_REFUSED = -135,
    /// The peer no longer knows the earlier session to go on from. Begin anew without it.
    POLICYSYNC_ERR_FORGOTTEN = -136,
    /// The bundle is cut short or changed; the message says where. Get it again. Or what is remembered of a session was
    /// sealed with another key, or has been changed.
    POLICYSYNC_ERR_DAMAGED = -137,

    // The store's fault: -200 to -299.
    /// The log has no room for more operations.
    POLICYSYNC_ERR_FULL = -200,
    /// The store is damaged; the message says where and how. Where it is one operation, `op_index` is its number, by
    /// arrival. See `policysync_store_salvage`.
    POLICYSYNC_ERR_CORRUPT = -201,
    /// Somebody else has the store open: one process, and in it one replica, at a time.
    POLICYSYNC_ERR_LOCKED = -202,
    /// The disk or the file system failed. Try again when the cause is gone.
    POLICYSYNC_ERR_IO = -203,
    /// The path names no store: a directory, a pipe, a file of another program.
    POLICYSYNC_ERR_NOT_A_STORE = -204,
    /// The store holds less than it once did: it is an old copy, or something was taken out.
    POLICYSYNC_ERR_ROLLED_BACK = -205,
    /// There is no room on the disk. Free some and try again.
    POLICYSYNC_ERR_NO_SPACE = -206,
    /// The file, its directory or the disk may not be written to.
    POLICYSYNC_ERR_NOT_WRITABLE = -207,
    /// A newer version of this library wrote the store. It has not been touched.
    POLICYSYNC_ERR_NEWER = -208,
    /// There is a file already, and nothing is written over it.
    POLICYSYNC_ERR_EXISTS = -209,
    /// Since it was opened the file has been moved, removed or replaced.
    POLICYSYNC_ERR_MOVED = -210,
    /// The store is a backup, and this actor wrote into it before it was made. A new installation is a new actor.
    POLICYSYNC_ERR_RESTORED_BACKUP = -211,

    // Our fault, or this machine's: -300 to -399.
    /// libsodium does not work here, or is another one than the library was made for.
    POLICYSYNC_ERR_CRYPTO = -300,
    /// A bug of the library. The replica cannot be used any more, only freed; so it is with its cursors.
    POLICYSYNC_ERR_PANIC = -301,

    // The network's fault, or the server's: -400 to -499. What may pass by itself comes first, up to -449: try again
    // later.
    /// The name of the server's host is not known, or cannot be looked up at present.
    POLICYSYNC_ERR_HOST = -400,
    /// The connection was refused, broke, or is closed.
    POLICYSYNC_ERR_CONNECTION = -401,
    /// The server did not answer, or took nothing, for as long as the options say.
    POLICYSYNC_ERR_TIMEOUT = -402,
    /// What answers for the server says that it cannot at present (HTTP status 429, or 500 and above). A PolicySync
    /// server that fails says so itself: `POLICYSYNC_ERR_REFUSED`.
    POLICYSYNC_ERR_UNAVAILABLE = -403,
    /// The server answered with another HTTP status, a redirect among them; the message says which.
    POLICYSYNC_ERR_HTTP_STATUS = -450,
    /// The server wants a token, or another one (HTTP status 401 or 403).
    POLICYSYNC_ERR_UNAUTHORIZED = -451,
    /// The server's certificate does not fit, or there is no TLS; the message says why.
    POLICYSYNC_ERR_TLS = -452,
    /// What answers is no server of this protocol: a login page, for example.
    POLICYSYNC_ERR_NOT_A_SERVER = -453,
}

use policysync_status_code::*;

/// The name of a status, `"POLICYSYNC_ERR_NULL"`; `"POLICYSYNC_UNKNOWN"` for a number that this library does not use.
///
/// Returns static text that ends with NUL and must not be freed. Any thread. Since ABI 1.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_status_name(status: policysync_status) -> &'static c_char {
    let name =
        ALL.iter().find(|code| code.number() == status).map_or(c"POLICYSYNC_UNKNOWN", |code| code.name());
    // SAFETY: a C string has at least one byte, and this one is static.
    unsafe { &*name.as_ptr() }
}

impl policysync_status_code {
    /// The number that crosses to C.
    #[expect(clippy::as_conversions, reason = "an enum without fields is its number")]
    pub(super) const fn number(self) -> policysync_status {
        self as policysync_status
    }

    const fn name(self) -> &'static CStr {
        match self {
            POLICYSYNC_OK => c"POLICYSYNC_OK",
            POLICYSYNC_NOT_FOUND => c"POLICYSYNC_NOT_FOUND",
            POLICYSYNC_DONE => c"POLICYSYNC_DONE",
            POLICYSYNC_HELD => c"POLICYSYNC_HELD",
            POLICYSYNC_DUPLICATE => c"POLICYSYNC_DUPLICATE",
            POLICYSYNC_ERR_NULL => c"POLICYSYNC_ERR_NULL",
            POLICYSYNC_ERR_ARGUMENT => c"POLICYSYNC_ERR_ARGUMENT",
            POLICYSYNC_ERR_VERSION => c"POLICYSYNC_ERR_VERSION",
            POLICYSYNC_ERR_BUSY => c"POLICYSYNC_ERR_BUSY",
            POLICYSYNC_ERR_UNSUPPORTED => c"POLICYSYNC_ERR_UNSUPPORTED",
            POLICYSYNC_ERR_IDENTIFIER => c"POLICYSYNC_ERR_IDENTIFIER",
            POLICYSYNC_ERR_VALUE => c"POLICYSYNC_ERR_VALUE",
            POLICYSYNC_ERR_TOO_LARGE => c"POLICYSYNC_ERR_TOO_LARGE",
            POLICYSYNC_ERR_KEY => c"POLICYSYNC_ERR_KEY",
            POLICYSYNC_ERR_KEY_TAKEN => c"POLICYSYNC_ERR_KEY_TAKEN",
            POLICYSYNC_ERR_OTHER_ACTOR => c"POLICYSYNC_ERR_OTHER_ACTOR",
            POLICYSYNC_ERR_READ_ONLY => c"POLICYSYNC_ERR_READ_ONLY",
            POLICYSYNC_ERR_CLOCK => c"POLICYSYNC_ERR_CLOCK",
            POLICYSYNC_ERR_OTHER_WRITER => c"POLICYSYNC_ERR_OTHER_WRITER",
            POLICYSYNC_ERR_OUT_OF_TURN => c"POLICYSYNC_ERR_OUT_OF_TURN",
            POLICYSYNC_ERR_ENDED => c"POLICYSYNC_ERR_ENDED",
            POLICYSYNC_ERR_OTHER_REPLICA => c"POLICYSYNC_ERR_OTHER_REPLICA",
            POLICYSYNC_ERR_CALLBACK => c"POLICYSYNC_ERR_CALLBACK",
            POLICYSYNC_ERR_MALFORMED => c"POLICYSYNC_ERR_MALFORMED",
            POLICYSYNC_ERR_WRONG_SPACE => c"POLICYSYNC_ERR_WRONG_SPACE",
            POLICYSYNC_ERR_UNKNOWN_KEY => c"POLICYSYNC_ERR_UNKNOWN_KEY",
            POLICYSYNC_ERR_BAD_SIGNATURE => c"POLICYSYNC_ERR_BAD_SIGNATURE",
            POLICYSYNC_ERR_DENIED => c"POLICYSYNC_ERR_DENIED",
            POLICYSYNC_ERR_ABORTED => c"POLICYSYNC_ERR_ABORTED",
            POLICYSYNC_ERR_PEER_VERSION => c"POLICYSYNC_ERR_PEER_VERSION",
            POLICYSYNC_ERR_LIMIT => c"POLICYSYNC_ERR_LIMIT",
            POLICYSYNC_ERR_LIE => c"POLICYSYNC_ERR_LIE",
            POLICYSYNC_ERR_STRAY => c"POLICYSYNC_ERR_STRAY",
            POLICYSYNC_ERR_NO_PROGRESS => c"POLICYSYNC_ERR_NO_PROGRESS",
            POLICYSYNC_ERR_REFUSED => c"POLICYSYNC_ERR_REFUSED",
            POLICYSYNC_ERR_FORGOTTEN => c"POLICYSYNC_ERR_FORGOTTEN",
            POLICYSYNC_ERR_DAMAGED => c"POLICYSYNC_ERR_DAMAGED",
            POLICYSYNC_ERR_FULL => c"POLICYSYNC_ERR_FULL",
            POLICYSYNC_ERR_CORRUPT => c"POLICYSYNC_ERR_CORRUPT",
            POLICYSYNC_ERR_LOCKED => c"POLICYSYNC_ERR_LOCKED",
            POLICYSYNC_ERR_IO => c"POLICYSYNC_ERR_IO",
            POLICYSYNC_ERR_NOT_A_STORE => c"POLICYSYNC_ERR_NOT_A_STORE",
            POLICYSYNC_ERR_ROLLED_BACK => c"POLICYSYNC_ERR_ROLLED_BACK",
            POLICYSYNC_ERR_NO_SPACE => c"POLICYSYNC_ERR_NO_SPACE",
            POLICYSYNC_ERR_NOT_WRITABLE => c"POLICYSYNC_ERR_NOT_WRITABLE",
            POLICYSYNC_ERR_NEWER => c"POLICYSYNC_ERR_NEWER",
            POLICYSYNC_ERR_EXISTS => c"POLICYSYNC_ERR_EXISTS",
            POLICYSYNC_ERR_MOVED => c"POLICYSYNC_ERR_MOVED",
            POLICYSYNC_ERR_RESTORED_BACKUP => c"POLICYSYNC_ERR_RESTORED_BACKUP",
            POLICYSYNC_ERR_CRYPTO => c"POLICYSYNC_ERR_CRYPTO",
            POLICYSYNC_ERR_PANIC => c"POLICYSYNC_ERR_PANIC",
            POLICYSYNC_ERR_HOST => c"POLICYSYNC_ERR_HOST",
            POLICYSYNC_ERR_CONNECTION => c"POLICYSYNC_ERR_CONNECTION",
            POLICYSYNC_ERR_TIMEOUT => c"POLICYSYNC_ERR_TIMEOUT",
            POLICYSYNC_ERR_UNAVAILABLE => c"POLICYSYNC_ERR_UNAVAILABLE",
            POLICYSYNC_ERR_HTTP_STATUS => c"POLICYSYNC_ERR_HTTP_STATUS",
            POLICYSYNC_ERR_UNAUTHORIZED => c"POLICYSYNC_ERR_UNAUTHORIZED",
            POLICYSYNC_ERR_TLS => c"POLICYSYNC_ERR_TLS",
            POLICYSYNC_ERR_NOT_A_SERVER => c"POLICYSYNC_ERR_NOT_A_SERVER",
        }
    }
}

const ALL: [policysync_status_code; 59] = [
    POLICYSYNC_OK,
    POLICYSYNC_NOT_FOUND,
    POLICYSYNC_DONE,
    POLICYSYNC_HELD,
    POLICYSYNC_DUPLICATE,
    POLICYSYNC_ERR_NULL,
    POLICYSYNC_ERR_ARGUMENT,
    POLICYSYNC_ERR_VERSION,
    POLICYSYNC_ERR_BUSY,
    POLICYSYNC_ERR_UNSUPPORTED,
    POLICYSYNC_ERR_IDENTIFIER,
    POLICYSYNC_ERR_VALUE,
    POLICYSYNC_ERR_TOO_LARGE,
    POLICYSYNC_ERR_KEY,
    POLICYSYNC_ERR_KEY_TAKEN,
    POLICYSYNC_ERR_OTHER_ACTOR,
    POLICYSYNC_ERR_READ_ONLY,
    POLICYSYNC_ERR_CLOCK,
    POLICYSYNC_ERR_OTHER_WRITER,
    POLICYSYNC_ERR_OUT_OF_TURN,
    POLICYSYNC_ERR_ENDED,
    POLICYSYNC_ERR_OTHER_REPLICA,
    POLICYSYNC_ERR_CALLBACK,
    POLICYSYNC_ERR_MALFORMED,
    POLICYSYNC_ERR_WRONG_SPACE,
    POLICYSYNC_ERR_UNKNOWN_KEY,
    POLICYSYNC_ERR_BAD_SIGNATURE,
    POLICYSYNC_ERR_DENIED,
    POLICYSYNC_ERR_ABORTED,
    POLICYSYNC_ERR_PEER_VERSION,
    POLICYSYNC_ERR_LIMIT,
    POLICYSYNC_ERR_LIE,
    POLICYSYNC_ERR_STRAY,
    POLICYSYNC_ERR_NO_PROGRESS,
    POLICYSYNC_ERR_REFUSED,
    POLICYSYNC_ERR_FORGOTTEN,
    POLICYSYNC_ERR_DAMAGED,
    POLICYSYNC_ERR_FULL,
    POLICYSYNC_ERR_CORRUPT,
    POLICYSYNC_ERR_LOCKED,
    POLICYSYNC_ERR_IO,
    POLICYSYNC_ERR_NOT_A_STORE,
    POLICYSYNC_ERR_ROLLED_BACK,
    POLICYSYNC_ERR_NO_SPACE,
    POLICYSYNC_ERR_NOT_WRITABLE,
    POLICYSYNC_ERR_NEWER,
    POLICYSYNC_ERR_EXISTS,
    POLICYSYNC_ERR_MOVED,
    POLICYSYNC_ERR_RESTORED_BACKUP,
    POLICYSYNC_ERR_CRYPTO,
    POLICYSYNC_ERR_PANIC,
    POLICYSYNC_ERR_HOST,
    POLICYSYNC_ERR_CONNECTION,
    POLICYSYNC_ERR_TIMEOUT,
    POLICYSYNC_ERR_UNAVAILABLE,
    POLICYSYNC_ERR_HTTP_STATUS,
    POLICYSYNC_ERR_UNAUTHORIZED,
    POLICYSYNC_ERR_TLS,
    POLICYSYNC_ERR_NOT_A_SERVER,
];

/// An error of the crate that C sees as a status.
///
/// No arm of these matches is `_`: a new error makes us choose its number.
pub(super) trait Status {
    fn status(&self) -> policysync_status_code;

    /// The operation of the store that it is about, by its number.
    fn seq(&self) -> Option<OpSeq> {
        None
    }
}

impl<E: Status + Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        // What says no more than its source has said it already.
        while let Some(cause) = source {
            let text = cause.to_string();
            if !message.ends_with(&text) {
                message = format!("{message}: {text}");
            }
            source = cause.source();
        }
        let failure = Self::new(error.status(), message);
        match error.seq() {
            Some(seq) => failure.at(to_usize(seq.get())),
            None => failure,
        }
    }
}

impl Status for CryptoError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::Init | Self::SelfTest { .. } => POLICYSYNC_ERR_CRYPTO,
        }
    }
}

impl Status for KeyError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::InvalidPoint | Self::Encoding(_) => POLICYSYNC_ERR_KEY,
            Self::Crypto(error) => error.status(),
        }
    }
}

impl Status for IdentifierError {
    fn status(&self) -> policysync_status_code {
        POLICYSYNC_ERR_IDENTIFIER
    }
}

impl Status for RegistryError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::Taken { .. } => POLICYSYNC_ERR_KEY_TAKEN,
        }
    }
}

impl Status for HlcError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::TimeOutOfRange { .. }
            | Self::CounterOutOfRange { .. }
            | Self::WallOutOfRange { .. }
            | Self::Exhausted { .. } => POLICYSYNC_ERR_CLOCK,
        }
    }
}

impl Status for JsonError {
    fn status(&self) -> policysync_status_code {
        POLICYSYNC_ERR_VALUE
    }
}

impl Status for DecodeError {
    fn status(&self) -> policysync_status_code {
        POLICYSYNC_ERR_MALFORMED
    }
}

/// Of an operation that the caller makes; of one that arrives it is a [`DecodeError`].
impl Status for OpError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::Identifier(error) => error.status(),
            Self::Timestamp(error) => error.status(),
            Self::DeleteWithValue => POLICYSYNC_ERR_VALUE,
            Self::TooLarge { .. } => POLICYSYNC_ERR_TOO_LARGE,
        }
    }
}

impl Status for SignError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::OtherActor => POLICYSYNC_ERR_OTHER_ACTOR,
            Self::Op(error) => error.status(),
            Self::Identifier(error) => error.status(),
            Self::Crypto(error) => error.status(),
        }
    }
}

impl Status for VerifyError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::UnknownKey { .. } => POLICYSYNC_ERR_UNKNOWN_KEY,
            Self::BadSignature => POLICYSYNC_ERR_BAD_SIGNATURE,
            Self::Op(_) => POLICYSYNC_ERR_MALFORMED,
        }
    }
}

impl Status for OpenError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::Clock(error) => error.status(),
            Self::Crypto(error) => error.status(),
            Self::Space(error) => error.status(),
            Self::Key(error) => error.status(),
            Self::Store(error) => error.status(),
            Self::UnknownKey { .. } => POLICYSYNC_ERR_UNKNOWN_KEY,
            Self::RolledBack { .. } => POLICYSYNC_ERR_ROLLED_BACK,
            Self::RestoredBackup { .. } => POLICYSYNC_ERR_RESTORED_BACKUP,
            Self::SealUnverified => POLICYSYNC_ERR_ARGUMENT,
        }
    }

    fn seq(&self) -> Option<OpSeq> {
        match self {
            Self::Store(error) => error.seq(),
            Self::UnknownKey { seq, .. } => Some(*seq),
            _ => None,
        }
    }
}

impl Status for OpRefusal {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::Malformed(error) => error.status(),
            Self::WrongSpace { .. } => POLICYSYNC_ERR_WRONG_SPACE,
            Self::UnknownKey { .. } => POLICYSYNC_ERR_UNKNOWN_KEY,
            Self::BadSignature => POLICYSYNC_ERR_BAD_SIGNATURE,
            Self::Denied => POLICYSYNC_ERR_DENIED,
        }
    }
}

impl Status for Aborted {
    fn status(&self) -> policysync_status_code {
        POLICYSYNC_ERR_ABORTED
    }
}

impl Status for StoreError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::Full => POLICYSYNC_ERR_FULL,
            Self::Corrupt { .. } => POLICYSYNC_ERR_CORRUPT,
            Self::Locked => POLICYSYNC_ERR_LOCKED,
            Self::DiskFull(_) => POLICYSYNC_ERR_NO_SPACE,
            Self::ReadOnly(_) => POLICYSYNC_ERR_NOT_WRITABLE,
            Self::Io(_) | Self::FileSystem { .. } | Self::CannotOpen(_) | Self::Sqlite(_) => {
                POLICYSYNC_ERR_IO
            }
            Self::NotAFile | Self::Foreign => POLICYSYNC_ERR_NOT_A_STORE,
            Self::Exists => POLICYSYNC_ERR_EXISTS,
            Self::Moved => POLICYSYNC_ERR_MOVED,
            Self::Newer { .. } => POLICYSYNC_ERR_NEWER,
            Self::WrongSpace { .. } => POLICYSYNC_ERR_WRONG_SPACE,
            Self::InMemory => POLICYSYNC_ERR_ARGUMENT,
        }
    }

    fn seq(&self) -> Option<OpSeq> {
        match self {
            Self::Corrupt { place: Place::Operation { seq }, .. } => Some(*seq),
            _ => None,
        }
    }
}

impl Status for IngestError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::Refused(error) => error.status(),
            Self::Clock(error) => error.status(),
            Self::Aborted(error) => error.status(),
            Self::Store(error) => error.status(),
        }
    }

    fn seq(&self) -> Option<OpSeq> {
        match self {
            Self::Store(error) => error.seq(),
            _ => None,
        }
    }
}

impl Status for WriteError {
    fn status(&self) -> policysync_status_code {
        match self {
            Self::ReadOnly => POLICYSYNC_ERR_READ_ONLY,
            Self::Clock(error) => error.status(),
            Self::Op(error) => error.status(),
            Self::Value(error) => error.status(),
            Self::Sign(error) => error.status(),
            Self::Ingest(error) => error.status(),
            Self::ClockReused => POLICYSYNC_ERR_OTHER_WRITER,
        }
    }

    fn seq(&self) -> Option<OpSeq> {
        match self {
            Self::Ingest(error) => error.seq(),
            _ => None,
        }
    }
}
