/* flow_parse_fuzz.c - any bytes as a frame: parsing stays in bounds, padding after an IP
 * packet changes nothing, and a frame composed from the key is read as the same key. */
#include <string.h>

#include "fuzz.h"
#include "net/flow_compose.h"

#define EXTHDR_STRANGE (FLOW_EXTHDR_REPEATED | FLOW_EXTHDR_DISORDER)

static void
require_same_from_composed(const struct flow_key *key, enum flow_type type)
{
	uint8_t frame[FLOW_COMPOSE_HEADERS_MAX];
	enum flow_type again_type;
	struct flow_key again;
	size_t n;

	/* Headers in a strange order are composed in the usual one. */
	if (type == FLOW_MALFORMED || key->f.ipv6_exthdr & EXTHDR_STRANGE)
		return;
	n = flow_compose(key, NULL, 0, frame, sizeof(frame));
	FUZZ_REQUIRE(n > 0);
	again_type = flow_parse(frame, n, n, &again);
	FUZZ_REQUIRE(!memcmp(key, &again, sizeof(*key)));
	/* ARP of other protocols has no fields. */
	FUZZ_REQUIRE(again_type == type ||
	             (again_type == FLOW_ARP && type == FLOW_OTHER));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct flow_key key, again;
	enum flow_type type = flow_parse(data, size, size, &key), padded_type;
	uint8_t *padded;

	FUZZ_REQUIRE(type < FLOW_N_TYPES);
	require_same_from_composed(&key, type);
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
