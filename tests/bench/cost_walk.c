/* cost_walk.c - what a walk through tables costs, and what it takes to change many rules.
 * Prints nanoseconds; no packets flow. */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "datapath/bridge.h"
#include "datapath/datapath.h"
#include "datapath/walk.h"
#include "tests/bench/acl_rules.h"

#define WALKS 200000
#define KEYS  4096

static uint32_t bridge;
static struct walk *walk;
static struct flow_key keys[KEYS];

static struct dp_rule *
rule_add(const struct dp_rule_config *config)
{
	struct dp_rule *rule = NULL;
	struct error err = {""};

	if (dp_rule_add(bridge, config, &rule, &err) == 0)
		return rule;
	fprintf(stderr, "%s\n", err.text);
	exit(1);
}

static void
random_keys(void)
{
	for (unsigned i = 0; i < KEYS; i++) {
		struct flow_fields *f = &keys[i].f;
		uint64_t r = acl_random();

		memset(&keys[i], 0, sizeof(keys[i]));
		f->in_port = 1 + i % 16;
		f->eth_type = 0x0800;
		f->ip_proto = 6;
		memcpy(f->eth_dst + 2, &r, 4);
		r = acl_random();
		memcpy(f->ip_src, &r, 4);
		memcpy(f->ip_dst, (uint8_t *)&r + 4, 4);
		f->tp_src = (uint16_t)acl_random();
		f->tp_dst = (uint16_t)(acl_random() % 10000);
		f->actset_output = FLOW_PORT_UNSET;
	}
}

static uint64_t
walk_ns(void)
{
	uint64_t start_ns, best_ns = UINT64_MAX;

	for (int round = 0; round < 5; round++) {
		start_ns = clock_mono_ns();
		for (unsigned i = 0; i < WALKS / 5; i++)
			walk_packet(walk, bridges[bridge]->pipeline, &keys[i % KEYS], 64);
		best_ns = MIN_OF(best_ns, clock_mono_ns() - start_ns);
	}
	return best_ns / (WALKS / 5);
}

static void
measure(const char *what)
{
	printf("%-44s %6" PRIu64 " ns/walk\n", what, walk_ns());
}

/* 'n' tables in a row, each with a rule per port and one for all. */
static void
measure_tables(unsigned n)
{
	struct flow_number to_next = {
		.head = {.type = ACTION_GOTO_TABLE, .bytes = sizeof(to_next)}};
	struct flow_output output = {
		.head = {.type = ACTION_OUTPUT, .bytes = sizeof(output)}, .port = 2};
	struct dp_rule_config *config = xcalloc(1, sizeof(*config));
	char text[64];

	dp_bridge_clear_rules(bridge);
	for (unsigned t = 0; t < n; t++) {
		to_next.value = t + 1;
		config->table = (uint8_t)t;
		config->actions = t + 1 < n ? (void *)&to_next : (void *)&output;
		config->actions_bytes = t + 1 < n ? sizeof(to_next) : sizeof(output);
		memset(&config->match, 0, sizeof(config->match));
		config->priority = 0;
		rule_add(config);
		config->priority = 10;
		flow_match_set_u64(&config->match, FIELD_ETH_TYPE, 0x0800);
		rule_add(config);
	}
	dp_publish(bridge);
	snprintf(text, sizeof(text), "%u tables of 2 rules", n);
	measure(text);
	free(config);
}

/* An access list: source or destination networks, a port, priorities in 'n' steps. */
static void
measure_list(unsigned n)
{
	struct dp_rule_config *config = xcalloc(1, sizeof(*config));
	struct dp_rule **rules = xcalloc(n, sizeof(*rules));
	uint64_t start_ns, added_ns, published_ns, gone_ns;
	char text[64];

	dp_bridge_clear_rules(bridge);
	start_ns = clock_mono_ns();
	for (unsigned i = 0; i < n; i++) {
		memset(&config->match, 0, sizeof(config->match));
		config->priority = (uint16_t)(i % 1000);
		flow_match_set_u64(&config->match, FIELD_ETH_TYPE, 0x0800);
		flow_match_set_u64(&config->match, FIELD_IP_PROTO, 6);
		flow_match_set_u64(&config->match, FIELD_TCP_DST, i % 10000);
		config->match.key.f.ip_src[0] = (uint8_t)i;
		config->match.key.f.ip_src[1] = (uint8_t)(i >> 8);
		config->match.mask.f.ip_src[0] = 0xff;
		config->match.mask.f.ip_src[1] = i % 3 ? 0xff : 0;
		config->match.key.f.ip_src[1] &= config->match.mask.f.ip_src[1];
		if (i % 2) {
			config->match.key.f.ip_dst[0] = (uint8_t)(i >> 3);
			config->match.mask.f.ip_dst[0] = 0xff;
		}
		rules[i] = rule_add(config);
	}
	added_ns = clock_mono_ns();
	dp_publish(bridge);
	published_ns = clock_mono_ns();
	snprintf(text, sizeof(text), "1 table of %u rules, 4 masks", n);
	measure(text);
	gone_ns = clock_mono_ns();
	for (unsigned i = 0; i < n; i++)
		dp_rule_del(rules[i]);
	dp_publish(bridge);
	gone_ns = clock_mono_ns() - gone_ns;
	printf("%44s %6" PRIu64 " ns to add, %" PRIu64 " us to publish, %" PRIu64
	       " ns to delete\n",
	       "", (added_ns - start_ns) / n, (published_ns - added_ns) / 1000,
	       gone_ns / n);
	free(rules);
	free(config);
}

