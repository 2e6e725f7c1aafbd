/* Operations without a replica. */
#include "check.h"

void test_ops(void) {
    policysync_key *key = key_of("alice", 1);
    policysync_op op;
    policysync_buffer json = POLICYSYNC_BUFFER_INIT, binary = POLICYSYNC_BUFFER_INIT, again = POLICYSYNC_BUFFER_INIT;
    policysync_hlc ts = {NOW, 4, 0};
    uint8_t public_key[32], hash[32], same[32];
    static const uint8_t sha256_of_abc[4] = {0xba, 0x78, 0x16, 0xbf};

    EXPECT(POLICYSYNC_OK, policysync_key_public(key, public_key, NULL));
    memset(&op, 0, sizeof op);
    op.struct_size = sizeof op;
    op.kind = POLICYSYNC_SET;
    op.t = NOW;
    op.c = 4;
    op.actor = bytes_of("alice");
    op.entity = bytes_of("Task");
    op.entity_id = bytes_of("t1");
    op.path = bytes_of("title");
    op.value = bytes_of("[1, 2]");
    op.space = bytes_of("home");
    op.label = bytes_of("mine");
    EXPECT(POLICYSYNC_OK, policysync_op_sign(&op, key, POLICYSYNC_JSON, &json, NULL));
    CHECK(mentions(&json, "\"id\":\"mine\"") && mentions(&json, "\"value\":[1,2]") && mentions(&json, "\"space\":\"home\""));
    EXPECT(POLICYSYNC_OK, policysync_op_convert(json.data, json.len, POLICYSYNC_BINARY, &binary, NULL));
    EXPECT(POLICYSYNC_OK, policysync_op_convert(binary.data, binary.len, POLICYSYNC_JSON, &again, NULL));
    CHECK(again.len == json.len && memcmp(again.data, json.data, json.len) == 0);
    EXPECT(POLICYSYNC_OK, policysync_op_hash(json.data, json.len, hash, NULL));
    EXPECT(POLICYSYNC_OK, policysync_op_hash(binary.data, binary.len, same, NULL));
    CHECK(memcmp(hash, same, 32) == 0);
    EXPECT(POLICYSYNC_OK, policysync_op_verify(json.data, json.len, "alice", 5, NULL, 0, public_key, NULL));
    EXPECT(POLICYSYNC_ERR_UNKNOWN_KEY, policysync_op_verify(json.data, json.len, "bob", 3, NULL, 0, public_key, NULL));
    EXPECT(POLICYSYNC_ERR_UNKNOWN_KEY, policysync_op_verify(json.data, json.len, "alice", 5, "k", 1, public_key, NULL));
    json.data[json.len - 3] = '3';
    EXPECT(POLICYSYNC_ERR_BAD_SIGNATURE, policysync_op_verify(json.data, json.len, "alice", 5, NULL, 0, public_key, NULL));
    EXPECT(POLICYSYNC_ERR_MALFORMED, policysync_op_verify("x", 1, "alice", 5, NULL, 0, public_key, NULL));
    EXPECT(POLICYSYNC_ERR_MALFORMED, policysync_op_hash("", 0, hash, NULL));
    EXPECT(POLICYSYNC_ERR_MALFORMED, policysync_op_convert("\x01", 1, POLICYSYNC_JSON, &again, NULL));
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_op_convert("{}", 2, 9, &again, NULL));

    op.kind = POLICYSYNC_DELETE;
    EXPECT(POLICYSYNC_ERR_VALUE, policysync_op_sign(&op, key, POLICYSYNC_JSON, &json, NULL));
    op.value.len = 0;
    EXPECT(POLICYSYNC_OK, policysync_op_sign(&op, key, POLICYSYNC_JSON, &json, NULL));
    op.kind = 3;
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_op_sign(&op, key, POLICYSYNC_JSON, &json, NULL));
    op.kind = POLICYSYNC_DELETE;
    op.actor = bytes_of("bob");
    EXPECT(POLICYSYNC_ERR_OTHER_ACTOR, policysync_op_sign(&op, key, POLICYSYNC_JSON, &json, NULL));
    op.c = UINT32_MAX;
    EXPECT(POLICYSYNC_ERR_CLOCK, policysync_op_sign(&op, key, POLICYSYNC_JSON, &json, NULL));

    EXPECT(POLICYSYNC_OK, policysync_hlc_now(&ts, NOW - 5, &ts, NULL));
    CHECK(ts.t == NOW && ts.c == 5);
    EXPECT(POLICYSYNC_OK, policysync_hlc_now(NULL, 7, &ts, NULL));
    CHECK(ts.t == 7 && ts.c == 0 && ts.reserved == 0);
    EXPECT(POLICYSYNC_OK, policysync_hlc_now(&ts, POLICYSYNC_NOW, &ts, NULL));
    CHECK(ts.t > NOW - UINT64_C(31536000000));
    EXPECT(POLICYSYNC_ERR_CLOCK, policysync_hlc_now(NULL, UINT64_MAX - 1, &ts, NULL));
    ts.c = UINT32_MAX;
    EXPECT(POLICYSYNC_ERR_CLOCK, policysync_hlc_now(&ts, NOW, &ts, NULL));

    EXPECT(POLICYSYNC_OK, policysync_sha256("abc", 3, hash, NULL));
    CHECK(memcmp(hash, sha256_of_abc, sizeof sha256_of_abc) == 0);

    policysync_buffer_dispose(&json);
    policysync_buffer_dispose(&binary);
    policysync_buffer_dispose(&again);
    policysync_key_free(key);
}
