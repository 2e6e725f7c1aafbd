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
 * Time is an argument, now_ms: milliseconds since 1970. POLICYSYNC_NOW asks the replica's clock, and where it was opened
 *   without one, the machine's.
 *
 * Structs that may grow begin with struct_size, which the caller sets to sizeof. What an older program does not know is
 *   zero; if a newer program uses what the library does not know, it gets POLICYSYNC_ERR_VERSION. Arrays of such structs
 *   have a stride.
 *
 * Callbacks are called only on a thread that is inside a library call. They must not throw, longjmp or unwind, and may
 *   not call the replica (or a cursor of it) that is calling them: that gives POLICYSYNC_ERR_BUSY. They may free it. An
 *   unknown answer is an error. `destroy` is called exactly once for each time that a context was handed over, even if
 *   that call failed, on any thread, never under a lock of the library.
 *
 * Threads. A replica and a key: any thread. A cursor, a buffer, an error: one thread at a time. Everything else: any
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
 * that stores for others and knows no keys; what it serves must be verified by whoever fetches it.
 */
#define POLICYSYNC_DANGEROUSLY_UNVERIFIED 2

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
     * The cursor stands at the end.
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
     * A callback called the replica that is calling it.
     */
    POLICYSYNC_ERR_BUSY = -4,
    /**
     * The library was built without what is asked for.
     */
    POLICYSYNC_ERR_UNSUPPORTED = -5,
    /**
     * A name is not 1 to 1024 bytes of UTF-8 without control characters.
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
     * A callback failed, or answered what it may not answer.
     */
    POLICYSYNC_ERR_CALLBACK = -30,
    /**
     * The bytes are not an operation. Trying again does not help.
     */
    POLICYSYNC_ERR_MALFORMED = -100,
    /**
     * The operation belongs to another space than the replica.
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
     * The death of the process, of the system and of the power.
     */
    POLICYSYNC_DURABILITY_FULL = 0,
    /**
     * The death of the process only. When the system or the power fails, the **last writes may be gone, although they
     * were acknowledged and may have been sent to others**; what is left is undamaged. A device that loses writes of its
     * own this way can be made to say two things at one time: give it a new key and actor after such a failure. It saves
     * a wait for the disk with every call that writes.
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
 * A walk over the log in the order of arrival. What arrives during the walk is found at its end: nothing is missed and
 * nothing comes twice. It keeps what it needs of its replica, so the two may be freed in any order. One thread at a
 * time.
 */
typedef struct policysync_cursor policysync_cursor;

/**
 * A key pair and the actor it speaks for. An actor is one writer: one device, one installation; two devices that write
 * as one actor look like a liar who says two things at once. Never changes, so any thread may use it at any time. The
 * secret is wiped when it is freed.
 */
typedef struct policysync_key policysync_key;

/**
 * One copy of the data: what this device has written and what it has received, merged. Any thread may use it; calls
 * from several threads wait for each other. The library starts no threads that outlive a call, and opens no sockets.
 */
