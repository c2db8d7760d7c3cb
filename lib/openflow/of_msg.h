/* of_msg.h - whole messages as plain structs, the same for all versions: what the switch
 * and the tools work with. of_msg.c and of_msg_*.c turn bytes into them and back.
 * No state, any thread.
 *
 * Decoded messages borrow nothing: variable parts lie in memory of the message, released
 * by of_msg_destroy(). Numbers of ports, groups and so on are those of 1.1 and later,
 * whatever the version. */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "net/flow_action.h"
#include "openflow/of.h"

/* What a message is; requests and replies apart. Nicira's and ONF's messages have the
 * kind of what they are the same as in a later version: NXT_FLOW_MOD is OFM_FLOW_MOD. */
enum of_kind {
	OFM_HELLO,
	OFM_ERROR,
	OFM_ECHO_REQUEST,
	OFM_ECHO_REPLY,
	OFM_EXPERIMENTER,
	OFM_FEATURES_REQUEST,
	OFM_FEATURES_REPLY,
	OFM_GET_CONFIG_REQUEST,
	OFM_GET_CONFIG_REPLY,
	OFM_SET_CONFIG,
	OFM_PACKET_IN,
	OFM_FLOW_REMOVED,
	OFM_PORT_STATUS,
	OFM_PACKET_OUT,
	OFM_FLOW_MOD,
	OFM_GROUP_MOD,
	OFM_PORT_MOD,
	OFM_TABLE_MOD,
	OFM_BARRIER_REQUEST,
	OFM_BARRIER_REPLY,
	OFM_QUEUE_CONFIG_REQUEST,
	OFM_QUEUE_CONFIG_REPLY,
	OFM_ROLE_REQUEST,
	OFM_ROLE_REPLY,
	OFM_ROLE_STATUS,
	OFM_GET_ASYNC_REQUEST,
	OFM_GET_ASYNC_REPLY,
	OFM_SET_ASYNC,
	OFM_METER_MOD,
	OFM_TABLE_STATUS,
	OFM_REQUEST_FORWARD,
	OFM_BUNDLE_CONTROL,
	OFM_BUNDLE_ADD,
	OFM_CONTROLLER_STATUS,
	/* Nicira's that nothing later has. */
	OFM_NX_FLOW_FORMAT,
	OFM_NX_TABLE_ID,
	OFM_NX_PACKET_IN_FORMAT,
	OFM_NX_CONTROLLER_ID,
	OFM_NX_RESUME,
	OFM_NX_CT_FLUSH_ZONE,
	OFM_NX_CT_FLUSH, /* the message is in 'experimenter', undecoded */
	OFM_NX_TLV_TABLE_MOD,
	OFM_NX_TLV_TABLE_REQUEST,
	OFM_NX_TLV_TABLE_REPLY,
	OFM_NX_FLOW_MONITOR_CANCEL,
	OFM_NX_FLOW_MONITOR_PAUSED,
	OFM_NX_FLOW_MONITOR_RESUMED,
	/* Multiparts (stats): request and reply. */
	OFM_DESC_REQUEST,
	OFM_DESC_REPLY,
	OFM_FLOW_STATS_REQUEST,
	OFM_FLOW_STATS_REPLY,
	OFM_AGGREGATE_REQUEST,
	OFM_AGGREGATE_REPLY,
	OFM_TABLE_STATS_REQUEST,
	OFM_TABLE_STATS_REPLY,
	OFM_PORT_STATS_REQUEST,
	OFM_PORT_STATS_REPLY,
	OFM_QUEUE_STATS_REQUEST,
	OFM_QUEUE_STATS_REPLY,
	OFM_GROUP_STATS_REQUEST,
	OFM_GROUP_STATS_REPLY,
	OFM_GROUP_DESC_REQUEST,
	OFM_GROUP_DESC_REPLY,
	OFM_GROUP_FEATURES_REQUEST,
	OFM_GROUP_FEATURES_REPLY,
	OFM_METER_STATS_REQUEST,
	OFM_METER_STATS_REPLY,
	OFM_METER_CONFIG_REQUEST,
	OFM_METER_CONFIG_REPLY,
	OFM_METER_FEATURES_REQUEST,
	OFM_METER_FEATURES_REPLY,
	OFM_TABLE_FEATURES_REQUEST,
	OFM_TABLE_FEATURES_REPLY,
	OFM_PORT_DESC_REQUEST,
	OFM_PORT_DESC_REPLY,
	OFM_TABLE_DESC_REQUEST,
	OFM_TABLE_DESC_REPLY,
	OFM_QUEUE_DESC_REQUEST,
	OFM_QUEUE_DESC_REPLY,
	OFM_FLOW_MONITOR_REQUEST,
	OFM_FLOW_MONITOR_REPLY,
	OFM_BUNDLE_FEATURES_REQUEST,
	OFM_BUNDLE_FEATURES_REPLY,
	OFM_CONTROLLER_STATUS_REQUEST,
	OFM_CONTROLLER_STATUS_REPLY,
	OFM_FLOW_DESC_REQUEST,
	OFM_FLOW_DESC_REPLY, /* 1.5's "flow stats" is OFM_FLOW_STATS */
	OFM_N_KINDS,
};

