/* of_text_long.c - actions with keys of their own: controller, ct, nat, bundle,
 * multipath, sample; reads and prints them. "learn" is of_text_learn.c's. No state, any
 * thread. */
#include <arpa/inet.h>
#include <stdio.h>

#include "openflow/of_text_private.h"

#define CT_COMMIT 1
#define CT_FORCE  2

#define NAT_SRC        1
#define NAT_DST        2
#define NAT_PERSISTENT 4
#define NAT_HASH       8
#define NAT_RANDOM     16

#define ALG_FTP  21
#define ALG_TFTP 69

#define REASON_ACTION 1

const char *const text_reasons[] = {"no_match", "action",     "invalid_ttl", "action_set",
                                    "group",    "packet_out", NULL};

/* Sources: ovs-actions(7); the numbers are those of Nicira's actions. */
static const char *const hash_fields[] = {
	"eth_src", "symmetric_l4", "symmetric_l3l4", "symmetric_l3l4+udp",
	"nw_src",  "nw_dst",       "symmetric_l3",   NULL};
static const char *const bundle_algorithms[] = {"active_backup", "hrw", NULL};
static const char *const multipath_algorithms[] = {"modulo_n", "hash_threshold", "hrw",
                                                   "iter_hash", NULL};

/* The place of 'text' in a list of names, -1 if it is not there. */
static int
find_name(const char *const *names, const char *text)
{
	for (int i = 0; names[i]; i++)
		if (!strcmp(names[i], text))
			return i;
	return -1;
}

static const char *
name_of(const char *const *names, size_t number)
{
	for (size_t i = 0; names[i]; i++)
		if (i == number)
			return names[i];
	return "<unknown>";
}

/* What controller() has said so far. */
struct controller_args {
	uint64_t max_len, id, meter;
	int reason;
	bool pause;
	uint8_t userdata[UINT16_MAX / 2];
	size_t n;
};

static int
parse_controller_key(struct text_actions *to, struct text_word *word,
                     struct controller_args *args)
{
	if (!strcmp(word->key, "max_len"))
		return text_want_u64("max_len", word->value, UINT16_MAX, &args->max_len,
		                     to->err);
	if (!strcmp(word->key, "id"))
		return text_want_u64("id", word->value, UINT16_MAX, &args->id, to->err);
	if (!strcmp(word->key, "meter_id"))
		return text_want_u64("meter_id", word->value, UINT32_MAX, &args->meter,
		                     to->err);
	if (!strcmp(word->key, "pause")) {
		args->pause = true;
		return 0;
	}
	if (!strcmp(word->key, "reason")) {
		args->reason = find_name(text_reasons, word->value);
		return args->reason >= 0
		               ? 0
		               : error_set(to->err, -EINVAL, "unknown reason \"%s\"",
		                           word->value);
	}
	if (!strcmp(word->key, "userdata"))
		return text_parse_hex(word->value, args->userdata, sizeof(args->userdata),
		                      &args->n)
		               ? 0
		               : error_set(
					 to->err, -EINVAL,
					 "bad hex digit in `controller' action `userdata'");
	return error_set(to->err, -EINVAL, "unknown key \"%s\" parsing controller action",
	                 word->key);
}

static void
add_controller(struct text_actions *to, const struct controller_args *args)
{
	struct flow_controller *controller;
	struct flow_output *output;

	if (args->reason == REASON_ACTION && !args->id && !args->n && !args->pause &&
	    !args->meter) {
		output = flow_actions_add(to->out, ACTION_OUTPUT, sizeof(*output));
		output->port = FLOW_PORT_CONTROLLER;
		output->max_len = (uint16_t)args->max_len;
		return;
	}
	controller = flow_actions_add(to->out, ACTION_CONTROLLER,
	                              sizeof(*controller) + args->n);
	controller->head.is_legacy = !args->n && !args->pause && !args->meter;
	controller->max_len = (uint16_t)args->max_len;
	controller->controller_id = (uint16_t)args->id;
	controller->reason = (uint8_t)args->reason;
	controller->pause = args->pause;
	controller->meter = (uint32_t)args->meter;
	controller->n_userdata = (uint32_t)args->n;
	memcpy(controller->userdata, args->userdata, args->n);
}

