/* connections_test.c - vswitchd/ofproto/connections.c and below: dialing, listening,
 * probes, fail_mode, status and TLS, with sessions that only say HELLO. */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/dirs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "support/make_certs.h"
#include "vswitchd/ofproto/connections.h"
#include "vswitchd/ofproto/tls.h"

#define HELLO "\x04\x00\x00\x08\x00\x00\x00\x01"
#define OTHER "\x04\x05\x00\x08\x00\x00\x00\x02"

struct fixture {
	struct event_base *loop;
	struct connections *connections;
	struct str events, configured;
	char dir[32];
	bool is_silent; /* sessions send no HELLO */
};

struct session {
	struct fixture *f;
	struct channel *channel;
	const struct connection_info *info;
	bool is_established;
};

static void *
hook_open(struct channel *channel, const struct connection_info *info, void *aux)
{
	struct session *session = xcalloc(1, sizeof(*session));

	session->f = aux;
	session->channel = channel;
	session->info = info;
	if (!session->f->is_silent)
		channel_send(channel, HELLO, 8);
	str_printf(&session->f->events, "open%s ", info->is_service ? "(service)" : "");
	return session;
}

static void
hook_message(void *aux, const uint8_t *data, size_t n)
{
	struct session *session = aux;

	(void)n;
	if (data[1] == 0)
		session->is_established = true;
	str_printf(&session->f->events, "message(%u) ", data[1]);
}

static void
hook_close(void *aux)
{
	struct session *session = aux;

	str_append(&session->f->events, "close ");
	free(session);
}

static void
hook_probe(void *aux)
{
	struct session *session = aux;

	str_append(&session->f->events, "probe ");
	channel_send(session->channel, "\x04\x02\x00\x08\x00\x00\x00\x00", 8);
}

static bool
hook_is_established(const void *aux)
{
	const struct session *session = aux;

	return session->is_established;
}

static const char *
hook_role(const void *aux)
{
	(void)aux;
	return "other";
}

static void
hook_count_packet_ins(const void *aux, struct ofproto_controller_status *status)
{
	(void)aux;
	status->n_unread++;
}

static void
hook_set_configured(const char *target, bool is_configured, void *aux)
{
	struct fixture *f = aux;

	str_printf(&f->configured, "%c%s ", is_configured ? '+' : '-', target);
}

static void
hook_set_alone(bool is_alone, void *aux)
{
	struct fixture *f = aux;

	str_append(&f->events, is_alone ? "alone " : "together ");
}

static const struct connection_hooks hooks = {
	.open = hook_open,
	.message = hook_message,
	.close = hook_close,
	.probe = hook_probe,
	.is_established = hook_is_established,
	.role = hook_role,
	.count_packet_ins = hook_count_packet_ins,
	.set_configured = hook_set_configured,
	.set_alone = hook_set_alone,
};

static int
setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/weir-connections-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	dirs_set_rundir(f->dir);
	f->loop = event_base_new();
	f->connections = connections_create(f->loop, "br0", &hooks, f);
	*state = f;
	return 0;
}

static void
run(struct fixture *f, unsigned ms)
{
	uint64_t end_ns = clock_mono_ns() + ms * NSEC_PER_MSEC;

	do {
		event_base_loop(f->loop, EVLOOP_NONBLOCK);
		if (f->connections)
			connections_run(f->connections, clock_mono_ns());
		usleep(500);
	} while (clock_mono_ns() < end_ns);
}

/* Until something is in 'events', or for a second and a half. */
static void
run_until(struct fixture *f, const char *event)
{
	for (int i = 0; i < 150 && !strstr(str_text(&f->events), event); i++)
		run(f, 10);
	if (!strstr(str_text(&f->events), event))
		fail_msg("no \"%s\" in \"%s\"", event, str_text(&f->events));
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	char *command = xasprintf("rm -rf %s", f->dir);

	connections_destroy(f->connections);
	f->connections = NULL;
	run(f, 2);
	event_base_free(f->loop);
	tls_forget();
	assert_int_equal(system(command), 0);
	free(command);
	str_free(&f->events);
	str_free(&f->configured);
	free(f);
	return 0;
}

