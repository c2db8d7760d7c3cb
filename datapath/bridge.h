/* bridge.h - a bridge: its ports, learned addresses, tables and groups. Main edits,
 * workers read what is published. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "datapath/change_log.h"
#include "datapath/datapath.h"
#include "datapath/fdb.h"
#include "datapath/learn_limits.h"
#include "datapath/mask_set.h"

struct group;
struct pipeline;
struct port;
struct rule;
struct table;

#define BRIDGES_MAX   256
#define GROUP_BUCKETS 1024 /* power of two */

/* Ports that a flood reaches, and all by number; published as a whole. */
struct bridge_members {
	uint32_t n;
	uint32_t mask;           /* of 'by_ofport', which is open-addressed */
	struct port **by_ofport; /* in the same memory, behind the ports */
	struct port *ports[];
};

struct bridge {
	uint32_t id;
	struct dp_bridge_config config; /* main's */
	bool drops_fragments;           /* main's */
	struct fdb *_Atomic fdb;
	struct bridge_members *_Atomic members;
	struct pipeline *_Atomic pipeline;
	/* Main writes, workers read: entries have versions. */
	struct table *_Atomic tables[DP_TABLES_MAX];
	struct group *_Atomic groups[GROUP_BUCKETS]; /* by number, chained */

	/* main's */
	uint64_t next_version; /* what is changed now is visible from then on */
	struct mask_set masks;
	struct change_log changes;
	struct learn_limits limits;
	struct flow_key
		reads;        /* what the published version needs of a cache's mask ... */
	bool are_reads_exact; /* ... and no more */
	uint64_t wide_since_ns; /* the mask is wider than that; 0 = it is not */
	uint32_t n_rules;
	uint8_t miss[DP_TABLES_MAX];
	uint8_t egress_table;    /* the first of them; 0 = none */
	bool has_changed_tuples; /* rules_show() has something to do */
	struct rule *removed;    /* since the last publication, chained */
	struct group *removed_groups;
};

extern struct bridge *_Atomic bridges[BRIDGES_MAX]; /* by id; main writes */

/* Main: NULL = there is none. */
struct bridge *bridge_by_id(uint32_t bridge_id);

/* Main: without tables, not yet among 'bridges'. */
struct bridge *bridge_create(uint32_t id, const struct dp_bridge_config *config);
void bridge_free(struct bridge *bridge);

/* Main: the table, made if it is missing. */
struct table *bridge_table(struct bridge *bridge, uint8_t number);

/* Main: changes its settings, but for what its ports feel of them (ports.c). */
void bridge_set(struct bridge *bridge, const struct dp_bridge_config *config);

/* Main: publishes the list of ports again after ports[] changed. */
void bridge_publish_members(struct bridge *bridge);

/* Any thread between quiescent points: the port with this OpenFlow number; NULL. */
struct port *bridge_find_port(const struct bridge *bridge, uint32_t number);

/* What a packet's in_port is: the port's number as OpenFlow 1.1 and later have it. */
uint32_t bridge_port_number(const struct port *port);

/* Main: an address is behind a port; the key is fdb.h's. */
void bridge_learn_address(struct bridge *bridge, uint64_t fdb_key_value,
                          uint32_t port_id);

/* Main: takes what workers learned, and ages. Called from dp_run(). */
void bridges_take_learned(void);
void bridges_age(uint32_t now_s);
