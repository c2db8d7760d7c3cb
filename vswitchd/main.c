/* main.c - the daemon's table of contents: what starts in which order, and ends in the
 * reverse one. Main thread. */
#include <config.h>

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/daemon.h"
#include "base/dirs.h"
#include "base/log.h"
#include "base/mem.h"
#include "ovsdb/server.h"
#include "vswitchd/control_commands.h"
#include "vswitchd/managers.h"
#include "vswitchd/options.h"
#include "vswitchd/rundir.h"
#include "vswitchd/vswitch.h"

LOG_MODULE(main);

#define DATABASE_FILE "weir.sqlite"
#define N_SOCKETS     3

struct daemon {
	struct options options;
	struct event_base *loop;
	struct event *sigterm, *sigint, *sighup;
	struct db *db;
	struct ovsdb_server *server;
	struct vswitch *vswitch;
	struct control_remotes *remotes;
	struct control_registry *registries[N_SOCKETS];
	struct control_socket *sockets[N_SOCKETS];
};

static const struct {
	const char *program;
	const char *version;
} control_names[N_SOCKETS] = {
	{"weir-vswitchd", "weir-vswitchd (weir) " PACKAGE_VERSION},
	{"ovs-vswitchd", "ovs-vswitchd (Open vSwitch compatible, weir) " PACKAGE_VERSION},
	{"ovsdb-server", "ovsdb-server (Open vSwitch compatible, weir) " PACKAGE_VERSION},
};

/* Every guest takes a handful of descriptors. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warn("cannot raise the limit of open files: %s", strerror(errno));
}

static int
prepare_process(const struct options *options, struct error *err)
{
	int ret;

	if ((ret = rundir_make_directory(dirs_rundir(), err)) ||
	    (ret = rundir_make_directory(dirs_dbdir(), err)))
		return ret;
	if (options->log_file && (ret = rundir_make_directory(dirs_logdir(), err)))
		return ret;
	if (options->detach) {
		if ((ret = daemon_detach(err)))
			return ret;
		if (!options->keep_directory && chdir("/") < 0)
			return error_set(err, -errno, "/: %s", strerror(errno));
	}
	ret = rundir_claim(options->pidfile, err);
	if (ret)
		return ret;
	if (options->log_file && (ret = log_open_file(options->log_file, err))) {
		rundir_release();
		return ret;
	}
	raise_descriptor_limit();
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

/* ---- signals ---- */

static void
on_stop(evutil_socket_t number, short what, void *aux)
{
	(void)what;
	log_info("signal %d: stopping", (int)number);
	event_base_loopexit(aux, NULL);
}

static void
on_hangup(evutil_socket_t number, short what, void *aux)
{
	struct error err;

	(void)number, (void)what, (void)aux;
	if (log_reopen_file(&err))
		log_warn("cannot open the log again: %s", err.text);
}

static void
signals_start(struct daemon *d)
{
	d->sigterm = evsignal_new(d->loop, SIGTERM, on_stop, d->loop);
	d->sigint = evsignal_new(d->loop, SIGINT, on_stop, d->loop);
	d->sighup = evsignal_new(d->loop, SIGHUP, on_hangup, NULL);
	event_add(d->sigterm, NULL);
	event_add(d->sigint, NULL);
	event_add(d->sighup, NULL);
}

static void
signals_stop(struct daemon *d)
{
	event_free(d->sigterm);
	event_free(d->sigint);
	event_free(d->sighup);
}

/* ---- the database ---- */

static int
database_start(struct daemon *d, struct error *err)
{
	struct ovsdb_schema *schema;
	json_t *json = json_loads(ovsdb_schema_text(), 0, NULL);
	char *path = xasprintf("%s/%s", dirs_dbdir(), DATABASE_FILE);
	int ret = ovsdb_schema_from_json(json, &schema, err);

	json_decref(json);
	if (!ret)
		ret = db_open(schema, path, &d->db, err);
	free(path);
	if (ret)
		return ret;
	d->server = ovsdb_server_create(d->loop, d->db);
	ret = ovsdb_server_add_remote(d->server, MANAGERS_OWN_TARGET, err);
	if (ret) {
		ovsdb_server_destroy(d->server);
		db_close(d->db);
	}
	return ret;
}

static void
database_stop(struct daemon *d)
{
	ovsdb_server_destroy(d->server);
	db_close(d->db);
}

/* ---- control sockets ---- */

static void
control_fill(struct daemon *d, int i)
{
	const struct running *running = vswitch_running(d->vswitch);
	bool is_database = !strcmp(control_names[i].program, "ovsdb-server");
	char *version =
		xasprintf("%s%s%s", control_names[i].version, is_database ? "" : "\n",
	                  is_database ? "" : dp_dpdk_version());
	struct control_registry *registry = control_registry_create(version);

	free(version);
	d->registries[i] = registry;
	control_add_log(registry);
	control_add_exit(registry, d->loop);
	control_add_counters(registry, running, vswitch_coverage(d->vswitch));
	if (is_database) {
		d->remotes = control_add_ovsdb(registry, d->server, MANAGERS_OWN_TARGET);
		return;
	}
	control_add_fdb(registry, running);
	control_add_qos(registry, running);
	control_add_pmd(registry);
	control_add_dpif(registry, running);
	control_add_ofproto(registry, running);
	control_add_trace(registry, running);
	control_add_caches(registry, running);
}

static void
control_stop(struct daemon *d)
{
	for (int i = N_SOCKETS - 1; i >= 0; i--) {
		control_socket_destroy(d->sockets[i]);
		control_registry_destroy(d->registries[i]);
	}
	control_remotes_destroy(d->remotes);
}

static int
control_start(struct daemon *d, struct error *err)
{
	for (int i = 0; i < N_SOCKETS; i++) {
		char *path = rundir_control_path(control_names[i].program);
		int ret;

		control_fill(d, i);
		ret = control_socket_create(d->loop, path, d->registries[i],
		                            &d->sockets[i], err);
		free(path);
		if (ret) {
			control_stop(d);
			return ret;
		}
	}
	return 0;
}

/* ---- */

static int
daemon_run(struct daemon *d, struct error *err)
{
	int ret = prepare_process(&d->options, err);

	if (ret)
		return ret;
	d->loop = event_base_new();
	if (!d->loop) {
		ret = error_set(err, -ENOMEM, "cannot make an event loop");
		goto release;
	}
	signals_start(d);
	ret = database_start(d, err);
	if (ret)
		goto stop_signals;
	d->vswitch = vswitch_create(d->loop, d->db, d->server);
	ret = control_start(d, err);
	if (ret)
		goto stop_vswitch;
	log_info("weir-vswitchd %s started, run-time directory %s", PACKAGE_VERSION,
	         dirs_rundir());
	daemon_detach_done();
	if (d->options.detach)
		log_disable_console();
	event_base_dispatch(d->loop);
	log_info("stopping");
	control_stop(d);
stop_vswitch:
	vswitch_destroy(d->vswitch);
	database_stop(d);
stop_signals:
	signals_stop(d);
	event_base_free(d->loop);
release:
	rundir_release();
	return ret;
}

int
main(int argc, char *argv[])
{
	struct daemon d = {.loop = NULL};
	struct error err = {""};
	int ret;

	options_parse(&d.options, argc, argv);
	log_set_program("weir-vswitchd");
	ret = daemon_run(&d, &err);
	if (ret)
		fprintf(stderr, "weir-vswitchd: %s\n", err.text);
	options_destroy(&d.options);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
