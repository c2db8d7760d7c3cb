/* of_text_value.c - values of fields as text: numbers, addresses, flags. The names of
 * fields are of_text_fields.c's. No state, any thread. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>

#include "openflow/of_text_private.h"

static const char *const ct_states[] = {"new", "est",  "rel",  "rpl", "inv",
                                        "trk", "snat", "dnat", NULL};
static const char *const tcp_flags[] = {"fin", "syn", "rst", "psh", "ack",
                                        "urg", "ece", "cwr", "ns",  NULL};
static const char *const tun_flags[] = {"oam", NULL};

/* How ip_fragment matches are called. */
static const struct {
	const char *name;
	uint8_t flags, mask;
} fragments[] = {
	{"no", 0, FLOW_FRAGMENT | FLOW_LATER},
	{"yes", FLOW_FRAGMENT, FLOW_FRAGMENT},
	{"first", FLOW_FRAGMENT, FLOW_FRAGMENT | FLOW_LATER},
	{"later", FLOW_FRAGMENT | FLOW_LATER, FLOW_FRAGMENT | FLOW_LATER},
	{"not_later", 0, FLOW_LATER},
};

const char *const *
text_flag_names(enum text_form form)
{
	return form == TEXT_CT_STATE    ? ct_states
	       : form == TEXT_TUN_FLAGS ? tun_flags
	                                : tcp_flags;
}

uint64_t
text_value_u64(const struct flow_value *value, size_t bytes)
{
	uint64_t number = 0;

	for (size_t i = 0; i < bytes && i < sizeof(value->bytes); i++)
		number = number << 8 | value->bytes[i];
	return number;
}

void
text_value_set(struct flow_value *value, size_t bytes, uint64_t number)
{
	memset(value, 0, sizeof(*value));
	while (bytes--) {
		value->bytes[bytes] = (uint8_t)number;
		number >>= 8;
	}
}

bool
text_is_zero(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i])
			return false;
	return true;
}

void
text_fill(const struct flow_field *field, struct flow_value *mask)
{
	memset(mask, 0, sizeof(*mask));
	memset(mask->bytes, 0xff, field->n_bytes);
	if (field->n_bits % 8)
		mask->bytes[0] = (uint8_t)((1U << field->n_bits % 8) - 1);
}

bool
text_is_full(const struct flow_field *field, const struct flow_value *mask)
{
	struct flow_value full;

	text_fill(field, &full);
	for (size_t i = 0; i < field->n_bytes; i++)
		if ((mask->bytes[i] & full.bytes[i]) != full.bytes[i])
			return false;
	return true;
}

/* A number that may have more bytes than bits: bits above are an error. */
static int
parse_bits(const struct flow_field *field, const char *text, const char *what,
           struct flow_value *value, struct error *err)
{
	int error = text_parse_number(text, value->bytes, field->n_bytes);

	if (!error && field->n_bits % 8 && value->bytes[0] >> field->n_bits % 8)
		error = -ERANGE;
	if (error == -ERANGE)
		return error_set(err, -EINVAL, "%s: %s too large for %u-bit field %s",
		                 text, what, field->n_bits, text_fields[field->id].name);
	if (error)
		return error_set(err, -EINVAL, "%s: bad syntax for %s %s", text,
		                 text_fields[field->id].name, what);
	return 0;
}

static int
parse_integer(const struct flow_field *field, const char *text, struct flow_value *value,
              struct flow_value *mask, struct error *err)
{
	const char *slash = strchr(text, '/');
	char number[64];
	size_t n = slash ? (size_t)(slash - text) : strlen(text);

	if (n >= sizeof(number))
		return error_set(err, -EINVAL, "%s: bad syntax for %s value", text,
		                 text_fields[field->id].name);
	memcpy(number, text, n);
	number[n] = '\0';
	if (parse_bits(field, number, "value", value, err))
		return -EINVAL;
	return slash ? parse_bits(field, slash + 1, "mask", mask, err) : 0;
}

static int
parse_eth(const char *text, struct flow_value *value, struct flow_value *mask,
          struct error *err)
{
	const char *slash = strchr(text, '/');
	char mac[32];
	size_t n = slash ? (size_t)(slash - text) : strlen(text);

