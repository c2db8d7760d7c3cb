/* reader.h - cuts a byte stream into JSON objects within limits of size, depth and number
 * of values. Any thread; used by jsonrpc.c and client.c. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

/* What one message may be; beyond it the sender is refused before it costs memory. */
struct json_limits {
	size_t max_bytes;
	size_t max_values; /* a parsed value takes some 50 bytes, however short its text
	                    */
	unsigned max_depth;
};

struct json_reader {
	const struct json_limits *limits;
	struct str in;
	size_t start;   /* of the object being scanned, in 'in' */
	size_t scanned; /* up to here in 'in' */
	size_t values;
	unsigned depth;
	bool in_string;
	bool is_escaped;
};

void json_reader_init(struct json_reader *reader, const struct json_limits *limits);
void json_reader_destroy(struct json_reader *reader);
void json_reader_feed(struct json_reader *reader, const void *data, size_t n);

/* Call until it returns 0 after each feed: 1 and the next object (the caller's), 0 =
 * needs more bytes, -E2BIG or -EBADMSG with the reason: the stream is lost. */
int json_reader_next(struct json_reader *reader, json_t **object, struct error *err);
