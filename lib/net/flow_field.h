/* flow_field.h - the fields of a flow_key one by one, as rules, actions and users name
 * them: where each lies, how wide it is, and what a packet must be to have it. The wire
 * numbers are lib/openflow's. Plain data, any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/flow_key.h"

/* The order is of no meaning outside; in it prerequisites come before what needs them. */
enum flow_field_id {
	FIELD_NONE,
	FIELD_IN_PORT, /* 32 bits; OpenFlow 1.0 and nxm: 16 */
	FIELD_ACTSET_OUTPUT,
	FIELD_METADATA,
	FIELD_PACKET_MARK,
	FIELD_TUN_ID,
	FIELD_TUN_SRC,
	FIELD_TUN_DST,
	FIELD_TUN_IPV6_SRC,
	FIELD_TUN_IPV6_DST,
	FIELD_TUN_FLAGS,
	FIELD_TUN_TTL,
	FIELD_TUN_TOS,
	FIELD_CT_STATE,
	FIELD_CT_ZONE,
	FIELD_CT_MARK,
	FIELD_CT_LABEL,
	FIELD_CONJ_ID,
	FIELD_RECIRC_ID,
	FIELD_REG0, /* to FIELD_REG15 */
	FIELD_REG15 = FIELD_REG0 + 15,
	FIELD_XREG0, /* 64 bits: reg0 above reg1; to FIELD_XREG7 */
	FIELD_XREG7 = FIELD_XREG0 + 7,
	FIELD_XXREG0, /* 128 bits: reg0 to reg3; to FIELD_XXREG3 */
	FIELD_XXREG3 = FIELD_XXREG0 + 3,
	FIELD_PACKET_TYPE, /* always 0: Ethernet; matches nothing else */
	FIELD_ETH_SRC,
	FIELD_ETH_DST,
	FIELD_ETH_TYPE,
	FIELD_VLAN_TCI, /* nxm's: 16 bits, with FLOW_VLAN_PRESENT */
	FIELD_DL_VLAN,  /* OpenFlow 1.0's: 12 bits; what "dl_vlan" is */
	FIELD_DL_VLAN_PCP,
	FIELD_VLAN_VID, /* oxm's: 13 bits, with FLOW_VLAN_PRESENT */
	FIELD_VLAN_PCP,
	FIELD_MPLS_LABEL,
	FIELD_MPLS_TC,
	FIELD_MPLS_BOS,
	FIELD_MPLS_TTL,
	FIELD_PBB_ISID,
	FIELD_PBB_UCA,
	FIELD_IPV4_SRC,
	FIELD_IPV4_DST,
	FIELD_IPV6_SRC,
	FIELD_IPV6_DST,
	FIELD_IPV6_LABEL,
	FIELD_IPV6_EXTHDR,
	FIELD_IP_PROTO,
	FIELD_IP_DSCP, /* the upper 6 bits of ip_tos as nxm's "nw_tos": 8 bits, low 2 are
	                  0 */
	FIELD_IP_DSCP_SHIFTED, /* the same, oxm's: 6 bits */
	FIELD_IP_ECN,
	FIELD_IP_TTL,
	FIELD_IP_FRAG,
	FIELD_ARP_OP,
	FIELD_ARP_SPA,
	FIELD_ARP_TPA,
	FIELD_ARP_SHA,
	FIELD_ARP_THA,
	FIELD_TCP_SRC,
	FIELD_TCP_DST,
	FIELD_TCP_FLAGS,
	FIELD_UDP_SRC,
	FIELD_UDP_DST,
	FIELD_SCTP_SRC,
	FIELD_SCTP_DST,
	FIELD_ICMPV4_TYPE,
	FIELD_ICMPV4_CODE,
	FIELD_ICMPV6_TYPE,
	FIELD_ICMPV6_CODE,
	FIELD_ND_TARGET,
	FIELD_ND_SLL,
	FIELD_ND_TLL,
	FIELD_ND_RESERVED,
	FIELD_ND_OPTIONS_TYPE, /* parsed in rules; no packet has it: refused for now */
	FIELD_N,
};

