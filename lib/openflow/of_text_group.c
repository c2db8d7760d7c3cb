/* of_text_group.c - groups and meters as ovs-ofctl(8) reads and prints them. No state,
 * any thread. */
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "openflow/of_text_private.h"

#define MAX_BUCKETS 4096
#define MAX_BANDS   256

static const char *const group_types[] = {"all", "select", "indirect", "ff"};

static const struct {
	const char *word, *shown;
	enum of_group_command command;
} commands[] = {
	{"add_or_mod", "ADD_OR_MOD", OF_GROUP_ADD_OR_MODIFY},
	{"add", "ADD", OF_GROUP_ADD},
	{"modify", "MOD", OF_GROUP_MODIFY},
	{"delete", "DEL", OF_GROUP_DELETE},
	{"insert_bucket", "INSERT_BUCKET", OF_GROUP_INSERT_BUCKET},
	{"remove_bucket", "REMOVE_BUCKET", OF_GROUP_REMOVE_BUCKET},
};

static bool
is_for_buckets(enum of_group_command command)
{
	return command == OF_GROUP_INSERT_BUCKET || command == OF_GROUP_REMOVE_BUCKET;
}

static int
parse_u32(const struct text_word *word, uint32_t *value, struct error *err)
{
	uint64_t number;

	if (text_want_u64(word->key, word->value, UINT32_MAX, &number, err))
		return -EINVAL;
	*value = (uint32_t)number;
	return 0;
}

static int
parse_type(const char *text, struct of_group_mod *mod, struct error *err)
{
	if (!strcmp(text, "fast_failover"))
		text = "ff";
	for (unsigned i = 0; i < ARRAY_SIZE(group_types); i++)
		if (!strcmp(group_types[i], text)) {
			mod->type = (enum of_group_type)i;
			return 0;
		}
	return error_set(err, -EINVAL, "invalid group type %s", text);
}

static int
parse_bucket_id(struct text_word *word, struct of_group_mod *mod, struct error *err)
{
	if (!is_for_buckets(mod->command))
		return error_set(err, -EINVAL, "command bucket id is not needed");
	if (!strcmp(word->value, "all"))
		mod->bucket_id = OF_BUCKET_ALL;
	else if (!strcmp(word->value, "first"))
		mod->bucket_id = OF_BUCKET_FIRST;
	else if (!strcmp(word->value, "last"))
		mod->bucket_id = OF_BUCKET_LAST;
	else if (parse_u32(word, &mod->bucket_id, err))
		return -EINVAL;
	else if (mod->bucket_id > OF_GROUP_MAX)
		return error_set(err, -EINVAL, "invalid command bucket id %s",
		                 word->value);
	return 0;
}

/* "ip_src,tcp_dst=0xff": fields of which a hash is made, and which of their bits. */
static int
parse_hash_fields(char *text, struct of_group_mod *mod, struct error *err)
{
	struct text_word word;

	while (text_next_word(&text, &word)) {
		enum flow_field_id id = text_field_by_keyword(word.key);
		struct of_hash_field *field;
		struct flow_value unused;

		if (id == FIELD_NONE)
			return error_set(err, -EINVAL, "unknown field %s", word.key);
		mod->hash_fields = xrealloc(mod->hash_fields,
		                            (mod->n_hash_fields + 1) * sizeof(*field));
		field = &mod->hash_fields[mod->n_hash_fields++];
		field->field = id;
		if (strchr(word.value, '/'))
			return error_set(err, -EINVAL, "%s: a mask is not allowed here",
			                 word.value);
		if (!*word.value)
			text_fill(flow_field_get(id), &field->mask);
		else if (of_text_parse_field(flow_field_get(id), word.value, NULL,
		                             &field->mask, &unused, err))
			return -EINVAL;
	}
	return 0;
}

/* One key of a bucket; 1 if the rest of the text are actions. */
static int
parse_bucket_key(struct text_word *word, const struct of_names *names,
                 struct of_bucket *bucket, struct error *err)
{
	uint64_t number;

