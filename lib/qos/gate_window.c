/* gate_window.c - the arithmetic of struct gate_window. Owner thread. */
#include "qos/gate_window.h"

#include "base/compiler.h"

#define WINDOW_PER_SEC 1000   /* windows of 1 ms */
#define TAKES_PER_SEC  100    /* the largest packets of one take: 10 ms */
#define PACKET_MAX     65549U /* Ethernet header and 64 KB of IP less a byte */

/* The expectation follows smaller packets by a 16th a packet, larger ones at once: too
 * few are taken rather than too many. */
#define EXPECT_SHIFT 4

void
gate_window_set(struct gate_window *window, uint64_t rate_bps, uint32_t rate_pps)
{
	uint64_t bytes = rate_bps / 8;

	window->limit_bytes = UINT32_MAX;
	window->limit_packets = GATE_WINDOW_PACKETS;
	window->take_max = UINT32_MAX;
	if (rate_bps) {
		window->limit_bytes =
			(uint32_t)MIN_OF(bytes / WINDOW_PER_SEC, UINT32_MAX);
		bytes = bytes / TAKES_PER_SEC / PACKET_MAX;
		window->take_max = (uint32_t)MIN_OF(bytes, GATE_WINDOW_PACKETS);
	}
	if (rate_pps)
		window->limit_packets =
			MIN_OF(rate_pps / WINDOW_PER_SEC, GATE_WINDOW_PACKETS);
	/* There is always room for one. */
	window->limit_bytes = MAX_OF(window->limit_bytes, 1);
	window->limit_packets = MAX_OF(window->limit_packets, 1);
	window->take_max = MAX_OF(window->take_max, 1);
	if (!window->packet_bytes_x16)
		window->packet_bytes_x16 = PACKET_MAX << EXPECT_SHIFT;
}

/* Looked at again, and it has been full since the last look. */
static void
window_count_full(struct gate_window *window, uint64_t now_ns)
{
	if (now_ns - window->full_at_ns > GATE_WINDOW_LOOK_NS)
		window->full_since_ns += now_ns - window->full_at_ns;
	__atomic_store_n(&window->full_ns,
	                 window->full_ns + (now_ns - window->full_at_ns),
	                 __ATOMIC_RELAXED);
	window->full_at_ns = now_ns;
}

unsigned
gate_window_room(struct gate_window *window, unsigned max, uint64_t now_ns)
{
	uint64_t bytes, packets;

	if (window->held_packets >= window->limit_packets ||
	    window->held_bytes >= window->limit_bytes) {
		if (!window->full_since_ns)
			window->full_since_ns = window->full_at_ns = now_ns;
		window_count_full(window, now_ns);
		return 0;
	}
	if (window->full_since_ns) {
		window_count_full(window, now_ns);
		window->full_since_ns = 0;
	}
	bytes = window->limit_bytes - window->held_bytes;
	packets = (bytes << EXPECT_SHIFT) / window->packet_bytes_x16;
	packets = MIN_OF(packets, window->take_max);
	packets = MIN_OF(packets, window->limit_packets - window->held_packets);
	packets = MIN_OF(packets, max);
	return (unsigned)MAX_OF(packets, 1);
}

bool
gate_window_is_stuck(struct gate_window *window, uint64_t now_ns)
{
	if (!window->full_since_ns ||
	    now_ns - window->full_since_ns < GATE_WINDOW_STUCK_NS)
		return false;
	window->full_since_ns = now_ns;
	return true;
}

void
gate_window_add(struct gate_window *window, uint32_t bytes)
{
	uint32_t x16 = MIN_OF(bytes, PACKET_MAX) << EXPECT_SHIFT;
	uint32_t expected = window->packet_bytes_x16;

	window->held_packets++;
	window->held_bytes += bytes;
	window->packet_bytes_x16 =
		x16 >= expected ? MAX_OF(x16, 1)
				: expected - MAX_OF((expected - x16) >> EXPECT_SHIFT, 1);
}

void
gate_window_remove(struct gate_window *window, uint32_t bytes)
{
	window->held_packets--;
	window->held_bytes -= bytes;
}
