/* of_text_actions.c - reads actions as ovs-actions(7) writes them: the list, and all that
 * have one or two arguments. The longer ones are in of_text_long.c and of_text_learn.c.
 * No state, any thread. */
#include <stdio.h>
#include <strings.h>

#include "openflow/of_oxm.h"
#include "openflow/of_text_private.h"
#include "openflow/of_wire.h"

char *
text_cut_arrow(char *text)
{
	char *arrow = strstr(text, "->");

	if (!arrow)
		return NULL;
	*arrow = '\0';
	return arrow + 2;
}

static void
add_number(struct text_actions *to, enum flow_action_type type, uint64_t value,
           bool is_legacy)
{
	struct flow_number *number = flow_actions_add(to->out, type, sizeof(*number));

	number->head.is_legacy = is_legacy;
	number->value = value;
}

/* 'is_cut': to max_len, as only Nicira's action does. */
static void
add_output(struct text_actions *to, uint32_t port, uint64_t max_len, bool is_cut)
{
	struct flow_output *output =
		flow_actions_add(to->out, ACTION_OUTPUT, sizeof(*output));

	output->head.is_legacy = is_cut;
	output->port = port;
	output->max_len = (uint16_t)max_len;
}

static int
unknown_port(struct text_actions *to, const char *text)
{
	return error_set(to->err, -EINVAL, "%s: output to unknown port", text);
}

static int
add_port(struct text_actions *to, const char *text, uint32_t port)
{
	if (port == FLOW_PORT_NONE || port == FLOW_PORT_UNSET)
		return unknown_port(to, text);
	add_output(to, port, port == FLOW_PORT_CONTROLLER ? FLOW_MAX_LEN_ALL : 0, false);
	return 0;
}

/* "port=5,max_len=100" */
static int
parse_truncated(struct text_actions *to, char *arg)
{
	uint64_t max_len = 0;
	uint32_t port = FLOW_PORT_NONE;
	struct text_word word;

	while (text_next_word(&arg, &word)) {
		if (!strcmp(word.key, "port")) {
			if (!text_parse_port(word.value, to->names, &port))
				return unknown_port(to, word.value);
		} else if (!strcmp(word.key, "max_len")) {
			if (text_want_u64("max_len", word.value, UINT16_MAX, &max_len,
			                  to->err))
				return -EINVAL;
		} else {
			return error_set(to->err, -EINVAL,
			                 "invalid key '%s' in output action", word.key);
		}
	}
	/* Source: ovs-actions(7); an Ethernet header stays whole. */
	if (max_len < 14)
		return error_set(to->err, -EINVAL,
		                 "max_len %u is less than the minimum value 14",
		                 (unsigned)max_len);
	if (port >= FLOW_PORT_MAX && port != FLOW_PORT_LOCAL && port != FLOW_PORT_IN_PORT)
		return error_set(to->err, -EINVAL,
		                 "output(port, max_len) does not support "
		                 "this port");
	add_output(to, port, max_len, true);
	return 0;
}

static int
parse_output(struct text_actions *to, char *arg, int variant UNUSED)
{
	struct flow_output_field *output;
	struct flow_subfield from;
	uint32_t port;

	if (strstr(arg, "port=") && strchr(arg, ','))
		return parse_truncated(to, arg);
	if (text_parse_port(arg, to->names, &port))
		return add_port(to, arg, port);
	if (of_text_parse_subfield(arg, &from, NULL))
		return unknown_port(to, arg);
	output = flow_actions_add(to->out, ACTION_OUTPUT_FIELD, sizeof(*output));
	output->from = from;
	output->max_len = FLOW_MAX_LEN_ALL;
	return 0;
}

static int
parse_enqueue(struct text_actions *to, char *arg, int variant UNUSED)
{
	char *separator = arg + strcspn(arg, ":,");
	struct flow_enqueue *enqueue;
	uint64_t queue;
	uint32_t port;

	if (!*separator)
		return error_set(to->err, -EINVAL,
		                 "\"enqueue\" syntax is \"enqueue:PORT:QUEUE\" "
		                 "or \"enqueue(PORT,QUEUE)\"");
	*separator++ = '\0';
	separator += strspn(separator, " ");
	if (!text_parse_port(arg, to->names, &port))
		return error_set(to->err, -EINVAL, "%s: enqueue to unknown port", arg);
	if (text_want_u64("queue", separator, UINT32_MAX, &queue, to->err))
		return -EINVAL;
	enqueue = flow_actions_add(to->out, ACTION_ENQUEUE, sizeof(*enqueue));
	enqueue->port = port;
	enqueue->queue = (uint32_t)queue;
	return 0;
}

