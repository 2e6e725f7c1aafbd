/*
 * PolicySync: a secure, offline-first synchronization core.
 *
 * Rendered from src/ffi by cbindgen; do not edit. This header is the complete reference of the C interface.
 *
 * Contents, in this order: versions, statuses and errors, bytes, time, keys, operations, replicas (opening, writing,
 *   reading, the log), cursors, files, bundles, session resumption, sessions, responders, push channels, lines, HTTP,
 *   WebSocket. Each part begins with a heading; its types and constants come before its functions.
 *
 * The rules below hold for every function. The comment of a function says only where it differs.
 *
 * Names. Everything is policysync_* or POLICYSYNC_*.
 *
 * Statuses. A function that can fail returns a policysync_status: 0 on success, a positive number for another normal
 *   outcome, a negative number for a failure. So `status < 0` is the test. Outputs are written only on success; a handle
 *   is set to NULL first.
 *
 * err. The last parameter of most functions is a policysync_error of the caller. It may be NULL. It is written only on a
 *   failure, with the status and a message.
 *
 * Memory. Inputs are borrowed for the call: the library copies what it keeps. Outputs of a fixed size are written into
 *   memory of the caller, all others into a policysync_buffer. Handles may be freed in any order; freeing NULL does
 *   nothing. The library uses the system's allocator.
 *
 * NULL. Pointers marked POLICYSYNC_NONNULL are required: NULL gives POLICYSYNC_ERR_NULL. Where a length or a count is 0,
 *   its pointer is not read.
 *
 * Threads. Any thread may call any function, and several threads may use one handle, except where the type says one
 *   thread at a time. Calls from several threads wait for each other. A handle may be freed while no other thread begins
 *   a call with it; that is also allowed within a callback. There is nothing to initialize.
 *
 * Since. Every function and type is part of the interface since ABI 2.
 *
 * Growth. A struct that may get more members begins with struct_size, which the caller sets to sizeof, for example
 *   with the macro of the struct: `policysync_sync_options options = POLICYSYNC_SYNC_OPTIONS_INIT;`. Only
 *   policysync_outcome does not, and its size is an argument. All other structs never change. Members that an
 *   older program does not have count as zero. A newer program that uses a member that the library does not have gets
 *   POLICYSYNC_ERR_VERSION. Arrays of structs that may grow are passed with a stride: the number of bytes from one
 *   element to the next. Members named reserved must be 0 in inputs.
 *
 * Store failures. Where a comment says "a store failure", the status is one of POLICYSYNC_ERR_CORRUPT,
 *   POLICYSYNC_ERR_OPEN_HERE, POLICYSYNC_ERR_LOCKED, POLICYSYNC_ERR_IO, POLICYSYNC_ERR_NO_SPACE,
 *   POLICYSYNC_ERR_NOT_WRITABLE, POLICYSYNC_ERR_MOVED and POLICYSYNC_ERR_OTHER_PROCESS. After any of them the replica
 *   and its file are unchanged. The message begins with the path of the file.
 *
 * Fork. After fork() only the parent may use its handles; the child may only free them. In the child, writes, ingests
 *   and every access to a file return POLICYSYNC_ERR_OTHER_PROCESS.
 *
 * Text is UTF-8 with a length; it need not end with NUL. JSON is read strictly (RFC 8259, no duplicate names, no number
 *   that another reader could take for a different one) and written in canonical form (RFC 8785).
 *
 * Time is an argument, now_ms: milliseconds since 1970. POLICYSYNC_NOW uses the clock of the replica, and that of the
 *   machine where the replica was opened without one.
 *
 * Callbacks are called only on a thread that is inside a library call. They must not throw, longjmp or unwind, and may
 *   not call the replica (or a cursor of it), session, responder, push channel or line that is calling them: that gives
 *   POLICYSYNC_ERR_BUSY. They may call others, but do not wait for them: a call to an object that another thread is
 *   using gives POLICYSYNC_ERR_BUSY too, because that thread's callback may be calling this one. A return value that is not defined makes the call fail. `destroy` is called exactly once for
 *   each time that a struct of callbacks was handed over, even if that call failed, on any thread, never under a lock of
 *   the library. The one exception is a struct whose struct_size is too small to contain `destroy` or ends within a
 *   member: it gives POLICYSYNC_ERR_VERSION and is not taken over.
 *
 * Networks. The functions for HTTP and WebSocket exist in every build. In a build without their feature, and for https
 *   and wss in one without `tls`, they return POLICYSYNC_ERR_UNSUPPORTED. A status from -400 to -449 is temporary: try
 *   again later. One from -450 to -499 is not.
 */
#ifndef POLICYSYNC_H
#define POLICYSYNC_H

#include <stddef.h>
#include <stdint.h>

#define POLICYSYNC_VERSION_MAJOR 0u
#define POLICYSYNC_VERSION_MINOR 1u
#define POLICYSYNC_VERSION_PATCH 0u
/* The version that the program was compiled with, as policysync_version_number() gives it. */
#define POLICYSYNC_VERSION_NUMBER 1000u

/* Windows: define POLICYSYNC_SHARED to use the DLL; the default is the static library. */
#ifndef POLICYSYNC_API
#if defined(_WIN32) && defined(POLICYSYNC_SHARED)
#define POLICYSYNC_API __declspec(dllimport)
#else
#define POLICYSYNC_API
#endif
#endif

/* Marks functions whose status must not be ignored. */
#if defined(__GNUC__)
#define POLICYSYNC_CHECKED __attribute__((warn_unused_result))
#else
#define POLICYSYNC_CHECKED
#endif

/* Mark pointers that may not and that may be NULL, for Swift and for static analysis. */
#if defined(__clang__)
#define POLICYSYNC_NONNULL _Nonnull
#define POLICYSYNC_NULLABLE _Nullable
#else
#define POLICYSYNC_NONNULL
#define POLICYSYNC_NULLABLE
#endif

/* Initial values of a policysync_buffer, and of policysync_bytes for a string literal. Every struct that begins with
   struct_size has a macro of its own, such as POLICYSYNC_ERROR_INIT: its size, and zero in all other members. */
#define POLICYSYNC_BUFFER_INIT { NULL, 0, 0 }
#define POLICYSYNC_BYTES(literal) { (literal), sizeof(literal) - 1 }

/* The content type of a message over HTTP, in a request and in its answer. */
#define POLICYSYNC_HTTP_CONTENT_TYPE "application/vnd.policysync"

/* ISO C has no nullability attributes, and Clang would warn about each of them. */
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang diagnostic ignored "-Wnullability-completeness"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---------- Versions ---------- */

/**
 * The number of the binary interface, which is part of the shared library's name. A program built for one number runs
 * with every library of that number. It is independent of the library's version.
 */
#define POLICYSYNC_ABI_VERSION 2u

/**
 * Returns the version of the library as text: `"0.1.0"`.
 *
 * The text is static, ends with NUL and must not be freed.
 */
POLICYSYNC_API
const char *POLICYSYNC_NONNULL policysync_version(void);

/**
 * Returns the version of the library as a number: `major * 1000000 + minor * 1000 + patch`. Compare it with
 * `POLICYSYNC_VERSION_NUMBER` of the header that the program was compiled with.
 */
POLICYSYNC_API
uint32_t policysync_version_number(void);

/**
 * Returns the number of the library's binary interface. It must be equal to `POLICYSYNC_ABI_VERSION` of the header
 * that the program was compiled with.
 */
POLICYSYNC_API
uint32_t policysync_abi_version(void);

/* ---------- Statuses and errors ---------- */

/**
 * The `op_index` of an error that is not about an element of an array or an operation of a store.
 */
#define POLICYSYNC_NO_INDEX 18446744073709551615ull

/**
 * The statuses, which functions return as `policysync_status`. Failures are grouped by their cause: -1 to -99 the
 * program, -100 to -199 the peer, -200 to -299 the store, -300 to -399 the library or this machine, -400 to -499 the
 * network or the server.
 */
typedef enum policysync_status_code {
    /**
     * Success. For an ingested operation: it is in the log and merged.
     */
    POLICYSYNC_OK = 0,
    /**
     * Nothing was found. Outputs are not written.
     */
    POLICYSYNC_NOT_FOUND = 1,
    /**
     * Nothing is left at present: the cursor is at the end, nothing is to be sent or answered, or the line is closed.
     * The function says which.
     */
    POLICYSYNC_DONE = 2,
    /**
     * The operation is in the log, but its timestamp is too far ahead: it is merged when that time comes.
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
     * An argument is invalid; the message says which and why.
     */
    POLICYSYNC_ERR_ARGUMENT = -2,
    /**
     * A `struct_size` is too small, or a struct of a later version uses a member that this library does not have.
     */
    POLICYSYNC_ERR_VERSION = -3,
    /**
     * A callback called the object that is calling it, or a thread used a handle for one thread at a time while
     * another did.
     */
    POLICYSYNC_ERR_BUSY = -4,
    /**
     * The library was built without the required feature.
     */
    POLICYSYNC_ERR_UNSUPPORTED = -5,
    /**
     * A name is not 1 to 1024 bytes of UTF-8 without control characters and bidirectional controls.
     */
    POLICYSYNC_ERR_IDENTIFIER = -10,
    /**
     * A value is not valid JSON, or JSON that readers understand differently.
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
     * The key belongs to another actor than the one that the operation names.
     */
    POLICYSYNC_ERR_OTHER_ACTOR = -15,
    /**
     * The replica was opened without a key to write with.
     */
    POLICYSYNC_ERR_READ_ONLY = -16,
    /**
     * The time is past 2^53 - 1 milliseconds, or before 2020 or after 2100 where nothing else gives a time, or the
     * logical clock has reached its end.
     */
    POLICYSYNC_ERR_CLOCK = -17,
    /**
     * Another writer uses this actor: one actor is one device.
     */
    POLICYSYNC_ERR_OTHER_WRITER = -18,
    /**
     * A message was requested from a session that awaits one, or given to a session that awaits none.
     */
    POLICYSYNC_ERR_OUT_OF_TURN = -19,
    /**
     * The session has ended: it failed, was cancelled or has a result.
     */
    POLICYSYNC_ERR_ENDED = -20,
    /**
     * The replica is not the one that the session, the push channel or the resumption data belongs to.
     */
    POLICYSYNC_ERR_OTHER_REPLICA = -21,
    /**
     * The write would be stamped too far ahead of the time, because an operation of that time is merged. The
     * message says by how much.
     */
    POLICYSYNC_ERR_CLOCK_AHEAD = -22,
    /**
     * The value of the field has another type than the function returns; the message says which.
     */
    POLICYSYNC_ERR_TYPE = -23,
    /**
     * The passphrase is wrong.
     */
    POLICYSYNC_ERR_PASSPHRASE = -24,
    /**
     * A text is not a public key, a registry, an encrypted seed or a seed from paper; the message says where and why.
     */
    POLICYSYNC_ERR_KEY_TEXT = -25,
    /**
     * A callback failed or returned a value that is not defined.
     */
    POLICYSYNC_ERR_CALLBACK = -30,
    /**
     * The bytes are not a valid operation, message, bundle or resumption data. Trying again does not help.
     */
    POLICYSYNC_ERR_MALFORMED = -100,
    /**
     * The operation, the peer or the bundle belongs to another space than the replica.
     */
    POLICYSYNC_ERR_WRONG_SPACE = -101,
    /**
     * The actor has no such key in this replica. Try again after registering more keys.
     */
    POLICYSYNC_ERR_UNKNOWN_KEY = -110,
    /**
     * The signature is not the actor's.
     */
    POLICYSYNC_ERR_BAD_SIGNATURE = -111,
    /**
     * The guard rejected the operation.
     */
    POLICYSYNC_ERR_DENIED = -120,
    /**
     * The guard aborted the call, and nothing of it was kept.
     */
    POLICYSYNC_ERR_ABORTED = -121,
    /**
     * The peer, the bundle or the resumption data has another version of the format.
     */
    POLICYSYNC_ERR_PEER_VERSION = -130,
    /**
     * The peer's message is longer than this side accepts, or too many of the peer's operations were refused in one
     * session.
     */
    POLICYSYNC_ERR_LIMIT = -131,
    /**
     * The peer broke the protocol: its message contradicts itself or an earlier one.
     */
    POLICYSYNC_ERR_PROTOCOL = -132,
    /**
     * The message answers an earlier message or another session. The session still awaits its answer.
     */
    POLICYSYNC_ERR_STRAY = -133,
    /**
     * The peer has answered many times in a row without sending or accepting an operation.
     */
    POLICYSYNC_ERR_NO_PROGRESS = -134,
    /**
     * The peer has ended the session; the message says why.
     */
    POLICYSYNC_ERR_REFUSED = -135,
    /**
     * The peer no longer knows the session that this one resumes. Start again without `resume`.
     */
    POLICYSYNC_ERR_FORGOTTEN = -136,
    /**
     * The bundle is truncated or altered (the message says where; get it again), or resumption data was altered or
     * sealed with another key.
     */
    POLICYSYNC_ERR_DAMAGED = -137,
    /**
     * The log has no room for more operations.
     */
    POLICYSYNC_ERR_FULL = -200,
    /**
     * The store is damaged; the message says where and how. For a damaged operation, `op_index` is its number in the
     * log. See `policysync_store_salvage`.
     */
    POLICYSYNC_ERR_CORRUPT = -201,
    /**
     * Another process has the store open: only one replica in one process may have it open.
     */
    POLICYSYNC_ERR_LOCKED = -202,
    /**
     * The disk or the file system failed. Try again when the cause is removed.
     */
    POLICYSYNC_ERR_IO = -203,
    /**
     * The path is not a store: it is a directory, a pipe or a file of another program.
     */
    POLICYSYNC_ERR_NOT_A_STORE = -204,
    /**
     * The store holds less than it once did: it is an old copy, or something was removed.
     */
    POLICYSYNC_ERR_ROLLED_BACK = -205,
    /**
     * The disk is full. Free some space and try again.
     */
    POLICYSYNC_ERR_NO_SPACE = -206,
    /**
     * The file, its directory or the disk may not be written to.
     */
    POLICYSYNC_ERR_NOT_WRITABLE = -207,
    /**
     * A newer version of this library wrote the store. The file is unchanged.
     */
    POLICYSYNC_ERR_NEWER = -208,
    /**
     * The file exists already, and is not overwritten.
     */
    POLICYSYNC_ERR_EXISTS = -209,
    /**
     * The file was moved, removed or replaced after it was opened.
     */
    POLICYSYNC_ERR_MOVED = -210,
    /**
     * The store is a backup, and this actor wrote into it before the backup was made. A new installation needs a new
     * actor.
     */
    POLICYSYNC_ERR_RESTORED_BACKUP = -211,
    /**
     * The object belongs to the process that this one was forked from. Only freeing it is allowed.
     */
    POLICYSYNC_ERR_OTHER_PROCESS = -212,
    /**
     * The store was sealed with another key than `seal_key`. It is not damaged: open it with the right key, or without
     * one if that is lost.
     */
    POLICYSYNC_ERR_SEAL_KEY = -213,
    /**
     * This process has the store open already. Use that replica, or free it and its cursors first.
     */
    POLICYSYNC_ERR_OPEN_HERE = -214,
    /**
     * The file was released; see `policysync_replica_release_store`.
     */
    POLICYSYNC_ERR_RELEASED = -215,
    /**
     * libsodium does not work on this machine, or its verdicts differ from those that the library requires.
     */
    POLICYSYNC_ERR_CRYPTO = -300,
    /**
     * A bug of the library. The object can only be freed; for a replica that includes its cursors.
     */
    POLICYSYNC_ERR_PANIC = -301,
    /**
     * This machine does not have the memory that the passphrase of a seed needs.
     */
    POLICYSYNC_ERR_MEMORY = -302,
    /**
     * The name of the server's host is unknown or cannot be looked up at present.
     */
    POLICYSYNC_ERR_HOST = -400,
    /**
     * The connection was refused, is broken or closed.
     */
    POLICYSYNC_ERR_CONNECTION = -401,
    /**
     * The server did not answer, or a transfer did not move, within the time that the options allow.
     */
    POLICYSYNC_ERR_TIMEOUT = -402,
    /**
     * The server cannot answer at present (HTTP status 408, 421, 425, 429, 500, 502, 503 or 504, or a PolicySync
     * server that reports a fault of its own), or the login page of a network answers in its place (a redirect for a
     * time, or another content type); the message says which.
     */
    POLICYSYNC_ERR_UNAVAILABLE = -403,
    /**
     * The server, a gateway or a proxy answered with another HTTP status, for example 404 or 413; the message says
     * which.
     */
    POLICYSYNC_ERR_HTTP_STATUS = -450,
    /**
     * The server requires a token, or another one (HTTP status 401 or 403), or the proxy requires credentials (407).
     */
    POLICYSYNC_ERR_UNAUTHORIZED = -451,
    /**
     * The server's certificate is not accepted, or TLS failed; the message says why.
     */
    POLICYSYNC_ERR_TLS = -452,
    /**
     * The answer does not come from a server of this protocol, or something on the way has encoded it.
     */
    POLICYSYNC_ERR_NOT_A_SERVER = -453,
} policysync_status_code;

/**
 * The result of a function: 0 on success, a positive number for another normal outcome, a negative number for a
 * failure. `policysync_status_code` names the values; `policysync_status_name` returns a name as text. Later versions
 * may add codes; none ever changes its meaning.
 */
typedef int32_t policysync_status;

/**
 * A failure, in memory of the caller. A function that fails writes it; one that succeeds leaves it unchanged. Nothing
 * in it needs to be freed. Start with `policysync_error error = POLICYSYNC_ERROR_INIT;` or with all members zero. One
 * thread at a time.
 */
typedef struct policysync_error {
    /**
     * `sizeof(policysync_error)`. The library writes at most this many bytes, and none if it is less than 24. 0 counts
     * as 256, the size of the struct in ABI 2.
     */
    uint32_t struct_size;
    /**
     * The status that was returned.
     */
    policysync_status status;
    /**
     * The index of the element of an array that is at fault, counted from 0; for a store, the number of the operation
     * in the log; otherwise `POLICYSYNC_NO_INDEX`.
     */
    uint64_t op_index;
    /**
     * One line of UTF-8 that ends with NUL, truncated if it is too long. Names and values from outside are shortened
     * and escaped, and it never contains a secret.
     */
    char message[240];
} policysync_error;

