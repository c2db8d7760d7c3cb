/* reader.c - finds where each top-level JSON object ends, then lets jansson parse it.
 * Between jsonrpc.c / client.c and their sockets. Any thread. */
#include "rpc/reader.h"

#include <errno.h>
#include <string.h>

/* An idle connection keeps at most this much of its last large message's buffer. */
#define READER_KEEP_BYTES 16384

void
json_reader_init(struct json_reader *reader, const struct json_limits *limits)
{
	memset(reader, 0, sizeof(*reader));
	reader->limits = limits;
}

void
json_reader_destroy(struct json_reader *reader)
{
	str_free(&reader->in);
}

/* Drops what has been handed out, so that the buffer holds unfinished input only. */
static void
reader_compact(struct json_reader *reader)
{
	struct str *in = &reader->in;

	if (reader->start == in->length) {
		if (in->allocated > READER_KEEP_BYTES)
			str_free(in);
		else
			str_clear(in);
	} else if (reader->start) {
		memmove(in->data, in->data + reader->start, in->length - reader->start);
		in->length -= reader->start;
		in->data[in->length] = '\0';
	}
	reader->scanned -= reader->start;
	reader->start = 0;
}

void
json_reader_feed(struct json_reader *reader, const void *data, size_t n)
{
	reader_compact(reader);
	str_append_bytes(&reader->in, data, n);
}

static bool
is_json_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Blanks between objects are not part of any message, so they have no limit. */
static int
reader_find_start(struct json_reader *reader, struct error *err)
{
	const struct str *in = &reader->in;

	while (reader->start < in->length && is_json_blank(in->data[reader->start]))
		reader->start++;
	reader->scanned = reader->start;
	if (reader->start == in->length)
		return 0;
	if (in->data[reader->start] != '{')
		return error_set(err, -EBADMSG, "a JSON-RPC message must be an object");
	return 1;
}

/* One byte of an object that has begun; true if the object ends with it. */
static bool
reader_scan_byte(struct json_reader *reader, char c)
{
	if (reader->in_string) {
		if (reader->is_escaped)
			reader->is_escaped = false;
		else if (c == '\\')
			reader->is_escaped = true;
		else if (c == '"')
			reader->in_string = false;
		return false;
	}
	switch (c) {
	case '"':
		reader->in_string = true;
		break;
	case '{':
	case '[':
		reader->depth++;
		reader->values++;
		break;
	case '}':
	case ']':
		return --reader->depth == 0;
	case ',':
	case ':':
		reader->values++;
		break;
	default:
		break;
	}
	return false;
}

static int
reader_scan(struct json_reader *reader, struct error *err)
{
	const struct json_limits *limits = reader->limits;
	const struct str *in = &reader->in;

	while (reader->scanned < in->length) {
		if (reader->scanned - reader->start >= limits->max_bytes)
			return error_set(err, -E2BIG, "message exceeds %zu bytes",
			                 limits->max_bytes);
		if (reader_scan_byte(reader, in->data[reader->scanned++]))
			return 1;
		if (reader->depth > limits->max_depth)
			return error_set(err, -E2BIG,
			                 "message is nested deeper than %u levels",
			                 limits->max_depth);
		if (reader->values > limits->max_values)
			return error_set(err, -E2BIG, "message exceeds %zu values",
			                 limits->max_values);
	}
	return 0;
}

int
json_reader_next(struct json_reader *reader, json_t **object, struct error *err)
{
	json_error_t json_err;
	int rc;

	if (!reader->depth) {
		rc = reader_find_start(reader, err);
		if (rc <= 0)
			return rc;
	}
	rc = reader_scan(reader, err);
	if (rc <= 0)
		return rc;
	*object = json_loadb(reader->in.data + reader->start,
	                     reader->scanned - reader->start, 0, &json_err);
	if (!*object)
		return error_set(err, -EBADMSG, "bad JSON: %s", json_err.text);
	reader->start = reader->scanned;
	reader->values = 0;
	return 1;
}
