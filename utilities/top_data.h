/* top_data.h - the class trees of all ports at one moment, as weir-top shows them: read
 * from the JSON of qos/show. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define TOP_ROOT       UINT32_MAX /* as a number: the root of a port */
#define TOP_NONE       SIZE_MAX   /* as an index */
#define TOP_NAME_BYTES 64

/* Rates are below 0 where they are not known yet, delays where there were no packets. */
struct top_class {
	uint32_t number;
	uint32_t parent;     /* a number */
	size_t parent_index; /* TOP_NONE: of the root, which is the first class */
	size_t first_child, next_sibling; /* by number; TOP_NONE: no other */
	unsigned depth;                   /* 0: the root */
	uint64_t floor_bps, ceil_bps;     /* 0: none */
	uint64_t sent_bytes, sent_packets, dropped_packets, borrowed_bytes;
	uint64_t queued_packets;
	double sent_bps, borrowed_bps, dropped_pps;
	double p50_ns, p99_ns; /* of waiting in the queue */
	char state[40];        /* "borrowing from 1"; "" if the switch does not tell */
};

struct top_port {
	char name[TOP_NAME_BYTES]; /* printable ASCII */
	char type[TOP_NAME_BYTES];
	uint64_t time_ns;
	struct top_class *classes;
	size_t n;
};

struct top_snapshot {
	struct top_port *ports; /* by name */
	size_t n;
};

/* The answer of "qos/show --json", for one port or for all; ports without classes are
 * left out. NULL with a reason. */
struct top_snapshot *top_snapshot_parse(const char *text, struct error *err);

/* Puts the ports of 'more' into 'snapshot' and releases 'more'. */
void top_snapshot_merge(struct top_snapshot *snapshot, struct top_snapshot *more);

/* Rates that the switch did not tell, from the counters of an earlier snapshot. */
void top_snapshot_compare(struct top_snapshot *snapshot,
                          const struct top_snapshot *earlier);

void top_snapshot_destroy(struct top_snapshot *snapshot); /* NULL is fine */

/* NULL if it is not there. */
const struct top_port *top_snapshot_find(const struct top_snapshot *snapshot,
                                         const char *name);

/* The index of a class, or TOP_NONE. */
size_t top_port_find(const struct top_port *port, uint32_t number);
