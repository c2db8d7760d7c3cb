/* bridge.c - what a bridge is made of: members, settings, what its ports learned. Under
 * bridges.c. Main thread; workers find ports. */
#include "datapath/bridge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ring_elem.h>

#include "base/mem.h"
#include "datapath/meter.h"
#include "datapath/port/port.h"
#include "datapath/rcu.h"
#include "datapath/ruleset.h"
#include "datapath/tsc.h"

#define MAC_TABLE_DEFAULT 8192
#define MAC_TABLE_MAX     1048576
#define MAC_AGING_DEFAULT 300
#define LEARN_BATCH       64
#define OFPORT_LOCAL      65534 /* of dp_port_config.ofport */

static_assert(BRIDGES_MAX == METER_BRIDGES_MAX, "meters are by bridge");

struct bridge *_Atomic bridges[BRIDGES_MAX];

static uint32_t
bridge_now_s(void)
{
	return (uint32_t)(tsc_to_ns(rte_rdtsc()) / 1000000000ULL);
}

static uint32_t
bridge_table_limit(const struct dp_bridge_config *config)
{
	uint32_t size =
		config->mac_table_size ? config->mac_table_size : MAC_TABLE_DEFAULT;

	return MIN_OF(size, MAC_TABLE_MAX);
}

static uint32_t
bridge_aging_s(const struct dp_bridge_config *config)
{
	return config->mac_aging_s ? config->mac_aging_s : MAC_AGING_DEFAULT;
}

uint32_t
bridge_port_number(const struct port *port)
{
	return port->ofport == OFPORT_LOCAL ? FLOW_PORT_LOCAL : port->ofport;
}

static uint32_t
members_slot(const struct bridge_members *members, uint32_t number)
{
	uint32_t at = number * 2654435761U >> 8 & members->mask;

	/* At least half of it is empty. */
	while (members->by_ofport[at] &&
	       bridge_port_number(members->by_ofport[at]) != number)
		at = (at + 1) & members->mask;
	return at;
}

struct port *
bridge_find_port(const struct bridge *bridge, uint32_t number)
{
	const struct bridge_members *members =
		atomic_load_explicit(&bridge->members, memory_order_acquire);

	return members->by_ofport[members_slot(members, number)];
}

static struct bridge_members *
members_alloc(uint32_t n)
{
	struct bridge_members *members;
	uint32_t n_slots = 2;

	while (n_slots < 2 * n)
		n_slots *= 2;
	members = xcalloc(1, sizeof(*members) + (n + n_slots) * sizeof(struct port *));
	members->mask = n_slots - 1;
	members->by_ofport = &members->ports[n];
	return members;
}

struct bridge *
bridge_by_id(uint32_t bridge_id)
{
	return bridge_id < BRIDGES_MAX ? bridges[bridge_id] : NULL;
}

struct table *
bridge_table(struct bridge *bridge, uint8_t number)
{
	struct table *table = bridge->tables[number];

	if (table)
		return table;
	table = xcalloc(1, sizeof(*table));
	classifier_init(&table->classifier);
	list_init(&table->rules);
	table->missed = tally_add();
	atomic_store_explicit(&bridge->tables[number], table, memory_order_release);
	return table;
}

struct bridge *
bridge_create(uint32_t id, const struct dp_bridge_config *config)
{
	struct bridge *bridge = xcalloc(1, sizeof(*bridge));

	bridge->id = id;
	bridge->config = *config;
	bridge->fdb = fdb_create(bridge_table_limit(config), bridge_aging_s(config));
	bridge->members = members_alloc(0);
	return bridge;
}

void
bridge_free(struct bridge *bridge)
{
	free(bridge->fdb);
	free(bridge->members);
	free(bridge);
}

void
bridge_set(struct bridge *bridge, const struct dp_bridge_config *config)
{
	struct fdb *old = bridge->fdb, *fdb;

	bridge->config = *config;
	old->aging_s = bridge_aging_s(config);
	if (old->limit == bridge_table_limit(config))
		return;
	fdb = fdb_create(bridge_table_limit(config), old->aging_s);
	fdb_copy(fdb, old);
	bridge->fdb = fdb;
	rcu_free_after(old);
}

void
bridge_publish_members(struct bridge *bridge)
{
	struct bridge_members *members, *old = bridge->members;
	uint32_t n = 0;

	for (unsigned i = 0; i < DP_PORTS_MAX; i++)
		n += ports[i] && ports[i]->bridge == bridge;
	members = members_alloc(n);
	for (unsigned i = 0; i < DP_PORTS_MAX; i++) {
		struct port *port = ports[i];

		if (!port || port->bridge != bridge)
			continue;
		members->ports[members->n++] = port;
		if (port->ofport)
			members->by_ofport[members_slot(members,
			                                bridge_port_number(port))] = port;
	}
	atomic_store_explicit(&bridge->members, members, memory_order_release);
	rcu_free_after(old);
}

/* The port may have gone, or moved to another bridge's id, since the report was made. */
static void
bridge_learn(const struct learn_event *event, uint32_t now_s)
{
	struct port *port = event->port_id < DP_PORTS_MAX ? ports[event->port_id] : NULL;

	if (port && port->bridge->id == event->bridge_id)
		fdb_learn(port->bridge->fdb, event->fdb_key, port->id, now_s);
}

void
bridges_take_learned(void)
{
	struct learn_event events[LEARN_BATCH];
	uint32_t now_s = bridge_now_s();

	for (unsigned w = 0; w < DP_WORKERS_MAX; w++) {
		unsigned n, rounds = LEARN_RING_SIZE / LEARN_BATCH;

		/* Bounded: a flood of addresses must not keep main here. */
		while (workers[w] && rounds-- > 0 &&
		       (n = rte_ring_sc_dequeue_burst_elem(workers[w]->learn, events,
		                                           sizeof(events[0]), LEARN_BATCH,
		                                           NULL)) > 0)
			for (unsigned i = 0; i < n; i++)
				bridge_learn(&events[i], now_s);
	}
}

void
bridge_learn_address(struct bridge *bridge, uint64_t fdb_key_value, uint32_t port_id)
{
	fdb_learn(bridge->fdb, fdb_key_value, port_id, bridge_now_s());
}

void
bridges_age(uint32_t now_s)
{
	for (unsigned i = 0; i < BRIDGES_MAX; i++)
		if (bridges[i])
			fdb_age(bridges[i]->fdb, now_s);
}

void
dp_fdb_dump(uint32_t bridge_id, void (*cb)(const struct dp_fdb_entry *, void *aux),
            void *aux)
{
	if (bridge_id < BRIDGES_MAX && bridges[bridge_id])
		fdb_dump(bridges[bridge_id]->fdb, bridge_now_s(), cb, aux);
}

void
dp_fdb_flush(uint32_t bridge_id)
{
	if (bridge_id < BRIDGES_MAX && bridges[bridge_id])
		fdb_flush(bridges[bridge_id]->fdb, FDB_PORT_NONE);
}
