/* Runs every C test. */
#include "check.h"

int main(void) {
    test_versions();
    test_keys();
    test_replica();
    test_typed();
    test_log();
    test_changes();
    test_ops();
    test_nulls();
    test_lengths();
    test_callbacks();
    test_sizes();
    test_order();
    test_store();
    test_sync();
    test_bundles();
    test_lines();
    test_http();
    test_websocket();
    puts("all C tests passed");
    return 0;
}
