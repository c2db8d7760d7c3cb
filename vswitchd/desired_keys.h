/* desired_keys.h - the text of configuration maps (other_config, options) -> typed
 * fields, strictly: what is not understood becomes a problem with a reason. No database,
 * no side effect but the log's "unknown key" lines. Main thread. */
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

/* Each fills what the keys say and keeps defaults for the rest; 0, or -EINVAL with the
 * first bad key named in 'err' (the good ones are still filled). */
int keys_to_settings(const struct keys *keys, struct desired_arena *arena,
                     struct desired_settings *settings, struct error *err);
int keys_to_bridge(const struct keys *keys, struct desired_bridge *bridge,
                   struct error *err);
int keys_to_egress_class(const struct keys *keys, int *egress_class, struct error *err);

/* The type's own options; 'vhost_socket_dir' is where listening sockets go. */
int keys_to_interface(const struct keys *keys, const char *vhost_socket_dir,
                      struct desired_port *port, struct error *err);

/* QoS.type and QoS.other_config. */
int keys_to_qos(const struct keys *keys, const char *type, struct desired_qos *qos,
                struct error *err);
int keys_to_class(const struct keys *keys, struct dp_class_config *class,
                  struct error *err);

/* The QoS types that work, as users know them; NULL-terminated. */
extern const char *const qos_type_names[];

/* A hexadecimal set of cores, with or without "0x". */
int keys_parse_cpu_mask(const char *text, uint8_t mask[DP_CPUS_MAX / 8],
                        struct error *err);

bool keys_parse_mac(const char *text, uint8_t mac[6]);
