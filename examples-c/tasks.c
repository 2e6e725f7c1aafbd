/* Two devices, each with a file, change the same tasks offline, exchange their operations and agree; also after a
 * restart. Operations that were altered or forged on the way are refused. */
#include <policysync.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64 };

static policysync_error error = POLICYSYNC_ERROR_INIT;

static void check(policysync_status status) {
    if (status < 0) {
        fprintf(stderr, "%s: %s\n", policysync_status_name(status), error.message);
        exit(EXIT_FAILURE);
    }
}

static policysync_bytes text(const char *text) {
    policysync_bytes bytes;
    bytes.data = text;
    bytes.len = strlen(text);
    return bytes;
}

/* Opens a device that writes with this key, into this file. Those in the registry are known from the start. */
static policysync_replica *device(const policysync_key *key, const char *path, const policysync_buffer *registry) {
    policysync_replica_options options = POLICYSYNC_REPLICA_OPTIONS_INIT;
    policysync_replica *replica = NULL;
    options.key = key;
    options.path = text(path);
    options.keys_text.data = registry->data;
    options.keys_text.len = registry->len;
    check(policysync_replica_open(&options, &replica, &error));
    return replica;
}

/* Makes the key of a new device. Its seed would stay in the platform's key store; here a passphrase encrypts it. */
static policysync_key *new_key(const char *actor, policysync_buffer *seed) {
    policysync_key *key = NULL;
    check(policysync_key_generate(actor, strlen(actor), &key, &error));
    check(policysync_key_wrap_seed(key, "correct horse", 13, 1, 8192, seed, &error));
    return key;
}

static policysync_key *same_key(const char *actor, const policysync_buffer *seed) {
    policysync_key *key = NULL;
    uint8_t secret[32];
    check(policysync_seed_unwrap((const char *)seed->data, seed->len, "correct horse", 13, secret, &error));
    check(policysync_key_from_seed(actor, strlen(actor), NULL, 0, secret, &key, &error));
    memset(secret, 0, sizeof secret);
    return key;
}

/* Sends a public key as a line of text to another device, which registers it. Its person should be asked first. */
static void introduce(const policysync_key *key, policysync_replica *to) {
    policysync_buffer line = POLICYSYNC_BUFFER_INIT;
    check(policysync_key_public_text(key, &line, &error));
    check(policysync_replica_register_text(to, (const char *)line.data, line.len, &error));
    policysync_buffer_dispose(&line);
}

static policysync_field field_of(const char *task, const char *path) {
    policysync_field field = { POLICYSYNC_BYTES("Task"), { NULL, 0 }, { NULL, 0 } };
    field.entity_id = text(task);
    field.path = text(path);
    return field;
}

static void set_title(policysync_replica *replica, const char *task, const char *title) {
    policysync_field field = field_of(task, "title");
    check(policysync_replica_set_text(replica, POLICYSYNC_NOW, &field, title, strlen(title), 0, NULL, &error));
}

static void set_done(policysync_replica *replica, const char *task, int is_done) {
    policysync_field field = field_of(task, "done");
    check(policysync_replica_set_bool(replica, POLICYSYNC_NOW, &field, is_done, 0, NULL, &error));
}

