/* trace.c - ofproto/trace: a packet's way through a switch in the shape of Open vSwitch,
 * from what dp_trace() tells. Beside ofproto.c. Main thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/flow_compose.h"
#include "openflow/of_text.h"
#include "vswitchd/ofproto/action_check.h"
#include "vswitchd/ofproto/learn.h"
#include "vswitchd/ofproto/switch.h"

#define FRAME_MAX 65535
#define RULER \
	"===============================================================================\n"

/* A trace under way. */
struct tracing {
	struct ofproto *ofproto;
	const struct ofproto_trace *asked;
	struct of_names names, *shown_names; /* NULL = ports are numbers */
	struct str *out;
	struct str flow;  /* of the present part, to tell what changed */
	struct str fates; /* come last */
	unsigned n_parts;
};

/* ---- names ---- */

static uint32_t
port_number(const char *name, void *aux)
{
	const struct ofproto *ofproto = aux;
	struct port *port;

	HMAP_FOR_EACH (port, node, &ofproto->ports)
		if (!strcmp(port->port.name, name))
			return port->port.number;
	return UINT32_MAX;
}

static const char *
port_name(uint32_t number, void *aux)
{
	const struct port *port = switch_find_port(aux, number);

	return port ? port->port.name : NULL;
}

/* ---- what is told ---- */

static void
indent(struct str *out, unsigned depth)
{
	while (depth-- > 0)
		str_append(out, "    ");
}

/* All headers of a packet; of what is no header, that which is not 0. */
static void
show_flow(const struct tracing *t, const struct flow_key *key, struct str *out)
{
	const size_t headers = offsetof(struct flow_fields, tun_id) / sizeof(uint64_t);
	struct flow_match match;

	flow_key_visible(key, &match.mask);
	for (size_t i = headers; i < FLOW_KEY_WORDS; i++)
		if (!key->words[i])
			match.mask.words[i] = 0;
	match.mask.f.pbb_isid = key->f.pbb_isid ? match.mask.f.pbb_isid : 0;
	match.mask.f.packet_mark = key->f.packet_mark ? UINT32_MAX : 0;
	match.mask.f.actset_output = 0;
	match.mask.f.conj_id = match.mask.f.recirc_id = 0;
	for (size_t i = 0; i < FLOW_REGS; i++)
		match.mask.f.regs[i] = key->f.regs[i] ? UINT32_MAX : 0;
	flow_key_mask(&match.key, key, &match.mask);
	of_text_format_match(out, &match, -1, t->shown_names);
}

static void
show_megaflow(const struct tracing *t, const struct dp_trace_step *step)
{
	struct flow_match match = *step->match;
	struct flow_key visible;
	size_t before;

	flow_key_visible(&match.key, &visible);
	flow_key_mask(&match.mask, &match.mask, &visible);
	flow_key_mask(&match.key, &match.key, &match.mask);
	str_append(t->out, "Megaflow: recirc_id=0,eth");
	before = t->out->length;
	str_append_char(t->out, ',');
	of_text_format_match(t->out, &match, -1, t->shown_names);
	if (t->out->length == before + 1)
		t->out->data[--t->out->length] = '\0';
	str_append_char(t->out, '\n');
}

static void
begin_part(struct tracing *t, const struct dp_trace_step *step)
{
	size_t length = strlen(t->ofproto->name) + strlen("bridge(\"\")");

	if (t->n_parts++)
		str_printf(t->out,
		           "\n" RULER "recirc - the headers are read again\n" RULER "\n");
	str_clear(&t->flow);
	show_flow(t, step->key, &t->flow);
	str_printf(t->out, "Flow: %s\n\nbridge(\"%s\")\n", str_text(&t->flow),
	           t->ofproto->name);
	while (length-- > 0)
		str_append_char(t->out, '-');
	str_append_char(t->out, '\n');
	if (t->n_parts > 1)
		str_printf(t->out, "    thaw\n        Resuming from table %u\n",
		           step->table);
}

