/* ofproto.h - the OpenFlow switch of one bridge, as the rest of the daemon sees it: made
 * with the bridge, told of its ports and controllers. Owns tables, groups, meters and
 * sessions; speaks to the datapath through datapath.h alone. Main thread. */
#pragma once

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "datapath/datapath.h"

struct ofproto;

/* A port as controllers see it; what else they ask comes from dp_port_get_*(). */
struct ofproto_port {
	uint32_t number; /* 1..65279, or FLOW_PORT_LOCAL */
	uint32_t dp_port_id;
	char name[DP_NAME_MAX_BYTES];
};

enum ofproto_fail_mode { OFPROTO_STANDALONE, OFPROTO_SECURE };

struct ofproto_controller {
	const char *target;           /* tcp: ssl: unix: ptcp: pssl: punix: */
	bool is_service;              /* Controller.type = service, and passive ones */
	bool is_in_band;              /* connection_mode: accepted, no effect */
	uint32_t max_backoff_ms;      /* 0 = 8000 */
	uint32_t inactivity_probe_ms; /* 0 = never; default 5000 */
	uint32_t rate_limit, burst_limit; /* packet-ins per second; 0 = none */
	uint32_t queue_size; /* packet-ins that it has not read; 0 = some megabytes */
	uint8_t dscp;
};

/* What the configuration says of a table. */
struct ofproto_table {
	uint8_t table;
	const char *name;    /* NULL = none */
	uint32_t flow_limit; /* rules; UINT32_MAX = as many as it can have */
	/* A full table gives up rules that time out, of the largest group of those with
	 * equal bits in 'evict_by'; else it refuses others. */
	bool evicts;
	struct flow_key evict_by;
};

struct ofproto_config {
	const char *bridge_name;
	uint64_t datapath_id;
	uint32_t versions; /* bit per OpenFlow version; 0 = all */
	enum ofproto_fail_mode fail_mode;
	const char
		*dp_description; /* other_config:dp-desc and the like; NULL = default */
	const char *serial;
	const struct ofproto_controller *controllers;
	size_t n_controllers;
	const struct ofproto_table *tables; /* by number */
	size_t n_tables;
};

/* TLS material of the whole daemon (table SSL); NULLs = none. */
struct ofproto_tls {
	const char *private_key, *certificate, *ca_cert;
	bool bootstrap_ca;
};
void ofproto_set_tls(struct event_base *loop, const struct ofproto_tls *tls);

struct ofproto *ofproto_create(struct event_base *loop, uint32_t dp_bridge_id,
                               const char *bridge_name);
void ofproto_destroy(struct ofproto *ofproto);

/* Copied. Sessions whose controllers stay are kept. */
void ofproto_configure(struct ofproto *ofproto, const struct ofproto_config *config);

void ofproto_port_add(struct ofproto *ofproto, const struct ofproto_port *port);
void ofproto_port_del(struct ofproto *ofproto, uint32_t number);
/* Link, speed or configuration may have changed. */
void ofproto_port_changed(struct ofproto *ofproto, uint32_t number);

/* Packet-ins of a controller, those that no rule matched and others apart. */
enum { OFPROTO_PACKET_IN_MISS, OFPROTO_PACKET_IN_ACTION, OFPROTO_PACKET_IN_KINDS };
struct ofproto_packet_ins {
	bool is_limited;   /* else the rest is 0 */
	uint64_t bypassed; /* were sent at once */
	uint64_t queued;   /* waited, because of the rate */
	uint64_t dropped;  /* of these, because too many did */
	uint64_t backlog;  /* wait now */
};

/* What table Controller reports. */
struct ofproto_controller_status {
	const char *target;
	bool is_passive; /* others dial it */
	bool is_connected;
	const char *role;       /* "master", "slave", "other" */
	const char *state;      /* "ACTIVE", "BACKOFF", ... */
	const char *last_error; /* NULL = none */
	uint64_t seconds_since_connect, seconds_since_disconnect;
	struct ofproto_packet_ins packet_ins[OFPROTO_PACKET_IN_KINDS];
	uint64_t n_unread; /* packet-ins lost because it did not read others */
};
void ofproto_controllers(const struct ofproto *ofproto,
                         void (*cb)(const struct ofproto_controller_status *, void *aux),
                         void *aux);

/* Ends the connections to the configured controllers; they are dialed again at once. */
void ofproto_reconnect(struct ofproto *ofproto);

/* Control commands: text as ovs-appctl users know it. */

/* What to trace; strings are as users wrote them, NULL = not given. */
struct ofproto_trace {
	const char *flow;
	const char *packet;   /* hex digits; else it is made from the flow */
	const char *payload;  /* hex digits, of a packet that is made */
	size_t payload_bytes; /* of zeros, if 'payload' is NULL */
	const char *actions;  /* of a packet-out, instead of the tables */
	bool is_consistent;   /* the actions must be possible for the packet */
	bool has_effects;     /* learn, as if it were a packet */
	bool shows_names;     /* of ports */
	/* Appends a line on what becomes of the packet. */
	void (*fate)(const struct dp_trace_fate *fate, struct str *out, void *aux);
	void *aux;
};
int ofproto_trace(struct ofproto *ofproto, const struct ofproto_trace *trace,
                  struct str *out, struct error *err);
/* All rules; 'offload': with what hardware counted, which is 0. */
void ofproto_dump_flows(struct ofproto *ofproto, bool offload, struct str *out);

/* Every 100 ms or so, and when dp_event_fd() was readable: timeouts, probes. */
void ofproto_run(void);
