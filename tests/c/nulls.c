/* NULL in every pointer position of every function. */
#include "check.h"

/* A call that must fail with ERR_NULL and name the parameter. */
#define NULL_IN(name, call)                                                  \
    do {                                                                     \
        error.message[0] = 0;                                                \
        EXPECT(POLICYSYNC_ERR_NULL, call);                                   \
        CHECK(error.status == POLICYSYNC_ERR_NULL);                          \
        CHECK(strcmp(error.message, name " is NULL") == 0);                  \
    } while (0)

static policysync_error error = POLICYSYNC_ERROR_INIT;
static policysync_error *const err = &error;

static void test_keys_and_ops(void) {
    policysync_key *key = key_of("alice", 1);
    policysync_key *out = key;
    policysync_buffer buffer = POLICYSYNC_BUFFER_INIT;
    policysync_hlc ts;
    policysync_op op;
    uint8_t b32[32] = {0};

    NULL_IN("actor", policysync_key_generate(NULL, 1, &out, err));
    CHECK(out == NULL);
    NULL_IN("out", policysync_key_generate("a", 1, nothing(), err));
    NULL_IN("actor", policysync_key_from_seed(NULL, 1, NULL, 0, b32, &out, err));
    NULL_IN("kid", policysync_key_from_seed("a", 1, NULL, 1, b32, &out, err));
    NULL_IN("seed", policysync_key_from_seed("a", 1, NULL, 0, nothing(), &out, err));
    NULL_IN("out", policysync_key_from_seed("a", 1, NULL, 0, b32, nothing(), err));
    NULL_IN("key", policysync_key_public(nothing(), b32, err));
    NULL_IN("out32", policysync_key_public(key, nothing(), err));
    NULL_IN("key", policysync_key_expose_seed(nothing(), b32, err));
    NULL_IN("out32", policysync_key_expose_seed(key, nothing(), err));
    NULL_IN("key", policysync_key_public_text(nothing(), &buffer, err));
    NULL_IN("out", policysync_key_public_text(key, nothing(), err));
    NULL_IN("text", policysync_public_key_from_text(NULL, 1, NULL, NULL, b32, err));
    NULL_IN("out32", policysync_public_key_from_text("x", 1, NULL, NULL, nothing(), err));
    NULL_IN("key", policysync_key_wrap_seed(nothing(), "x", 1, 1, 8, &buffer, err));
    NULL_IN("passphrase", policysync_key_wrap_seed(key, NULL, 1, 1, 8, &buffer, err));
    NULL_IN("out", policysync_key_wrap_seed(key, "x", 1, 1, 8, nothing(), err));
    NULL_IN("text", policysync_seed_unwrap(NULL, 1, "x", 1, b32, err));
    NULL_IN("passphrase", policysync_seed_unwrap("x", 1, NULL, 1, b32, err));
    NULL_IN("out32", policysync_seed_unwrap("x", 1, "x", 1, nothing(), err));
    NULL_IN("key", policysync_key_expose_paper(nothing(), b32, err));
    NULL_IN("out", policysync_key_expose_paper(key, nothing(), err));
    NULL_IN("text", policysync_seed_from_paper(NULL, 1, b32, err));
    NULL_IN("out32", policysync_seed_from_paper("x", 1, nothing(), err));
    CHECK(policysync_key_actor(NULL) == NULL);
    CHECK(policysync_key_kid(NULL) == NULL);

    memset(&op, 0, sizeof op);
    op.struct_size = sizeof op;
    op.kind = POLICYSYNC_SET;
    NULL_IN("op", policysync_op_sign(nothing(), key, POLICYSYNC_JSON, &buffer, err));
    NULL_IN("key", policysync_op_sign(&op, nothing(), POLICYSYNC_JSON, &buffer, err));
    NULL_IN("out", policysync_op_sign(&op, key, POLICYSYNC_JSON, nothing(), err));
    op.actor.len = 1;
    NULL_IN("op.actor", policysync_op_sign(&op, key, POLICYSYNC_JSON, &buffer, err));
    op.actor = bytes_of("alice");
    op.entity.len = 1;
    NULL_IN("op.entity", policysync_op_sign(&op, key, POLICYSYNC_JSON, &buffer, err));
    op.entity = op.actor;
    op.entity_id.len = 1;
    NULL_IN("op.entity_id", policysync_op_sign(&op, key, POLICYSYNC_JSON, &buffer, err));
    op.entity_id = op.actor;
    op.path.len = 1;
    NULL_IN("op.path", policysync_op_sign(&op, key, POLICYSYNC_JSON, &buffer, err));
    op.path = op.actor;
    op.value.len = 1;
    NULL_IN("op.value", policysync_op_sign(&op, key, POLICYSYNC_JSON, &buffer, err));
    op.value = bytes_of("1");
    op.space.len = 1;
    NULL_IN("op.space", policysync_op_sign(&op, key, POLICYSYNC_JSON, &buffer, err));
    op.space.len = 0;
    op.label.len = 1;
    NULL_IN("op.label", policysync_op_sign(&op, key, POLICYSYNC_JSON, &buffer, err));

    EXPECT(POLICYSYNC_OK, policysync_key_public(key, b32, NULL));
    NULL_IN("op", policysync_op_verify(NULL, 1, "a", 1, NULL, 0, b32, err));
    NULL_IN("actor", policysync_op_verify("x", 1, NULL, 1, NULL, 0, b32, err));
    NULL_IN("kid", policysync_op_verify("x", 1, "a", 1, NULL, 1, b32, err));
    NULL_IN("public_key", policysync_op_verify("x", 1, "a", 1, NULL, 0, nothing(), err));
    NULL_IN("op", policysync_op_hash(NULL, 1, b32, err));
    NULL_IN("out32", policysync_op_hash("x", 1, nothing(), err));
    NULL_IN("op", policysync_op_convert(NULL, 1, POLICYSYNC_JSON, &buffer, err));
    NULL_IN("out", policysync_op_convert("x", 1, POLICYSYNC_JSON, nothing(), err));
    NULL_IN("data", policysync_sha256(NULL, 1, b32, err));
    NULL_IN("out32", policysync_sha256("x", 1, nothing(), err));
    NULL_IN("out", policysync_hlc_now(NULL, 1, nothing(), err));
    EXPECT(POLICYSYNC_OK, policysync_hlc_now(NULL, 1, &ts, NULL));

    CHECK(buffer.data == NULL);
    policysync_key_free(key);
}

