/* ofproto_client.c - controllers of a switch under test, and channel.h for them. Main
 * thread. */
#include "tests/support/ofproto_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

struct ofproto *ofproto;
static struct event_base *loop;

static void
add_port(uint32_t number)
{
	struct ofproto_port port = {.number = number, .dp_port_id = number};

	port.name[0] = 'p';
	port.name[1] = (char)('0' + number % 10);
	ofproto_port_add(ofproto, &port);
}

int
ofproto_setup(void **state)
{
	const struct ofproto_controller controller = {.target = "tcp:127.0.0.1:1"};
	const struct ofproto_config config = {
		.bridge_name = "br0",
		.datapath_id = 0x1234,
		.controllers = &controller,
		.n_controllers = 1,
	};

	(void)state;
	setenv("WEIR_RUNDIR", "/nonexistent", 1); /* no sockets */
	fake_flows_reset();
	loop = event_base_new();
	ofproto = ofproto_create(loop, BRIDGE, "br0");
	ofproto_configure(ofproto, &config);
	for (uint32_t i = 1; i <= 3; i++)
		add_port(i);
	str_clear(&fake_flows.calls);
	return 0;
}

int
ofproto_teardown(void **state)
{
	(void)state;
	ofproto_destroy(ofproto);
	ofproto = NULL;
	event_base_free(loop);
	assert_int_equal(fake_flows.n_rules, 0);
	str_free(&fake_flows.calls);
	return 0;
}

/* Decodes the next message that was sent; false if there is none. */
bool
client_take(struct client *client, struct of_msg *msg)
{
	const uint8_t *data = (const uint8_t *)client->channel.sent.data + client->taken;
	struct of_error error;
	size_t n;

	if (client->taken == client->channel.sent.length)
		return false;
	n = (size_t)(data[2] << 8 | data[3]);
	client->taken += n;
	assert_int_equal(of_msg_decode(data, n, msg, &error), 0);
	return true;
}

void
client_forget(struct client *client)
{
	client->taken = client->channel.sent.length;
}

void
client_say(struct client *client, struct of_msg *msg)
{
	const struct channel *channel = &client->channel;
	struct str out = STR_INIT;

	msg->xid = ++client->xid;
	assert_int_equal(of_msg_encode(msg, &out), 0);
	session_message(client->session, (const uint8_t *)out.data, out.length);
	str_free(&out);
	/* However long main is held up meanwhile, who reads has the whole answer. */
	while (channel->is_paused && !channel->backlog && !channel->is_filled_by &&
	       !channel->is_stuck)
		ofproto_run();
}

static void
client_begin(struct client *client, enum of_version version,
             const struct connection_info *info)
{
	struct of_msg hello;

	*client = (struct client){.version = version, .info = *info};
	client->info.versions = OF_VERSIONS_ALL;
	client->session = session_open(&client->channel, &client->info, ofproto);
	of_msg_init(&hello, version, OFM_HELLO, 0);
	hello.hello.versions = 1U << version;
	client_say(client, &hello);
	of_msg_destroy(&hello);
	assert_true(session_is_established(client->session));
	client_forget(client);
}

void
client_open(struct client *client, enum of_version version, bool is_service)
{
	const struct connection_info info = {.is_service = is_service};

	client_begin(client, version, &info);
}

void
client_open_dialed(struct client *client, enum of_version version, const char *target)
{
	const struct connection_info info = {.target = target};

	client_begin(client, version, &info);
}

void
client_close(struct client *client)
{
	session_close(client->session);
	str_free(&client->channel.sent);
}

void
client_init(const struct client *client, enum of_kind kind, struct of_msg *msg)
{
	of_msg_init(msg, client->version, kind, 0);
}

/* The error that came, by name; "" if there is none. Forgets all else. */
const char *
client_error(struct client *client)
{
	const char *name = "";
	struct of_msg msg;

	while (client_take(client, &msg)) {
		if (msg.kind == OFM_ERROR && !*name) {
			const struct of_error error = {.type = msg.error.type,
			                               .code = msg.error.code,
			                               .experimenter =
			                                       msg.error.experimenter};

			name = of_error_name(client->version, &error);
			if (!name)
				name = "?";
		}
		of_msg_destroy(&msg);
	}
	return name;
}

void
client_make_flow(const struct client *client, enum of_flow_command command,
                 const char *text, struct of_msg *msg)
{
	struct error err = {""};

	client_init(client, OFM_FLOW_MOD, msg);
	if (of_text_parse_flow(text, command, NULL, &msg->flow_mod, &err))
		fail_msg("%s: %s", text, err.text);
	if (client->version == OF10 && msg->flow_mod.table == OF_TABLE_ALL)
		msg->flow_mod.table = 0; /* whose command names no table */
}

const char *
client_flow(struct client *client, enum of_flow_command command, const char *text)
{
	struct of_msg msg;

	client_make_flow(client, command, text, &msg);
	client_say(client, &msg);
	flow_actions_destroy(&msg.flow_mod.actions);
	of_msg_destroy(&msg);
	return client_error(client);
}

/* All rules as text, without what depends on time. */
char *
ofproto_rules(void)
{
	struct str out = STR_INIT, all = STR_INIT;
	char *line, *rest;

	ofproto_dump_flows(ofproto, false, &all);
	for (line = all.data; line && *line; line = rest) {
		char *text = strstr(line, "n_packets=");

		rest = strchr(line, '\n');
		*rest++ = '\0';
		str_append(&out, text);
		str_append(&out, ";");
	}
	str_free(&all);
	return str_steal(&out);
}

struct dp_rule *
ofproto_dp_rule(uint8_t table)
{
	struct rule *rule;

	HMAP_FOR_EACH (rule, node, &ofproto->tables[table].rules)
		return rule->dp;
	return NULL;
}

void
ofproto_advance(unsigned ms)
{
	fake_flows.now_ns += ms * NSEC_PER_MSEC;
	ofproto_run();
}
