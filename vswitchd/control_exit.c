/* control_exit.c - the exit command. Main thread. */
#include <string.h>

#include "vswitchd/control_commands.h"

static int
control_exit(size_t n_args, const char *const *args, struct str *out, struct error *err,
             void *aux)
{
	/* The answer must leave first. */
	const struct timeval soon = {.tv_usec = 20000};

	(void)n_args, (void)args, (void)out, (void)err;
	event_base_loopexit(aux, &soon);
	return 0;
}

void
control_add_exit(struct control_registry *registry, struct event_base *loop)
{
	control_register(registry, "exit", "[--cleanup]", 0, 1, control_exit, loop);
}
