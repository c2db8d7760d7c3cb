/* desired_qos_keys.c - the QoS part of desired_keys.h: maps of QoS and Queue rows, and
 * what ports and interfaces say of rates -> typed fields. Each row's keys are looked up
 * in a table of fields, once a key. Main thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "vswitchd/desired_keys.h"

#define RATE_MAX_BPS     (UINT64_C(1) << 50)
#define RATE_MAX_BYTES   (RATE_MAX_BPS / 8) /* per second */
#define BURST_MAX_BITS   (UINT64_C(1) << 40)
#define BURST_MAX_BYTES  (BURST_MAX_BITS / 8)
#define PRIORITY_MAX     7
#define WEIGHT_MAX       1024
#define LIMIT_MAX_MS     3600000
#define CODEL_MAX_US     4000000 /* the scheduler counts nanoseconds in 32 bits */
#define OVERHEAD_MAX     4096
#define MPU_MAX          65535
#define DEFAULT_OVERHEAD 24 /* Ethernet: preamble 8, FCS 4, gap 12 */
#define DEFAULT_MPU      84 /* the shortest Ethernet frame with all of that */

const char *const qos_type_names[] = {"linux-htb",      "linux-hfsc",    "linux-noop",
                                      "egress-policer", "trtcm-policer", NULL};

enum field_kind {
	FIELD_U8,
	FIELD_U16,
	FIELD_U32,
	FIELD_U64,
	FIELD_BOOL,
	FIELD_ELSEWHERE, /* read by code of its own, or noted by clients without effect */
};

struct field {
	const char *name;
	enum field_kind kind;
	uint16_t offset;
	uint16_t factor; /* what a unit of the text is in the field's unit; 0 = 1 */
	uint64_t min, max;
};

static const struct field *
field_find(const struct field *fields, const char *name)
{
	for (; fields->name; fields++)
		if (!strcmp(fields->name, name))
			return fields;
	return NULL;
}

static void
field_write(const struct field *field, void *target, uint64_t value)
{
	char *at = (char *)target + field->offset;

	value *= field->factor ? field->factor : 1;
	if (field->kind == FIELD_U8)
		*(uint8_t *)at = (uint8_t)value;
	else if (field->kind == FIELD_U16)
		*(uint16_t *)(void *)at = (uint16_t)value;
	else if (field->kind == FIELD_U32)
		*(uint32_t *)(void *)at = (uint32_t)value;
	else
		*(uint64_t *)(void *)at = value;
}

static int
bad_value(const struct keys *keys, const char *name, const char *text, const char *want,
          struct error *err)
{
	return error_set(err, -EINVAL, "%s: %s=%.80s is not %s", keys->where, name, text,
	                 want);
}

static int
read_bool(const struct keys *keys, const char *name, const char *text, bool *value,
          struct error *err)
{
	if (!strcmp(text, "true") || !strcmp(text, "false")) {
		*value = *text == 't';
		return 0;
	}
	return bad_value(keys, name, text, "true or false", err);
}

static int
read_number(const struct keys *keys, const struct field *field, const char *text,
            void *target, struct error *err)
{
	uint64_t value;

	if (!parse_u64(text, field->min, field->max, &value))
		return error_set(err, -EINVAL,
		                 "%s: %s=%.80s is not a whole number from %llu to %llu",
		                 keys->where, field->name, text,
		                 (unsigned long long)field->min,
		                 (unsigned long long)field->max);
	field_write(field, target, value);
	return 0;
}

/* Reads every key that is a field; the first problem stays in 'err', good keys are still
 * filled. */
static int
read_fields(const struct keys *keys, const struct field *fields, void *target,
            struct error *err)
{
	int status = 0;

	for (size_t i = 0; i < keys->n; i++) {
		const struct field *field = field_find(fields, keys->names[i]);
		struct error later, *to = status ? &later : err;
		int ret = 0;

		if (!field)
			keys_warn_of(keys, keys->names[i]);
		else if (field->kind == FIELD_BOOL)
			ret = read_bool(keys, field->name, keys->values[i],
			                (bool *)((char *)target + field->offset), to);
		else if (field->kind != FIELD_ELSEWHERE)
			ret = read_number(keys, field, keys->values[i], target, to);
		if (!status)
			status = ret;
	}
	return status;
}

/* ---- lists: class maps and addresses ---- */

/* The next word of a list separated by commas or blanks, cut off in 'buffer'; NULL after
 * the last. */
