/* top_data.c - reads the JSON of qos/show for weir-top. Pure. */
#include <config.h>

#include "top_data.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/mem.h"

#define NUMBER_MAX  0xfffffffd
#define NS_PER_SEC  1e9
#define MIN_SPAN_NS 1e6 /* two snapshots nearer than that give no rates */
#define LEVELS_MAX  64  /* against cycles: a tree has less */

/* ---- reading ---- */

static uint64_t
get_u64(const json_t *json, const char *name)
{
	const json_t *value = json_object_get(json, name);

	return json_is_integer(value) && json_integer_value(value) > 0
	               ? (uint64_t)json_integer_value(value)
	               : 0;
}

static uint32_t
get_number(const json_t *json, const char *name)
{
	const json_t *value = json_object_get(json, name);

	return json_is_integer(value) && json_integer_value(value) >= 0 &&
	                       json_integer_value(value) <= NUMBER_MAX
	               ? (uint32_t)json_integer_value(value)
	               : TOP_ROOT;
}

/* What a terminal of any kind can show. */
static void
copy_text(char *to, size_t size, const char *from)
{
	size_t i;

	for (i = 0; i + 1 < size && from[i]; i++)
		to[i] = from[i] >= ' ' && from[i] <= '~' ? from[i] : '?';
	to[i] = '\0';
}

static void
read_state(struct top_class *class, const json_t *json)
{
	static const struct {
		const char *name, *text;
	} names[] = {
		{"own_floor", "own floor"},        {"borrowing", "borrows from"},
		{"own_ceiling", "at its ceiling"}, {"ancestor_ceiling", "ceiling of"},
		{"ring_full", "port is full"},     {"below", ""},
	};
	const json_t *state = json_object_get(json, "state");
	const json_t *other = json_object_get(state, "class");
	const char *name = json_string_value(json_object_get(state, "name"));
	char text[sizeof(class->state)];

	if (!name)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i].name, name)) {
			name = names[i].text;
			break;
		}
	if (json_is_integer(other))
		snprintf(text, sizeof(text), "%.20s %" PRIu32, name,
		         get_number(state, "class"));
	else if (json_is_string(other))
		snprintf(text, sizeof(text), "%.20s %.10s", name,
		         json_string_value(other));
	else
		snprintf(text, sizeof(text), "%.30s", name);
	copy_text(class->state, sizeof(class->state), text);
}

static void
read_rates(struct top_class *class, const json_t *json)
{
	const json_t *rates = json_object_get(json, "rates");

	class->sent_bps = class->borrowed_bps = class->dropped_pps = -1;
	if (!get_u64(rates, "span_ns"))
		return;
	class->sent_bps = (double)get_u64(rates, "sent_bps");
	class->borrowed_bps = (double)get_u64(rates, "borrowed_bps");
	class->dropped_pps = (double)get_u64(rates, "dropped_pps");
}

static void
read_class(struct top_class *class, const json_t *json)
{
	const json_t *queue = json_object_get(json_object_get(json, "delay_ns"), "queue");

	class->number = get_number(json, "number");
	class->parent = get_number(json, "parent");
	class->floor_bps = get_u64(json, "floor_bps");
	class->ceil_bps = get_u64(json, "ceil_bps");
	class->sent_bytes = get_u64(json, "sent_bytes");
	class->sent_packets = get_u64(json, "sent_packets");
	class->dropped_packets = get_u64(json, "dropped_packets");
	class->borrowed_bytes = get_u64(json, "borrowed_bytes");
	class->queued_packets = get_u64(json, "queued_packets");
	class->p50_ns = class->p99_ns = -1;
	if (get_u64(queue, "samples")) {
		class->p50_ns = (double)get_u64(queue, "p50");
		class->p99_ns = (double)get_u64(queue, "p99");
	}
	read_rates(class, json);
	read_state(class, json);
}

static int
class_compare(const void *a, const void *b)
{
	const struct top_class *x = a, *y = b;

	/* The root, whose number is the largest, comes first. */
	return (x->number + 1 > y->number + 1) - (x->number + 1 < y->number + 1);
}

size_t
top_port_find(const struct top_port *port, uint32_t number)
{
	const struct top_class key = {.number = number};
	const struct top_class *found = port->n ? bsearch(&key, port->classes, port->n,
	                                                  sizeof(key), class_compare)
	                                        : NULL;

	return found ? (size_t)(found - port->classes) : TOP_NONE;
}

/* Parents that are not there, and cycles, become children of the root. */
static void
port_link(struct top_port *port)
{
	for (size_t i = 0; i < port->n; i++) {
		struct top_class *class = &port->classes[i];

		class->first_child = class->next_sibling = TOP_NONE;
		class->parent_index = i ? top_port_find(port, class->parent) : TOP_NONE;
		if (i && class->parent_index == TOP_NONE)
			class->parent_index = 0;
	}
	for (size_t i = 1; i < port->n; i++) {
		struct top_class *class = &port->classes[i];
		size_t up = class->parent_index;

		for (class->depth = 1; up && class->depth < LEVELS_MAX; class->depth++)
			up = port->classes[up].parent_index;
		if (up) {
			class->parent_index = 0;
			class->depth = 1;
		}
	}
	for (size_t i = port->n; i-- > 1;) {
		struct top_class *class = &port->classes[i];
		struct top_class *parent = &port->classes[class->parent_index];

		class->next_sibling = parent->first_child;
		parent->first_child = i;
	}
}

