/* A replica in a file: reopening, locking, damage, copies. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static policysync_error error = POLICYSYNC_ERROR_INIT;

/* Returns the path of a file in the test's directory. */
static const char *file(const char *name) {
    enum { MOST = 16 };
    static char paths[MOST][128];
    size_t at = 0;
    while (paths[at][0] != 0 && strcmp(paths[at] + strlen(folder) + 1, name) != 0) {
        at++;
        CHECK(at < MOST);
    }
    snprintf(paths[at], sizeof paths[at], "%s/%s", folder, name);
    return paths[at];
}

static policysync_replica_options options_of(const char *path, const policysync_key *key) {
    policysync_replica_options options;
    EXPECT(POLICYSYNC_OK, policysync_replica_options_init(&options, sizeof options));
    options.path = bytes_of(path);
    options.now_ms = NOW;
    options.key = key;
    return options;
}

/* Opens a replica in a file and returns the status. */
static policysync_status try_open(const policysync_replica_options *options, policysync_replica **out) {
    *out = nothing();
    return policysync_replica_open(options, out, &error);
}

static policysync_replica *open_file(const char *path, const policysync_key *key) {
    policysync_replica_options options = options_of(path, key);
    policysync_replica *replica = NULL;
    EXPECT(POLICYSYNC_OK, try_open(&options, &replica));
    return replica;
}

static policysync_status refused(const policysync_replica_options *options) {
    policysync_replica *replica = NULL;
    const policysync_status status = try_open(options, &replica);
    CHECK(replica == NULL && (status == POLICYSYNC_OK || error.status == status));
    return status;
}

static void set(policysync_replica *replica, const char *id, const char *json) {
    policysync_field title = title_of(id);
    EXPECT(POLICYSYNC_OK, policysync_replica_set(replica, NOW, &title, json, strlen(json), 0, NULL, &error));
}

static policysync_digest digest_of(policysync_replica *replica) {
    policysync_digest digest;
    digest.struct_size = sizeof digest;
    EXPECT(POLICYSYNC_OK, policysync_replica_digest(replica, &digest, NULL));
    return digest;
}

static policysync_public_key known(const char *actor, uint8_t seed) {
    policysync_public_key known;
    policysync_key *key = key_of(actor, seed);
    memset(&known, 0, sizeof known);
    known.actor = bytes_of(actor);
    EXPECT(POLICYSYNC_OK, policysync_key_public(key, known.public_key, NULL));
    policysync_key_free(key);
    return known;
}

/* Changes the first occurrence of this text in a file. */
static void spoil(const char *path, const char *text) {
    enum { MOST = 1024 * 1024 };
    char *bytes = malloc(MOST);
    FILE *stream = fopen(path, "r+b");
    size_t len, at;
    CHECK(stream != NULL && bytes != NULL);
    len = fread(bytes, 1, MOST, stream);
    for (at = 0; at + strlen(text) <= len && memcmp(bytes + at, text, strlen(text)) != 0; at++) {
    }
    CHECK(at + strlen(text) <= len);
    CHECK(fseek(stream, (long)at, SEEK_SET) == 0 && fputc('#', stream) == '#' && fclose(stream) == 0);
    free(bytes);
}

static void write_file(const char *path, const char *text) {
    FILE *stream = fopen(path, "wb");
    CHECK(stream != NULL && fputs(text, stream) >= 0 && fclose(stream) == 0);
}

/* A library without the feature has all functions, which return ERR_UNSUPPORTED. */
static int has_files(void) {
    policysync_replica_options options = options_of(file("probe"), NULL);
    policysync_store_report report = {sizeof report, 0, 0, 0};
    policysync_replica *replica = NULL;
    policysync_status status = try_open(&options, &replica);
    policysync_replica_free(replica);
    if (status == POLICYSYNC_OK) {
        CHECK(unlink(file("probe")) == 0);
        return 1;
    }
    CHECK(status == POLICYSYNC_ERR_UNSUPPORTED && strstr(error.message, "sqlite") != NULL);
    EXPECT(POLICYSYNC_ERR_UNSUPPORTED, policysync_store_verify(&options, &report, NULL, NULL));
    EXPECT(POLICYSYNC_ERR_UNSUPPORTED, policysync_store_salvage(&options, "x", 1, &report, NULL, NULL));
    replica = replica_of(NULL, 0);
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_replica_back_up(replica, "x", 1, NULL));
    policysync_replica_free(replica);
    return 0;
}

