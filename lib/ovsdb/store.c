/* store.c - the database's rows in an SQLite file: written before a commit is
 * acknowledged, read at start. Below txn.c and db.c. Main thread.
 *
 * One table of (table, uuid, row as JSON): what a row may hold is the schema's affair,
 * and its changes need no change of the file. The write-ahead log is synced at every
 * commit; a tail torn by a crash fails SQLite's checksums and is dropped, so that what is
 * read back is always the state after some commit, and after every acknowledged one. The
 * file is locked for as long as it is open. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "ovsdb/db_private.h"

LOG_MODULE(ovsdb_store);

/* "weir" in the file's header: what tells our files from other people's. */
#define APPLICATION_ID 0x77656972
#define WAL_KEEP_BYTES "4194304"
#define SCHEMA_OF_STORE                                                      \
	"BEGIN IMMEDIATE;"                                                   \
	"CREATE TABLE database (name TEXT NOT NULL);"                        \
	"CREATE TABLE rows (tbl TEXT NOT NULL, uuid TEXT NOT NULL, row TEXT" \
	" NOT NULL, PRIMARY KEY (tbl, uuid)) WITHOUT ROWID;"

struct store {
	sqlite3 *sqlite;
	char *path;
	sqlite3_stmt *put;
	sqlite3_stmt *drop;
};

static int
store_errno(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_CANTOPEN:
		return -EACCES;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	default:
		return -EIO;
	}
}

