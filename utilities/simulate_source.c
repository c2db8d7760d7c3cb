/* simulate_source.c - when packets of a load come and how large they are. Pure. */
#include <config.h>

#include "simulate_source.h"

#include <math.h>

#include "base/compiler.h"

#define FRAME_MAX_BYTES  1514 /* longer packets are segmented on their way out */
#define HEADERS_BYTES    66   /* Ethernet, IPv4, TCP with timestamps */
#define SEGMENT_BYTES    (FRAME_MAX_BYTES - HEADERS_BYTES)
#define BITS_NS_PER_BYTE 8e9
#define LOOK_NS          1e7 /* between two looks at a backlogged load */

void
simulate_random_seed(struct simulate_random *random, uint64_t seed)
{
	/* Neighbouring seeds must not give similar sequences; the state must not be 0. */
	random->state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
	for (int i = 0; i < 8; i++)
		simulate_random_below(random, 2);
}

static uint64_t
random_next(struct simulate_random *random)
{
	random->state ^= random->state << 13;
	random->state ^= random->state >> 7;
	random->state ^= random->state << 17;
	return random->state;
}

uint32_t
simulate_random_below(struct simulate_random *random, uint32_t limit)
{
	return (uint32_t)((random_next(random) >> 32) * limit >> 32);
}

double
simulate_random_unit(struct simulate_random *random)
{
	return (double)((random_next(random) >> 11) + 1) * 0x1p-53;
}

uint32_t
simulate_wire_charge(const struct simulate_wire *wire, uint32_t bytes, uint16_t *packets)
{
	uint32_t segments = 1;
	int64_t charged;

	if (bytes > FRAME_MAX_BYTES)
		segments = (bytes - HEADERS_BYTES + SEGMENT_BYTES - 1) / SEGMENT_BYTES;
	charged = (int64_t)bytes + (segments - 1) * HEADERS_BYTES +
	          (int64_t)segments * wire->overhead_bytes;
	*packets = (uint16_t)segments;
	return (uint32_t)MAX_OF(charged, MAX_OF((int64_t)segments * wire->mpu_bytes, 1));
}

void
simulate_source_frame(const struct simulate_source *source,
                      const struct simulate_wire *wire, struct simulate_random *random,
                      struct simulate_frame *frame)
{
	const struct simulate_load *load = source->load;
	uint32_t bytes, dice;

	frame->flow = load->flows > 1 ? simulate_random_below(random, load->flows) : 0;
	if (load->kind == SIMULATE_LOAD_RECORDED) {
		const struct simulate_sample *sample =
			&load->samples[source->sample % load->n_samples];
		uint64_t mean = sample->packets ? sample->bytes / sample->packets : 0;

		frame->charged_bytes = (uint32_t)MIN_OF(MAX_OF(mean, 1), 1U << 20);
		frame->charged_packets =
			(uint16_t)(1 + (frame->charged_bytes - 1) / 2048);
		return;
	}
	bytes = load->size_min;
	if (load->imix) {
		dice = simulate_random_below(random, 12);
		bytes = dice < 7 ? 64 : dice < 11 ? 594 : FRAME_MAX_BYTES;
	} else if (load->size_max > load->size_min) {
		bytes += simulate_random_below(random,
		                               load->size_max - load->size_min + 1);
	}
	frame->charged_bytes = simulate_wire_charge(wire, bytes, &frame->charged_packets);
}

uint64_t
simulate_load_demand_bps(const struct simulate_load *load)
{
	double bytes = 0, ns = 0;

	if (load->kind == SIMULATE_LOAD_BACKLOGGED)
		return UINT64_MAX;
	if (load->kind != SIMULATE_LOAD_RECORDED)
		return load->bps;
	for (size_t i = 0; i < load->n_samples; i++) {
		bytes += (double)load->samples[i].bytes;
		ns += (double)load->samples[i].span_ns;
	}
	return ns > 0 ? (uint64_t)(bytes * BITS_NS_PER_BYTE / ns) : 0;
}