static void test_that_it_is_as_it_was(const policysync_key *alice) {
    const char *path = file("a");
    policysync_replica *replica = open_file(path, alice);
    policysync_replica *second = NULL;
    policysync_replica_options options = options_of(path, alice);
    policysync_field title = title_of("t1");
    policysync_buffer text = POLICYSYNC_BUFFER_INIT;
    policysync_hlc last, again;
    policysync_digest before, after;
    uint64_t number = 7;

    EXPECT(POLICYSYNC_NOT_FOUND, policysync_replica_clock(replica, &last, NULL));
    EXPECT(POLICYSYNC_NOT_FOUND, policysync_replica_has_changes(replica, NULL));
    set(replica, "t1", "1");
    set(replica, "t1", "2");
    EXPECT(POLICYSYNC_OK, policysync_replica_has_changes(replica, NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_clock(replica, &last, NULL));
    CHECK(last.t == NOW && last.c == 1);
    EXPECT(POLICYSYNC_OK, policysync_replica_actor(replica, &text, NULL));
    CHECK(holds(&text, "alice"));
    before = digest_of(replica);

    EXPECT(POLICYSYNC_ERR_OPEN_HERE, refused(&options));
    CHECK(strncmp(error.message, path, strlen(path)) == 0);
    CHECK(strcmp(error.message + strlen(path), ": this process has the store open already") == 0);
    policysync_replica_free(replica);

    replica = open_file(path, alice);
    after = digest_of(replica);
    CHECK(memcmp(&before, &after, sizeof before) == 0 && after.count == 2);
    EXPECT(POLICYSYNC_OK, policysync_replica_get(replica, &title, &text, NULL));
    CHECK(holds(&text, "2"));
    EXPECT(POLICYSYNC_OK, policysync_replica_clock(replica, &again, NULL));
    CHECK(memcmp(&last, &again, sizeof last) == 0);
    /* Existing fields are not changes. */
    EXPECT(POLICYSYNC_NOT_FOUND, policysync_replica_has_changes(replica, NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_horizon(replica, &number, NULL));
    CHECK(number == NOW + 600000);
    EXPECT(POLICYSYNC_NOT_FOUND, policysync_replica_next_due(replica, &number, NULL));
    CHECK(number == NOW + 600000);

    /* A cursor keeps the file open, whatever is freed first. */
    {
        policysync_cursor *cursor = NULL;
        policysync_op op;
        size_t count = 0;
        EXPECT(POLICYSYNC_OK, policysync_cursor_open(replica, 1, &cursor, NULL));
        policysync_replica_free(replica);
        EXPECT(POLICYSYNC_ERR_OPEN_HERE, refused(&options));
        EXPECT(POLICYSYNC_OK, policysync_cursor_next(cursor, &op, sizeof op, 1, &count, NULL));
        CHECK(count == 1 && op.c == 1);
        policysync_cursor_free(cursor);
    }
    EXPECT(POLICYSYNC_OK, try_open(&options, &second));

    /* The file was moved: a write would be lost. */
    CHECK(rename(path, file("elsewhere")) == 0);
    EXPECT(POLICYSYNC_ERR_MOVED, policysync_replica_set(second, NOW, &title, "3", 1, 0, NULL, &error));
    CHECK(rename(file("elsewhere"), path) == 0);
    EXPECT(POLICYSYNC_OK, policysync_replica_get(second, &title, &text, NULL));
    CHECK(holds(&text, "2"));
    set(second, "t1", "3");
    policysync_replica_free(second);

    /* Undefined values of members. */
    options.durability = POLICYSYNC_DURABILITY_PROCESS_ONLY;
    EXPECT(POLICYSYNC_OK, try_open(&options, &second));
    policysync_replica_free(second);
    options.durability = 2;
    EXPECT(POLICYSYNC_ERR_ARGUMENT, refused(&options));
    options.durability = 0;
    options.reserved_2 = 1;
    EXPECT(POLICYSYNC_ERR_ARGUMENT, refused(&options));
    options.reserved_2 = 0;
    options.space = bytes_of("another");
    EXPECT(POLICYSYNC_ERR_WRONG_SPACE, refused(&options));
    policysync_buffer_dispose(&text);
}

static void test_that_keys_are_needed_or_a_seal(const policysync_key *alice) {
    const char *path = file("b");
    struct {
        policysync_public_key key;
        uint64_t more;
    } keys[2];
    uint8_t seal_key[32] = {1};
    policysync_replica *replica = open_file(path, alice);
    policysync_replica_options options = options_of(path, NULL);
    policysync_store_report report = {sizeof report, 9, 9, 9};
    policysync_buffer findings = POLICYSYNC_BUFFER_INIT;
    policysync_digest digest;

    set(replica, "t1", "1");
    set(replica, "t2", "2");
    digest = digest_of(replica);
    policysync_replica_free(replica);

    EXPECT(POLICYSYNC_ERR_UNKNOWN_KEY, refused(&options));
    CHECK(error.op_index == 0);
    EXPECT(POLICYSYNC_OK, policysync_store_verify(&options, &report, &findings, NULL));
    CHECK(report.findings == 2 && report.operations == 0 && report.seal == POLICYSYNC_SEAL_UNCHECKED);
    CHECK(mentions(&findings, "{\"place\":\"operation\",\"opSeq\":0,\"damage\":\"unknown_key\",\"text\":\"no key"));

    memset(keys, 0, sizeof keys);
    keys[0].key = known("bob", 2);
    keys[1].key = known("alice", 1);
    options.keys = &keys[0].key;
    options.keys_stride = sizeof keys[0];
    options.keys_count = 2;
    EXPECT(POLICYSYNC_OK, try_open(&options, &replica));
    policysync_replica_free(replica);
    EXPECT(POLICYSYNC_OK, policysync_store_verify(&options, &report, &findings, NULL));
    CHECK(report.findings == 0 && report.operations == 2 && holds(&findings, "[]"));

    /* An error about a key names the element. */
    keys[1].key.actor.len = 0;
    EXPECT(POLICYSYNC_ERR_IDENTIFIER, refused(&options));
    CHECK(error.op_index == 1);
    keys[1].key.actor = bytes_of("bob");
    keys[1].key.kid = bytes_of("x");
    keys[0].key.kid = bytes_of("x");
    EXPECT(POLICYSYNC_ERR_KEY_TAKEN, refused(&options));
    CHECK(error.op_index == 1);
    memset(keys[0].key.public_key, 0, 32);
    EXPECT(POLICYSYNC_ERR_KEY, refused(&options));
    CHECK(error.op_index == 0);
    keys[0].key.actor.data = NULL;
    EXPECT(POLICYSYNC_ERR_NULL, refused(&options));
    options.keys_stride = sizeof keys[0].key - 1;
    EXPECT(POLICYSYNC_ERR_VERSION, refused(&options));
    options.keys_count = SIZE_MAX;
    options.keys_stride = sizeof keys[0].key;
    EXPECT(POLICYSYNC_ERR_ARGUMENT, refused(&options));
    options.keys = NULL;
    EXPECT(POLICYSYNC_ERR_NULL, refused(&options));
    options.keys_count = 0;

    /* The file is verified and sealed; then the seal replaces verifying the signatures. */
    options.key = alice;
    options.seal_key = seal_key;
    EXPECT(POLICYSYNC_OK, try_open(&options, &replica));
    policysync_replica_free(replica);
    options.key = NULL;
    EXPECT(POLICYSYNC_OK, try_open(&options, &replica));
    policysync_replica_free(replica);
    EXPECT(POLICYSYNC_OK, policysync_store_verify(&options, &report, NULL, NULL));
    CHECK(report.seal == POLICYSYNC_SEAL_FITS && report.findings == 0 && report.operations == 2);
    seal_key[0] = 2;
    EXPECT(POLICYSYNC_ERR_SEAL_KEY, refused(&options));
    CHECK(strstr(error.message, ": the store was sealed with another key") != NULL);
    EXPECT(POLICYSYNC_ERR_SEAL_KEY, policysync_store_verify(&options, &report, NULL, NULL));
    options.flags = POLICYSYNC_DANGEROUSLY_UNVERIFIED;
    EXPECT(POLICYSYNC_ERR_ARGUMENT, refused(&options));
    options.flags = 0;
    options.seal_key = NULL;

    /* The file may hold more than the digest, not less. */
    options.key = alice;
    options.at_least = &digest;
    EXPECT(POLICYSYNC_OK, try_open(&options, &replica));
    set(replica, "t3", "3");
    policysync_replica_free(replica);
    EXPECT(POLICYSYNC_OK, try_open(&options, &replica));
    policysync_replica_free(replica);
    digest.log[0] ^= 1;
    EXPECT(POLICYSYNC_ERR_ROLLED_BACK, refused(&options));
    digest.log[0] ^= 1;
    digest.count = 4;
    EXPECT(POLICYSYNC_ERR_ROLLED_BACK, refused(&options));
    digest.struct_size = 4;
    EXPECT(POLICYSYNC_ERR_VERSION, refused(&options));
    policysync_buffer_dispose(&findings);
}

static void test_damage(const policysync_key *alice) {
    const char *path = file("c");
    policysync_replica *replica = open_file(path, alice);
    policysync_replica_options options = options_of(path, alice);
    policysync_store_report report = {sizeof report, 0, 0, 0};
    policysync_buffer findings = POLICYSYNC_BUFFER_INIT;
    policysync_field title = title_of("t1");

    set(replica, "t1", "\"first\"");
    set(replica, "t2", "\"needle\"");
    set(replica, "t3", "\"third\"");
    /* The file is open. */
    EXPECT(POLICYSYNC_ERR_OPEN_HERE, policysync_store_verify(&options, &report, &findings, &error));
    EXPECT(POLICYSYNC_ERR_OPEN_HERE, policysync_store_salvage(&options, file("saved"), strlen(file("saved")), &report,
                                                           &findings, &error));
    policysync_replica_free(replica);

    spoil(path, "needle");
    EXPECT(POLICYSYNC_ERR_CORRUPT, refused(&options));
    CHECK(error.op_index == 1 && strstr(error.message, ": operation number 1 of the store is damaged: ") != NULL);
    EXPECT(POLICYSYNC_OK, policysync_store_verify(&options, &report, &findings, &error));
    CHECK(report.operations == 2 && report.findings == 1);
    CHECK(holds(&findings, "[{\"place\":\"operation\",\"opSeq\":1,\"damage\":\"hash\","
                           "\"text\":\"the operation has another hash\"}]"));

    EXPECT(POLICYSYNC_OK, policysync_store_salvage(&options, file("saved"), strlen(file("saved")), &report, &findings,
                                                   &error));
    CHECK(report.operations == 2 && report.findings == 1 && mentions(&findings, "\"opSeq\":1"));
    EXPECT(POLICYSYNC_ERR_EXISTS, policysync_store_salvage(&options, file("saved"), strlen(file("saved")), &report,
                                                           NULL, &error));
    replica = open_file(file("saved"), alice);
    EXPECT(POLICYSYNC_OK, policysync_replica_get(replica, &title, &findings, NULL));
    CHECK(holds(&findings, "\"first\""));
    title = title_of("t2");
    EXPECT(POLICYSYNC_NOT_FOUND, policysync_replica_get(replica, &title, &findings, NULL));
    policysync_replica_free(replica);
    policysync_buffer_dispose(&findings);
}

static void test_copies(const policysync_key *alice) {
    const char *path = file("d"), *copy = file("copy");
    policysync_replica *replica = open_file(path, alice);
    policysync_replica *in_memory = replica_of(NULL, 0);
    policysync_public_key key = known("alice", 1);
    policysync_replica_options options = options_of(copy, alice);
    policysync_digest before = digest_of(replica), after;

    set(replica, "t1", "1");
    before = digest_of(replica);
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_replica_back_up(in_memory, copy, strlen(copy), &error));
    EXPECT(POLICYSYNC_OK, policysync_replica_back_up(replica, copy, strlen(copy), &error));
    EXPECT(POLICYSYNC_ERR_EXISTS, policysync_replica_back_up(replica, copy, strlen(copy), &error));
    EXPECT(POLICYSYNC_ERR_NOT_A_STORE, policysync_replica_back_up(replica, "/", 1, &error));
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_replica_back_up(replica, NULL, 0, &error));
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_replica_back_up(replica, copy, SIZE_MAX, &error));
    policysync_replica_free(in_memory);
    policysync_replica_free(replica);

    EXPECT(POLICYSYNC_ERR_RESTORED_BACKUP, refused(&options));
    options.key = NULL;
    options.keys = &key;
    options.keys_stride = sizeof key;
    options.keys_count = 1;
    EXPECT(POLICYSYNC_OK, try_open(&options, &replica));
    after = digest_of(replica);
    CHECK(memcmp(&before, &after, sizeof before) == 0);
    policysync_replica_free(replica);
}

