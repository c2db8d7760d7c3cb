/* session_fuzz.c - what a controller may say to a switch: a byte that chooses the
 * version, then messages, whose lengths and versions are put right. Over fake_flows.c. */
#include <event2/event.h>
#include <string.h>

#include "base/log.h"
#include "fuzz.h"
#include "tests/support/fake_channel.h"
#include "tests/support/fake_flows.h"
#include "vswitchd/ofproto/ofproto.h"
#include "vswitchd/ofproto/session.h"

#define TICK_NS 3000000000ULL /* between messages: timeouts are reached */

static struct ofproto *
make_switch(struct event_base *loop)
{
	const struct ofproto_config config = {.bridge_name = "br0"};
	struct ofproto *ofproto = ofproto_create(loop, 1, "br0");

	ofproto_configure(ofproto, &config);
	for (uint32_t i = 1; i < 4; i++) {
		struct ofproto_port port = {.number = i, .dp_port_id = i};

		port.name[0] = (char)('a' + i);
		ofproto_port_add(ofproto, &port);
	}
	return ofproto;
}

/* Time passes at least once, and until the channel would deliver again. */
static void
let_run(const struct channel *channel)
{
	do {
		fake_flows.now_ns += TICK_NS;
		ofproto_run();
	} while (channel->is_paused);
}

static void
say_all(void *session, const struct channel *channel, uint8_t version,
        const uint8_t *data, size_t size)
{
	uint8_t *message;
	size_t n;

	for (; size >= 8; data += n, size -= n) {
		n = (size_t)(data[2] << 8 | data[3]);
		n = n < 8 ? 8 : n > size ? size : n;
		message = malloc(n); /* its end is watched */
		if (!message)
			abort();
		memcpy(message, data, n);
		message[0] = version;
		message[2] = (uint8_t)(n >> 8);
		message[3] = (uint8_t)n;
		session_message(session, message, n);
		free(message);
		let_run(channel);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct connection_info info = {.versions = 0x7e};
	uint8_t hello[8] = {0, 0, 0, 8, 0, 0, 0, 1};
	struct channel channel = {.sent = STR_INIT};
	struct event_base *loop;
	struct ofproto *ofproto;
	struct error err;
	void *session;

	if (!size)
		return 0;
	setenv("WEIR_RUNDIR", "/nonexistent", 1);
	log_set_levels("any:off", &err);
	fake_flows_reset();
	loop = event_base_new();
	ofproto = make_switch(loop);
	session = session_open(&channel, &info, ofproto);
	hello[0] = (uint8_t)(1 + data[0] % 6);
	session_message(session, hello, sizeof(hello));
	say_all(session, &channel, hello[0], data + 1, size - 1);
	session_close(session);
	ofproto_destroy(ofproto);
	FUZZ_REQUIRE(fake_flows.n_rules == 0);
	event_base_free(loop);
	str_free(&channel.sent);
	str_free(&fake_flows.calls);
	return 0;
}
