/* session_test.c - what controllers of a switch are told: versions, roles, barriers,
 * packets, monitors. Main thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/ofproto_client.h"
#include "vswitchd/ofproto/packet_in.h"

/* ---- roles, barriers ---- */

static const char *
ask_role(struct client *client, enum of_role role, uint64_t generation)
{
	struct of_msg msg;

	client_init(client, OFM_ROLE_REQUEST, &msg);
	msg.role.role = role;
	msg.role.generation = generation;
	msg.role.has_generation = true;
	client_say(client, &msg);
	of_msg_destroy(&msg);
	return client_error(client);
}

static void
one_primary_changes_things(void **state)
{
	struct client a, b;

	(void)state;
	client_open(&a, OF13, false);
	client_open(&b, OF14, false);
	assert_string_equal(ask_role(&b, OF_ROLE_PRIMARY, 5), "");
	assert_string_equal(session_role(b.session), "master");
	assert_string_equal(ask_role(&a, OF_ROLE_PRIMARY, 4), "OFPRRFC_STALE");
	assert_string_equal(ask_role(&a, OF_ROLE_PRIMARY, 6), "");
	assert_string_equal(session_role(b.session), "slave");
	assert_string_equal(client_flow(&b, OF_FLOW_ADD, "actions=drop"),
	                    "OFPBRC_IS_SECONDARY");
	assert_string_equal(client_flow(&a, OF_FLOW_ADD, "actions=drop"), "");
	assert_string_equal(ask_role(&b, OF_ROLE_EQUAL, 0), "");
	assert_string_equal(client_flow(&b, OF_FLOW_ADD, "in_port=1,actions=drop"), "");
	assert_string_equal(session_role(a.session), "master");
	client_close(&a);
	client_close(&b);
}

static void
barriers_wait_for_packets(void **state)
{
	struct of_msg msg;
	struct client c;

	(void)state;
	client_open(&c, OF13, false);
	switch_synchronize(ofproto);
	str_clear(&fake_flows.calls);
	client_flow(&c, OF_FLOW_ADD, "in_port=1,actions=drop");
	client_flow(&c, OF_FLOW_ADD, "in_port=2,actions=drop");
	client_init(&c, OFM_BARRIER_REQUEST, &msg);
	client_say(&c, &msg);
	of_msg_destroy(&msg);
	assert_string_equal(str_text(&fake_flows.calls),
	                    "rule+ rule+ publish synchronize reply ");
	client_close(&c);
}

/* ---- HELLO ---- */

static void
versions_are_agreed_on(void **state)
{
	static const struct {
		uint32_t ours, theirs, header;
		enum of_version version;
	} hellos[] = {
		{OF_VERSIONS_ALL, 1U << OF10, OF10, OF10},
		{OF_VERSIONS_ALL, 0, OF13, OF13}, /* no bitmap: all up to the header's */
		{1U << OF10 | 1U << OF13 | 1U << OF14, 0, OF15, OF14},
		{1U << OF10 | 1U << OF13, 0, OF12, OF10},
		{1U << OF13, 1U << OF10 | 1U << OF13 | 1U << OF15, OF13, OF13},
		{1U << OF13, 1U << OF15, OF15, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hellos); i++) {
		struct client c = {.info.versions = hellos[i].ours};
		uint8_t hello[16] = {(uint8_t)hellos[i].header,
		                     0,
		                     0,
		                     16,
		                     0,
		                     0,
		                     0,
		                     1,
		                     0,
		                     1,
		                     0,
		                     8,
		                     0,
		                     0,
		                     0,
		                     (uint8_t)hellos[i].theirs};

		c.session = session_open(&c.channel, &c.info, ofproto);
		if (!hellos[i].theirs)
			hello[3] = 8;
		session_message(c.session, hello, hello[3]);
		assert_int_equal(session_is_established(c.session),
		                 hellos[i].version != 0);
		assert_int_equal(c.channel.failed == NULL, hellos[i].version != 0);
		if (hellos[i].version)
			assert_int_equal(((struct session *)c.session)->version,
			                 hellos[i].version);
		client_close(&c);
	}
}

