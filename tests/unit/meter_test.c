/* meter_test.c - meters on a clock of the test's own: rates, bursts, several bands, DSCP,
 * counts, segmented packets, and workers that share one. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datapath/eal.h"
#include "datapath/meter.h"
#include "datapath/offload.h"
#include "datapath/port/port.h"
#include "datapath/tsc.h"
#include "net/checksum.h"
#include "support/dummy_net.h"

#define METER    7
#define MS       1000000ULL
#define THREADS  4
#define OFFERED  80000 /* by each, in a second */
#define FIRST_ID 10

static struct worker worker, others[THREADS];
static struct port_worker port_workers[DP_WORKERS_MAX];
static struct port port;
static struct rte_mbuf *packets[THREADS];

static int
setup(void **state)
{
	(void)state;
	worker.now_ns = tsc_to_ns(rte_rdtsc());
	memset(port_workers, 0, sizeof(port_workers));
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++)
		port.by_worker[i] = &port_workers[i];
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	dp_meter_del(bridge, METER);
	assert_int_equal(meter_packets(&worker, &port, bridge, METER, NULL, 0), 0);
	return 0;
}

static void
set_meter(const struct dp_meter_config *config)
{
	struct error err = {""};

	assert_int_equal(dp_meter_set(bridge, config, &err), 0);
	/* Buckets begin full at the moment of setting. */
	worker.now_ns = tsc_to_ns(rte_rdtsc());
}

static struct rte_mbuf *
packet(size_t n, uint8_t dscp)
{
	struct rte_mbuf *pkt = rte_pktmbuf_alloc(eal_packet_pool(0));
	uint8_t *data = (void *)rte_pktmbuf_append(pkt, (uint16_t)n);
	uint16_t sum;

	memset(data, 0, n);
	data[12] = 8;
	data[14] = 0x45;
	data[15] = (uint8_t)(dscp << 2 | 1);
	data[16] = (uint8_t)((n - 14) >> 8);
	data[17] = (uint8_t)(n - 14);
	data[22] = 64;
	data[23] = 47;
	sum = checksum_finish(checksum_add(0, data + 14, 20));
	memcpy(data + 24, &sum, 2);
	return pkt;
}

/* Offers packets; returns how many pass. */
static unsigned
offer(unsigned n, size_t bytes)
{
	unsigned passed = 0;

	while (n > 0) {
		struct rte_mbuf *pkts[BATCH_MAX];
		unsigned batch = n < BATCH_MAX ? n : BATCH_MAX, left;

		for (unsigned i = 0; i < batch; i++)
			pkts[i] = packet(bytes, 0);
		left = meter_packets(&worker, &port, bridge, METER, pkts, batch);
		rte_pktmbuf_free_bulk(pkts, left);
		passed += left;
		n -= batch;
	}
	return passed;
}

static void
test_packets_a_second(void **state)
{
	struct dp_meter_config config = {
		.number = METER,
		.is_pps = true,
		.n_bands = 1,
		.bands = {{.rate = 1000, .burst = 50}},
	};
	struct dp_counts total, bands[DP_METER_BANDS_MAX];
	unsigned passed;

	(void)state;
	assert_int_equal(offer(10, 100), 10); /* no meter yet */
	set_meter(&config);
	passed = offer(200, 100);
	assert_in_range(passed, 50, 51);
	for (int ms = 0; ms < 1000; ms++) {
		worker.now_ns += MS;
		passed += offer(3, 100);
	}
	assert_in_range(passed, 1049, 1052);
	assert_int_equal(dp_meter_get_stats(bridge, METER, &total, bands), 0);
	assert_int_equal(total.packets, 3200);
	assert_int_equal(total.bytes, 320000);
	assert_int_equal(bands[0].packets, 3200 - passed);
	assert_int_equal(bands[0].bytes, (3200 - passed) * 100);
	assert_int_equal(port_workers[0].drops[DROP_RX_METERED], 3200 - passed);
	/* A change keeps the counts; after it the bucket is full again. */
	config.bands[0].burst = 10;
	set_meter(&config);
	assert_in_range(offer(100, 100), 10, 11);
	assert_int_equal(dp_meter_get_stats(bridge, METER, &total, bands), 0);
	assert_int_equal(total.packets, 3300);
}

