/* simulate_main.c - weir-qos-simulate, which "weir-ctl qos-simulate" runs: who gets what,
 * in virtual time. Options, input and output; simulate_run.c does the work. */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli.h"
#include "ctl_client.h"
#include "simulate_report.h"
#include "simulate_run.h"
#include "units.h"

#define INPUT_MAX_BYTES (1UL << 30)
#define SECONDS_MAX     86400
#define CHANGES_MAX     1000
#define PERIOD_MIN_NS   100
#define PERIOD_MAX_NS   1000000000
#define NEW_CLASS_LOAD  "class %u backlogged"
#define CALL_TIMEOUT_NS (10 * NSEC_PER_SEC)

static void
print_usage(void)
{
	printf("weir-ctl qos-simulate: what a tree of classes does with given loads\n"
	       "usage: weir-ctl qos-simulate [OPTION]... TREE LOADS\n"
	       "       weir-ctl qos-simulate [OPTION]... --live=PORT LOADS\n"
	       "\n"
	       "TREE is a file of lines like \"link 10G\" and \"class 10 parent 1 min-rate\n"
	       "100M max-rate 1G\", or the JSON of weir-appctl qos/show --json PORT. LOADS is\n"
	       "a file of lines like \"class 10 rate 500M size imix\", or the recording of\n"
	       "weir-ctl qos-record. \"-\" is the standard input. See weir-ctl(8).\n"
	       "\n"
	       "Options:\n"
	       "      --live=PORT        the tree that the daemon runs on PORT\n"
	       "  -t, --target=TARGET    the daemon, as for weir-appctl\n"
	       "      --change=LINE      apply LINE to the tree and show the difference, e.g.\n"
	       "                         'class 30 min-rate 2G'; may be given several times\n"
	       "      --load=LINE        one more line of LOADS; may be given several times\n"
	       "      --link=RATE        rate of the wire, and of the root if it has none\n"
	       "      --seconds=TIME     how long to measure (1, or as long as the recording)\n"
	       "      --skip=TIME        time before that (0.1; with a recording 0)\n"
	       "      --seed=NUMBER      of the random numbers (0)\n"
	       "      --period=MIN-MAX   of the worker's loop (500ns-4us)\n"
	       "      --stalls           one round of the loop in 2000 takes 100 us\n"
	       "      --catch-up=TIME    default burst of ceilings (5ms, as a polling worker)\n"
	       "      --pool=PACKETS     packets queued at most (32768; 0: any number)\n"
	       "      --quantum=BYTES    that a visit to a class takes (0: one packet)\n"
	       "      --json             print JSON\n"
	       "  -h, --help             print this text\n"
	       "  -V, --version          print the version of weir\n");
}

struct input {
	struct simulate_options options;
	const char *live_port, *target;
	const char *changes[CHANGES_MAX], *loads[CHANGES_MAX];
	size_t n_changes, n_loads;
	bool has_seconds, has_skip, has_catch_up, has_pool, has_quantum, as_json;
	struct simulate_tree tree;
	struct simulate_loads load_list;
};

/* ---- options ---- */

static uint64_t
option_number(const char *name, const char *text, uint64_t min, uint64_t max)
{
	uint64_t value;

	if (!units_parse_amount(text, &value) || value < min || value > max)
		cli_die("--%s: \"%s\" is no number from %llu to %llu", name, text,
		        (unsigned long long)min, (unsigned long long)max);
	return value;
}

static uint64_t
option_time_ns(const char *name, const char *text, uint64_t min_ns, uint64_t max_ns)
{
	uint64_t ns;

	if (!units_parse_time_ns(text, &ns) || ns < min_ns || ns > max_ns)
		cli_die("--%s: \"%s\" is no time such as 10ms, or is too short or too long",
		        name, text);
	return ns;
}

