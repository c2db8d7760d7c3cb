/* top_view.c - the rows of weir-top: order, filter, collapsed subtrees, text. Pure. */
#include <config.h>

#include "top_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "units.h"

#define NAME_MIN  14
#define BAR_MIN   8
#define BAR_MAX   40
#define DEPTH_MAX 64

static const char *const sort_names[TOP_SORTS] = {
	[TOP_BY_NAME] = "name",
	[TOP_BY_RATE] = "rate",
	[TOP_BY_DROPS] = "drops",
	[TOP_BY_DELAY] = "delay",
};

const char *
top_sort_name(enum top_sort sort)
{
	return sort_names[sort];
}

bool
top_sort_parse(const char *name, enum top_sort *sort)
{
	for (int i = 0; i < TOP_SORTS; i++)
		if (!strcmp(sort_names[i], name)) {
			*sort = (enum top_sort)i;
			return true;
		}
	return false;
}

/* ---- collapsed classes ---- */

struct collapsed {
	struct hmap_node node;
	char port[TOP_NAME_BYTES];
	uint32_t number;
};

void
top_view_init(struct top_view *view)
{
	*view = (struct top_view){.selected_number = TOP_ROOT};
	hmap_init(&view->collapsed);
}

static void
collapsed_clear(struct top_view *view)
{
	struct collapsed *one;

	HMAP_FOR_EACH (one, node, &view->collapsed) {
		hmap_remove(&view->collapsed, &one->node);
		free(one);
	}
}

void
top_view_destroy(struct top_view *view)
{
	collapsed_clear(view);
	hmap_destroy(&view->collapsed);
	free(view->rows);
}

static struct collapsed *
collapsed_find(const struct top_view *view, const char *port, uint32_t number)
{
	struct collapsed *one;

	HMAP_FOR_EACH_WITH_HASH (one, node, hash_string(port, number), &view->collapsed)
		if (one->number == number && !strcmp(one->port, port))
			return one;
	return NULL;
}

static void
collapsed_add(struct top_view *view, const char *port, uint32_t number)
{
	struct collapsed *one = xcalloc(1, sizeof(*one));

	snprintf(one->port, sizeof(one->port), "%s", port);
	one->number = number;
	hmap_insert(&view->collapsed, &one->node, hash_string(port, number));
}

bool
top_view_toggle(struct top_view *view)
{
	const struct top_row *row;
	struct collapsed *one;
	uint32_t number;

	if (view->selected >= view->n_rows || view->is_flat)
		return false;
	row = &view->rows[view->selected];
	number = row->port->classes[row->class].number;
	if (row->port->classes[row->class].first_child == TOP_NONE)
		return false;
	one = collapsed_find(view, row->port->name, number);
	if (one) {
		hmap_remove(&view->collapsed, &one->node);
		free(one);
	} else {
		collapsed_add(view, row->port->name, number);
	}
	return true;
}

void
top_view_collapse_all(struct top_view *view, const struct top_snapshot *snapshot,
                      bool collapse)
{
	collapsed_clear(view);
	for (size_t p = 0; collapse && p < snapshot->n; p++)
		for (size_t i = 1; i < snapshot->ports[p].n; i++)
			if (snapshot->ports[p].classes[i].first_child != TOP_NONE)
				collapsed_add(view, snapshot->ports[p].name,
				              snapshot->ports[p].classes[i].number);
}

/* ---- rows ---- */

static void
row_name(const struct top_port *port, const struct top_class *class, char *name,
         size_t size)
{
	if (class->number == TOP_ROOT)
		snprintf(name, size, "%s", port->name);
	else
		snprintf(name, size, "class %" PRIu32, class->number);
}

static bool
class_matches(const struct top_view *view, const struct top_port *port,
              const struct top_class *class)
{
	char name[TOP_NAME_BYTES];

	row_name(port, class, name, sizeof(name));
	return strcasestr(name, view->filter) || strcasestr(class->state, view->filter) ||
	       strcasestr(port->name, view->filter);
}

