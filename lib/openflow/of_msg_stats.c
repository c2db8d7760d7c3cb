/* of_msg_stats.c - bodies of the multiparts about rules: which ones, what they are and
 * what they counted, sums. Below of_msg.c; no state, any thread. */
#include "base/compiler.h"
#include "openflow/of_msg_private.h"

#define NS_PER_S 1000000000ULL

/* ---- Which ones. */

static int
request_old_decode(struct of_in *in, struct of_flow_stats_request *r)
{
	bool is_nicira = in->msg->is_nicira;
	size_t n_match = 0;
	int rc = is_nicira ? 0 : in_match(in, &r->match);

	if (rc < 0)
		return rc;
	if (is_nicira) {
		r->out_port = in_port16(in);
		n_match = in_u16(in);
		r->table = in_u8(in);
		in_skip(in, 3);
	} else {
		r->table = in_u8(in);
		in_skip(in, 1);
		r->out_port = in_port16(in);
	}
	r->out_group = OF_GROUP_ANY;
	rc = in_check(in, "flow request");
	if (rc == 0 && is_nicira)
		rc = in_nxm(in, n_match, false, &r->match, &r->cookie, &r->cookie_mask);
	return rc;
}

static int
flow_request_decode(struct of_in *in, struct of_msg *msg)
{
	struct of_flow_stats_request *r = &msg->flow_request;

	if (msg->version == OF10 || msg->is_nicira)
		return request_old_decode(in, r);
	r->table = in_u8(in);
	in_skip(in, 3);
	r->out_port = in_u32(in);
	r->out_group = in_u32(in);
	in_skip(in, 4);
	r->cookie = in_u64(in);
	r->cookie_mask = in_u64(in);
	return in_match(in, &r->match);
}

static void
request_old_encode(struct of_out *o, const struct of_flow_stats_request *r)
{
	size_t length_at;

	if (!o->msg->is_nicira) {
		o_match(o, &r->match);
		o_u8(o, r->table);
		o_u8(o, 0);
		o_port16(o, r->out_port);
		return;
	}
	o_port16(o, r->out_port);
	length_at = o_at(o);
	o_u16(o, 0);
	o_u8(o, r->table);
	o_zeros(o, 3);
	o_nxm(o, &r->match, r->cookie, r->cookie_mask, length_at);
}

static void
flow_request_encode(struct of_out *o, const struct of_msg *msg)
{
	const struct of_flow_stats_request *r = &msg->flow_request;

	if (msg->version == OF10 || msg->is_nicira) {
		request_old_encode(o, r);
		return;
	}
	o_u8(o, r->table);
	o_zeros(o, 3);
	o_u32(o, r->out_port);
	o_u32(o, r->out_group);
	o_zeros(o, 4);
	o_u64(o, r->cookie);
	o_u64(o, r->cookie_mask);
	o_match(o, &r->match);
}

/* ---- What they are. Each decoder has its item's bytes after the length. */

static int
stats_10_decode(struct of_in *in, struct of_flow_stats *f)
{
	int rc;

	f->table = in_u8(in);
	in_skip(in, 1);
	rc = in_match(in, &f->match);
	if (rc < 0)
		return rc;
	f->duration_ns = in_duration(in);
	f->priority = in_u16(in);
	f->idle_s = in_u16(in);
	f->hard_s = in_u16(in);
	in_skip(in, 6);
	f->cookie = in_u64(in);
	f->packets = in_u64(in);
	f->bytes = in_u64(in);
	return in_instructions(in, &f->actions);
}

static int
stats_nicira_decode(struct of_in *in, struct of_flow_stats *f)
{
	size_t n_match;
	int rc;

	f->table = in_u8(in);
	in_skip(in, 1);
	f->duration_ns = in_duration(in);
	f->priority = in_u16(in);
	f->idle_s = in_u16(in);
	f->hard_s = in_u16(in);
	n_match = in_u16(in);
	f->idle_age_s = in_u16(in) - 1; /* 0 = not said */
	f->hard_age_s = in_u16(in) - 1;
	f->cookie = in_u64(in);
	f->packets = in_u64(in);
	f->bytes = in_u64(in);
	rc = in_check(in, "flow");
	if (rc == 0)
		rc = in_nxm(in, n_match, true, &f->match, NULL, NULL);
	return rc < 0 ? rc : in_instructions(in, &f->actions);
}

