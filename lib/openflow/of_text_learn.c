/* of_text_learn.c - the learn action: reads and prints what the rules that it makes match
 * and do. No state, any thread. */
#include <inttypes.h>
#include <stdio.h>

#include "openflow/of_text_private.h"

#define LEARN_SEND_REMOVED 1
#define LEARN_DELETE       2
#define LEARN_WRITE_RESULT 4

/* Kinds of struct flow_learn_spec. */
enum { FROM_FIELD, FROM_CONSTANT };
enum { TO_MATCH, TO_LOAD, TO_OUTPUT };

#define MAX_SPECS 512 /* more than the longest action has on the wire */

struct learn_args {
	struct flow_learn_spec *specs;
	uint32_t n;
	struct flow_learn learn;
};

/* A number in the low bits, which must be enough for it. */
static int
set_constant(struct text_actions *to, struct flow_learn_spec *spec, const uint8_t *number,
             const char *text)
{
	size_t bytes = (spec->n_bits + 7U) / 8;

	for (unsigned i = spec->n_bits; i < 128; i++)
		if (number[15 - i / 8] >> i % 8 & 1)
			return error_set(to->err, -EINVAL,
			                 "%s: value does not fit into %u bits", text,
			                 spec->n_bits);
	spec->from_type = FROM_CONSTANT;
	spec->from.n_bits = spec->n_bits;
	memcpy(spec->value.bytes, number + 16 - bytes, bytes);
	return 0;
}

static int
check_width(struct text_actions *to, const struct flow_learn_spec *spec, const char *text)
{
	if (spec->from.n_bits == spec->to.n_bits)
		return 0;
	return error_set(to->err, -EINVAL,
	                 "%s: bit widths of source (%u) and destination (%u) differ",
	                 text, spec->from.n_bits, spec->to.n_bits);
}

/* "load:SOURCE->FIELD" */
static int
parse_load(struct text_actions *to, char *arg, struct flow_learn_spec *spec)
{
	char *target = text_cut_arrow(arg);
	uint8_t number[16];

	if (!target)
		return error_set(to->err, -EINVAL, "%s: missing `->'", arg);
	if (of_text_parse_subfield(target, &spec->to, to->err))
		return -EINVAL;
	spec->to_type = TO_LOAD;
	spec->n_bits = spec->to.n_bits;
	if (!flow_field_get(spec->to.field)->is_writable)
		return error_set(to->err, -EINVAL, "%s is read-only", target);
	if (!text_parse_number(arg, number, sizeof(number)))
		return set_constant(to, spec, number, arg);
	if (of_text_parse_subfield(arg, &spec->from, to->err))
		return -EINVAL;
	return check_width(to, spec, arg);
}

/* "FIELD=VALUE" with a value in the field's own form. */
static int
parse_field_value(struct text_actions *to, const char *key, const char *text,
                  struct flow_learn_spec *spec)
{
	const struct flow_field *field = flow_field_get(spec->to.field);
	struct flow_value value, mask;
	uint8_t number[16] = {0};

	if (of_text_parse_field(field, text, to->names, &value, &mask, to->err)) {
		error_prefix(to->err, "%s value %s is neither a field nor a value", key,
		             text);
		return -EINVAL;
	}
	if (!text_is_full(field, &mask))
		return error_set(to->err, -EINVAL, "%s=%s: wildcards not allowed here",
		                 key, text);
	memcpy(number + 16 - field->n_bytes, value.bytes, field->n_bytes);
	if (spec->to.field == FIELD_IN_PORT && spec->n_bits == 16)
		number[12] = number[13] = 0;
	return set_constant(to, spec, number, text);
}

