/* acl_rules.h - access lists in the manner of ClassBench (Taylor and Turner, ToN 2007):
 * what prefixes and ports they ask for is drawn from how often real lists do, networks
 * from a few sites. Always the same ones. */
#pragma once

#include <stdint.h>

#include "datapath/datapath.h"

enum acl_kind {
	ACL_PROVIDER, /* destinations' services */
	ACL_FIREWALL, /* wildcards and short prefixes, ports on both sides */
	ACL_CHAIN,    /* a mixture, as hosts have it */
	ACL_HOSTILE,  /* 1,000 distinct masks, as many as possible for their rules */
	ACL_KINDS,
};

extern const char *const acl_kind_names[ACL_KINDS];

/* Rule 'i' of 'n', the first of the highest priority; without actions. */
void acl_rule(enum acl_kind kind, uint32_t i, uint32_t n, struct dp_rule_config *rule);

/* A packet that the rule matches, so that one of those above it may, too. */
void acl_packet_of_rule(const struct dp_rule_config *rule, struct flow_key *key);

/* A packet of any addresses and ports. */
void acl_packet_of_scan(struct flow_key *key);

uint64_t acl_random(void);
