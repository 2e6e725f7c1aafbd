/* HTTP: a client, and a small server around policysync_http_answer, in one process. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A call that must fail with ERR_NULL and name the parameter. */
#define NULL_IN(name, call)                                  \
    do {                                                     \
        error.message[0] = 0;                                \
        EXPECT(POLICYSYNC_ERR_NULL, call);                   \
        CHECK(strcmp(error.message, name " is NULL") == 0);  \
    } while (0)

#define TOKEN "secret-token=="

static policysync_error error = POLICYSYNC_ERROR_INIT;
static policysync_error *const err = &error;

/* Answers one request at a time, in its own thread, until it is stopped. */
struct server {
    int listener;
    char url[64];
    pthread_t thread;
    policysync_replica *replica;
    policysync_responder *responder;
    /* Runs before each answer, on the server's thread. */
    void (*meanwhile)(void *ctx);
    void *ctx;
};

/* Returns the value of a header, or an empty text. */
static const char *header_of(const char *head, const char *name, size_t *len) {
    const char *line = strstr(head, "\r\n");
    while (line != NULL) {
        line += 2;
        if (strncasecmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':') {
            const char *value = line + strlen(name) + 1;
            value += strspn(value, " ");
            *len = strcspn(value, "\r");
            return value;
        }
        line = strstr(line, "\r\n");
    }
    *len = 0;
    return "";
}

static void reply(int stream, unsigned status, const void *body, size_t len) {
    char head[256];
    int head_len = snprintf(head, sizeof head,
                            "HTTP/1.1 %u X\r\ncontent-type: " POLICYSYNC_HTTP_CONTENT_TYPE
                            "\r\ncontent-length: %lu\r\nconnection: close\r\n\r\n",
                            status, (unsigned long)len);
    ssize_t sent = send(stream, head, (size_t)head_len, MSG_NOSIGNAL);
    while (len > 0 && sent > 0) {
        sent = send(stream, body, len, MSG_NOSIGNAL);
        if (sent > 0) {
            body = (const char *)body + sent;
            len -= (size_t)sent;
        }
    }
}

static void serve(struct server *server, int stream) {
    static char request[1 << 21];
    size_t len = 0, body_len = 0, value_len = 0;
    const char *body = NULL, *value;
    policysync_buffer out = POLICYSYNC_BUFFER_INIT;
    uint32_t status = 0;
    memset(request, 0, 4096);
    while (body == NULL || len < (size_t)(body - request) + body_len) {
        ssize_t got = recv(stream, request + len, sizeof request - 1 - len, 0);
        if (got <= 0) {
            return;
        }
        len += (size_t)got;
        request[len] = 0;
        if (request[0] != 'P') {
            reply(stream, 400, NULL, 0);
            return;
        }
        body = strstr(request, "\r\n\r\n");
        if (body != NULL) {
            body += 4;
            value = header_of(request, "content-length", &value_len);
            body_len = (size_t)strtoul(value, NULL, 10);
        }
    }
    if (server->meanwhile != NULL) {
        server->meanwhile(server->ctx);
    }
    value = header_of(request, "authorization", &value_len);
    if (value_len != strlen("Bearer " TOKEN) || memcmp(value, "Bearer " TOKEN, value_len) != 0) {
        static const char page[] = "HTTP/1.1 401 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        CHECK(send(stream, page, sizeof page - 1, MSG_NOSIGNAL) > 0);
        return;
    }
    value = header_of(request, "content-type", &value_len);
    EXPECT(POLICYSYNC_OK, policysync_http_answer(server->responder, server->replica, NOW, request,
                                                 strcspn(request, " "), value, value_len, body, body_len, &status, &out,
                                                 NULL, NULL));
    reply(stream, status, out.data, out.len);
    policysync_buffer_dispose(&out);
}

static void *run_server(void *ctx) {
    struct server *server = (struct server *)ctx;
    for (;;) {
        int stream = accept(server->listener, NULL, NULL);
        if (stream < 0) {
            return NULL;
        }
        serve(server, stream);
        close(stream);
    }
}

