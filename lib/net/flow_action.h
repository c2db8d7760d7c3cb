/* flow_action.h - what a rule does, as data: a list of records of variable length that
 * the OpenFlow codec makes, text shows, and the datapath compiles. Ports, tables, groups,
 * queues and meters are the numbers that controllers use. Plain data, any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/flow_field.h"

/* Reserved port numbers (OpenFlow 1.1 and later; those of 1.0 are translated). */
#define FLOW_PORT_MAX        0xffffff00U
#define FLOW_PORT_UNSET      0xfffffff7U
#define FLOW_PORT_IN_PORT    0xfffffff8U
#define FLOW_PORT_TABLE      0xfffffff9U
#define FLOW_PORT_NORMAL     0xfffffffaU
#define FLOW_PORT_FLOOD      0xfffffffbU
#define FLOW_PORT_ALL        0xfffffffcU
#define FLOW_PORT_CONTROLLER 0xfffffffdU
#define FLOW_PORT_LOCAL      0xfffffffeU
#define FLOW_PORT_NONE       0xffffffffU /* ANY */

#define FLOW_MAX_LEN_ALL 0xffffU /* the whole packet goes to the controller */
#define FLOW_TABLE_NONE  0xffU

enum flow_action_type {
	/* Struct in brackets; without one there is nothing more to say. */
	ACTION_OUTPUT,       /* [flow_output] any port, CONTROLLER as well; 'is_legacy':
	                        the packet is cut to max_len (nicira's output_trunc) */
	ACTION_OUTPUT_FIELD, /* [flow_output_field] "output:reg0[]" */
	ACTION_CONTROLLER,   /* [flow_controller] with more than a max_len */
	ACTION_ENQUEUE,      /* [flow_enqueue] OpenFlow 1.0 */
	ACTION_BUNDLE,       /* [flow_bundle] "bundle" and "bundle_load" */
	ACTION_GROUP,        /* [flow_number] */
	ACTION_SET_QUEUE,    /* [flow_number] */
	ACTION_POP_QUEUE,
	ACTION_SET_FIELD,  /* [flow_set_field] */
	ACTION_MOVE,       /* [flow_move] */
	ACTION_STACK_PUSH, /* [flow_stack] */
	ACTION_STACK_POP,  /* [flow_stack] */
	/* What OpenFlow 1.0 and 1.1 have instead of set-field; they are shown and sent
	 * as they came, but mean the same as a set-field. [flow_number], [flow_address]
	 */
	ACTION_SET_VLAN_VID, /* pushes a tag where there is none, as in 1.0 */
	ACTION_SET_VLAN_PCP, /* the same */
	ACTION_SET_ETH_SRC,
	ACTION_SET_ETH_DST,
	ACTION_SET_IPV4_SRC, /* number, not flow_address; so below */
	ACTION_SET_IPV4_DST,
	ACTION_SET_IP_DSCP, /* number: the TOS byte, low bits 0 */
	ACTION_SET_IP_ECN,
	ACTION_SET_IP_TTL,
	ACTION_SET_TP_SRC,
	ACTION_SET_TP_DST,
	ACTION_SET_MPLS_LABEL,
	ACTION_SET_MPLS_TC,
	ACTION_SET_MPLS_TTL,
	ACTION_SET_TUNNEL, /* [flow_number] 32 or 64 bits */
	ACTION_PUSH_VLAN,  /* [flow_number] the tag's type */
	ACTION_POP_VLAN,   /* 'is_legacy': "strip_vlan", of 1.0 */
	ACTION_PUSH_MPLS,  /* [flow_number] */
	ACTION_POP_MPLS,   /* [flow_number] the type of what is inside */
	ACTION_PUSH_PBB,   /* [flow_number] */
	ACTION_POP_PBB,
	ACTION_DEC_TTL, /* [flow_ids] controllers to tell; usually one, 0 */
	ACTION_DEC_MPLS_TTL,
	ACTION_COPY_TTL_OUT,
	ACTION_COPY_TTL_IN,
	ACTION_RESUBMIT,    /* [flow_resubmit] */
	ACTION_LEARN,       /* [flow_learn] */
	ACTION_CONJUNCTION, /* [flow_conjunction] */
	ACTION_MULTIPATH,   /* [flow_multipath] */
	ACTION_NOTE,        /* [flow_bytes] */
	ACTION_EXIT,
	ACTION_FIN_TIMEOUT,  /* [flow_fin_timeout] */
	ACTION_SAMPLE,       /* [flow_sample] */
	ACTION_CHECK_LARGER, /* [flow_check_larger] */
	ACTION_DELETE_FIELD, /* [flow_stack] */
	ACTION_CLONE,        /* [flow_nested] */
	ACTION_CT,           /* [flow_ct] */
	ACTION_CT_CLEAR,
	ACTION_NAT, /* [flow_nat] inside of ACTION_CT */
	/* Instructions, after the actions to apply and in this order. A meter is also
	 * an action in 1.5, and then stands where it was. */
	ACTION_METER, /* [flow_number] */
	ACTION_CLEAR_ACTIONS,
	ACTION_WRITE_ACTIONS,  /* [flow_nested] */
	ACTION_WRITE_METADATA, /* [flow_metadata] */
	ACTION_GOTO_TABLE,     /* [flow_number] */
	ACTION_N_TYPES,
};

