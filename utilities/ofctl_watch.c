/* ofctl_watch.c - the commands of weir-ofctl that stay and watch: monitor, snoop, ping,
 * and the short probe. Beside ofctl_dump.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli.h"
#include "ofctl.h"

static void
print_time(void)
{
	struct timespec now;
	struct tm tm;
	char text[32];

	if (!ofctl_options.has_timestamps)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	printf("%s.%03ld: ", text, now.tv_nsec / 1000000);
}

/* Sends a paused packet back as it came, so that it goes on; says so. */
static void
resume(struct ofctl_conn *conn, const uint8_t *data, size_t n,
       const struct of_names *names)
{
	struct of_error error;
	struct of_msg msg;
	struct str out = STR_INIT;

	if (!of_msg_decode(data, n, &msg, &error) && msg.kind == OFM_PACKET_IN &&
	    msg.packet_in.has_continuation) {
		msg.kind = OFM_NX_RESUME;
		if (!of_msg_encode(&msg, &out)) {
			printf("send: ");
			ofctl_print_message((const uint8_t *)out.data, out.length, names);
			fflush(stdout);
			ofctl_send_bytes(conn, out.data, out.length);
		}
	}
	str_free(&out);
	of_msg_destroy(&msg);
}

/* Prints what comes until the switch goes. */
static void
watch(struct ofctl_conn *conn, const char *target, bool resumes)
{
	const struct of_names *names = ofctl_print_names(target);
	const uint8_t *data;
	size_t n;

	while ((data = ofctl_receive(conn, &n, -1))) {
		print_time();
		ofctl_print_message(data, n, names);
		if (resumes)
			resume(conn, data, n, names);
		fflush(stdout);
	}
}

static void
set_miss_length(struct ofctl_conn *conn, uint16_t length)
{
	struct of_msg msg, reply;

	ofctl_begin(conn, &msg, OFM_GET_CONFIG_REQUEST);
	ofctl_ask(conn, &msg, &reply);
	ofctl_begin(conn, &msg, OFM_SET_CONFIG);
	msg.config = reply.config;
	msg.config.miss_send_len = length;
	ofctl_send(conn, &msg);
	of_msg_destroy(&reply);
}

/* "watch:[!initial][,table=1]..." */
static void
request_monitor(struct ofctl_conn *conn, const char *target, const char *text)
{
	static const struct {
		const char *word;
		uint16_t flag;
	} flags[] = {
		{"!initial", OF_MONITOR_INITIAL},      {"!add", OF_MONITOR_ON_ADD},
		{"!delete", OF_MONITOR_ON_REMOVED},    {"!modify", OF_MONITOR_ON_MODIFY},
		{"!actions", OF_MONITOR_INSTRUCTIONS}, {"!own", OF_MONITOR_NO_ABBREV},
	};
	struct of_monitor *monitor;
	struct of_flow_mod filter;
	struct str rest = STR_INIT;
	struct of_msg msg;
	struct error err;
	char *copy = xstrdup(text), *save = NULL;
	uint16_t wanted = OF_MONITOR_INITIAL | OF_MONITOR_ON_ADD | OF_MONITOR_ON_REMOVED |
	                  OF_MONITOR_ON_MODIFY | OF_MONITOR_INSTRUCTIONS |
	                  OF_MONITOR_NO_ABBREV;
	static uint32_t next_id;

	for (char *word = strtok_r(copy, ",", &save); word;
	     word = strtok_r(NULL, ",", &save)) {
		bool is_flag = false;

		for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
			if (strcmp(flags[i].word, word))
				continue;
			is_flag = true;
			wanted &= (uint16_t)~flags[i].flag;
		}
		if (!is_flag)
			str_printf(&rest, "%s%s", rest.length ? "," : "", word);
	}
	if (of_text_parse_flow(str_text(&rest), OF_FLOW_DELETE, ofctl_names(target),
	                       &filter, &err))
		cli_die("%s", err.text);
	/* From 1.4 on, Open vSwitch refuses the bit that the specification has for one's
	 * own changes in full, and takes the next one for it. */
	if (ofctl_version(conn) >= OF14 && wanted & OF_MONITOR_NO_ABBREV)
		wanted ^= OF_MONITOR_NO_ABBREV | OF_MONITOR_ONLY_OWN;
	ofctl_begin(conn, &msg, OFM_FLOW_MONITOR_REQUEST);
	monitor = of_msg_alloc(&msg, sizeof(*monitor));
	*monitor = (struct of_monitor){
		.id = next_id++,
		.flags = wanted,
		.command = OF_MONITOR_ADD,
		.what = {.match = filter.match,
	                 .table = filter.table,
	                 .out_port = filter.out_port,
	                 .out_group = filter.out_group},
	};
	msg.monitors = monitor;
	msg.n = 1;
	ofctl_transact(conn, &msg, ofctl_part_print, NULL);
	str_free(&rest);
	free(copy);
}