static void
end_part(struct tracing *t, const struct dp_trace_step *step)
{
	struct str final = STR_INIT;

	show_flow(t, step->key, &final);
	str_printf(t->out, "\nFinal flow: %s\n",
	           strcmp(str_text(&final), str_text(&t->flow)) ? str_text(&final)
	                                                        : "unchanged");
	str_free(&final);
	if (step->match)
		show_megaflow(t, step);
	str_printf(t->out, "Datapath actions: %s\n", step->text);
}

static void
show_table(const struct tracing *t, const struct dp_trace_step *step)
{
	indent(t->out, step->depth);
	str_printf(t->out, "%2u. ", step->table);
	if (step->match) {
		size_t before = t->out->length;

		of_text_format_match(t->out, step->match, -1, t->shown_names);
		if (t->out->length > before)
			str_append(t->out, ", ");
		str_printf(t->out, "priority %u", step->priority);
		if (step->cookie)
			str_printf(t->out, ", cookie 0x%llx",
			           (unsigned long long)step->cookie);
	} else {
		str_append(t->out, "No match.");
	}
	str_append_char(t->out, '\n');
	if (!step->drops)
		return;
	indent(t->out, step->depth + 1);
	str_append(t->out, "drop\n");
}

static void
show_step(const struct dp_trace_step *step, void *aux)
{
	struct tracing *t = aux;

	switch (step->kind) {
	case DP_TRACE_BEGIN:
		begin_part(t, step);
		return;
	case DP_TRACE_TABLE:
		show_table(t, step);
		return;
	case DP_TRACE_END:
		end_part(t, step);
		return;
	case DP_TRACE_ACTION_SET:
		str_append(t->out, "--. Executing action set:\n");
		return;
	case DP_TRACE_ACTION:
		indent(t->out, step->depth);
		of_text_format_actions(t->out, step->action, step->action->bytes,
		                       t->shown_names);
		break;
	case DP_TRACE_BUCKET:
		indent(t->out, step->depth);
		str_printf(t->out, "bucket %u", step->number);
		break;
	case DP_TRACE_REMARK:
		indent(t->out, step->depth);
		str_printf(t->out, " -> %s", step->text);
		break;
	case DP_TRACE_WARNING:
		indent(t->out, step->depth);
		str_printf(t->out, " >> %s", step->text);
		break;
	}
	str_append_char(t->out, '\n');
}

static void
show_fate(const struct dp_trace_fate *fate, void *aux)
{
	struct tracing *t = aux;

	t->asked->fate(fate, &t->fates, t->asked->aux);
}

static void
carry_out_learn(const struct flow_learn *learn, const struct flow_key *key, void *aux)
{
	struct tracing *t = aux;

	learn_run(t->ofproto, learn, key);
}

/* ---- what is asked ---- */

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Returns how many bytes; -EINVAL. Blanks are skipped. */
static int
parse_hex(const char *text, uint8_t *data, struct error *err)
{
	int n = 0, high = -1;

	for (; *text; text++) {
		const int digit = hex_digit(*text);

		if (*text == ' ')
			continue;
		if (digit < 0 || n == FRAME_MAX)
			return error_set(err, -EINVAL,
			                 "the packet is not a line of hex digits");
		if (high < 0) {
			high = digit;
		} else {
			data[n++] = (uint8_t)(high << 4 | digit);
			high = -1;
		}
	}
	return high < 0 ? n : error_set(err, -EINVAL, "the packet ends in half a byte");
}

/* A packet as bytes: its headers go before those of the flow. */
static int
take_packet(const char *text, struct flow_key *key, uint8_t *frame, struct error *err)
{
	const struct flow_key flow = *key;
	const int n = parse_hex(text, frame, err);

	if (n < 0)
		return n;
	if (n < 14)
		return error_set(err, -EINVAL, "a packet has 14 bytes at least, not %d",
		                 n);
	memset(key, 0, sizeof(*key));
	flow_parse(frame, (size_t)n, (size_t)n, key);
	for (size_t i = FLOW_PACKET_WORDS; i < FLOW_KEY_WORDS; i++)
		key->words[i] = flow.words[i];
	key->f.in_port = flow.f.in_port;
	key->f.tun_id = flow.f.tun_id;
	memcpy(key->f.tun_src, flow.f.tun_src, sizeof(key->f.tun_src));
	memcpy(key->f.tun_dst, flow.f.tun_dst, sizeof(key->f.tun_dst));
	key->f.packet_mark = flow.f.packet_mark;
	return n;
}