/* ---- packets ---- */

static void
punt(uint64_t cookie, enum dp_punt_reason reason, uint16_t controller_id)
{
	static const uint8_t packet[200];
	struct dp_punt p = {
		.bridge_id = BRIDGE,
		.reason = reason,
		.cookie = cookie,
		.controller_id = controller_id,
		.data = packet,
		.length = sizeof(packet),
		.captured = sizeof(packet),
	};

	p.key.f.in_port = 2;
	p.key.f.regs[3] = 9;
	fake_flows.punt(&p, fake_flows.punt_aux);
}

static int
take_packet_in(struct client *client, size_t *bytes)
{
	struct of_msg msg;
	int reason = -1;

	while (client_take(client, &msg)) {
		if (msg.kind == OFM_PACKET_IN) {
			reason = msg.packet_in.reason;
			*bytes = msg.packet_in.n;
			assert_int_equal(msg.packet_in.metadata.key.f.in_port, 2);
			assert_int_equal(msg.packet_in.total_bytes, 200);
		}
		of_msg_destroy(&msg);
	}
	return reason;
}

static void
packets_go_to_those_who_want_them(void **state)
{
	struct client old, new, service;
	size_t bytes = 0;

	(void)state;
	client_open(&new, OF13, false);
	assert_int_equal(fake_flows.miss[0], DP_MISS_DROP);
	client_open(&old, OF10, false);
	assert_int_equal(fake_flows.miss[0], DP_MISS_CONTROLLER);
	client_open(&service, OF13, true);
	punt(UINT64_MAX, DP_PUNT_NO_MATCH, 0); /* no rule */
	assert_int_equal(take_packet_in(&old, &bytes), 0);
	assert_int_equal(bytes, 200);
	assert_int_equal(take_packet_in(&new, &bytes), -1);
	punt(0, DP_PUNT_NO_MATCH, 0); /* the rule for all the rest */
	assert_int_equal(take_packet_in(&old, &bytes), 1);
	assert_int_equal(take_packet_in(&new, &bytes), 0);
	assert_int_equal(bytes, 200);
	punt(0, DP_PUNT_INVALID_TTL, 0);
	assert_int_equal(take_packet_in(&new, &bytes), -1);
	punt(0, DP_PUNT_ACTION, 5); /* for another controller */
	assert_int_equal(take_packet_in(&new, &bytes), -1);
	assert_int_equal(take_packet_in(&service, &bytes), -1);
	ask_role(&new, OF_ROLE_SECONDARY, 1);
	punt(0, DP_PUNT_ACTION, 0);
	assert_int_equal(take_packet_in(&new, &bytes), -1);
	assert_int_equal(take_packet_in(&old, &bytes), 1);
	client_close(&old);
	assert_int_equal(fake_flows.miss[0], DP_MISS_DROP);
	client_close(&new);
	client_close(&service);
}

static void
packet_ins_are_limited(void **state)
{
	struct ofproto_controller_status status = {.n_unread = 0};
	struct client c;
	size_t bytes;
	int n = 0;

	(void)state;
	client_open(&c, OF13, false);
	c.info.rate_limit = 10;
	c.info.burst_limit = 3;
	for (int i = 0; i < 20; i++) {
		punt(0, DP_PUNT_ACTION, 0);
		n += take_packet_in(&c, &bytes) >= 0;
	}
	assert_int_equal(n, 3);
	/* Those that no rule matches have a rate of their own. */
	punt(0, DP_PUNT_NO_MATCH, 0);
	assert_int_equal(take_packet_in(&c, &bytes), 0);
	/* Three waited, and go at the rate. */
	for (int i = 0; i < 5; i++) {
		ofproto_advance(100);
		n += take_packet_in(&c, &bytes) >= 0;
	}
	assert_int_equal(n, 6);
	packet_ins_count(c.session, &status);
	assert_true(status.packet_ins[OFPROTO_PACKET_IN_ACTION].is_limited);
	assert_int_equal(status.packet_ins[OFPROTO_PACKET_IN_ACTION].bypassed, 3);
	assert_int_equal(status.packet_ins[OFPROTO_PACKET_IN_ACTION].queued, 17);
	assert_int_equal(status.packet_ins[OFPROTO_PACKET_IN_ACTION].dropped, 14);
	assert_int_equal(status.packet_ins[OFPROTO_PACKET_IN_ACTION].backlog, 0);
	assert_int_equal(status.packet_ins[OFPROTO_PACKET_IN_MISS].bypassed, 1);
	assert_int_equal(status.n_unread, 0);
	client_close(&c);
}