/* Moves a time that is in an off phase to the next on phase. */
static double
source_skip_off(const struct simulate_source *source, double ns)
{
	const struct simulate_load *load = source->load;
	double period_ns = (double)(load->on_ns + load->off_ns), at_ns;

	if (!load->off_ns)
		return ns;
	at_ns = fmod(ns - source->epoch_ns + source->phase_ns, period_ns);
	return at_ns < (double)load->on_ns ? ns : ns + period_ns - at_ns;
}

/* 'gaps' more gaps between packets, through as many intervals as that takes. */
static void
recorded_advance(struct simulate_source *source, double gaps)
{
	const struct simulate_load *load = source->load;
	size_t empty = 0;

	for (;;) {
		const struct simulate_sample *sample =
			&load->samples[source->sample % load->n_samples];
		double room_gaps;

		if (sample->packets) {
			double gap_ns = (double)sample->span_ns / (double)sample->packets;

			room_gaps = (source->sample_end_ns - source->next_ns) / gap_ns;
			if (gaps < room_gaps) {
				source->next_ns += gaps * gap_ns;
				return;
			}
			gaps -= MAX_OF(room_gaps, 0);
			empty = 0;
		} else if (++empty > load->n_samples) {
			source->next_ns = INFINITY;
			return;
		}
		source->next_ns = source->sample_end_ns;
		source->sample++;
		source->sample_end_ns +=
			(double)load->samples[source->sample % load->n_samples].span_ns;
	}
}

void
simulate_source_advance(struct simulate_source *source,
                        const struct simulate_frame *frame,
                        struct simulate_random *random)
{
	const struct simulate_load *load = source->load;
	double gap_ns;

	switch (load->kind) {
	case SIMULATE_LOAD_BACKLOGGED:
		source->next_ns += LOOK_NS;
		break;
	case SIMULATE_LOAD_RECORDED:
		recorded_advance(source, 1);
		break;
	case SIMULATE_LOAD_RATE:
	case SIMULATE_LOAD_POISSON:
		gap_ns = frame->charged_bytes * BITS_NS_PER_BYTE / (double)load->bps;
		if (load->kind == SIMULATE_LOAD_POISSON)
			gap_ns *= -log(simulate_random_unit(random));
		source->next_ns = source_skip_off(source, source->next_ns + gap_ns);
		break;
	}
	if (source->next_ns >= source->stop_ns)
		source->next_ns = INFINITY;
}

void
simulate_source_start(struct simulate_source *source, const struct simulate_load *load,
                      size_t class, double epoch_ns, struct simulate_random *random)
{
	/* Sources of the same rate must not march in step. */
	double first = simulate_random_unit(random);

	*source = (struct simulate_source){
		.load = load,
		.class = class,
		.epoch_ns = epoch_ns,
		.next_ns = epoch_ns + (double)load->start_ns,
		.stop_ns = epoch_ns + (double)load->stop_ns,
	};
	switch (load->kind) {
	case SIMULATE_LOAD_BACKLOGGED:
		return;
	case SIMULATE_LOAD_RECORDED:
		source->sample_end_ns = epoch_ns + (double)load->samples[0].span_ns;
		recorded_advance(source, first);
		return;
	case SIMULATE_LOAD_RATE:
	case SIMULATE_LOAD_POISSON:
		break;
	}
	source->phase_ns =
		simulate_random_unit(random) * (double)(load->on_ns + load->off_ns);
	source->next_ns += first * load->size_max * BITS_NS_PER_BYTE / (double)load->bps;
	source->next_ns = source_skip_off(source, source->next_ns);
	if (source->next_ns >= source->stop_ns)
		source->next_ns = INFINITY;
}

void
simulate_heap_push(struct simulate_heap *heap, struct simulate_source *source)
{
	size_t i = heap->n++;

	while (i && heap->sources[(i - 1) / 2]->next_ns > source->next_ns) {
		heap->sources[i] = heap->sources[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap->sources[i] = source;
}

void
simulate_heap_sink(struct simulate_heap *heap)
{
	struct simulate_source *source = heap->sources[0];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= heap->n)
			break;
		if (child + 1 < heap->n &&
		    heap->sources[child + 1]->next_ns < heap->sources[child]->next_ns)
			child++;
		if (heap->sources[child]->next_ns >= source->next_ns)
			break;
		heap->sources[i] = heap->sources[child];
		i = child;
	}
	heap->sources[i] = source;
}