/* Whether each class of the port is shown: it matches, or one below it does. */
static bool *
port_match(const struct top_view *view, const struct top_port *port)
{
	bool *shown = xcalloc(port->n + 1, sizeof(*shown));

	for (size_t i = 0; i < port->n; i++) {
		if (!class_matches(view, port, &port->classes[i]))
			continue;
		shown[i] = true;
		for (size_t up = port->classes[i].parent_index;
		     up != TOP_NONE && !shown[up] && !view->is_flat;
		     up = port->classes[up].parent_index)
			shown[up] = true;
	}
	return shown;
}

static void
view_append(struct top_view *view, const struct top_port *port, size_t class,
            unsigned indent)
{
	if (view->n_rows == view->allocated) {
		view->allocated = view->allocated ? view->allocated * 2 : 256;
		view->rows = xrealloc(view->rows, view->allocated * sizeof(*view->rows));
	}
	view->rows[view->n_rows++] =
		(struct top_row){.port = port, .class = class, .indent = indent};
}

/* What larger values of stand first. */
static double
sort_value(enum top_sort sort, const struct top_class *class)
{
	switch (sort) {
	case TOP_BY_RATE:
		return class->sent_bps;
	case TOP_BY_DROPS:
		return class->dropped_pps;
	case TOP_BY_DELAY:
		return class->p99_ns;
	case TOP_BY_NAME:
	case TOP_SORTS:
		break;
	}
	return 0;
}

static int
row_compare(const void *a, const void *b, void *aux)
{
	const struct top_view *view = aux;
	const struct top_row *x = a, *y = b;
	const struct top_class *c = &x->port->classes[x->class];
	const struct top_class *d = &y->port->classes[y->class];
	double v = sort_value(view->sort, c), w = sort_value(view->sort, d);
	int order = (v < w) - (v > w);

	if (!order)
		order = strcmp(x->port->name, y->port->name);
	/* The index is the order of numbers, with the root first. */
	if (!order)
		order = (x->class > y->class) - (x->class < y->class);
	return view->is_reversed ? -order : order;
}

static size_t
count_below(const struct top_port *port, size_t class)
{
	size_t count = 0, i = port->classes[class].first_child;

	while (i != TOP_NONE) {
		count++;
		if (port->classes[i].first_child != TOP_NONE) {
			i = port->classes[i].first_child;
			continue;
		}
		while (i != class && port->classes[i].next_sibling == TOP_NONE)
			i = port->classes[i].parent_index;
		i = i == class ? TOP_NONE : port->classes[i].next_sibling;
	}
	return count;
}

/* Appends the class and, unless it is collapsed, those below it in their order. 'scratch'
 * has room for a row of each class of the port behind 'used'. */
static void
view_add_class(struct top_view *view, const struct top_port *port, size_t class,
               unsigned indent, const bool *shown, struct top_row *scratch)
{
	size_t n = 0;

	view_append(view, port, class, indent);
	if (port->classes[class].first_child == TOP_NONE || indent > DEPTH_MAX)
		return;
	if (!view->filter[0] &&
	    collapsed_find(view, port->name, port->classes[class].number)) {
		view->rows[view->n_rows - 1].n_hidden = count_below(port, class);
		return;
	}
	for (size_t i = port->classes[class].first_child; i != TOP_NONE;
	     i = port->classes[i].next_sibling)
		if (!shown || shown[i])
			scratch[n++] = (struct top_row){.port = port, .class = i};
	qsort_r(scratch, n, sizeof(*scratch), row_compare, view);
	for (size_t k = 0; k < n; k++)
		view_add_class(view, port, scratch[k].class, indent + 1, shown,
		               scratch + n);
}

static void
view_add_port(struct top_view *view, const struct top_port *port)
{
	bool *shown = view->filter[0] ? port_match(view, port) : NULL;
	struct top_row *scratch = NULL;

	if (view->is_flat) {
		for (size_t i = 0; i < port->n; i++)
			if (!shown || shown[i])
				view_append(view, port, i, 0);
	} else if (!shown || shown[0]) {
		scratch = xcalloc(port->n + 1, sizeof(*scratch));
		view_add_class(view, port, 0, 0, shown, scratch);
	}
	free(scratch);
	free(shown);
}

