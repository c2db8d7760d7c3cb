/* desired.c - memory, search and comparison of desired state. Main thread. */
#include "vswitchd/desired.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define CHUNK_BYTES (64 * 1024)

struct desired_chunk {
	struct desired_chunk *next;
	size_t used, size;
	_Alignas(16) char data[];
};

static void *
desired_take(struct desired_arena *arena, size_t size)
{
	struct desired_chunk *chunk = arena->chunks;
	size_t need = (size + 15) & ~(size_t)15;
	void *p;

	if (!chunk || chunk->size - chunk->used < need) {
		size_t capacity = MAX_OF(need, (size_t)CHUNK_BYTES);

		chunk = xmalloc(sizeof(*chunk) + capacity);
		chunk->next = arena->chunks;
		chunk->used = 0;
		chunk->size = capacity;
		arena->chunks = chunk;
	}
	p = chunk->data + chunk->used;
	chunk->used += need;
	return p;
}

void *
desired_alloc(struct desired_arena *arena, size_t size)
{
	return memset(desired_take(arena, size), 0, size);
}

void *
desired_copy(struct desired_arena *arena, const void *data, size_t size)
{
	return size ? memcpy(desired_take(arena, size), data, size) : NULL;
}

const char *
desired_strdup(struct desired_arena *arena, const char *text)
{
	size_t n = strlen(text) + 1;

	return memcpy(desired_alloc(arena, n), text, n);
}

const char *
desired_printf(struct desired_arena *arena, const char *fmt, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n < 0)
		return "";
	text = desired_alloc(arena, (size_t)n + 1);
	va_start(args, fmt);
	vsnprintf(text, (size_t)n + 1, fmt, args);
	va_end(args);
	return text;
}

void
desired_arena_free(struct desired_arena *arena)
{
	while (arena->chunks) {
		struct desired_chunk *chunk = arena->chunks;

		arena->chunks = chunk->next;
		free(chunk);
	}
}

void
desired_destroy(struct desired *desired)
{
	if (!desired)
		return;
	desired_arena_free(&desired->arena);
	free(desired);
}

