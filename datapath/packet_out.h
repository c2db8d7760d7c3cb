/* packet_out.h - packets that main sends: dp_packet_out(), dp_resume(). Main thread; the
 * packet and its actions go to a worker. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct port;
struct rte_mbuf;

/* Main: what packets of a bridge come from that come from no port: no member of the
 * bridge, with an id above all ports'. Counts what is dropped of them. */
struct port *packet_out_source(uint32_t bridge_id);

/* Main: a packet of these bytes, the caller's; NULL: no buffer is free. */
struct rte_mbuf *packet_out_copy(int numa_node, const uint8_t *data, size_t length);
