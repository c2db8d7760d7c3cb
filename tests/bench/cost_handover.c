/* cost_handover.c - what it costs the owner of a scheduler that packets come from another
 * core: enqueue and dequeue of packets whose metadata another thread wrote and handed
 * over through a single-producer ring, against the same packets from the owner's own
 * hands.
 *
 *     cost_handover [classes [producer core [owner core]]] */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ring.h>

#include "base/compiler.h"
#include "qos/sched.h"

#define ROUNDS        40
#define ROUND_PACKETS 200000
#define BURST         32
#define PACKETS       16384
#define RING_SIZE     2048
#define PACKET_BYTES  64
#define LINK_BPS      100000000000ULL

/* As a packet: metadata in a line of its own, and a header that both sides touch. */
struct packet {
	struct qos_item item;
	char header[64] CACHE_ALIGNED;
} CACHE_ALIGNED;

struct bench {
	struct sched *sched;
	uint32_t classes;
	uint32_t *leaves;
	struct packet *packets;
	struct rte_ring *to_owner, *to_producer;
	atomic_bool stop;
	uint64_t random;
	int producer_core;
};

static uint32_t
random_leaf(struct bench *bench, uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return bench->leaves[*random % bench->classes];
}

/* What a worker does to a packet before it names the class. */
static inline void
prepare(struct bench *bench, struct packet *packet, uint64_t *random)
{
	packet->header[0]++;
	packet->item.charged_bytes = PACKET_BYTES;
	packet->item.charged_packets = 1;
	packet->item.class_ref = random_leaf(bench, random);
}

static void
pin(int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static void *
produce(void *arg)
{
	struct bench *bench = arg;
	uint64_t random = 88172645463325252ULL;
	void *burst[BURST];

	pin(bench->producer_core);
	while (!atomic_load_explicit(&bench->stop, memory_order_relaxed)) {
		unsigned n =
			rte_ring_sc_dequeue_burst(bench->to_producer, burst, BURST, NULL);
		unsigned sent = 0;

		for (unsigned i = 0; i < n; i++)
			prepare(bench, burst[i], &random);
		while (sent < n &&
		       !atomic_load_explicit(&bench->stop, memory_order_relaxed))
			sent += rte_ring_sp_enqueue_burst(bench->to_owner, burst + sent,
			                                  n - sent, NULL);
	}
	return NULL;
}

static uint64_t
ns_of(uint64_t tsc)
{
	return (uint64_t)((double)tsc * 1e9 / (double)rte_get_tsc_hz());
}

/* Schedules a burst at once and takes it back. */
static unsigned
schedule(struct bench *bench, struct packet **burst, unsigned n)
{
	uint64_t now_ns = ns_of(rte_rdtsc());
	struct qos_item *items[BURST];

	for (unsigned i = 0; i < n; i++) {
		items[i] = &burst[i]->item;
		__builtin_prefetch(burst[i]->header);
	}
	sched_prefetch(bench->sched, items, n);
	for (unsigned i = 0; i < n; i++) {
		burst[i]->header[1]++;
		sched_enqueue(bench->sched, &burst[i]->item, now_ns);
	}
	n = sched_dequeue(bench->sched, now_ns, items, BURST, UINT32_MAX);
	for (unsigned i = 0; i < n; i++)
		burst[i] = (struct packet *)(void *)items[i];
	return n;
}

/* One burst of the owner's own packets. */
static unsigned
turn_alone(struct bench *bench, struct packet **burst)
{
	static unsigned at;

	for (unsigned i = 0; i < BURST; i++) {
		burst[i] = &bench->packets[at++ % PACKETS];
		prepare(bench, burst[i], &bench->random);
	}
	return schedule(bench, burst, BURST);
}

/* One burst from the producer; 0 if none is there, which costs nothing. */
static unsigned
turn_handed(struct bench *bench, struct packet **burst)
{
	unsigned n =
		rte_ring_sc_dequeue_burst(bench->to_owner, (void **)burst, BURST, NULL);

	for (unsigned i = 0; i < n; i++)
		__builtin_prefetch(&burst[i]->item, 1);
	if (n == 0)
		return 0;
	n = schedule(bench, burst, n);
	rte_ring_sp_enqueue_burst(bench->to_producer, (void **)burst, n, NULL);
	return n;
}

static double
measure(struct bench *bench, unsigned (*turn)(struct bench *, struct packet **))
{
	struct packet *burst[BURST];
	double best = 1e9;

	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t spent = 0, packets = 0;

		while (packets < ROUND_PACKETS) {
			uint64_t start = rte_rdtsc();
			unsigned n = turn(bench, burst);

			/* Waiting for the producer is no cost of the owner's. */
			if (n) {
				spent += rte_rdtsc() - start;
				packets += n;
			}
		}
		best = MIN_OF(best, (double)ns_of(spent) / (double)packets);
	}
	return best;
}