static void
option_period(struct simulate_options *options, const char *text)
{
	char *copy = xstrdup(text), *dash = strchr(copy, '-');

	if (dash)
		*dash++ = '\0';
	options->period_min_ns =
		option_time_ns("period", copy, PERIOD_MIN_NS, PERIOD_MAX_NS);
	options->period_max_ns = option_time_ns("period", dash ? dash : copy,
	                                        options->period_min_ns, PERIOD_MAX_NS);
	free(copy);
}

static void
option_append(const char *name, const char **list, size_t *n, const char *text)
{
	if (*n == CHANGES_MAX)
		cli_die("--%s: given more than %d times", name, CHANGES_MAX);
	list[(*n)++] = text;
}

enum option_code {
	OPT_LIVE = 256,
	OPT_CHANGE,
	OPT_LOAD,
	OPT_LINK,
	OPT_SECONDS,
	OPT_SKIP,
	OPT_SEED,
	OPT_PERIOD,
	OPT_STALLS,
	OPT_CATCH_UP,
	OPT_POOL,
	OPT_QUANTUM,
	OPT_JSON,
};

static const struct option long_options[] = {
	{"live", required_argument, NULL, OPT_LIVE},
	{"target", required_argument, NULL, 't'},
	{"change", required_argument, NULL, OPT_CHANGE},
	{"load", required_argument, NULL, OPT_LOAD},
	{"link", required_argument, NULL, OPT_LINK},
	{"seconds", required_argument, NULL, OPT_SECONDS},
	{"skip", required_argument, NULL, OPT_SKIP},
	{"seed", required_argument, NULL, OPT_SEED},
	{"period", required_argument, NULL, OPT_PERIOD},
	{"stalls", no_argument, NULL, OPT_STALLS},
	{"catch-up", required_argument, NULL, OPT_CATCH_UP},
	{"pool", required_argument, NULL, OPT_POOL},
	{"quantum", required_argument, NULL, OPT_QUANTUM},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

/* How the loop, the wire and the clock are set; false if 'c' is none of these options. */
static bool
parse_run_option(struct input *input, int c)
{
	struct simulate_options *options = &input->options;

	switch (c) {
	case OPT_LINK:
		options->link_bps = option_number("link", optarg, SCHED_RATE_MIN_BPS,
		                                  SCHED_RATE_MAX_BPS);
		return true;
	case OPT_SECONDS:
		options->seconds = (double)option_time_ns("seconds", optarg, 1000000,
		                                          SECONDS_MAX * NSEC_PER_SEC) /
		                   1e9;
		input->has_seconds = true;
		return true;
	case OPT_SKIP:
		options->skip_seconds =
			(double)option_time_ns("skip", optarg, 0,
		                               SECONDS_MAX * NSEC_PER_SEC) /
			1e9;
		input->has_skip = true;
		return true;
	case OPT_SEED:
		options->seed = option_number("seed", optarg, 0, UINT32_MAX);
		return true;
	case OPT_PERIOD:
		option_period(options, optarg);
		return true;
	case OPT_STALLS:
		options->stalls = true;
		return true;
	case OPT_CATCH_UP:
		input->has_catch_up = true;
		options->catch_up_ns =
			option_time_ns("catch-up", optarg, 1000, NSEC_PER_SEC);
		return true;
	case OPT_POOL:
		input->has_pool = true;
		options->pool = (uint32_t)option_number("pool", optarg, 0, 100000000);
		return true;
	case OPT_QUANTUM:
		input->has_quantum = true;
		options->quantum = (uint32_t)option_number("quantum", optarg, 0, 1 << 20);
		return true;
	default:
		return false;
	}
}

static void
parse_options(struct input *input, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "t:hV", long_options, NULL)) != -1) {
		switch (c) {
		case OPT_LIVE:
			input->live_port = optarg;
			break;
		case 't':
			input->target = optarg;
			break;
		case OPT_CHANGE:
			option_append("change", input->changes, &input->n_changes,
			              optarg);
			break;
		case OPT_LOAD:
			option_append("load", input->loads, &input->n_loads, optarg);
			break;
		case OPT_JSON:
			input->as_json = true;
			break;
		case 'h':
			print_usage();
			exit(EXIT_SUCCESS);
		case 'V':
			cli_print_version();
			exit(EXIT_SUCCESS);
		default:
			if (!parse_run_option(input, c))
				exit(EXIT_FAILURE);
		}
	}
}

