/* mask_set.c - the masks that a bridge's rules and actions have, counted. Main. */
#include "datapath/mask_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct mask_entry {
	struct hmap_node node;
	uint32_t users;
	struct flow_key mask;
};

void
mask_set_init(struct mask_set *set)
{
	memset(set, 0, sizeof(*set));
	hmap_init(&set->entries);
}

void
mask_set_destroy(struct mask_set *set)
{
	struct mask_entry *entry;

	HMAP_FOR_EACH (entry, node, &set->entries) {
		hmap_remove(&set->entries, &entry->node);
		free(entry);
	}
	hmap_destroy(&set->entries);
}

static void
mask_set_widen(struct mask_set *set, const struct flow_key *mask)
{
	for (size_t i = 0; i < FLOW_KEY_WORDS; i++)
		set->all.words[i] |= mask->words[i];
}

struct mask_entry *
mask_set_ref(struct mask_set *set, const struct flow_key *mask)
{
	uint32_t hash = hash_bytes(mask, sizeof(*mask), 0);
	struct mask_entry *entry;

	HMAP_FOR_EACH_WITH_HASH (entry, node, hash, &set->entries) {
		if (!memcmp(&entry->mask, mask, sizeof(*mask))) {
			entry->users++;
			return entry;
		}
	}
	entry = xcalloc(1, sizeof(*entry));
	entry->mask = *mask;
	entry->users = 1;
	hmap_insert(&set->entries, &entry->node, hash);
	mask_set_widen(set, mask);
	return entry;
}

void
mask_set_unref(struct mask_set *set, struct mask_entry *entry)
{
	if (--entry->users)
		return;
	hmap_remove(&set->entries, &entry->node);
	free(entry);
	set->is_stale = true;
}

const struct flow_key *
mask_set_union(struct mask_set *set)
{
	struct mask_entry *entry;

	if (set->is_stale) {
		memset(&set->all, 0, sizeof(set->all));
		HMAP_FOR_EACH (entry, node, &set->entries)
			mask_set_widen(set, &entry->mask);
		set->is_stale = false;
	}
	return &set->all;
}
