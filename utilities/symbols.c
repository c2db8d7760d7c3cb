/* symbols.c - the "@name" symbols of a command line; see vsctl.h. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "vsctl.h"

struct symbol *
vsctl_symbol(struct vsctl *vsctl, const char *name)
{
	struct symbol *symbol;

	for (symbol = vsctl->symbols; symbol; symbol = symbol->next)
		if (!strcmp(symbol->name, name))
			return symbol;
	symbol = xcalloc(1, sizeof(*symbol));
	symbol->name = xstrdup(name);
	symbol->uuid = uuid_random();
	symbol->next = vsctl->symbols;
	vsctl->symbols = symbol;
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
}

bool
vsctl_resolve_symbol(const char *name, struct uuid *uuid, void *aux)
{
	struct symbol *symbol = vsctl_symbol(aux, name[0] == '@' ? name + 1 : name);

	symbol->is_referenced = true;
	*uuid = symbol->uuid;
	return true;
}
