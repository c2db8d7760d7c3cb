/* server.c - the database server: holds the served database, the _Server database that
 * tells of it, and what its clients share. Above session.c and remote.c, below the
 * daemon. Main thread. */
#include "ovsdb/server.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "ovsdb/db.h"
#include "ovsdb/server_private.h"

LOG_MODULE(ovsdb_server);

/* What ovsdb-server(5) says every server has, version 1.2.0. */
static const char server_schema[] =
	"{\"name\": \"_Server\", \"version\": \"1.2.0\", \"cksum\": \"3009684573 744\","
	" \"tables\": {\"Database\": {\"columns\": {"
	"  \"name\": {\"type\": \"string\"},"
	"  \"model\": {\"type\": {\"key\": {\"type\": \"string\","
	"    \"enum\": [\"set\", [\"clustered\", \"relay\", \"standalone\"]]}}},"
	"  \"connected\": {\"type\": \"boolean\"},"
	"  \"leader\": {\"type\": \"boolean\"},"
	"  \"schema\": {\"type\": {\"key\": \"string\", \"min\": 0}},"
	"  \"cid\": {\"type\": {\"key\": \"uuid\", \"min\": 0}},"
	"  \"sid\": {\"type\": {\"key\": \"uuid\", \"min\": 0}},"
	"  \"index\": {\"type\": {\"key\": \"integer\", \"min\": 0}}}}}}";

struct db *
server_find_db(const struct ovsdb_server *server, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(server->dbs); i++)
		if (!strcmp(server->dbs[i]->schema->name, name))
			return server->dbs[i];
	return NULL;
}

static void
describe_db(struct db_txn *txn, const struct db *db)
{
	struct uuid row = db_txn_insert(txn, "Database");
	char *schema = json_dumps(db->schema->json, JSON_COMPACT);

	db_txn_set_string(txn, "Database", &row, "name", db->schema->name);
	db_txn_set_string(txn, "Database", &row, "model", "standalone");
	db_txn_set_bool(txn, "Database", &row, "connected", true);
	db_txn_set_bool(txn, "Database", &row, "leader", true);
	db_txn_set_string(txn, "Database", &row, "schema", schema);
	free(schema);
}

static struct db *
create_server_db(const struct db *served)
{
	json_t *json = json_loads(server_schema, 0, NULL);
	struct ovsdb_schema *schema;
	struct error err = {""};
	struct db_txn *txn;
	struct db *db;

	/* None of this depends on input: a failure is a bug of ours. */
	if (ovsdb_schema_from_json(json, &schema, &err) ||
	    db_open(schema, NULL, &db, &err)) {
		log_err("_Server: %s", err.text);
		abort();
	}
	json_decref(json);
	txn = db_txn_begin(db);
	describe_db(txn, served);
	describe_db(txn, db);
	if (db_txn_commit(txn, &err)) {
		log_err("_Server: %s", err.text);
		abort();
	}
	return db;
}

/* Notifications go out before anything else hears of the commit: a client's own update
 * precedes its transaction's reply. */
static void
server_on_commit(const struct txn *txn, void *aux)
{
	struct ovsdb_server *server = aux;
	struct session *session;

	LIST_FOR_EACH (session, link, &server->sessions)
		monitors_notify(session, txn);
	if (!list_is_empty(&server->triggers))
		event_active(server->retry, EV_TIMEOUT, 0);
}

static void
server_on_retry(evutil_socket_t fd UNUSED, short what UNUSED, void *server)
{
	triggers_run(server);
}

struct ovsdb_server *
ovsdb_server_create(struct event_base *loop, struct db *db)
{
	struct ovsdb_server *server = xcalloc(1, sizeof(*server));

	server->loop = loop;
	server->dbs[0] = db;
	server->dbs[1] = create_server_db(db);
	server->id = uuid_random();
	list_init(&server->sessions);
	list_init(&server->remotes);
	list_init(&server->locks);
	list_init(&server->triggers);
	server->retry = evtimer_new(loop, server_on_retry, server);
	if (!server->retry)
		abort(); /* out of memory, as in base/mem.h */
	db_set_observer(db, server_on_commit, server);
	return server;
}

void
ovsdb_server_destroy(struct ovsdb_server *server)
{
	if (!server)
		return;
	remotes_destroy(server);
	db_set_observer(server->dbs[0], NULL, NULL);
	event_free(server->retry);
	db_close(server->dbs[1]);
	free(server);
}
