/* Exports and imports bundles through callbacks that fail, stop short and lie. */
#include "check.h"

#define NULL_IN(name, call)                                  \
    do {                                                     \
        error.message[0] = 0;                                \
        EXPECT(POLICYSYNC_ERR_NULL, call);                   \
        CHECK(strcmp(error.message, name " is NULL") == 0);  \
    } while (0)

enum { ROOM = 8 << 20, NEVER = 1 << 30 };

static policysync_error error = POLICYSYNC_ERROR_INIT;
static policysync_error *const err = &error;

/* A file in memory with the behaviour of its callbacks. */
struct file {
    uint8_t *bytes;
    size_t len, at;
    /* The maximum number of bytes that a read gives. */
    size_t step;
    /* The largest piece that was requested or written. */
    size_t largest;
    int calls, fail_at, destroyed;
    /* A number to add to the reported length, and a length to report instead. */
    size_t lie;
    int silent;
    /* The replica that the callback calls. */
    policysync_replica *replica;
};

static struct file empty_file(void) {
    struct file file;
    memset(&file, 0, sizeof file);
    file.bytes = malloc(ROOM);
    CHECK(file.bytes != NULL);
    file.step = SIZE_MAX;
    file.fail_at = NEVER;
    return file;
}

/* No lock is held at this point. */
static void destroy(void *ctx) {
    struct file *file = ctx;
    uint64_t number;
    file->destroyed++;
    if (file->replica != NULL) {
        EXPECT(POLICYSYNC_OK, policysync_replica_position(file->replica, &number, NULL));
    }
}

static void come_back(struct file *file) {
    policysync_field title = title_of("t1");
    uint64_t number;
    policysync_writer writer = {sizeof writer, 0, NULL, NULL, NULL};
    policysync_reader reader = {sizeof reader, 0, NULL, NULL, NULL};
    if (file->replica == NULL) {
        return;
    }
    EXPECT(POLICYSYNC_ERR_BUSY, policysync_replica_set(file->replica, NOW, &title, "1", 1, 0, NULL, NULL));
    EXPECT(POLICYSYNC_ERR_BUSY, policysync_replica_position(file->replica, &number, NULL));
    EXPECT(POLICYSYNC_ERR_NULL, policysync_replica_export_bundle(file->replica, 0, &writer, NULL, NULL));
    EXPECT(POLICYSYNC_ERR_NULL, policysync_replica_import_bundle(file->replica, NOW, &reader, NULL, NULL));
    CHECK(file->destroyed == 0);
}

static policysync_status write_file(void *ctx, const uint8_t *data, size_t len) {
    struct file *file = ctx;
    CHECK(len > 0 && file->len + len <= ROOM && file->calls <= file->fail_at);
    come_back(file);
    if (file->calls++ == file->fail_at) {
        return 5;
    }
    memcpy(file->bytes + file->len, data, len);
    file->len += len;
    file->largest = len > file->largest ? len : file->largest;
    return 0;
}

static policysync_status read_file(void *ctx, uint8_t *out, size_t capacity, size_t *out_len) {
    struct file *file = ctx;
    size_t len = file->len - file->at;
    CHECK(capacity > 0 && file->calls <= file->fail_at);
    come_back(file);
    if (file->calls++ == file->fail_at) {
        return 6;
    }
    file->largest = capacity > file->largest ? capacity : file->largest;
    len = len < capacity ? len : capacity;
    len = len < file->step ? len : file->step;
    memcpy(out, file->bytes + file->at, len);
    file->at += len;
    if (!file->silent) {
        *out_len = file->lie == 0 ? len : capacity + file->lie;
    }
    return 0;
}

static policysync_writer writer_of(struct file *file) {
    policysync_writer writer = {sizeof writer, 0, NULL, write_file, destroy};
    writer.ctx = file;
    file->len = 0;
    file->calls = 0;
    file->destroyed = 0;
    return writer;
}