/* Opens a listening socket on loopback and writes its URL. */
static int listen_on(char *url, size_t size, const char *scheme) {
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(listen(listener, 16) == 0 && getsockname(listener, (struct sockaddr *)&address, &len) == 0);
    snprintf(url, size, "%s://127.0.0.1:%u/sync", scheme, (unsigned)ntohs(address.sin_port));
    return listener;
}

static void start(struct server *server) {
    memset(server, 0, sizeof *server);
    server->listener = listen_on(server->url, sizeof server->url, "http");
    server->replica = replica_of("bob", 2);
    introduce(server->replica, "alice", 1);
    EXPECT(POLICYSYNC_OK, policysync_responder_new(NULL, NULL, &server->responder, NULL));
    CHECK(pthread_create(&server->thread, NULL, run_server, server) == 0);
}

static void stop(struct server *server) {
    shutdown(server->listener, SHUT_RDWR);
    CHECK(pthread_join(server->thread, NULL) == 0);
    close(server->listener);
    policysync_replica_free(server->replica);
    policysync_responder_free(server->responder);
}

static policysync_client_options options_of(const char *token) {
    policysync_client_options options;
    EXPECT(POLICYSYNC_OK, policysync_client_options_init(&options, sizeof options));
    options.bearer_token = bytes_of(token);
    return options;
}

static policysync_http_client *client_of(const char *url, const policysync_client_options *options) {
    policysync_http_client *client = NULL;
    EXPECT(POLICYSYNC_OK, policysync_http_client_new(url, strlen(url), options, &client, err));
    return client;
}

static policysync_session *session_of(void) {
    policysync_session *session = NULL;
    EXPECT(POLICYSYNC_OK, policysync_session_new(NULL, NULL, &session, err));
    return session;
}

static uint32_t state_of(policysync_session *session) {
    policysync_progress progress;
    progress.struct_size = sizeof progress;
    EXPECT(POLICYSYNC_OK, policysync_session_progress(session, &progress, err));
    return progress.state;
}

static void write_task(policysync_replica *replica, const char *id, const char *json) {
    policysync_field title = title_of(id);
    EXPECT(POLICYSYNC_OK, policysync_replica_set(replica, NOW, &title, json, strlen(json), 0, NULL, NULL));
}

static policysync_replica *alice_of(void) {
    policysync_replica *alice = replica_of("alice", 1);
    introduce(alice, "bob", 2);
    write_task(alice, "t1", "\"from alice\"");
    return alice;
}

