/* of_msg_bundle.c - bodies of the messages of bundles, 1.4's and ONF's for 1.3. Below
 * of_msg.c; no state, any thread. */
#include "base/compiler.h"
#include "openflow/of_msg_private.h"

/* Properties are experimenters' (and 1.5's time, which is not offered). */
static int
no_properties(struct of_in *in)
{
	while (in->n) {
		struct of_in body;
		uint16_t type;
		int rc = in_property(in, &type, &body);

		if (rc < 0)
			return rc;
		return of_fail(in->error,
		               type == 0xffff ? OFERR_BAD_PROPERTY_EXPERIMENTER
		                              : OFERR_BAD_PROPERTY_TYPE,
		               "a bundle has no property %u", type);
	}
	return 0;
}

static int
bundle_control_decode(struct of_in *in, struct of_msg *msg)
{
	struct of_bundle *b = &msg->bundle;

	b->id = in_u32(in);
	b->type = in_u16(in);
	b->flags = in_u16(in);
	if (b->type > OF_BUNDLE_DISCARD_REPLY)
		return of_fail(in->error, OFERR_BUNDLE_TYPE, "a bundle has no type %u",
		               b->type);
	return in->is_short ? 0 : no_properties(in);
}

static void
bundle_control_encode(struct of_out *o, const struct of_msg *msg)
{
	o_u32(o, msg->bundle.id);
	o_u16(o, msg->bundle.type);
	o_u16(o, msg->bundle.flags);
}

static int
bundle_add_decode(struct of_in *in, struct of_msg *msg)
{
	struct of_bundle *b = &msg->bundle;
	size_t n;

	b->id = in_u32(in);
	in_skip(in, 2);
	b->flags = in_u16(in);
	if (in->is_short)
		return 0;
	n = in->n >= OF_HEADER_BYTES ? of_get16(in->p + 2) : 0;
	if (n < OF_HEADER_BYTES || n > in->n)
		return of_fail(in->error, OFERR_BUNDLE_MSG_BAD_LEN,
		               "a bundle's message says it has %zu bytes of %zu", n,
		               in->n);
	if (in->p[0] != msg->version)
		return of_fail(in->error, OFERR_BUNDLE_MSG_UNSUP,
		               "a bundle's message is of another version, 0x%02x",
		               in->p[0]);
	if (of_get32(in->p + 4) != msg->xid)
		return of_fail(in->error, OFERR_BUNDLE_MSG_BAD_XID,
		               "a bundle's message has another xid, 0x%x",
		               of_get32(in->p + 4));
	b->n = n;
	b->message = in_copy(in, n);
	in_skip(in, MIN_OF(of_round8(n) - n, in->n));
	return no_properties(in);
}

static void
bundle_add_encode(struct of_out *o, const struct of_msg *msg)
{
	o_u32(o, msg->bundle.id);
	o_zeros(o, 2);
	o_u16(o, msg->bundle.flags);
	o_bytes(o, msg->bundle.message, msg->bundle.n);
}

static int
features_request_decode(struct of_in *in, struct of_msg *msg)
{
	msg->number = in_u32(in);
	in_skip(in, 4);
	in_skip(in, in->n); /* times of bundles: not offered */
	return 0;
}

static void
features_request_encode(struct of_out *o, const struct of_msg *msg)
{
	o_u32(o, msg->number);
	o_zeros(o, 4);
}

static int
features_decode(struct of_in *in, struct of_msg *msg)
{
	msg->number = in_u16(in);
	in_skip(in, 6);
	in_skip(in, in->n);
	return 0;
}

static void
features_encode(struct of_out *o, const struct of_msg *msg)
{
	o_u16(o, msg->number);
	o_zeros(o, 6);
}

const struct of_codec of_codec_bundle_control = {bundle_control_decode,
                                                 bundle_control_encode};
const struct of_codec of_codec_bundle_add = {bundle_add_decode, bundle_add_encode};
const struct of_codec of_codec_bundle_features_request = {features_request_decode,
                                                          features_request_encode};
const struct of_codec of_codec_bundle_features = {features_decode, features_encode};
