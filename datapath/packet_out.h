/* packet_out.h - packets that main sends: dp_packet_out(), dp_resume(). Main thread; the
 * packet and its actions go to a worker. */
#pragma once

#include <stdint.h>

struct port;

/* Main: what packets of a bridge come from that come from no port: no member of the
 * bridge, with an id above all ports'. Counts what is dropped of them. */
struct port *packet_out_source(uint32_t bridge_id);
