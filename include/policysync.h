/*
 * PolicySync: a secure, offline-first synchronization core.
 *
 * Made of src/ffi by cbindgen; do not edit. The C interface, and all that there is to know about it.
 *
 * Names. Everything is policysync_* or POLICYSYNC_*.
 *
 * Statuses. Functions that can fail return a policysync_status: 0 when they have done their work, a positive number for
 *   another normal outcome, a negative one for a failure; so `status < 0` is the test. Each takes a policysync_error of
 *   the caller's, which may be NULL, and writes there what went wrong, in words. Outputs are written only on success;
 *   a handle is made NULL first.
 *
 * Memory. Inputs are borrowed for the call: the library copies what it keeps. What has a fixed size goes into the
 *   caller's memory, everything else into a policysync_buffer, which the library frees. Handles are freed in any order;
 *   to free NULL does nothing. Memory comes from the system's allocator.
 *
 * NULL. Pointers that are POLICYSYNC_NONNULL are required: NULL gives POLICYSYNC_ERR_NULL. Where a length is 0, its
 *   pointer is not looked at.
 *
 * Files. A replica in a file can fail as its file can. A store failure is one of POLICYSYNC_ERR_CORRUPT,
 *   POLICYSYNC_ERR_LOCKED, POLICYSYNC_ERR_IO, POLICYSYNC_ERR_NO_SPACE, POLICYSYNC_ERR_NOT_WRITABLE and
 *   POLICYSYNC_ERR_MOVED. On any of them the replica is as it was, and the file too.
 *
 * Text is UTF-8 with its length; it need not end with NUL. JSON is taken strictly (RFC 8259, no name twice, no number
 *   that another reader would take for a different one) and given in canonical form (RFC 8785).
 *
 * Time is an argument, now_ms: milliseconds since 1970. POLICYSYNC_NOW asks the replica's clock, and where it was
 *   opened without one, the machine's.
 *
 * Structs that may grow begin with struct_size, which the caller sets to sizeof. What an older program does not know is
 *   zero; if a newer program uses what the library does not know, it gets POLICYSYNC_ERR_VERSION. Arrays of such
 *   structs have a stride.
 *
 * Callbacks are called only on a thread that is inside a library call. They must not throw, longjmp or unwind, and may
 *   not call the replica (or a cursor of it) that is calling them, nor the session, responder, push channel or line
 *   that the call is about: that gives POLICYSYNC_ERR_BUSY. They may free them. An unknown answer is an error.
 *   `destroy` is called exactly once for each time that a context was handed over, even if that call failed, on any
 *   thread, never under a lock of the library.
 *
 * Networks. HTTP and WebSocket are there in every build; in one without their feature, and TLS without its own, all
 *   that can be called answers POLICYSYNC_ERR_UNSUPPORTED. A status from -400 to -449 may pass by itself: try again
 *   later. One from -450 to -499 does not.
 *
 * Threads. A replica, a session, a responder, a push channel, the sides of a line, an HTTP client, a sync base and a
 *   key: any thread. A WebSocket client, a cursor, a buffer, an error: one thread at a time. Everything else: any
 *   thread. There is nothing to initialise.
 */
#ifndef POLICYSYNC_H
#define POLICYSYNC_H

#include <stddef.h>
#include <stdint.h>
#define POLICYSYNC_VERSION_MAJOR 0
#define POLICYSYNC_VERSION_MINOR 1
#define POLICYSYNC_VERSION_PATCH 0
/* To be compared with policysync_version_number(). */
#define POLICYSYNC_VERSION_NUMBER 1000

/* Windows: define POLICYSYNC_SHARED to use the DLL; the default is the static library. */
#ifndef POLICYSYNC_API
#if defined(_WIN32) && defined(POLICYSYNC_SHARED)
#define POLICYSYNC_API __declspec(dllimport)
#else
#define POLICYSYNC_API
#endif
#endif

/* Whether a pointer may be NULL, for Swift and for static analysis. */
#if defined(__clang__)
#define POLICYSYNC_NONNULL _Nonnull
#define POLICYSYNC_NULLABLE _Nullable
#else
#define POLICYSYNC_NONNULL
#define POLICYSYNC_NULLABLE
#endif

/* How a policysync_error, a policysync_buffer, and policysync_bytes of a literal begin. */
#define POLICYSYNC_ERROR_INIT { (uint32_t)sizeof(policysync_error), 0, 0, { 0 } }
#define POLICYSYNC_BUFFER_INIT { NULL, 0, 0 }
#define POLICYSYNC_BYTES(literal) { (literal), sizeof(literal) - 1 }

/* The content type of a message over HTTP, in a request and in its answer. */
#define POLICYSYNC_HTTP_CONTENT_TYPE "application/vnd.policysync"

/* ISO C has neither, as Clang would say each time. */
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang diagnostic ignored "-Wnullability-completeness"
#endif

/**
 * The number of the binary interface: part of the shared library's name. Programs built for one number run with every
 * library of that number; it has nothing to do with the version of the library.
 */
#define POLICYSYNC_ABI_VERSION 1

/**
 * `op_index` of an error that is not about one element of an array, nor about one operation of a store.
 */
#define POLICYSYNC_NO_INDEX UINT64_MAX

/**
 * As a `now_ms`: the replica asks its clock; without a clock of its own, the machine's.
 */
#define POLICYSYNC_NOW UINT64_MAX

/**
 * A flag of a replica: operations may carry any `id`. Without it, an `id` must be `actor:t:c`.
 */
#define POLICYSYNC_ANY_LABEL 1

/**
 * A flag of a replica: operations are admitted **without checking any signature**, whoever made them. Only for a relay
 * that stores for others and knows no keys; what it serves must be verified by whoever fetches it. The guard, too,
 * sees operations that nobody has verified.
 */
#define POLICYSYNC_DANGEROUSLY_UNVERIFIED 2

/**
 * A flag of a client: only those of `trusted` are believed. Without it, they are believed beside the authorities that
 * Mozilla trusts.
 */
#define POLICYSYNC_TRUST_NO_OTHERS 1

/**
 * The statuses. Functions return them as `policysync_status`.
 */
typedef enum policysync_status_code {
    /**
     * Done. For an operation that was ingested: it is in the log and merged.
     */
    POLICYSYNC_OK = 0,
    /**
     * There is no such thing. Outputs are not written.
     */
    POLICYSYNC_NOT_FOUND = 1,
    /**
     * There is nothing more at present: the cursor stands at the end, nothing is to be sent or answered, or the line
     * is closed. The function says which.
     */
    POLICYSYNC_DONE = 2,
    /**
     * The operation is in the log, but its timestamp is too far ahead: it is merged when its time comes.
     */
    POLICYSYNC_HELD = 3,
    /**
     * The operation was in the log already.
     */
    POLICYSYNC_DUPLICATE = 4,
    /**
     * A required pointer is NULL, or a length is not 0 where the pointer is NULL.
     */
    POLICYSYNC_ERR_NULL = -1,
    /**
     * An argument has no meaning: the message says which and why.
     */
    POLICYSYNC_ERR_ARGUMENT = -2,
    /**
     * A `struct_size` is too small, or a struct of a later version uses what this library does not know.
     */
    POLICYSYNC_ERR_VERSION = -3,
    /**
     * A callback called the replica that is calling it; or a thread uses what another one is using, and only one may.
     */
    POLICYSYNC_ERR_BUSY = -4,
    /**
     * The library was built without what is asked for.
     */
    POLICYSYNC_ERR_UNSUPPORTED = -5,
    /**
     * A name is not 1 to 1024 bytes of UTF-8 with no control characters, no bidirectional controls.
     */
    POLICYSYNC_ERR_IDENTIFIER = -10,
    /**
     * A value is not JSON, or not JSON that every reader understands alike.
     */
    POLICYSYNC_ERR_VALUE = -11,
    /**
     * The operation would be larger than 1 MiB.
     */
    POLICYSYNC_ERR_TOO_LARGE = -12,
    /**
     * The 32 bytes are not a valid Ed25519 public key.
     */
    POLICYSYNC_ERR_KEY = -13,
    /**
     * The actor has another key under this kid.
     */
    POLICYSYNC_ERR_KEY_TAKEN = -14,
    /**
     * The key belongs to another actor than the operation names.
     */
    POLICYSYNC_ERR_OTHER_ACTOR = -15,
    /**
     * The replica was opened without a key to write with.
     */
    POLICYSYNC_ERR_READ_ONLY = -16,
    /**
     * The time is past 2^53 - 1 milliseconds, or the logical clock is at its end.
     */
    POLICYSYNC_ERR_CLOCK = -17,
    /**
     * Another writer uses this actor: one actor is one device.
     */
    POLICYSYNC_ERR_OTHER_WRITER = -18,
    /**
     * A session was asked for a message while it awaits one, or given one while it awaits none.
     */
    POLICYSYNC_ERR_OUT_OF_TURN = -19,
    /**
     * The session has ended: it has failed, was cancelled, or is finished.
     */
    POLICYSYNC_ERR_ENDED = -20,
    /**
     * The replica is not the one that the session or the push channel began with, or that what is remembered of a
     * session is about.
     */
    POLICYSYNC_ERR_OTHER_REPLICA = -21,
    /**
     * A callback failed, or answered what it may not answer.
     */
    POLICYSYNC_ERR_CALLBACK = -30,
    /**
     * The bytes are not an operation; not a message, not a bundle, not what is remembered of a session. Trying again
     * does not help.
     */
    POLICYSYNC_ERR_MALFORMED = -100,
    /**
     * The operation, the peer or the bundle belongs to another space than the replica.
     */
    POLICYSYNC_ERR_WRONG_SPACE = -101,
    /**
     * The actor has no such key here. Try again when you have registered more keys.
     */
    POLICYSYNC_ERR_UNKNOWN_KEY = -110,
    /**
     * The signature is not the actor's.
     */
    POLICYSYNC_ERR_BAD_SIGNATURE = -111,
    /**
     * The guard refused the operation.
     */
    POLICYSYNC_ERR_DENIED = -120,
    /**
     * The guard stopped the call; nothing of it is kept.
     */
    POLICYSYNC_ERR_ABORTED = -121,
    /**
     * The peer speaks another version of the protocol, or the bundle or what is remembered has another version.
     */
    POLICYSYNC_ERR_PEER_VERSION = -130,
    /**
     * The peer's message is longer than this side takes, or it has sent more operations that are refused than a
     * session bears.
     */
    POLICYSYNC_ERR_LIMIT = -131,
    /**
     * The peer contradicts itself, or what it was told.
     */
    POLICYSYNC_ERR_LIE = -132,
    /**
     * The message answers another one: an earlier one of the session, or another session's. The session still waits.
     */
    POLICYSYNC_ERR_STRAY = -133,
    /**
     * The peer has answered many times in a row and neither brought an operation nor taken one.
     */
    POLICYSYNC_ERR_NO_PROGRESS = -134,
    /**
     * The peer has ended the session; the message says why.
     */
    POLICYSYNC_ERR_REFUSED = -135,
    /**
     * The peer no longer knows the earlier session to go on from. Begin anew without it.
     */
    POLICYSYNC_ERR_FORGOTTEN = -136,
    /**
     * The bundle is cut short or changed; the message says where. Get it again. Or what is remembered of a session was
     * sealed with another key, or has been changed.
     */
    POLICYSYNC_ERR_DAMAGED = -137,
    /**
     * The log has no room for more operations.
     */
    POLICYSYNC_ERR_FULL = -200,
    /**
     * The store is damaged; the message says where and how. Where it is one operation, `op_index` is its number, by
     * arrival. See `policysync_store_salvage`.
     */
    POLICYSYNC_ERR_CORRUPT = -201,
    /**
     * Somebody else has the store open: one process, and in it one replica, at a time.
     */
    POLICYSYNC_ERR_LOCKED = -202,
    /**
     * The disk or the file system failed. Try again when the cause is gone.
     */
    POLICYSYNC_ERR_IO = -203,
    /**
     * The path names no store: a directory, a pipe, a file of another program.
     */
    POLICYSYNC_ERR_NOT_A_STORE = -204,
    /**
     * The store holds less than it once did: it is an old copy, or something was taken out.
     */
    POLICYSYNC_ERR_ROLLED_BACK = -205,
    /**
     * There is no room on the disk. Free some and try again.
     */
    POLICYSYNC_ERR_NO_SPACE = -206,
    /**
     * The file, its directory or the disk may not be written to.
     */
    POLICYSYNC_ERR_NOT_WRITABLE = -207,
    /**
     * A newer version of this library wrote the store. It has not been touched.
     */
    POLICYSYNC_ERR_NEWER = -208,
    /**
     * There is a file already, and nothing is written over it.
     */
    POLICYSYNC_ERR_EXISTS = -209,
    /**
     * Since it was opened the file has been moved, removed or replaced.
     */
    POLICYSYNC_ERR_MOVED = -210,
    /**
     * The store is a backup, and this actor wrote into it before it was made. A new installation is a new actor.
     */
    POLICYSYNC_ERR_RESTORED_BACKUP = -211,
    /**
     * libsodium does not work here, or is another one than the library was made for.
     */
    POLICYSYNC_ERR_CRYPTO = -300,
    /**
     * A bug of the library. The replica cannot be used any more, only freed; so it is with its cursors.
     */
    POLICYSYNC_ERR_PANIC = -301,
    /**
     * The name of the server's host is not known, or cannot be looked up at present.
     */
    POLICYSYNC_ERR_HOST = -400,
    /**
     * The connection was refused, broke, or is closed.
     */
    POLICYSYNC_ERR_CONNECTION = -401,
    /**
     * The server did not answer, or took nothing, for as long as the options say.
     */
    POLICYSYNC_ERR_TIMEOUT = -402,
    /**
     * What answers for the server says that it cannot at present (HTTP status 429, or 500 and above). A PolicySync
     * server that fails says so itself: `POLICYSYNC_ERR_REFUSED`.
     */
    POLICYSYNC_ERR_UNAVAILABLE = -403,
    /**
     * The server answered with another HTTP status, a redirect among them; the message says which.
     */
    POLICYSYNC_ERR_HTTP_STATUS = -450,
    /**
     * The server wants a token, or another one (HTTP status 401 or 403).
     */
    POLICYSYNC_ERR_UNAUTHORIZED = -451,
    /**
     * The server's certificate does not fit, or there is no TLS; the message says why.
     */
    POLICYSYNC_ERR_TLS = -452,
    /**
     * What answers is no server of this protocol: a login page, for example.
     */
    POLICYSYNC_ERR_NOT_A_SERVER = -453,
} policysync_status_code;

