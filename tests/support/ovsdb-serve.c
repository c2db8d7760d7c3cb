/* ovsdb-serve.c - a database and nothing else, for tests of the database with its real
 * clients. Usage: ovsdb-serve [--copy-cfg] [--schema FILE] DATABASE TARGET...
 * DATABASE "-" is kept in memory only. Prints "ready" when all targets are set up; ends
 * at SIGTERM. --copy-cfg does what clients wait for: cur_cfg follows next_cfg. */
#include <event2/event.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "ovsdb/db.h"
#include "ovsdb/server.h"

LOG_MODULE(ovsdb_serve);

/* From inside the hook: its own commit calls it once more, which then writes nothing. */
static void
copy_cfg(struct db *db, void *aux)
{
	struct error err = {""};
	const struct db_row *row;
	struct db_txn *txn;
	int64_t next;

	(void)aux;
	row = db_row_first(db, "Open_vSwitch");
	if (!row)
		return;
	next = db_row_integer(row, "next_cfg", 0);
	if (next == db_row_integer(row, "cur_cfg", 0))
		return;
	txn = db_txn_begin(db);
	db_txn_set_integer(txn, "Open_vSwitch", db_row_uuid(row), "cur_cfg", next);
	for (row = db_row_first(db, "Interface"); row; row = db_row_next(row))
		if (!db_row_datum(row, "ofport")->n)
			db_txn_set_integer(txn, "Interface", db_row_uuid(row), "ofport",
			                   1);
	if (db_txn_commit(txn, &err))
		log_err("cannot set cur_cfg: %s", err.text);
}

static void
stop(evutil_socket_t fd, short what, void *loop)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(loop);
}

static struct ovsdb_schema *
read_schema(const char *path)
{
	struct ovsdb_schema *schema = NULL;
	struct error err = {""};
	json_t *json;

	json = path ? json_load_file(path, 0, NULL)
	            : json_loads(ovsdb_schema_text(), 0, NULL);
	if (!json)
		fprintf(stderr, "ovsdb-serve: %s: not JSON\n", path);
	else if (ovsdb_schema_from_json(json, &schema, &err))
		fprintf(stderr, "ovsdb-serve: %s\n", err.text);
	json_decref(json);
	return schema;
}

static int
serve(struct db *db, char **targets, int n)
{
	struct event_base *loop = event_base_new();
	struct event *term = evsignal_new(loop, SIGTERM, stop, loop);
	struct ovsdb_server *server = ovsdb_server_create(loop, db);
	struct error err = {""};
	int rc = 0;

	event_add(term, NULL);
	for (int i = 0; i < n && !rc; i++)
		rc = ovsdb_server_add_remote(server, targets[i], &err);
	if (rc) {
		fprintf(stderr, "ovsdb-serve: %s\n", err.text);
	} else {
		puts("ready");
		fflush(stdout);
		event_base_dispatch(loop);
	}
	ovsdb_server_destroy(server);
	event_free(term);
	event_base_free(loop);
	return rc;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{"copy-cfg", no_argument, NULL, 'c'},
		{"schema", required_argument, NULL, 's'},
		{NULL, 0, NULL, 0},
	};
	const char *schema_path = NULL;
	struct ovsdb_schema *schema;
	struct error err = {""};
	bool copies = false;
	struct db *db;
	int c, rc;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'c')
			copies = true;
		else if (c == 's')
			schema_path = optarg;
		else
			return 2;
	}
	if (argc - optind < 2) {
		fprintf(stderr, "usage: ovsdb-serve [--copy-cfg] [--schema FILE] "
		                "DATABASE TARGET...\n");
		return 2;
	}
	schema = read_schema(schema_path);
	if (!schema)
		return 1;
	if (db_open(schema, strcmp(argv[optind], "-") ? argv[optind] : NULL, &db, &err)) {
		fprintf(stderr, "ovsdb-serve: %s\n", err.text);
		return 1;
	}
	if (copies)
		db_set_commit_hook(db, copy_cfg, NULL);
	rc = serve(db, argv + optind + 1, argc - optind - 1);
	db_close(db);
	return rc ? 1 : 0;
}