static void
configure(struct fixture *f, enum ofproto_fail_mode mode, const char *target,
          uint32_t probe_ms)
{
	const struct ofproto_controller controller = {
		.target = target,
		.inactivity_probe_ms = probe_ms,
	};
	const struct ofproto_config config = {
		.bridge_name = "br0",
		.fail_mode = mode,
		.controllers = &controller,
		.n_controllers = target ? 1 : 0,
	};

	connections_configure(f->connections, &config);
}

/* A socket below the run-time directory, connected or listening. */
static int
unix_socket(struct fixture *f, const char *name, bool listens)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", f->dir, name);
	if (listens) {
		assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)),
		                 0);
		assert_int_equal(listen(fd, 5), 0);
	} else {
		assert_int_equal(
			connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	}
	return fd;
}

static int
accept_one(struct fixture *f, int listener)
{
	int fd = -1;

	for (int i = 0; i < 700 && fd < 0; i++) {
		fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
		run(f, 5);
	}
	assert_true(fd >= 0);
	return fd;
}

static void
say(int fd, const char *message)
{
	assert_int_equal(send(fd, message, 8, MSG_NOSIGNAL), 8);
}

static void
assert_has(const char *text, const char *part)
{
	if (!text || !strstr(text, part))
		fail_msg("no \"%s\" in \"%s\"", part, text ? text : "(null)");
}

static void
copy_status(const struct ofproto_controller_status *status, void *aux)
{
	*(struct ofproto_controller_status *)aux = *status;
}

static struct ofproto_controller_status
status_of(struct fixture *f)
{
	struct ofproto_controller_status status = {.target = NULL};

	connections_report(f->connections, copy_status, &status);
	return status;
}

static void
test_the_service_socket_takes_many(void **state)
{
	struct fixture *f = *state;
	int fds[5];

	for (int i = 0; i < 5; i++) {
		fds[i] = unix_socket(f, "br0.mgmt", false);
		say(fds[i], HELLO);
	}
	run(f, 20);
	assert_string_equal(str_text(&f->events),
	                    "open(service) open(service) open(service) open(service) "
	                    "open(service) message(0) message(0) message(0) message(0) "
	                    "message(0) ");
	str_clear(&f->events);
	close(fds[0]);
	run_until(f, "close");
	assert_false(connections_has_primary(f->connections));
	for (int i = 1; i < 5; i++)
		close(fds[i]);
}

static void
test_it_dials_again_and_again(void **state)
{
	struct fixture *f = *state;
	struct ofproto_controller_status status;
	uint64_t start_ns = clock_mono_ns();
	int listener, fd;
	char hello[8];

	configure(f, OFPROTO_SECURE, "unix:ctl", 5000);
	run(f, 20);
	status = status_of(f);
	assert_string_equal(status.state, "BACKOFF");
	assert_string_equal(status.last_error, "No such file or directory");
	assert_false(status.is_connected);
	listener = unix_socket(f, "ctl", true);
	fd = accept_one(f, listener);
	assert_in_range(clock_mono_ns() - start_ns, 900 * NSEC_PER_MSEC,
	                1400 * NSEC_PER_MSEC);
	assert_string_equal(status_of(f).state, "CONNECTING");
	say(fd, HELLO);
	run(f, 20);
	status = status_of(f);
	assert_string_equal(status.state, "ACTIVE");
	assert_string_equal(status.role, "other");
	assert_true(status.is_connected);
	assert_null(status.last_error);
	assert_string_equal(str_text(&f->events), "open message(0) ");
	assert_int_equal(recv(fd, hello, sizeof(hello), 0), 8);
	close(fd);
	run(f, 20);
	assert_string_equal(status_of(f).state, "BACKOFF");
	assert_string_equal(status_of(f).last_error, "connection closed by peer");
	/* Gone and back within its pause: the next pause is longer. */
	start_ns = clock_mono_ns();
	fd = accept_one(f, listener);
	assert_in_range(clock_mono_ns() - start_ns, 1900 * NSEC_PER_MSEC,
	                2400 * NSEC_PER_MSEC);
	close(fd);
	close(listener);
}