/**
 * What an operation does to its field: `kind` of `policysync_op`.
 */
typedef enum policysync_op_kind {
    /**
     * The field has the value, until a later operation on it.
     */
    POLICYSYNC_SET = 1,
    /**
     * The field is gone, until a later set. The value is `null`.
     */
    POLICYSYNC_DELETE = 2,
} policysync_op_kind;

/**
 * In which form an operation crosses. What arrives may have either.
 */
typedef enum policysync_format {
    /**
     * The canonical JSON form (RFC 8785), on one line.
     */
    POLICYSYNC_JSON = 1,
    /**
     * The binary form: smaller, and quicker to read.
     */
    POLICYSYNC_BINARY = 2,
} policysync_format;

/**
 * What a guard says of an operation.
 */
typedef enum policysync_verdict {
    /**
     * Let it in.
     */
    POLICYSYNC_ADMIT = 1,
    /**
     * Refuse this one; the others go on.
     */
    POLICYSYNC_REJECT = 2,
    /**
     * Stop: refuse all that the call offers, and leave the replica as it was.
     */
    POLICYSYNC_ABORT = 3,
} policysync_verdict;

/**
 * What an operation did to its field: `effect` of `policysync_outcome`.
 */
typedef enum policysync_effect {
    /**
     * Nothing: it was refused, is held, or was there already.
     */
    POLICYSYNC_NO_EFFECT = 0,
    /**
     * The field is what it says now.
     */
    POLICYSYNC_WON = 1,
    /**
     * The field stays as it is: a greater operation stands above this one.
     */
    POLICYSYNC_LOST = 2,
} policysync_effect;

/**
 * What a write to a file that was acknowledged survives: `durability` of `policysync_replica_options`.
 */
typedef enum policysync_durability {
    /**
     * A crash of the process or the system, and a loss of power.
     */
    POLICYSYNC_DURABILITY_FULL = 0,
    /**
     * A crash of the process only. When the system or the power fails, the **last writes may be gone, although they
     * were acknowledged and may have been sent to others**; what is left is undamaged. A device that loses writes of
     * its own this way can be made to say two things at one time: give it a new key and actor after such a failure. It
     * saves a wait for the disk with every call that writes.
     */
    POLICYSYNC_DURABILITY_PROCESS_ONLY = 1,
} policysync_durability;

/**
 * Whether the seal of a store fits its operations: `seal` of `policysync_store_report`.
 */
typedef enum policysync_seal {
    /**
     * There is no seal, or no key to check it with.
     */
    POLICYSYNC_SEAL_UNCHECKED = 0,
    /**
     * It fits: these operations were verified before.
     */
    POLICYSYNC_SEAL_FITS = 1,
    /**
     * It does not fit the operations, or the key is another.
     */
    POLICYSYNC_SEAL_BROKEN = 2,
} policysync_seal;

/**
 * How a session stands: `state` of `policysync_progress` and `policysync_finish`.
 */
typedef enum policysync_session_state {
    /**
     * It has not ended yet.
     */
    POLICYSYNC_SESSION_RUNNING = 0,
    /**
     * What this replica held when the session began, and what came in through it, is what the peer held then, and what
     * it has taken since.
     */
    POLICYSYNC_SESSION_CONVERGED = 1,
    /**
     * The two replicas hold different operations: the progress says what was refused, and by whom.
     */
    POLICYSYNC_SESSION_NOT_CONVERGED = 2,
    /**
     * `policysync_session_cancel` was called.
     */
    POLICYSYNC_SESSION_CANCELLED = 3,
    /**
     * A call failed, and its status says why. What was admitted stays; begin a new session.
     */
    POLICYSYNC_SESSION_FAILED = 4,
} policysync_session_state;

/**
 * A walk over the log in the order of arrival. What arrives during the walk is found at its end: nothing is missed and
 * nothing comes twice. It keeps what it needs of its replica, so the two may be freed in any order. One thread at a
 * time.
 */
typedef struct policysync_cursor policysync_cursor;

/**
 * Synchronises with a server over HTTP: each message is a POST to one URL. It follows no redirects, keeps no cookies,
 * takes no proxy from the environment, and keeps its connection for the next request. To look up a name it starts a
 * thread, which ends when the system answers. Any thread may use it, several at once too.
 */
typedef struct policysync_http_client policysync_http_client;

/**
 * A key pair and the actor it speaks for. An actor is one writer: one device, one installation; two devices that write
 * as one actor look like a liar who says two things at once. Never changes, so any thread may use it at any time. The
 * secret is wiped when it is freed.
 */
typedef struct policysync_key policysync_key;

/**
 * The side of a line that was called, one for each line: answers sessions, and then says what arrives here. The
 * application carries the messages, whole and in order. Any thread may use it; calls from several threads wait for
 * each other.
 */
typedef struct policysync_line_answerer policysync_line_answerer;

/**
 * The side of a line that calls: runs a session, and when that has converged, says what is written here as it is
 * written, and takes in what the other side says. The application carries the messages, whole and in order. A session
 * that does not converge is run again when something was written here, and once in a minute. Any thread may use it;
 * calls from several threads wait for each other.
 */
typedef struct policysync_line_caller policysync_line_caller;

/**
 * What follows a session on a line that stays open: operations that have arrived since, as they arrive, but not those
 * that came from the peer itself. Either side sends when it likes; nothing is answered. What gets lost on the way is
 * found by the next session. Any thread may use it; calls from several threads wait for each other.
 */
typedef struct policysync_push policysync_push;

/**
 * One copy of the data: what this device has written and what it has received, merged. Any thread may use it; calls
 * from several threads wait for each other. A replica opens no sockets, and starts no threads that outlive a call.
 */
typedef struct policysync_replica policysync_replica;

/**
 * Answers the messages of any number of sessions, in any order. All that it needs to know of a session stands in each
 * message, so a message may be answered by one of several processes, if they share the secret and the operations; what
 * it keeps only saves work. Any thread may use it; calls from several threads wait for each other.
 */
typedef struct policysync_responder policysync_responder;

/**
 * A session with a peer, from the side that begins it: what to send next, and what to do with the answer. The
 * application carries the bytes, over anything. Between two calls the replica may be written to; what is written
 * during a session waits for the next one. The two are freed in any order. Any thread may use it; calls from several
 * threads wait for each other.
 */
typedef struct policysync_session policysync_session;

/**
 * What a session has found two replicas to have in common, for the next session with the same peer, which leaves it
 * out. It is about one replica that stays open and one responder; others do not know it, and start from the beginning.
 * To have it outlive the process, see `policysync_sync_base_to_bytes`. Never changes, so any thread may use it at any
 * time.
 */
typedef struct policysync_sync_base policysync_sync_base;

/**
 * A WebSocket to a server: runs a session, and then sends what is written here as it is written, and takes in what
 * arrives there. It starts no thread: call `policysync_websocket_client_wait` and `policysync_websocket_client_work`
 * in turn, in a thread of your own. When the line ends, make a new one, a little later each time; its first session
 * finds what was on its way. One thread at a time: a call while another is running gives `POLICYSYNC_ERR_BUSY`.
 */
typedef struct policysync_websocket_client policysync_websocket_client;

/**
 * What a function returns: 0 when it has done its work, a positive number for another normal outcome, a negative one
 * for a failure. The names are in `policysync_status_code`; `policysync_status_name` gives them as text. Later
 * versions may add codes; none is ever given another meaning.
 */
typedef int32_t policysync_status;

/**
 * Bytes that the library has allocated. Begin with `policysync_buffer buffer = POLICYSYNC_BUFFER_INIT;`, hand it to as
 * many calls as you like, each of which replaces what it holds, and end with `policysync_buffer_dispose`. A call that
 * fails or finds nothing leaves it as it was. Change none of its members. One thread at a time.
 */
typedef struct policysync_buffer {
    /**
     * The bytes, and one NUL behind them that `len` does not count. NULL before the first call.
     */
    uint8_t *POLICYSYNC_NULLABLE data;
    /**
     * How many bytes there are.
     */
    size_t len;
    /**
     * How many bytes have room, for the library.
     */
    size_t capacity;
} policysync_buffer;

/**
 * A timestamp of a hybrid logical clock.
 */
typedef struct policysync_hlc {
    /**
     * Milliseconds since 1970, 0 to 2^53 - 1.
     */
    uint64_t t;
    /**
     * The counter, 0 to 2^32 - 2.
     */
    uint32_t c;
    /**
     * 0.
     */
    uint32_t reserved;
} policysync_hlc;

/**
 * What went wrong. The caller has the memory; a function that fails writes it, one that succeeds leaves it as it is.
 * Nothing in it needs to be freed. Begin with `policysync_error error = POLICYSYNC_ERROR_INIT;`. One thread at a time.
 */
typedef struct policysync_error {
    /**
     * `sizeof(policysync_error)`. The library writes at most so many bytes, and none if it is less than 24.
     */
    uint32_t struct_size;
    /**
     * The status that was returned.
     */
    policysync_status status;
    /**
     * Which element of an array is at fault, counted from 0; of a store, which operation, by its number; or
     * `POLICYSYNC_NO_INDEX`.
     */
    uint64_t op_index;
    /**
     * One line of UTF-8 that ends with NUL, cut where it is too long. Names and values from outside are shortened and
     * escaped in it, and it never holds a secret.
     */
    char message[240];
} policysync_error;

/**
 * Bytes of somebody else: text in UTF-8, JSON, an operation. They need not end with NUL. Where `len` is 0, `data` is
 * not looked at. Make one of a literal by `POLICYSYNC_BYTES("text")`.
 */
typedef struct policysync_bytes {
    /**
     * The first byte.
     */
    const void *POLICYSYNC_NULLABLE data;
    /**
     * How many there are.
     */
    size_t len;
} policysync_bytes;

/**
 * An operation. As an argument of a callback it lives until the callback returns; from a cursor, until the next call
 * on that cursor. Later versions may add members at the end: walk over an array by its stride.
 */
typedef struct policysync_op {
    /**
     * `sizeof(policysync_op)`.
     */
    uint32_t struct_size;
    /**
     * What it does to its field: a `policysync_op_kind`.
     */
    uint32_t kind;
    /**
     * When it was said: milliseconds since 1970, 0 to 2^53 - 1.
     */
    uint64_t t;
    /**
     * The logical counter, 0 to 2^32 - 2.
     */
    uint32_t c;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * Its identity: SHA-256 of the text that is signed.
     */
    uint8_t hash[32];
    /**
     * Ed25519 signature. For a guard: zero, since it is no part of what is said.
     */
    uint8_t signature[64];
    /**
     * Who says it.
     */
    struct policysync_bytes actor;
    /**
     * Which of the actor's keys signed. For a guard: empty.
     */
    struct policysync_bytes kid;
    /**
     * The kind of thing that is changed.
     */
    struct policysync_bytes entity;
    /**
     * Which thing of that kind.
     */
    struct policysync_bytes entity_id;
    /**
     * Which field of it.
     */
    struct policysync_bytes path;
    /**
     * What the field becomes: canonical JSON; `null` for a delete.
     */
    struct policysync_bytes value;
    /**
     * The log that it belongs to; empty for none.
     */
    struct policysync_bytes space;
    /**
     * Its `id`, where that is not `actor:t:c`; else empty.
     */
    struct policysync_bytes label;
} policysync_op;

/**
 * Refuses operations that the application does not want, a batch at a time. It sees only operations that are new
 * and, unless the replica was opened with `POLICYSYNC_DANGEROUSLY_UNVERIFIED`, verified: it can refuse, it can never
 * admit what is not signed, and running without a guard loses no check of a signature.
 *
 * **A guard must be a deterministic function of the operation alone**: not of the time, of what is stored, of the
 * order of calls. Otherwise two replicas admit different operations and never agree again.
 */
typedef struct policysync_guard {
    /**
     * `sizeof(policysync_guard)`.
     */
    uint32_t struct_size;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * Handed to `check` and `destroy`.
     */
    void *POLICYSYNC_NULLABLE ctx;
    /**
     * Writes a `policysync_verdict` for each operation. `ops` are `stride` bytes apart and live until it returns.
     * `verdicts` are all 0 before; one that is 0 afterwards, or any other unknown number, makes the call fail with
     * `POLICYSYNC_ERR_CALLBACK`. So does a result other than 0. Required.
     */
    policysync_status (*POLICYSYNC_NULLABLE check)(void *POLICYSYNC_NULLABLE ctx,
                                                   const struct policysync_op *POLICYSYNC_NONNULL ops,
                                                   size_t stride,
                                                   size_t count,
                                                   int32_t *POLICYSYNC_NONNULL verdicts);
    /**
     * Called exactly once for each time that the struct was handed over, also when that call failed. NULL for nothing.
     */
    void (*POLICYSYNC_NULLABLE destroy)(void *POLICYSYNC_NULLABLE ctx);
} policysync_guard;

/**
 * Where a replica gets the time from when a call says `POLICYSYNC_NOW`.
 */
typedef struct policysync_clock {
    /**
     * `sizeof(policysync_clock)`.
     */
    uint32_t struct_size;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * Handed to `now_ms` and `destroy`.
     */
    void *POLICYSYNC_NULLABLE ctx;
    /**
     * Writes the milliseconds since 1970 and returns 0. It may go back, stand still and be wrong. Another result makes
     * the call fail with `POLICYSYNC_ERR_CALLBACK`. Required.
     */
    policysync_status (*POLICYSYNC_NULLABLE now_ms)(void *POLICYSYNC_NULLABLE ctx,
                                                    uint64_t *POLICYSYNC_NONNULL out_ms);
    /**
     * Called exactly once for each time that the struct was handed over, also when that call failed. NULL for nothing.
     */
    void (*POLICYSYNC_NULLABLE destroy)(void *POLICYSYNC_NULLABLE ctx);
} policysync_clock;

/**
 * Told when fields have changed, so that nobody has to ask again and again.
 */
typedef struct policysync_observer {
    /**
     * `sizeof(policysync_observer)`.
     */
    uint32_t struct_size;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * Handed to `changed` and `destroy`.
     */
    void *POLICYSYNC_NULLABLE ctx;
    /**
     * There are changes that `policysync_replica_poll` has not handed out yet. Called at the end of each call that
     * writes or ingests and leaves it so. Like every callback it may not call the replica: remember that there is
     * something to do, and poll when the call has returned. Required.
     */
    void (*POLICYSYNC_NULLABLE changed)(void *POLICYSYNC_NULLABLE ctx);
    /**
     * Called exactly once for each time that the struct was handed over, also when that call failed. NULL for nothing.
     */
    void (*POLICYSYNC_NULLABLE destroy)(void *POLICYSYNC_NULLABLE ctx);
} policysync_observer;

