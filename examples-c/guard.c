/* A guard rejects verified operations that the application does not accept: here everything except tasks. */
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

/* The verdict must depend on the operation alone, or replicas will differ. */
static policysync_status only_tasks(void *ctx, const policysync_op *ops, size_t stride, size_t count,
                                    int32_t *verdicts) {
    size_t n;
    for (n = 0; n < count; n++) {
        const policysync_op *op = (const policysync_op *)(const void *)((const char *)ops + n * stride);
        int is_task = op->entity.len == 4 && memcmp(op->entity.data, "Task", 4) == 0;
        verdicts[n] = is_task ? POLICYSYNC_ADMIT : POLICYSYNC_REJECT;
        *(int *)ctx += 1;
    }
    return POLICYSYNC_OK;
}

int main(void) {
    int asked = 0;
    policysync_guard guard = POLICYSYNC_GUARD_INIT;
    policysync_replica_options options = POLICYSYNC_REPLICA_OPTIONS_INIT;
    policysync_replica *replica = NULL;
    policysync_key *key = NULL;
    policysync_field task = { POLICYSYNC_BYTES("Task"), POLICYSYNC_BYTES("t1"), POLICYSYNC_BYTES("title") };
    policysync_field salary = { POLICYSYNC_BYTES("Salary"), POLICYSYNC_BYTES("mine"), POLICYSYNC_BYTES("sum") };
    policysync_status status;

    guard.ctx = &asked;
    guard.check = only_tasks;
    check(policysync_key_generate("alice", 5, &key, &error));
    options.key = key;
    options.guard = &guard;
    check(policysync_replica_open(&options, &replica, &error));
    policysync_key_free(key);

    check(policysync_replica_set_text(replica, POLICYSYNC_NOW, &task, "Ask", 3, 0, NULL, &error));
    status = policysync_replica_set_integer(replica, POLICYSYNC_NOW, &salary, 1000000, 0, NULL, &error);
    printf("%s: %s\n", policysync_status_name(status), error.message);
    printf("the guard was asked %d times\n", asked);

    policysync_replica_free(replica);
    return status == POLICYSYNC_ERR_DENIED ? EXIT_SUCCESS : EXIT_FAILURE;
}
