/* acl_rules.c - draws rules of access lists and packets for them. For cost_walk.c. */
#include "tests/bench/acl_rules.h"

#include <string.h>

#include "base/compiler.h"

#define SITES         64 /* networks of 16 bits that addresses are of */
#define HOSTILE_MASKS 1000
#define WIDE_BITS     24 /* of source and destination together */

const char *const acl_kind_names[ACL_KINDS] = {"provider", "firewall", "chain",
                                               "hostile"};

enum acl_ports { PORTS_ANY, PORTS_ONE, PORTS_HIGH, PORTS_RANGE };

/* Values, each with how often it is drawn; the last is followed by zeros. */
struct acl_profile {
	uint8_t src_bits[16], dst_bits[16], src_ports[10], dst_ports[10], protos[10];
};

static const struct acl_profile profiles[] = {
	[ACL_PROVIDER] = {.src_bits = {0, 40, 16, 4, 22, 4, 24, 24, 28, 4, 32, 24},
                          .dst_bits = {0, 1, 16, 3, 24, 24, 27, 6, 28, 6, 30, 4, 32, 56},
                          .src_ports = {PORTS_ANY, 98, PORTS_ONE, 2},
                          .dst_ports = {PORTS_ANY, 25, PORTS_ONE, 65, PORTS_HIGH, 6,
                                        PORTS_RANGE, 4},
                          .protos = {6, 75, 17, 15, 0, 10}},
	[ACL_FIREWALL] = {.src_bits = {0, 48, 8, 1, 16, 6, 24, 15, 28, 4, 32, 26},
                          .dst_bits = {0, 22, 8, 1, 16, 6, 24, 16, 27, 5, 32, 50},
                          .src_ports = {PORTS_ANY, 85, PORTS_ONE, 7, PORTS_HIGH, 8},
                          .dst_ports = {PORTS_ANY, 35, PORTS_ONE, 55, PORTS_HIGH, 6,
                                        PORTS_RANGE, 4},
                          .protos = {6, 55, 17, 25, 1, 5, 0, 15}},
	[ACL_CHAIN] = {.src_bits = {0, 15, 14, 1, 16, 10, 20, 4, 24, 34, 28, 3, 32, 33},
                       .dst_bits = {0, 12, 16, 10, 19, 4, 23, 2, 24, 33, 30, 3, 32, 36},
                       .src_ports = {PORTS_ANY, 92, PORTS_ONE, 5, PORTS_HIGH, 3},
                       .dst_ports = {PORTS_ANY, 45, PORTS_ONE, 45, PORTS_HIGH, 6,
                                     PORTS_RANGE, 4},
                       .protos = {6, 55, 17, 25, 1, 8, 0, 12}},
};