static int
desired_compare_bridges(const void *a, const void *b)
{
	const struct desired_bridge *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int
desired_compare_ports(const void *a, const void *b)
{
	const struct desired_port *x = a, *y = b;

	return strcmp(x->name, y->name);
}

void
desired_sort(struct desired *desired)
{
	if (desired->n_bridges)
		qsort(desired->bridges, desired->n_bridges, sizeof(*desired->bridges),
		      desired_compare_bridges);
	for (size_t i = 0; i < desired->n_bridges; i++) {
		struct desired_bridge *bridge = &desired->bridges[i];

		if (bridge->n_ports)
			qsort(bridge->ports, bridge->n_ports, sizeof(*bridge->ports),
			      desired_compare_ports);
	}
}

struct desired_bridge *
desired_find_bridge(const struct desired *desired, const char *name)
{
	struct desired_bridge key = {.name = name};

	if (!desired->n_bridges)
		return NULL;
	return bsearch(&key, desired->bridges, desired->n_bridges,
	               sizeof(*desired->bridges), desired_compare_bridges);
}

struct desired_port *
desired_find_port(const struct desired *desired, const char *name)
{
	struct desired_port key = {.name = name};

	for (size_t i = 0; i < desired->n_bridges; i++) {
		const struct desired_bridge *bridge = &desired->bridges[i];
		struct desired_port *port = NULL;

		if (bridge->n_ports)
			port = bsearch(&key, bridge->ports, bridge->n_ports,
			               sizeof(*bridge->ports), desired_compare_ports);
		if (port)
			return port;
	}
	return NULL;
}

bool
desired_settings_equal(const struct dp_port_settings *a, const struct dp_port_settings *b)
{
	return a->vlan_mode == b->vlan_mode && a->vlan_tag == b->vlan_tag &&
	       !memcmp(a->trunks, b->trunks, sizeof(a->trunks)) &&
	       a->egress_class == b->egress_class && a->policing_bps == b->policing_bps &&
	       a->policing_burst_bits == b->policing_burst_bits &&
	       a->policing_pps == b->policing_pps &&
	       a->policing_burst_packets == b->policing_burst_packets &&
	       a->on_excess == b->on_excess &&
	       a->ingress_floor_bps == b->ingress_floor_bps &&
	       a->ingress_peak_bps == b->ingress_peak_bps &&
	       a->egress_default_class == b->egress_default_class && a->mtu == b->mtu &&
	       a->admin_down == b->admin_down &&
	       !memcmp(a->mac, b->mac, sizeof(a->mac)) && !strcmp(a->peer, b->peer);
}

bool
desired_bridge_config_equal(const struct dp_bridge_config *a,
                            const struct dp_bridge_config *b)
{
	return !strcmp(a->name, b->name) && a->mac_table_size == b->mac_table_size &&
	       a->mac_aging_s == b->mac_aging_s && a->ingress_bps == b->ingress_bps;
}

static bool
desired_class_equal(const struct dp_class_config *a, const struct dp_class_config *b)
{
	return a->number == b->number && a->parent == b->parent &&
	       a->floor_bps == b->floor_bps && a->ceil_bps == b->ceil_bps &&
	       a->burst_bits == b->burst_bits && a->priority == b->priority &&
	       a->weight == b->weight && a->limit_bytes == b->limit_bytes &&
	       a->limit_packets == b->limit_packets && a->limit_us == b->limit_us &&
	       a->peak_bps == b->peak_bps && a->peak_burst_bits == b->peak_burst_bits &&
	       a->floor_pps == b->floor_pps && a->ceil_pps == b->ceil_pps &&
	       a->burst_packets == b->burst_packets && a->codel == b->codel &&
	       a->codel_target_us == b->codel_target_us &&
	       a->codel_interval_us == b->codel_interval_us && a->ecn == b->ecn &&
	       a->fair == b->fair && a->excess_bps == b->excess_bps &&
	       a->excess_burst_bits == b->excess_burst_bits &&
	       a->has_dscp == b->has_dscp && a->dscp == b->dscp;
}

static bool
desired_maps_equal(const struct dp_qos_config *a, const struct dp_qos_config *b)
{
	if (a->has_dscp_classes != b->has_dscp_classes ||
	    a->has_pcp_classes != b->has_pcp_classes || a->n_macs != b->n_macs)
		return false;
	if (a->has_dscp_classes &&
	    memcmp(a->dscp_class, b->dscp_class, sizeof(a->dscp_class)) != 0)
		return false;
	if (a->has_pcp_classes &&
	    memcmp(a->pcp_class, b->pcp_class, sizeof(a->pcp_class)) != 0)
		return false;
	for (size_t i = 0; i < a->n_macs; i++)
		if (a->macs[i].number != b->macs[i].number ||
		    memcmp(a->macs[i].mac, b->macs[i].mac, sizeof(a->macs[i].mac)) != 0)
			return false;
	return true;
}

/* Domains are equal if both name the same one, or neither any. */
static bool
desired_domains_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool
desired_qos_equal(const struct dp_qos_config *a, const struct dp_qos_config *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == DP_QOS_NONE)
		return true;
	if (a->rate_bps != b->rate_bps || a->burst_bits != b->burst_bits ||
	    a->excess_bps != b->excess_bps ||
	    a->excess_burst_bits != b->excess_burst_bits || a->peak_bps != b->peak_bps ||
	    a->peak_burst_bits != b->peak_burst_bits || a->max_pps != b->max_pps ||
	    a->burst_packets != b->burst_packets ||
	    a->overhead_bytes != b->overhead_bytes || a->mpu_bytes != b->mpu_bytes ||
	    a->n_classes != b->n_classes ||
	    !desired_domains_equal(a->domain, b->domain) || !desired_maps_equal(a, b))
		return false;
	for (size_t i = 0; i < a->n_classes; i++)
		if (!desired_class_equal(&a->classes[i], &b->classes[i]))
			return false;
	return true;
}

bool
desired_port_is_same(const struct dp_port_config *a, const struct dp_port_config *b)
{
	return !strcmp(a->name, b->name) && a->type == b->type &&
	       a->ofport == b->ofport && !strcmp(a->socket_path, b->socket_path) &&
	       !strcmp(a->devargs, b->devargs) && a->n_rxq == b->n_rxq;
}