	if (n >= sizeof(mac))
		return error_set(err, -EINVAL, "%s: invalid Ethernet address", text);
	memcpy(mac, text, n);
	mac[n] = '\0';
	if (!text_parse_mac(mac, value->bytes) ||
	    (slash && !text_parse_mac(slash + 1, mask->bytes)))
		return error_set(err, -EINVAL, "%s: invalid Ethernet address", text);
	return 0;
}

/* The bit of a flag's name of 'n' characters, or 0. "[800]" is a bit without a name. */
static uint32_t
flag_bit(const char *name, size_t n, const char *const *names)
{
	uint64_t bit;
	char number[16];

	for (unsigned i = 0; names[i]; i++)
		if (strlen(names[i]) == n && !memcmp(names[i], name, n))
			return 1U << i;
	if (n < 3 || n > 8 || name[0] != '[' || name[n - 1] != ']')
		return 0;
	snprintf(number, sizeof(number), "0x%.*s", (int)n - 2, name + 1);
	return text_parse_u64(number, UINT32_MAX, &bit) ? (uint32_t)bit : 0;
}

/* "+syn-ack", "syn|ack", "0x12", "0x12/0x3f". */
static int
parse_flags(const struct flow_field *field, enum text_form form, const char *text,
            struct flow_value *value, struct flow_value *mask, struct error *err)
{
	static const char *const what[] = {[TEXT_CT_STATE] = "ct_state",
	                                   [TEXT_TUN_FLAGS] = "tunnel",
	                                   [TEXT_TCP_FLAGS] = "TCP"};
	uint32_t known = form == TEXT_TCP_FLAGS  ? 0xfff
	                 : form == TEXT_CT_STATE ? 0xff
	                                         : 1;
	uint32_t flags = 0, chosen = 0;
	const char *p = text;
	bool is_masked = *p == '+' || *p == '-';

	if (*p >= '0' && *p <= '9') {
		if (parse_integer(field, text, value, mask, err))
			return -EINVAL;
		flags = (uint32_t)text_value_u64(value, field->n_bytes);
		if (flags & ~known)
			return error_set(err, -EINVAL, "%s: unknown %s flag(s)", text,
			                 what[form]);
		return 0;
	}
	while (*p) {
		bool is_set = *p != '-';
		size_t n;
		uint32_t bit;

		p += *p == '+' || *p == '-' || *p == '|';
		n = strcspn(p, "+-|");
		bit = flag_bit(p, n, text_flag_names(form));
		if (!bit || bit & ~known)
			return error_set(err, -EINVAL, "%s: unknown %s flag(s)", text,
			                 what[form]);
		if (chosen & bit)
			return error_set(err, -EINVAL,
			                 "%s: each flag is to be given once", text);
		chosen |= bit;
		flags |= is_set ? bit : 0;
		p += n;
	}
	text_value_set(value, field->n_bytes, flags);
	if (is_masked)
		text_value_set(mask, field->n_bytes, chosen);
	return 0;
}

static int
parse_fragment(const struct flow_field *field, const char *text, struct flow_value *value,
               struct flow_value *mask, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(fragments); i++)
		if (!strcmp(fragments[i].name, text)) {
			text_value_set(value, field->n_bytes, fragments[i].flags);
			text_value_set(mask, field->n_bytes, fragments[i].mask);
			return 0;
		}
	return error_set(err, -EINVAL,
	                 "%s: unknown fragment type (valid types are \"no\", \"yes\", "
	                 "\"first\", \"later\", \"not_later\")",
	                 text);
}

/* "(0,0)": the only type that packets have. */
static int
parse_packet_type(const struct flow_field *field, const char *text,
                  struct flow_value *value, struct error *err)
{
	unsigned ns, type;
	int used = -1;

	if (sscanf(text, "(%5i,%6i)%n", (int *)&ns, (int *)&type, &used) < 2 ||
	    used < 0 || text[used] || ns > UINT16_MAX || type > UINT16_MAX)
		return error_set(err, -EINVAL, "%s: bad syntax for packet type", text);
	if (ns || type)
		return error_set(err, -ENOTSUP,
		                 "%s: only Ethernet packets, (0,0), are supported", text);
	text_value_set(value, field->n_bytes, 0);
	return 0;
}

