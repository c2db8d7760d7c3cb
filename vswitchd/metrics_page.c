/* metrics_page.c - writes what is known as Prometheus reads it (text format 0.0.4): all
 * lines of a metric together, so what they say is collected first. Main thread. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "vswitchd/metrics.h"

/* Bounds of delays in the histograms: 4 us to 17 s in steps of four, as le= says. */
#define DELAY_BOUNDS 12
#define DELAY_FIRST  4096ULL /* ns; the powers of two where buckets end */

struct page_port {
	uint32_t id;
	char *label; /* port="..." */
	struct dp_port_stats stats;
	struct dp_tree_status tree; /* zeroes without one */
};

struct page_class {
	uint32_t port; /* index */
	struct dp_class_stats stats;
};

struct page_drop {
	uint32_t port; /* index */
	char reason[32];
	uint64_t packets;
};

struct metrics_page {
	struct page_port *ports;
	struct page_class *classes;
	struct page_drop *drops;
	struct dp_worker_stats *workers;
	size_t n_ports, n_classes, n_drops, n_workers;
	size_t max_classes, max_drops;
	unsigned metric; /* the next to write, and of which things */
	size_t at;
	bool has_begun; /* the metric: its type is told */
};

/* How it stands in the statistics. */
enum value { VALUE_64, VALUE_32, VALUE_BITS /* shown as bytes */ };

enum scope { OF_PORTS, OF_TREES, OF_DROPS, OF_CLASSES, OF_DELAYS, OF_WORKERS };

struct metric {
	const char *name, *type, *help;
	enum scope scope;
	const char *label; /* further ones, with a comma before them, or NULL */
	size_t offset;     /* of the value in the statistics */
	enum value value;
};

#define PORT(name, field, help)                                         \
	{                                                               \
		"weir_port_" name, "counter", help, OF_PORTS, NULL,     \
			offsetof(struct dp_port_stats, field), VALUE_64 \
	}
#define CLASS(name, type, field, help, how)                           \
	{                                                             \
		"weir_qos_class_" name, type, help, OF_CLASSES, NULL, \
			offsetof(struct dp_class_stats, field), how   \
	}
/* More lines of the metric before: without a help of their own. */
#define CLASS_DROP(field, reason, help)                                    \
	{                                                                  \
		"weir_qos_class_drops_total", "counter", help, OF_CLASSES, \
			",reason=\"" reason "\"",                          \
			offsetof(struct dp_class_stats, field), VALUE_64   \
	}
#define WORKER(name, field, label, help)                                  \
	{                                                                 \
		"weir_worker_" name, "counter", help, OF_WORKERS, label,  \
			offsetof(struct dp_worker_stats, field), VALUE_64 \
	}

static const struct metric metrics[] = {
	PORT("rx_packets_total", rx_packets, "Packets that came in."),
	PORT("rx_bytes_total", rx_bytes, "Bytes that came in."),
	PORT("tx_packets_total", tx_packets, "Packets that went out."),
	PORT("tx_bytes_total", tx_bytes, "Bytes that went out."),
	{"weir_qos_overload_seconds_total", "counter",
         "Time in which floors were held back: they could not all be met.", OF_TREES,
         NULL, offsetof(struct dp_tree_status, overload_ns), VALUE_64},
	{"weir_port_drops_total", "counter", "Packets dropped, by reason.", OF_DROPS,
         NULL, 0, VALUE_64},
	CLASS("offered_packets_total", "counter", offered_packets,
              "Packets sent, dropped or queued.", VALUE_64),
	CLASS("offered_bytes_total", "counter", offered_bytes,
              "Bytes sent, dropped or queued.", VALUE_64),
	CLASS("sent_packets_total", "counter", sent_packets, "Packets sent.", VALUE_64),
	CLASS("sent_bytes_total", "counter", sent_bytes, "Bytes sent.", VALUE_64),
	CLASS("borrowed_bytes_total", "counter", borrowed_bytes,
              "Bytes sent on the account of a class above.", VALUE_64),
	CLASS("dropped_bytes_total", "counter", dropped_bytes, "Bytes dropped.",
              VALUE_64),
	CLASS_DROP(full_packets, "queue_full", "Packets dropped, by reason."),
	CLASS_DROP(aged_packets, "aged", NULL),
	CLASS_DROP(codel_packets, "codel", NULL),
	CLASS("marked_packets_total", "counter", marked_packets,
              "Packets sent with a congestion mark.", VALUE_64),
	CLASS("queued_packets", "gauge", queued_packets, "Packets in the queue.",
              VALUE_32),
	CLASS("queued_bytes", "gauge", queued_bytes, "Bytes in the queue.", VALUE_32),
	CLASS("floor_bytes_per_second", "gauge", floor_bps, "The floor, as configured.",
              VALUE_BITS),
	CLASS("ceiling_bytes_per_second", "gauge", ceil_bps,
              "The ceiling, as configured; 0: none.", VALUE_BITS),
	{"weir_qos_class_delay_seconds", "histogram",
         "Delay of one packet in 64, in the queue and for room in the port's ring.",
         OF_DELAYS, NULL, 0, VALUE_64},
	WORKER("packets_total", packets, NULL, "Packets received."),
	WORKER("drops_total", drops, NULL, "Packets dropped."),
	WORKER("cycles_total", busy_cycles, ",state=\"busy\"", "Cycles of its core."),
	WORKER("cycles_total", idle_cycles, ",state=\"idle\"", NULL),
	WORKER("cycles_total", sleep_cycles, ",state=\"sleep\"", NULL),
};

