/* packet_out.c - checks packet-outs and gives them to the datapath. Main thread. */
#include "vswitchd/ofproto/packet_out.h"

#include "vswitchd/ofproto/action_check.h"

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
fill_key(const struct of_packet_out *out, struct flow_key *key)
{
	const struct flow_match *given = &out->metadata;

	flow_parse(out->packet, out->n, out->n, key);
	for (size_t i = FLOW_PACKET_WORDS; i < FLOW_KEY_WORDS; i++)
		key->words[i] = given->key.words[i] & given->mask.words[i];
	key->f.packet_mark = given->key.f.packet_mark;
	key->f.tun_id = given->key.f.tun_id;
	memcpy(key->f.tun_src, given->key.f.tun_src, sizeof(key->f.tun_src));
	memcpy(key->f.tun_dst, given->key.f.tun_dst, sizeof(key->f.tun_dst));
	key->f.actset_output = FLOW_PORT_NONE;
	key->f.in_port = out->in_port;
}

static int
check(const struct ofproto *ofproto, const struct of_packet_out *out,
      struct flow_match *match, struct of_error *error)
{
	if (out->buffer_id != OF_BUFFER_NONE)
		return of_fail(error, OFERR_BAD_REQUEST_BUFFER_UNKNOWN,
		               "no packets are buffered");
	if (!is_in_port(out->in_port))
		return of_fail(error, OFERR_BAD_REQUEST_PORT,
		               "no packet comes from port %u", out->in_port);
	if (out->n < ETH_HEADER_BYTES)
		return of_fail(error, OFERR_BAD_REQUEST_PACKET, "%zu bytes are no packet",
		               out->n);
	*match = (struct flow_match){0};
	fill_key(out, &match->key);
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
