/* simulate_report.c - prints the outcome of a simulation, and the difference of two. */
#include <config.h>

#include "simulate_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "units.h"

#define NAME_COLUMNS   22
#define CHANGED_SHARE  0.01 /* of a rate: less is not worth a line */
#define CHANGED_BPS    1e4
#define CHANGED_FACTOR 1.5 /* of a delay */
#define CHANGED_NS     50e3

static const char *const floor_names[] = {
	[SIMULATE_FLOOR_NONE] = "-",
	[SIMULATE_FLOOR_IDLE] = "idle",
	[SIMULATE_FLOOR_MET] = "met",
	[SIMULATE_FLOOR_SHORT] = "SHORT",
};

static double
bps_of(const struct simulate_outcome *outcome, uint64_t bytes)
{
	return (double)bytes * 8 / outcome->seconds;
}

static double
sent_bps(const struct simulate_outcome *outcome, size_t i)
{
	return bps_of(outcome, outcome->results[i].sent_bytes);
}

/* ---- the order of the lines: each class below its parent ---- */

struct walk {
	size_t *first_child, *next_sibling; /* n: the root's children */
};

static void
walk_init(struct walk *walk, const struct simulate_tree *tree)
{
	walk->first_child = xmalloc((tree->n + 1) * sizeof(size_t));
	walk->next_sibling = xmalloc((tree->n + 1) * sizeof(size_t));
	for (size_t i = 0; i <= tree->n; i++)
		walk->first_child[i] = walk->next_sibling[i] = SIMULATE_NONE;
	for (size_t i = tree->n; i-- > 0;) {
		size_t parent = tree->classes[i].parent_index;

		if (parent == SIMULATE_NONE)
			parent = tree->n;
		walk->next_sibling[i] = walk->first_child[parent];
		walk->first_child[parent] = i;
	}
}

static void
walk_destroy(struct walk *walk)
{
	free(walk->first_child);
	free(walk->next_sibling);
}

/* The class after 'i', or SIMULATE_NONE. */
static size_t
walk_next(const struct walk *walk, const struct simulate_tree *tree, size_t i)
{
	if (walk->first_child[i] != SIMULATE_NONE)
		return walk->first_child[i];
	while (i != SIMULATE_NONE && walk->next_sibling[i] == SIMULATE_NONE)
		i = tree->classes[i].parent_index;
	return i == SIMULATE_NONE ? i : walk->next_sibling[i];
}

/* ---- one outcome ---- */

static void
print_amount(struct str *out, double value)
{
	char text[UNITS_TEXT_BYTES];

	units_format_amount(value, text);
	str_printf(out, " %8s", text);
}

static void
print_time(struct str *out, double ns)
{
	char text[UNITS_TEXT_BYTES];

	units_format_time(ns, text);
	str_printf(out, " %7s", text);
}

static void
print_name(struct str *out, const struct simulate_class *class)
{
	char name[NAME_COLUMNS + 32];
	int indent = (int)class->depth * 2;

	if (class->number == SIMULATE_ROOT)
		snprintf(name, sizeof(name), "link");
	else
		snprintf(name, sizeof(name), "%*sclass %" PRIu32, indent, "",
		         class->number);
	str_printf(out, "%-*s", NAME_COLUMNS, name);
}

static void
print_outcome(const struct simulate_outcome *outcome, size_t i, struct str *out)
{
	const struct simulate_tree *tree = outcome->tree;
	const struct simulate_class *class =
		i < tree->n ? &tree->classes[i] : &tree->root;
	const struct simulate_result *result = &outcome->results[i];

	print_name(out, class);
	print_amount(out, class->floor_bps ? (double)class->floor_bps : -1);
	print_amount(out, class->ceil_bps ? (double)class->ceil_bps : -1);
	if (result->is_backlogged)
		str_printf(out, " %8s", "all");
	else
		print_amount(out, bps_of(outcome, result->offered_bytes));
	print_amount(out, sent_bps(outcome, i));
	print_amount(out, bps_of(outcome, result->borrowed_bytes));
	print_amount(out, bps_of(outcome, result->dropped_bytes));
	str_printf(out, " %-6s", floor_names[result->floor]);
	print_time(out, result->p50_ns);
	print_time(out, result->p99_ns);
	print_time(out, result->max_ns);
	str_append_char(out, '\n');
}

