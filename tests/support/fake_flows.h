/* fake_flows.h - what tests see of the rules, groups and meters that fake_flows.c keeps
 * in place of a datapath. Main thread. */
#pragma once

#include "datapath/datapath.h"

struct fake_flows {
	uint64_t now_ns; /* what dp_time_ns() says */
	int n_rules, n_publishes, n_synchronizes;
	int fail_adds_after; /* dp_rule_add() fails when so many were added; -1 = never */
	enum dp_miss miss[DP_TABLES_MAX];
	uint32_t port_off;       /* as set last */
	uint32_t punt_pps;       /* likewise */
	uint64_t rule_id;        /* of the last rule added */
	struct flow_key out_key; /* of the last packet-out */
	size_t out_bytes, n_outs;
	void (*punt)(const struct dp_punt *, void *aux);
	void *punt_aux;
	/* Each change: "rule+", "rule-", "rule=", "group+1", "group-1", "publish",
	 * "full=1/7/2" (of a learn action: table, cookie, limit), "room=1/7/2", ... */
	struct str calls;
};
extern struct fake_flows fake_flows;

void fake_flows_reset(void);
/* Packets that a rule is said to have matched. */
void fake_flows_count(struct dp_rule *rule, uint64_t packets, uint64_t bytes);
