/* vv_peer.c - both guests of a guest-port-to-guest-port benchmark in one thread:
 * generator on one virtio-user port, sink on the other. vv.py starts it beside a switch
 * and reads the JSON lines from its standard output. One thread; the only one that should
 * run on its core.
 *
 * Time is cut into slices. Each reports how many frames arrived and the longest time that
 * we did not run, so that the reader can drop the slices in which something else had the
 * core. Time in which the rings neither took nor gave a frame is slack: without slack the
 * figure is ours, not the switch's. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/str.h"
#include "vv_frame.h"
#include "vv_lane.h"

#define SLICES_MAX      100000
#define PROBE_PERIOD_MS 5
#define PROBES_WANTED   3
#define DRAIN_QUIET_MS  20
#define DRAIN_MAX_MS    1000

struct options {
	uint64_t frame_bytes;
	uint64_t flows;
	uint64_t ring_size;
	uint64_t tx_ring_size; /* 0: the same */
	uint64_t rate_pps;     /* per direction; 0: saturate */
	uint64_t warmup_ms, measure_ms, slice_ms;
	uint64_t ready_timeout_ms;
	uint64_t poll_gap_ns; /* pause after a round without a whole burst */
	bool both_ways;
	bool latency;
	bool stations;
	bool study; /* frames by flow in the result */
	uint64_t meter_bps, overhead_bytes, probe_ms;
};

struct slice {
	uint64_t tsc;
	uint64_t rx_frames;
	uint64_t idle_tsc;       /* both rings had nothing for us */
	uint64_t own_gap_tsc;    /* longest time between two rounds of our loop */
	uint64_t switch_gap_tsc; /* longest time without a frame from the switch */
};

struct peer {
	struct options options;
	struct vv_lane lanes[2]; /* [i] goes from port i to the other */
	bool generating[2];
	struct vv_study *study; /* of the measurement that has ended */
	uint64_t tsc_hz;
	struct slice *slices;
	unsigned slices_n, slices_room;
};

static volatile sig_atomic_t stop_wanted;

static void
stop(int sig UNUSED)
{
	stop_wanted = 1;
}

static uint64_t
tsc_of_ms(const struct peer *peer, uint64_t ms)
{
	return peer->tsc_hz * ms / 1000;
}

static int
port_start(uint16_t port, uint16_t ring_size, uint16_t tx_ring_size, struct error *err)
{
	struct rte_eth_conf conf = {0};
	struct rte_mempool *pool;
	int ret;

	pool = vv_pool_create(port ? "rx-1" : "rx-0", ring_size);
	if (!pool)
		return error_set(err, -ENOMEM, "receive pool of port %u: out of memory",
		                 port);
	ret = rte_eth_dev_configure(port, 1, 1, &conf);
	if (!ret)
		ret = rte_eth_rx_queue_setup(port, 0, ring_size, SOCKET_ID_ANY, NULL,
		                             pool);
	if (!ret)
		ret = rte_eth_tx_queue_setup(port, 0, tx_ring_size, SOCKET_ID_ANY, NULL);
	if (!ret)
		ret = rte_eth_dev_start(port);
	if (ret)
		return error_set(err, ret, "port %u: %s", port, strerror(-ret));
	/* Frames for the other port's address must not be lost, only counted. The device
	 * may lack the control queue for it, which then filters nothing. */
	(void)rte_eth_promiscuous_enable(port);
	return 0;
}