/* The head of every record. */
struct flow_action {
	uint16_t type; /* enum flow_action_type */
	/* Came, and is shown and sent, in an older form: "load" for a set-field,
	 * "strip_vlan", nicira's form of what OpenFlow has today. Of SET_VLAN_*:
	 * 1.1's, which pushes no tag. Of a set-field also SET_FIELD_MASKED. */
	uint16_t is_legacy;
	uint32_t bytes; /* of the whole record, a multiple of 8; lists inside may be
	                   longer than a message */
};

struct flow_number {
	struct flow_action head;
	uint64_t value;
};
struct flow_address {
	struct flow_action head;
	uint8_t bytes[8];
};
struct flow_output {
	struct flow_action head;
	uint32_t port;
	uint16_t max_len;
	uint16_t not_to; /* a walk's FLOOD and ALL: the port that is left out, as OpenFlow
	                    1.0 has it; 0 = that of arrival */
};
struct flow_output_field {
	struct flow_action head;
	struct flow_subfield from;
	uint16_t max_len;
};
struct flow_enqueue {
	struct flow_action head;
	uint32_t port, queue;
};
struct flow_stack {
	struct flow_action head;
	struct flow_subfield field;
};
struct flow_move {
	struct flow_action head;
	struct flow_subfield from, to; /* same n_bits */
};
struct flow_metadata {
	struct flow_action head;
	uint64_t value, mask;
};
struct flow_conjunction {
	struct flow_action head;
	uint32_t id;
	uint8_t clause, n_clauses; /* clauses count from 0 here, from 1 in texts */
};
struct flow_fin_timeout {
	struct flow_action head;
	uint16_t idle_s, hard_s;
};
struct flow_check_larger {
	struct flow_action head;
	struct flow_subfield to;
	uint16_t length;
};
struct flow_sample {
	struct flow_action head;
	uint32_t collector_set, domain, point, port;
	uint16_t probability, direction;
};

/* Came with a mask, of all bits of a field that is no whole number of bytes. */
#define SET_FIELD_MASKED 2

struct flow_set_field {
	struct flow_action head;
	enum flow_field_id field;
	struct flow_value value, mask;
};

struct flow_resubmit {
	struct flow_action head;
	uint32_t in_port; /* FLOW_PORT_IN_PORT = unchanged */
	uint8_t table;    /* FLOW_TABLE_NONE = the current one */
	bool with_ct;
};

/* 'n' items follow the struct. */
struct flow_ids {
	struct flow_action head;
	uint32_t n;
	uint16_t ids[];
};
struct flow_bytes {
	struct flow_action head;
	uint32_t n;
	uint8_t data[];
};