#define POLICYSYNC_ERROR_INIT { (uint32_t)sizeof(policysync_error), 0, 0, { 0 } }

/**
 * Returns the name of a status: `"POLICYSYNC_ERR_NULL"`; `"POLICYSYNC_UNKNOWN"` for a number that this library does
 * not use.
 *
 * The text is static, ends with NUL and must not be freed.
 */
POLICYSYNC_API
const char *POLICYSYNC_NONNULL policysync_status_name(policysync_status status);

/* ---------- Bytes ---------- */

/**
 * Bytes that the library has allocated. Start with `policysync_buffer buffer = POLICYSYNC_BUFFER_INIT;`, pass it to
 * any number of calls, each of which replaces its content, and end with `policysync_buffer_dispose`. A call that fails
 * or finds nothing leaves it unchanged. Do not change its members. One thread at a time.
 */
typedef struct policysync_buffer {
    /**
     * The bytes, followed by one NUL that `len` does not count. NULL before the first call.
     */
    uint8_t *POLICYSYNC_NULLABLE data;
    /**
     * The number of bytes.
     */
    size_t len;
    /**
     * The size of the allocation, for the library's use.
     */
    size_t capacity;
} policysync_buffer;

/**
 * A view of bytes that belong to someone else: text in UTF-8, JSON, an operation. They need not end with NUL. Where
 * `len` is 0, `data` is not read. `POLICYSYNC_BYTES("text")` initializes one from a literal.
 */
typedef struct policysync_bytes {
    /**
     * The first byte.
     */
    const void *POLICYSYNC_NULLABLE data;
    /**
     * The number of bytes.
     */
    size_t len;
} policysync_bytes;

/**
 * Frees the content of a buffer and resets it to `POLICYSYNC_BUFFER_INIT`, so that it can be used or disposed again.
 * NULL is allowed.
 */
POLICYSYNC_API
void policysync_buffer_dispose(struct policysync_buffer *POLICYSYNC_NULLABLE buffer);

/* ---------- Time ---------- */

/**
 * As `now_ms`: the time is read from the replica's clock, or from the machine's where the replica was opened without
 * one.
 */
#define POLICYSYNC_NOW 18446744073709551615ull

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
 * Returns the time of the machine's clock in milliseconds since 1970.
 */
POLICYSYNC_API
uint64_t policysync_system_clock_ms(void);

/**
 * Returns the timestamp that follows `last` at the wall clock time `now_ms`. It never goes back.
 *
 * `last`: the last timestamp that was issued or seen; NULL for none.
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW` for the machine's clock.
 * `out`: the timestamp. It may be the same memory as `last`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_CLOCK` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_hlc_now(const struct policysync_hlc *POLICYSYNC_NULLABLE last,
                                     uint64_t now_ms,
                                     struct policysync_hlc *POLICYSYNC_NONNULL out,
                                     policysync_error *POLICYSYNC_NULLABLE err);

/* ---------- Keys ---------- */

/**
 * The room for a seed on paper: 15 groups of four characters, the spaces between them, and a NUL.
 */
#define POLICYSYNC_PAPER_SIZE 75u

/**
 * A key pair with the actor that it signs for. An actor is one writer: one device, one installation. Two devices that
 * write as one actor would contradict each other. A key never changes. Its secret is wiped when it is freed.
 */
typedef struct policysync_key policysync_key;

/**
 * A public key with its actor. This struct never changes.
 */
typedef struct policysync_public_key {
    /**
     * The actor, 1 to 1024 bytes of UTF-8.
     */
    policysync_bytes actor;
    /**
     * The id of the key among the actor's keys; empty for the id that is derived from the key.
     */
    policysync_bytes kid;
    /**
     * The 32 bytes of the key.
     */
    uint8_t public_key[32];
} policysync_public_key;

/**
 * Generates a key pair for an actor from the system's random numbers. Its kid is derived from the public key.
 *
 * `actor`, `actor_len`: 1 to 1024 bytes of UTF-8.
 * `out`: the key, to be freed with `policysync_key_free`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), `POLICYSYNC_ERR_IDENTIFIER`,
 * `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_key_generate(const char *POLICYSYNC_NULLABLE actor,
                                          size_t actor_len,
                                          struct policysync_key *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                          policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Derives the key pair of a seed. The same seed gives the same pair.
 *
 * `actor`, `actor_len`: 1 to 1024 bytes of UTF-8.
 * `kid`, `kid_len`: the id of this key among the actor's keys, 1 to 1024 bytes of UTF-8; NULL and 0 for the id that is
 * derived from the public key.
 * `seed`: 32 secret bytes, which RFC 8032 calls the private key. Wipe your copy.
 * `out`: the key, to be freed with `policysync_key_free`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), `POLICYSYNC_ERR_IDENTIFIER`,
 * `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_key_from_seed(const char *POLICYSYNC_NULLABLE actor,
                                           size_t actor_len,
                                           const char *POLICYSYNC_NULLABLE kid,
                                           size_t kid_len,
                                           const uint8_t *POLICYSYNC_NONNULL seed,
                                           struct policysync_key *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                           policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the public key, to be registered with every replica that should admit this actor's operations.
 *
 * `out32`: room for 32 bytes.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_key_public(const struct policysync_key *POLICYSYNC_NONNULL key,
                                        uint8_t *POLICYSYNC_NONNULL out32,
                                        policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the seed: **the whole secret**, for the platform's key store. Wipe your copy.
 *
 * `out32`: room for 32 bytes.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_key_expose_seed(const struct policysync_key *POLICYSYNC_NONNULL key,
                                             uint8_t *POLICYSYNC_NONNULL out32,
                                             policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the actor of the key as UTF-8 that ends with NUL and lives as long as the key; NULL for NULL.
 */
POLICYSYNC_API
const char *POLICYSYNC_NULLABLE policysync_key_actor(const struct policysync_key *POLICYSYNC_NULLABLE key);

/**
 * Returns the id of the key as UTF-8 that ends with NUL and lives as long as the key; NULL for NULL.
 */
POLICYSYNC_API
const char *POLICYSYNC_NULLABLE policysync_key_kid(const struct policysync_key *POLICYSYNC_NULLABLE key);

/**
 * Frees a key and wipes its secret. No other thread may be using it. Replicas that were opened with it have their own
 * copy. NULL is allowed.
 */
POLICYSYNC_API
void policysync_key_free(struct policysync_key *POLICYSYNC_NULLABLE key);

/**
 * Returns the public key with its actor and kid as one line of text, which never changes its form: for a registry, a
 * message or a QR code. The manual's page `format` describes it.
 *
 * `out`: `policysync-key-1 <kid> <public key> <actor>`, without the end of the line.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_key_public_text(const struct policysync_key *POLICYSYNC_NONNULL key,
                                             policysync_buffer *POLICYSYNC_NONNULL out,
                                             policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Reads a public key from its text, for example to ask a person whether its actor is to be registered.
 *
 * `text`, `text_len`: one line, as `policysync_key_public_text` writes it. White space around it is ignored.
 * `actor`: the actor; NULL if it is not wanted.
 * `kid`: the id of the key among the actor's keys; NULL if it is not wanted.
 * `out32`: room for the 32 bytes of the public key.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), `POLICYSYNC_ERR_KEY_TEXT`,
 * `POLICYSYNC_ERR_KEY` (no valid public key), `POLICYSYNC_ERR_IDENTIFIER`, `POLICYSYNC_ERR_CRYPTO` or
 * `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_public_key_from_text(const char *POLICYSYNC_NULLABLE text,
                                                  size_t text_len,
                                                  policysync_buffer *POLICYSYNC_NULLABLE actor,
                                                  policysync_buffer *POLICYSYNC_NULLABLE kid,
                                                  uint8_t *POLICYSYNC_NONNULL out32,
                                                  policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Encrypts the seed of a key with a passphrase, as one line of text that never changes its form. The manual's page
 * `format` describes it. The text alone is of no use to anyone who cannot guess the passphrase.
 *
 * `passphrase`, `passphrase_len`: at least one byte. Their Unicode normalization is the caller's choice.
 * `passes`, `memory_kib`: the cost of one guess: passes of Argon2id, 1 to 16, over 8 to 1048576 KiB of memory. 0 and 0
 * for 3 passes over 256 MiB, about a second.
 * `out`: the text.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (an empty passphrase, or the cost),
 * `POLICYSYNC_ERR_MEMORY`, `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_key_wrap_seed(const struct policysync_key *POLICYSYNC_NONNULL key,
                                           const void *POLICYSYNC_NULLABLE passphrase,
                                           size_t passphrase_len,
                                           uint32_t passes,
                                           uint32_t memory_kib,
                                           policysync_buffer *POLICYSYNC_NONNULL out,
                                           policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Decrypts a seed, for `policysync_key_from_seed`.
 *
 * `text`, `text_len`: the text of `policysync_key_wrap_seed`. White space around it is ignored.
 * `passphrase`, `passphrase_len`: the passphrase.
 * `out32`: room for 32 bytes: **the whole secret**. Wipe them.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), `POLICYSYNC_ERR_PASSPHRASE`
 * (the text is whole, the passphrase is wrong), `POLICYSYNC_ERR_KEY_TEXT` (the text is damaged or something else),
 * `POLICYSYNC_ERR_MEMORY`, `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_seed_unwrap(const char *POLICYSYNC_NULLABLE text,
                                         size_t text_len,
                                         const void *POLICYSYNC_NULLABLE passphrase,
                                         size_t passphrase_len,
                                         uint8_t *POLICYSYNC_NONNULL out32,
                                         policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the seed of a key as text that a person can write on paper and type in again: 15 groups of four letters and
 * digits, with a checksum that finds mistakes. **It is the whole secret**, without the actor and the kid.
 *
 * `out`: room for `POLICYSYNC_PAPER_SIZE` bytes: the text, which ends with NUL. Wipe them.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_key_expose_paper(const struct policysync_key *POLICYSYNC_NONNULL key,
                                              uint8_t *POLICYSYNC_NONNULL out,
                                              policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Reads a seed from paper, for `policysync_key_from_seed`.
 *
 * `text`, `text_len`: the text of `policysync_key_expose_paper`. Case does not matter, the letter O is read as 0, I
 * and L as 1, and white space and `-` may be anywhere.
 * `out32`: room for 32 bytes: **the whole secret**. Wipe them.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), `POLICYSYNC_ERR_KEY_TEXT`
 * (the message names the group with the mistake, if all mistakes are in one) or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_seed_from_paper(const char *POLICYSYNC_NULLABLE text,
                                             size_t text_len,
                                             uint8_t *POLICYSYNC_NONNULL out32,
                                             policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns 32 random bytes from the system: for a seed, a secret or a seal key.
 *
 * `out32`: room for 32 bytes.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_random32(uint8_t *POLICYSYNC_NONNULL out32,
                                      policysync_error *POLICYSYNC_NULLABLE err);

/* ---------- Operations ---------- */

/**
 * The form of an operation in bytes. Functions that read operations accept both.
 */
typedef enum policysync_format {
    /**
     * The canonical JSON form (RFC 8785), on one line.
     */
    POLICYSYNC_JSON = 1,
    /**
     * The binary form: smaller, and faster to read.
     */
    POLICYSYNC_BINARY = 2,
} policysync_format;

/**
 * The effect of an operation on its field: `kind` of `policysync_op`.
 */
typedef enum policysync_op_kind {
    /**
     * The field has the value, until a later operation on it.
     */
    POLICYSYNC_SET = 1,
    /**
     * The field is removed, until a later operation sets it. The value is `null`.
     */
    POLICYSYNC_DELETE = 2,
} policysync_op_kind;

/**
 * The form of a signature: `scheme` of `policysync_op`. Later versions may add schemes.
 */
typedef enum policysync_scheme {
    /**
     * No signature: the view of a guard.
     */
    POLICYSYNC_SCHEME_NONE = 0,
    /**
     * An Ed25519 signature (RFC 8032) of this operation alone.
     */
    POLICYSYNC_SCHEME_ED25519 = 1,
} policysync_scheme;

/**
 * A view of an operation. As an argument of a callback it lives until the callback returns; from a cursor, until the
 * next call on that cursor. In an array, step by the stride.
 */
typedef struct policysync_op {
    /**
     * `sizeof(policysync_op)`.
     */
    uint32_t struct_size;
    /**
     * The effect on its field: a `policysync_op_kind`.
     */
    uint32_t kind;
    /**
     * The time of the write: milliseconds since 1970, 0 to 2^53 - 1.
     */
    uint64_t t;
    /**
     * The logical counter, 0 to 2^32 - 2.
     */
    uint32_t c;
    /**
     * The form of the signature: a `policysync_scheme`. For a guard: `POLICYSYNC_SCHEME_NONE`.
     */
    uint32_t scheme;
    /**
     * The identity of the operation: SHA-256 of the signed text.
     */
    uint8_t hash[32];
    /**
     * The proof of the scheme: for `POLICYSYNC_SCHEME_ED25519` the signature, 64 bytes. For a guard: empty.
     */
    policysync_bytes proof;
    /**
     * The actor that wrote it.
     */
    policysync_bytes actor;
    /**
     * The id of the actor's key that signed it. For a guard: empty.
     */
    policysync_bytes kid;
    /**
     * The kind of thing that it changes.
     */
    policysync_bytes entity;
    /**
     * The thing of that kind.
     */
    policysync_bytes entity_id;
    /**
     * The field of that thing.
     */
    policysync_bytes path;
    /**
     * The new value of the field as canonical JSON; `null` for a delete.
     */
    policysync_bytes value;
    /**
     * The space that it belongs to; empty for none.
     */
    policysync_bytes space;
    /**
     * Its `id`, if that is not `actor:t:c`; otherwise empty.
     */
    policysync_bytes label;
} policysync_op;

#define POLICYSYNC_OP_INIT { (uint32_t)sizeof(policysync_op), 0, 0, 0, 0, { 0 }, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, { NULL, 0 } }

/**
 * Signs an operation as its actor. A replica does this for its own writes.
 *
 * `op`: the content: `struct_size`, `kind`, `t`, `c`, `actor`, `entity`, `entity_id`, `path` and `value` (JSON; empty
 * or `null` for a delete) are required, `space` and `label` may be empty; other members are ignored.
 * `key`: a key of its actor.
 * `format`: the form of the output: a `policysync_format`.
 * `out`: the signed operation.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION`,
 * `POLICYSYNC_ERR_IDENTIFIER`, `POLICYSYNC_ERR_VALUE`, `POLICYSYNC_ERR_CLOCK` (`t` or `c` is out of range),
 * `POLICYSYNC_ERR_TOO_LARGE`, `POLICYSYNC_ERR_OTHER_ACTOR`, `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_op_sign(const struct policysync_op *POLICYSYNC_NONNULL op,
                                     const policysync_key *POLICYSYNC_NONNULL key,
                                     uint32_t format,
                                     policysync_buffer *POLICYSYNC_NONNULL out,
                                     policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Verifies an operation against one key: the key must be the actor's, with the kid that the operation names, and must
 * have signed exactly this operation. A replica does this for every operation that it ingests.
 *
 * `op`, `op_len`: JSON or the binary form.
 * `actor`, `actor_len`: the actor of the key, UTF-8.
 * `kid`, `kid_len`: the id of the key; NULL and 0 for the id that is derived from the key.
 * `public_key`: 32 bytes.
 *
 * Returns `POLICYSYNC_OK` (it is genuine), `POLICYSYNC_ERR_UNKNOWN_KEY` (it names another actor or another kid),
 * `POLICYSYNC_ERR_BAD_SIGNATURE`, `POLICYSYNC_ERR_MALFORMED`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not
 * UTF-8), `POLICYSYNC_ERR_IDENTIFIER`, `POLICYSYNC_ERR_KEY`, `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_op_verify(const void *POLICYSYNC_NULLABLE op,
                                       size_t op_len,
                                       const char *POLICYSYNC_NULLABLE actor,
                                       size_t actor_len,
                                       const char *POLICYSYNC_NULLABLE kid,
                                       size_t kid_len,
                                       const uint8_t *POLICYSYNC_NONNULL public_key,
                                       policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Computes the identity of an operation: SHA-256 of the signed text. The signature is not part of it, **and is not
 * verified**.
 *
 * `op`, `op_len`: JSON or the binary form.
 * `out32`: room for 32 bytes.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_MALFORMED`,
 * `POLICYSYNC_ERR_TOO_LARGE`, `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_op_hash(const void *POLICYSYNC_NULLABLE op,
                                     size_t op_len,
                                     uint8_t *POLICYSYNC_NONNULL out32,
                                     policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Converts an operation into another form. **The signature is not verified.**
 *
 * `op`, `op_len`: JSON or the binary form.
 * `format`: the form of the output: a `policysync_format`.
 * `out`: the operation.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (no such format),
 * `POLICYSYNC_ERR_MALFORMED` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_op_convert(const void *POLICYSYNC_NULLABLE op,
                                        size_t op_len,
                                        uint32_t format,
                                        policysync_buffer *POLICYSYNC_NONNULL out,
                                        policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Computes SHA-256 (FIPS 180-4).
 *
 * `data`, `len`: any bytes.
 * `out32`: room for 32 bytes.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_CRYPTO` or
 * `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_sha256(const void *POLICYSYNC_NULLABLE data,
                                    size_t len,
                                    uint8_t *POLICYSYNC_NONNULL out32,
                                    policysync_error *POLICYSYNC_NULLABLE err);

/* ---------- Replicas: opening ---------- */

/**
 * A flag of a replica: operations may have any `id`. Without it, an `id` must be `actor:t:c`.
 */
#define POLICYSYNC_ANY_LABEL 1u

/**
 * A flag of a replica: operations are admitted **without verifying any signature**. It is only for a relay that stores
 * operations for others and knows no keys; whoever fetches from it must verify. The guard sees unverified operations
 * too.
 */
