/* Guard, clock and observer: their arguments, their results, and that each context is destroyed once. */
#include "check.h"

/* The behaviour of a callback, and a record of its calls. */
struct script {
    policysync_replica *replica;
    policysync_status result;
    int32_t verdict;
    int free_it;
    uint64_t now;
    int calls;
    int destroyed;
    size_t ops;
    policysync_status reentry;
};

static void destroy(void *ctx) { ((struct script *)ctx)->destroyed++; }

/* Every function of the replica that it calls returns ERR_BUSY. */
static void reenter(struct script *script) {
    policysync_buffer text = POLICYSYNC_BUFFER_INIT;
    policysync_field title = title_of("t1");
    policysync_cursor *cursor = NULL;
    policysync_op op;
    uint64_t number;
    size_t count;
    if (script->replica == NULL) {
        return;
    }
    script->reentry = policysync_replica_get(script->replica, &title, &text, NULL);
    EXPECT(POLICYSYNC_ERR_BUSY, policysync_replica_set(script->replica, NOW, &title, "1", 1, 0, NULL, NULL));
    EXPECT(POLICYSYNC_ERR_BUSY, policysync_replica_delete(script->replica, NOW, &title, 0, NULL, NULL));
    EXPECT(POLICYSYNC_ERR_BUSY, policysync_replica_ingest(script->replica, NOW, "{}", 2, NULL, 0, NULL));
    EXPECT(POLICYSYNC_ERR_BUSY, policysync_replica_poll(script->replica, NOW, &text, NULL));
    EXPECT(POLICYSYNC_ERR_BUSY, policysync_replica_position(script->replica, &number, NULL));
    EXPECT(POLICYSYNC_ERR_BUSY, policysync_replica_next_due(script->replica, &number, NULL));
    EXPECT(POLICYSYNC_ERR_BUSY, policysync_replica_has_changes(script->replica, NULL));
    EXPECT(POLICYSYNC_ERR_BUSY, policysync_replica_actor(script->replica, &text, NULL));
    EXPECT(POLICYSYNC_ERR_BUSY, policysync_replica_back_up(script->replica, "x", 1, NULL));
    EXPECT(POLICYSYNC_OK, policysync_cursor_open(script->replica, 0, &cursor, NULL));
    EXPECT(POLICYSYNC_ERR_BUSY, policysync_cursor_next(cursor, &op, sizeof op, 1, &count, NULL));
    policysync_cursor_free(cursor);
    CHECK(text.data == NULL);
    if (script->free_it) {
        policysync_replica_free(script->replica);
        script->replica = NULL;
        CHECK(script->destroyed == 0);
    }
}

static policysync_status judge(void *ctx, const policysync_op *ops, size_t stride, size_t count, int32_t *verdicts) {
    struct script *script = ctx;
    size_t n;
    script->calls++;
    script->ops += count;
    for (n = 0; n < count; n++) {
        const policysync_op *op = (const policysync_op *)(const void *)((const char *)ops + n * stride);
        CHECK(op->struct_size == sizeof *op && op->actor.len == 5 && memcmp(op->actor.data, "alice", 5) == 0);
        CHECK(verdicts[n] == 0);
        verdicts[n] = script->verdict;
    }
    reenter(script);
    return script->result;
}

static policysync_status tell_time(void *ctx, uint64_t *out_ms) {
    struct script *script = ctx;
    script->calls++;
    reenter(script);
    *out_ms = script->now;
    return script->result;
}

static void notice(void *ctx) {
    struct script *script = ctx;
    script->calls++;
    reenter(script);
}

struct callbacks {
    policysync_guard guard;
    policysync_clock clock;
    policysync_observer observer;
    policysync_replica_options options;
};

static void prepare(struct callbacks *callbacks, struct script *of_guard, struct script *of_clock, struct script *of_observer) {
    policysync_guard guard = {sizeof guard, 0, NULL, judge, destroy};
    policysync_clock clock = {sizeof clock, 0, NULL, tell_time, destroy};
    policysync_observer observer = {sizeof observer, 0, NULL, notice, destroy};
    guard.ctx = of_guard;
    clock.ctx = of_clock;
    observer.ctx = of_observer;
    callbacks->guard = guard;
    callbacks->clock = clock;
    callbacks->observer = observer;
    EXPECT(POLICYSYNC_OK, policysync_replica_options_init(&callbacks->options, sizeof callbacks->options));
    callbacks->options.guard = of_guard == NULL ? NULL : &callbacks->guard;
    callbacks->options.clock = of_clock == NULL ? NULL : &callbacks->clock;
    callbacks->options.observer = of_observer == NULL ? NULL : &callbacks->observer;
}

