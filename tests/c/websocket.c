/* WebSocket, with the relay of the examples, whose address is in the environment, and without any server. */
#include "check.h"

/* A call that must fail with ERR_NULL and name the parameter. */
#define NULL_IN(name, call)                                  \
    do {                                                     \
        error.message[0] = 0;                                \
        EXPECT(POLICYSYNC_ERR_NULL, call);                   \
        CHECK(strcmp(error.message, name " is NULL") == 0);  \
    } while (0)

static policysync_error error = POLICYSYNC_ERROR_INIT;
static policysync_error *const err = &error;

static policysync_client_options options_of(const char *token) {
    policysync_client_options options;
    EXPECT(POLICYSYNC_OK, policysync_client_options_init(&options, sizeof options));
    options.bearer_token = bytes_of(token);
    options.wait_ms = 5;
    options.connect_timeout_ms = 60000;
    options.ping_after_ms = 20000;
    options.silence_ms = 60000;
    options.progress_timeout_ms = 60000;
    return options;
}

static policysync_websocket_client *line_to(const char *url, const char *token) {
    policysync_client_options options = options_of(token);
    policysync_websocket_client *line = NULL;
    EXPECT(POLICYSYNC_OK, policysync_websocket_client_connect(url, strlen(url), &options, NULL, &line, err));
    return line;
}

static void write_task(policysync_replica *replica, const char *id, const char *json) {
    policysync_field title = title_of(id);
    EXPECT(POLICYSYNC_OK, policysync_replica_set(replica, NOW, &title, json, strlen(json), 0, NULL, NULL));
}

static uint64_t count_of(policysync_replica *replica) {
    policysync_digest digest;
    digest.struct_size = sizeof digest;
    EXPECT(POLICYSYNC_OK, policysync_replica_digest(replica, &digest, NULL));
    return digest.count;
}

/* Works on the line until the replica has this number of operations and the line is pushing. */
static void until(policysync_websocket_client *line, policysync_replica *replica, uint64_t count) {
    int rounds;
    policysync_status status;
    for (rounds = 0; rounds < 4000; rounds++) {
        status = policysync_websocket_client_work(line, replica, POLICYSYNC_NOW, err);
        CHECK(status == POLICYSYNC_OK || status == POLICYSYNC_NOT_FOUND);
        if (count_of(replica) == count && policysync_websocket_client_is_pushing(line, err) == POLICYSYNC_OK) {
            return;
        }
        status = policysync_websocket_client_wait(line, POLICYSYNC_NOW, err);
        CHECK(status == POLICYSYNC_OK || status == POLICYSYNC_NOT_FOUND);
    }
    /* Not reached. */
    CHECK(rounds < 4000);
}

/* A guard that calls the line that is calling it. */
static policysync_websocket_client *line_of_the_guard;
static int guard_called;

static policysync_status check_op(void *ctx, const policysync_op *ops, size_t stride, size_t count,
                                  int32_t *verdicts) {
    policysync_progress progress;
    size_t n;
    (void)ctx;
    (void)ops;
    (void)stride;
    progress.struct_size = sizeof progress;
    EXPECT(POLICYSYNC_ERR_BUSY, policysync_websocket_client_progress(line_of_the_guard, &progress, NULL));
    EXPECT(POLICYSYNC_ERR_BUSY, policysync_websocket_client_close(line_of_the_guard, NULL));
    for (n = 0; n < count; n++) {
        verdicts[n] = POLICYSYNC_ADMIT;
    }
    guard_called++;
    return POLICYSYNC_OK;
}

