/* flow_parse_fuzz.c - any bytes as a frame: parsing stays in bounds, and padding after an
 * IP packet changes nothing. */
#include <string.h>

#include "fuzz.h"
#include "net/flow_key.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct flow_key key, again;
	enum flow_type type = flow_parse(data, size, size, &key), padded_type;
	uint8_t *padded;

	FUZZ_REQUIRE(type < FLOW_N_TYPES);
	/* Only IPv4 says its own length in all cases; a malformed packet may become
	 * whole. */
	if (type < FLOW_IPV4 || type > FLOW_IPV4_ICMP)
		return 0;
	padded = malloc(size + 32);
	if (!padded)
		return 0;
	memcpy(padded, data, size);
	memset(padded + size, 0xff, 32);
	padded_type = flow_parse(padded, size + 32, size + 32, &again);
	FUZZ_REQUIRE(padded_type == type && !memcmp(&key, &again, sizeof(key)));
	free(padded);
	return 0;
}
