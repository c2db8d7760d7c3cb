/* simulate_load.h - what the classes of a simulation are offered: read from text lines or
 * from the recording of weir-ctl qos-record. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum simulate_load_kind {
	SIMULATE_LOAD_RATE,       /* evenly spaced */
	SIMULATE_LOAD_POISSON,    /* exponential gaps */
	SIMULATE_LOAD_BACKLOGGED, /* always has packets: waits, as a gated guest does */
	SIMULATE_LOAD_RECORDED,   /* a rate for each interval of a recording */
};

/* What was offered in one interval of a recording, bytes as charged. */
struct simulate_sample {
	uint64_t span_ns;
	uint64_t bytes, packets;
};

/* One line of the loads; 'bps' and sizes of a recording count what a packet is charged,
 * all other sizes its length. */
struct simulate_load {
	enum simulate_load_kind kind;
	bool is_default;        /* "class *": of leaves that no other line names */
	uint32_t first, last;   /* numbers of classes */
	uint64_t bps;           /* of each class; while on */
	uint64_t on_ns, off_ns; /* off_ns 0: always on */
	uint64_t start_ns, stop_ns;
	bool imix;                   /* 64, 594, 1514 bytes as 7 : 4 : 1 */
	uint32_t size_min, size_max; /* uniform between them */
	uint32_t flows;
	bool ecn;
	struct simulate_sample *samples; /* RECORDED: of n_samples intervals */
	size_t n_samples;
};

struct simulate_loads {
	struct simulate_load *loads;
	size_t n, allocated;
	uint64_t recorded_ns; /* how long the recording is; 0 without one */
};

void simulate_loads_init(struct simulate_loads *loads);
void simulate_loads_destroy(struct simulate_loads *loads);

/* Appends what 'text' holds: lines, or the JSON of a recording. -EINVAL. */
int simulate_loads_read(struct simulate_loads *loads, const char *text,
                        struct error *err);

/* One line: "class N|N-M|* KIND [KEY VALUE]...". */
int simulate_loads_add(struct simulate_loads *loads, const char *line, struct error *err);

/* Whether a line other than "class *" names the class. */
bool simulate_loads_name(const struct simulate_loads *loads, uint32_t number);
