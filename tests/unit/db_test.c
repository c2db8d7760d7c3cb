/* db_test.c - lib/ovsdb/db.h: the daemon's reads and writes, the store, its failures. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ovsdb/db.h"

static char dir[64], path[80];

static struct ovsdb_schema *
own_schema(void)
{
	json_t *json = json_loads(ovsdb_schema_text(), 0, NULL);
	struct ovsdb_schema *schema;

	assert_int_equal(ovsdb_schema_from_json(json, &schema, NULL), 0);
	json_decref(json);
	return schema;
}

static struct db *
open_db(void)
{
	struct error err = {""};
	struct db *db;

	if (db_open(own_schema(), path, &db, &err))
		fail_msg("%s", err.text);
	return db;
}

static int
open_fails(struct error *err)
{
	struct db *db;

	return db_open(own_schema(), path, &db, err);
}

static void
commit(struct db_txn *txn)
{
	struct error err = {""};

	if (db_txn_commit(txn, &err))
		fail_msg("%s", err.text);
}

/* A QoS row, which lives without a reference. */
static struct uuid
add_qos(struct db *db, const char *type)
{
	struct db_txn *txn = db_txn_begin(db);
	struct uuid uuid = db_txn_insert(txn, "QoS");

	db_txn_set_string(txn, "QoS", &uuid, "type", type);
	commit(txn);
	return uuid;
}

static size_t
count_rows(const struct db *db, const char *table)
{
	size_t n = 0;

	for (const struct db_row *row = db_row_first(db, table); row;
	     row = db_row_next(row))
		n++;
	return n;
}

static int
set_up(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/weir-db-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/conf.db", dir);
	return 0;
}

static int
tear_down(void **state)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	char name[100];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		unlink(name);
	}
	return rmdir(dir);
}

static void
test_values_survive_reopening(void **state)
{
	static const char *const keys[] = {"b", "a"}, *const values[] = {"2", "1"};
	static const int64_t counts[] = {7, 8};
	struct db *db = open_db();
	struct db_txn *txn = db_txn_begin(db);
	struct uuid bridge, port, iface, root;
	const struct db_row *row;
	struct ovsdb_datum set = {.n = 1};
	struct stat st;

	(void)state;
	root = db_txn_insert(txn, "Open_vSwitch");
	bridge = db_txn_insert(txn, "Bridge");
	port = db_txn_insert(txn, "Port");
	iface = db_txn_insert(txn, "Interface");
	set.keys = (union ovsdb_atom *)&bridge;
	db_txn_set(txn, "Open_vSwitch", &root, "bridges", &set);
	set.keys = (union ovsdb_atom *)&port;
	db_txn_set(txn, "Bridge", &bridge, "ports", &set);
	set.keys = (union ovsdb_atom *)&iface;
	db_txn_set(txn, "Port", &port, "interfaces", &set);
	db_txn_set_string(txn, "Bridge", &bridge, "name", "br0");
	db_txn_set_bool(txn, "Bridge", &bridge, "stp_enable", true);
	db_txn_set_string(txn, "Interface", &iface, "name", "p1");
	db_txn_set_integer(txn, "Interface", &iface, "ofport", 3);
	db_txn_set_string_map(txn, "Interface", &iface, "options", keys, values, 2);
	db_txn_set_integer_map(txn, "Interface", &iface, "statistics", keys, counts, 2);
	commit(txn);
	assert_int_equal(db_generation(db), 1);
	row = db_row_by_uuid(db, "Interface", &iface);
	assert_int_equal(db_row_datum(row, "statistics")->values[1].integer, 7);
	db_close(db);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);

	db = open_db();
	assert_int_equal(count_rows(db, "Interface"), 1);
	row = db_row_by_uuid(db, "Interface", &iface);
	assert_string_equal(db_row_string(row, "name", NULL), "p1");
	assert_int_equal(db_row_integer(row, "ofport", -5), 3);
	assert_int_equal(db_row_integer(row, "mtu", -5), -5);
	assert_string_equal(db_row_map_string(row, "options", "a"), "1");
	assert_null(db_row_map_string(row, "options", "c"));
	/* An ephemeral column. */
	assert_int_equal(db_row_datum(row, "statistics")->n, 0);
	assert_true(uuid_equal(db_row_uuid(row), &iface));
	row = db_row_first(db, "Bridge");
	assert_true(db_row_bool(row, "stp_enable", false));
	assert_string_equal(db_row_string(row, "fail_mode", "none"), "none");
	assert_null(db_row_first(db, "Mirror"));
	db_close(db);
}