/* Ingests each operation that `from` has, one on a line, into `to`, and prints the result. The lines may be altered. */
static void deliver(policysync_replica *from, policysync_replica *to, void (*change)(char *lines)) {
    policysync_buffer lines = POLICYSYNC_BUFFER_INIT;
    policysync_bytes ops[MOST];
    policysync_outcome outcomes[MOST];
    size_t count = 0, n;
    char *line;

    check(policysync_replica_export(from, 0, MOST, POLICYSYNC_JSON, &lines, NULL, &error));
    if (change != NULL) {
        change((char *)lines.data);
    }
    for (line = strtok((char *)lines.data, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        ops[count++] = text(line);
    }
    check(policysync_replica_ingest_many(to, POLICYSYNC_NOW, ops, sizeof ops[0], count, outcomes,
                                         sizeof outcomes[0], &error));
    for (n = 0; n < count; n++) {
        printf("  %s\n", policysync_status_name(outcomes[n].status));
    }
    policysync_buffer_dispose(&lines);
}

static void tamper(char *lines) { memcpy(strstr(lines, "milk"), "wine", 4); }

static void compare(policysync_replica *anna, policysync_replica *bob, const char *agree) {
    policysync_digest at_anna = POLICYSYNC_DIGEST_INIT, at_bob = POLICYSYNC_DIGEST_INIT;
    check(policysync_replica_digest(anna, &at_anna, &error));
    check(policysync_replica_digest(bob, &at_bob, &error));
    puts(memcmp(&at_anna, &at_bob, sizeof at_anna) == 0 ? agree : "they differ");
}

/* Prints every field of every task. */
static void show(const char *who, policysync_replica *replica) {
    policysync_list *tasks = NULL, *fields = NULL;
    policysync_item task = POLICYSYNC_ITEM_INIT, field = POLICYSYNC_ITEM_INIT;
    check(policysync_replica_entities(replica, "Task", 4, NULL, &tasks, &error));
    while (policysync_list_next(tasks, &task, &error) == POLICYSYNC_OK) {
        printf("%s sees %.*s:\n", who, (int)task.name.len, (const char *)task.name.data);
        check(policysync_replica_fields(replica, "Task", 4, task.name.data, task.name.len, NULL, 0, &fields, &error));
        while (policysync_list_next(fields, &field, &error) == POLICYSYNC_OK) {
            printf("  %.*s: ", (int)field.name.len, (const char *)field.name.data);
            if (field.value_type == POLICYSYNC_TYPE_TEXT) {
                printf("%.*s\n", (int)field.text.len, (const char *)field.text.data);
            } else {
                printf("%s\n", field.integer == 1 ? "yes" : "no");
            }
        }
        policysync_list_free(fields);
    }
    policysync_list_free(tasks);
}

int main(void) {
    policysync_buffer annas_seed = POLICYSYNC_BUFFER_INIT, other_seed = POLICYSYNC_BUFFER_INIT;
    policysync_buffer registry = POLICYSYNC_BUFFER_INIT;
    /* Mallory claims to be Anna, with a key that is not registered. */
    policysync_key *annas = new_key("anna", &annas_seed), *bobs = new_key("bob", &other_seed),
                   *mallorys = new_key("anna", &other_seed);
    policysync_replica *anna, *bob, *mallory;

    remove("anna.db");
    remove("bob.db");
    remove("mallory.db");
    anna = device(annas, "anna.db", &registry);
    bob = device(bobs, "bob.db", &registry);
    mallory = device(mallorys, "mallory.db", &registry);
    introduce(bobs, anna);
    introduce(annas, bob);

    set_title(anna, "t1", "Buy milk");
    set_done(bob, "t1", 0);
    set_title(bob, "t1", "Buy bread");

    puts("tampered with on the way:");
    deliver(anna, bob, tamper);
    puts("forged by Mallory:");
    set_title(mallory, "t1", "Buy gold");
    deliver(mallory, bob, NULL);
    puts("from Anna to Bob:");
    deliver(anna, bob, NULL);
    puts("from Bob to Anna:");
    deliver(bob, anna, NULL);

    show("Anna", anna);
    show("Bob", bob);
    compare(anna, bob, "they agree");

    /* After a restart Anna has the file, the registry and her seed. */
    check(policysync_replica_keys_text(anna, &registry, &error));
    policysync_replica_free(anna);
    policysync_key_free(annas);
    annas = same_key("anna", &annas_seed);
    anna = device(annas, "anna.db", &registry);
    set_done(anna, "t1", 1);
    deliver(anna, bob, NULL);
    compare(anna, bob, "they agree after a restart");

    policysync_replica_free(anna);
    policysync_replica_free(bob);
    policysync_replica_free(mallory);
    policysync_key_free(annas);
    policysync_key_free(bobs);
    policysync_key_free(mallorys);
    policysync_buffer_dispose(&annas_seed);
    policysync_buffer_dispose(&other_seed);
    policysync_buffer_dispose(&registry);
    return 0;
}
