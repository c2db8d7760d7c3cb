/* simulate_tree.c - reads trees of classes: text lines and the JSON of qos/show. Beside
 * simulate_check.c, which refuses impossible ones. Pure. */
#include <config.h>

#include "simulate_tree.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "simulate_lines.h"
#include "units.h"

/* As of the switch's trees: preamble, checksum and gap of an Ethernet frame. */
#define OVERHEAD_DEFAULT 24
#define OVERHEAD_MAX     4096
#define MPU_DEFAULT      84
#define MPU_MAX          65535
#define NS_PER_S         1000000000
#define QUANTUM_MAX      (1 << 20)
#define POOL_MAX         100000000

enum key_kind { KEY_AMOUNT, KEY_BOOL };

/* The same fields under the names of the database and of qos/show. */
static const struct key {
	const char *text;
	const char *json;
	size_t offset;
	enum key_kind kind;
	uint64_t max;   /* of the field */
	unsigned scale; /* of the text's unit, in those of the field */
} keys[] = {
#define KEY(text, json, field, max)                                                    \
	{                                                                              \
		text, json, offsetof(struct simulate_class, field), KEY_AMOUNT, max, 1 \
	}
#define FLAG(text, json, field)                                                    \
	{                                                                          \
		text, json, offsetof(struct simulate_class, field), KEY_BOOL, 1, 1 \
	}
	KEY("min-rate", "floor_bps", floor_bps, SCHED_RATE_MAX_BPS),
	KEY("max-rate", "ceil_bps", ceil_bps, SCHED_RATE_MAX_BPS),
	KEY("burst", "burst_bits", burst_bits, UINT64_MAX),
	KEY("peak-rate", "peak_bps", peak_bps, SCHED_RATE_MAX_BPS),
	KEY("peak-burst", "peak_burst_bits", peak_burst_bits, UINT64_MAX),
	KEY("priority", "priority", priority, UINT32_MAX),
	KEY("weight", "weight", weight, SCHED_WEIGHT_MAX),
	KEY("limit-bytes", "limit_bytes", limit_bytes, UINT32_MAX),
	KEY("limit-packets", "limit_packets", limit_packets, UINT32_MAX),
	{"limit-time", "limit_us", offsetof(struct simulate_class, limit_us), KEY_AMOUNT,
         UINT32_MAX, 1000},
	KEY("min-pps", "floor_pps", floor_pps, UINT32_MAX),
	KEY("max-pps", "ceil_pps", ceil_pps, UINT32_MAX),
	KEY("burst-packets", "burst_packets", burst_packets, UINT32_MAX),
	KEY("codel-target", "codel_target_us", codel_target_us, 4000000),
	KEY("codel-interval", "codel_interval_us", codel_interval_us, 4000000),
	FLAG("codel", "codel", codel),
	FLAG("ecn", "ecn", ecn),
	FLAG("fair", "fair", fair),
};

void
simulate_tree_init(struct simulate_tree *tree)
{
	*tree = (struct simulate_tree){.root.number = SIMULATE_ROOT,
	                               .root.parent = SIMULATE_ROOT,
	                               .overhead_bytes = OVERHEAD_DEFAULT,
	                               .mpu_bytes = MPU_DEFAULT};
}

void
simulate_tree_destroy(struct simulate_tree *tree)
{
	free(tree->classes);
	simulate_tree_init(tree);
}

void
simulate_tree_copy(struct simulate_tree *copy, const struct simulate_tree *tree)
{
	*copy = *tree;
	copy->allocated = tree->n;
	copy->classes =
		tree->n ? xmemdup(tree->classes, tree->n * sizeof(*tree->classes)) : NULL;
}

