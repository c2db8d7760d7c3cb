/* desired.h - what the database asks for, as plain data: made whole by
 * desired_from_db.c, judged by validate.c, compared by diff.c. Main thread.
 *
 * Every string and array lives in the arena of its 'struct desired' and is never written
 * after it was made. A 'problem' is the reason, for a person, why an object cannot be as
 * asked; NULL means that it can. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "datapath/datapath.h"
#include "ovsdb/uuid.h"
#include "vswitchd/ofproto/ofproto.h"

#define OFPORT_MAX   65279 /* the highest number an ordinary port may have */
#define OFPORT_LOCAL 65534 /* the bridge's own internal port */

struct desired_chunk;

/* Memory released all at once; zero is an empty one. */
struct desired_arena {
	struct desired_chunk *chunks;
};

/* Zeroed memory. */
void *desired_alloc(struct desired_arena *arena, size_t size);
/* NULL if 'size' is 0. */
void *desired_copy(struct desired_arena *arena, const void *data, size_t size);
const char *desired_strdup(struct desired_arena *arena, const char *text);
const char *desired_printf(struct desired_arena *arena, const char *fmt, ...)
	PRINTF_FORMAT(2, 3);
void desired_arena_free(struct desired_arena *arena);

/* Of the whole switch: Open_vSwitch.other_config. */
struct desired_settings {
	bool dpdk_is_off;             /* dpdk-init=false */
	bool dpdk_is_on;              /* dpdk-init=true, set by the user */
	const char *dpdk_extra;       /* NULL = none */
	const char *dpdk_socket_mem;  /* NULL = default */
	const char *vhost_socket_dir; /* absolute; NULL = the run-time directory */
	uint8_t pmd_cpu_mask[DP_CPUS_MAX / 8]; /* all zero = default */
	uint32_t max_sleep_us;
	uint32_t stats_interval_ms;
	const char *metrics_listen; /* address for metrics.h; NULL = none */
	const char *problem;
};

struct desired_qos {
	struct uuid row;
	const char *name;            /* for messages: "QoS <uuid>" */
	const char *type;            /* as the user wrote it */
	struct dp_qos_config config; /* rate_bps 0 = the rate of the port's link */
	bool is_shared;              /* one tree for all ports that name this row */
	const char *problem;
	const char *warning; /* what has no effect, though it does no harm */
	/* What dp_qos_check() said, and at which rate: validate.c asks once for all ports
	 * that share the row. */
	bool is_checked;
	uint64_t checked_rate_bps;
	const char *check_problem;
};

/* One Interface with the Port that holds it. */
struct desired_port {
	struct uuid interface_row, port_row;
	const char *name;             /* of the Interface */
	const char *port_name;        /* of the Port */
	const char *type;             /* as the user wrote it */
	struct dp_port_config config; /* bridge_id unset; ofport set by ofport_assign() */
	uint16_t ofport_request;      /* 0 = none */
	uint16_t ofport_recorded;     /* in the database from before; 0 = none */
	struct desired_qos *qos;      /* NULL = none */
	struct dp_qos_config qos_config; /* with the rate resolved: by validate.c */
	const char *problem;
	const char *qos_problem;
	/* What went wrong while it was applied (apply.c). */
	const char *failure;
	const char *qos_failure;
};

struct desired_bridge {
	struct uuid row;
	const char *name;
	struct dp_bridge_config config;
	uint8_t mac[6]; /* of its LOCAL port */
	uint64_t datapath_id;
	/* What its switch is told: desired_controllers_from_db.c. */
	struct ofproto_config openflow;
	struct uuid *controller_rows; /* of openflow.controllers, in their order */
	struct desired_port *ports;
	size_t n_ports;
	const char *problem;          /* the bridge cannot exist */
	const char *settings_problem; /* some setting cannot be honoured: the bridge
	                                 keeps the one it had */
	const char *warning;          /* what has no effect, though it does no harm */
	const char *failure;
};

struct desired_manager {
	struct uuid row;
	const char *target;
};

struct desired {
	struct desired_arena arena;
	struct uuid root_row;
	bool has_root;
	int64_t next_cfg;
	struct desired_settings settings;
	struct desired_bridge *bridges; /* by name */
	size_t n_bridges;
	struct desired_qos *qos;
	size_t n_qos;
	struct desired_manager *managers;
	size_t n_managers;
	struct ofproto_tls tls;
};

/* NULL is fine. */
void desired_destroy(struct desired *desired);

struct desired_port *desired_find_port(const struct desired *desired, const char *name);
struct desired_bridge *desired_find_bridge(const struct desired *desired,
                                           const char *name);

/* Sorts bridges, and ports within each, by name: whatever depends on their order then
 * does not depend on the database's. */
void desired_sort(struct desired *desired);

bool desired_settings_equal(const struct dp_port_settings *a,
                            const struct dp_port_settings *b);
bool desired_bridge_config_equal(const struct dp_bridge_config *a,
                                 const struct dp_bridge_config *b);
bool desired_qos_equal(const struct dp_qos_config *a, const struct dp_qos_config *b);

/* What cannot change while a port lives: type, place, number, socket, device. */
bool desired_port_is_same(const struct dp_port_config *a, const struct dp_port_config *b);