static char *
next_word(char **rest)
{
	char *word;

	do
		word = strsep(rest, ", \t\n");
	while (word && !*word);
	return word;
}

/* "46=1": one value of the header field and its class; "10-14=2": a range. */
static bool
parse_map_word(char *word, unsigned n, uint32_t *classes)
{
	char *class_text = strchr(word, '='), *last_text;
	uint64_t first, last, number;

	if (!class_text)
		return false;
	*class_text++ = '\0';
	last_text = strchr(word, '-');
	if (last_text)
		*last_text++ = '\0';
	if (!parse_u64(word, 0, n - 1, &first) ||
	    !parse_u64(last_text ? last_text : word, first, n - 1, &last) ||
	    !parse_u64(class_text, 0, DP_CLASS_NUMBER_MAX, &number))
		return false;
	for (uint64_t i = first; i <= last; i++)
		classes[i] = (uint32_t)number;
	return true;
}

/* Fills 'classes' (of 'n' values) from the key 'name'; all are DP_CLASS_NONE without. */
static int
read_class_map(const struct keys *keys, const char *name, unsigned n, uint32_t *classes,
               bool *is_used, struct error *err)
{
	const char *text = keys_get(keys, name);
	char *copy, *rest, *word;
	int ret = 0;

	for (unsigned i = 0; i < n; i++)
		classes[i] = DP_CLASS_NONE;
	*is_used = false;
	if (!text)
		return 0;
	copy = rest = xstrdup(text);
	while (!ret && (word = next_word(&rest)) != NULL) {
		*is_used = true;
		if (!parse_map_word(word, n, classes))
			ret = error_set(
				err, -EINVAL,
				"%s: %s=%.80s is not a list like \"%s\" of values "
				"from 0 to %u and queue numbers up to %d",
				keys->where, name, text,
				n == 64 ? "46=1,10-14=2" : "5=1,6-7=2", n - 1,
				DP_CLASS_NUMBER_MAX);
	}
	free(copy);
	return ret;
}

static void
macs_add(struct desired_macs *macs, struct desired_arena *arena,
         const struct dp_class_mac *mac)
{
	if (macs->n == macs->allocated) {
		size_t allocated = macs->allocated ? 2 * macs->allocated : 4;
		struct dp_class_mac *more =
			desired_alloc(arena, allocated * sizeof(*more));

		if (macs->n)
			memcpy(more, macs->list, macs->n * sizeof(*more));
		macs->list = more;
		macs->allocated = allocated;
	}
	macs->list[macs->n++] = *mac;
}

static int
read_macs(const struct keys *keys, struct desired_arena *arena, uint32_t number,
          struct desired_macs *macs, struct error *err)
{
	const char *text = keys_get(keys, "macs");
	struct dp_class_mac mac = {.number = number};
	char *copy, *rest, *word;
	int ret = 0;

	if (!text)
		return 0;
	copy = rest = xstrdup(text);
	while (!ret && (word = next_word(&rest)) != NULL) {
		if (keys_parse_mac(word, mac.mac))
			macs_add(macs, arena, &mac);
		else
			ret = bad_value(keys, "macs", word, "a MAC address", err);
	}
	free(copy);
	return ret;
}

/* ---- Queue.other_config ---- */

#define CLASS_FIELD(NAME, KIND, MEMBER, MIN, MAX)                                 \
	{                                                                         \
		NAME, KIND, offsetof(struct dp_class_config, MEMBER), 0, MIN, MAX \
	}
#define CLASS_BYTES(NAME, MEMBER, MAX)                                               \
	{                                                                            \
		NAME, FIELD_U64, offsetof(struct dp_class_config, MEMBER), 8, 0, MAX \
	}