/* "FIELD", "FIELD=FIELD", "FIELD=VALUE", "FIELD[0..5]=0x3" */
static int
parse_match(struct text_actions *to, struct text_word *word, struct flow_learn_spec *spec)
{
	uint8_t number[16];

	if (of_text_parse_subfield(word->key, &spec->to, NULL))
		return error_set(to->err, -EINVAL, "unknown keyword %s", word->key);
	spec->to_type = TO_MATCH;
	spec->n_bits = spec->to.n_bits;
	if (word->delimiter != '=') {
		spec->from = spec->to;
		return 0;
	}
	if (!of_text_parse_subfield(word->value, &spec->from, NULL))
		return check_width(to, spec, word->value);
	if (!strchr(word->key, '[') ||
	    spec->n_bits == flow_field_get(spec->to.field)->n_bits)
		return parse_field_value(to, word->key, word->value, spec);
	if (text_parse_number(word->value, number, sizeof(number)))
		return error_set(to->err, -EINVAL, "%s=%s: neither a field nor a number",
		                 word->key, word->value);
	return set_constant(to, spec, number, word->value);
}

static int
parse_spec(struct text_actions *to, struct text_word *word, struct learn_args *args)
{
	struct flow_learn_spec *spec = &args->specs[args->n];

	if (args->n == MAX_SPECS)
		return error_set(to->err, -EINVAL, "learn: too many fields");
	args->n++;
	if (!strcmp(word->key, "load"))
		return parse_load(to, word->value, spec);
	if (strcmp(word->key, "output"))
		return parse_match(to, word, spec);
	if (of_text_parse_subfield(word->value, &spec->from, to->err))
		return -EINVAL;
	spec->to_type = TO_OUTPUT;
	spec->n_bits = spec->from.n_bits;
	return 0;
}

static int
parse_u16(struct text_actions *to, struct text_word *word, uint16_t *value)
{
	uint64_t number;

	if (text_want_u64(word->key, word->value, UINT16_MAX, &number, to->err))
		return -EINVAL;
	*value = (uint16_t)number;
	return 0;
}

static int
parse_result(struct text_actions *to, const char *text, struct flow_learn *learn)
{
	if (of_text_parse_subfield(text, &learn->result, to->err))
		return -EINVAL;
	if (learn->result.n_bits != 1)
		return error_set(to->err, -EINVAL,
		                 "result_dst in 'learn' action must be a single "
		                 "bit");
	learn->flags |= LEARN_WRITE_RESULT;
	return 0;
}

static int
parse_key(struct text_actions *to, struct text_word *word, struct learn_args *args)
{
	struct flow_learn *learn = &args->learn;
	uint64_t number;

	if (!strcmp(word->key, "table")) {
		if (!text_parse_table(word->value, to->names, &learn->table))
			return error_set(to->err, -EINVAL, "unknown table \"%s\"",
			                 word->value);
		if (learn->table == OF_TABLE_ALL)
			return error_set(to->err, -EINVAL,
			                 "table id 255 not valid for `learn' action");
		return 0;
	}
	if (!strcmp(word->key, "priority"))
		return parse_u16(to, word, &learn->priority);
	if (!strcmp(word->key, "idle_timeout"))
		return parse_u16(to, word, &learn->idle_s);
	if (!strcmp(word->key, "hard_timeout"))
		return parse_u16(to, word, &learn->hard_s);
	if (!strcmp(word->key, "fin_idle_timeout"))
		return parse_u16(to, word, &learn->fin_idle_s);
	if (!strcmp(word->key, "fin_hard_timeout"))
		return parse_u16(to, word, &learn->fin_hard_s);
	if (!strcmp(word->key, "cookie"))
		return text_want_u64("cookie", word->value, UINT64_MAX, &learn->cookie,
		                     to->err);
	if (!strcmp(word->key, "limit")) {
		if (text_want_u64("limit", word->value, UINT32_MAX, &number, to->err))
			return -EINVAL;
		learn->limit = (uint32_t)number;
		return 0;
	}
	if (!strcmp(word->key, "send_flow_rem"))
		learn->flags |= LEARN_SEND_REMOVED;
	else if (!strcmp(word->key, "delete_learned"))
		learn->flags |= LEARN_DELETE;
	else if (!strcmp(word->key, "result_dst"))
		return parse_result(to, word->value, learn);
	else
		return parse_spec(to, word, args);
	return 0;
}

