/* of_print.c - any OpenFlow message as "ovs-ofctl ofp-print" shows it: its name, and what
 * all kinds share. The bodies are printed by of_print_*.c. No state, any thread. */
#include <ctype.h>

#include "openflow/of_print_private.h"
#include "openflow/of_wire.h"

#define MAX_DEPTH 4 /* of messages in messages */

/* Names that are not those of of_kind_name() in capitals. */
static const struct {
	enum of_kind kind;
	const char *name;
} kind_names[] = {
	{OFM_QUEUE_CONFIG_REQUEST, "QUEUE_GET_CONFIG_REQUEST"},
	{OFM_QUEUE_CONFIG_REPLY, "QUEUE_GET_CONFIG_REPLY"},
	{OFM_BUNDLE_ADD, "BUNDLE_ADD_MESSAGE"},
	{OFM_NX_FLOW_FORMAT, "SET_FLOW_FORMAT"},
	{OFM_NX_TABLE_ID, "FLOW_MOD_TABLE_ID"},
	{OFM_NX_PACKET_IN_FORMAT, "SET_PACKET_IN_FORMAT"},
	{OFM_NX_CONTROLLER_ID, "SET_CONTROLLER_ID"},
	{OFM_REQUEST_FORWARD, "REQUESTFORWARD"},
	{OFM_FLOW_STATS_REQUEST, "FLOW request"},
	{OFM_FLOW_STATS_REPLY, "FLOW reply"},
	{OFM_FLOW_DESC_REQUEST, "FLOW request"},
	{OFM_FLOW_DESC_REPLY, "FLOW reply"},
	{OFM_TABLE_STATS_REQUEST, "TABLE request"},
	{OFM_TABLE_STATS_REPLY, "TABLE reply"},
	{OFM_PORT_STATS_REQUEST, "PORT request"},
	{OFM_PORT_STATS_REPLY, "PORT reply"},
	{OFM_QUEUE_STATS_REQUEST, "QUEUE request"},
	{OFM_QUEUE_STATS_REPLY, "QUEUE reply"},
	{OFM_GROUP_STATS_REQUEST, "GROUP request"},
	{OFM_GROUP_STATS_REPLY, "GROUP reply"},
	{OFM_METER_STATS_REQUEST, "METER request"},
	{OFM_METER_STATS_REPLY, "METER reply"},
};

void
print_bits(struct str *out, uint32_t flags, const struct print_bit *bits,
           const char *separator, const char *none)
{
	bool is_first = true;

	if (!flags) {
		str_append(out, none);
		return;
	}
	for (; bits->name; bits++) {
		if (!(flags & bits->bit))
			continue;
		str_printf(out, "%s%s", is_first ? "" : separator, bits->name);
		flags &= ~bits->bit;
		is_first = false;
	}
	if (flags)
		str_printf(out, "%s0x%x", is_first ? "" : separator, flags);
}

void
print_duration(struct str *out, uint64_t duration_ns)
{
	uint64_t seconds = duration_ns / 1000000000, ns = duration_ns % 1000000000;
	int digits = 9;

	/* Whole milliseconds keep their three digits. */
	if (ns % 1000000 == 0) {
		ns /= 1000000;
		digits = 3;
	}
	for (; digits > 3 && ns % 10 == 0; digits--)
		ns /= 10;
	str_printf(out, "%" PRIu64, seconds);
	if (ns)
		str_printf(out, ".%0*" PRIu64, digits, ns);
	str_append_char(out, 's');
}

void
print_counter(struct str *out, const char *before, uint64_t value)
{
	str_append(out, before);
	if (value == UINT64_MAX)
		str_append_char(out, '?');
	else
		str_printf(out, "%" PRIu64, value);
}

void
print_hex(struct str *out, const uint8_t *data, size_t n, bool with_text)
{
	for (size_t line = 0; line < n; line += 16) {
		size_t bytes = MIN_OF(n - line, (size_t)16);

		str_printf(out, "%08zx ", line);
		for (size_t i = 0; i < bytes; i++)
			str_printf(out, "%c%02x", i == 8 ? '-' : ' ', data[line + i]);
		if (with_text) {
			str_printf(out, "%c%*s|", bytes == 8 ? '-' : ' ',
			           (int)(16 - bytes) * 3, "");
			for (size_t i = 0; i < bytes; i++)
				str_append_char(out, isprint(data[line + i])
				                             ? (char)data[line + i]
				                             : '.');
			str_printf(out, "%*s|", (int)(16 - bytes), "");
		}
		str_append_char(out, '\n');
	}
}

