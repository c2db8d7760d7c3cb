/* of_msg_group.c - bodies of the messages about groups: changes, descriptions, what they
 * counted. Below of_msg.c; no state, any thread. */
#include <errno.h>

#include "base/compiler.h"
#include "openflow/of_msg_private.h"

#define VENDOR_NETRONOME      0x0000154dU
#define SELECTION_METHOD      1U
#define PROPERTY_EXPERIMENTER 0xffffU

enum { BUCKET_WEIGHT, BUCKET_WATCH_PORT, BUCKET_WATCH_GROUP };

/* ---- Buckets. */

/* A bucket's bytes, whose length is at its start. */
static int
bucket_item(struct of_in *in, size_t least, struct of_in *item)
{
	if (in_item(in, 0, least, "bucket", item) == 0)
		return 0;
	return of_fail(in->error, OFERR_GROUP_MOD_BUCKET, "a bucket's length is wrong");
}

static int
bucket_11_decode(struct of_in *in, struct of_bucket *b)
{
	struct of_in item;
	int rc = bucket_item(in, 16, &item);

	if (rc < 0)
		return rc;
	in_skip(&item, 2);
	b->id = OF_BUCKET_ALL;
	b->weight = in_u16(&item);
	b->watch_port = in_u32(&item);
	b->watch_group = in_u32(&item);
	in_skip(&item, 4);
	return in_actions(&item, &b->actions);
}

static int
bucket_property(struct of_in *in, struct of_bucket *b)
{
	struct of_in body;
	uint16_t type;
	int rc = in_property(in, &type, &body);

	if (rc < 0)
		return rc;
	switch (type) {
	case BUCKET_WEIGHT:
		b->weight = in_u16(&body);
		in_skip(&body, 2);
		break;
	case BUCKET_WATCH_PORT:
		b->watch_port = in_u32(&body);
		break;
	case BUCKET_WATCH_GROUP:
		b->watch_group = in_u32(&body);
		break;
	case PROPERTY_EXPERIMENTER:
		return of_fail(in->error, OFERR_BAD_PROPERTY_EXPERIMENTER,
		               "an experimenter's property of a bucket");
	default:
		return of_fail(in->error, OFERR_BAD_PROPERTY_TYPE,
		               "a bucket has no property %u", type);
	}
	if (body.is_short || body.n)
		return of_fail(in->error, OFERR_BAD_PROPERTY_LEN,
		               "property %u of a bucket has a wrong length", type);
	return 0;
}

static int
bucket_15_decode(struct of_in *in, enum of_group_type type, struct of_bucket *b)
{
	struct of_in item, actions;
	size_t n_actions;
	int rc = bucket_item(in, 8, &item);

	if (rc < 0)
		return rc;
	in_skip(&item, 2);
	n_actions = in_u16(&item);
	b->id = in_u32(&item);
	b->weight = type == OF_GROUP_TYPE_SELECT ? 1 : 0;
	b->watch_port = FLOW_PORT_NONE;
	b->watch_group = OF_GROUP_ANY;
	actions = in_part(&item, n_actions);
	if (item.is_short)
		return of_fail(in->error, OFERR_GROUP_MOD_BUCKET,
		               "a bucket's actions are cut short");
	rc = in_actions(&actions, &b->actions);
	while (rc == 0 && item.n)
		rc = bucket_property(&item, b);
	return rc;
}

static int
buckets_decode(struct of_in *in, struct of_group_mod *mod)
{
	int rc = 0;

	while (rc == 0 && in->n) {
		struct of_bucket *b;

		mod->buckets =
			in_grow(in, mod->buckets, &mod->n_buckets, sizeof(*mod->buckets));
		b = &mod->buckets[mod->n_buckets - 1];
		rc = of_has_groups_15(in->msg) ? bucket_15_decode(in, mod->type, b)
		                               : bucket_11_decode(in, b);
	}
	return rc;
}

uint32_t
of_bucket_free_id(const struct of_bucket *buckets, size_t n, uint32_t first)
{
	for (size_t i = 0; i < n;) {
		const bool is_taken = buckets[i].id == first;

		first += is_taken;
		i = is_taken ? 0 : i + 1;
	}
	return first;
}

