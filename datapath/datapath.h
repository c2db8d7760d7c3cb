/* datapath.h - the control side of the datapath: all that code outside datapath/ may use.
 *
 * Main thread only, unless a comment says otherwise. Plain structs in, 0 or -errno out,
 * with a reason a person can read in 'err'. Strings passed in are copied. Nothing here
 * blocks for more than a few milliseconds, except dp_start(). */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "net/flow_action.h"

#define DP_NAME_MAX_BYTES 64  /* names of bridges and ports, with the NUL */
#define DP_PATH_MAX_BYTES 108 /* a unix socket's path, with the NUL */
#define DP_CPUS_MAX       1024
#define DP_QUEUES_MAX     16 /* queue pairs of a port */
#define DP_PORTS_MAX      4096
#define DP_WORKERS_MAX    64
#define DP_VLAN_NONE      (-1)
#define DP_ID_NONE        UINT32_MAX

/* ---- start and stop ---- */

struct dp_config {
	const char *eal_extra;  /* further EAL arguments, split at blanks; may be NULL */
	const char *socket_mem; /* "1024" or "1024,0": MB of hugepages per NUMA node; NULL
	                           = default */
	const char
		*instance; /* makes shared names unique on this machine, e.g. the pid */
	uint8_t pmd_cpu_mask[DP_CPUS_MAX /
	                     8]; /* bit i of byte i/8; all zero = one per NUMA node */
	uint32_t max_sleep_us;   /* of an idle worker; 0 = never sleep */
};

/* Starts EAL and the workers, once in the life of the process. Falls back to ordinary
 * memory with a warning in the log where hugepages are missing. */
int dp_start(const struct dp_config *config, struct error *err);
bool dp_is_running(void);
const char *dp_dpdk_version(void);

/* Deletes all ports and bridges and joins all workers. */
void dp_stop(void);

/* Replaces the set of workers while traffic goes on. A mask without any usable core is
 * refused and changes nothing. Only pmd_cpu_mask and max_sleep_us are read. */
int dp_set_workers(const struct dp_config *config, struct error *err);

/* Checks a mask without applying it. */
int dp_check_cpu_mask(const uint8_t mask[DP_CPUS_MAX / 8], struct error *err);

/* Readable when dp_run() has something to do (link changes, MAC addresses learned). */
int dp_event_fd(void);
void dp_run(void);

/* Counts up whenever some port's status (link, device, queues) changed. */
uint64_t dp_status_generation(void);

/* ---- bridges ---- */

struct dp_bridge_config {
	char name[DP_NAME_MAX_BYTES];
	uint32_t mac_table_size; /* 0 = 8192 */
	uint32_t mac_aging_s;    /* 0 = 300 */
	uint64_t ingress_bps; /* what the bridge's gated ports may send together; 0 = no
	                         limit, and then no floors for them */
};

int dp_bridge_add(const struct dp_bridge_config *config, uint32_t *bridge_id,
                  struct error *err);
int dp_bridge_set(uint32_t bridge_id, const struct dp_bridge_config *config,
                  struct error *err);
void dp_bridge_del(uint32_t bridge_id); /* its ports first */

struct dp_fdb_entry {
	uint8_t mac[6];
	uint16_t vlan;
	uint32_t port_id;
	uint32_t age_s;
};

/* Calls 'cb' for every learned address. */
void dp_fdb_dump(uint32_t bridge_id, void (*cb)(const struct dp_fdb_entry *, void *aux),
                 void *aux);
void dp_fdb_flush(uint32_t bridge_id);

/* ---- rules, groups and meters ---- */

/* What follows changes a bridge's next version: dp_publish() makes it the one that
 * packets see, all of it at once. Actions and matches are records of net/flow_action.h
 * and net/flow_key.h, and are copied. A number that an action names (port, group, meter,
 * queue) need not exist: the packet is then not sent there. */

#define DP_TABLES_MAX 255

