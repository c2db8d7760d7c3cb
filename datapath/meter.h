/* meter.h - meters of bridges: rates above which packets are dropped or get another DSCP.
 * Main sets them, any worker uses them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct port;
struct rte_mbuf;
struct worker;

#define METER_BRIDGES_MAX 256

/* ---- a worker ---- */

/* Drops what exceeds the meter's rates, or changes its DSCP; returns how many packets are
 * left, in order. Without a meter of this number all are. At most BATCH_MAX packets. */
unsigned meter_packets(struct worker *worker, struct port *in, uint32_t bridge_id,
                       uint32_t number, struct rte_mbuf **pkts, unsigned n);

/* Whether a copy of the packet may pass. */
bool meter_admits(struct worker *worker, uint32_t bridge_id, uint32_t number,
                  struct rte_mbuf *pkt);

/* ---- main ---- */

/* Deletes all meters of a bridge. */
void meter_del_bridge(uint32_t bridge_id);
