/* Sessions, responders and push channels, with valid and with arbitrary bytes. */
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

/* Two replicas that know each other's keys; the first one initiates. */
struct pair {
    policysync_replica *alice, *bob;
    policysync_session *session;
    policysync_responder *responder;
    policysync_buffer request, answer;
};

static void write_task(policysync_replica *replica, const char *id, const char *json) {
    policysync_field title = title_of(id);
    EXPECT(POLICYSYNC_OK, policysync_replica_set(replica, NOW, &title, json, strlen(json), 0, NULL, NULL));
}

static void begin_again(struct pair *pair, const policysync_sync_options *options) {
    uint8_t nonce[16];
    static uint8_t number = 0;
    memset(nonce, ++number, sizeof nonce);
    policysync_session_free(pair->session);
    EXPECT(POLICYSYNC_OK, policysync_session_new(options, nonce, &pair->session, NULL));
}

static struct pair pair_of(void) {
    struct pair pair = {NULL, NULL, NULL, NULL, POLICYSYNC_BUFFER_INIT, POLICYSYNC_BUFFER_INIT};
    uint8_t secret[32];
    memset(secret, 7, sizeof secret);
    pair.alice = replica_of("alice", 1);
    pair.bob = replica_of("bob", 2);
    introduce(pair.alice, "bob", 2);
    introduce(pair.bob, "alice", 1);
    begin_again(&pair, NULL);
    EXPECT(POLICYSYNC_OK, policysync_responder_new(NULL, secret, &pair.responder, NULL));
    return pair;
}

static void free_pair(struct pair *pair) {
    policysync_replica_free(pair->alice);
    policysync_replica_free(pair->bob);
    policysync_session_free(pair->session);
    policysync_responder_free(pair->responder);
    policysync_buffer_dispose(&pair->request);
    policysync_buffer_dispose(&pair->answer);
}

static policysync_status ask(struct pair *pair) {
    return policysync_session_next_message(pair->session, pair->alice, &pair->request, err);
}

static void respond(struct pair *pair) {
    EXPECT(POLICYSYNC_OK, policysync_responder_respond(pair->responder, pair->bob, NOW, pair->request.data,
                                                       pair->request.len, &pair->answer, NULL, err));
}

/* The counts of the last answer. */
static policysync_progress told_by_receive;

static policysync_status take(struct pair *pair) {
    told_by_receive.struct_size = sizeof told_by_receive;
    return policysync_session_receive(pair->session, pair->alice, NOW, pair->answer.data, pair->answer.len,
                                      &told_by_receive, err);
}

static void run(struct pair *pair) {
    policysync_status status;
    int rounds = 0;
    while ((status = ask(pair)) == POLICYSYNC_OK) {
        respond(pair);
        EXPECT(POLICYSYNC_OK, take(pair));
        CHECK(++rounds < 20);
    }
    CHECK(status == POLICYSYNC_DONE);
}

static policysync_sync_result result_of(const struct pair *pair, policysync_resume **resume) {
    policysync_sync_result result;
    result.struct_size = sizeof result;
    EXPECT(POLICYSYNC_OK, policysync_session_result(pair->session, &result, resume, NULL));
    return result;
}

static policysync_progress progress_of(const struct pair *pair) {
    policysync_progress progress;
    memset(&progress, 0x55, sizeof progress);
    progress.struct_size = sizeof progress;
    EXPECT(POLICYSYNC_OK, policysync_session_progress(pair->session, &progress, NULL));
    return progress;
}

