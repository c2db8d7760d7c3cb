/* flow_hash.h - which of several ways a flow takes: hashes of its fields, and choices by
 * them. For groups, bundles and multipath. Pure functions, any thread. */
#pragma once

#include "net/flow_key.h"

/* What is hashed. The numbers are nx_hash_fields', up to the last. Where both directions
 * of a flow hash alike ("symmetric"), an endpoint's address and port stay together.
 * Fragments count without ports, so that all of a packet's take one way. */
enum flow_hash_kind {
	FLOW_HASH_ETH_SRC,
	FLOW_HASH_SYMMETRIC_L4,       /* layers 2 to 4, but ports of TCP and SCTP only */
	FLOW_HASH_SYMMETRIC_L3L4,     /* the same without layer 2; 0 if it is not IP */
	FLOW_HASH_SYMMETRIC_L3L4_UDP, /* the same and ports of UDP */
	FLOW_HASH_NW_SRC,
	FLOW_HASH_NW_DST,
	FLOW_HASH_SYMMETRIC_L3, /* addresses of IP alone; 0 if it is not IP */
	FLOW_HASH_ALL,          /* layers 2 to 4, all ports: for groups that do not say */
	FLOW_HASH_N_KINDS,
};

/* Multipath's algorithms, as on the wire (RFC 2992; the last is Nicira's). */
enum flow_hash_algorithm {
	FLOW_HASH_MODULO_N,
	FLOW_HASH_THRESHOLD,
	FLOW_HASH_HRW,
	FLOW_HASH_ITERATIVE,
};

#define FLOW_HASH_HRW_LINKS_MAX 64 /* with more, FLOW_HASH_THRESHOLD takes its place */

/* 'kind' may be any number; one that is none is taken as FLOW_HASH_ALL. */
uint32_t flow_hash(const struct flow_key *key, enum flow_hash_kind kind, uint32_t basis);

/* ORs the bits that flow_hash() reads into a mask. */
void flow_hash_add_mask(enum flow_hash_kind kind, struct flow_key *mask);

/* Of the bits of 'fields'. */
uint32_t flow_hash_fields(const struct flow_key *key, const struct flow_key *fields,
                          uint64_t basis);

/* Multipath: a link from 0 to 'max_link'. 'argument' is FLOW_HASH_ITERATIVE's. */
uint16_t flow_hash_link(const struct flow_key *key, enum flow_hash_kind kind,
                        uint16_t basis, enum flow_hash_algorithm algorithm,
                        uint16_t max_link, uint32_t argument);

/* The random weight that a flow gives to one of its ways: the highest wins. One that
 * comes or goes moves no flow between the others. */
uint32_t flow_hash_weight(uint32_t hash, uint32_t way);

/* The same for ways of different shares; 0 for a weight of 0. */
double flow_hash_score(uint32_t hash, uint32_t way, uint16_t weight);
