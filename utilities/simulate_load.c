/* simulate_load.c - reads loads: text lines and recordings. Pure. */
#include <config.h>

#include "simulate_load.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "base/str.h"
#include "simulate_lines.h"
#include "units.h"

#define BLANKS        " \t\r"
#define FRAME_BYTES   1514
#define SIZE_MIN      64
#define SIZE_MAX_TSO  65549 /* 64 KB of segmentation offload with its headers */
#define FLOWS_MAX     65536
#define NUMBER_MAX    0xfffffffd
#define RATE_MAX_BPS  UINT64_C(10000000000000)
#define RATE_MIN_BPS  100
#define SNAPSHOTS_MAX 100000

void
simulate_loads_init(struct simulate_loads *loads)
{
	*loads = (struct simulate_loads){0};
}

void
simulate_loads_destroy(struct simulate_loads *loads)
{
	for (size_t i = 0; i < loads->n; i++)
		free(loads->loads[i].samples);
	free(loads->loads);
	simulate_loads_init(loads);
}

static struct simulate_load *
loads_append(struct simulate_loads *loads, const struct simulate_load *load)
{
	if (loads->n == loads->allocated) {
		loads->allocated = loads->allocated ? loads->allocated * 2 : 64;
		loads->loads =
			xrealloc(loads->loads, loads->allocated * sizeof(*loads->loads));
	}
	loads->loads[loads->n] = *load;
	return &loads->loads[loads->n++];
}

bool
simulate_loads_name(const struct simulate_loads *loads, uint32_t number)
{
	for (size_t i = 0; i < loads->n; i++) {
		const struct simulate_load *load = &loads->loads[i];

		if (!load->is_default && number >= load->first && number <= load->last)
			return true;
	}
	return false;
}

/* ---- text ---- */

static int
read_classes(struct simulate_load *load, const char *word, struct error *err)
{
	char copy[32], *dash;
	uint64_t first, last;

	if (word && !strcmp(word, "*")) {
		load->is_default = true;
		return 0;
	}
	snprintf(copy, sizeof(copy), "%s", word ? word : "");
	dash = strchr(copy, '-');
	if (dash)
		*dash++ = '\0';
	if (!parse_u64(copy, 0, NUMBER_MAX, &first) ||
	    !parse_u64(dash ? dash : copy, first, NUMBER_MAX, &last))
		return error_set(err, -EINVAL,
		                 "class: \"%s\" is no number, no range N-M and no *",
		                 word ? word : "");
	load->first = (uint32_t)first;
	load->last = (uint32_t)last;
	return 0;
}

static int
read_rate(const char *text, uint64_t *bps, struct error *err)
{
	if (!text || !units_parse_amount(text, bps) || *bps < RATE_MIN_BPS ||
	    *bps > RATE_MAX_BPS)
		return error_set(err, -EINVAL, "\"%s\" is no rate from %d bit/s to 10T",
		                 text ? text : "", RATE_MIN_BPS);
	return 0;
}

static int
read_kind(struct simulate_load *load, char **rest, struct error *err)
{
	const char *word = strtok_r(NULL, BLANKS, rest);

	if (!word)
		return error_set(err, -EINVAL,
		                 "needs a load: rate, poisson, on-off or backlogged");
	if (!strcmp(word, "backlogged")) {
		load->kind = SIMULATE_LOAD_BACKLOGGED;
		return 0;
	}
	if (!strcmp(word, "rate")) {
		load->kind = SIMULATE_LOAD_RATE;
	} else if (!strcmp(word, "poisson")) {
		load->kind = SIMULATE_LOAD_POISSON;
	} else if (!strcmp(word, "on-off")) {
		load->kind = SIMULATE_LOAD_RATE;
		load->on_ns = load->off_ns = 100000000;
	} else {
		return error_set(err, -EINVAL,
		                 "\"%s\" is no load (rate, poisson, on-off, backlogged)",
		                 word);
	}
	return read_rate(strtok_r(NULL, BLANKS, rest), &load->bps, err);
}

static bool
read_bytes(const char *text, uint32_t *bytes)
{
	uint64_t value;

	if (!strcasecmp(text, "64K")) {
		*bytes = SIZE_MAX_TSO;
		return true;
	}
	if (!parse_u64(text, SIZE_MIN, SIZE_MAX_TSO, &value))
		return false;
	*bytes = (uint32_t)value;
	return true;
}

static int
read_size(struct simulate_load *load, const char *text, struct error *err)
{
	char copy[32], *dash;

	load->imix = !strcmp(text, "imix");
	if (load->imix)
		return 0;
	snprintf(copy, sizeof(copy), "%s", text);
	dash = strchr(copy, '-');
	if (dash)
		*dash++ = '\0';
	if (!read_bytes(copy, &load->size_min) ||
	    !read_bytes(dash ? dash : copy, &load->size_max) ||
	    load->size_min > load->size_max)
		return error_set(
			err, -EINVAL,
			"size: \"%s\" is no length from %d to 64K, no range and not imix",
			text, SIZE_MIN);
	return 0;
}

