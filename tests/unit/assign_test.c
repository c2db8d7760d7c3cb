/* assign_test.c - while workers come and go, queues and schedulers change hands: every
 * packet arrives, and the packets of each sender in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/dummy_net.h"

#define N_SENDERS 6
#define N_SINKS   2
#define CHANGES   300
#define BURST     40 /* frames of each sender before a change: a worker's ring holds all */
#define AT_SENDER 11 /* offsets in a frame */
#define AT_NUMBER 20

static uint32_t senders[N_SENDERS], sinks[N_SINKS];
static uint32_t next_sent[N_SENDERS], next_taken[N_SINKS][N_SENDERS];

/* Broadcasts: each reaches both sinks. */
static void
send_burst(uint32_t sender)
{
	uint8_t frame[64];

	frame_make(frame, sizeof(frame), 0xff, (uint8_t)(sender + 1), -1);
	for (unsigned i = 0; i < BURST; i++) {
		memcpy(frame + AT_NUMBER, &next_sent[sender], sizeof(uint32_t));
		assert_int_equal(dp_dummy_inject(senders[sender], frame, sizeof(frame)),
		                 0);
		next_sent[sender]++;
	}
}

/* Whatever is there, in the order of each sender. */
static void
take_all(void)
{
	uint8_t frame[2048];

	for (unsigned k = 0; k < N_SINKS; k++) {
		while (dp_dummy_take(sinks[k], frame, sizeof(frame))) {
			uint32_t *next = &next_taken[k][frame[AT_SENDER] - 1], number;

			memcpy(&number, frame + AT_NUMBER, sizeof(number));
			if (number != *next)
				fail_msg("sink %u: frame %u of sender %u where %u was "
				         "due",
				         k, number, frame[AT_SENDER] - 1U, *next);
			(*next)++;
		}
	}
	for (unsigned i = 0; i < N_SENDERS; i++)
		while (dp_dummy_take(senders[i], frame, sizeof(frame)))
			continue;
}

static void
set_workers(uint8_t mask)
{
	struct dp_config config = {.max_sleep_us = 50, .pmd_cpu_mask = {mask}};
	struct error err = {""};

	if (dp_set_workers(&config, &err) != 0)
		fail_msg("%s", err.text);
}

/* One port of its own, and one that a domain of two shares with nobody's traffic. */
static void
add_ports(void)
{
	struct dp_qos_config config = {.kind = DP_QOS_TREE, .rate_bps = 10000000000};
	struct error err = {""};
	char name[16];

	for (unsigned i = 0; i < N_SENDERS; i++) {
		snprintf(name, sizeof(name), "sender%u", i);
		senders[i] = port_add(name, NULL);
	}
	for (unsigned k = 0; k < N_SINKS; k++) {
		snprintf(name, sizeof(name), "sink%u", k);
		sinks[k] = port_add(name, NULL);
		config.domain = k ? "shared" : NULL;
		assert_int_equal(dp_port_set_qos(sinks[k], &config, &err), 0);
	}
}

static uint64_t
sink_drops(void)
{
	struct dp_port_stats stats;
	uint64_t n = 0;

	for (unsigned k = 0; k < N_SINKS; k++) {
		dp_port_get_stats(sinks[k], &stats);
		n += stats.tx_dropped;
	}
	return n;
}

static bool
all_is_through(void)
{
	for (unsigned k = 0; k < N_SINKS; k++)
		for (unsigned i = 0; i < N_SENDERS; i++)
			if (next_taken[k][i] != next_sent[i])
				return false;
	return true;
}

static void
test_nothing_is_lost_or_overtaken_while_workers_change(void **state)
{
	static const uint8_t masks[] = {1, 3, 2, 3};
	uint64_t end_ns;

	(void)state;
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		skip();
	add_ports();
	for (unsigned n = 0; n < CHANGES; n++) {
		for (uint32_t i = 0; i < N_SENDERS; i++)
			send_burst(i);
		set_workers(masks[n % 4]);
		/* However long a busy machine takes, so that no ring is ever full. */
		for (end_ns = clock_mono_ns() + 10 * WAIT_NS;
		     !all_is_through() && clock_mono_ns() < end_ns;) {
			take_all();
			dp_run();
		}
	}
	settle();
	take_all();
	assert_int_equal(sink_drops(), 0);
	for (unsigned k = 0; k < N_SINKS; k++)
		for (unsigned i = 0; i < N_SENDERS; i++)
			assert_int_equal(next_taken[k][i], CHANGES * BURST);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_lost_or_overtaken_while_workers_change),
	};

	return cmocka_run_group_tests(tests, dummy_net_start, dummy_net_stop);
}
