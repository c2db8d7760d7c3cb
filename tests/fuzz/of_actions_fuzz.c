/* of_actions_fuzz.c - any bytes as actions or instructions, of any version: what is
 * written of what was read is read as the same, in every version it can be written. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "openflow/of_actions.h"

static int
decode(enum of_version version, bool is_list, const uint8_t *data, size_t n,
       struct flow_actions *actions)
{
	struct of_error error;

	return is_list ? of_actions_decode(version, data, n, actions, &error)
	               : of_instructions_decode(version, data, n, actions, &error);
}

/* From memory that ends with the records, as that of a rule does. */
static void
encode(enum of_version version, bool is_list, const struct flow_actions *actions,
       struct str *out)
{
	void *records = malloc(actions->bytes);

	if (actions->bytes)
		memcpy(records, actions->data, actions->bytes);
	if (is_list)
		of_actions_encode(version, records, actions->bytes, out);
	else
		of_instructions_encode(version, records, actions->bytes, out);
	free(records);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct flow_actions actions = {0}, again = {0};
	struct str once = STR_INIT, twice = STR_INIT;
	struct flow_match match = {0};
	struct of_error error;
	enum of_version version;
	bool is_list;

	if (size < 1)
		return 0;
	version = OF10 + (data[0] & 0x7f) % 6;
	is_list = version == OF10 || (data[0] & 0x80);
	if (decode(version, is_list, data + 1, size - 1, &actions))
		goto out;
	encode(version, is_list, &actions, &once);
	FUZZ_REQUIRE(!decode(version, is_list, (const uint8_t *)str_text(&once),
	                     once.length, &again));
	encode(version, is_list, &again, &twice);
	FUZZ_REQUIRE(once.length == twice.length &&
	             !memcmp(str_text(&once), str_text(&twice), once.length));
	(void)of_actions_check(actions.data, actions.bytes, NULL, 0, 255, &error);
	(void)of_actions_check(actions.data, actions.bytes, &match, 0, 255, &error);
	/* What another version is told can be read, too. */
	for (enum of_version v = OF10; v <= OF15; v++) {
		str_clear(&once);
		flow_actions_clear(&again);
		encode(v, v == OF10, &actions, &once);
		FUZZ_REQUIRE(!decode(v, v == OF10, (const uint8_t *)str_text(&once),
		                     once.length, &again));
	}
out:
	flow_actions_destroy(&actions);
	flow_actions_destroy(&again);
	str_free(&once);
	str_free(&twice);
	return 0;
}
