/* of_actions.c - reads OpenFlow's own actions and instructions. of_actions_nicira.c reads
 * the extensions; of_actions_encode.c writes. No state, any thread. */
#include "openflow/of_actions.h"

#include <errno.h>

#include "base/compiler.h"
#include "openflow/of_actions_private.h"
#include "openflow/of_match.h"
#include "openflow/of_match_private.h"
#include "openflow/of_oxm.h"
#include "openflow/of_wire.h"

#define ACTION_BYTES_MIN  8
#define TYPE_EXPERIMENTER 0xffff
#define SET_FIELD         25
#define OXM_IN_PORT       0x80000004U
#define COPY_FIELD        28
#define VLAN_VID_MAX      0x0fff
#define DSCP              0xfc

/* What an action's wire number means: its kind, its length on the wire, the versions
 * that have it. */
struct wire_action {
	uint8_t kind;
	uint8_t n_bytes;
	uint8_t min_version, max_version;
	uint8_t number_at, number_bytes; /* kinds that are one number */
};

/* OpenFlow 1.0, 5.2.4. */
static const struct wire_action actions_10[] = {
	[1] = {ACTION_SET_VLAN_VID, 8, OF10, OF10, 4, 2},
	[2] = {ACTION_SET_VLAN_PCP, 8, OF10, OF10, 4, 1},
	[3] = {ACTION_POP_VLAN, 8, OF10, OF10, 0, 0},
	[4] = {ACTION_SET_ETH_SRC, 16, OF10, OF10, 0, 0},
	[5] = {ACTION_SET_ETH_DST, 16, OF10, OF10, 0, 0},
	[6] = {ACTION_SET_IPV4_SRC, 8, OF10, OF10, 4, 4},
	[7] = {ACTION_SET_IPV4_DST, 8, OF10, OF10, 4, 4},
	[8] = {ACTION_SET_IP_DSCP, 8, OF10, OF10, 4, 1},
	[9] = {ACTION_SET_TP_SRC, 8, OF10, OF10, 4, 2},
	[10] = {ACTION_SET_TP_DST, 8, OF10, OF10, 4, 2},
};

/* OpenFlow 1.1, 5.2.4 to 1.5, 7.2.8. What 1.2 took out again is 1.1's alone. */
static const struct wire_action actions_11[] = {
	[1] = {ACTION_SET_VLAN_VID, 8, OF11, OF11, 4, 2},
	[2] = {ACTION_SET_VLAN_PCP, 8, OF11, OF11, 4, 1},
	[3] = {ACTION_SET_ETH_SRC, 16, OF11, OF11, 0, 0},
	[4] = {ACTION_SET_ETH_DST, 16, OF11, OF11, 0, 0},
	[5] = {ACTION_SET_IPV4_SRC, 8, OF11, OF11, 4, 4},
	[6] = {ACTION_SET_IPV4_DST, 8, OF11, OF11, 4, 4},
	[7] = {ACTION_SET_IP_DSCP, 8, OF11, OF11, 4, 1},
	[8] = {ACTION_SET_IP_ECN, 8, OF11, OF11, 4, 1},
	[9] = {ACTION_SET_TP_SRC, 8, OF11, OF11, 4, 2},
	[10] = {ACTION_SET_TP_DST, 8, OF11, OF11, 4, 2},
	[11] = {ACTION_COPY_TTL_OUT, 8, OF11, OF15, 0, 0},
	[12] = {ACTION_COPY_TTL_IN, 8, OF11, OF15, 0, 0},
	[13] = {ACTION_SET_MPLS_LABEL, 8, OF11, OF11, 4, 4},
	[14] = {ACTION_SET_MPLS_TC, 8, OF11, OF11, 4, 1},
	[15] = {ACTION_SET_MPLS_TTL, 8, OF11, OF15, 4, 1},
	[16] = {ACTION_DEC_MPLS_TTL, 8, OF11, OF15, 0, 0},
	[17] = {ACTION_PUSH_VLAN, 8, OF11, OF15, 4, 2},
	[18] = {ACTION_POP_VLAN, 8, OF11, OF15, 0, 0},
	[19] = {ACTION_PUSH_MPLS, 8, OF11, OF15, 4, 2},
	[20] = {ACTION_POP_MPLS, 8, OF11, OF15, 4, 2},
	[21] = {ACTION_SET_QUEUE, 8, OF11, OF15, 4, 4},
	[22] = {ACTION_GROUP, 8, OF11, OF15, 4, 4},
	[23] = {ACTION_SET_IP_TTL, 8, OF11, OF15, 4, 1},
	[24] = {ACTION_DEC_TTL, 8, OF11, OF15, 0, 0},
	[26] = {ACTION_PUSH_PBB, 8, OF13, OF15, 4, 2},
	[27] = {ACTION_POP_PBB, 8, OF13, OF15, 0, 0},
	[29] = {ACTION_METER, 8, OF15, OF15, 4, 4},
};

