/* symbols.c - the "@name" symbols of a command line; see vsctl.h. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "vsctl.h"

struct symbol *
vsctl_symbol(struct vsctl *vsctl, const char *name)
{
	uint32_t hash = hash_string(name, 0);
	struct symbol *symbol;

	HMAP_FOR_EACH_WITH_HASH (symbol, node, hash, &vsctl->symbols_by_name)
		if (!strcmp(symbol->name, name))
			return symbol;
	symbol = xcalloc(1, sizeof(*symbol));
	symbol->name = xstrdup(name);
	symbol->uuid = uuid_random();
	symbol->next = vsctl->symbols;
	vsctl->symbols = symbol;
	hmap_insert(&vsctl->symbols_by_name, &symbol->node, hash);
	return symbol;
}

void
vsctl_symbols_free(struct vsctl *vsctl)
{
	while (vsctl->symbols) {
		struct symbol *symbol = vsctl->symbols;

		vsctl->symbols = symbol->next;
		free(symbol->name);
		free(symbol);
	}
	hmap_destroy(&vsctl->symbols_by_name);
	hmap_init(&vsctl->symbols_by_name);
}

bool
vsctl_resolve_symbol(const char *name, struct uuid *uuid, void *aux)
{
	struct symbol *symbol = vsctl_symbol(aux, name[0] == '@' ? name + 1 : name);

	symbol->is_referenced = true;
	*uuid = symbol->uuid;
	return true;
}