static int
peer_init(struct peer *peer, struct error *err)
{
	const struct options *o = &peer->options;
	int ret;

	if (rte_eth_dev_count_avail() != 2)
		return error_set(err, -EINVAL, "%u ports given with --vdev, wanted 2",
		                 rte_eth_dev_count_avail());
	peer->tsc_hz = rte_get_tsc_hz();
	peer->slices_room = (unsigned)(o->measure_ms / o->slice_ms);
	if (!peer->slices_room || peer->slices_room > SLICES_MAX)
		return error_set(err, -EINVAL,
		                 "%" PRIu64 " ms cannot be cut into slices of %" PRIu64
		                 " ms",
		                 o->measure_ms, o->slice_ms);
	peer->slices = calloc(peer->slices_room, sizeof *peer->slices);
	if (!peer->slices)
		return error_set(err, -ENOMEM, "%u slices: out of memory",
		                 peer->slices_room);
	for (unsigned i = 0; i < ARRAY_SIZE(peer->lanes); i++) {
		ret = vv_lane_init(&peer->lanes[i], i, (uint16_t)o->frame_bytes,
		                   (uint32_t)o->flows, (uint16_t)o->ring_size, err);
		if (!ret)
			ret = port_start((uint16_t)i, (uint16_t)o->ring_size,
			                 (uint16_t)(o->tx_ring_size ? o->tx_ring_size
			                                            : o->ring_size),
			                 err);
		if (ret)
			return ret;
		peer->lanes[i].measure_latency = o->latency;
		peer->lanes[i].has_stations = o->stations;
		peer->lanes[i].overhead_bytes = (uint32_t)o->overhead_bytes;
		peer->generating[i] = !i || o->both_ways;
	}
	if (!o->study)
		return 0;
	peer->lanes[0].study = vv_study_create(
		(uint32_t)o->flows, (double)o->meter_bps / 8 / (double)peer->tsc_hz,
		tsc_of_ms(peer, o->probe_ms), err);
	return peer->lanes[0].study ? 0 : -ENOMEM;
}

/* Sends a few frames both ways until they arrive, so that a learning switch knows both
 * addresses before the flood. */
static int
wait_until_ready(struct peer *peer, struct error *err)
{
	uint64_t start = rte_rdtsc(), next_probe = start, now;
	uint64_t stations = peer->options.stations ? peer->options.flows : 0;

	while (!stop_wanted) {
		now = rte_rdtsc();
		if (now - start > tsc_of_ms(peer, peer->options.ready_timeout_ms))
			return error_set(
				err, -ETIMEDOUT,
				"the switch did not forward within %" PRIu64
				" ms (frames that arrived: %" PRIu64 " and %" PRIu64 ")",
				peer->options.ready_timeout_ms, peer->lanes[0].rx_frames,
				peer->lanes[1].rx_frames);
		for (unsigned i = 0; i < 2; i++) {
			if (now >= next_probe)
				vv_lane_generate(&peer->lanes[i], now,
				                 i && stations ? VV_BURST : 1);
			vv_lane_receive(&peer->lanes[i]);
			vv_lane_check(&peer->lanes[i], now);
		}
		if (now >= next_probe)
			next_probe = now + tsc_of_ms(peer, PROBE_PERIOD_MS);
		if (peer->lanes[0].rx_frames >= PROBES_WANTED &&
		    peer->lanes[1].rx_frames >= MAX_OF(PROBES_WANTED, stations))
			return 0;
		rte_delay_us_sleep(200);
	}
	return error_set(err, -EINTR, "stopped before the switch was ready");
}

/* One round of all lanes; returns how many frames arrived. 'largest' is the largest burst
 * that a ring took or gave. */
static unsigned
poll_once(struct peer *peer, uint64_t now, uint16_t *largest)
{
	unsigned received = 0;

	*largest = 0;
	for (unsigned i = 0; i < 2; i++) {
		uint16_t n = vv_lane_receive(&peer->lanes[i]);

		received += n;
		*largest = MAX_OF(*largest, n);
	}
	for (unsigned i = 0; i < 2; i++) {
		if (peer->generating[i]) {
			uint16_t n = vv_lane_generate(&peer->lanes[i], now, VV_BURST);

			*largest = MAX_OF(*largest, n);
		}
	}
	for (unsigned i = 0; i < 2; i++)
		vv_lane_check(&peer->lanes[i], now);
	return received;
}

/* Full traffic until the slices are used up; with 'slices_n' 0, one slice of 'slice_tsc'
 * that is thrown away. */
static void
run(struct peer *peer, struct slice *slices, unsigned slices_n, uint64_t slice_tsc)
{
	uint64_t gap_tsc = peer->tsc_hz * peer->options.poll_gap_ns / 1000000000;
	uint64_t last = rte_rdtsc(), last_rx = last, slice_start = last;
	uint16_t largest = VV_BURST;
	unsigned i = 0;

	while (i < slices_n && !stop_wanted) {
		struct slice *slice = &slices[i];
		uint64_t now = rte_rdtsc();
		unsigned received;

		if (largest < VV_BURST && now - last < gap_tsc) {
			uint64_t from = now;

			while (now - last < gap_tsc) {
				rte_pause();
				now = rte_rdtsc();
			}
			slice->idle_tsc += now - from;
		} else if (!largest) {
			slice->idle_tsc += now - last;
		}
		if (now - last > slice->own_gap_tsc)
			slice->own_gap_tsc = now - last;
		last = now;
		received = poll_once(peer, now, &largest);
		slice->rx_frames += received;
		if (now - last_rx > slice->switch_gap_tsc)
			slice->switch_gap_tsc = now - last_rx;
		if (received)
			last_rx = now;
		if (now - slice_start >= slice_tsc) {
			slice->tsc = now - slice_start;
			slice_start = now;
			i++;
		}
	}
}