static int
stats_11_decode(struct of_in *in, struct of_flow_stats *f)
{
	enum of_version version = in_version(in);
	int rc;

	f->table = in_u8(in);
	in_skip(in, 1);
	f->duration_ns = in_duration(in);
	f->priority = in_u16(in);
	f->idle_s = in_u16(in);
	f->hard_s = in_u16(in);
	f->flags = in_u16(in);
	f->importance = in_u16(in);
	in_skip(in, 2);
	if (version <= OF12)
		f->flags = 0;
	if (version <= OF13)
		f->importance = 0;
	f->cookie = in_u64(in);
	f->packets = in_u64(in);
	f->bytes = in_u64(in);
	rc = in_match(in, &f->match);
	return rc < 0 ? rc : in_instructions(in, &f->actions);
}

static int
stats_15_decode(struct of_in *in, struct of_flow_stats *f)
{
	bool is_desc = in->msg->kind == OFM_FLOW_DESC_REPLY;
	struct of_oxs oxs;
	int rc;

	in_skip(in, 2);
	f->table = in_u8(in);
	f->reason = in_u8(in);
	f->priority = in_u16(in);
	if (is_desc) {
		f->reason = 0;
		f->idle_s = in_u16(in);
		f->hard_s = in_u16(in);
		f->flags = in_u16(in);
		f->importance = in_u16(in);
		f->cookie = in_u64(in);
	}
	rc = in_match(in, &f->match);
	if (rc == 0)
		rc = in_oxs(in, &oxs);
	if (rc < 0)
		return rc;
	f->duration_ns = oxs.duration_ns;
	f->idle_ns = oxs.idle_ns;
	if (oxs.idle_ns != UINT64_MAX)
		f->idle_age_s = (int32_t)MIN_OF(oxs.idle_ns / NS_PER_S, INT32_MAX);
	f->packets = oxs.packets;
	f->bytes = oxs.bytes;
	return is_desc ? in_instructions(in, &f->actions) : 0;
}

static int
flow_stats_decode(struct of_in *in, struct of_msg *msg)
{
	int rc = 0;

	while (rc == 0 && in->n) {
		struct of_flow_stats *f;
		struct of_in item;

		rc = in_item(in, 0, 2, "flow", &item);
		if (rc < 0)
			return rc;
		in_skip(&item, 2);
		msg->flows = in_grow(in, msg->flows, &msg->n, sizeof(*msg->flows));
		f = &msg->flows[msg->n - 1];
		f->idle_age_s = -1;
		f->hard_age_s = -1;
		f->idle_ns = UINT64_MAX;
		if (msg->is_nicira)
			rc = stats_nicira_decode(&item, f);
		else if (msg->version == OF10)
			rc = stats_10_decode(&item, f);
		else if (msg->version <= OF14)
			rc = stats_11_decode(&item, f);
		else
			rc = stats_15_decode(&item, f);
		if (rc == 0)
			rc = in_check(&item, "flow");
		if (rc == 0 && item.n)
			rc = of_fail(in->error, OFERR_BAD_REQUEST_LEN,
			             "%zu bytes too many in a flow", item.n);
	}
	return rc;
}

static void
stats_10_encode(struct of_out *o, const struct of_flow_stats *f)
{
	o_u8(o, f->table);
	o_u8(o, 0);
	o_match(o, &f->match);
	o_duration(o, f->duration_ns);
	o_u16(o, f->priority);
	o_u16(o, f->idle_s);
	o_u16(o, f->hard_s);
	o_zeros(o, 6);
	o_u64(o, f->cookie);
	o_u64(o, f->packets);
	o_u64(o, f->bytes);
	o_instructions(o, &f->match, &f->actions);
}

/* One more than the age, which 16 bits hold; 0 = not said. */
static uint16_t
age_encode(int32_t age_s)
{
	return age_s < 0 ? 0 : (uint16_t)(MIN_OF(age_s, UINT16_MAX - 1) + 1);
}

