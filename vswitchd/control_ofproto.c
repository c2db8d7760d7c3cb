/* control_ofproto.c - ofproto/list, bridge/dump-flows and bridge/reconnect;
 * ofproto/trace is control_trace.c. Main thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vswitchd/control_commands.h"

static int
ofproto_list(size_t n_args, const char *const *args, struct str *out, struct error *err,
             void *aux)
{
	struct running_bridge **bridges;
	size_t n;

	(void)n_args, (void)args, (void)err;
	bridges = running_list_bridges(aux, &n);
	for (size_t i = 0; i < n; i++)
		str_printf(out, "%s\n", bridges[i]->config.name);
	free(bridges);
	return 0;
}

static int
bridge_dump_flows(size_t n_args, const char *const *args, struct str *out,
                  struct error *err, void *aux)
{
	const struct running_bridge *bridge;
	bool is_offload = n_args == 2 && !strcmp(args[0], "--offload-stats");

	if (n_args == 2 && !is_offload)
		return error_set(err, -EINVAL, "%.64s: unknown option", args[0]);
	bridge = running_find_bridge(aux, args[n_args - 1]);
	if (!bridge)
		return error_set(err, -ENOENT, "%.64s: no such bridge", args[n_args - 1]);
	ofproto_dump_flows(bridge->ofproto, is_offload, out);
	return 0;
}

/* Of one bridge, or of all. */
static int
bridge_reconnect(size_t n_args, const char *const *args, struct str *out,
                 struct error *err, void *aux)
{
	struct running_bridge **bridges;
	size_t n;

	(void)out;
	if (n_args && !running_find_bridge(aux, args[0]))
		return error_set(err, -ENOENT, "%.64s: no such bridge", args[0]);
	bridges = running_list_bridges(aux, &n);
	for (size_t i = 0; i < n; i++)
		if (!n_args || !strcmp(bridges[i]->config.name, args[0]))
			ofproto_reconnect(bridges[i]->ofproto);
	free(bridges);
	return 0;
}

void
control_add_ofproto(struct control_registry *registry, const struct running *running)
{
	void *aux = (void *)(uintptr_t)running; /* the commands only read it */

	control_register(registry, "ofproto/list", "", 0, 0, ofproto_list, aux);
	control_register(registry, "bridge/dump-flows", "[--offload-stats] bridge", 1, 2,
	                 bridge_dump_flows, aux);
	control_register(registry, "bridge/reconnect", "[bridge]", 0, 1, bridge_reconnect,
	                 aux);
}