static void
drain(struct peer *peer)
{
	uint64_t start = rte_rdtsc(), last_rx = start, now = start;

	while (now - last_rx < tsc_of_ms(peer, DRAIN_QUIET_MS) &&
	       now - start < tsc_of_ms(peer, DRAIN_MAX_MS)) {
		now = rte_rdtsc();
		for (unsigned i = 0; i < 2; i++) {
			if (vv_lane_receive(&peer->lanes[i]))
				last_rx = now;
			vv_lane_check(&peer->lanes[i], now);
		}
	}
}

static double
us_of_tsc(const struct peer *peer, uint64_t tsc)
{
	return (double)tsc * 1e6 / (double)peer->tsc_hz;
}

static void
print_study(const struct peer *peer, const struct vv_study *study)
{
	printf(",\"meter_bytes\":%.0f,\"probes\":%" PRIu64
	       ",\"probe_us\":[%.2f,%.2f,%.2f]",
	       study->level_max_bytes, study->delay.n,
	       us_of_tsc(peer, vv_latency_percentile(&study->delay, 0.5)),
	       us_of_tsc(peer, vv_latency_percentile(&study->delay, 0.99)),
	       us_of_tsc(peer, study->delay.max_tsc));
	printf(",\"frames\":[");
	for (uint32_t i = 0; i < study->flows; i++)
		printf("%s%" PRIu64, i ? "," : "", study->frames[i]);
	printf("]");
}

static void
print_lane(const struct peer *peer, const struct vv_lane *lane)
{
	uint64_t sent = vv_lane_sent(lane);
	static const struct {
		const char *name;
		double share;
	} points[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}};

	printf("{\"sent\":%" PRIu64 ",\"received\":%" PRIu64 ",\"lost\":%" PRIu64
	       ",\"reordered\":%" PRIu64 ",\"foreign\":%" PRIu64,
	       sent, lane->received, sent - lane->received, lane->reordered,
	       lane->foreign);
	printf(",\"rx_batch\":%.2f,\"tx_batch\":%.2f",
	       lane->rx_calls ? (double)lane->rx_frames / (double)lane->rx_calls : 0,
	       lane->tx_calls ? (double)lane->tx_frames / (double)lane->tx_calls : 0);
	if (lane->measure_latency && lane->latency->n) {
		printf(",\"latency_us\":{");
		for (unsigned i = 0; i < ARRAY_SIZE(points); i++)
			printf("\"%s\":%.3f,", points[i].name,
			       us_of_tsc(peer, vv_latency_percentile(lane->latency,
			                                             points[i].share)));
		printf("\"max\":%.3f}", us_of_tsc(peer, lane->latency->max_tsc));
	}
	if (peer->study && !lane->tx_port)
		print_study(peer, peer->study);
	printf("}");
}

static void
print_result(const struct peer *peer)
{
	uint64_t tsc = 0, idle_tsc = 0, rx_frames = 0, own_gap_tsc = 0;

	for (unsigned i = 0; i < peer->slices_room; i++) {
		const struct slice *slice = &peer->slices[i];

		tsc += slice->tsc;
		idle_tsc += slice->idle_tsc;
		rx_frames += slice->rx_frames;
		own_gap_tsc = MAX_OF(own_gap_tsc, slice->own_gap_tsc);
	}
	printf("{\"event\":\"result\",\"tsc_hz\":%" PRIu64 ",\"mpps\":%.4f,\"slack\":%.4f"
	       ",\"longest_stall_us\":%.1f,\"lanes\":[",
	       peer->tsc_hz, (double)rx_frames / us_of_tsc(peer, tsc),
	       (double)idle_tsc / (double)tsc, us_of_tsc(peer, own_gap_tsc));
	for (unsigned i = 0; i < 2; i++) {
		if (peer->generating[i])
			print_lane(peer, &peer->lanes[i]);
		if (!i && peer->generating[1])
			printf(",");
	}
	printf("],\"slices\":[");
	for (unsigned i = 0; i < peer->slices_room; i++) {
		const struct slice *slice = &peer->slices[i];

		printf("%s[%" PRIu64 ",%" PRIu64 ",%.4f,%.1f,%.1f]", i ? "," : "",
		       slice->tsc, slice->rx_frames,
		       (double)slice->idle_tsc / (double)slice->tsc,
		       us_of_tsc(peer, slice->own_gap_tsc),
		       us_of_tsc(peer, slice->switch_gap_tsc));
	}
	printf("]}\n");
	fflush(stdout);
}

