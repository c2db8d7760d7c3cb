/* program.h - what a walk through the tables comes to: a flat list of records, those of
 * net/flow_action.h and those below, for action.c to carry out. Made by the walk,
 * kept by the cache, never changed. Worker threads.
 *
 * In it are only: OUTPUT (a port's number; IN_PORT, FLOOD, ALL, NORMAL, LOCAL),
 * SET_FIELD of what is in a packet, PUSH_* and POP_*, *_TTL*, SET_QUEUE, POP_QUEUE,
 * METER, LEARN, SAMPLE, CLONE (its list works on a copy), and the records below. All
 * else was worked out by the walk, who counts the packet as well: registers, tables,
 * groups (a CLONE per bucket of "all"; the bucket that was chosen), moves (constants,
 * since the mask covers what they read). */
#pragma once

#include <assert.h>
#include <string.h>

#include "net/flow_action.h"

enum program_op {
	/* A copy goes to main, for a controller. If it pauses the packet, a WALK follows,
	 * that main gets as well and nobody carries out here. */
	PROGRAM_PUNT = ACTION_N_TYPES,
	PROGRAM_MARK,   /* the packet's mark, which the next bridge sees */
	PROGRAM_WALK,   /* the rest depends on headers that what was done has laid bare */
	PROGRAM_EGRESS, /* an OUTPUT, but through the egress tables */
	PROGRAM_FRAME,  /* of which rule is what follows; only in the rest of a WALK */
};

struct program_mark {
	struct flow_action head;
	uint32_t value, mask;
};

/* What a packet has by then that it does not carry: all of a flow_key behind its mark. */
#define PROGRAM_STATE_FROM  (offsetof(struct flow_fields, tun_id) / sizeof(uint64_t))
#define PROGRAM_STATE_WORDS (FLOW_KEY_WORDS - PROGRAM_STATE_FROM)
static_assert(offsetof(struct flow_fields, tun_id) % sizeof(uint64_t) == 0,
              "the state is whole words");

static inline void
program_save_state(uint64_t state[PROGRAM_STATE_WORDS], const struct flow_key *key)
{
	memcpy(state, &key->words[PROGRAM_STATE_FROM],
	       PROGRAM_STATE_WORDS * sizeof(uint64_t));
}

static inline void
program_restore_state(struct flow_key *key, const uint64_t state[PROGRAM_STATE_WORDS])
{
	memcpy(&key->words[PROGRAM_STATE_FROM], state,
	       PROGRAM_STATE_WORDS * sizeof(uint64_t));
}

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

/* The userdata of a punt with DP_PUNT_FIN. */
struct program_fin {
	uint64_t rule_id;
	uint16_t idle_s, hard_s;
};

/* The packet is parsed again and goes on; never kept by the cache beyond this record.
 * Parts have no padding between them. */
struct program_walk {
	struct flow_action head;
	uint8_t table, reason; /* where it is, and enum dp_punt_reason of punts there */
	uint8_t is_egress;     /* a boolean: it is in the egress tables */
	uint32_t in_port;      /* as tables see it, which may have been set */
	uint32_t action_set_bytes, stack_bytes, rest_bytes;
	uint64_t cookie, rule_id; /* of the rule it is in */
	uint64_t state[PROGRAM_STATE_WORDS];
	/* The action set, the stack, then the actions left of the rule and, behind a
	 * FRAME each, of those that led to it. */
	uint64_t data[];
};

struct program_frame {
	struct flow_action head;
	uint8_t table, reason; /* as above */
	uint8_t zeros[6];
	uint64_t cookie, rule_id;
};
static_assert(sizeof(struct program_frame) == sizeof(struct flow_action) + 24,
              "frames are compared as bytes");

/* For each of the ports that it names, the packet is parsed again and goes through the
 * tables from 'table' on. */
struct program_egress {
	struct flow_output output; /* but for the type of its head */
	uint8_t table;
	uint64_t state[PROGRAM_STATE_WORDS];
};