static void equal(policysync_replica *one, policysync_replica *other, uint64_t count) {
    policysync_digest digests[2];
    memset(digests, 0, sizeof digests);
    digests[0].struct_size = digests[1].struct_size = sizeof digests[0];
    EXPECT(POLICYSYNC_OK, policysync_replica_digest(one, &digests[0], NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_digest(other, &digests[1], NULL));
    CHECK(memcmp(&digests[0], &digests[1], sizeof digests[0]) == 0 && digests[0].count == count);
}

static void test_that_two_replicas_converge(void) {
    struct pair pair = pair_of();
    policysync_sync_options options;
    policysync_resume *resume = NULL;
    policysync_sync_result result;
    policysync_progress progress;
    uint64_t first_bytes;

    write_task(pair.alice, "t1", "\"from alice\"");
    write_task(pair.bob, "t2", "\"from bob\"");
    result.struct_size = sizeof result;
    result.state = 77;
    EXPECT(POLICYSYNC_NOT_FOUND, policysync_session_result(pair.session, &result, &resume, NULL));
    CHECK(result.state == 77 && resume == NULL);
    CHECK(progress_of(&pair).state == POLICYSYNC_SESSION_RUNNING);
    run(&pair);
    result = result_of(&pair, &resume);
    CHECK(result.state == POLICYSYNC_SESSION_CONVERGED && result.count == 2 && resume != NULL);
    equal(pair.alice, pair.bob, 2);
    progress = progress_of(&pair);
    CHECK(progress.struct_size == sizeof progress && progress.state == POLICYSYNC_SESSION_CONVERGED);
    CHECK(progress.sent == 1 && progress.received == 1 && progress.round_trips >= 1);
    CHECK(told_by_receive.state == POLICYSYNC_SESSION_RUNNING);
    told_by_receive.state = progress.state;
    CHECK(memcmp(&told_by_receive, &progress, sizeof progress) == 0);
    CHECK(progress.bytes_sent > progress.op_bytes_sent && progress.op_bytes_sent > 64);
    CHECK(progress.bytes_received > progress.op_bytes_received && progress.op_bytes_received > 64);
    CHECK(progress.left_to_send == 0 && progress.left_to_receive == 0 && progress.refused.bad_signature == 0);
    first_bytes = progress.bytes_sent;

    /* The session has ended and stays so. */
    EXPECT(POLICYSYNC_DONE, ask(&pair));
    EXPECT(POLICYSYNC_ERR_ENDED, take(&pair));
    EXPECT(POLICYSYNC_OK, policysync_session_cancel(pair.session, NULL));
    CHECK(result_of(&pair, NULL).state == POLICYSYNC_SESSION_CONVERGED);

    /* The next session resumes and leaves out common operations. */
    EXPECT(POLICYSYNC_OK, policysync_sync_options_init(&options, sizeof options));
    options.resume = resume;
    options.max_message_bytes = UINT64_MAX;
    write_task(pair.bob, "t3", "3");
    begin_again(&pair, &options);
    policysync_resume_free(resume);
    run(&pair);
    CHECK(result_of(&pair, NULL).count == 3);
    CHECK(progress_of(&pair).received == 1 && progress_of(&pair).sent == 0 && first_bytes > 0);
    equal(pair.alice, pair.bob, 3);
    free_pair(&pair);
}

static void test_turns(void) {
    struct pair pair = pair_of();
    struct pair other = pair_of();

    write_task(pair.bob, "t1", "1");
    EXPECT(POLICYSYNC_ERR_OUT_OF_TURN, take(&pair));
    EXPECT(POLICYSYNC_OK, ask(&pair));
    EXPECT(POLICYSYNC_ERR_OUT_OF_TURN, ask(&pair));
    CHECK(strcmp(error.message, "it is not this side's turn") == 0);

    /* An answer to another session is stray, and the own answer is still awaited. */
    EXPECT(POLICYSYNC_OK, ask(&other));
    respond(&other);
    EXPECT(POLICYSYNC_ERR_STRAY, policysync_session_receive(pair.session, pair.alice, NOW, other.answer.data,
                                                            other.answer.len, NULL, err));
    /* A repeated message is answered again. */
    respond(&pair);
    respond(&pair);
    EXPECT(POLICYSYNC_OK, take(&pair));
    if (ask(&pair) == POLICYSYNC_OK) {
        EXPECT(POLICYSYNC_ERR_STRAY, take(&pair));
        respond(&pair);
        EXPECT(POLICYSYNC_OK, take(&pair));
        EXPECT(POLICYSYNC_DONE, ask(&pair));
    }
    CHECK(result_of(&pair, NULL).state == POLICYSYNC_SESSION_CONVERGED);

    /* Another replica in the middle of a session. */
    write_task(pair.alice, "t2", "2");
    begin_again(&pair, NULL);
    EXPECT(POLICYSYNC_OK, ask(&pair));
    respond(&pair);
    EXPECT(POLICYSYNC_ERR_OTHER_REPLICA, policysync_session_receive(pair.session, other.alice, NOW, pair.answer.data,
                                                                    pair.answer.len, NULL, err));
    CHECK(result_of(&pair, NULL).state == POLICYSYNC_SESSION_FAILED);
    EXPECT(POLICYSYNC_ERR_ENDED, ask(&pair));
    EXPECT(POLICYSYNC_ERR_ENDED, take(&pair));

    /* A cancelled session. */
    begin_again(&pair, NULL);
    EXPECT(POLICYSYNC_OK, ask(&pair));
    EXPECT(POLICYSYNC_OK, policysync_session_cancel(pair.session, err));
    CHECK(result_of(&pair, NULL).state == POLICYSYNC_SESSION_CANCELLED);
    EXPECT(POLICYSYNC_DONE, ask(&pair));
    free_pair(&pair);
    free_pair(&other);
}

/* A bad message does no more than end the session. */
static void try_answer(struct pair *pair, const uint8_t *bytes, size_t len) {
    policysync_status status;
    uint64_t before, after;
    begin_again(pair, NULL);
    EXPECT(POLICYSYNC_OK, ask(pair));
    respond(pair);
    EXPECT(POLICYSYNC_OK, policysync_replica_position(pair->alice, &before, NULL));
    status = policysync_session_receive(pair->session, pair->alice, NOW, bytes, len, NULL, err);
    EXPECT(POLICYSYNC_OK, policysync_replica_position(pair->alice, &after, NULL));
    CHECK(status < 0 && before == after);
    CHECK(status == POLICYSYNC_ERR_STRAY || progress_of(pair).state == POLICYSYNC_SESSION_FAILED);
}

static void test_bytes_that_are_no_message(void) {
    struct pair pair = pair_of();
    size_t longest = 1114112, n;
    uint8_t *bytes = calloc(longest + 1, 1);
    CHECK(bytes != NULL);

    try_answer(&pair, NULL, 0);
    for (n = 0; n < 256; n++) {
        bytes[0] = (uint8_t)n;
        try_answer(&pair, bytes, 1);
        EXPECT(POLICYSYNC_ERR_MALFORMED, policysync_responder_respond(pair.responder, pair.bob, NOW, bytes, 0,
                                                                      &pair.answer, NULL, err));
        CHECK(policysync_responder_respond(pair.responder, pair.bob, NOW, bytes, 1, &pair.answer, NULL, err) < 0);
    }
    try_answer(&pair, bytes, longest);
    begin_again(&pair, NULL);
    EXPECT(POLICYSYNC_OK, ask(&pair));
    EXPECT(POLICYSYNC_ERR_LIMIT, policysync_session_receive(pair.session, pair.alice, NOW, bytes, longest + 1, NULL, err));
    CHECK(strcmp(error.message, "a message of 1114113 bytes, the limit is 1114112") == 0);
    EXPECT(POLICYSYNC_ERR_LIMIT, policysync_responder_respond(pair.responder, pair.bob, NOW, bytes, longest + 1,
                                                              &pair.answer, NULL, err));
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_session_receive(pair.session, pair.alice, NOW, bytes, SIZE_MAX, NULL, err));
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_responder_respond(pair.responder, pair.bob, NOW, bytes, SIZE_MAX,
                                                                 &pair.answer, NULL, err));
    free(bytes);
    free_pair(&pair);
}