static void test_with_the_relay(const char *address) {
    char url[128];
    policysync_client_options options = options_of("secret-other");
    policysync_websocket_client *to_alice, *to_bob, *line = NULL;
    policysync_replica *alice = replica_of("alice", 1), *bob = NULL;
    policysync_replica_options replica_options;
    policysync_key *key = key_of("bob", 2);
    policysync_guard guard;
    policysync_progress progress;
    policysync_sync_result result;
    policysync_resume *resume = NULL;
    policysync_sync_options sync;
    policysync_status status;
    int rounds = 0;

    snprintf(url, sizeof url, "ws://%s/sync", address);
    EXPECT(POLICYSYNC_ERR_UNAUTHORIZED,
           policysync_websocket_client_connect(url, strlen(url), &options, NULL, &line, err));
    CHECK(line == NULL && strstr(error.message, "status 401") != NULL && strstr(error.message, "secret") == NULL);

    memset(&guard, 0, sizeof guard);
    guard.struct_size = sizeof guard;
    guard.check = check_op;
    EXPECT(POLICYSYNC_OK, policysync_replica_options_init(&replica_options, sizeof replica_options));
    replica_options.key = key;
    replica_options.guard = &guard;
    EXPECT(POLICYSYNC_OK, policysync_replica_open(&replica_options, &bob, err));
    policysync_key_free(key);
    introduce(alice, "bob", 2);
    introduce(bob, "alice", 1);
    to_alice = line_to(url, "relay-token");
    to_bob = line_to(url, "relay-token");
    line_of_the_guard = to_bob;

    write_task(alice, "t1", "\"from alice\"");
    result.struct_size = sizeof result;
    EXPECT(POLICYSYNC_NOT_FOUND, policysync_websocket_client_is_pushing(to_alice, err));
    EXPECT(POLICYSYNC_NOT_FOUND, policysync_websocket_client_result(to_alice, &result, &resume, err));
    until(to_alice, alice, 1);
    until(to_bob, bob, 1);
    CHECK(guard_called == 1);
    /* A write on one side reaches the other. */
    write_task(alice, "t2", "2");
    until(to_alice, alice, 2);
    until(to_bob, bob, 2);
    progress.struct_size = sizeof progress;
    EXPECT(POLICYSYNC_OK, policysync_websocket_client_progress(to_alice, &progress, err));
    CHECK(progress.sent == 1 && progress.state == POLICYSYNC_SESSION_CONVERGED);
    EXPECT(POLICYSYNC_OK, policysync_websocket_client_result(to_alice, &result, &resume, err));
    CHECK(result.state == POLICYSYNC_SESSION_CONVERGED && result.count == 1 && resume != NULL);

    /* The line is closed twice; then a new line resumes. */
    EXPECT(POLICYSYNC_OK, policysync_websocket_client_close(to_alice, err));
    EXPECT(POLICYSYNC_OK, policysync_websocket_client_close(to_alice, err));
    do {
        status = policysync_websocket_client_wait(to_alice, POLICYSYNC_NOW, err);
        CHECK(++rounds < 1000);
    } while (status == POLICYSYNC_NOT_FOUND);
    EXPECT(POLICYSYNC_DONE, status);
    write_task(alice, "t3", "3");
    EXPECT(POLICYSYNC_ERR_CONNECTION, policysync_websocket_client_work(to_alice, alice, POLICYSYNC_NOW, err));
    policysync_websocket_client_free(to_alice);
    options = options_of("relay-token");
    EXPECT(POLICYSYNC_OK, policysync_sync_options_init(&sync, sizeof sync));
    sync.resume = resume;
    EXPECT(POLICYSYNC_OK, policysync_websocket_client_connect(url, strlen(url), &options, &sync, &line, err));
    policysync_resume_free(resume);
    until(line, alice, 3);
    until(to_bob, bob, 3);

    /* The handles are freed in any order, without closing. */
    policysync_replica_free(alice);
    policysync_websocket_client_free(line);
    policysync_websocket_client_free(to_bob);
    policysync_replica_free(bob);
}

static void test_without_a_server(void) {
    policysync_client_options options = options_of("a\r\n");
    policysync_websocket_client *line = NULL;
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_websocket_client_connect("http://a/", 9, NULL, NULL, &line, err));
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_websocket_client_connect("ws://127.0.0.1:1/", 17, &options, NULL, &line, err));
    EXPECT(POLICYSYNC_ERR_CONNECTION, policysync_websocket_client_connect("ws://127.0.0.1:1/", 17, NULL, NULL, &line, err));
    CHECK(line == NULL && error.status <= -400 && error.status > -450);
}

static void test_nulls_of_websocket(void) {
    policysync_replica *alice = replica_of("alice", 1);
    policysync_websocket_client *line = NULL;
    policysync_progress progress;
    policysync_sync_result result;
    progress.struct_size = sizeof progress;
    result.struct_size = sizeof result;
    NULL_IN("url", policysync_websocket_client_connect(NULL, 1, NULL, NULL, &line, err));
    NULL_IN("out", policysync_websocket_client_connect("ws://a/", 7, NULL, NULL, nothing(), err));
    NULL_IN("line", policysync_websocket_client_wait(nothing(), NOW, err));
    NULL_IN("line", policysync_websocket_client_work(nothing(), alice, NOW, err));
    NULL_IN("line", policysync_websocket_client_progress(nothing(), &progress, err));
    NULL_IN("line", policysync_websocket_client_result(nothing(), &result, NULL, err));
    NULL_IN("line", policysync_websocket_client_is_pushing(nothing(), err));
    NULL_IN("line", policysync_websocket_client_close(nothing(), err));
    policysync_websocket_client_free(NULL);
    policysync_replica_free(alice);
}

static void test_nulls_with_the_relay(const char *address) {
    char url[128];
    policysync_websocket_client *line;
    snprintf(url, sizeof url, "ws://%s/sync", address);
    line = line_to(url, "relay-token");
    NULL_IN("replica", policysync_websocket_client_work(line, nothing(), NOW, err));
    NULL_IN("progress", policysync_websocket_client_progress(line, nothing(), err));
    NULL_IN("result", policysync_websocket_client_result(line, nothing(), NULL, err));
    policysync_websocket_client_free(line);
}

void test_websocket(void) {
    const char *relay = getenv("POLICYSYNC_TEST_RELAY");
    policysync_websocket_client *line = NULL;
    test_nulls_of_websocket();
    if (policysync_websocket_client_connect("ws://", 5, NULL, NULL, &line, err) == POLICYSYNC_ERR_UNSUPPORTED) {
        CHECK(line == NULL && strstr(error.message, "feature websocket") != NULL);
        return;
    }
    test_without_a_server();
    if (relay != NULL) {
        test_with_the_relay(relay);
        test_nulls_with_the_relay(relay);
        puts("with a relay");
    }
}
