/* top_poll.c - the daemon's end of weir-top. Its thread runs until the process ends. */
#include <config.h>

#include "top_poll.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/mem.h"
#include "ctl_client.h"

#define CALL_TIMEOUT_NS (10 * NSEC_PER_SEC)

struct top_poll {
	const char *target;
	pthread_t thread;
	pthread_mutex_t lock;   /* for all that follows */
	pthread_cond_t changed; /* interval_ns was set */
	uint64_t interval_ns;
	struct top_snapshot *snapshot;
	struct error err;
	bool is_new;
};

/* ---- one question ---- */

static struct top_snapshot *
fetch_port(struct rpc_client *client, const char *port, struct error *err)
{
	const char *const args[] = {"--json", port};
	struct top_snapshot *snapshot;
	char *answer;

	if (ctl_call(client, "qos/show", args, port ? 2 : 1, &answer, err))
		return NULL;
	snapshot = top_snapshot_parse(answer, err);
	free(answer);
	return snapshot;
}

/* Asks for the ports one by one: a daemon that cannot tell of all at once lists them as
 * "    NAME 1/2: (type)". */
static struct top_snapshot *
fetch_ports(struct rpc_client *client, struct error *err)
{
	struct top_snapshot *all = xcalloc(1, sizeof(*all)), *one;
	char *answer, *line, *rest = NULL, *end;

	if (ctl_call(client, "dpif/show", NULL, 0, &answer, err)) {
		free(all);
		return NULL;
	}
	for (line = strtok_r(answer, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (strncmp(line, "    ", 4) != 0)
			continue;
		line += 4;
		end = strchr(line, ' ');
		if (!end)
			continue;
		*end = '\0';
		one = fetch_port(client, line, err);
		/* A port that went away meanwhile is no failure. */
		if (one)
			top_snapshot_merge(all, one);
	}
	free(answer);
	return all;
}

struct top_snapshot *
top_fetch(const char *target, struct error *err)
{
	struct top_snapshot *snapshot;
	struct rpc_client *client;
	struct error refusal;

	if (ctl_connect(target, clock_mono_ns() + CALL_TIMEOUT_NS, &client, err))
		return NULL;
	snapshot = fetch_port(client, NULL, &refusal);
	if (!snapshot)
		snapshot = fetch_ports(client, err);
	rpc_client_close(client);
	return snapshot;
}

char *
top_fetch_explain(const char *target, const char *port, uint32_t number,
                  struct error *err)
{
	char class[16], *answer = NULL;
	const char *const args[] = {port, class};
	struct rpc_client *client;

	if (number == TOP_ROOT)
		snprintf(class, sizeof(class), "root");
	else
		snprintf(class, sizeof(class), "%" PRIu32, number);
	if (ctl_connect(target, clock_mono_ns() + CALL_TIMEOUT_NS, &client, err))
		return NULL;
	if (ctl_call(client, "qos/explain", args, ARRAY_SIZE(args), &answer, err))
		answer = NULL;
	rpc_client_close(client);
	return answer;
}

/* ---- one each interval ---- */

/* Waits until the interval since 'start_ns' is over, whatever it is by then. */
static void
poll_wait(struct top_poll *poll, uint64_t start_ns)
{
	pthread_mutex_lock(&poll->lock);
	for (;;) {
		uint64_t until_ns = start_ns + poll->interval_ns;
		struct timespec until = {.tv_sec = (time_t)(until_ns / NSEC_PER_SEC),
		                         .tv_nsec = (long)(until_ns % NSEC_PER_SEC)};

		if (clock_mono_ns() >= until_ns)
			break;
		pthread_cond_timedwait(&poll->changed, &poll->lock, &until);
	}
	pthread_mutex_unlock(&poll->lock);
}

static void *
poll_run(void *aux)
{
	struct top_poll *poll = aux;

	for (;;) {
		uint64_t start_ns = clock_mono_ns();
		struct error err = {""};
		struct top_snapshot *snapshot = top_fetch(poll->target, &err);

		pthread_mutex_lock(&poll->lock);
		top_snapshot_destroy(poll->snapshot);
		poll->snapshot = snapshot;
		poll->err = err;
		poll->is_new = true;
		pthread_mutex_unlock(&poll->lock);
		poll_wait(poll, start_ns);
	}
	return NULL;
}

struct top_poll *
top_poll_start(const char *target, uint64_t interval_ns, struct error *err)
{
	struct top_poll *poll = xcalloc(1, sizeof(*poll));
	pthread_condattr_t attributes;
	sigset_t all, old;
	int ret;

	poll->target = target;
	poll->interval_ns = interval_ns;
	pthread_mutex_init(&poll->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&poll->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	/* Signals, such as a new size of the screen, are the other thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	ret = pthread_create(&poll->thread, NULL, poll_run, poll);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (ret == 0)
		return poll;
	error_set(err, -ret, "cannot start a thread: %s", strerror(ret));
	pthread_cond_destroy(&poll->changed);
	pthread_mutex_destroy(&poll->lock);
	free(poll);
	return NULL;
}

void
top_poll_set_interval(struct top_poll *poll, uint64_t interval_ns)
{
	pthread_mutex_lock(&poll->lock);
	poll->interval_ns = interval_ns;
	pthread_cond_signal(&poll->changed);
	pthread_mutex_unlock(&poll->lock);
}

bool
top_poll_take(struct top_poll *poll, struct top_snapshot **snapshot, struct error *err)
{
	bool is_new;

	pthread_mutex_lock(&poll->lock);
	is_new = poll->is_new;
	if (is_new) {
		*snapshot = poll->snapshot;
		*err = poll->err;
		poll->snapshot = NULL;
		poll->is_new = false;
	}
	pthread_mutex_unlock(&poll->lock);
	return is_new;
}