struct of_hello {
	uint32_t versions; /* bit per version number, also of those that nobody knows */
};

/* With an experimenter: as struct of_error has it. */
struct of_error_msg {
	uint16_t type, code;
	uint32_t experimenter;
	const uint8_t *data;
	size_t n;
};

struct of_bytes {
	const uint8_t *data;
	size_t n;
};

struct of_experimenter {
	uint32_t id, type;
	const uint8_t *data;
	size_t n;
};

/* Bits of config are 1.1's and, where those have gaps, 1.0's: no_stp 2, no_recv_stp 8,
 * no_flood 0x10. Of state: 1.1's, and 1.0's two bits of STP at 0x300. Of features
 * (current and so on): 1.1's, whatever the version. */
struct of_port {
	uint32_t number;
	uint8_t mac[6];
	char name[65];
	uint32_t config, state;
	uint32_t current, advertised, supported, peer;
	uint32_t current_kbps, max_kbps;
};

struct of_features {
	uint64_t datapath_id;
	uint32_t n_buffers;
	uint8_t n_tables, auxiliary_id;
	uint32_t capabilities; /* 1.3's bits; "STP" of 1.0 is bit 3 there */
	uint32_t actions;      /* 1.0 only */
	struct of_port *ports; /* 1.0 to 1.2 */
	size_t n_ports;
};

struct of_config {
	uint16_t flags, miss_send_len;
};

enum of_packet_in_reason {
	OFR_NO_MATCH,
	OFR_ACTION,
	OFR_INVALID_TTL,
	OFR_ACTION_SET,
	OFR_GROUP,
	OFR_PACKET_OUT,
	OFR_EXPLICIT_MISS = 64,
	OFR_IMPLICIT_MISS = 65,
};

enum of_packet_in_format { OF_PACKET_IN_STANDARD, OF_PACKET_IN_NXT, OF_PACKET_IN_NXT2 };

/* Also a resume. 'controller_id' is not on the wire. */
struct of_packet_in {
	enum of_packet_in_format format; /* NXT* also with msg.is_nicira off */
	uint32_t buffer_id;
	uint32_t total_bytes;
	uint16_t controller_id;
	uint8_t reason, table;
	uint64_t cookie;
	struct flow_match metadata; /* in_port, registers, metadata, tunnel, mark */
	const uint8_t *packet;
	size_t n;
	/* nxt_packet_in2 */
	const uint8_t *userdata;
	size_t n_userdata;
	bool has_continuation;
	/* Means something to the switch that made it alone; comes back in a resume. */
	const uint8_t *continuation;
	size_t n_continuation;
};

struct of_packet_out {
	uint32_t buffer_id, in_port;
	struct flow_match metadata; /* 1.5's match; in_port always */
	struct flow_actions actions;
	const uint8_t *packet;
	size_t n;
};

enum of_flow_command {
	OF_FLOW_ADD,
	OF_FLOW_MODIFY,
	OF_FLOW_MODIFY_STRICT,
	OF_FLOW_DELETE,
	OF_FLOW_DELETE_STRICT
};

