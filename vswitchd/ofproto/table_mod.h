/* table_mod.h - what the configuration and controllers set of a table: its name, how many
 * rules it takes, eviction, misses, vacancy events; and room in it. For ofproto.c,
 * session.c, flow_mod.c and multiparts.c. Main thread. */
#pragma once

#include "vswitchd/ofproto/changes.h"

/* Names, limits, and what becomes of full tables. */
void table_configure_all(struct ofproto *ofproto, const struct ofproto_config *config);
void table_destroy_all(struct ofproto *ofproto);

int table_mod_run(struct ofproto *ofproto, const struct of_msg *msg,
                  struct of_error *error);
void table_describe(const struct flow_table *table, struct of_table_desc *desc);
/* Names that controllers give in a request for other features; those that the
 * configuration gave stay. */
int table_check_names(const struct ofproto *ofproto, const struct of_msg *request,
                      struct of_error *error);
void table_take_names(struct ofproto *ofproto, const struct of_msg *request);
/* Before a rule is added. */
int table_make_room(struct changes *changes, struct flow_table *table,
                    struct of_error *error);
/* What is in a table beyond a limit that was lowered goes, if it may; now and then. */
void table_evict_some(struct ofproto *ofproto);
/* Sends vacancy events; now and then. */
void table_report_vacancy(struct ofproto *ofproto);
/* Sessions have come or gone, or changed what they want: misses that nobody configured go
 * to controllers of 1.0 to 1.2, if there are any. */
void table_update_misses(struct ofproto *ofproto);
