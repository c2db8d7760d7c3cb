/* channel_test.c - vswitchd/ofproto/channel.c: framing, turns, backlog, pauses and ends,
 * on socket pairs. */
#include <errno.h>
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "vswitchd/ofproto/channel.h"

struct fixture {
	struct event_base *loop;
	struct channel *channel;
	int peer;        /* the other end */
	struct str text; /* "N " for each message of N bytes, then why it ended */
	struct str tapped;
	size_t n, bytes;
	bool pauses, closes, fails, answers;
};

static void
on_message(struct channel *channel, const uint8_t *data, size_t n, void *aux)
{
	struct fixture *f = aux;

	assert_int_equal(data[2] << 8 | data[3], n);
	f->n++;
	f->bytes += n;
	if (f->n < 20)
		str_printf(&f->text, "%zu ", n);
	if (f->answers)
		channel_send(channel, data, n);
	if (f->pauses)
		channel_pause(channel, true);
	if (f->fails)
		channel_fail(channel, "unfit");
	if (f->closes) {
		channel_close(channel, false);
		f->channel = NULL;
	}
}

static void
on_closed(struct channel *channel, const char *why, void *aux)
{
	struct fixture *f = aux;

	assert_ptr_equal(channel, f->channel);
	str_append(&f->text, why);
	f->channel = NULL;
}

static const struct channel_handlers handlers = {on_message, on_closed};

static int
setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	f->loop = event_base_new();
	f->peer = fds[1];
	f->channel = channel_create(f->loop, fds[0], NULL, true, "test", &handlers, f);
	*state = f;
	return 0;
}

static void
run(struct fixture *f, unsigned ms)
{
	uint64_t end_ns = clock_mono_ns() + ms * NSEC_PER_MSEC;

	do {
		event_base_loop(f->loop, EVLOOP_NONBLOCK);
		usleep(500);
	} while (clock_mono_ns() < end_ns);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	if (f->channel)
		channel_close(f->channel, true);
	run(f, 2);
	event_base_free(f->loop);
	close(f->peer);
	str_free(&f->text);
	str_free(&f->tapped);
	free(f);
	return 0;
}

/* 'n' messages of 'bytes' each, as far as the socket takes them. */
static size_t
say(struct fixture *f, size_t n, uint16_t bytes)
{
	uint8_t *message = xcalloc(1, bytes);
	size_t sent = 0;

	message[0] = 4;
	message[2] = (uint8_t)(bytes >> 8);
	message[3] = (uint8_t)bytes;
	while (sent < n && send(f->peer, message, bytes, 0) == bytes)
		sent++;
	free(message);
	return sent;
}

static void
test_messages_are_framed(void **state)
{
	static const uint8_t bytes[] = {4, 0, 0, 8, 0,   0,   0,   1,   4, 2, 0, 12,
	                                0, 0, 0, 2, 'a', 'b', 'c', 'd', 4, 3, 0, 8};
	static const uint8_t rest[] = {0, 0, 0, 3};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bytes); i++) {
		assert_int_equal(write(f->peer, bytes + i, 1), 1);
		run(f, 1);
	}
	assert_string_equal(str_text(&f->text), "8 12 ");
	assert_int_equal(write(f->peer, rest, sizeof(rest)), sizeof(rest));
	run(f, 1);
	assert_string_equal(str_text(&f->text), "8 12 8 ");
	assert_int_equal(say(f, 1, 65535), 1);
	run(f, 5);
	assert_string_equal(str_text(&f->text), "8 12 8 65535 ");
}

static void
test_a_length_below_the_header_ends_it(void **state)
{
	static const uint8_t bytes[] = {4, 0, 0, 8, 0, 0, 0, 1, 4, 0, 0, 7, 0, 0, 0, 2};
	struct fixture *f = *state;

	assert_int_equal(write(f->peer, bytes, sizeof(bytes)), sizeof(bytes));
	run(f, 2);
	assert_string_equal(str_text(&f->text), "8 its message is shorter than a header");
}

static void
test_the_end_comes_after_what_was_sent(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(say(f, 3, 100), 3);
	shutdown(f->peer, SHUT_WR);
	run(f, 2);
	assert_string_equal(str_text(&f->text), "100 100 100 connection closed by peer");
}

