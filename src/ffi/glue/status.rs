//! The statuses.

use std::ffi::{CStr, c_char};

/// The result of a function: 0 on success, a positive number for another normal outcome, a negative number for a
/// failure. `policysync_status_code` names the values; `policysync_status_name` returns a name as text. Later versions
/// may add codes; none ever changes its meaning.
pub type policysync_status = i32;

/// The statuses, which functions return as `policysync_status`. Failures are grouped by their cause: -1 to -99 the
/// program, -100 to -199 the peer, -200 to -299 the store, -300 to -399 the library or this machine, -400 to -499 the
/// network or the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum policysync_status_code {
    /// Success. For an ingested operation: it is in the log and merged.
    POLICYSYNC_OK = 0,
    /// Nothing was found. Outputs are not written.
    POLICYSYNC_NOT_FOUND = 1,
    /// Nothing is left at present: the cursor is at the end, nothing is to be sent or answered, or the line is closed.
    /// The function says which.
    POLICYSYNC_DONE = 2,
    /// The operation is in the log, but its timestamp is too far ahead: it is merged when that time comes.
    POLICYSYNC_HELD = 3,
    /// The operation was in the log already.
    POLICYSYNC_DUPLICATE = 4,

    // The program's fault: -1 to -99.
    /// A required pointer is NULL, or a length is not 0 where the pointer is NULL.
    POLICYSYNC_ERR_NULL = -1,
    /// An argument is invalid; the message says which and why.
    POLICYSYNC_ERR_ARGUMENT = -2,
    /// A `struct_size` is too small, or a struct of a later version uses a member that this library does not have.
    POLICYSYNC_ERR_VERSION = -3,
    /// A callback called the object that is calling it, or a thread used a handle for one thread at a time while
    /// another did.
    POLICYSYNC_ERR_BUSY = -4,
    /// The library was built without the required feature.
    POLICYSYNC_ERR_UNSUPPORTED = -5,
    /// A name is not 1 to 1024 bytes of UTF-8 without control characters and bidirectional controls.
    POLICYSYNC_ERR_IDENTIFIER = -10,
    /// A value is not valid JSON, or JSON that readers understand differently.
    POLICYSYNC_ERR_VALUE = -11,
    /// The operation would be larger than 1 MiB.
    POLICYSYNC_ERR_TOO_LARGE = -12,
    /// The 32 bytes are not a valid Ed25519 public key.
    POLICYSYNC_ERR_KEY = -13,
    /// The actor has another key under this kid.
    POLICYSYNC_ERR_KEY_TAKEN = -14,
    /// The key belongs to another actor than the one that the operation names.
    POLICYSYNC_ERR_OTHER_ACTOR = -15,
    /// The replica was opened without a key to write with.
    POLICYSYNC_ERR_READ_ONLY = -16,
    /// The time is past 2^53 - 1 milliseconds, or before 2020 or after 2100 where nothing else gives a time, or the
    /// logical clock has reached its end.
    POLICYSYNC_ERR_CLOCK = -17,
    /// Another writer uses this actor: one actor is one device.
    POLICYSYNC_ERR_OTHER_WRITER = -18,
    /// A message was requested from a session that awaits one, or given to a session that awaits none.
    POLICYSYNC_ERR_OUT_OF_TURN = -19,
    /// The session has ended: it failed, was cancelled or has a result.
    POLICYSYNC_ERR_ENDED = -20,
    /// The replica is not the one that the session, the push channel or the resumption data belongs to.
    POLICYSYNC_ERR_OTHER_REPLICA = -21,
    /// The write would be stamped too far ahead of the time, because an operation of that time is merged. The
    /// message says by how much.
    POLICYSYNC_ERR_CLOCK_AHEAD = -22,
    /// The value of the field has another type than the function returns; the message says which.
    POLICYSYNC_ERR_TYPE = -23,
    /// The passphrase is wrong.
    POLICYSYNC_ERR_PASSPHRASE = -24,
    /// A text is not a public key, a registry, an encrypted seed or a seed from paper; the message says where and why.
    POLICYSYNC_ERR_KEY_TEXT = -25,
    /// A callback failed or returned a value that is not defined.
    POLICYSYNC_ERR_CALLBACK = -30,

    // The peer's fault: -100 to -199.
    /// The bytes are not a valid operation, message, bundle or resumption data. Trying again does not help.
    POLICYSYNC_ERR_MALFORMED = -100,
    /// The operation, the peer or the bundle belongs to another space than the replica.
    POLICYSYNC_ERR_WRONG_SPACE = -101,
    /// The actor has no such key in this replica. Try again after registering more keys.
    POLICYSYNC_ERR_UNKNOWN_KEY = -110,
    /// The signature is not the actor's.
    POLICYSYNC_ERR_BAD_SIGNATURE = -111,
    /// The guard rejected the operation.
    POLICYSYNC_ERR_DENIED = -120,
    /// The guard aborted the call, and nothing of it was kept.
    POLICYSYNC_ERR_ABORTED = -121,
    /// The peer, the bundle or the resumption data has another version of the format.
    POLICYSYNC_ERR_PEER_VERSION = -130,
    /// The peer's message is longer than this side accepts, or too many of the peer's operations were refused in one
    /// session.
    POLICYSYNC_ERR_LIMIT = -131,
    /// The peer broke the protocol: its message contradicts itself or an earlier one.
    POLICYSYNC_ERR_PROTOCOL = -132,
    /// The message answers an earlier message or another session. The session still awaits its answer.
    POLICYSYNC_ERR_STRAY = -133,
    /// The peer has answered many times in a row without sending or accepting an operation.
    POLICYSYNC_ERR_NO_PROGRESS = -134,
    /// The peer has ended the session; the message says why.
    POLICYSYNC_ERR_REFUSED = -135,
    /// The peer no longer knows the session that this one resumes. Start again without `resume`.
    POLICYSYNC_ERR_FORGOTTEN = -136,
    /// The bundle is truncated or altered (the message says where; get it again), or resumption data was altered or
    /// sealed with another key.
    POLICYSYNC_ERR_DAMAGED = -137,

    // The store's fault: -200 to -299.
    /// The log has no room for more operations.
    POLICYSYNC_ERR_FULL = -200,
    /// The store is damaged; the message says where and how. For a damaged operation, `op_index` is its number in the
    /// log. See `policysync_store_salvage`.
    POLICYSYNC_ERR_CORRUPT = -201,
    /// Another process has the store open: only one replica in one process may have it open.
    POLICYSYNC_ERR_LOCKED = -202,
    /// The disk or the file system failed. Try again when the cause is removed.
    POLICYSYNC_ERR_IO = -203,
    /// The path is not a store: it is a directory, a pipe or a file of another program.
    POLICYSYNC_ERR_NOT_A_STORE = -204,
    /// The store holds less than it once did: it is an old copy, or something was removed.
    POLICYSYNC_ERR_ROLLED_BACK = -205,
    /// The disk is full. Free some space and try again.
    POLICYSYNC_ERR_NO_SPACE = -206,
    /// The file, its directory or the disk may not be written to.
    POLICYSYNC_ERR_NOT_WRITABLE = -207,
    /// A newer version of this library wrote the store. The file is unchanged.
    POLICYSYNC_ERR_NEWER = -208,
    /// The file exists already, and is not overwritten.
    POLICYSYNC_ERR_EXISTS = -209,
    /// The file was moved, removed or replaced after it was opened.
    POLICYSYNC_ERR_MOVED = -210,
    /// The store is a backup, and this actor wrote into it before the backup was made. A new installation needs a new
    /// actor.
    POLICYSYNC_ERR_RESTORED_BACKUP = -211,
    /// The object belongs to the process that this one was forked from. Only freeing it is allowed.
    POLICYSYNC_ERR_OTHER_PROCESS = -212,
    /// The store was sealed with another key than `seal_key`. It is not damaged: open it with the right key, or without
    /// one if that is lost.
    POLICYSYNC_ERR_SEAL_KEY = -213,
    /// This process has the store open already. Use that replica, or free it and its cursors first.
    POLICYSYNC_ERR_OPEN_HERE = -214,
    /// The file was released; see `policysync_replica_release_store`.
    POLICYSYNC_ERR_RELEASED = -215,

    // Our fault, or this machine's: -300 to -399.
    /// libsodium does not work on this machine, or its verdicts differ from those that the library requires.
    POLICYSYNC_ERR_CRYPTO = -300,
    /// A bug of the library. The object can only be freed; for a replica that includes its cursors.
    POLICYSYNC_ERR_PANIC = -301,
    /// This machine does not have the memory that the passphrase of a seed needs.
    POLICYSYNC_ERR_MEMORY = -302,

    // The network's or the server's fault: -400 to -499. Temporary failures come first, up to -449.
    /// The name of the server's host is unknown or cannot be looked up at present.
    POLICYSYNC_ERR_HOST = -400,
    /// The connection was refused, is broken or closed.
    POLICYSYNC_ERR_CONNECTION = -401,
    /// The server did not answer, or a transfer did not move, within the time that the options allow.
    POLICYSYNC_ERR_TIMEOUT = -402,
    /// The server cannot answer at present (HTTP status 408, 421, 425, 429, 500, 502, 503 or 504, or a PolicySync
    /// server that reports a fault of its own), or the login page of a network answers in its place (a redirect for a
    /// time, or another content type); the message says which.
    POLICYSYNC_ERR_UNAVAILABLE = -403,
    /// The server, a gateway or a proxy answered with another HTTP status, for example 404 or 413; the message says
    /// which.
    POLICYSYNC_ERR_HTTP_STATUS = -450,
    /// The server requires a token, or another one (HTTP status 401 or 403), or the proxy requires credentials (407).
    POLICYSYNC_ERR_UNAUTHORIZED = -451,
    /// The server's certificate is not accepted, or TLS failed; the message says why.
    POLICYSYNC_ERR_TLS = -452,
    /// The answer does not come from a server of this protocol, or something on the way has encoded it.
    POLICYSYNC_ERR_NOT_A_SERVER = -453,
}