/* A new bridge has one rule, NORMAL with priority 0 in table 0; this removes it as well
 * as whatever was added, and publishes that. Handles of rules are gone. */
void dp_bridge_clear_rules(uint32_t bridge_id);

struct dp_rule; /* the datapath's; valid until dp_rule_del() */

struct dp_rule_config {
	uint8_t table;
	uint16_t priority; /* of two rules that match, the higher; equal: either */
	struct flow_match match;
	const void *actions; /* with instructions, in the order of execution */
	size_t actions_bytes;
	uint64_t cookie; /* told with packets for controllers */
	uint64_t id;     /* told with DP_PUNT_FIN */
	bool counts_packets, counts_bytes;
};

int dp_rule_add(uint32_t bridge_id, const struct dp_rule_config *config,
                struct dp_rule **rule, struct error *err);
/* The same match with other actions and cookie; 'rule' stays the handle, its counters
 * too. -errno: nothing changed. */
int dp_rule_set(struct dp_rule *rule, const void *actions, size_t actions_bytes,
                uint64_t cookie, struct error *err);
void dp_rule_del(struct dp_rule *rule);

/* Packets that were sent by it; 'used_ns' on the clock of dp_time_ns(), 0 = never. */
void dp_rule_get_stats(const struct dp_rule *rule, uint64_t *packets, uint64_t *bytes,
                       uint64_t *used_ns);

enum dp_miss { DP_MISS_DROP, DP_MISS_CONTROLLER, DP_MISS_CONTINUE };
void dp_table_set_miss(uint32_t bridge_id, uint8_t table, enum dp_miss miss);

/* What leaves by a port goes through the tables from 'table' on first; 0 = it does not.
 * In the next version, as what a miss does. */
void dp_bridge_set_egress_table(uint32_t bridge_id, uint8_t table);

/* Of learn actions that write whether there is room: as many rules of 'table' as 'limit'
 * (not 0) says have the cookie, or more. */
struct dp_learn_limit {
	uint64_t cookie;
	uint32_t limit;
	uint8_t table;
};
/* In the next version, with its rules: what a packet would learn anew is not learned, and
 * the result is 0. Not reached is what it is until it is said. */
void dp_learn_limit_set(uint32_t bridge_id, const struct dp_learn_limit *limit,
                        bool is_reached);

struct dp_table_stats {
	uint64_t lookups, matched;
};
void dp_table_get_stats(uint32_t bridge_id, uint8_t table, struct dp_table_stats *stats);

enum dp_group_type {
	DP_GROUP_ALL,
	DP_GROUP_SELECT,
	DP_GROUP_INDIRECT,
	DP_GROUP_FAILOVER
};

struct dp_bucket {
	uint16_t weight;
	uint32_t watch_port, watch_group; /* FLOW_PORT_NONE = none */
	const void *actions;
	size_t actions_bytes;
};

struct dp_group_config {
	uint32_t number;
	enum dp_group_type type;
	/* Select: the fields that are hashed, 'param' mixed in; all zero = addresses and
	 * ports, whatever the packet has. */
	struct flow_key hash_fields;
	uint64_t hash_param;
	const struct dp_bucket *buckets;
	size_t n_buckets;
};

/* Adds or replaces; counters of a bucket stay where its place stays. */
int dp_group_set(uint32_t bridge_id, const struct dp_group_config *config,
                 struct error *err);
void dp_group_del(uint32_t bridge_id, uint32_t number);

struct dp_counts {
	uint64_t packets, bytes;
};
/* 'buckets' has room for 'n'. -ENOENT. */
int dp_group_get_stats(uint32_t bridge_id, uint32_t number, struct dp_counts *total,
                       struct dp_counts *buckets, size_t n);

#define DP_METER_BANDS_MAX 8
/* This one is for all packets to controllers that are told no other. */
#define DP_METER_CONTROLLER 0xfffffffeU
struct dp_meter_config {
	uint32_t number;
	bool is_pps; /* else kbit/s */
	size_t n_bands;
	struct dp_band {
		uint64_t rate, burst; /* kbit/s and kbit, or packets */
		bool remarks_dscp;    /* else drops */
		uint8_t prec_level;
	} bands[DP_METER_BANDS_MAX];
};

