/* meter.c - bands of meters as policers that workers share: a batch computes what it owes
 * and puts it in with one compare-and-exchange per band, so no packet is let through
 * twice. Above qos/policer.h. Main's part is meter_config.c. */
#include "datapath/meter.h"

#include "base/compiler.h"
#include "datapath/charge.h"
#include "datapath/frame.h"
#include "datapath/meter_private.h"
#include "datapath/port/port.h"
#include "datapath/worker.h"

#include "datapath/hot.h"

#define BAND_NONE   UINT8_MAX
#define METER_TRIES 64 /* more others than this do not come between */

struct meter_map *_Atomic meter_maps[METER_BRIDGES_MAX];

static struct meter *
meter_find(uint32_t bridge_id, uint32_t number)
{
	return meter_map_find(
		atomic_load_explicit(&meter_maps[bridge_id], memory_order_acquire),
		number);
}

/* ---- rates ---- */

/* One batch, as a band sees it. */
struct meter_batch {
	unsigned n;
	uint64_t now_ns;
	uint32_t units[BATCH_MAX]; /* bytes or packets on the wire */
	uint32_t bytes[BATCH_MAX];
	uint8_t band[BATCH_MAX]; /* the one that applies, or BAND_NONE */
};

/* Which packets exceed the band's rate, as bits. */
static uint32_t
band_charge(struct meter_band *band, const struct meter_batch *batch)
{
	uint64_t was = atomic_load_explicit(&band->free_at_ns_x256, memory_order_relaxed);
	uint32_t exceed = UINT32_MAX;

	if (band->price.cost_mantissa == 0)
		return exceed; /* a rate of 0 */
	for (unsigned k = 0; k < METER_TRIES; k++) {
		struct policer policer = band->price;

		policer.free_at_ns_x256 = was;
		exceed = 0;
		for (unsigned i = 0; i < batch->n; i++)
			if (!policer_admit(&policer, batch->units[i], batch->now_ns))
				exceed |= 1U << i;
		if (policer.free_at_ns_x256 == was ||
		    atomic_compare_exchange_strong_explicit(
			    &band->free_at_ns_x256, &was, policer.free_at_ns_x256,
			    memory_order_relaxed, memory_order_relaxed))
			break;
	}
	return exceed;
}

/* Of the bands whose rate is exceeded, that of the highest rate applies. */
static void
meter_judge(const struct meter_bands *bands, struct meter_batch *batch)
{
	for (unsigned i = 0; i < batch->n; i++)
		batch->band[i] = BAND_NONE;
	/* They are in ascending order of rates. */
	for (uint8_t b = 0; b < bands->n; b++) {
		uint32_t exceed = band_charge(&bands->bands[b], batch);

		for (unsigned i = 0; i < batch->n; i++)
			if (exceed >> i & 1)
				batch->band[i] = b;
	}
}

static void
meter_count(struct meter_counts *counts, uint64_t packets, uint64_t bytes)
{
	atomic_fetch_add_explicit(&counts->packets, packets, memory_order_relaxed);
	atomic_fetch_add_explicit(&counts->bytes, bytes, memory_order_relaxed);
}

static void
meter_measure(const struct meter_bands *bands, struct meter_batch *batch,
              struct rte_mbuf **pkts, unsigned n, uint64_t now_ns)
{
	batch->n = n;
	batch->now_ns = now_ns;
	for (unsigned i = 0; i < n; i++) {
		const struct qos_item *item = &packet_meta(pkts[i])->item;

		packet_charge(pkts[i], 0, 0);
		batch->bytes[i] = item->charged_bytes;
		batch->units[i] =
			bands->is_pps ? item->charged_packets : item->charged_bytes;
	}
}

