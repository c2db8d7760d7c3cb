/* vswitch.c - drives desired_from_db -> validate -> diff -> apply -> status, and the
 * timers beside it. Main thread; no callback works longer than a slice. */
#include "vswitchd/vswitch.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "vswitchd/apply.h"
#include "vswitchd/desired_from_db.h"
#include "vswitchd/desired_qos_from_db.h"
#include "vswitchd/managers.h"
#include "vswitchd/metrics.h"
#include "vswitchd/report.h"
#include "vswitchd/status.h"
#include "vswitchd/status_controllers.h"
#include "vswitchd/validate.h"

LOG_MODULE(vswitch);

#define APPLY_SLICE_NS       (30 * NSEC_PER_MSEC)
#define STATISTICS_PER_SLICE 128
#define RETRY_S              5
#define BUSY_MS              100 /* nothing on the main thread may take longer */
#define LINKS_DELAY_MS       50  /* gathers changes of many ports into one write */
#define OFPROTO_MS           100 /* between turns of the switches' timers */
#define CONTROLLER_TIMES_S   5   /* between writes of how long controllers are there */

struct vswitch {
	struct event_base *loop;
	struct db *db;
	struct managers *managers;
	struct metrics *metrics;
	struct coverage *coverage;
	struct qos_cache *qos_cache;
	struct running running;
	struct desired *current; /* what was last applied; NULL before the first time */
	struct desired *next;    /* being applied; NULL = nothing is */
	struct apply apply;      /* valid while 'next' is */
	bool is_dirty;           /* the database has changed since 'next' was read */
	bool is_writing;         /* the commit under way is our own */
	char *start_failure;     /* why the datapath does not run; NULL = not tried */
	struct desired_arena start_arena;
	struct desired_settings start_settings; /* with which it was tried */
	struct event *work;                     /* reads and applies; runs when pending */
	struct event *retry;                    /* marks dirty */
	struct event *second;                   /* ticks */
	struct event *links;      /* writes the state of links; runs when pending */
	struct event *statistics; /* starts and continues a round */
	struct event *sample;     /* coverage */
	struct event *datapath;   /* its descriptor */
	struct event *ofproto;    /* ticks */
	unsigned seconds;         /* since the last write of times */
	size_t next_statistics;
	uint64_t status_generation; /* of the datapath, as last written */
};

/* A timer of no time at all lets sockets be served between slices. */
static void
vswitch_schedule(struct event *event, unsigned ms)
{
	const struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	event_add(event, &tv);
}

static void
vswitch_mark_dirty(struct vswitch *vs)
{
	vs->is_dirty = true;
	if (!event_pending(vs->work, EV_TIMEOUT, NULL))
		vswitch_schedule(vs->work, 0);
}

static void
on_commit(struct db *db, void *aux)
{
	struct vswitch *vs = aux;

	(void)db;
	if (!vs->is_writing)
		vswitch_mark_dirty(vs);
}

static void
on_retry(evutil_socket_t fd, short what, void *aux)
{
	(void)fd, (void)what;
	vswitch_mark_dirty(aux);
}

/* Which ports have changed is not known; their switches compare. */
static void
vswitch_tell_switches(const struct vswitch *vs)
{
	struct running_port *port;

	HMAP_FOR_EACH (port, node, &vs->running.ports)
		ofproto_port_changed(running_port_ofproto(&vs->running, port),
		                     running_port_number(port));
}

static void
on_links(evutil_socket_t fd, short what, void *aux)
{
	struct vswitch *vs = aux;

	(void)fd, (void)what;
	vs->status_generation = vs->running.is_started ? dp_status_generation() : 0;
	vswitch_tell_switches(vs);
	vs->is_writing = true;
	if (vs->current && status_write_links(vs->db, vs->current, &vs->running))
		vswitch_mark_dirty(vs);
	vs->is_writing = false;
}

static void
vswitch_check_links(struct vswitch *vs)
{
	if (vs->running.is_started && dp_status_generation() != vs->status_generation &&
	    !event_pending(vs->links, EV_TIMEOUT, NULL))
		vswitch_schedule(vs->links, LINKS_DELAY_MS);
}

static void
on_datapath(evutil_socket_t fd, short what, void *aux)
{
	(void)fd, (void)what;
	dp_run();
	ofproto_run();
	vswitch_check_links(aux);
}

static void
on_ofproto(evutil_socket_t fd, short what, void *aux)
{
	const struct vswitch *vs = aux;

	(void)fd, (void)what;
	if (vs->running.is_started)
		ofproto_run();
}

/* ---- configuration ---- */

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool
same_start(const struct desired_settings *a, const struct desired_settings *b)
{
	return same_text(a->dpdk_extra, b->dpdk_extra) &&
	       same_text(a->dpdk_socket_mem, b->dpdk_socket_mem) &&
	       !memcmp(a->pmd_cpu_mask, b->pmd_cpu_mask, sizeof(a->pmd_cpu_mask));
}