int dp_meter_set(uint32_t bridge_id, const struct dp_meter_config *config,
                 struct error *err);
void dp_meter_del(uint32_t bridge_id, uint32_t number);
int dp_meter_get_stats(uint32_t bridge_id, uint32_t number, struct dp_counts *total,
                       struct dp_counts bands[DP_METER_BANDS_MAX]);

void dp_publish(uint32_t bridge_id);
/* Returns when no packet is on its way any more under what was published before: for
 * barriers. Some 100 us at most, unless a worker's core is taken from it. */
void dp_synchronize(void);

/* ---- packets to and from controllers ---- */

enum dp_punt_reason {
	DP_PUNT_NO_MATCH, /* a table without a rule for it, or a rule for all the rest */
	DP_PUNT_ACTION,
	DP_PUNT_INVALID_TTL,
	DP_PUNT_ACTION_SET,
	DP_PUNT_GROUP,
	DP_PUNT_PACKET_OUT,
	DP_PUNT_LEARN, /* 'actions' is one flow_learn, to be carried out with 'key' */
	DP_PUNT_FIN, /* a TCP connection ends: the rule 'fin_rule' is to time out soon */
};

struct dp_punt {
	uint32_t bridge_id;
	enum dp_punt_reason reason;
	uint8_t table;
	uint64_t cookie; /* of the rule; UINT64_MAX = no rule matched */
	uint16_t controller_id;
	struct flow_key key; /* as it was then, state of tables included */
	const uint8_t *data;
	size_t length; /* of the packet, 'captured' of it at 'data' */
	size_t captured;
	const uint8_t *userdata;
	size_t n_userdata;
	uint32_t meter;
	const void *actions; /* DP_PUNT_LEARN */
	size_t actions_bytes;
	uint64_t fin_rule;               /* DP_PUNT_FIN: its id */
	uint16_t fin_idle_s, fin_hard_s; /* 0 = stays */
	/* The packet waits for a controller to resume it, by dp_resume() with these
	 * bytes, which mean something to nobody else, nor to another process. NULL = it
	 * does not. */
	const void *continuation;
	size_t n_continuation;
};

/* What controllers have turned off at a port; the bits are OpenFlow's. */
#define DP_PORT_DOWN         0x01U
#define DP_PORT_NO_RECV      0x04U
#define DP_PORT_NO_FLOOD     0x10U /* FLOOD does not go there */
#define DP_PORT_NO_FWD       0x20U
#define DP_PORT_NO_PACKET_IN 0x40U
void dp_port_set_off(uint32_t port_id, uint32_t bits);

/* Whether fragments of IP packets are dropped; they are matched as what they are else. */
void dp_bridge_set_fragments(uint32_t bridge_id, bool are_dropped);

/* A packet that is to wait goes to a controller and comes back in one message: it, its
 * userdata and its continuation have this many bytes at most, or it is dropped
 * (rx_punt_too_long). */
#define DP_PAUSED_BYTES_MAX (63U << 10)

/* Called from dp_run() for every packet for a controller; workers bound their number per
 * port (tokens) and in all, and count what is lost. */
void dp_set_punt_handler(void (*punt)(const struct dp_punt *, void *aux), void *aux);

/* How many packets per second, and at once, each port may send to controllers; 0 =
 * default: of packets at once, those of half a second. */
#define DP_PUNT_DEFAULT_PPS 1000
void dp_bridge_set_punt_rate(uint32_t bridge_id, uint32_t pps, uint32_t burst);

/* Sends a packet as if 'key' (in_port, state) had brought it, through 'actions' alone
 * (FLOW_PORT_TABLE: through the tables). Copied; a bounded number may be on the way:
 * -ENOBUFS. */