static int
parse_resubmit(struct text_actions *to, char *arg, int variant UNUSED)
{
	struct flow_resubmit record = {.in_port = FLOW_PORT_IN_PORT,
	                               .table = FLOW_TABLE_NONE};
	struct flow_resubmit *resubmit;
	char *part = strsep(&arg, ",");

	if (*part && !text_parse_port(part, to->names, &record.in_port))
		return error_set(to->err, -EINVAL, "%s: resubmit to unknown port", part);
	part = arg ? strsep(&arg, ",") : NULL;
	if (part)
		part += strspn(part, " ");
	if (part && *part && !text_parse_table(part, to->names, &record.table))
		return error_set(to->err, -EINVAL, "%s: resubmit to unknown table", part);
	part = arg ? strsep(&arg, ",") : NULL;
	if (part)
		part += strspn(part, " ");
	if (part && *part) {
		if (strcmp(part, "ct"))
			return error_set(to->err, -EINVAL, "%s: unknown parameter", part);
		record.with_ct = true;
	}
	if (record.in_port == FLOW_PORT_IN_PORT && record.table == FLOW_TABLE_NONE)
		return error_set(to->err, -EINVAL,
		                 "at least one \"in_port\" or \"table\" must "
		                 "be specified on resubmit");
	resubmit = flow_actions_add(to->out, ACTION_RESUBMIT, sizeof(*resubmit));
	record.head = resubmit->head;
	record.head.is_legacy = record.table == FLOW_TABLE_NONE && !record.with_ct;
	*resubmit = record;
	return 0;
}

static bool
is_ct_field(enum flow_field_id id)
{
	return id == FIELD_CT_MARK || id == FIELD_CT_LABEL;
}

/* What may write a field, and where. */
static int
check_writable(struct text_actions *to, const char *text, enum flow_field_id id)
{
	if (!flow_field_get(id)->is_writable)
		return error_set(to->err, -EINVAL, "%s is read-only", text);
	if (is_ct_field(id) && !to->in_ct)
		return error_set(to->err, -EINVAL,
		                 "cannot set CT fields outside of ct action");
	return 0;
}

static int
parse_set_field(struct text_actions *to, char *arg, int variant UNUSED)
{
	char *name = text_cut_arrow(arg);
	struct flow_set_field *set;
	struct flow_value value, mask, full;
	struct flow_subfield whole;
	const struct flow_field *field;
	const bool has_mask = strchr(arg, '/');

	if (!name)
		return error_set(to->err, -EINVAL, "%s: missing `->'", arg);
	if (!text_find_field(name, strlen(name), &whole))
		return error_set(to->err, -EINVAL, "%s is not a valid OXM field name",
		                 name);
	field = flow_field_get(whole.field);
	if (check_writable(to, name, whole.field) ||
	    of_text_parse_field(field, arg, to->names, &value, &mask, to->err))
		return -EINVAL;
	if (whole.field == FIELD_IP_DSCP && value.bytes[0] & 3)
		return error_set(to->err, -EINVAL,
		                 "%s: value %s is not valid: low bits are set", name,
		                 arg);
	of_oxm_full_mask(whole.field, &full);
	set = flow_actions_add(to->out, ACTION_SET_FIELD, sizeof(*set));
	if (has_mask && field->n_bits % 8 && !memcmp(&mask, &full, sizeof(full)))
		set->head.is_legacy = SET_FIELD_MASKED;
	set->field = whole.field;
	set->mask = mask;
	for (size_t i = 0; i < sizeof(mask.bytes); i++)
		set->value.bytes[i] = value.bytes[i] & mask.bytes[i];
	return 0;
}

