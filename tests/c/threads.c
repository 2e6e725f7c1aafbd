/* Several threads use one replica and one responder. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <pthread.h>
#include <unistd.h>

enum { THREADS = 4, EACH = 25 };

static policysync_replica *shared;

static policysync_replica *in_file(const char *path) {
    policysync_replica_options options;
    policysync_replica *replica = NULL;
    policysync_key *key = key_of("alice", 1);
    EXPECT(POLICYSYNC_OK, policysync_replica_options_init(&options, sizeof options));
    options.key = key;
    options.path = bytes_of(path);
    options.durability = POLICYSYNC_DURABILITY_PROCESS_ONLY;
    EXPECT(POLICYSYNC_OK, policysync_replica_open(&options, &replica, NULL));
    policysync_key_free(key);
    return replica;
}

static void *write_and_read(void *number) {
    policysync_buffer text = POLICYSYNC_BUFFER_INIT;
    policysync_cursor *cursor = NULL;
    policysync_op ops[8];
    size_t count = 0, seen = 0;
    int n;
    for (n = 0; n < EACH; n++) {
        char id[32];
        policysync_field title;
        snprintf(id, sizeof id, "t%d-%d", *(const int *)number, n);
        title = title_of(id);
        EXPECT(POLICYSYNC_OK, policysync_replica_set(shared, NOW, &title, "1", 1, POLICYSYNC_JSON, &text, NULL));
        EXPECT(POLICYSYNC_OK, policysync_replica_get(shared, &title, &text, NULL));
        CHECK(holds(&text, "1"));
    }
    EXPECT(POLICYSYNC_OK, policysync_cursor_open(shared, 0, &cursor, NULL));
    while (policysync_cursor_next(cursor, ops, sizeof ops[0], 8, &count, NULL) == POLICYSYNC_OK) {
        seen += count;
    }
    CHECK(seen >= EACH);
    policysync_cursor_free(cursor);
    policysync_buffer_dispose(&text);
    return NULL;
}

/* In memory, and in a file. */
static void test_in(const char *path) {
    pthread_t threads[THREADS];
    int numbers[THREADS];
    uint64_t position = 0;
    int n;
    shared = path == NULL ? replica_of("alice", 1) : in_file(path);
    for (n = 0; n < THREADS; n++) {
        numbers[n] = n;
        CHECK(pthread_create(&threads[n], NULL, write_and_read, &numbers[n]) == 0);
    }
    for (n = 0; n < THREADS; n++) {
        CHECK(pthread_join(threads[n], NULL) == 0);
    }
    EXPECT(POLICYSYNC_OK, policysync_replica_position(shared, &position, NULL));
    CHECK(position == THREADS * EACH);
    policysync_replica_free(shared);
}

static policysync_responder *responder;

/* A second device, which receives the operations of all threads. */
static void *synchronize(void *number) {
    char actor[16];
    uint8_t seed = (uint8_t)(10 + *(const int *)number);
    policysync_replica *replica;
    policysync_session *session = NULL;
    policysync_buffer request = POLICYSYNC_BUFFER_INIT, answer = POLICYSYNC_BUFFER_INIT;
    policysync_progress progress;
    policysync_sync_result finish;
    policysync_field title = title_of("t1");
    int n;
    snprintf(actor, sizeof actor, "device%d", *(const int *)number);
    replica = replica_of(actor, seed);
    introduce(replica, "alice", 1);
    for (n = 0; n < THREADS; n++) {
        snprintf(actor, sizeof actor, "device%d", n);
        introduce(replica, actor, (uint8_t)(10 + n));
    }
    progress.struct_size = sizeof progress;
    finish.struct_size = sizeof finish;
    for (n = 0; n < EACH; n++) {
        EXPECT(POLICYSYNC_OK, policysync_replica_set(replica, NOW, &title, "1", 1, 0, NULL, NULL));
        EXPECT(POLICYSYNC_OK, policysync_session_new(NULL, NULL, &session, NULL));
        while (policysync_session_next_message(session, replica, &request, NULL) == POLICYSYNC_OK) {
            EXPECT(POLICYSYNC_OK, policysync_responder_respond(responder, shared, NOW, request.data, request.len, &answer,
                                                               NULL, NULL));
            EXPECT(POLICYSYNC_OK, policysync_session_receive(session, replica, NOW, answer.data, answer.len, &progress,
                                                             NULL));
        }
        EXPECT(POLICYSYNC_OK, policysync_session_result(session, &finish, NULL, NULL));
        CHECK(finish.state == POLICYSYNC_SESSION_CONVERGED);
        policysync_session_free(session);
    }
    policysync_buffer_dispose(&request);
    policysync_buffer_dispose(&answer);
    policysync_replica_free(replica);
    return NULL;
}