#define POLICYSYNC_DANGEROUSLY_UNVERIFIED 2u

/**
 * The failures that an acknowledged write to a file survives: `durability` of `policysync_replica_options`.
 */
typedef enum policysync_durability {
    /**
     * A crash of the process or the system, and a loss of power.
     */
    POLICYSYNC_DURABILITY_FULL = 0,
    /**
     * A crash of the process only. When the system or the power fails, the **last writes may be lost, although they
     * were acknowledged and may have been sent to others**; the rest is undamaged. A device that loses its own writes
     * may later write other operations with the same timestamps: give it a new key and actor after such a failure.
     * This saves a wait for the disk in every call that writes.
     */
    POLICYSYNC_DURABILITY_PROCESS_ONLY = 1,
} policysync_durability;

/**
 * The decision of a guard about an operation.
 */
typedef enum policysync_verdict {
    /**
     * Admits the operation.
     */
    POLICYSYNC_ADMIT = 1,
    /**
     * Rejects this operation only.
     */
    POLICYSYNC_REJECT = 2,
    /**
     * Rejects every operation of the call and leaves the replica unchanged.
     */
    POLICYSYNC_ABORT = 3,
} policysync_verdict;

/**
 * One copy of the data: the operations that this device has written and received, merged. A replica opens no sockets,
 * and starts no threads that outlive a call.
 */
typedef struct policysync_replica policysync_replica;

/**
 * Rejects operations that the application does not accept, a batch at a time. It sees only operations that are new
 * and, unless the replica was opened with `POLICYSYNC_DANGEROUSLY_UNVERIFIED`, verified. It can only reject: a replica
 * without a guard verifies every signature too.
 *
 * **A guard must be a deterministic function of the operation alone**: not of the time, of stored data or of the order
 * of calls. Otherwise two replicas admit different operations and never converge.
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
     * The context that is passed to `check` and `destroy`.
     */
    void *POLICYSYNC_NULLABLE ctx;
    /**
     * Writes a `policysync_verdict` for each operation. `ops` are `stride` bytes apart and live until it returns.
     * `verdicts` are 0 before; one that is 0 or another undefined number afterwards makes the call fail with
     * `POLICYSYNC_ERR_CALLBACK`. So does a result other than 0. Required.
     */
    policysync_status (*POLICYSYNC_NULLABLE check)(void *POLICYSYNC_NULLABLE ctx,
                                                   const policysync_op *POLICYSYNC_NONNULL ops,
                                                   size_t stride,
                                                   size_t count,
                                                   int32_t *POLICYSYNC_NONNULL verdicts);
    /**
     * Frees the context; see Callbacks at the top. NULL for nothing.
     */
    void (*POLICYSYNC_NULLABLE destroy)(void *POLICYSYNC_NULLABLE ctx);
} policysync_guard;

#define POLICYSYNC_GUARD_INIT { (uint32_t)sizeof(policysync_guard), 0, NULL, NULL, NULL }

/**
 * The clock of a replica, which is read where a call passes `POLICYSYNC_NOW`.
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
     * The context that is passed to `now_ms` and `destroy`.
     */
    void *POLICYSYNC_NULLABLE ctx;
    /**
     * Writes the milliseconds since 1970 and returns 0. The time may go back, stop and be wrong. Another result makes
     * the call fail with `POLICYSYNC_ERR_CALLBACK`. Required.
     */
    policysync_status (*POLICYSYNC_NULLABLE now_ms)(void *POLICYSYNC_NULLABLE ctx,
                                                    uint64_t *POLICYSYNC_NONNULL out_ms);
    /**
     * Frees the context; see Callbacks at the top. NULL for nothing.
     */
    void (*POLICYSYNC_NULLABLE destroy)(void *POLICYSYNC_NULLABLE ctx);
} policysync_clock;

#define POLICYSYNC_CLOCK_INIT { (uint32_t)sizeof(policysync_clock), 0, NULL, NULL, NULL }

/**
 * Notifies the application of changed fields, so that it need not poll.
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
     * The context that is passed to `changed` and `destroy`.
     */
    void *POLICYSYNC_NULLABLE ctx;
    /**
     * Called at the end of each call that writes or ingests, if `policysync_replica_poll` has changes to return. It
     * may not call the replica: remember the notification, and poll when the call has returned. Required.
     */
    void (*POLICYSYNC_NULLABLE changed)(void *POLICYSYNC_NULLABLE ctx);
    /**
     * Frees the context; see Callbacks at the top. NULL for nothing.
     */
    void (*POLICYSYNC_NULLABLE destroy)(void *POLICYSYNC_NULLABLE ctx);
} policysync_observer;

#define POLICYSYNC_OBSERVER_INIT { (uint32_t)sizeof(policysync_observer), 0, NULL, NULL, NULL }

/**
 * A digest of the content of a replica. Replicas with equal `count` and `log` hold the same operations; replicas with
 * equal `state` have the same fields.
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
     * The number of operations in the log.
     */
    uint64_t count;
    /**
     * SHA-256 over the hashes of the operations in their order.
     */
    uint8_t log[32];
    /**
     * SHA-256 over every field with the hash of its winning operation.
     */
    uint8_t state[32];
} policysync_digest;

#define POLICYSYNC_DIGEST_INIT { (uint32_t)sizeof(policysync_digest), 0, 0, { 0 }, { 0 } }

/**
 * The options of a replica. Zero in every member but the first is the default: initialize them with
 * `policysync_replica_options_init`. The key, the guard, the clock and the observer are copied, and the contexts of
 * the callbacks are taken over.
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
     * The number of milliseconds that an operation may be ahead of the wall clock; one that is further ahead is held
     * until its time comes. 0 for ten minutes.
     */
    uint64_t max_drift_ms;
    /**
     * The number of threads that verify signatures and, in a large batch, look up registers. They end with the call. 0
     * and 1 for the caller's thread alone; more need the feature `parallel`. The guard is always called on the
     * caller's thread.
     */
    uint32_t threads;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * The key to write with, which is also registered; NULL for a replica that only reads.
     */
    const policysync_key *POLICYSYNC_NULLABLE key;
    /**
     * The name of the space, 1 to 1024 bytes: operations are signed for it, and operations of other spaces are
     * refused. Empty for operations without a space.
     */
    policysync_bytes space;
    /**
     * The guard; NULL for none.
     */
    const struct policysync_guard *POLICYSYNC_NULLABLE guard;
    /**
     * The clock for `POLICYSYNC_NOW`; NULL for the machine's.
     */
    const struct policysync_clock *POLICYSYNC_NULLABLE clock;
    /**
     * The observer of changes; NULL for none.
     */
    const struct policysync_observer *POLICYSYNC_NULLABLE observer;
    /**
     * The keys that are known from the start, `keys_stride` bytes apart. A file that is opened without its `seal_key`
     * needs the keys of every actor that has written into it; other keys can be added later with
     * `policysync_replica_register_key`. NULL for none.
     */
    const policysync_public_key *POLICYSYNC_NULLABLE keys;
    /**
     * The stride of `keys`: `sizeof(policysync_public_key)`.
     */
    size_t keys_stride;
    /**
     * The number of keys.
     */
    size_t keys_count;
    /**
     * The file of the replica, which is created if it does not exist: UTF-8 (on Unix any bytes), without NUL. Empty
     * for a replica in memory. Needs the feature `sqlite`, which is a default.
     *
     * Only one replica in one process can have a file open; others get `POLICYSYNC_ERR_OPEN_HERE` in the same process
     * and `POLICYSYNC_ERR_LOCKED` elsewhere. While it is open,
     * SQLite keeps a second file beside it (`-wal`). Do not touch either: on Unix, a process that opens and closes the
     * file by other means releases its lock. Copy it with `policysync_replica_back_up`. See "Fork"
     * at the top of this header.
     */
    policysync_bytes path;
    /**
     * The present time: operations in the file with a timestamp later than this and the drift are held. 0 and
     * `POLICYSYNC_NOW` for the clock. This member and those after it up to
     * `at_least` are ignored without a path.
     */
    uint64_t now_ms;
    /**
     * The durability of writes: a `policysync_durability`.
     */
    uint32_t durability;
    /**
     * 0.
     */
    uint32_t reserved_2;
    /**
     * The key of the seal: 32 secret bytes from the platform's key store, unknown to anyone who can write to the file.
     * The seal is a keyed digest over all operations and the clock that is renewed with every write. At the next
     * opening it proves that they were verified before, which saves verifying each signature. A file without a seal is
     * verified and sealed. A replica that is opened without the key verifies every signature, and its first write
     * removes the seal. With another key than the one that sealed the file, opening fails with
     * `POLICYSYNC_ERR_SEAL_KEY`; if the key is lost, open without one. Not allowed together with
     * `POLICYSYNC_DANGEROUSLY_UNVERIFIED`. NULL for none.
     */
    const uint8_t *POLICYSYNC_NULLABLE seal_key;
    /**
     * A digest of this replica at an earlier time, of which `count` and `log` are used: a file that holds less is
     * refused with `POLICYSYNC_ERR_ROLLED_BACK`. Keep it where nobody who can replace the file can change it. Without
     * it, an old copy of the file is not detected. NULL for none.
     */
    const struct policysync_digest *POLICYSYNC_NULLABLE at_least;
    /**
     * Further keys that are known from the start, as text: see `policysync_replica_register_text`. Empty for none.
     */
    policysync_bytes keys_text;
} policysync_replica_options;

#define POLICYSYNC_REPLICA_OPTIONS_INIT { (uint32_t)sizeof(policysync_replica_options), 0, 0, 0, 0, NULL, { NULL, 0 }, NULL, NULL, NULL, NULL, 0, 0, { NULL, 0 }, 0, 0, 0, NULL, NULL, { NULL, 0 } }

/**
 * Initializes options: all zero except `struct_size`.
 *
 * `out`: receives `struct_size` bytes, however many of them the library knows.
 * `struct_size`: `sizeof(policysync_replica_options)`, at least 8.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (`struct_size` is too small) or
 * `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_options_init(struct policysync_replica_options *POLICYSYNC_NONNULL out,
                                                  uint32_t struct_size);

/**
 * Opens a replica: an empty one in memory, or with `options.path` the one in a file.
 *
 * A file is not trusted. The hash of each operation is computed and its signature verified again, unless
 * `options.seal_key` proves that this was done before. The guard is not called for them. Existing fields do not count
 * as changes. The file is closed when the replica and all its cursors are freed.
 *
 * `options`: NULL for the defaults: a replica in memory that only reads. The contexts of the callbacks are destroyed
 * when the call fails, or when the replica and its cursors are freed.
 * `out`: the replica, to be freed with `policysync_replica_free`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` (also for a callback without its function),
 * `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION`, `POLICYSYNC_ERR_UNSUPPORTED` (threads, a path),
 * `POLICYSYNC_ERR_IDENTIFIER` (a name), `POLICYSYNC_ERR_KEY` or `POLICYSYNC_ERR_KEY_TAKEN` (`op_index` is the element
 * of `options.keys`), `POLICYSYNC_ERR_KEY_TEXT`, `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`. With a path also
 * `POLICYSYNC_ERR_CALLBACK` (the clock), `POLICYSYNC_ERR_CLOCK` (out of range), `POLICYSYNC_ERR_FULL`,
 * `POLICYSYNC_ERR_UNKNOWN_KEY` (of operation number `op_index` in the file: add the key to `options.keys`),
 * `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_NOT_A_STORE`, `POLICYSYNC_ERR_NEWER`, `POLICYSYNC_ERR_SEAL_KEY`,
 * `POLICYSYNC_ERR_ROLLED_BACK`, `POLICYSYNC_ERR_RESTORED_BACKUP` or a store failure.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_open(const struct policysync_replica_options *POLICYSYNC_NULLABLE options,
                                          struct policysync_replica *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                          policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Frees a replica. Its cursors stay usable, and the data that they share with it is freed with the last of them. NULL
 * is allowed.
 */
POLICYSYNC_API
void policysync_replica_free(struct policysync_replica *POLICYSYNC_NULLABLE replica);

/**
 * Registers an actor's public key: from now on operations that it signs are admitted. Registering the same key again
 * changes nothing. A key cannot be removed.
 *
 * `actor`, `actor_len`: the actor of the key, 1 to 1024 bytes of UTF-8.
 * `kid`, `kid_len`: the id of the key among the actor's keys; NULL and 0 for the id that is derived from the key.
 * `public_key`: 32 bytes.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), `POLICYSYNC_ERR_IDENTIFIER`,
 * `POLICYSYNC_ERR_KEY` (no valid public key), `POLICYSYNC_ERR_KEY_TAKEN`, `POLICYSYNC_ERR_CRYPTO`,
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_register_key(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                                  const char *POLICYSYNC_NULLABLE actor,
                                                  size_t actor_len,
                                                  const char *POLICYSYNC_NULLABLE kid,
                                                  size_t kid_len,
                                                  const uint8_t *POLICYSYNC_NONNULL public_key,
                                                  policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Registers every public key of a registry in text form: one key a line as `policysync_key_public_text` writes it,
 * empty lines, and lines that begin with `#`. All of them or none.
 *
 * `text`, `text_len`: the registry, UTF-8; one key is a registry too.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), `POLICYSYNC_ERR_KEY_TEXT`
 * (the message names the line), `POLICYSYNC_ERR_KEY`, `POLICYSYNC_ERR_KEY_TAKEN`, `POLICYSYNC_ERR_IDENTIFIER`,
 * `POLICYSYNC_ERR_CRYPTO`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_register_text(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                                   const char *POLICYSYNC_NULLABLE text,
                                                   size_t text_len,
                                                   policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the registered keys as text, for `policysync_replica_register_text` and for `keys_text` of the options.
 *
 * `out`: one key a line, in the order of registration.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_keys_text(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                               policysync_buffer *POLICYSYNC_NONNULL out,
                                               policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the registered keys in the order of registration.
 *
 * `out`: a JSON array of `{"actor":"alice","kid":"…","publicKey":"64 hexadecimal digits"}`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_keys(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                          policysync_buffer *POLICYSYNC_NONNULL out,
                                          policysync_error *POLICYSYNC_NULLABLE err);

/* ---------- Replicas: writing and ingesting ---------- */

/**
 * The effect of an operation on its field: `effect` of `policysync_outcome`.
 */
typedef enum policysync_effect {
    /**
     * None: the operation was refused, is held or was in the log already.
     */
    POLICYSYNC_NO_EFFECT = 0,
    /**
     * The field now has the value of this operation.
     */
    POLICYSYNC_WON = 1,
    /**
     * The field is unchanged: a greater operation won.
     */
    POLICYSYNC_LOST = 2,
} policysync_effect;

/**
 * The names of a field, each 1 to 1024 bytes of UTF-8. This struct never changes.
 */
typedef struct policysync_field {
    /**
     * The kind of thing.
     */
    policysync_bytes entity;
    /**
     * The thing of that kind.
     */
    policysync_bytes entity_id;
    /**
     * The field of that thing.
     */
    policysync_bytes path;
} policysync_field;

/**
 * The outcome of ingesting one operation. Hashes that do not apply are zero. Pass your own
 * `sizeof(policysync_outcome)` as the size or stride, and zero an array before the call: an older library writes fewer
 * members.
 */
typedef struct policysync_outcome {
    /**
     * `POLICYSYNC_OK` (in the log and merged), `POLICYSYNC_HELD`, `POLICYSYNC_DUPLICATE`, or the reason for the
     * refusal: `POLICYSYNC_ERR_MALFORMED`, `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_UNKNOWN_KEY`,
     * `POLICYSYNC_ERR_BAD_SIGNATURE`, `POLICYSYNC_ERR_DENIED`.
     */
    policysync_status status;
    /**
     * The effect on the field: a `policysync_effect`.
     */
    uint32_t effect;
    /**
     * For an operation that is held: the wall clock time at which it is merged.
     */
    uint64_t until_ms;
    /**
     * The identity of the operation; zero if it was refused.
     */
    uint8_t hash[32];
    /**
     * For an operation that won, the previous winner; for one that lost, the greater operation.
     */
    uint8_t other[32];
    /**
     * Another operation of the same actor with the same timestamp, which proves that the actor contradicted itself.
     */
    uint8_t equivocates_with[32];
} policysync_outcome;