static int
bad_length(struct of_decoder *d, unsigned type, size_t n)
{
	return of_fail(d->error, OFERR_BAD_ACTION_LEN, "action %u has %zu bytes", type,
	               n);
}

/* Numbers that the field behind an action cannot have. */
static int
check_number(struct of_decoder *d, unsigned kind, uint64_t value)
{
	static const struct {
		uint8_t kind;
		uint32_t max;
	} limits[] = {
		{ACTION_SET_VLAN_VID, VLAN_VID_MAX},
		{ACTION_SET_VLAN_PCP, 7},
		{ACTION_SET_IP_ECN, 3},
		{ACTION_SET_MPLS_LABEL, 0xfffff},
		{ACTION_SET_MPLS_TC, 7},
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (limits[i].kind == kind && value > limits[i].max)
			return of_fail(d->error, OFERR_BAD_ACTION_ARGUMENT,
			               "%llu is out of range", (unsigned long long)value);
	if (kind == ACTION_SET_IP_DSCP && (value & ~(uint64_t)DSCP))
		return of_fail(d->error, OFERR_BAD_ACTION_ARGUMENT, "TOS %u has ECN bits",
		               (unsigned)value);
	if (kind == ACTION_PUSH_VLAN && value != 0x8100 && value != 0x88a8)
		return of_fail(d->error, OFERR_BAD_ACTION_ARGUMENT,
		               "0x%x is no type of a VLAN tag", (unsigned)value);
	if (kind == ACTION_PUSH_MPLS && value != 0x8847 && value != 0x8848)
		return of_fail(d->error, OFERR_BAD_ACTION_ARGUMENT,
		               "0x%x is no type of MPLS", (unsigned)value);
	if (kind == ACTION_PUSH_PBB && value != 0x88e7)
		return of_fail(d->error, OFERR_BAD_ACTION_ARGUMENT,
		               "0x%x is not the type of PBB", (unsigned)value);
	if (kind == ACTION_GROUP && value > OF_GROUP_MAX)
		return of_fail(d->error, OFERR_BAD_ACTION_OUT_GROUP,
		               "group %u is reserved", (unsigned)value);
	if (kind == ACTION_METER && (value == 0 || value > OF_METER_MAX))
		return of_fail(d->error,
		               d->version >= OF15 ? OFERR_BAD_ACTION_METER
		                                  : OFERR_METER_INVALID,
		               "meter %u is reserved", (unsigned)value);
	return 0;
}

static bool
is_vlan(unsigned kind)
{
	return kind == ACTION_SET_VLAN_VID || kind == ACTION_SET_VLAN_PCP;
}

/* 1.1's push no tag. */
static int
decode_vlan_11(struct of_decoder *d, unsigned kind, uint64_t value)
{
	struct flow_number *a = of_decoder_add(d, kind, sizeof(*a));

	a->head.is_legacy = true;
	a->value = value;
	return 0;
}

static int
decode_simple(struct of_decoder *d, const struct wire_action *w, const uint8_t *p)
{
	struct flow_address *address;
	struct flow_action *action;
	struct flow_ids *ids;
	uint64_t value = 0;
	int err;

	for (unsigned i = 0; i < w->number_bytes; i++)
		value = value << 8 | p[w->number_at + i];
	if (w->number_bytes) {
		err = check_number(d, w->kind, value);
		if (err)
			return err;
		return d->version == OF11 && is_vlan(w->kind)
		               ? decode_vlan_11(d, w->kind, value)
		               : of_decoder_add_number(d, w->kind, value);
	}
	if (w->kind == ACTION_SET_ETH_SRC || w->kind == ACTION_SET_ETH_DST) {
		address = of_decoder_add(d, w->kind, sizeof(*address));
		memcpy(address->bytes, p + 4, 6);
	} else if (w->kind == ACTION_DEC_TTL) {
		ids = of_decoder_add(d, ACTION_DEC_TTL, sizeof(*ids) + sizeof(uint16_t));
		ids->n = 1;
	} else {
		action = of_decoder_add(d, w->kind, sizeof(*action));
		action->is_legacy = w->kind == ACTION_POP_VLAN && d->version == OF10;
	}
	return 0;
}

static int
decode_output(struct of_decoder *d, const uint8_t *p, size_t n)
{
	struct flow_output *a;

	if (n != (d->version == OF10 ? 8 : 16))
		return bad_length(d, 0, n);
	a = of_decoder_add(d, ACTION_OUTPUT, sizeof(*a));
	if (d->version == OF10) {
		a->port = of_port_from_10(of_get16(p + 4));
		a->max_len = of_get16(p + 6);
	} else {
		a->port = of_get32(p + 4);
		a->max_len = of_get16(p + 8);
	}
	return 0;
}

static int
decode_enqueue(struct of_decoder *d, const uint8_t *p, size_t n)
{
	struct flow_enqueue *a;
	uint32_t port;

	if (n != 16)
		return bad_length(d, 11, n);
	port = of_port_from_10(of_get16(p + 4));
	if (port >= FLOW_PORT_MAX && port != FLOW_PORT_IN_PORT && port != FLOW_PORT_LOCAL)
		return of_fail(d->error, OFERR_BAD_ACTION_OUT_PORT,
		               "queues are of real ports, not 0x%x", port);
	a = of_decoder_add(d, ACTION_ENQUEUE, sizeof(*a));
	a->port = port;
	a->queue = of_get32(p + 12);
	return 0;
}

/* A value error of a field is one of the action's argument here. */
static int
as_action_error(struct of_error *error)
{
	if (!error)
		return -EPROTO;
	switch (error->id) {
	case OFERR_BAD_MATCH_LEN:
		error->id = OFERR_BAD_ACTION_SET_LEN;
		break;
	case OFERR_BAD_MATCH_FIELD:
		error->id = OFERR_BAD_ACTION_SET_TYPE;
		break;
	case OFERR_BAD_MATCH_MASK:
	case OFERR_BAD_MATCH_WILDCARDS:
		error->id = OFERR_BAD_ACTION_SET_MASK;
		break;
	case OFERR_NXFM_TLV_FIELD:
		break;
	default:
		error->id = OFERR_BAD_ACTION_SET_ARGUMENT;
		break;
	}
	return -EPROTO;
}

static int
decode_set_field(struct of_decoder *d, const uint8_t *p, size_t n)
{
	struct flow_set_field *a;
	enum flow_field_id field;
	struct flow_value value, mask;
	size_t used;
	bool has_mask;

	if (of_field_decode(d->version, p + 4, n - 4, &field, &value, &mask, &has_mask,
	                    &used, d->error))
		return as_action_error(d->error);
	if (of_round8(used + 4) != n)
		return bad_length(d, SET_FIELD, n);
	if (!of_is_zero(p + 4 + used, n - 4 - used))
		return of_fail(d->error, OFERR_BAD_ACTION_SET_ARGUMENT,
		               "set-field's padding is not zero");
	if (has_mask && d->version < OF15)
		return of_fail(d->error, OFERR_BAD_ACTION_SET_MASK,
		               "set-field has no masks before OpenFlow 1.5");
	/* OXM's in_port never is; NXM's is Nicira's way to set it. */
	if (!flow_field_get(field)->is_writable ||
	    of_get32(p + 4) >> 9 == OXM_IN_PORT >> 9)
		return of_fail(d->error, OFERR_BAD_ACTION_SET_ARGUMENT,
		               "%s cannot be written", flow_field_get(field)->name);
	if (field == FIELD_VLAN_VID &&
	    (mask.bytes[0] & ~value.bytes[0] & FLOW_VLAN_PRESENT >> 8))
		return of_fail(d->error, OFERR_BAD_ACTION_SET_ARGUMENT,
		               "vlan_vid without OFPVID_PRESENT");
	a = of_decoder_add(d, ACTION_SET_FIELD, sizeof(*a));
	/* The lowest bit of a header's third byte says that there is a mask. */
	if ((p[6] & 1) && !has_mask && flow_field_get(field)->n_bits % 8)
		a->head.is_legacy = SET_FIELD_MASKED;
	a->field = field;
	a->value = value;
	a->mask = mask;
	return 0;
}

static int
decode_one(struct of_decoder *d, const uint8_t *p, size_t n)
{
	unsigned type = of_get16(p);
	const struct wire_action *w = NULL;

	if (type == TYPE_EXPERIMENTER)
		return n < 8 ? bad_length(d, type, n) : of_decode_experimenter(d, p, n);
	if (type == 0)
		return decode_output(d, p, n);
	if (d->version == OF10 && type == 11)
		return decode_enqueue(d, p, n);
	if (d->version >= OF12 && type == SET_FIELD)
		return decode_set_field(d, p, n);
	if (d->version >= OF15 && type == COPY_FIELD)
		return n < 16 ? bad_length(d, type, n) : of_decode_reg_move(d, p, n, 4);
	if (d->version == OF10 && type < ARRAY_SIZE(actions_10))
		w = &actions_10[type];
	else if (d->version > OF10 && type < ARRAY_SIZE(actions_11))
		w = &actions_11[type];
	if (!w || !w->kind || d->version < w->min_version || d->version > w->max_version)
		return of_fail(d->error, OFERR_BAD_ACTION_TYPE, "unknown action %u",
		               type);
	if (n != w->n_bytes)
		return bad_length(d, type, n);
	return decode_simple(d, w, p);
}

int
of_decode_list(struct of_decoder *d, const uint8_t *data, size_t n)
{
	if (++d->depth > OF_NESTED_MAX)
		return of_fail(d->error, OFERR_BAD_ACTION_TOO_MANY,
		               "actions are nested too deeply");
	while (n) {
		size_t bytes = n >= ACTION_BYTES_MIN ? of_get16(data + 2) : 0;
		int err;

		if (bytes < ACTION_BYTES_MIN || bytes % 8 || bytes > n)
			return of_fail(d->error, OFERR_BAD_ACTION_LEN,
			               "an action of %zu bytes, with %zu left", bytes, n);
		err = decode_one(d, data, bytes);
		if (err)
			return err;
		data += bytes;
		n -= bytes;
	}
	d->depth--;
	return 0;
}

int
of_actions_decode(enum of_version version, const uint8_t *data, size_t n,
                  struct flow_actions *actions, struct of_error *error)
{
	struct of_decoder d = {.version = version, .out = actions, .error = error};

	return of_decode_list(&d, data, n);
}
