/* control_explain.c - qos/explain: why a class of a port's egress sends what it sends, in
 * words, with one line of advice where there is something to say. Main thread. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/compiler.h"
#include "vswitchd/control_qos.h"

/* From these shares of the last 10 s on something is worth a line of advice. */
#define ADVICE_PER_MILLE      500
#define ADVICE_RING_PER_MILLE 100
#define ADVICE_DROP_AGO_NS    10000000000

void
qos_print_rate(uint64_t bps, struct str *out)
{
	static const struct {
		uint64_t unit;
		const char *name;
	} units[] = {{1000000000, "Gbit/s"}, {1000000, "Mbit/s"}, {1000, "kbit/s"}};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (bps < units[i].unit)
			continue;
		str_printf(out, "%.4g %s", (double)bps / (double)units[i].unit,
		           units[i].name);
		return;
	}
	str_printf(out, "%" PRIu64 " bit/s", bps);
}

void
qos_print_span(uint64_t ns, struct str *out)
{
	if (ns >= 1000000000)
		str_printf(out, "%.3g s", (double)ns / 1e9);
	else if (ns >= 1000000)
		str_printf(out, "%.3g ms", (double)ns / 1e6);
	else
		str_printf(out, "%.3g us", (double)ns / 1e3);
}

static void
print_class(uint32_t number, struct str *out)
{
	if (number == DP_CLASS_ROOT)
		str_append(out, "the root (the link)");
	else
		str_printf(out, "class %" PRIu32, number);
}

void
qos_print_state(enum dp_class_state state, uint32_t who, struct str *out)
{
	static const char *const texts[DP_STATE_N] = {
		[DP_STATE_IDLE] = "no packets",
		[DP_STATE_OWN_FLOOR] = "own floor",
		[DP_STATE_BORROWING] = "borrowing from ",
		[DP_STATE_OWN_CEIL] = "waiting for its own ceiling",
		[DP_STATE_ANCESTOR_CEIL] = "waiting for the ceiling of ",
		[DP_STATE_RING_FULL] = "ring full",
		[DP_STATE_BELOW] = "its classes send or wait on their own",
	};

	str_append(out, texts[state]);
	if (state == DP_STATE_BORROWING || state == DP_STATE_ANCESTOR_CEIL)
		print_class(who, out);
}

/* The root's own ceiling is the link. */
static void
print_state(const struct dp_class_why *why, enum dp_class_state state, uint32_t who,
            struct str *out)
{
	if (why->stats.number == DP_CLASS_ROOT && state == DP_STATE_OWN_CEIL)
		str_append(out, "link at its rate");
	else
		qos_print_state(state, who, out);
}

struct explain {
	struct qos_classes classes;
	struct str *out;
	bool as_json, found;
};

void
qos_print_class_head(const struct qos_classes *classes,
                     const struct dp_class_stats *stats, struct str *out)
{
	const struct dp_class_config *class = qos_classes_find(classes, stats->number);

	print_class(stats->number, out);
	if (stats->floor_bps) {
		str_append(out, ", floor ");
		qos_print_rate(stats->floor_bps, out);
	}
	if (stats->ceil_bps) {
		str_append(out, ", ceiling ");
		qos_print_rate(stats->ceil_bps, out);
	}
	if (class && class->weight)
		str_printf(out, ", weight %u", class->weight);
	if (class && class->priority)
		str_printf(out, ", priority %u", class->priority);
	if (stats->number != DP_CLASS_ROOT) {
		str_append(out, ", below ");
		print_class(stats->parent, out);
	}
}

static void
print_head(const struct explain *x, const struct dp_class_why *why)
{
	const struct running_port *port = x->classes.port;

	str_printf(x->out, "%s, %s: ", port->config.name, port->qos_type);
	qos_print_class_head(&x->classes, &why->stats, x->out);
	str_append_char(x->out, '\n');
}