#define OF_FLOW_SEND_REMOVED  0x01
#define OF_FLOW_CHECK_OVERLAP 0x02
#define OF_FLOW_RESET_COUNTS  0x04
#define OF_FLOW_NO_PACKETS    0x08
#define OF_FLOW_NO_BYTES      0x10
#define OF_FLOW_EMERGENCY     0x100 /* 1.0: refused */

struct of_flow_mod {
	enum of_flow_command command;
	struct flow_match match;
	uint16_t priority;
	/* OF_TABLE_ALL: every one, or (an add of 1.0) the switch's choice. 1.0: the upper
	 * byte of the command; where OFM_NX_TABLE_ID is not on, the session (or the tool)
	 * has 0 there for OF_TABLE_ALL, and anything else is OFERR_FLOW_MOD_COMMAND. */
	uint8_t table;
	uint64_t cookie,
		cookie_mask; /* of modify and delete: which rules; mask 0 = all */
	uint64_t new_cookie; /* of add and modify; UINT64_MAX = modify keeps what it is */
	bool modify_cookie;  /* a modify changes it: 1.0 and Nicira's */
	uint16_t idle_s, hard_s, importance;
	/* Ports and groups of deletes; NONE and ANY in all others, whatever came. */
	uint32_t buffer_id, out_port, out_group;
	uint16_t flags;              /* OF_FLOW_* */
	struct flow_actions actions; /* actions and instructions, in order of execution */
};

struct of_flow_stats_request { /* flow stats, aggregate, and what is monitored */
	struct flow_match match;
	uint8_t table;
	uint32_t out_port, out_group;
	uint64_t cookie, cookie_mask;
	uint16_t flags; /* unused */
};

struct of_flow_stats {
	struct flow_match match;
	uint64_t cookie, packets, bytes; /* UINT64_MAX = not known */
	uint64_t duration_ns, idle_ns;   /* UINT64_MAX = not said; idle: 1.5's */
	uint16_t priority, idle_s, hard_s, importance, flags;
	int32_t idle_age_s, hard_age_s; /* -1 = not said: nicira's; idle: 1.5's too */
	uint8_t table, reason;
	struct flow_actions actions;
};

struct of_aggregate {
	uint64_t packets, bytes;
	uint32_t flows;
};

struct of_flow_removed {
	struct flow_match match;
	uint64_t cookie, packets, bytes, duration_ns;
	uint16_t priority, idle_s, hard_s;
	uint8_t table;  /* OF_TABLE_ALL = not said: 1.0 */
	uint8_t reason; /* idle, hard, delete, group delete, meter delete, eviction */
};

struct of_port_status {
	uint8_t reason;
	struct of_port port;
};
struct of_port_mod {
	uint32_t port;
	uint8_t mac[6];
	uint32_t config, mask, advertise;
};

/* 1.4's table properties. */
struct of_table_mod {
	uint8_t table;
	uint32_t config, eviction_flags;
	uint8_t vacancy_down, vacancy_up;
	bool has_eviction, has_vacancy;
};
struct of_table_desc {
	uint8_t table;
	uint32_t config, eviction_flags;
	uint8_t vacancy_down, vacancy_up, vacancy;
	bool has_eviction, has_vacancy;
};
struct of_table_stats {
	uint8_t table;
	char name[33];
	uint64_t match_fields, wildcards;
	uint32_t max_entries, active;
	uint64_t lookups, matched;
	/* 1.1 and 1.2 only, as their own wire numbers; match_fields and wildcards too. */
	uint64_t write_setfields, apply_setfields, metadata_match, metadata_write;
	uint32_t write_actions, apply_actions, instructions, config;
};
struct of_table_status {
	uint8_t reason;
	struct of_table_desc desc;
};

enum of_table_command {
	OF_TABLE_REPLACE,
	OF_TABLE_MODIFY,
	OF_TABLE_ENABLE,
	OF_TABLE_DISABLE
};

