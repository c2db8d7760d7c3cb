/* sim.c - the virtual clock, sources and meters of sim.h. */
#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

uint64_t
sim_random_next(struct sim_random *random)
{
	random->state ^= random->state << 13;
	random->state ^= random->state >> 7;
	random->state ^= random->state << 17;
	return random->state;
}

uint32_t
sim_random_below(struct sim_random *random, uint32_t limit)
{
	return (uint32_t)((sim_random_next(random) >> 32) * limit >> 32);
}

double
sim_random_unit(struct sim_random *random)
{
	return (double)(sim_random_next(random) >> 11) * 0x1p-53;
}

void
sim_report(const char *property, double measured, enum sim_relation relation,
           double limit, const char *format, ...)
{
	va_list args;

	printf("%s | ", property);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf(" | %.6g | %s %.6g\n", measured,
	       relation == SIM_AT_LEAST ? ">=" : "<=", limit);
	fflush(stdout);
	assert_true(relation == SIM_AT_LEAST ? measured >= limit : measured <= limit);
}

uint32_t
sim_size(struct sim_random *random, enum sim_sizes sizes)
{
	uint32_t dice;

	switch (sizes) {
	case SIM_SIZES_64:
		return 64;
	case SIM_SIZES_1514:
		return 1514;
	case SIM_SIZES_64K:
		return SIM_BYTES_MAX;
	case SIM_SIZES_MIXED:
		dice = sim_random_below(random, 10);
		return dice < 5 ? 64 : dice < 8 ? 1514 : SIM_BYTES_MAX;
	case SIM_SIZES_UNIFORM:
	case SIM_SIZES_KINDS:
		break;
	}
	return 64 + sim_random_below(random, SIM_BYTES_MAX - 64 + 1);
}

const char *
sim_sizes_name(enum sim_sizes sizes)
{
	static const char *const names[SIM_SIZES_KINDS] = {"64 B", "1514 B", "64 KB",
	                                                   "mixed", "uniform"};

	return names[sizes];
}

void
sim_meter_init(struct sim_meter *meter, uint64_t rate_bps, uint64_t now_ns)
{
	*meter = (struct sim_meter){
		.bytes_per_ns = (double)rate_bps / 8 / (double)SIM_NS_PER_SEC,
		.last_ns = now_ns,
	};
}

void
sim_meter_add(struct sim_meter *meter, uint64_t now_ns, uint32_t bytes)
{
	meter->level_bytes -= meter->bytes_per_ns * (double)(now_ns - meter->last_ns);
	if (meter->level_bytes < 0)
		meter->level_bytes = 0;
	meter->level_bytes += bytes;
	meter->last_ns = now_ns;
	if (meter->level_bytes > meter->max_bytes)
		meter->max_bytes = meter->level_bytes;
}

void
sim_init(struct sim *sim, uint32_t capacity, uint32_t packets, uint64_t link_bps)
{
	const struct sched_class_params root = {.ceil_bps = link_bps};
	size_t bytes = sched_memory_bytes(capacity);

	memset(sim, 0, sizeof(*sim));
	sim->random.state = 88172645463325252ULL;
	sim->stalls = true;
	sim->stall_ns = 100000;
	sim->now_ns = SIM_NS_PER_SEC;
	sim->memory = aligned_alloc(CACHE_LINE_BYTES, bytes);
	assert_non_null(sim->memory);
	/* Memory comes dirty: the scheduler clears what it needs. */
	memset(sim->memory, 0xa5, bytes);
	sim->sched = sched_init(sim->memory, capacity, &root, sim->now_ns);
	sim->packets = calloc(packets, sizeof(*sim->packets));
	sim->packet_count = packets;
	sim->index_count = capacity + 1;
	sim->sent_bytes = calloc(sim->index_count, sizeof(*sim->sent_bytes));
	assert_true(sim->packets && sim->sent_bytes);
	for (uint32_t i = 0; i < packets; i++)
		sim_packet_put(sim, &sim->packets[i]);
}

void
sim_destroy(struct sim *sim)
{
	free(sim->sent_bytes);
	free(sim->packets);
	free(sim->memory);
}

uint32_t
sim_add(struct sim *sim, uint32_t parent, bool is_leaf, uint64_t floor_bps,
        uint64_t ceil_bps, uint32_t weight)
{
	const struct sched_class_params params = {
		.floor_bps = floor_bps,
		.ceil_bps = ceil_bps,
		.weight = weight,
		.limit_bytes = SIM_LIMIT_BYTES,
	};
	uint32_t ref = 0;

	assert_int_equal(
		sched_class_add(sim->sched, parent, is_leaf, &params, sim->now_ns, &ref),
		0);
	return ref;
}

struct sim_packet *
sim_packet_get(struct sim *sim)
{
	struct sim_packet *packet = sim->free;

	if (packet)
		sim->free = (struct sim_packet *)packet->item.next;
	return packet;
}

void
sim_packet_put(struct sim *sim, struct sim_packet *packet)
{
	packet->item.next = (struct qos_item *)sim->free;
	sim->free = packet;
}

