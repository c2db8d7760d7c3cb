/* meter_private.h - what meter.c and meter_config.c share: main writes and publishes,
 * workers pay. */
#pragma once

#include <stdatomic.h>

#include "datapath/datapath.h"
#include "datapath/meter.h"
#include "qos/policer.h"

/* Any worker adds, main reads. */
struct meter_counts {
	_Atomic uint64_t packets, bytes;
};

struct meter_band {
	_Atomic uint64_t free_at_ns_x256; /* as in a policer; any worker pays */
	struct policer price; /* constant: rate and burst; a price of 0 = a rate of 0 */
	uint64_t rate;
	bool remarks_dscp;
	uint8_t prec_level;
	uint8_t place; /* in the configuration */
};

/* By ascending rates; replaced as a whole. */
struct meter_bands {
	bool is_pps;
	uint8_t n;
	struct meter_band *bands;
};

struct meter {
	uint32_t number;
	struct meter_bands *_Atomic bands;
	struct meter_counts total, counts[DP_METER_BANDS_MAX];
};

/* Open-addressed, at most half in use. Main puts meters in while workers search; where
 * one was, meter_gone stands. A new map is published as a whole. */
struct meter_map {
	uint32_t n_used, n_meters; /* slots that are not NULL, and those with meters */
	uint32_t mask;
	struct meter *_Atomic slots[];
};

extern struct meter meter_gone;

extern struct meter_map *_Atomic meter_maps[METER_BRIDGES_MAX];

static inline uint32_t
meter_hash(uint32_t number)
{
	return number * 0x9e3779b1U >> 7;
}

/* NULL: there is none; 'map' may be NULL. */
static inline struct meter *
meter_map_find(const struct meter_map *map, uint32_t number)
{
	if (!map)
		return NULL;
	for (uint32_t i = meter_hash(number) & map->mask;; i = (i + 1) & map->mask) {
		struct meter *meter =
			atomic_load_explicit(&map->slots[i], memory_order_acquire);

		if (!meter || (meter->number == number && meter != &meter_gone))
			return meter;
	}
}