void
simulate_report_text(const struct simulate_outcome *outcome, struct str *out)
{
	const struct simulate_tree *tree = outcome->tree;
	struct walk walk;

	str_printf(out, "%-*s %8s %8s %8s %8s %8s %8s %-6s %7s %7s %7s\n", NAME_COLUMNS,
	           "", "floor", "ceiling", "offered", "got", "borrowed", "dropped",
	           "floor?", "p50", "p99", "max");
	print_outcome(outcome, tree->n, out);
	walk_init(&walk, tree);
	for (size_t i = walk.first_child[tree->n]; i != SIMULATE_NONE;
	     i = walk_next(&walk, tree, i))
		print_outcome(outcome, i, out);
	walk_destroy(&walk);
}

static json_t *
json_delay(double ns)
{
	return ns < 0 ? json_null() : json_integer((json_int_t)ns);
}

static json_t *
json_class(const struct simulate_outcome *outcome, size_t i)
{
	static const char *const names[] = {
		[SIMULATE_FLOOR_NONE] = "none",
		[SIMULATE_FLOOR_IDLE] = "idle",
		[SIMULATE_FLOOR_MET] = "met",
		[SIMULATE_FLOOR_SHORT] = "short",
	};
	const struct simulate_tree *tree = outcome->tree;
	const struct simulate_class *class =
		i < tree->n ? &tree->classes[i] : &tree->root;
	const struct simulate_result *result = &outcome->results[i];
	json_t *json = json_object();
	const struct {
		const char *name;
		double value;
	} numbers[] = {
		{"floor_bps", (double)class->floor_bps},
		{"ceil_bps", (double)class->ceil_bps},
		{"offered_bps", bps_of(outcome, result->offered_bytes)},
		{"sent_bps", bps_of(outcome, result->sent_bytes)},
		{"borrowed_bps", bps_of(outcome, result->borrowed_bytes)},
		{"dropped_bps", bps_of(outcome, result->dropped_bytes)},
		{"offered_packets", (double)result->offered_packets},
		{"sent_packets", (double)result->sent_packets},
		{"dropped_packets", (double)result->dropped_packets},
		{"marked_packets", (double)result->marked_packets},
		{"lag_bytes", result->max_lag_bytes},
	};

	json_object_set_new(json, "number",
	                    i < tree->n ? json_integer(class->number) : json_null());
	json_object_set_new(json, "parent",
	                    class->parent == SIMULATE_ROOT ? json_null()
	                                                   : json_integer(class->parent));
	simulate_class_to_json(class, json);
	for (size_t k = 0; k < ARRAY_SIZE(numbers); k++)
		json_object_set_new(json, numbers[k].name,
		                    json_integer((json_int_t)llround(numbers[k].value)));
	json_object_set_new(json, "backlogged", json_boolean(result->is_backlogged));
	json_object_set_new(json, "floor", json_string(names[result->floor]));
	json_object_set_new(json, "delay_p50_ns", json_delay(result->p50_ns));
	json_object_set_new(json, "delay_p99_ns", json_delay(result->p99_ns));
	json_object_set_new(json, "delay_max_ns", json_delay(result->max_ns));
	return json;
}