static void
test_writes_are_checked(void **state)
{
	struct db *db = open_db();
	struct uuid qos = add_qos(db, "linux-htb"), port;
	struct error err = {""};
	struct db_txn *txn;
	uint64_t generation = db_generation(db);

	(void)state;
	/* No change: no commit. */
	txn = db_txn_begin(db);
	db_txn_set_string(txn, "QoS", &qos, "type", "linux-htb");
	commit(txn);
	assert_int_equal(db_generation(db), generation);

	/* A port without an interface refers to row 0. */
	txn = db_txn_begin(db);
	port = db_txn_insert(txn, "Port");
	db_txn_set_string(txn, "QoS", &qos, "type", "other");
	assert_int_equal(db_txn_commit(txn, &err), -EINVAL);
	assert_non_null(strstr(err.text, "Table Port column interfaces"));
	assert_null(db_row_by_uuid(db, "Port", &port));
	assert_string_equal(db_row_string(db_row_first(db, "QoS"), "type", ""),
	                    "linux-htb");

	txn = db_txn_begin(db);
	db_txn_set_string(txn, "Port", &port, "vlan_mode", "tronk");
	db_txn_set_string(txn, "QoS", &qos, "type", "other");
	assert_int_equal(db_txn_commit(txn, &err), -ERANGE);
	assert_non_null(strstr(err.text, "table Port column vlan_mode: tronk is not"));
	txn = db_txn_begin(db);
	db_txn_clear(txn, "QoS", &qos, "type");
	assert_int_equal(db_txn_commit(txn, &err), -ERANGE);
	txn = db_txn_begin(db);
	db_txn_set_string(txn, "QoS", &qos, "type", "\xff");
	assert_int_equal(db_txn_commit(txn, &err), -EILSEQ);
	assert_int_equal(db_generation(db), generation);

	/* Unreferenced and not a root: gone; so is a write to it later. */
	txn = db_txn_begin(db);
	port = db_txn_insert(txn, "Mirror");
	db_txn_set_string(txn, "Mirror", &port, "name", "m");
	commit(txn);
	assert_null(db_row_first(db, "Mirror"));
	txn = db_txn_begin(db);
	db_txn_set_string(txn, "Mirror", &port, "name", "n");
	commit(txn);
	assert_int_equal(db_generation(db), generation);
	db_close(db);
}

struct hook_log {
	int calls, depth;
};

/* Sets QoS.other_config:seen until it is there: its own commits call it again. */
static void
hook(struct db *db, void *aux)
{
	static const char *const key = "seen", *const value = "yes";
	struct hook_log *log = aux;
	const struct db_row *row;
	struct db_txn *txn;

	assert_int_equal(log->depth, 0);
	log->depth++;
	log->calls++;
	txn = db_txn_begin(db);
	for (row = db_row_first(db, "QoS"); row; row = db_row_next(row))
		db_txn_set_string_map(txn, "QoS", db_row_uuid(row), "other_config", &key,
		                      &value, 1);
	commit(txn);
	log->depth--;
}

static void
test_hook_may_commit(void **state)
{
	struct db *db = open_db();
	struct hook_log log = {0, 0};
	struct uuid qos;

	(void)state;
	db_set_commit_hook(db, hook, &log);
	qos = add_qos(db, "x");
	assert_int_equal(log.calls, 2);
	assert_string_equal(db_row_map_string(db_row_by_uuid(db, "QoS", &qos),
	                                      "other_config", "seen"),
	                    "yes");
	db_close(db);
}

static void
write_file(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void
test_foreign_files_are_refused_untouched(void **state)
{
	const char *text = "this is not a database, but somebody's notes about it; it is "
			   "long enough to hold what could be a header, and then some.";
	char back[200] = "";
	struct error err = {""};
	sqlite3 *sqlite;
	struct db *db;
	FILE *f;

	(void)state;
	write_file(text);
	assert_int_equal(open_fails(&err), -EBADMSG);
	assert_non_null(strstr(err.text, path));
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(back, sizeof(back), f));
	fclose(f);
	assert_string_equal(back, text);
	unlink(path);

	assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
	assert_int_equal(sqlite3_exec(sqlite, "CREATE TABLE rows (x)", 0, 0, 0), 0);
	sqlite3_close(sqlite);
	assert_int_equal(open_fails(&err), -EBADMSG);
	assert_non_null(strstr(err.text, "not a database of weir"));
	unlink(path);

	db = open_db();
	assert_int_equal(open_fails(&err), -EBUSY);
	assert_non_null(strstr(err.text, "in use by another process"));
	db_close(db);

	strcpy(path, "/nonexistent/conf.db");
	assert_int_equal(open_fails(&err), -ENOENT);
	snprintf(path, sizeof(path), "%s/conf.db", dir);
}