/* Bit sets by enum flow_field_id and enum flow_action_type. */
struct of_table_features {
	uint8_t table, command; /* 1.5's enum of_table_command */
	char name[33];
	uint64_t metadata_match, metadata_write;
	uint32_t capabilities; /* 1.3's "config" */
	uint32_t max_entries;
	uint32_t features;        /* 1.5 */
	bool has_properties;      /* a request without them changes nothing */
	uint32_t instructions[2]; /* [miss]: bit per wire number */
	uint64_t actions[2][2],
		write_actions[2][2]; /* [miss]: by enum flow_action_type */
	uint8_t next_tables[2][32];
	uint64_t match[3], mask[3], wildcards[3], set[2][3], write_set[2][3];
};
/* The action with a number of the wire, as an enum flow_action_type; OF_ACTION_NONE if
 * the version has none there. */
#define OF_ACTION_NONE 0xffU
unsigned of_action_by_number(enum of_version version, unsigned number);

struct of_port_stats {
	uint32_t port;
	/* UINT64_MAX = not known. */
	uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes, rx_dropped, tx_dropped,
		rx_errors, tx_errors;
	uint64_t rx_frame_errors, rx_over_errors, rx_crc_errors, collisions, duration_ns;
};

struct of_queue_stats {
	uint32_t port, queue;
	uint64_t tx_bytes, tx_packets, tx_errors, duration_ns;
};
/* Rates in 1/10 %; above 1000: off; 0xffff: not said. */
struct of_queue_config {
	uint32_t port, queue;
	uint16_t min_rate, max_rate;
};
struct of_queue_request { /* stats, descriptions; queue configs have the port alone */
	uint32_t port, queue;
};
/* A reply of 1.0 to 1.3 is about one port, even if it has no queue. */
struct of_queue_configs {
	uint32_t port;
	struct of_queue_config *list; /* 'n' of them */
};

enum of_group_type {
	OF_GROUP_TYPE_ALL,
	OF_GROUP_TYPE_SELECT,
	OF_GROUP_TYPE_INDIRECT,
	OF_GROUP_TYPE_FF
};
enum of_group_command {
	OF_GROUP_ADD,
	OF_GROUP_MODIFY,
	OF_GROUP_DELETE,
	OF_GROUP_INSERT_BUCKET,
	OF_GROUP_REMOVE_BUCKET,
	OF_GROUP_ADD_OR_MODIFY
};

struct of_bucket {
	uint32_t id; /* 0xffffffff = none given */
	uint16_t weight;
	uint32_t watch_port, watch_group; /* FLOW_PORT_NONE, OF_GROUP_ANY = none */
	struct flow_actions actions;
	uint64_t packets, bytes; /* in stats */
};

#define OF_BUCKET_MAX   0xffffff00U
#define OF_BUCKET_FIRST 0xfffffffdU
#define OF_BUCKET_LAST  0xfffffffeU
#define OF_BUCKET_ALL   0xffffffffU

/* The lowest number from 'first' on that none of the buckets has. */
uint32_t of_bucket_free_id(const struct of_bucket *buckets, size_t n, uint32_t first);

/* A field that "hash" takes, and which of its bits. */
struct of_hash_field {
	enum flow_field_id field;
	struct flow_value mask;
};

struct of_group_mod {
	enum of_group_command command;
	enum of_group_type type;
	uint32_t group, bucket_id;
	char selection_method[16]; /* "" = the switch's own, "hash", "dp_hash" */
	uint64_t selection_param;
	struct of_hash_field *hash_fields;
	size_t n_hash_fields;
	struct of_bucket *buckets;
	size_t n_buckets;
};

struct of_group_stats {
	uint32_t group, references;
	uint64_t packets, bytes, duration_ns;
	struct of_bucket *buckets;
	size_t n_buckets;
};
struct of_group_features {
	uint32_t types, capabilities, max_groups[4];
	uint64_t actions[4][2]; /* by enum flow_action_type */
};

