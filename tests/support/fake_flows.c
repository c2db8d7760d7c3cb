/* fake_flows.c - the part of datapath.h that OpenFlow needs, remembering instead of
 * forwarding. For tests. Main thread. */
#include "tests/support/fake_flows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct dp_rule {
	uint64_t packets, bytes, used_ns;
};

struct fake_flows fake_flows;

void
fake_flows_reset(void)
{
	str_free(&fake_flows.calls);
	fake_flows =
		(struct fake_flows){.now_ns = 1000000000000ULL, .fail_adds_after = -1};
}

void
fake_flows_count(struct dp_rule *rule, uint64_t packets, uint64_t bytes)
{
	rule->packets += packets;
	rule->bytes += bytes;
	rule->used_ns = fake_flows.now_ns;
}

uint64_t
dp_time_ns(void)
{
	return fake_flows.now_ns;
}

int
dp_rule_add(uint32_t bridge_id, const struct dp_rule_config *config,
            struct dp_rule **rule, struct error *err)
{
	(void)bridge_id;
	fake_flows.rule_id = config->id;
	if (fake_flows.fail_adds_after == 0)
		return error_set(err, -ENOSPC, "the datapath is full");
	if (fake_flows.fail_adds_after > 0)
		fake_flows.fail_adds_after--;
	*rule = xcalloc(1, sizeof(**rule));
	fake_flows.n_rules++;
	str_append(&fake_flows.calls, "rule+ ");
	return 0;
}

int
dp_rule_set(struct dp_rule *rule, const void *actions, size_t actions_bytes,
            uint64_t cookie, struct error *err)
{
	(void)rule, (void)actions, (void)actions_bytes, (void)cookie, (void)err;
	str_append(&fake_flows.calls, "rule= ");
	return 0;
}

void
dp_rule_del(struct dp_rule *rule)
{
	fake_flows.n_rules--;
	str_append(&fake_flows.calls, "rule- ");
	free(rule);
}

void
dp_rule_get_stats(const struct dp_rule *rule, uint64_t *packets, uint64_t *bytes,
                  uint64_t *used_ns)
{
	*packets = rule->packets;
	*bytes = rule->bytes;
	*used_ns = rule->used_ns;
}

void
dp_table_set_miss(uint32_t bridge_id, uint8_t table, enum dp_miss miss)
{
	(void)bridge_id;
	fake_flows.miss[table] = miss;
}

void
dp_bridge_set_egress_table(uint32_t bridge_id, uint8_t table)
{
	(void)bridge_id;
	str_printf(&fake_flows.calls, "egress=%u ", table);
}

void
dp_learn_limit_set(uint32_t bridge_id, const struct dp_learn_limit *limit,
                   bool is_reached)
{
	(void)bridge_id;
	str_printf(&fake_flows.calls, "%s=%u/%llx/%u ", is_reached ? "full" : "room",
	           limit->table, (unsigned long long)limit->cookie, limit->limit);
}

void
dp_table_get_stats(uint32_t bridge_id, uint8_t table, struct dp_table_stats *stats)
{
	(void)bridge_id, (void)table;
	*stats = (struct dp_table_stats){0};
}

int
dp_group_set(uint32_t bridge_id, const struct dp_group_config *config, struct error *err)
{
	(void)bridge_id, (void)err;
	str_printf(&fake_flows.calls, "group+%u ", config->number);
	return 0;
}

void
dp_group_del(uint32_t bridge_id, uint32_t number)
{
	(void)bridge_id;
	str_printf(&fake_flows.calls, "group-%u ", number);
}

int
dp_group_get_stats(uint32_t bridge_id, uint32_t number, struct dp_counts *total,
                   struct dp_counts *buckets, size_t n)
{
	(void)bridge_id, (void)number, (void)total;
	memset(buckets, 0, n * sizeof(*buckets));
	return 0;
}

int
dp_meter_set(uint32_t bridge_id, const struct dp_meter_config *config, struct error *err)
{
	(void)bridge_id, (void)err;
	str_printf(&fake_flows.calls, "meter+%u ", config->number);
	return 0;
}

