/* fdb.c - the writing side of the address table. Main thread. */
#include "datapath/fdb.h"

#include <string.h>

#include "base/mem.h"

struct fdb *
fdb_create(uint32_t limit, uint32_t aging_s)
{
	uint32_t n_buckets = 1;
	struct fdb *fdb;

	/* Half full at the limit: both buckets of a key are then hardly ever full. */
	while (n_buckets * FDB_WAYS < limit * 2)
		n_buckets *= 2;
	fdb = xcalloc_cacheline(sizeof(*fdb) + n_buckets * sizeof(struct fdb_bucket));
	fdb->mask = n_buckets - 1;
	fdb->limit = limit;
	fdb->aging_s = aging_s;
	return fdb;
}

static void
fdb_remove(struct fdb *fdb, struct fdb_slot *slot)
{
	atomic_store_explicit(&slot->key, 0, memory_order_release);
	fdb->counts_by_port[slot->port_id]--;
	fdb->count--;
}

/* The oldest entry of 'port_id' (any port if FDB_PORT_NONE) in buckets [from, to]. */
static struct fdb_slot *
fdb_oldest(struct fdb *fdb, uint32_t port_id, uint32_t from, uint32_t to)
{
	struct fdb_slot *oldest = NULL;

	for (uint32_t b = from; b <= to; b++) {
		for (unsigned i = 0; i < FDB_WAYS; i++) {
			struct fdb_slot *slot = &fdb->buckets[b].slots[i];

			if (slot->key &&
			    (port_id == FDB_PORT_NONE || slot->port_id == port_id) &&
			    (!oldest || slot->seen_s < oldest->seen_s))
				oldest = slot;
		}
	}
	return oldest;
}

/* Gives up an address of the port that holds most, the next one the hand comes to. */
static void
fdb_evict(struct fdb *fdb)
{
	uint32_t greedy = 0;

	for (uint32_t i = 1; i < DP_PORTS_MAX; i++)
		if (fdb->counts_by_port[i] > fdb->counts_by_port[greedy])
			greedy = i;
	for (uint32_t n = 0; n <= fdb->mask; n++) {
		uint32_t b = fdb->hand++ & fdb->mask;
		struct fdb_slot *slot = fdb_oldest(fdb, greedy, b, b);

		if (slot) {
			fdb_remove(fdb, slot);
			return;
		}
	}
}

static struct fdb_slot *
fdb_free_slot(struct fdb *fdb, uint64_t key)
{
	uint32_t places[] = {fdb_first_bucket(fdb, key), fdb_second_bucket(fdb, key)};
	struct fdb_slot *slot;

	for (unsigned b = 0; b < ARRAY_SIZE(places); b++)
		for (unsigned i = 0; i < FDB_WAYS; i++)
			if (!fdb->buckets[places[b]].slots[i].key)
				return &fdb->buckets[places[b]].slots[i];
	slot = fdb_oldest(fdb, FDB_PORT_NONE, places[0], places[0]);
	fdb_remove(fdb, slot);
	return slot;
}

void
fdb_learn(struct fdb *fdb, uint64_t key, uint32_t port_id, uint32_t now_s)
{
	struct fdb_slot *slot = fdb_find(fdb, key);

	if (slot) {
		fdb->counts_by_port[slot->port_id]--;
		fdb->counts_by_port[port_id]++;
		slot->seen_s = now_s;
		slot->port_id = port_id;
		return;
	}
	if (fdb->count >= fdb->limit)
		fdb_evict(fdb);
	slot = fdb_free_slot(fdb, key);
	slot->port_id = port_id;
	slot->seen_s = now_s;
	atomic_store_explicit(&slot->key, key, memory_order_release);
	fdb->counts_by_port[port_id]++;
	fdb->count++;
}

void
fdb_age(struct fdb *fdb, uint32_t now_s)
{
	for (uint32_t b = 0; b <= fdb->mask; b++) {
		for (unsigned i = 0; i < FDB_WAYS; i++) {
			struct fdb_slot *slot = &fdb->buckets[b].slots[i];

			/* A worker's second may be ahead of ours by a moment. */
			if (slot->key &&
			    (int32_t)(now_s - slot->seen_s) > (int32_t)fdb->aging_s)
				fdb_remove(fdb, slot);
		}
	}
}

void
fdb_flush(struct fdb *fdb, uint32_t port_id)
{
	for (uint32_t b = 0; b <= fdb->mask; b++) {
		for (unsigned i = 0; i < FDB_WAYS; i++) {
			struct fdb_slot *slot = &fdb->buckets[b].slots[i];

			if (slot->key &&
			    (port_id == FDB_PORT_NONE || slot->port_id == port_id))
				fdb_remove(fdb, slot);
		}
	}
}

void
fdb_dump(const struct fdb *fdb, uint32_t now_s,
         void (*cb)(const struct dp_fdb_entry *, void *aux), void *aux)
{
	for (uint32_t b = 0; b <= fdb->mask; b++) {
		for (unsigned i = 0; i < FDB_WAYS; i++) {
			const struct fdb_slot *slot = &fdb->buckets[b].slots[i];
			uint32_t seen_s = slot->seen_s;
			struct dp_fdb_entry entry;
			uint64_t key = slot->key;

			if (!key)
				continue;
			for (unsigned m = 0; m < 6; m++)
				entry.mac[m] = (uint8_t)(key >> (56 - 8 * m));
			entry.vlan = key >> 4 & 0xfff;
			entry.port_id = slot->port_id;
			entry.age_s = now_s > seen_s ? now_s - seen_s : 0;
			cb(&entry, aux);
		}
	}
}

void
fdb_copy(struct fdb *to, const struct fdb *from)
{
	for (uint32_t b = 0; b <= from->mask; b++)
		for (unsigned i = 0; i < FDB_WAYS; i++)
			if (from->buckets[b].slots[i].key && to->count < to->limit)
				fdb_learn(to, from->buckets[b].slots[i].key,
				          from->buckets[b].slots[i].port_id,
				          from->buckets[b].slots[i].seen_s);
}
