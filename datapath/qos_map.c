/* qos_map.c - makes the map by which packets find their class: references by number, the
 * lists of addresses, DSCP and VLAN priorities, and the DSCPs that classes give. Main
 * thread. */
#include <string.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "datapath/qos_classify.h"

static size_t
map_bytes(const struct qos_class_map *map)
{
	return sizeof(*map) + qos_map_slots(map) * sizeof(map->data[0]) +
	       map->n * (sizeof(uint32_t) + (map->has_marks ? sizeof(uint8_t) : 0));
}

static bool
config_has_marks(const struct dp_qos_config *config)
{
	for (size_t i = 0; i < config->n_classes; i++)
		if (config->classes[i].has_dscp)
			return true;
	return false;
}

static void
map_fill_marks(struct qos_class_map *map, const struct dp_qos_config *config)
{
	memset(qos_map_marks(map), QOS_DSCP_NONE, map->n);
	for (size_t i = 0; i < config->n_classes; i++) {
		const struct dp_class_config *class = &config->classes[i];

		if (class->has_dscp && class->number < map->n)
			qos_map_marks(map)[class->number] = class->dscp;
	}
}

struct qos_class_map *
qos_map_alloc(uint32_t n, const struct dp_qos_config *config)
{
	struct qos_class_map shape = {.n = n, .has_marks = config_has_marks(config)};
	struct qos_class_map *map;

	if (config->n_macs > 0) {
		shape.mac_bits = 3;
		while (qos_map_slots(&shape) < 2 * config->n_macs)
			shape.mac_bits++;
	}
	map = xcalloc(1, map_bytes(&shape));
	map->n = n;
	map->mac_bits = shape.mac_bits;
	map->has_marks = shape.has_marks;
	if (map->has_marks)
		map_fill_marks(map, config);
	memset(qos_map_refs(map), 0xff, n * sizeof(uint32_t));
	return map;
}

static uint32_t
map_existing(const struct qos_class_map *map, uint32_t number)
{
	return qos_map_ref(map, number) != QOS_REF_NONE ? number : DP_CLASS_NONE;
}

/* The first entry of an address counts. */
static void
map_add_mac(struct qos_class_map *map, const struct dp_class_mac *entry)
{
	uint32_t n = qos_map_slots(map), at;
	uint64_t mac48 = qos_mac48(entry->mac);

	if (!mac48 || qos_mac_lookup(map, mac48) != DP_CLASS_NONE ||
	    map_existing(map, entry->number) == DP_CLASS_NONE)
		return;
	at = qos_mac_slot(mac48, map->mac_bits);
	while (map->data[at])
		at = (at + 1) & (n - 1);
	map->data[at] = mac48 << 16 | entry->number;
}

void
qos_map_fill_lists(struct qos_class_map *map, const struct dp_qos_config *config)
{
	for (size_t i = 0; i < config->n_macs; i++)
		map_add_mac(map, &config->macs[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(map->dscp); i++)
		map->dscp[i] = map_existing(map, config->dscp_class[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(map->pcp); i++)
		map->pcp[i] = map_existing(map, config->pcp_class[i]);
	map->has_dscp = config->has_dscp_classes;
	map->has_pcp = config->has_pcp_classes;
	map->has_lists = map->mac_bits || map->has_dscp || map->has_pcp;
}

bool
qos_map_equal(const struct qos_class_map *a, const struct qos_class_map *b)
{
	return a->n == b->n && a->mac_bits == b->mac_bits &&
	       a->has_marks == b->has_marks && !memcmp(a, b, map_bytes(a));
}