int dp_packet_out(uint32_t bridge_id, const struct flow_key *key, const void *actions,
                  size_t actions_bytes, const uint8_t *data, size_t length,
                  struct error *err);

/* Sends a packet on from where it paused, with in_port and state of 'key'. What
 * 'continuation' says is checked (-EINVAL), but could have been said in no other way than
 * by a rule: who lets others have it makes sure that it comes back as it was. Copied;
 * -ENOBUFS as above. */
int dp_resume(uint32_t bridge_id, const struct flow_key *key, const void *continuation,
              size_t n_continuation, const uint8_t *data, size_t length,
              struct error *err);

/* ---- knowing why ---- */

/* A step of a packet's way, told in the order in which they happen. */
enum dp_trace_kind {
	DP_TRACE_BEGIN,      /* headers were read: 'key'; it goes on in 'table' */
	DP_TRACE_TABLE,      /* a look-up; 'match' of the rule, NULL = there is none */
	DP_TRACE_ACTION,     /* 'action' is next */
	DP_TRACE_BUCKET,     /* 'number' of a group: its actions are next */
	DP_TRACE_ACTION_SET, /* its actions are next */
	DP_TRACE_REMARK,     /* 'text' on the action before */
	DP_TRACE_WARNING,    /* the same: of what is not done */
	DP_TRACE_END, /* no rule is left: 'key' as they leave it; 'match': what the flow
	                 cache would know the packet by, NULL = it would not know it;
	                 'text': datapath actions */
};

struct dp_trace_step {
	enum dp_trace_kind kind;
	unsigned depth; /* of tables and lists in each other */
	uint8_t table;
	uint16_t priority;
	uint64_t cookie;
	uint32_t number;
	bool drops; /* DP_TRACE_TABLE: nothing is done there */
	const struct flow_key *key;
	const struct flow_match *match;
	const struct flow_action *action;
	const char *text;
};

/* What becomes of the packet, or of a copy. */
struct dp_trace_fate {
	uint32_t port_id;      /* that it leaves by, or would; DP_ID_NONE = none */
	uint32_t class_number; /* of that port's QoS; DP_CLASS_NONE = it has none */
	const char *reason;    /* it is dropped: as port/counters names it; or NULL */
	bool is_punted;        /* it goes to controllers */
	uint16_t controller_id;
	bool has_dscp; /* it leaves with the DSCP of its class */
	uint8_t dscp;
};

/* All pointers are valid during a call only. */
struct dp_trace {
	struct flow_key key;  /* in_port, what tables may know, and the headers */
	const uint8_t *frame; /* with these headers */
	size_t length;
	bool is_packet_out; /* 'actions' instead of the tables */
	const void *actions;
	size_t actions_bytes;
	bool has_effects; /* addresses are learned, and 'learn' is called */
	bool shows_names; /* of ports in datapath actions, instead of their ids */
	void (*step)(const struct dp_trace_step *step, void *aux);
	void (*fate)(const struct dp_trace_fate *fate, void *aux);
	void (*learn)(const struct flow_learn *learn, const struct flow_key *key,
	              void *aux);
	void *aux;
};

/* Takes a packet that nobody sent through the tables as a worker would, and what comes of
 * it to the ports, where it ends. Counts nothing, and takes no tokens. */
int dp_trace(uint32_t bridge_id, const struct dp_trace *trace, struct error *err);

struct dp_cache_entry {
	struct flow_match match; /* what packets it is for */
	uint64_t packets, bytes, used_ns;
	const char *flow, *actions; /* as Open vSwitch writes datapath flows */
	const char *drop;           /* why, if there are no actions; or NULL */
};
/* How many entries the caches of all workers have that are still good. */
size_t dp_cache_count(void);
/* Of one worker; main reads while it writes: an entry may be newer than the one before.
 * 'names': of ports, instead of their ids. */
void dp_cache_dump(uint32_t bridge_id, unsigned worker, bool names,
                   void (*cb)(const struct dp_cache_entry *, void *aux), void *aux);

