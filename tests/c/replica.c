/* Writing, ingesting, reading. */
#include "check.h"

static void test_writing_and_reading(void) {
    policysync_replica *alice = replica_of("alice", 1);
    policysync_field title = title_of("t1");
    policysync_field colour = {POLICYSYNC_BYTES("Task"), POLICYSYNC_BYTES("t1"), POLICYSYNC_BYTES("look/colour")};
    policysync_buffer op = POLICYSYNC_BUFFER_INIT;
    policysync_buffer text = POLICYSYNC_BUFFER_INIT;

    EXPECT(POLICYSYNC_NOT_FOUND, policysync_replica_get(alice, &title, &text, NULL));
    EXPECT(POLICYSYNC_NOT_FOUND, policysync_replica_entity(alice, "Task", 4, "t1", 2, &text, NULL));
    EXPECT(POLICYSYNC_NOT_FOUND, policysync_replica_explain(alice, &title, &text, NULL));
    CHECK(text.data == NULL);
    EXPECT(POLICYSYNC_OK, policysync_replica_history(alice, &title, &text, NULL));
    CHECK(holds(&text, "[]"));
    EXPECT(POLICYSYNC_OK, policysync_replica_forks(alice, &text, NULL));
    CHECK(holds(&text, "[]"));

    EXPECT(POLICYSYNC_OK,
           policysync_replica_set(alice, NOW, &title, "\"Milk\"", 6, POLICYSYNC_JSON, &op, NULL));
    CHECK(mentions(&op, "\"actor\":\"alice\"") && mentions(&op, "\"sig\":"));
    EXPECT(POLICYSYNC_OK,
           policysync_replica_set(alice, NOW, &title, " { \"b\" : 1.0, \"a\" : [ ] } ", 26, 0, NULL, NULL));
    EXPECT(POLICYSYNC_OK,
           policysync_replica_set(alice, NOW, &colour, "\"red\"", 5, POLICYSYNC_BINARY, &op, NULL));
    CHECK(op.data[0] == 1);

    EXPECT(POLICYSYNC_OK, policysync_replica_get(alice, &title, &text, NULL));
    CHECK(holds(&text, "{\"a\":[],\"b\":1}"));
    EXPECT(POLICYSYNC_OK, policysync_replica_entity(alice, "Task", 4, "t1", 2, &text, NULL));
    CHECK(holds(&text, "{\"look/colour\":\"red\",\"title\":{\"a\":[],\"b\":1}}"));
    EXPECT(POLICYSYNC_OK, policysync_replica_history(alice, &title, &text, NULL));
    CHECK(mentions(&text, "\"standing\":\"winner\"") && mentions(&text, "\"standing\":\"superseded\""));
    EXPECT(POLICYSYNC_OK, policysync_replica_explain(alice, &title, &text, NULL));
    CHECK(mentions(&text, "\"rule\":\"counter\""));
    EXPECT(POLICYSYNC_OK, policysync_replica_keys(alice, &text, NULL));
    CHECK(mentions(&text, "[{\"actor\":\"alice\",\"kid\":\""));

    EXPECT(POLICYSYNC_OK, policysync_replica_poll(alice, NOW, &text, NULL));
    CHECK(mentions(&text, "[{\"entity\":\"Task\",\"entityId\":\"t1\",\"path\":\"title\",\"kind\":\"lww_set\""));
    EXPECT(POLICYSYNC_OK, policysync_replica_poll(alice, NOW, &text, NULL));
    CHECK(holds(&text, "[]"));

    EXPECT(POLICYSYNC_OK, policysync_replica_delete(alice, NOW, &title, POLICYSYNC_JSON, &op, NULL));
    CHECK(mentions(&op, "lww_delete"));
    EXPECT(POLICYSYNC_NOT_FOUND, policysync_replica_get(alice, &title, &text, NULL));
    CHECK(holds(&text, "[]"));
    EXPECT(POLICYSYNC_OK, policysync_replica_delete(alice, NOW, &colour, 0, NULL, NULL));
    EXPECT(POLICYSYNC_NOT_FOUND, policysync_replica_entity(alice, "Task", 4, "t1", 2, &text, NULL));

    /* The time of the machine's clock. */
    EXPECT(POLICYSYNC_OK, policysync_replica_set(alice, POLICYSYNC_NOW, &title, "1", 1, 0, NULL, NULL));

    policysync_buffer_dispose(&op);
    policysync_buffer_dispose(&op);
    policysync_buffer_dispose(&text);
    policysync_replica_free(alice);
}

