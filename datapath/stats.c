/* stats.c - reads the workers' counters for ports, queues and workers. Counters have one
 * writer each and are read as they are. Main thread. */
#include "datapath/stats.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mempool.h>

#include "datapath/bridge.h"
#include "datapath/eal.h"
#include "datapath/gate.h"
#include "datapath/port/port.h"
#include "datapath/tsc.h"
#include "datapath/worker.h"

#define USAGE_TICKS_PER_INTERVAL 5

static uint64_t history_tsc[USAGE_INTERVALS];
static unsigned n_history; /* intervals noted so far, at most USAGE_INTERVALS */
static unsigned n_ticks;
static struct worker_stats cleared[DP_WORKERS_MAX]; /* what pmd-stats-clear subtracts */

static struct port *
stats_port(uint32_t port_id)
{
	return port_id < DP_PORTS_MAX ? ports[port_id] : NULL;
}

static void
stats_add(struct port_worker *sum, const struct port_worker *share)
{
	sum->rx_packets += share->rx_packets;
	sum->rx_bytes += share->rx_bytes;
	sum->rx_marked += share->rx_marked;
	sum->tx_packets += share->tx_packets;
	sum->tx_bytes += share->tx_bytes;
	for (unsigned i = 0; i < DROP_N_REASONS; i++)
		sum->drops[i] += share->drops[i];
	for (unsigned i = 0; i < DP_QUEUES_MAX; i++)
		sum->txq_packets[i] += share->txq_packets[i];
}

static void
stats_sum_port(const struct port *port, struct port_worker *sum)
{
	memset(sum, 0, sizeof(*sum));
	stats_add(sum, &port->retired);
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++)
		if (port->by_worker[i])
			stats_add(sum, port->by_worker[i]);
}

void
stats_retire_worker(uint16_t worker_id)
{
	for (unsigned i = 0; i < DP_PORTS_MAX; i++) {
		struct port_worker *share =
			ports[i] ? ports[i]->by_worker[worker_id] : NULL;

		if (!share)
			continue;
		/* The memory stays for the next worker of this id; its counts begin at 0.
		 */
		stats_add(&ports[i]->retired, share);
		memset(share, 0, sizeof(*share));
		share->port = ports[i];
	}
	memset(&cleared[worker_id], 0, sizeof(cleared[worker_id]));
}

int
dp_port_get_stats(uint32_t port_id, struct dp_port_stats *stats)
{
	struct port *port = stats_port(port_id);
	struct port_worker sum;

	if (!port)
		return -ENOENT;
	stats_sum_port(port, &sum);
	memset(stats, 0, sizeof(*stats));
	stats->rx_packets = sum.rx_packets;
	stats->rx_bytes = sum.rx_bytes;
	stats->tx_packets = sum.tx_packets;
	stats->tx_bytes = sum.tx_bytes;
	for (unsigned i = 0; i < DROP_N_REASONS; i++)
		*(i < DROP_FIRST_TX ? &stats->rx_dropped : &stats->tx_dropped) +=
			sum.drops[i];
	stats->rx_errors = sum.drops[DROP_RX_MALFORMED];
	stats->tx_errors = sum.drops[DROP_TX_KERNEL];
	return 0;
}

int
dp_port_get_status(uint32_t port_id, struct dp_port_status *status)
{
	struct port *port = stats_port(port_id);

	if (!port)
		return -ENOENT;
	memset(status, 0, sizeof(*status));
	status->link_up = port->link_up;
	status->link_resets = port->link_resets;
	status->numa_node = -1;
	status->mtu = port->mtu ? port->mtu : 1500;
	if (port->ops->status)
		port->ops->status(port, status);
	return 0;
}

/* Of ports that have, or had, a gate. */
static void
stats_gate_counters(const struct port *port,
                    void (*cb)(const char *name, uint64_t value, void *aux), void *aux)
{
	struct gate_counts counts;
	uint64_t waiting = 0;
	uint32_t held;

	if (!gate_get_counts(port, &counts, &held))
		return;
	cb("rx_gate_packets", counts.packets, aux);
	cb("rx_gate_held", held, aux);
	cb("rx_gate_wait_ns", counts.wait_ns, aux);
	cb("rx_gated_ns", counts.full_ns, aux);
	if (!port->ops->rx_waiting)
		return;
	for (uint16_t q = 0; q < port->n_rxqs; q++)
		if (port->rxqs[q].enabled)
			waiting += port->ops->rx_waiting(port, q);
	cb("rx_gate_waiting", waiting, aux);
}

void
dp_port_counters(uint32_t port_id,
                 void (*cb)(const char *name, uint64_t value, void *aux), void *aux)
{
	struct port *port = stats_port(port_id);
	struct port_worker sum;
	char name[64];

	if (!port)
		return;
	stats_sum_port(port, &sum);
	cb("rx_packets", sum.rx_packets, aux);
	cb("rx_bytes", sum.rx_bytes, aux);
	cb("rx_marked", sum.rx_marked, aux);
	cb("tx_packets", sum.tx_packets, aux);
	cb("tx_bytes", sum.tx_bytes, aux);
	for (unsigned i = 0; i < DROP_N_REASONS; i++) {
		snprintf(name, sizeof(name), "drop_%s", drop_reason_names[i]);
		cb(name, sum.drops[i], aux);
	}
	stats_gate_counters(port, cb, aux);
	for (unsigned q = 0; q < port->n_rxqs; q++) {
		if (!port->rxqs[q].enabled && !port->rxqs[q].packets)
			continue;
		snprintf(name, sizeof(name), "rxq%u_packets", q);
		cb(name, port->rxqs[q].packets, aux);
		snprintf(name, sizeof(name), "rxq%u_bytes", q);
		cb(name, port->rxqs[q].bytes, aux);
	}
	for (unsigned q = 0; q < DP_QUEUES_MAX; q++) {
		if (!sum.txq_packets[q])
			continue;
		snprintf(name, sizeof(name), "txq%u_packets", q);
		cb(name, sum.txq_packets[q], aux);
	}
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++) {
		if (!port->by_worker[i] || !workers[i] || !port->by_worker[i]->rx_packets)
			continue;
		snprintf(name, sizeof(name), "worker%u_rx_packets", i);
		cb(name, port->by_worker[i]->rx_packets, aux);
	}
}