static void
test_one_sender_does_not_hog_the_loop(void **state)
{
	struct fixture *f = *state;
	int size = 4 << 20;
	size_t n;

	setsockopt(f->peer, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	n = say(f, 2000, 1000);
	assert_true(n > 100);
	while (f->n < n) {
		size_t before = f->bytes;

		event_base_loop(f->loop, EVLOOP_NONBLOCK | EVLOOP_ONCE);
		assert_true(f->bytes - before <= (256U << 10) + 1000);
	}
	assert_int_equal(f->n, n);
}

static void
test_a_paused_channel_reads_nothing(void **state)
{
	struct fixture *f = *state;

	f->pauses = true;
	assert_int_equal(say(f, 3, 50), 3);
	run(f, 3);
	assert_string_equal(str_text(&f->text), "50 ");
	channel_pause(f->channel, false);
	run(f, 3);
	assert_string_equal(str_text(&f->text), "50 50 ");
	f->pauses = false;
	channel_pause(f->channel, false);
	run(f, 3);
	assert_string_equal(str_text(&f->text), "50 50 50 ");
	assert_int_equal(say(f, 1, 60), 1);
	run(f, 3);
	assert_string_equal(str_text(&f->text), "50 50 50 60 ");
}

static void
test_who_does_not_read_is_cut_off(void **state)
{
	struct fixture *f = *state;
	static uint8_t block[1 << 20];
	int i;

	for (i = 0; i < 20 && channel_send(f->channel, block, sizeof(block)); i++)
		continue;
	assert_in_range(i, 16, 17);
	assert_false(channel_send(f->channel, block, 8));
	run(f, 3);
	assert_string_equal(str_text(&f->text), "it does not read what it is sent");
}

/* Reads what there is for the other end. */
static size_t
drain(struct fixture *f, unsigned ms)
{
	static uint8_t buffer[65536];
	uint64_t end_ns = clock_mono_ns() + ms * NSEC_PER_MSEC;
	size_t sum = 0;

	do {
		ssize_t n = recv(f->peer, buffer, sizeof(buffer), 0);

		if (n == 0)
			return sum + 1; /* the end */
		if (n > 0)
			sum += (size_t)n;
		event_base_loop(f->loop, EVLOOP_NONBLOCK);
	} while (clock_mono_ns() < end_ns);
	return sum;
}

static void
test_closing_sends_what_is_queued(void **state)
{
	struct fixture *f = *state;
	static uint8_t block[1 << 20];

	assert_true(channel_send(f->channel, block, sizeof(block)));
	channel_close(f->channel, false);
	f->channel = NULL;
	assert_int_equal(drain(f, 1000), sizeof(block) + 1);
	assert_string_equal(str_text(&f->text), "");
}

static void
test_closing_from_a_handler(void **state)
{
	struct fixture *f = *state;

	f->closes = true;
	f->answers = true;
	assert_int_equal(say(f, 3, 64), 3);
	assert_int_equal(drain(f, 200), 64 + 1);
	assert_string_equal(str_text(&f->text), "64 ");
}

static void
test_failing_sends_the_error_first(void **state)
{
	struct fixture *f = *state;

	f->fails = true;
	f->answers = true;
	assert_int_equal(say(f, 3, 64), 3);
	assert_int_equal(drain(f, 200), 64 + 1);
	assert_string_equal(str_text(&f->text), "64 unfit");
}

static void
on_tap(const uint8_t *data, size_t n, bool is_sent, void *aux)
{
	struct fixture *f = aux;

	(void)data;
	str_printf(&f->tapped, "%s%zu ", is_sent ? ">" : "<", n);
}

static void
test_a_tap_sees_both_directions(void **state)
{
	struct fixture *f = *state;

	channel_set_tap(f->channel, on_tap, f);
	f->answers = true;
	assert_int_equal(say(f, 2, 10), 2);
	run(f, 2);
	assert_string_equal(str_text(&f->tapped), "<10 >10 <10 >10 ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_messages_are_framed, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_a_length_below_the_header_ends_it,
	                                        setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_end_comes_after_what_was_sent,
	                                        setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_sender_does_not_hog_the_loop,
	                                        setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_paused_channel_reads_nothing,
	                                        setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_does_not_read_is_cut_off, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_closing_sends_what_is_queued, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_closing_from_a_handler, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_failing_sends_the_error_first, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_a_tap_sees_both_directions, setup,
	                                        teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