static void test_what_is_refused_on_writing(void) {
    policysync_replica *alice = replica_of("alice", 1);
    policysync_replica *reader = replica_of(NULL, 0);
    policysync_field title = title_of("t1");
    policysync_field nameless = title_of("");
    policysync_buffer op = POLICYSYNC_BUFFER_INIT;
    policysync_error error = POLICYSYNC_ERROR_INIT;
    uint64_t position = 7;

    EXPECT(POLICYSYNC_ERR_READ_ONLY, policysync_replica_set(reader, NOW, &title, "1", 1, 0, NULL, &error));
    CHECK(error.status == POLICYSYNC_ERR_READ_ONLY && error.op_index == POLICYSYNC_NO_INDEX);
    CHECK(strcmp(error.message, "the replica was opened without a key to write with") == 0);
    EXPECT(POLICYSYNC_ERR_IDENTIFIER, policysync_replica_set(alice, NOW, &nameless, "1", 1, 0, NULL, &error));
    CHECK(strcmp(error.message, "entityId is empty") == 0);
    EXPECT(POLICYSYNC_ERR_VALUE, policysync_replica_set(alice, NOW, &title, "01", 2, 0, NULL, &error));
    EXPECT(POLICYSYNC_ERR_VALUE, policysync_replica_set(alice, NOW, &title, "", 0, 0, NULL, &error));
    EXPECT(POLICYSYNC_ERR_VALUE,
           policysync_replica_set(alice, NOW, &title, "{\"a\":1,\"a\":2}", 13, 0, NULL, &error));
    CHECK(strstr(error.message, "duplicate member name") != NULL);
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_replica_set(alice, NOW, &title, "\"\xff\"", 3, 0, NULL, &error));
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_replica_set(alice, NOW, &title, "1", 1, 0, &op, &error));
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_replica_set(alice, NOW, &title, "1", 1, 3, &op, &error));
    EXPECT(POLICYSYNC_ERR_CLOCK,
           policysync_replica_set(alice, UINT64_C(9007199254740992), &title, "1", 1, 0, NULL, &error));
    /* Seconds for milliseconds are noticed: a write fails, a call that only reads the time remembers it. */
    EXPECT(POLICYSYNC_NOT_FOUND, policysync_replica_doubted_clock(alice, &position, NULL));
    EXPECT(POLICYSYNC_ERR_CLOCK, policysync_replica_set(alice, NOW / 1000, &title, "1", 1, 0, NULL, &error));
    CHECK(strstr(error.message, "seconds were passed for milliseconds") != NULL);
    EXPECT(POLICYSYNC_OK, policysync_replica_poll(alice, NOW / 1000, &op, NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_doubted_clock(alice, &position, NULL));
    CHECK(position == NOW / 1000);
    policysync_buffer_dispose(&op);
    EXPECT(POLICYSYNC_ERR_READ_ONLY, policysync_replica_delete(reader, NOW, &title, 0, NULL, &error));

    CHECK(op.data == NULL);
    EXPECT(POLICYSYNC_OK, policysync_replica_position(alice, &position, NULL));
    CHECK(position == 0);
    policysync_replica_free(alice);
    policysync_replica_free(reader);
}

