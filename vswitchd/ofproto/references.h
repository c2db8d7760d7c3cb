/* references.h - which rules use which groups and meters, so that one can go with its
 * rules, and without a look at all others. For changes.c, groups.c and meters.c; counted
 * for statistics. Main thread. */
#pragma once

#include "vswitchd/ofproto/switch.h"

/* The rules that use one group or meter, each as often as its actions do. */
struct users {
	struct list references; /* references.c's */
	uint32_t n; /* as statistics have it: without those whose packet-ins it meters */
};

struct users *users_create(void);
/* NULL is fine. Nobody may use it any more, or the rules go as well. */
void users_free(struct users *users);
/* One of them, or NULL. */
struct rule *users_first(const struct users *users);

/* A rule's actions are in force from now on, or no longer. */
void references_add(struct ofproto *ofproto, struct rule *rule);
void references_remove(struct rule *rule);