	if (!strcmp(word->key, "weight")) {
		if (text_want_u64("weight", word->value, UINT16_MAX, &number, err))
			return -EINVAL;
		bucket->weight = (uint16_t)number;
		return 0;
	}
	if (!strcmp(word->key, "watch_port"))
		return text_parse_port(word->value, names, &bucket->watch_port) ||
		                       !strcasecmp(word->value, "any")
		               ? 0
		               : error_set(err, -EINVAL, "%s: invalid watch_port",
		                           word->value);
	if (!strcmp(word->key, "watch_group")) {
		if (parse_u32(word, &bucket->watch_group, err))
			return -EINVAL;
		return bucket->watch_group <= OF_GROUP_MAX
		               ? 0
		               : error_set(err, -EINVAL, "invalid watch_group id %s",
		                           word->value);
	}
	if (!strcmp(word->key, "bucket_id")) {
		if (parse_u32(word, &bucket->id, err))
			return -EINVAL;
		return bucket->id <= OF_GROUP_MAX
		               ? 0
		               : error_set(err, -EINVAL, "invalid bucket_id id %s",
		                           word->value);
	}
	return 1;
}

/* Buckets have actions only; of 1.5, a meter is one. */
static int
check_bucket_actions(const struct flow_actions *actions, struct error *err)
{
	FLOW_ACTION_FOR_EACH(action, actions->data, actions->bytes)
	if (action->type > ACTION_METER)
		return error_set(err, -EINVAL, "a bucket has no instructions");
	return 0;
}

static int
parse_bucket(char *text, const struct of_names *names, enum of_group_type type,
             struct of_bucket *bucket, struct error *err)
{
	struct str actions = STR_INIT;
	struct text_word word;
	int error = 0;

	*bucket = (struct of_bucket){.id = OF_BUCKET_ALL,
	                             .weight = type == OF_GROUP_TYPE_SELECT,
	                             .watch_port = FLOW_PORT_NONE,
	                             .watch_group = OF_GROUP_ANY};
	while (!error) {
		char *rest = text + strspn(text, ", \t\r\n"), *copy;

		if (!*rest)
			break;
		if (!strncmp(rest, "actions=", 8) || !strncmp(rest, "action=", 7)) {
			str_append(&actions, strchr(rest, '=') + 1);
			break;
		}
		/* A word that is not the bucket's own is an action. */
		copy = xstrdup(rest);
		text = rest;
		text_next_word(&text, &word);
		error = parse_bucket_key(&word, names, bucket, err);
		if (error == 1) {
			str_append_bytes(&actions, copy, (size_t)(text - rest));
			str_append_char(&actions, ',');
			error = 0;
		}
		free(copy);
	}
	if (!error)
		error = of_text_parse_actions(str_text(&actions), names, &bucket->actions,
		                              err);
	if (!error)
		error = check_bucket_actions(&bucket->actions, err);
	str_free(&actions);
	return error;
}

/* The next ",bucket=" in 'text', NULL if there is none; '*begin' becomes what follows it.
 */
static char *
find_bucket(char *text, char **begin)
{
	static const char *const words[] = {"bucket=", "buckets=", "bucket ", "bucket:"};

	for (char *p = text; (p = strstr(p, "bucket")); p++) {
		if (p > text && !strchr(", \t\r\n", p[-1]))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(words); i++)
			if (!strncmp(p, words[i], strlen(words[i]))) {
				*begin = p + strlen(words[i]);
				return p;
			}
	}
	return NULL;
}

static int
parse_buckets(char *begin, const struct of_names *names, struct of_group_mod *mod,
              struct error *err)
{
	while (begin) {
		char *next = NULL, *end = find_bucket(begin, &next);

		if (end)
			*end = '\0';
		if (mod->n_buckets == MAX_BUCKETS)
			return error_set(err, -EINVAL, "too many buckets");
		mod->buckets = xrealloc(mod->buckets,
		                        (mod->n_buckets + 1) * sizeof(*mod->buckets));
		if (parse_bucket(begin, names, mod->type, &mod->buckets[mod->n_buckets++],
		                 err))
			return -EINVAL;
		begin = next;
	}
	return 0;
}

static int
parse_group_key(struct text_word *word, struct of_group_mod *mod, bool *has_type,
                struct error *err)
{
	if (!strcmp(word->key, "group_id")) {
		if (mod->command == OF_GROUP_DELETE && !strcasecmp(word->value, "all")) {
			mod->group = OF_GROUP_ALL;
			return 0;
		}
		if (parse_u32(word, &mod->group, err))
			return -EINVAL;
		return mod->group < OF_GROUP_MAX
		               ? 0
		               : error_set(err, -EINVAL, "invalid group id %s",
		                           word->value);
	}
	if (!strcmp(word->key, "type")) {
		*has_type = true;
		return parse_type(word->value, mod, err);
	}
	if (!strcmp(word->key, "command_bucket_id"))
		return parse_bucket_id(word, mod, err);
	if (!strcmp(word->key, "selection_method")) {
		if (strlen(word->value) >= sizeof(mod->selection_method) || !*word->value)
			return error_set(err, -EINVAL, "invalid selection method \"%s\"",
			                 word->value);
		snprintf(mod->selection_method, sizeof(mod->selection_method), "%s",
		         word->value);
		return 0;
	}
	if (!strcmp(word->key, "selection_method_param"))
		return text_want_u64(word->key, word->value, UINT64_MAX,
		                     &mod->selection_param, err);
	if (!strcmp(word->key, "fields"))
		return parse_hash_fields(word->value, mod, err);
	return error_set(err, -EINVAL, "unknown keyword %s", word->key);
}

