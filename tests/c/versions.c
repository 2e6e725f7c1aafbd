/* Header and library have the same version, and every status has its name. */
#include "check.h"

void test_versions(void) {
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", POLICYSYNC_VERSION_MAJOR, POLICYSYNC_VERSION_MINOR,
             POLICYSYNC_VERSION_PATCH);
    CHECK(strncmp(policysync_version(), text, strlen(text)) == 0);
    CHECK(policysync_version_number() == POLICYSYNC_VERSION_NUMBER);
    CHECK(policysync_abi_version() == POLICYSYNC_ABI_VERSION);

    CHECK(strcmp(policysync_status_name(0), "POLICYSYNC_OK") == 0);
    CHECK(strcmp(policysync_status_name(POLICYSYNC_ERR_PANIC), "POLICYSYNC_ERR_PANIC") == 0);
    CHECK(strcmp(policysync_status_name(INT32_MIN), "POLICYSYNC_UNKNOWN") == 0);

    /* After 2020, before 2200. */
    CHECK(policysync_system_clock_ms() > UINT64_C(1577836800000));
    CHECK(policysync_system_clock_ms() < UINT64_C(7258118400000));
}