/* Shifts a number up to bit 'first_bit' of a value of 'bytes' bytes. */
static void
place_bits(const uint8_t *number, struct flow_value *value, size_t bytes,
           unsigned first_bit, unsigned n_bits)
{
	for (unsigned i = 0; i < n_bits; i++) {
		unsigned to = first_bit + i;

		if (number[15 - i / 8] >> i % 8 & 1)
			value->bytes[bytes - 1 - to / 8] |= (uint8_t)(1U << to % 8);
	}
}

static int
parse_load(struct text_actions *to, char *arg, int variant UNUSED)
{
	uint8_t number[16], ones[16];
	char *target = text_cut_arrow(arg);
	struct flow_set_field *set;
	struct flow_subfield sub;
	size_t bytes;

	if (!target)
		return error_set(to->err, -EINVAL, "%s: missing `->'", arg);
	if (of_text_parse_subfield(target, &sub, to->err))
		return -EINVAL;
	if (text_parse_number(arg, number, sizeof(number)))
		return error_set(to->err, -EINVAL, "%s->%s: cannot parse integer value",
		                 arg, target);
	if (check_writable(to, target, sub.field))
		return -EINVAL;
	for (unsigned i = sub.n_bits; i < 128; i++)
		if (number[15 - i / 8] >> i % 8 & 1)
			return error_set(to->err, -EINVAL,
			                 "%s->%s: value %s does not fit into %u bits",
			                 arg, target, arg, sub.n_bits);
	set = flow_actions_add(to->out, ACTION_SET_FIELD, sizeof(*set));
	set->head.is_legacy = true;
	set->field = sub.field;
	bytes = flow_field_get(sub.field)->n_bytes;
	memset(ones, 0xff, sizeof(ones));
	place_bits(number, &set->value, bytes, sub.first_bit, sub.n_bits);
	place_bits(ones, &set->mask, bytes, sub.first_bit, sub.n_bits);
	return 0;
}

static int
parse_move(struct text_actions *to, char *arg, int variant UNUSED)
{
	char *target = text_cut_arrow(arg);
	struct flow_subfield source, destination;
	struct flow_move *move;

	if (!target)
		return error_set(to->err, -EINVAL, "%s: missing `->'", arg);
	if (of_text_parse_subfield(arg, &source, to->err) ||
	    of_text_parse_subfield(target, &destination, to->err))
		return -EINVAL;
	if (source.n_bits != destination.n_bits)
		return error_set(
			to->err, -EINVAL,
			"%s->%s: source field is %u bits wide but destination is %u bits "
			"wide",
			arg, target, source.n_bits, destination.n_bits);
	if (check_writable(to, target, destination.field))
		return -EINVAL;
	move = flow_actions_add(to->out, ACTION_MOVE, sizeof(*move));
	move->from = source;
	move->to = destination;
	return 0;
}

static int
parse_stack(struct text_actions *to, char *arg, int type)
{
	struct flow_subfield field;
	struct flow_stack *stack;

	if (of_text_parse_subfield(arg, &field, to->err) ||
	    (type == ACTION_STACK_POP && check_writable(to, arg, field.field)))
		return -EINVAL;
	stack = flow_actions_add(to->out, (enum flow_action_type)type, sizeof(*stack));
	stack->field = field;
	return 0;
}

static int
parse_mac(struct text_actions *to, char *arg, int type)
{
	struct flow_address *address;
	uint8_t mac[6];

	if (!text_parse_mac(arg, mac))
		return error_set(to->err, -EINVAL, "%s: invalid Ethernet address", arg);
	address =
		flow_actions_add(to->out, (enum flow_action_type)type, sizeof(*address));
	memcpy(address->bytes, mac, sizeof(mac));
	return 0;
}

static int
parse_ipv4(struct text_actions *to, char *arg, int type)
{
	uint8_t ip[4], mask[4];

	if (strchr(arg, '/') || text_parse_ipv4(arg, ip, mask, NULL))
		return error_set(to->err, -EINVAL, "%s: invalid IP address", arg);
	add_number(to, (enum flow_action_type)type, of_get32(ip), false);
	return 0;
}