/**
 * Sets a field: stamps, signs and admits an operation, and returns it for sending to others.
 *
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `field`: the field.
 * `value`, `value_len`: any JSON value, nested at most 64 deep.
 * `format`: the form of the output: a `policysync_format`. Ignored where `out` is NULL.
 * `out`: the operation; NULL if it is not wanted.
 *
 * On any failure the replica is unchanged.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_IDENTIFIER`,
 * `POLICYSYNC_ERR_VALUE`, `POLICYSYNC_ERR_TOO_LARGE`, `POLICYSYNC_ERR_READ_ONLY`, `POLICYSYNC_ERR_CLOCK`,
 * `POLICYSYNC_ERR_CLOCK_AHEAD`, `POLICYSYNC_ERR_OTHER_WRITER`, `POLICYSYNC_ERR_DENIED`, `POLICYSYNC_ERR_ABORTED`,
 * `POLICYSYNC_ERR_CALLBACK`, `POLICYSYNC_ERR_FULL`, a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_set(policysync_replica *POLICYSYNC_NONNULL replica,
                                         uint64_t now_ms,
                                         const struct policysync_field *POLICYSYNC_NONNULL field,
                                         const void *POLICYSYNC_NULLABLE value,
                                         size_t value_len,
                                         uint32_t format,
                                         policysync_buffer *POLICYSYNC_NULLABLE out,
                                         policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Deletes a field: stamps, signs and admits an operation, and returns it for sending to others. A later set restores
 * the field.
 *
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `field`: the field.
 * `format`: the form of the output: a `policysync_format`. Ignored where `out` is NULL.
 * `out`: the operation; NULL if it is not wanted.
 *
 * On any failure the replica is unchanged.
 *
 * Returns what `policysync_replica_set` does, except `POLICYSYNC_ERR_VALUE`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_delete(policysync_replica *POLICYSYNC_NONNULL replica,
                                            uint64_t now_ms,
                                            const struct policysync_field *POLICYSYNC_NONNULL field,
                                            uint32_t format,
                                            policysync_buffer *POLICYSYNC_NULLABLE out,
                                            policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Deletes an entity: all fields that it has in this replica, in one transaction. Fields that others set at the same
 * time, or that arrive later, are not deleted.
 *
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `entity`, `entity_len`, `entity_id`, `entity_id_len`: the entity, UTF-8.
 * `format`: the form of the output: a `policysync_format`. Ignored where `out` is NULL.
 * `out`: the operations, one for each field, as `policysync_replica_export` writes them; NULL if they are not wanted.
 *
 * On any failure the replica is unchanged.
 *
 * Returns what `policysync_replica_set` does, except `POLICYSYNC_ERR_VALUE`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_delete_entity(policysync_replica *POLICYSYNC_NONNULL replica,
                                                   uint64_t now_ms,
                                                   const char *POLICYSYNC_NULLABLE entity,
                                                   size_t entity_len,
                                                   const char *POLICYSYNC_NULLABLE entity_id,
                                                   size_t entity_id_len,
                                                   uint32_t format,
                                                   policysync_buffer *POLICYSYNC_NULLABLE out,
                                                   policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Sets a field to a text, which becomes a JSON string. Otherwise it does the same as `policysync_replica_set`.
 *
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `field`: the field.
 * `text`, `text_len`: the text, UTF-8.
 * `format`: the form of the output: a `policysync_format`. Ignored where `out` is NULL.
 * `out`: the operation; NULL if it is not wanted.
 *
 * Returns what `policysync_replica_set` does, except `POLICYSYNC_ERR_VALUE`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_set_text(policysync_replica *POLICYSYNC_NONNULL replica,
                                              uint64_t now_ms,
                                              const struct policysync_field *POLICYSYNC_NONNULL field,
                                              const char *POLICYSYNC_NULLABLE text,
                                              size_t text_len,
                                              uint32_t format,
                                              policysync_buffer *POLICYSYNC_NULLABLE out,
                                              policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Sets a field to an integer. Otherwise it does the same as `policysync_replica_set`.
 *
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `field`: the field.
 * `value`: the integer. Beyond 2^53 - 1 on either side of 0 only those are allowed that a double holds exactly as they
 * are written, because every reader of JSON must read the same number; write others as text.
 * `format`: the form of the output: a `policysync_format`. Ignored where `out` is NULL.
 * `out`: the operation; NULL if it is not wanted.
 *
 * Returns what `policysync_replica_set` does.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_set_integer(policysync_replica *POLICYSYNC_NONNULL replica,
                                                 uint64_t now_ms,
                                                 const struct policysync_field *POLICYSYNC_NONNULL field,
                                                 int64_t value,
                                                 uint32_t format,
                                                 policysync_buffer *POLICYSYNC_NULLABLE out,
                                                 policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Sets a field to a double. Otherwise it does the same as `policysync_replica_set`.
 *
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `field`: the field.
 * `value`: the number; `POLICYSYNC_ERR_VALUE` for infinity, NaN and negative zero.
 * `format`: the form of the output: a `policysync_format`. Ignored where `out` is NULL.
 * `out`: the operation; NULL if it is not wanted.
 *
 * Returns what `policysync_replica_set` does.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_set_double(policysync_replica *POLICYSYNC_NONNULL replica,
                                                uint64_t now_ms,
                                                const struct policysync_field *POLICYSYNC_NONNULL field,
                                                double value,
                                                uint32_t format,
                                                policysync_buffer *POLICYSYNC_NULLABLE out,
                                                policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Sets a field to `true` or `false`. Otherwise it does the same as `policysync_replica_set`.
 *
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `field`: the field.
 * `value`: 1 for `true`, 0 for `false`; `POLICYSYNC_ERR_ARGUMENT` for other numbers.
 * `format`: the form of the output: a `policysync_format`. Ignored where `out` is NULL.
 * `out`: the operation; NULL if it is not wanted.
 *
 * Returns what `policysync_replica_set` does, except `POLICYSYNC_ERR_VALUE`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_set_bool(policysync_replica *POLICYSYNC_NONNULL replica,
                                              uint64_t now_ms,
                                              const struct policysync_field *POLICYSYNC_NONNULL field,
                                              int32_t value,
                                              uint32_t format,
                                              policysync_buffer *POLICYSYNC_NULLABLE out,
                                              policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Sets a field to bytes, which become a JSON string in base64url without padding (RFC 4648, section 5). JSON has no
 * bytes: readers have to know that the field holds some. Otherwise it does the same as `policysync_replica_set`.
 *
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `field`: the field.
 * `data`, `len`: the bytes.
 * `format`: the form of the output: a `policysync_format`. Ignored where `out` is NULL.
 * `out`: the operation; NULL if it is not wanted.
 *
 * Returns what `policysync_replica_set` does, except `POLICYSYNC_ERR_VALUE`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_set_bytes(policysync_replica *POLICYSYNC_NONNULL replica,
                                               uint64_t now_ms,
                                               const struct policysync_field *POLICYSYNC_NONNULL field,
                                               const void *POLICYSYNC_NULLABLE data,
                                               size_t len,
                                               uint32_t format,
                                               policysync_buffer *POLICYSYNC_NULLABLE out,
                                               policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Ingests one operation in either form: verifies it, asks the guard, appends and merges it.
 *
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `op`, `op_len`: JSON or the binary form.
 * `outcome`, `outcome_size`: the outcome: room for `outcome_size` bytes, `sizeof(policysync_outcome)`. Written only if
 * the operation is not refused. NULL if it is not wanted.
 *
 * On any failure the replica is unchanged.
 *
 * Returns `POLICYSYNC_OK` (in the log and merged), `POLICYSYNC_HELD`, `POLICYSYNC_DUPLICATE`,
 * `POLICYSYNC_ERR_MALFORMED`, `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_UNKNOWN_KEY`,
 * `POLICYSYNC_ERR_BAD_SIGNATURE`, `POLICYSYNC_ERR_DENIED`, `POLICYSYNC_ERR_ABORTED`, `POLICYSYNC_ERR_CALLBACK`,
 * `POLICYSYNC_ERR_FULL`, a store failure, `POLICYSYNC_ERR_CLOCK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`,
 * `POLICYSYNC_ERR_VERSION` (`outcome_size` is too small), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_ingest(policysync_replica *POLICYSYNC_NONNULL replica,
                                            uint64_t now_ms,
                                            const void *POLICYSYNC_NULLABLE op,
                                            size_t op_len,
                                            struct policysync_outcome *POLICYSYNC_NULLABLE outcome,
                                            size_t outcome_size,
                                            policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Ingests many operations at once, each in either form, with an outcome for each. The result is the same as one by
 * one, but it is much faster. Refused operations do not affect the others and do not make the call fail.
 *
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `ops`, `ops_stride`, `count`: the operations, `ops_stride` bytes apart: `sizeof(policysync_bytes)`, or the size of
 * your struct that begins with one.
 * `outcomes`, `outcomes_stride`: the outcomes: room for `count` of them, `outcomes_stride` bytes apart:
 * `sizeof(policysync_outcome)`, or the size of your struct that begins with one. Written only if the call succeeds.
 * NULL if they are not wanted.
 *
 * On any failure nothing of the batch is kept.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` (`op_index` is the element), `POLICYSYNC_ERR_ARGUMENT`,
 * `POLICYSYNC_ERR_VERSION` (a stride is too small), `POLICYSYNC_ERR_CLOCK`, `POLICYSYNC_ERR_ABORTED`,
 * `POLICYSYNC_ERR_CALLBACK`, `POLICYSYNC_ERR_FULL`, a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_ingest_many(policysync_replica *POLICYSYNC_NONNULL replica,
                                                 uint64_t now_ms,
                                                 const policysync_bytes *POLICYSYNC_NULLABLE ops,
                                                 size_t ops_stride,
                                                 size_t count,
                                                 struct policysync_outcome *POLICYSYNC_NULLABLE outcomes,
                                                 size_t outcomes_stride,
                                                 policysync_error *POLICYSYNC_NULLABLE err);

/* ---------- Replicas: reading ---------- */

/**
 * The type of a value: `value_type` of `policysync_item`.
 */
typedef enum policysync_type {
    /**
     * No value: the item is a name only.
     */
    POLICYSYNC_TYPE_NONE = 0,
    /**
     * `null`.
     */
    POLICYSYNC_TYPE_NULL = 1,
    /**
     * `true` or `false`.
     */
    POLICYSYNC_TYPE_BOOL = 2,
    /**
     * A number without a fraction that 64 bits hold.
     */
    POLICYSYNC_TYPE_INTEGER = 3,
    /**
     * Any other number.
     */
    POLICYSYNC_TYPE_DOUBLE = 4,
    /**
     * A string, which may be bytes in base64url.
     */
    POLICYSYNC_TYPE_TEXT = 5,
    /**
     * An array.
     */
    POLICYSYNC_TYPE_ARRAY = 6,
    /**
     * An object.
     */
    POLICYSYNC_TYPE_OBJECT = 7,
} policysync_type;

/**
 * The result of a query. Later changes of the replica do not affect it, and it may outlive the replica. One thread at
 * a time.
 */
typedef struct policysync_list policysync_list;

/**
 * A part of a sorted list of names. Start with `policysync_page page = POLICYSYNC_PAGE_INIT;`.
 */
typedef struct policysync_page {
    /**
     * `sizeof(policysync_page)`.
     */
    uint32_t struct_size;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * Selects names that begin with this; empty for all.
     */
    policysync_bytes prefix;
    /**
     * Selects names after this one, which need not exist: the last name of the previous page; empty for the first
     * page.
     */
    policysync_bytes after;
    /**
     * The greatest number of names; 0 for all.
     */
    uint64_t max_count;
} policysync_page;

#define POLICYSYNC_PAGE_INIT { (uint32_t)sizeof(policysync_page), 0, { NULL, 0 }, { NULL, 0 }, 0 }

/**
 * One item of a list. Its pointers are valid until the next call with the list.
 */
typedef struct policysync_item {
    /**
     * `sizeof(policysync_item)`.
     */
    uint32_t struct_size;
    /**
     * The type of the value: a `policysync_type`.
     */
    uint32_t value_type;
    /**
     * The name: a kind, the id of an entity, or the path of a field.
     */
    policysync_bytes name;
    /**
     * The value of a field as canonical JSON; empty if the item is a name only.
     */
    policysync_bytes value;
    /**
     * The text without quotes and escapes, if the value is a string; otherwise empty.
     */
    policysync_bytes text;
    /**
     * The integer, if the value is one; 1 for `true`; otherwise 0.
     */
    int64_t integer;
    /**
     * The number, if the value is an integer or a double; otherwise 0.
     */
    double number;
} policysync_item;

#define POLICYSYNC_ITEM_INIT { (uint32_t)sizeof(policysync_item), 0, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, 0, 0 }

/**
 * Returns the value of a field.
 *
 * `field`: the field.
 * `out`: the value as canonical JSON. Unchanged unless the call returns `POLICYSYNC_OK`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (never set, or deleted), `POLICYSYNC_ERR_NULL`,
 * `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_get(policysync_replica *POLICYSYNC_NONNULL replica,
                                         const policysync_field *POLICYSYNC_NONNULL field,
                                         policysync_buffer *POLICYSYNC_NONNULL out,
                                         policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns all fields of one thing.
 *
 * `entity`, `entity_len`, `entity_id`, `entity_id_len`: the thing, UTF-8.
 * `out`: a JSON object in canonical form with a member for each field, named by its path. Unchanged unless the call
 * returns `POLICYSYNC_OK`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (it has no field), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`
 * (not UTF-8), a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_entity(policysync_replica *POLICYSYNC_NONNULL replica,
                                            const char *POLICYSYNC_NULLABLE entity,
                                            size_t entity_len,
                                            const char *POLICYSYNC_NULLABLE entity_id,
                                            size_t entity_id_len,
                                            policysync_buffer *POLICYSYNC_NONNULL out,
                                            policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns every operation on a field: those held and then those merged, each from the greatest down.
 *
 * `field`: the field.
 * `out`: a JSON array of `{"hash":"64 hexadecimal digits","standing":"winner","op":{…}}`. `standing` is `winner`,
 * `superseded` or `held`; `op` is the JSON form of the operation.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), a store failure,
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_history(policysync_replica *POLICYSYNC_NONNULL replica,
                                             const policysync_field *POLICYSYNC_NONNULL field,
                                             policysync_buffer *POLICYSYNC_NONNULL out,
                                             policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Explains the value of a field: the operation that won, the one that it won over, and the rule that decided.
 *
 * `field`: the field.
 * `out`: `{"winner":{…},"over":{…},"rule":"time"}`. `winner` and `over` are as in `policysync_replica_history`; `over`
 * is the greatest operation that lost, or `null` if the winner is the only one. `rule` is the first rule that
 * distinguished them: `time`, `counter`, `actor` or `hash`; `null` without an `over`. Unchanged unless the call
 * returns `POLICYSYNC_OK`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (no operation on it is merged), `POLICYSYNC_ERR_NULL`,
 * `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_explain(policysync_replica *POLICYSYNC_NONNULL replica,
                                             const policysync_field *POLICYSYNC_NONNULL field,
                                             policysync_buffer *POLICYSYNC_NONNULL out,
                                             policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Merges held operations that have become due, and returns the fields whose winner has changed since the last call,
 * each once, in the order of their first change.
 *
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `out`: a JSON array of `{"entity":"Task","entityId":"t1","path":"title","kind":"lww_set","winner":"64 hexadecimal
 * digits"}`. `kind` is `lww_set` or `lww_delete`. `winner` is null if `policysync_replica_reset_clock` holds every
 * operation on the field again.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_CALLBACK` (the clock), a store failure (nothing is
 * merged, and the next call returns the changes), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_poll(policysync_replica *POLICYSYNC_NONNULL replica,
                                          uint64_t now_ms,
                                          policysync_buffer *POLICYSYNC_NONNULL out,
                                          policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns `POLICYSYNC_OK` if `policysync_replica_poll` has changes to return, not counting operations that have become
 * due since the last call.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (no changes), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_has_changes(policysync_replica *POLICYSYNC_NONNULL replica,
                                                 policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the value of a field that is a text.
 *
 * `field`: the field.
 * `out`: the text, without quotes and escapes. It may contain NUL. Unchanged unless the call returns `POLICYSYNC_OK`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (never set, or deleted), `POLICYSYNC_ERR_TYPE`,
 * `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), a store failure, `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_get_text(policysync_replica *POLICYSYNC_NONNULL replica,
                                              const policysync_field *POLICYSYNC_NONNULL field,
                                              policysync_buffer *POLICYSYNC_NONNULL out,
                                              policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the value of a field that is an integer.
 *
 * `field`: the field.
 * `out`: the integer. Unchanged unless the call returns `POLICYSYNC_OK`.
 *
 * Returns what `policysync_replica_get_text` does.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_get_integer(policysync_replica *POLICYSYNC_NONNULL replica,
                                                 const policysync_field *POLICYSYNC_NONNULL field,
                                                 int64_t *POLICYSYNC_NONNULL out,
                                                 policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the value of a field that is a number.
 *
 * `field`: the field.
 * `out`: the number. Unchanged unless the call returns `POLICYSYNC_OK`.
 *
 * Returns what `policysync_replica_get_text` does.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_get_double(policysync_replica *POLICYSYNC_NONNULL replica,
                                                const policysync_field *POLICYSYNC_NONNULL field,
                                                double *POLICYSYNC_NONNULL out,
                                                policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the value of a field that is `true` or `false`.
 *
 * `field`: the field.
 * `out`: 1 for `true`, 0 for `false`. Unchanged unless the call returns `POLICYSYNC_OK`.
 *
 * Returns what `policysync_replica_get_text` does.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_get_bool(policysync_replica *POLICYSYNC_NONNULL replica,
                                              const policysync_field *POLICYSYNC_NONNULL field,
                                              int32_t *POLICYSYNC_NONNULL out,
                                              policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the value of a field that is bytes, as `policysync_replica_set_bytes` writes them.
 *
 * `field`: the field.
 * `out`: the bytes. Unchanged unless the call returns `POLICYSYNC_OK`.
 *
 * Returns what `policysync_replica_get_text` does. A text that is not base64url without padding is
 * `POLICYSYNC_ERR_TYPE`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_get_bytes(policysync_replica *POLICYSYNC_NONNULL replica,
                                               const policysync_field *POLICYSYNC_NONNULL field,
                                               policysync_buffer *POLICYSYNC_NONNULL out,
                                               policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the kinds of all entities that have at least one field, sorted by their bytes.
 *
 * `out`: the list, to be freed with `policysync_list_free`. Its items are names.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_kinds(policysync_replica *POLICYSYNC_NONNULL replica,
                                           struct policysync_list *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                           policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the ids of the entities of a kind that have at least one field, sorted by their bytes. Takes time
 * proportional to the number of entities of the kind.
 *
 * `entity`, `entity_len`: the kind, UTF-8.
 * `page`: the part of the list; NULL for the whole list.
 * `out`: the list, to be freed with `policysync_list_free`. Its items are names.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), `POLICYSYNC_ERR_VERSION`,
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_entities(policysync_replica *POLICYSYNC_NONNULL replica,
                                              const char *POLICYSYNC_NULLABLE entity,
                                              size_t entity_len,
                                              const struct policysync_page *POLICYSYNC_NULLABLE page,
                                              struct policysync_list *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                              policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the number of entities of a kind that have at least one field. Takes time proportional to the number of
 * entities of the kind.
 *
 * `entity`, `entity_len`: the kind, UTF-8.
 * `prefix`, `prefix_len`: counts ids that begin with this; NULL and 0 for all.
 * `out`: the number.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_count_entities(policysync_replica *POLICYSYNC_NONNULL replica,
                                                    const char *POLICYSYNC_NULLABLE entity,
                                                    size_t entity_len,
                                                    const char *POLICYSYNC_NULLABLE prefix,
                                                    size_t prefix_len,
                                                    uint64_t *POLICYSYNC_NONNULL out,
                                                    policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the fields of one entity below a path, with their values, sorted by the bytes of the path.
 *
 * `entity`, `entity_len`, `entity_id`, `entity_id_len`: the entity, UTF-8.
 * `prefix`, `prefix_len`: selects fields whose path is the prefix or begins with it and a `/`; NULL and 0 for all.
 * `out`: the list, to be freed with `policysync_list_free`. Its items are paths with values.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (not UTF-8), a store failure,
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_fields(policysync_replica *POLICYSYNC_NONNULL replica,
                                            const char *POLICYSYNC_NULLABLE entity,
                                            size_t entity_len,
                                            const char *POLICYSYNC_NULLABLE entity_id,
                                            size_t entity_id_len,
                                            const char *POLICYSYNC_NULLABLE prefix,
                                            size_t prefix_len,
                                            struct policysync_list *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                            policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the next item of a list.
 *
 * `out`: the item. Unchanged unless the call returns `POLICYSYNC_OK`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (the list is at its end), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION`
 * (`struct_size` is too small) or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_list_next(struct policysync_list *POLICYSYNC_NONNULL list,
                                       struct policysync_item *POLICYSYNC_NONNULL out,
                                       policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Frees a list. NULL is allowed.
 */
