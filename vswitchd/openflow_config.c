/* openflow_config.c - what a bridge's OpenFlow switch was told, kept and compared. Main
 * thread. */
#include "vswitchd/openflow_config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static char *
copy_text(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static struct ofproto_table *
copy_tables(const struct ofproto_config *config)
{
	struct ofproto_table *tables = xcalloc(config->n_tables, sizeof(*tables));

	for (size_t i = 0; i < config->n_tables; i++) {
		tables[i] = config->tables[i];
		tables[i].name = copy_text(config->tables[i].name);
	}
	return tables;
}

struct ofproto_config *
openflow_config_copy(const struct ofproto_config *config, bool with_controllers)
{
	struct ofproto_config *copy = xmemdup(config, sizeof(*config));
	struct ofproto_controller *controllers;

	copy->bridge_name = copy_text(config->bridge_name);
	copy->dp_description = copy_text(config->dp_description);
	copy->serial = copy_text(config->serial);
	/* Who waits for controllers does not forward by itself meanwhile. */
	if (!with_controllers && copy->n_controllers) {
		copy->n_controllers = 0;
		copy->fail_mode = OFPROTO_SECURE;
	}
	controllers = xcalloc(copy->n_controllers, sizeof(*controllers));
	for (size_t i = 0; i < copy->n_controllers; i++) {
		controllers[i] = config->controllers[i];
		controllers[i].target = copy_text(config->controllers[i].target);
	}
	copy->controllers = controllers;
	copy->tables = copy_tables(config);
	return copy;
}

/* What the struct points to belongs to a copy, though users of it may not write there. */
static void
free_text(const char *text)
{
	free((void *)(uintptr_t)text);
}

void
openflow_config_free(struct ofproto_config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->n_controllers; i++)
		free_text(config->controllers[i].target);
	free((void *)(uintptr_t)config->controllers);
	for (size_t i = 0; i < config->n_tables; i++)
		free_text(config->tables[i].name);
	free((void *)(uintptr_t)config->tables);
	free_text(config->bridge_name);
	free_text(config->dp_description);
	free_text(config->serial);
	free(config);
}

static bool
controller_equal(const struct ofproto_controller *a, const struct ofproto_controller *b)
{
	return same_text(a->target, b->target) && a->is_service == b->is_service &&
	       a->is_in_band == b->is_in_band && a->max_backoff_ms == b->max_backoff_ms &&
	       a->inactivity_probe_ms == b->inactivity_probe_ms &&
	       a->rate_limit == b->rate_limit && a->burst_limit == b->burst_limit &&
	       a->queue_size == b->queue_size && a->dscp == b->dscp;
}

static bool
table_equal(const struct ofproto_table *a, const struct ofproto_table *b)
{
	return a->table == b->table && same_text(a->name, b->name) &&
	       a->flow_limit == b->flow_limit && a->evicts == b->evicts &&
	       !memcmp(&a->evict_by, &b->evict_by, sizeof(a->evict_by));
}

bool
openflow_config_equal(const struct ofproto_config *a, const struct ofproto_config *b)
{
	if (!same_text(a->bridge_name, b->bridge_name) ||
	    a->datapath_id != b->datapath_id || a->versions != b->versions ||
	    a->fail_mode != b->fail_mode ||
	    !same_text(a->dp_description, b->dp_description) ||
	    !same_text(a->serial, b->serial) || a->n_controllers != b->n_controllers ||
	    a->n_tables != b->n_tables)
		return false;
	for (size_t i = 0; i < a->n_tables; i++)
		if (!table_equal(&a->tables[i], &b->tables[i]))
			return false;
	for (size_t i = 0; i < a->n_controllers; i++)
		if (!controller_equal(&a->controllers[i], &b->controllers[i]))
			return false;
	return true;
}