uint64_t
acl_random(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15ULL;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint32_t
below(uint32_t n)
{
	return (uint32_t)(acl_random() >> 24) % n;
}

static uint8_t
draw(const uint8_t *shares, unsigned n)
{
	unsigned sum = 0, at;

	for (unsigned i = 0; i < n; i += 2)
		sum += shares[i + 1];
	at = below(sum);
	while (at >= shares[1]) {
		at -= shares[1];
		shares += 2;
	}
	return shares[0];
}

#define DRAW(shares) draw(shares, ARRAY_SIZE(shares))

static uint32_t
site_address(void)
{
	/* The first sites have most of the hosts. */
	uint32_t site = below(1 + below(SITES)), host = below(1 + below(65536));

	return (10 + site % 7 * 31) << 24 | (site * 37 % 256) << 16 | host;
}

static void
set_prefix(uint8_t *key, uint8_t *mask, uint32_t address, unsigned n_bits)
{
	for (unsigned i = 0; i < 4; i++) {
		unsigned bits = n_bits > 8 * i ? MIN_OF(n_bits - 8 * i, 8) : 0;

		mask[i] = (uint8_t)(0xff00 >> bits);
		key[i] = (uint8_t)(address >> (24 - 8 * i)) & mask[i];
	}
}

/* What OpenFlow has of a range: one of the masks that it is made of. */
static void
set_ports(uint16_t *key, uint16_t *mask, enum acl_ports ports)
{
	static const uint16_t services[] = {22,   25,  53,  80,   110,  123,
	                                    143,  161, 389, 443,  445,  514,
	                                    1433, 993, 995, 3306, 3389, 8080};

	switch (ports) {
	case PORTS_ANY:
		return;
	case PORTS_ONE:
		*mask = 0xffff;
		*key = below(4) ? services[below(ARRAY_SIZE(services))]
		                : (uint16_t)below(65536);
		return;
	case PORTS_HIGH: /* from 1024 on */
		*key = (uint16_t)(32768U >> below(1 + below(1 + below(6))));
		*mask = (uint16_t) - *key;
		return;
	case PORTS_RANGE:
		*mask = (uint16_t)(0xffffU << (1 + below(1 + below(4))));
		*key = (uint16_t)acl_random() & *mask;
		return;
	}
}

/* Rules of wide networks stand last: else most packets would end at one of the first. */
static bool
match_is_wide(const struct flow_match *match)
{
	unsigned n_bits = 0;

	for (unsigned i = 0; i < 4; i++)
		n_bits += (unsigned)__builtin_popcount(match->mask.f.ip_src[i]) +
		          (unsigned)__builtin_popcount(match->mask.f.ip_dst[i]);
	return n_bits < WIDE_BITS;
}

static void
rule_draw(const struct acl_profile *profile, bool must_be_narrow,
          struct flow_match *match)
{
	struct flow_fields *key = &match->key.f, *mask = &match->mask.f;
	uint8_t proto = DRAW(profile->protos);

	do {
		set_prefix(key->ip_src, mask->ip_src, site_address(),
		           DRAW(profile->src_bits));
		set_prefix(key->ip_dst, mask->ip_dst, site_address(),
		           DRAW(profile->dst_bits));
	} while (must_be_narrow && match_is_wide(match));
	if (!proto)
		return;
	key->ip_proto = proto;
	mask->ip_proto = 0xff;
	if (proto == 1)
		return;
	set_ports(&key->tp_src, &mask->tp_src, DRAW(profile->src_ports));
	set_ports(&key->tp_dst, &mask->tp_dst, DRAW(profile->dst_ports));
}

static void
rule_draw_hostile(uint32_t i, struct flow_match *match)
{
	uint32_t m = i % HOSTILE_MASKS;

	set_prefix(match->key.f.ip_src, match->mask.f.ip_src, site_address(), 1 + m % 32);
	set_prefix(match->key.f.ip_dst, match->mask.f.ip_dst, site_address(), 1 + m / 32);
	match->key.f.tp_dst = (uint16_t)acl_random();
	match->mask.f.tp_dst = 0xffff;
}

void
acl_rule(enum acl_kind kind, uint32_t i, uint32_t n, struct dp_rule_config *rule)
{
	memset(rule, 0, sizeof(*rule));
	rule->priority = (uint16_t)(65535 - (uint64_t)i * 65535 / n);
	flow_match_set_u64(&rule->match, FIELD_ETH_TYPE, 0x0800);
	if (kind == ACL_HOSTILE)
		rule_draw_hostile(i, &rule->match);
	else
		rule_draw(&profiles[kind], 20ULL * i < 19ULL * n, &rule->match);
}

void
acl_packet_of_scan(struct flow_key *key)
{
	struct flow_fields *f = &key->f;
	uint32_t src = site_address(), dst = below(4) ? site_address() : 0;
	uint8_t mask[4];

	memset(key, 0, sizeof(*key));
	f->in_port = 1 + below(16);
	f->eth_type = 0x0800;
	f->ip_proto = below(4) ? 6 : 17;
	f->ip_ttl = 64;
	set_prefix(f->ip_src, mask, src, 32);
	set_prefix(f->ip_dst, mask, dst ? dst : (uint32_t)acl_random(), 32);
	f->tp_src = (uint16_t)acl_random();
	f->tp_dst = (uint16_t)acl_random();
	f->actset_output = FLOW_PORT_UNSET;
}

void
acl_packet_of_rule(const struct dp_rule_config *rule, struct flow_key *key)
{
	acl_packet_of_scan(key);
	for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
		key->words[i] = (key->words[i] & ~rule->match.mask.words[i]) |
		                rule->match.key.words[i];
}
