/* of_msg_flow.c - bodies of the messages about rules: changes, what they are and what
 * they counted, those that went. Below of_msg.c; no state, any thread. */
#include "base/compiler.h"
#include "openflow/of_msg_private.h"

#define OF10_EMERGENCY 4U
#define OF10_WILDCARDS 0x3fffffU
#define OXS_CLASS      0x8002U

enum { OXS_DURATION, OXS_IDLE, OXS_FLOWS = 3, OXS_PACKETS, OXS_BYTES };

/* ---- Counters as 1.5 has them. */

static int
oxs_one(struct of_in *in, struct of_oxs *oxs)
{
	uint32_t header = in_u32(in);
	unsigned field = header >> 9 & 0x7f;
	struct of_in value = in_part(in, header & 0xff);
	unsigned expected = field == OXS_FLOWS ? 4 : 8;

	if (in->is_short)
		return of_fail(in->error, OFERR_BAD_REQUEST_LEN,
		               "counters are cut short");
	if (header >> 16 != OXS_CLASS)
		return 0; /* of others, to be passed over */
	if (field > OXS_BYTES || value.n != expected)
		return field > OXS_BYTES || field == 2
		               ? 0
		               : of_fail(in->error, OFERR_BAD_REQUEST_LEN,
		                         "counter %u has %zu bytes", field, value.n);
	switch (field) {
	case OXS_DURATION:
		oxs->duration_ns = in_duration(&value);
		break;
	case OXS_IDLE:
		oxs->idle_ns = in_duration(&value);
		break;
	case OXS_FLOWS:
		oxs->flows = in_u32(&value);
		oxs->has_flows = true;
		break;
	case OXS_PACKETS:
		oxs->packets = in_u64(&value);
		break;
	case OXS_BYTES:
		oxs->bytes = in_u64(&value);
		break;
	default:
		break;
	}
	return 0;
}

int
in_oxs(struct of_in *in, struct of_oxs *oxs)
{
	struct of_in list;
	size_t n;
	int rc = in_item(in, 2, 4, "list of counters", &list);

	*oxs = (struct of_oxs){UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, 0, false};
	if (rc < 0)
		return rc;
	n = list.n;
	in_skip(in, of_round8(n) - n);
	in_skip(&list, 4);
	while (rc == 0 && list.n)
		rc = oxs_one(&list, oxs);
	return rc;
}

static void
oxs_put64(struct of_out *o, unsigned field, uint64_t value)
{
	if (value == UINT64_MAX)
		return;
	o_u32(o, OXS_CLASS << 16 | field << 9 | 8);
	if (field == OXS_DURATION || field == OXS_IDLE)
		o_duration(o, value);
	else
		o_u64(o, value);
}

void
o_oxs(struct of_out *o, const struct of_oxs *oxs)
{
	size_t start = o_at(o);

	o_u16(o, 0);
	o_u16(o, 0);
	oxs_put64(o, OXS_DURATION, oxs->duration_ns);
	oxs_put64(o, OXS_IDLE, oxs->idle_ns);
	oxs_put64(o, OXS_PACKETS, oxs->packets);
	oxs_put64(o, OXS_BYTES, oxs->bytes);
	if (oxs->has_flows) {
		o_u32(o, OXS_CLASS << 16 | OXS_FLOWS << 9 | 4);
		o_u32(o, oxs->flows);
	}
	o_length(o, start + 2, start);
	o_pad(o, start);
}

/* ---- Changes. */

uint16_t
of_flow_flags_known(enum of_version version)
{
	return version <= OF11 ? 0x03 : version == OF12 ? 0x07 : 0x1f;
}