/* Whoever does not read loses packets beyond a number, or some megabytes. */
static void
packet_ins_wait_for_readers(void **state)
{
	struct ofproto_controller_status status = {.n_unread = 0};
	struct of_msg msg;
	struct client c;
	size_t bytes;
	int n = 0;

	(void)state;
	client_open(&c, OF13, false);
	client_forget(&c);
	c.info.queue_size = 4;
	for (int i = 0; i < 10; i++) {
		c.channel.backlog = c.channel.sent.length - c.taken; /* none is read */
		punt(0, DP_PUNT_ACTION, 0);
	}
	for (; client_take(&c, &msg); n++)
		of_msg_destroy(&msg);
	assert_int_equal(n, 4);
	c.channel.backlog /= 2; /* two are read: there is room for two */
	punt(0, DP_PUNT_ACTION, 0);
	assert_int_equal(take_packet_in(&c, &bytes), 1);
	packet_ins_count(c.session, &status);
	assert_int_equal(status.n_unread, 6);
	c.info.queue_size = 0;
	c.channel.backlog = 3U << 20;
	punt(0, DP_PUNT_ACTION, 0);
	assert_int_equal(take_packet_in(&c, &bytes), -1);
	client_close(&c);
}

/* Asks to go on with what came last; the error, "" if there is none. */
static const char *
resume(struct client *client, const struct of_msg *in, size_t flipped, size_t n)
{
	struct str changed = STR_INIT;
	struct of_msg msg;
	const char *error;

	str_append_bytes(&changed, in->packet_in.continuation, n);
	if (flipped < n)
		changed.data[flipped] ^= 0x10;
	client_init(client, OFM_NX_RESUME, &msg);
	msg.packet_in = in->packet_in;
	msg.packet_in.continuation = (const uint8_t *)changed.data;
	msg.packet_in.n_continuation = n;
	client_say(client, &msg);
	error = client_error(client);
	str_free(&changed);
	return error;
}

/* A controller gets the packet with a continuation, changes registers, and sends it back;
 * nothing else than what it got is taken. */
