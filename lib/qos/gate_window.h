/* gate_window.h - how much of a guest's ring the switch holds while its packets wait for
 * their turn, and how many to take from the ring next. Clock-free arithmetic; one owner
 * thread per window, any thread reads what is marked so.
 *
 * A ring is a queue that the guest already has: what exceeds the rate stays there, where
 * it costs no copy and where the guest's own flow control sees it. The window is the part
 * that the scheduler can look into: 1 ms of the rate, and 64 packets at most, but always
 * one packet, however large. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define GATE_WINDOW_PACKETS 64U

/* A ring that nothing was taken from for this long gives one packet, which is dropped: a
 * guest's driver may reset a device whose ring does not move for 5 s. */
#define GATE_WINDOW_STUCK_NS 1000000000ULL

/* Who has not looked for longer than this was kept from running; what was due meanwhile
 * leaves first, so such a time does not count. */
#define GATE_WINDOW_LOOK_NS 500000000ULL

/* gate_window_set() first; all zero before that. */
struct gate_window {
	uint32_t limit_bytes;   /* UINT32_MAX = none */
	uint32_t limit_packets; /* at most GATE_WINDOW_PACKETS */
	/* Packets to take at once, so that even the largest are no more than 10 ms. */
	uint32_t take_max;
	uint32_t packet_bytes_x16; /* what a packet is expected to be; 16ths of a byte */
	uint64_t held_bytes;
	uint32_t held_packets;
	uint64_t full_since_ns; /* found full, and nothing taken since; 0 = has room */
	uint64_t full_at_ns;    /* full time is counted up to here */
	uint64_t full_ns;       /* counter: how long it was full; any thread reads */
};

/* For packets that leave at 'rate_bps' and 'rate_pps' at most; 0 = any rate. What is held
 * stays. */
void gate_window_set(struct gate_window *window, uint64_t rate_bps, uint32_t rate_pps);

/* How many packets to take from the ring now, at most 'max' (not 0). 0: none, the window
 * is full. */
unsigned gate_window_room(struct gate_window *window, unsigned max, uint64_t now_ns);

/* Whether it has been full for GATE_WINDOW_STUCK_NS: take one packet, and drop it. The
 * next one is due as much later. */
bool gate_window_is_stuck(struct gate_window *window, uint64_t now_ns);

/* A packet of 'bytes' came in, or went out again. */
void gate_window_add(struct gate_window *window, uint32_t bytes);
void gate_window_remove(struct gate_window *window, uint32_t bytes);
