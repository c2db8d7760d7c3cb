/* row_private.h - what replica.c and row.c share. */
#pragma once

#include "replica.h"

struct row *row_create(struct replica_table *table, const struct uuid *uuid);
void row_destroy(struct row *row); /* not in its table any more */

/* As replica_row(), deleted rows too. */
struct row *replica_row_any(const struct replica_table *table, const struct uuid *uuid);