/* /etc/hosts has a name for it; where that is IPv6's as well, nobody listens there. */
static void
test_names_are_looked_up(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	struct fixture *f = *state;
	socklen_t bytes = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), fd;
	char target[64];

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, bytes), 0);
	assert_int_equal(listen(listener, 5), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &bytes), 0);
	snprintf(target, sizeof(target), "tcp:localhost:%d", ntohs(address.sin_port));
	configure(f, OFPROTO_SECURE, target, 0);
	assert_string_equal(status_of(f).state, "CONNECTING");
	fd = accept_one(f, listener);
	say(fd, HELLO);
	run_until(f, "message");
	assert_string_equal(status_of(f).target, target);
	close(fd);
	close(listener);
	run_until(f, "close");
	configure(f, OFPROTO_SECURE, target, 0);
	for (int i = 0; i < 300 && !status_of(f).last_error; i++)
		run(f, 10);
	assert_non_null(status_of(f).last_error);
	/* Neither waits for the other, nor the loop for them. */
	uint64_t start_ns = clock_mono_ns();
	configure(f, OFPROTO_SECURE, "ssl:no-such-host.invalid", 0);
	configure(f, OFPROTO_SECURE, "tcp:neither-this.invalid", 0);
	assert_has(str_text(&f->configured), "-ssl:no-such-host.invalid "
	                                     "+tcp:neither-this.invalid ");
	run(f, 20);
	assert_true(clock_mono_ns() - start_ns < 500 * NSEC_PER_MSEC);
	for (int i = 0; i < 800 && !status_of(f).last_error; i++)
		run(f, 10);
	assert_has(status_of(f).last_error, "the host's address");
	assert_string_equal(status_of(f).state, "BACKOFF");
}

static void
test_a_silent_controller_is_given_up(void **state)
{
	struct fixture *f = *state;
	int listener = unix_socket(f, "ctl", true), fd;

	configure(f, OFPROTO_SECURE, "unix:ctl", 100);
	fd = accept_one(f, listener);
	say(fd, HELLO);
	run_until(f, "probe");
	say(fd, OTHER);
	str_clear(&f->events);
	run_until(f, "probe");
	assert_string_equal(status_of(f).state, "IDLE");
	assert_string_equal(str_text(&f->events), "message(5) probe ");
	run_until(f, "close");
	assert_string_equal(status_of(f).last_error, "no answer to the inactivity probe");
	close(fd);
	close(listener);
}

static void
test_standalone_takes_over_and_gives_back(void **state)
{
	struct fixture *f = *state;
	uint64_t start_ns = clock_mono_ns();
	int listener, fd;

	configure(f, OFPROTO_STANDALONE, "unix:ctl", 100);
	assert_true(connections_has_primary(f->connections));
	run_until(f, "alone");
	assert_in_range(clock_mono_ns() - start_ns, 300 * NSEC_PER_MSEC,
	                500 * NSEC_PER_MSEC);
	/* A controller that comes and goes is not yet back, HELLO or not. */
	str_clear(&f->events);
	listener = unix_socket(f, "ctl", true);
	fd = accept_one(f, listener);
	say(fd, HELLO);
	run(f, 20);
	close(fd);
	run_until(f, "close");
	assert_string_equal(str_text(&f->events), "open message(0) close ");
	str_clear(&f->events);
	fd = accept_one(f, listener);
	say(fd, HELLO);
	say(fd, OTHER);
	run_until(f, "together");
	assert_string_equal(str_text(&f->events), "open message(0) message(5) together ");
	close(fd);
	close(listener);
}