void
print_hex_dump(struct str *out, const uint8_t *data, size_t n)
{
	print_hex(out, data, n, true);
}

/* Whose message it is, as its name begins. */
static const char *
prefix_of(const struct of_msg *msg)
{
	bool is_multipart = msg->kind >= OFM_DESC_REQUEST;
	bool is_monitor = msg->kind == OFM_NX_FLOW_MONITOR_CANCEL ||
	                  msg->kind == OFM_NX_FLOW_MONITOR_PAUSED ||
	                  msg->kind == OFM_NX_FLOW_MONITOR_RESUMED;

	if (is_monitor && msg->version == OF13)
		return "ONFT_";
	if (msg->kind >= OFM_NX_FLOW_FORMAT && !is_multipart)
		return "NXT_";
	if (msg->is_nicira && msg->version == OF13 &&
	    (msg->kind == OFM_BUNDLE_CONTROL || msg->kind == OFM_BUNDLE_ADD ||
	     msg->kind == OFM_ROLE_STATUS))
		return "ONFT_";
	if (msg->is_nicira && msg->version == OF13 &&
	    (msg->kind == OFM_FLOW_MONITOR_REQUEST ||
	     msg->kind == OFM_FLOW_MONITOR_REPLY))
		return "ONFST_";
	if (msg->kind == OFM_PACKET_IN && msg->packet_in.format != OF_PACKET_IN_STANDARD)
		return "NXT_";
	if (msg->is_nicira)
		return is_multipart ? "NXST_" : "NXT_";
	return is_multipart ? "OFPST_" : "OFPT_";
}

static void
put_name(struct of_printer *p)
{
	const struct of_msg *msg = p->msg;
	const char *name = of_kind_name(msg->kind), *end = "";
	size_t n;

	str_append(p->out, prefix_of(msg));
	for (size_t i = 0; i < ARRAY_SIZE(kind_names); i++)
		if (kind_names[i].kind == msg->kind) {
			str_append(p->out, kind_names[i].name);
			return;
		}
	if (msg->kind == OFM_SET_ASYNC && msg->is_nicira) {
		str_append(p->out, "SET_ASYNC_CONFIG");
		str_append(p->out, msg->async.given ? "2" : "");
		return;
	}
	if (!strncmp(name, "nx_", 3))
		name += 3;
	n = strlen(name);
	if (msg->kind >= OFM_DESC_REQUEST) {
		end = strrchr(name, '_');
		end = end ? end : "";
		n -= strlen(end);
	}
	for (size_t i = 0; i < n; i++)
		str_append_char(p->out, (char)toupper((unsigned char)name[i]));
	if (*end)
		str_printf(p->out, " %s", end + 1);
	if (msg->kind == OFM_PACKET_IN && msg->packet_in.format == OF_PACKET_IN_NXT2)
		str_append_char(p->out, '2');
}

static void
put_version(struct str *out, unsigned version, uint32_t xid)
{
	if (version >= OF11 && version <= OF15)
		str_printf(out, " (OF1.%u)", version - 1);
	else if (version != OF10)
		str_printf(out, " (OF 0x%02x)", version);
	str_printf(out, " (xid=0x%x):", xid);
}

/* Of a multipart. Before 1.3, requests had no flags. */
static void
put_flags(struct of_printer *p, const uint8_t *data)
{
	bool is_request = data[1] == (p->msg->version == OF10 ? 16 : 18);
	uint16_t flags = of_get16(data + OF_HEADER_BYTES + 2);
	bool has_more = flags & 1 && !(is_request && p->msg->version < OF13);

	if (!flags)
		return;
	str_append(p->out, " flags=");
	if (has_more) {
		str_append(p->out, "[more]");
		flags &= (uint16_t)~1U;
	}
	if (flags)
		str_printf(p->out, "[***unknown flags 0x%04x***]", flags);
}

/* Whether it is known what message was meant; not if even its length cannot be that of
 * one. */