/* What only the start of the datapath reads cannot change any more. */
static void
warn_of_late_changes(const struct vswitch *vs, const struct desired *desired)
{
	const struct desired_settings *now = &desired->settings;
	const struct desired_settings *before =
		vs->current ? &vs->current->settings : NULL;

	if (!vs->running.is_started)
		return;
	if (!same_text(now->dpdk_extra, vs->running.eal_extra) &&
	    !(before && same_text(now->dpdk_extra, before->dpdk_extra)))
		log_warn("dpdk-extra takes effect at the next start of the daemon");
	if (!same_text(now->dpdk_socket_mem, vs->running.socket_mem) &&
	    !(before && same_text(now->dpdk_socket_mem, before->dpdk_socket_mem)))
		log_warn("dpdk-socket-mem takes effect at the next start of the daemon");
}

static void
vswitch_begin(struct vswitch *vs)
{
	vs->is_dirty = false;
	event_del(vs->retry);
	vs->next = desired_from_db(vs->db, vs->qos_cache);
	warn_of_late_changes(vs, vs->next);
	validate(vs->next, &vs->running);
	ofproto_set_tls(vs->loop, &vs->next->tls);
	apply_init(&vs->apply, &vs->running, vs->next);
	/* A start that failed is not tried again with the same settings. */
	if (vs->start_failure && same_start(&vs->start_settings, &vs->next->settings))
		vs->apply.start_failure = vs->start_failure;
}

static void
vswitch_note_start(struct vswitch *vs)
{
	const struct desired_settings *settings = &vs->next->settings;
	const char *failure = vs->apply.start_failure;
	struct desired_arena *arena = &vs->start_arena;

	if (vs->running.is_started && !vs->datapath) {
		vs->datapath = event_new(vs->loop, dp_event_fd(), EV_READ | EV_PERSIST,
		                         on_datapath, vs);
		event_add(vs->datapath, NULL);
	}
	if (!failure || failure == vs->start_failure)
		return;
	log_err("%s", failure);
	free(vs->start_failure);
	desired_arena_free(arena);
	vs->start_failure = xstrdup(failure);
	vs->start_settings = *settings;
	if (settings->dpdk_extra)
		vs->start_settings.dpdk_extra =
			desired_strdup(arena, settings->dpdk_extra);
	if (settings->dpdk_socket_mem)
		vs->start_settings.dpdk_socket_mem =
			desired_strdup(arena, settings->dpdk_socket_mem);
}

static void
vswitch_finish(struct vswitch *vs)
{
	vswitch_note_start(vs);
	report_changes(vs->current, vs->next);
	apply_destroy(&vs->apply);
	desired_destroy(vs->current);
	vs->current = vs->next;
	vs->next = NULL;
	vs->is_writing = true;
	managers_configure(vs->managers, vs->current);
	managers_run(vs->managers, vs->db);
	metrics_listen(vs->metrics, vs->current->settings.metrics_listen);
	/* The rate of a new port's link is known only now: its QoS may follow it. */
	if (status_write_links(vs->db, vs->current, &vs->running))
		vs->is_dirty = true;
	status_write_config(vs->db, vs->current, &vs->running);
	vs->is_writing = false;
	if (report_wants_retry(vs->current))
		vswitch_schedule(vs->retry, RETRY_S * 1000);
}

static void
on_work(evutil_socket_t fd, short what, void *aux)
{
	struct vswitch *vs = aux;
	uint64_t begin_ns = clock_mono_ns(), busy_ms;
	bool was_started = vs->running.is_started;

	(void)fd, (void)what;
	if (!vs->next)
		vswitch_begin(vs);
	if (apply_run(&vs->apply, clock_mono_ns() + APPLY_SLICE_NS))
		vswitch_finish(vs);
	busy_ms = (clock_mono_ns() - begin_ns) / NSEC_PER_MSEC;
	if (busy_ms > BUSY_MS && was_started)
		log_warn("a step of the configuration took %llu ms",
		         (unsigned long long)busy_ms);
	else
		log_dbg("a step of the configuration took %llu ms",
		        (unsigned long long)busy_ms);
	if (vs->next || vs->is_dirty)
		vswitch_schedule(vs->work, 0);
}

/* ---- trials of changes ---- */

static void
add_problem(const char *text, void *problems)
{
	json_array_append_new(problems, json_string(text));
}

/* Judges the database as a transaction would leave it, against what runs. */
static json_t *
on_trial(const struct db *db, void *aux)
{
	const struct vswitch *vs = aux;
	struct desired *trial = desired_from_db(db, NULL);
	json_t *problems = json_array();

	validate(trial, &vs->running);
	report_new_problems(vs->current, trial, add_problem, problems);
	desired_destroy(trial);
	return problems;
}

/* ---- timers ---- */

/* A kernel interface can be deleted, and another one of its name made: the port then
 * holds on to nothing and must be made again. */