static int
flags_decode(struct of_in *in, uint16_t wire, uint16_t *flags)
{
	enum of_version version = in_version(in);
	uint16_t known = of_flow_flags_known(version);

	*flags = wire & known;
	wire &= (uint16_t)~known;
	if (version == OF10 && wire & OF10_EMERGENCY) {
		*flags |= OF_FLOW_EMERGENCY;
		wire &= (uint16_t)~OF10_EMERGENCY;
	}
	if (wire && !in->is_short)
		return of_fail(in->error, OFERR_FLOW_MOD_FLAGS,
		               "flags 0x%x are not known in %s", wire,
		               of_version_name(version));
	return 0;
}

static uint16_t
flags_encode(enum of_version version, uint16_t flags)
{
	uint16_t wire = flags & of_flow_flags_known(version);

	if (version == OF10 && flags & OF_FLOW_EMERGENCY)
		wire |= OF10_EMERGENCY;
	return wire;
}

static int
command_decode(struct of_in *in, uint8_t command, struct of_flow_mod *mod)
{
	if (command > OF_FLOW_DELETE_STRICT && !in->is_short)
		return of_fail(in->error, OFERR_FLOW_MOD_COMMAND,
		               "there is no command %u on flows", command);
	mod->command = (enum of_flow_command)command;
	return 0;
}

static bool
is_delete(const struct of_flow_mod *mod)
{
	return mod->command >= OF_FLOW_DELETE;
}

/* What 1.0 and Nicira's form share after the cookie. */
static int
mod_old_fields(struct of_in *in, struct of_flow_mod *mod)
{
	uint16_t command = in_u16(in);
	int rc;

	mod->table = (uint8_t)(command >> 8);
	rc = command_decode(in, (uint8_t)command, mod);
	mod->idle_s = in_u16(in);
	mod->hard_s = in_u16(in);
	mod->priority = in_u16(in);
	mod->buffer_id = in_u32(in);
	mod->out_port = in_port16(in);
	mod->out_group = OF_GROUP_ANY;
	if (rc == 0)
		rc = flags_decode(in, in_u16(in), &mod->flags);
	return rc;
}

static int
mod_old_decode(struct of_in *in, struct of_flow_mod *mod)
{
	bool is_nicira = in->msg->is_nicira;
	/* 1.0, 3.4: entries without wildcards always have the highest priority. */
	bool is_exact = !is_nicira && in->n >= 4 && !(of_get32(in->p) & OF10_WILDCARDS);
	int rc = is_nicira ? 0 : in_match(in, &mod->match);
	size_t n_match = 0;

	if (rc < 0)
		return rc;
	mod->new_cookie = in_u64(in);
	rc = mod_old_fields(in, mod);
	if (is_exact)
		mod->priority = UINT16_MAX;
	if (is_nicira) {
		n_match = in_u16(in);
		in_skip(in, 6);
	}
	if (rc == 0)
		rc = in_check(in, "flow_mod");
	if (rc == 0 && is_nicira) {
		rc = in_nxm(in, n_match, false, &mod->match, &mod->cookie,
		            &mod->cookie_mask);
		if (rc == 0 && mod->command == OF_FLOW_ADD && mod->cookie_mask)
			rc = of_fail(in->error, OFERR_BAD_MATCH_FIELD,
			             "an add has no cookie to match");
	}
	mod->modify_cookie = mod->new_cookie != UINT64_MAX;
	return rc;
}

static int
mod_new_decode(struct of_in *in, struct of_flow_mod *mod)
{
	int rc;

	mod->cookie = in_u64(in);
	mod->cookie_mask = in_u64(in);
	mod->table = in_u8(in);
	rc = command_decode(in, in_u8(in), mod);
	mod->idle_s = in_u16(in);
	mod->hard_s = in_u16(in);
	mod->priority = in_u16(in);
	mod->buffer_id = in_u32(in);
	mod->out_port = in_u32(in);
	mod->out_group = in_u32(in);
	if (rc == 0)
		rc = flags_decode(in, in_u16(in), &mod->flags);
	mod->importance = in_u16(in);
	if (in_version(in) < OF14)
		mod->importance = 0;
	mod->new_cookie = UINT64_MAX;
	if (mod->command == OF_FLOW_ADD) {
		mod->new_cookie = mod->cookie;
		mod->cookie = 0;
		mod->cookie_mask = 0;
	}
	if (rc == 0 && !is_delete(mod) && mod->table == OF_TABLE_ALL && !in->is_short)
		rc = of_fail(in->error, OFERR_FLOW_MOD_TABLE_ID,
		             "only deletes are for all tables");
	return rc < 0 ? rc : in_match(in, &mod->match);
}

