/* ecn.h - congestion marks in IP headers (RFC 3168): whether a packet may carry one, and
 * giving it one. IPv4 and IPv6, behind up to two VLAN tags. Worker threads. */
#pragma once

#include <stdbool.h>

#include <rte_mbuf.h>

/* Whether the packet's transport understands marks, or the packet has one already. False
 * for what is not IP, or whose header is not in the first buffer. */
bool ecn_is_capable(const struct rte_mbuf *pkt);

/* Marks a packet for which ecn_is_capable() is true; others stay as they are. */
void ecn_mark(struct rte_mbuf *pkt);
