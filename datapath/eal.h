/* eal.h - DPDK's environment: arguments, memory, packet pools. Main thread. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "datapath/datapath.h"

struct rte_mempool;

/* Starts EAL once per process, on hugepages where there are enough, else on ordinary
 * memory with a warning. Restores the calling thread's CPU affinity. */
int eal_start(const struct dp_config *config, struct error *err);

/* The pool that packets on 'numa_node' come from (any node if it has none of its own),
 * and how many packets one pool holds. */
struct rte_mempool *eal_packet_pool(int numa_node);
unsigned eal_packet_count(void);