static void
test_kilobits_a_second(void **state)
{
	/* No burst: what a second brings. */
	struct dp_meter_config config = {
		.number = METER, .n_bands = 1, .bands = {{.rate = 8000}}};
	uint64_t bytes;

	(void)state;
	set_meter(&config);
	bytes = offer(1500, 1000) * 1000;
	assert_in_range(bytes, 1000000, 1001000);
	for (int ms = 0; ms < 1000; ms++) {
		worker.now_ns += MS;
		bytes += offer(2, 1000) * 1000;
	}
	assert_in_range(bytes, 1999000, 2002000);
}

static void
test_the_highest_rate_exceeded_applies(void **state)
{
	struct dp_meter_config config = {
		.number = METER,
		.is_pps = true,
		.n_bands = 2,
		.bands = {{.rate = 2000, .burst = 20},
	                  {.rate = 1000,
	                   .burst = 10,
	                   .remarks_dscp = true,
	                   .prec_level = 1}},
	};
	static const uint8_t dscps[4][2] = {{10, 12}, {14, 14}, {46, 46}, {0, 0}};
	struct dp_counts total, bands[DP_METER_BANDS_MAX];
	unsigned left = 0, remarked = 0;

	(void)state;
	set_meter(&config);
	for (unsigned i = 0; i < 100; i++) {
		const uint8_t *dscp = dscps[i % 4];
		struct rte_mbuf *pkt = packet(100, dscp[0]);
		const uint8_t *data;

		if (meter_packets(&worker, &port, bridge, METER, &pkt, 1) == 0)
			continue;
		data = rte_pktmbuf_mtod(pkt, const uint8_t *);
		left++;
		assert_true(data[15] == (dscp[0] << 2 | 1) ||
		            data[15] == (dscp[1] << 2 | 1));
		remarked += data[15] != (dscp[0] << 2 | 1);
		assert_int_equal(checksum_finish(checksum_add(0, data + 14, 20)), 0);
		rte_pktmbuf_free(pkt);
	}
	assert_in_range(left, 20, 21);
	assert_in_range(remarked, 2, 3);
	assert_int_equal(dp_meter_get_stats(bridge, METER, &total, bands), 0);
	assert_int_equal(bands[0].packets, 100 - left);
	assert_int_equal(bands[1].packets, left - (left == 21 ? 11 : 10));
}

static void
test_a_rate_of_zero_and_no_bands(void **state)
{
	struct dp_meter_config config = {
		.number = METER, .is_pps = true, .n_bands = 1, .bands = {{.rate = 0}}};
	struct error err = {""};

	(void)state;
	set_meter(&config);
	assert_int_equal(offer(10, 100), 0);
	config.n_bands = 0;
	set_meter(&config);
	assert_int_equal(offer(40, 100), 40);
	config.n_bands = DP_METER_BANDS_MAX + 1;
	assert_int_equal(dp_meter_set(bridge, &config, &err), -E2BIG);
	assert_int_equal(dp_meter_set(9999, &config, &err), -ENOENT);
	dp_meter_del(bridge, 12345);
	dp_meter_del(9999, 1);
}

/* What is to be segmented counts as the frames that it becomes. */
static void
test_segments_count(void **state)
{
	struct dp_meter_config config = {
		.number = METER, .is_pps = true, .n_bands = 1, .bands = {{.rate = 100}}};
	struct dp_counts total, bands[DP_METER_BANDS_MAX];
	struct rte_mbuf *pkt = packet(54 + 1500, 0);
	uint8_t *data = rte_pktmbuf_mtod(pkt, uint8_t *);

	(void)state;
	data[23] = 6;
	data[46] = 0x50;
	assert_true(offload_mark(pkt, 500));
	set_meter(&config);
	assert_int_equal(meter_packets(&worker, &port, bridge, METER, &pkt, 1), 1);
	rte_pktmbuf_free(pkt);
	assert_int_equal(dp_meter_get_stats(bridge, METER, &total, bands), 0);
	assert_int_equal(total.bytes, 3 * 554);
	assert_in_range(offer(200, 100), 97, 98);
}

