/* sim.h - drives a scheduler in virtual time: an owner loop of uneven period, sources
 * that keep classes backlogged, and meters on what comes out. One thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qos/sched.h"

/* Sanitized builds are slower: fewer classes there. */
#if defined(__SANITIZE_ADDRESS__)
#define SIM_SMALL
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIM_SMALL
#endif
#endif

#define SIM_NS_PER_SEC  1000000000ULL
#define SIM_BATCH       32
#define SIM_BATCH_BYTES (128U << 10)

#define SIM_MBPS 1000000ULL
#define SIM_GBPS 1000000000ULL

struct sim_random {
	uint64_t state;
};

uint64_t sim_random_next(struct sim_random *random);
/* 0 <= result < limit */
uint32_t sim_random_below(struct sim_random *random, uint32_t limit);
/* 0 <= result < 1 */
double sim_random_unit(struct sim_random *random);

enum sim_relation {
	SIM_AT_LEAST,
	SIM_AT_MOST,
};

/* Prints what was measured for a property, in the form that the script 'figures' reads,
 * and fails the test if it is beyond the limit. */
PRINTF_FORMAT(5, 6)
void sim_report(const char *property, double measured, enum sim_relation relation,
                double limit, const char *format, ...);

/* Sizes of packets as charged on the wire. */
enum sim_sizes {
	SIM_SIZES_64,
	SIM_SIZES_1514,
	SIM_SIZES_64K, /* as the segmentation offload of a guest makes them */
	SIM_SIZES_MIXED,
	SIM_SIZES_UNIFORM,
	SIM_SIZES_KINDS,
};

#define SIM_BYTES_MAX 65549U

/* Packets on the wire that an item of 'bytes' is. */
static inline uint16_t
sim_segments(uint32_t bytes)
{
	return (uint16_t)((bytes + 1513) / 1514);
}

uint32_t sim_size(struct sim_random *random, enum sim_sizes sizes);
const char *sim_sizes_name(enum sim_sizes sizes);

/* An item with the moment at which it was offered; embeds the scheduler's part. */
struct sim_packet {
	struct qos_item item; /* first */
	uint64_t offered_ns;
	uint32_t source;
};

/* Largest amount by which output exceeded rate * T over any window T so far. */
struct sim_meter {
	double bytes_per_ns;
	double level_bytes;
	double max_bytes;
	uint64_t last_ns;
};

void sim_meter_init(struct sim_meter *meter, uint64_t rate_bps, uint64_t now_ns);
void sim_meter_add(struct sim_meter *meter, uint64_t now_ns, uint32_t bytes);

struct sim {
	struct sched *sched;
	void *memory;
	uint64_t now_ns;
	struct sim_random random;
	bool stalls;       /* now and then the loop takes stall_ns */
	uint64_t stall_ns; /* 100 us unless changed */
	uint64_t item_ns;  /* what an item costs the owner; 0 unless changed */
	unsigned last_count;
	struct sim_packet *packets;
	struct sim_packet *free; /* linked through item.next */
	uint32_t packet_count;
	uint64_t *sent_bytes; /* by index of class, of leaves only */
	uint32_t index_count;
};

/* An index in sim.sent_bytes. */
static inline uint32_t
sim_index(uint32_t ref)
{
	return ref & (SCHED_CLASSES_MAX - 1);
}

void sim_init(struct sim *sim, uint32_t capacity, uint32_t packets, uint64_t link_bps);
void sim_destroy(struct sim *sim);

#define SIM_LIMIT_BYTES (64U << 20) /* so that only packets limit a queue */

/* Adds a class or fails the test. */
uint32_t sim_add(struct sim *sim, uint32_t parent, bool is_leaf, uint64_t floor_bps,
                 uint64_t ceil_bps, uint32_t weight);

/* A free packet, or NULL. */
struct sim_packet *sim_packet_get(struct sim *sim);
void sim_packet_put(struct sim *sim, struct sim_packet *packet);

/* Offers one packet of 'bytes'. False if it was not taken. */
bool sim_offer(struct sim *sim, uint32_t ref, uint32_t bytes, uint32_t source);

/* The packet, if it may go past the queues: it is sent, sim_packet_put() it. Else NULL.
 */
struct sim_packet *sim_pass(struct sim *sim, uint32_t ref, uint32_t bytes,
                            uint32_t source);

/* Lets the time of one round of the owner's loop pass. */
void sim_step(struct sim *sim);

/* Takes what may be sent now and counts it in sent_bytes. The packets are the caller's.
 */
unsigned sim_dequeue(struct sim *sim, struct sim_packet **packets);

/* A leaf that a run keeps backlogged. */
struct sim_leaf {
	uint32_t ref;
	enum sim_sizes sizes;
	uint64_t floor_bps;
	uint32_t weight;
	double sent_bytes;    /* since the end of the warm-up */
	double lag_bytes;     /* floor * T - sent, at least 0 */
	double max_lag_bytes; /* largest of any window so far */
	uint64_t last_sent_ns;
	uint64_t max_gap_ns; /* longest time between two packets */
};

#define SIM_SOURCE_OTHER UINT32_MAX /* a packet of none of the leaves */

struct sim_run {
	struct sim_leaf *leaves;
	uint32_t count;
	uint32_t depth; /* packets per leaf */
	double warm_seconds;
	double seconds; /* after the warm-up */
	/* Each may be NULL: once a round, and for what came out with SIM_SOURCE_OTHER,
	 * which is the callee's then. */
	void (*each_round)(struct sim *sim, void *context);
	void (*other_sent)(struct sim *sim, struct sim_packet *packet, void *context);
	void *context;
	/* Results, after the warm-up. */
	double sent_bytes;
	double measured_seconds;
};

/* Keeps all leaves backlogged while the owner's loop runs. */
void sim_run(struct sim *sim, struct sim_run *run);

/* Bits per second that a leaf sent after the warm-up. */
double sim_leaf_bps(const struct sim_run *run, const struct sim_leaf *leaf);

/* The scheduler's default burst: 200 us of the rate, at least two frames. */
double sim_default_burst_bytes(uint64_t rate_bps);

static inline double
sim_seconds(uint64_t ns)
{
	return (double)ns / (double)SIM_NS_PER_SEC;
}
