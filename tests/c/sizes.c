/* Structs of an older, smaller size and of a newer, larger one. */
#include "check.h"

/* Structs with a member of a later version. */
struct later_options {
    policysync_replica_options options;
    uint64_t more[2];
};

/* The options of a program that was compiled before files existed, followed by other memory. */
struct earlier_options {
    uint32_t struct_size, flags;
    uint64_t max_drift_ms;
    uint32_t threads, reserved;
    const policysync_key *key;
    policysync_bytes space;
    const policysync_guard *guard;
    const policysync_clock *clock;
    const policysync_observer *observer;
};

struct earlier_memory {
    struct earlier_options options;
    char other[sizeof(policysync_replica_options)];
};

struct later_op {
    policysync_op op;
    uint64_t more;
};

struct later_digest {
    policysync_digest digest;
    uint64_t more;
};

struct later_guard {
    policysync_guard guard;
    uint64_t more;
};

struct later_outcome {
    policysync_outcome outcome;
    uint64_t more;
};

static int destroyed;

static policysync_status check_nothing(void *ctx, const policysync_op *ops, size_t stride, size_t count,
                                       int32_t *verdicts) {
    (void)ctx;
    (void)ops;
    (void)stride;
    (void)count;
    (void)verdicts;
    return 0;
}

static void count_destroyed(void *ctx) {
    (void)ctx;
    destroyed++;
}

static void test_guards(void) {
    struct later_guard later;
    policysync_replica_options options;
    policysync_replica *replica = NULL;

    memset(&later, 0, sizeof later);
    later.guard.struct_size = sizeof later;
    later.guard.check = check_nothing;
    later.guard.destroy = count_destroyed;
    EXPECT(POLICYSYNC_OK, policysync_replica_options_init(&options, sizeof options));
    options.guard = &later.guard;
    EXPECT(POLICYSYNC_OK, policysync_replica_open(&options, &replica, NULL));
    policysync_replica_free(replica);
    CHECK(destroyed == 1);
    /* A later version's guard is not understood, but its context is destroyed. */
    later.more = 1;
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_replica_open(&options, &replica, NULL));
    CHECK(destroyed == 2);
}

static void test_options(void) {
    struct later_options later;
    policysync_replica_options options;
    policysync_replica *replica = NULL;
    policysync_error error = POLICYSYNC_ERROR_INIT;

    /* The library initializes the caller's whole struct, also members that it does not have. */
    memset(&later, 0x55, sizeof later);
    EXPECT(POLICYSYNC_OK, policysync_replica_options_init(&later.options, sizeof later));
    CHECK(later.options.struct_size == sizeof later && later.more[0] == 0 && later.more[1] == 0);
    EXPECT(POLICYSYNC_OK, policysync_replica_open(&later.options, &replica, NULL));
    policysync_replica_free(replica);
    later.more[1] = 1;
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_replica_open(&later.options, &replica, &error));
    CHECK(strstr(error.message, "does not have") != NULL && replica == NULL);

    /* Memory after an older program's struct is not read. */
    memset(&options, 0x55, sizeof options);
    EXPECT(POLICYSYNC_OK, policysync_replica_options_init(&options, 16));
    CHECK(options.struct_size == 16 && options.flags == 0 && options.threads == 0x55555555);
    EXPECT(POLICYSYNC_OK, policysync_replica_open(&options, &replica, NULL));
    policysync_replica_free(replica);

    {
        struct earlier_memory earlier;
        policysync_key *key = key_of("alice", 1);
        policysync_field title = title_of("t1");
        policysync_buffer text = POLICYSYNC_BUFFER_INIT;
        CHECK(sizeof earlier.options < sizeof options);
        memset(&earlier, 0x55, sizeof earlier);
        EXPECT(POLICYSYNC_OK, policysync_replica_options_init((policysync_replica_options *)(void *)&earlier.options,
                                                              sizeof earlier.options));
        CHECK(earlier.options.observer == NULL && earlier.other[0] == 0x55);
        earlier.options.key = key;
        earlier.options.space = bytes_of("home");
        EXPECT(POLICYSYNC_OK, policysync_replica_open((policysync_replica_options *)(void *)&earlier.options, &replica,
                                                      &error));
        EXPECT(POLICYSYNC_OK, policysync_replica_set(replica, NOW, &title, "1", 1, POLICYSYNC_JSON, &text, &error));
        CHECK(mentions(&text, "\"space\":\"home\""));
        EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_replica_back_up(replica, "x", 1, &error));
        CHECK(strcmp(error.message, "the replica is not in a file") == 0);
        policysync_replica_free(replica);
        policysync_key_free(key);
        policysync_buffer_dispose(&text);
    }

    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_replica_options_init(&options, 7));
    options.struct_size = 7;
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_replica_open(&options, &replica, &error));
    options.struct_size = 12;
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_replica_open(&options, &replica, &error));
    options.struct_size = 0;
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_replica_open(&options, &replica, &error));
}