static void
test_many_meters(void **state)
{
	struct dp_meter_config config = {
		.is_pps = true, .n_bands = 1, .bands = {{.rate = 5, .burst = 1}}};
	struct dp_counts total, bands[DP_METER_BANDS_MAX];
	struct error err = {""};

	(void)state;
	for (uint32_t i = 1; i <= 500; i++) {
		config.number = i * 0x10001;
		assert_int_equal(dp_meter_set(bridge, &config, &err), 0);
	}
	for (uint32_t i = 1; i <= 500; i += 2)
		dp_meter_del(bridge, i * 0x10001);
	for (uint32_t i = 1; i <= 500; i++)
		assert_int_equal(dp_meter_get_stats(bridge, i * 0x10001, &total, bands),
		                 i % 2 ? -ENOENT : 0);
	/* Meters that come and go leave the others where they are found. */
	for (uint32_t i = 1; i <= 20000; i++) {
		config.number = 1000 + i % 7;
		assert_int_equal(dp_meter_set(bridge, &config, &err), 0);
		dp_meter_del(bridge, config.number);
		assert_int_equal(dp_meter_get_stats(bridge, config.number, &total, bands),
		                 -ENOENT);
	}
	assert_int_equal(dp_meter_get_stats(bridge, 0, &total, bands), -ENOENT);
	for (uint32_t i = 1; i <= 500; i++) {
		assert_int_equal(dp_meter_get_stats(bridge, i * 0x10001, &total, bands),
		                 i % 2 ? -ENOENT : 0);
		dp_meter_del(bridge, i * 0x10001);
	}
}

/* No packet is allocated or freed here: threads that DPDK does not know would wait for
 * each other in the pool. */
static void *
share(void *arg)
{
	struct worker *w = arg;
	struct rte_mbuf *pkt = packets[w->id - FIRST_ID];
	uint64_t passed = 0;

	for (int i = 0; i < OFFERED; i++) {
		w->now_ns = worker.now_ns + (uint64_t)i * (1000 * MS / OFFERED);
		passed += meter_admits(w, bridge, METER, pkt);
	}
	w->stats.packets = passed;
	return NULL;
}

/* A second on each worker's clock, which need not agree. */
static void
test_workers_share_a_meter(void **state)
{
	struct dp_meter_config config = {.number = METER,
	                                 .is_pps = true,
	                                 .n_bands = 1,
	                                 .bands = {{.rate = 10000, .burst = 100}}};
	struct dp_counts total, bands[DP_METER_BANDS_MAX];
	pthread_t threads[THREADS];
	uint64_t passed = 0;

	(void)state;
	set_meter(&config);
	for (unsigned i = 0; i < THREADS; i++) {
		others[i].id = (uint16_t)(FIRST_ID + i);
		packets[i] = packet(100, 0);
		pthread_create(&threads[i], NULL, share, &others[i]);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		passed += others[i].stats.packets;
		rte_pktmbuf_free(packets[i]);
	}
	assert_int_equal(dp_meter_get_stats(bridge, METER, &total, bands), 0);
	assert_int_equal(total.packets, THREADS * OFFERED);
	assert_int_equal(bands[0].packets, total.packets - passed);
	/* The clocks run apart by as much as the scheduler makes them, so that a credit
	 * may be forfeited, but never is one used twice. */
	assert_in_range(passed, 100, 10102);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_packets_a_second),
		TEST(test_kilobits_a_second),
		TEST(test_the_highest_rate_exceeded_applies),
		TEST(test_a_rate_of_zero_and_no_bands),
		TEST(test_segments_count),
		TEST(test_many_meters),
		TEST(test_workers_share_a_meter),
	};

	return cmocka_run_group_tests(tests, dummy_net_start, dummy_net_stop);
}
