/* of.c - names of versions, and errors on their way up. Any thread. */
#include "openflow/of.h"

#include <string.h>

#include "base/compiler.h"

static const char *const version_names[] = {
	[OF10] = "OpenFlow10", [OF11] = "OpenFlow11", [OF12] = "OpenFlow12",
	[OF13] = "OpenFlow13", [OF14] = "OpenFlow14", [OF15] = "OpenFlow15",
};

const char *
of_version_name(enum of_version version)
{
	return version >= OF10 && version <= OF15 ? version_names[version] : NULL;
}

enum of_version
of_version_from_name(const char *name)
{
	for (unsigned i = OF10; i <= OF15; i++)
		if (!strcmp(name, version_names[i]))
			return (enum of_version)i;
	return 0;
}
