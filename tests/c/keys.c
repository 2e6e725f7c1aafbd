/* Key pairs. */
#include "check.h"

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
}
