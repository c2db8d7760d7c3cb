/* sched_state.h - the memory of one scheduler: the head, then the nodes, their tails and
 * gates, the classes and the share calendars, all found by index so that the whole can be
 * moved. Private to lib/qos/sched_*. Owner thread. */
#pragma once

#include "qos/price.h"
#include "qos/sched_aqm.h"
#include "qos/sched_edf.h"
#include "qos/sched_share.h"
#include "qos/sched_wheel.h"

#define REF_INDEX_BITS     20
#define REF_INDEX_MASK     (SCHED_CLASSES_MAX - 1)
#define REF_GENERATION_MAX 4095U

/* EDF levels: 0 for leaves, then inner classes from the deepest to those below the root.
 */
#define EDF_LEVELS SCHED_LEVELS_MAX

#define EDF_LEVEL_MASK 15U

#define PARK_MAX_NS 1000000000U

/* How far a floor tag may be from now before charging stops, and crediting. */
#define FLOOR_DEBT_MAX ((int64_t)TICKS_OF_US(1000000))

/* A tag further away than this is older than the clock's half range, not a real debt. */
#define TAG_DISTANCE_MAX (1ULL << 62)

/* The floor clock, which all floor tags are in, is behind the clock by as much as it was
 * held back: see overload_note_late(). */
#define OVERLOAD_INTERVAL 32 /* visits between looks at all levels */

/* What is not yet too late, and for how long all must be too late. Once it was so, and
 * until it was not for OVERLOAD_LINGER, less is enough: queues are to stay short. */
#define OVERLOAD_LATE_FIRST TICKS_OF_US(10000)
#define OVERLOAD_LATE_LATER TICKS_OF_US(500)
#define OVERLOAD_LINGER     TICKS_OF_US(100000)

/* Whether all classes looked at since 'since' were too late. */
struct late_watch {
	uint64_t since;
	uint64_t least; /* beyond a class's burst */
	bool is_on;
};

/* The part of a class that only configuration reads. */
struct sched_class {
	struct sched_class_params params;
	uint64_t
		child_budget_bps; /* implicit floor of one child before its upper limit */
	uint64_t children_floor_bps; /* sum of the explicit floors of the children */
	uint32_t children;
	uint32_t children_with_floor;
	uint32_t band_children[SCHED_PRIORITIES];
	/* Inner children first, leaves last; also links free classes through 'next'. */
	uint32_t first_child;
	uint32_t last_child;
	uint32_t next_sibling;
	uint32_t prev_sibling;
	uint8_t depth; /* below the root */
};

struct sched {
	struct sched_node_tail *tails;
	struct sched_gate *gates;
	struct sched_aqm *aqm;
	struct sched_class *classes;
	struct share_calendar *shares;
	uint64_t now;       /* ticks */
	uint64_t floor_now; /* the floor clock: now - floor_held */
	uint64_t floor_held;
	uint64_t red_until; /* no inner class below the root is at its ceiling after this
	                     */
	uint64_t backlog_packets;
	uint32_t edf_levels;    /* bit per EDF level that is not empty */
	uint32_t quantum_bytes; /* one visit to a leaf takes up to this, at least a packet
	                         */
	uint32_t capacity;      /* without the root */
	uint32_t class_count;   /* without the root */
	uint32_t class_fresh;   /* lowest index never used */
	uint32_t class_free_head;
	uint32_t class_free_tail;
	uint32_t share_capacity;
	uint32_t share_fresh;
	uint32_t
		share_free; /* through bucket[0].head; 0 ends: calendar 0 is the root's */
	struct item_list dropped;   /* until sched_take_dropped() */
	struct flow_pool flow_pool; /* of all fair leaves */
	uint64_t overload_ns;       /* owner writes, any thread reads */
	struct late_watch watch_served;
	struct late_watch watch_waiting; /* first in turn, of all levels */
	uint32_t watch_visits;           /* until the next look */
	int64_t late_limit;              /* OVERLOAD_LATE_FIRST or _LATER */
	uint64_t overload_until;         /* when that was LATER: end of the linger */
	struct wheel floor_wheel;
	struct wheel ceil_wheel;
	struct edf_calendar edf[EDF_LEVELS];
	struct sched_node nodes[]; /* 'capacity' + 1 */
};

static inline bool
node_is_green(const struct sched *sched, const struct sched_node *node)
{
	return !tick_is_after(node->floor_tag, sched->floor_now);
}

static inline bool
node_is_red(const struct sched *sched, const struct sched_node *node)
{
	return (node->flags & NODE_HAS_CEIL) && tick_is_after(node->ceil_tag, sched->now);
}

/* An inner class is at its ceiling until 'tag'. */
static inline void
sched_note_red(struct sched *sched, uint64_t tag)
{
	if (tick_is_after(tag, sched->red_until))
		sched->red_until = tag;
}

static inline bool
node_has_backlog(const struct sched_node *node)
{
	return node->flags & NODE_LEAF ? node->queue.head != NULL
	                               : node->inner.active_bands != 0;
}

