/* rewrite_fuzz.c - any bytes as a frame and as changes to it: nothing outside of it is
 * touched, and the books are kept. The first bytes are the changes:
 * four each, until one that is 0xff. */
#include <string.h>

#include "fuzz.h"
#include "net/flow_key.h"
#include "net/rewrite.h"

#define HEADROOM    64
#define CHANGES_MAX 16

/* One change; what it needs stands in 'p'. */
static void
change(struct rewrite *r, const uint8_t *p)
{
	struct flow_value value, mask;

	memset(&value, p[1], sizeof(value));
	memset(&mask, p[2] | 1, sizeof(mask));
	switch (p[0] % 12) {
	case 0:
		rewrite_push_vlan(r, p[1] & 1 ? 0x8100 : 0x88a8);
		break;
	case 1:
		rewrite_pop_vlan(r);
		break;
	case 2:
		rewrite_push_mpls(r, 0x8847);
		break;
	case 3:
		rewrite_pop_mpls(r, p[1] & 1 ? 0x0800 : 0x86dd);
		break;
	case 4:
		rewrite_push_pbb(r, 0x88e7);
		break;
	case 5:
		rewrite_pop_pbb(r);
		break;
	case 6:
		rewrite_dec_ip_ttl(r);
		break;
	case 7:
		rewrite_dec_mpls_ttl(r);
		break;
	case 8:
		rewrite_copy_ttl_out(r);
		break;
	case 9:
		rewrite_copy_ttl_in(r);
		break;
	default:
		rewrite_set_field(r, (enum flow_field_id)(p[3] % (FIELD_N + 1)), &value,
		                  &mask);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *memory;
	size_t n = 0, captured;
	struct rewrite r = {0};
	struct flow_key key;

	while (size >= (n + 1) * 4 && n < CHANGES_MAX && data[n * 4] != 0xff)
		n++;
	if (size < n * 4 + 1)
		return 0;
	captured = size - n * 4;
	memory = malloc(HEADROOM + captured);
	if (!memory)
		return 0;
	memset(memory, 0xee, HEADROOM);
	memcpy(memory + HEADROOM, data + n * 4, captured);
	r.data = memory + HEADROOM;
	r.captured = captured;
	r.length = captured + (data[0] & 0x80 ? 100 : 0);
	r.headroom = HEADROOM;
	r.checksum_is_pending = data[0] & 0x40;
	for (size_t i = 0; i < n; i++)
		change(&r, data + i * 4);
	FUZZ_REQUIRE(r.data + r.captured == memory + HEADROOM + captured);
	FUZZ_REQUIRE(r.data == memory + r.headroom);
	FUZZ_REQUIRE(flow_parse(r.data, r.captured, r.length, &key) < FLOW_N_TYPES);
	free(memory);
	return 0;
}
