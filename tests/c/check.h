/* Helpers of the C tests. */
#ifndef CHECK_H
#define CHECK_H

#include "policysync.h"
/* Included twice on purpose. */
#include "policysync.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The time of most tests. */
#define NOW UINT64_C(1760000000000)

#define CHECK(condition) check((condition) ? 1 : 0, #condition, __FILE__, __LINE__)

/* Checks that a call returns this status. */
#define EXPECT(status, call) expect((status), (call), #call, __FILE__, __LINE__)

void check(int holds, const char *what, const char *file, int line);
void expect(policysync_status expected, policysync_status found, const char *what, const char *file, int line);

/* Returns NULL without a warning of the compiler. */
void *nothing(void);

/* Makes an actor's key: the same for the same seed byte. */
policysync_key *key_of(const char *actor, uint8_t seed);

/* Opens a replica that writes as this actor, or only reads if that is NULL. */
policysync_replica *replica_of(const char *actor, uint8_t seed);

/* Registers the key with the replica. */
void introduce(policysync_replica *replica, const char *actor, uint8_t seed);

policysync_bytes bytes_of(const char *text);
policysync_field title_of(const char *entity_id);

/* Returns true if a buffer holds exactly this text. */
int holds(const policysync_buffer *buffer, const char *text);

/* Returns true if a buffer contains this text. */
int mentions(const policysync_buffer *buffer, const char *text);

void test_versions(void);
void test_keys(void);
void test_replica(void);
void test_typed(void);
void test_log(void);
void test_changes(void);
void test_ops(void);
void test_nulls(void);
void test_lengths(void);
void test_callbacks(void);
void test_sizes(void);
void test_order(void);
void test_store(void);
void test_sync(void);
void test_bundles(void);
void test_lines(void);
void test_http(void);
void test_websocket(void);

#endif
