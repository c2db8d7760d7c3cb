/* of_msg_monitor.c - bodies of the messages that tell of changes of rules: 1.4's, ONF's
 * for 1.3 and Nicira's. Below of_msg.c; no state, any thread. */
#include "openflow/of_msg_private.h"

/* Nicira's order of events, and ONF's for 1.3, is another than 1.4's; flags have the same
 * bits. */
#define NX_EVENT_ADDED    0
#define NX_EVENT_DELETED  1
#define NX_EVENT_MODIFIED 2
#define NX_EVENT_ABBREV   3

static bool
is_nicira(enum of_version version)
{
	return version <= OF12;
}

static bool
is_onf(enum of_version version)
{
	return version == OF13;
}

static int
request_nicira_decode(struct of_in *in, struct of_monitor *m)
{
	size_t n_match;
	int rc;

	m->id = in_u32(in);
	m->flags = in_u16(in);
	m->what.out_port = in_port16(in);
	n_match = in_u16(in);
	m->what.table = in_u8(in);
	in_skip(in, 5);
	m->what.out_group = OF_GROUP_ANY;
	rc = in_check(in, "monitor");
	return rc < 0 ? rc : in_nxm(in, n_match, false, &m->what.match, NULL, NULL);
}

/* ONF's for 1.3 is Nicira's, events included, with wide ports and OpenFlow's own match,
 * whose length is said twice. */
static int
request_onf_decode(struct of_in *in, struct of_monitor *m)
{
	m->id = in_u32(in);
	m->flags = in_u16(in);
	in_skip(in, 2);
	m->what.out_port = in_u32(in);
	m->what.table = in_u8(in);
	in_skip(in, 3);
	m->what.out_group = OF_GROUP_ANY;
	return in_match(in, &m->what.match);
}

static int
request_14_decode(struct of_in *in, struct of_monitor *m)
{
	uint8_t command;

	m->id = in_u32(in);
	m->what.out_port = in_u32(in);
	m->what.out_group = in_u32(in);
	m->flags = in_u16(in);
	m->what.table = in_u8(in);
	command = in_u8(in);
	if (command > OF_MONITOR_DELETE)
		return of_fail(in->error, OFERR_MONITOR_COMMAND,
		               "there is no command %u on monitors", command);
	m->command = (enum of_monitor_command)command;
	return in_match(in, &m->what.match);
}

static int
monitor_request_decode(struct of_in *in, struct of_msg *msg)
{
	int rc = 0;

	while (rc == 0 && in->n) {
		struct of_monitor *m;

		msg->monitors =
			in_grow(in, msg->monitors, &msg->n, sizeof(*msg->monitors));
		m = &msg->monitors[msg->n - 1];
		rc = is_nicira(msg->version) ? request_nicira_decode(in, m)
		     : is_onf(msg->version)  ? request_onf_decode(in, m)
		                             : request_14_decode(in, m);
	}
	return rc;
}

/* The match's length without its padding stands at the match's third byte. */
static void
onf_match_encode(struct of_out *o, const struct flow_match *match, size_t length_at)
{
	size_t start = o_at(o);

	o_match(o, match);
	if (o_at(o) - start >= 4)
		of_patch16(o->out, length_at,
		           of_get16((const uint8_t *)o->out->data + start + 2));
}

static void
request_encode(struct of_out *o, const struct of_monitor *m)
{
	enum of_version version = o->msg->version;
	size_t length_at;

	o_u32(o, m->id);
	if (is_nicira(version)) {
		o_u16(o, m->flags);
		o_port16(o, m->what.out_port);
		length_at = o_at(o);
		o_u16(o, 0);
		o_u8(o, m->what.table);
		o_zeros(o, 5);
		o_nxm(o, &m->what.match, 0, 0, length_at);
		return;
	}
	if (is_onf(version)) {
		o_u16(o, m->flags);
		length_at = o_at(o);
		o_u16(o, 0);
		o_u32(o, m->what.out_port);
		o_u8(o, m->what.table);
		o_zeros(o, 3);
		onf_match_encode(o, &m->what.match, length_at);
		return;
	}
	o_u32(o, m->what.out_port);
	o_u32(o, m->what.out_group);
	o_u16(o, m->flags);
	o_u8(o, m->what.table);
	o_u8(o, m->command);
	o_match(o, &m->what.match);
}

static void
monitor_request_encode(struct of_out *o, const struct of_msg *msg)
{
	for (size_t i = 0; i < msg->n; i++)
		request_encode(o, &msg->monitors[i]);
}

/* ---- Updates. */

static int
full_nicira_decode(struct of_in *in, struct of_flow_stats *f)
{
	size_t n_match;
	int rc;

	f->reason = (uint8_t)in_u16(in);
	f->priority = in_u16(in);
	f->idle_s = in_u16(in);
	f->hard_s = in_u16(in);
	n_match = in_u16(in);
	f->table = in_u8(in);
	in_skip(in, 1);
	f->cookie = in_u64(in);
	rc = in_check(in, "update");
	if (rc < 0)
		return rc;
	if (is_onf(in_version(in))) {
		rc = in_match(in, &f->match);
		return rc < 0 ? rc : in_instructions(in, &f->actions);
	}
	rc = in_nxm(in, n_match, true, &f->match, NULL, NULL);
	/* Actions, also where rules have instructions. */
	return rc < 0 ? rc : in_actions(in, &f->actions);
}

