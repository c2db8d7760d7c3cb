/* json_fuzz.c - any bytes on a JSON-RPC connection: what comes out does not depend on how
 * the bytes were cut, and limits hold. */
#include <string.h>

#include "fuzz.h"
#include "rpc/reader.h"

#define OBJECTS_MAX 64

static const struct json_limits limits = {
	.max_bytes = 4096, .max_values = 1000, .max_depth = 32};

/* Reads all objects, fed 'step' bytes at a time; returns their text, or NULL at an error.
 */
static char *
read_all(const uint8_t *data, size_t size, size_t step)
{
	struct json_reader reader;
	json_t *all = json_array(), *object;
	char *text = NULL;
	int rc = 0;

	json_reader_init(&reader, &limits);
	for (size_t at = 0; at < size && rc >= 0; at += step) {
		json_reader_feed(&reader, data + at, step < size - at ? step : size - at);
		while ((rc = json_reader_next(&reader, &object, NULL)) > 0)
			json_array_append_new(all, object);
	}
	if (rc >= 0)
		text = json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(all);
	json_reader_destroy(&reader);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *whole = read_all(data, size, size ? size : 1),
	     *bytes = read_all(data, size, 1);

	FUZZ_REQUIRE(!whole == !bytes);
	FUZZ_REQUIRE(!whole || !strcmp(whole, bytes));
	free(whole);
	free(bytes);
	return 0;
}
