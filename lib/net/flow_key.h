/* flow_key.h - what a packet is matched on: one struct of header fields and of the state
 * that tables give it on its way, and masks of the same shape. flow_field.h names the
 * fields one by one. Plain data, any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"

/* Kinds of packets that differ in which fields they have. */
enum flow_type {
	FLOW_OTHER,
	FLOW_ARP,           /* and RARP */
	FLOW_IPV4,          /* neither TCP nor UDP nor SCTP nor ICMP */
	FLOW_IPV4_FRAGMENT, /* a later fragment: no layer 4 */
	FLOW_IPV4_PORTS,    /* TCP, UDP, SCTP */
	FLOW_IPV4_ICMP,
	FLOW_IPV6,
	FLOW_IPV6_FRAGMENT,
	FLOW_IPV6_PORTS,
	FLOW_IPV6_ICMP,
	FLOW_MPLS,
	FLOW_MALFORMED, /* a header is cut short or lies about its length */
	FLOW_N_TYPES,
};

#define FLOW_VLAN_PRESENT \
	0x1000          /* in vlan_tci, in place of the CFI bit, as OpenFlow has it */
#define FLOW_FRAGMENT 1 /* in ip_fragment: any part of a fragmented packet */
#define FLOW_LATER    2 /* ... and not its first part */

#define FLOW_TYPE_NONE 0x05ff /* in eth_type: an 802.3 frame without one */

#define FLOW_PBB_PRESENT 0x80000000U /* in pbb_isid: there is an I-TAG */
#define FLOW_PBB_UCA     0x01000000U

/* In ipv6_exthdr (OpenFlow 1.5, 7.2.3.7): which extension headers there are, and whether
 * one comes more often or in another order than RFC 8200 expects. */
#define FLOW_EXTHDR_NONE        0x001
#define FLOW_EXTHDR_ESP         0x002
#define FLOW_EXTHDR_AUTH        0x004
#define FLOW_EXTHDR_DESTINATION 0x008
#define FLOW_EXTHDR_FRAGMENT    0x010
#define FLOW_EXTHDR_ROUTING     0x020
#define FLOW_EXTHDR_HOP         0x040
#define FLOW_EXTHDR_REPEATED    0x080
#define FLOW_EXTHDR_DISORDER    0x100

#define FLOW_REGS 16

#define FLOW_TCP_ENDS 0x005 /* in tcp_flags: FIN or RST */

/* Numbers are in host byte order, addresses as on the wire. Fields that a packet does not
 * have are 0. No padding: keys are compared and hashed as words. */
struct flow_fields {
	/* What a packet brings. The flow cache's keys are of these alone. */
	uint32_t in_port;  /* the port's OpenFlow number */
	uint16_t eth_type; /* behind the tags below */
	uint16_t vlan_tci; /* of the outermost tag */
	uint8_t eth_dst[6], eth_src[6];
	uint8_t ip_proto, ip_tos, ip_ttl, ip_fragment;
	uint8_t ip_src[16], ip_dst[16]; /* IPv4 and ARP: the first 4 bytes */
	uint16_t tp_src, tp_dst;        /* ports; ICMP type and code; ARP operation */
	uint16_t tcp_flags;
	uint8_t arp_sha[6], arp_tha[6]; /* ARP, or ND's link-layer addresses */
	uint16_t vlan_tpid;             /* of the outermost tag; 0 = no tag */
	uint16_t vlan2_tci, vlan2_tpid; /* of the next one */
	uint32_t ipv6_label;
	uint32_t mpls_lse; /* of the outermost MPLS header, whole */
	uint8_t nd_target[16];
	uint16_t ipv6_exthdr; /* OpenFlow's 9 bits */
	uint16_t pad;
	uint32_t nd_reserved;
	uint32_t pbb_isid; /* bit 31: there is an I-TAG; bit 24: UCA; 24 bits of I-SID */
	uint32_t packet_mark;
	uint64_t tun_id;
	uint8_t tun_src[16], tun_dst[16]; /* IPv4: the first 4 bytes */
	uint16_t tun_flags;
	uint8_t tun_tos, tun_ttl;
	uint32_t ct_state;
	/* What tables write: 0 at the start of the pipeline. */
	uint64_t metadata;
	uint32_t regs[FLOW_REGS];
	uint32_t actset_output; /* FLOW_PORT_UNSET at the start: no output in the action
	                           set */
	uint32_t conj_id;
	uint32_t recirc_id; /* which part of its way the packet is on; 0 = the first */
	uint32_t ct_mark;
	uint16_t ct_zone;
	uint16_t pad2[3];
	uint8_t ct_label[16];
};

#define FLOW_KEY_WORDS    (sizeof(struct flow_fields) / sizeof(uint64_t))
#define FLOW_PACKET_WORDS (offsetof(struct flow_fields, metadata) / sizeof(uint64_t))
static_assert(sizeof(struct flow_fields) % sizeof(uint64_t) == 0, "a key is whole words");
static_assert(offsetof(struct flow_fields, metadata) % sizeof(uint64_t) == 0,
              "the packet's part is whole words");

struct flow_key {
	union {
		struct flow_fields f;
		uint64_t words[FLOW_KEY_WORDS];
	};
};

/* A match on packets: those that have the values of 'key' in all bits of 'mask'. Bits of
 * 'key' outside the mask are 0. */
struct flow_match {
	struct flow_key key, mask;
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