static int
check_group(const struct of_group_mod *mod, bool has_type, struct error *err)
{
	bool is_select = mod->type == OF_GROUP_TYPE_SELECT;
	bool is_hash = !strcmp(mod->selection_method, "hash");

	if (mod->group == OF_GROUP_ANY)
		return error_set(err, -EINVAL, "must specify a group_id");
	if (!has_type &&
	    (mod->command == OF_GROUP_ADD || mod->command == OF_GROUP_MODIFY ||
	     mod->command == OF_GROUP_ADD_OR_MODIFY))
		return error_set(err, -EINVAL, "must specify a type");
	if (mod->command == OF_GROUP_INSERT_BUCKET && mod->bucket_id == OF_BUCKET_ALL)
		return error_set(err, -EINVAL,
		                 "must specify a command_bucket_id other than all");
	if (mod->selection_param && !*mod->selection_method)
		return error_set(err, -EINVAL,
		                 "selection method param is only allowed with "
		                 "a selection method");
	if (mod->n_hash_fields && !is_hash)
		return error_set(err, -EINVAL,
		                 "fields are only allowed with selection method "
		                 "hash");
	if (mod->type == OF_GROUP_TYPE_INDIRECT && mod->n_buckets > 1)
		return error_set(err, -EINVAL, "indirect groups have one bucket");
	for (size_t i = 0; has_type && i < mod->n_buckets; i++) {
		const struct of_bucket *bucket = &mod->buckets[i];

		if (mod->type == OF_GROUP_TYPE_FF &&
		    bucket->watch_port == FLOW_PORT_NONE &&
		    bucket->watch_group == OF_GROUP_ANY)
			return error_set(err, -EINVAL,
			                 "fast failover buckets need watch_port or "
			                 "watch_group");
		if (bucket->weight && !is_select)
			return error_set(err, -EINVAL,
			                 "only select groups can have bucket weights");
	}
	return 0;
}

/* "add", "insert_bucket" and so on at the start of a line. */
static char *
take_command(char *text, enum of_group_command *command)
{
	char *p = text + strspn(text, " \t\r\n,");
	size_t n = strcspn(p, " \t\r\n,=:(");

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strlen(commands[i].word) == n && !memcmp(commands[i].word, p, n)) {
			*command = commands[i].command;
			return p + n;
		}
	return text;
}

static int
parse_group(char *text, enum of_group_command command, const struct of_names *names,
            struct of_group_mod *mod, struct error *err)
{
	char *begin = NULL, *end;
	struct text_word word;
	bool has_type = false;

	text = take_command(text, &command);
	memset(mod, 0, sizeof(*mod));
	mod->command = command;
	mod->group = command == OF_GROUP_DELETE ? OF_GROUP_ALL : OF_GROUP_ANY;
	mod->bucket_id = OF_BUCKET_ALL;
	end = find_bucket(text, &begin);
	if (end)
		*end = '\0';
	while (text_next_word(&text, &word))
		if (parse_group_key(&word, mod, &has_type, err))
			return -EINVAL;
	if (begin && (command == OF_GROUP_DELETE || command == OF_GROUP_REMOVE_BUCKET))
		return error_set(err, -EINVAL, "bucket is not needed");
	if (parse_buckets(begin, names, mod, err))
		return -EINVAL;
	return check_group(mod, has_type, err);
}

void
of_text_destroy_group(struct of_group_mod *mod)
{
	for (size_t i = 0; i < mod->n_buckets; i++)
		flow_actions_destroy(&mod->buckets[i].actions);
	free(mod->buckets);
	free(mod->hash_fields);
	mod->buckets = NULL;
	mod->hash_fields = NULL;
	mod->n_buckets = mod->n_hash_fields = 0;
}

