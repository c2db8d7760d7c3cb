/* flow_hash.c - hashes of flows and choices by them. Beside flow_key.h; the walk through
 * the tables asks. Worker threads. */
#include "net/flow_hash.h"

#include "net/protocol.h"

/* Odd numbers without a pattern: from the digits of pi, e, the golden ratio and the root
 * of 2. */
#define MIX_PI    0x243f6a8885a308d3ULL
#define MIX_E     0xb7e151628aed2a6bULL
#define MIX_PHI   0x9e3779b97f4a7c15ULL
#define MIX_SQRT2 0x6a09e667f3bcc909ULL

#define ITERATIONS_MAX 64

/* Which parts of a packet a kind hashes. */
enum hash_part {
	PART_ETH_SRC = 1,
	PART_ETH_DST = 2,
	PART_L2 = 4,    /* type and VLANs */
	PART_PORTS = 8, /* of TCP and SCTP */
	PART_UDP = 16,
	PART_NW_SRC = 32,
	PART_NW_DST = 64,
	PART_PROTO = 128,
	PART_IP_ONLY = 256,
	PART_ETH = PART_ETH_SRC | PART_ETH_DST | PART_L2,
	PART_NW = PART_NW_SRC | PART_NW_DST,
};

static const uint16_t parts_of[FLOW_HASH_N_KINDS] = {
	[FLOW_HASH_ETH_SRC] = PART_ETH_SRC,
	[FLOW_HASH_SYMMETRIC_L4] = PART_ETH | PART_NW | PART_PROTO | PART_PORTS,
	[FLOW_HASH_SYMMETRIC_L3L4] = PART_IP_ONLY | PART_NW | PART_PROTO | PART_PORTS,
	[FLOW_HASH_SYMMETRIC_L3L4_UDP] =
		PART_IP_ONLY | PART_NW | PART_PROTO | PART_PORTS | PART_UDP,
	[FLOW_HASH_NW_SRC] = PART_NW_SRC,
	[FLOW_HASH_NW_DST] = PART_NW_DST,
	[FLOW_HASH_SYMMETRIC_L3] = PART_IP_ONLY | PART_NW,
	[FLOW_HASH_ALL] = PART_ETH | PART_NW | PART_PROTO | PART_PORTS | PART_UDP,
};

static unsigned
hash_parts(enum flow_hash_kind kind)
{
	return parts_of[(unsigned)kind < FLOW_HASH_N_KINDS ? kind : FLOW_HASH_ALL];
}