static void
set_packet_in_format(struct ofctl_conn *conn)
{
	struct of_msg msg;

	ofctl_begin(conn, &msg, OFM_NX_PACKET_IN_FORMAT);
	msg.number = ofctl_options.packet_in_format_is_set
	                     ? (uint32_t)ofctl_options.packet_in_format
	                     : OF_PACKET_IN_NXT2;
	ofctl_send(conn, &msg);
}

static void
run_monitor(int n, char **args)
{
	struct ofctl_conn *conn = ofctl_open(args[0], ofctl_options.versions);
	bool resumes = false;

	/* The switch may refuse it: then packets come in its own form. */
	set_packet_in_format(conn);
	for (int i = 1; i < n; i++) {
		uint64_t length;

		if (parse_u64(args[i], 0, UINT16_MAX, &length)) {
			set_miss_length(conn, (uint16_t)length);
		} else if (!strncmp(args[i], "watch:", 6)) {
			request_monitor(conn, args[0], args[i] + 6);
		} else if (!strcmp(args[i], "resume")) {
			resumes = true;
		} else if (!strcmp(args[i], "invalid_ttl")) {
			struct of_msg msg;

			ofctl_begin(conn, &msg, OFM_SET_CONFIG);
			msg.config.flags = 4;
			ofctl_send(conn, &msg);
		} else {
			cli_die("%s: unsupported \"monitor\" argument", args[i]);
		}
	}
	fflush(stdout);
	watch(conn, args[0], resumes);
}

static void
run_snoop(int n, char **args)
{
	(void)n;
	watch(ofctl_open_snoop(args[0]), NULL, false);
}

static void
run_probe(int n, char **args)
{
	struct ofctl_conn *conn = ofctl_open(args[0], ofctl_options.versions);
	struct of_msg msg, reply;

	(void)n;
	ofctl_begin(conn, &msg, OFM_ECHO_REQUEST);
	ofctl_ask(conn, &msg, &reply);
	if (reply.kind != OFM_ECHO_REPLY)
		cli_die("reply does not match request");
	of_msg_destroy(&reply);
	ofctl_close(conn);
}

static void
run_ping(int n, char **args)
{
	uint32_t bytes = n > 1 ? ofctl_number("ping", args[1], 65000) : 64;
	struct ofctl_conn *conn = ofctl_open(args[0], ofctl_options.versions);
	uint8_t *data = xcalloc(1, bytes + 1);

	for (int i = 0; i < 10; i++) {
		uint64_t start_ns = clock_mono_ns();
		struct of_msg msg, reply;
		uint32_t xid;

		for (uint32_t j = 0; j < bytes; j++)
			data[j] = (uint8_t)((unsigned)rand() >> 4);
		ofctl_begin(conn, &msg, OFM_ECHO_REQUEST);
		msg.echo.data = data;
		msg.echo.n = bytes;
		xid = msg.xid;
		ofctl_ask(conn, &msg, &reply);
		if (reply.kind != OFM_ECHO_REPLY || reply.echo.n != bytes ||
		    memcmp(reply.echo.data, data, bytes))
			cli_die("reply does not match request");
		printf("%u bytes from %s: xid=%08x time=%.1f ms\n", bytes, args[0], xid,
		       (double)(clock_mono_ns() - start_ns) / (double)NSEC_PER_MSEC);
		of_msg_destroy(&reply);
	}
	free(data);
	ofctl_close(conn);
}

const struct ofctl_command ofctl_watch_commands[] = {
	{"monitor", "SWITCH [MISS_LEN] [invalid_ttl] [resume] [watch:SPEC]", 1, 6,
         run_monitor},
	{"snoop", "SWITCH", 1, 1, run_snoop},
	{"probe", "SWITCH", 1, 1, run_probe},
	{"ping", "SWITCH [BYTES]", 1, 2, run_ping},
	{NULL, NULL, 0, 0, NULL},
};
