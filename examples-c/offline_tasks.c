/* Two devices, each with a file, change the same task list offline. Then they synchronize over a carrier that loses,
 * repeats and alters messages. Altered operations are refused, and at the end both have the same list. */
#include <policysync.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Opens a device that writes as this actor, into this file. */
static policysync_replica *device(const char *actor, const char *path, uint8_t public_key[32]) {
    policysync_replica_options options = POLICYSYNC_REPLICA_OPTIONS_INIT;
    policysync_replica *replica = NULL;
    policysync_key *key = NULL;
    remove(path);
    check(policysync_key_generate(actor, strlen(actor), &key, &error));
    check(policysync_key_public(key, public_key, &error));
    options.key = key;
    options.path = text(path);
    check(policysync_replica_open(&options, &replica, &error));
    policysync_key_free(key);
    return replica;
}

static void set(policysync_replica *replica, const char *task, const char *path, const char *value) {
    policysync_field field;
    field.entity = text("Task");
    field.entity_id = text(task);
    field.path = text(path);
    check(policysync_replica_set_text(replica, POLICYSYNC_NOW, &field, value, strlen(value), 0, NULL, &error));
}

/* Simulates the carrier: returns how many times a message arrives. It is the same in every run. */
static int carry(policysync_buffer *message) {
    static const char *const habits[] = { "loses",   "carries", "repeats", "forges",
                                          "carries", "garbles", "carries", "carries" };
    static size_t number = 0;
    const char *does = number < sizeof habits / sizeof habits[0] ? habits[number] : "carries";
    size_t n;
    number++;
    printf("  the carrier %s a message of %zu bytes\n", does, message->len);
    if (strcmp(does, "forges") == 0) {
        /* Someone changes the text of an operation. */
        for (n = 0; n + 4 <= message->len; n++) {
            if (memcmp(message->data + n, "milk", 4) == 0) {
                memcpy(message->data + n, "wine", 4);
            }
        }
    } else if (strcmp(does, "garbles") == 0) {
        message->data[message->len - 1] ^= 0x80;
    }
    return strcmp(does, "loses") == 0 ? 0 : strcmp(does, "repeats") == 0 ? 2 : 1;
}

static void refused(const char *who, policysync_status status) {
    printf("  %s refuses it: %s: %s\n", who, policysync_status_name(status), error.message);
}

/* The laptop answers. Returns how many times the answer arrives. */
static int respond(policysync_responder *responder, policysync_replica *laptop, const policysync_buffer *request,
                   policysync_buffer *answer) {
    policysync_ingested ingested = POLICYSYNC_INGESTED_INIT;
    policysync_status status;
    status = policysync_responder_respond(responder, laptop, POLICYSYNC_NOW, request->data, request->len, answer, &ingested,
                                          &error);
    if (status < 0) {
        refused("the laptop", status);
        check(policysync_sync_alert(status, answer, &error));
    } else if (ingested.refused.bad_signature > 0) {
        puts("  the laptop refuses an operation: not signed by the actor that it names");
    }
    return carry(answer);
}

/* Runs one session. If it ends early, the next one continues. */
static int synchronize(policysync_replica *phone, policysync_replica *laptop, policysync_responder *responder) {
    policysync_session *session = NULL;
    policysync_buffer request = POLICYSYNC_BUFFER_INIT, answer = POLICYSYNC_BUFFER_INIT;
    policysync_progress progress = POLICYSYNC_PROGRESS_INIT;
    policysync_sync_result result = POLICYSYNC_SYNC_RESULT_INIT;
    policysync_status status = POLICYSYNC_OK;
    int times;

    check(policysync_session_new(NULL, NULL, &session, &error));
    while (status == POLICYSYNC_OK &&
           (status = policysync_session_next_message(session, phone, &request, &error)) == POLICYSYNC_OK) {
        do {
            /* Send the same message again until an answer arrives. */
            times = carry(&request) > 0 ? respond(responder, laptop, &request, &answer) : 0;
        } while (times == 0);
        while (times-- > 0) {
            status = policysync_session_receive(session, phone, POLICYSYNC_NOW, answer.data, answer.len, &progress, &error);
            if (status < 0) {
                refused("the phone", status);
            }
            /* A stray or untimely answer changes nothing. */
            if (status == POLICYSYNC_ERR_OUT_OF_TURN || status == POLICYSYNC_ERR_STRAY) {
                status = POLICYSYNC_OK;
            }
        }
    }
    check(policysync_session_result(session, &result, NULL, &error));
    check(policysync_session_progress(session, &progress, &error));
    printf("  %s: %llu sent, %llu received, %llu refused for their signature\n",
           result.state == POLICYSYNC_SESSION_CONVERGED ? "converged" : "not converged",
           (unsigned long long)progress.sent, (unsigned long long)progress.received,
           (unsigned long long)(progress.refused.bad_signature + progress.refused_by_peer.bad_signature));
    policysync_session_free(session);
    policysync_buffer_dispose(&request);
    policysync_buffer_dispose(&answer);
    return result.state == POLICYSYNC_SESSION_CONVERGED;
}

static policysync_digest show(const char *who, policysync_replica *replica) {
    static const char *const tasks[] = { "t1", "t2", "t3" };
    policysync_buffer task = POLICYSYNC_BUFFER_INIT;
    policysync_digest digest = POLICYSYNC_DIGEST_INIT;
    size_t n;
    printf("%s shows\n", who);
    for (n = 0; n < sizeof tasks / sizeof tasks[0]; n++) {
        check(policysync_replica_entity(replica, "Task", 4, tasks[n], 2, &task, &error));
        printf("  %s\n", (const char *)task.data);
    }
    check(policysync_replica_digest(replica, &digest, &error));
    printf("  %llu operations, digest ", (unsigned long long)digest.count);
    for (n = 0; n < 8; n++) {
        printf("%02x", digest.state[n]);
    }
    puts("...");
    policysync_buffer_dispose(&task);
    return digest;
}

int main(void) {
    uint8_t annas_key[32], bobs_key[32];
    policysync_replica *phone = device("anna", "phone.db", annas_key);
    policysync_replica *laptop = device("bob", "laptop.db", bobs_key);
    policysync_responder *responder = NULL;
    policysync_digest at_phone, at_laptop;
    int session = 1, agree;

    check(policysync_replica_register_key(phone, "bob", 3, NULL, 0, bobs_key, &error));
    check(policysync_replica_register_key(laptop, "anna", 4, NULL, 0, annas_key, &error));

    /* Both devices are offline. */
    set(phone, "t1", "title", "Buy milk");
    set(phone, "t2", "title", "Call mum");
    set(laptop, "t1", "done", "yes");
    set(laptop, "t3", "title", "Water the plants");

    /* The phone initiates sessions and the laptop answers, until they agree. */
    check(policysync_responder_new(NULL, NULL, &responder, &error));
    do {
        printf("session %d\n", session);
    } while (!synchronize(phone, laptop, responder) && session++ < 9);

    at_phone = show("the phone", phone);
    at_laptop = show("the laptop", laptop);
    agree = memcmp(&at_phone, &at_laptop, sizeof at_phone) == 0;
    puts(agree ? "they agree" : "they differ");

    policysync_responder_free(responder);
    policysync_replica_free(phone);
    policysync_replica_free(laptop);
    return agree ? EXIT_SUCCESS : EXIT_FAILURE;
}
