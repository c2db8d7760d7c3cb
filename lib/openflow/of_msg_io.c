/* of_msg_io.c - reading and writing what messages are made of: lists, properties, texts,
 * ports, matches and actions. Below of_msg_*.c; no state, any thread. */
#include <errno.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "openflow/of_msg_private.h"

#define MATCH_TYPE_OXM 1
#define NS_PER_S       1000000000ULL

int
in_check(struct of_in *in, const char *what)
{
	if (!in->is_short)
		return 0;
	return of_fail(in->error, OFERR_BAD_REQUEST_LEN, "%s is cut short", what);
}

struct of_in
in_part(struct of_in *in, size_t n)
{
	struct of_in part = {.msg = in->msg, .error = in->error};

	part.p = in_take(in, n);
	if (part.p)
		part.n = n;
	else
		part.is_short = true;
	return part;
}

int
in_item(struct of_in *in, size_t at, size_t least, const char *what, struct of_in *item)
{
	size_t n;

	if (in->n < least)
		return of_fail(in->error, OFERR_BAD_REQUEST_LEN, "%s is cut short", what);
	n = of_get16(in->p + at);
	if (n < least || n > in->n)
		return of_fail(in->error, OFERR_BAD_REQUEST_LEN,
		               "%s says it has %zu bytes of %zu, at least %zu are needed",
		               what, n, in->n, least);
	*item = in_part(in, n);
	return 0;
}

int
in_property(struct of_in *in, uint16_t *type, struct of_in *body)
{
	size_t n;

	if (in->n < 4)
		return of_fail(in->error, OFERR_BAD_PROPERTY_LEN,
		               "%zu bytes are too few for a property", in->n);
	*type = of_get16(in->p);
	n = of_get16(in->p + 2);
	if (n < 4 || n > in->n)
		return of_fail(in->error, OFERR_BAD_PROPERTY_LEN,
		               "property %u says it has %zu bytes of %zu", *type, n,
		               in->n);
	in_skip(in, 4);
	*body = in_part(in, n - 4);
	/* The last one's padding may be missing. */
	in_skip(in, MIN_OF(of_round8(n) - n, in->n));
	return 0;
}

void
in_mac(struct of_in *in, uint8_t mac[6])
{
	const uint8_t *p = in_take(in, 6);

	if (p)
		memcpy(mac, p, 6);
}

void
in_text(struct of_in *in, size_t wire, char *text, size_t size)
{
	const char *p = (const char *)in_take(in, wire);
	size_t n = p ? strnlen(p, MIN_OF(wire, size - 1)) : 0;

	if (p)
		memcpy(text, p, n);
	text[n] = '\0';
}

const uint8_t *
in_copy(struct of_in *in, size_t n)
{
	const uint8_t *p = in_take(in, n);
	uint8_t *copy;

	if (!p || !n)
		return NULL;
	copy = of_msg_alloc(in->msg, n);
	memcpy(copy, p, n);
	return copy;
}

uint32_t
in_port16(struct of_in *in)
{
	uint16_t port = in_u16(in);

	return port < 0xff00 ? port : 0xffff0000U | port;
}

uint32_t
in_port(struct of_in *in)
{
	return in_version(in) == OF10 ? in_port16(in) : in_u32(in);
}

uint64_t
in_duration(struct of_in *in)
{
	uint64_t s = in_u32(in);
	uint64_t ns = in_u32(in);

	/* All ones is how some say that they do not know. */
	if (s == UINT32_MAX && ns == UINT32_MAX)
		return UINT64_MAX;
	return s * NS_PER_S + ns;
}

int
in_match(struct of_in *in, struct flow_match *match)
{
	size_t used = 0;
	int rc = in_check(in, "what precedes the match");

	if (rc < 0)
		return rc;
	rc = of_match_decode(in_version(in), in->p, in->n, match, &used, in->error);
	if (rc < 0)
		return rc;
	in_skip(in, used);
	return in_check(in, "match");
}

int
in_nxm(struct of_in *in, size_t n, bool lax, struct flow_match *match, uint64_t *cookie,
       uint64_t *cookie_mask)
{
	struct of_in part = in_part(in, n);

	in_skip(in, of_round8(n) - n);
	if (in->is_short)
		return of_fail(in->error, OFERR_BAD_REQUEST_LEN,
		               "a match of %zu bytes does not fit its message", n);
	return of_oxm_decode(part.p, part.n, lax, match, cookie, cookie_mask, in->error);
}