static void test_taking_in(void) {
    static const char card[] =
        "{\"actor\":\"eve\",\"entity\":\"Task\",\"entityId\":\"t1\",\"id\":\"eve:5:0\",\"kind\":\"lww_set\","
        "\"path\":\"title\",\"sig\":{\"alg\":\"ed25519\",\"bytes\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\",\"kid\":\"k\"},\"ts\":{\"a\":\"eve\",\"c\":0,\"t\":5},"
        "\"value\":{\"card\":12345678901234567890}}";
    policysync_replica *alice = replica_of("alice", 1);
    policysync_replica *bob = replica_of("bob", 2);
    policysync_field title = title_of("t1");
    policysync_buffer op = POLICYSYNC_BUFFER_INIT;
    policysync_buffer text = POLICYSYNC_BUFFER_INIT;
    policysync_error error = POLICYSYNC_ERROR_INIT;
    policysync_outcome outcome, untouched;
    uint64_t held = 0;
    uint8_t zero[32] = {0};

    EXPECT(POLICYSYNC_OK,
           policysync_replica_set(alice, NOW, &title, "\"Milk\"", 6, POLICYSYNC_JSON, &op, NULL));
    memset(&outcome, 0x55, sizeof outcome);
    untouched = outcome;
    EXPECT(POLICYSYNC_ERR_UNKNOWN_KEY, policysync_replica_ingest(bob, NOW, op.data, op.len, &outcome, sizeof outcome, &error));
    CHECK(memcmp(&outcome, &untouched, sizeof outcome) == 0);
    CHECK(strstr(error.message, "of actor \"alice\" is known here") != NULL);
    introduce(bob, "alice", 1);
    introduce(bob, "alice", 1);
    EXPECT(POLICYSYNC_OK, policysync_replica_ingest(bob, NOW, op.data, op.len, &outcome, sizeof outcome, &error));
    CHECK(outcome.status == POLICYSYNC_OK && outcome.effect == POLICYSYNC_WON && outcome.until_ms == 0);
    CHECK(memcmp(outcome.hash, zero, 32) != 0 && memcmp(outcome.other, zero, 32) == 0);
    EXPECT(POLICYSYNC_DUPLICATE, policysync_replica_ingest(bob, NOW, op.data, op.len, NULL, 0, &error));
    EXPECT(POLICYSYNC_OK, policysync_replica_get(bob, &title, &text, NULL));
    CHECK(holds(&text, "\"Milk\""));

    EXPECT(POLICYSYNC_OK, policysync_replica_op(bob, outcome.hash, POLICYSYNC_JSON, &text, NULL));
    CHECK(text.len == op.len && memcmp(text.data, op.data, op.len) == 0);
    EXPECT(POLICYSYNC_NOT_FOUND, policysync_replica_op(bob, zero, POLICYSYNC_JSON, &text, NULL));
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_replica_op(bob, zero, 0, &text, NULL));

    /* One letter of the value is changed, so the signature no longer matches. */
    *strstr((char *)op.data, "Milk") = 'S';
    EXPECT(POLICYSYNC_ERR_BAD_SIGNATURE, policysync_replica_ingest(bob, NOW, op.data, op.len, NULL, 0, &error));
    EXPECT(POLICYSYNC_ERR_MALFORMED, policysync_replica_ingest(bob, NOW, op.data, op.len - 1, NULL, 0, &error));

    /* The report counts, and lists the failures of this side. It shows no values, even if a message quotes one. */
    EXPECT(POLICYSYNC_ERR_MALFORMED, policysync_replica_ingest(bob, NOW, card, sizeof card - 1, NULL, 0, &error));
    CHECK(strstr(error.message, "12345678901234567890") != NULL);
    EXPECT(POLICYSYNC_ERR_CLOCK,
           policysync_replica_set(bob, (uint64_t)1 << 60, &title, "1", 1, POLICYSYNC_JSON, NULL, &error));
    EXPECT(POLICYSYNC_OK, policysync_replica_report(bob, &text, NULL));
    CHECK(mentions(&text, "\noperations: 1\n") && mentions(&text, "\nwrites: yes\n"));
    CHECK(mentions(&text, ": POLICYSYNC_ERR_CLOCK\n") && !mentions(&text, "12345678901234567890"));
    CHECK(!mentions(&text, "MALFORMED") && !mentions(&text, "UNKNOWN_KEY") && !mentions(&text, "BAD_SIGNATURE"));
    CHECK(!mentions(&text, "Milk") && !mentions(&text, "title") && !mentions(&text, "alice"));

    /* Eleven minutes ahead: the operation is held until its time comes. */
    EXPECT(POLICYSYNC_OK,
           policysync_replica_set(alice, NOW + 660000, &title, "\"Tea\"", 5, POLICYSYNC_BINARY, &op, NULL));
    EXPECT(POLICYSYNC_HELD, policysync_replica_ingest(bob, NOW, op.data, op.len, &outcome, sizeof outcome, &error));
    CHECK(outcome.status == POLICYSYNC_HELD && outcome.until_ms == NOW + 60000);
    EXPECT(POLICYSYNC_OK, policysync_replica_held(bob, &held, NULL));
    CHECK(held == 1);
    EXPECT(POLICYSYNC_OK, policysync_replica_history(bob, &title, &text, NULL));
    CHECK(mentions(&text, "\"standing\":\"held\""));
    EXPECT(POLICYSYNC_OK, policysync_replica_poll(bob, NOW + 60000, &text, NULL));
    CHECK(mentions(&text, "title"));
    EXPECT(POLICYSYNC_OK, policysync_replica_get(bob, &title, &text, NULL));
    CHECK(holds(&text, "\"Tea\""));

    policysync_buffer_dispose(&op);
    policysync_buffer_dispose(&text);
    policysync_replica_free(alice);
    policysync_replica_free(bob);
}

