/* ofctl_rules.h - the rules that a switch has, fetched whole. From ofctl_flows.c, also
 * for ofctl_diff.c. */
#pragma once

#include "ofctl.h"

/* 'list' points into the parts. */
struct ofctl_rules {
	struct of_msg *parts;
	size_t n_parts;
	const struct of_flow_stats **list;
	size_t n;
};

/* 'text': which ones, NULL = all. */
void ofctl_rules_fetch(struct ofctl_conn *conn, const char *target, const char *text,
                       struct ofctl_rules *rules);
void ofctl_rules_free(struct ofctl_rules *rules);
