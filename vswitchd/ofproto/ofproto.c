/* ofproto.c - the life of a bridge's switch: makes its parts, drives them, and stands
 * between them and the daemon. Main thread. */
#include "vswitchd/ofproto/ofproto.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "vswitchd/ofproto/bundles.h"
#include "vswitchd/ofproto/controller_status.h"
#include "vswitchd/ofproto/dumps.h"
#include "vswitchd/ofproto/egress.h"
#include "vswitchd/ofproto/flow_mod.h"
#include "vswitchd/ofproto/groups.h"
#include "vswitchd/ofproto/learn.h"
#include "vswitchd/ofproto/meters.h"
#include "vswitchd/ofproto/packet_in.h"
#include "vswitchd/ofproto/ports.h"
#include "vswitchd/ofproto/session.h"
#include "vswitchd/ofproto/switch.h"
#include "vswitchd/ofproto/table_mod.h"
#include "vswitchd/ofproto/timeouts.h"

#define ALONE_PRIORITY UINT16_MAX

/* All switches. */
static struct list switches = {&switches, &switches};
static uint64_t n_instances; /* that there were so far */

/* ---- from the datapath ---- */

static void
on_punt(const struct dp_punt *punt, void *aux)
{
	struct ofproto *ofproto;

	(void)aux;
	LIST_FOR_EACH (ofproto, node, &switches) {
		if (ofproto->bridge_id != punt->bridge_id)
			continue;
		if (punt->reason < DP_PUNT_LEARN)
			packet_in_send(ofproto, punt);
		else if (punt->reason == DP_PUNT_FIN)
			timeouts_shrink(ofproto, punt->fin_rule, punt->fin_idle_s,
			                punt->fin_hard_s);
		else if (punt->actions && punt->actions_bytes)
			learn_run(ofproto, punt->actions, &punt->key);
		return;
	}
}

static void
on_publish(evutil_socket_t fd, short what, void *aux)
{
	(void)fd, (void)what;
	switch_publish(aux);
}

static void
on_pace(evutil_socket_t fd, short what, void *aux)
{
	struct ofproto *ofproto = aux;

	(void)fd, (void)what;
	packet_ins_run(ofproto, dp_time_ns());
	dumps_run(ofproto);
}

/* ---- alone ---- */

static void
forward_alone(struct ofproto *ofproto)
{
	static const struct flow_match any;
	struct rule *rule = rule_create(0, &any, ALONE_PRIORITY);
	struct flow_output *output =
		flow_actions_add(&rule->actions, ACTION_OUTPUT, sizeof(*output));
	struct changes changes;
	struct of_error error;

	output->port = FLOW_PORT_NORMAL;
	rule->is_hidden = true;
	changes_begin(&changes, ofproto, NULL, 0);
	if (changes_add_rule(&changes, rule, &error)) {
		changes_abort(&changes);
		return;
	}
	changes_commit(&changes);
	ofproto->alone = rule;
	egress_apply(ofproto);
}

static void
set_alone(bool is_alone, void *aux)
{
	struct ofproto *ofproto = aux;
	struct changes changes;

	if (is_alone == (ofproto->alone != NULL))
		return;
	if (is_alone) {
		forward_alone(ofproto);
		return;
	}
	changes_begin(&changes, ofproto, NULL, 0);
	changes_del_rule(&changes, ofproto->alone, REMOVED_DELETE);
	changes_commit(&changes);
	ofproto->alone = NULL;
	egress_apply(ofproto);
}

/* ---- life ---- */

static const struct connection_hooks hooks = {
	.open = session_open,
	.message = session_message,
	.close = session_close,
	.probe = session_probe,
	.is_established = session_is_established,
	.role = session_role,
	.count_packet_ins = packet_ins_count,
	.set_configured = controller_status_configured,
	.set_alone = set_alone,
};

struct ofproto *
ofproto_create(struct event_base *loop, uint32_t dp_bridge_id, const char *bridge_name)
{
	struct ofproto *ofproto = xcalloc(1, sizeof(*ofproto));

	ofproto->loop = loop;
	ofproto->bridge_id = dp_bridge_id;
	ofproto->instance = ++n_instances;
	snprintf(ofproto->name, sizeof(ofproto->name), "%s", bridge_name);
	list_init(&ofproto->sessions);
	for (unsigned i = 0; i < OF_TABLES; i++)
		flow_table_init(&ofproto->tables[i], (uint8_t)i);
	hmap_init(&ofproto->groups);
	hmap_init(&ofproto->meters);
	hmap_init(&ofproto->ports);
	hmap_init(&ofproto->fin_rules);
	hmap_init(&ofproto->learners);
	timeouts_init(ofproto, dp_time_ns());
	if (loop)
		ofproto->publish = evtimer_new(loop, on_publish, ofproto);
	if (loop)
		ofproto->pace = evtimer_new(loop, on_pace, ofproto);
	if (list_is_empty(&switches))
		dp_set_punt_handler(on_punt, NULL);
	list_push_back(&switches, &ofproto->node);
	/* From here on it says what the bridge does. */
	dp_bridge_clear_rules(dp_bridge_id);
	ofproto->connections = connections_create(loop, ofproto->name, &hooks, ofproto);
	return ofproto;
}