static void test_the_guard(void) {
    struct script script = {NULL, 0, POLICYSYNC_ADMIT, 0, 0, 0, 0, 0, 0};
    struct callbacks callbacks;
    policysync_replica *alice = replica_of("alice", 1);
    policysync_replica *bob = NULL;
    policysync_buffer ops[3] = {POLICYSYNC_BUFFER_INIT, POLICYSYNC_BUFFER_INIT, POLICYSYNC_BUFFER_INIT};
    policysync_bytes batch[3];
    policysync_outcome outcomes[3];
    policysync_error error = POLICYSYNC_ERROR_INIT;
    policysync_field title = title_of("t1");
    int32_t unknown;
    int n;

    for (n = 0; n < 3; n++) {
        EXPECT(POLICYSYNC_OK, policysync_replica_set(alice, NOW, &title, "1", 1, POLICYSYNC_BINARY, &ops[n], NULL));
        batch[n].data = ops[n].data;
        batch[n].len = ops[n].len;
    }
    prepare(&callbacks, &script, NULL, NULL);
    EXPECT(POLICYSYNC_OK, policysync_replica_open(&callbacks.options, &bob, NULL));
    introduce(bob, "alice", 1);

    /* The guard is not asked about an operation without a valid signature. */
    EXPECT(POLICYSYNC_ERR_MALFORMED, policysync_replica_ingest(bob, NOW, "{}", 2, NULL, 0, NULL));
    CHECK(script.calls == 0);

    script.verdict = POLICYSYNC_REJECT;
    EXPECT(POLICYSYNC_ERR_DENIED, policysync_replica_ingest(bob, NOW, batch[0].data, batch[0].len, NULL, 0, &error));
    CHECK(strcmp(error.message, "the guard refused the operation") == 0);
    script.verdict = POLICYSYNC_ABORT;
    EXPECT(POLICYSYNC_ERR_ABORTED,
           policysync_replica_ingest_many(bob, NOW, batch, sizeof batch[0], 3, outcomes, sizeof outcomes[0], &error));
    for (unknown = -1; unknown <= 4; unknown++) {
        if (unknown >= POLICYSYNC_ADMIT && unknown <= POLICYSYNC_ABORT) {
            continue;
        }
        script.verdict = unknown;
        EXPECT(POLICYSYNC_ERR_CALLBACK,
               policysync_replica_ingest(bob, NOW, batch[0].data, batch[0].len, NULL, 0, &error));
        CHECK(strstr(error.message, "the guard's verdict is ") != NULL);
    }
    script.verdict = POLICYSYNC_ADMIT;
    script.result = 7;
    EXPECT(POLICYSYNC_ERR_CALLBACK, policysync_replica_ingest(bob, NOW, batch[0].data, batch[0].len, NULL, 0, &error));
    CHECK(strcmp(error.message, "the guard failed with status 7") == 0);
    script.result = 0;

    /* A batch causes one call, and the guard may not enter the replica again. */
    script.calls = 0;
    script.ops = 0;
    script.replica = bob;
    EXPECT(POLICYSYNC_OK,
           policysync_replica_ingest_many(bob, NOW, batch, sizeof batch[0], 3, outcomes, sizeof outcomes[0], &error));
    CHECK(script.calls == 1 && script.ops == 3 && script.reentry == POLICYSYNC_ERR_BUSY);
    CHECK(outcomes[2].status == POLICYSYNC_OK && outcomes[2].effect == POLICYSYNC_WON);

    CHECK(script.destroyed == 0);
    policysync_replica_free(bob);
    CHECK(script.destroyed == 1);
    for (n = 0; n < 3; n++) {
        policysync_buffer_dispose(&ops[n]);
    }
    policysync_replica_free(alice);
}

static void test_clock_and_observer(void) {
    struct script clock = {NULL, 0, 0, 0, NOW, 0, 0, 0, 0};
    struct script observer = {NULL, 0, 0, 0, 0, 0, 0, 0, 0};
    struct callbacks callbacks;
    policysync_key *key = key_of("alice", 1);
    policysync_replica *alice = NULL;
    policysync_field title = title_of("t1");
    policysync_buffer text = POLICYSYNC_BUFFER_INIT;
    policysync_error error = POLICYSYNC_ERROR_INIT;

    prepare(&callbacks, NULL, &clock, &observer);
    callbacks.options.key = key;
    EXPECT(POLICYSYNC_OK, policysync_replica_open(&callbacks.options, &alice, NULL));
    policysync_key_free(key);

    EXPECT(POLICYSYNC_OK, policysync_replica_set(alice, POLICYSYNC_NOW, &title, "1", 1, POLICYSYNC_JSON, &text, NULL));
    CHECK(mentions(&text, "\"t\":1760000000000}") && clock.calls == 1 && observer.calls == 1);
    EXPECT(POLICYSYNC_OK, policysync_replica_set(alice, NOW + 1, &title, "1", 1, 0, NULL, NULL));
    CHECK(clock.calls == 1 && observer.calls == 2);
    EXPECT(POLICYSYNC_OK, policysync_replica_poll(alice, POLICYSYNC_NOW, &text, NULL));
    CHECK(clock.calls == 2 && observer.calls == 2);
    EXPECT(POLICYSYNC_ERR_MALFORMED, policysync_replica_ingest(alice, POLICYSYNC_NOW, "{}", 2, NULL, 0, NULL));
    CHECK(observer.calls == 2);

    clock.result = -5;
    EXPECT(POLICYSYNC_ERR_CALLBACK, policysync_replica_set(alice, POLICYSYNC_NOW, &title, "1", 1, 0, NULL, &error));
    CHECK(strcmp(error.message, "the clock failed with status -5") == 0);
    EXPECT(POLICYSYNC_ERR_CALLBACK, policysync_replica_poll(alice, POLICYSYNC_NOW, &text, &error));
    clock.result = 0;
    clock.now = UINT64_MAX;
    EXPECT(POLICYSYNC_ERR_CLOCK, policysync_replica_set(alice, POLICYSYNC_NOW, &title, "1", 1, 0, NULL, &error));
    clock.now = NOW;

    clock.replica = observer.replica = alice;
    EXPECT(POLICYSYNC_OK, policysync_replica_set(alice, POLICYSYNC_NOW, &title, "2", 1, 0, NULL, NULL));
    CHECK(clock.reentry == POLICYSYNC_ERR_BUSY && observer.reentry == POLICYSYNC_ERR_BUSY);

    /* A replica freed by its own callback lives until the call returns. */
    observer.free_it = 1;
    EXPECT(POLICYSYNC_OK, policysync_replica_set(alice, NOW, &title, "3", 1, POLICYSYNC_JSON, &text, NULL));
    CHECK(clock.destroyed == 1 && observer.destroyed == 1);
    policysync_buffer_dispose(&text);
}