static int
read_pair(struct simulate_load *load, const char *name, const char *value,
          struct error *err)
{
	const struct {
		const char *name;
		uint64_t *ns;
	} times[] = {{"start", &load->start_ns},
	             {"stop", &load->stop_ns},
	             {"on", &load->on_ns},
	             {"off", &load->off_ns}};
	uint64_t number;

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		if (strcmp(times[i].name, name) != 0)
			continue;
		if (!units_parse_time_ns(value, times[i].ns))
			return error_set(err, -EINVAL, "%s: \"%s\" is no time", name,
			                 value);
		return 0;
	}
	if (!strcmp(name, "size"))
		return read_size(load, value, err);
	if (!strcmp(name, "flows")) {
		if (!parse_u64(value, 1, FLOWS_MAX, &number))
			return error_set(err, -EINVAL,
			                 "flows: \"%s\" is no number from 1 to %d", value,
			                 FLOWS_MAX);
		load->flows = (uint32_t)number;
		return 0;
	}
	if (!strcmp(name, "ecn")) {
		if (!parse_bool(value, &load->ecn))
			return error_set(err, -EINVAL,
			                 "ecn: \"%s\" is neither true nor false", value);
		return 0;
	}
	return error_set(err, -EINVAL, "unknown key \"%s\"", name);
}

static int
read_line(struct simulate_load *load, char **rest, struct error *err)
{
	int ret = read_classes(load, strtok_r(NULL, BLANKS, rest), err);
	const char *name, *value;

	if (!ret)
		ret = read_kind(load, rest, err);
	while (!ret && (name = strtok_r(NULL, BLANKS, rest)) != NULL) {
		value = strtok_r(NULL, BLANKS, rest);
		if (!value)
			return error_set(err, -EINVAL, "%s: has no value", name);
		ret = read_pair(load, name, value, err);
	}
	if (!ret && load->stop_ns <= load->start_ns)
		ret = error_set(err, -EINVAL, "stops before it starts");
	if (!ret && load->off_ns && !load->on_ns)
		ret = error_set(err, -EINVAL, "on: must be above 0");
	return ret;
}

int
simulate_loads_add(struct simulate_loads *loads, const char *line, struct error *err)
{
	struct simulate_load load = {.stop_ns = UINT64_MAX,
	                             .size_min = FRAME_BYTES,
	                             .size_max = FRAME_BYTES,
	                             .flows = 1};
	char *copy = xstrdup(line), *comment = strchr(copy, '#'), *rest = NULL;
	const char *word;
	int ret = 0;

	if (comment)
		*comment = '\0';
	word = strtok_r(copy, BLANKS, &rest);
	if (word && strcmp(word, "class") != 0)
		ret = error_set(err, -EINVAL, "\"%s\": lines begin with class", word);
	else if (word)
		ret = read_line(&load, &rest, err);
	if (word && !ret)
		loads_append(loads, &load);
	free(copy);
	return ret;
}

static int
add_line(void *loads, const char *line, struct error *err)
{
	return simulate_loads_add(loads, line, err);
}

/* ---- recordings ---- */

/* What one snapshot says of a class. */
struct reading {
	uint32_t number;
	uint64_t bytes, packets;
};

static bool
read_counter(const json_t *json, const char *name, uint64_t *value)
{
	const json_t *number = json_object_get(json, name);

	if (!json_is_integer(number) || json_integer_value(number) < 0)
		return false;
	*value = (uint64_t)json_integer_value(number);
	return true;
}

