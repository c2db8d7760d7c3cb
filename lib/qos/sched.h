/* sched.h - hierarchical scheduler of floors and ceilings: one tree of classes, one owner
 * thread.
 *
 * Pure arithmetic: the caller gives the time and the items; nothing here reads a clock,
 * allocates after sched_init(), locks or logs. Rates are bits per second, times are
 * nanoseconds on any monotonic clock (the same one in every call).
 *
 * A class is known by its reference, which holds an index and a generation: a stale
 * reference never reaches the class that took over the index. Class 0 of a tree is its
 * root, made by sched_init(); its ceiling is the rate of the link. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "qos/item.h"

#define SCHED_LEVELS_MAX  8         /* levels below the root */
#define SCHED_CLASSES_MAX (1 << 20) /* what the index part of a reference can hold */
#define SCHED_WEIGHT_MAX  1024
#define SCHED_PRIORITIES  8
#define SCHED_RATE_NONE   0

struct sched;

struct sched_class_params {
	uint64_t floor_bps; /* guaranteed; SCHED_RATE_NONE = only the implicit floor */
	uint64_t ceil_bps;  /* never exceeded; SCHED_RATE_NONE = no ceiling of its own */
	uint32_t floor_burst_bytes; /* 0 = default */
	uint32_t ceil_burst_bytes;  /* 0 = default */
	uint32_t
		weight; /* share of the excess, 1..SCHED_WEIGHT_MAX; 0 = from the floor */
	uint8_t priority;     /* of the excess, 0 served first .. SCHED_PRIORITIES - 1 */
	uint32_t limit_bytes; /* of a leaf's queue; 0 = default */
	uint32_t limit_packets; /* of a leaf's queue; 0 = default */
};

/* Counters have one writer, the owner; other threads read them relaxed and may see
 * values of slightly different moments. */
struct sched_class_stats {
	uint64_t offered_packets, offered_bytes; /* queued or dropped */
	uint64_t sent_packets, sent_bytes;
	uint64_t dropped_packets, dropped_bytes; /* queue full */
	uint64_t borrowed_bytes; /* sent on the account of a class above this one */
	uint32_t queued_packets, queued_bytes;
};

enum sched_verdict {
	SCHED_QUEUED,
	SCHED_NO_CLASS,   /* stale reference or not a leaf: the caller keeps the item */
	SCHED_CLASS_FULL, /* the caller keeps the item; counted in the class */
};

/* Bytes of memory, cache-line aligned, that a tree of 'capacity' classes needs. */
size_t sched_memory_bytes(uint32_t capacity);

/* Makes an empty tree in 'memory' (zeroed by this function; the caller's to free, after
 * the tree has no items). 'root' gives the link's rate as its ceiling. */
struct sched *sched_init(void *memory, uint32_t capacity,
                         const struct sched_class_params *root, uint64_t now_ns);

/* Moves the whole tree to larger memory; references stay valid, 'old' must not be used
 * again. */
struct sched *sched_relocate(void *memory, uint32_t capacity, const struct sched *old);

uint32_t sched_root(const struct sched *sched);
uint32_t sched_capacity(const struct sched *sched);
uint32_t sched_class_count(const struct sched *sched);

/* Adds a class below the inner class 'parent' and writes its reference. Leaves hold
 * packets, inner classes hold classes. -ENOENT (stale parent), -EINVAL (parent is a leaf,
 * too deep), -ENOSPC. */
int sched_class_add(struct sched *sched, uint32_t parent, bool is_leaf,
                    const struct sched_class_params *params, uint64_t now_ns,
                    uint32_t *ref);

/* Changes a live class; queued items stay. -ENOENT. */
int sched_class_set(struct sched *sched, uint32_t ref,
                    const struct sched_class_params *params, uint64_t now_ns);

/* Puts a live class, with all below it, under another inner class; queued items stay.
 * -ENOENT, -EINVAL (a leaf, below itself, too deep). */
int sched_class_move(struct sched *sched, uint32_t ref, uint32_t parent, uint64_t now_ns);

/* Removes a class without children (-EBUSY otherwise, -ENOENT). Hands its queued items to
 * the caller as a list linked through 'next'. */
int sched_class_delete(struct sched *sched, uint32_t ref, uint64_t now_ns,
                       struct qos_item **items);

/* Takes 'item' if the verdict is SCHED_QUEUED. item->charged_bytes and item->class_ref
 * are set. */
enum sched_verdict sched_enqueue(struct sched *sched, struct qos_item *item,
                                 uint64_t now_ns);

/* Gives at most 'max_items' items that may be sent now, stopping after 'max_bytes' are
 * exceeded. They are the caller's again and already charged: send them. */
unsigned sched_dequeue(struct sched *sched, uint64_t now_ns, struct qos_item **items,
                       unsigned max_items, uint32_t max_bytes);

/* When sched_dequeue() can next give something: 'now_ns' or before if at once,
 * UINT64_MAX if nothing is queued. Never later than the true moment. */
uint64_t sched_next_event_ns(const struct sched *sched, uint64_t now_ns);

/* Items queued in the whole tree. */
uint64_t sched_backlog_packets(const struct sched *sched);

/* False if 'ref' is stale. Any thread. */
bool sched_class_get_stats(const struct sched *sched, uint32_t ref,
                           struct sched_class_stats *stats);
