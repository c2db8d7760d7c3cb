/* rewrite_model_test.c - lib/net/rewrite.c against the key: a frame whose field was set
 * is parsed as the key with that field written, and its checksums are right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/flow_compose.h"
#include "net/flow_field.h"
#include "net/protocol.h"
#include "net/rewrite.h"
#include "support/make_frame.h"

#define ROUNDS        200000
#define HEADROOM      64
#define PAYLOAD_BYTES 50

struct change {
	enum flow_field_id id;
	struct flow_value value, mask;
	bool has_mask;
};

/* Fields of headers that are written for themselves, not those that say which header or
 * message follows. */
static bool
is_tried(enum flow_field_id id)
{
	switch ((int)id) {
	case FIELD_ETH_TYPE:
	case FIELD_IP_PROTO:
	case FIELD_MPLS_BOS:
	case FIELD_ICMPV4_TYPE:
	case FIELD_ICMPV6_TYPE:
	case FIELD_ND_OPTIONS_TYPE:
		return false;
	default:
		return flow_field_get(id)->is_writable;
	}
}

static void
make_change(struct change *change)
{
	do
		change->id = FIELD_ETH_SRC + make_random() % (FIELD_N - FIELD_ETH_SRC);
	while (!is_tried(change->id));
	make_random_bytes(&change->value, sizeof(change->value));
	make_random_bytes(&change->mask, sizeof(change->mask));
	change->has_mask = flow_field_get(change->id)->maskable && make_random() % 2;
	/* Without this bit a tag goes away. */
	if (change->id == FIELD_VLAN_TCI || change->id == FIELD_VLAN_VID) {
		change->value.bytes[0] |= FLOW_VLAN_PRESENT >> 8;
		change->has_mask = false;
	}
}

/* What the key says after the change; a tag may be new. */
static void
expect(struct flow_key *key, const struct change *change)
{
	flow_field_write_masked(change->id, key, &change->value,
	                        change->has_mask ? &change->mask : NULL);
	if (key->f.vlan_tci && !key->f.vlan_tpid)
		key->f.vlan_tpid = NET_TYPE_VLAN;
}

static bool
has_field(const struct flow_key *key, enum flow_field_id id)
{
	struct flow_match match = {.key = *key};

	memset(&match.mask, 0xff, sizeof(match.mask));
	return flow_field_is_present(id, &match);
}

static void
test_fields_are_written_as_in_a_key(void **state)
{
	uint8_t memory[HEADROOM + FLOW_COMPOSE_HEADERS_MAX + PAYLOAD_BYTES];
	uint8_t payload[PAYLOAD_BYTES];
	unsigned n_changed = 0;

	(void)state;
	make_random_bytes(payload, sizeof(payload));
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct flow_key key, expected, got;
		struct rewrite r = {.data = memory + HEADROOM, .headroom = HEADROOM};
		struct change change;
		int ret;

		make_random_key(&key);
		make_change(&change);
		r.length = flow_compose(&key, payload, make_random() % PAYLOAD_BYTES,
		                        r.data, sizeof(memory) - HEADROOM);
		r.captured = r.length;
		ret = rewrite_set_field(&r, change.id, &change.value,
		                        change.has_mask ? &change.mask : NULL);
		expected = key;
		if (ret == 0) {
			expect(&expected, &change);
			n_changed++;
		} else {
			/* Options of neighbour discovery may be missing, and a VID
			 * without a tag is nothing. */
			assert_true(!has_field(&key, change.id) ||
			            change.id == FIELD_ND_SLL ||
			            change.id == FIELD_ND_TLL ||
			            (change.id == FIELD_VLAN_VID && !key.f.vlan_tci));
		}
		assert_int_not_equal(flow_parse(r.data, r.length, r.length, &got),
		                     FLOW_MALFORMED);
		if (memcmp(&got, &expected, sizeof(got)) != 0)
			fail_msg("round %u: %s in type %04x, protocol %u", round,
			         flow_field_get(change.id)->name, key.f.eth_type,
			         key.f.ip_proto);
		/* SCTP's sum over what is in other fragments is not ours to know. */
		if (key.f.ip_proto != NET_PROTO_SCTP || !key.f.ip_fragment)
			assert_true(frame_has_right_sums(&got, r.data, r.length));
	}
	assert_true(n_changed > ROUNDS / 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_are_written_as_in_a_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