static void test_spaces_labels_and_unverified(void) {
    static const char labelled[] =
        "{\"actor\":\"eve\",\"entity\":\"Task\",\"entityId\":\"t1\",\"id\":\"eve:one\",\"kind\":\"lww_set\","
        "\"path\":\"title\",\"sig\":{\"alg\":\"ed25519\",\"bytes\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\",\"kid\":\"k\"},\"ts\":{\"a\":\"eve\",\"c\":0,\"t\":5},\"value\":1}";
    policysync_replica_options options;
    policysync_replica *relay = NULL;
    policysync_replica *home = NULL;
    policysync_key *key = key_of("alice", 1);
    policysync_field title = title_of("t1");
    policysync_buffer op = POLICYSYNC_BUFFER_INIT;

    EXPECT(POLICYSYNC_OK, policysync_replica_options_init(&options, sizeof options));
    options.flags = POLICYSYNC_DANGEROUSLY_UNVERIFIED;
    EXPECT(POLICYSYNC_OK, policysync_replica_open(&options, &relay, NULL));
    EXPECT(POLICYSYNC_ERR_MALFORMED,
           policysync_replica_ingest(relay, NOW, labelled, sizeof labelled - 1, NULL, 0, NULL));
    policysync_replica_free(relay);
    options.flags |= POLICYSYNC_ANY_LABEL;
    EXPECT(POLICYSYNC_OK, policysync_replica_open(&options, &relay, NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_ingest(relay, NOW, labelled, sizeof labelled - 1, NULL, 0, NULL));

    options.flags = 0;
    options.key = key;
    options.space = bytes_of("home");
    EXPECT(POLICYSYNC_OK, policysync_replica_open(&options, &home, NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_set(home, NOW, &title, "1", 1, POLICYSYNC_JSON, &op, NULL));
    CHECK(mentions(&op, "\"space\":\"home\""));
    EXPECT(POLICYSYNC_ERR_WRONG_SPACE, policysync_replica_ingest(relay, NOW, op.data, op.len, NULL, 0, NULL));

    policysync_buffer_dispose(&op);
    policysync_key_free(key);
    policysync_replica_free(relay);
    policysync_replica_free(home);
}

static void test_keys_of_a_replica(void) {
    policysync_replica *bob = replica_of("bob", 2);
    uint8_t one[32], other[32], bad[32] = {1};
    policysync_key *a = key_of("alice", 1);
    policysync_key *b = key_of("alice", 3);
    EXPECT(POLICYSYNC_OK, policysync_key_public(a, one, NULL));
    EXPECT(POLICYSYNC_OK, policysync_key_public(b, other, NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_register_key(bob, "alice", 5, "phone", 5, one, NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_register_key(bob, "alice", 5, "phone", 5, one, NULL));
    EXPECT(POLICYSYNC_ERR_KEY_TAKEN, policysync_replica_register_key(bob, "alice", 5, "phone", 5, other, NULL));
    EXPECT(POLICYSYNC_ERR_KEY, policysync_replica_register_key(bob, "alice", 5, NULL, 0, bad, NULL));
    EXPECT(POLICYSYNC_ERR_IDENTIFIER, policysync_replica_register_key(bob, "", 0, NULL, 0, other, NULL));
    policysync_key_free(a);
    policysync_key_free(b);
    policysync_replica_free(bob);
}

void test_replica(void) {
    test_writing_and_reading();
    test_what_is_refused_on_writing();
    test_taking_in();
    test_spaces_labels_and_unverified();
    test_keys_of_a_replica();
}