static int
store_error(const struct store *store, int rc, struct error *err)
{
	int os_errno = sqlite3_system_errno(store->sqlite);

	if ((rc & 0xff) == SQLITE_BUSY)
		return error_set(err, -EBUSY, "%s: in use by another process",
		                 store->path);
	if (((rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CANTOPEN) && os_errno)
		return error_set(err, -os_errno, "%s: %s", store->path,
		                 strerror(os_errno));
	return error_set(err, store_errno(rc), "%s: %s", store->path, sqlite3_errstr(rc));
}

static int
store_exec(struct store *store, const char *sql, struct error *err)
{
	int rc = sqlite3_exec(store->sqlite, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : store_error(store, rc, err);
}

/* The first column of the first row, as text of at most 'bytes'. */
static int
store_query(struct store *store, const char *sql, char *text, size_t bytes,
            struct error *err)
{
	sqlite3_stmt *stmt;
	int rc;

	text[0] = '\0';
	rc = sqlite3_prepare_v2(store->sqlite, sql, -1, &stmt, NULL);
	if (rc != SQLITE_OK)
		return store_error(store, rc, err);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		const unsigned char *value = sqlite3_column_text(stmt, 0);

		snprintf(text, bytes, "%s", value ? (const char *)value : "");
		rc = SQLITE_DONE;
	}
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE ? 0 : store_error(store, rc, err);
}

/* Reads only: a file that is not ours stays as it is. 1 = ours, 0 = empty. */
static int
store_check_owner(struct store *store, struct error *err)
{
	char id[32], tables[32];
	int rc;

	rc = store_query(store, "PRAGMA application_id", id, sizeof(id), err);
	if (!rc)
		rc = store_query(store, "SELECT count(*) FROM sqlite_master", tables,
		                 sizeof(tables), err);
	if (rc)
		return rc;
	if (strtoul(id, NULL, 10) == APPLICATION_ID)
		return 1;
	if (strcmp(id, "0") != 0 || strcmp(tables, "0") != 0)
		return error_set(err, -EBADMSG, "%s: not a database of weir",
		                 store->path);
	return 0;
}

static int
store_create(struct store *store, const struct ovsdb_schema *schema, struct error *err)
{
	char *name;
	int rc;

	/* The ID is written by the same transaction: a crash leaves an empty file. */
	rc = store_exec(store, SCHEMA_OF_STORE, err);
	if (rc)
		return rc;
	name = sqlite3_mprintf("INSERT INTO database VALUES (%Q);"
	                       "PRAGMA application_id = %d; COMMIT",
	                       schema->name, APPLICATION_ID);
	rc = store_exec(store, name, err);
	sqlite3_free(name);
	return rc;
}

static int
store_check(struct store *store, const struct ovsdb_schema *schema, struct error *err)
{
	char text[256];
	int rc;

	rc = store_query(store, "PRAGMA quick_check(1)", text, sizeof(text), err);
	if (rc)
		return rc;
	if (strcmp(text, "ok") != 0)
		return error_set(err, -EBADMSG, "%s: damaged: %s", store->path, text);
	rc = store_query(store, "SELECT name FROM database", text, sizeof(text), err);
	if (rc)
		return rc;
	if (strcmp(text, schema->name) != 0)
		return error_set(err, -EBADMSG, "%s: holds database \"%s\", not \"%s\"",
		                 store->path, text, schema->name);
	return 0;
}

static int
store_prepare(struct store *store, const struct ovsdb_schema *schema, struct error *err)
{
	int rc, is_ours;

	is_ours = store_check_owner(store, err);
	if (is_ours < 0)
		return is_ours;
	rc = store_exec(store,
	                "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
	                "PRAGMA synchronous = FULL;"
	                "PRAGMA journal_size_limit = " WAL_KEEP_BYTES ";",
	                err);
	if (!rc)
		rc = is_ours ? store_check(store, schema, err)
		             : store_create(store, schema, err);
	if (rc)
		return rc;
	rc = sqlite3_prepare_v2(store->sqlite, "REPLACE INTO rows VALUES (?, ?, ?)", -1,
	                        &store->put, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(store->sqlite,
		                        "DELETE FROM rows WHERE tbl = ? AND uuid = ?", -1,
		                        &store->drop, NULL);
	return rc == SQLITE_OK ? 0 : store_error(store, rc, err);
}

int
store_open(const char *path, const struct ovsdb_schema *schema, struct store **store_out,
           struct error *err)
{
	struct store *store;
	int rc, fd;

	/* SQLite would create it readable for all; the log takes the file's mode. */
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0)
		return error_set(err, -errno, "%s: %s", path, strerror(errno));
	close(fd);
	store = xcalloc(1, sizeof(*store));
	store->path = xstrdup(path);
	rc = sqlite3_open_v2(path, &store->sqlite,
	                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK) {
		rc = store_error(store, rc, err);
	} else {
		sqlite3_extended_result_codes(store->sqlite, 1);
		rc = store_prepare(store, schema, err);
	}
	if (rc) {
		store_close(store);
		return rc;
	}
	*store_out = store;
	return 0;
}

void
store_close(struct store *store)
{
	if (!store)
		return;
	sqlite3_finalize(store->put);
	sqlite3_finalize(store->drop);
	sqlite3_close(store->sqlite);
	free(store->path);
	free(store);
}

static int
load_row(sqlite3_stmt *stmt, store_row_fn *row_fn, void *aux, struct error *err)
{
	const char *table = (const char *)sqlite3_column_text(stmt, 0);
	const char *uuid = (const char *)sqlite3_column_text(stmt, 1);
	const char *text = (const char *)sqlite3_column_text(stmt, 2);
	json_t *row;
	int rc;

	if (!table || !uuid || !text)
		return error_set(err, -EBADMSG, "a row is not text");
	row = json_loads(text, 0, NULL);
	if (!json_is_object(row)) {
		json_decref(row);
		return error_set(err, -EBADMSG, "table %s row %s: not a JSON object",
		                 table, uuid);
	}
	rc = row_fn(table, uuid, row, aux, err);
	json_decref(row);
	return rc;
}

int
store_load(struct store *store, store_row_fn *row_fn, void *aux, struct error *err)
{
	sqlite3_stmt *stmt;
	int rc, result = 0;

	rc = sqlite3_prepare_v2(store->sqlite, "SELECT tbl, uuid, row FROM rows", -1,
	                        &stmt, NULL);
	if (rc != SQLITE_OK)
		return store_error(store, rc, err);
	while (!result && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		result = load_row(stmt, row_fn, aux, err);
		if (result)
			error_prefix(err, "%s", store->path);
	}
	sqlite3_finalize(stmt);
	if (!result && rc != SQLITE_DONE)
		result = store_error(store, rc, err);
	return result;
}

/* Columns at their default are left out: most are. */
static char *
row_to_text(const struct db_row *row)
{
	const struct ovsdb_table_schema *schema = row->table->schema;
	json_t *json = json_object();
	char *text;

	for (size_t i = 1; i < schema->n_columns; i++) {
		const struct ovsdb_column *column = schema->columns[i];

		if (!column->is_ephemeral &&
		    !ovsdb_datum_is_default(&row->datums[i], &column->type))
			json_object_set_new(
				json, column->name,
				ovsdb_datum_to_json(&row->datums[i], &column->type));
	}
	text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	return text;
}

static bool
is_durable_change(const struct txn_row *txn_row)
{
	const struct ovsdb_table_schema *schema = txn_row->row->table->schema;

	if (txn_row->is_new || txn_row->is_deleted)
		return true;
	for (size_t i = 0; txn_row->is_touched && i < schema->n_columns; i++)
		if (txn_row->is_touched[i] && !schema->columns[i]->is_ephemeral)
			return true;
	return false;
}

static int
store_write_row(struct store *store, const struct txn_row *txn_row, struct error *err)
{
	sqlite3_stmt *stmt = txn_row->is_deleted ? store->drop : store->put;
	const struct db_row *row = txn_row->row;
	char uuid[UUID_TEXT_BYTES];
	int rc;

	uuid_to_text(&row->uuid, uuid);
	sqlite3_bind_text(stmt, 1, row->table->schema->name, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 2, uuid, -1, SQLITE_STATIC);
	if (!txn_row->is_deleted)
		sqlite3_bind_text(stmt, 3, row_to_text(row), -1, free);
	rc = sqlite3_step(stmt);
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	return rc == SQLITE_DONE ? 0 : store_error(store, rc, err);
}

int
store_write(struct store *store, const struct txn *txn, struct error *err)
{
	const struct txn_row *txn_row;
	bool is_begun = false;
	int rc = 0;

	LIST_FOR_EACH (txn_row, link, &txn->rows) {
		if (!txn_row->is_changed || !is_durable_change(txn_row))
			continue;
		if (!is_begun)
			rc = store_exec(store, "BEGIN IMMEDIATE", err);
		is_begun = !rc;
		if (!rc)
			rc = store_write_row(store, txn_row, err);
		if (rc)
			break;
	}
	if (!rc && is_begun)
		rc = store_exec(store, "COMMIT", err);
	if (rc) {
		/* Some failures have ended SQLite's transaction already. */
		if (!sqlite3_get_autocommit(store->sqlite))
			(void)store_exec(store, "ROLLBACK", NULL);
		log_err("cannot store a transaction: %s", err ? err->text : "");
	}
	return rc;
}