/* ---- collecting ---- */

/* A label's value may hold anything but needs a backslash before these. */
static char *
port_label(const char *name)
{
	struct str label = STR_INIT;

	str_append(&label, "port=\"");
	for (; *name; name++) {
		if (*name == '\n') {
			str_append(&label, "\\n");
			continue;
		}
		if (*name == '"' || *name == '\\')
			str_append_char(&label, '\\');
		str_append_char(&label, *name);
	}
	str_append_char(&label, '"');
	return str_steal(&label);
}

static void
collect_class(const struct dp_class_stats *stats, void *aux)
{
	struct metrics_page *page = aux;

	if (page->n_classes == page->max_classes) {
		page->max_classes = 2 * page->max_classes + 64;
		page->classes = xrealloc(page->classes,
		                         page->max_classes * sizeof(*page->classes));
	}
	page->classes[page->n_classes].port = (uint32_t)page->n_ports;
	page->classes[page->n_classes++].stats = *stats;
}

static void
collect_counter(const char *name, uint64_t value, void *aux)
{
	struct metrics_page *page = aux;
	struct page_drop *drop;

	/* One that never happened is one that nobody misses. */
	if (strncmp(name, "drop_", 5) || !value)
		return;
	if (page->n_drops == page->max_drops) {
		page->max_drops = 2 * page->max_drops + 64;
		page->drops =
			xrealloc(page->drops, page->max_drops * sizeof(*page->drops));
	}
	drop = &page->drops[page->n_drops++];
	drop->port = (uint32_t)page->n_ports;
	snprintf(drop->reason, sizeof(drop->reason), "%s", name + 5);
	drop->packets = value;
}

static void
collect_worker(const struct dp_worker_stats *stats, const struct dp_rxq_status *queues,
               void *aux)
{
	struct metrics_page *page = aux;

	(void)queues;
	if (page->n_workers < DP_WORKERS_MAX)
		page->workers[page->n_workers++] = *stats;
}

struct metrics_page *
metrics_page_create(const struct running *running)
{
	struct metrics_page *page = xcalloc(1, sizeof(*page));
	size_t n;
	struct running_port **ports = running_list_ports(running, NULL, &n);
	uint64_t time_ns;

	page->ports = xcalloc(n + 1, sizeof(*page->ports));
	page->workers = xcalloc(DP_WORKERS_MAX, sizeof(*page->workers));
	for (size_t i = 0; i < n; i++) {
		struct page_port *port = &page->ports[page->n_ports];

		port->id = ports[i]->id;
		if (dp_port_get_stats(port->id, &port->stats) < 0)
			continue;
		port->label = port_label(ports[i]->config.name);
		dp_port_counters(port->id, collect_counter, page);
		dp_port_qos_stats(port->id, collect_class, page, &time_ns);
		dp_port_tree_status(port->id, &port->tree);
		page->n_ports++;
	}
	free(ports);
	if (running->is_started)
		dp_workers_dump(collect_worker, page);
	return page;
}

void
metrics_page_destroy(struct metrics_page *page)
{
	if (!page)
		return;
	for (size_t i = 0; i < page->n_ports; i++)
		free(page->ports[i].label);
	free(page->ports);
	free(page->classes);
	free(page->drops);
	free(page->workers);
	free(page);
}

/* ---- writing ---- */

static uint64_t
value_of(const struct metric *metric, const void *stats)
{
	const char *at = (const char *)stats + metric->offset;
	uint32_t small;
	uint64_t value;

	if (metric->value == VALUE_32) {
		memcpy(&small, at, sizeof(small));
		return small;
	}
	memcpy(&value, at, sizeof(value));
	return metric->value == VALUE_BITS ? value / 8 : value;
}

