/* Lines: both sides, with valid and with arbitrary bytes. */
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

/* A line between alice, who calls, and bob. */
struct line {
    policysync_replica *alice, *bob;
    policysync_line_initiator *caller;
    policysync_line_responder *answerer;
    policysync_responder *responder;
    policysync_buffer message, answer;
};

static void write_task(policysync_replica *replica, const char *id, const char *json) {
    policysync_field title = title_of(id);
    EXPECT(POLICYSYNC_OK, policysync_replica_set(replica, NOW, &title, json, strlen(json), 0, NULL, NULL));
}

static struct line line_of(void) {
    struct line line = {NULL, NULL, NULL, NULL, NULL, POLICYSYNC_BUFFER_INIT, POLICYSYNC_BUFFER_INIT};
    uint8_t bytes[32];
    memset(bytes, 7, sizeof bytes);
    line.alice = replica_of("alice", 1);
    line.bob = replica_of("bob", 2);
    introduce(line.alice, "bob", 2);
    introduce(line.bob, "alice", 1);
    EXPECT(POLICYSYNC_OK, policysync_responder_new(NULL, bytes, &line.responder, NULL));
    EXPECT(POLICYSYNC_OK, policysync_line_initiator_new(NULL, bytes, &line.caller, NULL));
    EXPECT(POLICYSYNC_OK, policysync_line_responder_new(&line.answerer, NULL));
    return line;
}

static void free_line(struct line *line) {
    policysync_replica_free(line->alice);
    policysync_replica_free(line->bob);
    policysync_line_initiator_free(line->caller);
    policysync_line_responder_free(line->answerer);
    policysync_responder_free(line->responder);
    policysync_buffer_dispose(&line->message);
    policysync_buffer_dispose(&line->answer);
}

static policysync_status say(struct line *line) {
    return policysync_line_initiator_next_message(line->caller, line->alice, NOW, &line->message, err);
}

static policysync_status hear(struct line *line) {
    return policysync_line_responder_receive(line->answerer, line->responder, line->bob, NOW, line->message.data,
                                            line->message.len, &line->answer, err);
}

static void take(struct line *line) {
    EXPECT(POLICYSYNC_OK, policysync_line_initiator_receive(line->caller, line->alice, NOW, line->answer.data,
                                                         line->answer.len, err));
}

/* Carries messages until neither side has one. */
static void carry(struct line *line) {
    policysync_status status;
    int rounds = 0;
    do {
        CHECK(++rounds < 100);
        while ((status = say(line)) == POLICYSYNC_OK) {
            status = hear(line);
            CHECK(status == POLICYSYNC_OK || status == POLICYSYNC_DONE);
            if (status == POLICYSYNC_OK) {
                take(line);
            }
        }
        CHECK(status == POLICYSYNC_DONE);
        status = policysync_line_responder_next_message(line->answerer, line->bob, &line->answer, err);
        if (status == POLICYSYNC_OK) {
            take(line);
        }
    } while (status == POLICYSYNC_OK);
    CHECK(status == POLICYSYNC_DONE);
}

static void equal(const struct line *line, uint64_t count) {
    policysync_digest digests[2];
    memset(digests, 0, sizeof digests);
    digests[0].struct_size = digests[1].struct_size = sizeof digests[0];
    EXPECT(POLICYSYNC_OK, policysync_replica_digest(line->alice, &digests[0], NULL));
    EXPECT(POLICYSYNC_OK, policysync_replica_digest(line->bob, &digests[1], NULL));
    CHECK(memcmp(&digests[0], &digests[1], sizeof digests[0]) == 0 && digests[0].count == count);
}

static void test_that_it_pushes_both_ways(void) {
    struct line line = line_of();
    policysync_progress progress;
    policysync_sync_result result;
    policysync_resume *resume = NULL;

    write_task(line.alice, "t1", "\"from alice\"");
    write_task(line.bob, "t2", "\"from bob\"");
    progress.struct_size = sizeof progress;
    result.struct_size = sizeof result;
    EXPECT(POLICYSYNC_OK, policysync_line_initiator_progress(line.caller, &progress, err));
    CHECK(progress.state == POLICYSYNC_SESSION_RUNNING && progress.received == 0);
    EXPECT(POLICYSYNC_NOT_FOUND, policysync_line_initiator_result(line.caller, &result, &resume, err));
    CHECK(resume == NULL);
    EXPECT(POLICYSYNC_NOT_FOUND, policysync_line_initiator_is_pushing(line.caller, err));
    carry(&line);
    equal(&line, 2);
    EXPECT(POLICYSYNC_OK, policysync_line_initiator_is_pushing(line.caller, err));
    EXPECT(POLICYSYNC_OK, policysync_line_initiator_progress(line.caller, &progress, err));
    CHECK(progress.state == POLICYSYNC_SESSION_CONVERGED && progress.received == 1 && progress.sent == 1);
    EXPECT(POLICYSYNC_OK, policysync_line_initiator_result(line.caller, &result, &resume, err));
    CHECK(result.state == POLICYSYNC_SESSION_CONVERGED && result.count == 2 && resume != NULL);

    write_task(line.alice, "t3", "1");
    carry(&line);
    equal(&line, 3);
    write_task(line.bob, "t4", "2");
    carry(&line);
    equal(&line, 4);

    /* The next line resumes from this one. */
    {
        policysync_sync_options options;
        EXPECT(POLICYSYNC_OK, policysync_sync_options_init(&options, sizeof options));
        options.resume = resume;
        policysync_line_initiator_free(line.caller);
        policysync_line_responder_free(line.answerer);
        EXPECT(POLICYSYNC_OK, policysync_line_initiator_new(&options, NULL, &line.caller, err));
        EXPECT(POLICYSYNC_OK, policysync_line_responder_new(&line.answerer, err));
        carry(&line);
        equal(&line, 4);
        EXPECT(POLICYSYNC_OK, policysync_line_initiator_is_pushing(line.caller, err));
    }
    policysync_resume_free(resume);
    free_line(&line);
}

