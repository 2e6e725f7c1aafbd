/* Many operations at once, cursors, export, digests, forks. */
#include "check.h"

enum { MANY = 100 };

/* A struct of ours that begins with one of the library's. */
struct labelled_bytes {
    policysync_bytes op;
    int number;
};

struct labelled_outcome {
    policysync_outcome outcome;
    int number;
};

static policysync_replica *full(void) {
    policysync_replica *alice = replica_of("alice", 1);
    int n;
    for (n = 0; n < MANY; n++) {
        char id[16];
        policysync_field title;
        snprintf(id, sizeof id, "t%03d", n);
        title = title_of(id);
        EXPECT(POLICYSYNC_OK, policysync_replica_set(alice, NOW, &title, "true", 4, 0, NULL, NULL));
    }
    return alice;
}

static int equal(policysync_replica *a, policysync_replica *b) {
    policysync_digest of_a, of_b;
    of_a.struct_size = of_b.struct_size = sizeof of_a;
    EXPECT(POLICYSYNC_OK, policysync_replica_digest(a, &of_a, NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_digest(b, &of_b, NULL));
    CHECK(of_a.struct_size == sizeof of_a && of_a.reserved == 0);
    return memcmp(&of_a, &of_b, sizeof of_a) == 0;
}

static void test_many_at_once(void) {
    policysync_replica *alice = full();
    policysync_replica *bob = replica_of("bob", 2);
    policysync_buffer lines = POLICYSYNC_BUFFER_INIT;
    struct labelled_bytes ops[MANY + 2];
    struct labelled_outcome outcomes[MANY + 2];
    policysync_error error = POLICYSYNC_ERROR_INIT;
    uint64_t next = 0;
    char *line;
    size_t n, count = 0;

    introduce(bob, "alice", 1);
    CHECK(!equal(alice, bob));
    EXPECT(POLICYSYNC_OK, policysync_replica_export(alice, 0, 0, POLICYSYNC_JSON, &lines, &next, NULL));
    CHECK(next == MANY);
    for (line = strtok((char *)lines.data, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        ops[count].op = bytes_of(line);
        ops[count].number = (int)count;
        count++;
    }
    CHECK(count == MANY);
    ops[MANY] = ops[0];
    ops[MANY + 1].op = bytes_of("{}");
    memset(outcomes, 0x77, sizeof outcomes);

    /* An invalid element fails the call, and nothing is kept. */
    ops[5].op.data = NULL;
    EXPECT(POLICYSYNC_ERR_NULL, policysync_replica_ingest_many(bob, NOW, &ops[0].op, sizeof ops[0], MANY, NULL, 0, &error));
    CHECK(error.op_index == 5);
    ops[5] = ops[4];

    EXPECT(POLICYSYNC_OK,
           policysync_replica_ingest_many(bob, NOW, &ops[0].op, sizeof ops[0], MANY + 2, &outcomes[0].outcome,
                                          sizeof outcomes[0], &error));
    for (n = 0; n < MANY; n++) {
        CHECK(outcomes[n].outcome.status == (n == 5 ? POLICYSYNC_DUPLICATE : POLICYSYNC_OK));
        CHECK(outcomes[n].number == 0x77777777);
    }
    CHECK(outcomes[MANY].outcome.status == POLICYSYNC_DUPLICATE);
    CHECK(outcomes[MANY + 1].outcome.status == POLICYSYNC_ERR_MALFORMED);
    CHECK(!equal(alice, bob));

    /* The missing operation, then all again without outcomes. */
    EXPECT(POLICYSYNC_OK, policysync_replica_export(alice, 5, 1, POLICYSYNC_BINARY, &lines, &next, NULL));
    CHECK(next == 6 && lines.len > 4);
    CHECK(lines.data[0] == ((lines.len - 4) & 0xff) && lines.data[1] == ((lines.len - 4) >> 8));
    EXPECT(POLICYSYNC_OK, policysync_replica_ingest(bob, NOW, lines.data + 4, lines.len - 4, NULL, 0, NULL));
    CHECK(equal(alice, bob));
    EXPECT(POLICYSYNC_OK, policysync_replica_export(alice, MANY, 0, POLICYSYNC_BINARY, &lines, NULL, NULL));
    CHECK(lines.len == 0);
    EXPECT(POLICYSYNC_OK, policysync_replica_export(alice, UINT64_MAX, 0, POLICYSYNC_BINARY, &lines, &next, NULL));
    CHECK(lines.len == 0 && next == UINT64_MAX);

    EXPECT(POLICYSYNC_OK, policysync_replica_ingest_many(bob, NOW, NULL, 0, 0, NULL, 0, NULL));
    EXPECT(POLICYSYNC_ERR_VERSION,
           policysync_replica_ingest_many(bob, NOW, &ops[0].op, sizeof ops[0].op - 1, 1, NULL, 0, NULL));
    EXPECT(POLICYSYNC_ERR_VERSION,
           policysync_replica_ingest_many(bob, NOW, &ops[0].op, sizeof ops[0], 1, &outcomes[0].outcome,
                                          sizeof(policysync_outcome) - 1, NULL));
    policysync_buffer_dispose(&lines);
    policysync_replica_free(alice);
    policysync_replica_free(bob);
}

static void test_cursors(void) {
    policysync_replica *alice = full();
    policysync_cursor *cursor = NULL;
    policysync_op ops[7];
    policysync_field title = title_of("last");
    policysync_status status;
    uint64_t position = 0;
    size_t count = 0, seen = 0;

    EXPECT(POLICYSYNC_OK, policysync_cursor_open(alice, 0, &cursor, NULL));
    while ((status = policysync_cursor_next(cursor, ops, sizeof ops[0], 7, &count, NULL)) == POLICYSYNC_OK) {
        size_t n;
        for (n = 0; n < count; n++, seen++) {
            char id[16];
            snprintf(id, sizeof id, "t%03u", (unsigned)seen);
            CHECK(ops[n].struct_size == sizeof ops[n] && ops[n].kind == POLICYSYNC_SET && ops[n].t == NOW);
            CHECK(ops[n].entity_id.len == 4 && memcmp(ops[n].entity_id.data, id, 4) == 0);
            CHECK(ops[n].scheme == POLICYSYNC_SCHEME_ED25519 && ops[n].proof.data != NULL && ops[n].proof.len == 64);
            CHECK(ops[n].actor.len == 5 && ops[n].value.len == 4 && ops[n].space.len == 0 && ops[n].label.len == 0);
        }
        EXPECT(POLICYSYNC_OK, policysync_cursor_position(cursor, &position, NULL));
        CHECK(position == seen);
    }
    CHECK(status == POLICYSYNC_DONE && seen == MANY);

    /* Operations that are appended later are found at the end. */
    EXPECT(POLICYSYNC_OK, policysync_replica_delete(alice, NOW, &title, 0, NULL, NULL));
    EXPECT(POLICYSYNC_OK, policysync_cursor_next(cursor, ops, sizeof ops[0], 7, &count, NULL));
    CHECK(count == 1 && ops[0].kind == POLICYSYNC_DELETE);
    EXPECT(POLICYSYNC_DONE, policysync_cursor_next(cursor, ops, sizeof ops[0], 7, &count, NULL));
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_cursor_next(cursor, ops, sizeof ops[0], 0, &count, NULL));
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_cursor_next(cursor, ops, sizeof ops[0] - 8, 1, &count, NULL));
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_cursor_next(cursor, ops, sizeof ops[0], SIZE_MAX / 2, &count, NULL));
    policysync_cursor_free(cursor);
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_cursor_open(alice, UINT64_MAX, &cursor, NULL));
    CHECK(cursor == NULL);
    EXPECT(POLICYSYNC_OK, policysync_replica_position(alice, &position, NULL));
    CHECK(position == MANY + 1);
    policysync_replica_free(alice);
}

