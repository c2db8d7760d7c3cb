/* cost_rte_sched.c - what DPDK's rte_sched costs per packet, enqueue and dequeue
 * together, beside tests/sim/sched_cost of weir: pipes stand for classes. One thread,
 * 64-byte packets, a port so fast that only the processor limits.
 *
 *     cost_rte_sched [classes] */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <rte_eal.h>
#include <rte_mbuf.h>
#include <rte_sched.h>

#define ROUNDS        30
#define ROUND_PACKETS 200000
#define DEPTH         4 /* packets per class while backlogged */
#define BURST         32
#define PACKET_BYTES  64
#define PORT_BYTES_S  12500000000ULL
#define QUEUE_SIZE    64

struct bench {
	struct rte_sched_port *port;
	struct rte_mempool *pool;
	uint32_t classes;
	uint64_t random;
};

static uint64_t
cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint32_t
random_class(struct bench *bench)
{
	bench->random ^= bench->random << 13;
	bench->random ^= bench->random >> 7;
	bench->random ^= bench->random << 17;
	return (uint32_t)(bench->random % bench->classes);
}

/* All pipes share one profile, without a limit that is ever reached. */
static struct rte_sched_port *
make_port(uint32_t pipes)
{
	struct rte_sched_pipe_params pipe = {.tb_rate = PORT_BYTES_S,
	                                     .tb_size = 1000000,
	                                     .tc_period = 40,
	                                     .tc_ov_weight = 1};
	struct rte_sched_subport_profile_params profile = {
		.tb_rate = PORT_BYTES_S, .tb_size = 1000000, .tc_period = 10};
	struct rte_sched_subport_params subport = {
		.n_pipes_per_subport_enabled = pipes,
		.pipe_profiles = &pipe,
		.n_pipe_profiles = 1,
		.n_max_pipe_profiles = 1,
	};
	struct rte_sched_port_params params = {
		.name = "cost",
		.socket = 0,
		.rate = PORT_BYTES_S,
		.mtu = 1522,
		.frame_overhead = RTE_SCHED_FRAME_OVERHEAD_DEFAULT,
		.n_subports_per_port = 1,
		.subport_profiles = &profile,
		.n_subport_profiles = 1,
		.n_max_subport_profiles = 1,
		.n_pipes_per_subport = pipes,
	};
	struct rte_sched_port *port;

	for (unsigned i = 0; i < RTE_SCHED_TRAFFIC_CLASSES_PER_PIPE; i++) {
		pipe.tc_rate[i] = PORT_BYTES_S;
		profile.tc_rate[i] = PORT_BYTES_S;
		subport.qsize[i] = QUEUE_SIZE;
	}
	for (unsigned i = 0; i < RTE_SCHED_BE_QUEUES_PER_PIPE; i++)
		pipe.wrr_weights[i] = 1;
	port = rte_sched_port_config(&params);
	if (!port || rte_sched_subport_config(port, 0, &subport, 0))
		rte_exit(1, "cost_rte_sched: cannot make a port\n");
	for (uint32_t i = 0; i < pipes; i++)
		if (rte_sched_pipe_config(port, 0, i, 0))
			rte_exit(1, "cost_rte_sched: cannot make pipe %u\n", i);
	return port;
}

static void
offer(struct bench *bench, struct rte_mbuf **pkts, const uint32_t *classes, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		rte_sched_port_pkt_write(bench->port, pkts[i], 0, classes[i],
		                         RTE_SCHED_TRAFFIC_CLASS_BE, 0, RTE_COLOR_GREEN);
	rte_sched_port_enqueue(bench->port, pkts, n);
}

/* Every class keeps DEPTH packets: what comes out goes in again. */
static unsigned
turn_backlogged(struct bench *bench)
{
	struct rte_mbuf *pkts[BURST];
	int n = rte_sched_port_dequeue(bench->port, pkts, BURST);

	if (n > 0)
		rte_sched_port_enqueue(bench->port, pkts, (uint32_t)n);
	return n > 0 ? (unsigned)n : 0;
}

/* Each packet wakes a random class, and leaves it idle. */
static unsigned
turn_sparse(struct bench *bench)
{
	struct rte_mbuf *pkts[BURST];
	uint32_t classes[BURST];
	int n;

	if (rte_pktmbuf_alloc_bulk(bench->pool, pkts, BURST) == 0) {
		for (unsigned i = 0; i < BURST; i++) {
			pkts[i]->pkt_len = pkts[i]->data_len = PACKET_BYTES;
			classes[i] = random_class(bench);
		}
		offer(bench, pkts, classes, BURST);
	}
	n = rte_sched_port_dequeue(bench->port, pkts, BURST);
	if (n > 0)
		rte_pktmbuf_free_bulk(pkts, (unsigned)n);
	return n > 0 ? (unsigned)n : 0;
}

static void
measure(struct bench *bench, const char *name, unsigned (*turn)(struct bench *))
{
	double best = 1e9, sum = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t start_ns = cpu_ns(), packets = 0;
		double each;

		while (packets < ROUND_PACKETS)
			packets += turn(bench);
		each = (double)(cpu_ns() - start_ns) / (double)packets;
		best = each < best ? each : best;
		sum += each;
	}
	printf("rte_sched %-24s best %6.1f ns, mean %6.1f ns per packet\n", name, best,
	       sum / ROUNDS);
}

static void
fill(struct bench *bench)
{
	for (uint32_t i = 0; i < bench->classes * DEPTH; i++) {
		struct rte_mbuf *pkt = rte_pktmbuf_alloc(bench->pool);
		uint32_t class = i % bench->classes;

		if (!pkt)
			rte_exit(1, "cost_rte_sched: out of packets\n");
		pkt->pkt_len = pkt->data_len = PACKET_BYTES;
		offer(bench, &pkt, &class, 1);
	}
}

int
main(int argc, char **argv)
{
	char no_huge[] = "--no-huge", memory[] = "-m1024", no_pci[] = "--no-pci",
	     quiet[] = "--log-level=4", alone[] = "--no-shconf";
	char *eal[] = {argv[0], no_huge, memory, no_pci, quiet, alone, NULL};
	struct bench bench = {.random = 88172645463325252ULL};
	uint32_t pipes = 1;

	bench.classes = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 10000;
	if (bench.classes < 1 || bench.classes > 1 << 16 || rte_eal_init(6, eal) < 0) {
		fprintf(stderr, "cost_rte_sched: 1 to 65536 classes\n");
		return 1;
	}
	while (pipes < bench.classes)
		pipes *= 2;
	bench.pool = rte_pktmbuf_pool_create("cost", bench.classes * DEPTH + 8191, 256, 0,
	                                     256, 0);
	bench.port = make_port(pipes);
	if (!bench.pool) {
		fprintf(stderr, "cost_rte_sched: out of memory\n");
		return 1;
	}
	measure(&bench, "sparse random arrivals", turn_sparse);
	fill(&bench);
	measure(&bench, "all backlogged", turn_backlogged);
	rte_sched_port_free(bench.port);
	rte_eal_cleanup();
	return 0;
}
