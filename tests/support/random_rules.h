/* random_rules.h - random packets, rules and groups for oracles: all fields, masks,
 * actions and kinds of groups, with few values. Always the same ones. */
#pragma once

#include <stdint.h>

#include "datapath/datapath.h"

#define RANDOM_TABLES 6
#define RANDOM_GROUPS 6

uint64_t random_u64(void);
/* From 0 to n - 1. */
unsigned below(unsigned n);

void random_key(struct flow_key *key);
void random_match(struct flow_match *match);

/* In some table of the bridge; of a few priorities, so that it is left open which of two
 * rules a packet takes. Not published, as all of these. */
void rule_add_random(uint32_t bridge_id);

/* Of a priority that no other has, if it is no part of a conjunction: so there is but one
 * right answer. */
struct random_rule {
	struct dp_rule *rule;
	uint8_t table;
	uint32_t conjunction; /* of which it is a part; 0 = none */
};
void rule_add_distinct(uint32_t bridge_id, struct random_rule *rule);
/* A learn action's limit is reached, or is not: of random actions that write it. */
void limit_set_random(uint32_t bridge_id);
/* Other actions. */
void rule_set_random(struct random_rule *rule);

void group_set_random(uint32_t bridge_id, uint32_t number);
