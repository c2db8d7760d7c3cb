/* of_match_fuzz.c - any bytes as a match, of any version, or as OXM: what is written of
 * what was read is read as the same. */
#include <string.h>

#include "fuzz.h"
#include "openflow/of_match.h"

static int
decode(enum of_version version, bool is_oxm, const uint8_t *data, size_t n,
       struct flow_match *match)
{
	struct of_error error;
	uint64_t cookie, cookie_mask;
	size_t used;
	int err;

	if (is_oxm)
		return of_oxm_decode(data, n, false, match, &cookie, &cookie_mask,
		                     &error);
	err = of_match_decode(version, data, n, match, &used, &error);
	FUZZ_REQUIRE(err || used <= n);
	return err;
}

static void
encode(enum of_version version, bool is_oxm, const struct flow_match *match,
       struct str *out)
{
	if (is_oxm)
		of_oxm_encode(version, match, 0, 0, out);
	else
		of_match_encode(version, match, out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str once = STR_INIT, twice = STR_INIT;
	struct flow_match match;
	enum of_version version;
	bool is_oxm;

	if (size < 1)
		return 0;
	version = OF10 + (data[0] & 0x7f) % 6;
	is_oxm = data[0] & 0x80;
	if (decode(version, is_oxm, data + 1, size - 1, &match))
		return 0;
	encode(version, is_oxm, &match, &once);
	FUZZ_REQUIRE(!decode(version, is_oxm, (const uint8_t *)str_text(&once),
	                     once.length, &match));
	encode(version, is_oxm, &match, &twice);
	FUZZ_REQUIRE(once.length == twice.length &&
	             !memcmp(str_text(&once), str_text(&twice), once.length));
	(void)of_match_fits(version, &match);
	str_free(&once);
	str_free(&twice);
	return 0;
}