/* The share calendar that the node is, or would be, in. Not for the root. */
static inline struct share_calendar *
node_share(const struct sched *sched, const struct sched_node *node)
{
	const struct sched_node *parent = &sched->nodes[node->parent];
	unsigned bit = 1U << node->priority;

	/* As a rule there is one band; the tail's line is not read then. */
	if (likely((parent->inner.active_bands & (2 * bit - 1)) == bit))
		return &sched->shares[parent->inner.first_share];
	return &sched->shares[sched->tails[node->parent].share[node->priority]];
}

/* A class that was idle keeps at most 'burst_ns' of credit. */
static inline uint64_t
tag_clamp(uint64_t tag, uint64_t now, uint32_t burst_ns)
{
	uint64_t behind = now - tag, burst = (uint64_t)burst_ns * TICKS_PER_NS;

	/* Neither within the burst nor ahead, which is a debt to keep. */
	return behind + TAG_DISTANCE_MAX > burst + TAG_DISTANCE_MAX ? now - burst : tag;
}

static inline void
sched_set_now(struct sched *sched, uint64_t now_ns)
{
	uint64_t now = now_ns * TICKS_PER_NS;

	if (tick_is_after(now, sched->now)) {
		sched->now = now;
		sched->floor_now = now - sched->floor_held;
	}
}

static inline bool
ref_find(const struct sched *sched, uint32_t ref, uint32_t *id)
{
	const struct sched_node *node;

	*id = ref & REF_INDEX_MASK;
	/* Beyond lies memory that was never written. */
	if (unlikely(*id >= sched->class_fresh))
		return false;
	node = &sched->nodes[*id];
	return __atomic_load_n(&node->generation, __ATOMIC_RELAXED) ==
	               ref >> REF_INDEX_BITS &&
	       (node->flags & NODE_LIVE);
}

static inline uint32_t
node_ref(const struct sched *sched, uint32_t id)
{
	return (uint32_t)sched->nodes[id].generation << REF_INDEX_BITS | id;
}

/* Room is what is left of a leaf's limits; negative if they were lowered since. */
static inline void
node_take_room(struct sched_node *node, int32_t packets, int32_t bytes)
{
	__atomic_store_n(&node->queue.room_packets, node->queue.room_packets - packets,
	                 __ATOMIC_RELAXED);
	__atomic_store_n(&node->room_bytes, node->room_bytes - bytes, __ATOMIC_RELAXED);
}

static inline bool
node_has_room(const struct sched_node *leaf)
{
	return leaf->queue.room_packets > 0 && leaf->room_bytes > 0;
}

/* sched_tree.c: indices, share calendars and the lists of children. */

/* An unused index with a new generation, or NODE_NONE. */
uint32_t class_id_take(struct sched *sched);
void class_id_return(struct sched *sched, uint32_t id);

/* Counts a child of 'priority' below 'parent', with a share calendar for its band.
 * -ENOSPC. */
int band_join(struct sched *sched, uint32_t parent, unsigned priority);
void band_leave(struct sched *sched, uint32_t parent, unsigned priority);

void child_link(struct sched *sched, uint32_t parent, uint32_t id);
void child_unlink(struct sched *sched, uint32_t id);

/* sched.c */

/* Counts a dropped item in a class and all above it. */
void sched_count_drop(struct sched *sched, uint32_t id, uint32_t bytes);

/* sched_leaf.c: leaves with 'managed'. */

/* Takes an item for which there is room. */
void leaf_put(struct sched *sched, uint32_t id, struct qos_item *item);

/* Drops items of a longer flow of a full leaf for one of 'item'. True if there is room
 * then. */
bool leaf_make_room(struct sched *sched, uint32_t id, const struct qos_item *item);

/* What one visit to a leaf took. */
struct visit {
	uint32_t bytes;
	uint32_t items;
	uint32_t packets; /* on the wire: an item may be several */
};

/* Takes the packets of one visit. None, if all that was looked at had to be dropped: then
 * there may be more, or nothing left. */
unsigned leaf_take_managed(struct sched *sched, uint32_t id, struct qos_item **items,
                           unsigned max_items, uint32_t max_bytes, struct visit *visit);

/* Of any leaf, after its limits and rates are set: makes it managed or not, fair or not.
 * Items stay; those of a leaf that is no longer fair are sent flow after flow. */
void leaf_apply_params(struct sched *sched, uint32_t id,
                       const struct sched_class_params *params);

/* All items of any leaf, which is about to be deleted, linked through 'next'. */
struct qos_item *leaf_release(struct sched *sched, uint32_t id);

/* sched_rate.c: from parameters to tags. */

/* Takes over 'params' and sets prices, bursts and limits from them; tags keep their debt
 * in bytes. The class must be in no calendar. */
void class_apply_params(struct sched *sched, uint32_t id,
                        const struct sched_class_params *params);

/* Sets what the children of 'parent' without a floor get, and those further below. */
void implicit_floor_update(struct sched *sched, uint32_t parent);
