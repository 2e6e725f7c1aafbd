/* Includes the header twice in a second unit of the program. */
#include "policysync.h"
#include "policysync.h"

uint32_t abi_seen_by_the_second_unit(void);

uint32_t abi_seen_by_the_second_unit(void) { return policysync_abi_version(); }