json_t *
simulate_report_json(const struct simulate_outcome *outcome)
{
	json_t *top = json_object(), *classes = json_array();

	json_array_append_new(classes, json_class(outcome, outcome->tree->n));
	for (size_t i = 0; i < outcome->tree->n; i++)
		json_array_append_new(classes, json_class(outcome, i));
	json_object_set_new(top, "seconds", json_real(outcome->seconds));
	json_object_set_new(top, "overhead_bytes",
	                    json_integer(outcome->tree->overhead_bytes));
	json_object_set_new(top, "mpu_bytes",
	                    json_integer((json_int_t)outcome->tree->mpu_bytes));
	json_object_set_new(top, "classes", classes);
	return top;
}

/* ---- the difference of two ---- */

static bool
delay_changed(double before_ns, double after_ns)
{
	if (before_ns < 0 || after_ns < 0)
		return false;
	return fabs(after_ns - before_ns) > CHANGED_NS &&
	       (after_ns > before_ns * CHANGED_FACTOR ||
	        before_ns > after_ns * CHANGED_FACTOR);
}

static bool
class_changed(const struct simulate_outcome *before, size_t i,
              const struct simulate_outcome *after, size_t j)
{
	double old_bps, new_bps;

	if (i == SIMULATE_NONE || j == SIMULATE_NONE)
		return true;
	old_bps = sent_bps(before, i);
	new_bps = sent_bps(after, j);
	return fabs(new_bps - old_bps) > CHANGED_BPS + CHANGED_SHARE * old_bps ||
	       before->results[i].floor != after->results[j].floor ||
	       delay_changed(before->results[i].p99_ns, after->results[j].p99_ns);
}

static void
print_change(const struct simulate_outcome *before, size_t i,
             const struct simulate_outcome *after, size_t j, struct str *out)
{
	const struct simulate_result *old = NULL, *new = NULL;
	double old_bps = -1, new_bps = -1;
	char text[UNITS_TEXT_BYTES];

	if (i != SIMULATE_NONE) {
		old = &before->results[i];
		old_bps = sent_bps(before, i);
	}
	if (j != SIMULATE_NONE) {
		new = &after->results[j];
		new_bps = sent_bps(after, j);
	}
	print_name(out, j == SIMULATE_NONE    ? &before->tree->classes[i]
	                : j == after->tree->n ? &after->tree->root
	                                      : &after->tree->classes[j]);
	print_amount(out, old_bps);
	print_amount(out, new_bps);
	units_format_amount(fabs(MAX_OF(new_bps, 0) - MAX_OF(old_bps, 0)), text);
	str_printf(out, " %c%7s", MAX_OF(new_bps, 0) < MAX_OF(old_bps, 0) ? '-' : '+',
	           text);
	str_printf(out, " %-6s %-6s", old ? floor_names[old->floor] : "-",
	           new ? floor_names[new->floor] : "-");
	print_time(out, old ? old->p99_ns : -1);
	print_time(out, new ? new->p99_ns : -1);
	str_append_char(out, '\n');
}

void
simulate_report_difference(const struct simulate_outcome *before,
                           const struct simulate_outcome *after, struct str *out)
{
	const struct simulate_tree *tree = after->tree;
	size_t same = 0;
	struct walk walk;

	str_printf(out, "%-*s %8s %8s %8s %-6s %-6s %7s %7s\n", NAME_COLUMNS, "", "got",
	           "then", "change", "floor?", "then", "p99", "then");
	print_change(before, before->tree->n, after, tree->n, out);
	walk_init(&walk, tree);
	for (size_t j = walk.first_child[tree->n]; j != SIMULATE_NONE;
	     j = walk_next(&walk, tree, j)) {
		size_t i = simulate_tree_find(before->tree, tree->classes[j].number);

		if (class_changed(before, i, after, j))
			print_change(before, i, after, j, out);
		else
			same++;
	}
	walk_destroy(&walk);
	for (size_t i = 0; i < before->tree->n; i++)
		if (simulate_tree_find(tree, before->tree->classes[i].number) ==
		    SIMULATE_NONE)
			print_change(before, i, after, SIMULATE_NONE, out);
	if (same)
		str_printf(out, "%zu other classes: as before\n", same);
}
