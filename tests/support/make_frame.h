/* make_frame.h - random keys that frames can have, and whether a frame's checksums are
 * right. For tests of lib/net and of what changes packets. */
#pragma once

#include "net/flow_key.h"

/* The same numbers in every run. */
uint64_t make_random(void);
void make_random_bytes(void *p, size_t n);

/* A key that some frame has: flow_compose() makes it. Layers 2 to 4 only. */
void make_random_key(struct flow_key *key);

/* Lengths and checksums of a frame with this key, as a receiver would look at them. The
 * frame is one of flow_compose()'s, perhaps changed: its extension headers are short. */
bool frame_has_right_sums(const struct flow_key *key, const uint8_t *frame, size_t n);
