/* rewrite.h - changes headers of a frame in memory: sets fields, pushes and pops tags and
 * labels, counts TTLs down, and keeps the checksums right by what changed. Trusts nothing
 * that the frame says. Between flow_field.h and the datapath's actions. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/flow_field.h"

struct rewrite {
	/* The caller fills these, and zeroes the rest; 'data', 'captured', 'length' and
	 * 'headroom' follow what is pushed and popped. All headers that are to be changed
	 * must be among the 'captured' bytes. */
	uint8_t *data;
	size_t captured; /* bytes at 'data' */
	size_t length;   /* of the frame: more than 'captured' if it goes on elsewhere */
	size_t headroom; /* bytes before 'data' that may be written */
	bool checksum_is_pending; /* somebody else will compute that of layer 4 */

	/* What was found in the frame; offsets from 'data', 0 = it has none. */
	bool is_scanned;
	uint8_t n_tags;    /* that were passed over: at most 2 */
	uint8_t ip_proto;  /* of layer 4, if there is one */
	bool sums_ip_dst;  /* layer 4's checksum covers the address in the IP header */
	uint16_t eth_type; /* behind the tags */
	uint16_t type_at;  /* where it stands */
	uint16_t mpls_at, pbb_at, arp_at, ipv4_at, ipv6_at, l4_at;
	uint16_t nd_at, sll_at, tll_at; /* in a message of neighbour discovery */
	uint32_t l4_bytes;              /* header and payload; 0 = not known */
};

/* All of these: 0, or -ENOENT: the packet has no such field or header, -ENOBUFS: no
 * headroom, -ERANGE: the TTL ends here. The frame is unchanged then. */

/* Writes the bits of 'mask' (NULL = all) of a field. VLAN fields of OpenFlow 1.0 and nxm
 * (FIELD_DL_VLAN, FIELD_DL_VLAN_PCP, FIELD_VLAN_TCI) push a tag where there is none;
 * FIELD_VLAN_TCI without FLOW_VLAN_PRESENT pops it. */
int rewrite_set_field(struct rewrite *r, enum flow_field_id id,
                      const struct flow_value *value, const struct flow_value *mask);

/* Outermost; VID and PCP are those of the tag that was. */
int rewrite_push_vlan(struct rewrite *r, uint16_t tpid);
int rewrite_pop_vlan(struct rewrite *r);

/* Behind the VLAN tags, where Open vSwitch has it, and behind a SNAP header. A copy of
 * the label that was outermost, else of what the IP header has. */
int rewrite_push_mpls(struct rewrite *r, uint16_t eth_type);
/* 'eth_type' is that of what is inside. */
int rewrite_pop_mpls(struct rewrite *r, uint16_t eth_type);

/* A new Ethernet header with the same addresses, and an I-TAG. */
int rewrite_push_pbb(struct rewrite *r, uint16_t eth_type);
int rewrite_pop_pbb(struct rewrite *r);

/* -ERANGE for a TTL of 0 or 1. */
int rewrite_dec_ip_ttl(struct rewrite *r);
int rewrite_dec_mpls_ttl(struct rewrite *r);

/* From the header inside of the outermost label to that label, and the other way. */
int rewrite_copy_ttl_out(struct rewrite *r);
int rewrite_copy_ttl_in(struct rewrite *r);

/* Finds the headers anew; the others call it. */
void rewrite_scan(struct rewrite *r);