struct flow_controller {
	struct flow_action head;
	uint16_t max_len, controller_id;
	uint8_t reason; /* OFPR_*: 1 = action */
	bool pause;
	uint32_t meter; /* 0 = none */
	uint32_t n_userdata;
	uint8_t userdata[];
};

struct flow_bundle {
	struct flow_action head;
	uint8_t algorithm; /* 0 = active-backup, 1 = highest random weight */
	uint8_t fields;    /* as in flow_multipath */
	uint16_t basis;
	struct flow_subfield to; /* bundle_load; field FIELD_NONE = output */
	uint32_t n;
	uint32_t ports[];
};

struct flow_multipath {
	struct flow_action head;
	uint8_t fields; /* nx_hash_fields */
	uint16_t basis, algorithm, max_link;
	uint32_t argument;
	struct flow_subfield to;
};

/* One part of what a learned rule gets. */
struct flow_learn_spec {
	uint8_t from_type; /* 0 = field 'from', 1 = the constant 'value' */
	uint8_t to_type;   /* 0 = matches 'to', 1 = loads into 'to', 2 = outputs to 'from'
	                    */
	uint16_t n_bits;
	struct flow_subfield from, to;
	struct flow_value value;
};

/* As Nicira's learn has them on the wire. */
#define FLOW_LEARN_SEND_REMOVED   1U
#define FLOW_LEARN_DELETE_LEARNED 2U
#define FLOW_LEARN_WRITE_RESULT   4U

struct flow_learn {
	struct flow_action head;
	uint16_t idle_s, hard_s, priority, fin_idle_s, fin_hard_s;
	uint16_t flags; /* FLOW_LEARN_* */
	uint8_t table;
	uint64_t cookie;
	uint32_t limit;
	struct flow_subfield result;
	uint32_t n;
	struct flow_learn_spec specs[];
};

/* A list inside: 'nested_bytes' of records follow. */
struct flow_nested {
	struct flow_action head;
	uint32_t nested_bytes;
	uint64_t nested[];
};

struct flow_nat {
	struct flow_action head;
	uint16_t flags;
	bool has_ipv4, has_ipv6;
	uint8_t min_ip[16], max_ip[16];
	uint16_t min_port, max_port;
};

struct flow_ct {
	struct flow_action head;
	uint16_t flags, zone, alg;
	struct flow_subfield zone_from; /* FIELD_NONE = 'zone' */
	uint8_t recirc_table;
	uint32_t nested_bytes;
	uint64_t nested[];
};

/* A list that is being made, or is complete; zero is an empty one. The owner frees it. */
struct flow_actions {
	uint8_t *data; /* aligned to 8 */
	size_t bytes, allocated;
};

/* Appends a zeroed record of 'type' with 'bytes' (the struct's size and what follows it;
 * rounded up to 8). Valid until the next call. */
void *flow_actions_add(struct flow_actions *actions, enum flow_action_type type,
                       size_t bytes);

/* Appends copies of records. */
void flow_actions_append(struct flow_actions *actions, const void *records, size_t bytes);

/* A nested list is written in place: begin, add its records, end. Not for two at once.
 * Returns a mark for the end. 'bytes' is the size of the struct that holds it. */
size_t flow_actions_begin_nested(struct flow_actions *actions, enum flow_action_type type,
                                 size_t bytes);
void flow_actions_end_nested(struct flow_actions *actions, size_t mark);

void flow_actions_clear(struct flow_actions *actions);
bool flow_actions_equal(const struct flow_actions *a, const struct flow_actions *b);
void flow_actions_destroy(struct flow_actions *actions);

/* 'bytes' of records at 'data' one by one. */
#define FLOW_ACTION_FOR_EACH(ACTION, DATA, BYTES)                     \
	for (const struct flow_action *ACTION = (const void *)(DATA); \
	     (uintptr_t)ACTION < (uintptr_t)(DATA) + (BYTES);         \
	     ACTION = (const void *)((const uint8_t *)ACTION + ACTION->bytes))
