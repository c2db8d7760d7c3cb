/* escape.c - text as a JSON string: for answers of megabytes, which hold up the thread
 * that writes them. Below jsonrpc.c. Any thread but workers. */
#include "rpc/escape.h"

#include <string.h>

#define CHUNK 4096

/* A letter of the short form of an escape, or 0. */
static char
short_form(unsigned char c)
{
	switch (c) {
	case '"':
	case '\\':
		return (char)c;
	case '\n':
		return 'n';
	case '\t':
		return 't';
	case '\r':
		return 'r';
	default:
		return 0;
	}
}

/* One byte at 'to', which has room for 6; returns how many it took. */
static size_t
escape_byte(char *to, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";
	char letter;

	if (c >= ' ' && c != '"' && c != '\\') {
		to[0] = (char)c;
		return 1;
	}
	letter = short_form(c);
	to[0] = '\\';
	to[1] = letter;
	if (letter)
		return 2;
	memcpy(to + 1, "u00", 3);
	to[4] = digits[c >> 4];
	to[5] = digits[c & 15];
	return 6;
}

bool
json_escape_ascii(struct str *out, const char *text, size_t n)
{
	char chunk[CHUNK + 6];
	size_t length = 0;
	unsigned char all = 0;

	for (size_t i = 0; i < n; i++)
		all |= (unsigned char)text[i];
	if (all & 0x80)
		return false;
	str_append_char(out, '"');
	for (size_t i = 0; i < n; i++) {
		length += escape_byte(chunk + length, (unsigned char)text[i]);
		if (length >= CHUNK) {
			str_append_bytes(out, chunk, length);
			length = 0;
		}
	}
	str_append_bytes(out, chunk, length);
	str_append_char(out, '"');
	return true;
}