static policysync_reader reader_of(struct file *file) {
    policysync_reader reader = {sizeof reader, 0, NULL, read_file, destroy};
    reader.ctx = file;
    file->at = 0;
    file->calls = 0;
    file->destroyed = 0;
    return reader;
}

static policysync_status export_to(struct file *file, policysync_replica *replica, policysync_exported *out) {
    policysync_writer writer = writer_of(file);
    policysync_status status = policysync_replica_export_bundle(replica, 0, &writer, out, err);
    CHECK(file->destroyed == 1);
    return status;
}

static policysync_status import_of(struct file *file, policysync_replica *replica, policysync_ingested *out) {
    policysync_reader reader = reader_of(file);
    policysync_status status = policysync_replica_import_bundle(replica, NOW, &reader, out, err);
    CHECK(file->destroyed == 1);
    return status;
}

static policysync_replica *reader_replica(void) {
    policysync_replica *bob = replica_of("bob", 2);
    introduce(bob, "alice", 1);
    return bob;
}

static void write_tasks(policysync_replica *replica, int count, size_t size) {
    char *value = malloc(size + 2);
    int n;
    CHECK(value != NULL);
    memset(value, 'x', size + 2);
    value[0] = value[size + 1] = '"';
    for (n = 0; n < count; n++) {
        char id[16];
        policysync_field title;
        snprintf(id, sizeof id, "t%d", n);
        title = title_of(id);
        EXPECT(POLICYSYNC_OK, policysync_replica_set(replica, NOW, &title, value, size + 2, 0, NULL, NULL));
    }
    free(value);
}

static void test_a_round_trip(void) {
    struct file file = empty_file();
    policysync_replica *alice = replica_of("alice", 1);
    policysync_replica *bob = reader_replica();
    policysync_exported exported;
    policysync_ingested ingested;
    policysync_digest digests[2];
    policysync_writer writer;
    policysync_cursor *cursor = NULL;
    policysync_op ops[3];
    uint8_t hashes[3][32];
    size_t count = 0, step;

    write_tasks(alice, 3, 10);
    memset(&exported, 0x55, sizeof exported);
    exported.struct_size = sizeof exported;
    EXPECT(POLICYSYNC_OK, export_to(&file, alice, &exported));
    CHECK(exported.ops == 3 && exported.bytes == file.len && exported.position == 3 && exported.reserved == 0);
    memset(&ingested, 0x55, sizeof ingested);
    ingested.struct_size = sizeof ingested;
    EXPECT(POLICYSYNC_OK, import_of(&file, bob, &ingested));
    CHECK(ingested.received == 3 && ingested.duplicates == 0 && ingested.refused.bad_signature == 0);
    CHECK(ingested.bytes == file.len && ingested.sent == 0);
    /* Reads of one byte at a time, then of three. */
    for (step = 1; step < 4; step += 2) {
        file.step = step;
        EXPECT(POLICYSYNC_OK, import_of(&file, bob, &ingested));
        CHECK(ingested.received == 0 && ingested.duplicates == 3);
    }
    file.step = SIZE_MAX;
    memset(digests, 0, sizeof digests);
    digests[0].struct_size = digests[1].struct_size = sizeof digests[0];
    EXPECT(POLICYSYNC_OK, policysync_replica_digest(alice, &digests[0], NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_digest(bob, &digests[1], NULL));
    CHECK(memcmp(&digests[0], &digests[1], sizeof digests[0]) == 0);

    /* An export from a position, and from one past the end of any log. */
    writer = writer_of(&file);
    EXPECT(POLICYSYNC_OK, policysync_replica_export_bundle(alice, 2, &writer, &exported, err));
    CHECK(exported.ops == 1);
    writer = writer_of(&file);
    EXPECT(POLICYSYNC_OK, policysync_replica_export_bundle(alice, UINT64_MAX, &writer, &exported, err));
    CHECK(exported.ops == 0);
    EXPECT(POLICYSYNC_OK, import_of(&file, bob, &ingested));
    CHECK(ingested.received == 0 && ingested.duplicates == 0);

    /* An export of chosen operations. */
    EXPECT(POLICYSYNC_OK, policysync_cursor_open(alice, 0, &cursor, NULL));
    EXPECT(POLICYSYNC_OK, policysync_cursor_next(cursor, ops, sizeof ops[0], 3, &count, NULL));
    CHECK(count == 3);
    memcpy(hashes[0], ops[2].hash, 32);
    memcpy(hashes[1], ops[0].hash, 32);
    memset(hashes[2], 9, 32);
    writer = writer_of(&file);
    EXPECT(POLICYSYNC_OK, policysync_replica_export_bundle_of(alice, hashes[0], 2, &writer, &exported, err));
    CHECK(exported.ops == 2 && file.destroyed == 1);
    writer = writer_of(&file);
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_replica_export_bundle_of(alice, hashes[0], 3, &writer, NULL, err));
    CHECK(error.op_index == 2 && strstr(error.message, "is not in the log") != NULL && file.destroyed == 1);
    writer = writer_of(&file);
    EXPECT(POLICYSYNC_OK, policysync_replica_export_bundle_of(alice, NULL, 0, &writer, &exported, err));
    CHECK(exported.ops == 0);
    writer = writer_of(&file);
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_replica_export_bundle_of(alice, hashes[0], SIZE_MAX, &writer, NULL, err));
    CHECK(file.destroyed == 1 && file.calls == 0);
    writer = writer_of(&file);
    EXPECT(POLICYSYNC_ERR_ARGUMENT,
           policysync_replica_export_bundle_of(alice, hashes[0], SIZE_MAX / 32, &writer, NULL, err));
    CHECK(file.destroyed == 1 && file.calls == 0);

    policysync_cursor_free(cursor);
    policysync_replica_free(alice);
    policysync_replica_free(bob);
    free(file.bytes);
}