static int
parse_dec_ttl(struct text_actions *to, char *arg, int variant UNUSED)
{
	struct flow_ids *ids;
	uint16_t list[64];
	uint64_t id;
	uint32_t n = 0;
	bool has_ids;
	char *item;

	while ((item = text_next_item(&arg))) {
		if (n == ARRAY_SIZE(list))
			return error_set(to->err, -EINVAL,
			                 "dec_ttl: too many controllers");
		if (text_want_u64("controller id", item, UINT16_MAX, &id, to->err))
			return -EINVAL;
		list[n++] = (uint16_t)id;
	}
	has_ids = n > 0;
	if (!n)
		list[n++] = 0;
	ids = flow_actions_add(to->out, ACTION_DEC_TTL, sizeof(*ids) + n * sizeof(*list));
	ids->head.is_legacy = has_ids;
	ids->n = n;
	memcpy(ids->ids, list, n * sizeof(*list));
	return 0;
}

static int
parse_conjunction(struct text_actions *to, char *arg, int variant UNUSED)
{
	struct flow_conjunction *conjunction;
	unsigned id, clause, n_clauses;
	int used = -1;

	if (sscanf(arg, "%i , %u / %u %n", (int *)&id, &clause, &n_clauses, &used) < 3 ||
	    used < 0 || arg[used])
		return error_set(to->err, -EINVAL,
		                 "%s: \"conjunction\" syntax is "
		                 "\"conjunction(id,i/n)\"",
		                 arg);
	if (n_clauses < 2)
		return error_set(to->err, -EINVAL,
		                 "conjunction must have at least 2 clauses");
	if (n_clauses > 64)
		return error_set(to->err, -EINVAL,
		                 "conjunction must have at most 64 clauses");
	if (clause < 1)
		return error_set(to->err, -EINVAL, "clause index must be positive");
	if (clause > n_clauses)
		return error_set(to->err, -EINVAL,
		                 "clause index must be less than or equal to "
		                 "number of clauses");
	conjunction = flow_actions_add(to->out, ACTION_CONJUNCTION, sizeof(*conjunction));
	conjunction->id = id;
	conjunction->clause = (uint8_t)(clause - 1);
	conjunction->n_clauses = (uint8_t)n_clauses;
	return 0;
}

static int
parse_note(struct text_actions *to, char *arg, int variant UNUSED)
{
	struct flow_bytes *note;
	size_t n, max = strlen(arg) / 2 + 1;
	uint8_t *bytes = xmalloc(max);

	if (!text_parse_hex(arg, bytes, max, &n)) {
		free(bytes);
		return error_set(to->err, -EINVAL, "bad hex digit in `note' argument");
	}
	note = flow_actions_add(to->out, ACTION_NOTE, sizeof(*note) + n);
	note->n = (uint32_t)n;
	memcpy(note->data, bytes, n);
	free(bytes);
	return 0;
}

static int
parse_fin_timeout(struct text_actions *to, char *arg, int variant UNUSED)
{
	uint64_t idle_s = 0, hard_s = 0;
	struct flow_fin_timeout *fin;
	struct text_word word;

	while (text_next_word(&arg, &word)) {
		bool is_idle = !strcmp(word.key, "idle_timeout");

		if (!is_idle && strcmp(word.key, "hard_timeout"))
			return error_set(to->err, -EINVAL,
			                 "invalid key '%s' in 'fin_timeout' argument",
			                 word.key);
		if (text_want_u64(word.key, word.value, UINT16_MAX,
		                  is_idle ? &idle_s : &hard_s, to->err))
			return -EINVAL;
	}
	fin = flow_actions_add(to->out, ACTION_FIN_TIMEOUT, sizeof(*fin));
	fin->idle_s = (uint16_t)idle_s;
	fin->hard_s = (uint16_t)hard_s;
	return 0;
}

static int
parse_check_larger(struct text_actions *to, char *arg, int variant UNUSED)
{
	const char *target = to->tail;
	struct flow_check_larger *check;
	struct flow_subfield sub;
	uint64_t length;

	if (!target)
		return error_set(to->err, -EINVAL, "check_pkt_larger: missing `->'");
	if (text_want_u64("packet length", arg, UINT16_MAX, &length, to->err) ||
	    of_text_parse_subfield(target, &sub, to->err) ||
	    check_writable(to, target, sub.field))
		return -EINVAL;
	if (sub.n_bits != 1)
		return error_set(to->err, -EINVAL,
		                 "%s: only 1-bit destination field is allowed", target);
	check = flow_actions_add(to->out, ACTION_CHECK_LARGER, sizeof(*check));
	check->length = (uint16_t)length;
	check->to = sub;
	return 0;
}