POLICYSYNC_API
void policysync_list_free(struct policysync_list *POLICYSYNC_NULLABLE list);

/**
 * Returns the greatest timestamp that the replica has issued or merged. Its next write gets a later one.
 *
 * `out`: the timestamp. Unchanged unless the call returns `POLICYSYNC_OK`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (the clock has not been used yet), `POLICYSYNC_ERR_NULL`,
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_clock(policysync_replica *POLICYSYNC_NONNULL replica,
                                           policysync_hlc *POLICYSYNC_NONNULL out,
                                           policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the time up to which operations are merged; later ones are held. Merged operations stay merged, also when
 * the replica is closed and opened again.
 *
 * `out`: milliseconds since 1970. Unchanged unless the call returns `POLICYSYNC_OK`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (no call has given a time yet), `POLICYSYNC_ERR_NULL`,
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_horizon(policysync_replica *POLICYSYNC_NONNULL replica,
                                             uint64_t *POLICYSYNC_NONNULL out,
                                             policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the number of operations that are held because their timestamp is too far ahead. Takes time proportional to
 * their number.
 *
 * `out`: the number.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_held(policysync_replica *POLICYSYNC_NONNULL replica,
                                          uint64_t *POLICYSYNC_NONNULL out,
                                          policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the time at which `policysync_replica_poll` merges the first of the held operations.
 *
 * `out`: milliseconds since 1970. Unchanged unless the call returns `POLICYSYNC_OK`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (none is held), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_next_due(policysync_replica *POLICYSYNC_NONNULL replica,
                                              uint64_t *POLICYSYNC_NONNULL out,
                                              policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the time of the last call that was given or read a time, if that is not between 2020 and 2100: perhaps the
 * clock was never set, or seconds were passed for milliseconds. Such a time releases no held operation, and a write is
 * stamped right after the greatest merged operation.
 *
 * `out`: the time. Unchanged unless the call returns `POLICYSYNC_OK`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (the time is believed), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY`
 * or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_doubted_clock(policysync_replica *POLICYSYNC_NONNULL replica,
                                                   uint64_t *POLICYSYNC_NONNULL out,
                                                   policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns how far ahead of the wall clock the next write would be stamped, if that is more than `max_drift_ms`. Writes
 * return `POLICYSYNC_ERR_CLOCK_AHEAD` until that time has passed, or until `policysync_replica_reset_clock`.
 *
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `out`: milliseconds. Unchanged unless the call returns `POLICYSYNC_OK`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (the clock is not ahead), `POLICYSYNC_ERR_NULL`,
 * `POLICYSYNC_ERR_CALLBACK` (the clock), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_clock_ahead(policysync_replica *POLICYSYNC_NONNULL replica,
                                                 uint64_t now_ms,
                                                 uint64_t *POLICYSYNC_NONNULL out,
                                                 policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Declares that `now_ms` is right and that an earlier wall clock was ahead. Operations that are too far ahead are held
 * again until they are due, the replica's own ones included. Writing works at once, and no timestamp is used twice.
 * Takes time proportional to the log.
 *
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_CLOCK` (the time is not between 2020 and 2100),
 * `POLICYSYNC_ERR_CALLBACK` (the clock), `POLICYSYNC_ERR_BUSY`, `POLICYSYNC_ERR_PANIC` or a store failure.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_reset_clock(policysync_replica *POLICYSYNC_NONNULL replica,
                                                 uint64_t now_ms,
                                                 policysync_error *POLICYSYNC_NULLABLE err);

/* ---------- Replicas: the log ---------- */

/**
 * Returns `POLICYSYNC_OK` if an operation is in the log.
 *
 * `hash32`: 32 bytes, as in an outcome or an operation.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_contains(policysync_replica *POLICYSYNC_NONNULL replica,
                                              const uint8_t *POLICYSYNC_NONNULL hash32,
                                              policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the operation with a hash.
 *
 * `hash32`: 32 bytes, as in an outcome or an operation.
 * `format`: the form of the output: a `policysync_format`.
 * `out`: the operation. Unchanged unless the call returns `POLICYSYNC_OK`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (no such format),
 * a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_op(policysync_replica *POLICYSYNC_NONNULL replica,
                                        const uint8_t *POLICYSYNC_NONNULL hash32,
                                        uint32_t format,
                                        policysync_buffer *POLICYSYNC_NONNULL out,
                                        policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the position after the last operation in the log: a cursor or an export that starts there finds the
 * operations that are appended later. A position is valid for this replica only.
 *
 * `out`: the position, which is the number of operations in the log.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_position(policysync_replica *POLICYSYNC_NONNULL replica,
                                              uint64_t *POLICYSYNC_NONNULL out,
                                              policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the operations that were appended since a position, for another replica to ingest.
 *
 * `position`: 0 for all, `next` of an earlier export, or `policysync_replica_position`.
 * `max_count`: the maximum number of operations; 0 for all.
 * `format`: a `policysync_format`. `POLICYSYNC_JSON`: the JSON form of each, followed by a line feed.
 * `POLICYSYNC_BINARY`: the binary form of each, preceded by its length in 4 bytes, least significant first.
 * `out`: the operations.
 * `next`: the position after the last of them, to continue from; NULL if it is not wanted.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (no such format), a store failure,
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_export(policysync_replica *POLICYSYNC_NONNULL replica,
                                            uint64_t position,
                                            uint64_t max_count,
                                            uint32_t format,
                                            policysync_buffer *POLICYSYNC_NONNULL out,
                                            uint64_t *POLICYSYNC_NULLABLE next,
                                            policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the digest of the replica's content, for comparison with another replica. Takes time proportional to the
 * number of operations and fields.
 *
 * `digest`: the digest.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION` (`struct_size` is too small),
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_digest(policysync_replica *POLICYSYNC_NONNULL replica,
                                            policysync_digest *POLICYSYNC_NONNULL digest,
                                            policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the equivocations: for each actor and timestamp with two different operations, the two signed operations
 * that prove it. Replicas with the same operations return the same document.
 *
 * `out`: a JSON array of `{"first":{…},"second":{…}}`, the JSON forms of the two operations, in the order of the
 * operations.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_forks(policysync_replica *POLICYSYNC_NONNULL replica,
                                           policysync_buffer *POLICYSYNC_NONNULL out,
                                           policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the actor that the replica writes as.
 *
 * `out`: its name, UTF-8. Unchanged unless the call returns `POLICYSYNC_OK`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (it only reads), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_actor(policysync_replica *POLICYSYNC_NONNULL replica,
                                           policysync_buffer *POLICYSYNC_NONNULL out,
                                           policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns a description of the replica for an error report: versions, options, counts, digests and the last eight
 * failures of calls that could change it, as text with a line for each entry. It contains no keys, values or names. A
 * failure is the name of its status, the index (`op_index`), and the message only if the store failed. Failures for
 * which a peer or another thread is the reason are left out (-100 to -199, `POLICYSYNC_ERR_BUSY` and
 * `POLICYSYNC_ERR_OUT_OF_TURN`). Takes time proportional to the number of fields.
 *
 * `out`: the text, UTF-8. Unchanged unless the call returns `POLICYSYNC_OK`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC` (also after a panic
 * in an earlier call: there is no report about this replica then).
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_report(policysync_replica *POLICYSYNC_NONNULL replica,
                                            policysync_buffer *POLICYSYNC_NONNULL out,
                                            policysync_error *POLICYSYNC_NULLABLE err);

/* ---------- Cursors ---------- */

/**
 * An iterator over the fields that have changed since a position in the history of the merged state, each once, for
 * whatever reason: an operation was written or ingested, a held one became due, the clock was reset. The position can
 * be kept across restarts. The iterator shares the data of its replica, so the two may be freed in any order. One
 * thread at a time.
 */
typedef struct policysync_changes policysync_changes;

/**
 * An iterator over the log, in the order in which operations were appended. Operations that are appended meanwhile are
 * found at the end: none is missed and none comes twice. It shares the data of its replica, so the two may be freed in
 * any order. One thread at a time.
 */
typedef struct policysync_cursor policysync_cursor;

/**
 * Opens a cursor.
 *
 * `position`: 0 for all operations, or a position of this replica for those that were appended since.
 * `out`: the cursor, to be freed with `policysync_cursor_free`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (no log can have that position) or
 * `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_cursor_open(policysync_replica *POLICYSYNC_NONNULL replica,
                                         uint64_t position,
                                         struct policysync_cursor *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                         policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the next operations.
 *
 * `ops`, `stride`, `capacity`: room for `capacity` operations, `stride` bytes apart: `sizeof(policysync_op)`. Their
 * pointers are valid until the next call on this cursor.
 * `out_count`: the number of operations that were written, at least 1 if the call returns `POLICYSYNC_OK`.
 *
 * On any failure the cursor stays where it is.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (no more at present; ask again later), `POLICYSYNC_ERR_NULL`,
 * `POLICYSYNC_ERR_ARGUMENT` (`capacity` is 0), `POLICYSYNC_ERR_VERSION` (`stride` is too small), a store failure,
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_cursor_next(struct policysync_cursor *POLICYSYNC_NONNULL cursor,
                                         policysync_op *POLICYSYNC_NULLABLE ops,
                                         size_t stride,
                                         size_t capacity,
                                         size_t *POLICYSYNC_NONNULL out_count,
                                         policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the position of the cursor: another one that is opened there finds the operations that this one has not
 * returned.
 *
 * `out`: the position.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_cursor_position(const struct policysync_cursor *POLICYSYNC_NONNULL cursor,
                                             uint64_t *POLICYSYNC_NONNULL out,
                                             policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Frees a cursor. NULL is allowed.
 */
POLICYSYNC_API
void policysync_cursor_free(struct policysync_cursor *POLICYSYNC_NULLABLE cursor);

/**
 * Returns the present position in the history of the merged state.
 *
 * `out`: the position, about 40 bytes to be kept. They are valid for this log only, also after it is opened again.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_state_position(policysync_replica *POLICYSYNC_NONNULL replica,
                                                    policysync_buffer *POLICYSYNC_NONNULL out,
                                                    policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Finds the fields that have changed since a position. `policysync_replica_poll` merges the operations that have
 * become due before. Takes time proportional to the operations that were appended or became due since.
 *
 * `position`, `position_len`: a position of this log; NULL and 0 for all fields.
 * `out`: the changes, to be freed with `policysync_changes_free`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_MALFORMED` or `POLICYSYNC_ERR_PEER_VERSION` (not a
 * position, or one of a later version), `POLICYSYNC_ERR_OTHER_REPLICA` (of another log, or the log has lost operations
 * since: begin with all fields), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_changes_open(policysync_replica *POLICYSYNC_NONNULL replica,
                                          const void *POLICYSYNC_NULLABLE position,
                                          size_t position_len,
                                          struct policysync_changes *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                          policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the next changed fields, each as the operation that determines it now. A field of which no operation is
 * merged any more has an operation of kind `POLICYSYNC_DELETE` with an empty actor and a hash of zeros.
 *
 * `ops`, `stride`, `capacity`: room for `capacity` operations, `stride` bytes apart: `sizeof(policysync_op)`. Their
 * pointers are valid until the next call on this object.
 * `out_count`: the number of operations that were written, at least 1 if the call returns `POLICYSYNC_OK`.
 *
 * On any failure the iterator stays where it is.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (no more), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (`capacity`
 * is 0), `POLICYSYNC_ERR_VERSION` (`stride` is too small), a store failure, `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_changes_next(struct policysync_changes *POLICYSYNC_NONNULL changes,
                                          policysync_op *POLICYSYNC_NULLABLE ops,
                                          size_t stride,
                                          size_t capacity,
                                          size_t *POLICYSYNC_NONNULL out_count,
                                          policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the position after all of these changes. Keep it when the last of them has been dealt with, together with
 * the result.
 *
 * `out`: the position.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_changes_position(const struct policysync_changes *POLICYSYNC_NONNULL changes,
                                              policysync_buffer *POLICYSYNC_NONNULL out,
                                              policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Frees changes. NULL is allowed.
 */
POLICYSYNC_API
void policysync_changes_free(struct policysync_changes *POLICYSYNC_NULLABLE changes);

/* ---------- Files ---------- */

/**
 * The state of a store's seal: `seal` of `policysync_store_report`.
 */
typedef enum policysync_seal {
    /**
     * The store has no seal, or no key was given to check it.
     */
    POLICYSYNC_SEAL_UNCHECKED = 0,
    /**
     * The seal is valid: these operations were verified before.
     */
    POLICYSYNC_SEAL_FITS = 1,
    /**
     * The seal does not match the operations, or it was made with another key.
     */
    POLICYSYNC_SEAL_BROKEN = 2,
} policysync_seal;

/**
 * The result of a check of a store.
 */
typedef struct policysync_store_report {
    /**
     * `sizeof(policysync_store_report)`, set by the caller.
     */
    uint32_t struct_size;
    /**
     * The state of the seal: a `policysync_seal`. `policysync_store_salvage` does not check it.
     */
    uint32_t seal;
    /**
     * The number of operations that are present and verified; after `policysync_store_salvage`, the number in the new
     * store.
     */
    uint64_t operations;
    /**
     * The number of faults, including those that could not be decided. 0 for a store without faults.
     */
    uint64_t findings;
} policysync_store_report;

#define POLICYSYNC_STORE_REPORT_INIT { (uint32_t)sizeof(policysync_store_report), 0, 0, 0 }

/**
 * Copies the replica's file, while it is open, into a new one. The copy is marked as a backup: a replica cannot be
 * opened on it for writing as an actor whose operations are in it (`POLICYSYNC_ERR_RESTORED_BACKUP`), because that
 * actor may have written more since, and would use the same timestamps again.
 *
 * `path`, `path_len`: the path of the copy; as `path` of `policysync_replica_options`.
 *
 * On a failure there is no copy, unless only the directory entry could not be flushed to disk.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (the path, or the replica is in memory),
 * `POLICYSYNC_ERR_EXISTS`, `POLICYSYNC_ERR_NOT_A_STORE` (the path names no file), a store failure,
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_back_up(policysync_replica *POLICYSYNC_NONNULL replica,
                                             const char *POLICYSYNC_NULLABLE path,
                                             size_t path_len,
                                             policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Checks the whole of a file that no replica has open, without changing its content.
 *
 * `options`: the options that the replica would be opened with. `path` is required; `space`, `seal_key`, `keys`,
 * `keys_text` and `key` are used; the callbacks are ignored and not taken over. Without keys, every operation is
 * reported as signed by an unknown one.
 * `report`: the result.
 * `findings`: a JSON array of `{"place":"operation","opSeq":3,"damage":"hash","text":"the operation has another
 * hash"}`. `place` is `file`, `schema`, `head`, `seal` or `operation`; only the last has an `opSeq`, the number
 * of the operation in the log. `damage` is `malformed`, `check`, `empty`, `missing`, `unexpected`, `decode`, `hash`,
 * `duplicate`, `space`, `signature`, `unknown_key` or `seal`. NULL if it is not wanted.
 *
 * Returns `POLICYSYNC_OK` (**also if there are findings**), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (also for
 * no path), `POLICYSYNC_ERR_VERSION`, `POLICYSYNC_ERR_IDENTIFIER`, `POLICYSYNC_ERR_KEY`, `POLICYSYNC_ERR_KEY_TAKEN`,
 * `POLICYSYNC_ERR_KEY_TEXT`, `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `sqlite`),
 * `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_NOT_A_STORE`, `POLICYSYNC_ERR_NEWER`, `POLICYSYNC_ERR_SEAL_KEY`, a
 * store failure, `POLICYSYNC_ERR_CRYPTO` or
 * `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_store_verify(const policysync_replica_options *POLICYSYNC_NONNULL options,
                                          struct policysync_store_report *POLICYSYNC_NONNULL report,
                                          policysync_buffer *POLICYSYNC_NULLABLE findings,
                                          policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Writes every operation of a damaged file that verifies into a new store, in the order of the log, and reports the
 * lost ones. Positions of the old store are not valid in the new one, which has no seal yet. If operations of the
 * device's own actor may be lost, continue as a new actor.
 *
 * `options`: as in `policysync_store_verify`.
 * `to`, `to_len`: the path of the new store; as `path` of the options.
 * `report`, `findings`: as in `policysync_store_verify`. A finding at an operation is the reason why it is not in the
 * new store.
 *
 * When the call fails midway, the new store holds the operations that were written until then.
 *
 * Returns what `policysync_store_verify` does, `POLICYSYNC_ERR_FULL` or `POLICYSYNC_ERR_EXISTS` (the file at `to`
 * exists).
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_store_salvage(const policysync_replica_options *POLICYSYNC_NONNULL options,
                                           const char *POLICYSYNC_NULLABLE to,
                                           size_t to_len,
                                           struct policysync_store_report *POLICYSYNC_NONNULL report,
                                           policysync_buffer *POLICYSYNC_NULLABLE findings,
                                           policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Closes the replica's file and releases its lock, so that the replica can be kept in memory while it is not used:
 * mobile systems end an application that is suspended with a lock. Until `policysync_replica_reacquire_store`, calls
 * that need the file return `POLICYSYNC_ERR_RELEASED`: writes, ingests, and reads of values. Does nothing if the file
 * is released already.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (the replica was opened without a path), a
 * store failure (the file stays open), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_release_store(policysync_replica *POLICYSYNC_NONNULL replica,
                                                   policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Opens the replica's file again after `policysync_replica_release_store`, and takes in the operations that another
 * process has appended meanwhile. The time that this takes depends on their number, not on the length of the log.
 *
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `count`: the number of these operations; NULL if it is not wanted.
 *
 * If the file cannot be opened, it stays released. If only these operations cannot be taken in, for example because of
 * an unknown key, it is open: register the key and call again.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (the replica was opened without a path),
 * `POLICYSYNC_ERR_MOVED` (the path names another file now), `POLICYSYNC_ERR_UNKNOWN_KEY`, `POLICYSYNC_ERR_CALLBACK`
 * (the clock), `POLICYSYNC_ERR_CLOCK` (out of range), another store failure, `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_reacquire_store(policysync_replica *POLICYSYNC_NONNULL replica,
                                                     uint64_t now_ms,
                                                     uint64_t *POLICYSYNC_NULLABLE count,
                                                     policysync_error *POLICYSYNC_NULLABLE err);

/* ---------- Counts ---------- */

