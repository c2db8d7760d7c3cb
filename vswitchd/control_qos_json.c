/* control_qos_json.c - the class tree of a port as JSON. Main thread.
 *
 * The JSON of "qos/show --json PORT", one object a port, and of "qos/show --json",
 * {"time_ns", "ports": [object, ...]} for every port that has QoS:
 *
 * port, type (null: none), kind ("none", "tree", "policer", "trtcm"), time_ns (moment
 * of reading), classes: the root first, then by number. And of a tree
 *
 * - overload_ns: how long floors were held back because they could not all be met
 * - overhead_bytes, mpu_bytes: what a frame is charged on top of its length, and at least
 * - catch_up_ns: how much of its rate a ceiling without a burst may catch up on;
 *   quantum_bytes: of one visit to a class; pool_packets: that may be queued in all
 *
 * ingress is null, or of a port whose packets wait in its own ring (on-excess=gate):
 * floor_bps, ceil_bps, peak_bps, ceil_pps (as configured, 0 = none), waiting_packets (in
 * that ring), held_packets (behind the gate), passed_packets, gated_ns (how long so far
 * the ring was left alone), delay_ns: {samples, ...} as below, from one packet in 61:
 * behind the gate. How long they stood in the ring nobody knows but the sender.
 *
 * Of each class:
 *
 * - number, parent: integers; null stands for the root
 * - inner: true if classes hang below it
 * - floor_bps, ceil_bps, peak_bps, floor_pps, ceil_pps, weight, priority: as
 *   configured, 0 = none (weight: from the floor)
 * - burst_bits, peak_burst_bits, burst_packets, limit_bytes, limit_packets, limit_us,
 *   codel_target_us, codel_interval_us, dscp (integers), codel, ecn, fair (true): as
 *   configured, and only those that are
 * - offered_*, sent_*, dropped_* (each packets and bytes), borrowed_bytes, full_packets,
 *   aged_packets, codel_packets (dropped: queue full, too old, CoDel), marked_packets:
 *   counters since the class exists
 * - queued_packets, queued_bytes: now; of an inner class: of all below it
 * - rates: {span_ns, offered_bps, offered_pps, sent_bps, sent_pps, dropped_bps,
 *   dropped_pps, borrowed_bps} over the last second or a little more; not known yet:
 *   {"span_ns": 0}
 * - delay_ns: {queue, ring}, each {samples, p50, p99, p999, max}, over the last 5 to 10
 *   s, from one packet in 64: waiting in the class's queue; for room in the port's ring.
 *   {"samples": 0} where there were none
 * - state: {name, class, in_ns}: what it does now
 * - shares: [{name, class, percent}, ...]: of the last 10 s, largest first; they add up
 *   to 100, or the array is empty
 *
 * name is one of
 *
 * - "idle": no packets
 * - "own_floor": sends on its own floor
 * - "borrowing": sends, in its turn, what 'class' lends it
 * - "own_ceiling": waits for its own ceiling
 * - "ancestor_ceiling": waits for the ceiling of 'class'
 * - "ring_full": the port's ring takes no packet
 * - "below": the classes below send or wait on their own account
 *
 * class is there with "borrowing" and "ancestor_ceiling" only: a number, or "root".
 * in_ns is there with the two ceilings, in 'state' only: how long until it ends. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "vswitchd/control_qos.h"

static const char *const state_names[DP_STATE_N] = {
	[DP_STATE_IDLE] = "idle",
	[DP_STATE_OWN_FLOOR] = "own_floor",
	[DP_STATE_BORROWING] = "borrowing",
	[DP_STATE_OWN_CEIL] = "own_ceiling",
	[DP_STATE_ANCESTOR_CEIL] = "ancestor_ceiling",
	[DP_STATE_RING_FULL] = "ring_full",
	[DP_STATE_BELOW] = "below",
};

static const char *const part_names[DP_DELAY_N] = {
	[DP_DELAY_QUEUE] = "queue",
	[DP_DELAY_RING] = "ring",
};

void
qos_json_string(const char *text, struct str *out)
{
	json_t *string = json_string(text);
	char *encoded = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;

	str_append(out, encoded ? encoded : "null");
	free(encoded);
	json_decref(string);
}

#define FIELDS_MAX  16 /* in a list */
#define FIELD_BYTES 64 /* of one, at most */

/* Returns the end of what it wrote. */
static char *
json_field(char *to, const struct qos_field *field)
{
	char digits[20];
	size_t n = strlen(field->name), at = sizeof(digits);
	uint64_t value = field->value;

	*to++ = '"';
	memcpy(to, field->name, n);
	to += n;
	*to++ = '"';
	*to++ = ':';
	do
		digits[--at] = (char)('0' + value % 10);
	while (value /= 10);
	memcpy(to, digits + at, sizeof(digits) - at);
	return to + sizeof(digits) - at;
}

