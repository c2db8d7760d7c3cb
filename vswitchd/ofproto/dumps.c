/* dumps.c - when the pieces of long answers are made, and what comes next. Between
 * session_io.c and those who make the pieces. Main thread. */
#include "vswitchd/ofproto/dumps.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

#define BACKLOG_MAX     (4U << 20)          /* what a reader may be behind */
#define TURN_NS         (4 * NSEC_PER_MSEC) /* of the main thread, at a time */
#define OTHERS_FIRST_MS 1
#define LOOK_AGAIN_MS   10 /* whether it has read */
#define CHAINS_PER_PART \
	32768U /* of a table's rules: few may be those that are asked for */

/* ---- what comes next ---- */

struct dump *
dump_create(const struct of_msg *request, dump_part_fn *part)
{
	struct dump *dump = xcalloc(1, sizeof(*dump));

	dump->part = part;
	dump->request = *request;
	dump->request.arena = NULL;
	return dump;
}

void
dump_free(struct dump *dump)
{
	if (dump)
		free(dump->numbers);
	free(dump);
}

void
dump_add_number(struct dump *dump, uint32_t number)
{
	const size_t n = dump->n_numbers++;

	if (!(n & (n - 1))) /* the room is a power of two, and full */
		dump->numbers = xrealloc(dump->numbers,
		                         MAX_OF(2 * n, 1) * sizeof(*dump->numbers));
	dump->numbers[n] = number;
}

static int
compare_numbers(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

void
dump_sort_numbers(struct dump *dump)
{
	if (dump->n_numbers)
		qsort(dump->numbers, dump->n_numbers, sizeof(*dump->numbers),
		      compare_numbers);
}

bool
dump_next_number(struct dump *dump, uint32_t *number)
{
	if (dump->next == dump->n_numbers)
		return false;
	*number = dump->numbers[dump->next++];
	return true;
}

bool
dump_next_rules(const struct ofproto *ofproto, struct dump *dump,
                const struct rule_filter *filter, struct rule_list *list)
{
	unsigned n_chains = 0;
	size_t bytes = 0;

	while (dump->table < OF_TABLES) {
		const bool is_full =
			list->n >= DUMP_PART_ITEMS || bytes >= DUMP_PART_BYTES;
		const size_t from = dump->position, before = list->n;

		if (n_chains++ == CHAINS_PER_PART)
			return true;
		if (filter->table == OF_TABLE_ALL || filter->table == dump->table)
			flow_table_select_some(&ofproto->tables[dump->table], filter,
			                       &dump->position, list);
		if (is_full && list->n > before) {
			list->n = before; /* they begin the next part */
			dump->position = from;
			return true;
		}
		for (size_t i = before; i < list->n; i++)
			bytes += list->rules[i]->actions.bytes;
		dump->table += dump->position == 0;
	}
	return false;
}

bool
dump_send_numbers(struct session *session, const struct dump *dump, struct of_msg *reply)
{
	const bool has_more = dump->next < dump->n_numbers;

	reply->more = has_more;
	session_send(session, reply);
	of_msg_destroy(reply);
	return has_more;
}

/* ---- when ---- */

void
dump_destroy(struct session *session)
{
	dump_free(session->dump);
	session->dump = NULL;
}

/* Goes on until then at the latest, but by one piece at least if it is read. In how many
 * milliseconds there is more to do; 0: it is over. */
static unsigned
dump_run(struct session *session, uint64_t end_ns)
{
	bool is_over = false, is_read;

	do {
		is_read = channel_backlog_bytes(session->channel) < BACKLOG_MAX;
		if (is_read)
			is_over = !session->dump->part(session, session->dump);
	} while (!is_over && is_read && clock_mono_ns() < end_ns);
	if (is_over)
		dump_destroy(session);
	session_review_pause(session);
	return is_over ? 0 : is_read ? OTHERS_FIRST_MS : LOOK_AGAIN_MS;
}

void
dump_begin(struct session *session, struct dump *dump)
{
	unsigned ms;

	session->dump = dump;
	ms = dump_run(session, clock_mono_ns() + TURN_NS);
	if (ms)
		switch_look_again(session->ofproto, ms);
}

/* Who had a turn is the last of all then. A main thread that was held up goes on with one
 * at least. */
void
dumps_run(struct ofproto *ofproto)
{
	const uint64_t end_ns = clock_mono_ns() + TURN_NS;
	bool is_late = false;
	unsigned least_ms = 0;
	struct session *session;
	size_t n = 0;

	LIST_FOR_EACH (session, node, &ofproto->sessions) {
		session_review_pause(session);
		n++;
	}
	for (; n && !is_late; n--) {
		unsigned ms = 0;

		session = CONTAINER_OF(list_pop_front(&ofproto->sessions), struct session,
		                       node);
		list_push_back(&ofproto->sessions, &session->node);
		if (session->dump) {
			ms = dump_run(session, end_ns);
			is_late = clock_mono_ns() >= end_ns;
		}
		if (ms && (!least_ms || ms < least_ms))
			least_ms = ms;
	}
	if (n)
		least_ms = OTHERS_FIRST_MS;
	if (least_ms)
		switch_look_again(ofproto, least_ms);
}
