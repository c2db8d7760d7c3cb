/* item.h - the part of a packet that the scheduler sees. Embedded in the packet by its
 * owner. */
#pragma once

#include <stdint.h>

struct qos_item {
	struct qos_item *next;  /* the scheduler's while it holds the item */
	uint64_t enqueued_ns;   /* set by sched_enqueue() */
	uint32_t charged_bytes; /* set by the caller: what the packet costs on the wire */
	uint32_t class_ref;     /* set by the caller: see sched.h */
};
