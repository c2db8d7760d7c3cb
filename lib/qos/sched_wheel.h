/* sched_wheel.h - timing wheel of classes that wait for a tag to pass: 4096 slots of
 * 1.024 us, then 4096 slots of 4.2 ms; what is later than 17 s waits in the last slot and
 * is looked at again. Popping gives a class when its slot has begun: the popper compares
 * the tags and puts it back if its time has not come, which is also how classes get from
 * the coarse row to the fine one. Every operation is O(1).
 * Private to lib/qos/sched_*. Owner thread. */
#pragma once

#include "qos/sched_node.h"

#define WHEEL_ROWS       2
#define WHEEL_SLOT_BITS  12
#define WHEEL_SLOTS      (1U << WHEEL_SLOT_BITS)
#define WHEEL_SLOT_SHIFT 18 /* a slot of the first row is 1.024 us */
#define WHEEL_SLOT_TICKS (1ULL << WHEEL_SLOT_SHIFT)
#define WHEEL_NEVER      UINT64_MAX

struct wheel_row {
	uint64_t words; /* bit per word of 'bitmap' that is not 0 */
	uint64_t bitmap[WHEEL_SLOTS / 64];
	uint32_t head[WHEEL_SLOTS];
};

struct wheel {
	uint64_t base; /* no class waits in a slot that ended before; never after now */
	uint64_t due;  /* nothing is before; may be early */
	uint32_t count;
	struct wheel_row row[WHEEL_ROWS];
} CACHE_ALIGNED;

static inline unsigned
wheel_row_shift(unsigned row)
{
	return WHEEL_SLOT_SHIFT + row * WHEEL_SLOT_BITS;
}

static inline void
wheel_add(struct sched_node *nodes, struct wheel *wheel, enum node_chain chain,
          uint32_t id, uint64_t tag, uint64_t now)
{
	unsigned which = 0, slot;
	struct wheel_row *row;
	uint64_t distance;
	uint32_t head;

	if (!wheel->count++) {
		wheel->base = now;
		wheel->due = tag;
	}
	if (tick_is_after(wheel->due, tag))
		wheel->due = tag;
	/* The slot after that of the tag: it begins when the tag has passed. */
	tag += WHEEL_SLOT_TICKS;
	if (tick_is_after(wheel->base, tag))
		tag = wheel->base;
	distance = bucket_distance(tag, wheel->base, WHEEL_SLOT_SHIFT);
	if (distance >= WHEEL_SLOTS) {
		which = 1;
		distance = bucket_distance(tag, wheel->base, wheel_row_shift(1));
		distance = MIN_OF(distance, WHEEL_SLOTS - 1);
	}
	row = &wheel->row[which];
	slot = (unsigned)((wheel->base >> wheel_row_shift(which)) + distance) %
	       WHEEL_SLOTS;
	head = row->head[slot];
	row->head[slot] = id;
	nodes[id].link[chain] = (struct node_link){.next = head, .prev = NODE_NONE};
	nodes[id].slot[chain] = (uint16_t)(which << WHEEL_SLOT_BITS | slot);
	if (head) {
		nodes[head].link[chain].prev = id;
		return;
	}
	row->bitmap[slot / 64] |= 1ULL << (slot % 64);
	row->words |= 1ULL << (slot / 64);
}

static inline void
wheel_remove(struct sched_node *nodes, struct wheel *wheel, enum node_chain chain,
             uint32_t id)
{
	const struct node_link *link = &nodes[id].link[chain];
	unsigned slot = nodes[id].slot[chain] & (WHEEL_SLOTS - 1);
	struct wheel_row *row = &wheel->row[nodes[id].slot[chain] >> WHEEL_SLOT_BITS];

	wheel->count--;
	if (link->next)
		nodes[link->next].link[chain].prev = link->prev;
	if (link->prev) {
		nodes[link->prev].link[chain].next = link->next;
		return;
	}
	row->head[slot] = link->next;
	if (link->next)
		return;
	row->bitmap[slot / 64] &= ~(1ULL << (slot % 64));
	if (!row->bitmap[slot / 64])
		row->words &= ~(1ULL << (slot / 64));
}

/* How many slots after slot 'from' the next one in use is. The row must not be empty. */
static inline uint64_t
wheel_row_distance(const struct wheel_row *row, uint64_t from)
{
	unsigned slot = from % WHEEL_SLOTS, word = slot / 64;
	uint64_t bits = row->bitmap[word] & (~0ULL << (slot % 64)), turned;

	if (bits)
		return word * 64 + (unsigned)__builtin_ctzll(bits) - slot;
	/* Back at the first word, only slots before 'from' are left in it. */
	turned = bitmap_turn(row->words, word + 1);
	word = (word + 1 + (unsigned)__builtin_ctzll(turned)) % 64;
	bits = row->bitmap[word];
	return (word * 64 + (unsigned)__builtin_ctzll(bits) - slot) % WHEEL_SLOTS;
}

/* How many ticks after 'base' the next slot in use begins, or WHEEL_NEVER; '*slot' gets
 * its number as in sched_node.slot. */
static inline uint64_t
wheel_next(const struct wheel *wheel, unsigned *slot)
{
	uint64_t best = WHEEL_NEVER;

	for (unsigned which = 0; which < WHEEL_ROWS; which++) {
		unsigned shift = wheel_row_shift(which);
		uint64_t first = wheel->base >> shift, distance, start;

		if (!wheel->row[which].words)
			continue;
		distance = wheel_row_distance(&wheel->row[which], first);
		start = bucket_start(wheel->base, shift, distance);
		/* A coarse slot is dealt out before the fine one that starts with it. */
		if (start <= best) {
			best = start;
			*slot = which << WHEEL_SLOT_BITS |
			        (unsigned)(first + distance) % WHEEL_SLOTS;
		}
	}
	return best;
}

/* Takes the first class out of a slot, or gives NODE_NONE if the slot is empty. */
static inline uint32_t
wheel_pop(struct sched_node *nodes, struct wheel *wheel, enum node_chain chain,
          unsigned slot_number)
{
	struct wheel_row *row = &wheel->row[slot_number >> WHEEL_SLOT_BITS];
	unsigned slot = slot_number % WHEEL_SLOTS;
	uint32_t id = row->head[slot], next;

	if (!id)
		return NODE_NONE;
	next = nodes[id].link[chain].next;

	wheel->count--;
	row->head[slot] = next;
	if (next) {
		/* The one after it follows soon. */
		node_prefetch(&nodes[nodes[next].link[chain].next]);
		nodes[next].link[chain].prev = NODE_NONE;
		return id;
	}
	row->bitmap[slot / 64] &= ~(1ULL << (slot % 64));
	if (!row->bitmap[slot / 64])
		row->words &= ~(1ULL << (slot / 64));
	return id;
}

/* Goes on to a slot that has begun and is not empty. False if there is none. */
static inline bool
wheel_advance(struct wheel *wheel, uint64_t now, unsigned *slot)
{
	uint64_t start;

	if (!wheel->count || tick_is_after(wheel->due, now))
		return false;
	/* More in the slot that was begun last. */
	*slot = (unsigned)(wheel->base >> WHEEL_SLOT_SHIFT) % WHEEL_SLOTS;
	if (wheel->row[0].head[*slot])
		return true;
	start = wheel_next(wheel, slot);
	if (start > now - wheel->base) {
		wheel->due = wheel->base + start;
		wheel->base = now;
		return false;
	}
	wheel->base += start;
	return true;
}
