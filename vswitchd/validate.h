/* validate.h - whole-configuration checks, without side effects: every object that cannot
 * be as asked gets its problem, the others go on. Main thread. */
#pragma once

#include "vswitchd/desired.h"
#include "vswitchd/running.h"

/* Fills problems, resolves the rates of QoS (from links as last seen in 'running') and,
 * where a setting is bad, puts back the one that runs. Calls ofport_assign(). */
void validate(struct desired *desired, const struct running *running);

/* Whether the floors that gated ports ask for fit the rate of their bridge
 * (validate_ingress.c): a port that asks for too much gets a problem, a bridge whose rate
 * would leave too little keeps the one it has. */
void validate_ingress(struct desired *desired, struct desired_bridge *bridge,
                      const struct running *running);

/* The egress QoS of a port (validate_qos.c): resolves the rate and asks dp_qos_check(),
 * once for all ports with the same row and rate. */
void validate_qos(struct desired *desired, struct desired_port *port,
                  const struct running *running);

/* Chooses config.ofport for each port without a problem (ofport.c): the LOCAL port has
 * OFPORT_LOCAL; a running port keeps its number unless a free one is requested; then
 * requests, then numbers recorded in the database, then the lowest free. A port for which
 * no number is left gets a problem. */
void ofport_assign(struct desired_bridge *bridge, struct desired_arena *arena,
                   const struct running *running);
