/* flow_key.h - what a packet is matched on: one struct of header fields, and masks of the
 * same shape. Plain data, any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"

/* Kinds of packets that differ in which fields they have. */
enum flow_type {
	FLOW_OTHER,
	FLOW_ARP,
	FLOW_IPV4,          /* neither TCP nor UDP nor SCTP nor ICMP */
	FLOW_IPV4_FRAGMENT, /* a later fragment: no layer 4 */
	FLOW_IPV4_PORTS,    /* TCP, UDP, SCTP */
	FLOW_IPV4_ICMP,
	FLOW_IPV6,
	FLOW_IPV6_FRAGMENT,
	FLOW_IPV6_PORTS,
	FLOW_IPV6_ICMP,
	FLOW_MALFORMED, /* a header is cut short or lies about its length */
	FLOW_N_TYPES,
};

#define FLOW_VLAN_PRESENT \
	0x1000          /* in vlan_tci, in place of the CFI bit, as OpenFlow has it */
#define FLOW_FRAGMENT 1 /* in ip_fragment: any part of a fragmented packet */
#define FLOW_LATER    2 /* ... and not its first part */

/* Numbers are in host byte order, addresses as on the wire. Fields that a packet does not
 * have are 0. No padding: keys are compared and hashed as words. */
struct flow_fields {
	uint32_t in_port; /* the datapath's port id */
	uint16_t eth_type;
	uint16_t vlan_tci;
	uint8_t eth_dst[6], eth_src[6];
	uint8_t ip_proto, ip_tos, ip_ttl, ip_fragment;
	uint8_t ip_src[16], ip_dst[16]; /* IPv4 and ARP: the first 4 bytes */
	uint16_t tp_src, tp_dst;        /* ports; ICMP type and code; ARP operation */
	uint16_t tcp_flags;
	uint8_t arp_sha[6], arp_tha[6]; /* ARP, or ND's link-layer addresses */
	uint8_t pad[6];
	uint32_t ipv6_label;
	uint32_t reserved;
	uint8_t nd_target[16];
};

#define FLOW_KEY_WORDS (sizeof(struct flow_fields) / sizeof(uint64_t))
static_assert(sizeof(struct flow_fields) % sizeof(uint64_t) == 0, "a key is whole words");

struct flow_key {
	union {
		struct flow_fields f;
		uint64_t words[FLOW_KEY_WORDS];
	};
};

/* Reads the headers of a frame of which 'captured' bytes are at 'data' and 'length' are
 * on the wire. Fills 'key' (in_port is the caller's) and says what kind of packet it is;
 * every length is checked, and bytes past the packet's own end do not count. */
enum flow_type flow_parse(const uint8_t *data, size_t captured, size_t length,
                          struct flow_key *key);

static inline void
flow_key_mask(struct flow_key *out, const struct flow_key *key,
              const struct flow_key *mask)
{
	for (size_t i = 0; i < FLOW_KEY_WORDS; i++)
		out->words[i] = key->words[i] & mask->words[i];
}

/* Whether 'key' has the values of 'match' in all bits of 'mask'. */
static inline bool
flow_key_matches(const struct flow_key *key, const struct flow_key *match,
                 const struct flow_key *mask)
{
	uint64_t difference = 0;

	for (size_t i = 0; i < FLOW_KEY_WORDS; i++)
		difference |= (key->words[i] ^ match->words[i]) & mask->words[i];
	return difference == 0;
}

static inline bool
flow_key_is_empty(const struct flow_key *mask)
{
	uint64_t any = 0;

	for (size_t i = 0; i < FLOW_KEY_WORDS; i++)
		any |= mask->words[i];
	return any == 0;
}
