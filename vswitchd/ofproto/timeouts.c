/* timeouts.c - a wheel of rules by the time at which they are to be looked at. Main
 * thread. */
#include "vswitchd/ofproto/timeouts.h"

#include "base/clock.h"
#include "vswitchd/ofproto/eviction.h"

#define TICK_NS (250 * NSEC_PER_MSEC)

void
timeouts_init(struct ofproto *ofproto, uint64_t now_ns)
{
	for (size_t i = 0; i < TIMEOUT_SLOTS; i++)
		list_init(&ofproto->slots[i]);
	ofproto->tick = now_ns / TICK_NS;
}

/* Not before the next tick, and not further than the wheel goes: it is looked at again
 * then. */
static void
put(struct ofproto *ofproto, struct rule *rule, uint64_t deadline_ns)
{
	uint64_t tick = (deadline_ns + TICK_NS - 1) / TICK_NS;

	tick = MAX_OF(tick, ofproto->tick + 1);
	tick = MIN_OF(tick, ofproto->tick + TIMEOUT_SLOTS - 1);
	list_push_back(&ofproto->slots[tick % TIMEOUT_SLOTS], &rule->timeout);
}

void
timeouts_schedule(struct ofproto *ofproto, struct rule *rule, uint64_t now_ns)
{
	uint64_t deadline_ns;
	bool is_hard;

	(void)now_ns;
	eviction_update(ofproto->tables[rule->table].eviction, rule);
	list_remove(&rule->timeout);
	if (!rule->idle_s && !rule->hard_s)
		return;
	deadline_ns = rule_deadline_ns(rule, &is_hard);
	put(ofproto, rule, deadline_ns);
}

static void
shrink(uint16_t *timeout_s, uint16_t most_s)
{
	if (most_s && (!*timeout_s || *timeout_s > most_s))
		*timeout_s = most_s;
}

void
timeouts_shrink(struct ofproto *ofproto, uint64_t rule_id, uint16_t idle_s,
                uint16_t hard_s)
{
	struct rule *rule;

	HMAP_FOR_EACH_WITH_HASH (rule, fin, hash_u64(rule_id, 0), &ofproto->fin_rules) {
		if (rule->id != rule_id)
			continue;
		shrink(&rule->idle_s, idle_s);
		shrink(&rule->hard_s, hard_s);
		timeouts_schedule(ofproto, rule, dp_time_ns());
		return;
	}
}

void
timeouts_collect(struct ofproto *ofproto, uint64_t now_ns, size_t limit,
                 struct rule_list *idle, struct rule_list *hard)
{
	const uint64_t now_tick = now_ns / TICK_NS;
	struct list *node;

	if (now_tick > ofproto->tick + TIMEOUT_SLOTS)
		ofproto->tick = now_tick - TIMEOUT_SLOTS; /* each slot once will do */
	while (ofproto->tick < now_tick) {
		struct list *slot = &ofproto->slots[(ofproto->tick + 1) % TIMEOUT_SLOTS];
		struct list due;

		list_init(&due);
		while (idle->n + hard->n < limit && (node = list_pop_front(slot))) {
			struct rule *rule = CONTAINER_OF(node, struct rule, timeout);
			bool is_hard;
			const uint64_t deadline_ns = rule_deadline_ns(rule, &is_hard);

			if (deadline_ns > now_ns)
				list_push_back(&due, &rule->timeout);
			else
				rule_list_add(is_hard ? hard : idle, rule);
		}
		if (!list_is_empty(slot) && list_is_empty(&due))
			return; /* the rest next time */
		if (list_is_empty(slot))
			ofproto->tick++;
		while ((node = list_pop_front(&due))) {
			struct rule *rule = CONTAINER_OF(node, struct rule, timeout);
			bool is_hard;

			put(ofproto, rule, rule_deadline_ns(rule, &is_hard));
		}
		if (idle->n + hard->n >= limit)
			return;
	}
}
