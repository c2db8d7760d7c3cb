/* qos_classify.h - which class a packet takes that leaves by a port with QoS, without any
 * search: the number its sender chose, else what the port's lists say of its destination,
 * DSCP or VLAN priority, else the port's default. Worker threads; main makes the map. */
#pragma once

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "datapath/datapath.h"
#include "datapath/packet.h"

#define QOS_CLASS_NUMBER_MAX DP_CLASS_NUMBER_MAX
#define QOS_REF_NONE         UINT32_MAX
#define QOS_DSCP_NONE        UINT8_MAX

/* One of a tree, published as a whole. Numbers in the lists are of classes that exist. */
struct qos_class_map {
	uint32_t n;        /* numbers below this may exist; 0 always does */
	uint32_t mac_bits; /* 2^mac_bits slots of addresses; 0 = no list */
	bool has_lists;    /* any of the three */
	bool has_dscp, has_pcp;
	bool has_marks;            /* some class gives its packets a DSCP */
	uint32_t dscp[64], pcp[8]; /* DP_CLASS_NONE = not listed */
	/* The slots (address << 16 | number, 0 = empty), then the references by number,
	 * then, with 'has_marks', the DSCP of each. */
	uint64_t data[];
};

static inline uint32_t
qos_map_slots(const struct qos_class_map *map)
{
	return map->mac_bits ? 1U << map->mac_bits : 0;
}

static inline uint32_t *
qos_map_refs(const struct qos_class_map *map)
{
	return (uint32_t *)(uintptr_t)(map->data + qos_map_slots(map));
}

/* QOS_DSCP_NONE = it gives none. */
static inline uint8_t *
qos_map_marks(const struct qos_class_map *map)
{
	return (uint8_t *)(qos_map_refs(map) + map->n);
}

/* Whether the number names a class: QOS_REF_NONE is the answer of no class. */
static inline uint32_t
qos_map_ref(const struct qos_class_map *map, uint32_t number)
{
	return number < map->n ? qos_map_refs(map)[number] : QOS_REF_NONE;
}

static inline uint64_t
qos_mac48(const uint8_t *mac)
{
	uint32_t high;
	uint16_t low;

	memcpy(&high, mac, sizeof(high));
	memcpy(&low, mac + sizeof(high), sizeof(low));
	return (uint64_t)be32toh(high) << 16 | be16toh(low);
}

/* Fibonacci hashing: the upper bits are the good ones. */
static inline uint32_t
qos_mac_slot(uint64_t mac48, uint32_t bits)
{
	return (uint32_t)(mac48 * 0x9e3779b97f4a7c15ULL >> (64 - bits));
}

/* What the list of addresses says, DP_CLASS_NONE if nothing. At most half of the slots
 * are taken, so a search ends soon. */
static inline uint32_t
qos_mac_lookup(const struct qos_class_map *map, uint64_t mac48)
{
	uint32_t n = qos_map_slots(map), at = qos_mac_slot(mac48, map->mac_bits);

	for (uint32_t tries = 0; tries < n; tries++, at = (at + 1) & (n - 1)) {
		if (!map->data[at])
			break;
		if (map->data[at] >> 16 == mac48)
			return map->data[at] & 0xffff;
	}
	return DP_CLASS_NONE;
}

/* What the lists say of the packet, DP_CLASS_NONE if nothing. */
uint32_t qos_classify_by_lists(const struct qos_class_map *map,
                               const struct rte_mbuf *pkt);

/* The number of the class that its sender chose for the packet, or the lists;
 * DP_CLASS_NONE: it takes the default. */
static inline uint32_t
qos_choose(const struct qos_class_map *map, struct rte_mbuf *pkt)
{
	uint32_t number = packet_meta(pkt)->item.class_ref;

	if (qos_map_ref(map, number) != QOS_REF_NONE)
		return number;
	return map->has_lists ? qos_classify_by_lists(map, pkt) : DP_CLASS_NONE;
}

/* 'chosen' is what qos_choose() said; the class exists, or is class 0. */
static inline uint32_t
qos_chosen_or_default(const struct qos_class_map *map, uint32_t chosen,
                      uint32_t default_number)
{
	if (chosen != DP_CLASS_NONE)
		return chosen;
	return qos_map_ref(map, default_number) != QOS_REF_NONE ? default_number : 0;
}

/* The number of the class that takes the packet. */
static inline uint32_t
qos_classify(const struct qos_class_map *map, struct rte_mbuf *pkt,
             uint32_t default_number)
{
	return qos_chosen_or_default(map, qos_choose(map, pkt), default_number);
}

/* The DSCP that a packet gets that chose like this, or QOS_DSCP_NONE. */
static inline uint8_t
qos_mark_for(const struct qos_class_map *map, uint32_t chosen)
{
	return map->has_marks && chosen != DP_CLASS_NONE ? qos_map_marks(map)[chosen]
	                                                 : QOS_DSCP_NONE;
}

/* ---- main thread: qos_map.c ---- */

/* A map for numbers below 'n', without references yet but with the DSCPs of the classes;
 * free() it. */
struct qos_class_map *qos_map_alloc(uint32_t n, const struct dp_qos_config *config);

/* After the references were written: takes over the lists of 'config', as
 * far as their classes exist. */
void qos_map_fill_lists(struct qos_class_map *map, const struct dp_qos_config *config);

bool qos_map_equal(const struct qos_class_map *a, const struct qos_class_map *b);