/**
 * The numbers of operations that were refused, by reason. This struct never changes.
 */
typedef struct policysync_refusals {
    /**
     * Not valid operations: they break a rule of the format.
     */
    uint64_t malformed;
    /**
     * Signed with an unknown key. Register the key and synchronize again.
     */
    uint64_t unknown_key;
    /**
     * Not signed by the actor that they name.
     */
    uint64_t bad_signature;
    /**
     * Rejected by the guard.
     */
    uint64_t denied;
    /**
     * Of another space.
     */
    uint64_t other_space;
    /**
     * Refused for a reason that this version does not count separately.
     */
    uint64_t other;
} policysync_refusals;

/**
 * The counts of the operations that a call ingested.
 */
typedef struct policysync_ingested {
    /**
     * `sizeof(policysync_ingested)`, set by the caller.
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
     * Operations that were in this log already.
     */
    uint64_t duplicates;
    /**
     * Operations that this replica refused.
     */
    struct policysync_refusals refused;
    /**
     * Operations in the answer of a responder; 0 otherwise.
     */
    uint64_t sent;
    /**
     * Bytes of a bundle that were read; 0 otherwise.
     */
    uint64_t bytes;
} policysync_ingested;

#define POLICYSYNC_INGESTED_INIT { (uint32_t)sizeof(policysync_ingested), 0, 0, 0, { 0, 0, 0, 0, 0, 0 }, 0, 0 }

/* ---------- Bundles ---------- */

/**
 * A sink for bytes, for example a file, that takes one piece after the other.
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
     * The context that is passed to `write` and `destroy`.
     */
    void *POLICYSYNC_NULLABLE ctx;
    /**
     * Takes all of `len` bytes, at least one, and returns 0. They are valid until it returns. Another result makes the
     * call fail with `POLICYSYNC_ERR_CALLBACK`, and it is not called again. Required.
     */
    policysync_status (*POLICYSYNC_NULLABLE write)(void *POLICYSYNC_NULLABLE ctx,
                                                   const uint8_t *POLICYSYNC_NONNULL data,
                                                   size_t len);
    /**
     * Frees the context; see Callbacks at the top. NULL for nothing.
     */
    void (*POLICYSYNC_NULLABLE destroy)(void *POLICYSYNC_NULLABLE ctx);
} policysync_writer;

#define POLICYSYNC_WRITER_INIT { (uint32_t)sizeof(policysync_writer), 0, NULL, NULL, NULL }

/**
 * The size of an exported bundle.
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
     * The position to start the next `policysync_replica_export_bundle` from.
     */
    uint64_t position;
} policysync_exported;

#define POLICYSYNC_EXPORTED_INIT { (uint32_t)sizeof(policysync_exported), 0, 0, 0, 0 }

/**
 * A source of bytes, for example a file, that gives one piece after the other.
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
     * The context that is passed to `read` and `destroy`.
     */
    void *POLICYSYNC_NULLABLE ctx;
    /**
     * Writes up to `capacity` bytes into `out`, sets `out_len` to their number, and returns 0. An `out_len` of 0 is
     * the end: it is not called again. An `out_len` that is greater than `capacity` or that is not set makes the call
     * fail with `POLICYSYNC_ERR_CALLBACK`; so does another result. Required.
     */
    policysync_status (*POLICYSYNC_NULLABLE read)(void *POLICYSYNC_NULLABLE ctx,
                                                  uint8_t *POLICYSYNC_NONNULL out,
                                                  size_t capacity,
                                                  size_t *POLICYSYNC_NONNULL out_len);
    /**
     * Frees the context; see Callbacks at the top. NULL for nothing.
     */
    void (*POLICYSYNC_NULLABLE destroy)(void *POLICYSYNC_NULLABLE ctx);
} policysync_reader;

#define POLICYSYNC_READER_INIT { (uint32_t)sizeof(policysync_reader), 0, NULL, NULL, NULL }

/**
 * Writes the operations that were appended since a position into a bundle, for transfer without a connection: on a USB
 * stick, by e-mail. They are written in frames of about 1 MiB, one of which is in memory at a time. Other threads wait
 * for the replica meanwhile.
 *
 * `position`: 0 for all, `position` of an earlier export, or `policysync_replica_position`.
 * `writer`: receives the bytes. Its context is taken over, and destroyed before the call returns.
 * `exported`: the size of the bundle. NULL if it is not wanted.
 *
 * On any failure the bytes that were written are not a valid bundle.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` (also for a writer without its function), `POLICYSYNC_ERR_ARGUMENT`,
 * `POLICYSYNC_ERR_VERSION`, `POLICYSYNC_ERR_CALLBACK`, a store failure, `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_export_bundle(policysync_replica *POLICYSYNC_NONNULL replica,
                                                   uint64_t position,
                                                   const struct policysync_writer *POLICYSYNC_NONNULL writer,
                                                   struct policysync_exported *POLICYSYNC_NULLABLE exported,
                                                   policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Writes the given operations into a bundle, in the given order.
 *
 * `hashes`, `count`: the hashes of the operations: `count` times 32 bytes.
 * `writer`, `exported`: as in `policysync_replica_export_bundle`.
 *
 * On any failure the bytes that were written are not a valid bundle.
 *
 * Returns what `policysync_replica_export_bundle` does; `POLICYSYNC_ERR_ARGUMENT` also if an operation is not in the
 * log (`op_index` is its index).
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_export_bundle_of(policysync_replica *POLICYSYNC_NONNULL replica,
                                                      const uint8_t *POLICYSYNC_NULLABLE hashes,
                                                      size_t count,
                                                      const struct policysync_writer *POLICYSYNC_NONNULL writer,
                                                      struct policysync_exported *POLICYSYNC_NULLABLE exported,
                                                      policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Ingests the operations of a bundle, a frame of about 1 MiB at a time. Each frame is checked against its digest
 * before any of its operations is ingested. The digests detect damage, not forgery; every operation is verified as
 * usual.
 *
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `reader`: gives the bytes. Its context is taken over, and destroyed before the call returns.
 * `ingested`: the counts of the operations. NULL if they are not wanted.
 *
 * On any failure the operations of earlier frames stay; the bundle may be imported again.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` (also for a reader without its function), `POLICYSYNC_ERR_ARGUMENT`,
 * `POLICYSYNC_ERR_VERSION`, `POLICYSYNC_ERR_CALLBACK` (the reader, the clock or the guard), `POLICYSYNC_ERR_MALFORMED`
 * (not a valid bundle), `POLICYSYNC_ERR_PEER_VERSION`, `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_DAMAGED`,
 * `POLICYSYNC_ERR_CLOCK`, `POLICYSYNC_ERR_ABORTED` (the guard), `POLICYSYNC_ERR_FULL`, a store failure,
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_replica_import_bundle(policysync_replica *POLICYSYNC_NONNULL replica,
                                                   uint64_t now_ms,
                                                   const struct policysync_reader *POLICYSYNC_NONNULL reader,
                                                   policysync_ingested *POLICYSYNC_NULLABLE ingested,
                                                   policysync_error *POLICYSYNC_NULLABLE err);

/* ---------- Session resumption ---------- */

/**
 * Resumption data of a session: the operations that two replicas have in common, which the next session with the same
 * peer leaves out. It is valid for one open replica and one responder; other peers ignore it, and the session starts
 * from the beginning. To keep it across restarts, see `policysync_resume_to_bytes`. It never changes.
 */
typedef struct policysync_resume policysync_resume;

/**
 * Returns the id by which both sides know the session. It is not secret. The application sends it from the initiator
 * to the responder, for `policysync_push_after_responder`.
 *
 * `resume`: the resumption data.
 * `out48`: room for 48 bytes.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_resume_id(const struct policysync_resume *POLICYSYNC_NONNULL resume,
                                       uint8_t *POLICYSYNC_NONNULL out48,
                                       policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Encodes resumption data in bytes, to be stored beside the replica's file and decoded by
 * `policysync_resume_from_bytes` when that is opened again.
 *
 * `resume`: the resumption data.
 * `replica`: the replica of the session, still open.
 * `key32`: 32 random bytes that seal the result; they may be the store's `seal_key`. Anyone who knows them and can
 * write the bytes could make the next session leave out operations that the peer does not have.
 * `out`: the bytes.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_OTHER_REPLICA` (the data does not belong to this replica as it is open
 * now), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_resume_to_bytes(const struct policysync_resume *POLICYSYNC_NONNULL resume,
                                             policysync_replica *POLICYSYNC_NONNULL replica,
                                             const uint8_t *POLICYSYNC_NONNULL key32,
                                             policysync_buffer *POLICYSYNC_NONNULL out,
                                             policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Decodes the bytes that `policysync_resume_to_bytes` made for the same replica before it was opened again.
 *
 * `bytes`, `bytes_len`: all of the bytes.
 * `replica`: the same replica: its log begins with the same operations in the same order.
 * `key32`: the key that sealed them.
 * `out`: the resumption data, to be freed with `policysync_resume_free`. If the call fails, continue without it: the
 * next session starts from the beginning.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_MALFORMED` (the message says where), `POLICYSYNC_ERR_PEER_VERSION`,
 * `POLICYSYNC_ERR_DAMAGED` (altered, or sealed with another key), `POLICYSYNC_ERR_OTHER_REPLICA` (another log, or an
 * older copy), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_resume_from_bytes(const void *POLICYSYNC_NULLABLE bytes,
                                               size_t bytes_len,
                                               policysync_replica *POLICYSYNC_NONNULL replica,
                                               const uint8_t *POLICYSYNC_NONNULL key32,
                                               struct policysync_resume *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                               policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Frees resumption data. No other thread may be using it. Sessions and push channels that were made with it have their
 * own copy. NULL is allowed.
 */
POLICYSYNC_API
void policysync_resume_free(struct policysync_resume *POLICYSYNC_NULLABLE resume);

/* ---------- Sessions ---------- */

/**
 * The state of a session: `state` of `policysync_progress` and `policysync_sync_result`.
 */
typedef enum policysync_session_state {
    /**
     * The session has not ended.
     */
    POLICYSYNC_SESSION_RUNNING = 0,
    /**
     * Both replicas hold the same operations: those that either held when the session began and those exchanged by it.
     */
    POLICYSYNC_SESSION_CONVERGED = 1,
    /**
     * The two replicas hold different operations: the progress says how many each side refused.
     */
    POLICYSYNC_SESSION_NOT_CONVERGED = 2,
    /**
     * `policysync_session_cancel` was called.
     */
    POLICYSYNC_SESSION_CANCELLED = 3,
    /**
     * A call failed, and its status says why. Admitted operations stay; start a new session.
     */
    POLICYSYNC_SESSION_FAILED = 4,
    /**
     * Both replicas hold the same operations, except those that one of them refuses: the result counts them by reason.
     */
    POLICYSYNC_SESSION_CONVERGED_EXCEPT = 5,
} policysync_session_state;

/**
 * A session with a peer, on the side that initiates it. It makes the messages to send and processes the answers; the
 * application carries the bytes over any transport. The replica may be written to between two calls; such writes are
 * left to the next session. The two are freed in any order.
 */
typedef struct policysync_session policysync_session;

/**
 * The options of a session, for either side. Zero in every member but the first is the default: initialize them with
 * `policysync_sync_options_init`.
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
     * The maximum length of a message in either direction: from 65536 to 16777216; other values are clamped to this
     * range; 0 for the default, 1048576. A greater limit means fewer round trips for many operations, and more memory
     * for each message. A message is longer only to carry a single operation that does not fit otherwise, or from a
     * peer of version 0.1.0: 1114112 bytes are always accepted.
     */
    uint64_t max_message_bytes;
    /**
     * The resumption data of an earlier session with the same peer; NULL for none. If the peer no longer knows it, or
     * the replica is another, the session starts from the beginning. A responder ignores it. It is copied.
     */
    const policysync_resume *POLICYSYNC_NULLABLE resume;
    /**
     * The name of the peer: its URL or any other text that belongs to this peer alone, of at most 4096 bytes. The
     * replica remembers under it what it and the peer have refused from each other, and which version the peer speaks.
     * Empty for none; a client names its URL then. A responder ignores it.
     */
    policysync_bytes peer;
} policysync_sync_options;

#define POLICYSYNC_SYNC_OPTIONS_INIT { (uint32_t)sizeof(policysync_sync_options), 0, 0, NULL, { NULL, 0 } }

/**
 * The progress of a session, for display.
 */
typedef struct policysync_progress {
    /**
     * `sizeof(policysync_progress)`, set by the caller.
     */
    uint32_t struct_size;
    /**
     * The state of the session: a `policysync_session_state`. It has ended when `policysync_session_next_message`
     * returns `POLICYSYNC_DONE`.
     */
    uint32_t state;
    /**
     * Operations from the peer that are new in this log.
     */
    uint64_t received;
    /**
     * Operations from the peer that were in this log already.
     */
    uint64_t duplicates;
    /**
     * Operations from the peer that this replica refused. An operation that is refused for its signature is requested
     * again, and no longer counts once a valid copy arrives.
     */
    policysync_refusals refused;
    /**
     * Operations that were sent and that the peer has acknowledged.
     */
    uint64_t sent;
    /**
     * Of these, those that the peer refused.
     */
    policysync_refusals refused_by_peer;
    /**
     * Bytes of all messages that were made.
     */
    uint64_t bytes_sent;
    /**
     * Bytes of all messages that were received.
     */
    uint64_t bytes_received;
    /**
     * Bytes of operations among the bytes sent.
     */
    uint64_t op_bytes_sent;
    /**
     * Bytes of operations among the bytes received.
     */
    uint64_t op_bytes_received;
    /**
     * Answers that were received.
     */
    uint64_t round_trips;
    /**
     * Operations that remain to be sent, as far as is known.
     */
    uint64_t left_to_send;
    /**
     * The minimum number of operations that remain to be received, according to the peer.
     */
    uint64_t left_to_receive;
} policysync_progress;

#define POLICYSYNC_PROGRESS_INIT { (uint32_t)sizeof(policysync_progress), 0, 0, 0, { 0, 0, 0, 0, 0, 0 }, 0, { 0, 0, 0, 0, 0, 0 }, 0, 0, 0, 0, 0, 0, 0 }

/**
 * The result of a session.
 */
typedef struct policysync_sync_result {
    /**
     * `sizeof(policysync_sync_result)`, set by the caller.
     */
    uint32_t struct_size;
    /**
     * The state of the session: a `policysync_session_state`.
     */
    uint32_t state;
    /**
     * The number of operations that both replicas hold, if the session converged, with or without exceptions;
     * otherwise 0.
     */
    uint64_t count;
    /**
     * A digest over the compared operations, if the session converged; otherwise zero. It differs from session to
     * session: it is equal on the two sides of one session that hold the same operations, and useful for nothing else.
     * To compare replicas at any time, see `policysync_replica_digest`.
     */
    uint8_t digest[16];
    /**
     * If the session converged with exceptions, the operations of the peer that this replica refuses, whether they
     * were transferred or known beforehand to be refused; otherwise zero.
     */
    policysync_refusals refused;
    /**
     * Likewise, the operations of this replica that the peer refuses.
     */
    policysync_refusals refused_by_peer;
} policysync_sync_result;

#define POLICYSYNC_SYNC_RESULT_INIT { (uint32_t)sizeof(policysync_sync_result), 0, 0, { 0 }, { 0, 0, 0, 0, 0, 0 }, { 0, 0, 0, 0, 0, 0 } }

