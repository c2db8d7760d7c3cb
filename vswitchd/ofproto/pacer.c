/* pacer.c - a bucket of tokens, and a queue per port for what comes while it is empty.
 * Below packet_in.c. Main thread.
 *
 * In any time t, not more than burst + rate * t go. While something waits, tokens are not
 * lost, so that the rate is reached however seldom somebody looks; at most PATIENCE_NS
 * may pass in between. */
#include "vswitchd/ofproto/pacer.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/hmap.h"
#include "base/list.h"
#include "base/mem.h"

#define TOKEN          NSEC_PER_SEC /* tokens are counted in billionths */
#define PATIENCE_NS    (NSEC_PER_SEC / 2)
#define HELD_BYTES_MAX (4U << 20) /* of all ports */

struct held {
	struct list node; /* queue.held, the oldest first */
	struct str data;
};

/* Of a port; there is none while nothing waits. */
struct queue {
	struct hmap_node node; /* pacer.queues */
	struct list turn;      /* pacer.turns */
	uint32_t port;
	size_t n;
	struct list held;
};

struct pacer {
	uint64_t rate, burst;
	uint64_t tokens, filled_ns;
	size_t bytes;
	struct hmap queues;
	struct list turns; /* who is next */
	struct pacer_stats stats;
};

struct pacer *
pacer_create(void)
{
	struct pacer *pacer = xcalloc(1, sizeof(*pacer));

	hmap_init(&pacer->queues);
	list_init(&pacer->turns);
	return pacer;
}

/* The oldest of a queue, which the caller frees; an empty queue goes. */
static struct held *
queue_pop(struct pacer *pacer, struct queue *queue)
{
	struct held *held = CONTAINER_OF(list_pop_front(&queue->held), struct held, node);

	queue->n--;
	pacer->stats.backlog--;
	pacer->bytes -= held->data.length;
	if (!queue->n) {
		list_remove(&queue->turn);
		hmap_remove(&pacer->queues, &queue->node);
		free(queue);
	}
	return held;
}

static void
held_free(struct held *held)
{
	str_free(&held->data);
	free(held);
}

static struct queue *
next_queue(struct pacer *pacer)
{
	return CONTAINER_OF(pacer->turns.next, struct queue, turn);
}

void
pacer_destroy(struct pacer *pacer)
{
	if (!pacer)
		return;
	while (pacer->stats.backlog)
		held_free(queue_pop(pacer, next_queue(pacer)));
	hmap_destroy(&pacer->queues);
	free(pacer);
}

void
pacer_set_rate(struct pacer *pacer, uint32_t rate, uint32_t burst)
{
	uint64_t wanted = burst ? burst : MAX_OF(rate / 4, 1U);

	if (rate == pacer->rate && wanted == pacer->burst)
		return;
	pacer->rate = rate;
	pacer->burst = wanted;
	pacer->tokens = MIN_OF(pacer->tokens, wanted * TOKEN);
}

static bool
take_token(struct pacer *pacer, uint64_t now_ns)
{
	const uint64_t passed_ns =
		MIN_OF(now_ns - pacer->filled_ns,
	               pacer->stats.backlog ? PATIENCE_NS : 10 * NSEC_PER_SEC);

	if (!pacer->rate)
		return true;
	pacer->filled_ns = now_ns;
	pacer->tokens += passed_ns * pacer->rate;
	if (!pacer->stats.backlog)
		pacer->tokens = MIN_OF(pacer->tokens, pacer->burst * TOKEN);
	if (pacer->tokens < TOKEN)
		return false;
	pacer->tokens -= TOKEN;
	return true;
}

bool
pacer_admit(struct pacer *pacer, uint64_t now_ns)
{
	if (pacer->stats.backlog || !take_token(pacer, now_ns))
		return false;
	pacer->stats.bypassed++;
	return true;
}

static void
drop_of_longest(struct pacer *pacer)
{
	struct queue *queue, *longest = next_queue(pacer);

	LIST_FOR_EACH (queue, turn, &pacer->turns)
		if (queue->n > longest->n)
			longest = queue;
	held_free(queue_pop(pacer, longest));
	pacer->stats.dropped++;
}

static struct queue *
queue_of(struct pacer *pacer, uint32_t port)
{
	const uint32_t hash = hash_u64(port, 0);
	struct queue *queue;

	HMAP_FOR_EACH_WITH_HASH (queue, node, hash, &pacer->queues)
		if (queue->port == port)
			return queue;
	queue = xcalloc(1, sizeof(*queue));
	queue->port = port;
	list_init(&queue->held);
	hmap_insert(&pacer->queues, &queue->node, hash);
	list_push_back(&pacer->turns, &queue->turn);
	return queue;
}

void
pacer_hold(struct pacer *pacer, uint32_t port, const void *data, size_t n)
{
	struct held *held = xcalloc(1, sizeof(*held));
	struct queue *queue = queue_of(pacer, port);

	str_append_bytes(&held->data, data, n);
	list_push_back(&queue->held, &held->node);
	queue->n++;
	pacer->bytes += n;
	pacer->stats.backlog++;
	pacer->stats.queued++;
	while (pacer->stats.backlog > pacer->burst || pacer->bytes > HELD_BYTES_MAX)
		drop_of_longest(pacer);
}

bool
pacer_take(struct pacer *pacer, uint64_t now_ns, struct str *data)
{
	struct queue *queue;
	struct held *held;

	if (!pacer->stats.backlog || !take_token(pacer, now_ns))
		return false;
	queue = next_queue(pacer);
	list_remove(&queue->turn);
	list_push_back(&pacer->turns, &queue->turn);
	held = queue_pop(pacer, queue);
	*data = held->data;
	free(held);
	return true;
}

const struct pacer_stats *
pacer_get_stats(const struct pacer *pacer)
{
	return &pacer->stats;
}
