/* record_main.c - weir-qos-record, which "weir-ctl qos-record" runs: notes once a second
 * what the classes of a port are offered, for weir-qos-simulate. */
#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "cli.h"
#include "ctl_client.h"
#include "units.h"

#define SECONDS_MAX     86400
#define SNAPSHOTS_MAX   100000
#define CALL_TIMEOUT_NS (10 * NSEC_PER_SEC)

static void
print_usage(void)
{
	printf("weir-ctl qos-record: notes what the classes of a port are offered\n"
	       "usage: weir-ctl qos-record [OPTION]... PORT TIME >LOADS\n"
	       "\n"
	       "Writes a recording of TIME (60 or 60s) as JSON, which is\n"
	       "the LOADS of weir-ctl qos-simulate.\n"
	       "\n"
	       "Options:\n"
	       "  -i, --interval=TIME    between two snapshots (1s)\n"
	       "  -t, --target=TARGET    the daemon, as for weir-appctl\n"
	       "  -h, --help             print this text\n"
	       "  -V, --version          print the version of weir\n");
}

struct record {
	const char *target, *port;
	uint64_t interval_ns, length_ns;
};

static void
parse_options(struct record *record, int argc, char **argv)
{
	static const struct option long_options[] = {
		{"interval", required_argument, NULL, 'i'},
		{"target", required_argument, NULL, 't'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "i:t:hV", long_options, NULL)) != -1) {
		switch (c) {
		case 'i':
			if (!units_parse_time_ns(optarg, &record->interval_ns) ||
			    record->interval_ns < 10 * NSEC_PER_MSEC)
				cli_die("--interval: \"%s\" is no time from 10ms",
				        optarg);
			break;
		case 't':
			record->target = optarg;
			break;
		case 'h':
			print_usage();
			exit(EXIT_SUCCESS);
		case 'V':
			cli_print_version();
			exit(EXIT_SUCCESS);
		default:
			exit(EXIT_FAILURE);
		}
	}
	if (argc - optind != 2)
		cli_die("needs PORT and TIME (--help tells more)");
	record->port = argv[optind];
	if (!units_parse_time_ns(argv[optind + 1], &record->length_ns) ||
	    record->length_ns < record->interval_ns ||
	    record->length_ns / record->interval_ns >= SNAPSHOTS_MAX)
		cli_die("\"%s\": is no time of at least one interval and less than %d",
		        argv[optind + 1], SNAPSHOTS_MAX);
}

/* What the simulation needs of a class; the rest would only make recordings long. */
static json_t *
trim_class(const json_t *class)
{
	static const char *const names[] = {"number", "offered_packets", "offered_bytes"};
	json_t *trimmed = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		json_t *value = json_object_get(class, names[i]);

		if (value)
			json_object_set(trimmed, names[i], value);
	}
	if (json_is_true(json_object_get(class, "inner")))
		json_object_set_new(trimmed, "inner", json_true());
	return trimmed;
}

static json_t *
take_snapshot(const struct record *record)
{
	const char *const args[] = {"--json", record->port};
	json_t *full, *snapshot = json_object(), *classes = json_array();
	struct rpc_client *client;
	const json_t *class;
	struct error err;
	char *text;
	size_t i;

	if (ctl_connect(record->target, clock_mono_ns() + CALL_TIMEOUT_NS, &client, &err))
		cli_die("%s", err.text);
	if (ctl_call(client, "qos/show", args, ARRAY_SIZE(args), &text, &err))
		cli_die("%s: %s", record->port, err.text);
	rpc_client_close(client);
	full = json_loads(text, 0, NULL);
	free(text);
	if (!json_array_size(json_object_get(full, "classes")))
		cli_die("%s: has no tree of classes", record->port);
	json_object_set(snapshot, "time_ns", json_object_get(full, "time_ns"));
	json_array_foreach(json_object_get(full, "classes"), i, class)
		json_array_append_new(classes, trim_class(class));
	json_object_set_new(snapshot, "classes", classes);
	json_decref(full);
	return snapshot;
}

/* One snapshot a line, each written at once: what was recorded stays if it is stopped,
 * apart from the end of the JSON. */
static void
print_snapshot(const struct record *record, bool is_first)
{
	json_t *snapshot = take_snapshot(record);

	if (is_first)
		printf("{\"port\": \"%s\", \"snapshots\": [\n", record->port);
	else
		printf(",\n");
	json_dumpf(snapshot, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
	json_decref(snapshot);
	if (fflush(stdout))
		cli_die("cannot write to standard output");
}

static void
sleep_until(uint64_t until_ns)
{
	const struct timespec moment = {.tv_sec = (time_t)(until_ns / NSEC_PER_SEC),
	                                .tv_nsec = (long)(until_ns % NSEC_PER_SEC)};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &moment, NULL) == EINTR)
		;
}

int
main(int argc, char **argv)
{
	struct record record = {.target = CTL_TARGET, .interval_ns = NSEC_PER_SEC};
	uint64_t start_ns, count;

	cli_set_program("weir-ctl qos-record");
	parse_options(&record, argc, argv);
	start_ns = clock_mono_ns();
	count = record.length_ns / record.interval_ns;
	for (uint64_t i = 0; i <= count; i++) {
		sleep_until(start_ns + i * record.interval_ns);
		print_snapshot(&record, i == 0);
	}
	printf("\n]}\n");
	if (fflush(stdout) || ferror(stdout))
		cli_die("cannot write to standard output");
	return EXIT_SUCCESS;
}
