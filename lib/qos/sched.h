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

#define SCHED_LEVELS_MAX  9         /* below the root: 8 of inner classes, then leaves */
#define SCHED_CLASSES_MAX (1 << 20) /* what the index part of a reference can hold */
#define SCHED_WEIGHT_MAX  1024
#define SCHED_PRIORITIES  8
#define SCHED_RATE_NONE   0

#define SCHED_RATE_MIN_BPS   1000           /* lower rates count as this */
#define SCHED_RATE_MAX_BPS   10000000000000 /* higher rates count as this */
#define SCHED_ITEM_BYTES_MAX (1U << 24)     /* larger items are refused as CLASS_FULL */

struct sched;

/* Where 0 means a default:
 *
 * floor_bps: the class still gets an implicit floor, so that nothing starves: the smaller
 * of 1 Mbit/s and 5 % of the parent's floor (of the root: its rate) divided by the number
 * of children without a floor, rounded up to a power of two. A parent without a floor
 * hands on its part; explicit floors that leave less than 5 % leave less for this.
 *
 * Bursts: 200 us of the rate, at least 3028 bytes (two full Ethernet frames). More
 * than 4.2 s of the rate count as that. A burst is how much a class that was idle, or was
 * looked at late, may send at once. It limits no packet's size: a class below its ceiling
 * sends a packet of any size and then pays for it in time. A class that others' large
 * packets keep waiting for longer than its burst does not reach its ceiling.
 *
 * weight: the floor in Mbit/s, from 1/8 to 131072; 1 without a floor. Only the ratio of
 * weights among siblings of the same priority matters, and both kinds mix: a sibling of
 * weight 10 equals one without a weight whose floor is 10 Mbit/s.
 *
 * peak_bps: a second ceiling with a burst of its own, for traffic that may exceed its
 * ceiling for as long as the ceiling's burst lasts, but never this. ceil_pps: the same
 * for packets (charged_packets of an item); default burst 1 ms, at least 32 packets.
 *
 * floor_pps: the class counts as under its floor until it had both floor_bps and
 * floor_pps.
 *
 * Limits: 1024 packets, 2 MB, no age. A queue takes items while it is below both; an item
 * older than limit_ns is dropped when its turn comes.
 *
 * codel: target max(5 ms, two largest frames at the class's ceiling), interval 100 ms,
 * both replaced by codel_*_ns. Marks items with QOS_ITEM_ECT where 'ecn', drops others.
 *
 * fair: flows of the leaf (item->flow_hash) get equal shares and new, sparse flows go
 * first. Needs sched_flows_attach(), else the leaf is a FIFO.
 *
 * Rates are taken to be within SCHED_RATE_MIN_BPS and SCHED_RATE_MAX_BPS, weights up to
 * SCHED_WEIGHT_MAX, priorities modulo SCHED_PRIORITIES. That floors fit their parents and
 * ceilings is for the caller to see to: if they do not, ceilings win. */
struct sched_class_params {
	uint64_t floor_bps; /* guaranteed; SCHED_RATE_NONE = only the implicit floor */
	uint64_t ceil_bps;  /* never exceeded; SCHED_RATE_NONE = no ceiling of its own */
	uint32_t floor_burst_bytes;
	uint32_t ceil_burst_bytes;
	uint32_t weight;      /* share of the excess, 1..SCHED_WEIGHT_MAX */
	uint8_t priority;     /* of the excess, 0 served first .. SCHED_PRIORITIES - 1 */
	uint32_t limit_bytes; /* of a leaf's queue */
	uint32_t limit_packets; /* of a leaf's queue */
	uint64_t limit_ns;      /* of an item's stay in a leaf's queue; 0 = none */
	uint64_t peak_bps;      /* second ceiling; SCHED_RATE_NONE = none */
	uint32_t peak_burst_bytes;
	uint32_t ceil_pps; /* packets per second; 0 = no limit */
	uint32_t ceil_burst_packets;
	uint32_t floor_pps; /* guaranteed besides floor_bps; 0 = none */
	uint32_t codel_target_ns;
	uint32_t codel_interval_ns;
	bool codel; /* of a leaf: controlled delay */
	bool ecn;   /* with codel */
	bool fair;  /* of a leaf: a queue per flow */
};

/* Counters have one writer, the owner; other threads read them relaxed and may see
 * values of slightly different moments. An inner class counts what was sent and dropped
 * below it; its queued_* are 0. */
struct sched_class_stats {
	uint64_t offered_packets, offered_bytes; /* sent, dropped or queued */
	uint64_t sent_packets, sent_bytes;
	uint64_t dropped_packets, dropped_bytes; /* all that follow */
	uint64_t full_packets;                   /* dropped: no room */
	uint64_t aged_packets;                   /* dropped: in the queue for too long */
	uint64_t codel_packets;                  /* dropped by CoDel */
	uint64_t marked_packets; /* sent with a congestion mark, by CoDel */
	uint64_t borrowed_bytes; /* sent on the account of a class above this one */
	uint32_t queued_packets, queued_bytes;
};

enum sched_verdict {
	SCHED_QUEUED,
	SCHED_NO_CLASS,   /* stale reference or not a leaf: the caller keeps the item */
	SCHED_CLASS_FULL, /* the caller keeps the item; counted in the class */
};

/* Bytes of memory, cache-line aligned, that a tree of 'capacity' classes besides the root
 * needs; at most SCHED_CLASSES_MAX - 1. */
size_t sched_memory_bytes(uint32_t capacity);

/* Makes an empty tree in 'memory' (zeroed by this function; the caller's to free, after
 * the tree has no items). 'root' gives the link's rate as its ceiling. */
struct sched *sched_init(void *memory, uint32_t capacity,
                         const struct sched_class_params *root, uint64_t now_ns);