/* With a comma before all but the first. Ten thousand classes have half a million of
 * fields: no printf(), and one copy for all. */
void
qos_json_fields(const struct qos_field *fields, size_t n, struct str *out)
{
	char text[FIELDS_MAX * FIELD_BYTES], *to = text;

	for (size_t i = 0; i < n && i < FIELDS_MAX; i++) {
		if (i)
			*to++ = ',';
		to = json_field(to, &fields[i]);
	}
	str_append_bytes(out, text, (size_t)(to - text));
}

static void
json_number_or_null(const char *name, uint32_t number, struct str *out)
{
	if (number == DP_CLASS_ROOT)
		str_printf(out, "\"%s\":null,", name);
	else
		str_printf(out, "\"%s\":%" PRIu32 ",", name, number);
}

/* What has a default and was set, or does nothing by default. */
static void
json_settings(const struct dp_class_config *class, struct str *out)
{
	const struct qos_field fields[] = {
		{"burst_bits", class->burst_bits},
		{"peak_burst_bits", class->peak_burst_bits},
		{"burst_packets", class->burst_packets},
		{"limit_bytes", class->limit_bytes},
		{"limit_packets", class->limit_packets},
		{"limit_us", class->limit_us},
		{"codel_target_us", class->codel_target_us},
		{"codel_interval_us", class->codel_interval_us},
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (!fields[i].value)
			continue;
		str_append_char(out, ',');
		qos_json_fields(&fields[i], 1, out);
	}
	if (class->has_dscp)
		str_printf(out, ",\"dscp\":%u", class->dscp);
	if (class->codel)
		str_append(out, ",\"codel\":true");
	if (class->ecn)
		str_append(out, ",\"ecn\":true");
	if (class->fair)
		str_append(out, ",\"fair\":true");
}

/* As configured; the root is the port itself. */
static void
json_config(const struct qos_classes *classes, const struct dp_class_stats *stats,
            struct str *out)
{
	const struct dp_qos_config *qos = &classes->port->qos;
	const struct dp_class_config *class = qos_classes_find(classes, stats->number);
	struct dp_class_config none = {.number = stats->number};

	if (stats->number == DP_CLASS_ROOT) {
		none.burst_bits = qos->burst_bits;
		none.peak_bps = qos->peak_bps;
		none.peak_burst_bits = qos->peak_burst_bits;
		none.ceil_pps = qos->max_pps;
		none.burst_packets = qos->burst_packets;
	}
	class = class ? class : &none;
	const struct qos_field fields[] = {
		{"floor_bps", stats->floor_bps}, {"ceil_bps", stats->ceil_bps},
		{"peak_bps", class->peak_bps},   {"floor_pps", class->floor_pps},
		{"ceil_pps", class->ceil_pps},   {"weight", class->weight},
		{"priority", class->priority},
	};

	qos_json_fields(fields, ARRAY_SIZE(fields), out);
	json_settings(class, out);
}

static void
json_counters(const struct dp_class_stats *stats, struct str *out)
{
	const struct qos_field fields[] = {
		{"offered_packets", stats->offered_packets},
		{"offered_bytes", stats->offered_bytes},
		{"sent_packets", stats->sent_packets},
		{"sent_bytes", stats->sent_bytes},
		{"dropped_packets", stats->dropped_packets},
		{"dropped_bytes", stats->dropped_bytes},
		{"full_packets", stats->full_packets},
		{"aged_packets", stats->aged_packets},
		{"codel_packets", stats->codel_packets},
		{"marked_packets", stats->marked_packets},
		{"borrowed_bytes", stats->borrowed_bytes},
		{"queued_packets", stats->queued_packets},
		{"queued_bytes", stats->queued_bytes},
	};

	qos_json_fields(fields, ARRAY_SIZE(fields), out);
}

static void
json_rates(const struct dp_class_rates *rates, struct str *out)
{
	const struct qos_field fields[] = {
		{"span_ns", rates->span_ns},
		{"offered_bps", rates->offered_bps},
		{"offered_pps", rates->offered_pps},
		{"sent_bps", rates->sent_bps},
		{"sent_pps", rates->sent_pps},
		{"dropped_bps", rates->dropped_bps},
		{"dropped_pps", rates->dropped_pps},
		{"borrowed_bps", rates->borrowed_bps},
	};

	str_append(out, "\"rates\":{");
	qos_json_fields(fields, rates->span_ns ? ARRAY_SIZE(fields) : 1, out);
	str_append(out, "},");
}