static void equal(policysync_replica *one, policysync_replica *other, uint64_t count) {
    policysync_digest digests[2];
    memset(digests, 0, sizeof digests);
    digests[0].struct_size = digests[1].struct_size = sizeof digests[0];
    EXPECT(POLICYSYNC_OK, policysync_replica_digest(one, &digests[0], NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_digest(other, &digests[1], NULL));
    CHECK(memcmp(&digests[0], &digests[1], sizeof digests[0]) == 0 && digests[0].count == count);
}

static void test_that_it_synchronizes(void) {
    struct server server;
    policysync_client_options options = options_of(TOKEN);
    policysync_header headers[2];
    policysync_http_client *client;
    policysync_replica *alice = alice_of();
    policysync_session *session = session_of();
    policysync_buffer request = POLICYSYNC_BUFFER_INIT, answer = POLICYSYNC_BUFFER_INIT;
    policysync_status status;

    start(&server);
    write_task(server.replica, "t2", "\"from bob\"");
    /* The token replaces this one. */
    headers[0].name = bytes_of("Authorization");
    headers[0].value = bytes_of("Basic YTpi");
    headers[1].name = bytes_of("X-Tenant");
    headers[1].value = bytes_of("blue");
    options.headers = headers;
    options.headers_stride = sizeof headers[0];
    options.headers_count = 2;
    client = client_of(server.url, &options);
    EXPECT(POLICYSYNC_OK, policysync_http_client_sync(client, session, alice, NOW, err));
    CHECK(state_of(session) == POLICYSYNC_SESSION_CONVERGED);
    equal(alice, server.replica, 2);
    /* The session has ended. */
    EXPECT(POLICYSYNC_OK, policysync_http_client_sync(client, session, alice, NOW, err));
    policysync_session_free(session);

    /* The same with single exchanges. */
    write_task(server.replica, "t3", "3");
    session = session_of();
    while ((status = policysync_session_next_message(session, alice, &request, err)) == POLICYSYNC_OK) {
        EXPECT(POLICYSYNC_OK, policysync_http_client_exchange(client, request.data, request.len, 0, &answer, err));
        EXPECT(POLICYSYNC_OK, policysync_session_receive(session, alice, NOW, answer.data, answer.len, NULL, err));
    }
    CHECK(status == POLICYSYNC_DONE);
    equal(alice, server.replica, 3);
    EXPECT(POLICYSYNC_ERR_LIMIT, policysync_http_client_exchange(client, "x", 1, 1, &answer, err));

    /* Both sides are freed while a client still has a connection. */
    policysync_session_free(session);
    policysync_replica_free(alice);
    stop(&server);
    policysync_http_client_free(client);
    policysync_buffer_dispose(&request);
    policysync_buffer_dispose(&answer);
}

/* Uses the client's objects on the server's thread. */
struct other {
    policysync_replica *alice;
    policysync_session *session;
    int cancel;
};

static void meanwhile(void *ctx) {
    struct other *other = (struct other *)ctx;
    policysync_buffer out = POLICYSYNC_BUFFER_INIT;
    /* If the client held the replica while it waits for the answer, this would deadlock. */
    write_task(other->alice, "meanwhile", "1");
    CHECK(state_of(other->session) == POLICYSYNC_SESSION_RUNNING);
    EXPECT(POLICYSYNC_ERR_OUT_OF_TURN, policysync_session_next_message(other->session, other->alice, &out, NULL));
    if (other->cancel) {
        EXPECT(POLICYSYNC_OK, policysync_session_cancel(other->session, NULL));
    }
}

static void test_that_nothing_is_held_while_it_waits(void) {
    struct server server;
    struct other other;
    policysync_client_options options = options_of(TOKEN);
    policysync_http_client *client;
    start(&server);
    client = client_of(server.url, &options);
    for (other.cancel = 0; other.cancel < 2; other.cancel++) {
        other.alice = alice_of();
        other.session = session_of();
        server.ctx = &other;
        server.meanwhile = meanwhile;
        EXPECT(POLICYSYNC_OK, policysync_http_client_sync(client, other.session, other.alice, NOW, err));
        CHECK(state_of(other.session) ==
              (other.cancel ? POLICYSYNC_SESSION_CANCELLED : POLICYSYNC_SESSION_CONVERGED));
        policysync_session_free(other.session);
        policysync_replica_free(other.alice);
    }
    policysync_http_client_free(client);
    stop(&server);
}

static void test_what_goes_wrong(void) {
    struct server server;
    policysync_client_options options;
    policysync_http_client *client = NULL;
    policysync_replica *alice = alice_of();
    policysync_session *session;
    policysync_header header;
    char url[160];
    size_t n;
    int silent;

    start(&server);
    /* Without a token, and with a wrong one. */
    for (n = 0; n < 2; n++) {
        options = options_of(n == 0 ? "" : "secret-other");
        client = client_of(server.url, &options);
        session = session_of();
        EXPECT(POLICYSYNC_ERR_UNAUTHORIZED, policysync_http_client_sync(client, session, alice, NOW, err));
        CHECK(strcmp(error.message, "the server answered with status 401") == 0);
        policysync_session_free(session);
        policysync_http_client_free(client);
    }

    /* Invalid arguments for a client. */
    options = options_of("secret\r\nx-evil: 1");
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_http_client_new(server.url, strlen(server.url), &options, &client, err));
    CHECK(client == NULL && strstr(error.message, "secret") == NULL);
    options = options_of("");
    options.headers = &header;
    options.headers_count = 1;
    options.headers_stride = sizeof header;
    header.name = bytes_of("x-key");
    header.value = bytes_of("secret\n");
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_http_client_new(server.url, strlen(server.url), &options, &client, err));
    CHECK(strstr(error.message, "secret") == NULL);
    header.name = bytes_of("Content-Length");
    header.value = bytes_of("1");
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_http_client_new(server.url, strlen(server.url), &options, &client, err));
    options.headers_stride = 8;
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_http_client_new(server.url, strlen(server.url), &options, &client, err));
    options = options_of("");
    options.flags = 2;
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_http_client_new(server.url, strlen(server.url), &options, &client, err));
    options = options_of("");
    options.struct_size = 4;
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_http_client_new(server.url, strlen(server.url), &options, &client, err));
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_http_client_new("ftp://a/", 8, NULL, &client, err));
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_http_client_new("\xff", 1, NULL, &client, err));
    CHECK(client == NULL);

    /* With TLS: invalid certificates, and a server that does not speak TLS. Without: both are unsupported. */
    options = options_of(TOKEN);
    options.trusted = bytes_of("no certificate");
    n = strlen(server.url);
    if (policysync_http_client_new("https://127.0.0.1/", 18, NULL, &client, err) == POLICYSYNC_OK) {
        policysync_http_client_free(client);
        EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_http_client_new(server.url, n, &options, &client, err));
        CHECK(strstr(error.message, "options.trusted: ") != NULL);
        options.trusted.len = 0;
        options.flags = POLICYSYNC_TRUST_NO_OTHERS;
        snprintf(url, sizeof url, "https%s", server.url + 4);
        client = client_of(url, &options);
        session = session_of();
        EXPECT(POLICYSYNC_ERR_TLS, policysync_http_client_sync(client, session, alice, NOW, err));
        CHECK(strcmp(error.message, "the server does not speak TLS") == 0);
        policysync_session_free(session);
        policysync_http_client_free(client);
    } else {
        CHECK(error.status == POLICYSYNC_ERR_UNSUPPORTED);
        EXPECT(POLICYSYNC_ERR_UNSUPPORTED, policysync_http_client_new(server.url, n, &options, &client, err));
        options.trusted.len = 0;
        options.flags = POLICYSYNC_TRUST_NO_OTHERS;
        EXPECT(POLICYSYNC_ERR_UNSUPPORTED, policysync_http_client_new(server.url, n, &options, &client, err));
    }

    /* A server that reads the request and does not answer; then no server. */
    silent = listen_on(url, sizeof url, "http");
    options = options_of(TOKEN);
    options.answer_timeout_ms = 100;
    options.connect_timeout_ms = UINT64_MAX;
    options.progress_timeout_ms = 10000;
    options.retry_ms = 1;
    options.overall_timeout_ms = 60000;
    client = client_of(url, &options);
    session = session_of();
    EXPECT(POLICYSYNC_ERR_TIMEOUT, policysync_http_client_sync(client, session, alice, NOW, err));
    CHECK(state_of(session) == POLICYSYNC_SESSION_RUNNING);
    policysync_session_free(session);
    close(silent);
    session = session_of();
    EXPECT(POLICYSYNC_ERR_CONNECTION, policysync_http_client_sync(client, session, alice, NOW, err));
    CHECK(error.status <= -400 && error.status > -450);
    policysync_session_free(session);
    policysync_http_client_free(client);
    policysync_replica_free(alice);
    stop(&server);
}

