/* general_commands.c - commands about the whole configuration: init, show, emer-reset,
 * comment; and the list of all families of commands. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "value.h"
#include "vsctl.h"

#define SHOW_INDENT      4
#define SHOW_COLUMNS_MAX 5

/* How show prints a row: its heading, then these columns. A column that refers to rows of
 * a table listed here prints those rows, further in. */
struct show_table {
	const char *table, *heading_column; /* NULL: the row's UUID is its heading */
	const char *columns[SHOW_COLUMNS_MAX];
};

static const struct show_table show_tables[] = {
	{"Open_vSwitch", NULL, {"manager_options", "bridges", "ovs_version"}},
	{"Bridge", "name", {"controller", "fail_mode", "datapath_type", "ports"}},
	{"Port", "name", {"tag", "trunks", "interfaces"}},
	{"Interface", "name", {"type", "options", "error", "bfd_status"}},
	{"Controller", "target", {"is_connected"}},
	{"Manager", "target", {"is_connected"}},
};

static const struct show_table *
find_show_table(const char *table)
{
	for (size_t i = 0; table && i < ARRAY_SIZE(show_tables); i++)
		if (!strcmp(show_tables[i].table, table))
			return &show_tables[i];
	return NULL;
}

static int
prepare_show(struct vsctl *vsctl, struct invocation *call UNUSED,
             struct error *err UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(show_tables); i++) {
		const struct show_table *how = &show_tables[i];

		replica_want(&vsctl->replica, how->table, how->heading_column);
		for (int j = 0; j < SHOW_COLUMNS_MAX && how->columns[j]; j++)
			replica_want(&vsctl->replica, how->table, how->columns[j]);
	}
	return 0;
}

static bool
is_default(const struct ovsdb_datum *datum, const struct ovsdb_type *type)
{
	struct ovsdb_datum fresh;
	bool same;

	ovsdb_datum_init_default(&fresh, type);
	same = !value_compare(datum, &fresh, type);
	ovsdb_datum_destroy(&fresh, type);
	return same;
}

static void
show_heading(const struct row *row, const struct show_table *how, int level,
             struct str *out)
{
	char uuid[UUID_TEXT_BYTES];

	str_printf(out, "%*s", level * SHOW_INDENT, "");
	if (how->heading_column) {
		const struct ovsdb_column *column = row_column(row, how->heading_column);

		str_printf(out, "%s ", how->table);
		ovsdb_datum_to_text(row_datum(row, column), &column->type, out);
	} else {
		uuid_to_text(&row->uuid, uuid);
		str_append(out, uuid);
	}
	str_append_char(out, '\n');
}

/* Depth is bounded by the tables: none refers back to one before it. */
static void
show_row(const struct vsctl *vsctl, const struct row *row, const struct show_table *how,
         int level, struct str *out)
{
	show_heading(row, how, level, out);
	for (int i = 0; i < SHOW_COLUMNS_MAX && how->columns[i]; i++) {
		const struct ovsdb_column *column = row_column(row, how->columns[i]);
		const struct show_table *target;
		const struct ovsdb_datum *datum;

		if (!column)
			continue;
		datum = row_datum(row, column);
		target = find_show_table(column->type.key.ref_table);
		for (size_t j = 0; target && j < datum->n; j++) {
			const struct row *next =
				replica_row(replica_table(&vsctl->replica, target->table),
			                    &datum->keys[j].uuid);

			if (next)
				show_row(vsctl, next, target, level + 1, out);
		}
		if (target || is_default(datum, &column->type))
			continue;
		str_printf(out, "%*s%s: ", (level + 1) * SHOW_INDENT, "", column->name);
		ovsdb_datum_to_text(datum, &column->type, out);
		str_append_char(out, '\n');
	}
}

static int
run_show(struct vsctl *vsctl, struct invocation *call, struct error *err UNUSED)
{
	show_row(vsctl, vsctl->root, &show_tables[0], 0, &call->out);
	return 0;
}

/* What emer-reset empties, in all rows; the "other_config" of every table comes on top.
 */
static const struct {
	const char *table, *column;
} reset_columns[] = {
	{"Open_vSwitch", "manager_options"},
	{"Open_vSwitch", "ssl"},
	{"Bridge", "controller"},
	{"Bridge", "fail_mode"},
	{"Bridge", "mirrors"},
	{"Bridge", "netflow"},
	{"Bridge", "sflow"},
	{"Bridge", "ipfix"},
};
static const char *const reset_config_tables[] = {"Open_vSwitch", "Bridge", "Port",
                                                  "Interface"};

static int
prepare_reset(struct vsctl *vsctl, struct invocation *call UNUSED,
              struct error *err UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(reset_columns); i++)
		replica_want(&vsctl->replica, reset_columns[i].table,
		             reset_columns[i].column);
	for (size_t i = 0; i < ARRAY_SIZE(reset_config_tables); i++)
		replica_want(&vsctl->replica, reset_config_tables[i], "other_config");
	return 0;
}

/* "hwaddr" stays: without it the bridge would come up with another MAC address. */
static void
reset_other_config(struct row *row, bool keep_hwaddr)
{
	const struct ovsdb_column *column = row_column(row, "other_config");
	const struct ovsdb_datum *old = row_datum(row, column);
	union ovsdb_atom key = {.string = (char[]){"hwaddr"}};
	int i = keep_hwaddr ? value_index_of(old, &column->type, &key) : -1;
	struct ovsdb_datum kept, fresh = {0, NULL, NULL};

	if (i >= 0) {
		kept = (struct ovsdb_datum){1, &old->keys[i], &old->values[i]};
		value_add(&fresh, &kept, &column->type);
	}
	row_verify_column(row, column);
	row_set_datum(row, column, &fresh);
}

static int
run_reset(struct vsctl *vsctl, struct invocation *call UNUSED, struct error *err UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(reset_columns); i++) {
		struct replica_table *table =
			replica_table(&vsctl->replica, reset_columns[i].table);
		size_t n = 0;
		struct row **rows = table ? replica_rows(table, &n) : NULL;

		for (size_t j = 0; j < n; j++)
			if (row_column(rows[j], reset_columns[i].column))
				row_clear(rows[j], reset_columns[i].column);
		free(rows);
	}
	for (size_t i = 0; i < ARRAY_SIZE(reset_config_tables); i++) {
		struct replica_table *table =
			replica_table(&vsctl->replica, reset_config_tables[i]);
		bool is_bridge = !strcmp(reset_config_tables[i], "Bridge");
		size_t n = 0;
		struct row **rows = table ? replica_rows(table, &n) : NULL;

		for (size_t j = 0; j < n; j++)
			reset_other_config(rows[j], is_bridge);
		free(rows);
	}
	return 0;
}

static const struct command general_commands[] = {
	{"init", 0, 0, NULL, NULL, NULL, NULL},
	{"show", 0, 0, NULL, prepare_show, run_show, NULL},
	{"emer-reset", 0, 0, NULL, prepare_reset, run_reset, NULL},
	{"comment", 0, ARGS_ANY, NULL, NULL, NULL, NULL},
	{NULL, 0, 0, NULL, NULL, NULL, NULL},
};

const struct command *const vsctl_commands[] = {
	general_commands,      vsctl_bridge_commands, vsctl_port_commands,
	vsctl_remote_commands, vsctl_attach_commands, vsctl_datapath_commands,
	vsctl_read_commands,   vsctl_write_commands,  NULL,
};
