/* ofproto_client.h - a switch over fake_flows.c, and controllers that ask it in messages,
 * over channels that remember. For tests with cmocka, whose headers come first. */
#pragma once

#include "base/clock.h"
#include "openflow/of_text.h"
#include "tests/support/fake_channel.h"
#include "tests/support/fake_flows.h"
#include "vswitchd/ofproto/session.h"
#include "vswitchd/ofproto/session_io.h"

#define BRIDGE 7

struct client {
	struct channel channel;
	struct connection_info info;
	void *session;
	enum of_version version;
	size_t taken; /* of what was sent */
	uint32_t xid;
};

extern struct ofproto *ofproto;

int ofproto_setup(void **state);
int ofproto_teardown(void **state);
/* Time passes, and is noticed. */
void ofproto_advance(unsigned ms);
/* All rules as text, without what depends on time; the caller frees it. */
char *ofproto_rules(void);
struct dp_rule *ofproto_dp_rule(uint8_t table);

#define assert_rules(expected)                            \
	do {                                              \
		char *rules_now = ofproto_rules();        \
                                                          \
		assert_string_equal(rules_now, expected); \
		free(rules_now);                          \
	} while (0)

void client_open(struct client *client, enum of_version version, bool is_service);
/* As a controller that is configured, whose target is lent. */
void client_open_dialed(struct client *client, enum of_version version,
                        const char *target);
void client_close(struct client *client);
void client_init(const struct client *client, enum of_kind kind, struct of_msg *msg);
/* The answer is there then, unless the channel is full. */
void client_say(struct client *client, struct of_msg *msg);
/* Decodes the next message that was sent; false if there is none. */
bool client_take(struct client *client, struct of_msg *msg);
void client_forget(struct client *client);
/* The error that came, by name; "" if there is none. Forgets all else. */
const char *client_error(struct client *client);
/* Its actions are the caller's. */
void client_make_flow(const struct client *client, enum of_flow_command command,
                      const char *text, struct of_msg *msg);
const char *client_flow(struct client *client, enum of_flow_command command,
                        const char *text);