static void
bucket_15_encode(struct of_out *o, enum of_group_type type, const struct of_bucket *b,
                 uint32_t id)
{
	size_t property, actions, start = o_at(o);

	o_u32(o, 0);
	o_u32(o, id);
	actions = o_at(o);
	o_actions(o, &b->actions);
	o_length(o, start + 2, actions);
	if (type == OF_GROUP_TYPE_SELECT || b->weight) {
		property = o_property(o, BUCKET_WEIGHT);
		o_u16(o, b->weight);
		o_u16(o, 0);
		o_property_end(o, property);
	}
	if (b->watch_port != FLOW_PORT_NONE) {
		property = o_property(o, BUCKET_WATCH_PORT);
		o_u32(o, b->watch_port);
		o_property_end(o, property);
	}
	if (b->watch_group != OF_GROUP_ANY) {
		property = o_property(o, BUCKET_WATCH_GROUP);
		o_u32(o, b->watch_group);
		o_property_end(o, property);
	}
	o_length(o, start, start);
}

/* 1.5 wants a number of each bucket: who has none gets the lowest that is free. */
static void
buckets_15_encode(struct of_out *o, const struct of_group_mod *mod)
{
	uint32_t next = 0;

	for (size_t i = 0; i < mod->n_buckets; i++) {
		uint32_t id = mod->buckets[i].id;

		if (id > OF_BUCKET_MAX) {
			id = of_bucket_free_id(mod->buckets, mod->n_buckets, next);
			next = id + 1;
		}
		bucket_15_encode(o, mod->type, &mod->buckets[i], id);
	}
}

static void
buckets_encode(struct of_out *o, const struct of_group_mod *mod)
{
	if (of_has_groups_15(o->msg)) {
		buckets_15_encode(o, mod);
		return;
	}
	for (size_t i = 0; i < mod->n_buckets; i++) {
		const struct of_bucket *b = &mod->buckets[i];
		size_t start = o_at(o);

		o_u16(o, 0);
		o_u16(o, b->weight);
		o_u32(o, b->watch_port);
		o_u32(o, b->watch_group);
		o_zeros(o, 4);
		o_actions(o, &b->actions);
		o_length(o, start, start);
	}
}

/* ---- How a bucket is chosen: Netronome's property of 1.5. */

