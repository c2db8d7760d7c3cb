/* managers.c - keeps the OVSDB server's remotes equal to the Manager table. Main thread.
 */
#include "vswitchd/managers.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/dirs.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"

LOG_MODULE(managers);

#define RETRY_NS (5 * NSEC_PER_SEC)

struct manager {
	struct list link; /* in managers.list */
	struct uuid row;
	char *target;
	char *problem; /* why it is not open; NULL = it is */
	bool is_own;   /* names MANAGERS_OWN_TARGET: open without us */
	bool is_wanted;
	uint64_t retry_at_ns;
};

struct managers {
	struct ovsdb_server *server;
	struct list list;
};

struct managers *
managers_create(struct ovsdb_server *server)
{
	struct managers *managers = xcalloc(1, sizeof(*managers));

	managers->server = server;
	list_init(&managers->list);
	return managers;
}

static void
manager_close(struct managers *managers, struct manager *manager)
{
	if (!manager->problem && !manager->is_own)
		ovsdb_server_remove_remote(managers->server, manager->target);
	list_remove(&manager->link);
	free(manager->target);
	free(manager->problem);
	free(manager);
}

void
managers_destroy(struct managers *managers)
{
	struct manager *manager, *next;

	if (!managers)
		return;
	LIST_FOR_EACH_SAFE (manager, next, link, &managers->list)
		manager_close(managers, manager);
	free(managers);
}

static struct manager *
managers_find(struct managers *managers, const char *target)
{
	struct manager *manager;

	LIST_FOR_EACH (manager, link, &managers->list)
		if (!strcmp(manager->target, target))
			return manager;
	return NULL;
}

/* Whether a target is the socket that is open anyway, by whatever path. */
static bool
target_is_own(const char *target)
{
	static const char scheme[] = "punix:", own_target[] = MANAGERS_OWN_TARGET;
	size_t n = strlen(scheme);
	char *path, *own;
	bool is_same;

	if (strncmp(target, scheme, n) != 0)
		return false;
	path = dirs_in_rundir(&target[n]);
	own = dirs_in_rundir(&own_target[n]);
	is_same = !strcmp(path, own);
	free(path);
	free(own);
	return is_same;
}

static void
manager_open(struct managers *managers, struct manager *manager)
{
	struct error err;
	int ret = ovsdb_server_add_remote(managers->server, manager->target, &err);
	char *problem = ret ? xstrdup(err.text) : NULL;

	manager->retry_at_ns = clock_mono_ns() + RETRY_NS;
	if (problem && (!manager->problem || strcmp(problem, manager->problem)))
		log_warn("manager %s: %s", manager->target, problem);
	else if (!problem)
		log_info("manager %s: opened", manager->target);
	free(manager->problem);
	manager->problem = problem;
}

void
managers_configure(struct managers *managers, const struct desired *desired)
{
	struct manager *manager, *next;

	LIST_FOR_EACH (manager, link, &managers->list)
		manager->is_wanted = false;
	for (size_t i = 0; i < desired->n_managers; i++) {
		const struct desired_manager *want = &desired->managers[i];

		manager = managers_find(managers, want->target);
		if (manager) {
			manager->is_wanted = true;
			manager->row = want->row;
		}
	}
	/* First close, then open: a new remote may need an old one's port. */
	LIST_FOR_EACH_SAFE (manager, next, link, &managers->list) {
		if (!manager->is_wanted) {
			log_info("manager %s: closed", manager->target);
			manager_close(managers, manager);
		}
	}
	for (size_t i = 0; i < desired->n_managers; i++) {
		const struct desired_manager *want = &desired->managers[i];

		if (managers_find(managers, want->target))
			continue;
		manager = xcalloc(1, sizeof(*manager));
		manager->row = want->row;
		manager->target = xstrdup(want->target);
		manager->is_own = target_is_own(want->target);
		list_push_back(&managers->list, &manager->link);
		if (!manager->is_own)
			manager_open(managers, manager);
	}
}

void
managers_run(struct managers *managers, struct db *db)
{
	struct db_txn *txn;
	struct manager *manager;
	struct error err;

	if (list_is_empty(&managers->list))
		return;
	txn = db_txn_begin(db);
	LIST_FOR_EACH (manager, link, &managers->list) {
		const char *key, *value;
		bool is_connected;

		if (manager->problem && clock_mono_ns() >= manager->retry_at_ns)
			manager_open(managers, manager);
		is_connected =
			!manager->problem &&
			ovsdb_server_remote_is_connected(
				managers->server,
				manager->is_own ? MANAGERS_OWN_TARGET : manager->target);
		key = manager->problem ? "last_error" : "state";
		value = manager->problem          ? manager->problem
		        : is_connected            ? "ACTIVE"
		        : *manager->target == 'p' ? "LISTENING"
		                                  : "BACKOFF";
		db_txn_set_bool(txn, "Manager", &manager->row, "is_connected",
		                is_connected);
		db_txn_set_string_map(txn, "Manager", &manager->row, "status", &key,
		                      &value, 1);
	}
	if (db_txn_commit(txn, &err))
		log_err("cannot write status of managers: %s", err.text);
}
