/* flow_text_private.h - what flow_text.c (actions) and flow_text_match.c share: groups of
 * values, "name(key=value/mask,key=value)". Main. */
#pragma once

#include <stdint.h>

#include "datapath/flow_text.h"

/* A group that appears with its first value. */
struct text_group {
	struct str *out;
	const char *name;
	bool is_open;
};

/* Ends the group, if it began. */
void text_end(struct text_group *group);

/* "key=5", "key=5/0x7"; nothing if 'mask' is 0. 'all': a mask that is not shown. */
void text_decimal(struct text_group *group, const char *key, uint32_t value,
                  uint32_t mask, uint32_t all);
void text_hex(struct text_group *group, const char *key, uint64_t value, uint64_t mask,
              uint64_t all);
void text_mac(struct text_group *group, const char *key, const uint8_t *value,
              const uint8_t *mask);
void text_ip(struct text_group *group, const char *key, const uint8_t *value,
             const uint8_t *mask, bool is_ipv6);

/* The port with this OpenFlow number: its id, or its name. */
void text_port(struct str *out, const struct bridge *bridge, uint32_t number, bool names);
