/* of_text_words.c - a text in words, and what single words can be: numbers, addresses,
 * ports, tables. For the readers in of_text*.c. No state, any thread. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "openflow/of_text_private.h"

#define BLANKS ", \t\r\n"

/* Behind the quoted string that begins at 'p'. */
static char *
skip_quoted(char *p)
{
	for (p++; *p && *p != '"'; p++)
		if (*p == '\\' && p[1])
			p++;
	return *p ? p + 1 : p;
}

/* The end of a value: a blank or comma outside of brackets and quotes, or ('is_inside')
 * the bracket that closes it. */
static char *
find_end(char *p, bool is_inside)
{
	unsigned depth = 0;

	while (*p) {
		if (*p == '"') {
			p = skip_quoted(p);
			continue;
		}
		if (*p == '(' || *p == '[') {
			depth++;
		} else if (*p == ')' || *p == ']') {
			if (!depth && is_inside && *p == ')')
				return p;
			depth -= depth > 0;
		} else if (!depth && !is_inside && strchr(BLANKS, *p)) {
			return p;
		}
		p++;
	}
	return p;
}

bool
text_next_word(char **cursor, struct text_word *word)
{
	char *p = *cursor + strspn(*cursor, BLANKS), *end;

	*word = (struct text_word){.key = p};
	if (!*p) {
		*cursor = p;
		return false;
	}
	end = *p == '"' ? skip_quoted(p) : p;
	end += strcspn(end, ":=(" BLANKS);
	word->delimiter = *end && !strchr(BLANKS, *end) ? *end : 0;
	word->value = word->rest = end;
	if (*end)
		*end++ = '\0';
	if (word->delimiter) {
		word->value = word->rest = end;
		end = find_end(end, word->delimiter == '(');
		if (*end)
			*end++ = '\0';
		if (word->delimiter == '(' && !strncmp(end, "->", 2)) {
			word->tail = end + 2;
			end = find_end(word->tail, false);
			if (*end)
				*end++ = '\0';
		}
	}
	*cursor = end;
	return true;
}

char *
text_next_item(char **cursor)
{
	char *p = *cursor + strspn(*cursor, BLANKS), *end;

	if (!*p) {
		*cursor = p;
		return NULL;
	}
	end = find_end(p, false);
	if (*end)
		*end++ = '\0';
	*cursor = end;
	return p;
}

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

int
text_parse_number(const char *text, uint8_t *out, size_t bytes)
{
	unsigned base = 10;

	memset(out, 0, bytes);
	if (text[0] == '0' && (text[1] | 0x20) == 'x') {
		base = 16;
		text += 2;
	} else if (text[0] == '0' && text[1]) {
		base = 8;
		text++;
	}
	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		unsigned carry = (unsigned)digit_value(*text);

		if (carry >= base)
			return -EINVAL;
		for (size_t i = bytes; i-- > 0;) {
			carry += out[i] * base;
			out[i] = (uint8_t)carry;
			carry >>= 8;
		}
		if (carry)
			return -ERANGE;
	}
	return 0;
}

bool
text_parse_u64(const char *text, uint64_t max, uint64_t *value)
{
	uint8_t bytes[8];

	if (text_parse_number(text, bytes, sizeof(bytes)))
		return false;
	*value = 0;
	for (size_t i = 0; i < sizeof(bytes); i++)
		*value = *value << 8 | bytes[i];
	return *value <= max;
}

int
text_want_u64(const char *what, const char *text, uint64_t max, uint64_t *value,
              struct error *err)
{
	if (text_parse_u64(text, max, value))
		return 0;
	return error_set(err, -EINVAL, "invalid %s \"%s\"", what, text);
}

bool
text_parse_mac(const char *text, uint8_t mac[6])
{
	unsigned b[6];
	int used = -1;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4],
	           &b[5], &used) < 6 ||
	    used < 0 || text[used])
		return false;
	for (unsigned i = 0; i < 6; i++)
		mac[i] = (uint8_t)b[i];
	return true;
}

static void
set_prefix(uint8_t *mask, size_t bytes, uint64_t n_bits)
{
	memset(mask, 0, bytes);
	for (uint64_t i = 0; i < n_bits; i++)
		mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
}

/* "a.b.c.d" with decimal parts: "010" is 10. */
static bool
parse_dotted(const char *text, uint8_t ip[4])
{
	unsigned b[4];
	int used = -1;

	if (sscanf(text, "%3u.%3u.%3u.%3u%n", &b[0], &b[1], &b[2], &b[3], &used) < 4 ||
	    used < 0 || text[used])
		return false;
	for (unsigned i = 0; i < 4; i++) {
		if (b[i] > 255)
			return false;
		ip[i] = (uint8_t)b[i];
	}
	return true;
}

static int
parse_ip(const char *text, uint8_t *value, uint8_t *mask, bool is_ipv6, struct error *err)
{
	size_t bytes = is_ipv6 ? 16 : 4, n = strcspn(text, "/");
	const char *family = is_ipv6 ? "IPv6" : "IP";
	char address[64];
	uint64_t n_bits;

	if (n >= sizeof(address))
		return error_set(err, -EINVAL, "%s: invalid %s address", text, family);
	memcpy(address, text, n);
	address[n] = '\0';
	if (is_ipv6 ? inet_pton(AF_INET6, address, value) != 1
	            : !parse_dotted(address, value))
		return error_set(err, -EINVAL, "%s: invalid %s address", text, family);
	memset(mask, 0xff, bytes);
	if (!text[n])
		return 0;
	text += n + 1;
	if (is_ipv6 ? inet_pton(AF_INET6, text, mask) == 1 : parse_dotted(text, mask))
		return 0;
	if (!text_parse_u64(text, bytes * 8, &n_bits))
		return error_set(err, -EINVAL,
		                 "%s/%s: the prefix is not 0 to %zu bits or a mask",
		                 address, text, bytes * 8);
	set_prefix(mask, bytes, n_bits);
	return 0;
}