/* Where 'number' is or would be. */
static size_t
tree_position(const struct simulate_tree *tree, uint32_t number)
{
	size_t low = 0, high = tree->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (tree->classes[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t
simulate_tree_find(const struct simulate_tree *tree, uint32_t number)
{
	size_t i = tree_position(tree, number);

	return i < tree->n && tree->classes[i].number == number ? i : SIMULATE_NONE;
}

/* The class 'number', made below the root if it is new. */
static struct simulate_class *
tree_need(struct simulate_tree *tree, uint32_t number)
{
	size_t i = tree_position(tree, number);

	if (i < tree->n && tree->classes[i].number == number)
		return &tree->classes[i];
	if (tree->n == tree->allocated) {
		tree->allocated = tree->allocated ? tree->allocated * 2 : 64;
		tree->classes =
			xrealloc(tree->classes, tree->allocated * sizeof(*tree->classes));
	}
	memmove(&tree->classes[i + 1], &tree->classes[i],
	        (tree->n - i) * sizeof(*tree->classes));
	tree->n++;
	tree->classes[i] =
		(struct simulate_class){.number = number, .parent = SIMULATE_ROOT};
	return &tree->classes[i];
}

static void
tree_remove(struct simulate_tree *tree, size_t i)
{
	tree->n--;
	memmove(&tree->classes[i], &tree->classes[i + 1],
	        (tree->n - i) * sizeof(*tree->classes));
}

static uint64_t *
key_field(const struct key *key, struct simulate_class *class)
{
	return (uint64_t *)(void *)((char *)class + key->offset);
}

/* ---- text ---- */

#define BLANKS " \t\r"

static int
apply_key(struct simulate_class *class, const char *name, const char *value,
          struct error *err)
{
	uint64_t number;
	bool flag;

	if (!strcmp(name, "parent")) {
		if (!strcmp(value, "root"))
			class->parent = SIMULATE_ROOT;
		else if (parse_u64(value, 0, SIMULATE_NUMBER_MAX, &number))
			class->parent = (uint32_t)number;
		else
			return error_set(err, -EINVAL, "parent: \"%s\" is no class",
			                 value);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(keys[i].text, name) != 0)
			continue;
		if (keys[i].kind == KEY_BOOL) {
			if (!parse_bool(value, &flag))
				return error_set(err, -EINVAL,
				                 "%s: \"%s\" is neither true nor false",
				                 name, value);
			number = flag;
		} else if (!units_parse_amount(value, &number) ||
		           number > keys[i].max / keys[i].scale) {
			return error_set(err, -EINVAL,
			                 "%s: \"%s\" is no number from 0 to %" PRIu64
			                 " (K, M, G may follow it)",
			                 name, value,
			                 MIN_OF(keys[i].max / keys[i].scale,
			                        UINT64_C(1000000000000000)));
		}
		*key_field(&keys[i], class) = number * keys[i].scale;
		return 0;
	}
	return error_set(err, -EINVAL, "unknown key \"%s\"", name);
}

static int
apply_pairs(struct simulate_class *class, char **rest, struct error *err)
{
	const char *name, *value;
	int ret;

	while ((name = strtok_r(NULL, BLANKS, rest)) != NULL) {
		value = strtok_r(NULL, BLANKS, rest);
		if (!value)
			return error_set(err, -EINVAL, "%s: has no value", name);
		ret = apply_key(class, name, value, err);
		if (ret)
			return ret;
	}
	return 0;
}

static int
apply_class(struct simulate_tree *tree, char **rest, struct error *err)
{
	const char *word = strtok_r(NULL, BLANKS, rest);
	struct simulate_class class, *old;
	uint64_t number;
	size_t i;
	int ret;

	if (!word || !parse_u64(word, 0, SIMULATE_NUMBER_MAX, &number))
		return error_set(err, -EINVAL, "class: \"%s\" is no class's number",
		                 word ? word : "");
	i = simulate_tree_find(tree, (uint32_t)number);
	while (**rest && strchr(BLANKS, **rest))
		(*rest)++;
	if (!strcmp(*rest, "delete")) {
		if (i == SIMULATE_NONE)
			return error_set(err, -ENOENT, "class %s: is not in the tree",
			                 word);
		tree_remove(tree, i);
		return 0;
	}
	class = i == SIMULATE_NONE ? (struct simulate_class){.parent = SIMULATE_ROOT}
	                           : tree->classes[i];
	class.number = (uint32_t)number;
	ret = apply_pairs(&class, rest, err);
	if (ret) {
		error_prefix(err, "class %s", word);
		return ret;
	}
	if (tree->n >= SIMULATE_CLASSES)
		return error_set(err, -E2BIG, "more than %d classes", SIMULATE_CLASSES);
	old = tree_need(tree, class.number);
	*old = class;
	return 0;
}

static int
apply_number(const char *what, char **rest, uint64_t max, uint64_t *value,
             struct error *err)
{
	const char *word = strtok_r(NULL, BLANKS, rest);

	if (!word || !units_parse_amount(word, value) || *value > max ||
	    strtok_r(NULL, BLANKS, rest))
		return error_set(err, -EINVAL, "%s: needs one number up to %" PRIu64,
		                 what, max);
	return 0;
}

/* Below 0 where less than the frame's own headers is to count. */
static int
apply_overhead(struct simulate_tree *tree, char **rest, struct error *err)
{
	const char *word = strtok_r(NULL, BLANKS, rest);

	if (!word || !parse_i64(word, -OVERHEAD_MAX, OVERHEAD_MAX, &tree->overhead_bytes))
		return error_set(err, -EINVAL,
		                 "overhead: needs a number of bytes from %d to %d",
		                 -OVERHEAD_MAX, OVERHEAD_MAX);
	return 0;
}

int
simulate_tree_apply(struct simulate_tree *tree, const char *line, struct error *err)
{
	char *copy = xstrdup(line), *comment = strchr(copy, '#'), *rest = NULL;
	const char *word;
	size_t length;
	int ret = 0;

	if (comment)
		*comment = '\0';
	for (length = strlen(copy); length && strchr(BLANKS, copy[length - 1]); length--)
		copy[length - 1] = '\0';
	word = strtok_r(copy, BLANKS, &rest);
	if (!word)
		;
	else if (!strcmp(word, "class"))
		ret = apply_class(tree, &rest, err);
	else if (!strcmp(word, "root"))
		ret = apply_pairs(&tree->root, &rest, err);
	else if (!strcmp(word, "link"))
		ret = apply_number("link", &rest, SCHED_RATE_MAX_BPS,
		                   &tree->root.ceil_bps, err);
	else if (!strcmp(word, "overhead"))
		ret = apply_overhead(tree, &rest, err);
	else if (!strcmp(word, "mpu"))
		ret = apply_number("mpu", &rest, MPU_MAX, &tree->mpu_bytes, err);
	else
		ret = error_set(
			err, -EINVAL,
			"\"%s\": lines begin with class, root, link, overhead or mpu",
			word);
	free(copy);
	return ret;
}

static int
apply_line(void *tree, const char *line, struct error *err)
{
	return simulate_tree_apply(tree, line, err);
}

/* ---- JSON ---- */

/* "" stands for a class of which nothing else is known yet. */
static int
read_json_fields(struct simulate_class *class, const json_t *json, const char *where,
                 struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const json_t *value = json_object_get(json, keys[i].json);
		uint64_t number;

		if (!value || json_is_null(value))
			continue;
		if (json_is_boolean(value) && keys[i].kind == KEY_BOOL)
			number = json_is_true(value);
		else if (json_is_integer(value) && json_integer_value(value) >= 0 &&
		         (uint64_t)json_integer_value(value) <= keys[i].max)
			number = (uint64_t)json_integer_value(value);
		else
			return error_set(err, -EINVAL, "%s: \"%s\" is no number from 0",
			                 where, keys[i].json);
		*key_field(&keys[i], class) = number;
	}
	return 0;
}

static int
read_json_number(const json_t *json, const char *name, const char *where,
                 uint32_t *number, struct error *err)
{
	const json_t *value = json_object_get(json, name);

	*number = SIMULATE_ROOT;
	if (!value || json_is_null(value))
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    json_integer_value(value) > SIMULATE_NUMBER_MAX)
		return error_set(err, -EINVAL, "%s: \"%s\" is no class's number", where,
		                 name);
	*number = (uint32_t)json_integer_value(value);
	return 0;
}

