/* desired_keys.h - the text of configuration maps (other_config, options) -> typed
 * fields, strictly: what is not understood becomes a problem with a reason. No database,
 * no side effect but the log's "unknown key" lines. desired_keys.c, and for QoS
 * desired_qos_keys.c. Main thread. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "vswitchd/desired.h"

/* The map column of one row. */
struct keys {
	const char *where; /* for messages: "Bridge br0 other_config" */
	const char
		*table; /* for the unknown-key warnings, given once per table and key */
	const char *const *names;
	const char *const *values;
	size_t n;
};

/* NULL if there is no such key. */
const char *keys_get(const struct keys *keys, const char *name);

/* Warns, once in the life of the process for each table and name, of keys that are not
 * in 'known' (NULL-terminated) and so have no effect. */
void keys_warn_unknown(const struct keys *keys, const char *const *known);

void keys_warn_of(const struct keys *keys, const char *name);

/* Each fills what the keys say and keeps defaults for the rest; 0, or -EINVAL with the
 * first bad key named in 'err' (the good ones are still filled). */
int keys_to_settings(const struct keys *keys, struct desired_arena *arena,
                     struct desired_settings *settings, struct error *err);
int keys_to_bridge(const struct keys *keys, struct desired_bridge *bridge,
                   struct error *err);
int keys_to_port(const struct keys *keys, struct dp_port_settings *settings,
                 struct error *err);

/* The type's own options; 'vhost_socket_dir' is where listening sockets go. */
int keys_to_interface(const struct keys *keys, const char *vhost_socket_dir,
                      struct desired_port *port, struct error *err);

/* The part of an interface's options that says how its policing rates hold. */
int keys_to_ingress(const struct keys *keys, struct dp_port_settings *settings,
                    struct error *err);

/* QoS.type and QoS.other_config; overwrites qos->config. */
int keys_to_qos(const struct keys *keys, const char *type, struct desired_qos *qos,
                struct error *err);

/* Destination addresses of the classes of one QoS, in its arena. */
struct desired_macs {
	struct dp_class_mac *list;
	size_t n, allocated;
};

/* Queue.other_config of class->number, for a QoS of the given kind; its addresses are
 * added to 'macs'. */
int keys_to_class(const struct keys *keys, enum dp_qos_kind kind,
                  struct desired_arena *arena, struct dp_class_config *class,
                  struct desired_macs *macs, struct error *err);

/* The QoS types that work, as users know them; NULL-terminated. */
extern const char *const qos_type_names[];

/* A hexadecimal set of cores, with or without "0x". */
int keys_parse_cpu_mask(const char *text, uint8_t mask[DP_CPUS_MAX / 8],
                        struct error *err);

bool keys_parse_mac(const char *text, uint8_t mac[6]);