/* False if the port has no classes. */
static bool
read_port(struct top_port *port, const json_t *json)
{
	const json_t *classes = json_object_get(json, "classes"), *class;
	const char *name = json_string_value(json_object_get(json, "port"));
	const char *type = json_string_value(json_object_get(json, "type"));
	bool has_root = false;
	size_t i;

	*port = (struct top_port){.n = 0};
	if (!name || !json_array_size(classes))
		return false;
	copy_text(port->name, sizeof(port->name), name);
	copy_text(port->type, sizeof(port->type), type ? type : "");
	port->time_ns = get_u64(json, "time_ns");
	/* One more, should the root be missing. */
	port->classes = xcalloc(json_array_size(classes) + 1, sizeof(*port->classes));
	json_array_foreach((json_t *)(uintptr_t)classes, i, class)
	{
		if (!json_is_object(class))
			continue;
		read_class(&port->classes[port->n], class);
		has_root |= port->classes[port->n].number == TOP_ROOT;
		port->n++;
	}
	if (!has_root)
		read_class(&port->classes[port->n++], NULL);
	qsort(port->classes, port->n, sizeof(*port->classes), class_compare);
	port_link(port);
	return true;
}

static int
port_compare(const void *a, const void *b)
{
	const struct top_port *x = a, *y = b;

	return strcmp(x->name, y->name);
}

struct top_snapshot *
top_snapshot_parse(const char *text, struct error *err)
{
	struct top_snapshot *snapshot;
	const json_t *ports, *port;
	json_error_t why;
	json_t *top = json_loads(text, 0, &why);
	size_t i;

	if (!top) {
		error_set(err, -EPROTO, "the daemon's answer is no JSON: line %d: %s",
		          why.line, why.text);
		return NULL;
	}
	snapshot = xcalloc(1, sizeof(*snapshot));
	ports = json_object_get(top, "ports");
	snapshot->ports = xcalloc(json_array_size(ports) + 1, sizeof(*snapshot->ports));
	json_array_foreach((json_t *)(uintptr_t)ports, i,
	                   port) if (read_port(&snapshot->ports[snapshot->n], port))
		snapshot->n++;
	if (!ports && read_port(&snapshot->ports[0], top))
		snapshot->n++;
	qsort(snapshot->ports, snapshot->n, sizeof(*snapshot->ports), port_compare);
	json_decref(top);
	return snapshot;
}

void
top_snapshot_merge(struct top_snapshot *snapshot, struct top_snapshot *more)
{
	snapshot->ports = xrealloc(snapshot->ports, (snapshot->n + more->n + 1) *
	                                                    sizeof(*snapshot->ports));
	memcpy(&snapshot->ports[snapshot->n], more->ports,
	       more->n * sizeof(*more->ports));
	snapshot->n += more->n;
	qsort(snapshot->ports, snapshot->n, sizeof(*snapshot->ports), port_compare);
	free(more->ports);
	free(more);
}

void
top_snapshot_destroy(struct top_snapshot *snapshot)
{
	if (!snapshot)
		return;
	for (size_t i = 0; i < snapshot->n; i++)
		free(snapshot->ports[i].classes);
	free(snapshot->ports);
	free(snapshot);
}

const struct top_port *
top_snapshot_find(const struct top_snapshot *snapshot, const char *name)
{
	struct top_port key;

	snprintf(key.name, sizeof(key.name), "%s", name);
	return bsearch(&key, snapshot->ports, snapshot->n, sizeof(key), port_compare);
}

/* ---- rates ---- */

static double
per_second(uint64_t now, uint64_t before, double span_ns)
{
	return now >= before ? (double)(now - before) * NS_PER_SEC / span_ns : -1;
}

void
top_snapshot_compare(struct top_snapshot *snapshot, const struct top_snapshot *earlier)
{
	for (size_t p = 0; p < snapshot->n; p++) {
		struct top_port *port = &snapshot->ports[p];
		const struct top_port *old = top_snapshot_find(earlier, port->name);
		double span_ns = old ? (double)port->time_ns - (double)old->time_ns : 0;

		if (span_ns < MIN_SPAN_NS)
			continue;
		for (size_t i = 0; i < port->n; i++) {
			struct top_class *class = &port->classes[i];
			size_t k = top_port_find(old, class->number);
			const struct top_class *was;

			if (class->sent_bps >= 0 || k == TOP_NONE)
				continue;
			was = &old->classes[k];
			class->sent_bps = 8 * per_second(class->sent_bytes,
			                                 was->sent_bytes, span_ns);
			class->borrowed_bps =
				8 * per_second(class->borrowed_bytes, was->borrowed_bytes,
			                       span_ns);
			class->dropped_pps = per_second(class->dropped_packets,
			                                was->dropped_packets, span_ns);
		}
	}
}