static void
paused_packets_go_on(void **state)
{
	static const uint8_t packet[60] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 6};
	static const char contents[] = "thirteen byte";
	struct dp_punt p = {
		.bridge_id = BRIDGE,
		.reason = DP_PUNT_ACTION,
		.data = packet,
		.length = sizeof(packet),
		.captured = sizeof(packet),
		.continuation = contents,
		.n_continuation = strlen(contents),
	};
	struct of_packet_in *in;
	struct of_msg msg;
	struct client c;
	size_t n;

	(void)state;
	client_open(&c, OF13, false);
	client_init(&c, OFM_NX_PACKET_IN_FORMAT, &msg);
	msg.number = OF_PACKET_IN_NXT2;
	client_say(&c, &msg);
	switch_publish(ofproto);
	client_forget(&c);
	p.key.f.in_port = 2;
	p.key.f.regs[3] = 9;
	p.key.f.regs[4] = 5;
	p.key.f.packet_mark = 6;
	fake_flows.punt(&p, fake_flows.punt_aux);
	assert_true(client_take(&c, &msg));
	in = &msg.packet_in;
	assert_true(in->has_continuation);
	n = in->n_continuation;
	str_clear(&fake_flows.calls);
	flow_match_set_u64(&in->metadata, FIELD_REG0 + 3, 10);
	assert_string_equal(resume(&c, &msg, n, n), "");
	assert_string_equal(str_text(&fake_flows.calls), "resume:thirteen byte ");
	assert_int_equal(fake_flows.out_key.f.in_port, 2);
	assert_int_equal(fake_flows.out_key.f.regs[3], 10);
	assert_int_equal(fake_flows.out_key.f.regs[4], 5);
	assert_int_equal(fake_flows.out_key.f.packet_mark, 6);
	assert_int_equal(fake_flows.out_key.f.eth_type, 0x806);
	assert_int_equal(fake_flows.out_bytes, 60);
	str_clear(&fake_flows.calls);
	/* The padding at the end is nobody's. */
	for (size_t i = 0; i < n - 3; i++)
		assert_string_equal(resume(&c, &msg, i, n), "NXR_STALE");
	for (size_t i = 0; i < n - 3; i++)
		assert_string_equal(resume(&c, &msg, n, i), "NXR_STALE");
	ofproto->instance++; /* as if the bridge was another one of the same name */
	assert_string_equal(resume(&c, &msg, n, n), "NXR_STALE");
	ofproto->instance--;
	flow_match_set_u64(&in->metadata, FIELD_IN_PORT, FLOW_PORT_NORMAL);
	assert_string_equal(resume(&c, &msg, n, n), "OFPBRC_BAD_PORT");
	assert_string_equal(str_text(&fake_flows.calls), "");
	of_msg_destroy(&msg);
	client_close(&c);
}

static void
packets_are_sent(void **state)
{
	static const uint8_t packet[60] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 6};
	struct flow_actions actions = {0};
	struct flow_output *output;
	struct of_msg msg;
	struct client c;

	(void)state;
	client_open(&c, OF13, false);
	switch_publish(ofproto);
	str_clear(&fake_flows.calls);
	client_flow(&c, OF_FLOW_ADD, "actions=output:2");
	output = flow_actions_add(&actions, ACTION_OUTPUT, sizeof(*output));
	output->port = FLOW_PORT_TABLE;
	client_init(&c, OFM_PACKET_OUT, &msg);
	msg.packet_out.buffer_id = OF_BUFFER_NONE;
	msg.packet_out.in_port = FLOW_PORT_CONTROLLER;
	msg.packet_out.actions = actions;
	msg.packet_out.packet = packet;
	msg.packet_out.n = sizeof(packet);
	client_say(&c, &msg);
	assert_string_equal(client_error(&c), "");
	assert_string_equal(str_text(&fake_flows.calls), "rule+ publish packet ");
	assert_int_equal(fake_flows.out_key.f.in_port, FLOW_PORT_CONTROLLER);
	assert_int_equal(fake_flows.out_key.f.eth_type, 0x806);
	msg.packet_out.in_port = FLOW_PORT_NORMAL;
	client_say(&c, &msg);
	assert_string_equal(client_error(&c), "OFPBRC_BAD_PORT");
	msg.packet_out.in_port = 1;
	msg.packet_out.n = 5;
	client_say(&c, &msg);
	assert_string_equal(client_error(&c), "OFPBRC_BAD_PACKET");
	flow_actions_destroy(&actions);
	of_msg_destroy(&msg);
	client_close(&c);
}

/* ---- much to say ---- */

/* Parts are made as they are read; what is there all the time comes once, what comes and
 * goes meanwhile may or may not. */
