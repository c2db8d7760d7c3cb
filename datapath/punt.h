/* punt.h - copies of packets on their way to controllers: workers put them into a ring
 * each, main takes them out and calls the handler. Learn actions take the same way. What
 * a port may send is bounded, and what is lost counted. */
#pragma once

#include "datapath/program.h"

struct port;
struct rte_mbuf;
struct worker;

/* ---- a worker ---- */

/* Copies of the packets as the record says. */
void punt_packets(struct worker *worker, struct port *in, const struct program_punt *punt,
                  struct rte_mbuf **pkts, unsigned n);

/* Has main carry out a learn action with each of the packets; not again for one that is
 * like another of the last PUNT_LEARN_REPEAT_NS. */
void punt_learn(struct worker *worker, struct port *in, const struct flow_learn *learn,
                struct rte_mbuf **pkts, unsigned n);

/* ---- main ---- */

/* Calls the handler for what workers have sent. Called from dp_run(). */
void punts_run(void);

/* The next bridge of this id has the default rate. */
void punts_forget_bridge(uint32_t bridge_id);
