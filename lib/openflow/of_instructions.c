/* of_instructions.c - instructions of 1.1 and later, both ways; the actions inside are
 * of_actions.c's and of_actions_encode.c's. No state, any thread. */
#include "openflow/of_actions.h"
#include "openflow/of_actions_private.h"
#include "openflow/of_wire.h"

enum {
	INSTRUCTION_GOTO = 1,
	INSTRUCTION_METADATA = 2,
	INSTRUCTION_WRITE = 3,
	INSTRUCTION_APPLY = 4,
	INSTRUCTION_CLEAR = 5,
	INSTRUCTION_METER = 6, /* 1.3 and 1.4 */
	INSTRUCTION_STAT_TRIGGER = 7,
	INSTRUCTION_EXPERIMENTER = 0xffff,
	N_INSTRUCTIONS = 8,
};

/* An instruction as it was found, whole. */
struct instruction {
	const uint8_t *data;
	size_t n;
};

static int
bad_length(struct of_error *error, unsigned type, size_t n)
{
	return of_fail(error, OFERR_BAD_INSTRUCTION_LEN, "instruction %u has %zu bytes",
	               type, n);
}

static int
check_type(enum of_version version, unsigned type, struct of_error *error)
{
	if (type == INSTRUCTION_EXPERIMENTER)
		return of_fail(error, OFERR_BAD_INSTRUCTION_EXPERIMENTER,
		               "no experimenter's instructions are known");
	if (type == INSTRUCTION_STAT_TRIGGER && version >= OF15)
		return of_fail(error, OFERR_BAD_INSTRUCTION_UNSUPPORTED,
		               "stat-trigger is not supported");
	if (type == INSTRUCTION_METER && version >= OF15)
		return of_fail(error, OFERR_BAD_INSTRUCTION_UNSUPPORTED,
		               "since OpenFlow 1.5 meter is an action");
	if (type == 0 || type > INSTRUCTION_METER ||
	    (type == INSTRUCTION_METER && version < OF13))
		return of_fail(error, OFERR_BAD_INSTRUCTION_UNKNOWN,
		               "unknown instruction %u", type);
	return 0;
}

/* Finds the instructions, at most one of each type. */
static int
find_all(enum of_version version, const uint8_t *data, size_t n,
         struct instruction found[N_INSTRUCTIONS], struct of_error *error)
{
	static const uint8_t sizes[N_INSTRUCTIONS] = {0, 8, 24, 8, 8, 8, 8, 0};

	while (n) {
		unsigned type = n >= 4 ? of_get16(data) : 0;
		size_t bytes = n >= 4 ? of_get16(data + 2) : 0;
		bool is_list = type == INSTRUCTION_WRITE || type == INSTRUCTION_APPLY;
		int err;

		if (bytes < 8 || bytes % 8 || bytes > n)
			return bad_length(error, type, bytes);
		err = check_type(version, type, error);
		if (err)
			return err;
		if (is_list ? bytes < sizes[type] : bytes != sizes[type])
			return bad_length(error, type, bytes);
		if (found[type].data)
			return of_fail(error, OFERR_BAD_INSTRUCTION_DUP,
			               "instruction %u is given twice", type);
		found[type] = (struct instruction){data, bytes};
		data += bytes;
		n -= bytes;
	}
	return 0;
}

static int
decode_lists(struct of_decoder *d, const struct instruction found[N_INSTRUCTIONS])
{
	const struct instruction *write = &found[INSTRUCTION_WRITE],
				 *apply = &found[INSTRUCTION_APPLY];
	size_t mark;
	int err;

	if (apply->data) {
		err = of_decode_list(d, apply->data + 8, apply->n - 8);
		if (err)
			return err;
	}
	if (found[INSTRUCTION_CLEAR].data)
		of_decoder_add_empty(d, ACTION_CLEAR_ACTIONS);
	if (!write->data)
		return 0;
	mark = flow_actions_begin_nested(d->out, ACTION_WRITE_ACTIONS,
	                                 sizeof(struct flow_nested));
	err = of_decode_list(d, write->data + 8, write->n - 8);
	if (err)
		return err;
	flow_actions_end_nested(d->out, mark);
	return 0;
}