static void
print_event(const char *name)
{
	printf("{\"event\":\"%s\"}\n", name);
	fflush(stdout);
}

static int
peer_measure(struct peer *peer, struct error *err)
{
	const struct options *o = &peer->options;
	struct slice thrown_away = {0};
	int ret;

	print_event("waiting");
	ret = wait_until_ready(peer, err);
	if (ret)
		return ret;
	print_event("ready");
	for (unsigned i = 0; i < 2; i++) {
		peer->lanes[i].frames_per_tsc =
			(double)o->rate_pps / (double)peer->tsc_hz;
		vv_lane_start(&peer->lanes[i], rte_rdtsc());
	}
	run(peer, &thrown_away, 1, tsc_of_ms(peer, o->warmup_ms));
	print_event("start");
	for (unsigned i = 0; i < 2; i++)
		vv_lane_start(&peer->lanes[i], rte_rdtsc());
	run(peer, peer->slices, peer->slices_room, tsc_of_ms(peer, o->slice_ms));
	print_event("end");
	/* What comes now came too late to count. */
	peer->study = peer->lanes[0].study;
	peer->lanes[0].study = NULL;
	drain(peer);
	if (stop_wanted)
		return error_set(err, -EINTR, "stopped before the end");
	print_result(peer);
	return 0;
}

static void
usage(FILE *to)
{
	fputs("usage: vv_peer [EAL options with two --vdev net_virtio_user...] -- [options]\n"
	      "  --size BYTES        frame without check sequence, 64..1514 (64)\n"
	      "  --flows N           number of flows, chosen at random per frame (10)\n"
	      "  --ring N            descriptors of each ring (256)\n"
	      "  --tx-ring N         of those that it sends by, 0: the same (0)\n"
	      "  --rate PPS          frames per second and direction, 0: saturate (0)\n"
	      "  --warmup-ms MS      traffic before the measurement (1000)\n"
	      "  --measure-ms MS     length of the measurement (3000)\n"
	      "  --slice-ms MS       length of one slice of it (10)\n"
	      "  --ready-timeout-ms MS  how long the switch may take to connect (30000)\n"
	      "  --poll-gap-ns NS    time between polls of rings that are not busy (0)\n"
	      "  --both-ways         traffic in both directions\n"
	      "  --stations          an address per flow behind port 1\n"
	      "  --study             frames by flow in the result, and for them:\n"
	      "  --meter-bps BPS     by how much any window exceeded this rate (0: none)\n"
	      "  --overhead BYTES    charged per frame besides its length (24)\n"
	      "  --probe-ms MS       flow 0 sends one frame each MS and is timed (0: no)\n"
	      "  --latency           report percentiles of the time through the switch\n",
	      to);
}

enum option_id {
	OPT_SIZE = 256,
	OPT_FLOWS,
	OPT_RING,
	OPT_TX_RING,
	OPT_RATE,
	OPT_WARMUP,
	OPT_MEASURE,
	OPT_SLICE,
	OPT_READY,
	OPT_POLL_GAP,
	OPT_BOTH_WAYS,
	OPT_LATENCY,
	OPT_STATIONS,
	OPT_STUDY,
	OPT_METER,
	OPT_OVERHEAD,
	OPT_PROBE,
	OPT_HELP,
};