/* ---- input ---- */

/* The whole file, or the standard input; the caller frees. */
static char *
read_file(const char *path)
{
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	struct str text = STR_INIT;
	char buffer[65536];
	ssize_t n;

	if (fd < 0)
		cli_die("%s: %s", path, strerror(errno));
	while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
		str_append_bytes(&text, buffer, (size_t)n);
		if (text.length > INPUT_MAX_BYTES)
			cli_die("%s: is longer than 1 GB", path);
	}
	if (n < 0)
		cli_die("%s: %s", path, strerror(errno));
	if (text.length && memchr(text.data, '\0', text.length))
		cli_die("%s: is no text", path);
	if (fd != STDIN_FILENO)
		close(fd);
	return str_steal(&text);
}

static char *
read_live(const struct input *input)
{
	const char *const args[] = {"--json", input->live_port};
	struct rpc_client *client;
	struct error err;
	char *text;

	if (ctl_connect(input->target, clock_mono_ns() + CALL_TIMEOUT_NS, &client, &err))
		cli_die("%s", err.text);
	if (ctl_call(client, "qos/show", args, 2, &text, &err))
		cli_die("%s: %s", input->live_port, err.text);
	rpc_client_close(client);
	return text;
}

/* What the switch said of itself holds where no option says otherwise. */
static void
take_switch_options(struct input *input)
{
	struct simulate_options *options = &input->options;
	const struct simulate_tree *tree = &input->tree;

	if (tree->catch_up_ns && !input->has_catch_up)
		options->catch_up_ns = tree->catch_up_ns;
	if (tree->quantum_bytes && !input->has_quantum)
		options->quantum = (uint32_t)tree->quantum_bytes;
	if (tree->pool_packets && !input->has_pool)
		options->pool = (uint32_t)tree->pool_packets;
}

static void
read_tree(struct input *input, const char *name, char *text)
{
	struct error err;

	simulate_tree_init(&input->tree);
	if (simulate_tree_read(&input->tree, text, &err))
		cli_die("%s: %s", name, err.text);
	if (!input->tree.root.ceil_bps)
		input->tree.root.ceil_bps = input->options.link_bps;
	if (simulate_tree_check(&input->tree, &err))
		cli_die("%s: %s", name, err.text);
	free(text);
	take_switch_options(input);
}

static void
read_loads(struct input *input, const char *path)
{
	char *text = read_file(path);
	struct error err;

	simulate_loads_init(&input->load_list);
	if (simulate_loads_read(&input->load_list, text, &err))
		cli_die("%s: %s", path, err.text);
	free(text);
	for (size_t i = 0; i < input->n_loads; i++)
		if (simulate_loads_add(&input->load_list, input->loads[i], &err))
			cli_die("--load '%s': %s", input->loads[i], err.text);
	if (!input->load_list.recorded_ns)
		return;
	if (!input->has_seconds)
		input->options.seconds = (double)input->load_list.recorded_ns / 1e9;
	if (!input->has_skip)
		input->options.skip_seconds = 0;
}

/* A load for a class of neither tree is a mistake of the user. */
static void
check_loads(const struct input *input, const struct simulate_tree *changed)
{
	for (size_t i = 0; i < input->load_list.n; i++) {
		const struct simulate_load *load = &input->load_list.loads[i];

		if (load->is_default || load->first != load->last ||
		    load->kind == SIMULATE_LOAD_RECORDED)
			continue;
		if (simulate_tree_find(&input->tree, load->first) == SIMULATE_NONE &&
		    simulate_tree_find(changed, load->first) == SIMULATE_NONE)
			cli_die("load of class %u: the tree has no such class",
			        load->first);
	}
}

/* ---- the work ---- */

