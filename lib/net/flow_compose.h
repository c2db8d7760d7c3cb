/* flow_compose.h - a frame that flow_parse() would read as a given key: for tracing and
 * for tests. No state, any thread. */
#pragma once

#include "net/flow_key.h"

#define FLOW_COMPOSE_HEADERS_MAX 192 /* no frame has more without its payload */
#define FLOW_COMPOSE_PAYLOAD_MAX (UINT16_MAX - FLOW_COMPOSE_HEADERS_MAX)

/* Writes a frame with the headers that 'key' tells of, right lengths and checksums, and
 * the payload behind them (in a frame without IP, behind what is known of it). Returns
 * its length, 0 if 'size' is too small. For any key; of one that is in itself
 * inconsistent (layer 4 in a later fragment) the inner part is left out. */
size_t flow_compose(const struct flow_key *key, const void *payload, size_t payload_bytes,
                    uint8_t *frame, size_t size);