static void *cancel_later(void *ctx) {
    const struct timespec pause = {0, 300000000};
    CHECK(nanosleep(&pause, NULL) == 0);
    EXPECT(POLICYSYNC_OK, policysync_session_cancel((policysync_session *)ctx, NULL));
    return NULL;
}

static void test_that_a_wait_can_be_cancelled(void) {
    policysync_replica *alice = alice_of();
    policysync_client_options options = options_of("");
    char url[64];
    struct timespec begin, end;
    int round;

    for (round = 0; round < 2; round++) {
        /* First a server that never answers, then none: the call waits to try again. */
        int silent = listen_on(url, sizeof url, "http");
        policysync_http_client *client = client_of(url, &options);
        policysync_session *session = session_of();
        pthread_t thread;
        if (round == 1) {
            close(silent);
        }
        CHECK(clock_gettime(CLOCK_MONOTONIC, &begin) == 0);
        CHECK(pthread_create(&thread, NULL, cancel_later, session) == 0);
        EXPECT(POLICYSYNC_OK, policysync_http_client_sync(client, session, alice, NOW, err));
        CHECK(clock_gettime(CLOCK_MONOTONIC, &end) == 0);
        CHECK(state_of(session) == POLICYSYNC_SESSION_CANCELLED);
        /* The machine may be busy. */
        CHECK(end.tv_sec - begin.tv_sec < 10);
        CHECK(pthread_join(thread, NULL) == 0);
        policysync_session_free(session);
        policysync_http_client_free(client);
        if (round == 0) {
            close(silent);
        }
    }
    policysync_replica_free(alice);
}

