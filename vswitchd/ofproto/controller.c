/* controller.c - dials with growing pauses, or accepts, and makes each connection a peer.
 * Between peer.c and connections.c. Main thread. */
#include "vswitchd/ofproto/controller.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "vswitchd/ofproto/endpoint.h"
#include "vswitchd/ofproto/peer.h"
#include "vswitchd/ofproto/tls.h"

LOG_MODULE(connections);

#define DEFAULT_MAX_BACKOFF_MS 8000
#define FIRST_BACKOFF_MS       1000
#define LISTEN_RETRY_MS        5000
/* Of one listening target: whoever can connect must not take all descriptors. */
#define MEMBERS_MAX 1024
/* From dialing to a connected socket. */
#define DIAL_TIMEOUT_NS (5 * NSEC_PER_SEC)

struct controller {
	const struct controller_env *env;
	struct ofproto_controller config;
	char *text; /* what config.target points to */
	struct endpoint_target target;
	struct endpoint *endpoint; /* being dialed, or listening */
	struct list members;
	size_t n_members;
	uint32_t backoff_ms;      /* of the last pause; 0 = none yet */
	uint64_t next_ns;         /* when to dial or listen; 0 = now */
	uint64_t backoff_ends_ns; /* who stays connected until then starts afresh */
	uint64_t dialed_ns;
	uint64_t connected_ns, disconnected_ns; /* last moments; 0 = never */
	bool was_established;
	bool is_quiet;
	bool is_hopeless; /* the target cannot be understood */
	char *last_error; /* NULL = none */
};

struct member {
	struct list link; /* in controller.members */
	struct controller *controller;
	struct peer *peer;
};

static void
controller_note(struct controller *controller, const char *what, const char *why)
{
	const char *bridge = controller->env->bridge_name;
	const char *gap = why ? ": " : "";
	bool is_news = !why || !controller->last_error ||
	               strcmp(why, controller->last_error) || controller->was_established;

	why = why ? why : "";
	if (controller->is_quiet || !is_news)
		log_dbg("%s: %s: %s%s%s", bridge, controller->text, what, gap, why);
	else
		log_info("%s: %s: %s%s%s", bridge, controller->text, what, gap, why);
}

static void
controller_set_error(struct controller *controller, const char *why)
{
	char *copy = xstrdup(why);

	free(controller->last_error);
	controller->last_error = copy;
}

/* ---- connections ---- */

/* 1, 2, 4... s; a connection that outlived its predecessor's pause starts afresh. */
static void
controller_back_off(struct controller *controller)
{
	uint32_t most = controller->config.max_backoff_ms;
	uint64_t now_ns = clock_mono_ns();

	if (!most)
		most = DEFAULT_MAX_BACKOFF_MS;
	if (!controller->backoff_ms ||
	    (controller->was_established && now_ns >= controller->backoff_ends_ns))
		controller->backoff_ms = FIRST_BACKOFF_MS;
	else
		controller->backoff_ms = MIN_OF(controller->backoff_ms * 2, most);
	controller->backoff_ms = MIN_OF(controller->backoff_ms, most);
	controller->next_ns = now_ns + controller->backoff_ms * NSEC_PER_MSEC;
	controller->backoff_ends_ns =
		controller->next_ns + controller->backoff_ms * NSEC_PER_MSEC;
}

static void
controller_on_closed(struct peer *peer, const char *why, void *aux)
{
	struct member *member = aux;
	struct controller *controller = member->controller;

	controller_note(controller,
	                peer_is_established(peer) ? "connection ended"
	                                          : "connection failed",
	                why);
	controller_set_error(controller, why);
	list_remove(&member->link);
	controller->n_members--;
	free(member);
	if (!controller->n_members)
		controller->disconnected_ns = clock_mono_ns();
	if (!controller->target.is_passive) {
		controller_back_off(controller);
		controller->was_established = false;
	}
}