static const struct field class_fields[] = {
	CLASS_FIELD("min-rate", FIELD_U64, floor_bps, 0, RATE_MAX_BPS),
	CLASS_FIELD("max-rate", FIELD_U64, ceil_bps, 1, RATE_MAX_BPS),
	CLASS_FIELD("burst", FIELD_U64, burst_bits, 0, BURST_MAX_BITS),
	CLASS_FIELD("parent", FIELD_U32, parent, 0, DP_CLASS_NUMBER_MAX),
	CLASS_FIELD("weight", FIELD_U16, weight, 1, WEIGHT_MAX),
	CLASS_FIELD("peak-rate", FIELD_U64, peak_bps, 1, RATE_MAX_BPS),
	CLASS_FIELD("peak-burst", FIELD_U64, peak_burst_bits, 0, BURST_MAX_BITS),
	CLASS_FIELD("min-pps", FIELD_U32, floor_pps, 0, UINT32_MAX),
	CLASS_FIELD("max-pps", FIELD_U32, ceil_pps, 1, UINT32_MAX),
	CLASS_FIELD("burst-packets", FIELD_U32, burst_packets, 0, UINT32_MAX),
	CLASS_FIELD("limit-bytes", FIELD_U32, limit_bytes, 1, UINT32_MAX),
	CLASS_FIELD("limit-packets", FIELD_U32, limit_packets, 1, UINT32_MAX),
	{"limit-time", FIELD_U32, offsetof(struct dp_class_config, limit_us), 1000, 1,
         LIMIT_MAX_MS},
	CLASS_FIELD("codel", FIELD_BOOL, codel, 0, 0),
	CLASS_FIELD("codel-target", FIELD_U32, codel_target_us, 1, CODEL_MAX_US),
	CLASS_FIELD("codel-interval", FIELD_U32, codel_interval_us, 1, CODEL_MAX_US),
	CLASS_FIELD("ecn", FIELD_BOOL, ecn, 0, 0),
	CLASS_FIELD("fair", FIELD_BOOL, fair, 0, 0),
	{"priority", FIELD_ELSEWHERE, 0, 0, 0, UINT32_MAX},
	{"macs", FIELD_ELSEWHERE, 0, 0, 0, 0},
	{NULL, FIELD_ELSEWHERE, 0, 0, 0, 0},
};

static const struct field trtcm_class_fields[] = {
	CLASS_BYTES("cir", floor_bps, RATE_MAX_BYTES),
	CLASS_BYTES("cbs", burst_bits, BURST_MAX_BYTES),
	CLASS_BYTES("eir", excess_bps, RATE_MAX_BYTES),
	CLASS_BYTES("ebs", excess_burst_bits, BURST_MAX_BYTES),
	{NULL, FIELD_ELSEWHERE, 0, 0, 0, 0},
};

/* Numbers above the last priority are the last one, as with the kernel's HTB. */
static int
read_priority(const struct keys *keys, uint8_t *priority, struct error *err)
{
	static const struct field field = {"priority", FIELD_U32, 0, 0, 0, UINT32_MAX};
	const char *text = keys_get(keys, "priority");
	uint32_t value;
	int ret = 0;

	if (text)
		ret = read_number(keys, &field, text, &value, err);
	if (text && !ret)
		*priority = (uint8_t)MIN_OF(value, PRIORITY_MAX);
	return ret;
}

int
keys_to_class(const struct keys *keys, enum dp_qos_kind kind, struct desired_arena *arena,
              struct dp_class_config *class, struct desired_macs *macs, struct error *err)
{
	struct error later;
	int ret, status;

	class->parent = DP_CLASS_ROOT;
	if (kind == DP_QOS_TRTCM) {
		status = read_fields(keys, trtcm_class_fields, class, err);
		if (!status && !class->floor_bps && !class->excess_bps)
			status = error_set(err, -EINVAL,
			                   "%s: cir and eir, the rates in bytes per "
			                   "second, are both missing or 0",
			                   keys->where);
		return status;
	}
	status = read_fields(keys, class_fields, class, err);
	ret = read_priority(keys, &class->priority, status ? &later : err);
	if (!status)
		status = ret;
	ret = read_macs(keys, arena, class->number, macs, status ? &later : err);
	return status ? status : ret;
}

/* ---- QoS.other_config ---- */

#define QOS_FIELD(NAME, KIND, MEMBER, MIN, MAX)                                 \
	{                                                                       \
		NAME, KIND, offsetof(struct dp_qos_config, MEMBER), 0, MIN, MAX \
	}
#define QOS_BYTES(NAME, MEMBER, MAX)                                               \
	{                                                                          \
		NAME, FIELD_U64, offsetof(struct dp_qos_config, MEMBER), 8, 0, MAX \
	}
#define QOS_ELSEWHERE(NAME)                       \
	{                                         \
		NAME, FIELD_ELSEWHERE, 0, 0, 0, 0 \
	}
#define QOS_ACCOUNTING \
	QOS_FIELD("mpu", FIELD_U32, mpu_bytes, 0, MPU_MAX), QOS_ELSEWHERE("overhead")

/* libvirt writes min-rate on the QoS row as well; as in Open vSwitch it means nothing
 * there. */
