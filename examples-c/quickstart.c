/* Alice writes on her phone, Bob reads on his: a signed operation goes from one to the other. */
#include <policysync.h>

#include <stdio.h>
#include <stdlib.h>

static policysync_error error = POLICYSYNC_ERROR_INIT;

static void check(policysync_status status) {
    if (status < 0) {
        fprintf(stderr, "%s: %s\n", policysync_status_name(status), error.message);
        exit(EXIT_FAILURE);
    }
}

int main(void) {
    policysync_replica_options options = POLICYSYNC_REPLICA_OPTIONS_INIT;
    policysync_key *alice = NULL;
    policysync_replica *phone_of_alice = NULL, *phone_of_bob = NULL;
    policysync_field title = { POLICYSYNC_BYTES("Task"), POLICYSYNC_BYTES("t1"), POLICYSYNC_BYTES("title") };
    policysync_buffer op = POLICYSYNC_BUFFER_INIT, value = POLICYSYNC_BUFFER_INIT;
    uint8_t public_key[32];

    /* A key pair identifies the writer. Its seed belongs in the platform's key store. */
    check(policysync_key_generate("alice", 5, &alice, &error));
    check(policysync_key_public(alice, public_key, &error));

    /* Alice's replica writes with her key; Bob's only reads, and knows her public key. */
    options.key = alice;
    check(policysync_replica_open(&options, &phone_of_alice, &error));
    check(policysync_replica_open(NULL, &phone_of_bob, &error));
    check(policysync_replica_register_key(phone_of_bob, "alice", 5, NULL, 0, public_key, &error));

    /* Setting a field makes a signed operation. Send it over any transport. */
    check(policysync_replica_set_text(phone_of_alice, POLICYSYNC_NOW, &title, "Hello world", 11,
                                      POLICYSYNC_JSON, &op, &error));
    printf("sent:     %s\n", (const char *)op.data);

    /* Ingesting it verifies it. */
    check(policysync_replica_ingest(phone_of_bob, POLICYSYNC_NOW, op.data, op.len, NULL, 0, &error));
    check(policysync_replica_get_text(phone_of_bob, &title, &value, &error));
    printf("received: %s\n", (const char *)value.data);

    policysync_buffer_dispose(&op);
    policysync_buffer_dispose(&value);
    policysync_replica_free(phone_of_alice);
    policysync_replica_free(phone_of_bob);
    policysync_key_free(alice);
    return 0;
}