static void test_that_destroy_is_called_once_when_opening_fails(void) {
    struct script scripts[3];
    struct callbacks callbacks;
    policysync_replica *replica = NULL;
    policysync_key *key = key_of("alice", 1);
    int way;

    for (way = 0; way < 13; way++) {
        policysync_status expected = POLICYSYNC_ERR_ARGUMENT;
        int of_guard = 1, of_clock = 1, of_observer = 1;
        memset(scripts, 0, sizeof scripts);
        prepare(&callbacks, &scripts[0], &scripts[1], &scripts[2]);
        switch (way) {
        case 0:
            callbacks.options.flags = 4;
            break;
        case 1:
            callbacks.options.reserved = 1;
            break;
        case 2:
            callbacks.options.space = bytes_of("\n");
            expected = POLICYSYNC_ERR_IDENTIFIER;
            break;
        case 3:
            callbacks.guard.check = NULL;
            expected = POLICYSYNC_ERR_NULL;
            break;
        case 4:
            callbacks.clock.now_ms = NULL;
            expected = POLICYSYNC_ERR_NULL;
            break;
        case 5:
            callbacks.observer.changed = NULL;
            expected = POLICYSYNC_ERR_NULL;
            break;
        case 6:
            callbacks.guard.reserved = 1;
            break;
        case 7:
            callbacks.clock.reserved = 1;
            break;
        case 8:
            callbacks.observer.reserved = 1;
            break;
        case 9:
            /* A struct_size too small to contain `destroy`: the context is not taken over. */
            callbacks.guard.struct_size = 8;
            of_guard = 0;
            expected = POLICYSYNC_ERR_VERSION;
            break;
        case 10:
            callbacks.clock.struct_size = 0;
            of_clock = 0;
            expected = POLICYSYNC_ERR_VERSION;
            break;
        case 11:
            callbacks.options.space = bytes_of("\xff");
            break;
        default:
            expected = POLICYSYNC_ERR_NULL;
            break;
        }
        callbacks.options.key = key;
        EXPECT(expected, policysync_replica_open(&callbacks.options, way == 12 ? nothing() : &replica, NULL));
        CHECK(replica == NULL);
        CHECK(scripts[0].destroyed == of_guard && scripts[1].destroyed == of_clock);
        CHECK(scripts[2].destroyed == of_observer);
    }
    policysync_key_free(key);
}

static void test_a_context_that_is_handed_over_twice(void) {
    struct script script = {NULL, 0, POLICYSYNC_ADMIT, 0, NOW, 0, 0, 0, 0};
    struct callbacks callbacks;
    policysync_replica *one = NULL;
    policysync_replica *two = NULL;
    prepare(&callbacks, &script, &script, NULL);
    EXPECT(POLICYSYNC_OK, policysync_replica_open(&callbacks.options, &one, NULL));
    callbacks.options.clock = NULL;
    EXPECT(POLICYSYNC_OK, policysync_replica_open(&callbacks.options, &two, NULL));
    policysync_replica_free(one);
    CHECK(script.destroyed == 2);
    policysync_replica_free(two);
    CHECK(script.destroyed == 3);

    /* `destroy` may be NULL. */
    callbacks.guard.destroy = NULL;
    EXPECT(POLICYSYNC_OK, policysync_replica_open(&callbacks.options, &one, NULL));
    policysync_replica_free(one);
    CHECK(script.destroyed == 3);
}

void test_callbacks(void) {
    test_the_guard();
    test_clock_and_observer();
    test_that_destroy_is_called_once_when_opening_fails();
    test_a_context_that_is_handed_over_twice();
}