static void test_a_proxy(void) {
    static const char through[] = "http://policysync.invalid/sync";
    struct server server;
    policysync_client_options options = options_of(TOKEN);
    policysync_http_client *client;
    policysync_replica *alice = alice_of();
    policysync_session *session = session_of();

    start(&server);
    server.url[strlen(server.url) - strlen("/sync")] = 0;
    options.proxy = bytes_of(server.url);
    options.progress_timeout_ms = 5000;
    client = client_of(through, &options);
    EXPECT(POLICYSYNC_OK, policysync_http_client_sync(client, session, alice, NOW, err));
    CHECK(state_of(session) == POLICYSYNC_SESSION_CONVERGED);
    policysync_http_client_free(client);
    client = NULL;
    options.proxy = bytes_of("socks5://secret@127.0.0.1");
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_http_client_new(through, strlen(through), &options, &client, err));
    CHECK(client == NULL && strstr(error.message, "secret") == NULL);
    policysync_session_free(session);
    policysync_replica_free(alice);
    stop(&server);
}

static policysync_status answer(policysync_responder *responder, policysync_replica *bob, const char *method,
                                const char *content_type, const char *body, uint32_t *status,
                                policysync_buffer *out, policysync_error *refused) {
    return policysync_http_answer(responder, bob, NOW, method, strlen(method), content_type, strlen(content_type), body,
                                  strlen(body), status, out, refused, err);
}

static void test_answers(policysync_responder *responder, policysync_replica *bob) {
    policysync_error refused = POLICYSYNC_ERROR_INIT;
    policysync_buffer out = POLICYSYNC_BUFFER_INIT;
    uint32_t status = 0;
    static const char type[] = POLICYSYNC_HTTP_CONTENT_TYPE;

    EXPECT(POLICYSYNC_OK, answer(responder, bob, "GET", type, "", &status, &out, &refused));
    CHECK(status == 405 && out.len == 2 && refused.status == POLICYSYNC_ERR_MALFORMED);
    EXPECT(POLICYSYNC_OK, answer(responder, bob, "POST", "text/html", "", &status, &out, NULL));
    CHECK(status == 415 && out.len == 2);
    EXPECT(POLICYSYNC_OK, answer(responder, bob, "\xff", "\xff", "", &status, &out, &refused));
    CHECK(status == 405);
    EXPECT(POLICYSYNC_OK, policysync_http_answer(responder, bob, NOW, "POST", 4, NULL, 0, NULL, 0, &status, &out, NULL, err));
    CHECK(status == 415);
    refused.message[0] = 0;
    EXPECT(POLICYSYNC_OK, answer(responder, bob, "POST", type, "nonsense", &status, &out, &refused));
    CHECK(status == 400 && out.len == 2 && refused.status == POLICYSYNC_ERR_MALFORMED && refused.message[0] != 0);
    policysync_buffer_dispose(&out);
}