static int
read_json_class(struct simulate_tree *tree, const json_t *json, size_t index,
                struct error *err)
{
	struct simulate_class *class;
	uint32_t number, parent;
	char where[48];
	int ret;

	snprintf(where, sizeof(where), "classes[%zu]", index);
	if (!json_is_object(json))
		return error_set(err, -EINVAL, "%s: is no object", where);
	ret = read_json_number(json, "number", where, &number, err);
	if (ret)
		return ret;
	ret = read_json_number(json, "parent", where, &parent, err);
	if (ret)
		return ret;
	if (number == SIMULATE_ROOT)
		return read_json_fields(&tree->root, json, where, err);
	if (simulate_tree_find(tree, number) != SIMULATE_NONE)
		return error_set(err, -EINVAL, "%s: class %" PRIu32 " is there twice",
		                 where, number);
	class = tree_need(tree, number);
	class->parent = parent;
	return read_json_fields(class, json, where, err);
}

static uint64_t
read_json_optional(const json_t *top, const char *name, json_int_t max)
{
	const json_t *value = json_object_get(top, name);

	return json_is_integer(value) && json_integer_value(value) > 0 &&
	                       json_integer_value(value) <= max
	               ? (uint64_t)json_integer_value(value)
	               : 0;
}

/* All may be missing, of a switch that does not tell. */
static void
read_json_tree(struct simulate_tree *tree, const json_t *top)
{
	const json_t *overhead = json_object_get(top, "overhead_bytes");
	const json_t *mpu = json_object_get(top, "mpu_bytes");

	if (json_is_integer(overhead) &&
	    llabs(json_integer_value(overhead)) <= OVERHEAD_MAX)
		tree->overhead_bytes = json_integer_value(overhead);
	if (json_is_integer(mpu) && json_integer_value(mpu) >= 0 &&
	    json_integer_value(mpu) <= MPU_MAX)
		tree->mpu_bytes = (uint64_t)json_integer_value(mpu);
	tree->catch_up_ns = read_json_optional(top, "catch_up_ns", NS_PER_S);
	tree->quantum_bytes = read_json_optional(top, "quantum_bytes", QUANTUM_MAX);
	tree->pool_packets = read_json_optional(top, "pool_packets", POOL_MAX);
}