/* Every message truncated at every byte, and with every byte changed. An altered message may still be valid: then the
 * session goes on and ends. No operation is admitted without its actor's signature, and none is lost. */
static void test_altered_messages(void) {
    struct pair pair = pair_of();
    uint8_t copy[2048];
    size_t at, len;
    uint64_t count;
    policysync_status status;

    write_task(pair.alice, "t1", "\"from alice\"");
    write_task(pair.bob, "t2", "\"from bob\"");
    EXPECT(POLICYSYNC_OK, ask(&pair));
    len = pair.request.len;
    CHECK(len > 0 && len <= sizeof copy);
    memcpy(copy, pair.request.data, len);
    for (at = 0; at < len; at++) {
        CHECK(policysync_responder_respond(pair.responder, pair.bob, NOW, copy, at, &pair.answer, NULL, err) < 0);
        copy[at] ^= 0x55;
        status = policysync_responder_respond(pair.responder, pair.bob, NOW, copy, len, &pair.answer, NULL, err);
        CHECK(status <= 0);
        copy[at] ^= 0x55;
    }
    respond(&pair);
    len = pair.answer.len;
    CHECK(len > 64 && len <= sizeof copy);
    memcpy(copy, pair.answer.data, len);
    for (at = 0; at < len; at++) {
        struct pair again = pair_of();
        int rounds = 0;
        write_task(again.alice, "t1", "\"from alice\"");
        write_task(again.bob, "t2", "\"from bob\"");
        EXPECT(POLICYSYNC_OK, ask(&again));
        respond(&again);
        /* Adds one byte at a time. */
        status = policysync_session_receive(again.session, again.alice, NOW, again.answer.data, at, NULL, err);
        CHECK(status < 0);
        begin_again(&again, NULL);
        EXPECT(POLICYSYNC_OK, ask(&again));
        respond(&again);
        CHECK(at < again.answer.len);
        again.answer.data[at] ^= 0x55;
        status = take(&again);
        while (status == POLICYSYNC_OK && ask(&again) == POLICYSYNC_OK) {
            CHECK(++rounds < 40);
            status = policysync_responder_respond(again.responder, again.bob, NOW, again.request.data,
                                                  again.request.len, &again.answer, NULL, err);
            if (status < 0) {
                EXPECT(POLICYSYNC_OK, policysync_sync_alert(status, &again.answer, NULL));
            }
            status = take(&again);
        }
        EXPECT(POLICYSYNC_OK, policysync_replica_position(again.alice, &count, NULL));
        CHECK(count >= 1 && count <= 2);
        begin_again(&again, NULL);
        run(&again);
        equal(again.alice, again.bob, 2);
        free_pair(&again);
    }
    free_pair(&pair);
}