static void
test_secure_never_takes_over(void **state)
{
	struct fixture *f = *state;

	configure(f, OFPROTO_SECURE, "unix:ctl", 50);
	run(f, 250);
	assert_string_equal(str_text(&f->events), "");
	configure(f, OFPROTO_STANDALONE, "unix:ctl", 50);
	run_until(f, "alone");
	configure(f, OFPROTO_SECURE, "unix:ctl", 50);
	assert_string_equal(str_text(&f->events), "alone together ");
	configure(f, OFPROTO_STANDALONE, "unix:ctl", 50);
	configure(f, OFPROTO_STANDALONE, NULL, 50);
	assert_string_equal(str_text(&f->events), "alone together alone together ");
}

static void
test_sessions_outlive_other_changes(void **state)
{
	struct fixture *f = *state;
	const struct ofproto_controller controllers[] = {{.target = "punix:two"},
	                                                 {.target = "punix:one"}};
	struct ofproto_config config = {
		.bridge_name = "br0", .controllers = controllers, .n_controllers = 2};
	int fd;

	configure(f, OFPROTO_SECURE, "punix:one", 0);
	assert_false(connections_has_primary(f->connections));
	fd = unix_socket(f, "one", false);
	say(fd, HELLO);
	run(f, 20);
	connections_configure(f->connections, &config);
	run(f, 20);
	assert_string_equal(str_text(&f->events), "open(service) message(0) ");
	config.versions = 1U << 4;
	connections_configure(f->connections, &config);
	run(f, 20);
	assert_string_equal(str_text(&f->events), "open(service) message(0) close ");
	close(fd);
	assert_string_equal(str_text(&f->configured), ""); /* others dial them */
	configure(f, OFPROTO_SECURE, "nonsense:1", 0);
	configure(f, OFPROTO_SECURE, "nonsense:1", 0);
	assert_string_equal(str_text(&f->configured), "+nonsense:1 ");
	assert_string_equal(status_of(f).state, "VOID");
	assert_has(status_of(f).last_error, "nonsense:1: not a target");
}

static void
test_another_datapath_id_needs_other_sessions(void **state)
{
	struct fixture *f = *state;
	const struct ofproto_controller controller = {.target = "punix:one"};
	struct ofproto_config config = {.bridge_name = "br0",
	                                .datapath_id = 1,
	                                .controllers = &controller,
	                                .n_controllers = 1};
	int fd;

	connections_configure(f->connections, &config);
	fd = unix_socket(f, "one", false);
	say(fd, HELLO);
	run(f, 20);
	connections_configure(f->connections, &config);
	run(f, 20);
	assert_string_equal(str_text(&f->events), "open(service) message(0) ");
	config.datapath_id = 2;
	connections_configure(f->connections, &config);
	run(f, 20);
	assert_string_equal(str_text(&f->events), "open(service) message(0) close ");
	close(fd);
}

static void
test_who_says_no_hello_is_cut_off(void **state)
{
	struct fixture *f = *state;
	int fd = unix_socket(f, "br0.mgmt", false);

	run_until(f, "open");
	connections_run(f->connections, clock_mono_ns() + 9 * NSEC_PER_SEC);
	run(f, 10);
	assert_null(strstr(str_text(&f->events), "close"));
	connections_run(f->connections, clock_mono_ns() + 11 * NSEC_PER_SEC);
	run_until(f, "close");
	close(fd);
}

static void
test_snoop_sees_primary_controllers(void **state)
{
	struct fixture *f = *state;
	int listener = unix_socket(f, "ctl", true);
	int snoop = unix_socket(f, "br0.snoop", false), fd, service;
	uint8_t data[64];

	run(f, 10);
	assert_int_equal(recv(snoop, data, sizeof(data), 0), 16);
	assert_memory_equal(data, "\x06\x00\x00\x10\x00\x00\x00\x00\x00\x01\x00\x08", 12);
	configure(f, OFPROTO_SECURE, "unix:ctl", 5000);
	service = unix_socket(f, "br0.mgmt", false);
	say(service, OTHER);
	fd = accept_one(f, listener);
	say(fd, HELLO);
	run(f, 20);
	assert_int_equal(recv(snoop, data, sizeof(data), 0), 16);
	assert_memory_equal(data, HELLO HELLO, 16);
	close(service);
	close(snoop);
	close(fd);
	close(listener);
}