/**
 * A public key, and whose it is. It stays as it is for as long as the ABI number does.
 */
typedef struct policysync_public_key {
    /**
     * Whose key it is; 1 to 1024 bytes of UTF-8.
     */
    struct policysync_bytes actor;
    /**
     * Which of the actor's keys it is; empty for the kid that is derived from the key.
     */
    struct policysync_bytes kid;
    /**
     * The key.
     */
    uint8_t public_key[32];
} policysync_public_key;

/**
 * What a replica holds, in a few bytes. Replicas with equal `count` and `log` hold the same operations; with equal
 * `state` they show the same fields.
 */
typedef struct policysync_digest {
    /**
     * `sizeof(policysync_digest)`, set by the caller.
     */
    uint32_t struct_size;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * How many operations are in the log.
     */
    uint64_t count;
    /**
     * SHA-256 over the operations' hashes in their order.
     */
    uint8_t log[32];
    /**
     * SHA-256 over every field and the hash of the operation that won it.
     */
    uint8_t state[32];
} policysync_digest;

/**
 * How a replica is opened. Zero in every member but the first is the default, and what an older program does not know
 * is zero. Begin with `policysync_replica_options_init`. All pointers are borrowed for the call that takes the
 * options; what `guard`, `clock` and `observer` point to is copied, and their contexts are taken over.
 */
typedef struct policysync_replica_options {
    /**
     * `sizeof(policysync_replica_options)`.
     */
    uint32_t struct_size;
    /**
     * `POLICYSYNC_ANY_LABEL`, `POLICYSYNC_DANGEROUSLY_UNVERIFIED`, or both; 0 for neither.
     */
    uint32_t flags;
    /**
     * How far ahead of the wall clock an operation may be, in milliseconds, before it is held until its time comes; 0
     * for ten minutes.
     */
    uint64_t max_drift_ms;
    /**
     * How many threads verify signatures and, in a large batch, look up what the operations are about. They live as
     * long as a call; 0 and 1 for the caller's alone. More need a library built with the feature `parallel`; the guard
     * is still called on the caller's thread.
     */
    uint32_t threads;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * The key to write with, which is registered too; NULL for a replica that only reads. It is copied.
     */
    const struct policysync_key *POLICYSYNC_NULLABLE key;
    /**
     * The log's name, 1 to 1024 bytes: operations are signed for it, and no others are admitted. Empty for operations
     * without a space.
     */
    struct policysync_bytes space;
    /**
     * Refuses operations that the application does not want; NULL for none.
     */
    const struct policysync_guard *POLICYSYNC_NULLABLE guard;
    /**
     * Answers `POLICYSYNC_NOW`; NULL for the machine's clock.
     */
    const struct policysync_clock *POLICYSYNC_NULLABLE clock;
    /**
     * Told of changes; NULL for none.
     */
    const struct policysync_observer *POLICYSYNC_NULLABLE observer;
    /**
     * The keys that are known from the start, `keys_stride` bytes from one to the next:
     * `sizeof(policysync_public_key)`. A file that is opened without its `seal_key` needs those of all that have
     * written in it; for others `policysync_replica_register_key` does as well. NULL for none.
     */
    const struct policysync_public_key *POLICYSYNC_NULLABLE keys;
    /**
     * How many bytes from one key to the next.
     */
    size_t keys_stride;
    /**
     * How many keys there are.
     */
    size_t keys_count;
    /**
     * The file that the replica is kept in, which is made where there is none: UTF-8, on Unix any bytes, without NUL.
     * Empty for a replica in memory. Needs a library built with the feature `sqlite`, which is a default.
     *
     * One process, and in it one replica, has a file open; for others it is `POLICYSYNC_ERR_LOCKED`. SQLite keeps a
     * second file beside it while it is open (`-wal`). Leave both alone meanwhile: on Unix, a process that opens and
     * closes the file in another way gives up its lock. To copy it, use `policysync_replica_back_up`.
     */
    struct policysync_bytes path;
    /**
     * The present time: operations in the file that are stamped later than this and the drift are held. Milliseconds
     * since 1970; 0 and `POLICYSYNC_NOW` for the clock. Like all that follows, not looked at without a path.
     */
    uint64_t now_ms;
    /**
     * What an acknowledged write to the file survives: a `policysync_durability`.
     */
    uint32_t durability;
    /**
     * 0.
     */
    uint32_t reserved_2;
    /**
     * Seals the file: 32 secret bytes that whoever can write to it does not know, from the platform's key store. A
     * keyed digest over all operations, renewed with every write, then proves at the next opening that they were
     * verified before, which saves a curve operation each. A file that has no seal yet is verified and sealed. A
     * replica that is opened without the key verifies signatures, and its first write takes the seal away. With
     * another key than that which sealed the file, opening gives `POLICYSYNC_ERR_CORRUPT`, and the message names the
     * seal; where the key is lost, open without one. Not together with `POLICYSYNC_DANGEROUSLY_UNVERIFIED`. NULL for
     * none. It is copied.
     */
    const uint8_t *POLICYSYNC_NULLABLE seal_key;
    /**
     * Refuses a file that holds less than it once did (`POLICYSYNC_ERR_ROLLED_BACK`): the digest of this replica at an
     * earlier time, of which `count` and `log` are looked at, kept where whoever can replace the file cannot. Without
     * it nothing in an old copy of the file shows that it is old. NULL for none.
     */
    const struct policysync_digest *POLICYSYNC_NULLABLE at_least;
} policysync_replica_options;

/**
 * Which field of which thing: three names of 1 to 1024 bytes of UTF-8. This struct never changes.
 */
typedef struct policysync_field {
    /**
     * The kind of thing.
     */
    struct policysync_bytes entity;
    /**
     * Which thing of that kind.
     */
    struct policysync_bytes entity_id;
    /**
     * Which field of it.
     */
    struct policysync_bytes path;
} policysync_field;

/**
 * What became of one operation. Hashes that do not apply are zero. Later versions may add members at the end: use your
 * own `sizeof(policysync_outcome)` as the stride, and make an array zero before the call.
 */
typedef struct policysync_outcome {
    /**
     * `POLICYSYNC_OK` (in the log and merged), `POLICYSYNC_HELD`, `POLICYSYNC_DUPLICATE`, or why it was refused:
     * `POLICYSYNC_ERR_MALFORMED`, `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_UNKNOWN_KEY`,
     * `POLICYSYNC_ERR_BAD_SIGNATURE`, `POLICYSYNC_ERR_DENIED`.
     */
    policysync_status status;
    /**
     * What it did to its field: a `policysync_effect`.
     */
    uint32_t effect;
    /**
     * Of an operation that is held: when the wall clock says this, it is merged.
     */
    uint64_t until_ms;
    /**
     * Its identity; zero where it was refused.
     */
    uint8_t hash[32];
    /**
     * Of one that won, the operation that had won before; of one that lost, the greater one.
     */
    uint8_t other[32];
    /**
     * Another operation of the same actor with the same timestamp: the actor said two things at one time.
     */
    uint8_t equivocates_with[32];
} policysync_outcome;

/**
 * What a check of a store found.
 */
typedef struct policysync_store_report {
    /**
     * `sizeof(policysync_store_report)`, set by the caller.
     */
    uint32_t struct_size;
    /**
     * Whether the seal fits: a `policysync_seal`. `policysync_store_salvage` does not tell.
     */
    uint32_t seal;
    /**
     * How many operations are there and verified; after `policysync_store_salvage`, how many are in the new store.
     */
    uint64_t operations;
    /**
     * How many things are wrong, or cannot be told. 0 for a store in which nothing is.
     */
    uint64_t findings;
} policysync_store_report;

/**
 * How a session is run, by either side. Zero in every member but the first is the default. Begin with
 * `policysync_sync_options_init`. All pointers are borrowed for the call that takes the options.
 */
typedef struct policysync_sync_options {
    /**
     * `sizeof(policysync_sync_options)`.
     */
    uint32_t struct_size;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * Bytes of the longest message that this side takes: from 1114112, the default, to 16777216; what is outside
     * is moved to the nearer end. A greater limit means fewer round trips for many operations, and more memory for
     * each message.
     */
    uint64_t max_message_bytes;
    /**
     * What an earlier session with the same peer has found to be common, to be left out; NULL for none. Where the peer
     * no longer knows it, or the replica is another, the session starts from the beginning. A responder does not look
     * at it. It is copied.
     */
    const struct policysync_sync_base *POLICYSYNC_NULLABLE since;
} policysync_sync_options;

/**
 * How many operations were refused, by reason. This struct never changes.
 */
typedef struct policysync_refusals {
    /**
     * No operations: they break a rule of the format.
     */
    uint64_t malformed;
    /**
     * The key is not known. Register it and synchronise again.
     */
    uint64_t unknown_key;
    /**
     * Not signed by the actor that they name.
     */
    uint64_t bad_signature;
    /**
     * Refused by the guard.
     */
    uint64_t denied;
    /**
     * Another space's.
     */
    uint64_t other_space;
    /**
     * Refused for another reason, that this version does not know or does not count by itself.
     */
    uint64_t other;
} policysync_refusals;

/**
 * How far a session is: to be shown to people while it runs.
 */
typedef struct policysync_progress {
    /**
     * `sizeof(policysync_progress)`, set by the caller.
     */
    uint32_t struct_size;
    /**
     * How the session stands: a `policysync_session_state`. It has ended when `policysync_session_next_message` says
     * that there is nothing more to send.
     */
    uint32_t state;
    /**
     * Operations from the peer that are new in this log.
     */
    uint64_t received;
    /**
     * Operations from the peer that were here already.
     */
    uint64_t known;
    /**
     * Operations from the peer that this replica refused. One that is refused for its signature is asked for again,
     * and counts no longer when a good copy has come.
     */
    struct policysync_refusals refused;
    /**
     * Operations that were sent and that the peer has answered for.
     */
    uint64_t sent;
    /**
     * Of these, those that the peer refused.
     */
    struct policysync_refusals refused_by_peer;
    /**
     * Bytes of all messages that were made.
     */
    uint64_t bytes_sent;
    /**
     * Bytes of all messages that were received.
     */
    uint64_t bytes_received;
    /**
     * Of the bytes sent, those of operations.
     */
    uint64_t op_bytes_sent;
    /**
     * Of the bytes received, those of operations.
     */
    uint64_t op_bytes_received;
    /**
     * Answers that were received.
     */
    uint64_t round_trips;
    /**
     * Operations that are known to be still to be sent.
     */
    uint64_t left_to_send;
    /**
     * Operations that are at least still to be received, by what the peer says it has.
     */
    uint64_t left_to_receive;
} policysync_progress;

/**
 * How a session ended.
 */
typedef struct policysync_finish {
    /**
     * `sizeof(policysync_finish)`, set by the caller.
     */
    uint32_t struct_size;
    /**
     * How it stands: a `policysync_session_state`.
     */
    uint32_t state;
    /**
     * Of a session that converged, the operations that both hold; 0 of others.
     */
    uint64_t count;
    /**
     * Of a session that converged, a digest over the operations that it compared, different for each session: the two
     * sides of one session have the same when they have the same operations; others tell nothing. Zero of others. To
     * compare replicas at leisure, see `policysync_replica_digest`.
     */
    uint8_t digest[16];
} policysync_finish;

/**
 * What became of the operations that a call was given.
 */
typedef struct policysync_intake {
    /**
     * `sizeof(policysync_intake)`, set by the caller.
     */
    uint32_t struct_size;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * Operations that are new in this log.
     */
    uint64_t received;
    /**
     * Operations that were here already.
     */
    uint64_t known;
    /**
     * Operations that this replica refused.
     */
    struct policysync_refusals refused;
    /**
     * Operations in the answer of a responder; 0 elsewhere.
     */
    uint64_t sent;
    /**
     * Bytes of a bundle that were read; 0 elsewhere.
     */
    uint64_t bytes;
} policysync_intake;

/**
 * A header of a request. This struct never changes.
 */
typedef struct policysync_header {
    /**
     * Its name: a token of HTTP, and not one that the client writes itself.
     */
    struct policysync_bytes name;
    /**
     * Its value: 1 to 8192 bytes of printable ASCII, with spaces and tabs between others.
     */
    struct policysync_bytes value;
} policysync_header;

/**
 * How a client of HTTP or WebSocket connects. Zero in every member but the first is the default. Begin with
 * `policysync_client_options_init`. All pointers are borrowed for the call that takes the options. No value of a
 * header and no token is ever in an error; the library's own copies are wiped when the client is freed.
 */
typedef struct policysync_client_options {
    /**
     * `sizeof(policysync_client_options)`.
     */
    uint32_t struct_size;
    /**
     * `POLICYSYNC_TRUST_NO_OTHERS`, or 0.
     */
    uint32_t flags;
    /**
     * Shown to the server with each request of HTTP, and with the one that opens a WebSocket: the header
     * `Authorization: Bearer …`. Without TLS whoever carries it can read it. Empty for none.
     */
    struct policysync_bytes bearer_token;
    /**
     * Further headers, `headers_stride` bytes from one to the next: `sizeof(policysync_header)`. Of two with one name
     * the later one is sent, and the token in place of an `Authorization`. NULL for none.
     */
    const struct policysync_header *POLICYSYNC_NULLABLE headers;
    /**
     * How many bytes from one header to the next.
     */
    size_t headers_stride;
    /**
     * How many headers there are.
     */
    size_t headers_count;
    /**
     * Further authorities to believe of a server's certificate: certificates in PEM, all that are there, or one in
     * DER. They are believed beside those that Mozilla trusts; with `POLICYSYNC_TRUST_NO_OTHERS` instead of them, and
     * then nobody is believed where this is empty. Empty for Mozilla's alone. Needs a library built with the feature
     * `tls`.
     */
    struct policysync_bytes trusted;
    /**
     * How long each step of connecting may take; 0 for 10 seconds, and more than a day counts as a day. Over HTTP: to
     * look up the name of the host, and to connect, with all of its addresses and TLS together. For a WebSocket: to
     * connect to each address of the host, to agree on TLS, and to agree on WebSocket; the look-up of the name takes
     * as long as the system allows.
     */
    uint64_t connect_timeout_ms;
    /**
     * How long to wait for the head of an HTTP answer; 0 for 30 seconds. Like the next two, not looked at for a
     * WebSocket.
     */
    uint64_t answer_timeout_ms;
    /**
     * How long the body of an HTTP request, and that of an answer, may take; 0 for 60 seconds.
     */
    uint64_t body_timeout_ms;
    /**
     * How long one HTTP request may take, with its answer; 0 for 120 seconds.
     */
    uint64_t overall_timeout_ms;
    /**
     * How long `policysync_websocket_client_wait` waits where nothing comes; 0 for 100 milliseconds. Like those that
     * follow, not looked at for HTTP.
     */
    uint64_t wait_ms;
    /**
     * How long without a message until the server is asked whether it is there; 0 for 20 seconds.
     */
    uint64_t ping_after_ms;
    /**
     * How long without a message or an answer to a ping until the line is given up; 0 for 60 seconds.
     */
    uint64_t silence_ms;
    /**
     * How long a message may be stuck on its way out until the line is given up; 0 for 30 seconds.
     */
    uint64_t stall_ms;
} policysync_client_options;