static void test_what_is_refused(void) {
    struct pair pair = pair_of();
    policysync_replica *mallory = replica_of("alice", 3);
    policysync_buffer op = POLICYSYNC_BUFFER_INIT;
    policysync_field title = title_of("t1");
    policysync_replica_options options;
    policysync_replica *trusting = NULL;
    policysync_buffer actor = POLICYSYNC_BUFFER_INIT;
    policysync_buffer kid = POLICYSYNC_BUFFER_INIT;
    policysync_buffer trace = POLICYSYNC_BUFFER_INIT;
    policysync_sync_result result;
    policysync_progress progress;
    policysync_ingested ingested;

    /* An unverified relay holds an operation that Mallory wrote as Alice, with a key that is unknown. */
    EXPECT(POLICYSYNC_OK, policysync_replica_options_init(&options, sizeof options));
    options.flags = POLICYSYNC_DANGEROUSLY_UNVERIFIED;
    EXPECT(POLICYSYNC_OK, policysync_replica_open(&options, &trusting, NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_set(mallory, NOW, &title, "\"gold\"", 6, POLICYSYNC_BINARY, &op, NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_ingest(trusting, NOW, op.data, op.len, NULL, 0, NULL));
    policysync_replica_free(pair.bob);
    pair.bob = trusting;
    run(&pair);
    result = result_of(&pair, NULL);
    CHECK(result.state == POLICYSYNC_SESSION_CONVERGED_EXCEPT && result.count == 0);
    CHECK(result.refused.unknown_key == 1 && result.refused.bad_signature == 0);
    CHECK(result.refused_by_peer.unknown_key == 0);
    /* Alice is known, so it was requested; its key is not, and was named. */
    progress = progress_of(&pair);
    CHECK(progress.received == 0 && progress.refused.unknown_key == 1);
    EXPECT(POLICYSYNC_OK, policysync_session_unknown_author(pair.session, 0, &actor, &kid, err));
    CHECK(actor.len == 5 && memcmp(actor.data, "alice", 5) == 0 && kid.len > 0);
    EXPECT(POLICYSYNC_NOT_FOUND, policysync_session_unknown_author(pair.session, 1, &actor, &kid, err));
    EXPECT(POLICYSYNC_OK, policysync_session_trace(pair.session, &trace, err));
    CHECK(strstr((const char *)trace.data, "sessions 1, steps ") == (const char *)trace.data);
    CHECK(strstr((const char *)trace.data, ", refused 1 (unknown key)") != NULL);
    CHECK(strstr((const char *)trace.data, "alice") == NULL && strstr((const char *)trace.data, "gold") == NULL);
    policysync_buffer_dispose(&trace);
    EXPECT(POLICYSYNC_ERR_NULL, policysync_session_unknown_author(nothing(), 0, &actor, &kid, NULL));
    EXPECT(POLICYSYNC_ERR_NULL, policysync_session_unknown_author(pair.session, 0, nothing(), &kid, NULL));
    EXPECT(POLICYSYNC_ERR_NULL, policysync_session_unknown_author(pair.session, 0, &actor, nothing(), NULL));
    policysync_buffer_dispose(&actor);
    policysync_buffer_dispose(&kid);

    /* The other direction. */
    policysync_session_free(pair.session);
    EXPECT(POLICYSYNC_OK, policysync_session_new(NULL, NULL, &pair.session, NULL));
    ingested.struct_size = sizeof ingested;
    memset(&ingested.reserved, 0x55, sizeof ingested - sizeof ingested.struct_size);
    ingested.received = 1;
    {
        uint64_t refused = 0;
        while (policysync_session_next_message(pair.session, trusting, &pair.request, NULL) == POLICYSYNC_OK) {
            EXPECT(POLICYSYNC_OK, policysync_responder_respond(pair.responder, pair.alice, NOW, pair.request.data,
                                                               pair.request.len, &pair.answer, &ingested, err));
            CHECK(ingested.struct_size == sizeof ingested && ingested.received == 0);
            refused += ingested.refused.unknown_key;
            EXPECT(POLICYSYNC_OK, policysync_session_receive(pair.session, trusting, NOW, pair.answer.data,
                                                             pair.answer.len, &progress, err));
        }
        result = result_of(&pair, NULL);
        CHECK(result.state == POLICYSYNC_SESSION_CONVERGED_EXCEPT && result.refused_by_peer.unknown_key == 1);
        CHECK(progress.sent == 1 && progress.refused_by_peer.unknown_key == 1 && refused == 1);
    }
    policysync_replica_free(mallory);
    policysync_buffer_dispose(&op);
    free_pair(&pair);
}

static void test_refusals(void) {
    struct pair pair = pair_of();
    policysync_replica_options options;
    policysync_replica *elsewhere = NULL;
    policysync_status status;
    static const policysync_status ends[][2] = {
        {POLICYSYNC_ERR_MALFORMED, POLICYSYNC_ERR_REFUSED},  {POLICYSYNC_ERR_PROTOCOL, POLICYSYNC_ERR_REFUSED},
        {POLICYSYNC_ERR_LIMIT, POLICYSYNC_ERR_REFUSED},      {POLICYSYNC_ERR_IO, POLICYSYNC_ERR_REFUSED},
        {POLICYSYNC_ERR_FORGOTTEN, POLICYSYNC_ERR_FORGOTTEN}, {POLICYSYNC_ERR_WRONG_SPACE, POLICYSYNC_ERR_WRONG_SPACE}};
    size_t n;

    for (n = 0; n < sizeof ends / sizeof ends[0]; n++) {
        begin_again(&pair, NULL);
        EXPECT(POLICYSYNC_OK, ask(&pair));
        EXPECT(POLICYSYNC_OK, policysync_sync_alert(ends[n][0], &pair.answer, NULL));
        CHECK(pair.answer.len == 2);
        if (ends[n][0] == POLICYSYNC_ERR_PEER_VERSION) {
            /* The session tries version 1 first. */
            EXPECT(POLICYSYNC_OK, take(&pair));
            EXPECT(POLICYSYNC_OK, ask(&pair));
            EXPECT(POLICYSYNC_OK, policysync_sync_alert(ends[n][0], &pair.answer, NULL));
        }
        EXPECT(ends[n][1], take(&pair));
    }

    /* Another version: the session begins again in version 1, and only then ends. */
    begin_again(&pair, NULL);
    for (n = 0; n < 2; n++) {
        EXPECT(POLICYSYNC_OK, ask(&pair));
        EXPECT(POLICYSYNC_OK, policysync_sync_alert(POLICYSYNC_ERR_PEER_VERSION, &pair.answer, NULL));
        EXPECT(n == 0 ? POLICYSYNC_OK : POLICYSYNC_ERR_PEER_VERSION, take(&pair));
    }

    EXPECT(POLICYSYNC_OK, policysync_replica_options_init(&options, sizeof options));
    options.space = bytes_of("elsewhere");
    EXPECT(POLICYSYNC_OK, policysync_replica_open(&options, &elsewhere, NULL));
    begin_again(&pair, NULL);
    EXPECT(POLICYSYNC_OK, ask(&pair));
    status = policysync_responder_respond(pair.responder, elsewhere, NOW, pair.request.data, pair.request.len,
                                          &pair.answer, NULL, err);
    CHECK(status == POLICYSYNC_ERR_WRONG_SPACE);
    EXPECT(POLICYSYNC_OK, policysync_sync_alert(status, &pair.answer, NULL));
    EXPECT(POLICYSYNC_ERR_WRONG_SPACE, take(&pair));
    policysync_replica_free(elsewhere);
    free_pair(&pair);
}

static void test_that_what_is_common_is_kept(void) {
    static const uint8_t key[32] = {7};
    struct pair pair = pair_of();
    policysync_sync_options options;
    policysync_resume *resume = NULL;
    policysync_resume *again = NULL;
    policysync_buffer kept = POLICYSYNC_BUFFER_INIT;
    policysync_buffer twice = POLICYSYNC_BUFFER_INIT;
    uint8_t ids[2][48];
    uint8_t secret[32] = {9};
    uint8_t *bytes;

    policysync_responder_free(pair.responder);
    EXPECT(POLICYSYNC_OK, policysync_responder_new(NULL, secret, &pair.responder, NULL));
    write_task(pair.alice, "t1", "1");
    write_task(pair.bob, "t2", "2");
    run(&pair);
    CHECK(result_of(&pair, &resume).count == 2);
    EXPECT(POLICYSYNC_ERR_OTHER_REPLICA, policysync_resume_to_bytes(resume, pair.bob, key, &kept, err));
    EXPECT(POLICYSYNC_OK, policysync_resume_to_bytes(resume, pair.alice, key, &kept, NULL));
    EXPECT(POLICYSYNC_OK, policysync_resume_from_bytes(kept.data, kept.len, pair.alice, key, &again, NULL));
    EXPECT(POLICYSYNC_OK, policysync_resume_id(resume, ids[0], NULL));
    EXPECT(POLICYSYNC_OK, policysync_resume_id(again, ids[1], NULL));
    CHECK(memcmp(ids[0], ids[1], sizeof ids[0]) == 0);
    EXPECT(POLICYSYNC_OK, policysync_resume_to_bytes(again, pair.alice, key, &twice, NULL));
    CHECK(kept.len == twice.len && memcmp(kept.data, twice.data, kept.len) == 0);
    policysync_resume_free(resume);

    /* Data of another log, with another key, altered, truncated or of a later version is rejected. */
    resume = again;
    EXPECT(POLICYSYNC_ERR_OTHER_REPLICA, policysync_resume_from_bytes(kept.data, kept.len, pair.bob, key, &again, err));
    CHECK(again == NULL);
    EXPECT(POLICYSYNC_ERR_DAMAGED, policysync_resume_from_bytes(kept.data, kept.len, pair.alice, secret, &again, err));
    bytes = twice.data;
    bytes[20] = (uint8_t)(bytes[20] ^ 1);
    EXPECT(POLICYSYNC_ERR_DAMAGED, policysync_resume_from_bytes(bytes, twice.len, pair.alice, key, &again, err));
    EXPECT(POLICYSYNC_ERR_MALFORMED,
           policysync_resume_from_bytes(kept.data, kept.len - 1, pair.alice, key, &again, err));
    CHECK(strstr(err->message, "cut short") != NULL);
    bytes[1] = 9;
    EXPECT(POLICYSYNC_ERR_PEER_VERSION, policysync_resume_from_bytes(bytes, twice.len, pair.alice, key, &again, err));

    /* A new responder resumes from the encoded data. */
    EXPECT(POLICYSYNC_OK, policysync_responder_resume_to_bytes(pair.responder, pair.bob, &twice, NULL));
    policysync_responder_free(pair.responder);
    EXPECT(POLICYSYNC_OK, policysync_responder_new(NULL, key, &pair.responder, NULL));
    EXPECT(POLICYSYNC_ERR_DAMAGED, policysync_responder_resume_from_bytes(pair.responder, pair.bob, twice.data, twice.len, err));
    policysync_responder_free(pair.responder);
    EXPECT(POLICYSYNC_OK, policysync_responder_new(NULL, secret, &pair.responder, NULL));
    EXPECT(POLICYSYNC_ERR_OTHER_REPLICA,
           policysync_responder_resume_from_bytes(pair.responder, pair.alice, twice.data, twice.len, err));
    EXPECT(POLICYSYNC_OK, policysync_responder_resume_from_bytes(pair.responder, pair.bob, twice.data, twice.len, NULL));
    EXPECT(POLICYSYNC_OK, policysync_sync_options_init(&options, sizeof options));
    options.resume = resume;
    begin_again(&pair, &options);
    EXPECT(POLICYSYNC_OK, ask(&pair));
    respond(&pair);
    /* The byte after the nonce and one byte of a cursor says that the message resumes a session. */
    CHECK(pair.answer.data[29] == 1);
    policysync_resume_free(resume);
    policysync_buffer_dispose(&kept);
    policysync_buffer_dispose(&twice);
    free_pair(&pair);
}

static void test_pushing(void) {
    struct pair pair = pair_of();
    struct pair other = pair_of();
    policysync_resume *resume = NULL;
    policysync_push *from_alice = NULL;
    policysync_push *from_bob = NULL;
    policysync_ingested ingested;
    uint64_t waiting = 0;
    uint8_t id[48];

    write_task(pair.alice, "t1", "1");
    run(&pair);
    CHECK(result_of(&pair, &resume).state == POLICYSYNC_SESSION_CONVERGED);
    EXPECT(POLICYSYNC_OK, policysync_resume_id(resume, id, NULL));
    EXPECT(POLICYSYNC_OK, policysync_push_after(resume, NULL, &from_alice, NULL));
    policysync_resume_free(resume);
    EXPECT(POLICYSYNC_OK, policysync_push_after_responder(pair.responder, pair.bob, id, &from_bob, NULL));
    id[20] ^= 1;
    {
        policysync_push *none = from_bob;
        EXPECT(POLICYSYNC_NOT_FOUND, policysync_push_after_responder(pair.responder, pair.bob, id, &none, NULL));
        CHECK(none == NULL);
    }
    EXPECT(POLICYSYNC_DONE, policysync_push_next_message(from_alice, pair.alice, &pair.request, NULL));

    write_task(pair.alice, "t2", "2");
    write_task(pair.bob, "t3", "3");
    EXPECT(POLICYSYNC_OK, policysync_push_waiting(from_alice, pair.alice, &waiting, NULL));
    CHECK(waiting == 1);
    EXPECT(POLICYSYNC_OK, policysync_push_next_message(from_alice, pair.alice, &pair.request, NULL));
    EXPECT(POLICYSYNC_OK, policysync_push_next_message(from_bob, pair.bob, &pair.answer, NULL));
    ingested.struct_size = sizeof ingested;
    EXPECT(POLICYSYNC_OK, policysync_push_receive(from_bob, pair.bob, NOW, pair.request.data, pair.request.len, &ingested, NULL));
    CHECK(ingested.received == 1 && ingested.duplicates == 0 && ingested.sent == 0);
    EXPECT(POLICYSYNC_OK, policysync_push_receive(from_bob, pair.bob, NOW, pair.request.data, pair.request.len, &ingested, NULL));
    CHECK(ingested.received == 0 && ingested.duplicates == 1);
    EXPECT(POLICYSYNC_OK, policysync_push_receive(from_alice, pair.alice, NOW, pair.answer.data, pair.answer.len, NULL, NULL));
    equal(pair.alice, pair.bob, 3);
    /* Operations that came from the peer are not sent back. */
    EXPECT(POLICYSYNC_DONE, policysync_push_next_message(from_alice, pair.alice, &pair.request, NULL));
    EXPECT(POLICYSYNC_DONE, policysync_push_next_message(from_bob, pair.bob, &pair.answer, NULL));

    EXPECT(POLICYSYNC_ERR_MALFORMED, policysync_push_receive(from_bob, pair.bob, NOW, NULL, 0, NULL, NULL));
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_push_receive(from_bob, pair.bob, NOW, id, SIZE_MAX, NULL, NULL));
    EXPECT(POLICYSYNC_ERR_OTHER_REPLICA, policysync_push_next_message(from_alice, other.alice, &pair.request, NULL));
    free_pair(&pair);
    free_pair(&other);
    policysync_push_free(from_alice);
    policysync_push_free(from_bob);
}

/* A guard that enters every object of the call again. */
static struct pair busy;
static int entered;

static policysync_status come_back(void *ctx, const policysync_op *ops, size_t stride, size_t count, int32_t *verdicts) {
    policysync_progress progress;
    policysync_sync_result result;
    policysync_buffer text = POLICYSYNC_BUFFER_INIT;
    size_t n;
    (void)ops;
    (void)stride;
    (void)ctx;
    for (n = 0; n < count; n++) {
        verdicts[n] = POLICYSYNC_ADMIT;
    }
    entered++;
    progress.struct_size = sizeof progress;
    result.struct_size = sizeof result;
    EXPECT(POLICYSYNC_ERR_BUSY, policysync_session_progress(busy.session, &progress, err));
    CHECK(strcmp(error.message, "a callback called the session that is calling it") == 0);
    EXPECT(POLICYSYNC_ERR_BUSY, policysync_session_cancel(busy.session, err));
    EXPECT(POLICYSYNC_ERR_BUSY, policysync_session_result(busy.session, &result, NULL, err));
    EXPECT(POLICYSYNC_ERR_BUSY, policysync_session_next_message(busy.session, busy.alice, &text, err));
    EXPECT(POLICYSYNC_ERR_BUSY, policysync_session_next_message(busy.session, busy.bob, &text, err));
    EXPECT(POLICYSYNC_ERR_BUSY, policysync_session_receive(busy.session, busy.alice, NOW, "x", 1, NULL, err));
    EXPECT(POLICYSYNC_ERR_BUSY, policysync_session_receive(busy.session, busy.bob, NOW, "x", 1, NULL, err));
    EXPECT(POLICYSYNC_ERR_BUSY, policysync_responder_respond(busy.responder, busy.alice, NOW, "x", 1, &text, NULL, err));
    CHECK(text.data == NULL);
    /* It may free them: they live until the call returns. */
    policysync_session_free(busy.session);
    busy.session = NULL;
    policysync_replica_free(busy.alice);
    busy.alice = NULL;
    return 0;
}

static int destroyed;

static void count(void *ctx) {
    (void)ctx;
    destroyed++;
}

static void test_a_callback_that_comes_back(void) {
    policysync_guard guard = {sizeof guard, 0, NULL, come_back, count};
    policysync_replica_options options;
    busy = pair_of();
    policysync_replica_free(busy.alice);
    EXPECT(POLICYSYNC_OK, policysync_replica_options_init(&options, sizeof options));
    options.guard = &guard;
    EXPECT(POLICYSYNC_OK, policysync_replica_open(&options, &busy.alice, NULL));
    introduce(busy.alice, "bob", 2);
    write_task(busy.bob, "t1", "1");
    while (entered == 0) {
        EXPECT(POLICYSYNC_OK, ask(&busy));
        respond(&busy);
        EXPECT(POLICYSYNC_OK, take(&busy));
    }
    CHECK(busy.session == NULL && busy.alice == NULL && destroyed == 1);
    free_pair(&busy);
}

/* The verdict of a guard, and the number of an observer's notifications. */
static int32_t verdict;
static policysync_status guards_result;
static int told;

static policysync_status judge(void *ctx, const policysync_op *ops, size_t stride, size_t n, int32_t *verdicts) {
    (void)ctx;
    (void)ops;
    (void)stride;
    while (n-- > 0) {
        verdicts[n] = verdict;
    }
    return guards_result;
}

static void tell(void *ctx) {
    policysync_progress progress;
    (void)ctx;
    /* The session has processed the message by then. */
    progress.struct_size = sizeof progress;
    EXPECT(POLICYSYNC_OK, policysync_session_progress(busy.session, &progress, NULL));
    CHECK(progress.received == 1);
    told++;
}

static policysync_status run_busy(void) {
    policysync_status status = POLICYSYNC_OK;
    begin_again(&busy, NULL);
    while (status == POLICYSYNC_OK && (status = ask(&busy)) == POLICYSYNC_OK) {
        respond(&busy);
        status = take(&busy);
    }
    return status;
}

static void test_guard_and_observer(void) {
    policysync_guard guard = {sizeof guard, 0, NULL, judge, NULL};
    policysync_observer observer = {sizeof observer, 0, NULL, tell, NULL};
    policysync_replica_options options;
    busy = pair_of();
    policysync_replica_free(busy.alice);
    EXPECT(POLICYSYNC_OK, policysync_replica_options_init(&options, sizeof options));
    options.guard = &guard;
    options.observer = &observer;
    EXPECT(POLICYSYNC_OK, policysync_replica_open(&options, &busy.alice, NULL));
    introduce(busy.alice, "bob", 2);
    write_task(busy.bob, "t1", "1");

    verdict = POLICYSYNC_ADMIT;
    guards_result = 7;
    EXPECT(POLICYSYNC_ERR_CALLBACK, run_busy());
    CHECK(strcmp(error.message, "the guard failed with status 7") == 0);
    CHECK(result_of(&busy, NULL).state == POLICYSYNC_SESSION_FAILED);
    guards_result = 0;
    verdict = POLICYSYNC_ABORT;
    EXPECT(POLICYSYNC_ERR_ABORTED, run_busy());
    verdict = POLICYSYNC_REJECT;
    EXPECT(POLICYSYNC_DONE, run_busy());
    CHECK(result_of(&busy, NULL).state == POLICYSYNC_SESSION_CONVERGED_EXCEPT);
    CHECK(result_of(&busy, NULL).count == 0 && result_of(&busy, NULL).refused.denied == 1);
    CHECK(progress_of(&busy).refused.denied == 1 && told == 0);
    verdict = POLICYSYNC_ADMIT;
    EXPECT(POLICYSYNC_DONE, run_busy());
    CHECK(result_of(&busy, NULL).state == POLICYSYNC_SESSION_CONVERGED && told >= 1);
    free_pair(&busy);
}

static void test_freeing_in_any_order(void) {
    struct pair pair = pair_of();
    policysync_resume *resume = NULL;
    policysync_push *push = NULL;
    policysync_sync_options options;
    write_task(pair.alice, "t1", "1");
    run(&pair);
    CHECK(result_of(&pair, &resume).count == 1);
    EXPECT(POLICYSYNC_OK, policysync_push_after(resume, NULL, &push, NULL));
    EXPECT(POLICYSYNC_OK, policysync_sync_options_init(&options, sizeof options));
    options.resume = resume;
    begin_again(&pair, &options);
    policysync_resume_free(resume);
    EXPECT(POLICYSYNC_OK, ask(&pair));
    policysync_replica_free(pair.alice);
    policysync_replica_free(pair.bob);
    pair.alice = pair.bob = NULL;
    CHECK(progress_of(&pair).state == POLICYSYNC_SESSION_RUNNING);
    policysync_responder_free(pair.responder);
    pair.responder = NULL;
    policysync_push_free(push);
    free_pair(&pair);

    policysync_session_free(NULL);
    policysync_responder_free(NULL);
    policysync_push_free(NULL);
    policysync_resume_free(NULL);
}

static void test_sizes_of_structs(void) {
    struct pair pair = pair_of();
    struct {
        policysync_sync_options options;
        uint64_t more;
    } later;
    struct {
        policysync_progress progress;
        uint64_t more;
    } progress;
    policysync_session *session = NULL;
    policysync_sync_result result;
    policysync_ingested ingested;

    memset(&later, 0x55, sizeof later);
    EXPECT(POLICYSYNC_OK, policysync_sync_options_init(&later.options, sizeof later));
    CHECK(later.more == 0 && later.options.resume == NULL);
    EXPECT(POLICYSYNC_OK, policysync_session_new(&later.options, NULL, &session, err));
    policysync_session_free(session);
    later.more = 1;
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_session_new(&later.options, NULL, &session, err));
    CHECK(session == NULL);
    later.options.struct_size = sizeof later.options;
    later.options.reserved = 1;
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_session_new(&later.options, NULL, &session, err));
    later.options.struct_size = 7;
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_session_new(&later.options, NULL, &session, err));
    EXPECT(POLICYSYNC_ERR_ARGUMENT, policysync_sync_options_init(&later.options, 7));

    memset(&progress, 0x55, sizeof progress);
    progress.progress.struct_size = sizeof progress;
    EXPECT(POLICYSYNC_OK, policysync_session_progress(pair.session, &progress.progress, err));
    CHECK(progress.progress.received == 0 && progress.more == UINT64_C(0x5555555555555555));
    progress.progress.struct_size = sizeof progress.progress - 1;
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_session_progress(pair.session, &progress.progress, err));
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_session_receive(pair.session, pair.alice, NOW, "x", 1, &progress.progress, err));
    result.struct_size = sizeof result - 1;
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_session_result(pair.session, &result, NULL, err));
    ingested.struct_size = sizeof ingested - 1;
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_responder_respond(pair.responder, pair.bob, NOW, "x", 1, &pair.answer,
                                                                &ingested, err));
    free_pair(&pair);
}

