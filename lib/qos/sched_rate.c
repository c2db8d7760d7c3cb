/* sched_rate.c - from the parameters of a class to prices, bursts and limits; the floors
 * of classes that have none of their own. Owner thread. */
#include <string.h>

#include "qos/sched_gate.h"

/* Ticks that one byte takes at one bit per second. */
#define TICKS_BPS_PER_BYTE (8ULL * 1000000000 * TICKS_PER_NS)

#define BURST_DEFAULT       TICKS_OF_US(200)
#define BURST_DEFAULT_BYTES 3028U /* two full Ethernet frames */

#define NS_PER_SEC    1000000000ULL
#define TICKS_PER_SEC (NS_PER_SEC * TICKS_PER_NS)

/* 1 ms of the rate, but no less than what a loop takes at a time. */
#define PACKET_BURST_PARTS 1000U
#define PACKET_BURST_MIN   32U

#define LIMIT_DEFAULT_PACKETS 1024U
#define LIMIT_DEFAULT_BYTES   (2U << 20)
#define LIMIT_MAX             (1U << 30)

/* Weights are kept in eighths. One Mbit/s of floor is worth a weight of 1. */
#define WEIGHT_UNIT       8
#define WEIGHT_FLOOR_BPS  1000000
#define WEIGHT_EIGHTH_MAX (1U << 20)

/* A class without a floor gets min(1 Mbit/s, 1/20 of the parent / number of such
 * children). */
#define IMPLICIT_FLOOR_MAX_BPS 1000000
#define IMPLICIT_PART          20
#define IMPLICIT_PART_MIN      1000 /* even where floors use up the parent */

static uint64_t
rate_clamp(uint64_t bps)
{
	if (bps < SCHED_RATE_MIN_BPS)
		return SCHED_RATE_MIN_BPS;
	return MIN_OF(bps, SCHED_RATE_MAX_BPS);
}

static struct price
price_of_rate(uint64_t bps)
{
	return price_make(TICKS_BPS_PER_BYTE, rate_clamp(bps));
}

static uint32_t
burst_to_ns(struct price price, uint32_t burst_bytes)
{
	uint64_t ticks = price_of_bytes(price.mantissa, price.shift,
	                                burst_bytes ? burst_bytes : BURST_DEFAULT_BYTES);

	if (!burst_bytes)
		ticks = MAX_OF(ticks, BURST_DEFAULT);
	return (uint32_t)MIN_OF(ticks / TICKS_PER_NS, UINT32_MAX);
}

/* Per 1/PACKET_UNITS of a packet. */
static struct price
price_of_packets(uint32_t pps)
{
	return price_make(TICKS_PER_SEC / PACKET_UNITS, pps);
}

static uint32_t
packet_burst_to_ns(uint32_t pps, uint32_t burst_packets)
{
	uint64_t ns, packets = burst_packets;

	if (!packets)
		packets = MAX_OF(pps / PACKET_BURST_PARTS, PACKET_BURST_MIN);
	ns = packets * NS_PER_SEC / pps;
	return (uint32_t)MIN_OF(ns, UINT32_MAX);
}

static struct price
share_price(const struct sched_class_params *params)
{
	uint64_t eighths =
		MIN_OF(params->weight, SCHED_WEIGHT_MAX) * (uint64_t)WEIGHT_UNIT;

	if (!eighths && params->floor_bps)
		eighths = params->floor_bps / (WEIGHT_FLOOR_BPS / WEIGHT_UNIT);
	else if (!eighths)
		eighths = WEIGHT_UNIT;
	eighths = MAX_OF(eighths, 1);
	eighths = MIN_OF(eighths, WEIGHT_EIGHTH_MAX);
	return price_make((1ULL << SHARE_UNIT_SHIFT) * WEIGHT_UNIT, eighths);
}

/* Moves a tag so that what is owed stays the same in bytes. */
static uint64_t
tag_convert(uint64_t tag, uint64_t now, struct price from, struct price to)
{
	return now + (uint64_t)price_convert((int64_t)(tag - now), from, to);
}

static void
apply_floor(struct sched *sched, struct sched_node *node,
            const struct sched_class_params *params, bool is_new)
{
	struct price old = {node->floor_mantissa, node->floor_shift}, price;

	node->implicit_floor = !params->floor_bps;
	if (node->implicit_floor) {
		const struct sched_node *parent = &sched->nodes[node->parent];

		price.mantissa = parent->inner.child_floor_mantissa;
		price.shift = parent->inner.child_floor_shift;
	} else {
		price = price_of_rate(params->floor_bps);
	}
	node->floor_tag =
		is_new ? sched->floor_now
		       : tag_convert(node->floor_tag, sched->floor_now, old, price);
	node->floor_mantissa = price.mantissa;
	node->floor_shift = price.shift;
	node->floor_burst_ns = burst_to_ns(price, params->floor_burst_bytes);
	node->floor_packets = params->floor_pps != 0;
	if (node->floor_packets) {
		struct sched_gate *gate = &sched->gates[node - sched->nodes];

		price = price_of_packets(params->floor_pps);
		gate->floor_packet_mantissa = price.mantissa;
		gate->floor_packet_shift = price.shift;
	}
}

/* One of the ceilings of a class: its tag, price and burst, and its bit in
 * sched_gate.set.
 */
struct ceiling {
	uint64_t *tag;
	uint32_t *mantissa;
	uint8_t *shift;
	uint32_t *burst_ns;
	enum gate_set bit;
};