/* ---- ports ---- */

enum dp_port_type {
	DP_PORT_VHOST_CLIENT, /* dpdkvhostuserclient: weir dials */
	DP_PORT_VHOST_SERVER, /* dpdkvhostuser: weir listens */
	DP_PORT_INTERNAL, /* a tap named like the port, the host's own place on the bridge
	                   */
	DP_PORT_TAP,      /* a tap made for the port */
	DP_PORT_SYSTEM,   /* an existing kernel interface */
	DP_PORT_DPDK,     /* an ethdev */
	DP_PORT_PATCH,    /* one end of a cable to another bridge's port */
	DP_PORT_DUMMY, /* loops nothing, for tests: frames come and go by dp_dummy_*() */
	DP_PORT_N_TYPES,
};

/* The names that Interface.type uses for them ("" and "system" are both DP_PORT_SYSTEM).
 */
const char *dp_port_type_name(enum dp_port_type type);
bool dp_port_type_from_name(const char *name, enum dp_port_type *type);

enum dp_vlan_mode {
	DP_VLAN_TRUNK,
	DP_VLAN_ACCESS,
	DP_VLAN_NATIVE_TAGGED,
	DP_VLAN_NATIVE_UNTAGGED
};

/* What becomes of packets from a port above its rates. */
enum dp_on_excess {
	DP_EXCESS_POLICE, /* dropped */
	DP_EXCESS_GATE,   /* left in the guest's ring */
	DP_EXCESS_MARK,   /* marked if they may be (ECN); dropped if not, or further above
	                   */
};

/* What may change while the port lives. */
struct dp_port_settings {
	enum dp_vlan_mode vlan_mode;
	int vlan_tag;             /* access or native VLAN; DP_VLAN_NONE */
	uint8_t trunks[4096 / 8]; /* VLANs carried; all zero = all */
	int egress_class; /* queue number that this port's packets take anywhere; -1 =
	                     none */
	uint64_t policing_bps; /* 0 = off */
	uint64_t policing_burst_bits;
	uint64_t policing_pps; /* 0 = off */
	uint64_t policing_burst_packets;
	/* How the rates of 'policing_*' hold, and what else holds with DP_EXCESS_GATE. */
	enum dp_on_excess on_excess;
	uint64_t ingress_floor_bps; /* gate: of the bridge's ingress_bps */
	uint64_t ingress_peak_bps;  /* gate: above policing_bps while its burst lasts */
	uint32_t egress_default_class; /* queue number of packets that leave by this port
	                                  and name none */
	uint32_t mtu;                  /* 0 = the type's default */
	bool admin_down;
	bool no_receive;   /* what comes in is dropped */
	bool no_forward;   /* what is to leave by it is dropped */
	bool no_flood;     /* floods leave it out, those of NORMAL too */
	bool no_packet_in; /* controllers are not told of packets that no rule matches */
	uint8_t mac[6];    /* internal and tap: the host's address; all zero = any */
	char peer[DP_NAME_MAX_BYTES]; /* patch: the port at the other end, which must name
	                                 this one; it may come later */
};

struct dp_port_config {
	char name[DP_NAME_MAX_BYTES];
	enum dp_port_type type;
	uint32_t bridge_id;
	uint16_t ofport; /* number the users see, 1..65279; 65534 = LOCAL */
	char socket_path[DP_PATH_MAX_BYTES]; /* vhost */
	char devargs[256];                   /* dpdk */
	uint16_t n_rxq;                      /* dpdk; 0 = 1 */
	struct dp_port_settings settings;
};

int dp_port_add(const struct dp_port_config *config, uint32_t *port_id,
                struct error *err);
int dp_port_set(uint32_t port_id, const struct dp_port_settings *settings,
                struct error *err);
void dp_port_del(uint32_t port_id);

struct dp_port_stats {
	uint64_t rx_packets, rx_bytes, rx_dropped, rx_errors;
	uint64_t tx_packets, tx_bytes, tx_dropped, tx_errors;
};

