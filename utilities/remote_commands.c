/* remote_commands.c - controllers, fail mode, managers and SSL settings. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli.h"
#include "switch_view.h"
#include "value.h"

static int
prepare_controller(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	replica_want(&vsctl->replica, "Bridge", "controller");
	replica_want(&vsctl->replica, "Bridge", "fail_mode");
	replica_want(&vsctl->replica, "Controller", "target");
	replica_want(&vsctl->replica, "Controller", "inactivity_probe");
	return switch_view_prepare(vsctl, call, err);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The targets of the rows that a column refers to, sorted, one per line. */
static void
print_targets(struct vsctl *vsctl, const char *table_name, struct row *row,
              const char *column, struct str *out)
{
	const struct replica_table *table = replica_table(&vsctl->replica, table_name);
	const struct ovsdb_datum *refs = row_get(row, column);
	const char **targets = xcalloc(refs->n + 1, sizeof(*targets));
	size_t n = 0;

	row_verify(row, column);
	for (size_t i = 0; i < refs->n; i++) {
		const struct row *target = replica_row(table, &refs->keys[i].uuid);

		if (target)
			targets[n++] = row_string(target, "target");
	}
	qsort(targets, n, sizeof(*targets), compare_names);
	for (size_t i = 0; i < n; i++)
		str_printf(out, "%s\n", targets[i]);
	free(targets);
}

static void
delete_targets(struct vsctl *vsctl, const char *table_name, struct row *row,
               const char *column)
{
	const struct replica_table *table = replica_table(&vsctl->replica, table_name);
	const struct ovsdb_datum *refs = row_get(row, column);

	row_verify(row, column);
	for (size_t i = 0; i < refs->n; i++) {
		struct row *target = replica_row(table, &refs->keys[i].uuid);

		if (target)
			row_delete(target);
	}
	row_clear(row, column);
}

/* "tcp:1.2.3.4" and the like; anything else is stored all the same. */
static void
warn_of_odd_target(const char *target)
{
	static const char *const kinds[] = {
		"tcp:", "ssl:", "unix:", "ptcp:", "pssl:", "punix:"};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strncmp(target, kinds[i], strlen(kinds[i])))
			return;
	cli_warn("target type \"%s\" is possibly erroneous", target);
}

static int
insert_targets(struct vsctl *vsctl, const struct invocation *call, int first,
               const char *table_name, struct row *row, const char *column,
               struct error *err)
{
	struct replica_table *table = replica_table(&vsctl->replica, table_name);
	const char *probe = invocation_value(call, "--inactivity-probe");
	struct ovsdb_datum value;
	int64_t probe_ms = 0;

	if (probe && !parse_i64(probe, 0, INT64_MAX, &probe_ms))
		return error_set(err, -EINVAL,
		                 "--inactivity-probe: \"%s\" is not a number of "
		                 "milliseconds",
		                 probe);
	for (int i = first; i < call->n_args; i++) {
		struct uuid uuid = uuid_random();
		struct row *target = row_insert(table, &uuid);

		warn_of_odd_target(call->args[i]);
		value_init_string(&value, call->args[i]);
		row_set(target, "target", &value);
		if (probe) {
			value_init_integer(&value, probe_ms);
			row_set(target, "inactivity_probe", &value);
		}
		row_add_ref(row, column, target);
	}
	return 0;
}

/* A fake bridge has its parent's controllers. */
static int
get_controller_body(struct switch_view *view, struct invocation *call, struct error *err)
{
	struct bridge_view *bridge;
	int ret = switch_get_bridge(view, call->args[0], &bridge, err);

	if (!ret)
		print_targets(view->vsctl, "Controller", bridge->row, "controller",
		              &call->out);
	return ret;
}

static int
run_get_controller(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return switch_run(vsctl, call, get_controller_body, err);
}

static int
del_controller_body(struct switch_view *view, struct invocation *call, struct error *err)
{
	struct bridge_view *bridge;
	int ret = switch_get_real_bridge(view, call->args[0], &bridge, err);

	if (!ret)
		delete_targets(view->vsctl, "Controller", bridge->row, "controller");
	return ret;
}

static int
run_del_controller(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return switch_run(vsctl, call, del_controller_body, err);
}

static int
set_controller_body(struct switch_view *view, struct invocation *call, struct error *err)
{
	struct bridge_view *bridge;
	int ret = switch_get_real_bridge(view, call->args[0], &bridge, err);

	if (ret)
		return ret;
	delete_targets(view->vsctl, "Controller", bridge->row, "controller");
	return insert_targets(view->vsctl, call, 1, "Controller", bridge->row,
	                      "controller", err);
}

static int
run_set_controller(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return switch_run(vsctl, call, set_controller_body, err);
}

static int
get_fail_mode_body(struct switch_view *view, struct invocation *call, struct error *err)
{
	struct bridge_view *bridge;
	int ret = switch_get_bridge(view, call->args[0], &bridge, err);

	if (ret)
		return ret;
	row_verify(bridge->row, "fail_mode");
	if (row_get(bridge->row, "fail_mode")->n)
		str_printf(&call->out, "%s\n", row_string(bridge->row, "fail_mode"));
	return 0;
}

static int
run_get_fail_mode(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return switch_run(vsctl, call, get_fail_mode_body, err);
}

static int
del_fail_mode_body(struct switch_view *view, struct invocation *call, struct error *err)
{
	struct bridge_view *bridge;
	int ret = switch_get_real_bridge(view, call->args[0], &bridge, err);

	if (!ret)
		row_clear(bridge->row, "fail_mode");
	return ret;
}