static int
reading_compare(const void *a, const void *b)
{
	const struct reading *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

/* The leaves' counters of one snapshot, sorted by number. The root and inner classes
 * count what is below them. NULL if it is not what qos/show gives. */
static struct reading *
read_snapshot(const json_t *json, uint64_t *time_ns, size_t *n)
{
	const json_t *classes = json_object_get(json, "classes"), *class;
	struct reading *readings =
		xcalloc(json_array_size(classes) + 1, sizeof(*readings));
	size_t i;

	*n = 0;
	if (!read_counter(json, "time_ns", time_ns) || !json_is_array(classes))
		goto bad;
	json_array_foreach((json_t *)(uintptr_t)classes, i, class)
	{
		struct reading *reading = &readings[*n];
		uint64_t number;

		if (json_is_null(json_object_get(class, "number")) ||
		    json_is_true(json_object_get(class, "inner")))
			continue;
		if (!read_counter(class, "number", &number) || number > NUMBER_MAX ||
		    !read_counter(class, "offered_bytes", &reading->bytes) ||
		    !read_counter(class, "offered_packets", &reading->packets))
			goto bad;
		reading->number = (uint32_t)number;
		(*n)++;
	}
	qsort(readings, *n, sizeof(*readings), reading_compare);
	return readings;
bad:
	free(readings);
	return NULL;
}

/* The load of a class, made with room for all intervals. */
static struct simulate_load *
recorded_load(struct simulate_loads *loads, size_t from, uint32_t number,
              size_t n_samples)
{
	struct simulate_load fresh = {.kind = SIMULATE_LOAD_RECORDED,
	                              .stop_ns = UINT64_MAX,
	                              .first = number,
	                              .last = number,
	                              .flows = 1,
	                              .n_samples = n_samples};
	size_t low = from, high = loads->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (loads->loads[middle].first < number)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < loads->n && loads->loads[low].first == number)
		return &loads->loads[low];
	fresh.samples = xcalloc(n_samples, sizeof(*fresh.samples));
	loads_append(loads, &fresh);
	memmove(&loads->loads[low + 1], &loads->loads[low],
	        (loads->n - 1 - low) * sizeof(fresh));
	loads->loads[low] = fresh;
	return &loads->loads[low];
}

struct recording {
	struct simulate_loads *loads;
	size_t from; /* its first load */
	size_t n_samples;
	struct reading *old;
	size_t n_old;
};

/* Notes what each class was offered since the snapshot before. A counter that went back
 * belongs to a new class of the same number. */
static void
add_interval(struct recording *recording, size_t k, const struct reading *now,
             size_t n_now)
{
	for (size_t i = 0, j = 0; i < n_now; i++) {
		struct simulate_load *load;
		uint64_t bytes = now[i].bytes, packets = now[i].packets;

		while (j < recording->n_old && recording->old[j].number < now[i].number)
			j++;
		if (j < recording->n_old && recording->old[j].number == now[i].number &&
		    recording->old[j].bytes <= bytes &&
		    recording->old[j].packets <= packets) {
			bytes -= recording->old[j].bytes;
			packets -= recording->old[j].packets;
		}
		load = recorded_load(recording->loads, recording->from, now[i].number,
		                     recording->n_samples);
		load->samples[k].bytes = packets ? bytes : 0;
		load->samples[k].packets = packets;
	}
}

static int
read_snapshots(struct simulate_loads *loads, const json_t *snapshots, struct error *err)
{
	struct recording recording = {.loads = loads, .from = loads->n};
	uint64_t *spans = NULL, last_ns = 0;
	size_t n = json_array_size(snapshots);
	int ret = 0;

	if (n < 2 || n > SNAPSHOTS_MAX)
		return error_set(err, -EINVAL,
		                 "has %zu snapshots: a recording has 2 to %d", n,
		                 SNAPSHOTS_MAX);
	recording.n_samples = n - 1;
	spans = xcalloc(n, sizeof(*spans));
	for (size_t k = 0; k < n && !ret; k++) {
		struct reading *now;
		uint64_t time_ns;
		size_t n_now;

		now = read_snapshot(json_array_get(snapshots, k), &time_ns, &n_now);
		if (!now || (k && time_ns <= last_ns)) {
			free(now);
			ret = error_set(
				err, -EINVAL,
				"snapshots[%zu]: is not what qos/show gives, or is out of order",
				k);
			break;
		}
		if (k) {
			spans[k - 1] = time_ns - last_ns;
			loads->recorded_ns += spans[k - 1];
			add_interval(&recording, k - 1, now, n_now);
		}
		last_ns = time_ns;
		free(recording.old);
		recording.old = now;
		recording.n_old = n_now;
	}
	/* A class that came later had no load before; so all get all intervals. */
	for (size_t i = recording.from; i < loads->n && !ret; i++)
		for (size_t k = 0; k + 1 < n; k++)
			loads->loads[i].samples[k].span_ns = spans[k];
	free(recording.old);
	free(spans);
	return ret;
}

int
simulate_loads_read(struct simulate_loads *loads, const char *text, struct error *err)
{
	char first = text[strspn(text, BLANKS "\n")];
	const json_t *snapshots;
	json_error_t why;
	json_t *top;
	int ret;

	if (first != '{' && first != '[')
		return simulate_lines_read(text, add_line, loads, err);
	top = json_loads(text, 0, &why);
	if (!top)
		return error_set(err, -EINVAL, "bad JSON in line %d: %s", why.line,
		                 why.text);
	snapshots = json_is_array(top) ? top : json_object_get(top, "snapshots");
	ret = json_is_array(snapshots)
	              ? read_snapshots(loads, snapshots, err)
	              : error_set(err, -EINVAL,
	                          "is no recording: it has no \"snapshots\"");
	json_decref(top);
	return ret;
}