static int
flow_mod_decode(struct of_in *in, struct of_msg *msg)
{
	struct of_flow_mod *mod = &msg->flow_mod;
	int rc = msg->version == OF10 || msg->is_nicira ? mod_old_decode(in, mod)
	                                                : mod_new_decode(in, mod);

	if (rc < 0)
		return rc;
	if (!is_delete(mod)) {
		mod->out_port = FLOW_PORT_NONE;
		mod->out_group = OF_GROUP_ANY;
	}
	return in_instructions(in, &mod->actions);
}

static void
mod_old_encode(struct of_out *o, const struct of_flow_mod *mod)
{
	bool is_nicira = o->msg->is_nicira;

	if (!is_nicira)
		o_match(o, &mod->match);
	o_u64(o, mod->new_cookie);
	o_u16(o, mod->table << 8 | mod->command);
	o_u16(o, mod->idle_s);
	o_u16(o, mod->hard_s);
	o_u16(o, mod->priority);
	o_u32(o, mod->buffer_id);
	o_port16(o, mod->out_port);
	o_u16(o, flags_encode(o->msg->version, mod->flags));
	if (is_nicira) {
		size_t length_at = o_at(o);

		o_zeros(o, 8);
		o_nxm(o, &mod->match, mod->cookie, mod->cookie_mask, length_at);
	}
}

static void
mod_new_encode(struct of_out *o, const struct of_flow_mod *mod)
{
	bool is_add = mod->command == OF_FLOW_ADD;

	o_u64(o, is_add ? mod->new_cookie : mod->cookie);
	o_u64(o, is_add ? 0 : mod->cookie_mask);
	o_u8(o, mod->table == OF_TABLE_ALL && !is_delete(mod) ? 0 : mod->table);
	o_u8(o, mod->command);
	o_u16(o, mod->idle_s);
	o_u16(o, mod->hard_s);
	o_u16(o, mod->priority);
	o_u32(o, mod->buffer_id);
	o_u32(o, mod->out_port);
	o_u32(o, mod->out_group);
	o_u16(o, flags_encode(o->msg->version, mod->flags));
	o_u16(o, o->msg->version >= OF14 ? mod->importance : 0);
	o_match(o, &mod->match);
}

static void
flow_mod_encode(struct of_out *o, const struct of_msg *msg)
{
	if (msg->version == OF10 || msg->is_nicira)
		mod_old_encode(o, &msg->flow_mod);
	else
		mod_new_encode(o, &msg->flow_mod);
	o_instructions(o, &msg->flow_mod.match, &msg->flow_mod.actions);
}

/* ---- Rules that went. */

static int
removed_nicira_decode(struct of_in *in, struct of_flow_removed *r)
{
	size_t n_match;
	int rc;

	r->cookie = in_u64(in);
	r->priority = in_u16(in);
	r->reason = in_u8(in);
	r->table = (uint8_t)(in_u8(in) - 1); /* 0 = not said */
	r->duration_ns = in_duration(in);
	r->idle_s = in_u16(in);
	n_match = in_u16(in);
	r->packets = in_u64(in);
	r->bytes = in_u64(in);
	rc = in_check(in, "flow_removed");
	return rc < 0 ? rc : in_nxm(in, n_match, true, &r->match, NULL, NULL);
}