static void
print_doing(const struct dp_class_why *why, struct str *out)
{
	str_append(out, "  now: ");
	print_state(why, why->state, why->who, out);
	if (why->wait_ns) {
		str_append(out, " until +");
		qos_print_span(why->wait_ns, out);
	}
	if (why->link_is_full &&
	    (why->state == DP_STATE_BORROWING || why->state == DP_STATE_OWN_FLOOR))
		str_append(out, " (the link is at its rate)");
	str_append(out, "\n  last 10 s: ");
	for (uint32_t i = 0; i < why->shares_n; i++) {
		const struct dp_class_share *share = &why->shares[i];

		str_append(out, i ? ", " : "");
		print_state(why, share->state, share->who, out);
		str_printf(out, " %" PRIu32 " %%", (share->per_mille + 5) / 10);
	}
	str_append(out, why->shares_n ? "\n" : "not known yet\n");
}

static void
print_flow(const char *name, uint64_t bps, uint64_t pps, struct str *out)
{
	str_append(out, name);
	qos_print_rate(bps, out);
	str_printf(out, " (%" PRIu64 " packets/s)", pps);
}

static void
print_rates(const struct dp_class_why *why, struct str *out)
{
	const struct dp_class_rates *rates = &why->rates;

	str_append(out, "  rates: ");
	if (!rates->span_ns) {
		str_append(out, "not known yet\n");
		return;
	}
	print_flow("offered ", rates->offered_bps, rates->offered_pps, out);
	print_flow(", sent ", rates->sent_bps, rates->sent_pps, out);
	if (why->stats.number != DP_CLASS_ROOT) {
		str_append(out, ", of that borrowed ");
		qos_print_rate(rates->borrowed_bps, out);
	}
	print_flow(", dropped ", rates->dropped_bps, rates->dropped_pps, out);
	str_append_char(out, '\n');
}

void
qos_print_delay(const char *where, const struct dp_class_delay *delay, struct str *out)
{
	if (!delay->samples)
		return;
	str_printf(out, "  delay in the %s: p50 ", where);
	qos_print_span(delay->p50_ns, out);
	str_append(out, ", p99 ");
	qos_print_span(delay->p99_ns, out);
	str_append(out, ", p99.9 ");
	qos_print_span(delay->p999_ns, out);
	str_append(out, ", max ");
	qos_print_span(delay->max_ns, out);
	str_printf(out, " (of %" PRIu64 " packets)\n", delay->samples);
}

static void
print_drops(const struct dp_class_why *why, struct str *out)
{
	const struct dp_class_stats *stats = &why->stats;

	str_printf(out, "  drops: %" PRIu64 " packets", stats->dropped_packets);
	for (uint32_t i = 0; i < why->drops_n; i++) {
		str_printf(out, "%s %s ", i ? "," : "; last", why->drops[i].reason);
		qos_print_span(why->drops[i].ago_ns, out);
		str_printf(out, " ago (%" PRIu64 " in 0.1 s)", why->drops[i].packets);
	}
	if (stats->marked_packets)
		str_printf(out, "; marked: %" PRIu64, stats->marked_packets);
	str_append_char(out, '\n');
}

/* ---- advice ---- */

static uint32_t
share_of(const struct dp_class_why *why, enum dp_class_state state, uint32_t *who)
{
	for (uint32_t i = 0; i < why->shares_n; i++) {
		if (why->shares[i].state != state)
			continue;
		if (who)
			*who = why->shares[i].who;
		return why->shares[i].per_mille;
	}
	return 0;
}

static bool
advise_ceiling(const struct explain *x, const struct dp_class_why *why, struct str *out)
{
	uint32_t who = DP_CLASS_NONE;
	const struct dp_class_config *above;

	if (share_of(why, DP_STATE_OWN_CEIL, NULL) >= ADVICE_PER_MILLE) {
		if (why->stats.number == DP_CLASS_ROOT)
			str_append(out, "the link is used up: floors decide who gets "
			                "what");
		else
			str_printf(out, "limited by its own ceiling, max-rate=%" PRIu64,
			           why->stats.ceil_bps);
		return true;
	}
	if (share_of(why, DP_STATE_ANCESTOR_CEIL, &who) < ADVICE_PER_MILLE)
		return false;
	above = qos_classes_find(&x->classes, who);
	str_printf(out,
	           "limited by the ceiling of class %" PRIu32 ", max-rate=%" PRIu64
	           ", which all classes below that share",
	           who, above ? above->ceil_bps : 0);
	return true;
}