static void
long_dumps_are_made_as_they_are_read(void **state)
{
	static uint8_t seen[3000];
	struct of_msg msg;
	struct client c;
	char text[80];
	unsigned parts = 0;
	bool more = true;

	(void)state;
	memset(seen, 0, sizeof(seen));
	client_open(&c, OF13, false);
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(text, sizeof(text), "table=%u,priority=%u,actions=drop", i % 3,
		         i + 1);
		client_flow(&c, OF_FLOW_ADD, text);
	}
	client_forget(&c);
	client_init(&c, OFM_FLOW_STATS_REQUEST, &msg);
	msg.flow_request.table = OF_TABLE_ALL;
	msg.flow_request.out_port = FLOW_PORT_NONE;
	msg.flow_request.out_group = OF_GROUP_ANY;
	c.channel.backlog = 5U << 20;
	client_say(&c, &msg);
	assert_false(client_take(&c, &msg));
	for (; more; parts++) {
		/* One at a time: the channel is full as soon as it has one. */
		c.channel.backlog = 0;
		c.channel.is_filled_by = c.channel.sent.length + 1;
		ofproto_run();
		assert_true(client_take(&c, &msg));
		assert_int_equal(msg.kind, OFM_FLOW_STATS_REPLY);
		for (size_t i = 0; i < msg.n; i++)
			if (msg.flows[i].priority <= 3000)
				seen[msg.flows[i].priority - 1]++;
		more = msg.more;
		of_msg_destroy(&msg);
		assert_int_equal(c.channel.is_paused, more);
		/* The tables grow, and lose what was there. */
		for (unsigned i = 0; i < 200; i++) {
			snprintf(text, sizeof(text), "table=%u,priority=%u,actions=drop",
			         i % 3, 4000 + parts * 200 + i);
			client_flow(&c, OF_FLOW_ADD, text);
		}
		client_flow(&c, OF_FLOW_DELETE_STRICT, "table=0,priority=1");
		client_forget(&c);
	}
	assert_true(parts > 5);
	for (unsigned i = 1; i < 3000; i++)
		assert_int_equal(seen[i], 1);
	client_close(&c);
}

static void
long_replies_wait_for_readers(void **state)
{
	struct of_msg msg;
	struct client c;
	size_t before;

	(void)state;
	client_open(&c, OF13, false);
	client_flow(&c, OF_FLOW_ADD, "actions=drop");
	before = c.channel.sent.length;
	c.channel.is_stuck = true;
	client_init(&c, OFM_FLOW_STATS_REQUEST, &msg);
	msg.flow_request.table = OF_TABLE_ALL;
	msg.flow_request.out_port = FLOW_PORT_NONE;
	msg.flow_request.out_group = OF_GROUP_ANY;
	client_say(&c, &msg);
	of_msg_destroy(&msg);
	assert_int_equal(c.channel.sent.length, before);
	assert_true(c.channel.is_paused);
	c.channel.is_stuck = false;
	ofproto_run();
	assert_true(c.channel.sent.length > before);
	assert_false(c.channel.is_paused);
	client_close(&c);
}

/* ---- monitors ---- */

static int
take_update(struct client *client)
{
	struct of_msg msg;
	int event = -1;

	while (client_take(client, &msg)) {
		if (msg.kind == OFM_FLOW_MONITOR_REPLY && msg.n)
			event = msg.monitor_updates[0].event;
		of_msg_destroy(&msg);
	}
	return event;
}