/* ---- TLS ---- */

static unsigned
free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t bytes = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, bytes), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &bytes), 0);
	close(fd);
	return ntohs(address.sin_port);
}

struct material {
	char key[64], cert[64], ca[64];
};

static struct material
make_material(struct fixture *f, const struct test_ca *signer,
              const struct test_ca *trusted, const char *name)
{
	struct material m;

	snprintf(m.key, sizeof(m.key), "%s/%s.key", f->dir, name);
	snprintf(m.cert, sizeof(m.cert), "%s/%s.pem", f->dir, name);
	snprintf(m.ca, sizeof(m.ca), "%s/%s.ca", f->dir, name);
	write_pair(signer, name, m.key, m.cert);
	if (trusted)
		write_ca(trusted, m.ca);
	return m;
}

static void
use_material(const struct material *m, bool bootstrap)
{
	const struct ofproto_tls tls = {m->key, m->cert, m->ca, bootstrap};

	ofproto_set_tls(NULL, &tls);
}

/* The other end of TLS: connects with material of its own. */
static SSL *
client_start(const struct material *m, int version, int fd)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	SSL *ssl;

	assert_int_equal(SSL_CTX_use_certificate_chain_file(ctx, m->cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey_file(ctx, m->key, SSL_FILETYPE_PEM), 1);
	assert_int_equal(SSL_CTX_load_verify_locations(ctx, m->ca, NULL), 1);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_min_proto_version(ctx, version);
	SSL_CTX_set_max_proto_version(ctx, version);
	SSL_CTX_set_security_level(ctx, version < TLS1_2_VERSION ? 0 : 1);
	ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	SSL_set_fd(ssl, fd);
	return ssl;
}

static int
connect_port(unsigned port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	                              .sin_port = htons((uint16_t)port),
	                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	evutil_make_socket_nonblocking(fd);
	return fd;
}

/* Connects, says HELLO; whether HELLO came back. 'reason' is what the switch says. */
static bool
try_client(struct fixture *f, const struct material *m, int version, unsigned port)
{
	int fd = connect_port(port), done = 0;
	SSL *ssl = client_start(m, version, fd);
	char data[8];

	for (int i = 0; i < 100 && !done; i++) {
		int ret = SSL_connect(ssl);

		if (ret == 1)
			break;
		done = SSL_get_error(ssl, ret) != SSL_ERROR_WANT_READ;
		run(f, 2);
	}
	if (!done)
		done = SSL_write(ssl, HELLO, 8) != 8;
	for (int i = 0; i < 100 && !done; i++) {
		int ret = SSL_read(ssl, data, sizeof(data));

		if (ret == 8)
			break;
		done = SSL_get_error(ssl, ret) != SSL_ERROR_WANT_READ;
		run(f, 2);
	}
	run(f, 20);
	SSL_free(ssl);
	close(fd);
	run(f, 20);
	ERR_clear_error();
	return !done;
}

static void
test_tls_verifies_both_sides(void **state)
{
	struct fixture *f = *state;
	struct test_ca ours = make_ca("ours"), theirs = make_ca("theirs");
	struct material mine = make_material(f, &ours, &ours, "switch");
	struct material good = make_material(f, &ours, &ours, "good");
	struct material liar = make_material(f, &theirs, &ours, "liar");
	struct material wary = make_material(f, &ours, &theirs, "wary");
	unsigned port = free_port();
	char *target = xasprintf("pssl:%u:127.0.0.1", port);

	use_material(&mine, false);
	configure(f, OFPROTO_SECURE, target, 5000);
	assert_true(try_client(f, &good, TLS1_3_VERSION, port));
	assert_true(try_client(f, &good, TLS1_2_VERSION, port));
	assert_false(try_client(f, &good, TLS1_1_VERSION, port));
	assert_has(status_of(f).last_error, "TLS: ");
	assert_false(try_client(f, &liar, TLS1_3_VERSION, port));
	assert_has(status_of(f).last_error, "certificate");
	assert_false(try_client(f, &wary, TLS1_2_VERSION, port));
	assert_has(status_of(f).last_error, "unknown ca");
	/* Files that change are read again; broken ones are not taken. */
	unlink(mine.ca);
	write_ca(&theirs, mine.ca);
	assert_true(try_client(f, &liar, TLS1_3_VERSION, port));
	assert_int_equal(truncate(mine.ca, 10), 0);
	assert_true(try_client(f, &liar, TLS1_3_VERSION, port));
	free(target);
	free_ca(&ours);
	free_ca(&theirs);
}

