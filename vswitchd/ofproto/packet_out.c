/* packet_out.c - checks packet-outs, and paused packets that come back, and gives them to
 * the datapath. Main thread. */
#include "vswitchd/ofproto/packet_out.h"

#include <errno.h>

#include "vswitchd/ofproto/action_check.h"
#include "vswitchd/ofproto/continuation.h"

#define ETH_HEADER_BYTES 14
#define PORTS_END        0xff00U

static bool
is_in_port(uint32_t port)
{
	return (port && port < PORTS_END) || port == FLOW_PORT_LOCAL ||
	       port == FLOW_PORT_NONE || port == FLOW_PORT_CONTROLLER;
}

/* What tables would know of the packet. */
static void
fill_key(const uint8_t *packet, size_t n, const struct flow_match *given,
         struct flow_key *key)
{
	flow_parse(packet, n, n, key);
	for (size_t i = FLOW_PACKET_WORDS; i < FLOW_KEY_WORDS; i++)
		key->words[i] = given->key.words[i] & given->mask.words[i];
	key->f.packet_mark = given->key.f.packet_mark;
	key->f.tun_id = given->key.f.tun_id;
	memcpy(key->f.tun_src, given->key.f.tun_src, sizeof(key->f.tun_src));
	memcpy(key->f.tun_dst, given->key.f.tun_dst, sizeof(key->f.tun_dst));
	key->f.actset_output = FLOW_PORT_NONE;
	key->f.in_port = given->key.f.in_port;
}

static int
check_packet(uint32_t in_port, size_t n, struct of_error *error)
{
	if (!is_in_port(in_port))
		return of_fail(error, OFERR_BAD_REQUEST_PORT,
		               "no packet comes from port %u", in_port);
	if (n < ETH_HEADER_BYTES)
		return of_fail(error, OFERR_BAD_REQUEST_PACKET, "%zu bytes are no packet",
		               n);
	return 0;
}

static int
check(const struct ofproto *ofproto, const struct of_packet_out *out,
      struct flow_match *match, struct of_error *error)
{
	if (out->buffer_id != OF_BUFFER_NONE)
		return of_fail(error, OFERR_BAD_REQUEST_BUFFER_UNKNOWN,
		               "no packets are buffered");
	if (check_packet(out->in_port, out->n, error))
		return -EPROTO;
	*match = (struct flow_match){0};
	fill_key(out->packet, out->n, &out->metadata, &match->key);
	match->key.f.in_port = out->in_port;
	memset(&match->mask, 0xff, sizeof(match->mask));
	return action_check(ofproto, &out->actions, match, OF_TABLE_ALL, false, error);
}

int
packet_out_check(const struct ofproto *ofproto, const struct of_packet_out *out,
                 struct of_error *error)
{
	struct flow_match match;

	return check(ofproto, out, &match, error);
}

int
packet_out_run(struct ofproto *ofproto, const struct of_packet_out *out,
               struct of_error *error)
{
	struct flow_match match;
	struct error err;
	const int result = check(ofproto, out, &match, error);

	if (result)
		return result;
	/* Packets may be lost: too many on their way is no error. */
	dp_packet_out(ofproto->bridge_id, &match.key, out->actions.data,
	              out->actions.bytes, out->packet, out->n, &err);
	return 0;
}

int
packet_out_resume(struct ofproto *ofproto, const struct of_packet_in *in,
                  struct of_error *error)
{
	const void *record;
	struct flow_key key;
	struct error err;
	size_t n_record;

	if (check_packet(in->metadata.key.f.in_port, in->n, error) ||
	    continuation_open(ofproto, in->continuation, in->n_continuation, &record,
	                      &n_record, error))
		return -EPROTO;
	fill_key(in->packet, in->n, &in->metadata, &key);
	if (dp_resume(ofproto->bridge_id, &key, record, n_record, in->packet, in->n,
	              &err) == -EINVAL)
		return of_fail(error, OFERR_BAD_PROPERTY_VALUE, "%s", err.text);
	return 0;
}