/* Moves the whole tree to larger memory; references stay valid, 'old' must not be used
 * again. NULL, and 'old' stays as it is, if 'capacity' is less than that of 'old'. */
struct sched *sched_relocate(void *memory, uint32_t capacity, const struct sched *old);

uint32_t sched_root(const struct sched *sched);

/* Both without the root. */
uint32_t sched_capacity(const struct sched *sched);
uint32_t sched_class_count(const struct sched *sched);

/* Adds a class below the inner class 'parent' and writes its reference. Leaves hold
 * packets, inner classes hold classes. -ENOENT (stale parent), -EINVAL (parent is a leaf,
 * too deep), -ENOSPC: no room for the class or, with many inner classes or priorities in
 * use, for its band; sched_relocate() to a larger capacity helps. */
int sched_class_add(struct sched *sched, uint32_t parent, bool is_leaf,
                    const struct sched_class_params *params, uint64_t now_ns,
                    uint32_t *ref);

/* Changes a live class, the root too; queued items stay, and what the class owes stays
 * the same in bytes. -ENOENT, -ENOSPC (as sched_class_add(), new priority). */
int sched_class_set(struct sched *sched, uint32_t ref,
                    const struct sched_class_params *params, uint64_t now_ns);

/* Puts a live class, with all below it, under another inner class; queued items stay.
 * -ENOENT, -EINVAL (a leaf, below itself, too deep), -ENOSPC. */
int sched_class_move(struct sched *sched, uint32_t ref, uint32_t parent, uint64_t now_ns);

/* Removes a class without children (-EBUSY otherwise, and for the root; -ENOENT). Hands
 * its queued items to the caller as a list linked through 'next'; their class_ref may be
 * anything. */
int sched_class_delete(struct sched *sched, uint32_t ref, uint64_t now_ns,
                       struct qos_item **items);

/* Takes 'item' if the verdict is SCHED_QUEUED. item->charged_bytes and item->class_ref
 * are set. */
enum sched_verdict sched_enqueue(struct sched *sched, struct qos_item *item,
                                 uint64_t now_ns);

/* How many of 'n' items, from the first on, may be sent at once, in this order: nothing
 * waits in the tree and every ceiling on their way is open. These are charged already and
 * were never the scheduler's; the next one must be queued. Leaves with CoDel, an age
 * limit or flows always queue. */
unsigned sched_pass(struct sched *sched, struct qos_item *const *items, unsigned n,
                    uint64_t now_ns);

/* Fetches what sched_pass() and sched_enqueue() will need of the items' classes into the
 * cache: for bursts. Any class_ref. */
void sched_prefetch(const struct sched *sched, struct qos_item *const *items, unsigned n);

/* Gives at most 'max_items' items that may be sent now, stopping after 'max_bytes' are
 * exceeded. They are the caller's again and already charged: send them. */
unsigned sched_dequeue(struct sched *sched, uint64_t now_ns, struct qos_item **items,
                       unsigned max_items, uint32_t max_bytes);

/* An item that sched_dequeue() gave cannot be sent yet: from now on it counts as queued,
 * not as sent, although it is the caller's. What it was charged stays. */
void sched_item_hold(struct sched *sched, struct qos_item *item);

/* Ends that for an item with QOS_ITEM_HELD and this 'class_ref' and 'charged_bytes',
 * which was sent or lost. Without effect on a stale reference. */
void sched_item_release(struct sched *sched, uint32_t ref, uint32_t bytes, bool is_sent);

/* Items that were dropped after they had been queued since the last call: by
 * sched_dequeue() (CoDel, age), by sched_enqueue() (to make room in a fair leaf). Linked
 * through 'next', with the reason in their flags, already counted in their classes; the
 * caller's to free. */
struct qos_item *sched_take_dropped(struct sched *sched);

/* Holds a leaf back until 'until_ns' (at most a second ahead): what it sends next cannot
 * be taken before. The last call counts; one with a time that has passed lets the leaf
 * go. Without effect on a stale reference. */
void sched_leaf_park(struct sched *sched, uint32_t ref, uint64_t until_ns,
                     uint64_t now_ns);

/* How long floors were held back, in total since sched_init(), because the owner or the
 * link could not carry them all; grows while that is so. Owner writes, any thread reads.
 */
uint64_t sched_overload_ns(const struct sched *sched);

/* Room for queues per flow, shared by the fair leaves of a tree: 'memory' (the caller's,
 * cache-line aligned, sched_flows_bytes() long: 68 bytes a flow, 272 KB for 4096)
 * serves 'flows' flows that have items at a time. Of these no leaf takes more than are
 * left; flows beyond share one queue of their leaf, each still in order. Once,
 * before the first fair leaf; sched_relocate() keeps it. */
size_t sched_flows_bytes(uint32_t flows);
void sched_flows_attach(struct sched *sched, void *memory, uint32_t flows);

/* When sched_dequeue() can next give something: 'now_ns' or before if at once,
 * UINT64_MAX if nothing is queued. Never later than the true moment. */
uint64_t sched_next_event_ns(const struct sched *sched, uint64_t now_ns);

/* How many bytes one visit to a class may take: a larger quantum costs less per packet
 * and delays others by as much. 0, the default: one packet per visit. */
void sched_set_quantum(struct sched *sched, uint32_t bytes);

/* Items queued in a leaf; 0 for a stale reference or an inner class. Owner. */
uint32_t sched_leaf_packets(const struct sched *sched, uint32_t ref);

/* Items queued in the whole tree. */
uint64_t sched_backlog_packets(const struct sched *sched);

/* False if 'ref' is stale. Any thread. */
bool sched_class_get_stats(const struct sched *sched, uint32_t ref,
                           struct sched_class_stats *stats);