static void test_nulls_in_sync(void) {
    struct pair pair = pair_of();
    policysync_session *session = pair.session;
    policysync_responder *responder = pair.responder;
    policysync_push *push = NULL;
    policysync_push *push_out = NULL;
    policysync_resume *resume = NULL;
    policysync_resume *base_out = NULL;
    policysync_buffer buffer = POLICYSYNC_BUFFER_INIT;
    policysync_progress progress;
    policysync_sync_result result;
    uint8_t id[48] = {0};
    uint64_t number;

    write_task(pair.alice, "t1", "1");
    run(&pair);
    CHECK(result_of(&pair, &resume).count == 1);
    EXPECT(POLICYSYNC_OK, policysync_push_after(resume, NULL, &push, NULL));
    progress.struct_size = sizeof progress;
    result.struct_size = sizeof result;

    NULL_IN("out32", policysync_random32(nothing(), err));
    EXPECT(POLICYSYNC_ERR_NULL, policysync_sync_options_init(nothing(), 24));
    NULL_IN("out", policysync_sync_alert(-1, nothing(), err));
    NULL_IN("resume", policysync_resume_id(nothing(), id, err));
    NULL_IN("out48", policysync_resume_id(resume, nothing(), err));
    NULL_IN("resume", policysync_resume_to_bytes(nothing(), pair.alice, id, &buffer, err));
    NULL_IN("replica", policysync_resume_to_bytes(resume, nothing(), id, &buffer, err));
    NULL_IN("key32", policysync_resume_to_bytes(resume, pair.alice, nothing(), &buffer, err));
    NULL_IN("out", policysync_resume_to_bytes(resume, pair.alice, id, nothing(), err));
    NULL_IN("bytes", policysync_resume_from_bytes(NULL, 1, pair.alice, id, &base_out, err));
    NULL_IN("replica", policysync_resume_from_bytes("x", 1, nothing(), id, &base_out, err));
    NULL_IN("key32", policysync_resume_from_bytes("x", 1, pair.alice, nothing(), &base_out, err));
    NULL_IN("out", policysync_resume_from_bytes("x", 1, pair.alice, id, nothing(), err));
    NULL_IN("responder", policysync_responder_resume_to_bytes(nothing(), pair.bob, &buffer, err));
    NULL_IN("replica", policysync_responder_resume_to_bytes(responder, nothing(), &buffer, err));
    NULL_IN("out", policysync_responder_resume_to_bytes(responder, pair.bob, nothing(), err));
    NULL_IN("responder", policysync_responder_resume_from_bytes(nothing(), pair.bob, "x", 1, err));
    NULL_IN("replica", policysync_responder_resume_from_bytes(responder, nothing(), "x", 1, err));
    NULL_IN("bytes", policysync_responder_resume_from_bytes(responder, pair.bob, NULL, 1, err));
    NULL_IN("out", policysync_session_new(NULL, NULL, nothing(), err));
    NULL_IN("session", policysync_session_next_message(nothing(), pair.alice, &buffer, err));
    NULL_IN("replica", policysync_session_next_message(session, nothing(), &buffer, err));
    NULL_IN("out", policysync_session_next_message(session, pair.alice, nothing(), err));
    NULL_IN("session", policysync_session_receive(nothing(), pair.alice, NOW, "x", 1, NULL, err));
    NULL_IN("replica", policysync_session_receive(session, nothing(), NOW, "x", 1, NULL, err));
    NULL_IN("message", policysync_session_receive(session, pair.alice, NOW, NULL, 1, NULL, err));
    NULL_IN("session", policysync_session_trace(nothing(), &buffer, err));
    NULL_IN("out", policysync_session_trace(session, nothing(), err));
    NULL_IN("session", policysync_session_progress(nothing(), &progress, err));
    NULL_IN("progress", policysync_session_progress(session, nothing(), err));
    NULL_IN("session", policysync_session_result(nothing(), &result, NULL, err));
    NULL_IN("result", policysync_session_result(session, nothing(), NULL, err));
    NULL_IN("session", policysync_session_unknown_author(nothing(), 0, &buffer, &buffer, err));
    NULL_IN("actor", policysync_session_unknown_author(session, 0, nothing(), &buffer, err));
    NULL_IN("session", policysync_session_cancel(nothing(), err));
    NULL_IN("out", policysync_responder_new(NULL, NULL, nothing(), err));
    NULL_IN("responder", policysync_responder_respond(nothing(), pair.bob, NOW, "x", 1, &buffer, NULL, err));
    NULL_IN("replica", policysync_responder_respond(responder, nothing(), NOW, "x", 1, &buffer, NULL, err));
    NULL_IN("message", policysync_responder_respond(responder, pair.bob, NOW, NULL, 1, &buffer, NULL, err));
    NULL_IN("out", policysync_responder_respond(responder, pair.bob, NOW, "x", 1, nothing(), NULL, err));
    NULL_IN("resume", policysync_push_after(nothing(), NULL, &push_out, err));
    NULL_IN("out", policysync_push_after(resume, NULL, nothing(), err));
    NULL_IN("responder", policysync_push_after_responder(nothing(), pair.bob, id, &push_out, err));
    NULL_IN("replica", policysync_push_after_responder(responder, nothing(), id, &push_out, err));
    NULL_IN("id48", policysync_push_after_responder(responder, pair.bob, nothing(), &push_out, err));
    NULL_IN("out", policysync_push_after_responder(responder, pair.bob, id, nothing(), err));
    NULL_IN("push", policysync_push_next_message(nothing(), pair.alice, &buffer, err));
    NULL_IN("replica", policysync_push_next_message(push, nothing(), &buffer, err));
    NULL_IN("out", policysync_push_next_message(push, pair.alice, nothing(), err));
    NULL_IN("push", policysync_push_receive(nothing(), pair.alice, NOW, "x", 1, NULL, err));
    NULL_IN("replica", policysync_push_receive(push, nothing(), NOW, "x", 1, NULL, err));
    NULL_IN("message", policysync_push_receive(push, pair.alice, NOW, NULL, 1, NULL, err));
    NULL_IN("push", policysync_push_waiting(nothing(), pair.alice, &number, err));
    NULL_IN("replica", policysync_push_waiting(push, nothing(), &number, err));
    NULL_IN("out", policysync_push_waiting(push, pair.alice, nothing(), err));
    CHECK(buffer.data == NULL && push_out == NULL && base_out == NULL);

    /* Random numbers of the library: two responders derive different keys. */
    {
        uint8_t one[32] = {0}, other[32] = {0};
        EXPECT(POLICYSYNC_OK, policysync_random32(one, NULL));
        EXPECT(POLICYSYNC_OK, policysync_random32(other, NULL));
        CHECK(memcmp(one, other, sizeof one) != 0);
        EXPECT(POLICYSYNC_OK, policysync_responder_new(NULL, NULL, &responder, NULL));
        policysync_responder_free(responder);
        EXPECT(POLICYSYNC_OK, policysync_session_new(NULL, NULL, &session, NULL));
        EXPECT(POLICYSYNC_OK, policysync_session_next_message(session, pair.alice, &pair.request, NULL));
        policysync_session_free(session);
        EXPECT(POLICYSYNC_OK, policysync_session_new(NULL, NULL, &session, NULL));
        EXPECT(POLICYSYNC_OK, policysync_session_next_message(session, pair.alice, &pair.answer, NULL));
        policysync_session_free(session);
        CHECK(pair.request.len == pair.answer.len);
        CHECK(memcmp(pair.request.data, pair.answer.data, pair.request.len) != 0);
    }
    policysync_resume_free(resume);
    policysync_push_free(push);
    free_pair(&pair);
}

void test_sync(void) {
    test_that_two_replicas_converge();
    test_turns();
    test_bytes_that_are_no_message();
    test_altered_messages();
    test_what_is_refused();
    test_refusals();
    test_that_what_is_common_is_kept();
    test_pushing();
    test_a_callback_that_comes_back();
    test_guard_and_observer();
    test_freeing_in_any_order();
    test_sizes_of_structs();
    test_nulls_in_sync();
}
