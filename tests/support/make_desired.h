/* make_desired.h - small desired states for the tests of vswitchd/, built by hand. */
#pragma once

#include "vswitchd/desired.h"

#define MAKE_PORTS_MAX 8

/* Without anything in it; free with desired_destroy(). */
struct desired *make_desired(void);

/* At most MAKE_PORTS_MAX of each; pointers stay valid until desired_sort(). */
struct desired_bridge *make_bridge(struct desired *desired, const char *name);
struct desired_port *make_port(struct desired *desired, struct desired_bridge *bridge,
                               const char *name, enum dp_port_type type);

/* A linux-htb QoS with queues 1..'n_classes', each with 'floor_bps' below the root. */
struct desired_qos *make_qos(struct desired *desired, uint64_t rate_bps, size_t n_classes,
                             uint64_t floor_bps);