struct dp_port_status {
	bool link_up;
	uint8_t mac[6];
	uint32_t mtu;
	int ifindex;       /* of the kernel's interface; 0 = none */
	uint64_t link_bps; /* 0 = unknown */
	uint32_t link_resets;
	/* vhost */
	bool is_connected;
	int numa_node; /* -1 = unknown */
	uint64_t features;
	uint32_t n_queue_pairs; /* that the guest has set up */
	uint16_t vring_size[2 * DP_QUEUES_MAX];
	bool vring_enabled[2 * DP_QUEUES_MAX];
};

int dp_port_get_stats(uint32_t port_id, struct dp_port_stats *stats);
int dp_port_get_status(uint32_t port_id, struct dp_port_status *status);

/* Every counter of the port with its name: drop reasons, per queue, per worker.
 * A name is like "drop_queue_full" or "rxq1_packets". */
void dp_port_counters(uint32_t port_id,
                      void (*cb)(const char *name, uint64_t value, void *aux), void *aux);

/* ---- QoS of a port's egress ---- */

enum dp_qos_kind {
	DP_QOS_NONE,
	DP_QOS_TREE,    /* floors and ceilings: linux-htb, linux-hfsc */
	DP_QOS_POLICER, /* egress-policer: drop what exceeds cir/cbs */
	DP_QOS_TRTCM,   /* trtcm-policer: the same by class and by port, two rates each */
};

#define DP_CLASS_ROOT       UINT32_MAX
#define DP_CLASS_NUMBER_MAX 61439 /* as OVS: queue numbers stay below 61440 */

/* One class of the tree; 'number' is the key in QoS.queues. */
struct dp_class_config {
	uint32_t number;
	uint32_t parent; /* number of another class of the tree, or DP_CLASS_ROOT */
	uint64_t floor_bps;
	uint64_t ceil_bps;        /* 0 = none of its own */
	uint64_t burst_bits;      /* 0 = default */
	uint8_t priority;         /* 0 = first */
	uint16_t weight;          /* 0 = from the floor */
	uint32_t limit_bytes;     /* 0 = default */
	uint32_t limit_packets;   /* 0 = default */
	uint32_t limit_us;        /* of a packet's stay in the queue; 0 = none */
	uint64_t peak_bps;        /* second ceiling; 0 = none */
	uint64_t peak_burst_bits; /* 0 = default */
	uint32_t floor_pps;       /* 0 = none */
	uint32_t ceil_pps;        /* 0 = none */
	uint32_t burst_packets;   /* of ceil_pps; 0 = default */
	uint32_t codel_target_us; /* 0 = default */
	uint32_t codel_interval_us;
	bool codel, ecn, fair;
	/* Packets that chose the class, or were sent to it by a list, get this DSCP; not
	 * those that take it because they name none. */
	bool has_dscp;
	uint8_t dscp;
	/* DP_QOS_TRTCM only: floor_bps and burst_bits are cir and cbs, these eir and ebs.
	 */
	uint64_t excess_bps, excess_burst_bits;
};

/* A destination address whose packets take a class. */
struct dp_class_mac {
	uint8_t mac[6];
	uint32_t number;
};
#define DP_CLASS_NONE (UINT32_MAX - 1)

struct dp_qos_config {
	enum dp_qos_kind kind;
	uint64_t rate_bps;   /* the link's rate: ceiling of the root; cir of a policer */
	uint64_t burst_bits; /* of the root; cbs of a policer */
	uint64_t excess_bps, excess_burst_bits; /* DP_QOS_TRTCM: eir, ebs */
	uint64_t peak_bps, peak_burst_bits;     /* of the root; 0 = none */
	uint32_t max_pps;                       /* of the root; 0 = no limit */
	uint32_t burst_packets;                 /* of max_pps; 0 = default */
	int32_t overhead_bytes; /* charged per frame on the wire on top of its length */
	uint32_t mpu_bytes;     /* the least that a frame on the wire is charged */
	/* Ports whose 'domain' is equal share one tree; NULL = the port's own. */
	const char *domain;
	/* Classes of packets that name none; all DP_CLASS_NONE = not used. */
	uint32_t dscp_class[64]; /* by DSCP of IPv4 and IPv6 */
	uint32_t pcp_class[8];   /* by priority of the outer VLAN tag */
	bool has_dscp_classes, has_pcp_classes;
	const struct dp_class_mac *macs;
	size_t n_macs;
	const struct dp_class_config
		*classes; /* parents anywhere; class 0 is added if missing */
	size_t n_classes;
};

