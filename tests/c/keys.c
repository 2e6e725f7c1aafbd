/* Key pairs. */
#include "check.h"

static void test_texts(void) {
    policysync_key *alice = NULL;
    policysync_key *bob = key_of("bob", 2);
    policysync_replica *replica = replica_of(NULL, 0);
    policysync_replica_options options = POLICYSYNC_REPLICA_OPTIONS_INIT;
    policysync_error error = POLICYSYNC_ERROR_INIT;
    policysync_buffer line = POLICYSYNC_BUFFER_INIT, text = POLICYSYNC_BUFFER_INIT, kid = POLICYSYNC_BUFFER_INIT;
    uint8_t seed[32] = {0}, public_key[32], other[32];
    char registry[500];

    EXPECT(POLICYSYNC_OK, policysync_key_from_seed("Alice's phone", 13, "k 1", 3, seed, &alice, NULL));
    EXPECT(POLICYSYNC_OK, policysync_key_public_text(alice, &line, NULL));
    CHECK(holds(&line, "policysync-key-1 k%201 O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik Alice's phone"));
    EXPECT(POLICYSYNC_OK, policysync_key_public(alice, public_key, NULL));
    EXPECT(POLICYSYNC_OK,
           policysync_public_key_from_text((const char *)line.data, line.len, &text, &kid, other, NULL));
    CHECK(holds(&text, "Alice's phone") && holds(&kid, "k 1") && memcmp(public_key, other, 32) == 0);
    EXPECT(POLICYSYNC_OK,
           policysync_public_key_from_text((const char *)line.data, line.len, NULL, NULL, other, NULL));
    EXPECT(POLICYSYNC_ERR_KEY_TEXT, policysync_public_key_from_text("alice", 5, &text, &kid, other, &error));
    CHECK(strcmp(error.message, "not a key: it does not begin with policysync-key-1") == 0);
    CHECK(holds(&text, "Alice's phone") && memcmp(public_key, other, 32) == 0);

    /* A registry: all keys or none. */
    EXPECT(POLICYSYNC_OK, policysync_key_public_text(bob, &text, NULL));
    sprintf(registry, "# the household\n%s\n\n%s\n", (const char *)line.data, (const char *)text.data);
    EXPECT(POLICYSYNC_OK, policysync_replica_register_text(replica, registry, strlen(registry), NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_keys_text(replica, &text, NULL));
    CHECK(mentions(&text, "k%201") && mentions(&text, " bob\n") && text.data[text.len - 1] == '\n');
    policysync_replica_free(replica);
    options.keys_text.data = text.data;
    options.keys_text.len = text.len;
    EXPECT(POLICYSYNC_OK, policysync_replica_open(&options, &replica, NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_keys_text(replica, &kid, NULL));
    CHECK(holds(&kid, (const char *)text.data));
    EXPECT(POLICYSYNC_ERR_KEY_TEXT, policysync_replica_register_text(replica, "\n\nbob", 5, &error));
    CHECK(strncmp(error.message, "line 3: not a key", 17) == 0);
    strcpy(registry, "policysync-key-1 k%201 6kpsY-KcUgq-9VB7Ey7F-ZVHdq6-vnuSQh7qaRRG0iw Alice's phone");
    EXPECT(POLICYSYNC_ERR_KEY_TAKEN,
           policysync_replica_register_text(replica, registry, strlen(registry), &error));
    options.keys_text = bytes_of("bob");
    policysync_replica_free(replica);
    EXPECT(POLICYSYNC_ERR_KEY_TEXT, policysync_replica_open(&options, &replica, &error));
    policysync_buffer_dispose(&line);
    policysync_buffer_dispose(&text);
    policysync_buffer_dispose(&kid);
    policysync_key_free(alice);
    policysync_key_free(bob);
}

static void test_seeds(void) {
    policysync_key *key = key_of("alice", 7);
    policysync_error error = POLICYSYNC_ERROR_INIT;
    policysync_buffer text = POLICYSYNC_BUFFER_INIT, again = POLICYSYNC_BUFFER_INIT;
    uint8_t seed[32], found[32] = {0};
    char paper[POLICYSYNC_PAPER_SIZE];

    EXPECT(POLICYSYNC_OK, policysync_key_expose_seed(key, seed, NULL));
    EXPECT(POLICYSYNC_OK, policysync_key_wrap_seed(key, "correct horse", 13, 1, 8, &text, NULL));
    CHECK(strncmp((const char *)text.data, "policysync-seed-1 argon2id 1 8 ", 31) == 0);
    EXPECT(POLICYSYNC_OK, policysync_key_wrap_seed(key, "correct horse", 13, 1, 8, &again, NULL));
    CHECK(strcmp((const char *)text.data, (const char *)again.data) != 0);
    EXPECT(POLICYSYNC_ERR_PASSPHRASE,
           policysync_seed_unwrap((const char *)text.data, text.len, "wrong", 5, found, &error));
    CHECK(strcmp(error.message, "the passphrase is wrong") == 0 && found[0] == 0);
    EXPECT(POLICYSYNC_OK,
           policysync_seed_unwrap((const char *)text.data, text.len, "correct horse", 13, found, NULL));
    CHECK(memcmp(seed, found, 32) == 0);
    EXPECT(POLICYSYNC_ERR_KEY_TEXT,
           policysync_seed_unwrap((const char *)text.data, text.len - 1, "correct horse", 13, found, &error));
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_key_wrap_seed(key, NULL, 0, 1, 8, &text, &error));
    CHECK(strcmp(error.message, "the passphrase is empty") == 0);
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_key_wrap_seed(key, "x", 1, 0, 8, &text, &error));

    EXPECT(POLICYSYNC_OK, policysync_key_expose_paper(key, (uint8_t *)paper, NULL));
    CHECK(strlen(paper) == POLICYSYNC_PAPER_SIZE - 1 && paper[4] == ' ' && paper[69] == ' ');
    memset(found, 0, sizeof found);
    EXPECT(POLICYSYNC_OK, policysync_seed_from_paper(paper, strlen(paper), found, NULL));
    CHECK(memcmp(seed, found, 32) == 0);
    paper[10] = paper[10] == '2' ? '3' : '2';
    EXPECT(POLICYSYNC_ERR_KEY_TEXT, policysync_seed_from_paper(paper, strlen(paper), found, &error));
    CHECK(strstr(error.message, "group 3") != NULL);
    policysync_buffer_dispose(&text);
    policysync_buffer_dispose(&again);
    policysync_key_free(key);
}