static struct sim_packet *
sim_packet_make(struct sim *sim, uint32_t ref, uint32_t bytes, uint32_t source)
{
	struct sim_packet *packet = sim_packet_get(sim);

	if (!packet)
		return NULL;
	packet->offered_ns = sim->now_ns;
	packet->source = source;
	packet->item.charged_bytes = bytes;
	packet->item.charged_packets = sim_segments(bytes) & QOS_ITEM_PACKETS_MAX;
	packet->item.class_ref = ref;
	return packet;
}

struct sim_packet *
sim_pass(struct sim *sim, uint32_t ref, uint32_t bytes, uint32_t source)
{
	struct sim_packet *packet = sim_packet_make(sim, ref, bytes, source);
	struct qos_item *item;

	if (!packet)
		return NULL;
	item = &packet->item;
	if (sched_pass(sim->sched, &item, 1, sim->now_ns) > 0)
		return packet;
	sim_packet_put(sim, packet);
	return NULL;
}

bool
sim_offer(struct sim *sim, uint32_t ref, uint32_t bytes, uint32_t source)
{
	struct sim_packet *packet = sim_packet_make(sim, ref, bytes, source);

	if (!packet)
		return false;
	if (sched_enqueue(sim->sched, &packet->item, sim->now_ns) == SCHED_QUEUED)
		return true;
	sim_packet_put(sim, packet);
	return false;
}

void
sim_step(struct sim *sim)
{
	if (sim->stalls && sim_random_below(&sim->random, 2000) == 0)
		sim->now_ns += sim->stall_ns;
	else
		sim->now_ns += 500 + sim_random_below(&sim->random, 3500);
	sim->now_ns += sim->last_count * sim->item_ns;
}

unsigned
sim_dequeue(struct sim *sim, struct sim_packet **packets)
{
	struct qos_item *items[SIM_BATCH];
	unsigned count =
		sched_dequeue(sim->sched, sim->now_ns, items, SIM_BATCH, SIM_BATCH_BYTES);

	sim->last_count = count;
	for (unsigned i = 0; i < count; i++) {
		packets[i] = (struct sim_packet *)items[i];
		sim->sent_bytes[sim_index(items[i]->class_ref)] +=
			items[i]->charged_bytes;
	}
	return count;
}

double
sim_default_burst_bytes(uint64_t rate_bps)
{
	double bytes = (double)rate_bps / 8 * 200e-6;

	return bytes > 3028 ? bytes : 3028;
}

double
sim_leaf_bps(const struct sim_run *run, const struct sim_leaf *leaf)
{
	return leaf->sent_bytes * 8 / run->measured_seconds;
}

static void
run_account(struct sim *sim, struct sim_run *run, struct sim_leaf *leaf, uint32_t bytes,
            bool warm)
{
	uint64_t gap_ns = sim->now_ns - leaf->last_sent_ns;

	leaf->lag_bytes += (double)leaf->floor_bps / 8e9 * (double)gap_ns;
	if (warm) {
		if (leaf->lag_bytes > leaf->max_lag_bytes)
			leaf->max_lag_bytes = leaf->lag_bytes;
		if (gap_ns > leaf->max_gap_ns)
			leaf->max_gap_ns = gap_ns;
		leaf->sent_bytes += bytes;
		run->sent_bytes += bytes;
	}
	leaf->lag_bytes -= bytes;
	if (leaf->lag_bytes < 0)
		leaf->lag_bytes = 0;
	leaf->last_sent_ns = sim->now_ns;
}

static void
run_refill(struct sim *sim, struct sim_run *run, struct sim_packet *packet)
{
	const struct sim_leaf *leaf = &run->leaves[packet->source];

	packet->item.charged_bytes = sim_size(&sim->random, leaf->sizes);
	packet->item.charged_packets =
		sim_segments(packet->item.charged_bytes) & QOS_ITEM_PACKETS_MAX;
	packet->offered_ns = sim->now_ns;
	assert_int_equal(sched_enqueue(sim->sched, &packet->item, sim->now_ns),
	                 SCHED_QUEUED);
}

void
sim_run(struct sim *sim, struct sim_run *run)
{
	uint64_t warm_ns = sim->now_ns + (uint64_t)(run->warm_seconds * 1e9);
	uint64_t end_ns = warm_ns + (uint64_t)(run->seconds * 1e9);
	struct sim_packet *packets[SIM_BATCH];

	run->measured_seconds = run->seconds;
	for (uint32_t d = 0; d < run->depth; d++)
		for (uint32_t i = 0; i < run->count; i++) {
			struct sim_leaf *leaf = &run->leaves[i];

			leaf->last_sent_ns = sim->now_ns;
			assert_true(sim_offer(sim, leaf->ref,
			                      sim_size(&sim->random, leaf->sizes), i));
		}
	while (sim->now_ns < end_ns) {
		unsigned count;

		sim_step(sim);
		if (run->each_round)
			run->each_round(sim, run->context);
		count = sim_dequeue(sim, packets);
		for (unsigned i = 0; i < count; i++) {
			struct sim_packet *packet = packets[i];

			if (packet->source == SIM_SOURCE_OTHER) {
				run->other_sent(sim, packet, run->context);
				continue;
			}
			run_account(sim, run, &run->leaves[packet->source],
			            packet->item.charged_bytes, sim->now_ns >= warm_ns);
			run_refill(sim, run, packet);
		}
	}
}