static void
alter(const char *sql)
{
	sqlite3 *sqlite;

	assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
	if (sqlite3_exec(sqlite, sql, 0, 0, 0) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(sqlite));
	sqlite3_close(sqlite);
}

static void
test_bad_rows_are_refused_by_name(void **state)
{
	static const struct {
		const char *sql, *part;
	} bad[] = {
		{"UPDATE rows SET row = '{\"type\": 5}'", "table QoS row"},
		{"UPDATE rows SET row = '{\"type\": 5}'",
	         "column type: 5 is not a valid"},
		{"UPDATE rows SET row = '{\"tipe\": \"x\"}'", "column tipe is not in"},
		{"UPDATE rows SET row = '{'", "not a JSON object"},
		{"UPDATE rows SET uuid = 'x'", "bad row identity"},
		{"UPDATE rows SET tbl = 'Qos'", "table Qos is not in the schema"},
		{"UPDATE database SET name = 'other'", "holds database \"other\""},
		{"UPDATE rows SET row = '{\"queues\":[\"map\",[[0,[\"uuid\",\""
	         "11111111-2222-4333-8444-555555555555\"]]]]}'",
	         "does not exist in table Queue"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error err = {""};
		struct db *db = open_db();

		add_qos(db, "x");
		db_close(db);
		alter(bad[i].sql);
		assert_int_equal(open_fails(&err), -EBADMSG);
		if (!strstr(err.text, bad[i].part))
			fail_msg("%s: %s", bad[i].sql, err.text);
		assert_non_null(strstr(err.text, path));
		unlink(path);
	}
}

static void
set_file_limit(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A file that cannot grow stands for a full disk. */
static void
test_commit_that_cannot_be_written_is_undone(void **state)
{
	struct db *db = open_db();
	struct uuid qos = add_qos(db, "before");
	char *big = xcalloc(1, 200001);
	uint64_t generation = db_generation(db);
	struct error err = {""};
	struct db_txn *txn;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	memset(big, 'x', 200000);
	set_file_limit(100000);
	txn = db_txn_begin(db);
	db_txn_set_string(txn, "QoS", &qos, "type", big);
	db_txn_insert(txn, "Queue");
	assert_true(db_txn_commit(txn, &err) < 0);
	assert_true(err.text[0] != '\0');
	assert_string_equal(db_row_string(db_row_first(db, "QoS"), "type", ""), "before");
	assert_int_equal(count_rows(db, "Queue"), 0);
	assert_int_equal(db_generation(db), generation);

	set_file_limit(RLIM_INFINITY);
	txn = db_txn_begin(db);
	db_txn_set_string(txn, "QoS", &qos, "type", big);
	db_txn_insert(txn, "Queue");
	commit(txn);
	db_close(db);
	db = open_db();
	assert_string_equal(db_row_string(db_row_first(db, "QoS"), "type", ""), big);
	assert_int_equal(count_rows(db, "Queue"), 1);
	db_close(db);
	free(big);
}

/* The log of a process that was killed, cut or flipped anywhere: what is read is what
 * some number of its first transactions had made. */
static void
make_log(char **base, size_t *base_bytes, char **log, size_t *log_bytes)
{
	char wal[100];
	pid_t pid;
	int status;

	db_close(open_db());
	pid = fork();
	if (!pid) {
		struct db *db = open_db();

		for (int i = 0; i < 6; i++)
			add_qos(db, "x");
		_exit(0); /* no db_close(): the log stays */
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	snprintf(wal, sizeof(wal), "%s-wal", path);
	for (int i = 0; i < 2; i++) {
		FILE *f = fopen(i ? wal : path, "r");
		char **data = i ? log : base;
		size_t *n = i ? log_bytes : base_bytes;

		assert_non_null(f);
		*data = xmalloc(1 << 20);
		*n = fread(*data, 1, 1 << 20, f);
		fclose(f);
	}
}

static void
put_file(const char *name, const char *data, size_t n)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, n, f), n);
	fclose(f);
}