/* Dials without waiting for the end of a pause. */
static void
controller_retry(struct fixture *f, const char *target)
{
	configure(f, OFPROTO_SECURE, NULL, 0);
	configure(f, OFPROTO_SECURE, target, 5000);
}

static void
test_tls_dials_and_bootstraps(void **state)
{
	struct fixture *f = *state;
	struct test_ca ours = make_ca("ours");
	struct material server = make_material(f, &ours, &ours, "server");
	struct material mine = make_material(f, &ours, NULL, "switch");
	struct connections *other = connections_create(f->loop, "br1", &hooks, f);
	unsigned port = free_port();
	char *active = xasprintf("ssl:127.0.0.1:%u", port);
	char *passive = xasprintf("pssl:%u:127.0.0.1", port);
	const struct ofproto_controller listening = {.target = passive};
	const struct ofproto_config config = {
		.bridge_name = "br1", .controllers = &listening, .n_controllers = 1};

	(void)server;
	use_material(&mine, false);
	configure(f, OFPROTO_SECURE, active, 5000);
	connections_configure(other, &config);
	run(f, 1300); /* it was dialed before it listened */
	assert_has(status_of(f).last_error, "TLS CA certificate");
	assert_has(status_of(f).last_error, "No such file");
	assert_int_equal(access(mine.ca, F_OK), -1);
	use_material(&mine, true);
	/* The first connection brings the CA, the next one is verified by it. */
	controller_retry(f, active);
	run(f, 300);
	assert_int_equal(access(mine.ca, F_OK), 0);
	controller_retry(f, active);
	run_until(f, "message(0) message(0)");
	assert_string_equal(status_of(f).state, "ACTIVE");
	connections_destroy(other);
	free(active);
	free(passive);
	free_ca(&ours);
}

static void
test_tls_says_what_is_missing(void **state)
{
	struct fixture *f = *state;
	struct test_ca ours = make_ca("ours");
	struct material a = make_material(f, &ours, &ours, "a");
	struct material b = make_material(f, &ours, &ours, "b");
	const struct ofproto_tls swapped = {a.key, b.cert, a.ca, false};
	struct error err;

	assert_null(tls_session_create(false, &err));
	assert_string_equal(err.text, "TLS needs a private key (table SSL), and none is "
	                              "configured");
	ofproto_set_tls(NULL, &swapped);
	assert_null(tls_session_create(false, &err));
	assert_has(err.text, "/b.pem");
	unlink(a.key);
	use_material(&a, false);
	assert_null(tls_session_create(false, &err));
	assert_has(err.text, "a.key: No such file or directory");
	free_ca(&ours);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_service_socket_takes_many, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_it_dials_again_and_again, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_names_are_looked_up, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_a_silent_controller_is_given_up,
	                                        setup, teardown),
		cmocka_unit_test_setup_teardown(test_standalone_takes_over_and_gives_back,
	                                        setup, teardown),
		cmocka_unit_test_setup_teardown(test_secure_never_takes_over, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_sessions_outlive_other_changes,
	                                        setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_another_datapath_id_needs_other_sessions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_says_no_hello_is_cut_off, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_snoop_sees_primary_controllers,
	                                        setup, teardown),
		cmocka_unit_test_setup_teardown(test_tls_verifies_both_sides, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_tls_dials_and_bootstraps, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_tls_says_what_is_missing, setup,
	                                        teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
