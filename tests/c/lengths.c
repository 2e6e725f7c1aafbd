/* Lengths 0, 1, the maximum, one more, and more than the address space holds. */
#include "check.h"

static void test_names(void) {
    policysync_replica *alice = replica_of("alice", 1);
    policysync_field field = title_of("t1");
    policysync_error error = POLICYSYNC_ERROR_INIT;
    static char longest[1025];

    memset(longest, 'n', sizeof longest);
    field.path.data = longest;
    field.path.len = 1;
    EXPECT(POLICYSYNC_OK, policysync_replica_set(alice, NOW, &field, "1", 1, 0, NULL, &error));
    field.path.len = 1024;
    EXPECT(POLICYSYNC_OK, policysync_replica_set(alice, NOW, &field, "1", 1, 0, NULL, &error));
    field.path.len = 1025;
    EXPECT(POLICYSYNC_ERR_IDENTIFIER, policysync_replica_set(alice, NOW, &field, "1", 1, 0, NULL, &error));
    CHECK(strcmp(error.message, "path has 1025 bytes, the limit is 1024") == 0);
    field.path.len = SIZE_MAX;
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_replica_set(alice, NOW, &field, "1", 1, 0, NULL, &error));
    /* With length 0 the pointer is not read. */
    field.path.len = 0;
    field.path.data = NULL;
    EXPECT(POLICYSYNC_ERR_IDENTIFIER, policysync_replica_set(alice, NOW, &field, "1", 1, 0, NULL, &error));
    policysync_replica_free(alice);
}

static void test_values(void) {
    enum { HUGE_LEN = 2 * 1024 * 1024 };
    policysync_replica *alice = replica_of("alice", 1);
    policysync_field title = title_of("t1");
    char *huge = malloc(HUGE_LEN);

    CHECK(huge != NULL);
    memset(huge, 'x', HUGE_LEN);
    huge[0] = huge[HUGE_LEN - 1] = '"';
    EXPECT(POLICYSYNC_ERR_TOO_LARGE, policysync_replica_set(alice, NOW, &title, huge, HUGE_LEN, 0, NULL, NULL));
    huge[1024 * 1023] = '"';
    EXPECT(POLICYSYNC_OK, policysync_replica_set(alice, NOW, &title, huge, 1024 * 1023 + 1, 0, NULL, NULL));
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_replica_set(alice, NOW, &title, huge, SIZE_MAX, 0, NULL, NULL));
    EXPECT(POLICYSYNC_ERR_MALFORMED, policysync_replica_ingest(alice, NOW, huge, HUGE_LEN, NULL, 0, NULL));
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_replica_ingest(alice, NOW, huge, SIZE_MAX, NULL, 0, NULL));
    free(huge);
    policysync_replica_free(alice);
}

static void test_no_bytes(void) {
    policysync_replica *alice = replica_of("alice", 1);
    policysync_buffer text = POLICYSYNC_BUFFER_INIT;
    policysync_bytes empty = {NULL, 0};
    policysync_outcome outcome;
    uint64_t count = 77;
    uint8_t hash[32];

    EXPECT(POLICYSYNC_ERR_MALFORMED, policysync_replica_ingest(alice, NOW, NULL, 0, NULL, 0, NULL));
    EXPECT(POLICYSYNC_OK,
           policysync_replica_ingest_many(alice, NOW, &empty, sizeof empty, 1, &outcome, sizeof outcome, NULL));
    CHECK(outcome.status == POLICYSYNC_ERR_MALFORMED);
    EXPECT(POLICYSYNC_ERR_ARGUMENT,
           policysync_replica_ingest_many(alice, NOW, &empty, sizeof empty, SIZE_MAX, NULL, 0, NULL));
    EXPECT(POLICYSYNC_NOT_FOUND, policysync_replica_entity(alice, NULL, 0, NULL, 0, &text, NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_count_entities(alice, NULL, 0, NULL, 0, &count, NULL));
    CHECK(count == 0);
    EXPECT(POLICYSYNC_OK, policysync_sha256(NULL, 0, hash, NULL));
    CHECK(hash[0] == 0xe3 && hash[31] == 0x55);
    policysync_buffer_dispose(&text);
    policysync_replica_free(alice);
}

void test_lengths(void) {
    test_names();
    test_values();
    test_no_bytes();
}