static const struct option long_options[] = {
	{"size", required_argument, NULL, OPT_SIZE},
	{"flows", required_argument, NULL, OPT_FLOWS},
	{"ring", required_argument, NULL, OPT_RING},
	{"tx-ring", required_argument, NULL, OPT_TX_RING},
	{"rate", required_argument, NULL, OPT_RATE},
	{"warmup-ms", required_argument, NULL, OPT_WARMUP},
	{"measure-ms", required_argument, NULL, OPT_MEASURE},
	{"slice-ms", required_argument, NULL, OPT_SLICE},
	{"ready-timeout-ms", required_argument, NULL, OPT_READY},
	{"poll-gap-ns", required_argument, NULL, OPT_POLL_GAP},
	{"both-ways", no_argument, NULL, OPT_BOTH_WAYS},
	{"latency", no_argument, NULL, OPT_LATENCY},
	{"stations", no_argument, NULL, OPT_STATIONS},
	{"study", no_argument, NULL, OPT_STUDY},
	{"meter-bps", required_argument, NULL, OPT_METER},
	{"overhead", required_argument, NULL, OPT_OVERHEAD},
	{"probe-ms", required_argument, NULL, OPT_PROBE},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

/* The option that takes a number, and its bounds; NULL for the others. */
static uint64_t *
number_option(struct options *o, int id, uint64_t *min, uint64_t *max)
{
	struct {
		int id;
		uint64_t *value;
		uint64_t min, max;
	} numbers[] = {
		{OPT_SIZE, &o->frame_bytes, VV_FRAME_MIN_BYTES, VV_FRAME_MAX_BYTES},
		{OPT_FLOWS, &o->flows, 1, VV_FLOWS_MAX},
		{OPT_RING, &o->ring_size, 64, 1024},
		{OPT_TX_RING, &o->tx_ring_size, 0, 1024},
		{OPT_RATE, &o->rate_pps, 0, 1000000000},
		{OPT_WARMUP, &o->warmup_ms, 0, 600000},
		{OPT_MEASURE, &o->measure_ms, 1, 600000},
		{OPT_SLICE, &o->slice_ms, 1, 600000},
		{OPT_POLL_GAP, &o->poll_gap_ns, 0, 100000},
		{OPT_METER, &o->meter_bps, 0, 1000000000000},
		{OPT_OVERHEAD, &o->overhead_bytes, 0, 1000},
		{OPT_PROBE, &o->probe_ms, 0, 10000},
		{OPT_READY, &o->ready_timeout_ms, 1, 600000},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (numbers[i].id == id) {
			*min = numbers[i].min;
			*max = numbers[i].max;
			return numbers[i].value;
		}
	}
	return NULL;
}

static int
options_parse(struct options *o, int argc, char *argv[], struct error *err)
{
	uint64_t min, max, *number;
	int id, index;

	optind = 1;
	opterr = 0;
	while ((id = getopt_long(argc, argv, "", long_options, &index)) != -1) {
		number = number_option(o, id, &min, &max);
		if (number && !parse_u64(optarg, min, max, number))
			return error_set(err, -EINVAL,
			                 "--%s: '%s' is not a number from %" PRIu64
			                 " to %" PRIu64,
			                 long_options[index].name, optarg, min, max);
		if (id == OPT_BOTH_WAYS)
			o->both_ways = true;
		else if (id == OPT_LATENCY)
			o->latency = true;
		else if (id == OPT_STATIONS)
			o->stations = true;
		else if (id == OPT_STUDY)
			o->study = true;
		else if (id == OPT_HELP) {
			usage(stdout);
			exit(0);
		} else if (!number)
			return error_set(err, -EINVAL,
			                 "'%s' is no option, or lacks its value",
			                 argv[optind - 1]);
	}
	if (optind < argc)
		return error_set(err, -EINVAL, "unexpected argument '%s'", argv[optind]);
	return 0;
}

int
main(int argc, char *argv[])
{
	static struct peer peer = {
		.options = {.frame_bytes = 64,
	                    .flows = 10,
	                    .ring_size = 256,
	                    .warmup_ms = 1000,
	                    .measure_ms = 3000,
	                    .slice_ms = 10,
	                    .ready_timeout_ms = 30000,
	                    .overhead_bytes = 24},
	};
	struct error err = {""};
	int used, ret;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		usage(stdout);
		return 0;
	}
	used = rte_eal_init(argc, argv);
	if (used < 0) {
		fprintf(stderr, "vv_peer: DPDK did not start\n");
		return 1;
	}
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	ret = options_parse(&peer.options, argc - used, argv + used, &err);
	if (!ret)
		ret = peer_init(&peer, &err);
	if (!ret)
		ret = peer_measure(&peer, &err);
	if (ret)
		fprintf(stderr, "vv_peer: %s\n", err.text);
	rte_eal_cleanup();
	return ret ? 1 : 0;
}