static void test_replicas(void) {
    policysync_replica *replica = replica_of("alice", 1);
    policysync_replica *out = replica;
    policysync_cursor *cursor = NULL;
    policysync_cursor *cursor_out = NULL;
    policysync_changes *changes = NULL;
    policysync_changes *changes_out = NULL;
    policysync_buffer buffer = POLICYSYNC_BUFFER_INIT;
    policysync_field field = title_of("t1");
    policysync_field broken;
    policysync_bytes bytes = POLICYSYNC_BYTES("{}");
    policysync_digest digest;
    policysync_op op;
    uint8_t b32[32] = {0};
    uint64_t number;
    size_t count;
    policysync_replica_options options;
    policysync_public_key public_key;
    policysync_store_report report = {sizeof report, 0, 0, 0};
    policysync_hlc ts;

    EXPECT(POLICYSYNC_ERR_NULL, policysync_replica_options_init(nothing(), 64));
    NULL_IN("out", policysync_replica_open(NULL, nothing(), err));
    EXPECT(POLICYSYNC_OK, policysync_replica_options_init(&options, sizeof options));
    options.space.len = 1;
    NULL_IN("options.space", policysync_replica_open(&options, &out, err));
    CHECK(out == NULL);
    options.space.len = 0;
    options.path.len = 1;
    NULL_IN("options.path", policysync_replica_open(&options, &out, err));
    options.path.len = 0;
    options.keys_count = 1;
    NULL_IN("options.keys", policysync_replica_open(&options, &out, err));
    options.keys = &public_key;
    options.keys_stride = sizeof public_key;
    memset(&public_key, 0, sizeof public_key);
    public_key.actor.len = 1;
    NULL_IN("options.keys[].actor", policysync_replica_open(&options, &out, err));
    public_key.actor = bytes_of("a");
    public_key.kid.len = 1;
    NULL_IN("options.keys[].kid", policysync_replica_open(&options, &out, err));
    options.keys_text.len = 1;
    NULL_IN("options.keys_text", policysync_replica_open(&options, &out, err));
    EXPECT(POLICYSYNC_OK, policysync_replica_options_init(&options, sizeof options));
    EXPECT(POLICYSYNC_OK, policysync_replica_open(NULL, &out, NULL));
    policysync_replica_free(out);

    introduce(replica, "bob", 2);
    {
        policysync_key *key = key_of("bob", 2);
        EXPECT(POLICYSYNC_OK, policysync_key_public(key, b32, NULL));
        policysync_key_free(key);
    }
    NULL_IN("replica", policysync_replica_register_key(nothing(), "a", 1, NULL, 0, b32, err));
    NULL_IN("actor", policysync_replica_register_key(replica, NULL, 1, NULL, 0, b32, err));
    NULL_IN("kid", policysync_replica_register_key(replica, "a", 1, NULL, 1, b32, err));
    NULL_IN("public_key", policysync_replica_register_key(replica, "a", 1, NULL, 0, nothing(), err));
    NULL_IN("replica", policysync_replica_register_text(nothing(), "", 0, err));
    NULL_IN("text", policysync_replica_register_text(replica, NULL, 1, err));
    NULL_IN("replica", policysync_replica_keys_text(nothing(), &buffer, err));
    NULL_IN("out", policysync_replica_keys_text(replica, nothing(), err));
    NULL_IN("replica", policysync_replica_keys(nothing(), &buffer, err));
    NULL_IN("out", policysync_replica_keys(replica, nothing(), err));

    NULL_IN("replica", policysync_replica_set(nothing(), NOW, &field, "1", 1, POLICYSYNC_JSON, &buffer, err));
    NULL_IN("field", policysync_replica_set(replica, NOW, nothing(), "1", 1, POLICYSYNC_JSON, &buffer, err));
    NULL_IN("value", policysync_replica_set(replica, NOW, &field, NULL, 1, POLICYSYNC_JSON, &buffer, err));
    broken = field;
    broken.entity.data = NULL;
    NULL_IN("field.entity", policysync_replica_set(replica, NOW, &broken, "1", 1, 0, NULL, err));
    broken = field;
    broken.entity_id.data = NULL;
    NULL_IN("field.entity_id", policysync_replica_set(replica, NOW, &broken, "1", 1, 0, NULL, err));
    broken = field;
    broken.path.data = NULL;
    NULL_IN("field.path", policysync_replica_set(replica, NOW, &broken, "1", 1, 0, NULL, err));
    NULL_IN("replica", policysync_replica_delete(nothing(), NOW, &field, POLICYSYNC_JSON, &buffer, err));
    NULL_IN("field", policysync_replica_delete(replica, NOW, nothing(), POLICYSYNC_JSON, &buffer, err));

    NULL_IN("replica", policysync_replica_ingest(nothing(), NOW, "{}", 2, NULL, 0, err));
    NULL_IN("op", policysync_replica_ingest(replica, NOW, NULL, 2, NULL, 0, err));
    NULL_IN("replica", policysync_replica_ingest_many(nothing(), NOW, &bytes, sizeof bytes, 1, NULL, 0, err));
    NULL_IN("ops", policysync_replica_ingest_many(replica, NOW, NULL, sizeof bytes, 1, NULL, 0, err));
    bytes.data = NULL;
    NULL_IN("ops[].data", policysync_replica_ingest_many(replica, NOW, &bytes, sizeof bytes, 1, NULL, 0, err));
    CHECK(error.op_index == 0);

    NULL_IN("replica", policysync_replica_get(nothing(), &field, &buffer, err));
    NULL_IN("field", policysync_replica_get(replica, nothing(), &buffer, err));
    NULL_IN("out", policysync_replica_get(replica, &field, nothing(), err));
    NULL_IN("replica", policysync_replica_entity(nothing(), "T", 1, "t", 1, &buffer, err));
    NULL_IN("entity", policysync_replica_entity(replica, NULL, 1, "t", 1, &buffer, err));
    NULL_IN("entity_id", policysync_replica_entity(replica, "T", 1, NULL, 1, &buffer, err));
    NULL_IN("out", policysync_replica_entity(replica, "T", 1, "t", 1, nothing(), err));
    NULL_IN("replica", policysync_replica_history(nothing(), &field, &buffer, err));
    NULL_IN("field", policysync_replica_history(replica, nothing(), &buffer, err));
    NULL_IN("out", policysync_replica_history(replica, &field, nothing(), err));
    NULL_IN("replica", policysync_replica_explain(nothing(), &field, &buffer, err));
    NULL_IN("field", policysync_replica_explain(replica, nothing(), &buffer, err));
    NULL_IN("out", policysync_replica_explain(replica, &field, nothing(), err));
    NULL_IN("replica", policysync_replica_poll(nothing(), NOW, &buffer, err));
    NULL_IN("out", policysync_replica_poll(replica, NOW, nothing(), err));
    NULL_IN("replica", policysync_replica_op(nothing(), b32, POLICYSYNC_JSON, &buffer, err));
    NULL_IN("hash32", policysync_replica_op(replica, nothing(), POLICYSYNC_JSON, &buffer, err));
    NULL_IN("out", policysync_replica_op(replica, b32, POLICYSYNC_JSON, nothing(), err));
    NULL_IN("replica", policysync_replica_report(nothing(), &buffer, err));
    NULL_IN("out", policysync_replica_report(replica, nothing(), err));
    NULL_IN("replica", policysync_replica_forks(nothing(), &buffer, err));
    NULL_IN("out", policysync_replica_forks(replica, nothing(), err));
    NULL_IN("replica", policysync_replica_held(nothing(), &number, err));
    NULL_IN("out", policysync_replica_held(replica, nothing(), err));
    NULL_IN("replica", policysync_replica_doubted_clock(nothing(), &number, err));
    NULL_IN("out", policysync_replica_doubted_clock(replica, nothing(), err));
    NULL_IN("replica", policysync_replica_next_due(nothing(), &number, err));
    NULL_IN("out", policysync_replica_next_due(replica, nothing(), err));
    NULL_IN("replica", policysync_replica_horizon(nothing(), &number, err));
    NULL_IN("out", policysync_replica_horizon(replica, nothing(), err));
    NULL_IN("replica", policysync_replica_clock_ahead(nothing(), NOW, &number, err));
    NULL_IN("out", policysync_replica_clock_ahead(replica, NOW, nothing(), err));
    NULL_IN("replica", policysync_replica_reset_clock(nothing(), NOW, err));
    NULL_IN("replica", policysync_replica_clock(nothing(), &ts, err));
    NULL_IN("out", policysync_replica_clock(replica, nothing(), err));
    NULL_IN("replica", policysync_replica_actor(nothing(), &buffer, err));
    NULL_IN("out", policysync_replica_actor(replica, nothing(), err));
    NULL_IN("replica", policysync_replica_contains(nothing(), b32, err));
    NULL_IN("hash32", policysync_replica_contains(replica, nothing(), err));
    NULL_IN("replica", policysync_replica_has_changes(nothing(), err));
    NULL_IN("replica", policysync_replica_back_up(nothing(), "x", 1, err));
    NULL_IN("path", policysync_replica_back_up(replica, NULL, 1, err));
    NULL_IN("replica", policysync_replica_release_store(nothing(), err));
    NULL_IN("replica", policysync_replica_reacquire_store(nothing(), NOW, &number, err));
    NULL_IN("options", policysync_store_verify(nothing(), &report, &buffer, err));
    NULL_IN("report", policysync_store_verify(&options, nothing(), &buffer, err));
    NULL_IN("options", policysync_store_salvage(nothing(), "x", 1, &report, &buffer, err));
    NULL_IN("to", policysync_store_salvage(&options, NULL, 1, &report, &buffer, err));
    NULL_IN("report", policysync_store_salvage(&options, "x", 1, nothing(), &buffer, err));
    NULL_IN("replica", policysync_replica_position(nothing(), &number, err));
    NULL_IN("out", policysync_replica_position(replica, nothing(), err));
    digest.struct_size = sizeof digest;
    NULL_IN("replica", policysync_replica_digest(nothing(), &digest, err));
    NULL_IN("digest", policysync_replica_digest(replica, nothing(), err));
    NULL_IN("replica", policysync_replica_export(nothing(), 0, 0, POLICYSYNC_JSON, &buffer, &number, err));
    NULL_IN("out", policysync_replica_export(replica, 0, 0, POLICYSYNC_JSON, nothing(), &number, err));

    NULL_IN("replica", policysync_cursor_open(nothing(), 0, &cursor_out, err));
    NULL_IN("out", policysync_cursor_open(replica, 0, nothing(), err));
    EXPECT(POLICYSYNC_OK, policysync_cursor_open(replica, 0, &cursor, NULL));
    NULL_IN("cursor", policysync_cursor_next(nothing(), &op, sizeof op, 1, &count, err));
    NULL_IN("ops", policysync_cursor_next(cursor, NULL, sizeof op, 1, &count, err));
    NULL_IN("out_count", policysync_cursor_next(cursor, &op, sizeof op, 1, nothing(), err));
    NULL_IN("cursor", policysync_cursor_position(nothing(), &number, err));
    NULL_IN("out", policysync_cursor_position(cursor, nothing(), err));
    NULL_IN("replica", policysync_replica_state_position(nothing(), &buffer, err));
    NULL_IN("out", policysync_replica_state_position(replica, nothing(), err));
    NULL_IN("replica", policysync_changes_open(nothing(), NULL, 0, &changes_out, err));
    NULL_IN("position", policysync_changes_open(replica, NULL, 1, &changes_out, err));
    NULL_IN("out", policysync_changes_open(replica, NULL, 0, nothing(), err));
    EXPECT(POLICYSYNC_OK, policysync_changes_open(replica, NULL, 0, &changes, NULL));
    NULL_IN("changes", policysync_changes_next(nothing(), &op, sizeof op, 1, &count, err));
    NULL_IN("ops", policysync_changes_next(changes, NULL, sizeof op, 1, &count, err));
    NULL_IN("out_count", policysync_changes_next(changes, &op, sizeof op, 1, nothing(), err));
    NULL_IN("changes", policysync_changes_position(nothing(), &buffer, err));
    NULL_IN("out", policysync_changes_position(changes, nothing(), err));
    policysync_changes_free(changes);

    /* None of these calls had an effect. */
    CHECK(buffer.data == NULL);
    EXPECT(POLICYSYNC_OK, policysync_replica_position(replica, &number, NULL));
    CHECK(number == 0);
    policysync_cursor_free(cursor);
    policysync_replica_free(replica);
}