static int
hash_fields_decode(struct of_in *in, struct of_group_mod *mod)
{
	while (in->n) {
		struct of_hash_field *hash;
		struct flow_value mask;
		bool has_mask = false;
		size_t used = 0;
		int rc;

		/* Some end with padding that their length counts. */
		if (in->n < 8 && of_is_zero(in->p, in->n))
			break;
		mod->hash_fields = in_grow(in, mod->hash_fields, &mod->n_hash_fields,
		                           sizeof(*mod->hash_fields));
		hash = &mod->hash_fields[mod->n_hash_fields - 1];
		rc = of_field_decode(in_version(in), in->p, in->n, &hash->field,
		                     &hash->mask, &mask, &has_mask, &used, in->error);
		if (rc < 0)
			return rc;
		if (has_mask)
			return of_fail(in->error, OFERR_BAD_PROPERTY_EXP_VALUE,
			               "a field to hash has a mask of its own");
		in_skip(in, used);
		rc = in_check(in, "field to hash");
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int
selection_check(struct of_in *in, const struct of_group_mod *mod)
{
	bool is_hash = !strcmp(mod->selection_method, "hash");

	if (!is_hash && strcmp(mod->selection_method, "dp_hash") != 0)
		return of_fail(in->error, OFERR_BAD_PROPERTY_VALUE,
		               "no selection method is called \"%s\"",
		               mod->selection_method);
	if (mod->type != OF_GROUP_TYPE_SELECT || mod->command == OF_GROUP_DELETE ||
	    mod->command == OF_GROUP_INSERT_BUCKET ||
	    mod->command == OF_GROUP_REMOVE_BUCKET)
		return of_fail(in->error, OFERR_BAD_PROPERTY_VALUE,
		               "only groups of type select have a selection method");
	if (mod->n_hash_fields && !is_hash)
		return of_fail(in->error, OFERR_BAD_PROPERTY_VALUE,
		               "only the selection method \"hash\" has fields");
	return 0;
}

static int
group_property(struct of_in *in, struct of_group_mod *mod)
{
	struct of_in body;
	uint16_t type;
	uint32_t vendor, number;
	int rc = in_property(in, &type, &body);

	if (rc < 0)
		return rc;
	if (type != PROPERTY_EXPERIMENTER)
		return of_fail(in->error, OFERR_BAD_PROPERTY_TYPE,
		               "a group has no property %u", type);
	vendor = in_u32(&body);
	number = in_u32(&body);
	if (body.is_short)
		return of_fail(in->error, OFERR_BAD_PROPERTY_LEN,
		               "a group's property is cut short");
	if (vendor != VENDOR_NETRONOME)
		return of_fail(in->error, OFERR_BAD_PROPERTY_EXPERIMENTER,
		               "a group has no property of 0x%08x", vendor);
	if (number != SELECTION_METHOD)
		return of_fail(in->error, OFERR_BAD_PROPERTY_EXP_TYPE,
		               "a group has no property %u of 0x%08x", number, vendor);
	in_skip(&body, 4);
	in_text(&body, 16, mod->selection_method, sizeof(mod->selection_method));
	mod->selection_param = in_u64(&body);
	if (body.is_short)
		return of_fail(in->error, OFERR_BAD_PROPERTY_LEN,
		               "a group's property is cut short");
	rc = hash_fields_decode(&body, mod);
	return rc < 0 ? rc : selection_check(in, mod);
}

static void
group_properties_encode(struct of_out *o, const struct of_group_mod *mod)
{
	size_t start;

	if (!mod->selection_method[0])
		return;
	start = o_property(o, PROPERTY_EXPERIMENTER);
	o_u32(o, VENDOR_NETRONOME);
	o_u32(o, SELECTION_METHOD);
	o_zeros(o, 4);
	o_text(o, mod->selection_method, 16);
	o_u64(o, mod->selection_param);
	for (size_t i = 0; i < mod->n_hash_fields; i++)
		of_field_encode(o->msg->version, mod->hash_fields[i].field,
		                &mod->hash_fields[i].mask, NULL, o->out);
	o_property_end(o, start);
}

/* ---- Changes. */

static int
command_decode(struct of_in *in, bool is_15, uint16_t wire,
               enum of_group_command *command)
{
	if (wire <= OF_GROUP_DELETE)
		*command = (enum of_group_command)wire;
	else if (is_15 && wire == 3)
		*command = OF_GROUP_INSERT_BUCKET;
	else if (is_15 && wire == 5)
		*command = OF_GROUP_REMOVE_BUCKET;
	else if (wire == 0x8000) /* Nicira's */
		*command = OF_GROUP_ADD_OR_MODIFY;
	else if (!in->is_short)
		return of_fail(in->error, OFERR_GROUP_MOD_COMMAND,
		               "there is no command %u on groups", wire);
	return 0;
}

static const uint16_t commands[] = {
	[OF_GROUP_ADD] = 0,           [OF_GROUP_MODIFY] = 1,
	[OF_GROUP_DELETE] = 2,        [OF_GROUP_INSERT_BUCKET] = 3,
	[OF_GROUP_REMOVE_BUCKET] = 5, [OF_GROUP_ADD_OR_MODIFY] = 0x8000,
};

static int
type_decode(struct of_in *in, uint8_t wire, enum of_group_type *type)
{
	if (wire > OF_GROUP_TYPE_FF && !in->is_short)
		return of_fail(in->error, OFERR_GROUP_MOD_TYPE,
		               "there is no type %u of groups", wire);
	*type = (enum of_group_type)wire;
	return 0;
}

/* From 1.3.5 on. */
static int
delete_check(struct of_in *in, const struct of_group_mod *mod)
{
	if (in_version(in) < OF13 || mod->command != OF_GROUP_DELETE || !mod->n_buckets)
		return 0;
	return of_fail(in->error, OFERR_GROUP_MOD_INVALID, "a delete has buckets");
}

/* Which bucket a command of 1.5 names, and the numbers that buckets bring. */
static int
bucket_ids_check(struct of_in *in, const struct of_group_mod *mod)
{
	const uint32_t id = mod->bucket_id;
	const bool is_one =
		id <= OF_BUCKET_MAX || id == OF_BUCKET_FIRST || id == OF_BUCKET_LAST;
	const bool is_good = mod->command == OF_GROUP_INSERT_BUCKET ? is_one
	                     : mod->command == OF_GROUP_REMOVE_BUCKET
	                             ? is_one || id == OF_BUCKET_ALL
	                             : id == OF_BUCKET_ALL;

	if (!is_good)
		return of_fail(in->error, OFERR_GROUP_MOD_BAD_BUCKET,
		               "the command is not about bucket 0x%x", id);
	if (mod->command == OF_GROUP_REMOVE_BUCKET && mod->n_buckets)
		return of_fail(in->error, OFERR_GROUP_MOD_BAD_BUCKET,
		               "buckets are not for removing others");
	for (size_t i = 0; i < mod->n_buckets; i++)
		if (mod->buckets[i].id > OF_BUCKET_MAX)
			return of_fail(in->error, OFERR_GROUP_MOD_BAD_BUCKET,
			               "no bucket has the number 0x%x",
			               mod->buckets[i].id);
	return 0;
}

static int
group_mod_decode(struct of_in *in, struct of_msg *msg)
{
	struct of_group_mod *mod = &msg->group_mod;
	struct of_in buckets;
	size_t n_buckets;
	int rc = command_decode(in, of_has_groups_15(msg), in_u16(in), &mod->command);

	if (rc == 0)
		rc = type_decode(in, in_u8(in), &mod->type);
	if (rc < 0)
		return rc;
	in_skip(in, 1);
	mod->group = in_u32(in);
	mod->bucket_id = OF_BUCKET_ALL;
	if (!of_has_groups_15(msg)) {
		rc = in->is_short ? 0 : buckets_decode(in, mod);
		return rc < 0 ? rc : delete_check(in, mod);
	}
	n_buckets = in_u16(in);
	in_skip(in, 2);
	mod->bucket_id = in_u32(in);
	buckets = in_part(in, n_buckets);
	rc = in_check(in, "group_mod");
	if (rc == 0)
		rc = buckets_decode(&buckets, mod);
	while (rc == 0 && in->n)
		rc = group_property(in, mod);
	if (rc == 0)
		rc = bucket_ids_check(in, mod);
	return rc < 0 ? rc : delete_check(in, mod);
}

static void
group_mod_encode(struct of_out *o, const struct of_msg *msg)
{
	const struct of_group_mod *mod = &msg->group_mod;
	size_t start, length_at;

	o_u16(o, commands[mod->command]);
	o_u8(o, mod->type);
	o_u8(o, 0);
	o_u32(o, mod->group);
	if (!of_has_groups_15(msg)) {
		buckets_encode(o, mod);
		return;
	}
	length_at = o_at(o);
	o_u32(o, 0);
	o_u32(o, mod->command == OF_GROUP_INSERT_BUCKET ||
	                         mod->command == OF_GROUP_REMOVE_BUCKET
	                 ? mod->bucket_id
	                 : OF_BUCKET_ALL);
	start = o_at(o);
	buckets_encode(o, mod);
	o_length(o, length_at, start);
	group_properties_encode(o, mod);
}

/* ---- Descriptions. */

static int
group_request_decode(struct of_in *in, struct of_msg *msg)
{
	msg->number = in_u32(in);
	in_skip(in, 4);
	return 0;
}

static void
group_request_encode(struct of_out *o, const struct of_msg *msg)
{
	o_u32(o, msg->number);
	o_zeros(o, 4);
}

static int
group_desc_request_decode(struct of_in *in, struct of_msg *msg)
{
	msg->number = OF_GROUP_ALL;
	return of_has_groups_15(msg) ? group_request_decode(in, msg) : 0;
}

static void
group_desc_request_encode(struct of_out *o, const struct of_msg *msg)
{
	if (of_has_groups_15(msg))
		group_request_encode(o, msg);
}

static int
desc_decode(struct of_in *in, struct of_group_mod *group)
{
	struct of_in item, buckets;
	size_t n_buckets;
	int rc = in_item(in, 0, of_has_groups_15(in->msg) ? 16 : 8, "group", &item);

	if (rc < 0)
		return rc;
	group->bucket_id = OF_BUCKET_ALL;
	in_skip(&item, 2);
	rc = type_decode(in, in_u8(&item), &group->type);
	if (rc < 0)
		return rc;
	in_skip(&item, 1);
	group->group = in_u32(&item);
	if (!of_has_groups_15(in->msg))
		return buckets_decode(&item, group);
	n_buckets = in_u16(&item);
	in_skip(&item, 6);
	buckets = in_part(&item, n_buckets);
	rc = in_check(&item, "group");
	if (rc == 0)
		rc = buckets_decode(&buckets, group);
	while (rc == 0 && item.n)
		rc = group_property(&item, group);
	return rc;
}

static int
group_descs_decode(struct of_in *in, struct of_msg *msg)
{
	int rc = 0;

	while (rc == 0 && in->n) {
		msg->groups = in_grow(in, msg->groups, &msg->n, sizeof(*msg->groups));
		rc = desc_decode(in, &msg->groups[msg->n - 1]);
	}
	return rc;
}

static void
group_descs_encode(struct of_out *o, const struct of_msg *msg)
{
	for (size_t i = 0; i < msg->n && o->status == 0; i++) {
		const struct of_group_mod *group = &msg->groups[i];
		size_t buckets, start = o_at(o);

		o_u16(o, 0);
		o_u8(o, group->type);
		o_u8(o, 0);
		o_u32(o, group->group);
		if (of_has_groups_15(msg))
			o_zeros(o, 8);
		buckets = o_at(o);
		buckets_encode(o, group);
		if (of_has_groups_15(msg)) {
			o_length(o, start + 8, buckets);
			group_properties_encode(o, group);
		}
		o_length(o, start, start);
		o_item_end(o, start);
	}
}

/* ---- Counters. */

static int
stats_decode(struct of_in *in, struct of_group_stats *s)
{
	struct of_in item;
	bool has_duration = in_version(in) >= OF13 || in->msg->is_nicira;
	size_t least = has_duration ? 40 : 32;
	int rc = in_item(in, 0, least, "group's counters", &item);

	if (rc < 0)
		return rc;
	in_skip(&item, 4);
	s->group = in_u32(&item);
	s->references = in_u32(&item);
	in_skip(&item, 4);
	s->packets = in_u64(&item);
	s->bytes = in_u64(&item);
	s->duration_ns = has_duration ? in_duration(&item) : UINT64_MAX;
	while (item.n && !item.is_short) {
		struct of_bucket *b;

		s->buckets = in_grow(in, s->buckets, &s->n_buckets, sizeof(*s->buckets));
		b = &s->buckets[s->n_buckets - 1];
		b->id = OF_BUCKET_ALL;
		b->packets = in_u64(&item);
		b->bytes = in_u64(&item);
	}
	return in_check(&item, "group's counters");
}

static int
group_stats_decode(struct of_in *in, struct of_msg *msg)
{
	int rc = 0;

	while (rc == 0 && in->n) {
		msg->group_stats =
			in_grow(in, msg->group_stats, &msg->n, sizeof(*msg->group_stats));
		rc = stats_decode(in, &msg->group_stats[msg->n - 1]);
	}
	return rc;
}

static void
group_stats_encode(struct of_out *o, const struct of_msg *msg)
{
	for (size_t i = 0; i < msg->n && o->status == 0; i++) {
		const struct of_group_stats *s = &msg->group_stats[i];
		size_t start = o_at(o);

		o_u32(o, 0);
		o_u32(o, s->group);
		o_u32(o, s->references);
		o_zeros(o, 4);
		o_u64(o, s->packets);
		o_u64(o, s->bytes);
		if (msg->version >= OF13 || msg->is_nicira)
			o_duration(o, s->duration_ns);
		for (size_t j = 0; j < s->n_buckets; j++) {
			o_u64(o, s->buckets[j].packets);
			o_u64(o, s->buckets[j].bytes);
		}
		o_length(o, start, start);
		o_item_end(o, start);
	}
}

const struct of_codec of_codec_group_mod = {group_mod_decode, group_mod_encode};
const struct of_codec of_codec_group_request = {group_request_decode,
                                                group_request_encode};
const struct of_codec of_codec_group_desc_request = {group_desc_request_decode,
                                                     group_desc_request_encode};
const struct of_codec of_codec_group_stats = {group_stats_decode, group_stats_encode};
const struct of_codec of_codec_group_descs = {group_descs_decode, group_descs_encode};