int
of_text_parse_group(const char *text, enum of_group_command command,
                    const struct of_names *names, struct of_group_mod *mod,
                    struct error *err)
{
	char *copy = xstrdup(text);
	int error = parse_group(copy, command, names, mod, err);

	if (error)
		of_text_destroy_group(mod);
	free(copy);
	return error;
}

static void
put_bucket_id(struct str *out, uint32_t id)
{
	str_append(out, "command_bucket_id:");
	if (id == OF_BUCKET_ALL)
		str_append(out, "all,");
	else if (id == OF_BUCKET_FIRST)
		str_append(out, "first,");
	else if (id == OF_BUCKET_LAST)
		str_append(out, "last,");
	else
		str_printf(out, "%u,", id);
}

static void
put_hash_fields(struct str *out, const struct of_group_mod *group)
{
	bool is_list = group->n_hash_fields > 1;

	str_append(out, is_list ? ",fields(" : ",fields=");
	for (size_t i = 0; i < group->n_hash_fields; i++) {
		const struct of_hash_field *hash = &group->hash_fields[i];
		const struct flow_field *field = flow_field_get(hash->field);

		str_printf(out, "%s%s", i ? "," : "", text_fields[hash->field].name);
		if (!text_is_full(field, &hash->mask)) {
			str_append_char(out, '=');
			of_text_format_field(out, field, &hash->mask, NULL, NULL);
		}
	}
	if (is_list)
		str_append_char(out, ')');
}

static void
put_bucket(struct str *out, const struct of_bucket *bucket, enum of_group_type type,
           const struct of_names *names)
{
	str_append(out, ",bucket=");
	if (bucket->id <= OF_GROUP_MAX)
		str_printf(out, "bucket_id:%u,", bucket->id);
	if (bucket->weight != (type == OF_GROUP_TYPE_SELECT))
		str_printf(out, "weight:%u,", bucket->weight);
	if (bucket->watch_port != FLOW_PORT_NONE) {
		str_append(out, "watch_port:");
		text_format_port(out, bucket->watch_port, names);
		str_append_char(out, ',');
	}
	if (bucket->watch_group != OF_GROUP_ANY)
		str_printf(out, "watch_group:%u,", bucket->watch_group);
	str_append(out, "actions=");
	of_text_format_actions(out, bucket->actions.data, bucket->actions.bytes, names);
}

void
text_format_group(struct str *out, const struct of_group_mod *group, bool with_command,
                  const struct of_names *names)
{
	bool is_bucket_command = with_command && is_for_buckets(group->command);

	if (is_bucket_command)
		put_bucket_id(out, group->bucket_id);
	str_printf(out, "group_id=%u", group->group);
	if (!is_bucket_command && (unsigned)group->type < ARRAY_SIZE(group_types))
		str_printf(out, ",type=%s", group_types[group->type]);
	if (*group->selection_method) {
		str_printf(out, ",selection_method=%.*s",
		           (int)sizeof(group->selection_method), group->selection_method);
		if (group->selection_param)
			str_printf(out, ",selection_method_param=%" PRIu64,
			           group->selection_param);
		if (group->n_hash_fields)
			put_hash_fields(out, group);
	}
	for (size_t i = 0; i < group->n_buckets; i++)
		put_bucket(out, &group->buckets[i],
		           is_bucket_command ? OF_GROUP_TYPE_ALL : group->type, names);
}

static const struct {
	const char *name;
	uint16_t flag;
} meter_flags[] = {{"kbps", OF_METER_KBPS},
                   {"pktps", OF_METER_PKTPS},
                   {"burst", OF_METER_BURST},
                   {"stats", OF_METER_STATS}};

static int
parse_meter_number(const char *text, uint32_t *meter, struct error *err)
{
	uint64_t number;

	if (!strcasecmp(text, "all"))
		*meter = OF_METER_ALL;
	else if (!strcasecmp(text, "controller"))
		*meter = OF_METER_CONTROLLER;
	else if (!strcasecmp(text, "slowpath"))
		*meter = OF_METER_SLOWPATH;
	else if (text_want_u64("meter", text, OF_METER_MAX, &number, err))
		return -EINVAL;
	else if (!number)
		return error_set(err, -EINVAL, "invalid meter id 0");
	else
		*meter = (uint32_t)number;
	return 0;
}

