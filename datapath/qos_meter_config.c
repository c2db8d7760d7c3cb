/* qos_meter_config.c - makes, changes and reads the meters of a trtcm-policer. Main
 * thread, and the change itself on the owner. */
#include <stdlib.h>

#include "base/mem.h"
#include "datapath/port/port.h"
#include "datapath/qos.h"
#include "datapath/qos_meter.h"
#include "datapath/qos_tree.h"
#include "datapath/rcu.h"
#include "datapath/tsc.h"
#include "datapath/worker.h"

static struct trtcm_rates
rates_make(uint64_t committed_bps, uint64_t committed_bits, uint64_t excess_bps,
           uint64_t excess_bits)
{
	return (struct trtcm_rates){committed_bps / 8, committed_bits / 8, excess_bps / 8,
	                            excess_bits / 8};
}

static int
meter_compare(const void *a, const void *b)
{
	uint32_t x = ((const struct qos_meter *)a)->number;
	uint32_t y = ((const struct qos_meter *)b)->number;

	return x < y ? -1 : x > y;
}

/* Packets of no class are class 0's; where it is not configured, the port alone limits
 * them. */
static struct qos_meters *
meters_make(const struct dp_qos_config *config)
{
	struct qos_meters *meters = xcalloc(
		1, sizeof(*meters) + (config->n_classes + 1) * sizeof(struct qos_meter));
	bool has_0 = false;

	meters->port.number = DP_CLASS_ROOT;
	meters->port.rates = rates_make(config->rate_bps, config->burst_bits,
	                                config->excess_bps, config->excess_burst_bits);
	for (size_t i = 0; i < config->n_classes; i++) {
		const struct dp_class_config *class = &config->classes[i];
		struct qos_meter *meter = &meters->classes[meters->n++];

		meter->number = class->number;
		meter->rates = rates_make(class->floor_bps, class->burst_bits,
		                          class->excess_bps, class->excess_burst_bits);
		has_0 |= class->number == 0;
	}
	if (!has_0)
		meters->classes[meters->n++].rates = meters->port.rates;
	qsort(meters->classes, meters->n, sizeof(struct qos_meter), meter_compare);
	return meters;
}

/* 'was' is the meter of the same class until now, or NULL. */
static void
meter_start(struct qos_meter *meter, const struct qos_meter *was, uint64_t now_ns)
{
	struct trtcm_rates rates = meter->rates;

	if (!was) {
		meter->created_ns = now_ns;
		trtcm_init(&meter->trtcm, &rates, now_ns);
		return;
	}
	*meter = *was;
	meter->rates = rates;
	trtcm_set(&meter->trtcm, &rates, now_ns);
}

struct meter_change {
	struct port_qos *qos;
	const struct dp_qos_config *config;
	struct qos_meters *meters;
	struct qos_class_map *map;
};

/* Map and meters change together for the owner. */
static bool
qos_change_meters(struct worker *worker, void *arg)
{
	struct meter_change *change = arg;
	struct qos_meters *next = change->meters, *old = change->qos->meters;
	uint64_t now_ns = worker ? worker->now_ns : tsc_to_ns(rte_rdtsc());
	uint32_t k = 0;

	meter_start(&next->port, old ? &old->port : NULL, now_ns);
	for (uint32_t i = 0; i < next->n; i++) {
		struct qos_meter *meter = &next->classes[i];

		while (old && k < old->n && old->classes[k].number < meter->number)
			k++;
		meter_start(meter,
		            old && k < old->n && old->classes[k].number == meter->number
		                    ? &old->classes[k]
		                    : NULL,
		            now_ns);
	}
	change->qos->meters = next;
	atomic_store_explicit(&change->qos->map, change->map, memory_order_release);
	return false;
}

void
qos_meter_apply(struct port_qos *qos, const struct dp_qos_config *config)
{
	struct qos_class_map *old_map = qos->map;
	struct qos_meters *old = qos->meters;
	struct meter_change change = {.qos = qos, .config = config};
	uint32_t n_numbers;

	change.meters = meters_make(config);
	n_numbers = change.meters->classes[change.meters->n - 1].number + 1;
	losses_fit(qos, n_numbers);
	change.map = qos_map_alloc(n_numbers, config);
	for (uint32_t i = 0; i < change.meters->n; i++)
		qos_map_refs(change.map)[change.meters->classes[i].number] = i;
	qos_map_fill_lists(change.map, config);
	worker_call(qos_owner(qos), qos_change_meters, &change);
	if (old_map)
		rcu_free_after(old_map);
	free(old);
	qos->overhead_bytes = config->overhead_bytes;
	qos->mpu_bytes = config->mpu_bytes;
}

static void
meter_report(const struct port_qos *qos, const struct qos_meter *meter,
             void (*cb)(const struct dp_class_stats *, void *aux), void *aux)
{
	struct qos_loss lost = losses_sum(qos, meter->number);
	struct dp_class_stats stats = {
		.number = meter->number,
		.parent = DP_CLASS_ROOT,
		.floor_bps = meter->rates.committed_per_s * 8,
		.ceil_bps =
			(meter->rates.committed_per_s + meter->rates.excess_per_s) * 8,
		.sent_packets = meter->sent_packets,
		.sent_bytes = meter->sent_bytes,
		.dropped_packets = meter->dropped_packets + lost.packets,
		.dropped_bytes = meter->dropped_bytes + lost.bytes,
		.full_packets = lost.packets,
		.borrowed_bytes = meter->yellow_bytes,
		.created_ns = meter->created_ns,
	};

	stats.offered_packets = stats.sent_packets + stats.dropped_packets;
	stats.offered_bytes = stats.sent_bytes + stats.dropped_bytes;
	cb(&stats, aux);
}

void
qos_meter_report(const struct port_qos *qos,
                 void (*cb)(const struct dp_class_stats *, void *aux), void *aux)
{
	meter_report(qos, &qos->meters->port, cb, aux);
	for (uint32_t i = 0; i < qos->meters->n; i++)
		meter_report(qos, &qos->meters->classes[i], cb, aux);
}