static void
changes_are_told(void **state)
{
	struct of_monitor monitor = {
		.id = 1,
		.flags = OF_MONITOR_INITIAL | OF_MONITOR_ON_ADD | OF_MONITOR_ON_REMOVED |
	                 OF_MONITOR_ON_MODIFY | OF_MONITOR_INSTRUCTIONS,
		.what = {.table = OF_TABLE_ALL,
	                 .out_port = FLOW_PORT_NONE,
	                 .out_group = OF_GROUP_ANY},
	};
	struct client a, b;
	struct of_msg msg;

	(void)state;
	client_open(&a, OF14, false);
	client_open(&b, OF13, false);
	client_flow(&b, OF_FLOW_ADD, "in_port=1,actions=drop");
	client_init(&a, OFM_FLOW_MONITOR_REQUEST, &msg);
	msg.monitors = &monitor;
	msg.n = 1;
	client_say(&a, &msg);
	of_msg_destroy(&msg);
	assert_int_equal(take_update(&a), OF_EVENT_INITIAL);
	client_flow(&b, OF_FLOW_ADD, "in_port=2,actions=drop");
	assert_int_equal(take_update(&a), OF_EVENT_ADDED);
	client_flow(&b, OF_FLOW_MODIFY, "in_port=2,actions=output:1");
	assert_int_equal(take_update(&a), OF_EVENT_MODIFIED);
	client_flow(&b, OF_FLOW_MODIFY, "in_port=2,actions=output:1"); /* nothing new */
	assert_int_equal(take_update(&a), -1);
	client_flow(&b, OF_FLOW_DELETE, "in_port=2");
	assert_int_equal(take_update(&a), OF_EVENT_REMOVED);
	client_make_flow(&a, OF_FLOW_ADD, "in_port=3,actions=drop", &msg);
	client_say(&a, &msg);
	of_msg_destroy(&msg);
	assert_int_equal(take_update(&a), OF_EVENT_ABBREV);
	client_close(&a);
	client_close(&b);
}

/* ---- of other controllers */

#define ONE "tcp:10.0.0.1:6653"
#define TWO "ssl:10.0.0.2:6653"

/* What came next of a controller: "uri role short-id channel reason"; "" if nothing. */
static const char *
take_status(struct client *client)
{
	static char text[200];
	const struct of_controller_status *status;
	struct of_msg msg;

	text[0] = '\0';
	while (!text[0] && client_take(client, &msg)) {
		status = &msg.controller_status;
		if (msg.kind == OFM_CONTROLLER_STATUS)
			snprintf(text, sizeof(text), "%s %u %u %u %u", status->uri,
			         status->role, status->short_id, status->channel_status,
			         status->reason);
		of_msg_destroy(&msg);
	}
	return text;
}

static void
take_role(struct client *client, enum of_role role, uint16_t short_id)
{
	struct of_msg msg;

	client_init(client, OFM_ROLE_REQUEST, &msg);
	msg.role.role = role;
	msg.role.short_id = short_id;
	client_say(client, &msg);
	of_msg_destroy(&msg);
}

static void
controllers_are_told_of_each_other(void **state)
{
	struct client a, b, old;

	(void)state;
	client_open_dialed(&a, OF15, ONE);
	client_open_dialed(&old, OF14, "tcp:10.0.0.3");
	assert_string_equal(take_status(&a), "tcp:10.0.0.3 1 0 0 1");
	client_open_dialed(&b, OF15, TWO);
	assert_string_equal(take_status(&a), "tls:10.0.0.2:6653 1 0 0 1");
	assert_string_equal(take_status(&b), "");
	take_role(&b, OF_ROLE_PRIMARY, 7);
	assert_string_equal(take_status(&a), "tls:10.0.0.2:6653 2 7 0 2");
	assert_string_equal(take_status(&a), "tls:10.0.0.2:6653 2 7 0 5");
	take_role(&b, OF_ROLE_PRIMARY, 7); /* nothing new */
	take_role(&b, OF_ROLE_NOCHANGE, 9);
	assert_string_equal(take_status(&a), "");
	take_role(&a, OF_ROLE_PRIMARY, 0);
	assert_string_equal(take_status(&b), ONE " 2 0 0 2");
	assert_string_equal(take_status(&a), "tls:10.0.0.2:6653 3 7 0 2");
	client_close(&b);
	assert_string_equal(take_status(&a), "tls:10.0.0.2:6653 3 7 1 1");
	assert_string_equal(take_status(&a), "");
	assert_string_equal(take_status(&old), "");
	client_close(&a);
	client_close(&old);
}