int
text_parse_controller(struct text_actions *to, char *arg, int variant UNUSED)
{
	struct controller_args *args = xcalloc(1, sizeof(*args));
	struct text_word word;
	int error = 0;

	args->max_len = FLOW_MAX_LEN_ALL;
	args->reason = REASON_ACTION;
	if (strchr("0123456789", *arg)) {
		if (*arg)
			error = text_want_u64("max_len", arg, UINT16_MAX, &args->max_len,
			                      to->err);
	} else {
		while (!error && text_next_word(&arg, &word))
			error = parse_controller_key(to, &word, args);
	}
	if (!error)
		add_controller(to, args);
	free(args);
	return error;
}

static void
put_hex_list(struct str *out, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		str_printf(out, "%s%02x", i ? "." : "", bytes[i]);
}

/* Takes a "," off the end of a list of keys. */
static void
close_list(struct str *out)
{
	if (out->length && out->data[out->length - 1] == ',')
		out->data[--out->length] = '\0';
	str_append_char(out, ')');
}

void
text_format_controller(struct str *out, const struct flow_controller *controller)
{
	str_append(out, "controller(");
	if (controller->reason != REASON_ACTION)
		str_printf(out, "reason=%s,", name_of(text_reasons, controller->reason));
	if (controller->max_len != FLOW_MAX_LEN_ALL)
		str_printf(out, "max_len=%u,", controller->max_len);
	if (controller->controller_id)
		str_printf(out, "id=%u,", controller->controller_id);
	if (controller->n_userdata) {
		str_append(out, "userdata=");
		put_hex_list(out, controller->userdata, controller->n_userdata);
		str_append_char(out, ',');
	}
	if (controller->pause)
		str_append(out, "pause,");
	if (controller->meter)
		str_printf(out, "meter_id=%u,", controller->meter);
	close_list(out);
}

/* What ct() has said so far. */
struct ct_args {
	struct flow_actions list;
	struct flow_ct ct;
};

static int
parse_zone(struct text_actions *to, const char *text, struct flow_ct *ct)
{
	uint64_t zone;

	if (text_parse_u64(text, UINT16_MAX, &zone)) {
		ct->zone = (uint16_t)zone;
		ct->zone_from.field = FIELD_NONE;
		return 0;
	}
	if (of_text_parse_subfield(text, &ct->zone_from, to->err))
		return -EINVAL;
	if (ct->zone_from.n_bits != 16)
		return error_set(to->err, -EINVAL,
		                 "zone should be a 16-bit subfield, not %u bits",
		                 ct->zone_from.n_bits);
	return 0;
}

static int
parse_ct_key(struct text_actions *to, struct text_word *word, struct ct_args *args)
{
	struct text_actions nat = *to;

	if (!strcmp(word->key, "commit"))
		args->ct.flags |= CT_COMMIT;
	else if (!strcmp(word->key, "force"))
		args->ct.flags |= CT_FORCE;
	else if (!strcmp(word->key, "zone"))
		return parse_zone(to, word->value, &args->ct);
	else if (!strcmp(word->key, "table")) {
		if (!text_parse_table(word->value, to->names, &args->ct.recirc_table))
			return error_set(to->err, -EINVAL, "unknown table %s",
			                 word->value);
		if (args->ct.recirc_table == FLOW_TABLE_NONE)
			return error_set(to->err, -EINVAL, "invalid table %s",
			                 word->value);
	} else if (!strcmp(word->key, "alg")) {
		if (!strcmp(word->value, "ftp"))
			args->ct.alg = ALG_FTP;
		else if (!strcmp(word->value, "tftp"))
			args->ct.alg = ALG_TFTP;
		else
			return error_set(to->err, -EINVAL,
			                 "invalid conntrack helper \"%s\"", word->value);
	} else if (!strcmp(word->key, "nat")) {
		nat.out = &args->list;
		nat.in_ct = true;
		return text_parse_nat(&nat, word->value, 0);
	} else if (!strcmp(word->key, "exec")) {
		return text_nested(to, word->value, true, &args->list);
	} else {
		return error_set(to->err, -EINVAL,
		                 "invalid argument to \"ct\" action: `%s'", word->key);
	}
	return 0;
}

int
text_parse_ct(struct text_actions *to, char *arg, int variant UNUSED)
{
	struct ct_args args = {.ct = {.recirc_table = FLOW_TABLE_NONE}};
	struct text_word word;
	struct flow_ct *ct;
	int error = 0;

	while (!error && text_next_word(&arg, &word))
		error = parse_ct_key(to, &word, &args);
	if (!error && args.ct.flags & CT_FORCE && !(args.ct.flags & CT_COMMIT))
		error = error_set(to->err, -EINVAL,
		                  "\"force\" flag requires \"commit\" flag.");
	if (!error) {
		ct = flow_actions_add(to->out, ACTION_CT, sizeof(*ct) + args.list.bytes);
		args.ct.head = ct->head;
		args.ct.nested_bytes = (uint32_t)args.list.bytes;
		memcpy(ct, &args.ct, sizeof(args.ct));
		if (args.list.bytes)
			memcpy(ct->nested, args.list.data, args.list.bytes);
	}
	flow_actions_destroy(&args.list);
	return error;
}