enum of_meter_command { OF_METER_ADD, OF_METER_MODIFY, OF_METER_DELETE };
#define OF_METER_KBPS  1U
#define OF_METER_PKTPS 2U
#define OF_METER_BURST 4U
#define OF_METER_STATS 8U
struct of_band {
	uint16_t type; /* 1 drop, 2 dscp_remark */
	uint8_t prec_level;
	uint32_t rate, burst;
	uint64_t packets, bytes;
};
struct of_meter_mod {
	enum of_meter_command command;
	uint32_t meter;
	uint16_t flags;
	struct of_band *bands;
	size_t n_bands;
};
struct of_meter_stats {
	uint32_t meter, flows;
	uint64_t packets, bytes, duration_ns;
	struct of_band *bands;
	size_t n_bands;
};
struct of_meter_features {
	uint32_t max_meter, band_types, capabilities;
	uint8_t max_bands, max_color;
	uint32_t features; /* 1.5; 0: left out, as Open vSwitch's tools expect it */
};

enum of_role { OF_ROLE_NOCHANGE, OF_ROLE_EQUAL, OF_ROLE_PRIMARY, OF_ROLE_SECONDARY };
struct of_role_msg {
	enum of_role role;
	uint64_t generation;
	bool has_generation;
	uint8_t reason;    /* of a role status */
	uint16_t short_id; /* 1.5's; 0 = undefined */
};

/* Bits per reason, [0] = secondary, [1] = primary and equal. Reasons are the version's:
 * in 1.0 to 1.3 all of a packet-in's that are not 0 or 2 are 1, "action". */
struct of_async {
	/* 1 << (2 * kind + [index]), kinds in the order below: which ones a message
	 * of 1.4 (or Nicira's second form) has; the others stay as they are. 0 = the
	 * older form, the first three kinds; in 1.4 and later all. */
	uint32_t given;
	uint32_t packet_in[2], port_status[2], flow_removed[2], role_status[2],
		table_status[2], request_forward[2], flow_stats[2], controller_status[2];
};

enum of_bundle_control {
	OF_BUNDLE_OPEN_REQUEST,
	OF_BUNDLE_OPEN_REPLY,
	OF_BUNDLE_CLOSE_REQUEST,
	OF_BUNDLE_CLOSE_REPLY,
	OF_BUNDLE_COMMIT_REQUEST,
	OF_BUNDLE_COMMIT_REPLY,
	OF_BUNDLE_DISCARD_REQUEST,
	OF_BUNDLE_DISCARD_REPLY
};
struct of_bundle {
	uint32_t id;
	uint16_t type, flags;
	const uint8_t *message;
	size_t n; /* of an add: a whole message */
};

enum of_monitor_command { OF_MONITOR_ADD, OF_MONITOR_MODIFY, OF_MONITOR_DELETE };
struct of_monitor {
	uint32_t id;
	uint16_t flags; /* OF_MONITOR_* */
	enum of_monitor_command command;
	struct of_flow_stats_request what;
};
/* 1.4's numbers; Nicira's are translated. */
#define OF_MONITOR_INITIAL      0x01
#define OF_MONITOR_ON_ADD       0x02
#define OF_MONITOR_ON_REMOVED   0x04
#define OF_MONITOR_ON_MODIFY    0x08
#define OF_MONITOR_INSTRUCTIONS 0x10
#define OF_MONITOR_NO_ABBREV    0x20
#define OF_MONITOR_ONLY_OWN     0x40
enum of_monitor_event {
	OF_EVENT_INITIAL, /* Nicira's: an "added" */
	OF_EVENT_ADDED,
	OF_EVENT_REMOVED,
	OF_EVENT_MODIFIED,
	OF_EVENT_ABBREV,
	OF_EVENT_PAUSED,
	OF_EVENT_RESUMED
};
struct of_monitor_update {
	uint16_t event; /* enum of_monitor_event */
	uint32_t xid;   /* of an abbreviated one */
	struct of_flow_stats flow;
};

/* 1.5 */
struct of_controller_status {
	uint16_t short_id;
	enum of_role role;
	uint8_t reason;         /* enum of_controller_reason */
	uint8_t channel_status; /* 0 = up, 1 = down */
	const char *uri;        /* "tcp:10.0.0.1:6653"; NULL = not said */
};
enum of_controller_reason {
	OF_CONTROLLER_REQUEST,
	OF_CONTROLLER_CHANNEL_STATUS,
	OF_CONTROLLER_ROLE,
	OF_CONTROLLER_ADDED,
	OF_CONTROLLER_REMOVED,
	OF_CONTROLLER_SHORT_ID,
	OF_CONTROLLER_EXPERIMENTER
};