/* Both halves of a product: every bit of 'a' and 'b' has a say in most of the result. */
static uint64_t
mix(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint32_t
finish(uint64_t hash)
{
	hash = mix(hash ^ MIX_PHI, MIX_SQRT2);
	return (uint32_t)(hash ^ hash >> 32);
}

static uint64_t
load_word(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

static uint64_t
load_mac(const uint8_t *p)
{
	uint32_t low;
	uint16_t high;

	memcpy(&low, p, sizeof(low));
	memcpy(&high, p + sizeof(low), sizeof(high));
	return (uint64_t)high << 32 | low;
}

/* One end of a flow: what is equal there in both directions. */
static uint64_t
hash_end(const uint8_t *mac, const uint8_t *ip, uint16_t port, uint64_t seed)
{
	uint64_t hash = seed;

	if (mac)
		hash = mix(hash ^ load_mac(mac), MIX_PI);
	if (ip) {
		hash = mix(hash ^ load_word(ip), MIX_E);
		hash = mix(hash ^ load_word(ip + 8), MIX_PHI);
	}
	return mix(hash ^ port, MIX_SQRT2);
}

static bool
has_ports(const struct flow_fields *f, unsigned parts)
{
	if (f->ip_fragment)
		return false;
	switch (f->ip_proto) {
	case NET_PROTO_TCP:
	case NET_PROTO_SCTP:
		return parts & PART_PORTS;
	case NET_PROTO_UDP:
		return parts & PART_UDP;
	default:
		return false;
	}
}

uint32_t
flow_hash(const struct flow_key *key, enum flow_hash_kind kind, uint32_t basis)
{
	const struct flow_fields *f = &key->f;
	unsigned parts = hash_parts(kind);
	bool is_ip = f->eth_type == NET_TYPE_IPV4 || f->eth_type == NET_TYPE_IPV6;
	bool has_port = is_ip && has_ports(f, parts);
	uint64_t hash, seed = mix(basis ^ MIX_E, MIX_PI);

	if (parts & PART_IP_ONLY && !is_ip)
		return 0;
	/* A sum is the same for both directions. Unlike addresses that are XORed, hashes
	 * that are added do not cancel out where neighbours talk to neighbours. */
	hash = 0;
	if (parts & (PART_ETH_SRC | PART_NW_SRC))
		hash += hash_end(parts & PART_ETH_SRC ? f->eth_src : NULL,
		                 parts & PART_NW_SRC ? f->ip_src : NULL,
		                 has_port ? f->tp_src : 0, seed);
	if (parts & (PART_ETH_DST | PART_NW_DST))
		hash += hash_end(parts & PART_ETH_DST ? f->eth_dst : NULL,
		                 parts & PART_NW_DST ? f->ip_dst : NULL,
		                 has_port ? f->tp_dst : 0, seed);
	if (parts & PART_PROTO)
		hash ^= (uint64_t)f->ip_proto << 56;
	if (parts & PART_L2)
		hash = mix(hash ^ seed, MIX_E) ^ f->eth_type ^
		       (uint64_t)(f->vlan_tci & 0x1fff) << 16 ^
		       (uint64_t)(f->vlan2_tci & 0x1fff) << 32;
	return finish(hash ^ seed);
}

void
flow_hash_add_mask(enum flow_hash_kind kind, struct flow_key *mask)
{
	struct flow_fields *f = &mask->f;
	unsigned parts = hash_parts(kind);

	if (parts & PART_ETH_SRC)
		memset(f->eth_src, 0xff, sizeof(f->eth_src));
	if (parts & PART_ETH_DST)
		memset(f->eth_dst, 0xff, sizeof(f->eth_dst));
	if (parts & (PART_L2 | PART_IP_ONLY | PART_PORTS))
		f->eth_type = UINT16_MAX;
	if (parts & PART_L2) {
		f->vlan_tci |= 0x1fff;
		f->vlan2_tci |= 0x1fff;
	}
	if (parts & PART_NW_SRC)
		memset(f->ip_src, 0xff, sizeof(f->ip_src));
	if (parts & PART_NW_DST)
		memset(f->ip_dst, 0xff, sizeof(f->ip_dst));
	if (parts & PART_PROTO)
		f->ip_proto = UINT8_MAX;
	if (parts & PART_PORTS) {
		f->ip_fragment |= FLOW_FRAGMENT | FLOW_LATER;
		f->tp_src = f->tp_dst = UINT16_MAX;
	}
}

uint32_t
flow_hash_fields(const struct flow_key *key, const struct flow_key *fields,
                 uint64_t basis)
{
	uint64_t hash = mix(basis ^ MIX_E, MIX_PI);

	/* The place of a word counts: equal values in other fields are other flows. */
	for (size_t i = 0; i < FLOW_KEY_WORDS; i++)
		if (fields->words[i])
			hash = mix(hash ^ (key->words[i] & fields->words[i]),
			           MIX_PHI + 2 * i);
	return finish(hash);
}

uint32_t
flow_hash_weight(uint32_t hash, uint32_t way)
{
	return finish(mix((uint64_t)way << 32 ^ hash ^ MIX_PI, MIX_E));
}

/* -ln((n + 0.5) / 2^32), to a millionth; without a library for mathematics. */
static double
minus_log(uint32_t n)
{
	const double ln_2 = 0.69314718055994530942;
	uint64_t twice = 2 * (uint64_t)n + 1;
	int top = 63 - __builtin_clzll(twice);
	/* In [1, 2). */
	double x = (double)twice / (double)(UINT64_C(1) << top);
	double t = (x - 1) / (x + 1), square = t * t;
	double series =
		2 * t *
		(1 + square * (1.0 / 3 +
	                       square * (1.0 / 5 + square * (1.0 / 7 + square / 9))));

	return (33 - top) * ln_2 - series;
}

double
flow_hash_score(uint32_t hash, uint32_t way, uint16_t weight)
{
	/* The least of exponentially distributed times wins in proportion to its rate. */
	return weight / minus_log(flow_hash_weight(hash, way));
}

static uint16_t
link_threshold(uint32_t hash, uint32_t n_links)
{
	return (uint16_t)((uint64_t)hash * n_links >> 32);
}

static uint16_t
link_hrw(uint32_t hash, uint32_t n_links)
{
	uint32_t best = 0, best_weight = 0;

	for (uint32_t i = 0; i < n_links; i++) {
		uint32_t weight = flow_hash_weight(hash, i);

		if (weight > best_weight) {
			best = i;
			best_weight = weight;
		}
	}
	return (uint16_t)best;
}

static uint16_t
link_iterative(uint32_t hash, uint32_t n_links, uint32_t modulus)
{
	/* Else the least power of 2 that will do, as ovs-actions(7) says: a larger one
	 * only takes longer. */
	if (modulus < n_links || modulus / 2 > n_links)
		for (modulus = 1; modulus < n_links;)
			modulus *= 2;
	for (uint32_t i = 1; i <= ITERATIONS_MAX; i++) {
		uint32_t link = flow_hash_weight(hash, i) % modulus;

		if (link < n_links)
			return (uint16_t)link;
	}
	return (uint16_t)(hash % n_links);
}

uint16_t
flow_hash_link(const struct flow_key *key, enum flow_hash_kind kind, uint16_t basis,
               enum flow_hash_algorithm algorithm, uint16_t max_link, uint32_t argument)
{
	uint32_t hash = flow_hash(key, kind, basis), n_links = max_link + 1U;

	switch (algorithm) {
	case FLOW_HASH_MODULO_N:
		return (uint16_t)(hash % n_links);
	case FLOW_HASH_ITERATIVE:
		return link_iterative(hash, n_links, argument);
	case FLOW_HASH_HRW:
		if (n_links <= FLOW_HASH_HRW_LINKS_MAX)
			return link_hrw(hash, n_links);
		break;
	case FLOW_HASH_THRESHOLD:
		break;
	}
	return link_threshold(hash, n_links);
}
