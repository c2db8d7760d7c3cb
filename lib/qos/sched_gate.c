/* sched_gate.c - the second ceilings of sched_gate.h. Owner thread. */
#include "qos/sched_gate.h"

struct sched_gate *
gate_open(struct sched *sched, uint32_t id)
{
	const struct sched_node *node = &sched->nodes[id];
	struct sched_gate *gate = &sched->gates[id];

	if (!node->gated) {
		gate->set = node->flags & NODE_HAS_CEIL ? GATE_CEIL : 0;
		gate->ceil_tag = node->ceil_tag;
	}
	return gate;
}

/* The latest of all tags; 'now' or before if none holds the class back. */
static uint64_t
gate_latest(const struct sched_gate *gate, uint64_t now)
{
	uint64_t latest = now;

	if ((gate->set & GATE_CEIL) && tick_is_after(gate->ceil_tag, latest))
		latest = gate->ceil_tag;
	if ((gate->set & GATE_PEAK) && tick_is_after(gate->peak_tag, latest))
		latest = gate->peak_tag;
	if ((gate->set & GATE_PACKETS) && tick_is_after(gate->packet_tag, latest))
		latest = gate->packet_tag;
	if ((gate->set & GATE_PARK) && tick_is_after(gate->park_tag, latest))
		latest = gate->park_tag;
	return latest;
}

void
gate_close(struct sched *sched, uint32_t id)
{
	struct sched_node *node = &sched->nodes[id];
	struct sched_gate *gate = &sched->gates[id];

	if ((gate->set & GATE_PARK) && !tick_is_after(gate->park_tag, sched->now))
		gate->set &= (uint8_t)~GATE_PARK;
	node->gated = (gate->set & ~GATE_CEIL) != 0;
	node->ceil_tag = node->gated ? gate_latest(gate, sched->now) : gate->ceil_tag;
	node->flags &= (uint8_t)~NODE_HAS_CEIL;
	if (gate->set)
		node->flags |= NODE_HAS_CEIL;
	if (node_is_red(sched, node))
		sched_note_red(sched, node->ceil_tag);
}

void
gate_charge(struct sched *sched, uint32_t id, uint32_t bytes, uint32_t packets)
{
	struct sched_node *node = &sched->nodes[id];
	struct sched_gate *gate = &sched->gates[id];

	if (gate->set & GATE_CEIL)
		gate->ceil_tag = ceil_tag_charged(
			gate->ceil_tag, sched->now, node->ceil_burst_ns,
			price_of_bytes(node->ceil_mantissa, node->ceil_shift, bytes));
	if (gate->set & GATE_PEAK)
		gate->peak_tag = ceil_tag_charged(
			gate->peak_tag, sched->now, gate->peak_burst_ns,
			price_of_bytes(gate->peak_mantissa, gate->peak_shift, bytes));
	if (gate->set & GATE_PACKETS)
		gate->packet_tag = ceil_tag_charged(
			gate->packet_tag, sched->now, gate->packet_burst_ns,
			price_of_bytes(gate->packet_mantissa, gate->packet_shift,
		                       packets * PACKET_UNITS));
	gate_close(sched, id);
}
