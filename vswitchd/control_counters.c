/* control_counters.c - port/counters, memory/show and coverage/show. Main thread. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "vswitchd/control_commands.h"

static void
counter_to_text(const char *name, uint64_t value, void *aux)
{
	str_printf(aux, "%s: %llu\n", name, (unsigned long long)value);
}

static void
counter_to_json(const char *name, uint64_t value, void *aux)
{
	json_object_set_new(aux, name, json_integer((json_int_t)value));
}

static int
port_counters(size_t n_args, const char *const *args, struct str *out, struct error *err,
              void *aux)
{
	const struct running_port *port;
	bool as_json = n_args == 2;
	json_t *object;
	char *text;

	if (as_json && strcmp(args[0], "--json"))
		return error_set(err, -EINVAL, "\"%s\" is not an option", args[0]);
	port = running_find_port(aux, args[n_args - 1]);
	if (!port)
		return error_set(err, -ENOENT, "no such interface");
	if (!as_json) {
		dp_port_counters(port->id, counter_to_text, out);
		return 0;
	}
	object = json_object();
	dp_port_counters(port->id, counter_to_json, object);
	text = json_dumps(object, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	json_decref(object);
	str_printf(out, "%s\n", text);
	free(text);
	return 0;
}

static int
memory_show(size_t n_args, const char *const *args, struct str *out, struct error *err,
            void *aux)
{
	const struct running *running = aux;

	(void)n_args, (void)args, (void)err;
	str_printf(out, "bridges:%zu ports:%zu", running->bridges.count,
	           running->ports.count);
	if (running->is_started) {
		str_append_char(out, ' ');
		dp_memory_report(out);
	}
	str_append_char(out, '\n');
	return 0;
}

static int
coverage_show(size_t n_args, const char *const *args, struct str *out, struct error *err,
              void *aux)
{
	(void)n_args, (void)args, (void)err;
	coverage_print(aux, out);
	return 0;
}

static int
coverage_read_counter(size_t n_args, const char *const *args, struct str *out,
                      struct error *err, void *aux)
{
	uint64_t total;

	(void)n_args;
	if (!coverage_read(aux, args[0], &total))
		return error_set(err, -ENOENT, "No such counter");
	str_printf(out, "%llu\n", (unsigned long long)total);
	return 0;
}

void
control_add_counters(struct control_registry *registry, const struct running *running,
                     const struct coverage *coverage)
{
	/* The commands only read them. */
	void *r = (void *)(uintptr_t)running, *c = (void *)(uintptr_t)coverage;

	control_register(registry, "port/counters", "[--json] interface", 1, 2,
	                 port_counters, r);
	control_register(registry, "memory/show", "", 0, 0, memory_show, r);
	control_register(registry, "coverage/show", "", 0, 0, coverage_show, c);
	control_register(registry, "coverage/read-counter", "COUNTER", 1, 1,
	                 coverage_read_counter, c);
}