static int
parse_port_field(const struct flow_field *field, const char *text,
                 const struct of_names *names, struct flow_value *value,
                 struct error *err)
{
	uint32_t port;

	if (!text_parse_port(text, names, &port))
		return error_set(err, -EINVAL, "%s: invalid or unknown port for %s", text,
		                 text_fields[field->id].name);
	text_value_set(value, field->n_bytes, port);
	return 0;
}

static int
check_mask(const struct flow_field *field, const char *text,
           const struct flow_value *mask, struct error *err)
{
	if (field->maskable == MASK_NONE && !text_is_full(field, mask) &&
	    !text_is_zero(mask->bytes, field->n_bytes))
		return error_set(err, -EINVAL, "%s: invalid mask for field %s", text,
		                 text_fields[field->id].name);
	return 0;
}

int
of_text_parse_field(const struct flow_field *field, const char *text,
                    const struct of_names *names, struct flow_value *value,
                    struct flow_value *mask, struct error *err)
{
	enum text_form form = text_fields[field->id].form;
	int error;

	memset(value, 0, sizeof(*value));
	text_fill(field, mask);
	if (!*text || !strcmp(text, "*") || !strcmp(text, "ANY*")) {
		memset(mask, 0, sizeof(*mask));
		return 0;
	}
	switch ((int)form) {
	case TEXT_ETH:
		error = parse_eth(text, value, mask, err);
		break;
	case TEXT_IPV4:
		error = text_parse_ipv4(text, value->bytes, mask->bytes, err);
		break;
	case TEXT_IPV6:
		error = text_parse_ipv6(text, value->bytes, mask->bytes, err);
		break;
	case TEXT_PORT:
		error = parse_port_field(field, text, names, value, err);
		break;
	case TEXT_CT_STATE:
	case TEXT_TUN_FLAGS:
	case TEXT_TCP_FLAGS:
		error = parse_flags(field, form, text, value, mask, err);
		break;
	case TEXT_FRAGMENT:
		return parse_fragment(field, text, value, mask, err);
	case TEXT_PACKET_TYPE:
		error = parse_packet_type(field, text, value, err);
		break;
	default:
		error = parse_integer(field, text, value, mask, err);
		break;
	}
	return error ? error : check_mask(field, text, mask, err);
}

void
text_format_mac(struct str *out, const uint8_t *mac)
{
	str_printf(out, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
	           mac[4], mac[5]);
}

/* The length of a prefix that the mask is, or -1. */
static int
prefix_length(const uint8_t *mask, int bytes)
{
	int n = 0;

	while (n < bytes * 8 && mask[n / 8] & 0x80 >> n % 8)
		n++;
	for (int i = n; i < bytes * 8; i++)
		if (mask[i / 8] & 0x80 >> i % 8)
			return -1;
	return n;
}

static void
format_ip(struct str *out, const uint8_t *ip, const uint8_t *mask, int family, int bytes)
{
	char text[INET6_ADDRSTRLEN];
	int prefix = mask ? prefix_length(mask, bytes) : bytes * 8;

	str_append(out, inet_ntop(family, ip, text, sizeof(text)) ? text : "?");
	if (prefix == bytes * 8)
		return;
	if (prefix >= 0)
		str_printf(out, "/%d", prefix);
	else
		str_printf(out, "/%s", inet_ntop(family, mask, text, sizeof(text)));
}

void
text_format_ipv4(struct str *out, const uint8_t *ip, const uint8_t *mask)
{
	format_ip(out, ip, mask, AF_INET, 4);
}

void
text_format_ipv6(struct str *out, const uint8_t *ip, const uint8_t *mask)
{
	format_ip(out, ip, mask, AF_INET6, 16);
}

void
text_format_hex(struct str *out, const uint8_t *bytes, size_t n)
{
	size_t i = 0;

	while (i + 1 < n && !bytes[i])
		i++;
	if (i + 1 >= n && (!n || !bytes[i])) {
		str_append_char(out, '0');
		return;
	}
	str_printf(out, "0x%x", bytes[i]);
	while (++i < n)
		str_printf(out, "%02x", bytes[i]);
}

