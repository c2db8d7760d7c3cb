/* dummy_net.h - the datapath on ordinary memory with dummy ports, for unit tests: one
 * bridge, ports, frames in and out. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "datapath/datapath.h"

#define WAIT_NS (2 * NSEC_PER_SEC)

extern uint32_t bridge;
extern uint16_t port_numbers[DP_PORTS_MAX]; /* OpenFlow's, by the id of port_add() */

/* Group setup and teardown. */
int dummy_net_start(void **state);
int dummy_net_stop(void **state);

/* A frame of 'length' bytes from and to hosts 02:00:00:00:00:<id>; 0xff = broadcast. */
size_t frame_make(uint8_t *frame, size_t length, uint8_t dst, uint8_t src, int vlan);

/* A dummy port on the bridge; NULL = default settings. */
uint32_t port_add(const char *name, const struct dp_port_settings *settings);

/* The same with an OpenFlow number. */
uint32_t port_add_number(const char *name, uint16_t ofport,
                         const struct dp_port_settings *settings);

/* Waits for a frame at 'port'; its length, or 0 after 'wait_ns'. */
size_t take(uint32_t port, uint8_t *frame, uint64_t wait_ns);

/* Time for the workers to forward what was injected. */
void settle(void);

/* Injects a frame of 64 bytes. */
void send_frame(uint32_t port, uint8_t dst, uint8_t src, int vlan);