/**
 * Takes bytes, one piece after the other: into a file, over a line.
 */
typedef struct policysync_writer {
    /**
     * `sizeof(policysync_writer)`.
     */
    uint32_t struct_size;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * Handed to `write` and `destroy`.
     */
    void *POLICYSYNC_NULLABLE ctx;
    /**
     * Takes all of `len` bytes, at least one, and returns 0. They live until it returns. Another result makes the call
     * fail with `POLICYSYNC_ERR_CALLBACK`, and it is not called again. Required.
     */
    policysync_status (*POLICYSYNC_NULLABLE write)(void *POLICYSYNC_NULLABLE ctx,
                                                   const uint8_t *POLICYSYNC_NONNULL data,
                                                   size_t len);
    /**
     * Called exactly once for each time that the struct was handed over, also when that call failed. NULL for nothing.
     */
    void (*POLICYSYNC_NULLABLE destroy)(void *POLICYSYNC_NULLABLE ctx);
} policysync_writer;

/**
 * What was written into a bundle.
 */
typedef struct policysync_exported {
    /**
     * `sizeof(policysync_exported)`, set by the caller.
     */
    uint32_t struct_size;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * Operations in the bundle.
     */
    uint64_t ops;
    /**
     * Bytes of the bundle.
     */
    uint64_t bytes;
    /**
     * Where the next bundle of `policysync_replica_export_bundle` goes on from.
     */
    uint64_t position;
} policysync_exported;

/**
 * Gives bytes, one piece after the other: from a file, from a line.
 */
typedef struct policysync_reader {
    /**
     * `sizeof(policysync_reader)`.
     */
    uint32_t struct_size;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * Handed to `read` and `destroy`.
     */
    void *POLICYSYNC_NULLABLE ctx;
    /**
     * Writes up to `capacity` bytes, at least one, into `out`, says in `out_len` how many they are, and returns 0.
     * None are the end: it is not called again. An `out_len` that is greater than `capacity` or that is left as it was
     * makes the call fail with `POLICYSYNC_ERR_CALLBACK`; so does another result. Required.
     */
    policysync_status (*POLICYSYNC_NULLABLE read)(void *POLICYSYNC_NULLABLE ctx,
                                                  uint8_t *POLICYSYNC_NONNULL out,
                                                  size_t capacity,
                                                  size_t *POLICYSYNC_NONNULL out_len);
    /**
     * Called exactly once for each time that the struct was handed over, also when that call failed. NULL for nothing.
     */
    void (*POLICYSYNC_NULLABLE destroy)(void *POLICYSYNC_NULLABLE ctx);
} policysync_reader;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library as text: `"0.1.0"`.
 *
 * Returns static text that ends with NUL and must not be freed. Any thread. Since ABI 1.
 */
POLICYSYNC_API
const char *POLICYSYNC_NONNULL policysync_version(void);

/**
 * The version of the library as a number: `major * 1000000 + minor * 1000 + patch`, to be compared with
 * `POLICYSYNC_VERSION_NUMBER` of the header that the program was compiled with.
 *
 * Any thread. Since ABI 1.
 */
POLICYSYNC_API
uint32_t policysync_version_number(void);

/**
 * The number of the library's binary interface, to be compared with `POLICYSYNC_ABI_VERSION` of the header that the
 * program was compiled with: they must be equal.
 *
 * Any thread. Since ABI 1.
 */
POLICYSYNC_API
uint32_t policysync_abi_version(void);

/**
 * The name of a status, `"POLICYSYNC_ERR_NULL"`; `"POLICYSYNC_UNKNOWN"` for a number that this library does not use.
 *
 * Returns static text that ends with NUL and must not be freed. Any thread. Since ABI 1.
 */
POLICYSYNC_API
const char *POLICYSYNC_NONNULL policysync_status_name(policysync_status status);

/**
 * Frees what a buffer holds, and makes it as `POLICYSYNC_BUFFER_INIT` does, so that it can be used or disposed again.
 * NULL is allowed. One thread at a time for one buffer. Since ABI 1.
 */
POLICYSYNC_API
void policysync_buffer_dispose(struct policysync_buffer *POLICYSYNC_NULLABLE buffer);

/**
 * What the machine's clock says: milliseconds since 1970.
 *
 * Any thread. Since ABI 1.
 */
POLICYSYNC_API
uint64_t policysync_system_clock_ms(void);

/**
 * The timestamp after `last` when the wall clock says `now_ms`: it never goes back.
 *
 * `last`: the last timestamp that was handed out or seen; NULL for none.
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW` for the machine's clock.
 * `out`: the timestamp. May be the same memory as `last`.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_CLOCK` or `POLICYSYNC_ERR_PANIC`. Any thread. Since
 * ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_hlc_now(const struct policysync_hlc *POLICYSYNC_NULLABLE last,
                                     uint64_t now_ms,
                                     struct policysync_hlc *POLICYSYNC_NONNULL out,
                                     struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Makes a new key pair for an actor, from the system's random numbers. Its kid is derived from the public key.
 *
 * `actor`, `actor_len`: 1 to 1024 bytes of UTF-8; borrowed for the call.
 * `out`: the key, to be freed with `policysync_key_free`; NULL when the call fails.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), `POLICYSYNC_ERR_IDENTIFIER`,
 * `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_key_generate(const char *POLICYSYNC_NULLABLE actor,
                                          size_t actor_len,
                                          struct policysync_key *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                          struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Makes the key pair of a seed: the same seed gives the same pair.
 *
 * `actor`, `actor_len`: 1 to 1024 bytes of UTF-8; borrowed for the call.
 * `kid`, `kid_len`: which of the actor's keys this is, 1 to 1024 bytes of UTF-8; NULL and 0 for the kid that is
 * derived from the public key.
 * `seed`: 32 secret bytes, what RFC 8032 calls the private key. Borrowed for the call; yours to wipe.
 * `out`: the key, to be freed with `policysync_key_free`; NULL when the call fails.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), `POLICYSYNC_ERR_IDENTIFIER`,
 * `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_key_from_seed(const char *POLICYSYNC_NULLABLE actor,
                                           size_t actor_len,
                                           const char *POLICYSYNC_NULLABLE kid,
                                           size_t kid_len,
                                           const uint8_t *POLICYSYNC_NONNULL seed,
                                           struct policysync_key *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                           struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * The public half: 32 bytes, to be registered with every replica that shall admit this actor's operations.
 *
 * `out32`: room for 32 bytes.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_key_public(const struct policysync_key *POLICYSYNC_NONNULL key,
                                        uint8_t *POLICYSYNC_NONNULL out32,
                                        struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * The seed: **the whole secret**, 32 bytes, for the platform's key store. Wipe your copy.
 *
 * `out32`: room for 32 bytes.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_key_expose_seed(const struct policysync_key *POLICYSYNC_NONNULL key,
                                             uint8_t *POLICYSYNC_NONNULL out32,
                                             struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * The actor that the key speaks for.
 *
 * Returns UTF-8 that ends with NUL and lives as long as the key; NULL for NULL. Any thread. Since ABI 1.
 */
POLICYSYNC_API
const char *POLICYSYNC_NULLABLE policysync_key_actor(const struct policysync_key *POLICYSYNC_NULLABLE key);

/**
 * Which of its actor's keys it is.
 *
 * Returns UTF-8 that ends with NUL and lives as long as the key; NULL for NULL. Any thread. Since ABI 1.
 */
POLICYSYNC_API
const char *POLICYSYNC_NULLABLE policysync_key_kid(const struct policysync_key *POLICYSYNC_NULLABLE key);

/**
 * Frees a key and wipes its secret. Replicas that were opened with it have their own copy. NULL is allowed. Any
 * thread, while no other uses the key. Since ABI 1.
 */
POLICYSYNC_API
void policysync_key_free(struct policysync_key *POLICYSYNC_NULLABLE key);

/**
 * Makes default options: all zero but `struct_size`.
 *
 * `out`: `struct_size` bytes are written, whatever the library knows of them.
 * `struct_size`: `sizeof(policysync_replica_options)`, at least 8.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (`struct_size` is too small) or
 * `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_options_init(struct policysync_replica_options *POLICYSYNC_NONNULL out,
                                                  uint32_t struct_size);

/**
 * Opens a replica: an empty one in memory, or with `options.path` the one in a file.
 *
 * A file is not believed. The hash of each operation is computed and its signature verified again, unless
 * `options.seal_key` proves that it was done before. The guard is not asked again. Fields that are there count as
 * known, not as changes. The file is closed, for others to open, when the replica and all its cursors are freed.
 *
 * `options`: NULL for defaults, a replica in memory that only reads. Borrowed for the call; the contexts of its
 * callbacks are taken over, and destroyed when the call fails or when the replica and its cursors are freed.
 * `out`: the replica, to be freed with `policysync_replica_free`; NULL when the call fails.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` (also for a callback without its function),
 * `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION` (if a `struct_size` is so small that `destroy` is not in it, or
 * ends within a member, that struct is not taken over), `POLICYSYNC_ERR_UNSUPPORTED` (threads, a path),
 * `POLICYSYNC_ERR_IDENTIFIER` (a name), `POLICYSYNC_ERR_KEY` and `POLICYSYNC_ERR_KEY_TAKEN` (`err` tells which of
 * `options.keys`), `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`. With a path also `POLICYSYNC_ERR_CALLBACK` (the
 * clock), `POLICYSYNC_ERR_CLOCK` (it is out of range), `POLICYSYNC_ERR_FULL`, `POLICYSYNC_ERR_UNKNOWN_KEY` (of
 * operation number `op_index` in the file: name the key in `options.keys`), `POLICYSYNC_ERR_WRONG_SPACE`,
 * `POLICYSYNC_ERR_NOT_A_STORE`, `POLICYSYNC_ERR_NEWER`, `POLICYSYNC_ERR_ROLLED_BACK`, `POLICYSYNC_ERR_RESTORED_BACKUP`
 * or a store failure. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_open(const struct policysync_replica_options *POLICYSYNC_NULLABLE options,
                                          struct policysync_replica *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                          struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Frees a replica. Its cursors stay usable, and what they share with it goes with the last of them. NULL is allowed.
 * Any thread, while no other begins a call with this handle; even within a callback. Since ABI 1.
 */
POLICYSYNC_API
void policysync_replica_free(struct policysync_replica *POLICYSYNC_NULLABLE replica);