static int
removed_15_decode(struct of_in *in, struct of_flow_removed *r)
{
	struct of_oxs oxs;
	int rc;

	r->table = in_u8(in);
	r->reason = in_u8(in);
	r->priority = in_u16(in);
	r->idle_s = in_u16(in);
	r->hard_s = in_u16(in);
	r->cookie = in_u64(in);
	rc = in_match(in, &r->match);
	if (rc == 0)
		rc = in_oxs(in, &oxs);
	if (rc < 0)
		return rc;
	r->duration_ns = oxs.duration_ns;
	r->packets = oxs.packets;
	r->bytes = oxs.bytes;
	return 0;
}

static int
flow_removed_decode(struct of_in *in, struct of_msg *msg)
{
	struct of_flow_removed *r = &msg->flow_removed;
	bool is_10 = msg->version == OF10;
	int rc;

	if (msg->is_nicira)
		return removed_nicira_decode(in, r);
	if (msg->version >= OF15)
		return removed_15_decode(in, r);
	rc = is_10 ? in_match(in, &r->match) : 0;
	if (rc < 0)
		return rc;
	r->cookie = in_u64(in);
	r->priority = in_u16(in);
	r->reason = in_u8(in);
	r->table = in_u8(in);
	if (is_10)
		r->table = OF_TABLE_ALL;
	r->duration_ns = in_duration(in);
	r->idle_s = in_u16(in);
	r->hard_s = in_u16(in);
	if (msg->version <= OF11)
		r->hard_s = 0;
	r->packets = in_u64(in);
	r->bytes = in_u64(in);
	return is_10 ? 0 : in_match(in, &r->match);
}

/* Reasons that a version does not have are a deletion. */
static uint8_t
removed_reason(enum of_version version, uint8_t reason)
{
	uint8_t last = version >= OF14 ? 5 : version >= OF11 ? 3 : 2;

	return reason > last ? 2 : reason;
}

static void
removed_nicira_encode(struct of_out *o, const struct of_flow_removed *r)
{
	size_t length_at;

	o_u64(o, r->cookie);
	o_u16(o, r->priority);
	o_u8(o, removed_reason(o->msg->version, r->reason));
	o_u8(o, r->table + 1);
	o_duration(o, r->duration_ns);
	o_u16(o, r->idle_s);
	length_at = o_at(o);
	o_u16(o, 0);
	o_u64(o, r->packets);
	o_u64(o, r->bytes);
	o_nxm(o, &r->match, 0, 0, length_at);
}

static void
removed_15_encode(struct of_out *o, const struct of_flow_removed *r)
{
	struct of_oxs oxs = {r->duration_ns, UINT64_MAX, r->packets, r->bytes, 0, false};

	o_u8(o, r->table);
	o_u8(o, r->reason);
	o_u16(o, r->priority);
	o_u16(o, r->idle_s);
	o_u16(o, r->hard_s);
	o_u64(o, r->cookie);
	o_match(o, &r->match);
	o_oxs(o, &oxs);
}

static void
flow_removed_encode(struct of_out *o, const struct of_msg *msg)
{
	const struct of_flow_removed *r = &msg->flow_removed;
	bool is_10 = msg->version == OF10;

	if (msg->is_nicira) {
		removed_nicira_encode(o, r);
		return;
	}
	if (msg->version >= OF15) {
		removed_15_encode(o, r);
		return;
	}
	if (is_10)
		o_match(o, &r->match);
	o_u64(o, r->cookie);
	o_u16(o, r->priority);
	o_u8(o, removed_reason(msg->version, r->reason));
	o_u8(o, is_10 ? 0 : r->table);
	o_duration(o, r->duration_ns);
	o_u16(o, r->idle_s);
	o_u16(o, msg->version <= OF11 ? 0 : r->hard_s);
	o_u64(o, r->packets);
	o_u64(o, r->bytes);
	if (!is_10)
		o_match(o, &r->match);
}

const struct of_codec of_codec_flow_mod = {flow_mod_decode, flow_mod_encode};
const struct of_codec of_codec_flow_removed = {flow_removed_decode, flow_removed_encode};
