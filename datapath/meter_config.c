/* meter_config.c - main's part of meter.c: sets, deletes and reads meters. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "datapath/meter_private.h"
#include "datapath/rcu.h"
#include "datapath/tsc.h"

#define MAP_SLOTS_MIN  16
#define BYTES_PER_KBIT 125

struct meter meter_gone;

static void
map_put(struct meter_map *map, struct meter *meter)
{
	uint32_t i = meter_hash(meter->number) & map->mask;

	while (map->slots[i])
		i = (i + 1) & map->mask;
	atomic_store_explicit(&map->slots[i], meter, memory_order_release);
	map->n_used++;
	map->n_meters++;
}

/* The bridge's map, with room for one meter more: at most a fourth of a new one is in
 * use, so that a change costs the same however many meters there are. */
static struct meter_map *
map_with_room(uint32_t bridge_id)
{
	struct meter_map *old = meter_maps[bridge_id], *map;
	uint32_t slots = MAP_SLOTS_MIN;

	if (old && 2 * (old->n_used + 1) <= old->mask + 1)
		return old;
	while (old && slots < 4 * (old->n_meters + 1))
		slots *= 2;
	map = xcalloc(1, sizeof(*map) + slots * sizeof(map->slots[0]));
	map->mask = slots - 1;
	for (uint32_t i = 0; old && i <= old->mask; i++)
		if (old->slots[i] && old->slots[i] != &meter_gone)
			map_put(map, old->slots[i]);
	atomic_store_explicit(&meter_maps[bridge_id], map, memory_order_release);
	if (old)
		rcu_free_after(old);
	return map;
}

static void
map_remove(struct meter_map *map, const struct meter *meter)
{
	uint32_t i = meter_hash(meter->number) & map->mask;

	while (map->slots[i] != meter)
		i = (i + 1) & map->mask;
	atomic_store_explicit(&map->slots[i], &meter_gone, memory_order_release);
	map->n_meters--;
}

static int
band_compare(const void *a, const void *b)
{
	const struct meter_band *x = a, *y = b;

	if (x->rate != y->rate)
		return x->rate < y->rate ? -1 : 1;
	return x->place - y->place;
}

static struct meter_bands *
bands_make(const struct dp_meter_config *config)
{
	struct meter_bands *bands =
		xcalloc(1, sizeof(*bands) + config->n_bands * sizeof(struct meter_band));
	uint64_t unit = config->is_pps ? 1 : BYTES_PER_KBIT;
	uint64_t now_ns = tsc_to_ns(rte_rdtsc());

	bands->bands = (struct meter_band *)(bands + 1);
	bands->is_pps = config->is_pps;
	bands->n = (uint8_t)config->n_bands;
	for (uint8_t i = 0; i < bands->n; i++) {
		const struct dp_band *from = &config->bands[i];
		struct meter_band *band = &bands->bands[i];
		/* As Open vSwitch: without a burst, what a second brings. */
		uint64_t burst = from->burst ? from->burst : from->rate;

		band->rate = from->rate;
		band->remarks_dscp = from->remarks_dscp;
		band->prec_level = from->prec_level;
		band->place = i;
		policer_init(&band->price, from->rate * unit, burst * unit, now_ns);
		band->free_at_ns_x256 = band->price.free_at_ns_x256;
	}
	qsort(bands->bands, bands->n, sizeof(bands->bands[0]), band_compare);
	return bands;
}

int
dp_meter_set(uint32_t bridge_id, const struct dp_meter_config *config, struct error *err)
{
	struct meter_bands *bands, *old;
	struct meter *meter;

	if (bridge_id >= METER_BRIDGES_MAX)
		return error_set(err, -ENOENT, "no such bridge");
	if (config->n_bands > DP_METER_BANDS_MAX)
		return error_set(err, -E2BIG, "a meter has at most %d bands",
		                 DP_METER_BANDS_MAX);
	bands = bands_make(config);
	meter = meter_map_find(meter_maps[bridge_id], config->number);
	if (!meter) {
		meter = xcalloc(1, sizeof(*meter));
		meter->number = config->number;
		meter->bands = bands;
		map_put(map_with_room(bridge_id), meter);
		return 0;
	}
	old = meter->bands;
	atomic_store_explicit(&meter->bands, bands, memory_order_release);
	rcu_free_after(old);
	return 0;
}

void
dp_meter_del(uint32_t bridge_id, uint32_t number)
{
	struct meter *meter;

	if (bridge_id >= METER_BRIDGES_MAX ||
	    !(meter = meter_map_find(meter_maps[bridge_id], number)))
		return;
	map_remove(meter_maps[bridge_id], meter);
	rcu_free_after(meter->bands);
	rcu_free_after(meter);
}

int
dp_meter_get_stats(uint32_t bridge_id, uint32_t number, struct dp_counts *total,
                   struct dp_counts bands[DP_METER_BANDS_MAX])
{
	const struct meter *meter;

	if (bridge_id >= METER_BRIDGES_MAX ||
	    !(meter = meter_map_find(meter_maps[bridge_id], number)))
		return -ENOENT;
	total->packets = meter->total.packets;
	total->bytes = meter->total.bytes;
	for (unsigned i = 0; i < DP_METER_BANDS_MAX; i++) {
		bands[i].packets = meter->counts[i].packets;
		bands[i].bytes = meter->counts[i].bytes;
	}
	return 0;
}

void
meter_del_bridge(uint32_t bridge_id)
{
	struct meter_map *map = meter_maps[bridge_id];

	if (!map)
		return;
	meter_maps[bridge_id] = NULL;
	rcu_synchronize();
	for (uint32_t i = 0; i <= map->mask; i++) {
		if (!map->slots[i] || map->slots[i] == &meter_gone)
			continue;
		free(map->slots[i]->bands);
		free(map->slots[i]);
	}
	free(map);
}