static int
full_14_decode(struct of_in *in, struct of_flow_stats *f)
{
	int rc;

	f->table = in_u8(in);
	f->reason = in_u8(in);
	f->idle_s = in_u16(in);
	f->hard_s = in_u16(in);
	f->priority = in_u16(in);
	in_skip(in, 4);
	f->cookie = in_u64(in);
	rc = in_match(in, &f->match);
	return rc < 0 ? rc : in_instructions(in, &f->actions);
}

static int
event_decode(struct of_in *in, uint16_t wire, uint16_t *event)
{
	static const uint8_t nicira[] = {
		[NX_EVENT_ADDED] = OF_EVENT_ADDED,
		[NX_EVENT_DELETED] = OF_EVENT_REMOVED,
		[NX_EVENT_MODIFIED] = OF_EVENT_MODIFIED,
		[NX_EVENT_ABBREV] = OF_EVENT_ABBREV,
	};
	bool is_nx = is_nicira(in_version(in)) || is_onf(in_version(in));

	if (wire > (is_nx ? NX_EVENT_ABBREV : OF_EVENT_RESUMED))
		return of_fail(in->error, OFERR_BAD_REQUEST_LEN,
		               "monitors have no event %u", wire);
	*event = is_nx ? nicira[wire] : wire;
	return 0;
}

static int
update_decode(struct of_in *in, struct of_monitor_update *u)
{
	struct of_in item;
	int rc = in_item(in, 0, 8, "update", &item);

	if (rc < 0)
		return rc;
	in_skip(&item, 2);
	rc = event_decode(in, in_u16(&item), &u->event);
	if (rc < 0)
		return rc;
	if (u->event == OF_EVENT_ABBREV)
		u->xid = in_u32(&item);
	else if (u->event == OF_EVENT_PAUSED || u->event == OF_EVENT_RESUMED)
		in_skip(&item, 4);
	else if (is_nicira(in_version(in)) || is_onf(in_version(in)))
		rc = full_nicira_decode(&item, &u->flow);
	else
		rc = full_14_decode(&item, &u->flow);
	if (rc == 0)
		rc = in_check(&item, "update");
	if (rc == 0 && item.n)
		rc = of_fail(in->error, OFERR_BAD_REQUEST_LEN,
		             "%zu bytes too many in an update", item.n);
	return rc;
}

static int
monitor_updates_decode(struct of_in *in, struct of_msg *msg)
{
	int rc = 0;

	while (rc == 0 && in->n) {
		msg->monitor_updates = in_grow(in, msg->monitor_updates, &msg->n,
		                               sizeof(*msg->monitor_updates));
		rc = update_decode(in, &msg->monitor_updates[msg->n - 1]);
	}
	return rc;
}

static uint16_t
event_encode(enum of_version version, uint16_t event)
{
	static const uint8_t nicira[] = {
		[OF_EVENT_INITIAL] = NX_EVENT_ADDED,
		[OF_EVENT_ADDED] = NX_EVENT_ADDED,
		[OF_EVENT_REMOVED] = NX_EVENT_DELETED,
		[OF_EVENT_MODIFIED] = NX_EVENT_MODIFIED,
		[OF_EVENT_ABBREV] = NX_EVENT_ABBREV,
	};

	return (is_nicira(version) || is_onf(version)) && event <= OF_EVENT_ABBREV
	               ? nicira[event]
	               : event;
}

static void
full_nicira_encode(struct of_out *o, const struct of_flow_stats *f)
{
	size_t length_at;

	o_u16(o, f->reason);
	o_u16(o, f->priority);
	o_u16(o, f->idle_s);
	o_u16(o, f->hard_s);
	length_at = o_at(o);
	o_u16(o, 0);
	o_u8(o, f->table);
	o_u8(o, 0);
	o_u64(o, f->cookie);
	if (is_onf(o->msg->version)) {
		onf_match_encode(o, &f->match, length_at);
		o_instructions(o, &f->match, &f->actions);
	} else {
		o_nxm(o, &f->match, 0, 0, length_at);
		o_actions(o, &f->actions);
	}
}

static void
full_14_encode(struct of_out *o, const struct of_flow_stats *f)
{
	o_u8(o, f->table);
	o_u8(o, f->reason);
	o_u16(o, f->idle_s);
	o_u16(o, f->hard_s);
	o_u16(o, f->priority);
	o_zeros(o, 4);
	o_u64(o, f->cookie);
	o_match(o, &f->match);
	o_instructions(o, &f->match, &f->actions);
}

static void
monitor_updates_encode(struct of_out *o, const struct of_msg *msg)
{
	for (size_t i = 0; i < msg->n && o->status == 0; i++) {
		const struct of_monitor_update *u = &msg->monitor_updates[i];
		size_t start = o_at(o);

		o_u16(o, 0);
		o_u16(o, event_encode(msg->version, u->event));
		if (u->event == OF_EVENT_ABBREV)
			o_u32(o, u->xid);
		else if (u->event == OF_EVENT_PAUSED || u->event == OF_EVENT_RESUMED)
			o_zeros(o, 4);
		else if (is_nicira(msg->version) || is_onf(msg->version))
			full_nicira_encode(o, &u->flow);
		else
			full_14_encode(o, &u->flow);
		o_length(o, start, start);
		o_item_end(o, start);
	}
}

const struct of_codec of_codec_monitor_request = {monitor_request_decode,
                                                  monitor_request_encode};
const struct of_codec of_codec_monitor_updates = {monitor_updates_decode,
                                                  monitor_updates_encode};