static void
make_tree(struct bench *bench)
{
	const struct sched_class_params root = {.ceil_bps = LINK_BPS},
					leaf = {.floor_bps = LINK_BPS * 8 / 10 /
	                                                     bench->classes};
	void *memory = aligned_alloc(64, sched_memory_bytes(bench->classes + 1));

	bench->sched =
		memory ? sched_init(memory, bench->classes + 1, &root, ns_of(rte_rdtsc()))
		       : NULL;
	bench->leaves = calloc(bench->classes, sizeof(*bench->leaves));
	bench->packets = aligned_alloc(64, PACKETS * sizeof(*bench->packets));
	if (!bench->sched || !bench->leaves || !bench->packets)
		rte_exit(1, "cost_handover: out of memory\n");
	memset(bench->packets, 0, PACKETS * sizeof(*bench->packets));
	sched_set_quantum(bench->sched, 1514);
	for (uint32_t i = 0; i < bench->classes; i++)
		sched_class_add(bench->sched, sched_root(bench->sched), true, &leaf,
		                ns_of(rte_rdtsc()), &bench->leaves[i]);
}

int
main(int argc, char **argv)
{
	char no_huge[] = "--no-huge", memory[] = "-m64", no_pci[] = "--no-pci",
	     quiet[] = "--log-level=4", alone[] = "--no-shconf";
	char *eal[] = {argv[0], no_huge, memory, no_pci, quiet, alone, NULL};
	static struct bench bench = {.random = 1234567};
	double own, handed;
	pthread_t thread;

	bench.classes = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 10000;
	bench.producer_core = argc > 2 ? atoi(argv[2]) : 0;
	if (!bench.classes || rte_eal_init(6, eal) < 0)
		return 1;
	pin(argc > 3 ? atoi(argv[3]) : 1);
	make_tree(&bench);
	bench.to_owner = rte_ring_create("to_owner", RING_SIZE, SOCKET_ID_ANY,
	                                 RING_F_SP_ENQ | RING_F_SC_DEQ);
	bench.to_producer = rte_ring_create("to_producer", RING_SIZE, SOCKET_ID_ANY,
	                                    RING_F_SP_ENQ | RING_F_SC_DEQ);
	if (!bench.to_owner || !bench.to_producer)
		return 1;
	own = measure(&bench, turn_alone);
	for (unsigned i = 0; i < RING_SIZE / 2; i++)
		rte_ring_sp_enqueue(bench.to_producer, &bench.packets[i]);
	if (pthread_create(&thread, NULL, produce, &bench))
		return 1;
	handed = measure(&bench, turn_handed);
	atomic_store(&bench.stop, true);
	pthread_join(thread, NULL);
	printf("%u classes: own packets %.1f ns, handed over %.1f ns, difference %.1f ns "
	       "per packet\n",
	       bench.classes, own, handed, handed - own);
	return 0;
}