static void test_sessions(void) {
    pthread_t threads[THREADS];
    int numbers[THREADS];
    uint64_t position = 0;
    int n;
    shared = replica_of("alice", 1);
    EXPECT(POLICYSYNC_OK, policysync_responder_new(NULL, NULL, &responder, NULL));
    for (n = 0; n < THREADS; n++) {
        char actor[16];
        snprintf(actor, sizeof actor, "device%d", n);
        introduce(shared, actor, (uint8_t)(10 + n));
    }
    for (n = 0; n < THREADS; n++) {
        numbers[n] = n;
        CHECK(pthread_create(&threads[n], NULL, synchronize, &numbers[n]) == 0);
    }
    for (n = 0; n < THREADS; n++) {
        CHECK(pthread_join(threads[n], NULL) == 0);
    }
    EXPECT(POLICYSYNC_OK, policysync_replica_position(shared, &position, NULL));
    CHECK(position == THREADS * EACH);
    policysync_responder_free(responder);
    policysync_replica_free(shared);
}

/* Two replicas whose guards read each other's. */
static policysync_replica *pair[2];

static policysync_status look_at_the_other(void *other, const policysync_op *ops, size_t stride, size_t count,
                                           int32_t *verdicts) {
    uint64_t position = 0;
    const policysync_status status = policysync_replica_position(*(policysync_replica **)other, &position, NULL);
    size_t n;
    CHECK(ops != NULL && stride == sizeof *ops);
    CHECK(status == POLICYSYNC_OK || status == POLICYSYNC_ERR_BUSY);
    for (n = 0; n < count; n++) {
        verdicts[n] = POLICYSYNC_ADMIT;
    }
    return POLICYSYNC_OK;
}

static void *write_under_guard(void *own) {
    policysync_field title = title_of("t1");
    int n;
    for (n = 0; n < 20 * EACH; n++) {
        EXPECT(POLICYSYNC_OK,
               policysync_replica_set(*(policysync_replica **)own, NOW, &title, "1", 1, 0, NULL, NULL));
    }
    return NULL;
}

static void test_guards(void) {
    pthread_t threads[2];
    policysync_guard guard = {sizeof guard, 0, NULL, look_at_the_other, NULL};
    policysync_replica_options options;
    policysync_key *key = key_of("alice", 1);
    int n;
    EXPECT(POLICYSYNC_OK, policysync_replica_options_init(&options, sizeof options));
    options.key = key;
    options.guard = &guard;
    for (n = 0; n < 2; n++) {
        guard.ctx = &pair[1 - n];
        EXPECT(POLICYSYNC_OK, policysync_replica_open(&options, &pair[n], NULL));
    }
    for (n = 0; n < 2; n++) {
        CHECK(pthread_create(&threads[n], NULL, write_under_guard, &pair[n]) == 0);
    }
    for (n = 0; n < 2; n++) {
        CHECK(pthread_join(threads[n], NULL) == 0);
    }
    for (n = 0; n < 2; n++) {
        policysync_replica_free(pair[n]);
    }
    policysync_key_free(key);
}

int main(void) {
    char folder[] = "/tmp/policysync-XXXXXX";
    char path[sizeof folder + 2];
    test_in(NULL);
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/a", folder);
    test_in(path);
    CHECK(unlink(path) == 0 && rmdir(folder) == 0);
    test_sessions();
    /* A deadlock ends the program. */
    alarm(120);
    test_guards();
    puts("all threads are done");
    return 0;
}