static struct simulate_outcome
simulate(const struct input *input, const struct simulate_tree *tree)
{
	struct simulate_outcome outcome = {.tree = tree,
	                                   .seconds = input->options.seconds};
	struct simulate_result *results;
	struct error err;

	if (simulate_run(tree, &input->load_list, &input->options, &results, &err))
		cli_die("%s", err.text);
	outcome.results = results;
	return outcome;
}

/* The tree with all changes. A class that is new and has no load gets one, so that its
 * floor is put to the test. */
static void
make_changed(struct input *input, struct simulate_tree *changed)
{
	struct error err;

	simulate_tree_copy(changed, &input->tree);
	for (size_t i = 0; i < input->n_changes; i++)
		if (simulate_tree_apply(changed, input->changes[i], &err))
			cli_die("--change '%s': %s", input->changes[i], err.text);
	if (simulate_tree_check(changed, &err))
		cli_die("the switch would refuse this change: %s", err.text);
	for (size_t i = 0; i < changed->n; i++) {
		uint32_t number = changed->classes[i].number;
		char line[64];

		if (simulate_tree_find(&input->tree, number) != SIMULATE_NONE ||
		    changed->classes[i].n_children ||
		    simulate_loads_name(&input->load_list, number))
			continue;
		snprintf(line, sizeof(line), NEW_CLASS_LOAD, number);
		simulate_loads_add(&input->load_list, line, NULL);
		if (!input->as_json)
			printf("class %u is new and has no load: it is taken to be backlogged\n",
			       number);
	}
}

static void
print_json(json_t *json)
{
	if (json_dumpf(json, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER))
		cli_die("cannot write to standard output");
	putchar('\n');
	json_decref(json);
}

static void
run_change(struct input *input)
{
	struct simulate_outcome before, after;
	struct str out = STR_INIT;
	struct simulate_tree changed;
	json_t *json;

	make_changed(input, &changed);
	check_loads(input, &changed);
	before = simulate(input, &input->tree);
	after = simulate(input, &changed);
	if (input->as_json) {
		json = json_object();
		json_object_set_new(json, "before", simulate_report_json(&before));
		json_object_set_new(json, "after", simulate_report_json(&after));
		print_json(json);
	} else {
		simulate_report_difference(&before, &after, &out);
		fputs(str_text(&out), stdout);
	}
	str_free(&out);
	free((void *)(uintptr_t)before.results);
	free((void *)(uintptr_t)after.results);
	simulate_tree_destroy(&changed);
}

static void
run_once(const struct input *input)
{
	struct simulate_outcome outcome;
	struct str out = STR_INIT;

	check_loads(input, &input->tree);
	outcome = simulate(input, &input->tree);
	if (input->as_json) {
		print_json(simulate_report_json(&outcome));
	} else {
		simulate_report_text(&outcome, &out);
		fputs(str_text(&out), stdout);
	}
	str_free(&out);
	free((void *)(uintptr_t)outcome.results);
}

int
main(int argc, char **argv)
{
	static struct input input = {.options = SIMULATE_OPTIONS_INIT,
	                             .target = CTL_TARGET};
	char **words;

	cli_set_program("weir-ctl qos-simulate");
	parse_options(&input, argc, argv);
	words = argv + optind;
	if (argc - optind != (input.live_port ? 1 : 2))
		cli_die("needs %s (--help tells more)",
		        input.live_port ? "LOADS"
		                        : "TREE and LOADS, or --live=PORT and LOADS");
	if (!input.live_port && !strcmp(words[0], "-") && !strcmp(words[1], "-"))
		cli_die("only one of TREE and LOADS can be the standard input");
	if (input.live_port)
		read_tree(&input, input.live_port, read_live(&input));
	else
		read_tree(&input, words[0], read_file(words[0]));
	read_loads(&input, words[input.live_port ? 0 : 1]);
	if (input.n_changes)
		run_change(&input);
	else
		run_once(&input);
	simulate_loads_destroy(&input.load_list);
	simulate_tree_destroy(&input.tree);
	if (fflush(stdout) || ferror(stdout))
		cli_die("cannot write to standard output");
	return EXIT_SUCCESS;
}
