/* snoop.h - the socket "<bridge>.snoop": shows what the bridge and its primary
 * controllers say to each other to whoever connects. For connections.c. Main thread. */
#pragma once

#include "vswitchd/ofproto/channel.h"

struct snoop;

struct snoop *snoop_create(struct event_base *loop, const char *bridge_name);
void snoop_destroy(struct snoop *snoop);

/* A channel_tap_fn; 'aux' is the snoop. */
void snoop_tap(const uint8_t *data, size_t n, bool is_sent, void *aux);

/* Listens again if it could not. */
void snoop_run(struct snoop *snoop, uint64_t now_ns);
