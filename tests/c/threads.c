/* One replica, several threads. */
#include "check.h"

#include <pthread.h>

enum { THREADS = 4, EACH = 25 };

static policysync_replica *shared;

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

int main(void) {
    pthread_t threads[THREADS];
    int numbers[THREADS];
    uint64_t position = 0;
    int n;
    shared = replica_of("alice", 1);
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
    puts("all threads are done");
    return 0;
}