/* "[fe80::1]", "fe80::1" or "1.2.3.4" at '*text', which moves behind it. */
static int
parse_nat_address(struct text_actions *to, char **text, uint8_t ip[16], int *family)
{
	bool has_brackets = **text == '[';
	char *start = *text + has_brackets;
	size_t n = strcspn(start, has_brackets ? "]" : "-");
	char address[INET6_ADDRSTRLEN];
	size_t dotted = strcspn(start, "-:");

	/* Behind an IPv4 address a colon begins the ports. */
	if (!has_brackets && dotted < n && memchr(start, '.', dotted))
		n = dotted;
	if (n >= sizeof(address))
		return error_set(to->err, -EINVAL, "invalid nat address \"%s\"", start);
	memcpy(address, start, n);
	address[n] = '\0';
	*family = !has_brackets && inet_pton(AF_INET, address, ip) == 1 ? AF_INET
	          : inet_pton(AF_INET6, address, ip) == 1               ? AF_INET6
	                                                                : 0;
	*text = start + n;
	if (has_brackets && **text == ']')
		++*text;
	else if (has_brackets)
		*family = 0;
	return *family ? 0
	               : error_set(to->err, -EINVAL, "invalid nat address \"%s\"", start);
}

/* "1.2.3.4-1.2.3.9:5-9" */
static int
parse_nat_range(struct text_actions *to, char *text, struct flow_nat *nat)
{
	char *rest = text;
	unsigned low = 0, high = 0;
	int family = 0, other, used = 0;

	if (*rest && *rest != ':') {
		if (parse_nat_address(to, &rest, nat->min_ip, &family))
			return -EINVAL;
		nat->has_ipv4 = family == AF_INET;
		nat->has_ipv6 = family == AF_INET6;
		memcpy(nat->max_ip, nat->min_ip, sizeof(nat->max_ip));
		if (*rest == '-') {
			rest++;
			if (parse_nat_address(to, &rest, nat->max_ip, &other))
				return -EINVAL;
			if (other != family ||
			    memcmp(nat->min_ip, nat->max_ip, sizeof(nat->min_ip)) > 0)
				return error_set(to->err, -EINVAL,
				                 "invalid nat range \"%s\"", text);
		}
	}
	if (*rest == ':') {
		int n = sscanf(rest, ":%5u%n-%5u%n", &low, &used, &high, &used);

		if (n < 1 || !low || low > UINT16_MAX ||
		    (n == 2 && (high < low || high > UINT16_MAX)))
			return error_set(to->err, -EINVAL, "invalid nat range \"%s\"",
			                 text);
		nat->min_port = (uint16_t)low;
		nat->max_port = (uint16_t)(n == 2 ? high : low);
		rest += used;
	}
	if (*rest)
		return error_set(to->err, -EINVAL, "garbage (%s) after nat range \"%s\"",
		                 rest, text);
	return 0;
}

static int
parse_nat_key(struct text_actions *to, struct text_word *word, struct flow_nat *nat)
{
	if (!strcmp(word->key, "src") || !strcmp(word->key, "dst")) {
		if (nat->flags & (NAT_SRC | NAT_DST))
			return error_set(to->err, -EINVAL,
			                 "May only specify one of \"src\" or "
			                 "\"dst\".");
		nat->flags |= word->key[0] == 's' ? NAT_SRC : NAT_DST;
		return parse_nat_range(to, word->value, nat);
	}
	if (!strcmp(word->key, "persistent"))
		nat->flags |= NAT_PERSISTENT;
	else if (!strcmp(word->key, "hash"))
		nat->flags |= NAT_HASH;
	else if (!strcmp(word->key, "random"))
		nat->flags |= NAT_RANDOM;
	else
		return error_set(to->err, -EINVAL,
		                 "invalid key \"%s\" in \"nat\" argument", word->key);
	return 0;
}

