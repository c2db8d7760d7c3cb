/* drop.c - the names of the drop reasons. Constant. */
#include "datapath/drop.h"

#define DROP_NAME(symbol, name, side) [DROP_##symbol] = name,
const char *const drop_reason_names[] = {DROP_REASONS(DROP_NAME)};

static_assert(ARRAY_SIZE(drop_reason_names) == DROP_N_REASONS, "name every drop reason");
