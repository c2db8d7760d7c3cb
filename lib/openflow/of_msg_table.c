/* of_msg_table.c - bodies of the messages about tables as such: configuration and what
 * they counted. of_msg_features.c has what they can do. Below of_msg.c; no state, any
 * thread. */
#include "openflow/of_msg_private.h"

#define PROPERTY_EVICTION     2
#define PROPERTY_VACANCY      3
#define PROPERTY_EXPERIMENTER 0xffffU

/* ---- Configuration. */

/* Those of a change and of a description, which has the vacancy of now besides. */
static int
table_properties(struct of_in *in, struct of_table_desc *desc)
{
	while (in->n) {
		struct of_in body;
		uint16_t type;
		int rc = in_property(in, &type, &body);

		if (rc < 0)
			return rc;
		if (type == PROPERTY_EVICTION) {
			desc->has_eviction = true;
			desc->eviction_flags = in_u32(&body);
		} else if (type == PROPERTY_VACANCY) {
			desc->has_vacancy = true;
			desc->vacancy_down = in_u8(&body);
			desc->vacancy_up = in_u8(&body);
			desc->vacancy = in_u8(&body);
			in_skip(&body, 1);
		} else if (in->msg->kind != OFM_TABLE_MOD) {
			/* What a table has besides is passed over. */
			in_skip(&body, body.n);
		} else if (type == PROPERTY_EXPERIMENTER) {
			return of_fail(in->error, OFERR_BAD_PROPERTY_EXPERIMENTER,
			               "an experimenter's property of a table");
		} else {
			return of_fail(in->error, OFERR_BAD_PROPERTY_TYPE,
			               "a table has no property %u", type);
		}
		if (body.is_short || body.n)
			return of_fail(in->error, OFERR_BAD_PROPERTY_LEN,
			               "property %u of a table has a wrong length", type);
	}
	return 0;
}

static void
properties_encode(struct of_out *o, const struct of_table_desc *desc)
{
	size_t start;

	if (desc->has_eviction) {
		start = o_property(o, PROPERTY_EVICTION);
		o_u32(o, desc->eviction_flags);
		o_property_end(o, start);
	}
	if (desc->has_vacancy) {
		start = o_property(o, PROPERTY_VACANCY);
		o_u8(o, desc->vacancy_down);
		o_u8(o, desc->vacancy_up);
		o_u8(o, desc->vacancy);
		o_u8(o, 0);
		o_property_end(o, start);
	}
}

static int
table_mod_decode(struct of_in *in, struct of_msg *msg)
{
	struct of_table_mod *mod = &msg->table_mod;
	struct of_table_desc desc = {0};
	int rc = 0;

	mod->table = in_u8(in);
	in_skip(in, 3);
	mod->config = in_u32(in);
	if (msg->version >= OF14)
		rc = table_properties(in, &desc);
	if (rc == 0 && desc.vacancy_down > desc.vacancy_up)
		rc = of_fail(in->error, OFERR_BAD_PROPERTY_VALUE,
		             "vacancy goes down at %u and up at %u", desc.vacancy_down,
		             desc.vacancy_up);
	if (rc == 0 && desc.vacancy)
		rc = of_fail(in->error, OFERR_BAD_PROPERTY_VALUE,
		             "a vacancy of %u is not to be set", desc.vacancy);
	mod->has_eviction = desc.has_eviction;
	mod->eviction_flags = desc.eviction_flags;
	mod->has_vacancy = desc.has_vacancy;
	mod->vacancy_down = desc.vacancy_down;
	mod->vacancy_up = desc.vacancy_up;
	return rc;
}

static void
table_mod_encode(struct of_out *o, const struct of_msg *msg)
{
	const struct of_table_mod *mod = &msg->table_mod;
	struct of_table_desc desc = {
		.has_eviction = mod->has_eviction,
		.eviction_flags = mod->eviction_flags,
		.has_vacancy = mod->has_vacancy,
		.vacancy_down = mod->vacancy_down,
		.vacancy_up = mod->vacancy_up,
	};

	o_u8(o, mod->table);
	o_zeros(o, 3);
	o_u32(o, mod->config);
	if (msg->version >= OF14)
		properties_encode(o, &desc);
}

static int
desc_decode(struct of_in *in, struct of_table_desc *desc)
{
	struct of_in item;
	int rc = in_item(in, 0, 8, "table", &item);

	if (rc < 0)
		return rc;
	in_skip(&item, 2);
	desc->table = in_u8(&item);
	in_skip(&item, 1);
	desc->config = in_u32(&item);
	return table_properties(&item, desc);
}

static void
desc_encode(struct of_out *o, const struct of_table_desc *desc)
{
	size_t start = o_at(o);

	o_u16(o, 0);
	o_u8(o, desc->table);
	o_u8(o, 0);
	o_u32(o, desc->config);
	properties_encode(o, desc);
	o_length(o, start, start);
}

static int
table_descs_decode(struct of_in *in, struct of_msg *msg)
{
	int rc = 0;

	while (rc == 0 && in->n) {
		msg->table_descs =
			in_grow(in, msg->table_descs, &msg->n, sizeof(*msg->table_descs));
		rc = desc_decode(in, &msg->table_descs[msg->n - 1]);
	}
	return rc;
}

