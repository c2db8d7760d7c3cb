/* fake_ofproto.c - plays the switches behind ofproto.h, which only remember what they
 * were told: for tests of the daemon's other parts. Main thread. */
#include "support/fake_ofproto.h"

#include <errno.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/mem.h"
#include "vswitchd/openflow_config.h"

struct ofproto {
	struct list link; /* in 'all' */
	char *name;
	struct ofproto_config *config;
};

struct str fake_ofproto_calls;
static struct list all = {&all, &all};

void
ofproto_set_tls(struct event_base *loop, const struct ofproto_tls *tls)
{
	(void)loop;
	if (tls->certificate)
		str_printf(&fake_ofproto_calls, "tls %s %s %s%s\n", tls->private_key,
		           tls->certificate, tls->ca_cert,
		           tls->bootstrap_ca ? " bootstrap" : "");
}

struct ofproto *
ofproto_create(struct event_base *loop, uint32_t dp_bridge_id, const char *bridge_name)
{
	struct ofproto *ofproto = xcalloc(1, sizeof(*ofproto));

	(void)loop, (void)dp_bridge_id;
	ofproto->name = xstrdup(bridge_name);
	list_push_back(&all, &ofproto->link);
	str_printf(&fake_ofproto_calls, "create %s\n", bridge_name);
	return ofproto;
}

void
ofproto_destroy(struct ofproto *ofproto)
{
	if (!ofproto)
		return;
	str_printf(&fake_ofproto_calls, "destroy %s\n", ofproto->name);
	list_remove(&ofproto->link);
	openflow_config_free(ofproto->config);
	free(ofproto->name);
	free(ofproto);
}

void
fake_ofproto_reset(void)
{
	struct ofproto *ofproto, *next;

	LIST_FOR_EACH_SAFE (ofproto, next, link, &all)
		ofproto_destroy(ofproto);
	str_free(&fake_ofproto_calls);
}

void
ofproto_configure(struct ofproto *ofproto, const struct ofproto_config *config)
{
	openflow_config_free(ofproto->config);
	ofproto->config = openflow_config_copy(config, true);
	str_printf(&fake_ofproto_calls, "configure %s %s versions=0x%x",
	           config->bridge_name,
	           config->fail_mode == OFPROTO_SECURE ? "secure" : "standalone",
	           config->versions);
	for (size_t i = 0; i < config->n_controllers; i++)
		str_printf(&fake_ofproto_calls, " %s", config->controllers[i].target);
	str_append_char(&fake_ofproto_calls, '\n');
}

void
ofproto_port_add(struct ofproto *ofproto, const struct ofproto_port *port)
{
	str_printf(&fake_ofproto_calls, "port %s of %s is %u\n", port->name,
	           ofproto->name, port->number);
}

void
ofproto_port_del(struct ofproto *ofproto, uint32_t number)
{
	str_printf(&fake_ofproto_calls, "port %u of %s is gone\n", number, ofproto->name);
}

void
ofproto_port_changed(struct ofproto *ofproto, uint32_t number)
{
	str_printf(&fake_ofproto_calls, "port %u of %s changed\n", number, ofproto->name);
}

void
ofproto_reconnect(struct ofproto *ofproto)
{
	(void)ofproto;
}

void
ofproto_controllers(const struct ofproto *ofproto,
                    void (*cb)(const struct ofproto_controller_status *, void *aux),
                    void *aux)
{
	for (size_t i = 0; i < ofproto->config->n_controllers; i++) {
		const struct ofproto_controller_status status = {
			.target = ofproto->config->controllers[i].target,
			.is_connected = i == 0,
			.role = i == 0 ? "master" : NULL,
			.state = i == 0 ? "ACTIVE" : "BACKOFF",
			.last_error = i == 0 ? NULL : "Connection refused",
			.seconds_since_connect = 7,
			.packet_ins[OFPROTO_PACKET_IN_MISS] = {.is_limited = true,
		                                               .queued = 12},
			.n_unread = 3,
		};

		cb(&status, aux);
	}
}

int
ofproto_trace(struct ofproto *ofproto, const struct ofproto_trace *trace, struct str *out,
              struct error *err)
{
	(void)err;
	str_printf(out, "Flow: %s\n\nbridge(\"%s\")\n", trace->flow, ofproto->name);
	if (trace->packet)
		str_printf(out, "packet: %s\n", trace->packet);
	if (trace->actions)
		str_printf(out, "actions: %s\n", trace->actions);
	if (trace->has_effects)
		str_append(out, "with effects\n");
	return 0;
}

void
ofproto_dump_flows(struct ofproto *ofproto, bool offload, struct str *out)
{
	(void)ofproto;
	str_printf(out, "n_packets=0, n_bytes=0, %spriority=0,actions=NORMAL\n",
	           offload ? "n_offload_packets=0, n_offload_bytes=0, " : "");
}

void
ofproto_run(void)
{
}
