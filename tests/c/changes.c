/* The changes since a position that is kept. */
#include "check.h"

enum { DAY = 86400000 };

static policysync_status set(policysync_replica *replica, const char *id, const char *json, uint64_t now) {
    policysync_field title = title_of(id);
    return policysync_replica_set(replica, now, &title, json, strlen(json), 0, NULL, NULL);
}

/* Checks that exactly this entity has changed since the position, and moves the position on. */
static void only(policysync_replica *replica, policysync_buffer *position, const char *id, const char *value) {
    policysync_changes *changes = NULL;
    policysync_op ops[4];
    size_t count = 0;

    EXPECT(POLICYSYNC_OK, policysync_changes_open(replica, position->data, position->len, &changes, NULL));
    EXPECT(POLICYSYNC_OK, policysync_changes_next(changes, ops, sizeof ops[0], 4, &count, NULL));
    CHECK(count == 1 && ops[0].struct_size == sizeof ops[0]);
    CHECK(ops[0].entity_id.len == strlen(id) && memcmp(ops[0].entity_id.data, id, strlen(id)) == 0);
    CHECK(ops[0].value.len == strlen(value) && memcmp(ops[0].value.data, value, strlen(value)) == 0);
    EXPECT(POLICYSYNC_DONE, policysync_changes_next(changes, ops, sizeof ops[0], 4, &count, NULL));
    EXPECT(POLICYSYNC_OK, policysync_changes_position(changes, position, NULL));
    policysync_changes_free(changes);
}

static void test_reasons(void) {
    policysync_replica *alice = replica_of("alice", 1);
    policysync_buffer position = POLICYSYNC_BUFFER_INIT, later = POLICYSYNC_BUFFER_INIT, poll = POLICYSYNC_BUFFER_INIT;
    policysync_changes *changes = NULL;
    policysync_op op;
    size_t count = 0;
    policysync_key *bob = key_of("bob", 2);
    policysync_op held = {0};

    introduce(alice, "bob", 2);
    EXPECT(POLICYSYNC_OK, policysync_replica_state_position(alice, &position, NULL));
    EXPECT(POLICYSYNC_OK, set(alice, "t1", "1", NOW));
    EXPECT(POLICYSYNC_OK, set(alice, "t1", "2", NOW));
    only(alice, &position, "t1", "2");

    /* An operation of tomorrow, which is held; when it is due; and when that clock is declared wrong. */
    held.struct_size = sizeof held;
    held.kind = POLICYSYNC_SET;
    held.t = NOW + DAY;
    held.actor = bytes_of("bob");
    held.entity = bytes_of("Task");
    held.entity_id = bytes_of("t2");
    held.path = bytes_of("title");
    held.value = bytes_of("3");
    EXPECT(POLICYSYNC_OK, policysync_op_sign(&held, bob, POLICYSYNC_BINARY, &later, NULL));
    EXPECT(POLICYSYNC_HELD, policysync_replica_ingest(alice, NOW, later.data, later.len, NULL, 0, NULL));
    EXPECT(POLICYSYNC_OK, policysync_changes_open(alice, position.data, position.len, &changes, NULL));
    EXPECT(POLICYSYNC_DONE, policysync_changes_next(changes, &op, sizeof op, 1, &count, NULL));
    policysync_changes_free(changes);
    EXPECT(POLICYSYNC_OK, policysync_replica_poll(alice, NOW + DAY, &poll, NULL));
    only(alice, &position, "t2", "3");
    EXPECT(POLICYSYNC_OK, policysync_replica_reset_clock(alice, NOW, NULL));
    EXPECT(POLICYSYNC_OK, policysync_changes_open(alice, position.data, position.len, &changes, NULL));
    EXPECT(POLICYSYNC_OK, policysync_changes_next(changes, &op, sizeof op, 1, &count, NULL));
    CHECK(count == 1 && op.kind == POLICYSYNC_DELETE && op.actor.len == 0 && op.value.len == 4);
    policysync_changes_free(changes);
    only(alice, &position, "t2", "null");

    policysync_buffer_dispose(&position);
    policysync_buffer_dispose(&later);
    policysync_buffer_dispose(&poll);
    policysync_key_free(bob);
    policysync_replica_free(alice);
}

static void test_positions(void) {
    policysync_replica *alice = replica_of("alice", 1);
    policysync_replica *bob = replica_of("bob", 2);
    policysync_buffer position = POLICYSYNC_BUFFER_INIT;
    policysync_changes *changes = NULL;
    policysync_op ops[2];
    size_t count = 0, seen = 0;

    EXPECT(POLICYSYNC_OK, set(alice, "t1", "1", NOW));
    EXPECT(POLICYSYNC_OK, set(alice, "t2", "1", NOW));
    EXPECT(POLICYSYNC_OK, set(alice, "t3", "1", NOW));
    EXPECT(POLICYSYNC_OK, policysync_replica_state_position(alice, &position, NULL));
    EXPECT(POLICYSYNC_ERR_OTHER_REPLICA,
           policysync_changes_open(bob, position.data, position.len, &changes, NULL));
    EXPECT(POLICYSYNC_ERR_MALFORMED,
           policysync_changes_open(alice, position.data, position.len - 1, &changes, NULL));
    position.data[1]++;
    EXPECT(POLICYSYNC_ERR_PEER_VERSION,
           policysync_changes_open(alice, position.data, position.len, &changes, NULL));
    CHECK(changes == NULL);

    /* All fields, two at a time; the changes outlive the replica. */
    EXPECT(POLICYSYNC_OK, policysync_changes_open(alice, NULL, 0, &changes, NULL));
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_changes_next(changes, ops, sizeof ops[0], 0, &count, NULL));
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_changes_next(changes, ops, sizeof ops[0] - 8, 1, &count, NULL));
    policysync_replica_free(alice);
    while (policysync_changes_next(changes, ops, sizeof ops[0], 2, &count, NULL) == POLICYSYNC_OK) {
        seen += count;
    }
    CHECK(seen == 3);
    policysync_changes_free(changes);
    policysync_buffer_dispose(&position);
    policysync_replica_free(bob);
}

void test_changes(void) {
    test_reasons();
    test_positions();
}
