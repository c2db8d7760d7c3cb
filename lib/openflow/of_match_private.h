/* of_match_private.h - the fixed matches of 1.0 and 1.1, for of_match.c alone. */
#pragma once

#include "base/str.h"
#include "net/flow_field.h"
#include "openflow/of.h"

int of_match10_decode(const uint8_t *data, size_t n, struct flow_match *match,
                      size_t *used, struct of_error *error);
void of_match10_encode(const struct flow_match *match, struct str *out);
int of_match11_decode(const uint8_t *data, size_t n, struct flow_match *match,
                      size_t *used, struct of_error *error);
void of_match11_encode(const struct flow_match *match, struct str *out);

/* Ports of 1.0's 16 bits and the 32 bits of all others. */
uint32_t of_port_from_10(uint16_t port);
uint16_t of_port_to_10(uint32_t port);