static void
write_class_label(const struct metrics_page *page, const struct page_class *class,
                  struct str *out)
{
	str_append(out, page->ports[class->port].label);
	if (class->stats.number == DP_CLASS_ROOT)
		str_append(out, ",class=\"root\"");
	else
		str_printf(out, ",class=\"%" PRIu32 "\"", class->stats.number);
}

static void
write_histogram(const struct metrics_page *page, const struct metric *metric,
                const struct page_class *class, enum dp_delay_part part, const char *name,
                struct str *out)
{
	uint64_t bounds[DELAY_BOUNDS], counts[DELAY_BOUNDS], total, sum_ns;
	struct str label = STR_INIT;

	for (unsigned i = 0; i < DELAY_BOUNDS; i++)
		bounds[i] = DELAY_FIRST << 2 * i;
	if (!dp_class_delay_counts(page->ports[class->port].id, class->stats.number, part,
	                           bounds, DELAY_BOUNDS, counts, &total, &sum_ns))
		return;
	write_class_label(page, class, &label);
	str_printf(&label, ",part=\"%s\"", name);
	for (unsigned i = 0; i < DELAY_BOUNDS; i++)
		str_printf(out, "%s_bucket{%s,le=\"%.9g\"} %" PRIu64 "\n", metric->name,
		           str_text(&label), (double)bounds[i] / 1e9, counts[i]);
	str_printf(out, "%s_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n", metric->name,
	           str_text(&label), total);
	str_printf(out, "%s_sum{%s} %.9f\n", metric->name, str_text(&label),
	           (double)sum_ns / 1e9);
	str_printf(out, "%s_count{%s} %" PRIu64 "\n", metric->name, str_text(&label),
	           total);
	str_free(&label);
}

static size_t
scope_count(const struct metrics_page *page, enum scope scope)
{
	switch (scope) {
	case OF_PORTS:
	case OF_TREES:
		return page->n_ports;
	case OF_DROPS:
		return page->n_drops;
	case OF_CLASSES:
	case OF_DELAYS:
		return page->n_classes;
	case OF_WORKERS:
		return page->n_workers;
	}
	return 0;
}

static void
write_one(const struct metrics_page *page, const struct metric *metric, size_t at,
          struct str *out)
{
	const char *more = metric->label ? metric->label : "";

	switch (metric->scope) {
	case OF_PORTS:
		str_printf(out, "%s{%s} %" PRIu64 "\n", metric->name,
		           page->ports[at].label,
		           value_of(metric, &page->ports[at].stats));
		return;
	case OF_TREES:
		str_printf(out, "%s{%s} %.9f\n", metric->name, page->ports[at].label,
		           (double)value_of(metric, &page->ports[at].tree) / 1e9);
		return;
	case OF_DROPS:
		str_printf(out, "%s{%s,reason=\"%s\"} %" PRIu64 "\n", metric->name,
		           page->ports[page->drops[at].port].label,
		           page->drops[at].reason, page->drops[at].packets);
		return;
	case OF_CLASSES:
		str_printf(out, "%s{", metric->name);
		write_class_label(page, &page->classes[at], out);
		str_printf(out, "%s} %" PRIu64 "\n", more,
		           value_of(metric, &page->classes[at].stats));
		return;
	case OF_DELAYS:
		write_histogram(page, metric, &page->classes[at], DP_DELAY_QUEUE, "queue",
		                out);
		write_histogram(page, metric, &page->classes[at], DP_DELAY_RING, "ring",
		                out);
		return;
	case OF_WORKERS:
		if (page->workers[at].core < 0)
			str_printf(out, "%s{core=\"kernel\"%s} ", metric->name, more);
		else
			str_printf(out, "%s{core=\"%d\"%s} ", metric->name,
			           page->workers[at].core, more);
		str_printf(out, "%" PRIu64 "\n", value_of(metric, &page->workers[at]));
		return;
	}
}

bool
metrics_page_write(struct metrics_page *page, size_t bytes, struct str *out)
{
	while (page->metric < ARRAY_SIZE(metrics)) {
		const struct metric *metric = &metrics[page->metric];
		size_t n = scope_count(page, metric->scope);

		if (!page->has_begun && n > 0 && metric->help)
			str_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name,
			           metric->help, metric->name, metric->type);
		page->has_begun = true;
		for (; page->at < n; page->at++) {
			if (out->length >= bytes)
				return true;
			write_one(page, metric, page->at, out);
		}
		page->metric++;
		page->at = 0;
		page->has_begun = false;
	}
	return false;
}