int
text_parse_nat(struct text_actions *to, char *arg, int variant UNUSED)
{
	struct flow_nat args = {.flags = 0}, *nat;
	struct text_word word;

	if (!to->in_ct)
		return error_set(to->err, -EINVAL, "nat is only allowed in a ct action");
	while (text_next_word(&arg, &word))
		if (parse_nat_key(to, &word, &args))
			return -EINVAL;
	if (args.flags & ~(NAT_SRC | NAT_DST) && !(args.flags & (NAT_SRC | NAT_DST)))
		return error_set(to->err, -EINVAL,
		                 "Flags allowed only with \"src\" or \"dst\".");
	if (args.flags & NAT_HASH && args.flags & NAT_RANDOM)
		return error_set(to->err, -EINVAL,
		                 "Both \"hash\" and \"random\" are not allowed.");
	nat = flow_actions_add(to->out, ACTION_NAT, sizeof(*nat));
	args.head = nat->head;
	*nat = args;
	return 0;
}

static void
put_nat_address(struct str *out, const struct flow_nat *nat, const uint8_t *ip)
{
	bool has_brackets = nat->has_ipv6 && nat->min_port;

	str_append(out, has_brackets ? "[" : "");
	if (nat->has_ipv6)
		text_format_ipv6(out, ip, NULL);
	else
		text_format_ipv4(out, ip, NULL);
	str_append(out, has_brackets ? "]" : "");
}

static void
put_nat_range(struct str *out, const struct flow_nat *nat)
{
	size_t bytes = nat->has_ipv6 ? 16 : 4;

	str_append_char(out, '=');
	if (nat->has_ipv4 || nat->has_ipv6) {
		put_nat_address(out, nat, nat->min_ip);
		if (!text_is_zero(nat->max_ip, bytes) &&
		    memcmp(nat->min_ip, nat->max_ip, bytes)) {
			str_append_char(out, '-');
			put_nat_address(out, nat, nat->max_ip);
		}
	}
	if (nat->min_port) {
		str_printf(out, ":%u", nat->min_port);
		if (nat->max_port && nat->max_port != nat->min_port)
			str_printf(out, "-%u", nat->max_port);
	}
}

void
text_format_nat(struct str *out, const struct flow_nat *nat)
{
	str_append(out, "nat");
	if (!(nat->flags & (NAT_SRC | NAT_DST)))
		return;
	str_append(out, nat->flags & NAT_SRC ? "(src" : "(dst");
	if (nat->has_ipv4 || nat->has_ipv6 || nat->min_port)
		put_nat_range(out, nat);
	str_printf(out, "%s%s%s)", nat->flags & NAT_PERSISTENT ? ",persistent" : "",
	           nat->flags & NAT_HASH ? ",hash" : "",
	           nat->flags & NAT_RANDOM ? ",random" : "");
}

/* A NAT that comes first stands for itself, the rest is in exec(). */
static void
put_ct_nested(struct str *out, const struct flow_ct *ct, const struct of_names *names)
{
	const uint8_t *data = (const uint8_t *)ct->nested;
	size_t bytes = ct->nested_bytes;
	const struct flow_action *first = (const void *)data;

	if (bytes && first->type == ACTION_NAT) {
		text_format_nat(out, (const void *)first);
		str_append_char(out, ',');
		data += first->bytes;
		bytes -= first->bytes;
	}
	if (bytes) {
		str_append(out, "exec(");
		of_text_format_actions(out, data, bytes, names);
		str_append(out, "),");
	}
}

void
text_format_ct(struct str *out, const struct flow_ct *ct, const struct of_names *names)
{
	str_append(out, "ct(");
	if (ct->flags & CT_COMMIT)
		str_append(out, "commit,");
	if (ct->flags & CT_FORCE)
		str_append(out, "force,");
	if (ct->recirc_table != FLOW_TABLE_NONE) {
		str_append(out, "table=");
		text_format_table(out, ct->recirc_table, names);
		str_append_char(out, ',');
	}
	if (ct->zone_from.field != FIELD_NONE) {
		str_append(out, "zone=");
		of_text_format_subfield(out, &ct->zone_from);
		str_append_char(out, ',');
	} else if (ct->zone) {
		str_printf(out, "zone=%u,", ct->zone);
	}
	put_ct_nested(out, ct, names);
	if (ct->alg == ALG_FTP)
		str_append(out, "alg=ftp,");
	else if (ct->alg == ALG_TFTP)
		str_append(out, "alg=tftp,");
	else if (ct->alg)
		str_printf(out, "alg=%u,", ct->alg);
	close_list(out);
}

