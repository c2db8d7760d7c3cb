/* escape.c - text as a JSON string: for answers of megabytes, which hold up the thread
 * that writes them. Below jsonrpc.c. Any thread but workers. */
#include "rpc/escape.h"

#include <string.h>

#include "base/compiler.h"

#define CHUNK 4096

/* A control character at 'to'; returns how many bytes it took. */
static size_t
escape_control(char *to, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";

	if (c == '\n') {
		memcpy(to, "\\n", 2);
		return 2;
	}
	memcpy(to, "\\u00", 4);
	to[4] = digits[c >> 4];
	to[5] = digits[c & 15];
	return 6;
}

/* One character at 'to', which has room for 6. Quotes are so many that a branch on them
 * would be mispredicted all the time. */
static size_t
escape_char(char *to, unsigned char c)
{
	unsigned is_escaped = c == '"' || c == '\\';

	if (unlikely(c < ' '))
		return escape_control(to, c);
	to[0] = '\\';
	to[is_escaped] = (char)c;
	return 1 + is_escaped;
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
		length += escape_char(chunk + length, (unsigned char)text[i]);
		if (length >= CHUNK) {
			str_append_bytes(out, chunk, length);
			length = 0;
		}
	}
	str_append_bytes(out, chunk, length);
	str_append_char(out, '"');
	return true;
}