static int
make_packet(const struct ofproto_trace *asked, const struct flow_key *key, uint8_t *frame,
            struct error *err)
{
	uint8_t *payload = xcalloc(1, FRAME_MAX);
	int n = (int)asked->payload_bytes;

	if (asked->payload)
		n = parse_hex(asked->payload, payload, err);
	if (n >= 0) {
		n = (int)flow_compose(key, payload, (size_t)n, frame, FRAME_MAX);
		if (!n)
			n = error_set(err, -EINVAL,
			              "no packet takes a payload of that length");
	}
	free(payload);
	return n;
}

/* Headers, state and bytes of the packet; returns how many bytes. */
static int
make_key(const struct tracing *t, struct flow_key *key, uint8_t *frame, struct error *err)
{
	const char *flow = t->asked->flow;
	struct flow_match match = {0};
	int ret;

	if (flow && *flow) {
		ret = of_text_parse_match(flow, &t->names, &match, err);
		if (ret)
			return ret;
	}
	*key = match.key;
	if ((key->f.vlan_tci & FLOW_VLAN_PRESENT) && !key->f.vlan_tpid)
		key->f.vlan_tpid = 0x8100;
	if (t->asked->packet)
		return take_packet(t->asked->packet, key, frame, err);
	return make_packet(t->asked, key, frame, err);
}

static int
check_actions(const struct tracing *t, const struct flow_actions *actions,
              const struct flow_key *key, struct error *err)
{
	struct flow_match match = {.key = *key};
	struct of_error error;

	if (!t->asked->is_consistent)
		return 0;
	memset(&match.mask, 0xff, sizeof(match.mask));
	if (action_check(t->ofproto, actions, &match, OF_TABLE_ALL, false, &error) == 0)
		return 0;
	return error_set(err, -EINVAL, "%s", error.text);
}

static int
run(struct tracing *t, uint8_t *frame, struct error *err)
{
	const struct ofproto_trace *asked = t->asked;
	struct flow_actions actions = {0};
	struct dp_trace trace = {
		.frame = frame,
		.is_packet_out = asked->actions != NULL,
		.has_effects = asked->has_effects,
		.shows_names = asked->shows_names,
		.step = show_step,
		.fate = show_fate,
		.learn = carry_out_learn,
		.aux = t,
	};
	int ret = make_key(t, &trace.key, frame, err);

	if (ret < 0)
		return ret;
	trace.length = (size_t)ret;
	ret = 0;
	if (asked->actions)
		ret = of_text_parse_actions(asked->actions, &t->names, &actions, err);
	if (!ret)
		ret = check_actions(t, &actions, &trace.key, err);
	if (!ret) {
		trace.actions = actions.data;
		trace.actions_bytes = actions.bytes;
		/* What rules were added but not published yet, too. */
		switch_publish(t->ofproto);
		ret = dp_trace(t->ofproto->bridge_id, &trace, err);
	}
	flow_actions_destroy(&actions);
	return ret;
}

int
ofproto_trace(struct ofproto *ofproto, const struct ofproto_trace *asked, struct str *out,
              struct error *err)
{
	struct tracing t = {
		.ofproto = ofproto,
		.asked = asked,
		.names = {.port_number = port_number,
	                  .port_name = port_name,
	                  .aux = ofproto},
		.out = out,
	};
	uint8_t *frame = xcalloc(1, FRAME_MAX);
	int ret;

	t.shown_names = asked->shows_names ? &t.names : NULL;
	ret = run(&t, frame, err);
	if (!ret)
		str_append(out, str_text(&t.fates));
	str_free(&t.flow);
	str_free(&t.fates);
	free(frame);
	return ret;
}
