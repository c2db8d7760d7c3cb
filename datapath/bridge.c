/* bridge.c - bridges: members, settings, and what their ports learned. Main thread. */
#include "datapath/bridge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ring_elem.h>

#include "base/mem.h"
#include "datapath/meter.h"
#include "datapath/port/port.h"
#include "datapath/rcu.h"
#include "datapath/table.h"
#include "datapath/tsc.h"

#define MAC_TABLE_DEFAULT 8192
#define MAC_TABLE_MAX     1048576
#define MAC_AGING_DEFAULT 300
#define LEARN_BATCH       64

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

int
dp_bridge_add(const struct dp_bridge_config *config, uint32_t *bridge_id,
              struct error *err)
{
	struct dp_static_rule normal = {.goto_table = DP_TABLE_NONE,
	                                .n_actions = 1,
	                                .actions = {{.type = DP_ACTION_NORMAL}}};
	struct bridge *bridge;
	uint32_t id = 0;

	while (id < BRIDGES_MAX && bridges[id])
		id++;
	if (id == BRIDGES_MAX)
		return error_set(err, -ENOSPC, "no more than %d bridges", BRIDGES_MAX);
	bridge = xcalloc(1, sizeof(*bridge));
	bridge->id = id;
	bridge->config = *config;
	bridge->fdb = fdb_create(bridge_table_limit(config), bridge_aging_s(config));
	bridge->members = xcalloc(1, sizeof(struct bridge_members));
	bridges[id] = bridge;
	dp_bridge_set_rules(id, &normal, 1, err);
	*bridge_id = id;
	return 0;
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
dp_bridge_del(uint32_t bridge_id)
{
	struct bridge *bridge = bridge_id < BRIDGES_MAX ? bridges[bridge_id] : NULL;

	if (!bridge)
		return;
	bridges[bridge_id] = NULL;
	rcu_synchronize();
	meter_del_bridge(bridge_id);
	free(bridge->fdb);
	free(bridge->members);
	pipeline_free(bridge->pipeline);
	free(bridge);
}

int
dp_bridge_set_rules(uint32_t bridge_id, const struct dp_static_rule *rules, size_t n,
                    struct error *err)
{
	struct bridge *bridge = bridge_id < BRIDGES_MAX ? bridges[bridge_id] : NULL;
	struct pipeline *pipeline, *old;
	int ret;

	if (!bridge)
		return error_set(err, -ENOENT, "no such bridge");
	ret = pipeline_build(rules, n, &pipeline, err);
	if (ret < 0)
		return ret;
	old = bridge->pipeline;
	atomic_store_explicit(&bridge->pipeline, pipeline, memory_order_release);
	rcu_synchronize();
	pipeline_free(old);
	return 0;
}

void
bridge_publish_members(struct bridge *bridge)
{
	struct bridge_members *members, *old = bridge->members;
	uint32_t n = 0;

	for (unsigned i = 0; i < DP_PORTS_MAX; i++)
		n += ports[i] && ports[i]->bridge == bridge;
	members = xcalloc(1, sizeof(*members) + n * sizeof(struct port *));
	for (unsigned i = 0; i < DP_PORTS_MAX; i++)
		if (ports[i] && ports[i]->bridge == bridge)
			members->ports[members->n++] = ports[i];
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
