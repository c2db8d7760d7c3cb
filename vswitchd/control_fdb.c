/* control_fdb.c - fdb/show, fdb/flush and fdb/stats-show: what the bridges have learned.
 * Main thread. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "vswitchd/control_commands.h"

#define DEFAULT_MAC_TABLE_SIZE 8192

struct fdb_list {
	struct dp_fdb_entry *entries;
	size_t n, allocated;
};

static int
fdb_find_bridge(const struct running *running, const char *name,
                const struct running_bridge **bridge, struct error *err)
{
	*bridge = running_find_bridge(running, name);
	return *bridge ? 0 : error_set(err, -ENOENT, "no such bridge");
}

static void
fdb_collect(const struct dp_fdb_entry *entry, void *aux)
{
	struct fdb_list *list = aux;

	if (list->n == list->allocated) {
		list->allocated = list->allocated ? list->allocated * 2 : 64;
		list->entries =
			xrealloc(list->entries, list->allocated * sizeof(*list->entries));
	}
	list->entries[list->n++] = *entry;
}

/* By VLAN, then address: the same table always reads the same. */
static int
fdb_compare(const void *a, const void *b)
{
	const struct dp_fdb_entry *x = a, *y = b;

	if (x->vlan != y->vlan)
		return x->vlan < y->vlan ? -1 : 1;
	return memcmp(x->mac, y->mac, sizeof(x->mac));
}

static int
fdb_show(size_t n_args, const char *const *args, struct str *out, struct error *err,
         void *aux)
{
	const struct running *running = aux;
	const struct running_bridge *bridge;
	struct fdb_list list = {NULL, 0, 0};
	int ret = fdb_find_bridge(running, args[0], &bridge, err);

	(void)n_args;
	if (ret)
		return ret;
	str_append(out, " port  VLAN  MAC                Age\n");
	dp_fdb_dump(bridge->id, fdb_collect, &list);
	if (list.n)
		qsort(list.entries, list.n, sizeof(*list.entries), fdb_compare);
	for (size_t i = 0; i < list.n; i++) {
		const struct dp_fdb_entry *e = &list.entries[i];
		const struct running_port *port =
			running_find_port_by_id(running, e->port_id);
		char number[12] = "?";

		if (port && port->config.ofport == 65534)
			snprintf(number, sizeof(number), "LOCAL");
		else if (port)
			snprintf(number, sizeof(number), "%u", port->config.ofport);
		str_printf(out, "%5s  %4u  %02x:%02x:%02x:%02x:%02x:%02x  %3u\n", number,
		           e->vlan, e->mac[0], e->mac[1], e->mac[2], e->mac[3], e->mac[4],
		           e->mac[5], e->age_s);
	}
	free(list.entries);
	return 0;
}

static int
fdb_flush(size_t n_args, const char *const *args, struct str *out, struct error *err,
          void *aux)
{
	const struct running *running = aux;
	const struct running_bridge *bridge;
	struct running_bridge *each;

	if (n_args == 1) {
		int ret = fdb_find_bridge(running, args[0], &bridge, err);

		if (ret)
			return ret;
		dp_fdb_flush(bridge->id);
	} else {
		HMAP_FOR_EACH (each, node, &running->bridges)
			dp_fdb_flush(each->id);
	}
	str_append(out, "table successfully flushed\n");
	return 0;
}

static int
fdb_stats_show(size_t n_args, const char *const *args, struct str *out, struct error *err,
               void *aux)
{
	const struct running_bridge *bridge;
	struct fdb_list list = {NULL, 0, 0};
	int ret = fdb_find_bridge(aux, args[0], &bridge, err);

	(void)n_args;
	if (ret)
		return ret;
	dp_fdb_dump(bridge->id, fdb_collect, &list);
	free(list.entries);
	str_printf(out, "Statistics for bridge \"%s\":\n", args[0]);
	str_printf(out, "  Current/maximum MAC entries in the table: %zu/%u\n", list.n,
	           bridge->config.mac_table_size ? bridge->config.mac_table_size
	                                         : DEFAULT_MAC_TABLE_SIZE);
	return 0;
}

void
control_add_fdb(struct control_registry *registry, const struct running *running)
{
	void *aux = (void *)(uintptr_t)running; /* the commands only read it */

	control_register(registry, "fdb/show", "bridge", 1, 1, fdb_show, aux);
	control_register(registry, "fdb/flush", "[bridge]", 0, 1, fdb_flush, aux);
	control_register(registry, "fdb/stats-show", "bridge", 1, 1, fdb_stats_show, aux);
}