static int
in_records(struct of_in *in, struct flow_actions *actions, bool as_instructions)
{
	struct flow_actions list = {0};
	int rc = in_check(in, "what precedes the actions");

	if (rc == 0)
		rc = (as_instructions ? of_instructions_decode : of_actions_decode)(
			in_version(in), in->p, in->n, &list, in->error);
	if (rc == 0 && list.bytes) {
		actions->data = of_msg_alloc(in->msg, list.bytes);
		memcpy(actions->data, list.data, list.bytes);
		actions->bytes = list.bytes;
	}
	flow_actions_destroy(&list);
	in_skip(in, in->n);
	return rc;
}

int
in_actions(struct of_in *in, struct flow_actions *actions)
{
	return in_records(in, actions, false);
}

int
in_instructions(struct of_in *in, struct flow_actions *actions)
{
	return in_records(in, actions, in_version(in) != OF10);
}

void
o_bytes(struct of_out *o, const void *data, size_t n)
{
	if (n)
		str_append_bytes(o->out, data, n);
}

void
o_text(struct of_out *o, const char *text, size_t wire)
{
	size_t n = strnlen(text, wire - 1);

	o_bytes(o, text, n);
	o_zeros(o, wire - n);
}

void
o_port16(struct of_out *o, uint32_t port)
{
	/* What 16 bits cannot say is nobody's port. */
	o_u16(o, port < 0xff00 || port >= 0xffffff00U ? port : 0xffffU);
}

void
o_port(struct of_out *o, uint32_t port)
{
	if (o->msg->version == OF10)
		o_port16(o, port);
	else
		o_u32(o, port);
}

void
o_duration(struct of_out *o, uint64_t ns)
{
	if (ns == UINT64_MAX) {
		o_u64(o, UINT64_MAX);
		return;
	}
	o_u32(o, ns / NS_PER_S);
	o_u32(o, ns % NS_PER_S);
}

void
o_pad(struct of_out *o, size_t start)
{
	of_put_padding(o->out, start);
}

void
o_length(struct of_out *o, size_t at, size_t start)
{
	size_t n = o_at(o) - start;

	if (n > UINT16_MAX)
		o->status = -EMSGSIZE;
	of_patch16(o->out, at, (uint16_t)n);
}

size_t
o_property(struct of_out *o, uint16_t type)
{
	size_t start = o_at(o);

	o_u16(o, type);
	o_u16(o, 0);
	return start;
}

void
o_property_end(struct of_out *o, size_t start)
{
	o_length(o, start + 2, start);
	o_pad(o, start);
}

void
o_match(struct of_out *o, const struct flow_match *match)
{
	size_t start = o_at(o);

	if (o->msg->version != OF11 || of_match_fits(OF11, match)) {
		of_match_encode(o->msg->version, match, o->out);
		return;
	}
	/* 1.1 numbers the types of matches, of which 1.2's is the second, so that its own
	 * need not be all that is said. */
	o_u16(o, MATCH_TYPE_OXM);
	o_u16(o, 0);
	of_oxm_encode(OF11, match, 0, 0, o->out);
	o_length(o, start + 2, start);
	o_pad(o, start);
}

void
o_actions(struct of_out *o, const struct flow_actions *actions)
{
	of_actions_encode(o->msg->version, actions->data, actions->bytes, o->out);
}

void
o_instructions(struct of_out *o, const struct flow_match *match,
               const struct flow_actions *actions)
{
	struct flow_actions adapted = {0};

	if (of_actions_adapt(o->msg->version, match, actions, &adapted))
		actions = &adapted;
	if (o->msg->version == OF10)
		o_actions(o, actions);
	else
		of_instructions_encode(o->msg->version, actions->data, actions->bytes,
		                       o->out);
	flow_actions_destroy(&adapted);
}

void
o_nxm(struct of_out *o, const struct flow_match *match, uint64_t cookie,
      uint64_t cookie_mask, size_t length_at)
{
	size_t start = o_at(o);

	/* NXM's own numbers of fields, whatever the version. */
	of_oxm_encode(OF10, match, cookie, cookie_mask, o->out);
	o_length(o, length_at, start);
	o_pad(o, start);
}
