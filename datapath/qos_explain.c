/* qos_explain.c - answers why the classes of a port do what they do: the half of
 * datapath.h that reads qos_history.c. Main thread. */
#include <string.h>

#include "base/compiler.h"
#include "datapath/gate.h"
#include "datapath/port/port.h"
#include "datapath/qos_history.h"
#include "datapath/qos_tree.h"
#include "datapath/qos_watch.h"
#include "datapath/tsc.h"

static const char *const drop_names[HISTORY_DROPS] = {
	[HISTORY_FULL] = "queue full",
	[HISTORY_AGED] = "too long in the queue",
	[HISTORY_CODEL] = "CoDel",
};

static struct port_qos *
watched_qos(uint32_t port_id)
{
	struct port *port = port_id < DP_PORTS_MAX ? ports[port_id] : NULL;

	return port ? port->qos : NULL;
}

static void
delay_of(const struct histogram *since, struct dp_class_delay *delay)
{
	delay->samples = histogram_total(since);
	delay->p50_ns = histogram_quantile_ns(since, 500);
	delay->p99_ns = histogram_quantile_ns(since, 990);
	delay->p999_ns = histogram_quantile_ns(since, 999);
	delay->max_ns = histogram_quantile_ns(since, 1000);
}

static void
explain_delays(const struct qos_history *history, uint32_t at, struct dp_class_why *why)
{
	const struct past_class *past = history->classes[at];
	uint64_t turn = history->ticks + at;
	/* The mark that is the next to be set anew: from 5 to 10 s old. */
	unsigned half = (turn ? turn - 1 : 0) / HISTORY_TICKS_A_DELAY_MARK % 2 ^ 1;
	struct histogram since;

	if (!past->delays)
		return;
	histogram_since(&since, &past->delays->wait[QOS_WAIT_QUEUE],
	                &past->delays->mark[half][QOS_WAIT_QUEUE]);
	delay_of(&since, &why->delay[DP_DELAY_QUEUE]);
	histogram_since(&since, &past->delays->wait[QOS_WAIT_RING],
	                &past->delays->mark[half][QOS_WAIT_RING]);
	delay_of(&since, &why->delay[DP_DELAY_RING]);
}

/* Latest first. */
static void
explain_drops(const struct past_class *past, uint64_t now_ns, struct dp_class_why *why)
{
	bool told[HISTORY_DROPS] = {false};

	for (;;) {
		unsigned latest = HISTORY_DROPS;

		for (unsigned i = 0; i < HISTORY_DROPS; i++)
			if (!told[i] && past->drops[i].packets &&
			    (latest == HISTORY_DROPS ||
			     past->drops[i].time_ns > past->drops[latest].time_ns))
				latest = i;
		if (latest == HISTORY_DROPS || why->drops_n == DP_WHY_DROPS_MAX)
			return;
		told[latest] = true;
		why->drops[why->drops_n++] = (struct dp_class_drop){
			.reason = drop_names[latest],
			.ago_ns = now_ns - past->drops[latest].time_ns,
			.packets = past->drops[latest].packets,
		};
	}
}

static void
explain_class(const struct qos_history *history, uint32_t at, uint64_t now_ns,
              struct dp_class_why *why)
{
	const struct past_class *past = history->classes[at];

	memset(why, 0, sizeof(*why));
	why->stats = past->stats;
	why->is_inner = past->is_inner;
	why->state = past->state;
	why->who = past->who;
	why->wait_ns = past->wait_ns;
	why->link_is_full = history->link_is_full;
	why->shares_n =
		history_shares(history, past, why->shares, ARRAY_SIZE(why->shares));
	history_rates(history, past, now_ns, &why->rates);
	explain_delays(history, at, why);
	explain_drops(past, now_ns, why);
}

enum dp_qos_kind
dp_port_qos_why(uint32_t port_id, uint32_t number,
                void (*cb)(const struct dp_class_why *, void *aux), void *aux)
{
	struct port_qos *qos = watched_qos(port_id);
	const struct qos_history *history;
	struct dp_class_why why;
	uint64_t now_ns;
	uint32_t at;

	if (!qos)
		return DP_QOS_NONE;
	history = qos->history;
	if (qos->kind != DP_QOS_TREE || !history)
		return qos->kind;
	qos_watch_pass(qos, false);
	now_ns = tsc_to_ns(rte_rdtsc());
	if (number != DP_CLASS_NONE) {
		at = history_find(history, number);
		if (at != HISTORY_NOWHERE) {
			explain_class(history, at, now_ns, &why);
			cb(&why, aux);
		}
		return qos->kind;
	}
	for (at = 0; at < history->n; at++) {
		explain_class(history, at, now_ns, &why);
		cb(&why, aux);
	}
	return qos->kind;
}

bool
dp_class_delay_counts(uint32_t port_id, uint32_t number, enum dp_delay_part part,
                      const uint64_t *bounds_ns, size_t n, uint64_t *counts,
                      uint64_t *total, uint64_t *sum_ns)
{
	const struct port_qos *qos = watched_qos(port_id);
	const struct past_class *past;
	struct histogram copy;
	uint32_t at;

	if (!qos || !qos->history)
		return false;
	at = history_find(qos->history, number);
	if (at == HISTORY_NOWHERE)
		return false;
	past = qos->history->classes[at];
	if (!past->delays)
		return false;
	histogram_copy(&copy,
	               &past->delays->wait[part == DP_DELAY_QUEUE ? QOS_WAIT_QUEUE
	                                                          : QOS_WAIT_RING]);
	for (size_t i = 0; i < n; i++)
		counts[i] = histogram_count_below(&copy, bounds_ns[i]);
	*total = histogram_total(&copy);
	*sum_ns = copy.sum_ns;
	return true;
}

bool
dp_port_ingress(uint32_t port_id, struct dp_ingress *ingress)
{
	struct port *port = port_id < DP_PORTS_MAX ? ports[port_id] : NULL;
	struct gate_counts counts;
	struct histogram waits;

	memset(ingress, 0, sizeof(*ingress));
	if (!port || !port->gate)
		return false;
	gate_get_counts(port, &counts, &ingress->held_packets);
	ingress->passed_packets = counts.packets;
	ingress->gated_ns = counts.full_ns;
	for (uint16_t q = 0; port->ops->rx_waiting && q < port->n_rxqs; q++)
		if (port->rxqs[q].enabled)
			ingress->waiting_packets += port->ops->rx_waiting(port, q);
	memset(&waits, 0, sizeof(waits));
	gate_sum_waits(port, tsc_to_ns(rte_rdtsc()), &waits);
	delay_of(&waits, &ingress->delay);
	return true;
}

uint64_t
dp_time_ns(void)
{
	return tsc_line ? tsc_to_ns(rte_rdtsc()) : 0;
}

void
dp_port_tree_status(uint32_t port_id, struct dp_tree_status *status)
{
	const struct port_qos *qos = watched_qos(port_id);

	memset(status, 0, sizeof(*status));
	if (!qos || qos->kind != DP_QOS_TREE || !qos->sched)
		return;
	status->overload_ns = sched_overload_ns(qos->sched);
	status->catch_up_ns = qos->tree->catch_up_ms * 1000000;
	status->quantum_bytes = QOS_QUANTUM_BYTES;
	status->pool_packets = qos->backlog_limit;
}
