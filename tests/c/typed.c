/* Values without JSON: typed set and get, lists, and deleting an entity. */
#include "check.h"

static policysync_field field_of(const char *path) {
    policysync_field field = title_of("t1");
    field.path = bytes_of(path);
    return field;
}

static void test_typed_values(void) {
    policysync_replica *alice = replica_of("alice", 1);
    policysync_error error = POLICYSYNC_ERROR_INIT;
    policysync_buffer text = POLICYSYNC_BUFFER_INIT;
    const policysync_field title = field_of("title"), count = field_of("count"), ratio = field_of("ratio"),
                           done = field_of("done"), icon = field_of("icon"), none = field_of("none");
    const uint8_t bytes[3] = {0xff, 0x00, 0xfe};
    int64_t integer = 7;
    int32_t truth = 7;
    double number = 7;

    EXPECT(POLICYSYNC_OK,
           policysync_replica_set_text(alice, NOW, &title, "a \"b\"\n", 6, POLICYSYNC_JSON, &text, NULL));
    CHECK(mentions(&text, "\"value\":\"a \\\"b\\\"\\n\""));
    EXPECT(POLICYSYNC_OK, policysync_replica_set_integer(alice, NOW, &count, INT64_C(-9007199254740991), 0, NULL, NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_set_double(alice, NOW, &ratio, 0.25, 0, NULL, NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_set_bool(alice, NOW, &done, 1, 0, NULL, NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_set_bytes(alice, NOW, &icon, bytes, sizeof bytes, 0, NULL, NULL));

    EXPECT(POLICYSYNC_OK, policysync_replica_get_text(alice, &title, &text, NULL));
    CHECK(holds(&text, "a \"b\"\n"));
    EXPECT(POLICYSYNC_OK, policysync_replica_get_integer(alice, &count, &integer, NULL));
    CHECK(integer == INT64_C(-9007199254740991));
    EXPECT(POLICYSYNC_OK, policysync_replica_get_double(alice, &ratio, &number, NULL));
    CHECK(number > 0.24 && number < 0.26);
    EXPECT(POLICYSYNC_OK, policysync_replica_get_double(alice, &count, &number, NULL));
    CHECK(number < -9007199254740990.0);
    EXPECT(POLICYSYNC_OK, policysync_replica_get_bool(alice, &done, &truth, NULL));
    CHECK(truth == 1);
    EXPECT(POLICYSYNC_OK, policysync_replica_get_bytes(alice, &icon, &text, NULL));
    CHECK(text.len == 3 && memcmp(text.data, bytes, 3) == 0);
    EXPECT(POLICYSYNC_OK, policysync_replica_get(alice, &icon, &text, NULL));
    CHECK(holds(&text, "\"_wD-\""));

    /* A field without a value, and values of other types: the outputs are unchanged. */
    EXPECT(POLICYSYNC_NOT_FOUND, policysync_replica_get_integer(alice, &none, &integer, NULL));
    EXPECT(POLICYSYNC_NOT_FOUND, policysync_replica_get_text(alice, &none, &text, NULL));
    EXPECT(POLICYSYNC_ERR_TYPE, policysync_replica_get_integer(alice, &ratio, &integer, &error));
    CHECK(strcmp(error.message, "the value is a number, not an integer of 64 bits") == 0);
    EXPECT(POLICYSYNC_ERR_TYPE, policysync_replica_get_text(alice, &count, &text, &error));
    CHECK(strcmp(error.message, "the value is a number, not a text") == 0);
    EXPECT(POLICYSYNC_ERR_TYPE, policysync_replica_get_bool(alice, &title, &truth, &error));
    EXPECT(POLICYSYNC_ERR_TYPE, policysync_replica_get_double(alice, &done, &number, &error));
    EXPECT(POLICYSYNC_ERR_TYPE, policysync_replica_get_bytes(alice, &title, &text, &error));
    CHECK(strcmp(error.message, "the value is a string, not bytes in base64url") == 0);
    CHECK(integer == INT64_C(-9007199254740991) && truth == 1 && holds(&text, "\"_wD-\""));

    /* Values that JSON has no exact form for. */
    EXPECT(POLICYSYNC_ERR_VALUE, policysync_replica_set_integer(alice, NOW, &count, INT64_MAX, 0, NULL, &error));
    EXPECT(POLICYSYNC_ERR_VALUE, policysync_replica_set_double(alice, NOW, &ratio, -0.0, 0, NULL, &error));
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_replica_set_bool(alice, NOW, &done, 2, 0, NULL, &error));
    CHECK(strcmp(error.message, "value is 2, neither 0 nor 1") == 0);
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_replica_set_text(alice, NOW, &title, "\xff", 1, 0, NULL, &error));

    /* Text where JSON is required: the error shows the quotes. */
    EXPECT(POLICYSYNC_ERR_VALUE, policysync_replica_set(alice, NOW, &title, "Hello world", 11, 0, NULL, &error));
    CHECK(strcmp(error.message, "not a JSON value (a string has quotes: \"Hello world\") at byte 0") == 0);
    policysync_buffer_dispose(&text);
    policysync_replica_free(alice);
}

/* Returns the names of a list, each followed by a comma, and frees it. */
static const char *names(policysync_list *list) {
    static char all[100];
    policysync_item item = POLICYSYNC_ITEM_INIT;
    policysync_status status;
    size_t len = 0;
    while ((status = policysync_list_next(list, &item, NULL)) == POLICYSYNC_OK) {
        CHECK(item.name.len > 0 && len + item.name.len + 2 < sizeof all);
        memcpy(all + len, item.name.data, item.name.len);
        len += item.name.len;
        all[len++] = ',';
    }
    CHECK(status == POLICYSYNC_DONE);
    EXPECT(POLICYSYNC_DONE, policysync_list_next(list, &item, NULL));
    all[len] = 0;
    policysync_list_free(list);
    return all;
}

static int is(policysync_bytes bytes, const char *text) {
    return bytes.len == strlen(text) && (bytes.len == 0 || memcmp(bytes.data, text, bytes.len) == 0);
}

static void test_lists(void) {
    policysync_replica *alice = replica_of("alice", 1);
    policysync_list *list = NULL;
    policysync_page page = POLICYSYNC_PAGE_INIT;
    policysync_error error = POLICYSYNC_ERROR_INIT;
    policysync_field note = {POLICYSYNC_BYTES("Note"), POLICYSYNC_BYTES("n"), POLICYSYNC_BYTES("text")};
    const char *ids[] = {"a1", "b1", "b2", "b3"};
    uint64_t count = 77;
    size_t n;

    EXPECT(POLICYSYNC_OK, policysync_replica_kinds(alice, &list, NULL));
    CHECK(strcmp(names(list), "") == 0);
    for (n = 0; n < 4; n++) {
        policysync_field title = title_of(ids[n]);
        EXPECT(POLICYSYNC_OK, policysync_replica_set_text(alice, NOW, &title, "x", 1, 0, NULL, NULL));
    }
    EXPECT(POLICYSYNC_OK, policysync_replica_set_text(alice, NOW, &note, "x", 1, 0, NULL, NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_kinds(alice, &list, NULL));
    CHECK(strcmp(names(list), "Note,Task,") == 0);
    EXPECT(POLICYSYNC_OK, policysync_replica_count_entities(alice, "Task", 4, NULL, 0, &count, NULL));
    CHECK(count == 4);
    EXPECT(POLICYSYNC_OK, policysync_replica_count_entities(alice, "Task", 4, "b", 1, &count, NULL));
    CHECK(count == 3);

    EXPECT(POLICYSYNC_OK, policysync_replica_entities(alice, "Task", 4, NULL, &list, NULL));
    CHECK(strcmp(names(list), "a1,b1,b2,b3,") == 0);
    page.prefix = bytes_of("b");
    page.max_count = 2;
    EXPECT(POLICYSYNC_OK, policysync_replica_entities(alice, "Task", 4, &page, &list, NULL));
    CHECK(strcmp(names(list), "b1,b2,") == 0);
    page.after = bytes_of("b2");
    EXPECT(POLICYSYNC_OK, policysync_replica_entities(alice, "Task", 4, &page, &list, NULL));
    CHECK(strcmp(names(list), "b3,") == 0);
    page.reserved = 1;
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_replica_entities(alice, "Task", 4, &page, &list, &error));
    CHECK(strcmp(error.message, "page.reserved is not 0") == 0 && list == NULL);
    page.reserved = 0;
    page.struct_size = 8;
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_replica_entities(alice, "Task", 4, &page, &list, &error));

    /* A list outlives the replica and does not change. */
    EXPECT(POLICYSYNC_OK, policysync_replica_entities(alice, "Note", 4, NULL, &list, NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_delete(alice, NOW, &note, 0, NULL, NULL));
    policysync_replica_free(alice);
    CHECK(strcmp(names(list), "n,") == 0);
    policysync_list_free(NULL);
}

static void test_fields(void) {
    policysync_replica *alice = replica_of("alice", 1);
    policysync_list *list = NULL;
    policysync_item item = POLICYSYNC_ITEM_INIT;
    const struct {
        const char *path, *json, *text;
        uint32_t type;
        int64_t integer;
        double number;
    } cases[] = {
        {"a", "null", "", POLICYSYNC_TYPE_NULL, 0, 0},         {"b", "true", "", POLICYSYNC_TYPE_BOOL, 1, 0},
        {"c", "false", "", POLICYSYNC_TYPE_BOOL, 0, 0},        {"d", "-3", "", POLICYSYNC_TYPE_INTEGER, -3, -3},
        {"e", "1.5", "", POLICYSYNC_TYPE_DOUBLE, 0, 1.5},      {"f", "\"x\\ny\"", "x\ny", POLICYSYNC_TYPE_TEXT, 0, 0},
        {"g", "[1]", "", POLICYSYNC_TYPE_ARRAY, 0, 0},         {"h", "{\"i\":1}", "", POLICYSYNC_TYPE_OBJECT, 0, 0},
    };
    const size_t count = sizeof cases / sizeof cases[0];
    size_t n;
    for (n = 0; n < count; n++) {
        policysync_field field = field_of(cases[n].path);
        EXPECT(POLICYSYNC_OK, policysync_replica_set(alice, NOW, &field, cases[n].json, strlen(cases[n].json), 0, NULL, NULL));
    }
    EXPECT(POLICYSYNC_OK, policysync_replica_fields(alice, "Task", 4, "t1", 2, NULL, 0, &list, NULL));
    for (n = 0; n < count; n++) {
        EXPECT(POLICYSYNC_OK, policysync_list_next(list, &item, NULL));
        CHECK(is(item.name, cases[n].path) && is(item.value, cases[n].json) && is(item.text, cases[n].text));
        CHECK(item.value_type == cases[n].type && item.integer == cases[n].integer);
        CHECK(item.number >= cases[n].number && item.number <= cases[n].number);
    }
    EXPECT(POLICYSYNC_DONE, policysync_list_next(list, &item, NULL));
    policysync_list_free(list);
    EXPECT(POLICYSYNC_OK, policysync_replica_fields(alice, "Task", 4, "t1", 2, "b", 1, &list, NULL));
    CHECK(strcmp(names(list), "b,") == 0);
    EXPECT(POLICYSYNC_OK, policysync_replica_kinds(alice, &list, NULL));
    EXPECT(POLICYSYNC_OK, policysync_list_next(list, &item, NULL));
    CHECK(item.value_type == POLICYSYNC_TYPE_NONE && item.value.len == 0);
    item.struct_size = 8;
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_list_next(list, &item, NULL));
    policysync_list_free(list);
    policysync_replica_free(alice);
}

