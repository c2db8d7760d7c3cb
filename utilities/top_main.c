/* top_main.c - weir-top: the class trees of all ports, live, on a terminal or as text
 * (--batch). Options and the batch mode; top_screen.c is the rest. */
#include <config.h>

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/dirs.h"
#include "base/str.h"
#include "cli.h"
#include "ctl_client.h"
#include "top_poll.h"
#include "top_screen.h"
#include "units.h"

#define BATCH_WIDTH 150
#define WIDTH_MIN   40

static void
print_usage(void)
{
	printf("weir-top: shows the classes of all ports, live\n"
	       "usage: weir-top [OPTION]...\n"
	       "\n"
	       "On a terminal, ? tells the keys.\n"
	       "\n"
	       "Options:\n"
	       "  -d, --interval=TIME    between two looks, e.g. 500ms (1s)\n"
	       "  -s, --sort=ORDER       name, rate, drops or delay (name)\n"
	       "  -r, --reverse          the other way around\n"
	       "  -l, --list             all classes as one list, not as trees\n"
	       "  -f, --filter=TEXT      only classes whose name, port or state has TEXT\n"
	       "      --no-color         no colors (so does the variable NO_COLOR)\n"
	       "  -b, --batch            print text and ask no keys\n"
	       "  -n, --count=NUMBER     with --batch: end after so many looks\n"
	       "  -w, --width=COLUMNS    with --batch: of the text (150)\n"
	       "  -t, --target=TARGET    the daemon, as for weir-appctl\n"
	       "  -h, --help             print this text\n"
	       "  -V, --version          print the version of weir-top\n");
}

struct options {
	struct top_screen_options screen;
	struct top_view *view;
	bool is_batch;
	uint64_t count; /* 0: for ever */
	uint64_t width;
};

static void
parse_view_option(struct options *options, int c)
{
	struct top_view *view = options->view;

	switch (c) {
	case 's':
		if (!top_sort_parse(optarg, &view->sort))
			cli_die("--sort: \"%s\" is not name, rate, drops or delay",
			        optarg);
		break;
	case 'r':
		view->is_reversed = true;
		break;
	case 'l':
		view->is_flat = true;
		break;
	case 'f':
		if (strlen(optarg) > TOP_FILTER_MAX)
			cli_die("--filter: longer than %d characters", TOP_FILTER_MAX);
		strcpy(view->filter, optarg);
		break;
	default:
		exit(EXIT_FAILURE);
	}
}

enum { OPT_NO_COLOR = 256 };

static const struct option long_options[] = {
	{"interval", required_argument, NULL, 'd'},
	{"sort", required_argument, NULL, 's'},
	{"reverse", no_argument, NULL, 'r'},
	{"list", no_argument, NULL, 'l'},
	{"filter", required_argument, NULL, 'f'},
	{"no-color", no_argument, NULL, OPT_NO_COLOR},
	{"batch", no_argument, NULL, 'b'},
	{"count", required_argument, NULL, 'n'},
	{"width", required_argument, NULL, 'w'},
	{"target", required_argument, NULL, 't'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

static void
parse_options(struct options *options, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "d:s:rlf:bn:w:t:hV", long_options, NULL)) !=
	       -1) {
		switch (c) {
		case 'd':
			if (!units_parse_time_ns(optarg, &options->screen.interval_ns) ||
			    options->screen.interval_ns < TOP_INTERVAL_MIN_NS ||
			    options->screen.interval_ns > TOP_INTERVAL_MAX_NS)
				cli_die("--interval: \"%s\" is no time from 100ms to 3600s",
				        optarg);
			break;
		case OPT_NO_COLOR:
			options->screen.use_colors = false;
			break;
		case 'b':
			options->is_batch = true;
			break;
		case 'n':
			if (!parse_u64(optarg, 1, UINT32_MAX, &options->count))
				cli_die("--count: \"%s\" is no number from 1", optarg);
			break;
		case 'w':
			if (!parse_u64(optarg, WIDTH_MIN, TOP_LINE_BYTES - 1,
			               &options->width))
				cli_die("--width: \"%s\" is no number from %d to %d",
				        optarg, WIDTH_MIN, TOP_LINE_BYTES - 1);
			break;
		case 't':
			options->screen.target = optarg;
			break;
		case 'h':
			print_usage();
			exit(EXIT_SUCCESS);
		case 'V':
			cli_print_version();
			exit(EXIT_SUCCESS);
		default:
			parse_view_option(options, c);
		}
	}
	if (optind < argc)
		cli_die("unexpected argument \"%s\" (--help tells the options)",
		        argv[optind]);
	if (options->count && !options->is_batch)
		cli_die("--count needs --batch");
}

static struct top_snapshot *
fetch_or_die(const char *target)
{
	struct error err;
	struct top_snapshot *snapshot = top_fetch(target, &err);

	if (!snapshot)
		cli_die("%s", err.text);
	return snapshot;
}

/* Without the blanks at the end. */
static void
print_line(char *line)
{
	size_t length = strlen(line);

	while (length && line[length - 1] == ' ')
		length--;
	line[length] = '\0';
	puts(line);
}

static void
print_snapshot(const struct options *options, const struct top_snapshot *snapshot)
{
	char line[TOP_LINE_BYTES], moment[32];
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(moment, sizeof(moment), "%H:%M:%S", &tm);
	top_view_update(options->view, snapshot);
	printf("weir-top %s\n", moment);
	top_view_format_header(options->width, line);
	print_line(line);
	for (size_t i = 0; i < options->view->n_rows; i++) {
		top_view_format(&options->view->rows[i], options->width, line);
		print_line(line);
	}
	if (fflush(stdout))
		cli_die("cannot write to standard output");
}

static void
sleep_ns(uint64_t ns)
{
	const struct timespec span = {.tv_sec = (time_t)(ns / NSEC_PER_SEC),
	                              .tv_nsec = (long)(ns % NSEC_PER_SEC)};

	nanosleep(&span, NULL);
}

static void
run_batch(const struct options *options, struct top_snapshot *snapshot)
{
	for (uint64_t i = 0; !options->count || i < options->count; i++) {
		struct top_snapshot *next;

		if (i) {
			putchar('\n');
			sleep_ns(options->screen.interval_ns);
			next = fetch_or_die(options->screen.target);
			top_snapshot_compare(next, snapshot);
			top_snapshot_destroy(snapshot);
			snapshot = next;
		}
		print_snapshot(options, snapshot);
	}
	top_snapshot_destroy(snapshot);
}

int
main(int argc, char **argv)
{
	const char *no_color = getenv("NO_COLOR");
	struct options options = {
		.screen = {.target = CTL_TARGET,
	                   .interval_ns = NSEC_PER_SEC,
	                   .use_colors = !no_color || !*no_color},
		.width = BATCH_WIDTH,
	};
	struct top_snapshot *snapshot;
	struct top_view view;
	struct error err;

	cli_set_program("weir-top");
	top_view_init(&view);
	options.view = &view;
	parse_options(&options, argc, argv);
	/* Read once here: later by another thread. */
	dirs_rundir();
	snapshot = fetch_or_die(options.screen.target);
	if (options.is_batch)
		run_batch(&options, snapshot);
	else if (top_screen_run(&options.screen, &view, snapshot, &err))
		cli_die("%s", err.text);
	top_view_destroy(&view);
	return EXIT_SUCCESS;
}
