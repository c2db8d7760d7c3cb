/* ruleset.h - a bridge's tables, and the state of them that packets go by, which is
 * published as a whole with each version of the rules. table.c makes it, walk.c and
 * cache.c go by it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "datapath/classifier.h"
#include "datapath/datapath.h"
#include "datapath/tally.h"

struct bridge;
struct change_batch;
struct learn_limit_set;

/* Made with its first rule, lives as long as the bridge. */
struct table {
	struct classifier classifier;
	struct tally_ref missed; /* packets without a rule here */
	/* main's */
	struct list rules;        /* of struct dp_rule */
	uint64_t matched_deleted; /* packets of rules that are gone */
};

struct pipeline {
	uint64_t version;    /* of rules and groups */
	uint64_t generation; /* differs from that of every pipeline of any bridge */
	struct bridge *bridge;
	const struct change_batch *changes; /* with which it came, and older ones */
	/* Of learn actions, those that are reached; NULL = none is. */
	const struct learn_limit_set *limits;
	/* Differs from that of every pipeline with another mask or bridge. */
	uint64_t layout;
	/* Every bit that rules and actions read; in_port and whatever a bit of which is
	 * changed by arithmetic are whole. */
	struct flow_key mask;
	/* The words of packets that 'mask' has: the flow cache's keys. */
	uint8_t n_words;
	uint8_t words[FLOW_PACKET_WORDS];
	uint64_t masks[FLOW_PACKET_WORDS];
	/* The only rule is NORMAL for all: no parsing, no look-up. */
	bool is_fixed;
	struct tally_ref fixed_tally;
	uint8_t miss[DP_TABLES_MAX]; /* enum dp_miss */
	uint8_t egress_table;        /* the first of them; 0 = there are none */
};
