/* program.h - what a walk through the tables comes to: a flat list of records, those of
 * net/flow_action.h and the three below, for action.c to carry out. Made by the walk,
 * kept by the cache, never changed. Worker threads.
 *
 * In it are only: OUTPUT (a port's number; IN_PORT, FLOOD, ALL, NORMAL, LOCAL),
 * SET_FIELD of what is in a packet, PUSH_* and POP_*, *_TTL*, SET_QUEUE, POP_QUEUE,
 * METER, LEARN, SAMPLE, CLONE (its list works on a copy), and the records below. All
 * else was worked out by the walk, who counts the packet as well: registers, tables,
 * groups (a CLONE per bucket of "all"; the bucket that was chosen), moves (constants,
 * since the mask covers what they read). */
#pragma once

#include "net/flow_action.h"

enum program_op {
	PROGRAM_PUNT = ACTION_N_TYPES, /* a copy goes to main, for a controller */
	PROGRAM_MARK,                  /* the packet's mark, which the next bridge sees */
	PROGRAM_WALK, /* the rest depends on headers that what was done has laid bare */
};

struct program_mark {
	struct flow_action head;
	uint32_t value, mask;
};

/* What tables gave a packet by then: all of a flow_key after FLOW_PACKET_WORDS. */
#define PROGRAM_STATE_WORDS (FLOW_KEY_WORDS - FLOW_PACKET_WORDS)

struct program_punt {
	struct flow_action head;
	uint8_t reason; /* enum dp_punt_reason */
	uint8_t table;
	uint16_t max_len, controller_id;
	bool pause;
	uint64_t cookie;
	uint32_t meter;
	uint32_t n_userdata;
	uint64_t state[PROGRAM_STATE_WORDS];
	uint8_t userdata[];
};

/* The packet is parsed again and goes on; never kept by the cache beyond this record. */
struct program_walk {
	struct flow_action head;
	uint8_t table;
	uint32_t action_set_bytes, stack_bytes, rest_bytes;
	uint64_t state[PROGRAM_STATE_WORDS];
	uint64_t
		data[]; /* the action set, the stack, then the actions left of the rule */
};