/* Says whether 'config' is possible: existing parents, no cycle, depth, floors that fit.
 * No side effect; the reason names the class. */
int dp_qos_check(const struct dp_qos_config *config, struct error *err);

/* Replaces the port's QoS. Classes whose number stays keep their queued packets and
 * counters. Packets of deleted classes go to class 0. */
int dp_port_set_qos(uint32_t port_id, const struct dp_qos_config *config,
                    struct error *err);

struct dp_class_stats {
	uint32_t number;
	uint32_t parent;
	uint64_t floor_bps, ceil_bps;
	uint64_t offered_packets, offered_bytes;
	uint64_t sent_packets, sent_bytes;
	uint64_t dropped_packets, dropped_bytes; /* all that follow */
	uint64_t full_packets, aged_packets, codel_packets;
	uint64_t marked_packets;
	uint64_t borrowed_bytes;
	uint32_t queued_packets, queued_bytes;
	uint64_t created_ns; /* since when it exists */
};

/* Kind DP_QOS_NONE if the port has none. Classes in ascending order of number; the root
 * comes first, as DP_CLASS_ROOT. 'time_ns' is the moment of reading. */
enum dp_qos_kind dp_port_qos_stats(uint32_t port_id,
                                   void (*cb)(const struct dp_class_stats *, void *aux),
                                   void *aux, uint64_t *time_ns);

/* ---- what classes do, and why ---- */

enum dp_class_state {
	DP_STATE_IDLE,      /* no packets */
	DP_STATE_OWN_FLOOR, /* sends on its own floor */
	DP_STATE_BORROWING, /* sends, in its turn, what 'who' lends */
	DP_STATE_OWN_CEIL,  /* waits for its own ceiling; the root: sends at its rate */
	DP_STATE_ANCESTOR_CEIL, /* waits for the ceiling of 'who' */
	DP_STATE_RING_FULL,     /* the port takes no packet */
	DP_STATE_BELOW,         /* the classes below send or wait on their own account */
	DP_STATE_N,
};

enum dp_delay_part {
	DP_DELAY_QUEUE, /* from arrival until the scheduler sends */
	DP_DELAY_RING,  /* from there until the port takes it */
	DP_DELAY_N,
};

/* Each '_n' below: how many of the array hold something. */
#define DP_WHY_SHARES_MAX 12

/* What part of the last 10 s a class was in a state. */
struct dp_class_share {
	enum dp_class_state state;
	uint32_t who; /* number, DP_CLASS_ROOT or DP_CLASS_NONE */
	uint32_t per_mille;
};

/* Over the last second or a little more; span_ns 0 = not known yet. */
struct dp_class_rates {
	uint64_t span_ns;
	uint64_t offered_bps, offered_pps, sent_bps, sent_pps, dropped_bps, dropped_pps;
	uint64_t borrowed_bps;
};

/* Of the last 5 to 10 s, from one packet in 64. */
struct dp_class_delay {
	uint64_t samples;
	uint64_t p50_ns, p99_ns, p999_ns, max_ns;
};

/* When packets were last dropped for a reason, to a tenth of a second. */
struct dp_class_drop {
	const char *reason;
	uint64_t ago_ns;
	uint64_t packets; /* within that tenth of a second */
};
#define DP_WHY_DROPS_MAX 3