/* While the file is released another replica writes to it. */
static void test_release(const policysync_key *alice) {
    const char *path = file("r");
    policysync_replica *replica = open_file(path, alice), *other = NULL;
    policysync_replica *in_memory = replica_of(NULL, 0);
    policysync_replica_options options = options_of(path, alice);
    policysync_field title = title_of("t1");
    policysync_buffer value = POLICYSYNC_BUFFER_INIT;
    uint64_t count = 9;

    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_replica_release_store(in_memory, &error));
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_replica_reacquire_store(in_memory, NOW, &count, &error));
    policysync_replica_free(in_memory);
    set(replica, "t1", "1");
    EXPECT(POLICYSYNC_ERR_OPEN_HERE, refused(&options));
    EXPECT(POLICYSYNC_OK, policysync_replica_release_store(replica, &error));
    EXPECT(POLICYSYNC_ERR_RELEASED, policysync_replica_set(replica, NOW, &title, "2", 1, 0, NULL, &error));
    EXPECT(POLICYSYNC_ERR_RELEASED, policysync_replica_get(replica, &title, &value, &error));
    EXPECT(POLICYSYNC_OK, try_open(&options, &other));
    set(other, "t1", "3");
    EXPECT(POLICYSYNC_ERR_OPEN_HERE, policysync_replica_reacquire_store(replica, NOW, &count, &error));
    policysync_replica_free(other);
    EXPECT(POLICYSYNC_OK, policysync_replica_reacquire_store(replica, NOW, &count, &error));
    CHECK(count == 1);
    EXPECT(POLICYSYNC_OK, policysync_replica_get(replica, &title, &value, &error));
    CHECK(holds(&value, "3"));
    set(replica, "t1", "4");
    EXPECT(POLICYSYNC_OK, policysync_replica_reacquire_store(replica, NOW, NULL, NULL));
    policysync_buffer_dispose(&value);
    policysync_replica_free(replica);
}