/* However many frames there are, no piece is larger than one frame. */
static void test_that_pieces_do_not_grow_with_the_bundle(void) {
    struct file file = empty_file();
    policysync_replica *alice = replica_of("alice", 1);
    policysync_replica *bob = reader_replica();
    policysync_ingested ingested;
    write_tasks(alice, 30, 200000);
    EXPECT(POLICYSYNC_OK, export_to(&file, alice, NULL));
    CHECK(file.len > 5 << 20 && file.largest <= (1 << 20) + 16);
    file.largest = 0;
    ingested.struct_size = sizeof ingested;
    EXPECT(POLICYSYNC_OK, import_of(&file, bob, &ingested));
    CHECK(ingested.received == 30 && file.largest <= (1 << 20) + 16);

    /* The second frame is altered: the operations of the first stay, and the error names the place. */
    policysync_replica_free(bob);
    bob = reader_replica();
    file.bytes[3 << 19] ^= 1;
    EXPECT(POLICYSYNC_ERR_DAMAGED, import_of(&file, bob, &ingested));
    CHECK(strstr(error.message, "the bundle is damaged in the frame at byte ") == error.message);
    file.bytes[3 << 19] ^= 1;
    EXPECT(POLICYSYNC_OK, import_of(&file, bob, &ingested));
    CHECK(ingested.duplicates >= 1 && ingested.received + ingested.duplicates == 30);
    policysync_replica_free(alice);
    policysync_replica_free(bob);
    free(file.bytes);
}