static void test_values_and_lists(void) {
    policysync_replica *replica = replica_of("alice", 1);
    policysync_buffer buffer = POLICYSYNC_BUFFER_INIT;
    policysync_field field = title_of("t1");
    policysync_list *list = NULL;
    policysync_item item = POLICYSYNC_ITEM_INIT;
    policysync_page prefix = POLICYSYNC_PAGE_INIT, after = POLICYSYNC_PAGE_INIT;
    uint64_t number = 0;
    int64_t integer = 0;
    int32_t truth = 0;
    double real = 0;
    prefix.prefix.len = 1;
    after.after.len = 1;

    NULL_IN("replica", policysync_replica_kinds(nothing(), &list, err));
    NULL_IN("out", policysync_replica_kinds(replica, nothing(), err));
    NULL_IN("replica", policysync_replica_entities(nothing(), "T", 1, NULL, &list, err));
    NULL_IN("entity", policysync_replica_entities(replica, NULL, 1, NULL, &list, err));
    NULL_IN("page.prefix", policysync_replica_entities(replica, "T", 1, &prefix, &list, err));
    NULL_IN("page.after", policysync_replica_entities(replica, "T", 1, &after, &list, err));
    NULL_IN("out", policysync_replica_entities(replica, "T", 1, NULL, nothing(), err));
    NULL_IN("replica", policysync_replica_count_entities(nothing(), "T", 1, "p", 1, &number, err));
    NULL_IN("entity", policysync_replica_count_entities(replica, NULL, 1, "p", 1, &number, err));
    NULL_IN("prefix", policysync_replica_count_entities(replica, "T", 1, NULL, 1, &number, err));
    NULL_IN("out", policysync_replica_count_entities(replica, "T", 1, "p", 1, nothing(), err));
    NULL_IN("replica", policysync_replica_fields(nothing(), "T", 1, "t", 1, "p", 1, &list, err));
    NULL_IN("entity", policysync_replica_fields(replica, NULL, 1, "t", 1, "p", 1, &list, err));
    NULL_IN("entity_id", policysync_replica_fields(replica, "T", 1, NULL, 1, "p", 1, &list, err));
    NULL_IN("prefix", policysync_replica_fields(replica, "T", 1, "t", 1, NULL, 1, &list, err));
    NULL_IN("out", policysync_replica_fields(replica, "T", 1, "t", 1, "p", 1, nothing(), err));
    NULL_IN("list", policysync_list_next(nothing(), &item, err));
    EXPECT(POLICYSYNC_OK, policysync_replica_kinds(replica, &list, NULL));
    NULL_IN("out", policysync_list_next(list, nothing(), err));
    policysync_list_free(list);
    NULL_IN("replica", policysync_replica_get_text(nothing(), &field, &buffer, err));
    NULL_IN("field", policysync_replica_get_text(replica, nothing(), &buffer, err));
    NULL_IN("out", policysync_replica_get_text(replica, &field, nothing(), err));
    NULL_IN("replica", policysync_replica_get_integer(nothing(), &field, &integer, err));
    NULL_IN("field", policysync_replica_get_integer(replica, nothing(), &integer, err));
    NULL_IN("out", policysync_replica_get_integer(replica, &field, nothing(), err));
    NULL_IN("replica", policysync_replica_get_double(nothing(), &field, &real, err));
    NULL_IN("field", policysync_replica_get_double(replica, nothing(), &real, err));
    NULL_IN("out", policysync_replica_get_double(replica, &field, nothing(), err));
    NULL_IN("replica", policysync_replica_get_bool(nothing(), &field, &truth, err));
    NULL_IN("field", policysync_replica_get_bool(replica, nothing(), &truth, err));
    NULL_IN("out", policysync_replica_get_bool(replica, &field, nothing(), err));
    NULL_IN("replica", policysync_replica_get_bytes(nothing(), &field, &buffer, err));
    NULL_IN("field", policysync_replica_get_bytes(replica, nothing(), &buffer, err));
    NULL_IN("out", policysync_replica_get_bytes(replica, &field, nothing(), err));
    NULL_IN("replica", policysync_replica_set_text(nothing(), NOW, &field, "x", 1, 0, NULL, err));
    NULL_IN("field", policysync_replica_set_text(replica, NOW, nothing(), "x", 1, 0, NULL, err));
    NULL_IN("text", policysync_replica_set_text(replica, NOW, &field, NULL, 1, 0, NULL, err));
    NULL_IN("replica", policysync_replica_set_integer(nothing(), NOW, &field, 1, 0, NULL, err));
    NULL_IN("field", policysync_replica_set_integer(replica, NOW, nothing(), 1, 0, NULL, err));
    NULL_IN("replica", policysync_replica_set_double(nothing(), NOW, &field, 1, 0, NULL, err));
    NULL_IN("field", policysync_replica_set_double(replica, NOW, nothing(), 1, 0, NULL, err));
    NULL_IN("replica", policysync_replica_set_bool(nothing(), NOW, &field, 1, 0, NULL, err));
    NULL_IN("field", policysync_replica_set_bool(replica, NOW, nothing(), 1, 0, NULL, err));
    NULL_IN("replica", policysync_replica_set_bytes(nothing(), NOW, &field, "x", 1, 0, NULL, err));
    NULL_IN("field", policysync_replica_set_bytes(replica, NOW, nothing(), "x", 1, 0, NULL, err));
    NULL_IN("data", policysync_replica_set_bytes(replica, NOW, &field, NULL, 1, 0, NULL, err));
    NULL_IN("replica", policysync_replica_delete_entity(nothing(), NOW, "T", 1, "t", 1, 0, NULL, err));
    NULL_IN("entity", policysync_replica_delete_entity(replica, NOW, NULL, 1, "t", 1, 0, NULL, err));
    NULL_IN("entity_id", policysync_replica_delete_entity(replica, NOW, "T", 1, NULL, 1, 0, NULL, err));
    policysync_buffer_dispose(&buffer);
    policysync_replica_free(replica);
}

void test_nulls(void) {
    test_values_and_lists();
    test_keys_and_ops();
    test_replicas();
    policysync_key_free(NULL);
    policysync_replica_free(NULL);
    policysync_cursor_free(NULL);
    policysync_changes_free(NULL);
    policysync_buffer_dispose(NULL);
}