static void
statuses_are_told_as_asked(void **state)
{
	struct client service, a;
	struct of_msg msg;

	(void)state;
	client_open(&service, OF15, true);
	client_open_dialed(&a, OF15, ONE);
	assert_string_equal(take_status(&service), "");
	client_init(&service, OFM_SET_ASYNC, &msg);
	msg.async.given = 1U << (2 * REPORT_CONTROLLER_STATUS + 1);
	msg.async.controller_status[1] = 1U << OF_CONTROLLER_SHORT_ID;
	client_say(&service, &msg);
	of_msg_destroy(&msg);
	take_role(&a, OF_ROLE_PRIMARY, 3);
	assert_string_equal(take_status(&service), ONE " 2 3 0 5");
	assert_string_equal(take_status(&service), "");
	/* Who comes by itself is not configured. */
	take_role(&service, OF_ROLE_EQUAL, 4);
	assert_string_equal(take_status(&a), "");
	client_close(&service);
	assert_string_equal(take_status(&a), "");
	client_close(&a);
}

static void
configure_controllers(const char *one, const char *two)
{
	const struct ofproto_controller controllers[] = {{.target = one},
	                                                 {.target = two}};
	const struct ofproto_config config = {.bridge_name = "br0",
	                                      .datapath_id = 0x1234,
	                                      .controllers = controllers,
	                                      .n_controllers = two ? 2 : 1};

	ofproto_configure(ofproto, &config);
}

static void
find_target(const struct ofproto_controller_status *status, void *aux)
{
	if (!strcmp(status->target, TWO))
		*(const char **)aux = status->target;
}

static void
controllers_of_the_configuration_are_told(void **state)
{
	const char *target = NULL;
	struct client a, b;
	struct of_msg msg;

	(void)state;
	client_open(&a, OF15, false);
	configure_controllers(ONE, NULL);
	assert_string_equal(take_status(&a), "tcp:127.0.0.1:1 1 0 1 4");
	assert_string_equal(take_status(&a), ONE " 1 0 1 3");
	configure_controllers(ONE, "ptcp:0");
	assert_string_equal(take_status(&a), "");
	configure_controllers(TWO, ONE);
	assert_string_equal(take_status(&a), "tls:10.0.0.2:6653 1 0 1 3");
	assert_string_equal(take_status(&a), "");
	ofproto_controllers(ofproto, find_target, &target);
	client_open_dialed(&b, OF15, target);
	take_role(&b, OF_ROLE_SECONDARY, 8);
	client_forget(&a);
	client_init(&a, OFM_CONTROLLER_STATUS_REQUEST, &msg);
	client_say(&a, &msg);
	assert_true(client_take(&a, &msg));
	assert_int_equal(msg.kind, OFM_CONTROLLER_STATUS_REPLY);
	assert_int_equal(msg.n, 2);
	assert_string_equal(msg.controllers[0].uri, "tls:10.0.0.2:6653");
	assert_int_equal(msg.controllers[0].role, OF_ROLE_SECONDARY);
	assert_int_equal(msg.controllers[0].short_id, 8);
	assert_int_equal(msg.controllers[0].channel_status, 0);
	assert_int_equal(msg.controllers[0].reason, OF_CONTROLLER_REQUEST);
	assert_string_equal(msg.controllers[1].uri, ONE);
	assert_int_equal(msg.controllers[1].role, OF_ROLE_EQUAL);
	assert_int_equal(msg.controllers[1].channel_status, 1);
	of_msg_destroy(&msg);
	client_close(&a);
	client_close(&b);
}

int
main(void)
{
#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, ofproto_setup, ofproto_teardown)
	const struct CMUnitTest tests[] = {
		TEST(one_primary_changes_things),
		TEST(barriers_wait_for_packets),
		TEST(versions_are_agreed_on),
		TEST(packets_go_to_those_who_want_them),
		TEST(packet_ins_are_limited),
		TEST(packet_ins_wait_for_readers),
		TEST(paused_packets_go_on),
		TEST(packets_are_sent),
		TEST(long_replies_wait_for_readers),
		TEST(long_dumps_are_made_as_they_are_read),
		TEST(changes_are_told),
		TEST(controllers_are_told_of_each_other),
		TEST(statuses_are_told_as_asked),
		TEST(controllers_of_the_configuration_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