static void
stats_nicira_encode(struct of_out *o, const struct of_flow_stats *f)
{
	size_t length_at;

	o_u8(o, f->table);
	o_u8(o, 0);
	o_duration(o, f->duration_ns);
	o_u16(o, f->priority);
	o_u16(o, f->idle_s);
	o_u16(o, f->hard_s);
	length_at = o_at(o);
	o_u16(o, 0);
	o_u16(o, age_encode(f->idle_age_s));
	o_u16(o, age_encode(f->hard_age_s));
	o_u64(o, f->cookie);
	o_u64(o, f->packets);
	o_u64(o, f->bytes);
	o_nxm(o, &f->match, 0, 0, length_at);
	o_instructions(o, &f->match, &f->actions);
}

static void
stats_11_encode(struct of_out *o, const struct of_flow_stats *f)
{
	enum of_version version = o->msg->version;

	o_u8(o, f->table);
	o_u8(o, 0);
	o_duration(o, f->duration_ns);
	o_u16(o, f->priority);
	o_u16(o, f->idle_s);
	o_u16(o, f->hard_s);
	o_u16(o, version >= OF13 ? f->flags & of_flow_flags_known(version) : 0);
	o_u16(o, version >= OF14 ? f->importance : 0);
	o_zeros(o, 2);
	o_u64(o, f->cookie);
	o_u64(o, f->packets);
	o_u64(o, f->bytes);
	o_match(o, &f->match);
	o_instructions(o, &f->match, &f->actions);
}

static void
stats_15_encode(struct of_out *o, const struct of_flow_stats *f)
{
	struct of_oxs oxs = {f->duration_ns, f->idle_ns, f->packets, f->bytes, 0, false};
	bool is_desc = o->msg->kind == OFM_FLOW_DESC_REPLY;

	o_zeros(o, 2);
	o_u8(o, f->table);
	o_u8(o, is_desc ? 0 : f->reason);
	o_u16(o, f->priority);
	if (is_desc) {
		o_u16(o, f->idle_s);
		o_u16(o, f->hard_s);
		o_u16(o, f->flags & of_flow_flags_known(OF15));
		o_u16(o, f->importance);
		o_u64(o, f->cookie);
	}
	o_match(o, &f->match);
	o_oxs(o, &oxs);
	if (is_desc)
		o_instructions(o, &f->match, &f->actions);
}

static void
flow_stats_encode(struct of_out *o, const struct of_msg *msg)
{
	for (size_t i = 0; i < msg->n && o->status == 0; i++) {
		const struct of_flow_stats *f = &msg->flows[i];
		size_t start = o_at(o);

		o_u16(o, 0);
		if (msg->is_nicira)
			stats_nicira_encode(o, f);
		else if (msg->version == OF10)
			stats_10_encode(o, f);
		else if (msg->version <= OF14)
			stats_11_encode(o, f);
		else
			stats_15_encode(o, f);
		o_length(o, start, start);
		o_item_end(o, start);
	}
}

/* ---- Sums. */

static int
aggregate_decode(struct of_in *in, struct of_msg *msg)
{
	struct of_aggregate *a = &msg->aggregate;
	struct of_oxs oxs;
	int rc;

	if (msg->version <= OF14) {
		a->packets = in_u64(in);
		a->bytes = in_u64(in);
		a->flows = in_u32(in);
		in_skip(in, 4);
		return 0;
	}
	rc = in_oxs(in, &oxs);
	if (rc < 0)
		return rc;
	a->packets = oxs.packets;
	a->bytes = oxs.bytes;
	a->flows = oxs.flows;
	return 0;
}

static void
aggregate_encode(struct of_out *o, const struct of_msg *msg)
{
	const struct of_aggregate *a = &msg->aggregate;
	struct of_oxs oxs = {UINT64_MAX, UINT64_MAX, a->packets,
	                     a->bytes,   a->flows,   true};

	if (msg->version >= OF15) {
		o_oxs(o, &oxs);
		return;
	}
	o_u64(o, a->packets);
	o_u64(o, a->bytes);
	o_u32(o, a->flows);
	o_zeros(o, 4);
}

const struct of_codec of_codec_flow_request = {flow_request_decode, flow_request_encode};
const struct of_codec of_codec_flow_stats = {flow_stats_decode, flow_stats_encode};
const struct of_codec of_codec_aggregate = {aggregate_decode, aggregate_encode};