static void
test_torn_log_gives_a_prefix_of_commits(void **state)
{
	size_t base_bytes, log_bytes, n, before = 0;
	char *base, *log, wal[100], shm[100];

	(void)state;
	make_log(&base, &base_bytes, &log, &log_bytes);
	snprintf(wal, sizeof(wal), "%s-wal", path);
	snprintf(shm, sizeof(shm), "%s-shm", path);
	assert_true(log_bytes > 6 * 4096);
	/* A prime step: all offsets take too long for a unit test. */
	for (size_t cut = 0; cut <= log_bytes; cut += cut + 211 > log_bytes ? 1 : 211) {
		struct db *db;

		put_file(path, base, base_bytes);
		put_file(wal, log, cut);
		unlink(shm);
		db = open_db();
		n = count_rows(db, "QoS");
		assert_true(n >= before && n <= 6);
		before = n;
		db_close(db);
	}
	assert_int_equal(before, 6);
	for (size_t flip = 32; flip < log_bytes; flip += 1009) {
		struct db *db;

		put_file(path, base, base_bytes);
		log[flip] ^= 0x10;
		put_file(wal, log, log_bytes);
		log[flip] ^= 0x10;
		unlink(shm);
		db = open_db();
		n = count_rows(db, "QoS");
		assert_true(n <= flip / 4096);
		db_close(db);
	}
	free(base);
	free(log);
}

static void
test_damaged_file_is_refused(void **state)
{
	struct error err = {""};
	struct db *db = open_db();
	struct stat st;

	(void)state;
	for (int i = 0; i < 200; i++)
		add_qos(db, "a row so that there are some pages");
	db_close(db);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size / 2), 0);
	assert_int_equal(open_fails(&err), -EBADMSG);
	assert_non_null(strstr(err.text, path));
}

static void
set_external_id(struct db *db, const struct uuid *queue, const char *external_id)
{
	const char *const key = "k";
	struct db_txn *txn = db_txn_begin(db);

	db_txn_set_string_map(txn, "Queue", queue, "external_ids", &key, &external_id, 1);
	commit(txn);
}

/* Each row is listed once, by its last change; what came to nothing is no change, and
 * what is gone is in no list. */
static void
test_rows_are_listed_by_their_last_change(void **state)
{
	struct db *db = open_db();
	struct db_txn *txn = db_txn_begin(db);
	struct uuid queues[3];
	const struct db_row *row;
	uint64_t before, middle;

	(void)state;
	for (int i = 0; i < 3; i++)
		queues[i] = db_txn_insert(txn, "Queue");
	before = db_generation(db);
	commit(txn);
	middle = db_generation(db);
	assert_null(db_row_changed_first(db, "Queue", middle));
	set_external_id(db, &queues[1], "x");
	set_external_id(db, &queues[0], "x");
	set_external_id(db, &queues[1], "y");
	set_external_id(db, &queues[1], "y"); /* as it was: no commit at all */
	row = db_row_changed_first(db, "Queue", middle);
	assert_true(uuid_equal(db_row_uuid(row), &queues[1]));
	assert_int_equal(db_row_changed_at(row), db_generation(db));
	row = db_row_changed_next(row, middle);
	assert_true(uuid_equal(db_row_uuid(row), &queues[0]));
	assert_null(db_row_changed_next(row, middle));
	assert_null(db_row_changed_first(db, "Queue", db_generation(db)));
	/* Of before the first commit all three are left. */
	row = db_row_changed_next(
		db_row_changed_next(db_row_changed_first(db, "Queue", before), before),
		before);
	assert_true(uuid_equal(db_row_uuid(row), &queues[2]));
	assert_null(db_row_changed_next(row, before));
	assert_null(db_row_changed_first(db, "QoS", before));
	db_close(db);
	/* What is loaded counts as one commit. */
	db = open_db();
	assert_null(db_row_changed_first(db, "Queue", db_generation(db)));
	assert_non_null(db_row_changed_first(db, "Queue", 0));
	db_close(db);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_values_survive_reopening, set_up,
	                                        tear_down),
		cmocka_unit_test_setup_teardown(test_writes_are_checked, set_up,
	                                        tear_down),
		cmocka_unit_test_setup_teardown(test_hook_may_commit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_foreign_files_are_refused_untouched,
	                                        set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_rows_are_refused_by_name, set_up,
	                                        tear_down),
		cmocka_unit_test_setup_teardown(
			test_commit_that_cannot_be_written_is_undone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_torn_log_gives_a_prefix_of_commits,
	                                        set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damaged_file_is_refused, set_up,
	                                        tear_down),
		cmocka_unit_test_setup_teardown(test_rows_are_listed_by_their_last_change,
	                                        set_up, tear_down),
	};

	return cmocka_run_group_tests_name("db", tests, NULL, NULL);
}