static void
table_descs_encode(struct of_out *o, const struct of_msg *msg)
{
	for (size_t i = 0; i < msg->n && o->status == 0; i++) {
		size_t start = o_at(o);

		desc_encode(o, &msg->table_descs[i]);
		o_item_end(o, start);
	}
}

static int
table_status_decode(struct of_in *in, struct of_msg *msg)
{
	msg->table_status.reason = in_u8(in);
	in_skip(in, 7);
	return desc_decode(in, &msg->table_status.desc);
}

static void
table_status_encode(struct of_out *o, const struct of_msg *msg)
{
	o_u8(o, msg->table_status.reason);
	o_zeros(o, 7);
	desc_encode(o, &msg->table_status.desc);
}

/* ---- Counters. */

static void
stats_11_decode(struct of_in *in, struct of_table_stats *s)
{
	in_skip(in, 7);
	in_text(in, 32, s->name, sizeof(s->name));
	s->wildcards = in_u32(in);
	s->match_fields = in_u32(in);
	s->instructions = in_u32(in);
	s->write_actions = in_u32(in);
	s->apply_actions = in_u32(in);
	s->config = in_u32(in);
	s->max_entries = in_u32(in);
	s->active = in_u32(in);
}

static void
stats_12_decode(struct of_in *in, struct of_table_stats *s)
{
	in_skip(in, 7);
	in_text(in, 32, s->name, sizeof(s->name));
	s->match_fields = in_u64(in);
	s->wildcards = in_u64(in);
	s->write_actions = in_u32(in);
	s->apply_actions = in_u32(in);
	s->write_setfields = in_u64(in);
	s->apply_setfields = in_u64(in);
	s->metadata_match = in_u64(in);
	s->metadata_write = in_u64(in);
	s->instructions = in_u32(in);
	s->config = in_u32(in);
	s->max_entries = in_u32(in);
	s->active = in_u32(in);
}

static int
table_stats_decode(struct of_in *in, struct of_msg *msg)
{
	while (in->n) {
		struct of_table_stats *s;

		msg->tables = in_grow(in, msg->tables, &msg->n, sizeof(*msg->tables));
		s = &msg->tables[msg->n - 1];
		s->table = in_u8(in);
		if (msg->version == OF11) {
			stats_11_decode(in, s);
		} else if (msg->version == OF12) {
			stats_12_decode(in, s);
		} else {
			in_skip(in, 3);
			if (msg->version == OF10) {
				in_text(in, 32, s->name, sizeof(s->name));
				s->wildcards = in_u32(in);
				s->max_entries = in_u32(in);
			}
			s->active = in_u32(in);
		}
		s->lookups = in_u64(in);
		s->matched = in_u64(in);
	}
	return 0;
}

static void
stats_11_encode(struct of_out *o, const struct of_table_stats *s)
{
	o_zeros(o, 7);
	o_text(o, s->name, 32);
	o_u32(o, s->wildcards);
	o_u32(o, s->match_fields);
	o_u32(o, s->instructions);
	o_u32(o, s->write_actions);
	o_u32(o, s->apply_actions);
	o_u32(o, s->config);
	o_u32(o, s->max_entries);
	o_u32(o, s->active);
}

static void
stats_12_encode(struct of_out *o, const struct of_table_stats *s)
{
	o_zeros(o, 7);
	o_text(o, s->name, 32);
	o_u64(o, s->match_fields);
	o_u64(o, s->wildcards);
	o_u32(o, s->write_actions);
	o_u32(o, s->apply_actions);
	o_u64(o, s->write_setfields);
	o_u64(o, s->apply_setfields);
	o_u64(o, s->metadata_match);
	o_u64(o, s->metadata_write);
	o_u32(o, s->instructions);
	o_u32(o, s->config);
	o_u32(o, s->max_entries);
	o_u32(o, s->active);
}

static void
table_stats_encode(struct of_out *o, const struct of_msg *msg)
{
	for (size_t i = 0; i < msg->n && o->status == 0; i++) {
		const struct of_table_stats *s = &msg->tables[i];
		size_t start = o_at(o);

		o_u8(o, s->table);
		if (msg->version == OF11) {
			stats_11_encode(o, s);
		} else if (msg->version == OF12) {
			stats_12_encode(o, s);
		} else {
			o_zeros(o, 3);
			if (msg->version == OF10) {
				o_text(o, s->name, 32);
				o_u32(o, s->wildcards);
				o_u32(o, s->max_entries);
			}
			o_u32(o, s->active);
		}
		o_u64(o, s->lookups);
		o_u64(o, s->matched);
		o_item_end(o, start);
	}
}

const struct of_codec of_codec_table_mod = {table_mod_decode, table_mod_encode};
const struct of_codec of_codec_table_status = {table_status_decode, table_status_encode};
const struct of_codec of_codec_table_stats = {table_stats_decode, table_stats_encode};
const struct of_codec of_codec_table_descs = {table_descs_decode, table_descs_encode};
