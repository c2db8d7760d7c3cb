/* item.h - the part of a packet that the scheduler sees. Embedded in the packet by its
 * owner. */
#pragma once

#include <assert.h>
#include <stdint.h>

/* Flags of an item: ECT is the caller's, the others are the scheduler's answer. Those
 * that it drops carry the reason. */
#define QOS_ITEM_ECT            1U  /* the packet may carry a congestion mark */
#define QOS_ITEM_MARK           2U  /* give it one when it is sent */
#define QOS_ITEM_AGED           4U  /* dropped: in the queue for too long */
#define QOS_ITEM_FULL           8U  /* dropped: made room in a full queue */
#define QOS_ITEM_CODEL          12U /* dropped by CoDel */
#define QOS_ITEM_TIMED          16U /* the caller's own: it notes how long this takes */
#define QOS_ITEM_HELD           8U  /* given, and since then held: sched_item_hold() */
#define QOS_ITEM_FLAGS          31U
#define QOS_ITEM_DROPPED(flags) ((flags)&12U) /* one of the reasons above, or 0 */

#define QOS_ITEM_PACKETS_MAX 2047U

struct qos_item {
	struct qos_item *next;  /* the scheduler's while it holds the item */
	uint64_t enqueued_ns;   /* set by sched_enqueue() */
	uint32_t charged_bytes; /* set by the caller: what the packet costs on the wire */
	/* Set by the caller: see sched.h. While a plain FIFO holds the item: the charged
	 * bytes of the item behind it. */
	uint32_t class_ref;
	uint32_t flow_hash; /* set by the caller: tells flows apart in a fair leaf */
	uint16_t charged_packets : 11; /* set by the caller: 1, or segments on the wire */
	uint16_t flags : 5;            /* QOS_ITEM_* */
	uint16_t caller_tag;           /* the caller's own; nothing here looks at it */
};
static_assert(sizeof(struct qos_item) == 32, "fits the dynamic area of a packet");
