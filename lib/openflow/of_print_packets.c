/* of_print_packets.c - prints packet-ins and packet-outs, and the packets in them. For
 * of_print.c. No state, any thread. */
#include "net/flow_key.h"
#include "openflow/of_print_private.h"
#include "openflow/of_wire.h"

#define ETH_IP   0x0800
#define ETH_IPV6 0x86dd
#define ETH_ARP  0x0806

#define PROTO_ICMP   1
#define PROTO_TCP    6
#define PROTO_UDP    17
#define PROTO_ICMPV6 58
#define PROTO_SCTP   132

/* The bits that say something about such a packet. */
static void
fill_mask(const struct flow_fields *f, struct flow_fields *m)
{
	bool is_ip = f->eth_type == ETH_IP || f->eth_type == ETH_IPV6;
	bool is_icmp6 = f->eth_type == ETH_IPV6 && f->ip_proto == PROTO_ICMPV6;

	m->eth_type = m->vlan_tci = UINT16_MAX;
	memset(m->eth_src, 0xff, sizeof(m->eth_src));
	memset(m->eth_dst, 0xff, sizeof(m->eth_dst));
	if (is_ip || f->eth_type == ETH_ARP) {
		memset(m->ip_src, 0xff, f->eth_type == ETH_IPV6 ? 16 : 4);
		memset(m->ip_dst, 0xff, f->eth_type == ETH_IPV6 ? 16 : 4);
	}
	if (f->eth_type == ETH_ARP) {
		m->tp_src = UINT16_MAX;
		memset(m->arp_sha, 0xff, sizeof(m->arp_sha));
		memset(m->arp_tha, 0xff, sizeof(m->arp_tha));
	}
	if (!is_ip)
		return;
	m->ip_proto = m->ip_tos = m->ip_ttl = UINT8_MAX;
	m->ip_fragment = FLOW_FRAGMENT | FLOW_LATER;
	if (f->eth_type == ETH_IPV6)
		m->ipv6_label = 0xfffff;
	if (f->ip_fragment & FLOW_LATER)
		return; /* it begins amid what the first has the head of */
	if (f->ip_proto == PROTO_TCP || f->ip_proto == PROTO_UDP ||
	    f->ip_proto == PROTO_SCTP || is_icmp6 ||
	    (f->eth_type == ETH_IP && f->ip_proto == PROTO_ICMP))
		m->tp_src = m->tp_dst = UINT16_MAX;
	if (f->ip_proto == PROTO_TCP)
		m->tcp_flags = UINT16_MAX;
	if (is_icmp6 && (f->tp_src == 135 || f->tp_src == 136)) {
		memset(m->nd_target, 0xff, sizeof(m->nd_target));
		memset(f->tp_src == 135 ? m->arp_sha : m->arp_tha, 0xff, 6);
	}
}

/* The checksum of layer 4 in an IP packet, as it stands there. */
static void
put_checksum(struct str *out, const struct flow_fields *f, const uint8_t *data, size_t n)
{
	size_t at = 14;
	const char *name;
	size_t offset;

	for (unsigned i = 0; i < 2 && n >= at + 4 && f->vlan_tci &&
	                     of_get16(data + at - 2) != f->eth_type;
	     i++)
		at += 4;
	if (f->ip_fragment & FLOW_LATER || n < at + 20)
		return;
	at += f->eth_type == ETH_IP ? (data[at] & 0xfU) * 4 : 40;
	switch (f->ip_proto) {
	case PROTO_TCP:
		name = "tcp";
		offset = 16;
		break;
	case PROTO_UDP:
		name = "udp";
		offset = 6;
		break;
	case PROTO_SCTP:
		name = "sctp";
		offset = 8;
		break;
	default:
		name = f->eth_type == ETH_IP ? "icmp" : "icmp6";
		offset = 2;
		if (f->ip_proto != (f->eth_type == ETH_IP ? PROTO_ICMP : PROTO_ICMPV6))
			return;
		break;
	}
	if (n < at + offset + 4)
		return;
	str_printf(out, " %s_csum:%x", name,
	           f->ip_proto == PROTO_SCTP ? of_get32(data + at + offset)
	                                     : of_get16(data + at + offset));
}