static void test_operations(void) {
    policysync_replica *alice = replica_of("alice", 1);
    policysync_key *key = key_of("alice", 1);
    policysync_field title = title_of("t1");
    policysync_cursor *cursor = NULL;
    policysync_buffer text = POLICYSYNC_BUFFER_INIT;
    struct later_outcome outcome;
    struct later_op ops[2];
    struct later_op op;
    size_t count = 0;

    EXPECT(POLICYSYNC_OK, policysync_replica_set(alice, NOW, &title, "1", 1, 0, NULL, NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_set(alice, NOW, &title, "2", 1, 0, NULL, NULL));
    EXPECT(POLICYSYNC_OK, policysync_cursor_open(alice, 0, &cursor, NULL));
    memset(ops, 0x55, sizeof ops);
    EXPECT(POLICYSYNC_OK, policysync_cursor_next(cursor, &ops[0].op, sizeof ops[0], 2, &count, NULL));
    CHECK(count == 2 && ops[1].op.c == 1);
    /* A newer program finds its later members unchanged. */
    CHECK(ops[1].op.struct_size == sizeof(policysync_op) && ops[1].more == UINT64_C(0x5555555555555555));

    EXPECT(POLICYSYNC_OK, policysync_replica_export(alice, 0, 1, POLICYSYNC_JSON, &text, NULL, NULL));
    memset(&outcome, 0x55, sizeof outcome);
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_replica_ingest(alice, NOW, text.data, text.len, &outcome.outcome,
                                                             sizeof outcome.outcome - 1, NULL));
    EXPECT(POLICYSYNC_DUPLICATE, policysync_replica_ingest(alice, NOW, text.data, text.len, &outcome.outcome,
                                                           sizeof outcome, NULL));
    CHECK(outcome.outcome.status == POLICYSYNC_DUPLICATE && outcome.more == UINT64_C(0x5555555555555555));

    op.op = ops[1].op;
    op.more = 0;
    op.op.struct_size = sizeof op;
    EXPECT(POLICYSYNC_OK, policysync_op_sign(&op.op, key, POLICYSYNC_JSON, &text, NULL));
    op.more = 1;
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_op_sign(&op.op, key, POLICYSYNC_JSON, &text, NULL));
    op.op.struct_size = sizeof(policysync_op) - 8;
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_op_sign(&op.op, key, POLICYSYNC_JSON, &text, NULL));

    policysync_buffer_dispose(&text);
    policysync_cursor_free(cursor);
    policysync_key_free(key);
    policysync_replica_free(alice);
}

static void test_digests_and_errors(void) {
    policysync_replica *alice = replica_of("alice", 1);
    struct later_digest digest;
    policysync_error error;
    char *end;

    memset(&digest, 0x55, sizeof digest);
    digest.digest.struct_size = sizeof digest;
    EXPECT(POLICYSYNC_OK, policysync_replica_digest(alice, &digest.digest, NULL));
    CHECK(digest.digest.struct_size == sizeof digest && digest.digest.count == 0);
    CHECK(digest.more == UINT64_C(0x5555555555555555));
    digest.digest.struct_size = sizeof digest.digest - 1;
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_replica_digest(alice, &digest.digest, NULL));

    /* An older, shorter error is filled as far as it has room. */
    memset(&error, 0x55, sizeof error);
    error.struct_size = 32;
    EXPECT(POLICYSYNC_ERR_NULL, policysync_replica_digest(alice, nothing(), &error));
    CHECK(error.struct_size == 32 && error.status == POLICYSYNC_ERR_NULL);
    CHECK(strcmp(error.message, "digest is NULL") == 0 && error.message[16] == 0x55);
    error.struct_size = 26;
    EXPECT(POLICYSYNC_ERR_NULL, policysync_replica_digest(alice, nothing(), &error));
    CHECK(strcmp(error.message, "digest is") == 0);
    /* In a later, larger error the rest is unchanged. */
    error.struct_size = 1024;
    end = &error.message[sizeof error.message - 1];
    EXPECT(POLICYSYNC_ERR_NULL, policysync_replica_digest(alice, nothing(), &error));
    CHECK(*end == 0 && error.struct_size == 1024);
    /* A size of 0 is that of the first version. */
    {
        policysync_error zeroes[2] = { { 0 } };
        EXPECT(POLICYSYNC_ERR_NULL, policysync_replica_digest(alice, nothing(), &zeroes[0]));
        CHECK(zeroes[0].struct_size == 0 && zeroes[0].status == POLICYSYNC_ERR_NULL);
        CHECK(strcmp(zeroes[0].message, "digest is NULL") == 0 && sizeof zeroes[0] == 256);
        CHECK(zeroes[1].status == 0 && zeroes[1].message[0] == 0);
    }
    policysync_replica_free(alice);
}

void test_sizes(void) {
    test_options();
    test_guards();
    test_operations();
    test_digests_and_errors();
}