/* Finds the row of the selected class again. Who looks at the first row wants to see
 * what comes first, whatever that is. */
static void
view_find_selected(struct top_view *view)
{
	if (view->selected == 0 && !view->is_pinned)
		return;
	for (size_t i = 0; i < view->n_rows; i++) {
		const struct top_row *row = &view->rows[i];

		if (row->port->classes[row->class].number == view->selected_number &&
		    !strcmp(row->port->name, view->selected_port)) {
			view->selected = i;
			return;
		}
	}
	if (view->selected >= view->n_rows)
		view->selected = view->n_rows ? view->n_rows - 1 : 0;
}

static void
view_note_selected(struct top_view *view)
{
	const struct top_row *row = &view->rows[view->selected];

	if (view->selected >= view->n_rows)
		return;
	snprintf(view->selected_port, sizeof(view->selected_port), "%s", row->port->name);
	view->selected_number = row->port->classes[row->class].number;
}

void
top_view_update(struct top_view *view, const struct top_snapshot *snapshot)
{
	struct top_row *ports = xcalloc(snapshot->n + 1, sizeof(*ports));

	view->n_rows = 0;
	for (size_t p = 0; p < snapshot->n; p++)
		ports[p].port = &snapshot->ports[p];
	qsort_r(ports, snapshot->n, sizeof(*ports), row_compare, view);
	for (size_t p = 0; p < snapshot->n; p++)
		view_add_port(view, ports[p].port);
	free(ports);
	if (view->is_flat)
		qsort_r(view->rows, view->n_rows, sizeof(*view->rows), row_compare, view);
	view_find_selected(view);
	view_note_selected(view);
}

void
top_view_move(struct top_view *view, long rows, size_t height)
{
	size_t last = view->n_rows ? view->n_rows - 1 : 0;

	if (rows < 0)
		view->selected -= MIN_OF(view->selected, (size_t)-rows);
	else
		view->selected +=
			MIN_OF(last - MIN_OF(last, view->selected), (size_t)rows);
	view->selected = MIN_OF(view->selected, last);
	if (view->selected < view->top)
		view->top = view->selected;
	if (height && view->selected >= view->top + height)
		view->top = view->selected - height + 1;
	/* No empty lines below the last row while rows above are hidden. */
	if (view->n_rows <= height)
		view->top = 0;
	else if (view->top > view->n_rows - height)
		view->top = view->n_rows - height;
	if (view->n_rows)
		view_note_selected(view);
}

/* ---- text ---- */

#define FIXED_FORMAT "%8s %8s %8s %8s %8s %7s %7s %7s"
#define FIXED_WIDTH  69 /* columns of FIXED_FORMAT, with a blank before */
#define STATE_WIDTH  21

struct layout {
	int name, bar, state;
};

static struct layout
layout_of(size_t width)
{
	struct layout layout = {.name = NAME_MIN};
	int rest = (int)width - NAME_MIN - FIXED_WIDTH;

	if (rest > STATE_WIDTH) {
		layout.state = STATE_WIDTH;
		rest -= STATE_WIDTH;
	}
	if (rest > 12) {
		layout.name += 8;
		rest -= 8;
	}
	if (rest > BAR_MIN + 3)
		layout.bar = MIN_OF(rest - 3, BAR_MAX);
	return layout;
}

/* '=' up to the rate while it is within the floor, '#' for what is above it, '|' where
 * the floor ends, '.' up to the ceiling. */
static void
format_bar(const struct top_port *port, const struct top_class *class, int width,
           char *bar)
{
	double full =
		(double)(class->ceil_bps ? class->ceil_bps : port->classes[0].ceil_bps);
	double rate = MAX_OF(class->sent_bps, 0);
	int filled, floor;

	if (full <= 0)
		full = MAX_OF(rate, 1);
	filled = (int)(MIN_OF(rate / full, 1) * width + 0.5);
	floor = (int)(MIN_OF((double)class->floor_bps / full, 1) * width + 0.5);
	for (int i = 0; i < width; i++)
		bar[i] = i < MIN_OF(filled, floor) ? '=' : i < filled ? '#' : '.';
	if (class->floor_bps && floor > 0)
		bar[floor - 1] = '|';
	bar[width] = '\0';
}

