/* flow_text.h - what the flow cache knows, as Open vSwitch writes the flows of a
 * datapath: "recirc_id(0),in_port(2),eth_type(0x0800)" and "set(ipv4(ttl=63)),3". Main.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "net/flow_key.h"

struct bridge;

/* Appends what packets 'match' is for. Ports by their ids, or names. */
void flow_text_match(struct str *out, const struct bridge *bridge, bool names,
                     const struct flow_match *match);

/* Appends a program (program.h) for packets of 'key'; "drop" if it is empty. */
void flow_text_actions(struct str *out, const struct bridge *bridge,
                       const struct flow_key *key, bool names, const void *records,
                       size_t bytes);