static void
controller_add_peer(struct controller *controller, int fd, struct ssl_st *ssl)
{
	const struct controller_env *env = controller->env;
	const struct ofproto_controller *config = &controller->config;
	struct member *member = xcalloc(1, sizeof(*member));
	const char *dialed = controller->target.is_passive ? NULL : controller->text;
	const struct peer_config peer_config = {
		.loop = env->loop,
		.hooks = env->hooks,
		.hooks_aux = env->hooks_aux,
		.info = {.target = dialed,
	                 .is_service = config->is_service,
	                 .versions = env->versions,
	                 .rate_limit = config->rate_limit,
	                 .burst_limit = config->burst_limit,
	                 .queue_size = config->queue_size},
		.probe_ms = config->inactivity_probe_ms,
		.tap = config->is_service ? NULL : env->tap,
		.tap_aux = env->tap_aux,
		.closed = controller_on_closed,
		.aux = member,
	};

	if (config->dscp)
		endpoint_set_dscp(fd, config->dscp);
	member->controller = controller;
	list_push_back(&controller->members, &member->link);
	controller->n_members++;
	member->peer = peer_create(&peer_config, fd, ssl, controller->target.is_passive,
	                           controller->text);
}

/* A descriptor, dialed or accepted, or the reason why there is none. */
static void
controller_on_stream(int fd, const char *why, void *aux)
{
	struct controller *controller = aux;
	struct ssl_st *ssl = NULL;
	struct error err;

	if (!controller->target.is_passive) {
		endpoint_destroy(controller->endpoint);
		controller->endpoint = NULL;
	}
	if (fd >= 0 && controller->n_members >= MEMBERS_MAX) {
		close(fd);
		log_warn("%s: %s: more than %d connections", controller->env->bridge_name,
		         controller->text, MEMBERS_MAX);
		return;
	}
	if (fd >= 0 && controller->target.is_tls) {
		ssl = tls_session_create(controller->target.is_passive, &err);
		if (!ssl) {
			close(fd);
			fd = -1;
			why = err.text;
		}
	}
	if (fd >= 0) {
		controller_add_peer(controller, fd, ssl);
		return;
	}
	controller_note(controller, "cannot connect", why);
	controller_set_error(controller, why);
	if (!controller->target.is_passive)
		controller_back_off(controller);
}

static void
controller_start(struct controller *controller, uint64_t now_ns)
{
	const struct controller_env *env = controller->env;
	struct error err;

	controller->dialed_ns = now_ns;
	if (!controller->target.is_passive) {
		controller->endpoint = endpoint_dial(env->loop, controller->target.socket,
		                                     controller_on_stream, controller);
		return;
	}
	controller->endpoint = endpoint_listen(env->loop, controller->target.socket,
	                                       controller_on_stream, controller, &err);
	if (controller->endpoint)
		return;
	controller->next_ns = now_ns + LISTEN_RETRY_MS * NSEC_PER_MSEC;
	if (!controller->last_error || strcmp(err.text, controller->last_error))
		log_warn("%s: %s", env->bridge_name, err.text);
	controller_set_error(controller, err.text);
}

static void
controller_stop(struct controller *controller)
{
	struct member *member, *next;

	LIST_FOR_EACH_SAFE (member, next, link, &controller->members) {
		list_remove(&member->link);
		peer_destroy(member->peer);
		free(member);
	}
	controller->n_members = 0;
	controller->was_established = false;
	if (!controller->target.is_passive) {
		endpoint_destroy(controller->endpoint);
		controller->endpoint = NULL;
	}
}

/* ---- configuration ---- */

static void
controller_take(struct controller *controller, const struct ofproto_controller *config)
{
	controller->config = *config;
	controller->config.target = controller->text;
}

struct controller *
controller_create(const struct controller_env *env,
                  const struct ofproto_controller *config, bool is_quiet)
{
	struct controller *controller = xcalloc(1, sizeof(*controller));
	struct error err;

	controller->env = env;
	controller->text = xstrdup(config->target);
	controller->is_quiet = is_quiet;
	list_init(&controller->members);
	controller_take(controller, config);
	if (endpoint_target_parse(config->target, &controller->target, &err)) {
		controller->is_hopeless = true;
		controller_set_error(controller, err.text);
		log_warn("%s: controller %s", env->bridge_name, err.text);
	} else {
		controller->config.is_service |= controller->target.is_passive;
		controller_start(controller, clock_mono_ns());
	}
	return controller;
}

void
controller_destroy(struct controller *controller)
{
	controller_stop(controller);
	endpoint_destroy(controller->endpoint);
	endpoint_target_free(&controller->target);
	free(controller->last_error);
	free(controller->text);
	free(controller);
}