static void
format_line(size_t width, const struct layout *layout, const char *name, const char *bar,
            const char *fixed, const char *state, char line[TOP_LINE_BYTES])
{
	int n;

	width = MIN_OF(width, TOP_LINE_BYTES - 1);
	n = snprintf(line, TOP_LINE_BYTES, "%-*.*s", layout->name, layout->name, name);
	if (layout->bar)
		n += snprintf(line + n, (size_t)(TOP_LINE_BYTES - n), " %c%-*s%c",
		              *bar == ' ' ? ' ' : '[', layout->bar, bar,
		              *bar == ' ' ? ' ' : ']');
	n += snprintf(line + n, (size_t)(TOP_LINE_BYTES - n), " %s", fixed);
	if (layout->state)
		n += snprintf(line + n, (size_t)(TOP_LINE_BYTES - n), " %-.*s",
		              layout->state - 1, state);
	for (; (size_t)n < width; n++)
		line[n] = ' ';
	line[width] = '\0';
}

void
top_view_format_header(size_t width, char line[TOP_LINE_BYTES])
{
	struct layout layout = layout_of(width);
	char fixed[FIXED_WIDTH + 32];

	snprintf(fixed, sizeof(fixed), FIXED_FORMAT, "rate", "floor", "ceiling",
	         "borrowed", "drops/s", "queue", "p50", "p99");
	format_line(width, &layout, "port, class", " ", fixed, "state", line);
}

void
top_view_format(const struct top_row *row, size_t width, char line[TOP_LINE_BYTES])
{
	const struct top_class *class = &row->port->classes[row->class];
	struct layout layout = layout_of(width);
	char name[2 * DEPTH_MAX + TOP_NAME_BYTES + 64], bar[BAR_MAX + 1],
		own[TOP_NAME_BYTES];
	char amounts[6][UNITS_TEXT_BYTES], times[2][UNITS_TEXT_BYTES];
	char fixed[8 * UNITS_TEXT_BYTES + 8];
	bool is_root = class->number == TOP_ROOT;

	row_name(row->port, class, own, sizeof(own));
	snprintf(name, sizeof(name), "%*s%s%s", (int)MIN_OF(row->indent, DEPTH_MAX) * 2,
	         "", row->n_hidden ? "+" : "", own);
	format_bar(row->port, class, layout.bar, bar);
	units_format_amount(class->sent_bps, amounts[0]);
	units_format_amount(class->floor_bps ? (double)class->floor_bps : -1, amounts[1]);
	units_format_amount(class->ceil_bps ? (double)class->ceil_bps : -1, amounts[2]);
	units_format_amount(is_root ? -1 : class->borrowed_bps, amounts[3]);
	units_format_amount(class->dropped_pps, amounts[4]);
	units_format_amount((double)class->queued_packets, amounts[5]);
	units_format_time(class->p50_ns, times[0]);
	units_format_time(class->p99_ns, times[1]);
	snprintf(fixed, sizeof(fixed), FIXED_FORMAT, amounts[0], amounts[1], amounts[2],
	         amounts[3], amounts[4], amounts[5], times[0], times[1]);
	format_line(width, &layout, name, bar, fixed,
	            is_root && !class->state[0] ? row->port->type : class->state, line);
}

enum top_tone
top_view_tone(const struct top_row *row)
{
	const struct top_class *class = &row->port->classes[row->class];

	if (class->dropped_pps > 0)
		return TOP_TONE_DROPS;
	if (class->number == TOP_ROOT)
		return TOP_TONE_PORT;
	if (class->sent_bps <= 0 && !class->queued_packets)
		return TOP_TONE_IDLE;
	if (strstr(class->state, "ceiling") || strstr(class->state, "full"))
		return TOP_TONE_WAITS;
	return class->borrowed_bps > 0 ? TOP_TONE_BORROWS : TOP_TONE_PLAIN;
}