/* Keeps what is owed the same in bytes or packets. */
static void
apply_ceiling(struct sched_gate *gate, const struct ceiling *ceiling, struct price price,
              uint32_t burst_ns, uint64_t now)
{
	struct price old = {*ceiling->mantissa, *ceiling->shift};

	*ceiling->tag = gate->set & ceiling->bit
	                        ? tag_convert(*ceiling->tag, now, old, price)
	                        : now;
	*ceiling->mantissa = price.mantissa;
	*ceiling->shift = price.shift;
	*ceiling->burst_ns = burst_ns;
	gate->set |= (uint8_t)ceiling->bit;
}

static void
apply_ceilings(struct sched *sched, uint32_t id, const struct sched_class_params *params)
{
	struct sched_gate *gate = gate_open(sched, id);
	struct sched_node *node = &sched->nodes[id];
	const struct ceiling ceil = {&gate->ceil_tag, &node->ceil_mantissa,
	                             &node->ceil_shift, &node->ceil_burst_ns, GATE_CEIL};
	const struct ceiling peak = {&gate->peak_tag, &gate->peak_mantissa,
	                             &gate->peak_shift, &gate->peak_burst_ns, GATE_PEAK};
	const struct ceiling packets = {&gate->packet_tag, &gate->packet_mantissa,
	                                &gate->packet_shift, &gate->packet_burst_ns,
	                                GATE_PACKETS};
	struct price price;
	unsigned set = 0;

	if (params->ceil_bps) {
		price = price_of_rate(params->ceil_bps);
		apply_ceiling(gate, &ceil, price,
		              burst_to_ns(price, params->ceil_burst_bytes), sched->now);
		set |= GATE_CEIL;
	}
	if (params->peak_bps) {
		price = price_of_rate(params->peak_bps);
		apply_ceiling(gate, &peak, price,
		              burst_to_ns(price, params->peak_burst_bytes), sched->now);
		set |= GATE_PEAK;
	}
	if (params->ceil_pps) {
		price = price_of_packets(params->ceil_pps);
		apply_ceiling(
			gate, &packets, price,
			packet_burst_to_ns(params->ceil_pps, params->ceil_burst_packets),
			sched->now);
		set |= GATE_PACKETS;
	}
	gate->set &= (uint8_t)(set | GATE_PARK);
	gate_close(sched, id);
}

static void
apply_limits(struct sched_node *node, struct sched_node_tail *tail,
             const struct sched_class_params *params)
{
	uint32_t packets =
		params->limit_packets ? params->limit_packets : LIMIT_DEFAULT_PACKETS;
	uint32_t bytes = params->limit_bytes ? params->limit_bytes : LIMIT_DEFAULT_BYTES;

	packets = MIN_OF(packets, LIMIT_MAX);
	bytes = MIN_OF(bytes, LIMIT_MAX);
	node_take_room(node, (int32_t)(tail->limit.packets - packets),
	               (int32_t)(tail->limit.bytes - bytes));
	__atomic_store_n(&tail->limit.packets, packets, __ATOMIC_RELAXED);
	__atomic_store_n(&tail->limit.bytes, bytes, __ATOMIC_RELAXED);
}

void
class_apply_params(struct sched *sched, uint32_t id,
                   const struct sched_class_params *params)
{
	struct sched_node *node = &sched->nodes[id];
	struct price share = share_price(params);
	bool is_new = !node->share_mantissa;

	if (id != NODE_ROOT)
		apply_floor(sched, node, params, is_new);
	apply_ceilings(sched, id, params);
	node->share_mantissa = share.mantissa;
	node->share_shift = share.shift;
	node->priority = params->priority & (SCHED_PRIORITIES - 1U);
	sched->classes[id].params = *params;
	if (node->flags & NODE_LEAF) {
		apply_limits(node, &sched->tails[id], params);
		leaf_apply_params(sched, id, params);
	}
}

/* What the children of a class without floors of their own have between them. */
static uint64_t
implicit_budget_bps(const struct sched *sched, uint32_t id)
{
	const struct sched_class *class = &sched->classes[id];
	uint64_t rate = class->params.floor_bps, left;

	if (id == NODE_ROOT)
		rate = class->params.ceil_bps ? class->params.ceil_bps
		                              : SCHED_RATE_MAX_BPS;
	if (!rate)
		/* A class that has no floor itself hands on its part of its parent's. */
		return sched->classes[sched->nodes[id].parent].child_budget_bps;
	left = rate > class->children_floor_bps ? rate - class->children_floor_bps : 0;
	left = MIN_OF(left, rate / IMPLICIT_PART);
	return MAX_OF(left, rate / IMPLICIT_PART_MIN);
}

void
implicit_floor_update(struct sched *sched, uint32_t parent)
{
	struct sched_class *class = &sched->classes[parent];
	struct sched_node *node = &sched->nodes[parent];
	uint64_t budget = implicit_budget_bps(sched, parent);
	uint32_t parts = class->children - class->children_with_floor;
	struct price price;

	/* In powers of two, so that adding children one by one seldom changes it. */
	if (parts > 1)
		budget >>= 32 - __builtin_clz(parts - 1);
	if (budget == class->child_budget_bps && node->inner.child_floor_mantissa)
		return;
	class->child_budget_bps = budget;
	price = price_of_rate(MIN_OF(budget, IMPLICIT_FLOOR_MAX_BPS));
	node->inner.child_floor_mantissa = price.mantissa;
	node->inner.child_floor_shift = price.shift;
	for (uint32_t id = class->first_child; id; id = sched->classes[id].next_sibling) {
		if (sched->nodes[id].flags & NODE_LEAF)
			return;
		if (!sched->classes[id].params.floor_bps)
			implicit_floor_update(sched, id);
	}
}
