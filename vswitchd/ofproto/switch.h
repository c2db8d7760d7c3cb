/* switch.h - what an OpenFlow switch consists of, for the parts that ofproto.c drives.
 * Main thread. */
#pragma once

#include "vswitchd/ofproto/connections.h"
#include "vswitchd/ofproto/flow_table.h"
#include "vswitchd/ofproto/ofproto.h"

#define SWITCH_TABLES     254 /* for controllers; 254 is the switch's own */
#define SWITCH_GROUPS_MAX 100000U
#define SWITCH_METERS_MAX 262144U

struct users; /* references.h */

struct port {
	struct hmap_node node; /* ofproto.ports, by number */
	struct ofproto_port port;
	uint32_t off; /* port-mods: DP_PORT_* */
	uint64_t created_ns;
	struct of_port shown; /* as controllers know it */
};

/* Never changed once it is in force: a modified group is a new one. */
struct group {
	struct hmap_node node; /* ofproto.groups, by number */
	uint32_t number;
	enum of_group_type type;
	char selection_method[16];
	uint64_t selection_param;
	struct of_hash_field *hash_fields;
	size_t n_hash_fields;
	struct of_bucket *buckets; /* with lists of actions of their own */
	size_t n_buckets;
	struct users *users; /* of the one it replaced, too; NULL = not in force */
	uint64_t created_ns;
	/* groups.c: the check that went through it last, and the levels it found below.
	 */
	uint64_t loop_check;
	int n_levels;
};

struct meter {
	struct hmap_node node; /* ofproto.meters, by number */
	uint32_t number;
	uint16_t flags;
	struct of_band bands[DP_METER_BANDS_MAX];
	size_t n_bands;
	struct users *users;
	uint64_t created_ns;
};

/* What a learn action with delete_learned makes. */
struct learned {
	uint64_t cookie;
	uint8_t table;
};

#define TIMEOUT_SLOTS 2048

struct ofproto {
	struct list node; /* all switches: ofproto.c */
	struct event_base *loop;
	struct connections *connections;
	struct list sessions; /* session_io.h */
	uint32_t bridge_id;
	uint64_t instance; /* no other switch of this process has or had it */
	char name[DP_NAME_MAX_BYTES];
	uint64_t datapath_id;
	enum ofproto_fail_mode fail_mode;
	char *description, *serial;
	bool is_configured, had_primary;

	struct flow_table tables[OF_TABLES];
	uint8_t egress_table; /* the first of them; 0 = there are none */
	struct hmap groups, meters, ports;
	uint64_t n_loop_checks; /* groups.c */

	/* timeouts.c: a wheel of rules that time out. */
	struct list slots[TIMEOUT_SLOTS];
	uint64_t tick;         /* the one that was looked at last */
	struct hmap fin_rules; /* that time out sooner once a connection ends, by id */
	uint64_t n_rule_ids;   /* given so far */

	struct rule *alone; /* forwards while no controller is there; NULL */
	struct event *publish;
	struct event *pace; /* switch_look_again() */
	bool is_unsynced;   /* packets may be on their way under an older version */
	bool is_dirty;      /* the datapath's next version is not published */

	bool has_generation; /* of roles */
	uint64_t generation;
	uint16_t config_flags;     /* of set-config: fragments */
	struct hmap learners;      /* learners.c's */
	struct learned *forgotten; /* to be looked at by learn_sweep() */
	size_t n_forgotten;
};

static inline struct port *
switch_find_port(const struct ofproto *ofproto, uint32_t number)
{
	struct port *port;

	HMAP_FOR_EACH_WITH_HASH (port, node, hash_u64(number, 0), &ofproto->ports)
		if (port->port.number == number)
			return port;
	return NULL;
}

static inline struct group *
switch_find_group(const struct ofproto *ofproto, uint32_t number)
{
	struct group *group;

	HMAP_FOR_EACH_WITH_HASH (group, node, hash_u64(number, 0), &ofproto->groups)
		if (group->number == number)
			return group;
	return NULL;
}

static inline struct meter *
switch_find_meter(const struct ofproto *ofproto, uint32_t number)
{
	struct meter *meter;

	HMAP_FOR_EACH_WITH_HASH (meter, node, hash_u64(number, 0), &ofproto->meters)
		if (meter->number == number)
			return meter;
	return NULL;
}

/* The datapath's next version differs: publish it soon. Or now, if it does. */
void switch_touch(struct ofproto *ofproto);
void switch_publish(struct ofproto *ofproto);
/* Publishes, and returns when no packet is under way by anything older. */
void switch_synchronize(struct ofproto *ofproto);
/* Something waits: to be sent at a rate, or to be read. */
void switch_look_again(struct ofproto *ofproto, unsigned ms);
