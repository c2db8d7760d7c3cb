/* egress.h - which tables are egress tables (OpenFlow 1.5, 5.1 and 7.3.5.18), and what
 * rules may not do there. For flow_mod.c and multiparts_flows.c. Main thread. */
#pragma once

#include "vswitchd/ofproto/switch.h"

/* Whether a rule of 'table' may have these actions: a goto stays on its side of the first
 * egress table, and beyond it the action set's output stays what it is. -EPROTO. */
int egress_check(const struct ofproto *ofproto, const struct flow_actions *actions,
                 uint8_t table, struct of_error *error);

/* Carries out what a table features request says about the first egress table, or, if
 * any part of it cannot be, nothing. -EPROTO. */
int egress_request(struct ofproto *ofproto, const struct of_msg *request,
                   struct of_error *error);

/* Tells the datapath, which has no egress tables while the switch forwards alone. */
void egress_apply(struct ofproto *ofproto);

/* ofp_table_features.features of a table. */
uint32_t egress_features(const struct ofproto *ofproto, uint8_t table);