static void test_what_is_no_store(void) {
    policysync_replica_options options = options_of(folder, NULL);
    policysync_store_report report = {sizeof report, 0, 0, 0};
    static char longest[5000];
    char with_nul[] = "a\0b";

    EXPECT(POLICYSYNC_ERR_NOT_A_STORE, refused(&options));
    options.path = bytes_of("/");
    EXPECT(POLICYSYNC_ERR_NOT_A_STORE, refused(&options));
    write_file(file("text"), "This is a text, and not at all short: it is longer than the first page of a database would "
                             "have to be for its header to be read, which has one hundred bytes.\n");
    options.path = bytes_of(file("text"));
    EXPECT(POLICYSYNC_ERR_NOT_A_STORE, refused(&options));
    EXPECT(POLICYSYNC_ERR_NOT_A_STORE, policysync_store_verify(&options, &report, NULL, &error));
    write_file(file("empty"), "");
    options.path = bytes_of(file("empty"));
    EXPECT(POLICYSYNC_ERR_CORRUPT, refused(&options));
    CHECK(strstr(error.message, ": the file of the store is damaged: it is empty") != NULL);
    options.path = bytes_of(file("no/such/folder"));
    EXPECT(POLICYSYNC_ERR_IO, refused(&options));
    CHECK(strstr(error.message, "there is no directory") != NULL);
    EXPECT(POLICYSYNC_ERR_IO, policysync_store_verify(&options, &report, NULL, &error));

    memset(longest, 'x', sizeof longest);
    options.path.data = longest;
    options.path.len = sizeof longest;
    EXPECT(POLICYSYNC_ERR_IO, refused(&options));
    options.path.len = SIZE_MAX;
    EXPECT(POLICYSYNC_ERR_ARGUMENT, refused(&options));
    options.path.data = with_nul;
    options.path.len = 3;
    EXPECT(POLICYSYNC_ERR_ARGUMENT, refused(&options));
    options.path.data = NULL;
    EXPECT(POLICYSYNC_ERR_NULL, refused(&options));
    EXPECT(POLICYSYNC_ERR_NULL, policysync_store_verify(&options, &report, NULL, &error));
    options.path.len = 0;
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_store_verify(&options, &report, NULL, &error));
    CHECK(strcmp(error.message, "options.path is empty") == 0);
    report.struct_size = 20;
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_store_verify(&options, &report, NULL, &error));
    options.struct_size = 4;
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_store_verify(&options, &report, NULL, &error));
    CHECK(report.operations == 0);
}

