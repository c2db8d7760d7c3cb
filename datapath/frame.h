/* frame.h - the headers of a packet as net/rewrite.h takes them: made writable and put
 * together, and the packet told what was changed. Under edit.c and meter.c. Worker
 * threads. */
#pragma once

#include "datapath/drop.h"
#include "datapath/packet.h"
#include "net/rewrite.h"

/* Headers that can be changed end within this many bytes: two tags, IPv6 with options, a
 * message of neighbour discovery. */
#define FRAME_HEADER_BYTES 256

/* Opens a packet's headers for changes; '*pkt' may become another one. The reason to drop
 * it, or DROP_N_REASONS. */
enum drop_reason frame_open(struct rte_mbuf **pkt, struct rewrite *rewrite);

/* Tells the packet of tags that were put before the network header or taken away so far;
 * may be called several times. */
void frame_update(struct rte_mbuf *pkt, const struct rewrite *rewrite);