void
stats_tick(void)
{
	if (n_ticks++ % USAGE_TICKS_PER_INTERVAL != 0)
		return;
	memmove(history_tsc + 1, history_tsc,
	        sizeof(history_tsc) - sizeof(history_tsc[0]));
	history_tsc[0] = rte_rdtsc();
	n_history = MIN_OF(n_history + 1, USAGE_INTERVALS);
	for (unsigned i = 0; i < DP_PORTS_MAX; i++) {
		for (unsigned q = 0; ports[i] && q < ports[i]->n_rxqs; q++) {
			struct rxq *rxq = &ports[i]->rxqs[q];

			memmove(rxq->history + 1, rxq->history,
			        sizeof(rxq->history) - sizeof(rxq->history[0]));
			rxq->history[0] = rxq->cycles;
		}
	}
}

static void
stats_rxq_status(const struct rxq *rxq, struct dp_rxq_status *status)
{
	uint64_t span = n_history > 1 ? history_tsc[0] - history_tsc[n_history - 1] : 0;

	memset(status, 0, sizeof(*status));
	memcpy(status->port_name, rxq->port->name, sizeof(status->port_name));
	status->queue = rxq->index;
	status->enabled = rxq->enabled;
	status->usage_known = span > 0;
	if (span > 0)
		status->usage_percent =
			(uint8_t)((rxq->history[0] - rxq->history[n_history - 1]) * 100 /
		                  span);
}

static void
stats_worker(const struct worker *worker, struct dp_worker_stats *stats)
{
	const struct worker_stats *now = &worker->stats, *base = &cleared[worker->id];

	memset(stats, 0, sizeof(*stats));
	stats->numa_node = worker->numa_node < 0 ? 0 : worker->numa_node;
	stats->core = worker->core;
	stats->packets = now->packets - base->packets;
	stats->cache_hits = now->cache_hits - base->cache_hits;
	stats->pipeline_walks = now->pipeline_walks - base->pipeline_walks;
	stats->tx_packets = now->tx_packets - base->tx_packets;
	stats->tx_batches = now->tx_batches - base->tx_batches;
	stats->idle_cycles = now->idle_cycles - base->idle_cycles;
	stats->busy_cycles = now->busy_cycles - base->busy_cycles;
	stats->sleep_cycles = now->sleep_cycles - base->sleep_cycles;
	stats->iterations = now->iterations - base->iterations;
	for (unsigned i = 0; i < DP_PORTS_MAX; i++)
		for (unsigned d = 0;
		     ports[i] && ports[i]->by_worker[worker->id] && d < DROP_N_REASONS;
		     d++)
			stats->drops += ports[i]->by_worker[worker->id]->drops[d];
	stats->n_rxqs = worker->view->n_rxqs;
}

void
dp_workers_dump(void (*cb)(const struct dp_worker_stats *, const struct dp_rxq_status *,
                           void *),
                void *aux)
{
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++) {
		struct dp_worker_stats stats;
		struct dp_rxq_status *queues;
		const struct worker_view *view;
		uint64_t of_queues = 0;

		if (!workers[i])
			continue;
		view = workers[i]->view;
		stats_worker(workers[i], &stats);
		queues = calloc(view->n_rxqs + 1, sizeof(*queues));
		for (uint32_t q = 0; queues && q < view->n_rxqs; q++) {
			stats_rxq_status(view->rxqs[q], &queues[q]);
			of_queues += view->rxqs[q]->cycles;
		}
		if (workers[i]->stats.busy_cycles > of_queues)
			stats.overhead_percent =
				(uint8_t)((workers[i]->stats.busy_cycles - of_queues) *
			                  100 /
			                  (workers[i]->stats.busy_cycles +
			                   workers[i]->stats.idle_cycles +
			                   workers[i]->stats.sleep_cycles));
		cb(&stats, queues, aux);
		free(queues);
	}
}

void
dp_workers_clear_stats(void)
{
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++)
		if (workers[i])
			cleared[i] = workers[i]->stats;
}

void
dp_memory_report(struct str *out)
{
	unsigned n_ports = 0, n_addresses = 0;

	for (unsigned i = 0; i < DP_PORTS_MAX; i++)
		n_ports += ports[i] != NULL;
	for (unsigned i = 0; i < BRIDGES_MAX; i++)
		n_addresses += bridges[i] ? bridges[i]->fdb->count : 0;
	str_printf(out, "addresses:%u ports:%u", n_addresses, n_ports);
	if (dp_is_running())
		str_printf(out, " packets-free:%u packets-in-use:%u",
		           rte_mempool_avail_count(eal_packet_pool(0)),
		           rte_mempool_in_use_count(eal_packet_pool(0)));
}