int
of_instructions_decode(enum of_version version, const uint8_t *data, size_t n,
                       struct flow_actions *actions, struct of_error *error)
{
	struct of_decoder d = {.version = version, .out = actions, .error = error};
	struct instruction found[N_INSTRUCTIONS] = {{NULL, 0}};
	const uint8_t *p;
	int err = find_all(version, data, n, found, error);

	if (err)
		return err;
	p = found[INSTRUCTION_METER].data;
	if (p) {
		uint32_t meter = of_get32(p + 4);

		if (meter == 0 || meter > OF_METER_MAX)
			return of_fail(error, OFERR_METER_INVALID, "meter %u is reserved",
			               meter);
		of_decoder_add_number(&d, ACTION_METER, meter);
	}
	err = decode_lists(&d, found);
	if (err)
		return err;
	p = found[INSTRUCTION_METADATA].data;
	if (p) {
		struct flow_metadata *a =
			of_decoder_add(&d, ACTION_WRITE_METADATA, sizeof(*a));

		a->mask = of_get64(p + 16);
		a->value = of_get64(p + 8);
	}
	p = found[INSTRUCTION_GOTO].data;
	if (p) {
		if (p[4] == OF_TABLE_ALL)
			return of_fail(error, OFERR_BAD_INSTRUCTION_TABLE_ID,
			               "there is no table 255");
		of_decoder_add_number(&d, ACTION_GOTO_TABLE, p[4]);
	}
	return 0;
}

/* All but the instructions: what apply-actions holds. */
static void
encode_apply(enum of_version version, const void *records, size_t bytes, struct str *out)
{
	size_t start = of_begin(out, INSTRUCTION_APPLY);

	of_put32(out, 0);
	FLOW_ACTION_FOR_EACH(action, records, bytes)
	if (action->type < ACTION_METER ||
	    (action->type == ACTION_METER && version >= OF15))
		of_actions_encode(version, action, action->bytes, out);
	if (out->length == start + 8) {
		out->length = start;
		out->data[start] = 0;
	} else {
		of_end(out, start);
	}
}

static void
encode_one(enum of_version version, const struct flow_action *action, struct str *out)
{
	const struct flow_number *number = (const void *)action;
	const struct flow_metadata *metadata = (const void *)action;
	const struct flow_nested *nested = (const void *)action;
	size_t start;

	switch (action->type) {
	case ACTION_CLEAR_ACTIONS:
		start = of_begin(out, INSTRUCTION_CLEAR);
		of_end(out, start);
		break;
	case ACTION_WRITE_ACTIONS:
		start = of_begin(out, INSTRUCTION_WRITE);
		of_put32(out, 0);
		of_actions_encode(version, nested->nested, nested->nested_bytes, out);
		of_end(out, start);
		break;
	case ACTION_WRITE_METADATA:
		start = of_begin(out, INSTRUCTION_METADATA);
		of_put32(out, 0);
		of_put64(out, metadata->value);
		of_put64(out, metadata->mask);
		of_end(out, start);
		break;
	case ACTION_GOTO_TABLE:
		start = of_begin(out, INSTRUCTION_GOTO);
		of_put8(out, (uint8_t)number->value);
		of_end(out, start);
		break;
	default:
		break;
	}
}

void
of_instructions_encode(enum of_version version, const void *records, size_t bytes,
                       struct str *out)
{
	if (version == OF13 || version == OF14)
		FLOW_ACTION_FOR_EACH(action, records, bytes)
		{
			const struct flow_number *meter = (const void *)action;
			size_t start;

			if (action->type != ACTION_METER)
				continue;
			start = of_begin(out, INSTRUCTION_METER);
			of_put32(out, (uint32_t)meter->value);
			of_end(out, start);
			break;
		}
	encode_apply(version, records, bytes, out);
	FLOW_ACTION_FOR_EACH(action, records, bytes)
	encode_one(version, action, out);
}