static int
parse_metadata(struct text_actions *to, char *arg, int variant UNUSED)
{
	char *slash = strchr(arg, '/');
	struct flow_metadata *metadata;
	uint64_t value, mask = UINT64_MAX;

	if (slash)
		*slash++ = '\0';
	if (text_want_u64("metadata", arg, UINT64_MAX, &value, to->err) ||
	    (slash && text_want_u64("metadata mask", slash, UINT64_MAX, &mask, to->err)))
		return -EINVAL;
	metadata = flow_actions_add(to->out, ACTION_WRITE_METADATA, sizeof(*metadata));
	metadata->value = value;
	metadata->mask = mask;
	return 0;
}

static int
parse_goto(struct text_actions *to, char *arg, int variant UNUSED)
{
	uint8_t table;

	if (!text_parse_table(arg, to->names, &table) || table == OF_TABLE_ALL)
		return error_set(to->err, -EINVAL, "unknown table \"%s\"", arg);
	add_number(to, ACTION_GOTO_TABLE, table, false);
	return 0;
}

static int
parse_nested(struct text_actions *to, char *arg, int type)
{
	struct flow_actions list = {0};
	struct flow_nested *nested;
	int error = text_nested(to, arg, false, &list);

	if (!error) {
		nested = flow_actions_add(to->out, (enum flow_action_type)type,
		                          sizeof(*nested) + list.bytes);
		nested->nested_bytes = (uint32_t)list.bytes;
		if (list.bytes)
			memcpy(nested->nested, list.data, list.bytes);
	}
	flow_actions_destroy(&list);
	return error;
}

static int
parse_set_tunnel(struct text_actions *to, char *arg, int is_long)
{
	uint64_t id;

	if (!strcmp(arg, "-1"))
		id = UINT64_MAX;
	else if (text_want_u64("tunnel id", arg, UINT64_MAX, &id, to->err))
		return -EINVAL;
	/* The older form has 32 bits. */
	add_number(to, ACTION_SET_TUNNEL, id, is_long || id > UINT32_MAX);
	return 0;
}

/* Words with one number. */
static const struct number_action {
	const char *name;
	enum flow_action_type type;
	uint64_t max;
	bool is_legacy;
} number_actions[] = {
	{"group", ACTION_GROUP, UINT32_MAX, false},
	{"set_queue", ACTION_SET_QUEUE, UINT32_MAX, false},
	{"mod_vlan_vid", ACTION_SET_VLAN_VID, 0xfff, false},
	{"mod_vlan_pcp", ACTION_SET_VLAN_PCP, 7, false},
	{"set_vlan_vid", ACTION_SET_VLAN_VID, 0xfff, true},
	{"set_vlan_pcp", ACTION_SET_VLAN_PCP, 7, true},
	{"mod_nw_tos", ACTION_SET_IP_DSCP, 0xff, false},
	{"mod_nw_ecn", ACTION_SET_IP_ECN, 3, false},
	{"mod_nw_ttl", ACTION_SET_IP_TTL, 0xff, false},
	{"mod_tp_src", ACTION_SET_TP_SRC, 0xffff, false},
	{"mod_tp_dst", ACTION_SET_TP_DST, 0xffff, false},
	{"set_mpls_label", ACTION_SET_MPLS_LABEL, 0xfffff, false},
	{"set_mpls_tc", ACTION_SET_MPLS_TC, 7, false},
	{"set_mpls_ttl", ACTION_SET_MPLS_TTL, 0xff, false},
	{"push_vlan", ACTION_PUSH_VLAN, 0xffff, false},
	{"push_mpls", ACTION_PUSH_MPLS, 0xffff, false},
	{"pop_mpls", ACTION_POP_MPLS, 0xffff, false},
	{"push_pbb", ACTION_PUSH_PBB, 0xffff, false},
	{"meter", ACTION_METER, UINT32_MAX, false},
};

