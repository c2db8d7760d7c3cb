/* datum_fuzz.c - any text as a column's value in a ctl command: what is taken prints as
 * text that reads back as the same value. The first byte chooses the type. */
#include <string.h>

#include "fuzz.h"
#include "ovsdb/datum.h"
#include "ovsdb/schema.h"

/* Above, ASan takes long: it copies the whole set for each value that is read. */
#define ROUND_TRIP_MAX 2000

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum ovsdb_kind kinds[] = {OVSDB_INTEGER, OVSDB_BOOLEAN,
	                                        OVSDB_STRING, OVSDB_UUID};
	struct ovsdb_type type = {.n_min = 0, .n_max = OVSDB_UNLIMITED};
	struct ovsdb_datum datum, again;
	struct str text = STR_INIT;
	char *input;

	if (size < 1 || memchr(data, '\0', size))
		return 0;
	type.key = (struct ovsdb_base_type){.kind = kinds[data[0] % 4],
	                                    .min_integer = INT64_MIN,
	                                    .max_integer = INT64_MAX,
	                                    .max_length = UINT32_MAX};
	type.value = type.key;
	type.value.kind = data[0] & 4 ? OVSDB_STRING : OVSDB_VOID;
	input = strndup((const char *)data + 1, size - 1);
	if (!input || ovsdb_datum_from_text(&datum, &type, input, NULL, NULL, NULL))
		goto out;
	if (datum.n <= ROUND_TRIP_MAX) {
		ovsdb_datum_to_text(&datum, &type, &text);
		FUZZ_REQUIRE(!ovsdb_datum_from_text(&again, &type, str_text(&text), NULL,
		                                    NULL, NULL));
		FUZZ_REQUIRE(!ovsdb_datum_compare(&datum, &again, &type));
		ovsdb_datum_destroy(&again, &type);
	}
	ovsdb_datum_destroy(&datum, &type);
out:
	str_free(&text);
	free(input);
	return 0;
}