struct of_desc {
	char manufacturer[257], hardware[257], software[257], serial[33], datapath[257];
};
struct of_tlv_map {
	uint16_t class_, index;
	uint8_t type, length;
};
struct of_tlv_table {
	uint16_t command;
	uint32_t max_space;
	uint16_t max_fields;
	struct of_tlv_map *maps;
	size_t n_maps;
};

struct of_msg {
	enum of_version version;
	enum of_kind kind;
	uint32_t xid;
	bool is_nicira; /* it came in, or is to be sent in, Nicira's form of 1.0 to 1.3 */
	bool more;      /* multipart: another part follows */
	size_t n;       /* how many of an array below (lists: stats, descs) */
	union {
		struct of_hello hello;
		struct of_error_msg error;
		struct of_bytes echo;
		struct of_experimenter experimenter;
		struct of_features features;
		struct of_config config;
		struct of_packet_in packet_in;
		struct of_packet_out packet_out;
		struct of_flow_mod flow_mod;
		struct of_flow_removed flow_removed;
		struct of_port_status port_status;
		struct of_port_mod port_mod;
		struct of_table_mod table_mod;
		struct of_table_status table_status;
		struct of_group_mod group_mod;
		struct of_meter_mod meter_mod;
		struct of_role_msg role;
		struct of_async async;
		struct of_bundle bundle;
		struct of_tlv_table tlv_table;
		struct of_bytes request_forward; /* the message */
		/* Formats, ids, zones, bundle capabilities; which port (PORT_STATS,
		 * PORT_DESC, QUEUE_CONFIG requests; FLOW_PORT_NONE = all), group or meter
		 * is asked for. */
		uint32_t number;
		struct of_controller_status controller_status;
		struct of_desc desc;
		struct of_flow_stats_request flow_request;
		struct of_flow_stats *flows; /* 'n' of them; so below */
		struct of_aggregate aggregate;
		struct of_table_stats *tables;
		struct of_port *ports;
		struct of_port_stats *port_stats;
		struct of_queue_request queue_request;
		struct of_queue_stats *queue_stats;
		struct of_queue_configs queues;
		struct of_group_stats *group_stats;
		struct of_group_mod *groups; /* group descriptions */
		struct of_group_features group_features;
		struct of_meter_stats *meter_stats;
		struct of_meter_mod *meters;
		struct of_meter_features meter_features;
		struct of_table_features *table_features;
		struct of_table_desc *table_descs;
		struct of_controller_status *controllers;
		struct of_monitor *monitors;
		struct of_monitor_update *monitor_updates;
	};
	struct of_arena *arena; /* memory of the variable parts; NULL = none */
};

/* Reads one whole message ('n' is its length field). 0, or -EPROTO with the error to send
 * back. 'msg' is to be destroyed in either case. Unknown kinds are errors. */
int of_msg_decode(const uint8_t *data, size_t n, struct of_msg *msg,
                  struct of_error *error);
void of_msg_destroy(struct of_msg *msg);

/* Lists of actions in a decoded message are the message's: read them, or copy them with
 * flow_actions_append(), but neither append to them nor destroy them. In a message that
 * is built, they are the builder's, and so is all that did not come from of_msg_alloc().
 *
 * Zeroed memory that of_msg_destroy() releases; for those who build messages. */
void *of_msg_alloc(struct of_msg *msg, size_t bytes);
void of_msg_init(struct of_msg *msg, enum of_version version, enum of_kind kind,
                 uint32_t xid);

/* Appends the message in wire form. Multipart replies that do not fit 64 KB become
 * several messages, the last of which has MORE as 'msg->more' says; of their items, those
 * that no message has room for are left out. A kind that the version does not have is
 * -ENOTSUP, what does not fit a message -EMSGSIZE; nothing is appended then. */
int of_msg_encode(const struct of_msg *msg, struct str *out);

/* "OFPT_FLOW_MOD (OF1.3)"-like names are text's; this is the bare one, for logs. */
const char *of_kind_name(enum of_kind kind);