static void test_callbacks_that_fail_and_lie(void) {
    struct file file = empty_file();
    policysync_replica *alice = replica_of("alice", 1);
    policysync_replica *bob = reader_replica();
    policysync_exported exported;
    policysync_ingested ingested;
    int calls, at;

    write_tasks(alice, 3, 10);
    EXPECT(POLICYSYNC_OK, export_to(&file, alice, NULL));
    calls = file.calls;
    memset(&exported, 0x55, sizeof exported);
    exported.struct_size = sizeof exported;
    for (at = 0; at < calls; at++) {
        file.fail_at = at;
        EXPECT(POLICYSYNC_ERR_CALLBACK, export_to(&file, alice, &exported));
        CHECK(strcmp(error.message, "the writer failed with status 5") == 0);
        CHECK(file.calls == at + 1 && exported.ops == UINT64_C(0x5555555555555555));
    }
    file.fail_at = NEVER;
    EXPECT(POLICYSYNC_OK, export_to(&file, alice, NULL));

    file.step = 100;
    memset(&ingested, 0x55, sizeof ingested);
    ingested.struct_size = sizeof ingested;
    EXPECT(POLICYSYNC_OK, import_of(&file, alice, NULL));
    calls = file.calls;
    for (at = 0; at < calls; at++) {
        file.fail_at = at;
        EXPECT(POLICYSYNC_ERR_CALLBACK, import_of(&file, bob, &ingested));
        CHECK(strcmp(error.message, "the reader failed with status 6") == 0);
        CHECK(file.calls == at + 1 && ingested.received == UINT64_C(0x5555555555555555));
    }
    file.fail_at = NEVER;
    file.lie = 1;
    EXPECT(POLICYSYNC_ERR_CALLBACK, import_of(&file, bob, NULL));
    CHECK(strstr(error.message, "the reader set out_len to ") == error.message && file.calls == 1);
    file.lie = SIZE_MAX / 2;
    EXPECT(POLICYSYNC_ERR_CALLBACK, import_of(&file, bob, NULL));
    file.lie = 0;
    file.silent = 1;
    EXPECT(POLICYSYNC_ERR_CALLBACK, import_of(&file, bob, NULL));
    CHECK(strcmp(error.message, "the reader did not set out_len") == 0);
    free(file.bytes);
    policysync_replica_free(alice);
    policysync_replica_free(bob);
}