static bool
error_is_inside(uint32_t id)
{
	static const enum of_error_id outside[] = {
		OFERR_BAD_REQUEST_VERSION,      OFERR_BAD_REQUEST_TYPE,
		OFERR_BAD_REQUEST_MULTIPART,    OFERR_BAD_REQUEST_LEN,
		OFERR_BAD_REQUEST_EXPERIMENTER, OFERR_BAD_REQUEST_EXP_TYPE};

	for (size_t i = 0; i < ARRAY_SIZE(outside); i++)
		if (outside[i] == id)
			return false;
	return true;
}

static void
put_broken(struct of_printer *p, const uint8_t *data, size_t n, struct of_error *error)
{
	bool is_named = error_is_inside(error->id);
	const char *name;

	if (data[0] >= OF10 && data[0] <= OF15)
		of_error_resolve((enum of_error_id)error->id, data[0], error);
	name = of_error_name(data[0], error);
	if (is_named) {
		put_name(p);
		put_version(p->out, data[0], of_get32(data + 4));
		str_append_char(p->out, ' ');
	}
	str_printf(p->out, "***decode error: %s***\n", name ? name : "unknown");
	print_hex_dump(p->out, data, n);
}

/* The name of a message of which only the first 'n' bytes came, as in errors about it. */
static void
put_name_of_part(struct of_printer *p, const uint8_t *data, size_t n)
{
	struct of_error error;
	struct of_msg msg;
	uint8_t *part = xmemdup(data, n);

	part[2] = (uint8_t)(n >> 8);
	part[3] = (uint8_t)n;
	(void)of_msg_decode(part, n, &msg, &error);
	/* The kind is set before the body is looked at; the first one is HELLO. */
	if (msg.kind != OFM_HELLO || data[1] == 0) {
		p->msg = &msg;
		put_name(p);
		put_version(p->out, msg.version, msg.xid);
		str_append_char(p->out, '\n');
	}
	of_msg_destroy(&msg);
	free(part);
}

static void
put_message(struct str *out, const uint8_t *data, size_t n, const struct of_names *names,
            int verbosity, unsigned depth)
{
	struct of_error error = {0};
	struct of_printer p = {
		.out = out, .names = names, .verbosity = verbosity, .depth = depth};
	struct of_msg msg;

	if (!n)
		str_append(out, "OpenFlow message is empty\n");
	else if (n < OF_HEADER_BYTES)
		str_printf(out, "OpenFlow packet too short (only %zu bytes):\n", n);
	else if (of_get16(data + 2) > n) {
		put_name_of_part(&p, data, n);
		str_printf(out, "(***truncated to %zu bytes from %u***)\n", n,
		           of_get16(data + 2));
	} else if (of_get16(data + 2) < n)
		str_printf(out, "(***only uses %u bytes out of %zu***)\n",
		           of_get16(data + 2), n);
	if (n < OF_HEADER_BYTES || of_get16(data + 2) != n) {
		print_hex_dump(out, data, n);
		return;
	}
	p.msg = &msg;
	if (of_msg_decode(data, n, &msg, &error)) {
		put_broken(&p, data, n, &error);
		of_msg_destroy(&msg);
		return;
	}
	put_name(&p);
	put_version(out, data[0], msg.xid);
	if (msg.kind >= OFM_DESC_REQUEST)
		put_flags(&p, data);
	if (!print_basic(&p) && !print_flows(&p) && !print_groups(&p) &&
	    !print_ports(&p) && !print_tables(&p) && !print_packets(&p)) {
		str_append_char(out, '\n');
		print_hex_dump(out, data, n);
	}
	if (out->length && out->data[out->length - 1] != '\n')
		str_append_char(out, '\n');
	if (verbosity >= 5 && !depth)
		print_hex_dump(out, data, n);
	of_msg_destroy(&msg);
}

void
print_inner(struct of_printer *p, const uint8_t *data, size_t n)
{
	if (p->depth >= MAX_DEPTH)
		print_hex_dump(p->out, data, n);
	else
		put_message(p->out, data, n, p->names, p->verbosity, p->depth + 1);
}

void
of_text_format_message(struct str *out, const uint8_t *data, size_t n,
                       const struct of_names *names, int verbosity)
{
	put_message(out, data, n, names, verbosity, 0);
}