struct dp_class_why {
	struct dp_class_stats stats;
	bool is_inner;
	enum dp_class_state state; /* now */
	uint32_t who;
	uint64_t wait_ns; /* until that ceiling ends; 0 = not known */
	bool link_is_full;
	uint32_t shares_n; /* largest first; 0 = not known yet */
	struct dp_class_share shares[DP_WHY_SHARES_MAX];
	struct dp_class_rates rates;
	struct dp_class_delay delay[DP_DELAY_N];
	uint32_t drops_n; /* latest first */
	struct dp_class_drop drops[DP_WHY_DROPS_MAX];
};

/* What a gated port sends, before it enters the switch. */
struct dp_ingress {
	uint64_t waiting_packets;    /* in the sender's ring, now; 0 = not known */
	uint32_t held_packets;       /* taken from it, behind the gate */
	uint64_t passed_packets;     /* so far */
	uint64_t gated_ns;           /* for how long so far the ring was not polled */
	struct dp_class_delay delay; /* behind the gate */
};

/* False if the port is not gated. */
bool dp_port_ingress(uint32_t port_id, struct dp_ingress *ingress);

/* The clock of all moments here; 0 before the start. */
uint64_t dp_time_ns(void);

/* Of a port's tree as a whole; all 0 if it has none. */
struct dp_tree_status {
	uint64_t
		overload_ns;    /* how long so far floors were held back because its
	                           worker, or what takes its packets, could not carry them */
	uint64_t catch_up_ns;   /* default burst of ceilings */
	uint32_t quantum_bytes; /* of a visit to a class */
	uint32_t pool_packets;  /* that may be queued in it */
};

void dp_port_tree_status(uint32_t port_id, struct dp_tree_status *status);

/* Tells of class 'number', or, with DP_CLASS_NONE, of all in the order of
 * dp_port_qos_stats(). Asks the owner of the tree: less than a millisecond per thousand
 * classes that have packets. */
enum dp_qos_kind dp_port_qos_why(uint32_t port_id, uint32_t number,
                                 void (*cb)(const struct dp_class_why *, void *aux),
                                 void *aux);

/* How many packets that were looked at, of all since the class exists, took less than
 * each of 'n' bounds, which are rounded down to a quarter of an octave; 'total' is all of
 * them, 'sum_ns' what they took together. False if nothing is known of the class. */
bool dp_class_delay_counts(uint32_t port_id, uint32_t number, enum dp_delay_part part,
                           const uint64_t *bounds_ns, size_t n, uint64_t *counts,
                           uint64_t *total, uint64_t *sum_ns);

/* ---- workers ---- */

struct dp_rxq_status {
	char port_name[DP_NAME_MAX_BYTES];
	uint16_t queue;
	bool enabled;
	uint8_t usage_percent; /* share of the worker's time over the last minute */
	bool usage_known;
};

struct dp_worker_stats {
	int numa_node;
	int core; /* -1: the worker that serves the kernel's interfaces */
	uint64_t packets, cache_hits, pipeline_walks, drops;
	uint64_t tx_packets, tx_batches;
	uint64_t idle_cycles, busy_cycles, sleep_cycles;
	uint64_t iterations;
	size_t n_rxqs;
	uint8_t overhead_percent;
};

/* Calls 'cb' once per worker with its statistics and the queues it serves. */
void dp_workers_dump(void (*cb)(const struct dp_worker_stats *,
                                const struct dp_rxq_status *, void *aux),
                     void *aux);
void dp_workers_clear_stats(void);

/* Memory in use, as "key:value" words separated by blanks (memory/show). */
void dp_memory_report(struct str *out);

/* ---- dummy ports, for tests ---- */

/* Offers a frame as if it had arrived; -ENOBUFS if the port's ring is full. */
int dp_dummy_inject(uint32_t port_id, const void *frame, size_t length);

/* Takes the oldest frame sent to the port; 0 if there is none. */
size_t dp_dummy_take(uint32_t port_id, void *frame, size_t size);