/**
 * Makes an actor's public key known: from now on operations that it signs are admitted. To register the same key again
 * changes nothing. A key is never taken back.
 *
 * `actor`, `actor_len`: whose key it is; 1 to 1024 bytes of UTF-8.
 * `kid`, `kid_len`: which of the actor's keys it is; NULL and 0 for the kid that is derived from the key, as
 * `policysync_key_generate` does.
 * `public_key`: 32 bytes.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), `POLICYSYNC_ERR_IDENTIFIER`,
 * `POLICYSYNC_ERR_KEY` (no valid public key), `POLICYSYNC_ERR_KEY_TAKEN`, `POLICYSYNC_ERR_CRYPTO`,
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_register_key(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                                  const char *POLICYSYNC_NULLABLE actor,
                                                  size_t actor_len,
                                                  const char *POLICYSYNC_NULLABLE kid,
                                                  size_t kid_len,
                                                  const uint8_t *POLICYSYNC_NONNULL public_key,
                                                  struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * The keys that the replica knows, in the order in which they were registered.
 *
 * `out`: a JSON array of `{"actor":"alice","kid":"…","publicKey":"64 hexadecimal digits"}`.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since
 * ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_keys(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                          struct policysync_buffer *POLICYSYNC_NONNULL out,
                                          struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Sets a field: stamps, signs and admits an operation, and hands it out, to be sent to others.
 *
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `field`: which one.
 * `value`, `value_len`: JSON; any value, nested at most 64 deep.
 * `format`: in which form the operation is wanted: a `policysync_format`. Not looked at where `out` is NULL.
 * `out`: the operation; NULL if it is not wanted.
 * `err`: may be NULL. On any failure the replica is as it was.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_IDENTIFIER`,
 * `POLICYSYNC_ERR_VALUE`, `POLICYSYNC_ERR_TOO_LARGE`, `POLICYSYNC_ERR_READ_ONLY`, `POLICYSYNC_ERR_CLOCK`,
 * `POLICYSYNC_ERR_OTHER_WRITER`, `POLICYSYNC_ERR_DENIED`, `POLICYSYNC_ERR_ABORTED`, `POLICYSYNC_ERR_CALLBACK`,
 * `POLICYSYNC_ERR_FULL`, a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_set(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                         uint64_t now_ms,
                                         const struct policysync_field *POLICYSYNC_NONNULL field,
                                         const void *POLICYSYNC_NULLABLE value,
                                         size_t value_len,
                                         uint32_t format,
                                         struct policysync_buffer *POLICYSYNC_NULLABLE out,
                                         struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Deletes a field: stamps, signs and admits an operation, and hands it out, to be sent to others. A later set brings
 * the field back.
 *
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `field`: which one.
 * `format`: in which form the operation is wanted: a `policysync_format`. Not looked at where `out` is NULL.
 * `out`: the operation; NULL if it is not wanted.
 * `err`: may be NULL. On any failure the replica is as it was.
 *
 * Returns what `policysync_replica_set` does, but for `POLICYSYNC_ERR_VALUE`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_delete(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                            uint64_t now_ms,
                                            const struct policysync_field *POLICYSYNC_NONNULL field,
                                            uint32_t format,
                                            struct policysync_buffer *POLICYSYNC_NULLABLE out,
                                            struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Takes in one operation, in either form: verifies it, asks the guard, appends and merges it.
 *
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `op`, `op_len`: JSON or the binary form. Borrowed for the call.
 * `outcome`, `outcome_size`: what became of it: room for so many bytes, `sizeof(policysync_outcome)`. Written only
 * when the operation is not refused. NULL if it is not wanted.
 * `err`: may be NULL. On any failure the replica is as it was.
 *
 * Returns `POLICYSYNC_OK` (in the log and merged), `POLICYSYNC_HELD`, `POLICYSYNC_DUPLICATE`,
 * `POLICYSYNC_ERR_MALFORMED`, `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_UNKNOWN_KEY`,
 * `POLICYSYNC_ERR_BAD_SIGNATURE`, `POLICYSYNC_ERR_DENIED`, `POLICYSYNC_ERR_ABORTED`, `POLICYSYNC_ERR_CALLBACK`,
 * `POLICYSYNC_ERR_FULL`, a store failure, `POLICYSYNC_ERR_CLOCK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`,
 * `POLICYSYNC_ERR_VERSION` (`outcome_size` is too small), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread.
 * Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_ingest(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                            uint64_t now_ms,
                                            const void *POLICYSYNC_NULLABLE op,
                                            size_t op_len,
                                            struct policysync_outcome *POLICYSYNC_NULLABLE outcome,
                                            size_t outcome_size,
                                            struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Takes in many operations at once, each in either form, with an outcome for each: the same as one by one, and much
 * quicker. What is refused does not hinder the others, and does not make the call fail.
 *
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `ops`, `ops_stride`, `count`: the operations, `ops_stride` bytes from one to the next: `sizeof(policysync_bytes)`,
 * or the size of a struct of yours that begins with one. Borrowed for the call.
 * `outcomes`, `outcomes_stride`: what became of each: room for `count` of them, `outcomes_stride` bytes from one to
 * the next: `sizeof(policysync_outcome)`, or the size of a struct of yours that begins with one. Written only when the
 * call succeeds. NULL if they are not wanted.
 * `err`: may be NULL. On any failure nothing of the batch is kept.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` (`err` tells which element), `POLICYSYNC_ERR_ARGUMENT`,
 * `POLICYSYNC_ERR_VERSION` (a stride is too small), `POLICYSYNC_ERR_CLOCK`, `POLICYSYNC_ERR_ABORTED`,
 * `POLICYSYNC_ERR_CALLBACK`, `POLICYSYNC_ERR_FULL`, a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 * Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_ingest_many(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                                 uint64_t now_ms,
                                                 const struct policysync_bytes *POLICYSYNC_NULLABLE ops,
                                                 size_t ops_stride,
                                                 size_t count,
                                                 struct policysync_outcome *POLICYSYNC_NULLABLE outcomes,
                                                 size_t outcomes_stride,
                                                 struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * The value of a field.
 *
 * `field`: which one.
 * `out`: the value: canonical JSON. As it was unless the call returns `POLICYSYNC_OK`.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (never set, or deleted), `POLICYSYNC_ERR_NULL`,
 * `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 * Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_get(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                         const struct policysync_field *POLICYSYNC_NONNULL field,
                                         struct policysync_buffer *POLICYSYNC_NONNULL out,
                                         struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * All fields of one thing.
 *
 * `entity`, `entity_len`, `entity_id`, `entity_id_len`: which thing; UTF-8.
 * `out`: a JSON object with a member for each field, named by its path, in canonical form. As it was unless the call
 * returns `POLICYSYNC_OK`.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (it has no field), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`
 * (not UTF-8), a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_entity(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                            const char *POLICYSYNC_NULLABLE entity,
                                            size_t entity_len,
                                            const char *POLICYSYNC_NULLABLE entity_id,
                                            size_t entity_id_len,
                                            struct policysync_buffer *POLICYSYNC_NONNULL out,
                                            struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * The ids of all things of a kind that have at least one field.
 *
 * `entity`, `entity_len`: the kind; UTF-8.
 * `out`: a JSON array of strings, sorted by their bytes; empty where there is none.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_entities(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                              const char *POLICYSYNC_NULLABLE entity,
                                              size_t entity_len,
                                              struct policysync_buffer *POLICYSYNC_NONNULL out,
                                              struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * The fields of one thing below a path.
 *
 * `entity`, `entity_len`, `entity_id`, `entity_id_len`: which thing; UTF-8.
 * `prefix`, `prefix_len`: fields whose path is this or begins with this and a `/`; NULL and 0 for all.
 * `out`: a JSON object with a member for each field, named by its whole path, sorted by the bytes of the path; empty
 * where there is none.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), a store failure,
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_fields(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                            const char *POLICYSYNC_NULLABLE entity,
                                            size_t entity_len,
                                            const char *POLICYSYNC_NULLABLE entity_id,
                                            size_t entity_id_len,
                                            const char *POLICYSYNC_NULLABLE prefix,
                                            size_t prefix_len,
                                            struct policysync_buffer *POLICYSYNC_NONNULL out,
                                            struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Every operation on a field: those held and then those merged, each from the greatest down.
 *
 * `field`: which one.
 * `out`: a JSON array of `{"hash":"64 hexadecimal digits","standing":"winner","op":{…}}`, where `standing` is
 * `winner`, `superseded` or `held` and `op` is the JSON form of the operation; empty where there is none.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), a store failure,
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_history(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                             const struct policysync_field *POLICYSYNC_NONNULL field,
                                             struct policysync_buffer *POLICYSYNC_NONNULL out,
                                             struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Why a field is as it is: which operation won, over which, and by what rule.
 *
 * `field`: which one.
 * `out`: `{"winner":{…},"over":{…},"rule":"time"}`. `winner` and `over` are as in `policysync_replica_history`; `over`
 * is the greatest of those it won over, or `null` where it is alone. `rule` is the first that told them apart: `time`,
 * `counter`, `actor` or `hash`; `null` where there is no `over`. As it was unless the call returns `POLICYSYNC_OK`.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (no operation on it is merged), `POLICYSYNC_ERR_NULL`,
 * `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 * Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_explain(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                             const struct policysync_field *POLICYSYNC_NONNULL field,
                                             struct policysync_buffer *POLICYSYNC_NONNULL out,
                                             struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Merges what was held and has become due, and hands out the fields that have another winner than at the last call,
 * each once, in the order in which they first changed.
 *
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `out`: a JSON array of `{"entity":"Task","entityId":"t1","path":"title","kind":"lww_set","winner":"64 hexadecimal
 * digits"}`, where `kind` is `lww_set` or `lww_delete`; empty where nothing has changed.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_CALLBACK` (the clock), `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_poll(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                          uint64_t now_ms,
                                          struct policysync_buffer *POLICYSYNC_NONNULL out,
                                          struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * The operation with this hash.
 *
 * `hash32`: 32 bytes, as in an outcome or an operation.
 * `format`: in which form it is wanted: a `policysync_format`.
 * `out`: the operation. As it was unless the call returns `POLICYSYNC_OK`.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (no such format),
 * a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_op(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                        const uint8_t *POLICYSYNC_NONNULL hash32,
                                        uint32_t format,
                                        struct policysync_buffer *POLICYSYNC_NONNULL out,
                                        struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Where actors said two things at one time: for each actor and timestamp the two signed operations that prove it.
 * Replicas with the same operations give the same document.
 *
 * `out`: a JSON array of `{"first":{…},"second":{…}}`, the JSON forms of the two operations, in the order of the
 * operations; empty where there is none.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, a store failure, `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_forks(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                           struct policysync_buffer *POLICYSYNC_NONNULL out,
                                           struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * How many operations are held, because their timestamp is too far ahead. Costs a walk over them.
 *
 * `out`: the number.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since
 * ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_held(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                          uint64_t *POLICYSYNC_NONNULL out,
                                          struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * When the wall clock says this, `policysync_replica_poll` merges the first of the operations that are held.
 *
 * `out`: milliseconds since 1970. As it was unless the call returns `POLICYSYNC_OK`.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (none is held), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_next_due(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                              uint64_t *POLICYSYNC_NONNULL out,
                                              struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * The time up to which operations are merged; later ones are held. It never goes back: what was merged stays merged.
 *
 * `out`: milliseconds since 1970. As it was unless the call returns `POLICYSYNC_OK`.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (no call has told the time yet), `POLICYSYNC_ERR_NULL`,
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_horizon(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                             uint64_t *POLICYSYNC_NONNULL out,
                                             struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * The greatest timestamp that the replica has handed out or merged: what it writes next is later.
 *
 * `out`: the timestamp. As it was unless the call returns `POLICYSYNC_OK`.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (there was none yet), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY`
 * or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_clock(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                           struct policysync_hlc *POLICYSYNC_NONNULL out,
                                           struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * The actor that the replica writes as.
 *
 * `out`: its name, UTF-8. As it was unless the call returns `POLICYSYNC_OK`.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (it only reads), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_actor(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                           struct policysync_buffer *POLICYSYNC_NONNULL out,
                                           struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Whether an operation is in the log.
 *
 * `hash32`: 32 bytes, as in an outcome or an operation.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK` (it is), `POLICYSYNC_NOT_FOUND` (it is not), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_contains(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                              const uint8_t *POLICYSYNC_NONNULL hash32,
                                              struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Whether `policysync_replica_poll` has changes to hand out, without what has become due since the last call.
 *
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK` (it has), `POLICYSYNC_NOT_FOUND` (it has not), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY`
 * or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_has_changes(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                                 struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * The position behind every operation that has arrived: what arrives later is found by a cursor or an export that
 * begins here. It means nothing to another replica.
 *
 * `out`: the position, which is the number of operations in the log.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since
 * ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_position(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                              uint64_t *POLICYSYNC_NONNULL out,
                                              struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * What the replica holds, in a few bytes, to be compared with another replica. Costs a hash over all operations'
 * hashes and a walk over all fields.
 *
 * `out`: the digest; its `struct_size` is set by the caller.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION` (`struct_size` is too small),
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_digest(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                            struct policysync_digest *POLICYSYNC_NONNULL out,
                                            struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * The operations that arrived since a position, for another replica to take in.
 *
 * `position`: 0 for all, or what an earlier export gave as `next`, or `policysync_replica_position`.
 * `max_count`: how many operations at most; 0 for all.
 * `format`: a `policysync_format`. `POLICYSYNC_JSON`: the JSON form of each, followed by a line feed.
 * `POLICYSYNC_BINARY`: the binary form of each, with its length in front in 4 bytes, the least significant first.
 * `out`: the operations; empty where there is none.
 * `next`: the position behind the last of them, to go on from; NULL if it is not wanted.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (no such format),
 * a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_export(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                            uint64_t position,
                                            uint64_t max_count,
                                            uint32_t format,
                                            struct policysync_buffer *POLICYSYNC_NONNULL out,
                                            uint64_t *POLICYSYNC_NULLABLE next,
                                            struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Begins a walk over the log.
 *
 * `position`: 0 for all operations, or a position of this replica: those that arrived since.
 * `out`: the cursor, to be freed with `policysync_cursor_free`; NULL when the call fails.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (no log can have that position) or
 * `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_cursor_open(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                         uint64_t position,
                                         struct policysync_cursor *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                         struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * The next operations.
 *
 * `ops`, `stride`, `capacity`: room for so many operations, `stride` bytes from one to the next:
 * `sizeof(policysync_op)`. What they point to lives until the next call on this cursor.
 * `out_count`: how many were written, at least 1 when the call returns `POLICYSYNC_OK`.
 * `err`: may be NULL. On any failure the cursor stands where it stood.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (there are no more at present; ask again later), `POLICYSYNC_ERR_NULL`,
 * `POLICYSYNC_ERR_ARGUMENT` (no room), `POLICYSYNC_ERR_VERSION` (`stride` is too small), a store failure,
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. One thread at a time. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_cursor_next(struct policysync_cursor *POLICYSYNC_NONNULL cursor,
                                         struct policysync_op *POLICYSYNC_NULLABLE ops,
                                         size_t stride,
                                         size_t capacity,
                                         size_t *POLICYSYNC_NONNULL out_count,
                                         struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Where the cursor stands: a walk that begins here finds what it has not found.
 *
 * `out`: the position.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`. One thread at a time. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_cursor_position(const struct policysync_cursor *POLICYSYNC_NONNULL cursor,
                                             uint64_t *POLICYSYNC_NONNULL out,
                                             struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Frees a cursor. NULL is allowed. One thread at a time for one cursor. Since ABI 1.
 */
POLICYSYNC_API
void policysync_cursor_free(struct policysync_cursor *POLICYSYNC_NULLABLE cursor);