/* The report keeps a failure of the server itself, however many malformed requests follow. */
static void test_the_report_of_a_server(policysync_responder *responder) {
    policysync_replica *alice = replica_of("alice", 1);
    policysync_replica *bob = replica_of("bob", 2);
    policysync_session *session = session_of();
    policysync_field title = title_of("t1");
    policysync_buffer request = POLICYSYNC_BUFFER_INIT, out = POLICYSYNC_BUFFER_INIT, report = POLICYSYNC_BUFFER_INIT;
    policysync_error refused = POLICYSYNC_ERROR_INIT;
    static const char type[] = POLICYSYNC_HTTP_CONTENT_TYPE;
    uint32_t status = 0;
    int i;

    introduce(bob, "alice", 1);
    EXPECT(POLICYSYNC_OK, policysync_replica_set(alice, NOW, &title, "1", 1, POLICYSYNC_JSON, NULL, err));
    EXPECT(POLICYSYNC_OK, policysync_session_next_message(session, alice, &request, err));
    EXPECT(POLICYSYNC_OK, policysync_http_answer(responder, bob, NOW, "POST", 4, type, sizeof type - 1, request.data,
                                                 request.len, &status, &out, NULL, err));
    EXPECT(POLICYSYNC_OK, policysync_session_receive(session, alice, NOW, out.data, out.len, NULL, err));
    EXPECT(POLICYSYNC_OK, policysync_session_next_message(session, alice, &request, err));
    /* A clock that is out of range. */
    EXPECT(POLICYSYNC_OK, policysync_http_answer(responder, bob, (uint64_t)1 << 60, "POST", 4, type, sizeof type - 1,
                                                 request.data, request.len, &status, &out, &refused, err));
    CHECK(status == 503 && refused.status == POLICYSYNC_ERR_CLOCK);
    for (i = 0; i < 8; i++) {
        EXPECT(POLICYSYNC_OK, answer(responder, bob, "POST", type, "nonsense", &status, &out, NULL));
        EXPECT(POLICYSYNC_ERR_MALFORMED,
               policysync_responder_respond(responder, bob, NOW, "nonsense", 8, &out, NULL, NULL));
    }
    EXPECT(POLICYSYNC_OK, policysync_replica_report(bob, &report, err));
    CHECK(mentions(&report, ": POLICYSYNC_ERR_CLOCK\n") && !mentions(&report, "POLICYSYNC_ERR_MALFORMED"));

    policysync_buffer_dispose(&request);
    policysync_buffer_dispose(&out);
    policysync_buffer_dispose(&report);
    policysync_session_free(session);
    policysync_replica_free(alice);
    policysync_replica_free(bob);
}

