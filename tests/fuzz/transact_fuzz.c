/* transact_fuzz.c - any JSON as a transaction on the real schema: one answer per
 * operation or a retry, and the database can still be read. */
#include <string.h>

#include "fuzz.h"
#include "ovsdb/db.h"
#include "ovsdb/exec.h"

static struct db *
open_db(void)
{
	struct ovsdb_schema *schema;
	struct db *db = NULL;
	json_t *json = json_loads(ovsdb_schema_text(), 0, NULL);

	FUZZ_REQUIRE(json && !ovsdb_schema_from_json(json, &schema, NULL));
	json_decref(json);
	FUZZ_REQUIRE(!db_open(schema, NULL, &db, NULL));
	return db;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *params = json_loadb((const char *)data, size, 0, NULL), *results;
	struct exec_request request = {.params = params};
	uint64_t retry_ms;

	if (!params || !json_is_array(params) ||
	    !json_is_string(json_array_get(params, 0)) ||
	    strcmp(json_string_value(json_array_get(params, 0)), "Open_vSwitch") != 0) {
		json_decref(params);
		return 0;
	}
	request.db = open_db();
	results = exec_transaction(&request, &retry_ms);
	FUZZ_REQUIRE(!results || json_array_size(results) >= json_array_size(params) - 1);
	json_decref(results);
	for (const struct db_row *row = db_row_first(request.db, "Bridge"); row;
	     row = db_row_next(row))
		FUZZ_REQUIRE(db_row_uuid(row) != NULL);
	db_close(request.db);
	json_decref(params);
	return 0;
}