int
text_parse_ipv4(const char *text, uint8_t *value, uint8_t *mask, struct error *err)
{
	return parse_ip(text, value, mask, false, err);
}

int
text_parse_ipv6(const char *text, uint8_t *value, uint8_t *mask, struct error *err)
{
	return parse_ip(text, value, mask, true, err);
}

bool
text_parse_hex(const char *text, uint8_t *out, size_t max, size_t *n)
{
	*n = 0;
	while (*text) {
		int high, low;

		if (*text == '.') {
			text++;
			continue;
		}
		high = digit_value(text[0]);
		low = high < 16 ? digit_value(text[1]) : 16;
		if (low > 15 || *n >= max)
			return false;
		out[(*n)++] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	return true;
}

static const struct {
	const char *name;
	uint32_t port;
} reserved_ports[] = {
	{"IN_PORT", FLOW_PORT_IN_PORT}, {"TABLE", FLOW_PORT_TABLE},
	{"NORMAL", FLOW_PORT_NORMAL},   {"FLOOD", FLOW_PORT_FLOOD},
	{"ALL", FLOW_PORT_ALL},         {"CONTROLLER", FLOW_PORT_CONTROLLER},
	{"LOCAL", FLOW_PORT_LOCAL},     {"ANY", FLOW_PORT_NONE},
	{"NONE", FLOW_PORT_NONE},       {"UNSET", FLOW_PORT_UNSET},
};

/* Takes the quotes and backslashes off 'text'; 'name' is as long. */
static void
unquote(const char *text, char *name)
{
	for (text++; *text && *text != '"'; text++) {
		if (*text == '\\' && text[1])
			text++;
		*name++ = *text;
	}
	*name = '\0';
}

static uint32_t
find_port(const char *text, const struct of_names *names)
{
	char name[128];

	if (!names || !names->port_number)
		return FLOW_PORT_NONE;
	if (*text != '"')
		return names->port_number(text, names->aux);
	if (strlen(text) >= sizeof(name))
		return FLOW_PORT_NONE;
	unquote(text, name);
	return names->port_number(name, names->aux);
}

bool
text_parse_port(const char *text, const struct of_names *names, uint32_t *port)
{
	uint64_t number;

	if (isdigit((unsigned char)*text) && text_parse_u64(text, UINT32_MAX, &number)) {
		/* Numbers of OpenFlow 1.0, whose reserved ports have 16 bits. */
		if (number >= 0xfff8 && number <= 0xffff)
			number |= 0xffff0000;
		*port = (uint32_t)number;
		return number < 0x10000 || number >= FLOW_PORT_MAX;
	}
	for (size_t i = 0; i < ARRAY_SIZE(reserved_ports); i++)
		if (!strcasecmp(text, reserved_ports[i].name)) {
			*port = reserved_ports[i].port;
			return true;
		}
	*port = find_port(text, names);
	return *port != FLOW_PORT_NONE;
}

/* A name as text_next_word() reads it back: in quotes unless it is a plain word. */
static void
append_name(struct str *out, const char *name)
{
	bool is_plain = isalpha((unsigned char)*name) || *name == '_';

	for (const char *p = name; *p; p++)
		is_plain &= isalnum((unsigned char)*p) || *p == '_';
	for (size_t i = 0; i < ARRAY_SIZE(reserved_ports); i++)
		is_plain &= strcasecmp(name, reserved_ports[i].name) != 0;
	if (is_plain) {
		str_append(out, name);
		return;
	}
	str_append_char(out, '"');
	for (; *name; name++) {
		if (*name == '"' || *name == '\\')
			str_append_char(out, '\\');
		str_append_char(out, *name);
	}
	str_append_char(out, '"');
}

void
text_format_port(struct str *out, uint32_t port, const struct of_names *names)
{
	const char *name;

	for (size_t i = 0; i < ARRAY_SIZE(reserved_ports); i++)
		if (reserved_ports[i].port == port) {
			str_append(out, reserved_ports[i].name);
			return;
		}
	name = names && names->port_name ? names->port_name(port, names->aux) : NULL;
	if (name)
		append_name(out, name);
	else
		str_printf(out, "%u", port);
}

bool
text_parse_table(const char *text, const struct of_names *names, uint8_t *table)
{
	uint64_t number;
	char name[64];
	int found = -1;

	if (text_parse_u64(text, UINT8_MAX, &number)) {
		*table = (uint8_t)number;
		return true;
	}
	if (names && names->table_number && strlen(text) < sizeof(name)) {
		if (*text == '"')
			unquote(text, name);
		else
			memcpy(name, text, strlen(text) + 1);
		found = names->table_number(name, names->aux);
	}
	*table = (uint8_t)found;
	return found >= 0 && found < (int)OF_TABLE_ALL;
}

void
text_format_table(struct str *out, uint8_t table, const struct of_names *names)
{
	const char *name =
		names && names->table_name ? names->table_name(table, names->aux) : NULL;

	if (name)
		append_name(out, name);
	else
		str_printf(out, "%u", table);
}
