/* Handles may be freed in any order. */
#include "check.h"

static int destroyed;

static policysync_status admit(void *ctx, const policysync_op *ops, size_t stride, size_t count, int32_t *verdicts) {
    size_t n;
    (void)ctx;
    (void)ops;
    (void)stride;
    for (n = 0; n < count; n++) {
        verdicts[n] = POLICYSYNC_ADMIT;
    }
    return 0;
}

static void count(void *ctx) {
    (void)ctx;
    destroyed++;
}

void test_order(void) {
    policysync_guard guard = {sizeof guard, 0, NULL, admit, count};
    policysync_replica_options options;
    policysync_replica *replica = NULL;
    policysync_key *key = key_of("alice", 1);
    policysync_cursor *one = NULL;
    policysync_cursor *two = NULL;
    policysync_field title = title_of("t1");
    policysync_op op;
    size_t found = 0;

    EXPECT(POLICYSYNC_OK, policysync_replica_options_init(&options, sizeof options));
    options.key = key;
    options.guard = &guard;
    EXPECT(POLICYSYNC_OK, policysync_replica_open(&options, &replica, NULL));
    /* Borrowed arguments are no longer needed. */
    memset(&guard, 0x55, sizeof guard);
    memset(&options, 0x55, sizeof options);
    policysync_key_free(key);

    EXPECT(POLICYSYNC_OK, policysync_replica_set(replica, NOW, &title, "1", 1, 0, NULL, NULL));
    EXPECT(POLICYSYNC_OK, policysync_cursor_open(replica, 0, &one, NULL));
    EXPECT(POLICYSYNC_OK, policysync_cursor_open(replica, 0, &two, NULL));

    /* The replica is freed before its cursors. */
    policysync_replica_free(replica);
    CHECK(destroyed == 0);
    EXPECT(POLICYSYNC_OK, policysync_cursor_next(one, &op, sizeof op, 1, &found, NULL));
    CHECK(found == 1 && op.value.len == 1);
    policysync_cursor_free(one);
    CHECK(destroyed == 0);
    EXPECT(POLICYSYNC_OK, policysync_cursor_next(two, &op, sizeof op, 1, &found, NULL));
    policysync_cursor_free(two);
    CHECK(destroyed == 1);
}