use policysync_status_code::*;

/// Returns the name of a status: `"POLICYSYNC_ERR_NULL"`; `"POLICYSYNC_UNKNOWN"` for a number that this library does
/// not use.
///
/// The text is static, ends with NUL and must not be freed.
#[unsafe(no_mangle)]
pub extern "C" fn policysync_status_name(status: policysync_status) -> &'static c_char {
    let name =
        ALL.iter().find(|code| code.number() == status).map_or(c"POLICYSYNC_UNKNOWN", |code| code.name());
    // SAFETY: a C string has at least one byte, and this one is static.
    unsafe { &*name.as_ptr() }
}

impl policysync_status_code {
    /// Returns the number for C.
    #[expect(clippy::as_conversions, reason = "an enum without fields is its number")]
    pub(in crate::ffi) const fn number(self) -> policysync_status {
        self as policysync_status
    }

    pub(in crate::ffi) const fn name(self) -> &'static CStr {
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
            POLICYSYNC_ERR_CLOCK_AHEAD => c"POLICYSYNC_ERR_CLOCK_AHEAD",
            POLICYSYNC_ERR_TYPE => c"POLICYSYNC_ERR_TYPE",
            POLICYSYNC_ERR_PASSPHRASE => c"POLICYSYNC_ERR_PASSPHRASE",
            POLICYSYNC_ERR_KEY_TEXT => c"POLICYSYNC_ERR_KEY_TEXT",
            POLICYSYNC_ERR_CALLBACK => c"POLICYSYNC_ERR_CALLBACK",
            POLICYSYNC_ERR_MALFORMED => c"POLICYSYNC_ERR_MALFORMED",
            POLICYSYNC_ERR_WRONG_SPACE => c"POLICYSYNC_ERR_WRONG_SPACE",
            POLICYSYNC_ERR_UNKNOWN_KEY => c"POLICYSYNC_ERR_UNKNOWN_KEY",
            POLICYSYNC_ERR_BAD_SIGNATURE => c"POLICYSYNC_ERR_BAD_SIGNATURE",
            POLICYSYNC_ERR_DENIED => c"POLICYSYNC_ERR_DENIED",
            POLICYSYNC_ERR_ABORTED => c"POLICYSYNC_ERR_ABORTED",
            POLICYSYNC_ERR_PEER_VERSION => c"POLICYSYNC_ERR_PEER_VERSION",
            POLICYSYNC_ERR_LIMIT => c"POLICYSYNC_ERR_LIMIT",
            POLICYSYNC_ERR_PROTOCOL => c"POLICYSYNC_ERR_PROTOCOL",
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
            POLICYSYNC_ERR_OTHER_PROCESS => c"POLICYSYNC_ERR_OTHER_PROCESS",
            POLICYSYNC_ERR_SEAL_KEY => c"POLICYSYNC_ERR_SEAL_KEY",
            POLICYSYNC_ERR_OPEN_HERE => c"POLICYSYNC_ERR_OPEN_HERE",
            POLICYSYNC_ERR_RELEASED => c"POLICYSYNC_ERR_RELEASED",
            POLICYSYNC_ERR_CRYPTO => c"POLICYSYNC_ERR_CRYPTO",
            POLICYSYNC_ERR_PANIC => c"POLICYSYNC_ERR_PANIC",
            POLICYSYNC_ERR_MEMORY => c"POLICYSYNC_ERR_MEMORY",
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

const ALL: &[policysync_status_code] = &[
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
    POLICYSYNC_ERR_CLOCK_AHEAD,
    POLICYSYNC_ERR_TYPE,
    POLICYSYNC_ERR_PASSPHRASE,
    POLICYSYNC_ERR_KEY_TEXT,
    POLICYSYNC_ERR_CALLBACK,
    POLICYSYNC_ERR_MALFORMED,
    POLICYSYNC_ERR_WRONG_SPACE,
    POLICYSYNC_ERR_UNKNOWN_KEY,
    POLICYSYNC_ERR_BAD_SIGNATURE,
    POLICYSYNC_ERR_DENIED,
    POLICYSYNC_ERR_ABORTED,
    POLICYSYNC_ERR_PEER_VERSION,
    POLICYSYNC_ERR_LIMIT,
    POLICYSYNC_ERR_PROTOCOL,
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
    POLICYSYNC_ERR_OTHER_PROCESS,
    POLICYSYNC_ERR_SEAL_KEY,
    POLICYSYNC_ERR_OPEN_HERE,
    POLICYSYNC_ERR_RELEASED,
    POLICYSYNC_ERR_CRYPTO,
    POLICYSYNC_ERR_PANIC,
    POLICYSYNC_ERR_MEMORY,
    POLICYSYNC_ERR_HOST,
    POLICYSYNC_ERR_CONNECTION,
    POLICYSYNC_ERR_TIMEOUT,
    POLICYSYNC_ERR_UNAVAILABLE,
    POLICYSYNC_ERR_HTTP_STATUS,
    POLICYSYNC_ERR_UNAUTHORIZED,
    POLICYSYNC_ERR_TLS,
    POLICYSYNC_ERR_NOT_A_SERVER,
];
