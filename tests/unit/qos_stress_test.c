/* qos_stress_test.c - reconfigures QoS at random while packets flow: kinds, trees,
 * domains, ports, workers. At the end every packet was delivered or counted as dropped.
 * An argument gives the seconds to run instead of the short run of make check; a second
 * one the seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "support/dummy_net.h"

#define N_PORTS     6
#define N_CLASSES   24
#define SHORT_STEPS 400

static unsigned run_s;
static uint64_t seed = 1;

/* A frame that a port sends reaches all others once. */
static struct {
	uint32_t id;
	uint64_t wanted; /* frames that the others sent */
	uint64_t taken;
} net[N_PORTS];

static uint32_t
random_below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 11) % n);
}

static bool
one_in(uint32_t n)
{
	return random_below(n) == 0;
}

static struct dp_port_settings
random_settings(void)
{
	return (struct dp_port_settings){
		.vlan_tag = DP_VLAN_NONE,
		.egress_class = one_in(2) ? -1 : (int)random_below(N_CLASSES + 4),
		.egress_default_class = random_below(N_CLASSES + 4)};
}

static void
take_all(void)
{
	uint8_t frame[2048];

	for (int i = 0; i < N_PORTS; i++)
		while (dp_dummy_take(net[i].id, frame, sizeof(frame)))
			net[i].taken++;
}

/* Every port floods a few frames with some DSCP and destination. */
static void
send_some(void)
{
	for (int i = 0; i < N_PORTS; i++) {
		for (uint32_t n = random_below(12); n > 0; n--) {
			uint8_t frame[1514];
			size_t length = 20 + random_below(one_in(8) ? 1494 : 100);

			frame_make(frame, length, 0xff, (uint8_t)(i + 1), -1);
			frame[0] = 3; /* a group */
			frame[5] = (uint8_t)random_below(8);
			memcpy(frame + 12,
			       ((uint8_t[]){8, 0, 0x45, (uint8_t)random_below(256)}), 4);
			if (dp_dummy_inject(net[i].id, frame, length) != 0)
				continue;
			for (int k = 0; k < N_PORTS; k++)
				net[k].wanted += k != i;
		}
	}
}

static uint64_t
random_rate(void)
{
	static const uint64_t rates[] = {8000, 1000000, 100000000, 10000000000};

	return rates[random_below(4)];
}

/* Parents come before their children; depth is kept by taking parents of low numbers. */
static size_t
random_classes(struct dp_class_config *classes)
{
	uint8_t depth[N_CLASSES];
	size_t n = 0;

	for (uint32_t number = 0; number < N_CLASSES; number++) {
		struct dp_class_config *class = &classes[n];
		size_t parent = n ? random_below((uint32_t)n) : 0;

		if (one_in(3))
			continue;
		memset(class, 0, sizeof(*class));
		class->number = number;
		class->parent = DP_CLASS_ROOT;
		depth[n] = 1;
		if (n > 0 && one_in(2) && depth[parent] < 8) {
			class->parent = classes[parent].number;
			depth[n] = (uint8_t)(depth[parent] + 1);
		}
		class->ceil_bps = one_in(3) ? random_rate() : 0;
		class->ceil_pps = one_in(6) ? 1000 : 0;
		class->priority = (uint8_t)random_below(8);
		class->weight = (uint16_t)random_below(100);
		class->limit_packets = one_in(3) ? 1 + random_below(50) : 0;
		class->limit_us = one_in(6) ? 1 + random_below(10000) : 0;
		class->codel = one_in(5);
		class->fair = one_in(5);
		class->excess_bps = one_in(2) ? random_rate() : 0;
		class->burst_bits = one_in(2) ? random_below(100000) : 0;
		n++;
	}
	return n;
}

static void
set_qos_at_random(uint32_t port)
{
	static const char *const domains[] = {NULL, NULL, "x", "y"};
	struct dp_class_config classes[N_CLASSES];
	struct dp_class_mac macs[] = {{{3, 0, 0, 0, 0, 1}, random_below(N_CLASSES)},
	                              {{3, 0, 0, 0, 0, 2}, random_below(N_CLASSES)}};
	struct dp_qos_config config = {.kind = DP_QOS_TREE, .rate_bps = 10000000000};
	struct error err = {""};
	uint32_t kind = random_below(8);

	config.domain = domains[random_below(4)];
	config.overhead_bytes = (int32_t)random_below(48) - 24;
	config.classes = classes;
	config.n_classes = random_classes(classes);
	for (int i = 0; i < 64; i++)
		config.dscp_class[i] =
			one_in(2) ? DP_CLASS_NONE
				  : classes[random_below((uint32_t)config.n_classes)]
					    .number;
	for (int i = 0; i < 8; i++)
		config.pcp_class[i] = DP_CLASS_NONE;
	config.has_dscp_classes = config.n_classes > 0 && one_in(2);
	for (size_t i = 0; i < 2 && one_in(2); i++)
		if (config.n_classes > 0) {
			macs[i].number =
				classes[random_below((uint32_t)config.n_classes)].number;
			config.macs = macs;
			config.n_macs = i + 1;
		}
	if (kind < 3) {
		static const enum dp_qos_kind kinds[] = {DP_QOS_NONE, DP_QOS_POLICER,
		                                         DP_QOS_TRTCM};

		config.kind = kinds[kind];
		config.rate_bps = random_rate();
		config.burst_bits = random_rate() / 8;
		config.excess_bps = random_rate();
		config.domain = NULL;
		/* A policer's classes have no parents. */
		for (size_t i = 0; i < config.n_classes; i++)
			classes[i].parent = DP_CLASS_ROOT;
	}
	if (dp_port_set_qos(port, &config, &err) != 0)
		fail_msg("%s", err.text);
}