static int
read_json(struct simulate_tree *tree, const char *text, struct error *err)
{
	json_error_t why;
	json_t *top = json_loads(text, JSON_REJECT_DUPLICATES, &why), *class;
	const json_t *classes;
	size_t i;
	int ret = 0;

	if (!top)
		return error_set(err, -EINVAL, "bad JSON in line %d: %s", why.line,
		                 why.text);
	classes = json_object_get(top, "classes");
	if (!json_is_array(classes) || json_array_size(classes) == 0)
		ret = error_set(
			err, -EINVAL,
			"has no classes: not the JSON of qos/show of a port with a tree");
	else if (json_array_size(classes) > SIMULATE_CLASSES)
		ret = error_set(err, -E2BIG, "more than %d classes", SIMULATE_CLASSES);
	json_array_foreach(classes, i, class) if (!ret) ret =
		read_json_class(tree, class, i, err);
	read_json_tree(tree, top);
	json_decref(top);
	return ret;
}

void
simulate_class_to_json(const struct simulate_class *class, json_t *json)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		uint64_t value = *(const uint64_t *)(const void *)((const char *)class +
		                                                   keys[i].offset);

		if (value)
			json_object_set_new(json, keys[i].json,
			                    keys[i].kind == KEY_BOOL
			                            ? json_true()
			                            : json_integer((json_int_t)value));
	}
}

int
simulate_tree_read(struct simulate_tree *tree, const char *text, struct error *err)
{
	if (text[strspn(text, BLANKS "\n")] == '{')
		return read_json(tree, text, err);
	return simulate_lines_read(text, apply_line, tree, err);
}
