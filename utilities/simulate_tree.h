/* simulate_tree.h - the tree of classes that a simulation runs: read from text or from
 * the JSON of qos/show, changed, checked. Pure. */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "qos/sched.h"

#define SIMULATE_ROOT       UINT32_MAX /* as a number: the link */
#define SIMULATE_NONE       SIZE_MAX   /* as an index */
#define SIMULATE_NUMBER_MAX 0xfffffffd /* the last two mean "root" and "none" */
#define SIMULATE_CLASSES    200000     /* at most in a tree */

/* The keys of a class, 0 where they are not given. */
struct simulate_class {
	uint32_t number; /* as users know it */
	uint32_t parent; /* a number or SIMULATE_ROOT */
	uint64_t floor_bps, ceil_bps, burst_bits;
	uint64_t peak_bps, peak_burst_bits;
	uint64_t priority, weight;
	uint64_t limit_bytes, limit_packets, limit_us;
	uint64_t floor_pps, ceil_pps, burst_packets;
	uint64_t codel, ecn, fair; /* booleans */
	uint64_t codel_target_us, codel_interval_us;
	/* Filled by simulate_tree_check(). */
	size_t parent_index; /* SIMULATE_NONE: the root */
	unsigned depth;      /* 1 = below the root */
	size_t n_children;
};

struct simulate_tree {
	struct simulate_class root;     /* its ceiling is the rate of the link */
	struct simulate_class *classes; /* by ascending number */
	size_t n, allocated;
	int64_t overhead_bytes; /* of each frame on the wire, on top of its length */
	uint64_t mpu_bytes;     /* the least that a frame is charged */
	/* How a running switch serves the tree; 0 = not told. */
	uint64_t catch_up_ns, quantum_bytes, pool_packets;
};

void simulate_tree_init(struct simulate_tree *tree);
void simulate_tree_destroy(struct simulate_tree *tree);
void simulate_tree_copy(struct simulate_tree *copy, const struct simulate_tree *tree);

/* Fills an empty tree from text lines or from JSON, whichever 'text' is. -EINVAL, and the
 * tree may be half filled. */
int simulate_tree_read(struct simulate_tree *tree, const char *text, struct error *err);

/* Adds the keys that are given, under their names in the JSON of qos/show. */
void simulate_class_to_json(const struct simulate_class *class, json_t *json);

/* One line of the text form: "class N [KEY VALUE]...", "class N delete", "root [KEY
 * VALUE]...", "link RATE". Keys that are not named stay as they are. */
int simulate_tree_apply(struct simulate_tree *tree, const char *line, struct error *err);

/* Adds class 0 if it is missing, fills the indices, and refuses a tree that cannot be:
 * missing parents, cycles, depth, floors that do not fit. */
int simulate_tree_check(struct simulate_tree *tree, struct error *err);

/* SIMULATE_NONE if there is none. */
size_t simulate_tree_find(const struct simulate_tree *tree, uint32_t number);