void
qos_json_delay(const struct dp_class_delay *delay, struct str *out)
{
	const struct qos_field fields[] = {
		{"samples", delay->samples}, {"p50", delay->p50_ns},
		{"p99", delay->p99_ns},      {"p999", delay->p999_ns},
		{"max", delay->max_ns},
	};

	str_append_char(out, '{');
	qos_json_fields(fields, delay->samples ? ARRAY_SIZE(fields) : 1, out);
	str_append_char(out, '}');
}

static void
json_delays(const struct dp_class_why *why, struct str *out)
{
	str_append(out, "\"delay_ns\":{");
	for (unsigned i = 0; i < DP_DELAY_N; i++) {
		str_append(out, i ? ",\"" : "\"");
		str_append(out, part_names[i]);
		str_append(out, "\":");
		qos_json_delay(&why->delay[i], out);
	}
	str_append(out, "},");
}

/* The name of a state and whom it is about. */
static void
json_state(enum dp_class_state state, uint32_t who, struct str *out)
{
	str_printf(out, "{\"name\":\"%s\"", state_names[state]);
	if (who == DP_CLASS_ROOT)
		str_append(out, ",\"class\":\"root\"");
	else if (who != DP_CLASS_NONE)
		str_printf(out, ",\"class\":%" PRIu32, who);
}

void
qos_json_class(const struct qos_classes *classes, const struct dp_class_why *why,
               struct str *out)
{
	const struct dp_class_stats *stats = &why->stats;

	str_append_char(out, '{');
	json_number_or_null("number", stats->number, out);
	json_number_or_null("parent", stats->parent, out);
	str_append(out, why->is_inner ? "\"inner\":true," : "\"inner\":false,");
	json_config(classes, stats, out);
	str_append_char(out, ',');
	json_counters(stats, out);
	str_append_char(out, ',');
	json_rates(&why->rates, out);
	json_delays(why, out);
	str_append(out, "\"state\":");
	json_state(why->state, why->who, out);
	if (why->state == DP_STATE_OWN_CEIL || why->state == DP_STATE_ANCESTOR_CEIL)
		str_printf(out, ",\"in_ns\":%" PRIu64, why->wait_ns);
	str_append(out, "},\"shares\":[");
	for (uint32_t i = 0; i < why->shares_n; i++) {
		str_append(out, i ? "," : "");
		json_state(why->shares[i].state, why->shares[i].who, out);
		str_printf(out, ",\"percent\":%" PRIu32 ".%" PRIu32 "}",
		           why->shares[i].per_mille / 10, why->shares[i].per_mille % 10);
	}
	str_append(out, "]}");
}

struct json_list {
	struct qos_classes classes;
	struct str *out;
	bool has_some;
};

static void
json_add_class(const struct dp_class_why *why, void *aux)
{
	struct json_list *list = aux;

	str_append(list->out, list->has_some ? ",\n" : "\n");
	list->has_some = true;
	qos_json_class(&list->classes, why, list->out);
}

static void
json_tree(const struct running_port *port, struct str *out)
{
	struct dp_tree_status status;

	dp_port_tree_status(port->id, &status);
	const struct qos_field fields[] = {
		{"overload_ns", status.overload_ns},
		{"mpu_bytes", port->qos.mpu_bytes},
		{"catch_up_ns", status.catch_up_ns},
		{"quantum_bytes", status.quantum_bytes},
		{"pool_packets", status.pool_packets},
	};

	str_printf(out, ",\"overhead_bytes\":%" PRIi32 ",", port->qos.overhead_bytes);
	qos_json_fields(fields, ARRAY_SIZE(fields), out);
}

void
qos_json_port(const struct running_port *port, struct str *out)
{
	static const char *const kinds[] = {
		[DP_QOS_NONE] = "none",
		[DP_QOS_TREE] = "tree",
		[DP_QOS_POLICER] = "policer",
		[DP_QOS_TRTCM] = "trtcm",
	};
	struct json_list list = {.out = out};

	str_append(out, "{\"port\":");
	qos_json_string(port->config.name, out);
	str_append(out, ",\"type\":");
	if (port->qos_type)
		qos_json_string(port->qos_type, out);
	else
		str_append(out, "null");
	str_printf(out, ",\"kind\":\"%s\",\"time_ns\":%" PRIu64, kinds[port->qos.kind],
	           dp_time_ns());
	if (port->qos.kind == DP_QOS_TREE)
		json_tree(port, out);
	str_append(out, ",\"ingress\":");
	if (!qos_json_ingress(port, out))
		str_append(out, "null");
	str_append(out, ",\"classes\":[");
	qos_classes_init(&list.classes, port);
	dp_port_qos_why(port->id, DP_CLASS_NONE, json_add_class, &list);
	qos_classes_destroy(&list.classes);
	str_append(out, "]}");
}