void test_keys(void) {
    policysync_key *key = NULL;
    policysync_key *again = NULL;
    uint8_t seed[32], public_key[32], other[32];

    EXPECT(POLICYSYNC_OK, policysync_key_generate("alice", 5, &key, NULL));
    CHECK(strcmp(policysync_key_actor(key), "alice") == 0);
    CHECK(strlen(policysync_key_kid(key)) == 22);
    EXPECT(POLICYSYNC_OK, policysync_key_public(key, public_key, NULL));
    EXPECT(POLICYSYNC_OK, policysync_key_expose_seed(key, seed, NULL));
    CHECK(memcmp(seed, public_key, 32) != 0);

    EXPECT(POLICYSYNC_OK, policysync_key_from_seed("alice", 5, NULL, 0, seed, &again, NULL));
    EXPECT(POLICYSYNC_OK, policysync_key_public(again, other, NULL));
    CHECK(memcmp(public_key, other, 32) == 0);
    CHECK(strcmp(policysync_key_kid(key), policysync_key_kid(again)) == 0);
    policysync_key_free(again);

    EXPECT(POLICYSYNC_OK, policysync_key_from_seed("alice", 5, "phone", 5, seed, &again, NULL));
    CHECK(strcmp(policysync_key_kid(again), "phone") == 0);
    policysync_key_free(again);

    again = key;
    EXPECT(POLICYSYNC_ERR_IDENTIFIER, policysync_key_generate("", 0, &again, NULL));
    CHECK(again == NULL);
    EXPECT(POLICYSYNC_ERR_IDENTIFIER, policysync_key_generate("a\nb", 3, &again, NULL));
    EXPECT(POLICYSYNC_ERR_IDENTIFIER, policysync_key_from_seed("alice", 5, "\x7f", 1, seed, &again, NULL));
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_key_generate("\xff", 1, &again, NULL));

    /* RFC 8032, section 7.1, TEST 1 begins with this seed; here only a seed of zeros is used. */
    memset(seed, 0, sizeof seed);
    EXPECT(POLICYSYNC_OK, policysync_key_from_seed("alice", 5, NULL, 0, seed, &again, NULL));
    EXPECT(POLICYSYNC_OK, policysync_key_public(again, other, NULL));
    CHECK(other[0] == 0x3b && other[1] == 0x6a && other[31] == 0x29);
    policysync_key_free(again);
    policysync_key_free(key);
    test_texts();
    test_seeds();
}
