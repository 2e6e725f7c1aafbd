/* A shared object, as for an extension or a plugin, that contains the static library. */
#include <policysync.h>

#include <string.h>

/* Writes a field and reads it again; returns 0 on success. */
int plugin(void);

int plugin(void) {
    policysync_replica_options options;
    policysync_key *key = NULL;
    policysync_replica *replica = NULL;
    policysync_buffer value = POLICYSYNC_BUFFER_INIT;
    policysync_field title = { POLICYSYNC_BYTES("Task"), POLICYSYNC_BYTES("t1"), POLICYSYNC_BYTES("title") };
    int works = policysync_key_generate("alice", 5, &key, NULL) == POLICYSYNC_OK &&
                policysync_replica_options_init(&options, sizeof options) == POLICYSYNC_OK;
    if (works) {
        options.key = key;
        works = policysync_replica_open(&options, &replica, NULL) == POLICYSYNC_OK &&
                policysync_replica_set(replica, POLICYSYNC_NOW, &title, "\"Milk\"", 6, POLICYSYNC_JSON, NULL, NULL) ==
                    POLICYSYNC_OK &&
                policysync_replica_get(replica, &title, &value, NULL) == POLICYSYNC_OK &&
                strcmp((const char *)value.data, "\"Milk\"") == 0;
    }
    policysync_buffer_dispose(&value);
    policysync_replica_free(replica);
    policysync_key_free(key);
    return works ? 0 : 1;
}