/**
 * Copies the replica's file, while it is open, into a new one, for use as a backup. The copy is marked: who opens it
 * cannot write into it as an actor whose operations are in it (`POLICYSYNC_ERR_RESTORED_BACKUP`), because that actor
 * may have written more since, and would use the same timestamps again.
 *
 * `path`, `path_len`: where the copy goes; as `path` of `policysync_replica_options`. Borrowed for the call.
 * `err`: may be NULL. On a failure there is no copy, unless only writing the directory entry to the disk failed.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (the path, or the replica is in memory),
 * `POLICYSYNC_ERR_EXISTS`, `POLICYSYNC_ERR_NOT_A_STORE` (the path names no file), a store failure,
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_back_up(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                             const char *POLICYSYNC_NULLABLE path,
                                             size_t path_len,
                                             struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Checks a file that nobody has open, without changing what it holds: everything, not only up to the first fault.
 *
 * `options`: those that the replica would be opened with. `path` is required; `space`, `seal_key`, `keys` and `key`
 * are looked at; the callbacks are not, and are not taken over. Whoever keeps what nobody has verified knows no keys,
 * and would find every operation to be by an unknown one. Borrowed for the call.
 * `report`: what was found; its `struct_size` is set by the caller.
 * `findings`: a JSON array of `{"place":"operation","arrival":3,"damage":"hash","text":"the operation has another
 * hash"}`, empty where nothing is wrong. `place` is `file`, `schema`, `description`, `seal` or `operation`; only the
 * last has an `arrival`, the operation's number. `damage` is `malformed`, `check`, `empty`, `missing`, `unexpected`,
 * `decode`, `hash`, `duplicate`, `space`, `signature`, `unknown_key` or `seal`. NULL if it is not wanted.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK` (**also where something is wrong**), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (also
 * for no path), `POLICYSYNC_ERR_VERSION`, `POLICYSYNC_ERR_IDENTIFIER`, `POLICYSYNC_ERR_KEY`,
 * `POLICYSYNC_ERR_KEY_TAKEN`, `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `sqlite`),
 * `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_NOT_A_STORE`, `POLICYSYNC_ERR_NEWER`, a store failure,
 * `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_store_verify(const struct policysync_replica_options *POLICYSYNC_NONNULL options,
                                          struct policysync_store_report *POLICYSYNC_NONNULL report,
                                          struct policysync_buffer *POLICYSYNC_NULLABLE findings,
                                          struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Writes every operation of a damaged file that verifies into a new store, in the order of arrival, and says what is
 * lost. Positions in the old store mean nothing in the new one, which has no seal yet. What was lost may be operations
 * of the device's own actor: it should go on as a new one.
 *
 * `options`: as in `policysync_store_verify`.
 * `to`, `to_len`: where the new store goes; as `path` of the options. Borrowed for the call.
 * `report`, `findings`: as in `policysync_store_verify`. What is found at an operation is the reason why it is not in
 * the new store.
 * `err`: may be NULL. When the call fails on the way, the new store holds what was written until then.
 *
 * Returns what `policysync_store_verify` does, `POLICYSYNC_ERR_FULL`, and `POLICYSYNC_ERR_EXISTS` (there is a file at
 * `to`). Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_store_salvage(const struct policysync_replica_options *POLICYSYNC_NONNULL options,
                                           const char *POLICYSYNC_NULLABLE to,
                                           size_t to_len,
                                           struct policysync_store_report *POLICYSYNC_NONNULL report,
                                           struct policysync_buffer *POLICYSYNC_NULLABLE findings,
                                           struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Makes default options: all zero but `struct_size`.
 *
 * `out`: `struct_size` bytes are written, whatever the library knows of them.
 * `struct_size`: `sizeof(policysync_sync_options)`, at least 8.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (`struct_size` is too small) or
 * `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_sync_options_init(struct policysync_sync_options *POLICYSYNC_NONNULL out,
                                               uint32_t struct_size);

/**
 * What a responder that failed says to the initiator, whose session then ends and says why. It tells nothing of the
 * cause but its kind.
 *
 * `status`: what `policysync_responder_respond` returned; any number, and what is not a failure is taken for one.
 * `out`: the message, two bytes.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_sync_refusal(policysync_status status,
                                          struct policysync_buffer *POLICYSYNC_NONNULL out,
                                          struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * By what both sides know the session: no secret. The initiator tells it to the responder in its own way, for
 * `policysync_push_after_responder`.
 *
 * `base`: what the session ended with.
 * `out48`: room for 48 bytes.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_sync_base_id(const struct policysync_sync_base *POLICYSYNC_NONNULL base,
                                          uint8_t *POLICYSYNC_NONNULL out48,
                                          struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * What a session ended with, in bytes, to be kept beside the replica's file and read again with
 * `policysync_sync_base_from_bytes` when that is opened anew.
 *
 * `base`: what the session ended with.
 * `replica`: that of the session, still open.
 * `key32`: 32 random bytes that whoever can write the bytes does not know, to seal them with; they may be the store's
 * `seal_key`. With a key that is known, somebody could make the next session leave out what the peer does not have.
 * `out`: the bytes.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_OTHER_REPLICA` (it is not about this replica as it is open now),
 * `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_sync_base_to_bytes(const struct policysync_sync_base *POLICYSYNC_NONNULL base,
                                                struct policysync_replica *POLICYSYNC_NONNULL replica,
                                                const uint8_t *POLICYSYNC_NONNULL key32,
                                                struct policysync_buffer *POLICYSYNC_NONNULL out,
                                                struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Reads what `policysync_sync_base_to_bytes` has made of the same replica before it was opened anew.
 *
 * `bytes`, `bytes_len`: all of them. Borrowed for the call.
 * `replica`: the same as then: its log begins with the same operations, in the same order of arrival.
 * `key32`: the same as then.
 * `out`: what the session ended with, to be freed with `policysync_sync_base_free`; NULL when the call fails. Then go
 * on without it: the next session starts from the beginning.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_MALFORMED` (the message says where), `POLICYSYNC_ERR_PEER_VERSION`,
 * `POLICYSYNC_ERR_DAMAGED` (sealed with another key, or changed), `POLICYSYNC_ERR_OTHER_REPLICA` (another log, or an
 * older copy), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any
 * thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_sync_base_from_bytes(const void *POLICYSYNC_NULLABLE bytes,
                                                  size_t bytes_len,
                                                  struct policysync_replica *POLICYSYNC_NONNULL replica,
                                                  const uint8_t *POLICYSYNC_NONNULL key32,
                                                  struct policysync_sync_base *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                                  struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Frees what a session ended with. Sessions and push channels that were made of it have their own copy. NULL is
 * allowed. Any thread, while no other uses `base`. Since ABI 1.
 */
POLICYSYNC_API
void policysync_sync_base_free(struct policysync_sync_base *POLICYSYNC_NULLABLE base);

/**
 * Makes a session that has not begun.
 *
 * `options`: NULL for defaults. Borrowed for the call.
 * `nonce16`: 16 random bytes, new for each session: the safety of what is compared rests on nobody knowing them before
 * it begins. NULL, as is usual, for the library to take them from the system.
 * `out`: the session, to be freed with `policysync_session_free`; NULL when the call fails.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION`,
 * `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_session_new(const struct policysync_sync_options *POLICYSYNC_NULLABLE options,
                                         const uint8_t *POLICYSYNC_NULLABLE nonce16,
                                         struct policysync_session *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                         struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * The next message for the peer. The first call decides which operations of the replica the session is about. If an
 * answer does not come, send the same message again: a responder answers it again.
 *
 * `replica`: the same in every call of a session.
 * `out`: the message. As it was unless the call returns `POLICYSYNC_OK`.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (nothing is left to send: `policysync_session_finish` says how it ended),
 * `POLICYSYNC_ERR_OUT_OF_TURN` (the peer's answer is awaited; nothing has changed), `POLICYSYNC_ERR_NULL`,
 * `POLICYSYNC_ERR_BUSY`, and these, which end the session: `POLICYSYNC_ERR_ENDED` (it has failed already),
 * `POLICYSYNC_ERR_OTHER_REPLICA`, a store failure or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_session_next_message(struct policysync_session *POLICYSYNC_NONNULL session,
                                                  struct policysync_replica *POLICYSYNC_NONNULL replica,
                                                  struct policysync_buffer *POLICYSYNC_NONNULL out,
                                                  struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Takes the peer's answer: operations in it are offered to the replica, in one batch. Then ask for the next message.
 *
 * `replica`: the same in every call of a session.
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `message`, `message_len`: the answer, whole. Borrowed for the call.
 * `progress`: how far the session is; its `struct_size` is set by the caller. NULL if it is not wanted.
 * `err`: may be NULL. What was admitted before stays, whatever happens.
 *
 * Returns `POLICYSYNC_OK`. After these the session is as it was: `POLICYSYNC_ERR_STRAY` (not the answer that is
 * awaited, and it is awaited still), `POLICYSYNC_ERR_OUT_OF_TURN` (none is awaited), `POLICYSYNC_ERR_NULL`,
 * `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION` (`progress->struct_size` is too small) and
 * `POLICYSYNC_ERR_BUSY`; also where the clock fails, `POLICYSYNC_ERR_CALLBACK`. The others end it:
 * `POLICYSYNC_ERR_MALFORMED`, `POLICYSYNC_ERR_LIMIT`, `POLICYSYNC_ERR_PEER_VERSION`, `POLICYSYNC_ERR_WRONG_SPACE`,
 * `POLICYSYNC_ERR_LIE`, `POLICYSYNC_ERR_NO_PROGRESS`, `POLICYSYNC_ERR_FORGOTTEN`, `POLICYSYNC_ERR_REFUSED`,
 * `POLICYSYNC_ERR_ENDED` (it has ended already), `POLICYSYNC_ERR_OTHER_REPLICA`, `POLICYSYNC_ERR_CLOCK`,
 * `POLICYSYNC_ERR_ABORTED` and `POLICYSYNC_ERR_CALLBACK` (the guard), `POLICYSYNC_ERR_FULL`, a store failure or
 * `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_session_receive(struct policysync_session *POLICYSYNC_NONNULL session,
                                             struct policysync_replica *POLICYSYNC_NONNULL replica,
                                             uint64_t now_ms,
                                             const void *POLICYSYNC_NULLABLE message,
                                             size_t message_len,
                                             struct policysync_progress *POLICYSYNC_NULLABLE progress,
                                             struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * How far the session is.
 *
 * `progress`: its `struct_size` is set by the caller.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION` (`struct_size` is too small),
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_session_progress(struct policysync_session *POLICYSYNC_NONNULL session,
                                              struct policysync_progress *POLICYSYNC_NONNULL progress,
                                              struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * How the session ended.
 *
 * `finish`: its `struct_size` is set by the caller. As it was unless the call returns `POLICYSYNC_OK`.
 * `base`: what both replicas have in common, for the next session with this peer and for `policysync_push_after`, to
 * be freed with `policysync_sync_base_free`. NULL unless the session converged, and where so much else arrived
 * meanwhile that it is not worth remembering. NULL for the parameter if it is not wanted.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (it has not ended), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION`
 * (`struct_size` is too small), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_session_finish(struct policysync_session *POLICYSYNC_NONNULL session,
                                            struct policysync_finish *POLICYSYNC_NONNULL finish,
                                            struct policysync_sync_base *POLICYSYNC_NULLABLE *POLICYSYNC_NULLABLE base,
                                            struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Ends the session. What was admitted stays; a later session goes on from there. Of one that has ended well nothing
 * changes.
 *
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since
 * ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_session_cancel(struct policysync_session *POLICYSYNC_NONNULL session,
                                            struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Frees a session, whether it has ended or not. NULL is allowed. Any thread, while no other begins a call with
 * `session`; even within a callback. Since ABI 1.
 */
POLICYSYNC_API
void policysync_session_free(struct policysync_session *POLICYSYNC_NULLABLE session);

/**
 * Makes a responder.
 *
 * `options`: NULL for defaults. Borrowed for the call.
 * `secret32`: 32 random bytes: whoever knows them can foresee the keys of sessions. Processes that answer the same
 * sessions share them. NULL for the library to take them from the system. They are copied, and wiped when the
 * responder is freed.
 * `out`: the responder, to be freed with `policysync_responder_free`; NULL when the call fails.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION`,
 * `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_responder_new(const struct policysync_sync_options *POLICYSYNC_NULLABLE options,
                                           const uint8_t *POLICYSYNC_NULLABLE secret32,
                                           struct policysync_responder *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                           struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Answers a message of a session. Operations in it are offered to the replica, in one batch.
 *
 * `replica`: whose operations the responder answers with.
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `message`, `message_len`: the message, whole. Borrowed for the call.
 * `out`: the answer, for the initiator. When the call fails, `policysync_sync_refusal` makes one.
 * `intake`: what became of the operations in the message, and how many are in the answer; its `struct_size` is set by
 * the caller. NULL if it is not wanted.
 * `err`: may be NULL. Where the clock, the guard or the store fails while operations are taken in, nothing of the
 * message has happened; after another failure its operations may be in the log.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_MALFORMED`, `POLICYSYNC_ERR_LIMIT`, `POLICYSYNC_ERR_PEER_VERSION`,
 * `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_LIE`, `POLICYSYNC_ERR_FORGOTTEN`, `POLICYSYNC_ERR_CLOCK`,
 * `POLICYSYNC_ERR_ABORTED` (the guard), `POLICYSYNC_ERR_CALLBACK` (the guard or the clock), `POLICYSYNC_ERR_FULL`, a
 * store failure, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION` (`intake->struct_size` is
 * too small), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_responder_respond(struct policysync_responder *POLICYSYNC_NONNULL responder,
                                               struct policysync_replica *POLICYSYNC_NONNULL replica,
                                               uint64_t now_ms,
                                               const void *POLICYSYNC_NULLABLE message,
                                               size_t message_len,
                                               struct policysync_buffer *POLICYSYNC_NONNULL out,
                                               struct policysync_intake *POLICYSYNC_NULLABLE intake,
                                               struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * What the responder remembers of earlier sessions of a replica, in bytes, to be kept beside the replica's file and
 * given to `policysync_responder_restore` when both begin anew. They are sealed with the responder's secret, so give
 * it one, and keep it. About fifty bytes for each of up to 1024 sessions, more where what was exchanged lay
 * scattered.
 *
 * `replica`: whose operations the responder has answered with.
 * `out`: the bytes.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since
 * ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_responder_remembered(struct policysync_responder *POLICYSYNC_NONNULL responder,
                                                  struct policysync_replica *POLICYSYNC_NONNULL replica,
                                                  struct policysync_buffer *POLICYSYNC_NONNULL out,
                                                  struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Remembers sessions again that a responder with the same secret has written down before the replica was opened anew.
 *
 * `replica`: the same as then: its log begins with the same operations, in the same order of arrival.
 * `bytes`, `bytes_len`: what `policysync_responder_remembered` gave, all of it. Borrowed for the call.
 * `err`: may be NULL. On any failure the responder is as it was: go on, and sessions start from the beginning.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_MALFORMED` (the message says where), `POLICYSYNC_ERR_PEER_VERSION`,
 * `POLICYSYNC_ERR_DAMAGED` (sealed with another secret, or changed), `POLICYSYNC_ERR_OTHER_REPLICA` (another log, or
 * an older copy), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 * Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_responder_restore(struct policysync_responder *POLICYSYNC_NONNULL responder,
                                               struct policysync_replica *POLICYSYNC_NONNULL replica,
                                               const void *POLICYSYNC_NULLABLE bytes,
                                               size_t bytes_len,
                                               struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Frees a responder and wipes its secret. NULL is allowed. Any thread, while no other begins a call with `responder`;
 * even within a callback. Since ABI 1.
 */
POLICYSYNC_API
void policysync_responder_free(struct policysync_responder *POLICYSYNC_NULLABLE responder);