static void
vswitch_check_devices(struct vswitch *vs)
{
	struct running_port *port;

	HMAP_FOR_EACH (port, node, &vs->running.ports) {
		if (port->config.type != DP_PORT_SYSTEM || port->is_stale ||
		    if_nametoindex(port->config.name) == port->ifindex)
			continue;
		log_info("port %s: its interface is gone", port->config.name);
		port->is_stale = true;
		vswitch_mark_dirty(vs);
	}
}

static void
on_second(evutil_socket_t fd, short what, void *aux)
{
	struct vswitch *vs = aux;

	(void)fd, (void)what;
	vs->is_writing = true;
	managers_run(vs->managers, vs->db);
	if (vs->current)
		status_write_controllers(vs->db, vs->current, &vs->running,
		                         vs->seconds == 0);
	vs->is_writing = false;
	vs->seconds = (vs->seconds + 1) % CONTROLLER_TIMES_S;
	vswitch_check_devices(vs);
	vswitch_check_links(vs);
}

static void
on_statistics(evutil_socket_t fd, short what, void *aux)
{
	struct vswitch *vs = aux;
	bool more = false;

	(void)fd, (void)what;
	if (vs->current && vs->running.is_started) {
		vs->is_writing = true;
		more = status_write_statistics(vs->db, vs->current, &vs->running,
		                               &vs->next_statistics,
		                               STATISTICS_PER_SLICE);
		vs->is_writing = false;
	}
	vswitch_schedule(vs->statistics, more ? 0
	                                 : vs->current
	                                         ? vs->current->settings.stats_interval_ms
	                                         : 1000);
}

static void
on_sample(evutil_socket_t fd, short what, void *aux)
{
	struct vswitch *vs = aux;

	(void)fd, (void)what;
	coverage_sample(vs->coverage, &vs->running);
}

static void
vswitch_make_root(struct db *db)
{
	struct db_txn *txn;
	struct error err;

	if (db_row_first(db, "Open_vSwitch"))
		return;
	txn = db_txn_begin(db);
	db_txn_insert(txn, "Open_vSwitch");
	if (db_txn_commit(txn, &err))
		log_err("cannot make the Open_vSwitch row: %s", err.text);
}

struct vswitch *
vswitch_create(struct event_base *loop, struct db *db, struct ovsdb_server *server)
{
	struct vswitch *vs = xcalloc(1, sizeof(*vs));
	const struct timeval second = {.tv_sec = 1};
	const struct timeval sample = {.tv_sec = COVERAGE_INTERVAL_S};
	const struct timeval ofproto = {.tv_usec = OFPROTO_MS * 1000};

	vs->loop = loop;
	vs->db = db;
	running_init(&vs->running);
	vs->running.loop = loop;
	vs->managers = managers_create(server);
	vs->metrics = metrics_create(loop, &vs->running);
	vs->coverage = coverage_create();
	vs->qos_cache = qos_cache_create();
	vs->work = evtimer_new(loop, on_work, vs);
	vs->retry = evtimer_new(loop, on_retry, vs);
	vs->links = evtimer_new(loop, on_links, vs);
	vs->statistics = evtimer_new(loop, on_statistics, vs);
	vs->second = event_new(loop, -1, EV_PERSIST, on_second, vs);
	vs->sample = event_new(loop, -1, EV_PERSIST, on_sample, vs);
	vs->ofproto = event_new(loop, -1, EV_PERSIST, on_ofproto, vs);
	vswitch_make_root(db);
	db_set_commit_hook(db, on_commit, vs);
	db_set_judge(db, on_trial, vs);
	event_add(vs->second, &second);
	event_add(vs->sample, &sample);
	event_add(vs->ofproto, &ofproto);
	vswitch_schedule(vs->statistics, 1000);
	vswitch_mark_dirty(vs);
	return vs;
}

void
vswitch_destroy(struct vswitch *vs)
{
	struct running_bridge *bridge;

	if (!vs)
		return;
	db_set_commit_hook(vs->db, NULL, NULL);
	db_set_judge(vs->db, NULL, NULL);
	if (vs->datapath)
		event_free(vs->datapath);
	event_free(vs->ofproto);
	event_free(vs->sample);
	event_free(vs->second);
	event_free(vs->statistics);
	event_free(vs->links);
	event_free(vs->retry);
	event_free(vs->work);
	if (vs->next)
		apply_destroy(&vs->apply);
	metrics_destroy(vs->metrics);
	desired_destroy(vs->next);
	desired_destroy(vs->current);
	desired_arena_free(&vs->start_arena);
	free(vs->start_failure);
	HMAP_FOR_EACH (bridge, node, &vs->running.bridges)
		ofproto_destroy(bridge->ofproto);
	if (vs->running.is_started)
		dp_stop();
	coverage_destroy(vs->coverage);
	qos_cache_destroy(vs->qos_cache);
	managers_destroy(vs->managers);
	running_destroy(&vs->running);
	free(vs);
}

const struct running *
vswitch_running(const struct vswitch *vs)
{
	return &vs->running;
}

const struct coverage *
vswitch_coverage(const struct vswitch *vs)
{
	return vs->coverage;
}