/**
 * Initializes options: all zero except `struct_size`.
 *
 * `out`: receives `struct_size` bytes, however many of them the library knows.
 * `struct_size`: `sizeof(policysync_sync_options)`, at least 8.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (`struct_size` is too small) or
 * `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_sync_options_init(struct policysync_sync_options *POLICYSYNC_NONNULL out,
                                               uint32_t struct_size);

/**
 * Makes the message of a responder that failed, with which the initiator's session ends. It reveals only the kind of
 * failure.
 *
 * `status`: the result of `policysync_responder_respond`. A number that is not a failure counts as one.
 * `out`: the message, two bytes.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_sync_alert(policysync_status status,
                                        policysync_buffer *POLICYSYNC_NONNULL out,
                                        policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Creates a session that has not begun.
 *
 * `options`: NULL for the defaults.
 * `nonce16`: 16 random bytes, new for each session and unknown to everyone before it begins: the safety of the
 * comparison depends on it. NULL, as is usual, for bytes from the system.
 * `out`: the session, to be freed with `policysync_session_free`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION`,
 * `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_session_new(const struct policysync_sync_options *POLICYSYNC_NULLABLE options,
                                         const uint8_t *POLICYSYNC_NULLABLE nonce16,
                                         struct policysync_session *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                         policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Makes the next message for the peer. The first call fixes the set of operations that the session is about. If an
 * answer does not arrive, send the same message again: a responder answers it again.
 *
 * `replica`: the same in every call of a session.
 * `out`: the message. Unchanged unless the call returns `POLICYSYNC_OK`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (nothing is left to send: see `policysync_session_result`),
 * `POLICYSYNC_ERR_OUT_OF_TURN` (the peer's answer is awaited; nothing has changed), `POLICYSYNC_ERR_NULL`,
 * `POLICYSYNC_ERR_BUSY`, and these, which end the session: `POLICYSYNC_ERR_ENDED` (it has failed already),
 * `POLICYSYNC_ERR_OTHER_REPLICA`, a store failure or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_session_next_message(struct policysync_session *POLICYSYNC_NONNULL session,
                                                  policysync_replica *POLICYSYNC_NONNULL replica,
                                                  policysync_buffer *POLICYSYNC_NONNULL out,
                                                  policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Processes the peer's answer: ingests its operations in one batch. Then ask for the next message.
 *
 * `replica`: the same in every call of a session.
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `message`, `message_len`: the whole answer.
 * `progress`: the progress of the session. NULL if it is not wanted.
 *
 * Operations that were admitted before a failure stay.
 *
 * Returns `POLICYSYNC_OK`. After these the session is unchanged: `POLICYSYNC_ERR_STRAY` (not the awaited answer, which
 * is still awaited), `POLICYSYNC_ERR_OUT_OF_TURN` (none is awaited), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`,
 * `POLICYSYNC_ERR_VERSION` (`progress->struct_size` is too small), `POLICYSYNC_ERR_BUSY`, and
 * `POLICYSYNC_ERR_CALLBACK` of the clock. The others end it: `POLICYSYNC_ERR_MALFORMED`, `POLICYSYNC_ERR_LIMIT`,
 * `POLICYSYNC_ERR_PEER_VERSION`, `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_PROTOCOL`,
 * `POLICYSYNC_ERR_NO_PROGRESS`, `POLICYSYNC_ERR_FORGOTTEN`, `POLICYSYNC_ERR_REFUSED`, `POLICYSYNC_ERR_ENDED` (it has
 * ended already), `POLICYSYNC_ERR_OTHER_REPLICA`, `POLICYSYNC_ERR_CLOCK`, `POLICYSYNC_ERR_ABORTED` and
 * `POLICYSYNC_ERR_CALLBACK` (the guard), `POLICYSYNC_ERR_FULL`, a store failure or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_session_receive(struct policysync_session *POLICYSYNC_NONNULL session,
                                             policysync_replica *POLICYSYNC_NONNULL replica,
                                             uint64_t now_ms,
                                             const void *POLICYSYNC_NULLABLE message,
                                             size_t message_len,
                                             struct policysync_progress *POLICYSYNC_NULLABLE progress,
                                             policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the progress of the session.
 *
 * `progress`: the progress.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION` (`struct_size` is too small),
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_session_progress(struct policysync_session *POLICYSYNC_NONNULL session,
                                              struct policysync_progress *POLICYSYNC_NONNULL progress,
                                              policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the result of the session.
 *
 * `result`: the result. Unchanged unless the call returns `POLICYSYNC_OK`.
 * `resume`: the resumption data for the next session with this peer and for `policysync_push_after`, to be freed with
 * `policysync_resume_free`. NULL unless the session converged, with or without exceptions; also if so much else
 * arrived meanwhile that keeping it is not worthwhile. NULL for the parameter if it is not wanted.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (it has not ended), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION`
 * (`struct_size` is too small), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_session_result(struct policysync_session *POLICYSYNC_NONNULL session,
                                            struct policysync_sync_result *POLICYSYNC_NONNULL result,
                                            policysync_resume *POLICYSYNC_NULLABLE *POLICYSYNC_NULLABLE resume,
                                            policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns an author whose operations were left out or refused because the key is not registered, to ask whether to
 * register it. The author claims to be that actor; nothing proves it.
 *
 * `index`: from 0; a session names at most 32 authors.
 * `actor`, `kid`: the actor and the id of its key, in UTF-8. Unchanged unless the call returns `POLICYSYNC_OK`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (there are no more), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_session_unknown_author(struct policysync_session *POLICYSYNC_NONNULL session,
                                                    uint64_t index,
                                                    policysync_buffer *POLICYSYNC_NONNULL actor,
                                                    policysync_buffer *POLICYSYNC_NONNULL kid,
                                                    policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns what the session has asked, sent, received and refused so far, in counts, bytes and times, without names,
 * values and paths: text for an error report, a line for each request that was answered. It stays after a failure.
 *
 * `out`: the text, UTF-8. Unchanged unless the call returns `POLICYSYNC_OK`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_session_trace(struct policysync_session *POLICYSYNC_NONNULL session,
                                           policysync_buffer *POLICYSYNC_NONNULL out,
                                           policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Ends the session. Admitted operations stay, and a later session continues from them. A session that has ended is
 * unchanged.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_session_cancel(struct policysync_session *POLICYSYNC_NONNULL session,
                                            policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Frees a session, even one that has not ended. NULL is allowed.
 */
POLICYSYNC_API
void policysync_session_free(struct policysync_session *POLICYSYNC_NULLABLE session);

/* ---------- Responders ---------- */

/**
 * Answers the messages of any number of sessions, in any order. Each message carries the whole state of its session,
 * so it may be answered by any of several processes that share the secret and the operations; the responder's own
 * memory only saves work.
 */
typedef struct policysync_responder policysync_responder;

/**
 * Creates a responder.
 *
 * `options`: NULL for the defaults.
 * `secret32`: 32 random bytes from which the keys of sessions are derived. Processes that answer the same sessions
 * share them. NULL for bytes from the system. They are copied, and wiped when the responder is freed.
 * `out`: the responder, to be freed with `policysync_responder_free`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION`,
 * `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_responder_new(const policysync_sync_options *POLICYSYNC_NULLABLE options,
                                           const uint8_t *POLICYSYNC_NULLABLE secret32,
                                           struct policysync_responder *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                           policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Answers a message of a session. Its operations are ingested in one batch.
 *
 * `replica`: the replica that the responder answers with.
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `message`, `message_len`: the whole message.
 * `out`: the answer for the initiator. When the call fails, `policysync_sync_alert` makes one.
 * `ingested`: the counts of the operations in the message and in the answer. NULL if they are not wanted.
 *
 * If the clock, the guard or the store fails while operations are ingested, the message has no effect; after another
 * failure its operations may be in the log.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_MALFORMED`, `POLICYSYNC_ERR_LIMIT`, `POLICYSYNC_ERR_PEER_VERSION`,
 * `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_PROTOCOL`, `POLICYSYNC_ERR_FORGOTTEN`, `POLICYSYNC_ERR_CLOCK`,
 * `POLICYSYNC_ERR_ABORTED` (the guard), `POLICYSYNC_ERR_CALLBACK` (the guard or the clock), `POLICYSYNC_ERR_FULL`, a
 * store failure, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION` (`ingested->struct_size`
 * is too small), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_responder_respond(struct policysync_responder *POLICYSYNC_NONNULL responder,
                                               policysync_replica *POLICYSYNC_NONNULL replica,
                                               uint64_t now_ms,
                                               const void *POLICYSYNC_NULLABLE message,
                                               size_t message_len,
                                               policysync_buffer *POLICYSYNC_NONNULL out,
                                               policysync_ingested *POLICYSYNC_NULLABLE ingested,
                                               policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Encodes the resumption data that the responder has for a replica, to be stored beside the replica's file and passed
 * to `policysync_responder_resume_from_bytes` after a restart. The bytes are sealed with the responder's secret:
 * create it with one, and keep that. They take about fifty bytes for each of up to 1024 sessions, more if the
 * exchanged operations are scattered over the log.
 *
 * `replica`: the replica that the responder has answered with.
 * `out`: the bytes.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_responder_resume_to_bytes(struct policysync_responder *POLICYSYNC_NONNULL responder,
                                                       policysync_replica *POLICYSYNC_NONNULL replica,
                                                       policysync_buffer *POLICYSYNC_NONNULL out,
                                                       policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Adds the resumption data that a responder with the same secret encoded before the replica was opened again.
 *
 * `replica`: the same replica: its log begins with the same operations in the same order.
 * `bytes`, `bytes_len`: all bytes of `policysync_responder_resume_to_bytes`.
 *
 * On any failure the responder is unchanged: continue, and sessions start from the beginning.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_MALFORMED` (the message says where), `POLICYSYNC_ERR_PEER_VERSION`,
 * `POLICYSYNC_ERR_DAMAGED` (altered, or sealed with another secret), `POLICYSYNC_ERR_OTHER_REPLICA` (another log, or
 * an older copy), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_responder_resume_from_bytes(struct policysync_responder *POLICYSYNC_NONNULL responder,
                                                         policysync_replica *POLICYSYNC_NONNULL replica,
                                                         const void *POLICYSYNC_NULLABLE bytes,
                                                         size_t bytes_len,
                                                         policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Frees a responder and wipes its secret. NULL is allowed.
 */
POLICYSYNC_API
void policysync_responder_free(struct policysync_responder *POLICYSYNC_NULLABLE responder);

/* ---------- Push channels ---------- */

/**
 * A channel for new operations, after a session, on a connection that stays open. It sends operations as they are
 * appended, except those that came from the peer. Either side sends at any time; messages are not answered. Operations
 * that are lost on the way are found by the next session.
 */
typedef struct policysync_push policysync_push;

/**
 * Creates the channel after a session that converged, on the side that initiated it.
 *
 * `resume`: the resumption data of the session. It is copied.
 * `options`: the options of the session; NULL for the defaults.
 * `out`: the channel, to be freed with `policysync_push_free`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION` or
 * `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_push_after(const policysync_resume *POLICYSYNC_NONNULL resume,
                                        const policysync_sync_options *POLICYSYNC_NULLABLE options,
                                        struct policysync_push *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                        policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Creates the channel after a session that converged, on the side that answered.
 *
 * `responder`: the responder that answered the session.
 * `replica`: the replica that it answered with.
 * `id48`: 48 bytes, from `policysync_resume_id` on the other side.
 * `out`: the channel, to be freed with `policysync_push_free`. NULL unless the call returns `POLICYSYNC_OK`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (this responder no longer knows the session), `POLICYSYNC_ERR_NULL`,
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_push_after_responder(policysync_responder *POLICYSYNC_NONNULL responder,
                                                  policysync_replica *POLICYSYNC_NONNULL replica,
                                                  const uint8_t *POLICYSYNC_NONNULL id48,
                                                  struct policysync_push *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                                  policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Makes a message of operations that the peer has not been sent.
 *
 * `replica`: the replica of the session.
 * `out`: the message. Unchanged unless the call returns `POLICYSYNC_OK`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (none at present; ask again later), `POLICYSYNC_ERR_OTHER_REPLICA`, a
 * store failure, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_push_next_message(struct policysync_push *POLICYSYNC_NONNULL push,
                                               policysync_replica *POLICYSYNC_NONNULL replica,
                                               policysync_buffer *POLICYSYNC_NONNULL out,
                                               policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Processes a message of the peer: ingests its operations in one batch.
 *
 * `replica`: the replica of the session.
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `message`, `message_len`: the whole message.
 * `ingested`: the counts of its operations. NULL if they are not wanted.
 *
 * On any failure no operation of the message was admitted.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_MALFORMED`, `POLICYSYNC_ERR_LIMIT`, `POLICYSYNC_ERR_PEER_VERSION`,
 * `POLICYSYNC_ERR_WRONG_SPACE`, `POLICYSYNC_ERR_CLOCK`, `POLICYSYNC_ERR_ABORTED` (the guard),
 * `POLICYSYNC_ERR_CALLBACK` (the guard or the clock), `POLICYSYNC_ERR_FULL`, a store failure, `POLICYSYNC_ERR_NULL`,
 * `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION` (`ingested->struct_size` is too small), `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_push_receive(struct policysync_push *POLICYSYNC_NONNULL push,
                                          policysync_replica *POLICYSYNC_NONNULL replica,
                                          uint64_t now_ms,
                                          const void *POLICYSYNC_NULLABLE message,
                                          size_t message_len,
                                          policysync_ingested *POLICYSYNC_NULLABLE ingested,
                                          policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the maximum number of operations that wait to be sent.
 *
 * `replica`: the replica of the session.
 * `out`: the number.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_push_waiting(struct policysync_push *POLICYSYNC_NONNULL push,
                                          policysync_replica *POLICYSYNC_NONNULL replica,
                                          uint64_t *POLICYSYNC_NONNULL out,
                                          policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Frees a push channel. NULL is allowed.
 */
POLICYSYNC_API
void policysync_push_free(struct policysync_push *POLICYSYNC_NULLABLE push);

/* ---------- Lines: initiator ---------- */

/**
 * The calling side of a line: a connection that stays open and carries whole messages in order, for example a
 * WebSocket of another library. It runs a session; when that has converged, it sends operations as they are written
 * and ingests those of the other side. A session that does not converge is repeated when something was written, and
 * once a minute. The application carries the messages.
 */
typedef struct policysync_line_initiator policysync_line_initiator;

/**
 * Creates the calling side of a new line.
 *
 * `options`: the options of its sessions; NULL for the defaults.
 * `seed32`: 32 secret random bytes, new for each line. NULL, as is usual, for bytes from the system.
 * `out`: the side, to be freed with `policysync_line_initiator_free`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION`,
 * `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_line_initiator_new(const policysync_sync_options *POLICYSYNC_NULLABLE options,
                                                const uint8_t *POLICYSYNC_NULLABLE seed32,
                                                struct policysync_line_initiator *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                                policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Makes the next message for the other side. Send it before asking for another: the log is the queue, so a slow line
 * takes no memory.
 *
 * `replica`: the same for all of a line.
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `out`: the message. Unchanged unless the call returns `POLICYSYNC_OK`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (nothing to send now; ask again when a message has arrived, when
 * something was written, and at least once a minute, because a session that has not converged is repeated then),
 * `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY`, `POLICYSYNC_ERR_CALLBACK` (the clock), and these, after which the line
 * should be closed: `POLICYSYNC_ERR_ENDED`, `POLICYSYNC_ERR_OTHER_REPLICA`, a store failure or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_line_initiator_next_message(struct policysync_line_initiator *POLICYSYNC_NONNULL caller,
                                                         policysync_replica *POLICYSYNC_NONNULL replica,
                                                         uint64_t now_ms,
                                                         policysync_buffer *POLICYSYNC_NONNULL out,
                                                         policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Processes a message of the other side: ingests its operations in one batch. Then ask for the next message.
 *
 * `replica`: the same for all of a line.
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `message`, `message_len`: the whole message.
 *
 * After a failure the line should be closed; operations that were admitted before stay.
 *
 * Returns `POLICYSYNC_OK`, or what `policysync_session_receive` does, including `POLICYSYNC_ERR_NULL`,
 * `POLICYSYNC_ERR_BUSY` and `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_line_initiator_receive(struct policysync_line_initiator *POLICYSYNC_NONNULL caller,
                                                    policysync_replica *POLICYSYNC_NONNULL replica,
                                                    uint64_t now_ms,
                                                    const void *POLICYSYNC_NULLABLE message,
                                                    size_t message_len,
                                                    policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the progress of the current session of the line, or of the last one. Its `state` is that of the last session
 * that ended.
 *
 * `progress`: the progress.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION` (`struct_size` is too small),
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_line_initiator_progress(struct policysync_line_initiator *POLICYSYNC_NONNULL caller,
                                                     policysync_progress *POLICYSYNC_NONNULL progress,
                                                     policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the result of the last session of the line.
 *
 * `result`: the result. Unchanged unless the call returns `POLICYSYNC_OK`.
 * `resume`: the resumption data for the next line to the same peer, to be freed with `policysync_resume_free`; NULL if
 * there is none. NULL for the parameter if it is not wanted.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (none has ended), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION`
 * (`struct_size` is too small), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_line_initiator_result(struct policysync_line_initiator *POLICYSYNC_NONNULL caller,
                                                   policysync_sync_result *POLICYSYNC_NONNULL result,
                                                   policysync_resume *POLICYSYNC_NULLABLE *POLICYSYNC_NULLABLE resume,
                                                   policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns `POLICYSYNC_OK` if operations are sent as they are written: the last session has converged.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (not yet, or no longer), `POLICYSYNC_ERR_NULL`,
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_line_initiator_is_pushing(struct policysync_line_initiator *POLICYSYNC_NONNULL caller,
                                                       policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Frees the calling side of a line. NULL is allowed.
 */
POLICYSYNC_API
void policysync_line_initiator_free(struct policysync_line_initiator *POLICYSYNC_NULLABLE caller);

/* ---------- Lines: responder ---------- */

/**
 * The answering side of a line, one for each line. It answers sessions, and then sends operations as they are
 * appended. The application carries the messages.
 */
typedef struct policysync_line_responder policysync_line_responder;