static void test_nulls_of_http(policysync_responder *responder, policysync_replica *bob) {
    policysync_http_client *client = NULL;
    policysync_session *session = session_of();
    policysync_client_options options = options_of("");
    policysync_buffer out = POLICYSYNC_BUFFER_INIT;
    uint32_t status;
    const policysync_status made = policysync_http_client_new("http://127.0.0.1/", 17, NULL, &client, NULL);

    policysync_http_client_free(client);
    EXPECT(POLICYSYNC_ERR_NULL, policysync_client_options_init(nothing(), 64));
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_client_options_init(&options, 4));
    NULL_IN("url", policysync_http_client_new(NULL, 1, NULL, &client, err));
    NULL_IN("out", policysync_http_client_new("http://a/", 9, NULL, nothing(), err));
    NULL_IN("client", policysync_http_client_sync(nothing(), session, bob, NOW, err));
    NULL_IN("client", policysync_http_client_exchange(nothing(), "x", 1, 0, &out, err));
    NULL_IN("responder",
            policysync_http_answer(nothing(), bob, NOW, "POST", 4, "a", 1, "x", 1, &status, &out, NULL, err));
    NULL_IN("replica",
            policysync_http_answer(responder, nothing(), NOW, "POST", 4, "a", 1, "x", 1, &status, &out, NULL, err));
    NULL_IN("method",
            policysync_http_answer(responder, bob, NOW, NULL, 4, "a", 1, "x", 1, &status, &out, NULL, err));
    NULL_IN("content_type",
            policysync_http_answer(responder, bob, NOW, "POST", 4, NULL, 1, "x", 1, &status, &out, NULL, err));
    NULL_IN("body",
            policysync_http_answer(responder, bob, NOW, "POST", 4, "a", 1, NULL, 1, &status, &out, NULL, err));
    NULL_IN("http_status",
            policysync_http_answer(responder, bob, NOW, "POST", 4, "a", 1, "x", 1, nothing(), &out, NULL, err));
    NULL_IN("out",
            policysync_http_answer(responder, bob, NOW, "POST", 4, "a", 1, "x", 1, &status, nothing(), NULL, err));
    if (made == POLICYSYNC_OK) {
        EXPECT(POLICYSYNC_OK, policysync_http_client_new("http://127.0.0.1/", 17, NULL, &client, NULL));
        NULL_IN("session", policysync_http_client_sync(client, nothing(), bob, NOW, err));
        NULL_IN("replica", policysync_http_client_sync(client, session, nothing(), NOW, err));
        NULL_IN("message", policysync_http_client_exchange(client, NULL, 1, 0, &out, err));
        NULL_IN("out", policysync_http_client_exchange(client, "x", 1, 0, nothing(), err));
        policysync_http_client_free(client);
        options = options_of("");
        options.bearer_token.data = NULL;
        options.bearer_token.len = 1;
        NULL_IN("options.bearer_token", policysync_http_client_new("http://a/", 9, &options, &client, err));
        options = options_of("");
        options.proxy.data = NULL;
        options.proxy.len = 1;
        NULL_IN("options.proxy", policysync_http_client_new("http://a/", 9, &options, &client, err));
        options = options_of("");
        options.headers_count = 1;
        NULL_IN("options.headers", policysync_http_client_new("http://a/", 9, &options, &client, err));
        options = options_of("");
        options.trusted.len = 1;
        options.trusted.data = NULL;
        NULL_IN("options.trusted", policysync_http_client_new("http://a/", 9, &options, &client, err));
        {
            policysync_header header;
            memset(&header, 0, sizeof header);
            options = options_of("");
            options.headers = &header;
            options.headers_stride = sizeof header;
            options.headers_count = 1;
            header.name.len = 1;
            NULL_IN("options.headers[].name", policysync_http_client_new("http://a/", 9, &options, &client, err));
            CHECK(error.op_index == 0);
            header.name = bytes_of("x");
            header.value.len = 1;
            NULL_IN("options.headers[].value", policysync_http_client_new("http://a/", 9, &options, &client, err));
        }
    }
    CHECK(out.data == NULL);
    policysync_http_client_free(NULL);
    policysync_session_free(session);
}

static void *test_all(void *ctx) {
    policysync_responder *responder = NULL;
    policysync_replica *bob = replica_of("bob", 2);
    policysync_http_client *client = NULL;
    policysync_buffer out = POLICYSYNC_BUFFER_INIT;
    uint32_t status = 7;

    EXPECT(POLICYSYNC_OK, policysync_responder_new(NULL, NULL, &responder, NULL));
    test_nulls_of_http(responder, bob);
    if (policysync_http_client_new("http://127.0.0.1/", 17, NULL, &client, err) == POLICYSYNC_ERR_UNSUPPORTED) {
        CHECK(client == NULL && strstr(error.message, "feature http") != NULL);
        EXPECT(POLICYSYNC_ERR_UNSUPPORTED,
               policysync_http_answer(responder, bob, NOW, "POST", 4, NULL, 0, "x", 1, &status, &out, NULL, err));
        CHECK(status == 7 && out.data == NULL);
    } else {
        policysync_http_client_free(client);
        test_answers(responder, bob);
        test_the_report_of_a_server(responder);
        test_that_it_synchronizes();
        test_that_nothing_is_held_while_it_waits();
        test_what_goes_wrong();
        test_that_a_wait_can_be_cancelled();
        test_a_proxy();
    }
    policysync_responder_free(responder);
    policysync_replica_free(bob);
    return ctx;
}

/* Runs in a thread that ends: then Rust frees its data of the thread, which valgrind would report as lost in the main
 * thread. */
void test_http(void) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, test_all, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}