static bool
advise_queue(const struct dp_class_why *why, struct str *out)
{
	bool drops = why->drops_n && why->drops[0].ago_ns < ADVICE_DROP_AGO_NS;

	if (why->link_is_full && why->stats.queued_packets &&
	    why->stats.number != DP_CLASS_ROOT) {
		str_append(out, "the link is full: a larger min-rate gives it more of "
		                "it");
		return true;
	}
	if (drops && !why->is_inner) {
		str_append(out, "bursts are larger than its queue: see limit-bytes and "
		                "limit-packets");
		return true;
	}
	return false;
}

static void
print_advice(const struct explain *x, const struct dp_class_why *why)
{
	struct str advice = STR_INIT;
	bool is_guest = x->classes.port->config.type == DP_PORT_VHOST_CLIENT ||
	                x->classes.port->config.type == DP_PORT_VHOST_SERVER;

	if (share_of(why, DP_STATE_RING_FULL, NULL) >= ADVICE_RING_PER_MILLE)
		str_printf(&advice, "%s does not take packets as fast as they come",
		           is_guest ? "the guest" : "the port");
	else if (!advise_ceiling(x, why, &advice))
		advise_queue(why, &advice);
	if (advice.length)
		str_printf(x->out, "  advice: %s\n", str_text(&advice));
	str_free(&advice);
}

/* ---- the command ---- */

static void
explain_class(const struct dp_class_why *why, void *aux)
{
	struct explain *x = aux;

	x->found = true;
	if (x->as_json) {
		qos_json_class(&x->classes, why, x->out);
		str_append_char(x->out, '\n');
		return;
	}
	print_head(x, why);
	print_doing(why, x->out);
	print_rates(why, x->out);
	str_printf(x->out, "  queue: %" PRIu32 " packets, %" PRIu32 " bytes\n",
	           why->stats.queued_packets, why->stats.queued_bytes);
	qos_print_delay("queue", &why->delay[DP_DELAY_QUEUE], x->out);
	qos_print_delay("ring", &why->delay[DP_DELAY_RING], x->out);
	print_drops(why, x->out);
	qos_print_gate(x->classes.port, x->out);
	print_advice(x, why);
}

static int
read_class(const char *text, uint32_t *number, struct error *err)
{
	uint64_t value;

	if (!strcmp(text, "root")) {
		*number = DP_CLASS_ROOT;
		return 0;
	}
	if (!parse_u64(text, 0, DP_CLASS_NONE - 1, &value))
		return error_set(err, -EINVAL,
		                 "%.64s: a class is a number, as in QoS.queues, or root, "
		                 "or ingress",
		                 text);
	*number = (uint32_t)value;
	return 0;
}

int
qos_explain(size_t n_args, const char *const *args, struct str *out, struct error *err,
            void *aux)
{
	struct explain x = {.out = out};
	const char *words[2] = {NULL, NULL};
	const struct running_port *port;
	uint32_t number = DP_CLASS_ROOT;
	bool is_ingress;
	size_t n = 0;
	int ret;

	for (size_t i = 0; i < n_args; i++) {
		if (!strcmp(args[i], "--json"))
			x.as_json = true;
		else if (n < ARRAY_SIZE(words))
			words[n++] = args[i];
		else
			return error_set(err, -EINVAL, "one word too many: %.64s",
			                 args[i]);
	}
	if (n < ARRAY_SIZE(words))
		return error_set(err, -EINVAL, "an interface and a class are needed");
	is_ingress = !strcmp(words[1], "ingress");
	ret = is_ingress ? 0 : read_class(words[1], &number, err);
	if (ret < 0)
		return ret;
	port = running_find_port(aux, words[0]);
	if (!port)
		return error_set(err, -ENOENT, "%.64s: no such interface", words[0]);
	if (is_ingress)
		return qos_explain_ingress(port, x.as_json, out, err);
	if (port->qos.kind == DP_QOS_NONE)
		return error_set(err, -ENOENT, "%s has no QoS", words[0]);
	if (port->qos.kind != DP_QOS_TREE)
		return error_set(err, -EINVAL,
		                 "%s has QoS of type %s, which only drops: there are no "
		                 "classes to explain",
		                 words[0], port->qos_type);
	qos_classes_init(&x.classes, port);
	dp_port_qos_why(port->id, number, explain_class, &x);
	qos_classes_destroy(&x.classes);
	if (!x.found)
		return error_set(err, -ENOENT, "%s has no class %s", words[0], words[1]);
	return 0;
}