void
print_packet(struct of_printer *p, const uint8_t *data, size_t n)
{
	struct flow_match match;
	const struct flow_fields *f = &match.key.f;

	if (!n || p->verbosity <= 0)
		return;
	memset(&match, 0, sizeof(match));
	flow_parse(data, n, n, &match.key);
	fill_mask(f, &match.mask.f);
	flow_key_mask(&match.key, &match.key, &match.mask);
	of_text_format_match(p->out, &match, -1, NULL);
	if (f->eth_type == ETH_IP || f->eth_type == ETH_IPV6)
		put_checksum(p->out, f, data, n);
	str_append_char(p->out, '\n');
	if (p->verbosity > 2)
		print_hex(p->out, data, n, false);
}

static void
put_packet_in(struct of_printer *p)
{
	const struct of_packet_in *in = &p->msg->packet_in;
	struct str *out = p->out;
	const char *reason = "?";

	for (unsigned i = 0; text_reasons[i]; i++)
		if (i == in->reason)
			reason = text_reasons[i];
	if (in->reason == OFR_EXPLICIT_MISS)
		reason = "explicit_miss";
	else if (in->reason == OFR_IMPLICIT_MISS)
		reason = "implicit_miss";
	if (in->table && in->table != OF_TABLE_ALL) {
		str_append(out, " table_id=");
		text_format_table(out, in->table, p->names);
	}
	if (in->cookie != UINT64_MAX &&
	    (p->msg->version > OF12 || in->format != OF_PACKET_IN_STANDARD))
		str_printf(out, " cookie=0x%" PRIx64, in->cookie);
	str_printf(out, " total_len=%u ", in->total_bytes);
	of_text_format_match(out, &in->metadata, -1, p->names);
	str_printf(out, " (via %s) data_len=%zu", reason, in->n);
	if (in->buffer_id == OF_BUFFER_NONE) {
		str_append(out, " (unbuffered)");
		if (in->total_bytes != in->n)
			str_append(out, " (***total_len != data_len***)");
	} else {
		str_printf(out, " buffer=0x%08x", in->buffer_id);
		if (in->total_bytes < in->n)
			str_append(out, " (***total_len < data_len***)");
	}
	str_append_char(out, '\n');
	if (in->n_userdata) {
		str_append(out, " userdata=");
		for (size_t i = 0; i < in->n_userdata; i++)
			str_printf(out, "%s%02x", i ? "." : "", in->userdata[i]);
		str_append_char(out, '\n');
	}
	if (in->has_continuation)
		str_printf(out, " continuation of %zu bytes\n", in->n_continuation);
	print_packet(p, in->packet, in->n);
}

static void
put_packet_out(struct of_printer *p)
{
	const struct of_packet_out *packet = &p->msg->packet_out;
	struct str *out = p->out;

	str_append_char(out, ' ');
	of_text_format_match(out, &packet->metadata, -1, p->names);
	str_append(out, " actions=");
	of_text_format_actions(out, packet->actions.data, packet->actions.bytes,
	                       p->names);
	if (packet->buffer_id == OF_BUFFER_NONE) {
		str_printf(out, " data_len=%zu\n", packet->n);
		print_packet(p, packet->packet, packet->n);
	} else {
		str_printf(out, " buffer=0x%08x\n", packet->buffer_id);
	}
}

bool
print_packets(struct of_printer *p)
{
	switch ((int)p->msg->kind) {
	case OFM_PACKET_IN:
	case OFM_NX_RESUME:
		put_packet_in(p);
		return true;
	case OFM_PACKET_OUT:
		put_packet_out(p);
		return true;
	default:
		return false;
	}
}