int
text_parse_learn(struct text_actions *to, char *arg, int variant UNUSED)
{
	struct learn_args args = {.learn = {.table = 1, .priority = 32768}};
	size_t bytes;
	struct flow_learn *learn;
	struct text_word word;
	int error = 0;

	args.specs = xcalloc(MAX_SPECS, sizeof(*args.specs));
	while (!error && text_next_word(&arg, &word))
		error = parse_key(to, &word, &args);
	if (!error) {
		bytes = args.n * sizeof(*args.specs);
		learn = flow_actions_add(to->out, ACTION_LEARN, sizeof(*learn) + bytes);
		args.learn.head = learn->head;
		args.learn.n = args.n;
		memcpy(learn, &args.learn, sizeof(args.learn));
		memcpy(learn->specs, args.specs, bytes);
	}
	free(args.specs);
	return error;
}

static bool
is_whole(const struct flow_subfield *sub)
{
	return sub->first_bit == 0 &&
	       (sub->n_bits == flow_field_get(sub->field)->n_bits ||
	        (sub->field == FIELD_IN_PORT && sub->n_bits == 16));
}

static void
put_match(struct str *out, const struct flow_learn_spec *spec,
          const struct of_names *names)
{
	const struct flow_field *field = flow_field_get(spec->to.field);
	size_t bytes = (spec->n_bits + 7U) / 8;
	struct flow_value value = {{0}};

	if (spec->from_type != FROM_CONSTANT) {
		of_text_format_subfield(out, &spec->to);
		if (memcmp(&spec->from, &spec->to, sizeof(spec->from))) {
			str_append_char(out, '=');
			of_text_format_subfield(out, &spec->from);
		}
	} else if (is_whole(&spec->to) && text_fields[spec->to.field].name) {
		memcpy(value.bytes + field->n_bytes - bytes, spec->value.bytes, bytes);
		str_printf(out, "%s=", text_fields[spec->to.field].name);
		of_text_format_field(out, field, &value, NULL, names);
	} else {
		of_text_format_subfield(out, &spec->to);
		str_append_char(out, '=');
		text_format_hex(out, spec->value.bytes, bytes);
	}
}

static void
put_spec(struct str *out, const struct flow_learn_spec *spec,
         const struct of_names *names)
{
	str_append_char(out, ',');
	switch (spec->to_type) {
	case TO_MATCH:
		put_match(out, spec, names);
		break;
	case TO_LOAD:
		str_append(out, "load:");
		if (spec->from_type == FROM_CONSTANT)
			text_format_hex(out, spec->value.bytes, (spec->n_bits + 7U) / 8);
		else
			of_text_format_subfield(out, &spec->from);
		str_append(out, "->");
		of_text_format_subfield(out, &spec->to);
		break;
	default:
		str_append(out, "output:");
		of_text_format_subfield(out, &spec->from);
		break;
	}
}

void
text_format_learn(struct str *out, const struct flow_learn *learn,
                  const struct of_names *names)
{
	str_append(out, "learn(table=");
	text_format_table(out, learn->table, names);
	if (learn->idle_s)
		str_printf(out, ",idle_timeout=%u", learn->idle_s);
	if (learn->hard_s)
		str_printf(out, ",hard_timeout=%u", learn->hard_s);
	if (learn->fin_idle_s)
		str_printf(out, ",fin_idle_timeout=%u", learn->fin_idle_s);
	if (learn->fin_hard_s)
		str_printf(out, ",fin_hard_timeout=%u", learn->fin_hard_s);
	if (learn->priority != 32768)
		str_printf(out, ",priority=%u", learn->priority);
	if (learn->flags & LEARN_SEND_REMOVED)
		str_append(out, ",send_flow_rem");
	if (learn->flags & LEARN_DELETE)
		str_append(out, ",delete_learned");
	if (learn->cookie)
		str_printf(out, ",cookie=0x%" PRIx64, learn->cookie);
	if (learn->limit)
		str_printf(out, ",limit=%u", learn->limit);
	if (learn->flags & LEARN_WRITE_RESULT) {
		str_append(out, ",result_dst=");
		of_text_format_subfield(out, &learn->result);
	}
	for (uint32_t i = 0; i < learn->n; i++)
		put_spec(out, &learn->specs[i], names);
	str_append_char(out, ')');
}
