/* bridges.c - bridges come and go, with their tables: over bridge.c and table.c, beside
 * ports.c. Main thread. */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "datapath/bridge.h"
#include "datapath/datapath.h"
#include "datapath/meter.h"
#include "datapath/punt.h"
#include "datapath/rcu.h"
#include "datapath/table.h"

/* The rule of a bridge that nobody gave any. */
static int
bridge_add_normal(uint32_t bridge_id, struct error *err)
{
	struct flow_output normal = {
		.head = {.type = ACTION_OUTPUT, .bytes = sizeof(normal)},
		.port = FLOW_PORT_NORMAL,
	};
	struct dp_rule_config *config = xcalloc(1, sizeof(*config));
	struct dp_rule *rule;
	int ret;

	config->actions = &normal;
	config->actions_bytes = sizeof(normal);
	ret = dp_rule_add(bridge_id, config, &rule, err);
	free(config);
	dp_publish(bridge_id);
	return ret;
}

int
dp_bridge_add(const struct dp_bridge_config *config, uint32_t *bridge_id,
              struct error *err)
{
	struct bridge *bridge;
	uint32_t id = 0;

	while (id < BRIDGES_MAX && bridges[id])
		id++;
	if (id == BRIDGES_MAX)
		return error_set(err, -ENOSPC, "no more than %d bridges", BRIDGES_MAX);
	bridge = bridge_create(id, config);
	tables_init(bridge);
	bridges[id] = bridge;
	*bridge_id = id;
	return bridge_add_normal(id, err);
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
	punts_forget_bridge(bridge_id);
	tables_destroy(bridge);
	bridge_free(bridge);
}