static void test_forks(void) {
    policysync_replica *one = replica_of("alice", 1);
    policysync_replica *two = replica_of("alice", 1);
    policysync_field title = title_of("t1");
    policysync_buffer op = POLICYSYNC_BUFFER_INIT;
    policysync_outcome outcome;
    uint8_t zero[32] = {0};
    EXPECT(POLICYSYNC_OK, policysync_replica_set(one, NOW, &title, "1", 1, 0, NULL, NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_set(two, NOW, &title, "2", 1, POLICYSYNC_JSON, &op, NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_ingest(one, NOW, op.data, op.len, &outcome, sizeof outcome, NULL));
    CHECK(memcmp(outcome.equivocates_with, zero, 32) != 0);
    CHECK(outcome.effect == POLICYSYNC_WON || outcome.effect == POLICYSYNC_LOST);
    CHECK(memcmp(outcome.other, outcome.equivocates_with, 32) == 0);
    EXPECT(POLICYSYNC_OK, policysync_replica_forks(one, &op, NULL));
    CHECK(mentions(&op, "[{\"first\":{") && mentions(&op, "\"second\":{"));
    EXPECT(POLICYSYNC_OK, policysync_replica_explain(one, &title, &op, NULL));
    CHECK(mentions(&op, "\"rule\":\"hash\""));
    policysync_buffer_dispose(&op);
    policysync_replica_free(one);
    policysync_replica_free(two);
}

void test_log(void) {
    test_many_at_once();
    test_cursors();
    test_forks();
}
