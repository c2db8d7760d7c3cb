/* fdb.h - a bridge's table of learned addresses: workers look up without locks, main
 * inserts, ages and evicts. Bounded. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_hash_crc.h>

#include "datapath/datapath.h"

#define FDB_PORT_NONE UINT32_MAX
#define FDB_WAYS      4

/* An entry is valid if its key is not 0. Main writes the value before the key, and clears
 * the key before it reuses the slot; a reader checks the key again after the value. */
struct fdb_slot {
	_Atomic uint64_t key; /* MAC in bits 63..16, VLAN in bits 15..4, 1 in bit 0 */
	_Atomic uint32_t port_id;
	_Atomic uint32_t seen_s; /* workers refresh it */
};

struct fdb_bucket {
	struct fdb_slot slots[FDB_WAYS];
} __attribute__((aligned(64)));

struct fdb {
	uint32_t mask; /* buckets - 1 */
	uint32_t count, limit;
	uint32_t counts_by_port[DP_PORTS_MAX]; /* main's */
	uint32_t aging_s;
	uint32_t hand; /* main's: where the next eviction looks first */
	struct fdb_bucket buckets[];
};

static inline uint64_t
fdb_key(uint64_t mac48, uint16_t vlan)
{
	return mac48 << 16 | (uint64_t)vlan << 4 | 1;
}

static inline uint32_t
fdb_first_bucket(const struct fdb *fdb, uint64_t key)
{
	return rte_hash_crc_8byte(key, 0) & fdb->mask;
}

static inline uint32_t
fdb_second_bucket(const struct fdb *fdb, uint64_t key)
{
	return rte_hash_crc_8byte(key, 0x9e3779b9) & fdb->mask;
}

static inline struct fdb_slot *
fdb_find_in(struct fdb_bucket *bucket, uint64_t key)
{
	for (unsigned i = 0; i < FDB_WAYS; i++)
		if (atomic_load_explicit(&bucket->slots[i].key, memory_order_acquire) ==
		    key)
			return &bucket->slots[i];
	return NULL;
}

/* The slot of 'key' or NULL. Any thread. */
static inline struct fdb_slot *
fdb_find(struct fdb *fdb, uint64_t key)
{
	struct fdb_slot *slot =
		fdb_find_in(&fdb->buckets[fdb_first_bucket(fdb, key)], key);

	return slot ? slot : fdb_find_in(&fdb->buckets[fdb_second_bucket(fdb, key)], key);
}

/* The port behind 'key', FDB_PORT_NONE if it is unknown. Any thread. */
static inline uint32_t
fdb_lookup(struct fdb *fdb, uint64_t key)
{
	struct fdb_slot *slot = fdb_find(fdb, key);
	uint32_t port_id;

	if (!slot)
		return FDB_PORT_NONE;
	port_id = atomic_load_explicit(&slot->port_id, memory_order_acquire);
	return atomic_load_explicit(&slot->key, memory_order_acquire) == key
	               ? port_id
	               : FDB_PORT_NONE;
}

/* ---- main thread ---- */

struct fdb *fdb_create(uint32_t limit, uint32_t aging_s);

/* Adds or moves an address. A full table gives up an address of the port that
 * holds most: a guest that floods addresses evicts its own. */
void fdb_learn(struct fdb *fdb, uint64_t key, uint32_t port_id, uint32_t now_s);

/* Removes what was not seen for aging_s. */
void fdb_age(struct fdb *fdb, uint32_t now_s);

/* Removes the addresses of a port, or all with FDB_PORT_NONE. */
void fdb_flush(struct fdb *fdb, uint32_t port_id);

void fdb_dump(const struct fdb *fdb, uint32_t now_s,
              void (*cb)(const struct dp_fdb_entry *, void *aux), void *aux);

/* Copies what fits into a table of another size. */
void fdb_copy(struct fdb *to, const struct fdb *from);