static void
append_flag(struct str *out, const char *const *names, unsigned bit)
{
	unsigned i = 0;

	while (names[i] && i < bit)
		i++;
	if (names[i])
		str_append(out, names[i]);
	else
		str_printf(out, "[%x]", 1U << bit);
}

void
text_format_flags(struct str *out, const char *const *names, uint32_t flags,
                  uint32_t mask, uint32_t full)
{
	bool is_masked = (mask & full) != full, is_first = true;

	for (unsigned bit = 0; bit < 32; bit++) {
		uint32_t one = 1U << bit;

		if (!(is_masked ? mask & one : flags & one))
			continue;
		if (is_masked)
			str_append_char(out, flags & one ? '+' : '-');
		else if (!is_first)
			str_append_char(out, '|');
		append_flag(out, names, bit);
		is_first = false;
	}
	if (is_first)
		str_append_char(out, '0');
}

const char *
text_fragment_name(uint8_t flags, uint8_t mask)
{
	for (size_t i = 0; i < ARRAY_SIZE(fragments); i++)
		if (fragments[i].flags == (flags & mask) && fragments[i].mask == mask)
			return fragments[i].name;
	return NULL;
}

static void
format_integer(struct str *out, const struct flow_field *field,
               const struct flow_value *value, const struct flow_value *mask)
{
	if (!mask && text_fields[field->id].form == TEXT_DECIMAL && field->n_bytes <= 8) {
		str_printf(out, "%" PRIu64, text_value_u64(value, field->n_bytes));
		return;
	}
	text_format_hex(out, value->bytes, field->n_bytes);
	if (mask) {
		str_append_char(out, '/');
		text_format_hex(out, mask->bytes, field->n_bytes);
	}
}

static void
format_flag_field(struct str *out, const struct flow_field *field,
                  const struct flow_value *value, const struct flow_value *mask)
{
	enum text_form form = text_fields[field->id].form;

	text_format_flags(out, text_flag_names(form),
	                  (uint32_t)text_value_u64(value, field->n_bytes),
	                  mask ? (uint32_t)text_value_u64(mask, field->n_bytes)
	                       : UINT32_MAX,
	                  UINT32_MAX);
}

static void
format_fragment(struct str *out, const struct flow_field *field,
                const struct flow_value *value, const struct flow_value *mask)
{
	uint8_t bits = mask ? (uint8_t)text_value_u64(mask, field->n_bytes) : 3;
	const char *name = text_fragment_name(
		(uint8_t)text_value_u64(value, field->n_bytes), bits & 3);

	str_append(out, name ? name : "<error>");
}

void
of_text_format_field(struct str *out, const struct flow_field *field,
                     const struct flow_value *value, const struct flow_value *mask,
                     const struct of_names *names)
{
	if (mask && text_is_full(field, mask))
		mask = NULL;
	if (mask && text_is_zero(mask->bytes, field->n_bytes)) {
		str_append(out, "ANY");
		return;
	}
	switch ((int)text_fields[field->id].form) {
	case TEXT_ETH:
		text_format_mac(out, value->bytes);
		if (mask) {
			str_append_char(out, '/');
			text_format_mac(out, mask->bytes);
		}
		break;
	case TEXT_IPV4:
		text_format_ipv4(out, value->bytes, mask ? mask->bytes : NULL);
		break;
	case TEXT_IPV6:
		text_format_ipv6(out, value->bytes, mask ? mask->bytes : NULL);
		break;
	case TEXT_PORT:
		if (mask)
			format_integer(out, field, value, mask);
		else
			text_format_port(out,
			                 (uint32_t)text_value_u64(value, field->n_bytes),
			                 names);
		break;
	case TEXT_CT_STATE:
	case TEXT_TUN_FLAGS:
	case TEXT_TCP_FLAGS:
		format_flag_field(out, field, value, mask);
		break;
	case TEXT_FRAGMENT:
		format_fragment(out, field, value, mask);
		break;
	case TEXT_PACKET_TYPE:
		str_printf(out, "(%u,0x%x)",
		           (unsigned)text_value_u64(value, field->n_bytes) >> 16,
		           (unsigned)text_value_u64(value, field->n_bytes) & 0xffff);
		break;
	default:
		format_integer(out, field, value, mask);
		break;
	}
}
