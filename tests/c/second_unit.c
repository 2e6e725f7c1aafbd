/* The header in two units of one program, twice in each. */
#include "policysync.h"
#include "policysync.h"

uint32_t abi_seen_by_the_second_unit(void);

uint32_t abi_seen_by_the_second_unit(void) { return policysync_abi_version(); }