static void test_bundles_cut_and_changed(void) {
    struct file file = empty_file();
    policysync_replica *alice = replica_of("alice", 1);
    policysync_replica *bob;
    policysync_status status;
    uint64_t count;
    size_t len, at;

    write_tasks(alice, 2, 10);
    EXPECT(POLICYSYNC_OK, export_to(&file, alice, NULL));
    len = file.len;
    for (at = 0; at <= len; at++) {
        bob = reader_replica();
        file.len = at == len ? len + 1 : at;
        file.bytes[len] = 0;
        EXPECT(POLICYSYNC_ERR_DAMAGED, import_of(&file, bob, NULL));
        CHECK(strstr(error.message, at == len ? "bytes follow the end" : "is cut short at byte ") != NULL);
        policysync_replica_free(bob);
    }
    file.len = len;
    bob = reader_replica();
    for (at = 0; at < len; at++) {
        file.bytes[at] ^= 0x80;
        status = import_of(&file, bob, NULL);
        CHECK(status == POLICYSYNC_ERR_DAMAGED || status == POLICYSYNC_ERR_MALFORMED ||
              status == POLICYSYNC_ERR_PEER_VERSION || status == POLICYSYNC_ERR_WRONG_SPACE);
        file.bytes[at] ^= 0x80;
    }
    file.bytes[0] ^= 1;
    EXPECT(POLICYSYNC_ERR_MALFORMED, import_of(&file, bob, NULL));
    file.bytes[0] ^= 1;
    file.bytes[8]++;
    EXPECT(POLICYSYNC_ERR_PEER_VERSION, import_of(&file, bob, NULL));
    file.bytes[8]--;
    {
        policysync_replica_options options;
        policysync_replica *elsewhere = NULL;
        EXPECT(POLICYSYNC_OK, policysync_replica_options_init(&options, sizeof options));
        options.space = bytes_of("elsewhere");
        EXPECT(POLICYSYNC_OK, policysync_replica_open(&options, &elsewhere, NULL));
        EXPECT(POLICYSYNC_ERR_WRONG_SPACE, import_of(&file, elsewhere, NULL));
        policysync_replica_free(elsewhere);
    }
    /* The frame precedes its damaged end; when that is repaired, every operation is imported. */
    EXPECT(POLICYSYNC_OK, import_of(&file, bob, NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_position(bob, &count, NULL));
    CHECK(count == 2);
    policysync_replica_free(alice);
    policysync_replica_free(bob);
    free(file.bytes);
}

static void test_coming_back(void) {
    struct file file = empty_file();
    policysync_replica *alice = replica_of("alice", 1);
    write_tasks(alice, 2, 10);
    file.replica = alice;
    EXPECT(POLICYSYNC_OK, export_to(&file, alice, NULL));
    EXPECT(POLICYSYNC_OK, import_of(&file, alice, NULL));
    policysync_replica_free(alice);
    free(file.bytes);
}

/* Whatever is wrong with the call, a context that was taken over is destroyed once. */
static void test_that_destroy_is_called_once(void) {
    struct file file = empty_file();
    policysync_replica *alice = replica_of("alice", 1);
    policysync_writer writer = writer_of(&file);
    policysync_reader reader;
    policysync_exported exported;
    policysync_ingested ingested;

    NULL_IN("replica", policysync_replica_export_bundle(nothing(), 0, &writer, NULL, err));
    CHECK(file.destroyed == 1);
    NULL_IN("replica", policysync_replica_export_bundle_of(nothing(), NULL, 0, &writer, NULL, err));
    CHECK(file.destroyed == 2);
    NULL_IN("hashes", policysync_replica_export_bundle_of(alice, NULL, 1, &writer, NULL, err));
    CHECK(file.destroyed == 3);
    NULL_IN("writer", policysync_replica_export_bundle(alice, 0, nothing(), NULL, err));
    NULL_IN("writer", policysync_replica_export_bundle_of(alice, NULL, 0, nothing(), NULL, err));
    writer.write = NULL;
    NULL_IN("writer.write", policysync_replica_export_bundle(alice, 0, &writer, NULL, err));
    CHECK(file.destroyed == 4);
    writer.write = write_file;
    writer.reserved = 1;
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_replica_export_bundle(alice, 0, &writer, NULL, err));
    CHECK(file.destroyed == 5);
    writer.reserved = 0;
    exported.struct_size = 0;
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_replica_export_bundle(alice, 0, &writer, &exported, err));
    CHECK(file.destroyed == 6);
    /* A struct_size too small to contain `destroy`: the context is not taken over. */
    writer.struct_size = sizeof writer - 8;
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_replica_export_bundle(alice, 0, &writer, NULL, err));
    CHECK(file.destroyed == 6 && file.calls == 0);
    writer.struct_size = sizeof writer;
    writer.destroy = NULL;
    EXPECT(POLICYSYNC_OK, policysync_replica_export_bundle(alice, 0, &writer, NULL, err));

    reader = reader_of(&file);
    NULL_IN("replica", policysync_replica_import_bundle(nothing(), NOW, &reader, NULL, err));
    CHECK(file.destroyed == 1);
    NULL_IN("reader", policysync_replica_import_bundle(alice, NOW, nothing(), NULL, err));
    reader.read = NULL;
    NULL_IN("reader.read", policysync_replica_import_bundle(alice, NOW, &reader, NULL, err));
    CHECK(file.destroyed == 2);
    reader.read = read_file;
    reader.reserved = 1;
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_replica_import_bundle(alice, NOW, &reader, NULL, err));
    CHECK(file.destroyed == 3);
    reader.reserved = 0;
    ingested.struct_size = 8;
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_replica_import_bundle(alice, NOW, &reader, &ingested, err));
    CHECK(file.destroyed == 4);
    reader.struct_size = 8;
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_replica_import_bundle(alice, NOW, &reader, NULL, err));
    CHECK(file.destroyed == 4 && file.calls == 0);
    policysync_replica_free(alice);
    free(file.bytes);
}

void test_bundles(void) {
    test_a_round_trip();
    test_that_pieces_do_not_grow_with_the_bundle();
    test_callbacks_that_fail_and_lie();
    test_bundles_cut_and_changed();
    test_coming_back();
    test_that_destroy_is_called_once();
}