static int
parse_number(struct text_actions *to, const struct number_action *action, char *arg)
{
	uint64_t value;

	if (!text_parse_u64(arg, action->max, &value))
		return error_set(to->err, -EINVAL, "%s: not a valid argument of %s", arg,
		                 action->name);
	if ((action->type == ACTION_PUSH_VLAN && value != 0x8100 && value != 0x88a8) ||
	    (action->type == ACTION_PUSH_MPLS && value != 0x8847 && value != 0x8848))
		return error_set(to->err, -EINVAL, "%s: not a valid %s ethertype", arg,
		                 action->type == ACTION_PUSH_VLAN ? "VLAN" : "MPLS");
	if (action->type == ACTION_SET_IP_DSCP && value & 3)
		return error_set(to->err, -EINVAL, "%s: not a valid TOS", arg);
	if (action->type == ACTION_METER && !value)
		return error_set(to->err, -EINVAL, "meter: 0 is not a valid number");
	add_number(to, action->type, value, action->is_legacy);
	return 0;
}

/* Words without an argument. */
static const struct {
	const char *name;
	enum flow_action_type type;
	bool is_legacy;
} bare_actions[] = {
	{"strip_vlan", ACTION_POP_VLAN, true},
	{"pop_vlan", ACTION_POP_VLAN, false},
	{"pop_queue", ACTION_POP_QUEUE, false},
	{"pop_pbb", ACTION_POP_PBB, false},
	{"dec_mpls_ttl", ACTION_DEC_MPLS_TTL, false},
	{"copy_ttl_out", ACTION_COPY_TTL_OUT, false},
	{"copy_ttl_in", ACTION_COPY_TTL_IN, false},
	{"exit", ACTION_EXIT, false},
	{"ct_clear", ACTION_CT_CLEAR, false},
	{"clear_actions", ACTION_CLEAR_ACTIONS, false},
};

/* Words that a function reads; the number is its third argument. */
static const struct {
	const char *name;
	int (*parse)(struct text_actions *to, char *arg, int variant);
	int variant;
} long_actions[] = {
	{"output", parse_output, 0},
	{"enqueue", parse_enqueue, 0},
	{"resubmit", parse_resubmit, 0},
	{"set_field", parse_set_field, 0},
	{"load", parse_load, 0},
	{"move", parse_move, 0},
	{"push", parse_stack, ACTION_STACK_PUSH},
	{"pop", parse_stack, ACTION_STACK_POP},
	{"mod_dl_src", parse_mac, ACTION_SET_ETH_SRC},
	{"mod_dl_dst", parse_mac, ACTION_SET_ETH_DST},
	{"mod_nw_src", parse_ipv4, ACTION_SET_IPV4_SRC},
	{"mod_nw_dst", parse_ipv4, ACTION_SET_IPV4_DST},
	{"dec_ttl", parse_dec_ttl, 0},
	{"conjunction", parse_conjunction, 0},
	{"note", parse_note, 0},
	{"fin_timeout", parse_fin_timeout, 0},
	{"check_pkt_larger", parse_check_larger, 0},
	{"write_metadata", parse_metadata, 0},
	{"goto_table", parse_goto, 0},
	{"clone", parse_nested, ACTION_CLONE},
	{"write_actions", parse_nested, ACTION_WRITE_ACTIONS},
	{"set_tunnel", parse_set_tunnel, false},
	{"set_tunnel64", parse_set_tunnel, true},
	{"learn", text_parse_learn, 0},
	{"ct", text_parse_ct, 0},
	{"nat", text_parse_nat, 0},
	{"bundle", text_parse_bundle, false},
	{"bundle_load", text_parse_bundle, true},
	{"multipath", text_parse_multipath, 0},
	{"controller", text_parse_controller, 0},
	{"sample", text_parse_sample, 0},
};

/* What may stand in exec() of "ct". */
static int
check_in_ct(struct text_actions *to, const char *name)
{
	static const char *const allowed[] = {"set_field", "load", "move", "nat"};

	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		if (!strcmp(allowed[i], name))
			return 0;
	return error_set(to->err, -EINVAL, "ct action doesn't support nested action %s",
	                 name);
}