bool
controller_reconfigure(struct controller *controller,
                       const struct ofproto_controller *config)
{
	bool is_service = config->is_service || controller->target.is_passive;
	struct member *member;

	if (strcmp(config->target, controller->text) ||
	    is_service != controller->config.is_service)
		return false;
	controller_take(controller, config);
	controller->config.is_service = is_service;
	LIST_FOR_EACH (member, link, &controller->members)
		peer_set_limits(member->peer, config);
	return true;
}

void
controller_restart(struct controller *controller)
{
	if (!list_is_empty(&controller->members))
		controller->disconnected_ns = clock_mono_ns();
	controller_stop(controller);
	controller->backoff_ms = 0;
	controller->next_ns = 0;
}

/* ---- time ---- */

void
controller_run(struct controller *controller, uint64_t now_ns)
{
	struct member *member;

	if (controller->is_hopeless)
		return;
	LIST_FOR_EACH (member, link, &controller->members) {
		peer_run(member->peer, now_ns);
		if (peer_is_established(member->peer) && !controller->was_established) {
			controller->was_established = true;
			controller->connected_ns = now_ns;
			controller_note(controller, "connected", NULL);
			free(controller->last_error);
			controller->last_error = NULL;
		}
	}
	if (controller->target.is_passive) {
		if (!controller->n_members)
			controller->was_established = false;
		if (!controller->endpoint && now_ns >= controller->next_ns)
			controller_start(controller, now_ns);
		return;
	}
	if (controller->endpoint && now_ns >= controller->dialed_ns + DIAL_TIMEOUT_NS)
		controller_on_stream(-1,
		                     endpoint_is_looking_up(controller->endpoint)
		                             ? "nobody knows the host's address"
		                             : "the connection attempt timed out",
		                     controller);
	if (!controller->endpoint && !controller->n_members &&
	    now_ns >= controller->next_ns)
		controller_start(controller, now_ns);
}

/* ---- what others ask ---- */

const char *
controller_target(const struct controller *controller)
{
	return controller->text;
}

bool
controller_is_passive(const struct controller *controller)
{
	return controller->target.is_passive;
}

bool
controller_is_primary(const struct controller *controller)
{
	return !controller->config.is_service && !controller->is_hopeless;
}

bool
controller_is_heard(const struct controller *controller)
{
	struct member *member;

	LIST_FOR_EACH (member, link, &controller->members)
		if (peer_is_established(member->peer) && !peer_is_idle(member->peer))
			return true;
	return false;
}

bool
controller_is_back(const struct controller *controller)
{
	struct member *member;

	LIST_FOR_EACH (member, link, &controller->members)
		if (peer_has_spoken(member->peer))
			return true;
	return false;
}

uint32_t
controller_probe_ms(const struct controller *controller)
{
	return controller->config.inactivity_probe_ms;
}

static const char *
controller_state(const struct controller *controller, const struct peer *established)
{
	if (established)
		return peer_is_idle(established) ? "IDLE" : "ACTIVE";
	if (controller->is_hopeless)
		return "VOID";
	if (controller->target.is_passive)
		return controller->endpoint ? "LISTENING" : "BACKOFF";
	return controller->endpoint || controller->n_members ? "CONNECTING" : "BACKOFF";
}

static uint64_t
seconds_since(uint64_t moment_ns, uint64_t now_ns)
{
	return moment_ns && now_ns > moment_ns ? (now_ns - moment_ns) / NSEC_PER_SEC : 0;
}

void
controller_get_status(const struct controller *controller, uint64_t now_ns,
                      struct ofproto_controller_status *status)
{
	const struct peer *established = NULL;
	struct member *member;

	memset(status, 0, sizeof(*status));
	LIST_FOR_EACH (member, link, &controller->members) {
		peer_count_packet_ins(member->peer, status);
		if (peer_is_established(member->peer))
			established = member->peer;
	}
	status->target = controller->text;
	status->is_passive = controller->target.is_passive;
	status->is_connected = established != NULL;
	status->role = established ? peer_role(established) : NULL;
	status->state = controller_state(controller, established);
	status->last_error = controller->last_error;
	status->seconds_since_connect = seconds_since(controller->connected_ns, now_ns);
	status->seconds_since_disconnect =
		seconds_since(controller->disconnected_ns, now_ns);
}
