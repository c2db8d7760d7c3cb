/* lock.c - advisory locks of RFC 7047, 4.1.8: the first in the queue holds the lock. Part
 * of the server, called by session.c. Main thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ovsdb/server_private.h"

struct lock {
	struct list link; /* in ovsdb_server.locks */
	char *name;
	struct list waits; /* its holder first */
};

struct lock_wait {
	struct list in_lock;
	struct list in_session;
	struct lock *lock;
	struct session *session;
};

static struct lock_wait *
lock_holder(const struct lock *lock)
{
	return list_is_empty(&lock->waits)
	               ? NULL
	               : CONTAINER_OF(lock->waits.next, struct lock_wait, in_lock);
}

static struct lock *
lock_find(struct ovsdb_server *server, const char *name)
{
	struct lock *lock;

	LIST_FOR_EACH (lock, link, &server->locks)
		if (!strcmp(lock->name, name))
			return lock;
	return NULL;
}

static struct lock_wait *
wait_find(struct session *session, const char *name)
{
	struct lock_wait *wait;

	LIST_FOR_EACH (wait, in_session, &session->lock_waits)
		if (!strcmp(wait->lock->name, name))
			return wait;
	return NULL;
}

static const char *
lock_name(const json_t *params, struct db_error *error)
{
	const char *name = json_string_value(json_array_get(params, 0));

	if (json_array_size(params) == 1 && name && ovsdb_is_id(name))
		return name;
	db_error_set(error, -EINVAL, "syntax error",
	             "the name of a lock, an identifier, is expected");
	return NULL;
}

static struct lock_wait *
wait_create(struct session *session, const char *name, bool is_first)
{
	struct lock *lock = lock_find(session->server, name);
	struct lock_wait *wait = xcalloc(1, sizeof(*wait));

	if (!lock) {
		lock = xcalloc(1, sizeof(*lock));
		lock->name = xstrdup(name);
		list_init(&lock->waits);
		list_push_back(&session->server->locks, &lock->link);
	}
	wait->lock = lock;
	wait->session = session;
	if (is_first)
		list_push_front(&lock->waits, &wait->in_lock);
	else
		list_push_back(&lock->waits, &wait->in_lock);
	list_push_back(&session->lock_waits, &wait->in_session);
	return wait;
}

static json_t *
lock_take(struct session *session, const json_t *params, bool is_steal,
          struct db_error *error)
{
	const char *name = lock_name(params, error);
	struct lock_wait *wait, *victim;
	struct lock *lock;

	if (!name)
		return NULL;
	if (wait_find(session, name)) {
		db_error_set(error, -EINVAL, "syntax error",
		             "lock %s was requested before and not unlocked since", name);
		return NULL;
	}
	lock = lock_find(session->server, name);
	victim = lock && is_steal ? lock_holder(lock) : NULL;
	if (victim)
		jsonrpc_notify(victim->session->rpc, "stolen", json_pack("[s]", name));
	wait = wait_create(session, name, is_steal);
	return json_pack("{s:b}", "locked", lock_holder(wait->lock) == wait);
}

json_t *
lock_request(struct session *session, const json_t *params, const json_t *id UNUSED,
             struct db_error *error)
{
	return lock_take(session, params, false, error);
}

json_t *
lock_steal(struct session *session, const json_t *params, const json_t *id UNUSED,
           struct db_error *error)
{
	return lock_take(session, params, true, error);
}

static void
wait_destroy(struct lock_wait *wait)
{
	struct lock *lock = wait->lock;
	bool was_holder = lock_holder(lock) == wait;
	struct lock_wait *next;

	list_remove(&wait->in_lock);
	list_remove(&wait->in_session);
	free(wait);
	next = lock_holder(lock);
	if (!next) {
		list_remove(&lock->link);
		free(lock->name);
		free(lock);
	} else if (was_holder) {
		jsonrpc_notify(next->session->rpc, "locked",
		               json_pack("[s]", lock->name));
	}
}

json_t *
lock_unlock(struct session *session, const json_t *params, const json_t *id UNUSED,
            struct db_error *error)
{
	const char *name = lock_name(params, error);
	struct lock_wait *wait;

	if (!name)
		return NULL;
	wait = wait_find(session, name);
	if (!wait) {
		db_error_set(error, -EINVAL, "syntax error", "lock %s was not requested",
		             name);
		return NULL;
	}
	wait_destroy(wait);
	return json_object();
}

bool
lock_is_held(const char *name, void *session)
{
	struct lock_wait *wait = wait_find(session, name);

	return wait && lock_holder(wait->lock) == wait;
}

void
locks_release(struct session *session)
{
	struct lock_wait *wait, *next;

	LIST_FOR_EACH_SAFE (wait, next, in_session, &session->lock_waits)
		wait_destroy(wait);
}