static int
parse_band(struct text_word *word, struct of_meter_mod *mod, struct error *err)
{
	struct of_band *band = mod->n_bands ? &mod->bands[mod->n_bands - 1] : NULL;
	uint64_t number;

	if (!strcmp(word->key, "type")) {
		uint16_t type = !strcmp(word->value, "drop")          ? 1
		                : !strcmp(word->value, "dscp_remark") ? 2
		                                                      : 0;

		if (!type)
			return error_set(err, -EINVAL, "invalid band type %s",
			                 word->value);
		if (mod->n_bands == MAX_BANDS)
			return error_set(err, -EINVAL, "too many bands");
		mod->bands = xrealloc(mod->bands, (mod->n_bands + 1) * sizeof(*band));
		mod->bands[mod->n_bands++] = (struct of_band){.type = type};
		return 0;
	}
	if (!band)
		return error_set(err, -EINVAL, "band must start with 'type='");
	if (!strcmp(word->key, "rate"))
		return parse_u32(word, &band->rate, err);
	if (!strcmp(word->key, "burst_size"))
		return parse_u32(word, &band->burst, err);
	if (strcmp(word->key, "prec_level"))
		return error_set(err, -EINVAL, "unknown keyword %s", word->key);
	if (text_want_u64("prec_level", word->value, UINT8_MAX, &number, err))
		return -EINVAL;
	band->prec_level = (uint8_t)number;
	return 0;
}

static int
parse_meter_word(struct text_word *word, struct of_meter_mod *mod, bool *has_meter,
                 struct error *err)
{
	if (!strcmp(word->key, "meter")) {
		*has_meter = true;
		return parse_meter_number(word->value, &mod->meter, err);
	}
	for (size_t i = 0; i < ARRAY_SIZE(meter_flags); i++)
		if (!strcmp(meter_flags[i].name, word->key)) {
			mod->flags |= meter_flags[i].flag;
			return 0;
		}
	if (!strcmp(word->key, "band") || !strcmp(word->key, "bands")) {
		/* "band=type=drop": the value is the first word of a band. */
		char *cursor = word->value;
		struct text_word first;

		return text_next_word(&cursor, &first) ? parse_band(&first, mod, err) : 0;
	}
	return parse_band(word, mod, err);
}

int
of_text_parse_meter(const char *text, enum of_meter_command command,
                    struct of_meter_mod *mod, struct error *err)
{
	char *copy = xstrdup(text), *cursor = copy;
	bool has_meter = false;
	struct text_word word;
	int error = 0;

	memset(mod, 0, sizeof(*mod));
	mod->command = command;
	mod->meter = OF_METER_ALL;
	while (!error && text_next_word(&cursor, &word))
		error = parse_meter_word(&word, mod, &has_meter, err);
	if (!error && !has_meter && command != OF_METER_DELETE)
		error = error_set(err, -EINVAL, "must specify 'meter'");
	if (!error && command != OF_METER_DELETE &&
	    !(mod->flags & (OF_METER_KBPS | OF_METER_PKTPS)))
		error = error_set(err, -EINVAL, "meter needs either kbps or pktps");
	if (!error && command != OF_METER_DELETE && !mod->n_bands)
		error = error_set(err, -EINVAL, "must specify bands");
	if (error) {
		free(mod->bands);
		mod->bands = NULL;
		mod->n_bands = 0;
	}
	free(copy);
	return error;
}

void
text_format_meter_number(struct str *out, const char *key, char separator, uint32_t meter)
{
	str_printf(out, "%s%c", key, separator);
	if (meter == OF_METER_ALL)
		str_append(out, "all");
	else if (meter == OF_METER_CONTROLLER)
		str_append(out, "controller");
	else if (meter == OF_METER_SLOWPATH)
		str_append(out, "slowpath");
	else
		str_printf(out, "%u", meter);
}

void
text_format_meter(struct str *out, const struct of_meter_mod *meter)
{
	text_format_meter_number(out, "meter", '=', meter->meter);
	for (size_t i = 0; i < ARRAY_SIZE(meter_flags); i++)
		if (meter->flags & meter_flags[i].flag)
			str_printf(out, " %s", meter_flags[i].name);
	str_append(out, " bands=\n");
	for (size_t i = 0; i < meter->n_bands; i++) {
		const struct of_band *band = &meter->bands[i];

		str_append(out, band->type == 1   ? "type=drop"
		                : band->type == 2 ? "type=dscp_remark"
		                                  : "type=<unknown>");
		str_printf(out, " rate=%u", band->rate);
		if (meter->flags & OF_METER_BURST)
			str_printf(out, " burst_size=%u", band->burst);
		if (band->type == 2)
			str_printf(out, " prec_level=%u", band->prec_level);
		str_append_char(out, '\n');
	}
}