static void
note_stats(const struct dp_class_stats *stats, void *aux)
{
	uint64_t *queued = aux;

	if (stats->number == DP_CLASS_ROOT)
		*queued = stats->queued_packets;
	assert_true(stats->dropped_packets <= stats->offered_packets);
}

static void
change_workers(void)
{
	struct dp_config config = {.max_sleep_us = 50};
	struct error err = {""};

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		return;
	config.pmd_cpu_mask[0] = (uint8_t)(1 + random_below(3));
	if (dp_set_workers(&config, &err) != 0)
		fail_msg("%s", err.text);
}

/* A port that comes and goes, in a domain or alone; nobody counts its packets. */
static uint32_t passer_by = DP_ID_NONE;

static void
add_and_delete_a_port(void)
{
	struct dp_port_settings settings = random_settings();

	if (passer_by != DP_ID_NONE) {
		dp_port_del(passer_by);
		passer_by = DP_ID_NONE;
		return;
	}
	passer_by = port_add("passer-by", &settings);
	set_qos_at_random(passer_by);
}

static void
step(void)
{
	uint32_t port = net[random_below(N_PORTS)].id;
	struct dp_port_settings settings = random_settings();
	struct error err = {""};
	uint64_t queued, time_ns;

	send_some();
	if (!one_in(4)) /* else the rings fill */
		take_all();
	dp_run();
	if (one_in(2))
		set_qos_at_random(port);
	if (one_in(8))
		assert_int_equal(dp_port_set(port, &settings, &err), 0);
	if (one_in(10))
		add_and_delete_a_port();
	if (one_in(40))
		change_workers();
	dp_port_qos_stats(port, note_stats, &queued, &time_ns);
	if (one_in(8))
		usleep(random_below(6000));
}

static uint64_t
packets_in_use(void)
{
	struct str report = STR_INIT;
	const char *at;
	uint64_t n;

	dp_memory_report(&report);
	at = strstr(str_text(&report), "packets-in-use:");
	assert_non_null(at);
	n = strtoull(at + strlen("packets-in-use:"), NULL, 10);
	str_free(&report);
	return n;
}

/* Waits until what was sent has been taken or counted. */
static void
account(void)
{
	uint64_t end_ns = clock_mono_ns() + 10 * NSEC_PER_SEC;
	struct dp_port_stats stats[N_PORTS];
	bool done = false;

	while (!done && clock_mono_ns() < end_ns) {
		take_all();
		dp_run();
		usleep(100);
		done = true;
		for (int i = 0; i < N_PORTS; i++) {
			dp_port_get_stats(net[i].id, &stats[i]);
			done &= net[i].taken + stats[i].tx_dropped >= net[i].wanted;
		}
	}
	for (int i = 0; i < N_PORTS; i++) {
		assert_int_equal(stats[i].rx_dropped, 0);
		if (net[i].taken + stats[i].tx_dropped != net[i].wanted)
			fail_msg("port %d: %llu sent to it, %llu taken, %llu dropped", i,
			         (unsigned long long)net[i].wanted,
			         (unsigned long long)net[i].taken,
			         (unsigned long long)stats[i].tx_dropped);
		assert_true(net[i].taken > 0);
	}
}

static void
test_nothing_is_lost_uncounted(void **state)
{
	struct dp_qos_config none = {.kind = DP_QOS_NONE};
	uint64_t end_ns = clock_mono_ns() + run_s * NSEC_PER_SEC, n = 0;
	struct error err;
	char name[16];

	(void)state;
	for (int i = 0; i < N_PORTS; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		net[i].id = port_add(name, NULL);
	}
	while (run_s ? clock_mono_ns() < end_ns : n < SHORT_STEPS) {
		step();
		n++;
	}
	for (int i = 0; i < N_PORTS; i++)
		assert_int_equal(dp_port_set_qos(net[i].id, &none, &err), 0);
	account();
	for (int i = 0; i < N_PORTS; i++) {
		print_message("port %d: %llu taken of %llu\n", i,
		              (unsigned long long)net[i].taken,
		              (unsigned long long)net[i].wanted);
		dp_port_del(net[i].id);
	}
	if (passer_by != DP_ID_NONE)
		dp_port_del(passer_by);
	/* Workers' caches keep some free packets, which count as free. */
	assert_int_equal(packets_in_use(), 0);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_lost_uncounted),
	};

	if (argc > 1)
		run_s = (unsigned)atoi(argv[1]);
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 10) | 1;
	return cmocka_run_group_tests(tests, dummy_net_start, dummy_net_stop);
}
