/* session.h - one connection's OpenFlow: HELLO, version, and what is done about each
 * message. Between connections.h, whose hooks it implements, and the switch's parts.
 * Main thread. */
#pragma once

#include "vswitchd/ofproto/connections.h"

struct ofproto;

/* Hooks for connections_create(), whose 'aux' is the struct ofproto; set_alone() is
 * ofproto.c's. */
void *session_open(struct channel *channel, const struct connection_info *info,
                   void *ofproto);
/* Not while the channel is paused: a long answer is on its way then. */
void session_message(void *session, const uint8_t *data, size_t n);
void session_close(void *session);
void session_probe(void *session);
bool session_is_established(const void *session);
const char *session_role(const void *session);