/* "eth_src,50,": what bundle and multipath begin with. */
static int
parse_hash(struct text_actions *to, char **arg, const char *action, uint8_t *fields,
           uint16_t *basis)
{
	char *name = text_next_item(arg), *number = name ? text_next_item(arg) : NULL;
	uint64_t value;
	int found;

	if (!number)
		return error_set(to->err, -EINVAL, "not enough arguments to %s action",
		                 action);
	found = find_name(hash_fields, name);
	if (found < 0)
		return error_set(to->err, -EINVAL, "%s: unknown fields `%s'", action,
		                 name);
	if (text_want_u64("basis", number, UINT16_MAX, &value, to->err))
		return -EINVAL;
	*fields = (uint8_t)found;
	*basis = (uint16_t)value;
	return 0;
}

static int
parse_members(struct text_actions *to, char *arg, struct flow_bundle *head)
{
	enum { MAX_MEMBERS = 2048 }; /* Nicira's action is not longer */
	uint32_t *ports = xcalloc(MAX_MEMBERS, sizeof(*ports)), n = 0;
	struct flow_bundle *bundle;
	char *item;
	int error = 0;

	while (!error && (item = text_next_item(&arg))) {
		if (n == MAX_MEMBERS)
			error = error_set(to->err, -EINVAL, "bundle: too many members");
		else if (!text_parse_port(item, to->names, &ports[n++]))
			error = error_set(to->err, -EINVAL, "%s: bad port number", item);
	}
	if (!error) {
		bundle = flow_actions_add(to->out, ACTION_BUNDLE,
		                          sizeof(*bundle) + n * sizeof(*ports));
		head->head = bundle->head;
		head->n = n;
		memcpy(bundle, head, sizeof(*head));
		memcpy(bundle->ports, ports, n * sizeof(*ports));
	}
	free(ports);
	return error;
}

int
text_parse_bundle(struct text_actions *to, char *arg, int load)
{
	const char *action = load ? "bundle_load" : "bundle", *algorithm, *type,
		   *target = "";
	struct flow_bundle head = {.to = {.field = FIELD_NONE}};
	int found;

	if (parse_hash(to, &arg, action, &head.fields, &head.basis))
		return -EINVAL;
	algorithm = text_next_item(&arg);
	type = algorithm ? text_next_item(&arg) : NULL;
	if (type && load)
		target = text_next_item(&arg);
	arg += strspn(arg, " ,");
	if (!type || !target ||
	    (strncmp(arg, "members:", 8) && strncmp(arg, "slaves:", 7)))
		return error_set(to->err, -EINVAL,
		                 "%s: missing member delimiter, expected "
		                 "`members'",
		                 action);
	arg = strchr(arg, ':') + 1;
	found = find_name(bundle_algorithms, algorithm);
	if (found < 0)
		return error_set(to->err, -EINVAL, "%s: unknown algorithm `%s'", action,
		                 algorithm);
	if (strcmp(type, "ofport"))
		return error_set(to->err, -EINVAL, "%s: unknown member_type `%s'", action,
		                 type);
	head.algorithm = (uint8_t)found;
	if (load && of_text_parse_subfield(target, &head.to, to->err))
		return -EINVAL;
	if (load && head.to.n_bits < 16)
		return error_set(to->err, -EINVAL,
		                 "bundle_load: the field has less than 16 bits");
	return parse_members(to, arg, &head);
}

void
text_format_bundle(struct str *out, const struct flow_bundle *bundle,
                   const struct of_names *names)
{
	bool is_load = bundle->to.field != FIELD_NONE;

	str_printf(out, "%s(%s,%u,%s,ofport,", is_load ? "bundle_load" : "bundle",
	           name_of(hash_fields, bundle->fields), bundle->basis,
	           name_of(bundle_algorithms, bundle->algorithm));
	if (is_load) {
		of_text_format_subfield(out, &bundle->to);
		str_append_char(out, ',');
	}
	str_append(out, "members:");
	for (uint32_t i = 0; i < bundle->n; i++) {
		if (i)
			str_append_char(out, ',');
		text_format_port(out, bundle->ports[i], names);
	}
	str_append_char(out, ')');
}