typedef struct policysync_replica policysync_replica;

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
 * An operation. As an argument of a callback it lives until the callback returns; from a cursor, until the next call on
 * that cursor. Later versions may add members at the end: walk over an array by its stride.
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
 * Refuses operations that the application does not want, a batch at a time. It sees only operations that are verified
 * and new: it can refuse, it can never admit what is not signed, and running without a guard loses no check of a
 * signature.
 *
 * **A guard must be a deterministic function of the operation alone**: not of the time, of what is stored, of the order
 * of calls. Otherwise two replicas admit different operations and never agree again.
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
 * A public key, and whose it is. Later versions may add members at the end: use your own `sizeof(policysync_public_key)`
 * as the stride.
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
 * is zero. Begin with `policysync_replica_options_init`. All pointers are borrowed for the call that takes the options;
 * what `guard`, `clock` and `observer` point to is copied, and their contexts are taken over.
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
     * On how many threads signatures are verified, which live as long as a call; 0 and 1 for the caller's alone. More
     * need a library built with the feature `parallel`; the guard is still called on the caller's thread.
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
     * `sizeof(policysync_public_key)`. A file that is opened without its `seal_key` needs those of all that have written
     * in it; for others `policysync_replica_register_key` does as well. NULL for none.
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
     * The time, up to which (and the drift) operations in the file are merged: milliseconds since 1970; 0 and
     * `POLICYSYNC_NOW` for the clock. Like all that follows, not looked at without a path.
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
     * Seals the file: 32 secret bytes that whoever can write to it does not know, from the platform's key store. A keyed
     * digest over all operations, renewed with every write, then proves at the next opening that they were verified
     * before, which saves a curve operation each. A file that has no seal yet is verified and sealed. A replica that is
     * opened without the key verifies signatures, and its first write takes the seal away. NULL for none. It is copied.
     */
    const uint8_t *POLICYSYNC_NULLABLE seal_key;
    /**
     * Refuses a file that holds less than it once did (`POLICYSYNC_ERR_ROLLED_BACK`): the digest of this replica at an
     * earlier time, of which `count` and `log` are looked at, kept where whoever can replace the file cannot. Without it
     * nothing in an old copy of the file shows that it is old. NULL for none.
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
 * `kid`, `kid_len`: which of the actor's keys this is, 1 to 1024 bytes of UTF-8; NULL and 0 for the kid that is derived
 * from the public key.
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
 * Frees a key and wipes its secret. Replicas that were opened with it have their own copy. NULL is allowed. Any thread,
 * while no other uses the key. Since ABI 1.
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
 * `POLICYSYNC_ERR_ARGUMENT`, `POLICYSYNC_ERR_VERSION` (if a `struct_size` is so small that `destroy` is not in it, that
 * struct is not taken over), `POLICYSYNC_ERR_UNSUPPORTED` (threads, a path), `POLICYSYNC_ERR_IDENTIFIER` (a name),
 * `POLICYSYNC_ERR_KEY` and `POLICYSYNC_ERR_KEY_TAKEN` (`err` tells which of `options.keys`), `POLICYSYNC_ERR_CRYPTO` or
 * `POLICYSYNC_ERR_PANIC`. With a path also `POLICYSYNC_ERR_CALLBACK` (the clock), `POLICYSYNC_ERR_UNKNOWN_KEY` (of
 * operation number `op_index` in the file: name the key in `options.keys`), `POLICYSYNC_ERR_WRONG_SPACE`,
 * `POLICYSYNC_ERR_NOT_A_STORE`, `POLICYSYNC_ERR_NEWER`, `POLICYSYNC_ERR_ROLLED_BACK`,
 * `POLICYSYNC_ERR_RESTORED_BACKUP` or a store failure. Any thread. Since ABI 1.
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
 * Deletes a field: stamps, signs and admits an operation, and hands it out, to be sent to others. A later set brings the
 * field back.
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
 * `outcome`, `outcome_size`: what became of it: room for so many bytes, `sizeof(policysync_outcome)`. Written only when
 * the operation is not refused. NULL if it is not wanted.
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
 * `ops`, `ops_stride`, `count`: the operations, `ops_stride` bytes from one to the next: `sizeof(policysync_bytes)`, or
 * the size of a struct of yours that begins with one. Borrowed for the call.
 * `outcomes`, `outcomes_stride`: what became of each: room for `count` of them, `outcomes_stride` bytes from one to the
 * next: `sizeof(policysync_outcome)`, or the size of a struct of yours that begins with one. Written only when the call
 * succeeds. NULL if they are not wanted.
 * `err`: may be NULL. On any failure nothing of the batch is kept.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL` (`err` tells which element), `POLICYSYNC_ERR_ARGUMENT`,
 * `POLICYSYNC_ERR_VERSION` (a stride is too small), `POLICYSYNC_ERR_CLOCK`, `POLICYSYNC_ERR_ABORTED`,
 * `POLICYSYNC_ERR_CALLBACK`, `POLICYSYNC_ERR_FULL`, a store failure, `POLICYSYNC_ERR_BUSY` or `POLICYSYNC_ERR_PANIC`. Any
 * thread. Since ABI 1.
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
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_NOT_FOUND` (there was none yet), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
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
 * Returns `POLICYSYNC_OK` (it has), `POLICYSYNC_NOT_FOUND` (it has not), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
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
 * cannot write into it as an actor whose operations are in it (`POLICYSYNC_ERR_RESTORED_BACKUP`), because that actor may
 * have written more since, and would use the same timestamps again.
 *
 * `path`, `path_len`: where the copy goes; as `path` of `policysync_replica_options`. Borrowed for the call.
 * `err`: may be NULL. On any failure there is no copy.
 *
 * Returns `POLICYSYNC_OK`, `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (the path, or the replica is in memory),
 * `POLICYSYNC_ERR_EXISTS`, `POLICYSYNC_ERR_NOT_A_STORE` (the path names no file), a store failure, `POLICYSYNC_ERR_BUSY` or
 * `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_replica_back_up(struct policysync_replica *POLICYSYNC_NONNULL replica,
                                             const char *POLICYSYNC_NULLABLE path,
                                             size_t path_len,
                                             struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Checks a file that nobody has open, without changing what it holds: everything, not only up to the first fault.
 *
 * `options`: those that the replica would be opened with. `path` is required; `space`, `seal_key`, `keys` and `key` are
 * looked at; the callbacks are not, and are not taken over. Borrowed for the call.
 * `report`: what was found; its `struct_size` is set by the caller.
 * `findings`: a JSON array of `{"place":"operation","arrival":3,"damage":"hash","text":"the operation has another
 * hash"}`, empty where nothing is wrong. `place` is `file`, `schema`, `description`, `seal` or `operation`; only the last
 * has an `arrival`, the operation's number. `damage` is `malformed`, `check`, `empty`, `missing`, `unexpected`, `decode`,
 * `hash`, `duplicate`, `space`, `signature`, `unknown_key` or `seal`. NULL if it is not wanted.
 * `err`: may be NULL.
 *
 * Returns `POLICYSYNC_OK` (**also where something is wrong**), `POLICYSYNC_ERR_NULL`, `POLICYSYNC_ERR_ARGUMENT` (also for
 * no path), `POLICYSYNC_ERR_VERSION`, `POLICYSYNC_ERR_IDENTIFIER`, `POLICYSYNC_ERR_KEY`, `POLICYSYNC_ERR_KEY_TAKEN`,
 * `POLICYSYNC_ERR_UNSUPPORTED` (built without the feature `sqlite`), `POLICYSYNC_ERR_WRONG_SPACE`,
 * `POLICYSYNC_ERR_NOT_A_STORE`, `POLICYSYNC_ERR_NEWER`, a store failure, `POLICYSYNC_ERR_CRYPTO` or
 * `POLICYSYNC_ERR_PANIC`. Any thread. Since ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_store_verify(const struct policysync_replica_options *POLICYSYNC_NONNULL options,
                                          struct policysync_store_report *POLICYSYNC_NONNULL report,
                                          struct policysync_buffer *POLICYSYNC_NULLABLE findings,
                                          struct policysync_error *POLICYSYNC_NULLABLE err);

/**
 * Writes every operation of a damaged file that verifies into a new store, in the order of arrival, and says what is
 * lost. Positions in the old store mean nothing in the new one, which has no seal yet. What was lost may be operations of
 * the device's own actor: it should go on as a new one.
 *
 * `options`: as in `policysync_store_verify`.
 * `to`, `to_len`: where the new store goes; as `path` of the options. Borrowed for the call.
 * `report`, `findings`: as in `policysync_store_verify`. What is found at an operation is the reason why it is not in the
 * new store.
 * `err`: may be NULL. When the call fails on the way, the new store holds what was written until then.
 *
 * Returns what `policysync_store_verify` does, and `POLICYSYNC_ERR_EXISTS` (there is a file at `to`). Any thread. Since
 * ABI 1.
 */
POLICYSYNC_API
policysync_status policysync_store_salvage(const struct policysync_replica_options *POLICYSYNC_NONNULL options,
                                           const char *POLICYSYNC_NULLABLE to,
                                           size_t to_len,
                                           struct policysync_store_report *POLICYSYNC_NONNULL report,
                                           struct policysync_buffer *POLICYSYNC_NULLABLE findings,
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