void
dp_meter_del(uint32_t bridge_id, uint32_t number)
{
	(void)bridge_id;
	str_printf(&fake_flows.calls, "meter-%u ", number);
}

int
dp_meter_get_stats(uint32_t bridge_id, uint32_t number, struct dp_counts *total,
                   struct dp_counts bands[DP_METER_BANDS_MAX])
{
	(void)bridge_id, (void)number, (void)total, (void)bands;
	return 0;
}

void
dp_publish(uint32_t bridge_id)
{
	(void)bridge_id;
	fake_flows.n_publishes++;
	str_append(&fake_flows.calls, "publish ");
}

void
dp_synchronize(void)
{
	fake_flows.n_synchronizes++;
	str_append(&fake_flows.calls, "synchronize ");
}

void
dp_set_punt_handler(void (*punt)(const struct dp_punt *, void *aux), void *aux)
{
	fake_flows.punt = punt;
	fake_flows.punt_aux = aux;
}

void
dp_bridge_set_punt_rate(uint32_t bridge_id, uint32_t pps, uint32_t burst)
{
	(void)bridge_id, (void)burst;
	fake_flows.punt_pps = pps;
}

void
dp_port_set_off(uint32_t port_id, uint32_t bits)
{
	(void)port_id;
	fake_flows.port_off = bits;
}

void
dp_bridge_set_fragments(uint32_t bridge_id, bool are_dropped)
{
	(void)bridge_id, (void)are_dropped;
}

int
dp_packet_out(uint32_t bridge_id, const struct flow_key *key, const void *actions,
              size_t actions_bytes, const uint8_t *data, size_t length, struct error *err)
{
	(void)bridge_id, (void)actions, (void)actions_bytes, (void)data, (void)err;
	fake_flows.out_key = *key;
	fake_flows.out_bytes = length;
	fake_flows.n_outs++;
	str_append(&fake_flows.calls, "packet ");
	return 0;
}

int
dp_resume(uint32_t bridge_id, const struct flow_key *key, const void *continuation,
          size_t n_continuation, const uint8_t *data, size_t length, struct error *err)
{
	(void)bridge_id, (void)data, (void)err;
	fake_flows.out_key = *key;
	fake_flows.out_bytes = length;
	str_append(&fake_flows.calls, "resume:");
	str_append_bytes(&fake_flows.calls, continuation, n_continuation);
	str_append(&fake_flows.calls, " ");
	return 0;
}

/* A walk of one step, and a port that the packet leaves by. */
int
dp_trace(uint32_t bridge_id, const struct dp_trace *trace, struct error *err)
{
	struct dp_trace_step step = {.kind = DP_TRACE_BEGIN, .key = &trace->key};
	const struct dp_trace_fate fate = {.port_id = 5, .class_number = DP_CLASS_NONE};

	(void)bridge_id, (void)err;
	trace->step(&step, trace->aux);
	step.kind = DP_TRACE_TABLE;
	step.drops = true;
	trace->step(&step, trace->aux);
	trace->fate(&fate, trace->aux);
	return 0;
}

/* ---- ports ---- */

int
dp_port_get_status(uint32_t port_id, struct dp_port_status *status)
{
	*status = (struct dp_port_status){.link_up = true, .link_bps = 10000000000ULL};
	status->mac[0] = 2;
	status->mac[5] = (uint8_t)port_id;
	return 0;
}

int
dp_port_get_stats(uint32_t port_id, struct dp_port_stats *stats)
{
	*stats = (struct dp_port_stats){.rx_packets = port_id};
	return 0;
}

enum dp_qos_kind
dp_port_qos_stats(uint32_t port_id, void (*cb)(const struct dp_class_stats *, void *aux),
                  void *aux, uint64_t *time_ns)
{
	(void)port_id, (void)cb, (void)aux;
	*time_ns = 0;
	return DP_QOS_NONE;
}

void
dp_bridge_clear_rules(uint32_t bridge_id)
{
	(void)bridge_id;
}
