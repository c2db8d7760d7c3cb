/* control_log.c - vlog/list, vlog/set, vlog/reopen. Main thread. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "vswitchd/control_commands.h"

static int
vlog_list(size_t n_args, const char *const *args, struct str *out, struct error *err,
          void *aux)
{
	(void)n_args, (void)args, (void)err, (void)aux;
	log_list_levels(out);
	return 0;
}

static int
vlog_set(size_t n_args, const char *const *args, struct str *out, struct error *err,
         void *aux)
{
	(void)out, (void)aux;
	for (size_t i = 0; i < n_args; i++) {
		int ret = log_set_levels(args[i], err);

		if (ret)
			return ret;
	}
	return 0;
}

static int
vlog_reopen(size_t n_args, const char *const *args, struct str *out, struct error *err,
            void *aux)
{
	(void)n_args, (void)args, (void)out, (void)aux;
	return log_reopen_file(err);
}

void
control_add_log(struct control_registry *registry)
{
	control_register(registry, "vlog/list", "", 0, 0, vlog_list, NULL);
	control_register(registry, "vlog/set", "{[module][:destination][:level]}...", 0,
	                 CONTROL_ARGS_MAX, vlog_set, NULL);
	control_register(registry, "vlog/reopen", "", 0, 0, vlog_reopen, NULL);
}
