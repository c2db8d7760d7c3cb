/* normal.h - the NORMAL action: a learning VLAN switch. Worker threads. */
#pragma once

#include "datapath/drop.h"
#include "datapath/packet.h"

struct flow_key;
struct port;
struct worker;

/* Takes 'n' packets that came in by 'in' and forwards each by its addresses and VLAN. */
void normal_forward(struct worker *worker, struct port *in, struct rte_mbuf **pkts,
                    unsigned n);

/* ---- main, for traces ---- */

/* What to say of a packet that is forwarded like this. */
const char *normal_remark(const struct port *in, const struct flow_key *key);

/* Tells 'sent' of each port that the packet would leave by, and how it would look then;
 * DROP_N_REASONS, or why it is dropped. The packet stays the caller's, unchanged.
 * '*learned' is the address that it makes known, for fdb_learn(); 0 = none. */
enum drop_reason normal_look(const struct port *in, struct rte_mbuf *pkt,
                             void (*sent)(struct port *out, struct rte_mbuf *pkt,
                                          void *aux),
                             void *aux, uint64_t *learned);