/**
 * Creates the answering side of a new line.
 *
 * `out`: the side, to be freed with `policysync_line_responder_free`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_line_responder_new(struct policysync_line_responder *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                                policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Processes a message of the caller and makes the answer, if it requires one. Then ask for the next message.
 *
 * `responder`: answers the sessions; one for all lines.
 * `replica`: the same for all of a line.
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `message`, `message_len`: the whole message.
 * `out`: the answer. Unchanged unless the call returns `POLICYSYNC_OK`.
 *
 * After a failure send the message of `policysync_sync_alert` and close the line.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (no answer is required), `POLICYSYNC_ERR_OUT_OF_TURN`, or what
 * `policysync_responder_respond` does, including `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` and
 * `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_line_responder_receive(struct policysync_line_responder *POLICYSYNC_NONNULL answerer,
                                                    policysync_responder *POLICYSYNC_NONNULL responder,
                                                    policysync_replica *POLICYSYNC_NONNULL replica,
                                                    uint64_t now_ms,
                                                    const void *POLICYSYNC_NULLABLE message,
                                                    size_t message_len,
                                                    policysync_buffer *POLICYSYNC_NONNULL out,
                                                    policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Makes a message of operations that the caller does not have yet. Send it before asking for another: the log is the
 * queue, so a slow line takes no memory.
 *
 * `replica`: the same for all of a line.
 * `out`: the message. Unchanged unless the call returns `POLICYSYNC_OK`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_DONE` (nothing to send now; ask again when a message has arrived or the log has
 * grown), `POLICYSYNC_ERR_OTHER_REPLICA`, a store failure, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_line_responder_next_message(struct policysync_line_responder *POLICYSYNC_NONNULL answerer,
                                                         policysync_replica *POLICYSYNC_NONNULL replica,
                                                         policysync_buffer *POLICYSYNC_NONNULL out,
                                                         policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Frees the answering side of a line. NULL is allowed.
 */
POLICYSYNC_API
void policysync_line_responder_free(struct policysync_line_responder *POLICYSYNC_NULLABLE answerer);

/* ---------- HTTP and WebSocket: options ---------- */

/**
 * A flag of a client: only the authorities in `trusted` are trusted. Without it, they are added to those that Mozilla
 * trusts.
 */
#define POLICYSYNC_TRUST_NO_OTHERS 1u

/**
 * A header of a request. This struct never changes.
 */
typedef struct policysync_header {
    /**
     * The name: a token of HTTP, and not one that the client sets itself.
     */
    policysync_bytes name;
    /**
     * The value: 1 to 8192 bytes of printable ASCII; spaces and tabs are allowed inside it.
     */
    policysync_bytes value;
} policysync_header;

/**
 * The options of a client of HTTP or WebSocket. Zero in every member but the first is the default: initialize them
 * with `policysync_client_options_init`. Values of headers and tokens never appear in an error; the library wipes its
 * copies when the client is freed.
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
     * The token for the header `Authorization: Bearer …`, which is sent with each HTTP request and with the one that
     * opens a WebSocket. Without TLS, everyone who carries the request can read it. Empty for none.
     */
    policysync_bytes bearer_token;
    /**
     * Further headers, `headers_stride` bytes apart. Of two with one name the later one is sent; an `Authorization` is
     * replaced by the token. NULL for none.
     */
    const struct policysync_header *POLICYSYNC_NULLABLE headers;
    /**
     * The stride of `headers`: `sizeof(policysync_header)`.
     */
    size_t headers_stride;
    /**
     * The number of headers.
     */
    size_t headers_count;
    /**
     * Further authorities to trust for a server's certificate: any number of certificates in PEM, or one in DER. They
     * are added to those that Mozilla trusts; with `POLICYSYNC_TRUST_NO_OTHERS` they replace them, and nobody is
     * trusted if this is empty. Needs the feature `tls`.
     */
    policysync_bytes trusted;
    /**
     * The URL of an HTTP proxy, `http://[user:password@]host[:port]`; a byte of user or password may be written as `%`
     * and two hexadecimal digits. It carries `http` requests, and opens a tunnel for `https`, `ws` and `wss`. Empty
     * for none; proxies of the environment are ignored.
     */
    policysync_bytes proxy;
    /**
     * The time limit of each step of connecting: looking up the name of the host, connecting to each of its addresses,
     * the answer of the proxy, the TLS handshake, the WebSocket handshake; 0 for 10 seconds, at most a day.
     */
    uint64_t connect_timeout_ms;
    /**
     * The time in which a transfer must move at least 512 bytes, either way; 0 for 30 seconds. A message may take as
     * long as it needs while it moves.
     */
    uint64_t progress_timeout_ms;
    /**
     * The time limit for the head of an HTTP answer, with a second for each KiB of the request added; 0 for 30
     * seconds. Like the next two, ignored for a WebSocket.
     */
    uint64_t answer_timeout_ms;
    /**
     * The time limit for one HTTP request with its answer, also if it moves; 0 for none.
     */
    uint64_t overall_timeout_ms;
    /**
     * The time for which `policysync_http_client_sync` repeats a request that fails for a temporary reason, from its
     * first failure on; 0 for 60 seconds, 1 for no repetition.
     */
    uint64_t retry_ms;
    /**
     * The time that `policysync_websocket_client_wait` waits for a message; 0 for 100 milliseconds. Like those that
     * follow, ignored for HTTP.
     */
    uint64_t wait_ms;
    /**
     * The time without a message after which the server is pinged; 0 for 20 seconds.
     */
    uint64_t ping_after_ms;
    /**
     * The time without a sign of the server (a message, part of one, an answer to a ping) after which the line ends
     * with an error; 0 for 60 seconds.
     */
    uint64_t silence_ms;
} policysync_client_options;

#define POLICYSYNC_CLIENT_OPTIONS_INIT { (uint32_t)sizeof(policysync_client_options), 0, { NULL, 0 }, NULL, 0, 0, { NULL, 0 }, { NULL, 0 }, 0, 0, 0, 0, 0, 0, 0, 0 }

/**
 * Initializes options: all zero except `struct_size`.
 *
 * `out`: receives `struct_size` bytes, however many of them the library knows.
 * `struct_size`: `sizeof(policysync_client_options)`, at least 8.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (`struct_size` is too small) or
 * `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_client_options_init(struct policysync_client_options *POLICYSYNC_NONNULL out,
                                                 uint32_t struct_size);

/* ---------- HTTP ---------- */

/**
 * Synchronizes with a server over HTTP: each message is a POST to one URL. It follows no redirects, keeps no cookies,
 * uses no proxy from the environment, and keeps one connection for the next request. To look up a name and to connect
 * it starts threads, which end when the system answers. Calls from several threads do not wait for each other.
 */
typedef struct policysync_http_client policysync_http_client;

/**
 * Creates a client of the server at a URL. Nothing is sent yet.
 *
 * `url`, `url_len`: `http://…`, or with the feature `tls` `https://…`.
 * `options`: NULL for the defaults.
 * `out`: the client, to be freed with `policysync_http_client_free`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (the URL, a header, the token, a
 * certificate), `POLICYSYNC_ERR_VERSION`, `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `http`, or for
 * `https`, `trusted` or `POLICYSYNC_TRUST_NO_OTHERS` without `tls`), `POLICYSYNC_ERR_TLS` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_http_client_new(const char *POLICYSYNC_NULLABLE url,
                                             size_t url_len,
                                             const policysync_client_options *POLICYSYNC_NULLABLE options,
                                             struct policysync_http_client *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                             policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Runs a session with the server to its end; see `policysync_session_result`. A request that fails for a temporary
 * reason is repeated within `retry_ms` of the client's options. The call holds no lock while it waits: other threads
 * may use the replica, read `policysync_session_progress`, and end the session with `policysync_session_cancel`, which
 * ends the call within about 100 milliseconds.
 *
 * `session`: a session that has not begun. When the network fails it stays unfinished: start a new one, which
 * continues from the admitted operations.
 * `replica`: the same for all of a session.
 * `now_ms`: the time at which operations arrive: milliseconds since 1970, or, as is usual, `POLICYSYNC_NOW`.
 *
 * Operations that were admitted before a failure stay.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_HOST`, `POLICYSYNC_ERR_CONNECTION`, `POLICYSYNC_ERR_TIMEOUT`,
 * `POLICYSYNC_ERR_UNAVAILABLE`, `POLICYSYNC_ERR_HTTP_STATUS`, `POLICYSYNC_ERR_UNAUTHORIZED`, `POLICYSYNC_ERR_TLS`,
 * `POLICYSYNC_ERR_NOT_A_SERVER`, `POLICYSYNC_ERR_LIMIT` (the answer is too long), `POLICYSYNC_ERR_UNSUPPORTED` (built
 * without the feature `http`), or what `policysync_session_next_message` and `policysync_session_receive` return,
 * including `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` and `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_http_client_sync(struct policysync_http_client *POLICYSYNC_NONNULL client,
                                              policysync_session *POLICYSYNC_NONNULL session,
                                              policysync_replica *POLICYSYNC_NONNULL replica,
                                              uint64_t now_ms,
                                              policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Sends one message to the server and returns its answer, for an application that runs a session itself, for example
 * to show the progress on the same thread. A refusal by the server is an answer too.
 *
 * `message`, `message_len`: the whole message.
 * `max_bytes`: the maximum length of the answer: `max_message_bytes` of the session's options, but at least 1114112;
 * 0 for that.
 * `out`: the answer. Unchanged unless the call returns `POLICYSYNC_OK`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_HOST`, `POLICYSYNC_ERR_CONNECTION`, `POLICYSYNC_ERR_TIMEOUT`,
 * `POLICYSYNC_ERR_UNAVAILABLE`, `POLICYSYNC_ERR_HTTP_STATUS`, `POLICYSYNC_ERR_UNAUTHORIZED`, `POLICYSYNC_ERR_TLS`,
 * `POLICYSYNC_ERR_NOT_A_SERVER`, `POLICYSYNC_ERR_LIMIT` (the answer is too long), `POLICYSYNC_ERR_NULL`,
 * `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `http`) or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_http_client_exchange(struct policysync_http_client *POLICYSYNC_NONNULL client,
                                                  const void *POLICYSYNC_NULLABLE message,
                                                  size_t message_len,
                                                  size_t max_bytes,
                                                  policysync_buffer *POLICYSYNC_NONNULL out,
                                                  policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Frees a client and closes its connection. NULL is allowed. Calls that have begun finish normally.
 */
POLICYSYNC_API
void policysync_http_client_free(struct policysync_http_client *POLICYSYNC_NULLABLE client);

/**
 * Answers an HTTP request, in any server. The server itself is responsible for authorization, time limits and the
 * length of bodies; it should refuse a body over `max_message_bytes` of the responder's options with status 413 before
 * reading it. The answer's content type is `POLICYSYNC_HTTP_CONTENT_TYPE`, whatever its status.
 *
 * `responder`: answers the sessions.
 * `replica`: the replica that it answers with.
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW`.
 * `method`, `method_len`: the request's method, for example `POST`.
 * `content_type`, `content_type_len`: the request's header `Content-Type`; NULL and 0 if there is none.
 * `body`, `body_len`: the whole body of the request.
 * `http_status`: the status to answer with: 200, or 400 for a malformed message, 403 for another space, 405 for
 * another method, 410 for a session that is no longer known, 413 for a message that is too long, 415 for another
 * content type, 503 if this side failed.
 * `out`: the body to answer with.
 * `refused`: the reason for a status other than 200, for the server's own log; unchanged otherwise. NULL if it is not
 * wanted.
 *
 * On a failure answer 503 with the message of `policysync_sync_alert`. Operations of a request that is refused with
 * 400 or 503 may be in the log already.
 *
 * Returns `POLICYSYNC_OK` (**also if the request is refused**), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_CALLBACK` (the
 * guard or the clock), `POLICYSYNC_ERR_BUSY`, `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `http`) or
 * `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_http_answer(policysync_responder *POLICYSYNC_NONNULL responder,
                                         policysync_replica *POLICYSYNC_NONNULL replica,
                                         uint64_t now_ms,
                                         const char *POLICYSYNC_NULLABLE method,
                                         size_t method_len,
                                         const char *POLICYSYNC_NULLABLE content_type,
                                         size_t content_type_len,
                                         const void *POLICYSYNC_NULLABLE body,
                                         size_t body_len,
                                         uint32_t *POLICYSYNC_NONNULL http_status,
                                         policysync_buffer *POLICYSYNC_NONNULL out,
                                         policysync_error *POLICYSYNC_NULLABLE refused,
                                         policysync_error *POLICYSYNC_NULLABLE err);

/* ---------- WebSocket ---------- */

/**
 * A WebSocket to a server. It runs a session, then sends operations as they are written and ingests those that arrive.
 * It starts no thread: call `policysync_websocket_client_wait` and `policysync_websocket_client_work` in turn, in a
 * thread of your own. When the line ends, connect again, with a growing delay; the first session of the new line finds
 * what was lost. One thread at a time: a call while another is running returns `POLICYSYNC_ERR_BUSY`.
 */
typedef struct policysync_websocket_client policysync_websocket_client;

/**
 * Connects to the server at a URL. Each step but the look-up of the name takes at most `connect_timeout_ms`.
 *
 * `url`, `url_len`: `ws://…`, or with the feature `tls` `wss://…`.
 * `options`: NULL for the defaults.
 * `sync`: the options of its sessions; NULL for the defaults.
 * `out`: the line, to be freed with `policysync_websocket_client_free`.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_HOST`, `POLICYSYNC_ERR_CONNECTION`, `POLICYSYNC_ERR_TIMEOUT`,
 * `POLICYSYNC_ERR_UNAVAILABLE`, `POLICYSYNC_ERR_HTTP_STATUS`, `POLICYSYNC_ERR_UNAUTHORIZED`, `POLICYSYNC_ERR_TLS`,
 * `POLICYSYNC_ERR_NOT_A_SERVER`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (the URL, a header, the token, a
 * certificate), `POLICYSYNC_ERR_VERSION`, `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `websocket`, or for
 * `wss`, `trusted` or `POLICYSYNC_TRUST_NO_OTHERS` without `tls`), `POLICYSYNC_ERR_CRYPTO` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_websocket_client_connect(const char *POLICYSYNC_NULLABLE url,
                                                      size_t url_len,
                                                      const policysync_client_options *POLICYSYNC_NULLABLE options,
                                                      const policysync_sync_options *POLICYSYNC_NULLABLE sync,
                                                      struct policysync_websocket_client *POLICYSYNC_NULLABLE *POLICYSYNC_NONNULL out,
                                                      policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Waits for a message, at most for `wait_ms` of the options, and once more as long for a message whose sending is
 * stalled. A server that sends or reads a byte now and then can extend this to 50 times `wait_ms`, over TLS to 250
 * times. The replica is not used meanwhile. Then call `policysync_websocket_client_work`, whatever the result.
 *
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW` for the machine's clock. The silence of the server is
 * measured with it from the first call on. Use the same clock in each call, also for
 * `policysync_websocket_client_work`: one that is set back by an hour ends a silent or slow line up to an hour late.
 *
 * After a failure other than `POLICYSYNC_ERR_BUSY` and `POLICYSYNC_ERR_NULL` the line has ended.
 *
 * Returns `POLICYSYNC_OK` (a message has arrived), `POLICYSYNC_NOT_FOUND` (none has), `POLICYSYNC_DONE` (the line is
 * closed), `POLICYSYNC_ERR_CONNECTION`, `POLICYSYNC_ERR_TIMEOUT` (no sign of the server for `silence_ms`, or it has
 * read no message for `stall_ms`), `POLICYSYNC_ERR_TLS`, `POLICYSYNC_ERR_NOT_A_SERVER`, `POLICYSYNC_ERR_LIMIT`,
 * `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `websocket`), `POLICYSYNC_ERR_BUSY`
 * or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_websocket_client_wait(struct policysync_websocket_client *POLICYSYNC_NONNULL line,
                                                   uint64_t now_ms,
                                                   policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Processes the message that has arrived, if any, then sends what is pending: the next message of the session, or
 * operations that were written since. The replica is locked only while a message is processed or made, not while one
 * is sent.
 *
 * `replica`: the same for all of a line.
 * `now_ms`: milliseconds since 1970, or `POLICYSYNC_NOW` for the replica's clock; the stall of a message is then
 * measured with the machine's clock.
 *
 * After a failure other than `POLICYSYNC_ERR_BUSY` and `POLICYSYNC_ERR_NULL` the line has ended; admitted operations
 * stay.
 *
 * Returns `POLICYSYNC_OK` (a message was processed), `POLICYSYNC_NOT_FOUND` (none had arrived), the failures of
 * `policysync_websocket_client_wait` and `policysync_line_initiator_receive`, `POLICYSYNC_ERR_CONNECTION` for a line
 * that is closed, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_websocket_client_work(struct policysync_websocket_client *POLICYSYNC_NONNULL line,
                                                   policysync_replica *POLICYSYNC_NONNULL replica,
                                                   uint64_t now_ms,
                                                   policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the progress of the current session of the line, or of the last one. Its `state` is that of the last session
 * that ended.
 *
 * `progress`: the progress.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION` (`struct_size` is too small),
 * `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `websocket`), `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_websocket_client_progress(struct policysync_websocket_client *POLICYSYNC_NONNULL line,
                                                       policysync_progress *POLICYSYNC_NONNULL progress,
                                                       policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns the result of the last session of the line.
 *
 * `result`: the result. Unchanged unless the call returns `POLICYSYNC_OK`.
 * `resume`: the resumption data for the next line to the same server, to be freed with `policysync_resume_free`; NULL
 * if there is none. NULL for the parameter if it is not wanted.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (none has ended), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_VERSION`
 * (`struct_size` is too small), `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `websocket`),
 * `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_websocket_client_result(struct policysync_websocket_client *POLICYSYNC_NONNULL line,
                                                     policysync_sync_result *POLICYSYNC_NONNULL result,
                                                     policysync_resume *POLICYSYNC_NULLABLE *POLICYSYNC_NULLABLE resume,
                                                     policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Returns `POLICYSYNC_OK` if operations are sent as they are written: the last session has converged.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (not yet, or no longer), `POLICYSYNC_ERR_NULL`,
 * `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `websocket`), `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_websocket_client_is_pushing(struct policysync_websocket_client *POLICYSYNC_NONNULL line,
                                                         policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Closes the line and notifies the server. Operations that are not sent yet are sent over the next line.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature
 * `websocket`), `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`.
 */
POLICYSYNC_API POLICYSYNC_CHECKED
policysync_status policysync_websocket_client_close(struct policysync_websocket_client *POLICYSYNC_NONNULL line,
                                                    policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Frees a line. One that is not closed breaks. NULL is allowed.
 */
POLICYSYNC_API
void policysync_websocket_client_free(struct policysync_websocket_client *POLICYSYNC_NULLABLE line);

#ifdef __cplusplus
} /* extern "C" */
#endif

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

#endif /* POLICYSYNC_H */
