/* table_mod.h - what controllers set of a table: misses, eviction, vacancy events; and
 * room in it. For session.c, flow_mod.c and multiparts.c. Main thread. */
#pragma once

#include "vswitchd/ofproto/changes.h"

int table_mod_run(struct ofproto *ofproto, const struct of_msg *msg,
                  struct of_error *error);
void table_describe(const struct flow_table *table, struct of_table_desc *desc);
/* Before a rule is added. */
int table_make_room(struct changes *changes, struct flow_table *table,
                    struct of_error *error);
/* Sends vacancy events; now and then. */
void table_report_vacancy(struct ofproto *ofproto);
/* Sessions have come or gone, or changed what they want: misses that nobody configured go
 * to controllers of 1.0 to 1.2, if there are any. */
void table_update_misses(struct ofproto *ofproto);