static const struct field tree_fields[] = {
	QOS_FIELD("max-rate", FIELD_U64, rate_bps, 1, RATE_MAX_BPS),
	QOS_FIELD("burst", FIELD_U64, burst_bits, 0, BURST_MAX_BITS),
	QOS_FIELD("peak-rate", FIELD_U64, peak_bps, 1, RATE_MAX_BPS),
	QOS_FIELD("peak-burst", FIELD_U64, peak_burst_bits, 0, BURST_MAX_BITS),
	QOS_FIELD("max-pps", FIELD_U32, max_pps, 1, UINT32_MAX),
	QOS_FIELD("burst-packets", FIELD_U32, burst_packets, 0, UINT32_MAX),
	QOS_ACCOUNTING,
	QOS_ELSEWHERE("min-rate"),
	QOS_ELSEWHERE("shared"),
	QOS_ELSEWHERE("dscp-map"),
	QOS_ELSEWHERE("pcp-map"),
	QOS_ELSEWHERE(NULL),
};

static const struct field policer_fields[] = {
	QOS_BYTES("cir", rate_bps, RATE_MAX_BYTES),
	QOS_BYTES("cbs", burst_bits, BURST_MAX_BYTES),
	QOS_ACCOUNTING,
	QOS_ELSEWHERE(NULL),
};

static const struct field trtcm_fields[] = {
	QOS_BYTES("cir", rate_bps, RATE_MAX_BYTES),
	QOS_BYTES("cbs", burst_bits, BURST_MAX_BYTES),
	QOS_BYTES("eir", excess_bps, RATE_MAX_BYTES),
	QOS_BYTES("ebs", excess_burst_bits, BURST_MAX_BYTES),
	QOS_ACCOUNTING,
	QOS_ELSEWHERE(NULL),
};

/* May be negative: -14 charges frames without their Ethernet header. */
static int
read_overhead(const struct keys *keys, struct dp_qos_config *config, struct error *err)
{
	const char *text = keys_get(keys, "overhead");
	int64_t value;

	if (!text) {
		if (config->kind != DP_QOS_TREE)
			return 0;
		config->overhead_bytes = DEFAULT_OVERHEAD;
		if (!keys_get(keys, "mpu"))
			config->mpu_bytes = DEFAULT_MPU;
		return 0;
	}
	if (!parse_i64(text, -OVERHEAD_MAX, OVERHEAD_MAX, &value))
		return error_set(err, -EINVAL,
		                 "%s: overhead=%.80s is not a whole number from %d to %d",
		                 keys->where, text, -OVERHEAD_MAX, OVERHEAD_MAX);
	config->overhead_bytes = (int32_t)value;
	return 0;
}

static int
keys_to_tree(const struct keys *keys, struct desired_qos *qos, struct error *err)
{
	struct dp_qos_config *config = &qos->config;
	const char *shared = keys_get(keys, "shared");
	bool is_shared = false;
	int ret = read_fields(keys, tree_fields, config, err);

	if (!ret)
		ret = read_overhead(keys, config, err);
	if (!ret && shared)
		ret = read_bool(keys, "shared", shared, &is_shared, err);
	if (!ret)
		ret = read_class_map(keys, "dscp-map", ARRAY_SIZE(config->dscp_class),
		                     config->dscp_class, &config->has_dscp_classes, err);
	if (!ret)
		ret = read_class_map(keys, "pcp-map", ARRAY_SIZE(config->pcp_class),
		                     config->pcp_class, &config->has_pcp_classes, err);
	qos->is_shared = is_shared;
	return ret;
}

static int
keys_to_policer(const struct keys *keys, struct desired_qos *qos, struct error *err)
{
	bool is_trtcm = qos->config.kind == DP_QOS_TRTCM;
	int ret = read_fields(keys, is_trtcm ? trtcm_fields : policer_fields,
	                      &qos->config, err);

	if (!ret && !qos->config.rate_bps && !qos->config.excess_bps)
		ret = is_trtcm ? error_set(err, -EINVAL,
		                           "%s: cir and eir, the rates in bytes per "
		                           "second, are both missing or 0",
		                           keys->where)
		               : error_set(err, -EINVAL,
		                           "%s: cir, the rate in bytes per second, is "
		                           "missing or 0",
		                           keys->where);
	return ret ? ret : read_overhead(keys, &qos->config, err);
}

