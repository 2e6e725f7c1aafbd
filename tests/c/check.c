/* Helpers of the C tests. */
#include "check.h"

void check(int holds_it, const char *what, const char *file, int line) {
    if (!holds_it) {
        fprintf(stderr, "%s:%d: not true: %s\n", file, line, what);
        abort();
    }
}

void expect(policysync_status expected, policysync_status found, const char *what, const char *file, int line) {
    if (expected != found) {
        fprintf(stderr, "%s:%d: %s instead of %s: %s\n", file, line, policysync_status_name(found),
                policysync_status_name(expected), what);
        abort();
    }
}

void *nothing(void) { return NULL; }

policysync_key *key_of(const char *actor, uint8_t seed) {
    policysync_key *key = NULL;
    uint8_t bytes[32];
    memset(bytes, seed, sizeof bytes);
    EXPECT(POLICYSYNC_OK, policysync_key_from_seed(actor, strlen(actor), NULL, 0, bytes, &key, NULL));
    return key;
}

policysync_replica *replica_of(const char *actor, uint8_t seed) {
    policysync_replica_options options;
    policysync_replica *replica = NULL;
    policysync_key *key = actor == NULL ? NULL : key_of(actor, seed);
    EXPECT(POLICYSYNC_OK, policysync_replica_options_init(&options, sizeof options));
    options.key = key;
    EXPECT(POLICYSYNC_OK, policysync_replica_open(&options, &replica, NULL));
    policysync_key_free(key);
    return replica;
}

void introduce(policysync_replica *replica, const char *actor, uint8_t seed) {
    policysync_key *key = key_of(actor, seed);
    uint8_t public_key[32];
    EXPECT(POLICYSYNC_OK, policysync_key_public(key, public_key, NULL));
    EXPECT(POLICYSYNC_OK,
           policysync_replica_register_key(replica, actor, strlen(actor), NULL, 0, public_key, NULL));
    policysync_key_free(key);
}

policysync_bytes bytes_of(const char *text) {
    policysync_bytes bytes;
    bytes.data = text;
    bytes.len = strlen(text);
    return bytes;
}

policysync_field title_of(const char *entity_id) {
    policysync_field field;
    field.entity = bytes_of("Task");
    field.entity_id = bytes_of(entity_id);
    field.path = bytes_of("title");
    return field;
}

int holds(const policysync_buffer *buffer, const char *text) {
    return buffer->data != NULL && buffer->len == strlen(text) && memcmp(buffer->data, text, buffer->len + 1) == 0;
}

int mentions(const policysync_buffer *buffer, const char *text) {
    return buffer->data != NULL && strstr((const char *)buffer->data, text) != NULL;
}