void
ofproto_destroy(struct ofproto *ofproto)
{
	connections_destroy(ofproto->connections);
	list_remove(&ofproto->node);
	if (ofproto->publish)
		event_free(ofproto->publish);
	ofproto->publish = NULL;
	if (ofproto->pace)
		event_free(ofproto->pace);
	ofproto->pace = NULL;
	flow_mod_flush(ofproto);
	set_alone(false, ofproto);
	learn_sweep(ofproto);
	table_destroy_all(ofproto);
	hmap_destroy(&ofproto->fin_rules);
	hmap_destroy(&ofproto->learners);
	ofproto_groups_destroy(ofproto);
	meters_destroy(ofproto);
	ports_destroy(ofproto);
	switch_publish(ofproto);
	free(ofproto->description);
	free(ofproto->serial);
	free(ofproto);
}

/* ---- configuration ---- */

static void
set_text(char **to, const char *text)
{
	free(*to);
	*to = text && *text ? xstrdup(text) : NULL;
}

/* As if the switch was new: without a controller to come it forwards by itself. The
 * datapath's own first rule goes. */
static void
start_over(struct ofproto *ofproto)
{
	flow_mod_flush(ofproto);
	learn_sweep(ofproto);
	ofproto->egress_table = 0;
	egress_apply(ofproto);
	if (!connections_has_primary(ofproto->connections) &&
	    ofproto->fail_mode == OFPROTO_STANDALONE)
		flow_mod_add_normal(ofproto);
}

/* A port may send as much as some controller is to get of both kinds. */
static void
set_punt_rate(struct ofproto *ofproto, const struct ofproto_config *config)
{
	uint32_t most = 0;

	for (size_t i = 0; i < config->n_controllers; i++)
		most = MAX_OF(most, config->controllers[i].rate_limit);
	most *= OFPROTO_PACKET_IN_KINDS;
	dp_bridge_set_punt_rate(ofproto->bridge_id, most > DP_PUNT_DEFAULT_PPS ? most : 0,
	                        0);
}

void
ofproto_configure(struct ofproto *ofproto, const struct ofproto_config *config)
{
	const bool is_first = !ofproto->is_configured;
	const enum ofproto_fail_mode before = ofproto->fail_mode;
	bool has_primary;

	ofproto->datapath_id = config->datapath_id;
	ofproto->fail_mode = config->fail_mode;
	set_text(&ofproto->description, config->dp_description);
	set_text(&ofproto->serial, config->serial);
	table_configure_all(ofproto, config);
	connections_configure(ofproto->connections, config);
	set_punt_rate(ofproto, config);
	has_primary = connections_has_primary(ofproto->connections);
	if (is_first || has_primary != ofproto->had_primary ||
	    (before != config->fail_mode && !has_primary))
		start_over(ofproto);
	ofproto->had_primary = has_primary;
	ofproto->is_configured = true;
}

void
ofproto_port_add(struct ofproto *ofproto, const struct ofproto_port *port)
{
	ports_add(ofproto, port);
}

void
ofproto_port_del(struct ofproto *ofproto, uint32_t number)
{
	ports_del(ofproto, number);
}

void
ofproto_port_changed(struct ofproto *ofproto, uint32_t number)
{
	ports_changed(ofproto, number);
}

void
ofproto_controllers(const struct ofproto *ofproto,
                    void (*cb)(const struct ofproto_controller_status *, void *aux),
                    void *aux)
{
	connections_report(ofproto->connections, cb, aux);
}

void
ofproto_reconnect(struct ofproto *ofproto)
{
	connections_reconnect(ofproto->connections);
}

/* ---- time ---- */

static void
run_one(struct ofproto *ofproto)
{
	const uint64_t now_ns = dp_time_ns();
	struct session *session;

	connections_run(ofproto->connections, clock_mono_ns());
	flow_mod_expire(ofproto, now_ns);
	table_evict_some(ofproto);
	learn_sweep(ofproto);
	table_report_vacancy(ofproto);
	packet_ins_run(ofproto, now_ns);
	dumps_run(ofproto);
	LIST_FOR_EACH (session, node, &ofproto->sessions)
		bundles_run(session, now_ns);
	switch_publish(ofproto);
}

void
ofproto_run(void)
{
	struct ofproto *ofproto;

	LIST_FOR_EACH (ofproto, node, &switches)
		run_one(ofproto);
}