static int
run_del_fail_mode(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return switch_run(vsctl, call, del_fail_mode_body, err);
}

static int
set_fail_mode_body(struct switch_view *view, struct invocation *call, struct error *err)
{
	const char *mode = call->args[1];
	struct bridge_view *bridge;
	struct ovsdb_datum value;
	int ret = switch_get_real_bridge(view, call->args[0], &bridge, err);

	if (ret)
		return ret;
	if (strcmp(mode, "standalone") && strcmp(mode, "secure"))
		return error_set(err, -EINVAL,
		                 "fail-mode must be \"standalone\" or \"secure\"");
	value_init_string(&value, mode);
	row_set(bridge->row, "fail_mode", &value);
	return 0;
}

static int
run_set_fail_mode(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return switch_run(vsctl, call, set_fail_mode_body, err);
}

static int
prepare_manager(struct vsctl *vsctl, struct invocation *call UNUSED,
                struct error *err UNUSED)
{
	replica_want(&vsctl->replica, "Open_vSwitch", "manager_options");
	replica_want(&vsctl->replica, "Manager", "target");
	replica_want(&vsctl->replica, "Manager", "inactivity_probe");
	return 0;
}

static int
run_get_manager(struct vsctl *vsctl, struct invocation *call, struct error *err UNUSED)
{
	print_targets(vsctl, "Manager", vsctl->root, "manager_options", &call->out);
	return 0;
}

static int
run_del_manager(struct vsctl *vsctl, struct invocation *call UNUSED,
                struct error *err UNUSED)
{
	delete_targets(vsctl, "Manager", vsctl->root, "manager_options");
	return 0;
}

static int
run_set_manager(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	delete_targets(vsctl, "Manager", vsctl->root, "manager_options");
	return insert_targets(vsctl, call, 0, "Manager", vsctl->root, "manager_options",
	                      err);
}

static int
prepare_ssl(struct vsctl *vsctl, struct invocation *call UNUSED, struct error *err)
{
	struct replica_table *table = replica_table(&vsctl->replica, "SSL");

	if (!table)
		return error_set(err, -ENOTSUP, "the database has no table SSL");
	replica_want(&vsctl->replica, "Open_vSwitch", "ssl");
	replica_want_all(table);
	return 0;
}

static struct row *
ssl_row(const struct vsctl *vsctl)
{
	const struct ovsdb_datum *refs = row_get(vsctl->root, "ssl");

	row_verify(vsctl->root, "ssl");
	if (!refs->n)
		return NULL;
	return replica_row(replica_table(&vsctl->replica, "SSL"), &refs->keys[0].uuid);
}

static int
run_get_ssl(struct vsctl *vsctl, struct invocation *call, struct error *err UNUSED)
{
	struct row *ssl = ssl_row(vsctl);

	if (ssl)
		str_printf(&call->out,
		           "Private key: %s\nCertificate: %s\nCA Certificate: "
		           "%s\nBootstrap: %s\n",
		           row_string(ssl, "private_key"), row_string(ssl, "certificate"),
		           row_string(ssl, "ca_cert"),
		           row_bool(ssl, "bootstrap_ca_cert") ? "true" : "false");
	return 0;
}

static int
run_del_ssl(struct vsctl *vsctl, struct invocation *call UNUSED, struct error *err UNUSED)
{
	struct row *ssl = ssl_row(vsctl);

	if (ssl) {
		row_delete(ssl);
		row_clear(vsctl->root, "ssl");
	}
	return 0;
}

static int
run_set_ssl(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	static const char *const columns[] = {"private_key", "certificate", "ca_cert"};
	struct replica_table *table = replica_table(&vsctl->replica, "SSL");
	struct uuid uuid = uuid_random();
	struct ovsdb_datum value;
	struct row *ssl;

	run_del_ssl(vsctl, call, err);
	ssl = row_insert(table, &uuid);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		value_init_string(&value, call->args[i]);
		row_set(ssl, columns[i], &value);
	}
	value_init_bool(&value, invocation_has(call, "--bootstrap"));
	row_set(ssl, "bootstrap_ca_cert", &value);
	value_init_uuid(&value, &uuid);
	row_set(vsctl->root, "ssl", &value);
	return 0;
}

static const char *const set_options[] = {"--inactivity-probe=", NULL};
static const char *const ssl_options[] = {"--bootstrap", NULL};

const struct command vsctl_remote_commands[] = {
	{"get-controller", 1, 1, NULL, prepare_controller, run_get_controller, NULL},
	{"del-controller", 1, 1, NULL, prepare_controller, run_del_controller, NULL},
	{"set-controller", 1, ARGS_ANY, set_options, prepare_controller,
         run_set_controller, NULL},
	{"get-fail-mode", 1, 1, NULL, prepare_controller, run_get_fail_mode, NULL},
	{"del-fail-mode", 1, 1, NULL, prepare_controller, run_del_fail_mode, NULL},
	{"set-fail-mode", 2, 2, NULL, prepare_controller, run_set_fail_mode, NULL},
	{"get-manager", 0, 0, NULL, prepare_manager, run_get_manager, NULL},
	{"del-manager", 0, 0, NULL, prepare_manager, run_del_manager, NULL},
	{"set-manager", 1, ARGS_ANY, set_options, prepare_manager, run_set_manager, NULL},
	{"get-ssl", 0, 0, NULL, prepare_ssl, run_get_ssl, NULL},
	{"del-ssl", 0, 0, NULL, prepare_ssl, run_del_ssl, NULL},
	{"set-ssl", 3, 3, ssl_options, prepare_ssl, run_set_ssl, NULL},
	{NULL, 0, 0, NULL, NULL, NULL, NULL},
};