/**
 * What follows a session that converged, on the side that began it.
 *
 * `base`: what the session ended with. It is copied.
 * `options`: those of the session; NULL for defaults. Borrowed for the call.
 * `out`: the channel, to be freed with `policysync_push_free`; NULL when the call fails.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION` or
 * `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_push_after(const struct policysync_sync_base *POLICYSYNC_NONNULL base,
                                        const struct policysync_sync_options *POLICYSYNC_NULLABLE options,
                                        struct policysync_push *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                        struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * What follows a session that converged, on the side that answered.
 *
 * `responder`: that answered the session.
 * `replica`: that it answered with.
 * `id48`: 48 bytes, what `policysync_sync_base_id` gave on the other side.
 * `out`: the channel, to be freed with `policysync_push_free`; NULL unless the call returns `POLICYSYNC_OK`.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (this responder does not know the session any more),
 * `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_push_after_responder(struct policysync_responder *POLICYSYNC_NONNULL responder,
                                                  struct policysync_replica *POLICYSYNC_NONNULL replica,
                                                  const uint8_t *POLICYSYNC_NONNULL id48,
                                                  struct policysync_push *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                                  struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * A message with operations that the peer has not been sent.
 *
 * `replica`: that of the session.
 * `out`: the message. As it was unless the call returns `POLICYSYNC_OK`.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (there are none at present; ask again later),
 * `POLICYSYNC_ERR_OTHER_REPLICA`, a store failure, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_push_next_message(struct policysync_push *POLICYSYNC_NONNULL push,
                                               struct policysync_replica *POLICYSYNC_NONNULL replica,
                                               struct policysync_buffer *POLICYSYNC_NONNULL out,
                                               struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Takes a message of the peer: its operations are offered to the replica, in one batch.
 *
 * `replica`: that of the session.
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `message`, `message_len`: the message, whole. Borrowed for the call.
 * `intake`: what became of its operations; its `struct_size` is set by the caller. NULL if it is not wanted.
 * `err`: may be NULL. On any failure nothing of the message was admitted.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_MALFORMED`, `POLICYSYNC_ERR_LIMIT`, `POLICYSYNC_ERR_PEER_VERSION`,
 * `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_CLOCK`, `POLICYSYNC_ERR_ABORTED` (the guard),
 * `POLICYSYNC_ERR_CALLBACK` (the guard or the clock), `POLICYSYNC_ERR_FULL`, a store failure, `POLICYSYNC_ERR_NULL`,
 * `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION` (`intake->struct_size` is too small), `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_push_receive(struct policysync_push *POLICYSYNC_NONNULL push,
                                          struct policysync_replica *POLICYSYNC_NONNULL replica,
                                          uint64_t now_ms,
                                          const void *POLICYSYNC_NULLABLE message,
                                          size_t message_len,
                                          struct policysync_intake *POLICYSYNC_NULLABLE intake,
                                          struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * How many operations are waiting to be pushed, at most.
 *
 * `replica`: that of the session.
 * `out`: the number.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since
 * ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_push_waiting(struct policysync_push *POLICYSYNC_NONNULL push,
                                          struct policysync_replica *POLICYSYNC_NONNULL replica,
                                          uint64_t *POLICYSYNC_NONNULL out,
                                          struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Frees a push channel. NULL is allowed. Any thread, while no other begins a call with `push`; even within a callback.
 * Since ABI 1.
 */
POLICYSYNC_API
void policysync_push_free(struct policysync_push *POLICYSYNC_NULLABLE push);

/**
 * Makes the calling side of a line on which nothing has been said.
 *
 * `options`: how its sessions are run; NULL for defaults. Borrowed for the call.
 * `seed32`: 32 random bytes, new for each line, which nobody else may know. NULL, as is usual, for the library to take
 * them from the system.
 * `out`: the side, to be freed with `policysync_line_caller_free`; NULL when the call fails.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION`,
 * `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_line_caller_new(const struct policysync_sync_options *POLICYSYNC_NULLABLE options,
                                             const uint8_t *POLICYSYNC_NULLABLE seed32,
                                             struct policysync_line_caller *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                             struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * The next message for the other side. Send it before the next is asked for: the log is the queue, so a slow line
 * costs no memory.
 *
 * `replica`: the same for all of a line.
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `out`: the message. As it was unless the call returns `POLICYSYNC_OK`.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (there is nothing to say now; ask again when a message has come,
 * when something was written, and at least once in a minute: a session that has not converged is run again then),
 * `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY`, `POLICYSYNC_ERR_CALLBACK` (the clock), and these, after which the line
 * should be closed: `POLICYSYNC_ERR_ENDED`, `POLICYSYNC_ERR_OTHER_REPLICA`, a store failure or `POLICYSYNC_ERR_PANIC`.
 * Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_line_caller_next_message(struct policysync_line_caller *POLICYSYNC_NONNULL caller,
                                                      struct policysync_replica *POLICYSYNC_NONNULL replica,
                                                      uint64_t now_ms,
                                                      struct policysync_buffer *POLICYSYNC_NONNULL out,
                                                      struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Takes a message of the other side: operations in it are offered to the replica, in one batch. Then ask for the next
 * message.
 *
 * `replica`: the same for all of a line.
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `message`, `message_len`: the message, whole. Borrowed for the call.
 * `err`: may be NULL. After a failure the line should be closed; what was admitted before stays.
 *
 * Returns `POLICYSYNC_OK`, or what `policysync_session_receive` does, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` and
 * `POLICYSYNC_ERR_PANIC` among them. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_line_caller_receive(struct policysync_line_caller *POLICYSYNC_NONNULL caller,
                                                 struct policysync_replica *POLICYSYNC_NONNULL replica,
                                                 uint64_t now_ms,
                                                 const void *POLICYSYNC_NULLABLE message,
                                                 size_t message_len,
                                                 struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * How far the session of the line is, or how far the last one came. Its `state` is that of the last session that
 * ended.
 *
 * `progress`: its `struct_size` is set by the caller.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION` (`struct_size` is too small),
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_line_caller_progress(struct policysync_line_caller *POLICYSYNC_NONNULL caller,
                                                  struct policysync_progress *POLICYSYNC_NONNULL progress,
                                                  struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * How the last session of the line ended.
 *
 * `finish`: its `struct_size` is set by the caller. As it was unless the call returns `POLICYSYNC_OK`.
 * `base`: what the next line to the same peer may leave out, to be freed with `policysync_sync_base_free`; NULL where
 * there is nothing. NULL for the parameter if it is not wanted.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (none has ended), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION`
 * (`struct_size` is too small), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_line_caller_finish(struct policysync_line_caller *POLICYSYNC_NONNULL caller,
                                                struct policysync_finish *POLICYSYNC_NONNULL finish,
                                                struct policysync_sync_base *POLICYSYNC_NULLABLE *POLICYSYNC_NULLABLE base,
                                                struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Whether what is written here is said as it is written: the last session has converged.
 *
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK` (it is), `POLICYSYNC_NOT_FOUND` (not yet, or not any more), `POLICYSYNC_ERR_NULL`,
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_line_caller_is_pushing(struct policysync_line_caller *POLICYSYNC_NONNULL caller,
                                                    struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Frees the calling side of a line. NULL is allowed. Any thread, while no other begins a call with `caller`; even
 * within a callback. Since ABI 1.
 */
POLICYSYNC_API
void policysync_line_caller_free(struct policysync_line_caller *POLICYSYNC_NULLABLE caller);

/**
 * Makes the answering side of a line on which nothing has been said.
 *
 * `out`: the side, to be freed with `policysync_line_answerer_free`; NULL when the call fails.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_line_answerer_new(struct policysync_line_answerer *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                               struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Takes a message of the caller, and gives the answer, if it wants one. Then ask for the next message.
 *
 * `responder`: answers the sessions; one for all lines.
 * `replica`: the same for all of a line.
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `message`, `message_len`: the message, whole. Borrowed for the call.
 * `out`: the answer. As it was unless the call returns `POLICYSYNC_OK`.
 * `err`: may be NULL. After a failure send what `policysync_sync_refusal` gives, and close the line.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (nothing is to be answered), `POLICYSYNC_ERR_OUT_OF_TURN`, or what
 * `policysync_responder_respond` does, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` and `POLICYSYNC_ERR_PANIC` among
 * them. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_line_answerer_receive(struct policysync_line_answerer *POLICYSYNC_NONNULL answerer,
                                                   struct policysync_responder *POLICYSYNC_NONNULL responder,
                                                   struct policysync_replica *POLICYSYNC_NONNULL replica,
                                                   uint64_t now_ms,
                                                   const void *POLICYSYNC_NULLABLE message,
                                                   size_t message_len,
                                                   struct policysync_buffer *POLICYSYNC_NONNULL out,
                                                   struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * A message with operations that the caller does not have yet. Send it before the next is asked for: the log is the
 * queue, so a slow line costs no memory.
 *
 * `replica`: the same for all of a line.
 * `out`: the message. As it was unless the call returns `POLICYSYNC_OK`.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (there is nothing to say now; ask again when a message has come, or
 * something has arrived in the replica), `POLICYSYNC_ERR_OTHER_REPLICA`, a store failure, `POLICYSYNC_ERR_NULL`,
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_line_answerer_next_message(struct policysync_line_answerer *POLICYSYNC_NONNULL answerer,
                                                        struct policysync_replica *POLICYSYNC_NONNULL replica,
                                                        struct policysync_buffer *POLICYSYNC_NONNULL out,
                                                        struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Frees the answering side of a line. NULL is allowed. Any thread, while no other begins a call with `answerer`; even
 * within a callback. Since ABI 1.
 */
POLICYSYNC_API
void policysync_line_answerer_free(struct policysync_line_answerer *POLICYSYNC_NULLABLE answerer);

/**
 * Makes default options: all zero but `struct_size`.
 *
 * `out`: `struct_size` bytes are written, whatever the library knows of them.
 * `struct_size`: `sizeof(policysync_client_options)`, at least 8.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (`struct_size` is too small) or
 * `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_client_options_init(struct policysync_client_options *POLICYSYNC_NONNULL out,
                                                 uint32_t struct_size);

/**
 * Makes a client of the server at a URL. Nothing is sent yet.
 *
 * `url`, `url_len`: `http://…`, or `https://…` in a library built with the feature `tls`. Borrowed for the call.
 * `options`: NULL for defaults. Borrowed for the call.
 * `out`: the client, to be freed with `policysync_http_client_free`; NULL when the call fails.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (the URL, a header, the token, a
 * certificate), `POLICYSYNC_ERR_VERSION`, `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `http`, or for
 * `https`, `trusted` or `POLICYSYNC_TRUST_NO_OTHERS` without `tls`), `POLICYSYNC_ERR_TLS` or `POLICYSYNC_ERR_PANIC`.
 * Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_http_client_new(const char *POLICYSYNC_NULLABLE url,
                                             size_t url_len,
                                             const struct policysync_client_options *POLICYSYNC_NULLABLE options,
                                             struct policysync_http_client *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                             struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Runs a session with the server to its end; `policysync_session_finish` says how it ended. The call waits for the
 * network, each request for as long as the client's options say. While it waits, no lock is held: other threads may
 * use the replica, look at `policysync_session_progress`, and end the session with `policysync_session_cancel`, which
 * takes effect when the answer is there or has been given up.
 *
 * `session`: one that has not begun. When the network fails it stays unfinished: begin a new one, which goes on from
 * what was admitted.
 * `replica`: the same for all of a session.
 * `now_ms`: the time at which operations arrive: milliseconds since 1970, or, as is usual, `POLICYSYNC_NOW`.
 * `err`: may be NULL. What was admitted stays, whatever happens.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_HOST`, `POLICYSYNC_ERR_CONNECTION`, `POLICYSYNC_ERR_TIMEOUT`,
 * `POLICYSYNC_ERR_UNAVAILABLE`, `POLICYSYNC_ERR_HTTP_STATUS`, `POLICYSYNC_ERR_UNAUTHORIZED`, `POLICYSYNC_ERR_TLS`,
 * `POLICYSYNC_ERR_NOT_A_SERVER`, `POLICYSYNC_ERR_LIMIT` (the answer is too long), `POLICYSYNC_ERR_UNSUPPORTED` (built
 * without the feature `http`), or what `policysync_session_next_message` and `policysync_session_receive` return,
 * `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` and `POLICYSYNC_ERR_PANIC` among them. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_http_client_sync(struct policysync_http_client *POLICYSYNC_NONNULL client,
                                              struct policysync_session *POLICYSYNC_NONNULL session,
                                              struct policysync_replica *POLICYSYNC_NONNULL replica,
                                              uint64_t now_ms,
                                              struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Carries one message to the server, and gives its answer: for those who run a session themselves, to show its
 * progress from the same thread, for example. A refusal by the server is an answer too.
 *
 * `message`, `message_len`: the message, whole. Borrowed for the call.
 * `max_bytes`: bytes of the longest answer that is taken: `max_message_bytes` of the session's options; 0 for its
 * default.
 * `out`: the answer. As it was unless the call returns `POLICYSYNC_OK`.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_HOST`, `POLICYSYNC_ERR_CONNECTION`, `POLICYSYNC_ERR_TIMEOUT`,
 * `POLICYSYNC_ERR_UNAVAILABLE`, `POLICYSYNC_ERR_HTTP_STATUS`, `POLICYSYNC_ERR_UNAUTHORIZED`, `POLICYSYNC_ERR_TLS`,
 * `POLICYSYNC_ERR_NOT_A_SERVER`, `POLICYSYNC_ERR_LIMIT` (the answer is too long), `POLICYSYNC_ERR_NULL`,
 * `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `http`) or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_http_client_exchange(struct policysync_http_client *POLICYSYNC_NONNULL client,
                                                  const void *POLICYSYNC_NULLABLE message,
                                                  size_t message_len,
                                                  size_t max_bytes,
                                                  struct policysync_buffer *POLICYSYNC_NONNULL out,
                                                  struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Frees a client and closes its connections. NULL is allowed. Any thread, while no other begins a call with `client`;
 * one that has begun ends as if nothing had happened. Since ABI 1.
 */
POLICYSYNC_API
void policysync_http_client_free(struct policysync_http_client *POLICYSYNC_NULLABLE client);

