/* bridge.h - a bridge: its ports, learned addresses and pipeline. Main edits, workers
 * read what is published. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "datapath/datapath.h"
#include "datapath/fdb.h"

struct port;
struct pipeline;

#define BRIDGES_MAX 256

/* Ports that a flood reaches; published as a whole. */
struct bridge_members {
	uint32_t n;
	struct port *ports[];
};

struct bridge {
	uint32_t id;
	struct dp_bridge_config config; /* main's */
	struct fdb *_Atomic fdb;
	struct bridge_members *_Atomic members;
	struct pipeline *_Atomic pipeline;
};

extern struct bridge *_Atomic bridges[BRIDGES_MAX]; /* by id; main writes */

/* Main: changes its settings, but for what its ports feel of them (ports.c). */
void bridge_set(struct bridge *bridge, const struct dp_bridge_config *config);

/* Main: publishes the list of ports again after ports[] changed. */
void bridge_publish_members(struct bridge *bridge);

/* Main: takes what workers learned, and ages. Called from dp_run(). */
void bridges_take_learned(void);
void bridges_age(uint32_t now_s);