static void test_that_nonsense_ends_it(void) {
    struct line line = line_of();
    policysync_buffer refusal = POLICYSYNC_BUFFER_INIT;
    EXPECT(POLICYSYNC_ERR_MALFORMED,
           policysync_line_responder_receive(line.answerer, line.responder, line.bob, NOW, "nonsense", 8, &line.answer, err));
    CHECK(line.answer.data == NULL && error.message[0] != 0);
    /* A push before any session. */
    EXPECT(POLICYSYNC_ERR_OUT_OF_TURN, policysync_line_responder_receive(line.answerer, line.responder, line.bob, NOW,
                                                                        "\xE3\x01\x00", 3, &line.answer, err));
    EXPECT(POLICYSYNC_OK, policysync_sync_alert(POLICYSYNC_ERR_OUT_OF_TURN, &refusal, err));
    EXPECT(POLICYSYNC_ERR_OUT_OF_TURN,
           policysync_line_initiator_receive(line.caller, line.alice, NOW, refusal.data, refusal.len, err));
    EXPECT(POLICYSYNC_OK, say(&line));
    EXPECT(POLICYSYNC_ERR_REFUSED,
           policysync_line_initiator_receive(line.caller, line.alice, NOW, refusal.data, refusal.len, err));
    policysync_buffer_dispose(&refusal);
    free_line(&line);
}

static void test_nulls_of_lines(void) {
    struct line line = line_of();
    policysync_line_initiator *caller = line.caller;
    policysync_line_responder *answerer = line.answerer;
    policysync_buffer *out = &line.message;
    policysync_progress progress = {0};
    policysync_sync_result result = {0};
    progress.struct_size = sizeof progress;
    result.struct_size = sizeof result;

    NULL_IN("out", policysync_line_initiator_new(NULL, NULL, nothing(), err));
    NULL_IN("caller", policysync_line_initiator_next_message(nothing(), line.alice, NOW, out, err));
    NULL_IN("replica", policysync_line_initiator_next_message(caller, nothing(), NOW, out, err));
    NULL_IN("out", policysync_line_initiator_next_message(caller, line.alice, NOW, nothing(), err));
    NULL_IN("caller", policysync_line_initiator_receive(nothing(), line.alice, NOW, "x", 1, err));
    NULL_IN("replica", policysync_line_initiator_receive(caller, nothing(), NOW, "x", 1, err));
    NULL_IN("message", policysync_line_initiator_receive(caller, line.alice, NOW, NULL, 1, err));
    NULL_IN("caller", policysync_line_initiator_progress(nothing(), &progress, err));
    NULL_IN("progress", policysync_line_initiator_progress(caller, nothing(), err));
    NULL_IN("caller", policysync_line_initiator_result(nothing(), &result, NULL, err));
    NULL_IN("result", policysync_line_initiator_result(caller, nothing(), NULL, err));
    NULL_IN("caller", policysync_line_initiator_is_pushing(nothing(), err));
    NULL_IN("out", policysync_line_responder_new(nothing(), err));
    NULL_IN("answerer",
            policysync_line_responder_receive(nothing(), line.responder, line.bob, NOW, "x", 1, out, err));
    NULL_IN("responder", policysync_line_responder_receive(answerer, nothing(), line.bob, NOW, "x", 1, out, err));
    NULL_IN("replica", policysync_line_responder_receive(answerer, line.responder, nothing(), NOW, "x", 1, out, err));
    NULL_IN("message", policysync_line_responder_receive(answerer, line.responder, line.bob, NOW, NULL, 1, out, err));
    NULL_IN("out",
            policysync_line_responder_receive(answerer, line.responder, line.bob, NOW, "x", 1, nothing(), err));
    NULL_IN("answerer", policysync_line_responder_next_message(nothing(), line.bob, out, err));
    NULL_IN("replica", policysync_line_responder_next_message(answerer, nothing(), out, err));
    NULL_IN("out", policysync_line_responder_next_message(answerer, line.bob, nothing(), err));
    progress.struct_size = 8;
    EXPECT(POLICYSYNC_ERR_VERSION, policysync_line_initiator_progress(caller, &progress, err));
    policysync_line_initiator_free(NULL);
    policysync_line_responder_free(NULL);
    free_line(&line);
}

void test_lines(void) {
    test_that_it_pushes_both_ways();
    test_that_nonsense_ends_it();
    test_nulls_of_lines();
}