/* Judges the packets and counts them; batch->band says which band applies to which. */
static const struct meter_bands *
meter_run(const struct worker *worker, struct meter *meter, struct meter_batch *batch,
          struct rte_mbuf **pkts, unsigned n)
{
	const struct meter_bands *bands =
		atomic_load_explicit(&meter->bands, memory_order_acquire);
	uint64_t packets[DP_METER_BANDS_MAX] = {0}, bytes[DP_METER_BANDS_MAX] = {0};
	uint64_t total = 0;

	meter_measure(bands, batch, pkts, n, worker->now_ns);
	meter_judge(bands, batch);
	for (unsigned i = 0; i < n; i++) {
		total += batch->bytes[i];
		if (likely(batch->band[i] == BAND_NONE))
			continue;
		packets[batch->band[i]]++;
		bytes[batch->band[i]] += batch->bytes[i];
	}
	meter_count(&meter->total, n, total);
	for (uint8_t b = 0; b < bands->n; b++)
		if (packets[b])
			meter_count(&meter->counts[bands->bands[b].place], packets[b],
			            bytes[b]);
	return bands;
}

/* ---- what bands do ---- */

/* The drop precedence of assured forwarding (RFC 2597) goes up; other code points have
 * none. */
static uint8_t
meter_remark(uint8_t dscp, uint8_t levels)
{
	uint8_t class = dscp >> 3, precedence = dscp >> 1 & 3;

	if (class < 1 || class > 4 || precedence == 0 || (dscp & 1))
		return dscp;
	return (uint8_t)(class << 3 | MIN_OF(precedence + levels, 3) << 1);
}

static enum drop_reason
meter_remark_packet(struct rte_mbuf **pkt, uint8_t levels)
{
	struct rewrite rewrite;
	enum drop_reason reason = frame_open(pkt, &rewrite);
	struct flow_value value = {{0}};
	uint8_t dscp;

	if (reason != DROP_N_REASONS)
		return reason;
	rewrite_scan(&rewrite);
	if (rewrite.ipv4_at) {
		dscp = rewrite.data[rewrite.ipv4_at + 1] >> 2;
	} else if (rewrite.ipv6_at) {
		const uint8_t *ip = rewrite.data + rewrite.ipv6_at;

		dscp = (uint8_t)((ip[0] & 0xf) << 2 | ip[1] >> 6);
	} else {
		return DROP_N_REASONS;
	}
	value.bytes[0] = meter_remark(dscp, levels);
	if (value.bytes[0] != dscp)
		rewrite_set_field(&rewrite, FIELD_IP_DSCP_SHIFTED, &value, NULL);
	return DROP_N_REASONS;
}

unsigned
meter_packets(struct worker *worker, struct port *in, uint32_t bridge_id, uint32_t number,
              struct rte_mbuf **pkts, unsigned n)
{
	struct meter *meter = meter_find(bridge_id, number);
	const struct meter_bands *bands;
	struct meter_batch batch;
	unsigned left = 0;

	if (!meter || n == 0)
		return n;
	bands = meter_run(worker, meter, &batch, pkts, n);
	for (unsigned i = 0; i < n; i++) {
		enum drop_reason reason = DROP_N_REASONS;
		struct rte_mbuf *pkt = pkts[i];

		if (batch.band[i] != BAND_NONE) {
			const struct meter_band *band = &bands->bands[batch.band[i]];

			reason = band->remarks_dscp
			                 ? meter_remark_packet(&pkt, band->prec_level)
			                 : DROP_RX_METERED;
		}
		if (likely(reason == DROP_N_REASONS))
			pkts[left++] = pkt;
		else
			port_drop(in, worker, reason, &pkt, 1);
	}
	return left;
}

bool
meter_admits(struct worker *worker, uint32_t bridge_id, uint32_t number,
             struct rte_mbuf *pkt)
{
	struct meter *meter = meter_find(bridge_id, number);
	const struct meter_bands *bands;
	struct meter_batch batch;

	if (!meter)
		return true;
	bands = meter_run(worker, meter, &batch, &pkt, 1);
	return batch.band[0] == BAND_NONE || bands->bands[batch.band[0]].remarks_dscp;
}