static int asked, destroyed;

static policysync_status tell_time(void *ctx, uint64_t *out_ms) {
    asked++;
    *out_ms = NOW;
    return *(policysync_status *)ctx;
}

static void count_destroyed(void *ctx) {
    (void)ctx;
    destroyed++;
}

static void test_that_the_clock_is_asked_and_destroyed_once(const policysync_key *alice) {
    policysync_status result = 7;
    policysync_clock clock = {sizeof clock, 0, NULL, tell_time, count_destroyed};
    policysync_replica_options options = options_of(file("e"), alice);
    policysync_replica *replica = NULL;
    policysync_store_report report = {sizeof report, 0, 0, 0};
    uint64_t horizon = 0;

    clock.ctx = &result;
    options.clock = &clock;
    options.now_ms = 0;
    EXPECT(POLICYSYNC_ERR_CALLBACK, refused(&options));
    CHECK(asked == 1 && destroyed == 1);
    result = 0;
    EXPECT(POLICYSYNC_OK, try_open(&options, &replica));
    CHECK(asked == 2 && destroyed == 1);
    EXPECT(POLICYSYNC_OK, policysync_replica_horizon(replica, &horizon, NULL));
    CHECK(horizon == NOW + 600000);
    set(replica, "t1", "\"needle\"");
    EXPECT(POLICYSYNC_ERR_OPEN_HERE, refused(&options));
    CHECK(destroyed == 2);
    options.now_ms = POLICYSYNC_NOW;
    EXPECT(POLICYSYNC_ERR_OPEN_HERE, refused(&options));
    CHECK(asked == 4 && destroyed == 3);
    policysync_replica_free(replica);
    CHECK(destroyed == 4);
    spoil(file("e"), "needle");
    EXPECT(POLICYSYNC_ERR_CORRUPT, refused(&options));
    CHECK(destroyed == 5);
    /* A check does not take the callbacks over. */
    EXPECT(POLICYSYNC_OK, policysync_store_verify(&options, &report, NULL, NULL));
    CHECK(report.findings == 1 && asked == 5 && destroyed == 5);
}

void test_store(void) {
    static const char *const files[] = {"a", "b", "c", "d", "e", "r", "saved", "copy", "text", "empty"};
    const char *parent = getenv("TMPDIR");
    size_t n;
    snprintf(folder, sizeof folder, "%s/policysync-XXXXXX", parent == NULL || strlen(parent) > 40 ? "/tmp" : parent);
    CHECK(mkdtemp(folder) != NULL);
    if (has_files()) {
        policysync_key *alice = key_of("alice", 1);
        test_that_it_is_as_it_was(alice);
        test_that_keys_are_needed_or_a_seal(alice);
        test_damage(alice);
        test_copies(alice);
        test_release(alice);
        test_what_is_no_store();
        test_that_the_clock_is_asked_and_destroyed_once(alice);
        policysync_key_free(alice);
        for (n = 0; n < sizeof files / sizeof files[0]; n++) {
            CHECK(unlink(file(files[n])) == 0);
        }
    }
    /* No other file is left in the directory. */
    CHECK(rmdir(folder) == 0);
}