int
keys_to_qos(const struct keys *keys, const char *type, struct desired_qos *qos,
            struct error *err)
{
	memset(&qos->config, 0, sizeof(qos->config));
	if (!strcmp(type, "egress-policer")) {
		qos->config.kind = DP_QOS_POLICER;
		return keys_to_policer(keys, qos, err);
	}
	if (!strcmp(type, "trtcm-policer")) {
		qos->config.kind = DP_QOS_TRTCM;
		return keys_to_policer(keys, qos, err);
	}
	if (!*type || !strcmp(type, "linux-noop"))
		return 0;
	if (strcmp(type, "linux-htb") && strcmp(type, "linux-hfsc"))
		return error_set(err, -EINVAL,
		                 "%s: type \"%s\" is not supported; supported are "
		                 "linux-htb, linux-hfsc, linux-noop, egress-policer and "
		                 "trtcm-policer",
		                 keys->where, type);
	qos->config.kind = DP_QOS_TREE;
	return keys_to_tree(keys, qos, err);
}

/* ---- ports, interfaces, bridges ---- */

int
keys_to_port(const struct keys *keys, struct dp_port_settings *settings,
             struct error *err)
{
	/* What clients note here for themselves has no effect and needs no warning. */
	static const struct field fields[] = {
		{"egress-class", FIELD_U32,
	         offsetof(struct dp_port_settings, egress_class), 0, 0,
	         DP_CLASS_NUMBER_MAX},
		{"default-queue", FIELD_U32,
	         offsetof(struct dp_port_settings, egress_default_class), 0, 0,
	         DP_CLASS_NUMBER_MAX},
		QOS_ELSEWHERE("net_uuid"),
		QOS_ELSEWHERE("network_type"),
		QOS_ELSEWHERE("physical_network"),
		QOS_ELSEWHERE("segmentation_id"),
		QOS_ELSEWHERE("tag"),
		QOS_ELSEWHERE("mcast-snooping-flood"),
		QOS_ELSEWHERE("mcast-snooping-flood-reports"),
		QOS_ELSEWHERE(NULL),
	};

	return read_fields(keys, fields, settings, err);
}

static int
read_on_excess(const struct keys *keys, enum dp_on_excess *on_excess, struct error *err)
{
	static const char *const names[] = {
		[DP_EXCESS_POLICE] = "police",
		[DP_EXCESS_GATE] = "gate",
		[DP_EXCESS_MARK] = "mark",
	};
	const char *shaping = keys_get(keys, "ingress-shaping");
	const char *text = keys_get(keys, "on-excess");
	bool is_shaped = false;
	size_t i = 0;
	int ret = 0;

	if (shaping)
		ret = read_bool(keys, "ingress-shaping", shaping, &is_shaped, err);
	if (ret)
		return ret;
	*on_excess = is_shaped ? DP_EXCESS_GATE : DP_EXCESS_POLICE;
	if (!text)
		return 0;
	while (i < ARRAY_SIZE(names) && strcmp(names[i], text))
		i++;
	if (i == ARRAY_SIZE(names))
		return bad_value(keys, "on-excess", text, "police, gate or mark", err);
	if (is_shaped && i != DP_EXCESS_GATE)
		return error_set(err, -EINVAL,
		                 "%s: on-excess=%s contradicts ingress-shaping=true, "
		                 "which means gate",
		                 keys->where, text);
	*on_excess = (enum dp_on_excess)i;
	return 0;
}

int
keys_to_ingress(const struct keys *keys, struct dp_port_settings *settings,
                struct error *err)
{
	static const struct field rates[] = {
		{"ingress-min-rate", FIELD_U64,
	         offsetof(struct dp_port_settings, ingress_floor_bps), 0, 0,
	         RATE_MAX_BPS},
		{"ingress-peak-rate", FIELD_U64,
	         offsetof(struct dp_port_settings, ingress_peak_bps), 0, 0, RATE_MAX_BPS},
	};
	int ret = read_on_excess(keys, &settings->on_excess, err);

	for (size_t i = 0; i < ARRAY_SIZE(rates) && !ret; i++) {
		const char *text = keys_get(keys, rates[i].name);

		if (!text)
			continue;
		ret = read_number(keys, &rates[i], text, settings, err);
		if (!ret && settings->on_excess != DP_EXCESS_GATE)
			ret = error_set(err, -EINVAL,
			                "%s: %s needs on-excess=gate: only a guest whose "
			                "packets wait can be given a share",
			                keys->where, rates[i].name);
	}
	return ret;
}