static int
parse_word(struct text_actions *to, struct text_word *word)
{
	uint32_t port;

	if (to->in_ct && check_in_ct(to, word->key))
		return -EINVAL;
	if (!strcasecmp(word->key, "controller"))
		return text_parse_controller(to, word->value, 0);
	for (size_t i = 0; i < ARRAY_SIZE(long_actions); i++)
		if (!strcmp(long_actions[i].name, word->key)) {
			to->tail = word->tail;
			return long_actions[i].parse(to, word->value,
			                             long_actions[i].variant);
		}
	for (size_t i = 0; i < ARRAY_SIZE(number_actions); i++)
		if (!strcmp(number_actions[i].name, word->key))
			return parse_number(to, &number_actions[i], word->value);
	for (size_t i = 0; i < ARRAY_SIZE(bare_actions); i++)
		if (!strcmp(bare_actions[i].name, word->key)) {
			struct flow_action *head = flow_actions_add(
				to->out, bare_actions[i].type, sizeof(*head));

			head->is_legacy = bare_actions[i].is_legacy;
			return 0;
		}
	if (!strcmp(word->key, "apply_actions"))
		return error_set(to->err, -EINVAL,
		                 "apply_actions is the default instruction");
	if (!word->delimiter && text_parse_port(word->key, to->names, &port))
		return add_port(to, word->key, port);
	return error_set(to->err, -EINVAL, "unknown action %s", word->key);
}

static const char *const instruction_names[] = {"meter",          "apply_actions",
                                                "clear_actions",  "write_actions",
                                                "write_metadata", "goto_table"};

/* Where a record stands among the instructions. */
static unsigned
instruction_order(const struct flow_action *action)
{
	switch (action->type) {
	case ACTION_METER:
		return 0;
	case ACTION_CLEAR_ACTIONS:
		return 2;
	case ACTION_WRITE_ACTIONS:
		return 3;
	case ACTION_WRITE_METADATA:
		return 4;
	case ACTION_GOTO_TABLE:
		return 5;
	default:
		return 1;
	}
}

static int
check_order(struct text_actions *to)
{
	unsigned last = 0;
	bool is_first = true;

	FLOW_ACTION_FOR_EACH(action, to->out->data, to->out->bytes)
	{
		unsigned order = instruction_order(action);

		if (to->depth && order != 1)
			return error_set(to->err, -EINVAL,
			                 "%s instruction not allowed here",
			                 instruction_names[order]);
		if (order < last)
			return error_set(
				to->err, -EINVAL,
				"invalid instruction ordering: %s must appear before %s",
				instruction_names[order], instruction_names[last]);
		if (order == last && order != 1 && !is_first)
			return error_set(to->err, -EINVAL,
			                 "duplicate %s instruction not allowed",
			                 instruction_names[order]);
		last = order;
		is_first = false;
	}
	return 0;
}

static int
parse_list(struct text_actions *to, char *text)
{
	struct text_word word;
	unsigned n = 0;
	bool is_drop = false;

	while (text_next_word(&text, &word)) {
		n++;
		if (!strcmp(word.key, "drop") && !word.delimiter)
			is_drop = true;
		else if (parse_word(to, &word))
			return -EINVAL;
	}
	if (is_drop && n > 1)
		return error_set(to->err, -EINVAL,
		                 "\"drop\" must not be accompanied by any "
		                 "other action or instruction");
	return check_order(to);
}

int
text_nested(struct text_actions *outer, char *text, bool in_ct, struct flow_actions *list)
{
	struct text_actions inner = {.names = outer->names,
	                             .err = outer->err,
	                             .out = list,
	                             .depth = outer->depth + 1,
	                             .in_ct = in_ct};

	if (inner.depth > TEXT_DEPTH_MAX)
		return error_set(outer->err, -EINVAL, "actions are nested too deeply");
	return parse_list(&inner, text);
}

int
of_text_parse_actions(const char *text, const struct of_names *names,
                      struct flow_actions *actions, struct error *err)
{
	struct flow_actions list = {0};
	struct text_actions to = {.names = names, .err = err, .out = &list};
	char *copy = xstrdup(text);
	int error = parse_list(&to, copy);

	if (!error && list.bytes)
		flow_actions_append(actions, list.data, list.bytes);
	flow_actions_destroy(&list);
	free(copy);
	return error;
}