static void test_deleting_an_entity(void) {
    policysync_replica *alice = replica_of("alice", 1);
    policysync_replica *bob = replica_of(NULL, 0);
    policysync_buffer ops = POLICYSYNC_BUFFER_INIT;
    const policysync_field title = field_of("title"), done = field_of("done");
    uint64_t count = 77;

    EXPECT(POLICYSYNC_OK, policysync_replica_set_text(alice, NOW, &title, "x", 1, 0, NULL, NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_set_bool(alice, NOW, &done, 0, 0, NULL, NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_delete_entity(alice, NOW, "Task", 4, "t1", 2, POLICYSYNC_JSON, &ops, NULL));
    CHECK(mentions(&ops, "\"path\":\"done\"") && mentions(&ops, "}\n{") && ops.data[ops.len - 1] == '\n');
    EXPECT(POLICYSYNC_OK, policysync_replica_count_entities(alice, "Task", 4, NULL, 0, &count, NULL));
    CHECK(count == 0);
    EXPECT(POLICYSYNC_OK, policysync_replica_delete_entity(alice, NOW, "Task", 4, "t1", 2, POLICYSYNC_BINARY, &ops, NULL));
    CHECK(ops.len == 0);
    EXPECT(POLICYSYNC_OK, policysync_replica_delete_entity(alice, NOW, "Task", 4, "t1", 2, 0, NULL, NULL));
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_replica_delete_entity(alice, NOW, "Task", 4, "t1", 2, 3, &ops, NULL));
    EXPECT(POLICYSYNC_ERR_READ_ONLY, policysync_replica_delete_entity(bob, NOW, "Task", 4, "t1", 2, 0, NULL, NULL));
    policysync_buffer_dispose(&ops);
    policysync_replica_free(alice);
    policysync_replica_free(bob);
}

void test_typed(void) {
    test_typed_values();
    test_lists();
    test_fields();
    test_deleting_an_entity();
}