static void
set_prefix(uint8_t *key, uint8_t *mask, uint32_t address, unsigned n_bits)
{
	for (unsigned i = 0; i < 4; i++) {
		unsigned bits = n_bits > 8 * i ? MIN_OF(n_bits - 8 * i, 8) : 0;

		mask[i] = (uint8_t)(0xff00 >> bits);
		key[i] = (uint8_t)(address >> (24 - 8 * i)) & mask[i];
	}
}

/* 1,000 rules of 'n' masks, pairs of prefixes, none of which matches: each is tried. */
static void
measure_masks(unsigned n)
{
	struct dp_rule_config *config = xcalloc(1, sizeof(*config));
	char text[64];

	dp_bridge_clear_rules(bridge);
	for (unsigned i = 0; i < 1000; i++) {
		struct flow_fields *key = &config->match.key.f;
		struct flow_fields *mask = &config->match.mask.f;

		config->priority = (uint16_t)(1 + i % 100);
		flow_match_set_u64(&config->match, FIELD_ETH_TYPE, 0x0800);
		flow_match_set_u64(&config->match, FIELD_TCP_DST, 20000 + i);
		set_prefix(key->ip_src, mask->ip_src, i * 2654435761U, 1 + i % n % 32);
		set_prefix(key->ip_dst, mask->ip_dst, i * 40503U, 1 + i % n / 32);
		rule_add(config);
	}
	dp_publish(bridge);
	snprintf(text, sizeof(text), "1 table of 1000 rules, %u masks, no match", n);
	measure(text);
	free(config);
}

/* An access list of many masks: packets of its rules and, as a
 * guest that scans sends them, of others. */
static void
measure_access_list(enum acl_kind kind, unsigned n)
{
	struct dp_rule_config *config = xcalloc(n, sizeof(*config));
	struct dp_rule **rules = xcalloc(n, sizeof(*rules));
	uint64_t bytes, add_ns, del_ns, hit_ns, scan_ns;
	size_t n_masks;

	for (unsigned i = 0; i < n; i++)
		acl_rule(kind, i, n, &config[i]);
	dp_bridge_clear_rules(bridge);
	dp_synchronize();
	bytes = mallinfo2().uordblks + mallinfo2().hblkhd;
	add_ns = clock_mono_ns();
	for (unsigned i = 0; i < n; i++)
		rules[i] = rule_add(&config[i]);
	dp_publish(bridge);
	add_ns = clock_mono_ns() - add_ns;
	bytes = mallinfo2().uordblks + mallinfo2().hblkhd - bytes;
	n_masks = bridges[bridge]->masks.entries.count;
	for (unsigned i = 0; i < KEYS; i++)
		acl_packet_of_rule(&config[acl_random() % n], &keys[i]);
	hit_ns = walk_ns();
	for (unsigned i = 0; i < KEYS; i++)
		acl_packet_of_scan(&keys[i]);
	scan_ns = walk_ns();
	del_ns = clock_mono_ns();
	for (unsigned i = 0; i < n; i++)
		dp_rule_del(rules[i]);
	dp_publish(bridge);
	del_ns = clock_mono_ns() - del_ns;
	printf("%-8s %6u rules, %4zu masks: %5" PRIu64 " ns/walk, a scan's %5" PRIu64
	       "; %4" PRIu64 " to add, %4" PRIu64 " to delete, %4" PRIu64 " bytes\n",
	       acl_kind_names[kind], n, n_masks, hit_ns, scan_ns, add_ns / n, del_ns / n,
	       bytes / n);
	free(rules);
	free(config);
}

/* Each change published by itself, as with a barrier after every flow-mod. */
static void
measure_changes(unsigned n, const char *what)
{
	struct dp_rule_config *config = xcalloc(1, sizeof(*config));
	struct dp_rule *last = NULL;
	uint64_t start_ns;

	start_ns = clock_mono_ns();
	for (unsigned i = 0; i < n; i++) {
		flow_match_set_u64(&config->match, FIELD_ETH_TYPE, 0x0800);
		flow_match_set_u64(&config->match, FIELD_IPV4_DST, i);
		if (last)
			dp_rule_del(last);
		last = rule_add(config);
		dp_publish(bridge);
	}
	printf("%-44s %6" PRIu64 " ns\n", what, (clock_mono_ns() - start_ns) / n);
	free(config);
}

int
main(void)
{
	struct dp_bridge_config config = {.name = "br0"};
	struct error err = {""};

	walk = xcalloc(1, sizeof(*walk));
	if (dp_bridge_add(&config, &bridge, &err) < 0)
		return 1;
	random_keys();
	measure_tables(1);
	measure_tables(10);
	measure_tables(40);
	measure_list(100);
	measure_list(10000);
	measure_list(100000);
	measure_changes(100000, "replace a rule and publish");
	measure_masks(1);
	measure_masks(10);
	measure_masks(100);
	measure_masks(1000);
	measure_changes(100000, "the same beside 1000 masks");
	for (unsigned kind = 0; kind < ACL_KINDS; kind++)
		for (unsigned n = 1000; n <= 100000; n *= 10)
			measure_access_list((enum acl_kind)kind, n);
	dp_bridge_del(bridge);
	free(walk);
	return 0;
}
