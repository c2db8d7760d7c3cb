/* dscp.h - writes the DSCP of packets that leave by a class that has one. Under qos.c.
 * Worker threads. */
#pragma once

#include <stdint.h>

struct rte_mbuf;

/* Gives an IPv4 or IPv6 packet, also behind VLAN tags, this DSCP; other packets stay as
 * they are. '*pkt' may become another one, if its bytes are also somebody else's: without
 * a buffer for that it stays as it is. */
void dscp_write(struct rte_mbuf **pkt, uint8_t dscp);