/**
 * What a server answers to a request. It mounts into any server: who may call, time-outs and the length of bodies are
 * the server's business, which should refuse a body over `max_message_bytes` of the responder's options with status
 * 413 before it reads it. The answer's content type is `POLICYSYNC_HTTP_CONTENT_TYPE`, whatever its status.
 *
 * `responder`: answers the sessions.
 * `replica`: whose operations it answers with.
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `method`, `method_len`: the request's method, as in `POST`.
 * `content_type`, `content_type_len`: the request's header `Content-Type`; NULL and 0 where there is none.
 * `body`, `body_len`: the request's body, whole. Like the others borrowed for the call.
 * `http_status`: the status to answer with: 200, or 400 for what is no message, 403 for another space, 405 for another
 * method, 410 for a session that is no longer known, 413 for too long a message, 415 for another content type, 503
 * where this side failed.
 * `out`: the body to answer with.
 * `refused`: where the status is not 200, why, for the server's own log; as it was otherwise. Its `struct_size` is set
 * by the caller. NULL if it is not wanted.
 * `err`: may be NULL. On a failure answer 503, with what `policysync_sync_refusal` gives. Operations of a request that
 * is refused with 400 or 503 may be in the log already.
 *
 * Returns `POLICYSYNC_OK` (**also where the request is refused**), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_CALLBACK`
 * (the guard or the clock), `POLICYSYNC_ERR_BUSY`, `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `http`) or
 * `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_http_answer(struct policysync_responder *POLICYSYNC_NONNULL responder,
                                         struct policysync_replica *POLICYSYNC_NONNULL replica,
                                         uint64_t now_ms,
                                         const char *POLICYSYNC_NULLABLE method,
                                         size_t method_len,
                                         const char *POLICYSYNC_NULLABLE content_type,
                                         size_t content_type_len,
                                         const void *POLICYSYNC_NULLABLE body,
                                         size_t body_len,
                                         uint32_t *POLICYSYNC_NONNULL http_status,
                                         struct policysync_buffer *POLICYSYNC_NONNULL out,
                                         struct policysync_error *POLICYSYNC_NULLABLE refused,
                                         struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Connects to the server at a URL. Each step but the look-up of the name takes no longer than `connect_timeout_ms`.
 *
 * `url`, `url_len`: `ws://…`, or `wss://…` in a library built with the feature `tls`. Borrowed for the call.
 * `options`: NULL for defaults. Borrowed for the call.
 * `sync`: how its sessions are run; NULL for defaults. Borrowed for the call.
 * `out`: the line, to be freed with `policysync_websocket_client_free`; NULL when the call fails.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_HOST`, `POLICYSYNC_ERR_CONNECTION`, `POLICYSYNC_ERR_TIMEOUT`,
 * `POLICYSYNC_ERR_UNAVAILABLE`, `POLICYSYNC_ERR_HTTP_STATUS`, `POLICYSYNC_ERR_UNAUTHORIZED`, `POLICYSYNC_ERR_TLS`,
 * `POLICYSYNC_ERR_NOT_A_SERVER`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (the URL, a header, the token, a
 * certificate), `POLICYSYNC_ERR_VERSION`, `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `websocket`, or for
 * `wss`, `trusted` or `POLICYSYNC_TRUST_NO_OTHERS` without `tls`), `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`.
 * Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_websocket_client_connect(const char *POLICYSYNC_NULLABLE url,
                                                      size_t url_len,
                                                      const struct policysync_client_options *POLICYSYNC_NULLABLE options,
                                                      const struct policysync_sync_options *POLICYSYNC_NULLABLE sync,
                                                      struct policysync_websocket_client *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                                      struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Waits for a message; where nothing comes, for as long as `wait_ms` of the options says, and at most so long again
 * for what is stuck on its way out. A server that sends or takes a byte now and then can draw this out to 50 times
 * `wait_ms`, over TLS to 250 times. It holds no replica meanwhile. Then call `policysync_websocket_client_work`,
 * whatever came of it.
 *
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW` for the machine's clock: by it the silence of the server is
 * measured, from the first call on. Let it be the same clock each time, also for `policysync_websocket_client_work`:
 * one that is set back by an hour ends a line for silence or slowness up to an hour late.
 * `err`: may be NULL. After a failure but `POLICYSYNC_ERR_BUSY` and `POLICYSYNC_ERR_NULL` the line is over.
 *
 * Returns `POLICYSYNC_OK` (a message is here), `POLICYSYNC_NOT_FOUND` (nothing came), `POLICYSYNC_DONE` (the line is
 * closed), `POLICYSYNC_ERR_CONNECTION`, `POLICYSYNC_ERR_TIMEOUT` (nothing was heard for `silence_ms`, or the server
 * has taken no message for `stall_ms`), `POLICYSYNC_ERR_TLS`, `POLICYSYNC_ERR_NOT_A_SERVER`, `POLICYSYNC_ERR_LIMIT`,
 * `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `websocket`), `POLICYSYNC_ERR_BUSY`
 * or `POLICYSYNC_ERR_PANIC`. One thread at a time. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_websocket_client_wait(struct policysync_websocket_client *POLICYSYNC_NONNULL line,
                                                   uint64_t now_ms,
                                                   struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Takes in the message that has arrived, if one has; then sends what there is to say: the next message of the session,
 * or operations that were written since. The replica is held only while a message is taken in or made, not while one
 * is sent.
 *
 * `replica`: the same for all of a line.
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW` for the replica's clock; by the machine's it is then
 * measured how long a message is stuck on its way out.
 * `err`: may be NULL. After a failure but `POLICYSYNC_ERR_BUSY` and `POLICYSYNC_ERR_NULL` the line is over; what was
 * admitted stays.
 *
 * Returns `POLICYSYNC_OK` (a message was taken in), `POLICYSYNC_NOT_FOUND` (none was there), what
 * `policysync_websocket_client_wait` and `policysync_line_caller_receive` return where they fail,
 * `POLICYSYNC_ERR_CONNECTION` for a line that is closed, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`. One thread at a time. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_websocket_client_work(struct policysync_websocket_client *POLICYSYNC_NONNULL line,
                                                   struct policysync_replica *POLICYSYNC_NONNULL replica,
                                                   uint64_t now_ms,
                                                   struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * How far the session of the line is, or how far the last one came. Its `state` is that of the last session that
 * ended.
 *
 * `progress`: its `struct_size` is set by the caller.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION` (`struct_size` is too small),
 * `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `websocket`), `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`. One thread at a time. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_websocket_client_progress(struct policysync_websocket_client *POLICYSYNC_NONNULL line,
                                                       struct policysync_progress *POLICYSYNC_NONNULL progress,
                                                       struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * How the last session of the line ended.
 *
 * `finish`: its `struct_size` is set by the caller. As it was unless the call returns `POLICYSYNC_OK`.
 * `base`: what the next line to the same server may leave out, to be freed with `policysync_sync_base_free`; NULL
 * where there is nothing. NULL for the parameter if it is not wanted.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (none has ended), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION`
 * (`struct_size` is too small), `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `websocket`),
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. One thread at a time. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_websocket_client_finish(struct policysync_websocket_client *POLICYSYNC_NONNULL line,
                                                     struct policysync_finish *POLICYSYNC_NONNULL finish,
                                                     struct policysync_sync_base *POLICYSYNC_NULLABLE *POLICYSYNC_NULLABLE base,
                                                     struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Whether what is written here is sent as it is written: the last session has converged.
 *
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK` (it is), `POLICYSYNC_NOT_FOUND` (not yet, or not any more), `POLICYSYNC_ERR_NULL`,
 * `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `websocket`), `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`. One thread at a time. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_websocket_client_is_pushing(struct policysync_websocket_client *POLICYSYNC_NONNULL line,
                                                         struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Ends the line, and tells the server. What is not sent yet is sent by the next line.
 *
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature
 * `websocket`), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. One thread at a time. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_websocket_client_close(struct policysync_websocket_client *POLICYSYNC_NONNULL line,
                                                    struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Frees a line; one that is not closed breaks. NULL is allowed. Any thread, while no other begins a call with `line`;
 * even within a callback. Since ABI 1.
 */
POLICYSYNC_API
void policysync_websocket_client_free(struct policysync_websocket_client *POLICYSYNC_NULLABLE line);

/**
 * Writes the operations that arrived since a position into a bundle, for where there is no line: a USB stick, an
 * e-mail. They go out in frames of about 1 MiB, of which no more than one is in memory. Other threads wait for the
 * replica meanwhile.
 *
 * `position`: 0 for all, or `position` of an earlier export, or `policysync_replica_position`.
 * `writer`: takes the bytes. Borrowed for the call; its context is taken over, and destroyed before the call returns.
 * `exported`: what was written; its `struct_size` is set by the caller. NULL if it is not wanted.
 * `err`: may be NULL. On any failure what was written is no bundle.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` (also for a writer without its function), `POLICYSYNC_ERR_ARGUMENT`,
 * `POLICYSYNC_ERR_VERSION` (if a `struct_size` is so small that `destroy` is not in it, or ends within a
 * member, the writer is not taken over),
 * `POLICYSYNC_ERR_CALLBACK`, a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since
 * ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_export_bundle(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                                   uint64_t position,
                                                   const struct policysync_writer *POLICYSYNC_NONNULL writer,
                                                   struct policysync_exported *POLICYSYNC_NULLABLE exported,
                                                   struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Writes these operations into a bundle, in this order.
 *
 * `hashes`, `count`: which ones: so many times 32 bytes. Borrowed for the call.
 * `writer`, `exported`: as in `policysync_replica_export_bundle`.
 * `err`: may be NULL. On any failure what was written is no bundle.
 *
 * Returns what `policysync_replica_export_bundle` does; `POLICYSYNC_ERR_ARGUMENT` also where an operation is not in
 * the log (`err` tells which). Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_export_bundle_of(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                                      const uint8_t *POLICYSYNC_NULLABLE hashes,
                                                      size_t count,
                                                      const struct policysync_writer *POLICYSYNC_NONNULL writer,
                                                      struct policysync_exported *POLICYSYNC_NULLABLE exported,
                                                      struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Offers the operations of a bundle to the replica, a frame of about 1 MiB at a time: no more than one is in memory. A
 * frame is checked against its digest before anything of it is offered. The digests show damage, not who made the
 * bundle; operations are verified as ever.
 *
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `reader`: gives the bytes. Borrowed for the call; its context is taken over, and destroyed before the call returns.
 * `intake`: what became of the operations; its `struct_size` is set by the caller. NULL if it is not wanted.
 * `err`: may be NULL. On any failure what was admitted from earlier frames stays; the bundle may be imported again.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` (also for a reader without its function), `POLICYSYNC_ERR_ARGUMENT`,
 * `POLICYSYNC_ERR_VERSION` (if a `struct_size` is so small that `destroy` is not in it, or ends within a
 * member, the reader is not taken over),
 * `POLICYSYNC_ERR_CALLBACK` (the reader, the clock or the guard), `POLICYSYNC_ERR_MALFORMED` (no bundle, or not one
 * that this library makes), `POLICYSYNC_ERR_PEER_VERSION`, `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_DAMAGED`,
 * `POLICYSYNC_ERR_CLOCK`, `POLICYSYNC_ERR_ABORTED` (the guard), `POLICYSYNC_ERR_FULL`, a store failure,
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_import_bundle(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                                   uint64_t now_ms,
                                                   const struct policysync_reader *POLICYSYNC_NONNULL reader,
                                                   struct policysync_intake *POLICYSYNC_NULLABLE intake,
                                                   struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * 32 random bytes from the system, which nobody can foresee: a seed, a secret, a seal key.
 *
 * `out32`: room for 32 bytes.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`. Any thread. Since
 * ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_random32(uint8_t *POLICYSYNC_NONNULL out32,
                                      struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Signs an operation as its actor. A replica does this for what it writes itself.
 *
 * `op`: what it says: `struct_size`, `kind`, `t`, `c`, `actor`, `entity`, `entity_id`, `path` and `value` (JSON;
 * nothing or `null` for a delete) are required, `space` and `label` may be empty; the others are not looked at.
 * Borrowed for the call.
 * `key`: a key of its actor.
 * `format`: in which form it is wanted: a `policysync_format`.
 * `out`: the signed operation.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION`,
 * `POLICYSYNC_ERR_IDENTIFIER`, `POLICYSYNC_ERR_VALUE`, `POLICYSYNC_ERR_CLOCK` (`t` or `c` is out of range),
 * `POLICYSYNC_ERR_TOO_LARGE`, `POLICYSYNC_ERR_OTHER_ACTOR`, `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`. Any
 * thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_op_sign(const struct policysync_op *POLICYSYNC_NONNULL op,
                                     const struct policysync_key *POLICYSYNC_NONNULL key,
                                     uint32_t format,
                                     struct policysync_buffer *POLICYSYNC_NONNULL out,
                                     struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Checks an operation against one key: the key must be the actor's, under the kid that the operation names, and must
 * have signed exactly this operation. A replica does this for everything it takes in.
 *
 * `op`, `op_len`: JSON or the binary form. Borrowed for the call.
 * `actor`, `actor_len`: whose key it is; UTF-8.
 * `kid`, `kid_len`: which of the actor's keys it is; NULL and 0 for the kid that is derived from the key.
 * `public_key`: 32 bytes.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK` (it is genuine), `POLICYSYNC_ERR_UNKNOWN_KEY` (it names another actor or another kid),
 * `POLICYSYNC_ERR_BAD_SIGNATURE`, `POLICYSYNC_ERR_MALFORMED`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not
 * UTF-8), `POLICYSYNC_ERR_IDENTIFIER`, `POLICYSYNC_ERR_KEY`, `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`. Any
 * thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_op_verify(const void *POLICYSYNC_NULLABLE op,
                                       size_t op_len,
                                       const char *POLICYSYNC_NULLABLE actor,
                                       size_t actor_len,
                                       const char *POLICYSYNC_NULLABLE kid,
                                       size_t kid_len,
                                       const uint8_t *POLICYSYNC_NONNULL public_key,
                                       struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * The identity of an operation: SHA-256 of the text that is signed. The signature is not in it, **and is not
 * checked**.
 *
 * `op`, `op_len`: JSON or the binary form. Borrowed for the call.
 * `out32`: room for 32 bytes.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_MALFORMED`,
 * `POLICYSYNC_ERR_TOO_LARGE`, `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_op_hash(const void *POLICYSYNC_NULLABLE op,
                                     size_t op_len,
                                     uint8_t *POLICYSYNC_NONNULL out32,
                                     struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * The same operation in another form. **Nothing is checked against a key.**
 *
 * `op`, `op_len`: JSON or the binary form. Borrowed for the call.
 * `format`: in which form it is wanted: a `policysync_format`.
 * `out`: the operation.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (no such format),
 * `POLICYSYNC_ERR_MALFORMED` or `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_op_convert(const void *POLICYSYNC_NULLABLE op,
                                        size_t op_len,
                                        uint32_t format,
                                        struct policysync_buffer *POLICYSYNC_NONNULL out,
                                        struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * SHA-256 (FIPS 180-4).
 *
 * `data`, `len`: any bytes. Borrowed for the call.
 * `out32`: room for 32 bytes.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_CRYPTO` or
 * `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_sha256(const void *POLICYSYNC_NULLABLE data,
                                    size_t len,
                                    uint8_t *POLICYSYNC_NONNULL out32,
                                    struct policysync_error *POLICYSYNC_NULLABLE err);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

#endif /* POLICYSYNC_H */