int
text_parse_multipath(struct text_actions *to, char *arg, int variant UNUSED)
{
	struct flow_multipath args = {.fields = 0}, *multipath;
	const char *algorithm, *links, *argument, *target;
	uint64_t n_links, value;
	int found;

	if (parse_hash(to, &arg, "multipath", &args.fields, &args.basis))
		return -EINVAL;
	algorithm = text_next_item(&arg);
	links = algorithm ? text_next_item(&arg) : NULL;
	argument = links ? text_next_item(&arg) : NULL;
	target = argument ? text_next_item(&arg) : NULL;
	if (!target)
		return error_set(to->err, -EINVAL,
		                 "not enough arguments to multipath action");
	found = find_name(multipath_algorithms, algorithm);
	if (found < 0)
		return error_set(to->err, -EINVAL, "multipath: unknown algorithm `%s'",
		                 algorithm);
	if (text_want_u64("n_links", links, 65536, &n_links, to->err) ||
	    text_want_u64("argument", argument, UINT32_MAX, &value, to->err) ||
	    of_text_parse_subfield(target, &args.to, to->err))
		return -EINVAL;
	if (!n_links)
		return error_set(to->err, -EINVAL,
		                 "multipath: n_links 0 is not in valid range 1 "
		                 "to 65536");
	if (args.to.n_bits < 16 && n_links > 1U << args.to.n_bits)
		return error_set(
			to->err, -EINVAL,
			"multipath: %u-bit destination field has %u possible values, less "
			"than specified n_links %u",
			args.to.n_bits, 1U << args.to.n_bits, (unsigned)n_links);
	multipath = flow_actions_add(to->out, ACTION_MULTIPATH, sizeof(*multipath));
	args.head = multipath->head;
	args.algorithm = (uint16_t)found;
	args.max_link = (uint16_t)(n_links - 1);
	args.argument = (uint32_t)value;
	*multipath = args;
	return 0;
}

void
text_format_multipath(struct str *out, const struct flow_multipath *multipath)
{
	str_printf(out, "multipath(%s,%u,%s,%u,%u,",
	           name_of(hash_fields, multipath->fields), multipath->basis,
	           name_of(multipath_algorithms, multipath->algorithm),
	           multipath->max_link + 1U, multipath->argument);
	of_text_format_subfield(out, &multipath->to);
	str_append_char(out, ')');
}

int
text_parse_sample(struct text_actions *to, char *arg, int variant UNUSED)
{
	struct flow_sample args = {.port = FLOW_PORT_NONE}, *sample;
	uint64_t probability = 0, set = 0, domain = 0, point = 0;
	struct text_word word;
	int error = 0;

	while (!error && text_next_word(&arg, &word)) {
		const char *key = word.key, *value = word.value;

		if (!strcmp(key, "probability"))
			error = text_want_u64(key, value, UINT16_MAX, &probability,
			                      to->err);
		else if (!strcmp(key, "collector_set_id"))
			error = text_want_u64(key, value, UINT32_MAX, &set, to->err);
		else if (!strcmp(key, "obs_domain_id"))
			error = text_want_u64(key, value, UINT32_MAX, &domain, to->err);
		else if (!strcmp(key, "obs_point_id"))
			error = text_want_u64(key, value, UINT32_MAX, &point, to->err);
		else if (!strcmp(key, "ingress") || !strcmp(key, "egress"))
			args.direction = key[0] == 'i' ? 1 : 2;
		else if (strcmp(key, "sampling_port"))
			error = error_set(to->err, -EINVAL,
			                  "invalid key \"%s\" in \"sample\" argument",
			                  key);
		else if (!text_parse_port(value, to->names, &args.port))
			error = error_set(to->err, -EINVAL, "%s: unknown port", value);
	}
	if (!error && !probability)
		error = error_set(to->err, -EINVAL,
		                  "non-zero \"probability\" must be specified "
		                  "on sample");
	if (error)
		return error;
	sample = flow_actions_add(to->out, ACTION_SAMPLE, sizeof(*sample));
	args.head = sample->head;
	args.probability = (uint16_t)probability;
	args.collector_set = (uint32_t)set;
	args.domain = (uint32_t)domain;
	args.point = (uint32_t)point;
	*sample = args;
	return 0;
}

void
text_format_sample(struct str *out, const struct flow_sample *sample,
                   const struct of_names *names)
{
	str_printf(out,
	           "sample(probability=%u,collector_set_id=%u,obs_domain_id=%u,"
	           "obs_point_id=%u",
	           sample->probability, sample->collector_set, sample->domain,
	           sample->point);
	if (sample->port != FLOW_PORT_NONE) {
		str_append(out, ",sampling_port=");
		text_format_port(out, sample->port, names);
	}
	if (sample->direction)
		str_append(out, sample->direction == 1 ? ",ingress" : ",egress");
	str_append_char(out, ')');
}
