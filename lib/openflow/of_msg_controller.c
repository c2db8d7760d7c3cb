/* of_msg_controller.c - what controllers and a switch say of controllers: roles, and how
 * each of them is. Part of of_msg.c; no state, any thread. */
#include "openflow/of_msg_private.h"

#define STATUS_BYTES 16 /* before its properties */
#define PROPERTY_URI 0

static int
role_value_decode(struct of_in *in, struct of_role_msg *role)
{
	uint32_t number = in_u32(in);

	/* Nicira's other, master, slave are one less. */
	if (in->msg->version <= OF11)
		number++;
	if (number > OF_ROLE_SECONDARY && !in->is_short)
		return of_fail(in->error, OFERR_ROLE_BAD, "there is no role %u", number);
	role->role = (enum of_role)number;
	return 0;
}

static int
role_decode(struct of_in *in, struct of_msg *msg)
{
	struct of_role_msg *role = &msg->role;
	int rc = role_value_decode(in, role);

	if (rc < 0 || msg->is_nicira)
		return rc;
	if (msg->version >= OF15) {
		role->short_id = in_u16(in);
		in_skip(in, 2);
	} else {
		in_skip(in, 4);
	}
	role->generation = in_u64(in);
	role->has_generation = role->generation != UINT64_MAX &&
	                       role->role != OF_ROLE_NOCHANGE &&
	                       role->role != OF_ROLE_EQUAL;
	/* A reply says it whatever the role. */
	if (msg->kind == OFM_ROLE_REPLY)
		role->has_generation = role->generation != UINT64_MAX;
	return 0;
}

static void
role_encode(struct of_out *o, const struct of_msg *msg)
{
	const struct of_role_msg *role = &msg->role;

	if (msg->version <= OF11) {
		o_u32(o, role->role ? role->role - 1U : 0);
		return;
	}
	o_u32(o, role->role);
	o_u16(o, msg->version >= OF15 ? role->short_id : 0);
	o_zeros(o, 2);
	o_u64(o, role->has_generation || msg->kind == OFM_ROLE_REQUEST ? role->generation
	                                                               : UINT64_MAX);
}

static int
role_status_decode(struct of_in *in, struct of_msg *msg)
{
	struct of_role_msg *role = &msg->role;
	int rc = role_value_decode(in, role);

	role->reason = in_u8(in);
	in_skip(in, 3);
	role->generation = in_u64(in);
	role->has_generation = role->generation != UINT64_MAX;
	in_skip(in, in->n); /* experimenters' properties */
	return rc;
}

static void
role_status_encode(struct of_out *o, const struct of_msg *msg)
{
	const struct of_role_msg *role = &msg->role;

	o_u32(o, role->role);
	o_u8(o, role->reason);
	o_zeros(o, 3);
	o_u64(o, role->has_generation ? role->generation : UINT64_MAX);
}

/* ---- 1.5's statuses. */

static int
status_property_decode(struct of_in *in, struct of_controller_status *status)
{
	struct of_in body;
	uint16_t type;
	char *uri;
	int rc = in_property(in, &type, &body);

	/* An experimenter's is nobody's here. */
	if (rc < 0 || type != PROPERTY_URI)
		return rc;
	uri = of_msg_alloc(in->msg, body.n + 1);
	in_text(&body, body.n, uri, body.n + 1);
	status->uri = uri;
	return 0;
}

static int
status_decode(struct of_in *in, struct of_controller_status *status)
{
	struct of_role_msg role = {0};
	struct of_in item;
	int rc = in_item(in, 0, STATUS_BYTES, "controller's status", &item);

	if (rc < 0)
		return rc;
	in_skip(&item, 2);
	status->short_id = in_u16(&item);
	rc = role_value_decode(&item, &role);
	status->role = role.role;
	status->reason = in_u8(&item);
	status->channel_status = in_u8(&item);
	in_skip(&item, 6);
	while (rc == 0 && item.n)
		rc = status_property_decode(&item, status);
	return rc;
}

static void
status_encode(struct of_out *o, const struct of_controller_status *status)
{
	size_t start = o_at(o), property;

	o_u16(o, 0);
	o_u16(o, status->short_id);
	o_u32(o, status->role);
	o_u8(o, status->reason);
	o_u8(o, status->channel_status);
	o_zeros(o, 6);
	if (status->uri) {
		property = o_property(o, PROPERTY_URI);
		o_bytes(o, status->uri, strlen(status->uri));
		o_property_end(o, property);
	}
	o_length(o, start, start);
}

static int
controller_status_decode(struct of_in *in, struct of_msg *msg)
{
	return status_decode(in, &msg->controller_status);
}

static void
controller_status_encode(struct of_out *o, const struct of_msg *msg)
{
	status_encode(o, &msg->controller_status);
}

static int
controller_statuses_decode(struct of_in *in, struct of_msg *msg)
{
	int rc = 0;

	while (rc == 0 && in->n) {
		msg->controllers =
			in_grow(in, msg->controllers, &msg->n, sizeof(*msg->controllers));
		rc = status_decode(in, &msg->controllers[msg->n - 1]);
	}
	return rc;
}

static void
controller_statuses_encode(struct of_out *o, const struct of_msg *msg)
{
	for (size_t i = 0; i < msg->n && o->status == 0; i++) {
		size_t start = o_at(o);

		status_encode(o, &msg->controllers[i]);
		o_item_end(o, start);
	}
}

const struct of_codec of_codec_role = {role_decode, role_encode};
const struct of_codec of_codec_role_status = {role_status_decode, role_status_encode};
const struct of_codec of_codec_controller_status = {controller_status_decode,
                                                    controller_status_encode};
const struct of_codec of_codec_controller_statuses = {controller_statuses_decode,
                                                      controller_statuses_encode};