/* What a packet must be to have the field. */
enum flow_need {
	NEED_NONE,
	NEED_VLAN,
	NEED_ARP, /* or RARP */
	NEED_IPV4,
	NEED_IPV6,
	NEED_IP, /* either */
	NEED_MPLS,
	NEED_PBB,
	NEED_TCP,
	NEED_UDP,
	NEED_SCTP,
	NEED_ICMPV4,
	NEED_ICMPV6,
	NEED_ND, /* neighbour solicitation or advertisement */
	NEED_ND_SOLICIT,
	NEED_ND_ADVERTISE,
	NEED_CT, /* for ct_mark and the like: connection tracking */
};

enum flow_maskable { MASK_NONE, MASK_ALL /* any bits */ };

#define FLOW_FIELD_BYTES_MAX 16

/* A field's value as on the wire: most significant byte first, right-aligned in its own
 * (n_bits + 7) / 8 bytes, which come first. */
struct flow_value {
	uint8_t bytes[FLOW_FIELD_BYTES_MAX];
};

/* Some bits of a field, lowest first. */
struct flow_subfield {
	enum flow_field_id field;
	uint16_t first_bit; /* 0 = the least significant one */
	uint16_t n_bits;
};

struct flow_field {
	enum flow_field_id id;
	const char *name;  /* as ovs-fields(7) has it: "eth_src", "ip_src", "reg0" */
	const char *alias; /* a second name ("dl_src", "nw_src"), or NULL */
	uint16_t n_bits;
	uint16_t n_bytes; /* (n_bits + 7) / 8 */
	enum flow_need need;
	enum flow_maskable maskable;
	bool is_writable; /* by actions */
};

const struct flow_field *flow_field_get(enum flow_field_id id);

/* By name or alias; NULL. */
const struct flow_field *flow_field_by_name(const char *name);

/* Whether packets that have the values of 'key' in all bits of 'mask' have the field for
 * certain: the match contains the prerequisites. With a full mask: whether the packet
 * has it. */
bool flow_field_is_present(enum flow_field_id id, const struct flow_match *match);

/* The words of a key in which the field lies, a bit for each: where they are 0 in a mask
 * the field is not in it. */
uint64_t flow_field_words(enum flow_field_id id);

/* Reads and writes a field in a key (or a mask). */
void flow_field_read(enum flow_field_id id, const struct flow_key *key,
                     struct flow_value *value);
void flow_field_write(enum flow_field_id id, struct flow_key *key,
                      const struct flow_value *value);

/* Writes the bits of 'mask' only. */
void flow_field_write_masked(enum flow_field_id id, struct flow_key *key,
                             const struct flow_value *value,
                             const struct flow_value *mask);

/* ORs the field's bits (those of 'mask', NULL = all) into a mask of a key. */
void flow_field_add_mask(enum flow_field_id id, struct flow_key *mask_key,
                         const struct flow_value *mask);

/* Matches the field: value and mask (NULL = all bits). Bits of 'value' outside the mask
 * are ignored; what the match says of the field's other bits stays. Matching "dl_vlan",
 * "dl_vlan_pcp" or "vlan_pcp" also matches that there is a tag; a whole "dl_vlan" above
 * 12 bits (OpenFlow 1.0's 0xffff) that there is none. */
void flow_match_set(struct flow_match *match, enum flow_field_id id,
                    const struct flow_value *value, const struct flow_value *mask);

/* The same for a number in the low bits; only fields of at most 64 bits. */
void flow_match_set_u64(struct flow_match *match, enum flow_field_id id, uint64_t value);

/* The bits of all fields that a packet of 'key' has: what can be said of it. */
void flow_key_visible(const struct flow_key *key, struct flow_key *mask);

/* A subfield of at most 64 bits; wider ones in parts. */
uint64_t flow_subfield_read(const struct flow_subfield *sub, const struct flow_key *key);
void flow_subfield_write(const struct flow_subfield *sub, struct flow_key *key,
                         uint64_t value);
/* Of any width. */
void flow_subfield_add_mask(const struct flow_subfield *sub, struct flow_key *mask);
